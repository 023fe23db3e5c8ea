// net.h: frames in and out of one queue pair of one port, as an interface.
//
// dataplane/dpdk_net.c implements it over an ethdev queue, tests/sim over a seeded wire. Cost is
// paid per burst, so the indirect call is cheap. One queue is used by one core only.
#ifndef WEFT_ENV_NET_H
#define WEFT_ENV_NET_H

#include <stdbool.h>
#include <stdint.h>

#define WEFT_NET_BURST       32
#define WEFT_PACKET_HEADROOM 128  // Bytes free in front of `data` of a packet just allocated.
#define WEFT_PACKET_DATA_MAX 2048 // Bytes from data - headroom to the end of the buffer, at least.

enum {                                // weft_packet.flags
    WEFT_PACKET_IP4_CHECKED = 1 << 0, // The device has verified the IPv4 header checksum: good.
    WEFT_PACKET_L4_CHECKED = 1 << 1,  // The device has verified the UDP/ICMP checksum: good.
    WEFT_PACKET_VLAN = 1 << 2,        // The device has stripped a tag: it is in `vlan`.
    WEFT_PACKET_TX_IP4_CHECKSUM =
        1 << 3, // To send: the device fills it in. Only if info says it can.
    WEFT_PACKET_TX_UDP_CHECKSUM = 1
                                  << 4, // To send, of UDP over IPv4; wants TX_IP4_CHECKSUM as well.
};

// One frame in one contiguous buffer. It belongs to whoever holds the pointer; the buffer belongs
// to the pool of core `home`: only that core's queue may release it. Another core sends it home by
// ring.
struct weft_packet {
    struct weft_packet *next; // For whoever holds it: a queue, a free list.
    uint8_t *data;            // First byte of the frame.
    uint16_t length;          // Bytes of the frame.
    uint16_t headroom;        // Bytes free in front of data.
    uint16_t tailroom;        // Bytes free behind data + length.
    uint8_t port;             // Index of the port it came from or goes to.
    uint8_t home;             // Index of the core whose pool owns the buffer.
    uint16_t flags;
    uint16_t vlan; // Tag control information, with WEFT_PACKET_VLAN.
    uint32_t hash; // The device's flow hash, 0 if it has none.
};

enum weft_bypass {       // How much of the kernel a frame skips (`weft port show`).
    WEFT_BYPASS_FULL,    // No system call per packet: PCI device, vhost, ring, null.
    WEFT_BYPASS_PARTIAL, // The kernel's driver moves frames: AF_XDP.
    WEFT_BYPASS_NONE, // One system call per burst through the kernel's stack edge: AF_PACKET, TAP.
};

struct weft_net_info {
    char name[16];   // The name in the configuration: "p0".
    char device[64]; // What it is: "net_af_packet0,iface=n1", "0000:00:02.0".
    char driver[32];
    uint8_t mac[6];
    uint16_t mtu; // Bytes of an IP packet.
    uint16_t queue_count;
    bool tx_ip4_checksum; // The device fills them in when asked; else the stack does.
    bool tx_udp_checksum;
    bool rx_checksum;
    bool has_rss;
    bool has_doorbell; // False: an idle core may see a packet up to 500 us late.
    enum weft_bypass bypass;
};

struct weft_net_stats { // Of one queue. Read by any core, at most one turn old.
    uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
    uint64_t rx_no_buffer, tx_full, rx_too_long; // Also in the drop ledger, where the core knows.
};

struct weft_net { // One queue pair.
    // Up to `limit` frames that have come; the caller owns them. Returns how many.
    uint32_t (*rx_burst)(void *self, struct weft_packet **packets, uint32_t limit);
    // Takes the first n of `count` frames and returns n; the caller still owns the others.
    uint32_t (*tx_burst)(void *self, struct weft_packet **packets, uint32_t count);
    // An empty packet with WEFT_PACKET_HEADROOM, length 0; NULL if the pool is empty.
    struct weft_packet *(*alloc)(void *self);
    // Gives back a packet whose `home` is this core.
    void (*release)(void *self, struct weft_packet *packet);
    // A descriptor that becomes readable when a frame may have come, or -1.
    int (*doorbell_fd)(void *self);
    // Reads the doorbell empty, called when the core wakes. May be NULL.
    void (*doorbell_clear)(void *self);
    void (*stats)(void *self, struct weft_net_stats *stats); // Any core.
    const struct weft_net_info *info;
    void *self;
};

#endif // WEFT_ENV_NET_H
