// The switch: what it learns, forgets, floods and refuses; the words of its control socket.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/switch/control.h"
#include "dataplane/switch/switch.h"
#include "runtime/base/prng.h"

#define PORTS 3

#define BUFFERS 64
#define LINE    32

// A port of the test: frames that wait to be received, and those that were sent. All ports share
// one pool, as the switch's real ones do.
struct fake_port {
    struct weft_net net;
    struct weft_packet *in[LINE], *out[LINE];
    uint32_t in_count, out_count;
    bool full;
};

static struct {
    struct weft_switch bridge;
    struct fake_port ports[PORTS];
    struct weft_packet packets[BUFFERS];
    uint8_t bytes[BUFFERS][WEFT_PACKET_HEADROOM + WEFT_PACKET_DATA_MAX];
    struct weft_packet *free[BUFFERS];
    uint32_t free_count;
    uint64_t now_ns;
    char answer[WEFT_SWITCH_ANSWER_MAX];
} rig;

static struct weft_packet *fake_alloc(void *self)
{
    (void)self;
    if (rig.free_count == 0) return NULL;
    struct weft_packet *packet = rig.free[--rig.free_count];
    *packet = (struct weft_packet){.data = rig.bytes[packet - rig.packets] + WEFT_PACKET_HEADROOM,
                                   .headroom = WEFT_PACKET_HEADROOM,
                                   .tailroom = WEFT_PACKET_DATA_MAX};
    return packet;
}

static void fake_release(void *self, struct weft_packet *packet)
{
    (void)self;
    assert_true(rig.free_count < BUFFERS);
    rig.free[rig.free_count++] = packet;
}

static uint32_t fake_rx(void *self, struct weft_packet **packets, uint32_t limit)
{
    struct fake_port *port = self;
    const uint32_t count = port->in_count;
    assert_true(count <= limit);
    memcpy(packets, port->in, count * sizeof(*packets));
    port->in_count = 0;
    return count;
}

static uint32_t fake_tx(void *self, struct weft_packet **packets, uint32_t count)
{
    struct fake_port *port = self;
    if (port->full) return 0;
    for (uint32_t i = 0; i < count; i++)
        port->out[port->out_count++] = packets[i];
    return count;
}

static void receive_at(uint32_t port, const void *frame, uint32_t length)
{
    struct weft_packet *packet = fake_alloc(NULL);
    assert_non_null(packet);
    memcpy(packet->data, frame, length);
    packet->length = (uint16_t)length;
    rig.ports[port].in[rig.ports[port].in_count++] = packet;
}

