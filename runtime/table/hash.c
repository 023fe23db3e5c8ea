// hash.c: one row of a set or a bag: finding it, putting it, counting in it, removing it.
#include "runtime/table/hash.h"

#include <errno.h>

#include "runtime/table/pen.h"

// What is looked for, in the words of a slot.
struct wanted {
    const struct weft_key *key;
    uint64_t word;       // The key's, if it fits a slot.
    unsigned kind_class; // Of slots that it can stand in: KIND_SHORT, 0, or none at all.
    const struct weft_which *which;
};

#define NO_CLASS 64

static inline struct wanted wanted_of(const struct weft_key *key, const struct weft_which *which)
{
    struct wanted wanted = {.key = key, .kind_class = NO_CLASS, .which = which};
    if (key->length <= WEFT_KEY_SHORT) {
        wanted.word = weft_key_word(key->prefix, key->length);
        wanted.kind_class = key->length < WEFT_KEY_SHORT ? KIND_SHORT : 0;
    }
    return wanted;
}

struct found {
    struct group group; // Where it stands; without one: the last group.
    uint64_t word;      // The group's.
    unsigned slot;
    unsigned kind;
    uint64_t b;
    unsigned ordinal; // Rows before it; without one: all rows.
};

static void load_seen(const struct weft_key *key, const struct found *found, struct weft_seen *seen)
{
    if (found->kind == KIND_BLOCK) {
        weft_seen_load_row(seen, (struct weft_row *)(uintptr_t)found->b);
        return;
    }
    *seen = (struct weft_seen){.prefix = key->prefix,
                               .value = found->b,
                               .key_length = (uint8_t)key->length,
                               .value_length = (uint8_t)kind_value_length(found->kind)};
}

// Looks through one group. 0 if it is there, -ENOENT, WEFT_TABLE_BUSY.
always_inline int find_in_group(const struct opened *opened, const struct wanted *wanted,
                                struct group group, uint64_t word, uint64_t tags,
                                struct found *found)
{
    for (uint64_t matches = tag_matches(tags, tag_of(wanted->key->hash)); matches != 0;
         matches &= matches - 1) {
        const unsigned slot = slot_of_match(matches), kind = kind_at(word, slot);
        if (unlikely(kind == KIND_FREE)) continue; // Perhaps a slot that a spill does not have.
        const uint64_t a = peek(&group.slots[slot].a), b = peek(&group.slots[slot].b);
        if (likely(kind_is_inline(kind))) {
            if (a != wanted->word || (kind & KIND_SHORT) != wanted->kind_class) continue;
        } else {
            if (kind != KIND_BLOCK || a != wanted->key->hash) continue;
            if (!is_unchanged(opened->bucket, opened->word)) return WEFT_TABLE_BUSY;
            if (!weft_row_has_key((struct weft_row *)(uintptr_t)b, wanted->key)) continue;
        }
        found->group = group;
        found->word = word;
        found->slot = slot;
        found->kind = kind;
        found->b = b;
        if (unlikely(wanted->which != NULL)) {
            struct weft_seen seen;
            if (kind == KIND_BLOCK && !is_unchanged(opened->bucket, opened->word))
                return WEFT_TABLE_BUSY;
            load_seen(wanted->key, found, &seen);
            if (!weft_which_fits(wanted->which, &seen)) continue;
        }
        found->ordinal += slot;
        return 0;
    }
    return -ENOENT;
}

// The rest of a bucket with spills.
static __attribute__((noinline)) int
find_in_spills(const struct opened *opened, const struct wanted *wanted, struct found *found)
{
    struct group group = group_of_bucket(opened->bucket);
    uint64_t word = opened->word, tags = opened->tags;
    for (;;) {
        const struct weft_spill *next = linked(&group, word);
        if (!is_unchanged(opened->bucket, opened->word)) return WEFT_TABLE_BUSY;
        if (next == NULL) break;
        found->ordinal += group.slot_count - 1;
        group = group_of_spill((struct weft_spill *)(uintptr_t)next);
        word = peek(group.word);
        tags = peek(group.tags);
        const int result = find_in_group(opened, wanted, group, word, tags, found);
        if (result != -ENOENT) return result;
    }
    found->group = group;
    found->word = word;
    found->slot = slots_used(tags);
    found->ordinal += found->slot;
    return -ENOENT;
}

