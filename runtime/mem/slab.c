#include "runtime/mem/slab.h"

#include "runtime/base/assert.h"

#define CHUNK_HEADER_BYTES 64 // The link, and the padding that keeps objects on cache lines.
#define OBJECT_ALIGN       16

void weft_slab_init(struct weft_slab *slab, struct weft_arena *arena, uint32_t object_bytes,
                    uint32_t chunk_bytes)
{
    weft_assert(object_bytes > 0);
    *slab = (struct weft_slab){
        .arena = arena,
        .object_bytes = (uint32_t)weft_round_up(object_bytes, OBJECT_ALIGN),
        .chunk_bytes = chunk_bytes,
    };
    weft_assert(chunk_bytes >= CHUNK_HEADER_BYTES + OBJECT_ALIGN);
    weft_assert(slab->object_bytes <= chunk_bytes - CHUNK_HEADER_BYTES - OBJECT_ALIGN);
}

// Blocks of an arena are aligned to 16; the first object to 64, so it starts up to 48 bytes later.
static uint8_t *first_object(void *chunk)
{
    return (uint8_t *)weft_round_up((uintptr_t)chunk + sizeof(void *), CHUNK_HEADER_BYTES);
}

// Pushes every object of `chunk`, the first on top, so that a fresh chunk is used in address order.
static void push_objects(struct weft_slab *slab, void *chunk)
{
    uint8_t *first = first_object(chunk);
    const uint8_t *end = (uint8_t *)chunk + slab->chunk_bytes;
    const uint32_t count = (uint32_t)((size_t)(end - first) / slab->object_bytes);
    for (uint32_t i = count; i > 0; i--) {
        void **object = (void **)(first + (size_t)(i - 1) * slab->object_bytes);
        weft_unpoison(object, sizeof(void *));
        *object = slab->free_list;
        slab->free_list = object;
        weft_poison(object, slab->object_bytes);
    }
}

bool weft_slab_grow(struct weft_slab *slab)
{
    void **chunk = weft_arena_alloc(slab->arena, slab->chunk_bytes);
    if (chunk == NULL) return false;
    *chunk = slab->chunks;
    slab->chunks = chunk;
    slab->chunk_count++;
    push_objects(slab, chunk);
    return true;
}

static void drop_chunk(struct weft_slab *slab)
{
    void **chunk = slab->chunks;
    slab->chunks = *chunk;
    slab->chunk_count--;
    weft_unpoison(chunk, slab->chunk_bytes);
    weft_arena_release(slab->arena, chunk, slab->chunk_bytes);
}

void weft_slab_destroy(struct weft_slab *slab)
{
    while (slab->chunks != NULL)
        drop_chunk(slab);
    slab->free_list = NULL;
    slab->used_count = 0;
}

// Keeps the first chunk ever made: the others came on top of it.
void weft_slab_trim(struct weft_slab *slab)
{
    while (slab->chunk_count > 1)
        drop_chunk(slab);
    slab->free_list = NULL;
    push_objects(slab, slab->chunks);
}
