// What a node answers: the table, and the few lines that each entry needs.
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/admin/actor_routes.h"
#include "runtime/admin/body.h"
#include "runtime/admin/document.h"
#include "runtime/admin/feed.h"
#include "runtime/admin/metrics.h"
#include "runtime/admin/page.h"
#include "runtime/admin/server_internal.h"
#include "runtime/admin/text.h"

#define STALL_NS (5 * WEFT_NS_PER_S)

static const struct weft_admin_source *source_of(const struct weft_admin_request *request)
{
    return request->server->options.source;
}

static void reply_lines(struct weft_admin_request *request, unsigned status, const char *text)
{
    weft_admin_reply_text(request, status, "text/plain; charset=utf-8", text, strlen(text));
}

// Never depends on peers: only on whether every core's loop goes round.
static void livez(struct weft_admin_request *request)
{
    const struct weft_admin_source *source = source_of(request);

    for (uint32_t i = 0; source->core != NULL; i++) {
        struct weft_admin_core core = {0};
        if (!source->core(source->self, i, &core)) break;
        if (core.turn_age_ns <= STALL_NS) continue;
        char text[96];
        snprintf(text, sizeof(text), "core %u has not turned for %.1f s\n", (unsigned)core.index,
                 (double)core.turn_age_ns / 1e9);
        reply_lines(request, 503, text);
        return;
    }
    reply_lines(request, 200, "ok\n");
}

static void readyz_verbose(struct weft_admin_request *request, json_t *document)
{
    const json_t *items = json_object_get(document, "items");
    const bool ready = json_is_true(json_object_get(document, "ready"));
    char text[4096];
    size_t used = 0, i;
    json_t *item;

    json_array_foreach(items, i, item)
    {
        const bool ok = json_is_true(json_object_get(item, "ok"));
        const char *reason = json_string_value(json_object_get(item, "reason"));
        if (used > sizeof(text) - 300) break;
        used += (size_t)snprintf(text + used, sizeof(text) - used, "[%c] %s %s%s%s\n",
                                 ok ? '+' : '-', json_string_value(json_object_get(item, "name")),
                                 ok ? "ok" : "not ready", reason[0] != '\0' ? ": " : "", reason);
    }
    snprintf(text + used, sizeof(text) - used, "%s\n", ready ? "ready" : "not ready");
    json_decref(document);
    reply_lines(request, ready ? 200 : 503, text);
}

static void readyz(struct weft_admin_request *request)
{
    const char *accept = weft_admin_header(request, "Accept");
    json_t *document = weft_document_ready(source_of(request));
    const bool ready = json_is_true(json_object_get(document, "ready"));

    if (accept != NULL && strstr(accept, "application/json") != NULL) {
        char *text = json_dumps(document, JSON_COMPACT);
        json_decref(document);
        weft_admin_reply_text(request, ready ? 200 : 503, "application/json",
                              text != NULL ? text : "{}", text != NULL ? strlen(text) : 2);
        free(text);
    } else if (weft_admin_query(request, "verbose") != NULL) {
        readyz_verbose(request, document);
    } else {
        json_decref(document);
        reply_lines(request, ready ? 200 : 503, ready ? "ready\n" : "not ready\n");
    }
}

static void reply_owned(struct weft_admin_request *request, const char *media_type, char *text,
                        size_t length)
{
    if (text == NULL) {
        weft_admin_reply_problem(request, 505, "no memory for the answer");
        return;
    }
    weft_admin_call_queue(request->call, 200, media_type,
                          MHD_create_response_from_buffer(length, text, MHD_RESPMEM_MUST_FREE));
}

static void metrics(struct weft_admin_request *request)
{
    const char *accept = weft_admin_header(request, "Accept");
    const bool open = accept != NULL && strstr(accept, "application/openmetrics-text") != NULL;
    size_t length;
    char *text =
        weft_metrics_print(source_of(request), request->server->request_count, open, &length);

    reply_owned(request,
                open ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                     : "text/plain; version=0.0.4; charset=utf-8",
                text, length);
}

static void page(struct weft_admin_request *request)
{
    size_t length;
    char *text = weft_page_print(source_of(request), &length);

    reply_owned(request, "text/html; charset=utf-8", text, length);
}

static void style(struct weft_admin_request *request)
{
    weft_admin_reply_text(request, 200, "text/css", weft_page_style, strlen(weft_page_style));
}

