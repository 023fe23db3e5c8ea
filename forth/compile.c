// compile.c: tokens into the open definition, control structures, data space.
#include "forth/compile.h"

#include "forth/dictionary.h"
#include "forth/fuse.h"
#include "forth/infer.h"
#include "forth/inner.h"
#include "forth/level.h"
#include "forth/ops.h"
#include "forth/verify.h"

// Cells of the control-flow stack, which is the data stack: a tag above, a token offset below. A
// program may forge one; then it fails here, or the verifier refuses the word.
enum { TAG_ORIGIN = 0x574f, TAG_DESTINATION = 0x5744, TAG_LOOP = 0x574c };

static uint16_t *code_of(const struct weft_unit *unit)
{
    return weft_own_code(unit->block);
}

int32_t weft_compile_token(struct weft_unit *unit, uint16_t token)
{
    if (unit->block->definition == 0) return -14;
    if (weft_segment_reserve(unit, WEFT_SEGMENT_CODE, 2) != 0) return -8;
    code_of(unit)[weft_own_tokens(unit->block)] = token;
    unit->block->segment[WEFT_SEGMENT_CODE].used += 2;
    return 0;
}

static void no_fold(struct weft_unit *unit)
{
    weft_no_fold(unit->block);
}

// One of the operations compiled last (0: the last), if nothing can branch behind it and it ends at
// token `end`. An image may have brought any numbers: so only in the open definition, which is
// verified when it is closed.
static uint16_t *foldable(const struct weft_unit *unit, unsigned back, uint32_t end)
{
    const uint32_t at = unit->block->fold[back], open = unit->block->definition;
    if (at == 0 || at > end || open == 0 || at <= weft_own_word(unit, open - 1)->code) return NULL;
    uint16_t *code = code_of(unit) + at - 1;
    if (*code >= WEFT_OP_COUNT || at + weft_op_info[*code].operands != end) return NULL;
    return code;
}

// A literal and `op`: 5 CELLS is 40, and 5 - is -5 +. What is left to compile of the operation.
static unsigned fold_literal(struct weft_unit *unit, unsigned op)
{
    uint16_t *code = foldable(unit, 0, weft_own_tokens(unit->block));
    if (code == NULL || *code != WEFT_OP_lit16) return op;
    const int value = (int16_t)code[1];
    if (op == WEFT_OP_cells && value * 8 == (int16_t)(value * 8)) {
        code[1] = (uint16_t)(value * 8);
        return WEFT_OP_nop;
    }
    if (op == WEFT_OP_sub && -value == (int16_t)-value) {
        code[1] = (uint16_t)-value;
        return WEFT_OP_add;
    }
    return op;
}

// Makes one operation of the last two if there is one that does both; its operands are theirs.
static bool fuse_last(struct weft_unit *unit)
{
    struct weft_block *block = unit->block;
    const uint32_t last = block->fold[0];
    uint16_t *first = foldable(unit, 1, last - 1);
    if (first == NULL) return false;
    const uint16_t *second = code_of(unit) + last - 1;
    const unsigned op = weft_fused(*first, *second);
    if (op == WEFT_OP_COUNT) return false;

    *first = (uint16_t)op;
    memmove(code_of(unit) + last - 1, second + 1, (weft_own_tokens(block) - last) * 2);
    block->segment[WEFT_SEGMENT_CODE].used -= 2;
    block->fold[0] = block->fold[1];
    block->fold[1] = block->fold[2];
    block->fold[2] = 0;
    return true;
}

int32_t weft_compile_op(struct weft_unit *unit, unsigned op)
{
    const unsigned left = fold_literal(unit, op);
    if (left != op && left == WEFT_OP_nop) return 0;
    const int32_t code = weft_compile_token(unit, (uint16_t)left);
    if (code != 0) return code;
    uint32_t *fold = unit->block->fold;
    fold[2] = fold[1];
    fold[1] = fold[0];
    fold[0] = weft_own_tokens(unit->block);
    while (fuse_last(unit)) {
    }
    return 0;
}

