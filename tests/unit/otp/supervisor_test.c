// Supervisors: order, strategies, which ends count, intensity, shutdown, requests, trees, logs.
#include "tests/unit/otp/rig.h"

enum { CRASH = 1, GO, STAY, SLEEP };
enum { UP = 100, DOWN, REFUSED };

// A child tells its owner that it is up and down, under its letter. What it refuses is said by a
// table of the test's, which all of its lives see.
struct worker_args {
    weft_pid owner;
    struct plan *plan;
    char letter;
};

struct plan {
    int refusals; // So many starts fail.
    bool ignores;
    bool traps;       // Does not care for exit signals.
    uint64_t last_ns; // What it takes to end in order.
};

struct worker {
    struct worker_args args;
};

static void tell(struct weft_actor *self, const struct worker *worker, uint16_t type)
{
    weft_send(self, worker->args.owner, type, &worker->args.letter, 1);
}

static int init(struct weft_actor *self, void *state, const void *args, size_t length)
{
    struct worker *worker = state;
    assert_int_equal(length, sizeof(worker->args));
    memcpy(&worker->args, args, sizeof(worker->args));
    struct plan *plan = worker->args.plan;
    if (plan != NULL && plan->traps) weft_trap_exit(self, true);
    if (plan != NULL && plan->ignores) return WEFT_SERVER_IGNORE;
    if (plan != NULL && plan->refusals > 0) {
        plan->refusals--;
        tell(self, worker, REFUSED);
        return -EBUSY;
    }
    tell(self, worker, UP);
    return 0;
}

static void on_cast(struct weft_actor *self, void *state, struct weft_message *cast)
{
    (void)state;
    const uint64_t number = rig_number(cast);
    if (cast->type == CRASH) weft_exit(self, (uint16_t)number);
    if (cast->type == GO) weft_stop(self, (uint16_t)number);
    if (cast->type == SLEEP) weft_sleep(self, number);
}

static void on_shutdown(struct weft_actor *self, void *state, uint16_t reason)
{
    const struct worker *worker = state;
    (void)reason;
    if (worker->args.plan != NULL) weft_sleep(self, worker->args.plan->last_ns);
}

static void on_terminate(struct weft_actor *self, void *state, uint16_t reason)
{
    (void)reason;
    tell(self, state, DOWN);
}

static const struct weft_server worker = {
    WEFT_SERVER("worker", struct worker),
    .init = init,
    .cast = on_cast,
    .shutdown = on_shutdown,
    .terminate = on_terminate,
};

// ---- Children by letter.

#define CHILDREN_MAX 8

struct family {
    struct worker_args args[CHILDREN_MAX];
    struct weft_child children[CHILDREN_MAX];
    char ids[CHILDREN_MAX][2];
    struct weft_supervisor_spec spec;
};

// `letters`: capital ones are permanent, small ones transient, digits temporary.
static void make(struct weft_actor *self, const struct rig *rig, struct family *family,
                 const char *letters, enum weft_strategy strategy)
{
    memset(family, 0, sizeof(*family));
    const size_t count = strlen(letters);
    for (size_t i = 0; i < count; i++) {
        const char letter = letters[i];
        family->args[i] = (struct worker_args){.owner = weft_self(self), .letter = letter};
        family->ids[i][0] = letter;
        family->children[i] = (struct weft_child){
            .id = family->ids[i],
            .server = &worker,
            .args = &family->args[i],
            .length = sizeof(family->args[i]),
            .spawn.core = rig_core(rig, (unsigned)i),
            .restart = letter >= 'a'   ? WEFT_RESTART_TRANSIENT
                       : letter >= 'A' ? WEFT_RESTART_PERMANENT
                                       : WEFT_RESTART_TEMPORARY,
        };
    }
    family->spec = (struct weft_supervisor_spec){
        .children = family->children, .child_count = count, .strategy = (uint8_t)strategy};
}

static weft_pid begin(struct weft_actor *self, const struct family *family)
{
    weft_pid pid = 0;
    assert_int_equal(weft_supervisor_start(self, &family->spec, &pid), 0);
    return pid;
}

