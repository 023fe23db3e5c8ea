#include "bench/actors/conduct.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_S   60
#define NS_PER_MS UINT64_C(1000000)

// Programs that bench/peers/build.sh may have made, in the order of the columns.
static const char *const peers[] = {"erlang", "go", "caf", "boost", "st", "pth"};
#define PEER_COUNT (sizeof(peers) / sizeof(peers[0]))

// ---- One program.

struct program {
    pid_t pid;
    int out; // What it prints.
    char text[4096];
    size_t length;
};

// What the child does between fork and exec. It dies with us, whatever ends us.
static _Noreturn void become(char *const arguments[], int out, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1); // It ended before that.
    dup2(out, STDOUT_FILENO);
    execv(arguments[0], arguments);
    fprintf(stderr, "bench: %s: %s\n", arguments[0], strerror(errno));
    _exit(127);
}

static int start(struct program *program, char *const arguments[])
{
    int ends[2];
    const pid_t parent = getpid();
    if (pipe(ends) != 0) return -errno;
    fflush(NULL);
    program->length = 0;
    program->out = ends[0];
    program->pid = fork();
    if (program->pid == 0) {
        close(ends[0]);
        become(arguments, ends[1], parent);
    }
    close(ends[1]);
    if (program->pid > 0) return 0;
    const int error = errno;
    close(ends[0]);
    return -error;
}

// What a program may print: figures, and remarks.
static void take_line(struct weft_bench_conductor *conductor, const char *line)
{
    struct weft_bench_figure figure;
    if (weft_bench_figure_read(line, &figure)) {
        if (!weft_bench_sheet_add(conductor->sheet, &figure))
            fprintf(stderr, "bench: too many figures\n");
    } else if (strncmp(line, "say ", 4) == 0) {
        weft_bench_say(conductor->bench, "%s", line + 4);
    } else if (line[0] != '\0') {
        fprintf(stderr, "bench: %s\n", line);
    }
}

// The whole lines of what has been read; the rest stays. A line longer than the buffer is cut.
static void take_lines(struct weft_bench_conductor *conductor, struct program *program)
{
    char *line = program->text, *end;
    program->text[program->length] = '\0';
    while ((end = strchr(line, '\n')) != NULL) {
        *end = '\0';
        take_line(conductor, line);
        line = end + 1;
    }
    program->length -= (size_t)(line - program->text);
    if (program->length == sizeof(program->text) - 1) program->length = 0;
    memmove(program->text, line, program->length);
}

// Reads until the program has closed its output. False: it takes too long.
static bool read_all(struct weft_bench_conductor *conductor, struct program *program,
                     unsigned limit_s)
{
    const uint64_t end_ns = weft_bench_now_ns() + (uint64_t)limit_s * 1000 * NS_PER_MS;
    for (;;) {
        struct pollfd wait = {.fd = program->out, .events = POLLIN};
        const uint64_t now_ns = weft_bench_now_ns();
        if (now_ns >= end_ns) return false;
        if (poll(&wait, 1, (int)((end_ns - now_ns) / NS_PER_MS) + 1) <= 0) continue;
        const ssize_t got = read(program->out, program->text + program->length,
                                 sizeof(program->text) - 1 - program->length);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return true;
        program->length += (size_t)got;
        take_lines(conductor, program);
    }
}

static void run(struct weft_bench_conductor *conductor, char *const arguments[], const char *what,
                unsigned limit_s)
{
    struct program program;
    int status = 0;
    const int error = start(&program, arguments);
    if (error != 0) {
        weft_bench_say(conductor->bench, "%s: not started: %s", what, strerror(-error));
        return;
    }
    const bool ended = read_all(conductor, &program, limit_s);
    if (!ended) kill(program.pid, SIGKILL);
    close(program.out);
    while (waitpid(program.pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!ended)
        weft_bench_say(conductor->bench, "%s: not done after %u s, ended", what, limit_s);
    else if (WIFSIGNALED(status))
        weft_bench_say(conductor->bench, "%s: ended by signal %d", what, WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        weft_bench_say(conductor->bench, "%s: ended with status %d", what, WEXITSTATUS(status));
}

// ---- One group.

static unsigned limit_of(const struct weft_bench_group *group)
{
    return group->limit_s != 0 ? group->limit_s : LIMIT_S;
}

static void run_ours(struct weft_bench_conductor *conductor, const struct weft_bench_group *group,
                     unsigned cores)
{
    char rows[64], count[32], self[] = "/proc/self/exe", quick[] = "--quick", what[64];
    if (group->rows == NULL && group->alone == NULL) return;
    for (unsigned part = 0; part < (group->parts != 0 ? group->parts : 1); part++) {
        snprintf(rows, sizeof(rows), "--rows=%s.%u", group->name, part);
        snprintf(count, sizeof(count), "--cores=%u", cores);
        snprintf(what, sizeof(what), WEFT_BENCH_OURS ", %s", group->name);
        char *const arguments[] = {self, rows, count, conductor->bench->quick ? quick : NULL, NULL};
        run(conductor, arguments, what, limit_of(group));
    }
}

static void run_peer(struct weft_bench_conductor *conductor, const struct weft_bench_group *group,
                     unsigned cores, const char *peer)
{
    char path[4096], count[16], name[32], quick[] = "quick", what[64];
    snprintf(path, sizeof(path), "%s/%s", conductor->peers, peer);
    if (access(path, X_OK) != 0) return;
    snprintf(count, sizeof(count), "%u", cores);
    snprintf(name, sizeof(name), "%s", group->name);
    snprintf(what, sizeof(what), "%s, %s", peer, group->name);
    char *const arguments[] = {path, count, name, conductor->bench->quick ? quick : NULL, NULL};
    run(conductor, arguments, what, limit_of(group));
}

void weft_bench_conduct(struct weft_bench_conductor *conductor,
                        const struct weft_bench_group *group, unsigned cores)
{
    const size_t from = conductor->sheet->count;
    for (unsigned pass = 0; pass < conductor->passes; pass++) {
        run_ours(conductor, group, cores);
        for (size_t i = 0; conductor->peers != NULL && i < PEER_COUNT; i++)
            run_peer(conductor, group, cores, peers[i]);
    }
    weft_bench_sheet_print(conductor->sheet, from);
}
