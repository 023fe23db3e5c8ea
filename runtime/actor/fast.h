// fast.h: the few steps that every message takes, in line: a block, a mailbox of this core, a slice.
// What is rare is a call into the file that knows about it.
#ifndef WEFT_ACTOR_FAST_H
#define WEFT_ACTOR_FAST_H

#include <string.h>

#include "runtime/actor/internal.h"

#define always_inline static inline __attribute__((always_inline))

// ---- Blocks.

// A block of the smallest class: a header and 16 bytes. NULL: no memory, and nothing is counted.
always_inline struct weft_message *weft_block_take(struct weft_actor_system *system)
{
    struct weft_message *message = weft_slab_alloc(&system->messages[0]);
    if (unlikely(message == NULL)) return NULL;
    message->reference = 0;
    message->home = (uint8_t)system->index;
    return message;
}

// True if releasing it is nothing but giving a block of the smallest class back here.
always_inline bool weft_block_is_plain(const struct weft_actor_system *system,
                                       const struct weft_message *message)
{
    return message->home == system->index && message->length <= 16 &&
           message->tag != WEFT_MESSAGE_CALL;
}

always_inline void weft_message_done(struct weft_actor_system *system, struct weft_message *message)
{
    if (likely(weft_block_is_plain(system, message)))
        weft_slab_release(&system->messages[0], message);
    else
        weft_message_release(system, message);
}

// ---- Mailboxes.

// The actor of `pid`, if it was born here and is here; NULL: look again, thoroughly.
always_inline struct weft_actor *weft_slot_here(const struct weft_actor_system *system, weft_pid pid)
{
    const uint32_t slot = weft_pid_slot(pid);
    if (unlikely(weft_pid_home(pid) != system->index || slot >= system->slot_capacity)) return NULL;
    if (unlikely(atomic_load_explicit(&system->location[slot], memory_order_relaxed) !=
                     system->index + 1u ||
                 system->holding > 0))
        return NULL;
    struct weft_actor *actor = &system->chunks[slot / WEFT_CHUNK_SLOTS][slot % WEFT_CHUNK_SLOTS];
    return likely(actor->pid == pid) ? actor : NULL;
}

always_inline void weft_mailbox_append(struct weft_core *core, struct weft_actor *actor,
                                       struct weft_message *message)
{
    weft_list_append(&actor->mailbox, weft_message_link(message));
    if (likely((actor->task.flags & WEFT_ACTOR_SELECTIVE) == 0)) weft_core_ready(core, &actor->task);
}

// As weft_route, of a message of tag USER or CAST.
always_inline int weft_route_plain(struct weft_actor_system *system, struct weft_message *message)
{
    struct weft_actor *actor = weft_slot_here(system, message->to);
    if (unlikely(actor == NULL || actor->mailbox_count >= actor->mailbox_max))
        return weft_route(system, message, true);
    actor->mailbox_count++;
    weft_mailbox_append(system->core, actor, message);
    return 0;
}

// As weft_actor_receive.
always_inline struct weft_message *weft_mailbox_pop(struct weft_actor_system *system,
                                                    struct weft_actor *actor)
{
    struct weft_list *mailbox = &actor->mailbox, *link = mailbox->next;
    if (link == mailbox) return NULL;
    struct weft_message *message = weft_message_of(link);
    if (unlikely((actor->task.flags & (WEFT_ACTOR_INDEXED | WEFT_ACTOR_BUSY)) != 0 ||
                 !is_bounded(message)))
        return weft_actor_receive(actor);
    mailbox->next = link->next;
    link->next->prev = mailbox;
    actor->mailbox_count--;
    weft_counter_add(&system->stats.message_count, 1);
    return message;
}

// ---- Slices.

bool weft_slice_parked(struct weft_core *core, struct weft_task *task); // task.run of who parks.

// Leaves the slice of the running actor, which goes on behind this in a later slice, perhaps on
// another core. If the next one in the queue has parked too, straight to it: then the return
// predictor of the CPU stays right, which costs more than the rest (docs/BENCH.md).
always_inline void weft_actor_park_inline(struct weft_actor *actor)
{
    struct weft_actor_system *system = actor->system;
    struct weft_core *core = system->core;
    struct weft_actor_stack *stack = actor->stack;
    bool (*const at_boundary)(struct weft_core *, struct weft_task *) = actor->task.run;
    weft_actor_account(actor);
    actor->task.flags |= WEFT_ACTOR_PARKED;
    actor->task.run = weft_slice_parked;
    stack->parked_ticks = (uint32_t)(core->now_ns >> 20);
    system->running = NULL;
    weft_slice_note(system, actor);
    if (unlikely(stack->stack == NULL)) {
        weft_core_park(core, &stack->fiber, &stack->stack);
    } else {
        struct weft_task *task = weft_core_peek(core);
        struct weft_fiber *next = &core->run.loop;
        if (likely(task != NULL && task->run == weft_slice_parked &&
                   (task->flags & WEFT_ACTOR_EVICTED) == 0)) {
            struct weft_actor *other = WEFT_CONTAINER_OF(task, struct weft_actor, task);
            weft_core_end_slice(core);
            weft_list_remove(&task->link);
            weft_core_begin_slice(core, task);
            system->running = other;
            next = &other->stack->fiber;
        }
        weft_fiber_switch(&stack->fiber, next);
    }
    actor->task.run = at_boundary;
    actor->task.flags &= (uint16_t)~WEFT_ACTOR_PARKED;
}

#endif // WEFT_ACTOR_FAST_H
