// hash.h: a linear hash (Litwin 1980; Larson 1988): it grows and shrinks by one bucket at a time.
//
// There are `bucket_count` buckets. A bucket of level l has the rows whose hash ends in the l bits
// of its number. To grow, bucket number n is made of half of the rows of its parent, which is n
// without its highest bit; both have one level more then. To shrink, the last one is merged into
// its parent. So no operation ever moves more than one bucket's rows, and one core does it, while
// the others go on: a bucket's own level says whether it is the right one, and whoever was led to
// the wrong one by an old bucket_count goes on from there.
//
// Buckets stand in segments that never move, several in one block. The directory of segments is
// replaced when it is too small; its old one is retired. Where it has no segment there is one of
// buckets that have gone, the same for all, so that nobody has to ask.
#ifndef WEFT_TABLE_HASH_H
#define WEFT_TABLE_HASH_H

#include "runtime/table/bucket.h"

#define SEGMENT_BUCKETS  16
#define BUCKET_COUNT_MAX (UINT64_C(1) << LEVEL_MAX)

// A core looks whether it is time to grow once in so many rows that it adds. Not when a bucket is
// rather full: a CPU that has to guess that waits for memory each time that it is wrong.
#define GROW_EVERY 8

// Rows for each bucket, in halves: above it grows, below it shrinks.
#define GROW_HALVES   9
#define SHRINK_HALVES 4

struct weft_hash_directory {
    uint64_t segment_count; // That it has room for.
    _Atomic(struct weft_bucket *) segments[];
};

struct weft_hash {
    struct weft_rows rows;
    uint64_t seed;
    uint64_t
        first_version; // Of the buckets of the last segment, as a word. Who resizes changes it.
    _Atomic(struct weft_hash_directory *) directory;
    _Atomic uint64_t extent;     // How many buckets there are; above, the mask of their numbers.
    _Atomic uint8_t is_resizing; // A core's claim on the two above.
};

static inline struct weft_hash *weft_hash_of(const struct weft_rows *rows)
{
    return (struct weft_hash *)(uintptr_t)rows;
}

static inline struct weft_bucket *bucket_at(const struct weft_hash *hash, uint64_t number)
{
    // Acquire, both: pair with the release stores in add_segment (hash_grow.c).
    const struct weft_hash_directory *directory =
        atomic_load_explicit(&hash->directory, memory_order_acquire);
    return atomic_load_explicit(&directory->segments[number / SEGMENT_BUCKETS],
                                memory_order_acquire) +
           number % SEGMENT_BUCKETS;
}

static inline uint64_t extent_of(uint64_t bucket_count)
{
    const uint64_t mask = bucket_count == 1 ? 0 : UINT64_MAX >> __builtin_clzll(bucket_count - 1);
    return mask << 32 | bucket_count;
}

static inline uint64_t extent_count(uint64_t extent)
{
    return (uint32_t)extent;
}

// Where rows of `hash_value` are, as far as is known.
static inline uint64_t number_of(const struct weft_hash *hash, uint64_t hash_value)
{
    // Acquire: pairs with the release store in hash_grow.c: the bucket is there.
    const uint64_t extent = atomic_load_explicit(&hash->extent, memory_order_acquire);
    const uint64_t mask = extent >> 32, number = hash_value & mask;
    return number < extent_count(extent) ? number : number & (mask >> 1);
}

static inline uint64_t parent_of(uint64_t number)
{
    return number & ~(UINT64_C(1) << (63 - __builtin_clzll(number)));
}

static inline uint64_t level_mask(uint64_t tags)
{
    return (UINT64_C(1) << level_of(tags)) - 1;
}

// True if the bucket has the rows of this hash.
static inline bool is_level(uint64_t hash_value, uint64_t number, uint64_t tags)
{
    return (((hash_value ^ number) & level_mask(tags)) | is_gone(tags)) == 0;
}

struct opened { // A bucket as it was when its word was read.
    struct weft_bucket *bucket;
    uint64_t word, tags;
    uint64_t number;
};

// The bucket that rows of `hash_value` are in. 0, or WEFT_TABLE_BUSY: a core writes there.
always_inline int open_bucket(const struct weft_hash *hash, uint64_t hash_value,
                              struct opened *opened)
{
    // Acquire: pairs with the release store in hash_grow.c: the bucket is there.
    uint64_t number = number_of(hash, hash_value);
    for (unsigned hops = 0; hops < 64; hops++) {
        struct weft_bucket *bucket = bucket_at(hash, number);
        // Acquire: pairs with the release store in unclaim: what was written before is read.
        const uint64_t word = atomic_load_explicit(&bucket->word, memory_order_acquire);
        const uint64_t tags = peek(&bucket->tags);
        if (unlikely((word & CLAIMED) != 0)) return WEFT_TABLE_BUSY;
        if (likely(is_level(hash_value, number, tags))) {
            *opened = (struct opened){bucket, word, tags, number};
            return 0;
        }
        if (!is_unchanged(bucket, word)) return WEFT_TABLE_BUSY;
        number = is_gone(tags) ? parent_of(number) : hash_value & level_mask(tags);
    }
    return WEFT_TABLE_BUSY;
}

