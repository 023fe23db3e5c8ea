// Round trips of one datagram of 22 bytes between two processes: through our ports and stack, and
// through the kernel's sockets, spinning and blocking, on the same medium.
//
// Every scene is a pair of forked processes; results come back in shared memory. Both sides spin,
// but in the rows that say "blocking". veth stands in namespaces of its own, which a plain user may
// make; where the kernel refuses, the row says so.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/macro/packets.h"
#include "dataplane/eal.h"
#include "dataplane/pool.h"
#include "dataplane/port.h"
#include "runtime/base/endian.h"

#define ROUNDS     20000
#define WARM_UP    200
#define SCENE_NS   (1 * WEFT_NS_PER_S)
#define ANSWER_NS  (100 * WEFT_NS_PER_MS) // After that the datagram is lost.
#define CONNECT_NS (8 * WEFT_NS_PER_S)    // For the first answer.

enum { LOOP_SPIN, LOOP_BLOCK, VHOST, VETH_SPIN, VETH_BLOCK, VETH_WEFT, ROWS };

struct side { // One end of a scene: ask or answer once. What fits the medium.
    int fd;
    bool blocking;
    struct weft_net net;
    uint64_t number;
};

static void complain(struct bench_rtt_row *row, const char *what)
{
    snprintf(row->why, sizeof(row->why), "%.150s", what);
}

// --- The rounds.

typedef bool (*asker)(struct side *side, uint64_t limit_ns);

static void measure(struct bench_rtt_row *row, struct side *side, asker ask)
{
    uint64_t *rounds = calloc(ROUNDS, sizeof(*rounds));
    const uint64_t patience_ns = weft_bench_now_ns() + CONNECT_NS;
    if (rounds == NULL) return complain(row, "no memory");
    while (!ask(side, ANSWER_NS)) {
        if (weft_bench_now_ns() > patience_ns) {
            free(rounds);
            return complain(row, "the other side did not answer");
        }
    }
    for (uint32_t i = 0; i < WARM_UP; i++)
        ask(side, ANSWER_NS);
    const uint64_t end_ns = weft_bench_now_ns() + SCENE_NS;
    for (uint64_t start_ns = weft_bench_now_ns(); row->count < ROUNDS && start_ns < end_ns;) {
        if (!ask(side, ANSWER_NS)) {
            row->lost++;
            start_ns = weft_bench_now_ns();
            continue;
        }
        const uint64_t stop_ns = weft_bench_now_ns();
        rounds[row->count++] = stop_ns - start_ns;
        start_ns = stop_ns;
    }
    if (row->count > 0) {
        row->p50_us = (double)weft_bench_percentile(rounds, row->count, 500) / 1000;
        row->p99_us = (double)weft_bench_percentile(rounds, row->count, 990) / 1000;
        row->min_us = (double)rounds[0] / 1000;
    } else {
        complain(row, "no answer in time");
    }
    free(rounds);
}

// --- Kernel sockets.

static int kernel_socket(const char *address, bool serves, bool blocking)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(BENCH_UDP_PORT)};
    const struct timeval limit = {.tv_usec = ANSWER_NS / 1000};
    inet_pton(AF_INET, address, &name.sin_addr);
    const int fd = socket(AF_INET, SOCK_DGRAM | (blocking ? 0 : SOCK_NONBLOCK), 0);
    if (blocking && !serves) setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    const int result = serves ? bind(fd, (struct sockaddr *)&name, sizeof(name))
                              : connect(fd, (struct sockaddr *)&name, sizeof(name));
    if (result != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void kernel_serve(const char *address, bool blocking)
{
    const int fd = kernel_socket(address, true, blocking);
    while (fd >= 0) {
        uint8_t bytes[64];
        struct sockaddr_in from;
        socklen_t from_length = sizeof(from);
        const ssize_t length =
            recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &from_length);
        if (length > 0) sendto(fd, bytes, (size_t)length, 0, (struct sockaddr *)&from, from_length);
    }
}

static bool kernel_ask(struct side *side, uint64_t limit_ns)
{
    uint8_t payload[BENCH_PAYLOAD_BYTES] = {0}, bytes[64];
    const uint64_t end_ns = weft_bench_now_ns() + limit_ns;
    memcpy(payload, &(uint64_t){++side->number}, 8);
    if (send(side->fd, payload, sizeof(payload), 0) < 0) {
        usleep(1000); // Refused: the server is not there yet.
        return false;
    }
    do {
        const ssize_t length = recv(side->fd, bytes, sizeof(bytes), 0);
        if (length == (ssize_t)sizeof(payload) && memcmp(bytes, payload, 8) == 0) return true;
        if (length < 0 && errno != EAGAIN) return false;
    } while (weft_bench_now_ns() < end_ns);
    return false;
}

