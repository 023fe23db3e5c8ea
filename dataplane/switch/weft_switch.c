// weft-switch: joins the nodes of a lab in shared memory. See README.md here.
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/eal.h"
#include "dataplane/pool.h"
#include "dataplane/port.h"
#include "dataplane/switch/client.h"
#include "dataplane/switch/control.h"
#include "dataplane/switch/switch.h"
#include "runtime/base/error.h"
#include "runtime/env/clock.h"

#define NODES_MAX    16
#define CLIENTS_MAX  8
#define CONTROLS_MAX 4
#define PATH_BYTES   108
#define LOOK_NS      (20 * WEFT_NS_PER_MS) // How often to look for sockets, and to drain DPDK's log.
#define SWEEP_NS     (10 * WEFT_NS_PER_S)  // How often the table is swept.
#define SPIN_TURNS   200 // Idle policy of a core (DESIGN, rule 7): poll, yield, sleep.
#define YIELD_TURNS  208
#define SLEEP_NS_MIN (20 * WEFT_NS_PER_US)
#define SLEEP_NS_MAX (500 * WEFT_NS_PER_US)
#define BUSY_TURNS   64 // Sockets are looked at so often while frames keep coming.

_Static_assert(NODES_MAX + CLIENTS_MAX <= WEFT_SWITCH_PORTS_MAX, "all find room");

struct node {
    char path[PATH_BYTES];
    struct weft_netport *port;
    struct weft_net net;
    bool failed; // Said once.
};

struct controller {
    int fd;
    size_t used;
    char line[WEFT_SWITCH_LINE_MAX];
};

struct program {
    char control_path[PATH_BYTES], inject_path[PATH_BYTES];
    const char *directory;
    uint64_t seed;
    struct weft_clock clock;
    struct rte_mempool *pool;
    struct weft_netport *spare; // A port that carries nothing: its pool serves the clients.
    struct weft_net spare_net;
    uint32_t node_count;
    struct node nodes[NODES_MAX];
    struct weft_client_port clients[CLIENTS_MAX];
    struct controller controllers[CONTROLS_MAX];
    int inject_fd, control_fd, stop_fd;
    uint64_t look_ns, sweep_ns, sleep_ns;
    uint32_t idle_turns;
    char answer[WEFT_SWITCH_ANSWER_MAX];
    struct weft_switch bridge;
};

static int complain(const char *what, const struct weft_error *error)
{
    fprintf(stderr, "weft-switch: %s%sW%04u %s\n", what, what[0] ? ": " : "", error->code,
            error->text);
    if (error->hint[0] != '\0') fprintf(stderr, "  %s\n", error->hint);
    return 70;
}

// --- Nodes: a vhost port for each, made when its socket appears; DPDK then reconnects by itself.

static void look_for_nodes(struct program *program)
{
    for (uint32_t i = 0; i < program->node_count; i++) {
        struct node *node = &program->nodes[i];
        struct stat status;
        char device[PATH_BYTES + 8];
        struct weft_error error = {0};
        if (node->port != NULL || lstat(node->path, &status) != 0 || !S_ISSOCK(status.st_mode))
            continue;
        snprintf(device, sizeof(device), "vhost:%s", node->path);
        const struct weft_netport_options options = {.name = program->bridge.ports[i].name,
                                                     .device = device,
                                                     .index = (uint8_t)i,
                                                     .worker_count = 1,
                                                     .pools = &program->pool};
        if (weft_netport_open(&node->port, &options, &error) != 0) {
            if (!node->failed) complain(program->bridge.ports[i].name, &error);
            node->failed = true;
            continue;
        }
        node->failed = false;
        node->net = weft_netport_net(node->port, 0);
        weft_switch_plug(&program->bridge, i, &node->net);
        fprintf(stderr, "weft-switch: %s is there\n", program->bridge.ports[i].name);
    }
}

// --- Sockets.

static void accept_client(struct program *program)
{
    const int fd = accept4(program->inject_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
        struct weft_client_port *client = &program->clients[i];
        if (client->fd >= 0) continue;
        weft_client_port_open(client, fd, &program->spare_net);
        weft_switch_plug(&program->bridge, program->node_count + i, &client->net);
        return;
    }
    close(fd); // All places are taken.
}

