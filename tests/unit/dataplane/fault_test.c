// A bad network on purpose, and the law that no frame is ever uncounted (DESIGN, rule 4).
#include "tests/support/cmocka.h"

#include <errno.h>
#include <string.h>

#include "dataplane/fault.h"
#include "dataplane/packet.h"
#include "tests/support/frame.h"
#include "tests/support/stack_rig.h"

static const uint32_t one_core[2] = {1, 1};

struct bench { // A fault layer over end 0 of a cable, end 1 for the test.
    struct net_pipe *pipe;
    struct weft_fault fault;
    struct weft_drops drops;
    uint64_t now_ns;
};

static struct bench bench;

static struct weft_fault *set_up(const struct weft_fault_options *options)
{
    memset(&bench, 0, sizeof(bench));
    bench.pipe = net_pipe_create(one_core, 0, 1024);
    weft_fault_init(&bench.fault, &bench.pipe->ends[0].queues[0].net, 7, &bench.now_ns,
                    &bench.drops);
    assert_int_equal(weft_fault_set(&bench.fault, options), 0);
    return &bench.fault;
}

static void tear_down(void)
{
    weft_fault_drain(&bench.fault);
    assert_int_equal(weft_fault_gap(&bench.fault), 0);
    assert_int_equal(net_pipe_at_home(&bench.pipe->ends[0].queues[0]), 1024);
    net_pipe_free(bench.pipe);
}

// Sends `count` numbered frames in; writes the numbers that came out to `seen`, returns how many.
static uint32_t run(uint32_t count, uint64_t step_ns, uint32_t *seen)
{
    const struct weft_net *net = &bench.fault.net;
    uint32_t out = 0;
    for (uint32_t i = 0; i < count + 100; i++) {
        bench.now_ns += step_ns;
        struct frame frame = frame_udp(1, 2, "0123");
        weft_le32_put(frame.bytes + 42, i);
        if (i < count) net_pipe_inject(&bench.pipe->ends[0].queues[0], frame.bytes, frame.length);
        struct weft_packet *packets[WEFT_NET_BURST];
        const uint32_t got = net->rx_burst(net->self, packets, WEFT_NET_BURST);
        for (uint32_t n = 0; n < got; n++) {
            seen[out++] = weft_le32_get(packets[n]->data + 42);
            net->release(net->self, packets[n]);
        }
        assert_int_equal(weft_fault_gap(&bench.fault), 0);
    }
    return out;
}

static uint32_t seen[4096], again[4096];

static void no_fault_is_no_change(void **state)
{
    (void)state;
    set_up(&(struct weft_fault_options){.rx = true});
    assert_int_equal(run(500, 1000, seen), 500);
    for (uint32_t i = 0; i < 500; i++) {
        assert_int_equal(seen[i], i);
    }
    assert_int_equal(weft_fault_due_ns(&bench.fault), UINT64_MAX);
    tear_down();
}

static void loss_and_duplicates_follow_their_chance_and_seed(void **state)
{
    (void)state;
    const struct weft_fault_options options = {
        .rx = true, .loss_ppm = 100000, .duplicate_ppm = 50000};
    uint32_t count[2];
    for (int round = 0; round < 2; round++) {
        struct weft_fault *fault = set_up(&options);
        count[round] = run(2000, 1000, round == 0 ? seen : again);
        const uint64_t lost = weft_counter_get(&fault->stats.lost);
        const uint64_t doubled = weft_counter_get(&fault->stats.duplicated);
        assert_in_range(lost, 140, 260);
        assert_in_range(doubled, 50, 150);
        assert_int_equal(count[round], 2000 - lost + doubled);
        assert_int_equal(weft_drop_get(&bench.drops, WEFT_DROP_FAULT_LOSS), lost);
        tear_down();
    }
    assert_int_equal(count[0], count[1]);
    assert_memory_equal(seen, again, count[0] * sizeof(seen[0]));
}

static void delay_keeps_order_and_jitter_does_not(void **state)
{
    (void)state;
    set_up(&(struct weft_fault_options){.rx = true, .delay_ns = 10000});
    assert_int_equal(run(100, 1000, seen), 100);
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(seen[i], i);
    }
    tear_down();
    set_up(&(struct weft_fault_options){.rx = true, .jitter_ns = 20000});
    assert_int_equal(run(100, 1000, seen), 100);
    uint32_t overtaken = 0;
    for (uint32_t i = 1; i < 100; i++) {
        if (seen[i] < seen[i - 1]) overtaken++;
    }
    assert_true(overtaken > 10);
    tear_down();
}