always_inline int find(const struct opened *opened, const struct wanted *wanted,
                       struct found *found)
{
    found->ordinal = 0;
    const struct group group = group_of_bucket(opened->bucket);
    const int result = find_in_group(opened, wanted, group, opened->word, opened->tags, found);
    if (likely(result != -ENOENT)) return result;
    if (unlikely(kind_at(opened->word, WEFT_BUCKET_SLOTS - 1) == KIND_LINK))
        return find_in_spills(opened, wanted, found);
    found->group = group;
    found->word = opened->word;
    found->slot = found->ordinal = slots_used(opened->tags);
    return -ENOENT;
}

always_inline int find_key(const struct weft_hash *hash, const struct weft_key *key,
                           struct weft_seen *seen)
{
    const struct wanted wanted = wanted_of(key, NULL);
    struct opened opened;
    struct found found;
    int result = open_bucket(hash, key->hash, &opened);
    if (unlikely(result != 0)) return result;
    result = find(&opened, &wanted, &found);
    if (unlikely(!is_unchanged(opened.bucket, opened.word))) return WEFT_TABLE_BUSY;
    if (likely(result == 0)) load_seen(key, &found, seen);
    return result;
}

int weft_hash_find(const struct weft_rows *rows, const struct weft_key *key, struct weft_seen *seen)
{
    return find_key(weft_hash_of(rows), key, seen);
}

int weft_hash_find_u64(const struct weft_rows *rows, uint64_t number, struct weft_seen *seen)
{
    const struct weft_hash *hash = weft_hash_of(rows);
    struct weft_key key = weft_key_of_u64(number);
    key.hash = weft_key_hash_word(number, hash->seed);
    return find_key(hash, &key, seen);
}

void weft_hash_prefetch(const struct weft_rows *rows, uint64_t number)
{
    const struct weft_hash *hash = weft_hash_of(rows);
    const uint64_t value = weft_key_hash_word(number, hash->seed);
    const struct weft_bucket *bucket = bucket_at(hash, number_of(hash, value));
    __builtin_prefetch(bucket);
    __builtin_prefetch(&bucket->slots[3]);
}

// A copy of a row at a time, for who wants all with a key.
static bool copy_has_key(const struct row_copy *row, const struct wanted *wanted)
{
    if (row->kind != KIND_BLOCK)
        return row->a == wanted->word && (row->kind & KIND_SHORT) == wanted->kind_class;
    return row->a == wanted->key->hash &&
           weft_row_has_key((struct weft_row *)(uintptr_t)row->b, wanted->key);
}

int weft_hash_find_all(const struct weft_rows *rows, const struct weft_key *key,
                       struct weft_seen *seen, unsigned limit, unsigned *count)
{
    const struct wanted wanted = wanted_of(key, NULL);
    struct opened opened;
    const int opening = open_bucket(weft_hash_of(rows), key->hash, &opened);
    if (opening != 0) return opening;
    struct row_reader reader = read_rows(opened.bucket, opened.word, opened.tags);
    *count = 0;
    for (struct row_copy row;;) {
        const int read = read_shared_row(&reader, &opened, &row);
        if (read == WEFT_TABLE_BUSY) return read;
        if (read == -ENOENT) return *count > 0 ? 0 : -ENOENT;
        if (!copy_has_key(&row, &wanted)) continue;
        const struct found found = {.kind = row.kind, .b = row.b};
        if (*count < limit) load_seen(key, &found, &seen[*count]);
        ++*count;
    }
}

// ---- Writing.

// Sets the kind of a slot: of the bucket in *word, of a spill where it is.
static inline void set_kind(struct opened *opened, const struct found *found, unsigned kind)
{
    if (found->group.word == &opened->bucket->word)
        opened->word = with_kind(opened->word, found->slot, kind);
    else
        poke(found->group.word, with_kind(peek(found->group.word), found->slot, kind));
}

static inline struct row_copy copy_of(const struct wanted *wanted, const struct weft_cell *cell)
{
    const uint8_t tag = tag_of(wanted->key->hash);
    if (cell->row != NULL)
        return (struct row_copy){wanted->key->hash, (uintptr_t)cell->row, KIND_BLOCK, tag};
    return (struct row_copy){wanted->word, cell->value,
                             KIND_INLINE + cell->value_length + wanted->kind_class, tag};
}

static inline void store_row(struct opened *opened, const struct found *found,
                             const struct row_copy *row)
{
    struct weft_slot *slot = &found->group.slots[found->slot];
    poke(&slot->a, row->a);
    poke(&slot->b, row->b);
    set_kind(opened, found, row->kind);
}

static void retire_row(struct weft_op *op, unsigned kind, uint64_t b)
{
    if (kind == KIND_BLOCK)
        weft_table_op_retire(op, weft_row_block((struct weft_row *)(uintptr_t)b));
}

