// Stages: nobody gets more than he has asked for, nothing is lost, order holds.
#include "tests/unit/otp/rig.h"

enum { SET_SPEED = 1, EMIT, COUNT };

// ---- A producer of numbers: as many as are wanted, or only what it is told to.

struct source {
    uint64_t next;
    uint64_t left; // It has so many.
};

static int source_init(struct weft_actor *self, void *state, const void *args, size_t length)
{
    (void)self;
    memcpy(state, args, length);
    return 0;
}

static void make(struct weft_actor *self, void *state, uint64_t count)
{
    struct source *source = state;
    for (; count > 0 && source->left > 0; count--, source->left--, source->next++)
        assert_int_equal(weft_stage_emit(self, &source->next, sizeof(source->next)), 0);
}

// CALLs: emit whether it is wanted or not; how many are wanted.
static void source_call(struct weft_actor *self, void *state, struct weft_message *call)
{
    struct source *source = state;
    uint64_t answer = 0;
    for (uint64_t i = call->type == EMIT ? rig_number(call) : 0; i > 0; i--) {
        if (weft_stage_emit(self, &source->next, sizeof(source->next)) != 0) break;
        source->next++;
        answer++;
    }
    if (call->type == COUNT) answer = weft_stage_wanted(self);
    weft_reply(self, call, call->type, &answer, sizeof(answer));
}

static void source_cast(struct weft_actor *self, void *state, struct weft_message *cast)
{
    (void)state;
    weft_sleep(self, rig_number(cast));
}

static const struct weft_stage source_stage = {WEFT_STAGE("source", struct source),
                                               .server.call = source_call,
                                               .server.cast = source_cast,
                                               .init = source_init,
                                               .demand = make,
                                               .buffer_max = 100};

// ---- One that stands between: says each number twice.

struct between {
    weft_pid producer;
    uint64_t max, min;
};

static int subscribe(struct weft_actor *self, void *state, const void *args, size_t length)
{
    struct between how;
    (void)state, (void)length;
    memcpy(&how, args, sizeof(how));
    assert_int_equal(weft_stage_subscribe(self, how.producer, how.max, how.max), -EINVAL);
    const int result = weft_stage_subscribe(self, how.producer, how.max, how.min);
    assert_int_equal(weft_stage_subscribe(self, how.producer, how.max, how.min), -EEXIST);
    return result;
}

static void say_twice(struct weft_actor *self, void *state, const void *event, size_t length)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(weft_stage_emit(self, event, length), 0);
}

static void no_more(struct weft_actor *self, void *state, uint64_t count)
{
    (void)self, (void)state, (void)count; // It emits what comes, when it comes.
}

static const struct weft_stage twice_stage = {
    WEFT_STAGE("twice", struct between), .init = subscribe, .demand = no_more, .event = say_twice};

// ---- A consumer: tells its owner each number, after a while.

struct sink {
    struct between how;
    weft_pid owner;
    uint64_t pause_ns, cancel_count;
    bool survives;
};

static int sink_init(struct weft_actor *self, void *state, const void *args, size_t length)
{
    struct sink *sink = state;
    memcpy(sink, args, length);
    return subscribe(self, state, &sink->how, sizeof(sink->how));
}

static void consume(struct weft_actor *self, void *state, const void *event, size_t length)
{
    const struct sink *sink = state;
    weft_send(self, sink->owner, 1, event, length);
    if (sink->pause_ns > 0) weft_sleep(self, sink->pause_ns);
}

static void sink_cancelled(struct weft_actor *self, void *state, weft_pid producer, uint16_t reason)
{
    const struct sink *sink = state;
    (void)producer;
    const uint64_t number = 1000000 + reason;
    weft_send(self, sink->owner, 2, &number, sizeof(number));
}

static void sink_info(struct weft_actor *self, void *state, struct weft_message *message)
{
    const struct sink *sink = state;
    const uint64_t number = 2000000 + message->tag;
    weft_send(self, sink->owner, 3, &number, sizeof(number));
}

