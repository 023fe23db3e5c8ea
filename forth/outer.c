#include "forth/outer.h"

#include "forth/compile.h"
#include "forth/dictionary.h"
#include "forth/files.h"
#include "forth/floating.h"
#include "forth/inner.h"
#include "forth/ops.h"
#include "forth/places.h"
#include "forth/xchar.h"

struct weft_source *weft_source_top(const struct weft_unit *unit)
{
    const uint32_t count = weft_source_count(unit->block);
    return count == 0 ? NULL : &weft_sources(unit->block)[count - 1];
}

static weft_cell in_get(const struct weft_unit *unit)
{
    return weft_variable(unit->block, WEFT_VARIABLE_IN);
}

static void in_set(struct weft_unit *unit, uint32_t in)
{
    weft_variable_set(unit->block, WEFT_VARIABLE_IN, in);
}

// >IN as far as it makes sense: the program may have stored anything there.
static uint32_t in_line(const struct weft_unit *unit, const struct weft_source *source)
{
    const weft_cell in = in_get(unit);
    return in < 0 || in > source->line_length ? source->line_length : (uint32_t)in;
}

void weft_source_line(struct weft_unit *unit, uint32_t start, uint32_t length)
{
    struct weft_source *source = weft_source_top(unit);
    source->line_start = start;
    source->line_length = length;
    source->word_start = source->word_length = 0;
    in_set(unit, 0);
    weft_charge(unit, length / 8);
    // The first line of a script is for the kernel.
    const char *text = weft_address_read(unit, (uint64_t)source->address + start, length);
    if (source->line == 1 && source->id >= 0 && length > 1 && memcmp(text, "#!", 2) == 0)
        in_set(unit, length);
}

// Finds the line that begins at line_start.
static bool find_line(struct weft_unit *unit, struct weft_source *source)
{
    const uint32_t left = source->length - source->line_start;
    const char *text =
        weft_address_read(unit, (uint64_t)source->address + source->line_start, left);
    if (text == NULL) return false;
    const char *end = source->id < 0 ? NULL : memchr(text, '\n', left);
    weft_source_line(unit, source->line_start, end == NULL ? left : (uint32_t)(end - text));
    return true;
}

void weft_source_blk(struct weft_unit *unit)
{
    const struct weft_source *source = weft_source_top(unit);
    const bool block = source != NULL && source->id == WEFT_SOURCE_BLOCK;
    void *blk = unit->block->blocks == 0
                    ? NULL
                    : weft_address_write(unit, unit->block->blocks, WEFT_CELL_BYTES);
    if (blk != NULL) weft_cell_put(blk, block ? (weft_cell)source->line : 0);
}

int32_t weft_source_push(struct weft_unit *unit, uint32_t address, uint32_t length, int32_t id)
{
    if (weft_source_count(unit->block) >= unit->options.call_depth_max) return -5;
    const int32_t code =
        weft_segment_reserve(unit, WEFT_SEGMENT_SOURCES, sizeof(struct weft_source));
    if (code != 0) return code;

    struct weft_block *block = unit->block;
    struct weft_source *outer = weft_source_top(unit);
    if (outer != NULL) outer->in = in_line(unit, outer);
    block->segment[WEFT_SEGMENT_SOURCES].used += (uint32_t)sizeof(struct weft_source);
    struct weft_source *source = weft_source_top(unit);
    *source = (struct weft_source){
        .address = address,
        .length = length,
        .line = 1,
        .id = id,
        .text_used = block->segment[WEFT_SEGMENT_TEXT].used,
    };
    weft_source_blk(unit);
    if (find_line(unit, source)) return 0;
    weft_sources_drop(unit, weft_source_count(block) - 1);
    return -9;
}

