#include "runtime/admin/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/admin/owner.h"
#include "runtime/admin/server_internal.h"

struct weft_admin_server *weft_admin_server_create(const struct weft_admin_options *options)
{
    struct weft_admin_server *server = calloc(1, sizeof(*server));

    if (server == NULL) return NULL;
    server->options = *options;
    if (server->options.command_timeout_ns == 0) {
        server->options.command_timeout_ns = COMMAND_TIMEOUT_NS;
    }
    if (options->source != NULL) server->tables[server->table_count++] = weft_admin_node_routes;
    if (options->routes != NULL) server->tables[server->table_count++] = options->routes;
    weft_list_init(&server->commands);
    weft_list_init(&server->streams);
    weft_list_init(&server->intakes);
    server->stream_due_ns = UINT64_MAX;
    weft_guard_peer_init(&server->peer);
    server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (server->epoll_fd < 0) {
        free(server);
        return NULL;
    }
    return server;
}

void weft_admin_resume(struct weft_admin_server *server, struct MHD_Connection *connection)
{
    server->resumed = true;
    MHD_resume_connection(connection);
}

static void run_daemons(struct weft_admin_server *server)
{
    server->resumed = false;
    for (size_t i = 0; i < server->listener_count; i++)
        MHD_run(server->listeners[i].daemon);
}

void weft_admin_server_free(struct weft_admin_server *server)
{
    if (server == NULL) return;
    // MHD must not stop with suspended connections: each gets its end, and a round to send it.
    weft_admin_commands_close(server);
    weft_admin_streams_close(server);
    weft_admin_intakes_wake(server);
    run_daemons(server);
    for (size_t i = 0; i < server->listener_count; i++) {
        struct listener *listener = &server->listeners[i];
        if (listener->path[0] != '\0') unlink(listener->path);
        MHD_stop_daemon(listener->daemon); // Closes the descriptor too.
    }
    close(server->epoll_fd);
    free(server);
}

static void swallow(void *self, const char *format, va_list args)
{
    (void)self, (void)format, (void)args; // What clients do wrong is theirs, and not worth our log.
}

// What kind of listening socket `fd` is: *port is 0 for a unix socket. -1 with `error` for others.
static int classify(int fd, bool anywhere, uint16_t *port, struct weft_error *error)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    } address = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t length = sizeof(address);
    int listening = 0;
    socklen_t listening_length = sizeof(listening);

    if (getsockname(fd, &address.any, &length) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &listening_length) < 0 ||
        listening == 0) {
        return weft_error_set(error, 501, "admin: descriptor %d is not a listening socket", fd);
    }
    *port = 0;
    switch (address.any.sa_family) {
    case AF_UNIX: return 0;
    case AF_INET:
        *port = ntohs(address.in.sin_port);
        if (anywhere || (ntohl(address.in.sin_addr.s_addr) >> 24) == 127) return 0;
        break;
    case AF_INET6:
        *port = ntohs(address.in6.sin6_port);
        if (anywhere || IN6_IS_ADDR_LOOPBACK(&address.in6.sin6_addr)) return 0;
        break;
    default: break;
    }
    return weft_error_set(error, 502, "admin: without keys nothing listens off loopback");
}

// MHD's HTTP, in the clear or over TLS 1.3 with the owner's key.
static struct MHD_Daemon *start_daemon(struct listener *listener)
{
    const struct weft_owner *owner = listener->owner;
    const struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_KEY, 0, owner != NULL ? (void *)(uintptr_t)owner->key_pem : NULL},
        {MHD_OPTION_HTTPS_MEM_CERT, 0,
         owner != NULL ? (void *)(uintptr_t)owner->certificate_pem : NULL},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t) "NORMAL:-VERS-ALL:+VERS-TLS1.3"},
        // MHD asks a client for its certificate when there is somebody to trust. There is nobody:
        // owner.h looks at the key in it.
        {owner != NULL && owner->has_key ? MHD_OPTION_HTTPS_MEM_TRUST : MHD_OPTION_END, 0,
         owner != NULL ? (void *)(uintptr_t)owner->certificate_pem : NULL},
        {MHD_OPTION_END, 0, NULL}};
    const struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};

    return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                                (owner != NULL ? (unsigned)MHD_USE_TLS : 0),
                            0, NULL, NULL, weft_admin_call_step, listener, MHD_OPTION_LISTEN_SOCKET,
                            listener->fd, MHD_OPTION_EXTERNAL_LOGGER, swallow, NULL,
                            MHD_OPTION_NOTIFY_COMPLETED, weft_admin_call_end, listener,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_TIMEOUT_S,
                            MHD_OPTION_ARRAY, owner != NULL ? tls : none, MHD_OPTION_END);
}

static int serve(struct weft_admin_server *server, int fd, const struct weft_owner *owner,
                 struct weft_error *error)
{
    struct listener *listener = &server->listeners[server->listener_count];
    uint16_t port = 0;

    if (classify(fd, owner != NULL, &port, error) < 0) return -1;
    if (server->listener_count == WEFT_ADMIN_LISTENERS_MAX) {
        return weft_error_set(error, 501, "admin: more than %d listeners",
                              WEFT_ADMIN_LISTENERS_MAX);
    }
    // A descriptor handed in may block, and a client that leaves before accept must not hold us up.
    if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0) {
        return weft_error_set(error, 501, "admin: %s", strerror(errno));
    }
    *listener = (struct listener){.server = server, .fd = fd, .port = port, .owner = owner};
    listener->daemon = start_daemon(listener);
    if (listener->daemon == NULL) {
        return weft_error_set(error, 501, "admin: the HTTP server did not start");
    }
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = listener}};
    if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, info->epoll_fd, &event) < 0) {
        const int reason = errno;
        MHD_quiesce_daemon(listener->daemon); // The descriptor stays the caller's.
        MHD_stop_daemon(listener->daemon);
        return weft_error_set(error, 501, "admin: %s", strerror(reason));
    }
    server->listener_count++;
    return 0;
}

