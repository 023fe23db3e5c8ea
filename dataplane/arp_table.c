#include "dataplane/arp_table.h"

#include <string.h>

#include "runtime/base/assert.h"

static uint32_t bucket_of(uint8_t port, uint32_t address)
{
    // Fibonacci hashing (Knuth, volume 3, 6.4): neighbours differ in their low bits.
    return ((address ^ ((uint32_t)port << 24)) * UINT32_C(2654435769)) >> 23;
}
_Static_assert(WEFT_ARP_BUCKETS == 1 << (32 - 23), "bucket_of keeps the top 9 bits");

void weft_arp_table_init(struct weft_arp_table *table)
{
    memset(table, 0, sizeof(*table));
    for (uint32_t i = 0; i < WEFT_ARP_BUCKETS; i++) {
        table->buckets[i] = WEFT_ARP_ENTRIES;
    }
    table->due_ns = UINT64_MAX;
}

struct weft_arp_entry *weft_arp_table_find(struct weft_arp_table *table, uint8_t port,
                                           uint32_t address)
{
    uint16_t index = table->buckets[bucket_of(port, address)];
    while (index != WEFT_ARP_ENTRIES) {
        struct weft_arp_entry *entry = &table->entries[index];
        if (entry->address == address && entry->port == port) return entry;
        index = entry->next;
    }
    return NULL;
}

// A free entry, or the least recently used one. One that nobody waits for goes first.
static struct weft_arp_entry *find_room(struct weft_arp_table *table)
{
    struct weft_arp_entry *oldest = NULL;
    for (uint32_t i = 0; i < WEFT_ARP_ENTRIES; i++) {
        struct weft_arp_entry *entry = &table->entries[i];
        if (entry->state == WEFT_ARP_FREE) return entry;
        if (oldest == NULL || (entry->pending_count == 0 && oldest->pending_count > 0) ||
            ((entry->pending_count == 0) == (oldest->pending_count == 0) &&
             entry->used_ns < oldest->used_ns))
            oldest = entry;
    }
    return oldest;
}

struct weft_arp_entry *weft_arp_table_add(struct weft_arp_table *table, uint8_t port,
                                          uint32_t address, uint64_t now_ns,
                                          struct weft_packet **evicted)
{
    weft_assert(weft_arp_table_find(table, port, address) == NULL);
    struct weft_arp_entry *entry = find_room(table);
    *evicted = entry->state == WEFT_ARP_FREE ? NULL : weft_arp_table_remove(table, entry);

    uint16_t *bucket = &table->buckets[bucket_of(port, address)];
    *entry = (struct weft_arp_entry){.address = address,
                                     .port = port,
                                     .state = WEFT_ARP_INCOMPLETE,
                                     .due_ns = UINT64_MAX,
                                     .used_ns = now_ns,
                                     .next = *bucket};
    *bucket = (uint16_t)(entry - table->entries);
    table->entry_count++;
    return entry;
}

struct weft_packet *weft_arp_table_remove(struct weft_arp_table *table,
                                          struct weft_arp_entry *entry)
{
    const uint16_t index = (uint16_t)(entry - table->entries);
    uint16_t *link = &table->buckets[bucket_of(entry->port, entry->address)];
    while (*link != index) {
        weft_assert(*link != WEFT_ARP_ENTRIES);
        link = &table->entries[*link].next;
    }
    *link = entry->next;
    struct weft_packet *chain = weft_arp_table_take(table, entry);
    entry->state = WEFT_ARP_FREE;
    table->entry_count--;
    return chain;
}

struct weft_packet *weft_arp_table_hold(struct weft_arp_table *table, struct weft_arp_entry *entry,
                                        struct weft_packet *packet)
{
    struct weft_packet *excess = NULL;
    if (entry->pending_count == WEFT_ARP_PENDING_MAX) {
        excess = entry->pending_first;
        entry->pending_first = excess->next;
        entry->pending_count--;
        table->held_count--;
    } else if (table->held_count == WEFT_ARP_HELD_MAX) {
        return packet;
    }
    packet->next = NULL;
    if (entry->pending_first == NULL)
        entry->pending_first = packet;
    else
        entry->pending_last->next = packet;
    entry->pending_last = packet;
    entry->pending_count++;
    table->held_count++;
    return excess;
}

struct weft_packet *weft_arp_table_take(struct weft_arp_table *table, struct weft_arp_entry *entry)
{
    struct weft_packet *chain = entry->pending_first;
    table->held_count -= entry->pending_count;
    entry->pending_first = NULL;
    entry->pending_last = NULL;
    entry->pending_count = 0;
    return chain;
}

void weft_arp_table_set(struct weft_arp_table *table, struct weft_arp_entry *entry,
                        enum weft_arp_state state, uint64_t due_ns)
{
    entry->state = (uint8_t)state;
    entry->due_ns = due_ns;
    const bool timed = state == WEFT_ARP_INCOMPLETE || state == WEFT_ARP_PROBE;
    if (timed && due_ns < table->due_ns) table->due_ns = due_ns;
}

enum weft_arp_state weft_arp_table_state(const struct weft_arp_entry *entry, uint64_t now_ns)
{
    if (entry->state == WEFT_ARP_REACHABLE && now_ns >= entry->due_ns) return WEFT_ARP_STALE;
    return (enum weft_arp_state)entry->state;
}

const char *weft_arp_state_name(enum weft_arp_state state)
{
    static const char *const names[] = {"free", "incomplete", "reachable", "stale", "probe"};
    return names[state];
}
