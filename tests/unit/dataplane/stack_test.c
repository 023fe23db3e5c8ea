// Two nodes of two cores on a cable: resolving, echo, datagrams both ways, owners, and the sums.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <string.h>

#include "tests/support/stack_rig.h"

static const uint32_t one_core[2] = {1, 1};
static const uint32_t two_cores[2] = {2, 2};

#define STEP_NS (10 * WEFT_NS_PER_US)

struct listener {
    struct weft_stack *stack;
    uint32_t count;
    bool answers;
    struct weft_udp_datagram last;
    uint8_t bytes[1500];
};

static void listen(void *self, const struct weft_udp_datagram *datagram)
{
    struct listener *listener = self;
    listener->count++;
    listener->last = *datagram;
    memcpy(listener->bytes, datagram->payload.data, datagram->payload.length);
    if (!listener->answers) return;
    uint16_t room;
    uint8_t *payload = weft_udp_payload(datagram, &room);
    assert_true(room >= 5);
    memcpy(payload, "hello", 5);
    assert_int_equal(weft_udp_answer(listener->stack, datagram, 5), 0);
}

static void answers_across_the_cable(void **state)
{
    (void)state;
    struct stack_rig *rig = stack_rig_create(one_core, 2, NULL, NULL);
    struct weft_stack *a = &rig->nodes[0].stacks[0], *b = &rig->nodes[1].stacks[0];
    struct listener at_a = {.stack = a}, at_b = {.stack = b, .answers = true};
    assert_int_equal(weft_udp_bind(a, 5000, listen, &at_a), 0);
    assert_int_equal(weft_udp_bind(b, 4200, listen, &at_b), 0);

    const struct weft_udp_flow flow = {0x0a000002, 4200, 5000, WEFT_UDP_ANY_PORT};
    assert_int_equal(weft_udp_send(a, &flow, weft_span_text("21 2 * .")), 0);
    stack_rig_turns(rig, 6, STEP_NS);
    assert_int_equal(at_b.count, 1);
    assert_int_equal(at_b.last.payload.length, 8);
    assert_memory_equal(at_b.bytes, "21 2 * .", 8);
    assert_int_equal(at_b.last.source, 0x0a000001);
    assert_int_equal(at_b.last.source_port, 5000);
    assert_int_equal(at_a.count, 1);
    assert_memory_equal(at_a.bytes, "hello", 5);
    assert_int_equal(at_a.last.source, 0x0a000002);
    assert_int_equal(at_a.last.destination_port, 5000);
    stack_rig_free(rig);
}

static void a_port_has_one_owner(void **state)
{
    (void)state;
    struct stack_rig *rig = stack_rig_create(two_cores, 1, NULL, NULL);
    struct weft_stack *stacks = rig->nodes[0].stacks;
    struct listener listener = {.stack = stacks};
    assert_int_equal(weft_udp_bind(&stacks[0], 0, listen, &listener), -EINVAL);
    assert_int_equal(weft_udp_bind(&stacks[0], 7, listen, &listener), 0);
    assert_int_equal(weft_udp_bind(&stacks[0], 7, listen, &listener), -EADDRINUSE);
    assert_int_equal(weft_udp_bind(&stacks[1], 7, listen, &listener), -EADDRINUSE);
    assert_int_equal(weft_udp_unbind(&stacks[1], 7), -ENOENT);
    assert_int_equal(weft_udp_unbind(&stacks[0], 7), 0);
    assert_int_equal(weft_udp_bind(&stacks[1], 7, listen, &listener), 0);
    assert_int_equal(weft_udp_unbind(&stacks[1], 0), -ENOENT);
    for (uint16_t port = 1000; port < 1000 + WEFT_UDP_BINDS_MAX; port++) {
        assert_int_equal(weft_udp_bind(&stacks[0], port, listen, &listener), 0);
    }
    assert_int_equal(weft_udp_bind(&stacks[0], 8, listen, &listener), -ENOSPC);
    for (uint16_t port = 1000; port < 1000 + WEFT_UDP_BINDS_MAX; port++) {
        assert_int_equal(weft_udp_unbind(&stacks[0], port), 0);
    }
    stack_rig_free(rig);
}

