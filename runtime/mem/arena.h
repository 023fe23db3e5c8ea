// arena.h: the memory of one core: an address range reserved at start, cut up by a jemalloc arena.
//
// The range is MAP_HUGETLB if enough huge pages are free, else 2 MiB-aligned with MADV_HUGEPAGE. The
// arena's extent hooks cut from it and nothing else, so a worker never asks the kernel for memory and
// its cap is real. Debian's arm64 jemalloc uses 64 KiB pages: caps below 4 MiB are refused.
// Core: alloc and free only by the core that owns it, bound to the thread by weft_arena_bind.
#ifndef WEFT_MEM_ARENA_H
#define WEFT_MEM_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum weft_arena_backing { WEFT_ARENA_HUGETLB, WEFT_ARENA_TRANSPARENT, WEFT_ARENA_SMALL_PAGES };

struct weft_arena;

// Reserves `cap_bytes` (rounded up to 2 MiB). NULL if the kernel refuses, errno set. Control core.
struct weft_arena *weft_arena_create(size_t cap_bytes);

// Returns the range. No thread may be bound to it any more. Control core.
void weft_arena_free(struct weft_arena *arena);

// `size` bytes, 16-byte aligned, not zeroed; NULL at the cap. Own core only.
void *weft_arena_alloc(struct weft_arena *arena, size_t size);
void *weft_arena_alloc_zeroed(struct weft_arena *arena, size_t size);
// Gives back `size` bytes as they were allocated. NULL is allowed. Own core only.
void weft_arena_release(struct weft_arena *arena, void *block, size_t size);

size_t weft_arena_used_bytes(const struct weft_arena *arena); // Any core; at most one turn old.
size_t weft_arena_cap_bytes(const struct weft_arena *arena);
enum weft_arena_backing weft_arena_backing(const struct weft_arena *arena);

#endif // WEFT_MEM_ARENA_H
