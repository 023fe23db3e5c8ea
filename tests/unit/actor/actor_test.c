// Actors of one core and of several turned by hand: spawn, send, limits, ends, pids, fairness.
#include "tests/support/cmocka.h"

#include <errno.h>

#include "runtime/actor/internal.h"
#include "tests/unit/actor/cores.h"

// An actor that notes what it gets and does what its state says.
struct probe {
    uint64_t got[4096]; // First payload word of each user message.
    unsigned got_count, down_count, destroyed;
    uint64_t down_reference;
    uint16_t down_type;
    weft_pid forward_to; // Every message goes on there.
    bool end_on_message;
};

static struct weft_message *numbered(struct weft_actor_system *system, weft_pid to, uint64_t number,
                                     uint32_t length)
{
    struct weft_message *message = weft_message_alloc(system, length);
    if (message == NULL) return NULL;
    message->to = to;
    memcpy(message->payload, &number, sizeof(number));
    return message;
}

static void probe_handle(struct weft_actor *actor, void *state, struct weft_message *message)
{
    struct probe *probe = state;
    if (message->tag == WEFT_MESSAGE_DOWN) {
        probe->down_count++;
        probe->down_reference = message->reference;
        probe->down_type = message->type;
        return;
    }
    uint64_t number = 0;
    memcpy(&number, message->payload, sizeof(number));
    if (probe->got_count < WEFT_COUNT_OF(probe->got)) probe->got[probe->got_count] = number;
    probe->got_count++;
    if (probe->forward_to != 0)
        weft_actor_send(actor->system, numbered(actor->system, probe->forward_to, number, 8));
    if (probe->end_on_message) weft_stop(actor, WEFT_EXIT_NORMAL);
}

static void probe_destroy(struct weft_actor *actor, void *state, uint16_t reason)
{
    (void)actor, (void)reason;
    ((struct probe *)state)->destroyed++;
}

static const struct weft_actor_kind probe_kind = {
    .name = "probe", .handle = probe_handle, .terminate = probe_destroy};

static weft_pid spawn_probe(struct weft_actor_system *system, struct probe *probe, uint32_t limit)
{
    weft_pid pid = 0;
    memset(probe, 0, sizeof(*probe));
    const struct weft_spawn spawn = {.kind = &probe_kind,
                                     .state = probe,
                                     .label = "a name longer than the thirty-two bytes kept",
                                     .mailbox_max = limit};
    assert_int_equal(weft_actor_spawn(system, &spawn, 0, &pid), 0);
    assert_int_not_equal(pid, 0);
    return pid;
}

static void sizes_of_messages_come_and_go(void **state)
{
    (void)state;
    static struct cores cores;
    static struct probe probe;
    cores_open(&cores, 2, 16);
    const weft_pid pid = spawn_probe(&cores.system[1], &probe, 0);
    static const uint32_t lengths[] = {8, 16, 17, 80, 81, 208, 209, 464, 465, 5000, 100000};
    for (unsigned from = 0; from < 2; from++) {
        const size_t before = weft_arena_used_bytes(cores.arena[from]);
        for (size_t i = 0; i < WEFT_COUNT_OF(lengths); i++) {
            struct weft_message *message = numbered(&cores.system[from], pid, i, lengths[i]);
            assert_non_null(message);
            memset(message->payload + 8, 0x5a, lengths[i] - 8);
            assert_int_equal(weft_actor_send(&cores.system[from], message), 0);
        }
        cores_settle(&cores);
        assert_int_equal(probe.got_count, WEFT_COUNT_OF(lengths) * (from + 1));
        // Every block is home: four chunks are kept by the slabs, the large ones are gone.
        assert_true(weft_arena_used_bytes(cores.arena[from]) - before <= 4 * 32768);
        for (unsigned i = 0; i < WEFT_MESSAGE_CLASSES; i++)
            assert_int_equal(cores.system[from].messages[i].used_count, 0);
        assert_true(weft_list_empty(&cores.system[from].large));
    }
    cores_check_ledger(&cores);
    cores_close(&cores); // Which tells nobody.
    assert_int_equal(probe.destroyed, 0);
}

static void order_of_a_pair_holds_through_a_full_ring(void **state)
{
    (void)state;
    static struct cores cores;
    static struct probe probe;
    cores_open(&cores, 2, 16);
    const weft_pid pid = spawn_probe(&cores.system[1], &probe, 100000);
    unsigned sent = 0, refused = 0;
    // More than ring and overflow hold together, then a little after each turn of the reader.
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned i = 0; i < 6000; i++) {
            const int status =
                weft_actor_send(&cores.system[0], numbered(&cores.system[0], pid, sent, 8));
            if (status == 0) sent++;
            if (status == -ENOBUFS) refused++;
        }
        weft_core_turn(cores.core[1]);
        weft_core_turn(cores.core[0]);
    }
    cores_settle(&cores);
    assert_true(refused > 0);
    assert_int_equal(cores_dropped(&cores, WEFT_DROP_RING_FULL), refused);
    assert_int_equal(probe.got_count, sent);
    for (unsigned i = 0; i < WEFT_COUNT_OF(probe.got); i++)
        assert_int_equal(probe.got[i], i);
    assert_int_equal(cores.system[0].messages[0].used_count, 0);
    cores_check_ledger(&cores);
    cores_close(&cores);
}

