// fast.h: the few steps that every message takes, in line: a block, a mailbox of this core, a
// slice. What is rare is a call into the file that knows about it.
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
always_inline struct weft_actor *weft_slot_here(const struct weft_actor_system *system,
                                                weft_pid pid)
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
    if (likely((actor->task.flags & WEFT_ACTOR_SELECTIVE) == 0))
        weft_core_ready(core, &actor->task);
}

// As weft_route, of a CALL that is made now. Who is in a call himself may be part of a circle.
always_inline void weft_route_call(struct weft_actor_system *system, struct weft_message *call)
{
    struct weft_actor *actor = weft_slot_here(system, call->to);
    if (unlikely(actor == NULL || actor->mailbox_count >= actor->mailbox_max ||
                 (actor->task.flags & WEFT_ACTOR_CALLING) != 0)) {
        weft_route(system, call, true);
        return;
    }
    actor->mailbox_count++;
    weft_mailbox_append(system->core, actor, call);
}

// As weft_route, of a REPLY: most find somebody here who waits for nothing else.
always_inline void weft_route_reply(struct weft_actor_system *system, struct weft_message *reply)
{
    struct weft_actor *actor = weft_slot_here(system, reply->to);
    if (unlikely(actor == NULL || actor->awaited != reply->reference)) {
        weft_route(system, reply, false);
        return;
    }
    actor->answer = reply; // Received, even if the actor ends before it has looked at it.
    system->received++;
    actor->awaited = WEFT_REFERENCE_NONE;
    weft_core_ready(system->core, &actor->task);
}

// True if taking the oldest message out is nothing but that. Who keeps others waiting has to look
// whether there is room for them, but not before it has come down to `calm_count`.
always_inline bool weft_mailbox_is_plain(const struct weft_actor_system *system,
                                         const struct weft_actor *actor,
                                         const struct weft_message *oldest)
{
    const unsigned unusual = actor->task.flags & (WEFT_ACTOR_INDEXED | WEFT_ACTOR_BUSY);
    if (unlikely(unusual != 0) && (unusual != WEFT_ACTOR_BUSY || system->calm_pid != actor->pid ||
                                   actor->mailbox_count <= system->calm_count))
        return false;
    return likely(oldest->tag < WEFT_MESSAGE_PORT);
}

// As weft_actor_receive.
always_inline struct weft_message *weft_mailbox_pop(struct weft_actor_system *system,
                                                    struct weft_actor *actor)
{
    struct weft_list *mailbox = &actor->mailbox, *link = mailbox->next;
    if (link == mailbox) return NULL;
    struct weft_message *message = weft_message_of(link);
    if (unlikely(!weft_mailbox_is_plain(system, actor, message))) return weft_actor_receive(actor);
    mailbox->next = link->next;
    link->next->prev = mailbox;
    actor->mailbox_count--;
    system->received++;
    WEFT_PROBE4(receive, actor->pid, message->from, message->type, message->length);
    return message;
}

// ---- Slices.

bool weft_slice_parked(struct weft_core *core, struct weft_task *task); // task.run of who parks.

// A thousand actors do not fit the nearest cache: fetches what the two behind `task` will need. Of
// the second the block, of the first, whose block has come meanwhile, the top of its stack.
always_inline void weft_prefetch_followers(const struct weft_core *core,
                                           const struct weft_task *task)
{
    const struct weft_list *queue = &core->run_queue[WEFT_PRIORITY_NORMAL];
    const struct weft_list *first = task->link.next;
    if (first == queue) return;
    const struct weft_actor *actor = (const struct weft_actor *)(const void *)first;
    const char *second = (const char *)first->next, *sp = actor->fiber.sp;
    __builtin_prefetch(second);
    __builtin_prefetch(second + 64);
    __builtin_prefetch(second + 128);
    __builtin_prefetch(sp);
    __builtin_prefetch(sp + 64);
    __builtin_prefetch(sp + 128);
    __builtin_prefetch(sp + 192);
}

struct weft_step weft_actor_leave_slowly(struct weft_actor *actor); // wait.c

// Puts the first of the queue into the place of `actor`, which leaves its slice. What to switch to.
always_inline struct weft_fiber *weft_actor_hand_over(struct weft_actor_system *system,
                                                      struct weft_core *core,
                                                      struct weft_actor *actor,
                                                      struct weft_task *task)
{
    struct weft_actor *other = WEFT_CONTAINER_OF(task, struct weft_actor, task);
    const uint32_t used = weft_core_slice_used(core);
    actor->reduction_count += used;
    actor->parked_ticks = core->now_ticks;
    weft_core_end_slice(core, used);
    weft_core_take_first(core, task);
    weft_prefetch_followers(core, task);
    weft_core_begin_slice(core, task);
    system->running = other;
    return &other->fiber;
}

// Leaves the slice of the running actor, all but the switch: that is for the caller to make, and
// what stands behind it goes on in a later slice, perhaps on another core. If the next one in the
// queue has parked too, straight to it. What is rare is a call at the very end, so that the rest
// needs no registers saved.
always_inline struct weft_step weft_actor_leave(struct weft_actor *actor)
{
    struct weft_actor_system *system = actor->system;
    struct weft_core *core = system->core;
    struct weft_task *task = weft_core_peek(core);
    if (unlikely(actor->stack == NULL || weft_slice_is_noted(system, core) || task == NULL ||
                 task->run != weft_slice_parked || (task->flags & WEFT_ACTOR_EVICTED) != 0))
        return weft_actor_leave_slowly(actor);
    return (struct weft_step){&actor->fiber, weft_actor_hand_over(system, core, actor, task)};
}

// Who waits in a public function switches outside of it (weft/switch.h). A sanitizer has to be
// told.
#ifdef WEFT_FIBER_SANITIZER
#define SWITCHES_OUTSIDE false
#else
#define SWITCHES_OUTSIDE true
#endif

// The same and the switch, for functions of ours that go on behind it.
always_inline void weft_actor_park_inline(struct weft_actor *actor)
{
    const struct weft_step step = weft_actor_leave(actor);
    weft_fiber_switch(step.from, step.to);
}

#endif // WEFT_ACTOR_FAST_H
