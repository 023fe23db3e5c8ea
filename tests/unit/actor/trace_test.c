// Who is followed is seen to send, to receive, to ask and to answer, to wait, to move and to end,
// on whatever core; who is not leaves nothing. A slow reader learns what it has missed.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#include "runtime/actor/trace.h"
#include "tests/unit/actor/play.h"

// ---- What the rings hold.

#define EVENTS_MAX 64

struct seen {
    struct weft_trace_record events[EVENTS_MAX];
    uint16_t core[EVENTS_MAX];
    unsigned count;
    uint64_t missed;
};

// All of the rings of followed actors, core by core.
static void see(struct cores *cores, struct seen *seen)
{
    memset(seen, 0, sizeof(*seen));
    for (unsigned i = 0; i < cores->count; i++) {
        const struct weft_trace_ring *ring = &cores->system[i].tracer->followed;
        uint64_t place = 0;
        while (seen->count < EVENTS_MAX &&
               weft_trace_read(ring, &place, &seen->events[seen->count], &seen->missed))
            seen->core[seen->count++] = (uint16_t)i;
    }
}

static bool is_in_flight(struct cores *cores, unsigned core, enum weft_trace_event event,
                         weft_pid pid)
{
    const struct weft_trace_ring *ring = &cores->system[core].tracer->flight;
    struct weft_trace_record record;
    uint64_t place = 0, missed = 0;
    while (weft_trace_read(ring, &place, &record, &missed)) {
        if (record.event == event && record.pid == pid) return true;
    }
    return false;
}

static void assert_event(const struct seen *seen, unsigned index, unsigned core,
                         enum weft_trace_event event, weft_pid pid, weft_pid peer)
{
    assert_true(index < seen->count);
    assert_string_equal(weft_trace_name(seen->events[index].event), weft_trace_name(event));
    assert_int_equal(seen->core[index], core);
    assert_int_equal(seen->events[index].pid, pid);
    assert_int_equal(seen->events[index].peer, peer);
}

// ---- Who plays.

static void answer(struct weft_actor *self, void *context, struct weft_message *message)
{
    (void)context;
    if (message->type == 99) weft_stop(self, WEFT_EXIT_NORMAL);
    if (message->tag == WEFT_MESSAGE_CALL)
        weft_reply(self, message, 7, "reply", 5);
    else if (message->from != 0)
        weft_send(self, message->from, 8, "again", 5);
}

struct asker {
    weft_pid to;
    int result;
};

// Told to, it sends one message and asks one question.
static void ask(struct weft_actor *self, void *context)
{
    struct asker *asker = context;
    weft_receive(self, WEFT_FOREVER);
    weft_send(self, asker->to, 3, "abc", 3);
    asker->result = weft_call(self, asker->to, 4, "hello", 5, WEFT_FOREVER, NULL);
    while (weft_receive(self, WEFT_FOREVER)->type != 99)
        continue;
}

static struct weft_actor *find(struct cores *cores, weft_pid pid)
{
    struct weft_actor *actor = play_find(cores, pid);
    assert_non_null(actor);
    return actor;
}

// One asks another, on core `other`; followed is whoever `which` says.
static void play_question(unsigned other, bool asker_is_followed, struct seen *seen,
                          weft_pid pids[2])
{
    static struct cores cores;
    struct asker asker = {0};
    cores_open(&cores, 2, 64);
    pids[1] = asker.to = play_hand_on(&cores, other, answer, NULL);
    pids[0] = play_body_on(&cores, 0, ask, &asker);
    cores_settle(&cores);
    struct weft_actor *followed = find(&cores, pids[asker_is_followed ? 0 : 1]);
    assert_int_equal(weft_trace_follow(followed), 0);
    assert_true(followed->system->attends);
    play_send(&cores, pids[0], 1);
    cores_settle(&cores);
    assert_int_equal(asker.result, 0);
    see(&cores, seen);
    weft_trace_unfollow(find(&cores, pids[asker_is_followed ? 0 : 1]));
    assert_false(cores.system[0].attends || cores.system[1].attends);
    play_send(&cores, pids[0], 99);
    play_send(&cores, pids[1], 99);
    play_close(&cores);
    assert_int_equal(seen->missed, 0);
}

