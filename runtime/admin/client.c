#include "runtime/admin/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/admin/client_wire.h"
#include "runtime/admin/http_response.h"
#include "runtime/base/units.h"

#define TIMEOUT_MS      10000
#define HEAD_BYTES      2560
#define UPLOAD_BYTES    32768
#define UPLOAD_STALL_MS 60000
#define CONTINUE_MS     2000 // How long to wait for a word before the body is sent all the same.

struct weft_client_stream {
    struct weft_client_wire wire;
    int64_t deadline_ms; // Until the headers are here.
    const struct weft_client_target *target;
    struct weft_http_response response;
    int (*take)(void *self, const char *bytes, size_t length);
    void *self;
    // An answer that is an error is kept, to be told.
    char problem[4096];
    size_t problem_length;
};

static int late(const struct weft_client_target *target, struct weft_error *error)
{
    return weft_error_set(error, 505, "%s did not answer in time",
                          target->name[0] != '\0' ? target->name : "the node");
}

static int send_all(struct weft_client_wire *wire, const char *bytes, size_t length,
                    int64_t deadline_ms)
{
    while (length > 0) {
        const int64_t sent = weft_client_wire_send(wire, bytes, length);
        if (sent >= 0) {
            bytes += sent;
            length -= (size_t)sent;
            continue;
        }
        if (sent == -EPIPE || sent == -ECONNRESET)
            return 0; // Its answer may be there all the same.
        if (sent != -EAGAIN) return (int)sent;
        const int result = weft_client_wire_wait(wire, POLLOUT, deadline_ms);
        if (result < 0 && result != -EINTR) return result;
    }
    return 0;
}

