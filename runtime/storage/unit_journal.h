// unit_journal.h: what the journal holds of a node's units, and the table that replay folds it
// into.
//
// LOAD sets a unit's source, CHILD says of a spawned one whose it is, IMAGE replaces the state of
// either, GONE removes it. A compaction appends, for each unit and in one turn, its LOAD or CHILD
// and then its IMAGE. A name in use is never loaded anew, so a LOAD of one is such a copy and
// leaves the image alone: a crash may come before the IMAGE. An image without a load passes by: its
// unit's copy follows further on. Layouts: docs/wire/journal.md. Everything read is checked before
// it is used.
//
// Of a family: with its root, whose name the people gave, all go. When a parent goes that was
// spawned itself, its children stay, and have no parent.
//
// Core:   the table belongs to whoever replays; the encoders write into the caller's memory.
// Memory: the table takes malloc at start, before a core runs; weft_unit_table_destroy gives it
// back.
#ifndef WEFT_STORAGE_UNIT_JOURNAL_H
#define WEFT_STORAGE_UNIT_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/storage/gone_names.h"
#include "runtime/storage/journal.h"

#define WEFT_UNIT_NAME_MAX   31 // Bytes, without the zero. 1 at least.
#define WEFT_UNIT_SOURCE_MAX (256 * 1024)
#define WEFT_UNIT_IMAGE_MAX  (1024 * 1024)
#define WEFT_UNIT_TABLE_MAX  (2 * 1024 * 1024) // Units, half of them for those that were spawned.

enum weft_unit_record {
    WEFT_UNIT_LOAD = 0x0101,
    WEFT_UNIT_IMAGE = 0x0102,
    WEFT_UNIT_GONE = 0x0103,
    WEFT_UNIT_CHILD = 0x0104,
};

// Of a unit that was spawned.
struct weft_unit_origin {
    char parent[WEFT_UNIT_NAME_MAX + 1]; // Who waits for its end. Empty: nobody.
    char root[WEFT_UNIT_NAME_MAX + 1];   // Who was loaded, at the top of its family. Empty: it was
                                         // loaded itself.
    uint64_t serial; // It counts from this record of its parent's on (node/unit_family.h).
};

// The node's word for how a unit comes back, as config has it; stored, not interpreted.
struct weft_unit_load {
    char name[WEFT_UNIT_NAME_MAX + 1];
    char source_name[WEFT_UNIT_NAME_MAX + 1]; // "counter.fth", for messages. May be empty.
    uint8_t recovery;
    struct weft_span source;
    struct weft_unit_origin origin;
};

// Each appends one record: the lsn, or as weft_journal_append; -EINVAL: a name that is empty, too
// long, or has a byte outside 0x21..0x7e (a source name: a control character); -EMSGSIZE: a source
// or image over its limit. The first appends a CHILD if `load` has an origin:
// that has no source.
int64_t weft_unit_journal_load(struct weft_journal *journal, const struct weft_unit_load *load);
int64_t weft_unit_journal_image(struct weft_journal *journal, const char *name,
                                struct weft_span image);
int64_t weft_unit_journal_gone(struct weft_journal *journal, const char *name);

// Checks one record's payload. 0 or -EBADMSG. Spans point into `payload`.
int weft_unit_load_decode(struct weft_span payload, struct weft_unit_load *load);
int weft_unit_child_decode(struct weft_span payload, struct weft_unit_load *load);
int weft_unit_image_decode(struct weft_span payload, char name[WEFT_UNIT_NAME_MAX + 1],
                           struct weft_span *image);
int weft_unit_gone_decode(struct weft_span payload, char name[WEFT_UNIT_NAME_MAX + 1]);

struct weft_unit_entry {
    struct weft_unit_load load; // Its source is the entry's own copy.
    struct weft_span image;     // The entry's own copy; length 0: none since the load.
};

struct weft_unit_table {             // Zeroed: empty.
    struct weft_unit_entry *entries; // In the order in which they were first loaded.
    uint32_t count;
    uint32_t capacity;
    uint32_t *index; // By hash of the name, twice the capacity: place in entries + 1, 0 for none.
    struct weft_gone_names gone; // Since the last look at all entries.
};

// A weft_journal_replay with a struct weft_unit_table as `self`. Types that are not a unit's pass
// by. 0; -EBADMSG: a payload that is not valid; -ENOMEM; -ENOSPC.
int weft_unit_table_replay(void *table, uint16_t type, uint64_t lsn, struct weft_span payload);
// Behind the last record, and before the table is read: takes out those that are gone.
void weft_unit_table_settle(struct weft_unit_table *table);
// NULL if there is none. Of a settled table. Valid until the next replay.
const struct weft_unit_entry *weft_unit_table_find(const struct weft_unit_table *table,
                                                   const char *name);
// Takes out those for which `stays` is false; it has one for each, by its place.
void weft_unit_table_filter(struct weft_unit_table *table, const bool *stays);
void weft_unit_table_destroy(struct weft_unit_table *table);

#endif // WEFT_STORAGE_UNIT_JOURNAL_H
