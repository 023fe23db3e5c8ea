// poller.h: what a core asks in every turn, as an interface: ports, completions, engines, the
// journal.
#ifndef WEFT_SCHED_POLLER_H
#define WEFT_SCHED_POLLER_H

#include <stdint.h>

struct weft_poller {
    const char *name;
    // Observe: takes what has come, within its own budget. Returns how much: 0 means idle. May be
    // NULL.
    uint32_t (*poll)(void *self, uint64_t now_ns);
    // Act: hands out what the turn produced. May be NULL.
    void (*flush)(void *self, uint64_t now_ns);
    // When it wants to be polled even if nothing comes; UINT64_MAX for never. May be NULL.
    uint64_t (*due_ns)(void *self);
    // A descriptor that ends the core's sleep when readable, or -1. May be NULL.
    int (*doorbell_fd)(void *self);
    // Called after a sleep, to read the doorbell empty. May be NULL.
    void (*doorbell_clear)(void *self);
    void *self;
};

// How an idle core sleeps and is woken: an eventfd read in its io_uring, epoll where that is
// refused, nothing at all in the simulator.
struct weft_sleeper {
    // Adds a doorbell. Before the first sleep. 0 or a negative errno.
    int (*watch)(void *self, int fd);
    // Sleeps until a doorbell rings, wake is called, or `timeout_ns` has passed. Own core only.
    void (*sleep)(void *self, uint64_t timeout_ns);
    // Ends the sleep. Any thread. Called only if the core's sleep flag is set.
    void (*wake)(void *self);
    void *self;
};

#endif // WEFT_SCHED_POLLER_H
