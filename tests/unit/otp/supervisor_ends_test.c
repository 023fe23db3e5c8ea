// Supervisors: intensity, shutdown, children that matter.
#include "tests/unit/otp/family.h"

// ---- Intensity.

static void too_many_restarts_in_a_period_are_the_end(struct weft_actor *self, struct rig *rig)
{
    static const struct {
        uint32_t max;
        uint64_t period_ns, pause_ns;
        unsigned survives; // Crashes; the next one is too many. 0: all of twenty.
    } cases[] = {
        {0, 0, 0, 3}, // The defaults.
        {0, 0, 2 * WEFT_NS_PER_S, 0},
        {0, 0, 1600 * MS, 3},
        {5, WEFT_NS_PER_S, 0, 5},
        {5, WEFT_NS_PER_S, 150 * MS, 5},
        {5, WEFT_NS_PER_S, 210 * MS, 0},
        {1, 10 * MS, 11 * MS, 0},
        {19, 100 * WEFT_NS_PER_S, 0, 19},
        {WEFT_RESTARTS_NONE, 0, 0, UINT32_MAX}, // Not even one.
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct family family;
        uint64_t reference;
        make(self, rig, &family, "AB", WEFT_ONE_FOR_ONE);
        family.spec.restart_max = cases[i].max;
        family.spec.period_ns = cases[i].period_ns;
        const weft_pid pid = begin(self, &family);
        expect(self, "+A+B");
        assert_int_equal(weft_monitor(self, pid, &reference), 0);
        const unsigned allowed = cases[i].survives == UINT32_MAX ? 0
                                 : cases[i].survives == 0        ? 20
                                                                 : cases[i].survives;
        for (unsigned n = 0; n < allowed; n++) {
            const char child = n % 2 == 0 ? 'A' : 'B'; // They count together.
            crash(self, pid, child, WEFT_EXIT_FAULT);
            expect(self, child == 'A' ? "-A+A" : "-B+B");
            if (cases[i].pause_ns > 0) weft_sleep(self, cases[i].pause_ns);
        }
        if (cases[i].survives == 0) {
            assert_int_equal(weft_demonitor(self, reference), 0);
            rig_stop(self, pid);
            expect(self, "-B-A");
            continue;
        }
        crash(self, pid, 'A', WEFT_EXIT_FAULT);
        expect(self, "-A-B");
        const struct weft_message *down = rig_receive(self);
        assert_int_equal(down->tag, WEFT_MESSAGE_DOWN);
        assert_int_equal(down->type, WEFT_EXIT_INTENSITY);
    }
}
RIG_TEST(too_many_restarts_in_a_period_are_the_end)

static void a_crash_loop_says_little(struct weft_actor *self, struct rig *rig)
{
    struct family family;
    make(self, rig, &family, "A", WEFT_ONE_FOR_ONE);
    family.spec.restart_max = 100000;
    const weft_pid pid = begin(self, &family);
    expect(self, "+A");
    for (unsigned i = 0; i < 500; i++) {
        crash(self, pid, 'A', WEFT_EXIT_FAULT);
        expect(self, "-A+A");
    }
    weft_sleep(self, WEFT_NS_PER_S + MS);
    crash(self, pid, 'A', WEFT_EXIT_USER + 5);
    expect(self, "-A+A");
    weft_sleep(self, MS);
    rig_take_logs(rig);
    assert_in_range(rig_logged(rig, "child A"), 11, 80);
    assert_int_equal(rig_logged(rig, "ended: fault, after 3 restarts"), 1);
    assert_int_equal(rig_logged(rig, "ended: user 69, after 500 restarts; "), 1);
    assert_int_equal(rig_logged(rig, "ends before it not shown"), 1);
    rig_stop(self, pid);
    expect(self, "-A");
    family.spec.quiet = true; // Or nothing.
    const weft_pid silent = begin(self, &family);
    expect(self, "+A");
    rig->log_count = 0;
    crash(self, silent, 'A', WEFT_EXIT_FAULT);
    expect(self, "-A+A");
    rig_stop(self, silent);
    expect(self, "-A");
    rig_take_logs(rig);
    assert_int_equal(rig_logged(rig, "child A"), 0);
}
RIG_TEST(a_crash_loop_says_little)

// ---- Shutdown.

