// arp_table.h: which MAC address answers for which IPv4 address: the cache, without any packet
// format.
//
//             first packet            reply                    30 s, then used
//    FREE ------------> INCOMPLETE ----------> REACHABLE ----------------------> PROBE
//     ^                  |  3 tries, 1 s apart    ^  ^                            |  |
//     |<-----------------+                        |  +------- reply --------------+  |
//     |                                           |                                  |
//     |       heard a request ------> STALE ------|---- used: ask, and use meanwhile-+
//     +<------------------------------------------+------------------ 3 tries unanswered
//
// The states are those of neighbour discovery (RFC 4861, 7.3.2) for IPv4; RFC 1122, 2.3.2 asks for
// the time-out, the limit on asking and the queue. Full table: the least recently used entry makes
// room.
//
// Core: one table per core, never shared. Memory: by value in its owner; nothing allocates. Packets
// that wait here belong to the table until it hands them back.
#ifndef WEFT_DATAPLANE_ARP_TABLE_H
#define WEFT_DATAPLANE_ARP_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/units.h"
#include "runtime/env/net.h"

#define WEFT_ARP_ENTRIES      256
#define WEFT_ARP_BUCKETS      512 // A power of two.
#define WEFT_ARP_PENDING_MAX  8   // Packets that wait for one answer.
#define WEFT_ARP_HELD_MAX     256 // Packets that wait for all answers together.
#define WEFT_ARP_TRIES_MAX    3
#define WEFT_ARP_RETRY_NS     (1 * WEFT_NS_PER_S)
#define WEFT_ARP_REACHABLE_NS (30 * WEFT_NS_PER_S)

enum weft_arp_state {
    WEFT_ARP_FREE,
    WEFT_ARP_INCOMPLETE, // Asked; nobody has answered. Packets wait.
    WEFT_ARP_REACHABLE,  // Answered less than WEFT_ARP_REACHABLE_NS ago.
    WEFT_ARP_STALE,      // Heard, not asked for. Usable; the first use asks.
    WEFT_ARP_PROBE,      // Usable, and being asked.
};

struct weft_arp_entry {
    uint32_t address; // Host order.
    uint8_t mac[6];
    uint8_t port;
    uint8_t state;    // enum weft_arp_state.
    uint64_t due_ns;  // INCOMPLETE, PROBE: ask again or give up. REACHABLE: until then.
    uint64_t used_ns; // Last lookup, for the least recently used.
    struct weft_packet *pending_first;
    struct weft_packet *pending_last;
    uint16_t next; // In its bucket; WEFT_ARP_ENTRIES ends it.
    uint8_t tries;
    uint8_t pending_count;
};
_Static_assert(sizeof(struct weft_arp_entry) <= 64, "an entry is one cache line");

struct weft_arp_table {
    _Alignas(64) struct weft_arp_entry entries[WEFT_ARP_ENTRIES];
    uint16_t buckets[WEFT_ARP_BUCKETS];
    uint64_t due_ns; // No entry wants attention before; UINT64_MAX for never.
    uint32_t entry_count;
    uint32_t held_count; // Packets in all pending queues.
};

void weft_arp_table_init(struct weft_arp_table *table);

// The entry, or NULL. Does not count as use.
struct weft_arp_entry *weft_arp_table_find(struct weft_arp_table *table, uint8_t port,
                                           uint32_t address);

// A new INCOMPLETE entry, without a deadline yet, for an address that is not there. If another had
// to make room, the packets that waited in it come back as a chain in `evicted` (else NULL) for the
// caller to drop.
struct weft_arp_entry *weft_arp_table_add(struct weft_arp_table *table, uint8_t port,
                                          uint32_t address, uint64_t now_ns,
                                          struct weft_packet **evicted);

// Frees the entry. The packets that waited in it are returned as a chain.
struct weft_packet *weft_arp_table_remove(struct weft_arp_table *table,
                                          struct weft_arp_entry *entry);

// Appends to the packets that wait. If there were too many, one comes back to be dropped: the
// oldest of this entry (RFC 1122, 2.3.2.2 wants the latest kept), or `packet` itself if all entries
// together are full.
struct weft_packet *weft_arp_table_hold(struct weft_arp_table *table, struct weft_arp_entry *entry,
                                        struct weft_packet *packet);

// The packets that waited, as a chain in order; none wait afterwards.
struct weft_packet *weft_arp_table_take(struct weft_arp_table *table, struct weft_arp_entry *entry);

// Sets state and deadline, and keeps the table's own deadline.
void weft_arp_table_set(struct weft_arp_table *table, struct weft_arp_entry *entry,
                        enum weft_arp_state state, uint64_t due_ns);

// The state to show at `now_ns`: a REACHABLE entry past its time is STALE.
enum weft_arp_state weft_arp_table_state(const struct weft_arp_entry *entry, uint64_t now_ns);
const char *weft_arp_state_name(enum weft_arp_state state);

#endif // WEFT_DATAPLANE_ARP_TABLE_H
