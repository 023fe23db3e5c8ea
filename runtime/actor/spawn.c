// spawn.c: how actors make actors, and how one ends itself.
#include <errno.h>

#include "runtime/actor/internal.h"

// Sends the newborn to the core it is meant for. Its pid is valid at once: what is sent to it
// follows it.
static void place(struct weft_actor_system *system, const struct weft_spawn *spawn, weft_pid pid)
{
    struct weft_actor *actor = weft_actor_find(system, pid);
    const uint16_t pinned = actor->task.flags & WEFT_ACTOR_PINNED;
    actor->task.flags &= (uint16_t)~WEFT_ACTOR_PINNED;
    weft_move_start(actor, spawn->core); // Without memory for it, it stays here.
    actor->task.flags |= pinned;
}

static int spawn_child(struct weft_actor *self, const struct weft_spawn *spawn, weft_pid *pid)
{
    struct weft_actor_system *system = self->system;
    const struct weft_actor_kind *kind = spawn->kind;
    if (kind == NULL || (kind->handle == NULL) == (kind->main == NULL)) return -EINVAL;
    if (spawn->core >= WEFT_CORE_MAX ||
        (spawn->core != 0 && (system->node->core_mask >> spawn->core & 1) == 0))
        return -EINVAL;
    weft_actor_charge(self, 2 * WEFT_MESSAGE_REDUCTIONS);
    const int result = weft_actor_spawn(system, spawn, self->pid, pid);
    if (result == 0 && unlikely(system->attends)) weft_trace_spawned(self, *pid);
    return result;
}

static void place_child(struct weft_actor *self, const struct weft_spawn *spawn, weft_pid pid)
{
    if (spawn->core != 0 && spawn->core != self->system->index) place(self->system, spawn, pid);
}

int weft_spawn(struct weft_actor *self, const struct weft_spawn *spawn, weft_pid *pid)
{
    enter(self);
    const int result = spawn_child(self, spawn, pid);
    if (result == 0) place_child(self, spawn, *pid);
    leave(self);
    return result;
}

// Takes back a child that has not run.
static void unmake(struct weft_actor *self, weft_pid pid)
{
    weft_actor_end_soon(weft_actor_find(self->system, pid), WEFT_EXIT_KILLED);
}

int weft_spawn_link(struct weft_actor *self, const struct weft_spawn *spawn, weft_pid *pid)
{
    enter(self);
    int result = spawn_child(self, spawn, pid);
    if (result == 0) {
        result = weft_link_to(self, *pid);
        if (result == 0)
            place_child(self, spawn, *pid);
        else
            unmake(self, *pid);
    }
    leave(self);
    return result;
}

int weft_spawn_monitor(struct weft_actor *self, const struct weft_spawn *spawn, weft_pid *pid,
                       uint64_t *reference)
{
    enter(self);
    int result = spawn_child(self, spawn, pid);
    if (result == 0) {
        result = weft_actor_monitor(self, *pid, reference);
        if (result == 0)
            place_child(self, spawn, *pid);
        else
            unmake(self, *pid);
    }
    leave(self);
    return result;
}

void weft_actor_stop(struct weft_actor *actor, uint16_t reason)
{
    if (actor->task.flags & WEFT_ACTOR_ENDING) return;
    actor->task.flags |= WEFT_ACTOR_ENDING;
    actor->exit_reason = reason;
}

void weft_stop(struct weft_actor *self, uint16_t reason)
{
    enter(self);
    weft_actor_stop(self, reason);
    leave(self);
}

bool weft_is_ending(const struct weft_actor *self)
{
    return (self->task.flags & WEFT_ACTOR_ENDING) != 0;
}

void weft_actor_abandon(struct weft_actor *self)
{
    struct weft_actor_system *system = self->system;
    struct weft_core *core = system->core;
    weft_actor_account(self);
    system->in_user = false;
    // With a stack of its own: the loop, which asks who is running, ends it.
    if (self->stack != NULL) weft_core_leave(core, &self->fiber);
    weft_assert(core->run.stack != NULL);
    system->running = NULL;
    self->task.run = weft_slice_ending;
    weft_actor_ready(self); // Its next slice is its end.
    weft_core_abandon(core);
}

void weft_exit(struct weft_actor *self, uint16_t reason)
{
    enter(self);
    weft_actor_stop(self, reason);
    weft_actor_abandon(self);
}
