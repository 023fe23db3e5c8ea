// Cycles per packet of one core, in four ways: DPDK's bare receive, swap, transmit; the same
// through the port layer; a datagram echoed by the stack; a datagram routed by it.
//
// On wires made of rings the bench itself is the other end: it puts a burst onto the wire, times
// what the measured side does with it, and takes the answers back, outside the time. So all four
// see the same frames, warm in the same cache, and differ by nothing but their code. net_null,
// which gives empty frames for ever, adds the cost of taking and giving back buffers.
#include <string.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "bench/macro/packets.h"
#include "dataplane/pool.h"
#include "dataplane/port.h"
#include "runtime/base/assert.h"

#define SAMPLES 4000
#define BATCH   256 // Packets of a sample on net_null.

struct bed {
    double tick_cost; // What reading the counter twice takes.
    struct rte_mempool *pool;
    struct weft_netport *in[2], *out[2], *null; // [0] is the bench's end, [1] the measured one.
    struct weft_net net[2];                     // Measured: in, out.
    uint16_t device[2], device_null;            // DPDK's numbers of the measured `in` and of null.
    struct weft_net far[2], null_net;           // The bench's ends.
    struct bench_stack *stack;
    struct bench_flow echo_flow, forward_flow;
    uint64_t now_ns;
};

typedef void (*step)(struct bed *bed, uint32_t burst);

static void swap_addresses(uint8_t *frame)
{
    uint8_t to[6];
    memcpy(to, frame, 6);
    memcpy(frame, frame + 6, 6);
    memcpy(frame + 6, to, 6);
}

// --- What is measured.

static void bare_on(uint16_t device, uint32_t burst)
{
    struct rte_mbuf *mbufs[WEFT_NET_BURST];
    const uint16_t count = rte_eth_rx_burst(device, 0, mbufs, (uint16_t)burst);
    for (uint16_t i = 0; i < count; i++)
        swap_addresses(rte_pktmbuf_mtod(mbufs[i], uint8_t *));
    const uint16_t sent = rte_eth_tx_burst(device, 0, mbufs, count);
    if (sent < count) rte_pktmbuf_free_bulk(mbufs + sent, count - sent);
}

static void port_on(const struct weft_net *net, uint32_t burst)
{
    struct weft_packet *packets[WEFT_NET_BURST];
    const uint32_t count = net->rx_burst(net->self, packets, burst);
    for (uint32_t i = 0; i < count; i++)
        swap_addresses(packets[i]->data);
    uint32_t sent = net->tx_burst(net->self, packets, count);
    while (sent < count)
        net->release(net->self, packets[sent++]);
}

static void bare(struct bed *bed, uint32_t burst)
{
    bare_on(bed->device[0], burst);
}

static void port(struct bed *bed, uint32_t burst)
{
    port_on(&bed->net[0], burst);
}

static void bare_null(struct bed *bed, uint32_t burst)
{
    for (uint32_t i = 0; i < BATCH; i += burst)
        bare_on(bed->device_null, burst);
}

static void port_null(struct bed *bed, uint32_t burst)
{
    for (uint32_t i = 0; i < BATCH; i += burst)
        port_on(&bed->null_net, burst);
}

static void stack(struct bed *bed, uint32_t burst)
{
    (void)burst; // As many as have come.
    const uint64_t now_ns = bed->now_ns;
    weft_stack_poll(&bed->stack->stack, now_ns);
    weft_stack_flush(&bed->stack->stack, now_ns);
}

// --- The bench's end of the wire.

static void put_on_wire(struct bed *bed, const uint8_t *frame, uint16_t length, uint32_t burst)
{
    struct weft_packet *packets[WEFT_NET_BURST];
    const struct weft_net *far = &bed->far[0];
    for (uint32_t i = 0; i < burst; i++) {
        packets[i] = far->alloc(far->self);
        weft_assert(packets[i] != NULL);
        memcpy(packets[i]->data, frame, length);
        packets[i]->length = length;
    }
    weft_assert(far->tx_burst(far->self, packets, burst) == burst);
}

static uint32_t take_back(const struct weft_net *far)
{
    struct weft_packet *packets[WEFT_NET_BURST];
    uint32_t total = 0, count;
    while ((count = far->rx_burst(far->self, packets, WEFT_NET_BURST)) > 0) {
        for (uint32_t i = 0; i < count; i++) {
            if (packets[i]->length == BENCH_FRAME_BYTES)
                total++; // Not ARP, which asks now and then.
            far->release(far->self, packets[i]);
        }
    }
    return total;
}

// The stack has to know who lives behind its second port before it can route there.
static void introduce(struct bed *bed)
{
    const struct bench_flow hello = {
        .from = {2, 0, 0, 0, 0, 3}, .source = 0x0a010101, .destination = 0x0a010102};
    const struct weft_net *far = &bed->far[1];
    struct weft_packet *packet = far->alloc(far->self);
    weft_assert(packet != NULL);
    bench_make_arp(packet->data, &hello);
    packet->length = BENCH_ARP_BYTES;
    weft_assert(far->tx_burst(far->self, &packet, 1) == 1);
    bed->now_ns = weft_clock_now_ns(&bed->stack->clock);
    stack(bed, 1);
    take_back(far);
    take_back(&bed->far[0]);
}

// --- One row.

static bool time_wire(struct bed *bed, step measured, const struct bench_flow *flow,
                      const struct weft_net *exit, uint32_t burst, uint64_t *samples)
{
    uint8_t frame[BENCH_FRAME_BYTES];
    introduce(bed);
    bench_make_frame(frame, flow, 1);
    for (uint32_t i = 0; i < SAMPLES; i++) {
        put_on_wire(bed, frame, sizeof(frame), burst);
        bed->now_ns = weft_clock_now_ns(&bed->stack->clock); // Once a turn, as a core does.
        const uint64_t start = weft_bench_ticks();
        measured(bed, burst);
        samples[i] = weft_bench_ticks() - start;
        if (take_back(exit) != burst) return false;
    }
    return true;
}

