#include "forth/keys.h"

#include <string.h>

#include "forth/xchar.h"

enum { ESCAPE = 27, SEQUENCE_BYTES_MAX = 32 };

// ESC [ 1 ; m A and ESC O A: by their last letter.
static uint32_t key_of_letter(uint8_t letter)
{
    static const char letters[] = "ABCDHF";
    static const uint8_t keys[] = {WEFT_KEY_UP,   WEFT_KEY_DOWN, WEFT_KEY_RIGHT,
                                   WEFT_KEY_LEFT, WEFT_KEY_HOME, WEFT_KEY_END};
    const char *found = memchr(letters, letter, sizeof(letters) - 1);
    if (found != NULL) return keys[found - letters];
    return letter >= 'P' && letter <= 'S' ? WEFT_KEY_F1 + (uint32_t)(letter - 'P') : 0;
}

// ESC [ n ; m ~
static uint32_t key_of_number(uint32_t number)
{
    static const uint8_t keys[] = {
        [1] = WEFT_KEY_HOME,     [2] = WEFT_KEY_INSERT,   [3] = WEFT_KEY_DELETE,
        [4] = WEFT_KEY_END,      [5] = WEFT_KEY_PRIOR,    [6] = WEFT_KEY_NEXT,
        [7] = WEFT_KEY_HOME,     [8] = WEFT_KEY_END,      [11] = WEFT_KEY_F1,
        [12] = WEFT_KEY_F1 + 1,  [13] = WEFT_KEY_F1 + 2,  [14] = WEFT_KEY_F1 + 3,
        [15] = WEFT_KEY_F1 + 4,  [17] = WEFT_KEY_F1 + 5,  [18] = WEFT_KEY_F1 + 6,
        [19] = WEFT_KEY_F1 + 7,  [20] = WEFT_KEY_F1 + 8,  [21] = WEFT_KEY_F1 + 9,
        [23] = WEFT_KEY_F1 + 10, [24] = WEFT_KEY_F1 + 11,
    };
    return number < sizeof(keys) ? keys[number] : 0;
}

// xterm: 1 + shift + 2 alt + 4 control.
static uint32_t modifiers(uint32_t number)
{
    const uint32_t bits = number > 0 ? number - 1 : 0;
    return (bits & 1 ? WEFT_KEY_SHIFT : 0) | (bits & 2 ? WEFT_KEY_ALT : 0) |
           (bits & 4 ? WEFT_KEY_CTRL : 0);
}

// The two numbers between ESC [ and the last byte.
static void read_numbers(const uint8_t *at, const uint8_t *end, uint32_t number[2])
{
    number[0] = number[1] = 0;
    for (unsigned n = 0; at < end && n < 2; at++) {
        if (*at == ';')
            n++;
        else if (*at >= '0' && *at <= '9' && number[n] < 1000)
            number[n] = 10 * number[n] + *at - '0';
    }
}

static int32_t event_of(uint32_t key, uint32_t masks)
{
    return (int32_t)(WEFT_KEY_SPECIAL | (key != 0 ? key | masks : 0));
}

// Behind ESC [. As weft_key_decode, but -1: it is no sequence.
static int decode_sequence(const uint8_t *bytes, size_t length, int32_t *event)
{
    uint32_t number[2];
    size_t n = 2;
    if (length > 2 && bytes[2] == '[') { // Linux's own F1 to F5.
        if (length == 3) return 0;
        const bool known = bytes[3] >= 'A' && bytes[3] <= 'E';
        *event = event_of(known ? WEFT_KEY_F1 + (uint32_t)(bytes[3] - 'A') : 0, 0);
        return 4;
    }
    while (n < length && bytes[n] >= 0x20 && bytes[n] <= 0x3f && n < SEQUENCE_BYTES_MAX)
        n++;
    if (n == length) return 0;
    if (n == SEQUENCE_BYTES_MAX || bytes[n] < 0x40 || bytes[n] > 0x7e) return -1;
    read_numbers(bytes + 2, bytes + n, number);
    const uint32_t key = bytes[n] == '~' ? key_of_number(number[0]) : key_of_letter(bytes[n]);
    *event = event_of(key, modifiers(number[1]));
    return (int)n + 1;
}

