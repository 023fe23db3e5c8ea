// internal.h: what the files of this directory know of each other's functions.
//
//   tables.c   which table a number or a name is; how one begins and ends
//   owner.c    owner and heir
//   table.c    the public functions on rows; scan.c those on many of them
//   hash.c     rows of sets and bags: a linear hash of buckets (bucket.h); hash_grow.c, hash_scan.c
//   tree.c     rows of ordered sets: a B+tree; tree_write.c, tree_scan.c
//   limbo.c    blocks on their way out: when may they be used again
#ifndef WEFT_TABLE_INTERNAL_H
#define WEFT_TABLE_INTERNAL_H

#include "runtime/actor/internal.h"
#include "runtime/sched/fence.h"
#include "runtime/sched/quiesce.h"
#include "runtime/table/row.h"
#include "runtime/table/table.h"

#define always_inline static inline __attribute__((always_inline))

// What an operation answers inside when another core has its hands on the rows: again. No errno,
// and nothing that a user's function returns.
#define WEFT_TABLE_BUSY INT32_MIN

// ---- Rows: a hash or a tree, with what both have. In a block of its own.

// What was inserted less what was deleted, by the writes of one core. Sums over all cores are the
// table's; one alone may be below zero.
struct weft_table_stripe {
    _Alignas(WEFT_CORE_ALIGN) weft_counter row_count;
    weft_counter bytes;
};

struct weft_rows {
    bool is_tree;
    bool is_bag;
    bool is_shared; // Several cores may write at once; else only one actor does.
    uint16_t stripe_count;
    uint16_t stripe_mask; // 0: all cores have the same one, as one actor writes at a time.
    struct weft_table_stripe *stripes;
    struct weft_message *stripe_block;
    uint64_t reaped;           // How far it has been taken apart,
    struct weft_message *left; // and what is still to be.
};

static inline struct weft_table_stripe *weft_rows_stripe(const struct weft_rows *rows,
                                                         const struct weft_actor_system *system)
{
    return &rows->stripes[system->index & rows->stripe_mask];
}

// The block that has `content` behind its header.
static inline struct weft_message *weft_block_of(void *content)
{
    return (struct weft_message *)(void *)((uint8_t *)content -
                                           offsetof(struct weft_message, payload));
}

// ---- One operation: who does it, to what.

struct weft_table_core;

struct weft_op {
    struct weft_actor_system *system;
    struct weft_table_core *core;
    struct weft_rows *rows;
    struct weft_table_stripe *stripe;
    size_t memory_max;
    int error; // Of the last allocation that failed.
};

static inline void weft_table_op_count(const struct weft_op *op, int64_t rows)
{
    weft_counter_add(&op->stripe->row_count, (uint64_t)rows);
}

// Takes a block, counted as the table's. NULL with op->error set.
struct weft_message *weft_table_op_alloc(struct weft_op *op, size_t hidden);
// Gives a block back that nobody has seen, or (retire) that somebody may still look at.
void weft_table_op_discard(struct weft_op *op, struct weft_message *block);
void weft_table_op_retire(struct weft_op *op, struct weft_message *block);

// Makes the cell of a value: a block, if it or the key does not fit a slot. 0, -ENOMEM, -ENOSPC.
int weft_cell_make(struct weft_op *op, const struct weft_key *key, const void *value, size_t length,
                   struct weft_cell *cell);
void weft_cell_discard(struct weft_op *op, struct weft_cell *cell);

// A new struct of `struct_bytes` that begins with rows as `like`, in op->rows and counted. 0,
// -ENOMEM.
int weft_rows_make(struct weft_op *op, const struct weft_rows *like, size_t struct_bytes);
void weft_rows_discard(struct weft_op *op);
// Nobody finds them any more: they are taken apart when nobody looks at them either.
void weft_rows_retire(struct weft_table_core *core, struct weft_rows *rows);

uint64_t weft_rows_count(const struct weft_rows *rows);
size_t weft_rows_bytes(const struct weft_rows *rows);

// ---- limbo.c

#define WEFT_LIMBO_ROWS 1 // `type` of a block in limbo that holds a struct weft_rows.

struct weft_table_core { // Of one core.
    _Alignas(WEFT_CORE_ALIGN) struct weft_actor_system *system;
    struct weft_message *fresh;   // Retired since the epoch below was taken.
    struct weft_message *waiting; // Retired before.
    uint64_t epoch;
    struct weft_message *free;    // Nobody looks at them any more.
    struct weft_message *reaping; // Rows that are being taken apart.
};

