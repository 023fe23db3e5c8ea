// control.h: the words of the switch's control socket: a line in, a line of JSON out (README.md).
//
// Pure text: whoever holds the socket passes the lines. Hostile input ends in {"error": "…"}.
#ifndef WEFT_DATAPLANE_SWITCH_CONTROL_H
#define WEFT_DATAPLANE_SWITCH_CONTROL_H

#include <stddef.h>

#include "dataplane/switch/switch.h"

#define WEFT_SWITCH_LINE_MAX   512
#define WEFT_SWITCH_ANSWER_MAX 65536

// Runs `line` (changed on the way) and writes an answer with its newline. `answer` holds
// WEFT_SWITCH_ANSWER_MAX bytes; a longer one is cut at an element, as "truncated": true says.
// Returns its length.
size_t weft_switch_command(struct weft_switch *bridge, char *line, char *answer);

#endif // WEFT_DATAPLANE_SWITCH_CONTROL_H
