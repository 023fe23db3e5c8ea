// core.h: one turn of a core: observe, react, act. Nothing here blocks, and each step has a budget.
//
// A worker core is one of these, turned for ever by a pinned thread (core_thread.h); the simulator
// turns all cores of all nodes in one thread. The control core is one too, with pollers that may block.
// State hangs from here; no global, no thread-local, no clock but the one given.
#ifndef WEFT_SCHED_CORE_H
#define WEFT_SCHED_CORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/counter.h"
#include "runtime/base/drop.h"
#include "runtime/base/list.h"
#include "runtime/base/log.h"
#include "runtime/env/clock.h"
#include "runtime/sched/poller.h"
#include "runtime/sched/spsc_ring.h"
#include "runtime/sched/wheel.h"

#define WEFT_CORE_MAX          64 // Cores of a node, the control core included.
#define WEFT_CORE_POLLERS_MAX  16
#define WEFT_CORE_RING_SLOTS   1024
#define WEFT_SLICE_REDUCTIONS  2000 // One slice of an actor or unit.

enum weft_priority { WEFT_PRIORITY_MAX, WEFT_PRIORITY_HIGH, WEFT_PRIORITY_NORMAL, WEFT_PRIORITY_LOW,
                     WEFT_PRIORITY_COUNT };

// Something that can stand in a run queue: an actor embeds one.
struct weft_task {
    struct weft_list link;
    // Runs for at most `*reductions`, subtracts what it used. True: it wants another slice.
    bool (*run)(struct weft_task *task, uint32_t *reductions);
    uint8_t priority;
    bool queued;
};

struct weft_core_stats { // Written by the core each turn, read by any core.
    weft_counter turn_count;
    weft_counter busy_ns;      // Turns that found work.
    weft_counter idle_ns;      // Turns that found none, and sleeps.
    weft_counter sleep_count;
    weft_counter wake_count;   // Sleeps ended by a doorbell or another core.
    weft_counter slice_count;
    weft_counter reduction_count;
    weft_counter message_in;   // From other cores' rings.
    weft_counter turn_ns_max;  // Longest turn since start.
};

struct weft_core_group;

struct weft_core {
    uint64_t now_ns;             // Read once a turn.
    const struct weft_clock *clock;
    struct weft_core_group *group; // All cores of this node.
    uint16_t index;              // 0 is the control core.
    int16_t cpu;                 // The CPU it is pinned to; -1: it floats.
    struct weft_poller pollers[WEFT_CORE_POLLERS_MAX];
    uint32_t poller_count;
    struct weft_wheel wheel;
    struct weft_list run_queue[WEFT_PRIORITY_COUNT];
    struct {
        void (*handle)(void *self, const struct weft_core_message *message);
        void *self;
    } handlers[WEFT_CORE_MESSAGE_KINDS];
    struct weft_sleeper sleeper;
    struct weft_core_stats stats;
    struct weft_drops drops;
    struct weft_log log;
    // Idle policy (DESIGN): ~200 polls with pause, ~8 yields, then sleeps growing from 20 to 500 us.
    uint32_t idle_turns;
    uint64_t idle_sleep_ns;
    uint32_t low_turns;          // NORMAL slices since LOW last ran.
    _Alignas(WEFT_CORE_ALIGN) _Atomic bool asleep; // Set before a sleep; whoever gives work rechecks.
    _Atomic bool stop;
};

struct weft_core_group {
    uint16_t core_count;
    struct weft_core *cores[WEFT_CORE_MAX];
    struct weft_spsc_ring *rings[WEFT_CORE_MAX][WEFT_CORE_MAX]; // [from][to]; the diagonal is NULL.
};

// Prepares `core` as number `index` of `group` and joins it. Memory is the caller's; `clock` outlives it.
void weft_core_init(struct weft_core *core, struct weft_core_group *group, uint16_t index,
                    const struct weft_clock *clock, enum weft_log_level log_level);

// Makes the rings of every pair of cores. After the last weft_core_init, before the first turn.
// 0 or -ENOMEM. `weft_core_group_destroy` frees them when no core turns any more.
int weft_core_group_connect(struct weft_core_group *group);
void weft_core_group_destroy(struct weft_core_group *group);

// Adds a poller, polled in the order of adding. Before the first turn. 0 or -ENOSPC.
int weft_core_add_poller(struct weft_core *core, const struct weft_poller *poller);

// Who takes messages of `kind` on this core. Before the first turn. WEFT_CORE_MESSAGE_CALL is built in.
void weft_core_on(struct weft_core *core, enum weft_core_message_kind kind,
                  void (*handle)(void *self, const struct weft_core_message *message), void *self);

// Sends to core `to`. Called on core `from` only. 0, or -ENOBUFS with RING_FULL counted: the caller
// still owns what the message pointed to. Wakes the other core if it sleeps.
int weft_core_send(struct weft_core *from, uint16_t to, const struct weft_core_message *message);

// Runs function(core `to`, self, argument) on core `to`. Same rules as weft_core_send.
int weft_core_call(struct weft_core *from, uint16_t to,
                   void (*function)(struct weft_core *core, void *self, uint64_t argument), void *self,
                   uint64_t argument);

// Puts `task` at the end of its priority's queue, unless it stands there already. Own core only.
void weft_core_ready(struct weft_core *core, struct weft_task *task);

// One turn. Returns true if it found work. The caller decides about idling: weft_core_idle.
bool weft_core_turn(struct weft_core *core);

// After a turn without work: pause, yield or sleep, by how long there was none. Never in the simulator.
void weft_core_idle(struct weft_core *core);

// When this core next has something to do by itself: timers and pollers; UINT64_MAX for never.
uint64_t weft_core_due_ns(const struct weft_core *core);

// Ends the sleep of `core`, if it sleeps. Any thread: store, fence, check (pairs with weft_core_idle).
void weft_core_wake(struct weft_core *core);

#endif // WEFT_SCHED_CORE_H
