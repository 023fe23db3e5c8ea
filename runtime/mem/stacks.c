#include "runtime/mem/stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "runtime/base/assert.h"
#include "runtime/base/counter.h"
#include "runtime/base/units.h"
#include "runtime/mem/poison.h"
#include "runtime/mem/stacks_check.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#define GROWTH       16 // Stacks that get their guards together.
#define TOP_BYTES    64 // Above where the first frame starts: the checked word.
#define COLOUR_COUNT 32
#define COLOUR_BYTES 64

_Static_assert(WEFT_STACK_GROUP % GROWTH == 0, "a group grows whole");

struct weft_stacks {
    uint8_t *base; // Aligned to WEFT_STACK_BYTES, so that a limit is found from any address.
    size_t mapped_bytes;
    void *mapping;
    uint32_t count_max;
    enum weft_stack_guard guard;
    uint32_t guarded; // Stacks that have their guards.
    weft_counter made, taken, released, free_count;
    void **free; // A stack of stacks: the last one given back on top.
    uint32_t free_max;
    uint32_t low;  // The fewest that have been free in this period.
    uint32_t idle; // free[0 .. idle) were so in all of the last one, others above them, too.
    uint32_t cold; // free[0 .. cold) have no memory. cold <= idle <= low.
    uint64_t period_end_ns;
};

static uint64_t *checked_word(const void *stack)
{
    return (uint64_t *)((uintptr_t)stack + WEFT_STACK_BYTES - sizeof(uint64_t));
}

static uint64_t word_of(const void *stack)
{
    return (uint64_t)(uintptr_t)stack ^ UINT64_C(0x5eed5afe57ac4eed);
}

// True if the kernel says yes and means it: an emulator that ignores advice says yes too. A system
// call that is asked to write there tells, without a fault.
static bool has_guard_pages(void *page)
{
    return madvise(page, WEFT_STACK_GUARD_BYTES, MADV_GUARD_INSTALL) == 0 &&
           getrandom(page, 1, 0) < 0 && errno == EFAULT;
}

static int map_range(struct weft_stacks *stacks)
{
    const size_t bytes = (size_t)stacks->count_max * WEFT_STACK_BYTES;
    stacks->mapped_bytes = bytes + WEFT_STACK_BYTES;
    stacks->mapping = mmap(NULL, stacks->mapped_bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stacks->mapping == MAP_FAILED) return -errno;
    // A huge page under lazily touched stacks would make each of them cost all of its 64 KiB.
    madvise(stacks->mapping, stacks->mapped_bytes, MADV_NOHUGEPAGE);
    stacks->base = (uint8_t *)weft_round_up((uintptr_t)stacks->mapping, WEFT_STACK_BYTES);
    return 0;
}

