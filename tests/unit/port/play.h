// play.h: a node of a few cores with IO, turned by hand in one thread, in which actors play a test.
//
// Over the simulated backend the clock is the test's, and jumps when nobody has anything to do;
// over the kernel's it is real. What an actor finds wrong ends the process (weft_assert): it has a
// stack of its own, out of which no test can be left.
#ifndef WEFT_TESTS_UNIT_PORT_PLAY_H
#define WEFT_TESTS_UNIT_PORT_PLAY_H

#include <weft/weft.h>

#include "dataplane/kernel_datagrams.h"
#include "runtime/actor/actor.h"
#include "runtime/port/port.h"
#include "tests/unit/port/backend.h"

#define PLAY_CORES       2
#define PLAY_HANDLES_MAX 1024
#define PLAY_WAIT_NS     (30 * WEFT_NS_PER_S) // Of real time.
#define PLAY_ROUNDS_MAX  4000000              // Of simulated turns.
#define PLAY_LOOPBACK    UINT32_C(0x7f000001)

struct play_core {
    struct weft_core *core;
    struct weft_arena *arena;
    struct weft_actor_system system;
    struct weft_ports ports;
    struct backend backend;
    struct weft_kernel_datagrams datagrams;
};

struct play {
    enum backend_kind kind;
    uint64_t now_ns;
    struct weft_clock clock;
    struct weft_core_group group;
    struct weft_actor_node node;
    struct io_sim_world world;
    struct play_core cores[PLAY_CORES];
    unsigned count;
    bool hops; // Actors move whenever they do something (play_hop).
};

static inline uint64_t play_now(void *self)
{
    return ((struct play *)self)->now_ns;
}

static inline void play_open_core(struct play *play, struct play_core *at, size_t arena_bytes)
{
    at->arena = weft_arena_create(arena_bytes);
    assert_non_null(at->arena);
    const struct weft_actor_options options = {.core = at->core,
                                               .arena = at->arena,
                                               .node = &play->node,
                                               .actor_count_max = 4096,
                                               .stack_count_max = 256,
                                               .traces = true};
    assert_int_equal(weft_actor_system_init(&at->system, &options), 0);
    assert_int_equal(weft_ports_init(&at->ports, &at->system), 0);
    backend_open(&at->backend, play->kind, at->core, &play->world, PLAY_HANDLES_MAX);
    weft_ports_use_io(&at->ports, &at->backend.io);
    if (play->kind == BACKEND_SIM) return;
    weft_kernel_datagrams_init(&at->datagrams, &at->backend.io, at->arena);
    const struct weft_datagrams datagrams = weft_kernel_datagrams_interface(&at->datagrams);
    weft_ports_use_datagrams(&at->ports, &datagrams);
}

static inline void play_open_with(struct play *play, enum backend_kind kind, unsigned count,
                                  uint64_t seed, size_t arena_bytes)
{
    memset(play, 0, sizeof(*play));
    play->kind = kind;
    play->count = count;
    play->now_ns = kind == BACKEND_SIM ? WEFT_NS_PER_S : backend_now_ns(NULL);
    play->clock = (struct weft_clock){.now_ns = play_now, .wall_ns = play_now, .self = play};
    io_sim_world_init(&play->world, seed);
    for (unsigned i = 0; i < count; i++) {
        play->cores[i].core = aligned_alloc(WEFT_CORE_ALIGN, sizeof(struct weft_core));
        weft_core_init(play->cores[i].core, &play->group, (uint16_t)i, &play->clock, WEFT_LOG_WARN);
    }
    assert_int_equal(weft_core_group_connect(&play->group), 0);
    assert_int_equal(weft_actor_node_init(&play->node, "test", 64), 0);
    for (unsigned i = 0; i < count; i++)
        play_open_core(play, &play->cores[i], arena_bytes);
}

static inline void play_open(struct play *play, enum backend_kind kind, unsigned count)
{
    play_open_with(play, kind, count, 11, 64 * WEFT_MIB);
}

static inline bool play_turn(struct play *play)
{
    bool found = false;
    for (unsigned i = 0; i < play->count; i++)
        found |= weft_core_turn(play->cores[i].core);
    if (play->kind != BACKEND_SIM)
        play->now_ns = backend_now_ns(NULL);
    else
        play->now_ns += found ? 1000 : 100 * WEFT_NS_PER_US;
    return found;
}

// Turns until nothing has happened for a while.
static inline void play_settle(struct play *play)
{
    for (unsigned idle = 0; idle < 200;)
        idle = play_turn(play) ? 0 : idle + 1;
}

static inline uint32_t play_handles(const struct play *play)
{
    uint32_t count = 0;
    for (unsigned i = 0; i < play->count; i++)
        count += backend_handles(&play->cores[i].backend);
    return count;
}

