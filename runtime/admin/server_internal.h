// server_internal.h: what server.c, call.c, command.c and stream.c share. Control core only.
#ifndef WEFT_ADMIN_SERVER_INTERNAL_H
#define WEFT_ADMIN_SERVER_INTERNAL_H

#include <microhttpd.h>

#include "runtime/admin/guard.h"
#include "runtime/admin/route.h"
#include "runtime/base/list.h"

#define CONNECTIONS_MAX        64
#define COMMANDS_MAX           32
#define CONNECTION_BYTES       (32 * 1024)
#define CONNECTION_TIMEOUT_S   30
#define COMMAND_TIMEOUT_NS     (10 * WEFT_NS_PER_S)
#define COMMAND_TIMEOUT_MAX_MS 60000
#define STREAM_POLL_NS         (50 * WEFT_NS_PER_MS)
#define INTAKE_POLL_NS         (5 * WEFT_NS_PER_MS)

struct listener {
    struct weft_admin_server *server;
    struct MHD_Daemon *daemon;
    int fd;
    uint16_t port;                  // 0: a unix socket.
    const struct weft_owner *owner; // Over TLS, for who bears its token; NULL: in the clear.
    char path[108];                 // Of a socket file to remove; empty for none.
};

struct weft_admin_server {
    struct weft_admin_options options;
    const struct weft_admin_route *tables[2];
    size_t table_count;
    struct listener listeners[WEFT_ADMIN_LISTENERS_MAX];
    size_t listener_count;
    int epoll_fd; // Holds every daemon's own.
    struct weft_guard_peer peer;
    struct weft_list commands; // struct weft_admin_pending that a client waits for.
    size_t command_count;
    struct weft_list streams; // struct stream, suspended or not.
    uint64_t stream_due_ns;
    struct weft_list intakes; // Calls whose body waits to be taken.
    uint64_t intake_due_ns;
    uint64_t request_count, refused_count;
    bool closing;
    bool resumed; // MHD must run once more, and its timeout does not say so.
};

// One request from its first header to its end.
struct weft_admin_call {
    struct weft_admin_request request;
    const struct listener *listener;
    const struct weft_admin_route *route;
    char *body;
    size_t body_length, body_capacity;
    bool too_large;
    struct weft_list intake_link;       // In server->intakes while the connection sleeps.
    bool intake_done;                   // It wants no more.
    bool answered;                      // A response is queued, or a command or stream will.
    struct weft_admin_pending *pending; // NULL, or whom it waits for.
};

// Wakes a suspended connection in the next poll.
void weft_admin_resume(struct weft_admin_server *server, struct MHD_Connection *connection);

// call.c
enum MHD_Result weft_admin_call_step(void *listener, struct MHD_Connection *connection,
                                     const char *path, const char *method, const char *version,
                                     const char *data, size_t *length, void **call);
void weft_admin_call_end(void *listener, struct MHD_Connection *connection, void **call,
                         enum MHD_RequestTerminationCode code);
// Adds the headers that every answer bears, queues it and drops the reference.
void weft_admin_call_queue(struct weft_admin_call *call, unsigned status, const char *media_type,
                           struct MHD_Response *response);

// command.c: a command that somebody waits for.
struct weft_admin_pending {
    struct weft_list link; // In server->commands.
    struct weft_admin_server *server;
    struct weft_admin_call *call; // NULL once the client has its answer or is gone.
    struct weft_admin_command *command;
    bool suspended;
};
// Called when the handler has returned: waits, unless the answer has come within it.
void weft_admin_commands_wait(struct weft_admin_call *call);
void weft_admin_commands_expire(struct weft_admin_server *server, uint64_t now_ns);
uint64_t weft_admin_commands_due_ns(const struct weft_admin_server *server);
void weft_admin_commands_close(struct weft_admin_server *server);
// The client of `call` is gone.
void weft_admin_commands_forget(struct weft_admin_call *call);

// intake.c: bodies that are taken as they come. open: false if it was refused, and answered.
// take: how many bytes were taken; fewer than all if the connection was put to sleep.
bool weft_admin_intake_open(struct weft_admin_call *call);
size_t weft_admin_intake_take(struct weft_admin_call *call, const char *data, size_t length);
void weft_admin_intake_end(struct weft_admin_call *call);
void weft_admin_intakes_wake(struct weft_admin_server *server);

// stream.c
void weft_admin_streams_wake(struct weft_admin_server *server);
void weft_admin_streams_close(struct weft_admin_server *server);

#endif // WEFT_ADMIN_SERVER_INTERNAL_H
