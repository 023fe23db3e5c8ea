#include "runtime/admin/wire.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "runtime/admin/client_key.h"

static int wait_for(int fd, short events, int64_t deadline_ms)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const int64_t left_ms = deadline_ms - ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
    struct pollfd waited = {.fd = fd, .events = events};
    const int result = poll(&waited, 1, left_ms > 0 ? (int)left_ms : 0);
    if (result == 0) return -ETIMEDOUT;
    return result > 0 || errno == EINTR ? 0 : -errno;
}

// Sockets are written to and read from without waiting: poll keeps the time.
static ssize_t push(gnutls_transport_ptr_t self, const void *bytes, size_t length)
{
    return send(*(const int *)self, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static ssize_t pull(gnutls_transport_ptr_t self, void *bytes, size_t size)
{
    return recv(*(const int *)self, bytes, size, MSG_DONTWAIT);
}

int weft_wire_fingerprint(const struct weft_wire *wire, char text[65])
{
    unsigned count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(wire->session, &count);
    unsigned char digest[32];
    if (chain == NULL || count == 0) return -EACCES;
    if (gnutls_hash_fast(GNUTLS_DIG_SHA256, chain[0].data, chain[0].size, digest) != 0)
        return -EPROTO;
    for (size_t i = 0; i < sizeof(digest); i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return 0;
}

static int check_fingerprint(const struct weft_wire *wire, const char *fingerprint)
{
    char text[65];
    const int result = weft_wire_fingerprint(wire, text);
    if (result != 0) return result;
    return strcasecmp(text, fingerprint) == 0 ? 0 : -EACCES;
}

static int shake_hands(struct weft_wire *wire, int64_t deadline_ms)
{
    gnutls_session_t session = wire->session;
    int result;
    while ((result = gnutls_handshake(session)) < 0) {
        if (result == GNUTLS_E_INTERRUPTED || !gnutls_error_is_fatal(result)) {
            const short events = gnutls_record_get_direction(session) ? POLLOUT : POLLIN;
            const int waited = wait_for(wire->fd, events, deadline_ms);
            if (waited != 0) return waited;
            continue;
        }
        return -EPROTO;
    }
    return 0;
}

static int start_session(struct weft_wire *wire, const struct weft_client_key *key)
{
    gnutls_certificate_credentials_t credentials;
    gnutls_session_t session;
    if (gnutls_certificate_allocate_credentials(&credentials) != 0) return -ENOMEM;
    wire->credentials = credentials;
    if (key != NULL) {
        gnutls_x509_crt_t certificate = key->certificate;
        if (gnutls_certificate_set_x509_key(credentials, &certificate, 1, key->key) < 0)
            return -EPROTO;
    }
    // Ours is of no authority, so none that the other side could name.
    if (gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL | GNUTLS_FORCE_CLIENT_CERT) != 0)
        return -ENOMEM;
    wire->session = session;
    if (gnutls_priority_set_direct(session, "NORMAL:-VERS-ALL:+VERS-TLS1.3", NULL) != 0 ||
        gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials) != 0)
        return -EPROTO;
    gnutls_transport_set_ptr(session, &wire->fd);
    gnutls_transport_set_push_function(session, push);
    gnutls_transport_set_pull_function(session, pull);
    return 0;
}

static void end_session(struct weft_wire *wire)
{
    if (wire->session != NULL) gnutls_deinit(wire->session);
    if (wire->credentials != NULL) gnutls_certificate_free_credentials(wire->credentials);
    wire->session = NULL;
    wire->credentials = NULL;
}

int weft_wire_secure(struct weft_wire *wire, const char *fingerprint,
                     const struct weft_client_key *key, int64_t deadline_ms)
{
    int result = start_session(wire, key);
    if (result == 0) result = shake_hands(wire, deadline_ms);
    if (result == 0 && fingerprint[0] != '\0') result = check_fingerprint(wire, fingerprint);
    if (result != 0) end_session(wire);
    return result;
}

static ssize_t send_some(struct weft_wire *wire, const char *bytes, size_t length)
{
    if (wire->session == NULL) {
        const ssize_t sent = send(wire->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        return sent >= 0 ? sent : -errno;
    }
    const ssize_t sent = gnutls_record_send(wire->session, bytes, length);
    if (sent >= 0) return sent;
    return gnutls_error_is_fatal((int)sent) ? -EPIPE : -EAGAIN;
}

int weft_wire_send(struct weft_wire *wire, const char *bytes, size_t length, int64_t deadline_ms)
{
    while (length > 0) {
        const ssize_t sent = send_some(wire, bytes, length);
        if (sent >= 0) {
            bytes += sent;
            length -= (size_t)sent;
            continue;
        }
        if (sent == -EPIPE || sent == -ECONNRESET) return 0;
        if (sent != -EAGAIN && sent != -EINTR) return (int)sent;
        const int result = wait_for(wire->fd, POLLOUT, deadline_ms);
        if (result != 0) return result;
    }
    return 0;
}

ssize_t weft_wire_receive(struct weft_wire *wire, char *bytes, size_t size)
{
    if (wire->session == NULL) {
        const ssize_t count = recv(wire->fd, bytes, size, 0);
        return count >= 0 ? count : -errno;
    }
    const ssize_t count = gnutls_record_recv(wire->session, bytes, size);
    if (count >= 0) return count;
    if (count == GNUTLS_E_PREMATURE_TERMINATION) return 0; // HTTP says itself whether it is whole.
    return gnutls_error_is_fatal((int)count) ? -ECONNRESET : -EAGAIN;
}

bool weft_wire_holds_bytes(const struct weft_wire *wire)
{
    return wire->session != NULL && gnutls_record_check_pending(wire->session) > 0;
}

void weft_wire_close(struct weft_wire *wire)
{
    if (wire->session != NULL) gnutls_bye(wire->session, GNUTLS_SHUT_WR);
    end_session(wire);
    close(wire->fd);
}