static void accept_controller(struct program *program)
{
    const int fd = accept4(program->control_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    for (uint32_t i = 0; i < CONTROLS_MAX; i++) {
        if (program->controllers[i].fd >= 0) continue;
        program->controllers[i].fd = fd;
        program->controllers[i].used = 0;
        return;
    }
    close(fd);
}

static bool answer_line(struct program *program, struct controller *controller)
{
    const size_t length = weft_switch_command(&program->bridge, controller->line, program->answer);
    // Whoever does not read its answer is closed: nothing waits here.
    return send(controller->fd, program->answer, length, MSG_DONTWAIT | MSG_NOSIGNAL) ==
           (ssize_t)length;
}

static bool serve_controller(struct program *program, struct controller *controller)
{
    const ssize_t length = recv(controller->fd, controller->line + controller->used,
                                sizeof(controller->line) - 1 - controller->used, MSG_DONTWAIT);
    if (length < 0) return errno == EAGAIN || errno == EINTR;
    if (length == 0) return false; // Hung up, or a line that does not fit.
    controller->used += (size_t)length;
    char *end;
    while ((end = memchr(controller->line, '\n', controller->used)) != NULL) {
        const size_t taken = (size_t)(end - controller->line) + 1;
        char rest[WEFT_SWITCH_LINE_MAX];
        const size_t left = controller->used - taken;
        memcpy(rest, end + 1, left);
        *end = '\0';
        if (!answer_line(program, controller)) return false;
        memcpy(controller->line, rest, left);
        controller->used = left;
    }
    return true;
}

static void drop_gone_clients(struct program *program)
{
    for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
        struct weft_client_port *client = &program->clients[i];
        if (client->fd < 0 || !client->gone) continue;
        weft_switch_plug(&program->bridge, program->node_count + i, NULL);
        weft_client_port_close(client);
    }
}

// Looks at all sockets, for at most `timeout_ns`. False: it is time to end.
static bool look_at_sockets(struct program *program, uint64_t timeout_ns)
{
    struct pollfd fds[3 + CLIENTS_MAX + CONTROLS_MAX];
    const struct timespec timeout = {.tv_nsec = (long)timeout_ns};
    nfds_t count = 0;
    fds[count++] = (struct pollfd){.fd = program->stop_fd, .events = POLLIN};
    fds[count++] = (struct pollfd){.fd = program->inject_fd, .events = POLLIN};
    fds[count++] = (struct pollfd){.fd = program->control_fd, .events = POLLIN};
    for (uint32_t i = 0; i < CLIENTS_MAX; i++)
        fds[count++] = (struct pollfd){.fd = program->clients[i].fd, .events = POLLIN};
    for (uint32_t i = 0; i < CONTROLS_MAX; i++)
        fds[count++] = (struct pollfd){.fd = program->controllers[i].fd, .events = POLLIN};
    if (ppoll(fds, count, &timeout, NULL) <= 0) return true;

    if (fds[0].revents != 0) return false;
    for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
        if (fds[3 + i].revents != 0) program->clients[i].readable = true;
    }
    for (uint32_t i = 0; i < CONTROLS_MAX; i++) {
        struct controller *controller = &program->controllers[i];
        if (fds[3 + CLIENTS_MAX + i].revents == 0 || serve_controller(program, controller))
            continue;
        close(controller->fd);
        controller->fd = -1;
    }
    if (fds[1].revents != 0) accept_client(program);
    if (fds[2].revents != 0) accept_controller(program);
    program->idle_turns = 0;
    return true;
}

// --- The loop.

static void do_housework(struct program *program, uint64_t now_ns)
{
    char line[WEFT_EAL_LINE_MAX];
    if (now_ns < program->look_ns) return;
    program->look_ns = now_ns + LOOK_NS;
    look_for_nodes(program);
    while (weft_eal_take_line(line)) {
        // The coming and going of nodes, in DPDK's words: wanted by nobody.
        if (strstr(line, "recvmsg failed") == NULL &&
            strstr(line, "vhost read message failed") == NULL)
            fprintf(stderr, "weft-switch: dpdk: %s\n", line);
    }
    if (now_ns < program->sweep_ns) return;
    program->sweep_ns = now_ns + SWEEP_NS;
    weft_mac_expire(&program->bridge.macs, now_ns);
}