static void a_full_mailbox_drops_the_newest_and_counts(void **state)
{
    (void)state;
    static struct cores cores;
    static struct probe probe;
    cores_open(&cores, 2, 16);
    const weft_pid pid = spawn_probe(&cores.system[0], &probe, 10);
    for (unsigned i = 0; i < 15; i++) {
        const int status = weft_actor_send(&cores.system[0], numbered(&cores.system[0], pid, i, 8));
        assert_int_equal(status, i < 10 ? 0 : -ENOBUFS);
    }
    // From another core the sender is told nothing: it is counted where the mailbox is.
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(weft_actor_send(&cores.system[1], numbered(&cores.system[1], pid, 99, 8)),
                         0);
    weft_core_turn(cores.core[1]);
    weft_core_turn(cores.core[0]);
    cores_settle(&cores);
    assert_int_equal(probe.got_count, 10);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(probe.got[i], i);
    assert_int_equal(weft_drop_get(&cores.core[0]->drops, WEFT_DROP_MAILBOX_FULL), 10);
    cores_check_ledger(&cores);
    cores_close(&cores);
}

static void a_killed_actor_ends_at_its_slice_and_its_mailbox_is_counted(void **state)
{
    (void)state;
    static struct cores cores;
    static struct probe probe;
    cores_open(&cores, 2, 16);
    for (unsigned from = 0; from < 2; from++) {
        const uint64_t before = cores_dropped(&cores, WEFT_DROP_MAILBOX_NO_ACTOR);
        const weft_pid pid = spawn_probe(&cores.system[0], &probe, 0);
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(
                weft_actor_send(&cores.system[0], numbered(&cores.system[0], pid, i, 8)), 0);
        assert_int_equal(weft_actor_kill(&cores.system[from], pid, WEFT_EXIT_KILLED), 0);
        weft_core_turn(cores.core[from]); // It goes out, before the actor has its turn.
        cores_settle(&cores);
        assert_null(weft_actor_find(&cores.system[0], pid));
        assert_int_equal(probe.got_count, 0);
        assert_int_equal(probe.destroyed, 1);
        assert_int_equal(cores_dropped(&cores, WEFT_DROP_MAILBOX_NO_ACTOR), before + 3);
        // To the dead: every core knows.
        assert_int_equal(weft_actor_send(&cores.system[0], numbered(&cores.system[0], pid, 9, 8)),
                         -ESRCH);
        assert_int_equal(weft_actor_send(&cores.system[1], numbered(&cores.system[1], pid, 9, 8)),
                         -ESRCH);
        assert_int_equal(weft_actor_kill(&cores.system[0], pid, WEFT_EXIT_KILLED), -ESRCH);
        assert_int_equal(weft_actor_kill(&cores.system[1], pid, WEFT_EXIT_KILLED), -ESRCH);
        cores_settle(&cores);
        assert_int_equal(cores_dropped(&cores, WEFT_DROP_MAILBOX_NO_ACTOR), before + 5);
    }
    cores_check_ledger(&cores);
    cores_close(&cores);
}

static void pids_that_nobody_has_reach_nobody(void **state)
{
    (void)state;
    static struct cores cores;
    static struct probe probe;
    cores_open(&cores, 2, 16);
    const weft_pid pid = spawn_probe(&cores.system[0], &probe, 0);
    const weft_pid strangers[] = {0,
                                  pid + 1,
                                  pid ^ (UINT64_C(1) << 32),
                                  pid | UINT64_C(0x07) << 24,
                                  pid | UINT64_C(0xff) << 24,
                                  pid | 0xffffff,
                                  UINT64_MAX};
    for (size_t i = 0; i < WEFT_COUNT_OF(strangers); i++) {
        assert_null(weft_actor_find(&cores.system[0], strangers[i]));
        assert_int_equal(
            weft_actor_send(&cores.system[0], numbered(&cores.system[0], strangers[i], 1, 8)),
            -ESRCH);
        assert_int_equal(weft_actor_kill(&cores.system[0], strangers[i], WEFT_EXIT_KILLED), -ESRCH);
    }
    cores_settle(&cores);
    assert_int_equal(probe.got_count, 0);
    cores_check_ledger(&cores);
    cores_close(&cores);
}

