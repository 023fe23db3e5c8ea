// Dynamic supervisors: many children of one sort, restarts with their own arguments, limits, ends.
#include "tests/unit/otp/rig.h"

enum { CRASH = 1, NUMBER };
enum { UP = 100, DOWN, REFUSED };

struct shared { // What all lives of the test's children see.
    weft_pid owner;
    int refusals;
    bool ignores, slow;
    bool signals; // Children send their supervisor an exit signal before they end.
};

struct args {
    struct shared *shared;
    uint64_t number;
};

struct worker {
    struct args args;
};

static int init(struct weft_actor *self, void *state, const void *args, size_t length)
{
    struct worker *worker = state;
    assert_int_equal(length, sizeof(worker->args));
    memcpy(&worker->args, args, sizeof(worker->args));
    struct shared *shared = worker->args.shared;
    if (shared->slow) weft_trap_exit(self, true);
    if (shared->ignores) return WEFT_SERVER_IGNORE;
    if (shared->refusals > 0) {
        shared->refusals--;
        weft_send(self, shared->owner, REFUSED, &worker->args.number, 8);
        return -EIO;
    }
    weft_send(self, shared->owner, UP, &worker->args.number, 8);
    return 0;
}

static void on_call(struct weft_actor *self, void *state, struct weft_message *call)
{
    const struct worker *worker = state;
    weft_reply(self, call, call->type, &worker->args.number, 8);
}

static void on_cast(struct weft_actor *self, void *state, struct weft_message *cast)
{
    (void)state;
    weft_exit(self, (uint16_t)rig_number(cast));
}

static void on_shutdown(struct weft_actor *self, void *state, uint16_t reason)
{
    (void)reason;
    const struct worker *worker = state;
    if (worker->args.shared->signals) weft_exit_send(self, weft_parent(self), WEFT_EXIT_FAULT);
    // The even ones take half a second, the odd ones too long.
    weft_sleep(self, worker->args.number % 2 == 0 ? 500 * MS : 5 * WEFT_NS_PER_S);
}

static const struct weft_server worker = {WEFT_SERVER("worker", struct worker), .init = init,
                                          .call = on_call, .cast = on_cast,
                                          .shutdown = on_shutdown};

static struct weft_dynamic_spec spec_of(struct args *args)
{
    return (struct weft_dynamic_spec){
        .child = {.id = "worker", .server = &worker, .args = args, .length = sizeof(*args)}};
}

static weft_pid begin(struct weft_actor *self, const struct weft_dynamic_spec *spec)
{
    weft_pid pid;
    assert_int_equal(weft_dynamic_start(self, spec, &pid), 0);
    return pid;
}

static void expect(struct weft_actor *self, uint16_t type, uint64_t number)
{
    const struct weft_message *message = rig_receive(self);
    assert_int_equal(message->type, type);
    assert_int_equal(rig_number(message), number);
}

static weft_pid add(struct weft_actor *self, weft_pid supervisor, struct shared *shared,
                    uint64_t number)
{
    const struct args args = {.shared = shared, .number = number};
    weft_pid pid;
    assert_int_equal(weft_dynamic_start_child(self, supervisor, &args, sizeof(args), &pid), 0);
    assert_int_not_equal(pid, 0);
    expect(self, UP, number);
    return pid;
}

static uint64_t active(struct weft_actor *self, weft_pid supervisor)
{
    struct weft_child_counts counts;
    assert_int_equal(weft_supervisor_count(self, supervisor, &counts), 0);
    assert_int_equal(counts.specs, counts.active);
    return counts.active;
}

static void restarts_use_their_own_arguments(struct weft_actor *self, struct rig *rig)
{
    struct shared shared = {.owner = weft_self(self)};
    struct args template = {.shared = &shared, .number = 1000};
    struct weft_dynamic_spec spec = spec_of(&template);
    weft_pid child;
    spec.child.spawn.core = rig_core(rig, 2);
    spec.restart_max = 100;
    const weft_pid pid = begin(self, &spec);
    assert_int_equal(weft_dynamic_start_child(self, pid, NULL, 0, &child), 0);
    expect(self, UP, 1000); // Those of the spec.
    for (uint64_t i = 0; i < 10; i++)
        child = add(self, pid, &shared, i);
    assert_int_equal(active(self, pid), 11);
    assert_int_equal(rig_call(self, child, NUMBER, 0), 9);
    struct weft_child_info infos[20];
    size_t count;
    assert_int_equal(weft_supervisor_children(self, pid, infos, 20, &count), 0);
    assert_int_equal(count, 11);
    bool crashed[11] = {false};
    for (unsigned i = 0; i < 11; i++) {
        assert_string_equal(infos[i].id, "worker");
        const uint64_t number = rig_call(self, infos[i].pid, NUMBER, 0);
        rig_cast(self, infos[i].pid, CRASH, WEFT_EXIT_FAULT);
        expect(self, UP, number);
        crashed[number == 1000 ? 10 : number] = true;
    }
    for (unsigned i = 0; i < 11; i++)
        assert_true(crashed[i]);
    assert_int_equal(active(self, pid), 11);
    rig_stop(self, pid);
}
RIG_TEST(restarts_use_their_own_arguments)

