// channel.c: a bounded queue that has a pid: an actor of a kind of ours, which serves calls.
//
// From another core an operation is a call to it, and whoever has to wait is one whose call has not
// been answered yet. On its own core nothing is sent: the caller does what the channel would have
// done, as long as no call waits in its mailbox, so both ways keep one order. A plain message needs
// no answer: it is put in as it is, its own block.
//
// Nor does a SEND of a core to which the channel has lent room (credit.c): it is such a message.
// The room is lent to whoever sends by calls, while there is much of it, and called back as soon as
// somebody else has to wait for room, or the channel closes: that is done when it has come back.
#include "runtime/actor/channel.h"

#include <errno.h>
#include <string.h>

#include <weft/channel.h>
#include <weft/link.h>

#include "runtime/actor/fast.h"
#include "runtime/actor/ties.h"

#define LENDS_MIN 4    // Capacity of a channel that lends.
#define LENT_MAX  1024 // At once.

// ---- What a channel does, on its core: for a call, or for a caller of the same core.

static void handle(struct weft_actor *self, void *state, struct weft_message *call);
static void terminate(struct weft_actor *self, void *state, uint16_t reason);

const struct weft_actor_kind weft_channel_kind = {.name = "channel",
                                                  .state_bytes = sizeof(struct channel),
                                                  .handle = handle,
                                                  .terminate = terminate};

// A plain message. It is known as received by the channel already: what becomes of it then is in
// the ledger as what becomes of an actor's, so it is given back there when it is dropped.
static void drop_plain(struct weft_actor_system *system, struct weft_message *message,
                       bool is_closed)
{
    system->received--;
    weft_mailbox_drop(system, message,
                      is_closed ? WEFT_DROP_MAILBOX_NO_ACTOR : WEFT_DROP_MAILBOX_FULL, -ENOBUFS);
}

static void fail(struct weft_actor_system *system, struct weft_message *waiting, int error)
{
    if (waiting->tag == WEFT_MESSAGE_USER)
        drop_plain(system, waiting, error == -EPIPE);
    else
        weft_call_fail(system, waiting, error);
}

static void fail_all(struct weft_actor_system *system, struct weft_list *calls, int error)
{
    for (struct weft_list *link; (link = weft_list_pop(calls)) != NULL;)
        fail(system, weft_message_of(link), error);
}

void weft_channel_hand_over(struct weft_actor_system *system, struct weft_actor *self,
                            struct weft_message *receive, struct weft_message *message)
{
    message->tag = WEFT_MESSAGE_REPLY;
    message->reference = receive->reference;
    message->to = receive->from;
    message->from = self->pid;
    receive->tag = WEFT_MESSAGE_USER; // It has its answer.
    weft_message_release(system, receive);
    system->sent++;
    weft_note_send(self, message);
    weft_route_reply(system, message);
}

// The parcel of a SEND as a message of its own, and the SEND answered. NULL: no memory, answered
// too. A plain message is one.
static struct weft_message *unpack(struct weft_actor_system *system, struct weft_message *send)
{
    struct parcel parcel;
    if (send->tag == WEFT_MESSAGE_USER) return send;
    const uint32_t length = send->length - (uint32_t)sizeof(parcel);
    struct weft_message *message = weft_message_alloc_hidden(system, length);
    if (message == NULL) {
        weft_call_fail(system, send, -ENOMEM);
        return NULL;
    }
    memcpy(&parcel, send->payload, sizeof(parcel));
    memcpy(message->payload, send->payload + sizeof(parcel), length);
    message->type = (uint16_t)parcel.type;
    weft_call_fail(system, send, 0); // An answer without an error is just that.
    return message;
}

// ---- Lending.

void weft_channel_lend(struct weft_actor *self, struct channel *channel)
{
    struct weft_actor_system *system = self->system;
    const uint32_t room = room_of(channel), core = channel->borrower - 1u;
    if (channel->borrower == 0 || room < channel->capacity / 2) return;
    const uint64_t bit = UINT64_C(1) << core;
    if (channel->capacity < LENDS_MIN || channel->closed || !weft_list_empty(&channel->senders) ||
        (channel->recalled & bit) != 0)
        return;
    struct weft_message *credit = weft_message_alloc_control(system), *recall = NULL;
    if (credit == NULL) return;
    if ((channel->debtors & bit) == 0) {
        recall = weft_message_alloc_control(system); // It has to be there when it is wanted.
        if (recall == NULL) {
            weft_message_release_block(system, credit);
            return;
        }
        weft_list_append(&channel->recalls, weft_message_link(recall));
        channel->debtors |= bit;
    }
    const uint32_t count = room / 2 < LENT_MAX ? room / 2 : LENT_MAX;
    channel->lent += count;
    credit->tag = TAG_CREDIT;
    credit->from = self->pid;
    credit->reference = count;
    weft_order(system, (uint16_t)core, credit);
}

