// wait.c: leaving a slice in its middle: with a stack that is one's own from then on, until a time.
#include <errno.h>

#include "runtime/actor/fast.h"
#include "runtime/actor/internal.h"

// ---- Stacks that are promised: an actor with `main` is only made if it can have one, and keeps
// the promise until its end; one with `handle` has none until it waits. A stack is promised by the
// core that it came from, and goes home to it: so none runs out of stacks because its actors go.

#define OWN_STACKS 2 // The loop's, and its spare.

static bool has_stack_left(const struct weft_actor_system *system)
{
    return system->stacks != NULL &&
           system->stack_promises + OWN_STACKS < (int64_t)weft_stacks_count_max(system->stacks);
}

bool weft_stack_promise(struct weft_actor_system *system)
{
    if (!has_stack_left(system)) return false;
    system->stack_promises++;
    return true;
}

void weft_stack_unpromise(struct weft_actor_system *system)
{
    system->stack_promises--;
}

static void send_stack_home(struct weft_actor_system *system, void *stack)
{
    uint64_t mask = system->node->core_mask;
    while (!weft_stacks_owns(system->node->systems[__builtin_ctzll(mask)]->stacks, stack))
        mask &= mask - 1; // Of a core of this node it is.
    weft_stacks_forget(stack);
    // The block that names it lies in it, where its first frames were: that memory is there.
    struct weft_message *block =
        (struct weft_message *)(void *)((uint8_t *)weft_stacks_top(stack) - sizeof(*block) - 16);
    block->tag = TAG_HOME_STACK;
    block->home = (uint8_t)__builtin_ctzll(mask);
    weft_message_send_home(system, block);
}

void weft_stack_came_home(struct weft_actor_system *system, struct weft_message *block)
{
    void *stack = (void *)((uintptr_t)block & ~(uintptr_t)(WEFT_STACK_BYTES - 1));
    weft_stacks_release(system->stacks, stack);
    weft_stack_unpromise(system);
}

// ---- What few need.

static void expired(void *self, struct weft_timer *timer, uint64_t now_ns);

struct weft_actor_rare *weft_actor_rare(struct weft_actor *actor)
{
    if (likely(actor->rare != NULL)) return actor->rare;
    struct weft_actor_rare *rare = weft_slab_alloc(&actor->system->rare_slab);
    if (rare == NULL) return NULL;
    *rare = (struct weft_actor_rare){
        .actor = actor, .deadline_ns = WEFT_FOREVER, .home = (uint8_t)actor->system->index};
    weft_list_init(&rare->kept);
    weft_list_init(&rare->blocks);
    weft_list_init(&rare->unmutes);
    weft_timer_init(&rare->timer, expired, rare);
    actor->rare = rare;
    actor->system->calm_pid = 0; // There may be more to look at in it from now on (mailbox.c).
    return rare;
}

void weft_actor_release_stack(struct weft_actor *actor)
{
    weft_actor_drop_evicted(actor);
    weft_fiber_shadow_drop(&actor->fiber);
    struct weft_actor_system *system = actor->system;
    void *stack = actor->stack;
    actor->stack = NULL;
    actor->task.flags &= (uint16_t)~WEFT_ACTOR_PARKED;
    if (unlikely(!weft_stacks_owns(system->stacks, stack))) {
        send_stack_home(system, stack);
        return;
    }
    weft_stacks_release(system->stacks, stack);
    weft_stack_unpromise(system);
}

void weft_actor_release_rare(struct weft_actor *actor)
{
    struct weft_actor_system *system = actor->system;
    struct weft_actor_rare *rare = actor->rare;
    const uint8_t home = rare->home;
    weft_wheel_cancel(&system->core->wheel, &rare->timer);
    weft_cursors_free(actor);
    weft_awaits_free(actor);
    weft_blocks_free(actor);
    if (rare->alarm != NULL) weft_message_release_block(system, rare->alarm);
    actor->rare = NULL;
    if (home == system->index) {
        weft_slab_release(&system->rare_slab, rare);
        return;
    }
    struct weft_message *block = (struct weft_message *)(void *)rare;
    block->tag = TAG_HOME_RARE;
    block->home = home;
    weft_message_send_home(system, block);
}

// ---- Parking.

#define PATIENCE_NS (100 * WEFT_NS_PER_MS)

bool weft_actor_may_park(struct weft_actor *actor)
{
    if (unlikely((actor->task.flags & (WEFT_ACTOR_ENDING | WEFT_ACTOR_ZOMBIE)) ==
                 WEFT_ACTOR_ENDING))
        weft_actor_abandon(actor);
    if (actor->stack != NULL) return true;
    return actor->system->core->run.may_park && actor->kind->slice == NULL &&
           (actor->task.flags & WEFT_ACTOR_ZOMBIE) == 0 &&
           (actor->kind->main != NULL || has_stack_left(actor->system));
}

// On the loop's stack still: that is its own from now on.
static struct weft_step leave_first(struct weft_actor *actor)
{
    struct weft_actor_system *system = actor->system;
    struct weft_core *core = system->core;
    actor->task.run = weft_slice_parked;
    actor->task.flags |= WEFT_ACTOR_PARKED;
    actor->parked_ticks = core->now_ticks;
    weft_actor_account(actor);
    weft_slice_note(system, core, actor);
    if (actor->kind->main == NULL) system->stack_promises++;
    system->running = NULL;
    return (struct weft_step){&actor->fiber,
                              weft_core_keep_stack(core, &actor->fiber, &actor->stack)};
}