static void a_pid_names_one_actor_for_ever(void **state)
{
    (void)state;
    static struct cores cores;
    static struct probe probe;
    static weft_pid old[1000];
    cores_open(&cores, 1, 2);
    for (unsigned i = 0; i < 1000; i++) {
        old[i] = spawn_probe(&cores.system[0], &probe, 0);
        for (unsigned n = 0; n < i; n++)
            assert_null(weft_actor_find(&cores.system[0], old[n]));
        weft_actor_kill(&cores.system[0], old[i], WEFT_EXIT_KILLED);
        cores_settle(&cores);
    }
    // A slot at its last generation serves once more and never again.
    cores.system[0].slots[0].free->task.number = UINT32_MAX;
    const uint32_t spent = (uint32_t)(cores.system[0].slots[0].free - cores.system[0].chunks[0]);
    const weft_pid last = spawn_probe(&cores.system[0], &probe, 0);
    assert_int_equal(weft_pid_generation(last), UINT32_MAX);
    weft_actor_kill(&cores.system[0], last, WEFT_EXIT_KILLED);
    cores_settle(&cores);
    const weft_pid next = spawn_probe(&cores.system[0], &probe, 0);
    assert_int_equal(weft_pid_slot(next), 1 - spent);
    weft_pid none;
    const struct weft_spawn spawn = {.kind = &probe_kind, .state = &probe};
    assert_int_equal(weft_actor_spawn(&cores.system[0], &spawn, 0, &none), -ENOSPC);
    assert_null(weft_actor_find(&cores.system[0], last));
    cores_close(&cores);
}

static void end_by_hand(struct weft_actor *actor, void *argument)
{
    (void)argument;
    weft_actor_end_soon(actor, WEFT_EXIT_KILLED);
}

static void the_cap_is_refused_by_name_and_memory_comes_back(void **state)
{
    (void)state;
    static struct cores cores;
    static struct probe probe;
    cores_open(&cores, 1, 1u << 20);
    struct weft_actor_system *system = &cores.system[0];
    weft_pid pid = spawn_probe(system, &probe, 0), first = pid;
    weft_actor_kill(system, pid, WEFT_EXIT_NORMAL);
    cores_settle(&cores);
    const size_t before = weft_arena_used_bytes(cores.arena[0]);

    const struct weft_spawn spawn = {.kind = &probe_kind, .state = &probe};
    unsigned count = 0;
    int status;
    while ((status = weft_actor_spawn(system, &spawn, 0, &pid)) == 0)
        count++;
    assert_int_equal(status, -ENOMEM);
    assert_in_range(count, 10000, 1u << 20);
    assert_int_equal(weft_actor_count(&system->stats), count);
    assert_null(weft_message_alloc(system, 4 * WEFT_MIB));
    assert_int_equal(cores_dropped(&cores, WEFT_DROP_MAILBOX_NO_MEMORY), 1);

    weft_actor_each(system, end_by_hand, NULL); // There is no memory left for a signal.
    cores_settle(&cores);
    assert_int_equal(weft_actor_count(&system->stats), 0);
    assert_int_equal(weft_arena_used_bytes(cores.arena[0]), before);
    assert_null(weft_actor_find(system, first));
    cores_check_ledger(&cores);
    cores_close(&cores);
}

// An actor that never has enough: the whole slice, always again.
static int spin(struct weft_actor *actor, uint32_t *reductions)
{
    ++*(uint64_t *)actor->state;
    *reductions = 0;
    return WEFT_ACTOR_AGAIN;
}

static void an_endless_actor_starves_nobody(void **state)
{
    (void)state;
    static struct cores cores;
    static struct probe probe;
    static const struct weft_actor_kind endless = {.name = "endless", .slice = spin};
    uint64_t slices[WEFT_PRIORITY_COUNT] = {0};
    weft_pid pid;
    cores_open(&cores, 1, 16);
    static const enum weft_priority both[] = {WEFT_PRIORITY_NORMAL, WEFT_PRIORITY_LOW};
    for (unsigned i = 0; i < 2; i++) {
        const struct weft_spawn spawn = {
            .kind = &endless, .state = &slices[both[i]], .priority = (uint8_t)both[i]};
        assert_int_equal(weft_actor_spawn(&cores.system[0], &spawn, 0, &pid), 0);
        weft_actor_wake(weft_actor_find(&cores.system[0], pid));
    }
    const weft_pid sibling = spawn_probe(&cores.system[0], &probe, 0);
    for (unsigned turn = 1; turn <= 100; turn++) {
        weft_actor_send(&cores.system[0], numbered(&cores.system[0], sibling, turn, 8));
        assert_true(weft_core_turn(cores.core[0]));
        assert_int_equal(probe.got_count, turn); // In the same turn: one slice stood before it.
    }
    const uint64_t normal = slices[WEFT_PRIORITY_NORMAL], low = slices[WEFT_PRIORITY_LOW];
    assert_in_range(normal + low, 700, 900);
    assert_in_range(low * 8, (normal + low) * 8 / 10, (normal + low) * 12 / 10);
    cores_close(&cores);
}