static void a_child_has_so_long_to_end(struct weft_actor *self, struct rig *rig)
{
    static const struct {
        uint64_t shutdown_ns, takes_ns, lasts_ns;
        bool killed;
    } cases[] = {
        {0, WEFT_NS_PER_S, WEFT_NS_PER_S, false},
        {0, 20 * WEFT_NS_PER_S, 5 * WEFT_NS_PER_S, true},
        {100 * MS, 90 * MS, 90 * MS, false},
        {100 * MS, WEFT_NS_PER_S, 100 * MS, true},
        {WEFT_FOREVER, 100 * WEFT_NS_PER_S, 100 * WEFT_NS_PER_S, false},
        {WEFT_SHUTDOWN_KILL, WEFT_NS_PER_S, 0, false}, // Nobody has waited in vain.
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct family family;
        struct plan plan = {.traps = true, .last_ns = cases[i].takes_ns};
        make(self, rig, &family, "A", WEFT_ONE_FOR_ONE);
        family.args[0].plan = &plan;
        family.children[0].shutdown_ns = cases[i].shutdown_ns;
        const weft_pid pid = begin(self, &family);
        expect(self, "+A");
        const uint64_t before_ns = weft_now_ns(self);
        rig->log_count = 0;
        rig_stop(self, pid);
        assert_in_range(weft_now_ns(self) - before_ns, cases[i].lasts_ns,
                        cases[i].lasts_ns + rig->slack_ns);
        expect(self, "-A");
        rig_take_logs(rig);
        assert_int_equal(rig_logged(rig, "did not end in time"), cases[i].killed);
    }
}
RIG_TEST(a_child_has_so_long_to_end)

// A child that is no server and has cut its link: it is waited for all the same.
static void cut_and_stay(struct weft_actor *self, void *state)
{
    (void)state;
    weft_unlink(self, weft_parent(self));
    weft_trap_exit(self, true);
    for (;;)
        weft_receive(self, WEFT_FOREVER);
}

static void a_child_that_cuts_its_link_is_ended_too(struct weft_actor *self, struct rig *rig)
{
    static const struct weft_actor_kind kind = {.name = "loner", .main = cut_and_stay};
    const struct weft_child child = {
        .id = "loner", .kind = &kind, .shutdown_ns = 10 * MS, .spawn.core = rig_core(rig, 2)};
    const struct weft_supervisor_spec spec = {.children = &child, .child_count = 1};
    weft_pid pid;
    assert_int_equal(weft_supervisor_start(self, &spec, &pid), 0);
    const weft_pid loner = child_of(self, pid, 'l');
    weft_sleep(self, MS);
    rig_stop(self, pid);
    assert_int_equal(weft_join(self, loner, 0, NULL), 0);
}
RIG_TEST(a_child_that_cuts_its_link_is_ended_too)

// One that says that it has ended, and has not.
static void lie(struct weft_actor *self, void *state)
{
    const weft_pid owner = *(const weft_pid *)state;
    weft_send(self, owner, UP, "x", 1);
    weft_exit_send(self, weft_parent(self), WEFT_EXIT_FAULT);
    for (;;)
        weft_receive(self, WEFT_FOREVER);
}

static void a_child_that_says_it_has_ended_is_ended(struct weft_actor *self, struct rig *rig)
{
    static const struct weft_actor_kind kind = {
        .name = "liar", .state_bytes = sizeof(weft_pid), .main = lie};
    const weft_pid own = weft_self(self);
    const struct weft_child child = {.id = "liar",
                                     .kind = &kind,
                                     .args = &own,
                                     .length = sizeof(own),
                                     .spawn.core = rig_core(rig, 1)};
    const struct weft_supervisor_spec spec = {.children = &child, .child_count = 1};
    weft_pid pid, liars[4];
    uint64_t reference;
    assert_int_equal(weft_supervisor_start(self, &spec, &pid), 0);
    assert_int_equal(weft_monitor(self, pid, &reference), 0);
    for (unsigned i = 0; i < 4; i++) { // One, and three restarts.
        const struct weft_message *up = rig_receive(self);
        assert_int_equal(up->type, UP);
        liars[i] = up->from;
    }
    assert_int_equal(rig_receive(self)->type, WEFT_EXIT_INTENSITY);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(weft_join(self, liars[i], 0, NULL), 0);
}
RIG_TEST(a_child_that_says_it_has_ended_is_ended)