int32_t weft_source_push_block(struct weft_unit *unit, uint64_t address, uint32_t number)
{
    static const char name[] = "block";
    enum { NAME_BYTES = sizeof(name) - 1 };
    char copy[WEFT_BLOCK_BYTES]; // The text segment may move, and the block's text with it.
    const void *text = weft_address_read(unit, address, WEFT_BLOCK_BYTES);
    if (text == NULL) return -9;
    memcpy(copy, text, sizeof(copy));
    const uint32_t used = unit->block->segment[WEFT_SEGMENT_TEXT].used;
    int32_t code =
        weft_segment_reserve(unit, WEFT_SEGMENT_TEXT, NAME_BYTES + (uint64_t)WEFT_BLOCK_BYTES);
    if (code != 0) return code;
    struct weft_segment *segment = &unit->block->segment[WEFT_SEGMENT_TEXT];
    char *to = (char *)weft_segment_base(unit->block, WEFT_SEGMENT_TEXT) + used;
    memcpy(to, name, NAME_BYTES);
    memcpy(to + NAME_BYTES, copy, sizeof(copy));
    segment->used += NAME_BYTES + WEFT_BLOCK_BYTES;
    code = weft_source_push(unit, WEFT_ADDRESS_TEXT + used + NAME_BYTES, WEFT_BLOCK_BYTES,
                            WEFT_SOURCE_BLOCK);
    if (code != 0) {
        unit->block->segment[WEFT_SEGMENT_TEXT].used = used;
        return code;
    }
    struct weft_source *source = weft_source_top(unit);
    source->name = source->text_used = used;
    source->name_length = NAME_BYTES;
    source->line = number;
    weft_source_blk(unit);
    return 0;
}

void weft_sources_drop(struct weft_unit *unit, uint32_t count)
{
    struct weft_block *block = unit->block;
    struct weft_source *source;
    while (weft_source_count(block) > count) {
        source = weft_source_top(unit);
        if (source->id > 0) weft_unit_file_close(unit, source->id);
        block->segment[WEFT_SEGMENT_TEXT].used = source->text_used;
        block->segment[WEFT_SEGMENT_SOURCES].used -= (uint32_t)sizeof(struct weft_source);
        source = weft_source_top(unit);
        if (source != NULL) in_set(unit, source->in);
        weft_source_blk(unit);
    }
}

int32_t weft_source_refill(struct weft_unit *unit)
{
    struct weft_source *source = weft_source_top(unit);
    if (source == NULL || source->id < 0) return 0;
    if (source->id > 0) return weft_unit_file_refill(unit);
    const uint32_t next = source->line_start + source->line_length + 1;
    if (next >= source->length) return 0; // Equal: the text ended in a newline.
    source->line_start = next;
    source->line++;
    return find_line(unit, source);
}

// A further line of the host's, in the place of a text that has been read. 1, 0 or WEFT_PARK.
static int32_t ask_for_line(struct weft_unit *unit)
{
    const struct weft_unit_machine *machine = unit->host->machine;
    struct weft_source *source = weft_source_top(unit);
    if (source == NULL || source->id != 0 || machine == NULL || machine->refill == NULL) return 0;
    struct weft_segment *texts = &unit->block->segment[WEFT_SEGMENT_TEXT];
    const uint64_t at = (uint64_t)source->address - WEFT_ADDRESS_TEXT;
    if (source->address < WEFT_ADDRESS_TEXT || at + source->length > texts->used) return 0;
    const int32_t code = weft_segment_grow(unit, WEFT_SEGMENT_TEXT, at + WEFT_CHUNK_BYTES);
    if (code != 0) return code;

    char *to = (char *)weft_segment_base(unit->block, WEFT_SEGMENT_TEXT) + at;
    const int64_t length = machine->refill(unit->self, to, WEFT_CHUNK_BYTES);
    if (length == -1) return WEFT_PARK;
    if (length < 0 || length > WEFT_CHUNK_BYTES) return 0;
    unit->block->segment[WEFT_SEGMENT_TEXT].used = (uint32_t)(at + (uint64_t)length);
    source = weft_source_top(unit);
    source->length = (uint32_t)length;
    source->line++;
    weft_source_line(unit, 0, (uint32_t)length);
    return 1;
}

static const char *line_text(const struct weft_unit *unit, const struct weft_source *source)
{
    return weft_address_read(unit, (uint64_t)source->address + source->line_start,
                             source->line_length);
}

static bool blank(char c)
{
    return (uint8_t)c <= ' ';
}

