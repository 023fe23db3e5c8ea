#include "dataplane/port.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_ring.h>

#include "dataplane/doorbell.h"
#include "dataplane/dpdk_net.h"
#include "dataplane/eal.h"
#include "dataplane/port_device.h"
#include "dataplane/port_ring.h"
#include "dataplane/port_wait.h"
#include "runtime/base/assert.h"

#define MTU_DEFAULT             1500
#define MTU_MIN                 576
#define MTU_MAX                 1970 // What a 2048-byte slot of af_packet carries.
#define CONNECT_WAIT_MS_DEFAULT 10000
#define DESCRIPTORS_DEFAULT     512
#define FRAME_OVERHEAD          (RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN)
#define RSS_FUNCTIONS           (RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_UDP)

struct weft_netport {
    struct weft_device device;
    struct weft_net_info info;
    struct weft_netport_options
        options; // Its pointers are not kept beyond weft_netport_open, but wake.
    struct rte_eth_dev_info device_info;
    uint16_t number; // DPDK's.
    bool made;       // We made the ethdev (a vdev, a ring); else it was probed (PCI).
    char vdev[RTE_ETH_NAME_MAX_LEN]; // Name of the vdev; empty for PCI.
    uint16_t queue_count;
    struct weft_dpdk_queue *queues; // worker_count of them.
};

static int fail(struct weft_netport *port, struct weft_error *error, int result, const char *what)
{
    weft_error_set(error, 202, "port %s (%s): %s: %s", port->info.name, port->info.device, what,
                   strerror(result < 0 ? -result : result));
    if (port->device.kind == WEFT_DEVICE_AF_XDP)
        weft_error_hint(error, "AF_XDP needs root, and an interface with a queue for each worker");
    if (port->device.kind == WEFT_DEVICE_TAP)
        weft_error_hint(error,
                        "making an interface needs CAP_NET_ADMIN: root, or an own namespace");
    // What DPDK said last is the reason; the log has not begun yet, and would lose it.
    char line[WEFT_EAL_LINE_MAX] = "";
    while (weft_eal_take_line(line)) {
    }
    if (error->hint[0] == '\0' && line[0] != '\0') weft_error_hint(error, "DPDK says: %s", line);
    return result < 0 ? result : -result;
}

// --- The device itself.

static int find_pci(struct weft_netport *port, struct weft_error *error)
{
    if (rte_eth_dev_get_port_by_name(port->device.target, &port->number) == 0) return 0;
    fail(port, error, ENODEV, "no DPDK driver has taken the card");
    weft_error_hint(
        error, "%s",
        weft_device_stays_with_kernel("/sys", port->device.target)
            ? "is mlx5_ib there too, and may this user open /dev/infiniband?"
            : "is it bound to vfio-pci, and may this user open its group in /dev/vfio?");
    return -ENODEV;
}

static int probe_vdev(struct weft_netport *port, const char *arguments, struct weft_error *error)
{
    struct weft_port_wait wait;
    const uint32_t limit_ms = port->options.connect_wait_ms;
    if (port->device.kind != WEFT_DEVICE_VIRTIO_USER) return rte_vdev_init(port->vdev, arguments);

    int result = weft_port_wait_start(&wait, port->device.target,
                                      limit_ms > 0 ? limit_ms : CONNECT_WAIT_MS_DEFAULT);
    if (result != 0) return result;
    result = rte_vdev_init(port->vdev, arguments);
    if (!weft_port_wait_stop(&wait) || result == 0) return result;
    unlink(port->device.target);
    fail(port, error, ETIMEDOUT, "nobody has connected to the socket");
    weft_error_hint(error, "start the other end: weft-switch, or a node with vhost:SOCKET");
    return -ETIMEDOUT;
}

// virtio_user would else draw an address by lot, and complain of having to.
static void append_mac(const struct weft_netport *port, char *arguments, size_t size)
{
    const uint8_t *mac = port->options.mac;
    const size_t used = strlen(arguments);
    static const uint8_t none[6];
    if (port->device.kind != WEFT_DEVICE_VIRTIO_USER || memcmp(mac, none, sizeof(none)) == 0)
        return;
    snprintf(arguments + used, size - used, ",mac=%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
             mac[2], mac[3], mac[4], mac[5]);
}

