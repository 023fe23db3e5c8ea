// Keyboard events: what terminals send, and what the words of Facility and Extended-Character make
// of it.
#include "tests/unit/forth/forth_run.h"

#include "forth/keys.h"

#define SPECIAL(key)     (WEFT_KEY_SPECIAL | (key))
#define BYTES(text, ...) text, sizeof(text) - 1, __VA_ARGS__

static void sequences_are_events(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
        bool are_all;
        size_t taken;
        int32_t event;
    } cases[] = {
        {BYTES("a", false, 1, 'a')},
        {BYTES("\0", false, 1, 0)},
        {BYTES("\xc3\xa9z", false, 2, 0xe9)},
        {BYTES("\xe2\x82\xac", false, 3, 0x20ac)},
        {BYTES("\xe2\x82", false, 0, 0)},                   // Cut off: the rest may come,
        {BYTES("\xe2\x82", true, 1, WEFT_KEY_BYTE | 0xe2)}, // or not.
        {BYTES("\xe2z", false, 1, WEFT_KEY_BYTE | 0xe2)},
        {BYTES("\x80", false, 1, WEFT_KEY_BYTE | 0x80)},
        {BYTES("\xff", false, 1, WEFT_KEY_BYTE | 0xff)},
        {BYTES("\x1b", false, 0, 0)},
        {BYTES("\x1b", true, 1, 27)},
        {BYTES("\x1bx", false, 1, 27)},
        {BYTES("\x1b[", false, 0, 0)},
        {BYTES("\x1b[", true, 1, 27)},
        {BYTES("\x1b[A", false, 3, SPECIAL(WEFT_KEY_UP))},
        {BYTES("\x1b[Bx", false, 3, SPECIAL(WEFT_KEY_DOWN))},
        {BYTES("\x1b[C", false, 3, SPECIAL(WEFT_KEY_RIGHT))},
        {BYTES("\x1b[D", false, 3, SPECIAL(WEFT_KEY_LEFT))},
        {BYTES("\x1bOH", false, 3, SPECIAL(WEFT_KEY_HOME))},
        {BYTES("\x1bOF", false, 3, SPECIAL(WEFT_KEY_END))},
        {BYTES("\x1bO", false, 0, 0)},
        {BYTES("\x1b[1~", false, 4, SPECIAL(WEFT_KEY_HOME))},
        {BYTES("\x1b[2~", false, 4, SPECIAL(WEFT_KEY_INSERT))},
        {BYTES("\x1b[3~", false, 4, SPECIAL(WEFT_KEY_DELETE))},
        {BYTES("\x1b[5~", false, 4, SPECIAL(WEFT_KEY_PRIOR))},
        {BYTES("\x1b[6~", false, 4, SPECIAL(WEFT_KEY_NEXT))},
        {BYTES("\x1bOP", false, 3, SPECIAL(WEFT_KEY_F1))},
        {BYTES("\x1b[[C", false, 4, SPECIAL(WEFT_KEY_F1 + 2))},
        {BYTES("\x1b[24~", false, 5, SPECIAL(WEFT_KEY_F1 + 11))},
        {BYTES("\x1b[1;2A", false, 6, SPECIAL(WEFT_KEY_UP) | WEFT_KEY_SHIFT)},
        {BYTES("\x1b[3;7~", false, 6, SPECIAL(WEFT_KEY_DELETE) | WEFT_KEY_ALT | WEFT_KEY_CTRL)},
        {BYTES("\x1b[1;5S", false, 6, SPECIAL(WEFT_KEY_F1 + 3) | WEFT_KEY_CTRL)},
        {BYTES("\x1b[200~", false, 6, SPECIAL(0))}, // A paste begins.
        {BYTES("\x1b[<0;1;2M", false, 9, SPECIAL(0))},
        {BYTES("\x1b[1;9999999999A", false, 15,
               SPECIAL(WEFT_KEY_UP) | WEFT_KEY_ALT | WEFT_KEY_CTRL)},
        {BYTES("\x1b[\x01", false, 1, 27)},
        {BYTES("\x1b[00000000000000000000000000000000000A", false, 1, 27)}, // Too long.
    };
    for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        int32_t event = 0;
        const size_t taken = weft_key_decode((const uint8_t *)cases[n].bytes, cases[n].length,
                                             cases[n].are_all, &event);
        if (taken != cases[n].taken || event != cases[n].event)
            fail_msg("case %zu: %zu bytes, event %x", n, taken, (unsigned)event);
    }
}

// Property: whatever comes is taken apart to its end, within its bounds, and into events.
static void any_bytes_are_events(void **state)
{
    (void)state;
    static const char letters[] = "\x1b[O;~0123456789ABPQx\xc3\xa9\xe2\x82\xff\x80\n";
    uint32_t chance = 1;
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t bytes[48];
        for (size_t n = 0; n < sizeof(bytes); n++) {
            chance = chance * 1664525 + 1013904223;
            bytes[n] = (uint8_t)letters[(chance >> 16) % (sizeof(letters) - 1)];
        }
        for (size_t at = 0; at < sizeof(bytes);) {
            int32_t event = -1, early = -1;
            const size_t left = sizeof(bytes) - at;
            const size_t taken = weft_key_decode(bytes + at, left, true, &event);
            const size_t sooner = weft_key_decode(bytes + at, left, false, &early);
            if (taken == 0 || taken > left || event < 0 ||
                (sooner != 0 && (sooner != taken || early != event)))
                fail_msg("round %u, at %zu: %zu bytes, event %x", round, at, taken,
                         (unsigned)event);
            at += taken;
        }
    }
}

// A user who has typed so much, and types no more until somebody waits.
static struct weft_keys keys;
static bool is_over;