static void temporary_ones_are_forgotten(struct weft_actor *self, struct rig *rig)
{
    struct shared shared = {.owner = weft_self(self)};
    struct args template = {.shared = &shared};
    struct weft_dynamic_spec spec = spec_of(&template);
    (void)rig;
    spec.child.restart = WEFT_RESTART_TEMPORARY;
    const weft_pid pid = begin(self, &spec);
    for (unsigned i = 0; i < 100; i++) {
        const weft_pid child = add(self, pid, &shared, i);
        rig_cast(self, child, CRASH, i % 2 == 0 ? WEFT_EXIT_NORMAL : WEFT_EXIT_FAULT);
        assert_int_equal(weft_join(self, child, WEFT_FOREVER, NULL), 0);
    }
    assert_int_equal(active(self, pid), 0);
    assert_null(weft_receive(self, MS));
    rig_stop(self, pid);
}
RIG_TEST(temporary_ones_are_forgotten)

static void there_is_a_limit(struct weft_actor *self, struct rig *rig)
{
    struct shared shared = {.owner = weft_self(self)};
    struct args template = {.shared = &shared};
    struct weft_dynamic_spec spec = spec_of(&template);
    weft_pid child, other;
    (void)rig;
    spec.child_max = 3;
    const weft_pid pid = begin(self, &spec);
    for (unsigned i = 0; i < 3; i++)
        child = add(self, pid, &shared, i);
    assert_int_equal(weft_dynamic_start_child(self, pid, NULL, 0, &other), -ENOSPC);
    assert_int_equal(other, 0);
    assert_int_equal(weft_dynamic_stop_child(self, pid, child), 0);
    assert_int_equal(weft_join(self, child, 0, NULL), 0); // It has ended.
    assert_int_equal(weft_dynamic_stop_child(self, pid, child), -ENOENT);
    assert_int_equal(weft_dynamic_stop_child(self, pid, weft_self(self)), -ENOENT);
    add(self, pid, &shared, 7);
    rig_stop(self, pid);
}
RIG_TEST(there_is_a_limit)

static void starts_may_fail(struct weft_actor *self, struct rig *rig)
{
    struct shared shared = {.owner = weft_self(self), .refusals = 1};
    struct args template = {.shared = &shared, .number = 5};
    struct weft_dynamic_spec spec = spec_of(&template);
    weft_pid child;
    uint64_t reference;
    spec.restart_max = 5;
    spec.child.spawn.core = rig_core(rig, 1);
    const weft_pid pid = begin(self, &spec);
    assert_int_equal(weft_dynamic_start_child(self, pid, NULL, 0, &child), -EIO);
    expect(self, REFUSED, 5);
    shared.ignores = true;
    assert_int_equal(weft_dynamic_start_child(self, pid, NULL, 0, &child), WEFT_SERVER_IGNORE);
    shared.ignores = false;
    assert_int_equal(active(self, pid), 0);
    child = add(self, pid, &shared, 6);
    shared.refusals = 3;
    rig_cast(self, child, CRASH, WEFT_EXIT_FAULT);
    for (unsigned i = 0; i < 3; i++)
        expect(self, REFUSED, 6); // Tried again,
    expect(self, UP, 6);
    assert_int_equal(active(self, pid), 1);
    assert_int_equal(weft_monitor(self, pid, &reference), 0);
    shared.refusals = 100; // but not for ever.
    struct weft_child_info info;
    size_t count;
    assert_int_equal(weft_supervisor_children(self, pid, &info, 1, &count), 0);
    rig_cast(self, info.pid, CRASH, WEFT_EXIT_FAULT);
    expect(self, REFUSED, 6);
    const struct weft_message *down = rig_receive(self);
    assert_int_equal(down->tag, WEFT_MESSAGE_DOWN);
    assert_int_equal(down->type, WEFT_EXIT_INTENSITY);
}
RIG_TEST(starts_may_fail)

