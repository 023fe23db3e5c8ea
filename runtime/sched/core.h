// core.h: one turn of a core: observe, react, act. Nothing here blocks, and each step has a budget.
//
// A worker core is one of these, turned for ever by a pinned thread (core_thread.h); the simulator
// turns all cores of all nodes in one thread. The control core is one too, with pollers that may
// block. State hangs from here; no global, no thread-local, no clock but the one given. A core, its
// wheel and its queues point into themselves: its memory stays in place, aligned to
// WEFT_CORE_ALIGN.
//
// How a sleeping core is woken, and why no wake-up is lost:
//
//   whoever gives work                       the core
//   1. store the work (ring head, stop)      1. store asleep = 1
//   2. full fence                            2. full fence
//   3. load asleep; if set, ring the bell    3. load the work; if there is some, do not sleep
//
// Each side stores, fences and then loads what the other stores: at least one of them sees the
// other.
#ifndef WEFT_SCHED_CORE_H
#define WEFT_SCHED_CORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/assert.h"
#include "runtime/base/counter.h"
#include "runtime/base/drop.h"
#include "runtime/base/list.h"
#include "runtime/base/log.h"
#include "runtime/env/clock.h"
#include "runtime/include/weft/types.h"
#include "runtime/mem/stacks.h"
#include "runtime/sched/fiber.h"
#include "runtime/sched/mpsc_ring.h"
#include "runtime/sched/poller.h"
#include "runtime/sched/spsc_ring.h"
#include "runtime/sched/wheel.h"

#define WEFT_CORE_MAX            64 // Cores of a node, the control core included.
#define WEFT_CORE_POLLERS_MAX    32
#define WEFT_CORE_RING_SLOTS     1024
#define WEFT_CORE_OVERFLOW_SLOTS 4096 // Messages a core keeps while a ring of its own is full.
#define WEFT_CORE_BATCH          64   // Messages taken from one ring in one turn.
#define WEFT_CORE_NOBODY         UINT16_MAX // `from` of what a foreign thread posted.
#define WEFT_CORE_TIMERS_TURN    256        // Timers fired in one turn.
#define WEFT_SLICE_REDUCTIONS    2000       // One slice of an actor or unit.
#define WEFT_TURN_REDUCTIONS     16000      // All slices of one turn: eight full ones.
#define WEFT_SLICE_COST          20  // What a slice costs the turn besides: queue work is work too.
#define WEFT_LOW_EVERY           8   // LOW gets one slice in this many, while NORMAL has work.
#define WEFT_IDLE_POLLS          200 // Empty turns with a pause, then
#define WEFT_IDLE_YIELDS         8   // turns with a yield, then sleeps from
#define WEFT_IDLE_SLEEP_NS_MIN   (20 * WEFT_NS_PER_US) // to idle_sleep_max_ns, growing by half.
#define WEFT_IDLE_SLEEP_NS_MAX   (500 * WEFT_NS_PER_US)

struct weft_core;

// Something that can stand in a run queue: an actor embeds one.
struct weft_task {
    struct weft_list link;
    // Runs for at most core->run.left, subtracts what it used (below zero is forgiven). True: it
    // wants another slice. After false the core does not touch the task again: it may be gone.
    bool (*run)(struct weft_core *core, struct weft_task *task);
    uint8_t priority;
    bool queued;
    uint16_t flags;  // The owner's own,
    uint32_t number; // and so is this.
};
_Static_assert(sizeof(struct weft_task) == 32, "half of an actor's first cache line");

static inline void weft_task_init(struct weft_task *task,
                                  bool (*run)(struct weft_core *core, struct weft_task *task),
                                  enum weft_priority priority)
{
    weft_list_init(&task->link);
    task->run = run;
    task->priority = (uint8_t)priority;
    task->queued = false;
    task->flags = 0;
    task->number = 0;
}

// What a core knows of the watchdog over it (watchdog.h).
struct weft_watchdog_bell {
    _Atomic bool asleep;
    void (*ring)(void *self); // Any core.
    void *self;
};

// The slices of a turn (run.c).
struct weft_run {
    int32_t left;              // Reductions of the slice under way.
    uint32_t spent;            // Of the turn's reductions.
    uint32_t slices;           // Of this turn.
    bool may_park;             // The slice under way may keep the loop's stack.
    bool is_abandoned;         // The slice was given up where it stood.
    uint32_t base_bytes;       // At the top of the loop's stack: the loop's own. 0: not known yet.
    void *stack;               // The loop's. NULL: somebody has just kept it, or there is none.
    void *spare;               // The next one.
    struct weft_fiber *resume; // Where the slice under way goes on when `run` has returned, if so:
    void (*back)(void *self);  // and what to do when somebody has left his stack.
    void *back_self;
    struct weft_fiber main; // The thread's stack, while the loop is on its own.
    struct weft_fiber warm; // The loop, between two turns.
    struct weft_fiber loop; // The loop, while somebody runs on a stack of his own.
};

