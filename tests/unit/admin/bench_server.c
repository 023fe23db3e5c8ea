#include "tests/unit/admin/bench_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/base/assert.h"

static uint64_t skewed_ns(void *self)
{
    const struct bench_server *bench = self;
    const struct weft_clock clock = weft_clock_linux();

    return weft_clock_now_ns(&clock) + bench->skew_ns;
}

void bench_server_init(struct bench_server *bench, const struct weft_admin_route *routes,
                       const char *unavailable)
{
    struct weft_error error = {0};

    memset(bench, 0, sizeof(*bench));
    fake_node_init(&bench->fake);
    strcpy(bench->directory, "/tmp/weft-admin-XXXXXX");
    weft_assert(mkdtemp(bench->directory) != NULL);
    snprintf(bench->path, sizeof(bench->path), "%s/admin.sock", bench->directory);
    const struct weft_admin_options options = {
        .source = &bench->fake.source,
        .clock = {.now_ns = skewed_ns, .wall_ns = skewed_ns, .self = bench},
        .routes = routes,
        .unavailable = unavailable,
    };
    bench->server = weft_admin_server_create(&options);
    weft_assert(bench->server != NULL);
    if (weft_admin_listen_unix(bench->server, bench->path, &error) < 0 ||
        weft_admin_listen_tcp(bench->server, 0, &error) < 0) {
        fprintf(stderr, "%s\n", error.text);
        abort();
    }
    bench->port = weft_admin_server_port(bench->server);
}

void bench_server_destroy(struct bench_server *bench)
{
    weft_admin_server_free(bench->server);
    rmdir(bench->directory);
}

int bench_connect(const struct bench_server *bench, bool tcp)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    const struct sockaddr_in in = {.sin_family = AF_INET,
                                   .sin_port = htons(bench->port),
                                   .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};

    strcpy(un.sun_path, bench->path);
    const int fd = socket(tcp ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    weft_assert(fd >= 0);
    const int result = tcp ? connect(fd, (const struct sockaddr *)&in, sizeof(in))
                           : connect(fd, (const struct sockaddr *)&un, sizeof(un));
    weft_assert(result == 0);
    return fd;
}

size_t bench_talk(struct bench_server *bench, int fd, const char *request, size_t request_length,
                  const char *until, char *answer, size_t limit)
{
    size_t sent = 0, used = 0;

    for (unsigned round = 0; round < 20000; round++) {
        if (sent < request_length) {
            const ssize_t count =
                send(fd, request + sent, request_length - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (count > 0) sent += (size_t)count;
        }
        weft_admin_server_turn(bench->server, 1);
        const ssize_t count = recv(fd, answer + used, limit - 1 - used, MSG_DONTWAIT);
        if (count > 0) used += (size_t)count;
        answer[used] = '\0';
        if (count == 0 || (until != NULL && strstr(answer, until) != NULL)) return used;
    }
    answer[used] = '\0';
    return used;
}

unsigned bench_ask(struct bench_server *bench, bool tcp, const char *line, const char *headers,
                   const char *body, char *answer, size_t limit)
{
    const size_t body_length = body != NULL ? strlen(body) : 0;
    char *request = malloc(body_length + 1024);
    const int fd = bench_connect(bench, tcp);
    unsigned status = 0;

    weft_assert(request != NULL);
    char host[64] = "";
    if (headers == NULL) headers = "";
    if (strstr(headers, "Host:") == NULL) {
        snprintf(host, sizeof(host), "Host: 127.0.0.1:%u\r\n", (unsigned)bench->port);
    }
    int length =
        snprintf(request, 1024, "%s HTTP/1.1\r\n%s%sConnection: close\r\n", line, host, headers);
    if (body != NULL) {
        length += snprintf(request + length, 128, "Content-Length: %zu\r\n", body_length);
    }
    length += snprintf(request + length, 8, "\r\n");
    if (body != NULL) memcpy(request + length, body, body_length);
    bench_talk(bench, fd, request, (size_t)length + body_length, NULL, answer, limit);
    close(fd);
    free(request);
    sscanf(answer, "HTTP/1.1 %u", &status);
    return status;
}
