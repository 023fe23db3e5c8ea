// order.h: something that the control core wants done on a worker, and its way there and back.
//
//   control core: weft_order_send -> the core of the actor that it is for: step, in slices of its
//   own, until it is done -> control core: done
//
// An order belongs to the control core, which makes and frees it; while it is away only the worker
// that has it touches it. It comes back in every case, unless the workers turn no more.
#ifndef WEFT_NODE_ORDER_H
#define WEFT_NODE_ORDER_H

#include "runtime/node/node.h"

enum weft_order_step {
    WEFT_ORDER_AGAIN, // There is more to do: another slice.
    WEFT_ORDER_DONE,
    WEFT_ORDER_HELD // Somebody has it, and calls weft_order_finish.
};

struct weft_order {
    struct weft_task task;     // While a worker has it.
    struct weft_timer arrival; // Looks again for an actor that is on its way to this core.
    struct weft_node *node;
    weft_pid pid;  // For this actor, wherever it is; 0: for the core that it is sent to.
    uint16_t core; // Where it is.
    // On the worker, as part of a slice. `actor` is NULL if the order is for a core.
    enum weft_order_step (*step)(struct weft_order *order, struct weft_node_worker *worker,
                                 struct weft_actor *actor);
    void (*done)(struct weft_order *order); // On the control core, with `result`.
    int result; // 0, or a negative errno; -ESRCH: there is no such actor.
    bool is_done;
    uint8_t hops;
};

// Sends `order`: node, pid or core, step and done are set. `priority` is its slices'. 0; -ESRCH,
// -ENOBUFS: it was not sent. Control core.
int weft_order_send(struct weft_order *order, enum weft_priority priority);
// Whoever was given it is done with it. On the core that has it.
void weft_order_finish(struct weft_order *order, int result);

#endif // WEFT_NODE_ORDER_H
