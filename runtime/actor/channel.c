// channel.c: a bounded queue that has a pid: an actor of a kind of ours, which serves calls.
//
// From another core an operation is a call to it, and whoever has to wait is one whose call has not
// been answered yet. On its own core nothing is sent: the caller does what the channel would have
// done, as long as no call waits in its mailbox, so both ways keep one order. A plain message needs
// no answer: it is put in as it is, its own block.
#include <errno.h>
#include <string.h>

#include <weft/channel.h>
#include <weft/link.h>

#include "runtime/actor/fast.h"
#include "runtime/actor/internal.h"
#include "runtime/actor/ties.h"

enum { SEND = 0xff00, SEND_NOW, RECEIVE, RECEIVE_NOW, CANCEL, CLOSE }; // `type` of the calls.

// What stands in front of the payload of a SEND: the user's own type.
struct parcel {
    uint64_t type;
};

struct channel {
    uint32_t capacity, count;
    bool closed;
    struct weft_list queue;     // Messages to be received, oldest first.
    struct weft_list senders;   // SENDs that wait for room, oldest first.
    struct weft_list receivers; // RECEIVEs that wait for a message.
    uint64_t maker;             // The monitor of who made it.
};

// ---- What a channel does, on its core: for a call, or for a caller of the same core.

static void handle(struct weft_actor *self, void *state, struct weft_message *call);
static void terminate(struct weft_actor *self, void *state, uint16_t reason);

static const struct weft_actor_kind kind = {.name = "channel",
                                            .state_bytes = sizeof(struct channel),
                                            .handle = handle,
                                            .terminate = terminate};

static void fail_all(struct weft_actor_system *system, struct weft_list *calls, int error)
{
    for (struct weft_list *link; (link = weft_list_pop(calls)) != NULL;)
        weft_call_fail(system, weft_message_of(link), error);
}

