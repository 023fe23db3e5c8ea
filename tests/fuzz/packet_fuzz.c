// A stack with all its features under hostile frames: nothing is read out of bounds, every frame
// has one end, every buffer goes home.
//
// Byte 0: bit 0 a tagged port, bit 1 routing, bit 2 a second core, bit 3 faults, bit 4 capture, bit
// 5 the kernel shares the port.
// Then frames: two bytes little-endian, bits 0-10 the length, bit 14: make the checksums right, bit
// 15: to the second core's queue; and the bytes. A length of 2047 is no frame but a second that
// passes.
#include <fcntl.h>
#include <string.h>

#include "dataplane/capture.h"
#include "dataplane/fault.h"
#include "dataplane/packet.h"
#include "dataplane/punt.h"
#include "runtime/base/assert.h"
#include "tests/support/frame.h"
#include "tests/support/stack_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VLAN 7

struct binding {
    struct weft_stack *stack;
    uint32_t count;
};

// Answers in place, by a copy, or not at all.
static void on_datagram(void *self, const struct weft_udp_datagram *datagram)
{
    struct binding *binding = self;
    uint64_t sum = 0;
    for (size_t i = 0; i < datagram->payload.length; i++) {
        sum += datagram->payload.data[i];
    }
    uint16_t room;
    weft_udp_payload(datagram, &room);
    weft_assert(room >= datagram->payload.length);
    binding->count++;
    const struct weft_udp_flow back = {datagram->source, datagram->source_port,
                                       datagram->destination_port, datagram->port};
    if (sum % 3 == 0) weft_udp_answer(binding->stack, datagram, (uint16_t)(sum % (room + 1u)));
    if (sum % 3 == 1) weft_udp_send(binding->stack, &back, datagram->payload);
}

static void on_unreachable(void *self, const struct weft_udp_flow *flow, uint8_t code, uint16_t mtu)
{
    (void)self;
    (void)code;
    (void)mtu;
    weft_assert(flow->source_port == 4200 || flow->source_port == 4201);
}

// Frames of checksums that are right reach what lies behind them.
static void seal(struct frame *frame, bool tagged)
{
    const uint32_t skip = tagged ? WEFT_VLAN_BYTES : 0;
    struct frame plain = *frame;
    if (frame->length < WEFT_ETH_BYTES + skip + WEFT_IP4_BYTES + WEFT_UDP_BYTES) return;
    memmove(plain.bytes + WEFT_ETH_BYTES, frame->bytes + WEFT_ETH_BYTES + skip,
            frame->length - WEFT_ETH_BYTES - skip);
    plain.length -= skip;
    const uint32_t length = weft_be16_get(plain.bytes + WEFT_ETH_BYTES + WEFT_IP4_LENGTH);
    if (length < WEFT_IP4_BYTES || length > plain.length - WEFT_ETH_BYTES) return;
    frame_seal(&plain);
    memcpy(frame->bytes + WEFT_ETH_BYTES + skip, plain.bytes + WEFT_ETH_BYTES,
           plain.length - WEFT_ETH_BYTES);
}

static void check(const struct stack_rig_node *node, const struct weft_fault *fault,
                  const struct weft_punt *punt)
{
    for (uint32_t c = 0; c < node->core_count; c++) {
        struct weft_stack_balance balance = {0};
        weft_stack_balance_add(&node->stacks[c], &balance);
        weft_assert(weft_stack_balance_gap(&balance) == 0);
    }
    weft_assert(weft_fault_gap(fault) == 0);
    weft_assert(weft_punt_gap(punt) == 0);
}

// A kernel that takes every frame and says nothing.
static void share(struct weft_punt *punt, const struct stack_rig_node *node)
{
    static int kernel = -1;
    const struct weft_stack_port *port = &node->stacks[0].ports[0];
    if (kernel < 0) kernel = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct weft_punt_options options = {
        .net = port->net,
        .fd = kernel,
        .reads = true,
        .port = {.vlan = port->vlan, .address = port->address, .mask = port->mask},
        .now_ns = &node->cores[0].now_ns,
        .drops = (struct weft_drops *)(uintptr_t)&node->cores[0].drops};
    memcpy(options.port.mac, port->mac, 6);
    weft_punt_init(punt, &options);
}

