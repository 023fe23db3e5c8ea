// origin.h: the source of an own colon definition, kept beside its name, so that a word can be
// given to others as it was written. Internal to forth/.
//
// The text lies in the names' segment behind the name: a length (32 bits) and its bytes, without
// the colon. The `body` of a colon definition is 1 + its offset; 0: none was kept.
#ifndef WEFT_FORTH_ORIGIN_H
#define WEFT_FORTH_ORIGIN_H

#include "forth/state.h"

#define WEFT_ORIGIN_BYTES_MAX 4096

// At `:`, whose name has just been parsed; and at its `;`. What cannot be kept is not: a text that
// came line by line, one that is too long, or that would take more than an eighth of the quota.
void weft_origin_begin(struct weft_unit *unit, uint32_t own_index);
void weft_origin_end(struct weft_unit *unit, uint32_t own_index);

// The text of own word `own_index`; NULL if there is none.
const char *weft_origin_of(const struct weft_unit *unit, uint32_t own_index, uint32_t *length);

#endif // WEFT_FORTH_ORIGIN_H
