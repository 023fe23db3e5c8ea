// punt.h: the exception path: what comes by a port and is not ours goes to the kernel, and what the
// kernel sends goes out by that port.
//
// For a machine with one network card, which DPDK has. The kernel gets a TAP interface with the
// card's MAC address and an IP address of its own (tap.h): it is the card as the kernel would see
// it, without what is ours. Ours is what is sent to the port's own address, and ARP about it;
// broadcasts go to both. With two addresses each side answers ARP, ICMP and ports for itself, and
// neither has to know what the other has bound.
//
//              weft_stack                              kernel: DHCP, admin port, mDNS, SNTP
//                  ^ |                                       ^ |
//     rx_burst     | | tx_burst                     write(2) | | read(2)
//                  | v                                       | v
//         +--------+-+---------------- weft_punt ------------+-+---- weft_punt_poller
//                  ^ |
//                  | v
//              the card's queue pair
//
// Neither side waits: the descriptor does not block, a frame that the kernel does not take is
// dropped and counted, and one that the card does not take is, too. What floods the kernel's side
// is cut off at WEFT_PUNT_RATE_HZ, since each of its frames is a system call of this core.
//
// The calls are plain ones, not io_uring's: a TAP takes and gives a frame at once, or says EAGAIN,
// so a ring would make the same calls from the same thread and copy once more. A core that turns
// looks for the kernel's frames every WEFT_PUNT_READ_NS; one that sleeps is woken by the
// descriptor.
//
// Core: one layer per queue, used by the core that owns it; one of them reads for all. Memory: by
// value; nothing allocates, and nothing is held from turn to turn.
#ifndef WEFT_DATAPLANE_PUNT_H
#define WEFT_DATAPLANE_PUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/rate.h"
#include "runtime/base/counter.h"
#include "runtime/base/drop.h"
#include "runtime/env/net.h"
#include "runtime/sched/poller.h"

#define WEFT_PUNT_RATE_HZ 20000 // Frames to the kernel a second and core: 240 Mbit/s of long ones.
#define WEFT_PUNT_BURST   512
#define WEFT_PUNT_READ_NS (50 * WEFT_NS_PER_US)

struct weft_punt_port { // What is ours on this port.
    uint8_t mac[6];
    uint16_t vlan;    // 0: untagged.
    uint32_t address; // Host order.
    uint32_t mask;
};

enum weft_punt_way { // Where a frame goes that has come by the port.
    WEFT_PUNT_STACK,
    WEFT_PUNT_KERNEL,
    WEFT_PUNT_BOTH,
};

// Reads the Ethernet header, and as much of ARP or IPv4 as says whom it is for. A frame that is
// broken, of nobody here or of our own making goes to the stack, which drops and counts it.
enum weft_punt_way weft_punt_way(const struct weft_punt_port *port,
                                 const struct weft_packet *packet);

struct weft_punt_options {
    const struct weft_net *net; // This core's queue pair; outlives the layer.
    int fd;                     // Of the TAP, not blocking; shared by all cores, and not ours.
    bool reads;                 // This core sends what the kernel has to send; one core does.
    struct weft_punt_port port;
    const uint64_t *now_ns;   // The core's.
    struct weft_drops *drops; // The core's ledger.
};

struct weft_punt_stats {      // Frames. Any core reads.
    weft_counter entered;     // Taken from the card,
    weft_counter copied;      // of these to both sides,
    weft_counter passed;      // to the stack,
    weft_counter to_kernel;   // to the kernel,
    weft_counter lost;        // meant for the kernel: also in the ledger.
    weft_counter fetched;     // Taken from the kernel,
    weft_counter from_kernel; // to the card,
    weft_counter unsent;      // which did not take it: also in the ledger.
};

struct weft_punt {
    struct weft_net net; // The net to use instead of the inner one.
    const struct weft_net *inner;
    int fd;
    bool reads;
    struct weft_punt_port port;
    const uint64_t *now_ns;
    struct weft_drops *drops;
    struct weft_rate rate;
    uint64_t read_due_ns;
    uint32_t work; // Frames for the kernel since the last poll: the core is not idle.
    struct weft_punt_stats stats;
};

// Wraps options->net: use &punt->net.
void weft_punt_init(struct weft_punt *punt, const struct weft_punt_options *options);

// The poller to add to the core: it takes the kernel's frames, where the layer reads.
struct weft_poller weft_punt_poller(struct weft_punt *punt);

// In minus out, both ways: 0 (DESIGN, rule 4). Own core, or while it rests.
int64_t weft_punt_gap(const struct weft_punt *punt);

#endif // WEFT_DATAPLANE_PUNT_H
