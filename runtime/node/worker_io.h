// worker_io.h: what the ports of one worker stand on: its ring, or epoll where there is none.
//
// Core: opened and closed on the worker's own thread.
#ifndef WEFT_NODE_WORKER_IO_H
#define WEFT_NODE_WORKER_IO_H

#include "dataplane/epoll_io.h"
#include "dataplane/uring_io.h"
#include "runtime/port/port.h"

#define WEFT_WORKER_HANDLES_MAX 65536 // Sockets and files of one worker.

struct weft_worker_io {
    struct weft_ports *ports; // NULL: not open.
    bool uses_ring;
    union {
        struct weft_uring_io ring;
        struct weft_epoll_io epoll;
    };
};

// Gives `ports` IO on `uring`, or with NULL on epoll and the threads of `pool` (NULL: no files).
// Before the ring's own poller is added to `core`. 0 or a negative errno.
int weft_worker_io_open(struct weft_worker_io *io, struct weft_ports *ports, struct weft_core *core,
                        struct weft_uring *uring, struct weft_offload *pool);
// The core turns no more: everything that is open is closed. Harmless if it is not open.
void weft_worker_io_close(struct weft_worker_io *io);

#endif // WEFT_NODE_WORKER_IO_H
