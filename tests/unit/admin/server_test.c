// Every route, every refusal, over real sockets turned by the test.
#include "tests/support/cmocka.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/admin/route.h"
#include "tests/unit/admin/bench_server.h"

#define ANSWER_BYTES 262144

static char answer[ANSWER_BYTES];

static int setup(void **state)
{
    struct bench_server *bench = malloc(sizeof(*bench));

    bench_server_init(bench, NULL, NULL);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    bench_server_destroy(*state);
    free(*state);
    return 0;
}

static unsigned ask(void **state, bool tcp, const char *line, const char *headers, const char *body)
{
    return bench_ask(*state, tcp, line, headers, body, answer, sizeof(answer));
}

static json_t *body_json(void)
{
    const char *body = strstr(answer, "\r\n\r\n");

    assert_non_null(body);
    return json_loads(body + 4, 0, NULL);
}

static void answers_every_get(void **state)
{
    static const struct {
        const char *path, *contains;
    } cases[] = {
        {"/", "<title>weft n1</title>"},
        {"/weft.css", "body{"},
        {"/livez", "ok\n"},
        {"/readyz", "ready\n"},
        {"/readyz?verbose", "[+] mesh ok\n"},
        {"/healthz", "ready\n"},
        {"/metrics", "weft_drops_total{stage=\"udp\",reason=\"no_port\",core=\"1\"} 2\n"},
        {"/openapi.json", "\"openapi\":\"3.1.0\""},
        {"/api", "\"versions\":[\"v1\"]"},
        {"/api/v1/node", "\"id\":\"00000000000000a1\""},
        {"/api/v1/cores", "\"kind\":\"worker\",\"cpu\":1,\"busy_ratio\":0.125"},
        {"/api/v1/ports", "\"mac\":\"02:00:00:00:00:01\""},
        {"/api/v1/drops", "\"balance\":{\"received\":10,\"delivered\":5,\"dropped\":5,"
                          "\"in_flight\":0,\"holds\":true}"},
        {"/api/v1/mesh", "\"rtt_ns\":35000"},
        {"/api/v1/swarm", "\"nodes\":3,\"alive\":2"},
        {"/api/v1/units", "\"pid\":\"0000000101000000\""},
        {"/api/v1/units", "\"receives_far\":true"},
        {"/api/v1/events", "\"items\":[]"},
        {"/api/v1/logs", "\"items\":[]"},
        {"/api/v1/fault", "\"loss_ratio\":0.0"},
    };
    for (int tcp = 0; tcp < 2; tcp++) {
        for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
            char line[64];
            snprintf(line, sizeof(line), "GET %s", cases[i].path);
            if (ask(state, tcp, line, NULL, NULL) != 200 || !strstr(answer, cases[i].contains)) {
                fail_msg("%s: %s", cases[i].path, answer);
            }
            assert_non_null(strstr(answer, "X-Content-Type-Options: nosniff"));
        }
    }
}

static void documents_are_json_with_a_version(void **state)
{
    static const char *const paths[] = {"node",  "cores", "ports",  "drops", "mesh",
                                        "swarm", "units", "events", "logs",  "fault"};
    for (size_t i = 0; i < WEFT_COUNT_OF(paths); i++) {
        char line[64];
        snprintf(line, sizeof(line), "GET /api/v1/%s", paths[i]);
        assert_int_equal(ask(state, true, line, NULL, NULL), 200);
        json_t *json = body_json();
        assert_string_equal(json_string_value(json_object_get(json, "apiVersion")), "v1");
        json_decref(json);
    }
}

