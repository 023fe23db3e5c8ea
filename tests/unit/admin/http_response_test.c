// Responses whole, in single bytes, and broken.
#include "tests/support/cmocka.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/admin/client.h"
#include "runtime/admin/http_response.h"
#include "runtime/base/units.h"

struct body {
    char text[256];
    size_t length;
};

static int take(void *self, const char *bytes, size_t length)
{
    struct body *body = self;

    assert_true(body->length + length < sizeof(body->text));
    memcpy(body->text + body->length, bytes, length);
    body->length += length;
    body->text[body->length] = '\0';
    return 0;
}

// Feeds `text` in pieces of `step`; true if the response was whole.
static bool feed(struct weft_http_response *response, struct body *body, const char *text,
                 size_t step)
{
    const size_t length = strlen(text);

    memset(body, 0, sizeof(*body));
    weft_http_response_init(response, take, body);
    for (size_t at = 0; at < length; at += step) {
        const size_t count = length - at < step ? length - at : step;
        if (!weft_http_response_feed(response, text + at, count)) break;
    }
    return weft_http_response_end(response);
}

static void reads_responses(void **state)
{
    static const struct {
        const char *name, *text;
        bool whole;
        unsigned status;
        const char *body;
    } cases[] = {
        {"length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", true, 200, "hello"},
        {"no body", "HTTP/1.1 204 No Content\r\n\r\n", true, 204, ""},
        {"empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true, 200, ""},
        {"to the end", "HTTP/1.0 200 OK\r\n\r\nabc", true, 200, "abc"},
        {"chunks",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n"
         "0123456789\r\n0\r\nTrailer: 1\r\n\r\n",
         true, 200, "abc0123456789"},
        {"bare newlines", "HTTP/1.1 404 X\nContent-Length: 1\n\nz", true, 404, "z"},
        {"100 first", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
         true, 200, "x"},
        {"cut body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", false, 200, "hell"},
        {"cut chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", false, 200,
         "ab"},
        {"cut head", "HTTP/1.1 200 OK\r\nContent-", false, 200, ""},
        {"not HTTP", "SSH-2.0-OpenSSH\r\n", false, 0, ""},
        {"odd status", "HTTP/1.1 2x0 OK\r\n\r\n", false, 2, ""},
        {"odd length", "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n", false, 200, ""},
        {"negative length", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", false, 200, ""},
        {"huge length", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", false,
         200, ""},
        {"huge chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
         false, 200, ""},
        {"chunk without end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\naXX\r\n",
         false, 200, "a"},
        {"other coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", false, 200, ""},
        {"header without colon", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", false, 200, ""},
    };
    struct weft_http_response response;
    struct body body;
    (void)state;

    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        for (size_t step = 1; step < 64; step += 7) {
            const bool whole = feed(&response, &body, cases[i].text, step);
            if (whole != cases[i].whole || response.status != cases[i].status ||
                strcmp(body.text, cases[i].body) != 0) {
                fail_msg("%s by %zu: %d %u %s", cases[i].name, step, whole, response.status,
                         body.text);
            }
        }
    }
}

static void bounds_the_head(void **state)
{
    struct weft_http_response response;
    struct body body = {.length = 0};
    char line[1024];
    (void)state;

    weft_http_response_init(&response, take, &body);
    assert_true(weft_http_response_feed(&response, "HTTP/1.1 200 OK\r\n", 17));
    snprintf(line, sizeof(line), "X: %0900d\r\n", 1);
    for (unsigned i = 0; i < 20; i++)
        weft_http_response_feed(&response, line, strlen(line));
    assert_int_equal(response.state, WEFT_HTTP_MALFORMED);
}

static char seen[256];

static void see(void *self, const char *data, size_t length)
{
    (void)self;
    strncat(seen, data, length);
    strcat(seen, "|");
}

static void splits_server_sent_events(void **state)
{
    static const char text[] = "retry: 1000\n\nid: 1\nevent: x\ndata: {\"a\":1}\n\n: note\n\n"
                               "data:{\"b\":2}\r\n\n";
    static struct weft_client_sse sse = {.event = see};
    (void)state;

    for (size_t i = 0; i < sizeof(text) - 1; i++)
        weft_client_sse_take(&sse, text + i, 1);
    assert_string_equal(seen, "{\"a\":1}|{\"b\":2}|");
}

// Somebody listens there and takes nobody: connect itself has to end in time.
static void connects_within_its_time(void **state)
{
    (void)state;
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr *const addresses[] = {(struct sockaddr *)&un, (struct sockaddr *)&in};
    socklen_t lengths[] = {sizeof(un), sizeof(in)};

    snprintf(un.sun_path, sizeof(un.sun_path), "/tmp/weft-full-%d.sock", (int)getpid());
    for (size_t i = 0; i < 2; i++) {
        struct weft_client_target target = {.name = "n1"};
        const struct weft_client_call call = {.method = "GET", .path = "/", .timeout_ms = 100};
        struct weft_client_answer answer;
        struct weft_error error = {0};
        int waiting[8];
        const int fd = socket(addresses[i]->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(fd, addresses[i], lengths[i]), 0);
        assert_int_equal(listen(fd, 0), 0);
        assert_int_equal(getsockname(fd, addresses[i], &lengths[i]), 0);
        for (size_t n = 0; n < WEFT_COUNT_OF(waiting); n++) { // Its queue is full.
            waiting[n] = socket(addresses[i]->sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
            (void)!connect(waiting[n], addresses[i], lengths[i]);
        }
        snprintf(target.path, sizeof(target.path), "%s", i == 0 ? un.sun_path : "");
        target.port = ntohs(in.sin_port);
        assert_int_equal(weft_client_ask(&target, &call, &answer, &error), -1);
        assert_int_equal(error.code, 505);
        for (size_t n = 0; n < WEFT_COUNT_OF(waiting); n++)
            close(waiting[n]);
        close(fd);
    }
    unlink(un.sun_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_responses),
        cmocka_unit_test(bounds_the_head),
        cmocka_unit_test(splits_server_sent_events),
        cmocka_unit_test(connects_within_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
