// outer.h: the text interpreter and its sources. Internal to forth/.
//
// Interpreting is one operation, run again for every word of the text: it reads a name and compiles
// it, pushes its number, or enters its code with a return to itself. So the interpreter nests in
// the unit's call stack, not in ours, and a unit can be stopped and saved in the middle of a line.
#ifndef WEFT_FORTH_OUTER_H
#define WEFT_FORTH_OUTER_H

#include "forth/state.h"

// The source on top; NULL if none.
struct weft_source *weft_source_top(const struct weft_unit *unit);
// Starts a source of `length` bytes at `address`. 0 or a THROW code.
int32_t weft_source_push(struct weft_unit *unit, uint32_t address, uint32_t length, int32_t id);
// Starts block `number` as a source: a copy of the WEFT_BLOCK_BYTES at `address`.
int32_t weft_source_push_block(struct weft_unit *unit, uint64_t address, uint32_t number);
// Sets BLK to what the source on top is. It is the first cell of what the unit keeps of its blocks;
// a unit without blocks has none.
void weft_source_blk(struct weft_unit *unit);
// Drops sources until `count` are left, and their texts with them.
void weft_sources_drop(struct weft_unit *unit, uint32_t count);
// The next line of the source on top: 1, or 0 at its end, and always for EVALUATE; a THROW code if
// a file cannot be read.
int32_t weft_source_refill(struct weft_unit *unit);
// Makes the line of `length` bytes at `start` of the text on top the one to be read.
void weft_source_line(struct weft_unit *unit, uint32_t start, uint32_t length);

// The next name in the line: *address and *length (0 at the end of the line). Moves >IN behind the
// blank that ends it. WEFT_NEXT; WEFT_REDO when there was a long stretch of blanks; a THROW code.
int32_t weft_parse_name(struct weft_unit *unit, uint32_t *address, uint32_t *length);
// Up to `delimiter` or the end of the line.
int32_t weft_parse(struct weft_unit *unit, char delimiter, uint32_t *address, uint32_t *length);

// Reads a number as the standard's 3.4.1.3 writes it: BASE or #, $, %, 'c', a sign, a final dot for
// a double. Answers the cells that it takes: 0 if it is none, 1, or 2 (low[0], high[1]).
int weft_number(const struct weft_unit *unit, const char *text, uint32_t length,
                weft_cell value[2]);

#endif // WEFT_FORTH_OUTER_H
