#include "dataplane/uring_io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/io_socket.h"
#include "runtime/base/assert.h"
#include "runtime/base/units.h"

enum { BUFFER_GROUP = 0 };
// weft_io_op.state. Both of the second and third stand in the kernel; of the third it has been
// asked to give it back.
enum { WAITING, UNDER_WAY, LEAVING, OVER };
enum { HAS_MORE = 1 << 0 }; // weft_io_handle.flags: bytes were left by the last receive.

struct own { // In weft_io_op.own.
    struct weft_uring_op op;
    struct weft_uring_io *io;
    union {
        struct msghdr message;
        struct sockaddr_in name;
    };
};
_Static_assert(sizeof(struct own) <= sizeof(((struct weft_io_op *)0)->own), "room of the backend");

static struct own *own_of(struct weft_io_op *op)
{
    return (struct own *)(void *)op->own;
}

static struct weft_io_op *op_of(struct weft_uring_op *uring_op)
{
    struct own *own = WEFT_CONTAINER_OF(uring_op, struct own, op);
    return WEFT_CONTAINER_OF((uint64_t(*)[10])(void *)own, struct weft_io_op, own);
}

static struct weft_io_op *first_of(struct weft_list *list)
{
    struct weft_list *link = weft_list_pop(list);
    return link != NULL ? WEFT_CONTAINER_OF(link, struct weft_io_op, link) : NULL;
}

// ---- Buffers.

static size_t buffer_bytes(const struct weft_uring_io *io)
{
    return (io->buffers != NULL ? WEFT_URING_IO_BUFFERS : 1) * (size_t)WEFT_IO_RECEIVE_MAX;
}

static void give_buffer(struct weft_uring_io *io, uint32_t id)
{
    io_uring_buf_ring_add(io->buffers, io->bytes + (size_t)id * WEFT_IO_RECEIVE_MAX,
                          WEFT_IO_RECEIVE_MAX, (unsigned short)id, WEFT_URING_IO_BUFFERS - 1, 0);
    io_uring_buf_ring_advance(io->buffers, 1);
}

static void *map(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory != MAP_FAILED ? memory : NULL;
}

// The ring of buffers, if the kernel takes one.
static struct io_uring_buf_ring *register_ring(struct weft_uring *uring)
{
    const size_t bytes = WEFT_URING_IO_BUFFERS * sizeof(struct io_uring_buf);
    struct io_uring_buf_ring *ring = map(bytes);
    if (ring == NULL) return NULL;
    struct io_uring_buf_reg reg = {
        .ring_addr = (uintptr_t)ring, .ring_entries = WEFT_URING_IO_BUFFERS, .bgid = BUFFER_GROUP};
    io_uring_buf_ring_init(ring);
    if (io_uring_register_buf_ring(&uring->ring, &reg, 0) == 0) return ring;
    munmap(ring, bytes);
    return NULL;
}

static int open_buffers(struct weft_uring_io *io)
{
    io->accepts_singly = io->is_old;
    io->buffers = io->is_old ? NULL : register_ring(io->uring);
    io->bytes = map(buffer_bytes(io));
    if (io->bytes == NULL) return -ENOMEM;
    for (uint32_t i = 0; io->buffers != NULL && i < WEFT_URING_IO_BUFFERS; i++)
        give_buffer(io, i);
    return 0;
}

static void close_buffers(struct weft_uring_io *io)
{
    if (io->bytes != NULL) munmap(io->bytes, buffer_bytes(io));
    if (io->buffers != NULL) {
        io_uring_unregister_buf_ring(&io->uring->ring, BUFFER_GROUP);
        munmap(io->buffers, WEFT_URING_IO_BUFFERS * sizeof(struct io_uring_buf));
    }
    io->bytes = NULL;
    io->buffers = NULL;
}

// ---- Into the ring.

static void prepare_accept(const struct weft_uring_io *io, const struct weft_io_op *op,
                           struct io_uring_sqe *sqe)
{
    const int fd = op->handle->number;
    if (op->many && !io->accepts_singly)
        io_uring_prep_multishot_accept(sqe, fd, NULL, NULL, SOCK_CLOEXEC);
    else
        io_uring_prep_accept(sqe, fd, NULL, NULL, SOCK_CLOEXEC);
}

