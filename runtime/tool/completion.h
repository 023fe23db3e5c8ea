// completion.h: what a shell offers at Tab. The scripts only ask `weft __complete`, which knows the
// table, the nodes of this machine and (within 200 ms) their units.
#ifndef WEFT_TOOL_COMPLETION_H
#define WEFT_TOOL_COMPLETION_H

#include "runtime/tool/command.h"

// The script of "bash", "zsh" or "fish"; NULL for others.
const char *weft_completion_script(const char *shell);

// Prints what could stand for words[count - 1], one a line. `words` are those after "weft". Never
// fails, never says why it knows nothing.
void weft_completion_print(const struct weft_tool *tool, int count, char **words);

#endif // WEFT_TOOL_COMPLETION_H
