// Servers: starting and refusing, messages, time-outs, going on, replies that come later, ends.
#include "tests/unit/otp/rig.h"

enum { ADD = 1, KEEP, RELEASE, IGNORED, ASK_OTHER, TIMEOUT_IN, CONTINUE, CRASH, GET, END };

// A server that does what it is told and tells its owner what happens to it.
struct probe_args {
    weft_pid owner;
    int result; // Of `init`.
    bool crashes, hangs, traps, goes_on;
};

struct probe {
    weft_pid owner;
    uint64_t sum;
    struct weft_message *kept[4];
    unsigned kept_count;
    bool traps;
};

enum { TOLD_TIMEOUT = 100, TOLD_CONTINUE, TOLD_SHUTDOWN, TOLD_TERMINATE, TOLD_INFO, TOLD_CAST };

static void tell(struct weft_actor *self, const struct probe *probe, uint16_t type, uint64_t number)
{
    weft_send(self, probe->owner, type, &number, sizeof(number));
}

static int init(struct weft_actor *self, void *state, const void *args, size_t length)
{
    struct probe *probe = state;
    struct probe_args how;
    assert_int_equal(length, sizeof(how));
    memcpy(&how, args, sizeof(how));
    assert_int_equal(probe->sum, 0);
    probe->owner = how.owner;
    probe->traps = how.traps;
    if (how.traps) weft_trap_exit(self, true);
    if (how.crashes) weft_exit(self, WEFT_EXIT_FAULT);
    if (how.hangs) weft_sleep(self, 100 * WEFT_NS_PER_S);
    if (how.goes_on) weft_server_continue(self, 1);
    return how.result;
}

static uint64_t number_of(const struct weft_message *message)
{
    return rig_number(message);
}

static void on_call(struct weft_actor *self, void *state, struct weft_message *call)
{
    struct probe *probe = state;
    const uint64_t number = number_of(call);
    switch (call->type) {
    case ADD:
        probe->sum += number;
        weft_reply(self, call, ADD, &probe->sum, sizeof(probe->sum));
        break;
    case GET: weft_reply(self, call, GET, &probe->sum, sizeof(probe->sum)); break;
    case KEEP:
        assert_int_equal(weft_keep(self, call), 0);
        probe->kept[probe->kept_count++] = call;
        break;
    case ASK_OTHER: {
        const uint64_t answer = rig_call(self, number, ADD, 1);
        weft_reply(self, call, ASK_OTHER, &answer, sizeof(answer));
        break;
    }
    case TIMEOUT_IN:
        assert_int_equal(weft_server_timeout(self, number), 0);
        weft_reply(self, call, TIMEOUT_IN, &number, sizeof(number));
        break;
    case CRASH: weft_exit(self, WEFT_EXIT_USER + 1);
    default: break; // Not answered.
    }
}

static void on_cast(struct weft_actor *self, void *state, struct weft_message *cast)
{
    struct probe *probe = state;
    const uint64_t number = number_of(cast);
    if (cast->type == RELEASE) {
        for (unsigned i = 0; i < probe->kept_count; i++)
            weft_reply(self, probe->kept[i], KEEP, &number, sizeof(number));
        probe->kept_count = 0;
    } else if (cast->type == CONTINUE) {
        weft_server_continue(self, number);
    } else if (cast->type == END) {
        weft_stop(self, (uint16_t)number);
    } else {
        tell(self, probe, TOLD_CAST, number);
    }
}

static void on_info(struct weft_actor *self, void *state, struct weft_message *message)
{
    tell(self, state, TOLD_INFO, message->tag);
}

static void on_timeout(struct weft_actor *self, void *state)
{
    tell(self, state, TOLD_TIMEOUT, weft_now_ns(self));
}

// Counts down, as a chain of steps.
static void on_continue(struct weft_actor *self, void *state, uint64_t what)
{
    tell(self, state, TOLD_CONTINUE, what);
    if (what > 1) weft_server_continue(self, what - 1);
}

