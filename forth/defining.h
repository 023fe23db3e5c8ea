// defining.h: what all defining words begin with. Internal to forth/.
#ifndef WEFT_FORTH_DEFINING_H
#define WEFT_FORTH_DEFINING_H

#include "forth/state.h"

// A header for the name that follows in the text. Its own index, or a THROW code, or (*again) a
// wish to be run once more.
int32_t weft_defining_header(struct weft_unit *unit, enum weft_word_kind kind, bool *again);
// The word whose name follows: its common index in *index. WEFT_NEXT, WEFT_REDO or a THROW code.
int32_t weft_defining_named(struct weft_unit *unit, uint32_t *index);

#endif // WEFT_FORTH_DEFINING_H
