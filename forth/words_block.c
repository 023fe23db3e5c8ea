// words_block.c: blocks as sources. What blocks there are, and their buffers, is prelude_sets.fs.
#include "forth/inner.h"
#include "forth/ops.h"
#include "forth/outer.h"

// ( a-addr u -- ): LOAD's beginning; source_end is its end.
int32_t weft_op_block_begin(struct weft_unit *unit)
{
    const uint64_t number = (uint64_t)weft_pop(unit->block);
    const uint64_t address = (uint64_t)weft_pop(unit->block);
    return number > INT32_MAX ? -35 : weft_source_push_block(unit, address, (uint32_t)number);
}

// (BLOCK-TEXT) ( a-addr u -- ): block u takes the place of the one that is the source.
int32_t weft_op_block_text(struct weft_unit *unit)
{
    struct weft_block *block = unit->block;
    const uint64_t number = (uint64_t)weft_pop(block);
    const void *text = weft_address_read(unit, (uint64_t)weft_pop(block), WEFT_BLOCK_BYTES);
    struct weft_source *source = weft_source_top(unit);
    if (number > INT32_MAX) return -35;
    if (source == NULL || source->id != WEFT_SOURCE_BLOCK) return -39;
    const uint64_t offset = (uint64_t)source->address - WEFT_ADDRESS_TEXT;
    if (text == NULL || source->length != WEFT_BLOCK_BYTES ||
        offset + WEFT_BLOCK_BYTES > block->segment[WEFT_SEGMENT_TEXT].used)
        return -9;
    memmove((char *)weft_segment_base(block, WEFT_SEGMENT_TEXT) + offset, text, WEFT_BLOCK_BYTES);
    source->line = (uint32_t)number;
    source->word_start = source->word_length = 0;
    weft_variable_set(block, WEFT_VARIABLE_IN, 0);
    weft_source_blk(unit);
    weft_charge(unit, WEFT_BLOCK_BYTES);
    return WEFT_NEXT;
}

// (BLOCKS) ( -- a-addr | 0 ) (BLOCKS!) ( a-addr -- )
int32_t weft_op_blocks(struct weft_unit *unit)
{
    weft_push(unit->block, unit->block->blocks);
    return WEFT_NEXT;
}

int32_t weft_op_blocks_store(struct weft_unit *unit)
{
    unit->block->blocks = (uint32_t)weft_pop(unit->block);
    return WEFT_NEXT;
}