static const struct weft_stage sink_stage = {WEFT_STAGE("sink", struct sink), .init = sink_init,
                                             .event = consume, .info = sink_info};
static const struct weft_stage patient_stage = {WEFT_STAGE("patient", struct sink),
                                                .init = sink_init, .event = consume,
                                                .cancelled = sink_cancelled};

static weft_pid start(struct weft_actor *self, const struct weft_stage *stage, const void *args,
                      size_t length, uint16_t core)
{
    const struct weft_start how = {
        .server = &stage->server, .args = args, .length = length, .spawn.core = core};
    return rig_start(self, &how);
}

static weft_pid start_source(struct weft_actor *self, const struct rig *rig, uint64_t left)
{
    const struct source source = {.left = left};
    return start(self, &source_stage, &source, sizeof(source), rig_core(rig, 1));
}

static weft_pid start_sink(struct weft_actor *self, const struct rig *rig,
                           const struct weft_stage *stage, weft_pid producer, uint64_t max,
                           uint64_t min, uint64_t pause_ns)
{
    const struct sink sink = {.how = {.producer = producer, .max = max, .min = min},
                              .owner = weft_self(self),
                              .pause_ns = pause_ns};
    return start(self, stage, &sink, sizeof(sink), rig_core(rig, 2));
}

static void expect(struct weft_actor *self, uint64_t number)
{
    assert_int_equal(rig_number(rig_receive(self)), number);
}

static void a_consumer_gets_what_it_asks_for(struct weft_actor *self, struct rig *rig)
{
    const weft_pid source = start_source(self, rig, 100);
    const weft_pid sink = start_sink(self, rig, &sink_stage, source, 10, 5, 0);
    for (unsigned i = 0; i < 100; i++)
        expect(self, i);
    weft_sleep(self, rig->slack_ns);
    // All is eaten, and more is wanted: at least 6, at most 10.
    assert_in_range(rig_call(self, source, COUNT, 0), 5, 10);
    assert_int_equal(rig_call(self, source, EMIT, 3), 3); // From another callback.
    for (unsigned i = 100; i < 103; i++)
        expect(self, i);
    rig_stop(self, sink);
    rig_stop(self, source);
}
RIG_TEST(a_consumer_gets_what_it_asks_for)

static void the_slowest_sets_the_pace(struct weft_actor *self, struct rig *rig)
{
    const weft_pid source = start_source(self, rig, 1000000);
    const weft_pid sink = start_sink(self, rig, &sink_stage, source, 10, 5, 10 * MS);
    for (unsigned i = 0; i < 20; i++)
        expect(self, i);
    // However much the source could make: what was made is what was eaten, and ten.
    const struct source *state = NULL;
    for (unsigned i = 0; i < rig->cores.count; i++) {
        struct weft_actor *actor = weft_actor_find(&rig->cores.system[i], source);
        if (actor != NULL) state = actor->state;
    }
    if (state != NULL) assert_in_range(state->next, 20, 31);
    rig_stop(self, sink);
    rig_stop(self, source);
    while (weft_receive(self, 0) != NULL)
        continue;
}
RIG_TEST(the_slowest_sets_the_pace)

static void unasked_events_wait(struct weft_actor *self, struct rig *rig)
{
    const weft_pid source = start_source(self, rig, 0);
    assert_int_equal(rig_call(self, source, EMIT, 200), 100); // The buffer's limit.
    const weft_pid sink = start_sink(self, rig, &sink_stage, source, 10, 5, 0);
    for (unsigned i = 0; i < 100; i++)
        expect(self, i); // In order, and those first.
    assert_int_equal(rig_call(self, source, EMIT, 1), 1);
    expect(self, 100);
    rig_stop(self, sink);
    weft_sleep(self, rig->slack_ns);
    assert_int_equal(rig_call(self, source, COUNT, 0), 0); // Who has ended wants nothing.
    rig_stop(self, source);
}
RIG_TEST(unasked_events_wait)