static void all_end_together(struct weft_actor *self, struct rig *rig)
{
    struct shared shared = {.owner = weft_self(self), .slow = true};
    struct args template = {.shared = &shared};
    struct weft_dynamic_spec spec = spec_of(&template);
    spec.child.shutdown_ns = WEFT_NS_PER_S;
    spec.child.spawn.core = rig_core(rig, 1);
    for (unsigned odd = 0; odd < 2; odd++) {
        const weft_pid pid = begin(self, &spec);
        for (unsigned i = 0; i < 40; i++)
            add(self, pid, &shared, 2 * i + (i % 5 == 0 ? odd : 0));
        const uint64_t before_ns = weft_now_ns(self);
        rig_stop(self, pid);
        const uint64_t took_ns = weft_now_ns(self) - before_ns;
        const uint64_t least_ns = odd == 0 ? 500 * MS : WEFT_NS_PER_S;
        assert_in_range(took_ns, least_ns, least_ns + rig->slack_ns);
    }
    rig_take_logs(rig);
    assert_int_equal(rig_logged(rig, "8 children worker did not end in time: killed"), 1);
}
RIG_TEST(all_end_together)

// What a child says in its own name is not its end.
static void an_exit_signal_is_no_end(struct weft_actor *self, struct rig *rig)
{
    struct shared shared = {.owner = weft_self(self), .slow = true, .signals = true};
    struct args template = {.shared = &shared};
    struct weft_dynamic_spec spec = spec_of(&template);
    uint64_t reference;
    spec.child.shutdown_ns = WEFT_FOREVER;
    spec.child.spawn.core = rig_core(rig, 1);
    const weft_pid pid = begin(self, &spec);
    const weft_pid child = add(self, pid, &shared, 0);
    add(self, pid, &shared, 2);
    assert_int_equal(weft_monitor(self, child, &reference), 0);
    const uint64_t before_ns = weft_now_ns(self);
    rig_stop(self, pid);
    assert_in_range(weft_now_ns(self) - before_ns, 500 * MS, 500 * MS + rig->slack_ns);
    const struct weft_message *down = rig_receive(self);
    assert_int_equal(down->tag, WEFT_MESSAGE_DOWN);
    assert_int_equal(down->type, WEFT_EXIT_SHUTDOWN); // In order, not killed.
}
RIG_TEST(an_exit_signal_is_no_end)

// Takes all memory of the core for a while.
static void without_memory(struct weft_actor *self, uint64_t ns)
{
    static void *blocks[4096];
    static struct weft_message *messages[16384];
    unsigned block_count = 0, message_count = 0;
    for (size_t bytes = WEFT_MIB; bytes >= 16; bytes /= 2) {
        while (block_count < WEFT_COUNT_OF(blocks) &&
               (blocks[block_count] = weft_alloc(self, bytes)) != NULL)
            block_count++;
    }
    while (message_count < WEFT_COUNT_OF(messages) &&
           (messages[message_count] = weft_message_new(self, 1, 0)) != NULL)
        message_count++;
    assert_int_equal(weft_send(self, weft_self(self), 1, NULL, 0), -ENOMEM);
    weft_sleep(self, ns);
    while (message_count > 0)
        weft_release(self, messages[--message_count]);
    while (block_count > 0)
        weft_free(self, blocks[--block_count]);
}

static void children_are_told_when_there_is_memory(struct weft_actor *self, struct rig *rig)
{
    struct shared shared = {.owner = weft_self(self)};
    struct args template = {.shared = &shared};
    struct weft_dynamic_spec spec = spec_of(&template);
    uint64_t reference;
    spec.child.shutdown_ns = WEFT_FOREVER;
    const weft_pid pid = begin(self, &spec);
    for (unsigned i = 0; i < 3; i++)
        add(self, pid, &shared, i);
    assert_int_equal(weft_monitor(self, pid, &reference), 0);
    weft_sleep(self, MS); // What sleeping takes it has from now on.
    assert_int_equal(weft_exit_send(self, pid, WEFT_EXIT_SHUTDOWN), 0);
    without_memory(self, 10 * MS);
    const struct weft_message *down = rig_receive(self);
    assert_int_equal(down->tag, WEFT_MESSAGE_DOWN);
    assert_int_equal(down->type, WEFT_EXIT_SHUTDOWN);
    assert_int_equal(rig_logged(rig, "did not end in time"), 0);
}

static void children_are_told_when_there_is_memory_alone(void **state)
{
    static struct rig rig;
    (void)state;
    rig_run(&rig, "one core", 1, false, children_are_told_when_there_is_memory);
}

