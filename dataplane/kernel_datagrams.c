#include "dataplane/kernel_datagrams.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "dataplane/io_socket.h"

enum { BATCH = 64 }; // Datagrams that one turn takes from one socket.

struct kernel_socket {
    struct weft_kernel_datagrams *datagrams;
    struct weft_datagram_socket *socket; // NULL: closed; goes when `ready` has ended.
    struct weft_io_handle handle;
    struct weft_io_op ready;
};

static void release(struct kernel_socket *kernel)
{
    struct weft_kernel_datagrams *datagrams = kernel->datagrams;
    datagrams->io.close(datagrams->io.self, &kernel->handle, false);
    weft_arena_release(datagrams->arena, kernel, sizeof(*kernel));
}

// False: there was none.
static bool take_one(struct kernel_socket *kernel)
{
    struct weft_kernel_datagrams *datagrams = kernel->datagrams;
    struct sockaddr_in name;
    socklen_t name_bytes = sizeof(name);
    const ssize_t got = recvfrom(kernel->handle.number, datagrams->bytes, sizeof(datagrams->bytes),
                                 MSG_DONTWAIT, (struct sockaddr *)&name, &name_bytes);
    if (got < 0) return errno != EAGAIN; // What ICMP has told is taken by the call, and is over.
    const struct weft_io_address from = {.host = ntohl(name.sin_addr.s_addr),
                                         .port = ntohs(name.sin_port)};
    kernel->socket->came(kernel->socket, &from, datagrams->bytes, (size_t)got);
    return true;
}

static void is_ready(struct weft_io_op *op, int32_t result)
{
    struct kernel_socket *kernel = WEFT_CONTAINER_OF(op, struct kernel_socket, ready);
    const struct weft_io *io = &kernel->datagrams->io;
    for (uint32_t i = 0; i < BATCH && result == 0 && kernel->socket != NULL; i++) {
        if (!take_one(kernel)) break;
    }
    if (kernel->socket == NULL || result == -ECANCELED)
        release(kernel);
    else
        io->start(io->self, op);
}

static int open_socket(void *self, struct weft_datagram_socket *socket)
{
    struct weft_kernel_datagrams *datagrams = self;
    const struct weft_io *io = &datagrams->io;
    const int fd = weft_io_socket_datagrams(&socket->address, SOCK_NONBLOCK);
    if (fd < 0) return fd;
    struct kernel_socket *kernel = weft_arena_alloc_zeroed(datagrams->arena, sizeof(*kernel));
    if (kernel == NULL) {
        io->discard(io->self, fd);
        return -ENOMEM;
    }
    const int result = io->adopt(io->self, &kernel->handle, fd);
    if (result != 0) {
        weft_arena_release(datagrams->arena, kernel, sizeof(*kernel));
        return result;
    }
    kernel->datagrams = datagrams;
    kernel->socket = socket;
    kernel->ready =
        (struct weft_io_op){.kind = WEFT_IO_READY, .handle = &kernel->handle, .done = is_ready};
    socket->own = kernel;
    weft_io_socket_address(fd, false, &socket->address);
    io->start(io->self, &kernel->ready);
    return 0;
}

static int send_to(void *self, struct weft_datagram_socket *socket,
                   const struct weft_io_address *to, const void *bytes, size_t length)
{
    const struct kernel_socket *kernel = socket->own;
    const struct sockaddr_in name = weft_io_socket_name(to);
    (void)self;
    // Once more, if all that the first try says is what became of an earlier datagram.
    for (int i = 0; i < 2; i++) {
        if (sendto(kernel->handle.number, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL,
                   (const struct sockaddr *)&name, sizeof(name)) >= 0)
            return 0;
        if (errno != ECONNREFUSED) break;
    }
    return errno == EAGAIN ? -ENOBUFS : -errno;
}

static void close_socket(void *self, struct weft_datagram_socket *socket)
{
    const struct weft_kernel_datagrams *datagrams = self;
    struct kernel_socket *kernel = socket->own;
    kernel->socket = NULL;
    datagrams->io.cancel(datagrams->io.self, &kernel->ready);
}

void weft_kernel_datagrams_init(struct weft_kernel_datagrams *datagrams, const struct weft_io *io,
                                struct weft_arena *arena)
{
    datagrams->io = *io;
    datagrams->arena = arena;
}

struct weft_datagrams weft_kernel_datagrams_interface(struct weft_kernel_datagrams *datagrams)
{
    return (struct weft_datagrams){
        .open = open_socket, .send = send_to, .close = close_socket, .self = datagrams};
}
