// words_locals.c: locals. They lie on the return stack where the word's own part of it begins; the
// call frame knows where that is, so CATCH, EXIT and images need to know nothing of them. Their
// names are words of the open definition, in a word list that is searched before all others.
#include "forth/compile.h"
#include "forth/dictionary.h"
#include "forth/inner.h"
#include "forth/ops.h"
#include "forth/verify.h"

// Of the open definition's own part, up to here.
static int return_height(struct weft_unit *unit)
{
    const struct weft_block *block = unit->block;
    const uint32_t begin = weft_own_word(unit, block->definition - 1)->code;
    const uint32_t length = weft_own_tokens(block) - begin;
    unit->budget -= (int32_t)(length / 16);
    return weft_return_height(weft_own_code(block) + begin, length);
}

// (LOCAL) ( c-addr u -- ): a local of that name, which takes a cell when the definition runs. u 0
// says that there are no more.
int32_t weft_op_local_word(struct weft_unit *unit)
{
    struct weft_block *block = unit->block;
    const uint64_t length = (uint64_t)weft_pop(block);
    const char *name = weft_address_read(unit, (uint64_t)weft_pop(block), length);
    if (block->definition == 0) return -14;
    if (length == 0) return WEFT_NEXT;
    if (name == NULL) return -9;
    if (length > WEFT_NAME_BYTES_MAX) return -19;
    const uint8_t place = block->order.locals;
    // Below them no value may lie, nor a loop's (Forth 2012, 13.3.3.2): they would be taken for it.
    if (return_height(unit) != place) return -22;
    if (place == WEFT_LOCALS_MAX) return -8;
    const int32_t index = weft_word_add(unit, WEFT_WORD_LOCAL, name, (uint32_t)length);
    if (index < 0) return index;
    struct weft_word *word = weft_own_word_open(unit, (uint32_t)index);
    word->list = WEFT_LIST_LOCALS;
    word->flags |= WEFT_WORD_COMPILE_ONLY;
    word->body = place;
    weft_word_reveal(unit, (uint32_t)index);
    unit->block->order.locals++;
    return weft_compile_op(unit, WEFT_OP_to_r);
}
