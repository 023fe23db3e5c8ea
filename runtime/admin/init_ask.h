// init_ask.h: one line to the machine's first process (image/init/init_socket.h) and its one line
// back, without waiting: what is asked may take a disk's time.
//
// Core:   control core only. Memory: embedded in its owner; zero it, and it asks nothing.
#ifndef WEFT_ADMIN_INIT_ASK_H
#define WEFT_ADMIN_INIT_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/error.h"

struct weft_admin_command;

struct weft_init_ask {
    struct weft_admin_command *command; // Who waits for the answer; NULL: nothing is asked.
    int fd;
    uint64_t give_up_ns;
    size_t length;
    char answer[1024];
};

// Sends `line`. The command is taken over, also by a failure: it gets its answer in any case. Time
// is the clock's, as of weft_clock_now_ns.
void weft_init_ask_start(struct weft_init_ask *ask, const char *path, const char *line,
                         struct weft_admin_command *command, uint64_t give_up_ns);
// Takes what has come; an answer that is whole, or too late, goes to the command. True if it did.
bool weft_init_ask_poll(struct weft_init_ask *ask, uint64_t now_ns);
// Gives up now.
void weft_init_ask_end(struct weft_init_ask *ask, const struct weft_error *error);

#endif // WEFT_ADMIN_INIT_ASK_H
