// What a stack asks, believes and forgets about addresses, over simulated minutes.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <string.h>

#include "dataplane/packet.h"
#include "tests/support/frame.h"
#include "tests/support/stack_rig.h"

#define US   0x0a000001
#define PEER 0x0a000002

static const uint32_t one_core[2] = {1, 1};
static const uint32_t two_cores[2] = {2, 1};
static const struct weft_udp_flow to_peer = {PEER, 9, 9, 0};

struct wire {
    struct stack_rig *rig;
    struct stack_rig_node *node;
    struct weft_stack *stack;
    struct net_pipe_queue *in, *out;
};

static struct wire open_wire(const struct weft_stack_options *options, const uint32_t cores[2])
{
    struct wire wire = {.rig = stack_rig_create(cores, 1, options, NULL)};
    wire.node = &wire.rig->nodes[0];
    wire.stack = &wire.node->stacks[0];
    wire.in = &wire.rig->pipe->ends[0].queues[0];
    wire.out = &wire.rig->pipe->ends[1].queues[0];
    return wire;
}

static void give(struct wire *wire, const struct frame *frame)
{
    assert_true(net_pipe_inject(wire->in, frame->bytes, frame->length));
    stack_rig_turn(wire->rig, WEFT_NS_PER_US);
}

static struct frame take(struct wire *wire)
{
    struct frame frame = {.length = 0};
    frame.length = net_pipe_take(wire->out, frame.bytes, sizeof(frame.bytes));
    return frame;
}

static bool is_arp(const struct frame *frame, uint16_t operation, uint32_t target)
{
    const uint8_t *arp = frame->bytes + WEFT_ETH_BYTES;
    return frame->length == 60 && weft_be16_get(frame->bytes + 12) == WEFT_ETHERTYPE_ARP &&
           weft_be16_get(arp + WEFT_ARP_OPERATION) == operation &&
           weft_be32_get(arp + WEFT_ARP_TARGET) == target;
}

static enum weft_arp_state state_of(const struct wire *wire, uint32_t address)
{
    const struct weft_arp_entry *entry = weft_arp_table_find(&wire->stack->arp, 0, address);
    return entry == NULL ? WEFT_ARP_FREE : weft_arp_table_state(entry, wire->rig->now_ns);
}

static void asks_three_times_then_gives_up(void **state)
{
    (void)state;
    struct wire wire = open_wire(NULL, one_core);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(weft_udp_send(wire.stack, &to_peer, weft_span_text("x")), 0);
    }
    for (int second = 0; second < WEFT_ARP_TRIES_MAX; second++) {
        stack_rig_turn(wire.rig, second == 0 ? 0 : WEFT_ARP_RETRY_NS);
        const struct frame request = take(&wire);
        assert_true(is_arp(&request, WEFT_ARP_REQUEST, PEER));
        assert_int_equal(request.bytes[0], 0xff);
        assert_int_equal(take(&wire).length, 0);
        assert_int_equal(state_of(&wire, PEER), WEFT_ARP_INCOMPLETE);
        assert_int_equal(weft_stack_due_ns(wire.stack), wire.rig->now_ns + WEFT_ARP_RETRY_NS);
    }
    stack_rig_turn(wire.rig, WEFT_ARP_RETRY_NS);
    assert_int_equal(state_of(&wire, PEER), WEFT_ARP_FREE);
    assert_int_equal(stack_rig_drops(wire.node, WEFT_DROP_ARP_UNRESOLVED), 5);
    assert_int_equal(weft_stack_due_ns(wire.stack), UINT64_MAX);
    assert_int_equal(stack_rig_gap(wire.node), 0);
    stack_rig_free(wire.rig);
}

static void keeps_the_latest_that_wait(void **state)
{
    (void)state;
    struct wire wire = open_wire(NULL, one_core);
    for (uint8_t i = 0; i < WEFT_ARP_PENDING_MAX + 3; i++) {
        assert_int_equal(weft_udp_send(wire.stack, &to_peer, weft_span_of(&i, 1)), 0);
    }
    assert_int_equal(stack_rig_drops(wire.node, WEFT_DROP_ARP_QUEUE_FULL), 3);
    assert_int_equal(stack_rig_gap(wire.node), 0);
    const struct frame reply = frame_arp(WEFT_ARP_REPLY, PEER, US);
    give(&wire, &reply);
    assert_int_equal(state_of(&wire, PEER), WEFT_ARP_REACHABLE);
    take(&wire); // The request.
    for (uint8_t i = 3; i < WEFT_ARP_PENDING_MAX + 3; i++) {
        const struct frame frame = take(&wire);
        assert_int_equal(frame.bytes[WEFT_ETH_BYTES + WEFT_IP4_BYTES + WEFT_UDP_BYTES], i);
        assert_memory_equal(frame.bytes, reply.bytes + 6, 6);
    }
    stack_rig_free(wire.rig);
}