static void play(struct stack_rig *rig, struct weft_fault *fault, const struct weft_punt *punt,
                 const uint8_t *data, size_t size, bool tagged)
{
    while (size >= 2) {
        const uint16_t word = weft_le16_get(data);
        uint32_t length = word & 2047;
        data += 2;
        size -= 2;
        if (length == 2047) {
            stack_rig_turn(rig, WEFT_NS_PER_S);
            check(&rig->nodes[0], fault, punt);
            continue;
        }
        if (length > size) length = (uint32_t)size;
        if (length > FRAME_BYTES_MAX) length = FRAME_BYTES_MAX;
        struct frame frame = {.length = length};
        memcpy(frame.bytes, data, length);
        data += length;
        size -= length;
        if (word & 1 << 14) seal(&frame, tagged);
        const uint32_t queue = rig->nodes[0].core_count == 2 ? word >> 15 : 0;
        net_pipe_inject(&rig->pipe->ends[0].queues[queue], frame.bytes, frame.length);
        stack_rig_turn(rig, WEFT_NS_PER_MS);
        check(&rig->nodes[0], fault, punt);
        uint8_t sent[FRAME_BYTES_MAX];
        while (net_pipe_take(&rig->pipe->ends[1].queues[0], sent, sizeof(sent)) > 0)
            continue;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint64_t ring[16 * (128 + 16) / 8];
    if (size == 0) return 0;
    const uint8_t how = data[0];
    const uint32_t core_count[2] = {how & 4 ? 2 : 1, 1};
    struct weft_capture capture;
    weft_capture_init(&capture, ring, 16, 128);
    if (how & 16) weft_capture_start(&capture, &(struct weft_capture_filter){.host = 0x0a000002});
    const struct weft_stack_options options = {.announces = true,
                                               .forwards = (how & 2) != 0,
                                               .capture = core_count[0] == 1 ? &capture : NULL,
                                               .unreachable = on_unreachable};
    const struct weft_stack_port_options port = {.vlan = how & 1 ? VLAN : 0};
    struct stack_rig *rig = stack_rig_create(core_count, 1, &options, &port);
    struct stack_rig_node *node = &rig->nodes[0];

    static struct weft_punt punt;   // Over the first core's queue,
    static struct weft_fault fault; // and over that.
    share(&punt, node);
    weft_fault_init(&fault, how & 32 ? &punt.net : node->stacks[0].ports[0].net, 1,
                    &node->cores[0].now_ns, &node->cores[0].drops);
    const struct weft_fault_options faults = {.rx = true,
                                              .tx = true,
                                              .loss_ppm = 10000,
                                              .duplicate_ppm = 300000,
                                              .reorder_ppm = 300000,
                                              .corrupt_ppm = 100000,
                                              .partition_count = 1,
                                              .partition_peers = {0x0a000009}};
    if (how & 8) weft_assert(weft_fault_set(&fault, &faults) == 0);
    node->stacks[0].ports[0].net = &fault.net;

    struct binding bindings[2];
    for (uint32_t c = 0; c < core_count[0]; c++) {
        bindings[c] = (struct binding){.stack = &node->stacks[c]};
        weft_assert(
            weft_udp_bind(&node->stacks[c], (uint16_t)(4200 + c), on_datagram, &bindings[c]) == 0);
    }
    play(rig, &fault, &punt, data + 1, size - 1, how & 1);
    weft_fault_set(&fault, &(struct weft_fault_options){.rx = false});
    weft_stack_drain(&node->stacks[0]);
    weft_fault_drain(&fault);
    stack_rig_free(rig); // Checks that every buffer is at home and the sums are even.
    return 0;
}
