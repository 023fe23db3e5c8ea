// State machines: entering, events by state, postponed events, time-outs, ends.
#include "tests/unit/otp/rig.h"

// A door with a lock: CODE opens it, LOCK closes it, KNOCK is answered when it is open, and so on.
// It tells its owner what happens, as text.
enum { LOCKED, OPEN, BROKEN };
enum { CODE = 1, LOCK, KNOCK, BREAK, REPEAT, SET_STATE, SET_EVENT, SET_NAMED, STATE, MISBEHAVE };

struct door {
    weft_pid owner;
    uint32_t first;
    unsigned repeat_count;
    int result;
};

static void tell(struct weft_actor *self, const struct door *door, const char *text)
{
    weft_send(self, door->owner, 1, text, strlen(text) + 1);
}

static int init(struct weft_actor *self, void *data, const void *args, size_t length)
{
    struct door *door = data;
    assert_int_equal(length, sizeof(*door));
    memcpy(door, args, length);
    assert_int_equal(weft_machine_next(self, 17), -EINVAL);
    assert_int_equal(weft_machine_next(self, door->first), 0);
    return door->result;
}

static void entered(struct weft_actor *self, void *data, uint32_t from)
{
    static const char *const names[] = {"locked", "open", "broken"};
    char text[64];
    assert_int_equal(weft_machine_next(self, LOCKED), -EBUSY);
    assert_int_equal(weft_machine_repeat(self), -EBUSY);
    assert_int_equal(weft_machine_postpone(self), -EINVAL);
    snprintf(text, sizeof(text), "%s from %s", names[weft_machine_state(self)],
             from == WEFT_MACHINE_START ? "start" : names[from]);
    tell(self, data, text);
}

static void open_entered(struct weft_actor *self, void *data, uint32_t from)
{
    entered(self, data, from);
    if (from == LOCKED) assert_int_equal(weft_machine_state_timeout(self, 100 * MS), 0);
}

static void answer(struct weft_actor *self, struct weft_message *event)
{
    const uint64_t state = weft_machine_state(self);
    if (event->tag == WEFT_MESSAGE_CALL)
        weft_reply(self, event, event->type, &state, sizeof(state));
}

static void set_timers(struct weft_actor *self, struct weft_message *event)
{
    const uint64_t ns = rig_number(event);
    if (event->type == SET_STATE) assert_int_equal(weft_machine_state_timeout(self, ns), 0);
    if (event->type == SET_EVENT) assert_int_equal(weft_machine_event_timeout(self, ns), 0);
    if (event->type == SET_NAMED) // Two numbers in one: the name is in the lowest digit.
        assert_int_equal(
            weft_machine_timeout(self, ns % 10, ns == WEFT_FOREVER - 5 ? WEFT_FOREVER : ns), 0);
}

static void tell_of_timer(struct weft_actor *self, const struct door *door,
                          const struct weft_message *event)
{
    char text[64];
    switch (event->type) {
    case WEFT_MACHINE_STATE_TIMEOUT: tell(self, door, "state timeout"); break;
    case WEFT_MACHINE_EVENT_TIMEOUT: tell(self, door, "event timeout"); break;
    case WEFT_MACHINE_TIMEOUT:
        snprintf(text, sizeof(text), "timeout %u", weft_machine_timeout_name(event));
        tell(self, door, text);
        break;
    default: tell(self, door, "own timer"); break;
    }
}

static void when_locked(struct weft_actor *self, void *data, struct weft_message *event)
{
    struct door *door = data;
    if (event->tag == WEFT_MESSAGE_TIMER) {
        tell_of_timer(self, door, event);
        return;
    }
    switch (event->type) {
    case CODE: weft_machine_next(self, OPEN); break;
    case KNOCK:
        assert_int_equal(weft_machine_postpone(self), 0);
        assert_int_equal(weft_machine_postpone(self), -EINVAL); // Once.
        return;
    case BREAK: weft_machine_next(self, BROKEN); break;
    case REPEAT: weft_machine_repeat(self); break;
    case LOCK: weft_machine_next(self, LOCKED); break; // Where it is.
    case SET_STATE:
    case SET_EVENT:
    case SET_NAMED: set_timers(self, event); break;
    default: break;
    }
    answer(self, event);
}