static void on_shutdown(struct weft_actor *self, void *state, uint16_t reason)
{
    weft_sleep(self, MS); // It may wait.
    tell(self, state, TOLD_SHUTDOWN, reason);
}

static void on_terminate(struct weft_actor *self, void *state, uint16_t reason)
{
    tell(self, state, TOLD_TERMINATE, reason);
}

static const struct weft_server probe = {
    WEFT_SERVER("probe", struct probe),
    .init = init,
    .call = on_call,
    .cast = on_cast,
    .info = on_info,
    .timeout = on_timeout,
    .cont = on_continue,
    .shutdown = on_shutdown,
    .terminate = on_terminate,
};

static struct weft_start starting(const struct probe_args *args)
{
    return (struct weft_start){.server = &probe, .args = args, .length = sizeof(*args)};
}

static weft_pid start(struct weft_actor *self, const struct rig *rig, unsigned number)
{
    const struct probe_args args = {.owner = weft_self(self)};
    struct weft_start how = starting(&args);
    how.spawn.core = rig_core(rig, number);
    return rig_start(self, &how);
}

static void expect(struct weft_actor *self, uint16_t type, uint64_t number)
{
    const struct weft_message *message = rig_receive(self);
    assert_int_equal(message->tag, WEFT_MESSAGE_USER);
    assert_int_equal(message->type, type);
    assert_int_equal(rig_number(message), number);
}

static void expect_nothing(struct weft_actor *self, uint64_t for_ns)
{
    assert_null(weft_receive(self, for_ns));
}

static void expect_end(struct weft_actor *self, uint16_t reason)
{
    expect(self, TOLD_SHUTDOWN, reason);
    expect(self, TOLD_TERMINATE, reason);
}

// ---- Messages.

static void calls_are_answered_in_order(struct weft_actor *self, struct rig *rig)
{
    for (unsigned place = 0; place < 3; place++) {
        const weft_pid pid = start(self, rig, place);
        uint64_t sum = 0, references[10];
        for (unsigned i = 0; i < 10; i++)
            assert_int_equal(rig_call(self, pid, ADD, i), sum += i);
        for (uint64_t i = 0; i < 10; i++)
            references[i] = weft_call_begin(self, pid, ADD, &i, sizeof(i), NULL);
        for (unsigned i = 10; i-- > 0;) { // The last first: each has its own.
            struct weft_message *reply;
            assert_int_equal(weft_await(self, references[i], WEFT_FOREVER, &reply), 0);
            assert_int_equal(rig_number(reply), sum + i * (i + 1) / 2);
        }
        rig_cast(self, pid, IGNORED, 7);
        expect(self, TOLD_CAST, 7);
        weft_send(self, pid, 5, NULL, 0);
        expect(self, TOLD_INFO, WEFT_MESSAGE_USER);
        rig_stop(self, pid);
        expect_end(self, WEFT_EXIT_SHUTDOWN);
    }
}
RIG_TEST(calls_are_answered_in_order)

static void calls_without_answer_fail(struct weft_actor *self, struct rig *rig)
{
    const weft_pid pid = start(self, rig, 1);
    const uint64_t number = 1;
    struct weft_message *reply;
    assert_int_equal(weft_call(self, pid, IGNORED, &number, sizeof(number), WEFT_FOREVER, &reply),
                     -ECANCELED);
    assert_int_equal(weft_call(self, pid, KEEP, &number, sizeof(number), MS, &reply), -ETIMEDOUT);
    const uint64_t kept = weft_call_begin(self, pid, KEEP, &number, sizeof(number), NULL);
    assert_int_equal(weft_call(self, pid, CRASH, &number, sizeof(number), WEFT_FOREVER, &reply),
                     -EPIPE);
    assert_int_equal(weft_await(self, kept, WEFT_FOREVER, &reply), -EPIPE); // Kept at its end.
    expect(self, TOLD_TERMINATE, WEFT_EXIT_USER + 1);
    assert_int_equal(weft_call(self, pid, ADD, &number, sizeof(number), WEFT_FOREVER, &reply),
                     -ESRCH);
}
RIG_TEST(calls_without_answer_fail)

