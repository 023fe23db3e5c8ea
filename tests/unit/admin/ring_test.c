// Events and log lines: bounded, numbered, resumed.
#include "tests/support/cmocka.h"

#include <string.h>

#include "runtime/admin/events.h"
#include "runtime/admin/logs.h"

static struct weft_admin_events events;
static struct weft_admin_logs logs;

static void numbers_grow_over_a_restart(void **state)
{
    (void)state;
    weft_admin_events_init(&events, 100 * WEFT_NS_PER_S);
    const uint64_t before = weft_admin_events_add(&events, 1, "a", "b", "c");
    weft_admin_events_init(&events, 101 * WEFT_NS_PER_S); // A second later.
    assert_true(weft_admin_events_add(&events, 1, "a", "b", "c") > before);
}

static void the_oldest_makes_room(void **state)
{
    (void)state;
    weft_admin_events_init(&events, WEFT_NS_PER_S);
    const uint64_t first = events.next_id;
    assert_null(weft_admin_events_after(&events, 0));
    for (unsigned i = 0; i < WEFT_ADMIN_EVENTS_MAX + 3; i++) {
        weft_admin_events_add(&events, i, "type", "subject", "event %u", i);
    }
    const struct weft_admin_event *event = weft_admin_events_after(&events, 0);
    assert_int_equal(event->id, first + 3); // Those before are gone: it goes on at the oldest.
    assert_string_equal(event->text, "event 3");
    uint64_t since = 0;
    unsigned count = 0;
    while ((event = weft_admin_events_after(&events, since)) != NULL) {
        if (count > 0) assert_int_equal(event->id, since + 1);
        since = event->id;
        count++;
    }
    assert_int_equal(count, WEFT_ADMIN_EVENTS_MAX);
    // A number that is not given out yet: the clock was set back over a restart.
    assert_int_equal(weft_admin_events_after(&events, since + 10)->id, first + 3);
}

static void long_texts_are_cut(void **state)
{
    char text[400];
    (void)state;

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    weft_admin_events_init(&events, 0);
    weft_admin_events_add(&events, 0, text, text, "%s", text);
    const struct weft_admin_event *event = weft_admin_events_after(&events, 0);
    assert_int_equal(strlen(event->text), sizeof(event->text) - 1);
    assert_int_equal(strlen(event->type), sizeof(event->type) - 1);
}

static void tails(void **state)
{
    const struct weft_log_record record = {.text = "x"};
    (void)state;

    weft_admin_logs_init(&logs, 0);
    assert_null(weft_admin_logs_after(&logs, weft_admin_logs_tail(&logs, 5)));
    for (unsigned i = 0; i < WEFT_ADMIN_LOGS_MAX * 2; i++)
        weft_admin_logs_add(&logs, i, &record);
    const struct weft_admin_log *line =
        weft_admin_logs_after(&logs, weft_admin_logs_tail(&logs, 5));
    assert_int_equal(line->id, logs.next_id - 5);
    line = weft_admin_logs_after(&logs, weft_admin_logs_tail(&logs, 1000000));
    assert_int_equal(line->id, logs.first_id);
    assert_null(weft_admin_logs_after(&logs, weft_admin_logs_tail(&logs, 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_grow_over_a_restart),
        cmocka_unit_test(the_oldest_makes_room),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(tails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
