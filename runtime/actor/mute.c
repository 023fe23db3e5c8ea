// mute.c: who sends to a mailbox at its limit waits until it has room (Pony: Clebsch et al.,
// "backpressure"; here for each receiver, and in the middle of a send).
//
// On the sender's core a dam stands for the receiver, with the senders that wait behind it. On the
// receiver's core the actor is BUSY. If they are two cores, the receiver's says MUTE once, and
// UNMUTE when there is room: that message is made with the first, so it cannot fail.
//
// Nobody waits who is BUSY himself. So no circle of waiters can close: take the one that began to
// wait last; it was not BUSY then, but somebody waits for it, and nobody waits for one that is not
// BUSY. Never muted are the node's own actors and those of priority MAX.
#include <errno.h>

#include "runtime/actor/internal.h"

// In a block of a message: its `from` is the receiver; `to`: it stands because the way to that
// core, less 1, is full, and not because the receiver is; `reference`: see below.
struct dam {
    struct weft_list waiters; // task.link of each.
};

// How many messages a mailbox has when the next sender may go on. One that goes on sends a slice
// full, so they go one after the other as it empties, in steps of a sixteenth of its limit; if it
// gets empty, all go.
#define STEPS 16
_Static_assert(sizeof(struct dam) <= 16, "in a block of 64");

static struct dam *dam_of(struct weft_message *block)
{
    return (struct dam *)(void *)block->payload;
}

static struct weft_message *find_dam(const struct weft_actor_system *system, weft_pid receiver)
{
    WEFT_LIST_FOR_EACH (link, &system->dams) {
        struct weft_message *block = weft_message_of(link);
        if (block->from == receiver) return block;
    }
    return NULL;
}

static struct weft_message *make_dam(struct weft_actor_system *system, weft_pid receiver)
{
    struct weft_message *block = weft_message_alloc_control(system);
    if (block == NULL) return NULL;
    block->from = receiver;
    block->to = 0;
    weft_list_init(&dam_of(block)->waiters);
    weft_list_append(&system->dams, weft_message_link(block));
    weft_attend(system);
    return block;
}

static struct weft_actor *pop_waiter(struct dam *dam)
{
    struct weft_list *link = weft_list_pop(&dam->waiters);
    if (link == NULL) return NULL;
    struct weft_task *task = WEFT_CONTAINER_OF(link, struct weft_task, link);
    return WEFT_CONTAINER_OF(task, struct weft_actor, task);
}

static bool let_one_go(struct weft_message *block)
{
    struct weft_actor *actor = pop_waiter(dam_of(block));
    if (actor == NULL) return false;
    if (unlikely(actor->task.flags & WEFT_ACTOR_INDEXED))
        weft_trace_actor(actor, WEFT_TRACE_UNMUTE, block->from, 0);
    actor->task.flags &= (uint16_t)~WEFT_ACTOR_MUTED;
    actor->task.queued = false;
    weft_actor_ready(actor);
    return true;
}

static void break_dam(struct weft_actor_system *system, struct weft_message *block)
{
    const weft_pid receiver = block->from;
    while (let_one_go(block))
        continue;
    weft_list_remove(weft_message_link(block));
    weft_attend(system);
    weft_message_release_block(system, block);
    if (system->relieved != NULL) system->relieved(system, receiver);
}

// Somebody waits for room in its mailbox, or might. BUSY may mean no more than that its alarm has
// gone off (mailbox.c).
static bool is_waited_for(const struct weft_actor *actor)
{
    const struct weft_actor_rare *rare = weft_actor_rare_of(actor);
    if ((actor->task.flags & WEFT_ACTOR_BUSY) == 0) return false;
    return rare == NULL || rare->alarm_length == 0 || !weft_list_empty(&rare->unmutes) ||
           find_dam(actor->system, actor->pid) != NULL;
}

