#include "dataplane/fault.h"

#include <errno.h>
#include <string.h>

#include "dataplane/packet.h"

#define DELAY_NS_MAX     (60 * WEFT_NS_PER_S)
#define REFUSED_RETRY_NS (1 * WEFT_NS_PER_MS) // What the inner net did not take; no busy waiting.

static bool before(const struct weft_fault_held *a, const struct weft_fault_held *b)
{
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void line_push(struct weft_fault_line *line, struct weft_fault_held held)
{
    uint32_t at = line->count++;
    while (at > 0 && before(&held, &line->held[(at - 1) / 2])) {
        line->held[at] = line->held[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    line->held[at] = held;
}

static struct weft_packet *line_pop(struct weft_fault_line *line)
{
    struct weft_packet *packet = line->held[0].packet;
    const struct weft_fault_held last = line->held[--line->count];
    uint32_t at = 0;
    for (uint32_t child = 1; child < line->count; child = 2 * at + 1) {
        if (child + 1 < line->count && before(&line->held[child + 1], &line->held[child])) child++;
        if (!before(&line->held[child], &last)) break;
        line->held[at] = line->held[child];
        at = child;
    }
    line->held[at] = last;
    return packet;
}

static bool is_cut_off(const struct weft_fault_options *options, uint32_t address)
{
    for (uint32_t i = 0; i < options->partition_count; i++) {
        if (options->partition_peers[i] == address) return true;
    }
    return false;
}

// Whether the frame comes from or goes to a peer behind the cut: by its IPv4 or ARP addresses.
static bool is_partitioned(const struct weft_fault_options *options,
                           const struct weft_packet *packet)
{
    if (options->partition_all) return true;
    if (options->partition_count == 0 || packet->length < WEFT_ETH_BYTES) return false;
    const uint8_t *next = packet->data + WEFT_ETH_BYTES;
    size_t left = packet->length - WEFT_ETH_BYTES;
    uint16_t ethertype = weft_be16_get(packet->data + WEFT_ETH_TYPE);
    if (ethertype == WEFT_ETHERTYPE_VLAN && left >= WEFT_VLAN_BYTES) {
        ethertype = weft_be16_get(next + 2);
        next += WEFT_VLAN_BYTES;
        left -= WEFT_VLAN_BYTES;
    }
    if (ethertype == WEFT_ETHERTYPE_IP4 && left >= WEFT_IP4_BYTES)
        return is_cut_off(options, weft_be32_get(next + WEFT_IP4_SOURCE)) ||
               is_cut_off(options, weft_be32_get(next + WEFT_IP4_DESTINATION));
    if (ethertype == WEFT_ETHERTYPE_ARP && left >= WEFT_ARP_BYTES)
        return is_cut_off(options, weft_be32_get(next + WEFT_ARP_SENDER)) ||
               is_cut_off(options, weft_be32_get(next + WEFT_ARP_TARGET));
    return false;
}

static void lose(struct weft_fault *fault, struct weft_packet *packet, enum weft_drop drop,
                 weft_counter *counter)
{
    weft_counter_add(counter, 1);
    weft_drop_add(fault->drops, drop, 1);
    fault->inner->release(fault->inner->self, packet);
}

static bool strikes(struct weft_fault *fault, uint32_t chance_ppm)
{
    return chance_ppm != 0 && weft_prng_below(&fault->prng, WEFT_FAULT_PPM) < chance_ppm;
}

static void turn_a_bit(struct weft_fault *fault, struct weft_packet *packet)
{
    if (packet->length == 0) return;
    const uint32_t bit = weft_prng_below(&fault->prng, (uint32_t)packet->length * 8);
    packet->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    packet->flags &= (uint16_t) ~(WEFT_PACKET_IP4_CHECKED | WEFT_PACKET_L4_CHECKED);
    weft_counter_add(&fault->stats.corrupted, 1);
}

static uint64_t draw_delay_ns(struct weft_fault *fault)
{
    const struct weft_fault_options *options = &fault->options;
    uint64_t delay_ns = options->delay_ns;
    if (options->jitter_ns > 0) delay_ns += weft_prng_next(&fault->prng) % options->jitter_ns;
    if (strikes(fault, options->reorder_ppm)) {
        delay_ns += WEFT_FAULT_REORDER_NS;
        weft_counter_add(&fault->stats.reordered, 1);
    }
    if (delay_ns > 0) weft_counter_add(&fault->stats.delayed, 1);
    return delay_ns;
}

static void send_off(struct weft_fault *fault, struct weft_fault_line *line,
                     struct weft_packet *packet, uint64_t delay_ns)
{
    if (line->count == WEFT_FAULT_SLOTS) {
        lose(fault, packet, WEFT_DROP_FAULT_QUEUE_FULL, &fault->stats.queue_full);
        return;
    }
    line_push(line, (struct weft_fault_held){*fault->now_ns + delay_ns, fault->order++, packet});
}

// A second frame with the same bytes; none if the pool is empty.
static struct weft_packet *copy_of(struct weft_fault *fault, const struct weft_packet *packet)
{
    struct weft_packet *copy = fault->inner->alloc(fault->inner->self);
    if (copy == NULL) return NULL;
    if (packet->length > (uint32_t)copy->length + copy->tailroom) {
        fault->inner->release(fault->inner->self, copy);
        return NULL;
    }
    weft_packet_resize(copy, packet->length);
    memcpy(copy->data, packet->data, packet->length);
    copy->port = packet->port;
    copy->flags = packet->flags;
    copy->vlan = packet->vlan;
    copy->hash = packet->hash;
    return copy;
}

// What happens to one frame in a direction that suffers.
static void suffer(struct weft_fault *fault, struct weft_fault_line *line,
                   struct weft_packet *packet)
{
    const struct weft_fault_options *options = &fault->options;
    if (is_partitioned(options, packet)) {
        lose(fault, packet, WEFT_DROP_FAULT_PARTITION, &fault->stats.partitioned);
        return;
    }
    if (strikes(fault, options->loss_ppm)) {
        lose(fault, packet, WEFT_DROP_FAULT_LOSS, &fault->stats.lost);
        return;
    }
    if (strikes(fault, options->duplicate_ppm)) {
        struct weft_packet *copy = copy_of(fault, packet);
        if (copy != NULL) {
            weft_counter_add(&fault->stats.duplicated, 1);
            send_off(fault, line, copy, draw_delay_ns(fault));
        }
    }
    if (strikes(fault, options->corrupt_ppm)) turn_a_bit(fault, packet);
    send_off(fault, line, packet, draw_delay_ns(fault));
}

static uint32_t take_due(struct weft_fault *fault, struct weft_fault_line *line,
                         struct weft_packet **packets, uint32_t limit)
{
    uint32_t count = 0;
    while (count < limit && line->count > 0 && line->held[0].due_ns <= *fault->now_ns) {
        packets[count++] = line_pop(line);
    }
    return count;
}

// Gives the inner net what is due. What it does not take goes back to the head of the line.
static void transmit_due(struct weft_fault *fault)
{
    struct weft_packet *packets[WEFT_NET_BURST];
    uint32_t count;
    while ((count = take_due(fault, &fault->tx, packets, WEFT_NET_BURST)) > 0) {
        const uint32_t sent = fault->inner->tx_burst(fault->inner->self, packets, count);
        weft_counter_add(&fault->stats.passed, sent);
        for (uint32_t i = sent; i < count; i++) {
            // Time 0 sorts before all others; the order among these is kept by `order`.
            line_push(&fault->tx, (struct weft_fault_held){0, fault->order++, packets[i]});
        }
        if (sent < count) return;
    }
}

static uint32_t fault_rx_burst(void *self, struct weft_packet **packets, uint32_t limit)
{
    struct weft_fault *fault = self;
    if (fault->tx.count > 0) transmit_due(fault);

    struct weft_packet *fresh[WEFT_NET_BURST];
    const uint32_t most = limit < WEFT_NET_BURST ? limit : WEFT_NET_BURST;
    const bool passes = !fault->options.rx && fault->rx.count == 0;
    const uint32_t count =
        fault->inner->rx_burst(fault->inner->self, passes ? packets : fresh, most);
    weft_counter_add(&fault->stats.entered, count);
    if (passes) {
        weft_counter_add(&fault->stats.passed, count);
        return count;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (fault->options.rx)
            suffer(fault, &fault->rx, fresh[i]);
        else
            send_off(fault, &fault->rx, fresh[i], 0);
    }
    const uint32_t due = take_due(fault, &fault->rx, packets, limit);
    weft_counter_add(&fault->stats.passed, due);
    return due;
}

static uint32_t fault_tx_burst(void *self, struct weft_packet **packets, uint32_t count)
{
    struct weft_fault *fault = self;
    if (!fault->options.tx && fault->tx.count == 0) {
        const uint32_t sent = fault->inner->tx_burst(fault->inner->self, packets, count);
        weft_counter_add(&fault->stats.entered, sent);
        weft_counter_add(&fault->stats.passed, sent);
        return sent;
    }
    weft_counter_add(&fault->stats.entered, count);
    for (uint32_t i = 0; i < count; i++) {
        if (fault->options.tx)
            suffer(fault, &fault->tx, packets[i]);
        else
            send_off(fault, &fault->tx, packets[i], 0);
    }
    transmit_due(fault);
    return count;
}

static struct weft_packet *fault_alloc(void *self)
{
    const struct weft_net *inner = ((struct weft_fault *)self)->inner;
    return inner->alloc(inner->self);
}

static void fault_release(void *self, struct weft_packet *packet)
{
    const struct weft_net *inner = ((struct weft_fault *)self)->inner;
    inner->release(inner->self, packet);
}

static int fault_doorbell_fd(void *self)
{
    const struct weft_net *inner = ((struct weft_fault *)self)->inner;
    return inner->doorbell_fd != NULL ? inner->doorbell_fd(inner->self) : -1;
}

static void fault_doorbell_clear(void *self)
{
    const struct weft_net *inner = ((struct weft_fault *)self)->inner;
    if (inner->doorbell_clear != NULL) inner->doorbell_clear(inner->self);
}

static void fault_stats(void *self, struct weft_net_stats *stats)
{
    const struct weft_net *inner = ((struct weft_fault *)self)->inner;
    inner->stats(inner->self, stats);
}

void weft_fault_init(struct weft_fault *fault, const struct weft_net *inner, uint64_t seed,
                     const uint64_t *now_ns, struct weft_drops *drops)
{
    memset(fault, 0, sizeof(*fault));
    fault->inner = inner;
    fault->now_ns = now_ns;
    fault->drops = drops;
    fault->info = *inner->info;
    fault->info.tx_ip4_checksum = false;
    fault->info.tx_udp_checksum = false;
    weft_prng_seed(&fault->prng, seed);
    fault->net = (struct weft_net){.rx_burst = fault_rx_burst,
                                   .tx_burst = fault_tx_burst,
                                   .alloc = fault_alloc,
                                   .release = fault_release,
                                   .doorbell_fd = fault_doorbell_fd,
                                   .doorbell_clear = fault_doorbell_clear,
                                   .stats = fault_stats,
                                   .info = &fault->info,
                                   .self = fault};
}

int weft_fault_set(struct weft_fault *fault, const struct weft_fault_options *options)
{
    if (options->loss_ppm > WEFT_FAULT_PPM || options->duplicate_ppm > WEFT_FAULT_PPM ||
        options->corrupt_ppm > WEFT_FAULT_PPM || options->reorder_ppm > WEFT_FAULT_PPM)
        return -EINVAL;
    if (options->partition_count > WEFT_FAULT_PEERS_MAX) return -EINVAL;
    if (options->delay_ns > DELAY_NS_MAX || options->jitter_ns > DELAY_NS_MAX) return -EINVAL;
    fault->options = *options;
    return 0;
}

uint64_t weft_fault_due_ns(void *self)
{
    const struct weft_fault *fault = self;
    const uint64_t rx_ns = fault->rx.count > 0 ? fault->rx.held[0].due_ns : UINT64_MAX;
    uint64_t tx_ns = fault->tx.count > 0 ? fault->tx.held[0].due_ns : UINT64_MAX;
    if (tx_ns == 0) tx_ns = *fault->now_ns + REFUSED_RETRY_NS;
    return rx_ns < tx_ns ? rx_ns : tx_ns;
}

void weft_fault_drain(struct weft_fault *fault)
{
    while (fault->rx.count > 0) {
        lose(fault, line_pop(&fault->rx), WEFT_DROP_FAULT_LOSS, &fault->stats.lost);
    }
    while (fault->tx.count > 0) {
        lose(fault, line_pop(&fault->tx), WEFT_DROP_FAULT_LOSS, &fault->stats.lost);
    }
}

int64_t weft_fault_gap(const struct weft_fault *fault)
{
    const struct weft_fault_stats *stats = &fault->stats;
    const uint64_t in = weft_counter_get(&stats->entered) + weft_counter_get(&stats->duplicated);
    const uint64_t out = weft_counter_get(&stats->passed) + weft_counter_get(&stats->lost) +
                         weft_counter_get(&stats->partitioned) +
                         weft_counter_get(&stats->queue_full) + fault->rx.count + fault->tx.count;
    return (int64_t)(in - out);
}
