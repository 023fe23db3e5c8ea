// ARP (RFC 826) with the manners of RFC 1122, 2.3.2 and RFC 5227: what is said and heard about
// addresses. What is known lies in arp_table.h.
#include <errno.h>

#include "dataplane/stack_frame.h"

#define ANNOUNCE_COUNT       2                    // RFC 5227, 1.1: ANNOUNCE_NUM
#define ANNOUNCE_INTERVAL_NS (2 * WEFT_NS_PER_S)  // ANNOUNCE_INTERVAL
#define DEFEND_INTERVAL_NS   (10 * WEFT_NS_PER_S) // DEFEND_INTERVAL
#define RATE_RETRY_NS        (10 * WEFT_NS_PER_MS)

static const uint8_t everyone[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t nobody[6];

enum hearsay { // How we came to know of a neighbour: word[1] bits 48 and up of a NEIGHBOUR message.
    HEARD_REPLY,   // It answered us.
    HEARD_REQUEST, // It asked us.
    HEARD_OTHER,   // It told everyone.
};

static int say(struct weft_stack *stack, struct weft_stack_port *port, uint16_t operation,
               const uint8_t ether_to[6], const uint8_t target_mac[6], uint32_t target)
{
    struct weft_packet *packet = weft_stack_originate(stack, port);
    if (packet == NULL) return -ENOBUFS;

    weft_packet_resize(packet, WEFT_ARP_BYTES);
    uint8_t *arp = packet->data;
    weft_be16_put(arp + WEFT_ARP_HARDWARE, 1);
    weft_be16_put(arp + WEFT_ARP_PROTOCOL, WEFT_ETHERTYPE_IP4);
    arp[WEFT_ARP_HARDWARE_BYTES] = 6;
    arp[WEFT_ARP_PROTOCOL_BYTES] = 4;
    weft_be16_put(arp + WEFT_ARP_OPERATION, operation);
    memcpy(arp + WEFT_ARP_SENDER_MAC, port->mac, 6);
    weft_be32_put(arp + WEFT_ARP_SENDER, port->address);
    memcpy(arp + WEFT_ARP_TARGET_MAC, target_mac, 6);
    weft_be32_put(arp + WEFT_ARP_TARGET, target);
    return weft_ether_transmit(stack, port, packet, ether_to, WEFT_ETHERTYPE_ARP);
}

// Asks for the entry's address: its last known owner if there is one, else everyone.
static void ask(struct weft_stack *stack, struct weft_arp_entry *entry, enum weft_arp_state state)
{
    struct weft_stack_port *port = &stack->ports[entry->port];
    if (!weft_rate_admit(&stack->arp_out_rate, stack->now_ns)) {
        weft_arp_table_set(&stack->arp, entry, state, stack->now_ns + RATE_RETRY_NS);
        return;
    }
    entry->tries++;
    weft_arp_table_set(&stack->arp, entry, state, stack->now_ns + WEFT_ARP_RETRY_NS);
    say(stack, port, WEFT_ARP_REQUEST, state == WEFT_ARP_PROBE ? entry->mac : everyone, nobody,
        entry->address);
}

static void send_chain(struct weft_stack *stack, struct weft_stack_port *port,
                       struct weft_packet *chain, const uint8_t mac[6])
{
    while (chain != NULL) {
        struct weft_packet *next = chain->next;
        weft_ether_transmit(stack, port, chain, mac, WEFT_ETHERTYPE_IP4);
        chain = next;
    }
}

// Takes in what was heard. True if it changed what this core knows.
static bool learn(struct weft_stack *stack, struct weft_stack_port *port, uint32_t address,
                  const uint8_t mac[6], enum hearsay heard)
{
    struct weft_arp_table *table = &stack->arp;
    struct weft_arp_entry *entry = weft_arp_table_find(table, port->index, address);
    if (entry == NULL) {
        // RFC 826 adds whoever speaks to us. An answer that nobody asked for adds nothing.
        if (heard != HEARD_REQUEST) return false;
        struct weft_packet *evicted;
        entry = weft_arp_table_add(table, port->index, address, stack->now_ns, &evicted);
        weft_stack_drop_chain(stack, evicted, WEFT_DROP_ARP_UNRESOLVED);
    }
    const bool asked = entry->state == WEFT_ARP_INCOMPLETE || entry->state == WEFT_ARP_PROBE;
    const bool moved = entry->state == WEFT_ARP_INCOMPLETE || memcmp(entry->mac, mac, 6) != 0;
    if (!moved && !(asked && heard == HEARD_REPLY)) return false;

    memcpy(entry->mac, mac, 6);
    entry->tries = 0;
    if (asked && heard == HEARD_REPLY)
        weft_arp_table_set(table, entry, WEFT_ARP_REACHABLE, stack->now_ns + WEFT_ARP_REACHABLE_NS);
    else
        weft_arp_table_set(table, entry, WEFT_ARP_STALE, UINT64_MAX);
    send_chain(stack, port, weft_arp_table_take(table, entry), entry->mac);
    return true;
}

// An answer comes in on the queue that the device chose, not on that of the core that asked.
static void tell_other_cores(struct weft_stack *stack, const struct weft_stack_port *port,
                             uint32_t address, const uint8_t mac[6], enum hearsay heard)
{
    uint64_t others = stack->core_mask & ~(UINT64_C(1) << stack->core->index);
    struct weft_core_message message = {
        .kind = WEFT_CORE_MESSAGE_NEIGHBOUR,
        .word = {address | (uint64_t)port->index << 32, (uint64_t)heard << 48}};
    memcpy(&message.word[1], mac, 6); // The low six bytes: little-endian, as endian.h demands.
    while (others != 0) {
        const uint16_t to = (uint16_t)__builtin_ctzll(others);
        others &= others - 1;
        // No room: that core will ask for itself once more.
        if (!weft_stack_hand(stack, to, &message))
            weft_drop_add(&stack->core->drops, WEFT_DROP_RING_FULL, 1);
    }
}

void weft_arp_receive_neighbour(struct weft_stack *stack, const struct weft_core_message *message)
{
    const uint32_t address = (uint32_t)message->word[0];
    struct weft_stack_port *port = &stack->ports[(message->word[0] >> 32) & 0xff];
    uint8_t mac[6];
    memcpy(mac, &message->word[1], 6);
    learn(stack, port, address, mac, (enum hearsay)(message->word[1] >> 48));
}

static void announce(struct weft_stack *stack, struct weft_stack_port *port)
{
    say(stack, port, WEFT_ARP_REQUEST, everyone, nobody, port->address);
}

// Somebody else uses our address: say once more that it is ours, at most every ten seconds.
static void defend(struct weft_stack *stack, struct weft_stack_port *port, const uint8_t mac[6])
{
    weft_counter_add(&stack->stats.arp_conflict, 1);
    if (stack->now_ns < port->defend_due_ns) return;
    port->defend_due_ns = stack->now_ns + DEFEND_INTERVAL_NS;
    announce(stack, port);
    weft_log(&stack->core->log, WEFT_LOG_WARN, "arp",
             "port %u: %02x:%02x:%02x:%02x:%02x:%02x uses our address too", port->index, mac[0],
             mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static bool well_formed(const struct weft_packet *packet)
{
    if (packet->length < WEFT_ARP_BYTES) return false;
    const uint8_t *arp = packet->data;
    const uint16_t operation = weft_be16_get(arp + WEFT_ARP_OPERATION);
    return weft_be16_get(arp + WEFT_ARP_HARDWARE) == 1 &&
           weft_be16_get(arp + WEFT_ARP_PROTOCOL) == WEFT_ETHERTYPE_IP4 &&
           arp[WEFT_ARP_HARDWARE_BYTES] == 6 && arp[WEFT_ARP_PROTOCOL_BYTES] == 4 &&
           (operation == WEFT_ARP_REQUEST || operation == WEFT_ARP_REPLY) &&
           (arp[WEFT_ARP_SENDER_MAC] & 1) == 0 && memcmp(arp + WEFT_ARP_SENDER_MAC, nobody, 6) != 0;
}

// An address that one host of the port's network may have, other than us.
static bool may_be_neighbour(const struct weft_stack_port *port, uint32_t address)
{
    if (((address ^ port->address) & port->mask) != 0 || address == port->address) return false;
    const bool has_edges = ~port->mask > 1; // Not in a network of two (RFC 3021).
    return !has_edges || ((address & ~port->mask) != 0 && (address | port->mask) != UINT32_MAX);
}

void weft_arp_receive(struct weft_stack *stack, struct weft_stack_frame *frame)
{
    struct weft_stack_port *port = frame->port;
    struct weft_packet *packet = frame->packet;
    if (!well_formed(packet)) {
        weft_stack_drop(stack, packet, WEFT_DROP_ARP_MALFORMED);
        return;
    }
    const uint8_t *arp = packet->data;
    const uint8_t *mac = arp + WEFT_ARP_SENDER_MAC;
    const uint32_t sender = weft_be32_get(arp + WEFT_ARP_SENDER);
    const bool to_us = weft_be32_get(arp + WEFT_ARP_TARGET) == port->address;
    const bool request = weft_be16_get(arp + WEFT_ARP_OPERATION) == WEFT_ARP_REQUEST;
    const bool conflict = sender == port->address && memcmp(mac, port->mac, 6) != 0;
    const bool probe = sender == 0 && to_us && request; // RFC 5227: somebody wants our address.
    const bool neighbour = may_be_neighbour(port, sender);
    const bool known = neighbour && weft_arp_table_find(&stack->arp, port->index, sender) != NULL;

    if (!conflict && !probe && !(neighbour && (to_us || known))) {
        weft_stack_drop(stack, packet, WEFT_DROP_ARP_NOT_FOR_US);
        return;
    }
    if (!weft_rate_admit(&stack->arp_in_rate, stack->now_ns)) {
        weft_stack_drop(stack, packet, WEFT_DROP_ARP_RATE);
        return;
    }
    if (conflict) defend(stack, port, mac);
    if (neighbour) {
        const enum hearsay heard = !to_us ? HEARD_OTHER : request ? HEARD_REQUEST : HEARD_REPLY;
        const bool changed = learn(stack, port, sender, mac, heard);
        if (changed || heard == HEARD_REPLY) tell_other_cores(stack, port, sender, mac, heard);
    }
    if (request && to_us && !conflict) say(stack, port, WEFT_ARP_REPLY, mac, mac, sender);
    weft_counter_add(&stack->stats.arp, 1);
    weft_stack_release(stack, packet);
}

static int hold(struct weft_stack *stack, struct weft_arp_entry *entry, struct weft_packet *packet)
{
    struct weft_packet *excess = weft_arp_table_hold(&stack->arp, entry, packet);
    if (excess != NULL) weft_stack_drop(stack, excess, WEFT_DROP_ARP_QUEUE_FULL);
    return excess == packet ? -ENOBUFS : 0;
}

int weft_arp_transmit(struct weft_stack *stack, struct weft_stack_port *port,
                      struct weft_packet *packet, uint32_t next_hop)
{
    struct weft_arp_entry *entry = weft_arp_table_find(&stack->arp, port->index, next_hop);
    if (entry == NULL) {
        struct weft_packet *evicted;
        entry = weft_arp_table_add(&stack->arp, port->index, next_hop, stack->now_ns, &evicted);
        weft_stack_drop_chain(stack, evicted, WEFT_DROP_ARP_UNRESOLVED);
        ask(stack, entry, WEFT_ARP_INCOMPLETE);
    }
    entry->used_ns = stack->now_ns;
    if (entry->state == WEFT_ARP_INCOMPLETE) return hold(stack, entry, packet);
    if (weft_arp_table_state(entry, stack->now_ns) == WEFT_ARP_STALE) {
        entry->tries = 0;
        ask(stack, entry, WEFT_ARP_PROBE);
    }
    return weft_ether_transmit(stack, port, packet, entry->mac, WEFT_ETHERTYPE_IP4);
}

static void expire_entries(struct weft_stack *stack)
{
    struct weft_arp_table *table = &stack->arp;
    table->due_ns = UINT64_MAX;
    for (uint32_t i = 0; i < WEFT_ARP_ENTRIES; i++) {
        struct weft_arp_entry *entry = &table->entries[i];
        const enum weft_arp_state state = (enum weft_arp_state)entry->state;
        if (state != WEFT_ARP_INCOMPLETE && state != WEFT_ARP_PROBE) continue;
        if (entry->due_ns > stack->now_ns)
            weft_arp_table_set(table, entry, state,
                               entry->due_ns); // Only to find the next deadline.
        else if (entry->tries < WEFT_ARP_TRIES_MAX)
            ask(stack, entry, state);
        else
            weft_stack_drop_chain(stack, weft_arp_table_remove(table, entry),
                                  WEFT_DROP_ARP_UNRESOLVED);
    }
}

void weft_arp_expire(struct weft_stack *stack)
{
    if (stack->arp.due_ns <= stack->now_ns) expire_entries(stack);
    for (uint8_t i = 0; i < stack->port_count; i++) {
        struct weft_stack_port *port = &stack->ports[i];
        if (port->announce_due_ns > stack->now_ns) continue;
        port->announce_count++;
        port->announce_due_ns = port->announce_count < ANNOUNCE_COUNT
                                    ? stack->now_ns + ANNOUNCE_INTERVAL_NS
                                    : UINT64_MAX;
        announce(stack, port);
    }
}

uint64_t weft_arp_due_ns(const struct weft_stack *stack)
{
    uint64_t due_ns = stack->arp.due_ns;
    for (uint8_t i = 0; i < stack->port_count; i++) {
        if (stack->ports[i].announce_due_ns < due_ns) due_ns = stack->ports[i].announce_due_ns;
    }
    return due_ns;
}
