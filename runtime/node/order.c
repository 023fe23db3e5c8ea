#include "runtime/node/order.h"

#include <errno.h>

#define HOPS_MAX        16  // An actor that moves about all the time is not run after for ever.
#define STEP_REDUCTIONS 500 // Of a slice's 2 000.

static void back(struct weft_core *core, void *self, uint64_t argument)
{
    struct weft_order *order = self;
    (void)core;
    (void)argument;
    order->done(order);
}

static void arrive(struct weft_core *core, void *self, uint64_t argument)
{
    struct weft_order *order = self;
    (void)argument;
    order->core = core->index;
    weft_core_ready(core, &order->task);
}

static struct weft_node_worker *worker_of(const struct weft_order *order)
{
    return &order->node->workers[order->core - 1];
}

// Sends it on. True: it has gone. A ring that is full is tried again in the next slice.
static bool pass_on(struct weft_order *order, uint16_t to,
                    void (*function)(struct weft_core *, void *, uint64_t))
{
    const struct weft_core_message message = {
        .kind = WEFT_CORE_MESSAGE_CALL,
        .word = {(uint64_t)(uintptr_t)function, (uint64_t)(uintptr_t)order}};
    return weft_core_send_try(&worker_of(order)->core, to, &message);
}

// A slice. False: the order has left this core, or somebody holds it.
static bool run(struct weft_core *core, struct weft_task *task)
{
    struct weft_order *order = WEFT_CONTAINER_OF(task, struct weft_order, task);
    struct weft_node_worker *worker = worker_of(order);
    struct weft_actor *actor = NULL;
    core->run.left -= STEP_REDUCTIONS;
    if (!order->is_done && order->pid != 0) {
        actor = weft_actor_find(&worker->actors, order->pid);
        const int where = weft_actor_core_of(&order->node->actors, order->pid);
        if (actor == NULL && where > 0 && order->hops < HOPS_MAX) {
            order->hops++;
            return where == order->core || !pass_on(order, (uint16_t)where, arrive);
        }
        if (actor == NULL) {
            order->is_done = true;
            order->result = -ESRCH;
        }
    }
    if (!order->is_done) {
        const enum weft_order_step step = order->step(order, worker, actor);
        if (step == WEFT_ORDER_HELD) return false;
        if (step == WEFT_ORDER_AGAIN) return true;
        order->is_done = true;
    }
    return !pass_on(order, 0, back);
}

int weft_order_send(struct weft_order *order, enum weft_priority priority)
{
    if (order->pid != 0) {
        const int where = weft_actor_core_of(&order->node->actors, order->pid);
        if (where <= 0) return -ESRCH;
        order->core = (uint16_t)where;
    }
    weft_task_init(&order->task, run, priority);
    order->is_done = false;
    order->hops = 0;
    order->result = 0;
    return weft_core_call(&order->node->control, order->core, arrive, order, 0);
}

void weft_order_finish(struct weft_order *order, int result)
{
    order->result = result;
    order->is_done = true;
    weft_core_ready(&worker_of(order)->core, &order->task);
}