static void replies_may_come_later(struct weft_actor *self, struct rig *rig)
{
    const weft_pid pid = start(self, rig, 2);
    uint64_t references[4];
    for (uint64_t i = 0; i < 4; i++)
        references[i] = weft_call_begin(self, pid, KEEP, &i, sizeof(i), NULL);
    assert_int_equal(rig_call(self, pid, ADD, 3), 3); // It goes on serving.
    rig_cast(self, pid, RELEASE, 99);
    for (unsigned i = 0; i < 4; i++) {
        struct weft_message *reply;
        assert_int_equal(weft_await(self, references[i], WEFT_FOREVER, &reply), 0);
        assert_int_equal(rig_number(reply), 99);
    }
    rig_stop(self, pid);
    expect_end(self, WEFT_EXIT_SHUTDOWN);
}
RIG_TEST(replies_may_come_later)

static void a_callback_may_call_another_server(struct weft_actor *self, struct rig *rig)
{
    const weft_pid first = start(self, rig, 1), second = start(self, rig, 2);
    for (unsigned i = 1; i <= 5; i++)
        assert_int_equal(rig_call(self, first, ASK_OTHER, second), i);
    rig_stop(self, first);
    expect_end(self, WEFT_EXIT_SHUTDOWN);
    rig_stop(self, second);
    expect_end(self, WEFT_EXIT_SHUTDOWN);
}
RIG_TEST(a_callback_may_call_another_server)

// ---- Starting.

static void init_may_refuse(struct weft_actor *self, struct rig *rig)
{
    static const int results[] = {-EACCES, -EEXIST, WEFT_SERVER_IGNORE};
    weft_trap_exit(self, true); // An EXIT would show.
    for (unsigned i = 0; i < WEFT_COUNT_OF(results); i++) {
        const struct probe_args args = {.owner = weft_self(self), .result = results[i]};
        struct weft_start how = starting(&args);
        weft_pid pid = 1;
        uint64_t reference;
        how.spawn.core = rig_core(rig, i);
        how.name = "refusing";
        assert_int_equal(weft_server_start(self, &how, &pid), results[i]);
        assert_int_equal(pid, 0);
        assert_int_equal(weft_server_start_link(self, &how, &pid), results[i]);
        assert_int_equal(pid, 0);
        assert_int_equal(weft_server_start_monitor(self, &how, &pid, &reference), results[i]);
        assert_int_equal(pid, 0);
        expect_nothing(self, MS); // No EXIT, no DOWN, no word of `terminate`.
        assert_int_equal(weft_whereis(self, "refusing"), 0);
    }
}
RIG_TEST(init_may_refuse)

static void init_may_crash_or_hang(struct weft_actor *self, struct rig *rig)
{
    struct probe_args args = {.owner = weft_self(self), .crashes = true};
    struct weft_start how = starting(&args);
    weft_pid pid;
    weft_trap_exit(self, true);
    how.spawn.core = rig_core(rig, 1);
    assert_int_equal(weft_server_start(self, &how, &pid), -EPIPE);
    assert_int_equal(weft_server_start_link(self, &how, &pid), -EPIPE);
    const struct weft_message *exit = rig_receive(self); // It was linked when it crashed.
    assert_int_equal(exit->tag, WEFT_MESSAGE_EXIT);
    assert_int_equal(exit->type, WEFT_EXIT_FAULT);
    args.crashes = false;
    args.hangs = true;
    how.timeout_ns = 10 * MS;
    const uint64_t before_ns = weft_now_ns(self);
    assert_int_equal(weft_server_start_link(self, &how, &pid), -ETIMEDOUT);
    assert_in_range(weft_now_ns(self) - before_ns, 10 * MS, 10 * MS + rig->slack_ns);
    expect_nothing(self, MS);
}
RIG_TEST(init_may_crash_or_hang)

