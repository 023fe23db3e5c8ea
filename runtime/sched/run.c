// run.c: the slices of a turn, and the stack that they are on.
//
// Slices run on a stack of their own, the warm one, and not on the thread's. So whoever cannot go
// on in the middle of its slice may keep that stack, with everything on it, and go on there later;
// the loop takes another one. Who never waits never pays for a stack:
//
//   thread's stack       warm stack                        an actor's own
//   weft_core_run  --->  slices: run, run, run
//                          run waits: park ------------->  (the stack is the actor's from now on)
//                  <-----------------------------------'
//   a new one      --->  slices: run, run
//                          run of that actor: resume --->  goes on behind its park
//                          slices                   <----  parks again, or is done
//                  <---  nothing ready, or the turn is spent
#include "runtime/base/assert.h"
#include "runtime/sched/core.h"

// MAX, then HIGH, always first; LOW when nobody else wants to, and one slice in WEFT_LOW_EVERY.
static struct weft_task *next_task(struct weft_core *core)
{
    struct weft_list *queues = core->run_queue;
    struct weft_list *queue = &queues[WEFT_PRIORITY_NORMAL];
    if (core->has_urgent) {
        if (!weft_list_empty(&queues[WEFT_PRIORITY_MAX])) {
            queue = &queues[WEFT_PRIORITY_MAX];
        } else if (!weft_list_empty(&queues[WEFT_PRIORITY_HIGH])) {
            queue = &queues[WEFT_PRIORITY_HIGH];
        } else if (!weft_list_empty(&queues[WEFT_PRIORITY_LOW])) {
            if (weft_list_empty(queue) || ++core->low_turns >= WEFT_LOW_EVERY) {
                queue = &queues[WEFT_PRIORITY_LOW];
                core->low_turns = 0;
            }
        } else {
            core->has_urgent = false; // Only NORMAL is left: the common case looks at one queue.
        }
    }
    struct weft_list *link = weft_list_pop(queue);
    return link == NULL ? NULL : WEFT_CONTAINER_OF(link, struct weft_task, link);
}

// What the loop itself has on its stack. Who keeps the stack never returns to it (evict.c). The
// frame of this function is above those that it calls.
static inline __attribute__((always_inline)) void measure_base(struct weft_run *run)
{
    if (run->stack == NULL) return; // On the thread's.
    const uint8_t *top = weft_stacks_top(run->stack);
    run->base_bytes = (uint32_t)(top - (const uint8_t *)__builtin_frame_address(0));
}

// On the stack of a task that has parked, until somebody comes back.
static inline __attribute__((always_inline)) void go_on(struct weft_run *run)
{
    struct weft_fiber *fiber = run->resume;
    run->resume = NULL;
    weft_fiber_shadow_copy(&run->loop, run->stack != NULL ? &run->warm : &run->main);
    weft_fiber_switch(&run->loop, fiber);
    run->back(run->back_self);
}

static void slices(struct weft_core *core)
{
    struct weft_run *run = &core->run;
    measure_base(run);
    for (struct weft_task *task; run->spent < WEFT_TURN_REDUCTIONS &&
                                 !weft_core_is_preempted(core) &&
                                 (task = next_task(core)) != NULL;) {
        weft_core_begin_slice(core, task);
        if (task->run(core, task))
            weft_core_ready(core, task);
        else if (run->resume != NULL)
            go_on(run);
        weft_core_end_slice(core, weft_core_slice_used(core));
    }
}

static void loop_entry(struct weft_fiber *from, struct weft_fiber *self)
{
    // `self` is the first member that the core's own run is found by.
    struct weft_core *core = WEFT_CONTAINER_OF(self, struct weft_core, run.warm);
    weft_fiber_entered();
    (void)from;
    for (;;) {
        slices(core);
        weft_fiber_switch(&core->run.warm, &core->run.main);
    }
}

// Sets the loop up on its stack.
static void prepare(struct weft_run *run)
{
    weft_fiber_prepare(&run->warm, weft_stacks_limit(run->stack), weft_stacks_top(run->stack),
                       loop_entry);
}

// The next stack for the loop. If a crowd has had it, it is in no cache: it is fetched while there
// is one still.
static void *take_spare(struct weft_core *core)
{
    void *stack = weft_stacks_take(core->stacks);
    if (stack == NULL) return NULL;
    const char *top = weft_stacks_top(stack);
    for (unsigned line = 1; line <= 4; line++)
        __builtin_prefetch(top - line * 64, 1);
    return stack;
}

// Sees to it that the loop has a stack, and one to spare for when this one is kept. False: slices
// run on the thread's stack.
static bool has_stack(struct weft_core *core)
{
    struct weft_run *run = &core->run;
    if (core->stacks == NULL) return false;
    if (run->spare == NULL) run->spare = take_spare(core);
    if (run->stack == NULL) {
        run->stack = run->spare;
        if (run->stack == NULL) return false;
        run->spare = take_spare(core);
        prepare(run);
    }
    run->may_park = run->spare != NULL;
    return true;
}

// Somebody should watch what runs now.
static void wake_watchdog(struct weft_watchdog_bell *bell)
{
    // Relaxed: see watchdog.h.
    if (__builtin_expect(!atomic_load_explicit(&bell->asleep, memory_order_relaxed), 1)) return;
    atomic_store_explicit(&bell->asleep, false, memory_order_relaxed);
    bell->ring(bell->self);
}

uint32_t weft_core_run(struct weft_core *core)
{
    struct weft_run *run = &core->run;
    if (core->watchdog != NULL && weft_core_has_task(core)) wake_watchdog(core->watchdog);
    run->spent = run->slices = 0;
    for (bool goes_on = true;
         goes_on && weft_core_has_task(core) && !weft_core_is_preempted(core);) {
        if (!has_stack(core)) {
            slices(core);
            break;
        }
        weft_fiber_switch(&run->main, &run->warm);
        goes_on = run->stack == NULL || run->is_abandoned;
        if (run->is_abandoned) {
            run->is_abandoned = false;
            weft_fiber_shadow_drop(&run->warm);
            weft_stacks_forget(run->stack);
            prepare(run);
        }
        if (goes_on) // The loop was left in the middle of it.
            weft_core_end_slice(core, weft_core_slice_used(core));
    }
    if (run->slices == 0) return 0;
    weft_counter_add(&core->stats.slice_count, run->slices);
    weft_counter_add(&core->stats.reduction_count, weft_core_reductions(core));
    return run->slices;
}

void weft_core_drop_stacks(struct weft_core *core)
{
    struct weft_run *run = &core->run;
    if (run->stack != NULL) {
        weft_fiber_shadow_drop(&run->warm);
        weft_stacks_release(core->stacks, run->stack);
    }
    if (run->spare != NULL) weft_stacks_release(core->stacks, run->spare);
    run->stack = run->spare = NULL;
}
