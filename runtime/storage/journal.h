// journal.h: the node's journal: records appended in memory, made durable in groups, found again.
//
// A write-ahead log of fixed-size segments (Mohan et al., ARIES, 1992, for the log sequence number;
// Gawlick and Kinkade 1985 for group commit) over struct weft_disk. An engine: no thread, no clock,
// no system call; one core owns it.
//
//   append   copies the record into the open block                      never waits
//   flush    closes the open block if a write can be started now, and starts writes (several in
//   flight) poll     takes completions; a record is acknowledged when every block up to its end is
//   durable
//
// Each group starts a new block. A block that holds acknowledged records is never written again, so
// a torn write can only hurt what nobody was promised. While all writes are in flight the open
// block goes on filling: the slower the disk, the larger the group.
//
// A write that fails stops the journal: what is durable is then unknown (fsync's lesson: retrying
// says yes to what is lost). append answers -EIO from then on; the node has to say so and start
// anew.
//
// Compaction: the owner copies its state forward. weft_journal_snapshot_begin opens a fresh
// segment; the owner appends its whole state as ordinary records, in as many turns as it likes and
// with other records in between, then calls weft_journal_snapshot_end. When the end is durable the
// segments before are void and become chores. Until then the journal reads as one stream from its
// old beginning, so a crash at any point finds everything. The law for the owner: replay is "the
// latest record of a name wins", and a record copied forward is the state at the moment of that
// append.
//
// Files are made and removed by chores, because that blocks: the owner hands them to the control
// core (weft_journal_chore_next / _run / _done), or calls weft_journal_tend where waiting is fine.
#ifndef WEFT_STORAGE_JOURNAL_H
#define WEFT_STORAGE_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/error.h"
#include "runtime/base/span.h"
#include "runtime/env/disk.h"
#include "runtime/storage/journal_format.h"

#define WEFT_JOURNAL_WRITES       16               // In flight, at most.
#define WEFT_JOURNAL_TYPE_MAX     UINT16_C(0xfeff) // Types above are the journal's own.
#define WEFT_JOURNAL_SEGMENTS_MAX 4096

struct weft_journal_options {
    uint64_t journal_id;          // For a journal that does not exist yet: random.
    uint32_t segment_blocks;      // Of a new segment. 0: 1024 (4 MiB).
    uint32_t buffer_blocks;       // Memory for what is not durable yet. 0: 768 (3 MiB).
    uint32_t write_blocks_max;    // Of one write. 0: 32 (128 KiB).
    uint32_t record_bytes_max;    // Of one record's payload. 0: 1 MiB + 64 KiB.
    uint32_t segment_count_bound; // More live segments than this want a snapshot. 0: 16.
};

enum weft_journal_state {
    WEFT_JOURNAL_NEW, // Not recovered yet: append is refused.
    WEFT_JOURNAL_OPEN,
    WEFT_JOURNAL_FAILED, // A write failed; `failure` says why.
};

enum weft_journal_chore_kind { WEFT_JOURNAL_CREATE = 1, WEFT_JOURNAL_REMOVE = 2 };

struct weft_journal_chore { // A copy that may travel to another core and back.
    enum weft_journal_chore_kind kind;
    uint32_t file;
    uint32_t block_count;
    int result; // 0 or a negative errno, set by weft_journal_chore_run.
};

struct weft_journal_stats {
    uint64_t records, record_bytes; // Appended; payload only.
    uint64_t blocks, writes;        // Started: bytes on disk are blocks x 4096.
    uint64_t refused;               // Appends answered -ENOBUFS.
    uint64_t snapshots;             // Ended and durable.
};

struct weft_journal_slot { // What we know of a block in the buffer.
    uint64_t lsn;          // Of the last record that ends in it or before.
    uint64_t hash;         // Of all records up to there.
    uint32_t segment;
    uint32_t index;
    uint16_t payload_bytes;
    uint16_t flags;
    bool durable;
};

struct weft_journal_write {
    uint64_t sequence;    // Of its first block.
    uint32_t block_count; // 0: free.
};

struct weft_journal {
    const struct weft_disk *disk;
    struct weft_journal_options options;
    enum weft_journal_state state;
    int failure; // Negative errno of the write that failed.
    uint64_t journal_id;

    // Blocks by sequence: durable <= started <= opened. Block n stands in the buffer at n % blocks.
    uint8_t *buffer;
    struct weft_journal_slot *slots;
    uint64_t durable; // First block not known to be durable.
    uint64_t started; // First block whose write has not been started.
    uint64_t opened;  // One past the newest block; it is still open if `is_open`.
    bool is_open;

    uint64_t lsn_next;
    uint64_t lsn_acknowledged;
    uint64_t hash;              // Over all records appended.
    uint64_t hash_acknowledged; // Over those acknowledged.

