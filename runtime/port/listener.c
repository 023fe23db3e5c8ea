// listener.c: a port that takes connections: for its owner, as messages, or for who waits for one.
//
// Nothing is accepted that nobody wants: it waits in the kernel, as many as `backlog` says, and
// then the peers wait. Accepted and not given away yet are only those that came while the kernel
// was being told to stop.
#include <errno.h>
#include <string.h>

#include "runtime/actor/internal.h"
#include "runtime/port/stream.h"

struct listener {
    struct weft_port port;
    struct weft_port_options options; // Of its connections as well.
    struct weft_io_op accepting;
    bool is_accepting;
    int status;               // What it has failed with.
    struct weft_list callers; // ACCEPT calls, oldest first.
    int32_t *numbers;         // Accepted, and nobody's yet, oldest first.
    uint32_t number_count, number_capacity;
    struct weft_timer retry; // After there were no descriptors.
};

static struct listener *listener_of(struct weft_port *port)
{
    return WEFT_CONTAINER_OF(port, struct listener, port);
}

static void discard(struct listener *listener, int32_t number)
{
    const struct weft_io *io = &listener->port.ports->io;
    io->discard(io->self, number);
}

static void refuse(struct listener *listener, int32_t number)
{
    discard(listener, number);
    listener->port.dropped_count++;
    weft_counter_add(&listener->port.ports->stats.refused_count, 1);
}

// ---- Those that have been accepted.

static void keep(struct listener *listener, int32_t number)
{
    struct weft_arena *arena = weft_port_system(&listener->port)->arena;
    if (listener->number_count == listener->number_capacity) {
        const uint32_t capacity =
            listener->number_capacity != 0 ? 2 * listener->number_capacity : 16;
        int32_t *numbers = weft_arena_alloc(arena, capacity * sizeof(*numbers));
        if (numbers == NULL) {
            refuse(listener, number);
            return;
        }
        if (listener->number_count > 0)
            memcpy(numbers, listener->numbers, listener->number_count * sizeof(*numbers));
        weft_arena_release(arena, listener->numbers, listener->number_capacity * sizeof(*numbers));
        listener->numbers = numbers;
        listener->number_capacity = capacity;
    }
    listener->numbers[listener->number_count++] = number;
}

static int32_t pop(struct listener *listener)
{
    const int32_t number = listener->numbers[0];
    listener->number_count--;
    memmove(listener->numbers, listener->numbers + 1,
            listener->number_count * sizeof(*listener->numbers));
    return number;
}

// A port for it. NULL: there is no memory; it is refused.
static struct weft_stream *make_port(struct listener *listener, weft_pid owner, int32_t number,
                                     struct weft_accepted *accepted)
{
    struct weft_ports *ports = listener->port.ports;
    struct weft_stream *stream;
    struct weft_io_address peer = {0};
    if (weft_stream_adopt(ports, owner, &listener->options, number, &stream) != 0) {
        listener->port.dropped_count++;
        weft_counter_add(&ports->stats.refused_count, 1);
        return NULL;
    }
    // One that has gone already has no address any more: its first read will say so.
    (void)ports->io.address(ports->io.self, &stream->port.handle, true, &peer);
    *accepted = (struct weft_accepted){.port = stream->port.pid,
                                       .peer = {.host = peer.host, .port = peer.port}};
    listener->port.received_count++;
    return stream;
}

static void give_owner(struct listener *listener, int32_t number)
{
    struct weft_port *port = &listener->port;
    struct weft_message *message =
        weft_port_message(port, WEFT_PORT_ACCEPTED, sizeof(struct weft_accepted));
    if (message == NULL) {
        refuse(listener, number);
        return;
    }
    struct weft_accepted *accepted = (struct weft_accepted *)(void *)message->payload;
    if (make_port(listener, port->owner, number, accepted) != NULL)
        weft_port_deliver(port, message);
    else
        weft_message_release_block(weft_port_system(port), message);
}

static void give_caller(struct listener *listener, int32_t number)
{
    struct weft_actor_system *system = weft_port_system(&listener->port);
    struct weft_message *call = weft_message_of(weft_list_pop(&listener->callers));
    struct weft_message *answer = weft_message_alloc_hidden(system, sizeof(struct weft_accepted));
    struct weft_accepted *accepted =
        answer != NULL ? (struct weft_accepted *)(void *)answer->payload : NULL;
    if (answer == NULL)
        refuse(listener, number);
    else if (make_port(listener, call->from, number, accepted) != NULL) {
        weft_port_answer(&listener->port, call, answer);
        return;
    } else {
        weft_message_release_block(system, answer);
    }
    weft_call_fail(system, call, -ENOMEM);
}