static bool is_exempt(const struct weft_actor *actor)
{
    return actor->task.priority == WEFT_PRIORITY_MAX ||
           (actor->task.flags & (WEFT_ACTOR_PRIVATE | WEFT_ACTOR_ENDING)) != 0 ||
           is_waited_for(actor);
}

bool weft_mute_can_wait(struct weft_actor *self)
{
    return !is_exempt(self) && (self->kind->slice != NULL || weft_actor_can_park(self));
}

// ---- At the sender's.

// From now on `self` waits in the dam, where nothing else queues it.
static void put_behind(struct weft_actor *self, struct weft_message *block)
{
    struct weft_actor_system *system = self->system;
    weft_counter_add(&system->stats.mute_count, 1);
    self->task.flags |= WEFT_ACTOR_MUTED;
    self->task.queued = true;
    weft_list_append(&dam_of(block)->waiters, &self->task.link);
    weft_trace(system, WEFT_TRACE_MUTE, self->pid, block->from);
    if (unlikely(self->task.flags & WEFT_ACTOR_INDEXED))
        weft_trace_actor(self, WEFT_TRACE_MUTE, block->from, 0);
    WEFT_PROBE2(mute, self->pid, block->from);
}

void weft_mute_wait(struct weft_actor *self, weft_pid receiver, bool is_full)
{
    struct weft_actor_system *system = self->system;
    if (is_exempt(self)) return;
    struct weft_message *block = find_dam(system, receiver);
    const unsigned where = weft_slot_core(system, receiver);
    const bool is_here = where == system->index + 1u;
    if (!is_full && (is_here || block == NULL)) return; // Others wait; there is room now.
    if (block == NULL) {
        block = make_dam(system, receiver);
        if (block != NULL && where != 0 && !is_here) {
            system->out[where - 1].muted++; // It is the way there that is full.
            block->to = where;
        }
    }
    if (block == NULL) return;
    block->reference = UINT64_MAX; // From half its limit on.
    system->calm_pid = 0;
    if (self->kind->slice != NULL) { // It stands still when its slice is over.
        system->mute_wanted = receiver;
        return;
    }
    if (!weft_actor_can_park(self)) return;
    if (self->task.queued) { // Something has come for it meanwhile; it must not run yet.
        weft_list_remove(&self->task.link);
        self->task.queued = false;
    }
    put_behind(self, block);
    weft_actor_park(self);
}

bool weft_mute_watch(struct weft_actor_system *system, weft_pid receiver)
{
    struct weft_message *block = find_dam(system, receiver);
    struct weft_actor *actor = weft_actor_find(system, receiver);
    if (actor == NULL) return block != NULL; // Its core has told ours, or has not.
    if (weft_mailbox_load(actor) < weft_mailbox_limit(actor)) return false;
    if (block == NULL) block = make_dam(system, receiver);
    if (block == NULL) return false;
    block->reference = UINT64_MAX;
    weft_mailbox_is_busy(actor); // So that it looks for the dam when it has room.
    return true;
}

bool weft_mute_slice(struct weft_actor *actor)
{
    struct weft_actor_system *system = actor->system;
    const weft_pid receiver = system->mute_wanted;
    system->mute_wanted = 0;
    struct weft_message *block = find_dam(system, receiver);
    if (block == NULL || is_exempt(actor)) return false;
    if (actor->task.queued) weft_list_remove(&actor->task.link);
    put_behind(actor, block);
    return true;
}

bool weft_actor_disturb(struct weft_actor *actor)
{
    const bool stood_still = (actor->task.flags & WEFT_ACTOR_MUTED) != 0;
    if (stood_still) weft_mute_unlink(actor);
    weft_actor_ready(actor);
    return stood_still;
}

bool weft_actor_stand_still(struct weft_actor *self, weft_pid receiver)
{
    weft_assert(self->system->running == self);
    if (find_dam(self->system, receiver) == NULL || is_exempt(self)) return false;
    self->system->mute_wanted = receiver;
    return true;
}

void weft_actor_relieve(struct weft_actor *actor)
{
    weft_mute_over(actor);
}

