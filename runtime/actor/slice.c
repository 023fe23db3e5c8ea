// slice.c: what an actor does with its turn: begins, goes on, or ends.
//
// `task.run` says which, so a slice starts with one indirect call and no questions:
//
//   callback   one message after the other to `handle`
//   main       calls `main`, once
//   kind       the runtime's own kinds
//   parked     goes on in the middle of one of these, on the actor's own stack
//   ending     the steps of an end (end.c)
#include "runtime/actor/fast.h"
#include "runtime/actor/internal.h"

bool weft_slice_is_actor(const struct weft_task *task)
{
    return task->run == weft_slice_callback || task->run == weft_slice_main ||
           task->run == weft_slice_kind || task->run == weft_slice_parked ||
           task->run == weft_slice_ending;
}

// What follows a slice that was not the last: false if the task must not be touched by the loop.
static inline bool after(struct weft_actor_system *system, struct weft_actor *actor,
                         bool wants_more)
{
    weft_slice_note(system, system->core, actor);
    if (unlikely(system->mute_wanted != 0) && weft_mute_slice(actor)) return false;
    if (unlikely(actor->talk >= WEFT_TALK_MOVES)) weft_balance_slice(actor);
    if (unlikely(system->node->moves_always)) weft_move_stress(actor);
    return wants_more && likely((actor->task.flags & WEFT_ACTOR_MOVING) == 0);
}

// True if the slice began on the loop's stack and the actor has kept it meanwhile: then the frames
// below are nobody's any more, and whoever resumed it does the rest.
static inline bool has_kept_stack(const struct weft_actor *actor)
{
    return unlikely(actor->stack != NULL);
}

static _Noreturn void leave_own_stack(struct weft_actor *actor)
{
    weft_actor_account(actor);
    weft_core_leave(actor->system->core, &actor->fiber);
}

bool weft_slice_callback(struct weft_core *core, struct weft_task *task)
{
    struct weft_actor *actor = WEFT_CONTAINER_OF(task, struct weft_actor, task);
    struct weft_actor_system *system = actor->system;
    const struct weft_actor_kind *kind = actor->kind;
    system->running = actor;
    do {
        struct weft_message *message = weft_mailbox_pop(system, actor);
        if (message == NULL) break;
        core->run.left -= WEFT_MESSAGE_REDUCTIONS;
        actor->current = message;
        system->in_user = true;
        kind->handle(actor, actor->state, message);
        if (has_kept_stack(actor)) { // It had to wait: this is another slice, perhaps another core.
            actor->system->in_user = false;
            weft_receive_drop_current(actor);
            leave_own_stack(actor);
        }
        system->in_user = false;
        message = actor->current;
        if (likely(message != NULL)) {
            actor->current = NULL;
            weft_message_done(system, message);
        }
        if (unlikely(task->flags & WEFT_ACTOR_ENDING)) {
            weft_actor_account(actor);
            system->running = NULL;
            return weft_slice_ending(core, task);
        }
    } while (core->run.left >= WEFT_MESSAGE_REDUCTIONS && !weft_core_is_preempted(core));
    weft_actor_account(actor);
    system->running = NULL;
    return after(system, actor, !weft_list_empty(&actor->mailbox));
}

bool weft_slice_main(struct weft_core *core, struct weft_task *task)
{
    struct weft_actor *actor = WEFT_CONTAINER_OF(task, struct weft_actor, task);
    actor->system->running = actor;
    actor->system->in_user = true;
    actor->kind->main(actor, actor->state);
    actor->system->in_user = false;
    task->flags |= WEFT_ACTOR_ENDING;
    if (has_kept_stack(actor)) leave_own_stack(actor);
    weft_actor_account(actor);
    actor->system->running = NULL;
    return weft_slice_ending(core, task);
}

bool weft_slice_kind(struct weft_core *core, struct weft_task *task)
{
    struct weft_actor *actor = WEFT_CONTAINER_OF(task, struct weft_actor, task);
    struct weft_actor_system *system = actor->system;
    uint32_t left = (uint32_t)core->run.left;
    system->running = actor;
    const enum weft_actor_verdict verdict =
        (enum weft_actor_verdict)actor->kind->slice(actor, &left);
    core->run.left = (int32_t)left;
    weft_actor_account(actor);
    system->running = NULL;
    if (verdict == WEFT_ACTOR_EXIT) task->flags |= WEFT_ACTOR_ENDING;
    if (task->flags & WEFT_ACTOR_ENDING) {
        system->mute_wanted = 0; // It is not the next one's.
        return weft_slice_ending(core, task);
    }
    return after(system, actor, verdict == WEFT_ACTOR_AGAIN);
}

// One that left its own stack for good: its handler has returned, or its `main`.
static bool came_back(struct weft_core *core, struct weft_actor *actor)
{
    struct weft_actor_system *system = actor->system;
    if (actor->task.flags & WEFT_ACTOR_ENDING) return weft_slice_ending(core, &actor->task);
    actor->task.run = weft_slice_callback;
    weft_actor_release_stack(actor);
    return after(system, actor, !weft_list_empty(&actor->mailbox));
}

// Somebody is back, and not always the one that was resumed: those that have parked go straight to
// each other. Who has parked has seen to itself.
static void somebody_is_back(void *self)
{
    struct weft_actor_system *system = self;
    struct weft_actor *actor = system->running;
    system->running = NULL;
    if (actor != NULL && came_back(system->core, actor))
        weft_core_ready(system->core, &actor->task);
}

bool weft_slice_parked(struct weft_core *core, struct weft_task *task)
{
    struct weft_actor *actor = WEFT_CONTAINER_OF(task, struct weft_actor, task);
    struct weft_actor_system *system = actor->system;
    if (unlikely(task->flags & WEFT_ACTOR_EVICTED)) weft_actor_restore_stack(actor);
    system->running = actor;
    weft_prefetch_followers(core, task);
    weft_core_resume(core, &actor->fiber, somebody_is_back, system);
    return false;
}

void weft_actor_wake(struct weft_actor *actor)
{
    weft_actor_ready(actor);
}
