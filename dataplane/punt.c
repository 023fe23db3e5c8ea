#include "dataplane/punt.h"

#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "dataplane/packet.h"

// ---- Whose is it?

static const uint8_t everyone[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static enum weft_punt_way way_of_arp(const struct weft_punt_port *port, const uint8_t *arp,
                                     size_t length, bool broadcast)
{
    if (length < WEFT_ARP_BYTES) return WEFT_PUNT_STACK;
    if (weft_be32_get(arp + WEFT_ARP_TARGET) == port->address) return WEFT_PUNT_STACK;
    // Who tells everyone, or claims our address, is news to the stack as well.
    if (broadcast || weft_be32_get(arp + WEFT_ARP_SENDER) == port->address) return WEFT_PUNT_BOTH;
    return WEFT_PUNT_KERNEL;
}

static enum weft_punt_way way_of_ip4(const struct weft_punt_port *port, const uint8_t *ip4,
                                     size_t length)
{
    if (length < WEFT_IP4_BYTES) return WEFT_PUNT_STACK;
    const uint32_t destination = weft_be32_get(ip4 + WEFT_IP4_DESTINATION);
    if (destination == port->address) return WEFT_PUNT_STACK;
    const bool to_all = destination == UINT32_MAX ||
                        (destination == (port->address | ~port->mask) && ~port->mask > 1);
    return to_all ? WEFT_PUNT_BOTH : WEFT_PUNT_KERNEL;
}

enum weft_punt_way weft_punt_way(const struct weft_punt_port *port,
                                 const struct weft_packet *packet)
{
    const uint8_t *ether = packet->data, *next = ether + WEFT_ETH_BYTES;
    if (packet->length < WEFT_ETH_BYTES) return WEFT_PUNT_STACK;
    size_t length = packet->length - WEFT_ETH_BYTES;
    const bool broadcast = memcmp(ether + WEFT_ETH_TO, everyone, 6) == 0;
    const bool group = (ether[WEFT_ETH_TO] & 1) != 0;
    if (!group && memcmp(ether + WEFT_ETH_TO, port->mac, 6) != 0) return WEFT_PUNT_STACK;
    if (memcmp(ether + WEFT_ETH_FROM, port->mac, 6) == 0) return WEFT_PUNT_STACK;
    if (group && !broadcast) return WEFT_PUNT_KERNEL; // The stack has joined no group.

    uint16_t ethertype = weft_be16_get(ether + WEFT_ETH_TYPE);
    uint16_t vlan = packet->flags & WEFT_PACKET_VLAN ? packet->vlan & 0xfff : 0;
    if (ethertype == WEFT_ETHERTYPE_VLAN && vlan == 0) { // As ether.c reads it.
        if (length < WEFT_VLAN_BYTES) return WEFT_PUNT_STACK;
        vlan = weft_be16_get(next) & 0xfff;
        ethertype = weft_be16_get(next + 2);
        next += WEFT_VLAN_BYTES;
        length -= WEFT_VLAN_BYTES;
    }
    if (vlan != port->vlan) return WEFT_PUNT_KERNEL; // Another network on the same cable.
    if (ethertype == WEFT_ETHERTYPE_ARP) return way_of_arp(port, next, length, broadcast);
    if (ethertype == WEFT_ETHERTYPE_IP4) return way_of_ip4(port, next, length);
    return WEFT_PUNT_KERNEL;
}

// ---- To the kernel.

static void lose(struct weft_punt *punt, enum weft_drop reason)
{
    weft_counter_add(&punt->stats.lost, 1);
    weft_drop_add(punt->drops, reason, 1);
}

// As it was on the wire: a tag that the card has taken off is put back.
static bool write_frame(const struct weft_punt *punt, const struct weft_packet *packet)
{
    uint8_t tag[WEFT_VLAN_BYTES];
    if ((packet->flags & WEFT_PACKET_VLAN) == 0)
        return write(punt->fd, packet->data, packet->length) == (ssize_t)packet->length;
    weft_be16_put(tag, WEFT_ETHERTYPE_VLAN);
    weft_be16_put(tag + 2, packet->vlan);
    const struct iovec parts[] = {
        {packet->data, WEFT_ETH_TYPE},
        {tag, sizeof(tag)},
        {packet->data + WEFT_ETH_TYPE, packet->length - (size_t)WEFT_ETH_TYPE},
    };
    return writev(punt->fd, parts, 3) == (ssize_t)(packet->length + sizeof(tag));
}

static void give(struct weft_punt *punt, const struct weft_packet *packet)
{
    punt->work++;
    if (!weft_rate_admit(&punt->rate, *punt->now_ns))
        lose(punt, WEFT_DROP_KERNEL_RATE);
    else if (!write_frame(punt, packet))
        lose(punt, WEFT_DROP_KERNEL_REFUSED);
    else
        weft_counter_add(&punt->stats.to_kernel, 1);
}

static uint32_t punt_rx_burst(void *self, struct weft_packet **packets, uint32_t limit)
{
    struct weft_punt *punt = self;
    const uint32_t count = punt->inner->rx_burst(punt->inner->self, packets, limit);
    uint32_t kept = 0, copied = 0;
    if (count == 0) return 0;
    for (uint32_t i = 0; i < count; i++) {
        struct weft_packet *packet = packets[i];
        const enum weft_punt_way way = weft_punt_way(&punt->port, packet);
        if (way != WEFT_PUNT_STACK) give(punt, packet);
        if (way == WEFT_PUNT_BOTH) copied++;
        if (way == WEFT_PUNT_KERNEL)
            punt->inner->release(punt->inner->self, packet);
        else
            packets[kept++] = packet;
    }
    weft_counter_add(&punt->stats.entered, count);
    weft_counter_add(&punt->stats.copied, copied);
    weft_counter_add(&punt->stats.passed, kept);
    return kept;
}

// ---- From the kernel.

static void drop_unsent(struct weft_punt *punt, struct weft_packet *packet, enum weft_drop reason)
{
    punt->inner->release(punt->inner->self, packet);
    weft_counter_add(&punt->stats.unsent, 1);
    weft_drop_add(punt->drops, reason, 1);
}

// The next frame that the kernel has to send, ready to go. NULL: there is none, or no buffer for
// it, and it waits where it is.
static struct weft_packet *fetch(struct weft_punt *punt)
{
    struct weft_packet *packet = punt->inner->alloc(punt->inner->self);
    if (packet == NULL) return NULL;
    const ssize_t length = read(punt->fd, packet->data, packet->tailroom);
    if (length <= 0) {
        punt->inner->release(punt->inner->self, packet);
        return NULL;
    }
    weft_packet_resize(packet, (uint16_t)length);
    if (length < WEFT_ETH_FRAME_BYTES_MIN) { // 802.3, 3.2.8, as ether.c does for ours.
        weft_packet_resize(packet, WEFT_ETH_FRAME_BYTES_MIN);
        memset(packet->data + length, 0, (size_t)(WEFT_ETH_FRAME_BYTES_MIN - length));
    }
    packet->flags = 0; // A TAP without offloads hands over what needs nothing more.
    weft_counter_add(&punt->stats.fetched, 1);
    return packet;
}

static void send_burst(struct weft_punt *punt, struct weft_packet **packets, uint32_t count)
{
    const uint32_t sent = punt->inner->tx_burst(punt->inner->self, packets, count);
    weft_counter_add(&punt->stats.from_kernel, sent);
    for (uint32_t i = sent; i < count; i++)
        drop_unsent(punt, packets[i], WEFT_DROP_KERNEL_TX_FULL);
}

static uint32_t send_for_kernel(struct weft_punt *punt, uint64_t now_ns)
{
    struct weft_packet *packets[WEFT_NET_BURST], *packet = NULL;
    const uint32_t longest = punt->inner->info->mtu + (uint32_t)WEFT_ETH_BYTES + WEFT_VLAN_BYTES;
    uint32_t fetched = 0, count = 0;
    for (; fetched < WEFT_NET_BURST && (packet = fetch(punt)) != NULL; fetched++) {
        if (packet->length > longest) // Somebody has raised the interface's MTU.
            drop_unsent(punt, packet, WEFT_DROP_PORT_TOO_LONG);
        else
            packets[count++] = packet;
    }
    if (count > 0) send_burst(punt, packets, count);
    if (packet == NULL) punt->read_due_ns = now_ns + WEFT_PUNT_READ_NS;
    return fetched;
}

static uint32_t poll(void *self, uint64_t now_ns)
{
    struct weft_punt *punt = self;
    uint32_t work = punt->work;
    punt->work = 0;
    if (punt->reads && now_ns >= punt->read_due_ns) work += send_for_kernel(punt, now_ns);
    return work;
}

static int kernel_doorbell_fd(void *self)
{
    const struct weft_punt *punt = self;
    return punt->reads ? punt->fd : -1;
}

// The descriptor is readable until it is read: the next poll does, whatever it had planned.
static void kernel_doorbell_clear(void *self)
{
    ((struct weft_punt *)self)->read_due_ns = 0;
}

struct weft_poller weft_punt_poller(struct weft_punt *punt)
{
    return (struct weft_poller){.name = "punt",
                                .poll = poll,
                                .doorbell_fd = kernel_doorbell_fd,
                                .doorbell_clear = kernel_doorbell_clear,
                                .self = punt};
}

// ---- What passes straight through.

static uint32_t punt_tx_burst(void *self, struct weft_packet **packets, uint32_t count)
{
    const struct weft_net *inner = ((struct weft_punt *)self)->inner;
    return inner->tx_burst(inner->self, packets, count);
}

static struct weft_packet *punt_alloc(void *self)
{
    const struct weft_net *inner = ((struct weft_punt *)self)->inner;
    return inner->alloc(inner->self);
}

static void punt_release(void *self, struct weft_packet *packet)
{
    const struct weft_net *inner = ((struct weft_punt *)self)->inner;
    inner->release(inner->self, packet);
}

static int punt_doorbell_fd(void *self)
{
    const struct weft_net *inner = ((struct weft_punt *)self)->inner;
    return inner->doorbell_fd != NULL ? inner->doorbell_fd(inner->self) : -1;
}

static void punt_doorbell_clear(void *self)
{
    const struct weft_net *inner = ((struct weft_punt *)self)->inner;
    if (inner->doorbell_clear != NULL) inner->doorbell_clear(inner->self);
}

static void punt_stats(void *self, struct weft_net_stats *stats)
{
    const struct weft_net *inner = ((struct weft_punt *)self)->inner;
    inner->stats(inner->self, stats);
}

void weft_punt_init(struct weft_punt *punt, const struct weft_punt_options *options)
{
    memset(punt, 0, sizeof(*punt));
    punt->inner = options->net;
    punt->fd = options->fd;
    punt->reads = options->reads;
    punt->port = options->port;
    punt->now_ns = options->now_ns;
    punt->drops = options->drops;
    weft_rate_init(&punt->rate, WEFT_PUNT_RATE_HZ, WEFT_PUNT_BURST);
    punt->net = (struct weft_net){.rx_burst = punt_rx_burst,
                                  .tx_burst = punt_tx_burst,
                                  .alloc = punt_alloc,
                                  .release = punt_release,
                                  .doorbell_fd = punt_doorbell_fd,
                                  .doorbell_clear = punt_doorbell_clear,
                                  .stats = punt_stats,
                                  .info = options->net->info,
                                  .self = punt};
}

int64_t weft_punt_gap(const struct weft_punt *punt)
{
    const struct weft_punt_stats *stats = &punt->stats;
    const uint64_t in = weft_counter_get(&stats->entered) + weft_counter_get(&stats->copied) +
                        weft_counter_get(&stats->fetched);
    const uint64_t out = weft_counter_get(&stats->passed) + weft_counter_get(&stats->to_kernel) +
                         weft_counter_get(&stats->lost) + weft_counter_get(&stats->from_kernel) +
                         weft_counter_get(&stats->unsent);
    return (int64_t)(in - out);
}
