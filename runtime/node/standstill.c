#include "runtime/node/standstill.h"

#include <errno.h>

#include "runtime/base/assert.h"

// ---- On a worker.

enum answer { DONE, GONE };

static void came_back(struct weft_core *core, void *self, uint64_t answer);

static bool send_back(struct weft_standstill_visit *visit)
{
    const struct weft_core_message message = {
        .kind = WEFT_CORE_MESSAGE_CALL,
        .word = {(uint64_t)(uintptr_t)came_back, (uint64_t)(uintptr_t)visit, DONE}};
    return weft_core_send_try(&visit->worker->core, 0, &message);
}

// Nothing that others have sent waits here, and nothing for others.
static bool is_quiet(const struct weft_node_worker *worker)
{
    const struct weft_core *core = &worker->core;
    for (uint16_t from = 1; from < core->group->core_count; from++) {
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
    if (!send_back(visit)) worker->visit = visit;
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

static void arrive(struct weft_core *core, void *self, uint64_t argument)
{
    struct weft_standstill_visit *visit = self;
    (void)argument;
    if (visit->still->step != NULL) {
        visit->still->step(visit->still, visit->worker);
        weft_core_call(core, 0, came_back, visit, DONE);
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
    weft_core_call(core, 0, came_back, visit, GONE);
}

// ---- On the control core.

static int send_all(struct weft_standstill *still)
{
    for (uint16_t i = 0; i < still->node->options.worker_count; i++) {
        const int result =
            weft_core_call(&still->node->control, (uint16_t)(i + 1), arrive, &still->visits[i], 0);
        if (result != 0) return result;
        still->away_count++;
    }
    return 0;
}

// True if nobody has been sent anything for a whole round. What the control core has sent itself is
// one message of each round.
static bool is_settled(struct weft_standstill *still)
{
    bool is_same = still->rounds > 1;
    for (uint16_t i = 0; i < still->node->options.worker_count; i++) {
        struct weft_standstill_visit *visit = &still->visits[i];
        if (visit->seen != visit->seen_before + 1) is_same = false;
        visit->seen_before = visit->seen;
    }
    return is_same;
}

static void came_back(struct weft_core *core, void *self, uint64_t answer)
{
    struct weft_standstill_visit *visit = self;
    struct weft_standstill *still = visit->still;
    (void)core;
    if (answer == GONE && --still->standing_count == 0) {
        still->node->standstill = NULL;
        still->gone(still);
        return;
    }
    if (still->is_over || answer == GONE || --still->away_count > 0) return;
    if (!still->is_quiet) {
        still->rounds++;
        still->is_quiet = is_settled(still);
        // A ring that is full now leaves it standing until the caller's patience is over.
        if (!still->is_quiet) send_all(still);
        if (!still->is_quiet) return;
    }
    still->next(still);
}

int weft_standstill_begin(struct weft_standstill *still)
{
    if (still->node->standstill != NULL) return -EBUSY;
    still->node->standstill = still;
    still->rounds = still->away_count = 0;
    still->standing_count = still->node->options.worker_count;
    still->is_quiet = still->is_over = false;
    still->step = NULL;
    for (uint16_t i = 0; i < still->node->options.worker_count; i++)
        still->visits[i] =
            (struct weft_standstill_visit){.still = still, .worker = &still->node->workers[i]};
    const int result = send_all(still);
    if (result != 0) weft_standstill_end(still);
    return result;
}

void weft_standstill_do(struct weft_standstill *still,
                        void (*step)(struct weft_standstill *still,
                                     struct weft_node_worker *worker))
{
    still->step = step;
    send_all(still);
}

void weft_standstill_end(struct weft_standstill *still)
{
    still->is_over = true;
    for (uint16_t i = 0; i < still->node->options.worker_count; i++) {
        struct weft_standstill_visit *visit = &still->visits[i];
        // A core must not stand for ever: where one way is full there is another.
        if (weft_core_call(&still->node->control, (uint16_t)(i + 1), go, visit, 0) == 0) continue;
        if (weft_core_post_call(&visit->worker->core, go, visit, 0) != 0)
            weft_assert(!"no way to a core");
    }
}
