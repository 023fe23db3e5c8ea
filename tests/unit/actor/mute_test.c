// Mailboxes at their limit: what each policy does, who waits and until when, and alarms.
#include "tests/support/cmocka.h"

#include <errno.h>

#include "tests/unit/actor/play.h"

#define MS WEFT_NS_PER_MS

// ---- A sender of numbered messages, and a receiver that reads when it is told to.

struct stream {
    weft_pid to;
    unsigned count, sent, refused;
    int last;
};

static void send_numbers(struct weft_actor *self, void *context)
{
    struct stream *stream = context;
    for (uint64_t i = 0; i < stream->count; i++) {
        stream->last = weft_send(self, stream->to, 1, &i, sizeof(i));
        if (stream->last == 0)
            stream->sent++;
        else
            stream->refused++;
    }
}

struct reader {
    uint64_t got[4096];
    unsigned count;
    uint32_t longest; // Its mailbox was, when it looked.
    uint16_t end;
    bool reads;
};

static void read_numbers(struct weft_actor *self, void *context)
{
    struct reader *reader = context;
    while (!reader->reads)
        weft_sleep(self, MS / 10);
    for (const struct weft_message *message;
         (message = weft_receive(self, WEFT_FOREVER)) != NULL;) {
        if (weft_mailbox_count(self) + 1 > reader->longest)
            reader->longest = weft_mailbox_count(self) + 1;
        if (message->tag != WEFT_MESSAGE_USER) continue;
        if (reader->count < WEFT_COUNT_OF(reader->got))
            memcpy(&reader->got[reader->count], message->payload, sizeof(uint64_t));
        reader->count++;
    }
}

static void note_end(struct weft_actor *self, void *state, uint16_t reason)
{
    (void)self;
    ((struct reader *)((struct play_role *)state)->context)->end = (uint16_t)(reason + 1);
}

static const struct weft_actor_kind reader_kind = {.name = "reader",
                                                   .state_bytes = sizeof(struct play_role),
                                                   .main = play_main,
                                                   .terminate = note_end};

static weft_pid spawn_reader(struct cores *cores, unsigned core, struct reader *reader,
                             uint8_t overflow, uint32_t limit)
{
    const struct play_role role = {.body = read_numbers, .context = reader};
    const struct weft_spawn spawn = {
        .kind = &reader_kind, .state = &role, .overflow = overflow, .mailbox_max = limit};
    return play_spawn(cores, core, &spawn);
}

static void kill_if_there(struct cores *cores, weft_pid pid)
{
    if (play_find(cores, pid) != NULL) play_kill(cores, pid);
}

static void each_policy_does_what_it_says(void **state)
{
    (void)state;
    static const struct {
        uint8_t overflow;
        unsigned sent, refused; // At the sender's, before anybody reads; on one core.
        unsigned far_sent;      // From another core the sender is told nothing.
        unsigned got, first;    // Read at last: so many, from this number on.
        uint16_t end;
    } cases[] = {
        {WEFT_OVERFLOW_MUTE, 10, 0, 0, 25, 0, 0},
        {WEFT_OVERFLOW_DROP_NEWEST, 10, 15, 25, 10, 0, 0},
        {WEFT_OVERFLOW_DROP_OLDEST, 25, 0, 25, 10, 15, 0},
        {WEFT_OVERFLOW_EXIT, 10, 15, 25, 0, 0, WEFT_EXIT_QUOTA + 1},
    };
    for (size_t i = 0; i < 2 * WEFT_COUNT_OF(cases); i++) {
        static struct cores cores;
        static struct reader reader;
        const bool far = i % 2;
        struct stream stream = {.count = 25};
        memset(&reader, 0, sizeof(reader));
        cores_open(&cores, 2, 16);
        stream.to = spawn_reader(&cores, 0, &reader, cases[i / 2].overflow, 10);
        cores_settle(&cores);
        const weft_pid sender = play_body_on(&cores, far, send_numbers, &stream);
        cores_settle(&cores);
        if (cases[i / 2].overflow == WEFT_OVERFLOW_MUTE) {
            // It waits in the send that found it full: that one is in.
            if (!far) assert_int_equal(stream.sent, 10);
            if (!far) assert_int_equal(play_find(&cores, stream.to)->mailbox_count, 11);
        } else {
            assert_int_equal(stream.sent, far ? cases[i / 2].far_sent : cases[i / 2].sent);
            assert_int_equal(stream.refused, far ? 0 : cases[i / 2].refused);
            if (!far && stream.refused > 0 && cases[i / 2].end == 0)
                assert_int_equal(stream.last, -ENOBUFS);
        }
        reader.reads = true;
        play_for(&cores, 10 * MS);
        assert_int_equal(reader.count, cases[i / 2].got);
        for (unsigned n = 0; n < reader.count; n++)
            assert_int_equal(reader.got[n], cases[i / 2].first + n);
        assert_int_equal(reader.end, cases[i / 2].end);
        assert_null(play_find(&cores, sender)); // Whoever waited went on.
        kill_if_there(&cores, stream.to);
        play_close(&cores);
    }
}

