// Routing between ports (RFC 1812, as far as a stub needs it): for a node that joins two networks,
// and for the bench that asks what a routed packet costs. Off unless asked for.
#include "dataplane/stack_frame.h"

#define ICMP_TIME_EXCEEDED 11

void weft_forward_receive(struct weft_stack *stack, struct weft_stack_frame *frame)
{
    struct weft_packet *packet = frame->packet;
    uint8_t *ip4 = frame->ip4;
    enum weft_drop reason = WEFT_DROP_IP4_TTL;
    if (ip4[WEFT_IP4_TTL] == 1) {
        weft_icmp_send_error(stack, frame, ICMP_TIME_EXCEEDED, 0, 0);
        goto drop;
    }
    uint32_t next_hop;
    reason = WEFT_DROP_IP4_NO_ROUTE;
    struct weft_stack_port *out =
        weft_ip4_route(stack, WEFT_UDP_ANY_PORT, frame->destination, &next_hop);
    if (out == NULL || frame->destination == UINT32_MAX) goto drop;
    // RFC 2644: a broadcast of the network behind us is not ours to make.
    if (next_hop == weft_stack_port_broadcast(out)) goto drop;
    reason = WEFT_DROP_IP4_TOO_LONG;
    if (packet->length > out->mtu) {
        if (weft_be16_get(ip4 + WEFT_IP4_FRAGMENT) & WEFT_IP4_DONT_FRAGMENT)
            weft_icmp_send_error(stack, frame, WEFT_ICMP_UNREACHABLE, WEFT_ICMP_CODE_TOO_LONG,
                                 out->mtu);
        goto drop;
    }
    // RFC 1624, equation 3, for one off the high byte of the word that TTL and protocol share.
    const uint16_t before = weft_be16_get(ip4 + WEFT_IP4_TTL);
    ip4[WEFT_IP4_TTL]--;
    uint32_t sum = (uint16_t)~weft_be16_get(ip4 + WEFT_IP4_CHECKSUM);
    sum += (uint16_t)~before;
    sum += weft_be16_get(ip4 + WEFT_IP4_TTL);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    weft_be16_put(ip4 + WEFT_IP4_CHECKSUM, (uint16_t)~sum);

    packet->flags = 0;
    weft_counter_add(&stack->stats.forwarded, 1);
    weft_arp_transmit(stack, out, packet, next_hop);
    return;
drop:
    weft_stack_drop(stack, packet, reason);
}