static void thousands_are_found_by_pid(struct weft_actor *self, struct rig *rig)
{
    enum { COUNT = 1000 };
    static weft_pid pids[COUNT];
    struct shared shared = {.owner = weft_self(self)};
    struct args template = {.shared = &shared};
    struct weft_dynamic_spec spec = spec_of(&template);
    (void)rig;
    spec.restart_max = COUNT;
    const weft_pid pid = begin(self, &spec);
    for (unsigned i = 0; i < COUNT; i++)
        pids[i] = add(self, pid, &shared, i);
    for (unsigned i = 0; i < COUNT; i += 2) {
        rig_cast(self, pids[i], CRASH, WEFT_EXIT_FAULT);
        expect(self, UP, i);
    }
    assert_int_equal(active(self, pid), COUNT);
    for (unsigned i = 1; i < COUNT; i += 2)
        assert_int_equal(weft_dynamic_stop_child(self, pid, pids[i]), 0);
    assert_int_equal(active(self, pid), COUNT / 2);
    rig_stop(self, pid);
}
RIG_TEST(thousands_are_found_by_pid)

static void one_may_be_a_child(struct weft_actor *self, struct rig *rig)
{
    struct shared shared = {.owner = weft_self(self)};
    struct args template = {.shared = &shared};
    const struct weft_dynamic_spec spec = spec_of(&template);
    const struct weft_child child = {.id = "pool", .dynamic = &spec, .name = "pool"};
    const struct weft_supervisor_spec top = {.children = &child, .child_count = 1};
    struct weft_child_info info;
    size_t count;
    weft_pid pid;
    (void)rig;
    assert_int_equal(weft_supervisor_start(self, &top, &pid), 0);
    assert_int_equal(weft_supervisor_children(self, pid, &info, 1, &count), 0);
    assert_true(info.is_supervisor);
    assert_int_equal(weft_whereis(self, "pool"), info.pid);
    for (unsigned i = 0; i < 3; i++)
        add(self, info.pid, &shared, i);
    assert_int_equal(weft_kill(self, info.pid), 0); // It comes back empty.
    assert_int_equal(weft_join(self, info.pid, WEFT_FOREVER, NULL), 0);
    assert_int_equal(weft_supervisor_children(self, pid, &info, 1, &count), 0);
    assert_int_equal(active(self, info.pid), 0);
    add(self, info.pid, &shared, 9);
    rig_stop(self, pid);
}
RIG_TEST(one_may_be_a_child)

// Children that are no servers.
static void say_number(struct weft_actor *self, void *state)
{
    const struct args *args = state;
    weft_send(self, args->shared->owner, UP, &args->number, 8);
    weft_receive(self, WEFT_FOREVER);
}

static void a_kind_is_given_its_state(struct weft_actor *self, struct rig *rig)
{
    static const struct weft_actor_kind kind = {
        .name = "sayer", .state_bytes = sizeof(struct args), .main = say_number};
    struct shared shared = {.owner = weft_self(self)};
    struct args template = {.shared = &shared, .number = 3};
    struct weft_dynamic_spec spec = spec_of(&template);
    weft_pid child;
    spec.child.server = NULL;
    spec.child.kind = &kind;
    spec.child.restart = WEFT_RESTART_TRANSIENT;
    spec.child.spawn.core = rig_core(rig, 1);
    const weft_pid pid = begin(self, &spec);
    assert_int_equal(weft_dynamic_start_child(self, pid, NULL, 0, &child), 0);
    expect(self, UP, 3);
    child = add(self, pid, &shared, 4);
    assert_int_equal(weft_dynamic_start_child(self, pid, "short", 5, &child), -EINVAL);
    rig_stop(self, pid);
    // A supervisor is not given arguments.
    const struct weft_supervisor_spec inner = {0};
    spec.child = (struct weft_child){.id = "inner", .supervisor = &inner};
    const weft_pid outer = begin(self, &spec);
    assert_int_equal(weft_dynamic_start_child(self, outer, "bytes", 5, &child), -EINVAL);
    assert_int_equal(weft_dynamic_start_child(self, outer, NULL, 0, &child), 0);
    struct weft_child_counts counts;
    assert_int_equal(weft_supervisor_count(self, outer, &counts), 0);
    assert_int_equal(counts.supervisors, 1);
    rig_stop(self, outer);
}
RIG_TEST(a_kind_is_given_its_state)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(restarts_use_their_own_arguments_everywhere),
        cmocka_unit_test(temporary_ones_are_forgotten_everywhere),
        cmocka_unit_test(there_is_a_limit_everywhere),
        cmocka_unit_test(starts_may_fail_everywhere),
        cmocka_unit_test(all_end_together_everywhere),
        cmocka_unit_test(an_exit_signal_is_no_end_everywhere),
        cmocka_unit_test(children_are_told_when_there_is_memory_alone),
        cmocka_unit_test(thousands_are_found_by_pid_everywhere),
        cmocka_unit_test(one_may_be_a_child_everywhere),
        cmocka_unit_test(a_kind_is_given_its_state_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