int weft_admin_serve_fd(struct weft_admin_server *server, int fd, struct weft_error *error)
{
    return serve(server, fd, NULL, error);
}

int weft_admin_serve_owner(struct weft_admin_server *server, int fd, const struct weft_owner *owner,
                           struct weft_error *error)
{
    return serve(server, fd, owner, error);
}

int weft_admin_listen_unix(struct weft_admin_server *server, const char *path,
                           struct weft_error *error)
{
    const int fd = weft_admin_open_unix(path, error);

    if (fd < 0) return -1;
    if (weft_admin_serve_fd(server, fd, error) < 0) {
        close(fd);
        unlink(path);
        return -1;
    }
    struct listener *listener = &server->listeners[server->listener_count - 1];
    snprintf(listener->path, sizeof(listener->path), "%s", path);
    return 0;
}

int weft_admin_listen_tcp(struct weft_admin_server *server, uint16_t port, struct weft_error *error)
{
    const int fd = weft_admin_open_tcp(port, error);

    if (fd < 0) return -1;
    if (weft_admin_serve_fd(server, fd, error) == 0) return 0;
    close(fd);
    return -1;
}

uint16_t weft_admin_server_port(const struct weft_admin_server *server)
{
    for (size_t i = 0; i < server->listener_count; i++) {
        if (server->listeners[i].port != 0) return server->listeners[i].port;
    }
    return 0;
}

// True if a daemon wants to run although nothing came: timeouts, resumed connections, half-read
// data.
static bool timeout_due(const struct weft_admin_server *server)
{
    if (server->resumed) return true;
    for (size_t i = 0; i < server->listener_count; i++) {
        MHD_UNSIGNED_LONG_LONG timeout_ms;
        if (MHD_get_timeout(server->listeners[i].daemon, &timeout_ms) == MHD_YES &&
            timeout_ms == 0) {
            return true;
        }
    }
    return false;
}

static uint32_t server_poll(void *self, uint64_t now_ns)
{
    struct weft_admin_server *server = self;
    struct epoll_event events[WEFT_ADMIN_LISTENERS_MAX];
    const int ready = epoll_wait(server->epoll_fd, events, WEFT_ADMIN_LISTENERS_MAX, 0);

    weft_admin_commands_expire(server, now_ns);
    if (now_ns >= server->stream_due_ns || server->stream_due_ns == UINT64_MAX) {
        weft_admin_streams_wake(server);
        server->stream_due_ns =
            weft_list_empty(&server->streams) ? UINT64_MAX : now_ns + STREAM_POLL_NS;
    }
    if (!weft_list_empty(&server->intakes) && now_ns >= server->intake_due_ns) {
        weft_admin_intakes_wake(server);
        server->intake_due_ns = now_ns + INTAKE_POLL_NS;
    }
    if (ready <= 0 && !timeout_due(server)) return 0;
    run_daemons(server);
    // At its limit of connections MHD stops listening, and starts again only in the run after the
    // one that saw one leave.
    if (ready > 0) server->resumed = true;
    return ready > 0 ? (uint32_t)ready : 1;
}

static uint64_t server_due_ns(void *self)
{
    struct weft_admin_server *server = self;
    uint64_t due_ns = weft_admin_commands_due_ns(server);
    const uint64_t now_ns = weft_clock_now_ns(&server->options.clock);

    if (server->resumed) return now_ns;
    if (!weft_list_empty(&server->streams)) {
        const uint64_t stream_ns =
            server->stream_due_ns != UINT64_MAX ? server->stream_due_ns : now_ns + STREAM_POLL_NS;
        if (stream_ns < due_ns) due_ns = stream_ns;
    }
    if (!weft_list_empty(&server->intakes) && server->intake_due_ns < due_ns)
        due_ns = server->intake_due_ns;
    for (size_t i = 0; i < server->listener_count; i++) {
        MHD_UNSIGNED_LONG_LONG timeout_ms;
        if (MHD_get_timeout(server->listeners[i].daemon, &timeout_ms) != MHD_YES) continue;
        const uint64_t timeout_ns = now_ns + timeout_ms * WEFT_NS_PER_MS;
        if (timeout_ns < due_ns) due_ns = timeout_ns;
    }
    return due_ns;
}

static int server_doorbell_fd(void *self)
{
    const struct weft_admin_server *server = self;

    return server->epoll_fd;
}

struct weft_poller weft_admin_server_poller(struct weft_admin_server *server)
{
    return (struct weft_poller){
        .name = "admin",
        .poll = server_poll,
        .due_ns = server_due_ns,
        .doorbell_fd = server_doorbell_fd,
        .self = server,
    };
}

void weft_admin_server_turn(struct weft_admin_server *server, int timeout_ms)
{
    const uint64_t now_ns = weft_clock_now_ns(&server->options.clock);
    const uint64_t due_ns = server_due_ns(server);
    struct epoll_event event;

    if (due_ns <= now_ns) {
        timeout_ms = 0;
    } else if (due_ns != UINT64_MAX) {
        const uint64_t until_ms = (due_ns - now_ns) / WEFT_NS_PER_MS + 1;
        if (until_ms < (uint64_t)timeout_ms) timeout_ms = (int)until_ms;
    }
    epoll_wait(server->epoll_fd, &event, 1, timeout_ms);
    server_poll(server, weft_clock_now_ns(&server->options.clock));
}
