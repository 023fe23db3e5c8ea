// What may come in: each malformed frame has its one reason; what is answered, byte by byte.
#include "tests/support/cmocka.h"

#include <string.h>

#include "dataplane/checksum.h"
#include "dataplane/packet.h"
#include "tests/support/frame.h"
#include "tests/support/stack_rig.h"

#define US   0x0a000001
#define PEER 0x0a000002
#define IP4  WEFT_ETH_BYTES
#define NEXT (WEFT_ETH_BYTES + WEFT_IP4_BYTES)

static const uint32_t one_core[2] = {1, 1};

static uint32_t udp_count;

static void count_datagram(void *self, const struct weft_udp_datagram *datagram)
{
    (void)self;
    (void)datagram;
    udp_count++;
}

struct wire { // One node, and the other end of its cable for the test.
    struct stack_rig *rig;
    struct stack_rig_node *node;
    struct weft_stack *stack;
    struct net_pipe_queue *in, *out;
};

static struct wire open_wire(const struct weft_stack_options *options,
                             const struct weft_stack_port_options *port)
{
    struct wire wire = {.rig = stack_rig_create(one_core, 1, options, port)};
    wire.node = &wire.rig->nodes[0];
    wire.stack = &wire.node->stacks[0];
    wire.in = &wire.rig->pipe->ends[0].queues[0];
    wire.out = &wire.rig->pipe->ends[1].queues[0];
    udp_count = 0;
    assert_int_equal(weft_udp_bind(wire.stack, 4200, count_datagram, NULL), 0);
    return wire;
}

// Gives a frame to the node; what it answers, or a frame of length 0.
static struct frame give(struct wire *wire, const struct frame *frame)
{
    struct frame answer = {.length = 0};
    assert_true(net_pipe_inject(wire->in, frame->bytes, frame->length));
    stack_rig_turn(wire->rig, WEFT_NS_PER_MS);
    answer.length = net_pipe_take(wire->out, answer.bytes, sizeof(answer.bytes));
    assert_int_equal(stack_rig_gap(wire->node), 0);
    return answer;
}

enum base { UDP, ECHO, ARP, RAW };

