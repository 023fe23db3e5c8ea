// words_data.c: words that make words with data: CREATE and what DOES> adds, variables, values,
// constants, deferred words; and markers, with which all of them go.
#include "forth/compile.h"
#include "forth/defining.h"
#include "forth/dictionary.h"
#include "forth/floating.h"
#include "forth/inner.h"
#include "forth/module.h"
#include "forth/ops.h"
#include "forth/outer.h"
#include "forth/places.h"

static void align_here(struct weft_unit *unit, int32_t *code)
{
    const uint32_t used = unit->block->segment[WEFT_SEGMENT_DATA].used;
    *code = weft_allot(unit, (weft_cell)(-used & 7));
}

// The code of a word made outside a definition: appended as if one were open.
static int32_t finish(struct weft_unit *unit, int32_t index, int32_t code)
{
    struct weft_block *block = unit->block;
    if (code == 0) code = weft_compile_op(unit, WEFT_OP_exit);
    if (code == 0) code = weft_word_close(unit, (uint32_t)index);
    if (code == 0) {
        weft_own_word_open(unit, (uint32_t)index)->flags |= WEFT_WORD_VALID;
        weft_word_reveal(unit, (uint32_t)index);
    } else {
        weft_words_drop(unit, (uint32_t)index);
    }
    block = unit->block;
    block->definition = 0;
    return code;
}

// Opens the word `index` whose header has just been made.
static int32_t open_word(struct weft_unit *unit, int32_t index, bool aligned)
{
    int32_t code = 0;
    if (aligned) align_here(unit, &code);
    if (code != 0) {
        weft_words_drop(unit, (uint32_t)index);
        return code;
    }
    weft_own_word_open(unit, (uint32_t)index)->body = (uint32_t)weft_here(unit);
    unit->block->definition = (uint32_t)index + 1;
    unit->block->first = (uint32_t)index;
    return index;
}

static int32_t begin_word(struct weft_unit *unit, enum weft_word_kind kind, bool aligned,
                          bool *again)
{
    const int32_t index = weft_defining_header(unit, kind, again);
    return index < 0 || *again ? index : open_word(unit, index, aligned);
}

// An address as LIT32 whatever its size, so that DOES> finds it.
static int32_t compile_address(struct weft_unit *unit, uint32_t address)
{
    int32_t code = weft_compile_op(unit, WEFT_OP_lit32);
    if (code == 0) code = weft_compile_token(unit, (uint16_t)address);
    if (code == 0) code = weft_compile_token(unit, (uint16_t)(address >> 16));
    return code;
}

static int32_t create_open(struct weft_unit *unit, int32_t index, weft_cell bytes)
{
    int32_t code = compile_address(unit, (uint32_t)weft_here(unit));
    // Room for DOES>: LIT32 address TAIL part.
    if (code == 0) code = weft_compile_op(unit, WEFT_OP_exit);
    if (code == 0) code = weft_allot(unit, bytes);
    return finish(unit, index, code);
}

static int32_t create(struct weft_unit *unit, weft_cell bytes)
{
    bool again;
    const int32_t index = begin_word(unit, WEFT_WORD_CREATE, true, &again);
    if (index < 0 || again) return again ? WEFT_REDO : index;
    return create_open(unit, index, bytes);
}

// (CREATE) ( c-addr u list -- ): a word of that name, in that word list.
int32_t weft_op_create_named(struct weft_unit *unit)
{
    const weft_cell *at = weft_top(unit->block) - 2;
    const uint64_t length = (uint64_t)at[1];
    const char *name = weft_address_read(unit, (uint64_t)at[0], length);
    const uint8_t list = (uint8_t)at[2];
    if (unit->block->definition != 0) return -29;
    if (name == NULL) return -9;
    if (length == 0) return -16;
    if (length > WEFT_NAME_BYTES_MAX) return -19;
    unit->block->dsp -= 3;
    int32_t index = weft_word_add(unit, WEFT_WORD_CREATE, name, (uint32_t)length);
    if (index < 0) return index;
    weft_own_word_open(unit, (uint32_t)index)->list = list;
    index = open_word(unit, index, true);
    return index < 0 ? index : create_open(unit, index, 0);
}

int32_t weft_op_create(struct weft_unit *unit)
{
    return create(unit, 0);
}

int32_t weft_op_variable(struct weft_unit *unit)
{
    const int32_t code = create(unit, WEFT_CELL_BYTES);
    if (code == 0) {
        weft_variable_set(unit->block, unit->block->segment[WEFT_SEGMENT_DATA].used - 8, 0);
    }
    return code;
}