// Something to be done on a core that must not be refused: the caller's memory, not a slot of a
// ring.
struct weft_core_errand {
    struct weft_core_errand *next; // While it is on its way.
    void (*run)(struct weft_core *core, void *self, uint64_t argument);
    void *self;
    uint64_t argument;
};

struct weft_core_stats { // Written by the core each turn, read by any core.
    weft_counter turn_count;
    weft_counter busy_ns; // Turns that found work.
    weft_counter idle_ns; // Turns that found none, and sleeps.
    weft_counter sleep_count;
    weft_counter wake_count; // Sleeps ended by a doorbell or another core.
    weft_counter slice_count;
    weft_counter reduction_count;
    weft_counter message_in;  // From other cores' rings.
    weft_counter turn_ns_max; // Longest turn since start.
    weft_counter slice_ns;    // Mean length of a slice in the last turn that had some.
};

struct weft_core_group;

struct weft_core {
    uint64_t now_ns;    // Read once a turn.
    uint32_t now_ticks; // The same in units of 2^20 ns, for ages.
    const struct weft_clock *clock;
    struct weft_core_group *group; // All cores of this node.
    uint16_t index;                // 0 is the control core.
    int16_t cpu;                   // The CPU it is pinned to; -1: it floats.
    struct weft_poller pollers[WEFT_CORE_POLLERS_MAX];
    uint32_t poller_count;
    struct weft_wheel wheel;
    struct weft_list run_queue[WEFT_PRIORITY_COUNT];
    bool has_urgent;            // A queue besides NORMAL may have a task.
    struct weft_stacks *stacks; // NULL: slices run on the thread's stack, and none may park.
    struct weft_watchdog_bell *watchdog; // NULL: none.
    struct weft_run run;
    struct {
        void (*handle)(void *self, const struct weft_core_message *message);
        void *self;
    } handlers[WEFT_CORE_MESSAGE_KINDS];
    struct weft_sleeper sleeper;
    struct weft_core_stats stats;
    struct weft_drops drops;
    struct weft_log log;
    // Idle policy (DESIGN, rule 7): ~200 polls with pause, ~8 yields, then sleeps growing from 20
    // us. The owner may change the three limits before the first turn.
    uint32_t idle_polls;        // WEFT_IDLE_POLLS; 0 for a core that may sleep at once.
    uint32_t idle_yields;       // WEFT_IDLE_YIELDS.
    uint64_t idle_sleep_max_ns; // WEFT_IDLE_SLEEP_NS_MAX; more where every poller has a doorbell.
    uint32_t idle_turns;        // Turns without work, in a row.
    uint64_t idle_sleep_ns;     // The next sleep's length.
    uint32_t low_turns;         // NORMAL slices since LOW last ran.
    uint64_t wake_mask;         // Cores given work since the last full fence.
    bool stands;                // No task gets a slice: all else goes on (node/standstill.h).
    bool turning;               // Inside weft_core_turn.
    bool turn_busy;             // The last turn found work.
    uint64_t overflow_mask;     // Destinations with something in overflow[].
    struct weft_spsc_ring
        *overflow[WEFT_CORE_MAX];               // Own core at both ends: what a full ring refused.
    struct weft_mpsc_ring posts;                // From foreign threads.
    _Atomic(struct weft_core_errand *) errands; // From any thread, the last one first.
    _Alignas(
        WEFT_CORE_ALIGN) _Atomic uint8_t asleep; // Set before a sleep; whoever gives work rechecks.
    _Atomic uint64_t quiet_epoch; // The last epoch seen at the end of a turn (quiesce.h).
    _Atomic bool stop;
    _Atomic bool preempt; // The slice under way has had its time (watchdog.h).
};

struct weft_core_group {
    uint16_t core_count;
    struct weft_core *cores[WEFT_CORE_MAX];
    struct weft_spsc_ring *rings[WEFT_CORE_MAX][WEFT_CORE_MAX]; // [from][to]; the diagonal is NULL.
    _Atomic uint64_t epoch; // Counts what was retired (quiesce.h). Written once a turn at most.
};

// Prepares `core` as number `index` of `group` (zeroed by the caller before the first) and joins
// it. Memory is the caller's; `clock` outlives it.
void weft_core_init(struct weft_core *core, struct weft_core_group *group, uint16_t index,
                    const struct weft_clock *clock, enum weft_log_level log_level);

