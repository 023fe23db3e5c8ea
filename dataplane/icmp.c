// ICMP (RFC 792): echo is answered, errors are sent sparingly (RFC 1122, 3.2.2) and heard.
#include "dataplane/checksum.h"
#include "dataplane/stack_frame.h"

// The whole reply is the request with its type and addresses changed, in the same buffer, and it
// goes back to the MAC address that it came from: a forged source cannot make us ask the network
// for it.
static void answer_echo(struct weft_stack *stack, struct weft_stack_frame *frame)
{
    struct weft_packet *packet = frame->packet;
    if (!weft_rate_admit(&stack->icmp_rate, stack->now_ns)) {
        weft_stack_drop(stack, packet, WEFT_DROP_ICMP_RATE);
        return;
    }
    uint8_t *icmp = packet->data;
    icmp[WEFT_ICMP_TYPE] = WEFT_ICMP_ECHO_REPLY;
    memset(icmp + WEFT_ICMP_CHECKSUM, 0, 2);
    const uint16_t checksum = weft_checksum_finish(weft_checksum_add(0, icmp, packet->length));
    memcpy(icmp + WEFT_ICMP_CHECKSUM, &checksum, 2);

    uint8_t to[6];
    memcpy(to, frame->ether + WEFT_ETH_FROM, sizeof(to));
    packet->flags = 0;
    weft_counter_add(&stack->stats.echo, 1);
    weft_counter_add(&stack->stats.originated, 1);
    weft_ip4_push(stack, frame->port, packet, frame->source, WEFT_IP4_ICMP);
    weft_ether_transmit(stack, frame->port, packet, to, WEFT_ETHERTYPE_IP4);
}

// What the error quotes must be a UDP datagram that we may have sent. Else it is noise, or forged.
static bool read_quote(struct weft_stack *stack, const struct weft_stack_frame *frame,
                       struct weft_udp_flow *flow)
{
    const struct weft_packet *packet = frame->packet;
    if (packet->length < WEFT_ICMP_BYTES + WEFT_IP4_BYTES + WEFT_UDP_BYTES) return false;
    const uint8_t *ip4 = packet->data + WEFT_ICMP_BYTES;
    const uint8_t *udp = ip4 + WEFT_IP4_BYTES;
    if (ip4[WEFT_IP4_VERSION] != 0x45 || ip4[WEFT_IP4_PROTOCOL] != WEFT_IP4_UDP) return false;
    if (weft_be32_get(ip4 + WEFT_IP4_SOURCE) != frame->port->address) return false;
    *flow = (struct weft_udp_flow){
        .destination = weft_be32_get(ip4 + WEFT_IP4_DESTINATION),
        .destination_port = weft_be16_get(udp + WEFT_UDP_DESTINATION),
        .source_port = weft_be16_get(udp + WEFT_UDP_SOURCE),
        .port = frame->port->index,
    };
    return weft_steer(stack->owners, flow->source_port, weft_span_of(NULL, 0)) >= 0;
}

static void receive_unreachable(struct weft_stack *stack, struct weft_stack_frame *frame)
{
    struct weft_udp_flow flow;
    if (!read_quote(stack, frame, &flow)) {
        weft_stack_drop(stack, frame->packet, WEFT_DROP_ICMP_TYPE);
        return;
    }
    const uint8_t *icmp = frame->packet->data;
    const uint8_t code = icmp[WEFT_ICMP_CODE];
    const uint16_t mtu = code == WEFT_ICMP_CODE_TOO_LONG ? weft_be16_get(icmp + WEFT_ICMP_MTU) : 0;
    if (stack->unreachable != NULL) stack->unreachable(stack->self, &flow, code, mtu);
    weft_counter_add(&stack->stats.icmp_error, 1);
    weft_stack_release(stack, frame->packet);
}

void weft_icmp_receive(struct weft_stack *stack, struct weft_stack_frame *frame)
{
    struct weft_packet *packet = frame->packet;
    enum weft_drop reason = WEFT_DROP_ICMP_MALFORMED;
    if (packet->length < WEFT_ICMP_BYTES) goto drop;

    const uint8_t *icmp = packet->data;
    reason = WEFT_DROP_ICMP_CHECKSUM;
    if (!(packet->flags & WEFT_PACKET_L4_CHECKED) &&
        weft_checksum_finish(weft_checksum_add(0, icmp, packet->length)) != 0)
        goto drop;

    if (icmp[WEFT_ICMP_TYPE] == WEFT_ICMP_ECHO && icmp[WEFT_ICMP_CODE] == 0) {
        answer_echo(stack, frame);
        return;
    }
    if (icmp[WEFT_ICMP_TYPE] == WEFT_ICMP_UNREACHABLE) {
        receive_unreachable(stack, frame);
        return;
    }
    reason = WEFT_DROP_ICMP_TYPE;
drop:
    weft_stack_drop(stack, packet, reason);
}

// RFC 1122, 3.2.2: no error about an error, a broadcast, or a fragment but the first.
static bool deserves_error(const struct weft_stack_frame *frame)
{
    if (frame->broadcast || frame->broadcast_ip4) return false;
    const uint8_t *ip4 = frame->ip4;
    if (weft_be16_get(ip4 + WEFT_IP4_FRAGMENT) & (WEFT_IP4_MORE_OR_OFFSET >> 1)) return false;
    if (ip4[WEFT_IP4_PROTOCOL] != WEFT_IP4_ICMP) return true;
    if (weft_be16_get(ip4 + WEFT_IP4_LENGTH) < WEFT_IP4_BYTES + WEFT_ICMP_BYTES) return false;
    return ip4[WEFT_IP4_BYTES + WEFT_ICMP_TYPE] == WEFT_ICMP_ECHO;
}
_Static_assert(WEFT_IP4_MORE_OR_OFFSET >> 1 == 0x1fff, "the offset without the flag");

void weft_icmp_send_error(struct weft_stack *stack, const struct weft_stack_frame *frame,
                          uint8_t type, uint8_t code, uint16_t mtu)
{
    if (!deserves_error(frame)) return;
    if (!weft_rate_admit(&stack->icmp_rate, stack->now_ns)) {
        weft_counter_add(&stack->stats.icmp_silent, 1);
        return;
    }
    struct weft_packet *packet = weft_stack_originate(stack, frame->port);
    if (packet == NULL) return;

    const uint16_t length = weft_be16_get(frame->ip4 + WEFT_IP4_LENGTH);
    const uint16_t quoted = length < WEFT_IP4_BYTES + 8 ? length : WEFT_IP4_BYTES + 8;
    weft_packet_resize(packet, (uint16_t)(WEFT_ICMP_BYTES + quoted));
    uint8_t *icmp = packet->data;
    memset(icmp, 0, WEFT_ICMP_BYTES);
    icmp[WEFT_ICMP_TYPE] = type;
    icmp[WEFT_ICMP_CODE] = code;
    weft_be16_put(icmp + WEFT_ICMP_MTU, mtu);
    memcpy(icmp + WEFT_ICMP_BYTES, frame->ip4, quoted);
    const uint16_t checksum = weft_checksum_finish(weft_checksum_add(0, icmp, packet->length));
    memcpy(icmp + WEFT_ICMP_CHECKSUM, &checksum, 2);

    weft_ip4_push(stack, frame->port, packet, frame->source, WEFT_IP4_ICMP);
    weft_ether_transmit(stack, frame->port, packet, frame->ether + WEFT_ETH_FROM,
                        WEFT_ETHERTYPE_IP4);
}
