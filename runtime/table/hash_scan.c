// hash_scan.c: the rows of a hash in an order that does not change while it grows and shrinks: that
// of their hashes read from the lowest bit up.
//
// A bucket of level l has the hashes that end in l given bits. Read backwards they begin with them:
// so each bucket is one stretch of that order, and a bucket that is split or merged is a stretch
// cut in two, or two joined. A scan that remembers a place in the order goes on there whatever has
// happened to the buckets: it sees each row that is there all the time exactly once.
#include "runtime/table/hash.h"
#include "runtime/table/pen.h"

static uint64_t reversed(uint64_t word)
{
    word = __builtin_bswap64(word);
    word = (word >> 4 & UINT64_C(0x0f0f0f0f0f0f0f0f)) | (word & UINT64_C(0x0f0f0f0f0f0f0f0f)) << 4;
    word = (word >> 2 & UINT64_C(0x3333333333333333)) | (word & UINT64_C(0x3333333333333333)) << 2;
    return (word >> 1 & UINT64_C(0x5555555555555555)) | (word & UINT64_C(0x5555555555555555)) << 1;
}

struct picked {
    uint64_t place[WEFT_SCAN_ROWS]; // Ascending.
    struct row_copy row[WEFT_SCAN_ROWS];
    unsigned count;
    bool is_all; // No row was left out for want of room.
};

// Keeps the first rows of the order. Of equal places the older row comes first.
static void pick(struct picked *picked, uint64_t place, const struct row_copy *row)
{
    unsigned at = picked->count;
    while (at > 0 && picked->place[at - 1] > place)
        at--;
    if (picked->count == WEFT_SCAN_ROWS) {
        picked->is_all = false;
        if (at == WEFT_SCAN_ROWS) return;
        picked->count--;
    }
    for (unsigned i = picked->count; i > at; i--) {
        picked->place[i] = picked->place[i - 1];
        picked->row[i] = picked->row[i - 1];
    }
    picked->place[at] = place;
    picked->row[at] = *row;
    picked->count++;
}

// The rows of a bucket from `cursor` on. False: a core writes there.
static bool pick_rows(const struct weft_hash *hash, const struct opened *opened,
                      const struct weft_table_cursor *cursor, struct picked *picked)
{
    struct row_reader reader = read_rows(opened->bucket, opened->word, opened->tags);
    uint32_t skip = cursor->skip;
    picked->count = 0;
    picked->is_all = true;
    for (struct row_copy row;;) {
        const int result = read_shared_row(&reader, opened, &row);
        if (result != 0) return result == -ENOENT;
        const uint64_t place = reversed(hash_of_copy(hash, &row));
        if (place < cursor->position) continue;
        if (place == cursor->position && skip > 0)
            skip--;
        else
            pick(picked, place, &row);
    }
}

static void show(const struct row_copy *row, struct weft_seen *seen)
{
    if (row->kind == KIND_BLOCK) {
        weft_seen_load_row(seen, (struct weft_row *)(uintptr_t)row->b);
        return;
    }
    const bool is_short = (row->kind & KIND_SHORT) != 0;
    *seen = (struct weft_seen){
        .prefix = is_short ? row->a & ~UINT64_C(0xff) : row->a,
        .value = row->b,
        .key_length = (uint8_t)(is_short ? row->a & 0xff : WEFT_KEY_SHORT),
        .value_length = (uint8_t)kind_value_length(row->kind),
    };
}

int weft_hash_scan(const struct weft_rows *rows, const struct weft_table_cursor *cursor,
                   struct weft_scanned *scanned)
{
    const struct weft_hash *hash = weft_hash_of(rows);
    struct opened opened;
    struct picked picked;
    const int result = open_bucket(hash, reversed(cursor->position), &opened);
    if (result != 0) return result;
    if (!pick_rows(hash, &opened, cursor, &picked)) return WEFT_TABLE_BUSY;
    scanned->count = picked.count;
    for (unsigned i = 0; i < picked.count; i++) {
        scanned->rows[i].place = picked.place[i];
        show(&picked.row[i], &scanned->rows[i].seen);
    }
    const unsigned level = level_of(opened.tags);
    const uint64_t stretch = level == 0 ? 0 : UINT64_C(1) << (64 - level); // 0: all there is.
    scanned->is_part = !picked.is_all;
    scanned->next = (cursor->position & ~(stretch - 1)) + stretch;
    scanned->is_end = picked.is_all && (level == 0 || scanned->next == 0);
    // Stretches that follow each other are far apart.
    __builtin_prefetch(bucket_at(hash, number_of(hash, reversed(scanned->next))));
    return 0;
}