static void api(struct weft_admin_request *request)
{
    weft_admin_reply_json(request, 200,
                          json_pack("{s:[s], s:s, s:s, s:[s, s, s, s]}", "versions", "v1", "weft",
                                    WEFT_VERSION, "openapi", "/openapi.json", "features", "events",
                                    "logs", "pcap", "units"));
}

void weft_admin_handle_openapi(struct weft_admin_request *request)
{
    const struct weft_admin_server *server = request->server;

    weft_admin_reply_json(request, 200, weft_admin_openapi(server->tables, server->table_count));
}

#define DOCUMENT(function)                                                                         \
    static void function(struct weft_admin_request *request)                                       \
    {                                                                                              \
        weft_admin_reply_json(request, 200, weft_document_##function(source_of(request)));         \
    }
DOCUMENT(node)
DOCUMENT(cores)
DOCUMENT(ports)
DOCUMENT(drops)
DOCUMENT(mesh)
DOCUMENT(swarm)
DOCUMENT(units)
DOCUMENT(faults)

static void events(struct weft_admin_request *request)
{
    if (source_of(request)->events == NULL) {
        weft_admin_reply_problem(request, 503, "this node keeps no events");
    } else {
        weft_feed_events(request, source_of(request)->events);
    }
}

static void logs(struct weft_admin_request *request)
{
    if (source_of(request)->logs == NULL) {
        weft_admin_reply_problem(request, 503, "this node keeps no log");
    } else {
        weft_feed_logs(request, source_of(request)->logs);
    }
}

// A capture under way, owned by its stream.
struct capture {
    const struct weft_admin_source *source;
    void *capture;
};

static int64_t capture_read(void *self, char *bytes, size_t limit)
{
    struct capture *capture = self;
    const int64_t count = capture->source->capture_read(capture->source->self, capture->capture,
                                                        (uint8_t *)bytes, limit);
    return count < 0 ? -1 : count;
}

static void capture_close(void *self)
{
    struct capture *capture = self;

    capture->source->capture_close(capture->source->self, capture->capture);
    free(capture);
}

static void pcap(struct weft_admin_request *request)
{
    const struct weft_admin_source *source = source_of(request);
    const char *port = weft_admin_query(request, "port");
    struct weft_admin_capture options = {0};
    struct weft_error error = {0};
    uint64_t snap;

    if (source->capture_open == NULL) {
        weft_admin_reply_problem(request, 503, "this node cannot capture");
        return;
    }
    if (!weft_admin_query_u64(request, "snap_bytes", 0, &snap)) return;
    if (!weft_admin_query_u64(request, "packets", 0, &options.packet_max)) return;
    options.snap_bytes = snap > UINT32_MAX ? UINT32_MAX : (uint32_t)snap;
    if (port != NULL) snprintf(options.port, sizeof(options.port), "%s", port);
    struct capture *capture = malloc(sizeof(*capture));
    if (capture == NULL) {
        weft_admin_reply_problem(request, 505, "no memory for a capture");
        return;
    }
    capture->source = source;
    if (source->capture_open(source->self, &options, &capture->capture, &error) < 0) {
        free(capture);
        weft_admin_reply_error(request, &error);
        return;
    }
    weft_admin_reply_stream(request, "application/vnd.tcpdump.pcap",
                            &(struct weft_admin_stream){capture_read, capture_close, capture});
}

void weft_admin_submit(struct weft_admin_request *request, struct weft_admin_command *command)
{
    const struct weft_admin_source *source = source_of(request);
    struct weft_error error = {0};

    if (source->submit == NULL) {
        weft_error_set(&error, 501, "this node takes no commands");
        weft_admin_fail(command, &error);
    } else if (source->submit(source->self, command, &error) < 0) {
        weft_admin_fail(command, &error);
    }
}

static void unit_load(struct weft_admin_request *request)
{
    struct weft_body_unit unit;
    struct weft_error error = {0};

    if (weft_body_load(request->body, request->body_length, &unit, &error) < 0) {
        weft_admin_reply_error(request, &error);
        return;
    }
    struct weft_admin_command *command =
        weft_admin_defer(request, WEFT_ADMIN_UNIT_LOAD, unit.text, unit.text_length);
    if (command != NULL) {
        snprintf(command->unit, sizeof(command->unit), "%s", unit.name);
        snprintf(command->file, sizeof(command->file), "%s",
                 unit.file[0] != '\0' ? unit.file : unit.name);
        snprintf(command->recovery, sizeof(command->recovery), "%s", unit.recovery);
        snprintf(command->quota, sizeof(command->quota), "%s", unit.quota);
        weft_admin_submit(request, command);
    }
    weft_body_unit_destroy(&unit);
}

static void unit_eval(struct weft_admin_request *request)
{
    struct weft_body_unit unit;
    struct weft_error error = {0};

    if (weft_body_eval(request->body, request->body_length, &unit, &error) < 0) {
        weft_admin_reply_error(request, &error);
        return;
    }
    struct weft_admin_command *command =
        weft_admin_defer(request, WEFT_ADMIN_UNIT_EVAL, unit.text, unit.text_length);
    if (command != NULL) {
        snprintf(command->file, sizeof(command->file), unit.interactive ? "repl" : "eval");
        command->interactive = unit.interactive;
        weft_admin_submit(request, command);
    }
    weft_body_unit_destroy(&unit);
}

static void unit_input(struct weft_admin_request *request)
{
    struct weft_body_unit unit;
    struct weft_error error = {0};

    if (weft_body_input(request->body, request->body_length, &unit, &error) < 0) {
        weft_admin_reply_error(request, &error);
        return;
    }
    struct weft_admin_command *command =
        weft_admin_defer(request, WEFT_ADMIN_UNIT_INPUT, unit.text, unit.text_length);
    if (command != NULL) {
        command->ends_input = unit.ends_input;
        weft_admin_submit(request, command);
    }
    weft_body_unit_destroy(&unit);
}

static void unit_end(struct weft_admin_request *request, enum weft_admin_verb verb)
{
    struct weft_admin_command *command = weft_admin_defer(request, verb, "", 0);

    if (command != NULL) weft_admin_submit(request, command);
}

static void unit_kill(struct weft_admin_request *request)
{
    unit_end(request, WEFT_ADMIN_UNIT_KILL);
}

static void unit_unload(struct weft_admin_request *request)
{
    unit_end(request, WEFT_ADMIN_UNIT_UNLOAD);
}

static void unit_save(struct weft_admin_request *request)
{
    unit_end(request, WEFT_ADMIN_UNIT_SAVE);
}

static bool is_recovery(const char *text)
{
    return text == NULL || strcmp(text, "none") == 0 || strcmp(text, "journal") == 0;
}

static void unit_restore(struct weft_admin_request *request)
{
    const char *recovery = weft_admin_query(request, "recovery");
    const char *file = weft_admin_query(request, "file");

    if (!is_recovery(recovery)) {
        weft_admin_reply_problem(request, 504, "recovery is none or journal");
        return;
    }
    if (strlen(request->name) > 31) {
        weft_admin_reply_problem(request, 504, "a unit's name has at most 31 letters");
        return;
    }
    struct weft_admin_command *command =
        weft_admin_defer(request, WEFT_ADMIN_UNIT_RESTORE, request->body, request->body_length);
    if (command == NULL) return;
    snprintf(command->file, sizeof(command->file), "%s", file != NULL ? file : "saved");
    snprintf(command->recovery, sizeof(command->recovery), "%s", recovery != NULL ? recovery : "");
    for (char *at = command->file; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f) *at = '?';
    }
    weft_admin_submit(request, command);
}

