// wire.h: what a client's bytes go over: a unix or TCP socket as it is, or TLS 1.3 on it.
//
// The other side's certificate is its own and of no authority. It is known by its fingerprint, and
// where none is given only on loopback: there a forwarded port of an emulated machine ends.
//
// Core: any thread that may block. Memory: embedded by value; GnuTLS holds the session.
#ifndef WEFT_ADMIN_WIRE_H
#define WEFT_ADMIN_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct weft_wire {
    int fd;
    void *session; // gnutls_session_t; NULL: in the clear.
    void *credentials;
};

struct weft_client_key;

// Shakes hands on the connected `fd` within the time (CLOCK_MONOTONIC). `fingerprint` is 64 hex
// digits; "" takes any. With `key` (may be NULL) the other side is shown who we are. 0, -ETIMEDOUT,
// -EACCES when the fingerprint differs, else -EPROTO; the descriptor stays the caller's.
int weft_wire_secure(struct weft_wire *wire, const char *fingerprint,
                     const struct weft_client_key *key, int64_t deadline_ms);

// The SHA-256 of the certificate that the other side has shown, in hex. 0, -EACCES if it has shown
// none, else -EPROTO.
int weft_wire_fingerprint(const struct weft_wire *wire, char text[65]);

// Sends all. 0, -ETIMEDOUT or another negative errno; 0 too if the other side has closed: its
// answer may be there.
int weft_wire_send(struct weft_wire *wire, const char *bytes, size_t length, int64_t deadline_ms);

// As recv: what is there, 0 at the end, or a negative errno (-EAGAIN, -EINTR: try again when the
// descriptor is ready).
ssize_t weft_wire_receive(struct weft_wire *wire, char *bytes, size_t size);

// Bytes that have come off the descriptor already: poll would wait for others.
bool weft_wire_holds_bytes(const struct weft_wire *wire);

void weft_wire_close(struct weft_wire *wire); // And the descriptor.

#endif // WEFT_ADMIN_WIRE_H
