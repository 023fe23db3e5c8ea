// steer.h: which core owns a datagram. The one place that decides; RSS and kernel fanout only
// guess.
//
// Today the rule is the UDP port: whoever bound it owns it. A rule by connection id (QUIC, RFC
// 9000, 5.1) belongs into weft_steer as well: it is given the payload for that.
//
// `struct weft_udp_owners` is the only thing that the stacks of a node share: 65 536 entries of 16
// bits, 128 KB, mostly zero and read only by cores that receive.
#ifndef WEFT_DATAPLANE_STEER_H
#define WEFT_DATAPLANE_STEER_H

#include <stdatomic.h>
#include <stdint.h>

#include "runtime/base/span.h"
#include "runtime/base/units.h"

struct weft_udp_owners {
    _Alignas(WEFT_CORE_ALIGN) _Atomic uint16_t owner[65536]; // Core index + 1; 0: nobody.
};

// Caller's memory, zeroed here. Before any stack uses it.
void weft_udp_owners_init(struct weft_udp_owners *owners);

// Claims `port` for `core`. Any core. 0; -EADDRINUSE if a core, this one included, has it; -EINVAL
// for 0.
int weft_udp_owners_claim(struct weft_udp_owners *owners, uint16_t port, uint16_t core);

// Gives `port` up. Only the core that claimed it.
void weft_udp_owners_release(struct weft_udp_owners *owners, uint16_t port, uint16_t core);

// The core that owns a datagram to `port` with this payload, or -1 if nobody does. Any core.
static inline int weft_steer(const struct weft_udp_owners *owners, uint16_t port,
                             struct weft_span payload)
{
    (void)payload; // The connection id will be read from here.
    // Acquire pairs with the release half of the exchange in weft_udp_owners_claim: whoever sees
    // the owner may rely on what that core published before it bound the port.
    return (int)atomic_load_explicit(&owners->owner[port], memory_order_acquire) - 1;
}

#endif // WEFT_DATAPLANE_STEER_H
