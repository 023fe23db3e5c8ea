// litmus_model.c: that the explorer itself sees what it should: the small programs that tell one
// memory model from another, with the outcomes that C11 allows and forbids.
//
// An outcome is the bit r1 + 2 * r2 (+ 4 * r3 + 8 * r4) of what was read.
#include <stdatomic.h>
#include <stdio.h>

#include "runtime/base/units.h"
#include "runtime/sched/fence.h"
#include "tests/model/model.h"

#define BIT(r1, r2)          (UINT64_C(1) << ((r1) + 2 * (r2)))
#define BIT4(r1, r2, r3, r4) (UINT64_C(1) << ((r1) + 2 * (r2) + 4 * (r3) + 8 * (r4)))

static _Atomic unsigned x, y;
static unsigned r[4], data;

static unsigned get(_Atomic unsigned *at, memory_order order)
{
    return atomic_load_explicit(at, order);
}

static void put(_Atomic unsigned *at, unsigned value, memory_order order)
{
    atomic_store_explicit(at, value, order);
}

// gcc warns that its own ThreadSanitizer does not model fences; ours does.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtsan"
#endif
static void release_fence(void)
{
    atomic_thread_fence(memory_order_release);
}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

static void clear(void)
{
    put(&x, 0, memory_order_relaxed);
    put(&y, 0, memory_order_relaxed);
    data = r[0] = r[1] = r[2] = r[3] = 0;
}

static void see_two(void)
{
    explore_saw(r[0] + 2 * r[1]);
}

static void see_four(void)
{
    explore_saw(r[0] + 2 * r[1] + 4 * r[2] + 8 * r[3]);
}

// Store buffering: each writes its own and reads the other's.
static void sb_0(void)
{
    put(&x, 1, memory_order_relaxed);
    r[0] = get(&y, memory_order_relaxed);
}

static void sb_1(void)
{
    put(&y, 1, memory_order_relaxed);
    r[1] = get(&x, memory_order_relaxed);
}

static void sb_fence_0(void)
{
    put(&x, 1, memory_order_relaxed);
    weft_full_fence();
    r[0] = get(&y, memory_order_relaxed);
}

static void sb_fence_1(void)
{
    put(&y, 1, memory_order_relaxed);
    weft_full_fence();
    r[1] = get(&x, memory_order_relaxed);
}

static const struct explore_case sb = {"store buffering", clear, 2, {sb_0, sb_1}, see_two};
static const struct explore_case sb_fence = {
    "store buffering with fences", clear, 2, {sb_fence_0, sb_fence_1}, see_two};

// Message passing: is what was written before the flag seen behind it?
static void mp_relaxed_0(void)
{
    put(&x, 1, memory_order_relaxed);
    put(&y, 1, memory_order_relaxed);
}

static void mp_relaxed_1(void)
{
    r[0] = get(&y, memory_order_relaxed);
    r[1] = get(&x, memory_order_relaxed);
}

static void mp_0(void)
{
    put(&x, 1, memory_order_relaxed);
    put(&y, 1, memory_order_release);
}

static void mp_1(void)
{
    r[0] = get(&y, memory_order_acquire);
    r[1] = get(&x, memory_order_relaxed);
}

static void mp_fence_0(void)
{
    put(&x, 1, memory_order_relaxed);
    release_fence();
    put(&y, 1, memory_order_relaxed);
}

static void mp_fence_1(void)
{
    r[0] = get(&y, memory_order_relaxed);
    weft_acquire_fence();
    r[1] = get(&x, memory_order_relaxed);
}

static const struct explore_case mp_relaxed = {
    "message passing, relaxed", clear, 2, {mp_relaxed_0, mp_relaxed_1}, see_two};
static const struct explore_case mp = {"message passing", clear, 2, {mp_0, mp_1}, see_two};
static const struct explore_case mp_fence = {
    "message passing by fences", clear, 2, {mp_fence_0, mp_fence_1}, see_two};

// The same with plain data: either ordered or a race.
static void plain_0(void)
{
    data = 1;
    put(&y, 1, memory_order_release);
}

static void plain_1(void)
{
    if (get(&y, memory_order_acquire) == 1 && data != 1) explore_fail("old data");
}

static const struct explore_case plain = {
    "plain data behind a flag", clear, 2, {plain_0, plain_1}, NULL};

// Coherence: one location never goes back.
static void corr_0(void)
{
    put(&x, 1, memory_order_relaxed);
}

static void corr_1(void)
{
    r[0] = get(&x, memory_order_relaxed);
    r[1] = get(&x, memory_order_relaxed);
}

static const struct explore_case corr = {"coherence", clear, 2, {corr_0, corr_1}, see_two};

// Two writes each, crosswise: both first ones may last.
static void two_writes_0(void)
{
    put(&x, 1, memory_order_relaxed);
    put(&y, 0, memory_order_relaxed);
}

static void two_writes_1(void)
{
    put(&y, 1, memory_order_relaxed);
    put(&x, 0, memory_order_relaxed);
}

