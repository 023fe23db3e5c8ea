// mailbox.c: one queue in arrival order: what goes in, what is refused, what comes out.
#include <errno.h>

#include "runtime/actor/internal.h"

// However much its senders are made to wait, a mailbox takes no more than this many times its limit
// from those who cannot be, or if nothing is taken out.
#define MUTE_FACTOR 4
// Beyond that, what was on its way before they heard that they are to wait, and the one message of
// each who will: what other cores had sent is a ring full of chains; if a core stands still for a
// few milliseconds, it comes all together, perhaps behind its sender.
#define ON_ITS_WAY_MAX 65536

int weft_mailbox_drop(struct weft_actor_system *system, struct weft_message *message,
                      enum weft_drop why, int status)
{
    if (!is_control(message)) weft_drop_add(&system->core->drops, why, 1);
    if (message->tag == WEFT_MESSAGE_CALL)
        weft_call_fail(system, message, status);
    else
        weft_message_release(system, message);
    return status;
}

static enum weft_overflow overflow_of(const struct weft_actor *actor)
{
    return (enum weft_overflow)(actor->task.flags >> 14);
}

uint32_t weft_mailbox_limit(const struct weft_actor *actor)
{
    const struct weft_actor_rare *rare = weft_actor_rare_of(actor);
    return rare != NULL && rare->mailbox_max != 0 ? rare->mailbox_max : actor->mailbox_max;
}

static void ring_alarm(struct weft_actor *actor, struct weft_actor_rare *rare)
{
    struct weft_message *alarm = rare->alarm;
    if (alarm == NULL || actor->mailbox_count + 1 < rare->alarm_length) return;
    rare->alarm = NULL; // It has gone off; back when the mailbox has been half empty (drained).
    weft_mailbox_is_busy(actor);
    alarm->tag = WEFT_MESSAGE_SYSTEM;
    alarm->type = WEFT_MAILBOX_LONG;
    alarm->to = rare->alarm_to;
    alarm->from = actor->pid;
    alarm->reference = actor->mailbox_count + 1;
    weft_signal(actor->system, alarm);
}

static inline void append(struct weft_actor *actor, struct weft_message *message)
{
    if (unlikely(is_large(message))) {
        weft_memory_add(actor, message);
        actor->task.flags |= WEFT_ACTOR_INDEXED; // So that it is seen when it leaves.
    }
    weft_list_append(&actor->mailbox, weft_message_link(message));
    if (likely((actor->task.flags & WEFT_ACTOR_SELECTIVE) == 0)) weft_actor_ready(actor);
}

void weft_receipt_send(struct weft_actor_system *system, struct weft_message *message)
{
    struct weft_message *receipt = (struct weft_message *)(uintptr_t)message->reference;
    message->reference = 0;
    weft_signal(system, receipt);
}

// Drops the oldest message that a limit applies to.
static void drop_oldest(struct weft_actor *actor)
{
    WEFT_LIST_FOR_EACH (link, &actor->mailbox) {
        struct weft_message *message = weft_message_of(link);
        if (!is_bounded(message) || is_windowed(message)) continue;
        weft_mailbox_take(actor, message);
        weft_mailbox_drop(actor->system, message, WEFT_DROP_MAILBOX_FULL, -ENOBUFS);
        return;
    }
}

static bool is_full(const struct weft_actor_system *system, const struct weft_actor *actor,
                    const struct weft_message *message, uint32_t limit)
{
    const uint64_t most = (uint64_t)MUTE_FACTOR * limit;
    if (actor->mailbox_count < most) return false;
    struct weft_actor *self = system->running;
    const bool is_sending = self != NULL && self->pid == message->from;
    const bool may_send = is_sending && actor->task.queued && weft_mute_can_wait(self);
    return (is_sending && !may_send) || actor->mailbox_count >= most + ON_ITS_WAY_MAX;
}