static void prepare_receive(const struct weft_uring_io *io, const struct weft_io_op *op,
                            struct io_uring_sqe *sqe)
{
    const struct weft_io_handle *handle = op->handle;
    if (io->buffers == NULL) {
        io_uring_prep_poll_add(sqe, handle->number, POLLIN);
        return;
    }
    io_uring_prep_recv(sqe, handle->number, NULL, op->count, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = BUFFER_GROUP;
    // Where the last one has left nothing, trying at once would be for nothing.
    if ((handle->flags & HAS_MORE) == 0) sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
}

static void prepare_send(struct weft_io_op *op, struct io_uring_sqe *sqe)
{
    struct own *own = own_of(op);
    own->message =
        (struct msghdr){.msg_iov = (struct iovec *)(uintptr_t)op->spans, .msg_iovlen = op->count};
    io_uring_prep_sendmsg(sqe, op->handle->number, &own->message, MSG_NOSIGNAL);
}

static void prepare_connect(struct weft_io_op *op, struct io_uring_sqe *sqe)
{
    struct own *own = own_of(op);
    own->name = weft_io_socket_name(&op->address);
    io_uring_prep_connect(sqe, op->handle->number, (const struct sockaddr *)&own->name,
                          sizeof(own->name));
}

static void prepare_open(struct weft_io_op *op, struct io_uring_sqe *sqe)
{
    if (op->how != NULL)
        io_uring_prep_openat2(sqe, op->root, op->path, (struct open_how *)(uintptr_t)op->how);
    else
        io_uring_prep_openat(sqe, AT_FDCWD, op->path, op->flags | O_CLOEXEC, op->mode);
}

static void prepare(const struct weft_uring_io *io, struct weft_io_op *op, struct io_uring_sqe *sqe)
{
    const int fd = op->handle != NULL ? op->handle->number : -1;
    switch ((enum weft_io_kind)op->kind) {
    case WEFT_IO_ACCEPT: prepare_accept(io, op, sqe); break;
    case WEFT_IO_RECEIVE: prepare_receive(io, op, sqe); break;
    case WEFT_IO_READY: io_uring_prep_poll_add(sqe, fd, POLLIN); break;
    case WEFT_IO_CONNECT: prepare_connect(op, sqe); break;
    case WEFT_IO_SEND: prepare_send(op, sqe); break;
    case WEFT_IO_OPEN: prepare_open(op, sqe); break;
    case WEFT_IO_READ: io_uring_prep_read(sqe, fd, op->to, op->count, op->offset); break;
    case WEFT_IO_WRITE: io_uring_prep_writev(sqe, fd, op->spans, op->count, op->offset); break;
    case WEFT_IO_SYNC: io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC); break;
    }
}

// False: there is no room, or no ring.
static bool submit(struct weft_uring_io *io, struct weft_io_op *op)
{
    if (io->uring == NULL || io->parks) return false;
    struct io_uring_sqe *sqe = weft_uring_sqe(io->uring);
    if (sqe == NULL) return false;
    prepare(io, op, sqe);
    weft_uring_sqe_set(sqe, &own_of(op)->op);
    op->state = UNDER_WAY;
    weft_list_append(&io->under_way, &op->link);
    return true;
}

static void wait_for_room(struct weft_uring_io *io, struct weft_io_op *op)
{
    op->state = WAITING;
    weft_list_append(&io->waiting, &op->link);
}

// ---- Out of it.

static void tell(struct weft_io_op *op, int32_t result)
{
    if (!op->more) op->state = OVER;
    op->done(op, result);
}

// Without a ring of buffers: there is something to receive.
static int32_t receive_now(struct weft_uring_io *io, struct weft_io_op *op)
{
    const ssize_t got = recv(op->handle->number, io->bytes, op->count, MSG_DONTWAIT);
    op->bytes = io->bytes;
    return got >= 0 ? (int32_t)got : -errno;
}

static void received(struct weft_uring_io *io, struct weft_io_op *op, int32_t result)
{
    const uint32_t flags = io->uring->flags;
    if (io->buffers == NULL) {
        if (result >= 0) result = receive_now(io, op);
        if (result == -EAGAIN && op->is_cancelled) result = -ECANCELED; // Nobody wakes it again.
        if (result == -EAGAIN)
            wait_for_room(io, op);
        else
            tell(op, result);
        return;
    }
    op->handle->flags = (flags & IORING_CQE_F_SOCK_NONEMPTY) != 0 ? HAS_MORE : 0;
    if ((flags & IORING_CQE_F_BUFFER) == 0) {
        tell(op, result);
        return;
    }
    const uint32_t id = flags >> IORING_CQE_BUFFER_SHIFT;
    op->bytes = io->bytes + (size_t)id * WEFT_IO_RECEIVE_MAX;
    tell(op, result);
    give_buffer(io, id);
}

