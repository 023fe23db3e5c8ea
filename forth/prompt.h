// prompt.h: standard input, line by line: a person's, or a pipe's. Internal to forth/.
#ifndef WEFT_FORTH_PROMPT_H
#define WEFT_FORTH_PROMPT_H

#include "forth/machine.h"
#include "forth/standalone.h"
#include "forth/unit.h"

// Interprets lines until the end of the input, BYE (*bye), or, for a pipe, the first error. The
// exit status, 0 if all went well.
int weft_forth_prompt(struct weft_unit *unit, struct weft_machine *machine,
                      const struct weft_forth_tools *tools, bool *bye);

#endif // WEFT_FORTH_PROMPT_H
