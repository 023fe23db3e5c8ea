// stream.c: connections, from their opening to their end; what files have in common with them.
#include "runtime/port/stream.h"

#include <errno.h>
#include <string.h>

#include "runtime/actor/internal.h"

// ---- Opening.

static void linger_is_over(void *self, struct weft_timer *timer, uint64_t now_ns);

void weft_stream_init(struct weft_stream *stream, const struct weft_port_options *options)
{
    weft_input_init(stream, options);
    weft_output_init(stream, options);
    weft_timer_init(&stream->linger, linger_is_over, stream);
    stream->linger_ns = options->linger_ns != 0 ? options->linger_ns : WEFT_PORT_LINGER_NS;
}

struct weft_io_socket weft_stream_socket(const struct weft_port_options *options)
{
    return (struct weft_io_socket){.backlog = options->backlog,
                                   .receive_bytes = options->receive_bytes,
                                   .send_bytes = options->send_bytes,
                                   .keepalive_s = options->keepalive_s,
                                   .unanswered_ms = options->unanswered_ms,
                                   .delays = options->delays,
                                   .is_shared = options->is_shared};
}

static int make(struct weft_ports *ports, weft_pid owner, const struct weft_port_options *options,
                struct weft_stream **stream)
{
    struct weft_port *port;
    const int result = weft_port_make(ports, &weft_stream_tcp_type, owner, options, &port);
    if (result != 0) return result;
    *stream = weft_stream_of(port);
    weft_stream_init(*stream, options);
    return 0;
}

int weft_stream_adopt(struct weft_ports *ports, weft_pid owner,
                      const struct weft_port_options *options, int32_t number,
                      struct weft_stream **stream)
{
    const struct weft_io *io = &ports->io;
    int result = make(ports, owner, options, stream);
    if (result != 0) {
        io->discard(io->self, number);
        return result;
    }
    result = io->adopt(io->self, &(*stream)->port.handle, number);
    if (result != 0) {
        weft_port_end(&(*stream)->port);
        return result;
    }
    (*stream)->is_open = true;
    weft_counter_add(&ports->stats.accepted_count, 1);
    return 0;
}

static void connected(struct weft_io_op *op, int32_t result)
{
    struct weft_output *output = WEFT_CONTAINER_OF(op, struct weft_output, giving);
    struct weft_stream *stream = WEFT_CONTAINER_OF(output, struct weft_stream, output);
    output->is_giving = false;
    if (stream->port.actor == NULL || stream->port.ports->is_over) {
        weft_port_settle(&stream->port);
        return;
    }
    if (result == 0) weft_counter_add(&stream->port.ports->stats.connected_count, 1);
    weft_stream_opened(stream, result);
}

int weft_stream_connect(struct weft_ports *ports, weft_pid owner,
                        const struct weft_address *address, const struct weft_port_options *options,
                        struct weft_stream **stream)
{
    const struct weft_io *io = &ports->io;
    const struct weft_io_socket socket = weft_stream_socket(options);
    int result = make(ports, owner, options, stream);
    if (result != 0) return result;
    result = io->socket(io->self, &(*stream)->port.handle, &socket);
    if (result != 0) {
        weft_port_end(&(*stream)->port);
        return result;
    }
    struct weft_io_op *op = &(*stream)->output.giving;
    op->kind = WEFT_IO_CONNECT;
    op->handle = &(*stream)->port.handle;
    op->done = connected;
    op->address = (struct weft_io_address){.host = address->host, .port = address->port};
    (*stream)->output.is_giving = true;
    io->start(io->self, op);
    return 0;
}

static void answer_opener(struct weft_stream *stream)
{
    struct weft_message *opener = stream->opener;
    if (opener == NULL || (!stream->is_open && stream->open_status == 0)) return;
    stream->opener = NULL;
    weft_call_fail(weft_port_system(&stream->port), opener, stream->open_status);
    if (!stream->is_open) weft_port_end(&stream->port);
}

void weft_stream_opened(struct weft_stream *stream, int status)
{
    stream->is_open = status >= 0;
    stream->open_status = status >= 0 ? 0 : status;
    if (stream->port.is_closing) {
        weft_stream_close_on(stream);
        return;
    }
    answer_opener(stream);
    weft_stream_get_on(&stream->port);
    if (stream->output.unsent_bytes > 0) weft_port_flush_later(&stream->port);
}

// ---- Calls.

