// lab.c: the three-node lab as a whole: how soon it stands, what it costs at rest, how soon a
// killed node is missed and back, and how long a kernel client waits for a Forth unit's answer.
//
// bench_lab WEFT SCRATCH [--json] [--quick]: WEFT is the tool, SCRATCH a directory for the lab's
// files. The lab runs as a user starts it, on both links. CPU is that of all threads by the
// scheduler's own account, memory from smaps_rollup; "together" counts shared pages once.
#include <arpa/inet.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/context.h"
#include "bench/macro/child.h"
#include "runtime/base/units.h"

enum { NODES = 3, ROUNDS_MAX = 5000 };

#define MIB(bytes) ((double)(bytes) / (double)WEFT_MIB)

struct lab {
    const char *weft, *link;
    char run[64], socket[96], self[512];
    pid_t process, nodes[NODES], switcher;
    char sockets[NODES][108];
};

// ---- the client: started by `weft lab exec`, so its socket is the kernel's in the lab's network

// Asks, and waits for a reply that begins as it should; others are of an earlier round.
static int exchange(int fd, const char *text, const char *expected)
{
    char reply[2048];
    const size_t length = strlen(expected);
    if (send(fd, text, strlen(text), 0) < 0) return -1;
    for (;;) {
        const ssize_t got = recv(fd, reply, sizeof(reply), 0);
        if (got <= 0) return -1;
        if ((size_t)got >= length && memcmp(reply, expected, length) == 0) return 0;
    }
}

// --client ADDRESS PORT TEXT REPLY ROUNDS PAUSE_US: prints rounds, lost, p50, p99 in nanoseconds.
static int client(char **words)
{
    static uint64_t trip_ns[ROUNDS_MAX];
    const unsigned rounds = (unsigned)atoi(words[4]), pause_us = (unsigned)atoi(words[5]);
    const struct timeval patience = {.tv_usec = 500000};
    const uint64_t end_ns = weft_bench_now_ns() + 4 * WEFT_NS_PER_S;
    unsigned count = 0, lost = 0;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(words[1]))};
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || inet_pton(AF_INET, words[0], &to.sin_addr) != 1) return 1;
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) return 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    for (unsigned i = 0; i < 20; i++) // ARP, caches.
        exchange(fd, words[2], words[3]);
    while (count < rounds && count < ROUNDS_MAX && weft_bench_now_ns() < end_ns) {
        const uint64_t from = weft_bench_now_ns();
        if (exchange(fd, words[2], words[3]) < 0) {
            lost++;
        } else {
            trip_ns[count++] = weft_bench_now_ns() - from;
        }
        if (pause_us > 0) usleep(pause_us);
    }
    const uint64_t p50_ns = weft_bench_percentile(trip_ns, count, 500);
    printf("%u %u %llu %llu\n", count, lost, (unsigned long long)p50_ns,
           (unsigned long long)weft_bench_percentile(trip_ns, count, 990));
    return 0;
}

static void measure_trips(struct weft_bench *out, const struct lab *lab, const char *what,
                          const char *port, const char *text, const char *reply, unsigned pause_us)
{
    char command[1400], row[96], note[96];
    unsigned count = 0, lost = 0;
    unsigned long long p50_ns = 0, p99_ns = 0;
    snprintf(command, sizeof(command),
             "'%s' lab exec -- '%s' --client 10.77.0.11 %s '%s' '%s' %u %u 2>/dev/null", lab->weft,
             lab->self, port, text, reply, pause_us > 0 ? 300u : 3000u, pause_us);
    FILE *pipe = popen(command, "re");
    const int fields =
        pipe != NULL ? fscanf(pipe, "%u %u %llu %llu", &count, &lost, &p50_ns, &p99_ns) : 0;
    if (pipe != NULL) pclose(pipe);
    snprintf(row, sizeof(row), "%s: %s, %s", lab->link, what,
             pause_us > 0 ? "5 ms apart" : "one after the other");
    snprintf(note, sizeof(note), "p99 %.0f us; %u rounds, %u lost", (double)p99_ns / 1e3, count,
             lost);
    weft_bench_row(out, row, fields == 4 && count > 0 ? (double)p50_ns / 1e3 : NAN, "us p50", note);
}

// ---- the lab