static void a_muted_sender_goes_on_and_keeps_its_order(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        static struct cores cores;
        static struct reader reader;
        static const uint32_t limits[] = {1, 2, 16, 100};
        struct stream stream = {.count = 3000};
        memset(&reader, 0, sizeof(reader));
        reader.reads = true;
        cores_open(&cores, 2, 16);
        stream.to = spawn_reader(&cores, 0, &reader, WEFT_OVERFLOW_MUTE, limits[i / 2]);
        const weft_pid sender = play_body_on(&cores, i % 2, send_numbers, &stream);
        play_for(&cores, 50 * MS);
        assert_null(play_find(&cores, sender));
        assert_int_equal(stream.sent, 3000);
        assert_int_equal(reader.count, 3000); // Nothing is lost,
        for (unsigned n = 1; n < reader.count; n++)
            assert_true(reader.got[n] > reader.got[n - 1]);
        // and no more than four limits are there at once, but for what is on its way from another
        // core when the sender hears that it has to wait.
        if (i % 2 == 0) assert_true(reader.longest <= 4 * limits[i / 2] + 1);
        if (i % 2 == 0) assert_true(weft_counter_get(&cores.system[0].stats.mute_count) > 0);
        play_kill(&cores, stream.to);
        play_close(&cores);
    }
}

// ---- Floods.

#define FLOODERS 1000
#define EACH     20

static void a_thousand_senders_flood_one(void **state)
{
    (void)state;
    for (unsigned spread = 0; spread < 2; spread++) {
        static struct cores cores;
        static struct reader reader;
        static struct stream streams[FLOODERS];
        memset(&reader, 0, sizeof(reader));
        memset(streams, 0, sizeof(streams));
        reader.reads = true;
        const struct cores_size size = {.actors = 2048, .stacks = 2048};
        cores_open_sized(&cores, 3, &size);
        const weft_pid to = spawn_reader(&cores, 0, &reader, WEFT_OVERFLOW_MUTE, 500);
        for (unsigned i = 0; i < FLOODERS; i++) {
            streams[i] = (struct stream){.to = to, .count = EACH};
            play_body_on(&cores, spread ? i % 3 : 0, send_numbers, &streams[i]);
        }
        cores_settle(&cores);
        // However many they are: not more than four limits, and what was on its way.
        assert_in_range(reader.longest, 500, spread ? FLOODERS * EACH / 2 : 4 * 500 + 1);
        const uint64_t full = cores_dropped(&cores, WEFT_DROP_MAILBOX_FULL);
        if (!spread) assert_int_equal(full, 0);
        assert_int_equal(reader.count + full, FLOODERS * EACH);
        for (unsigned i = 0; i < FLOODERS; i++) {
            if (streams[i].sent + streams[i].refused != EACH || (!spread && streams[i].refused > 0))
                fail_msg("spread %u, %u: %u sent, %u refused", spread, i, streams[i].sent,
                         streams[i].refused);
        }
        play_kill(&cores, to);
        play_close(&cores);
    }
}

