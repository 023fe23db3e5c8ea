// keyboard.h: standard input of the Forth alone: keys of a terminal as they are typed, or bytes
// from a pipe.
//
// A terminal is told to give keys unseen when a program first asks for one, and stays so until it
// asks for a line, or its text has ended (weft_keyboard_rest): between two KEY? nothing is lost,
// and nothing is shown.
#ifndef WEFT_FORTH_KEYBOARD_H
#define WEFT_FORTH_KEYBOARD_H

#include "forth/machine.h"

// Fills the functions of `host` that ask the keyboard; its self is a struct weft_machine.
void weft_keyboard_host(struct weft_unit_host *host);
// What a unit that waits for input (WEFT_UNIT_WAITS_INPUT) waits for: something to come, the end,
// or ^C; or until `wake_ns`, as the host's now_ns. 0 is for ever. Its program's output has been
// shown.
void weft_keyboard_wait(struct weft_machine *machine, uint64_t wake_ns);
// The terminal as it was.
void weft_keyboard_rest(struct weft_machine *machine);
// A line, without its end, cut to `size`. Its length; -1: ^C; -2: no more.
int64_t weft_keyboard_line(struct weft_machine *machine, void *to, size_t size);
// A whole line with its end (the last one may have none), in *line of *size, of malloc: both may
// change. As above.
int64_t weft_keyboard_whole_line(struct weft_machine *machine, char **line, size_t *size);

#endif // WEFT_FORTH_KEYBOARD_H
