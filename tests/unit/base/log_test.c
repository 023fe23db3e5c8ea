// A log ring gives back what was written, in order, cuts long lines and counts what it had no room
// for.
#include "tests/support/cmocka.h"

#include <string.h>

#include "runtime/base/log.h"

static struct weft_log ring;

static void gives_back_in_order(void **state)
{
    (void)state;
    uint64_t now_ns = 7;
    struct weft_log_record record;
    weft_log_init(&ring, 3, &now_ns, WEFT_LOG_INFO);
    weft_log(&ring, WEFT_LOG_INFO, "raft", "term %d: won", 7);
    weft_log(&ring, WEFT_LOG_DEBUG, "raft", "not written");
    now_ns = 9;
    weft_log_actor(&ring, WEFT_LOG_ERROR, "unit", 42, "u", "%0300d", 1);
    assert_true(weft_log_take(&ring, &record));
    assert_string_equal(record.text, "term 7: won");
    assert_string_equal(record.module, "raft");
    assert_int_equal(record.time_ns, 7);
    assert_int_equal(record.core, 3);
    assert_true(weft_log_take(&ring, &record));
    assert_int_equal(record.pid, 42);
    assert_int_equal(record.name_length, 1);
    assert_memory_equal(record.text, "u: 000", 6);
    assert_int_equal(strlen(record.text), WEFT_LOG_TEXT_BYTES - 1);
    assert_string_equal(record.text + WEFT_LOG_TEXT_BYTES - 4, "...");
    assert_false(weft_log_take(&ring, &record));
}

static void counts_what_it_loses(void **state)
{
    (void)state;
    struct weft_log_record record;
    weft_log_init(&ring, 0, NULL, WEFT_LOG_INFO);
    for (int i = 0; i < WEFT_LOG_RECORDS + 5; i++) {
        weft_log(&ring, WEFT_LOG_INFO, "test", "%d", i);
    }
    assert_int_equal(ring.lost, 5);
    int taken = 0;
    while (weft_log_take(&ring, &record)) {
        taken++;
    }
    assert_int_equal(taken, WEFT_LOG_RECORDS);
    assert_string_equal(record.text, "255");
}

static void takes_up_to_a_place(void **state)
{
    (void)state;
    struct weft_log_record record;
    weft_log_init(&ring, 0, NULL, WEFT_LOG_INFO);
    atomic_store(&ring.head, UINT32_MAX); // Numbers wrap.
    atomic_store(&ring.tail, UINT32_MAX);
    for (int i = 0; i < 3; i++)
        weft_log(&ring, WEFT_LOG_INFO, "test", "%d", i);
    const uint32_t end = weft_log_end(&ring);
    assert_int_equal(end, 2);
    assert_true(weft_log_take_before(&ring, end - 1, &record));
    assert_true(weft_log_take_before(&ring, end - 1, &record));
    assert_string_equal(record.text, "1");
    assert_false(weft_log_take_before(&ring, end - 1, &record));
    assert_false(weft_log_take_before(&ring, end - 3, &record)); // Long past.
    weft_log(&ring, WEFT_LOG_INFO, "test", "later");
    assert_true(weft_log_take_before(&ring, end, &record));
    assert_string_equal(record.text, "2");
    assert_false(weft_log_take_before(&ring, end, &record));
    assert_true(weft_log_take(&ring, &record));
    assert_string_equal(record.text, "later");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_in_order),
        cmocka_unit_test(counts_what_it_loses),
        cmocka_unit_test(takes_up_to_a_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
