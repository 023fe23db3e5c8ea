// The exception path: whose a frame is, frame by frame; that the stack misses none of its own; and
// that none is lost between the card and the kernel without a reason.
#include "tests/support/cmocka.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/packet.h"
#include "dataplane/punt.h"
#include "runtime/base/prng.h"
#include "tests/support/frame.h"
#include "tests/support/stack_rig.h"

#define OURS     0x0a000001 // 10.0.0.1
#define PEER     0x0a000002
#define KERNEL   0x0a000003 // The kernel's address on the same card.
#define EVERYONE 0x0a0000ff
#define MDNS     0xe00000fb
#define BUFFERS  1024

static const uint32_t one_core[2] = {1, 1};
static const struct weft_punt_port plain = {
    .mac = {2, 0, 0, 0, 0, 1}, .address = OURS, .mask = 0xffffff00};

static enum weft_punt_way way_of(const struct weft_punt_port *port, struct frame *frame)
{
    const struct weft_packet packet = {.data = frame->bytes, .length = (uint16_t)frame->length};
    return weft_punt_way(port, &packet);
}

// An IPv4 datagram as `to` (an Ethernet address's last byte, 255: everyone) gets it.
static struct frame datagram(uint8_t to, uint32_t destination)
{
    struct frame frame = frame_ip4(PEER, destination, WEFT_IP4_UDP, 20);
    memset(frame.bytes, to == 255 ? 255 : 0, 6);
    if (to != 255) frame.bytes[0] = 2;
    frame.bytes[5] = to;
    return frame;
}

static struct frame asked(uint8_t to, uint16_t operation, uint32_t sender, uint32_t target)
{
    struct frame frame = frame_arp(operation, sender, target);
    memcpy(frame.bytes, datagram(to, OURS).bytes, 6);
    return frame;
}

static struct frame cut(struct frame frame, uint32_t length)
{
    frame.length = length;
    return frame;
}

static struct frame from_us(struct frame frame)
{
    frame.bytes[WEFT_ETH_FROM + 5] = 1;
    return frame;
}

static struct frame tagged(struct frame frame, uint16_t vlan)
{
    frame_tag(&frame, vlan);
    return frame;
}

static struct frame group(uint32_t destination)
{
    static const uint8_t mac[6] = {1, 0, 0x5e, 0, 0, 0xfb};
    struct frame frame = datagram(1, destination);
    memcpy(frame.bytes, mac, 6);
    return frame;
}