static int take_when_told(struct weft_actor *actor, uint32_t *reductions)
{
    *reductions -= 10;
    unsigned *wakes = actor->state;
    if (++*wakes < 3) return WEFT_ACTOR_WAIT; // Leaves its message where it is.
    weft_message_release(actor->system, weft_actor_receive(actor));
    return WEFT_ACTOR_EXIT;
}

static void a_kind_with_run_waits_until_woken(void **state)
{
    (void)state;
    static struct cores cores;
    static const struct weft_actor_kind kind = {.name = "unit", .slice = take_when_told};
    unsigned wakes = 0;
    weft_pid pid;
    cores_open(&cores, 1, 16);
    const struct weft_spawn spawn = {.kind = &kind, .state = &wakes};
    assert_int_equal(weft_actor_spawn(&cores.system[0], &spawn, 0, &pid), 0);
    weft_actor_send(&cores.system[0], numbered(&cores.system[0], pid, 1, 8));
    for (unsigned i = 1; i <= 3; i++) {
        cores_settle(&cores);
        assert_int_equal(wakes, i);
        struct weft_actor *actor = weft_actor_find(&cores.system[0], pid);
        assert_int_equal(actor == NULL, i == 3);
        if (actor != NULL) weft_actor_wake(actor);
    }
    cores_check_ledger(&cores);
    cores_close(&cores);
}

static void messages_cross_cores_and_come_back(void **state)
{
    (void)state;
    static struct cores cores;
    static struct probe probes[CORES_MAX];
    weft_pid pids[CORES_MAX];
    cores_open(&cores, 3, 16);
    for (unsigned i = 0; i < 3; i++)
        pids[i] = spawn_probe(&cores.system[i], &probes[i], 0);
    probes[0].forward_to = pids[1];
    probes[1].forward_to = pids[2];
    probes[2].end_on_message = true;
    for (unsigned i = 0; i < 5; i++)
        weft_actor_send(&cores.system[0], numbered(&cores.system[0], pids[0], i, 8));
    cores_settle(&cores);
    assert_int_equal(probes[1].got_count, 5);
    assert_int_equal(probes[2].got_count, 1);
    assert_int_equal(probes[2].destroyed, 1);
    assert_int_equal(cores_dropped(&cores, WEFT_DROP_MAILBOX_NO_ACTOR), 4);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(cores.system[i].messages[0].used_count, 0);
    cores_check_ledger(&cores);
    cores_close(&cores);
}

static void systems_are_destroyed_with_work_in_flight(void **state)
{
    (void)state;
    static struct cores cores;
    static struct probe probes[2];
    weft_pid pids[2];
    uint64_t reference;
    cores_open(&cores, 2, 16);
    for (unsigned i = 0; i < 2; i++)
        pids[i] = spawn_probe(&cores.system[i], &probes[i], 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(
            weft_actor_monitor(weft_actor_find(&cores.system[i], pids[i]), pids[1 - i], &reference),
            0);
        weft_actor_send(&cores.system[i], numbered(&cores.system[i], pids[1 - i], 1, 8));
        weft_actor_send(&cores.system[i], numbered(&cores.system[i], pids[1 - i], 1, 9000));
    }
    weft_actor_send(&cores.system[0], numbered(&cores.system[0], pids[0], 1, 8));
    cores_close(&cores); // Checks that both arenas are empty.
    assert_int_equal(probes[0].destroyed + probes[1].destroyed, 0); // Nobody is told.
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_of_messages_come_and_go),
        cmocka_unit_test(order_of_a_pair_holds_through_a_full_ring),
        cmocka_unit_test(a_full_mailbox_drops_the_newest_and_counts),
        cmocka_unit_test(a_killed_actor_ends_at_its_slice_and_its_mailbox_is_counted),
        cmocka_unit_test(pids_that_nobody_has_reach_nobody),
        cmocka_unit_test(a_pid_names_one_actor_for_ever),
        cmocka_unit_test(the_cap_is_refused_by_name_and_memory_comes_back),
        cmocka_unit_test(an_endless_actor_starves_nobody),
        cmocka_unit_test(a_kind_with_run_waits_until_woken),
        cmocka_unit_test(messages_cross_cores_and_come_back),
        cmocka_unit_test(systems_are_destroyed_with_work_in_flight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