static int32_t compile_wide(struct weft_unit *unit, unsigned op, uint64_t value, int tokens)
{
    int32_t code = weft_compile_op(unit, op);
    for (int n = 0; n < tokens && code == 0; n++)
        code = weft_compile_token(unit, (uint16_t)(value >> 16 * n));
    return code;
}

int32_t weft_compile_literal(struct weft_unit *unit, weft_cell value)
{
    if (value == (int16_t)value) return compile_wide(unit, WEFT_OP_lit16, (uint64_t)value, 1);
    if (value == (int32_t)value) return compile_wide(unit, WEFT_OP_lit32, (uint64_t)value, 2);
    return compile_wide(unit, WEFT_OP_lit64, (uint64_t)value, 4);
}

int32_t weft_compile_float(struct weft_unit *unit, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return compile_wide(unit, WEFT_OP_lit_float, bits, 4);
}

int32_t weft_compile_call(struct weft_unit *unit, uint32_t index)
{
    return compile_wide(unit, WEFT_OP_call, index, 1);
}

double weft_word_float(const struct weft_unit *unit, uint32_t index)
{
    double value;
    memcpy(&value, weft_word_code(unit, index) + 1, sizeof(value));
    return value;
}

weft_cell weft_word_literal(const struct weft_unit *unit, uint32_t index)
{
    const uint16_t *code = weft_word_code(unit, index);
    switch (code[0]) {
    case WEFT_OP_lit16: return (int16_t)code[1];
    case WEFT_OP_lit32: return (int32_t)weft_le32_get(code + 1);
    default: return weft_cell_get(code + 1);
    }
}

int32_t weft_compile_word(struct weft_unit *unit, uint32_t index)
{
    const struct weft_word *word = weft_word_at(unit, index);
    if (word != NULL && word->kind == WEFT_WORD_LOCAL)
        return compile_wide(unit, WEFT_OP_local, word->body, 1);
    if (word == NULL || !(word->flags & WEFT_WORD_VALID)) return -13;
    const uint16_t *code = weft_word_code(unit, index);
    int32_t result;
    switch ((enum weft_word_kind)word->kind) {
    case WEFT_WORD_PRIMITIVE: return weft_compile_op(unit, code[0]);
    case WEFT_WORD_CREATE: return weft_compile_literal(unit, word->body);
    case WEFT_WORD_CONSTANT: return weft_compile_literal(unit, weft_word_literal(unit, index));
    case WEFT_WORD_VALUE:
        result = weft_compile_literal(unit, word->body);
        return result != 0 ? result : weft_compile_op(unit, WEFT_OP_fetch);
    case WEFT_WORD_TWO_VALUE:
        result = weft_compile_literal(unit, word->body);
        return result != 0 ? result : weft_compile_op(unit, WEFT_OP_two_fetch);
    case WEFT_WORD_FLOAT_CONSTANT: return weft_compile_float(unit, weft_word_float(unit, index));
    case WEFT_WORD_FLOAT_VALUE:
        result = weft_compile_literal(unit, word->body);
        return result != 0 ? result : weft_compile_op(unit, WEFT_OP_f_fetch);
    case WEFT_WORD_DEFER:
        result = weft_compile_literal(unit, word->body);
        return result != 0 ? result : weft_compile_op(unit, WEFT_OP_defer);
    default: return weft_compile_call(unit, index);
    }
}

int32_t weft_compile_local_store(struct weft_unit *unit, const struct weft_word *local)
{
    return compile_wide(unit, WEFT_OP_local_store, local->body, 1);
}

int32_t weft_compile_exit(struct weft_unit *unit)
{
    int32_t code = 0;
    for (unsigned n = 0; n < unit->block->order.locals && code == 0; n++)
        code = weft_compile_op(unit, WEFT_OP_r_drop);
    return code != 0 ? code : weft_compile_op(unit, WEFT_OP_exit);
}

int32_t weft_word_close(struct weft_unit *unit, uint32_t own_index)
{
    struct weft_word *word = weft_own_word_open(unit, own_index);
    word->code_length = weft_own_tokens(unit->block) - word->code;
    no_fold(unit);
    const int32_t code = weft_verify(unit, own_index, NULL);
    if (code == 0) weft_effect_close(unit, own_index);
    return code;
}

