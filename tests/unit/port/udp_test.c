// Datagrams as actors see them, over the kernel's sockets.
#include "tests/support/cmocka.h"

#include "tests/unit/port/parts.h"

static weft_pid open_any(struct weft_actor *self, struct weft_address *address)
{
    const struct weft_address any = {.host = PLAY_LOOPBACK};
    struct weft_port_info info;
    weft_pid port;
    weft_assert(weft_udp_open(self, &any, NULL, &port) == 0);
    weft_assert(weft_port_info(self, port, &info) == 0);
    weft_assert(info.kind == WEFT_PORT_KIND_UDP && info.local.port != 0);
    weft_assert(info.mode == WEFT_PORT_MODE_ACTIVE);
    *address = (struct weft_address){PLAY_LOOPBACK, info.local.port};
    return port;
}

static void expect_datagram(struct weft_actor *self, weft_pid port, const char *text,
                            struct weft_address *from)
{
    const struct weft_message *message = part_await(self, port, WEFT_PORT_DATAGRAM);
    const struct weft_datagram *datagram = (const void *)message->payload;
    weft_assert(weft_datagram_length(message) == strlen(text));
    weft_assert(memcmp(datagram->bytes, text, strlen(text)) == 0);
    *from = datagram->from;
}

static void ask_and_answer(struct weft_actor *self, void *state)
{
    struct weft_address here, there, from;
    weft_pid second;
    (void)state;
    const weft_pid client = open_any(self, &here), server = open_any(self, &there);
    for (int i = 0; i < 10; i++) {
        play_hop(self, &play);
        weft_assert(weft_udp_send_to(self, client, &there, "question", 8) == 0);
        expect_datagram(self, server, "question", &from);
        weft_assert(from.host == here.host && from.port == here.port);
        play_hop(self, &play);
        weft_assert(weft_udp_send_to(self, server, &from, "answer", 6) == 0);
        expect_datagram(self, client, "answer", &from);
    }
    weft_assert(weft_udp_send_to(self, client, &there, "", 0) == 0); // Empty is something, too.
    expect_datagram(self, server, "", &from);
    struct weft_port_info info;
    weft_assert(weft_port_info(self, server, &info) == 0);
    weft_assert(info.received_count == 11 && info.received_bytes == 80);
    weft_assert(info.sent_count == 10 && info.sent_bytes == 60);
    // What it is not.
    char byte;
    weft_assert(weft_port_read(self, server, &byte, 1, 0) == -EINVAL);
    weft_assert(weft_port_write(self, server, &byte, 1, 0) == -EINVAL);
    weft_assert(weft_port_finish(self, server) == -EINVAL);
    weft_assert(weft_udp_open(self, &there, NULL, &second) == -EADDRINUSE && second == 0);
    static uint8_t much[70000];
    weft_assert(weft_udp_send_to(self, client, &there, much, sizeof(much)) == -EMSGSIZE);
    weft_assert(weft_port_close(self, server) == 0);
    weft_assert(weft_join(self, server, WEFT_FOREVER, NULL) == 0);
    weft_assert(weft_udp_send_to(self, server, &here, "x", 1) == -ESRCH);
    // Its address is free again, and datagrams to nobody do no harm.
    for (int i = 0; i < 5; i++)
        weft_assert(weft_udp_send_to(self, client, &there, "nobody", 6) == 0);
    int result = -EADDRINUSE;
    while ((result = weft_udp_open(self, &there, NULL, &second)) == -EADDRINUSE)
        weft_sleep(self, WEFT_NS_PER_MS); // Until the kernel has let go of it.
    weft_assert(result == 0);
    weft_assert(weft_udp_send_to(self, client, &there, "again", 5) == 0);
    expect_datagram(self, second, "again", &from);
}

// Whoever does not receive loses datagrams, and nothing else happens.
static void a_window_bounds_datagrams(struct weft_actor *self, void *state)
{
    enum { SENT = 400 };
    struct weft_address here, there, from;
    struct weft_port_info info = {0};
    uint64_t got = 0, dropped;
    (void)state;
    const weft_pid client = open_any(self, &here), server = open_any(self, &there);
    for (int i = 0; i < SENT; i++) {
        weft_assert(weft_udp_send_to(self, client, &there, "one", 3) == 0);
        if (i % 20 == 19)
            weft_sleep(self, WEFT_NS_PER_MS); // What the kernel keeps is not at issue.
    }
    while (info.received_count + info.dropped_count < SENT) {
        weft_sleep(self, WEFT_NS_PER_MS);
        weft_assert(weft_port_info(self, server, &info) == 0);
    }
    weft_assert(weft_mailbox_count(self) == info.received_count);
    weft_assert(info.received_count >= 128 && info.received_count <= 256 + 1);
    dropped = info.dropped_count;
    for (; got < info.received_count; got++)
        expect_datagram(self, server, "one", &from);
    part_expect_nothing(self);
    // While it is passive, all are; then it hears again.
    weft_assert(weft_port_mode(self, server, WEFT_PORT_MODE_PASSIVE, 0) == 0);
    weft_assert(weft_udp_send_to(self, client, &there, "lost", 4) == 0);
    while (info.dropped_count == dropped) {
        weft_sleep(self, WEFT_NS_PER_MS);
        weft_assert(weft_port_info(self, server, &info) == 0);
    }
    weft_assert(weft_port_mode(self, server, WEFT_PORT_MODE_ONCE, 1) == 0);
    weft_assert(weft_udp_send_to(self, client, &there, "heard", 5) == 0);
    expect_datagram(self, server, "heard", &from);
    part_await(self, server, WEFT_PORT_PASSIVE);
}

static void closes_what_it_hears(struct weft_actor *self, void *state)
{
    struct weft_address here, there, from;
    (void)state;
    const weft_pid client = open_any(self, &here), server = open_any(self, &there);
    // A burst, of which the first is enough: nothing comes after it was closed.
    for (int i = 0; i < 50; i++)
        weft_assert(weft_udp_send_to(self, client, &there, "many", 4) == 0);
    expect_datagram(self, server, "many", &from);
    weft_assert(weft_kill(self, server) == 0);
    weft_assert(weft_join(self, server, WEFT_FOREVER, NULL) == 0);
    weft_assert(weft_port_close(self, client) == 0);
    weft_assert(weft_join(self, client, WEFT_FOREVER, NULL) == 0);
}

static void run(void **state, play_part *part)
{
    const uintptr_t how = (uintptr_t)*state;
    play_open(&play, (enum backend_kind)(how & 15), how & 16 ? 2 : 1);
    play.hops = (how & 16) != 0;
    part_play(part);
}

PART_TEST(ask_and_answer)
PART_TEST(a_window_bounds_datagrams)
PART_TEST(closes_what_it_hears)

int main(void)
{
    int failed = 0;
    for (uintptr_t how = 0; how < 2 * BACKEND_SIM; how++) {
        const uintptr_t kind = how / 2, cores = how % 2 * 16;
        if (!backend_is_there((enum backend_kind)kind)) continue;
#define CASE(name) cmocka_unit_test_prestate(test_##name, (void *)(kind | cores))
        const struct CMUnitTest tests[] = {
            CASE(ask_and_answer),
            CASE(a_window_bounds_datagrams),
            CASE(closes_what_it_hears),
        };
        failed +=
            cmocka_run_group_tests_name(backend_name((enum backend_kind)kind), tests, NULL, NULL);
    }
    return failed;
}
