// Messages that come later: once and again, cancelled, far away, and with actors that move or end.
#include "tests/support/cmocka.h"

#include <errno.h>

#include "tests/unit/actor/play.h"

#define MS      WEFT_NS_PER_MS
#define LATE_NS (2 * WEFT_WHEEL_TICK_NS)

// Notes when it got which timer.
struct listener {
    uint64_t at_ns[64];
    uint64_t reference[64];
    uint16_t type[64];
    uint32_t length[64];
    unsigned count;
    weft_pid from;
    uint64_t sleeps_ns; // In each handling.
    bool keeps;
    struct weft_message *kept;
};

static void listen(struct weft_actor *self, void *context, struct weft_message *message)
{
    struct listener *listener = context;
    if (message->tag != WEFT_MESSAGE_TIMER) { // "Let the kept one go."
        weft_release(self, listener->kept);
        listener->kept = NULL;
        return;
    }
    if (listener->count == WEFT_COUNT_OF(listener->at_ns)) return;
    listener->at_ns[listener->count] = weft_now_ns(self);
    listener->reference[listener->count] = message->reference;
    listener->length[listener->count] = message->length;
    listener->type[listener->count++] = message->type;
    listener->from = message->from;
    for (uint32_t i = 0; i < message->length; i++)
        assert_int_equal(message->payload[i], 'x');
    if (listener->keeps && listener->kept == NULL && weft_keep(self, message) == 0)
        listener->kept = message;
    if (listener->sleeps_ns != 0) weft_sleep(self, listener->sleeps_ns);
}

// The test acts as the owner: on core 0.
static uint64_t arm(struct cores *cores, weft_pid owner, weft_pid to, uint64_t delay_ns,
                    bool repeats, size_t length)
{
    uint64_t reference = 0;
    char text[4096];
    struct weft_actor *actor = play_find(cores, owner);
    memset(text, 'x', sizeof(text));
    play_begin(actor);
    assert_int_equal((repeats ? weft_send_interval : weft_send_after)(actor, to, delay_ns, 3, text,
                                                                      length, &reference),
                     0);
    play_end(actor);
    return reference;
}

static int cancel(struct cores *cores, weft_pid owner, uint64_t reference)
{
    struct weft_actor *actor = play_find(cores, owner);
    play_begin(actor);
    const int result = weft_timer_cancel(actor, reference);
    play_end(actor);
    return result;
}

static int64_t left_ns(struct cores *cores, weft_pid owner, uint64_t reference)
{
    struct weft_actor *actor = play_find(cores, owner);
    play_begin(actor);
    const int64_t result = weft_timer_left_ns(actor, reference);
    play_end(actor);
    return result;
}

static void a_timer_fires_once_at_its_time(void **state)
{
    (void)state;
    static const uint64_t delays_ns[] = {0,  1,       50000,     65536,     100000,
                                         MS, 17 * MS, 1000 * MS, 5000 * MS, 3600000 * MS};
    for (size_t i = 0; i < 2 * WEFT_COUNT_OF(delays_ns); i++) {
        static struct cores cores;
        struct listener listener = {.count = 0};
        const uint64_t delay_ns = delays_ns[i / 2];
        cores_open(&cores, 2, 16);
        const weft_pid owner = play_hand_on(&cores, 0, listen, &listener);
        const weft_pid to = i % 2 == 0 ? owner : play_hand_on(&cores, 1, listen, &listener);
        cores_settle(&cores);
        const uint64_t start_ns = cores.core[0]->now_ns;
        const uint64_t reference = arm(&cores, owner, to, delay_ns, false, i % 7 * 600);
        assert_int_equal(left_ns(&cores, owner, reference), delay_ns);
        play_for(&cores, delay_ns / 2);
        if (delay_ns > 1) assert_int_equal(listener.count, 0);
        play_for(&cores, delay_ns / 2 + 4 * LATE_NS);
        assert_int_equal(listener.count, 1);
        assert_in_range(listener.at_ns[0] - start_ns, delay_ns, delay_ns + 2 * LATE_NS);
        assert_int_equal(listener.reference[0], reference);
        assert_int_equal(listener.type[0], 3);
        assert_int_equal(listener.length[0], i % 7 * 600);
        assert_int_equal(listener.from, owner);
        assert_int_equal(left_ns(&cores, owner, reference), -1);
        assert_int_equal(cancel(&cores, owner, reference), -ENOENT);
        play_for(&cores, MS);
        assert_int_equal(listener.count, 1);
        play_kill(&cores, owner);
        if (to != owner) play_kill(&cores, to);
        play_close(&cores);
    }
}

