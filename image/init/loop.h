// loop.h: init waits here, for descriptors and for times, and calls who has asked for them.
//
// poll(2) with a table: there are a dozen descriptors at most, and the kernel has no epoll to thank
// us for that. Time is read once for each turn and handed out.
//
// Core: one thread. Memory: by value in its owner; a timer belongs to who sets it.
#ifndef WEFT_IMAGE_LOOP_H
#define WEFT_IMAGE_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/list.h"
#include "runtime/base/units.h"

#define WEFT_LOOP_WATCHES_MAX 32

struct weft_loop_watch {
    int fd;       // -1: free.
    short events; // POLLIN, POLLOUT.
    void (*call)(void *self, short events);
    void *self;
};

struct weft_loop_timer {
    struct weft_list link; // Among those that are set; alone when it is not.
    uint64_t at_ns;
    void (*call)(void *self);
    void *self;
};

struct weft_loop {
    struct weft_loop_watch watches[WEFT_LOOP_WATCHES_MAX];
    struct weft_list timers;
    uint64_t now_ns; // CLOCK_MONOTONIC, of this turn.
};

void weft_loop_init(struct weft_loop *loop);

// Calls `call` whenever `fd` has one of `events`, or is broken. Returns 0, or -ENOSPC.
int weft_loop_watch(struct weft_loop *loop, int fd, short events,
                    void (*call)(void *self, short events), void *self);
void weft_loop_unwatch(struct weft_loop *loop, int fd);

void weft_loop_timer_init(struct weft_loop_timer *timer, void (*call)(void *self), void *self);
// Sets it to `in_ns` from now, once; one that is set already is moved.
void weft_loop_after(struct weft_loop *loop, struct weft_loop_timer *timer, uint64_t in_ns);
void weft_loop_cancel(struct weft_loop_timer *timer);
bool weft_loop_is_set(const struct weft_loop_timer *timer);

// Waits for the next thing, and makes all calls that are due. What a call watches, unwatches, sets
// or cancels holds at once.
void weft_loop_turn(struct weft_loop *loop);

#endif // WEFT_IMAGE_LOOP_H