static inline uint64_t play_sum(const struct play *play, size_t offset)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < play->count; i++)
        sum += weft_counter_get(
            (const weft_counter *)(const void *)((const char *)&play->cores[i].ports.stats +
                                                 offset));
    return sum;
}
#define PLAY_SUM(play, counter) play_sum(play, offsetof(struct weft_ports_stats, counter))

// Every user message offered was received, or has one reason why not.
static inline void play_check_ledger(const struct play *play)
{
    static const enum weft_drop drops[] = {WEFT_DROP_MAILBOX_FULL,     WEFT_DROP_MAILBOX_QUOTA,
                                           WEFT_DROP_MAILBOX_NO_ACTOR, WEFT_DROP_MAILBOX_NO_MEMORY,
                                           WEFT_DROP_MAILBOX_LATE,     WEFT_DROP_MAILBOX_CYCLE,
                                           WEFT_DROP_RING_FULL};
    uint64_t sent = 0, received = 0;
    for (unsigned i = 0; i < play->count; i++) {
        const struct play_core *at = &play->cores[i];
        sent += weft_counter_get(&at->system.stats.send_count);
        received += weft_counter_get(&at->system.stats.message_count);
        for (size_t n = 0; n < WEFT_COUNT_OF(drops); n++)
            received += weft_drop_get(&at->core->drops, drops[n]);
    }
    assert_int_equal(sent, received);
}

static inline void play_close(struct play *play)
{
    for (unsigned i = 0; i < play->count; i++)
        weft_ports_stop(&play->cores[i].ports);
    if (play->kind == BACKEND_SIM) { // It has no end of its own: all that is under way is told so.
        for (unsigned i = 0; i < play->count; i++)
            io_sim_close(&play->cores[i].backend.sim);
    }
    for (unsigned i = 0; i < play->count; i++)
        backend_close(&play->cores[i].backend);
    for (unsigned i = 0; i < play->count; i++)
        weft_ports_destroy(&play->cores[i].ports);
    for (unsigned i = 0; i < play->count; i++)
        weft_actor_system_destroy(&play->cores[i].system);
    for (unsigned i = 0; i < play->count; i++) {
        assert_int_equal(weft_arena_used_bytes(play->cores[i].arena), 0);
        weft_arena_free(play->cores[i].arena);
    }
    weft_actor_node_destroy(&play->node);
    weft_core_group_destroy(&play->group);
    for (unsigned i = 0; i < play->count; i++)
        free(play->cores[i].core);
    io_sim_world_destroy(&play->world);
}

// ---- Actors.

typedef void play_part(struct weft_actor *self, void *state);

struct play_role { // What an actor of the test does: a copy goes with it.
    play_part *part;
    void *argument;
    weft_pid pid; // Whatever the part wants to know besides.
};

static inline void play_main(struct weft_actor *self, void *state)
{
    const struct play_role *role = state;
    role->part(self, state);
}

static const struct weft_actor_kind play_kind = {
    .name = "part", .state_bytes = sizeof(struct play_role), .main = play_main};

// Goes to the other core, if the play is one in which actors move.
static inline void play_hop(struct weft_actor *self, const struct play *play)
{
    if (!play->hops) return;
    weft_assert(weft_move(self, (uint16_t)((weft_core_index(self) + 1u) % play->count)) == 0);
}

// Spawns one more, from an actor; on the other core if there is one and `core` says so.
static inline weft_pid play_spawn(struct weft_actor *self, const struct play_role *role,
                                  uint32_t mailbox_max)
{
    const struct weft_spawn spawn = {.kind = &play_kind, .state = role, .mailbox_max = mailbox_max};
    weft_pid pid;
    weft_assert(weft_spawn(self, &spawn, &pid) == 0);
    return pid;
}

// Plays `part` on core `core` until it has ended.
static inline void play_run_on(struct play *play, unsigned core, play_part *part, void *argument)
{
    const struct play_role role = {.part = part, .argument = argument};
    const struct weft_spawn spawn = {.kind = &play_kind, .state = &role};
    struct weft_actor_system *system = &play->cores[core].system;
    weft_pid pid;
    assert_int_equal(weft_actor_spawn(system, &spawn, 0, &pid), 0);
    const uint64_t end_ns = backend_now_ns(NULL) + PLAY_WAIT_NS;
    const _Atomic uint8_t *where = &system->location[weft_pid_slot(pid)];
    for (uint64_t round = 0; atomic_load_explicit(where, memory_order_relaxed) != 0; round++) {
        const bool found = play_turn(play);
        if (play->kind == BACKEND_SIM) {
            if (round > PLAY_ROUNDS_MAX) fail_msg("the play does not end");
        } else {
            if (!found) sched_yield();
            if (backend_now_ns(NULL) > end_ns) fail_msg("the play does not end");
        }
    }
}

static inline void play_run(struct play *play, play_part *part, void *argument)
{
    play_run_on(play, 0, part, argument);
}

#endif // WEFT_TESTS_UNIT_PORT_PLAY_H
