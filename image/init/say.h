// say.h: what the first process tells: on the console and in the log, and for status.txt what went
// wrong.
//
// Core: the one thread of init. Memory: by value in its owner.
#ifndef WEFT_IMAGE_SAY_H
#define WEFT_IMAGE_SAY_H

#include <stddef.h>

#define WEFT_SAY_ERRORS_MAX 16 // The first ones are kept: they have caused the later ones.
#define WEFT_SAY_OTHERS_MAX 3

struct weft_node_log;

struct weft_say {
    int fd;                          // The console; -1: nowhere.
    int others[WEFT_SAY_OTHERS_MAX]; // What is a console as well: a screen beside a serial line.
    size_t other_count;
    struct weft_node_log *log; // Where it is kept; NULL: nowhere.
    size_t error_count;        // All; those past WEFT_SAY_ERRORS_MAX are only counted.
    char errors[WEFT_SAY_ERRORS_MAX][256];
};

// One line, with the time since power-on in front of it. printf rules.
__attribute__((format(printf, 2, 3))) void weft_say_line(struct weft_say *say, const char *format,
                                                         ...);

// The same, and remembers the line as an error; one that is there already is kept once.
__attribute__((format(printf, 2, 3))) void weft_say_error(struct weft_say *say, const char *format,
                                                          ...);

// `length` bytes as they are, on every console. One that is gone or has no cable stops nothing.
void weft_say_bytes(const struct weft_say *say, const char *bytes, size_t length);

// Opens the consoles of `active`, the kernel's list of their names ("tty0 ttyS0"), in `directory`.
// The last is the one that /dev/console means, which the caller has as `say->fd`. What cannot be
// opened is left out.
void weft_say_open_others(struct weft_say *say, const char *active, const char *directory);

#endif // WEFT_IMAGE_SAY_H
