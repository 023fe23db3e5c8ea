// hooks.c: what code compiled with -fsanitize=thread calls, for explore.h in place of the
// sanitizer's own library (LLVM's tsan_interface.h and tsan_interface_atomic.h list them).
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tests/model/explore.h"
#include "tests/model/memory.h"

#pragma GCC diagnostic ignored "-Wmissing-prototypes" // The compiler knows them.

// ---- Plain accesses.

static inline __attribute__((always_inline)) void plain(const void *address, size_t size,
                                                        bool is_write)
{
    if (explore_is_running())
        memory_plain(explore_thread(), address, size, is_write, __builtin_return_address(0));
}

#define PLAIN(size)                                                                                \
    void __tsan_read##size(void *address)                                                          \
    {                                                                                              \
        plain(address, size, false);                                                               \
    }                                                                                              \
    void __tsan_write##size(void *address)                                                         \
    {                                                                                              \
        plain(address, size, true);                                                                \
    }                                                                                              \
    void __tsan_unaligned_read##size(void *address)                                                \
    {                                                                                              \
        plain(address, size, false);                                                               \
    }                                                                                              \
    void __tsan_unaligned_write##size(void *address)                                               \
    {                                                                                              \
        plain(address, size, true);                                                                \
    }
PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

void __tsan_read_range(void *address, size_t size)
{
    plain(address, size, false);
}

void __tsan_write_range(void *address, size_t size)
{
    plain(address, size, true);
}

void __tsan_init(void)
{
}

void __tsan_func_entry(void *caller)
{
    (void)caller;
}

void __tsan_func_exit(void)
{
}

// ---- Fibers: the explorer's threads are what has a clock, wherever they stand.

void *__tsan_get_current_fiber(void)
{
    return NULL;
}

void *__tsan_create_fiber(unsigned flags)
{
    (void)flags;
    return NULL;
}

void __tsan_destroy_fiber(void *fiber)
{
    (void)fiber;
}

void __tsan_switch_to_fiber(void *fiber, unsigned flags)
{
    (void)fiber, (void)flags;
}

// ---- Atomics.

static uint64_t read_now(const volatile void *address, size_t size)
{
    uint64_t value = 0;
    memcpy(&value, (const void *)(uintptr_t)address, size);
    return value;
}

static void write_now(volatile void *address, size_t size, uint64_t value)
{
    memcpy((void *)(uintptr_t)address, &value, size);
}

static void fence(int order)
{
    if (!explore_is_running()) return;
    if (order == memory_order_seq_cst) explore_step(EXPLORE_FULL_FENCE, NULL);
    memory_fence(explore_thread(), order);
}

// Around an access: a sequentially consistent one stands between two full fences.
static int begin(enum explore_kind kind, const volatile void *address, int order)
{
    if (order == memory_order_seq_cst) fence(order);
    explore_step(kind, (const void *)(uintptr_t)address);
    if (order != memory_order_seq_cst) return order;
    return memory_order_acq_rel;
}

static void end(int order)
{
    if (order == memory_order_seq_cst) fence(order);
}

static uint64_t load(const volatile void *address, size_t size, int order)
{
    if (!explore_is_running()) return read_now(address, size);
    const int inner = begin(EXPLORE_READ, address, order);
    const uint64_t value =
        memory_load(explore_thread(), (const void *)(uintptr_t)address, size, inner);
    end(order);
    return value;
}

static void store(volatile void *address, size_t size, uint64_t value, int order)
{
    if (!explore_is_running()) {
        write_now(address, size, value);
        return;
    }
    const int inner = begin(EXPLORE_WRITE, address, order);
    memory_store(explore_thread(), (void *)(uintptr_t)address, size, value, inner);
    end(order);
}

static uint64_t change(volatile void *address, size_t size, int order,
                       uint64_t (*how)(uint64_t before, uint64_t operand), uint64_t operand)
{
    if (!explore_is_running()) {
        const uint64_t before = read_now(address, size);
        write_now(address, size, how(before, operand));
        return before;
    }
    const int inner = begin(EXPLORE_CHANGE, address, order);
    const uint64_t before =
        memory_change(explore_thread(), (void *)(uintptr_t)address, size, inner, how, operand);
    end(order);
    return before;
}

static bool exchange_if(volatile void *address, size_t size, uint64_t *expected, uint64_t value,
                        int order, int failure_order)
{
    if (!explore_is_running()) {
        const uint64_t before = read_now(address, size);
        const bool is_equal = before == *expected;
        if (is_equal) write_now(address, size, value);
        *expected = before;
        return is_equal;
    }
    const int inner = begin(EXPLORE_CHANGE, address, order);
    if (failure_order == memory_order_seq_cst) failure_order = memory_order_acquire;
    const bool done = memory_exchange_if(explore_thread(), (void *)(uintptr_t)address, size,
                                         expected, value, inner, failure_order);
    end(order);
    return done;
}

static uint64_t take_operand(uint64_t before, uint64_t operand)
{
    (void)before;
    return operand;
}

static uint64_t add(uint64_t before, uint64_t operand)
{
    return before + operand;
}

static uint64_t subtract(uint64_t before, uint64_t operand)
{
    return before - operand;
}

static uint64_t bits_and(uint64_t before, uint64_t operand)
{
    return before & operand;
}

static uint64_t bits_or(uint64_t before, uint64_t operand)
{
    return before | operand;
}

static uint64_t bits_xor(uint64_t before, uint64_t operand)
{
    return before ^ operand;
}

#define CHANGE(bits, type, name, how)                                                              \
    type __tsan_atomic##bits##_##name(volatile type *address, type operand, int order)             \
    {                                                                                              \
        return (type)change(address, sizeof(type), order, how, operand);                           \
    }

#define EXCHANGE_IF(bits, type, name)                                                              \
    int __tsan_atomic##bits##_compare_exchange_##name(volatile type *address, type *expected,      \
                                                      type value, int order, int failure_order)    \
    {                                                                                              \
        uint64_t seen = *expected;                                                                 \
        const bool done = exchange_if(address, sizeof(type), &seen, value, order, failure_order);  \
        if (!done) *expected = (type)seen;                                                         \
        return done;                                                                               \
    }

#define ATOMIC(bits, type)                                                                         \
    type __tsan_atomic##bits##_load(const volatile type *address, int order)                       \
    {                                                                                              \
        return (type)load(address, sizeof(type), order);                                           \
    }                                                                                              \
    void __tsan_atomic##bits##_store(volatile type *address, type value, int order)                \
    {                                                                                              \
        store(address, sizeof(type), value, order);                                                \
    }                                                                                              \
    CHANGE(bits, type, exchange, take_operand)                                                     \
    CHANGE(bits, type, fetch_add, add)                                                             \
    CHANGE(bits, type, fetch_sub, subtract)                                                        \
    CHANGE(bits, type, fetch_and, bits_and)                                                        \
    CHANGE(bits, type, fetch_or, bits_or)                                                          \
    CHANGE(bits, type, fetch_xor, bits_xor)                                                        \
    EXCHANGE_IF(bits, type, strong)                                                                \
    EXCHANGE_IF(bits, type, weak)

ATOMIC(8, uint8_t)
ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)

void __tsan_atomic_thread_fence(int order)
{
    fence(order);
}

void __tsan_atomic_signal_fence(int order)
{
    (void)order;
}
