// net_pipe.h: a cable in memory: two ends, each a port of up to four queues with a pool per queue.
//
// What goes into one end is copied into a buffer of the other end's pool, as on a wire; an empty
// pool loses it. One thread turns everything. Fields are open to tests.
#ifndef WEFT_TESTS_SUPPORT_NET_PIPE_H
#define WEFT_TESTS_SUPPORT_NET_PIPE_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/env/net.h"

#define NET_PIPE_QUEUES_MAX 4
#define NET_PIPE_SLOTS      1024 // Frames under way to one queue.

struct net_pipe_buffer;
struct net_pipe_end;

struct net_pipe_queue {
    struct weft_net net;
    struct net_pipe_end *end;
    struct net_pipe_buffer *buffers;
    struct weft_packet *free;
    uint32_t buffer_count;
    uint32_t free_count;
    uint8_t home;
    struct weft_packet *slots[NET_PIPE_SLOTS]; // Frames that have come and were not taken.
    uint32_t head, tail;
    struct weft_net_stats stats;
};

struct net_pipe_end {
    struct weft_net_info info;
    struct net_pipe_end *peer;
    uint32_t queue_count;
    uint32_t next_queue; // Frames for this end go to its queues in turn...
    int32_t queue_fixed; // ...or, if this is not negative, all to this one.
    uint32_t tx_limit;   // Frames that a burst out of this end takes at most.
    struct net_pipe_queue queues[NET_PIPE_QUEUES_MAX];
};

struct net_pipe {
    struct net_pipe_end ends[2];
};

// Makes a cable in memory of its own. `queue_count` of each end; buffers of each queue. Queue q of
// an end belongs to core home_first + q. MACs are 02:00:00:00:00:01 and :02; MTU 1500.
struct net_pipe *net_pipe_create(const uint32_t queue_count[2], uint8_t home_first,
                                 uint32_t buffer_count);
void net_pipe_free(struct net_pipe *pipe);

// Puts a frame of any length up to the buffer's into a queue, as if the peer had sent it. False: no
// room.
bool net_pipe_inject(struct net_pipe_queue *queue, const void *frame, uint32_t length);

// Takes the oldest frame out of a queue that no stack reads: its length, 0 if there is none.
uint32_t net_pipe_take(struct net_pipe_queue *queue, void *frame, uint32_t room);

// Buffers of the queue that are in its pool or wait to be taken.
uint32_t net_pipe_at_home(const struct net_pipe_queue *queue);

#endif // WEFT_TESTS_SUPPORT_NET_PIPE_H
