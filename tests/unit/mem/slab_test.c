// A slab's objects are apart and aligned, and a crowd that has left leaves its memory.
#include "tests/support/cmocka.h"

#include <string.h>

#include "runtime/base/units.h"
#include "runtime/mem/slab.h"

#define OBJECTS 1000

static void objects_are_apart(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 16, 24, 64, 208, 256, 1000};
    for (size_t i = 0; i < WEFT_COUNT_OF(sizes); i++) {
        static uint8_t *objects[OBJECTS];
        struct weft_arena *arena = weft_arena_create(8 * WEFT_MIB);
        struct weft_slab slab;
        weft_slab_init(&slab, arena, sizes[i], 4096);
        assert_int_equal(weft_arena_used_bytes(arena), 0);
        for (unsigned n = 0; n < OBJECTS; n++) {
            objects[n] = weft_slab_alloc(&slab);
            assert_non_null(objects[n]);
            assert_int_equal((uintptr_t)objects[n] % (sizes[i] % 64 == 0 ? 64 : 16), 0);
            memset(objects[n], (int)n, sizes[i]);
        }
        assert_int_equal(slab.used_count, OBJECTS);
        for (unsigned n = 0; n < OBJECTS; n++) {
            assert_int_equal(objects[n][0], (uint8_t)n);
            assert_int_equal(objects[n][sizes[i] - 1], (uint8_t)n);
            weft_slab_release(&slab, objects[n]);
        }
        assert_int_equal(slab.used_count, 0);
        assert_int_equal(weft_arena_used_bytes(arena), 4096); // One chunk is kept.
        weft_slab_destroy(&slab);
        assert_int_equal(weft_arena_used_bytes(arena), 0);
        weft_arena_free(arena);
    }
}

static void the_last_freed_is_the_next_given(void **state)
{
    (void)state;
    struct weft_arena *arena = weft_arena_create(8 * WEFT_MIB);
    struct weft_slab slab;
    weft_slab_init(&slab, arena, 64, 4096);
    void *first = weft_slab_alloc(&slab), *second = weft_slab_alloc(&slab);
    weft_slab_release(&slab, first);
    assert_ptr_equal(weft_slab_alloc(&slab), first); // Warm in the cache.
    weft_slab_release(&slab, second);
    weft_slab_release(&slab, first);
    weft_slab_destroy(&slab);
    weft_arena_free(arena);
}

static void answers_null_at_the_cap(void **state)
{
    (void)state;
    struct weft_arena *arena = weft_arena_create(4 * WEFT_MIB);
    struct weft_slab slab;
    weft_slab_init(&slab, arena, 4096, 65536);
    unsigned count = 0;
    while (weft_slab_alloc(&slab) != NULL)
        count++;
    assert_in_range(count, 100, 1024);
    weft_slab_destroy(&slab); // With objects in use.
    assert_int_equal(weft_arena_used_bytes(arena), 0);
    weft_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_apart),
        cmocka_unit_test(the_last_freed_is_the_next_given),
        cmocka_unit_test(answers_null_at_the_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