static void a_name_is_taken_once(struct weft_actor *self, struct rig *rig)
{
    const struct probe_args args = {.owner = weft_self(self)};
    struct weft_start how = starting(&args);
    weft_pid holder;
    how.name = "the one";
    how.spawn.core = rig_core(rig, 1);
    const weft_pid bad = 1;
    weft_pid pid = bad;
    assert_int_equal(weft_server_start(self, &how, &pid), -EINVAL); // A blank in it.
    assert_int_equal(pid, 0);
    how.name = "one";
    assert_int_equal(weft_server_start(self, &how, &holder), 0);
    assert_int_equal(weft_whereis(self, "one"), holder);
    assert_int_equal(weft_server_start(self, &how, &pid), -EEXIST);
    assert_int_equal(pid, holder);
    assert_int_equal(weft_server_start_link(self, &how, &pid), -EEXIST);
    assert_int_equal(pid, holder);
    rig_stop(self, holder);
    expect_end(self, WEFT_EXIT_SHUTDOWN);
    assert_int_equal(weft_server_start(self, &how, &pid), 0); // Free again.
    rig_stop(self, pid);
    expect_end(self, WEFT_EXIT_SHUTDOWN);
}
RIG_TEST(a_name_is_taken_once)

// ---- Time-outs.

static void a_timeout_comes_when_nothing_else_does(struct weft_actor *self, struct rig *rig)
{
    const weft_pid pid = start(self, rig, 1);
    uint64_t begin_ns = weft_now_ns(self);
    rig_call(self, pid, TIMEOUT_IN, 10 * MS);
    const struct weft_message *told = rig_receive(self);
    assert_int_equal(told->type, TOLD_TIMEOUT);
    assert_in_range(rig_number(told) - begin_ns, 10 * MS, 10 * MS + rig->slack_ns);
    expect_nothing(self, 100 * MS); // Once.

    rig_call(self, pid, TIMEOUT_IN, 10 * MS); // Any message ends it.
    rig_call(self, pid, ADD, 1);
    expect_nothing(self, 100 * MS);

    rig_call(self, pid, TIMEOUT_IN, 10 * MS); // The last one counts, be it later
    weft_sleep(self, 5 * MS);
    begin_ns = weft_now_ns(self);
    rig_call(self, pid, TIMEOUT_IN, 20 * MS);
    told = rig_receive(self);
    assert_int_equal(told->type, TOLD_TIMEOUT);
    assert_in_range(rig_number(told) - begin_ns, 20 * MS, 20 * MS + rig->slack_ns);

    rig_call(self, pid, TIMEOUT_IN, 50 * MS); // or earlier,
    begin_ns = weft_now_ns(self);
    rig_call(self, pid, TIMEOUT_IN, 2 * MS);
    told = rig_receive(self);
    assert_in_range(rig_number(told) - begin_ns, 2 * MS, 2 * MS + rig->slack_ns);
    expect_nothing(self, 100 * MS);

    rig_call(self, pid, TIMEOUT_IN, 10 * MS); // or never.
    rig_call(self, pid, TIMEOUT_IN, WEFT_FOREVER);
    expect_nothing(self, 100 * MS);
    rig_stop(self, pid);
    expect_end(self, WEFT_EXIT_SHUTDOWN);
}
RIG_TEST(a_timeout_comes_when_nothing_else_does)

// ---- Going on.

