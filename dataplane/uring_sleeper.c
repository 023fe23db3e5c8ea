#include "dataplane/uring_sleeper.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "runtime/base/units.h"

static void bell_done(struct weft_uring_op *op, int32_t result, bool more)
{
    struct weft_uring_bell *bell = WEFT_CONTAINER_OF(op, struct weft_uring_bell, op);
    bell->is_armed = more;
    // A descriptor that cannot be polled would end every sleep at once.
    if (result == -EBADF || result == -EINVAL || result == -EOPNOTSUPP) bell->fd = -1;
}

static void add_bell(struct weft_uring_sleeper *sleeper, int fd)
{
    sleeper->bells[sleeper->bell_count++] =
        (struct weft_uring_bell){.op.done = bell_done, .fd = fd};
}

int weft_uring_sleeper_open(struct weft_uring_sleeper *sleeper, struct weft_uring *uring)
{
    memset(sleeper, 0, sizeof(*sleeper));
    sleeper->uring = uring;
    // Blocking on purpose: io_uring answers a read of a non-blocking descriptor at once.
    const int fd = eventfd(0, EFD_CLOEXEC);
    if (fd < 0) return -errno;
    add_bell(sleeper, fd);
    return 0;
}

static bool any_armed(const struct weft_uring_sleeper *sleeper)
{
    for (uint32_t i = 0; i < sleeper->bell_count; i++)
        if (sleeper->bells[i].is_armed) return true;
    return false;
}

void weft_uring_sleeper_close(struct weft_uring_sleeper *sleeper)
{
    const int wake_fd = sleeper->bells[0].fd;
    for (uint32_t i = 0; i < sleeper->bell_count; i++) {
        if (!sleeper->bells[i].is_armed) continue;
        struct io_uring_sqe *sqe = weft_uring_sqe(sleeper->uring);
        if (!sqe) continue; // Ends with the ring.
        io_uring_prep_cancel(sqe, &sleeper->bells[i].op, 0);
        weft_uring_sqe_set(sqe, NULL);
    }
    for (uint32_t tries = 0; any_armed(sleeper) && tries < 1000; tries++) {
        (void)io_uring_submit_and_wait(&sleeper->uring->ring, 1);
        weft_uring_reap(sleeper->uring);
    }
    if (wake_fd >= 0) close(wake_fd);
    sleeper->bell_count = 0;
}

static int sleeper_watch(void *self, int fd)
{
    struct weft_uring_sleeper *sleeper = self;
    for (uint32_t i = 0; i < sleeper->bell_count; i++)
        if (sleeper->bells[i].fd == fd) return -EEXIST;
    if (sleeper->bell_count == WEFT_URING_BELLS_MAX) return -ENOSPC;
    add_bell(sleeper, fd);
    return 0;
}

// Puts an operation into the ring for each bell that has none. False if there was no room.
static bool arm(struct weft_uring_sleeper *sleeper)
{
    for (uint32_t i = 0; i < sleeper->bell_count; i++) {
        struct weft_uring_bell *bell = &sleeper->bells[i];
        if (bell->is_armed || bell->fd < 0) continue;
        struct io_uring_sqe *sqe = weft_uring_sqe(sleeper->uring);
        if (!sqe) return false;
        if (i == 0)
            io_uring_prep_read(sqe, bell->fd, &sleeper->wake_count, sizeof(uint64_t), 0);
        else
            io_uring_prep_poll_add(sqe, bell->fd, POLLIN);
        weft_uring_sqe_set(sqe, &bell->op);
        bell->is_armed = true;
    }
    return true;
}

static void sleeper_sleep(void *self, uint64_t timeout_ns)
{
    struct weft_uring_sleeper *sleeper = self;
    struct io_uring *ring = &sleeper->uring->ring;
    struct io_uring_cqe *cqe;
    struct __kernel_timespec timeout = {.tv_sec = (long long)(timeout_ns / WEFT_NS_PER_S),
                                        .tv_nsec = (long long)(timeout_ns % WEFT_NS_PER_S)};
    sleeper->sleep_count++;
    // Without room to arm there are completions to see to, not a sleep; with one there already,
    // too.
    if (!arm(sleeper) || timeout_ns == 0 || io_uring_cq_ready(ring) > 0)
        weft_uring_submit(sleeper->uring);
    else
        (void)io_uring_submit_and_wait_timeout(ring, &cqe, 1, &timeout, NULL);
    weft_uring_reap(sleeper->uring);
}

static void sleeper_wake(void *self)
{
    const struct weft_uring_sleeper *sleeper = self;
    const uint64_t one = 1;
    // A write blocks only at 2^64 - 2 unread wakes.
    if (write(sleeper->bells[0].fd, &one, sizeof(one)) < 0) return;
}

struct weft_sleeper weft_uring_sleeper_interface(struct weft_uring_sleeper *sleeper)
{
    return (struct weft_sleeper){
        .watch = sleeper_watch, .sleep = sleeper_sleep, .wake = sleeper_wake, .self = sleeper};
}
