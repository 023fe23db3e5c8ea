#include "image/update/slot.h"

#include <stdio.h>
#include <string.h>

#define PREFIX    "weft-"
#define SUFFIX    ".efi"
#define TRIES_MAX 99

// A number of one or two digits at *text; moves it on.
static bool take_tries(const char **text, int *tries)
{
    int number = 0, digits = 0;

    for (; **text >= '0' && **text <= '9'; (*text)++, digits++) {
        number = number * 10 + (**text - '0');
        if (number > TRIES_MAX) return false;
    }
    *tries = number;
    return digits > 0;
}

bool weft_update_slot_parse(const char *name, struct weft_update_slot *slot)
{
    const char *at = name + strlen(PREFIX);

    *slot = (struct weft_update_slot){.tries_left = -1, .tries_done = -1};
    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 || (at[0] != 'a' && at[0] != 'b') ||
        at[1] != '_')
        return false;
    slot->slot = at[0];
    at += 2;
    const size_t rest = strlen(at);
    if (rest < strlen(SUFFIX) || strcmp(at + rest - strlen(SUFFIX), SUFFIX) != 0) return false;
    const char *end = at + rest - strlen(SUFFIX), *plus = memchr(at, '+', (size_t)(end - at));
    const size_t length = (size_t)((plus != NULL ? plus : end) - at);
    if (!weft_update_version_valid(at, length)) return false;
    memcpy(slot->version, at, length);
    if (plus == NULL) return true;
    at = plus + 1;
    if (!take_tries(&at, &slot->tries_left)) return false;
    if (*at == '-' && (at++, !take_tries(&at, &slot->tries_done))) return false;
    return at == end;
}

void weft_update_slot_name(const struct weft_update_slot *slot, char name[WEFT_UPDATE_NAME_BYTES])
{
    char left[16] = "", done[16] = "";

    if (slot->tries_left >= 0) snprintf(left, sizeof(left), "+%d", slot->tries_left);
    if (slot->tries_left >= 0 && slot->tries_done >= 0)
        snprintf(done, sizeof(done), "-%d", slot->tries_done);
    snprintf(name, WEFT_UPDATE_NAME_BYTES, PREFIX "%c_%s%s%s" SUFFIX, slot->slot, slot->version,
             left, done);
}

enum weft_update_slot_state weft_update_slot_state(const struct weft_update_slot *slot)
{
    if (slot->version[0] == '\0') return WEFT_SLOT_EMPTY;
    if (slot->tries_left < 0) return WEFT_SLOT_GOOD;
    if (slot->tries_left == 0) return slot->tries_done <= 0 ? WEFT_SLOT_ASIDE : WEFT_SLOT_FAILED;
    return slot->tries_done > 0 ? WEFT_SLOT_TRYING : WEFT_SLOT_FRESH;
}

const char *weft_update_slot_state_name(enum weft_update_slot_state state)
{
    static const char *const names[] = {"empty", "fresh", "trying", "good", "aside", "failed"};

    return names[state];
}

int weft_update_slot_compare(const struct weft_update_slot *a, const struct weft_update_slot *b)
{
    if ((a->tries_left == 0) != (b->tries_left == 0)) return a->tries_left == 0 ? 1 : -1;
    const int newer = weft_update_version_compare(b->version, a->version);
    return newer != 0 ? newer : b->slot - a->slot;
}
