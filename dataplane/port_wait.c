#include "dataplane/port_wait.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/units.h"

#define GIVE_UP_MS 1000 // How long the driver may take to notice.

// Half-closed, so that the driver's request can be written and its answer reads as an end of file;
// a plain close could end the process by SIGPIPE.
static void connect_silently(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct pollfd closed = {.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
                            .events = POLLRDHUP};
    if (closed.fd < 0) return;
    memcpy(address.sun_path, path, strnlen(path, sizeof(address.sun_path) - 1));
    if (connect(closed.fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
        shutdown(closed.fd, SHUT_WR);
        poll(&closed, 1, GIVE_UP_MS);
    }
    close(closed.fd);
}

static void *watch(void *argument)
{
    struct weft_port_wait *wait = argument;
    struct timespec limit;
    int result = 0;

    clock_gettime(CLOCK_MONOTONIC, &limit);
    const uint64_t ns = (uint64_t)limit.tv_nsec + wait->limit_ms * WEFT_NS_PER_MS;
    limit.tv_sec += (time_t)(ns / WEFT_NS_PER_S);
    limit.tv_nsec = (long)(ns % WEFT_NS_PER_S);
    pthread_mutex_lock(&wait->lock);
    while (!wait->over && result != ETIMEDOUT)
        result = pthread_cond_timedwait(&wait->changed, &wait->lock, &limit);
    wait->timed_out = !wait->over;
    pthread_mutex_unlock(&wait->lock);
    if (wait->timed_out) connect_silently(wait->path);
    return NULL;
}

int weft_port_wait_start(struct weft_port_wait *wait, const char *path, uint64_t limit_ms)
{
    pthread_condattr_t attributes;
    *wait = (struct weft_port_wait){.path = path, .limit_ms = limit_ms};
    pthread_mutex_init(&wait->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&wait->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return -pthread_create(&wait->thread, NULL, watch, wait);
}

bool weft_port_wait_stop(struct weft_port_wait *wait)
{
    pthread_mutex_lock(&wait->lock);
    wait->over = true;
    pthread_cond_signal(&wait->changed);
    pthread_mutex_unlock(&wait->lock);
    pthread_join(wait->thread, NULL);
    pthread_cond_destroy(&wait->changed);
    pthread_mutex_destroy(&wait->lock);
    return wait->timed_out;
}
