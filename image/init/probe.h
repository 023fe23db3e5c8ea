// probe.h: asks weftd over its unix socket how it is, without ever waiting for the answer.
//
// One GET of HTTP/1.0 (RFC 1945) at a time: its answer ends with the connection, so that only the
// status line and where the body begins have to be understood.
//
// Core: the one thread of init, out of the loop. Memory: by value in its owner.
#ifndef WEFT_IMAGE_PROBE_H
#define WEFT_IMAGE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/init/loop.h"

#define WEFT_PROBE_BYTES 8192 // Of an answer; the rest is not wanted.

struct weft_probe {
    struct weft_loop *loop;
    // Called once for each weft_probe_get. `status` is that of HTTP, or a negative errno:
    // -ETIMEDOUT, -EPROTO, or what the socket says. The body is in weft_probe_body until the next
    // get.
    void (*done)(void *self, int status);
    void *self;
    int fd; // -1: nothing under way.
    struct weft_loop_timer timeout;
    char answer[WEFT_PROBE_BYTES + 1];
    size_t used;
};

void weft_probe_init(struct weft_probe *probe, struct weft_loop *loop,
                     void (*done)(void *self, int status), void *self);

// Asks for `target` ("/readyz"). Does nothing while another is under way. `done` may be called
// before this returns.
void weft_probe_get(struct weft_probe *probe, const char *socket_path, const char *target,
                    uint64_t timeout_ns);
void weft_probe_cancel(struct weft_probe *probe);

// The status of the answer in `text`, ended by a zero byte; -EPROTO if it is none of HTTP.
int weft_probe_status(const char *text);
// What follows the headers; "" if nothing does.
const char *weft_probe_body(const char *text);

#endif // WEFT_IMAGE_PROBE_H
