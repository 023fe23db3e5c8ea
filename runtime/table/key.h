// key.h: a key as both kinds of rows look at it: its first eight bytes as a number, and its hash.
#ifndef WEFT_TABLE_KEY_H
#define WEFT_TABLE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <weft/table.h>

#define WEFT_KEY_SHORT 8 // Keys up to here are one word.

struct weft_key {
    uint64_t prefix;      // The first 8 bytes, most significant first, zeros behind them.
    uint64_t hash;        // Of sets and bags (weft_key_hash).
    const uint8_t *bytes; // NULL: it is the 8 bytes of `prefix`.
    uint32_t length;
};

// Up to 8 bytes, most significant first, zeros behind them.
static inline uint64_t weft_key_prefix(const uint8_t *bytes, size_t length)
{
    uint64_t word = 0;
    if (length >= 8) {
        memcpy(&word, bytes, 8);
        return __builtin_bswap64(word);
    }
    for (size_t i = 0; i < length; i++)
        word |= (uint64_t)bytes[i] << (56 - 8 * i);
    return word;
}

static inline void weft_key_prefix_put(uint64_t prefix, uint8_t bytes[8])
{
    prefix = __builtin_bswap64(prefix);
    memcpy(bytes, &prefix, 8);
}

// A key of up to 8 bytes as one word. Below 8 the last byte is free: it is the length.
static inline uint64_t weft_key_word(uint64_t prefix, uint32_t length)
{
    return length < WEFT_KEY_SHORT ? prefix | length : prefix;
}

// Multiplies to 128 bits and folds them: every bit of `word` has a part in every bit (as wyhash
// does it, Wang Yi 2019).
static inline uint64_t weft_key_mix(uint64_t word)
{
    const unsigned __int128 product = (unsigned __int128)word * UINT64_C(0x9e3779b97f4a7c15);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// The seed keeps who chooses keys from choosing which rows stand together.
static inline uint64_t weft_key_hash_word(uint64_t word, uint64_t seed)
{
    return weft_key_mix(word ^ seed);
}

static inline uint64_t weft_key_hash(const struct weft_key *key, uint64_t seed)
{
    if (key->length <= WEFT_KEY_SHORT)
        return weft_key_hash_word(weft_key_word(key->prefix, key->length), seed);
    uint64_t hash = weft_key_mix(seed ^ key->length);
    size_t at = 0;
    for (; at + 8 <= key->length; at += 8)
        hash = weft_key_mix(hash ^ weft_key_prefix(key->bytes + at, 8));
    return weft_key_mix(hash ^ weft_key_prefix(key->bytes + at, key->length - at));
}

static inline struct weft_key weft_key_of_u64(uint64_t number)
{
    return (struct weft_key){.prefix = number, .length = 8};
}

// False: no key can be so.
static inline bool weft_key_of_bytes(struct weft_key *key, const void *bytes, size_t length)
{
    if (length == 0 || length > WEFT_TABLE_KEY_MAX) return false;
    *key = (struct weft_key){
        .prefix = weft_key_prefix(bytes, length), .bytes = bytes, .length = (uint32_t)length};
    return true;
}

#endif // WEFT_TABLE_KEY_H
