// Commands that show what actors do: one as it happens, all as far as the node remembers.
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/admin/text.h"
#include "runtime/tool/handlers.h"
#include "runtime/tool/interrupt.h"
#include "runtime/tool/output.h"
#include "runtime/tool/target.h"

static const char *text_of(const json_t *item, const char *key)
{
    const char *text = json_string_value(json_object_get(item, key));
    return text != NULL ? text : "";
}

static long long number_of(const json_t *item, const char *key)
{
    return json_integer_value(json_object_get(item, key));
}

// ---- One event as a line.

// What is said of each event behind its name; the number is the event's value.
static const struct {
    const char *event, *peer, *value, *format;
} phrases[] = {
    {"spawn", "by ", NULL, ""},
    {"exit", "", "reason", "reason %lld"},
    {"send", "to ", "length", "%lld bytes "},
    {"receive", "from ", "length", "%lld bytes "},
    {"mute", "for room at ", NULL, ""},
    {"unmute", "there is room at ", NULL, ""},
    {"move", "", "from_core", "from core %lld"},
    {"stuck", "", "ms", "for %lld ms"},
    {"crash", "", "signal", "signal %lld"},
};

static void print_time(FILE *out, long long wall_ns)
{
    const time_t seconds = (time_t)(wall_ns / (long long)WEFT_NS_PER_S);
    struct tm tm;
    char at[32];
    localtime_r(&seconds, &tm);
    strftime(at, sizeof(at), "%H:%M:%S", &tm);
    fprintf(out, "%s.%06lld", at, wall_ns % (long long)WEFT_NS_PER_S / (long long)WEFT_NS_PER_US);
}

static void print_phrase(FILE *out, const json_t *item)
{
    const char *event = text_of(item, "event"), *text = text_of(item, "text");
    for (size_t i = 0; i < WEFT_COUNT_OF(phrases); i++) {
        if (strcmp(phrases[i].event, event) != 0) continue;
        const json_t *peer = json_object_get(item, "peer");
        if (json_object_get(item, "tag") != NULL)
            fprintf(out, "%s type %lld, ", text_of(item, "tag"), number_of(item, "type"));
        if (phrases[i].value != NULL)
            fprintf(out, phrases[i].format, number_of(item, phrases[i].value));
        if (text[0] != '\0') fprintf(out, " (%s)", text);
        if (phrases[i].peer[0] != '\0')
            fprintf(out, "%s%s", phrases[i].peer,
                    peer != NULL ? json_string_value(peer) : "the node");
        return;
    }
}

// `own`: the pid that need not be said.
static void print_event(FILE *out, const json_t *item, const char *own)
{
    const char *pid = text_of(item, "pid");
    print_time(out, number_of(item, "wall_ns"));
    fprintf(out, "  c%lld  ", number_of(item, "core"));
    if (strcmp(pid, own) != 0) fprintf(out, "%s  ", pid);
    fprintf(out, "%-8s ", text_of(item, "event"));
    print_phrase(out, item);
    fputc('\n', out);
}