static void many_timers_fire_in_the_order_of_their_times(void **state)
{
    (void)state;
    static struct cores cores;
    struct listener listener = {.count = 0};
    uint64_t references[40];
    cores_open(&cores, 1, 16);
    const weft_pid pid = play_hand_on(&cores, 0, listen, &listener);
    for (unsigned i = 0; i < 40; i++) // 7 and 40 have no common factor.
        references[i * 7 % 40] = arm(&cores, pid, pid, (i * 7 % 40 + 1) * MS, false, 4);
    for (unsigned i = 0; i < 40; i += 4)
        assert_int_equal(cancel(&cores, pid, references[i]), 0);
    for (unsigned i = 0; i < 40; i += 4)
        assert_int_equal(cancel(&cores, pid, references[i]), -ENOENT);
    play_for(&cores, 50 * MS);
    assert_int_equal(listener.count, 30);
    for (unsigned i = 0, n = 0; i < 40; i++) {
        if (i % 4 != 0) assert_int_equal(listener.reference[n++], references[i]);
    }
    play_kill(&cores, pid);
    play_close(&cores);
}

static void an_interval_ticks_by_the_clock(void **state)
{
    (void)state;
    for (unsigned far = 0; far < 2; far++) {
        static struct cores cores;
        struct listener listener = {.count = 0};
        cores_open(&cores, 2, 16);
        const weft_pid owner = play_hand_on(&cores, 0, listen, &listener);
        const weft_pid to = far ? play_hand_on(&cores, 1, listen, &listener) : owner;
        cores_settle(&cores);
        const uint64_t start_ns = cores.core[0]->now_ns;
        const uint64_t reference = arm(&cores, owner, to, MS, true, 8);
        play_for(&cores, 20 * MS + LATE_NS);
        assert_in_range(listener.count, 20, 20);
        for (unsigned i = 0; i < 20; i++) { // No drift: each by the first, not by the one before.
            assert_in_range(listener.at_ns[i] - start_ns, (i + 1) * MS, (i + 1) * MS + 2 * LATE_NS);
            assert_int_equal(listener.reference[i], reference);
        }
        assert_in_range(left_ns(&cores, owner, reference), 0, MS);
        assert_int_equal(cancel(&cores, owner, reference), 0);
        play_for(&cores, 10 * MS);
        assert_int_equal(listener.count, 20);
        play_kill(&cores, owner);
        if (far) play_kill(&cores, to);
        play_close(&cores);
    }
}

static void ticks_do_not_pile_up(void **state)
{
    (void)state;
    for (unsigned far = 0; far < 2; far++) {
        static struct cores cores;
        struct listener listener = {.sleeps_ns = 10 * MS + MS / 2};
        cores_open(&cores, 2, 16);
        const weft_pid owner = play_hand_on(&cores, 0, listen, &listener);
        const weft_pid to = far ? play_hand_on(&cores, 1, listen, &listener) : owner;
        const uint64_t reference = arm(&cores, owner, to, MS, true, 8);
        play_for(&cores, 50 * MS);
        // While it sleeps in one, none is sent.
        assert_in_range(listener.count, 4, 5);
        assert_true(weft_list_empty(&play_find(&cores, to)->mailbox));
        assert_int_equal(cancel(&cores, owner, reference), 0);
        play_for(&cores, 20 * MS);
        play_kill(&cores, owner);
        if (far) play_kill(&cores, to);
        play_close(&cores);
    }
}

static void a_tick_that_is_kept_holds_the_next_ones_back(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        static struct cores cores;
        struct listener listener = {.keeps = true};
        cores_open(&cores, 2, 16);
        const weft_pid owner = play_hand_on(&cores, 0, listen, &listener);
        const weft_pid to = i % 2 ? play_hand_on(&cores, 1, listen, &listener) : owner;
        const uint64_t reference = arm(&cores, owner, to, MS, true, 8);
        play_for(&cores, 5 * MS);
        assert_int_equal(listener.count, 1);
        listener.keeps = false;
        if (i / 2) assert_int_equal(cancel(&cores, owner, reference), 0);
        play_send(&cores, to, 1); // It lets it go: it ticks again, unless it was cancelled.
        play_for(&cores, 5 * MS);
        assert_int_equal(listener.count, i / 2 ? 1 : 6);
        play_kill(&cores, owner); // A timer ends with its owner.
        cores_settle(&cores);
        const unsigned count = listener.count;
        play_for(&cores, 5 * MS);
        assert_int_equal(listener.count, count);
        if (i % 2) play_kill(&cores, to);
        play_close(&cores);
    }
}

