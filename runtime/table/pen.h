// pen.h: reading the rows of a claimed bucket one after the other, and writing them down again, in
// the same order: there, without some of them, or in another bucket.
//
// A pen that writes where a reader reads never overtakes it: rows only become fewer, or stay. So
// both go through a bucket of any length in place, and a bucket of thousands of rows (a bag's)
// needs no copy.
#ifndef WEFT_TABLE_PEN_H
#define WEFT_TABLE_PEN_H

#include <errno.h>

#include "runtime/table/hash.h"

struct row_copy {
    uint64_t a, b;
    unsigned kind;
    uint8_t tag;
};

static inline uint64_t hash_of_copy(const struct weft_hash *hash, const struct row_copy *row)
{
    return row->kind == KIND_BLOCK ? row->a : weft_key_hash_word(row->a, hash->seed);
}

// ---- Reading.

struct row_reader {
    struct group group;
    uint64_t word, tags; // The group's, as it was when we came.
    unsigned at, used;
};

static inline struct row_reader read_rows(struct weft_bucket *bucket, uint64_t word, uint64_t tags)
{
    return (struct row_reader){group_of_bucket(bucket), word, tags, 0, slots_used(tags)};
}

static inline void enter_spill(struct row_reader *reader, struct weft_spill *spill)
{
    reader->group = group_of_spill(spill);
    reader->word = peek(&spill->word);
    reader->tags = peek(&spill->tags);
    reader->used = slots_used(reader->tags);
    reader->at = 0;
}

static inline bool is_at_link(const struct row_reader *reader)
{
    return kind_at(reader->word, reader->at) == KIND_LINK;
}

static inline struct weft_spill *link_of(const struct row_reader *reader)
{
    return (struct weft_spill *)(uintptr_t)peek(&reader->group.slots[reader->at].b);
}

static inline void copy_row(struct row_reader *reader, struct row_copy *row)
{
    const struct weft_slot *slot = &reader->group.slots[reader->at];
    *row = (struct row_copy){peek(&slot->a), peek(&slot->b), kind_at(reader->word, reader->at),
                             (uint8_t)(reader->tags >> 8 * reader->at)};
    reader->at++;
}

// Of a claimed bucket. False: that was the last.
static inline bool read_row(struct row_reader *reader, struct row_copy *row)
{
    if (reader->at == reader->used) return false;
    if (unlikely(is_at_link(reader))) enter_spill(reader, link_of(reader));
    copy_row(reader, row);
    return true;
}

// Of a bucket that others may write in. 0, -ENOENT: that was the last, WEFT_TABLE_BUSY.
static inline int read_shared_row(struct row_reader *reader, const struct opened *opened,
                                  struct row_copy *row)
{
    if (reader->at < reader->used && is_at_link(reader)) {
        struct weft_spill *spill = link_of(reader);
        if (!is_unchanged(opened->bucket, opened->word)) return WEFT_TABLE_BUSY;
        enter_spill(reader, spill);
    }
    const bool is_over = reader->at == reader->used;
    if (!is_over) copy_row(reader, row);
    if (!is_unchanged(opened->bucket, opened->word)) return WEFT_TABLE_BUSY;
    return is_over ? -ENOENT : 0;
}

// ---- Writing.

// The spills that `row_count` rows of one bucket need.
static inline unsigned spills_of(unsigned row_count)
{
    return row_count <= WEFT_BUCKET_SLOTS
               ? 0
               : (row_count - WEFT_BUCKET_SLOTS + WEFT_SPILL_SLOTS - 2) / (WEFT_SPILL_SLOTS - 1);
}

struct pen {
    struct weft_bucket *bucket;
    struct group group;
    uint64_t word, tags;      // The group's, as they will be.
    uint64_t head_word;       // The bucket's, once its group is left,
    uint64_t head_tags;       // likewise.
    struct weft_spill *next;  // The spill behind the group, from before.
    struct weft_spill *spare; // More, by link[0].
    unsigned at;
    unsigned left; // Rows to be written, this one included.
};

// The spill that the last slot of a group links to.
static inline struct weft_spill *linked(const struct group *group, uint64_t word)
{
    if (kind_at(word, group->slot_count - 1) != KIND_LINK) return NULL;
    return (struct weft_spill *)(uintptr_t)peek(&group->slots[group->slot_count - 1].b);
}

// Writes `row_count` rows to the claimed `bucket`. Of its word the version stays, of its tags the
// level.
static inline struct pen take_pen(struct weft_bucket *bucket, uint64_t word, uint64_t tags,
                                  unsigned row_count)
{
    struct pen pen = {.bucket = bucket, .group = group_of_bucket(bucket), .left = row_count};
    pen.next = linked(&pen.group, word);
    pen.word = word & ~KINDS_MASK;
    pen.tags = tags & GONE; // The bits of a level.
    return pen;
}

static inline void leave_group(struct pen *pen)
{
    if (pen->group.word == &pen->bucket->word) {
        pen->head_word = pen->word;
        pen->head_tags = pen->tags;
        poke(&pen->bucket->tags, pen->tags);
    } else {
        poke(pen->group.word, pen->word);
        poke(pen->group.tags, pen->tags);
    }
}

static inline void go_to_spill(struct pen *pen)
{
    struct weft_spill *spill = pen->next;
    if (spill == NULL) {
        spill = pen->spare;
        pen->spare = spill->link[0];
        poke(&spill->word, 0);
    }
    poke(&pen->group.slots[pen->at].b, (uintptr_t)spill);
    pen->word |= (uint64_t)KIND_LINK << KIND_BITS * pen->at;
    pen->tags = more_tags(pen->tags, 0);
    leave_group(pen);
    pen->group = group_of_spill(spill);
    pen->next = linked(&pen->group, peek(&spill->word));
    pen->word = pen->tags = 0;
    pen->at = 0;
}

static inline void write_row(struct pen *pen, const struct row_copy *row)
{
    if (unlikely(pen->at == pen->group.slot_count - 1 && pen->left > 1)) go_to_spill(pen);
    struct weft_slot *slot = &pen->group.slots[pen->at];
    poke(&slot->a, row->a);
    poke(&slot->b, row->b);
    pen->word |= (uint64_t)row->kind << KIND_BITS * pen->at;
    pen->tags = more_tags(pen->tags, row->tag);
    pen->at++;
    pen->left--;
}

// Done: the word of the bucket, to be unclaimed with. Spills that are not needed are retired.
static inline uint64_t lay_down(struct pen *pen, struct weft_op *op)
{
    struct weft_spill *spill = pen->next;
    leave_group(pen);
    while (spill != NULL) {
        const struct group group = group_of_spill(spill);
        struct weft_spill *next = linked(&group, peek(&spill->word));
        weft_table_op_retire(op, (struct weft_message *)(void *)spill);
        spill = next;
    }
    return pen->head_word;
}

// `count` spills in a chain. False: no memory, and none.
bool weft_spills_take(struct weft_op *op, unsigned count, struct weft_spill **chain);

#endif // WEFT_TABLE_PEN_H
