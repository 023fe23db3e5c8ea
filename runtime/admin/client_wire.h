// client_wire.h: the bytes between the client and a node: a unix socket, loopback TCP, or TLS to a
// node whose certificate is pinned.
//
// There is no authority that vouches for a node: its certificate is its own, and the client knows
// its SHA-256. A node that shows another one is another node.
#ifndef WEFT_ADMIN_CLIENT_WIRE_H
#define WEFT_ADMIN_CLIENT_WIRE_H

#include <stdint.h>

#include "runtime/admin/client.h"

struct weft_client_wire {
    int fd;
    void *tls; // gnutls_session_t, or NULL.
};

// Monotonic, for deadlines.
int64_t weft_client_now_ms(void);
// Waits for POLLIN or POLLOUT. 0, -ETIMEDOUT at the deadline, -EINTR.
int weft_client_wire_wait(const struct weft_client_wire *wire, short events, int64_t deadline_ms);

// Connects; of TLS, shakes hands and checks the pin, or fills `seen` (may be NULL) with the hex
// SHA-256 that the node shows, if target->pin is empty. 0, or -1 with W0501, W0502, W0505, W0506.
int weft_client_wire_open(struct weft_client_wire *wire, const struct weft_client_target *target,
                          int64_t deadline_ms, char seen[65], struct weft_error *error);
void weft_client_wire_close(struct weft_client_wire *wire);

// Bytes sent or received; receive: 0 at the end. -EAGAIN: wait first. Else a negative errno.
int64_t weft_client_wire_send(struct weft_client_wire *wire, const void *bytes, size_t length);
int64_t weft_client_wire_receive(struct weft_client_wire *wire, void *bytes, size_t length);

// W0501 about this target. -1.
int weft_client_unreachable(const struct weft_client_target *target, struct weft_error *error,
                            const char *why);

#endif // WEFT_ADMIN_CLIENT_WIRE_H
