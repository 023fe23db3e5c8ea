#include "dataplane/io_socket.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 1024 // The kernel takes no more than net.core.somaxconn.

struct sockaddr_in weft_io_socket_name(const struct weft_io_address *address)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(address->port),
                                .sin_addr.s_addr = htonl(address->host)};
}

static int set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) == 0 ? 0 : -errno;
}

// What a listener has of these, its connections have from the start.
static int set_options(int fd, const struct weft_io_socket *options)
{
    int result = options->delays ? 0 : set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (result == 0 && options->receive_bytes > 0)
        result = set(fd, SOL_SOCKET, SO_RCVBUF, (int)options->receive_bytes);
    if (result == 0 && options->send_bytes > 0)
        result = set(fd, SOL_SOCKET, SO_SNDBUF, (int)options->send_bytes);
    if (result == 0 && options->keepalive_s > 0) {
        // Asked after so long, then every third of it, given up after three questions.
        const int between_s = (int)(options->keepalive_s + 2) / 3;
        result = set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
        if (result == 0) result = set(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)options->keepalive_s);
        if (result == 0) result = set(fd, IPPROTO_TCP, TCP_KEEPINTVL, between_s);
        if (result == 0) result = set(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
    }
    if (result == 0 && options->unanswered_ms > 0)
        result = set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)options->unanswered_ms);
    return result;
}

static int close_with(int fd, int result)
{
    close(fd);
    return result;
}

static int bind_to(int fd, const struct weft_io_address *address)
{
    const struct sockaddr_in name = weft_io_socket_name(address);
    return bind(fd, (const struct sockaddr *)&name, sizeof(name)) == 0 ? 0 : -errno;
}

int weft_io_socket_stream(const struct weft_io_socket *options, int flags)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd < 0) return -errno;
    const int result = set_options(fd, options);
    return result == 0 ? fd : close_with(fd, result);
}

int weft_io_socket_listen(const struct weft_io_address *address,
                          const struct weft_io_socket *options, int flags)
{
    const int fd = weft_io_socket_stream(options, flags);
    if (fd < 0) return fd;
    const int backlog = options->backlog > 0 ? (int)options->backlog : BACKLOG;
    int result = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (result == 0 && options->is_shared) result = set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (result == 0) result = bind_to(fd, address);
    if (result == 0 && listen(fd, backlog) != 0) result = -errno;
    return result == 0 ? fd : close_with(fd, result);
}

int weft_io_socket_datagrams(const struct weft_io_address *address, int flags)
{
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | flags, 0);
    if (fd < 0) return -errno;
    const int result = bind_to(fd, address);
    return result == 0 ? fd : close_with(fd, result);
}

int weft_io_socket_finish(int fd)
{
    return shutdown(fd, SHUT_WR) == 0 ? 0 : -errno;
}

int weft_io_socket_address(int fd, bool of_peer, struct weft_io_address *address)
{
    struct sockaddr_in name = {0};
    socklen_t length = sizeof(name);
    const int result = of_peer ? getpeername(fd, (struct sockaddr *)&name, &length)
                               : getsockname(fd, (struct sockaddr *)&name, &length);
    if (result != 0) return -errno;
    *address =
        (struct weft_io_address){.host = ntohl(name.sin_addr.s_addr), .port = ntohs(name.sin_port)};
    return 0;
}

void weft_io_socket_close(int fd, bool resets)
{
    const struct linger now = {.l_onoff = 1};
    if (resets) setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(fd);
}
