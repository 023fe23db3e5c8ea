#include "runtime/node/order.h"

#include <errno.h>

#define HOPS_MAX        16  // An actor that moves about all the time is not run after for ever.
#define STEP_REDUCTIONS 500 // Of a slice's 2 000.
#define ARRIVAL_NS      WEFT_NS_PER_MS // After which an actor that comes here is looked for again.

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

static void look_again(void *self, struct weft_timer *timer, uint64_t now_ns)
{
    struct weft_order *order = self;
    (void)timer, (void)now_ns;
    weft_core_ready(&worker_of(order)->core, &order->task);
}

// The actor is not here. True: the order has gone after it, waits, or is to be run again.
static bool follow(struct weft_order *order, struct weft_node_worker *worker, bool *again)
{
    const int where = weft_actor_core_of(&order->node->actors, order->pid);
    if (where <= 0 || order->hops == HOPS_MAX) return false;
    *again = false;
    if (where != order->core) {
        order->hops++;
        *again = !pass_on(order, (uint16_t)where, arrive);
        return true;
    }
    if (worker->actors.holding == 0) return false; // Somebody else has its place.
    order->hops++;
    weft_wheel_arm(&worker->core.wheel, &order->arrival, worker->core.now_ns + ARRIVAL_NS);
    return true;
}

// A slice. False: the order has left this core, or somebody holds it.
static bool run(struct weft_core *core, struct weft_task *task)
{
    struct weft_order *order = WEFT_CONTAINER_OF(task, struct weft_order, task);
    struct weft_node_worker *worker = worker_of(order);
    struct weft_actor *actor = NULL;
    core->run.left -= STEP_REDUCTIONS;
    if (!order->is_done && order->pid != 0) {
        bool again;
        actor = weft_actor_find(&worker->actors, order->pid);
        if (actor == NULL && follow(order, worker, &again)) return again;
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
    weft_timer_init(&order->arrival, look_again, order);
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