int32_t weft_op_constant(struct weft_unit *unit)
{
    bool again;
    const int32_t index = begin_word(unit, WEFT_WORD_CONSTANT, false, &again);
    if (index < 0 || again) return again ? WEFT_REDO : index;
    return finish(unit, index, weft_compile_literal(unit, weft_pop(unit->block)));
}

// A word with cells of data, which `op` treats.
static int32_t cell_word(struct weft_unit *unit, enum weft_word_kind kind, unsigned op,
                         const weft_cell *value, uint32_t cells)
{
    bool again;
    const int32_t index = begin_word(unit, kind, true, &again);
    if (index < 0 || again) return again ? WEFT_REDO : index;
    int32_t code = compile_address(unit, (uint32_t)weft_here(unit));
    if (code == 0) code = weft_compile_op(unit, op);
    if (code == 0) code = weft_data_append(unit, value, cells * WEFT_CELL_BYTES);
    return finish(unit, index, code);
}

int32_t weft_op_value(struct weft_unit *unit)
{
    const weft_cell value = weft_pop(unit->block);
    const int32_t code = cell_word(unit, WEFT_WORD_VALUE, WEFT_OP_fetch, &value, 1);
    if (code == WEFT_REDO) weft_push(unit->block, value);
    return code;
}

int32_t weft_op_two_value(struct weft_unit *unit)
{
    weft_cell value[2];
    value[0] = weft_pop(unit->block);
    value[1] = weft_pop(unit->block);
    const int32_t code = cell_word(unit, WEFT_WORD_TWO_VALUE, WEFT_OP_two_fetch, value, 2);
    if (code == WEFT_REDO) unit->block->dsp += 2;
    return code;
}

int32_t weft_op_f_constant(struct weft_unit *unit)
{
    const double *value = weft_floats_in(unit->block, 1);
    bool again;
    if (value == NULL) return -45;
    const double constant = *value;
    const int32_t index = begin_word(unit, WEFT_WORD_FLOAT_CONSTANT, false, &again);
    if (index < 0 || again) return again ? WEFT_REDO : index;
    unit->block->fsp--;
    return finish(unit, index, weft_compile_float(unit, constant));
}

int32_t weft_op_f_value(struct weft_unit *unit)
{
    const double *value = weft_floats_in(unit->block, 1);
    if (value == NULL) return -45;
    const weft_cell bits = weft_cell_get(value);
    const int32_t code = cell_word(unit, WEFT_WORD_FLOAT_VALUE, WEFT_OP_f_fetch, &bits, 1);
    if (code == WEFT_NEXT) unit->block->fsp--;
    return code;
}

int32_t weft_op_defer_word(struct weft_unit *unit)
{
    const weft_cell none = 0;
    return cell_word(unit, WEFT_WORD_DEFER, WEFT_OP_defer, &none, 1);
}

static int32_t to_float_value(struct weft_unit *unit, uint32_t body)
{
    if (weft_variable(unit->block, WEFT_VARIABLE_STATE) != 0) {
        const int32_t code = weft_compile_literal(unit, body);
        return code != 0 ? code : weft_compile_op(unit, WEFT_OP_f_store);
    }
    double *value = weft_floats_in(unit->block, 1);
    if (value == NULL) return -45;
    void *at = weft_address_write(unit, body, sizeof(*value));
    if (at == NULL) return -20;
    memcpy(at, value, sizeof(*value));
    unit->block->fsp--;
    return WEFT_NEXT;
}

int32_t weft_op_to(struct weft_unit *unit)
{
    uint32_t index;
    int32_t code = weft_defining_named(unit, &index);
    if (code != WEFT_NEXT) return code;
    const struct weft_word *word = weft_word_at(unit, index);
    if (word->kind == WEFT_WORD_LOCAL) return weft_compile_local_store(unit, word);
    const bool two = word->kind == WEFT_WORD_TWO_VALUE;
    if (word->kind == WEFT_WORD_FLOAT_VALUE) return to_float_value(unit, word->body);
    if (word->kind != WEFT_WORD_VALUE && !two) return -32;
    if (weft_variable(unit->block, WEFT_VARIABLE_STATE) != 0) {
        code = weft_compile_literal(unit, word->body);
        return code != 0 ? code : weft_compile_op(unit, two ? WEFT_OP_two_store : WEFT_OP_store);
    }
    if (unit->block->dsp - unit->block->dbase < 1u + two) return -4;
    uint8_t *cell = weft_address_write(unit, word->body, (1u + two) * WEFT_CELL_BYTES);
    if (cell == NULL) return -20;
    weft_cell_put(cell, weft_pop(unit->block));
    if (two) weft_cell_put(cell + WEFT_CELL_BYTES, weft_pop(unit->block));
    return WEFT_NEXT;
}

