// throw.h: THROW from C, and what an uncaught one leaves behind. Internal to forth/.
#ifndef WEFT_FORTH_THROW_H
#define WEFT_FORTH_THROW_H

#include "forth/state.h"

// THROW `code` (not 0): unwinds to the newest CATCH of the topmost level and answers false, or
// notes the error, ends the level and answers true.
bool weft_throw(struct weft_unit *unit, int32_t code);

// Notes an error, as weft_unit_error gives it out: at the operation just read, or, if the unit was
// stopped from outside, where it would go on.
void weft_error_note(struct weft_unit *unit, int32_t code, bool stopped);

// Fills the place of an error: the word read last; or `token` (error->width bytes, at error->line
// and error->column), if it stands there in the text being read. NULL: none.
void weft_error_place(const struct weft_unit *unit, struct weft_unit_error *error,
                      const char *token);

#endif // WEFT_FORTH_THROW_H