uint64_t weft_here(const struct weft_unit *unit)
{
    return (unit->building ? WEFT_ADDRESS_SYSTEM : WEFT_ADDRESS_DATA) +
           unit->block->segment[WEFT_SEGMENT_DATA].used;
}

int32_t weft_allot(struct weft_unit *unit, weft_cell bytes)
{
    struct weft_segment *data = &unit->block->segment[WEFT_SEGMENT_DATA];
    if (bytes < 0) {
        if (bytes < -(weft_cell)(data->used - WEFT_VARIABLE_BYTES)) return -8;
        data->used = (uint32_t)(data->used + bytes);
        return 0;
    }
    if (bytes > UINT32_MAX / 2 ||
        weft_segment_reserve(unit, WEFT_SEGMENT_DATA, (uint64_t)bytes) != 0)
        return -8;
    unit->block->segment[WEFT_SEGMENT_DATA].used += (uint32_t)bytes;
    return 0;
}

int32_t weft_data_append(struct weft_unit *unit, const void *bytes, uint32_t length)
{
    // The bytes may lie in the block, which may move: by offset, then.
    const uint8_t *block = (const uint8_t *)unit->block;
    const bool within =
        (const uint8_t *)bytes >= block && (const uint8_t *)bytes < block + unit->block->bytes;
    const struct weft_segment before = unit->block->segment[WEFT_SEGMENT_DATA];
    const uint32_t capacity = weft_segment_capacity(unit->block, WEFT_SEGMENT_DATA);
    const size_t offset = within ? (size_t)((const uint8_t *)bytes - block) : 0;
    const int32_t code = weft_allot(unit, length);
    if (code != 0) return code;
    if (within) {
        const uint32_t moved = weft_segment_capacity(unit->block, WEFT_SEGMENT_DATA) - capacity;
        bytes = (uint8_t *)unit->block + offset + (offset >= before.offset + capacity ? moved : 0);
    }
    uint8_t *data = weft_segment_base(unit->block, WEFT_SEGMENT_DATA);
    memmove(data + before.used, bytes, length);
    return 0;
}

// Control structures. A branch operand holds the distance from itself to its target.

static int32_t control_push(struct weft_unit *unit, uint32_t tag, uint32_t offset)
{
    weft_push(unit->block, (weft_cell)((uint64_t)tag << 32 | offset));
    return 0;
}

// Takes a cell of the control-flow stack that must bear `tag` and lie in the open definition.
static int32_t control_pop(struct weft_unit *unit, uint32_t tag, uint32_t *offset)
{
    struct weft_block *block = unit->block;
    if (block->dsp == block->dbase) return -22;
    const uint64_t cell = (uint64_t)weft_pop(block);
    *offset = (uint32_t)cell;
    if (block->definition == 0 || cell >> 32 != tag) return -22;
    if (tag == TAG_LOOP) return 0;
    const uint32_t begin = weft_own_word(unit, block->definition - 1)->code;
    return *offset >= begin && *offset <= weft_own_tokens(block) ? 0 : -22;
}

static int32_t resolve(struct weft_unit *unit, uint32_t operand, uint32_t target)
{
    const int64_t distance = (int64_t)target - operand;
    if (operand >= weft_own_tokens(unit->block)) return -22;
    if (distance != (int16_t)distance) return -8; // A word of more than 32767 tokens.
    code_of(unit)[operand] = (uint16_t)distance;
    return 0;
}

// The distance of a branch whose operation has just been compiled: forward, to be resolved later.
static int32_t distance_forward(struct weft_unit *unit, uint32_t *operand)
{
    *operand = weft_own_tokens(unit->block);
    const int32_t code = weft_compile_token(unit, 0);
    no_fold(unit);
    return code;
}

