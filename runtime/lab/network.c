#include "runtime/lab/network.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/units.h"

// What a setup process says on its pipe before it goes on: it is where it should be.
#define STEP_OK 'k'

struct child {
    pid_t pid;
    int to;   // Writing lets it go on.
    int from; // It writes STEP_OK, or text that says what failed.
};

__attribute__((format(printf, 2, 3), noreturn)) static void give_up(int fd, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    const int length = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (length > 0)
        (void)!write(fd, text, (size_t)length < sizeof(text) ? (size_t)length : sizeof(text));
    _exit(1);
}

static bool start_child(struct child *child, void (*body)(int to, int from, void *self), void *self)
{
    int down[2], up[2];
    if (pipe2(down, O_CLOEXEC) < 0) return false;
    if (pipe2(up, O_CLOEXEC) < 0) {
        close(down[0]);
        close(down[1]);
        return false;
    }
    const pid_t parent = getpid();
    child->pid = fork();
    if (child->pid == 0) {
        close(down[1]);
        close(up[0]);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(1);
        body(up[1], down[0], self);
        _exit(0);
    }
    close(down[0]);
    close(up[1]);
    child->to = down[1];
    child->from = up[0];
    if (child->pid > 0) return true;
    close(child->to);
    close(child->from);
    return false;
}

// Waits for the child's word. On anything but STEP_OK its text (or ours) is in `error`.
static bool step_done(struct child *child, struct weft_error *error)
{
    char text[256] = "";
    size_t length = 0;
    for (;;) {
        // Byte by byte: what follows STEP_OK belongs to the next reader.
        const ssize_t got = read(child->from, text + length, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        length += (size_t)got;
        if (text[0] == STEP_OK || length == sizeof(text) - 1) break;
    }
    if (text[0] == STEP_OK) return true;
    weft_error_set(error, 603, "%s", length > 0 ? text : "the setup process died");
    weft_error_hint(error, "`weft lab up --link vhost` needs no namespace");
    return false;
}

static void let_go_on(struct child *child)
{
    (void)!write(child->to, "g", 1);
}

// Ends a child that has done its work: it sees the end of its pipe, reaps its own and exits. One
// that failed is killed.
static void end_child(struct child *child, bool in_order)
{
    close(child->to);
    close(child->from);
    if (!in_order) kill(child->pid, SIGKILL);
    while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

static void say_done(int to)
{
    (void)!write(to, &(char){STEP_OK}, 1);
}

static void wait_for_word(int from)
{
    char word;
    while (read(from, &word, 1) < 0 && errno == EINTR) {
    }
}

static int write_file(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    const ssize_t put = write(fd, text, strlen(text));
    const int result = put < 0 ? -errno : 0;
    close(fd);
    return result;
}

static int map_ids(pid_t pid)
{
    char path[64], map[64];
    snprintf(path, sizeof(path), "/proc/%d/setgroups", (int)pid);
    int result = write_file(path, "deny");
    if (result != 0 && result != -ENOENT) return result;
    snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
    snprintf(map, sizeof(map), "0 %u 1\n", (unsigned)geteuid());
    result = write_file(path, map);
    if (result != 0) return result;
    snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)pid);
    snprintf(map, sizeof(map), "0 %u 1\n", (unsigned)getegid());
    return write_file(path, map);
}

// Runs `ip -batch -` with `script`; iproute2 is a package that `./do setup` installs.
static int run_ip(const char *script)
{
    int feed[2];
    if (pipe(feed) < 0) return -errno;
    const pid_t pid = fork();
    if (pid == 0) {
        dup2(feed[0], 0);
        close(feed[0]);
        close(feed[1]);
        setenv("PATH", "/usr/sbin:/sbin:/usr/bin:/bin", 1);
        execlp("ip", "ip", "-batch", "-", (char *)NULL);
        _exit(127);
    }
    close(feed[0]);
    signal(SIGPIPE, SIG_IGN);
    (void)!write(feed[1], script, strlen(script));
    close(feed[1]);
    if (pid < 0) return -EAGAIN;
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) return -errno;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) return -ENOENT;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