static void messages_of_both_sides_are_seen(void **state)
{
    (void)state;
    for (unsigned other = 0; other < 2; other++) {
        struct seen seen;
        weft_pid pids[2];
        play_question(other, true, &seen, pids);
        const unsigned last = seen.count - 1;
        assert_event(&seen, 0, 0, WEFT_TRACE_RECEIVE, pids[0], 0);
        assert_int_equal(seen.events[0].type, 1);
        assert_event(&seen, 1, 0, WEFT_TRACE_SEND, pids[0], pids[1]);
        assert_int_equal(seen.events[1].type, 3);
        assert_int_equal(seen.events[1].value, 3);
        assert_event(&seen, 2, 0, WEFT_TRACE_SEND, pids[0], pids[1]);
        assert_int_equal(seen.events[2].tag, WEFT_MESSAGE_CALL);
        assert_event(&seen, 3, 0, WEFT_TRACE_RECEIVE, pids[0], pids[1]);
        assert_int_equal(seen.events[3].tag, WEFT_MESSAGE_REPLY);
        assert_int_equal(seen.events[3].type, 7);
        assert_event(&seen, last, 0, WEFT_TRACE_RECEIVE, pids[0], pids[1]); // "again".
        assert_int_equal(seen.events[last].type, 8);
        assert_int_equal(seen.count, 5);

        play_question(other, false, &seen, pids);
        assert_event(&seen, 0, other, WEFT_TRACE_RECEIVE, pids[1], pids[0]);
        assert_event(&seen, 1, other, WEFT_TRACE_SEND, pids[1], pids[0]);
        assert_event(&seen, 2, other, WEFT_TRACE_RECEIVE, pids[1], pids[0]);
        assert_int_equal(seen.events[2].tag, WEFT_MESSAGE_CALL);
        assert_event(&seen, 3, other, WEFT_TRACE_SEND, pids[1], pids[0]);
        assert_int_equal(seen.events[3].tag, WEFT_MESSAGE_REPLY);
        assert_int_equal(seen.count, 4);
    }
}

static void others_leave_nothing(void **state)
{
    static struct cores cores;
    struct asker asker = {0};
    struct seen seen;
    (void)state;
    cores_open(&cores, 1, 64);
    asker.to = play_hand_on(&cores, 0, answer, NULL);
    const weft_pid pid = play_body_on(&cores, 0, ask, &asker);
    const weft_pid third = play_hand_on(&cores, 0, answer, NULL);
    weft_trace_follow(find(&cores, third)); // The core attends, and it is none of theirs.
    play_send(&cores, pid, 1);
    cores_settle(&cores);
    see(&cores, &seen);
    assert_int_equal(seen.count, 0);
    weft_trace_unfollow(find(&cores, third));
    weft_trace_unfollow(find(&cores, third)); // Nobody does.
    assert_false(cores.system[0].attends);
    assert_int_equal(find(&cores, third)->task.flags & WEFT_ACTOR_INDEXED, 0);
    play_send(&cores, pid, 99);
    play_send(&cores, asker.to, 99);
    play_send(&cores, third, 99);
    play_close(&cores);
}

// ---- Moves, and what two followers see.

static void follow_the_leader(struct weft_actor *self, void *context)
{
    (void)context;
    for (struct weft_message *message; (message = weft_receive(self, WEFT_FOREVER)) != NULL;) {
        if (message->type == 99) return;
        weft_move(self, message->type);
    }
}

static void a_move_takes_it_along(void **state)
{
    static struct cores cores;
    struct seen seen;
    (void)state;
    cores_open(&cores, 3, 64);
    const weft_pid pid = play_body_on(&cores, 0, follow_the_leader, NULL);
    cores_settle(&cores);
    weft_trace_follow(find(&cores, pid));
    weft_trace_follow(find(&cores, pid)); // Two do.
    play_send(&cores, pid, 2);
    cores_settle(&cores);
    assert_false(cores.system[0].attends);
    assert_true(cores.system[2].attends);
    weft_trace_unfollow(find(&cores, pid));
    assert_true(cores.system[2].attends);
    play_send(&cores, pid, 1);
    cores_settle(&cores);
    play_send(&cores, pid, 99);
    cores_settle(&cores);
    see(&cores, &seen);
    assert_event(&seen, 0, 0, WEFT_TRACE_RECEIVE, pid, 0);
    assert_event(&seen, 1, 1, WEFT_TRACE_MOVE, pid, 0);
    assert_int_equal(seen.events[1].value, 2);
    assert_event(&seen, 2, 1, WEFT_TRACE_RECEIVE, pid, 0); // 99
    assert_event(&seen, 3, 1, WEFT_TRACE_EXIT, pid, 0);
    assert_int_equal(seen.events[3].value, WEFT_EXIT_NORMAL);
    assert_event(&seen, 4, 2, WEFT_TRACE_MOVE, pid, 0);
    assert_event(&seen, 5, 2, WEFT_TRACE_RECEIVE, pid, 0);
    assert_int_equal(seen.count, 6);
    for (unsigned i = 0; i < 3; i++)
        assert_false(cores.system[i].attends); // It has ended, followed as it was.
    assert_true(is_in_flight(&cores, 0, WEFT_TRACE_SPAWN, pid));
    assert_true(is_in_flight(&cores, 2, WEFT_TRACE_MOVE, pid));
    assert_true(is_in_flight(&cores, 1, WEFT_TRACE_EXIT, pid));
    play_close(&cores);
}