// ---- Accepting.

static void start_accepting(struct listener *listener);

static bool is_wanted(struct listener *listener)
{
    return !weft_list_empty(&listener->callers) || weft_port_may_deliver(&listener->port);
}

static void get_on(struct weft_port *port)
{
    struct listener *listener = listener_of(port);
    const struct weft_io *io = &port->ports->io;
    if (port->is_closing) return;
    if (port->mode != WEFT_PORT_MODE_PASSIVE)
        weft_port_fail_calls(port, &listener->callers, -EBUSY);
    if (listener->status != 0) {
        weft_port_fail_calls(port, &listener->callers, listener->status);
        if (port->mode != WEFT_PORT_MODE_PASSIVE) weft_port_fail(port, listener->status);
        return;
    }
    while (listener->number_count > 0 && is_wanted(listener)) {
        if (!weft_list_empty(&listener->callers))
            give_caller(listener, pop(listener));
        else
            give_owner(listener, pop(listener));
    }
    if (!is_wanted(listener)) {
        if (listener->is_accepting) io->cancel(io->self, &listener->accepting);
    } else if (!listener->is_accepting && !weft_timer_armed(&listener->retry)) {
        start_accepting(listener);
    }
}

static bool is_want_of_something(int32_t result)
{
    return result == -EMFILE || result == -ENFILE || result == -ENOBUFS || result == -ENOMEM;
}

static void failed(struct listener *listener, int32_t result)
{
    struct weft_port *port = &listener->port;
    if (!is_want_of_something(result)) {
        listener->status = result;
        return;
    }
    weft_port_fail_calls(port, &listener->callers, -EMFILE);
    port->dropped_count++;
    weft_counter_add(&port->ports->stats.refused_count, 1);
    struct weft_core *core = weft_port_system(port)->core;
    weft_wheel_arm(&core->wheel, &listener->retry, core->now_ns + WEFT_PORT_RETRY_NS);
}

static void accepted(struct weft_io_op *op, int32_t result)
{
    struct listener *listener = WEFT_CONTAINER_OF(op, struct listener, accepting);
    struct weft_port *port = &listener->port;
    if (!op->more) listener->is_accepting = false;
    if (port->actor == NULL || port->ports->is_over || port->is_closing) {
        if (result >= 0) discard(listener, result);
        if (port->actor == NULL || port->ports->is_over)
            weft_port_settle(port);
        else if (!listener->is_accepting)
            weft_port_end(port);
        return;
    }
    if (result >= 0)
        keep(listener, result);
    else if (result != -ECANCELED)
        failed(listener, result);
    get_on(port);
}

static void start_accepting(struct listener *listener)
{
    struct weft_io_op *op = &listener->accepting;
    const struct weft_io *io = &listener->port.ports->io;
    op->kind = WEFT_IO_ACCEPT;
    op->handle = &listener->port.handle;
    op->done = accepted;
    op->many = listener->port.mode == WEFT_PORT_MODE_ACTIVE; // Else as many as are asked for.
    listener->is_accepting = true;
    io->start(io->self, op);
}

static void try_again(void *self, struct weft_timer *timer, uint64_t now_ns)
{
    struct listener *listener = self;
    (void)timer, (void)now_ns;
    get_on(&listener->port);
}

// ---- A kind of port.

static void serve(struct weft_port *port, struct weft_message *call)
{
    struct listener *listener = listener_of(port);
    struct weft_port_ask ask = {0};
    const uint64_t reference = call->reference;
    if (call->type != WEFT_PORT_CALL_ACCEPT || call->length != sizeof(ask)) {
        weft_call_fail(weft_port_system(port), call, -EINVAL);
        return;
    }
    memcpy(&ask, call->payload, sizeof(ask));
    weft_list_append(&listener->callers, weft_message_link(call));
    get_on(port);
    if (!ask.now) return;
    call = weft_port_take_call(&listener->callers, reference);
    if (call != NULL) weft_call_fail(weft_port_system(port), call, -EAGAIN);
}

