// unit_internal.h: what system.c, sandbox.c and image.c need of unit.c.
#ifndef WEFT_FORTH_UNIT_INTERNAL_H
#define WEFT_FORTH_UNIT_INTERNAL_H

#include "forth/state.h"

// A handle without a block; NULL without memory or for options out of range (*code says which).
struct weft_unit *weft_unit_handle(const struct weft_forth_system *system,
                                   const struct weft_forth_memory *memory,
                                   const struct weft_unit_options *options,
                                   const struct weft_unit_host *host, int *code);
// A copy of the unit's block under the same options, without its host and child; NULL without
// memory.
struct weft_unit *weft_unit_clone(const struct weft_unit *unit);

#endif // WEFT_FORTH_UNIT_INTERNAL_H