static void when_open(struct weft_actor *self, void *data, struct weft_message *event)
{
    struct door *door = data;
    if (event->tag == WEFT_MESSAGE_TIMER) {
        tell_of_timer(self, door, event);
        if (event->type == WEFT_MACHINE_STATE_TIMEOUT) weft_machine_next(self, LOCKED);
        return;
    }
    if (event->type == LOCK) weft_machine_next(self, LOCKED);
    if (event->type == KNOCK) {
        char text[32];
        snprintf(text, sizeof(text), "knock %llu", (unsigned long long)rig_number(event));
        tell(self, door, text);
        // Every third one shuts the door in the face of those behind it.
        if (rig_number(event) % 3 == 2) weft_machine_next(self, LOCKED);
    }
    if (event->type == SET_NAMED) set_timers(self, event);
    answer(self, event);
}

// States without an `event` of their own.
static void otherwise(struct weft_actor *self, void *data, struct weft_message *event)
{
    if (event->tag == WEFT_MESSAGE_USER) tell(self, data, "a user's message");
    if (event->type == LOCK) {
        weft_machine_next(self, OPEN); // Not any more.
        weft_stop(self, WEFT_EXIT_USER);
    }
    if (event->type == KNOCK)
        assert_int_equal(weft_machine_postpone(self), 0);
    else
        answer(self, event);
}

static void on_shutdown(struct weft_actor *self, void *data, uint16_t reason)
{
    (void)reason;
    tell(self, data, "shutdown");
}

static void on_terminate(struct weft_actor *self, void *data, uint16_t reason)
{
    (void)reason;
    tell(self, data, "terminate");
}

static const struct weft_machine_state states[] = {
    [LOCKED] = {"locked", .enter = entered, .event = when_locked},
    [OPEN] = {"open", .enter = open_entered, .event = when_open},
    [BROKEN] = {"broken", .enter = entered},
};

static const struct weft_machine door_machine = {
    WEFT_MACHINE("door", struct door, states),
    .init = init,
    .event = otherwise,
    .shutdown = on_shutdown,
    .terminate = on_terminate,
};

static weft_pid start(struct weft_actor *self, const struct rig *rig, uint32_t first)
{
    const struct door door = {.owner = weft_self(self), .first = first};
    const struct weft_start how = {.server = &door_machine.server,
                                   .args = &door,
                                   .length = sizeof(door),
                                   .spawn.core = rig_core(rig, 1)};
    return rig_start(self, &how);
}

static void expect(struct weft_actor *self, const char *text)
{
    const struct weft_message *message = weft_receive(self, WEFT_NS_PER_S);
    if (message == NULL) fail_msg("nothing, in place of %s", text);
    assert_string_equal((const char *)message->payload, text);
}

static void expect_nothing(struct weft_actor *self, uint64_t for_ns)
{
    assert_null(weft_receive(self, for_ns));
}

static void stop(struct weft_actor *self, weft_pid pid)
{
    rig_stop(self, pid);
    expect(self, "shutdown");
    expect(self, "terminate");
    expect_nothing(self, MS);
}

// ---- States.

static void states_are_entered(struct weft_actor *self, struct rig *rig)
{
    const weft_pid pid = start(self, rig, LOCKED);
    expect(self, "locked from start");
    assert_int_equal(rig_call(self, pid, STATE, 0), LOCKED);
    rig_cast(self, pid, CODE, 0);
    expect(self, "open from locked");
    assert_int_equal(rig_call(self, pid, STATE, 0), OPEN);
    rig_cast(self, pid, LOCK, 0);
    expect(self, "locked from open");
    rig_cast(self, pid, LOCK, 0); // It is locked: nothing changes.
    expect_nothing(self, MS);
    rig_cast(self, pid, REPEAT, 0);
    expect(self, "locked from locked");
    rig_cast(self, pid, BREAK, 0);
    expect(self, "broken from locked");
    weft_send(self, pid, 77, NULL, 0); // A state without `event`: the machine's.
    expect(self, "a user's message");
    assert_int_equal(rig_call(self, pid, STATE, 0), BROKEN);
    stop(self, pid);
    const weft_pid other = start(self, rig, BROKEN); // Begins where `init` says.
    expect(self, "broken from start");
    stop(self, other);
}
RIG_TEST(states_are_entered)

static void a_call_is_answered_before_the_state_changes(struct weft_actor *self, struct rig *rig)
{
    const weft_pid pid = start(self, rig, LOCKED);
    expect(self, "locked from start");
    assert_int_equal(rig_call(self, pid, CODE, 0), LOCKED); // What it was in the callback.
    expect(self, "open from locked");
    struct weft_message *reply;
    assert_int_equal(weft_call(self, pid, LOCK, NULL, 0, WEFT_FOREVER, &reply), 0);
    expect(self, "locked from open");
    stop(self, pid);
}
RIG_TEST(a_call_is_answered_before_the_state_changes)

