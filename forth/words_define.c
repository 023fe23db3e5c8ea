// words_define.c: words that open and close a definition, words that compile, and words that look
// for others. Those that make words with data are in words_data.c.
#include "forth/compile.h"
#include "forth/defining.h"
#include "forth/dictionary.h"
#include "forth/infer.h"
#include "forth/inner.h"
#include "forth/module.h"
#include "forth/ops.h"
#include "forth/origin.h"
#include "forth/outer.h"

static void state_set(struct weft_unit *unit, bool compiling)
{
    weft_variable_set(unit->block, WEFT_VARIABLE_STATE, weft_flag(compiling));
}

int32_t weft_defining_header(struct weft_unit *unit, enum weft_word_kind kind, bool *again)
{
    uint32_t address, length;
    *again = false;
    if (unit->block->definition != 0) return -29;
    const int32_t code = weft_parse_name(unit, &address, &length);
    if (code < 0) return code;
    *again = code == WEFT_REDO;
    if (*again) return 0;
    if (length == 0) return -16;
    const int32_t index =
        weft_word_add(unit, kind, weft_address_read(unit, address, length), length);
    const bool claims =
        kind == WEFT_WORD_COLON || kind == WEFT_WORD_CODE || kind == WEFT_WORD_DEFER;
    if (index < 0 || !claims) return index;
    const int32_t claimed = weft_effect_claim(unit, (uint32_t)index);
    if (claimed == 0) return index;
    weft_words_drop(unit, (uint32_t)index);
    return claimed;
}

void weft_definition_open(struct weft_unit *unit, uint32_t own_index)
{
    weft_own_word_open(unit, own_index)->body = (uint32_t)weft_here(unit); // For FORGET.
    unit->block->definition = own_index + 1;
    unit->block->first = own_index;
    unit->block->leave = 0;
    unit->block->order.locals = 0;
}

bool weft_definition_is_code(const struct weft_unit *unit)
{
    const uint32_t open = unit->block->definition;
    return open != 0 && weft_own_word(unit, open - 1)->kind == WEFT_WORD_CODE;
}

int32_t weft_op_colon(struct weft_unit *unit)
{
    bool again;
    const int32_t index = weft_defining_header(unit, WEFT_WORD_COLON, &again);
    if (index < 0 || again) return again ? WEFT_REDO : index;
    weft_definition_open(unit, (uint32_t)index);
    state_set(unit, true);
    weft_origin_begin(unit, (uint32_t)index);
    return WEFT_NEXT;
}

int32_t weft_op_noname(struct weft_unit *unit)
{
    if (unit->block->definition != 0) return -29;
    const int32_t index = weft_word_add(unit, WEFT_WORD_COLON, "", 0);
    if (index < 0) return index;
    const int32_t claimed = weft_effect_claim(unit, (uint32_t)index);
    if (claimed != 0) {
        weft_words_drop(unit, (uint32_t)index);
        return claimed;
    }
    weft_definition_open(unit, (uint32_t)index);
    state_set(unit, true);
    weft_push(unit->block, index + (weft_cell)weft_shared_words(unit) + 1);
    return WEFT_NEXT;
}

int32_t weft_definition_close(struct weft_unit *unit)
{
    weft_locals_drop(unit);
    const uint32_t open = unit->block->definition - 1u;
    int32_t code = weft_word_close(unit, open);
    // It goes on, if somebody catches this: what was not verified has no end.
    if (code != 0) weft_own_word_open(unit, open)->code_length = 0;
    if (code == 0) code = weft_effect_check(unit, unit->block->first);
    if (code != 0) return code;

    struct weft_block *block = unit->block;
    for (uint32_t n = block->first; n < block->definition; n++)
        weft_own_word_open(unit, n)->flags |= WEFT_WORD_VALID;
    block->definition = 0;
    block->latest = block->first + 1;
    weft_word_reveal(unit, block->first);
    state_set(unit, false);
    weft_origin_end(unit, block->first);
    return 0;
}

int32_t weft_op_semicolon(struct weft_unit *unit)
{
    if (unit->block->definition == 0) return -14;
    if (weft_definition_is_code(unit)) return -22;
    const int32_t code = weft_compile_exit(unit);
    return code != 0 ? code : weft_definition_close(unit);
}

int32_t weft_op_exit_word(struct weft_unit *unit)
{
    return weft_compile_exit(unit);
}

int32_t weft_op_left_bracket(struct weft_unit *unit)
{
    state_set(unit, false);
    return WEFT_NEXT;
}

int32_t weft_op_right_bracket(struct weft_unit *unit)
{
    state_set(unit, true);
    return WEFT_NEXT;
}

static int32_t flag_latest(struct weft_unit *unit, uint8_t flag)
{
    if (unit->block->latest == 0) return -12;
    const int32_t code = weft_unit_thaw_word(unit, unit->block->latest - 1u);
    if (code != 0) return code;
    weft_own_word_open(unit, unit->block->latest - 1u)->flags |= flag;
    return WEFT_NEXT;
}

int32_t weft_op_immediate(struct weft_unit *unit)
{
    return flag_latest(unit, WEFT_WORD_IMMEDIATE);
}

