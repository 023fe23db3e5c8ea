#include "config/pool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define POOL_CHUNK_BYTES 16384

struct chunk {
    struct chunk *next;
    size_t used, size;
    _Alignas(max_align_t) char bytes[];
};

struct weft_config_pool {
    struct chunk *chunks; // The one being filled comes first.
};

struct weft_config_pool *weft_config_pool_create(void)
{
    return calloc(1, sizeof(struct weft_config_pool));
}

void weft_config_pool_free(struct weft_config_pool *pool)
{
    if (!pool) return;
    while (pool->chunks) {
        struct chunk *next = pool->chunks->next;
        free(pool->chunks);
        pool->chunks = next;
    }
    free(pool);
}

void *weft_config_pool_alloc(struct weft_config_pool *pool, size_t size)
{
    if (size > SIZE_MAX / 2) return NULL;
    size = (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
    struct chunk *chunk = pool->chunks;
    if (!chunk || chunk->size - chunk->used < size) {
        const size_t bytes = size > POOL_CHUNK_BYTES ? size : POOL_CHUNK_BYTES;
        chunk = calloc(1, sizeof(*chunk) + bytes);
        if (!chunk) return NULL;
        chunk->size = bytes;
        chunk->next = pool->chunks;
        pool->chunks = chunk;
    }
    void *memory = chunk->bytes + chunk->used;
    chunk->used += size;
    return memory;
}

char *weft_config_pool_copy(struct weft_config_pool *pool, const char *text, size_t length)
{
    char *copy = weft_config_pool_alloc(pool, length + 1);
    if (copy && length > 0) memcpy(copy, text, length);
    return copy;
}
