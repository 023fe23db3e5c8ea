// file.c: a file: a stream from its start on, and reads and writes at any place beside it.
//
// Each of the latter is a call that waits for its operation: the kernel reads out of the call's own
// block, or writes into the answer's. So a file that is ended answers those that are under way when
// the kernel lets go of them.
#include <errno.h>
#include <string.h>

#include "runtime/actor/internal.h"
#include "runtime/port/stream.h"

#define JOBS_MAX    16           // Under way at once; more wait.
#define CHUNK_BYTES (256 * 1024) // Of a long read or write: one call moves so many.

struct file {
    struct weft_stream stream;
    struct weft_message *path; // Until it is open.
    struct weft_list waiting;  // Calls, oldest first.
    struct weft_list jobs;
    uint32_t job_count;
};

struct job {
    struct weft_list link;
    struct file *file;
    struct weft_message *call, *answer; // `answer` of a READ.
    struct weft_io_op op;
    struct iovec span;
    uint32_t done; // Bytes of a WRITE.
};

struct at { // In front of what is to be written; what a READ wants.
    uint64_t offset;
    uint64_t length;
};

struct bytes_read { // The answer to a READ.
    uint64_t length;
    uint64_t reserved;
    uint8_t bytes[];
};

static struct file *file_of(struct weft_port *port)
{
    return WEFT_CONTAINER_OF(weft_stream_of(port), struct file, stream);
}

// ---- At an offset.

static void next_job(struct file *file);

static void release_job(struct job *job)
{
    struct file *file = job->file;
    struct weft_actor_system *system = weft_port_system(&file->stream.port);
    if (job->answer != NULL) weft_message_release_block(system, job->answer);
    weft_list_remove(&job->link);
    file->job_count--;
    file->stream.busy_count--;
    weft_arena_release(system->arena, job, sizeof(*job));
}

// Answers the call with `result`: an errno, or how much was written, which a caller gets as it is.
static void end_job(struct job *job, int result)
{
    struct file *file = job->file;
    struct weft_port *port = &file->stream.port;
    weft_call_fail(weft_port_system(port), job->call, result);
    release_job(job);
    if (port->actor == NULL) {
        weft_port_settle(port);
        return;
    }
    next_job(file);
    weft_stream_close_on(&file->stream);
}

static void end_read(struct job *job, int32_t result)
{
    struct weft_port *port = &job->file->stream.port;
    struct bytes_read *read = (struct bytes_read *)(void *)job->answer->payload;
    struct file *file = job->file;
    read->length = (uint32_t)result;
    port->received_bytes += (uint32_t)result;
    port->received_count++;
    weft_port_answer(port, job->call, job->answer);
    job->answer = NULL;
    release_job(job);
    next_job(file);
    weft_stream_close_on(&file->stream);
}

static void start_job(struct job *job)
{
    const struct weft_io *io = &job->file->stream.port.ports->io;
    io->start(io->self, &job->op);
}

static void job_done(struct weft_io_op *op, int32_t result)
{
    struct job *job = WEFT_CONTAINER_OF(op, struct job, op);
    struct weft_port *port = &job->file->stream.port;
    if (port->ports->is_over) { // Whoever has called is not there any more.
        job->file->job_count--;
        return;
    }
    if (port->actor == NULL) {
        end_job(job, -EPIPE);
    } else if (op->kind == WEFT_IO_READ && result >= 0) {
        end_read(job, result);
    } else if (op->kind == WEFT_IO_WRITE && result > 0) {
        job->done += (uint32_t)result;
        port->sent_bytes += (uint32_t)result;
        op->offset += (uint32_t)result;
        job->span.iov_base = (uint8_t *)job->span.iov_base + result;
        job->span.iov_len -= (uint32_t)result;
        if (job->span.iov_len > 0)
            start_job(job);
        else
            end_job(job, (int)job->done);
    } else if (op->kind == WEFT_IO_WRITE) { // What was written before it failed, was written.
        end_job(job, job->done > 0 ? (int)job->done : result < 0 ? result : -EIO);
    } else {
        end_job(job, result);
    }
}

// What is asked of the kernel. 0; or why it cannot be.
static int prepare(struct job *job)
{
    struct weft_message *call = job->call;
    struct at at;
    if (call->type == WEFT_PORT_CALL_FILE_SYNC) {
        job->op.kind = WEFT_IO_SYNC;
        return 0;
    }
    if (call->length < sizeof(at)) return -EINVAL;
    memcpy(&at, call->payload, sizeof(at));
    job->op.offset = at.offset;
    if (call->type == WEFT_PORT_CALL_FILE_WRITE) {
        job->op.kind = WEFT_IO_WRITE;
        job->span = (struct iovec){.iov_base = call->payload + sizeof(at),
                                   .iov_len = call->length - sizeof(at)};
        job->op.spans = &job->span;
        job->op.count = 1;
        return job->span.iov_len > 0 ? 0 : -EINVAL;
    }
    if (at.length == 0 || at.length > CHUNK_BYTES) return -EINVAL;
    job->answer = weft_message_alloc_hidden(weft_port_system(&job->file->stream.port),
                                            (uint32_t)(sizeof(struct bytes_read) + at.length));
    if (job->answer == NULL) return -ENOMEM;
    job->op.kind = WEFT_IO_READ;
    job->op.to = ((struct bytes_read *)(void *)job->answer->payload)->bytes;
    job->op.count = (uint32_t)at.length;
    return 0;
}

