#include "image/init/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image/init/node_log.h"

#define PIPE_BYTES       (256u << 10)
#define STARTED_AGAIN_AT SIGABRT // Its containment writes a report (runtime/actor/fault.h).

static void restart(void *self)
{
    weft_daemon_start(self);
}

static void kill_now(void *self)
{
    struct weft_daemon *daemon = self;
    if (daemon->pid > 0) kill(daemon->pid, SIGKILL);
}

void weft_daemon_init(struct weft_daemon *daemon, struct weft_loop *loop, struct weft_say *say)
{
    *daemon = (struct weft_daemon){.loop = loop, .say = say, .ready_fd = -1, .output_fd = -1};
    weft_loop_timer_init(&daemon->restart, restart, daemon);
    weft_loop_timer_init(&daemon->kill, kill_now, daemon);
}

// ---- What it says.

static void take_line(struct weft_daemon *daemon)
{
    daemon->line[daemon->line_used] = '\0';
    daemon->line_used = 0;
    char *kept = daemon->lines[daemon->line_count++ % WEFT_DAEMON_LINES];
    snprintf(kept, sizeof(daemon->lines[0]), "%.255s", daemon->line);
    if (daemon->say->log != NULL) weft_node_log_line(daemon->say->log, daemon->line);
    weft_say_bytes(daemon->say, daemon->line, strlen(daemon->line));
    weft_say_bytes(daemon->say, "\r\n", 2);
}

static void take_bytes(struct weft_daemon *daemon, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != '\n') daemon->line[daemon->line_used++] = bytes[i];
        if (bytes[i] == '\n' || daemon->line_used == sizeof(daemon->line) - 1) take_line(daemon);
    }
}

static void close_fd(struct weft_daemon *daemon, int *fd)
{
    if (*fd < 0) return;
    weft_loop_unwatch(daemon->loop, *fd);
    close(*fd);
    *fd = -1;
}

#define LAST_PIECES 16 // As much as a pipe holds.

static void read_output(void *self, short events)
{
    struct weft_daemon *daemon = self;
    char bytes[4096];
    ssize_t length;
    (void)events;
    // One piece at a time: the console is slow, and who writes faster must not keep the loop here.
    length = read(daemon->output_fd, bytes, sizeof(bytes));
    if (length > 0) {
        take_bytes(daemon, bytes, (size_t)length);
        return;
    }
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (daemon->line_used > 0) take_line(daemon);
    close_fd(daemon, &daemon->output_fd);
}

static void read_ready(void *self, short events)
{
    struct weft_daemon *daemon = self;
    char bytes[16];
    (void)events;
    const bool said = read(daemon->ready_fd, bytes, sizeof(bytes)) > 0;
    close_fd(daemon, &daemon->ready_fd);
    if (!said || daemon->state != WEFT_DAEMON_STARTING) return;
    daemon->state = WEFT_DAEMON_READY;
    daemon->ready(daemon->self);
}

const char *weft_daemon_last_error(const struct weft_daemon *daemon)
{
    const uint32_t count =
        daemon->line_count < WEFT_DAEMON_LINES ? daemon->line_count : WEFT_DAEMON_LINES;
    for (uint32_t i = 1; i <= count; i++) {
        const char *line = daemon->lines[(daemon->line_count - i) % WEFT_DAEMON_LINES];
        if (strstr(line, "error") != NULL) return line;
    }
    return count > 0 ? daemon->lines[(daemon->line_count - 1) % WEFT_DAEMON_LINES] : "";
}

// ---- Starting and ending.

// In the child. Only what may be called between fork and exec.
static void become(const struct weft_daemon *daemon, int output, int ready)
{
    static char *const environment[] = {"PATH=/usr/bin:/sbin", "HOME=/data", "TMPDIR=/tmp", NULL};
    char ready_text[16];
    sigset_t none;
    cpu_set_t all;
    snprintf(ready_text, sizeof(ready_text), "%d", ready);
    char *const arguments[] = {
        (char *)daemon->program, (char *)"--config", (char *)daemon->config_path,
        (char *)"--ready-fd",    ready_text,         NULL};
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    memset(&all, 0xff, sizeof(all)); // Init keeps to its own CPUs (cores.c); the node has all.
    sched_setaffinity(0, sizeof(all), &all);
    setsid();
    dup2(output, 1);
    dup2(output, 2);
    fcntl(ready, F_SETFD, 0);
    execve(daemon->program, arguments, environment);
    dprintf(2, "error: %s: %s\n", daemon->program, strerror(errno));
    _exit(127);
}