static const struct weft_word *deferred(struct weft_unit *unit, weft_cell xt)
{
    const struct weft_word *word = weft_word_at(unit, (uint64_t)xt - 1);
    return word != NULL && word->kind == WEFT_WORD_DEFER ? word : NULL;
}

// DEFER! ( xt2 xt1 -- )
int32_t weft_op_defer_store(struct weft_unit *unit)
{
    const struct weft_word *word = deferred(unit, weft_pop(unit->block));
    void *cell = word == NULL ? NULL : weft_address_write(unit, word->body, WEFT_CELL_BYTES);
    if (cell == NULL) return -32;
    weft_cell_put(cell, weft_pop(unit->block));
    return WEFT_NEXT;
}

int32_t weft_op_defer_fetch(struct weft_unit *unit)
{
    const struct weft_word *word = deferred(unit, *weft_top(unit->block));
    const void *cell = word == NULL ? NULL : weft_address_read(unit, word->body, WEFT_CELL_BYTES);
    if (cell == NULL) return -32;
    *weft_top(unit->block) = weft_cell_get(cell);
    return WEFT_NEXT;
}

// A marker forgets itself and all that came after it. Its code: its own index, then forget_to.
int32_t weft_op_marker(struct weft_unit *unit)
{
    const uint32_t here = (uint32_t)weft_here(unit);
    bool again;
    const int32_t index = begin_word(unit, WEFT_WORD_MARKER, false, &again);
    if (index < 0 || again) return again ? WEFT_REDO : index;
    // The search order goes to HERE, to be found again there.
    weft_own_word_open(unit, (uint32_t)index)->body = here;
    int32_t code = weft_data_append(unit, &unit->block->order, sizeof(unit->block->order));
    if (code == 0) code = weft_compile_literal(unit, index);
    if (code == 0) code = weft_compile_op(unit, WEFT_OP_forget_to);
    return finish(unit, index, code);
}

static bool lies_behind(uint32_t place, uint32_t code)
{
    return !(place & (WEFT_CODE_SPECIAL | WEFT_CODE_SYSTEM)) && (place & WEFT_CODE_OFFSET) >= code;
}

// Does anything under way, in any level, come back to own token `code` or behind?
static bool in_use(const struct weft_unit *unit, uint32_t code)
{
    const struct weft_block *block = unit->block;
    const uint64_t *calls = weft_calls(block);
    for (uint32_t n = 0; n < block->csp; n++) {
        if (lies_behind((uint32_t)calls[n], code)) return true;
    }
    for (uint32_t level = block->level_csp; level != 0;) {
        const uint64_t frame = calls[level - WEFT_LEVEL_ENTRIES];
        if (lies_behind((uint32_t)(frame >> 32), code) && level > WEFT_LEVEL_ENTRIES) return true;
        level = (uint32_t)frame & ~WEFT_CODE_SPECIAL;
    }
    return false;
}

// Forgets own words from `index` on, and the data space since then.
static int32_t forget(struct weft_unit *unit, uint32_t index)
{
    struct weft_block *block = unit->block;
    if (block->definition != 0) return -29;
    if (index >= weft_own_words(block)) return -15;
    const struct weft_word *word = weft_own_word(unit, index);
    if (in_use(unit, word->code)) return -15;
    const int32_t code = weft_unit_thaw_word(unit, index);
    if (code != 0) return code;
    block = unit->block;
    word = weft_own_word(unit, index);
    const uint32_t used = word->body - WEFT_ADDRESS_DATA;
    if (word->kind != WEFT_WORD_SYNONYM && used >= WEFT_VARIABLE_BYTES &&
        used <= block->segment[WEFT_SEGMENT_DATA].used)
        block->segment[WEFT_SEGMENT_DATA].used = used;
    weft_words_drop(unit, index);
    return WEFT_NEXT;
}

int32_t weft_op_forget_to(struct weft_unit *unit)
{
    struct weft_block *block = unit->block;
    const uint64_t index = (uint64_t)weft_pop(block);
    if (index >= weft_own_words(block)) return -15;
    const struct weft_word *word = weft_own_word(unit, (uint32_t)index);
    if (word->kind != WEFT_WORD_MARKER) return -15;
    const void *kept = weft_address_read(unit, word->body, sizeof(block->order));
    struct weft_order order = block->order;
    if (kept != NULL) memcpy(&order, kept, sizeof(order));
    const int32_t code = forget(unit, (uint32_t)index);
    if (code != WEFT_NEXT) return code;
    block = unit->block;
    // The program may have written anything there.
    if (weft_order_valid(&order)) block->order = order;
    block->order.locals = 0;
    // The marker's code is gone too: return from it here.
    const uint64_t frame = weft_calls(block)[block->csp - 1];
    if ((uint32_t)frame & WEFT_CODE_SPECIAL) return -25;
    block->csp--;
    block->ip = (uint32_t)frame;
    return WEFT_JUMP;
}