// The kernel completes a checksum only on real hardware's behalf: off, it writes whole ones.
static int switch_offloads_off(const char *interface)
{
    static const uint32_t commands[] = {ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int result = 0;
    for (size_t i = 0; i < WEFT_COUNT_OF(commands); i++) {
        struct ethtool_value value = {.cmd = commands[i], .data = 0};
        struct ifreq request = {.ifr_data = (char *)&value};
        snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
        // Only the checksum has to be off; without it the kernel cannot segment late either.
        if (ioctl(fd, SIOCETHTOOL, &request) < 0 && commands[i] == ETHTOOL_STXCSUM) result = -errno;
    }
    close(fd);
    return result;
}

static void no_ipv6(void)
{
    // This release speaks no IPv6: without this the kernel's neighbour discovery fills the drop
    // ledger.
    (void)write_file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
    (void)write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
}

static void enter_new_network(int to)
{
    if (unshare(CLONE_NEWNET) < 0)
        give_up(to, "the kernel refused a network namespace: %s", strerror(errno));
    no_ipv6();
}

static void node_namespace(int to, int from, void *self)
{
    (void)self;
    enter_new_network(to);
    say_done(to);
    wait_for_word(from); // Its eth0 has arrived.
    if (run_ip("link set lo up\nlink set eth0 up\n") != 0)
        give_up(to, "ip could not bring eth0 up");
    const int result = switch_offloads_off("eth0");
    if (result != 0) give_up(to, "eth0: offloads stay on: %s", strerror(-result));
    say_done(to);
    wait_for_word(from); // Held until the lab has opened the namespace.
}

struct setup {
    uint32_t node_count;
    const char *bridge_address;
    bool user_namespace;
};

static void make_bridge(int to, const struct setup *setup)
{
    char script[512];
    snprintf(script, sizeof(script),
             "link set lo up\n"
             "link add weft0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0\n"
             "addr add %s dev weft0\n"
             "link set weft0 up\n",
             setup->bridge_address);
    const int result = run_ip(script);
    if (result == -ENOENT) give_up(to, "the program 'ip' is missing: install iproute2");
    if (result != 0) give_up(to, "ip could not make the bridge weft0");
    const int off = switch_offloads_off("weft0");
    if (off != 0) give_up(to, "weft0: offloads stay on: %s", strerror(-off));
}

static void join_node(int to, uint32_t node, pid_t pid)
{
    char script[256], name[16];
    snprintf(name, sizeof(name), "n%u", node + 1);
    snprintf(script, sizeof(script),
             "link add %s type veth peer name eth0 netns %d\n"
             "link set %s master weft0\n"
             "link set %s up\n",
             name, (int)pid, name, name);
    if (run_ip(script) != 0) give_up(to, "ip could not make the link of node %s", name);
    const int off = switch_offloads_off(name);
    if (off != 0) give_up(to, "%s: offloads stay on: %s", name, strerror(-off));
}

// The setup process: makes everything, tells the pids of the node namespaces, waits to be killed.
static void set_up(int to, int from, void *self)
{
    const struct setup *setup = self;
    if (setup->user_namespace) {
        if (unshare(CLONE_NEWUSER) < 0)
            give_up(to, "the kernel refused a user namespace: %s", strerror(errno));
        say_done(to);
        wait_for_word(from); // The lab has mapped our ids.
    }
    enter_new_network(to);
    if (unshare(CLONE_NEWNS) < 0)
        give_up(to, "the kernel refused a mount namespace: %s", strerror(errno));
    (void)mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
    (void)mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    make_bridge(to, setup);

    struct child nodes[WEFT_LAB_NODES_MAX];
    int32_t pids[WEFT_LAB_NODES_MAX] = {0};
    for (uint32_t i = 0; i < setup->node_count; i++) {
        struct weft_error error;
        if (!start_child(&nodes[i], node_namespace, NULL)) give_up(to, "fork: %s", strerror(errno));
        if (!step_done(&nodes[i], &error)) give_up(to, "%s", error.text);
        join_node(to, i, nodes[i].pid);
        let_go_on(&nodes[i]);
        if (!step_done(&nodes[i], &error)) give_up(to, "%s", error.text);
        pids[i] = nodes[i].pid;
    }
    say_done(to);
    (void)!write(to, pids, sizeof(pids));
    wait_for_word(from); // Until the lab holds the namespaces.
    for (uint32_t i = 0; i < setup->node_count; i++) {
        end_child(&nodes[i], false);
    }
}

static int open_namespace(pid_t pid, const char *kind)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, kind);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static bool read_whole(int fd, void *to, size_t bytes)
{
    for (char *at = to; bytes > 0;) {
        const ssize_t got = read(fd, at, bytes);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        at += got;
        bytes -= (size_t)got;
    }
    return true;
}