// --- Ours.

static bool open_ours(struct side *side, const char *name, const char *directory,
                      const char *device, uint8_t station, struct weft_error *error)
{
    static struct rte_mempool *pool;
    struct weft_netport *port;
    const struct weft_eal_options eal = {
        .name = name, .runtime_directory = directory, .memory_mb = 40};
    if (weft_eal_start(&eal, NULL, error) != 0) return false;
    pool = weft_pool_create(0, 2047, error);
    if (pool == NULL) return false;
    const struct weft_netport_options options = {.name = "p0",
                                                 .device = device,
                                                 .worker_count = 1,
                                                 .pools = &pool,
                                                 .mac = {2, 0, 0, 0, 9, station}};
    if (weft_netport_open(&port, &options, error) != 0) return false;
    side->net = weft_netport_net(port, 0);
    return true;
}

static void ours_serve(const char *directory, const char *device)
{
    struct side side = {.fd = -1};
    struct weft_error error = {0};
    if (!open_ours(&side, "bench-serve", directory, device, 2, &error)) {
        fprintf(stderr, "bench: %s (%s)\n", error.text, error.hint);
        return;
    }
    struct bench_stack *bench = bench_stack_create(&side.net, 1);
    for (;;) {
        const uint64_t at_ns = weft_bench_now_ns();
        weft_stack_poll(&bench->stack, at_ns);
        weft_stack_flush(&bench->stack, at_ns);
    }
}

static bool is_answer(const struct weft_packet *packet, uint64_t number)
{
    return packet->length >= 50 && weft_be16_get(packet->data + 12) == 0x0800 &&
           weft_be16_get(packet->data + 34) == BENCH_UDP_PORT &&
           weft_le64_get(packet->data + 42) == number;
}

static bool ours_ask(struct side *side, uint64_t limit_ns)
{
    static const struct bench_flow flow = {.to = {2, 0, 0, 0, 9, 2},
                                           .from = {2, 0, 0, 0, 9, 1},
                                           .source = 0x0a010001,
                                           .destination = 0x0a010002};
    const struct weft_net *net = &side->net;
    const uint64_t end_ns = weft_bench_now_ns() + limit_ns;
    struct weft_packet *packets[WEFT_NET_BURST];
    struct weft_packet *packet = net->alloc(net->self);
    bool found = false;
    if (packet == NULL) return false;
    bench_make_frame(packet->data, &flow, ++side->number);
    packet->length = BENCH_FRAME_BYTES;
    if (net->tx_burst(net->self, &packet, 1) != 1) net->release(net->self, packet);
    while (!found) {
        const uint32_t count = net->rx_burst(net->self, packets, WEFT_NET_BURST);
        for (uint32_t i = 0; i < count; i++) {
            found = found || is_answer(packets[i], side->number);
            net->release(net->self, packets[i]);
        }
        if (count == 0 && weft_bench_now_ns() > end_ns) return false;
    }
    return found;
}

// --- Processes.

static pid_t child(void)
{
    const pid_t parent = getpid(), pid = fork();
    if (pid != 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    return 0;
}

static void end(pid_t pid)
{
    if (pid <= 0) return;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void kernel_scene(struct bench_rtt_row *row, const char *address, bool blocking,
                         int server_ns)
{
    const pid_t server = child();
    if (server == 0) {
        if (server_ns < 0 || setns(server_ns, CLONE_NEWNET) == 0) kernel_serve(address, blocking);
        _exit(1);
    }
    struct side side = {.fd = kernel_socket(address, false, blocking), .blocking = blocking};
    if (side.fd < 0)
        complain(row, "no socket");
    else
        measure(row, &side, kernel_ask);
    close(side.fd);
    end(server);
}

static void our_scene(struct bench_rtt_row *row, const char *directory, const char *serve,
                      const char *ask, int server_ns)
{
    const pid_t server = child();
    if (server == 0) {
        if (server_ns < 0 || setns(server_ns, CLONE_NEWNET) == 0) ours_serve(directory, serve);
        _exit(1);
    }
    const pid_t client = child();
    if (client == 0) {
        struct side side = {.fd = -1};
        struct weft_error error = {0};
        if (open_ours(&side, "bench-ask", directory, ask, 1, &error))
            measure(row, &side, ours_ask);
        else
            complain(row, error.text);
        _exit(0);
    }
    waitpid(client, NULL, 0);
    end(server);
}

// --- A veth pair in two namespaces.

static bool write_file(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    const bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0) close(fd);
    return good;
}

static bool enter_namespace(void)
{
    char map[32];
    const unsigned uid = getuid(), gid = getgid();
    if (uid == 0 && unshare(CLONE_NEWNET) == 0) return true;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
    snprintf(map, sizeof(map), "0 %u 1", uid);
    write_file("/proc/self/setgroups", "deny");
    if (!write_file("/proc/self/uid_map", map)) return false;
    snprintf(map, sizeof(map), "0 %u 1", gid);
    return write_file("/proc/self/gid_map", map);
}

static int run(const char *format, int argument)
{
    char command[300];
    snprintf(command, sizeof(command), format, argument);
    return system(command);
}

// The namespace of the server, made by a child that stays; its descriptor, or -1.
static int make_far_namespace(pid_t *holder)
{
    int ready[2];
    char path[64], byte;
    if (pipe(ready) != 0) return -1;
    *holder = child();
    if (*holder == 0) {
        if (unshare(CLONE_NEWNET) != 0 || write(ready[1], "", 1) != 1) _exit(1);
        pause();
        _exit(0);
    }
    close(ready[1]);
    const bool made = read(ready[0], &byte, 1) == 1;
    close(ready[0]);
    snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)*holder);
    return made ? open(path, O_RDONLY | O_CLOEXEC) : -1;
}