static bool read_lab(struct lab *lab)
{
    size_t i;
    json_t *item, *json = bench_ask(lab->socket, "GET", "/api/v1/lab", NULL);
    if (json == NULL) return false;
    const bool ready = json_is_true(json_object_get(json, "ready"));
    lab->switcher = (pid_t)json_integer_value(json_object_get(json, "switch_process_id"));
    json_array_foreach(json_object_get(json, "items"), i, item)
    {
        const char *path = json_string_value(json_object_get(item, "socket"));
        if (i >= NODES || path == NULL) continue;
        lab->nodes[i] = (pid_t)json_integer_value(json_object_get(item, "process_id"));
        snprintf(lab->sockets[i], sizeof(lab->sockets[i]), "%s", path);
    }
    json_decref(json);
    return ready;
}

static bool start_lab(struct lab *lab, double *ready_s)
{
    char log[96];
    char *const words[] = {(char *)(uintptr_t)lab->weft,
                           (char *)(uintptr_t) "lab",
                           (char *)(uintptr_t) "up",
                           (char *)(uintptr_t) "--no-live",
                           (char *)(uintptr_t) "--link",
                           (char *)(uintptr_t)lab->link,
                           NULL};
    snprintf(log, sizeof(log), "%s.log", lab->run);
    const uint64_t from = weft_bench_now_ns();
    lab->process = bench_child_start(words, log);
    for (unsigned i = 0; i < 2000 && lab->process > 0; i++) {
        if (access(lab->socket, F_OK) == 0 && read_lab(lab)) {
            *ready_s = (double)(weft_bench_now_ns() - from) / 1e9;
            return true;
        }
        if (waitpid(lab->process, NULL, WNOHANG) != 0) return false;
        bench_sleep_ms(5);
    }
    return false;
}

static void measure_rest(struct weft_bench *out, const struct lab *lab)
{
    const pid_t processes[] = {lab->nodes[0], lab->nodes[1], lab->nodes[2], lab->switcher,
                               lab->process};
    static const char *const names[] = {"n1", "n2", "n3", "its switch", "the lab process"};
    struct bench_weight before[5], after[5];
    uint64_t resident = 0, proportional = 0;
    char row[96], note[96];
    bench_sleep_ms(1000); // What starting left to do.
    const uint64_t from = weft_bench_now_ns();
    for (size_t i = 0; i < WEFT_COUNT_OF(processes); i++)
        bench_weigh(processes[i], &before[i]);
    bench_sleep_ms(out->quick ? 1000 : 10000);
    const double lasted_ns = (double)(weft_bench_now_ns() - from);
    for (size_t i = 0; i < WEFT_COUNT_OF(processes); i++) {
        if (processes[i] <= 0 || !bench_weigh(processes[i], &after[i])) continue;
        resident += after[i].resident_bytes;
        proportional += after[i].proportional_bytes;
        snprintf(row, sizeof(row), "%s: idle CPU of %s", lab->link, names[i]);
        snprintf(note, sizeof(note), "resident %.0f MiB, its share %.0f MiB%s",
                 MIB(after[i].resident_bytes), MIB(after[i].proportional_bytes),
                 i < NODES ? "; goal 5 %" : "");
        weft_bench_row(out, row, 100 * (double)(after[i].cpu_ns - before[i].cpu_ns) / lasted_ns,
                       "% of a core", note);
    }
    snprintf(row, sizeof(row), "%s: memory together", lab->link);
    snprintf(note, sizeof(note), "resident %.0f MB as counted by each; goal 300 MB",
             (double)resident / 1e6);
    weft_bench_row(out, row, (double)proportional / 1e6, "MB", note);
}

// What n`from` says of n2.
static bool sees_alive(const struct lab *lab, unsigned from)
{
    size_t i;
    bool alive = false;
    json_t *item, *json = bench_ask(lab->sockets[from], "GET", "/api/v1/mesh", NULL);
    json_array_foreach(json_object_get(json, "items"), i, item)
    {
        const char *name = json_string_value(json_object_get(item, "name"));
        const char *state = json_string_value(json_object_get(item, "state"));
        if (name == NULL || state == NULL || strcmp(name, "n2") != 0) continue;
        alive = strcmp(state, "dead") != 0;
    }
    json_decref(json);
    return alive;
}

static double until(const struct lab *lab, bool alive, uint64_t from_ns)
{
    for (unsigned i = 0; i < 1000; i++) {
        if (sees_alive(lab, 0) == alive && sees_alive(lab, 2) == alive)
            return (double)(weft_bench_now_ns() - from_ns) / 1e9;
        bench_sleep_ms(10);
    }
    return NAN;
}

