// sleeper_epoll.h: the sleep of a core that has no io_uring: the control core's, and every worker's
// where the kernel refuses one.
//
// Doorbells stand in an epoll set with an eventfd for wake; ppoll(2) waits for the set itself,
// since it takes nanoseconds on every kernel, where epoll_wait takes milliseconds.
#ifndef WEFT_SCHED_SLEEPER_EPOLL_H
#define WEFT_SCHED_SLEEPER_EPOLL_H

#include "runtime/sched/poller.h"

struct weft_sleeper_epoll {
    int epoll_fd;
    int wake_fd;
};

// Opens both descriptors. 0 or a negative errno.
int weft_sleeper_epoll_open(struct weft_sleeper_epoll *sleeper);
void weft_sleeper_epoll_close(struct weft_sleeper_epoll *sleeper);

// The interface to put into struct weft_core; `sleeper` outlives it and stays where it is.
struct weft_sleeper weft_sleeper_epoll_interface(struct weft_sleeper_epoll *sleeper);

#endif // WEFT_SCHED_SLEEPER_EPOLL_H
