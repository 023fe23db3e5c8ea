// words_string.c: characters and strings. Long ones are worked on in chunks: what is left goes back
// on the stack and the operation runs once more, so a slice never overshoots by more than a chunk.
#include <float.h>

#include "forth/compile.h"
#include "forth/dictionary.h"
#include "forth/floating.h"
#include "forth/inner.h"
#include "forth/ops.h"
#include "forth/outer.h"
#include "forth/xchar.h"

static uint64_t chunk(uint64_t length)
{
    return length < WEFT_CHUNK_BYTES ? length : WEFT_CHUNK_BYTES;
}

// The first chunk of ( from to u ), or the last: both ends checked whole, before anything moves.
static int32_t move(struct weft_unit *unit, bool from_end, bool byte_by_byte)
{
    weft_cell *at = weft_top(unit->block) - 2;
    const uint64_t length = (uint64_t)at[2], n = chunk(length);
    if (length == 0) {
        unit->block->dsp -= 3;
        return WEFT_NEXT;
    }
    const uint8_t *from = weft_address_read(unit, (uint64_t)at[0], length);
    uint8_t *to = weft_address_write(unit, (uint64_t)at[1], length);
    if (from == NULL || to == NULL) return -9;
    const uint64_t skip = from_end ? length - n : 0;
    if (!byte_by_byte) {
        memmove(to + skip, from + skip, n);
    } else if (from_end) {
        for (uint64_t i = n; i-- > 0;)
            to[skip + i] = from[skip + i];
    } else {
        for (uint64_t i = 0; i < n; i++)
            to[i] = from[i];
    }
    if (!from_end) {
        at[0] += (weft_cell)n;
        at[1] += (weft_cell)n;
    }
    at[2] -= (weft_cell)n;
    weft_charge(unit, n);
    if (at[2] != 0) return WEFT_REDO;
    unit->block->dsp -= 3;
    return WEFT_NEXT;
}

int32_t weft_op_move(struct weft_unit *unit)
{
    const weft_cell *at = weft_top(unit->block) - 2;
    return move(unit, at[0] < at[1], false);
}

int32_t weft_op_cmove(struct weft_unit *unit)
{
    return move(unit, false, true);
}

int32_t weft_op_cmove_up(struct weft_unit *unit)
{
    return move(unit, true, true);
}

int32_t weft_op_fill(struct weft_unit *unit)
{
    weft_cell *at = weft_top(unit->block) - 2;
    const uint64_t length = (uint64_t)at[1], n = chunk(length);
    if ((weft_cell)length > 0) {
        uint8_t *to = weft_address_write(unit, (uint64_t)at[0], length);
        if (to == NULL) return -9;
        memset(to, (uint8_t)at[2], n);
        at[0] += (weft_cell)n;
        at[1] -= (weft_cell)n;
        weft_charge(unit, n);
        if (at[1] != 0) return WEFT_REDO;
    }
    unit->block->dsp -= 3;
    return WEFT_NEXT;
}

// ( c-addr1 u1 c-addr2 u2 -- n )
int32_t weft_op_compare(struct weft_unit *unit)
{
    weft_cell *at = weft_top(unit->block) - 3;
    const uint64_t a = (uint64_t)at[1], b = (uint64_t)at[3];
    const uint64_t common = a < b ? a : b, n = chunk(common);
    const void *left = weft_address_read(unit, (uint64_t)at[0], a);
    const void *right = weft_address_read(unit, (uint64_t)at[2], b);
    if ((left == NULL && a != 0) || (right == NULL && b != 0)) return -9;
    const int order = n == 0 ? 0 : memcmp(left, right, n);
    weft_charge(unit, n);
    if (order == 0 && n < common) {
        for (int i = 0; i < 4; i++)
            at[i] += i % 2 == 0 ? (weft_cell)n : -(weft_cell)n;
        return WEFT_REDO;
    }
    at[0] = order != 0 ? (order > 0 ? 1 : -1) : (a > b) - (a < b);
    unit->block->dsp -= 3;
    return WEFT_NEXT;
}

int32_t weft_op_pad(struct weft_unit *unit)
{
    const int32_t code = weft_scratch(unit);
    weft_push(unit->block, WEFT_ADDRESS_SCRATCH + WEFT_SCRATCH_PAD);
    return code;
}

int32_t weft_op_emit(struct weft_unit *unit)
{
    const char c = (char)weft_pop(unit->block);
    weft_output(unit, &c, 1);
    return WEFT_NEXT;
}

