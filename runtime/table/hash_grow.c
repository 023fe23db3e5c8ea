// hash_grow.c: buckets and the segments that they stand in: how a hash begins, grows, shrinks,
// ends.
#include <errno.h>

#include "runtime/table/hash.h"
#include "runtime/table/pen.h"

#define HINT_BUCKETS_MAX 4096 // That a new table begins with.
#define SEGMENTS_FIRST   16   // That a new directory has room for.
#define GROW_STEPS       2    // Buckets that one insert makes, at most,
#define SHRINK_STEPS     4    // and that one delete takes away.

// ---- Segments. Several stand in one block, the more the larger the table is: 1, 1, 2, 4, 8, then
// 19: 40 KiB, one of the allocator's sizes, with the headers.

#define CHUNK_SEGMENTS 19
#define CHUNKS_BEGIN   16 // The first segment of the first such block.

static const struct weft_bucket gone[SEGMENT_BUCKETS] = {
    [0 ... SEGMENT_BUCKETS - 1] = {.tags = GONE},
};

static struct weft_bucket *gone_segment(void)
{
    return (struct weft_bucket *)(uintptr_t)gone; // Nobody writes to what has gone.
}

static bool is_chunk_first(uint64_t segment)
{
    if (segment < CHUNKS_BEGIN) return (segment & (segment - 1)) == 0;
    return (segment - CHUNKS_BEGIN) % CHUNK_SEGMENTS == 0;
}

static uint64_t chunk_segments(uint64_t first)
{
    return first >= CHUNKS_BEGIN ? CHUNK_SEGMENTS : first == 0 ? 1 : first;
}

// The block's address stands in front of the first bucket.
static struct weft_message **chunk_block(struct weft_bucket *first)
{
    return (struct weft_message **)(void *)first - 1;
}

static struct weft_bucket *make_chunk(struct weft_op *op, uint64_t segments)
{
    const uint64_t buckets = segments * SEGMENT_BUCKETS;
    // Blocks are aligned to 16, so that the address in front fits as well.
    struct weft_message *block =
        weft_table_op_alloc(op, buckets * sizeof(struct weft_bucket) + WEFT_CORE_ALIGN);
    if (block == NULL) return NULL;
    struct weft_bucket *first = (struct weft_bucket *)weft_round_up(
        (uintptr_t)block->payload + sizeof(block), WEFT_CORE_ALIGN);
    *chunk_block(first) = block;
    return first;
}

static struct weft_hash_directory *make_directory(struct weft_op *op, uint64_t segments)
{
    struct weft_message *block = weft_table_op_alloc(
        op, sizeof(struct weft_hash_directory) + segments * sizeof(struct weft_bucket *));
    if (block == NULL) return NULL;
    struct weft_hash_directory *directory = (struct weft_hash_directory *)(void *)block->payload;
    directory->segment_count = segments;
    for (uint64_t i = 0; i < segments; i++)
        atomic_init(&directory->segments[i], gone_segment());
    return directory;
}

// Only who is resizing changes it.
static struct weft_hash_directory *directory_of(const struct weft_hash *hash)
{
    return atomic_load_explicit(&hash->directory, memory_order_relaxed);
}

// Room for twice as many segments. False: no memory.
static bool grow_directory(struct weft_op *op, struct weft_hash *hash)
{
    struct weft_hash_directory *old = directory_of(hash);
    struct weft_hash_directory *new = make_directory(op, old->segment_count * 2);
    if (new == NULL) return false;
    for (uint64_t i = 0; i < old->segment_count; i++)
        atomic_init(&new->segments[i],
                    atomic_load_explicit(&old->segments[i], memory_order_relaxed));
    // Release: pairs with the acquire load in bucket_at.
    atomic_store_explicit(&hash->directory, new, memory_order_release);
    weft_table_op_retire(op, weft_block_of(old));
    return true;
}

static struct weft_bucket *segment_at(const struct weft_hash *hash, uint64_t segment)
{
    return atomic_load_explicit(&directory_of(hash)->segments[segment], memory_order_relaxed);
}

// Sees to it that there is room for bucket `number`. False: no memory.
static bool add_segment(struct weft_op *op, struct weft_hash *hash, uint64_t number)
{
    const uint64_t segment = number / SEGMENT_BUCKETS;
    if (segment == directory_of(hash)->segment_count && !grow_directory(op, hash)) return false;
    if (segment_at(hash, segment) != gone_segment()) return true;
    struct weft_bucket *first = is_chunk_first(segment)
                                    ? make_chunk(op, chunk_segments(segment))
                                    : segment_at(hash, segment - 1) + SEGMENT_BUCKETS;
    if (first == NULL) return false;
    // A segment that comes back stands where it stood, and somebody may be reading there still: its
    // buckets must not go through the same versions again. The steps (Knuth, TAOCP 3, 6.4) keep the
    // beginnings apart.
    hash->first_version += UINT64_C(0x9e3779b) * VERSION_ONE;
    for (unsigned i = 0; i < SEGMENT_BUCKETS; i++) {
        poke(&first[i].word, hash->first_version);
        poke(&first[i].tags, GONE);
    }
    // Release: pairs with the acquire load in bucket_at.
    atomic_store_explicit(&directory_of(hash)->segments[segment], first, memory_order_release);
    return true;
}

