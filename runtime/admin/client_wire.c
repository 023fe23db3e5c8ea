#include "runtime/admin/client_wire.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3"

int64_t weft_client_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int weft_client_wire_wait(const struct weft_client_wire *wire, short events, int64_t deadline_ms)
{
    struct pollfd poll_fd = {.fd = wire->fd, .events = events};
    const int64_t left = deadline_ms - weft_client_now_ms();

    if (left <= 0) return -ETIMEDOUT;
    const int result = poll(&poll_fd, 1, (int)(left < INT32_MAX ? left : INT32_MAX));
    if (result == 0) return -ETIMEDOUT;
    return result < 0 ? -errno : 0;
}

static void where_is(const struct weft_client_target *target, char where[200])
{
    if (target->host[0] != '\0') {
        snprintf(where, 200, "%s:%u", target->host, (unsigned)target->port);
    } else if (target->path[0] != '\0') {
        snprintf(where, 200, "%s", target->path);
    } else {
        snprintf(where, 200, "127.0.0.1:%u", (unsigned)target->port);
    }
}

int weft_client_unreachable(const struct weft_client_target *target, struct weft_error *error,
                            const char *why)
{
    char where[200];

    where_is(target, where);
    weft_error_set(error, 501, "%s cannot be reached at %s: %s",
                   target->name[0] != '\0' ? target->name : "the node", where, why);
    weft_error_hint(error, target->host[0] != '\0'
                               ? "a node opens this port only with an owner's token on its drive"
                               : "is it running? `weft node ls` shows those that are");
    return -1;
}

// ---- Connecting.

static int connect_to(const struct sockaddr *address, socklen_t length, int64_t deadline_ms,
                      struct weft_client_wire *wire)
{
    // A unix socket whose queue is full is waited for in connect itself.
    const int flags = address->sa_family == AF_UNIX ? 0 : SOCK_NONBLOCK;
    int reason = 0;
    socklen_t size = sizeof(reason);

    wire->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (wire->fd < 0) return -errno;
    int result = connect(wire->fd, address, length) == 0 ? 0 : -errno;
    if (result == -EINPROGRESS) {
        do {
            result = weft_client_wire_wait(wire, POLLOUT, deadline_ms);
        } while (result == -EINTR);
        if (result == 0 && getsockopt(wire->fd, SOL_SOCKET, SO_ERROR, &reason, &size) == 0)
            result = -reason;
    }
    if (result == 0) return 0;
    close(wire->fd);
    wire->fd = -1;
    return result;
}

static int connect_here(const struct weft_client_target *target, int64_t deadline_ms,
                        struct weft_client_wire *wire, struct weft_error *error)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    const struct sockaddr_in in = {.sin_family = AF_INET,
                                   .sin_port = htons(target->port),
                                   .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    const bool local = target->path[0] != '\0';

    memcpy(un.sun_path, target->path, sizeof(un.sun_path) - 1);
    const int result =
        local ? connect_to((const struct sockaddr *)&un, sizeof(un), deadline_ms, wire)
              : connect_to((const struct sockaddr *)&in, sizeof(in), deadline_ms, wire);
    if (result == 0) return 0;
    if (result == -EACCES || result == -EPERM) {
        return weft_error_set(error, 502, "%s: permission denied",
                              local ? target->path : "the node");
    }
    return weft_client_unreachable(target, error, strerror(-result));
}

static int connect_far(const struct weft_client_target *target, int64_t deadline_ms,
                       struct weft_client_wire *wire, struct weft_error *error)
{
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    char port[8];
    int result = -EHOSTUNREACH;

    snprintf(port, sizeof(port), "%u", (unsigned)target->port);
    const int failure = getaddrinfo(target->host, port, &wanted, &found);
    if (failure != 0) return weft_client_unreachable(target, error, gai_strerror(failure));
    for (const struct addrinfo *at = found; at != NULL && result != 0; at = at->ai_next)
        result = connect_to(at->ai_addr, at->ai_addrlen, deadline_ms, wire);
    freeaddrinfo(found);
    return result == 0 ? 0 : weft_client_unreachable(target, error, strerror(-result));
}

// ---- TLS.

static int fingerprint(gnutls_session_t session, char hex[65])
{
    unsigned count = 0;
    const gnutls_datum_t *certificates = gnutls_certificate_get_peers(session, &count);
    uint8_t sum[32];

    if (certificates == NULL || count == 0 ||
        gnutls_hash_fast(GNUTLS_DIG_SHA256, certificates[0].data, certificates[0].size, sum) != 0)
        return -EBADMSG;
    for (size_t i = 0; i < sizeof(sum); i++)
        snprintf(hex + 2 * i, 3, "%02x", sum[i]);
    return 0;
}

