// An index against a plain array, with ids that share their homes.
#include "tests/support/cmocka.h"

#include "runtime/base/prng.h"
#include "runtime/mesh/id_index.h"

static void agrees_with_an_array(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 50; seed++) {
        struct weft_id_index index;
        struct weft_prng prng;
        uint32_t slots[64];
        uint32_t count = 0;

        weft_prng_seed(&prng, seed);
        assert_int_equal(weft_id_index_init(&index, 16), 0);
        for (size_t i = 0; i < 64; i++)
            slots[i] = WEFT_ID_INDEX_NONE;
        for (unsigned i = 0; i < 2000; i++) {
            const uint32_t which = weft_prng_below(&prng, 64);
            const uint64_t id = ((uint64_t)which + 1) << 58 | 1; // Few homes for many.
            if (slots[which] != WEFT_ID_INDEX_NONE) {
                weft_id_index_remove(&index, id);
                slots[which] = WEFT_ID_INDEX_NONE;
                count -= 1;
            } else if (count < 16) {
                slots[which] = i;
                weft_id_index_put(&index, id, i);
                count += 1;
            }
            for (uint32_t n = 0; n < 64; n++) {
                const uint64_t other = ((uint64_t)n + 1) << 58 | 1;
                if (weft_id_index_find(&index, other) != slots[n]) fail_msg("seed %u, %u", seed, i);
            }
        }
        assert_int_equal(weft_id_index_find(&index, 0), WEFT_ID_INDEX_NONE);
        weft_id_index_destroy(&index);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_an_array)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