static void continue_comes_before_messages(struct weft_actor *self, struct rig *rig)
{
    const struct probe_args args = {.owner = weft_self(self), .goes_on = true};
    struct weft_start how = starting(&args);
    how.spawn.core = rig_core(rig, 1);
    const weft_pid pid = rig_start(self, &how);
    expect(self, TOLD_CONTINUE, 1); // Of `init`.
    rig_cast(self, pid, CONTINUE, 3);
    rig_cast(self, pid, IGNORED, 9);
    for (unsigned i = 3; i > 0; i--)
        expect(self, TOLD_CONTINUE, i);
    expect(self, TOLD_CAST, 9);
    // However long the chain is, others have their turns.
    rig_cast(self, pid, CONTINUE, 2000);
    for (unsigned i = 2000; i > 0; i--)
        expect(self, TOLD_CONTINUE, i);
    rig_stop(self, pid);
    expect_end(self, WEFT_EXIT_SHUTDOWN);
}
RIG_TEST(continue_comes_before_messages)

// ---- Ends.

static void every_end_is_told_of(struct weft_actor *self, struct rig *rig)
{
    weft_pid pid = start(self, rig, 1);
    uint64_t reference;
    assert_int_equal(weft_server_stop(self, pid, WEFT_EXIT_USER, WEFT_FOREVER), 0);
    expect_end(self, WEFT_EXIT_USER);
    assert_int_equal(weft_server_stop(self, pid, WEFT_EXIT_NORMAL, WEFT_FOREVER), -ESRCH);

    pid = start(self, rig, 2);
    assert_int_equal(weft_kill(self, pid), 0);
    expect(self, TOLD_TERMINATE, WEFT_EXIT_KILLED);

    pid = start(self, rig, 1);
    rig_cast(self, pid, END, WEFT_EXIT_NORMAL);
    expect(self, TOLD_TERMINATE, WEFT_EXIT_NORMAL);

    const struct probe_args args = {.owner = weft_self(self)};
    struct weft_start how = starting(&args);
    how.spawn.core = rig_core(rig, 1);
    assert_int_equal(weft_server_start_monitor(self, &how, &pid, &reference), 0);
    rig_cast(self, pid, END, WEFT_EXIT_USER + 7);
    for (unsigned seen = 0; seen < 2; seen++) {
        const struct weft_message *message = rig_receive(self);
        if (message->tag == WEFT_MESSAGE_DOWN) {
            assert_int_equal(message->reference, reference);
            assert_int_equal(message->type, WEFT_EXIT_USER + 7);
        } else {
            assert_int_equal(message->type, TOLD_TERMINATE);
        }
    }
}
RIG_TEST(every_end_is_told_of)

static void a_stop_may_take_too_long(struct weft_actor *self, struct rig *rig)
{
    const weft_pid pid = start(self, rig, 1);
    assert_int_equal(weft_server_stop(self, pid, WEFT_EXIT_SHUTDOWN, MS / 2), -ETIMEDOUT);
    expect_end(self, WEFT_EXIT_SHUTDOWN); // It was under way.
    assert_int_equal(weft_join(self, pid, WEFT_FOREVER, NULL), 0);
}
RIG_TEST(a_stop_may_take_too_long)

// A parent of a server: ends when it is told to.
struct parent_args {
    weft_pid owner;
    bool traps;
};

static void be_parent(struct weft_actor *self, void *state)
{
    const struct parent_args *how = state;
    const struct probe_args args = {.owner = how->owner, .traps = how->traps};
    const struct weft_start start = starting(&args);
    weft_pid pid;
    assert_int_equal(weft_server_start_link(self, &start, &pid), 0);
    weft_exit(self, WEFT_EXIT_USER + 3);
}