static int shake_hands(struct weft_client_wire *wire, int64_t deadline_ms)
{
    gnutls_session_t session = wire->tls;
    int result;

    while ((result = gnutls_handshake(session)) != 0) {
        if (gnutls_error_is_fatal(result)) return result;
        const short events = gnutls_record_get_direction(session) != 0 ? POLLOUT : POLLIN;
        const int waited = weft_client_wire_wait(wire, events, deadline_ms);
        if (waited == -ETIMEDOUT) return GNUTLS_E_TIMEDOUT;
    }
    return 0;
}

static int start_tls(struct weft_client_wire *wire, const struct weft_client_target *target,
                     int64_t deadline_ms, char seen[65], struct weft_error *error)
{
    gnutls_certificate_credentials_t credentials;
    gnutls_session_t session;
    char shown[65] = "";

    if (gnutls_certificate_allocate_credentials(&credentials) != 0)
        return weft_client_unreachable(target, error, "no memory for TLS");
    if (gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NONBLOCK) != 0) {
        gnutls_certificate_free_credentials(credentials);
        return weft_client_unreachable(target, error, "no memory for TLS");
    }
    wire->tls = session;
    gnutls_session_set_ptr(session, credentials); // Freed with the wire.
    gnutls_priority_set_direct(session, PRIORITY, NULL);
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_transport_set_int(session, wire->fd);
    const int result = shake_hands(wire, deadline_ms);
    if (result != 0) return weft_client_unreachable(target, error, gnutls_strerror(result));
    if (fingerprint(session, shown) != 0)
        return weft_client_unreachable(target, error, "it shows no certificate");
    if (seen != NULL) memcpy(seen, shown, sizeof(shown));
    if (target->pin[0] == '\0' || strcmp(shown, target->pin) == 0) return 0;
    weft_error_set(error, 506, "another node than %s answers at %s:%u: its certificate is %.16s…",
                   target->name, target->host, (unsigned)target->port, shown);
    weft_error_hint(error,
                    "if it was reset: `weft context rm %s`, then `weft context add` with its "
                    "new words",
                    target->name);
    return -1;
}

int weft_client_wire_open(struct weft_client_wire *wire, const struct weft_client_target *target,
                          int64_t deadline_ms, char seen[65], struct weft_error *error)
{
    *wire = (struct weft_client_wire){.fd = -1};
    if (target->host[0] == '\0') return connect_here(target, deadline_ms, wire, error);
    if (connect_far(target, deadline_ms, wire, error) != 0) return -1;
    if (start_tls(wire, target, deadline_ms, seen, error) == 0) return 0;
    weft_client_wire_close(wire);
    return -1;
}

void weft_client_wire_close(struct weft_client_wire *wire)
{
    if (wire->tls != NULL) {
        gnutls_certificate_credentials_t credentials = gnutls_session_get_ptr(wire->tls);
        gnutls_bye(wire->tls, GNUTLS_SHUT_WR); // Does not wait: the socket does not block.
        gnutls_deinit(wire->tls);
        gnutls_certificate_free_credentials(credentials);
    }
    if (wire->fd >= 0) close(wire->fd);
    *wire = (struct weft_client_wire){.fd = -1};
}

// GnuTLS's failures as errno.
static int64_t tls_result(ssize_t result)
{
    if (result >= 0) return result;
    if (result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED) return -EAGAIN;
    // Ended without a goodbye: HTTP's own lengths tell whether something is missing.
    return result == GNUTLS_E_PREMATURE_TERMINATION ? 0 : -ECONNRESET;
}

int64_t weft_client_wire_send(struct weft_client_wire *wire, const void *bytes, size_t length)
{
    if (wire->tls != NULL) return tls_result(gnutls_record_send(wire->tls, bytes, length));
    const ssize_t count = send(wire->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    return count >= 0 ? count : errno == EINTR ? -EAGAIN : -errno;
}

int64_t weft_client_wire_receive(struct weft_client_wire *wire, void *bytes, size_t length)
{
    if (wire->tls != NULL) return tls_result(gnutls_record_recv(wire->tls, bytes, length));
    const ssize_t count = recv(wire->fd, bytes, length, MSG_DONTWAIT);
    return count >= 0 ? count : errno == EINTR ? -EAGAIN : -errno;
}
