#include "image/init/disks_look.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

void weft_disks_look_init(struct weft_disks_look *look, struct weft_loop *loop,
                          void (*done)(void *self, const struct weft_disks *found), void *self)
{
    look->loop = loop;
    look->done = done;
    look->self = self;
    look->fd = -1;
}

// In the child. What else was open is not held on to: who has asked init for something waits for
// the end of its connection.
static int let_go(int fd)
{
    if (fd != 3 && dup2(fd, 3) != 3) _exit(1);
    close_range(4, UINT_MAX, 0);
    return 3;
}

// Into the child's own copy, and then out.
static void hand_over(const struct weft_disks *found, int fd)
{
    const char *bytes = (const char *)found;
    for (size_t used = 0; used < sizeof(*found);) {
        const ssize_t length = write(fd, bytes + used, sizeof(*found) - used);
        if (length <= 0) _exit(1);
        used += (size_t)length;
    }
    _exit(0);
}

static void take(void *self, short events)
{
    struct weft_disks_look *look = self;
    ssize_t length;
    (void)events;
    while ((length = read(look->fd, (char *)&look->found + look->used,
                          sizeof(look->found) - look->used)) > 0) {
        look->used += (size_t)length;
    }
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    weft_loop_unwatch(look->loop, look->fd);
    close(look->fd);
    look->fd = -1;
    // What ended before it had told all has found nothing.
    if (look->used != sizeof(look->found)) look->found.count = look->found.started = 0;
    look->done(look->self, &look->found);
}

int weft_disks_look_start(struct weft_disks_look *look, const char *sys, const char *dev,
                          const char *root, uint64_t patience_ns)
{
    int ends[2];
    if (look->fd >= 0) return 0;
    if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    look->used = 0;
    const pid_t pid = fork();
    if (pid == 0) {
        const int fd = let_go(ends[1]);
        weft_disks_find(&look->found, sys, dev, root, patience_ns);
        hand_over(&look->found, fd);
    }
    int result = pid < 0 ? -errno : 0;
    close(ends[1]);
    if (result == 0) result = weft_loop_watch(look->loop, ends[0], POLLIN, take, look);
    if (result == 0)
        look->fd = ends[0];
    else
        close(ends[0]);
    return result;
}
