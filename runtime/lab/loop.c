// The lab's loop: signals, its own HTTP, what nodes and the switch do, and when.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/units.h"
#include "runtime/lab/lab_internal.h"
#include "runtime/lab/spawn.h"

#define NODE_FDS    3 // Its ready pipe, its stand-in, its line of health.
#define FDS         (2 + NODE_FDS * WEFT_LAB_NODES_MAX)
#define READY_NS    (10 * WEFT_NS_PER_S)
#define SWITCH_REST (WEFT_NS_PER_S / 5)

void weft_lab_say(struct weft_lab *lab, const char *format, ...)
{
    va_list args;

    weft_lab_live_clear(&lab->live);
    va_start(args, format);
    vfprintf(lab->options.out, format, args);
    va_end(args);
    fputc('\n', lab->options.out);
    fflush(lab->options.out);
}

int weft_lab_start_node(struct weft_lab *lab, uint32_t index)
{
    const uint64_t chosen_ns = lab->options.ready_timeout_ms * WEFT_NS_PER_MS;
    const bool veth = lab->link == WEFT_LAB_VETH;
    const struct weft_lab_node_program program = {
        .path = lab->weftd,
        .network = veth ? &lab->network : NULL,
        .index = (int)index,
        .ready_timeout_ns = chosen_ns > 0 ? chosen_ns : READY_NS,
    };

    return weft_lab_node_start(&lab->nodes[index], &program, weft_clock_now_ns(&lab->clock));
}

int weft_lab_start_switch(struct weft_lab *lab)
{
    char directory[WEFT_PLACE_BYTES + 16], control[WEFT_PLACE_BYTES + 32],
        log[WEFT_PLACE_BYTES + 32], ports[WEFT_LAB_NODES_MAX * 8] = "";
    size_t used = 0;

    for (uint32_t i = 0; i < lab->node_count; i++) {
        used += (size_t)snprintf(ports + used, sizeof(ports) - used, "%s%s", i > 0 ? "," : "",
                                 lab->nodes[i].name);
    }
    snprintf(directory, sizeof(directory), "%s/switch", lab->lock.run);
    snprintf(control, sizeof(control), "%s/control.sock", directory);
    snprintf(log, sizeof(log), "%s/log", directory);
    char *const argv[] = {lab->switch_path,    (char *)"--dir", directory, (char *)"--ports", ports,
                          (char *)"--control", control,         NULL};
    const struct weft_lab_spawn spawn = {.argv = argv, .log_path = log};
    const pid_t pid = weft_lab_spawn(&spawn);
    if (pid < 0) return (int)pid;
    lab->switcher.pid = pid;
    lab->switcher.due_ns = UINT64_MAX;
    return 0;
}

static void node_ended(struct weft_lab *lab, struct weft_lab_node *node, int status)
{
    weft_lab_node_ended(node, status, weft_clock_now_ns(&lab->clock));
    weft_lab_node_stand_in(node, lab->clock);
    if (node->state == WEFT_LAB_RESTING && lab->booted && !lab->ending) {
        const uint64_t rest_ns = node->due_ns - weft_clock_now_ns(&lab->clock);
        weft_lab_say(lab, "lab: %s is gone: %s; it starts again in %.1f s (log: %s/log)",
                     node->name, node->why, (double)rest_ns / 1e9, node->directory);
    }
    weft_lab_settle(lab, node);
}

static void switch_ended(struct weft_lab *lab)
{
    lab->switcher.pid = 0;
    if (lab->ending) return;
    lab->switcher.due_ns =
        weft_clock_now_ns(&lab->clock) + (SWITCH_REST << (lab->switcher.failures & 7));
    lab->switcher.failures++;
    weft_lab_say(lab, "lab: the switch is gone and starts again (log: %s/switch/log)",
                 lab->lock.run);
}

static void reap(struct weft_lab *lab)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == lab->smoke_pid) {
            lab->smoke_pid = 0;
            lab->smoke_status = status;
            lab->ending = true;
            snprintf(lab->reason, sizeof(lab->reason), "the checks are done");
        } else if (pid == lab->switcher.pid) {
            switch_ended(lab);
        }
        for (uint32_t i = 0; i < lab->node_count; i++) {
            if (lab->nodes[i].pid == pid) node_ended(lab, &lab->nodes[i], status);
        }
    }
}

