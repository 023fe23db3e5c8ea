// counter.h: a number that one core counts up and any core may read.
#ifndef WEFT_BASE_COUNTER_H
#define WEFT_BASE_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

typedef _Atomic uint64_t weft_counter;

// Only the owning core: a relaxed load and store, no locked instruction.
static inline void weft_counter_add(weft_counter *counter, uint64_t count)
{
    const uint64_t before = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, before + count, memory_order_relaxed);
}

static inline void weft_counter_set(weft_counter *counter, uint64_t value)
{
    atomic_store_explicit(counter, value, memory_order_relaxed);
}

static inline uint64_t weft_counter_get(const weft_counter *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

#endif // WEFT_BASE_COUNTER_H