struct fighter {
    weft_pid other;
    unsigned got;
    bool done;
};

static void flood_and_read(struct weft_actor *self, void *context)
{
    struct fighter *fighter = context;
    const struct weft_message *start = weft_receive(self, WEFT_FOREVER);
    assert_int_equal(start->type, 9);
    for (unsigned i = 0; i < 2000; i++)
        weft_send(self, fighter->other, 1, NULL, 0);
    while (weft_receive(self, MS) != NULL)
        fighter->got++;
    fighter->done = true;
}

static void two_that_flood_each_other_do_not_wait_for_ever(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        static struct cores cores;
        struct fighter fighters[3] = {{0}};
        weft_pid pids[3];
        const unsigned count = 2 + i / 2; // Or three, in a ring.
        cores_open(&cores, 3, 16);
        for (unsigned n = 0; n < count; n++) {
            struct play_role role;
            struct weft_spawn spawn = play_as(&role, flood_and_read, NULL, &fighters[n]);
            spawn.mailbox_max = 20;
            pids[n] = play_spawn(&cores, i % 2 * n, &spawn);
        }
        for (unsigned n = 0; n < count; n++) {
            fighters[n].other = pids[(n + 1) % count];
            play_send(&cores, pids[n], 9);
        }
        play_for(&cores, 20 * MS);
        for (unsigned n = 0; n < count; n++) {
            assert_true(fighters[n].done);
            assert_true(fighters[n].got >= 20);
        }
        play_close(&cores);
    }
}

// ---- Ends and moves while somebody waits.

static void who_waits_goes_on_when_the_receiver_is_gone(void **state)
{
    (void)state;
    enum { END, MOVE, END_OF_SENDER, WHATS };
    for (unsigned i = 0; i < 2 * WHATS; i++) {
        static struct cores cores;
        static struct reader reader;
        struct stream streams[2] = {{.count = 100}, {.count = 100}};
        weft_pid senders[2];
        memset(&reader, 0, sizeof(reader));
        cores_open(&cores, 3, 16);
        const weft_pid to = spawn_reader(&cores, 0, &reader, WEFT_OVERFLOW_MUTE, 10);
        cores_settle(&cores);
        for (unsigned n = 0; n < 2; n++) {
            streams[n].to = to;
            senders[n] = play_body_on(&cores, i % 2, send_numbers, &streams[n]);
        }
        cores_settle(&cores);
        if (i % 2 == 0) {
            for (unsigned n = 0; n < 2; n++)
                assert_true(play_find(&cores, senders[n])->task.flags & WEFT_ACTOR_MUTED);
        }
        switch (i / 2) {
        case END: play_kill(&cores, to); break;
        case MOVE: assert_int_equal(weft_move_start(play_find(&cores, to), 2), 0); break;
        default: kill_if_there(&cores, senders[0]); break;
        }
        cores_settle(&cores);
        if (i / 2 == END) {
            for (unsigned n = 0; n < 2; n++)
                assert_null(play_find(&cores, senders[n]));
        }
        if (i / 2 == END_OF_SENDER) assert_null(play_find(&cores, senders[0]));
        reader.reads = true;
        play_for(&cores, 10 * MS);
        assert_null(play_find(&cores, senders[1]));
        kill_if_there(&cores, to);
        play_close(&cores);
    }
}

// ---- Two kinds that never wait.

