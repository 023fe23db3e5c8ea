// An arena's cap is real, its count exact, its blocks apart; two arenas in one thread keep apart
// too.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <string.h>

#include "runtime/base/prng.h"
#include "runtime/base/units.h"
#include "runtime/mem/arena.h"

static void refuses_a_small_cap(void **state)
{
    (void)state;
    assert_null(weft_arena_create(WEFT_ARENA_BYTES_MIN - 1));
    assert_int_equal(errno, EINVAL);
    assert_null(weft_arena_create(0));
}

static void counts_and_rounds(void **state)
{
    (void)state;
    static const struct {
        size_t size, counted;
    } cases[] = {{0, 16}, {1, 16}, {16, 16}, {17, 32}, {64, 64}, {100, 112}, {70000, 70000}};
    struct weft_arena *arena = weft_arena_create(8 * WEFT_MIB);
    assert_non_null(arena);
    assert_int_equal(weft_arena_cap_bytes(arena), 8 * WEFT_MIB);
    assert_string_not_equal(weft_arena_backing_name(weft_arena_backing(arena)), "?");
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        uint8_t *block = weft_arena_alloc_zeroed(arena, cases[i].size);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % 16, 0);
        for (size_t n = 0; n < cases[i].size; n++)
            assert_int_equal(block[n], 0);
        memset(block, 0xa5, cases[i].size);
        assert_int_equal(weft_arena_used_bytes(arena), cases[i].counted);
        weft_arena_release(arena, block, cases[i].size);
        assert_int_equal(weft_arena_used_bytes(arena), 0);
    }
    weft_arena_release(arena, NULL, 10);
    weft_arena_free(arena);
}

static void the_cap_is_real(void **state)
{
    (void)state;
    struct weft_arena *arena = weft_arena_create(16 * WEFT_MIB);
    assert_non_null(arena);
    static const size_t sizes[] = {64, 4096, 100000, 1048576};
    for (size_t i = 0; i < WEFT_COUNT_OF(sizes); i++) {
        void **chain = NULL;
        for (void **block; (block = weft_arena_alloc(arena, sizes[i])) != NULL; chain = block)
            *block = chain;
        // What jemalloc keeps for itself is not ours, but most is.
        assert_in_range(weft_arena_used_bytes(arena), 8 * WEFT_MIB, 16 * WEFT_MIB);
        while (chain != NULL) {
            void **next = *chain;
            weft_arena_release(arena, chain, sizes[i]);
            chain = next;
        }
        assert_int_equal(weft_arena_used_bytes(arena), 0);
    }
    assert_null(weft_arena_alloc(arena, 17 * WEFT_MIB));
    assert_null(weft_arena_alloc(arena, SIZE_MAX));
    assert_null(weft_arena_alloc_zeroed(arena, SIZE_MAX - 20));
    weft_arena_free(arena);
}

// Property: blocks of random sizes from two arenas never overlap: each still holds what was put
// there.
static void blocks_are_apart(void **state)
{
    (void)state;
    struct weft_arena *arenas[2];
    struct {
        uint8_t *bytes;
        size_t size;
        uint8_t fill;
    } blocks[200] = {0};
    struct weft_prng prng;
    weft_prng_seed(&prng, 7);
    for (unsigned i = 0; i < 2; i++)
        assert_non_null(arenas[i] = weft_arena_create(16 * WEFT_MIB));
    for (unsigned i = 0; i < 20000; i++) {
        const unsigned n = weft_prng_below(&prng, WEFT_COUNT_OF(blocks));
        if (blocks[n].bytes != NULL) {
            for (size_t at = 0; at < blocks[n].size; at += blocks[n].size / 3 + 1)
                assert_int_equal(blocks[n].bytes[at], blocks[n].fill);
            weft_arena_release(arenas[n % 2], blocks[n].bytes, blocks[n].size);
        }
        blocks[n].size = 1 + weft_prng_below(&prng, weft_prng_below(&prng, 10) == 0 ? 60000 : 300);
        blocks[n].fill = (uint8_t)i;
        blocks[n].bytes = weft_arena_alloc(arenas[n % 2], blocks[n].size);
        assert_non_null(blocks[n].bytes);
        memset(blocks[n].bytes, blocks[n].fill, blocks[n].size);
    }
    for (unsigned i = 0; i < 2; i++)
        weft_arena_free(arenas[i]); // With blocks in use: they go with the range.
}

static void is_made_and_freed_often(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 50; i++) {
        struct weft_arena *arena = weft_arena_create(WEFT_ARENA_BYTES_MIN);
        assert_non_null(arena);
        assert_non_null(weft_arena_alloc(arena, 1000));
        weft_arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_a_small_cap),     cmocka_unit_test(counts_and_rounds),
        cmocka_unit_test(the_cap_is_real),         cmocka_unit_test(blocks_are_apart),
        cmocka_unit_test(is_made_and_freed_often),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
