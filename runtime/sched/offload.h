// offload.h: threads that may block, for work that a core must not do itself.
//
// A core hands work over without a lock and without waiting: into a bounded ring, and a semaphore
// that wakes a thread. What comes of it goes back by weft_core_post_call.
#ifndef WEFT_SCHED_OFFLOAD_H
#define WEFT_SCHED_OFFLOAD_H

#include <stdint.h>

#include "runtime/sched/core.h"

struct weft_offload;

struct weft_offload_work {
    void (*run)(void *self); // On a thread of the pool.
    // Then on core `core`, with the same `self`.
    void (*done)(struct weft_core *core, void *self, uint64_t argument);
    struct weft_core *core;
    void *self;
};

// Starts `thread_count` threads. NULL with errno set. Control core.
struct weft_offload *weft_offload_create(uint32_t thread_count);
// Waits for work under way; what has not begun is dropped. The cores still take posts, or turn no
// more. Control core.
void weft_offload_free(struct weft_offload *pool);

// Waits until no thread is in the middle of waking a core: to be called before the bell of a core
// that turns no more is closed. What is posted to it afterwards rings none, for it does not sleep.
void weft_offload_quiet(struct weft_offload *pool);

// Any thread. 0, or -EAGAIN if WEFT_MPSC_RING_SLOTS wait already.
int weft_offload_submit(struct weft_offload *pool, const struct weft_offload_work *work);

#endif // WEFT_SCHED_OFFLOAD_H
