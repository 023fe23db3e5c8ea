#include "runtime/lab/capture.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/units.h"
#include "runtime/lab/capture_merge.h"
#include "runtime/lab/remote.h"

#define ARM_MS  3000 // For every node to have begun.
#define BUSY_MS 2000 // For another capture to end.

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

struct capture; // All of them.

struct feed { // One node's.
    struct capture *capture;
    struct weft_merge_source source;
    struct weft_client_target target;
    struct weft_client_stream *stream;
    uint32_t index;
    char early[WEFT_MERGE_BLOCK_BYTES]; // What came before every node had begun.
    size_t early_length;
};

struct capture {
    const struct weft_lab_capture_options *options;
    struct weft_merge merge;
    struct feed *feeds[WEFT_MERGE_SOURCES_MAX];
    bool armed;
    int result; // Of the merging: 0, 1 when it has enough, or a negative errno.
};

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * WEFT_NS_PER_S + (uint64_t)now.tv_nsec;
}

static int write_all(void *self, const void *bytes, size_t length)
{
    const struct capture *capture = self;
    const char *from = bytes;

    while (length > 0) {
        const ssize_t wrote = write(capture->options->fd, from, length);
        if (wrote < 0 && errno == EINTR && !interrupted) continue;
        if (wrote < 0) return -errno;
        from += wrote;
        length -= (size_t)wrote;
    }
    return 0;
}

static int take(void *self, const char *bytes, size_t length)
{
    struct feed *feed = self;
    struct capture *capture = feed->capture;

    if (!capture->armed) {
        if (length > sizeof(feed->early) - feed->early_length) return -1;
        memcpy(feed->early + feed->early_length, bytes, length);
        feed->early_length += length;
        return 0;
    }
    if (capture->result == 0)
        capture->result = weft_merge_take(&capture->merge, feed->index, bytes, length);
    return capture->result == 0 ? 0 : -1;
}

static int open_feed(struct capture *capture, const json_t *node, struct weft_error *error)
{
    static const struct weft_client_call call = {
        .method = "GET", .path = "/api/v1/pcap", .accept = "application/vnd.tcpdump.pcap"};
    struct feed *feed = calloc(1, sizeof(*feed));

    if (feed == NULL) return weft_error_set(error, 501, "no memory");
    feed->capture = capture;
    feed->index = capture->merge.source_count;
    weft_lab_node_target(node, &feed->target);
    snprintf(feed->source.name, sizeof(feed->source.name), "%s", feed->target.name);
    feed->stream = weft_client_stream_open(&feed->target, &call, take, feed, error);
    if (feed->stream == NULL) {
        free(feed);
        return -1;
    }
    capture->feeds[feed->index] = feed;
    capture->merge.sources[feed->index] = &feed->source;
    capture->merge.source_count++;
    return 0;
}

static int open_feeds(struct capture *capture, const json_t *lab, struct weft_error *error)
{
    const json_t *items = json_object_get(lab, "items"), *node;
    size_t i;

    json_array_foreach(items, i, node)
    {
        const char *name = json_string_value(json_object_get(node, "node"));
        const char *state = json_string_value(json_object_get(node, "state"));
        if (capture->options->node != NULL && strcmp(name, capture->options->node) != 0) continue;
        if (capture->merge.source_count == WEFT_MERGE_SOURCES_MAX) break;
        if (capture->options->node == NULL && strcmp(state, "ready") != 0) {
            fprintf(capture->options->err, "%s is %s: not captured\n", name, state);
            continue;
        }
        if (open_feed(capture, node, error) < 0) return -1;
    }
    if (capture->merge.source_count > 0) return 0;
    return weft_error_set(error, 503, "there is no node to capture");
}