// The request up to its body. Its length, or -ENAMETOOLONG.
static int head_make(char head[HEAD_BYTES], const struct weft_client_target *target,
                     const struct weft_client_call *call)
{
    char host[80] = "weft", token[WEFT_CLIENT_TOKEN_BYTES + 32] = "", body[160] = "";

    if (target->path[0] == '\0')
        snprintf(host, sizeof(host), "%s:%u", target->host[0] != '\0' ? target->host : "127.0.0.1",
                 (unsigned)target->port);
    if (target->token[0] != '\0')
        snprintf(token, sizeof(token), "Authorization: Bearer %s\r\n", target->token);
    if (call->body != NULL)
        snprintf(body, sizeof(body), "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                 call->body_length);
    if (call->upload != NULL)
        snprintf(body, sizeof(body),
                 "Content-Type: application/octet-stream\r\nExpect: 100-continue\r\n"
                 "Content-Length: %llu\r\n",
                 (unsigned long long)call->upload->bytes);
    const int length =
        snprintf(head, HEAD_BYTES,
                 "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: weft/" WEFT_VERSION
                 "\r\nAccept: %s\r\nConnection: close\r\n%s%s\r\n",
                 call->method, call->path, host,
                 call->accept != NULL ? call->accept : "application/json", token, body);
    return length < 0 || length >= HEAD_BYTES ? -ENAMETOOLONG : length;
}

static int send_request(struct weft_client_wire *wire, const struct weft_client_target *target,
                        const struct weft_client_call *call, int64_t deadline_ms)
{
    char head[HEAD_BYTES];
    const int length = head_make(head, target, call);

    if (length < 0) return length;
    const int result = send_all(wire, head, (size_t)length, deadline_ms);
    if (result < 0 || call->body == NULL) return result;
    return send_all(wire, call->body, call->body_length, deadline_ms);
}

static int stream_take(void *self, const char *bytes, size_t length)
{
    struct weft_client_stream *stream = self;

    if (stream->response.status < 400) return stream->take(stream->self, bytes, length);
    const size_t room = sizeof(stream->problem) - stream->problem_length;
    const size_t kept = length < room ? length : room;
    memcpy(stream->problem + stream->problem_length, bytes, kept);
    stream->problem_length += kept;
    return 0;
}

// `stream` is the caller's memory; its `take` is given what every body brings, problems too.
static int stream_start(struct weft_client_stream *stream, const struct weft_client_target *target,
                        const struct weft_client_call *call, struct weft_error *error)
{
    stream->target = target;
    stream->deadline_ms =
        weft_client_now_ms() + (call->timeout_ms > 0 ? call->timeout_ms : TIMEOUT_MS);
    if (weft_client_wire_open(&stream->wire, target, stream->deadline_ms, NULL, error) != 0)
        return -1;
    const int result = send_request(&stream->wire, target, call, stream->deadline_ms);
    if (result == 0) return 0;
    weft_client_wire_close(&stream->wire);
    return result == -ETIMEDOUT ? late(target, error)
                                : weft_client_unreachable(target, error, strerror(-result));
}

// One read. 1 more to come, 0 whole, -1 with `error`; -EINTR is 1.
static int stream_read(struct weft_client_stream *stream, struct weft_error *error)
{
    char bytes[16 * 1024];
    const int64_t count = weft_client_wire_receive(&stream->wire, bytes, sizeof(bytes));

    if (count == -EAGAIN) return 1;
    if (count < 0 && count != -ECONNRESET) {
        return weft_client_unreachable(stream->target, error, strerror((int)-count));
    }
    if (count <= 0) {
        if (weft_http_response_end(&stream->response)) return 0;
        return weft_client_unreachable(stream->target, error,
                                       "it closed the connection before its answer ended");
    }
    if (weft_http_response_feed(&stream->response, bytes, (size_t)count)) return 1;
    if (stream->response.state == WEFT_HTTP_DONE) return 0;
    return weft_client_unreachable(stream->target, error, "what answers there does not speak HTTP");
}

// ---- Bodies that are sent as they are read.

// Has the node said something? Takes it. 1: not yet, or to go on; 0: it has answered; -1 `error`.
static int hear(struct weft_client_stream *stream, int64_t until_ms, struct weft_error *error)
{
    if (weft_client_wire_wait(&stream->wire, POLLIN, until_ms) != 0) return 1;
    return stream_read(stream, error);
}

// True if an answer has begun that is not "go on".
static bool has_answered(const struct weft_client_stream *stream)
{
    return stream->response.status >= 200;
}

// Each piece has its own time: a node that writes to a slow disk is not late.
static int send_pieces(struct weft_client_stream *stream, const struct weft_client_upload *upload,
                       char piece[UPLOAD_BYTES], struct weft_error *error)
{
    for (uint64_t done = 0; done < upload->bytes && !has_answered(stream);) {
        const int64_t count = upload->read(upload->self, piece, UPLOAD_BYTES);
        if (count <= 0 || (uint64_t)count > upload->bytes - done)
            return weft_error_set(error, 504, "what is to be sent ended early or grew");
        const int64_t deadline_ms = weft_client_now_ms() + UPLOAD_STALL_MS;
        const int result = send_all(&stream->wire, piece, (size_t)count, deadline_ms);
        if (result == -ETIMEDOUT) return late(stream->target, error);
        if (result < 0) return weft_client_unreachable(stream->target, error, strerror(-result));
        done += (uint64_t)count;
        const int heard = hear(stream, weft_client_now_ms(), error);
        if (heard <= 0) return heard;
    }
    return 1;
}

// Sends the body, unless the node answers first. 1: read on, 0: the answer is whole, -1 `error`.
static int upload(struct weft_client_stream *stream, const struct weft_client_upload *upload,
                  struct weft_error *error)
{
    char *piece = malloc(UPLOAD_BYTES);
    if (piece == NULL) return weft_error_set(error, 501, "no memory");
    int result = hear(stream, weft_client_now_ms() + CONTINUE_MS, error);
    if (result > 0) result = send_pieces(stream, upload, piece, error);
    free(piece);
    stream->deadline_ms = weft_client_now_ms() + UPLOAD_STALL_MS;
    return result;
}

// Collects a whole body within the bound.
struct collector {
    struct weft_client_answer *answer;
    size_t capacity;
    bool failed;
};

static int collect(void *self, const char *bytes, size_t length)
{
    struct collector *collector = self;
    struct weft_client_answer *answer = collector->answer;

    if (length > WEFT_CLIENT_BODY_BYTES_MAX - answer->length) {
        collector->failed = true;
        return -1;
    }
    const size_t wanted = answer->length + length + 1;
    if (wanted > collector->capacity) {
        char *body = realloc(answer->body, wanted * 2);
        if (body == NULL) {
            collector->failed = true;
            return -1;
        }
        answer->body = body;
        collector->capacity = wanted * 2;
    }
    memcpy(answer->body + answer->length, bytes, length);
    answer->length += length;
    answer->body[answer->length] = '\0';
    return 0;
}

int weft_client_ask(const struct weft_client_target *target, const struct weft_client_call *call,
                    struct weft_client_answer *answer, struct weft_error *error)
{
    struct collector collector = {.answer = answer, .capacity = 1};
    struct weft_client_stream stream = {0};
    int result = 1;

    memset(answer, 0, sizeof(*answer));
    answer->body = calloc(1, 1);
    if (answer->body == NULL) return weft_error_set(error, 501, "no memory");
    weft_http_response_init(&stream.response, collect, &collector);
    if (stream_start(&stream, target, call, error) < 0) {
        weft_client_answer_destroy(answer);
        return -1;
    }
    if (call->upload != NULL) result = upload(&stream, call->upload, error);
    while (result > 0) {
        const int waited = weft_client_wire_wait(&stream.wire, POLLIN, stream.deadline_ms);
        if (waited == -EINTR) continue;
        result = waited < 0 ? late(target, error) : stream_read(&stream, error);
    }
    weft_client_wire_close(&stream.wire);
    if (result == 0 && collector.failed) {
        result = weft_client_unreachable(target, error, "its answer is too large");
    }
    if (result < 0) {
        weft_client_answer_destroy(answer);
        return -1;
    }
    answer->status = stream.response.status;
    memcpy(answer->media_type, stream.response.media_type, sizeof(answer->media_type));
    return 0;
}

void weft_client_answer_destroy(struct weft_client_answer *answer)
{
    free(answer->body);
    answer->body = NULL;
}

void weft_client_problem(unsigned status, const json_t *problem, struct weft_error *error)
{
    const char *code = json_string_value(json_object_get(problem, "code"));
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    const char *hint = json_string_value(json_object_get(problem, "hint"));
    unsigned number = 0;

    if (code == NULL || sscanf(code, "W%4u", &number) != 1 ||
        weft_error_find((uint16_t)number) == NULL) {
        number = status == 404 ? 503 : status == 403 ? 502 : 501;
    }
    weft_error_set(error, (uint16_t)number, "%s", detail != NULL ? detail : "");
    if (detail == NULL)
        weft_error_set(error, (uint16_t)number, "the node answered HTTP %u", status);
    if (hint != NULL) weft_error_hint(error, "%s", hint);
}

json_t *weft_client_exchange(const struct weft_client_target *target, const char *method,
                             const char *path, const json_t *json, uint32_t timeout_ms,
                             unsigned *status, struct weft_error *error)
{
    char *body = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
    const struct weft_client_call call = {.method = method,
                                          .path = path,
                                          .body = body,
                                          .body_length = body != NULL ? strlen(body) : 0,
                                          .timeout_ms = timeout_ms};
    struct weft_client_answer answer;

    *status = 0;
    const int result = weft_client_ask(target, &call, &answer, error);
    free(body);
    if (result < 0) return NULL;
    *status = answer.status;
    json_t *document = json_loadb(answer.body, answer.length, JSON_ALLOW_NUL, NULL);
    weft_client_answer_destroy(&answer);
    if (document != NULL) return document;
    if (*status < 400) {
        weft_client_unreachable(target, error, "its answer is not JSON");
    } else {
        weft_client_problem(*status, NULL, error);
    }
    return NULL;
}

json_t *weft_client_json(const struct weft_client_target *target, const char *method,
                         const char *path, const json_t *json, uint32_t timeout_ms,
                         unsigned *status, struct weft_error *error)
{
    json_t *document = weft_client_exchange(target, method, path, json, timeout_ms, status, error);

    if (document == NULL || *status < 400) return document;
    weft_client_problem(*status, document, error);
    json_decref(document);
    return NULL;
}

struct weft_client_stream *weft_client_stream_open(
    const struct weft_client_target *target, const struct weft_client_call *call,
    int (*take)(void *self, const char *bytes, size_t length), void *self, struct weft_error *error)
{
    struct weft_client_stream *stream = calloc(1, sizeof(*stream));

    if (stream == NULL) {
        weft_error_set(error, 501, "no memory");
        return NULL;
    }
    stream->take = take;
    stream->self = self;
    weft_http_response_init(&stream->response, stream_take, stream);
    if (stream_start(stream, target, call, error) == 0) return stream;
    free(stream);
    return NULL;
}

int weft_client_stream_fd(const struct weft_client_stream *stream)
{
    return stream->wire.fd;
}

int weft_client_stream_read(struct weft_client_stream *stream, struct weft_error *error)
{
    const int result = stream_read(stream, error);

    if (result != 0 || stream->response.status < 400) return result;
    json_t *problem = json_loadb(stream->problem, stream->problem_length, 0, NULL);
    weft_client_problem(stream->response.status, problem, error);
    json_decref(problem);
    return -1;
}

void weft_client_stream_close(struct weft_client_stream *stream)
{
    if (stream == NULL) return;
    weft_client_wire_close(&stream->wire);
    free(stream);
}

int weft_client_stream(const struct weft_client_target *target, const struct weft_client_call *call,
                       int (*take)(void *self, const char *bytes, size_t length), void *self,
                       const volatile int *stopped, struct weft_error *error)
{
    struct weft_client_stream *stream = weft_client_stream_open(target, call, take, self, error);
    int result = 1;

    if (stream == NULL) return -1;
    while (result > 0) {
        const bool begun = stream->response.state > WEFT_HTTP_HEADERS;
        const int waited = weft_client_wire_wait(
            &stream->wire, POLLIN, begun ? weft_client_now_ms() + 1000 : stream->deadline_ms);
        if (stopped != NULL && *stopped) {
            result = 0;
        } else if (waited == 0) {
            result = weft_client_stream_read(stream, error);
        } else if (waited == -ETIMEDOUT && !begun) {
            result = late(target, error);
        }
    }
    weft_client_stream_close(stream);
    return result;
}

static void sse_line(struct weft_client_sse *sse)
{
    size_t length = sse->line_length;

    if (length > 0 && sse->line[length - 1] == '\r') length--;
    sse->line[length] = '\0';
    if (!sse->cut && length > 5 && memcmp(sse->line, "data:", 5) == 0) {
        const size_t skip = sse->line[5] == ' ' ? 6 : 5;
        sse->event(sse->self, sse->line + skip, length - skip);
    }
    sse->line_length = 0;
    sse->cut = 0;
}

int weft_client_sse_take(void *self, const char *bytes, size_t length)
{
    struct weft_client_sse *sse = self;

    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n') {
            sse_line(sse);
        } else if (sse->line_length < sizeof(sse->line) - 1) {
            sse->line[sse->line_length++] = bytes[i];
        } else {
            sse->cut = 1;
        }
    }
    return 0;
}