static void a_core_that_slept_through_ticks_sends_one(void **state)
{
    (void)state;
    static struct cores cores;
    struct listener listener = {.count = 0};
    cores_open(&cores, 1, 16);
    const weft_pid pid = play_hand_on(&cores, 0, listen, &listener);
    cores_settle(&cores);
    const uint64_t start_ns = cores.core[0]->now_ns;
    arm(&cores, pid, pid, MS, true, 0);
    cores.now_ns = start_ns + 10 * MS + MS / 2;
    cores_settle(&cores);
    assert_int_equal(listener.count, 1);
    play_for(&cores, MS);
    assert_int_equal(listener.count, 2);
    assert_in_range(listener.at_ns[1] - start_ns, 11 * MS, 11 * MS + LATE_NS);
    play_kill(&cores, pid);
    play_close(&cores);
}

static void too_short_an_interval_is_lengthened(void **state)
{
    (void)state;
    static struct cores cores;
    struct listener listener = {.count = 0};
    cores_open(&cores, 1, 16);
    const weft_pid pid = play_hand_on(&cores, 0, listen, &listener);
    arm(&cores, pid, pid, 0, true, 0);
    play_for(&cores, MS);
    assert_in_range(listener.count, 7, 10);
    play_kill(&cores, pid);
    play_close(&cores);
}

static void pass_on(struct weft_actor *self, void *context, struct weft_message *message)
{
    if (message->tag == WEFT_MESSAGE_TIMER) weft_send_message(self, *(weft_pid *)context, message);
}

struct end {
    unsigned users, timers;
};

static void count_kinds(struct weft_actor *self, void *context, struct weft_message *message)
{
    struct end *end = context;
    (void)self;
    end->users += message->tag == WEFT_MESSAGE_USER && message->length == 8;
    end->timers += message->tag == WEFT_MESSAGE_TIMER;
}

// What is sent on is an ordinary message, and a tick goes back to its timer.
static void a_timer_message_can_be_sent_on(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        static struct cores cores;
        struct listener unused = {.count = 0};
        struct end end = {0};
        weft_pid last;
        cores_open(&cores, 3, 16);
        last = play_hand_on(&cores, i & 1 ? 2 : 0, count_kinds, &end);
        const weft_pid owner = play_hand_on(&cores, 0, listen, &unused);
        const weft_pid between = play_hand_on(&cores, i & 2 ? 1 : 0, pass_on, &last);
        arm(&cores, owner, between, MS, i & 4, 8);
        play_for(&cores, 5 * MS + LATE_NS);
        assert_int_equal(end.users, i & 4 ? 5 : 1);
        assert_int_equal(end.timers, 0);
        play_kill(&cores, owner);
        play_kill(&cores, between);
        play_kill(&cores, last);
        play_close(&cores);
    }
}

// To somebody who has ended, or ends with ticks unread.
static void a_timer_to_the_dead_costs_nothing(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        static struct cores cores;
        struct listener listener = {.count = 0};
        cores_open(&cores, 2, 16);
        const weft_pid owner = play_hand_on(&cores, 0, listen, &listener);
        const weft_pid to = play_hand_on(&cores, i & 1, listen, &listener);
        const uint64_t reference = arm(&cores, owner, to, MS, i & 2, 8);
        if (i & 4) { // One is unread when it ends.
            play_find(&cores, to)->task.flags |= WEFT_ACTOR_SELECTIVE;
            play_for(&cores, 3 * MS);
            assert_false(weft_list_empty(&play_find(&cores, to)->mailbox));
        }
        play_kill(&cores, to);
        play_for(&cores, 5 * MS);
        assert_int_equal(listener.count, 0);
        assert_int_equal(cancel(&cores, owner, reference), i & 2 ? 0 : -ENOENT);
        play_kill(&cores, owner);
        play_close(&cores);
    }
}

// ---- Moving.

struct mover {
    struct listener listener;
    uint16_t cores_seen;
};