static void refuses(void **state)
{
    static const struct {
        const char *name;
        bool tcp;
        const char *line, *headers, *body;
        unsigned status;
        const char *code;
    } cases[] = {
        {"no such path", true, "GET /nope", NULL, NULL, 404, "W0503"},
        {"wrong method", true, "PUT /api/v1/node", NULL, "", 405, "W0504"},
        {"a stranger's Host", true, "GET /api/v1/node", "Host: evil.example:9338\r\n", NULL, 403,
         "W0502"},
        {"Host without our port", true, "GET /api/v1/node", "Host: 127.0.0.1\r\n", NULL, 403,
         "W0502"},
        {"Host with a suffix", true, "GET /api/v1/node", "Host: localhost.evil.example\r\n", NULL,
         403, "W0502"},
        {"Origin of another site", true, "GET /api/v1/node", "Origin: http://evil.example\r\n",
         NULL, 403, "W0502"},
        {"Origin null", true, "GET /", "Origin: null\r\n", NULL, 403, "W0502"},
        {"write on TCP", true, "POST /api/v1/units/counter/eval", NULL, "{\"text\":\"1\"}", 403,
         "W0502"},
        {"unload on TCP", true, "DELETE /api/v1/units/counter", NULL, NULL, 403, "W0502"},
        {"capture on TCP", true, "GET /api/v1/pcap", NULL, NULL, 403, "W0502"},
        {"trace on TCP", true, "GET /api/v1/actors/counter/trace", NULL, NULL, 403, "W0502"},
        {"trace of nobody", false, "GET /api/v1/actors/nobody/trace", NULL, NULL, 404, "W0801"},
        {"trace of nothing", false, "GET /api/v1/actors/counter/trace?count=0", NULL, NULL, 400,
         "W0504"},
        {"flight of nobody", true, "GET /api/v1/cores/trace?actor=nobody", NULL, NULL, 404,
         "W0801"},
        {"flight without a number", true, "GET /api/v1/cores/trace?limit=x", NULL, NULL, 400,
         "W0504"},
        {"not JSON", false, "POST /api/v1/units/counter/eval", NULL, "{\"text\":", 400, "W0504"},
        {"not an object", false, "POST /api/v1/units/counter/eval", NULL, "[]", 400, "W0504"},
        {"no body", false, "POST /api/v1/units/counter/eval", NULL, "", 400, "W0504"},
        {"missing key", false, "POST /api/v1/units", NULL, "{\"name\":\"x\"}", 400, "W0504"},
        {"unknown key", false, "POST /api/v1/units", NULL,
         "{\"name\":\"x\",\"source\":\"\",\"sauce\":1}", 400, "W0504"},
        {"wrong type", false, "POST /api/v1/units", NULL, "{\"name\":\"x\",\"source\":7}", 400,
         "W0504"},
        {"twice the same key", false, "POST /api/v1/units", NULL,
         "{\"name\":\"x\",\"name\":\"y\",\"source\":\"\"}", 400, "W0504"},
        {"a name with a slash", false, "POST /api/v1/units", NULL,
         "{\"name\":\"../x\",\"source\":\"\"}", 400, "W0504"},
        {"unknown recovery", false, "POST /api/v1/units", NULL,
         "{\"name\":\"x\",\"source\":\"\",\"recovery\":\"maybe\"}", 400, "W0504"},
        {"a dotted name in the path", false, "DELETE /api/v1/units/..", NULL, NULL, 404, "W0503"},
        {"unknown unit", false, "POST /api/v1/units/nobody/eval", NULL, "{\"text\":\"1\"}", 404,
         "W0402"},
        {"unit exists", false, "POST /api/v1/units", NULL,
         "{\"name\":\"counter\",\"source\":\"1\"}", 409, "W0403"},
        {"loss above one", false, "POST /api/v1/fault", NULL, "{\"loss_ratio\":1.5}", 400, "W0504"},
        {"an endless delay", false, "POST /api/v1/fault", NULL, "{\"delay_ns\":99000000000000}",
         400, "W0504"},
        {"since is no number", true, "GET /api/v1/events?since=x", NULL, NULL, 400, "W0504"},
        {"Last-Event-ID is no number", true, "GET /api/v1/events", "Last-Event-ID: 1x\r\n", NULL,
         400, "W0504"},
        {"no such port", false, "GET /api/v1/pcap?port=p9", NULL, NULL, 404, "W0503"},
        {"too large by its header", false, "POST /api/v1/units", "Content-Length: 1048577\r\n",
         NULL, 413, "W0504"},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        const unsigned status =
            ask(state, cases[i].tcp, cases[i].line, cases[i].headers, cases[i].body);
        if (status != cases[i].status || strstr(answer, cases[i].code) == NULL) {
            fail_msg("%s: %u %s", cases[i].name, status, answer);
        }
        assert_non_null(strstr(answer, "application/problem+json"));
    }
}

