// units.h: names for the factors between units, and checked rounding.
#ifndef WEFT_BASE_UNITS_H
#define WEFT_BASE_UNITS_H

#include <stddef.h>
#include <stdint.h>

#define WEFT_NS_PER_US UINT64_C(1000)
#define WEFT_NS_PER_MS UINT64_C(1000000)
#define WEFT_NS_PER_S  UINT64_C(1000000000)
#define WEFT_KIB       UINT64_C(1024)
#define WEFT_MIB       UINT64_C(1048576)
#define WEFT_GIB       UINT64_C(1073741824)

// What two cores write stands this far apart: two lines, as prefetchers fetch pairs (DESIGN, rule
// 14).
#define WEFT_CORE_ALIGN 128

#define WEFT_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

// The structure that holds `member` at `pointer`.
#define WEFT_CONTAINER_OF(pointer, type, member)                                                   \
    ((type *)((char *)(pointer)-offsetof(type, member)))

// `value` rounded up to a multiple of `to`, a power of two.
static inline size_t weft_round_up(size_t value, size_t to)
{
    return (value + to - 1) & ~(to - 1);
}

#endif // WEFT_BASE_UNITS_H
