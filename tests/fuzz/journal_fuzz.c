// Recovery from any bytes: it ends, within its memory, and what it accepts it can go on from.
//
// First byte: how many files (1 to 4) and whether checksums are made right, so that the fuzzer gets
// past them. Then blocks, each as a length and that many bytes; the rest of the block is zeros.
// Recovered records go through the table of units, and the journal is restarted once more: what was
// found is found.
#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/base/crc32c.h"
#include "runtime/base/endian.h"
#include "runtime/storage/unit_journal.h"
#include "tests/support/disk_sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BLOCKS = 8 };

struct seen {
    struct weft_unit_table table;
    uint64_t count;
    uint64_t lsn;
};

static int see(void *self, uint16_t type, uint64_t lsn, struct weft_span payload)
{
    struct seen *seen = self;
    weft_assert(lsn > seen->lsn || seen->count == 0);
    seen->lsn = lsn;
    seen->count++;
    return weft_unit_table_replay(&seen->table, type, lsn, payload);
}

static void fix_record(uint8_t *payload, size_t length, uint64_t journal_id)
{
    struct weft_journal_record record;
    while (length >= WEFT_JOURNAL_RECORD_BYTES) {
        weft_journal_record_get(payload, &record);
        if (record.length > length - WEFT_JOURNAL_RECORD_BYTES) return;
        const uint32_t crc = weft_journal_record_crc(journal_id, &record);
        weft_le32_put(payload,
                      weft_crc32c(crc, payload + WEFT_JOURNAL_RECORD_BYTES, record.length));
        payload += WEFT_JOURNAL_RECORD_BYTES + record.length;
        length -= WEFT_JOURNAL_RECORD_BYTES + record.length;
    }
}

// Gives block `index` of `file` what the fuzzer cannot guess: the magic, the place, the checksums.
static void fix_block(uint8_t *bytes, uint32_t file, uint32_t index)
{
    size_t length = weft_le16_get(bytes + 12);
    if (length > WEFT_JOURNAL_PAYLOAD_BYTES) length = WEFT_JOURNAL_PAYLOAD_BYTES;
    weft_le32_put(bytes, WEFT_JOURNAL_MAGIC);
    weft_le32_put(bytes + 40, file);
    weft_le32_put(bytes + 44, index);
    fix_record(bytes + WEFT_JOURNAL_HEADER_BYTES, length, weft_le64_get(bytes + 16));
    weft_le32_put(bytes + 4, weft_crc32c(0, bytes + 8, WEFT_DISK_BLOCK_BYTES - 8));
}

static void fill_disk(const struct weft_disk *disk, struct weft_disk_sim *sim, const uint8_t *data,
                      size_t size)
{
    const uint32_t file_count = 1 + (data[0] & 3);
    const bool fix = data[0] & 4;
    size_t at = 1;
    for (uint32_t file = 1; file <= file_count; file++) {
        disk->create(disk->self, file, BLOCKS);
        uint8_t *bytes = weft_disk_sim_bytes(sim, file, NULL);
        for (uint32_t index = 0; index < BLOCKS && at < size; index++) {
            size_t length = (size_t)data[at++] * 4;
            if (length > size - at) length = size - at;
            uint8_t *block = bytes + (size_t)index * WEFT_DISK_BLOCK_BYTES;
            memcpy(block, data + at, length);
            if (fix && length) fix_block(block, file, index);
            at += length;
        }
    }
}

static int recover(const struct weft_disk *disk, struct seen *seen)
{
    const struct weft_journal_options options = {.journal_id = 1,
                                                 .segment_blocks = BLOCKS,
                                                 .buffer_blocks = BLOCKS,
                                                 .record_bytes_max = 8192};
    struct weft_journal journal;
    struct weft_error error;
    memset(seen, 0, sizeof(*seen));
    weft_assert(weft_journal_init(&journal, disk, &options) == 0);
    const int result = weft_journal_recover(&journal, see, seen, NULL, &error);
    for (int i = 0; result == 0 && i < 1000 && !weft_journal_idle(&journal); i++) {
        weft_journal_flush(&journal);
        weft_journal_poll(&journal);
    }
    weft_unit_table_destroy(&seen->table);
    weft_journal_destroy(&journal);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weft_disk_sim sim;
    struct seen first, second;
    if (size == 0) return 0;
    weft_disk_sim_init(&sim, 1);
    const struct weft_disk disk = weft_disk_sim_disk(&sim);
    fill_disk(&disk, &sim, data, size);
    if (recover(&disk, &first) == 0) {
        weft_assert(recover(&disk, &second) == 0);
        weft_assert(second.count == first.count && second.lsn == first.lsn);
    }
    weft_disk_sim_destroy(&sim);
    return 0;
}
