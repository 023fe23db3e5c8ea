#include "runtime/sched/spsc_ring.h"

#include <string.h>

#include "runtime/base/assert.h"

void weft_spsc_ring_init(struct weft_spsc_ring *ring, struct weft_core_message *slots,
                         uint32_t slot_count)
{
    weft_assert(slot_count > 0 && (slot_count & (slot_count - 1)) == 0);
    memset(ring, 0, sizeof(*ring));
    ring->mask = slot_count - 1;
    ring->slots = slots;
}

bool weft_spsc_ring_push(struct weft_spsc_ring *ring, const struct weft_core_message *message)
{
    const uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (head - ring->tail_seen > ring->mask) {
        // Pairs with the release store of tail in weft_spsc_ring_pop: the slot has been read.
        ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
        if (head - ring->tail_seen > ring->mask) return false;
    }
    ring->slots[head & ring->mask] = *message;
    // Pairs with the acquire load of head in weft_spsc_ring_ready: the slot is whole.
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
    return true;
}

bool weft_spsc_ring_ready(struct weft_spsc_ring *ring)
{
    const uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (tail != ring->head_seen) return true;
    // Pairs with the release store of head in weft_spsc_ring_push.
    ring->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
    return tail != ring->head_seen;
}

bool weft_spsc_ring_pop(struct weft_spsc_ring *ring, struct weft_core_message *message)
{
    if (!weft_spsc_ring_ready(ring)) return false;
    const uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    *message = ring->slots[tail & ring->mask];
    // Pairs with the acquire load of tail in weft_spsc_ring_push: the slot may be written again.
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
    return true;
}