static int make_vdev(struct weft_netport *port, uint16_t queue_count, struct weft_error *error)
{
    static atomic_uint made; // Names of vdevs are unique in a process.
    char arguments[300];
    int result =
        weft_device_arguments(&port->device, atomic_fetch_add(&made, 1), queue_count, port->vdev,
                              sizeof(port->vdev), arguments, sizeof(arguments));
    if (result == 0) append_mac(port, arguments, sizeof(arguments));
    if (result == 0) result = probe_vdev(port, arguments, error);
    if (result == -ETIMEDOUT) return result;
    if (result == 0) result = rte_eth_dev_get_port_by_name(port->vdev, &port->number);
    if (result == 0) {
        port->made = true;
        return 0;
    }
    return fail(port, error, result, "the driver refused");
}

static int make_ring(struct weft_netport *port, uint16_t queue_count, struct weft_error *error)
{
    const int number = weft_port_ring_create(&port->device, queue_count);
    if (number < 0) return fail(port, error, number, "the ring could not be made");
    port->number = (uint16_t)number;
    port->made = true;
    if (rte_eth_dev_get_name_by_port(port->number, port->vdev) != 0) port->vdev[0] = '\0';
    return 0;
}

static int make_device(struct weft_netport *port, struct weft_error *error)
{
    const struct weft_device_kind_info *kind = weft_device_kind_info(port->device.kind);
    const uint16_t wanted = port->options.worker_count;
    const uint16_t queue_count = wanted < kind->queue_max ? wanted : kind->queue_max;

    int result = weft_device_check(&port->device, error);
    if (result != 0) return result;
    port->queue_count = queue_count;
    switch (port->device.kind) {
    case WEFT_DEVICE_PCI: result = find_pci(port, error); break;
    case WEFT_DEVICE_RING: result = make_ring(port, queue_count, error); break;
    default: result = make_vdev(port, queue_count, error); break;
    }
    if (result != 0) return result;

    result = rte_eth_dev_info_get(port->number, &port->device_info);
    if (result != 0) return fail(port, error, result, "no information");
    if (port->queue_count > port->device_info.max_rx_queues)
        port->queue_count = port->device_info.max_rx_queues;
    if (port->queue_count > port->device_info.max_tx_queues)
        port->queue_count = port->device_info.max_tx_queues;
    if (port->queue_count == 0) return fail(port, error, ENODEV, "it has no queues");
    return 0;
}

static void destroy_device(struct weft_netport *port)
{
    if (!port->made) {
        if (port->device.kind == WEFT_DEVICE_PCI && port->queue_count > 0)
            rte_eth_dev_close(port->number);
        return;
    }
    rte_eth_dev_close(port->number);
    if (port->vdev[0] != '\0') rte_vdev_uninit(port->vdev);
    if (port->device.kind == WEFT_DEVICE_RING)
        weft_port_ring_release(&port->device, port->queue_count);
    if (port->device.kind == WEFT_DEVICE_VIRTIO_USER) unlink(port->device.target);
}

// --- What it can do, and what we take of it.

static bool is_card(const struct weft_netport *port)
{
    return port->device.kind == WEFT_DEVICE_PCI;
}

static void choose_offloads(struct weft_netport *port, struct rte_eth_conf *conf)
{
    const struct rte_eth_dev_info *can = &port->device_info;
    const uint64_t rx_sums = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
    const uint64_t tx_sums = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM;

    conf->rxmode.offloads |= can->rx_offload_capa & RTE_ETH_RX_OFFLOAD_VLAN_STRIP;
    if (!is_card(port)) return;
    conf->rxmode.offloads |= can->rx_offload_capa & rx_sums;
    conf->txmode.offloads |= can->tx_offload_capa & tx_sums;
    port->info.rx_checksum = (conf->rxmode.offloads & rx_sums) == rx_sums;
    port->info.tx_ip4_checksum = (conf->txmode.offloads & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM) != 0;
    port->info.tx_udp_checksum = (conf->txmode.offloads & tx_sums) == tx_sums;
}

