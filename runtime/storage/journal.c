#include "runtime/storage/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/base/crc32c.h"
#include "runtime/base/endian.h"
#include "runtime/base/units.h"
#include "runtime/storage/journal_internal.h"

static void set_default(uint32_t *option, uint32_t value)
{
    if (*option == 0) *option = value;
}

static uint32_t blocks_for(uint64_t bytes)
{
    return (uint32_t)((bytes + WEFT_JOURNAL_PAYLOAD_BYTES - 1) / WEFT_JOURNAL_PAYLOAD_BYTES);
}

int weft_journal_init(struct weft_journal *journal, const struct weft_disk *disk,
                      const struct weft_journal_options *options)
{
    memset(journal, 0, sizeof(*journal));
    journal->disk = disk;
    journal->options = *options;
    struct weft_journal_options *o = &journal->options;
    set_default(&o->segment_blocks, 1024);
    set_default(&o->buffer_blocks, 768);
    set_default(&o->write_blocks_max, 32);
    set_default(&o->record_bytes_max, WEFT_MIB + 64 * WEFT_KIB);
    set_default(&o->segment_count_bound, 16);
    // The longest record has to fit into the buffer, and to cross at most one end of a segment.
    const uint64_t record_blocks = blocks_for(WEFT_JOURNAL_RECORD_BYTES + o->record_bytes_max) + 3;
    if (o->record_bytes_max > 64 * WEFT_MIB || o->buffer_blocks < record_blocks ||
        o->segment_blocks < record_blocks || o->segment_blocks > 65536)
        return -EINVAL;
    journal->buffer =
        aligned_alloc(WEFT_DISK_BLOCK_BYTES, (size_t)o->buffer_blocks * WEFT_DISK_BLOCK_BYTES);
    journal->slots = calloc(o->buffer_blocks, sizeof(*journal->slots));
    journal->live = calloc(WEFT_JOURNAL_SEGMENTS_MAX, sizeof(*journal->live));
    journal->removing = calloc(WEFT_JOURNAL_SEGMENTS_MAX, sizeof(*journal->removing));
    if (journal->buffer && journal->slots && journal->live && journal->removing) return 0;
    weft_journal_destroy(journal);
    return -ENOMEM;
}

void weft_journal_destroy(struct weft_journal *journal)
{
    free(journal->removing);
    free(journal->live);
    free(journal->slots);
    free(journal->buffer);
    memset(journal, 0, sizeof(*journal));
}

static struct weft_journal_slot *slot_of(struct weft_journal *journal, uint64_t sequence)
{
    return &journal->slots[sequence % journal->options.buffer_blocks];
}

static uint8_t *block_of(struct weft_journal *journal, uint64_t sequence)
{
    const size_t place = sequence % journal->options.buffer_blocks;
    return journal->buffer + place * WEFT_DISK_BLOCK_BYTES;
}

static void open_block(struct weft_journal *journal, uint16_t flags)
{
    weft_assert(journal->opened - journal->durable < journal->options.buffer_blocks);
    *slot_of(journal, journal->opened) = (struct weft_journal_slot){
        .lsn = journal->lsn_next - 1,
        .hash = journal->hash,
        .segment = journal->segment,
        .index = journal->index_next++,
        .flags = flags,
    };
    journal->opened++;
}

void weft_journal_segment_open(struct weft_journal *journal, uint32_t file, uint16_t flags)
{
    weft_assert(!journal->is_open && journal->live_count < WEFT_JOURNAL_SEGMENTS_MAX);
    journal->segment = file;
    journal->index_next = 0;
    journal->live[journal->live_count++] = file;
    open_block(journal, flags); // Its header is all that it holds.
}

static bool can_open_segment(const struct weft_journal *journal)
{
    return journal->spare != 0 && journal->live_count < WEFT_JOURNAL_SEGMENTS_MAX;
}

static void next_segment(struct weft_journal *journal, uint16_t flags)
{
    const uint32_t file = journal->spare;
    journal->spare = 0;
    journal->create_wanted = true;
    weft_journal_segment_open(journal, file, flags);
}