    uint32_t segment;    // The file that is being filled.
    uint32_t index_next; // In it.
    uint32_t spare;      // A file made ready, 0 if none.
    uint32_t file_next;  // Never used before.
    bool create_wanted;  // A chore to make `file_next` is to be handed out,
    bool create_running; // or has been.
    uint32_t *live;      // Segments in use, ascending.
    uint32_t live_count;
    uint32_t *removing; // Void segments, to be removed, oldest first.
    uint32_t removing_count;
    bool remove_running;

    uint32_t snapshot_segment; // 0: no snapshot is being written.
    uint64_t snapshot_lsn;     // Of its end record, 0 before that.

    struct weft_journal_write writes[WEFT_JOURNAL_WRITES];
    uint32_t write_count;
    struct weft_journal_stats stats;
};

// One record found at start. `payload` lives until the call returns. 0, or a negative errno to
// stop.
typedef int weft_journal_replay(void *self, uint16_t type, uint64_t lsn, struct weft_span payload);

struct weft_journal_found { // What recovery met.
    uint64_t records;       // Handed to the callback.
    uint64_t lsn_last;      // 0 if none.
    uint32_t segments;
    uint32_t blocks_cut; // Whole blocks behind the first gap: written, never acknowledged.
    bool is_new;         // There was no journal.
};

// Takes memory (malloc) for the buffer: before the core starts. `disk` outlives the journal.
// 0; -EINVAL if the options contradict each other; -ENOMEM.
int weft_journal_init(struct weft_journal *journal, const struct weft_disk *disk,
                      const struct weft_journal_options *options);
// The caller has seen to it that no write is in flight (weft_journal_idle), or the disk is gone.
void weft_journal_destroy(struct weft_journal *journal);

// Reads everything and calls `replay` for each record from the newest complete snapshot on, in
// order. Cuts the tail that a crash left: a restarted journal goes on in a fresh segment. Blocks;
// once, first. `found` may be NULL. 0; or what `replay` answered; or -EBADMSG with W0701 in `error`
// (may be NULL): a block that was acknowledged is missing, which is damage and not a torn tail. It
// is told apart by what later blocks say: each carries the mark up to which all was durable when it
// was written, and a mark above the first gap convicts it. Damage behind the newest mark cannot be
// told from a torn tail; weft_journal_seal at a clean stop leaves such a mark. -EPROTONOSUPPORT: a
// newer version wrote it. Without room for the fresh segment the journal has failed (-ENOSPC) from
// the beginning, and 0 is answered: what was acknowledged is there. On an error the files are as
// they were and the records handed out are not to be trusted.
int weft_journal_recover(struct weft_journal *journal, weft_journal_replay *replay, void *self,
                         struct weft_journal_found *found, struct weft_error *error);

// Appends one record of a + b. Its lsn (> 0); -ENOBUFS: nothing changed, try after a poll or a
// chore; -EMSGSIZE; -EINVAL: a type of the journal's own; -EIO: the journal has failed.
int64_t weft_journal_append(struct weft_journal *journal, uint16_t type, struct weft_span a,
                            struct weft_span b);
// Starts what writes it can. Once per turn.
void weft_journal_flush(struct weft_journal *journal);
// Takes completions. The lsn up to which every record is durable.
uint64_t weft_journal_poll(struct weft_journal *journal);

// True if nothing is in flight and nothing waits to be written (or never will: the journal failed).
bool weft_journal_idle(const struct weft_journal *journal);
// True if records wait for a flush: sleep only when false, or flush first.
bool weft_journal_dirty(const struct weft_journal *journal);
// Appends an empty record whose block carries the mark over all before it. As append. Before a
// clean stop: poll until the journal is idle, seal, flush, poll until idle again.
int64_t weft_journal_seal(struct weft_journal *journal);

// True if the live segments exceed the bound and no snapshot is being written.
bool weft_journal_snapshot_wanted(const struct weft_journal *journal);
// 0; -EALREADY; -ENOBUFS: no spare segment or no block is free yet; -EIO.
int weft_journal_snapshot_begin(struct weft_journal *journal);
// 0; -EINVAL without a begin; -ENOBUFS; -EIO.
int weft_journal_snapshot_end(struct weft_journal *journal);

// The next thing to do with files; false if there is none. Each is handed out once and is to be run
// on a thread that may block, then reported back on the journal's core.
bool weft_journal_chore_next(struct weft_journal *journal, struct weft_journal_chore *chore);
void weft_journal_chore_run(const struct weft_disk *disk, struct weft_journal_chore *chore);
void weft_journal_chore_done(struct weft_journal *journal, const struct weft_journal_chore *chore);
// All of it here and now. 0, or the first negative errno.
int weft_journal_tend(struct weft_journal *journal);

// A number that two runs from one seed share: over the acknowledged records, those found at start
// included.
uint64_t weft_journal_hash(const struct weft_journal *journal);

#endif // WEFT_STORAGE_JOURNAL_H
