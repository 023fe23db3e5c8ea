#include "image/init/probe.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void finish(struct weft_probe *probe, int status)
{
    weft_probe_cancel(probe);
    probe->answer[probe->used] = '\0';
    probe->done(probe->self, status);
}

static void time_out(void *self)
{
    finish(self, -ETIMEDOUT);
}

void weft_probe_init(struct weft_probe *probe, struct weft_loop *loop,
                     void (*done)(void *self, int status), void *self)
{
    *probe = (struct weft_probe){.loop = loop, .done = done, .self = self, .fd = -1};
    weft_loop_timer_init(&probe->timeout, time_out, probe);
}

void weft_probe_cancel(struct weft_probe *probe)
{
    weft_loop_cancel(&probe->timeout);
    if (probe->fd < 0) return;
    weft_loop_unwatch(probe->loop, probe->fd);
    close(probe->fd);
    probe->fd = -1;
}

static void take_answer(void *self, short events)
{
    struct weft_probe *probe = self;
    ssize_t length = 1;
    (void)events;
    while (probe->used < WEFT_PROBE_BYTES &&
           (length = recv(probe->fd, probe->answer + probe->used, WEFT_PROBE_BYTES - probe->used,
                          MSG_DONTWAIT)) > 0) {
        probe->used += (size_t)length;
    }
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    probe->answer[probe->used] = '\0';
    finish(probe, length < 0 ? -errno : weft_probe_status(probe->answer));
}

static int ask(struct weft_probe *probe, const char *socket_path, const char *target)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char request[256];
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
    const int length =
        snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\nHost: weft\r\n\r\n", target);
    probe->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe->fd < 0) return -errno;
    // A unix socket is connected at once, or its queue is full: -EAGAIN then, and nothing to wait
    // for.
    if (connect(probe->fd, (struct sockaddr *)&address, sizeof(address)) != 0) return -errno;
    if (send(probe->fd, request, (size_t)length, MSG_NOSIGNAL) != length) return -EIO;
    return weft_loop_watch(probe->loop, probe->fd, POLLIN, take_answer, probe);
}

void weft_probe_get(struct weft_probe *probe, const char *socket_path, const char *target,
                    uint64_t timeout_ns)
{
    if (probe->fd >= 0) return;
    probe->used = 0;
    const int result = ask(probe, socket_path, target);
    if (result != 0)
        finish(probe, result);
    else
        weft_loop_after(probe->loop, &probe->timeout, timeout_ns);
}

int weft_probe_status(const char *text)
{
    if (strncmp(text, "HTTP/1.", 7) != 0 || !isdigit((unsigned char)text[7]) || text[8] != ' ')
        return -EPROTO;
    int status = 0;
    for (int i = 9; i < 12; i++) {
        if (!isdigit((unsigned char)text[i])) return -EPROTO;
        status = 10 * status + (text[i] - '0');
    }
    return status >= 100 && !isdigit((unsigned char)text[12]) ? status : -EPROTO;
}

const char *weft_probe_body(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n");
    return end != NULL ? end + 4 : "";
}