static bool time_null(struct bed *bed, step measured, uint32_t burst, uint64_t *samples)
{
    for (uint32_t i = 0; i < SAMPLES / 8; i++) {
        const uint64_t start = weft_bench_ticks();
        measured(bed, burst);
        samples[i] = weft_bench_ticks() - start;
    }
    return true;
}

static bool measure(struct bed *bed, struct bench_cycle_row *row, const char *device,
                    const char *path, step measured, uint32_t burst)
{
    static uint64_t samples[SAMPLES];
    const bool null = strcmp(device, "null") == 0, routed = strcmp(path, "stack, routed") == 0;
    const bool good = null ? time_null(bed, measured, burst, samples)
                           : time_wire(bed, measured, routed ? &bed->forward_flow : &bed->echo_flow,
                                       &bed->far[routed], burst, samples);
    if (!good) {
        fprintf(stderr, "bench: %s over %s, burst %u: frames did not come back\n", path, device,
                burst);
        return false;
    }
    const uint32_t count = null ? SAMPLES / 8 : SAMPLES;
    const double packets = null ? BATCH : burst;
    snprintf(row->device, sizeof(row->device), "%s", device);
    snprintf(row->path, sizeof(row->path), "%s", path);
    row->burst = burst;
    row->p50 = ((double)weft_bench_percentile(samples, count, 500) - bed->tick_cost) / packets;
    row->best = ((double)samples[0] - bed->tick_cost) / packets;
    return true;
}

// --- Setting up.

static struct weft_netport *open_port(struct bed *bed, const char *device, uint8_t station)
{
    const struct weft_netport_options options = {.name = "bench",
                                                 .device = device,
                                                 .worker_count = 1,
                                                 .pools = &bed->pool,
                                                 .mac = {2, 0, 0, 0, 0, station}};
    struct weft_netport *opened = NULL;
    struct weft_error error = {0};
    if (weft_netport_open(&opened, &options, &error) != 0)
        fprintf(stderr, "bench: %s (%s)\n", error.text, error.hint);
    return opened;
}

static uint16_t number_of(const char *beginning)
{
    char name[RTE_ETH_NAME_MAX_LEN];
    uint16_t number;
    RTE_ETH_FOREACH_DEV(number)
    {
        if (rte_eth_dev_get_name_by_port(number, name) == 0 &&
            strncmp(name, beginning, strlen(beginning)) == 0)
            return number;
    }
    return RTE_MAX_ETHPORTS;
}

static bool open_bed(struct bed *bed)
{
    struct weft_error error = {0};
    bed->pool = weft_pool_create(0, 4095, &error);
    if (bed->pool == NULL) return false;
    bed->in[0] = open_port(bed, "ring:in/a", 1);
    bed->in[1] = open_port(bed, "ring:in/b", 2);
    bed->out[0] = open_port(bed, "ring:out/a", 3);
    bed->out[1] = open_port(bed, "ring:out/b", 4);
    bed->null = open_port(bed, "null", 5);
    if (!bed->in[0] || !bed->in[1] || !bed->out[0] || !bed->out[1] || !bed->null) return false;
    bed->far[0] = weft_netport_net(bed->in[0], 0);
    bed->far[1] = weft_netport_net(bed->out[0], 0);
    bed->net[0] = weft_netport_net(bed->in[1], 0);
    bed->net[1] = weft_netport_net(bed->out[1], 0);
    bed->null_net = weft_netport_net(bed->null, 0);
    bed->device[0] = number_of("net_ring_in.b");
    bed->device_null = number_of("net_null");
    bed->stack = bench_stack_create(bed->net, 2);
    bed->echo_flow = (struct bench_flow){
        .from = {2, 0, 0, 0, 0, 1}, .source = 0x0a010001, .destination = 0x0a010002};
    memcpy(bed->echo_flow.to, bed->net[0].info->mac, 6);
    bed->forward_flow = bed->echo_flow;
    bed->forward_flow.destination = 0x0a010101;
    return true;
}

static double read_cost(void)
{
    uint64_t best = UINT64_MAX;
    for (unsigned i = 0; i < 2000; i++) {
        const uint64_t start = weft_bench_ticks(), took = weft_bench_ticks() - start;
        if (took < best) best = took;
    }
    return (double)best;
}

uint32_t bench_cycles_run(struct bench_cycle_row *rows)
{
    static const struct {
        const char *device, *path;
        step measured;
    } paths[] = {{"ring", "bare loop", bare},        {"ring", "port layer", port},
                 {"ring", "stack, UDP echo", stack}, {"ring", "stack, routed", stack},
                 {"null", "bare loop", bare_null},   {"null", "port layer", port_null}};
    static const uint32_t bursts[] = {1, 8, 32};
    static struct bed bed;
    uint32_t count = 0;
    bed.tick_cost = read_cost();
    if (!open_bed(&bed)) return 0;
    for (size_t i = 0; i < WEFT_COUNT_OF(paths); i++) {
        for (size_t n = 0; n < WEFT_COUNT_OF(bursts); n++) {
            if (measure(&bed, &rows[count], paths[i].device, paths[i].path, paths[i].measured,
                        bursts[n]))
                count++;
        }
    }
    bench_stack_free(bed.stack);
    weft_netport_close(bed.null);
    for (int i = 0; i < 2; i++) {
        weft_netport_close(bed.in[i]);
        weft_netport_close(bed.out[i]);
    }
    weft_pool_free(bed.pool);
    return count;
}
