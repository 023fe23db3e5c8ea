// end.c: the end of an actor, in steps: a hub with a hundred thousand links must not stop its core.
#include <errno.h>

#include "runtime/actor/internal.h"

#define STEP 256 // Links and messages that one slice of an ending actor deals with.

void weft_actor_end_soon(struct weft_actor *actor, uint16_t reason)
{
    if (actor->task.flags & WEFT_ACTOR_ENDING) return;
    actor->task.flags |= WEFT_ACTOR_ENDING;
    actor->exit_reason = reason;
    if (actor->task.flags & WEFT_ACTOR_MUTED) weft_mute_unlink(actor);
    if (actor->system->running == actor) return; // It ends when its slice does.
    actor->task.run = weft_slice_ending;
    weft_actor_ready(actor);
}

// What it held when it ended: a call is answered, by us.
static void let_go(struct weft_actor_system *system, struct weft_message *message)
{
    if (message == NULL) return;
    if (message->tag == WEFT_MESSAGE_CALL)
        weft_call_fail(system, message, -EPIPE);
    else
        weft_message_release(system, message);
}

#define SPEAKS UINT32_MAX // edge_cursor, until its own code has said its last word.

// What nobody may see of it any more, and what its own code does last.
static void die(struct weft_actor *actor)
{
    struct weft_actor_system *system = actor->system;
    actor->task.run = weft_slice_ending;
    actor->task.flags |= WEFT_ACTOR_ZOMBIE;
    weft_slot_set_core(system, actor->pid, 0); // From here on nothing reaches it.
    weft_trace(system, WEFT_TRACE_EXIT, actor->pid, actor->exit_reason);
    WEFT_PROBE2(exit, actor->pid, actor->exit_reason);
    if (actor->stack != NULL)
        weft_actor_release_stack(actor);
    else if (actor->kind->main != NULL)
        weft_stack_unpromise(system);
    actor->task.flags &=
        (uint16_t) ~(WEFT_ACTOR_PARKED | WEFT_ACTOR_SELECTIVE | WEFT_ACTOR_CALLING);
    actor->edge_cursor = SPEAKS;
    if (actor->kind->terminate != NULL) {
        system->running = actor;
        system->in_user = true;
        actor->kind->terminate(actor, actor->state, actor->exit_reason);
        system->in_user = false;
        system->running = NULL;
    }
}

static void let_all_go(struct weft_actor *actor)
{
    struct weft_actor_system *system = actor->system;
    weft_trace_ends(actor);
    weft_mute_over(actor);
    let_go(system, actor->current);
    let_go(system, actor->answer);
    actor->current = actor->answer = NULL;
    if (actor->rare != NULL) {
        for (struct weft_list *link; (link = weft_list_pop(&actor->rare->kept)) != NULL;)
            let_go(system, weft_message_of(link));
    }
    actor->edge_cursor = 0;
}

static void tell(struct weft_actor *actor, struct weft_message *edge)
{
    switch (edge->tag) {
    case TAG_EDGE_LINK: weft_link_end(actor, edge); break;
    case TAG_EDGE_TIMER: weft_timer_end(actor, edge); break;
    case TAG_EDGE_NAME: weft_name_end(actor, edge); break;
    case TAG_EDGE_MEMBER: weft_member_end(actor, edge); break;
    case TAG_EDGE_OWNED: weft_owned_over(actor, edge); break;
    default: weft_monitor_end(actor, edge); break;
    }
}

// What is its own ends before anybody is told of its end: who learns of it may take its name. True:
// nothing is left. With a hundred thousand links it takes some slices to find it.
static bool end_things(struct weft_actor *actor, uint32_t *steps)
{
    uint32_t budget = STEP;
    for (struct weft_message *edge; (edge = weft_edge_take_thing(actor, &budget)) != NULL;)
        tell(actor, edge);
    *steps += STEP - budget;
    if (budget == 0) return false;
    actor->task.flags &= (uint16_t)~WEFT_ACTOR_HOLDS;
    actor->edge_cursor = 0;
    return true;
}

// At home: what was made at its birth goes, and its slot.
void weft_actor_bury(struct weft_actor_system *system, struct weft_actor *actor)
{
    if (actor->kind->state_bytes > 0)
        weft_arena_release(system->arena, actor->state, actor->kind->state_bytes);
    if (actor->label != NULL) weft_slab_release(&system->label_slab, actor->label);
    weft_slot_release(system, actor);
}

static void finish(struct weft_actor *actor)
{
    struct weft_actor_system *system = actor->system;
    weft_edges_free(actor);
    if (actor->rare != NULL) weft_actor_release_rare(actor);
    if (actor->task.queued) weft_list_remove(&actor->task.link); // It has woken itself.
    weft_counter_add(&system->stats.exit_count, 1);
    const uint16_t home = weft_pid_home(actor->pid);
    if (likely(home == system->index)) {
        weft_actor_bury(system, actor);
        return;
    }
    __atomic_store_n(&actor->system, NULL, __ATOMIC_RELAXED); // A corpse: nobody's.
    struct weft_message *corpse = (struct weft_message *)(void *)actor;
    corpse->tag = TAG_HOME_ACTOR; // Its pid lies behind, where a message has its reference.
    corpse->home = (uint8_t)home;
    weft_message_send_home(system, corpse);
}

bool weft_slice_ending(struct weft_core *core, struct weft_task *task)
{
    struct weft_actor *actor = WEFT_CONTAINER_OF(task, struct weft_actor, task);
    uint32_t steps = 0;
    if ((task->flags & WEFT_ACTOR_ZOMBIE) == 0) die(actor);
    // In a slice of its own if terminate has left the other one by weft_exit.
    if (actor->edge_cursor == SPEAKS) let_all_go(actor);
    if (unlikely(task->flags & WEFT_ACTOR_HOLDS) && !end_things(actor, &steps)) {
        core->run.left -= (int32_t)steps * WEFT_MESSAGE_REDUCTIONS;
        return true;
    }
    for (struct weft_message *edge; steps < STEP && (edge = weft_edge_take_any(actor)) != NULL;
         steps++)
        tell(actor, edge);
    const bool is_over = steps < STEP && weft_mailbox_empty(actor, STEP - steps);
    core->run.left -= (int32_t)steps * WEFT_MESSAGE_REDUCTIONS;
    if (!is_over) return true;
    finish(actor);
    return false;
}
