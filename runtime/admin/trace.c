#include "runtime/admin/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/admin/document.h"
#include "runtime/admin/server_internal.h"
#include "runtime/admin/text.h"

#define KEEP_ALIVE_NS (15 * WEFT_NS_PER_S)
#define LINE_BYTES    1024 // More than any event takes.

#define INT(value) ((json_int_t)(value))

static json_t *event_document(const struct weft_admin_trace_event *event)
{
    json_t *json =
        json_pack("{s:I, s:i, s:s, s:o}", "wall_ns", INT(event->wall_ns), "core", (int)event->core,
                  "event", event->event, "pid", weft_json_id(event->pid));
    if (event->peer != 0) json_object_set_new(json, "peer", weft_json_id(event->peer));
    if (event->tag != NULL) {
        json_object_set_new(json, "tag", json_string(event->tag));
        json_object_set_new(json, "type", json_integer(event->type));
    }
    if (event->value_name[0] != '\0')
        json_object_set_new(json, event->value_name, json_integer(INT(event->value)));
    if (event->text != NULL) json_object_set_new(json, "text", weft_json_text(event->text));
    return json;
}

// ---- One actor, as it happens.

struct reader {
    const struct weft_admin_source *source;
    const struct weft_clock *clock;
    void *trace;
    uint64_t left; // Events that are wanted still.
    uint64_t spoke_ns;
    bool greeted, is_over;
};

static size_t put_event(char *bytes, size_t limit, const struct weft_admin_trace_event *event)
{
    json_t *json = event_document(event);
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (text == NULL) return 0;
    const int length = snprintf(bytes, limit, "event: %s\ndata: %s\n\n", event->event, text);
    free(text);
    return length > 0 && (size_t)length < limit ? (size_t)length : 0;
}

static bool is_news(const struct weft_admin_trace_event *event)
{
    return strcmp(event->event, "begin") != 0 && strcmp(event->event, "missed") != 0;
}

static int64_t read_trace(void *self, char *bytes, size_t limit)
{
    struct reader *reader = self;
    const uint64_t now_ns = weft_clock_now_ns(reader->clock);
    size_t used = 0;
    if (reader->is_over) return -1;
    if (!reader->greeted) { // Headers go out with the first bytes.
        reader->greeted = true;
        used = (size_t)snprintf(bytes, limit, ": this is a trace\n\n");
    }
    while (limit - used >= LINE_BYTES && !reader->is_over) {
        struct weft_admin_trace_event event = {0};
        const int result = reader->source->trace_read(reader->source->self, reader->trace, &event);
        if (result == 0) break;
        reader->is_over = result < 0;
        if (result < 0) break;
        used += put_event(bytes + used, limit - used, &event);
        if (is_news(&event) && --reader->left == 0) reader->is_over = true;
    }
    if (used == 0 && reader->is_over) return -1;
    if (used == 0 && now_ns - reader->spoke_ns >= KEEP_ALIVE_NS)
        used = (size_t)snprintf(bytes, limit, ": still here\n\n");
    if (used > 0) reader->spoke_ns = now_ns;
    return (int64_t)used;
}

static void close_trace(void *self)
{
    struct reader *reader = self;
    reader->source->trace_close(reader->source->self, reader->trace);
    free(reader);
}

void weft_admin_handle_actor_trace(struct weft_admin_request *request)
{
    const struct weft_admin_source *source = request->server->options.source;
    struct weft_error error = {0};
    uint64_t count;
    if (source->trace_open == NULL) {
        weft_admin_reply_problem(request, 503, "this node traces no actors");
        return;
    }
    if (!weft_admin_query_u64(request, "count", UINT64_MAX, &count)) return;
    if (count == 0) {
        weft_admin_reply_problem(request, 504, "count is 1 or more");
        return;
    }
    struct reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL) {
        weft_admin_reply_problem(request, 505, "no memory for another reader");
        return;
    }
    *reader =
        (struct reader){.source = source, .clock = &request->server->options.clock, .left = count};
    reader->spoke_ns = weft_clock_now_ns(reader->clock);
    if (source->trace_open(source->self, request->name, &reader->trace, &error) < 0) {
        free(reader);
        weft_admin_reply_error(request, &error);
        return;
    }
    weft_admin_reply_stream(request, "text/event-stream",
                            &(struct weft_admin_stream){read_trace, close_trace, reader});
}

// ---- All cores, as far as they remember.

void weft_admin_handle_flight(struct weft_admin_request *request)
{
    const struct weft_admin_source *source = request->server->options.source;
    const char *actor = weft_admin_query(request, "actor");
    struct weft_error error = {0};
    uint64_t limit;
    if (source->flight == NULL) {
        weft_admin_reply_problem(request, 503, "this node has no flight recorder");
        return;
    }
    if (!weft_admin_query_u64(request, "limit", 1000, &limit)) return;
    if (limit > WEFT_ADMIN_FLIGHT_MAX) limit = WEFT_ADMIN_FLIGHT_MAX;
    struct weft_admin_trace_event *events = calloc(limit + 1, sizeof(*events));
    if (events == NULL) {
        weft_admin_reply_problem(request, 505, "no memory for the list");
        return;
    }
    const int64_t count = source->flight(source->self, actor, events, (uint32_t)limit, &error);
    if (count < 0) {
        weft_admin_reply_error(request, &error);
    } else {
        json_t *items = json_array();
        for (int64_t i = 0; i < count; i++)
            json_array_append_new(items, event_document(&events[i]));
        weft_admin_reply_json(request, 200, weft_document_list(source, items));
    }
    free(events);
}
