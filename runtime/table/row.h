// row.h: a row that does not fit a slot: one block with key and value. And what an operation has
// seen of a row, wherever it stands.
//
// A block does not change while anybody may find it, so it is read without looking twice, until the
// end of the turn; a new value is a new block. With one exception: a value of 8 bytes, which may be
// a counter, is one word that changes in place, and is read as one.
//
// Blocks are message blocks: they go home to the core that made them by themselves. While one is a
// row, the fields of its header are ours, but for those that say where home is.
#ifndef WEFT_TABLE_ROW_H
#define WEFT_TABLE_ROW_H

#include <stdatomic.h>

#include "runtime/actor/internal.h"
#include "runtime/table/key.h"

struct weft_row {
    void *link[2]; // In limbo.
    uint64_t prefix;
    uint64_t hash;
    uint32_t key_length, value_length;
    uint8_t tag, home; // The block's, like the next two.
    uint16_t type;
    uint32_t length;
    uint8_t payload[]; // The key, if it is longer than 8; from the next multiple of 8 on, the
                       // value.
};
_Static_assert(offsetof(struct weft_row, tag) == offsetof(struct weft_message, tag) &&
                   offsetof(struct weft_row, home) == offsetof(struct weft_message, home) &&
                   offsetof(struct weft_row, length) == offsetof(struct weft_message, length) &&
                   offsetof(struct weft_row, payload) == offsetof(struct weft_message, payload),
               "a row is a block");

static inline size_t weft_row_key_bytes(uint32_t key_length)
{
    return key_length > WEFT_KEY_SHORT ? weft_round_up(key_length, 8) : 0;
}

static inline uint8_t *weft_row_value(const struct weft_row *row)
{
    return (uint8_t *)(uintptr_t)row->payload + weft_row_key_bytes(row->key_length);
}

// The value of 8 bytes.
static inline _Atomic uint64_t *weft_row_word(const struct weft_row *row)
{
    return (_Atomic uint64_t *)(void *)weft_row_value(row);
}

static inline bool weft_row_has_key(const struct weft_row *row, const struct weft_key *key)
{
    if (row->prefix != key->prefix || row->key_length != key->length) return false;
    return key->length <= WEFT_KEY_SHORT || memcmp(row->payload, key->bytes, key->length) == 0;
}

static inline struct weft_message *weft_row_block(struct weft_row *row)
{
    return (struct weft_message *)(void *)row;
}

// Copies `length` bytes of the value.
static inline void weft_row_copy_value(const struct weft_row *row, void *to, size_t length)
{
    if (row->value_length == 8) {
        const uint64_t word = atomic_load_explicit(weft_row_word(row), memory_order_relaxed);
        memcpy(to, &word, length);
    } else if (length > 0) {
        memcpy(to, weft_row_value(row), length);
    }
}

// A row as it was at one moment.
struct weft_seen {
    struct weft_row *row; // NULL: it stands in a slot, as the rest says.
    uint64_t prefix;      // Of the key.
    uint64_t value;       // Its bytes, zeros behind them; of a block: if there are 8 of them.
    uint8_t key_length, value_length; // Of one in a slot.
};

static inline bool weft_seen_is_same(const struct weft_seen *a, const struct weft_seen *b)
{
    if (a->row != b->row) return false;
    if (a->row != NULL) return a->row->value_length != 8 || a->value == b->value;
    return a->value == b->value && a->value_length == b->value_length;
}

static inline void weft_seen_load_row(struct weft_seen *seen, struct weft_row *row)
{
    seen->row = row;
    seen->prefix = row->prefix;
    seen->value =
        row->value_length == 8 ? atomic_load_explicit(weft_row_word(row), memory_order_relaxed) : 0;
}

static inline size_t weft_seen_value_length(const struct weft_seen *seen)
{
    return seen->row != NULL ? seen->row->value_length : seen->value_length;
}

// Copies as much of the value as `limit`; its whole length.
static inline int64_t weft_seen_copy_value(const struct weft_seen *seen, void *to, size_t limit)
{
    const size_t length = weft_seen_value_length(seen), part = length < limit ? length : limit;
    if (part == 0) return (int64_t)length;
    if (seen->row == NULL || length == 8)
        memcpy(to, &seen->value, part);
    else
        memcpy(to, weft_row_value(seen->row), part);
    return (int64_t)length;
}

// A value on its way into a table: a few bytes, or a block that nobody has seen yet.
struct weft_cell {
    struct weft_row *row;
    uint64_t value;
    uint8_t value_length;
};

static inline bool weft_seen_has_value(const struct weft_seen *seen, const void *value,
                                       size_t length)
{
    if (weft_seen_value_length(seen) != length) return false;
    if (length == 0) return true;
    if (seen->row == NULL || length == 8) return memcmp(&seen->value, value, length) == 0;
    return memcmp(weft_row_value(seen->row), value, length) == 0;
}

#endif // WEFT_TABLE_ROW_H
