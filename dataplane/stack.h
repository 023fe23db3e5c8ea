// stack.h: Ethernet, ARP, IPv4, ICMP and UDP of one core: frames in, datagrams out, and back.
//
// One `struct weft_stack` per worker core, sharing nothing with the others but `struct
// weft_udp_owners`. It reads no clock, holds no global and allocates nothing: frames come through
// `struct weft_net`, time through the arguments, other cores through the rings of `struct
// weft_core`. A simulator runs as many as it likes in one thread.
//
// Every frame has one end, and the sum is checked (DESIGN, rule 4; weft_stack_balance):
//   received + handed in + originated
//       = ARP + echo + ICMP errors + UDP + handed out + transmitted + dropped + held.
//
// Life of a frame: weft_stack_poll -> ether.c -> arp.c | ipv4.c -> icmp.c | udp.c | forward.c; and
// back: udp.c | icmp.c -> ipv4.c (route) -> arp.c (next hop) -> ether.c -> transmit queue ->
// weft_stack_flush.
#ifndef WEFT_DATAPLANE_STACK_H
#define WEFT_DATAPLANE_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/arp_table.h"
#include "dataplane/rate.h"
#include "dataplane/steer.h"
#include "dataplane/udp.h"
#include "runtime/base/counter.h"
#include "runtime/base/drop.h"
#include "runtime/env/net.h"
#include "runtime/sched/core.h"

#define WEFT_STACK_PORTS_MAX 8
#define WEFT_STACK_TX_SLOTS  128 // Frames that wait for the end of the turn, per port.
#define WEFT_STACK_RX_BUDGET 128 // Frames taken from one port in one turn, unless told otherwise.
#define WEFT_STACK_STUCK_NS                                                                        \
    (100 * WEFT_NS_PER_MS) // A device that takes nothing for so long is dead.
#define WEFT_STACK_RETRY_NS                                                                        \
    (1 * WEFT_NS_PER_MS) // Until then it is tried so often, if all else sleeps.

struct weft_capture;

struct weft_stack_options {
    struct weft_udp_owners *owners; // Shared by all stacks of the node; outlives them.
    uint64_t core_mask;             // Bit n: core n has a stack too. 0: only this one.
    bool announces;                 // This core announces the node's addresses; one core does.
    bool forwards;                  // Routes IPv4 between ports. Off: a host (RFC 1122).
    uint32_t rx_budget;             // Frames per port and turn; 0: WEFT_STACK_RX_BUDGET.
    uint32_t icmp_rate_hz;          // Answers and errors a second; 0: 1 000.
    uint32_t arp_rate_hz;           // ARP frames for us a second, and requests by us; 0: 1 000.
    struct weft_capture *capture;   // This core's ring (capture.h), or NULL.
    // An ICMP unreachable about a datagram that this node sent: `code` as in RFC 792, `mtu` for
    // code 4 (RFC 1191), else 0. Called on the core that received it. May be NULL.
    void (*unreachable)(void *self, const struct weft_udp_flow *flow, uint8_t code, uint16_t mtu);
    void *self;
};

struct weft_stack_port_options {
    const struct weft_net *net; // This core's queue pair; outlives the stack.
    uint32_t address;           // Host order.
    uint8_t prefix_bits;        // 1 to 31.
    uint32_t gateway;           // On the same network; 0: none.
    uint8_t mac[6];             // All zero: that of net->info.
    uint16_t mtu;               // 0: that of net->info.
    uint16_t vlan;              // 802.1Q identifier, 1 to 4094; 0: untagged.
    bool tx_offload; // The net honours WEFT_PACKET_TX_* flags for what its info promises.
    // When the net itself wants to be polled (fault.h); UINT64_MAX for never. May be NULL.
    uint64_t (*due_ns)(void *self);
    void *self;
};

struct weft_stack_port {
    const struct weft_net *net; // The first line is all that the receive path reads.
    uint32_t address;
    uint32_t mask;
    uint32_t gateway;
    uint16_t mtu;
    uint16_t vlan;
    uint8_t mac[6];
    uint8_t index;
    bool tx_ip4_checksum;
    bool tx_udp_checksum;
    uint16_t tx_count;
    uint16_t tx_captured; // The first so many of `tx` are in the capture already.
    uint64_t stuck_ns;    // Since when the device has taken nothing; 0: it takes.
    uint64_t (*due_ns)(void *self);
    void *self;
    weft_counter rx_frames, rx_bytes, tx_frames,
        tx_bytes;             // Of this core on this port; any core reads.
    uint64_t announce_due_ns; // Next gratuitous ARP; UINT64_MAX for never.
    uint64_t defend_due_ns;   // RFC 5227, 2.4: no second defence before.
    uint32_t announce_count;
    struct weft_packet *tx[WEFT_STACK_TX_SLOTS];
};

