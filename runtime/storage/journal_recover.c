// Recovery in two passes: over the blocks, to find where the chain of them ends and whether that
// end is a torn tail or damage; then over the records in the chain, first checking, then telling.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/base/crc32c.h"
#include "runtime/base/endian.h"
#include "runtime/storage/journal_internal.h"

enum { READ_BLOCKS = 32, ERROR_DAMAGE = 701 };

struct segment { // A file of the journal, as found.
    uint32_t file;
    uint32_t file_blocks; // As its header says.
    uint64_t sequence;    // Of its block 0.
    uint32_t block_count; // Of the chain, block 0 included. 0: not in the chain.
    uint16_t flags;
};

struct recovery {
    struct weft_journal *journal;
    struct weft_error *error;
    uint8_t *blocks; // READ_BLOCKS of them.
    uint32_t *files;
    struct segment *chain;
    uint32_t file_count;
    uint32_t chain_count;
    bool has_id;
    uint64_t sequence; // One past the last block of the chain.
    uint64_t claim;    // The highest mark "durable below this" in any valid block.
    uint32_t valid_count;

    // The second pass.
    weft_journal_replay *replay; // NULL while checking.
    void *self;
    uint8_t *record; // The record being put together, header first.
    size_t record_capacity;
    size_t record_bytes;
    uint64_t lsn_next; // 0: whatever comes first.
    uint64_t hash;
    uint64_t records;
    uint32_t snapshot_file; // Where the newest complete snapshot begins; 0 if none.
};

static int damage(struct recovery *r, const char *what, uint32_t file, uint64_t block)
{
    weft_error_set(r->error, ERROR_DAMAGE, "journal: segment %u, block %llu: %s", file,
                   (unsigned long long)block, what);
    weft_error_hint(r->error, "Restore the journal's directory from a copy, or move it away to "
                              "start this node without its units.");
    return -EBADMSG;
}

static int setup(struct recovery *r)
{
    const struct weft_journal_options *options = &r->journal->options;
    r->record_capacity = WEFT_JOURNAL_RECORD_BYTES + (size_t)options->record_bytes_max;
    r->blocks = aligned_alloc(WEFT_DISK_BLOCK_BYTES, READ_BLOCKS * WEFT_DISK_BLOCK_BYTES);
    r->files = calloc(WEFT_JOURNAL_SEGMENTS_MAX, sizeof(*r->files));
    r->chain = calloc(WEFT_JOURNAL_SEGMENTS_MAX, sizeof(*r->chain));
    r->record = malloc(r->record_capacity);
    return r->blocks && r->files && r->chain && r->record ? 0 : -ENOMEM;
}

static void teardown(struct recovery *r)
{
    free(r->record);
    free(r->chain);
    free(r->files);
    free(r->blocks);
}

// Is this whole, and the block `index` of `file`? 1, 0, or a negative errno.
static int check_block(struct recovery *r, const uint8_t *bytes, uint32_t file, uint32_t index,
                       struct weft_journal_block *block)
{
    const enum weft_journal_check check = weft_journal_block_open(bytes, block);
    if (check == WEFT_JOURNAL_NEWER) {
        weft_error_set(r->error, ERROR_DAMAGE,
                       "journal: segment %u is of format version %u, this program reads up to %u",
                       file, block->version, WEFT_JOURNAL_VERSION);
        return -EPROTONOSUPPORT;
    }
    if (check == WEFT_JOURNAL_INVALID) return 0;
    if (block->segment != file || block->index != index) return 0; // A block of a former use.
    if (!r->has_id) {
        r->journal->journal_id = block->journal_id;
        r->has_id = true;
    }
    if (block->journal_id != r->journal->journal_id)
        return damage(r, "belongs to another journal", file, index);
    r->valid_count++;
    if (block->durable > r->claim) r->claim = block->durable;
    return 1;
}

// A start had cut the journal at `sequence`: what the chain holds beyond is void.
static void cut_chain(struct recovery *r, uint64_t sequence)
{
    while (r->chain_count > 0) {
        struct segment *last = &r->chain[r->chain_count - 1];
        if (sequence > last->sequence) {
            if (last->block_count > sequence - last->sequence)
                last->block_count = (uint32_t)(sequence - last->sequence);
            break;
        }
        r->chain_count--;
    }
    r->sequence = sequence;
}

