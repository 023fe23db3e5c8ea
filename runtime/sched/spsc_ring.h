// spsc_ring.h: one producer core, one consumer core, fixed slots: the only way between two workers.
//
// Lamport's queue (1983) with cached indices (Giacomoni 2008, "FastForward" discusses why): each
// side re-reads the other's index only when its cached copy says full or empty.
#ifndef WEFT_SCHED_SPSC_RING_H
#define WEFT_SCHED_SPSC_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/units.h"

enum weft_core_message_kind {
    WEFT_CORE_MESSAGE_NONE,
    WEFT_CORE_MESSAGE_CALL,   // word[0] = function, word[1] = self, word[2] = argument.
    WEFT_CORE_MESSAGE_ACTOR,  // word[0] = pid, word[1] = struct weft_message *.
    WEFT_CORE_MESSAGE_MEMORY, // word[0] = block: comes home to the core that allocated it.
    WEFT_CORE_MESSAGE_PACKET, // word[0] = struct weft_packet *, for the stack of the owner core.
    WEFT_CORE_MESSAGE_PACKET_HOME, // word[0] = struct weft_packet *, back to its pool.
    WEFT_CORE_MESSAGE_NEIGHBOUR,   // A resolved address, for the other cores' ARP tables.
    WEFT_CORE_MESSAGE_KINDS
};

struct weft_core_message {
    uint16_t kind; // enum weft_core_message_kind.
    uint16_t from; // Index of the sending core.
    uint32_t length;
    uint64_t word[6];
};
_Static_assert(sizeof(struct weft_core_message) == 56, "slots are copied whole");

struct weft_spsc_ring {
    _Alignas(WEFT_CORE_ALIGN) _Atomic uint32_t head; // Producer's.
    uint32_t tail_seen;
    _Alignas(WEFT_CORE_ALIGN) _Atomic uint32_t tail; // Consumer's.
    uint32_t head_seen;
    _Alignas(WEFT_CORE_ALIGN) uint32_t mask;
    struct weft_core_message *slots;
};

// `slots` is the caller's memory of `slot_count` (a power of two) messages and outlives the ring.
void weft_spsc_ring_init(struct weft_spsc_ring *ring, struct weft_core_message *slots,
                         uint32_t slot_count);

// Appends a copy. Only the producer core. False if full: nothing has changed.
bool weft_spsc_ring_push(struct weft_spsc_ring *ring, const struct weft_core_message *message);

// Takes the oldest. Only the consumer core. False if empty.
bool weft_spsc_ring_pop(struct weft_spsc_ring *ring, struct weft_core_message *message);

// True if a pop would find something. Only the consumer core.
bool weft_spsc_ring_ready(struct weft_spsc_ring *ring);

#endif // WEFT_SCHED_SPSC_RING_H
