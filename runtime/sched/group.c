// group.c: the cores of one node, and what goes from one to another.
#include <errno.h>
#include <stdlib.h>

#include "runtime/base/assert.h"
#include "runtime/sched/core.h"
#include "runtime/sched/fence.h"

// A ring and its slots in one block. Pages of slots never used are never touched.
static struct weft_spsc_ring *make_ring(uint32_t slot_count)
{
    const size_t bytes =
        weft_round_up(sizeof(struct weft_spsc_ring) + slot_count * sizeof(struct weft_core_message),
                      WEFT_CORE_ALIGN);
    struct weft_spsc_ring *ring = aligned_alloc(WEFT_CORE_ALIGN, bytes);
    if (ring == NULL) return NULL;
    weft_spsc_ring_init(ring, (struct weft_core_message *)(ring + 1), slot_count);
    return ring;
}

static int connect_pair(struct weft_core_group *group, uint16_t from, uint16_t to)
{
    struct weft_core *core = group->cores[from];
    if (core == NULL || group->cores[to] == NULL || from == to) return 0;
    group->rings[from][to] = make_ring(WEFT_CORE_RING_SLOTS);
    core->overflow[to] = make_ring(WEFT_CORE_OVERFLOW_SLOTS);
    return group->rings[from][to] == NULL || core->overflow[to] == NULL ? -ENOMEM : 0;
}

int weft_core_group_connect(struct weft_core_group *group)
{
    for (uint16_t from = 0; from < group->core_count; from++) {
        for (uint16_t to = 0; to < group->core_count; to++) {
            if (connect_pair(group, from, to) == 0) continue;
            weft_core_group_destroy(group);
            return -ENOMEM;
        }
    }
    return 0;
}

void weft_core_group_destroy(struct weft_core_group *group)
{
    for (uint16_t from = 0; from < group->core_count; from++) {
        for (uint16_t to = 0; to < group->core_count; to++) {
            free(group->rings[from][to]);
            group->rings[from][to] = NULL;
            if (group->cores[from] == NULL) continue;
            free(group->cores[from]->overflow[to]);
            group->cores[from]->overflow[to] = NULL;
        }
    }
}

// Remembers that `to` has work, and spares it the wait for the end of the turn if it is seen to
// sleep.
static void given(struct weft_core *from, uint16_t to)
{
    from->wake_mask |= UINT64_C(1) << to;
    // Not ordered with the ring's store, so it may miss a core just falling asleep; the fence in
    // weft_core_wake_given does not. What it sees is only a hint that waking pays now.
    struct weft_core *core = from->group->cores[to];
    if (atomic_load_explicit(&core->asleep, memory_order_relaxed)) weft_core_wake(core);
    if (!from->turning) weft_core_wake_given(from);
}

void weft_core_wake_given(struct weft_core *core)
{
    if (core->wake_mask == 0) return;
    weft_full_fence(); // Between the rings' heads and `asleep`: pairs with the fence of
                       // weft_core_idle.
    for (uint64_t mask = core->wake_mask; mask != 0; mask &= mask - 1) {
        struct weft_core *to = core->group->cores[__builtin_ctzll(mask)];
        if (atomic_load_explicit(&to->asleep, memory_order_relaxed)) weft_core_wake(to);
    }
    core->wake_mask = 0;
}

bool weft_core_send_try(struct weft_core *from, uint16_t to,
                        const struct weft_core_message *message)
{
    weft_assert(to < from->group->core_count && to != from->index);
    weft_assert(from->group->rings[from->index][to] != NULL);
    struct weft_core_message sent = *message;
    sent.from = from->index;
    if ((from->overflow_mask >> to & 1) == 0 &&
        weft_spsc_ring_push(from->group->rings[from->index][to], &sent)) {
        given(from, to);
        return true;
    }
    if (!weft_spsc_ring_push(from->overflow[to], &sent)) return false;
    from->overflow_mask |= UINT64_C(1) << to;
    return true;
}

bool weft_core_push(struct weft_core *from, uint16_t to, const struct weft_core_message *message)
{
    struct weft_core_message sent = *message;
    sent.from = from->index;
    if (!weft_spsc_ring_push(from->group->rings[from->index][to], &sent)) return false;
    given(from, to);
    return true;
}

int weft_core_send(struct weft_core *from, uint16_t to, const struct weft_core_message *message)
{
    if (weft_core_send_try(from, to, message)) return 0;
    weft_drop_add(&from->drops, WEFT_DROP_RING_FULL, 1);
    return -ENOBUFS;
}

// Moves what waits for `to` into its ring, oldest first, as far as it goes.
static void send_overflow_to(struct weft_core *core, uint16_t to)
{
    struct weft_spsc_ring *waiting = core->overflow[to],
                          *ring = core->group->rings[core->index][to];
    for (;;) {
        const uint32_t tail = atomic_load_explicit(&waiting->tail, memory_order_relaxed);
        if (!weft_spsc_ring_ready(waiting)) break;
        if (!weft_spsc_ring_push(ring, &waiting->slots[tail & waiting->mask])) return;
        struct weft_core_message moved;
        weft_spsc_ring_pop(waiting, &moved);
        given(core, to);
    }
    core->overflow_mask &= ~(UINT64_C(1) << to);
}

void weft_core_send_overflow(struct weft_core *core)
{
    for (uint64_t mask = core->overflow_mask; mask != 0; mask &= mask - 1)
        send_overflow_to(core, (uint16_t)__builtin_ctzll(mask));
}

static struct weft_core_message call_message(void (*function)(struct weft_core *, void *, uint64_t),
                                             void *self, uint64_t argument)
{
    return (struct weft_core_message){
        .kind = WEFT_CORE_MESSAGE_CALL,
        .from = WEFT_CORE_NOBODY,
        .word = {(uintptr_t)function, (uintptr_t)self, argument},
    };
}

int weft_core_call(struct weft_core *from, uint16_t to,
                   void (*function)(struct weft_core *core, void *self, uint64_t argument),
                   void *self, uint64_t argument)
{
    const struct weft_core_message message = call_message(function, self, argument);
    return weft_core_send(from, to, &message);
}

int weft_core_post(struct weft_core *to, const struct weft_core_message *message)
{
    struct weft_core_message posted = *message;
    posted.from = WEFT_CORE_NOBODY;
    if (!weft_mpsc_ring_push(&to->posts, &posted)) return -ENOBUFS;
    weft_core_wake(to);
    return 0;
}

int weft_core_post_call(struct weft_core *to,
                        void (*function)(struct weft_core *core, void *self, uint64_t argument),
                        void *self, uint64_t argument)
{
    const struct weft_core_message message = call_message(function, self, argument);
    return weft_core_post(to, &message);
}

void weft_core_errand_give(struct weft_core *to, struct weft_core_errand *errand)
{
    struct weft_core_errand *first = atomic_load_explicit(&to->errands, memory_order_relaxed);
    do // Release: pairs with the acquire in run_errands, which takes all of them at once.
        errand->next = first;
    while (!atomic_compare_exchange_weak_explicit(&to->errands, &first, errand,
                                                  memory_order_release, memory_order_relaxed));
    weft_core_wake(to);
}