static void several_consumers_share(struct weft_actor *self, struct rig *rig)
{
    enum { EVENTS = 300, SINKS = 3 };
    const weft_pid source = start_source(self, rig, EVENTS);
    weft_pid sinks[SINKS];
    bool seen[EVENTS] = {false};
    uint64_t last[SINKS] = {0}, each[SINKS] = {0};
    for (unsigned i = 0; i < SINKS; i++)
        sinks[i] = start_sink(self, rig, &sink_stage, source, 8, 4, MS);
    for (unsigned i = 0; i < EVENTS; i++) {
        const struct weft_message *message = rig_receive(self);
        const uint64_t number = rig_number(message);
        assert_false(seen[number]);
        seen[number] = true;
        for (unsigned n = 0; n < SINKS; n++) {
            if (message->from != sinks[n]) continue;
            assert_true(each[n] == 0 || number > last[n]); // Each in order.
            last[n] = number;
            each[n]++;
        }
    }
    for (unsigned i = 0; i < SINKS; i++) {
        assert_in_range(each[i], EVENTS / SINKS / 2, EVENTS / SINKS * 2);
        rig_stop(self, sinks[i]);
    }
    rig_stop(self, source);
}
RIG_TEST(several_consumers_share)

static void one_may_stand_between(struct weft_actor *self, struct rig *rig)
{
    const weft_pid source = start_source(self, rig, 100);
    const struct between how = {.producer = source, .max = 6, .min = 3};
    const weft_pid middle = start(self, &twice_stage, &how, sizeof(how), rig_core(rig, 0));
    weft_sleep(self, rig->slack_ns);
    assert_int_equal(rig_call(self, source, COUNT, 0), 0); // It does not ask for a seventh.
    const weft_pid sink = start_sink(self, rig, &sink_stage, middle, 10, 5, 0);
    for (unsigned i = 0; i < 200; i++)
        expect(self, i / 2);
    rig_stop(self, sink);
    rig_stop(self, middle);
    rig_stop(self, source);
}
RIG_TEST(one_may_stand_between)

static void a_producers_end_is_told(struct weft_actor *self, struct rig *rig)
{
    const weft_pid source = start_source(self, rig, 10);
    const weft_pid sink = start_sink(self, rig, &sink_stage, source, 20, 5, 0);
    const weft_pid patient = start_sink(self, rig, &patient_stage, source, 20, 5, 0);
    uint16_t reason;
    weft_send(self, sink, 1, NULL, 0); // No stage's business.
    weft_send(self, sink, WEFT_STAGE_EVENT, "not asked", 9);
    weft_send(self, source, WEFT_STAGE_ASK, "odd", 3);
    bool told = false;
    for (unsigned i = 0; i < 11; i++)
        told = rig_number(rig_receive(self)) == 2000000 + WEFT_MESSAGE_USER || told;
    assert_true(told);
    uint64_t reference;
    assert_int_equal(weft_monitor(self, sink, &reference), 0);
    assert_int_equal(weft_kill(self, source), 0);
    for (unsigned i = 0; i < 2; i++) {
        const struct weft_message *message = rig_receive(self);
        if (message->tag == WEFT_MESSAGE_DOWN) {
            reason = message->type;
            assert_int_equal(reason, WEFT_EXIT_KILLED); // It ends with it.
        } else {
            assert_int_equal(rig_number(message), 1000000 + WEFT_EXIT_KILLED);
        }
    }
    rig_stop(self, patient);
}
RIG_TEST(a_producers_end_is_told)

// ---- What is refused. Between cores nobody is told; so: on one.

static weft_pid start_narrow(struct weft_actor *self, const struct weft_stage *stage,
                             const void *args, size_t length, uint32_t mailbox_max)
{
    const struct weft_start how = {.server = &stage->server,
                                   .args = args,
                                   .length = length,
                                   .spawn.overflow = WEFT_OVERFLOW_DROP_NEWEST,
                                   .spawn.mailbox_max = mailbox_max};
    return rig_start(self, &how);
}