static void refuses_a_body_that_grows_too_large(void **state)
{
    struct bench_server *bench = *state;
    static char request[WEFT_ADMIN_BODY_BYTES_MAX + 4096];
    const int fd = bench_connect(bench, false);
    // Chunked, so that no header tells its size before.
    size_t length = (size_t)sprintf(request, "POST /api/v1/units HTTP/1.1\r\nHost: w\r\n"
                                             "Transfer-Encoding: chunked\r\n\r\n100001\r\n");
    memset(request + length, 'x', 0x100001);
    length += 0x100001;
    length += (size_t)sprintf(request + length, "\r\n0\r\n\r\n");
    bench_talk(bench, fd, request, length, "1 MiB", answer, sizeof(answer));
    assert_non_null(strstr(answer, "HTTP/1.1 413"));
    close(fd);
}

static void garbage_ends_only_its_own_connection(void **state)
{
    struct bench_server *bench = *state;
    static const char *const lines[] = {
        "GET\r\n\r\n", "\x16\x03\x01 HTTP/9\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST /api/v1/units HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"};
    for (size_t i = 0; i < WEFT_COUNT_OF(lines); i++) {
        const int fd = bench_connect(bench, true);
        send(fd, lines[i], strlen(lines[i]), MSG_NOSIGNAL);
        for (unsigned round = 0; round < 20; round++)
            weft_admin_server_turn(bench->server, 0);
        const ssize_t count = recv(fd, answer, sizeof(answer) - 1, MSG_DONTWAIT);
        answer[count > 0 ? count : 0] = '\0';
        assert_null(strstr(answer, "HTTP/1.1 200"));
        close(fd);
    }
    assert_int_equal(ask(state, true, "GET /livez", NULL, NULL), 200);
}

static void more_connections_than_there_is_room_for_wait(void **state)
{
    struct bench_server *bench = *state;
    static const char request[] = "GET /livez HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n";
    int idle[64];

    for (size_t i = 0; i < WEFT_COUNT_OF(idle); i++) {
        idle[i] = bench_connect(bench, false);
        weft_admin_server_turn(bench->server, 0);
    }
    const int fd = bench_connect(bench, false); // In the backlog.
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    for (unsigned round = 0; round < 20; round++)
        weft_admin_server_turn(bench->server, 0);
    assert_int_equal(recv(fd, answer, sizeof(answer), MSG_DONTWAIT), -1);
    close(idle[0]);
    bench_talk(bench, fd, "", 0, NULL, answer, sizeof(answer));
    assert_non_null(strstr(answer, "HTTP/1.1 200"));
    close(fd);
    for (size_t i = 1; i < WEFT_COUNT_OF(idle); i++)
        close(idle[i]);
    assert_int_equal(ask(state, true, "HEAD /livez", NULL, NULL), 200); // TCP has room of its own.
}

static void runs_commands(void **state)
{
    static const struct {
        const char *name, *line, *body;
        unsigned status;
        const char *contains;
    } cases[] = {
        {"load", "POST /api/v1/units",
         "{\"name\":\"x\",\"source\":\": a 1 ;\",\"file\":\"x.fth\",\"recovery\":\"none\"}", 201,
         "\"throw\":0"},
        {"load a bad one", "POST /api/v1/units", "{\"name\":\"x\",\"source\":\"bad\"}", 422,
         "\"detail\":\"eval:1:1: undefined word: bad\""},
        {"eval", "POST /api/v1/units/counter/eval", "{\"text\":\"5 add\"}", 200,
         "\"output\":\"8 \""},
        {"eval a bad text", "POST /api/v1/units/counter/eval", "{\"text\":\"bad\"}", 422,
         "\"line\":1,\"column\":1"},
        {"kill", "POST /api/v1/units/counter/kill", "", 200, "\"ok\":true"},
        {"unload", "DELETE /api/v1/units/counter", NULL, 200, "\"ok\":true"},
        {"fault", "POST /api/v1/fault", "{\"port\":\"p0\",\"loss_ratio\":0.25,\"delay_ns\":5000}",
         200, "\"ok\":true"},
    };
    struct bench_server *bench = *state;

    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        const unsigned status = ask(state, false, cases[i].line, NULL, cases[i].body);
        if (status != cases[i].status || strstr(answer, cases[i].contains) == NULL) {
            fail_msg("%s: %u %s", cases[i].name, status, answer);
        }
    }
    assert_string_equal(bench->fake.fault.port, "p0");
    assert_true(bench->fake.fault.loss_ratio > 0.24 && bench->fake.fault.loss_ratio < 0.26);
    assert_int_equal(bench->fake.fault.delay_ns, 5000);
}

