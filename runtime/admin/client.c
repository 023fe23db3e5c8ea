#include "runtime/admin/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "runtime/admin/client_key.h"
#include "runtime/admin/http_response.h"
#include "runtime/admin/wire.h"
#include "runtime/base/units.h"

#define TIMEOUT_MS       10000
#define UPLOAD_BYTES     32768
#define UPLOAD_STALL_MS  60000
#define CONTINUE_MS      2000 // How long to wait for a word before the body is sent all the same.
#define WEFT_CLIENT_PORT 9338 // WEFT_ADMIN_PORT, which is the server's.

struct weft_client_stream {
    struct weft_wire wire;
    int64_t deadline_ms; // Until the headers are here.
    const struct weft_client_target *target;
    struct weft_http_response response;
    int (*take)(void *self, const char *bytes, size_t length);
    void *self;
    // An answer that is an error is kept, to be told.
    char problem[4096];
    size_t problem_length;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int unreachable(const struct weft_client_target *target, struct weft_error *error,
                       const char *why)
{
    char where[128];

    if (target->path[0] != '\0') {
        snprintf(where, sizeof(where), "%s", target->path);
    } else {
        snprintf(where, sizeof(where), "%.100s:%u",
                 target->host[0] != '\0' ? target->host : "127.0.0.1", (unsigned)target->port);
    }
    weft_error_set(error, 501, "%s cannot be reached at %s: %s",
                   target->name[0] != '\0' ? target->name : "the node", where, why);
    weft_error_hint(error, "is it running? `weft node ls` shows those that are");
    return -1;
}

// Only there may a certificate be anybody's. A name that begins like an address is none.
static bool is_loopback(const char *host)
{
    struct in_addr address;

    if (strcmp(host, "localhost") == 0) return true;
    return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

// "https://HOST[:PORT]" and whose certificate is to be there.
static int read_place(struct weft_client_target *target, const char *url, const char *fingerprint,
                      struct weft_error *error)
{
    unsigned port = WEFT_CLIENT_PORT;
    char end;

    memset(target, 0, sizeof(*target));
    if (sscanf(url, "https://%127[A-Za-z0-9.-]%c", target->host, &end) < 1 ||
        (strcspn(url + 8, ":/") != strlen(target->host)) ||
        (url[8 + strlen(target->host)] == ':' &&
         (sscanf(url + 8 + strlen(target->host), ":%5u%c", &port, &end) != 1 || port == 0 ||
          port > 65535)) ||
        url[8 + strlen(target->host)] == '/')
        return weft_error_set(error, 504, "%s: not of the form https://HOST:PORT", url);
    target->port = (uint16_t)port;
    const bool here = is_loopback(target->host);
    if (fingerprint == NULL ? !here : strlen(fingerprint) != 64) {
        weft_error_set(error, 504, "%s: whose certificate is it to have?", url);
        weft_error_hint(error, "WEFT_FINGERPRINT: 64 hex digits, as the node's console shows them");
        return -1;
    }
    snprintf(target->fingerprint, sizeof(target->fingerprint), "%s",
             fingerprint != NULL ? fingerprint : "");
    snprintf(target->name, sizeof(target->name), "%.50s:%u", target->host, port);
    return 0;
}

int weft_client_target_owner(struct weft_client_target *target, const char *url, const char *token,
                             const char *fingerprint, struct weft_error *error)
{
    if (read_place(target, url, fingerprint, error) != 0) return -1;
    if (token == NULL || strlen(token) < 16 || strlen(token) >= sizeof(target->token)) {
        weft_error_set(error, 504, "%s asks for its owner's token, or key", url);
        weft_error_hint(error, "WEFT_TOKEN is what stands in owner.token on the node's drive; "
                               "WEFT_KEY names the file of the key that owner.key is the public "
                               "half of");
        return -1;
    }
    snprintf(target->token, sizeof(target->token), "%s", token);
    return 0;
}

int weft_client_target_keyed(struct weft_client_target *target, const char *url, const char *key,
                             const char *fingerprint, struct weft_error *error)
{
    if (read_place(target, url, fingerprint, error) != 0) return -1;
    if (strlen(key) >= sizeof(target->key))
        return weft_error_set(error, 504, "%.40s…: the path of the key is too long", key);
    snprintf(target->key, sizeof(target->key), "%s", key);
    return 0;
}

static int late(const struct weft_client_target *target, struct weft_error *error)
{
    return weft_error_set(error, 505, "%s did not answer in time",
                          target->name[0] != '\0' ? target->name : "the node");
}

static int wait_for(int fd, short events, int64_t deadline_ms)
{
    struct pollfd waited = {.fd = fd, .events = events};
    const int64_t left_ms = deadline_ms - now_ms();
    const int result = poll(&waited, 1, left_ms > 0 ? (int)left_ms : 0);

    if (result == 0) return -ETIMEDOUT;
    return result < 0 ? -errno : 0;
}

// The kernel keeps the time of connect as that of a send: without a limit a machine that is off is
// waited for as long as TCP tries, two minutes. 0 or an errno.
static int connect_by(int fd, const struct sockaddr *address, socklen_t length, int64_t deadline_ms)
{
    const int64_t left_ms = deadline_ms - now_ms();
    const struct timeval limit = {.tv_sec = left_ms > 0 ? left_ms / 1000 : 0,
                                  .tv_usec = left_ms > 0 ? left_ms % 1000 * 1000 : 1};

    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0) return errno;
    if (connect(fd, address, length) == 0) return 0;
    return errno == EINPROGRESS || errno == EAGAIN ? ETIMEDOUT : errno;
}

// A descriptor, or -1 with `error`.
static int dial_at(const struct weft_client_target *target, const struct sockaddr *address,
                   socklen_t length, int64_t deadline_ms, struct weft_error *error)
{
    const int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int reason = fd < 0 ? errno : connect_by(fd, address, length, deadline_ms);

    if (reason == 0) return fd;
    if (fd >= 0) close(fd);
    if (reason == ETIMEDOUT) return late(target, error);
    if (address->sa_family == AF_UNIX && (reason == EACCES || reason == EPERM))
        return weft_error_set(error, 502, "%s: permission denied", target->path);
    return unreachable(target, error, strerror(reason));
}

static int dial_host(const struct weft_client_target *target, int64_t deadline_ms,
                     struct weft_error *error)
{
    const struct addrinfo wanted = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char port[8];

