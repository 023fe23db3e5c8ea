#include "dataplane/epoll_io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dataplane/io_socket.h"
#include "runtime/base/assert.h"
#include "runtime/sched/offload.h"

enum { EVENTS = 256, ACCEPTS = 64, TRIES = 256 }; // In one turn.
// weft_io_op.state: where it is. TRYING: in the hands of the poll.
// OVER: not under way, or only still to be told.
enum { OVER, WAITS, READY, TRYING, IN_POOL, POOL_WAITS };

enum {                      // weft_io_handle.flags
    READABLE = 1 << 0,      // There may be something to take.
    WRITABLE = 1 << 1,      // It may take something.
    ENDS = 1 << 2,          // The peer has said its last: what is read short is not all.
    IS_CONNECTING = 1 << 3, // connect(2) has been called.
};

static struct weft_io_op *op_of(struct weft_list *link)
{
    return WEFT_CONTAINER_OF(link, struct weft_io_op, link);
}

static struct weft_io_op *first_of(struct weft_list *list)
{
    struct weft_list *link = weft_list_pop(list);
    return link != NULL ? op_of(link) : NULL;
}

static void move_all(struct weft_list *to, struct weft_list *from)
{
    weft_list_init(to);
    for (struct weft_list *link; (link = weft_list_pop(from)) != NULL;)
        weft_list_append(to, link);
}

// ---- Where an operation is.

static void put(struct weft_list *list, struct weft_io_op *op, uint8_t state)
{
    op->state = state;
    weft_list_append(list, &op->link);
}

static void wait_for_handle(struct weft_epoll_io *io, struct weft_io_op *op)
{
    op->state = WAITS;
    io->waiting_count++;
}

static void wake(struct weft_epoll_io *io, struct weft_io_op *op)
{
    if (op == NULL || op->state != WAITS) return;
    io->waiting_count--;
    put(&io->ready, op, READY);
}

static void leave_handle(struct weft_io_op *op)
{
    if (op->handle == NULL) return;
    if (op->handle->taking == op) op->handle->taking = NULL;
    if (op->handle->giving == op) op->handle->giving = NULL;
}

static void end_later(struct weft_epoll_io *io, struct weft_io_op *op, int32_t result)
{
    op->result = result;
    put(&io->over, op, OVER);
}

static void tell(struct weft_io_op *op, int32_t result)
{
    op->more = false;
    op->state = OVER;
    leave_handle(op);
    op->done(op, result);
}

// ---- One try. -EAGAIN: its handle is not ready.

static int32_t try_receive(struct weft_epoll_io *io, struct weft_io_op *op)
{
    struct weft_io_handle *handle = op->handle;
    const uint32_t limit = op->count < WEFT_IO_RECEIVE_MAX ? op->count : WEFT_IO_RECEIVE_MAX;
    const ssize_t got = recv(handle->number, io->bytes, limit, MSG_DONTWAIT);
    const int32_t result = got >= 0 ? (int32_t)got : -errno;
    op->bytes = io->bytes;
    // Read short is read empty (epoll(7)), unless an end came with the bytes: that edge is past.
    const bool is_empty = result == -EAGAIN || (result > 0 && (uint32_t)result < limit);
    if (is_empty && (handle->flags & ENDS) == 0) handle->flags &= ~(uint32_t)READABLE;
    return result;
}

static int32_t try_send(struct weft_io_op *op)
{
    const struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)op->spans,
                                   .msg_iovlen = op->count};
    const ssize_t put_bytes = sendmsg(op->handle->number, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    return put_bytes >= 0 ? (int32_t)put_bytes : -errno;
}

static int watch(const struct weft_epoll_io *io, struct weft_io_handle *handle)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.ptr = handle};
    return epoll_ctl(io->epoll_fd, EPOLL_CTL_ADD, handle->number, &event) == 0 ? 0 : -errno;
}

// It is watched from the call on: before, a socket looks as if its peer had gone.
static int32_t begin_connecting(const struct weft_epoll_io *io, struct weft_io_op *op)
{
    struct weft_io_handle *handle = op->handle;
    const struct sockaddr_in name = weft_io_socket_name(&op->address);
    int result =
        connect(handle->number, (const struct sockaddr *)&name, sizeof(name)) == 0 ? 0 : -errno;
    if (result != 0 && result != -EINPROGRESS) return result;
    handle->flags = IS_CONNECTING;
    const int watched = watch(io, handle);
    if (watched != 0) return watched;
    return result == 0 ? 0 : -EAGAIN;
}

