// backend.h: one core with a struct weft_io of each kind, turned by hand.
#ifndef WEFT_TESTS_UNIT_PORT_BACKEND_H
#define WEFT_TESTS_UNIT_PORT_BACKEND_H

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dataplane/epoll_io.h"
#include "dataplane/uring_io.h"
#include "runtime/base/units.h"
#include "runtime/sched/offload.h"
#include "tests/support/io_sim.h"

// URING_OLD: as on a kernel without buffer rings.
enum backend_kind { BACKEND_URING, BACKEND_URING_OLD, BACKEND_EPOLL, BACKEND_SIM, BACKEND_KINDS };

struct backend {
    enum backend_kind kind;
    struct weft_io io;
    struct weft_poller poller;
    struct weft_uring uring;
    struct weft_uring_io uring_io;
    struct weft_epoll_io epoll_io;
    struct weft_offload *pool;
    struct io_sim_world *world;
    struct io_sim sim;
};

static inline const char *backend_name(enum backend_kind kind)
{
    static const char *const names[] = {"uring", "uring_old", "epoll", "sim"};
    return names[kind];
}

static inline bool backend_has_ring(enum backend_kind kind)
{
    return kind == BACKEND_URING || kind == BACKEND_URING_OLD;
}

// False: this kernel has no rings.
static inline bool backend_is_there(enum backend_kind kind)
{
    return !backend_has_ring(kind) || weft_uring_probe(NULL, 0) == 0;
}

// Adds it to `core`, whose pollers that use it have been added. `world`: of a simulated one.
static inline void backend_open(struct backend *backend, enum backend_kind kind,
                                struct weft_core *core, struct io_sim_world *world,
                                uint32_t handle_count_max)
{
    backend->kind = kind;
    backend->world = world;
    if (backend_has_ring(kind)) {
        assert_int_equal(weft_uring_init(&backend->uring), 0);
        weft_uring_io_init(&backend->uring_io, handle_count_max);
        backend->uring_io.is_old = kind == BACKEND_URING_OLD;
        assert_int_equal(weft_uring_io_attach(&backend->uring_io, &backend->uring), 0);
        backend->io = weft_uring_io_interface(&backend->uring_io);
        backend->poller = weft_uring_io_poller(&backend->uring_io);
    } else if (kind == BACKEND_EPOLL) {
        backend->pool = weft_offload_create(2);
        assert_non_null(backend->pool);
        assert_int_equal(
            weft_epoll_io_open(&backend->epoll_io, core, backend->pool, handle_count_max), 0);
        backend->io = weft_epoll_io_interface(&backend->epoll_io);
        backend->poller = weft_epoll_io_poller(&backend->epoll_io);
    } else {
        io_sim_init(&backend->sim, world);
        world->object_count_max = handle_count_max;
        backend->io = io_sim_interface(&backend->sim);
        backend->poller = io_sim_poller(&backend->sim);
    }
    assert_int_equal(weft_core_add_poller(core, &backend->poller), 0);
    if (backend_has_ring(kind)) {
        const struct weft_poller ring = weft_uring_poller(&backend->uring);
        assert_int_equal(weft_core_add_poller(core, &ring), 0);
    }
}

static inline void backend_close(struct backend *backend)
{
    if (backend_has_ring(backend->kind)) {
        weft_uring_io_detach(&backend->uring_io);
        weft_uring_io_close(&backend->uring_io);
        weft_uring_destroy(&backend->uring);
    } else if (backend->kind == BACKEND_EPOLL) {
        weft_epoll_io_close(&backend->epoll_io); // Waits for what the pool has in hand.
        weft_offload_free(backend->pool);
    }
}

// How many handles are open.
static inline uint32_t backend_handles(const struct backend *backend)
{
    if (backend_has_ring(backend->kind)) return backend->uring_io.handle_count;
    if (backend->kind == BACKEND_EPOLL) return backend->epoll_io.handle_count;
    return backend->sim.handle_count;
}

static inline uint64_t backend_now_ns(void *self)
{
    struct timespec now;
    (void)self;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * WEFT_NS_PER_S + (uint64_t)now.tv_nsec;
}

#endif // WEFT_TESTS_UNIT_PORT_BACKEND_H
