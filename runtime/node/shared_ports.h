// shared_ports.h: the kernel's interfaces of the ports that it shares (dataplane/punt.h), and their
// carriers: a cable that is pulled out of a card is pulled out of the kernel's side as well.
//
// Core: the control core. Memory: by value in struct weft_machine.
#ifndef WEFT_NODE_SHARED_PORTS_H
#define WEFT_NODE_SHARED_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/port.h"
#include "runtime/node/node.h"

struct weft_shared_port {
    const struct weft_netport *port;
    int fd;
    bool has_carrier;
};

struct weft_shared_ports {
    struct weft_shared_port list[WEFT_NODE_PORTS_MAX];
    uint32_t count;
    uint64_t due_ns; // When the links are looked at next.
};

// Opens the interface `name` as the kernel's side of `port`, which outlives it. At most one of each
// port. 0, or a negative errno with `error`.
int weft_shared_ports_add(struct weft_shared_ports *shared, const struct weft_netport *port,
                          const char *name, struct weft_error *error);
void weft_shared_ports_close(struct weft_shared_ports *shared);

// The descriptor of the interface that shares `port`; -1: none does.
int weft_shared_ports_fd(const struct weft_shared_ports *shared, const struct weft_netport *port);

// From now on `control` hands each port's link on to its interface. 0 or a negative errno.
int weft_shared_ports_follow(struct weft_shared_ports *shared, struct weft_core *control);

#endif // WEFT_NODE_SHARED_PORTS_H
