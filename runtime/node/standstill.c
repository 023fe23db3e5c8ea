#include "runtime/node/standstill.h"

#include <errno.h>

// ---- On a worker.

// Nothing that others have sent waits here, and nothing for others.
static bool is_quiet(const struct weft_node_worker *worker)
{
    const struct weft_core *core = &worker->core;
    for (uint16_t from = 0; from < core->group->core_count; from++) {
        struct weft_spsc_ring *ring = core->group->rings[from][core->index];
        if (ring != NULL && weft_spsc_ring_ready(ring)) return false;
    }
    return worker->actors.out_mask == 0 && core->overflow_mask == 0 &&
           weft_list_empty(&worker->actors.held);
}

// Behind the flush of a turn: at the beginning of the next one, before it takes what has come.
static uint32_t poll(void *self, uint64_t now_ns)
{
    struct weft_node_worker *worker = self;
    struct weft_standstill_visit *visit = worker->visit;
    (void)now_ns;
    if (visit == NULL || !is_quiet(worker)) return 0;
    visit->seen = weft_counter_get(&worker->core.stats.message_in);
    worker->visit = NULL;
    weft_core_errand_give(&worker->node->control, &visit->quiet);
    return 1;
}

static uint64_t due_ns(void *self)
{
    const struct weft_node_worker *worker = self;
    return worker->visit != NULL ? worker->core.now_ns : UINT64_MAX;
}

int weft_standstill_init(struct weft_node_worker *worker)
{
    return weft_core_add_poller(
        &worker->core, &(struct weft_poller){
                           .name = "standstill", .poll = poll, .due_ns = due_ns, .self = worker});
}

static void stop(struct weft_core *core, void *self, uint64_t argument)
{
    struct weft_standstill_visit *visit = self;
    (void)argument;
    if (visit->still->step != NULL) {
        visit->still->step(visit->still, visit->worker);
        weft_core_errand_give(&visit->worker->node->control, &visit->quiet);
        return;
    }
    core->stands = true;
    visit->worker->visit = visit; // Answered when it is quiet.
}

static void go(struct weft_core *core, void *self, uint64_t argument)
{
    struct weft_standstill_visit *visit = self;
    (void)argument;
    core->stands = false;
    visit->worker->visit = NULL;
    weft_core_errand_give(&visit->worker->node->control, &visit->gone);
}

// ---- On the control core.

static void stop_all(struct weft_standstill *still)
{
    still->away_count = still->node->options.worker_count;
    for (uint16_t i = 0; i < still->node->options.worker_count; i++)
        weft_core_errand_give(&still->node->workers[i].core, &still->visits[i].stop);
}

// True if nobody has been sent anything for a whole round.
static bool is_settled(struct weft_standstill *still)
{
    bool is_same = still->rounds > 1;
    for (uint16_t i = 0; i < still->node->options.worker_count; i++) {
        struct weft_standstill_visit *visit = &still->visits[i];
        if (visit->seen != visit->seen_before) is_same = false;
        visit->seen_before = visit->seen;
    }
    return is_same;
}

static void is_back(struct weft_core *core, void *self, uint64_t argument)
{
    struct weft_standstill *still = ((struct weft_standstill_visit *)self)->still;
    (void)core, (void)argument;
    if (still->is_over || --still->away_count > 0) return;
    if (!still->is_quiet) {
        still->rounds++;
        still->is_quiet = is_settled(still);
        if (!still->is_quiet) {
            stop_all(still);
            return;
        }
    }
    still->next(still);
}

static void has_gone(struct weft_core *core, void *self, uint64_t argument)
{
    struct weft_standstill *still = ((struct weft_standstill_visit *)self)->still;
    (void)core, (void)argument;
    if (--still->standing_count > 0) return;
    still->node->standstill = NULL;
    still->gone(still);
}

static void prepare(struct weft_standstill *still, struct weft_standstill_visit *visit,
                    struct weft_node_worker *worker)
{
    *visit = (struct weft_standstill_visit){.still = still,
                                            .worker = worker,
                                            .stop = {.run = stop, .self = visit},
                                            .quiet = {.run = is_back, .self = visit},
                                            .go = {.run = go, .self = visit},
                                            .gone = {.run = has_gone, .self = visit}};
}

int weft_standstill_begin(struct weft_standstill *still)
{
    if (still->node->standstill != NULL) return -EBUSY;
    still->node->standstill = still;
    still->rounds = 0;
    still->standing_count = still->node->options.worker_count;
    still->is_quiet = still->is_over = false;
    still->step = NULL;
    for (uint16_t i = 0; i < still->node->options.worker_count; i++)
        prepare(still, &still->visits[i], &still->node->workers[i]);
    stop_all(still);
    return 0;
}

void weft_standstill_do(struct weft_standstill *still,
                        void (*step)(struct weft_standstill *still,
                                     struct weft_node_worker *worker))
{
    still->step = step;
    stop_all(still);
}

void weft_standstill_end(struct weft_standstill *still)
{
    still->is_over = true;
    for (uint16_t i = 0; i < still->node->options.worker_count; i++)
        weft_core_errand_give(&still->node->workers[i].core, &still->visits[i].go);
}
