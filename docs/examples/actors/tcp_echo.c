// TCP echo, server and client in one module. A connection is an actor of the runtime's (a port);
// here each has another one beside it, which reads as if nobody else were there.
#include <string.h>

#include <weft/weft.h>

static void fail(struct weft_actor *self, const char *what, int error)
{
    weft_say(self, WEFT_LEVEL_ERROR, "%s: %s", what, strerror(-error));
    weft_exit(self, WEFT_EXIT_FAULT);
}

// One connection. A read waits for bytes, and only this actor with it. A write waits as well when
// the peer does not keep up, and then we do not read: so nothing piles up anywhere.
static void serve(struct weft_actor *self, void *state)
{
    const weft_pid connection = *(const weft_pid *)state;
    char bytes[1024];
    int64_t count;
    while ((count = weft_port_read(self, connection, bytes, sizeof(bytes), WEFT_FOREVER)) > 0)
        weft_port_write(self, connection, bytes, (size_t)count, WEFT_FOREVER);
    weft_port_close(self, connection);
}
static const struct weft_actor_kind serve_kind = {
    .name = "connection", .state_bytes = sizeof(weft_pid), .main = serve};

static void listen_main(struct weft_actor *self, void *state)
{
    const weft_pid listener = *(const weft_pid *)state;
    weft_pid connection, server;
    while (weft_tcp_accept(self, listener, WEFT_FOREVER, &connection, NULL) == 0) {
        const struct weft_spawn spawn = {.kind = &serve_kind, .state = &connection};
        if (weft_spawn(self, &spawn, &server) == 0)
            weft_port_give(self, connection, server); // A port ends with its owner: not with us.
        else
            weft_port_close(self, connection); // So many are there already: this one is refused.
    }
}
static const struct weft_actor_kind listen_kind = {
    .name = "listener", .state_bytes = sizeof(weft_pid), .main = listen_main};

static void say_and_hear(struct weft_actor *self, const struct weft_address *server,
                         const char *line)
{
    const struct weft_port_options by_line = {.framing = WEFT_FRAMING_LINE};
    char reply[64];
    weft_pid port;
    int error = weft_tcp_connect(self, server, &by_line, 5000000000, &port);
    if (error != 0) fail(self, "connect", error);
    error = weft_port_write(self, port, line, strlen(line), WEFT_FOREVER);
    if (error != 0) fail(self, "write", error);
    const int64_t count = weft_port_read(self, port, reply, sizeof(reply), 5000000000);
    if (count <= 0) fail(self, "read", (int)count);
    weft_say(self, WEFT_LEVEL_INFO, "came back: %.*s", (int)count - 1, reply);
    weft_port_close(self, port);
}

static void tcp_echo(struct weft_actor *self, int argc, char *const *argv)
{
    const struct weft_address any = {.host = 0x7f000001, .port = 0}; // 127.0.0.1, a free port.
    struct weft_port_info info;
    weft_pid listener, acceptor;
    (void)argc, (void)argv;
    int error = weft_tcp_listen(self, &any, NULL, &listener);
    if (error == 0) error = weft_port_info(self, listener, &info);
    if (error != 0) fail(self, "listen", error);
    const struct weft_spawn spawn = {.kind = &listen_kind, .state = &listener};
    if (weft_spawn_link(self, &spawn, &acceptor) != 0) fail(self, "no listener", -12);

    say_and_hear(self, &info.local, "the shuttle goes\n");
    say_and_hear(self, &info.local, "and comes back\n");

    weft_port_close(self, listener); // Its accept returns -EPIPE: it ends, too.
    weft_join(self, acceptor, WEFT_FOREVER, NULL);
}
WEFT_MODULE(tcp_echo)
