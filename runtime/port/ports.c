// ports.c: all the ports of one core.
#include <string.h>

#include "runtime/actor/internal.h"
#include "runtime/port/port.h"

enum { FLUSH_MAX = 256 }; // Ports that send in one turn: each may be a system call.

void weft_port_flush_later(struct weft_port *port)
{
    if (weft_list_empty(&port->turn)) weft_list_append(&port->ports->unsent, &port->turn);
}

// What the turn has written goes out together.
static void flush(void *self, uint64_t now_ns)
{
    struct weft_ports *ports = self;
    (void)now_ns;
    for (uint32_t i = 0; i < FLUSH_MAX; i++) {
        struct weft_list *link = weft_list_pop(&ports->unsent);
        if (link == NULL) return;
        struct weft_port *port = WEFT_CONTAINER_OF(link, struct weft_port, turn);
        port->type->flush(port);
    }
}

static uint64_t due_ns(void *self)
{
    return weft_list_empty(&((struct weft_ports *)self)->unsent) ? UINT64_MAX : 0;
}

int weft_ports_init(struct weft_ports *ports, struct weft_actor_system *system)
{
    memset(ports, 0, sizeof(*ports));
    ports->system = system;
    weft_list_init(&ports->all);
    weft_list_init(&ports->unsent);
    weft_list_init(&ports->choked);
    system->ports = ports;
    system->relieved = weft_ports_relieved;
    const struct weft_poller poller = {
        .name = "ports", .flush = flush, .due_ns = due_ns, .self = ports};
    return weft_core_add_poller(system->core, &poller);
}

void weft_ports_use_io(struct weft_ports *ports, const struct weft_io *io)
{
    ports->io = *io;
}

void weft_ports_use_datagrams(struct weft_ports *ports, const struct weft_datagrams *datagrams)
{
    ports->datagrams = *datagrams;
}

void weft_ports_stop(struct weft_ports *ports)
{
    ports->is_over = true;
}

// The blocks that a port holds are not touched: they go with the slabs that they are from, which
// may have gone.
static void destroy(struct weft_port *port)
{
    struct weft_actor_system *system = weft_port_system(port);
    if (port->type->release != NULL) port->type->release(port);
    weft_list_remove(&port->link);
    weft_arena_release(system->arena, port, port->type->bytes);
}

void weft_ports_destroy(struct weft_ports *ports)
{
    if (ports->system == NULL) return;
    weft_ports_stop(ports);
    while (!weft_list_empty(&ports->all))
        destroy(WEFT_CONTAINER_OF(ports->all.next, struct weft_port, link));
    ports->system->ports = NULL;
    ports->system->relieved = NULL;
    ports->system = NULL;
}