static void who_is_exempt_is_refused_at_last(void **state)
{
    (void)state;
    static struct cores cores;
    static struct reader reader;
    struct play_role role;
    struct stream stream = {.count = 100};
    memset(&reader, 0, sizeof(reader));
    cores_open(&cores, 1, 16);
    stream.to = spawn_reader(&cores, 0, &reader, WEFT_OVERFLOW_MUTE, 10);
    struct weft_spawn spawn = play_as(&role, send_numbers, NULL, &stream);
    spawn.priority = WEFT_PRIORITY_MAX;
    const weft_pid sender = play_spawn(&cores, 0, &spawn);
    cores_settle(&cores);
    assert_null(play_find(&cores, sender));
    assert_int_equal(stream.sent, 40); // Four limits.
    assert_int_equal(stream.last, -ENOBUFS);
    assert_int_equal(cores_dropped(&cores, WEFT_DROP_MAILBOX_FULL), 60);
    play_kill(&cores, stream.to);
    play_close(&cores);
}

// What was on its way when senders of another core heard that they are to wait may be many times
// the limit. That is no reason to refuse one who waits.
static void who_can_wait_is_not_refused_because_others_came_late(void **state)
{
    (void)state;
    enum { FAR = 10 };
    static struct cores cores;
    static struct reader reader;
    struct stream far[FAR], near = {.count = 25};
    memset(&reader, 0, sizeof(reader));
    reader.reads = true;
    cores_open(&cores, 2, 32);
    near.to = spawn_reader(&cores, 0, &reader, WEFT_OVERFLOW_MUTE, 10);
    cores_settle(&cores);
    play_body_on(&cores, 0, send_numbers, &near); // Before the reader in the queue.
    for (unsigned i = 0; i < FAR; i++) {
        far[i] = (struct stream){.to = near.to, .count = 25};
        play_body_on(&cores, 1, send_numbers, &far[i]);
    }
    weft_core_turn(cores.core[1]);
    weft_core_turn(cores.core[0]);
    assert_int_equal(near.refused, 0);
    play_for(&cores, 20 * MS);
    assert_true(reader.longest > 4 * 10); // All that came late.
    assert_int_equal(near.sent, 25);
    assert_int_equal(reader.count, (FAR + 1) * 25);
    assert_int_equal(cores_dropped(&cores, WEFT_DROP_MAILBOX_FULL), 0);
    kill_if_there(&cores, near.to);
    play_close(&cores);
}

// A kind with `slice` cannot wait in a send: it stands still when its slice is over.
struct slicer {
    weft_pid to;
    unsigned slices;
};

static int send_in_slices(struct weft_actor *actor, uint32_t *reductions)
{
    struct slicer *slicer = actor->state;
    *reductions = 0;
    if (slicer->slices++ == 20) return WEFT_ACTOR_EXIT;
    for (unsigned i = 0; i < 3; i++) {
        actor->system->in_user = false;
        weft_send(actor, slicer->to, 1, &(uint64_t){i}, sizeof(uint64_t));
    }
    return WEFT_ACTOR_AGAIN;
}

static void a_kind_with_slices_stands_still_between_them(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        static struct cores cores;
        static struct reader reader;
        static const struct weft_actor_kind kind = {.name = "slicer", .slice = send_in_slices};
        struct slicer slicer = {0};
        memset(&reader, 0, sizeof(reader));
        cores_open(&cores, 2, 16);
        slicer.to = spawn_reader(&cores, 0, &reader, WEFT_OVERFLOW_MUTE, 10);
        const struct weft_spawn spawn = {.kind = &kind, .state = &slicer};
        const weft_pid pid = play_spawn(&cores, i, &spawn);
        weft_actor_wake(play_find(&cores, pid));
        cores_settle(&cores);
        if (i == 0) assert_int_equal(slicer.slices, 4); // Twelve messages: two beyond the limit.
        reader.reads = true;
        play_for(&cores, 10 * MS);
        assert_null(play_find(&cores, pid));
        if (i == 0) assert_int_equal(reader.count, 60);
        kill_if_there(&cores, slicer.to);
        play_close(&cores);
    }
}

// ---- The way to another core is full: the receiver is not.

