// machine.h: the cores of a soak, each on a thread; what they have counted, and what they hold.
#ifndef WEFT_TESTS_SOAK_MACHINE_H
#define WEFT_TESTS_SOAK_MACHINE_H

#include "runtime/actor/actor.h"
#include "runtime/sched/core_thread.h"
#include "runtime/sched/sleeper_epoll.h"

#define MACHINE_CORES_MAX 16

struct machine_core {
    struct weft_core core;
    struct weft_actor_system system;
    struct weft_arena *arena;
    struct weft_sleeper_epoll sleeper;
    struct weft_core_thread thread;
};

struct machine {
    struct weft_clock clock;
    struct weft_core_group group;
    struct weft_actor_node node;
    struct machine_core *cores;
    uint16_t core_count;
};

// Makes `core_count` cores, each with room for so many. 0 or a negative errno: then the process is
// of no use any more.
int machine_init(struct machine *machine, uint16_t core_count, uint32_t actor_count_max,
                 size_t arena_bytes);
// The cores' memory has to be empty afterwards: the bytes that it was not.
size_t machine_destroy(struct machine *machine);

int machine_start(struct machine *machine); // 0 or a negative errno.
void machine_stop(struct machine *machine); // The threads; the actors stay.
// Turns all cores by hand until none finds anything. Stopped only.
void machine_settle(struct machine *machine);

// ---- Sums over all cores. Of cores that turn, at most a turn old.

struct machine_sums {
    uint64_t alive, sent, received, mutes, moves, evictions;
    uint64_t drops; // Of user messages, for all reasons.
};
struct machine_sums machine_sums(const struct machine *machine);
uint64_t machine_drops(const struct machine *machine, enum weft_drop drop);

// Bytes that are resident. The stacks' apart: one that has run costs pages until it has slept for
// two seconds, so how many do is how busy the cores were just now, and not what was kept.
struct machine_memory {
    uint64_t stacks, others;
};
struct machine_memory machine_memory(const struct machine *machine);

// What is not given back. Stopped only.
struct machine_rest {
    uint64_t actors, blocks;
    int64_t stacks, promises; // Taken; and those that somebody may want (runtime/actor/wait.c).
};
struct machine_rest machine_rest(const struct machine *machine);

#endif // WEFT_TESTS_SOAK_MACHINE_H
