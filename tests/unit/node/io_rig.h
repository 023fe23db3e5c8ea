// io_rig.h: the rig with sockets and files: epoll and a thread behind each worker, in a directory
// of the test's own; what is started on a worker can be held up.
#ifndef WEFT_TESTS_UNIT_NODE_IO_RIG_H
#define WEFT_TESTS_UNIT_NODE_IO_RIG_H

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dataplane/epoll_io.h"
#include "runtime/sched/offload.h"
#include "tests/unit/node/rig.h"

// IO that the test can hold up: what is started meanwhile starts later.
struct held_io {
    struct weft_io real;
    struct weft_list waiting; // Operations, by their `link`.
    bool holds;
    uint32_t started_count;
};

struct files_rig {
    struct rig *rig;
    struct weft_epoll_io epoll[WORKERS];
    struct held_io held[WORKERS];
    struct weft_offload *pool;
    char directory[64];
    int root;
};

static struct files_rig all; // Of one test.

static inline void start_held(void *self, struct weft_io_op *op)
{
    struct held_io *held = self;
    held->started_count++;
    if (held->holds)
        weft_list_append(&held->waiting, &op->link);
    else
        held->real.start(held->real.self, op);
}

static inline int adopt(void *self, struct weft_io_handle *handle, int32_t number)
{
    struct held_io *held = self;
    return held->real.adopt(held->real.self, handle, number);
}

static inline void discard(void *self, int32_t number)
{
    struct held_io *held = self;
    held->real.discard(held->real.self, number);
}

static inline int make_socket(void *self, struct weft_io_handle *handle,
                              const struct weft_io_socket *options)
{
    struct held_io *held = self;
    return held->real.socket(held->real.self, handle, options);
}

static inline void cancel(void *self, struct weft_io_op *op)
{
    struct held_io *held = self;
    held->real.cancel(held->real.self, op);
}

static inline void close_handle(void *self, struct weft_io_handle *handle, bool resets)
{
    struct held_io *held = self;
    held->real.close(held->real.self, handle, resets);
}

static inline void release(struct held_io *held)
{
    held->holds = false;
    for (struct weft_list *link; (link = weft_list_pop(&held->waiting)) != NULL;)
        held->real.start(held->real.self, WEFT_CONTAINER_OF(link, struct weft_io_op, link));
}

static inline bool has_openat2(void)
{
    const struct open_how how = {.flags = O_PATH | O_CLOEXEC};
    const long fd = syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof(how));
    if (fd >= 0) close((int)fd);
    return fd >= 0 || errno != ENOSYS;
}

// Whether units have files and addresses is asked once, when a core starts: here, when it is known.
static inline void allow(struct rig *rig)
{
    for (unsigned i = 0; i < WORKERS; i++)
        weft_unit_actor_host(&rig->node, &rig->node.workers[i].unit_host);
}

static inline void give_files(struct rig *rig)
{
    rig->node.options.unit_files_root = all.root;
    allow(rig);
    rig->node.actors.pool = all.pool;
    for (unsigned i = 0; i < WORKERS; i++) {
        struct weft_node_worker *worker = &rig->node.workers[i];
        struct held_io *held = &all.held[i];
        assert_int_equal(weft_epoll_io_open(&all.epoll[i], &worker->core, all.pool, 64), 0);
        *held = (struct held_io){.real = weft_epoll_io_interface(&all.epoll[i])};
        weft_list_init(&held->waiting);
        const struct weft_io io = {.socket = make_socket,
                                   .start = start_held,
                                   .cancel = cancel,
                                   .adopt = adopt,
                                   .discard = discard,
                                   .close = close_handle,
                                   .name = "held",
                                   .self = held};
        weft_ports_use_io(&worker->ports, &io);
        const struct weft_poller poller = weft_epoll_io_poller(&all.epoll[i]);
        assert_int_equal(weft_core_add_poller(&worker->core, &poller), 0);
    }
}

static inline void take_files(struct rig *rig)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        weft_ports_stop(&rig->node.workers[i].ports);
        weft_epoll_io_close(&all.epoll[i]);
    }
}

static inline int set_up_files(void **state)
{
    set_up(state);
    all.rig = *state;
    strcpy(all.directory, "/tmp/weft-files-XXXXXX");
    assert_non_null(mkdtemp(all.directory));
    all.root = open(all.directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    all.pool = weft_offload_create(1);
    assert_non_null(all.pool);
    give_files(*state);
    return 0;
}

static inline int tear_down_files(void **state)
{
    char command[100];
    take_files(*state);
    weft_offload_free(all.pool);
    tear_down(state);
    close(all.root);
    snprintf(command, sizeof(command), "rm -r '%s'", all.directory);
    return system(command);
}

static inline uint32_t handles(void)
{
    return all.epoll[0].handle_count + all.epoll[1].handle_count;
}

#endif // WEFT_TESTS_UNIT_NODE_IO_RIG_H