static void output_that_is_not_utf8_is_replaced(void **state)
{
    struct bench_server *bench = *state;

    strcpy(bench->fake.eval_output, "a\xff"
                                    "b");
    assert_int_equal(ask(state, false, "POST /api/v1/units/counter/eval", NULL, "{\"text\":\"x\"}"),
                     200);
    json_t *json = body_json();
    assert_string_equal(json_string_value(json_object_get(json, "output")), "a\xef\xbf\xbd"
                                                                            "b");
    json_decref(json);
}

// Sends an evaluation that the fake node keeps.
static int ask_and_hold(struct bench_server *bench)
{
    static const char request[] = "POST /api/v1/units/counter/eval?timeout_ms=2000 HTTP/1.1\r\n"
                                  "Host: w\r\nConnection: close\r\nContent-Length: 12\r\n\r\n"
                                  "{\"text\":\"1\"}";
    const int fd = bench_connect(bench, false);

    bench->fake.hold = true;
    assert_int_equal(send(fd, request, strlen(request), 0), strlen(request));
    for (unsigned i = 0; i < 1000 && bench->fake.held == NULL; i++) {
        weft_admin_server_turn(bench->server, 1);
    }
    assert_non_null(bench->fake.held);
    return fd;
}

static void a_command_may_end_later(void **state)
{
    struct bench_server *bench = *state;
    const int fd = ask_and_hold(bench);

    weft_admin_complete(bench->fake.held);
    bench_talk(bench, fd, "", 0, NULL, answer, sizeof(answer));
    assert_non_null(strstr(answer, "HTTP/1.1 200"));
    close(fd);
}

static void a_late_command_is_told_and_may_still_end(void **state)
{
    struct bench_server *bench = *state;
    const int fd = ask_and_hold(bench);

    bench->skew_ns = 3 * WEFT_NS_PER_S; // The deadline passes.
    bench_talk(bench, fd, "", 0, NULL, answer, sizeof(answer));
    assert_non_null(strstr(answer, "HTTP/1.1 504"));
    assert_non_null(strstr(answer, "W0505"));
    weft_admin_complete(bench->fake.held);
    close(fd);
}

static void closing_answers_who_waits(void **state)
{
    struct bench_server *bench = *state;
    const int fd = ask_and_hold(bench);

    weft_admin_server_free(bench->server);
    const ssize_t count = recv(fd, answer, sizeof(answer) - 1, 0);
    answer[count > 0 ? count : 0] = '\0';
    assert_non_null(strstr(answer, "HTTP/1.1 503"));
    close(fd);
    weft_admin_complete(bench->fake.held); // The node ends it after the server is gone.
    rmdir(bench->directory);
    bench_server_init(bench, NULL, NULL);
}

