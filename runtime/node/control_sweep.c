// control_sweep.c: one thing after the other, each on all workers, to the end: half a sweep would
// be worse than none. So its memory is the node's from the start, and no ring can refuse it.
#include <errno.h>
#include <stdlib.h>

#include "runtime/base/assert.h"
#include "runtime/node/control_saved.h"
#include "runtime/node/unit_actor.h"

typedef void sweep_step(struct weft_node_worker *worker);

struct weft_control_sweep { // One at a time.
    struct weft_node *node;
    sweep_step *const *step; // The one under way; behind the last there is NULL. NULL: at rest.
    void (*next)(void *self);
    void *self;
    uint32_t away_count;
    struct visit {
        struct weft_control_sweep *sweep;
        struct weft_core_errand there, back;
    } visits[];
};

static void visit_all(struct weft_control_sweep *sweep)
{
    sweep->away_count = sweep->node->options.worker_count;
    for (uint16_t i = 0; i < sweep->node->options.worker_count; i++)
        weft_core_errand_give(&sweep->node->workers[i].core, &sweep->visits[i].there);
}

static void arrive(struct weft_core *core, void *self, uint64_t argument)
{
    struct visit *visit = self;
    struct weft_node *node = visit->sweep->node;
    (void)argument;
    (*visit->sweep->step)(&node->workers[core->index - 1]);
    weft_core_errand_give(&node->control, &visit->back);
}

static void come_back(struct weft_core *core, void *self, uint64_t argument)
{
    struct weft_control_sweep *sweep = ((struct visit *)self)->sweep;
    (void)core, (void)argument;
    if (--sweep->away_count > 0) return;
    if (*++sweep->step != NULL) {
        visit_all(sweep);
        return;
    }
    sweep->step = NULL;
    sweep->next(sweep->self);
}

struct weft_control_sweep *weft_control_sweep_create(struct weft_node *node)
{
    const uint16_t count = node->options.worker_count;
    struct weft_control_sweep *sweep = calloc(1, sizeof(*sweep) + count * sizeof(*sweep->visits));
    if (sweep == NULL) return NULL;
    sweep->node = node;
    for (uint16_t i = 0; i < count; i++) {
        struct visit *visit = &sweep->visits[i];
        *visit = (struct visit){.sweep = sweep,
                                .there = {.run = arrive, .self = visit},
                                .back = {.run = come_back, .self = visit}};
    }
    return sweep;
}

void weft_control_sweep_free(struct weft_control_sweep *sweep)
{
    free(sweep);
}

static void begin(struct weft_control *control, sweep_step *const *steps, void (*next)(void *self),
                  void *self)
{
    struct weft_control_sweep *sweep = control->sweep;
    weft_assert(sweep->step == NULL); // There is one restore at a time: control->is_restoring.
    sweep->step = steps;
    sweep->next = next;
    sweep->self = self;
    visit_all(sweep);
}

void weft_control_run_held(struct weft_control *control, void (*next)(void *self), void *self)
{
    // Whoever is tied finds the others; whoever runs finds them tied.
    static sweep_step *const steps[] = {weft_unit_actor_tie_held, weft_unit_actor_run_held, NULL};
    begin(control, steps, next, self);
}

void weft_control_end_held(struct weft_control *control, void (*next)(void *self), void *self)
{
    static sweep_step *const steps[] = {weft_unit_actor_end_held, NULL};
    begin(control, steps, next, self);
}