static void each_malformed_frame_has_its_reason(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum base base;
        uint32_t at; // Where `value` is written, `width` bytes big-endian; then sealed if `seal`.
        uint32_t width, value;
        bool seal;
        uint32_t length;     // Cut or grown to; 0: as it is.
        enum weft_drop drop; // WEFT_DROP_COUNT: it passes.
    } cases[] = {
        {"empty", UDP, 0, 0, 0, false, 1, WEFT_DROP_ETH_SHORT},
        {"13 bytes", UDP, 0, 0, 0, false, 13, WEFT_DROP_ETH_SHORT},
        {"another MAC", UDP, 5, 1, 9, false, 0, WEFT_DROP_ETH_NOT_OURS},
        {"multicast MAC", UDP, 0, 1, 1, false, 0, WEFT_DROP_ETH_NOT_OURS},
        {"multicast source", UDP, 6, 1, 3, false, 0, WEFT_DROP_ETH_SOURCE},
        {"our MAC as source", UDP, 11, 1, 1, false, 0, WEFT_DROP_ETH_SOURCE},
        {"a tag", UDP, 12, 2, 0x8100, false, 0, WEFT_DROP_ETH_VLAN},
        {"unknown type", UDP, 12, 2, 0x88cc, false, 0, WEFT_DROP_ETH_TYPE},
        {"802.3 length", UDP, 12, 2, 46, false, 0, WEFT_DROP_ETH_TYPE},
        {"IPv6", UDP, 12, 2, 0x86dd, false, 0, WEFT_DROP_IP6_ABSENT},
        {"header cut", UDP, 0, 0, 0, false, IP4 + 19, WEFT_DROP_IP4_SHORT},
        {"only Ethernet", UDP, 0, 0, 0, false, IP4, WEFT_DROP_IP4_SHORT},
        {"length past the frame", UDP, IP4 + 2, 2, 1000, false, 0, WEFT_DROP_IP4_SHORT},
        {"length below a header", UDP, IP4 + 2, 2, 19, false, 0, WEFT_DROP_IP4_SHORT},
        {"version 6", UDP, IP4, 1, 0x65, false, 0, WEFT_DROP_IP4_VERSION},
        {"version 0", UDP, IP4, 1, 0x05, false, 0, WEFT_DROP_IP4_VERSION},
        {"header of 16", UDP, IP4, 1, 0x44, false, 0, WEFT_DROP_IP4_VERSION},
        {"options", UDP, IP4, 1, 0x46, false, 0, WEFT_DROP_IP4_OPTIONS},
        {"checksum", UDP, IP4 + 10, 2, 0x1234, false, 0, WEFT_DROP_IP4_CHECKSUM},
        {"time to live", UDP, IP4 + 8, 1, 0, true, 0, WEFT_DROP_IP4_TTL},
        {"time to live 1 is enough", UDP, IP4 + 8, 1, 1, true, 0, WEFT_DROP_COUNT},
        {"more fragments", UDP, IP4 + 6, 2, 0x2000, true, 0, WEFT_DROP_IP4_FRAGMENT},
        {"last fragment", UDP, IP4 + 6, 2, 0x0001, true, 0, WEFT_DROP_IP4_FRAGMENT},
        {"don't fragment", UDP, IP4 + 6, 2, 0x4000, true, 0, WEFT_DROP_COUNT},
        {"from 0.0.0.0", UDP, IP4 + 12, 4, 0, true, 0, WEFT_DROP_IP4_SOURCE},
        {"from 0.1.2.3", UDP, IP4 + 12, 4, 0x00010203, true, 0, WEFT_DROP_IP4_SOURCE},
        {"from loopback", UDP, IP4 + 12, 4, 0x7f000001, true, 0, WEFT_DROP_IP4_SOURCE},
        {"from multicast", UDP, IP4 + 12, 4, 0xe0000001, true, 0, WEFT_DROP_IP4_SOURCE},
        {"from everyone", UDP, IP4 + 12, 4, 0xffffffff, true, 0, WEFT_DROP_IP4_SOURCE},
        {"from our broadcast", UDP, IP4 + 12, 4, 0x0a0000ff, true, 0, WEFT_DROP_IP4_SOURCE},
        {"from our network", UDP, IP4 + 12, 4, 0x0a000000, true, 0, WEFT_DROP_IP4_SOURCE},
        {"from ourselves", UDP, IP4 + 12, 4, US, true, 0, WEFT_DROP_IP4_SOURCE},
        {"from far away", UDP, IP4 + 12, 4, 0x08080808, true, 0, WEFT_DROP_COUNT},
        {"to another", UDP, IP4 + 16, 4, 0x0a000003, true, 0, WEFT_DROP_IP4_NOT_OURS},
        {"to multicast", UDP, IP4 + 16, 4, 0xe0000001, true, 0, WEFT_DROP_IP4_NOT_OURS},
        {"to all of the network", UDP, IP4 + 16, 4, 0x0a0000ff, true, 0, WEFT_DROP_COUNT},
        {"to all", UDP, IP4 + 16, 4, 0xffffffff, true, 0, WEFT_DROP_COUNT},
        {"echo to all", ECHO, IP4 + 16, 4, 0x0a0000ff, true, 0, WEFT_DROP_IP4_NOT_OURS},
        {"TCP", UDP, IP4 + 9, 1, 6, true, 0, WEFT_DROP_IP4_PROTOCOL},
        {"UDP cut", UDP, IP4 + 2, 2, 27, true, 0, WEFT_DROP_UDP_SHORT},
        {"UDP length below 8", UDP, NEXT + 4, 2, 7, false, 0, WEFT_DROP_UDP_SHORT},
        {"UDP length past IPv4", UDP, NEXT + 4, 2, 17, false, 0, WEFT_DROP_UDP_SHORT},
        {"UDP checksum", UDP, NEXT + 6, 2, 0x1234, false, 0, WEFT_DROP_UDP_CHECKSUM},
        {"UDP without checksum", UDP, NEXT + 6, 2, 0, false, 0, WEFT_DROP_COUNT},
        {"UDP payload changed", UDP, NEXT + 8, 1, 'X', false, 0, WEFT_DROP_UDP_CHECKSUM},
        {"nobody's port", UDP, NEXT + 2, 2, 4201, true, 0, WEFT_DROP_UDP_NO_PORT},
        {"port 0", UDP, NEXT + 2, 2, 0, true, 0, WEFT_DROP_UDP_NO_PORT},
        {"padding", UDP, 0, 0, 0, false, 200, WEFT_DROP_COUNT},
        {"ICMP cut", ECHO, IP4 + 2, 2, 27, true, 0, WEFT_DROP_ICMP_MALFORMED},
        {"ICMP checksum", ECHO, NEXT + 2, 2, 1, false, 0, WEFT_DROP_ICMP_CHECKSUM},
        {"echo reply", ECHO, NEXT, 1, 0, true, 0, WEFT_DROP_ICMP_TYPE},
        {"redirect", ECHO, NEXT, 1, 5, true, 0, WEFT_DROP_ICMP_TYPE},
        {"unreachable about nothing", ECHO, NEXT, 1, 3, true, 0, WEFT_DROP_ICMP_TYPE},
        {"ARP cut", ARP, 0, 0, 0, false, IP4 + 27, WEFT_DROP_ARP_MALFORMED},
        {"ARP hardware", ARP, IP4, 2, 6, false, 0, WEFT_DROP_ARP_MALFORMED},
        {"ARP protocol", ARP, IP4 + 2, 2, 0x86dd, false, 0, WEFT_DROP_ARP_MALFORMED},
        {"ARP hardware length", ARP, IP4 + 4, 1, 8, false, 0, WEFT_DROP_ARP_MALFORMED},
        {"ARP protocol length", ARP, IP4 + 5, 1, 16, false, 0, WEFT_DROP_ARP_MALFORMED},
        {"ARP operation", ARP, IP4 + 6, 2, 3, false, 0, WEFT_DROP_ARP_MALFORMED},
        {"ARP multicast sender", ARP, IP4 + 8, 1, 1, false, 0, WEFT_DROP_ARP_MALFORMED},
        {"ARP about another", ARP, IP4 + 24, 4, 0x0a000007, false, 0, WEFT_DROP_ARP_NOT_FOR_US},
        {"ARP from elsewhere", ARP, IP4 + 14, 4, 0x0b000001, false, 0, WEFT_DROP_ARP_NOT_FOR_US},
        {"ARP from broadcast", ARP, IP4 + 14, 4, 0x0a0000ff, false, 0, WEFT_DROP_ARP_NOT_FOR_US},
        {"ARP", ARP, 0, 0, 0, false, 0, WEFT_DROP_COUNT},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct wire wire = open_wire(NULL, NULL);
        struct frame frame = cases[i].base == UDP    ? frame_udp(99, 4200, "payload!")
                             : cases[i].base == ECHO ? frame_echo(8)
                                                     : frame_arp(WEFT_ARP_REQUEST, PEER, US);
        for (uint32_t n = 0; n < cases[i].width; n++) {
            frame.bytes[cases[i].at + n] =
                (uint8_t)(cases[i].value >> (8 * (cases[i].width - 1 - n)));
        }
        if (cases[i].seal) frame_seal(&frame);
        if (cases[i].length != 0) frame.length = cases[i].length;
        give(&wire, &frame);
        for (int drop = 0; drop < WEFT_DROP_COUNT; drop++) {
            const uint64_t count = stack_rig_drops(wire.node, (enum weft_drop)drop);
            if (count != (drop == (int)cases[i].drop ? 1 : 0))
                fail_msg("%s: %s/%s is %u", cases[i].name,
                         weft_drop_info((enum weft_drop)drop)->stage,
                         weft_drop_info((enum weft_drop)drop)->reason, (unsigned)count);
        }
        if (cases[i].base == UDP && udp_count != (cases[i].drop == WEFT_DROP_COUNT))
            fail_msg("%s: %u datagrams", cases[i].name, udp_count);
        stack_rig_free(wire.rig);
    }
}