static void a_full_way_is_waited_for_wherever_the_receiver_goes(void **state)
{
    (void)state;
    for (unsigned moves = 0; moves < 3; moves++) {
        static struct cores cores;
        static struct reader reader;
        struct stream stream = {.count = 30000};
        memset(&reader, 0, sizeof(reader));
        reader.reads = true;
        cores_open(&cores, 3, 16);
        stream.to = spawn_reader(&cores, 1, &reader, WEFT_OVERFLOW_MUTE, 100000);
        const weft_pid sender = play_body_on(&cores, 0, send_numbers, &stream);
        // Core 1 stands still until the ring, and the chain behind it, are full.
        for (unsigned i = 0; i < 2000; i++)
            weft_core_turn(cores.core[0]);
        assert_true(play_find(&cores, sender)->task.flags & WEFT_ACTOR_MUTED);
        if (moves == 1) assert_int_equal(weft_move_start(play_find(&cores, stream.to), 2), 0);
        if (moves == 2) weft_actor_end_soon(play_find(&cores, stream.to), WEFT_EXIT_FAULT);
        cores_settle(&cores);
        assert_null(play_find(&cores, sender));
        if (moves != 2) assert_int_equal(reader.count, 30000);
        kill_if_there(&cores, stream.to);
        play_close(&cores);
    }
}

// ---- Alarms.

struct watchman {
    unsigned rung;
    uint64_t length[16];
    weft_pid from;
};

static void hear_alarm(struct weft_actor *self, void *context, struct weft_message *message)
{
    struct watchman *watchman = context;
    (void)self;
    assert_int_equal(message->tag, WEFT_MESSAGE_SYSTEM);
    assert_int_equal(message->type, WEFT_MAILBOX_LONG);
    watchman->from = message->from;
    watchman->length[watchman->rung++ % 16] = message->reference;
}

static int set_alarm(struct cores *cores, weft_pid pid, uint32_t length, weft_pid to)
{
    struct weft_actor *actor = play_find(cores, pid);
    play_begin(actor);
    const int result = weft_mailbox_alarm(actor, length, to);
    play_end(actor);
    return result;
}

static void fill(struct cores *cores, weft_pid to, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct weft_message *message = weft_message_alloc(&cores->system[0], 8);
        message->to = to;
        memset(message->payload, 0, 8);
        weft_actor_send(&cores->system[0], message);
    }
    cores_settle(cores);
}

static void an_alarm_goes_off_once_and_again_when_half_is_gone(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {1, 2, 7, 10, 15, 19};
    for (size_t i = 0; i < 2 * WEFT_COUNT_OF(lengths); i++) {
        static struct cores cores;
        struct watchman watchman = {0};
        const uint32_t length = lengths[i / 2];
        struct weft_info info;
        cores_open(&cores, 2, 16);
        const weft_pid watch = play_hand_on(&cores, i % 2, hear_alarm, &watchman);
        struct play_role role;
        struct weft_spawn spawn = play_as(&role, NULL, hear_alarm, NULL); // Never runs.
        spawn.mailbox_max = 20;
        spawn.overflow = WEFT_OVERFLOW_DROP_NEWEST;
        const weft_pid pid = play_spawn(&cores, 0, &spawn);
        struct weft_actor *actor = play_find(&cores, pid);
        actor->task.flags |= WEFT_ACTOR_SELECTIVE;
        assert_int_equal(set_alarm(&cores, pid, length, watch), 0);
        for (unsigned round = 1; round <= 3; round++) {
            fill(&cores, pid, length - 1 - actor->mailbox_count);
            assert_int_equal(watchman.rung, round - 1);
            fill(&cores, pid, 1);
            assert_int_equal(watchman.rung, round);
            assert_int_equal(watchman.length[round - 1], length);
            assert_int_equal(watchman.from, pid);
            fill(&cores, pid, 30); // The limit is what it was.
            assert_int_equal(watchman.rung, round);
            assert_int_equal(actor->mailbox_count, 20);
            while (actor->mailbox_count > length / 2) {
                weft_message_release(&cores.system[0], weft_actor_receive(actor));
                // Around the mark, but not half empty: quiet.
                if (actor->mailbox_count > length / 2 && actor->mailbox_count < length) {
                    fill(&cores, pid, 1);
                    assert_int_equal(watchman.rung, round);
                    weft_message_release(&cores.system[0], weft_actor_receive(actor));
                }
            }
            assert_int_equal(actor->task.flags & WEFT_ACTOR_BUSY, 0);
        }
        weft_actor_describe(actor, &info);
        assert_int_equal(info.mailbox_max, 20);
        assert_int_equal(set_alarm(&cores, pid, 0, 0), 0);
        assert_int_equal(set_alarm(&cores, pid, 0, 0), 0);
        assert_int_equal(actor->mailbox_max, 20);
        fill(&cores, pid, 30);
        assert_int_equal(watchman.rung, 3);
        play_kill(&cores, pid);
        play_kill(&cores, watch);
        play_close(&cores);
    }
}

