// One HTTP request: refusals first, then its body within bounds, then its route.
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "runtime/admin/owner.h"
#include "runtime/admin/server_internal.h"
#include "runtime/admin/text.h"

const char *weft_admin_query(const struct weft_admin_request *request, const char *name)
{
    const char *value = NULL;

    if (MHD_lookup_connection_value_n(request->connection, MHD_GET_ARGUMENT_KIND, name,
                                      strlen(name), &value, NULL) != MHD_YES) {
        return NULL;
    }
    return value != NULL ? value : "";
}

const char *weft_admin_header(const struct weft_admin_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

bool weft_admin_query_u64(struct weft_admin_request *request, const char *name, uint64_t otherwise,
                          uint64_t *value)
{
    const char *text = weft_admin_query(request, name);
    char *end;

    *value = otherwise;
    if (text == NULL) return true;
    errno = 0;
    *value = strtoull(text, &end, 10);
    if (errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0') return true;
    weft_admin_reply_problem(request, 504, "query parameter %s: \"%.40s\" is not a number", name,
                             text);
    return false;
}

void weft_admin_call_queue(struct weft_admin_call *call, unsigned status, const char *media_type,
                           struct MHD_Response *response)
{
    static const char *const headers[][2] = {
        {"Cache-Control", "no-store"},
        {"X-Content-Type-Options", "nosniff"},
        {"Content-Security-Policy",
         "default-src 'none'; style-src 'self'; frame-ancestors 'none'; form-action 'none'; "
         "base-uri 'none'"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
    };

    call->answered = true;
    if (response == NULL) return; // No memory: MHD closes the connection.
    if (status >= 400) call->listener->server->refused_count++;
    MHD_add_response_header(response, "Content-Type", media_type);
    for (size_t i = 0; i < WEFT_COUNT_OF(headers); i++) {
        MHD_add_response_header(response, headers[i][0], headers[i][1]);
    }
    MHD_queue_response(call->request.connection, status, response);
    MHD_destroy_response(response);
}

void weft_admin_reply_text(struct weft_admin_request *request, unsigned status,
                           const char *media_type, const char *text, size_t length)
{
    weft_admin_call_queue(
        request->call, status, media_type,
        MHD_create_response_from_buffer(length, (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY));
}

static void reply_document(struct weft_admin_call *call, unsigned status, const char *media_type,
                           json_t *json)
{
    char *text = json != NULL ? json_dumps(json, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;

    json_decref(json);
    if (text == NULL) {
        static char none[] = "{\"title\":\"internal error\",\"status\":500,\"code\":\"W0505\"}";
        weft_admin_call_queue(
            call, 500, "application/problem+json",
            MHD_create_response_from_buffer(sizeof(none) - 1, none, MHD_RESPMEM_PERSISTENT));
        return;
    }
    weft_admin_call_queue(
        call, status, media_type,
        MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE));
}

void weft_admin_reply_json(struct weft_admin_request *request, unsigned status, json_t *json)
{
    reply_document(request->call, status,
                   status >= 400 ? "application/problem+json" : "application/json", json);
}

void weft_admin_reply_error(struct weft_admin_request *request, const struct weft_error *error)
{
    const unsigned status = weft_http_status(error->code);

    weft_admin_reply_json(request, status, weft_json_problem(status, error));
}

static void reply_refusal(struct weft_admin_call *call, unsigned status, uint16_t code,
                          const char *text, const char *hint)
{
    struct weft_error error;

    weft_error_set(&error, code, "%s", text);
    if (hint != NULL) weft_error_hint(&error, "%s", hint);
    weft_admin_reply_json(&call->request, status, weft_json_problem(status, &error));
}

void weft_admin_reply_problem(struct weft_admin_request *request, uint16_t code, const char *format,
                              ...)
{
    struct weft_error error;
    char text[sizeof(error.text)];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    weft_error_set(&error, code, "%s", text);
    weft_admin_reply_error(request, &error);
}

static bool peer_may_write(const struct listener *listener, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct weft_guard_peer peer = listener->server->peer;
    struct ucred ucred;
    socklen_t length = sizeof(ucred);

    if (listener->port != 0 || info == NULL) return false;
    if (getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &ucred, &length) < 0) return false;
    peer.uid = ucred.uid;
    return weft_guard_write(&peer);
}

static void *tls_session(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);

    return info != NULL ? info->tls_session : NULL;
}

// Not from loopback, or from nobody that we know. True if it was refused.
static bool refused_by_origin(struct weft_admin_call *call)
{
    const struct weft_admin_request *request = &call->request;
    const struct listener *listener = call->listener;

    if (listener->port == 0) return false;
    if (listener->owner != NULL) {
        // The token is more than any page of elsewhere has. A key is shown for whatever page a
        // browser opens, so with a key alone no page may ask.
        if (weft_owner_admits(listener->owner, weft_admin_header(request, "Authorization")))
            return false;
        if (weft_owner_knows(listener->owner, tls_session(request->connection)) &&
            weft_admin_header(request, "Origin") == NULL)
            return false;
        reply_refusal(call, 401, 502, "this needs the owner's token, or key",
                      "weft sends WEFT_TOKEN, or shows WEFT_KEY; others send Authorization: Bearer "
                      "TOKEN");
        return true;
    }
    if (!weft_guard_host(weft_admin_header(request, "Host"), listener->port)) {
        reply_refusal(call, 403, 502, "the Host header does not name this machine's loopback",
                      "use http://127.0.0.1:PORT/ or http://localhost:PORT/");
        return true;
    }
    if (!weft_guard_origin(weft_admin_header(request, "Origin"), listener->port)) {
        reply_refusal(call, 403, 502, "a page from elsewhere asked for this", NULL);
        return true;
    }
    return false;
}

// Everything that can be refused from the headers alone. True if it was.
static bool refused(struct weft_admin_call *call, const char *method)
{
    const struct weft_admin_request *request = &call->request;
    const struct listener *listener = call->listener;
    const char *unavailable = listener->server->options.unavailable;

    if (refused_by_origin(call)) return true;
    if (unavailable != NULL) {
        reply_refusal(call, 503, 501, unavailable, NULL);
        return true;
    }
    char allow[32];
    call->route = weft_admin_route_find(listener->server->tables, listener->server->table_count,
                                        method, request->path, call->request.name, allow);
    if (call->route == NULL && allow[0] == '\0') {
        char text[128];
        snprintf(text, sizeof(text), "there is no %.80s here", request->path);
        reply_refusal(call, 404, 503, text, "GET /openapi.json lists every path");
        return true;
    }
    if (call->route == NULL) {
        char text[128];
        snprintf(text, sizeof(text), "%.60s takes %s", request->path, allow);
        reply_refusal(call, 405, 504, text, NULL);
        return true;
    }
    if ((call->route->privileged || strcmp(method, "GET") != 0) && !request->writer) {
        if (listener->port != 0) {
            reply_refusal(call, 403, 502, "this needs the node's unix socket: TCP only reads",
                          "use weft, or curl --unix-socket");
        } else {
            reply_refusal(call, 403, 502, "only the node's own user or root may do this", NULL);
        }
        return true;
    }
    return false;
}

static size_t body_bytes_max(const struct weft_admin_call *call)
{
    const uint32_t own = call->route != NULL ? call->route->body_bytes_max : 0;
    return own != 0 ? own : WEFT_ADMIN_BODY_BYTES_MAX;
}

static bool body_add(struct weft_admin_call *call, const char *data, size_t length)
{
    if (length > body_bytes_max(call) - call->body_length) return false;
    const size_t wanted = call->body_length + length + 1;
    if (wanted > call->body_capacity) {
        const size_t capacity = wanted * 2 < 4096 ? 4096 : wanted * 2;
        char *body = realloc(call->body, capacity);
        if (body == NULL) return false;
        call->body = body;
        call->body_capacity = capacity;
    }
    memcpy(call->body + call->body_length, data, length);
    call->body_length += length;
    call->body[call->body_length] = '\0';
    return true;
}

static void reply_too_large(struct weft_admin_call *call)
{
    char text[64];
    snprintf(text, sizeof(text), "the body is larger than %zu MiB", body_bytes_max(call) >> 20);
    reply_refusal(call, 413, 504, text, NULL);
}

static bool announced_too_large(const struct weft_admin_call *call)
{
    const char *length = weft_admin_header(&call->request, "Content-Length");

    return length != NULL && strtoull(length, NULL, 10) > body_bytes_max(call);
}

static struct weft_admin_call *call_create(const struct listener *listener,
                                           struct MHD_Connection *connection, const char *path,
                                           const char *method)
{
    struct weft_admin_call *call = calloc(1, sizeof(*call));

    if (call == NULL) return NULL;
    call->listener = listener;
    call->request = (struct weft_admin_request){
        .server = listener->server,
        .self = listener->server->options.route_self,
        .method = strcmp(method, "HEAD") == 0 ? "GET" : method,
        .path = path,
        .body = "",
        .connection = connection,
        .call = call,
    };
    // Whoever comes further than refused_by_origin over TLS bears the owner's token.
    call->request.writer = listener->owner != NULL || peer_may_write(listener, connection);
    listener->server->request_count++;
    return call;
}

static void run(struct weft_admin_call *call)
{
    if (call->body != NULL) call->request.body = call->body;
    call->request.body_length = call->body_length;
    call->route->handle(&call->request);
    call->request.intake = NULL; // The handler's now.
    if (call->pending != NULL) weft_admin_commands_wait(call);
    if (!call->answered) reply_refusal(call, 500, 505, "the handler gave no answer", NULL);
}

enum MHD_Result weft_admin_call_step(void *self, struct MHD_Connection *connection,
                                     const char *path, const char *method, const char *version,
                                     const char *data, size_t *length, void **state)
{
    const struct listener *listener = self;
    struct weft_admin_call *call = *state;
    (void)version;

    if (call == NULL) { // The headers are here, the body is not.
        call = call_create(listener, connection, path, method);
        if (call == NULL) return MHD_NO;
        *state = call;
        if (refused(call, call->request.method)) return MHD_YES;
        if (call->route->intake != NULL) {
            weft_admin_intake_open(call);
        } else if (announced_too_large(call)) {
            reply_too_large(call);
        }
        return MHD_YES;
    }
    call->request.path = path;
    if (*length > 0 && call->request.intake != NULL) {
        *length -= weft_admin_intake_take(call, data, *length);
        return MHD_YES;
    }
    if (*length > 0) { // A part of the body: no answer may be given now.
        if (!call->answered && !call->too_large) call->too_large = !body_add(call, data, *length);
        *length = 0;
        return MHD_YES;
    }
    if (call->answered) return MHD_YES; // A command that still waits, resumed for another reason.
    if (call->too_large) {
        reply_too_large(call);
    } else {
        run(call);
    }
    return MHD_YES;
}

void weft_admin_call_end(void *listener, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct weft_admin_call *call = *state;
    (void)listener, (void)connection, (void)code;

    if (call == NULL) return;
    weft_admin_commands_forget(call);
    weft_admin_intake_end(call);
    free(call->body);
    free(call);
    *state = NULL;
}
