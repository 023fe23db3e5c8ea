// arena.h: the memory of one core: an address range reserved at start, cut up by a jemalloc arena.
//
// The range is MAP_HUGETLB if enough huge pages are free, of 1 GiB if it is a multiple of them,
// else 2 MiB-aligned with MADV_HUGEPAGE.
// The arena's extent hooks cut from it and nothing else, so a worker never asks the kernel for
// memory and its cap is real. Debian's arm64 jemalloc uses 64 KiB pages: caps below 4 MiB are
// refused. Core: alloc and release only by the core that owns it. Every call names its arena and
// that arena's own cache of free blocks, so no thread is bound to anything and one thread can play
// many cores. Linking jemalloc makes it the process's malloc too; one automatic arena serves that
// (arena.c). Built with a sanitizer, an arena counts plain malloc instead, so that every block is
// watched.
#ifndef WEFT_MEM_ARENA_H
#define WEFT_MEM_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/units.h"
#include "runtime/mem/poison.h"

#define WEFT_ARENA_BYTES_MIN (4 * WEFT_MIB)

enum weft_arena_backing {
    WEFT_ARENA_GIGANTIC,
    WEFT_ARENA_HUGETLB,
    WEFT_ARENA_TRANSPARENT,
    WEFT_ARENA_SMALL_PAGES
};

struct weft_arena;

// Reserves `cap_bytes` (rounded up to 2 MiB). NULL with errno set: EINVAL below
// WEFT_ARENA_BYTES_MIN, ENOMEM if the kernel refuses. Control core.
struct weft_arena *weft_arena_create(size_t cap_bytes);

// Returns the range, and with it every block. Its core turns no more. Control core.
void weft_arena_free(struct weft_arena *arena);

// `size` bytes, 16-byte aligned, not zeroed; NULL at the cap. Own core only.
void *weft_arena_alloc(struct weft_arena *arena, size_t size);
void *weft_arena_alloc_zeroed(struct weft_arena *arena, size_t size);
// Gives back a block with the `size` that it was allocated with. NULL is allowed. Own core only.
void weft_arena_release(struct weft_arena *arena, void *block, size_t size);

// While `forbidden` nothing is allocated, and what is released is given back later: for a signal
// handler on the arena's own core, which may have interrupted malloc.
void weft_arena_forbid(struct weft_arena *arena, bool forbidden);
// Gives back what was released meanwhile. Own core, outside handlers.
void weft_arena_settle(struct weft_arena *arena);

// Bytes allocated and not released, rounded up to 16 each; what jemalloc adds is not in it. Any
// core.
size_t weft_arena_used_bytes(const struct weft_arena *arena);
size_t weft_arena_cap_bytes(const struct weft_arena *arena);
enum weft_arena_backing weft_arena_backing(const struct weft_arena *arena);
const char *weft_arena_backing_name(enum weft_arena_backing backing); // For people.

// ---- For tests, where AddressSanitizer watches: what happens when there is no memory.

// Refuses the `nth` allocation from now on (1: the next; 0: none), be it of a block or of an object
// of a slab, and all after it if `on`. False: this build cannot.
bool weft_arena_refuse(struct weft_arena *arena, uint64_t nth, bool on);
// How many allocations will be granted before one is refused; 0: one has been, or none will.
uint64_t weft_arena_refuse_left(const struct weft_arena *arena);
#ifdef WEFT_ASAN
bool weft_arena_refuses(struct weft_arena *arena); // Counts one. True: it is refused.
#else
static inline bool weft_arena_refuses(struct weft_arena *arena)
{
    (void)arena;
    return false;
}
#endif

#endif // WEFT_MEM_ARENA_H
