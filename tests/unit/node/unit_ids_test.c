// Whom an id names, and as what a pid is known.
#include "tests/support/cmocka.h"

#include <errno.h>

#include "runtime/node/unit_ids.h"

static uint64_t id_of(uint64_t n)
{
    return UINT64_C(0x1111111100000000) * (1 + n % 5) / 5 + 0x01000000 + n;
}

static uint64_t pid_of(uint64_t n)
{
    return UINT64_C(0x2222222200000000) + (UINT64_C(1) << 24) + n;
}

static void who_was_never_restored_is_himself(void **state)
{
    struct weft_unit_ids ids;
    (void)state;
    assert_int_equal(weft_unit_ids_init(&ids, 8), 0);
    assert_int_equal(weft_unit_ids_pid(&ids, 77), 77);
    assert_int_equal(weft_unit_ids_id(&ids, 77), 77);
    assert_int_equal(weft_unit_ids_pid(&ids, 0), 0);
    assert_int_equal(weft_unit_ids_add(&ids, 0, 5), -EINVAL);
    assert_int_equal(weft_unit_ids_add(&ids, 5, 0), -EINVAL);
    assert_int_equal(weft_unit_ids_add(&ids, 77, 78), 0);
    assert_int_equal(weft_unit_ids_pid(&ids, 77), 78);
    assert_int_equal(weft_unit_ids_id(&ids, 78), 77);
    assert_int_equal(weft_unit_ids_pid(&ids, 78), 78); // Nobody's id.
    assert_int_equal(weft_unit_ids_id(&ids, 77), 77);
    weft_unit_ids_destroy(&ids);
}

// Restored again, the id names the new one, and both pids are still known by it.
static void the_last_one_counts(void **state)
{
    struct weft_unit_ids ids;
    (void)state;
    assert_int_equal(weft_unit_ids_init(&ids, 8), 0);
    assert_int_equal(weft_unit_ids_add(&ids, 7, 100), 0);
    assert_int_equal(weft_unit_ids_add(&ids, 7, 101), 0);
    assert_int_equal(weft_unit_ids_pid(&ids, 7), 101);
    assert_int_equal(weft_unit_ids_id(&ids, 100), 7);
    assert_int_equal(weft_unit_ids_id(&ids, 101), 7);
    weft_unit_ids_destroy(&ids);
}

// Whoever said that it was his: a number that is given to somebody names him.
static void who_is_born_has_his_number(void **state)
{
    struct weft_unit_ids ids;
    (void)state;
    assert_int_equal(weft_unit_ids_init(&ids, 8), 0);
    weft_unit_ids_born(&ids, 50);
    assert_int_equal(ids.count, 0);
    assert_int_equal(weft_unit_ids_add(&ids, 50, 100), 0);
    assert_int_equal(weft_unit_ids_pid(&ids, 50), 100);
    weft_unit_ids_born(&ids, 51);
    weft_unit_ids_born(&ids, 50);
    assert_int_equal(weft_unit_ids_pid(&ids, 50), 50);
    assert_int_equal(weft_unit_ids_id(&ids, 50), 50);
    weft_unit_ids_destroy(&ids);
}

// As many as were promised; a table that is full says so, and answers for those that it has.
static void a_crowd_fits_until_it_is_full(void **state)
{
    struct weft_unit_ids ids;
    uint64_t count = 0;
    (void)state;
    assert_int_equal(weft_unit_ids_init(&ids, 1000), 0);
    while (weft_unit_ids_add(&ids, id_of(count), pid_of(count)) == 0)
        count++;
    assert_true(count >= 1000);
    for (uint64_t n = 0; n < count; n++) {
        if (weft_unit_ids_pid(&ids, id_of(n)) != pid_of(n)) fail_msg("id %d", (int)n);
        if (weft_unit_ids_id(&ids, pid_of(n)) != id_of(n)) fail_msg("pid %d", (int)n);
    }
    assert_int_equal(weft_unit_ids_pid(&ids, id_of(count + 10)), id_of(count + 10));
    weft_unit_ids_destroy(&ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_was_never_restored_is_himself),
        cmocka_unit_test(the_last_one_counts),
        cmocka_unit_test(who_is_born_has_his_number),
        cmocka_unit_test(a_crowd_fits_until_it_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
