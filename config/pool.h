// pool.h: memory that is taken piece by piece and given back all at once. Owned by one thread.
#ifndef WEFT_CONFIG_POOL_H
#define WEFT_CONFIG_POOL_H

#include <stddef.h>

struct weft_config_pool;

// NULL when there is no memory.
struct weft_config_pool *weft_config_pool_create(void);
void weft_config_pool_free(struct weft_config_pool *pool); // NULL is allowed.

// `size` zeroed bytes, aligned for any type, until weft_config_pool_free. NULL when there is no
// memory.
void *weft_config_pool_alloc(struct weft_config_pool *pool, size_t size);
// A copy with a zero byte after it.
char *weft_config_pool_copy(struct weft_config_pool *pool, const char *text, size_t length);

#endif // WEFT_CONFIG_POOL_H