// Room for `bytes` more of the stream, in the buffer and in the segments that exist?
static bool has_room(struct weft_journal *journal, uint64_t bytes)
{
    uint64_t left = 0; // In the open block.
    if (journal->is_open)
        left = WEFT_JOURNAL_PAYLOAD_BYTES - slot_of(journal, journal->opened - 1)->payload_bytes;
    if (bytes <= left) return true;
    uint32_t blocks = blocks_for(bytes - left);
    if (blocks > journal->options.segment_blocks - journal->index_next) {
        if (!can_open_segment(journal)) return false;
        blocks++;
    }
    return blocks <= journal->options.buffer_blocks - (journal->opened - journal->durable);
}

static void put(struct weft_journal *journal, const uint8_t *bytes, size_t length)
{
    while (length) {
        if (!journal->is_open) {
            if (journal->index_next == journal->options.segment_blocks) next_segment(journal, 0);
            open_block(journal, 0);
            journal->is_open = true;
        }
        struct weft_journal_slot *slot = slot_of(journal, journal->opened - 1);
        size_t count = WEFT_JOURNAL_PAYLOAD_BYTES - slot->payload_bytes;
        if (count > length) count = length;
        memcpy(block_of(journal, journal->opened - 1) + WEFT_JOURNAL_HEADER_BYTES +
                   slot->payload_bytes,
               bytes, count);
        slot->payload_bytes = (uint16_t)(slot->payload_bytes + count);
        if (slot->payload_bytes == WEFT_JOURNAL_PAYLOAD_BYTES) journal->is_open = false;
        bytes += count;
        length -= count;
    }
}

uint64_t weft_journal_hash_step(uint64_t hash, const struct weft_journal_record *record)
{
    hash ^= record->lsn + ((uint64_t)record->crc << 32);
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ (hash >> 29);
}

static int64_t append(struct weft_journal *journal, uint16_t type, struct weft_span a,
                      struct weft_span b)
{
    if (journal->state != WEFT_JOURNAL_OPEN) return -EIO;
    const uint64_t limit = journal->options.record_bytes_max;
    if (a.length > limit || b.length > limit - a.length) return -EMSGSIZE;
    if (!has_room(journal, WEFT_JOURNAL_RECORD_BYTES + a.length + b.length)) {
        journal->stats.refused++;
        return -ENOBUFS;
    }
    struct weft_journal_record record = {
        .length = (uint32_t)(a.length + b.length), .lsn = journal->lsn_next, .type = type};
    record.crc = weft_journal_record_crc(journal->journal_id, &record);
    if (a.length) record.crc = weft_crc32c(record.crc, a.data, a.length);
    if (b.length) record.crc = weft_crc32c(record.crc, b.data, b.length);
    uint8_t header[WEFT_JOURNAL_RECORD_BYTES];
    weft_journal_record_put(header, &record);
    put(journal, header, sizeof(header));
    put(journal, a.data, a.length);
    put(journal, b.data, b.length);
    journal->hash = weft_journal_hash_step(journal->hash, &record);
    journal->lsn_next++;
    struct weft_journal_slot *last = slot_of(journal, journal->opened - 1);
    last->lsn = record.lsn;
    last->hash = journal->hash;
    journal->stats.records++;
    journal->stats.record_bytes += record.length;
    return (int64_t)record.lsn;
}

int64_t weft_journal_append(struct weft_journal *journal, uint16_t type, struct weft_span a,
                            struct weft_span b)
{
    return type > WEFT_JOURNAL_TYPE_MAX ? -EINVAL : append(journal, type, a, b);
}

int64_t weft_journal_seal(struct weft_journal *journal)
{
    return append(journal, TYPE_SEAL, (struct weft_span){0}, (struct weft_span){0});
}

static void fail(struct weft_journal *journal, int result)
{
    if (journal->state == WEFT_JOURNAL_FAILED) return;
    journal->state = WEFT_JOURNAL_FAILED;
    journal->failure = result;
}

static void seal_block(struct weft_journal *journal, uint64_t sequence)
{
    const struct weft_journal_slot *slot = slot_of(journal, sequence);
    const struct weft_journal_block block = {
        .version = WEFT_JOURNAL_VERSION,
        .kind = slot->index ? WEFT_JOURNAL_BLOCK_DATA : WEFT_JOURNAL_BLOCK_SEGMENT,
        .payload_bytes = slot->payload_bytes,
        .flags = slot->flags,
        .journal_id = journal->journal_id,
        .sequence = sequence,
        .durable = journal->durable,
        .segment = slot->segment,
        .index = slot->index,
        .segment_blocks = journal->options.segment_blocks,
    };
    weft_journal_block_seal(block_of(journal, sequence), &block);
}