// Makes the rings of every pair of cores. After the last weft_core_init, before the first turn.
// 0 or -ENOMEM. `weft_core_group_destroy` frees them when no core turns any more.
int weft_core_group_connect(struct weft_core_group *group);
void weft_core_group_destroy(struct weft_core_group *group);

// Adds a poller, polled in the order of adding. Before the first turn. 0 or -ENOSPC.
int weft_core_add_poller(struct weft_core *core, const struct weft_poller *poller);

// Who takes messages of `kind` on this core. Before the first turn. WEFT_CORE_MESSAGE_CALL is built
// in.
void weft_core_on(struct weft_core *core, enum weft_core_message_kind kind,
                  void (*handle)(void *self, const struct weft_core_message *message), void *self);

// Lets every poller's doorbell end the sleep. After the sleeper is set, before the first turn;
// weft_core_thread_start does it after `enter`. 0 or a negative errno.
int weft_core_watch_doorbells(struct weft_core *core);

// Sends to core `to`. Called on core `from` only. What a full ring refuses waits in order in an
// overflow of this core and goes out in a later turn. 0, or -ENOBUFS with RING_FULL counted when
// that is full too: the caller still owns what the message pointed to. Wakes the other core if it
// sleeps, at the latest at the end of the turn.
int weft_core_send(struct weft_core *from, uint16_t to, const struct weft_core_message *message);

// As weft_core_send, but counts nothing: for callers that keep the message and try again.
bool weft_core_send_try(struct weft_core *from, uint16_t to,
                        const struct weft_core_message *message);

// Puts the message into the ring and nowhere else: false if it is full. For callers that keep an
// order of their own.
bool weft_core_push(struct weft_core *from, uint16_t to, const struct weft_core_message *message);

// Takes what other cores have sent of the kinds in `mask` (1 << kind), in order: behind a message
// of another kind a ring is left alone. For a handler that does a stuck core's work
// (actor/relief.h).
void weft_core_take_kinds(struct weft_core *core, uint32_t mask);

// Gives core `to` a message from any thread (a foreign one has no ring); `from` becomes
// WEFT_CORE_NOBODY. 0, or -ENOBUFS if WEFT_MPSC_RING_SLOTS wait already: the caller still owns it.
int weft_core_post(struct weft_core *to, const struct weft_core_message *message);
int weft_core_post_call(struct weft_core *to,
                        void (*function)(struct weft_core *core, void *self, uint64_t argument),
                        void *self, uint64_t argument);

// Runs function(core `to`, self, argument) on core `to`. Same rules as weft_core_send.
int weft_core_call(struct weft_core *from, uint16_t to,
                   void (*function)(struct weft_core *core, void *self, uint64_t argument),
                   void *self, uint64_t argument);

// Has run(core `to`, self, argument) done on core `to`, in the order of giving. Any thread. Never
// refused: the errand is the caller's memory, untouched until it runs, and free again from then on.
// For what has to reach a core whatever its rings hold (node/standstill.h).
void weft_core_errand_give(struct weft_core *to, struct weft_core_errand *errand);

// Puts `task` at the end of its priority's queue, unless it stands there already. Own core only.
static inline void weft_core_ready(struct weft_core *core, struct weft_task *task)
{
    if (task->queued) return;
    task->queued = true;
    struct weft_list *queue = &core->run_queue[WEFT_PRIORITY_NORMAL];
    if (__builtin_expect(task->priority != WEFT_PRIORITY_NORMAL, 0)) {
        weft_assert(task->priority < WEFT_PRIORITY_COUNT);
        core->has_urgent = true;
        queue = &core->run_queue[task->priority];
    }
    weft_list_append(queue, &task->link);
}

static inline bool weft_core_has_task(const struct weft_core *core)
{
    for (unsigned i = 0; i < WEFT_PRIORITY_COUNT; i++) {
        if (!weft_list_empty(&core->run_queue[i])) return true;
    }
    return false;
}

// True if the slice under way has had its time, whatever it has counted. Own core only.
static inline bool weft_core_is_preempted(const struct weft_core *core)
{
    // Relaxed: a hint; the slice ends a little sooner or later.
    return atomic_load_explicit(&core->preempt, memory_order_relaxed);
}

// A hint, for others: it may have woken meanwhile.
static inline bool weft_core_is_asleep(const struct weft_core *core)
{
    return atomic_load_explicit(&core->asleep, memory_order_relaxed) != 0;
}

// Gives every ready task its slices until the turn's reductions are spent. How many slices. A step
// of the turn.
uint32_t weft_core_run(struct weft_core *core);

// The two ends of a slice, for whoever goes from one task to the next without the loop.
static inline void weft_core_begin_slice(struct weft_core *core, struct weft_task *task)
{
    core->run.left = WEFT_SLICE_REDUCTIONS;
    task->queued = false;
}

