// operator.h: an actor of the node that speaks for people: it sends what they want sent, and waits
// for the replies. On the first worker.
#ifndef WEFT_NODE_OPERATOR_H
#define WEFT_NODE_OPERATOR_H

#include "runtime/node/order.h"

#define WEFT_OPERATOR_REPLY_MAX 65536

struct weft_operator_call {  // One call for people. The control core's, as every order.
    struct weft_order order; // Of core 1; `done` is the caller's.
    weft_pid to;
    uint16_t type;
    const void *bytes; // Outlives the order.
    size_t length;
    uint64_t timeout_ns;
    // The reply, if `order.result` is 0; else as of weft_call.
    uint16_t reply_type;
    size_t reply_length;
    uint8_t *reply; // Room for WEFT_OPERATOR_REPLY_MAX; a longer reply is -EMSGSIZE.
    // The operator's.
    struct weft_list link;
    uint64_t reference, timer;
};

struct weft_operator;

// Makes the operator of `node`, before the first turn. 0 or a negative errno.
int weft_operator_start(struct weft_node *node);

// The step of a call's order.
enum weft_order_step weft_operator_call_step(struct weft_order *order,
                                             struct weft_node_worker *worker,
                                             struct weft_actor *actor);

#endif // WEFT_NODE_OPERATOR_H