static void events_resume_by_number(void **state)
{
    struct bench_server *bench = *state;
    struct weft_admin_events *events = &bench->fake.events;
    char line[96], id[32];

    const uint64_t first = weft_admin_events_add(events, 5, "node.up", "n2", "n2 answers");
    weft_admin_events_add(events, 6, "node.dead", "n3", "n3 is \"gone\"\nquite");
    assert_int_equal(ask(state, true, "GET /api/v1/events", NULL, NULL), 200);
    assert_non_null(strstr(answer, "node.up"));
    snprintf(id, sizeof(id), "\"next\":%llu", (unsigned long long)first + 1);
    assert_non_null(strstr(answer, id));

    snprintf(line, sizeof(line), "GET /api/v1/events?since=%llu", (unsigned long long)first);
    assert_int_equal(ask(state, true, line, NULL, NULL), 200);
    assert_null(strstr(answer, "node.up"));
    assert_non_null(strstr(answer, "node.dead"));
}

static void events_stream_and_resume(void **state)
{
    struct bench_server *bench = *state;
    struct weft_admin_events *events = &bench->fake.events;
    char request[256];
    int fd = bench_connect(bench, true);

    const uint64_t first = weft_admin_events_add(events, 5, "node.up", "n2", "one");
    int length = snprintf(request, sizeof(request),
                          "GET /api/v1/events HTTP/1.1\r\nHost: localhost:%u\r\n"
                          "Accept: text/event-stream\r\n\r\n",
                          (unsigned)bench->port);
    bench_talk(bench, fd, request, (size_t)length, "\"one\"", answer, sizeof(answer));
    assert_non_null(strstr(answer, "text/event-stream"));
    assert_non_null(strstr(answer, "event: node.up\n"));
    weft_admin_events_add(events, 6, "node.dead", "n3", "two"); // While it sleeps.
    bench_talk(bench, fd, "", 0, "\"two\"", answer, sizeof(answer));
    assert_non_null(strstr(answer, "node.dead"));
    close(fd);

    fd = bench_connect(bench, true);
    length = snprintf(request, sizeof(request),
                      "GET /api/v1/events?follow HTTP/1.1\r\nHost: localhost:%u\r\n"
                      "Last-Event-ID: %llu\r\n\r\n",
                      (unsigned)bench->port, (unsigned long long)first);
    bench_talk(bench, fd, request, (size_t)length, "\"two\"", answer, sizeof(answer));
    assert_null(strstr(answer, "\"one\""));
    assert_non_null(strstr(answer, "\"two\""));
    close(fd);
}

static void logs_show_their_tail(void **state)
{
    struct bench_server *bench = *state;
    struct weft_log_record record = {.core = 1, .level = WEFT_LOG_WARN, .module = "mesh"};

    for (unsigned i = 0; i < 5; i++) {
        snprintf(record.text, sizeof(record.text), "line %u", i);
        weft_admin_logs_add(&bench->fake.logs, i, &record);
    }
    assert_int_equal(ask(state, true, "GET /api/v1/logs?tail=2", NULL, NULL), 200);
    assert_null(strstr(answer, "line 2"));
    assert_non_null(strstr(answer, "\"level\":\"warn\",\"core\":1"));
    assert_non_null(strstr(answer, "line 3"));
    assert_non_null(strstr(answer, "line 4"));
}

static void captures_stream_and_close(void **state)
{
    struct bench_server *bench = *state;

    assert_int_equal(ask(state, false, "GET /api/v1/pcap?port=p0", NULL, NULL), 200);
    assert_non_null(strstr(answer, "PCAP"));
    assert_int_equal(bench->fake.captures_open, 0);
}

static void traces_stream_and_close(void **state)
{
    struct bench_server *bench = *state;
    const char *path = "GET /api/v1/actors/counter/trace";

    assert_int_equal(ask(state, false, path, NULL, NULL), 200);
    assert_non_null(strstr(answer, "event: begin\ndata: {"));
    assert_non_null(strstr(answer, "\"event\":\"receive\",\"pid\":\"0000000000000005\","
                                   "\"peer\":\"0000000000000006\",\"tag\":\"call\",\"type\":3,"
                                   "\"length\":40}"));
    assert_non_null(strstr(answer, "\"event\":\"missed\""));
    assert_non_null(strstr(answer, "\"reason\":1,\"text\":\"killed\"}"));
    assert_int_equal(bench->fake.traces_open, 0);
    // Of those that count, two: neither its begin nor what was missed.
    assert_int_equal(ask(state, false, "GET /api/v1/actors/counter/trace?count=2", NULL, NULL),
                     200);
    assert_non_null(strstr(answer, "\"event\":\"spawn\""));
    assert_null(strstr(answer, "\"event\":\"exit\""));
    assert_int_equal(bench->fake.traces_open, 0);
}