static void below_for_all_above_for_us_is_refused(void **state)
{
    (void)state;
    struct wire wire = open_wire(NULL, NULL);
    struct frame frame = frame_udp(99, 4200, "x");
    memset(frame.bytes, 0xff, 6);
    give(&wire, &frame);
    assert_int_equal(stack_rig_drops(wire.node, WEFT_DROP_IP4_NOT_OURS), 1);
    memcpy(frame.bytes, (uint8_t[]){0x33, 0x33, 0, 0, 0, 1}, 6);
    weft_be16_put(frame.bytes + 12, 0x86dd);
    give(&wire, &frame);
    assert_int_equal(stack_rig_drops(wire.node, WEFT_DROP_IP6_ABSENT), 1);
    stack_rig_free(wire.rig);
}

static void echo_comes_back_whole(void **state)
{
    (void)state;
    for (uint32_t length = 0; length <= 1472; length += 368) {
        struct wire wire = open_wire(NULL, NULL);
        const struct frame frame = frame_echo(length);
        const struct frame answer = give(&wire, &frame);
        assert_int_equal(answer.length, frame.length < 60 ? 60 : frame.length);
        assert_memory_equal(answer.bytes, frame.bytes + 6, 6);
        assert_memory_equal(answer.bytes + 6, frame.bytes, 6);
        const uint8_t *ip4 = answer.bytes + IP4;
        assert_int_equal(weft_checksum_ip4_header(ip4), 0);
        assert_int_equal(weft_be32_get(ip4 + WEFT_IP4_SOURCE), US);
        assert_int_equal(weft_be32_get(ip4 + WEFT_IP4_DESTINATION), PEER);
        assert_int_equal(ip4[WEFT_IP4_TTL], 64);
        const uint8_t *icmp = answer.bytes + NEXT;
        assert_int_equal(icmp[0], WEFT_ICMP_ECHO_REPLY);
        assert_int_equal(weft_checksum_finish(weft_checksum_add(0, icmp, 8 + length)), 0);
        assert_memory_equal(icmp + 4, frame.bytes + NEXT + 4, 4 + length);
        stack_rig_free(wire.rig);
    }
}

