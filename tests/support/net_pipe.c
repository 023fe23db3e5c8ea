#include "tests/support/net_pipe.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"

struct net_pipe_buffer {
    struct weft_packet packet; // First: a packet is its buffer.
    struct net_pipe_queue *owner;
    uint8_t bytes[WEFT_PACKET_DATA_MAX];
};

static struct weft_packet *pipe_alloc(void *self)
{
    struct net_pipe_queue *queue = self;
    struct weft_packet *packet = queue->free;
    if (packet == NULL) return NULL;
    queue->free = packet->next;
    queue->free_count--;
    *packet = (struct weft_packet){
        .data = ((struct net_pipe_buffer *)packet)->bytes + WEFT_PACKET_HEADROOM,
        .headroom = WEFT_PACKET_HEADROOM,
        .tailroom = WEFT_PACKET_DATA_MAX - WEFT_PACKET_HEADROOM,
        .home = queue->home,
    };
    return packet;
}

static struct net_pipe_queue *owner_of(const struct weft_packet *packet)
{
    return ((const struct net_pipe_buffer *)packet)->owner;
}

static void pipe_release(void *self, struct weft_packet *packet)
{
    struct net_pipe_queue *queue = self;
    weft_assert(owner_of(packet) == queue); // Only the home core's queue may take it back.
    weft_assert(packet->home == queue->home);
    packet->next = queue->free;
    queue->free = packet;
    queue->free_count++;
    weft_assert(queue->free_count <= queue->buffer_count);
}

bool net_pipe_inject(struct net_pipe_queue *queue, const void *frame, uint32_t length)
{
    struct weft_packet *packet = NULL;
    if (queue->head - queue->tail < NET_PIPE_SLOTS &&
        length <= WEFT_PACKET_DATA_MAX - WEFT_PACKET_HEADROOM)
        packet = pipe_alloc(queue);
    if (packet == NULL) {
        queue->stats.rx_no_buffer++;
        return false;
    }
    if (length > 0) memcpy(packet->data, frame, length);
    packet->length = (uint16_t)length;
    packet->tailroom = (uint16_t)(packet->tailroom - length);
    queue->slots[queue->head++ % NET_PIPE_SLOTS] = packet;
    return true;
}

static uint32_t pipe_rx_burst(void *self, struct weft_packet **packets, uint32_t limit)
{
    struct net_pipe_queue *queue = self;
    uint32_t count = 0;
    while (count < limit && queue->tail != queue->head) {
        packets[count] = queue->slots[queue->tail++ % NET_PIPE_SLOTS];
        queue->stats.rx_packets++;
        queue->stats.rx_bytes += packets[count]->length;
        count++;
    }
    return count;
}

static struct net_pipe_queue *next_queue(struct net_pipe_end *end)
{
    if (end->queue_fixed >= 0) return &end->queues[end->queue_fixed];
    return &end->queues[end->next_queue++ % end->queue_count];
}

static uint32_t pipe_tx_burst(void *self, struct weft_packet **packets, uint32_t count)
{
    struct net_pipe_queue *queue = self;
    struct net_pipe_end *end = queue->end;
    if (count > end->tx_limit) count = end->tx_limit;
    for (uint32_t i = 0; i < count; i++) {
        struct weft_packet *packet = packets[i];
        queue->stats.tx_packets++;
        queue->stats.tx_bytes += packet->length;
        net_pipe_inject(next_queue(end->peer), packet->data, packet->length);
        pipe_release(owner_of(packet), packet); // Perhaps another cable's: it was routed here.
    }
    return count;
}

static int pipe_doorbell_fd(void *self)
{
    (void)self;
    return -1;
}

static void pipe_stats(void *self, struct weft_net_stats *stats)
{
    *stats = ((struct net_pipe_queue *)self)->stats;
}

uint32_t net_pipe_take(struct net_pipe_queue *queue, void *frame, uint32_t room)
{
    struct weft_packet *packet;
    if (pipe_rx_burst(queue, &packet, 1) == 0) return 0;
    const uint32_t length = packet->length < room ? packet->length : room;
    memcpy(frame, packet->data, length);
    pipe_release(queue, packet);
    return length;
}

uint32_t net_pipe_at_home(const struct net_pipe_queue *queue)
{
    return queue->free_count + (queue->head - queue->tail);
}

static void init_queue(struct net_pipe_queue *queue, struct net_pipe_end *end, uint8_t home,
                       uint32_t buffer_count)
{
    queue->end = end;
    queue->home = home;
    queue->buffer_count = buffer_count;
    queue->buffers = calloc(buffer_count, sizeof(struct net_pipe_buffer));
    weft_assert(queue->buffers != NULL);
    for (uint32_t i = 0; i < buffer_count; i++) {
        queue->buffers[i].packet.home = home;
        queue->buffers[i].owner = queue;
        pipe_release(queue, &queue->buffers[i].packet);
    }
    queue->net = (struct weft_net){.rx_burst = pipe_rx_burst,
                                   .tx_burst = pipe_tx_burst,
                                   .alloc = pipe_alloc,
                                   .release = pipe_release,
                                   .doorbell_fd = pipe_doorbell_fd,
                                   .stats = pipe_stats,
                                   .info = &end->info,
                                   .self = queue};
}

struct net_pipe *net_pipe_create(const uint32_t queue_count[2], uint8_t home_first,
                                 uint32_t buffer_count)
{
    struct net_pipe *pipe = calloc(1, sizeof(*pipe));
    weft_assert(pipe != NULL);
    for (int e = 0; e < 2; e++) {
        struct net_pipe_end *end = &pipe->ends[e];
        weft_assert(queue_count[e] >= 1 && queue_count[e] <= NET_PIPE_QUEUES_MAX);
        end->info = (struct weft_net_info){.name = "pipe",
                                           .device = "net_pipe",
                                           .driver = "pipe",
                                           .mac = {2, 0, 0, 0, 0, (uint8_t)(e + 1)},
                                           .mtu = 1500,
                                           .queue_count = (uint16_t)queue_count[e]};
        end->peer = &pipe->ends[1 - e];
        end->queue_count = queue_count[e];
        end->queue_fixed = -1;
        end->tx_limit = WEFT_NET_BURST;
        for (uint32_t q = 0; q < queue_count[e]; q++) {
            init_queue(&end->queues[q], end, (uint8_t)(home_first + q), buffer_count);
        }
    }
    return pipe;
}

void net_pipe_free(struct net_pipe *pipe)
{
    for (int e = 0; e < 2; e++) {
        for (uint32_t q = 0; q < pipe->ends[e].queue_count; q++) {
            free(pipe->ends[e].queues[q].buffers);
        }
    }
    free(pipe);
}
