// mpsc_ring.h: from any thread to one core: bounded, without a lock; where foreign threads come in.
//
// Vyukov's bounded queue (2010): each cell carries a sequence number that says whose turn it is, so
// a producer claims a cell by one compare-and-swap and a full queue refuses instead of waiting.
#ifndef WEFT_SCHED_MPSC_RING_H
#define WEFT_SCHED_MPSC_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "runtime/sched/spsc_ring.h"

#define WEFT_MPSC_RING_SLOTS 256 // A power of two.

struct weft_mpsc_cell {
    _Atomic uint32_t sequence;
    struct weft_core_message message;
};

struct weft_mpsc_ring {
    _Alignas(WEFT_CORE_ALIGN) _Atomic uint32_t head; // Claimed by producers.
    _Alignas(WEFT_CORE_ALIGN) uint32_t tail;         // The consumer's alone.
    struct weft_mpsc_cell cells[WEFT_MPSC_RING_SLOTS];
};

void weft_mpsc_ring_init(struct weft_mpsc_ring *ring);

// Appends a copy. Any thread. False if full: nothing has changed.
bool weft_mpsc_ring_push(struct weft_mpsc_ring *ring, const struct weft_core_message *message);

// Takes the oldest. Only the consumer core. False if empty, or if the oldest is still being
// written.
bool weft_mpsc_ring_pop(struct weft_mpsc_ring *ring, struct weft_core_message *message);

// True if a pop would find something. Only the consumer core.
bool weft_mpsc_ring_ready(const struct weft_mpsc_ring *ring);

#endif // WEFT_SCHED_MPSC_RING_H
