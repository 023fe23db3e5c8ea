// Room on the stacks, and how a word is entered from outside the inner interpreter.
#include "forth/inner.h"

static int32_t stack_room(struct weft_unit *unit, enum weft_segment_id id, uint64_t entries,
                          uint32_t limit, int32_t code)
{
    if (entries > limit) return code;
    if (entries * WEFT_CELL_BYTES <= weft_segment_capacity(unit->block, id)) return 0;
    return weft_segment_grow(unit, id, entries * WEFT_CELL_BYTES);
}

int32_t weft_data_room(struct weft_unit *unit, uint32_t cells)
{
    // Cell n lies at index n: index 0 is where an empty stack's top is cached. Eight beyond the
    // quota let every operation rely on its room.
    const uint64_t depth = (uint64_t)unit->block->dsp + cells;
    return stack_room(unit, WEFT_SEGMENT_DATA_STACK, depth + 1, unit->options.stack_cells_max + 9,
                      -3);
}

int32_t weft_return_room(struct weft_unit *unit, uint32_t cells)
{
    const uint64_t depth = (uint64_t)unit->block->rsp + cells;
    return stack_room(unit, WEFT_SEGMENT_RETURN_STACK, depth, unit->options.stack_cells_max, -5);
}

int32_t weft_call_room(struct weft_unit *unit, uint32_t entries)
{
    const uint64_t depth = (uint64_t)unit->block->csp + entries;
    return stack_room(unit, WEFT_SEGMENT_CALLS, depth, unit->options.call_depth_max, -5);
}

// The stacks as a static word needs them at its entry.
static int32_t entry_check(struct weft_unit *unit, const struct weft_word *word)
{
    struct weft_block *block = unit->block;
    if (block->dsp < block->dbase + word->need) return -4;
    const uint32_t grow = word->grow, rgrow = word->rgrow; // The words may move with the block.
    if (block->dsp + grow > unit->options.stack_cells_max) return -3;
    const int32_t code = weft_data_room(unit, grow);
    return code != 0 ? code : weft_return_room(unit, rgrow);
}

int32_t weft_enter(struct weft_unit *unit, uint64_t index, uint32_t back)
{
    const struct weft_word *word = weft_word_at(unit, index);
    if (word == NULL || !(word->flags & WEFT_WORD_VALID)) return -13;
    const uint32_t shared = weft_shared_words(unit);
    const uint32_t where = index < shared                               ? WEFT_CODE_SYSTEM
                           : index - shared < unit->block->frozen_words ? WEFT_CODE_MODULE
                                                                        : 0;
    const uint32_t target = word->code | where;
    const bool is_static = word->flags & WEFT_WORD_STATIC;

    const int32_t code = weft_call_room(unit, 1);
    if (code != 0) return code;
    // What it takes and leaves at most may be more than it does on this way: then it looks itself.
    const bool checked = !is_static || entry_check(unit, weft_word_at(unit, index)) != 0;
    struct weft_block *block = unit->block;
    weft_calls(block)[block->csp++] = back | (uint64_t)block->rsp << 32;
    block->ip = target | (checked ? WEFT_CODE_CHECKED : 0);
    unit->budget--;
    return 0;
}
