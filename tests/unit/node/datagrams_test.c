// Actors of two nodes, of two workers each, on one wire: UDP by the nodes' own stacks.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <string.h>

#include <weft/weft.h>

#include "runtime/node/node.h"
#include "tests/support/net_pipe.h"

enum { WORKERS = 2, NODES = 2, TURNS_MAX = 200000 };
static const uint32_t addresses[NODES] = {0x0a4d000b, 0x0a4d000c};

static struct rig {
    struct weft_node nodes[NODES];
    struct net_pipe *wire;
    struct weft_net nets[NODES][WORKERS];
    uint64_t now_ns;
} rig;

static uint64_t rig_now(void *self)
{
    (void)self;
    return rig.now_ns;
}

static void rig_entropy(void *self, void *bytes, size_t length)
{
    (void)self;
    memset(bytes, 7, length);
}

static void start(int index)
{
    struct weft_error error = {0};
    struct weft_node_options options = {.name = index == 0 ? "n1" : "n2",
                                        .clock = {.now_ns = rig_now, .wall_ns = rig_now},
                                        .entropy = {.fill = rig_entropy},
                                        .worker_count = WORKERS,
                                        .arena_bytes = 16 * WEFT_MIB,
                                        .actor_count_max = 64,
                                        .stack_count_max = 16,
                                        .name_count_max = 16,
                                        .log_level = WEFT_LOG_INFO,
                                        .port_count = 1,
                                        .unit = weft_unit_options_default,
                                        .unit_count_max = 4,
                                        .unit_mailbox = 8};
    for (int i = 0; i < WORKERS; i++)
        rig.nets[index][i] = rig.wire->ends[index].queues[i].net;
    options.ports[0] = (struct weft_node_port){
        .stack = {.address = addresses[index], .prefix_bits = 24}, .nets = rig.nets[index]};
    // Two cards on one wire are not one card.
    memcpy(options.ports[0].stack.mac, (uint8_t[]){2, 0, 0, 0, 0, (uint8_t)(index + 1)}, 6);
    if (weft_node_init(&rig.nodes[index], &options, &error) != 0) fail_msg("%s", error.text);
}

static int set_up(void **state)
{
    const uint32_t queues[2] = {WORKERS, WORKERS};
    (void)state;
    memset(&rig, 0, sizeof(rig));
    rig.now_ns = WEFT_NS_PER_S;
    rig.wire = net_pipe_create(queues, 1, 128);
    for (int i = 0; i < NODES; i++)
        start(i);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < NODES; i++)
        weft_node_destroy(&rig.nodes[i]);
    net_pipe_free(rig.wire);
    return 0;
}

static void turn(void)
{
    for (int i = 0; i < NODES; i++) {
        for (uint16_t core = 0; core <= WORKERS; core++)
            weft_core_turn(weft_node_core(&rig.nodes[i], core));
    }
    rig.now_ns += 10000;
}

static weft_pid play(int node, int worker, const struct weft_actor_kind *kind)
{
    const struct weft_spawn spawn = {.kind = kind};
    weft_pid pid;
    assert_int_equal(weft_actor_spawn(&rig.nodes[node].workers[worker].actors, &spawn, 0, &pid), 0);
    return pid;
}

static const struct weft_datagram *next(struct weft_actor *self, size_t *length)
{
    const struct weft_message *message = weft_receive(self, WEFT_FOREVER);
    weft_assert(message->tag == WEFT_MESSAGE_PORT && message->type == WEFT_PORT_DATAGRAM);
    *length = weft_datagram_length(message);
    return (const void *)message->payload;
}

static void answer(struct weft_actor *self, void *state)
{
    const struct weft_address at = {.port = 7000};
    struct weft_port_info info;
    weft_pid port, other;
    size_t length;
    (void)state;
    weft_assert(weft_udp_open(self, &at, NULL, &port) == 0);
    weft_assert(weft_udp_open(self, &at, NULL, &other) == -EADDRINUSE);
    weft_assert(weft_port_info(self, port, &info) == 0);
    weft_assert(info.local.host == addresses[1] && info.local.port == 7000);
    for (;;) {
        const struct weft_datagram *datagram = next(self, &length);
        if (length == 4 && memcmp(datagram->bytes, "stop", 4) == 0) return;
        weft_assert(datagram->from.host == addresses[0] && datagram->from.port >= 49152);
        weft_assert(weft_udp_send_to(self, port, &datagram->from, datagram->bytes, length) == 0);
        // The owner goes about; its port stays.
        weft_assert(weft_move(self, weft_core_index(self) == 1 ? 2 : 1) == 0);
    }
}

static void ask(struct weft_actor *self, void *state)
{
    const struct weft_address any = {0}, to = {.host = addresses[1], .port = 7000};
    static const uint8_t long_one[3000];
    uint8_t bytes[1000];
    weft_pid port, second;
    size_t length;
    (void)state;
    weft_assert(weft_udp_open(self, &any, NULL, &port) == 0);
    weft_assert(weft_udp_open(self, &any, NULL, &second) == 0); // Another one that is free.
    for (int i = 0; i < 50; i++) {
        memset(bytes, i, sizeof(bytes));
        weft_assert(weft_udp_send_to(self, port, &to, bytes, (size_t)i * 20) == 0);
        const struct weft_datagram *datagram = next(self, &length);
        weft_assert(length == (size_t)i * 20 && datagram->from.port == 7000);
        weft_assert(memcmp(datagram->bytes, bytes, length) == 0);
        weft_assert(weft_move(self, weft_core_index(self) == 1 ? 2 : 1) == 0);
    }
    weft_assert(weft_udp_send_to(self, port, &to, long_one, sizeof(long_one)) == -EMSGSIZE);
    const struct weft_address nowhere = {.host = 0x08080808, .port = 9};
    weft_assert(weft_udp_send_to(self, port, &nowhere, "x", 1) == -ENETUNREACH);
    // A simulated node has no kernel to open anything in.
    weft_assert(weft_tcp_listen(self, &to, NULL, &second) == -ENOTSUP);
    weft_assert(weft_file_open(self, "file", 0, 0, NULL, &second) == -ENOTSUP);
    weft_assert(weft_udp_send_to(self, port, &to, "stop", 4) == 0);
}

static const struct weft_actor_kind answer_kind = {.name = "answer", .main = answer};
static const struct weft_actor_kind ask_kind = {.name = "ask", .main = ask};

static bool is_alive(int node, weft_pid pid)
{
    const struct weft_actor_system *home = rig.nodes[node].actors.systems[weft_pid_home(pid)];
    return atomic_load_explicit(&home->location[weft_pid_slot(pid)], memory_order_relaxed) != 0;
}

static void actors_talk_over_the_stacks(void **state)
{
    (void)state;
    for (int worker = 0; worker < WORKERS; worker++) {
        const weft_pid second = play(1, worker, &answer_kind), first = play(0, worker, &ask_kind);
        for (int i = 0; is_alive(0, first) || is_alive(1, second); i++) {
            if (i == TURNS_MAX) fail_msg("they do not get on");
            turn();
        }
        for (int i = 0; i < 100; i++)
            turn();
        // With their owners the ports went, and what they were bound to.
        for (int i = 0; i < NODES; i++) {
            for (int n = 0; n < WORKERS; n++)
                assert_int_equal(rig.nodes[i].workers[n].stack.binds.count, 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(actors_talk_over_the_stacks, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