// What happens next, as letters: "+a" up, "-a" down, "!a" refused. They come from several actors;
// if all of them move, only those of one actor keep their order.
static void expect(struct weft_actor *self, const char *events)
{
    const struct rig *rig = ((const struct rig_job *)self->state)->rig;
    char left[64];
    assert_true(strlen(events) < sizeof(left));
    strcpy(left, events);
    for (char *first = left; *first != '\0';) {
        const struct weft_message *message = weft_receive(self, 100 * WEFT_NS_PER_S);
        if (message == NULL) fail_msg("nothing, in place of %s", first);
        const char what = message->type == UP ? '+' : message->type == DOWN ? '-' : '!';
        const char whose = (char)message->payload[0];
        char *at = first;
        assert_int_equal(message->tag, WEFT_MESSAGE_USER);
        while (rig->cores.node.moves_always && *at != '\0' && at[1] != whose)
            at += 2;
        if (what != at[0] || whose != at[1])
            fail_msg("%c%c, in place of %s of %s", what, whose, first, events);
        memmove(first + 2, first, (size_t)(at - first));
        first += 2;
    }
}

static void expect_nothing(struct weft_actor *self)
{
    assert_null(weft_receive(self, MS));
}

static weft_pid child_of(struct weft_actor *self, weft_pid supervisor, char letter)
{
    struct weft_child_info infos[CHILDREN_MAX];
    size_t count;
    assert_int_equal(weft_supervisor_children(self, supervisor, infos, CHILDREN_MAX, &count), 0);
    for (size_t i = 0; i < count; i++) {
        if (infos[i].id[0] == letter) return infos[i].pid;
    }
    return 0;
}

static void crash(struct weft_actor *self, weft_pid supervisor, char letter, uint16_t reason)
{
    rig_cast(self, child_of(self, supervisor, letter), CRASH, reason);
}

// The children that run, in the supervisor's order.
static void check_running(struct weft_actor *self, weft_pid supervisor, const char *letters)
{
    struct weft_child_info infos[CHILDREN_MAX];
    size_t count;
    char running[CHILDREN_MAX + 1] = "";
    assert_int_equal(weft_supervisor_children(self, supervisor, infos, CHILDREN_MAX, &count), 0);
    for (size_t i = 0, n = 0; i < count; i++) {
        if (infos[i].pid != 0) running[n++] = infos[i].id[0];
    }
    assert_string_equal(running, letters);
}

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

// ---- Requests.

static void children_come_and_go_by_request(struct weft_actor *self, struct rig *rig)
{
    struct family family, more;
    struct plan plan = {.refusals = 1};
    weft_pid child, other;
    make(self, rig, &family, "A", WEFT_ONE_FOR_ONE);
    make(self, rig, &more, "BC1", WEFT_ONE_FOR_ONE);
    const weft_pid pid = begin(self, &family);
    expect(self, "+A");
    assert_int_equal(weft_supervisor_start_child(self, pid, &more.children[0], &child), 0);
    expect(self, "+B");
    assert_int_equal(child_of(self, pid, 'B'), child);
    assert_int_equal(weft_supervisor_start_child(self, pid, &more.children[0], &other), -EEXIST);
    assert_int_equal(other, child);

    more.args[1].plan = &plan; // One that refuses is not there afterwards.
    assert_int_equal(weft_supervisor_start_child(self, pid, &more.children[1], &other), -EBUSY);
    assert_int_equal(other, 0);
    expect(self, "!C");
    check_running(self, pid, "AB");
    assert_int_equal(weft_supervisor_delete_child(self, pid, "C"), -ENOENT);

    assert_int_equal(weft_supervisor_delete_child(self, pid, "B"), -EBUSY);
    assert_int_equal(weft_supervisor_restart_child(self, pid, "B", &other), -EEXIST);
    assert_int_equal(other, child);
    assert_int_equal(weft_supervisor_stop_child(self, pid, "B"), 0);
    expect(self, "-B");
    assert_int_equal(weft_supervisor_stop_child(self, pid, "B"), 0); // As it is.
    assert_int_equal(weft_supervisor_start_child(self, pid, &more.children[0], &other), -EALREADY);
    assert_int_equal(weft_supervisor_restart_child(self, pid, "B", &child), 0);
    expect(self, "+B");
    assert_int_equal(weft_supervisor_stop_child(self, pid, "B"), 0);
    expect(self, "-B");
    assert_int_equal(weft_supervisor_delete_child(self, pid, "B"), 0);
    assert_int_equal(weft_supervisor_restart_child(self, pid, "B", &child), -ENOENT);

    assert_int_equal(weft_supervisor_start_child(self, pid, &more.children[2], &child), 0);
    expect(self, "+1");
    assert_int_equal(weft_supervisor_stop_child(self, pid, "1"), 0);
    expect(self, "-1");
    assert_int_equal(weft_supervisor_restart_child(self, pid, "1", &child), -ENOENT); // Temporary.

    assert_int_equal(weft_supervisor_stop_child(self, pid, "none"), -ENOENT);
    assert_int_equal(weft_supervisor_stop_child(self, pid, ""), -ENOENT);
    assert_int_equal(
        weft_supervisor_stop_child(self, pid, "an id that is longer than any id can be"), -ENOENT);
    rig_stop(self, pid);
    expect(self, "-A");
    assert_int_equal(weft_supervisor_stop_child(self, pid, "A"), -ESRCH);
}
RIG_TEST(children_come_and_go_by_request)

