#include "runtime/sched/core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/sched/fence.h"
#include "runtime/sched/quiesce.h"

_Static_assert(WEFT_CORE_MAX <= 64, "wake_mask and overflow_mask have one bit per core");

void weft_core_init(struct weft_core *core, struct weft_core_group *group, uint16_t index,
                    const struct weft_clock *clock, enum weft_log_level log_level)
{
    weft_assert(index < WEFT_CORE_MAX);
    weft_assert(group->cores[index] == NULL);
    memset(core, 0, sizeof(*core));
    core->clock = clock;
    core->now_ns = weft_clock_now_ns(clock);
    core->group = group;
    core->index = index;
    core->cpu = -1;
    core->idle_polls = WEFT_IDLE_POLLS;
    core->idle_yields = WEFT_IDLE_YIELDS;
    core->idle_sleep_max_ns = WEFT_IDLE_SLEEP_NS_MAX;
    core->idle_sleep_ns = WEFT_IDLE_SLEEP_NS_MIN;
    weft_wheel_init(&core->wheel, core->now_ns);
    weft_mpsc_ring_init(&core->posts);
    weft_log_init(&core->log, index, &core->now_ns, log_level);
    for (unsigned i = 0; i < WEFT_PRIORITY_COUNT; i++)
        weft_list_init(&core->run_queue[i]);
    group->cores[index] = core;
    if (index >= group->core_count) group->core_count = (uint16_t)(index + 1);
}

int weft_core_add_poller(struct weft_core *core, const struct weft_poller *poller)
{
    if (core->poller_count == WEFT_CORE_POLLERS_MAX) return -ENOSPC;
    core->pollers[core->poller_count++] = *poller;
    return 0;
}

void weft_core_on(struct weft_core *core, enum weft_core_message_kind kind,
                  void (*handle)(void *self, const struct weft_core_message *message), void *self)
{
    weft_assert(kind > WEFT_CORE_MESSAGE_CALL && kind < WEFT_CORE_MESSAGE_KINDS);
    core->handlers[kind].handle = handle;
    core->handlers[kind].self = self;
}

static uint32_t poll_sources(struct weft_core *core)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < core->poller_count; i++) {
        const struct weft_poller *poller = &core->pollers[i];
        if (poller->poll != NULL) found += poller->poll(poller->self, core->now_ns);
    }
    return found;
}

static void dispatch(struct weft_core *core, const struct weft_core_message *message)
{
    if (message->kind == WEFT_CORE_MESSAGE_CALL) {
        void (*function)(struct weft_core *, void *, uint64_t) =
            (void (*)(struct weft_core *, void *, uint64_t))(uintptr_t)message->word[0];
        function(core, (void *)(uintptr_t)message->word[1], message->word[2]);
        return;
    }
    weft_assert(message->kind < WEFT_CORE_MESSAGE_KINDS);
    weft_assert(core->handlers[message->kind].handle != NULL);
    core->handlers[message->kind].handle(core->handlers[message->kind].self, message);
}

// All that have come, oldest first. An errand may be given again while it runs.
static uint32_t run_errands(struct weft_core *core)
{
    struct weft_core_errand *oldest = NULL, *next;
    uint32_t found = 0;
    if (atomic_load_explicit(&core->errands, memory_order_relaxed) == NULL) return 0;
    // Acquire: pairs with the release in weft_core_errand_give.
    struct weft_core_errand *newest =
        atomic_exchange_explicit(&core->errands, NULL, memory_order_acquire);
    for (; newest != NULL; newest = next) {
        next = newest->next;
        newest->next = oldest;
        oldest = newest;
    }
    for (; oldest != NULL; oldest = next, found++) {
        next = oldest->next;
        oldest->run(core, oldest->self, oldest->argument);
    }
    return found;
}

// A bounded batch from every core, then from foreign threads: no neighbour can hold the turn up.
static uint32_t take_messages(struct weft_core *core)
{
    struct weft_core_message message;
    uint32_t found = 0;
    for (uint16_t from = 0; from < core->group->core_count; from++) {
        struct weft_spsc_ring *ring = core->group->rings[from][core->index];
        if (ring == NULL) continue;
        for (uint32_t n = 0; n < WEFT_CORE_BATCH && weft_spsc_ring_pop(ring, &message); n++) {
            dispatch(core, &message);
            found++;
        }
    }
    for (uint32_t n = 0; n < WEFT_CORE_BATCH && weft_mpsc_ring_pop(&core->posts, &message); n++) {
        dispatch(core, &message);
        found++;
    }
    if (found > 0) weft_counter_add(&core->stats.message_in, found);
    return found;
}

void weft_core_take_kinds(struct weft_core *core, uint32_t mask)
{
    struct weft_core_message message;
    for (uint16_t from = 0; from < core->group->core_count; from++) {
        struct weft_spsc_ring *ring = core->group->rings[from][core->index];
        if (ring == NULL) continue;
        for (uint32_t n = 0; n < WEFT_CORE_BATCH && weft_spsc_ring_ready(ring); n++) {
            const uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
            if ((mask >> ring->slots[tail & ring->mask].kind & 1) == 0) break;
            weft_spsc_ring_pop(ring, &message);
            dispatch(core, &message);
        }
    }
}

// The last turn lasted, with its sleep if it had one, until this one began: one clock read serves
// both.
static void account(struct weft_core *core, uint64_t now_ns)
{
    const uint64_t turn_ns = now_ns - core->now_ns;
    if (!core->turn_busy) {
        weft_counter_add(&core->stats.idle_ns, turn_ns);
        return;
    }
    weft_counter_add(&core->stats.busy_ns, turn_ns);
    if (core->run.slices > 0) weft_counter_set(&core->stats.slice_ns, turn_ns / core->run.slices);
    if (turn_ns > weft_counter_get(&core->stats.turn_ns_max))
        weft_counter_set(&core->stats.turn_ns_max, turn_ns);
}

bool weft_core_turn(struct weft_core *core)
{
    const uint64_t now_ns = weft_clock_now_ns(core->clock); // The only clock read of the turn.
    account(core, now_ns);
    core->now_ns = now_ns;
    core->now_ticks = (uint32_t)(now_ns >> 20);
    core->turning = true;
    atomic_store_explicit(&core->preempt, false, memory_order_relaxed);
    weft_core_send_overflow(core);
    uint32_t found = poll_sources(core);
    found += run_errands(core);
    found += take_messages(core);
    found += weft_wheel_expire(&core->wheel, now_ns, WEFT_CORE_TIMERS_TURN);
    if (!core->stands) found += weft_core_run(core);
    for (uint32_t i = 0; i < core->poller_count; i++) {
        if (core->pollers[i].flush != NULL) core->pollers[i].flush(core->pollers[i].self, now_ns);
    }
    weft_core_send_overflow(core);
    core->turning = false;
    weft_quiesce_turn(core);
    weft_core_wake_given(core);
    weft_counter_add(&core->stats.turn_count, 1);
    core->turn_busy = found > 0;
    if (core->turn_busy) {
        core->idle_turns = 0;
        core->idle_sleep_ns = WEFT_IDLE_SLEEP_NS_MIN;
    }
    return core->turn_busy;
}