static bool idle(struct program *program, uint64_t now_ns)
{
    if (++program->idle_turns < SPIN_TURNS) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        __asm__ volatile("yield");
#endif
        return true;
    }
    if (program->idle_turns < YIELD_TURNS) {
        program->sleep_ns = SLEEP_NS_MIN;
        sched_yield();
        return look_at_sockets(program, 0);
    }
    const uint64_t due_ns = weft_switch_due_ns(&program->bridge);
    const uint64_t left_ns = due_ns > now_ns ? due_ns - now_ns : 0;
    const bool goes_on =
        look_at_sockets(program, left_ns < program->sleep_ns ? left_ns : program->sleep_ns);
    program->sleep_ns += program->sleep_ns / 2;
    if (program->sleep_ns > SLEEP_NS_MAX) program->sleep_ns = SLEEP_NS_MAX;
    return goes_on;
}

static void run(struct program *program)
{
    uint32_t turns = 0;
    bool goes_on = true;
    while (goes_on) {
        const uint64_t now_ns = weft_clock_now_ns(&program->clock);
        do_housework(program, now_ns);
        const uint32_t work = weft_switch_turn(&program->bridge, now_ns);
        drop_gone_clients(program);
        if (work == 0) {
            goes_on = idle(program, now_ns);
            continue;
        }
        program->idle_turns = 0;
        if (++turns % BUSY_TURNS == 0) goes_on = look_at_sockets(program, 0);
    }
}

// --- Start and end.

static int usage(FILE *out)
{
    fputs(
        "usage: weft-switch --dir DIR --ports NAME[,NAME...] [--control SOCKET] [--inject SOCKET]\n"
        "                   [--seed N]\n"
        "Joins the nodes that listen on DIR/NAME.sock; up to 16. DIR/inject.sock takes and gives\n"
        "Ethernet frames, DIR/control.sock takes commands (stats, macs, fault, cut, join).\n",
        out);
    return out == stdout ? 0 : 64;
}

static int add_nodes(struct program *program, const char *list)
{
    char names[NODES_MAX * WEFT_SWITCH_NAME_BYTES + 1], *rest = NULL;
    // `ps` shows argv, so it is left as it is.
    const int length_all = snprintf(names, sizeof(names), "%s", list);
    if (length_all < 0 || (size_t)length_all >= sizeof(names)) return -E2BIG;
    for (char *name = strtok_r(names, ",", &rest); name != NULL;
         name = strtok_r(NULL, ",", &rest)) {
        if (program->node_count == NODES_MAX) return -ENOSPC;
        const int port = weft_switch_add_port(&program->bridge, name);
        if (port < 0) return port;
        struct node *node = &program->nodes[program->node_count++];
        const int length =
            snprintf(node->path, sizeof(node->path), "%s/%s.sock", program->directory, name);
        if (length < 0 || (size_t)length >= sizeof(node->path)) return -ENAMETOOLONG;
    }
    return program->node_count > 0 ? 0 : -EINVAL;
}