static void a_stopped_child_comes_back_with_the_others(struct weft_actor *self, struct rig *rig)
{
    struct family family;
    make(self, rig, &family, "ABC", WEFT_ONE_FOR_ALL);
    const weft_pid pid = begin(self, &family);
    expect(self, "+A+B+C");
    assert_int_equal(weft_supervisor_stop_child(self, pid, "B"), 0);
    expect(self, "-B"); // By request: the others stay.
    check_running(self, pid, "AC");
    crash(self, pid, 'A', WEFT_EXIT_FAULT);
    expect(self, "-A-C+A+B+C");
    rig_stop(self, pid);
    expect(self, "-C-B-A");
}
RIG_TEST(a_stopped_child_comes_back_with_the_others)

static void bad_specs_are_refused(struct weft_actor *self, struct rig *rig)
{
    struct family family;
    weft_pid pid;
    static const struct weft_actor_kind kind = {
        .name = "k", .state_bytes = 8, .main = cut_and_stay};
    struct weft_supervisor_spec self_containing = {.child_count = 1};
    const struct weft_child inner = {.id = "inner", .supervisor = &self_containing};
    self_containing.children = &inner;
    assert_int_equal(weft_supervisor_start(self, &self_containing, &pid), -EINVAL);
    for (unsigned i = 0; i < 12; i++) {
        make(self, rig, &family, "Ab", WEFT_ONE_FOR_ONE);
        struct weft_child *child = &family.children[1];
        switch (i) {
        case 0: child->id = "A"; break; // Twice.
        case 1: child->id = NULL; break;
        case 2: child->id = ""; break;
        case 3: child->id = "0123456789012345678901234567890123"; break;
        case 4: child->server = NULL; break;
        case 5: child->kind = &kind; break; // Two ways at once.
        case 6: child->restart = 7; break;
        case 7: family.children[0].significant = true; break;
        case 8: child->server = NULL, child->kind = &kind, child->length = 9; break;
        case 9: family.spec.strategy = 3; break;
        case 10: family.spec.auto_shutdown = 9; break;
        default: child->name = ""; break;
        }
        assert_int_equal(weft_supervisor_start(self, &family.spec, &pid), -EINVAL);
        assert_int_equal(pid, 0);
    }
    expect_nothing(self);
}
RIG_TEST(bad_specs_are_refused)

// ---- Other sorts of children.

static int start_by_hand(struct weft_actor *self, const void *args, size_t length, weft_pid *pid)
{
    const struct weft_start start = {.server = &worker, .args = args, .length = length};
    return weft_server_start(self, &start, pid); // Its supervisor links it.
}