static int open_pipes(int output[2], int ready[2])
{
    if (pipe2(output, O_CLOEXEC | O_NONBLOCK) != 0) return -errno;
    if (pipe2(ready, O_CLOEXEC) != 0) {
        const int failure = -errno;
        close(output[0]);
        close(output[1]);
        return failure;
    }
    fcntl(output[0], F_SETPIPE_SZ, PIPE_BYTES);
    fcntl(ready[0], F_SETFL, O_NONBLOCK);
    return 0;
}

static void wait_and_restart(struct weft_daemon *daemon, uint64_t ran_ns)
{
    const uint64_t wait_ns = weft_backoff_next(&daemon->backoff, ran_ns);
    daemon->state = WEFT_DAEMON_WAITING;
    weft_loop_after(daemon->loop, &daemon->restart, wait_ns);
    weft_say_line(daemon->say, "weftd is started again in %.1f s", (double)wait_ns / 1e9);
}

void weft_daemon_start(struct weft_daemon *daemon)
{
    int output[2], ready[2];
    if (daemon->pid > 0) return;
    weft_loop_cancel(&daemon->restart);
    daemon->stopping = false;
    daemon->started_ns = daemon->loop->now_ns;
    const int result = open_pipes(output, ready);
    if (result != 0) {
        weft_say_error(daemon->say, "weftd: no pipe: %s", strerror(-result));
        wait_and_restart(daemon, 0);
        return;
    }
    daemon->pid = fork();
    if (daemon->pid == 0) become(daemon, output[1], ready[1]);
    close(output[1]);
    close(ready[1]);
    close_fd(daemon, &daemon->output_fd); // Of one before, if its children held it open.
    daemon->output_fd = output[0];
    daemon->ready_fd = ready[0];
    daemon->start_count++;
    daemon->state = WEFT_DAEMON_STARTING;
    weft_loop_watch(daemon->loop, daemon->output_fd, POLLIN, read_output, daemon);
    weft_loop_watch(daemon->loop, daemon->ready_fd, POLLIN, read_ready, daemon);
    if (daemon->pid > 0) return;
    weft_say_error(daemon->say, "weftd: no process: %s", strerror(errno));
    daemon->pid = 0;
    wait_and_restart(daemon, 0);
}

void weft_daemon_stop(struct weft_daemon *daemon, uint64_t grace_ns)
{
    weft_loop_cancel(&daemon->restart);
    daemon->stopping = true;
    if (daemon->pid <= 0) {
        daemon->state = WEFT_DAEMON_STOPPED;
        daemon->ended(daemon->self);
        return;
    }
    kill(daemon->pid, SIGTERM);
    weft_loop_after(daemon->loop, &daemon->kill, grace_ns);
}

void weft_daemon_abort(struct weft_daemon *daemon)
{
    if (daemon->pid <= 0) return;
    kill(daemon->pid, STARTED_AGAIN_AT);
    weft_loop_after(daemon->loop, &daemon->kill, 2 * WEFT_NS_PER_S);
}

static void tell_end(struct weft_daemon *daemon, int status)
{
    if (WIFSIGNALED(status))
        weft_say_error(daemon->say, "weftd ended by signal %d (%s)", WTERMSIG(status),
                       strsignal(WTERMSIG(status)));
    else
        weft_say_error(daemon->say, "weftd ended with status %d: %s", WEXITSTATUS(status),
                       weft_daemon_last_error(daemon));
}

bool weft_daemon_reaped(struct weft_daemon *daemon, pid_t pid, int status)
{
    if (pid != daemon->pid || pid <= 0) return false;
    const uint64_t ran_ns = daemon->loop->now_ns - daemon->started_ns;
    weft_loop_cancel(&daemon->kill);
    daemon->pid = 0;
    daemon->state = WEFT_DAEMON_STOPPED;
    for (int n = 0; daemon->output_fd >= 0 && n < LAST_PIECES; n++)
        read_output(daemon, POLLIN); // Its last words.
    close_fd(daemon, &daemon->ready_fd);
    if (!daemon->stopping) {
        daemon->end_count++;
        tell_end(daemon, status);
        if (WIFEXITED(status) && WEXITSTATUS(status) == WEFT_DAEMON_EXIT_CONFIG)
            daemon->bad_config(daemon->self);
        else
            wait_and_restart(daemon, ran_ns);
    }
    daemon->ended(daemon->self);
    return true;
}