static int32_t key(void *self)
{
    (void)self;
    const int32_t taken = weft_keys_character(&keys, false);
    return taken < 0 && is_over ? -2 : taken;
}

static int32_t ekey(void *self)
{
    (void)self;
    const int32_t taken = weft_keys_event(&keys, false);
    return taken < 0 && is_over ? -2 : taken;
}

static bool key_waits(void *self, enum weft_unit_keys kind)
{
    (void)self;
    return weft_keys_wait(&keys, kind, false);
}

static int64_t accept_line(void *self, void *to, size_t size)
{
    (void)self;
    return weft_keys_line(&keys, to, size);
}

static void type(const char *text)
{
    size_t room;
    uint8_t *to = weft_keys_room(&keys, &room);
    assert_true(strlen(text) <= room);
    memcpy(to, text, strlen(text));
    keys.end += (uint32_t)strlen(text);
}

// Runs `text` in every mode, on what has been typed before; types `late` when it parks.
static void must_print(void **state, const char *typed, const char *late, const char *text,
                       const char *output)
{
    static const struct weft_unit_host host = {
        .key = key, .ekey = ekey, .key_waits = key_waits, .accept = accept_line};
    static struct forth_run run;
    for (enum forth_mode mode = 0; mode < FORTH_MODE_COUNT; mode++) {
        keys = (struct weft_keys){0};
        is_over = late == NULL;
        type(typed);
        run.host = &host;
        forth_open(&run, *state, mode);
        forth_text(&run, "test", text);
        if (run.state == WEFT_UNIT_WAIT) {
            struct weft_unit_info info;
            weft_unit_inspect(run.unit, &info);
            assert_int_equal(info.waits, WEFT_UNIT_WAITS_INPUT);
            assert_non_null(late);
            type(late);
            forth_go(&run, UINT64_MAX);
        }
        if (strcmp(run.output, output) != 0)
            fail_msg("mode %d: %s\nprinted [%s]\n   must [%s]", mode, text, run.output, output);
        forth_close(&run);
    }
}

static void words_of_the_keyboard(void **state)
{
    static const struct {
        const char *typed, *late, *text, *output;
    } cases[] = {
        {"ab", NULL, "key? . key emit key emit key? . ' key catch .", "-1 ab0 -39 "},
        {"", "x", "key? . key emit key? .", "0 x0 "},
        {"", "x", "ekey? . ekey ekey>char . emit", "0 -1 x"},
        // What is no character is dropped by KEY and KEY?, but not by EKEY?.
        {"\x1b[Aq", NULL, "ekey? . key? . ekey ekey>char . emit", "-1 -1 -1 q"},
        {"\x1b[A", NULL, "ekey? . key? . ekey? .", "-1 0 0 "},
        {"\x1b[A\x1b[Bq", NULL, "key emit ekey? .", "q0 "},
        {"\x1b[A", NULL, "ekey dup ekey>fkey . k-up = . ekey>char . drop", "-1 -1 0 "},
        {"\x1b[1;6D", NULL,
         "ekey ekey>fkey . dup k-left k-shift-mask or k-ctrl-mask or = . k-left = .", "-1 -1 0 "},
        {"\x1b[24~\x1bOP\x1b[5~", NULL, "ekey k-f12 = . ekey k-f1 = . ekey k-prior = .",
         "-1 -1 -1 "},
        {"\x1b[200~", NULL, "ekey ekey>fkey . ekey>xchar . drop", "0 0 "},
        {"a", NULL, "ekey ekey>fkey . emit", "0 a"},
        // Extended characters: one event, two characters.
        {"\xc3\xa9", NULL, "ekey dup ekey>char . drop ekey>xchar . .", "0 -1 233 "},
        {"\xc3\xa9", NULL, "xkey? . xkey . xkey? .", "-1 233 0 "},
        {"\xc3\xa9", NULL, "key . key . key? .", "195 169 0 "},
        {"\x80z", NULL, "key? . xkey? . xkey emit", "-1 -1 z"},
        {"\xc3", "\xa9", "xkey? . ekey .", "0 233 "},
        {"one\ntwo", "\n", "pad 9 accept pad swap type pad 2 accept pad swap type", "onetw"},
        {"", NULL, "' ekey catch .", "-39 "},
        {"", NULL,
         "s\" FACILITY\" environment? . . s\" facility-ext\" environment? . . "
         "s\" X:ekeys\" environment? . .",
         "-1 -1 -1 -1 -1 -1 "},
    };
    for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        must_print(state, cases[n].typed, cases[n].late, cases[n].text, cases[n].output);
    }
}

static void without_a_user(void **state)
{
    static const struct forth_case cases[] = {
        {"' key? catch . ' ekey catch . ' ekey? catch . ' xkey? catch .", "-21 -21 -21 -21 "},
        {"s\" FACILITY\" environment? . . s\" FACILITY-EXT\" environment? . .", "-1 0 -1 0 "},
        {": keys k-up k-down k-left k-right k-home k-end k-prior k-next k-insert k-delete k-f1 "
         "k-f2 "
         "k-f3 k-f4 k-f5 k-f6 k-f7 k-f8 k-f9 k-f10 k-f11 k-f12 ; "
         ": all-special true depth 1- 0 do swap ekey>fkey nip and loop ; keys all-special .",
         "-1 "},
    };
    forth_print_what_they_must(*state, cases, sizeof(cases) / sizeof(cases[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_are_events),
        cmocka_unit_test(any_bytes_are_events),
        cmocka_unit_test(words_of_the_keyboard),
        cmocka_unit_test(without_a_user),
    };
    return cmocka_run_group_tests(tests, forth_compile_system, forth_free_system);
}
