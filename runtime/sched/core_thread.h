// core_thread.h: the pinned thread that turns one core for ever.
#ifndef WEFT_SCHED_CORE_THREAD_H
#define WEFT_SCHED_CORE_THREAD_H

#include <pthread.h>

#include "runtime/sched/core.h"

struct weft_core_thread {
    struct weft_core *core;
    // Called on the new thread, pinned, before the first turn: opens its ring, binds its arena. 0
    // or a negative errno, which weft_core_thread_start returns. May be NULL.
    int (*enter)(struct weft_core *core, void *self);
    void (*leave)(struct weft_core *core,
                  void *self); // On the thread, after the last turn. May be NULL.
    void *self;
    _Atomic bool has_halted; // The core turns no more.
    _Atomic bool may_leave;  // And nobody wakes it any more.
    pthread_t thread;
    int result;
};

// Starts the thread, pinned to core->cpu if that is >= 0, and waits until `enter` has returned.
// Control core only. 0 or a negative errno: then there is no thread.
int weft_core_thread_start(struct weft_core_thread *thread);

// Asks the core to stop after its turn and waits until it has. `leave` has not been called: where
// cores wake each other, halt them all before the first is stopped.
void weft_core_thread_halt(struct weft_core_thread *thread);

// Halts the core, if it has not been, lets it leave and joins the thread. No core that still turns
// may wake this one.
void weft_core_thread_stop(struct weft_core_thread *thread);

#endif // WEFT_SCHED_CORE_THREAD_H
