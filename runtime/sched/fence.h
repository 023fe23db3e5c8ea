// fence.h: the full fence between "store mine" and "load yours", the one order that C11 acquire and
// release do not give and that x86 too reorders (core.h draws the pair).
#ifndef WEFT_SCHED_FENCE_H
#define WEFT_SCHED_FENCE_H

#include <stdatomic.h>

// gcc warns that ThreadSanitizer does not model fences. It still emits them, and the data itself is
// ordered by the rings' acquire and release.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtsan"
#endif
static inline void weft_full_fence(void)
{
    atomic_thread_fence(memory_order_seq_cst);
}
// Between the reads of a seqlock and the second look at its word.
static inline void weft_acquire_fence(void)
{
    atomic_thread_fence(memory_order_acquire);
}
// Between the word of a seqlock that was made odd and the writes behind it.
static inline void weft_release_fence(void)
{
    atomic_thread_fence(memory_order_release);
}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#endif // WEFT_SCHED_FENCE_H