// The mailbox is at its limit, or at a mark below it that wants to be noticed.
static int put_beyond(struct weft_actor_system *system, struct weft_actor *actor,
                      struct weft_message *message, bool may_wait)
{
    struct weft_actor_rare *rare = weft_actor_rare_of(actor);
    const uint32_t limit = weft_mailbox_limit(actor);
    if (rare != NULL) ring_alarm(actor, rare);
    int status = 0;
    if (actor->mailbox_count >= limit) {
        switch (overflow_of(actor)) {
        case WEFT_OVERFLOW_MUTE:
            if (!may_wait || is_full(system, actor, message, limit))
                return weft_mailbox_drop(system, message, WEFT_DROP_MAILBOX_FULL, -ENOBUFS);
            // One that waits for something else must learn that it keeps others waiting (wait.c).
            if ((actor->task.flags & WEFT_ACTOR_BUSY) == 0) weft_actor_ready(actor);
            weft_mailbox_is_busy(actor);
            status = PUT_MUTE;
            break;
        case WEFT_OVERFLOW_DROP_NEWEST:
            return weft_mailbox_drop(system, message, WEFT_DROP_MAILBOX_FULL, -ENOBUFS);
        case WEFT_OVERFLOW_DROP_OLDEST: drop_oldest(actor); break;
        case WEFT_OVERFLOW_EXIT:
            weft_actor_end_soon(actor, WEFT_EXIT_QUOTA);
            return weft_mailbox_drop(system, message, WEFT_DROP_MAILBOX_FULL, -ENOBUFS);
        }
    }
    actor->mailbox_count++;
    append(actor, message);
    return status;
}

// A large message for an actor that has no room for it.
static int refuse(struct weft_actor_system *system, struct weft_actor *actor,
                  struct weft_message *message)
{
    if (overflow_of(actor) == WEFT_OVERFLOW_EXIT) weft_actor_end_soon(actor, WEFT_EXIT_QUOTA);
    return weft_mailbox_drop(system, message, WEFT_DROP_MAILBOX_QUOTA, -ENOBUFS);
}

// Replies and control messages: no limit applies to them.
static int put_unbounded(struct weft_actor_system *system, struct weft_actor *actor,
                         struct weft_message *message)
{
    if (message->tag == WEFT_MESSAGE_REPLY) {
        if (message->reference == actor->awaited) {
            actor->answer = message; // Received, even if the actor ends before it has looked at it.
            system->received++;
            actor->awaited = WEFT_REFERENCE_NONE;
            weft_actor_ready(actor);
            return 0;
        }
        if (!weft_awaits_answered(actor, message))
            return weft_mailbox_drop(system, message, WEFT_DROP_MAILBOX_LATE, -ESRCH);
    }
    append(actor, message);
    return 0;
}

// From a port, which keeps to its window. PUT_MUTE: there is more here than the owner wants.
static int put_windowed(struct weft_actor *actor, struct weft_message *message)
{
    struct weft_actor_rare *rare = weft_actor_rare(actor);
    if (rare != NULL) rare->port_count++; // Without memory for it, it is not counted here.
    append(actor, message);
    if (weft_mailbox_load(actor) < weft_mailbox_limit(actor)) return 0;
    weft_mailbox_is_busy(actor);
    return PUT_MUTE;
}

int weft_mailbox_put(struct weft_actor_system *system, struct weft_actor *actor,
                     struct weft_message *message, bool may_wait)
{
    if (unlikely(message->tag >= WEFT_MESSAGE_PORT)) {
        if (!is_bounded(message)) return put_unbounded(system, actor, message);
        if (is_windowed(message)) return put_windowed(actor, message);
    }
    if (unlikely(message->tag == WEFT_MESSAGE_CALL &&
                 (actor->task.flags & WEFT_ACTOR_CALLING) != 0) &&
        weft_call_is_cycle(actor, message)) {
        weft_call_name_cycle(actor, message);
        return weft_mailbox_drop(system, message, WEFT_DROP_MAILBOX_CYCLE, -EDEADLK);
    }
    if (unlikely(is_large(message)) && !weft_memory_has_room(actor, message))
        return refuse(system, actor, message);
    if (unlikely(actor->mailbox_count >= actor->mailbox_max))
        return put_beyond(system, actor, message, may_wait);
    actor->mailbox_count++;
    append(actor, message);
    return 0;
}

void weft_mailbox_drained(struct weft_actor *actor)
{
    struct weft_actor_rare *rare = weft_actor_rare_of(actor);
    const uint32_t count = actor->mailbox_count;
    if (rare != NULL) rare->patience_ns = 0; // It gets on.
    if (weft_mailbox_load(actor) > weft_mailbox_limit(actor) / 2) {
        // Still long; but an alarm below half of the limit may be set again.
        if (rare == NULL) weft_mailbox_is_calm(actor, weft_mailbox_limit(actor) / 2);
        if (rare == NULL || rare->alarm_length == 0 || count > rare->alarm_length / 2) return;
    }
    bool goes_on = weft_mute_relieve(actor);
    if (rare != NULL && rare->alarm_length != 0 && rare->alarm == NULL) {
        if (count <= rare->alarm_length / 2)
            rare->alarm = weft_message_alloc_control(actor->system);
        goes_on = goes_on || rare->alarm == NULL; // No memory, or too long still: at the next one.
    }
    if (!goes_on) actor->task.flags &= (uint16_t)~WEFT_ACTOR_BUSY;
}

