// drop.h: the drop ledger. Every packet, datagram and message that does not arrive has exactly one
// reason and one counter here (DESIGN, rule 4): received = delivered + sum of drops, and a test
// adds it up.
//
// One table: `weft drops`, /metrics and docs/ are printed from it. Add a reason at the end of its
// stage.
#ifndef WEFT_BASE_DROP_H
#define WEFT_BASE_DROP_H

#include <stdatomic.h>
#include <stdint.h>

#include "runtime/base/units.h"

// X(NAME, "stage", "reason", "what happened and what to do")
#define WEFT_DROP_TABLE(X)                                                                         \
    X(PORT_NO_BUFFER, "port", "no_buffer", "the packet pool was empty: raise memory.mbufs")        \
    X(PORT_TX_FULL, "port", "tx_full", "the device took no more packets in this turn")             \
    X(PORT_TOO_LONG, "port", "too_long", "a frame longer than the MTU or in several segments")     \
    X(FAULT_LOSS, "fault", "loss", "the lab's fault layer lost it on purpose")                     \
    X(FAULT_PARTITION, "fault", "partition", "the lab's fault layer has cut this link")            \
    X(FAULT_QUEUE_FULL, "fault", "queue_full", "the fault layer's delay line was full")            \
    X(KERNEL_RATE, "kernel", "rate",                                                               \
      "more frames for the kernel's side of a port than it may have")                              \
    X(KERNEL_REFUSED, "kernel", "refused",                                                         \
      "the kernel's side of a port is down and takes nothing")                                     \
    X(KERNEL_TX_FULL, "kernel", "tx_full", "the device took no more of the kernel's frames")       \
    X(ETH_SHORT, "eth", "short", "a frame shorter than its header")                                \
    X(ETH_NOT_OURS, "eth", "not_ours", "a unicast frame for another MAC address")                  \
    X(ETH_VLAN, "eth", "vlan", "tagged for a VLAN that this port is not on, or not tagged")        \
    X(ETH_TYPE, "eth", "type", "an EtherType that Weft does not speak")                            \
    X(ETH_SOURCE, "eth", "source", "a source address that is multicast or our own")                \
    X(ARP_MALFORMED, "arp", "malformed", "an ARP packet that is short or not IPv4 over Ethernet")  \
    X(ARP_NOT_FOR_US, "arp", "not_for_us", "an ARP packet about addresses that are not ours")      \
    X(ARP_RATE, "arp", "rate", "more ARP from the network than the limit allows")                  \
    X(ARP_UNRESOLVED, "arp", "unresolved", "nobody answered for the next hop's address")           \
    X(ARP_QUEUE_FULL, "arp", "queue_full", "too many packets wait for the same ARP answer")        \
    X(IP4_SHORT, "ip4", "short", "an IPv4 packet shorter than its header says")                    \
    X(IP4_VERSION, "ip4", "version", "a version that is not 4, or a header length below 20")       \
    X(IP4_CHECKSUM, "ip4", "checksum", "the IPv4 header checksum is wrong")                        \
    X(IP4_FRAGMENT, "ip4", "fragment", "a fragment: Weft does not reassemble; lower the MTU")      \
    X(IP4_TTL, "ip4", "ttl", "the time to live was zero on arrival")                               \
    X(IP4_OPTIONS, "ip4", "options", "IPv4 options, which Weft does not accept")                   \
    X(IP4_SOURCE, "ip4", "source", "a source address no host may send from")                       \
    X(IP4_NOT_OURS, "ip4", "not_ours", "a destination that is none of our addresses")              \
    X(IP4_PROTOCOL, "ip4", "protocol", "a protocol that is neither ICMP nor UDP")                  \
    X(IP4_NO_ROUTE, "ip4", "no_route", "neither on our network nor a gateway set")                 \
    X(IP4_TOO_LONG, "ip4", "too_long", "longer than the port's MTU")                               \
    X(IP6_ABSENT, "ip6", "absent", "IPv6, which this release does not speak")                      \
    X(ICMP_MALFORMED, "icmp", "malformed", "an ICMP message shorter than its header")              \
    X(ICMP_CHECKSUM, "icmp", "checksum", "the ICMP checksum is wrong")                             \
    X(ICMP_TYPE, "icmp", "type", "an ICMP type that needs no answer")                              \
    X(ICMP_RATE, "icmp", "rate", "more ICMP than the rate limit answers")                          \
    X(UDP_SHORT, "udp", "short", "a UDP datagram shorter than its header says")                    \
    X(UDP_CHECKSUM, "udp", "checksum", "the UDP checksum is wrong")                                \
    X(UDP_NO_PORT, "udp", "no_port", "nobody has bound that UDP port here")                        \
    X(UDP_HANDOVER_FULL, "udp", "handover_full", "the ring to the owner core was full")            \
    X(MESH_SHORT, "mesh", "short", "a mesh datagram shorter than its header")                      \
    X(MESH_VERSION, "mesh", "version", "a mesh version that this node does not speak")             \
    X(MESH_EPOCH, "mesh", "epoch", "sealed under a key epoch that is not known")                   \
    X(MESH_KEY, "mesh", "key", "did not open: another cluster's key, or tampered with")            \
    X(MESH_REPLAY, "mesh", "replay", "seen before, or older than the replay window")               \
    X(MESH_SALT, "mesh", "salt", "a new boot salt that has not answered a challenge")              \
    X(MESH_SIGNATURE, "mesh", "signature", "a self-claim whose signature is wrong")                \
    X(MESH_MALFORMED, "mesh", "malformed", "opened, but its content does not parse")               \
    X(MESH_OWN, "mesh", "own", "our own datagram, come back to us")                                \
    X(MESH_TABLE_FULL, "mesh", "table_full", "no room for another peer")                           \
    X(MESH_NOT_OURS, "mesh", "not_ours",                                                           \
      "sealed for another node: a former one here, or replayed")                                   \
    X(MESH_NO_TARGET, "mesh", "no_target", "a message for a unit, and no unit takes messages")     \
    X(MESH_NO_PEER, "mesh", "no_peer", "a message to a node that is not known or not alive")       \
    X(MESH_TOO_LONG, "mesh", "too_long", "a message longer than one datagram, once escaped")       \
    X(MESH_BUSY, "mesh", "busy", "more messages at once than the mesh takes in one turn")          \
    X(MAILBOX_FULL, "mailbox", "full", "the actor's mailbox was at its limit")                     \
    X(MAILBOX_QUOTA, "mailbox", "quota", "a large message beyond the actor's memory_max")          \
    X(MAILBOX_NO_ACTOR, "mailbox", "no_actor", "the actor had ended")                              \
    X(MAILBOX_NO_MEMORY, "mailbox", "no_memory", "the core's arena was at its cap")                \
    X(MAILBOX_REFUSED, "mailbox", "refused", "to an actor of the node itself, from a unit")        \
    X(MAILBOX_LATE, "mailbox", "late", "a reply that nobody waits for any more")                   \
    X(MAILBOX_CYCLE, "mailbox", "cycle", "a call that would have waited for itself: see the log")  \
    X(RING_FULL, "ring", "full", "the ring to another core was full")