// After bucket `number`, the last one, has gone: its segment goes if it was the first there.
static void remove_segment(struct weft_op *op, struct weft_hash *hash, uint64_t number)
{
    const uint64_t segment = number / SEGMENT_BUCKETS;
    if (number % SEGMENT_BUCKETS != 0) return;
    struct weft_bucket *first = segment_at(hash, segment);
    // Relaxed: whoever still finds the old one sees there, too, that its buckets have gone.
    atomic_store_explicit(&directory_of(hash)->segments[segment], gone_segment(),
                          memory_order_relaxed);
    if (is_chunk_first(segment)) weft_table_op_retire(op, *chunk_block(first));
}

bool weft_spills_take(struct weft_op *op, unsigned count, struct weft_spill **chain)
{
    for (*chain = NULL; count > 0; count--) {
        struct weft_message *block =
            weft_table_op_alloc(op, sizeof(struct weft_spill) - sizeof(struct weft_message));
        if (block == NULL) {
            while (*chain != NULL) {
                struct weft_spill *spill = *chain;
                *chain = spill->link[0];
                weft_table_op_discard(op, (struct weft_message *)(void *)spill);
            }
            return false;
        }
        struct weft_spill *spill = (struct weft_spill *)(void *)block;
        spill->link[0] = *chain;
        *chain = spill;
    }
    return true;
}

// ---- One more, one less. Both buckets are claimed meanwhile.

static uint64_t bucket_count(const struct weft_hash *hash)
{
    return extent_count(atomic_load_explicit(&hash->extent, memory_order_relaxed));
}

// Claims a bucket for a move. False: another core writes there.
static bool claim_whole(const struct weft_hash *hash, uint64_t number, struct opened *opened)
{
    struct weft_bucket *bucket = bucket_at(hash, number);
    // Acquire: pairs with the release store in unclaim.
    const uint64_t word = atomic_load_explicit(&bucket->word, memory_order_acquire);
    *opened = (struct opened){bucket, word, 0, number};
    if ((word & CLAIMED) != 0 || !claim(bucket, word, hash->rows.is_shared)) return false;
    opened->tags = peek(&bucket->tags);
    return true;
}

static bool goes_over(const struct weft_hash *hash, const struct row_copy *row, uint64_t bit)
{
    return (hash_of_copy(hash, row) & bit) != 0;
}

static unsigned count_rows(const struct weft_hash *hash, const struct opened *from, uint64_t bit,
                           unsigned *over)
{
    struct row_reader reader = read_rows(from->bucket, from->word, from->tags);
    unsigned count = 0;
    *over = 0;
    for (struct row_copy row; read_row(&reader, &row); count++)
        *over += goes_over(hash, &row, bit);
    return count;
}

// Splits a parent without spills: its rows, in order, to the two. Both are claimed. In place: a row
// never moves up. Their words are in words[] then.
static void split_slots(const struct weft_hash *hash, const struct opened *parent,
                        struct weft_bucket *child, uint64_t level, uint64_t words[2])
{
    struct weft_slot *const slots[2] = {parent->bucket->slots, child->slots};
    uint64_t tags[2] = {(level + 1) << LEVEL_SHIFT, (level + 1) << LEVEL_SHIFT};
    const unsigned used = slots_used(parent->tags);
    unsigned counts[2] = {0, 0};
    for (unsigned i = 0; i < used; i++) {
        const struct weft_slot *slot = &slots[0][i];
        const struct row_copy row = {peek(&slot->a), peek(&slot->b), kind_at(parent->word, i),
                                     (uint8_t)(parent->tags >> 8 * i)};
        const unsigned side = hash_of_copy(hash, &row) >> level & 1, at = counts[side]++;
        poke(&slots[side][at].a, row.a);
        poke(&slots[side][at].b, row.b);
        words[side] |= (uint64_t)row.kind << KIND_BITS * at;
        tags[side] = more_tags(tags[side], row.tag);
    }
    poke(&parent->bucket->tags, tags[0]);
    poke(&child->tags, tags[1]);
}