static void a_function_may_start_a_child(struct weft_actor *self, struct rig *rig)
{
    struct family family;
    make(self, rig, &family, "AB", WEFT_ONE_FOR_ONE);
    for (unsigned i = 0; i < 2; i++) {
        family.children[i].server = NULL;
        family.children[i].start = start_by_hand;
    }
    family.children[0].name = "by-hand";
    const weft_pid pid = begin(self, &family);
    expect(self, "+A+B");
    weft_pid child = child_of(self, pid, 'A');
    assert_int_equal(weft_whereis(self, "by-hand"), child);
    crash(self, pid, 'A', WEFT_EXIT_FAULT);
    expect(self, "-A+A");
    assert_int_not_equal(child_of(self, pid, 'A'), child);
    child = child_of(self, pid, 'A');
    assert_int_equal(weft_whereis(self, "by-hand"), child);
    rig_stop(self, pid);
    expect(self, "-B-A");
}
RIG_TEST(a_function_may_start_a_child)

static void a_name_goes_to_the_next_child(struct weft_actor *self, struct rig *rig)
{
    struct family family;
    make(self, rig, &family, "AB", WEFT_ONE_FOR_ALL);
    family.children[0].name = "first";
    family.children[1].name = "second";
    family.spec.restart_max = 100;
    family.spec.name = "boss";
    const weft_pid pid = begin(self, &family);
    expect(self, "+A+B");
    assert_int_equal(weft_whereis(self, "boss"), pid);
    for (unsigned i = 0; i < 50; i++) {
        const weft_pid before = weft_whereis(self, "first");
        assert_int_equal(weft_kill(self, before), 0);
        expect(self, "-A-B+A+B");
        assert_int_not_equal(weft_whereis(self, "first"), before);
        assert_int_equal(weft_whereis(self, "first"), child_of(self, pid, 'A'));
        assert_int_equal(weft_whereis(self, "second"), child_of(self, pid, 'B'));
    }
    rig_stop(self, pid);
    expect(self, "-B-A");
}
RIG_TEST(a_name_goes_to_the_next_child)

// ---- No memory.

// Whatever began has ended.
static void check_evened_out(struct weft_actor *self, const struct rig *rig)
{
    int running = 0;
    weft_sleep(self, rig->slack_ns);
    for (const struct weft_message *message; (message = weft_receive(self, 0)) != NULL;)
        running += message->type == UP ? 1 : -1;
    assert_int_equal(running, 0);
}

static void a_cap_of_memory_is_refused_in_order(struct weft_actor *self, struct rig *rig)
{
    unsigned started = 0, refused = 0;
    for (size_t memory_max = 256; memory_max <= 8192; memory_max += 64) {
        struct family family;
        weft_pid pid, child;
        make(self, rig, &family, "ABC", WEFT_ONE_FOR_ONE);
        family.spec.spawn.memory_max = memory_max;
        family.children[0].name = "first";
        const int result = weft_supervisor_start(self, &family.spec, &pid);
        if (result == 0) {
            char id[8];
            int added = 0;
            started++;
            for (unsigned i = 0; added == 0 && i < 30; i++) { // Until there is no more,
                snprintf(id, sizeof(id), "n%u", i);
                family.children[1].id = id;
                added = weft_supervisor_start_child(self, pid, &family.children[1], &child);
            }
            // Of its own, or for the call, which is a large message.
            assert_true(added == 0 || added == -ENOMEM || added == -ENOBUFS);
            rig_cast(self, weft_whereis(self, "first"), CRASH,
                     WEFT_EXIT_FAULT); // which is no restart, or the end.
            weft_sleep(self, rig->slack_ns);
            weft_server_stop(self, pid, WEFT_EXIT_SHUTDOWN, WEFT_FOREVER);
        } else {
            assert_int_equal(result, -ENOMEM);
            assert_int_equal(pid, 0);
            refused++;
        }
        check_evened_out(self, rig);
    }
    assert_true(started > 0 && refused > 0);
}
RIG_TEST(a_cap_of_memory_is_refused_in_order)

// ---- Trees.

