// tcp.c: what does a request over TCP cost an actor? An echo of 64 bytes on the loopback, by actors
// on io_uring and on epoll, and by a loop in plain C; one server thread on one CPU, one client on
// another. The kernel's TCP is most of all of them.
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/context.h"
#include "bench/macro/tcp.h"

static int tell_fd;

static void tell_port(uint16_t port)
{
    if (write(tell_fd, &port, sizeof(port)) != sizeof(port)) exit(1);
}

static void serve_by_callbacks(void)
{
    weft_bench_tcp_actors(true, tell_port);
}

static void serve_by_stacks(void)
{
    weft_bench_tcp_actors(false, tell_port);
}

static void serve_by_callbacks_on_epoll(void)
{
    setenv("WEFT_IO", "epoll", 1);
    weft_bench_tcp_actors(true, tell_port);
}

static void serve_plainly(void)
{
    weft_bench_tcp_epoll(tell_port);
}

static const struct server {
    const char *name;
    void (*serve)(void);
} servers[] = {
    {"plain C, epoll", serve_plainly},
    {"callback actors, active", serve_by_callbacks},
    {"the same on epoll", serve_by_callbacks_on_epoll},
    {"stackful actors, passive", serve_by_stacks},
};

static void stay_on(int cpu)
{
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET((unsigned)cpu, &cpus);
    if (sysconf(_SC_NPROCESSORS_ONLN) > 1) sched_setaffinity(0, sizeof(cpus), &cpus);
}

static pid_t start(const struct server *server, uint16_t *port)
{
    int pipe_fds[2];
    if (pipe(pipe_fds) != 0) exit(1);
    const pid_t pid = fork();
    if (pid == 0) {
        close(pipe_fds[0]);
        tell_fd = pipe_fds[1];
        stay_on(0);
        server->serve();
        _exit(1);
    }
    close(pipe_fds[1]);
    if (read(pipe_fds[0], port, sizeof(*port)) != sizeof(*port)) *port = 0;
    close(pipe_fds[0]);
    return pid;
}

static uint64_t stop(pid_t pid) // CPU time of the server.
{
    struct rusage used;
    int status;
    kill(pid, SIGKILL);
    wait4(pid, &status, 0, &used);
    return ((uint64_t)used.ru_utime.tv_sec + (uint64_t)used.ru_stime.tv_sec) * 1000000000 +
           ((uint64_t)used.ru_utime.tv_usec + (uint64_t)used.ru_stime.tv_usec) * 1000;
}

static void measure(struct weft_bench *bench, const struct server *server, unsigned connections)
{
    const uint64_t run_ns = bench->quick ? 100000000 : 1000000000;
    char row[96], note[96];
    double rate = 0, cpu_us = 0, p50_us = 0, p99_us = 0;
    for (int run = 0; run < (bench->quick ? 1 : 3); run++) {
        uint64_t p50_ns, p99_ns;
        uint16_t port;
        const pid_t pid = start(server, &port);
        const uint64_t answers = weft_bench_tcp_ask(port, connections, run_ns, &p50_ns, &p99_ns);
        const double cpu = (double)stop(pid) / 1e3 / (double)answers;
        if (run > 0 && cpu >= cpu_us) continue; // The best by CPU time.
        cpu_us = cpu;
        rate = (double)answers * 1e9 / (double)run_ns;
        p50_us = (double)p50_ns / 1e3;
        p99_us = (double)p99_ns / 1e3;
    }
    snprintf(row, sizeof(row), "%s, %u", server->name, connections);
    snprintf(note, sizeof(note), "%.0f requests/s, p50 %.0f us, p99 %.0f us", rate, p50_us, p99_us);
    weft_bench_row(bench, row, cpu_us, "us", note);
}

int main(int argc, char **argv)
{
    static const unsigned connections[] = {1, 64, 1000};
    struct weft_bench bench;
    weft_bench_begin(&bench, "tcp", "the loopback, one server thread, one client", argc, argv);
    stay_on(1);
    weft_bench_say(&bench, "CPU time of the server for a request, by connections");
    for (size_t n = 0; n < sizeof(connections) / sizeof(connections[0]); n++) {
        for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++)
            measure(&bench, &servers[i], connections[n]);
        weft_bench_probe(&bench);
    }
    weft_bench_end(&bench);
    return 0;
}
