#include "runtime/node/datagrams.h"

#include <errno.h>

enum { PORT_FIRST = 49152, PORT_COUNT = 65536 - PORT_FIRST }; // RFC 6335: for anybody.

static void came(void *self, const struct weft_udp_datagram *datagram)
{
    struct weft_datagram_socket *socket = self;
    const struct weft_io_address from = {.host = datagram->source, .port = datagram->source_port};
    socket->came(socket, &from, datagram->payload.data, datagram->payload.length);
}

static int bind_any(struct weft_node_datagrams *datagrams, struct weft_datagram_socket *socket)
{
    int result = -EADDRINUSE;
    for (uint32_t i = 0; i < PORT_COUNT && result == -EADDRINUSE; i++) {
        socket->address.port = (uint16_t)(PORT_FIRST + datagrams->next_port++ % PORT_COUNT);
        result = weft_udp_bind(datagrams->stack, socket->address.port, came, socket);
    }
    return result;
}

static int open_socket(void *self, struct weft_datagram_socket *socket)
{
    struct weft_node_datagrams *datagrams = self;
    socket->address.host =
        datagrams->stack->port_count > 0 ? datagrams->stack->ports[0].address : 0;
    if (socket->address.port == 0) return bind_any(datagrams, socket);
    return weft_udp_bind(datagrams->stack, socket->address.port, came, socket);
}

static int send_to(void *self, struct weft_datagram_socket *socket,
                   const struct weft_io_address *to, const void *bytes, size_t length)
{
    const struct weft_node_datagrams *datagrams = self;
    const struct weft_udp_flow flow = {.destination = to->host,
                                       .destination_port = to->port,
                                       .source_port = socket->address.port,
                                       .port = WEFT_UDP_ANY_PORT};
    return weft_udp_send(datagrams->stack, &flow, weft_span_of(bytes, length));
}

static void close_socket(void *self, struct weft_datagram_socket *socket)
{
    const struct weft_node_datagrams *datagrams = self;
    weft_udp_unbind(datagrams->stack, socket->address.port);
}

void weft_node_datagrams_init(struct weft_node_datagrams *datagrams, struct weft_stack *stack)
{
    datagrams->stack = stack;
    datagrams->next_port = (uint16_t)(stack->core->index * 1021); // Cores begin apart.
}

struct weft_datagrams weft_node_datagrams_interface(struct weft_node_datagrams *datagrams)
{
    return (struct weft_datagrams){
        .open = open_socket, .send = send_to, .close = close_socket, .self = datagrams};
}