int32_t weft_parse_name(struct weft_unit *unit, uint32_t *address, uint32_t *length)
{
    struct weft_source *source = weft_source_top(unit);
    *address = *length = 0;
    if (source == NULL) return -39;
    const char *line = line_text(unit, source);
    if (line == NULL) return -9;

    uint32_t start = in_line(unit, source);
    const uint32_t limit = start + WEFT_CHUNK_BYTES;
    while (start < source->line_length && blank(line[start])) {
        if (++start < limit) continue;
        in_set(unit, start);
        unit->budget -= WEFT_CHUNK_BYTES / 64;
        return WEFT_REDO;
    }
    uint32_t end = start;
    while (end < source->line_length && !blank(line[end]) && end - start <= WEFT_CHUNK_BYTES)
        end++;
    source->word_start = start;
    source->word_length = end - start;
    if (end - start > WEFT_CHUNK_BYTES) return -18;
    in_set(unit, end < source->line_length ? end + 1 : end);
    *address = source->address + source->line_start + start;
    *length = end - start;
    return WEFT_NEXT;
}

static int32_t parse(struct weft_unit *unit, const void *delimiter, uint32_t bytes,
                     uint32_t *address, uint32_t *length)
{
    struct weft_source *source = weft_source_top(unit);
    *address = *length = 0;
    if (source == NULL) return -39;
    const char *line = line_text(unit, source);
    if (line == NULL) return -9;

    const uint32_t start = in_line(unit, source);
    const char *end = memmem(line + start, source->line_length - start, delimiter, bytes);
    *length = (uint32_t)(end == NULL ? source->line_length - start : end - (line + start));
    *address = source->address + source->line_start + start;
    in_set(unit, start + *length + (end != NULL ? bytes : 0));
    weft_charge(unit, *length / 8);
    return WEFT_NEXT;
}

int32_t weft_parse(struct weft_unit *unit, char delimiter, uint32_t *address, uint32_t *length)
{
    return parse(unit, &delimiter, 1, address, length);
}

// Forth 2012, 12.3.7: floats are recognized in decimal only, by their exponent.
static int32_t interpret_float(struct weft_unit *unit, const char *name, uint32_t length,
                               bool compiling)
{
    double value;
    if (weft_variable(unit->block, WEFT_VARIABLE_BASE) != 10) return -13;
    if (!weft_float_read(name, length, WEFT_FLOAT_IN_SOURCE, &value)) return -13;
    const int32_t code = compiling ? weft_compile_float(unit, value) : weft_float_push(unit, value);
    unit->budget--;
    weft_charge(unit, length);
    return code;
}

static int32_t interpret_number(struct weft_unit *unit, const char *name, uint32_t length,
                                bool compiling)
{
    weft_cell value[2];
    const int cells = weft_number(unit, name, length, value);
    if (cells < 0) return -262;
    if (cells == 0) return interpret_float(unit, name, length, compiling);
    for (int n = 0; n < cells; n++) {
        if (compiling) {
            const int32_t code = weft_compile_literal(unit, value[n]);
            if (code != 0) return code;
        } else {
            if (unit->block->dsp >= unit->options.stack_cells_max) return -3;
            weft_push(unit->block, value[n]);
        }
    }
    unit->budget--;
    return WEFT_NEXT;
}

// The text interpreter, one word (Forth 2012, 3.4). Enters a word's code so that it returns here.
int32_t weft_op_interpret(struct weft_unit *unit)
{
    uint32_t address, length;
    const int32_t parsed = weft_parse_name(unit, &address, &length);
    if (parsed != WEFT_NEXT) return parsed;
    if (length == 0) {
        unit->budget--;
        const int32_t filled = weft_source_refill(unit);
        if (filled == WEFT_PARK) return filled;
        if (filled != 0) return filled < 0 ? filled : WEFT_REDO;
        unit->block->ip += 2; // Over the branch back to us.
        return WEFT_JUMP;
    }

    const char *name = weft_address_read(unit, address, length);
    const bool compiling = weft_variable(unit->block, WEFT_VARIABLE_STATE) != 0;
    if (compiling && unit->options.places) {
        weft_place_note(unit);
        name = weft_address_read(unit, address, length); // The block may have moved.
    }
    const uint32_t index = weft_find(unit, name, length);
    if (index == WEFT_WORD_NONE) return interpret_number(unit, name, length, compiling);

    const struct weft_word *word = weft_word_at(unit, index);
    if (compiling && !(word->flags & WEFT_WORD_IMMEDIATE)) {
        unit->budget--;
        return weft_compile_word(unit, index);
    }
    if (!compiling && word->flags & WEFT_WORD_COMPILE_ONLY) return -14;
    const int32_t code = weft_enter(unit, index, unit->block->ip - 1);
    return code != 0 ? code : WEFT_JUMP;
}