// The same with spills. False: no memory for those of the child; nothing has changed.
static bool split_spills(struct weft_op *op, const struct weft_hash *hash,
                         const struct opened *parent, struct weft_bucket *child, uint64_t level,
                         uint64_t words[2])
{
    const uint64_t bit = UINT64_C(1) << level, tags = (level + 1) << LEVEL_SHIFT;
    struct weft_spill *spills;
    unsigned over;
    const unsigned count = count_rows(hash, parent, bit, &over);
    if (!weft_spills_take(op, spills_of(over), &spills)) return false;
    struct row_reader reader = read_rows(parent->bucket, parent->word, parent->tags);
    struct pen stay = take_pen(parent->bucket, parent->word, tags, count - over);
    struct pen go = take_pen(child, words[1], tags, over);
    go.spare = spills;
    for (struct row_copy row; read_row(&reader, &row);)
        write_row(goes_over(hash, &row, bit) ? &go : &stay, &row);
    words[0] = lay_down(&stay, op);
    words[1] = lay_down(&go, op);
    return true;
}

// Buckets are split and taken apart one behind the other, so the CPU fetches them by itself; but
// not their spills. Of a bucket that will be next the spill is fetched, of one behind it itself.
#define AHEAD 4
static void fetch_ahead(const struct weft_hash *hash, uint64_t number, uint64_t end)
{
    if (number + 2 * AHEAD >= end) return;
    struct weft_bucket *bucket = bucket_at(hash, number + AHEAD);
    const struct group group = group_of_bucket(bucket);
    __builtin_prefetch(linked(&group, peek(&bucket->word))); // Perhaps nothing: it does not matter.
    bucket = bucket_at(hash, number + 2 * AHEAD);
    __builtin_prefetch(bucket);
    __builtin_prefetch(&bucket->slots[WEFT_BUCKET_SLOTS - 1]);
}

// Makes bucket number `number` of its parent's rows. False: not now.
static bool split(struct weft_op *op, struct weft_hash *hash, uint64_t number)
{
    const uint64_t level = 63 - (unsigned)__builtin_clzll(number);
    struct opened parent;
    if (!add_segment(op, hash, number)) return false;
    fetch_ahead(hash, parent_of(number), UINT64_C(1) << level);
    if (!claim_whole(hash, parent_of(number), &parent)) return false;
    weft_assert(level_of(parent.tags) == level);
    struct weft_bucket *child = bucket_at(hash, number);
    uint64_t words[2] = {parent.word & ~KINDS_MASK, peek(&child->word)};
    claim(child, words[1], false); // Nobody else wants a bucket that has gone.
    if (kind_at(parent.word, WEFT_BUCKET_SLOTS - 1) != KIND_LINK) {
        split_slots(hash, &parent, child, level, words);
    } else if (!split_spills(op, hash, &parent, child, level, words)) {
        unclaim(child, words[1]);
        unclaim(parent.bucket, parent.word);
        return false;
    }
    unclaim(child, words[1]);
    unclaim(parent.bucket, words[0]);
    return true;
}

// Merges the last bucket into its parent. False: not now.
static bool merge(struct weft_op *op, struct weft_hash *hash, uint64_t number)
{
    const uint64_t level = 63 - (unsigned)__builtin_clzll(number), bit = UINT64_C(1) << level;
    struct opened child, parent;
    if (!claim_whole(hash, number, &child)) return false;
    if (!claim_whole(hash, number ^ bit, &parent)) {
        unclaim(child.bucket, child.word);
        return false;
    }
    struct weft_spill *spills;
    unsigned unused;
    const unsigned here = count_rows(hash, &parent, 0, &unused),
                   all = here + count_rows(hash, &child, 0, &unused);
    const bool done = weft_spills_take(op, spills_of(all) - spills_of(here), &spills);
    if (done) {
        struct row_reader reader = read_rows(parent.bucket, parent.word, parent.tags),
                          other = read_rows(child.bucket, child.word, child.tags);
        struct pen pen = take_pen(parent.bucket, parent.word, level << LEVEL_SHIFT, all);
        struct pen none = take_pen(child.bucket, child.word, GONE, 0);
        struct row_copy row;
        pen.spare = spills;
        while (read_row(&reader, &row) || read_row(&other, &row))
            write_row(&pen, &row);
        parent.word = lay_down(&pen, op);
        child.word = lay_down(&none, op);
    }
    unclaim(parent.bucket, parent.word);
    unclaim(child.bucket, child.word);
    return done;
}

static bool begin_resizing(struct weft_hash *hash)
{
    uint8_t free = 0;
    // Acquire: pairs with the release store in end_resizing.
    return atomic_load_explicit(&hash->is_resizing, memory_order_relaxed) == 0 &&
           atomic_compare_exchange_strong_explicit(&hash->is_resizing, &free, 1,
                                                   memory_order_acquire, memory_order_relaxed);
}

static void end_resizing(struct weft_hash *hash)
{
    atomic_store_explicit(&hash->is_resizing, 0, memory_order_release);
}

