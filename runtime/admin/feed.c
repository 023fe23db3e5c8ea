#include "runtime/admin/feed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/admin/document.h"
#include "runtime/admin/server_internal.h"

#define KEEP_ALIVE_NS (15 * WEFT_NS_PER_S)
#define LINE_BYTES    4096

// One reader that follows. Exactly one of the two rings is set.
struct feed {
    const struct weft_admin_events *events;
    const struct weft_admin_logs *logs;
    char actor[64]; // Of a log: only what this actor said, by name or pid. "": all.
    uint64_t since;
    const struct weft_clock *clock;
    uint64_t spoke_ns;
    bool greeted;
};

static bool is_of(const struct weft_log_record *record, const char *actor)
{
    char pid[17];
    if (record->pid == 0) return false;
    snprintf(pid, sizeof(pid), "%016" PRIx64, record->pid);
    return strcmp(pid, actor) == 0 || (strlen(actor) == record->name_length &&
                                       memcmp(actor, record->text, record->name_length) == 0);
}

// The next item after `since` as JSON, and its number; NULL if there is none.
static json_t *feed_next(const struct feed *feed, uint64_t *id, const char **type)
{
    if (feed->events != NULL) {
        const struct weft_admin_event *event = weft_admin_events_after(feed->events, feed->since);
        if (event == NULL) return NULL;
        *id = event->id;
        *type = event->type;
        return weft_document_event(event);
    }
    const struct weft_admin_log *log = weft_admin_logs_after(feed->logs, feed->since);
    while (log != NULL && feed->actor[0] != '\0' && !is_of(&log->record, feed->actor))
        log = weft_admin_logs_after(feed->logs, log->id);
    if (log == NULL) return NULL;
    *id = log->id;
    *type = "log";
    return weft_document_log(log);
}

static int64_t feed_read(void *self, char *bytes, size_t limit)
{
    struct feed *feed = self;
    const uint64_t now_ns = weft_clock_now_ns(feed->clock);
    size_t used = 0;

    if (!feed->greeted) { // Headers go out with the first bytes: say at once that we are here.
        feed->greeted = true;
        used = (size_t)snprintf(bytes, limit, "retry: 1000\n\n");
    }
    while (limit - used >= LINE_BYTES) {
        const char *type;
        uint64_t id;
        json_t *json = feed_next(feed, &id, &type);
        if (json == NULL) break;
        char *text = json_dumps(json, JSON_COMPACT);
        json_decref(json);
        feed->since = id;
        if (text == NULL) continue;
        const int wrote = snprintf(bytes + used, limit - used,
                                   "id: %" PRIu64 "\nevent: %s\ndata: %s\n\n", id, type, text);
        free(text);
        if (wrote > 0 && (size_t)wrote < limit - used) used += (size_t)wrote;
    }
    if (used == 0 && now_ns - feed->spoke_ns >= KEEP_ALIVE_NS) {
        used = (size_t)snprintf(bytes, limit, ": still here\n\n");
    }
    if (used > 0) feed->spoke_ns = now_ns;
    return (int64_t)used;
}

static bool wants_stream(const struct weft_admin_request *request)
{
    const char *accept = weft_admin_header(request, "Accept");
    const char *follow = weft_admin_query(request, "follow");

    if (follow != NULL) return strcmp(follow, "0") != 0 && strcmp(follow, "false") != 0;
    return accept != NULL && strstr(accept, "text/event-stream") != NULL;
}

static void feed_list(struct weft_admin_request *request, struct feed *feed)
{
    const struct weft_admin_source *source = request->server->options.source;
    struct weft_admin_node node = {0};
    json_t *items = json_array(), *json;
    const char *type;
    uint64_t id;

    while ((json = feed_next(feed, &id, &type)) != NULL) {
        json_array_append_new(items, json);
        feed->since = id;
    }
    if (source->node != NULL) source->node(source->self, &node);
    weft_admin_reply_json(request, 200,
                          json_pack("{s:s, s:s, s:o, s:I}", "apiVersion", "v1", "node", node.name,
                                    "items", items, "next", (json_int_t)feed->since));
}

static void feed_reply(struct weft_admin_request *request, struct feed *feed)
{
    const char *last = weft_admin_header(request, "Last-Event-ID");

    if (last != NULL) {
        char *end;
        errno = 0;
        feed->since = strtoull(last, &end, 10);
        if (errno != 0 || end == last || *end != '\0') {
            weft_admin_reply_problem(request, 504, "Last-Event-ID is not a number");
            return;
        }
    }
    if (!wants_stream(request)) {
        feed_list(request, feed);
        return;
    }
    struct feed *copy = malloc(sizeof(*copy));
    if (copy == NULL) {
        weft_admin_reply_problem(request, 505, "no memory for another reader");
        return;
    }
    *copy = *feed;
    copy->clock = &request->server->options.clock;
    copy->spoke_ns = weft_clock_now_ns(copy->clock);
    weft_admin_reply_stream(request, "text/event-stream",
                            &(struct weft_admin_stream){feed_read, free, copy});
}

void weft_feed_events(struct weft_admin_request *request, const struct weft_admin_events *events)
{
    struct feed feed = {.events = events};

    if (weft_admin_query_u64(request, "since", 0, &feed.since)) feed_reply(request, &feed);
}

void weft_feed_logs(struct weft_admin_request *request, const struct weft_admin_logs *logs)
{
    struct feed feed = {.logs = logs};
    const char *actor = weft_admin_query(request, "actor");
    uint64_t tail;

    if (actor != NULL) snprintf(feed.actor, sizeof(feed.actor), "%s", actor);

    if (!weft_admin_query_u64(request, "tail", WEFT_ADMIN_LOGS_MAX, &tail)) return;
    if (!weft_admin_query_u64(request, "since", weft_admin_logs_tail(logs, tail), &feed.since)) {
        return;
    }
    feed_reply(request, &feed);
}
