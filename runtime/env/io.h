// io.h: bytes from outside, without waiting for them: the sockets and files of one core, as an
// interface.
//
// dataplane/uring_io.c implements it on a worker's ring, dataplane/epoll_io.c where io_uring is
// refused (WEFT_IO=epoll), tests/support/io_sim.c with short reads, resets, full disks and delays
// from a seed. One contract, one suite of tests over all of them (tests/unit/port/io_test.c).
//
// An operation is a structure in its owner. It is started, and ends exactly once: `done` says how.
// `start` and `cancel` neither fail nor call back: whatever there is to tell comes from a later
// poll of the core, or from its sleep. `done` may do anything but destroy the interface.
//
//   owner      start ------------------> | cancel (if it likes) |
//   backend            ... under way ... |                      | done(result)
//   kernel     may read what the operation points to, all that time
//
// On one handle there may be one operation that takes (ACCEPT, RECEIVE, READY) and one that gives
// (CONNECT, SEND) at a time; of files, any number.
//
// Core: everything is called on the core that owns it, and so is `done`. Nothing blocks.
// Errors: 0 or more, or a negative errno.
#ifndef WEFT_ENV_IO_H
#define WEFT_ENV_IO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "runtime/base/list.h"

struct open_how; // linux/openat2.h

#define WEFT_IO_RECEIVE_MAX 16384 // What one RECEIVE gives at most.

struct weft_io_address { // IPv4, in host order: 127.0.0.1 is 0x7f000001.
    uint32_t host;
    uint16_t port;
};

struct weft_io_handle { // Embedded in its owner; open from listen, connect or adopt to close.
    int32_t number;     // The backend's name for it: a descriptor. -1: not open.
    uint32_t flags;     // The rest is the backend's.
    struct weft_list link;
    struct weft_io_op *taking, *giving;
};

enum weft_io_kind {
    WEFT_IO_ACCEPT,  // The number of a connection, for adopt or discard.
    WEFT_IO_RECEIVE, // Bytes, at `bytes`; 0: no more will come.
    WEFT_IO_READY,   // 0 when there is something to take.
    WEFT_IO_CONNECT, // 0.
    WEFT_IO_SEND,    // Bytes that were taken: at least one, perhaps not all.
    WEFT_IO_OPEN,    // The number of a file, for adopt or discard.
    WEFT_IO_READ,    // Bytes; 0: the end of the file.
    WEFT_IO_WRITE,   // Bytes, perhaps not all.
    WEFT_IO_SYNC,    // 0: all that was written before is on the disk.
};

struct weft_io_op {
    // The owner's, before it starts.
    uint8_t kind;
    bool many;                     // ACCEPT: goes on after the first. To be stopped by cancel.
    uint32_t mode;                 // OPEN: of a new file.
    int32_t flags;                 // OPEN: as open(2).
    const struct open_how *how;    // OPEN: not NULL: as openat2(2) instead, unchanged until done,
    int32_t root;                  // below this directory.
    struct weft_io_handle *handle; // Of OPEN: NULL.
    void (*done)(struct weft_io_op *op, int32_t result);
    union {
        struct weft_io_address address; // CONNECT.
        const struct iovec *spans;      // SEND, WRITE: unchanged until done.
        void *to;                       // READ: to be written until done.
        const char *path;               // OPEN: likewise unchanged.
    };
    uint32_t count;       // SEND, WRITE: spans. RECEIVE, READ: bytes at most.
    bool more;            // In `done` of an ACCEPT of many: it goes on; else this was its last.
    uint64_t offset;      // READ, WRITE: in the file.
    const uint8_t *bytes; // In `done` of a RECEIVE: what came. Valid until it returns.
    // The backend's.
    struct weft_list link;
    uint8_t state;
    bool is_cancelled;
    int32_t result;
    uint64_t own[10];
};

struct weft_io_socket {                 // 0 stands for the kernel's own choice.
    uint32_t backlog;                   // Of a listener: connections that wait to be accepted.
    uint32_t receive_bytes, send_bytes; // The kernel's buffers.
    uint32_t keepalive_s;               // Silence after which the peer is asked if it is there.
    uint32_t unanswered_ms;             // Unacknowledged bytes after which it is given up.
    bool delays;                        // Small writes wait for company (Nagle).
    bool is_shared; // Several listeners have one address; the kernel spreads connections.
};

struct weft_io {
    // A socket that listens at `address` (port 0: any), or one to be connected. 0 or a negative
    // errno: -EADDRINUSE, -EACCES, -EMFILE, …
    int (*listen)(void *self, struct weft_io_handle *handle, const struct weft_io_address *address,
                  const struct weft_io_socket *options);
    int (*socket)(void *self, struct weft_io_handle *handle, const struct weft_io_socket *options);
    // Makes a handle of what ACCEPT or OPEN has given, or throws it away. 0; or -EMFILE, -ENOMEM:
    // it is thrown away.
    int (*adopt)(void *self, struct weft_io_handle *handle, int32_t number);
    void (*discard)(void *self, int32_t number);

    void (*start)(void *self, struct weft_io_op *op);
    // Its `done` comes all the same, with -ECANCELED or with how it has ended before. Of one that
    // is not under way: nothing. Of one that was never started: it has to be zeroed.
    void (*cancel)(void *self, struct weft_io_op *op);

    // No more bytes will be sent. 0 or a negative errno.
    int (*finish)(void *self, struct weft_io_handle *handle);
    // The own address, or the peer's. 0, -ENOTCONN.
    int (*address)(void *self, const struct weft_io_handle *handle, bool of_peer,
                   struct weft_io_address *address);
    // Nothing is under way on it. `resets`: the peer learns that something was lost (RST).
    void (*close)(void *self, struct weft_io_handle *handle, bool resets);
    const char *name; // "uring", "epoll".
    void *self;
};

static inline bool weft_io_takes(enum weft_io_kind kind)
{
    return kind == WEFT_IO_ACCEPT || kind == WEFT_IO_RECEIVE || kind == WEFT_IO_READY;
}

static inline bool weft_io_gives(enum weft_io_kind kind)
{
    return kind == WEFT_IO_CONNECT || kind == WEFT_IO_SEND;
}

#endif // WEFT_ENV_IO_H
