#include "runtime/otp/pid_map.h"

#include <errno.h>
#include <string.h>

#include <weft/actor.h>

#define SLOTS_MIN 8
#define SLOTS_MAX (1u << 26)

static uint32_t place(const struct weft_pid_map *map, weft_pid pid)
{
    return (uint32_t)(pid * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (map->slot_count - 1);
}

static uint32_t next(const struct weft_pid_map *map, uint32_t i)
{
    return (i + 1) & (map->slot_count - 1);
}

void weft_pid_map_put(struct weft_pid_map *map, weft_pid pid, void *value)
{
    uint32_t i = place(map, pid);
    while (map->slots[i].pid != 0)
        i = next(map, i);
    map->slots[i] = (struct weft_pid_entry){.pid = pid, .value = value};
    map->count++;
}

int weft_pid_map_reserve(struct weft_actor *self, struct weft_pid_map *map)
{
    if ((map->count + 1) * 4 <= map->slot_count * 3) return 0;
    const uint32_t slot_count = map->slot_count > 0 ? 2 * map->slot_count : SLOTS_MIN;
    struct weft_pid_map wider = {.slot_count = slot_count};
    if (slot_count > SLOTS_MAX) return -ENOMEM;
    wider.slots = weft_alloc(self, slot_count * sizeof(wider.slots[0]));
    if (wider.slots == NULL) return -ENOMEM;
    memset(wider.slots, 0, slot_count * sizeof(wider.slots[0]));
    for (uint32_t i = 0; i < map->slot_count; i++) {
        if (map->slots[i].pid != 0)
            weft_pid_map_put(&wider, map->slots[i].pid, map->slots[i].value);
    }
    weft_free(self, map->slots);
    *map = wider;
    return 0;
}

struct weft_pid_entry *weft_pid_map_find(const struct weft_pid_map *map, weft_pid pid)
{
    if (map->count == 0 || pid == 0) return NULL;
    for (uint32_t i = place(map, pid); map->slots[i].pid != 0; i = next(map, i)) {
        if (map->slots[i].pid == pid) return &map->slots[i];
    }
    return NULL;
}

void weft_pid_map_take(struct weft_pid_map *map, struct weft_pid_entry *entry)
{
    const uint32_t mask = map->slot_count - 1;
    uint32_t hole = (uint32_t)(entry - map->slots);
    map->count--;
    for (uint32_t i = next(map, hole); map->slots[i].pid != 0; i = next(map, i)) {
        const uint32_t ideal = place(map, map->slots[i].pid);
        if (((i - ideal) & mask) < ((i - hole) & mask)) continue;
        map->slots[hole] = map->slots[i];
        hole = i;
    }
    map->slots[hole] = (struct weft_pid_entry){0};
}