static void see_memory(void)
{
    explore_saw(get(&x, memory_order_relaxed) + 2 * get(&y, memory_order_relaxed));
}

static const struct explore_case two_writes = {
    "two writes crosswise", clear, 2, {two_writes_0, two_writes_1}, see_memory};

// Two readers may see two independent writes in two orders, unless both have fences.
static void iriw_0(void)
{
    put(&x, 1, memory_order_release);
}

static void iriw_1(void)
{
    put(&y, 1, memory_order_release);
}

static void iriw_2(void)
{
    r[0] = get(&x, memory_order_acquire);
    r[1] = get(&y, memory_order_acquire);
}

static void iriw_3(void)
{
    r[2] = get(&y, memory_order_acquire);
    r[3] = get(&x, memory_order_acquire);
}

static void iriw_fence_2(void)
{
    r[0] = get(&x, memory_order_acquire);
    weft_full_fence();
    r[1] = get(&y, memory_order_acquire);
}

static void iriw_fence_3(void)
{
    r[2] = get(&y, memory_order_acquire);
    weft_full_fence();
    r[3] = get(&x, memory_order_acquire);
}

static const struct explore_case iriw = {
    "independent writes, two readers", clear, 4, {iriw_0, iriw_1, iriw_2, iriw_3}, see_four};
static const struct explore_case iriw_fence = {"independent writes, two readers with fences",
                                               clear,
                                               4,
                                               {iriw_0, iriw_1, iriw_fence_2, iriw_fence_3},
                                               see_four};

// A release sequence goes on through a read-modify-write of another thread.
static void sequence_0(void)
{
    data = 1;
    put(&y, 1, memory_order_release);
}

static void sequence_1(void)
{
    atomic_fetch_add_explicit(&y, 1, memory_order_relaxed);
}

static void sequence_2(void)
{
    if (get(&y, memory_order_acquire) == 2 && data != 1) explore_fail("old data");
}

static const struct explore_case sequence = {
    "a release sequence", clear, 3, {sequence_0, sequence_1, sequence_2}, NULL};

static void add_one(void)
{
    atomic_fetch_add_explicit(&x, 1, memory_order_relaxed);
}

static void check_three(void)
{
    if (get(&x, memory_order_relaxed) != 3) explore_fail("an addition was lost");
}

static const struct explore_case additions = {
    "three additions", clear, 3, {add_one, add_one, add_one}, check_three};

// Load buffering: allowed by C11, and not in this model (explore.h says so).
static void lb_0(void)
{
    r[0] = get(&x, memory_order_relaxed);
    put(&y, 1, memory_order_relaxed);
}

static void lb_1(void)
{
    r[1] = get(&y, memory_order_relaxed);
    put(&x, 1, memory_order_relaxed);
}

static const struct explore_case lb = {"load buffering", clear, 2, {lb_0, lb_1}, see_two};

int main(int argc, char **argv)
{
    const struct model_row rows[] = {
        {.what = &sb, .must_see = BIT(0, 0) | BIT(0, 1) | BIT(1, 0) | BIT(1, 1)},
        {.what = &sb_fence,
         .must_see = BIT(0, 1) | BIT(1, 0) | BIT(1, 1),
         .may_not_see = BIT(0, 0)},
        {.what = &mp_relaxed, .must_see = BIT(0, 0) | BIT(0, 1) | BIT(1, 0) | BIT(1, 1)},
        {.what = &mp, .must_see = BIT(0, 0) | BIT(0, 1) | BIT(1, 1), .may_not_see = BIT(1, 0)},
        {.what = &mp_fence,
         .must_see = BIT(0, 0) | BIT(0, 1) | BIT(1, 1),
         .may_not_see = BIT(1, 0)},
        {.what = &plain},
        {.what = &plain, .mutant = "its release", .weakness = EXPLORE_RELEASE},
        {.what = &plain, .mutant = "its acquire", .weakness = EXPLORE_ACQUIRE},
        {.what = &corr, .must_see = BIT(0, 0) | BIT(0, 1) | BIT(1, 1), .may_not_see = BIT(1, 0)},
        {.what = &two_writes, .must_see = BIT(0, 0) | BIT(0, 1) | BIT(1, 0) | BIT(1, 1)},
        {.what = &iriw, .must_see = BIT4(1, 0, 1, 0) | BIT4(1, 1, 1, 1) | BIT4(0, 0, 0, 0)},
        {.what = &iriw_fence, .must_see = BIT4(1, 1, 1, 1), .may_not_see = BIT4(1, 0, 1, 0)},
        {.what = &sequence},
        {.what = &sequence, .mutant = "its release", .weakness = EXPLORE_RELEASE},
        {.what = &additions},
        {.what = &lb, .must_see = BIT(0, 0), .may_not_see = BIT(1, 1)},
    };
    return model_main(argc, argv, rows, WEFT_COUNT_OF(rows));
}
