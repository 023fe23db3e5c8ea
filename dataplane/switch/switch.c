#include "dataplane/switch/switch.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/packet.h"
#include "runtime/base/assert.h"

void weft_switch_init(struct weft_switch *bridge, uint64_t seed)
{
    memset(bridge, 0, sizeof(*bridge));
    bridge->seed = seed;
    weft_mac_table_init(&bridge->macs);
}

static void drop_fault(struct weft_switch *bridge, uint32_t from, uint32_t to)
{
    struct weft_fault *fault = bridge->faults[from][to];
    if (fault == NULL) return;
    weft_fault_drain(fault);
    free(fault);
    bridge->faults[from][to] = NULL;
    bridge->fault_count--;
}

void weft_switch_destroy(struct weft_switch *bridge)
{
    for (uint32_t from = 0; from < bridge->port_count; from++) {
        for (uint32_t to = 0; to < bridge->port_count; to++)
            drop_fault(bridge, from, to);
    }
}

static bool is_name(const char *name)
{
    const size_t length = strlen(name);
    if (length == 0 || length >= WEFT_SWITCH_NAME_BYTES) return false;
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)name[i]) && name[i] != '-' && name[i] != '_') return false;
    }
    return true;
}

int weft_switch_find_port(const struct weft_switch *bridge, const char *name)
{
    for (uint32_t i = 0; i < bridge->port_count; i++) {
        if (strcmp(bridge->ports[i].name, name) == 0) return (int)i;
    }
    return -1;
}

int weft_switch_add_port(struct weft_switch *bridge, const char *name)
{
    if (!is_name(name)) return -EINVAL;
    if (weft_switch_find_port(bridge, name) >= 0) return -EEXIST;
    if (bridge->port_count == WEFT_SWITCH_PORTS_MAX) return -ENOSPC;
    struct weft_switch_port *port = &bridge->ports[bridge->port_count];
    memcpy(port->name, name, strlen(name) + 1);
    return (int)bridge->port_count++;
}

// --- Devices and faults.

// A fault layer wraps the device of the port it leads to, so it goes and comes with that device.
static int make_fault(struct weft_switch *bridge, uint32_t from, uint32_t to)
{
    struct weft_fault *fault = calloc(1, sizeof(*fault));
    if (fault == NULL) return -ENOMEM;
    weft_fault_init(fault, bridge->ports[to].net, bridge->seed + from * WEFT_SWITCH_PORTS_MAX + to,
                    &bridge->now_ns, &bridge->drops);
    bridge->faults[from][to] = fault;
    bridge->fault_count++;
    return 0;
}

void weft_switch_plug(struct weft_switch *bridge, uint32_t port, const struct weft_net *net)
{
    weft_assert(port < bridge->port_count);
    weft_mac_forget_port(&bridge->macs, (uint8_t)port);
    for (uint32_t from = 0; from < bridge->port_count; from++) {
        struct weft_fault *fault = bridge->faults[from][port];
        if (fault == NULL) continue;
        weft_fault_drain(fault);
        const struct weft_fault_options options = fault->options;
        if (net == NULL) {
            drop_fault(bridge, from, port);
            continue;
        }
        fault->inner = net;
        weft_fault_set(fault, &options);
    }
    bridge->ports[port].net = net;
}

int weft_switch_set_fault(struct weft_switch *bridge, uint32_t from, uint32_t to,
                          const struct weft_fault_options *options)
{
    struct weft_fault_options wanted = *options;
    weft_assert(from < bridge->port_count && to < bridge->port_count);
    wanted.tx = true;
    wanted.rx = false;
    if (bridge->ports[to].net == NULL) return -ENODEV;
    if (bridge->faults[from][to] == NULL) {
        const int result = make_fault(bridge, from, to);
        if (result != 0) return result;
    }
    return weft_fault_set(bridge->faults[from][to], &wanted);
}

// --- Frames.

static void send_to(struct weft_switch *bridge, uint32_t from, uint32_t to,
                    struct weft_packet *packet)
{
    struct weft_switch_port *port = &bridge->ports[to];
    const struct weft_fault *fault = bridge->faults[from][to];
    const struct weft_net *net = fault != NULL ? &fault->net : port->net;
    const uint64_t length = packet->length;
    if (net->tx_burst(net->self, &packet, 1) == 1) {
        port->tx_frames++;
        port->tx_bytes += length;
        return;
    }
    port->tx_full++;
    weft_drop_add(&bridge->drops, WEFT_DROP_PORT_TX_FULL, 1);
    port->net->release(port->net->self, packet);
}

