// daemon.h: weftd as a child: started, listened to, started again when it ends, stopped.
//
//              start            "ready" on its pipe
//   (stopped) ------> STARTING --------------------> READY
//       ^                | ends                        | ends
//       |  stop          v                             v
//       +------------- WAITING (back-off) <------------+
//                        | exit status 78: its configuration is bad; that is told, not retried
//
// What it writes goes to the console and to a log, and its last lines are kept: the reason of an
// end is in them.
//
// Core: the one thread of init, out of the loop. Memory: by value in its owner.
#ifndef WEFT_IMAGE_DAEMON_H
#define WEFT_IMAGE_DAEMON_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "image/init/backoff.h"
#include "image/init/loop.h"
#include "image/init/say.h"

#define WEFT_DAEMON_LINES       8
#define WEFT_DAEMON_EXIT_CONFIG 78 // runtime/node/weftd.c

enum weft_daemon_state {
    WEFT_DAEMON_STOPPED,
    WEFT_DAEMON_STARTING,
    WEFT_DAEMON_READY,
    WEFT_DAEMON_WAITING,
};

struct weft_daemon {
    struct weft_loop *loop;
    struct weft_say *say;
    const char *program, *config_path;
    void (*ready)(void *self);
    void (*bad_config)(void *self); // It has ended with status 78, and stays down until started.
    void (*ended)(void *self);      // Any end, after its state has changed.
    void *self;

    enum weft_daemon_state state;
    bool stopping; // Asked to end: it is not started again.
    pid_t pid;     // 0: none.
    uint64_t started_ns;
    uint32_t start_count, end_count; // end_count: those that nobody had asked for.
    int ready_fd, output_fd;         // -1: closed.
    struct weft_backoff backoff;
    struct weft_loop_timer restart, kill;
    char line[512]; // That is being read.
    size_t line_used;
    char lines[WEFT_DAEMON_LINES][256]; // A ring of the last.
    uint32_t line_count;
};

void weft_daemon_init(struct weft_daemon *daemon, struct weft_loop *loop, struct weft_say *say);

// Starts it. One that does not start (no such program) is tried again as one that has ended.
void weft_daemon_start(struct weft_daemon *daemon);

// Asks it to end, and kills it `grace_ns` later. `ended` is called when it has.
void weft_daemon_stop(struct weft_daemon *daemon, uint64_t grace_ns);

// Ends it for the sake of a new start: it does not turn any more.
void weft_daemon_abort(struct weft_daemon *daemon);

// To be told of every child that was reaped. True if it was this one.
bool weft_daemon_reaped(struct weft_daemon *daemon, pid_t pid, int status);

// The last line that says what is wrong: one with "error", else the last. "" if there is none.
const char *weft_daemon_last_error(const struct weft_daemon *daemon);

#endif // WEFT_IMAGE_DAEMON_H