static int replace(struct weft_op *op, struct opened *opened, const struct found *found,
                   const struct row_copy *row)
{
    if (!claim(opened->bucket, opened->word, op->rows->is_shared)) return WEFT_TABLE_BUSY;
    store_row(opened, found, row);
    unclaim(opened->bucket, opened->word);
    retire_row(op, found->kind, found->b);
    return 0;
}

// Puts a row behind the others, into the last group, which has room.
static inline void append_here(struct opened *opened, const struct found *end,
                               const struct row_copy *row)
{
    poke(end->group.tags, more_tags(peek(end->group.tags), row->tag));
    store_row(opened, end, row);
}

// The same when the last group is full: its last row moves on into a spill, and links to it.
static void append_spill(struct opened *opened, const struct found *end, struct weft_spill *spill,
                         const struct row_copy *row)
{
    struct found last = *end;
    struct weft_slot *slot = &end->group.slots[--last.slot];
    const uint8_t tag = (uint8_t)(peek(end->group.tags) >> 8 * last.slot);
    poke(&spill->slots[0].a, peek(&slot->a));
    poke(&spill->slots[0].b, peek(&slot->b));
    poke(&spill->slots[1].a, row->a);
    poke(&spill->slots[1].b, row->b);
    poke(&spill->word, with_kind(with_kind(0, 0, kind_at(end->word, last.slot)), 1, row->kind));
    poke(&spill->tags, more_tags(more_tags(0, tag), row->tag));
    poke(&slot->b, (uintptr_t)spill);
    poke(end->group.tags, peek(end->group.tags) & ~(UINT64_C(0xff) << 8 * last.slot));
    set_kind(opened, &last, KIND_LINK);
}

static int append(struct weft_op *op, struct opened *opened, const struct found *end,
                  const struct row_copy *row)
{
    struct weft_spill *spill = NULL;
    const bool is_full = end->slot == end->group.slot_count;
    if (unlikely(is_full) && !weft_spills_take(op, 1, &spill)) return op->error;
    if (!claim(opened->bucket, opened->word, op->rows->is_shared)) {
        if (is_full) weft_table_op_discard(op, (struct weft_message *)(void *)spill);
        return WEFT_TABLE_BUSY;
    }
    if (unlikely(is_full))
        append_spill(opened, end, spill, row);
    else
        append_here(opened, end, row);
    unclaim(opened->bucket, opened->word);
    weft_table_op_count(op, 1);
    if (is_time_to_grow(op->stripe)) weft_hash_grow(op);
    return 0;
}

// Looks for a row that is equal to the one that is to be added, key and value.
static int find_equal(struct opened *opened, const struct wanted *wanted,
                      const struct weft_cell *cell, struct found *found)
{
    struct row_reader reader = read_rows(opened->bucket, opened->word, opened->tags);
    const struct row_copy added = copy_of(wanted, cell);
    unsigned keys = 0;
    found->ordinal = 0;
    for (struct row_copy row;; found->ordinal++) {
        const int result = read_shared_row(&reader, opened, &row);
        if (result == WEFT_TABLE_BUSY) return result;
        if (result == -ENOENT) break;
        if (row.kind == KIND_BLOCK) {
            const struct weft_row *block = (struct weft_row *)(uintptr_t)row.b;
            if (row.a != wanted->key->hash || !weft_row_has_key(block, wanted->key)) continue;
            keys++;
            if (cell->row == NULL || block->value_length != cell->row->value_length ||
                memcmp(weft_row_value(block), weft_row_value(cell->row), block->value_length) != 0)
                continue;
        } else {
            if (row.a != wanted->word || (row.kind & KIND_SHORT) != wanted->kind_class) continue;
            keys++;
            if (row.kind != added.kind || row.b != added.b) continue;
        }
        return 0;
    }
    found->group = reader.group;
    found->word = reader.word;
    found->slot = reader.used;
    return keys < WEFT_TABLE_BAG_MAX ? -ENOENT : -ENOSPC;
}

