// bench_server.h: an admin server with a fake node behind it, turned by the test itself, and raw
// requests sent to it: one thread, no sleep.
#ifndef WEFT_TESTS_UNIT_ADMIN_BENCH_SERVER_H
#define WEFT_TESTS_UNIT_ADMIN_BENCH_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/admin/server.h"
#include "tests/unit/admin/fake_source.h"

struct bench_server {
    struct fake_node fake;
    struct weft_admin_server *server;
    char directory[64];
    char path[96]; // The unix socket.
    uint16_t port;
    uint64_t skew_ns; // Added to the server's clock.
};

// `routes` and `unavailable` as in weft_admin_options; may be NULL.
void bench_server_init(struct bench_server *bench, const struct weft_admin_route *routes,
                       const char *unavailable);
void bench_server_destroy(struct bench_server *bench);

// Connects over the unix socket, or TCP.
int bench_connect(const struct bench_server *bench, bool tcp);
// Sends `request`, as it is, on `fd`, and turns the server until the answer has ended by closing,
// or `until` (may be NULL) is in it. The text is zero-terminated; the length of it.
size_t bench_talk(struct bench_server *bench, int fd, const char *request, size_t request_length,
                  const char *until, char *answer, size_t limit);
// One request from "GET /path" (adds Host, Connection: close, `headers`, the body), its answer;
// closes. Returns the status.
unsigned bench_ask(struct bench_server *bench, bool tcp, const char *line, const char *headers,
                   const char *body, char *answer, size_t limit);

#endif // WEFT_TESTS_UNIT_ADMIN_BENCH_SERVER_H
