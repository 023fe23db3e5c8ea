// unit_ids.h: the numbers by which units and channels know each other, after they have been made
// anew from an image.
//
// A program keeps pids in its variables and stacks, where nobody finds them. So one that is
// restored keeps the number that it had, its id; this table says which actor that is now, and the
// other way round. What was never restored has its pid for an id and does not stand here.
//
// Open addressing, entries are added and never taken out: a node restores in one run what its
// people or its journal ask for, and no more.
//
// Core: any, without a lock: readers see a whole entry or none.
#ifndef WEFT_NODE_UNIT_IDS_H
#define WEFT_NODE_UNIT_IDS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <weft/types.h>

#define WEFT_UNIT_ID_GENERATIONS (1u << 24) // Of one start of a node, in one slot.

struct weft_unit_id {
    _Atomic uint64_t key; // 0: free.
    _Atomic uint64_t value;
};

struct weft_unit_ids {
    struct weft_unit_id *entries;
    uint32_t mask;          // Entries less one.
    _Atomic uint32_t count; // In use; 0: nothing has been restored.
};

// Room for `capacity` that have been restored; the memory is touched as they come. 0 or -ENOMEM.
int weft_unit_ids_init(struct weft_unit_ids *ids, uint32_t capacity);
void weft_unit_ids_destroy(struct weft_unit_ids *ids);

// `id` is `pid` from now on. 0; -ENOSPC; -EINVAL: one of them is 0.
int weft_unit_ids_add(struct weft_unit_ids *ids, uint64_t id, weft_pid pid);

// `pid` has just been given to somebody: it names him, whoever said that it was his id.
void weft_unit_ids_born(struct weft_unit_ids *ids, weft_pid pid);
// Nothing has been restored: every id is a pid.
static inline bool weft_unit_ids_is_empty(const struct weft_unit_ids *ids)
{
    // Relaxed: who is told an id is told by a message, behind whoever has added it.
    return atomic_load_explicit(&ids->count, memory_order_relaxed) == 0;
}

// Whom `id` names now; itself, if nobody has been restored under it.
weft_pid weft_unit_ids_pid(const struct weft_unit_ids *ids, uint64_t id);
// As what `pid` is known; itself, if it was not restored.
uint64_t weft_unit_ids_id(const struct weft_unit_ids *ids, weft_pid pid);

#endif // WEFT_NODE_UNIT_IDS_H