static void recall_all(struct weft_actor *self, struct channel *channel, uint16_t type)
{
    uint64_t mask = channel->debtors & ~channel->recalled;
    for (; mask != 0; mask &= mask - 1) {
        struct weft_message *recall = pop(&channel->recalls);
        recall->tag = TAG_RECALL;
        recall->type = type;
        recall->from = self->pid;
        weft_order(self->system, (uint16_t)__builtin_ctzll(mask), recall);
    }
    channel->recalled = channel->debtors;
}

// Waits for room, which others may have without needing it.
static void wait_for_room(struct weft_actor *self, struct channel *channel,
                          struct weft_message *waiting)
{
    weft_list_append(&channel->senders, weft_message_link(waiting));
    recall_all(self, channel, WEFT_RECALL);
}

struct weft_message *weft_channel_dequeue(struct weft_actor *self, struct channel *channel)
{
    struct weft_actor_system *system = self->system;
    struct weft_message *message = pop(&channel->queue), *send;
    if (message != NULL) channel->count--;
    while ((message == NULL || room_of(channel) > 0) && (send = pop(&channel->senders)) != NULL) {
        struct weft_message *next = unpack(system, send);
        if (next == NULL) continue;
        if (message == NULL)
            message = next;
        else
            enqueue(channel, next);
    }
    weft_channel_lend(self, channel);
    return message;
}

void weft_channel_end_if_empty(struct weft_actor *self, struct channel *channel)
{
    if (is_shut(channel) && weft_list_empty(&channel->queue))
        weft_actor_end_soon(self, WEFT_EXIT_NORMAL);
}

static void tell_if_shut(struct weft_actor *self, struct channel *channel)
{
    if (!is_shut(channel)) return;
    fail_all(self->system, &channel->receivers, -EPIPE);
    fail_all(self->system, &channel->closers, 0);
    weft_channel_end_if_empty(self, channel);
}

void weft_channel_shut(struct weft_actor *self, struct channel *channel)
{
    channel->closed = true;
    fail_all(self->system, &channel->senders, -EPIPE);
    recall_all(self, channel, WEFT_RECALL);
    tell_if_shut(self, channel);
}

// When all room is here: who waited for that only, and has got none.
static void refuse_hasty(struct weft_actor_system *system, struct channel *channel)
{
    for (struct weft_list *link = channel->senders.next, *next; link != &channel->senders;
         link = next) {
        struct weft_message *waiting = weft_message_of(link);
        next = link->next;
        if (waiting->tag != WEFT_MESSAGE_USER && waiting->type != SEND_NOW) continue;
        weft_list_remove(link);
        fail(system, waiting, -EAGAIN);
    }
}

// Room has come back from a core.
static void serve_repaid(struct weft_actor *self, struct channel *channel,
                         const struct weft_message *cast)
{
    struct weft_actor_system *system = self->system;
    struct weft_message *send;
    uint16_t core;
    weft_assert(cast->reference <= channel->lent);
    channel->lent -= (uint32_t)cast->reference;
    if (cast->type == WEFT_CHANNEL_REPAID_ALL) {
        memcpy(&core, cast->payload, sizeof(core));
        channel->debtors &= ~(UINT64_C(1) << core);
        channel->recalled &= channel->debtors;
    }
    while (room_of(channel) > 0 && (send = pop(&channel->senders)) != NULL) {
        struct weft_message *message = unpack(system, send);
        if (message != NULL) enqueue(channel, message);
    }
    if (channel->debtors == 0) refuse_hasty(system, channel);
    tell_if_shut(self, channel);
}