static void set_bucket_count(struct weft_hash *hash, uint64_t count)
{
    // Release: pairs with the acquire load in number_of.
    atomic_store_explicit(&hash->extent, extent_of(count), memory_order_release);
}

void weft_hash_grow(struct weft_op *op)
{
    struct weft_hash *hash = weft_hash_of(op->rows);
    const uint64_t halves = 2 * weft_rows_count(op->rows);
    if (halves <= GROW_HALVES * bucket_count(hash) || !begin_resizing(hash)) return;
    for (unsigned step = 0; step < GROW_STEPS; step++) {
        const uint64_t count = bucket_count(hash);
        if (halves <= GROW_HALVES * count || count == BUCKET_COUNT_MAX || !split(op, hash, count))
            break;
        set_bucket_count(hash, count + 1);
    }
    end_resizing(hash);
}

void weft_hash_shrink(struct weft_op *op)
{
    struct weft_hash *hash = weft_hash_of(op->rows);
    const uint64_t halves = 2 * weft_rows_count(op->rows);
    if (halves >= SHRINK_HALVES * bucket_count(hash) || !begin_resizing(hash)) return;
    for (unsigned step = 0; step < SHRINK_STEPS; step++) {
        const uint64_t count = bucket_count(hash);
        if (count == 1 || halves >= SHRINK_HALVES * count || !merge(op, hash, count - 1)) break;
        set_bucket_count(hash, count - 1);
        remove_segment(op, hash, count - 1);
    }
    end_resizing(hash);
}

// ---- Beginning and end.

// As many buckets at once as `row_count_hint` says; fewer without memory.
static void begin_with(struct weft_op *op, struct weft_hash *hash, uint64_t row_count_hint)
{
    uint64_t count = row_count_hint / (GROW_HALVES / 2);
    if (count > HINT_BUCKETS_MAX) count = HINT_BUCKETS_MAX;
    for (uint64_t number = 1; number < count && split(op, hash, number); number++)
        set_bucket_count(hash, number + 1);
}

int weft_hash_begin(struct weft_op *op, uint64_t seed, uint64_t row_count_hint)
{
    struct weft_hash *hash = weft_hash_of(op->rows);
    hash->seed = seed;
    hash->first_version = 0;
    atomic_init(&hash->is_resizing, 0);
    atomic_init(&hash->extent, extent_of(1));
    struct weft_hash_directory *directory = make_directory(op, SEGMENTS_FIRST);
    if (directory == NULL) return op->error;
    atomic_init(&hash->directory, directory);
    if (!add_segment(op, hash, 0)) {
        weft_table_op_discard(op, weft_block_of(directory));
        return op->error;
    }
    poke(&bucket_at(hash, 0)->tags, 0);
    begin_with(op, hash, row_count_hint);
    return 0;
}

static void reap_bucket(struct weft_table_core *core, struct weft_bucket *bucket)
{
    struct group group = group_of_bucket(bucket);
    uint64_t word = peek(&bucket->word);
    for (struct weft_spill *spill = NULL;;) {
        for (unsigned slot = 0; slot < group.slot_count; slot++) {
            if (kind_at(word, slot) == KIND_BLOCK)
                weft_limbo_free(core, (struct weft_message *)(uintptr_t)peek(&group.slots[slot].b));
        }
        struct weft_spill *next = linked(&group, word);
        if (spill != NULL) weft_limbo_free(core, (struct weft_message *)(void *)spill);
        if (next == NULL) return;
        spill = next;
        group = group_of_spill(spill);
        word = peek(group.word);
    }
}

// The block that begins with bucket `number`, if one does.
static struct weft_message *chunk_at(const struct weft_hash *hash, uint64_t number)
{
    const uint64_t segment = number / SEGMENT_BUCKETS;
    if (number % SEGMENT_BUCKETS != 0 || !is_chunk_first(segment) ||
        segment == directory_of(hash)->segment_count)
        return NULL;
    struct weft_bucket *first = segment_at(hash, segment);
    return first != gone_segment() ? *chunk_block(first) : NULL;
}

bool weft_hash_reap(struct weft_table_core *core, struct weft_rows *rows, uint32_t limit)
{
    const struct weft_hash *hash = weft_hash_of(rows);
    for (const uint64_t count = bucket_count(hash); limit > 0; limit--) {
        // Also behind the last bucket: there may be a block for one that was never made.
        struct weft_message *chunk = chunk_at(hash, rows->reaped);
        if (chunk != NULL) {
            if (rows->left != NULL) weft_limbo_free(core, rows->left);
            rows->left = chunk;
        }
        if (rows->reaped == count) {
            weft_limbo_free(core, rows->left);
            weft_limbo_free(core, weft_block_of(directory_of(hash)));
            return true;
        }
        fetch_ahead(hash, rows->reaped, count);
        reap_bucket(core, bucket_at(hash, rows->reaped++));
    }
    return false;
}