static void unreachables_quote_the_offender(void **state)
{
    (void)state;
    static const struct {
        uint8_t protocol, code;
    } cases[] = {{WEFT_IP4_UDP, WEFT_ICMP_CODE_PORT}, {6, WEFT_ICMP_CODE_PROTOCOL}};
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct wire wire = open_wire(NULL, NULL);
        struct frame frame = frame_udp(99, 9999, "a long enough payload");
        frame.bytes[IP4 + WEFT_IP4_PROTOCOL] = cases[i].protocol;
        frame_seal(&frame);
        const struct frame answer = give(&wire, &frame);
        assert_int_equal(answer.length, NEXT + 8 + 28);
        const uint8_t *icmp = answer.bytes + NEXT;
        assert_int_equal(icmp[0], WEFT_ICMP_UNREACHABLE);
        assert_int_equal(icmp[1], cases[i].code);
        assert_int_equal(weft_be32_get(icmp + 4), 0);
        assert_memory_equal(icmp + 8, frame.bytes + IP4, 28);
        assert_int_equal(weft_checksum_finish(weft_checksum_add(0, icmp, 36)), 0);
        stack_rig_free(wire.rig);
    }
}

static void broadcasts_get_no_errors(void **state)
{
    (void)state;
    struct wire wire = open_wire(NULL, NULL);
    struct frame frame = frame_udp(99, 9999, "x");
    weft_be32_put(frame.bytes + IP4 + WEFT_IP4_DESTINATION, 0x0a0000ff);
    memset(frame.bytes, 0xff, 6);
    frame_seal(&frame);
    assert_int_equal(give(&wire, &frame).length, 0);
    assert_int_equal(stack_rig_drops(wire.node, WEFT_DROP_UDP_NO_PORT), 1);
    stack_rig_free(wire.rig);
}