// Woo and Park (2012): with this key the hash of (a, b) is the hash of (b, a).
static uint8_t rss_key[52];

static void choose_rss(struct weft_netport *port, struct rte_eth_conf *conf)
{
    const struct rte_eth_dev_info *can = &port->device_info;
    if (!is_card(port) || port->queue_count < 2 || can->hash_key_size > sizeof(rss_key)) return;
    if ((can->flow_type_rss_offloads & RSS_FUNCTIONS) == 0) return;
    for (size_t i = 0; i < sizeof(rss_key); i++)
        rss_key[i] = i % 2 == 0 ? 0x6d : 0x5a;
    conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    // With it alone: rte_eth_dev_configure refuses the hash of a card that need not spread.
    conf->rxmode.offloads |= can->rx_offload_capa & RTE_ETH_RX_OFFLOAD_RSS_HASH;
    conf->rx_adv_conf.rss_conf.rss_key = can->hash_key_size > 0 ? rss_key : NULL;
    conf->rx_adv_conf.rss_conf.rss_key_len = can->hash_key_size;
    conf->rx_adv_conf.rss_conf.rss_hf = can->flow_type_rss_offloads & RSS_FUNCTIONS;
    port->info.has_rss = true;
}

// Spreads the hash over the queues evenly; drivers do so by default, but not all of them.
static void fill_redirection_table(struct weft_netport *port)
{
    struct rte_eth_rss_reta_entry64 table[8] = {0};
    const uint16_t size = port->device_info.reta_size;
    if (!port->info.has_rss || size == 0 || size > 64 * 8) return;
    for (uint16_t i = 0; i < size; i++) {
        table[i / 64].mask |= UINT64_C(1) << (i % 64);
        table[i / 64].reta[i % 64] = i % port->queue_count;
    }
    rte_eth_dev_rss_reta_update(port->number, table, size);
}

static int set_up_queues(struct weft_netport *port, struct weft_error *error)
{
    uint16_t rx = port->options.descriptors > 0 ? port->options.descriptors : DESCRIPTORS_DEFAULT;
    uint16_t tx = rx;
    const int socket = rte_eth_dev_socket_id(port->number);
    int result = rte_eth_dev_adjust_nb_rx_tx_desc(port->number, &rx, &tx);
    if (result != 0) return fail(port, error, result, "ring sizes");
    for (uint16_t i = 0; i < port->queue_count; i++) {
        result = rte_eth_rx_queue_setup(port->number, i, rx, (unsigned)socket, NULL,
                                        port->options.pools[i]);
        if (result != 0) return fail(port, error, result, "receive queue");
        result = rte_eth_tx_queue_setup(port->number, i, tx, (unsigned)socket, NULL);
        if (result != 0) return fail(port, error, result, "send queue");
    }
    return 0;
}

static int set_addresses(struct weft_netport *port, struct weft_error *error)
{
    struct rte_ether_addr mac;
    memcpy(mac.addr_bytes, port->options.mac, sizeof(mac.addr_bytes));
    if (!rte_is_zero_ether_addr(&mac)) {
        const int result = rte_eth_dev_default_mac_addr_set(port->number, &mac);
        // Without hardware behind it, an address is what the stack says it is.
        if (result != 0 && (result != -ENOTSUP || is_card(port)))
            return fail(port, error, result, "the MAC address cannot be set");
        if (result == -ENOTSUP) {
            memcpy(port->info.mac, mac.addr_bytes, sizeof(port->info.mac));
            return 0;
        }
    }
    const int result = rte_eth_macaddr_get(port->number, &mac);
    if (result != 0) return fail(port, error, result, "no MAC address");
    memcpy(port->info.mac, mac.addr_bytes, sizeof(port->info.mac));
    return 0;
}

