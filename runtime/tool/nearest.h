// nearest.h: "did you mean": the known word that differs from a mistyped one in the fewest letters.
#ifndef WEFT_TOOL_NEAREST_H
#define WEFT_TOOL_NEAREST_H

#include "runtime/tool/command.h"

// Insertions, deletions, changes and swaps of neighbours between two words (Damerau 1964, in the
// form that edits no letter twice). Words longer than 63 are 64 apart.
unsigned weft_nearest_distance(const char *a, const char *b);

// Each returns a known word within about a third of the length, or NULL.
const char *weft_nearest_noun(const struct weft_tool *tool, const char *noun);
const char *weft_nearest_verb(const struct weft_tool *tool, const char *noun, const char *verb);
const char *weft_nearest_option(const struct weft_tool_command *command, const char *name);

#endif // WEFT_TOOL_NEAREST_H
