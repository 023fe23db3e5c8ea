// Opening the sockets that the server serves.
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/admin/server.h"

#define BACKLOG 64

static int fail(int fd, struct weft_error *error, const char *where)
{
    const int reason = errno;

    if (fd >= 0) close(fd);
    return weft_error_set(error, 501, "admin socket %s: %s", where, strerror(reason));
}

// Makes `path` free: 0 if nothing is there or what was there is dead and gone.
static int clear_stale(const struct sockaddr_un *address, struct weft_error *error)
{
    struct stat status;

    if (lstat(address->sun_path, &status) < 0) {
        return errno == ENOENT ? 0 : fail(-1, error, address->sun_path);
    }
    if (!S_ISSOCK(status.st_mode)) {
        return weft_error_set(error, 501, "admin socket %s: the path holds something else",
                              address->sun_path);
    }
    const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0) return fail(-1, error, address->sun_path);
    const int result = connect(probe, (const struct sockaddr *)address, sizeof(*address));
    const int reason = errno;
    close(probe);
    // EAGAIN: a full backlog is a sign of life too.
    if (result == 0 || reason == EAGAIN || reason == EINPROGRESS) {
        weft_error_set(error, 501, "admin socket %s: another process answers there",
                       address->sun_path);
        weft_error_hint(error, "stop that node first, or give this one another name");
        return -1;
    }
    if (reason != ECONNREFUSED) {
        errno = reason;
        return fail(-1, error, address->sun_path);
    }
    if (unlink(address->sun_path) < 0) return fail(-1, error, address->sun_path);
    return 0;
}

int weft_admin_open_unix(const char *path, struct weft_error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return fail(-1, error, path);
    }
    memcpy(address.sun_path, path, strlen(path));
    if (clear_stale(&address, error) < 0) return -1;
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return fail(-1, error, path);
    // The mode of the descriptor before bind becomes the mode of the file: no moment is open to
    // others.
    if (fchmod(fd, 0600) < 0) return fail(fd, error, path);
    const mode_t before = umask(0177);
    const int bound = bind(fd, (const struct sockaddr *)&address, sizeof(address));
    const int reason = errno;
    umask(before);
    errno = reason;
    if (bound < 0) return fail(fd, error, path);
    if (listen(fd, BACKLOG) < 0) {
        const int result = fail(fd, error, path);
        unlink(path);
        return result;
    }
    return fd;
}

int weft_admin_open_tcp(uint16_t port, struct weft_error *error)
{
    return weft_admin_open_at(INADDR_LOOPBACK, port, error);
}

int weft_admin_open_at(uint32_t ip, uint16_t port, struct weft_error *error)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {.s_addr = htonl(ip)}};
    const int one = 1;
    char where[32];

    snprintf(where, sizeof(where), "%u.%u.%u.%u:%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255,
             ip & 255, (unsigned)port);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return fail(-1, error, where);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(fd, BACKLOG) < 0) {
        const int result = fail(fd, error, where);
        if (error != NULL && port != 0) {
            weft_error_hint(error, "is another node on this port? see admin.port");
        }
        return result;
    }
    return fd;
}