static void snapshot_save(struct weft_admin_request *request)
{
    unit_end(request, WEFT_ADMIN_SNAPSHOT_SAVE);
}

static void snapshot_restore(struct weft_admin_request *request)
{
    const char *replace = weft_admin_query(request, "replace");
    struct weft_admin_command *command =
        weft_admin_defer(request, WEFT_ADMIN_SNAPSHOT_RESTORE, request->body, request->body_length);

    if (command == NULL) return;
    command->replaces =
        replace != NULL && strcmp(replace, "0") != 0 && strcmp(replace, "false") != 0;
    weft_admin_submit(request, command);
}

static void fault_set(struct weft_admin_request *request)
{
    struct weft_admin_fault fault;
    struct weft_error error = {0};

    if (weft_body_fault(request->body, request->body_length, &fault, &error) < 0) {
        weft_admin_reply_error(request, &error);
        return;
    }
    struct weft_admin_command *command = weft_admin_defer(request, WEFT_ADMIN_FAULT_SET, "", 0);
    if (command == NULL) return;
    command->fault = fault;
    weft_admin_submit(request, command);
}

// clang-format off
static const char body_load[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"name\",\"source\"],"
    "\"properties\":{\"name\":{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9._-]{1,63}$\"},"
    "\"source\":{\"type\":\"string\"},\"file\":{\"type\":\"string\"},"
    "\"quota\":{\"type\":\"string\"},"
    "\"recovery\":{\"enum\":[\"none\",\"journal\",\"swarm\"]}}}";
static const char body_eval[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"text\"],"
    "\"properties\":{\"text\":{\"type\":\"string\"},\"interactive\":{\"type\":\"boolean\"}}}";
static const char body_input[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"text\"],"
    "\"properties\":{\"text\":{\"type\":\"string\"},\"end\":{\"type\":\"boolean\"}}}";
#define RATIO "{\"type\":\"number\",\"minimum\":0,\"maximum\":1}"
#define COUNT "{\"type\":\"integer\",\"minimum\":0}"
static const char body_fault[] =
    "{\"type\":\"object\",\"additionalProperties\":false,"
    "\"properties\":{\"port\":{\"type\":\"string\"},\"loss_ratio\":" RATIO ","
    "\"duplicate_ratio\":" RATIO ",\"reorder_ratio\":" RATIO ",\"corrupt_ratio\":" RATIO ","
    "\"delay_ns\":" COUNT ",\"jitter_ns\":" COUNT ",\"seed\":" COUNT ","
    "\"partition\":{\"type\":\"boolean\"}}}";
// clang-format on

#define OCTETS "application/octet-stream"
#define TIMEOUT                                                                                    \
    {                                                                                              \
        "timeout_ms", "integer", "answer 504 after so long; 10 s if absent, 60 s at most"          \
    }
#define FOLLOW                                                                                     \
    {                                                                                              \
        "follow", "boolean", "stay and send what comes (server-sent events)"                       \
    }

const struct weft_admin_route weft_admin_node_routes[] = {
    {"GET", "/", "status_page", "A status page for people.", page, .response = "text/html"},
    {"GET", "/weft.css", "status_style", "The status page's style.", style, .response = "text/css"},
    {"GET", "/livez", "livez", "200 while every core's loop goes round.", livez,
     .response = "text/plain"},
    {"GET", "/readyz", "readyz", "200 when ports are up, the mesh is joined and units are back.",
     readyz, .response = "text/plain",
     .query = {{"verbose", "boolean", "one line for each check"}}},
    {"GET", "/healthz", "healthz", "The same as /readyz.", readyz, .response = "text/plain",
     .query = {{"verbose", "boolean", "one line for each check"}}},
    {"GET", "/metrics", "metrics", "Metrics as OpenMetrics or Prometheus text.", metrics,
     .response = "text/plain"},
    {"GET", "/openapi.json", "openapi", "This description.", weft_admin_handle_openapi},
    {"GET", "/api", "api", "Versions and features.", api},
    {"GET", "/api/v1/node", "node", "What this node is.", node},
    {"GET", "/api/v1/cores", "cores", "Its cores: time, slices, memory.", cores},
    {"GET", "/api/v1/cores/trace", "flight",
     "What its cores did last: actors that started, ended, moved, waited, crashed.",
     weft_admin_handle_flight,
     .query = {{"limit", "integer", "the last so many; 1000 if absent, 10000 at most"},
               {"actor", "string", "of these only what this actor had a part in, by name or pid"}}},
    {"GET", "/api/v1/ports", "ports", "Its ports: device, link, addresses, counters.", ports},
    {"GET", "/api/v1/drops", "drops", "What did not arrive, by stage and reason; the balance.",
     drops},
    {"GET", "/api/v1/mesh", "mesh", "The peers that it knows.", mesh},
    {"GET", "/api/v1/swarm", "swarm", "The swarm as this node sees it, itself first.", swarm},
    {"GET", "/api/v1/units", "units", "Its units.", units},
    {"POST", "/api/v1/units", "unit_load", "Loads a unit from source.", unit_load,
     .body = body_load, .query = {TIMEOUT}},
    {"POST", "/api/v1/units/{name}/eval", "unit_eval", "Evaluates a text in a unit.", unit_eval,
     .body = body_eval, .query = {TIMEOUT}},
    {"POST", "/api/v1/units/{name}/input", "unit_input",
     "Gives a unit what a user has typed, for KEY and ACCEPT.", unit_input, .body = body_input,
     .query = {TIMEOUT}},
    {"POST", "/api/v1/units/{name}/kill", "unit_kill",
     "Ends a unit; its recovery policy decides what follows.", unit_kill, .query = {TIMEOUT}},
    {"GET", "/api/v1/units/{name}/image", "unit_save",
     "The whole state of a unit, as bytes (docs/wire/unit-image.md).", unit_save,
     .privileged = true, .response = OCTETS, .query = {TIMEOUT}},
    {"POST", "/api/v1/units/{name}/image", "unit_restore", "Makes a unit of such a state.",
     unit_restore, .body_type = OCTETS, .body_bytes_max = 2u << 20,
     .query = {{"recovery", "string", "none or journal; journal if absent"},
               {"file", "string", "where it came from, for people"},
               TIMEOUT}},
    {"GET", "/api/v1/snapshot", "snapshot_save",
     "All units, channels and mailboxes at one instant, as bytes (docs/wire/snapshot.md).",
     snapshot_save, .privileged = true, .response = OCTETS, .query = {TIMEOUT}},
    {"POST", "/api/v1/snapshot", "snapshot_restore", "Makes the units of a snapshot, or none.",
     snapshot_restore, .body_type = OCTETS, .body_bytes_max = 64u << 20,
     .query = {{"replace", "boolean", "units of the same names are unloaded first"}, TIMEOUT}},
    {"DELETE", "/api/v1/units/{name}", "unit_unload", "Removes a unit for good.", unit_unload,
     .query = {TIMEOUT}},
    {"GET", "/api/v1/actors", "actors", "Its actors, the first by one measure.",
     weft_admin_handle_actors,
     .query = {{"sort", "string", "mailbox, memory, reductions (the largest first) or pid"},
               {"like", "string", "only those whose name, label or kind holds this"},
               {"limit", "integer", "at most so many; 1000 if absent, 10000 at most"},
               {"all", "boolean", "the node's own as well"},
               TIMEOUT}},
    {"POST", "/api/v1/actors", "actor_load", "Loads a module and starts it under a name.",
     weft_admin_handle_actor_load, .body = weft_admin_body_module, .query = {TIMEOUT}},
    {"GET", "/api/v1/actors/{name}", "actor",
     "One actor, by its name or pid: links, timers, mailbox, stack.", weft_admin_handle_actor,
     .query = {TIMEOUT}},
    {"GET", "/api/v1/actors/{name}/trace", "actor_trace",
     "What an actor does, its messages too, as it happens (server-sent events).",
     weft_admin_handle_actor_trace, .privileged = true, .response = "text/event-stream",
     .query = {{"count", "integer", "end after so many events"}}},
    {"POST", "/api/v1/actors/{name}/kill", "actor_kill", "Ends an actor, whatever it traps.",
     weft_admin_handle_actor_kill, .query = {TIMEOUT}},
    {"POST", "/api/v1/actors/{name}/send", "actor_send",
     "Sends a message; with \"call\" waits for the reply.", weft_admin_handle_actor_send,
     .body = weft_admin_body_message, .query = {TIMEOUT}},
    {"GET", "/api/v1/events", "events", "What happened, from a number on.", events,
     .query = {{"since", "integer", "only what came after this number"}, FOLLOW}},
    {"GET", "/api/v1/logs", "logs", "The last log lines.", logs,
     .query = {{"since", "integer", "only what came after this number"},
               {"tail", "integer", "the last so many lines"},
               {"actor", "string", "of these only what this actor said, by name or pid"},
               FOLLOW}},
    {"GET", "/api/v1/pcap", "pcap", "A capture in pcapng, until the client leaves.", pcap,
     .privileged = true, .response = "application/vnd.tcpdump.pcap",
     .query = {{"port", "string", "only this port"},
               {"snap_bytes", "integer", "of each packet at most"},
               {"packets", "integer", "end after so many"}}},
    {"GET", "/api/v1/fault", "faults", "The fault layer's settings.", faults},
    {"POST", "/api/v1/fault", "fault_set", "Sets the fault layer; {} ends all faults.", fault_set,
     .body = body_fault, .query = {TIMEOUT}},
    {.method = NULL},
};