// True if the operation has not ended, whatever the kernel says.
static bool goes_on(struct weft_uring_io *io, struct weft_io_op *op, int32_t result)
{
    if (op->is_cancelled) return false;
    if (result == -ECANCELED) return io->parks; // Taken out by us, or by the end of its thread.
    if (result == -EINTR) return true;
    if (op->kind == WEFT_IO_RECEIVE && (result == -ENOBUFS || result == -EAGAIN)) {
        io->short_of_buffers++;
        op->handle->flags = HAS_MORE;
        return true;
    }
    if (op->kind == WEFT_IO_ACCEPT && op->many && result == -EINVAL && !io->accepts_singly) {
        io->accepts_singly = true;
        return true;
    }
    return false;
}

static void ended(struct weft_uring_op *uring_op, int32_t result, bool more)
{
    struct weft_io_op *op = op_of(uring_op);
    struct weft_uring_io *io = own_of(op)->io;
    op->more = more;
    if (more) {
        tell(op, result);
        return;
    }
    weft_list_remove(&op->link);
    // The kernel has ended it, as it may, or takes one at a time: its owner need not know.
    op->more = op->kind == WEFT_IO_ACCEPT && op->many && result >= 0 && !op->is_cancelled;
    if (op->more || goes_on(io, op, result)) wait_for_room(io, op);
    if (op->more)
        tell(op, result);
    else if (op->state == WAITING)
        return;
    else if (op->kind == WEFT_IO_RECEIVE)
        received(io, op, result);
    else
        tell(op, op->kind == WEFT_IO_READY && result > 0 ? 0 : result);
}

// ---- The interface.

static void start(void *self, struct weft_io_op *op)
{
    struct weft_uring_io *io = self;
    struct own *own = own_of(op);
    own->op.done = ended;
    own->io = io;
    op->is_cancelled = false;
    op->more = false;
    if (op->kind == WEFT_IO_RECEIVE && op->count > WEFT_IO_RECEIVE_MAX)
        op->count = WEFT_IO_RECEIVE_MAX;
    if (!submit(io, op)) wait_for_room(io, op);
}

// False: there is no room for the question now.
static bool ask_back(struct weft_uring_io *io, struct weft_io_op *op)
{
    struct io_uring_sqe *sqe = weft_uring_sqe(io->uring);
    if (sqe == NULL) return false;
    io_uring_prep_cancel(sqe, &own_of(op)->op, 0);
    weft_uring_sqe_set(sqe, NULL);
    op->state = LEAVING;
    return true;
}

// Asks for all of them back, or for those that are cancelled. False: not all could be asked for.
static bool ask_all_back(struct weft_uring_io *io, bool cancelled_only)
{
    WEFT_LIST_FOR_EACH (link, &io->under_way) {
        struct weft_io_op *op = WEFT_CONTAINER_OF(link, struct weft_io_op, link);
        if (op->state != UNDER_WAY || (cancelled_only && !op->is_cancelled)) continue;
        if (!ask_back(io, op)) return false;
    }
    return true;
}

static void cancel(void *self, struct weft_io_op *op)
{
    struct weft_uring_io *io = self;
    if (op->is_cancelled || op->state == OVER) return;
    op->is_cancelled = true;
    if (op->state == LEAVING) return;
    if (op->state == UNDER_WAY) {
        if (!ask_back(io, op)) io->owes_cancels = true;
        return;
    }
    weft_list_remove(&op->link);
    op->state = OVER;
    op->more = false;
    op->result = -ECANCELED;
    weft_list_append(&io->over, &op->link);
}

static int take(struct weft_uring_io *io, struct weft_io_handle *handle, int fd)
{
    handle->number = -1;
    if (fd < 0) return fd;
    if (io->handle_count >= io->handle_count_max) {
        close(fd);
        return -EMFILE;
    }
    *handle = (struct weft_io_handle){.number = fd, .flags = HAS_MORE};
    weft_list_append(&io->handles, &handle->link);
    io->handle_count++;
    return 0;
}