// The same, back to `target`.
static int32_t distance_back(struct weft_unit *unit, uint32_t target)
{
    int32_t code = weft_compile_token(unit, 0);
    if (code == 0) code = resolve(unit, weft_own_tokens(unit->block) - 1, target);
    no_fold(unit);
    return code;
}

static int32_t branch_forward(struct weft_unit *unit, unsigned op, uint32_t *operand)
{
    const int32_t code = weft_compile_op(unit, op);
    return code != 0 ? code : distance_forward(unit, operand);
}

static int32_t origin_push(struct weft_unit *unit)
{
    uint32_t operand;
    const int32_t code = distance_forward(unit, &operand);
    return code != 0 ? code : control_push(unit, TAG_ORIGIN, operand);
}

static int32_t origin(struct weft_unit *unit, unsigned op)
{
    const int32_t code = weft_compile_op(unit, op);
    return code != 0 ? code : origin_push(unit);
}

int32_t weft_op_if(struct weft_unit *unit)
{
    return origin(unit, WEFT_OP_zbranch);
}

int32_t weft_op_ahead(struct weft_unit *unit)
{
    return origin(unit, WEFT_OP_branch);
}

int32_t weft_op_then(struct weft_unit *unit)
{
    uint32_t operand;
    int32_t code = control_pop(unit, TAG_ORIGIN, &operand);
    if (code == 0) code = resolve(unit, operand, weft_own_tokens(unit->block));
    no_fold(unit);
    return code;
}

int32_t weft_op_else(struct weft_unit *unit)
{
    uint32_t operand, over;
    int32_t code = control_pop(unit, TAG_ORIGIN, &operand);
    if (code == 0) code = branch_forward(unit, WEFT_OP_branch, &over);
    if (code == 0) code = resolve(unit, operand, weft_own_tokens(unit->block));
    return code != 0 ? code : control_push(unit, TAG_ORIGIN, over);
}

int32_t weft_op_begin(struct weft_unit *unit)
{
    no_fold(unit);
    return control_push(unit, TAG_DESTINATION, weft_own_tokens(unit->block));
}

int32_t weft_op_while(struct weft_unit *unit)
{
    // The origin goes below the destination ( dest -- orig dest ).
    uint32_t target;
    int32_t code = control_pop(unit, TAG_DESTINATION, &target);
    if (code == 0) code = origin(unit, WEFT_OP_zbranch);
    return code != 0 ? code : control_push(unit, TAG_DESTINATION, target);
}

static int32_t back_to(struct weft_unit *unit, unsigned op)
{
    uint32_t target;
    int32_t code = control_pop(unit, TAG_DESTINATION, &target);
    if (code == 0) code = weft_compile_op(unit, op);
    return code != 0 ? code : distance_back(unit, target);
}

int32_t weft_op_until(struct weft_unit *unit)
{
    return back_to(unit, WEFT_OP_zbranch_back);
}

int32_t weft_op_again(struct weft_unit *unit)
{
    return back_to(unit, WEFT_OP_branch_back);
}

int32_t weft_op_repeat(struct weft_unit *unit)
{
    const int32_t code = back_to(unit, WEFT_OP_branch_back);
    return code != 0 ? code : weft_op_then(unit);
}

// The leaves of a loop are chained through their operands: each holds the distance back to the one
// before it, 0 in the first. block->leave is 1 + the newest.
static void leave_link(struct weft_unit *unit, uint32_t operand)
{
    struct weft_block *block = unit->block;
    code_of(unit)[operand] = block->leave == 0 ? 0 : (uint16_t)(operand - (block->leave - 1));
    block->leave = operand + 1;
}

// Behind the operation that begins a loop. ?DO's branch is the first of its leaves.
static int32_t loop_push(struct weft_unit *unit, bool leaves)
{
    const uint32_t outer = unit->block->leave;
    uint32_t operand = 0;
    const int32_t code = leaves ? distance_forward(unit, &operand) : 0;
    no_fold(unit);
    unit->block->leave = 0;
    if (code != 0) return code;
    if (leaves) leave_link(unit, operand);
    control_push(unit, TAG_LOOP, outer);
    return control_push(unit, TAG_DESTINATION, weft_own_tokens(unit->block));
}