// How many blocks from `started` on can go in one write: one segment, and one piece of the buffer.
static uint32_t run_length(struct weft_journal *journal)
{
    const uint64_t from = journal->started;
    const uint32_t buffer_blocks = journal->options.buffer_blocks;
    uint64_t limit = journal->opened - from;
    if (limit > journal->options.write_blocks_max) limit = journal->options.write_blocks_max;
    if (limit > buffer_blocks - from % buffer_blocks) limit = buffer_blocks - from % buffer_blocks;
    const uint32_t segment = slot_of(journal, from)->segment;
    uint32_t count = 1;
    while (count < limit && slot_of(journal, from + count)->segment == segment)
        count++;
    return count;
}

static uint32_t free_write(const struct weft_journal *journal)
{
    uint32_t index = 0;
    while (journal->writes[index].block_count)
        index++;
    return index;
}

void weft_journal_flush(struct weft_journal *journal)
{
    const struct weft_disk *disk = journal->disk;
    while (journal->state == WEFT_JOURNAL_OPEN && journal->started < journal->opened &&
           journal->write_count < WEFT_JOURNAL_WRITES) {
        const uint64_t from = journal->started;
        const uint32_t count = run_length(journal);
        // The group ends here: the open block goes as it is, and the next record begins another.
        if (from + count == journal->opened) journal->is_open = false;
        for (uint32_t i = 0; i < count; i++)
            seal_block(journal, from + i);
        const uint32_t index = free_write(journal);
        const struct weft_journal_slot *slot = slot_of(journal, from);
        const int result = disk->write(disk->self, slot->segment, slot->index,
                                       block_of(journal, from), count, index);
        if (result == -ENOBUFS) break; // The same blocks go with the next flush.
        if (result < 0) {
            fail(journal, result);
            break;
        }
        journal->writes[index] = (struct weft_journal_write){from, count};
        journal->write_count++;
        journal->started += count;
        journal->stats.writes++;
        journal->stats.blocks += count;
    }
    if (disk->flush) disk->flush(disk->self);
}

static void write_ended(struct weft_journal *journal, const struct weft_disk_done *done)
{
    weft_assert(done->cookie < WEFT_JOURNAL_WRITES);
    struct weft_journal_write *write = &journal->writes[done->cookie];
    weft_assert(write->block_count != 0);
    if (done->result < 0) fail(journal, done->result);
    for (uint32_t i = 0; done->result >= 0 && i < write->block_count; i++)
        slot_of(journal, write->sequence + i)->durable = true;
    write->block_count = 0;
    journal->write_count--;
}

// The end of the snapshot is durable: what stands before its beginning is void.
static void retire_segments(struct weft_journal *journal)
{
    uint32_t void_count = 0;
    while (journal->live[void_count] != journal->snapshot_segment)
        void_count++;
    for (uint32_t i = 0; i < void_count && journal->removing_count < WEFT_JOURNAL_SEGMENTS_MAX; i++)
        journal->removing[journal->removing_count++] = journal->live[i];
    journal->live_count -= void_count;
    memmove(journal->live, journal->live + void_count, journal->live_count * sizeof(uint32_t));
    journal->snapshot_segment = 0;
    journal->snapshot_lsn = 0;
    journal->stats.snapshots++;
}

uint64_t weft_journal_poll(struct weft_journal *journal)
{
    struct weft_disk_done done[WEFT_JOURNAL_WRITES];
    if (journal->write_count == 0) return journal->lsn_acknowledged;
    const uint32_t count = journal->disk->poll(journal->disk->self, done, WEFT_JOURNAL_WRITES);
    for (uint32_t i = 0; i < count; i++)
        write_ended(journal, &done[i]);
    const uint64_t before = journal->durable;
    while (journal->durable < journal->started && slot_of(journal, journal->durable)->durable)
        journal->durable++;
    if (journal->durable == before) return journal->lsn_acknowledged;
    const struct weft_journal_slot *last = slot_of(journal, journal->durable - 1);
    journal->lsn_acknowledged = last->lsn;
    journal->hash_acknowledged = last->hash;
    if (journal->snapshot_lsn && journal->lsn_acknowledged >= journal->snapshot_lsn)
        retire_segments(journal);
    return journal->lsn_acknowledged;
}