static void begin_job(struct file *file, struct weft_message *call)
{
    struct weft_actor_system *system = weft_port_system(&file->stream.port);
    struct job *job = weft_arena_alloc_zeroed(system->arena, sizeof(*job));
    if (job == NULL) {
        file->stream.busy_count--;
        weft_call_fail(system, call, -ENOMEM);
        return;
    }
    job->file = file;
    job->call = call;
    job->op.handle = &file->stream.port.handle;
    job->op.done = job_done;
    weft_list_append(&file->jobs, &job->link);
    file->job_count++;
    const int result = prepare(job);
    if (result == 0)
        start_job(job);
    else
        end_job(job, result);
}

static void next_job(struct file *file)
{
    while (file->job_count < JOBS_MAX && !weft_list_empty(&file->waiting))
        begin_job(file, weft_message_of(weft_list_pop(&file->waiting)));
}

// ---- A kind of port.

static void serve(struct weft_port *port, struct weft_message *call)
{
    struct file *file = file_of(port);
    switch (call->type) {
    case WEFT_PORT_CALL_FILE_READ:
    case WEFT_PORT_CALL_FILE_WRITE:
    case WEFT_PORT_CALL_FILE_SYNC:
        weft_list_append(&file->waiting, weft_message_link(call));
        file->stream.busy_count++;
        next_job(file);
        break;
    default: weft_stream_serve(port, call); break;
    }
}

static struct weft_message *take_back(struct weft_port *port, uint64_t reference)
{
    struct file *file = file_of(port);
    struct weft_message *call = weft_port_take_call(&file->waiting, reference);
    if (call == NULL) return weft_stream_take_back(port, reference);
    file->stream.busy_count--;
    return call;
}

static void abandon(struct weft_port *port)
{
    struct file *file = file_of(port);
    const struct weft_io *io = &port->ports->io;
    weft_port_fail_calls(port, &file->waiting, -EPIPE);
    WEFT_LIST_FOR_EACH (link, &file->jobs)
        io->cancel(io->self, &WEFT_CONTAINER_OF(link, struct job, link)->op);
    weft_stream_abandon(port);
}

static bool is_idle(const struct weft_port *port)
{
    const struct weft_stream *stream = WEFT_CONTAINER_OF(port, struct weft_stream, port);
    const struct file *file = WEFT_CONTAINER_OF(stream, struct file, stream);
    return file->job_count == 0 && weft_stream_is_idle(port);
}

static void release(struct weft_port *port)
{
    struct file *file = file_of(port);
    struct weft_actor_system *system = weft_port_system(port);
    if (file->path != NULL && !port->ports->is_over) weft_message_release_block(system, file->path);
    file->path = NULL;
    for (struct weft_list *link; file->jobs.next != NULL && // Zero in one that was never made.
                                 (link = weft_list_pop(&file->jobs)) != NULL;)
        weft_arena_release(system->arena, WEFT_CONTAINER_OF(link, struct job, link),
                           sizeof(struct job));
    weft_stream_release(port);
}

static const struct weft_port_type file_type = {.kind = WEFT_PORT_ACTOR("file"),
                                                .bytes = sizeof(struct file),
                                                .window_count = WEFT_PORT_WINDOW_COUNT,
                                                .is_stream = true,
                                                .serve = serve,
                                                .obey = weft_stream_obey,
                                                .take_back = take_back,
                                                .get_on = weft_stream_get_on,
                                                .flush = weft_stream_flush,
                                                .close = weft_stream_close,
                                                .abandon = abandon,
                                                .is_idle = is_idle,
                                                .release = release,
                                                .describe = weft_stream_describe};

// ---- Opening.

static void opened(struct weft_io_op *op, int32_t result)
{
    struct weft_input *input = WEFT_CONTAINER_OF(op, struct weft_input, taking);
    struct weft_stream *stream = WEFT_CONTAINER_OF(input, struct weft_stream, input);
    struct weft_port *port = &stream->port;
    const struct weft_io *io = &port->ports->io;
    input->is_taking = false;
    if (port->actor == NULL || port->ports->is_over || port->is_closing) {
        if (result >= 0) io->discard(io->self, result);
        if (port->actor != NULL && !port->ports->is_over)
            weft_stream_opened(stream, -ECANCELED);
        else
            weft_port_settle(port);
        return;
    }
    if (result >= 0) result = io->adopt(io->self, &port->handle, result);
    weft_stream_opened(stream, result);
}

