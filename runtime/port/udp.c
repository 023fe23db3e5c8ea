// udp.c: a port of datagrams, on whatever this core has for them.
#include <errno.h>
#include <string.h>

#include "runtime/actor/internal.h"
#include "runtime/port/port.h"

struct udp_port {
    struct weft_port port;
    struct weft_datagram_socket socket;
    bool is_bound;
};

_Static_assert(offsetof(struct weft_datagram, bytes) == 8, "the payload is aligned");

static struct udp_port *udp_of(struct weft_port *port)
{
    return WEFT_CONTAINER_OF(port, struct udp_port, port);
}

static struct weft_datagrams *datagrams_of(struct weft_port *port)
{
    return &port->ports->datagrams;
}

// Nobody can hold a sender back: what does not fit the window is gone.
static void drop(struct weft_port *port)
{
    struct weft_actor_system *system = weft_port_system(port);
    system->sent++;
    weft_drop_add(&system->core->drops, WEFT_DROP_MAILBOX_FULL, 1);
    port->dropped_count++;
    weft_counter_add(&port->ports->stats.dropped_count, 1);
}

static void came(struct weft_datagram_socket *socket, const struct weft_io_address *from,
                 const uint8_t *bytes, size_t length)
{
    struct udp_port *udp = WEFT_CONTAINER_OF(socket, struct udp_port, socket);
    struct weft_port *port = &udp->port;
    if (port->ports->is_over) return;
    if (!weft_port_may_deliver(port)) {
        drop(port);
        return;
    }
    struct weft_message *message = weft_port_message(
        port, WEFT_PORT_DATAGRAM, (uint32_t)(sizeof(struct weft_datagram) + length));
    if (message == NULL) { // Counted where it was refused.
        port->dropped_count++;
        return;
    }
    struct weft_datagram *datagram = (struct weft_datagram *)(void *)message->payload;
    datagram->from = (struct weft_address){.host = from->host, .port = from->port};
    if (length > 0) memcpy(datagram->bytes, bytes, length);
    port->received_bytes += length;
    port->received_count++;
    weft_counter_add(&port->ports->stats.received_bytes, length);
    weft_port_deliver(port, message);
}

static int send_to(struct weft_port *port, const struct weft_address *to, const void *bytes,
                   size_t length)
{
    struct udp_port *udp = udp_of(port);
    struct weft_datagrams *datagrams = datagrams_of(port);
    const struct weft_io_address address = {.host = to->host, .port = to->port};
    const int result = datagrams->send(datagrams->self, &udp->socket, &address, bytes, length);
    if (result != 0) return result;
    port->sent_bytes += length;
    port->sent_count++;
    weft_counter_add(&port->ports->stats.sent_bytes, length);
    return 0;
}

static int obey(struct weft_port *port, uint16_t type, const void *bytes, size_t length)
{
    struct weft_address to;
    if (type != WEFT_PORT_CALL_SEND_TO || length < sizeof(to)) return -EINVAL;
    memcpy(&to, bytes, sizeof(to));
    return send_to(port, &to, (const uint8_t *)bytes + sizeof(to), length - sizeof(to));
}

static void serve(struct weft_port *port, struct weft_message *call)
{
    weft_call_fail(weft_port_system(port), call, -EINVAL); // Nothing waits here.
}

static struct weft_message *take_back(struct weft_port *port, uint64_t reference)
{
    (void)port, (void)reference;
    return NULL;
}

static void get_on(struct weft_port *port) // The next datagram finds out.
{
    port->is_stopped_short = false;
}

static void close_udp(struct weft_port *port)
{
    weft_port_end(port);
}

static void abandon(struct weft_port *port)
{
    struct udp_port *udp = udp_of(port);
    struct weft_datagrams *datagrams = datagrams_of(port);
    if (udp->is_bound && !port->ports->is_over) datagrams->close(datagrams->self, &udp->socket);
    udp->is_bound = false;
}

static bool is_idle(const struct weft_port *port)
{
    (void)port;
    return true;
}

static void describe(const struct weft_port *port, struct weft_port_info *info)
{
    const struct udp_port *udp = WEFT_CONTAINER_OF(port, struct udp_port, port);
    info->kind = WEFT_PORT_KIND_UDP;
    info->local =
        (struct weft_address){.host = udp->socket.address.host, .port = udp->socket.address.port};
}

static const struct weft_port_type udp_type = {.kind = WEFT_PORT_ACTOR("udp"),
                                               .bytes = sizeof(struct udp_port),
                                               .window_count = WEFT_PORT_WINDOW_SMALL,
                                               .serve = serve,
                                               .obey = obey,
                                               .take_back = take_back,
                                               .get_on = get_on,
                                               .close = close_udp,
                                               .abandon = abandon,
                                               .is_idle = is_idle,
                                               .describe = describe};

// ---- The callers.

static int open_udp(struct weft_ports *ports, weft_pid owner, const struct weft_address *address,
                    const struct weft_port_options *options, weft_pid *pid)
{
    struct weft_port *port;
    int result = weft_port_make(ports, &udp_type, owner, options, &port);
    if (result != 0) return result;
    struct udp_port *udp = udp_of(port);
    udp->socket = (struct weft_datagram_socket){
        .came = came, .address = {.host = address->host, .port = address->port}};
    port->mode = WEFT_PORT_MODE_ACTIVE;
    result = ports->datagrams.open(ports->datagrams.self, &udp->socket);
    udp->is_bound = result == 0;
    if (result != 0)
        weft_port_end(port);
    else
        *pid = port->pid;
    return result;
}

int weft_udp_open(struct weft_actor *self, const struct weft_address *address,
                  const struct weft_port_options *options, weft_pid *port)
{
    struct weft_actor_system *system = enter(self);
    const struct weft_port_options chosen = weft_port_options_of(options);
    int result = -ENOTSUP;
    *port = 0;
    if (system->ports != NULL && system->ports->datagrams.self != NULL)
        result = open_udp(system->ports, self->pid, address, &chosen, port);
    weft_actor_charge(self, WEFT_MESSAGE_REDUCTIONS);
    leave(self);
    return result;
}

int weft_udp_send_to(struct weft_actor *self, weft_pid pid, const struct weft_address *to,
                     const void *bytes, size_t length)
{
    struct weft_actor_system *system = enter(self);
    struct weft_port *port = weft_port_here(system, pid);
    int result;
    if (port != NULL && port->type == &udp_type && !port->is_closing) {
        weft_actor_charge(self, WEFT_MESSAGE_REDUCTIONS);
        result = send_to(port, to, bytes, length);
    } else {
        result = weft_port_ask(self, pid, WEFT_PORT_CALL_SEND_TO, to, sizeof(*to), bytes, length,
                               WEFT_FOREVER);
        weft_receive_drop_answer(self);
    }
    leave(self);
    return result;
}
