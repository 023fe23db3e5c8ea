#include "dataplane/dpdk_net.h"

#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "dataplane/doorbell.h"
#include "dataplane/pool.h"
#include "runtime/base/assert.h"

#define PREFETCH_AHEAD 3

static struct rte_mbuf *to_mbuf(struct weft_packet *packet)
{
    return (struct rte_mbuf *)packet - 1;
}

static struct weft_packet *to_packet(struct rte_mbuf *mbuf)
{
    return (struct weft_packet *)(mbuf + 1);
}

// --- Receiving.

static void fill_packet(struct weft_packet *packet, const struct rte_mbuf *mbuf, uint8_t port)
{
    const uint64_t flags = mbuf->ol_flags;
    packet->next = NULL;
    packet->data = rte_pktmbuf_mtod(mbuf, uint8_t *);
    packet->length = mbuf->data_len;
    packet->headroom = mbuf->data_off;
    packet->tailroom = (uint16_t)(mbuf->buf_len - mbuf->data_off - mbuf->data_len);
    packet->port = port;
    packet->flags = 0;
    packet->vlan = 0;
    packet->hash = 0;
    if (likely(flags == 0)) return; // No stand-in device sets any.

    if ((flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD)
        packet->flags |= WEFT_PACKET_IP4_CHECKED;
    if ((flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
        packet->flags |= WEFT_PACKET_L4_CHECKED;
    if (flags & RTE_MBUF_F_RX_RSS_HASH) packet->hash = mbuf->hash.rss;
    if (flags & RTE_MBUF_F_RX_VLAN_STRIPPED) {
        packet->flags |= WEFT_PACKET_VLAN;
        packet->vlan = mbuf->vlan_tci;
    }
}

// What other workers have put into their rings. What the device does not take is lost and counted.
static void send_for_guests(struct weft_dpdk_queue *queue)
{
    struct rte_mbuf *mbufs[WEFT_NET_BURST];
    for (uint32_t i = 0; i < queue->guest_count; i++) {
        const unsigned count =
            rte_ring_sc_dequeue_burst(queue->guests[i], (void **)mbufs, WEFT_NET_BURST, NULL);
        if (count == 0) continue;
        const uint16_t sent = rte_eth_tx_burst(queue->device, queue->queue, mbufs, (uint16_t)count);
        if (sent == count) continue;
        rte_pktmbuf_free_bulk(mbufs + sent, count - sent);
        weft_counter_add(&queue->tx_full, count - sent);
        if (queue->drops != NULL) weft_drop_add(queue->drops, WEFT_DROP_PORT_TX_FULL, count - sent);
    }
}

static void drop_too_long(struct weft_dpdk_queue *queue, struct rte_mbuf *mbuf)
{
    rte_pktmbuf_free(mbuf);
    weft_counter_add(&queue->rx_too_long, 1);
    if (queue->drops != NULL) weft_drop_add(queue->drops, WEFT_DROP_PORT_TOO_LONG, 1);
}

static uint32_t rx_burst(void *self, struct weft_packet **packets, uint32_t limit)
{
    struct weft_dpdk_queue *queue = self;
    struct rte_mbuf *mbufs[WEFT_NET_BURST];

    if (unlikely(!queue->has_queue)) return 0;
    if (unlikely(queue->guest_count > 0)) send_for_guests(queue);
    if (limit > WEFT_NET_BURST) limit = WEFT_NET_BURST;
    const uint16_t count = rte_eth_rx_burst(queue->device, queue->queue, mbufs, (uint16_t)limit);
    if (count == 0) return 0;

    uint32_t taken = 0;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < count && i < PREFETCH_AHEAD; i++)
        rte_prefetch0(to_packet(mbufs[i]));
    for (uint32_t i = 0; i < count; i++) {
        struct rte_mbuf *mbuf = mbufs[i];
        if (i + PREFETCH_AHEAD < count) rte_prefetch0(to_packet(mbufs[i + PREFETCH_AHEAD]));
        if (unlikely(mbuf->nb_segs != 1 || mbuf->pkt_len > queue->frame_bytes_max)) {
            drop_too_long(queue, mbuf);
            continue;
        }
        struct weft_packet *packet = to_packet(mbuf);
        fill_packet(packet, mbuf, queue->port);
        bytes += packet->length;
        packets[taken++] = packet;
    }
    weft_counter_add(&queue->rx_packets, taken);
    weft_counter_add(&queue->rx_bytes, bytes);
    return taken;
}

// --- Sending.

// The device wants to know where the headers are, and the pseudo header's sum in place of the UDP
// sum.
static void ask_for_checksums(struct rte_mbuf *mbuf, const struct weft_packet *packet)
{
    const bool tagged = packet->data[12] == 0x81 && packet->data[13] == 0x00;
    mbuf->l2_len = RTE_ETHER_HDR_LEN + (tagged ? RTE_VLAN_HLEN : 0);
    struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(mbuf, struct rte_ipv4_hdr *, mbuf->l2_len);
    weft_assert(packet->length >= mbuf->l2_len + sizeof(*ip)); // The stack has built it.
    mbuf->l3_len = rte_ipv4_hdr_len(ip);
    mbuf->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
    ip->hdr_checksum = 0;
    if ((packet->flags & WEFT_PACKET_TX_UDP_CHECKSUM) == 0) return;
    weft_assert(packet->length >= mbuf->l2_len + mbuf->l3_len + sizeof(struct rte_udp_hdr));
    struct rte_udp_hdr *udp =
        rte_pktmbuf_mtod_offset(mbuf, struct rte_udp_hdr *, mbuf->l2_len + mbuf->l3_len);
    mbuf->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM;
    udp->dgram_cksum = rte_ipv4_phdr_cksum(ip, mbuf->ol_flags);
}

static struct rte_mbuf *fill_mbuf(const struct weft_dpdk_queue *queue, struct weft_packet *packet)
{
    struct rte_mbuf *mbuf = to_mbuf(packet);
    mbuf->data_off = (uint16_t)(packet->data - (const uint8_t *)mbuf->buf_addr);
    mbuf->data_len = packet->length;
    mbuf->pkt_len = packet->length;
    mbuf->ol_flags = 0;
    if (unlikely(packet->flags & WEFT_PACKET_TX_IP4_CHECKSUM) && queue->tx_checksum)
        ask_for_checksums(mbuf, packet);
    return mbuf;
}

static uint16_t send_as_guest(struct weft_dpdk_queue *queue, struct rte_mbuf **mbufs,
                              uint32_t count)
{
    const unsigned sent = rte_ring_sp_enqueue_burst(queue->guest_ring, (void **)mbufs, count, NULL);
    if (sent > 0 && queue->wake != NULL) queue->wake(queue->wake_self, queue->owner);
    return (uint16_t)sent;
}

static uint32_t tx_some(struct weft_dpdk_queue *queue, struct weft_packet **packets, uint32_t count)
{
    struct rte_mbuf *mbufs[WEFT_NET_BURST];
    uint16_t lengths[WEFT_NET_BURST]; // A sent buffer is the device's: its fields may be gone.
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < count; i++) {
        lengths[i] = packets[i]->length;
        mbufs[i] = fill_mbuf(queue, packets[i]);
    }
    const uint32_t sent = likely(queue->has_queue) ? rte_eth_tx_burst(queue->device, queue->queue,
                                                                      mbufs, (uint16_t)count)
                                                   : send_as_guest(queue, mbufs, count);
    for (uint32_t i = 0; i < sent; i++)
        bytes += lengths[i];
    weft_counter_add(&queue->tx_packets, sent);
    weft_counter_add(&queue->tx_bytes, bytes);
    return sent;
}

static uint32_t tx_burst(void *self, struct weft_packet **packets, uint32_t count)
{
    struct weft_dpdk_queue *queue = self;
    uint32_t done = 0;
    while (done < count) {
        const uint32_t left = count - done;
        const uint32_t now = left < WEFT_NET_BURST ? left : WEFT_NET_BURST;
        const uint32_t sent = tx_some(queue, packets + done, now);
        done += sent;
        if (sent < now) break;
    }
    if (unlikely(done < count)) weft_counter_add(&queue->tx_full, count - done);
    return done;
}

// --- Buffers, doorbell, figures.

static struct weft_packet *alloc_packet(void *self)
{
    struct weft_dpdk_queue *queue = self;
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(queue->pool);
    if (unlikely(mbuf == NULL)) return NULL;
    struct weft_packet *packet = to_packet(mbuf);
    fill_packet(packet, mbuf, queue->port);
    return packet;
}

static void release_packet(void *self, struct weft_packet *packet)
{
    (void)self;
    rte_pktmbuf_free(to_mbuf(packet));
}

static int doorbell_fd(void *self)
{
    return ((struct weft_dpdk_queue *)self)->doorbell_fd;
}

static void doorbell_clear(void *self)
{
    struct weft_dpdk_queue *queue = self;
    if (queue->doorbell_fd >= 0) weft_doorbell_clear(queue->doorbell_fd);
}

static void read_stats(void *self, struct weft_net_stats *stats)
{
    struct weft_dpdk_queue *queue = self;
    struct rte_eth_stats device;
    *stats = (struct weft_net_stats){
        .rx_packets = weft_counter_get(&queue->rx_packets),
        .rx_bytes = weft_counter_get(&queue->rx_bytes),
        .tx_packets = weft_counter_get(&queue->tx_packets),
        .tx_bytes = weft_counter_get(&queue->tx_bytes),
        .tx_full = weft_counter_get(&queue->tx_full),
        .rx_too_long = weft_counter_get(&queue->rx_too_long),
    };
    // Only the device knows what it threw away for want of a buffer or a descriptor, and only in
    // sum.
    if (queue->has_queue && queue->queue == 0 && rte_eth_stats_get(queue->device, &device) == 0)
        stats->rx_no_buffer = device.rx_nombuf + device.imissed;
}

struct weft_net weft_dpdk_net(struct weft_dpdk_queue *queue)
{
    return (struct weft_net){
        .rx_burst = rx_burst,
        .tx_burst = tx_burst,
        .alloc = alloc_packet,
        .release = release_packet,
        .doorbell_fd = doorbell_fd,
        .doorbell_clear = doorbell_clear,
        .stats = read_stats,
        .info = queue->info,
        .self = queue,
    };
}
