// epoll_io.h: struct weft_io where io_uring is refused: sockets by readiness, files by the pool's
// threads (runtime/sched/offload.h).
//
// Each socket stands in one epoll set, once, edge-triggered; what is known of its readiness is kept
// with its handle, so that an operation costs its own system call and no other. What a turn sends
// goes out at the turn's end.
//
// Core: its own. Any thread may turn the core, one after another.
#ifndef WEFT_DATAPLANE_EPOLL_IO_H
#define WEFT_DATAPLANE_EPOLL_IO_H

#include "runtime/env/io.h"
#include "runtime/sched/core.h"

struct weft_offload;

struct weft_epoll_io {
    int epoll_fd;
    struct weft_core *core;
    struct weft_offload *pool;   // NULL: files are answered -ENOTSUP.
    struct weft_list handles;    // Open.
    struct weft_list ready;      // Operations that may get on.
    struct weft_list in_pool;    // Operations that a thread has, or will have.
    struct weft_list pool_waits; // Those that the pool had no room for.
    struct weft_list over;       // Ended; told by the next poll.
    uint32_t handle_count, handle_count_max;
    uint32_t waiting_count; // Operations that wait for their handle to be ready.
    uint8_t bytes[WEFT_IO_RECEIVE_MAX];
};

// `pool` may be NULL. 0 or a negative errno.
int weft_epoll_io_open(struct weft_epoll_io *io, struct weft_core *core, struct weft_offload *pool,
                       uint32_t handle_count_max);
// The core turns no more: waits for what threads have in hand, ends every operation with -ECANCELED
// and closes every handle. If the pool has been freed before, the caller has set `pool` to NULL.
void weft_epoll_io_close(struct weft_epoll_io *io);

struct weft_io weft_epoll_io_interface(struct weft_epoll_io *io);
struct weft_poller weft_epoll_io_poller(struct weft_epoll_io *io);

#endif // WEFT_DATAPLANE_EPOLL_IO_H