static void send_copy(struct weft_switch *bridge, uint32_t from, uint32_t to,
                      const struct weft_packet *packet)
{
    struct weft_switch_port *port = &bridge->ports[to];
    struct weft_packet *copy = port->net->alloc(port->net->self);
    if (copy == NULL || copy->tailroom < packet->length) {
        if (copy != NULL) port->net->release(port->net->self, copy);
        port->no_buffer++;
        weft_drop_add(&bridge->drops, WEFT_DROP_PORT_NO_BUFFER, 1);
        return;
    }
    memcpy(copy->data, packet->data, packet->length);
    copy->length = packet->length;
    copy->tailroom = (uint16_t)(copy->tailroom - packet->length);
    send_to(bridge, from, to, copy);
}

static void flood(struct weft_switch *bridge, uint32_t from, struct weft_packet *packet)
{
    uint32_t last = WEFT_SWITCH_PORTS_MAX;
    bridge->flooded++;
    for (uint32_t to = 0; to < bridge->port_count; to++) {
        if (to == from || bridge->ports[to].net == NULL) continue;
        if (last < WEFT_SWITCH_PORTS_MAX) send_copy(bridge, from, last, packet);
        last = to;
    }
    if (last < WEFT_SWITCH_PORTS_MAX) {
        send_to(bridge, from, last, packet); // The frame itself goes last, as it is then another's.
        return;
    }
    bridge->ports[from].nowhere++;
    bridge->ports[from].net->release(bridge->ports[from].net->self, packet);
}

static void forward(struct weft_switch *bridge, uint32_t from, struct weft_packet *packet)
{
    struct weft_switch_port *port = &bridge->ports[from];
    port->rx_frames++;
    port->rx_bytes += packet->length;
    if (packet->length < WEFT_ETH_BYTES || (packet->data[WEFT_ETH_FROM] & 1) != 0) {
        port->malformed++;
        weft_drop_add(&bridge->drops,
                      packet->length < WEFT_ETH_BYTES ? WEFT_DROP_ETH_SHORT : WEFT_DROP_ETH_SOURCE,
                      1);
        port->net->release(port->net->self, packet);
        return;
    }
    weft_mac_learn(&bridge->macs, weft_mac_read(packet->data + WEFT_ETH_FROM), (uint8_t)from,
                   bridge->now_ns);
    const bool group = (packet->data[WEFT_ETH_TO] & 1) != 0;
    const int to = group ? -1
                         : weft_mac_find(&bridge->macs, weft_mac_read(packet->data + WEFT_ETH_TO),
                                         bridge->now_ns);
    if (to == (int)from) {
        port->local++;
        port->net->release(port->net->self, packet);
    } else if (to >= 0 && bridge->ports[to].net != NULL) {
        send_to(bridge, from, (uint32_t)to, packet);
    } else {
        flood(bridge, from, packet);
    }
}

// Frames that a fault has delayed and whose time has come.
static void send_due(struct weft_switch *bridge)
{
    for (uint32_t from = 0; from < bridge->port_count; from++) {
        for (uint32_t to = 0; to < bridge->port_count; to++) {
            struct weft_fault *fault = bridge->faults[from][to];
            if (fault != NULL && fault->tx.count > 0) fault->net.tx_burst(fault->net.self, NULL, 0);
        }
    }
}

uint32_t weft_switch_turn(struct weft_switch *bridge, uint64_t now_ns)
{
    struct weft_packet *packets[WEFT_NET_BURST];
    uint32_t total = 0;

    bridge->now_ns = now_ns;
    for (uint32_t from = 0; from < bridge->port_count; from++) {
        const struct weft_net *net = bridge->ports[from].net;
        if (net == NULL) continue;
        const uint32_t count = net->rx_burst(net->self, packets, WEFT_NET_BURST);
        for (uint32_t i = 0; i < count; i++)
            forward(bridge, from, packets[i]);
        total += count;
    }
    if (bridge->fault_count > 0) send_due(bridge);
    return total;
}

uint64_t weft_switch_due_ns(const struct weft_switch *bridge)
{
    uint64_t due_ns = UINT64_MAX;
    if (bridge->fault_count == 0) return due_ns;
    for (uint32_t from = 0; from < bridge->port_count; from++) {
        for (uint32_t to = 0; to < bridge->port_count; to++) {
            struct weft_fault *fault = bridge->faults[from][to];
            if (fault == NULL) continue;
            const uint64_t pair_ns = weft_fault_due_ns(fault);
            if (pair_ns < due_ns) due_ns = pair_ns;
        }
    }
    return due_ns;
}
