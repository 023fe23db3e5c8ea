// id_index.h: a node id to the slot that holds it: open addressing with backward-shift deletion
// (Knuth, TAOCP 6.4, algorithm R), so it never fills with tombstones.
//
// Node ids are digests, but an insider may choose his: runs are bounded by the table being at most
// half full, and by its owner's limit on entries.
#ifndef WEFT_MESH_ID_INDEX_H
#define WEFT_MESH_ID_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#define WEFT_ID_INDEX_NONE UINT32_MAX

struct weft_id_entry {
    uint64_t id; // 0: empty.
    uint32_t slot;
    uint32_t reserved;
};

struct weft_id_index {
    struct weft_id_entry *entries;
    uint32_t mask;
};

// Room for `count_max` ids. 0, or -ENOMEM.
int weft_id_index_init(struct weft_id_index *index, uint32_t count_max);
void weft_id_index_destroy(struct weft_id_index *index);

// The slot of `id`, or WEFT_ID_INDEX_NONE.
uint32_t weft_id_index_find(const struct weft_id_index *index, uint64_t id);

// Puts or moves `id`, which is not 0. The caller keeps to `count_max`.
void weft_id_index_put(struct weft_id_index *index, uint64_t id, uint32_t slot);
void weft_id_index_remove(struct weft_id_index *index, uint64_t id);

#endif // WEFT_MESH_ID_INDEX_H
