// lines.h: lines that a person edits at a terminal, by libedit: history, completion, ^C.
#ifndef WEFT_TOOL_LINES_H
#define WEFT_TOOL_LINES_H

#include <stdbool.h>
#include <stddef.h>

struct weft_lines;

struct weft_lines_options {
    const char *history; // A name in the state directory where lines are kept; NULL: nowhere.
    // What can be completed, from index 0; NULL behind the last. NULL: nothing.
    const char *(*word)(void *self, size_t index);
    void *self;
    const volatile int *interrupted; // Set by the handler of ^C, which the caller has installed.
};

// Opens the terminal at standard input; `options` is copied. NULL if it cannot be edited.
// History lies in $XDG_STATE_HOME/weft (~/.local/state/weft), readable by its owner alone; without
// either it lasts as long as the session.
struct weft_lines *weft_lines_open(const struct weft_lines_options *options);
// The next line, with its end, valid until the next call; all but blank ones are kept at once. NULL
// at the end of the input and after ^C (*interrupted).
const char *weft_lines_next(struct weft_lines *lines, const char *prompt, bool *interrupted);
// Gives the terminal back as it was.
void weft_lines_close(struct weft_lines *lines);

#endif // WEFT_TOOL_LINES_H