struct weft_stack_stats {     // Each frame's end, except the drops, which are in the core's ledger.
    weft_counter received;    // From a net.
    weft_counter handed_in;   // From another core.
    weft_counter originated;  // Made here: datagrams, ARP, ICMP; also those that failed at once.
    weft_counter arp;         // ARP packets that were understood.
    weft_counter echo;        // Echo requests answered.
    weft_counter icmp_error;  // ICMP unreachables about datagrams of ours.
    weft_counter udp;         // Datagrams given to a handler.
    weft_counter handed_out;  // To the owner core.
    weft_counter transmitted; // Taken by a net.
    weft_counter no_buffer;   // Also PORT_NO_BUFFER in the ledger: those of this stack alone.
    weft_counter tx_full;     // Also PORT_TX_FULL.
    weft_counter forwarded;   // Routed from port to port; each of them ends as another count too.
    weft_counter arp_conflict; // Somebody else claims our address (RFC 5227).
    weft_counter icmp_silent;  // ICMP errors not sent because of the rate limit.
};

struct weft_stack {
    uint64_t now_ns; // As of the last poll or flush.
    struct weft_core *core;
    struct weft_udp_owners *owners;
    struct weft_capture *capture;
    struct weft_packet
        *lent; // The packet a UDP handler has at hand; NULL once it was answered with.
    const uint8_t *lent_ether; // Its Ethernet header; NULL if another core owns the buffer.
    uint32_t rx_budget;
    uint16_t ip4_id;
    uint8_t port_count;
    bool announces;
    bool forwards;
    uint64_t core_mask;
    void (*unreachable)(void *self, const struct weft_udp_flow *flow, uint8_t code, uint16_t mtu);
    void *self;
    struct weft_rate icmp_rate;
    struct weft_rate arp_in_rate;
    struct weft_rate arp_out_rate;
    struct weft_packet *homesick; // Packets whose way home was full; tried again in each flush.
    uint32_t homesick_count;
    struct weft_stack_stats stats;
    struct weft_stack_port ports[WEFT_STACK_PORTS_MAX];
    struct weft_udp_binds binds;
    struct weft_arp_table arp;
};

// Prepares `stack` in the caller's memory and takes the core's PACKET, PACKET_HOME and NEIGHBOUR
// messages. `core` and what `options` points to outlive it. Before the first turn of the core.
void weft_stack_init(struct weft_stack *stack, const struct weft_stack_options *options,
                     struct weft_core *core);

// Adds a port; its index is the order of adding, which must be the same on all cores of a node.
// Before the first turn. 0; -ENOSPC; -EINVAL for addresses or sizes that contradict each other.
int weft_stack_add_port(struct weft_stack *stack, const struct weft_stack_port_options *options);

// Observe: takes frames from each port within the budget, and does what ARP is due to do. Returns
// how many frames came. `now_ns` never decreases. Own core.
uint32_t weft_stack_poll(struct weft_stack *stack, uint64_t now_ns);

// Act: hands transmit queues to the nets, and packets to their home cores. What a net does not take
// goes first next time; if it takes nothing for WEFT_STACK_STUCK_NS, the queue is dropped: it would
// be old news.
void weft_stack_flush(struct weft_stack *stack, uint64_t now_ns);

// When it wants to be polled by itself; UINT64_MAX for never.
uint64_t weft_stack_due_ns(const struct weft_stack *stack);

// Drops what waits in transmit and ARP queues, so that every buffer is in its pool. Own core, at
// the end.
void weft_stack_drain(struct weft_stack *stack);

// The poller to add to the core, after the last port: poll, flush, due_ns, and port 0's doorbell.
struct weft_poller weft_stack_poller(struct weft_stack *stack);

// A poller that is only the doorbell of another port: one more to add for each port but the first.
struct weft_poller weft_stack_doorbell(struct weft_stack *stack, uint8_t port);

struct weft_stack_balance {
    uint64_t received, handed_in, originated;                                    // In.
    uint64_t arp, echo, icmp_error, udp, handed_out, transmitted, dropped, held; // Out.
};

// Adds this core's sums to `balance`, zeroed by the caller before the first of a node's cores.
// Exact on the own core, or while it rests; otherwise each figure is at most a turn old.
void weft_stack_balance_add(const struct weft_stack *stack, struct weft_stack_balance *balance);

// In minus out: 0 for one stack, or for all stacks of a node together when nothing is between
// cores; what is in the rings between cores is handed_out - handed_in.
int64_t weft_stack_balance_gap(const struct weft_stack_balance *balance);

#endif // WEFT_DATAPLANE_STACK_H
