// port_ring.h: ports made of rings in this process: a loop, or the two ends of a wire.
#ifndef WEFT_DATAPLANE_PORT_RING_H
#define WEFT_DATAPLANE_PORT_RING_H

#include <stdint.h>

#include "dataplane/port_device.h"

#define WEFT_PORT_RING_SLOTS 1024

// Makes the ethdev of `device` (kind ring) with `queue_count` queue pairs. Both ends of a wire want
// the same number of them. DPDK's port number, or a negative errno: -EADDRINUSE if that end is
// open.
int weft_port_ring_create(const struct weft_device *device, uint16_t queue_count);

// Frees the rings, and the frames inside, once no end is open any more. After the ethdev is closed.
void weft_port_ring_release(const struct weft_device *device, uint16_t queue_count);

#endif // WEFT_DATAPLANE_PORT_RING_H
