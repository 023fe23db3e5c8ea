// Equal seeds give equal numbers, on every machine; numbers below a limit stay below it and reach
// all of it.
#include "tests/support/cmocka.h"

#include "runtime/base/prng.h"

static void repeats_from_its_seed(void **state)
{
    (void)state;
    struct weft_prng a, b, other;
    weft_prng_seed(&a, 42);
    weft_prng_seed(&b, 42);
    weft_prng_seed(&other, 43);
    int differ = 0;
    for (int i = 0; i < 100; i++) {
        const uint64_t value = weft_prng_next(&a);
        assert_int_equal(value, weft_prng_next(&b));
        differ += value != weft_prng_next(&other);
    }
    assert_int_equal(differ, 100);
}

static void stays_below_and_reaches_all(void **state)
{
    (void)state;
    struct weft_prng prng;
    weft_prng_seed(&prng, 1);
    for (uint32_t limit = 1; limit < 40; limit++) {
        uint64_t seen = 0;
        for (int i = 0; i < 4000; i++) {
            const uint32_t value = weft_prng_below(&prng, limit);
            assert_true(value < limit);
            seen |= UINT64_C(1) << value;
        }
        assert_int_equal(seen, (UINT64_C(1) << limit) - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repeats_from_its_seed),
        cmocka_unit_test(stays_below_and_reaches_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
