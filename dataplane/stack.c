#include "dataplane/stack.h"

#include <errno.h>

#include "dataplane/capture.h"
#include "dataplane/stack_frame.h"

#define RATE_HZ_DEFAULT 1000
#define RATE_BURST      64
#define MTU_MIN         68 // RFC 791
#define MTU_DEFAULT     1500
#define MTU_MAX         (WEFT_PACKET_DATA_MAX - WEFT_PACKET_HEADROOM)

static void receive_message(void *self, const struct weft_core_message *message)
{
    struct weft_stack *stack = self;
    stack->now_ns = stack->core->now_ns > stack->now_ns ? stack->core->now_ns : stack->now_ns;
    if (message->kind == WEFT_CORE_MESSAGE_PACKET)
        weft_udp_receive_handover(stack, message);
    else if (message->kind == WEFT_CORE_MESSAGE_PACKET_HOME)
        weft_stack_release(stack, (struct weft_packet *)(uintptr_t)message->word[0]);
    else
        weft_arp_receive_neighbour(stack, message);
}

void weft_stack_init(struct weft_stack *stack, const struct weft_stack_options *options,
                     struct weft_core *core)
{
    weft_assert(options->owners != NULL);
    weft_assert(core->index < WEFT_CORE_MAX);
    memset(stack, 0, sizeof(*stack));
    stack->core = core;
    stack->now_ns = core->now_ns;
    stack->owners = options->owners;
    stack->capture = options->capture;
    stack->core_mask = options->core_mask | UINT64_C(1) << core->index;
    stack->announces = options->announces;
    stack->forwards = options->forwards;
    stack->rx_budget = options->rx_budget != 0 ? options->rx_budget : WEFT_STACK_RX_BUDGET;
    stack->unreachable = options->unreachable;
    stack->self = options->self;
    const uint32_t icmp_hz = options->icmp_rate_hz != 0 ? options->icmp_rate_hz : RATE_HZ_DEFAULT;
    const uint32_t arp_hz = options->arp_rate_hz != 0 ? options->arp_rate_hz : RATE_HZ_DEFAULT;
    weft_rate_init(&stack->icmp_rate, icmp_hz, RATE_BURST);
    weft_rate_init(&stack->arp_in_rate, arp_hz, RATE_BURST);
    weft_rate_init(&stack->arp_out_rate, arp_hz, RATE_BURST);
    weft_udp_binds_init(&stack->binds);
    weft_arp_table_init(&stack->arp);
    weft_core_on(core, WEFT_CORE_MESSAGE_PACKET, receive_message, stack);
    weft_core_on(core, WEFT_CORE_MESSAGE_PACKET_HOME, receive_message, stack);
    weft_core_on(core, WEFT_CORE_MESSAGE_NEIGHBOUR, receive_message, stack);
}

static bool address_is_usable(uint32_t address, uint32_t mask)
{
    const uint32_t network = address >> 24;
    if (network == 0 || network == 127 || network >= 224) return false;
    if (~mask == 1) return true; // A network of two has no edges (RFC 3021).
    return (address & ~mask) != 0 && (address | mask) != UINT32_MAX;
}

int weft_stack_add_port(struct weft_stack *stack, const struct weft_stack_port_options *options)
{
    static const uint8_t unset[6];
    if (stack->port_count == WEFT_STACK_PORTS_MAX) return -ENOSPC;
    if (options->prefix_bits < 1 || options->prefix_bits > 31) return -EINVAL;
    if (options->vlan > 4094) return -EINVAL;

    const struct weft_net_info *info = options->net->info;
    const uint32_t mask = UINT32_MAX << (32 - options->prefix_bits);
    uint16_t mtu = options->mtu != 0 ? options->mtu : info->mtu;
    if (options->mtu == 0 && (mtu == 0 || mtu > MTU_MAX)) mtu = MTU_DEFAULT;
    if (mtu < MTU_MIN || mtu > MTU_MAX) return -EINVAL;
    if (!address_is_usable(options->address, mask)) return -EINVAL;
    if (options->gateway != 0 && (!address_is_usable(options->gateway, mask) ||
                                  ((options->gateway ^ options->address) & mask) != 0 ||
                                  options->gateway == options->address))
        return -EINVAL;
    const bool own_mac = memcmp(options->mac, unset, sizeof(unset)) != 0;
    const uint8_t *mac = own_mac ? options->mac : info->mac;
    if ((mac[0] & 1) != 0) return -EINVAL;

    struct weft_stack_port *port = &stack->ports[stack->port_count];
    port->net = options->net;
    port->address = options->address;
    port->mask = mask;
    port->gateway = options->gateway;
    port->mtu = mtu;
    port->vlan = options->vlan;
    port->index = stack->port_count;
    memcpy(port->mac, mac, 6);
    port->tx_ip4_checksum = options->tx_offload && info->tx_ip4_checksum;
    port->tx_udp_checksum = port->tx_ip4_checksum && info->tx_udp_checksum;
    port->due_ns = options->due_ns;
    port->self = options->self;
    port->announce_due_ns = stack->announces ? 0 : UINT64_MAX;
    stack->port_count++;
    return 0;
}