    snprintf(port, sizeof(port), "%u", (unsigned)target->port);
    const int result = getaddrinfo(target->host, port, &wanted, &found);
    if (result != 0) return unreachable(target, error, gai_strerror(result));
    const int fd = dial_at(target, found->ai_addr, found->ai_addrlen, deadline_ms, error);
    freeaddrinfo(found);
    return fd;
}

static int dial(const struct weft_client_target *target, int64_t deadline_ms,
                struct weft_error *error)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons(target->port),
                             .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};

    if (target->host[0] != '\0') return dial_host(target, deadline_ms, error);
    memcpy(un.sun_path, target->path, sizeof(un.sun_path) - 1);
    if (target->path[0] != '\0')
        return dial_at(target, (const struct sockaddr *)&un, sizeof(un), deadline_ms, error);
    return dial_at(target, (const struct sockaddr *)&in, sizeof(in), deadline_ms, error);
}

int weft_client_fingerprint(const struct weft_client_target *target, char fingerprint[65],
                            struct weft_error *error)
{
    const int64_t deadline_ms = now_ms() + TIMEOUT_MS;
    struct weft_wire wire = {.fd = dial_host(target, deadline_ms, error)};
    if (wire.fd < 0) return -1;
    int result = weft_wire_secure(&wire, "", NULL, deadline_ms);
    if (result == 0) result = weft_wire_fingerprint(&wire, fingerprint);
    weft_wire_close(&wire);
    if (result == 0) return 0;
    return result == -ETIMEDOUT ? late(target, error)
                                : unreachable(target, error, strerror(-result));
}

// What the head says of the body, and its end.
static int body_head(const struct weft_client_call *call, char *text, size_t size)
{
    if (call->upload != NULL)
        return snprintf(text, size,
                        "Content-Type: application/octet-stream\r\nExpect: 100-continue\r\n"
                        "Content-Length: %llu\r\n\r\n",
                        (unsigned long long)call->upload->bytes);
    if (call->body == NULL) return snprintf(text, size, "\r\n");
    return snprintf(text, size, "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n",
                    call->body_type != NULL ? call->body_type : "application/json",
                    call->body_length);
}

