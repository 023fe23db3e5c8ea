// unit_internal.h: what system.c, sandbox.c, seed.c and image.c need of unit.c, and tests of
// system.c.
#ifndef WEFT_FORTH_UNIT_INTERNAL_H
#define WEFT_FORTH_UNIT_INTERNAL_H

#include "forth/state.h"

// A handle without a block; NULL without memory or for options out of range (*code says which).
struct weft_unit *weft_unit_handle(const struct weft_forth_system *system,
                                   const struct weft_forth_memory *memory,
                                   const struct weft_unit_options *options,
                                   const struct weft_unit_host *host, int *code);
// A unit with this module, which has been got for it and is let go if it fails, and segments of
// these sizes (multiples of 8), all zero. As weft_unit_create, or -ENOSPC: more than `options`
// allow.
int weft_unit_make(const struct weft_forth_system *system, const struct weft_forth_memory *memory,
                   const struct weft_unit_options *options, const struct weft_unit_host *host,
                   struct weft_word_module *module,
                   const uint32_t segment_bytes[WEFT_SEGMENT_COUNT], struct weft_unit **unit);
// From here on the unit compiles what all units will share: it may do what only the preludes may.
void weft_forth_system_begin(struct weft_unit *unit);
// A copy of the unit's block under the same options, without its host and child; NULL without
// memory.
struct weft_unit *weft_unit_clone(const struct weft_unit *unit);

// As weft_unit_interpret of a unit that has just been made and does nothing, with room for it.
int weft_unit_begin(struct weft_unit *unit, const char *name, uint32_t line, const char *text,
                    uint32_t length);

#endif // WEFT_FORTH_UNIT_INTERNAL_H