void weft_stack_drop(struct weft_stack *stack, struct weft_packet *packet, enum weft_drop drop)
{
    weft_drop_add(&stack->core->drops, drop, 1);
    weft_stack_release(stack, packet);
}

void weft_stack_drop_chain(struct weft_stack *stack, struct weft_packet *chain, enum weft_drop drop)
{
    while (chain != NULL) {
        struct weft_packet *next = chain->next;
        weft_stack_drop(stack, chain, drop);
        chain = next;
    }
}

bool weft_stack_hand(struct weft_stack *stack, uint16_t to, const struct weft_core_message *message)
{
    const struct weft_core *core = stack->core;
    if (core->group == NULL || to >= core->group->core_count || to == core->index) return false;
    if (core->group->rings[core->index][to] == NULL) return false;
    return weft_core_send_try(stack->core, to, message);
}

static bool send_home(struct weft_stack *stack, struct weft_packet *packet)
{
    struct weft_core_message message = {.kind = WEFT_CORE_MESSAGE_PACKET_HOME,
                                        .word = {(uintptr_t)packet}};
    return weft_stack_hand(stack, packet->home, &message);
}

void weft_stack_release(struct weft_stack *stack, struct weft_packet *packet)
{
    if (packet->home == stack->core->index) {
        const struct weft_net *net = stack->ports[packet->port].net;
        net->release(net->self, packet);
    } else if (stack->homesick_count > 0 || !send_home(stack, packet)) {
        packet->next = stack->homesick;
        stack->homesick = packet;
        stack->homesick_count++;
    }
}

struct weft_packet *weft_stack_originate(struct weft_stack *stack, struct weft_stack_port *port)
{
    struct weft_packet *packet = port->net->alloc(port->net->self);
    weft_counter_add(&stack->stats.originated, 1);
    if (packet == NULL) {
        weft_counter_add(&stack->stats.no_buffer, 1);
        weft_drop_add(&stack->core->drops, WEFT_DROP_PORT_NO_BUFFER, 1);
        return NULL;
    }
    packet->port = port->index;
    packet->flags = 0;
    return packet;
}

static void capture_sent(struct weft_stack *stack, struct weft_stack_port *port)
{
    while (port->tx_captured < port->tx_count) {
        weft_capture_frame(stack->capture, port->tx[port->tx_captured], port->index,
                           WEFT_CAPTURE_OUT, stack->now_ns);
        port->tx_captured++;
    }
}

static void drop_queue(struct weft_stack *stack, struct weft_stack_port *port)
{
    weft_counter_add(&stack->stats.tx_full, port->tx_count);
    for (uint16_t i = 0; i < port->tx_count; i++) {
        weft_stack_drop(stack, port->tx[i], WEFT_DROP_PORT_TX_FULL);
    }
    port->tx_count = 0;
    port->tx_captured = 0;
    port->stuck_ns = 0;
}

// Whether the device took something, or has not for too long: then its peer is dead, and what waits
// with it.
static void note_progress(struct weft_stack *stack, struct weft_stack_port *port, uint32_t done)
{
    if (done > 0 || port->tx_count == 0) {
        port->stuck_ns = 0;
    } else if (port->stuck_ns == 0) {
        port->stuck_ns = stack->now_ns != 0 ? stack->now_ns : 1;
    } else if (stack->now_ns - port->stuck_ns >= WEFT_STACK_STUCK_NS) {
        drop_queue(stack, port);
    }
}

// Gives the net what it takes. The rest stays, and goes first in the next turn.
static void flush_port(struct weft_stack *stack, struct weft_stack_port *port)
{
    if (port->tx_count == 0) return;
    if (weft_capture_is_on(stack->capture)) capture_sent(stack, port);
    uint64_t bytes = 0;
    uint32_t done = 0;
    uint16_t length[WEFT_NET_BURST];
    while (done < port->tx_count) {
        const uint32_t left = port->tx_count - done;
        const uint32_t count = left < WEFT_NET_BURST ? left : WEFT_NET_BURST;
        for (uint32_t i = 0; i < count; i++) {
            length[i] = port->tx[done + i]->length; // Not ours to read once it is sent.
        }
        const uint32_t sent = port->net->tx_burst(port->net->self, port->tx + done, count);
        weft_assert(sent <= count);
        for (uint32_t i = 0; i < sent; i++) {
            bytes += length[i];
        }
        done += sent;
        if (sent < count) break;
    }
    port->tx_count = (uint16_t)(port->tx_count - done);
    port->tx_captured = (uint16_t)(port->tx_captured > done ? port->tx_captured - done : 0);
    memmove(port->tx, port->tx + done, port->tx_count * sizeof(struct weft_packet *));
    weft_counter_add(&stack->stats.transmitted, done);
    weft_counter_add(&port->tx_frames, done);
    weft_counter_add(&port->tx_bytes, bytes);
    note_progress(stack, port, done);
}