static void the_flight_recorder_is_a_list(void **state)
{
    assert_int_equal(ask(state, true, "GET /api/v1/cores/trace?actor=counter", NULL, NULL), 200);
    json_t *json = body_json();
    assert_int_equal(json_array_size(json_object_get(json, "items")), 2);
    json_decref(json);
    assert_int_equal(ask(state, true, "GET /api/v1/cores/trace?limit=1", NULL, NULL), 200);
    json = body_json();
    json_t *items = json_object_get(json, "items");
    assert_int_equal(json_array_size(items), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(items, 0), "event")),
                        "exit");
    json_decref(json);
}

static void health_follows_the_node(void **state)
{
    struct bench_server *bench = *state;

    bench->fake.ready = false;
    assert_int_equal(ask(state, true, "GET /readyz?verbose", NULL, NULL), 503);
    assert_non_null(strstr(answer, "[-] mesh not ready: no peer has answered"));
    assert_int_equal(ask(state, true, "GET /readyz", "Accept: application/json\r\n", NULL), 503);
    assert_non_null(strstr(answer, "\"ready\":false"));
    bench->fake.ready = true;
    bench->fake.draining = true;
    assert_int_equal(ask(state, true, "GET /healthz", NULL, NULL), 503);
    assert_int_equal(ask(state, true, "GET /livez", NULL, NULL), 200);
    bench->fake.stalled = true;
    assert_int_equal(ask(state, true, "GET /livez", NULL, NULL), 503);
    assert_non_null(strstr(answer, "core 1"));
}

static void metrics_speak_both_formats(void **state)
{
    assert_int_equal(ask(state, true, "GET /metrics", NULL, NULL), 200);
    assert_non_null(strstr(answer, "# TYPE weft_drops_total counter"));
    assert_non_null(strstr(answer, "weft_core_seconds_total{core=\"1\",state=\"idle\"} 10.5"));
    assert_non_null(strstr(answer, "weft_mesh_datagrams_total{direction=\"sent\"} 40\n"));
    assert_non_null(strstr(answer, "weft_mesh_bytes_total{direction=\"received\"} 3000\n"));
    assert_non_null(strstr(answer, "weft_unit_modules 2\n"));
    assert_non_null(strstr(answer, "weft_unit_module_bytes 5000\n"));
    assert_non_null(strstr(answer, "weft_core_unit_modules{core=\"1\"} 2\n"));
    assert_null(strstr(answer, "# EOF"));
    assert_int_equal(
        ask(state, true, "GET /metrics", "Accept: application/openmetrics-text\r\n", NULL), 200);
    assert_non_null(strstr(answer, "# TYPE weft_drops counter"));
    assert_non_null(strstr(answer, "# EOF\n"));
}

static void every_route_is_described(void **state)
{
    assert_int_equal(ask(state, true, "GET /openapi.json", NULL, NULL), 200);
    json_t *json = body_json();
    const json_t *paths = json_object_get(json, "paths");
    for (const struct weft_admin_route *route = weft_admin_node_routes; route->method; route++) {
        const json_t *item = json_object_get(paths, route->path);
        const char *method = route->method[0] == 'G'   ? "get"
                             : route->method[0] == 'P' ? "post"
                                                       : "delete";
        const json_t *operation = json_object_get(item, method);
        assert_non_null(operation);
        if (route->body == NULL) continue;
        const json_t *schema = json_object_get(
            json_object_get(json_object_get(json_object_get(operation, "requestBody"), "content"),
                            "application/json"),
            "schema");
        assert_true(json_is_object(schema));
    }
    json_decref(json);
}