// ---- The usual case in as few steps as it takes: the row stands in a slot of its bucket. At a
// million rows a lookup waits for memory, and what counts is how many of them the CPU has under way
// at once: how few instructions and stores each of them is.

// The slot whose tag is the lowest of `matches`.
static inline const struct weft_slot *matched_slot(const struct weft_bucket *bucket,
                                                   uint64_t matches)
{
    // The bit of slot n is number 8n + 7, and slot n stands 16n behind the first.
    const uint64_t bit = (uint64_t)__builtin_ctzll(matches);
    return (const struct weft_slot *)(const void *)((const char *)bucket->slots + 2 * bit - 14);
}

// True: *value is what stands in the slot of this key. False: look thoroughly; there may be a row,
// of some other kind, or none.
always_inline bool look_fast(const struct weft_hash *hash, uint64_t hash_value, uint64_t key_word,
                             unsigned kind, uint64_t *value)
{
    // Orders and pairs as in open_bucket. The level is not asked for: a row stands in one bucket at
    // a time, so where it is found it is.
    const struct weft_bucket *bucket = bucket_at(hash, number_of(hash, hash_value));
    const uint64_t word = atomic_load_explicit(&bucket->word, memory_order_acquire);
    const uint64_t matches = tag_matches(peek(&bucket->tags), tag_of(hash_value));
    if (unlikely(matches == 0)) return false;
    const struct weft_slot *slot = matched_slot(bucket, matches);
    *value = peek(&slot->b);
    return likely(peek(&slot->a) == key_word && kind_at(word, slot_of_match(matches)) == kind) &&
           likely(is_unchanged(bucket, word & ~CLAIMED)); // No word has been claimed and is not.
}

// Puts a row into a slot, in place of one with its key or behind the others. False: do it
// thoroughly; nothing has been done.
always_inline bool put_fast(struct weft_hash *hash, struct weft_table_stripe *stripe,
                            uint64_t hash_value, uint64_t a, uint64_t b, unsigned kind)
{
    const uint64_t number = number_of(hash, hash_value);
    struct weft_bucket *bucket = bucket_at(hash, number);
    const uint64_t word = atomic_load_explicit(&bucket->word, memory_order_acquire);
    const uint64_t tags = peek(&bucket->tags);
    const uint64_t matches = tag_matches(tags, tag_of(hash_value));
    const unsigned used = slots_used(tags);
    if (unlikely((word & CLAIMED) != 0)) return false;
    if (matches != 0) {
        struct weft_slot *slot = (struct weft_slot *)(uintptr_t)matched_slot(bucket, matches);
        if (peek(&slot->a) != a || kind_at(word, slot_of_match(matches)) != kind ||
            hash->rows.is_bag || !claim(bucket, word, hash->rows.is_shared))
            return false;
        poke(&slot->b, b);
        unclaim(bucket, word);
        return true;
    }
    if (unlikely(used == WEFT_BUCKET_SLOTS || !is_level(hash_value, number, tags) ||
                 !claim(bucket, word, hash->rows.is_shared)))
        return false;
    poke(&bucket->slots[used].a, a);
    poke(&bucket->slots[used].b, b);
    poke(&bucket->tags, more_tags(tags, tag_of(hash_value)));
    unclaim(bucket, word | (uint64_t)kind << KIND_BITS * used);
    weft_counter_add(&stripe->row_count, 1);
    return true;
}

// True: `add` is added to the value of 8 bytes in the slot of this key. As the others.
always_inline bool add_fast(struct weft_hash *hash, uint64_t hash_value, uint64_t key_word,
                            uint64_t add, uint64_t *sum)
{
    struct weft_bucket *bucket = bucket_at(hash, number_of(hash, hash_value));
    const uint64_t word = atomic_load_explicit(&bucket->word, memory_order_acquire);
    const uint64_t matches = tag_matches(peek(&bucket->tags), tag_of(hash_value));
    if (unlikely(matches == 0 || (word & CLAIMED) != 0)) return false;
    struct weft_slot *slot = (struct weft_slot *)(uintptr_t)matched_slot(bucket, matches);
    if (unlikely(peek(&slot->a) != key_word ||
                 kind_at(word, slot_of_match(matches)) != KIND_INLINE + sizeof(add) ||
                 !claim(bucket, word, hash->rows.is_shared)))
        return false;
    *sum = peek(&slot->b) + add;
    poke(&slot->b, *sum);
    unclaim(bucket, word);
    return true;
}

// ---- hash_grow.c

// After a bucket got many rows, or few: another one, or one less, if that is to be. It may not be
// done, if another core is at it, or there is no memory: then later.
void weft_hash_grow(struct weft_op *op);
static inline bool is_time_to_grow(const struct weft_table_stripe *stripe)
{
    return weft_counter_get(&stripe->row_count) % GROW_EVERY == 0;
}
void weft_hash_shrink(struct weft_op *op);

#endif // WEFT_TABLE_HASH_H