static int send_request(struct weft_wire *wire, const struct weft_client_target *target,
                        const struct weft_client_call *call, int64_t deadline_ms)
{
    char head[2048], host[160] = "weft";

    if (target->path[0] == '\0') {
        snprintf(host, sizeof(host), "%s:%u", target->host[0] != '\0' ? target->host : "127.0.0.1",
                 (unsigned)target->port);
    }
    const bool owner = target->host[0] != '\0' && target->token[0] != '\0';
    int length = snprintf(
        head, sizeof(head),
        "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: weft/" WEFT_VERSION
        "\r\nAccept: %s\r\nConnection: close\r\n%s%s%s",
        call->method, call->path, host, call->accept != NULL ? call->accept : "application/json",
        owner ? "Authorization: Bearer " : "", owner ? target->token : "", owner ? "\r\n" : "");
    if (length < 0 || (size_t)length >= sizeof(head)) return -ENAMETOOLONG;
    const size_t room = sizeof(head) - (size_t)length;
    const int more = body_head(call, head + length, room);
    if (more < 0 || (size_t)more >= room) return -ENAMETOOLONG;
    const int result = weft_wire_send(wire, head, (size_t)(length + more), deadline_ms);
    if (result < 0 || call->body == NULL) return result;
    return weft_wire_send(wire, call->body, call->body_length, deadline_ms);
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
    const bool is_keyed = target->host[0] != '\0' && target->key[0] != '\0';
    struct weft_client_key key = {.key = NULL};

    stream->target = target;
    stream->deadline_ms = now_ms() + (call->timeout_ms > 0 ? call->timeout_ms : TIMEOUT_MS);
    if (is_keyed && weft_client_key_open(&key, target->key, error) != 0) return -1;
    stream->wire = (struct weft_wire){.fd = dial(target, stream->deadline_ms, error)};
    int result = 0;
    if (stream->wire.fd >= 0 && target->host[0] != '\0')
        result = weft_wire_secure(&stream->wire, target->fingerprint, is_keyed ? &key : NULL,
                                  stream->deadline_ms);
    weft_client_key_close(&key); // The session has a copy.
    if (stream->wire.fd < 0) return -1;
    if (result == 0) result = send_request(&stream->wire, target, call, stream->deadline_ms);
    if (result == 0) return 0;
    weft_wire_close(&stream->wire);
    if (result == -EACCES) {
        weft_error_set(error, 502, "%s:%u is not the node whose fingerprint was given",
                       target->host, (unsigned)target->port);
        weft_error_hint(error, "the node shows its own on its console and in status.txt");
        return -1;
    }
    return result == -ETIMEDOUT ? late(target, error)
                                : unreachable(target, error, strerror(-result));
}

// One read. 1 more to come, 0 whole, -1 with `error`; -EINTR is 1.
static int stream_read(struct weft_client_stream *stream, struct weft_error *error)
{
    char bytes[16 * 1024];
    const ssize_t count = weft_wire_receive(&stream->wire, bytes, sizeof(bytes));

    if (count == -EINTR || count == -EAGAIN) return 1;
    if (count < 0 && count != -ECONNRESET) {
        return unreachable(stream->target, error, strerror((int)-count));
    }
    if (count <= 0) {
        if (weft_http_response_end(&stream->response)) return 0;
        return unreachable(stream->target, error,
                           "it closed the connection before its answer ended");
    }
    if (weft_http_response_feed(&stream->response, bytes, (size_t)count)) return 1;
    if (stream->response.state == WEFT_HTTP_DONE) return 0;
    return unreachable(stream->target, error, "what answers there does not speak HTTP");
}

// ---- Bodies that are sent as they are read.

// Has the node said something? Takes it. 1: not yet, or to go on; 0: it has answered; -1 `error`.
static int hear(struct weft_client_stream *stream, int64_t until_ms, struct weft_error *error)
{
    if (!weft_wire_holds_bytes(&stream->wire) && wait_for(stream->wire.fd, POLLIN, until_ms) != 0)
        return 1;
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
        const int64_t deadline_ms = now_ms() + UPLOAD_STALL_MS;
        const int result = weft_wire_send(&stream->wire, piece, (size_t)count, deadline_ms);
        if (result == -ETIMEDOUT) return late(stream->target, error);
        if (result < 0) return unreachable(stream->target, error, strerror(-result));
        done += (uint64_t)count;
        const int heard = hear(stream, now_ms(), error);
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
    int result = hear(stream, now_ms() + CONTINUE_MS, error);
    if (result > 0) result = send_pieces(stream, upload, piece, error);
    free(piece);
    stream->deadline_ms = now_ms() + UPLOAD_STALL_MS;
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
        const int waited = weft_wire_holds_bytes(&stream.wire)
                               ? 0
                               : wait_for(stream.wire.fd, POLLIN, stream.deadline_ms);
        if (waited == -EINTR) continue;
        result = waited < 0 ? late(target, error) : stream_read(&stream, error);
    }
    weft_wire_close(&stream.wire);
    if (result == 0 && collector.failed) {
        result = unreachable(target, error, "its answer is too large");
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
        unreachable(target, error, "its answer is not JSON");
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
    int result;

    do {
        result = stream_read(stream, error);
    } while (result > 0 && weft_wire_holds_bytes(&stream->wire)); // poll knows nothing of these.
    if (result != 0 || stream->response.status < 400) return result;
    json_t *problem = json_loadb(stream->problem, stream->problem_length, 0, NULL);
    weft_client_problem(stream->response.status, problem, error);
    json_decref(problem);
    return -1;
}

void weft_client_stream_close(struct weft_client_stream *stream)
{
    if (stream == NULL) return;
    weft_wire_close(&stream->wire);
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
        const int waited =
            wait_for(stream->wire.fd, POLLIN, begun ? now_ms() + 1000 : stream->deadline_ms);
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
