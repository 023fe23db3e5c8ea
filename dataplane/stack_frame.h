// stack_frame.h: what the parts of the stack know of the frame at hand, and what they do to one
// another. Only ether, arp, ipv4, icmp, udp, forward and stack include it.
#ifndef WEFT_DATAPLANE_STACK_FRAME_H
#define WEFT_DATAPLANE_STACK_FRAME_H

#include "dataplane/packet.h"
#include "dataplane/stack.h"

struct weft_stack_frame {
    struct weft_packet *packet; // Headers already read are taken off its front.
    struct weft_stack_port *port;
    uint8_t *ether;  // Its Ethernet header.
    uint8_t *ip4;    // Its IPv4 header, once that has been checked.
    uint32_t source; // IPv4, host order.
    uint32_t destination;
    bool broadcast;     // By its Ethernet address.
    bool broadcast_ip4; // By its IPv4 address.
};

static inline uint32_t weft_stack_port_broadcast(const struct weft_stack_port *port)
{
    return port->address | ~port->mask;
}

// Ends a frame for `drop`.
void weft_stack_drop(struct weft_stack *stack, struct weft_packet *packet, enum weft_drop drop);
void weft_stack_drop_chain(struct weft_stack *stack, struct weft_packet *chain,
                           enum weft_drop drop);

// Gives a buffer back to its pool, or sends it to the core that can.
void weft_stack_release(struct weft_stack *stack, struct weft_packet *packet);

// An empty packet of `port` that counts as originated; NULL, counted, if the pool is empty.
struct weft_packet *weft_stack_originate(struct weft_stack *stack, struct weft_stack_port *port);

// Appends a whole frame to the transmit queue. 0; -ENOBUFS: dropped and counted.
int weft_stack_transmit(struct weft_stack *stack, struct weft_stack_port *port,
                        struct weft_packet *packet);

// Sends to core `to`, which wakes. False if the ring is full: nothing is counted, the caller says
// why.
bool weft_stack_hand(struct weft_stack *stack, uint16_t to,
                     const struct weft_core_message *message);

// ether.c: checks the Ethernet header and takes it off. The EtherType, or 0: it was dropped.
uint16_t weft_ether_receive(struct weft_stack *stack, struct weft_stack_frame *frame);

// ether.c: puts Ethernet header and tag in front, pads (802.3, 3.2.8), and transmits.
int weft_ether_transmit(struct weft_stack *stack, struct weft_stack_port *port,
                        struct weft_packet *packet, const uint8_t to[6], uint16_t ethertype);

// arp.c
void weft_arp_receive(struct weft_stack *stack, struct weft_stack_frame *frame);
// Sends an IPv4 packet to the neighbour `next_hop`, now or when its address is known. As
// weft_udp_send.
int weft_arp_transmit(struct weft_stack *stack, struct weft_stack_port *port,
                      struct weft_packet *packet, uint32_t next_hop);
void weft_arp_receive_neighbour(struct weft_stack *stack, const struct weft_core_message *message);
void weft_arp_expire(struct weft_stack *stack);
uint64_t weft_arp_due_ns(const struct weft_stack *stack);

// ipv4.c
void weft_ip4_receive(struct weft_stack *stack, struct weft_stack_frame *frame);
// The port that `destination` is reached by, and the neighbour to give it to; NULL if there is
// none.
struct weft_stack_port *weft_ip4_route(struct weft_stack *stack, uint8_t port, uint32_t destination,
                                       uint32_t *next_hop);
// Writes the header in front of the packet. `ttl` 64 and DF as for all that we originate.
void weft_ip4_push(struct weft_stack *stack, struct weft_stack_port *port,
                   struct weft_packet *packet, uint32_t destination, uint8_t protocol);

// icmp.c
void weft_icmp_receive(struct weft_stack *stack, struct weft_stack_frame *frame);
// Tells the sender of `frame` why it was dropped, if the rate allows and it was for us alone.
void weft_icmp_send_error(struct weft_stack *stack, const struct weft_stack_frame *frame,
                          uint8_t type, uint8_t code, uint16_t mtu);

// forward.c: routes a packet that is not for us. `frame->packet` begins at its IPv4 header.
void weft_forward_receive(struct weft_stack *stack, struct weft_stack_frame *frame);

#endif // WEFT_DATAPLANE_STACK_FRAME_H
