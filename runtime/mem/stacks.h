// stacks.h: stacks for fibers: 64 KiB of addresses each, memory only where one has been touched.
//
// One reserved range a core holds them side by side, so that a million are one mapping and not two
// million (vm.max_map_count stops at 65 530). What stands between one and its neighbour below:
//
//   PAGES   a guard page under each, without a mapping of its own: MADV_GUARD_INSTALL, Linux 6.13.
//           An overflow is a SIGSEGV.
//   CHECKS  before 6.13: a guard page under each group of 64; in code built with the flags of
//           `pkg-config --cflags weft` a check at each function's entry (weft_stacks_limit); and a
//           word at the top of each stack that an overflow of the one above it spoils first.
//
// A stack given back is the next one taken: it is warm. Those that nobody wanted for a second are
// cold, but for the last WEFT_STACK_WARM_MAX: their memory goes back to the kernel when the core
// has time (weft_stacks_trim). So a crowd that comes and goes finds the stacks of the one before,
// and pays no page fault for each (the working set of Bonwick and Adams 2001, Magazines and
// Vmem, 3.3).
//
// Core: its owner alone; a stack is released into the pool that it came from. Which one that is,
// any core may ask. Where the kernel is asked: guards when the pool grows (16 stacks at a time),
// weft_stacks_trim.
#ifndef WEFT_MEM_STACKS_H
#define WEFT_MEM_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/units.h"

#define WEFT_STACK_BYTES       (64 * 1024) // With the guard page.
#define WEFT_STACK_GUARD_BYTES 4096
#define WEFT_STACK_GROUP       64   // Stacks above one guard page, without MADV_GUARD_INSTALL.
#define WEFT_STACK_WARM_MAX    1024 // Free ones that keep their memory.
#define WEFT_STACK_REST_NS     WEFT_NS_PER_S // Others keep it so long, and at most twice that.

enum weft_stack_guard { WEFT_STACK_PAGES, WEFT_STACK_CHECKS };

struct weft_stacks;

// Reserves addresses for `count_max` stacks (rounded up to WEFT_STACK_GROUP). `want` is
// WEFT_STACK_PAGES, which falls back to CHECKS where the kernel lacks it, or CHECKS. NULL with
// errno set. Control core.
struct weft_stacks *weft_stacks_create(uint32_t count_max, enum weft_stack_guard want);
// Unmaps every stack. Nothing runs on one any more.
void weft_stacks_free(struct weft_stacks *stacks);

// A stack's lowest address; NULL if all are taken or the kernel refuses more.
void *weft_stacks_take(struct weft_stacks *stacks);
void weft_stacks_release(struct weft_stacks *stacks, void *stack);
// True if `stack` was taken from `stacks`. Any core.
bool weft_stacks_owns(const struct weft_stacks *stacks, const void *stack);

// What was on the stack is nobody's any more: for AddressSanitizer, when it is begun anew.
void weft_stacks_forget(void *stack);

// Where a fiber on `stack` starts to push: below the word that is checked, and moved down a little
// by its number, so that the tops of a thousand stacks do not meet in one set of the cache.
void *weft_stacks_top(void *stack);
// The lowest address that code on the stack around `sp` may use.
static inline void *weft_stacks_limit(const void *sp)
{
    return (void *)(((uintptr_t)sp & ~(uintptr_t)(WEFT_STACK_BYTES - 1)) + WEFT_STACK_GUARD_BYTES);
}

// Sets the word that is checked, on a stack whose memory has been dropped. CHECKS only.
void weft_stacks_mark(const struct weft_stacks *stacks, void *stack);
// What code built with -finstrument-functions calls at each function's entry: traps if less than a
// guard page is left of a stack in CHECKS. Nothing on other stacks. Any thread.
void __cyg_profile_func_enter(void *function, void *caller);
void __cyg_profile_func_exit(void *function, void *caller);
// True if a trap at `pc` was that one.
bool weft_stacks_trapped(uintptr_t pc);

// False if the stack above `stack` has written below its end. PAGES: always true.
bool weft_stacks_intact(const struct weft_stacks *stacks, const void *stack);

// Gives the memory of up to `limit` cold stacks back, neighbours in one call. How many were done.
// Which are cold is told by calling it, once in WEFT_STACK_REST_NS or more often.
uint32_t weft_stacks_trim(struct weft_stacks *stacks, uint64_t now_ns, uint32_t limit);
// True if it will have more to do, now or later.
bool weft_stacks_has_surplus(const struct weft_stacks *stacks);
// Gives the memory of `count` adjacent stacks from `first` on back; the stacks stay taken and read
// as zeros. For eviction: the owner has copied what lives there.
void weft_stacks_drop(const struct weft_stacks *stacks, void *first, uint32_t count);

uint32_t weft_stacks_count_max(const struct weft_stacks *stacks);

struct weft_stacks_view {
    enum weft_stack_guard guard;
    uint32_t count_max, made, warm;
    int64_t used; // Taken and not released.
};
// Any core may read it; each field is at most a turn old.
struct weft_stacks_view weft_stacks_view(const struct weft_stacks *stacks);
const char *weft_stack_guard_name(enum weft_stack_guard guard); // For people.

#endif // WEFT_MEM_STACKS_H