static void all_waiting_together_are_bounded(void **state)
{
    (void)state;
    struct wire wire = open_wire(NULL, one_core);
    int refused = 0;
    for (uint32_t host = 0; host < 60; host++) {
        const struct weft_udp_flow flow = {0x0a000064 + host, 9, 9, 0};
        for (int i = 0; i < 6; i++) {
            if (weft_udp_send(wire.stack, &flow, weft_span_text("x")) == -ENOBUFS) refused++;
        }
        stack_rig_turn(wire.rig, 0);
        while (take(&wire).length > 0)
            continue;
    }
    assert_int_equal(refused, 60 * 6 - WEFT_ARP_HELD_MAX);
    assert_int_equal(stack_rig_drops(wire.node, WEFT_DROP_ARP_QUEUE_FULL), refused);
    stack_rig_free(wire.rig);
}

static void asks_again_while_it_sends(void **state)
{
    (void)state;
    struct wire wire = open_wire(NULL, one_core);
    const struct frame reply = frame_arp(WEFT_ARP_REPLY, PEER, US);
    weft_udp_send(wire.stack, &to_peer, weft_span_text("x"));
    give(&wire, &reply);
    while (take(&wire).length > 0)
        continue;
    stack_rig_turn(wire.rig, WEFT_ARP_REACHABLE_NS);
    assert_int_equal(state_of(&wire, PEER), WEFT_ARP_STALE);
    weft_udp_send(wire.stack, &to_peer, weft_span_text("y"));
    stack_rig_turn(wire.rig, 0);
    assert_int_equal(state_of(&wire, PEER), WEFT_ARP_PROBE);
    const struct frame probe = take(&wire);
    assert_true(is_arp(&probe, WEFT_ARP_REQUEST, PEER));
    assert_memory_equal(probe.bytes, reply.bytes + 6, 6); // To its last known owner only.
    assert_int_equal(weft_be16_get(take(&wire).bytes + 12), WEFT_ETHERTYPE_IP4);
    give(&wire, &reply);
    assert_int_equal(state_of(&wire, PEER), WEFT_ARP_REACHABLE);

    stack_rig_turn(wire.rig, WEFT_ARP_REACHABLE_NS);
    weft_udp_send(wire.stack, &to_peer, weft_span_text("z"));
    stack_rig_turns(wire.rig, WEFT_ARP_TRIES_MAX + 1, WEFT_ARP_RETRY_NS);
    assert_int_equal(state_of(&wire, PEER), WEFT_ARP_FREE);
    stack_rig_free(wire.rig);
}

static void believes_who_asks_not_who_shouts(void **state)
{
    (void)state;
    struct wire wire = open_wire(NULL, one_core);
    struct frame frame = frame_arp(WEFT_ARP_REPLY, PEER, US);
    give(&wire, &frame); // Nobody asked.
    assert_int_equal(state_of(&wire, PEER), WEFT_ARP_FREE);
    frame = frame_arp(WEFT_ARP_REQUEST, PEER, PEER); // Gratuitous, from a stranger.
    give(&wire, &frame);
    assert_int_equal(state_of(&wire, PEER), WEFT_ARP_FREE);
    assert_int_equal(stack_rig_drops(wire.node, WEFT_DROP_ARP_NOT_FOR_US), 1);
    frame = frame_arp(WEFT_ARP_REQUEST, PEER, US);
    give(&wire, &frame);
    assert_int_equal(state_of(&wire, PEER), WEFT_ARP_STALE);
    const struct frame reply = take(&wire);
    assert_true(is_arp(&reply, WEFT_ARP_REPLY, PEER));
    frame = frame_arp(WEFT_ARP_REQUEST, PEER, PEER); // Gratuitous, with a new MAC: it moved.
    frame.bytes[11] = frame.bytes[WEFT_ETH_BYTES + WEFT_ARP_SENDER_MAC + 5] = 0x77;
    give(&wire, &frame);
    assert_int_equal(weft_arp_table_find(&wire.stack->arp, 0, PEER)->mac[5], 0x77);
    frame = frame_arp(WEFT_ARP_REQUEST, 0, US); // RFC 5227: somebody wants our address.
    give(&wire, &frame);
    const struct frame defence = take(&wire);
    assert_true(is_arp(&defence, WEFT_ARP_REPLY, 0));
    stack_rig_free(wire.rig);
}

