// A window against a plain set of what was taken.
#include "tests/support/cmocka.h"

#include <stdbool.h>
#include <string.h>

#include "runtime/base/prng.h"
#include "runtime/mesh/replay_window.h"

static void judges_case_by_case(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t counters[5];
        const char *fresh; // One letter per counter.
    } cases[] = {
        {"in order", {1, 2, 3}, "yyy"},
        {"twice", {1, 1, 2, 2}, "ynyn"},
        {"zero is nobody's", {0, 1, 0}, "nyn"},
        {"out of order", {5, 3, 4, 3, 1}, "yyyny"},
        {"oldest that is judged", {1984, 1, 1}, "yyn"},
        {"just too old", {1985, 1, 2}, "yny"},
        {"a jump over everything", {1, 1000000, 1, 999999, 998016}, "yynyn"},
        {"the highest", {UINT64_MAX, UINT64_MAX, UINT64_MAX - 1}, "yny"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weft_replay_window window = {0};
        for (size_t n = 0; cases[i].fresh[n] != '\0'; n++) {
            const bool fresh = weft_replay_fresh(&window, cases[i].counters[n]);
            if (fresh != (cases[i].fresh[n] == 'y')) fail_msg("%s, %zu", cases[i].name, n);
            if (fresh) weft_replay_take(&window, cases[i].counters[n]);
        }
    }
}

static void starts_behind_a_counter(void **state)
{
    (void)state;
    for (uint64_t top = 1; top < 300; top++) {
        struct weft_replay_window window;
        weft_replay_start(&window, top);
        for (uint64_t counter = 0; counter <= top; counter++) {
            if (weft_replay_fresh(&window, counter))
                fail_msg("%u after %u", (unsigned)counter, (unsigned)top);
        }
        weft_replay_take(&window, top + 70); // Overtakes those between.
        for (uint64_t counter = top + 1; counter < top + 70; counter++) {
            if (!weft_replay_fresh(&window, counter))
                fail_msg("%u after %u", (unsigned)counter, (unsigned)top);
        }
    }
}

static void agrees_with_a_plain_set(void **state)
{
    (void)state;
    static bool taken[40000];
    for (unsigned seed = 0; seed < 20; seed++) {
        struct weft_replay_window window = {0};
        struct weft_prng prng;
        uint64_t top = 0;
        weft_prng_seed(&prng, seed);
        memset(taken, 0, sizeof(taken));
        for (unsigned i = 0; i < 5000; i++) {
            const uint64_t low = top > 2100 ? top - 2100 : 0;
            uint64_t counter = low + weft_prng_below(&prng, (uint32_t)(top - low) + 20);
            if (weft_prng_below(&prng, 500) == 0) counter = top + weft_prng_below(&prng, 1000);
            if (counter >= sizeof(taken)) break;
            const bool expected = counter > 0 && !taken[counter] &&
                                  (counter > top || top - counter < WEFT_REPLAY_WINDOW);
            if (weft_replay_fresh(&window, counter) != expected) fail_msg("seed %u, %u", seed, i);
            if (!expected) continue;
            weft_replay_take(&window, counter);
            taken[counter] = true;
            if (counter > top) top = counter;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_case_by_case),
        cmocka_unit_test(starts_behind_a_counter),
        cmocka_unit_test(agrees_with_a_plain_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
