// Commands that follow: events and logs of one or several nodes in order of time, and captures.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/admin/text.h"
#include "runtime/tool/handlers.h"
#include "runtime/tool/interrupt.h"
#include "runtime/tool/output.h"
#include "runtime/tool/target.h"

#define RETRY_MS 500 // How soon a node that ended is looked for again.

static uint64_t wall_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * WEFT_NS_PER_S + (uint64_t)now.tv_nsec;
}

typedef void (*item_print)(const struct weft_tool *tool, const json_t *item);

static const char *text_of(const json_t *item, const char *key)
{
    const char *text = json_string_value(json_object_get(item, key));

    return text != NULL ? text : "";
}

static void event_print(const struct weft_tool *tool, const json_t *item)
{
    char when[64];

    fprintf(tool->out, "%s  %-8s %-14s %-16s %s\n",
            weft_output_cell(json_object_get(item, "wall_ns"), WEFT_COLUMN_TIME, when),
            text_of(item, "node"), text_of(item, "type"), text_of(item, "subject"),
            text_of(item, "text"));
}

static void log_print(const struct weft_tool *tool, const json_t *item)
{
    char when[64];

    const char *pid = text_of(item, "pid");
    const char *digits = pid + strspn(pid, "0");
    fprintf(tool->out, "%s  %s/%" JSON_INTEGER_FORMAT " %-5s %s%s%s: %s\n",
            weft_output_cell(json_object_get(item, "wall_ns"), WEFT_COLUMN_TIME, when),
            text_of(item, "node"), json_integer_value(json_object_get(item, "core")),
            text_of(item, "level"), text_of(item, "module"), *digits != '\0' ? " 0x" : "", digits,
            text_of(item, "text"));
}

// One followed node.
struct follower {
    const struct weft_tool *tool;
    const struct weft_client_target *target;
    const char *path;
    item_print print;
    uint64_t from_wall_ns;
    uint64_t last_id;                  // Of the last item seen; 0: none yet.
    struct weft_client_stream *stream; // NULL while it is away.
    struct weft_client_sse sse;
};

