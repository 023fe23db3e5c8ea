// inner.h: the inner interpreter: runs the bytecode of one unit for one slice. Internal to forth/.
#ifndef WEFT_FORTH_INNER_H
#define WEFT_FORTH_INNER_H

#include "forth/state.h"

// Runs unit->block from block->ip for unit->budget reductions, which it counts down. Answers
// WEFT_GIVE, WEFT_PARK, WEFT_CHILD, WEFT_HALT or WEFT_FAULTED (ops.h).
int weft_inner(struct weft_unit *unit);

// For operations outside the inner interpreter: the stacks as they lie in memory. The inner
// interpreter has checked that what the operation takes is there, and that six more cells fit.
static inline weft_cell weft_pop(struct weft_block *block)
{
    return weft_data_stack(block)[block->dsp--];
}

static inline void weft_push(struct weft_block *block, weft_cell value)
{
    weft_data_stack(block)[++block->dsp] = value;
}

static inline weft_cell *weft_top(struct weft_block *block)
{
    return &weft_data_stack(block)[block->dsp];
}

// Room for `cells` more; 0 or -3, -5, -256...
int32_t weft_data_room(struct weft_unit *unit, uint32_t cells);
int32_t weft_return_room(struct weft_unit *unit, uint32_t cells);
int32_t weft_call_room(struct weft_unit *unit, uint32_t entries);

// Enters word `index` so that it returns to `back` (a code place); sets ip. 0 or a THROW code.
int32_t weft_enter(struct weft_unit *unit, uint64_t index, uint32_t back);

// Charges reductions for work on `bytes` bytes.
static inline void weft_charge(struct weft_unit *unit, uint64_t bytes)
{
    const uint64_t cost = bytes / 64;
    unit->budget -= (int32_t)(cost < 1000000 ? cost : 1000000);
}

#endif // WEFT_FORTH_INNER_H
