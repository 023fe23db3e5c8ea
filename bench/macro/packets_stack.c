// The stack that is measured, and the frames that it is given.
#include <stdlib.h>
#include <string.h>

#include "bench/macro/packets.h"
#include "dataplane/checksum.h"
#include "dataplane/packet.h"
#include "runtime/base/assert.h"

void bench_make_frame(uint8_t *frame, const struct bench_flow *flow, uint64_t number)
{
    uint8_t *ip = frame + 14, *udp = ip + 20;
    memset(frame, 0, BENCH_FRAME_BYTES);
    memcpy(frame, flow->to, 6);
    memcpy(frame + 6, flow->from, 6);
    weft_be16_put(frame + 12, WEFT_ETHERTYPE_IP4);
    ip[0] = 0x45;
    weft_be16_put(ip + WEFT_IP4_LENGTH, BENCH_FRAME_BYTES - 14);
    weft_be16_put(ip + WEFT_IP4_FRAGMENT, WEFT_IP4_DONT_FRAGMENT);
    ip[WEFT_IP4_TTL] = 64;
    ip[WEFT_IP4_PROTOCOL] = WEFT_IP4_UDP;
    weft_be32_put(ip + WEFT_IP4_SOURCE, flow->source);
    weft_be32_put(ip + WEFT_IP4_DESTINATION, flow->destination);
    uint16_t sum = weft_checksum_ip4_header(ip);
    memcpy(ip + WEFT_IP4_CHECKSUM, &sum, 2); // The sum is in memory's order already.
    weft_be16_put(udp, 20000);
    weft_be16_put(udp + 2, BENCH_UDP_PORT);
    weft_be16_put(udp + 4, 8 + BENCH_PAYLOAD_BYTES);
    weft_le64_put(udp + 8, number);
    sum = weft_checksum_finish(
        weft_checksum_add(weft_checksum_pseudo_ip4(flow->source, flow->destination, WEFT_IP4_UDP,
                                                   8 + BENCH_PAYLOAD_BYTES),
                          udp, 8 + BENCH_PAYLOAD_BYTES));
    memcpy(udp + 6, &sum, 2);
}

void bench_make_arp(uint8_t *frame, const struct bench_flow *flow)
{
    uint8_t *arp = frame + 14;
    memset(frame, 0, BENCH_ARP_BYTES);
    memset(frame, 0xff, 6);
    memcpy(frame + 6, flow->from, 6);
    weft_be16_put(frame + 12, WEFT_ETHERTYPE_ARP);
    weft_be16_put(arp, 1);
    weft_be16_put(arp + 2, WEFT_ETHERTYPE_IP4);
    arp[4] = 6;
    arp[5] = 4;
    weft_be16_put(arp + WEFT_ARP_OPERATION, WEFT_ARP_REQUEST);
    memcpy(arp + WEFT_ARP_SENDER_MAC, flow->from, 6);
    weft_be32_put(arp + WEFT_ARP_SENDER, flow->source);
    weft_be32_put(arp + WEFT_ARP_TARGET, flow->destination);
}

static void answer(void *self, const struct weft_udp_datagram *datagram)
{
    weft_udp_answer(self, datagram, (uint16_t)datagram->payload.length);
}

struct bench_stack *bench_stack_create(const struct weft_net *nets, uint32_t count)
{
    struct bench_stack *bench =
        aligned_alloc(WEFT_CORE_ALIGN, weft_round_up(sizeof(*bench), WEFT_CORE_ALIGN));
    weft_assert(bench != NULL);
    memset(bench, 0, sizeof(*bench));
    bench->clock = weft_clock_linux();
    weft_core_init(&bench->core, &bench->group, 0, &bench->clock, WEFT_LOG_ERROR);
    weft_assert(weft_core_group_connect(&bench->group) == 0);
    weft_udp_owners_init(&bench->owners);
    const struct weft_stack_options options = {.owners = &bench->owners, .forwards = true};
    weft_stack_init(&bench->stack, &options, &bench->core);
    for (uint32_t i = 0; i < count; i++) {
        const struct weft_stack_port_options port = {
            .net = &nets[i], .address = 0x0a010002 + (i << 8), .prefix_bits = 24};
        weft_assert(weft_stack_add_port(&bench->stack, &port) == 0);
    }
    weft_assert(weft_udp_bind(&bench->stack, BENCH_UDP_PORT, answer, &bench->stack) == 0);
    return bench;
}

void bench_stack_free(struct bench_stack *bench)
{
    weft_stack_drain(&bench->stack);
    weft_core_group_destroy(&bench->group);
    free(bench);
}