static void answers_are_rationed(void **state)
{
    (void)state;
    struct wire wire = open_wire(NULL, NULL);
    const struct frame echo = frame_echo(8), nobody = frame_udp(99, 9999, "x");
    for (int i = 0; i < 100; i++) {
        net_pipe_inject(wire.in, echo.bytes, echo.length);
    }
    stack_rig_turn(wire.rig, WEFT_NS_PER_US);
    assert_int_equal(weft_counter_get(&wire.stack->stats.echo), 64);
    assert_int_equal(stack_rig_drops(wire.node, WEFT_DROP_ICMP_RATE), 36);
    net_pipe_inject(wire.in, nobody.bytes, nobody.length);
    stack_rig_turn(wire.rig, WEFT_NS_PER_US);
    assert_int_equal(weft_counter_get(&wire.stack->stats.icmp_silent), 1);
    stack_rig_turn(wire.rig, WEFT_NS_PER_S);
    while (wire.out->tail != wire.out->head) {
        uint8_t bytes[64];
        net_pipe_take(wire.out, bytes, sizeof(bytes));
    }
    assert_int_equal(give(&wire, &echo).length, 60);
    stack_rig_free(wire.rig);
}

static struct weft_udp_flow told_flow;
static uint8_t told_code;
static uint16_t told_mtu;

static void be_told(void *self, const struct weft_udp_flow *flow, uint8_t code, uint16_t mtu)
{
    (void)self;
    told_flow = *flow;
    told_code = code;
    told_mtu = mtu;
}

static void unreachables_about_us_are_heard(void **state)
{
    (void)state;
    const struct weft_stack_options options = {.unreachable = be_told};
    struct wire wire = open_wire(&options, NULL);
    struct frame frame = frame_ip4(0x0a000009, US, WEFT_IP4_ICMP, 8 + 28);
    uint8_t *icmp = frame.bytes + NEXT;
    memset(icmp, 0, 8);
    icmp[0] = WEFT_ICMP_UNREACHABLE;
    icmp[1] = WEFT_ICMP_CODE_TOO_LONG;
    weft_be16_put(icmp + WEFT_ICMP_MTU, 1280);
    struct frame sent = frame_udp(4200, 77, "x");
    weft_be32_put(sent.bytes + IP4 + WEFT_IP4_SOURCE, US);
    weft_be32_put(sent.bytes + IP4 + WEFT_IP4_DESTINATION, PEER);
    memcpy(icmp + 8, sent.bytes + IP4, 28);
    frame_seal(&frame);
    give(&wire, &frame);
    assert_int_equal(weft_counter_get(&wire.stack->stats.icmp_error), 1);
    assert_int_equal(told_flow.destination, PEER);
    assert_int_equal(told_flow.destination_port, 77);
    assert_int_equal(told_flow.source_port, 4200);
    assert_int_equal(told_code, WEFT_ICMP_CODE_TOO_LONG);
    assert_int_equal(told_mtu, 1280);
    stack_rig_free(wire.rig);
}

static void vlan_is_on_or_off_per_port(void **state)
{
    (void)state;
    const struct weft_stack_port_options tagged = {.vlan = 7};
    static const struct {
        uint16_t port_vlan;
        int32_t tag;   // -1: none.
        bool stripped; // By the device.
        bool passes;
    } cases[] = {
        {0, -1, false, true},  {0, 0, false, true},      {0, 7, false, false}, {0, 7, true, false},
        {7, -1, false, false}, {7, 0, false, false},     {7, 7, false, true},  {7, 7, true, true},
        {7, 8, false, false},  {7, 0xe007, false, true}, // Its priority does not matter.
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct wire wire = open_wire(NULL, cases[i].port_vlan != 0 ? &tagged : NULL);
        struct frame frame = frame_echo(40);
        if (cases[i].tag >= 0 && !cases[i].stripped) frame_tag(&frame, (uint16_t)cases[i].tag);
        net_pipe_inject(wire.in, frame.bytes, frame.length);
        if (cases[i].stripped) {
            wire.in->slots[0]->flags = WEFT_PACKET_VLAN;
            wire.in->slots[0]->vlan = (uint16_t)cases[i].tag;
        }
        stack_rig_turn(wire.rig, WEFT_NS_PER_MS);
        struct frame answer;
        answer.length = net_pipe_take(wire.out, answer.bytes, sizeof(answer.bytes));
        if ((answer.length != 0) != cases[i].passes) fail_msg("%zu", i);
        if (stack_rig_drops(wire.node, WEFT_DROP_ETH_VLAN) != !cases[i].passes) fail_msg("%zu", i);
        if (cases[i].passes && cases[i].port_vlan == 7) {
            assert_int_equal(weft_be16_get(answer.bytes + 12), WEFT_ETHERTYPE_VLAN);
            assert_int_equal(weft_be16_get(answer.bytes + 14), 7);
            assert_int_equal(answer.length, 14 + 4 + 20 + 8 + 40);
        }
        stack_rig_free(wire.rig);
    }
}

