// cell.h: cells, and the address space that a unit sees.
//
// A cell is 64 bits. An address is an offset, never a host pointer: each kind of memory has a
// window, and whatever lies in no window throws -9. The first 64 KiB belong to nobody, so 0 and
// small numbers are never good addresses.
#ifndef WEFT_FORTH_CELL_H
#define WEFT_FORTH_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "runtime/base/endian.h" // Refuses a big-endian machine: cells are stored as the CPU has them.

typedef int64_t weft_cell;
typedef uint64_t weft_ucell;
typedef __int128 weft_dcell;           // A double-cell number while it is worked on.
typedef unsigned __int128 weft_udcell; // On the stack: low cell below, high cell on top.

#define WEFT_CELL_BYTES 8u

// So many bytes as whole cells.
static inline uint32_t weft_cells_up(uint32_t bytes)
{
    return (bytes + WEFT_CELL_BYTES - 1) & ~(WEFT_CELL_BYTES - 1);
}

enum {
    WEFT_ADDRESS_DATA = 0x00010000,    // The unit's data space: HERE, ALLOT, VARIABLE.
    WEFT_ADDRESS_SYSTEM = 0x40000000,  // Data of the system module: read-only.
    WEFT_ADDRESS_TEXT = 0x50000000,    // Source texts under way: read-only.
    WEFT_ADDRESS_SCRATCH = 0x60000000, // WORD's buffer, <# #>, PAD, interpreted strings.
    WEFT_ADDRESS_MESSAGE = 0x68000000, // The message received last.
    WEFT_ADDRESS_RESULT = 0x70000000,  // What SANDBOX answered last.
    WEFT_ADDRESS_END = 0x78000000,
};

// ALLOCATE's memory (words_memory.c); the last window of all.
#define WEFT_ADDRESS_HEAP     UINT32_C(0x80000000)
#define WEFT_ADDRESS_HEAP_END UINT32_C(0xc0000000)

// Variables of the unit at the start of its data space.
enum {
    WEFT_VARIABLE_BASE = 0,
    WEFT_VARIABLE_STATE = 8,
    WEFT_VARIABLE_IN = 16,
    WEFT_VARIABLE_BYTES = 24,
};

// The scratch segment.
enum {
    WEFT_SCRATCH_WORD = 0, // Counted string: 1 + 255.
    WEFT_SCRATCH_HOLD = 256,
    WEFT_HOLD_BYTES = 256, // At least 2 * 64 + 2.
    WEFT_SCRATCH_STRINGS = 512,
    WEFT_STRING_BYTES = 256,
    WEFT_STRINGS = 4, // Of these, in turn, for interpreted strings.
    WEFT_SCRATCH_PAD = WEFT_SCRATCH_STRINGS + WEFT_STRINGS * WEFT_STRING_BYTES,
    WEFT_PAD_BYTES = 256,
    WEFT_SCRATCH_NAME = WEFT_SCRATCH_PAD + WEFT_PAD_BYTES, // NAME>STRING's answer.
    WEFT_SCRATCH_BYTES = WEFT_SCRATCH_NAME + 256,
};

#define WEFT_TRUE  ((weft_cell)-1)
#define WEFT_FALSE ((weft_cell)0)

static inline weft_cell weft_flag(bool flag)
{
    return -(weft_cell)flag;
}

static inline weft_cell weft_cell_get(const void *from)
{
    return (weft_cell)weft_le64_get(from);
}

static inline void weft_cell_put(void *to, weft_cell value)
{
    weft_le64_put(to, (uint64_t)value);
}

#endif // WEFT_FORTH_CELL_H