int32_t weft_op_type(struct weft_unit *unit)
{
    weft_cell *at = weft_top(unit->block) - 1;
    const uint64_t length = (uint64_t)at[1], n = chunk(length);
    if (n > 0) {
        const uint64_t address = (uint64_t)at[0];
        if (weft_address_read(unit, address, length) == NULL) return -9;
        char copy[WEFT_CHUNK_BYTES]; // Output may grow, and the block move.
        memcpy(copy, weft_address_read(unit, address, n), n);
        weft_output(unit, copy, n);
        at = weft_top(unit->block) - 1;
        at[0] += (weft_cell)n;
        at[1] -= (weft_cell)n;
        weft_charge(unit, n);
        if (at[1] != 0) return WEFT_REDO;
    }
    unit->block->dsp -= 2;
    return WEFT_NEXT;
}

int32_t weft_op_spaces(struct weft_unit *unit)
{
    static const char blanks[64] =
        "                                                               ";
    weft_cell *left = weft_top(unit->block);
    if (*left > 0) {
        const uint64_t n = *left < 63 ? (uint64_t)*left : 63;
        weft_output(unit, blanks, n);
        left = weft_top(unit->block);
        *left -= (weft_cell)n;
        unit->budget--;
        if (*left != 0) return WEFT_REDO;
    }
    unit->block->dsp--;
    return WEFT_NEXT;
}

static bool compiling(const struct weft_unit *unit)
{
    return weft_variable(unit->block, WEFT_VARIABLE_STATE) != 0;
}

// A string into data space, and its address and length into the definition.
static int32_t compile_string(struct weft_unit *unit, const char *text, uint32_t length)
{
    if (unit->block->definition == 0) return -14;
    const uint64_t address = weft_here(unit);
    int32_t code = weft_data_append(unit, text, length);
    if (code == 0) code = weft_compile_literal(unit, (weft_cell)address);
    return code != 0 ? code : weft_compile_literal(unit, length);
}

// A string for the interpreting user: in one of a few buffers, in turn; a long one stays in its
// text.
static int32_t give_string(struct weft_unit *unit, const char *text, uint32_t length,
                           uint32_t address)
{
    if (length <= WEFT_STRING_BYTES) {
        char copy[WEFT_STRING_BYTES];
        memcpy(copy, text, length);
        const int32_t code = weft_scratch(unit);
        if (code != 0) return code;
        struct weft_block *block = unit->block;
        const uint32_t at =
            WEFT_SCRATCH_STRINGS + block->string_turn++ % WEFT_STRINGS * WEFT_STRING_BYTES;
        memcpy((char *)weft_segment_base(block, WEFT_SEGMENT_SCRATCH) + at, copy, length);
        address = WEFT_ADDRESS_SCRATCH + at;
    }
    weft_push(unit->block, address);
    weft_push(unit->block, length);
    return WEFT_NEXT;
}

