// infer.h: effects of words as a byte in their headers, and what comments claimed. Internal to
// forth/.
//
// The byte says what a caller may count on: cells in and out, or that the word never returns, or
// nothing. It is advice for people; what may run unchecked, the verifier alone decides (verify.h).
#ifndef WEFT_FORTH_INFER_H
#define WEFT_FORTH_INFER_H

#include "forth/effect.h"
#include "forth/state.h"

enum { WEFT_EFFECT_NONE = 0, WEFT_EFFECT_BYTE_ENDLESS = 255 };

// The byte for `in` and `out` cells, WEFT_EFFECT_NONE if they do not fit (14 at most), and back.
uint8_t weft_effect_byte(unsigned in, unsigned out);
bool weft_effect_of_byte(uint8_t byte, struct weft_effect_way *way);

// Infers the byte of an own word that has just been closed. If it cannot be told, a claim of its
// comment stands for it.
void weft_effect_close(struct weft_unit *unit, uint32_t own_index);

// Keeps the comment that follows in the text, if it is an effect, behind the name of the newest
// word. 0 or a THROW code.
int32_t weft_effect_claim(struct weft_unit *unit, uint32_t own_index);
// The comment kept for a word of the unit; NULL if there is none.
const char *weft_effect_comment(const struct weft_unit *unit, uint32_t index, uint32_t *length);
// Compares the claim of the definition about to be closed with its code. A difference goes to the
// host's `warning`; WEFT_THROW_EFFECT under options.strict_effects.
int32_t weft_effect_check(struct weft_unit *unit, uint32_t own_index);
// For THROW -263: what differs, and at which line, column and width. False if nothing does.
bool weft_effect_difference(const struct weft_unit *unit, struct weft_unit_error *error);

#endif // WEFT_FORTH_INFER_H
