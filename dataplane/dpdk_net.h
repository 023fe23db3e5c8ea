// dpdk_net.h: one queue pair of one ethdev port as a struct weft_net (runtime/env/net.h).
//
// The frame stays where the device put it; what moves is a dozen fields between the rte_mbuf and
// the weft_packet behind it. Segmented frames and frames beyond the MTU end here, counted.
//
// A worker for which the device has no queue pair still sends: its frames go through a ring (one
// producer, one consumer) to the worker that owns queue `number % queue_count`, which sends them at
// its next rx_burst. It receives nothing by itself; the stacks hand datagrams to their owners
// anyway.
//
// Core: rx_burst, tx_burst, alloc and release only on the worker that owns the queue; stats on any.
#ifndef WEFT_DATAPLANE_DPDK_NET_H
#define WEFT_DATAPLANE_DPDK_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/counter.h"
#include "runtime/base/drop.h"
#include "runtime/base/units.h"
#include "runtime/env/net.h"

#define WEFT_DPDK_GUESTS_MAX 64
#define WEFT_DPDK_GUEST_RING 512

struct rte_mempool;
struct rte_ring;

struct weft_dpdk_queue {
    _Alignas(WEFT_CORE_ALIGN) uint16_t device; // DPDK's number of the port.
    uint16_t queue;
    uint8_t port;             // Ours.
    bool has_queue;           // False: a guest, which sends through `guest_ring`.
    bool tx_checksum;         // The device may be asked for checksums.
    int doorbell_fd;          // -1 for none.
    uint32_t frame_bytes_max; // MTU plus Ethernet header and one tag.
    struct rte_mempool *pool;
    struct weft_drops *drops; // The worker's ledger; may be NULL.
    const struct weft_net_info *info;
    struct rte_ring *guest_ring;                   // Of a guest: where it puts its frames.
    struct rte_ring *guests[WEFT_DPDK_GUESTS_MAX]; // Of an owner: what it sends for others.
    uint32_t guest_count;
    void (*wake)(void *self, uint16_t worker); // Of a guest: wakes the owner. May be NULL.
    void *wake_self;
    uint16_t owner; // Of a guest: that worker.
    weft_counter rx_packets, rx_bytes, tx_packets, tx_bytes, tx_full, rx_too_long;
};

// The interface of `queue`, which outlives it.
struct weft_net weft_dpdk_net(struct weft_dpdk_queue *queue);

#endif // WEFT_DATAPLANE_DPDK_NET_H