static int set_mtu(struct weft_netport *port, struct weft_error *error)
{
    uint16_t mtu = 0;
    const int result = rte_eth_dev_set_mtu(port->number, port->info.mtu);
    if (result == 0 || result == -ENOTSUP) return 0; // Rings and the like take any length.
    if (rte_eth_dev_get_mtu(port->number, &mtu) == 0 && mtu == port->info.mtu) return 0;
    return fail(port, error, result, "the MTU cannot be set");
}

static int configure(struct weft_netport *port, struct weft_error *error)
{
    struct rte_eth_conf conf = {0};
    if (is_card(port)) conf.rxmode.mtu = port->info.mtu;
    conf.intr_conf.lsc = (*port->device_info.dev_flags & RTE_ETH_DEV_INTR_LSC) != 0;
    choose_offloads(port, &conf);
    choose_rss(port, &conf);
    int result = rte_eth_dev_configure(port->number, port->queue_count, port->queue_count, &conf);
    if (result != 0) return fail(port, error, result, "it cannot be configured");
    result = set_up_queues(port, error);
    if (result == 0) result = set_mtu(port, error);
    if (result == 0) result = set_addresses(port, error);
    if (result != 0) return result;
    result = rte_eth_dev_start(port->number);
    if (result != 0) return fail(port, error, result, "it does not start");
    if (port->options.promiscuous) rte_eth_promiscuous_enable(port->number);
    if (port->options.all_multicast) rte_eth_allmulticast_enable(port->number);
    fill_redirection_table(port);
    return 0;
}

// --- The workers' ends.

static int make_guest(struct weft_netport *port, uint16_t worker)
{
    struct weft_dpdk_queue *guest = &port->queues[worker];
    struct weft_dpdk_queue *owner = &port->queues[worker % port->queue_count];
    char name[RTE_RING_NAMESIZE];

    snprintf(name, sizeof(name), "weft_guest%u.%u", port->number, worker);
    struct rte_ring *ring = rte_ring_create(name, WEFT_DPDK_GUEST_RING, (int)rte_socket_id(),
                                            RING_F_SP_ENQ | RING_F_SC_DEQ);
    if (ring == NULL) return -ENOMEM;
    guest->guest_ring = ring;
    guest->owner = worker % port->queue_count;
    owner->guests[owner->guest_count++] = ring;
    return 0;
}

static int make_queues(struct weft_netport *port, struct weft_error *error)
{
    const struct weft_netport_options *options = &port->options;
    const size_t size = options->worker_count * sizeof(*port->queues);
    port->queues = aligned_alloc(WEFT_CORE_ALIGN, size);
    if (port->queues == NULL) return fail(port, error, ENOMEM, "queues");
    memset(port->queues, 0, size);
    for (uint16_t i = 0; i < options->worker_count; i++) {
        struct weft_dpdk_queue *queue = &port->queues[i];
        queue->device = port->number;
        queue->queue = i;
        queue->port = options->index;
        queue->has_queue = i < port->queue_count;
        queue->tx_checksum = port->info.tx_ip4_checksum;
        queue->doorbell_fd = -1;
        queue->frame_bytes_max = port->info.mtu + FRAME_OVERHEAD;
        queue->pool = options->pools[i];
        queue->drops = options->drops != NULL ? options->drops[i] : NULL;
        queue->info = &port->info;
        queue->wake = options->wake;
        queue->wake_self = options->wake_self;
    }
    for (uint16_t i = port->queue_count; i < options->worker_count; i++) {
        if (make_guest(port, i) != 0) return fail(port, error, ENOMEM, "ring to another worker");
    }
    return 0;
}

// A port without one works, with up to 500 us of delay when idle: weft_net_info says which it is.
static void open_doorbells(struct weft_netport *port)
{
    port->info.has_doorbell = weft_device_kind_info(port->device.kind)->has_doorbell;
    for (uint16_t i = 0; port->info.has_doorbell && i < port->queue_count; i++) {
        const int fd = weft_doorbell_open(port->device.target);
        if (fd < 0)
            port->info.has_doorbell = false;
        else
            port->queues[i].doorbell_fd = fd;
    }
}