int32_t weft_op_compile_only(struct weft_unit *unit)
{
    return flag_latest(unit, WEFT_WORD_COMPILE_ONLY);
}

// (STATE-SMART): only the prelude may say so of a word.
int32_t weft_op_state_smart(struct weft_unit *unit)
{
    return unit->building ? flag_latest(unit, WEFT_WORD_SMART) : -21;
}

int32_t weft_op_recurse(struct weft_unit *unit)
{
    if (unit->block->definition == 0) return -14;
    return weft_compile_call(unit, unit->block->first + weft_shared_words(unit));
}

int32_t weft_op_literal(struct weft_unit *unit)
{
    return weft_compile_literal(unit, weft_pop(unit->block));
}

int32_t weft_op_two_literal(struct weft_unit *unit)
{
    const weft_cell high = weft_pop(unit->block), low = weft_pop(unit->block);
    const int32_t code = weft_compile_literal(unit, low);
    return code != 0 ? code : weft_compile_literal(unit, high);
}

int32_t weft_op_compile_comma(struct weft_unit *unit)
{
    const uint64_t index = (uint64_t)weft_pop(unit->block) - 1;
    return index > UINT16_MAX ? -13 : weft_compile_word(unit, (uint32_t)index);
}

int32_t weft_defining_named(struct weft_unit *unit, uint32_t *index)
{
    uint32_t address, length;
    const int32_t code = weft_parse_name(unit, &address, &length);
    if (code != WEFT_NEXT) return code;
    if (length == 0) return -16;
    *index = weft_find(unit, weft_address_read(unit, address, length), length);
    return *index == WEFT_WORD_NONE ? -13 : WEFT_NEXT;
}

// Compiles that the compilation semantics of an immediate word be done: of one that asks STATE what
// to do, those of compiling, whatever STATE says then.
static int32_t compile_immediate(struct weft_unit *unit, uint32_t index)
{
    if (!(weft_word_at(unit, index)->flags & WEFT_WORD_SMART))
        return weft_compile_word(unit, index);
    const uint32_t compiling = weft_find_shared(unit, "(COMPILING)");
    if (compiling == WEFT_WORD_NONE) return -48; // The prelude has not come so far.
    const int32_t code = weft_compile_literal(unit, (weft_cell)index + 1);
    return code != 0 ? code : weft_compile_word(unit, compiling);
}

int32_t weft_op_postpone(struct weft_unit *unit)
{
    uint32_t index;
    int32_t code = weft_defining_named(unit, &index);
    if (code != WEFT_NEXT) return code;
    if (weft_word_at(unit, index)->flags & WEFT_WORD_IMMEDIATE)
        return compile_immediate(unit, index);
    if (weft_word_at(unit, index)->kind == WEFT_WORD_LOCAL) return -48;
    code = weft_compile_literal(unit, (weft_cell)index + 1);
    return code != 0 ? code : weft_compile_op(unit, WEFT_OP_compile_comma);
}

int32_t weft_op_compile_bracket(struct weft_unit *unit)
{
    uint32_t index;
    const int32_t code = weft_defining_named(unit, &index);
    return code != WEFT_NEXT ? code : compile_immediate(unit, index);
}

int32_t weft_op_tick(struct weft_unit *unit)
{
    uint32_t index;
    const int32_t code = weft_defining_named(unit, &index);
    if (code == WEFT_NEXT) weft_push(unit->block, (weft_cell)index + 1);
    return code;
}

int32_t weft_op_bracket_tick(struct weft_unit *unit)
{
    uint32_t index;
    const int32_t code = weft_defining_named(unit, &index);
    return code != WEFT_NEXT ? code : weft_compile_literal(unit, (weft_cell)index + 1);
}

// ( c-addr u -- xt 1 | xt -1 | 0 0 )
int32_t weft_op_find_name(struct weft_unit *unit)
{
    const uint64_t length = (uint64_t)weft_pop(unit->block);
    const char *name = weft_address_read(unit, (uint64_t)weft_pop(unit->block), length);
    if (name == NULL) return -9;
    const uint32_t index =
        length > WEFT_NAME_BYTES_MAX ? WEFT_WORD_NONE : weft_find(unit, name, (uint32_t)length);
    const bool found = index != WEFT_WORD_NONE;
    weft_push(unit->block, found ? (weft_cell)index + 1 : 0);
    weft_push(unit->block, !found                                                   ? 0
                           : weft_word_at(unit, index)->flags & WEFT_WORD_IMMEDIATE ? 1
                                                                                    : -1);
    return WEFT_NEXT;
}

// ( c-addr -- c-addr 0 | xt 1 | xt -1 )
int32_t weft_op_find(struct weft_unit *unit)
{
    const weft_cell counted = *weft_top(unit->block);
    const uint8_t *length = weft_address_read(unit, (uint64_t)counted, 1);
    if (length == NULL) return -9;
    *weft_top(unit->block) = counted + 1;
    weft_push(unit->block, *length);
    const int32_t code = weft_op_find_name(unit);
    if (code == WEFT_NEXT && *weft_top(unit->block) == 0) weft_top(unit->block)[-1] = counted;
    return code;
}
