// word_table.h: a hash table of words that lies in the words themselves. Internal to forth/.
//
// Linear hashing (Litwin, VLDB 1980): there are as many buckets as words, and word n keeps the head
// of bucket n. A word more splits one bucket, a word less joins two, so that nothing is ever hashed
// anew all at once, and a dictionary without words has no table. Every chain runs from newer words
// to older ones; so the same words always make the same table, and an image needs none.
#ifndef WEFT_FORTH_WORD_TABLE_H
#define WEFT_FORTH_WORD_TABLE_H

#include "forth/state.h"

// Which of `count` buckets, at least one, holds the words with that hash.
static inline uint32_t weft_word_bucket(uint32_t count, uint16_t hash)
{
    const uint32_t mask = count > 1 ? UINT32_MAX >> __builtin_clz(count - 1) : 0;
    const uint32_t bucket = hash & mask;
    return bucket < count ? bucket : bucket & mask >> 1;
}

// 1 + the index of the newest visible word in the bucket of `hash`; 0: there is none. The others
// follow by their links.
static inline uint32_t weft_word_chain(const struct weft_word *words, uint32_t count, uint16_t hash)
{
    return count == 0 ? 0 : words[weft_word_bucket(count, hash)].bucket;
}

// Word `count` has come behind `count` others; it is not linked yet. Returns the words it looked
// at.
uint32_t weft_word_table_grow(struct weft_word *words, uint32_t count);
// Takes the last of `count` words out, linked or not. Returns the words it looked at.
uint32_t weft_word_table_shrink(struct weft_word *words, uint32_t count);
// Links word `n`, which no bucket has yet.
void weft_word_table_link(struct weft_word *words, uint32_t count, uint32_t n);
// Makes the table of all visible words, whatever their links have been.
void weft_word_table_build(struct weft_word *words, uint32_t count);

#endif // WEFT_FORTH_WORD_TABLE_H