static size_t decode_escape(const uint8_t *bytes, size_t length, bool are_all, int32_t *event)
{
    int taken = length == 1 ? 0 : -1;
    if (length > 1 && bytes[1] == '[') taken = decode_sequence(bytes, length, event);
    if (length > 1 && bytes[1] == 'O') {
        taken = length == 2 ? 0 : 3;
        if (length > 2) *event = event_of(key_of_letter(bytes[2]), 0);
    }
    if (taken > 0) return (size_t)taken;
    if (taken == 0 && !are_all) return 0;
    *event = ESCAPE;
    return 1;
}

size_t weft_key_decode(const uint8_t *bytes, size_t length, bool are_all, int32_t *event)
{
    if (length == 0) return 0;
    if (bytes[0] == ESCAPE) return decode_escape(bytes, length, are_all, event);
    uint32_t taken = 1;
    const int64_t xchar = weft_xchar_get(bytes, length, &taken);
    if (xchar >= 0) {
        *event = (int32_t)xchar;
        return taken;
    }
    // Cut off, as far as it goes; or malformed.
    bool may_go_on = bytes[0] >= 0xc2 && bytes[0] < 0xf5 && taken > length && !are_all;
    for (size_t n = 1; n < length && may_go_on; n++)
        may_go_on = (bytes[n] & 0xc0) == 0x80;
    if (may_go_on) return 0;
    *event = WEFT_KEY_BYTE | bytes[0];
    return 1;
}

uint8_t *weft_keys_room(struct weft_keys *keys, size_t *bytes)
{
    memmove(keys->bytes, keys->bytes + keys->start, keys->end - keys->start);
    keys->end -= keys->start;
    keys->start = 0;
    *bytes = WEFT_KEYS_BYTES - keys->end;
    return keys->bytes + keys->end;
}

static size_t first_event(const struct weft_keys *keys, bool are_all, int32_t *event)
{
    return weft_key_decode(keys->bytes + keys->start, keys->end - keys->start, are_all, event);
}

bool weft_keys_wait(struct weft_keys *keys, enum weft_unit_keys kind, bool are_all)
{
    for (;;) {
        int32_t event = 0;
        const size_t taken = first_event(keys, are_all, &event);
        if (taken == 0) return false;
        const bool is_xchar = event < WEFT_KEY_SPECIAL;
        const bool is_byte = (event & WEFT_KEY_BYTE) != 0;
        if (kind == WEFT_UNIT_KEYS_EVENT || is_xchar) return true;
        if (kind == WEFT_UNIT_KEYS_CHARACTER && is_byte) return true;
        keys->start += (uint32_t)taken;
    }
}

int32_t weft_keys_character(struct weft_keys *keys, bool are_all)
{
    if (!weft_keys_wait(keys, WEFT_UNIT_KEYS_CHARACTER, are_all)) return -1;
    return keys->bytes[keys->start++];
}

int32_t weft_keys_event(struct weft_keys *keys, bool are_all)
{
    int32_t event = -1;
    keys->start += (uint32_t)first_event(keys, are_all, &event);
    return event;
}

int64_t weft_keys_line(struct weft_keys *keys, void *to, size_t size)
{
    const uint8_t *from = keys->bytes + keys->start;
    const uint8_t *end = memchr(from, '\n', keys->end - keys->start);
    if (end == NULL) return -1;
    const size_t length = (size_t)(end - from);
    const size_t given = length < size ? length : size;
    memcpy(to, from, given);
    keys->start += (uint32_t)length + 1;
    return (int64_t)given;
}
