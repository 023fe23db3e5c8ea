// relay.h: a unit runs by turns in this process and in another one, which may be of another CPU.
//
// What goes between the two, by pipes: there the reductions of a turn and an image, back the state
// that the turn ended in, what an error says, and the image again. Both are little-endian.
#ifndef WEFT_TESTS_FORTH_RELAY_H
#define WEFT_TESTS_FORTH_RELAY_H

#include <stddef.h>
#include <sys/types.h>

#include "forth/unit.h"

struct relay {
    pid_t child;
    int to, from;
    uint64_t turns; // Run over there.
};

struct relay_answer {
    enum weft_unit_state state;
    char error[512]; // Rendered; empty: there was none.
    void *image;     // By malloc; the caller frees it.
    size_t bytes;
};

// Starts `command` by the shell; it is to call relay_serve. 0 or a negative errno.
int relay_open(struct relay *relay, const char *command);
// Ends it. 0 if it ended well.
int relay_close(struct relay *relay);
// A turn over there. 0; -EPIPE if the other side has gone, or could not load the image.
int relay_turn(struct relay *relay, uint32_t reductions, const void *image, size_t bytes,
               struct relay_answer *answer);

// The other side: runs what comes by standard input until it ends. 0, or a negative errno.
int relay_serve(const struct weft_forth_system *system, const struct weft_unit_options *options,
                const struct weft_unit_host *host);

#endif // WEFT_TESTS_FORTH_RELAY_H
