// tcp_plain.c: an echo in plain C with epoll, for reference, and the client of all of them.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/context.h"
#include "bench/macro/tcp.h"

enum { EVENTS = 256 };

static int make_socket(uint16_t *port, bool listens)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in name = {
        .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(name);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (!listens) {
        if (connect(fd, (struct sockaddr *)&name, sizeof(name)) != 0) exit(1);
        return fd;
    }
    if (bind(fd, (struct sockaddr *)&name, sizeof(name)) != 0 || listen(fd, 4096) != 0) exit(1);
    getsockname(fd, (struct sockaddr *)&name, &length);
    *port = ntohs(name.sin_port);
    return fd;
}

static void watch(int set, int fd, uint32_t number)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
    if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) != 0) exit(1);
}

void weft_bench_tcp_epoll(void (*ready)(uint16_t port))
{
    struct epoll_event events[EVENTS];
    char bytes[4096];
    uint16_t port = 0;
    const int listener = make_socket(&port, true), set = epoll_create1(EPOLL_CLOEXEC);
    watch(set, listener, (uint32_t)listener);
    ready(port);
    for (;;) {
        const int count = epoll_wait(set, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            const int fd = (int)events[i].data.u32;
            if (fd == listener) {
                const int taken = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
                if (taken >= 0) watch(set, taken, (uint32_t)taken);
                continue;
            }
            const ssize_t got = read(fd, bytes, sizeof(bytes));
            if (got <= 0 || write(fd, bytes, (size_t)got) != got) close(fd);
        }
    }
}

struct asked {
    int fd;
    uint32_t got;
    uint64_t begun_ns;
};

static void ask_once(struct asked *asked)
{
    static const char request[WEFT_BENCH_TCP_BYTES];
    asked->got = 0;
    asked->begun_ns = weft_bench_now_ns();
    if (write(asked->fd, request, sizeof(request)) != sizeof(request)) exit(1);
}

uint64_t weft_bench_tcp_ask(uint16_t port, unsigned count, uint64_t run_ns, uint64_t *p50_ns,
                            uint64_t *p99_ns)
{
    enum { TIMES = 1 << 20 };
    struct epoll_event events[EVENTS];
    struct asked *all = calloc(count, sizeof(*all));
    uint64_t *times = malloc(TIMES * sizeof(*times));
    uint64_t answers = 0;
    char bytes[4096];
    const int set = epoll_create1(EPOLL_CLOEXEC);
    for (unsigned i = 0; i < count; i++) {
        all[i].fd = make_socket(&port, false);
        watch(set, all[i].fd, i);
    }
    const uint64_t end_ns = weft_bench_now_ns() + run_ns;
    for (unsigned i = 0; i < count; i++)
        ask_once(&all[i]);
    while (weft_bench_now_ns() < end_ns) {
        const int ready = epoll_wait(set, events, EVENTS, 1000);
        for (int i = 0; i < ready; i++) {
            struct asked *asked = &all[events[i].data.u32];
            const ssize_t got = read(asked->fd, bytes, sizeof(bytes));
            if (got <= 0) exit(1);
            asked->got += (uint32_t)got;
            if (asked->got < WEFT_BENCH_TCP_BYTES) continue;
            times[answers++ % TIMES] = weft_bench_now_ns() - asked->begun_ns;
            ask_once(asked);
        }
    }
    const size_t kept = answers < TIMES ? (size_t)answers : TIMES;
    *p50_ns = weft_bench_percentile(times, kept, 500);
    *p99_ns = weft_bench_percentile(times, kept, 990);
    for (unsigned i = 0; i < count; i++)
        close(all[i].fd);
    close(set);
    free(all);
    free(times);
    return answers;
}