int32_t weft_op_s_quote(struct weft_unit *unit)
{
    uint32_t address, length;
    const int32_t code = weft_parse(unit, '"', &address, &length);
    if (code != WEFT_NEXT) return code;
    const char *text = weft_address_read(unit, address, length);
    return compiling(unit) ? compile_string(unit, text, length)
                           : give_string(unit, text, length, address);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

// One escape of S\" behind its backslash: its bytes to `to`. Answers how many characters it took, 0
// if it is none.
static uint32_t escape(const char *text, uint32_t left, char *to, uint32_t *made)
{
    static const char letters[] = "abefltvzrn\"q\\";
    static const char bytes[] = "\a\b\033\f\n\t\v\0\r\n\"\"\\";
    *made = 1;
    if (left == 0) return 0;
    if (text[0] == 'm') {
        to[0] = '\r';
        to[1] = '\n';
        *made = 2;
        return 1;
    }
    if (text[0] == 'x') {
        if (left < 3 || hex_digit(text[1]) < 0 || hex_digit(text[2]) < 0) return 0;
        to[0] = (char)(hex_digit(text[1]) * 16 + hex_digit(text[2]));
        return 3;
    }
    const char *found = memchr(letters, text[0], sizeof(letters) - 1);
    if (found == NULL) return 0;
    to[0] = bytes[found - letters];
    return 1;
}

int32_t weft_op_s_backslash(struct weft_unit *unit)
{
    const struct weft_source *source = weft_source_top(unit);
    if (source == NULL) return -39;
    const char *line = weft_address_read(unit, (uint64_t)source->address + source->line_start,
                                         source->line_length);
    const weft_cell in = weft_variable(unit->block, WEFT_VARIABLE_IN);
    if (line == NULL || in < 0 || in > source->line_length) return -9;
    char text[WEFT_CHUNK_BYTES];
    uint32_t n = (uint32_t)in, length = 0, made;
    while (n < source->line_length && line[n] != '"') {
        if (length + 2 > sizeof(text)) return -18;
        if (line[n] != '\\') {
            text[length++] = line[n++];
            continue;
        }
        const uint32_t taken =
            escape(line + n + 1, source->line_length - n - 1, text + length, &made);
        if (taken == 0) return -24;
        length += made;
        n += 1 + taken;
    }
    weft_variable_set(unit->block, WEFT_VARIABLE_IN, n < source->line_length ? n + 1 : n);
    weft_charge(unit, n - (uint64_t)in);
    if (compiling(unit)) return compile_string(unit, text, length);
    return length > WEFT_STRING_BYTES ? -18 : give_string(unit, text, length, 0);
}

int32_t weft_op_c_quote(struct weft_unit *unit)
{
    uint32_t address, length;
    const int32_t code = weft_parse(unit, '"', &address, &length);
    if (code != WEFT_NEXT) return code;
    if (length > 255) return -18;
    if (unit->block->definition == 0) return -14;
    char counted[256];
    counted[0] = (char)length;
    memcpy(counted + 1, weft_address_read(unit, address, length), length);
    const uint64_t here = weft_here(unit);
    const int32_t appended = weft_data_append(unit, counted, length + 1);
    return appended != 0 ? appended : weft_compile_literal(unit, (weft_cell)here);
}

int32_t weft_op_sliteral(struct weft_unit *unit)
{
    const uint64_t length = (uint64_t)weft_pop(unit->block);
    const char *text = weft_address_read(unit, (uint64_t)weft_pop(unit->block), length);
    if (text == NULL && length != 0) return -9;
    if (length > WEFT_CHUNK_BYTES) return -18;
    return compile_string(unit, length == 0 ? "" : text, (uint32_t)length);
}

static int32_t print_parsed(struct weft_unit *unit, char delimiter)
{
    uint32_t address, length;
    const int32_t code = weft_parse(unit, delimiter, &address, &length);
    if (code != WEFT_NEXT) return code;
    for (uint32_t done = 0; done < length;) {
        char copy[WEFT_CHUNK_BYTES];
        const uint32_t n = (uint32_t)chunk(length - done);
        memcpy(copy, weft_address_read(unit, address + done, n), n);
        weft_output(unit, copy, n);
        done += n;
    }
    return WEFT_NEXT;
}

int32_t weft_op_dot_quote(struct weft_unit *unit)
{
    if (!compiling(unit)) return print_parsed(unit, '"');
    const int32_t code = weft_op_s_quote(unit);
    return code != WEFT_NEXT ? code : weft_compile_op(unit, WEFT_OP_type);
}

int32_t weft_op_dot_paren(struct weft_unit *unit)
{
    return print_parsed(unit, ')');
}

int32_t weft_op_abort_quote(struct weft_unit *unit)
{
    uint32_t address, length;
    int32_t code = weft_parse(unit, '"', &address, &length);
    if (code != WEFT_NEXT) return code;
    code = compile_string(unit, weft_address_read(unit, address, length), length);
    return code != 0 ? code : weft_compile_op(unit, WEFT_OP_abort_text);
}

// The first character of the name that follows: an extended one if it is well formed.
static int32_t parsed_char(struct weft_unit *unit, weft_cell *value)
{
    uint32_t address, length;
    const int32_t code = weft_parse_name(unit, &address, &length);
    if (code != WEFT_NEXT) return code;
    if (length == 0) return -16;
    const uint8_t *name = weft_address_read(unit, address, length);
    uint32_t bytes;
    *value = weft_xchar_get(name, length, &bytes);
    if (*value < 0) *value = name[0];
    return WEFT_NEXT;
}

int32_t weft_op_char(struct weft_unit *unit)
{
    weft_cell value;
    const int32_t code = parsed_char(unit, &value);
    if (code == WEFT_NEXT) weft_push(unit->block, value);
    return code;
}

int32_t weft_op_bracket_char(struct weft_unit *unit)
{
    weft_cell value;
    const int32_t code = parsed_char(unit, &value);
    return code != WEFT_NEXT ? code : weft_compile_literal(unit, value);
}

// ENVIRONMENT? ( c-addr u -- false | i*x true )
int32_t weft_op_environment(struct weft_unit *unit)
{
    enum { IS_FLOAT = 0, IS_STRING = -1 }; // Instead of so many cells.
    const bool files = unit->host->machine != NULL && unit->host->machine->file_open != NULL;
    const bool keys = unit->host->key != NULL && unit->host->ekey != NULL;
    const struct {
        const char *name;
        int cells;
        weft_cell value[2]; // value[1] on top.
    } answers[] = {
        {"#LOCALS", 1, {WEFT_LOCALS_MAX}},
        {"/COUNTED-STRING", 1, {255}},
        {"/HOLD", 1, {WEFT_HOLD_BYTES}},
        {"/PAD", 1, {WEFT_PAD_BYTES}},
        {"ADDRESS-UNIT-BITS", 1, {8}},
        {"BLOCK", 1, {WEFT_TRUE}},
        {"BLOCK-EXT", 1, {WEFT_TRUE}},
        {"CORE", 1, {WEFT_TRUE}},
        {"CORE-EXT", 1, {WEFT_TRUE}},
        {"DOUBLE", 1, {WEFT_TRUE}},
        {"DOUBLE-EXT", 1, {WEFT_TRUE}},
        {"EXCEPTION", 1, {WEFT_TRUE}},
        {"EXCEPTION-EXT", 1, {WEFT_TRUE}},
        {"FACILITY", 1, {weft_flag(keys)}},
        {"FACILITY-EXT", 1, {weft_flag(keys)}},
        {"FILE", 1, {weft_flag(files)}},
        {"FILE-EXT", 1, {weft_flag(files)}},
        {"FLOATING", 1, {WEFT_TRUE}},
        {"FLOATING-EXT", 1, {WEFT_TRUE}},
        {"FLOATING-STACK", 1, {unit->options.stack_cells_max}},
        {"FLOORED", 1, {WEFT_TRUE}},
        {"LOCALS", 1, {WEFT_TRUE}},
        {"LOCALS-EXT", 1, {WEFT_TRUE}},
        {"MAX-CHAR", 1, {255}},
        {"MAX-D", 2, {-1, INT64_MAX}},
        {"MAX-FLOAT", IS_FLOAT, {0}},
        {"MAX-N", 1, {INT64_MAX}},
        {"MAX-U", 1, {-1}},
        {"MAX-UD", 2, {-1, -1}},
        {"MAX-XCHAR", 1, {WEFT_XCHAR_MAX}},
        {"MEMORY-ALLOC", 1, {WEFT_TRUE}},
        {"RETURN-STACK-CELLS", 1, {unit->options.stack_cells_max}},
        {"SEARCH-ORDER", 1, {WEFT_TRUE}},
        {"SEARCH-ORDER-EXT", 1, {WEFT_TRUE}},
        {"STACK-CELLS", 1, {unit->options.stack_cells_max}},
        {"STRING", 1, {WEFT_TRUE}},
        {"STRING-EXT", 1, {WEFT_TRUE}},
        {"TOOLS", 1, {WEFT_TRUE}},
        {"TOOLS-EXT", 1, {WEFT_TRUE}},
        {"WORDLISTS", 1, {WEFT_ORDER_MAX}},
        {"X:EKEYS", 1, {weft_flag(keys)}},
        {"XCHAR-ENCODING", IS_STRING, {0}},
        {"XCHAR-MAXMEM", 1, {WEFT_XCHAR_BYTES_MAX}},
    };
    const uint64_t length = (uint64_t)weft_pop(unit->block);
    const char *name = weft_address_read(unit, (uint64_t)weft_pop(unit->block), length);
    if (name == NULL) return -9;
    for (size_t n = 0; n < sizeof(answers) / sizeof(answers[0]); n++) {
        if (strlen(answers[n].name) != length ||
            !weft_name_equal(answers[n].name, name, (uint32_t)length))
            continue;
        int32_t code = WEFT_NEXT;
        if (answers[n].cells == IS_STRING) code = give_string(unit, "UTF-8", 5, 0);
        if (answers[n].cells == IS_FLOAT) code = weft_float_push(unit, DBL_MAX);
        if (code != WEFT_NEXT) return code;
        for (int c = 0; c < answers[n].cells; c++)
            weft_push(unit->block, answers[n].value[c]);
        weft_push(unit->block, WEFT_TRUE);
        return WEFT_NEXT;
    }
    weft_push(unit->block, WEFT_FALSE);
    return WEFT_NEXT;
}