// EVALUATE's beginning and end ( c-addr u -- ).
int32_t weft_op_source_begin(struct weft_unit *unit)
{
    const uint64_t length = (uint64_t)weft_pop(unit->block);
    const uint64_t address = (uint64_t)weft_pop(unit->block);
    if (weft_address_read(unit, address, length) == NULL) return -9;
    return weft_source_push(unit, (uint32_t)address, (uint32_t)length, -1);
}

int32_t weft_op_source_end(struct weft_unit *unit)
{
    const uint32_t count = weft_source_count(unit->block);
    if (count == 0) return -39;
    weft_sources_drop(unit, count - 1);
    return WEFT_NEXT;
}

int32_t weft_op_source(struct weft_unit *unit)
{
    const struct weft_source *source = weft_source_top(unit);
    weft_push(unit->block, source == NULL ? 0 : source->address + source->line_start);
    weft_push(unit->block, source == NULL ? 0 : source->line_length);
    return WEFT_NEXT;
}

int32_t weft_op_source_id(struct weft_unit *unit)
{
    const struct weft_source *source = weft_source_top(unit);
    const bool none = source == NULL || source->id == WEFT_SOURCE_BLOCK;
    weft_push(unit->block, none ? 0 : source->id);
    return WEFT_NEXT;
}

int32_t weft_op_refill(struct weft_unit *unit)
{
    int32_t filled = weft_source_refill(unit);
    if (filled == 0) filled = ask_for_line(unit);
    if (filled < 0 || filled == WEFT_PARK) return filled;
    weft_push(unit->block, weft_flag(filled != 0));
    return WEFT_NEXT;
}

int32_t weft_op_parse(struct weft_unit *unit)
{
    uint32_t address, length;
    uint8_t delimiter[WEFT_XCHAR_BYTES_MAX];
    const weft_cell xchar = weft_pop(unit->block);
    uint32_t bytes = xchar < 0x80 ? 0 : weft_xchar_put((uint64_t)xchar, delimiter);
    if (bytes == 0) delimiter[bytes++] = (uint8_t)xchar;
    const int32_t code = parse(unit, delimiter, bytes, &address, &length);
    weft_push(unit->block, address);
    weft_push(unit->block, length);
    return code;
}

int32_t weft_op_parse_name(struct weft_unit *unit)
{
    uint32_t address, length;
    const int32_t code = weft_parse_name(unit, &address, &length);
    if (code != WEFT_NEXT) return code;
    weft_push(unit->block, address);
    weft_push(unit->block, length);
    return code;
}

// WORD ( char "<chars>ccc<char>" -- c-addr )
int32_t weft_op_word(struct weft_unit *unit)
{
    uint32_t address, length;
    const int32_t made = weft_scratch(unit);
    if (made != 0) return made;
    const char delimiter = (char)*weft_top(unit->block);
    const struct weft_source *source = weft_source_top(unit);
    const char *line = source == NULL ? NULL : line_text(unit, source);
    if (line == NULL) return -39;
    uint32_t start = in_line(unit, source);
    const uint32_t first = start;
    while (start < source->line_length && start - first < WEFT_CHUNK_BYTES &&
           (line[start] == delimiter || (delimiter == ' ' && blank(line[start]))))
        start++;
    in_set(unit, start);
    if (start - first == WEFT_CHUNK_BYTES) return WEFT_REDO;

    const int32_t code = delimiter == ' ' ? weft_parse_name(unit, &address, &length)
                                          : weft_parse(unit, delimiter, &address, &length);
    if (code != WEFT_NEXT) return code;
    if (length > 255) return -18;
    char *counted =
        (char *)weft_segment_base(unit->block, WEFT_SEGMENT_SCRATCH) + WEFT_SCRATCH_WORD;
    counted[0] = (char)length;
    if (length > 0) memcpy(counted + 1, weft_address_read(unit, address, length), length);
    *weft_top(unit->block) = WEFT_ADDRESS_SCRATCH + WEFT_SCRATCH_WORD;
    return WEFT_NEXT;
}

