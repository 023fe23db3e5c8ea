// Datagrams: who asks by UDP and does not hear asks again.
#include <string.h>

#include <weft/weft.h>

#define MS UINT64_C(1000000)

static void shout_back(struct weft_actor *self, void *state, struct weft_message *message)
{
    const struct weft_datagram *datagram = (const void *)message->payload;
    (void)state;
    if (message->tag != WEFT_MESSAGE_PORT || message->type != WEFT_PORT_DATAGRAM) return;
    // `from` of a port's message is the port: what comes from it goes back through it.
    weft_udp_send_to(self, message->from, &datagram->from, datagram->bytes,
                     weft_datagram_length(message));
}
static const struct weft_actor_kind echo_kind = {.name = "echo", .handle = shout_back};

static void open_port(struct weft_actor *self, weft_pid *port, struct weft_address *address)
{
    const struct weft_address any = {.host = 0x7f000001, .port = 0};
    struct weft_port_info info;
    if (weft_udp_open(self, &any, NULL, port) != 0 || weft_port_info(self, *port, &info) != 0)
        weft_exit(self, WEFT_EXIT_FAULT);
    *address = info.local;
}

static void ask(struct weft_actor *self, int argc, char *const *argv)
{
    const struct weft_spawn spawn = {.kind = &echo_kind, .label = "echo"};
    struct weft_address there, here;
    weft_pid echo, server, client;
    (void)argc, (void)argv;
    if (weft_spawn_link(self, &spawn, &echo) != 0) weft_exit(self, WEFT_EXIT_FAULT);
    open_port(self, &server, &there);
    weft_port_give(self, server, echo); // What comes to it is the echo's from now on.
    open_port(self, &client, &here);

    for (int attempt = 0; attempt < 5; attempt++) {
        weft_udp_send_to(self, client, &there, "anybody there?", 14);
        const struct weft_message *message = weft_receive(self, 500 * MS);
        if (message == NULL) continue; // Lost: that is no error, it is UDP.
        const struct weft_datagram *datagram = (const void *)message->payload;
        weft_say(self, WEFT_LEVEL_INFO, "heard: %.*s", (int)weft_datagram_length(message),
                 (const char *)datagram->bytes);
        break;
    }
    weft_kill(self, echo); // And with it its port.
}
WEFT_MODULE(ask)
