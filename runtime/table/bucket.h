// bucket.h: seven rows in 128 bytes, read by any core without a lock.
//
//   word    63      36  35  34      0
//           | version | C | 7 kinds |    C: a core is writing (its claim)
//   tags    63    59 58   56 55     0
//           | level | count | 7 tags |
//   slots   7 x { a, b }
//
// One row, one slot. A key of up to 8 bytes and a value of up to 8 stand in it as a and b; of any
// other row a is the hash and b the block (row.h). A tag is a byte of the hash: one subtraction
// compares all seven of them at once (Mycroft 1987), in plain C: eight bytes are one word that is
// read whole, as the reader of a seqlock must. Bucket and the row found in it are two neighbouring
// lines, so a lookup waits for memory once.
//
// Rows have no holes: `count` slots are in use, and what is behind them in word and tags is 0. When
// there are eight rows the last slot links to a spill with room for five, and so on.
//
// A reader notes the word, reads, and looks at the word again: the same: what it has read was there
// together. It follows no pointer before it has looked again. A writer claims the word by one
// compare-and-swap from what it has seen, so that nothing can have changed in between; it writes;
// it stores the word with the next version. The version wraps after 2^28 writes: a reader would
// have to sleep through exactly so many of one bucket.
#ifndef WEFT_TABLE_BUCKET_H
#define WEFT_TABLE_BUCKET_H

#include "runtime/table/internal.h"

#define WEFT_BUCKET_SLOTS 7
#define WEFT_SPILL_SLOTS  5

#define KIND_BITS   5
#define KINDS_MASK  UINT64_C(0x7ffffffff)
#define CLAIMED     (UINT64_C(1) << 35)
#define VERSION_ONE (UINT64_C(1) << 36)

#define TAG_ONES    UINT64_C(0x0101010101010101)
#define TAG_TOPS    UINT64_C(0x0080808080808080) // Of the seven.
#define COUNT_SHIFT 56
#define COUNT_ONE   (UINT64_C(1) << COUNT_SHIFT)
#define LEVEL_SHIFT 59
#define LEVEL_MAX   30
#define GONE                                                                                       \
    (UINT64_C(31) << LEVEL_SHIFT) // The level of one that has gone: its rows are with its parent.

enum kind { // Of a slot.
    KIND_FREE = 0,
    KIND_INLINE = 1, // Plus the value's length; 8 bytes of key.
    KIND_BLOCK = 15,
    KIND_SHORT = 16, // Added to INLINE: less than 8 bytes of key.
    KIND_LINK = 31
};

struct weft_slot {
    _Atomic uint64_t a, b;
};

struct weft_bucket {
    _Atomic uint64_t word;
    _Atomic uint64_t tags;
    struct weft_slot slots[WEFT_BUCKET_SLOTS];
};
_Static_assert(sizeof(struct weft_bucket) == 128, "two lines that are fetched together");

// More rows of a bucket, under its word: of its own it has kinds and tags. In a block.
struct weft_spill {
    void *link[2]; // In limbo.
    _Atomic uint64_t word;
    _Atomic uint64_t tags;
    uint64_t unused;
    uint64_t block; // The block's own: tag, home, type, length.
    struct weft_slot slots[WEFT_SPILL_SLOTS];
};
_Static_assert(sizeof(struct weft_spill) == 128 &&
                   offsetof(struct weft_spill, block) == offsetof(struct weft_message, tag),
               "a spill is a block");

// A bucket or a spill.
struct group {
    _Atomic uint64_t *word, *tags;
    struct weft_slot *slots;
    unsigned slot_count;
};

static inline struct group group_of_bucket(struct weft_bucket *bucket)
{
    return (struct group){&bucket->word, &bucket->tags, bucket->slots, WEFT_BUCKET_SLOTS};
}

static inline struct group group_of_spill(struct weft_spill *spill)
{
    return (struct group){&spill->word, &spill->tags, spill->slots, WEFT_SPILL_SLOTS};
}

// Relaxed, all of them: what orders them is the bucket's word.
static inline uint64_t peek(const _Atomic uint64_t *at)
{
    return atomic_load_explicit(at, memory_order_relaxed);
}

static inline void poke(_Atomic uint64_t *at, uint64_t value)
{
    atomic_store_explicit(at, value, memory_order_relaxed);
}

static inline unsigned kind_at(uint64_t word, unsigned slot)
{
    return (unsigned)(word >> KIND_BITS * slot) & 31;
}

static inline uint64_t with_kind(uint64_t word, unsigned slot, unsigned kind)
{
    const unsigned shift = KIND_BITS * slot;
    return (word & ~(UINT64_C(31) << shift)) | (uint64_t)kind << shift;
}

// Slots in use, a link included.
static inline unsigned slots_used(uint64_t tags)
{
    return (unsigned)(tags >> COUNT_SHIFT) & 7;
}

static inline unsigned level_of(uint64_t tags)
{
    return (unsigned)(tags >> LEVEL_SHIFT);
}

static inline bool is_gone(uint64_t tags)
{
    return tags >= GONE;
}

static inline bool kind_is_inline(unsigned kind)
{
    return (kind & 15) - 1u < 9;
}

static inline unsigned kind_value_length(unsigned kind)
{
    return (kind & 15) - 1;
}

// Free slots have some tag, too: whoever finds one there looks at its kind.
static inline uint8_t tag_of(uint64_t hash)
{
    return (uint8_t)(hash >> 56);
}

// One slot more in use, the next one.
static inline uint64_t more_tags(uint64_t tags, uint8_t tag)
{
    return (tags | (uint64_t)tag << 8 * slots_used(tags)) + COUNT_ONE;
}

// A bit for each slot whose tag is `tag`; perhaps for one more above such a slot. Next: & (x - 1).
static inline uint64_t tag_matches(uint64_t tags, uint8_t tag)
{
    const uint64_t x = tags ^ TAG_ONES * tag;
    return (x - TAG_ONES) & ~x & TAG_TOPS;
}

static inline unsigned slot_of_match(uint64_t matches)
{
    return (unsigned)__builtin_ctzll(matches) >> 3;
}

// True if the bucket is still as it was when `word` was read.
static inline bool is_unchanged(const struct weft_bucket *bucket, uint64_t word)
{
    weft_acquire_fence(); // The reads before it come before this one.
    return peek(&bucket->word) == word;
}

// Makes the bucket ours if it is still as `word` says. False: somebody else has it, or had it.
static inline bool claim(struct weft_bucket *bucket, uint64_t word, bool is_shared)
{
    if (!is_shared) {
        poke(&bucket->word, word | CLAIMED);
    } else if (!atomic_compare_exchange_strong_explicit(&bucket->word, &word, word | CLAIMED,
                                                        memory_order_acquire,
                                                        memory_order_relaxed)) {
        return false;
    }
    // Between the claim and the writes: pairs with the acquire fence of who reads them.
    weft_release_fence();
    return true;
}

// Ends the claim; the kinds are those of `word`, which is as it was before it, otherwise.
static inline void unclaim(struct weft_bucket *bucket, uint64_t word)
{
    // Release: pairs with the acquire load of the word in open_bucket.
    atomic_store_explicit(&bucket->word, word + VERSION_ONE, memory_order_release);
}

#endif // WEFT_TABLE_BUCKET_H