static void announces_and_defends_its_address(void **state)
{
    (void)state;
    const struct weft_stack_options options = {.announces = true};
    struct wire wire = open_wire(&options, one_core);
    struct frame frame;
    for (int i = 0; i < 2; i++) {
        stack_rig_turn(wire.rig, 2 * WEFT_NS_PER_S);
        frame = take(&wire);
        assert_true(is_arp(&frame, WEFT_ARP_REQUEST, US));
    }
    stack_rig_turn(wire.rig, 2 * WEFT_NS_PER_S);
    assert_int_equal(take(&wire).length, 0);
    const struct frame conflict = frame_arp(WEFT_ARP_REQUEST, US, US);
    for (int i = 0; i < 3; i++) {
        give(&wire, &conflict);
    }
    frame = take(&wire);
    assert_true(is_arp(&frame, WEFT_ARP_REQUEST, US));
    assert_int_equal(take(&wire).length, 0); // Once in ten seconds.
    assert_int_equal(weft_counter_get(&wire.stack->stats.arp_conflict), 3);
    stack_rig_turn(wire.rig, 10 * WEFT_NS_PER_S);
    give(&wire, &conflict);
    assert_int_equal(take(&wire).length, 60);
    stack_rig_free(wire.rig);
}

static void the_least_used_makes_room(void **state)
{
    (void)state;
    static struct weft_arp_table table;
    struct weft_packet *evicted;
    weft_arp_table_init(&table);
    for (uint32_t i = 0; i < WEFT_ARP_ENTRIES; i++) {
        weft_arp_table_add(&table, 0, i + 1, 1000 + i, &evicted);
        assert_null(evicted);
    }
    weft_arp_table_find(&table, 0, 1)->used_ns = 9000;
    weft_arp_table_add(&table, 0, 999, 5000, &evicted);
    assert_null(weft_arp_table_find(&table, 0, 2));
    assert_non_null(weft_arp_table_find(&table, 0, 1));
    assert_null(weft_arp_table_find(&table, 1, 999)); // Another port, another network.
    assert_int_equal(table.entry_count, WEFT_ARP_ENTRIES);
    for (uint32_t i = 0; i < WEFT_ARP_ENTRIES; i++) {
        weft_arp_table_remove(&table, &table.entries[i]);
    }
    assert_int_equal(table.entry_count, 0);
    assert_null(weft_arp_table_find(&table, 0, 999));
}

static void a_flood_is_rationed(void **state)
{
    (void)state;
    struct wire wire = open_wire(NULL, one_core);
    const struct frame request = frame_arp(WEFT_ARP_REQUEST, PEER, US);
    for (int i = 0; i < 100; i++) {
        net_pipe_inject(wire.in, request.bytes, request.length);
    }
    stack_rig_turn(wire.rig, 0);
    assert_int_equal(stack_rig_drops(wire.node, WEFT_DROP_ARP_RATE), 36);
    // And so are our own questions: those over the rate are asked a little later.
    for (uint32_t host = 0; host < 100; host++) {
        const struct weft_udp_flow flow = {0x0a000064 + host, 9, 9, 0};
        weft_udp_send(wire.stack, &flow, weft_span_text("x"));
    }
    while (take(&wire).length > 0)
        continue;
    stack_rig_turn(wire.rig, 0);
    int asked = 0;
    while (take(&wire).length > 0)
        asked++;
    assert_int_equal(asked, 64);
    stack_rig_turns(wire.rig, 10, 20 * WEFT_NS_PER_MS);
    while (take(&wire).length > 0)
        asked++;
    assert_int_equal(asked, 100);
    stack_rig_free(wire.rig);
}

// Core 1 asks; the answer comes in on core 0; core 1's packet leaves all the same.
static void an_answer_reaches_the_core_that_asked(void **state)
{
    (void)state;
    struct wire wire = open_wire(NULL, two_cores);
    weft_udp_send(&wire.node->stacks[1], &to_peer, weft_span_text("x"));
    stack_rig_turn(wire.rig, 0);
    struct frame frame = take(&wire);
    assert_true(is_arp(&frame, WEFT_ARP_REQUEST, PEER));
    const struct frame reply = frame_arp(WEFT_ARP_REPLY, PEER, US);
    give(&wire, &reply);
    stack_rig_turn(wire.rig, 0);
    assert_int_equal(weft_be16_get(take(&wire).bytes + 12), WEFT_ETHERTYPE_IP4);
    assert_null(weft_arp_table_find(&wire.node->stacks[0].arp, 0, PEER));
    stack_rig_free(wire.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_three_times_then_gives_up),
        cmocka_unit_test(keeps_the_latest_that_wait),
        cmocka_unit_test(all_waiting_together_are_bounded),
        cmocka_unit_test(asks_again_while_it_sends),
        cmocka_unit_test(believes_who_asks_not_who_shouts),
        cmocka_unit_test(announces_and_defends_its_address),
        cmocka_unit_test(the_least_used_makes_room),
        cmocka_unit_test(a_flood_is_rationed),
        cmocka_unit_test(an_answer_reaches_the_core_that_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
