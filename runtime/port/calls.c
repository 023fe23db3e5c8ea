// calls.c: what actors call: done here and now if the port is on this core, else asked for.
#include <errno.h>
#include <string.h>

#include "runtime/actor/internal.h"
#include "runtime/port/stream.h"

int weft_port_ask(struct weft_actor *self, weft_pid pid, uint16_t type, const void *args,
                  size_t args_length, const void *bytes, size_t length, uint64_t timeout_ns)
{
    if (length > UINT32_MAX / 4) return -ENOMEM;
    struct weft_message *block =
        weft_message_alloc_hidden(self->system, (uint32_t)(args_length + length));
    if (block != NULL && args_length > 0) memcpy(block->payload, args, args_length);
    if (block != NULL && length > 0) memcpy(block->payload + args_length, bytes, length);
    weft_actor_charge(self, WEFT_MESSAGE_REDUCTIONS);
    return weft_call_ask(self, pid, type, WEFT_PORT_CALL_CANCEL, block, timeout_ns);
}

int weft_port_order(struct weft_actor *self, weft_pid pid, uint16_t type, const void *bytes,
                    size_t length)
{
    struct weft_port *port = weft_port_here(self->system, pid);
    int result;
    if (port != NULL) {
        weft_actor_charge(self, WEFT_MESSAGE_REDUCTIONS);
        result = weft_port_obey(port, self->pid, type, bytes, length);
    } else {
        result = weft_port_ask(self, pid, type, bytes, length, NULL, 0, WEFT_FOREVER);
        weft_receive_drop_answer(self);
    }
    return result;
}

int weft_port_status(const struct weft_message *message)
{
    int32_t status = 0;
    if (message->tag == WEFT_MESSAGE_PORT && message->type == WEFT_PORT_CLOSED &&
        message->length == sizeof(status))
        memcpy(&status, message->payload, sizeof(status));
    return status;
}

// ---- Any port.

int weft_port_mode(struct weft_actor *self, weft_pid port, enum weft_port_mode mode, uint32_t count)
{
    const struct weft_port_mode_args args = {.mode = (uint32_t)mode, .count = count};
    enter(self);
    const int result = weft_port_order(self, port, WEFT_PORT_CALL_MODE, &args, sizeof(args));
    leave(self);
    return result;
}

int weft_port_give(struct weft_actor *self, weft_pid port, weft_pid to)
{
    enter(self);
    const int result = weft_port_order(self, port, WEFT_PORT_CALL_GIVE, &to, sizeof(to));
    leave(self);
    return result;
}

int weft_port_close(struct weft_actor *self, weft_pid port)
{
    enter(self);
    const int result = weft_port_order(self, port, WEFT_PORT_CALL_CLOSE, NULL, 0);
    leave(self);
    return result == -EPIPE ? -ESRCH : result; // It ended while it was being told.
}

int weft_port_finish(struct weft_actor *self, weft_pid port)
{
    enter(self);
    const int result = weft_port_order(self, port, WEFT_PORT_CALL_FINISH, NULL, 0);
    leave(self);
    return result;
}

int weft_port_info(struct weft_actor *self, weft_pid pid, struct weft_port_info *info)
{
    struct weft_actor_system *system = enter(self);
    const struct weft_port *port = weft_port_here(system, pid);
    int result = 0;
    if (port != NULL) {
        weft_port_describe(port, info);
    } else {
        result = weft_port_ask(self, pid, WEFT_PORT_CALL_INFO, NULL, 0, NULL, 0, WEFT_FOREVER);
        if (result == 0) memcpy(info, self->answer->payload, sizeof(*info));
        weft_receive_drop_answer(self);
    }
    leave(self);
    return result;
}

// ---- Streams.

// A stream of this core.
static struct weft_stream *stream_here(struct weft_actor_system *system, weft_pid pid)
{
    struct weft_port *port = weft_port_here(system, pid);
    return port != NULL && port->type->is_stream ? weft_stream_of(port) : NULL;
}

static int64_t read_by_call(struct weft_actor *self, weft_pid pid, void *bytes, size_t limit,
                            uint64_t timeout_ns)
{
    const struct weft_port_ask ask = {.limit = limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX,
                                      .now = timeout_ns == 0};
    int64_t result = weft_port_ask(self, pid, WEFT_PORT_CALL_READ, &ask, sizeof(ask), NULL, 0,
                                   timeout_ns == 0 ? WEFT_FOREVER : timeout_ns);
    if (result == 0) {
        result = self->answer->length;
        if (result > 0) memcpy(bytes, self->answer->payload, (size_t)result);
    }
    weft_receive_drop_answer(self);
    return result;
}

int64_t weft_port_read(struct weft_actor *self, weft_pid port, void *bytes, size_t limit,
                       uint64_t timeout_ns)
{
    struct weft_actor_system *system = enter(self);
    struct weft_stream *stream = stream_here(system, port);
    int64_t result = limit > 0 ? -EAGAIN : -EINVAL;
    bool is_to_ask = limit > 0 && stream == NULL;
    if (limit > 0 && stream != NULL) {
        weft_actor_charge(self, WEFT_MESSAGE_REDUCTIONS);
        result = weft_input_read(stream, bytes, limit);
        is_to_ask = result == -EAGAIN && timeout_ns != 0;
    }
    if (is_to_ask) result = read_by_call(self, port, bytes, limit, timeout_ns);
    leave(self);
    return result;
}

int weft_port_write(struct weft_actor *self, weft_pid port, const void *bytes, size_t length,
                    uint64_t timeout_ns)
{
    struct weft_actor_system *system = enter(self);
    struct weft_stream *stream = stream_here(system, port);
    int result = -EAGAIN;
    bool is_to_ask = stream == NULL;
    if (stream != NULL) {
        weft_actor_charge(self, WEFT_MESSAGE_REDUCTIONS);
        if (weft_list_empty(&stream->output.writers)) // Who waits was first.
            result = weft_output_write(stream, bytes, length);
        is_to_ask = result == -EAGAIN && timeout_ns != 0;
    }
    if (is_to_ask) {
        const uint16_t type = timeout_ns == 0 ? WEFT_PORT_CALL_WRITE_NOW : WEFT_PORT_CALL_WRITE;
        result = weft_port_ask(self, port, type, NULL, 0, bytes, length,
                               timeout_ns == 0 ? WEFT_FOREVER : timeout_ns);
        weft_receive_drop_answer(self);
    }
    leave(self);
    return result;
}

// ---- Connections.

int weft_tcp_connect(struct weft_actor *self, const struct weft_address *address,
                     const struct weft_port_options *options, uint64_t timeout_ns, weft_pid *port)
{
    struct weft_actor_system *system = enter(self);
    const struct weft_port_options chosen = weft_port_options_of(options);
    struct weft_stream *stream;
    int result = -ENOTSUP;
    *port = 0;
    if (system->ports != NULL && system->ports->io.self != NULL)
        result = weft_stream_connect(system->ports, self->pid, address, &chosen, &stream);
    if (result == 0) {
        const weft_pid pid = stream->port.pid; // From here on it may go at any time.
        result = weft_port_ask(self, pid, WEFT_PORT_CALL_OPENED, NULL, 0, NULL, 0, timeout_ns);
        weft_receive_drop_answer(self);
        if (result == 0) *port = pid;
        // Refused in our own house: the call was not made, so nobody else ends it.
        if (result != 0) weft_actor_kill(self->system, pid, WEFT_EXIT_NORMAL);
    }
    leave(self);
    return result;
}
