// places.h: where in its sources a unit's code came from, for backtraces. Internal to forth/.
#ifndef WEFT_FORTH_PLACES_H
#define WEFT_FORTH_PLACES_H

#include "forth/state.h"

// What is compiled from now on comes from the word that has just been read. Without memory, or from
// EVALUATE, what came before goes on.
void weft_place_note(struct weft_unit *unit);
// Drops the places of own code from token `code` on.
void weft_places_drop(struct weft_unit *unit, uint32_t code);

// The own words under way, innermost first, one a line: `stopped` as in weft_error_note (throw.h).
// Repetitions are counted, and what does not fit is left out. "" if the unit keeps no places.
void weft_places_trace(const struct weft_unit *unit, bool stopped, char *to, size_t size);

#endif // WEFT_FORTH_PLACES_H