static void init_may_refuse(struct weft_actor *self, struct rig *rig)
{
    const struct door door = {.owner = weft_self(self), .result = -EPERM};
    const struct weft_start how = {.server = &door_machine.server,
                                   .args = &door,
                                   .length = sizeof(door),
                                   .spawn.core = rig_core(rig, 1)};
    weft_pid pid;
    assert_int_equal(weft_server_start(self, &how, &pid), -EPERM);
    expect_nothing(self, MS); // It has entered nothing.
}
RIG_TEST(init_may_refuse)

// ---- Postponed events.

static void postponed_events_come_again_in_order(struct weft_actor *self, struct rig *rig)
{
    const weft_pid pid = start(self, rig, LOCKED);
    expect(self, "locked from start");
    for (unsigned i = 0; i < 2; i++)
        rig_cast(self, pid, KNOCK, i);
    const uint64_t number = 3;
    const uint64_t call = weft_call_begin(self, pid, KNOCK, &number, sizeof(number), NULL);
    rig_cast(self, pid, LOCK, 0); // No change: they stay.
    expect_nothing(self, MS);
    rig_cast(self, pid, CODE, 0);
    rig_cast(self, pid, KNOCK, 4); // It has come later than those.
    assert_int_equal(weft_await(self, call, WEFT_FOREVER, NULL), 0);
    expect(self, "open from locked");
    expect(self, "knock 0");
    expect(self, "knock 1");
    expect(self, "knock 3");
    expect(self, "knock 4");
    stop(self, pid);
}
RIG_TEST(postponed_events_come_again_in_order)

static void a_change_among_them_postpones_the_rest(struct weft_actor *self, struct rig *rig)
{
    const weft_pid pid = start(self, rig, LOCKED);
    expect(self, "locked from start");
    for (unsigned i = 0; i < 10; i++)
        rig_cast(self, pid, KNOCK, i);
    for (unsigned i = 0; i < 10; i++) { // Three at a time.
        if (i % 3 == 0) {
            rig_cast(self, pid, CODE, 0);
            expect(self, "open from locked");
        }
        char text[32];
        snprintf(text, sizeof(text), "knock %u", i);
        expect(self, text);
        if (i % 3 == 2) expect(self, "locked from open");
    }
    expect_nothing(self, MS);
    stop(self, pid);
}
RIG_TEST(a_change_among_them_postpones_the_rest)

static void a_repeat_brings_them_again(struct weft_actor *self, struct rig *rig)
{
    const weft_pid pid = start(self, rig, LOCKED);
    expect(self, "locked from start");
    rig_cast(self, pid, KNOCK, 0);
    for (unsigned i = 0; i < 5; i++) { // And are postponed again.
        rig_cast(self, pid, REPEAT, 0);
        expect(self, "locked from locked");
    }
    rig_cast(self, pid, CODE, 0);
    expect(self, "open from locked");
    expect(self, "knock 0");
    stop(self, pid);
}
RIG_TEST(a_repeat_brings_them_again)

static void postponed_calls_fail_with_their_machine(struct weft_actor *self, struct rig *rig)
{
    const weft_pid pid = start(self, rig, LOCKED);
    uint64_t calls[5];
    expect(self, "locked from start");
    for (uint64_t i = 0; i < 5; i++)
        calls[i] = weft_call_begin(self, pid, KNOCK, &i, sizeof(i), NULL);
    rig_cast(self, pid, BREAK, 0);
    expect(self, "broken from locked");
    rig_cast(self, pid, LOCK, 0); // It stops: no other state is entered, no event comes again.
    expect(self, "terminate");
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(weft_await(self, calls[i], WEFT_FOREVER, NULL), -EPIPE);
    expect_nothing(self, MS);
}
RIG_TEST(postponed_calls_fail_with_their_machine)

// ---- Time-outs.

