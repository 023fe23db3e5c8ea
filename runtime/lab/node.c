#include "runtime/lab/node.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/units.h"
#include "runtime/lab/spawn.h"

#define STOP_NS      (3 * WEFT_NS_PER_S)
#define REST_NS      (WEFT_NS_PER_S / 2) // Doubles with each failure in a row,
#define REST_NS_MAX  (30 * WEFT_NS_PER_S)
#define STEADY_NS    (30 * WEFT_NS_PER_S) // until the node has been up so long.
#define PORTS_TO_TRY 200

const char *weft_lab_state_name(enum weft_lab_state state)
{
    switch (state) {
    case WEFT_LAB_DOWN: return "down";
    case WEFT_LAB_STARTING: return "starting";
    case WEFT_LAB_READY: return "ready";
    case WEFT_LAB_STOPPING: return "stopping";
    case WEFT_LAB_RESTING: return "restarting";
    }
    return "unknown";
}

int weft_lab_node_listen(struct weft_lab_node *node, uint16_t port, struct weft_error *error)
{
    for (unsigned i = 0; i < PORTS_TO_TRY && port + i <= UINT16_MAX; i++) {
        node->listen_fd = weft_admin_open_tcp((uint16_t)(port + i), error);
        if (node->listen_fd < 0) continue;
        node->port = (uint16_t)(port + i);
        return 0;
    }
    return -1;
}