// Frames arrive on either core; the handler runs on the owner's, and the buffers go home.
static void every_datagram_reaches_the_owner_core(void **state)
{
    (void)state;
    struct stack_rig *rig = stack_rig_create(two_cores, 2, NULL, NULL);
    struct weft_stack *a = &rig->nodes[0].stacks[0], *b = &rig->nodes[1].stacks[1];
    struct listener at_a = {.stack = a}, at_b = {.stack = b, .answers = true};
    weft_udp_bind(a, 5000, listen, &at_a);
    weft_udp_bind(b, 4200, listen, &at_b);
    const struct weft_udp_flow flow = {0x0a000002, 4200, 5000, 0};
    for (uint32_t i = 0; i < 2000; i++) {
        assert_int_equal(weft_udp_send(a, &flow, weft_span_of(&i, sizeof(i))), 0);
        stack_rig_turn(rig, STEP_NS);
        if (i == 0) stack_rig_turns(rig, 8, STEP_NS); // The answer to ARP may go to either core.
    }
    stack_rig_turns(rig, 8, STEP_NS);
    assert_int_equal(at_b.count, 2000);
    assert_int_equal(at_a.count, 2000);
    assert_true(weft_counter_get(&rig->nodes[1].stacks[0].stats.handed_out) > 900);
    assert_int_equal(weft_counter_get(&rig->nodes[1].stacks[0].stats.handed_out),
                     weft_counter_get(&b->stats.handed_in));
    assert_int_equal(stack_rig_gap(&rig->nodes[0]), 0);
    assert_int_equal(stack_rig_gap(&rig->nodes[1]), 0);
    stack_rig_free(rig);
}

static void a_full_ring_is_a_counted_drop(void **state)
{
    (void)state;
    struct stack_rig *rig = stack_rig_create(two_cores, 1, NULL, NULL);
    struct stack_rig_node *node = &rig->nodes[0];
    struct listener listener = {.stack = &node->stacks[1]};
    weft_udp_bind(&node->stacks[1], 9, listen, &listener);
    // One core stands still: buffers, ring or overflow run out, whichever is least.
    static const uint8_t frame[60] = {
        2,  0, 0, 0,  0, 1, 2, 0, 0,  0,  0,    9,    8,  0,                    // To node 0, IPv4,
        69, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0x66, 0xcf, 10, 0, 0, 2, 10, 0, 0, 1, // UDP,
        0,  5, 0, 9,  0, 8,                                                     // port 9.
    };
    struct net_pipe_queue *queue = &rig->pipe->ends[0].queues[0];
    uint32_t lost = 0;
    for (uint32_t i = 0; i < 3000; i++) {
        if (!net_pipe_inject(queue, frame, sizeof(frame))) lost++;
        rig->now_ns += STEP_NS;
        weft_core_turn(&node->cores[0]);
    }
    stack_rig_turns(rig, 40, STEP_NS);
    const uint64_t full = stack_rig_drops(node, WEFT_DROP_UDP_HANDOVER_FULL);
    assert_int_equal(listener.count + full + lost, 3000);
    assert_true(full + lost > 0);
    stack_rig_free(rig);
}

static void refuses_what_cannot_be_sent(void **state)
{
    (void)state;
    struct stack_rig *rig = stack_rig_create(one_core, 1, NULL, NULL);
    struct stack_rig_node *node = &rig->nodes[0];
    struct weft_stack *stack = &node->stacks[0];
    static const uint8_t payload[1600];
    static const struct {
        const char *name;
        struct weft_udp_flow flow;
        uint32_t length;
        int result;
        enum weft_drop drop;
    } cases[] = {
        {"no address", {0, 1, 1, 0}, 1, -EINVAL, WEFT_DROP_IP4_NO_ROUTE},
        {"no port", {0x0a000002, 0, 1, 0}, 1, -EINVAL, WEFT_DROP_IP4_NO_ROUTE},
        {"ourselves", {0x0a000001, 1, 1, 0}, 1, -ENETUNREACH, WEFT_DROP_IP4_NO_ROUTE},
        {"loopback", {0x7f000001, 1, 1, 0}, 1, -ENETUNREACH, WEFT_DROP_IP4_NO_ROUTE},
        {"multicast", {0xe0000001, 1, 1, 0}, 1, -ENETUNREACH, WEFT_DROP_IP4_NO_ROUTE},
        {"no such port", {0x0a000002, 1, 1, 5}, 1, -ENETUNREACH, WEFT_DROP_IP4_NO_ROUTE},
        {"a byte too long", {0x0a000002, 1, 1, 0}, 1473, -EMSGSIZE, WEFT_DROP_IP4_TOO_LONG},
        {"the longest", {0x0a000002, 1, 1, 0}, 1472, 0, WEFT_DROP_COUNT},
        {"by the gateway", {0x08080808, 1, 1, 0}, 1, 0, WEFT_DROP_COUNT},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        const uint64_t before =
            cases[i].drop == WEFT_DROP_COUNT ? 0 : stack_rig_drops(node, cases[i].drop);
        const int result =
            weft_udp_send(stack, &cases[i].flow, weft_span_of(payload, cases[i].length));
        if (result != cases[i].result) fail_msg("%s: %d", cases[i].name, result);
        if (cases[i].drop != WEFT_DROP_COUNT && stack_rig_drops(node, cases[i].drop) != before + 1)
            fail_msg("%s: not counted", cases[i].name);
        assert_int_equal(stack_rig_gap(node), 0);
    }
    stack_rig_free(rig);
}