static bool make_veth(int far, int holder)
{
    static const char quiet[] =
        "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6 2>/dev/null; ";
    char near_command[400];
    snprintf(near_command, sizeof(near_command),
             "%sip link add name wbench0 type veth peer name wbench1 && "
             "ip link set wbench1 netns %d && ip link set wbench0 up && "
             "ip addr add 10.9.0.1/24 dev wbench0",
             quiet, holder);
    if (system(near_command) != 0) return false;
    const pid_t pid = child();
    if (pid == 0) {
        if (setns(far, CLONE_NEWNET) != 0) _exit(1);
        _exit(system("ip link set lo up; ip link set wbench1 up && ip addr add 10.9.0.2/24 dev "
                     "wbench1") == 0
                  ? 0
                  : 1);
    }
    int status = 1;
    waitpid(pid, &status, 0);
    return status == 0;
}

// Without addresses the kernel has nothing to say to our datagrams.
static void forget_addresses(int holder)
{
    run("ip addr flush dev wbench0; nsenter -t %d -n ip addr flush dev wbench1", holder);
}

static void veth_scenes(struct bench_rtt_row *rows, const char *directory)
{
    pid_t holder = -1;
    const bool entered = enter_namespace();
    const int far = entered ? make_far_namespace(&holder) : -1;
    if (far < 0 || !make_veth(far, holder)) {
        for (int i = VETH_SPIN; i <= VETH_WEFT; i++)
            complain(&rows[i], "the kernel refuses namespaces or veth here");
    } else {
        kernel_scene(&rows[VETH_SPIN], "10.9.0.2", false, far);
        kernel_scene(&rows[VETH_BLOCK], "10.9.0.2", true, far);
        forget_addresses(holder);
        our_scene(&rows[VETH_WEFT], directory, "af_packet:wbench1", "af_packet:wbench0", far);
    }
    end(holder);
}

// --- All of them.

static const struct {
    const char *path, *medium;
} names[ROWS] = {
    [LOOP_SPIN] = {"kernel UDP, spinning", "loopback"},
    [LOOP_BLOCK] = {"kernel UDP, blocking", "loopback"},
    [VHOST] = {"weft, vhost", "shared memory"},
    [VETH_SPIN] = {"kernel UDP, spinning", "veth"},
    [VETH_BLOCK] = {"kernel UDP, blocking", "veth"},
    [VETH_WEFT] = {"weft, af_packet", "veth"},
};

uint32_t bench_rtt_run(struct bench_rtt_row *rows)
{
    char directory[] = "/tmp/weft-bench-XXXXXX", serve[80], ask[80];
    const size_t bytes = ROWS * sizeof(*rows);
    struct bench_rtt_row *shared =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || mkdtemp(directory) == NULL) return 0;
    for (int i = 0; i < ROWS; i++) {
        snprintf(shared[i].path, sizeof(shared[i].path), "%s", names[i].path);
        snprintf(shared[i].medium, sizeof(shared[i].medium), "%s", names[i].medium);
    }
    snprintf(serve, sizeof(serve), "virtio_user:%s/s", directory);
    snprintf(ask, sizeof(ask), "vhost:%s/s", directory);
    kernel_scene(&shared[LOOP_SPIN], "127.0.0.1", false, -1);
    kernel_scene(&shared[LOOP_BLOCK], "127.0.0.1", true, -1);
    our_scene(&shared[VHOST], directory, serve, ask, -1);
    const pid_t scenes = child(); // Its namespaces end with it.
    if (scenes == 0) {
        veth_scenes(shared, directory);
        _exit(0);
    }
    waitpid(scenes, NULL, 0);
    memcpy(rows, shared, bytes);
    munmap(shared, bytes);
    char command[64];
    snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    return system(command) == 0 ? ROWS : ROWS;
}