struct weft_stacks *weft_stacks_create(uint32_t count_max, enum weft_stack_guard want)
{
    struct weft_stacks *stacks = calloc(1, sizeof(*stacks));
    if (stacks == NULL) return NULL;
    stacks->count_max = (uint32_t)weft_round_up(count_max, WEFT_STACK_GROUP);
    stacks->free_max = stacks->count_max;
    int result = -map_range(stacks);
    if (result == 0) {
        stacks->free = mmap(NULL, stacks->free_max * sizeof(void *), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (stacks->free == MAP_FAILED) {
            result = errno;
            munmap(stacks->mapping, stacks->mapped_bytes);
        }
    }
    if (result != 0) {
        free(stacks);
        errno = result;
        return NULL;
    }
    stacks->guard = want == WEFT_STACK_PAGES && has_guard_pages(stacks->base) ? WEFT_STACK_PAGES
                                                                              : WEFT_STACK_CHECKS;
    if (stacks->guard == WEFT_STACK_CHECKS)
        weft_stacks_check_add(stacks->base, (size_t)stacks->count_max * WEFT_STACK_BYTES);
    return stacks;
}

void weft_stacks_free(struct weft_stacks *stacks)
{
    if (stacks->guard == WEFT_STACK_CHECKS) weft_stacks_check_remove(stacks->base);
    munmap(stacks->free, stacks->free_max * sizeof(void *));
    munmap(stacks->mapping, stacks->mapped_bytes);
    free(stacks);
}

// Sets the guards of the next stacks. False if the kernel refuses.
static bool grow(struct weft_stacks *stacks)
{
    uint8_t *first = stacks->base + (size_t)stacks->guarded * WEFT_STACK_BYTES;
    if (stacks->guard == WEFT_STACK_CHECKS) {
        if (stacks->guarded % WEFT_STACK_GROUP == 0 &&
            mprotect(first, WEFT_STACK_GUARD_BYTES, PROT_NONE) != 0)
            return false;
    } else {
        for (uint32_t i = 0; i < GROWTH; i++) {
            if (madvise(first + (size_t)i * WEFT_STACK_BYTES, WEFT_STACK_GUARD_BYTES,
                        MADV_GUARD_INSTALL) != 0)
                return false;
        }
    }
    stacks->guarded += GROWTH;
    return true;
}

static void *make(struct weft_stacks *stacks)
{
    const uint32_t made = (uint32_t)weft_counter_get(&stacks->made);
    if (made == stacks->count_max) return NULL;
    if (made == stacks->guarded && !grow(stacks)) return NULL;
    void *stack = stacks->base + (size_t)made * WEFT_STACK_BYTES;
    weft_counter_set(&stacks->made, made + 1);
    return stack;
}

void weft_stacks_mark(const struct weft_stacks *stacks, void *stack)
{
    if (stacks->guard == WEFT_STACK_CHECKS) *checked_word(stack) = word_of(stack);
}

uint32_t weft_stacks_count_max(const struct weft_stacks *stacks)
{
    return stacks->count_max;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void lower(struct weft_stacks *stacks, uint32_t free_count)
{
    stacks->low = free_count;
    stacks->idle = least(stacks->idle, free_count);
    stacks->cold = least(stacks->cold, free_count);
}

void *weft_stacks_take(struct weft_stacks *stacks)
{
    const uint64_t free_count = weft_counter_get(&stacks->free_count);
    void *stack;
    if (free_count > 0) {
        stack = stacks->free[free_count - 1];
        weft_counter_set(&stacks->free_count, free_count - 1);
        if (free_count <= stacks->low) lower(stacks, (uint32_t)(free_count - 1));
    } else {
        stack = make(stacks);
        if (stack == NULL) return NULL;
    }
    weft_stacks_mark(stacks, stack);
    weft_counter_add(&stacks->taken, 1);
    return stack;
}

void weft_stacks_forget(void *stack)
{
    weft_unpoison((uint8_t *)stack + WEFT_STACK_GUARD_BYTES,
                  WEFT_STACK_BYTES - WEFT_STACK_GUARD_BYTES);
}

void weft_stacks_release(struct weft_stacks *stacks, void *stack)
{
    const uint64_t free_count = weft_counter_get(&stacks->free_count);
    weft_assert(free_count < stacks->free_max);
    weft_stacks_forget(stack);
    stacks->free[free_count] = stack;
    weft_counter_set(&stacks->free_count, free_count + 1);
    weft_counter_add(&stacks->released, 1);
}

bool weft_stacks_owns(const struct weft_stacks *stacks, const void *stack)
{
    return (uintptr_t)stack - (uintptr_t)stacks->base <
           (size_t)stacks->count_max * WEFT_STACK_BYTES;
}

void *weft_stacks_top(void *stack)
{
    const uintptr_t number = (uintptr_t)stack / WEFT_STACK_BYTES;
    return (uint8_t *)stack + WEFT_STACK_BYTES - TOP_BYTES - number % COLOUR_COUNT * COLOUR_BYTES;
}

bool weft_stacks_intact(const struct weft_stacks *stacks, const void *stack)
{
    return stacks->guard == WEFT_STACK_PAGES || *checked_word(stack) == word_of(stack);
}

void weft_stacks_drop(const struct weft_stacks *stacks, void *first, uint32_t count)
{
    // With guard pages MADV_DONTNEED leaves the guards where they are; without, only the first
    // stack of a group has one, and to advise over it is as harmless.
    (void)stacks;
    madvise(first, (size_t)count * WEFT_STACK_BYTES, MADV_DONTNEED);
}

static void end_period(struct weft_stacks *stacks, uint64_t now_ns)
{
    const uint32_t spare = stacks->low - least(stacks->low, WEFT_STACK_WARM_MAX);
    stacks->idle = spare > stacks->cold ? spare : stacks->cold;
    stacks->low = (uint32_t)weft_counter_get(&stacks->free_count);
    stacks->period_end_ns = now_ns + WEFT_STACK_REST_NS;
}

// How many of the coldest `limit` stand side by side: a crowd that left in order stands here in
// order, upwards or downwards. *first: the lowest.
static uint32_t neighbours(const struct weft_stacks *stacks, uint32_t limit, uint8_t **first)
{
    void **free = stacks->free + stacks->cold;
    uint8_t *last = free[0];
    uint32_t count = 1;
    for (*first = last; count < limit; count++) {
        uint8_t *next = free[count];
        if (next == last + WEFT_STACK_BYTES)
            last = next;
        else if (next == *first - WEFT_STACK_BYTES)
            *first = next;
        else
            break;
    }
    return count;
}

uint32_t weft_stacks_trim(struct weft_stacks *stacks, uint64_t now_ns, uint32_t limit)
{
    uint32_t done = 0;
    if (now_ns >= stacks->period_end_ns) end_period(stacks, now_ns);
    while (done < limit && stacks->cold < stacks->idle) {
        uint8_t *first;
        const uint32_t count =
            neighbours(stacks, least(limit - done, stacks->idle - stacks->cold), &first);
        weft_stacks_drop(stacks, first, count);
        stacks->cold += count;
        done += count;
    }
    return done;
}

bool weft_stacks_has_surplus(const struct weft_stacks *stacks)
{
    return weft_counter_get(&stacks->free_count) > stacks->cold + WEFT_STACK_WARM_MAX;
}

struct weft_stacks_view weft_stacks_view(const struct weft_stacks *stacks)
{
    return (struct weft_stacks_view){
        .guard = stacks->guard,
        .count_max = stacks->count_max,
        .made = (uint32_t)weft_counter_get(&stacks->made),
        .used = (int64_t)(weft_counter_get(&stacks->taken) - weft_counter_get(&stacks->released)),
        .warm = (uint32_t)weft_counter_get(&stacks->free_count),
    };
}

const char *weft_stack_guard_name(enum weft_stack_guard guard)
{
    return guard == WEFT_STACK_PAGES ? "a guard page under each"
                                     : "checks in the code, a guard page under each group";
}