static void whose_a_frame_is(void **state)
{
    (void)state;
    const struct {
        const char *name;
        struct frame frame;
        enum weft_punt_way way;
    } cases[] = {
        {"to our address", datagram(1, OURS), WEFT_PUNT_STACK},
        {"to the kernel's", datagram(1, KERNEL), WEFT_PUNT_KERNEL},
        {"an offer of DHCP, to an address nobody has yet", datagram(1, 0xc0000207),
         WEFT_PUNT_KERNEL},
        {"the same to everyone", datagram(255, UINT32_MAX), WEFT_PUNT_BOTH},
        {"to everyone on our network", datagram(255, EVERYONE), WEFT_PUNT_BOTH},
        {"the same in a frame for us alone", datagram(1, EVERYONE), WEFT_PUNT_BOTH},
        {"to everyone on another one", datagram(255, 0xc00002ff), WEFT_PUNT_KERNEL},
        {"to us alone, in a frame for everyone", datagram(255, OURS), WEFT_PUNT_STACK},
        {"mDNS", group(MDNS), WEFT_PUNT_KERNEL},
        {"for another card", datagram(9, KERNEL), WEFT_PUNT_STACK},
        {"our own, come back", from_us(datagram(1, KERNEL)), WEFT_PUNT_STACK},
        {"IPv4, short", cut(datagram(1, KERNEL), WEFT_ETH_BYTES + 19), WEFT_PUNT_STACK},
        {"no whole header", cut(datagram(1, KERNEL), 13), WEFT_PUNT_STACK},
        {"who has our address", asked(255, WEFT_ARP_REQUEST, PEER, OURS), WEFT_PUNT_STACK},
        {"who has the kernel's", asked(255, WEFT_ARP_REQUEST, PEER, KERNEL), WEFT_PUNT_BOTH},
        {"an answer to us", asked(1, WEFT_ARP_REPLY, PEER, OURS), WEFT_PUNT_STACK},
        {"an answer to the kernel", asked(1, WEFT_ARP_REPLY, PEER, KERNEL), WEFT_PUNT_KERNEL},
        {"somebody claims our address", asked(1, WEFT_ARP_REPLY, OURS, KERNEL), WEFT_PUNT_BOTH},
        {"ARP, short", cut(asked(255, WEFT_ARP_REQUEST, PEER, KERNEL), 41), WEFT_PUNT_STACK},
        {"IPv6", frame_ether(1, WEFT_ETHERTYPE_IP6), WEFT_PUNT_KERNEL},
        {"LLDP, to us", frame_ether(1, 0x88cc), WEFT_PUNT_KERNEL},
        {"of another VLAN", tagged(datagram(1, OURS), 9), WEFT_PUNT_KERNEL},
        {"tagged for its priority", tagged(datagram(1, OURS), 0), WEFT_PUNT_STACK},
        {"half a tag", cut(tagged(datagram(1, OURS), 9), WEFT_ETH_BYTES + 3), WEFT_PUNT_STACK},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct frame frame = cases[i].frame;
        const enum weft_punt_way way = way_of(&plain, &frame);
        if (way != cases[i].way) fail_msg("%s: %d", cases[i].name, (int)way);
    }
}

// The data plane on a VLAN, the kernel on what is not tagged.
static void two_networks_on_one_cable(void **state)
{
    (void)state;
    struct weft_punt_port port = plain;
    port.vlan = 42;
    struct frame ours = tagged(datagram(1, OURS), 42), theirs = datagram(1, KERNEL),
                 other = tagged(datagram(1, OURS), 43), same = datagram(1, OURS);
    assert_int_equal(way_of(&port, &ours), WEFT_PUNT_STACK);
    assert_int_equal(way_of(&port, &theirs), WEFT_PUNT_KERNEL);
    assert_int_equal(way_of(&port, &other), WEFT_PUNT_KERNEL);
    assert_int_equal(way_of(&port, &same), WEFT_PUNT_KERNEL); // Its own network's 10.0.0.1.
    const struct weft_packet stripped = {.data = same.bytes,
                                         .length = (uint16_t)same.length,
                                         .flags = WEFT_PACKET_VLAN,
                                         .vlan = 42 | 5 << 13};
    assert_int_equal(weft_punt_way(&port, &stripped), WEFT_PUNT_STACK);
}

static void nothing(void *self, const struct weft_udp_datagram *datagram)
{
    (void)self;
    (void)datagram;
}

static struct frame any_frame(struct weft_prng *prng)
{
    static const uint32_t hosts[] = {OURS, PEER, KERNEL, EVERYONE, UINT32_MAX, MDNS, 0x0a000000};
    static const uint8_t macs[] = {1, 1, 9, 255};
    const uint32_t host = hosts[weft_prng_below(prng, WEFT_COUNT_OF(hosts))];
    struct frame frame =
        weft_prng_below(prng, 2) == 0 ? frame_udp(7, 4200, "payload") : frame_echo(20);
    memcpy(frame.bytes, datagram(macs[weft_prng_below(prng, WEFT_COUNT_OF(macs))], OURS).bytes, 6);
    weft_be32_put(frame.bytes + WEFT_ETH_BYTES + WEFT_IP4_DESTINATION, host);
    frame_seal(&frame);
    if (weft_prng_below(prng, 4) == 0) frame_tag(&frame, (uint16_t)weft_prng_below(prng, 3));
    for (uint32_t bits = weft_prng_below(prng, 3); bits > 0; bits--)
        frame.bytes[weft_prng_below(prng, 40)] ^= (uint8_t)(1u << weft_prng_below(prng, 8));
    if (weft_prng_below(prng, 8) == 0) frame.length = weft_prng_below(prng, frame.length);
    return frame;
}