static int32_t try_connect(const struct weft_epoll_io *io, struct weft_io_op *op)
{
    struct weft_io_handle *handle = op->handle;
    if ((handle->flags & IS_CONNECTING) == 0) return begin_connecting(io, op);
    int error = 0;
    socklen_t length = sizeof(error);
    if (getsockopt(handle->number, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return -errno;
    return -error;
}

static int32_t try_accept(struct weft_io_op *op)
{
    for (;;) {
        const int fd = accept4(op->handle->number, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) return fd;
        if (errno == EAGAIN) op->handle->flags &= ~(uint32_t)READABLE;
        // One that has gone before it was accepted is no reason to stop.
        if (errno != ECONNABORTED && errno != EPROTO && errno != EINTR) return -errno;
    }
}

// Its owner may have left some the last time, so the edge says nothing.
static int32_t try_ready(struct weft_io_handle *handle)
{
    struct pollfd set = {.fd = handle->number, .events = POLLIN};
    if (poll(&set, 1, 0) > 0) return 0;
    handle->flags &= ~(uint32_t)READABLE;
    return -EAGAIN;
}

static int32_t try_once(struct weft_epoll_io *io, struct weft_io_op *op)
{
    switch ((enum weft_io_kind)op->kind) {
    case WEFT_IO_ACCEPT: return try_accept(op);
    case WEFT_IO_RECEIVE: return try_receive(io, op);
    case WEFT_IO_READY: return try_ready(op->handle);
    case WEFT_IO_CONNECT: return try_connect(io, op);
    default: break;
    }
    uint64_t wanted = 0;
    for (uint32_t i = 0; i < op->count; i++)
        wanted += op->spans[i].iov_len;
    const int32_t result = try_send(op);
    if (result == -EAGAIN || (result > 0 && (uint64_t)result < wanted))
        op->handle->flags &= ~(uint32_t)WRITABLE;
    return result;
}

// ---- The pool's side.

struct own { // In weft_io_op.own, of an operation on a file.
    _Atomic uint32_t is_done;
};

static struct own *own_of(struct weft_io_op *op)
{
    return (struct own *)(void *)op->own;
}

static ssize_t on_thread(const struct weft_io_op *op)
{
    const int fd = op->handle != NULL ? op->handle->number : -1;
    switch ((enum weft_io_kind)op->kind) {
    case WEFT_IO_OPEN:
        return op->how != NULL ? syscall(SYS_openat2, op->root, op->path, op->how, sizeof(*op->how))
                               : open(op->path, op->flags | O_CLOEXEC, op->mode);
    case WEFT_IO_READ: return pread(fd, op->to, op->count, (off_t)op->offset);
    case WEFT_IO_WRITE: return pwritev(fd, op->spans, (int)op->count, (off_t)op->offset);
    default: return fdatasync(fd);
    }
}

static void run(void *self) // On a thread of the pool.
{
    struct weft_io_op *op = self;
    ssize_t result;
    do {
        result = on_thread(op);
    } while (result < 0 && errno == EINTR);
    op->result = result >= 0 ? (int32_t)result : -errno;
    // Pairs with the acquire load in wait_for_thread: what it has read and written is past.
    atomic_store_explicit(&own_of(op)->is_done, 1, memory_order_release);
}

static void done_in_pool(struct weft_core *core, void *self, uint64_t argument)
{
    struct weft_io_op *op = self;
    (void)core, (void)argument;
    weft_list_remove(&op->link);
    tell(op, op->result);
}

static bool submit(struct weft_epoll_io *io, struct weft_io_op *op)
{
    const struct weft_offload_work work = {
        .run = run, .done = done_in_pool, .core = io->core, .self = op};
    op->result = -ECANCELED; // If it is never run.
    atomic_store_explicit(&own_of(op)->is_done, 0,
                          memory_order_relaxed); // Before it is handed over.
    if (weft_offload_submit(io->pool, &work) != 0) return false;
    put(&io->in_pool, op, IN_POOL);
    return true;
}

static void start_in_pool(struct weft_epoll_io *io, struct weft_io_op *op)
{
    if (io->pool == NULL)
        end_later(io, op, -ENOTSUP);
    else if (!submit(io, op))
        put(&io->pool_waits, op, POOL_WAITS);
}

// ---- The interface.

static void start(void *self, struct weft_io_op *op)
{
    struct weft_epoll_io *io = self;
    const enum weft_io_kind kind = (enum weft_io_kind)op->kind;
    struct weft_io_handle *handle = op->handle;
    op->is_cancelled = false;
    op->more = false;
    if (!weft_io_takes(kind) && !weft_io_gives(kind)) {
        start_in_pool(io, op);
        return;
    }
    struct weft_io_op **place = weft_io_takes(kind) ? &handle->taking : &handle->giving;
    weft_assert(*place == NULL);
    *place = op;
    const uint32_t wanted = weft_io_takes(kind) ? READABLE : WRITABLE;
    if ((handle->flags & wanted) != 0)
        put(&io->ready, op, READY);
    else
        wait_for_handle(io, op);
}

static void cancel(void *self, struct weft_io_op *op)
{
    struct weft_epoll_io *io = self;
    if (op->is_cancelled || op->state == OVER) return;
    op->is_cancelled = true;
    if (op->state == IN_POOL) return; // Its thread cannot be held up: it ends as it ends.
    if (op->state == WAITS)
        io->waiting_count--;
    else if (op->state != TRYING)
        weft_list_remove(&op->link);
    end_later(io, op, -ECANCELED);
}

static int take(struct weft_epoll_io *io, struct weft_io_handle *handle, int fd, uint32_t flags)
{
    handle->number = -1;
    if (fd < 0) return fd;
    if (io->handle_count >= io->handle_count_max) {
        close(fd);
        return -EMFILE;
    }
    *handle = (struct weft_io_handle){.number = fd, .flags = flags};
    weft_list_append(&io->handles, &handle->link);
    io->handle_count++;
    return 0;
}

static void close_handle(void *self, struct weft_io_handle *handle, bool resets)
{
    struct weft_epoll_io *io = self;
    weft_assert(handle->taking == NULL && handle->giving == NULL);
    weft_list_remove(&handle->link);
    io->handle_count--;
    weft_io_socket_close(handle->number, resets); // Which takes it out of the set.
    handle->number = -1;
}

// Takes it, and has it watched, if it is something that can be waited for.
static int take_watched(struct weft_epoll_io *io, struct weft_io_handle *handle, int fd,
                        uint32_t flags)
{
    int result = take(io, handle, fd, flags);
    if (result != 0) return result;
    result = watch(io, handle);
    if (result == 0 || result == -EPERM) return 0; // EPERM: a file.
    close_handle(io, handle, false);
    return result;
}

static int listen_at(void *self, struct weft_io_handle *handle,
                     const struct weft_io_address *address, const struct weft_io_socket *options)
{
    const int fd = weft_io_socket_listen(address, options, SOCK_NONBLOCK);
    return take_watched(self, handle, fd, 0);
}

static int make_socket(void *self, struct weft_io_handle *handle,
                       const struct weft_io_socket *options)
{
    return take(self, handle, weft_io_socket_stream(options, SOCK_NONBLOCK), WRITABLE);
}

static int adopt(void *self, struct weft_io_handle *handle, int32_t number)
{
    return take_watched(self, handle, number, WRITABLE);
}

static void discard(void *self, int32_t number)
{
    (void)self;
    close(number);
}

static int finish(void *self, struct weft_io_handle *handle)
{
    (void)self;
    return weft_io_socket_finish(handle->number);
}

static int address_of(void *self, const struct weft_io_handle *handle, bool of_peer,
                      struct weft_io_address *address)
{
    (void)self;
    return weft_io_socket_address(handle->number, of_peer, address);
}

struct weft_io weft_epoll_io_interface(struct weft_epoll_io *io)
{
    return (struct weft_io){.listen = listen_at,
                            .socket = make_socket,
                            .adopt = adopt,
                            .discard = discard,
                            .start = start,
                            .cancel = cancel,
                            .finish = finish,
                            .address = address_of,
                            .close = close_handle,
                            .name = "epoll",
                            .self = io};
}

// ---- The turn.

// Notes which handles are ready; calls nobody back, so that no handle goes while its event waits.
static void fetch(struct weft_epoll_io *io)
{
    struct epoll_event events[EVENTS];
    const int count = epoll_wait(io->epoll_fd, events, EVENTS, 0);
    for (int i = 0; i < count; i++) {
        struct weft_io_handle *handle = events[i].data.ptr;
        const uint32_t came = events[i].events;
        if (came & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) handle->flags |= ENDS | READABLE;
        if (came & EPOLLIN) handle->flags |= READABLE;
        if (came & (EPOLLOUT | EPOLLHUP | EPOLLERR)) handle->flags |= WRITABLE;
        if (handle->flags & READABLE) wake(io, handle->taking);
        if (handle->flags & WRITABLE) wake(io, handle->giving);
    }
}

// Accepts until there is nobody, or enough for one turn. The owner may cancel in between.
static void accept_many(struct weft_epoll_io *io, struct weft_io_op *op)
{
    for (uint32_t i = 0; i < ACCEPTS && !op->is_cancelled; i++) {
        const int32_t result = try_accept(op);
        if (result == -EAGAIN) {
            wait_for_handle(io, op);
            return;
        }
        if (result < 0) {
            tell(op, result);
            return;
        }
        op->more = true;
        op->done(op, result);
    }
    if (!op->is_cancelled) put(&io->ready, op, READY);
}

static void get_on(struct weft_epoll_io *io, struct weft_io_op *op)
{
    op->state = TRYING;
    if (op->kind == WEFT_IO_ACCEPT && op->many) {
        accept_many(io, op);
        return;
    }
    const int32_t result = try_once(io, op);
    if (result == -EAGAIN)
        wait_for_handle(io, op);
    else
        tell(op, result);
}

static uint32_t tell_over(struct weft_epoll_io *io)
{
    struct weft_list over;
    uint32_t count = 0;
    move_all(&over, &io->over);
    for (struct weft_io_op *op; (op = first_of(&over)) != NULL; count++)
        tell(op, op->result);
    return count;
}

static uint32_t io_poll(void *self, uint64_t now_ns)
{
    struct weft_epoll_io *io = self;
    uint32_t found = tell_over(io);
    (void)now_ns;
    if (io->waiting_count > 0) fetch(io);
    // Those of now: what they start is for the next turn.
    uint32_t count = 0;
    WEFT_LIST_FOR_EACH (link, &io->ready) {
        if (++count == TRIES) break;
    }
    for (struct weft_io_op *op; count > 0 && (op = first_of(&io->ready)) != NULL; count--, found++)
        get_on(io, op);
    while (!weft_list_empty(&io->pool_waits)) {
        struct weft_io_op *op = first_of(&io->pool_waits);
        if (submit(io, op)) continue;
        op->state = POOL_WAITS;
        weft_list_prepend(&io->pool_waits, &op->link);
        break;
    }
    return found;
}

// What the turn gives goes out; how it ended is told by the next poll.
static void io_flush(void *self, uint64_t now_ns)
{
    struct weft_epoll_io *io = self;
    uint32_t count = 0;
    (void)now_ns;
    WEFT_LIST_FOR_EACH (link, &io->ready) {
        struct weft_io_op *op = op_of(link);
        if (count == TRIES) return;
        if (!weft_io_gives((enum weft_io_kind)op->kind)) continue;
        count++;
        weft_list_remove(link);
        const int32_t result = try_once(io, op);
        if (result == -EAGAIN)
            wait_for_handle(io, op);
        else
            end_later(io, op, result);
    }
}

static uint64_t io_due_ns(void *self)
{
    const struct weft_epoll_io *io = self;
    return weft_list_empty(&io->ready) && weft_list_empty(&io->over) ? UINT64_MAX : 0;
}

static int doorbell_fd(void *self)
{
    return ((struct weft_epoll_io *)self)->epoll_fd;
}

static void doorbell_clear(void *self) // Else what nobody waits for would ring for ever.
{
    fetch(self);
}

struct weft_poller weft_epoll_io_poller(struct weft_epoll_io *io)
{
    return (struct weft_poller){.name = "epoll_io",
                                .poll = io_poll,
                                .flush = io_flush,
                                .due_ns = io_due_ns,
                                .doorbell_fd = doorbell_fd,
                                .doorbell_clear = doorbell_clear,
                                .self = io};
}

// ---- Its life.

int weft_epoll_io_open(struct weft_epoll_io *io, struct weft_core *core, struct weft_offload *pool,
                       uint32_t handle_count_max)
{
    memset(io, 0, sizeof(*io));
    io->core = core;
    io->pool = pool;
    io->handle_count_max = handle_count_max;
    weft_list_init(&io->handles);
    weft_list_init(&io->ready);
    weft_list_init(&io->in_pool);
    weft_list_init(&io->pool_waits);
    weft_list_init(&io->over);
    io->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return io->epoll_fd >= 0 ? 0 : -errno;
}

// Until nobody touches the operation, and what it points to, any more.
static void wait_for_thread(const struct weft_epoll_io *io, struct weft_io_op *op)
{
    // Pairs with the release store in run.
    while (io->pool != NULL &&
           atomic_load_explicit(&own_of(op)->is_done, memory_order_acquire) == 0)
        sched_yield();
}

void weft_epoll_io_close(struct weft_epoll_io *io)
{
    for (struct weft_io_op *op; (op = first_of(&io->in_pool)) != NULL;) {
        wait_for_thread(io, op);
        if (op->kind == WEFT_IO_OPEN && op->result >= 0) close(op->result);
        tell(op, -ECANCELED);
    }
    for (struct weft_io_op *op; (op = first_of(&io->pool_waits)) != NULL;)
        tell(op, -ECANCELED);
    for (struct weft_list *link = io->handles.next; link != &io->handles; link = link->next) {
        struct weft_io_handle *handle = WEFT_CONTAINER_OF(link, struct weft_io_handle, link);
        if (handle->taking != NULL) cancel(io, handle->taking);
        if (handle->giving != NULL) cancel(io, handle->giving);
    }
    while (tell_over(io) > 0)
        continue;
    while (!weft_list_empty(&io->handles))
        close_handle(io, WEFT_CONTAINER_OF(io->handles.next, struct weft_io_handle, link), false);
    close(io->epoll_fd);
}