static bool hold(struct weft_lab_network *network, struct child *child, bool user_namespace)
{
    int32_t pids[WEFT_LAB_NODES_MAX];
    if (!read_whole(child->from, pids, sizeof(pids))) return false;
    if (user_namespace && (network->user_fd = open_namespace(child->pid, "user")) < 0) return false;
    if ((network->mount_fd = open_namespace(child->pid, "mnt")) < 0) return false;
    if ((network->bridge_fd = open_namespace(child->pid, "net")) < 0) return false;
    for (uint32_t i = 0; i < network->node_count; i++) {
        if ((network->node_fd[i] = open_namespace(pids[i], "net")) < 0) return false;
    }
    return true;
}

int weft_lab_network_create(struct weft_lab_network *network, uint32_t node_count,
                            const char *bridge_address, struct weft_error *error)
{
    struct setup setup = {node_count, bridge_address, geteuid() != 0};
    struct child child;
    *network = (struct weft_lab_network){
        .node_count = node_count, .user_fd = -1, .mount_fd = -1, .bridge_fd = -1};
    for (uint32_t i = 0; i < WEFT_LAB_NODES_MAX; i++) {
        network->node_fd[i] = -1;
    }
    if (node_count == 0 || node_count > WEFT_LAB_NODES_MAX)
        return weft_error_set(error, 603, "a lab has 1 to %d nodes", WEFT_LAB_NODES_MAX);
    if (!start_child(&child, set_up, &setup))
        return weft_error_set(error, 603, "fork: %s", strerror(errno));
    bool made = !setup.user_namespace || step_done(&child, error);
    if (made && setup.user_namespace) {
        const int mapped = map_ids(child.pid);
        made = mapped == 0;
        if (!made) weft_error_set(error, 603, "the user namespace: uid_map: %s", strerror(-mapped));
        let_go_on(&child);
    }
    made = made && step_done(&child, error);
    if (made && !hold(network, &child, setup.user_namespace)) {
        weft_error_set(error, 603, "the namespaces cannot be opened: %s", strerror(errno));
        made = false;
    }
    end_child(&child, made);
    if (!made) weft_lab_network_destroy(network);
    return made ? 0 : -1;
}

void weft_lab_network_destroy(struct weft_lab_network *network)
{
    if (network->user_fd >= 0) close(network->user_fd);
    if (network->mount_fd >= 0) close(network->mount_fd);
    if (network->bridge_fd >= 0) close(network->bridge_fd);
    for (uint32_t i = 0; i < network->node_count; i++) {
        if (network->node_fd[i] >= 0) close(network->node_fd[i]);
    }
    network->node_count = 0;
}

static int enter(int user_fd, int mount_fd, int net_fd)
{
    if (user_fd >= 0 && setns(user_fd, CLONE_NEWUSER) < 0) return -errno;
    if (setns(net_fd, CLONE_NEWNET) < 0) return -errno;
    // Last: paths mean other things from here on.
    if (mount_fd >= 0 && setns(mount_fd, CLONE_NEWNS) < 0) return -errno;
    return 0;
}

int weft_lab_network_enter(const struct weft_lab_network *network, int node)
{
    char here[4096];
    const bool known = getcwd(here, sizeof(here)) != NULL;
    const int net_fd = node < 0 ? network->bridge_fd : network->node_fd[node];
    const int result = enter(network->user_fd, network->mount_fd, net_fd);
    if (result == 0 && known)
        (void)!chdir(here); // Joining a mount namespace leaves one at its root.
    return result;
}

int weft_lab_network_enter_of(int64_t pid, int user_fd, int mount_fd, int net_fd)
{
    const int numbers[3] = {user_fd, mount_fd, net_fd};
    int fds[3] = {-1, -1, -1};
    int result = 0;
    char here[4096];
    const bool known = getcwd(here, sizeof(here)) != NULL;
    for (int i = 0; i < 3 && result == 0; i++) {
        char path[64];
        if (numbers[i] < 0) continue;
        snprintf(path, sizeof(path), "/proc/%lld/fd/%d", (long long)pid, numbers[i]);
        fds[i] = open(path, O_RDONLY | O_CLOEXEC);
        if (fds[i] < 0) result = -errno;
    }
    if (result == 0) result = enter(fds[0], fds[1], fds[2]);
    if (result == 0 && known) (void)!chdir(here);
    for (int i = 0; i < 3; i++) {
        if (fds[i] >= 0) close(fds[i]);
    }
    return result;
}

bool weft_lab_network_possible(struct weft_error *error)
{
    struct weft_lab_network network;
    if (weft_lab_network_create(&network, 1, "10.77.0.1/24", error) != 0) return false;
    weft_lab_network_destroy(&network);
    return true;
}
