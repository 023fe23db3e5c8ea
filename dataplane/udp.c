#include "dataplane/udp.h"

#include <errno.h>

#include "dataplane/checksum.h"
#include "dataplane/stack_frame.h"

void weft_udp_binds_init(struct weft_udp_binds *binds)
{
    memset(binds, 0, sizeof(*binds));
    for (uint32_t i = 0; i < WEFT_UDP_BIND_BUCKETS; i++) {
        binds->buckets[i] = WEFT_UDP_BINDS_MAX;
    }
}

static const struct weft_udp_bind *find_bind(const struct weft_udp_binds *binds, uint16_t port)
{
    uint16_t index = binds->buckets[port % WEFT_UDP_BIND_BUCKETS];
    while (index != WEFT_UDP_BINDS_MAX) {
        if (binds->binds[index].port == port) return &binds->binds[index];
        index = binds->binds[index].next;
    }
    return NULL;
}

int weft_udp_bind(struct weft_stack *stack, uint16_t port, weft_udp_handler datagram, void *self)
{
    struct weft_udp_binds *binds = &stack->binds;
    if (port == 0) return -EINVAL;
    if (binds->count == WEFT_UDP_BINDS_MAX) return -ENOSPC;
    const int result = weft_udp_owners_claim(stack->owners, port, stack->core->index);
    if (result != 0) return result;

    uint16_t index = 0;
    while (binds->binds[index].port != 0) {
        index++;
    }
    uint16_t *bucket = &binds->buckets[port % WEFT_UDP_BIND_BUCKETS];
    binds->binds[index] =
        (struct weft_udp_bind){.port = port, .next = *bucket, .datagram = datagram, .self = self};
    *bucket = index;
    binds->count++;
    return 0;
}

int weft_udp_unbind(struct weft_stack *stack, uint16_t port)
{
    struct weft_udp_binds *binds = &stack->binds;
    if (port == 0) return -ENOENT; // Marks what is free.
    uint16_t *link = &binds->buckets[port % WEFT_UDP_BIND_BUCKETS];
    while (*link != WEFT_UDP_BINDS_MAX && binds->binds[*link].port != port) {
        link = &binds->binds[*link].next;
    }
    if (*link == WEFT_UDP_BINDS_MAX) return -ENOENT;
    struct weft_udp_bind *bind = &binds->binds[*link];
    *link = bind->next;
    bind->port = 0;
    binds->count--;
    weft_udp_owners_release(stack->owners, port, stack->core->index);
    return 0;
}

static void deliver(struct weft_stack *stack, struct weft_udp_datagram *datagram,
                    const uint8_t *ether)
{
    struct weft_packet *packet = datagram->packet;
    const struct weft_udp_bind *bind = find_bind(&stack->binds, datagram->destination_port);
    if (bind == NULL) { // Given up while the datagram was between two cores.
        weft_stack_drop(stack, packet, WEFT_DROP_UDP_NO_PORT);
        return;
    }
    weft_counter_add(&stack->stats.udp, 1);
    stack->lent = packet;
    stack->lent_ether = ether;
    bind->datagram(bind->self, datagram);
    if (stack->lent != NULL) weft_stack_release(stack, packet);
    stack->lent = NULL;
}

static void hand_over(struct weft_stack *stack, const struct weft_udp_datagram *datagram,
                      uint16_t owner)
{
    struct weft_core_message message = {
        .kind = WEFT_CORE_MESSAGE_PACKET,
        .word = {(uintptr_t)datagram->packet,
                 datagram->source | (uint64_t)datagram->destination << 32,
                 datagram->source_port | (uint64_t)datagram->destination_port << 16 |
                     (uint64_t)datagram->broadcast << 32},
    };
    if (weft_stack_hand(stack, owner, &message))
        weft_counter_add(&stack->stats.handed_out, 1);
    else
        weft_stack_drop(stack, datagram->packet, WEFT_DROP_UDP_HANDOVER_FULL);
}

