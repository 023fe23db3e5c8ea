// image_ties.c: what of a unit depends on when and where it is: until when its texts wait. An image
// holds no times of its host's clock; whoever keeps one beside it says how long was left.
#include "forth/level.h"
#include "forth/unit_internal.h"

// The frame of a level keeps what the one below it waits for.
static uint64_t *frame_over(const struct weft_unit *unit, uint32_t level)
{
    const struct weft_block *block = unit->block;
    uint32_t top = block->level_csp;
    for (uint32_t over = block->levels - 1u; over > level + 1; over--)
        top = (uint32_t)weft_calls(block)[top - WEFT_LEVEL_ENTRIES] & ~WEFT_CODE_SPECIAL;
    return weft_calls(block) + top - WEFT_LEVEL_ENTRIES;
}

uint64_t weft_unit_wakes_at(const struct weft_unit *unit, uint32_t level)
{
    const struct weft_block *block = unit->block;
    if (level >= block->levels) return 0;
    if (level + 1 == block->levels) return block->status == WEFT_STATUS_PARKED ? block->wake_ns : 0;
    const uint64_t kept = frame_over(unit, level)[5];
    return (kept & ~(uint64_t)WEFT_CODE_SPECIAL & UINT32_MAX) << 32 | kept >> 32;
}

void weft_unit_wake_at(struct weft_unit *unit, uint32_t level, uint64_t wake_ns)
{
    struct weft_block *block = unit->block;
    if (level >= block->levels || wake_ns > INT64_MAX) return;
    if (level + 1 < block->levels)
        frame_over(unit, level)[5] =
            ((uint32_t)(wake_ns >> 32) | WEFT_CODE_SPECIAL) | (wake_ns & UINT32_MAX) << 32;
    else if (block->status == WEFT_STATUS_PARKED)
        block->wake_ns = wake_ns;
}
