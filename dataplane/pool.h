// pool.h: the packet buffers of one worker core: a DPDK mempool whose private areas are packets.
//
//   | rte_mbuf, 128 bytes | weft_packet, padded to 64 | headroom, 128 | data, 2048 |
//
// So a packet and its mbuf are each other's neighbour, and going from one to the other is a
// subtraction. Frames start on a cache line. One pool serves all ports of its core.
//
// Memory: 2 432 bytes each with mempool's own header, from EAL's memory. Core: made and freed on
// the control core; used by its worker. Another thread may free into it (DPDK's pools allow many),
// as a port with fewer queues than workers does after sending.
#ifndef WEFT_DATAPLANE_POOL_H
#define WEFT_DATAPLANE_POOL_H

#include <stdint.h>

#include "runtime/base/error.h"

#define WEFT_POOL_PRIVATE_BYTES 64
#define WEFT_POOL_COUNT_DEFAULT 4095 // A mempool of 2^n - 1 wastes no slot of its ring.

struct rte_mempool;

// Makes the pool of core `home`, which weft_packet.home will say, with at least `packet_count`
// packets (0: the default), rounded up to 2^n - 1. NULL with `error` (W0203) if memory does not
// suffice.
struct rte_mempool *weft_pool_create(uint8_t home, uint32_t packet_count, struct weft_error *error);

// After the last port that uses it is closed. NULL is allowed.
void weft_pool_free(struct rte_mempool *pool);

// Packets not in use at this moment. Any core; exact only when nothing moves.
uint32_t weft_pool_free_count(const struct rte_mempool *pool);

#endif // WEFT_DATAPLANE_POOL_H
