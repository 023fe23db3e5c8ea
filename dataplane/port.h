// port.h: one Ethernet port of the node, whatever stands behind it, with a queue pair per worker.
//
// Opening asks the device what it can do (rte_eth_dev_info_get) and takes what is there: as many
// queue pairs as there are workers, RSS with a symmetric key (both directions of a flow on one
// core), checksums and tag stripping of real cards. What is missing is told in weft_net_info, and
// the stack does it in software. Checksum offload of vhost, virtio and tap is not taken: on the
// first two it means "not computed at all", on tap it is the driver's own software.
//
// Fewer queue pairs than workers (pcap, tap, vhost and virtio_user: one; a small card: two): the
// workers beyond are guests of worker `number % queue_count`, see dpdk_net.h. Every core checks who
// owns a datagram and hands it over anyway, so such workers lack nothing but a direct way out. A
// second queue pair of a vhost link would be worse than none: nothing spreads frames over it, and a
// peer with fewer queues never looks into it.
//
// af_packet: the driver's fanout group is named by (pid ^ interface index): one network namespace
// per
//            node, or two nodes may collide. It sets PACKET_FANOUT_FLAG_DEFRAG: fragments never
//            arrive.
//
// Core: open and close on the control core, with no worker inside the port. Memory: the heap, at
// start; the pools are the caller's and outlive the port.
#ifndef WEFT_DATAPLANE_PORT_H
#define WEFT_DATAPLANE_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/drop.h"
#include "runtime/base/error.h"
#include "runtime/env/net.h"

#define WEFT_PORT_WORKERS_MAX 63

struct rte_mempool;

struct weft_netport_options {
    const char *name;                 // In the configuration: "p0".
    const char *device;               // See port_device.h.
    uint8_t index;                    // weft_packet.port of what comes from here.
    uint16_t worker_count;            // 1 .. WEFT_PORT_WORKERS_MAX.
    struct rte_mempool *const *pools; // One of each worker (weft_pool_create).
    struct weft_drops *const *drops;  // One of each worker; may be NULL.
    uint8_t mac[6];                   // Zero: the device's own.
    uint16_t mtu;                     // Bytes of an IP packet, 576 .. 1970; 0 for 1500.
    bool promiscuous;
    bool all_multicast; // Frames to every group are taken, where the device sorts them out at all.
    uint16_t descriptors; // Of each ring; 0 for 512. The device rounds it to what it can.
    // How long opening a virtio_user port waits for the first peer (later ones may come and go); 0:
    // 10 s.
    uint32_t connect_wait_ms;
    // Wakes a sleeping worker that has to send for another. May be NULL: then it may take 500 us.
    void (*wake)(void *self, uint16_t worker);
    void *wake_self;
};

struct weft_netport_link {
    bool up;
    uint32_t speed_mbps; // 0: not known, or not a wire.
};

struct weft_netport;

// Opens and starts a port. After weft_eal_start. 0, or a negative errno with `error` (W0202) and a
// hint: -EINVAL (options), -ENODEV, -ENETDOWN, -EPERM, -EADDRINUSE, -EEXIST, -ETIMEDOUT, -ENOMEM,
// -EIO.
int weft_netport_open(struct weft_netport **port, const struct weft_netport_options *options,
                      struct weft_error *error);

// Stops and closes it; its sockets are removed. NULL is allowed.
void weft_netport_close(struct weft_netport *port);

// The queue pair of `worker` (0 .. worker_count - 1). Valid until weft_netport_close.
struct weft_net weft_netport_net(struct weft_netport *port, uint16_t worker);

const struct weft_net_info *weft_netport_info(const struct weft_netport *port);

// Whether somebody is at the other end. Control core; a memory read or one ioctl.
struct weft_netport_link weft_netport_link(const struct weft_netport *port);

#endif // WEFT_DATAPLANE_PORT_H