// Turns a message of the queue into the answer to a RECEIVE: its own block goes to the receiver.
static void hand_over(struct weft_actor_system *system, struct weft_actor *self,
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
// too.
static struct weft_message *unpack(struct weft_actor_system *system, struct weft_message *send)
{
    struct parcel parcel;
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

static struct weft_message *pop(struct weft_list *list)
{
    struct weft_list *link = weft_list_pop(list);
    return link != NULL ? weft_message_of(link) : NULL;
}

static void enqueue(struct channel *channel, struct weft_message *message)
{
    weft_list_append(&channel->queue, weft_message_link(message));
    channel->count++;
}

// Takes the oldest message, and lets a sender that waits put in its own. NULL: there is none.
static struct weft_message *dequeue(struct weft_actor_system *system, struct channel *channel)
{
    struct weft_message *message = pop(&channel->queue), *send;
    if (message != NULL) channel->count--;
    while ((message == NULL || channel->count < channel->capacity) &&
           (send = pop(&channel->senders)) != NULL) {
        struct weft_message *next = unpack(system, send);
        if (next == NULL) continue;
        if (message == NULL)
            message = next;
        else
            enqueue(channel, next);
    }
    return message;
}

// A closed channel ends when nothing is left in it.
static void end_if_empty(struct weft_actor *self, struct channel *channel)
{
    if (channel->closed && weft_list_empty(&channel->queue))
        weft_actor_end_soon(self, WEFT_EXIT_NORMAL);
}

static void close_channel(struct weft_actor *self, struct channel *channel)
{
    channel->closed = true;
    fail_all(self->system, &channel->senders, -EPIPE);
    fail_all(self->system, &channel->receivers, -EPIPE);
    end_if_empty(self, channel);
}

static void serve_send(struct weft_actor *self, struct channel *channel, struct weft_message *send)
{
    struct weft_actor_system *system = self->system;
    if (channel->closed || send->length < sizeof(struct parcel)) {
        weft_call_fail(system, send, channel->closed ? -EPIPE : -EINVAL);
        return;
    }
    struct weft_message *receive = pop(&channel->receivers);
    if (receive == NULL && channel->count >= channel->capacity) {
        if (send->type == SEND_NOW)
            weft_call_fail(system, send, -EAGAIN);
        else
            weft_list_append(&channel->senders, weft_message_link(send));
        return;
    }
    struct weft_message *message = unpack(system, send);
    if (message != NULL && receive != NULL)
        hand_over(system, self, receive, message);
    else if (message != NULL)
        enqueue(channel, message);
    else if (receive != NULL)
        weft_list_prepend(&channel->receivers, weft_message_link(receive));
}

// A plain message. It is known as received by the channel already: what becomes of it then is in
// the ledger as what becomes of an actor's, so it is given back there when it is dropped.
static void take_in(struct weft_actor *self, struct channel *channel, struct weft_message *message)
{
    struct weft_actor_system *system = self->system;
    struct weft_message *receive = channel->closed ? NULL : pop(&channel->receivers);
    const bool is_refused = message->type == REPLY_ERROR; // As weft_channel_send.
    if (!is_refused && receive != NULL) {
        hand_over(system, self, receive, message);
    } else if (!is_refused && !channel->closed && channel->count < channel->capacity) {
        enqueue(channel, message);
    } else {
        system->received--;
        if (receive != NULL) weft_list_prepend(&channel->receivers, weft_message_link(receive));
        weft_mailbox_drop(system, message,
                          channel->closed ? WEFT_DROP_MAILBOX_NO_ACTOR : WEFT_DROP_MAILBOX_FULL,
                          -ENOBUFS);
    }
}

static void serve_receive(struct weft_actor *self, struct channel *channel,
                          struct weft_message *receive)
{
    struct weft_actor_system *system = self->system;
    struct weft_message *message = dequeue(system, channel);
    if (message != NULL)
        hand_over(system, self, receive, message);
    else if (channel->closed)
        weft_call_fail(system, receive, -EPIPE);
    else if (receive->type == RECEIVE_NOW)
        weft_call_fail(system, receive, -EAGAIN);
    else
        weft_list_append(&channel->receivers, weft_message_link(receive));
    end_if_empty(self, channel);
}

// Takes a call out of those that wait. False: it has been served already.
static bool cancel(struct weft_actor_system *system, struct weft_list *calls, uint64_t reference)
{
    WEFT_LIST_FOR_EACH (link, calls) {
        struct weft_message *call = weft_message_of(link);
        if (call->reference != reference) continue;
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
            if (call->reference != reference || call->from != cast->from) continue;
            cancel(system, lists[i], reference);
            return;
        }
    }
}

// True: `call` has been given away.
static bool serve(struct weft_actor *self, struct channel *channel, struct weft_message *call)
{
    struct weft_actor_system *system = self->system;
    if (call->tag == WEFT_MESSAGE_CAST && call->type == CANCEL)
        serve_later_cancel(system, channel, call);
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
        weft_call_fail(system, call, 0);
        close_channel(self, channel);
        break;
    default: weft_call_fail(system, call, -EINVAL); break;
    }
    return true;
}

static void handle(struct weft_actor *self, void *state, struct weft_message *call)
{
    enter(self);
    serve(self, state, call);
    leave(self);
}

static void terminate(struct weft_actor *self, void *state, uint16_t reason)
{
    struct channel *channel = state;
    (void)reason;
    fail_all(self->system, &channel->senders, -EPIPE);
    fail_all(self->system, &channel->receivers, -EPIPE);
    for (struct weft_message *message; (message = pop(&channel->queue)) != NULL;)
        weft_message_release(self->system, message);
}