void weft_stream_serve(struct weft_port *port, struct weft_message *call)
{
    struct weft_stream *stream = weft_stream_of(port);
    switch (call->type) {
    case WEFT_PORT_CALL_READ: weft_input_serve(stream, call); break;
    case WEFT_PORT_CALL_WRITE:
    case WEFT_PORT_CALL_WRITE_NOW: weft_output_serve(stream, call); break;
    case WEFT_PORT_CALL_OPENED:
        if (stream->opener == NULL) {
            stream->opener = call;
            answer_opener(stream);
            break;
        }
        // Fall through.
    default: weft_call_fail(weft_port_system(port), call, -EINVAL); break;
    }
}

int weft_stream_obey(struct weft_port *port, uint16_t type, const void *bytes, size_t length)
{
    (void)bytes, (void)length;
    return type == WEFT_PORT_CALL_FINISH ? weft_output_finish(weft_stream_of(port)) : -EINVAL;
}

struct weft_message *weft_stream_take_back(struct weft_port *port, uint64_t reference)
{
    struct weft_stream *stream = weft_stream_of(port);
    struct weft_message *call = stream->opener;
    if (call != NULL && call->reference == reference) { // Then nobody wants it at all.
        stream->opener = NULL;
        weft_port_end(port);
        return call;
    }
    call = weft_port_take_call(&stream->input.readers, reference);
    return call != NULL ? call : weft_port_take_call(&stream->output.writers, reference);
}

void weft_stream_get_on(struct weft_port *port)
{
    weft_input_get_on(weft_stream_of(port));
}

void weft_stream_flush(struct weft_port *port)
{
    weft_output_flush(weft_stream_of(port));
}

void weft_stream_describe(const struct weft_port *port, struct weft_port_info *info)
{
    const struct weft_stream *stream = WEFT_CONTAINER_OF(port, struct weft_stream, port);
    info->kind = stream->is_file ? WEFT_PORT_KIND_FILE : WEFT_PORT_KIND_TCP;
    info->unsent_bytes = stream->output.unsent_bytes;
}

// ---- Its end.

// What is still unsent has had its time.
static void linger_is_over(void *self, struct weft_timer *timer, uint64_t now_ns)
{
    struct weft_stream *stream = self;
    (void)timer, (void)now_ns;
    if (stream->output.unsent_bytes > 0) stream->port.resets = true;
    weft_port_end(&stream->port);
}

void weft_stream_close_on(struct weft_stream *stream)
{
    const struct weft_output *output = &stream->output;
    const struct weft_io *io = &stream->port.ports->io;
    if (!stream->port.is_closing) return;
    if (stream->is_open &&
        (output->unsent_bytes > 0 || output->is_giving || stream->busy_count > 0))
        return;
    if (stream->output.is_giving) { // It connects.
        io->cancel(io->self, &stream->output.giving);
        return;
    }
    if (!stream->input.is_taking) weft_port_end(&stream->port);
}

void weft_stream_close(struct weft_port *port)
{
    struct weft_stream *stream = weft_stream_of(port);
    struct weft_core *core = weft_port_system(port)->core;
    weft_input_stop(stream, -EPIPE);
    weft_port_fail_calls(port, &stream->output.writers, -EPIPE);
    weft_wheel_arm(&core->wheel, &stream->linger, core->now_ns + stream->linger_ns);
    weft_stream_close_on(stream);
}

void weft_stream_abandon(struct weft_port *port)
{
    struct weft_stream *stream = weft_stream_of(port);
    weft_wheel_cancel(&weft_port_system(port)->core->wheel, &stream->linger);
    weft_input_stop(stream, -EPIPE);
    weft_output_stop(stream, -EPIPE);
    if (stream->opener != NULL) weft_call_fail(weft_port_system(port), stream->opener, -EPIPE);
    stream->opener = NULL;
}

bool weft_stream_is_idle(const struct weft_port *port)
{
    const struct weft_stream *stream = WEFT_CONTAINER_OF(port, struct weft_stream, port);
    return !stream->input.is_taking && !stream->output.is_giving;
}

void weft_stream_release(struct weft_port *port)
{
    weft_input_destroy(weft_stream_of(port));
}

const struct weft_port_type weft_stream_tcp_type = {.kind = WEFT_PORT_ACTOR("tcp"),
                                                    .bytes = sizeof(struct weft_stream),
                                                    .window_count = WEFT_PORT_WINDOW_COUNT,
                                                    .is_stream = true,
                                                    .serve = weft_stream_serve,
                                                    .obey = weft_stream_obey,
                                                    .take_back = weft_stream_take_back,
                                                    .get_on = weft_stream_get_on,
                                                    .flush = weft_stream_flush,
                                                    .close = weft_stream_close,
                                                    .abandon = weft_stream_abandon,
                                                    .is_idle = weft_stream_is_idle,
                                                    .release = weft_stream_release,
                                                    .describe = weft_stream_describe};
