#include "runtime/lab/lab.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/admin/route.h"
#include "runtime/base/units.h"
#include "runtime/lab/lab_internal.h"
#include "runtime/lab/node_config.h"
#include "runtime/lab/smoke.h"

#define CPUS_FOR_TWO 8 // From so many CPUs on, a node gets two workers.
#define END_NS       (10 * WEFT_NS_PER_S)
#define LOG_LINES    12
// The longest path in it, switch/control.sock, has to fit a socket's address.
#define RUN_BYTES_MAX (107 - (int)sizeof("/switch/control.sock"))

static uint32_t workers_wanted(const struct weft_lab_options *options)
{
    cpu_set_t set;

    if (options->worker_count > 0) return options->worker_count;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) < 0) return 1;
    return CPU_COUNT(&set) >= CPUS_FOR_TWO ? 2 : 1;
}

// Signals come through a descriptor from here on; children get theirs back (spawn.c).
static int take_signals(struct weft_lab *lab, struct weft_error *error)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    // Inherited as "ignored" (nohup, a shell's &), a blocked signal would not reach the descriptor.
    signal(SIGINT, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    lab->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return lab->signal_fd >= 0 ? 0 : weft_error_set(error, 603, "signalfd: %s", strerror(errno));
}

static int make_network(struct weft_lab *lab, struct weft_error *error)
{
    lab->link = lab->options.link;
    if (lab->link == WEFT_LAB_VETH) {
        lab->has_network = weft_lab_network_create(&lab->network, lab->node_count,
                                                   WEFT_LAB_CLIENT "/24", error) == 0;
        if (lab->has_network) return 0;
        if (lab->options.link_chosen) return -1;
        weft_lab_say(lab,
                     "lab: no namespaces here (%s): the nodes are joined by a switch in shared "
                     "memory instead (--link vhost)",
                     error->text);
        lab->link = WEFT_LAB_VHOST;
    }
    return weft_lab_program_find(WEFT_LAB_SWITCH, lab->switch_path, error);
}

static int make_nodes(struct weft_lab *lab, struct weft_error *error)
{
    uint16_t port = WEFT_ADMIN_PORT;

    if (weft_lab_common_files(lab->lock.run, error) < 0) return -1;
    for (uint32_t i = 0; i < lab->node_count; i++) {
        struct weft_lab_node *node = &lab->nodes[i];
        const struct weft_lab_node_config config = {lab->lock.run, i, lab->node_count,
                                                    workers_wanted(&lab->options), lab->link};
        if (weft_lab_node_files(&config, error) < 0) return -1;
        if (weft_lab_node_listen(node, port, error) < 0) return -1;
        if (node->port != WEFT_ADMIN_PORT + i && node->port != port)
            weft_lab_say(lab, "lab: TCP port %u is in use: %s answers on %u", (unsigned)port,
                         node->name, (unsigned)node->port);
        port = (uint16_t)(node->port + 1);
    }
    return 0;
}

static int make_server(struct weft_lab *lab, struct weft_error *error)
{
    char path[WEFT_PLACE_BYTES + 32];
    const struct weft_admin_options options = {
        .clock = lab->clock, .routes = weft_lab_routes, .route_self = lab};

    lab->server = weft_admin_server_create(&options);
    if (lab->server == NULL) return weft_error_set(error, 501, "no memory for the lab's server");
    snprintf(path, sizeof(path), "%s/lab.sock", lab->lock.run);
    return weft_admin_listen_unix(lab->server, path, error);
}

static int start_all(struct weft_lab *lab, struct weft_error *error)
{
    char path[WEFT_PLACE_BYTES + 32];

    if (lab->link == WEFT_LAB_VHOST) {
        snprintf(path, sizeof(path), "%s/switch", lab->lock.run);
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
            return weft_error_set(error, 603, "%s: %s", path, strerror(errno));
        const int result = weft_lab_start_switch(lab);
        if (result < 0)
            return weft_error_set(error, 603, "%s: %s", lab->switch_path, strerror(-result));
    }
    for (uint32_t i = 0; i < lab->node_count; i++) {
        const int result = weft_lab_start_node(lab, i);
        if (result < 0) return weft_error_set(error, 604, "%s: %s", lab->weftd, strerror(-result));
    }
    return 0;
}

static void print_log_end(const struct weft_lab *lab, const char *path)
{
    char lines[LOG_LINES][256];
    size_t count = 0;
    FILE *log = fopen(path, "re");

    if (log == NULL) return;
    while (fgets(lines[count % LOG_LINES], sizeof(lines[0]), log) != NULL) {
        count++;
    }
    fclose(log);
    fprintf(lab->options.err, "lab: the end of %s:\n", path);
    for (size_t i = count > LOG_LINES ? count - LOG_LINES : 0; i < count; i++) {
        const char *line = lines[i % LOG_LINES];
        fprintf(lab->options.err, "    %s%s", line, strchr(line, '\n') != NULL ? "" : "\n");
    }
}