static void serve_send(struct weft_actor *self, struct channel *channel, struct weft_message *send)
{
    struct weft_actor_system *system = self->system;
    if (channel->closed || send->length < sizeof(struct parcel)) {
        weft_call_fail(system, send, channel->closed ? -EPIPE : -EINVAL);
        return;
    }
    const unsigned from = weft_slot_core(system, send->from);
    channel->borrower = from != system->index + 1u ? (uint8_t)from : 0;
    struct weft_message *receive = pop(&channel->receivers);
    if (receive == NULL && room_of(channel) == 0) {
        if (send->type == SEND_NOW && channel->debtors == 0)
            weft_call_fail(system, send, -EAGAIN);
        else
            wait_for_room(self, channel, send);
        return;
    }
    struct weft_message *message = unpack(system, send);
    if (message != NULL && receive != NULL)
        weft_channel_hand_over(system, self, receive, message);
    else if (message != NULL)
        enqueue(channel, message);
    else if (receive != NULL)
        weft_list_prepend(&channel->receivers, weft_message_link(receive));
    weft_channel_lend(self, channel);
}

// A message that has its room, or a plain one, which may have none.
static void take_in(struct weft_actor *self, struct channel *channel, struct weft_message *message)
{
    struct weft_actor_system *system = self->system;
    const bool has_room = is_credited(message) && channel->lent > 0;
    const bool is_refused =
        !has_room && (channel->closed || message->type == REPLY_ERROR); // As weft_channel_send.
    if (has_room) {
        channel->lent--;
        message->reference = 0;
    }
    struct weft_message *receive = is_refused ? NULL : pop(&channel->receivers);
    if (receive != NULL)
        weft_channel_hand_over(system, self, receive, message);
    else if (has_room || (!is_refused && room_of(channel) > 0))
        enqueue(channel, message);
    else if (!is_refused && channel->debtors != 0)
        wait_for_room(self, channel, message);
    else
        drop_plain(system, message, channel->closed);
}

static void serve_receive(struct weft_actor *self, struct channel *channel,
                          struct weft_message *receive)
{
    struct weft_actor_system *system = self->system;
    struct weft_message *message = weft_channel_dequeue(self, channel);
    if (message != NULL)
        weft_channel_hand_over(system, self, receive, message);
    else if (is_shut(channel))
        weft_call_fail(system, receive, -EPIPE);
    else if (receive->type == RECEIVE_NOW)
        weft_call_fail(system, receive, -EAGAIN);
    else
        weft_list_append(&channel->receivers, weft_message_link(receive));
    weft_channel_end_if_empty(self, channel);
}

// Takes a call out of those that wait. False: it has been served already.
static bool cancel(struct weft_actor_system *system, struct weft_list *calls, uint64_t reference)
{
    WEFT_LIST_FOR_EACH (link, calls) {
        struct weft_message *call = weft_message_of(link);
        if (call->reference != reference || call->tag != WEFT_MESSAGE_CALL) continue;
        weft_list_remove(link);
        weft_call_fail(system, call, -ETIMEDOUT);
        return true;
    }
    return false;
}

static void serve_cancel(struct weft_actor *self, struct channel *channel,
                         struct weft_message *call)
{
    uint64_t reference = 0;
    if (call->length == sizeof(reference)) memcpy(&reference, call->payload, sizeof(reference));
    if (!cancel(self->system, &channel->senders, reference))
        cancel(self->system, &channel->receivers, reference);
    weft_call_fail(self->system, call, 0); // Behind the answer to the other one, whatever it is.
}

// The same without an answer of its own, from one that has no stack to wait for it. Only who waits
// can take his call back.
static void serve_later_cancel(struct weft_actor_system *system, struct channel *channel,
                               const struct weft_message *cast)
{
    struct weft_list *lists[] = {&channel->senders, &channel->receivers};
    uint64_t reference = 0;
    if (cast->length == sizeof(reference)) memcpy(&reference, cast->payload, sizeof(reference));
    for (unsigned i = 0; i < 2; i++) {
        WEFT_LIST_FOR_EACH (link, lists[i]) {
            const struct weft_message *call = weft_message_of(link);
            if (call->reference != reference || call->from != cast->from ||
                call->tag != WEFT_MESSAGE_CALL)
                continue;
            cancel(system, lists[i], reference);
            return;
        }
    }
}