static void hear_signals(struct weft_lab *lab)
{
    struct signalfd_siginfo info;

    while (read(lab->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGCHLD || lab->ending) continue;
        lab->ending = true;
        if (info.ssi_code == SI_KERNEL) { // From the terminal.
            snprintf(lab->reason, sizeof(lab->reason), "%s",
                     info.ssi_signo == SIGINT ? "Ctrl-C" : strsignal((int)info.ssi_signo));
        } else {
            snprintf(lab->reason, sizeof(lab->reason), "%s from process %u",
                     strsignal((int)info.ssi_signo), (unsigned)info.ssi_pid);
        }
    }
    reap(lab);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t due_of(struct weft_lab *lab, uint64_t until_ns)
{
    struct weft_poller poller = weft_admin_server_poller(lab->server);
    uint64_t due_ns = earlier(until_ns, poller.due_ns(poller.self));

    due_ns = earlier(due_ns, lab->switcher.due_ns);
    if (lab->live.out != NULL && lab->booted) due_ns = earlier(due_ns, lab->live.due_ns);
    for (uint32_t i = 0; i < lab->node_count; i++) {
        due_ns = earlier(due_ns, lab->nodes[i].due_ns);
        if (lab->nodes[i].stand_in == NULL) continue;
        poller = weft_admin_server_poller(lab->nodes[i].stand_in);
        due_ns = earlier(due_ns, poller.due_ns(poller.self));
    }
    return due_ns;
}

static int doorbell_of(struct weft_admin_server *server)
{
    if (server == NULL) return -1;
    const struct weft_poller poller = weft_admin_server_poller(server);
    return poller.doorbell_fd(poller.self);
}

static void wait_for_something(struct weft_lab *lab, uint64_t until_ns)
{
    struct pollfd fds[FDS];
    nfds_t count = 0;

    fds[count++] = (struct pollfd){.fd = lab->signal_fd, .events = POLLIN};
    fds[count++] = (struct pollfd){.fd = doorbell_of(lab->server), .events = POLLIN};
    for (uint32_t i = 0; i < lab->node_count; i++) {
        const int mine[NODE_FDS] = {
            lab->nodes[i].ready_fd,
            lab->booted ? weft_lab_live_fd(&lab->live, i) : -1,
            doorbell_of(lab->nodes[i].stand_in),
        };
        for (size_t k = 0; k < NODE_FDS; k++) {
            fds[count++] = (struct pollfd){.fd = mine[k], .events = POLLIN};
        }
    }
    const uint64_t due_ns = due_of(lab, until_ns), now_ns = weft_clock_now_ns(&lab->clock);
    int timeout_ms = 1000;
    if (due_ns <= now_ns) {
        timeout_ms = 0;
    } else if (due_ns - now_ns < WEFT_NS_PER_S) {
        timeout_ms = (int)((due_ns - now_ns) / WEFT_NS_PER_MS) + 1;
    }
    (void)poll(fds, count, timeout_ms);
}

static bool readable(int fd)
{
    struct pollfd waiting = {.fd = fd, .events = POLLIN};

    return fd >= 0 && poll(&waiting, 1, 0) > 0;
}

static void tend_node(struct weft_lab *lab, uint32_t index, uint64_t now_ns)
{
    struct weft_lab_node *node = &lab->nodes[index];

    if (readable(node->ready_fd) && weft_lab_node_hear(node)) {
        if (lab->booted) weft_lab_say(lab, "lab: %s is ready", node->name);
        weft_lab_settle(lab, node);
    }
    weft_lab_node_overdue(node, now_ns);
    if (node->stand_in != NULL) {
        struct weft_poller poller = weft_admin_server_poller(node->stand_in);
        poller.poll(poller.self, now_ns);
    }
    if (node->state == WEFT_LAB_RESTING && now_ns >= node->due_ns && lab->booted && !lab->ending)
        (void)weft_lab_start_node(lab, index);
}

void weft_lab_turn(struct weft_lab *lab, uint64_t until_ns)
{
    wait_for_something(lab, until_ns);
    const uint64_t now_ns = weft_clock_now_ns(&lab->clock);
    struct weft_poller poller = weft_admin_server_poller(lab->server);
    hear_signals(lab);
    poller.poll(poller.self, now_ns);
    for (uint32_t i = 0; i < lab->node_count; i++) {
        tend_node(lab, i, now_ns);
    }
    if (now_ns >= lab->switcher.due_ns && !lab->ending) {
        lab->switcher.due_ns = UINT64_MAX;
        if (weft_lab_start_switch(lab) < 0) switch_ended(lab);
    }
    if (lab->booted && !lab->ending)
        weft_lab_live_turn(&lab->live, lab->nodes, lab->node_count, now_ns);
}