static void a_slow_device_holds_then_drops(void **state)
{
    (void)state;
    struct stack_rig *rig = stack_rig_create(one_core, 1, NULL, NULL);
    struct stack_rig_node *node = &rig->nodes[0];
    rig->pipe->ends[0].tx_limit = 0;
    const struct weft_udp_flow to_all = {0x0a0000ff, 9, 9, 0};
    int refused = 0;
    for (uint32_t i = 0; i < WEFT_STACK_TX_SLOTS + 10; i++) {
        if (weft_udp_send(&node->stacks[0], &to_all, weft_span_text("x")) == -ENOBUFS) refused++;
    }
    assert_int_equal(refused, 10);
    assert_int_equal(stack_rig_drops(node, WEFT_DROP_PORT_TX_FULL), 10);
    assert_int_equal(stack_rig_gap(node), 0);
    assert_int_equal(weft_stack_due_ns(&node->stacks[0]),
                     node->stacks[0].now_ns + WEFT_STACK_RETRY_NS);
    rig->pipe->ends[0].tx_limit = 5;
    stack_rig_turns(rig, 40, STEP_NS);
    assert_int_equal(weft_counter_get(&node->stacks[0].stats.transmitted), WEFT_STACK_TX_SLOTS);

    rig->pipe->ends[0].tx_limit = 0; // Its peer dies: what waits is old news soon.
    weft_udp_send(&node->stacks[0], &to_all, weft_span_text("x"));
    stack_rig_turns(rig, 2, WEFT_STACK_STUCK_NS - 1);
    assert_int_equal(stack_rig_drops(node, WEFT_DROP_PORT_TX_FULL), 10);
    stack_rig_turn(rig, 1);
    assert_int_equal(stack_rig_drops(node, WEFT_DROP_PORT_TX_FULL), 11);
    assert_int_equal(weft_stack_due_ns(&node->stacks[0]), UINT64_MAX);
    stack_rig_free(rig);
}

static void ports_with_contradictions_are_refused(void **state)
{
    (void)state;
    struct stack_rig *rig = stack_rig_create(one_core, 1, NULL, NULL);
    const struct weft_stack_port_options good = {
        .net = &rig->pipe->ends[0].queues[0].net, .address = 0x0a010001, .prefix_bits = 24};
    struct weft_stack_port_options bad[10];
    for (size_t i = 0; i < WEFT_COUNT_OF(bad); i++) {
        bad[i] = good;
    }
    bad[0].prefix_bits = 32;
    bad[1].prefix_bits = 0;
    bad[2].address = 0x0a0100ff;
    bad[3].address = 0x0a010000;
    bad[4].address = 0x7f000001;
    bad[5].gateway = 0x0a020001;
    bad[6].gateway = 0x0a010001;
    bad[7].mtu = 67;
    bad[8].mtu = 9000;
    bad[9].vlan = 4095;
    for (size_t i = 0; i < WEFT_COUNT_OF(bad); i++) {
        if (weft_stack_add_port(&rig->nodes[0].stacks[0], &bad[i]) != -EINVAL) fail_msg("%zu", i);
    }
    for (int i = 1; i < WEFT_STACK_PORTS_MAX; i++) {
        assert_int_equal(weft_stack_add_port(&rig->nodes[0].stacks[0], &good), 0);
    }
    assert_int_equal(weft_stack_add_port(&rig->nodes[0].stacks[0], &good), -ENOSPC);
    rig->nodes[0].stacks[0].port_count = 1; // The rig has one cable.
    stack_rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_across_the_cable),
        cmocka_unit_test(a_port_has_one_owner),
        cmocka_unit_test(every_datagram_reaches_the_owner_core),
        cmocka_unit_test(a_full_ring_is_a_counted_drop),
        cmocka_unit_test(refuses_what_cannot_be_sent),
        cmocka_unit_test(a_slow_device_holds_then_drops),
        cmocka_unit_test(ports_with_contradictions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
