#include "runtime/sched/mpsc_ring.h"

void weft_mpsc_ring_init(struct weft_mpsc_ring *ring)
{
    atomic_init(&ring->head, 0);
    ring->tail = 0;
    for (uint32_t i = 0; i < WEFT_MPSC_RING_SLOTS; i++)
        atomic_init(&ring->cells[i].sequence, i);
}

bool weft_mpsc_ring_push(struct weft_mpsc_ring *ring, const struct weft_core_message *message)
{
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    for (;;) {
        struct weft_mpsc_cell *cell = &ring->cells[head % WEFT_MPSC_RING_SLOTS];
        // Pairs with the release store in weft_mpsc_ring_pop: the cell has been read a lap ago.
        const uint32_t sequence = atomic_load_explicit(&cell->sequence, memory_order_acquire);
        const int32_t lag = (int32_t)(sequence - head);
        if (lag < 0) return false;
        if (lag > 0) { // Another producer took this cell.
            head = atomic_load_explicit(&ring->head, memory_order_relaxed);
            continue;
        }
        // The claim orders nothing by itself: the cell's sequence does.
        if (!atomic_compare_exchange_weak_explicit(&ring->head, &head, head + 1,
                                                   memory_order_relaxed, memory_order_relaxed))
            continue;
        cell->message = *message;
        // Pairs with the acquire load in weft_mpsc_ring_ready: the message is whole.
        atomic_store_explicit(&cell->sequence, head + 1, memory_order_release);
        return true;
    }
}

bool weft_mpsc_ring_ready(const struct weft_mpsc_ring *ring)
{
    const struct weft_mpsc_cell *cell = &ring->cells[ring->tail % WEFT_MPSC_RING_SLOTS];
    // Pairs with the release store in weft_mpsc_ring_push.
    return atomic_load_explicit(&cell->sequence, memory_order_acquire) == ring->tail + 1;
}

bool weft_mpsc_ring_pop(struct weft_mpsc_ring *ring, struct weft_core_message *message)
{
    if (!weft_mpsc_ring_ready(ring)) return false;
    struct weft_mpsc_cell *cell = &ring->cells[ring->tail % WEFT_MPSC_RING_SLOTS];
    *message = cell->message;
    // Pairs with the acquire load in weft_mpsc_ring_push: free for the next lap.
    atomic_store_explicit(&cell->sequence, ring->tail + WEFT_MPSC_RING_SLOTS, memory_order_release);
    ring->tail++;
    return true;
}