static void a_state_has_its_time(struct weft_actor *self, struct rig *rig)
{
    const weft_pid pid = start(self, rig, LOCKED);
    expect(self, "locked from start");
    rig_cast(self, pid, CODE, 0);
    expect(self, "open from locked");
    uint64_t before_ns = weft_now_ns(self);
    expect(self, "state timeout"); // Set by `enter`.
    assert_in_range(weft_now_ns(self) - before_ns, 99 * MS, 100 * MS + rig->slack_ns);
    expect(self, "locked from open");
    rig_cast(self, pid, CODE, 0);
    expect(self, "open from locked");
    rig_cast(self, pid, LOCK, 0);
    expect(self, "locked from open");
    expect_nothing(self, 300 * MS); // The state was left before.

    rig_cast(self, pid, SET_STATE, 50 * MS); // In a state that it stays in:
    weft_sleep(self, 40 * MS);
    rig_call(self, pid, STATE, 0); // events do not matter,
    before_ns = weft_now_ns(self);
    expect(self, "state timeout");
    assert_in_range(weft_now_ns(self) - before_ns, 0, 10 * MS + rig->slack_ns);
    rig_cast(self, pid, SET_STATE, 50 * MS);
    rig_cast(self, pid, SET_STATE, 90 * MS); // the last one counts,
    expect_nothing(self, 80 * MS);
    expect(self, "state timeout");
    rig_cast(self, pid, SET_STATE, 50 * MS);
    rig_cast(self, pid, SET_STATE, WEFT_FOREVER); // and may be none.
    expect_nothing(self, 300 * MS);
    stop(self, pid);
}
RIG_TEST(a_state_has_its_time)

static void an_event_ends_the_event_timeout(struct weft_actor *self, struct rig *rig)
{
    const weft_pid pid = start(self, rig, LOCKED);
    expect(self, "locked from start");
    rig_cast(self, pid, SET_EVENT, 50 * MS);
    expect(self, "event timeout");
    rig_cast(self, pid, SET_EVENT, 50 * MS);
    weft_sleep(self, 20 * MS);
    rig_call(self, pid, STATE, 0);
    expect_nothing(self, 300 * MS);
    stop(self, pid);
}
RIG_TEST(an_event_ends_the_event_timeout)

static void timeouts_with_names_last_through_everything(struct weft_actor *self, struct rig *rig)
{
    const weft_pid pid = start(self, rig, LOCKED);
    expect(self, "locked from start");
    for (unsigned i = 0; i < 9; i++) // Name i, after (60 - i) ms.
        rig_cast(self, pid, SET_NAMED, (60 - i) * MS + i);
    rig_cast(self, pid, SET_NAMED, 200 * MS + 3); // One is put off,
    rig_cast(self, pid, SET_NAMED,
             WEFT_FOREVER - 5); // name 0 is ended: its name is the last digit.
    rig_cast(self, pid, CODE, 0);
    expect(self, "open from locked");
    rig_cast(self, pid, LOCK, 0);
    expect(self, "locked from open");
    for (unsigned i = 8; i > 0; i--) {
        char text[32];
        if (i == 3) continue;
        snprintf(text, sizeof(text), "timeout %u", i);
        expect(self, text);
    }
    expect(self, "timeout 3");
    expect_nothing(self, 300 * MS);
    stop(self, pid);
}
RIG_TEST(timeouts_with_names_last_through_everything)

static void other_timers_are_events_too(struct weft_actor *self, struct rig *rig)
{
    const weft_pid pid = start(self, rig, LOCKED);
    expect(self, "locked from start");
    assert_int_equal(weft_send_after(self, pid, MS, 1, NULL, 0, NULL), 0);
    expect(self, "own timer");
    assert_int_equal(weft_send_after(self, pid, 0, WEFT_MACHINE_STATE_TIMEOUT, NULL, 0, NULL), 0);
    expect_nothing(self, 50 * MS); // One that is not its own.
    stop(self, pid);
}
RIG_TEST(other_timers_are_events_too)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_are_entered_everywhere),
        cmocka_unit_test(a_call_is_answered_before_the_state_changes_everywhere),
        cmocka_unit_test(init_may_refuse_everywhere),
        cmocka_unit_test(postponed_events_come_again_in_order_everywhere),
        cmocka_unit_test(a_change_among_them_postpones_the_rest_everywhere),
        cmocka_unit_test(a_repeat_brings_them_again_everywhere),
        cmocka_unit_test(postponed_calls_fail_with_their_machine_everywhere),
        cmocka_unit_test(a_state_has_its_time_everywhere),
        cmocka_unit_test(an_event_ends_the_event_timeout_everywhere),
        cmocka_unit_test(timeouts_with_names_last_through_everything_everywhere),
        cmocka_unit_test(other_timers_are_events_too_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
