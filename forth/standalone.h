// standalone.h: `weft forth`: the Forth alone, without a node.
//
// Files and texts are interpreted in the order given; then, with -i or if there is neither, lines
// of standard input. A person at a terminal gets a prompt, and goes on after an error; a pipe ends
// at its first error.
#ifndef WEFT_FORTH_STANDALONE_H
#define WEFT_FORTH_STANDALONE_H

#include <stdbool.h>
#include <stddef.h>

// Lines as a person edits them, and the runner of binaries: what this directory does not have.
struct weft_forth_tools {
    // A terminal opened for editing; `word` (index from 0, NULL behind the last) is what can be
    // completed. NULL: lines come from standard input as they are.
    void *(*lines_open)(const char *(*word)(void *self, size_t index), void *self);
    // The next line, with its end. NULL at the end of the input; *interrupted: ^C, and no line.
    const char *(*lines_next)(void *lines, const char *prompt, bool *interrupted);
    void (*lines_close)(void *lines);
    const void *runner; // The program to whose end -o appends; NULL: no -o.
    size_t runner_bytes;
    size_t concurrency_bytes; // Its share of the words for units among units.
};

// argv[0] is the command's name for its messages; `tools` may be NULL. Output goes to standard
// output, errors to standard error. Returns the exit status:
//   0  done, or BYE          64  usage          66  a file cannot be read
//   1..62  the uncaught THROW of minus that number (Forth 2012, table 9.1); 63 for every other
//   n  of (BYE)              73  BIN cannot be written
int weft_forth_standalone(int argc, char **argv, const struct weft_forth_tools *tools);

#endif // WEFT_FORTH_STANDALONE_H