int weft_hash_put(struct weft_op *op, const struct weft_key *key, const struct weft_cell *cell,
                  enum weft_put how, const struct weft_which *which)
{
    const struct wanted wanted = wanted_of(key, which);
    struct opened opened;
    struct found found;
    int result = open_bucket(weft_hash_of(op->rows), key->hash, &opened);
    if (unlikely(result != 0)) return result;
    result = unlikely(how == WEFT_PUT_ADD) ? find_equal(&opened, &wanted, cell, &found)
                                           : find(&opened, &wanted, &found);
    if (unlikely(result == WEFT_TABLE_BUSY)) return result;
    const struct row_copy row = copy_of(&wanted, cell);
    if (result == -ENOENT && how != WEFT_PUT_SAME) return append(op, &opened, &found, &row);
    if (result == 0 && how != WEFT_PUT_NEW && how != WEFT_PUT_ADD)
        return replace(op, &opened, &found, &row);
    if (!is_unchanged(opened.bucket, opened.word)) return WEFT_TABLE_BUSY;
    return result == 0 ? -EEXIST : result;
}

int weft_hash_add(struct weft_op *op, const struct weft_key *key, int64_t add, int64_t *value)
{
    const struct wanted wanted = wanted_of(key, NULL);
    struct opened opened;
    struct found found;
    int result = open_bucket(weft_hash_of(op->rows), key->hash, &opened);
    if (unlikely(result != 0)) return result;
    result = find(&opened, &wanted, &found);
    if (unlikely(result == WEFT_TABLE_BUSY)) return result;
    _Atomic uint64_t *word = NULL;
    if (likely(result == 0)) {
        struct weft_row *row = (struct weft_row *)(uintptr_t)found.b;
        if (likely(found.kind != KIND_BLOCK))
            word = kind_value_length(found.kind) == 8 ? &found.group.slots[found.slot].b : NULL;
        else if (!is_unchanged(opened.bucket, opened.word))
            return WEFT_TABLE_BUSY;
        else
            word = row->value_length == 8 ? weft_row_word(row) : NULL;
    }
    if (unlikely(word == NULL)) {
        if (!is_unchanged(opened.bucket, opened.word)) return WEFT_TABLE_BUSY;
        return result != 0 ? result : -EINVAL;
    }
    if (!claim(opened.bucket, opened.word, op->rows->is_shared)) return WEFT_TABLE_BUSY;
    const uint64_t sum = peek(word) + (uint64_t)add;
    poke(word, sum);
    unclaim(opened.bucket, opened.word);
    *value = (int64_t)sum;
    return 0;
}

// ---- Removing: the bucket is written again without the rows that go.

// Claimed: the row number `ordinal` goes, or all with the key.
static unsigned rewrite(struct weft_op *op, struct opened *opened, const struct wanted *wanted,
                        unsigned ordinal, bool all)
{
    struct row_copy row;
    unsigned kept = 0, number = 0;
    struct row_reader counting = read_rows(opened->bucket, opened->word, opened->tags);
    for (; read_row(&counting, &row); number++)
        kept += all ? !copy_has_key(&row, wanted) : number != ordinal;
    struct row_reader reader = read_rows(opened->bucket, opened->word, opened->tags);
    struct pen pen = take_pen(opened->bucket, opened->word, opened->tags, kept);
    for (number = 0; read_row(&reader, &row); number++) {
        if (all ? copy_has_key(&row, wanted) : number == ordinal)
            retire_row(op, row.kind, row.b);
        else
            write_row(&pen, &row);
    }
    opened->word = lay_down(&pen, op);
    weft_table_op_count(op, (int64_t)kept - (int64_t)number);
    return kept;
}

// As the two below.
always_inline int remove_rows(struct weft_op *op, const struct wanted *wanted, bool all,
                              struct weft_seen *removed)
{
    struct opened opened;
    struct found found;
    int result = open_bucket(weft_hash_of(op->rows), wanted->key->hash, &opened);
    if (result != 0) return result;
    result = find(&opened, wanted, &found);
    if (result != 0) {
        if (!is_unchanged(opened.bucket, opened.word)) return WEFT_TABLE_BUSY;
        return result;
    }
    if (!claim(opened.bucket, opened.word, op->rows->is_shared)) return WEFT_TABLE_BUSY;
    if (removed != NULL) load_seen(wanted->key, &found, removed);
    const unsigned kept = rewrite(op, &opened, wanted, found.ordinal, all);
    unclaim(opened.bucket, opened.word);
    if (kept == 0) weft_hash_shrink(op);
    return 0;
}

int weft_hash_remove(struct weft_op *op, const struct weft_key *key, const struct weft_which *which,
                     struct weft_seen *removed)
{
    const struct wanted wanted = wanted_of(key, which);
    return remove_rows(op, &wanted, false, removed);
}

int weft_hash_remove_all(struct weft_op *op, const struct weft_key *key)
{
    const struct wanted wanted = wanted_of(key, NULL);
    return remove_rows(op, &wanted, true, NULL);
}
