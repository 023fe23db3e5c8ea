#include "runtime/node/shared_ports.h"

#include <string.h>
#include <unistd.h>

#include "dataplane/tap.h"
#include "runtime/base/assert.h"

#define LOOK_NS (100 * WEFT_NS_PER_MS) // As often as the image's DHCP asks for the carrier.

int weft_shared_ports_add(struct weft_shared_ports *shared, const struct weft_netport *port,
                          const char *name, struct weft_error *error)
{
    const struct weft_net_info *info = weft_netport_info(port);
    weft_assert(shared->count < WEFT_NODE_PORTS_MAX);
    const int fd = weft_tap_open(name, info->mac, info->mtu, error);
    if (fd < 0) return fd;
    shared->list[shared->count++] = (struct weft_shared_port){.port = port, .fd = fd};
    return 0;
}

void weft_shared_ports_close(struct weft_shared_ports *shared)
{
    for (uint32_t i = 0; i < shared->count; i++)
        close(shared->list[i].fd);
    memset(shared, 0, sizeof(*shared));
}

int weft_shared_ports_fd(const struct weft_shared_ports *shared, const struct weft_netport *port)
{
    for (uint32_t i = 0; i < shared->count; i++) {
        if (shared->list[i].port == port) return shared->list[i].fd;
    }
    return -1;
}

static void follow(struct weft_shared_port *one)
{
    const bool up = weft_netport_link(one->port).up;
    if (up != one->has_carrier && weft_tap_set_carrier(one->fd, up) == 0) one->has_carrier = up;
}

static uint32_t poll(void *self, uint64_t now_ns)
{
    struct weft_shared_ports *shared = self;
    if (now_ns < shared->due_ns) return 0;
    shared->due_ns = now_ns + LOOK_NS;
    for (uint32_t i = 0; i < shared->count; i++)
        follow(&shared->list[i]);
    return 0;
}

static uint64_t due_ns(void *self)
{
    return ((const struct weft_shared_ports *)self)->due_ns;
}

int weft_shared_ports_follow(struct weft_shared_ports *shared, struct weft_core *control)
{
    if (shared->count == 0) return 0;
    const struct weft_poller poller = {
        .name = "links", .poll = poll, .due_ns = due_ns, .self = shared};
    return weft_core_add_poller(control, &poller);
}
