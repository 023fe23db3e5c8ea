#include "runtime/mesh/id_index.h"

#include <errno.h>
#include <stdlib.h>

#include "runtime/base/assert.h"

static uint32_t home_of(const struct weft_id_index *index, uint64_t id)
{
    return (uint32_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & index->mask;
}

int weft_id_index_init(struct weft_id_index *index, uint32_t count_max)
{
    uint32_t size = 16;
    while (size < 2 * count_max)
        size *= 2;
    index->entries = calloc(size, sizeof(*index->entries));
    index->mask = size - 1;
    return index->entries == NULL ? -ENOMEM : 0;
}

void weft_id_index_destroy(struct weft_id_index *index)
{
    free(index->entries);
    *index = (struct weft_id_index){0};
}

static uint32_t place_of(const struct weft_id_index *index, uint64_t id)
{
    uint32_t at = home_of(index, id);
    while (index->entries[at].id != 0 && index->entries[at].id != id)
        at = (at + 1) & index->mask;
    return at;
}

uint32_t weft_id_index_find(const struct weft_id_index *index, uint64_t id)
{
    const struct weft_id_entry *entry = &index->entries[place_of(index, id)];
    return entry->id == id && id != 0 ? entry->slot : WEFT_ID_INDEX_NONE;
}

void weft_id_index_put(struct weft_id_index *index, uint64_t id, uint32_t slot)
{
    weft_assert(id != 0);
    index->entries[place_of(index, id)] = (struct weft_id_entry){.id = id, .slot = slot};
}

void weft_id_index_remove(struct weft_id_index *index, uint64_t id)
{
    uint32_t hole = place_of(index, id);
    if (index->entries[hole].id == 0) return;
    for (uint32_t at = (hole + 1) & index->mask; index->entries[at].id != 0;
         at = (at + 1) & index->mask) {
        // An entry may move back into the hole unless its home lies between the two.
        const uint32_t home = home_of(index, index->entries[at].id);
        if (((at - home) & index->mask) >= ((at - hole) & index->mask)) {
            index->entries[hole] = index->entries[at];
            hole = at;
        }
    }
    index->entries[hole] = (struct weft_id_entry){0};
}