// ---- Waiting for room, children, and receives that look for one.

static void flood(struct weft_actor *self, void *context)
{
    const weft_pid *to = context;
    weft_receive(self, WEFT_FOREVER);
    for (unsigned i = 0; i < 12; i++)
        weft_send(self, *to, 0, NULL, 0);
}

static void sip(struct weft_actor *self, void *context)
{
    (void)context;
    for (unsigned i = 0; i < 12; i++) {
        weft_receive(self, WEFT_FOREVER);
        weft_yield(self);
    }
}

static unsigned count_of(const struct seen *seen, enum weft_trace_event event, weft_pid pid,
                         weft_pid peer)
{
    unsigned count = 0;
    for (unsigned i = 0; i < seen->count; i++)
        count += seen->events[i].event == event && seen->events[i].pid == pid &&
                 seen->events[i].peer == peer;
    return count;
}

static void waiting_for_room_is_seen(void **state)
{
    static struct cores cores;
    struct play_role role;
    struct seen seen;
    (void)state;
    cores_open(&cores, 1, 64);
    struct weft_spawn spawn = play_as(&role, sip, NULL, NULL);
    spawn.mailbox_max = 2;
    weft_pid sipper = play_spawn(&cores, 0, &spawn);
    const weft_pid flooder = play_body_on(&cores, 0, flood, &sipper);
    cores_settle(&cores);
    weft_trace_follow(find(&cores, flooder));
    play_send(&cores, flooder, 0);
    cores_settle(&cores);
    see(&cores, &seen);
    const unsigned mutes = count_of(&seen, WEFT_TRACE_MUTE, flooder, sipper);
    assert_true(mutes > 0);
    assert_int_equal(count_of(&seen, WEFT_TRACE_UNMUTE, flooder, sipper), mutes);
    assert_int_equal(count_of(&seen, WEFT_TRACE_SEND, flooder, sipper), 12);
    assert_int_equal(count_of(&seen, WEFT_TRACE_EXIT, flooder, 0), 1);
    assert_false(cores.system[0].attends); // Of the dam as well.
    assert_true(is_in_flight(&cores, 0, WEFT_TRACE_MUTE, flooder));
    play_close(&cores);
}

static void bear(struct weft_actor *self, void *context)
{
    weft_pid *child = context;
    struct play_role role;
    const struct weft_spawn spawn = play_as(&role, NULL, answer, NULL);
    const struct weft_match second = {.has_type = true, .type = 2};
    weft_receive_match(self, &second, WEFT_FOREVER);
    assert_int_equal(weft_spawn(self, &spawn, child), 0);
    const uint64_t reference = weft_call_begin(self, *child, 5, NULL, 0, NULL);
    assert_int_equal(weft_await(self, reference, WEFT_FOREVER, NULL), 0);
    weft_receive(self, WEFT_FOREVER);
}

static void children_and_choices_are_seen(void **state)
{
    static struct cores cores;
    struct seen seen;
    weft_pid child = 0;
    (void)state;
    cores_open(&cores, 1, 64);
    const weft_pid pid = play_body_on(&cores, 0, bear, &child);
    cores_settle(&cores);
    weft_trace_follow(find(&cores, pid));
    play_send(&cores, pid, 1);
    play_send(&cores, pid, 2);
    cores_settle(&cores);
    see(&cores, &seen);
    assert_event(&seen, 0, 0, WEFT_TRACE_RECEIVE, pid, 0);
    assert_int_equal(seen.events[0].type, 2);
    assert_event(&seen, 1, 0, WEFT_TRACE_SPAWN, child, pid);
    assert_event(&seen, 2, 0, WEFT_TRACE_SEND, pid, child);
    assert_event(&seen, 3, 0, WEFT_TRACE_RECEIVE, pid, child);
    assert_int_equal(seen.events[3].tag, WEFT_MESSAGE_REPLY);
    assert_event(&seen, 4, 0, WEFT_TRACE_RECEIVE, pid, 0);
    assert_event(&seen, 5, 0, WEFT_TRACE_EXIT, pid, 0);
    assert_int_equal(seen.count, 6);
    play_kill(&cores, child);
    play_close(&cores);
}