void weft_udp_receive_handover(struct weft_stack *stack, const struct weft_core_message *message)
{
    struct weft_packet *packet = (struct weft_packet *)(uintptr_t)message->word[0];
    struct weft_udp_datagram datagram = {
        .source = (uint32_t)message->word[1],
        .destination = (uint32_t)(message->word[1] >> 32),
        .source_port = (uint16_t)message->word[2],
        .destination_port = (uint16_t)(message->word[2] >> 16),
        .broadcast = (message->word[2] >> 32) & 1,
        .port = packet->port,
        .payload = weft_span_of(packet->data, packet->length),
        .packet = packet,
    };
    weft_counter_add(&stack->stats.handed_in, 1);
    deliver(stack, &datagram, NULL);
}

static bool checksum_is_good(const struct weft_stack_frame *frame)
{
    const struct weft_packet *packet = frame->packet;
    if (packet->flags & WEFT_PACKET_L4_CHECKED) return true;
    if (weft_be16_get(packet->data + WEFT_UDP_CHECKSUM) == 0)
        return true; // RFC 768: none was made.
    const uint64_t sum =
        weft_checksum_pseudo_ip4(frame->source, frame->destination, WEFT_IP4_UDP, packet->length);
    return weft_checksum_finish(weft_checksum_add(sum, packet->data, packet->length)) == 0;
}

void weft_udp_receive(struct weft_stack *stack, struct weft_stack_frame *frame)
{
    struct weft_packet *packet = frame->packet;
    enum weft_drop reason = WEFT_DROP_UDP_SHORT;
    if (packet->length < WEFT_UDP_BYTES) goto drop;
    const uint16_t length = weft_be16_get(packet->data + WEFT_UDP_LENGTH);
    if (length < WEFT_UDP_BYTES || length > packet->length) goto drop;
    weft_packet_resize(packet, length);
    reason = WEFT_DROP_UDP_CHECKSUM;
    if (!checksum_is_good(frame)) goto drop;

    struct weft_udp_datagram datagram = {
        .source = frame->source,
        .destination = frame->destination,
        .source_port = weft_be16_get(packet->data + WEFT_UDP_SOURCE),
        .destination_port = weft_be16_get(packet->data + WEFT_UDP_DESTINATION),
        .port = frame->port->index,
        .broadcast = frame->broadcast_ip4,
        .payload = weft_span_of(packet->data + WEFT_UDP_BYTES, length - WEFT_UDP_BYTES),
        .packet = packet,
    };
    weft_packet_pull(packet, WEFT_UDP_BYTES);
    const int owner = weft_steer(stack->owners, datagram.destination_port, datagram.payload);
    if (owner == stack->core->index) {
        deliver(stack, &datagram, frame->ether);
        return;
    }
    if (owner >= 0) {
        hand_over(stack, &datagram, (uint16_t)owner);
        return;
    }
    weft_icmp_send_error(stack, frame, WEFT_ICMP_UNREACHABLE, WEFT_ICMP_CODE_PORT, 0);
    reason = WEFT_DROP_UDP_NO_PORT;
drop:
    weft_stack_drop(stack, packet, reason);
}

// Puts UDP and IPv4 headers in front of the payload that is the packet.
static void push_headers(struct weft_stack *stack, struct weft_stack_port *port,
                         struct weft_packet *packet, uint32_t destination, uint16_t source_port,
                         uint16_t destination_port)
{
    const uint8_t *payload = packet->data;
    const uint16_t payload_length = packet->length;
    uint8_t *udp = weft_packet_push(packet, WEFT_UDP_BYTES);
    const uint64_t pseudo =
        weft_checksum_pseudo_ip4(port->address, destination, WEFT_IP4_UDP, packet->length);
    // The header as it lies in memory, so that the sum never reads back what was just stored.
    const uint32_t ports =
        __builtin_bswap16(source_port) | (uint32_t)__builtin_bswap16(destination_port) << 16;
    const uint16_t length = __builtin_bswap16(packet->length);
    uint16_t checksum;
    if (port->tx_udp_checksum) { // The device adds the rest to the sum of the pseudo header.
        packet->flags |= WEFT_PACKET_TX_UDP_CHECKSUM;
        checksum = weft_checksum_fold(pseudo);
    } else {
        checksum = weft_checksum_finish(
            weft_checksum_add(pseudo + ports + length, payload, payload_length));
        if (checksum == 0) checksum = 0xffff; // RFC 768: zero says that there is none.
    }
    weft_le32_put(udp + WEFT_UDP_SOURCE, ports);
    weft_le32_put(udp + WEFT_UDP_LENGTH, length | (uint32_t)checksum << 16);
    weft_ip4_push(stack, port, packet, destination, WEFT_IP4_UDP);
}