static int listen_at(void *self, struct weft_io_handle *handle,
                     const struct weft_io_address *address, const struct weft_io_socket *options)
{
    return take(self, handle, weft_io_socket_listen(address, options, 0));
}

static int make_socket(void *self, struct weft_io_handle *handle,
                       const struct weft_io_socket *options)
{
    return take(self, handle, weft_io_socket_stream(options, 0));
}

static int adopt(void *self, struct weft_io_handle *handle, int32_t number)
{
    return take(self, handle, number);
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

static void close_handle(void *self, struct weft_io_handle *handle, bool resets)
{
    struct weft_uring_io *io = self;
    weft_list_remove(&handle->link);
    io->handle_count--;
    weft_io_socket_close(handle->number, resets);
    handle->number = -1;
}

struct weft_io weft_uring_io_interface(struct weft_uring_io *io)
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
                            .name = "uring",
                            .self = io};
}

// ---- The turn.

static uint32_t tell_over(struct weft_uring_io *io)
{
    struct weft_list over;
    uint32_t count = 0;
    weft_list_init(&over);
    // What is cancelled meanwhile is for the next time.
    for (struct weft_list *link; (link = weft_list_pop(&io->over)) != NULL;)
        weft_list_append(&over, link);
    for (struct weft_io_op *op; (op = first_of(&over)) != NULL; count++)
        tell(op, op->result);
    return count;
}

static uint32_t io_poll(void *self, uint64_t now_ns)
{
    (void)now_ns;
    return tell_over(self);
}

static void io_flush(void *self, uint64_t now_ns)
{
    struct weft_uring_io *io = self;
    (void)now_ns;
    if (io->uring == NULL) return;
    if (io->owes_cancels) io->owes_cancels = !ask_all_back(io, true);
    while (!weft_list_empty(&io->waiting)) {
        struct weft_io_op *op = WEFT_CONTAINER_OF(io->waiting.next, struct weft_io_op, link);
        weft_list_remove(&op->link);
        if (submit(io, op)) continue;
        weft_list_prepend(&io->waiting, &op->link);
        return;
    }
}

static uint64_t io_due_ns(void *self)
{
    const struct weft_uring_io *io = self;
    const bool waits = !weft_list_empty(&io->waiting) || io->owes_cancels;
    return (waits && io->uring != NULL) || !weft_list_empty(&io->over) ? 0 : UINT64_MAX;
}

struct weft_poller weft_uring_io_poller(struct weft_uring_io *io)
{
    return (struct weft_poller){
        .name = "uring_io", .poll = io_poll, .flush = io_flush, .due_ns = io_due_ns, .self = io};
}

// ---- Its life.

void weft_uring_io_init(struct weft_uring_io *io, uint32_t handle_count_max)
{
    memset(io, 0, sizeof(*io));
    weft_list_init(&io->handles);
    weft_list_init(&io->under_way);
    weft_list_init(&io->waiting);
    weft_list_init(&io->over);
    io->handle_count_max = handle_count_max;
}

int weft_uring_io_attach(struct weft_uring_io *io, struct weft_uring *uring)
{
    weft_assert(io->uring == NULL);
    io->uring = uring;
    const int result = open_buffers(io);
    if (result != 0) {
        close_buffers(io);
        io->uring = NULL;
    }
    return result;
}

void weft_uring_io_detach(struct weft_uring_io *io)
{
    if (io->uring == NULL) return;
    io->parks = true;
    // Cancelled, or done: the kernel has an answer for each, and one for each question.
    while (!weft_list_empty(&io->under_way)) {
        (void)ask_all_back(io, false);
        (void)io_uring_submit_and_wait(&io->uring->ring, 1);
        weft_uring_reap(io->uring);
    }
    close_buffers(io);
    io->parks = false;
    io->uring = NULL;
}

void weft_uring_io_close(struct weft_uring_io *io)
{
    weft_assert(io->uring == NULL);
    for (struct weft_io_op *op; (op = first_of(&io->waiting)) != NULL;)
        tell(op, -ECANCELED);
    while (tell_over(io) > 0)
        continue;
    while (!weft_list_empty(&io->handles))
        close_handle(io, WEFT_CONTAINER_OF(io->handles.next, struct weft_io_handle, link), false);
}
