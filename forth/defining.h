// defining.h: what all defining words begin with. Internal to forth/.
#ifndef WEFT_FORTH_DEFINING_H
#define WEFT_FORTH_DEFINING_H

#include "forth/state.h"

// A header for the name that follows in the text. Its own index, or a THROW code, or (*again) a
// wish to be run once more.
int32_t weft_defining_header(struct weft_unit *unit, enum weft_word_kind kind, bool *again);
// The word whose name follows: its common index in *index. WEFT_NEXT, WEFT_REDO or a THROW code.
int32_t weft_defining_named(struct weft_unit *unit, uint32_t *index);

// Opens the definition of the own word whose header has just been made.
void weft_definition_open(struct weft_unit *unit, uint32_t own_index);
// Ends its part under way: what stands in the next one, opened here, is what the newest word will
// do (DOES>, ;CODE). 0 or a THROW code.
int32_t weft_definition_part(struct weft_unit *unit, enum weft_word_kind kind);
// Ends the definition, whose code has an end already: its parts are verified and its name is found
// from now on. 0 or a THROW code; then it stays open.
int32_t weft_definition_close(struct weft_unit *unit);
// Is the part under way one of CODE or ;CODE?
bool weft_definition_is_code(const struct weft_unit *unit);

#endif // WEFT_FORTH_DEFINING_H
