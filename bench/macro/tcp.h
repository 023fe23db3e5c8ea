// tcp.h: the servers that bench/macro/tcp.c compares, each in a process of its own.
#ifndef WEFT_BENCH_MACRO_TCP_H
#define WEFT_BENCH_MACRO_TCP_H

#include <stdbool.h>
#include <stdint.h>

#define WEFT_BENCH_TCP_BYTES 64 // One request, and its answer.

// Serve on the loopback until they are killed. `ready` is told the port.
void weft_bench_tcp_actors(bool callback, void (*ready)(uint16_t port)); // tcp_actors.c
void weft_bench_tcp_epoll(void (*ready)(uint16_t port));                 // tcp_plain.c
// A client: `count` connections, each with one request under way, for `run_ns`. Requests; in
// *p50_ns and *p99_ns how long one took.
uint64_t weft_bench_tcp_ask(uint16_t port, unsigned count, uint64_t run_ns, uint64_t *p50_ns,
                            uint64_t *p99_ns); // tcp_plain.c

#endif // WEFT_BENCH_MACRO_TCP_H
