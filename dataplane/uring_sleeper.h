// uring_sleeper.h: the sleep of a worker in its own ring: one system call that submits what is left
// to submit and waits for any completion, with a timeout in nanoseconds.
//
// What ends it: an eventfd that wake writes (a read of it stands in the ring), a doorbell that is
// readable (a poll of it stands in the ring), anything else of the ring, such as a journal write,
// or the timeout. Polls are single-shot and armed again by the next sleep: arming looks at the
// descriptor as it is, so a doorbell that was not read empty ends that sleep at once and none is
// lost; while the core is busy a full doorbell costs one completion, not one per packet as a
// multishot poll would.
#ifndef WEFT_DATAPLANE_URING_SLEEPER_H
#define WEFT_DATAPLANE_URING_SLEEPER_H

#include "dataplane/uring.h"

#define WEFT_URING_BELLS_MAX 17 // The eventfd and 16 doorbells.

struct weft_uring_bell {
    struct weft_uring_op op;
    int fd;        // -1: the kernel will not poll it.
    bool is_armed; // An operation on it is in the ring.
};

struct weft_uring_sleeper {
    struct weft_uring *uring;
    struct weft_uring_bell bells[WEFT_URING_BELLS_MAX]; // The first is the eventfd.
    uint32_t bell_count;
    uint64_t wake_count; // Where the kernel puts what it reads from the eventfd.
    uint64_t sleep_count;
};

// On the ring's thread. `sleeper` stays where it is; the ring outlives it. 0 or a negative errno.
int weft_uring_sleeper_open(struct weft_uring_sleeper *sleeper, struct weft_uring *uring);
// On the ring's thread: takes its operations out of the ring. Nobody calls wake any more.
void weft_uring_sleeper_close(struct weft_uring_sleeper *sleeper);

// watch answers -EEXIST for a descriptor that is watched, -ENOSPC for too many.
struct weft_sleeper weft_uring_sleeper_interface(struct weft_uring_sleeper *sleeper);

#endif // WEFT_DATAPLANE_URING_SLEEPER_H
