// words_tools.c: looking at words.
#include <stdarg.h>
#include <stdio.h>

#include "forth/compile.h"
#include "forth/dictionary.h"
#include "forth/floating.h"
#include "forth/fuse.h"
#include "forth/inner.h"
#include "forth/mnemonic.h"
#include "forth/ops.h"
#include "forth/outer.h"
#include "forth/verify.h"

static const char *const internal_names[WEFT_OP_COUNT] = {
#define ROW(name, ...) "(" #name ")",
    WEFT_OPS(ROW, ROW)
#undef ROW
};

__attribute__((format(printf, 2, 3))) static void say(struct weft_unit *unit, const char *format,
                                                      ...)
{
    char text[WEFT_NAME_BYTES_MAX + 64];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (length > 0) {
        weft_output(unit, text, (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1);
    }
}

static void say_float(struct weft_unit *unit, double value)
{
    char text[WEFT_FLOAT_TEXT_BYTES];
    say(unit, "%.*s ", (int)weft_float_write(value, text), text);
}

static double float_at(const void *bytes)
{
    double value = 0;
    if (bytes != NULL) memcpy(&value, bytes, sizeof(value));
    return value;
}

static bool output_full(const struct weft_unit *unit)
{
    return unit->block->segment[WEFT_SEGMENT_OUTPUT].used >= unit->options.output_bytes_max;
}

// A name in capitals, as the dictionary compares it.
static void say_name(struct weft_unit *unit, uint32_t index)
{
    char text[WEFT_NAME_BYTES_MAX + 1];
    const uint32_t length = weft_word_at(unit, index)->name_length;
    const char *name = weft_word_name(unit, index);
    for (uint32_t n = 0; n < length; n++)
        text[n] = (char)(name[n] >= 'a' && name[n] <= 'z' ? name[n] - 32 : name[n]);
    text[length] = ' ';
    weft_output(unit, text, length + 1);
}

// WORDS: those of the first word list, newest first, the unit's own before those that all share.
int32_t weft_op_words(struct weft_unit *unit)
{
    const uint32_t count = weft_shared_words(unit) + weft_own_words(unit->block);
    const struct weft_order order = unit->block->order; // Printing may move the block.
    for (uint32_t n = count; n-- > 0 && order.count > 0 && !output_full(unit);) {
        const struct weft_word *word = weft_word_at(unit, n);
        if (word->flags & WEFT_WORD_VISIBLE && word->list == order.list[0]) say_name(unit, n);
    }
    unit->budget -= (int32_t)(count / 8);
    return WEFT_NEXT;
}

// One operation, whose operands begin at token `p` of its word; of a fused one, the parts.
static void say_operation(struct weft_unit *unit, unsigned op, const uint16_t *operand, uint32_t p)
{
    const struct weft_op_info *info = &weft_op_info[op];
    const struct weft_fusion *fusion = weft_fusion_of(op);
    if (fusion != NULL) { // A pair of parts at most four deep (fuse.c).
        const uint32_t operands = weft_op_info[fusion->first].operands;
        say_operation(unit, fusion->first, operand, p);
        say_operation(unit, fusion->second, operand + operands, p + operands);
        return;
    }
    switch (op) {
    case WEFT_OP_lit16: say(unit, "%d ", (int16_t)operand[0]); return;
    case WEFT_OP_lit32: say(unit, "%d ", (int32_t)weft_le32_get(operand)); return;
    case WEFT_OP_lit64: say(unit, "%lld ", (long long)weft_cell_get(operand)); return;
    case WEFT_OP_lit_float: say_float(unit, float_at(operand)); return;
    case WEFT_OP_exit: say(unit, "EXIT "); return;
    case WEFT_OP_local:
    case WEFT_OP_local_store:
    case WEFT_OP_tail:
    case WEFT_OP_set_does: say(unit, "%s %u ", internal_names[op], operand[0]); return;
    case WEFT_OP_call:
        if (weft_word_at(unit, operand[0])->name_length > 0) {
            say_name(unit, operand[0]);
        } else {
            say(unit, "(%u) ", operand[0]);
        }
        return;
    default: break;
    }
    if (info->name[0] != '\0') {
        say(unit, "%s ", info->name);
    } else if (info->operands == 1) {
        say(unit, "%s>%d ", internal_names[op], (int)p + (int16_t)operand[0]);
    } else {
        say(unit, "%s ", internal_names[op]);
    }
}

// A call, by the name of the word, or by its number.
static void say_callee(struct weft_unit *unit, uint32_t index)
{
    if (weft_word_at(unit, index)->name_length == 0) {
        say(unit, "%u ", index + 1);
    } else {
        say(unit, "' ");
        say_name(unit, index);
    }
}

// One operation as ASSEMBLER has it, with what stands before it; a branch as the token it goes to.
static void say_instruction(struct weft_unit *unit, const uint16_t *code, uint32_t p)
{
    const uint16_t *operand = code + 1;
    const unsigned op = code[0], tokens = weft_op_value_tokens(op);
    char name[WEFT_MNEMONIC_BYTES];
    if (weft_mnemonic(op, name) == 0) {
        for (unsigned n = 0; n <= weft_op_info[op].operands; n++)
            say(unit, "%u TOKEN, ", code[n]);
        return;
    }
    if (op == WEFT_OP_lit_float) say_float(unit, float_at(operand));
    if (op == WEFT_OP_call || op == WEFT_OP_tail) {
        say_callee(unit, operand[0]);
    } else if (tokens == 1) {
        say(unit, "%d ", (int16_t)operand[0]);
    } else if (tokens == 2) {
        say(unit, "%d ", (int32_t)weft_le32_get(operand));
    } else if (op == WEFT_OP_lit64) {
        say(unit, "%lld ", (long long)weft_cell_get(operand));
    }
    if (weft_branch_direction(op) == 0) {
        say(unit, "%s ", name);
    } else {
        say(unit, "%s>%d ", name, (int)(p + tokens + 1) + (int16_t)operand[tokens]);
    }
}

// The part of a definition at `index`. What it ends with: 0, or the part that DOES> or ;CODE begin.
static uint32_t say_part(struct weft_unit *unit, uint32_t index)
{
    const struct weft_word word = *weft_word_at(unit, index);
    const bool assembled = word.kind == WEFT_WORD_CODE;
    const uint32_t end =
        assembled || word.code_length == 0 ? word.code_length : word.code_length - 1;
    for (uint32_t p = 0; p < end && !output_full(unit);) {
        // Printing may move the block, and the code with it: never further than one operation.
        uint16_t operation[8] = {0};
        const uint16_t *code = weft_word_code(unit, index);
        const uint32_t tokens = 1u + weft_op_info[code[p]].operands;
        memcpy(operation, code + p, tokens * sizeof(*code));
        // What DOES> compiles is known by what is behind it: the end.
        if (operation[0] == WEFT_OP_set_does && !assembled) return operation[1];
        if (assembled)
            say_instruction(unit, operation, p);
        else
            say_operation(unit, operation[0], operation + 1, p + 1);
        p += tokens;
    }
    unit->budget -= (int32_t)(word.code_length / 8);
    return 0;
}

// A part lies behind the one that names it, and there are no more than that.
static void say_definition(struct weft_unit *unit, uint32_t index)
{
    const struct weft_word word = *weft_word_at(unit, index);
    bool assembled = word.kind == WEFT_WORD_CODE;
    say(unit, assembled ? "CODE " : ": ");
    say_name(unit, index);
    for (uint32_t part = index, next; (next = say_part(unit, part)) > part; part = next) {
        const struct weft_word *behind = weft_word_at(unit, next);
        if (behind == NULL || behind->code_length == 0 || output_full(unit)) break;
        assembled = behind->kind == WEFT_WORD_CODE;
        say(unit, assembled ? ";CODE " : "DOES> ");
    }
    say(unit, "%s%s ", assembled ? "END-CODE" : ";",
        word.flags & WEFT_WORD_IMMEDIATE ? " IMMEDIATE" : "");
}

// SEE ( "name" -- ): a colon definition is shown as its bytecode; branches as the token they go to.
int32_t weft_op_see(struct weft_unit *unit)
{
    uint32_t address, length;
    const int32_t code = weft_parse_name(unit, &address, &length);
    if (code != WEFT_NEXT) return code;
    if (length == 0) return -16;
    const uint32_t index = weft_find(unit, weft_address_read(unit, address, length), length);
    if (index == WEFT_WORD_NONE) return -13;

    const struct weft_word *word = weft_word_at(unit, index);
    const void *body = weft_address_read(unit, word->body, WEFT_CELL_BYTES);
    // Code that is not closed, or that an image has brought, need not be code.
    if (!(word->flags & WEFT_WORD_VALID) && word->kind != WEFT_WORD_LOCAL) return -13;
    switch ((enum weft_word_kind)word->kind) {
    case WEFT_WORD_PRIMITIVE:
        say_name(unit, index);
        say(unit, "is a primitive ");
        return WEFT_NEXT;
    case WEFT_WORD_COLON:
    case WEFT_WORD_CODE: say_definition(unit, index); return WEFT_NEXT;
    case WEFT_WORD_CONSTANT:
        say(unit, "%lld CONSTANT ", (long long)weft_word_literal(unit, index));
        break;
    case WEFT_WORD_VALUE:
        say(unit, "%lld VALUE ", body != NULL ? (long long)weft_cell_get(body) : 0);
        break;
    case WEFT_WORD_FLOAT_CONSTANT:
        say_float(unit, weft_word_float(unit, index));
        say(unit, "FCONSTANT ");
        break;
    case WEFT_WORD_FLOAT_VALUE:
        say_float(unit, float_at(body));
        say(unit, "FVALUE ");
        break;
    case WEFT_WORD_TWO_VALUE: say(unit, "2VALUE "); break;
    case WEFT_WORD_DEFER: say(unit, "DEFER "); break;
    case WEFT_WORD_MARKER: say(unit, "MARKER "); break;
    default: say(unit, "CREATE "); break;
    }
    say_name(unit, index);
    return WEFT_NEXT;
}
