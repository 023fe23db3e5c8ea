// The world as Linux gives it: a clock that does not go back, chance that does not repeat.
#include <string.h>

#include "runtime/base/units.h"
#include "runtime/env/clock.h"
#include "runtime/env/entropy.h"
#include "tests/support/cmocka.h"

static void clock_never_goes_back(void **state)
{
    const struct weft_clock clock = weft_clock_linux();
    uint64_t last_ns = 0;
    (void)state;
    for (int i = 0; i < 10000; i++) {
        const uint64_t now_ns = weft_clock_now_ns(&clock);
        assert_true(now_ns >= last_ns);
        last_ns = now_ns;
    }
    assert_true(last_ns > 0);
    assert_true(weft_clock_wall_ns(&clock) > UINT64_C(1600000000) * WEFT_NS_PER_S);
}

static void entropy_fills_all(void **state)
{
    const struct weft_entropy entropy = weft_entropy_linux();
    uint8_t seen[300] = {0}, bytes[302], zeros[2] = {0};
    (void)state;
    for (int round = 0; round < 16; round++) { // Longer than one getrandom gives unbroken.
        memset(bytes, 0, sizeof(bytes));
        weft_entropy_fill(&entropy, bytes + 1, 300);
        for (int i = 0; i < 300; i++)
            seen[i] |= bytes[1 + i];
        assert_memory_equal(&bytes[301], zeros, 1); // Not a byte beyond.
        assert_memory_equal(&bytes[0], zeros, 1);
    }
    for (int i = 0; i < 300; i++)
        assert_int_not_equal(seen[i], 0);
    uint8_t a[16], b[16];
    weft_entropy_fill(&entropy, a, sizeof(a));
    weft_entropy_fill(&entropy, b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    weft_entropy_fill(&entropy, a, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock_never_goes_back),
        cmocka_unit_test(entropy_fills_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
