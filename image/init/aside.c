#include "image/init/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/assert.h"
#include "runtime/base/units.h"

_Static_assert(WEFT_ASIDE_BYTES_MAX <= PIPE_BUF, "written as one");

// In the child. What else was open is not held on to when the disk holds on to us.
static void tell(void (*work)(void *self), void *self, const void *answer, size_t size, int fd)
{
    if (fd != 3 && dup2(fd, 3) != 3) _exit(1);
    close_range(4, UINT_MAX, 0);
    work(self);
    _exit(write(3, answer, size) == (ssize_t)size ? 0 : 1);
}

int weft_aside_ask(struct weft_aside *aside, void (*work)(void *self), void *self,
                   const void *answer, size_t size)
{
    int ends[2];
    weft_assert(size <= WEFT_ASIDE_BYTES_MAX);
    aside->fd = -1;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return -errno;
    aside->pid = fork();
    if (aside->pid == 0) tell(work, self, answer, size, ends[1]);
    const int result = aside->pid < 0 ? -errno : 0;
    close(ends[1]);
    if (result == 0)
        aside->fd = ends[0];
    else
        close(ends[0]);
    return result;
}

uint64_t weft_aside_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * WEFT_NS_PER_S + (uint64_t)now.tv_nsec;
}

int weft_aside_hear(struct weft_aside *aside, void *answer, size_t size, uint64_t until_ns)
{
    struct pollfd one = {.fd = aside->fd, .events = POLLIN};
    if (aside->fd < 0) return -ENOENT;
    const uint64_t now_ns = weft_aside_now_ns();
    const uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
    const int ready = poll(&one, 1, (int)((left_ns + WEFT_NS_PER_MS - 1) / WEFT_NS_PER_MS));
    const bool is_whole = ready == 1 && read(aside->fd, answer, size) == (ssize_t)size;
    close(aside->fd);
    aside->fd = -1;
    if (ready != 1) kill(aside->pid, SIGKILL);
    waitpid(aside->pid, NULL, ready != 1 ? WNOHANG : 0);
    if (ready != 1) return -ETIMEDOUT;
    return is_whole ? 0 : -EIO;
}