void weft_limbo_put(struct weft_table_core *core, struct weft_message *block);
int weft_limbo_attach(struct weft_table_core *core, struct weft_actor_system *system);
// Takes apart up to `limit` pieces. True: all is gone but the block of `rows` itself.
bool weft_hash_reap(struct weft_table_core *core, struct weft_rows *rows, uint32_t limit);
bool weft_tree_reap(struct weft_table_core *core, struct weft_rows *rows, uint32_t limit);
// For these: a block that nobody looks at.
void weft_limbo_free(struct weft_table_core *core, struct weft_message *block);

// ---- Hash and tree: the same functions. All answer 0, a negative errno, or WEFT_TABLE_BUSY.

enum weft_put {
    WEFT_PUT_ANY,  // In place of the row with this key, if there is one.
    WEFT_PUT_NEW,  // -EEXIST: there is one.
    WEFT_PUT_SAME, // Only in place of a row that is there. -ENOENT: it is not.
    WEFT_PUT_ADD   // Beside those with this key. -EEXIST: the same row is there.
};

// Which of the rows with a key. NULL stands for: the first.
struct weft_which {
    const struct weft_seen *same; // This one, if it has not changed.
    const void *value;            // One with this value, of `length` bytes, if has_value.
    size_t length;
    bool has_value;
};

static inline bool weft_which_fits(const struct weft_which *which, const struct weft_seen *seen)
{
    if (which->same != NULL && !weft_seen_is_same(seen, which->same)) return false;
    return !which->has_value || weft_seen_has_value(seen, which->value, which->length);
}

// Rows of a scan, as they were at one moment.
#define WEFT_SCAN_ROWS 16
struct weft_scanned {
    unsigned count;
    bool is_end;   // There are no more.
    bool is_part;  // Of the place of the last row there are perhaps more (hash).
    uint64_t next; // Else: where to go on (hash).
    struct {
        struct weft_seen seen;
        uint64_t place; // Where it stands in the order of the scan (hash).
    } rows[WEFT_SCAN_ROWS];
};

// Makes what a hash or a tree begins with; op->rows is there already. 0, or a negative errno.
int weft_hash_begin(struct weft_op *op, uint64_t seed, uint64_t row_count_hint);
int weft_hash_find(const struct weft_rows *rows, const struct weft_key *key,
                   struct weft_seen *seen);
int weft_hash_find_u64(const struct weft_rows *rows, uint64_t number, struct weft_seen *seen);
// Starts to fetch the bucket of a key.
void weft_hash_prefetch(const struct weft_rows *rows, uint64_t number);
int weft_hash_put(struct weft_op *op, const struct weft_key *key, const struct weft_cell *cell,
                  enum weft_put how, const struct weft_which *which);
// *removed (may be NULL) is the row that went.
int weft_hash_remove(struct weft_op *op, const struct weft_key *key, const struct weft_which *which,
                     struct weft_seen *removed);
int weft_hash_remove_all(struct weft_op *op, const struct weft_key *key);
int weft_hash_add(struct weft_op *op, const struct weft_key *key, int64_t add, int64_t *value);
// All rows with a key, of which up to `limit` are stored. Sets *count, which may be more.
int weft_hash_find_all(const struct weft_rows *rows, const struct weft_key *key,
                       struct weft_seen *seen, unsigned limit, unsigned *count);
// The next few rows from `cursor` on.
int weft_hash_scan(const struct weft_rows *rows, const struct weft_table_cursor *cursor,
                   struct weft_scanned *scanned);

int weft_tree_begin(struct weft_op *op);
int weft_tree_find(const struct weft_rows *rows, const struct weft_key *key,
                   struct weft_seen *seen);
bool weft_tree_look_fast(const struct weft_rows *rows, uint64_t number, uint64_t *value);
int weft_tree_put(struct weft_op *op, const struct weft_key *key, const struct weft_cell *cell,
                  enum weft_put how, const struct weft_which *which);
int weft_tree_remove(struct weft_op *op, const struct weft_key *key, const struct weft_which *which,
                     struct weft_seen *removed);
int weft_tree_add(struct weft_op *op, const struct weft_key *key, int64_t add, int64_t *value);
// The next few rows behind `key` in its order (`is_at`: from it on); NULL: from the first on.
int weft_tree_scan(const struct weft_rows *rows, const struct weft_key *key, bool is_at,
                   struct weft_scanned *scanned);
// The row behind `key`, or before it; NULL: the first, or the last. -ENOENT: there is none.
int weft_tree_after(const struct weft_rows *rows, const struct weft_key *key,
                    struct weft_seen *seen);
int weft_tree_before(const struct weft_rows *rows, const struct weft_key *key,
                     struct weft_seen *seen);

#endif // WEFT_TABLE_INTERNAL_H