// May the segment with this block 0 go on from the chain as it stands?
static bool continues(struct recovery *r, const struct weft_journal_block *head)
{
    if (head->sequence == r->sequence) return true;
    // The oldest file may begin anywhere: those before it may have been removed. But where the
    // oldest is there and has no beginning, nothing follows it.
    if (r->chain_count == 0) return head->segment == r->files[0];
    if (!(head->flags & WEFT_JOURNAL_RESTART) || head->sequence > r->sequence) return false;
    if (head->sequence < r->chain[0].sequence) return false;
    cut_chain(r, head->sequence);
    return true;
}

static int scan_segment(struct recovery *r, uint32_t file)
{
    const struct weft_disk *disk = r->journal->disk;
    struct segment segment = {.file = file, .file_blocks = r->journal->options.segment_blocks};
    bool in_chain = true; // As long as nothing was missing.
    for (uint32_t index = 0; index < segment.file_blocks; index++) {
        if (index % READ_BLOCKS == 0) {
            const int result = disk->read(disk->self, file, index, r->blocks, READ_BLOCKS);
            if (result < 0) return result;
        }
        struct weft_journal_block block;
        const uint8_t *bytes = r->blocks + (size_t)(index % READ_BLOCKS) * WEFT_DISK_BLOCK_BYTES;
        const int valid = check_block(r, bytes, file, index, &block);
        if (valid < 0) return valid;
        if (valid && index == 0) {
            if (block.segment_blocks <= 65536) segment.file_blocks = block.segment_blocks;
            in_chain = continues(r, &block);
            segment.sequence = block.sequence;
            segment.flags = block.flags;
            segment.block_count = in_chain;
            continue;
        }
        if (!valid || index == 0 || block.sequence != segment.sequence + index) in_chain = false;
        if (in_chain) segment.block_count = index + 1;
        // The others are read for their marks only.
    }
    if (segment.block_count == 0) return 0;
    r->chain[r->chain_count++] = segment;
    r->sequence = segment.sequence + segment.block_count;
    return 0;
}

static int scan_blocks(struct recovery *r)
{
    const struct weft_disk *disk = r->journal->disk;
    const int count = disk->list(disk->self, r->files, WEFT_JOURNAL_SEGMENTS_MAX);
    if (count < 0) return count;
    if (count >= WEFT_JOURNAL_SEGMENTS_MAX - 2) return -ENFILE;
    r->file_count = (uint32_t)count;
    for (uint32_t i = 0; i < r->file_count; i++) {
        const int result = scan_segment(r, r->files[i]);
        if (result < 0) return result;
    }
    if (r->claim <= r->sequence) return 0;
    const struct segment *last = r->chain_count ? &r->chain[r->chain_count - 1] : NULL;
    return damage(r, "was acknowledged and no longer reads back", last ? last->file : r->files[0],
                  last ? last->block_count : 0);
}

static int end_record(struct recovery *r, const struct weft_journal_record *record)
{
    const struct weft_span payload =
        weft_span_of(r->record + WEFT_JOURNAL_RECORD_BYTES, record->length);
    const uint32_t crc = weft_journal_record_crc(r->journal->journal_id, record);
    if (weft_crc32c(crc, payload.data, payload.length) != record->crc) return -EBADMSG;
    // Behind the last number there is none: the next record could have any.
    if (record->flags != 0 || record->lsn == 0 || record->lsn == UINT64_MAX) return -EBADMSG;
    if (r->lsn_next != 0 && record->lsn != r->lsn_next) return -EBADMSG;
    r->lsn_next = record->lsn + 1;
    r->hash = weft_journal_hash_step(r->hash, record);
    r->record_bytes = 0;
    if (record->type == TYPE_SNAPSHOT_END && payload.length == 4)
        r->snapshot_file = weft_le32_get(payload.data);
    if (record->type > WEFT_JOURNAL_TYPE_MAX || !r->replay) return 0;
    r->records++;
    return r->replay(r->self, record->type, record->lsn, payload);
}