static void an_alarm_can_be_changed_and_its_listener_may_be_gone(void **state)
{
    (void)state;
    static struct cores cores;
    struct watchman watchman = {0};
    cores_open(&cores, 2, 16);
    const weft_pid watch = play_hand_on(&cores, 1, hear_alarm, &watchman);
    const weft_pid pid = play_hand_on(&cores, 0, hear_alarm, NULL);
    struct weft_actor *actor = play_find(&cores, pid);
    actor->task.flags |= WEFT_ACTOR_SELECTIVE;
    assert_int_equal(set_alarm(&cores, pid, 5, watch), 0);
    assert_int_equal(set_alarm(&cores, pid, 5000, watch), 0); // Beyond the limit: for what mutes.
    assert_int_equal(actor->mailbox_max, WEFT_MAILBOX_MAX);
    assert_int_equal(set_alarm(&cores, pid, 10, watch), 0);
    fill(&cores, pid, 9);
    assert_int_equal(watchman.rung, 0);
    play_kill(&cores, watch);
    fill(&cores, pid, 9);
    assert_int_equal(watchman.rung, 0);
    play_kill(&cores, pid);
    play_close(&cores);
}

// One whose alarm has gone off is not for that reason free to flood others.
static void an_alarm_does_not_exempt(void **state)
{
    (void)state;
    static struct cores cores;
    static struct reader reader;
    struct stream stream = {.count = 100};
    memset(&reader, 0, sizeof(reader));
    cores_open(&cores, 1, 16);
    stream.to = spawn_reader(&cores, 0, &reader, WEFT_OVERFLOW_MUTE, 10);
    const weft_pid sender = play_body_on(&cores, 0, send_numbers, &stream);
    assert_int_equal(set_alarm(&cores, sender, 2, sender), 0);
    fill(&cores, sender, 3);
    assert_true(play_find(&cores, sender)->task.flags & WEFT_ACTOR_BUSY);
    cores_settle(&cores);
    assert_true(play_find(&cores, sender)->task.flags & WEFT_ACTOR_MUTED);
    reader.reads = true;
    play_for(&cores, MS);
    assert_int_equal(reader.count, 100);
    kill_if_there(&cores, sender);
    play_kill(&cores, stream.to);
    play_close(&cores);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_policy_does_what_it_says),
        cmocka_unit_test(a_muted_sender_goes_on_and_keeps_its_order),
        cmocka_unit_test(a_thousand_senders_flood_one),
        cmocka_unit_test(two_that_flood_each_other_do_not_wait_for_ever),
        cmocka_unit_test(who_waits_goes_on_when_the_receiver_is_gone),
        cmocka_unit_test(who_is_exempt_is_refused_at_last),
        cmocka_unit_test(who_can_wait_is_not_refused_because_others_came_late),
        cmocka_unit_test(a_kind_with_slices_stands_still_between_them),
        cmocka_unit_test(a_full_way_is_waited_for_wherever_the_receiver_goes),
        cmocka_unit_test(an_alarm_goes_off_once_and_again_when_half_is_gone),
        cmocka_unit_test(an_alarm_can_be_changed_and_its_listener_may_be_gone),
        cmocka_unit_test(an_alarm_does_not_exempt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
