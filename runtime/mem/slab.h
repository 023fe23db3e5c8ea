// slab.h: objects of one size from chunks of an arena: alloc and free are a push and a pop.
// Core: own core only. An object freed is poisoned under ASan.
// Objects whose size is a multiple of 64 start on a cache line. When the last object comes back,
// every chunk but one goes back to the arena: a crowd that has left leaves its memory.
#ifndef WEFT_MEM_SLAB_H
#define WEFT_MEM_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/assert.h"
#include "runtime/mem/arena.h"
#include "runtime/mem/poison.h"

struct weft_slab {
    struct weft_arena *arena;
    void *free_list;
    void *chunks;          // Each chunk's first word links to the next.
    uint32_t object_bytes; // Rounded up to 16.
    uint32_t chunk_bytes;
    uint32_t used_count;
    uint32_t chunk_count;
};

// Objects of `object_bytes` (at least one must fit a chunk) from chunks of `chunk_bytes`. Allocates
// nothing.
void weft_slab_init(struct weft_slab *slab, struct weft_arena *arena, uint32_t object_bytes,
                    uint32_t chunk_bytes);
// Returns every chunk. Objects still in use become invalid.
void weft_slab_destroy(struct weft_slab *slab);

// What the two below leave to slab.c: another chunk (false at the cap), and giving chunks back.
bool weft_slab_grow(struct weft_slab *slab);
void weft_slab_trim(struct weft_slab *slab);

// True if an object is free: the next alloc asks nobody. Never where refusals are tested.
static inline bool weft_slab_has_free(const struct weft_slab *slab)
{
#ifdef WEFT_ASAN
    (void)slab;
    return false;
#else
    return slab->free_list != NULL;
#endif
}

// True if the next release gives chunks back.
static inline bool weft_slab_is_last(const struct weft_slab *slab)
{
    return slab->used_count == 1 && slab->chunk_count > 1;
}

// Not zeroed. NULL at the arena's cap.
static inline void *weft_slab_alloc(struct weft_slab *slab)
{
    if (weft_arena_refuses(slab->arena)) return NULL;
    if (__builtin_expect(slab->free_list == NULL, 0) && !weft_slab_grow(slab)) return NULL;
    void **object = (void **)slab->free_list;
    weft_unpoison(object, slab->object_bytes);
    slab->free_list = *object;
    slab->used_count++;
    return object;
}

static inline void weft_slab_release(struct weft_slab *slab, void *object)
{
    weft_assert(slab->used_count > 0);
    const bool is_last = weft_slab_is_last(slab);
    *(void **)object = slab->free_list;
    slab->free_list = object;
    weft_poison(object, slab->object_bytes);
    slab->used_count--;
    if (__builtin_expect(is_last, 0)) weft_slab_trim(slab);
}

#endif // WEFT_MEM_SLAB_H
