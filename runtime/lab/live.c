#include "runtime/lab/live.h"

#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/units.h"

#define ANSWER_NS (900 * WEFT_NS_PER_MS) // Later than this, the figures are no longer of now.

void weft_lab_live_init(struct weft_lab_live *live, FILE *out)
{
    const char *term = getenv("TERM");

    memset(live, 0, sizeof(*live));
    live->out = out;
    live->tty = out != NULL && isatty(fileno(out)) != 0 && (term == NULL || strcmp(term, "dumb"));
}

static void hang_up(struct weft_lab_live_node *node)
{
    weft_client_stream_close(node->stream);
    node->stream = NULL;
}

void weft_lab_live_close(struct weft_lab_live *live)
{
    weft_lab_live_clear(live);
    for (size_t i = 0; i < WEFT_COUNT_OF(live->nodes); i++) {
        hang_up(&live->nodes[i]);
    }
}

void weft_lab_live_clear(struct weft_lab_live *live)
{
    if (!live->shown) return;
    fputs("\r\033[K", live->out);
    fflush(live->out);
    live->shown = false;
}

int weft_lab_live_fd(const struct weft_lab_live *live, uint32_t index)
{
    const struct weft_client_stream *stream = live->nodes[index].stream;

    return stream != NULL ? weft_client_stream_fd(stream) : -1;
}

static int take(void *self, const char *bytes, size_t length)
{
    struct weft_lab_live_node *node = self;

    if (length > sizeof(node->body) - node->length) return -1;
    memcpy(node->body + node->length, bytes, length);
    node->length += length;
    return 0;
}

static void ask(struct weft_lab_live_node *node, const struct weft_lab_node *of, uint64_t now_ns)
{
    static const struct weft_client_call call = {.method = "GET", .path = "/api/v1/swarm"};

    snprintf(node->target.name, sizeof(node->target.name), "%s", of->name);
    snprintf(node->target.path, sizeof(node->target.path), "%s/admin.sock", of->directory);
    node->length = 0;
    node->asked_ns = now_ns;
    node->stream = weft_client_stream_open(&node->target, &call, take, node, NULL);
    if (node->stream == NULL) node->known = false;
}

static void understand(struct weft_lab_live_node *node)
{
    json_t *document = json_loadb(node->body, node->length, 0, NULL);
    const json_t *self = json_array_get(json_object_get(document, "items"), 0);

    node->known = self != NULL;
    node->alive = (unsigned)json_integer_value(json_object_get(document, "alive"));
    node->nodes = (unsigned)json_integer_value(json_object_get(document, "nodes"));
    node->units = (unsigned)json_integer_value(json_object_get(self, "units"));
    node->busy_ratio = json_number_value(json_object_get(self, "load_ratio"));
    json_decref(document);
}

static void listen_to(struct weft_lab_live_node *node)
{
    while (node->stream != NULL) {
        struct pollfd waiting = {.fd = weft_client_stream_fd(node->stream), .events = POLLIN};
        if (poll(&waiting, 1, 0) <= 0) return;
        const int result = weft_client_stream_read(node->stream, NULL);
        if (result > 0) continue;
        hang_up(node);
        if (result == 0) {
            understand(node);
        } else {
            node->known = false;
        }
    }
}

static size_t describe(const struct weft_lab_live_node *live, const struct weft_lab_node *node,
                       bool figures, char *text, size_t room)
{
    int length;

    if (node->state != WEFT_LAB_READY) {
        length = snprintf(text, room, "%s %s", node->name, weft_lab_state_name(node->state));
    } else if (live->asked_ns == 0) {
        length = snprintf(text, room, "%s ready", node->name);
    } else if (!live->known) {
        length = snprintf(text, room, "%s no answer", node->name);
    } else if (figures) {
        // Three nodes on 80 columns.
        length =
            snprintf(text, room, "%s %u/%u %u unit%s %.0f%%", node->name, live->alive, live->nodes,
                     live->units, live->units == 1 ? "" : "s", 100 * live->busy_ratio);
    } else {
        length = snprintf(text, room, "%s sees %u of %u, %u unit%s", node->name, live->alive,
                          live->nodes, live->units, live->units == 1 ? "" : "s");
    }
    return length < 0 || (size_t)length >= room ? room - 1 : (size_t)length;
}

static void show(struct weft_lab_live *live, const struct weft_lab_node *nodes, uint32_t node_count)
{
    struct winsize size = {0};
    char text[sizeof(live->last)] = "", clock[16];
    size_t used = 0;
    const time_t now = time(NULL);
    struct tm local;

    for (uint32_t i = 0; i < node_count && used < sizeof(text) - 64; i++) {
        if (i > 0) used += (size_t)snprintf(text + used, sizeof(text) - used, " | ");
        used += describe(&live->nodes[i], &nodes[i], live->tty, text + used, sizeof(text) - used);
    }
    strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&now, &local));
    if (!live->tty) {
        if (strcmp(text, live->last) == 0) return;
        snprintf(live->last, sizeof(live->last), "%s", text);
        fprintf(live->out, "%s %s\n", clock, text);
    } else {
        int columns = 80;
        if (ioctl(fileno(live->out), TIOCGWINSZ, &size) == 0 && size.ws_col > 10)
            columns = size.ws_col;
        // A line that wraps could not be taken back.
        fprintf(live->out, "\r\033[K%s %.*s", clock, columns - 10, text);
        live->shown = true;
    }
    fflush(live->out);
}

void weft_lab_live_turn(struct weft_lab_live *live, const struct weft_lab_node *nodes,
                        uint32_t node_count, uint64_t now_ns)
{
    if (live->out == NULL) return;
    for (uint32_t i = 0; i < node_count; i++) {
        struct weft_lab_live_node *node = &live->nodes[i];
        listen_to(node);
        if (nodes[i].state != WEFT_LAB_READY) {
            hang_up(node);
            node->known = false;
            node->asked_ns = 0;
        } else if (node->stream != NULL && now_ns - node->asked_ns > ANSWER_NS) {
            node->known = false; // Still waited for: asking again would only fill its queue.
        }
    }
    if (now_ns < live->due_ns) return;
    // The first round only asks.
    if (live->due_ns > 0) show(live, nodes, node_count);
    const bool first = live->due_ns == 0;
    live->due_ns = now_ns + (first ? WEFT_NS_PER_S / 5 : WEFT_NS_PER_S);
    for (uint32_t i = 0; i < node_count; i++) {
        if (nodes[i].state == WEFT_LAB_READY && live->nodes[i].stream == NULL)
            ask(&live->nodes[i], &nodes[i], now_ns);
    }
}
