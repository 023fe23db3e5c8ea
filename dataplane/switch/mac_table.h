// mac_table.h: which port a MAC address was last seen behind (IEEE 802.1D, 7.8: the filtering
// database).
//
// Open addressing over a fixed array, at most half full, and no port may hold more than its share:
// a port that invents addresses fills its own share and is flooded to, nobody else suffers. Core:
// one. Memory: by value. Time: an argument.
#ifndef WEFT_DATAPLANE_SWITCH_MAC_TABLE_H
#define WEFT_DATAPLANE_SWITCH_MAC_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/units.h"

#define WEFT_MAC_SLOTS     4096
#define WEFT_MAC_PORTS_MAX 24
#define WEFT_MAC_SHARE     (WEFT_MAC_SLOTS / 2 / WEFT_MAC_PORTS_MAX) // Addresses of one port.
#define WEFT_MAC_AGE_NS    (300 * WEFT_NS_PER_S)                     // 802.1D, table 7-5.

struct weft_mac_entry {
    uint64_t mac; // 48 bits; 0: free. The address 0 is never learned.
    uint64_t seen_ns;
    uint8_t port;
};

struct weft_mac_table {
    struct weft_mac_entry slots[WEFT_MAC_SLOTS];
    uint32_t counts[WEFT_MAC_PORTS_MAX];
    uint64_t refused; // Learned not, because the port's share was full.
    uint64_t moved;   // Seen behind another port than before.
};

void weft_mac_table_init(struct weft_mac_table *table);

// Six bytes as a number.
uint64_t weft_mac_read(const uint8_t bytes[6]);

// `mac` is behind `port` (below WEFT_MAC_PORTS_MAX). Group addresses and 0 are not learned: false.
bool weft_mac_learn(struct weft_mac_table *table, uint64_t mac, uint8_t port, uint64_t now_ns);

// The port of `mac`, or -1 if it is not known or was not seen for WEFT_MAC_AGE_NS.
int weft_mac_find(struct weft_mac_table *table, uint64_t mac, uint64_t now_ns);

// Forgets what is behind `port`: it is gone.
void weft_mac_forget_port(struct weft_mac_table *table, uint8_t port);

// Forgets what is too old; a pass over the whole table, for once in some seconds. How many are
// left.
uint32_t weft_mac_expire(struct weft_mac_table *table, uint64_t now_ns);

#endif // WEFT_DATAPLANE_SWITCH_MAC_TABLE_H