// Property: what the stack would give to a handler, or answer, never goes to the kernel alone.
static void the_stack_misses_nothing(void **state)
{
    (void)state;
    uint64_t taken = 0;
    for (uint16_t vlan = 0; vlan < 3; vlan++) {
        const struct weft_stack_port_options options = {.vlan = vlan};
        struct weft_punt_port port = plain;
        struct stack_rig *rig = stack_rig_create(one_core, 1, NULL, &options);
        struct weft_stack *stack = &rig->nodes[0].stacks[0];
        struct weft_prng prng;
        port.vlan = vlan;
        weft_prng_seed(&prng, vlan);
        assert_int_equal(weft_udp_bind(stack, 4200, nothing, NULL), 0);
        for (uint32_t i = 0; i < 20000; i++) {
            struct frame frame = any_frame(&prng);
            uint8_t sent[FRAME_BYTES_MAX];
            const enum weft_punt_way way = way_of(&port, &frame);
            const uint64_t before =
                weft_counter_get(&stack->stats.udp) + weft_counter_get(&stack->stats.echo);
            net_pipe_inject(&rig->pipe->ends[0].queues[0], frame.bytes, frame.length);
            stack_rig_turn(rig, WEFT_NS_PER_MS);
            const uint64_t after =
                weft_counter_get(&stack->stats.udp) + weft_counter_get(&stack->stats.echo);
            if (after != before && way == WEFT_PUNT_KERNEL) fail_msg("VLAN %u, frame %u", vlan, i);
            taken += after - before;
            while (net_pipe_take(&rig->pipe->ends[1].queues[0], sent, sizeof(sent)) > 0)
                continue;
        }
        stack_rig_free(rig);
    }
    assert_true(taken > 1000);
}

// ---- The layer, with a pair of sockets in place of a TAP.

struct bench {
    struct net_pipe *pipe; // End 0 is the card, end 1 the network.
    struct weft_punt punt;
    struct weft_poller poller;
    struct weft_drops drops;
    uint64_t now_ns;
    int kernel; // The other end of the layer's descriptor.
};

static struct bench bench;

static void set_up(bool reads)
{
    int fds[2];
    memset(&bench, 0, sizeof(bench));
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
    bench.pipe = net_pipe_create(one_core, 0, BUFFERS);
    bench.kernel = fds[1];
    weft_punt_init(&bench.punt,
                   &(struct weft_punt_options){.net = &bench.pipe->ends[0].queues[0].net,
                                               .fd = fds[0],
                                               .reads = reads,
                                               .port = plain,
                                               .now_ns = &bench.now_ns,
                                               .drops = &bench.drops});
    bench.poller = weft_punt_poller(&bench.punt);
}

static void tear_down(void)
{
    assert_int_equal(weft_punt_gap(&bench.punt), 0);
    assert_int_equal(net_pipe_at_home(&bench.pipe->ends[0].queues[0]), BUFFERS);
    close(bench.kernel);
    close(bench.punt.fd);
    net_pipe_free(bench.pipe);
}

static void arrive(const struct frame *frame)
{
    assert_true(net_pipe_inject(&bench.pipe->ends[0].queues[0], frame->bytes, frame->length));
}

// How many frames the stack gets; they are given back.
static uint32_t receive(void)
{
    struct weft_packet *packets[WEFT_NET_BURST];
    const struct weft_net *net = &bench.punt.net;
    const uint32_t count = net->rx_burst(net->self, packets, WEFT_NET_BURST);
    for (uint32_t i = 0; i < count; i++)
        net->release(net->self, packets[i]);
    return count;
}

