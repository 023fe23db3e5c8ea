// words_code.c: CODE, ;CODE and the words of ASSEMBLER: a definition from operations as they are
// written. What it makes is the code that colon definitions are made of, and the verifier passes it
// like theirs; so nothing here has to be believed.
#include "forth/compile.h"
#include "forth/defining.h"
#include "forth/dictionary.h"
#include "forth/floating.h"
#include "forth/inner.h"
#include "forth/mnemonic.h"
#include "forth/ops.h"
#include "forth/origin.h"
#include "forth/outer.h"
#include "forth/places.h"

// CODE ( "name" -- )
int32_t weft_op_code(struct weft_unit *unit)
{
    bool again;
    if (unit->block->order.count == WEFT_ORDER_MAX) return -49;
    const int32_t index = weft_defining_header(unit, WEFT_WORD_CODE, &again);
    if (index < 0 || again) return again ? WEFT_REDO : index;
    weft_definition_open(unit, (uint32_t)index);
    weft_origin_begin(unit, (uint32_t)index);
    return weft_assembler_enter(unit->block);
}

// ;CODE: as DOES>, with code behind. The definition can be found from now on, but not executed
// before END-CODE.
int32_t weft_op_semicolon_code(struct weft_unit *unit)
{
    if (unit->block->order.count == WEFT_ORDER_MAX) return -49;
    const int32_t code = weft_definition_part(unit, WEFT_WORD_CODE);
    if (code != 0) return code;
    weft_word_reveal(unit, unit->block->first);
    weft_variable_set(unit->block, WEFT_VARIABLE_STATE, WEFT_FALSE);
    return weft_assembler_enter(unit->block);
}

// END-CODE
int32_t weft_op_end_code(struct weft_unit *unit)
{
    if (!weft_definition_is_code(unit)) return -22;
    const int32_t code = weft_definition_close(unit);
    if (code == 0) weft_assembler_leave(unit->block);
    return code;
}

// The float on top of its stack as the bits of a cell. 0 or -45.
static int32_t pop_float(struct weft_unit *unit, weft_cell *bits)
{
    const double *value = weft_floats_in(unit->block, 1);
    if (value == NULL) return -45;
    *bits = weft_cell_get(value);
    unit->block->fsp--;
    return 0;
}

// Takes the literal of `op` from the stacks, if it has one. 0 or a THROW code.
static int32_t pop_operand(struct weft_unit *unit, unsigned op, weft_cell *value)
{
    const unsigned tokens = weft_op_value_tokens(op);
    if (tokens == 0) return 0;
    if (op == WEFT_OP_lit_float) return pop_float(unit, value);
    if (unit->block->dsp == unit->block->dbase) return -4;
    *value = weft_pop(unit->block);
    if (op == WEFT_OP_call || op == WEFT_OP_tail) {
        const struct weft_word *word = weft_word_at(unit, (uint64_t)-- * value);
        return word != NULL && word->flags & WEFT_WORD_VALID ? 0 : -13;
    }
    const bool fits = op == WEFT_OP_lit16 || tokens == 4 ||
                      (tokens == 1 && *value == (int16_t)*value) ||
                      (tokens == 2 && *value == (int32_t)*value);
    return fits ? 0 : -24;
}

// (ASSEMBLE) ( i*x op -- j*x ): what every mnemonic does.
int32_t weft_op_assemble(struct weft_unit *unit)
{
    const uint64_t op = (uint64_t)weft_pop(unit->block);
    char name[WEFT_MNEMONIC_BYTES];
    weft_cell value = 0;
    if (unit->block->definition == 0) return -14;
    if (op >= WEFT_OP_COUNT || weft_mnemonic((unsigned)op, name) == 0) return -24;
    const int32_t code = pop_operand(unit, (unsigned)op, &value);
    if (code != 0) return code;
    if (unit->options.places) weft_place_note(unit);
    if (op != WEFT_OP_lit16) return weft_compile_exact(unit, (unsigned)op, value);
    weft_no_fold(unit->block);
    const int32_t written = weft_compile_literal(unit, value); // As short as it can be.
    weft_no_fold(unit->block);
    return written;
}

// (TOKEN) ( u -- )
int32_t weft_op_assemble_token(struct weft_unit *unit)
{
    const uint64_t token = (uint64_t)weft_pop(unit->block);
    if (token > UINT16_MAX) return -24;
    weft_no_fold(unit->block);
    return weft_compile_token(unit, (uint16_t)token);
}