static void a_delayed_frame_says_when(void **state)
{
    (void)state;
    struct weft_fault *fault = set_up(&(struct weft_fault_options){.rx = true, .delay_ns = 5000});
    const struct frame frame = frame_udp(1, 2, "x");
    struct weft_packet *packet;
    net_pipe_inject(&bench.pipe->ends[0].queues[0], frame.bytes, frame.length);
    assert_int_equal(fault->net.rx_burst(fault->net.self, &packet, 1), 0);
    assert_int_equal(weft_fault_due_ns(fault), 5000);
    bench.now_ns = 4999;
    assert_int_equal(fault->net.rx_burst(fault->net.self, &packet, 1), 0);
    bench.now_ns = 5000;
    assert_int_equal(fault->net.rx_burst(fault->net.self, &packet, 1), 1);
    fault->net.release(fault->net.self, packet);
    tear_down();
}

static void the_delay_line_is_bounded(void **state)
{
    (void)state;
    struct weft_fault *fault =
        set_up(&(struct weft_fault_options){.rx = true, .delay_ns = WEFT_NS_PER_S});
    assert_int_equal(run(WEFT_FAULT_SLOTS + 20, 1, seen), 0);
    assert_int_equal(weft_counter_get(&fault->stats.queue_full), 20);
    assert_int_equal(weft_drop_get(&bench.drops, WEFT_DROP_FAULT_QUEUE_FULL), 20);
    tear_down();
}

static void corruption_turns_one_bit(void **state)
{
    (void)state;
    struct weft_fault *fault =
        set_up(&(struct weft_fault_options){.tx = true, .corrupt_ppm = WEFT_FAULT_PPM});
    const struct frame frame = frame_udp(1, 2, "x");
    struct weft_packet *packet = fault->net.alloc(fault->net.self);
    weft_packet_resize(packet, (uint16_t)frame.length);
    memcpy(packet->data, frame.bytes, frame.length);
    assert_int_equal(fault->net.tx_burst(fault->net.self, &packet, 1), 1);
    struct frame out;
    out.length = net_pipe_take(&bench.pipe->ends[1].queues[0], out.bytes, sizeof(out.bytes));
    assert_int_equal(out.length, frame.length);
    int bits = 0;
    for (uint32_t i = 0; i < out.length; i++) {
        bits += __builtin_popcount(out.bytes[i] ^ frame.bytes[i]);
    }
    assert_int_equal(bits, 1);
    tear_down();
}

static void partition_cuts_by_peer(void **state)
{
    (void)state;
    struct frame frames[] = {frame_udp(1, 2, "x"), frame_arp(WEFT_ARP_REQUEST, 0x0a000002, 1),
                             frame_arp(WEFT_ARP_REPLY, 1, 0x0a000002),
                             frame_ip4(0x0a000003, 0x0a000001, WEFT_IP4_UDP, 8),
                             frame_udp(1, 2, "y")};
    frame_tag(&frames[4], 5);
    static const bool cut[] = {true, true, true, false, true};
    for (size_t i = 0; i < WEFT_COUNT_OF(frames); i++) {
        struct weft_fault *fault = set_up(&(struct weft_fault_options){
            .rx = true, .partition_count = 1, .partition_peers = {0x0a000002}});
        struct weft_packet *packet;
        net_pipe_inject(&bench.pipe->ends[0].queues[0], frames[i].bytes, frames[i].length);
        const uint32_t got = fault->net.rx_burst(fault->net.self, &packet, 1);
        if (got != !cut[i]) fail_msg("%zu", i);
        if (got == 1) fault->net.release(fault->net.self, packet);
        assert_int_equal(weft_drop_get(&bench.drops, WEFT_DROP_FAULT_PARTITION), cut[i]);
        tear_down();
    }
    set_up(&(struct weft_fault_options){.rx = true, .partition_all = true});
    assert_int_equal(run(10, 1, seen), 0);
    tear_down();
}

static void impossible_options_are_refused(void **state)
{
    (void)state;
    struct weft_fault *fault = set_up(&(struct weft_fault_options){.rx = true});
    static const struct weft_fault_options bad[] = {
        {.loss_ppm = WEFT_FAULT_PPM + 1},
        {.duplicate_ppm = WEFT_FAULT_PPM + 1},
        {.corrupt_ppm = WEFT_FAULT_PPM + 1},
        {.reorder_ppm = WEFT_FAULT_PPM + 1},
        {.partition_count = 17},
        {.delay_ns = 61 * WEFT_NS_PER_S},
        {.jitter_ns = UINT64_MAX},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(bad); i++) {
        assert_int_equal(weft_fault_set(fault, &bad[i]), -EINVAL);
    }
    tear_down();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_fault_is_no_change),
        cmocka_unit_test(loss_and_duplicates_follow_their_chance_and_seed),
        cmocka_unit_test(delay_keeps_order_and_jitter_does_not),
        cmocka_unit_test(a_delayed_frame_says_when),
        cmocka_unit_test(the_delay_line_is_bounded),
        cmocka_unit_test(corruption_turns_one_bit),
        cmocka_unit_test(partition_cuts_by_peer),
        cmocka_unit_test(impossible_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
