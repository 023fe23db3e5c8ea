// switch.h: a learning Ethernet switch over ports that are struct weft_net: no DPDK, no socket, no
// clock.
//
// A transparent bridge (IEEE 802.1D) without spanning tree: there is one switch. A frame from one
// port to another may pass a fault layer (dataplane/fault.h) of that pair, made when a fault is
// first set; pairs without one cost nothing. Every frame that came ends as forwarded (per copy), or
// in one drop.
//
// Core: one thread turns all. Memory: by value, but the fault layers of pairs: heap, when set.
#ifndef WEFT_DATAPLANE_SWITCH_SWITCH_H
#define WEFT_DATAPLANE_SWITCH_SWITCH_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/fault.h"
#include "dataplane/switch/mac_table.h"
#include "runtime/base/drop.h"
#include "runtime/env/net.h"

#define WEFT_SWITCH_PORTS_MAX  WEFT_MAC_PORTS_MAX
#define WEFT_SWITCH_NAME_BYTES 16

struct weft_switch_port {
    char name[WEFT_SWITCH_NAME_BYTES];
    const struct weft_net *net; // NULL: nothing is there (yet).
    uint64_t rx_frames, rx_bytes, tx_frames, tx_bytes;
    uint64_t tx_full;   // The device or client took no more.
    uint64_t no_buffer; // No buffer for a copy to this port.
    uint64_t malformed; // From here: shorter than a header, or from a group address.
    uint64_t local;     // From here to here: not sent back.
    uint64_t nowhere;   // From here, and no other port was there.
};

struct weft_switch {
    uint64_t now_ns;
    uint64_t seed;
    uint64_t flooded;
    uint32_t port_count;
    struct weft_switch_port ports[WEFT_SWITCH_PORTS_MAX];
    struct weft_fault *faults[WEFT_SWITCH_PORTS_MAX][WEFT_SWITCH_PORTS_MAX]; // [from][to] or NULL.
    uint32_t fault_count;                                                    // Pairs with a layer.
    struct weft_drops drops;
    struct weft_mac_table macs;
};

// Empties the switch. `seed` starts all chances of faults.
void weft_switch_init(struct weft_switch *bridge, uint64_t seed);
void weft_switch_destroy(struct weft_switch *bridge);

// Adds a port without a device. Its number, or -ENOSPC, -EINVAL (name: 1 to 15 of a-z A-Z 0-9 - _),
// -EEXIST.
int weft_switch_add_port(struct weft_switch *bridge, const char *name);

// Number of the port `name`, or -1.
int weft_switch_find_port(const struct weft_switch *bridge, const char *name);

// Plugs a device into a port, or pulls it out (NULL): what was learned behind it is forgotten, what
// is delayed on the way there is dropped. `net` outlives its stay.
void weft_switch_plug(struct weft_switch *bridge, uint32_t port, const struct weft_net *net);

// One round over all ports. `now_ns` never decreases. How many frames came or went: 0 means idle.
uint32_t weft_switch_turn(struct weft_switch *bridge, uint64_t now_ns);

// When a delayed frame is due; UINT64_MAX for never.
uint64_t weft_switch_due_ns(const struct weft_switch *bridge);

// Sets the faults of frames from port `from` to port `to` (`options->tx` is meant, whatever it
// says). 0, -EINVAL, -ENOMEM.
int weft_switch_set_fault(struct weft_switch *bridge, uint32_t from, uint32_t to,
                          const struct weft_fault_options *options);

#endif // WEFT_DATAPLANE_SWITCH_SWITCH_H
