// kept.h: the newest source and image of every unit that the journal holds, by name, in one core's
// arena.
//
// What a compaction copies forward. A state that found no memory is `lost` here (not in the
// journal): as long as one is, nothing may be compacted, since the old segments alone have it.
// Core: the first worker's alone.
#ifndef WEFT_NODE_KEPT_H
#define WEFT_NODE_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/list.h"
#include "runtime/base/span.h"
#include "runtime/mem/arena.h"
#include "runtime/storage/unit_journal.h"

#define WEFT_KEPT_BUCKETS 16384

struct weft_kept {
    struct weft_kept *next;  // In its bucket.
    struct weft_kept *later; // In the order of arrival, for whoever walks them all.
    struct weft_kept *earlier;
    char name[WEFT_UNIT_NAME_MAX + 1];
    char source_name[WEFT_UNIT_NAME_MAX + 1];
    uint8_t recovery;
    bool is_lost;
    uint8_t *source, *image;
    uint32_t source_bytes, image_bytes;
    struct weft_unit_origin origin; // Of one that was spawned.
    struct weft_list ended_link;    // It has ended: in `ended` or `doomed`.
    bool is_doomed, has_family;     // It has, or had, children here.
    uint64_t own_round;             // Of its newest record: which one it was;
    uint64_t listed_round;          // which one of its parent's was the last to wait for it.
};

struct weft_kept_table {
    struct weft_arena *arena;
    struct weft_kept *buckets[WEFT_KEPT_BUCKETS];
    struct weft_kept *first, *last;
    struct weft_kept *cursor; // Of whoever walks them; the next one, if it is forgotten.
    struct weft_list ended;   // Spawned ones that are kept for their parents, who do not know yet.
    struct weft_list doomed;  // Those of which the journal is to be told that they are gone.
    uint32_t count;
    uint32_t lost_count; // Units of which something could not be kept.
};

void weft_kept_init(struct weft_kept_table *table, struct weft_arena *arena);
void weft_kept_destroy(struct weft_kept_table *table);

// NULL if there is none.
struct weft_kept *weft_kept_find(const struct weft_kept_table *table, const char *name);

// Sets the source (if `load` is not NULL) and the image (if it has bytes) of `name`. False: no
// memory; the unit is then counted as lost until a later call succeeds.
bool weft_kept_set(struct weft_kept_table *table, const char *name,
                   const struct weft_unit_load *load, struct weft_span image);
void weft_kept_forget(struct weft_kept_table *table, const char *name);
// It has ended, and nobody has to know any more.
void weft_kept_doom(struct weft_kept_table *table, struct weft_kept *kept);
// As a GONE of this name in the journal (storage/unit_journal.h): with it goes its family, or its
// children have no parent any more.
void weft_kept_gone(struct weft_kept_table *table, const char *name);

#endif // WEFT_NODE_KEPT_H