// FORGET ( "name" -- )
int32_t weft_op_forget(struct weft_unit *unit)
{
    uint32_t address, length;
    const int32_t code = weft_parse_name(unit, &address, &length);
    if (code != WEFT_NEXT) return code;
    if (length == 0) return -16;
    const char *name = weft_address_read(unit, address, length);
    const uint32_t index = weft_find_in(unit, unit->block->order.current, name, length);
    if (index == WEFT_WORD_NONE) return -13;
    const uint32_t shared = weft_shared_words(unit);
    if (index < shared) return -15;
    // Nor the word that goes on behind this very operation.
    const uint32_t first = weft_own_word(unit, index - shared)->code;
    return lies_behind(unit->block->ip, first) ? -15 : forget(unit, index - shared);
}

// The definition goes on, if somebody catches this, from where its part `current` had `tokens`:
// what is closed later has no part that was not verified.
static void part_refused(struct weft_unit *unit, uint32_t current, uint32_t tokens)
{
    struct weft_block *block = unit->block;
    weft_words_drop(unit, current + 1);
    weft_own_word_open(unit, current)->code_length = 0;
    weft_places_drop(unit, tokens);
    block->segment[WEFT_SEGMENT_CODE].used = (tokens - block->frozen_tokens) * 2;
    block->definition = (uint16_t)(current + 1);
}

int32_t weft_definition_part(struct weft_unit *unit, enum weft_word_kind kind)
{
    if (unit->block->definition == 0) return -14;
    if (weft_definition_is_code(unit)) return -22;
    const uint32_t first = unit->block->first, current = unit->block->definition - 1;
    const uint32_t tokens = weft_own_tokens(unit->block);
    int32_t code = weft_compile_op(unit, WEFT_OP_set_does);
    const uint32_t operand = weft_own_tokens(unit->block);
    if (code == 0) code = weft_compile_token(unit, 0);
    if (code == 0) code = weft_compile_exit(unit);
    if (code != 0) return code;
    weft_locals_drop(unit); // The part that follows may have its own.
    const uint32_t part = weft_own_words(unit->block) + weft_shared_words(unit);
    weft_own_code(unit->block)[operand] = (uint16_t)part;
    const int32_t index = weft_word_add(unit, kind, "", 0);
    if (index < 0) return index;
    unit->block->first = first;
    unit->block->definition = (uint32_t)index + 1;
    code = weft_word_close(unit, current);
    if (code != 0) part_refused(unit, current, tokens);
    return code;
}

// DOES>: the next part, without a name, is what the created word does.
int32_t weft_op_does(struct weft_unit *unit)
{
    return weft_definition_part(unit, WEFT_WORD_COLON);
}

// The part named by our operand becomes what the newest word does. Only a word that is still the
// newest can change: nothing compiled can rely on its old effect.
int32_t weft_op_set_does(struct weft_unit *unit)
{
    struct weft_block *block = unit->block;
    const uint16_t part = *weft_code_at(unit, block->ip);
    block->ip++;
    const uint32_t count = weft_own_words(block);
    if (count == 0 || block->definition != 0) return -32;
    const int32_t thawed = weft_unit_thaw_word(unit, count - 1);
    if (thawed != 0) return thawed;
    struct weft_word *word = weft_own_word_open(unit, count - 1);
    if ((word->kind != WEFT_WORD_CREATE && word->kind != WEFT_WORD_DOES) || word->code_length != 5)
        return -32;
    // An image may have named a part that has been forgotten since.
    const struct weft_word *behind = weft_word_at(unit, part);
    if (behind == NULL || !(behind->flags & WEFT_WORD_VALID) ||
        part >= count - 1 + weft_shared_words(unit))
        return -32;
    const struct weft_word before = *word;
    uint16_t *code = weft_own_code(unit->block) + word->code;
    const uint16_t end[] = {code[3], code[4]};
    code[3] = WEFT_OP_tail;
    code[4] = part;
    word->kind = WEFT_WORD_DOES;
    if (weft_word_close(unit, count - 1) == 0) return WEFT_NEXT;
    // Nor need its code be what CREATE makes.
    *weft_own_word_open(unit, count - 1) = before;
    memcpy(weft_own_code(unit->block) + before.code + 3, end, sizeof(end));
    return -32;
}

int32_t weft_op_to_body(struct weft_unit *unit)
{
    const struct weft_word *word = weft_word_at(unit, (uint64_t)*weft_top(unit->block) - 1);
    if (word == NULL || (word->kind != WEFT_WORD_CREATE && word->kind != WEFT_WORD_DOES))
        return -31;
    *weft_top(unit->block) = word->body;
    return WEFT_NEXT;
}
