#include "runtime/node/snapshot.h"

#include <errno.h>
#include <stdlib.h>

#include "runtime/base/assert.h"

int weft_snapshot_init(struct weft_snapshot *snapshot, size_t bytes)
{
    weft_assert(bytes % 8 == 0);
    *snapshot = (struct weft_snapshot){.word_count = bytes / 8};
    snapshot->words = calloc(snapshot->word_count, 8);
    return snapshot->words != NULL ? 0 : -ENOMEM;
}

void weft_snapshot_destroy(struct weft_snapshot *snapshot)
{
    free((void *)snapshot->words);
    snapshot->words = NULL;
}

void weft_snapshot_write(struct weft_snapshot *snapshot, const void *from, size_t bytes)
{
    weft_assert(bytes / 8 <= snapshot->word_count);
    const uint64_t *words = from;
    const uint64_t before = atomic_load_explicit(&snapshot->sequence, memory_order_relaxed);
    atomic_store_explicit(&snapshot->sequence, before + 1, memory_order_relaxed);
    // Pairs with the acquire fence of the reader: who sees a new word sees the odd number too.
    atomic_thread_fence(memory_order_release);
    for (size_t i = 0; i < bytes / 8; i++) {
        atomic_store_explicit(&snapshot->words[i], words[i], memory_order_relaxed);
    }
    // Pairs with the acquire load of the reader: who sees the even number sees every word.
    atomic_store_explicit(&snapshot->sequence, before + 2, memory_order_release);
}

bool weft_snapshot_read(const struct weft_snapshot *snapshot, void *to, size_t bytes)
{
    weft_assert(bytes / 8 <= snapshot->word_count);
    uint64_t *words = to;
    for (int attempt = 0; attempt < 64; attempt++) {
        const uint64_t before = atomic_load_explicit(&snapshot->sequence, memory_order_acquire);
        if (before & 1) continue;
        for (size_t i = 0; i < bytes / 8; i++) {
            words[i] = atomic_load_explicit(&snapshot->words[i], memory_order_relaxed);
        }
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&snapshot->sequence, memory_order_relaxed) == before) return true;
    }
    return false;
}
