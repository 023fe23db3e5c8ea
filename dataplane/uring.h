// uring.h: the one io_uring of a worker: made, submitted and reaped on that worker's thread alone.
//
// Axboe, "Efficient IO with io_uring" (2019). SINGLE_ISSUER + DEFER_TASKRUN + TASKRUN_FLAG
// (Linux 6.1): completions are posted only when we enter the kernel, and a flag in shared memory
// says when that is worth it. So a turn in which nothing has ended makes no system call, and one
// that has submitted makes one. An older kernel gets a ring without these flags.
//
// A ring may be refused (seccomp, kernel.io_uring_disabled, an emulator): weft_uring_probe says
// why, and the node takes epoll and a disk thread instead.
#ifndef WEFT_DATAPLANE_URING_H
#define WEFT_DATAPLANE_URING_H

#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>

#include "runtime/sched/poller.h"

#define WEFT_URING_ENTRIES 128

struct weft_uring_op { // Embedded in its owner; lives until its last completion.
    // `result` as the kernel gave it. `more`: a multishot operation that will complete again.
    void (*done)(struct weft_uring_op *op, int32_t result, bool more);
};

struct weft_uring {
    struct io_uring ring;
    bool is_deferred;      // DEFER_TASKRUN was granted.
    uint32_t flags;        // In `done`: those of the completion, IORING_CQE_F_*.
    uint64_t submit_count; // System calls that submitted.
    uint64_t done_count;   // Completions.
};

// Can this process have a ring? 0; or a negative errno, with the reason in `why` (may be NULL) as a
// person reads it. WEFT_IO=epoll in the environment answers -ECANCELED. Makes a ring and drops it.
int weft_uring_probe(char *why, size_t why_bytes);

// On the worker's own thread, which alone may use it from then on. 0 or a negative errno.
int weft_uring_init(struct weft_uring *uring);
// The owners of operations have seen theirs end.
void weft_uring_destroy(struct weft_uring *uring);

// An empty entry, to be filled with io_uring_prep_* and then given to weft_uring_sqe_set. NULL if
// the queue is full even after submitting.
struct io_uring_sqe *weft_uring_sqe(struct weft_uring *uring);
// After io_uring_prep_*, which clears it: who hears of the completion.
void weft_uring_sqe_set(struct io_uring_sqe *sqe, struct weft_uring_op *op);

// Submits what was prepared: at most one system call, none if there is nothing.
void weft_uring_submit(struct weft_uring *uring);
// Calls `done` for what has completed. How many. No system call unless the kernel flags work.
uint32_t weft_uring_reap(struct weft_uring *uring);

// poll = reap, flush = submit. Before it stand the pollers whose completions it brings.
struct weft_poller weft_uring_poller(struct weft_uring *uring);

#endif // WEFT_DATAPLANE_URING_H