void weft_mute_unlink(struct weft_actor *actor)
{
    weft_list_remove(&actor->task.link);
    actor->task.flags &= (uint16_t)~WEFT_ACTOR_MUTED;
    actor->task.queued = false;
}

void weft_mute_ordered(struct weft_actor_system *system, struct weft_message *order)
{
    struct weft_message *block = find_dam(system, order->from);
    // Without memory for it they go on sending: bounded there.
    if (block == NULL) block = make_dam(system, order->from);
    if (block != NULL) block->to = 0; // It stands until the receiver says so.
    weft_message_release_block(system, order);
}

void weft_unmute_ordered(struct weft_actor_system *system, struct weft_message *order)
{
    struct weft_message *block = find_dam(system, order->from);
    if (block != NULL) break_dam(system, block);
    weft_message_release_block(system, order);
}

void weft_mute_outbox_shorter(struct weft_actor_system *system, uint16_t to)
{
    system->out[to].muted = 0;
    WEFT_LIST_FOR_EACH (link, &system->dams) {
        struct weft_message *block = weft_message_of(link);
        if (block->to == to + 1u) break_dam(system, block); // Wherever the receiver is by now.
    }
}

// ---- At the receiver's.

static void unmute_cores(struct weft_actor *receiver)
{
    struct weft_actor_rare *rare = weft_actor_rare_of(receiver);
    if (rare == NULL) return;
    for (struct weft_list *link; (link = weft_list_pop(&rare->unmutes)) != NULL;) {
        struct weft_message *unmute = weft_message_of(link);
        const uint16_t core = unmute->type;
        unmute->from = receiver->pid;
        if (core == receiver->system->index) // It has moved to where it was heard of.
            weft_unmute_ordered(receiver->system, unmute);
        else
            weft_order(receiver->system, core, unmute);
    }
}

void weft_mute_remote(struct weft_actor *receiver, weft_pid sender)
{
    struct weft_actor_system *system = receiver->system;
    struct weft_actor_rare *rare = weft_actor_rare(receiver);
    const unsigned where = weft_slot_core(system, sender);
    if (rare == NULL || where == 0 || where == system->index + 1u) return;
    const uint16_t core = (uint16_t)(where - 1);
    WEFT_LIST_FOR_EACH (link, &rare->unmutes) {
        if (weft_message_of(link)->type == core) return; // It has been told.
    }
    struct weft_message *mute = weft_message_alloc_control(system);
    struct weft_message *unmute = mute != NULL ? weft_message_alloc_control(system) : NULL;
    if (unmute == NULL) {
        if (mute != NULL) weft_message_release_block(system, mute);
        return;
    }
    unmute->tag = TAG_UNMUTE;
    unmute->type = core;
    weft_list_append(&rare->unmutes, weft_message_link(unmute));
    mute->tag = TAG_MUTE;
    mute->from = receiver->pid;
    weft_order(system, core, mute);
}

bool weft_mute_relieve(struct weft_actor *receiver)
{
    struct weft_actor_system *system = receiver->system;
    unmute_cores(receiver);
    if (weft_list_empty(&system->dams)) return false;
    struct weft_message *block = find_dam(system, receiver->pid);
    if (block == NULL) return false;
    const uint32_t count = receiver->mailbox_count;
    const uint32_t step = receiver->mailbox_max / STEPS;
    const bool waits = count > 0 && count > block->reference; // It is not time for the next yet.
    if (!waits) block->reference = count > step ? count - step : 0;
    if (waits || (count > 0 && let_one_go(block))) {
        weft_mailbox_is_calm(receiver, block->reference);
        return true;
    }
    break_dam(system, block);
    return false;
}

void weft_mute_over(struct weft_actor *receiver)
{
    struct weft_actor_system *system = receiver->system;
    unmute_cores(receiver);
    if (weft_list_empty(&system->dams)) return;
    struct weft_message *block = find_dam(system, receiver->pid);
    if (block != NULL) break_dam(system, block);
}
