// udp.h: datagrams in and out (RFC 768), bound to one core of the node.
//
// Core: a port is bound by the core that wants its datagrams, and only there is its handler called.
// The other cores see the owner in `struct weft_udp_owners` and hand whole packets over (steer.h).
// Memory: the bind table lies by value in the stack; nothing allocates.
// Addresses and ports are in host order: 10.0.0.1 is 0x0a000001.
#ifndef WEFT_DATAPLANE_UDP_H
#define WEFT_DATAPLANE_UDP_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/span.h"
#include "runtime/env/net.h"

#define WEFT_UDP_BINDS_MAX    256 // Ports bound on one core.
#define WEFT_UDP_BIND_BUCKETS 256 // A power of two.

struct weft_stack;
struct weft_stack_frame;

struct weft_udp_datagram { // What a handler is given. Valid during the call.
    uint32_t source, destination;
    uint16_t source_port, destination_port;
    uint8_t port;   // Index of the network port that it came in by.
    bool broadcast; // Sent to everyone on the network, not to us alone.
    struct weft_span payload;
    struct weft_packet *packet; // The buffer, for weft_udp_answer.
};

typedef void (*weft_udp_handler)(void *self, const struct weft_udp_datagram *datagram);

struct weft_udp_flow { // Where a datagram goes, and what it says of where it comes from.
    uint32_t destination;
    uint16_t destination_port;
    uint16_t source_port;
    uint8_t port; // Index of the network port; WEFT_UDP_ANY_PORT: the one that has a route.
};
#define WEFT_UDP_ANY_PORT 255

struct weft_udp_bind {
    uint16_t port; // 0: free.
    uint16_t next; // In its bucket; WEFT_UDP_BINDS_MAX ends it.
    weft_udp_handler datagram;
    void *self;
};

struct weft_udp_binds {
    uint16_t buckets[WEFT_UDP_BIND_BUCKETS];
    struct weft_udp_bind binds[WEFT_UDP_BINDS_MAX];
    uint32_t count;
};

void weft_udp_binds_init(struct weft_udp_binds *binds);

// Binds `port` on this core: `datagram` is called from weft_stack_poll, on this core, for each one
// that passes the checks. 0; -EINVAL for port 0; -EADDRINUSE if any core has it; -ENOSPC.
int weft_udp_bind(struct weft_stack *stack, uint16_t port, weft_udp_handler datagram, void *self);

// Gives up a port that this core bound. 0; -ENOENT if it had not. May be called from the handler.
int weft_udp_unbind(struct weft_stack *stack, uint16_t port);

// Sends a copy of `payload`. It leaves with the next weft_stack_flush, or waits for ARP. Own core.
// 0; -EMSGSIZE if it does not fit the MTU (never fragmented: DF is set); -ENETUNREACH without a
// route; -ENOBUFS if the pool, the transmit queue or the queue for ARP is full; -EINVAL for a flow
// without a destination. Each failure is one drop in the ledger.
int weft_udp_send(struct weft_stack *stack, const struct weft_udp_flow *flow,
                  struct weft_span payload);

// Answers the datagram that the handler has at hand with `length` bytes, which the handler has
// written over the payload (weft_udp_payload): no copy, no ARP lookup. Once per call. Returns as
// weft_udp_send.
int weft_udp_answer(struct weft_stack *stack, const struct weft_udp_datagram *datagram,
                    uint16_t length);

// The payload to write over, and how many bytes fit there.
static inline uint8_t *weft_udp_payload(const struct weft_udp_datagram *datagram, uint16_t *room)
{
    const struct weft_packet *packet = datagram->packet;
    uint8_t *payload = packet->data + (datagram->payload.data - packet->data);
    *room = (uint16_t)(packet->data + packet->length + packet->tailroom - payload);
    return payload;
}

// From the stack: a frame whose IPv4 header has been checked and taken off.
void weft_udp_receive(struct weft_stack *stack, struct weft_stack_frame *frame);

// From the stack: a datagram that another core has checked and handed over.
struct weft_core_message;
void weft_udp_receive_handover(struct weft_stack *stack, const struct weft_core_message *message);

#endif // WEFT_DATAPLANE_UDP_H