void weft_mailbox_removed(struct weft_actor *actor, struct weft_message *message)
{
    struct weft_actor_rare *rare = weft_actor_rare_of(actor);
    const bool stays =
        rare != NULL && (rare->cursors != NULL || rare->awaits != NULL || rare->followers > 0);
    const struct weft_list *link = weft_message_link(message);
    if (is_large(message)) weft_memory_remove(actor, message);
    if (stays) {
        weft_cursors_removed(rare, message);
        if (message->tag == WEFT_MESSAGE_REPLY) weft_awaits_removed(rare, message);
    } else if (link->next == link->prev) { // It was the last: none that comes need be large.
        actor->task.flags &= (uint16_t)~WEFT_ACTOR_INDEXED;
    }
}

void weft_mailbox_take(struct weft_actor *actor, struct weft_message *message)
{
    if (unlikely(actor->task.flags & WEFT_ACTOR_INDEXED)) weft_mailbox_removed(actor, message);
    struct weft_list *link = weft_message_link(message);
    link->prev->next = link->next;
    link->next->prev = link->prev;
    if (unlikely(!is_bounded(message))) {
        if (message->tag == WEFT_MESSAGE_DOWN) weft_down_received(actor, message);
        return;
    }
    if (unlikely(is_windowed(message))) {
        if (actor->rare != NULL && actor->rare->port_count > 0) actor->rare->port_count--;
        if (message->reference != 0) weft_receipt_send(actor->system, message);
    } else {
        weft_assert(actor->mailbox_count > 0);
        actor->mailbox_count--;
    }
    if (unlikely(actor->task.flags & WEFT_ACTOR_BUSY)) weft_mailbox_drained(actor);
}

void weft_mailbox_receive(struct weft_actor *actor, struct weft_message *message)
{
    weft_mailbox_take(actor, message);
    if (!is_control(message)) actor->system->received++;
    weft_note_receive(actor, message);
}

struct weft_message *weft_actor_receive(struct weft_actor *actor)
{
    if (weft_list_empty(&actor->mailbox)) return NULL;
    struct weft_message *message = weft_message_of(actor->mailbox.next);
    weft_mailbox_receive(actor, message);
    return message;
}

bool weft_mailbox_empty(struct weft_actor *actor, uint32_t limit)
{
    for (; limit > 0; limit--) {
        struct weft_list *link = weft_list_pop(&actor->mailbox);
        if (link == NULL) break;
        struct weft_message *message = weft_message_of(link);
        weft_mailbox_drop(actor->system, message, WEFT_DROP_MAILBOX_NO_ACTOR, -EPIPE);
    }
    return weft_list_empty(&actor->mailbox);
}

// Puts fewer than `length` go in without a look: the actor's own limit is lowered for that.
static void mark_length(struct weft_actor *actor, struct weft_actor_rare *rare, uint32_t length)
{
    const uint32_t limit = weft_mailbox_limit(actor);
    rare->alarm_length = length;
    const bool is_lower = length != 0 && length - 1 < limit;
    rare->mailbox_max = is_lower ? limit : 0;
    actor->mailbox_max = is_lower ? length - 1 : limit;
}

static int set_alarm(struct weft_actor *self, uint32_t length, weft_pid to)
{
    struct weft_actor_rare *rare = length != 0 ? weft_actor_rare(self) : weft_actor_rare_of(self);
    if (rare == NULL) return length != 0 ? -ENOMEM : 0;
    if (length != 0 && rare->alarm == NULL) {
        rare->alarm = weft_message_alloc_control(self->system);
        if (rare->alarm == NULL) return -ENOMEM;
    }
    if (length == 0 && rare->alarm != NULL) {
        weft_message_release_block(self->system, rare->alarm);
        rare->alarm = NULL;
    }
    rare->alarm_to = to;
    mark_length(self, rare, length);
    return 0;
}

int weft_mailbox_alarm(struct weft_actor *self, uint32_t length, weft_pid to)
{
    enter(self);
    const int result = set_alarm(self, length, to);
    leave(self);
    return result;
}