static void live_and_move(struct weft_actor *self, void *context)
{
    struct mover *mover = context;
    uint64_t once, again, cancelled;
    const uint64_t start_ns = weft_now_ns(self);
    assert_int_equal(weft_send_after(self, weft_self(self), 6 * MS, 1, "x", 1, &once), 0);
    assert_int_equal(weft_send_after(self, weft_self(self), 7 * MS, 1, "x", 1, &cancelled), 0);
    assert_int_equal(weft_send_interval(self, weft_self(self), MS, 2, "x", 1, &again), 0);
    for (unsigned i = 0; i < 30; i++) {
        assert_int_equal(weft_move(self, (uint16_t)(i % 3)), 0);
        assert_int_equal(weft_core_index(self), i % 3);
        mover->cores_seen |= (uint16_t)(1u << weft_core_index(self));
        if (i == 5) {
            assert_true(weft_timer_left_ns(self, cancelled) > 0);
            assert_int_equal(weft_timer_cancel(self, cancelled), 0);
        }
        struct weft_message *message = weft_receive(self, WEFT_FOREVER);
        listen(self, &mover->listener, message);
        assert_int_equal(message->reference, message->type == 1 ? once : again);
    }
    assert_in_range(weft_now_ns(self) - start_ns, 29 * MS, 30 * MS);
    assert_int_equal(weft_timer_left_ns(self, once), -1);
    assert_int_equal(weft_timer_cancel(self, again), 0);
    // A wait with a time-out too, over a move while it waits.
    assert_null(weft_receive(self, 3 * MS));
}

static void timers_move_with_their_actor(void **state)
{
    (void)state;
    static struct cores cores;
    struct mover mover = {.cores_seen = 0};
    cores_open(&cores, 3, 16);
    const weft_pid pid = play_body_on(&cores, 0, live_and_move, &mover);
    play_for(&cores, 40 * MS);
    assert_null(play_find(&cores, pid));
    assert_int_equal(mover.cores_seen, 7);
    play_close(&cores);
}

static void wait_and_be_moved(struct weft_actor *self, void *context)
{
    struct listener *listener = context;
    const uint64_t start_ns = weft_now_ns(self);
    weft_receive(self, 5 * MS);
    listener->at_ns[0] = weft_now_ns(self) - start_ns;
    weft_sleep(self, 5 * MS);
    listener->at_ns[1] = weft_now_ns(self) - start_ns;
    listener->count = 1;
}

// Moved by others while it waits: before the time, and so that the time comes while it is frozen.
static void a_wait_is_as_long_if_it_is_moved_meanwhile(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        static struct cores cores;
        struct listener listener = {.count = 0};
        cores_open(&cores, 3, 16);
        const weft_pid pid = play_body_on(&cores, 0, wait_and_be_moved, &listener);
        cores_settle(&cores);
        for (unsigned n = 0; n < 40 && listener.count == 0; n++) {
            struct weft_actor *actor = play_find(&cores, pid);
            if (actor != NULL && actor->system->running == NULL)
                weft_move_start(actor, (uint16_t)((actor->system->index + 1 + n % 2) % 3));
            cores.now_ns += i % 4 == 3 ? 5 * MS : 100000 + 13000 * i; // Frozen over the time.
            for (unsigned c = 0; c < i % 4; c++)
                weft_core_turn(cores.core[c % 3]);
            cores_settle(&cores);
        }
        play_for(&cores, 12 * MS);
        assert_int_equal(listener.count, 1);
        assert_true(listener.at_ns[0] >= 5 * MS && listener.at_ns[1] >= listener.at_ns[0] + 5 * MS);
        play_close(&cores);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_fires_once_at_its_time),
        cmocka_unit_test(many_timers_fire_in_the_order_of_their_times),
        cmocka_unit_test(an_interval_ticks_by_the_clock),
        cmocka_unit_test(ticks_do_not_pile_up),
        cmocka_unit_test(a_tick_that_is_kept_holds_the_next_ones_back),
        cmocka_unit_test(a_core_that_slept_through_ticks_sends_one),
        cmocka_unit_test(too_short_an_interval_is_lengthened),
        cmocka_unit_test(a_timer_message_can_be_sent_on),
        cmocka_unit_test(a_timer_to_the_dead_costs_nothing),
        cmocka_unit_test(timers_move_with_their_actor),
        cmocka_unit_test(a_wait_is_as_long_if_it_is_moved_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
