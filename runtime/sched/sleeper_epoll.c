#include "runtime/sched/sleeper_epoll.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/assert.h"
#include "runtime/base/units.h"

static int watch(void *self, int fd)
{
    const struct weft_sleeper_epoll *sleeper = self;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(sleeper->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

static void sleep_until(void *self, uint64_t timeout_ns)
{
    const struct weft_sleeper_epoll *sleeper = self;
    const struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / WEFT_NS_PER_S),
                                     .tv_nsec = (long)(timeout_ns % WEFT_NS_PER_S)};
    struct pollfd set = {.fd = sleeper->epoll_fd, .events = POLLIN};
    if (ppoll(&set, 1, &timeout, NULL) <= 0) return;
    uint64_t rings;
    const ssize_t got = read(sleeper->wake_fd, &rings, sizeof(rings)); // Empty if a doorbell rang.
    weft_assert(got == sizeof(rings) || errno == EAGAIN || errno == EINTR);
}

static void wake(void *self)
{
    const struct weft_sleeper_epoll *sleeper = self;
    const uint64_t one = 1;
    const ssize_t put = write(sleeper->wake_fd, &one, sizeof(one));
    weft_assert(put == sizeof(one) || errno == EAGAIN); // Full to the brim rings as well.
}

int weft_sleeper_epoll_open(struct weft_sleeper_epoll *sleeper)
{
    int status;
    sleeper->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (sleeper->epoll_fd < 0) return -errno;
    sleeper->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (sleeper->wake_fd < 0) {
        status = -errno;
        goto close_epoll;
    }
    status = watch(sleeper, sleeper->wake_fd);
    if (status == 0) return 0;
    close(sleeper->wake_fd);
close_epoll:
    close(sleeper->epoll_fd);
    return status;
}

void weft_sleeper_epoll_close(struct weft_sleeper_epoll *sleeper)
{
    close(sleeper->wake_fd);
    close(sleeper->epoll_fd);
}

struct weft_sleeper weft_sleeper_epoll_interface(struct weft_sleeper_epoll *sleeper)
{
    return (struct weft_sleeper){
        .watch = watch, .sleep = sleep_until, .wake = wake, .self = sleeper};
}
