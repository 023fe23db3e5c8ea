// compile.h: from words to tokens. Internal to forth/.
#ifndef WEFT_FORTH_COMPILE_H
#define WEFT_FORTH_COMPILE_H

#include "forth/state.h"

// Each appends to the open definition. 0 or a THROW code (-14 if none is open).
int32_t weft_compile_token(struct weft_unit *unit, uint16_t token);
int32_t weft_compile_op(struct weft_unit *unit, unsigned op);
int32_t weft_compile_literal(struct weft_unit *unit, weft_cell value);
int32_t weft_compile_float(struct weft_unit *unit, double value);
int32_t weft_compile_call(struct weft_unit *unit, uint32_t index);
// As COMPILE, does: a primitive becomes its operation, a constant its value, the rest a call.
int32_t weft_compile_word(struct weft_unit *unit, uint32_t index);

// `op` as it is written, never folded nor fused, with `value` as its literal, if it has one. What
// branches uses the control-flow stack: forward as IF does (a loop's as ?DO), back as UNTIL (LOOP).
int32_t weft_compile_exact(struct weft_unit *unit, unsigned op, weft_cell value);
// Tokens of the literal behind an operation, without the distance of a branch.
unsigned weft_op_value_tokens(unsigned op);

// TO a local.
int32_t weft_compile_local_store(struct weft_unit *unit, const struct weft_word *local);
// Leaves the word: its locals go from the return stack first.
int32_t weft_compile_exit(struct weft_unit *unit);

// Closes the part of a definition that began at own word `own_index`: length, verification, flags.
// The word is valid only if the answer is 0.
int32_t weft_word_close(struct weft_unit *unit, uint32_t own_index);

// The value of a CONSTANT, of an FCONSTANT.
weft_cell weft_word_literal(const struct weft_unit *unit, uint32_t index);
double weft_word_float(const struct weft_unit *unit, uint32_t index);

// Data space. The address of HERE; `bytes` more of it, zeroed the first time. 0 or a THROW code.
uint64_t weft_here(const struct weft_unit *unit);
int32_t weft_allot(struct weft_unit *unit, weft_cell bytes);
// Copies `length` bytes to HERE and allots them.
int32_t weft_data_append(struct weft_unit *unit, const void *bytes, uint32_t length);

#endif // WEFT_FORTH_COMPILE_H