static void what_a_full_mailbox_refuses_comes_later(struct weft_actor *self, struct rig *rig)
{
    const weft_pid source = start_source(self, rig, 100);
    const struct sink slow = {.how = {.producer = source, .max = 20, .min = 5},
                              .owner = weft_self(self),
                              .pause_ns = MS / 4};
    const weft_pid sink = start_narrow(self, &sink_stage, &slow, sizeof(slow), 4);
    for (unsigned i = 0; i < 100; i++)
        expect(self, i);
    assert_true(cores_dropped(&rig->cores, WEFT_DROP_MAILBOX_FULL) > 0); // It was as is said.
    rig_stop(self, sink);
    rig_stop(self, source);
}

// While one consumer's mailbox is full the others get theirs.
static void one_that_refuses_holds_up_nobody(struct weft_actor *self, struct rig *rig)
{
    const weft_pid source = start_source(self, rig, 0);
    const struct sink deaf = {.how = {.producer = source, .max = 50, .min = 5},
                              .owner = weft_self(self),
                              .pause_ns = 100 * MS};
    const weft_pid full = start_narrow(self, &sink_stage, &deaf, sizeof(deaf), 1);
    const weft_pid sink = start_sink(self, rig, &sink_stage, source, 40, 5, 0);
    assert_int_equal(rig_call(self, source, EMIT, 1), 1);
    expect(self, 0); // To the one that wants most, which sleeps now.
    assert_int_equal(rig_call(self, source, EMIT, 20), 20);
    for (unsigned i = 0; i < 19; i++) {
        const struct weft_message *message = rig_receive(self);
        assert_int_equal(message->from, sink);
    }
    assert_true(weft_now_ns(self) < WEFT_NS_PER_S + 90 * MS);
    assert_int_equal(weft_kill(self, full), 0);
    rig_stop(self, sink);
    rig_stop(self, source);
}

static void what_is_refused_when_asked_is_asked_again(struct weft_actor *self, struct rig *rig)
{
    const struct source plenty = {.left = 30};
    const weft_pid source = start_narrow(self, &source_stage, &plenty, sizeof(plenty), 1);
    rig_cast(self, source, 0, 5 * MS);
    weft_yield(self);
    assert_int_equal(weft_send(self, source, 1, NULL, 0), 0); // While it sleeps: full now.
    assert_int_equal(weft_send(self, source, 1, NULL, 0), -ENOBUFS);
    const weft_pid sink = start_sink(self, rig, &sink_stage, source, 10, 5, 0);
    for (unsigned i = 0; i < 30; i++)
        expect(self, i);
    rig_stop(self, sink);
    rig_stop(self, source);
}

#define ALONE_TEST(script)                                                                         \
    static void script##_alone(void **state)                                                       \
    {                                                                                              \
        static struct rig rig;                                                                     \
        (void)state;                                                                               \
        rig_run(&rig, "one core", 1, false, script);                                               \
    }
ALONE_TEST(what_a_full_mailbox_refuses_comes_later)
ALONE_TEST(one_that_refuses_holds_up_nobody)
ALONE_TEST(what_is_refused_when_asked_is_asked_again)

// ---- Out of memory, at every point where that can be, once and for a while. What was emitted
// comes in order, and nobody waits for ever: whoever can go on no more has ended, and with it the
// others.

static void make_or_end(struct weft_actor *self, void *state, uint64_t count)
{
    struct source *source = state;
    for (; count > 0 && source->left > 0; count--, source->left--, source->next++) {
        if (weft_stage_emit(self, &source->next, sizeof(source->next)) == 0) continue;
        weft_stop(self, WEFT_EXIT_QUOTA);
        return;
    }
}

static void have(struct weft_actor *self, void *state, struct weft_message *cast)
{
    struct source *source = state;
    source->left = rig_number(cast);
    make_or_end(self, state, weft_stage_wanted(self));
}

static const struct weft_stage poor_stage = {WEFT_STAGE("poor", struct source), .server.cast = have,
                                             .init = source_init, .demand = make_or_end};

struct counter {
    struct between how;
    uint64_t count;
};

