// packets.h: the parts of bench_packets: cycles per packet, round trips, and the datagram both
// send.
#ifndef WEFT_BENCH_MACRO_PACKETS_H
#define WEFT_BENCH_MACRO_PACKETS_H

#include <stdint.h>
#include <stdio.h>

#include "bench/context.h"
#include "dataplane/stack.h"

#define BENCH_PAYLOAD_BYTES 22 // A 64-byte frame.
#define BENCH_FRAME_BYTES   (14 + 20 + 8 + BENCH_PAYLOAD_BYTES)
#define BENCH_UDP_PORT      4242
#define BENCH_ROWS_MAX      32

struct bench_flow { // Host order.
    uint8_t to[6], from[6];
    uint32_t source, destination;
};

// Writes a UDP datagram of BENCH_FRAME_BYTES with correct checksums; `number` begins the payload.
void bench_make_frame(uint8_t *frame, const struct bench_flow *flow, uint64_t number);

// Writes the ARP request by which the stack learns who `flow->source` is.
void bench_make_arp(uint8_t *frame, const struct bench_flow *flow);
#define BENCH_ARP_BYTES 60

struct bench_stack { // One core with a stack, turned by the caller.
    struct weft_clock clock;
    struct weft_core_group group;
    struct weft_core core;
    struct weft_udp_owners owners;
    struct weft_stack stack;
};

// Makes it of `count` nets, with addresses 10.1.N.2/24, N from 0; answers at BENCH_UDP_PORT.
struct bench_stack *bench_stack_create(const struct weft_net *nets, uint32_t count);
void bench_stack_free(struct bench_stack *bench);

struct bench_cycle_row {
    char device[16], path[24];
    uint32_t burst;
    double best, p50; // Cycles per packet.
};

// In a process that has started EAL. How many rows; prints what went wrong on stderr.
uint32_t bench_cycles_run(struct bench_cycle_row *rows);

struct bench_rtt_row {
    char path[32], medium[24];
    double min_us, p50_us, p99_us; // All 0: not measured, `why` says why.
    uint32_t count, lost;
    char why[160];
};

// Round trips of a datagram, each scene in processes of its own. Before this process starts EAL or
// threads. How many rows.
uint32_t bench_rtt_run(struct bench_rtt_row *rows);

#endif // WEFT_BENCH_MACRO_PACKETS_H