// A datagram that fails before it has a buffer.
static int refuse(struct weft_stack *stack, enum weft_drop reason, int result)
{
    weft_counter_add(&stack->stats.originated, 1);
    weft_drop_add(&stack->core->drops, reason, 1);
    return result;
}

int weft_udp_send(struct weft_stack *stack, const struct weft_udp_flow *flow,
                  struct weft_span payload)
{
    static const uint8_t everyone[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    uint32_t next_hop;
    if (flow->destination == 0 || flow->destination_port == 0)
        return refuse(stack, WEFT_DROP_IP4_NO_ROUTE, -EINVAL);
    struct weft_stack_port *port = weft_ip4_route(stack, flow->port, flow->destination, &next_hop);
    if (port == NULL) return refuse(stack, WEFT_DROP_IP4_NO_ROUTE, -ENETUNREACH);
    if (payload.length + WEFT_IP4_BYTES + WEFT_UDP_BYTES > port->mtu)
        return refuse(stack, WEFT_DROP_IP4_TOO_LONG, -EMSGSIZE);

    struct weft_packet *packet = weft_stack_originate(stack, port);
    if (packet == NULL) return -ENOBUFS;
    weft_packet_resize(packet, (uint16_t)payload.length);
    if (payload.length > 0) memcpy(packet->data, payload.data, payload.length);
    push_headers(stack, port, packet, flow->destination, flow->source_port, flow->destination_port);
    const bool to_all =
        next_hop == UINT32_MAX || (next_hop == weft_stack_port_broadcast(port) && ~port->mask > 1);
    if (to_all) return weft_ether_transmit(stack, port, packet, everyone, WEFT_ETHERTYPE_IP4);
    return weft_arp_transmit(stack, port, packet, next_hop);
}

int weft_udp_answer(struct weft_stack *stack, const struct weft_udp_datagram *datagram,
                    uint16_t length)
{
    struct weft_packet *packet = datagram->packet;
    weft_assert(stack->lent == packet); // Not answered before, and the handler has not returned.
    if (stack->lent_ether == NULL) { // Another core's buffer: only that core's device may take it.
        const struct weft_udp_flow back = {.destination = datagram->source,
                                           .destination_port = datagram->source_port,
                                           .source_port = datagram->destination_port,
                                           .port = datagram->port};
        return weft_udp_send(stack, &back, weft_span_of(datagram->payload.data, length));
    }
    struct weft_stack_port *port = &stack->ports[datagram->port];
    if (datagram->source_port == 0) return refuse(stack, WEFT_DROP_IP4_NO_ROUTE, -EINVAL);
    if (length + WEFT_IP4_BYTES + WEFT_UDP_BYTES > port->mtu ||
        length > packet->length + packet->tailroom)
        return refuse(stack, WEFT_DROP_IP4_TOO_LONG, -EMSGSIZE);
    uint8_t to[6];
    memcpy(to, stack->lent_ether + WEFT_ETH_FROM, sizeof(to));
    stack->lent = NULL; // Ours again: the answer goes out in it.
    weft_counter_add(&stack->stats.originated, 1);
    packet->flags = 0;
    weft_packet_resize(packet, length);
    push_headers(stack, port, packet, datagram->source, datagram->destination_port,
                 datagram->source_port);
    return weft_ether_transmit(stack, port, packet, to, WEFT_ETHERTYPE_IP4);
}