static int counter_init(struct weft_actor *self, void *state, const void *args, size_t length)
{
    struct counter *counter = state;
    memcpy(counter, args, length);
    return subscribe(self, state, &counter->how, sizeof(counter->how));
}

static void tally(struct weft_actor *self, void *state, const void *event, size_t length)
{
    struct counter *counter = state;
    (void)self;
    assert_int_equal(length, sizeof(counter->count));
    assert_memory_equal(event, &counter->count, length); // None is missing, none comes twice.
    counter->count++;
}

static void counter_call(struct weft_actor *self, void *state, struct weft_message *call)
{
    const struct counter *counter = state;
    weft_reply(self, call, call->type, &counter->count, sizeof(counter->count));
}

static const struct weft_stage counter_stage = {WEFT_STAGE("counter", struct counter),
                                                .server.call = counter_call, .init = counter_init,
                                                .event = tally};

// Answers if all has come; else somebody has ended.
static bool all_came(struct weft_actor *self, struct rig *rig, uint64_t nth, bool on)
{
    enum { NUMBERS = 60 };
    struct weft_arena *arena = rig->cores.arena[0];
    const weft_pid source = start(self, &poor_stage, &(struct source){0}, sizeof(struct source), 0);
    const struct counter how = {.how = {.producer = source, .max = 10, .min = 5}};
    const weft_pid counter = start(self, &counter_stage, &how, sizeof(how), 0);
    uint64_t ended, number = 0;
    struct weft_message *reply;
    assert_int_equal(weft_monitor(self, counter, &ended), 0);
    weft_sleep(self, MS); // It has subscribed.
    rig_cast(self, source, 0, NUMBERS);
    weft_arena_refuse(arena, nth, on);
    weft_sleep(self, 3 * MS);
    weft_arena_refuse(arena, 0, false);
    weft_sleep(self, 10 * MS);
    const int result = weft_call(self, counter, COUNT, NULL, 0, WEFT_FOREVER, &reply);
    if (result == 0) {
        number = rig_number(reply);
        assert_int_equal(number, NUMBERS);
        weft_demonitor(self, ended);
        rig_stop(self, counter);
        rig_stop(self, source);
    } else {
        assert_int_equal(result, -ESRCH);
        assert_int_equal(rig_receive(self)->type, WEFT_EXIT_QUOTA);
        weft_kill(self, source); // It may have been the consumer that could not go on.
    }
    return result == 0;
}

static void without_memory_nobody_waits_for_ever(struct weft_actor *self, struct rig *rig)
{
    uint64_t came = 0;
    for (uint64_t nth = 1; nth <= 90; nth++) {
        came += all_came(self, rig, nth, false);
        all_came(self, rig, nth, true);
    }
    assert_in_range(came, 60, 90); // One refusal is got over, mostly.
}
ALONE_TEST(without_memory_nobody_waits_for_ever)

static bool can_refuse_memory(void)
{
    struct weft_arena *arena = weft_arena_create(WEFT_ARENA_BYTES_MIN);
    assert_non_null(arena);
    const bool can = weft_arena_refuse(arena, 0, false);
    weft_arena_free(arena);
    return can;
}

static void without_memory_somebody_is_told(void **state)
{
    if (!can_refuse_memory()) skip(); // A build that cannot play it.
    without_memory_nobody_waits_for_ever_alone(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_consumer_gets_what_it_asks_for_everywhere),
        cmocka_unit_test(the_slowest_sets_the_pace_everywhere),
        cmocka_unit_test(unasked_events_wait_everywhere),
        cmocka_unit_test(several_consumers_share_everywhere),
        cmocka_unit_test(one_may_stand_between_everywhere),
        cmocka_unit_test(a_producers_end_is_told_everywhere),
        cmocka_unit_test(what_a_full_mailbox_refuses_comes_later_alone),
        cmocka_unit_test(one_that_refuses_holds_up_nobody_alone),
        cmocka_unit_test(what_is_refused_when_asked_is_asked_again_alone),
        cmocka_unit_test(without_memory_somebody_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
