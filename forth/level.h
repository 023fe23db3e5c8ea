// level.h: texts one above the other: a parked one, and an evaluation that interrupts it.
//
// A level begins at its own heights of the stacks, so it can neither see nor harm what is parked
// below; what it found is kept in a frame of the call stack.
#ifndef WEFT_FORTH_LEVEL_H
#define WEFT_FORTH_LEVEL_H

#include "forth/state.h"

// 0 or a THROW code; then nothing has changed.
int32_t weft_level_begin(struct weft_unit *unit);
// Ends the topmost level. The first level's data stack stays for the next text, unless it `failed`.
void weft_level_end(struct weft_unit *unit, bool failed);
// Drops the open definition, if any: its words vanish.
void weft_definition_abandon(struct weft_unit *unit);

#endif // WEFT_FORTH_LEVEL_H