// A comment in a text may go on over its lines.
int32_t weft_op_paren(struct weft_unit *unit)
{
    uint32_t address, length;
    const int32_t code = weft_parse(unit, ')', &address, &length);
    if (code != WEFT_NEXT) return code;
    const char *end = weft_address_read(unit, (uint64_t)address + length, 1);
    const struct weft_source *source = weft_source_top(unit);
    const bool closed =
        address + length < source->address + source->line_start + source->line_length &&
        end != NULL && *end == ')';
    unit->budget--;
    const int32_t filled = closed ? 0 : weft_source_refill(unit);
    if (filled < 0 || filled == WEFT_PARK) return filled;
    return filled != 0 ? WEFT_REDO : WEFT_NEXT;
}

int32_t weft_op_backslash(struct weft_unit *unit)
{
    const struct weft_source *source = weft_source_top(unit);
    if (source == NULL) return WEFT_NEXT;
    if (source->id != WEFT_SOURCE_BLOCK) {
        in_set(unit, source->line_length);
    } else { // To the end of the line of 64 that the backslash is in.
        const uint32_t end =
            (source->word_start / WEFT_BLOCK_LINE_BYTES + 1) * WEFT_BLOCK_LINE_BYTES;
        in_set(unit, end < source->line_length ? end : source->line_length);
    }
    return WEFT_NEXT;
}

// SAVE-INPUT ( -- in where line count 4 ): enough to come back within a source; `where` is the
// place of the line in the text, or in the file.
int32_t weft_op_save_input(struct weft_unit *unit)
{
    const struct weft_source *source = weft_source_top(unit);
    weft_push(unit->block, in_get(unit));
    weft_push(unit->block, source == NULL ? 0 : (weft_cell)(source->position + source->line_start));
    weft_push(unit->block, source == NULL ? 0 : source->line);
    weft_push(unit->block, weft_source_count(unit->block));
    weft_push(unit->block, 4);
    return WEFT_NEXT;
}

// Goes to the line at `where`. 1; 0 if there is none; a THROW code.
static int32_t go_to_line(struct weft_unit *unit, weft_cell where, weft_cell line)
{
    struct weft_source *source = weft_source_top(unit);
    const uint32_t old_line = source->line;
    if (source->id > 0) {
        struct weft_unit_file *file = weft_unit_file_at(unit, source->id);
        if (file == NULL) return -37;
        file->position = (uint64_t)where;
        source->line = (uint32_t)line - 1;
        const int32_t filled = weft_unit_file_refill(unit);
        if (filled != 1) weft_source_top(unit)->line = old_line;
        return filled;
    }
    if ((uint64_t)where > source->length) return 0;
    source->line_start = (uint32_t)where;
    source->line = (uint32_t)line;
    return find_line(unit, source) ? 1 : -9;
}

int32_t weft_op_restore_input(struct weft_unit *unit)
{
    struct weft_block *block = unit->block;
    const weft_cell cells = weft_pop(block);
    if (cells < 0 || cells > block->dsp - block->dbase) return -4;
    block->dsp -= (uint32_t)cells;
    weft_cell saved[4] = {0};
    if (cells == 4) memcpy(saved, weft_top(block) + 1, sizeof(saved));
    int32_t went = 0;
    if (cells == 4 && weft_source_count(block) > 0 && saved[3] == weft_source_count(block) &&
        saved[0] >= 0 && saved[1] >= 0)
        went = go_to_line(unit, saved[1], saved[2]);
    if (went == WEFT_PARK) block->dsp += (uint32_t)cells + 1; // As it was, to ask again.
    if (went < 0 || went == WEFT_PARK) return went;
    if (went == 1) weft_variable_set(unit->block, WEFT_VARIABLE_IN, saved[0]);
    weft_push(unit->block, weft_flag(went == 0));
    return WEFT_NEXT;
}
