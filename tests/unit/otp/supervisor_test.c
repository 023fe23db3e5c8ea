// Supervisors: order, strategies, which ends count, starts that fail.
#include "tests/unit/otp/family.h"

// ---- Order and strategies.

static void children_start_in_order_and_end_in_reverse(struct weft_actor *self, struct rig *rig)
{
    struct family family;
    make(self, rig, &family, "ABC", WEFT_ONE_FOR_ONE);
    const weft_pid pid = begin(self, &family);
    expect(self, "+A+B+C");
    check_running(self, pid, "ABC");
    rig_stop(self, pid);
    expect(self, "-C-B-A");
    expect_nothing(self);
}
RIG_TEST(children_start_in_order_and_end_in_reverse)

static void a_strategy_says_who_else_is_restarted(struct weft_actor *self, struct rig *rig)
{
    static const struct {
        enum weft_strategy strategy;
        char crashes;
        const char *events, *running;
    } cases[] = {
        {WEFT_ONE_FOR_ONE, 'B', "-B+B", "ABcD"},
        {WEFT_ONE_FOR_ONE, 'c', "-c+c", "ABcD"},
        {WEFT_ONE_FOR_ALL, 'B', "-B-D-c-A+A+B+c+D", "ABcD"},
        {WEFT_ONE_FOR_ALL, 'A', "-A-D-c-B+A+B+c+D", "ABcD"},
        {WEFT_ONE_FOR_ALL, 'D', "-D-c-B-A+A+B+c+D", "ABcD"},
        {WEFT_REST_FOR_ONE, 'A', "-A-D-c-B+A+B+c+D", "ABcD"},
        {WEFT_REST_FOR_ONE, 'B', "-B-D-c+B+c+D", "ABcD"},
        {WEFT_REST_FOR_ONE, 'D', "-D+D", "ABcD"},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct family family;
        make(self, rig, &family, "ABcD", cases[i].strategy);
        const weft_pid pid = begin(self, &family);
        expect(self, "+A+B+c+D");
        crash(self, pid, cases[i].crashes, WEFT_EXIT_FAULT);
        expect(self, cases[i].events);
        check_running(self, pid, cases[i].running);
        rig_stop(self, pid);
        expect(self, "-D-c-B-A");
        expect_nothing(self);
    }
}
RIG_TEST(a_strategy_says_who_else_is_restarted)

static void the_reason_says_whether_to_restart(struct weft_actor *self, struct rig *rig)
{
    static const struct {
        char child;
        uint16_t reason;
        const char *events, *running;
        size_t spec_count;
    } cases[] = {
        {'A', WEFT_EXIT_NORMAL, "-A+A", "Ab1", 3},    {'A', WEFT_EXIT_SHUTDOWN, "-A+A", "Ab1", 3},
        {'A', WEFT_EXIT_USER, "-A+A", "Ab1", 3},      {'b', WEFT_EXIT_NORMAL, "-b", "A1", 3},
        {'b', WEFT_EXIT_SHUTDOWN, "-b", "A1", 3},     {'b', WEFT_EXIT_USER, "-b+b", "Ab1", 3},
        {'b', WEFT_EXIT_INTENSITY, "-b+b", "Ab1", 3}, {'1', WEFT_EXIT_NORMAL, "-1", "Ab", 2},
        {'1', WEFT_EXIT_FAULT, "-1", "Ab", 2},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct family family;
        struct weft_child_counts counts;
        make(self, rig, &family, "Ab1", WEFT_ONE_FOR_ONE);
        const weft_pid pid = begin(self, &family);
        expect(self, "+A+b+1");
        crash(self, pid, cases[i].child, cases[i].reason);
        expect(self, cases[i].events);
        expect_nothing(self);
        check_running(self, pid, cases[i].running);
        assert_int_equal(weft_supervisor_count(self, pid, &counts), 0);
        assert_int_equal(counts.specs, cases[i].spec_count);
        assert_int_equal(counts.active, strlen(cases[i].running));
        assert_int_equal(counts.workers, counts.specs);
        assert_int_equal(counts.restarts, strchr(cases[i].events, '+') != NULL);
        assert_int_equal(weft_kill(self, pid), 0);
        for (size_t n = 0; n < strlen(cases[i].running); n++)
            rig_receive(self); // Its links take the children with it, in whatever order.
        assert_int_equal(weft_join(self, pid, WEFT_FOREVER, NULL), 0);
    }
}
RIG_TEST(the_reason_says_whether_to_restart)

static void temporary_children_go_with_the_others_for_good(struct weft_actor *self, struct rig *rig)
{
    struct family family;
    make(self, rig, &family, "1A2", WEFT_ONE_FOR_ALL);
    const weft_pid pid = begin(self, &family);
    expect(self, "+1+A+2");
    crash(self, pid, 'A', WEFT_EXIT_FAULT);
    expect(self, "-A-2-1+A");
    check_running(self, pid, "A");
    rig_stop(self, pid);
    expect(self, "-A");
}
RIG_TEST(temporary_children_go_with_the_others_for_good)

// ---- Starts that fail.

static void a_failed_start_undoes_the_others(struct weft_actor *self, struct rig *rig)
{
    struct family family;
    struct plan plan = {.refusals = 1};
    weft_pid pid = 1;
    make(self, rig, &family, "ABC", WEFT_ONE_FOR_ONE);
    family.args[2].plan = &plan;
    assert_int_equal(weft_supervisor_start(self, &family.spec, &pid), -EBUSY);
    assert_int_equal(pid, 0);
    expect(self, "+A+B!C-B-A");
    weft_trap_exit(self, true);
    plan.refusals = 1;
    assert_int_equal(weft_supervisor_start_link(self, &family.spec, &pid), -EBUSY);
    expect(self, "+A+B!C-B-A");
    expect_nothing(self);
    weft_trap_exit(self, false);
    assert_int_equal(weft_supervisor_start(self, &family.spec, &pid), 0); // The next time it does.
    expect(self, "+A+B+C");
    rig_stop(self, pid);
    expect(self, "-C-B-A");
}
RIG_TEST(a_failed_start_undoes_the_others)