__attribute__((noinline)) struct weft_step weft_actor_leave_slowly(struct weft_actor *actor)
{
    struct weft_actor_system *system = actor->system;
    struct weft_core *core = system->core;
    if (actor->stack == NULL) return leave_first(actor);
    weft_slice_note(system, core, actor);
    struct weft_task *task = weft_core_peek(core);
    struct weft_fiber *next = &core->run.loop;
    if (task != NULL && task->run == weft_slice_parked && (task->flags & WEFT_ACTOR_EVICTED) == 0) {
        next = weft_actor_hand_over(system, core, actor, task);
    } else {
        actor->parked_ticks = core->now_ticks;
        weft_actor_account(actor);
        system->running = NULL;
    }
    return (struct weft_step){&actor->fiber, next};
}

void weft_actor_park(struct weft_actor *actor)
{
    weft_actor_park_inline(actor);
}

// The deadline of a wait stands in deadline_ns; the timer only has to fire at or before it. So a
// wait that ends early leaves the timer armed, and the next one, with the same time-out, finds it
// armed already: most calls never touch the wheel.
static void expired(void *self, struct weft_timer *timer, uint64_t now_ns)
{
    struct weft_actor_rare *rare = self;
    struct weft_actor *actor = rare->actor;
    if (rare->deadline_ns == WEFT_FOREVER) return;
    if (now_ns < rare->deadline_ns) {
        weft_wheel_arm(&actor->system->core->wheel, timer, rare->deadline_ns);
        return;
    }
    weft_actor_ready(actor);
}

static bool arm(struct weft_actor *actor, uint64_t deadline_ns)
{
    struct weft_actor_rare *rare = weft_actor_rare(actor);
    if (rare == NULL) return false;
    rare->deadline_ns = deadline_ns;
    if (!weft_timer_armed(&rare->timer) || rare->timer.due_ns > deadline_ns)
        weft_wheel_arm(&actor->system->core->wheel, &rare->timer, deadline_ns);
    return true;
}

// Who waits with a full mailbox does not empty it, and keeps others waiting; perhaps, by way of
// others still, the very one that it waits for. So after a while they may go on. The while is over
// whatever wakes it meanwhile, and begins anew when it has taken something out (mailbox.c).
static uint64_t patience_ns(struct weft_actor *actor)
{
    struct weft_actor_rare *rare =
        (actor->task.flags & WEFT_ACTOR_BUSY) != 0 ? weft_actor_rare(actor) : NULL;
    if (rare == NULL) return WEFT_FOREVER;
    if (rare->patience_ns == 0) rare->patience_ns = actor->system->core->now_ns + PATIENCE_NS;
    return rare->patience_ns;
}

static void lose_patience(struct weft_actor *actor)
{
    actor->rare->patience_ns = 0;
    weft_mute_over(actor);
}

enum weft_wait weft_actor_wait(struct weft_actor *actor, uint64_t deadline_ns)
{
    if (deadline_ns <= actor->system->core->now_ns) return WAIT_TIMEOUT;
    if (!weft_actor_can_park(actor)) return WAIT_REFUSED;
    const uint64_t busy_ns = patience_ns(actor);
    const uint64_t until_ns = deadline_ns < busy_ns ? deadline_ns : busy_ns;
    if (until_ns == WEFT_FOREVER) {
        weft_actor_park(actor);
        return WAIT_OVER;
    }
    if (!arm(actor, until_ns)) return WAIT_REFUSED;
    weft_actor_park(actor);
    actor->rare->deadline_ns = WEFT_FOREVER;
    if (actor->system->core->now_ns >= busy_ns) lose_patience(actor);
    return WAIT_OVER; // If it is too late the next wait says so.
}

static __attribute__((noinline)) struct weft_step yield_slowly(struct weft_actor *self)
{
    if (weft_actor_may_park(self)) {
        weft_actor_ready(self);
        if (SWITCHES_OUTSIDE) return weft_actor_leave_slowly(self);
        weft_actor_park(self);
    }
    leave(self);
    return (struct weft_step){NULL, NULL};
}

struct weft_step weft_yield_begin(struct weft_actor *self)
{
    struct weft_actor_system *system = enter(self);
    if (unlikely(!SWITCHES_OUTSIDE || self->stack == NULL ||
                 (self->task.flags & WEFT_ACTOR_ENDING) != 0))
        return yield_slowly(self);
    weft_core_ready(system->core, &self->task);
    return weft_actor_leave(self);
}

void weft_yield_end(struct weft_actor *self)
{
    leave(self);
}

void weft_reduce(struct weft_actor *self, uint32_t count)
{
    struct weft_core *core = self->system->core;
    // Who cannot yield may charge again and again: as deep as the counter goes, not deeper.
    const int64_t left = (int64_t)core->run.left - count;
    core->run.left = left > INT32_MIN / 2 ? (int32_t)left : INT32_MIN / 2;
    if (unlikely(core->run.left <= 0 || weft_core_is_preempted(core))) weft_yield(self);
}

bool weft_is_spent(const struct weft_actor *self)
{
    const struct weft_core *core = self->system->core;
    return core->run.left <= 0 || weft_core_is_preempted(core);
}

void weft_sleep(struct weft_actor *self, uint64_t ns)
{
    enter(self);
    const uint64_t deadline_ns = weft_deadline_ns(self, ns);
    const uint16_t selective = self->task.flags & WEFT_ACTOR_SELECTIVE;
    self->task.flags |= WEFT_ACTOR_SELECTIVE; // Messages wait; only the clock wakes it.
    while (weft_actor_wait(self, deadline_ns) == WAIT_OVER)
        continue;
    if (!selective) self->task.flags &= (uint16_t)~WEFT_ACTOR_SELECTIVE;
    leave(self);
}