enum weft_drop {
#define WEFT_DROP_ENUM(name, stage, reason, text) WEFT_DROP_##name,
    WEFT_DROP_TABLE(WEFT_DROP_ENUM)
#undef WEFT_DROP_ENUM
        WEFT_DROP_COUNT
};

struct weft_drop_info {
    const char *stage;
    const char *reason;
    const char *text;
};

// What to print of a reason. `drop` below WEFT_DROP_COUNT.
const struct weft_drop_info *weft_drop_info(enum weft_drop drop);

// One core's ledger. Its core adds; any core may read a value that is at most one turn old.
struct weft_drops {
    _Alignas(WEFT_CORE_ALIGN) _Atomic uint64_t count[WEFT_DROP_COUNT];
};

// Only the owning core: a relaxed load and store, no locked instruction.
static inline void weft_drop_add(struct weft_drops *drops, enum weft_drop drop, uint64_t count)
{
    const uint64_t before = atomic_load_explicit(&drops->count[drop], memory_order_relaxed);
    atomic_store_explicit(&drops->count[drop], before + count, memory_order_relaxed);
}

static inline uint64_t weft_drop_get(const struct weft_drops *drops, enum weft_drop drop)
{
    return atomic_load_explicit(&drops->count[drop], memory_order_relaxed);
}

#endif // WEFT_BASE_DROP_H