static void a_failed_restart_is_tried_again(struct weft_actor *self, struct rig *rig)
{
    struct family family;
    struct plan plan = {0};
    make(self, rig, &family, "ABC", WEFT_ONE_FOR_ONE);
    family.args[1].plan = &plan;
    family.spec.restart_max = 5;
    weft_pid pid = begin(self, &family);
    expect(self, "+A+B+C");
    plan.refusals = 3;
    crash(self, pid, 'B', WEFT_EXIT_FAULT);
    expect(self, "-B!B!B!B+B");
    check_running(self, pid, "ABC");
    rig_stop(self, pid);
    expect(self, "-C-B-A");

    plan.refusals = 0; // And the others with it, each time.
    family.spec.strategy = WEFT_REST_FOR_ONE;
    pid = begin(self, &family);
    expect(self, "+A+B+C");
    plan.refusals = 2;
    crash(self, pid, 'A', WEFT_EXIT_FAULT);
    expect(self, "-A-C-B+A!B!B+B+C");
    check_running(self, pid, "ABC");
    rig_stop(self, pid);
    expect(self, "-C-B-A");
}
RIG_TEST(a_failed_restart_is_tried_again)

// Its supervisor is at it, and would forget that if somebody else's try failed.
static void a_child_that_is_tried_again_is_not_to_be_restarted(struct weft_actor *self,
                                                               struct rig *rig)
{
    struct family family;
    struct plan plan = {0};
    weft_pid child = 1;
    make(self, rig, &family, "AB", WEFT_ONE_FOR_ONE);
    family.args[1].plan = &plan;
    family.spec.restart_max = 100000;
    const weft_pid pid = begin(self, &family);
    expect(self, "+A+B");
    plan.refusals = 1000;
    crash(self, pid, 'B', WEFT_EXIT_FAULT);
    expect(self, "-B!B");
    assert_int_equal(weft_supervisor_restart_child(self, pid, "B", &child), -EALREADY);
    assert_int_equal(child, 0);
    plan.refusals = 0;
    while (weft_receive(self, 100 * WEFT_NS_PER_S)->type != UP)
        continue;
    check_running(self, pid, "AB");
    rig_stop(self, pid);
    expect(self, "-B-A");
}
RIG_TEST(a_child_that_is_tried_again_is_not_to_be_restarted)

static void one_that_never_starts_ends_its_supervisor(struct weft_actor *self, struct rig *rig)
{
    struct family family;
    struct plan plan = {0};
    uint16_t reason;
    make(self, rig, &family, "AB", WEFT_ONE_FOR_ONE);
    family.args[0].plan = &plan;
    family.spec.restart_max = 10;
    const weft_pid pid = begin(self, &family);
    expect(self, "+A+B");
    plan.refusals = 1000;
    uint64_t reference;
    assert_int_equal(weft_monitor(self, pid, &reference), 0);
    crash(self, pid, 'A', WEFT_EXIT_FAULT);
    expect(self, "-A!A!A!A!A!A!A!A!A!A!A-B");
    const struct weft_message *down = rig_receive(self);
    assert_int_equal(down->tag, WEFT_MESSAGE_DOWN);
    reason = down->type;
    assert_int_equal(reason, WEFT_EXIT_INTENSITY);
    rig_take_logs(rig);
    if (strcmp(rig->name, "one core") == 0) assert_int_equal(rig_logged(rig, "gives up"), 1);
}
RIG_TEST(one_that_never_starts_ends_its_supervisor)

static void an_ignored_child_stays_on_the_list(struct weft_actor *self, struct rig *rig)
{
    struct family family;
    struct plan plan = {.ignores = true};
    struct weft_child_counts counts;
    weft_pid child;
    make(self, rig, &family, "AB1", WEFT_ONE_FOR_ONE);
    family.args[1].plan = family.args[2].plan = &plan;
    const weft_pid pid = begin(self, &family);
    expect(self, "+A");
    check_running(self, pid, "A");
    assert_int_equal(weft_supervisor_count(self, pid, &counts), 0);
    assert_int_equal(counts.specs, 2); // The temporary one is forgotten.
    plan.ignores = false;
    assert_int_equal(weft_supervisor_restart_child(self, pid, "B", &child), 0);
    expect(self, "+B");
    assert_int_equal(child_of(self, pid, 'B'), child);
    rig_stop(self, pid);
    expect(self, "-B-A");
}
RIG_TEST(an_ignored_child_stays_on_the_list)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(children_start_in_order_and_end_in_reverse_everywhere),
        cmocka_unit_test(a_strategy_says_who_else_is_restarted_everywhere),
        cmocka_unit_test(the_reason_says_whether_to_restart_everywhere),
        cmocka_unit_test(temporary_children_go_with_the_others_for_good_everywhere),
        cmocka_unit_test(a_failed_start_undoes_the_others_everywhere),
        cmocka_unit_test(a_failed_restart_is_tried_again_everywhere),
        cmocka_unit_test(a_child_that_is_tried_again_is_not_to_be_restarted_everywhere),
        cmocka_unit_test(one_that_never_starts_ends_its_supervisor_everywhere),
        cmocka_unit_test(an_ignored_child_stays_on_the_list_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