// What the slice under way has used so far; it may be more than it had.
static inline uint32_t weft_core_slice_used(const struct weft_core *core)
{
    return (uint32_t)(WEFT_SLICE_REDUCTIONS - core->run.left);
}

static inline void weft_core_end_slice(struct weft_core *core, uint32_t used)
{
    core->run.spent += used + WEFT_SLICE_COST;
    core->run.slices++;
}

// Reductions of this turn, without those of the slice under way.
static inline uint32_t weft_core_reductions(const struct weft_core *core)
{
    return core->run.spent - core->run.slices * WEFT_SLICE_COST;
}

// The next task, if it is to have its slice at once: nothing is urgent, the turn not over. It stays
// in its queue. NULL: the loop has to say.
static inline struct weft_task *weft_core_peek(const struct weft_core *core)
{
    struct weft_list *first = core->run_queue[WEFT_PRIORITY_NORMAL].next;
    if (core->has_urgent || core->run.spent >= WEFT_TURN_REDUCTIONS ||
        weft_core_is_preempted(core) || first == &core->run_queue[WEFT_PRIORITY_NORMAL])
        return NULL;
    return WEFT_CONTAINER_OF(first, struct weft_task, link);
}

// Takes `task`, which weft_core_peek has named, out of its queue. Its own link still names the
// next.
static inline void weft_core_take_first(struct weft_core *core, const struct weft_task *task)
{
    struct weft_list *queue = &core->run_queue[WEFT_PRIORITY_NORMAL], *second = task->link.next;
    queue->next = second;
    second->prev = queue;
}

// In a slice on the loop's own stack, which is `fiber`'s and *stack from now on. Where to switch
// to.
static inline struct weft_fiber *weft_core_keep_stack(struct weft_core *core,
                                                      struct weft_fiber *fiber, void **stack)
{
    struct weft_run *run = &core->run;
    *stack = run->stack;
    run->stack = NULL;
    weft_fiber_shadow_move(fiber, &run->warm);
    return &run->main;
}

// In a slice: leaves it, to go on from here when somebody resumes `fiber`. `*stack` is where the
// slice's owner keeps its stack: NULL if it is on the loop's own, which it keeps from now on; that
// needs core->run.may_park. Whether and when it is ready again is the caller's business.
static inline __attribute__((always_inline)) void
weft_core_park(struct weft_core *core, struct weft_fiber *fiber, void **stack)
{
    struct weft_fiber *to =
        *stack == NULL ? weft_core_keep_stack(core, fiber, stack) : &core->run.loop;
    weft_fiber_switch(fiber, to);
}

// The last thing in the slice of a task that has parked: it goes on there as soon as `run` has
// returned false. So the loop itself switches, and nobody returns behind it (weft/switch.h).
// `back(self)` follows when somebody, not always the same one, parks into the loop or ends.
static inline void weft_core_resume(struct weft_core *core, struct weft_fiber *fiber,
                                    void (*back)(void *self), void *self)
{
    core->run.resume = fiber;
    core->run.back = back;
    core->run.back_self = self;
}

// In a slice that has been resumed: it is over, and its stack free for its owner to release.
static inline __attribute__((always_inline)) _Noreturn void
weft_core_leave(struct weft_core *core, struct weft_fiber *fiber)
{
    weft_fiber_end(fiber, &core->run.loop);
}

// In a slice on the loop's own stack: gives the slice up here and now. Nothing on the stack is
// undone.
static inline __attribute__((always_inline)) _Noreturn void
weft_core_abandon(struct weft_core *core)
{
    core->run.is_abandoned = true;
    weft_fiber_end(&core->run.warm, &core->run.main);
}

// Gives the loop's stacks back. Between turns; before the core's stacks are freed.
void weft_core_drop_stacks(struct weft_core *core);

// One turn. Returns true if it found work. The caller decides about idling: weft_core_idle.
bool weft_core_turn(struct weft_core *core);

// After a turn without work: pause, yield or sleep, by how long there was none. Never in the
// simulator.
void weft_core_idle(struct weft_core *core);

// When this core next has something to do by itself: timers and pollers; now if something stands in
// a run queue or ring; UINT64_MAX for never.
uint64_t weft_core_due_ns(const struct weft_core *core);

// Ends the sleep of `core`, if it sleeps. Any thread: store, fence, check (pairs with
// weft_core_idle).
void weft_core_wake(struct weft_core *core);

// The steps of a turn that group.c does: moves overflows into their rings; rings the bell of every
// core that was given work since the last call. Own core only.
void weft_core_send_overflow(struct weft_core *core);
void weft_core_wake_given(struct weft_core *core);

#endif // WEFT_SCHED_CORE_H
