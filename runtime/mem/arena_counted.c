// arena_counted.c: the arena of a build with a sanitizer: plain malloc and a count, so that the
// sanitizer sees where every block begins and ends. Same cap, same answers at the cap; each release
// is checked against the size that was allocated.
#include "runtime/mem/arena.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/base/counter.h"
#include "runtime/base/list.h"

struct weft_arena {
    size_t cap_bytes;
    weft_counter used_bytes;
    struct weft_list blocks;
    bool is_forbidden;
    struct weft_list later; // Released while it was.
    uint64_t refuse_in;     // The allocation to be refused, counted down; 0: none.
    bool refuses_on;        // And those after it.
};

struct block {
    struct weft_list link;
    size_t size;
    _Alignas(16) uint8_t bytes[];
};

struct weft_arena *weft_arena_create(size_t cap_bytes)
{
    if (cap_bytes < WEFT_ARENA_BYTES_MIN || cap_bytes > SIZE_MAX / 2) {
        errno = EINVAL;
        return NULL;
    }
    struct weft_arena *arena = calloc(1, sizeof(*arena));
    if (arena == NULL) return NULL;
    arena->cap_bytes = weft_round_up(cap_bytes, 2 * WEFT_MIB);
    weft_list_init(&arena->blocks);
    weft_list_init(&arena->later);
    return arena;
}

void weft_arena_free(struct weft_arena *arena)
{
    for (struct weft_list *link; (link = weft_list_pop(&arena->blocks)) != NULL;)
        free(WEFT_CONTAINER_OF(link, struct block, link));
    free(arena);
}

static size_t block_bytes(size_t size)
{
    return size == 0 ? 16 : weft_round_up(size, 16);
}

bool weft_arena_refuse(struct weft_arena *arena, uint64_t nth, bool on)
{
    arena->refuse_in = nth;
    arena->refuses_on = on;
#ifdef WEFT_ASAN
    return true;
#else
    return false; // Slabs do not ask.
#endif
}

uint64_t weft_arena_refuse_left(const struct weft_arena *arena)
{
    return arena->refuse_in > 1 ? arena->refuse_in - 1 : 0;
}

#ifdef WEFT_ASAN
bool weft_arena_refuses(struct weft_arena *arena)
{
    if (arena->refuse_in == 0) return false;
    if (arena->refuse_in > 1) {
        arena->refuse_in--;
        return false;
    }
    if (!arena->refuses_on) arena->refuse_in = 0;
    return true;
}
#endif

void *weft_arena_alloc(struct weft_arena *arena, size_t size)
{
    if (weft_arena_refuses(arena)) return NULL;
    const size_t used = weft_counter_get(&arena->used_bytes);
    if (size > arena->cap_bytes || block_bytes(size) > arena->cap_bytes - used ||
        arena->is_forbidden)
        return NULL;
    struct block *block = malloc(sizeof(*block) + size);
    if (block == NULL) return NULL;
    block->size = size;
    weft_list_append(&arena->blocks, &block->link);
    weft_counter_set(&arena->used_bytes, used + block_bytes(size));
    return block->bytes;
}

void *weft_arena_alloc_zeroed(struct weft_arena *arena, size_t size)
{
    void *bytes = weft_arena_alloc(arena, size);
    if (bytes != NULL) memset(bytes, 0, size);
    return bytes;
}

void weft_arena_release(struct weft_arena *arena, void *bytes, size_t size)
{
    if (bytes == NULL) return;
    struct block *block = WEFT_CONTAINER_OF(bytes, struct block, bytes);
    weft_assert(block->size == size);
    weft_list_remove(&block->link);
    weft_counter_set(&arena->used_bytes, weft_counter_get(&arena->used_bytes) - block_bytes(size));
    if (arena->is_forbidden)
        weft_list_append(&arena->later, &block->link);
    else
        free(block);
}

void weft_arena_forbid(struct weft_arena *arena, bool forbidden)
{
    arena->is_forbidden = forbidden;
}

void weft_arena_settle(struct weft_arena *arena)
{
    for (struct weft_list *link; (link = weft_list_pop(&arena->later)) != NULL;)
        free(WEFT_CONTAINER_OF(link, struct block, link));
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
    (void)arena;
    return WEFT_ARENA_SMALL_PAGES;
}
