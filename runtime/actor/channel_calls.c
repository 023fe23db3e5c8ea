// channel_calls.c: those who use a channel: actors that wait on their stacks, and kinds that
// cannot.
#include <errno.h>
#include <string.h>

#include <weft/channel.h>

#include "runtime/actor/channel.h"
#include "runtime/actor/fast.h"

#define SERVED_MAX 64 // Others' messages that a caller deals with before its own.

// The channel, if it is here and nothing waits to be served before the caller: a few messages are
// served in its place. Else each wait would bring the next one: who finds a call in the mailbox
// would have to call, too, and so on, a slice of three actors for each message.
static struct weft_actor *channel_here(struct weft_actor_system *system, weft_pid pid)
{
    struct weft_actor *actor = weft_actor_find(system, pid);
    if (actor == NULL || actor->kind != &weft_channel_kind) return NULL;
    for (unsigned n = 0; n < SERVED_MAX && (actor->task.flags & WEFT_ACTOR_ENDING) == 0; n++) {
        struct weft_message *message = weft_actor_receive(actor);
        if (message == NULL) return actor;
        weft_message_link(message)->next = NULL; // In nobody's hands.
        if (!weft_channel_serve(actor, actor->state, message))
            weft_message_release(system, message);
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
    if (receive == NULL && room_of(channel) == 0) return 1;
    struct weft_message *message =
        length <= UINT32_MAX / 2 ? weft_message_alloc_hidden(system, (uint32_t)length) : NULL;
    if (message == NULL) {
        if (receive != NULL) weft_list_prepend(&channel->receivers, weft_message_link(receive));
        return -ENOMEM;
    }
    message->type = type;
    if (length > 0) memcpy(message->payload, bytes, length);
    if (receive != NULL)
        weft_channel_hand_over(system, actor, receive, message);
    else
        enqueue(channel, message);
    return 0;
}

// What room it has is here: none has to be called back.
static bool has_no_debtors(const struct weft_actor *actor)
{
    return ((const struct channel *)actor->state)->debtors == 0;
}

// A message that needs no answer, for it has its room; the caller has taken credit for it.
static int send_on_credit(struct weft_actor *self, weft_pid pid, uint16_t type, const void *bytes,
                          size_t length)
{
    struct weft_actor_system *system = self->system;
    struct weft_message *message =
        length <= UINT32_MAX / 2 ? weft_message_alloc_hidden(system, (uint32_t)length) : NULL;
    if (message == NULL) {
        weft_credit_untake(system, pid);
        return -ENOMEM;
    }
    message->type = type;
    message->to = pid;
    message->from = self->pid;
    message->reference = WEFT_CREDITED;
    if (length > 0) memcpy(message->payload, bytes, length);
    system->sent++;
    weft_note_send(self, message);
    weft_route(system, message, true);
    return 0;
}

// As send_here, of a channel that is elsewhere.
static int send_there(struct weft_actor *self, weft_pid pid, uint16_t type, const void *bytes,
                      size_t length)
{
    return weft_credit_take(self->system, pid) ? send_on_credit(self, pid, type, bytes, length) : 1;
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
    int result = actor != NULL ? send_here(system, actor, type, bytes, length)
                               : send_there(self, pid, type, bytes, length);
    weft_actor_charge(self, WEFT_MESSAGE_REDUCTIONS);
    if (result == 1 && actor != NULL && timeout_ns == 0 && has_no_debtors(actor)) result = -EAGAIN;
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
        *message = weft_channel_dequeue(actor, channel);
        weft_channel_end_if_empty(actor, channel);
        if (*message == NULL && is_shut(channel)) result = -EPIPE;
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
    if (actor != NULL && has_no_debtors(actor)) {
        weft_channel_shut(actor, actor->state);
    } else { // It is closed when all of its room has come back.
        result = ask(self, pid, CLOSE, weft_message_alloc_hidden(system, 0), WEFT_FOREVER);
        weft_receive_drop_answer(self);
    }
    leave(self);
    return result;
}

// ---- For kinds that cannot wait: the same, with the answer to come.

// The channel, if it is here and nobody stands before the caller.
always_inline struct weft_actor *channel_at_hand(const struct weft_actor_system *system,
                                                 weft_pid pid)
{
    struct weft_actor *actor = weft_slot_here(system, pid);
    if (unlikely(actor == NULL || actor->kind != &weft_channel_kind ||
                 !weft_list_empty(&actor->mailbox) || (actor->task.flags & WEFT_ACTOR_ENDING) != 0))
        return NULL;
    return actor;
}

bool weft_channel_put_cell(struct weft_actor *self, weft_pid pid, int64_t cell)
{
    struct weft_actor_system *system = self->system;
    const struct weft_actor *actor = channel_at_hand(system, pid);
    if (actor == NULL) return send_there(self, pid, 0, &cell, sizeof(cell)) == 0;
    struct channel *channel = actor->state;
    if (channel->closed || room_of(channel) == 0 || !weft_list_empty(&channel->receivers))
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
    struct weft_actor *actor = channel_at_hand(system, pid);
    if (actor == NULL) return false;
    struct channel *channel = actor->state;
    if (channel->closed || weft_list_empty(&channel->queue) || !weft_list_empty(&channel->senders))
        return false;
    struct weft_message *message = weft_message_of(channel->queue.next);
    if (message->length != sizeof(*cell) || (message->home & HOME_OBJECT) != 0) return false;
    memcpy(cell, message->payload, sizeof(*cell));
    weft_list_pop(&channel->queue);
    channel->count--;
    if (unlikely(channel->borrower != 0)) weft_channel_lend(actor, channel);
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
    const int result = actor != NULL ? send_here(system, actor, 0, bytes, length)
                                     : send_there(self, pid, 0, bytes, length);
    weft_actor_charge(self, WEFT_MESSAGE_REDUCTIONS);
    if (result != 1) return result;
    if (actor != NULL && is_now && has_no_debtors(actor)) return -EAGAIN;
    struct weft_message *packed = pack(system, bytes, length);
    if (actor != NULL && has_no_debtors(actor))
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
        *message = weft_channel_dequeue(actor, channel);
        weft_channel_end_if_empty(actor, channel);
        if (*message != NULL) return 0;
        if (is_shut(channel)) return -EPIPE;
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
    if (actor == NULL || !has_no_debtors(actor))
        return begun(weft_later_ask(self, pid, CLOSE, weft_message_alloc_hidden(self->system, 0),
                                    reference));
    weft_channel_shut(actor, actor->state);
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