bool weft_channel_serve(struct weft_actor *self, struct channel *channel, struct weft_message *call)
{
    struct weft_actor_system *system = self->system;
    if (call->tag == WEFT_MESSAGE_CAST && call->type == CANCEL)
        serve_later_cancel(system, channel, call);
    if (call->tag == WEFT_MESSAGE_CAST && call->from == 0 &&
        (call->type == WEFT_CHANNEL_REPAID || call->type == WEFT_CHANNEL_REPAID_ALL))
        serve_repaid(self, channel, call);
    if (call->tag == WEFT_MESSAGE_DOWN && call->reference == channel->maker)
        weft_actor_end_soon(self, WEFT_EXIT_NORMAL); // Who made it is gone.
    if (call->tag != WEFT_MESSAGE_USER && call->tag != WEFT_MESSAGE_CALL) return false;
    weft_receive_disown(self, call);
    if (call->tag == WEFT_MESSAGE_USER) {
        take_in(self, channel, call);
        return true;
    }
    switch (call->type) {
    case SEND:
    case SEND_NOW: serve_send(self, channel, call); break;
    case RECEIVE:
    case RECEIVE_NOW: serve_receive(self, channel, call); break;
    case CANCEL: serve_cancel(self, channel, call); break;
    case CLOSE:
        weft_list_append(&channel->closers, weft_message_link(call));
        weft_channel_shut(self, channel);
        break;
    default: weft_call_fail(system, call, -EINVAL); break;
    }
    return true;
}

static void handle(struct weft_actor *self, void *state, struct weft_message *call)
{
    enter(self);
    weft_channel_serve(self, state, call);
    leave(self);
}

static void terminate(struct weft_actor *self, void *state, uint16_t reason)
{
    struct channel *channel = state;
    (void)reason;
    fail_all(self->system, &channel->senders, -EPIPE);
    fail_all(self->system, &channel->receivers, -EPIPE);
    fail_all(self->system, &channel->closers, 0);
    if (!self->system->node->is_ending) recall_all(self, channel, WEFT_RECALL_IS_LAST);
    for (struct weft_message *recall; (recall = pop(&channel->recalls)) != NULL;)
        weft_message_release_block(self->system, recall);
    for (struct weft_message *message; (message = pop(&channel->queue)) != NULL;)
        weft_message_release(self->system, message);
}

int weft_later_channel_new(struct weft_actor *self, uint32_t capacity, weft_pid *pid)
{
    struct weft_actor_system *system = self->system;
    const struct weft_spawn spawn = {
        .kind = &weft_channel_kind, .pinned = true, .mailbox_max = UINT32_MAX};
    int result = weft_actor_spawn(system, &spawn, self->pid, pid);
    if (result != 0) return result;
    struct weft_actor *actor = weft_actor_find(system, *pid);
    struct channel *channel = actor->state;
    channel->capacity = capacity;
    weft_list_init(&channel->queue);
    weft_list_init(&channel->senders);
    weft_list_init(&channel->receivers);
    weft_list_init(&channel->closers);
    weft_list_init(&channel->recalls);
    result = weft_actor_monitor(actor, self->pid, &channel->maker);
    if (result != 0) weft_actor_end_soon(actor, WEFT_EXIT_KILLED);
    return result;
}

int weft_channel_new(struct weft_actor *self, uint32_t capacity, weft_pid *pid)
{
    enter(self);
    const int result = weft_later_channel_new(self, capacity, pid);
    leave(self);
    return result;
}

// ---- As data (ties.h).

bool weft_channel_look(struct weft_actor_system *system, weft_pid pid,
                       struct weft_channel_view *view,
                       void (*see)(void *argument, const struct weft_message *message),
                       void *argument)
{
    const struct weft_actor *actor = weft_actor_find(system, pid);
    if (actor == NULL || actor->kind != &weft_channel_kind ||
        (actor->task.flags & WEFT_ACTOR_ENDING) != 0)
        return false;
    const struct channel *channel = actor->state;
    const struct weft_list *lists[] = {&channel->queue, &channel->senders, &actor->mailbox};
    *view = (struct weft_channel_view){.capacity = channel->capacity, .closed = channel->closed};
    for (unsigned i = 0; i < 3; i++) {
        for (const struct weft_list *link = lists[i]->next; link != lists[i]; link = link->next) {
            const struct weft_message *message = (const struct weft_message *)(const void *)link;
            const bool is_in = i == 0 || is_credited(message) || !channel->closed;
            if (is_in && message->tag == WEFT_MESSAGE_USER) see(argument, message);
        }
    }
    return true;
}

int weft_channel_fill(struct weft_actor_system *system, weft_pid pid, uint16_t type,
                      const void *bytes, size_t length)
{
    struct weft_actor *actor = weft_actor_find(system, pid);
    if (actor == NULL || actor->kind != &weft_channel_kind) return -ENOENT;
    struct weft_message *message = weft_message_alloc_hidden(system, (uint32_t)length);
    if (message == NULL) return -ENOMEM;
    message->type = type;
    if (length > 0) memcpy(message->payload, bytes, length);
    enqueue(actor->state, message);
    return 0;
}
