// IPv4 (RFC 791) of a host (RFC 1122): what may come in, which way out. No options, no reassembly.
#include "dataplane/checksum.h"
#include "dataplane/stack_frame.h"

#define TTL_DEFAULT 64 // RFC 1700

// RFC 1122, 3.2.1.3: these never come from a host on a wire. 224.0.0.0 and up is multicast and
// reserved.
static bool source_is_impossible(const struct weft_stack_port *port, uint32_t source)
{
    const uint32_t network = source >> 24;
    if (network == 0 || network == 127 || network >= 224 || source == port->address) return true;
    const bool local = ((source ^ port->address) & port->mask) == 0 && ~port->mask > 1;
    return local && ((source & ~port->mask) == 0 || (source | port->mask) == UINT32_MAX);
}

static bool is_broadcast(const struct weft_stack_port *port, uint32_t destination)
{
    return destination == UINT32_MAX ||
           (destination == weft_stack_port_broadcast(port) && ~port->mask > 1);
}

// Checks the header from its first byte to its last and cuts the padding off behind the packet.
// WEFT_DROP_COUNT if it is good.
static enum weft_drop check_header(struct weft_packet *packet)
{
    if (packet->length < WEFT_IP4_BYTES) return WEFT_DROP_IP4_SHORT;
    const uint8_t *ip4 = packet->data;
    if (ip4[WEFT_IP4_VERSION] != 0x45) {
        const bool options = (ip4[WEFT_IP4_VERSION] >> 4) == 4 && (ip4[WEFT_IP4_VERSION] & 15) > 5;
        return options ? WEFT_DROP_IP4_OPTIONS : WEFT_DROP_IP4_VERSION;
    }
    const uint16_t length = weft_be16_get(ip4 + WEFT_IP4_LENGTH);
    if (length < WEFT_IP4_BYTES || length > packet->length) return WEFT_DROP_IP4_SHORT;
    if (!(packet->flags & WEFT_PACKET_IP4_CHECKED) && weft_checksum_ip4_header(ip4) != 0)
        return WEFT_DROP_IP4_CHECKSUM;
    if (ip4[WEFT_IP4_TTL] == 0) return WEFT_DROP_IP4_TTL;
    weft_packet_resize(packet, length);
    return WEFT_DROP_COUNT;
}

void weft_ip4_receive(struct weft_stack *stack, struct weft_stack_frame *frame)
{
    struct weft_packet *packet = frame->packet;
    enum weft_drop reason = check_header(packet);
    if (reason != WEFT_DROP_COUNT) goto drop;

    const uint8_t *ip4 = packet->data;
    frame->ip4 = packet->data;
    frame->source = weft_be32_get(ip4 + WEFT_IP4_SOURCE);
    frame->destination = weft_be32_get(ip4 + WEFT_IP4_DESTINATION);
    reason = WEFT_DROP_IP4_SOURCE;
    if (source_is_impossible(frame->port, frame->source)) goto drop;

    reason = WEFT_DROP_IP4_NOT_OURS;
    const uint8_t protocol = ip4[WEFT_IP4_PROTOCOL];
    frame->broadcast_ip4 = false;
    if (frame->destination != frame->port->address) {
        frame->broadcast_ip4 = is_broadcast(frame->port, frame->destination);
        if (frame->broadcast_ip4 && protocol != WEFT_IP4_UDP) goto drop;
        if (!frame->broadcast_ip4) {
            if (!stack->forwards || frame->broadcast) goto drop;
            weft_forward_receive(stack, frame);
            return;
        }
    } else if (frame->broadcast) {
        goto drop; // RFC 1122, 3.3.6: to everyone below, to us alone above: somebody plays tricks.
    }
    reason = WEFT_DROP_IP4_FRAGMENT;
    if (weft_be16_get(ip4 + WEFT_IP4_FRAGMENT) & WEFT_IP4_MORE_OR_OFFSET) goto drop;

    weft_packet_pull(packet, WEFT_IP4_BYTES);
    if (protocol == WEFT_IP4_UDP) {
        weft_udp_receive(stack, frame);
        return;
    }
    if (protocol == WEFT_IP4_ICMP) {
        weft_icmp_receive(stack, frame);
        return;
    }
    weft_icmp_send_error(stack, frame, WEFT_ICMP_UNREACHABLE, WEFT_ICMP_CODE_PROTOCOL, 0);
    reason = WEFT_DROP_IP4_PROTOCOL;
drop:
    weft_stack_drop(stack, packet, reason);
}

struct weft_stack_port *weft_ip4_route(struct weft_stack *stack, uint8_t port, uint32_t destination,
                                       uint32_t *next_hop)
{
    const uint32_t network = destination >> 24;
    const bool limited = destination == UINT32_MAX;
    if (network == 0 || network == 127 || (network >= 224 && !limited)) return NULL;

    struct weft_stack_port *by_gateway = NULL;
    for (uint8_t i = 0; i < stack->port_count; i++) {
        struct weft_stack_port *candidate = &stack->ports[i];
        if (destination == candidate->address) return NULL; // Nobody out there is us.
        if (port != WEFT_UDP_ANY_PORT && port != i) continue;
        *next_hop = destination;
        if (limited || ((destination ^ candidate->address) & candidate->mask) == 0)
            return candidate;
        if (by_gateway == NULL && candidate->gateway != 0) by_gateway = candidate;
    }
    if (by_gateway != NULL) *next_hop = by_gateway->gateway;
    return by_gateway;
}

void weft_ip4_push(struct weft_stack *stack, struct weft_stack_port *port,
                   struct weft_packet *packet, uint32_t destination, uint8_t protocol)
{
    uint8_t *ip4 = weft_packet_push(packet, WEFT_IP4_BYTES);
    // Five words as they lie in memory, so that the sum never reads back what was just stored.
    const uint32_t word[5] = {
        0x45 | (uint32_t)__builtin_bswap16(packet->length) << 16,
        __builtin_bswap16(stack->ip4_id++) | // Atomic datagrams: any value (RFC 6864).
            (uint32_t)__builtin_bswap16(WEFT_IP4_DONT_FRAGMENT) << 16,
        TTL_DEFAULT | (uint32_t)protocol << 8,
        __builtin_bswap32(port->address),
        __builtin_bswap32(destination),
    };
    uint32_t checksum = 0;
    if (port->tx_ip4_checksum)
        packet->flags |= WEFT_PACKET_TX_IP4_CHECKSUM;
    else
        checksum = weft_checksum_finish((uint64_t)word[0] + word[1] + word[2] + word[3] + word[4]);
    weft_le32_put(ip4, word[0]);
    weft_le32_put(ip4 + WEFT_IP4_ID, word[1]);
    weft_le32_put(ip4 + WEFT_IP4_TTL, word[2] | checksum << 16);
    weft_le32_put(ip4 + WEFT_IP4_SOURCE, word[3]);
    weft_le32_put(ip4 + WEFT_IP4_DESTINATION, word[4]);
}
_Static_assert(WEFT_IP4_CHECKSUM == WEFT_IP4_TTL + 2, "the checksum is the high half of its word");