int weft_stack_transmit(struct weft_stack *stack, struct weft_stack_port *port,
                        struct weft_packet *packet)
{
    if (port->tx_count == WEFT_STACK_TX_SLOTS) flush_port(stack, port);
    if (port->tx_count == WEFT_STACK_TX_SLOTS) {
        weft_counter_add(&stack->stats.tx_full, 1);
        weft_stack_drop(stack, packet, WEFT_DROP_PORT_TX_FULL);
        return -ENOBUFS;
    }
    port->tx[port->tx_count++] = packet;
    return 0;
}

static void receive(struct weft_stack *stack, struct weft_stack_port *port,
                    struct weft_packet *packet)
{
    struct weft_stack_frame frame = {.packet = packet, .port = port};
    packet->port = port->index;
    const uint16_t ethertype = weft_ether_receive(stack, &frame);
    if (ethertype == WEFT_ETHERTYPE_IP4)
        weft_ip4_receive(stack, &frame);
    else if (ethertype == WEFT_ETHERTYPE_ARP)
        weft_arp_receive(stack, &frame);
}

static uint32_t poll_port(struct weft_stack *stack, struct weft_stack_port *port, uint32_t limit)
{
    struct weft_packet *packets[WEFT_NET_BURST];
    const uint32_t count = port->net->rx_burst(port->net->self, packets, limit);
    if (count == 0) return 0;
    weft_assert(count <= limit);

    uint64_t bytes = 0;
    if (weft_capture_is_on(stack->capture)) {
        for (uint32_t i = 0; i < count; i++) {
            weft_capture_frame(stack->capture, packets[i], port->index, WEFT_CAPTURE_IN,
                               stack->now_ns);
        }
    }
    __builtin_prefetch(packets[0]->data);
    for (uint32_t i = 0; i < count; i++) {
        if (i + 1 < count) __builtin_prefetch(packets[i + 1]->data);
        bytes += packets[i]->length;
        receive(stack, port, packets[i]);
    }
    weft_counter_add(&stack->stats.received, count);
    weft_counter_add(&port->rx_frames, count);
    weft_counter_add(&port->rx_bytes, bytes);
    return count;
}

uint32_t weft_stack_poll(struct weft_stack *stack, uint64_t now_ns)
{
    uint32_t work = 0;
    stack->now_ns = now_ns;
    for (uint8_t i = 0; i < stack->port_count; i++) {
        uint32_t budget = stack->rx_budget;
        while (budget > 0) {
            const uint32_t limit = budget < WEFT_NET_BURST ? budget : WEFT_NET_BURST;
            const uint32_t count = poll_port(stack, &stack->ports[i], limit);
            work += count;
            budget -= count;
            if (count < limit) break;
        }
    }
    weft_arp_expire(stack);
    return work;
}

static void send_homesick(struct weft_stack *stack)
{
    while (stack->homesick != NULL) {
        struct weft_packet *packet = stack->homesick;
        struct weft_packet *next = packet->next;
        if (!send_home(stack, packet)) return;
        stack->homesick = next;
        stack->homesick_count--;
    }
}

void weft_stack_flush(struct weft_stack *stack, uint64_t now_ns)
{
    stack->now_ns = now_ns;
    for (uint8_t i = 0; i < stack->port_count; i++) {
        flush_port(stack, &stack->ports[i]);
    }
    if (stack->homesick != NULL) send_homesick(stack);
}

uint64_t weft_stack_due_ns(const struct weft_stack *stack)
{
    if (stack->homesick != NULL) return stack->now_ns;
    uint64_t due_ns = weft_arp_due_ns(stack);
    for (uint8_t i = 0; i < stack->port_count; i++) {
        const struct weft_stack_port *port = &stack->ports[i];
        // What a net or a ring did not take is tried again soon, not at the next packet.
        if (port->tx_count > 0 && stack->now_ns + WEFT_STACK_RETRY_NS < due_ns)
            due_ns = stack->now_ns + WEFT_STACK_RETRY_NS;
        const uint64_t net_ns = port->due_ns != NULL ? port->due_ns(port->self) : UINT64_MAX;
        if (net_ns < due_ns) due_ns = net_ns;
    }
    return due_ns;
}

void weft_stack_drain(struct weft_stack *stack)
{
    for (uint8_t i = 0; i < stack->port_count; i++) {
        struct weft_stack_port *port = &stack->ports[i];
        flush_port(stack, port);
        drop_queue(stack, port);
    }
    for (uint32_t i = 0; i < WEFT_ARP_ENTRIES; i++) {
        struct weft_arp_entry *entry = &stack->arp.entries[i];
        if (entry->state != WEFT_ARP_FREE)
            weft_stack_drop_chain(stack, weft_arp_table_remove(&stack->arp, entry),
                                  WEFT_DROP_ARP_UNRESOLVED);
    }
    if (stack->homesick != NULL) send_homesick(stack);
}