// Takes up to `length` bytes of the stream. How many, or a negative errno.
static int64_t feed(struct recovery *r, const uint8_t *bytes, size_t length)
{
    size_t wanted = WEFT_JOURNAL_RECORD_BYTES;
    struct weft_journal_record record;
    if (r->record_bytes >= wanted) {
        weft_journal_record_get(r->record, &record);
        wanted += record.length; // Checked below, when the header was whole.
    }
    size_t count = wanted - r->record_bytes;
    if (count > length) count = length;
    memcpy(r->record + r->record_bytes, bytes, count);
    r->record_bytes += count;
    if (r->record_bytes < wanted) return (int64_t)count;
    weft_journal_record_get(r->record, &record);
    if (record.length > r->journal->options.record_bytes_max) return -EBADMSG;
    if (r->record_bytes < WEFT_JOURNAL_RECORD_BYTES + record.length) return (int64_t)count;
    const int result = end_record(r, &record);
    return result < 0 ? result : (int64_t)count;
}

static int walk_block(struct recovery *r, const uint8_t *bytes)
{
    struct weft_journal_block block;
    if (weft_journal_block_open(bytes, &block) != WEFT_JOURNAL_VALID)
        return -EIO; // It has changed.
    for (size_t at = 0; at < block.payload_bytes;) {
        const int64_t taken =
            feed(r, bytes + WEFT_JOURNAL_HEADER_BYTES + at, block.payload_bytes - at);
        if (taken < 0) return (int)taken;
        at += (size_t)taken;
    }
    return 0;
}

static int walk_segment(struct recovery *r, const struct segment *segment)
{
    const struct weft_disk *disk = r->journal->disk;
    // A restart voids a record that had begun; a snapshot begins with one.
    if (segment->flags & (WEFT_JOURNAL_RESTART | WEFT_JOURNAL_SNAPSHOT)) r->record_bytes = 0;
    for (uint32_t index = 0; index < segment->block_count; index++) {
        const uint32_t place = index % READ_BLOCKS;
        if (place == 0) {
            const int result = disk->read(disk->self, segment->file, index, r->blocks, READ_BLOCKS);
            if (result < 0) return result;
        }
        const int result = walk_block(r, r->blocks + (size_t)place * WEFT_DISK_BLOCK_BYTES);
        if (result == -EBADMSG && !r->replay)
            return damage(r, "holds a record that is not valid", segment->file, index);
        if (result < 0) return result;
    }
    return 0;
}

static int walk_chain(struct recovery *r, uint32_t from)
{
    r->record_bytes = 0;
    r->lsn_next = 0;
    r->hash = 0;
    for (uint32_t i = from; i < r->chain_count; i++) {
        const int result = walk_segment(r, &r->chain[i]);
        if (result < 0) return result;
    }
    return 0;
}

// The place in the chain where the state begins: the newest complete snapshot, or the very first
// block.
static int find_beginning(struct recovery *r, uint32_t *from)
{
    uint32_t first = 0;
    if (r->chain_count == 0) return 0;
    // Where older segments have been removed the stream may begin inside a record: only a snapshot
    // begins with one, and only a complete one allowed the removal.
    const bool is_whole = r->chain[0].sequence == 0;
    while (!is_whole && first < r->chain_count && !(r->chain[first].flags & WEFT_JOURNAL_SNAPSHOT))
        first++;
    const int result = walk_chain(r, first);
    if (result < 0) return result;
    *from = 0;
    if (r->snapshot_file == 0 && is_whole) return 0;
    for (uint32_t i = first; i < r->chain_count; i++) {
        *from = i;
        if (r->chain[i].file == r->snapshot_file && r->chain[i].flags & WEFT_JOURNAL_SNAPSHOT)
            return 0;
    }
    return damage(r, "segments before this one are missing", r->chain[0].file, 0);
}