static void strangers_are_not_children(struct weft_actor *self, struct rig *rig)
{
    struct family family;
    make(self, rig, &family, "AB", WEFT_ONE_FOR_ALL);
    weft_trap_exit(self, true);
    weft_pid pid = 0;
    static const struct weft_actor_kind kind = {.name = "stranger", .main = cut_and_stay};
    const struct weft_spawn spawn = {.kind = &kind};
    weft_pid stranger;
    assert_int_equal(weft_spawn(self, &spawn, &stranger), 0);
    assert_int_equal(weft_supervisor_start_link(self, &family.spec, &pid), 0);
    expect(self, "+A+B");
    weft_cast(self, pid, 1, "noise", 5);
    weft_send(self, pid, 1, "noise", 5);
    assert_int_equal(weft_call(self, pid, 1, NULL, 0, WEFT_FOREVER, NULL), -ECANCELED);
    assert_int_equal(weft_call(self, pid, WEFT_SUPERVISOR_STOP_CHILD, "A", 2, WEFT_FOREVER, NULL),
                     0); // ENOENT.
    check_running(self, pid, "AB");
    assert_int_equal(weft_kill(self, stranger), 0);
    weft_exit_send(self, pid, WEFT_EXIT_USER); // From its parent: that is the end.
    expect(self, "-B-A");
    const struct weft_message *exit = rig_receive(self);
    assert_int_equal(exit->tag, WEFT_MESSAGE_EXIT);
    assert_int_equal(exit->type, WEFT_EXIT_USER);
}
RIG_TEST(strangers_are_not_children)

// ---- Significant children.

static void significant_children_end_their_supervisor(struct weft_actor *self, struct rig *rig)
{
    static const struct {
        enum weft_auto_shutdown mode;
        const char *significant;
        char first, second; // End normally, one after the other.
        unsigned ends_after;
    } cases[] = {
        {WEFT_AUTO_NEVER, "bc", 'b', 'c', 0}, {WEFT_AUTO_ANY, "bc", 'b', 'c', 1},
        {WEFT_AUTO_ALL, "bc", 'b', 'c', 2},   {WEFT_AUTO_ALL, "b", 'c', 'b', 2},
        {WEFT_AUTO_ANY, "c", 'b', 'c', 2},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct family family;
        uint64_t reference;
        make(self, rig, &family, "Abc", WEFT_ONE_FOR_ONE);
        family.spec.auto_shutdown = (uint8_t)cases[i].mode;
        for (unsigned n = 0; n < 3; n++)
            family.children[n].significant = strchr(cases[i].significant, family.ids[n][0]) != NULL;
        const weft_pid pid = begin(self, &family);
        expect(self, "+A+b+c");
        assert_int_equal(weft_monitor(self, pid, &reference), 0);
        unsigned ended = 0;
        for (unsigned n = 1; n <= 2 && ended == 0; n++) {
            const char child = n == 1 ? cases[i].first : cases[i].second;
            rig_cast(self, child_of(self, pid, child), GO, WEFT_EXIT_NORMAL);
            expect(self, child == 'b' ? "-b" : "-c");
            if (n == cases[i].ends_after) {
                if (n == 1) expect(self, child == 'b' ? "-c" : "-b");
                expect(self, "-A");
                const struct weft_message *down = rig_receive(self);
                assert_int_equal(down->tag, WEFT_MESSAGE_DOWN);
                assert_int_equal(down->type, WEFT_EXIT_SHUTDOWN);
                ended = n;
            }
        }
        assert_int_equal(ended, cases[i].ends_after);
        if (ended != 0) continue;
        weft_demonitor(self, reference);
        rig_stop(self, pid);
        expect(self, "-A");
    }
}
RIG_TEST(significant_children_end_their_supervisor)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(too_many_restarts_in_a_period_are_the_end_everywhere),
        cmocka_unit_test(a_crash_loop_says_little_everywhere),
        cmocka_unit_test(a_child_has_so_long_to_end_everywhere),
        cmocka_unit_test(a_child_that_cuts_its_link_is_ended_too_everywhere),
        cmocka_unit_test(a_child_that_says_it_has_ended_is_ended_everywhere),
        cmocka_unit_test(strangers_are_not_children_everywhere),
        cmocka_unit_test(significant_children_end_their_supervisor_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
