// unit.h: loading and evaluating over the admin port, for `weft unit` and the REPL.
#ifndef WEFT_TOOL_UNIT_H
#define WEFT_TOOL_UNIT_H

#include "runtime/admin/client.h"
#include "runtime/tool/command.h"

struct weft_tool_unit_state { // After a command.
    bool compiling;           // A definition is open.
    bool asks;                // Its program waits for the user's input.
};

// Evaluates `length` bytes in `unit`, prints what it prints, says its error. Returns the exit code;
// `state` may be NULL.
int weft_tool_unit_eval(const struct weft_tool *tool, const struct weft_client_target *target,
                        const char *unit, const char *text, size_t length, bool interactive,
                        struct weft_tool_unit_state *state);
// Gives it what was typed (`ends`: the last of it), and shows what its program makes of that.
int weft_tool_unit_input(const struct weft_tool *tool, const struct weft_client_target *target,
                         const char *unit, const char *text, size_t length, bool ends,
                         struct weft_tool_unit_state *state);
// True if it waits for input now.
bool weft_tool_unit_asks(const struct weft_client_target *target, const char *unit);
// NODE/UNIT, the first argument, where the unit must be said. 0 or the exit code.
int weft_tool_unit_named(const struct weft_tool_call *call, struct weft_client_target *target,
                         char unit[64]);
// Loads `length` bytes of source as `unit`. `recovery`, `quota` "" leave it to the node. The exit
// code.
int weft_tool_unit_load(const struct weft_tool *tool, const struct weft_client_target *target,
                        const char *unit, const char *file, const char *recovery, const char *quota,
                        const char *source, size_t length);
int weft_tool_unit_unload(const struct weft_tool *tool, const struct weft_client_target *target,
                          const char *unit);

// Splits NODE/UNIT, NODE alone (unit empty), or /UNIT (node empty: the only one), and finds the
// node. 0 or the exit code, said.
int weft_tool_unit_target(const struct weft_tool_call *call, const char *word,
                          struct weft_client_target *target, char unit[64]);

#endif // WEFT_TOOL_UNIT_H