int weft_later_channel_new(struct weft_actor *self, uint32_t capacity, weft_pid *pid)
{
    struct weft_actor_system *system = self->system;
    const struct weft_spawn spawn = {.kind = &kind, .pinned = true, .mailbox_max = UINT32_MAX};
    int result = weft_actor_spawn(system, &spawn, self->pid, pid);
    if (result != 0) return result;
    struct weft_actor *actor = weft_actor_find(system, *pid);
    struct channel *channel = actor->state;
    channel->capacity = capacity;
    weft_list_init(&channel->queue);
    weft_list_init(&channel->senders);
    weft_list_init(&channel->receivers);
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

// ---- The callers.

#define SERVED_MAX 64 // Others' messages that a caller deals with before its own.

// The channel, if it is here and nothing waits to be served before the caller: a few messages are
// served in its place. Else each wait would bring the next one: who finds a call in the mailbox
// would have to call, too, and so on, a slice of three actors for each message.
static struct weft_actor *channel_here(struct weft_actor_system *system, weft_pid pid)
{
    struct weft_actor *actor = weft_actor_find(system, pid);
    if (actor == NULL || actor->kind != &kind) return NULL;
    for (unsigned n = 0; n < SERVED_MAX && (actor->task.flags & WEFT_ACTOR_ENDING) == 0; n++) {
        struct weft_message *message = weft_actor_receive(actor);
        if (message == NULL) return actor;
        weft_message_link(message)->next = NULL; // In nobody's hands.
        if (!serve(actor, actor->state, message)) weft_message_release(system, message);
    }
    return NULL;
}

// Sends on this core. 1: it has to wait, or be asked by a call.
static int send_here(struct weft_actor_system *system, struct weft_actor *actor, uint16_t type,
                     const void *bytes, size_t length)
{
    struct channel *channel = actor->state;
    if (channel->closed) return -EPIPE;
    struct weft_message *receive = pop(&channel->receivers);
    if (receive == NULL && channel->count >= channel->capacity) return 1;
    struct weft_message *message =
        length <= UINT32_MAX / 2 ? weft_message_alloc_hidden(system, (uint32_t)length) : NULL;
    if (message == NULL) {
        if (receive != NULL) weft_list_prepend(&channel->receivers, weft_message_link(receive));
        return -ENOMEM;
    }
    message->type = type;
    if (length > 0) memcpy(message->payload, bytes, length);
    if (receive != NULL)
        hand_over(system, actor, receive, message);
    else
        enqueue(channel, message);
    return 0;
}

static int ask(struct weft_actor *self, weft_pid pid, uint16_t type, struct weft_message *block,
               uint64_t timeout_ns)
{
    return weft_call_ask(self, pid, type, CANCEL, block, timeout_ns);
}

static int send_by_call(struct weft_actor *self, weft_pid pid, uint16_t type, const void *bytes,
                        size_t length, uint64_t timeout_ns)
{
    const struct parcel parcel = {.type = type};
    if (length > UINT32_MAX / 4) return -ENOMEM;
    struct weft_message *packed =
        weft_message_alloc_hidden(self->system, (uint32_t)(sizeof(parcel) + length));
    if (packed != NULL) {
        memcpy(packed->payload, &parcel, sizeof(parcel));
        if (length > 0) memcpy(packed->payload + sizeof(parcel), bytes, length);
    }
    const int result = ask(self, pid, timeout_ns == 0 ? SEND_NOW : SEND, packed,
                           timeout_ns == 0 ? WEFT_FOREVER : timeout_ns);
    weft_receive_drop_answer(self);
    return result;
}

int weft_channel_send(struct weft_actor *self, weft_pid pid, uint16_t type, const void *bytes,
                      size_t length, uint64_t timeout_ns)
{
    struct weft_actor_system *system = enter(self);
    if (type == REPLY_ERROR) {
        leave(self);
        return -EINVAL;
    }
    struct weft_actor *actor = channel_here(system, pid);
    int result = actor != NULL ? send_here(system, actor, type, bytes, length) : 1;
    weft_actor_charge(self, WEFT_MESSAGE_REDUCTIONS);
    if (result == 1 && actor != NULL && timeout_ns == 0) result = -EAGAIN;
    if (result == 1) result = send_by_call(self, pid, type, bytes, length, timeout_ns);
    leave(self);
    return result;
}

int weft_channel_receive(struct weft_actor *self, weft_pid pid, uint64_t timeout_ns,
                         struct weft_message **message)
{
    struct weft_actor_system *system = enter(self);
    struct weft_actor *actor = channel_here(system, pid);
    int result = 0;
    *message = NULL;
    weft_receive_drop_current(self);
    weft_actor_charge(self, WEFT_MESSAGE_REDUCTIONS);
    if (actor != NULL) {
        struct channel *channel = actor->state;
        *message = dequeue(system, channel);
        end_if_empty(actor, channel);
        if (*message == NULL && channel->closed) result = -EPIPE;
        if (*message == NULL && result == 0 && timeout_ns == 0) result = -EAGAIN;
    }
    if (*message == NULL && result == 0) {
        result =
            ask(self, pid, timeout_ns == 0 ? RECEIVE_NOW : RECEIVE,
                weft_message_alloc_hidden(system, 0), timeout_ns == 0 ? WEFT_FOREVER : timeout_ns);
        if (result == 0) {
            *message = self->answer;
            self->answer = NULL;
        }
    }
    if (*message != NULL) {
        (*message)->tag = WEFT_MESSAGE_USER;
        self->current = *message;
    }
    leave(self);
    return result;
}

int weft_channel_close(struct weft_actor *self, weft_pid pid)
{
    struct weft_actor_system *system = enter(self);
    struct weft_actor *actor = channel_here(system, pid);
    int result = 0;
    if (actor != NULL) {
        close_channel(actor, actor->state);
    } else {
        result = ask(self, pid, CLOSE, weft_message_alloc_hidden(system, 0), WEFT_FOREVER);
        weft_receive_drop_answer(self);
    }
    leave(self);
    return result;
}

// ---- For kinds that cannot wait: the same, with the answer to come.

// The channel, if it is here and nobody stands before the caller.
always_inline struct channel *channel_at_hand(const struct weft_actor_system *system, weft_pid pid)
{
    const struct weft_actor *actor = weft_slot_here(system, pid);
    if (unlikely(actor == NULL || actor->kind != &kind || !weft_list_empty(&actor->mailbox) ||
                 (actor->task.flags & WEFT_ACTOR_ENDING) != 0))
        return NULL;
    return actor->state;
}

bool weft_channel_put_cell(struct weft_actor *self, weft_pid pid, int64_t cell)
{
    struct weft_actor_system *system = self->system;
    struct channel *channel = channel_at_hand(system, pid);
    if (channel == NULL || channel->closed || channel->count >= channel->capacity ||
        !weft_list_empty(&channel->receivers))
        return false;
    struct weft_message *message = weft_block_take(system);
    if (unlikely(message == NULL)) return false;
    message->from = 0;
    message->tag = WEFT_MESSAGE_USER;
    message->type = 0;
    message->length = sizeof(cell);
    memcpy(message->payload, &cell, sizeof(cell));
    enqueue(channel, message);
    return true;
}

bool weft_channel_take_cell(struct weft_actor *self, weft_pid pid, int64_t *cell)
{
    struct weft_actor_system *system = self->system;
    struct channel *channel = channel_at_hand(system, pid);
    if (channel == NULL || channel->closed || weft_list_empty(&channel->queue) ||
        !weft_list_empty(&channel->senders))
        return false;
    struct weft_message *message = weft_message_of(channel->queue.next);
    if (message->length != sizeof(*cell) || (message->home & HOME_OBJECT) != 0) return false;
    memcpy(cell, message->payload, sizeof(*cell));
    weft_list_pop(&channel->queue);
    channel->count--;
    weft_message_done(system, message);
    return true;
}

static struct weft_message *pack(struct weft_actor_system *system, const void *bytes, size_t length)
{
    const struct parcel parcel = {.type = 0};
    struct weft_message *packed =
        length <= UINT32_MAX / 4
            ? weft_message_alloc_hidden(system, (uint32_t)(sizeof(parcel) + length))
            : NULL;
    if (packed == NULL) return NULL;
    memcpy(packed->payload, &parcel, sizeof(parcel));
    if (length > 0) memcpy(packed->payload + sizeof(parcel), bytes, length);
    return packed;
}

// 1, or why it could not be asked.
static int begun(int result)
{
    return result == 0 ? 1 : result;
}

// A call to a channel of this core which would end up in `line`: it is put there.
static int stand_in(struct weft_actor *self, struct weft_actor *actor, struct weft_list *line,
                    uint16_t type, struct weft_message *block, uint64_t *reference)
{
    const int result = weft_later_begin(self, actor->pid, type, block, reference);
    if (result != 0) return result;
    self->system->received++;
    weft_note_receive(actor, block);
    weft_list_append(line, weft_message_link(block));
    return 1;
}

int weft_later_channel_send(struct weft_actor *self, weft_pid pid, const void *bytes, size_t length,
                            bool is_now, uint64_t *reference)
{
    struct weft_actor_system *system = self->system;
    struct weft_actor *actor = channel_here(system, pid);
    const int result = actor != NULL ? send_here(system, actor, 0, bytes, length) : 1;
    weft_actor_charge(self, WEFT_MESSAGE_REDUCTIONS);
    if (result != 1) return result;
    if (actor != NULL && is_now) return -EAGAIN;
    struct weft_message *packed = pack(system, bytes, length);
    if (actor != NULL)
        return stand_in(self, actor, &((struct channel *)actor->state)->senders, SEND, packed,
                        reference);
    return begun(weft_later_ask(self, pid, is_now ? SEND_NOW : SEND, packed, reference));
}

int weft_later_channel_receive(struct weft_actor *self, weft_pid pid, bool is_now,
                               struct weft_message **message, uint64_t *reference)
{
    struct weft_actor_system *system = self->system;
    struct weft_actor *actor = channel_here(system, pid);
    weft_actor_charge(self, WEFT_MESSAGE_REDUCTIONS);
    if (actor != NULL) {
        struct channel *channel = actor->state;
        *message = dequeue(system, channel);
        end_if_empty(actor, channel);
        if (*message != NULL) return 0;
        if (channel->closed) return -EPIPE;
        if (is_now) return -EAGAIN;
        return stand_in(self, actor, &channel->receivers, RECEIVE,
                        weft_message_alloc_hidden(system, 0), reference);
    }
    return begun(weft_later_ask(self, pid, is_now ? RECEIVE_NOW : RECEIVE,
                                weft_message_alloc_hidden(system, 0), reference));
}

int weft_later_channel_close(struct weft_actor *self, weft_pid pid, uint64_t *reference)
{
    struct weft_actor *actor = channel_here(self->system, pid);
    if (actor == NULL)
        return begun(weft_later_ask(self, pid, CLOSE, weft_message_alloc_hidden(self->system, 0),
                                    reference));
    close_channel(actor, actor->state);
    return 0;
}

void weft_later_channel_cancel(struct weft_actor *self, weft_pid pid, uint64_t reference)
{
    struct weft_actor_system *system = self->system;
    struct weft_message *cast = weft_message_alloc(system, sizeof(reference));
    if (cast == NULL) return; // It goes on waiting: there may be an answer without this.
    memcpy(cast->payload, &reference, sizeof(reference));
    cast->tag = WEFT_MESSAGE_CAST;
    cast->type = CANCEL;
    cast->to = pid;
    cast->from = self->pid;
    system->sent++;
    weft_route(system, cast, true);
}

// ---- As data (ties.h).

bool weft_channel_look(struct weft_actor_system *system, weft_pid pid,
                       struct weft_channel_view *view,
                       void (*see)(void *argument, const struct weft_message *message),
                       void *argument)
{
    const struct weft_actor *actor = weft_actor_find(system, pid);
    if (actor == NULL || actor->kind != &kind || (actor->task.flags & WEFT_ACTOR_ENDING) != 0)
        return false;
    const struct channel *channel = actor->state;
    const struct weft_list *lists[] = {&channel->queue, &actor->mailbox};
    *view = (struct weft_channel_view){.capacity = channel->capacity, .closed = channel->closed};
    for (unsigned i = 0; i < 2; i++) {
        for (const struct weft_list *link = lists[i]->next; link != lists[i]; link = link->next) {
            const struct weft_message *message = (const struct weft_message *)(const void *)link;
            if (i == 0 || (message->tag == WEFT_MESSAGE_USER && !channel->closed))
                see(argument, message);
        }
    }
    return true;
}

int weft_channel_fill(struct weft_actor_system *system, weft_pid pid, uint16_t type,
                      const void *bytes, size_t length)
{
    struct weft_actor *actor = weft_actor_find(system, pid);
    if (actor == NULL || actor->kind != &kind) return -ENOENT;
    struct weft_message *message = weft_message_alloc_hidden(system, (uint32_t)length);
    if (message == NULL) return -ENOMEM;
    message->type = type;
    if (length > 0) memcpy(message->payload, bytes, length);
    enqueue(actor->state, message);
    return 0;
}