static int read_options(struct program *program, int argc, char **argv)
{
    static const struct option options[] = {{"dir", required_argument, NULL, 'd'},
                                            {"ports", required_argument, NULL, 'p'},
                                            {"control", required_argument, NULL, 'c'},
                                            {"inject", required_argument, NULL, 'i'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *control = NULL, *inject = NULL;
    const char *names = NULL;
    int option;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (option) {
        case 'd': program->directory = optarg; break;
        case 'p': names = optarg; break;
        case 'c': control = optarg; break;
        case 'i': inject = optarg; break;
        case 's': program->seed = strtoull(optarg, NULL, 0); break;
        case 'h': return usage(stdout) - 1; // Not an error: main ends.
        default: return usage(stderr);
        }
    }
    if (program->directory == NULL || names == NULL || optind != argc) return usage(stderr);
    weft_switch_init(&program->bridge, program->seed);
    const int c = control != NULL ? snprintf(program->control_path, PATH_BYTES, "%s", control)
                                  : snprintf(program->control_path, PATH_BYTES, "%s/control.sock",
                                             program->directory);
    const int i = inject != NULL ? snprintf(program->inject_path, PATH_BYTES, "%s", inject)
                                 : snprintf(program->inject_path, PATH_BYTES, "%s/inject.sock",
                                            program->directory);
    const int result =
        c >= PATH_BYTES || i >= PATH_BYTES ? -ENAMETOOLONG : add_nodes(program, names);
    if (result == 0) return 0;
    fprintf(stderr, "weft-switch: --dir or --ports: %s\n", strerror(-result));
    return 64;
}

static int open_sockets(struct program *program)
{
    char name[WEFT_SWITCH_NAME_BYTES];
    for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
        snprintf(name, sizeof(name), "client-%u", i);
        if (weft_switch_add_port(&program->bridge, name) < 0) return -EEXIST;
        program->clients[i].fd = -1;
    }
    for (uint32_t i = 0; i < CONTROLS_MAX; i++)
        program->controllers[i].fd = -1;
    program->inject_fd = weft_switch_listen(program->inject_path, SOCK_SEQPACKET);
    if (program->inject_fd < 0) return program->inject_fd;
    program->control_fd = weft_switch_listen(program->control_path, SOCK_STREAM);
    if (program->control_fd >= 0) return 0;
    close(program->inject_fd);
    unlink(program->inject_path);
    return program->control_fd;
}

static int open_packets(struct program *program, struct weft_error *error)
{
    struct weft_eal_info info;
    char name[40];
    snprintf(name, sizeof(name), "weft-switch-%d", (int)getpid());
    const struct weft_eal_options options = {
        .name = name, .runtime_directory = program->directory, .memory_mb = 48};
    int result = weft_eal_start(&options, &info, error);
    if (result != 0) return result;
    fprintf(stderr, "weft-switch: %s\n", info.memory);
    program->pool = weft_pool_create(0, 8191, error);
    if (program->pool == NULL) return -ENOMEM;
    const struct weft_netport_options spare = {
        .name = "spare", .device = "null", .worker_count = 1, .pools = &program->pool};
    result = weft_netport_open(&program->spare, &spare, error);
    if (result == 0) program->spare_net = weft_netport_net(program->spare, 0);
    return result;
}

// Before EAL makes its threads, which inherit the mask: the signals come by the descriptor alone.
static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) return -errno;
    const int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

static void close_all(struct program *program)
{
    for (uint32_t i = 0; i < program->bridge.port_count; i++)
        weft_switch_plug(&program->bridge, i, NULL);
    weft_switch_destroy(&program->bridge);
    for (uint32_t i = 0; i < CLIENTS_MAX; i++)
        weft_client_port_close(&program->clients[i]);
    for (uint32_t i = 0; i < program->node_count; i++)
        weft_netport_close(program->nodes[i].port);
    weft_netport_close(program->spare);
    weft_pool_free(program->pool);
    close(program->inject_fd);
    close(program->control_fd);
    unlink(program->inject_path);
    unlink(program->control_path);
    weft_eal_stop();
}

int main(int argc, char **argv)
{
    struct weft_error error = {0};
    struct program *program = calloc(1, sizeof(*program));
    if (program == NULL) return 70;

    int result = read_options(program, argc, argv);
    if (result != 0) {
        if (result < 0) result = 0; // Only help was wanted.
        goto out;
    }
    program->clock = weft_clock_linux();
    program->stop_fd = open_signals();
    prctl(PR_SET_TIMERSLACK, 1000UL); // Sleeps of 20 us would else take 70.
    result = program->stop_fd < 0 ? program->stop_fd : open_sockets(program);
    if (result != 0) {
        fprintf(stderr, "weft-switch: %s or %s: %s\n", program->inject_path, program->control_path,
                strerror(-result));
        result = 70;
        goto out;
    }
    result = open_packets(program, &error);
    if (result == 0) {
        run(program);
        fputs("weft-switch: end\n", stderr);
    } else {
        result = complain("", &error);
    }
    close_all(program);
out:
    free(program);
    return result;
}
