#include "runtime/node/worker_io.h"

static int open_ring(struct weft_worker_io *io, struct weft_core *core, struct weft_uring *uring)
{
    weft_uring_io_init(&io->ring, WEFT_WORKER_HANDLES_MAX);
    const int result = weft_uring_io_attach(&io->ring, uring);
    if (result != 0) return result;
    const struct weft_io interface = weft_uring_io_interface(&io->ring);
    const struct weft_poller poller = weft_uring_io_poller(&io->ring);
    weft_ports_use_io(io->ports, &interface);
    return weft_core_add_poller(core, &poller);
}

static int open_epoll(struct weft_worker_io *io, struct weft_core *core, struct weft_offload *pool)
{
    const int result = weft_epoll_io_open(&io->epoll, core, pool, WEFT_WORKER_HANDLES_MAX);
    if (result != 0) return result;
    const struct weft_io interface = weft_epoll_io_interface(&io->epoll);
    const struct weft_poller poller = weft_epoll_io_poller(&io->epoll);
    weft_ports_use_io(io->ports, &interface);
    return weft_core_add_poller(core, &poller);
}

int weft_worker_io_open(struct weft_worker_io *io, struct weft_ports *ports, struct weft_core *core,
                        struct weft_uring *uring, struct weft_offload *pool)
{
    io->ports = ports;
    io->uses_ring = uring != NULL;
    const int result = io->uses_ring ? open_ring(io, core, uring) : open_epoll(io, core, pool);
    if (result != 0) io->ports = NULL;
    return result;
}

void weft_worker_io_close(struct weft_worker_io *io)
{
    if (io->ports == NULL) return;
    weft_ports_stop(io->ports);
    if (io->uses_ring) {
        weft_uring_io_detach(&io->ring);
        weft_uring_io_close(&io->ring);
    } else {
        weft_epoll_io_close(&io->epoll);
    }
    io->ports = NULL;
}
