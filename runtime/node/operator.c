#include "runtime/node/operator.h"

#include <errno.h>
#include <string.h>

#include <weft/message.h>
#include <weft/timer.h>

enum { CALL = 1 }; // `type` of what it is told by the node, a pointer to the call; of its timers.

struct operator
{
    struct weft_list calls; // Under way.
};

static struct weft_operator_call *call_of(struct weft_message *message)
{
    struct weft_operator_call *call;
    memcpy(&call, message->payload, sizeof(call));
    return call;
}

static void finish(struct weft_actor *self, struct weft_operator_call *call, int result)
{
    weft_list_remove(&call->link);
    if (call->timer != 0) weft_timer_cancel(self, call->timer);
    weft_order_finish(&call->order, result);
}

static void begin(struct weft_actor *self, struct operator* operator,
                  struct weft_operator_call * call)
{
    int error = 0;
    weft_list_append(&operator->calls, &call->link);
    call->timer = 0;
    call->reference =
        weft_call_begin(self, call->to, call->type, call->bytes, call->length, &error);
    if (call->reference == 0) {
        finish(self, call, error);
        return;
    }
    error = weft_send_after(self, weft_self(self), call->timeout_ns, CALL, NULL, 0, &call->timer);
    if (error != 0) {
        weft_call_cancel(self, call->reference);
        call->timer = 0;
        finish(self, call, error);
    }
}

static void take_reply(struct weft_actor *self, struct operator* operator,
                       struct weft_message * reply)
{
    WEFT_LIST_FOR_EACH (link, &operator->calls) {
        struct weft_operator_call *call = WEFT_CONTAINER_OF(link, struct weft_operator_call, link);
        if (call->reference != reply->reference) continue;
        int result = weft_reply_status(reply);
        if (result == 0 && reply->length > WEFT_OPERATOR_REPLY_MAX) result = -EMSGSIZE;
        if (result == 0) {
            call->reply_type = reply->type;
            call->reply_length = reply->length;
            memcpy(call->reply, reply->payload, reply->length);
        }
        finish(self, call, result);
        return;
    }
}

// A timer that has fired cannot be cancelled any more: its call may have had its reply before, and
// be gone. What the message points to is not looked at.
static void give_up(struct weft_actor *self, struct operator* operator, uint64_t timer)
{
    WEFT_LIST_FOR_EACH (link, &operator->calls) {
        struct weft_operator_call *call = WEFT_CONTAINER_OF(link, struct weft_operator_call, link);
        if (call->timer != timer) continue;
        weft_call_cancel(self, call->reference);
        call->timer = 0;
        finish(self, call, -ETIMEDOUT);
        return;
    }
}

static void handle(struct weft_actor *self, void *state, struct weft_message *message)
{
    struct operator* operator= state;
    if (message->tag == WEFT_MESSAGE_PORT && message->type == CALL) {
        begin(self, operator, call_of(message));
    } else if (message->tag == WEFT_MESSAGE_REPLY) {
        take_reply(self, operator, message);
    } else if (message->tag == WEFT_MESSAGE_TIMER) {
        give_up(self, operator, message->reference);
    }
}

static const struct weft_actor_kind kind = {
    .name = "operator", .state_bytes = sizeof(struct operator), .handle = handle};

int weft_operator_start(struct weft_node *node)
{
    struct weft_actor_system *system = &node->workers[0].actors;
    const struct weft_spawn spawn = {
        .kind = &kind, .label = "operator", .priority = WEFT_PRIORITY_HIGH, .pinned = true};
    const int result = weft_actor_spawn(system, &spawn, 0, &node->operator_pid);
    if (result != 0) return result;
    struct weft_actor *actor = weft_actor_find(system, node->operator_pid);
    struct operator* operator= actor->state;
    weft_list_init(&operator->calls);
    actor->task.flags |= WEFT_ACTOR_PRIVATE;
    return 0;
}

enum weft_order_step weft_operator_call_step(struct weft_order *order,
                                             struct weft_node_worker *worker,
                                             struct weft_actor *actor)
{
    struct weft_operator_call *call = WEFT_CONTAINER_OF(order, struct weft_operator_call, order);
    (void)actor;
    const struct weft_actor *to = weft_actor_find(&worker->actors, call->to);
    order->result = -EPERM; // The node's own are all here, on the first worker.
    if (to != NULL && (to->task.flags & WEFT_ACTOR_PRIVATE) != 0) return WEFT_ORDER_DONE;
    struct weft_message *message = weft_message_alloc(&worker->actors, sizeof(call));
    order->result = -ENOMEM;
    if (message == NULL) return WEFT_ORDER_DONE;
    message->to = worker->node->operator_pid;
    message->tag = WEFT_MESSAGE_PORT;
    message->type = CALL;
    memcpy(message->payload, &call, sizeof(call));
    order->result = weft_actor_send(&worker->actors, message);
    return order->result == 0 ? WEFT_ORDER_HELD : WEFT_ORDER_DONE;
}