static void routes_between_ports_when_asked(void **state)
{
    (void)state;
    const struct weft_stack_options options = {.forwards = true};
    struct wire wire = open_wire(&options, NULL);
    struct net_pipe *second = net_pipe_create(one_core, 0, 64);
    const struct weft_stack_port_options port = {.net = &second->ends[0].queues[0].net,
                                                 .address = 0x0a010001,
                                                 .prefix_bits = 24,
                                                 .mtu = 600};
    assert_int_equal(weft_stack_add_port(wire.stack, &port), 0);

    struct frame frame = frame_ip4(PEER, 0x0a010009, WEFT_IP4_UDP, 100);
    give(&wire, &frame); // The second port asks for 10.1.0.9.
    struct frame seen;
    seen.length = net_pipe_take(&second->ends[1].queues[0], seen.bytes, sizeof(seen.bytes));
    assert_int_equal(seen.length, 60);
    assert_int_equal(weft_be16_get(seen.bytes + 12), WEFT_ETHERTYPE_ARP);
    struct frame reply = frame_arp(WEFT_ARP_REPLY, 0x0a010009, 0x0a010001);
    net_pipe_inject(&second->ends[0].queues[0], reply.bytes, reply.length);
    stack_rig_turns(wire.rig, 2, WEFT_NS_PER_MS);
    seen.length = net_pipe_take(&second->ends[1].queues[0], seen.bytes, sizeof(seen.bytes));
    assert_int_equal(seen.length, frame.length);
    assert_int_equal(seen.bytes[IP4 + WEFT_IP4_TTL], 63);
    assert_int_equal(weft_checksum_ip4_header(seen.bytes + IP4), 0);
    assert_memory_equal(seen.bytes + NEXT, frame.bytes + NEXT, 100);

    frame = frame_ip4(PEER, 0x0a010009, WEFT_IP4_UDP, 581);
    weft_be16_put(frame.bytes + IP4 + WEFT_IP4_FRAGMENT, WEFT_IP4_DONT_FRAGMENT);
    frame_seal(&frame);
    struct frame error = give(&wire, &frame);
    assert_int_equal(error.bytes[NEXT], WEFT_ICMP_UNREACHABLE);
    assert_int_equal(error.bytes[NEXT + 1], WEFT_ICMP_CODE_TOO_LONG);
    assert_int_equal(weft_be16_get(error.bytes + NEXT + WEFT_ICMP_MTU), 600);
    frame.bytes[IP4 + WEFT_IP4_TTL] = 1;
    frame_seal(&frame);
    error = give(&wire, &frame);
    assert_int_equal(error.bytes[NEXT], 11);
    assert_int_equal(weft_counter_get(&wire.stack->stats.forwarded), 1);
    wire.stack->port_count = 1;
    stack_rig_free(wire.rig);
    net_pipe_free(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_malformed_frame_has_its_reason),
        cmocka_unit_test(below_for_all_above_for_us_is_refused),
        cmocka_unit_test(echo_comes_back_whole),
        cmocka_unit_test(unreachables_quote_the_offender),
        cmocka_unit_test(broadcasts_get_no_errors),
        cmocka_unit_test(answers_are_rationed),
        cmocka_unit_test(unreachables_about_us_are_heard),
        cmocka_unit_test(vlan_is_on_or_off_per_port),
        cmocka_unit_test(routes_between_ports_when_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