static void print_json(FILE *out, const json_t *item)
{
    json_dumpf(item, out, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
    fputc('\n', out);
}

// ---- One actor.

struct watch {
    const struct weft_tool *tool;
    const char *node, *actor;
    char pid[20];
    bool has_begun;
};

// On standard error, what is no event of the actor.
static void say(struct watch *watch, const json_t *item)
{
    if (strcmp(text_of(item, "event"), "begin") == 0) {
        watch->has_begun = true;
        snprintf(watch->pid, sizeof(watch->pid), "%s", text_of(item, "pid"));
        fprintf(watch->tool->err, "tracing %s/%s, %s\n", watch->node, watch->actor, watch->pid);
    } else {
        fprintf(watch->tool->err, "missed %lld: more came than could be read\n",
                number_of(item, "count"));
    }
    fflush(watch->tool->err);
}

static void on_event(void *self, const char *data, size_t length)
{
    struct watch *watch = self;
    json_t *item = json_loadb(data, length, 0, NULL);
    if (item == NULL) return;
    const bool is_news = strcmp(text_of(item, "event"), "begin") != 0 &&
                         strcmp(text_of(item, "event"), "missed") != 0;
    if (!is_news) say(watch, item);
    if (watch->tool->format != WEFT_FORMAT_TABLE)
        print_json(watch->tool->out, item);
    else if (is_news)
        print_event(watch->tool->out, item, watch->pid);
    json_decref(item);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * WEFT_NS_PER_S + (uint64_t)now.tv_nsec;
}

// Until the other side ends it, ^C, or `until_ns`. 0, or -1 with `error`.
static int read_until(const struct weft_tool *tool, struct weft_client_stream *stream,
                      uint64_t until_ns, const volatile int *interrupted, struct weft_error *error)
{
    struct pollfd waited = {.fd = weft_client_stream_fd(stream), .events = POLLIN};
    while (!*interrupted && ferror(tool->out) == 0) {
        const uint64_t at_ns = now_ns();
        if (at_ns >= until_ns) return 0;
        const uint64_t left_ms = (until_ns - at_ns) / WEFT_NS_PER_MS + 1;
        fflush(tool->out);
        if (poll(&waited, 1, left_ms < 1000 ? (int)left_ms : 1000) <= 0) continue;
        const int result = weft_client_stream_read(stream, error);
        if (result <= 0) return result;
    }
    return 0;
}

static int follow(struct watch *watch, const struct weft_client_target *target, const char *path,
                  uint64_t until_ns)
{
    const struct weft_client_call request = {.method = "GET",
                                             .path = path,
                                             .accept = "text/event-stream",
                                             .timeout_ms = watch->tool->timeout_ms};
    struct weft_client_sse sse = {.event = on_event, .self = watch};
    struct weft_error error = {0};
    const volatile int *interrupted = weft_interrupt_catch();
    struct weft_client_stream *stream =
        weft_client_stream_open(target, &request, weft_client_sse_take, &sse, &error);
    if (stream == NULL) return weft_tool_fail(watch->tool, &error);
    const int result = read_until(watch->tool, stream, until_ns, interrupted, &error);
    weft_client_stream_close(stream);
    fflush(watch->tool->out);
    if (result < 0) return weft_tool_fail(watch->tool, &error);
    if (watch->has_begun || *interrupted || now_ns() >= until_ns) return WEFT_EXIT_DONE;
    weft_error_set(&error, 801, "'%s' has ended", watch->actor);
    return weft_tool_fail(watch->tool, &error);
}

int weft_run_actor_trace(struct weft_tool_call *call)
{
    const char *span = weft_tool_value(call, "for"), *count = weft_tool_value(call, "count");
    struct weft_client_target target;
    char actor[64], path[192];
    uint64_t span_ns = UINT64_MAX;
    if (span != NULL && !weft_duration_parse(span, &span_ns))
        return weft_tool_usage(call, "--for %s: say 500ms, 10s or 5m", span);
    if (count != NULL && (strlen(count) > 18 || strspn(count, "0123456789") != strlen(count) ||
                          strspn(count, "0") == strlen(count)))
        return weft_tool_usage(call, "--count %s: that is not a number of events", count);
    const int code = weft_actor_find_target(call, &target, actor);
    if (code != 0) return code;
    snprintf(path, sizeof(path), "/api/v1/actors/%s/trace%s%s", actor,
             count != NULL ? "?count=" : "", count != NULL ? count : "");
    const uint64_t at_ns = now_ns();
    struct watch watch = {.tool = call->tool, .node = target.name, .actor = actor};
    return follow(&watch, &target, path,
                  span_ns < UINT64_MAX - at_ns ? at_ns + span_ns : UINT64_MAX);
}

// ---- All cores.

int weft_run_core_trace(struct weft_tool_call *call)
{
    const char *limit = weft_tool_value(call, "limit"), *actor = weft_tool_value(call, "actor");
    struct weft_targets targets;
    char path[192];
    size_t i;
    json_t *item;
    if (actor != NULL && !weft_admin_name_valid(actor, strlen(actor)))
        return weft_tool_usage(call, "--actor takes a name or a pid");
    if (limit != NULL && (limit[0] == '\0' || strspn(limit, "0123456789") != strlen(limit)))
        return weft_tool_usage(call, "--limit %s: that is not a number", limit);
    int code = weft_targets_find(call->tool, weft_tool_arg(call, 0), &targets);
    if (code != 0) return code;
    snprintf(path, sizeof(path), "/api/v1/cores/trace?limit=%.18s%s%s",
             limit != NULL ? limit : "100", actor != NULL ? "&actor=" : "",
             actor != NULL ? actor : "");
    json_t *document = weft_targets_gather(call->tool, &targets, path, &code);
    if (document == NULL) return code;
    if (call->tool->format == WEFT_FORMAT_JSON) weft_output_json(call->tool, document);
    json_array_foreach(json_object_get(document, "items"), i, item)
    {
        if (call->tool->format == WEFT_FORMAT_JSON) break;
        if (call->tool->format == WEFT_FORMAT_JSONL) {
            print_json(call->tool->out, item);
            continue;
        }
        if (targets.count > 1) fprintf(call->tool->out, "%-8s ", text_of(item, "node"));
        print_event(call->tool->out, item, "");
    }
    json_decref(document);
    return code;
}
