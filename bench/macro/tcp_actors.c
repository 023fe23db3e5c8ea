// tcp_actors.c: an echo by actors: one for each connection, callback in active mode or stackful in
// passive mode.
#include <stdlib.h>

#include <weft/weft.h>

#include "bench/macro/tcp.h"

static struct {
    bool callback;
    void (*ready)(uint16_t port);
} how;

static void echo(struct weft_actor *self, void *state, struct weft_message *message)
{
    (void)state;
    if (message->tag != WEFT_MESSAGE_PORT) { // Its port is given to it.
        weft_port_mode(self, *(weft_pid *)message->payload, WEFT_PORT_MODE_ACTIVE, 0);
        return;
    }
    if (message->type == WEFT_PORT_DATA)
        weft_port_write(self, message->from, message->payload, message->length, WEFT_FOREVER);
    else
        weft_stop(self, WEFT_EXIT_NORMAL);
}

static void echo_main(struct weft_actor *self, void *state)
{
    char bytes[4096];
    int64_t got;
    (void)state;
    const weft_pid port = *(weft_pid *)weft_receive(self, WEFT_FOREVER)->payload;
    while ((got = weft_port_read(self, port, bytes, sizeof(bytes), WEFT_FOREVER)) > 0)
        weft_port_write(self, port, bytes, (size_t)got, WEFT_FOREVER);
}

static const struct weft_actor_kind callback_kind = {.name = "echo", .handle = echo};
static const struct weft_actor_kind stackful_kind = {.name = "echo", .main = echo_main};

static void serve(struct weft_actor *self, void *state)
{
    const struct weft_address loopback = {.host = 0x7f000001};
    const struct weft_port_options options = {.backlog = 4096};
    struct weft_port_info info;
    weft_pid listener, port, child;
    (void)state;
    if (weft_tcp_listen(self, &loopback, &options, &listener) != 0) exit(1);
    weft_port_info(self, listener, &info);
    how.ready(info.local.port);
    const struct weft_spawn spawn = {.kind = how.callback ? &callback_kind : &stackful_kind};
    while (weft_tcp_accept(self, listener, WEFT_FOREVER, &port, NULL) == 0) {
        if (weft_spawn(self, &spawn, &child) != 0) exit(1);
        weft_port_give(self, port, child);
        weft_send(self, child, 0, &port, sizeof(port));
    }
    exit(1);
}

static const struct weft_actor_kind serve_kind = {.name = "server", .main = serve};

void weft_bench_tcp_actors(bool callback, void (*ready)(uint16_t port))
{
    const struct weft_runtime_options options = {.worker_count = 1};
    const struct weft_spawn first = {.kind = &serve_kind};
    how.callback = callback;
    how.ready = ready;
    weft_runtime_run(weft_runtime_create(&options, NULL), &first, NULL);
}
