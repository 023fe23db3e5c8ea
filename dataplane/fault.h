// fault.h: a bad network on purpose: a seeded `struct weft_net` around another one.
//
// For the lab, the simulator and tests: loss, delay with jitter, duplicates, reordering,
// corruption, and partition by peer. The same seed, frames and times give the same faults. Time is
// read from the core's now_ns. Without any fault set, a burst passes straight through.
//
// Core: one layer per queue, used by the core that owns the queue. Options change between turns: by
// weft_core_call, or before the first. Memory: by value, delay lines included; nothing allocates,
// except the copy of a duplicate, which comes from the net's own pool.
#ifndef WEFT_DATAPLANE_FAULT_H
#define WEFT_DATAPLANE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/counter.h"
#include "runtime/base/drop.h"
#include "runtime/base/prng.h"
#include "runtime/env/net.h"

#define WEFT_FAULT_SLOTS      256 // Frames under way in each direction.
#define WEFT_FAULT_PEERS_MAX  16
#define WEFT_FAULT_PPM        1000000 // Chances are in millionths of the frames.
#define WEFT_FAULT_REORDER_NS (1 * WEFT_NS_PER_MS)

struct weft_fault_options {
    bool rx, tx; // The directions that suffer.
    uint32_t loss_ppm;
    uint32_t duplicate_ppm;
    uint32_t corrupt_ppm;     // One bit of the frame is turned.
    uint32_t reorder_ppm;     // Held back so long that what comes next overtakes it.
    uint64_t delay_ns;        // Of every frame...
    uint64_t jitter_ns;       // ...plus up to so much, evenly spread; frames overtake each other.
    bool partition_all;       // Nothing passes.
    uint32_t partition_count; // Nothing passes from or to these IPv4 addresses, host order.
    uint32_t partition_peers[WEFT_FAULT_PEERS_MAX];
};

struct weft_fault_stats { // Both directions. Any core may read. The drops are in the ledger too.
    weft_counter entered;
    weft_counter passed;
    weft_counter duplicated;
    weft_counter corrupted;
    weft_counter reordered;
    weft_counter delayed;
    weft_counter lost;
    weft_counter partitioned;
    weft_counter queue_full;
};

struct weft_fault_held { // One frame under way.
    uint64_t due_ns;
    uint64_t order; // Among equals the first in is the first out.
    struct weft_packet *packet;
};

struct weft_fault_line { // A binary heap by time (Williams 1964).
    uint32_t count;
    struct weft_fault_held held[WEFT_FAULT_SLOTS];
};

struct weft_fault {
    struct weft_net net; // The net to use instead of the inner one.
    struct weft_net_info info;
    const struct weft_net *inner;
    const uint64_t *now_ns;
    struct weft_drops *drops;
    struct weft_prng prng;
    struct weft_fault_options options;
    uint64_t order;
    struct weft_fault_stats stats;
    struct weft_fault_line rx, tx;
};

// Wraps `inner`: use &fault->net. No fault is set yet. `inner`, `now_ns` and `drops` outlive it.
// The layer offers no checksum offload: a device would mend what was broken on purpose.
void weft_fault_init(struct weft_fault *fault, const struct weft_net *inner, uint64_t seed,
                     const uint64_t *now_ns, struct weft_drops *drops);

// From now on. What is under way already keeps its time. Own core. 0; -EINVAL for a chance above
// one, too many peers, or a delay above a minute.
int weft_fault_set(struct weft_fault *fault, const struct weft_fault_options *options);

// When the next frame under way is due: for weft_stack_port_options.due_ns. UINT64_MAX for never.
uint64_t weft_fault_due_ns(void *self);

// Gives every frame under way back to its pool, counted as lost. Own core, at the end.
void weft_fault_drain(struct weft_fault *fault);

// entered + duplicated - passed - drops - under way: 0 (DESIGN, rule 4). Own core, or while it
// rests.
int64_t weft_fault_gap(const struct weft_fault *fault);

#endif // WEFT_DATAPLANE_FAULT_H