static void each_frame_goes_its_way(void **state)
{
    (void)state;
    const struct frame ours = datagram(1, OURS), theirs = datagram(1, KERNEL),
                       all = datagram(255, UINT32_MAX);
    uint8_t bytes[FRAME_BYTES_MAX];
    set_up(true);
    arrive(&ours);
    arrive(&theirs);
    arrive(&all);
    assert_int_equal(receive(), 2);
    assert_int_equal(recv(bench.kernel, bytes, sizeof(bytes), 0), theirs.length);
    assert_memory_equal(bytes, theirs.bytes, theirs.length);
    assert_int_equal(recv(bench.kernel, bytes, sizeof(bytes), 0), all.length);
    assert_true(recv(bench.kernel, bytes, sizeof(bytes), 0) < 0);
    assert_int_equal(weft_counter_get(&bench.punt.stats.to_kernel), 2);
    assert_int_equal(bench.poller.poll(bench.poller.self, 0), 2); // A core that did so is not idle.
    tear_down();
}

static void a_tag_that_the_card_took_off_is_put_back(void **state)
{
    (void)state;
    const struct frame theirs = datagram(1, KERNEL), whole = tagged(theirs, 7);
    uint8_t bytes[FRAME_BYTES_MAX];
    struct weft_packet *packet;
    set_up(true);
    arrive(&theirs);
    struct net_pipe_queue *queue = &bench.pipe->ends[0].queues[0];
    packet = queue->slots[queue->tail % NET_PIPE_SLOTS];
    packet->flags = WEFT_PACKET_VLAN;
    packet->vlan = 7;
    assert_int_equal(receive(), 0);
    assert_int_equal(recv(bench.kernel, bytes, sizeof(bytes), 0), whole.length);
    assert_memory_equal(bytes, whole.bytes, whole.length);
    tear_down();
}

static void what_floods_the_kernel_is_cut_off(void **state)
{
    (void)state;
    const struct frame theirs = datagram(1, KERNEL);
    uint8_t bytes[FRAME_BYTES_MAX];
    uint32_t got = 0;
    set_up(true);
    for (uint32_t i = 0; i < WEFT_PUNT_BURST + 100; i++) {
        arrive(&theirs);
        assert_int_equal(receive(), 0);
        got += recv(bench.kernel, bytes, sizeof(bytes), 0) > 0;
    }
    assert_int_equal(got, WEFT_PUNT_BURST);
    assert_int_equal(weft_drop_get(&bench.drops, WEFT_DROP_KERNEL_RATE), 100);
    bench.now_ns += WEFT_NS_PER_S / WEFT_PUNT_RATE_HZ; // Time for one more.
    arrive(&theirs);
    arrive(&theirs);
    assert_int_equal(receive(), 0);
    assert_int_equal(weft_drop_get(&bench.drops, WEFT_DROP_KERNEL_RATE), 101);
    tear_down();
}

// A kernel that takes nothing does not hold the core up, and what is for both still comes to us.
static void a_kernel_that_is_full_costs_its_frames_alone(void **state)
{
    (void)state;
    const struct frame all = datagram(255, UINT32_MAX);
    set_up(true);
    while (send(bench.punt.fd, all.bytes, all.length, 0) > 0)
        continue;
    for (uint32_t i = 0; i < 5; i++) {
        arrive(&all);
        assert_int_equal(receive(), 1);
    }
    assert_int_equal(weft_drop_get(&bench.drops, WEFT_DROP_KERNEL_REFUSED), 5);
    tear_down();
}

static uint32_t on_the_wire(uint8_t *bytes)
{
    return net_pipe_take(&bench.pipe->ends[1].queues[0], bytes, FRAME_BYTES_MAX);
}