static void free_queues(struct weft_netport *port)
{
    for (uint16_t i = 0; port->queues != NULL && i < port->options.worker_count; i++) {
        struct weft_dpdk_queue *queue = &port->queues[i];
        void *mbuf;
        if (queue->doorbell_fd >= 0) close(queue->doorbell_fd);
        if (queue->guest_ring == NULL) continue;
        while (rte_ring_sc_dequeue(queue->guest_ring, &mbuf) == 0)
            rte_pktmbuf_free(mbuf);
        rte_ring_free(queue->guest_ring);
    }
    free(port->queues);
}

// --- All of it.

static int check_options(const struct weft_netport_options *options, struct weft_error *error)
{
    if (options->worker_count == 0 || options->worker_count > WEFT_PORT_WORKERS_MAX) {
        weft_error_set(error, 202, "port %s: %u workers, not 1 to %d", options->name,
                       options->worker_count, WEFT_PORT_WORKERS_MAX);
        return -EINVAL;
    }
    if (options->mtu != 0 && (options->mtu < MTU_MIN || options->mtu > MTU_MAX)) {
        weft_error_set(error, 202, "port %s: an MTU of %u, not %d to %d", options->name,
                       options->mtu, MTU_MIN, MTU_MAX);
        return -EINVAL;
    }
    if (options->mac[0] & 1) {
        weft_error_set(error, 202, "port %s: the MAC address is a group address", options->name);
        return -EINVAL;
    }
    return 0;
}

static void describe(struct weft_netport *port)
{
    snprintf(port->info.name, sizeof(port->info.name), "%s", port->options.name);
    snprintf(port->info.device, sizeof(port->info.device), "%s", port->options.device);
    port->info.mtu = port->options.mtu > 0 ? port->options.mtu : MTU_DEFAULT;
    port->info.bypass = weft_device_kind_info(port->device.kind)->bypass;
}

int weft_netport_open(struct weft_netport **out, const struct weft_netport_options *options,
                      struct weft_error *error)
{
    *out = NULL;
    int result = check_options(options, error);
    if (result != 0) return result;
    struct weft_netport *port = calloc(1, sizeof(*port));
    if (port == NULL) return -ENOMEM;
    port->options = *options;
    result = weft_device_parse(&port->device, options->device, error);
    if (result != 0) goto free_port;
    describe(port);
    result = make_device(port, error);
    if (result != 0) goto free_device;
    port->info.queue_count = port->queue_count;
    snprintf(port->info.driver, sizeof(port->info.driver), "%s", port->device_info.driver_name);
    result = configure(port, error);
    if (result != 0) goto free_device;
    result = make_queues(port, error);
    if (result != 0) goto free_ends;
    open_doorbells(port);
    *out = port;
    return 0;

free_ends:
    rte_eth_dev_stop(port->number);
    free_queues(port);
free_device:
    destroy_device(port);
free_port:
    free(port);
    return result;
}

void weft_netport_close(struct weft_netport *port)
{
    if (port == NULL) return;
    rte_eth_dev_stop(port->number);
    free_queues(port);
    destroy_device(port);
    free(port);
}

struct weft_net weft_netport_net(struct weft_netport *port, uint16_t worker)
{
    weft_assert(worker < port->options.worker_count);
    return weft_dpdk_net(&port->queues[worker]);
}

const struct weft_net_info *weft_netport_info(const struct weft_netport *port)
{
    return &port->info;
}

struct weft_netport_link weft_netport_link(const struct weft_netport *port)
{
    struct rte_eth_link link = {0};
    if (rte_eth_link_get_nowait(port->number, &link) != 0)
        return (struct weft_netport_link){false, 0};
    const bool wire = is_card(port) && link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN;
    return (struct weft_netport_link){link.link_status == RTE_ETH_LINK_UP,
                                      wire ? link.link_speed : 0};
}