static void item_show(const struct weft_tool *tool, const json_t *item, item_print print)
{
    if (tool->format == WEFT_FORMAT_TABLE) {
        print(tool, item);
    } else {
        json_dumpf(item, tool->out, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
        fputc('\n', tool->out);
    }
}

static void on_event(void *self, const char *data, size_t length)
{
    struct follower *follower = self;
    json_t *item = json_loadb(data, length, JSON_ALLOW_NUL, NULL);

    if (item == NULL) return;
    follower->last_id = (uint64_t)json_integer_value(json_object_get(item, "id"));
    json_t *row = json_pack("{s:s}", "node", follower->target->name);
    json_object_update(row, item);
    json_decref(item);
    if ((uint64_t)json_integer_value(json_object_get(row, "wall_ns")) >= follower->from_wall_ns) {
        item_show(follower->tool, row, follower->print);
    }
    json_decref(row);
}

// Connects, and goes on behind the last item seen. False with `error` if it does not answer.
static bool follower_open(struct follower *follower, struct weft_error *error)
{
    const char *join = strchr(follower->path, '?') != NULL ? "&" : "?";
    char path[128];
    const struct weft_client_call request = {.method = "GET",
                                             .path = path,
                                             .accept = "text/event-stream",
                                             .timeout_ms = follower->tool->timeout_ms};

    snprintf(path, sizeof(path), "%s", follower->path);
    if (follower->last_id != 0) {
        snprintf(path, sizeof(path), "%s%ssince=%llu", follower->path, join,
                 (unsigned long long)follower->last_id);
    }
    memset(&follower->sse, 0, sizeof(follower->sse));
    follower->sse.event = on_event;
    follower->sse.self = follower;
    follower->stream = weft_client_stream_open(follower->target, &request, weft_client_sse_take,
                                               &follower->sse, error);
    return follower->stream != NULL;
}

static void follower_close(struct follower *follower)
{
    weft_client_stream_close(follower->stream);
    follower->stream = NULL;
}

// Tries those that are away. False if none is left that could come back: their sockets are gone.
static bool followers_reopen(struct follower *followers, size_t count)
{
    bool any = false;

    for (size_t i = 0; i < count; i++) {
        struct follower *follower = &followers[i];
        struct weft_error error;
        if (follower->stream == NULL && follower_open(follower, &error)) {
            fprintf(follower->tool->err, "%s is back\n", follower->target->name);
        }
        any = any || follower->stream != NULL || access(follower->target->path, F_OK) == 0;
    }
    return any;
}

static void follower_read(struct follower *follower)
{
    struct weft_error error = {0};
    const int result = weft_client_stream_read(follower->stream, &error);

    if (result > 0) return;
    const bool why = result < 0 && error.code != 501; // W0501 says no more than that.
    fprintf(follower->tool->err, "%s has gone%s%s\n", follower->target->name, why ? ": " : "",
            why ? error.text : "");
    follower_close(follower);
}

// Shows what comes until ^C: nodes that end are followed again when they are back.
static int follow_all(struct follower *followers, size_t count, const struct weft_tool *tool)
{
    const volatile int *interrupted = weft_interrupt_catch();
    struct pollfd waited[WEFT_PLACE_NODES_MAX];
    uint64_t tried_ns = wall_now_ns();

    while (!*interrupted && ferror(tool->out) == 0) {
        for (size_t i = 0; i < count; i++) {
            struct weft_client_stream *stream = followers[i].stream;
            waited[i] = (struct pollfd){.fd = stream != NULL ? weft_client_stream_fd(stream) : -1,
                                        .events = POLLIN};
        }
        fflush(tool->out);
        const int ready = poll(waited, (nfds_t)count, RETRY_MS);
        for (size_t i = 0; ready > 0 && i < count; i++) {
            if (waited[i].revents != 0) follower_read(&followers[i]);
        }
        const uint64_t now_ns = wall_now_ns();
        if (now_ns - tried_ns < RETRY_MS * WEFT_NS_PER_MS) continue;
        tried_ns = now_ns;
        if (!followers_reopen(followers, count)) return WEFT_EXIT_UNREACHABLE;
    }
    return WEFT_EXIT_DONE;
}

static int follow(const struct weft_tool *tool, const struct weft_targets *targets,
                  const char *path, item_print print, uint64_t from_wall_ns)
{
    struct follower *followers = calloc(targets->count, sizeof(*followers));
    int code = WEFT_EXIT_DONE;
    size_t open = 0;

    if (followers == NULL) return WEFT_EXIT_INTERNAL;
    weft_interrupt_catch();
    for (size_t i = 0; i < targets->count; i++) {
        struct weft_error error = {0};
        followers[i] = (struct follower){.tool = tool,
                                         .target = &targets->items[i],
                                         .path = path,
                                         .print = print,
                                         .from_wall_ns = from_wall_ns};
        if (follower_open(&followers[i], &error)) {
            open++;
        } else {
            code = weft_tool_fail(tool, &error);
        }
    }
    if (open > 0) code = follow_all(followers, targets->count, tool);
    for (size_t i = 0; i < targets->count; i++)
        follower_close(&followers[i]);
    free(followers);
    return code;
}

static int by_time(const void *a, const void *b)
{
    const json_int_t left = json_integer_value(json_object_get(*(json_t *const *)a, "wall_ns"));
    const json_int_t right = json_integer_value(json_object_get(*(json_t *const *)b, "wall_ns"));

    return left < right ? -1 : left > right;
}

// Shows the items of all nodes in order of time.
static void show_sorted(const struct weft_tool *tool, json_t *document, item_print print,
                        uint64_t from_wall_ns)
{
    const json_t *items = json_object_get(document, "items");
    const size_t count = json_array_size(items);
    json_t **order = malloc((count + 1) * sizeof(*order));
    json_t *sorted = json_array(), *item;
    size_t kept = 0, i;

    json_array_foreach(items, i, item)
    {
        if ((uint64_t)json_integer_value(json_object_get(item, "wall_ns")) >= from_wall_ns) {
            order[kept++] = item;
        }
    }
    qsort(order, kept, sizeof(*order), by_time);
    for (i = 0; i < kept; i++)
        json_array_append(sorted, order[i]);
    free(order);
    json_object_set_new(document, "items", sorted);
    if (tool->format == WEFT_FORMAT_JSON) {
        weft_output_json(tool, document);
        return;
    }
    json_array_foreach(sorted, i, item) item_show(tool, item, print);
}

static int feed(struct weft_tool_call *call, const char *path, item_print print,
                uint64_t from_wall_ns)
{
    struct weft_targets targets;
    int code = weft_targets_find(call->tool, weft_tool_arg(call, 0), &targets);

    if (code != 0) return code;
    if (weft_tool_value(call, "follow") != NULL) {
        return follow(call->tool, &targets, path, print, from_wall_ns);
    }
    json_t *document = weft_targets_gather(call->tool, &targets, path, &code);
    if (document == NULL) return code;
    show_sorted(call->tool, document, print, from_wall_ns);
    json_decref(document);
    return code;
}

int weft_run_events(struct weft_tool_call *call)
{
    const char *since = weft_tool_value(call, "since");
    uint64_t ago_ns = 0, from_wall_ns = 0;

    if (since != NULL) {
        if (!weft_duration_parse(since, &ago_ns)) {
            return weft_tool_usage(call, "--since %s: say 90s, 5m or 2h", since);
        }
        const uint64_t now_ns = wall_now_ns();
        from_wall_ns = now_ns > ago_ns ? now_ns - ago_ns : 0;
    }
    return feed(call, "/api/v1/events", event_print, from_wall_ns);
}

// A number given by an option; `otherwise` if it was not. False after saying what is wrong.
static bool option_number(struct weft_tool_call *call, const char *name, uint64_t otherwise,
                          uint64_t *number)
{
    const char *text = weft_tool_value(call, name);
    char *end;

    *number = otherwise;
    if (text == NULL) return true;
    errno = 0;
    *number = strtoull(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0) return true;
    weft_tool_usage(call, "--%s %s: that is not a number", name, text);
    return false;
}

int weft_run_logs(struct weft_tool_call *call)
{
    const char *actor = weft_tool_value(call, "actor");
    uint64_t tail;
    char path[128];

    if (!option_number(call, "tail", 2048, &tail)) return WEFT_EXIT_USAGE;
    if (actor != NULL && !weft_admin_name_valid(actor, strlen(actor)))
        return weft_tool_usage(call, "--actor takes a name or a pid");
    snprintf(path, sizeof(path), "/api/v1/logs?tail=%llu%s%s", (unsigned long long)tail,
             actor != NULL ? "&actor=" : "", actor != NULL ? actor : "");
    return feed(call, path, log_print, 0);
}

// Where a capture goes.
struct sink {
    int fd;
    int failure; // errno of a write, 0 for none.
    const volatile int *interrupted;
};

static int sink_take(void *self, const char *bytes, size_t length)
{
    struct sink *sink = self;

    while (length > 0) {
        const ssize_t count = write(sink->fd, bytes, length);
        if (count < 0 && errno == EINTR && !*sink->interrupted) continue;
        if (count < 0) {
            sink->failure = errno;
            return -1;
        }
        bytes += count;
        length -= (size_t)count;
    }
    return 0;
}

int weft_run_pcap(struct weft_tool_call *call)
{
    const char *file = weft_tool_value(call, "write"), *port = weft_tool_value(call, "port");
    struct weft_client_target target;
    struct weft_error error = {0};
    struct sink sink = {.fd = STDOUT_FILENO};
    const char *word = weft_tool_arg(call, 0);
    char node[64] = "", path[160];
    uint64_t packets, snap;
    int code;

    if (file == NULL) return weft_tool_usage(call, "-w FILE is missing (- for standard output)");
    if (!option_number(call, "packets", 0, &packets) || !option_number(call, "snap", 0, &snap)) {
        return WEFT_EXIT_USAGE;
    }
    if (word != NULL) { // NODE/PORT
        const char *slash = strchr(word, '/');
        if (slash != NULL) port = slash + 1;
        snprintf(node, sizeof(node), "%.*s", (int)strcspn(word, "/"), word);
    }
    if (port != NULL && strspn(port, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789._-") != strlen(port)) {
        return weft_tool_usage(call, "--port %s: no port is named so", port);
    }
    if (strcmp(file, "-") == 0 && isatty(STDOUT_FILENO)) {
        return weft_tool_usage(call, "a capture is not for a terminal: pipe it to tcpdump -r -");
    }
    code = weft_target_find(call->tool, node[0] != '\0' ? node : NULL, &target);
    if (code != 0) return code;
    if (strcmp(file, "-") != 0) {
        sink.fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (sink.fd < 0) return weft_tool_usage(call, "%s: %s", file, strerror(errno));
    }
    snprintf(path, sizeof(path), "/api/v1/pcap?packets=%llu&snap_bytes=%llu%s%.15s",
             (unsigned long long)packets, (unsigned long long)snap, port != NULL ? "&port=" : "",
             port != NULL ? port : "");
    sink.interrupted = weft_interrupt_catch();
    const struct weft_client_call request = {
        .method = "GET", .path = path, .accept = "*/*", .timeout_ms = call->tool->timeout_ms};
    if (weft_client_stream(&target, &request, sink_take, &sink, sink.interrupted, &error) < 0) {
        code = weft_tool_fail(call->tool, &error);
    }
    if (sink.failure != 0 && sink.failure != EPIPE && !*sink.interrupted) {
        fprintf(call->tool->err, "error: %s: %s\n", file, strerror(sink.failure));
        code = WEFT_EXIT_INTERNAL;
    }
    if (sink.fd != STDOUT_FILENO) close(sink.fd);
    return code;
}