static void a_dead_node_answers_503(void **state)
{
    struct bench_server bench;
    (void)state;

    bench_server_init(&bench, NULL, "n2 is not running");
    assert_int_equal(
        bench_ask(&bench, true, "GET /api/v1/node", NULL, NULL, answer, sizeof(answer)), 503);
    assert_non_null(strstr(answer, "n2 is not running"));
    bench_server_destroy(&bench);
}

static void hello(struct weft_admin_request *request)
{
    weft_admin_reply_json(request, 200, json_pack("{s:s}", "hello", request->name));
}

static void another_table_can_be_served(void **state)
{
    static const struct weft_admin_route routes[] = {
        {"GET", "/api/v1/lab/{name}", "lab", "Greets.", hello},
        {.method = NULL},
    };
    struct bench_server bench;
    (void)state;

    bench_server_init(&bench, routes, NULL);
    assert_int_equal(
        bench_ask(&bench, true, "GET /api/v1/lab/n7", NULL, NULL, answer, sizeof(answer)), 200);
    assert_non_null(strstr(answer, "{\"hello\":\"n7\"}"));
    bench_server_destroy(&bench);
}

static void sockets_are_private_and_stale_ones_go(void **state)
{
    struct bench_server *bench = *state;
    struct weft_error error = {0};
    struct stat status;
    char path[128];

    assert_int_equal(stat(bench->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(weft_admin_open_unix(bench->path, &error), -1); // It answers.
    assert_non_null(strstr(error.text, "another process answers"));

    snprintf(path, sizeof(path), "%s/stale.sock", bench->directory);
    int fd = weft_admin_open_unix(path, &error);
    assert_true(fd >= 0);
    close(fd); // The file stays: nobody answers there.
    fd = weft_admin_open_unix(path, &error);
    assert_true(fd >= 0);
    close(fd);
    unlink(path);

    snprintf(path, sizeof(path), "%s/file", bench->directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(weft_admin_open_unix(path, &error), -1); // Not ours to remove.
    assert_int_equal(unlink(path), 0);
}

static void only_loopback_is_served(void **state)
{
    struct bench_server *bench = *state;
    struct weft_error error = {0};
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(weft_admin_serve_fd(bench->server, pair[0], &error), -1);
    close(pair[0]);
    close(pair[1]);
    const int fd = socket(AF_INET, SOCK_STREAM, 0); // Bound to every address.
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(weft_admin_serve_fd(bench->server, fd, &error), -1);
    assert_int_equal(error.code, 502);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_every_get, setup, teardown),
        cmocka_unit_test_setup_teardown(documents_are_json_with_a_version, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_a_body_that_grows_too_large, setup, teardown),
        cmocka_unit_test_setup_teardown(garbage_ends_only_its_own_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(more_connections_than_there_is_room_for_wait, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(runs_commands, setup, teardown),
        cmocka_unit_test_setup_teardown(output_that_is_not_utf8_is_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(a_command_may_end_later, setup, teardown),
        cmocka_unit_test_setup_teardown(a_late_command_is_told_and_may_still_end, setup, teardown),
        cmocka_unit_test_setup_teardown(closing_answers_who_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(events_resume_by_number, setup, teardown),
        cmocka_unit_test_setup_teardown(events_stream_and_resume, setup, teardown),
        cmocka_unit_test_setup_teardown(logs_show_their_tail, setup, teardown),
        cmocka_unit_test_setup_teardown(captures_stream_and_close, setup, teardown),
        cmocka_unit_test_setup_teardown(traces_stream_and_close, setup, teardown),
        cmocka_unit_test_setup_teardown(the_flight_recorder_is_a_list, setup, teardown),
        cmocka_unit_test_setup_teardown(health_follows_the_node, setup, teardown),
        cmocka_unit_test_setup_teardown(metrics_speak_both_formats, setup, teardown),
        cmocka_unit_test_setup_teardown(every_route_is_described, setup, teardown),
        cmocka_unit_test(a_dead_node_answers_503),
        cmocka_unit_test(another_table_can_be_served),
        cmocka_unit_test_setup_teardown(sockets_are_private_and_stale_ones_go, setup, teardown),
        cmocka_unit_test_setup_teardown(only_loopback_is_served, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