static int32_t loop_begin(struct weft_unit *unit, unsigned op)
{
    const int32_t code = weft_compile_op(unit, op);
    return code != 0 ? code : loop_push(unit, op == WEFT_OP_qdo);
}

// Where the loop under way began, and the leaves of the loop around it.
static int32_t loop_pop(struct weft_unit *unit, uint32_t *target, uint32_t *outer)
{
    const int32_t code = control_pop(unit, TAG_DESTINATION, target);
    return code != 0 ? code : control_pop(unit, TAG_LOOP, outer);
}

// Behind the operation that turns it: back to `target`, and its leaves come here.
static int32_t loop_close(struct weft_unit *unit, uint32_t target, uint32_t outer)
{
    int32_t code = distance_back(unit, target);
    struct weft_block *block = unit->block;
    const uint32_t begin = block->definition ? weft_own_word(unit, block->definition - 1)->code : 0;
    while (code == 0 && block->leave != 0) {
        const uint32_t operand = block->leave - 1;
        if (operand < begin || operand >= weft_own_tokens(block)) return -22;
        const uint32_t distance = code_of(unit)[operand];
        if (distance > operand) return -22;
        block->leave = distance == 0 ? 0 : operand - distance + 1;
        code = resolve(unit, operand, weft_own_tokens(block));
    }
    block->leave = outer;
    return code;
}

static int32_t loop_end(struct weft_unit *unit, unsigned op)
{
    uint32_t target, outer = 0;
    int32_t code = loop_pop(unit, &target, &outer);
    if (code == 0) code = weft_compile_op(unit, op);
    return code != 0 ? code : loop_close(unit, target, outer);
}

int32_t weft_op_do_word(struct weft_unit *unit)
{
    return loop_begin(unit, WEFT_OP_do);
}

int32_t weft_op_qdo_word(struct weft_unit *unit)
{
    return loop_begin(unit, WEFT_OP_qdo);
}

int32_t weft_op_loop_word(struct weft_unit *unit)
{
    return loop_end(unit, WEFT_OP_loop);
}

int32_t weft_op_plus_loop_word(struct weft_unit *unit)
{
    return loop_end(unit, WEFT_OP_plus_loop);
}

int32_t weft_op_leave(struct weft_unit *unit)
{
    uint32_t operand;
    int32_t code = weft_compile_op(unit, WEFT_OP_unloop);
    no_fold(unit);
    if (code == 0) code = branch_forward(unit, WEFT_OP_branch, &operand);
    if (code == 0) leave_link(unit, operand);
    return code;
}

// ---- Operations as they are written.

unsigned weft_op_value_tokens(unsigned op)
{
    return weft_op_info[op].operands - (weft_branch_direction(op) != 0);
}

static int32_t compile_written(struct weft_unit *unit, unsigned op, weft_cell value)
{
    no_fold(unit);
    int32_t code = weft_compile_token(unit, (uint16_t)op);
    for (unsigned n = 0; n < weft_op_value_tokens(op) && code == 0; n++)
        code = weft_compile_token(unit, (uint16_t)((uint64_t)value >> 16 * n));
    return code;
}

int32_t weft_compile_exact(struct weft_unit *unit, unsigned op, weft_cell value)
{
    const int way = weft_branch_direction(op);
    const unsigned last = weft_last_part(op);
    const bool turns = last == WEFT_OP_loop || last == WEFT_OP_plus_loop;
    uint32_t target = 0, outer = 0;
    int32_t code = 0;
    if (turns) code = loop_pop(unit, &target, &outer);
    if (way < 0 && !turns) code = control_pop(unit, TAG_DESTINATION, &target);
    if (code == 0) code = compile_written(unit, op, value);
    if (code != 0) return code;
    if (turns) return loop_close(unit, target, outer);
    if (way < 0) return distance_back(unit, target);
    if (last == WEFT_OP_do || last == WEFT_OP_qdo) return loop_push(unit, last == WEFT_OP_qdo);
    return way > 0 ? origin_push(unit) : 0;
}
