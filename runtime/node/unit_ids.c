#include "runtime/node/unit_ids.h"

#include <errno.h>
#include <stdlib.h>

#define SLOTS_MIN 64
#define SLOTS_MAX (1u << 24)

// Of each that was restored there are two entries: from its id and from its pid. The top bit of a
// pid is 0 (generations begin below 2^30), which leaves it to tell the two apart.
enum direction { TO_PID = 0, TO_ID = 1 };

static uint64_t key_of(uint64_t number, enum direction direction)
{
    return number != 0 ? number ^ (uint64_t)direction << 63 : 0;
}

int weft_unit_ids_init(struct weft_unit_ids *ids, uint32_t capacity)
{
    uint32_t slots = SLOTS_MIN;
    while (slots < SLOTS_MAX && slots / 4 < capacity)
        slots *= 2;
    *ids = (struct weft_unit_ids){.mask = slots - 1};
    ids->entries = calloc(slots, sizeof(*ids->entries));
    return ids->entries != NULL ? 0 : -ENOMEM;
}

void weft_unit_ids_destroy(struct weft_unit_ids *ids)
{
    free((void *)ids->entries);
    ids->entries = NULL;
}

static uint32_t place(const struct weft_unit_ids *ids, uint64_t key)
{
    return (uint32_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 40) & ids->mask;
}

static int set(struct weft_unit_ids *ids, uint64_t key, uint64_t value)
{
    for (uint32_t n = 0, i = place(ids, key); n <= ids->mask; n++, i = (i + 1) & ids->mask) {
        struct weft_unit_id *entry = &ids->entries[i];
        uint64_t found = atomic_load_explicit(&entry->key, memory_order_relaxed);
        if (found == 0) {
            // An eighth stays free, so that who looks for what is not there finds an end.
            if (atomic_load_explicit(&ids->count, memory_order_relaxed) > ids->mask - ids->mask / 8)
                return -ENOSPC;
            if (atomic_compare_exchange_strong_explicit(&entry->key, &found, key,
                                                        memory_order_relaxed, memory_order_relaxed))
                found = key;
            if (found == key) atomic_fetch_add_explicit(&ids->count, 1, memory_order_relaxed);
        }
        if (found != key) continue;
        // Release: pairs with the acquire in get. Until then the entry reads as absent.
        atomic_store_explicit(&entry->value, value, memory_order_release);
        return 0;
    }
    return -ENOSPC;
}

static uint64_t get(const struct weft_unit_ids *ids, uint64_t key, uint64_t otherwise)
{
    if (key == 0 || weft_unit_ids_is_empty(ids)) return otherwise;
    for (uint32_t n = 0, i = place(ids, key); n <= ids->mask; n++, i = (i + 1) & ids->mask) {
        const struct weft_unit_id *entry = &ids->entries[i];
        const uint64_t found = atomic_load_explicit(&entry->key, memory_order_relaxed);
        if (found == 0) return otherwise;
        if (found != key) continue;
        // Acquire: pairs with the release in set.
        const uint64_t value = atomic_load_explicit(&entry->value, memory_order_acquire);
        return value != 0 ? value : otherwise;
    }
    return otherwise;
}

int weft_unit_ids_add(struct weft_unit_ids *ids, uint64_t id, weft_pid pid)
{
    if (id == 0 || pid == 0) return -EINVAL;
    const int result = set(ids, key_of(pid, TO_ID), id);
    return result == 0 ? set(ids, key_of(id, TO_PID), pid) : result;
}

void weft_unit_ids_born(struct weft_unit_ids *ids, weft_pid pid)
{
    if (weft_unit_ids_pid(ids, pid) != pid) set(ids, key_of(pid, TO_PID), pid); // It has a place.
}

weft_pid weft_unit_ids_pid(const struct weft_unit_ids *ids, uint64_t id)
{
    return get(ids, key_of(id, TO_PID), id);
}

uint64_t weft_unit_ids_id(const struct weft_unit_ids *ids, weft_pid pid)
{
    return get(ids, key_of(pid, TO_ID), pid);
}
