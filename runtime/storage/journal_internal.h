// journal_internal.h: what journal.c and journal_recover.c share.
#ifndef WEFT_STORAGE_JOURNAL_INTERNAL_H
#define WEFT_STORAGE_JOURNAL_INTERNAL_H

#include "runtime/storage/journal.h"

enum {                          // Record types of the journal's own.
    TYPE_SNAPSHOT_END = 0xff00, // Payload: le32 segment in which the snapshot begins.
    TYPE_SEAL = 0xff01,         // Payload: none.
};

// Makes `file` the segment to fill and opens its block 0 in the buffer.
void weft_journal_segment_open(struct weft_journal *journal, uint32_t file, uint16_t flags);

// The hash of a stream with one more record.
uint64_t weft_journal_hash_step(uint64_t hash, const struct weft_journal_record *record);

#endif // WEFT_STORAGE_JOURNAL_INTERNAL_H
