// range.h: address space reserved once, on the largest pages that the machine gives.
#ifndef WEFT_MEM_RANGE_H
#define WEFT_MEM_RANGE_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/mem/arena.h"

#define WEFT_HUGE_PAGE_BYTES     (2 * WEFT_MIB)
#define WEFT_GIGANTIC_PAGE_BYTES WEFT_GIB

struct weft_range {
    uint8_t *base; // Aligned to WEFT_HUGE_PAGE_BYTES.
    size_t bytes;
    enum weft_arena_backing backing;
};

// Maps `bytes`, a multiple of WEFT_HUGE_PAGE_BYTES: huge pages if so many are free, and gigantic
// ones if it is a multiple of those, too; else pages that the kernel may join into huge ones, else
// small ones. 0 or a negative errno. Control core.
int weft_range_map(struct weft_range *range, size_t bytes);
void weft_range_unmap(struct weft_range *range);

#endif // WEFT_MEM_RANGE_H