static void the_kernels_frames_go_out(void **state)
{
    (void)state;
    const struct frame theirs = frame_arp(WEFT_ARP_REQUEST, KERNEL, PEER);
    uint8_t bytes[FRAME_BYTES_MAX], zeros[WEFT_ETH_FRAME_BYTES_MIN] = {0};
    set_up(true);
    assert_int_equal(bench.poller.poll(bench.poller.self, 0), 0);
    assert_true(send(bench.kernel, theirs.bytes, theirs.length, 0) > 0);
    // It has just looked; nobody waits for that long, unless the descriptor has woken it.
    assert_int_equal(bench.poller.poll(bench.poller.self, WEFT_PUNT_READ_NS - 1), 0);
    bench.poller.doorbell_clear(bench.poller.self);
    assert_int_equal(bench.poller.poll(bench.poller.self, WEFT_PUNT_READ_NS - 1), 1);
    assert_int_equal(on_the_wire(bytes), WEFT_ETH_FRAME_BYTES_MIN);
    assert_memory_equal(bytes, theirs.bytes, theirs.length);
    assert_memory_equal(bytes + theirs.length, zeros, WEFT_ETH_FRAME_BYTES_MIN - theirs.length);
    assert_int_equal(bench.poller.doorbell_fd(bench.poller.self), bench.punt.fd);
    tear_down();
}

static void what_the_card_does_not_take_is_counted(void **state)
{
    (void)state;
    struct frame theirs = datagram(9, PEER);
    uint8_t bytes[FRAME_BYTES_MAX];
    set_up(true);
    bench.pipe->ends[0].tx_limit = 1;
    for (int i = 0; i < 3; i++)
        assert_true(send(bench.kernel, theirs.bytes, theirs.length, 0) > 0);
    theirs.length = 1519; // One byte beyond a tagged frame of an MTU of 1500.
    assert_true(send(bench.kernel, theirs.bytes, theirs.length, 0) > 0);
    assert_int_equal(bench.poller.poll(bench.poller.self, 0), 4);
    assert_true(on_the_wire(bytes) > 0);
    assert_int_equal(on_the_wire(bytes), 0);
    assert_int_equal(weft_drop_get(&bench.drops, WEFT_DROP_KERNEL_TX_FULL), 2);
    assert_int_equal(weft_drop_get(&bench.drops, WEFT_DROP_PORT_TOO_LONG), 1);
    tear_down();
}

// Without a buffer a frame waits where it is.
static void no_buffer_is_no_loss(void **state)
{
    (void)state;
    static struct weft_packet *held[BUFFERS];
    const struct frame theirs = datagram(9, PEER);
    const struct weft_net *net = &bench.punt.net;
    uint8_t bytes[FRAME_BYTES_MAX];
    set_up(true);
    for (uint32_t i = 0; i < BUFFERS; i++)
        assert_non_null(held[i] = net->alloc(net->self));
    assert_true(send(bench.kernel, theirs.bytes, theirs.length, 0) > 0);
    assert_int_equal(bench.poller.poll(bench.poller.self, 0), 0);
    for (uint32_t i = 0; i < BUFFERS; i++)
        net->release(net->self, held[i]);
    assert_int_equal(bench.poller.poll(bench.poller.self, WEFT_PUNT_READ_NS), 1);
    assert_int_equal(on_the_wire(bytes), WEFT_ETH_FRAME_BYTES_MIN);
    tear_down();
}

static void one_core_reads_for_all(void **state)
{
    (void)state;
    const struct frame theirs = datagram(9, PEER);
    set_up(false);
    assert_true(send(bench.kernel, theirs.bytes, theirs.length, 0) > 0);
    assert_int_equal(bench.poller.poll(bench.poller.self, 0), 0);
    assert_int_equal(bench.poller.doorbell_fd(bench.poller.self), -1);
    tear_down();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whose_a_frame_is),
        cmocka_unit_test(two_networks_on_one_cable),
        cmocka_unit_test(the_stack_misses_nothing),
        cmocka_unit_test(each_frame_goes_its_way),
        cmocka_unit_test(a_tag_that_the_card_took_off_is_put_back),
        cmocka_unit_test(what_floods_the_kernel_is_cut_off),
        cmocka_unit_test(a_kernel_that_is_full_costs_its_frames_alone),
        cmocka_unit_test(the_kernels_frames_go_out),
        cmocka_unit_test(what_the_card_does_not_take_is_counted),
        cmocka_unit_test(no_buffer_is_no_loss),
        cmocka_unit_test(one_core_reads_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