// Removes what is void: first the cut tail, so that nothing of it can ever follow the chain again.
// What a later start has cut off whole, in the middle, stays cut without it.
static int remove_void(struct recovery *r, uint32_t from)
{
    const struct weft_disk *disk = r->journal->disk;
    const uint32_t last = r->chain_count ? r->chain[r->chain_count - 1].file : 0;
    uint32_t next = from; // In the chain.
    for (uint32_t i = r->file_count; i-- > 0 && r->files[i] > last;) {
        const int result = disk->remove(disk->self, r->files[i]);
        if (result < 0) return result;
    }
    for (uint32_t i = 0; i < r->file_count && r->files[i] < last; i++) {
        if (r->files[i] == r->chain[next].file) {
            next++;
            continue;
        }
        const int result = disk->remove(disk->self, r->files[i]);
        if (result < 0) return result;
    }
    return 0;
}

// A start that came to nothing has left a segment with its block 0 alone. The next start begins at
// the same sequence, which cuts that off, and the one after it removes the file: a node that starts
// in a circle does not fill its disk. Not at once, and not by using the file again: a write of a
// process that was killed may still be under way to it. Where the fresh segment begins.
static uint64_t sequence_of_restart(const struct recovery *r, uint32_t from)
{
    uint64_t sequence = r->sequence;
    for (uint32_t count = r->chain_count; count > from + 1; count--) {
        const struct segment *last = &r->chain[count - 1];
        if (last->block_count != 1 || last->flags != WEFT_JOURNAL_RESTART) break;
        sequence = last->sequence;
    }
    return sequence;
}

// Sets the journal on a fresh segment behind the chain: nothing of the cut tail is ever written
// over. On a full disk there is none: what was found is good, and nothing can be added to it.
static int restart(struct recovery *r, uint32_t from)
{
    struct weft_journal *journal = r->journal;
    const struct weft_disk *disk = journal->disk;
    const uint32_t file = r->file_count ? r->files[r->file_count - 1] + 1 : 1;
    if (file == 0 || file == UINT32_MAX) return -ENFILE;
    const int result = disk->create(disk->self, file, journal->options.segment_blocks);
    if (result < 0 && result != -ENOSPC) return result;
    if (!r->has_id) journal->journal_id = journal->options.journal_id;
    const uint64_t sequence = sequence_of_restart(r, from);
    for (uint32_t i = from; i < r->chain_count; i++)
        journal->live[journal->live_count++] = r->chain[i].file;
    journal->durable = journal->started = journal->opened = sequence;
    journal->lsn_next = r->lsn_next ? r->lsn_next : 1;
    journal->lsn_acknowledged = journal->lsn_next - 1;
    journal->hash = journal->hash_acknowledged = r->hash;
    if (result == -ENOSPC) {
        journal->state = WEFT_JOURNAL_FAILED;
        journal->failure = result;
        return 0;
    }
    journal->file_next = file + 1;
    journal->create_wanted = true;
    journal->state = WEFT_JOURNAL_OPEN;
    weft_journal_segment_open(journal, file, sequence ? WEFT_JOURNAL_RESTART : 0);
    (void)weft_journal_tend(journal); // The spare segment. A full disk is told by the next chore.
    return 0;
}

static int recover(struct recovery *r, struct weft_journal_found *found)
{
    uint32_t from = 0;
    int result = setup(r);
    if (result == 0) result = scan_blocks(r);
    weft_journal_replay *replay = r->replay;
    r->replay = NULL;
    if (result == 0) result = find_beginning(r, &from);
    r->replay = replay;
    if (result == 0) result = walk_chain(r, from);
    if (result == 0) result = remove_void(r, from);
    if (result == 0) result = restart(r, from);
    if (result < 0 || !found) return result;
    uint64_t kept = 0;
    for (uint32_t i = 0; i < r->chain_count; i++)
        kept += r->chain[i].block_count;
    *found = (struct weft_journal_found){
        .records = r->records,
        .lsn_last = r->journal->lsn_acknowledged,
        .segments = r->chain_count - from,
        .blocks_cut = (uint32_t)(r->valid_count - kept),
        .is_new = r->chain_count == 0,
    };
    return 0;
}

int weft_journal_recover(struct weft_journal *journal, weft_journal_replay *replay, void *self,
                         struct weft_journal_found *found, struct weft_error *error)
{
    weft_assert(journal->state == WEFT_JOURNAL_NEW);
    struct recovery r = {.journal = journal, .error = error, .replay = replay, .self = self};
    const int result = recover(&r, found);
    teardown(&r);
    return result;
}