// ---- The ring, and readers that are too slow.

static void a_slow_reader_learns_what_it_missed(void **state)
{
    static struct cores cores;
    (void)state;
    cores_open(&cores, 1, 64);
    struct weft_actor_system *system = &cores.system[0];
    const struct weft_trace_ring *ring = &system->tracer->flight;
    static const unsigned counts[] = {
        0, 1, WEFT_TRACE_RECORDS - 1, 1, WEFT_TRACE_RECORDS + 5, 3 * WEFT_TRACE_RECORDS, 7};
    uint64_t place = weft_trace_end(ring), missed = 0, written = 0, told = 0;
    uint32_t last = 0;
    for (size_t i = 0; i < WEFT_COUNT_OF(counts); i++) {
        struct weft_trace_record record;
        for (unsigned n = 0; n < counts[i]; n++)
            weft_trace(system, WEFT_TRACE_EXIT, 1, ++written);
        while (weft_trace_read(ring, &place, &record, &missed)) {
            assert_true(record.value > last); // In order, and none twice.
            last = record.value;
            assert_int_equal(record.pid, 1);
            assert_int_equal(record.peer, 0);
            assert_int_equal(record.time_ns / 16, system->core->now_ns / 16);
            told++;
        }
        assert_int_equal(last, written);
        assert_int_equal(told + missed, written);
    }
    assert_true(missed > 3 * WEFT_TRACE_RECORDS);
    assert_int_equal(weft_trace_end(ring) - weft_trace_tail(ring, 10), 10);
    cores_close(&cores);
}

// A reader beside the writer sees whole records, in order, and every one is told or missed.
#define BESIDE UINT64_C(300000)

static void *write_beside(void *argument)
{
    struct weft_actor_system *system = argument;
    for (uint64_t n = 1; n <= BESIDE; n++)
        weft_trace(system, WEFT_TRACE_SPAWN, n, ~n);
    return NULL;
}

static void records_are_whole_beside_the_writer(void **state)
{
    static struct cores cores;
    pthread_t writer;
    struct weft_trace_record record;
    (void)state;
    cores_open(&cores, 1, 64);
    const struct weft_trace_ring *ring = &cores.system[0].tracer->flight;
    uint64_t place = weft_trace_end(ring), missed = 0, told = 0, last = 0;
    assert_int_equal(pthread_create(&writer, NULL, write_beside, &cores.system[0]), 0);
    while (last < BESIDE) {
        if (!weft_trace_read(ring, &place, &record, &missed)) continue;
        if (record.peer != ~record.pid || record.pid <= last)
            fail_msg("torn at %" PRIu64, record.pid);
        last = record.pid;
        told++;
    }
    pthread_join(writer, NULL);
    assert_int_equal(told + missed, BESIDE);
    cores_close(&cores);
}

static void without_a_tracer_nobody_is_followed(void **state)
{
    static struct cores cores;
    (void)state;
    cores_open(&cores, 1, 64);
    struct weft_tracer *tracer = cores.system[0].tracer;
    cores.system[0].tracer = NULL;
    const weft_pid pid = play_hand_on(&cores, 0, answer, NULL);
    assert_int_equal(weft_trace_follow(find(&cores, pid)), -ENOTSUP);
    play_send(&cores, pid, 99);
    cores_settle(&cores);
    cores.system[0].tracer = tracer;
    play_close(&cores);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_both_sides_are_seen),
        cmocka_unit_test(others_leave_nothing),
        cmocka_unit_test(a_move_takes_it_along),
        cmocka_unit_test(waiting_for_room_is_seen),
        cmocka_unit_test(children_and_choices_are_seen),
        cmocka_unit_test(a_slow_reader_learns_what_it_missed),
        cmocka_unit_test(records_are_whole_beside_the_writer),
        cmocka_unit_test(without_a_tracer_nobody_is_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