static int build(void **state)
{
    (void)state;
    static const char *const names[PORTS] = {"n1", "n2", "client-0"};
    memset(&rig, 0, sizeof(rig));
    rig.now_ns = 1;
    for (uint32_t i = 0; i < BUFFERS; i++)
        rig.free[rig.free_count++] = &rig.packets[i];
    weft_switch_init(&rig.bridge, 7);
    for (uint32_t i = 0; i < PORTS; i++) {
        assert_int_equal(weft_switch_add_port(&rig.bridge, names[i]), i);
        rig.ports[i].net = (struct weft_net){.rx_burst = fake_rx,
                                             .tx_burst = fake_tx,
                                             .alloc = fake_alloc,
                                             .release = fake_release,
                                             .self = &rig.ports[i]};
        static const struct weft_net_info info = {.mtu = 1500};
        rig.ports[i].net.info = &info;
        weft_switch_plug(&rig.bridge, i, &rig.ports[i].net);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    weft_switch_destroy(&rig.bridge);
    assert_int_equal(rig.free_count, BUFFERS); // Every buffer is back in its pool.
    return 0;
}

// A frame of 60 bytes from station `from` to station `to`, arriving at `port`; 0xff: to all.
static void send_frame(uint32_t port, uint8_t to, uint8_t from)
{
    uint8_t frame[60] = {2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from, 0x88, 0xb5};
    if (to == 0xff) memset(frame, 0xff, 6);
    receive_at(port, frame, sizeof(frame));
    weft_switch_turn(&rig.bridge, ++rig.now_ns);
}

static void expect(const char *where)
{
    for (uint32_t port = 0; port < PORTS; port++) {
        const uint32_t count = rig.ports[port].out_count;
        while (rig.ports[port].out_count > 0)
            fake_release(NULL, rig.ports[port].out[--rig.ports[port].out_count]);
        if (count != (uint32_t)(where[port] - '0'))
            fail_msg("port %u: %u, not %s", port, count, where);
    }
}

static void it_learns_and_floods(void **state)
{
    (void)state;
    static const struct {
        uint32_t port;
        uint8_t to, from;
        const char *where; // Frames at each port.
    } steps[] = {
        {0, 0xff, 1, "011"},                   // To all: everywhere but back.
        {1, 9, 2, "101"},                      // To a station never heard of.
        {1, 1, 2, "100"},                      // Learned from the first frame.
        {2, 2, 3, "010"},    {0, 1, 4, "000"}, // Behind the port it came from.
        {2, 2, 1, "010"},                      // Station 1 has moved to port 2...
        {1, 1, 2, "001"},                      // ...and is found there.
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(steps); i++) {
        send_frame(steps[i].port, steps[i].to, steps[i].from);
        expect(steps[i].where);
    }
    assert_int_equal(rig.bridge.macs.moved, 1);
    rig.now_ns += WEFT_MAC_AGE_NS + 1; // What was not heard for so long is not known any more.
    send_frame(0, 2, 1);
    expect("011");
}

static void malformed_frames_end_here(void **state)
{
    (void)state;
    static const uint8_t group_source[60] = {2, 0, 0, 0, 0, 1, 3, 0, 0, 0, 0, 1};
    receive_at(0, group_source, sizeof(group_source));
    receive_at(0, group_source, 13);
    receive_at(0, group_source, 1);
    assert_int_equal(weft_switch_turn(&rig.bridge, ++rig.now_ns), 3);
    expect("000");
    assert_int_equal(rig.bridge.ports[0].malformed, 3);
    assert_int_equal(weft_drop_get(&rig.bridge.drops, WEFT_DROP_ETH_SHORT), 2);
    assert_int_equal(weft_drop_get(&rig.bridge.drops, WEFT_DROP_ETH_SOURCE), 1);
}

static void a_port_pulled_out_is_forgotten(void **state)
{
    (void)state;
    send_frame(1, 0xff, 2);
    expect("101");
    weft_switch_plug(&rig.bridge, 1, NULL);
    send_frame(0, 2, 1);
    expect("001");
    weft_switch_plug(&rig.bridge, 1, &rig.ports[1].net);
    send_frame(0, 2, 1);
    expect("011");
}

static void a_full_port_loses_only_its_own(void **state)
{
    (void)state;
    rig.ports[1].full = true;
    send_frame(0, 0xff, 1);
    expect("001");
    assert_int_equal(rig.bridge.ports[1].tx_full, 1);
}

static const char *say(const char *line)
{
    char copy[WEFT_SWITCH_LINE_MAX];
    snprintf(copy, sizeof(copy), "%s", line);
    const size_t length = weft_switch_command(&rig.bridge, copy, rig.answer);
    assert_true(length > 2 && length < sizeof(rig.answer) && rig.answer[length] == '\0');
    assert_int_equal(rig.answer[length - 1], '\n');
    return rig.answer;
}

static void faults_hold_for_their_pair(void **state)
{
    (void)state;
    assert_string_equal(say("cut n1 n2"), "{\"pairs\": 2}\n");
    send_frame(0, 0xff, 1);
    expect("001");
    send_frame(2, 0xff, 3);
    expect("110");
    assert_string_equal(say("join n1 n2"), "{\"pairs\": 2}\n");
    send_frame(0, 0xff, 1);
    expect("011");
    assert_string_equal(say("fault n1 clients delay_ms=5 loss=0.0"), "{\"pairs\": 1}\n");
    send_frame(0, 0xff, 1);
    expect("010");
    assert_true(weft_switch_due_ns(&rig.bridge) > rig.now_ns);
    rig.now_ns += 5 * WEFT_NS_PER_MS;
    weft_switch_turn(&rig.bridge, rig.now_ns);
    expect("001");
    assert_string_equal(say("fault all all loss=1"), "{\"pairs\": 6}\n");
    send_frame(0, 0xff, 1);
    expect("000");
    assert_non_null(strstr(say("stats"), "\"lost\": 1"));
    assert_string_equal(say("fault all all clear"), "{\"pairs\": 6}\n");
    send_frame(0, 0xff, 1);
    expect("011");
    assert_non_null(strstr(say("macs"), "{\"mac\": \"02:00:00:00:00:01\", \"port\": \"n1\""));
}

static void bad_words_get_an_error(void **state)
{
    (void)state;
    static const char *const lines[] = {"",
                                        "  ",
                                        "help me",
                                        "fault",
                                        "fault n1",
                                        "fault n1 n2",
                                        "fault n1 n2 loss",
                                        "fault n1 n2 loss=",
                                        "fault n1 n2 loss=1.1",
                                        "fault n1 n2 loss=-1",
                                        "fault n1 n2 loss=nan",
                                        "fault n1 n2 speed=1",
                                        "fault n1 n2 delay_ms=60001",
                                        "fault n1 n9 loss=0.1",
                                        "fault n1 n1 loss=0.1",
                                        "fault n1 n2 partition=2",
                                        "cut n1",
                                        "cut n1 n2 n3",
                                        "join",
                                        "\x01\xff\"{}",
                                        "a b c d e f g h i j k l m n o p q r s t"};
    for (size_t i = 0; i < WEFT_COUNT_OF(lines); i++) {
        if (strncmp(say(lines[i]), "{\"error\": \"", 11) != 0)
            fail_msg("%s: %s", lines[i], rig.answer);
    }
    assert_int_equal(rig.bridge.fault_count, 0);
}

static void names_are_checked(void **state)
{
    (void)state;
    assert_int_equal(weft_switch_add_port(&rig.bridge, "n1"), -EEXIST);
    assert_int_equal(weft_switch_add_port(&rig.bridge, ""), -EINVAL);
    assert_int_equal(weft_switch_add_port(&rig.bridge, "../x"), -EINVAL);
    assert_int_equal(weft_switch_add_port(&rig.bridge, "sixteen-letters-"), -EINVAL);
}

// Property: the table agrees with a plain list of what was learned, moved, aged and forgotten.
static void the_table_agrees_with_a_model(void **state)
{
    (void)state;
    enum { MACS = 200 };
    static struct weft_mac_table table;
    for (unsigned seed = 0; seed < 20; seed++) {
        struct weft_prng prng;
        int port_of[MACS];
        uint64_t seen_ns[MACS] = {0}, now_ns = 1;
        uint32_t counts[4] = {0};
        weft_prng_seed(&prng, seed);
        weft_mac_table_init(&table);
        memset(port_of, -1, sizeof(port_of));
        for (unsigned step = 0; step < 5000; step++) {
            const uint32_t mac = weft_prng_below(&prng, MACS), port = weft_prng_below(&prng, 4);
            // Some thousand addresses share their first bits: collisions are wanted.
            const uint64_t address = UINT64_C(0x020000000000) + mac * UINT64_C(0x1000);
            now_ns += weft_prng_below(&prng, 3 * WEFT_MAC_AGE_NS / 400);
            for (unsigned i = 0; i < MACS; i++) {
                if (port_of[i] >= 0 && now_ns - seen_ns[i] > WEFT_MAC_AGE_NS) {
                    counts[port_of[i]]--;
                    port_of[i] = -1;
                }
            }
            weft_mac_expire(&table, now_ns);
            if (weft_prng_below(&prng, 500) == 0) {
                weft_mac_forget_port(&table, (uint8_t)port);
                counts[port] = 0;
                for (unsigned i = 0; i < MACS; i++)
                    if (port_of[i] == (int)port) port_of[i] = -1;
            }
            const bool fits = port_of[mac] == (int)port || counts[port] < WEFT_MAC_SHARE;
            if (weft_mac_learn(&table, address, (uint8_t)port, now_ns) != fits)
                fail_msg("seed %u, step %u", seed, step);
            if (fits && port_of[mac] != (int)port) {
                if (port_of[mac] >= 0) counts[port_of[mac]]--;
                counts[port]++;
                port_of[mac] = (int)port;
            }
            if (fits) seen_ns[mac] = now_ns;
            const uint32_t probe = weft_prng_below(&prng, MACS);
            if (weft_mac_find(&table, UINT64_C(0x020000000000) + probe * UINT64_C(0x1000),
                              now_ns) != port_of[probe])
                fail_msg("seed %u, step %u: %u", seed, step, probe);
        }
    }
    assert_false(weft_mac_learn(&table, 0, 0, 1));
    assert_false(weft_mac_learn(&table, UINT64_C(0x010000000000), 0, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_learns_and_floods, build, tear_down),
        cmocka_unit_test_setup_teardown(malformed_frames_end_here, build, tear_down),
        cmocka_unit_test_setup_teardown(a_port_pulled_out_is_forgotten, build, tear_down),
        cmocka_unit_test_setup_teardown(a_full_port_loses_only_its_own, build, tear_down),
        cmocka_unit_test_setup_teardown(faults_hold_for_their_pair, build, tear_down),
        cmocka_unit_test_setup_teardown(bad_words_get_an_error, build, tear_down),
        cmocka_unit_test_setup_teardown(names_are_checked, build, tear_down),
        cmocka_unit_test(the_table_agrees_with_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