static void measure_kill(struct weft_bench *out, const struct lab *lab)
{
    char row[96];
    uint64_t from = weft_bench_now_ns();
    json_decref(bench_ask(lab->socket, "POST", "/api/v1/nodes/n2/kill", NULL));
    snprintf(row, sizeof(row), "%s: a kill known to both others", lab->link);
    weft_bench_row(out, row, until(lab, false, from), "s", "goal 5");
    from = weft_bench_now_ns();
    json_t *started = bench_ask(lab->socket, "POST", "/api/v1/nodes/n2/start", NULL);
    snprintf(row, sizeof(row), "%s: the killed node started, ready", lab->link);
    weft_bench_row(out, row, started ? (double)(weft_bench_now_ns() - from) / 1e9 : NAN, "s",
                   "journal read, ports up, mesh joined");
    json_decref(started);
    snprintf(row, sizeof(row), "%s: and alive to both others", lab->link);
    weft_bench_row(out, row, until(lab, true, from), "s", NULL);
}

static bool load_echo(const struct lab *lab)
{
    char source[4096];
    FILE *file = fopen("docs/examples/udp-echo.fth", "re");
    if (file == NULL) return false;
    source[fread(source, 1, sizeof(source) - 1, file)] = '\0';
    fclose(file);
    json_t *body = json_pack("{s:s, s:s, s:s, s:s}", "name", "echo", "file", "udp-echo.fth",
                             "source", source, "recovery", "none");
    json_t *answer = bench_ask(lab->sockets[0], "POST", "/api/v1/units", body);
    const bool loaded = answer != NULL;
    json_decref(answer);
    json_decref(body);
    return loaded;
}

static void say_log(struct weft_bench *out, const struct lab *lab)
{
    char path[96], line[256];
    snprintf(path, sizeof(path), "%s.log", lab->run);
    FILE *log = fopen(path, "re");
    weft_bench_say(out, "%s: not measured: the lab did not come up here:", lab->link);
    while (log != NULL && fgets(line, sizeof(line), log) != NULL) {
        line[strcspn(line, "\n\"\\")] = '\0';
        weft_bench_say(out, "  %s", line);
    }
    if (log != NULL) fclose(log);
}

static void measure_link(struct weft_bench *out, struct lab *lab)
{
    double ready_s;
    char row[96];
    if (!start_lab(lab, &ready_s)) {
        say_log(out, lab);
        if (lab->process > 0) bench_child_stop(lab->process);
        return;
    }
    snprintf(row, sizeof(row), "%s: `weft lab up` to three nodes ready", lab->link);
    weft_bench_row(out, row, ready_s, "s", "goal 3");
    measure_rest(out, lab);
    if (strcmp(lab->link, "veth") == 0) {
        const bool echoes = load_echo(lab);
        for (unsigned pause_us = 0; pause_us <= 5000; pause_us += 5000) {
            if (echoes)
                measure_trips(out, lab, "UDP echo by a unit", "4207", "hello, node", "hello, node",
                              pause_us);
            measure_trips(out, lab, "21 2 * . answered", "4200", "21 2 * .", "42", pause_us);
        }
    } else {
        weft_bench_say(out, "%s: no kernel client reaches these links; round trips: bench packets",
                       lab->link);
    }
    weft_bench_probe(out);
    measure_kill(out, lab);
    bench_child_stop(lab->process);
}

int main(int argc, char **argv)
{
    static const char *const links[] = {"veth", "vhost"};
    struct weft_bench out;
    if (argc == 8 && strcmp(argv[1], "--client") == 0) return client(argv + 2);
    weft_bench_begin(&out, "lab", "veth: the kernel's; vhost: shared memory", argc, argv);
    if (out.argument_count != 2) {
        fprintf(stderr, "usage: bench_lab WEFT SCRATCH [--json] [--quick]\n");
        return 64;
    }
    for (size_t i = 0; i < WEFT_COUNT_OF(links); i++) {
        struct lab lab = {.weft = out.arguments[0], .link = links[i]};
        const ssize_t length = readlink("/proc/self/exe", lab.self, sizeof(lab.self) - 1);
        if (length <= 0) return 70;
        snprintf(lab.run, sizeof(lab.run), "%.40s/%s", out.arguments[1], links[i]);
        snprintf(lab.socket, sizeof(lab.socket), "%s/lab.sock", lab.run);
        if (mkdir(lab.run, 0700) < 0 || setenv("WEFT_RUN_DIR", lab.run, 1) < 0) return 70;
        measure_link(&out, &lab);
    }
    weft_bench_end(&out);
    return 0;
}