static int not_ready(const struct weft_lab *lab, const struct weft_lab_node *node,
                     struct weft_error *error)
{
    char log[WEFT_PLACE_BYTES + 32];

    if (lab->link == WEFT_LAB_VHOST) {
        snprintf(log, sizeof(log), "%s/switch/log", lab->lock.run);
        if (lab->switcher.failures > 0) print_log_end(lab, log);
    }
    snprintf(log, sizeof(log), "%s/log", node->directory);
    print_log_end(lab, log);
    return weft_error_set(error, 604, "%s did not become ready: %s", node->name, node->why);
}

// Turns until every node is ready, one fails, or somebody ends it.
static int boot(struct weft_lab *lab, struct weft_error *error)
{
    const uint64_t begun_ns = weft_clock_now_ns(&lab->clock);

    if (start_all(lab, error) < 0) return -1;
    while (!lab->ending) {
        uint32_t ready = 0;
        for (uint32_t i = 0; i < lab->node_count; i++) {
            if (lab->nodes[i].state == WEFT_LAB_RESTING)
                return not_ready(lab, &lab->nodes[i], error);
            if (lab->nodes[i].state == WEFT_LAB_READY) ready++;
        }
        if (ready == lab->node_count) break;
        weft_lab_turn(lab, UINT64_MAX);
    }
    lab->ready_ns = weft_clock_now_ns(&lab->clock) - begun_ns;
    lab->booted = !lab->ending;
    return 0;
}

static const char *link_text(const struct weft_lab *lab)
{
    if (lab->link == WEFT_LAB_VHOST) return "a switch in shared memory, vhost ports";
    return lab->network.user_fd >= 0 ? "veth pairs in a user namespace, af_packet ports"
                                     : "veth pairs in network namespaces, af_packet ports";
}

static void greet(struct weft_lab *lab, uint64_t begun_ns)
{
    FILE *out = lab->options.out;
    char self[256];

    weft_lab_self_prefix(self);
    fprintf(out, "lab: %u nodes ready in %.1f s, joined by %s\n\n", lab->node_count,
            (double)(weft_clock_now_ns(&lab->clock) - begun_ns) / 1e9, link_text(lab));
    fprintf(out, "%-5s %-12s %-24s %-8s %s\n", "NODE", "ADDRESS", "ADMIN", "PROCESS", "STATE");
    for (uint32_t i = 0; i < lab->node_count; i++) {
        const struct weft_lab_node *node = &lab->nodes[i];
        char url[48];
        snprintf(url, sizeof(url), "http://127.0.0.1:%u/", (unsigned)node->port);
        fprintf(out, "%-5s %-12s %-24s %-8d %s\n", node->name, node->address, url, (int)node->pid,
                weft_lab_state_name(node->state));
    }
    fprintf(out, "\ntry, in another terminal:\n");
    fprintf(out, "  %s swarm status\n", self);
    fprintf(out, "  %s lab udp %s %d '21 2 * .'\n", self, lab->nodes[0].address,
            WEFT_LAB_CALC_PORT);
    fprintf(out, "  %s repl n1\n\n", self);
    if (lab->link == WEFT_LAB_VHOST)
        fprintf(out, "no kernel is on this network: `lab udp` stands in for nc, and `lab exec` has "
                     "nothing to enter\n");
    if (lab->live.tty && lab->options.live && !lab->options.smoke)
        fprintf(out, "below: the nodes that each sees alive, its units, how busy it is\n");
    fprintf(out, "logs, journals and sockets are in %s; Ctrl-C removes everything\n",
            lab->lock.run);
    fflush(out);
}

static void start_smoke(struct weft_lab *lab)
{
    const pid_t parent = getpid();

    fflush(NULL);
    lab->smoke_pid = fork();
    if (lab->smoke_pid != 0) return;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    const int failed = weft_lab_smoke(lab->lock.run, lab->options.out);
    fflush(NULL);
    _exit(failed > 0 ? 1 : 0);
}

static bool all_ended(const struct weft_lab *lab)
{
    for (uint32_t i = 0; i < lab->node_count; i++) {
        if (lab->nodes[i].pid != 0) return false;
    }
    return true;
}

static void stop_processes(struct weft_lab *lab)
{
    const uint64_t now_ns = weft_clock_now_ns(&lab->clock), until_ns = now_ns + END_NS;

    lab->ending = true;
    if (lab->smoke_pid > 0) kill(lab->smoke_pid, SIGKILL);
    for (uint32_t i = 0; i < lab->node_count; i++) {
        weft_lab_node_stop(&lab->nodes[i], false, "the lab ends", now_ns);
    }
    while (lab->server != NULL && !all_ended(lab) && weft_clock_now_ns(&lab->clock) < until_ns) {
        weft_lab_turn(lab, until_ns);
    }
    if (lab->switcher.pid > 0) kill(lab->switcher.pid, SIGKILL);
    for (uint32_t i = 0; i < lab->node_count; i++) {
        if (lab->nodes[i].pid > 0) kill(lab->nodes[i].pid, SIGKILL);
    }
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {
    }
}

