// control_sweep.c: one thing after the other, each on all workers.
#include <errno.h>
#include <stdlib.h>

#include "runtime/node/control_saved.h"
#include "runtime/node/unit_actor.h"

struct sweep {
    struct weft_node *node;
    void (*step)(struct weft_node_worker *worker);
    void (*next)(void *self);
    void *self;
    uint32_t away_count;
};

static void came_back(struct weft_core *core, void *self, uint64_t argument)
{
    struct sweep *sweep = self;
    (void)core, (void)argument;
    if (--sweep->away_count > 0) return;
    if (sweep->next != NULL) sweep->next(sweep->self);
    free(sweep);
}

static void arrive(struct weft_core *core, void *self, uint64_t argument)
{
    struct sweep *sweep = self;
    (void)argument;
    sweep->step(&sweep->node->workers[core->index - 1]);
    weft_core_call(core, 0, came_back, sweep, 0);
}

int weft_control_sweep(struct weft_control *control, void (*step)(struct weft_node_worker *worker),
                       void (*next)(void *self), void *self)
{
    struct weft_node *node = control->node;
    struct sweep *sweep = malloc(sizeof(*sweep));
    if (sweep == NULL) return -ENOMEM;
    *sweep = (struct sweep){.node = node, .step = step, .next = next, .self = self};
    for (uint16_t core = 1; core <= node->options.worker_count; core++) {
        // Where one way is full there is another: half a sweep would be worse than none.
        if (weft_core_call(&node->control, core, arrive, sweep, 0) == 0 ||
            weft_core_post_call(weft_node_core(node, core), arrive, sweep, 0) == 0)
            sweep->away_count++;
    }
    if (sweep->away_count > 0) return 0;
    free(sweep);
    return -ENOBUFS;
}

struct held_run {
    struct weft_control *control;
    void (*next)(void *self);
    void *self;
};

static void tied(void *self)
{
    struct held_run *held = self;
    weft_control_sweep(held->control, weft_unit_actor_run_held, held->next, held->self);
    free(held);
}

int weft_control_run_held(struct weft_control *control, void (*next)(void *self), void *self)
{
    struct held_run *held = malloc(sizeof(*held));
    if (held == NULL) return -ENOMEM;
    *held = (struct held_run){.control = control, .next = next, .self = self};
    const int result = weft_control_sweep(control, weft_unit_actor_tie_held, tied, held);
    if (result != 0) free(held);
    return result;
}