static int open_file(struct weft_ports *ports, weft_pid owner, const char *path, int flags,
                     uint32_t mode, const struct weft_port_options *options, weft_pid *pid)
{
    const struct weft_io *io = &ports->io;
    const size_t path_bytes = strlen(path) + 1;
    struct weft_port *port;
    if (path_bytes > 4096) return -ENAMETOOLONG;
    const int result = weft_port_make(ports, &file_type, owner, options, &port);
    if (result != 0) return result;
    struct file *file = file_of(port);
    weft_stream_init(&file->stream, options);
    file->stream.is_file = true;
    weft_list_init(&file->waiting);
    weft_list_init(&file->jobs);
    file->path = weft_message_alloc_hidden(ports->system, (uint32_t)path_bytes);
    if (file->path == NULL) {
        weft_port_end(port);
        return -ENOMEM;
    }
    memcpy(file->path->payload, path, path_bytes);
    struct weft_io_op *op = &file->stream.input.taking;
    op->kind = WEFT_IO_OPEN;
    op->handle = NULL;
    op->done = opened;
    op->path = (const char *)file->path->payload;
    op->flags = flags;
    op->mode = mode;
    file->stream.input.is_taking = true;
    io->start(io->self, op);
    *pid = port->pid;
    return 0;
}

// ---- The callers.

int weft_file_open(struct weft_actor *self, const char *path, int flags, uint32_t mode,
                   const struct weft_port_options *options, weft_pid *port)
{
    struct weft_actor_system *system = enter(self);
    const struct weft_port_options chosen = weft_port_options_of(options);
    weft_pid pid = 0;
    int result = -ENOTSUP;
    *port = 0;
    if (system->ports != NULL && system->ports->io.self != NULL)
        result = open_file(system->ports, self->pid, path, flags, mode, &chosen, &pid);
    if (result == 0) {
        result = weft_port_ask(self, pid, WEFT_PORT_CALL_OPENED, NULL, 0, NULL, 0, WEFT_FOREVER);
        weft_receive_drop_answer(self);
        if (result == 0)
            *port = pid;
        else
            weft_actor_kill(self->system, pid, WEFT_EXIT_NORMAL);
    }
    leave(self);
    return result;
}

// One piece of a read. Bytes, or a negative errno.
static int64_t read_piece(struct weft_actor *self, weft_pid port, uint64_t offset, uint8_t *to,
                          size_t length)
{
    const struct at at = {.offset = offset, .length = length};
    const int result =
        weft_port_ask(self, port, WEFT_PORT_CALL_FILE_READ, &at, sizeof(at), NULL, 0, WEFT_FOREVER);
    int64_t got = result;
    if (result == 0) {
        const struct bytes_read *read =
            (const struct bytes_read *)(const void *)self->answer->payload;
        got = (int64_t)read->length;
        memcpy(to, read->bytes, (size_t)got);
    }
    weft_receive_drop_answer(self);
    return got;
}

int64_t weft_file_read(struct weft_actor *self, weft_pid port, uint64_t offset, void *bytes,
                       size_t length)
{
    enter(self);
    int64_t got = 0;
    size_t done = 0;
    while (done < length) {
        const size_t piece = length - done < CHUNK_BYTES ? length - done : CHUNK_BYTES;
        got = read_piece(self, port, offset + done, (uint8_t *)bytes + done, piece);
        if (got <= 0) break;
        done += (size_t)got;
    }
    leave(self);
    return done > 0 || got >= 0 ? (int64_t)done : got;
}

int64_t weft_file_write(struct weft_actor *self, weft_pid port, uint64_t offset, const void *bytes,
                        size_t length)
{
    enter(self);
    int result = 0;
    size_t done = 0;
    while (done < length) {
        const size_t piece = length - done < CHUNK_BYTES ? length - done : CHUNK_BYTES;
        const struct at at = {.offset = offset + done, .length = piece};
        result = weft_port_ask(self, port, WEFT_PORT_CALL_FILE_WRITE, &at, sizeof(at),
                               (const uint8_t *)bytes + done, piece, WEFT_FOREVER);
        weft_receive_drop_answer(self);
        if (result <= 0) break;
        done += (size_t)result;
        if ((size_t)result < piece) break;
    }
    leave(self);
    return done > 0 || result >= 0 ? (int64_t)done : result;
}

int weft_file_sync(struct weft_actor *self, weft_pid port)
{
    enter(self);
    const int result =
        weft_port_ask(self, port, WEFT_PORT_CALL_FILE_SYNC, NULL, 0, NULL, 0, WEFT_FOREVER);
    weft_receive_drop_answer(self);
    leave(self);
    return result;
}
