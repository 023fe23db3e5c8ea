// journal_format.h: the bytes of the journal, as docs/wire/journal.md has them. Little-endian.
//
// A segment is a file of 4 KiB blocks. Every block is checked by itself and says where it belongs:
// journal, segment, place in the segment, place in the journal. So neither a recycled block, nor
// one of another journal, nor a torn one passes as valid. The payloads of the data blocks, one
// behind the other, are a stream of records; a record may span blocks and segments.
#ifndef WEFT_STORAGE_JOURNAL_FORMAT_H
#define WEFT_STORAGE_JOURNAL_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/env/disk.h"

#define WEFT_JOURNAL_MAGIC         UINT32_C(0x4c4a4657) // "WFJL" on disk.
#define WEFT_JOURNAL_VERSION       1
#define WEFT_JOURNAL_HEADER_BYTES  64
#define WEFT_JOURNAL_PAYLOAD_BYTES (WEFT_DISK_BLOCK_BYTES - WEFT_JOURNAL_HEADER_BYTES)
#define WEFT_JOURNAL_RECORD_BYTES  20 // Of a record's header.

enum {                              // weft_journal_block.kind
    WEFT_JOURNAL_BLOCK_SEGMENT = 1, // Block 0 of a segment. Its payload is empty.
    WEFT_JOURNAL_BLOCK_DATA = 2,
};

enum { // weft_journal_block.flags, of a segment's block 0 only.
    // A start has cut the journal here: what earlier segments hold at or past `sequence`, and a
    // record begun but not ended before it, is void.
    WEFT_JOURNAL_RESTART = 1 << 0,
    WEFT_JOURNAL_SNAPSHOT = 1 << 1, // A snapshot begins here, so a record does, too.
};

struct weft_journal_block { // The first 64 bytes of a block, read out.
    uint16_t version;
    uint16_t kind;
    uint16_t payload_bytes;
    uint16_t flags;
    uint64_t journal_id;
    uint64_t sequence;       // Of this block in the journal; counts on from segment to segment.
    uint64_t durable;        // When this was written, every block below this sequence was durable.
    uint32_t segment;        // The number of the file.
    uint32_t index;          // Of this block in the file.
    uint32_t segment_blocks; // How many blocks the file has.
};

struct weft_journal_record { // The 20 bytes in front of a record's payload, read out.
    uint32_t crc;    // Over the other 16 bytes and the payload, going on from the journal's id.
    uint32_t length; // Of the payload.
    uint64_t lsn;    // Counts up by one.
    uint16_t type;
    uint16_t flags; // 0.
};

enum weft_journal_check {
    WEFT_JOURNAL_VALID,
    WEFT_JOURNAL_INVALID, // Never written, torn, or rotten.
    WEFT_JOURNAL_NEWER,   // Whole, but of a version that we do not read.
};

// Writes the header and the checksum of the 4096 bytes at `bytes`; the payload stands there
// already.
void weft_journal_block_seal(void *bytes, const struct weft_journal_block *block);

// Checks 4096 bytes and reads their header. Says nothing about where the block belongs.
enum weft_journal_check weft_journal_block_open(const void *bytes,
                                                struct weft_journal_block *block);

void weft_journal_record_put(void *to, const struct weft_journal_record *record);
void weft_journal_record_get(const void *from, struct weft_journal_record *record);

// The checksum of a record's header, without its payload: go on with weft_crc32c over that.
uint32_t weft_journal_record_crc(uint64_t journal_id, const struct weft_journal_record *record);

#endif // WEFT_STORAGE_JOURNAL_FORMAT_H
