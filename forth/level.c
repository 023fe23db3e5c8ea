#include "forth/level.h"

#include "forth/defining.h"
#include "forth/dictionary.h"
#include "forth/inner.h"
#include "forth/outer.h"

static uint64_t entry(uint32_t low, uint32_t high)
{
    return (low | WEFT_CODE_SPECIAL) | (uint64_t)high << 32;
}

int32_t weft_level_begin(struct weft_unit *unit)
{
    const int32_t code = weft_call_room(unit, WEFT_LEVEL_ENTRIES);
    if (code != 0) return code;

    struct weft_block *block = unit->block;
    uint64_t *frame = weft_calls(block) + block->csp;
    const uint32_t state = weft_variable(block, WEFT_VARIABLE_STATE) != 0;
    frame[0] = entry(block->level_csp, block->ip);
    frame[1] = entry(block->dbase, block->rbase);
    frame[2] = entry(block->handler, block->status);
    frame[3] = entry(block->dsp, block->rsp);
    frame[4] = entry(weft_source_count(block), state);
    frame[5] = entry((uint32_t)(block->wake_ns >> 32), (uint32_t)block->wake_ns);
    frame[6] = entry(block->fbase, 0); // The height is that at which this level begins.
    block->csp += WEFT_LEVEL_ENTRIES;
    block->level_csp = block->csp;
    block->handler = 0;
    block->wake_ns = 0;
    block->levels++;
    if (block->levels > 1) {
        block->dbase = block->dsp;
        block->rbase = block->rsp;
        block->fbase = block->fsp;
        weft_variable_set(block, WEFT_VARIABLE_STATE, WEFT_FALSE);
    }
    block->status = WEFT_STATUS_READY;
    block->ip = unit->system->boot | WEFT_CODE_SYSTEM | WEFT_CODE_CHECKED;
    return 0;
}

void weft_level_end(struct weft_unit *unit, bool failed)
{
    struct weft_block *block = unit->block;
    if (block->status == WEFT_STATUS_PARKED && unit->host->abandon != NULL)
        unit->host->abandon(unit->self, block->levels - 1);
    const uint64_t *frame = weft_calls(block) + block->level_csp - WEFT_LEVEL_ENTRIES;
    const bool first = block->levels == 1;
    if (failed || !first) weft_definition_abandon(unit);

    weft_sources_drop(unit, (uint32_t)frame[4] & ~WEFT_CODE_SPECIAL);
    // With an empty search order no later text could say anything.
    if (failed && first && block->order.count == 0) weft_order_reset(block);
    if (failed && first) {
        weft_variable_set(block, WEFT_VARIABLE_STATE, WEFT_FALSE);
    } else if (!first) {
        weft_variable_set(block, WEFT_VARIABLE_STATE, weft_flag(frame[4] >> 32 != 0));
    }
    block->rsp = (uint32_t)(frame[3] >> 32);
    if (!first) {
        block->dsp = (uint32_t)frame[3] & ~WEFT_CODE_SPECIAL;
        block->fsp = block->fbase;
    } else if (failed) {
        block->dsp = block->fsp = 0;
    }
    block->csp = block->level_csp - WEFT_LEVEL_ENTRIES;
    block->wake_ns = (frame[5] & ~(uint64_t)WEFT_CODE_SPECIAL & UINT32_MAX) << 32 | frame[5] >> 32;
    block->handler = (uint32_t)frame[2] & ~WEFT_CODE_SPECIAL;
    block->status = (uint32_t)(frame[2] >> 32);
    block->dbase = (uint32_t)frame[1] & ~WEFT_CODE_SPECIAL;
    block->rbase = (uint32_t)(frame[1] >> 32);
    block->fbase = (uint32_t)frame[6] & ~WEFT_CODE_SPECIAL;
    block->ip = (uint32_t)(frame[0] >> 32);
    block->level_csp = (uint32_t)frame[0] & ~WEFT_CODE_SPECIAL;
    block->levels--;
}

void weft_definition_abandon(struct weft_unit *unit)
{
    struct weft_block *block = unit->block;
    if (block->definition == 0) return;

    if (weft_definition_is_code(unit)) weft_assembler_leave(block);
    weft_words_drop(unit, block->first);
    block->definition = 0;
    block->leave = 0;
}