// A server that ends may have shut its listening socket down for all who hold it.
static void ensure_listening(struct weft_lab_node *node)
{
    int listening = 0;
    socklen_t length = sizeof(listening);

    if (node->listen_fd >= 0 &&
        getsockopt(node->listen_fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == 0 &&
        listening != 0)
        return;
    if (node->listen_fd >= 0) close(node->listen_fd);
    node->listen_fd = weft_admin_open_tcp(node->port, NULL);
}

void weft_lab_node_stand_in(struct weft_lab_node *node, struct weft_clock clock)
{
    const bool nobody = node->state == WEFT_LAB_DOWN || node->state == WEFT_LAB_RESTING;

    if (!nobody || node->stand_in != NULL) return;
    ensure_listening(node);
    snprintf(node->stand_in_text, sizeof(node->stand_in_text), "%s is %s: %s", node->name,
             weft_lab_state_name(node->state), node->why);
    const struct weft_admin_options options = {.clock = clock, .unavailable = node->stand_in_text};
    node->stand_in = weft_admin_server_create(&options);
    const int copy = fcntl(node->listen_fd, F_DUPFD_CLOEXEC, 0);
    if (node->stand_in == NULL || copy < 0 || weft_admin_serve_fd(node->stand_in, copy, NULL) < 0) {
        if (copy >= 0) close(copy);
        weft_admin_server_free(node->stand_in);
        node->stand_in = NULL;
    }
}

static void rest(struct weft_lab_node *node, uint64_t now_ns)
{
    uint64_t rest_ns = REST_NS;

    for (uint32_t i = 0; i < node->failures && rest_ns < REST_NS_MAX; i++) {
        rest_ns *= 2;
    }
    node->failures++;
    node->state = WEFT_LAB_RESTING;
    node->due_ns = now_ns + (rest_ns < REST_NS_MAX ? rest_ns : REST_NS_MAX);
}

static void close_ready(struct weft_lab_node *node)
{
    if (node->ready_fd >= 0) close(node->ready_fd);
    node->ready_fd = -1;
}

int weft_lab_node_start(struct weft_lab_node *node, const struct weft_lab_node_program *program,
                        uint64_t now_ns)
{
    char config[WEFT_PLACE_BYTES + 32], log[WEFT_PLACE_BYTES + 32], listen_fd[16], ready_fd[16];
    int ready[2];

    weft_admin_server_free(node->stand_in);
    node->stand_in = NULL;
    ensure_listening(node);
    if (pipe2(ready, O_CLOEXEC) < 0) {
        const int reason = errno;
        rest(node, now_ns);
        return -reason;
    }
    snprintf(config, sizeof(config), "%s/weft.toml", node->directory);
    snprintf(log, sizeof(log), "%s/log", node->directory);
    snprintf(listen_fd, sizeof(listen_fd), "%d", node->listen_fd);
    snprintf(ready_fd, sizeof(ready_fd), "%d", ready[1]);
    char *const argv[] = {
        (char *)program->path, (char *)"--config", config, (char *)"--listen-fd", listen_fd,
        (char *)"--ready-fd",  ready_fd,           NULL};
    const int keep[] = {node->listen_fd, ready[1], -1};
    const struct weft_lab_spawn spawn = {argv, log, keep, program->network, program->index};
    const pid_t pid = weft_lab_spawn(&spawn);
    close(ready[1]);
    if (pid < 0) {
        close(ready[0]);
        rest(node, now_ns);
        return (int)pid;
    }
    node->pid = pid;
    node->ready_fd = ready[0];
    node->state = WEFT_LAB_STARTING;
    node->started_ns = now_ns;
    node->due_ns = now_ns + program->ready_timeout_ns;
    node->late = false;
    return 0;
}

bool weft_lab_node_hear(struct weft_lab_node *node)
{
    char text[16];
    const ssize_t length = read(node->ready_fd, text, sizeof(text));

    if (length < 0 && errno == EINTR) return false;
    close_ready(node); // Said, or closed without a word: then its end follows.
    if (length < 5 || memcmp(text, "ready", 5) != 0 || node->state != WEFT_LAB_STARTING)
        return false;
    node->state = WEFT_LAB_READY;
    node->due_ns = UINT64_MAX;
    node->why[0] = '\0';
    return true;
}

void weft_lab_node_stop(struct weft_lab_node *node, bool kill_now, const char *why, uint64_t now_ns)
{
    snprintf(node->why, sizeof(node->why), "%s", why);
    node->failures = 0;
    node->due_ns = UINT64_MAX;
    close_ready(node);
    if (node->pid == 0) {
        node->state = WEFT_LAB_DOWN;
        return;
    }
    node->state = WEFT_LAB_STOPPING;
    if (!kill_now) node->due_ns = now_ns + STOP_NS;
    kill(node->pid, kill_now ? SIGKILL : SIGTERM);
}

void weft_lab_node_overdue(struct weft_lab_node *node, uint64_t now_ns)
{
    const bool leaving = node->state == WEFT_LAB_STARTING || node->state == WEFT_LAB_STOPPING;

    if (!leaving || now_ns < node->due_ns) return;
    node->late = node->state == WEFT_LAB_STARTING;
    node->due_ns = UINT64_MAX;
    kill(node->pid, SIGKILL);
}

void weft_lab_node_ended(struct weft_lab_node *node, int status, uint64_t now_ns)
{
    const bool asked = node->state == WEFT_LAB_STOPPING;

    close_ready(node);
    node->pid = 0;
    node->due_ns = UINT64_MAX;
    if (asked) {
        node->state = WEFT_LAB_DOWN;
        return;
    }
    if (node->late) {
        snprintf(node->why, sizeof(node->why), "it did not become ready in time");
    } else if (WIFSIGNALED(status)) {
        snprintf(node->why, sizeof(node->why), "its process was ended by signal %d (%s)",
                 WTERMSIG(status), strsignal(WTERMSIG(status)));
    } else {
        snprintf(node->why, sizeof(node->why), "its process ended with exit status %d",
                 WEXITSTATUS(status));
    }
    if (node->state == WEFT_LAB_READY && now_ns - node->started_ns > STEADY_NS) node->failures = 0;
    node->restarts++;
    rest(node, now_ns);
}

void weft_lab_node_close(struct weft_lab_node *node)
{
    weft_admin_server_free(node->stand_in);
    node->stand_in = NULL;
    close_ready(node);
    if (node->listen_fd >= 0) close(node->listen_fd);
    node->listen_fd = -1;
}
