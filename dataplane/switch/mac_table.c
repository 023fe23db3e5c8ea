#include "dataplane/switch/mac_table.h"

#include <string.h>

#include "runtime/base/assert.h"

#define MASK      (WEFT_MAC_SLOTS - 1)
#define GROUP_BIT (UINT64_C(1) << 40) // The first bit on the wire.

_Static_assert((WEFT_MAC_SLOTS & MASK) == 0, "a power of two");
_Static_assert(WEFT_MAC_SHARE *WEFT_MAC_PORTS_MAX <= WEFT_MAC_SLOTS / 2,
               "never more than half full");

void weft_mac_table_init(struct weft_mac_table *table)
{
    memset(table, 0, sizeof(*table));
}

uint64_t weft_mac_read(const uint8_t bytes[6])
{
    uint64_t mac = 0;
    for (int i = 0; i < 6; i++)
        mac = mac << 8 | bytes[i];
    return mac;
}

static uint32_t home_of(uint64_t mac)
{
    return (uint32_t)(mac * UINT64_C(0x9e3779b97f4a7c15) >> 40) &
           MASK; // Fibonacci hashing (Knuth).
}

static uint32_t slot_of(const struct weft_mac_table *table, uint64_t mac)
{
    uint32_t at = home_of(mac);
    while (table->slots[at].mac != 0 && table->slots[at].mac != mac)
        at = (at + 1) & MASK;
    return at;
}

// Deletion without tombstones (Knuth 6.4, algorithm R): later entries of the run move up.
static void delete_slot(struct weft_mac_table *table, uint32_t hole)
{
    table->counts[table->slots[hole].port]--;
    table->slots[hole].mac = 0;
    for (uint32_t at = (hole + 1) & MASK; table->slots[at].mac != 0; at = (at + 1) & MASK) {
        const uint32_t home = home_of(table->slots[at].mac);
        if (((at - home) & MASK) < ((at - hole) & MASK)) continue; // Its home is behind the hole.
        table->slots[hole] = table->slots[at];
        table->slots[at].mac = 0;
        hole = at;
    }
}

bool weft_mac_learn(struct weft_mac_table *table, uint64_t mac, uint8_t port, uint64_t now_ns)
{
    weft_assert(port < WEFT_MAC_PORTS_MAX);
    if (mac == 0 || (mac & GROUP_BIT) != 0) return false;
    struct weft_mac_entry *entry = &table->slots[slot_of(table, mac)];
    if (entry->mac == mac && entry->port == port) {
        entry->seen_ns = now_ns;
        return true;
    }
    if (table->counts[port] >= WEFT_MAC_SHARE) {
        table->refused++;
        return false;
    }
    if (entry->mac == mac) {
        table->counts[entry->port]--;
        table->moved++;
    }
    *entry = (struct weft_mac_entry){.mac = mac, .seen_ns = now_ns, .port = port};
    table->counts[port]++;
    return true;
}

int weft_mac_find(struct weft_mac_table *table, uint64_t mac, uint64_t now_ns)
{
    if (mac == 0) return -1;
    const uint32_t at = slot_of(table, mac);
    if (table->slots[at].mac != mac) return -1;
    if (now_ns - table->slots[at].seen_ns <= WEFT_MAC_AGE_NS) return table->slots[at].port;
    delete_slot(table, at);
    return -1;
}

static bool is_stale(const struct weft_mac_entry *entry, uint64_t now_ns)
{
    return entry->mac != 0 && now_ns - entry->seen_ns > WEFT_MAC_AGE_NS;
}

void weft_mac_forget_port(struct weft_mac_table *table, uint8_t port)
{
    for (uint32_t at = 0; at < WEFT_MAC_SLOTS; at++) {
        // A deletion moves others into its place: look there again.
        while (table->slots[at].mac != 0 && table->slots[at].port == port)
            delete_slot(table, at);
    }
}

uint32_t weft_mac_expire(struct weft_mac_table *table, uint64_t now_ns)
{
    uint32_t left = 0;
    for (uint32_t at = 0; at < WEFT_MAC_SLOTS; at++) {
        while (is_stale(&table->slots[at], now_ns))
            delete_slot(table, at);
    }
    for (uint32_t port = 0; port < WEFT_MAC_PORTS_MAX; port++)
        left += table->counts[port];
    return left;
}