static void tear_down(struct weft_lab *lab)
{
    stop_processes(lab);
    weft_lab_live_close(&lab->live);
    weft_lab_settle_all(lab);
    weft_admin_server_free(lab->server);
    for (uint32_t i = 0; i < lab->node_count; i++) {
        weft_lab_node_close(&lab->nodes[i]);
    }
    if (lab->has_network) weft_lab_network_destroy(&lab->network);
    lab->left_files = weft_lab_lock_release(&lab->lock, lab->options.keep && lab->booted);
    if (lab->signal_fd >= 0) close(lab->signal_fd);
}

static void say_farewell(struct weft_lab *lab, const char *run)
{
    if (lab->options.keep && lab->booted) {
        weft_lab_say(lab,
                     "lab: %u nodes stopped; their files stay in %s (`weft lab down` removes "
                     "them)",
                     lab->node_count, run);
        return;
    }
    weft_lab_say(lab, "lab: %u nodes stopped%s: %s", lab->node_count,
                 lab->link == WEFT_LAB_VETH ? ", their network removed" : "",
                 lab->left_files ? "some files could not be removed" : "nothing left");
}

static int run(struct weft_lab *lab, struct weft_error *error)
{
    const uint64_t begun_ns = weft_clock_now_ns(&lab->clock);

    if (take_signals(lab, error) < 0 || make_network(lab, error) < 0 ||
        make_nodes(lab, error) < 0 || make_server(lab, error) < 0 || boot(lab, error) < 0)
        return -1;
    if (!lab->ending) greet(lab, begun_ns);
    if (!lab->ending && lab->options.smoke) start_smoke(lab);
    if (!lab->options.live || lab->options.smoke) lab->live.out = NULL;
    while (!lab->ending) {
        weft_lab_turn(lab, UINT64_MAX);
    }
    weft_lab_live_clear(&lab->live);
    weft_lab_say(lab, "lab: ending (%s)", lab->reason);
    return 0;
}

static struct weft_lab *create(const struct weft_lab_options *options)
{
    struct weft_lab *lab = calloc(1, sizeof(*lab));

    if (lab == NULL) return NULL;
    lab->options = *options;
    lab->clock = weft_clock_linux();
    lab->signal_fd = -1;
    lab->switcher.due_ns = UINT64_MAX;
    lab->smoke_status = -1; // Not exited: as long as nobody has said otherwise, it failed.
    lab->node_count = options->node_count;
    lab->start_wall_ns = weft_clock_wall_ns(&lab->clock);
    weft_lab_live_init(&lab->live, options->out);
    for (uint32_t i = 0; i < lab->node_count; i++) {
        struct weft_lab_node *node = &lab->nodes[i];
        weft_lab_node_name(i, node->name);
        weft_lab_node_address(i, node->address);
        node->listen_fd = node->ready_fd = -1;
        node->due_ns = UINT64_MAX;
        weft_list_init(&node->waiting);
    }
    return lab;
}

int weft_lab_up(const struct weft_lab_options *options, struct weft_error *error)
{
    char place[WEFT_PLACE_BYTES];
    bool stale = false;

    if (options->node_count == 0 || options->node_count > WEFT_LAB_NODES_MAX)
        return weft_error_set(error, 603, "a lab has 1 to %d nodes", WEFT_LAB_NODES_MAX);
    if (weft_place_run(place, error) < 0) return -1;
    if (strlen(place) > RUN_BYTES_MAX) {
        weft_error_set(error, 603, "%s is too long a directory for sockets", place);
        weft_error_hint(error, "set WEFT_RUN_DIR to one of at most %d characters", RUN_BYTES_MAX);
        return -1;
    }
    struct weft_lab *lab = create(options);
    if (lab == NULL) return weft_error_set(error, 603, "no memory");
    if (weft_lab_program_find(WEFT_LAB_WEFTD, lab->weftd, error) < 0 ||
        weft_lab_lock_take(&lab->lock, place, &stale, error) < 0) {
        free(lab);
        return -1;
    }
    for (uint32_t i = 0; i < lab->node_count; i++) {
        char name[16];
        weft_lab_node_name(i, name);
        snprintf(lab->nodes[i].directory, sizeof(lab->nodes[i].directory), "%s/%s", place, name);
    }
    if (stale) weft_lab_say(lab, "lab: removed what a killed lab had left in %s", place);
    int result = run(lab, error);
    tear_down(lab);
    if (result == 0) {
        say_farewell(lab, place);
        const int status = lab->smoke_status;
        if (options->smoke && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) result = 1;
        if (options->smoke && !lab->booted) result = 1;
    }
    free(lab);
    return result;
}