bool weft_journal_dirty(const struct weft_journal *journal)
{
    return journal->state == WEFT_JOURNAL_OPEN && journal->started < journal->opened;
}

bool weft_journal_idle(const struct weft_journal *journal)
{
    return journal->write_count == 0 && !weft_journal_dirty(journal);
}

bool weft_journal_snapshot_wanted(const struct weft_journal *journal)
{
    return journal->state == WEFT_JOURNAL_OPEN && journal->snapshot_segment == 0 &&
           journal->live_count > journal->options.segment_count_bound;
}

int weft_journal_snapshot_begin(struct weft_journal *journal)
{
    if (journal->state != WEFT_JOURNAL_OPEN) return -EIO;
    if (journal->snapshot_segment != 0) return -EALREADY;
    if (!can_open_segment(journal) ||
        journal->opened - journal->durable >= journal->options.buffer_blocks)
        return -ENOBUFS;
    journal->is_open = false;
    next_segment(journal, WEFT_JOURNAL_SNAPSHOT);
    journal->snapshot_segment = journal->segment;
    return 0;
}

int weft_journal_snapshot_end(struct weft_journal *journal)
{
    if (journal->snapshot_segment == 0 || journal->snapshot_lsn != 0) return -EINVAL;
    uint8_t payload[4];
    weft_le32_put(payload, journal->snapshot_segment);
    const int64_t lsn = append(journal, TYPE_SNAPSHOT_END, weft_span_of(payload, sizeof(payload)),
                               (struct weft_span){0});
    if (lsn < 0) return (int)lsn;
    journal->snapshot_lsn = (uint64_t)lsn;
    return 0;
}

bool weft_journal_chore_next(struct weft_journal *journal, struct weft_journal_chore *chore)
{
    *chore = (struct weft_journal_chore){0};
    if (journal->state != WEFT_JOURNAL_OPEN) return false;
    if (journal->create_wanted && !journal->create_running) {
        chore->kind = WEFT_JOURNAL_CREATE;
        chore->file = journal->file_next;
        chore->block_count = journal->options.segment_blocks;
        journal->create_running = true;
        return true;
    }
    if (journal->removing_count == 0 || journal->remove_running) return false;
    chore->kind = WEFT_JOURNAL_REMOVE;
    chore->file = journal->removing[0]; // One by one, oldest first: what is left has no gap.
    journal->remove_running = true;
    return true;
}

void weft_journal_chore_run(const struct weft_disk *disk, struct weft_journal_chore *chore)
{
    chore->result = chore->kind == WEFT_JOURNAL_CREATE
                        ? disk->create(disk->self, chore->file, chore->block_count)
                        : disk->remove(disk->self, chore->file);
}

void weft_journal_chore_done(struct weft_journal *journal, const struct weft_journal_chore *chore)
{
    if (chore->kind == WEFT_JOURNAL_CREATE) {
        journal->create_running = false;
        if (chore->result < 0) return; // Wanted still: the owner tries again when it likes.
        weft_assert(chore->file == journal->file_next && journal->spare == 0);
        journal->spare = journal->file_next++;
        journal->create_wanted = false;
        return;
    }
    journal->remove_running = false;
    if (chore->result < 0) return;
    weft_assert(journal->removing_count > 0 && journal->removing[0] == chore->file);
    journal->removing_count--;
    memmove(journal->removing, journal->removing + 1, journal->removing_count * sizeof(uint32_t));
}

int weft_journal_tend(struct weft_journal *journal)
{
    struct weft_journal_chore chore;
    while (weft_journal_chore_next(journal, &chore)) {
        weft_journal_chore_run(journal->disk, &chore);
        weft_journal_chore_done(journal, &chore);
        if (chore.result < 0) return chore.result;
    }
    return 0;
}

uint64_t weft_journal_hash(const struct weft_journal *journal)
{
    return journal->hash_acknowledged ^ (journal->lsn_acknowledged * UINT64_C(0xd6e8feb86659fd93));
}
