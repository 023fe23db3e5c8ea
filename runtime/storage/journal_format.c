#include "runtime/storage/journal_format.h"

#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/base/crc32c.h"
#include "runtime/base/endian.h"

enum { // Offsets in a block. docs/wire/journal.md draws them; tests/unit/storage has the golden
       // bytes.
    AT_MAGIC = 0,
    AT_CRC = 4, // Over everything behind it.
    AT_VERSION = 8,
    AT_KIND = 10,
    AT_PAYLOAD_BYTES = 12,
    AT_FLAGS = 14,
    AT_JOURNAL_ID = 16,
    AT_SEQUENCE = 24,
    AT_DURABLE = 32,
    AT_SEGMENT = 40,
    AT_INDEX = 44,
    AT_SEGMENT_BLOCKS = 48,
    AT_RESERVED = 52, // 12 bytes of zeros.
    AT_END = 64,
};
_Static_assert(AT_END == WEFT_JOURNAL_HEADER_BYTES, "the payload begins where the header ends");
_Static_assert(WEFT_JOURNAL_PAYLOAD_BYTES <= UINT16_MAX, "payload_bytes has 16 bits");

static uint32_t block_crc(const uint8_t *bytes)
{
    return weft_crc32c(0, bytes + AT_VERSION, WEFT_DISK_BLOCK_BYTES - AT_VERSION);
}

void weft_journal_block_seal(void *to, const struct weft_journal_block *block)
{
    uint8_t *bytes = to;
    weft_assert(block->payload_bytes <= WEFT_JOURNAL_PAYLOAD_BYTES);
    // What a former use of the buffer left behind the payload does not go to disk.
    memset(bytes + AT_END + block->payload_bytes, 0,
           WEFT_JOURNAL_PAYLOAD_BYTES - block->payload_bytes);
    weft_le32_put(bytes + AT_MAGIC, WEFT_JOURNAL_MAGIC);
    weft_le16_put(bytes + AT_VERSION, block->version);
    weft_le16_put(bytes + AT_KIND, block->kind);
    weft_le16_put(bytes + AT_PAYLOAD_BYTES, block->payload_bytes);
    weft_le16_put(bytes + AT_FLAGS, block->flags);
    weft_le64_put(bytes + AT_JOURNAL_ID, block->journal_id);
    weft_le64_put(bytes + AT_SEQUENCE, block->sequence);
    weft_le64_put(bytes + AT_DURABLE, block->durable);
    weft_le32_put(bytes + AT_SEGMENT, block->segment);
    weft_le32_put(bytes + AT_INDEX, block->index);
    weft_le32_put(bytes + AT_SEGMENT_BLOCKS, block->segment_blocks);
    memset(bytes + AT_RESERVED, 0, AT_END - AT_RESERVED);
    weft_le32_put(bytes + AT_CRC, block_crc(bytes));
}

enum weft_journal_check weft_journal_block_open(const void *from, struct weft_journal_block *block)
{
    const uint8_t *bytes = from;
    if (weft_le32_get(bytes + AT_MAGIC) != WEFT_JOURNAL_MAGIC) return WEFT_JOURNAL_INVALID;
    if (weft_le32_get(bytes + AT_CRC) != block_crc(bytes)) return WEFT_JOURNAL_INVALID;
    block->version = weft_le16_get(bytes + AT_VERSION);
    if (block->version > WEFT_JOURNAL_VERSION) return WEFT_JOURNAL_NEWER;
    block->kind = weft_le16_get(bytes + AT_KIND);
    block->payload_bytes = weft_le16_get(bytes + AT_PAYLOAD_BYTES);
    block->flags = weft_le16_get(bytes + AT_FLAGS);
    block->journal_id = weft_le64_get(bytes + AT_JOURNAL_ID);
    block->sequence = weft_le64_get(bytes + AT_SEQUENCE);
    block->durable = weft_le64_get(bytes + AT_DURABLE);
    block->segment = weft_le32_get(bytes + AT_SEGMENT);
    block->index = weft_le32_get(bytes + AT_INDEX);
    block->segment_blocks = weft_le32_get(bytes + AT_SEGMENT_BLOCKS);
    if (block->version == 0) return WEFT_JOURNAL_INVALID;
    if (block->payload_bytes > WEFT_JOURNAL_PAYLOAD_BYTES) return WEFT_JOURNAL_INVALID;
    if (block->durable > block->sequence) return WEFT_JOURNAL_INVALID;
    const uint16_t kind = block->index ? WEFT_JOURNAL_BLOCK_DATA : WEFT_JOURNAL_BLOCK_SEGMENT;
    return block->kind == kind ? WEFT_JOURNAL_VALID : WEFT_JOURNAL_INVALID;
}

void weft_journal_record_put(void *to, const struct weft_journal_record *record)
{
    uint8_t *bytes = to;
    weft_le32_put(bytes, record->crc);
    weft_le32_put(bytes + 4, record->length);
    weft_le64_put(bytes + 8, record->lsn);
    weft_le16_put(bytes + 16, record->type);
    weft_le16_put(bytes + 18, record->flags);
}

void weft_journal_record_get(const void *from, struct weft_journal_record *record)
{
    const uint8_t *bytes = from;
    record->crc = weft_le32_get(bytes);
    record->length = weft_le32_get(bytes + 4);
    record->lsn = weft_le64_get(bytes + 8);
    record->type = weft_le16_get(bytes + 16);
    record->flags = weft_le16_get(bytes + 18);
}

uint32_t weft_journal_record_crc(uint64_t journal_id, const struct weft_journal_record *record)
{
    uint8_t bytes[8 + WEFT_JOURNAL_RECORD_BYTES];
    weft_le64_put(bytes, journal_id);
    weft_journal_record_put(bytes + 8, record);
    // The id, then the header without its own checksum.
    const uint32_t crc = weft_crc32c(0, bytes, 8);
    return weft_crc32c(crc, bytes + 12, WEFT_JOURNAL_RECORD_BYTES - 4);
}