static void supervisors_nest(struct weft_actor *self, struct rig *rig)
{
    struct family inner, outer;
    struct weft_child_counts counts;
    struct weft_child_info infos[4];
    struct weft_info info;
    size_t count;
    make(self, rig, &inner, "BC", WEFT_ONE_FOR_ALL);
    inner.spec.restart_max = 1;
    inner.spec.period_ns = 100 * WEFT_NS_PER_S;
    make(self, rig, &outer, "AxD", WEFT_REST_FOR_ONE);
    outer.children[1] = (struct weft_child){.id = "x", .supervisor = &inner.spec};
    const weft_pid pid = begin(self, &outer);
    memset(&inner, 0, sizeof(inner)); // All of it was copied.
    expect(self, "+A+B+C+D");
    assert_int_equal(weft_supervisor_count(self, pid, &counts), 0);
    assert_int_equal(counts.supervisors, 1);
    assert_int_equal(counts.workers, 2);
    assert_int_equal(weft_supervisor_children(self, pid, infos, 1, &count), 0);
    assert_int_equal(count, 3);
    assert_string_equal(infos[0].id, "A");
    const weft_pid branch = child_of(self, pid, 'x');
    assert_int_equal(weft_info(self, child_of(self, branch, 'C'), &info), 0);
    assert_int_equal(info.parent, branch); // A tree can be drawn from the parents alone.
    assert_int_equal(weft_info(self, branch, &info), 0);
    assert_int_equal(info.parent, pid);
    assert_string_equal(info.label, "x");

    crash(self, branch, 'B', WEFT_EXIT_FAULT);
    expect(self, "-B-C+B+C");
    crash(self, branch, 'C', WEFT_EXIT_FAULT); // One too many: the branch gives up,
    expect(self, "-C-B-D+B+C+D");              // and is started again, and what follows it.
    assert_int_not_equal(child_of(self, pid, 'x'), branch);
    rig_stop(self, pid);
    expect(self, "-D-C-B-A");
}
RIG_TEST(supervisors_nest)

static void a_parents_end_takes_the_tree_with_it(struct weft_actor *self, struct rig *rig)
{
    struct family inner, outer;
    make(self, rig, &inner, "BC", WEFT_ONE_FOR_ALL);
    make(self, rig, &outer, "Ax", WEFT_ONE_FOR_ONE);
    outer.children[1] = (struct weft_child){.id = "x", .supervisor = &inner.spec};
    const weft_pid pid = begin(self, &outer);
    expect(self, "+A+B+C");
    const weft_pid branch = child_of(self, pid, 'x');
    assert_int_equal(weft_kill(self, pid), 0); // Not in order; its links see to it.
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(rig_receive(self)->type, DOWN);
    assert_int_equal(weft_join(self, branch, WEFT_FOREVER, NULL), 0);
}
RIG_TEST(a_parents_end_takes_the_tree_with_it)

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
        cmocka_unit_test(too_many_restarts_in_a_period_are_the_end_everywhere),
        cmocka_unit_test(a_crash_loop_says_little_everywhere),
        cmocka_unit_test(a_child_has_so_long_to_end_everywhere),
        cmocka_unit_test(a_child_that_cuts_its_link_is_ended_too_everywhere),
        cmocka_unit_test(a_child_that_says_it_has_ended_is_ended_everywhere),
        cmocka_unit_test(strangers_are_not_children_everywhere),
        cmocka_unit_test(significant_children_end_their_supervisor_everywhere),
        cmocka_unit_test(children_come_and_go_by_request_everywhere),
        cmocka_unit_test(a_stopped_child_comes_back_with_the_others_everywhere),
        cmocka_unit_test(bad_specs_are_refused_everywhere),
        cmocka_unit_test(a_function_may_start_a_child_everywhere),
        cmocka_unit_test(a_name_goes_to_the_next_child_everywhere),
        cmocka_unit_test(a_cap_of_memory_is_refused_in_order_everywhere),
        cmocka_unit_test(supervisors_nest_everywhere),
        cmocka_unit_test(a_parents_end_takes_the_tree_with_it_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
