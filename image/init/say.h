// say.h: what the first process tells: on the console and in the log, and for status.txt what went
// wrong.
//
// Core: the one thread of init. Memory: by value in its owner.
#ifndef WEFT_IMAGE_SAY_H
#define WEFT_IMAGE_SAY_H

#include <stddef.h>

#define WEFT_SAY_ERRORS_MAX 16 // The first ones are kept: they have caused the later ones.

struct weft_node_log;

struct weft_say {
    int fd;                    // The console; -1: nowhere.
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

#endif // WEFT_IMAGE_SAY_H