static struct weft_message *take_back(struct weft_port *port, uint64_t reference)
{
    return weft_port_take_call(&listener_of(port)->callers, reference);
}

static void abandon(struct weft_port *port)
{
    struct listener *listener = listener_of(port);
    const struct weft_io *io = &port->ports->io;
    weft_wheel_cancel(&weft_port_system(port)->core->wheel, &listener->retry);
    weft_port_fail_calls(port, &listener->callers, -EPIPE);
    if (listener->is_accepting) io->cancel(io->self, &listener->accepting);
    while (listener->number_count > 0)
        discard(listener, pop(listener));
}

static void close_listener(struct weft_port *port)
{
    struct listener *listener = listener_of(port);
    const struct weft_io *io = &port->ports->io;
    weft_port_fail_calls(port, &listener->callers, -EPIPE);
    if (listener->is_accepting)
        io->cancel(io->self, &listener->accepting);
    else
        weft_port_end(port);
}

static bool is_idle(const struct weft_port *port)
{
    return !WEFT_CONTAINER_OF(port, struct listener, port)->is_accepting;
}

static void release(struct weft_port *port)
{
    struct listener *listener = listener_of(port);
    weft_arena_release(weft_port_system(port)->arena, listener->numbers,
                       listener->number_capacity * sizeof(*listener->numbers));
    listener->numbers = NULL;
    listener->number_capacity = 0;
}

static void describe(const struct weft_port *port, struct weft_port_info *info)
{
    (void)port;
    info->kind = WEFT_PORT_KIND_LISTENER;
}

static const struct weft_port_type listener_type = {.kind = WEFT_PORT_ACTOR("listener"),
                                                    .bytes = sizeof(struct listener),
                                                    .window_count = WEFT_PORT_WINDOW_SMALL,
                                                    .serve = serve,
                                                    .take_back = take_back,
                                                    .get_on = get_on,
                                                    .close = close_listener,
                                                    .abandon = abandon,
                                                    .is_idle = is_idle,
                                                    .release = release,
                                                    .describe = describe};

// ---- The callers.

static int listen_at(struct weft_ports *ports, weft_pid owner, const struct weft_address *address,
                     const struct weft_port_options *options, weft_pid *pid)
{
    const struct weft_io *io = &ports->io;
    const struct weft_io_socket socket = weft_stream_socket(options);
    const struct weft_io_address at = {.host = address->host, .port = address->port};
    struct weft_port *port;
    int result = weft_port_make(ports, &listener_type, owner, options, &port);
    if (result != 0) return result;
    struct listener *listener = listener_of(port);
    listener->options = *options;
    weft_list_init(&listener->callers);
    weft_timer_init(&listener->retry, try_again, listener);
    result = io->listen(io->self, &port->handle, &at, &socket);
    if (result != 0)
        weft_port_end(port);
    else
        *pid = port->pid;
    return result;
}

int weft_tcp_listen(struct weft_actor *self, const struct weft_address *address,
                    const struct weft_port_options *options, weft_pid *port)
{
    struct weft_actor_system *system = enter(self);
    const struct weft_port_options chosen = weft_port_options_of(options);
    int result = -ENOTSUP;
    *port = 0;
    if (system->ports != NULL && system->ports->io.self != NULL)
        result = listen_at(system->ports, self->pid, address, &chosen, port);
    weft_actor_charge(self, WEFT_MESSAGE_REDUCTIONS);
    leave(self);
    return result;
}

int weft_tcp_accept(struct weft_actor *self, weft_pid listener, uint64_t timeout_ns, weft_pid *port,
                    struct weft_address *peer)
{
    const struct weft_port_ask ask = {.now = timeout_ns == 0};
    enter(self);
    *port = 0;
    const int result = weft_port_ask(self, listener, WEFT_PORT_CALL_ACCEPT, &ask, sizeof(ask), NULL,
                                     0, timeout_ns == 0 ? WEFT_FOREVER : timeout_ns);
    if (result == 0) {
        struct weft_accepted accepted;
        memcpy(&accepted, self->answer->payload, sizeof(accepted));
        *port = accepted.port;
        if (peer != NULL) *peer = accepted.peer;
    }
    weft_receive_drop_answer(self);
    leave(self);
    return result;
}
