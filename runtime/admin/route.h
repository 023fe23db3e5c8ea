// route.h: one table of what the admin port answers; dispatch, /openapi.json and docs come from it.
//
// A node's table is node_routes.c; another process (the lab) brings its own in weft_admin_options.
// A handler runs on the control core, must not block, and answers in one of four ways: reply now,
// defer (a command that ends later), stream, or not at all, which is our mistake and becomes a 500.
#ifndef WEFT_ADMIN_ROUTE_H
#define WEFT_ADMIN_ROUTE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/admin/server.h"
#include "runtime/admin/source.h"

#define WEFT_ADMIN_BODY_BYTES_MAX (1u << 20) // Where a route does not say.

struct MHD_Connection;
struct weft_admin_server;

struct weft_admin_request {
    struct weft_admin_server *server;
    void *self;         // weft_admin_options.route_self.
    const char *method; // As in the table: HEAD comes as GET.
    const char *path;
    char name[WEFT_ADMIN_NAME_BYTES]; // What {name} matched; checked by weft_admin_name_valid.
    const char *body;                 // Zero-terminated; "" if none.
    size_t body_length;
    bool writer;  // The unix socket, and its peer may write.
    void *intake; // What the route's intake opened; the handler's from its call on.
    struct MHD_Connection *connection;
    struct weft_admin_call *call; // The server's.
};

// A body that is too large to keep: it is handed over as it comes, and the handler runs at its end.
struct weft_admin_intake {
    // The headers are here. 0 and *self, or -1 with `error`, which is the answer.
    int (*open)(struct weft_admin_request *request, void **self, struct weft_error *error);
    // How many of these bytes were taken; 0: none now, ask again in a while; -1: no more are
    // wanted, and the rest is dropped.
    int64_t (*take)(void *self, const char *bytes, size_t length);
    // The client left before the end: the handler does not run.
    void (*abandon)(void *self);
};

struct weft_admin_query {
    const char *name;
    const char *type; // "integer", "boolean", "string".
    const char *help;
};

#define WEFT_ADMIN_QUERIES_MAX 6

struct weft_admin_route {
    const char *method; // "GET", "POST", "DELETE"; NULL ends a table.
    const char *path;   // "/api/v1/units/{name}/eval": at most one {name}.
    const char *id;     // operationId.
    const char *doc;    // One sentence.
    void (*handle)(struct weft_admin_request *request);
    bool privileged;         // Only for a writer. Every method but GET is, whatever this says.
    const char *body;        // JSON schema of the body; NULL for none.
    uint32_t body_bytes_max; // 0: WEFT_ADMIN_BODY_BYTES_MAX.
    const char *body_type;   // Media type of a body without a schema; NULL: it has none.
    const char *response;    // Media type of the answer; NULL: application/json.
    const struct weft_admin_intake *intake; // NULL: the body is kept.
    struct weft_admin_query query[WEFT_ADMIN_QUERIES_MAX];
};

// The value of a query parameter or header; NULL if it was not given ("" for ?verbose).
const char *weft_admin_query(const struct weft_admin_request *request, const char *name);
const char *weft_admin_header(const struct weft_admin_request *request, const char *name);
// A decimal number; `otherwise` if absent. False (and 400 answered) if it is not a number.
bool weft_admin_query_u64(struct weft_admin_request *request, const char *name, uint64_t otherwise,
                          uint64_t *value);

// Answers. Each takes its argument over (`json` is freed, texts are copied).
void weft_admin_reply_json(struct weft_admin_request *request, unsigned status, json_t *json);
void weft_admin_reply_text(struct weft_admin_request *request, unsigned status,
                           const char *media_type, const char *text, size_t length);
void weft_admin_reply_error(struct weft_admin_request *request, const struct weft_error *error);
__attribute__((format(printf, 3, 4))) void
weft_admin_reply_problem(struct weft_admin_request *request, uint16_t code, const char *format,
                         ...);

// A command whose answer comes later: fill it, hand it to whoever does it, return. NULL: answered
// (too many, no memory). `text` of `text_length` bytes is copied into it.
struct weft_admin_command *weft_admin_defer(struct weft_admin_request *request,
                                            enum weft_admin_verb verb, const char *text,
                                            size_t text_length);
// Ends a deferred command with a document of its own (see source.h for the other ways). Frees it.
void weft_admin_complete_json(struct weft_admin_command *command, unsigned status, json_t *json);

// An answer without an end. `read` gives bytes, 0 for none yet, -1 for the end; it is asked again
// at most every 50 ms. `close` always comes, once. `self` is freed by close.
struct weft_admin_stream {
    int64_t (*read)(void *self, char *bytes, size_t limit);
    void (*close)(void *self);
    void *self;
};
void weft_admin_reply_stream(struct weft_admin_request *request, const char *media_type,
                             const struct weft_admin_stream *stream);

// The lab's and the node's common end points, for a table of one's own: /openapi.json, /api.
void weft_admin_handle_openapi(struct weft_admin_request *request);

// The route for `method` and `path`; fills `name`. NULL: *allow is then the methods that the path
// does have ("GET, POST"), empty if there is no such path.
const struct weft_admin_route *weft_admin_route_find(const struct weft_admin_route *const *tables,
                                                     size_t table_count, const char *method,
                                                     const char *path,
                                                     char name[WEFT_ADMIN_NAME_BYTES],
                                                     char allow[32]);

// The OpenAPI 3.1 document of the tables.
json_t *weft_admin_openapi(const struct weft_admin_route *const *tables, size_t table_count);

// The node's table.
extern const struct weft_admin_route weft_admin_node_routes[];

#endif // WEFT_ADMIN_ROUTE_H
