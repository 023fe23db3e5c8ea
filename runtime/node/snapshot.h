// snapshot.h: a structure that one core publishes and others copy, without either waiting: a
// seqlock (Lameter 2005; the C11 form of Boehm 2012, "Can Seqlocks Get Along With Programming
// Language Memory Models?", with the data itself as relaxed atomics).
#ifndef WEFT_NODE_SNAPSHOT_H
#define WEFT_NODE_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weft_snapshot {
    _Atomic uint64_t sequence; // Odd while the writer is inside.
    _Atomic uint64_t *words;
    size_t word_count;
};

// Room for `bytes`. 0 or -ENOMEM. All zero until the first write.
int weft_snapshot_init(struct weft_snapshot *snapshot, size_t bytes);
void weft_snapshot_destroy(struct weft_snapshot *snapshot);

// Publishes `bytes` bytes (a multiple of 8, at most those of init). One core only.
void weft_snapshot_write(struct weft_snapshot *snapshot, const void *from, size_t bytes);

// Copies them out. Any core. False if the writer was at it every time, of a few: try again later.
bool weft_snapshot_read(const struct weft_snapshot *snapshot, void *to, size_t bytes);

#endif // WEFT_NODE_SNAPSHOT_H
