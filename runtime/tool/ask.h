// ask.h: asking before something that cannot be undone.
#ifndef WEFT_TOOL_ASK_H
#define WEFT_TOOL_ASK_H

#include <stdbool.h>

#include "runtime/tool/command.h"

// Says `warning` and waits for `name` to be typed on standard input. False, after saying that
// nothing was done, if anything else is, or nothing can be.
bool weft_ask_name(const struct weft_tool *tool, const char *name, const char *warning);

#endif // WEFT_TOOL_ASK_H
