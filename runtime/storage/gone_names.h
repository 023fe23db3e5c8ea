// gone_names.h: names of units that are gone, gathered until it is worth while to look at all units
// for them.
//
// Core: any one. Memory: malloc.
#ifndef WEFT_STORAGE_GONE_NAMES_H
#define WEFT_STORAGE_GONE_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#define WEFT_GONE_NAME_BYTES 32 // With its zero byte.

struct weft_gone_names {                 // Zeroed: empty.
    char (*slots)[WEFT_GONE_NAME_BYTES]; // Linear probing; an empty name is no name.
    uint32_t count, capacity;            // A power of two, at least twice the count.
};

bool weft_gone_names_has(const struct weft_gone_names *names, const char *name);
// 0, also if it is there already; -ENOMEM. `name` is not empty.
int weft_gone_names_add(struct weft_gone_names *names, const char *name);
void weft_gone_names_clear(struct weft_gone_names *names);
void weft_gone_names_destroy(struct weft_gone_names *names);

#endif // WEFT_STORAGE_GONE_NAMES_H
