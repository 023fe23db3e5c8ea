// stacks_check.c: the check of stacks without guard pages, compiled into modules: gcc and clang
// call it at the entry of every function (-finstrument-functions).
//
// The code that calls has no `self` to ask, so the ranges of stacks in CHECKS stand in one table of
// the process: the only mutable global of the runtime. It is empty where the kernel has guard
// pages, and then a check is one comparison.
#include <stdatomic.h>

#include "runtime/base/assert.h"
#include "runtime/mem/stacks.h"
#include "runtime/mem/stacks_check.h"

#define RANGES_MAX 256
#define SLACK      1024 // What the function and a signal's frame may use beyond the check.

static struct {
    _Atomic uintptr_t start;
    _Atomic size_t bytes; // 0: free.
} ranges[RANGES_MAX];
static _Atomic uint32_t range_count; // None in use at or above it.

void weft_stacks_check_add(const void *start, size_t bytes)
{
    for (uint32_t i = 0; i < RANGES_MAX; i++) {
        size_t free_bytes = 0;
        if (!atomic_compare_exchange_strong(&ranges[i].bytes, &free_bytes, 1)) continue;
        atomic_store_explicit(&ranges[i].start, (uintptr_t)start, memory_order_relaxed);
        // Release: pairs with the acquire load in the check: start and bytes belong together.
        atomic_store_explicit(&ranges[i].bytes, bytes, memory_order_release);
        uint32_t count = atomic_load(&range_count);
        while (count < i + 1 && !atomic_compare_exchange_weak(&range_count, &count, i + 1))
            continue;
        return;
    }
}

void weft_stacks_check_remove(const void *start)
{
    for (uint32_t i = 0; i < RANGES_MAX; i++) {
        if (atomic_load_explicit(&ranges[i].start, memory_order_relaxed) == (uintptr_t)start)
            atomic_store_explicit(&ranges[i].bytes, 0, memory_order_release);
    }
}

// Where the trap stands; its address tells a handler what it was.
__attribute__((noinline, no_instrument_function)) static void overflowed(void)
{
    __builtin_trap();
}

bool weft_stacks_trapped(uintptr_t pc)
{
    const uintptr_t start = (uintptr_t)overflowed;
    return pc >= start && pc < start + 64;
}

__attribute__((no_instrument_function)) void __cyg_profile_func_enter(void *function, void *caller)
{
    const uintptr_t sp = (uintptr_t)__builtin_frame_address(0);
    (void)function, (void)caller;
    const uint32_t count = atomic_load_explicit(&range_count, memory_order_relaxed);
    for (uint32_t i = 0; i < count; i++) {
        // Acquire: pairs with the release store in weft_stacks_check_add.
        const size_t bytes = atomic_load_explicit(&ranges[i].bytes, memory_order_acquire);
        const uintptr_t start = atomic_load_explicit(&ranges[i].start, memory_order_relaxed);
        if (sp - start >= bytes) continue;
        if (sp % WEFT_STACK_BYTES < WEFT_STACK_GUARD_BYTES + SLACK) overflowed();
        return;
    }
}

__attribute__((no_instrument_function)) void __cyg_profile_func_exit(void *function, void *caller)
{
    (void)function, (void)caller;
}