static void a_parents_end_is_a_servers_end(struct weft_actor *self, struct rig *rig)
{
    static const struct weft_actor_kind kind = {
        .name = "parent", .state_bytes = sizeof(struct parent_args), .main = be_parent};
    for (unsigned traps = 0; traps < 2; traps++) {
        const struct parent_args args = {.owner = weft_self(self), .traps = traps == 1};
        const struct weft_spawn spawn = {
            .kind = &kind, .state = &args, .core = rig_core(rig, traps + 1)};
        weft_pid pid;
        assert_int_equal(weft_spawn(self, &spawn, &pid), 0);
        if (traps == 1) expect(self, TOLD_SHUTDOWN, WEFT_EXIT_USER + 3);
        expect(self, TOLD_TERMINATE, WEFT_EXIT_USER + 3);
        assert_int_equal(weft_join(self, pid, WEFT_FOREVER, NULL), 0);
    }
}
RIG_TEST(a_parents_end_is_a_servers_end)

// ---- What is not started the usual way.

static void a_state_is_the_users_alone(struct weft_actor *self, struct rig *rig)
{
    struct { // What spawn copies: with the server's own bytes behind it.
        struct probe probe;
        uint8_t own[WEFT_SERVER_BYTES(sizeof(struct probe)) - sizeof(struct probe)];
    } state = {.probe = {.owner = weft_self(self), .sum = 41}};
    const struct weft_spawn spawn = {
        .kind = &probe.kind, .state = &state, .core = rig_core(rig, 1)};
    weft_pid pid;
    assert_int_equal(sizeof(state), probe.kind.state_bytes);
    assert_int_equal(weft_spawn(self, &spawn, &pid), 0);
    assert_int_equal(rig_call(self, pid, ADD, 1), 42); // It serves at once: it has its state.
    const struct probe_args args = {.owner = weft_self(self)};
    // Once it serves, nobody starts it: the call is one that it does not know.
    assert_int_not_equal(weft_call(self, pid, WEFT_SERVER_START, &args, sizeof(uint64_t), MS, NULL),
                         0);
    assert_int_equal(rig_call(self, pid, GET, 0), 42);
    rig_stop(self, pid);
    expect_end(self, WEFT_EXIT_SHUTDOWN);
}
RIG_TEST(a_state_is_the_users_alone)

static void a_server_without_callbacks_lives(struct weft_actor *self, struct rig *rig)
{
    static const struct weft_server nothing = {WEFT_SERVER("nothing", uint64_t)};
    const struct weft_start how = {.server = &nothing, .spawn.core = rig_core(rig, 1)};
    const weft_pid pid = rig_start(self, &how);
    weft_cast(self, pid, 1, NULL, 0);
    weft_send(self, pid, 1, NULL, 0);
    assert_int_equal(weft_call(self, pid, 1, NULL, 0, WEFT_FOREVER, NULL), -ECANCELED);
    weft_cast(self, pid, WEFT_SERVER_STOP, NULL, 0); // Not well said.
    assert_int_equal(weft_call(self, pid, 1, NULL, 0, WEFT_FOREVER, NULL), -ECANCELED);
    rig_stop(self, pid);
}
RIG_TEST(a_server_without_callbacks_lives)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_answered_in_order_everywhere),
        cmocka_unit_test(calls_without_answer_fail_everywhere),
        cmocka_unit_test(replies_may_come_later_everywhere),
        cmocka_unit_test(a_callback_may_call_another_server_everywhere),
        cmocka_unit_test(init_may_refuse_everywhere),
        cmocka_unit_test(init_may_crash_or_hang_everywhere),
        cmocka_unit_test(a_name_is_taken_once_everywhere),
        cmocka_unit_test(a_timeout_comes_when_nothing_else_does_everywhere),
        cmocka_unit_test(continue_comes_before_messages_everywhere),
        cmocka_unit_test(every_end_is_told_of_everywhere),
        cmocka_unit_test(a_stop_may_take_too_long_everywhere),
        cmocka_unit_test(a_parents_end_is_a_servers_end_everywhere),
        cmocka_unit_test(a_state_is_the_users_alone_everywhere),
        cmocka_unit_test(a_server_without_callbacks_lives_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