// Waits for bytes of any feed and takes them. How many feeds are still open; -1 with `error`.
static int turn(struct capture *capture, int timeout_ms, struct weft_error *error)
{
    struct pollfd fds[WEFT_MERGE_SOURCES_MAX];
    int open = 0;

    for (uint32_t i = 0; i < capture->merge.source_count; i++) {
        const struct feed *feed = capture->feeds[i];
        const int fd = feed->stream != NULL ? weft_client_stream_fd(feed->stream) : -1;
        fds[i] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
    if (poll(fds, capture->merge.source_count, timeout_ms) < 0) return 1;
    for (uint32_t i = 0; i < capture->merge.source_count; i++) {
        struct feed *feed = capture->feeds[i];
        if (feed->stream == NULL) continue;
        open++;
        if (fds[i].revents == 0) continue;
        const int result = weft_client_stream_read(feed->stream, error);
        if (result > 0) continue;
        // A node that ends takes nothing from what the others say; one that never began does.
        const bool never =
            feed->source.length == 0 && !feed->source.in_section && feed->early_length == 0;
        weft_client_stream_close(feed->stream);
        feed->stream = NULL;
        open--;
        if (result < 0 && never && capture->result == 0) return -1;
    }
    return open;
}

// Waits until each node has begun, so that what a reader sees from its first byte on is everything.
static int arm(struct capture *capture, struct weft_error *error)
{
    const uint64_t until_ns = now_ns() + ARM_MS * WEFT_NS_PER_MS;

    for (;;) {
        uint32_t begun = 0;
        for (uint32_t i = 0; i < capture->merge.source_count; i++) {
            if (capture->feeds[i]->early_length > 0) begun++;
        }
        if (begun == capture->merge.source_count) break;
        if (interrupted || now_ns() > until_ns)
            return weft_error_set(error, 505, "not every node began to capture in time");
        const int open = turn(capture, 100, error);
        if (open < 0) return -1;
        if (open == 0) return weft_error_set(error, 501, "the nodes have ended");
    }
    capture->armed = true;
    fprintf(capture->options->err, "capturing on");
    for (uint32_t i = 0; i < capture->merge.source_count; i++) {
        fprintf(capture->options->err, " %s", capture->feeds[i]->target.name);
    }
    fputc('\n', capture->options->err);
    fflush(capture->options->err);
    capture->result = weft_merge_begin(&capture->merge);
    for (uint32_t i = 0; i < capture->merge.source_count && capture->result == 0; i++) {
        take(capture->feeds[i], capture->feeds[i]->early, capture->feeds[i]->early_length);
    }
    return 0;
}

static int64_t run(struct capture *capture, const json_t *lab, struct weft_error *error)
{
    const uint64_t duration_ns = capture->options->duration_ns;

    if (open_feeds(capture, lab, error) < 0 || arm(capture, error) < 0) return -1;
    const uint64_t until_ns = duration_ns > 0 ? now_ns() + duration_ns : UINT64_MAX;
    while (capture->result == 0 && !interrupted && now_ns() < until_ns) {
        const uint64_t left_ms = (until_ns - now_ns()) / WEFT_NS_PER_MS + 1;
        const int open = turn(capture, left_ms < 500 ? (int)left_ms : 500, error);
        if (open < 0) return -1;
        if (open == 0) break;
    }
    if (capture->result < 0 && capture->result != -EPIPE && capture->result != -EINTR)
        return weft_error_set(error, 501, "the capture cannot be written or read: %s",
                              strerror(-capture->result));
    return (int64_t)capture->merge.packet_count;
}

static int64_t capture_once(const json_t *lab, const struct weft_lab_capture_options *options,
                            struct weft_error *error)
{
    struct capture *capture = calloc(1, sizeof(*capture));

    if (capture == NULL) return weft_error_set(error, 501, "no memory");
    capture->options = options;
    capture->merge.write = write_all;
    capture->merge.self = capture;
    capture->merge.packet_max = options->packet_max;
    const int64_t count = run(capture, lab, error);
    for (uint32_t i = 0; i < capture->merge.source_count; i++) {
        weft_client_stream_close(capture->feeds[i]->stream);
        free(capture->feeds[i]);
    }
    free(capture);
    return count;
}

int64_t weft_lab_capture(const json_t *lab, const struct weft_lab_capture_options *options,
                         struct weft_error *error)
{
    const struct sigaction action = {.sa_handler = interrupt};
    const struct timespec pause = {.tv_nsec = 100 * (long)WEFT_NS_PER_MS};
    const uint64_t until_ns = now_ns() + BUSY_MS * WEFT_NS_PER_MS;

    interrupted = 0;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        *error = (struct weft_error){0};
        const int64_t count = capture_once(lab, options, error);
        // A node notices a moment later that the last reader has left.
        if (count >= 0 || error->code != 405 || interrupted || now_ns() > until_ns) return count;
        nanosleep(&pause, NULL);
    }
}
