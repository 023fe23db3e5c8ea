// What a pacer admits: case by case, then in every window of random arrivals.
#include "tests/support/cmocka.h" // cmocka.h, after the standard headers it expects.

#include "runtime/base/prng.h"
#include "runtime/base/units.h"
#include "runtime/mesh/pacer.h"

static void admits_on_schedule(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t rate_hz, burst;
        uint64_t at_ns[6];
        const char *admitted; // One letter per arrival.
    } cases[] = {
        {"steady", 1000000, 1, {0, 1000, 2000}, "yyy"},
        {"one nanosecond early", 1000000, 1, {0, 999, 1000}, "yny"},
        {"a burst, then the rate", 1000000, 3, {0, 0, 0, 0, 1000, 1000}, "yyynyn"},
        {"idle time buys one burst", 1000000, 2, {0, 90000, 90000, 90000}, "yyyn"},
        {"an uneven interval rounds up", 600000000, 1, {0, 1, 2}, "yny"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weft_pacer pacer;
        assert_int_equal(weft_pacer_init(&pacer, cases[i].rate_hz, cases[i].burst), 0);
        for (size_t n = 0; cases[i].admitted[n] != '\0'; n++) {
            const bool sent = weft_pacer_admit(&pacer, cases[i].at_ns[n]);
            if (sent != (cases[i].admitted[n] == 'y')) fail_msg("%s, %zu", cases[i].name, n);
        }
    }
}

// Property: a window admits at most one burst, plus its length at the sustained rate.
static void no_window_exceeds_rate_and_burst(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 200; seed++) {
        struct weft_prng prng;
        struct weft_pacer pacer;
        uint64_t sent_ns[256], now_ns = 0;
        size_t sent = 0;

        weft_prng_seed(&prng, seed);
        const uint32_t burst = 1 + weft_prng_below(&prng, 16);
        const uint32_t rate_hz = 1 + weft_prng_below(&prng, 9999);
        assert_int_equal(weft_pacer_init(&pacer, rate_hz, burst), 0);
        for (size_t i = 0; i < 256; i++) {
            now_ns += weft_prng_below(&prng, (uint32_t)(2 * WEFT_NS_PER_S / rate_hz));
            if (weft_pacer_admit(&pacer, now_ns)) sent_ns[sent++] = now_ns;
        }
        for (size_t from = 0; from < sent; from++) {
            for (size_t to = from; to < sent; to++) {
                const uint64_t window_ns = sent_ns[to] - sent_ns[from];
                const uint64_t limit = burst + window_ns * rate_hz / WEFT_NS_PER_S;
                if (to - from + 1 > limit) fail_msg("seed %u: %zu..%zu", seed, from, to);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(admits_on_schedule),
        cmocka_unit_test(no_window_exceeds_rate_and_burst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
