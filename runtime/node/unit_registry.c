#include "runtime/node/unit_registry.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"

int weft_unit_registry_init(struct weft_unit_registry *registry, uint32_t capacity)
{
    weft_assert(capacity > 0);
    *registry = (struct weft_unit_registry){.capacity = capacity};
    registry->residents = aligned_alloc(WEFT_CORE_ALIGN, capacity * sizeof(*registry->residents));
    if (registry->residents == NULL) return -ENOMEM;
    memset(registry->residents, 0, capacity * sizeof(*registry->residents));
    return 0;
}

void weft_unit_registry_destroy(struct weft_unit_registry *registry)
{
    free(registry->residents);
    registry->residents = NULL;
}

static bool in_use(const struct weft_resident *resident)
{
    return weft_counter_get(&resident->status) != WEFT_RESIDENT_FREE;
}

struct weft_resident *weft_unit_registry_find(struct weft_unit_registry *registry, const char *name)
{
    for (uint32_t i = 0; i < registry->capacity; i++) {
        struct weft_resident *resident = &registry->residents[i];
        if (in_use(resident) && strcmp(resident->name, name) == 0) return resident;
    }
    return NULL;
}

const struct weft_resident *weft_unit_registry_of(const struct weft_unit_registry *registry,
                                                  uint64_t pid)
{
    const uint32_t count = (uint32_t)weft_counter_get(&registry->high_count);
    for (uint32_t i = 0; i < count; i++) {
        const struct weft_resident *resident = &registry->residents[i];
        if (weft_counter_get(&resident->pid) == pid && in_use(resident)) return resident;
    }
    return NULL;
}

static bool name_is_good(const char *name)
{
    if (!isalpha((unsigned char)name[0]) || strlen(name) >= WEFT_RESIDENT_NAME_BYTES) return false;
    for (const char *at = name; *at != '\0'; at++) {
        if (!isalnum((unsigned char)*at) && strchr("-_.", *at) == NULL) return false;
    }
    return true;
}

struct weft_resident *weft_unit_registry_add(struct weft_unit_registry *registry, const char *name,
                                             struct weft_error *error)
{
    if (!name_is_good(name)) {
        weft_error_set(error, 504, "'%.40s' is no name for a unit", name);
        weft_error_hint(error, "a letter, then at most %d letters, digits, '-', '_' or '.'",
                        WEFT_RESIDENT_NAME_BYTES - 2);
        return NULL;
    }
    if (weft_unit_registry_find(registry, name) != NULL) {
        weft_error_set(error, 403, "a unit named '%s' runs here already", name);
        weft_error_hint(error, "choose another name, or unload it first");
        return NULL;
    }
    for (uint32_t i = 0; i < registry->capacity; i++) {
        struct weft_resident *resident = &registry->residents[i];
        if (in_use(resident)) continue;
        memset(resident, 0, sizeof(*resident));
        strcpy(resident->name, name);
        resident->index = i;
        weft_counter_set(&resident->status, WEFT_RESIDENT_STARTING);
        registry->count++;
        if (i >= weft_counter_get(&registry->high_count))
            weft_counter_set(&registry->high_count, i + 1);
        weft_counter_set(&registry->live_count, registry->count);
        return resident;
    }
    weft_error_set(error, 203, "this node has %u units, as many as it may", registry->capacity);
    weft_error_hint(error, "raise units.count_max");
    return NULL;
}

void weft_unit_registry_remove(struct weft_unit_registry *registry, struct weft_resident *resident)
{
    weft_assert(in_use(resident));
    weft_counter_set(&resident->receives, 0);
    weft_counter_set(&resident->status, WEFT_RESIDENT_FREE);
    registry->count--;
    weft_counter_set(&registry->live_count, registry->count);
}

uint16_t weft_unit_registry_pick_core(const struct weft_unit_registry *registry,
                                      uint16_t worker_count)
{
    uint32_t units[WEFT_CORE_MAX] = {0};
    for (uint32_t i = 0; i < registry->capacity; i++) {
        if (in_use(&registry->residents[i])) units[registry->residents[i].core]++;
    }
    uint16_t best = 1;
    for (uint16_t core = 2; core <= worker_count; core++) {
        if (units[core] < units[best]) best = core;
    }
    return best;
}

// Lexicographic: no UDP port first, then the shorter mailbox, then fewer messages so far.
static bool less_busy(const struct weft_resident *a, const struct weft_resident *b)
{
    const uint64_t ports_a = weft_counter_get(&a->bound_ports) != 0;
    const uint64_t ports_b = weft_counter_get(&b->bound_ports) != 0;
    if (ports_a != ports_b) return ports_a < ports_b;
    const uint64_t mail_a = weft_counter_get(&a->mailbox_count);
    const uint64_t mail_b = weft_counter_get(&b->mailbox_count);
    if (mail_a != mail_b) return mail_a < mail_b;
    return weft_counter_get(&a->message_count) < weft_counter_get(&b->message_count);
}

struct weft_resident *weft_unit_registry_least_busy(struct weft_unit_registry *registry)
{
    struct weft_resident *best = NULL;
    for (uint32_t i = 0; i < registry->capacity; i++) {
        struct weft_resident *resident = &registry->residents[i];
        if (weft_counter_get(&resident->receives) == 0) continue;
        if (best == NULL || less_busy(resident, best)) best = resident;
    }
    return best;
}
