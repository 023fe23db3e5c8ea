#include "tests/image/guest/calls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 64, CALLS = 512, IS_CALL = 0x80 };

// Shared with the child, which writes all of it: static, since a module's thread has no room on its
// stack.
static struct thread {
    pid_t id;
    char name[16];
    uint32_t counts[CALLS];
} threads[THREADS];
static size_t thread_count;

long ptrace(int request, ...); // <sys/ptrace.h> and <linux/ptrace.h> do not go together.

static void read_name(struct thread *thread, const char *directory)
{
    char path[64];
    snprintf(path, sizeof(path), "%s/%d/comm", directory, thread->id);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t length = fd >= 0 ? read(fd, thread->name, sizeof(thread->name) - 1) : 0;
    if (fd >= 0) close(fd);
    thread->name[length > 0 ? length - 1 : 0] = '\0'; // Without its newline.
}

static void find_threads(void)
{
    static const char directory[] = "/proc/self/task";
    const pid_t own = (pid_t)syscall(SYS_gettid);
    DIR *entries = opendir(directory);
    thread_count = 0;
    for (const struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
        const pid_t id = atoi(entry->d_name);
        if (id == 0 || id == own || thread_count == THREADS) continue;
        struct thread *thread = &threads[thread_count++];
        memset(thread, 0, sizeof(*thread));
        thread->id = id;
        read_name(thread, directory);
    }
    if (entries != NULL) closedir(entries);
}

static int stop(pid_t id)
{
    if (ptrace(PTRACE_SEIZE, id, NULL, (void *)PTRACE_O_TRACESYSGOOD) != 0) return -errno;
    return ptrace(PTRACE_INTERRUPT, id, NULL, NULL) == 0 ? 0 : -errno;
}

int weft_calls_stop(int pid)
{
    return stop(pid);
}

static void note_call(pid_t id)
{
    struct ptrace_syscall_info info;
    memset(&info, 0, sizeof(info));
    if (ptrace(PTRACE_GET_SYSCALL_INFO, id, sizeof(info), &info) <= 0) return;
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY || info.entry.nr >= CALLS) return;
    for (size_t i = 0; i < thread_count; i++)
        if (threads[i].id == id) threads[i].counts[info.entry.nr]++;
}

// A stop that is ptrace's own is let go; a signal goes on to whom it was for.
static void go_on(pid_t id, int status)
{
    const int signal = WSTOPSIG(status);
    const bool is_own = signal == (SIGTRAP | IS_CALL) || status >> 16 != 0;
    if (signal == (SIGTRAP | IS_CALL)) note_call(id);
    ptrace(PTRACE_SYSCALL, id, NULL, (void *)(intptr_t)(is_own ? 0 : signal));
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

// Until a thread has stopped, or the time is over. SIGCHLD is blocked: one that came before waits.
static void wait_for_stop(int64_t left_ns)
{
    const struct timespec left = {.tv_sec = left_ns / 1000000000, .tv_nsec = left_ns % 1000000000};
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigtimedwait(&child, NULL, &left);
}

// In the child. When it ends the kernel lets all of them go.
static void trace(int seconds)
{
    const int64_t end_ns = now_ns() + (int64_t)seconds * 1000000000;
    int64_t left_ns;
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    for (size_t i = 0; i < thread_count; i++)
        stop(threads[i].id);
    while ((left_ns = end_ns - now_ns()) > 0) {
        int status;
        const pid_t id = waitpid(-1, &status, __WALL | WNOHANG);
        if (id <= 0)
            wait_for_stop(left_ns);
        else if (WIFSTOPPED(status))
            go_on(id, status);
    }
}

size_t weft_calls_count(int seconds, char *text, size_t limit)
{
    size_t used = 0;
    find_threads();
    const pid_t child = vfork();
    if (child == 0) {
        trace(seconds);
        _exit(0);
    }
    if (child > 0) waitpid(child, NULL, 0);
    for (size_t i = 0; i < thread_count; i++) {
        for (size_t call = 0; call < CALLS && used < limit; call++) {
            const uint32_t count = threads[i].counts[call];
            if (count == 0) continue;
            const int length =
                snprintf(text + used, limit - used, "%s %zu %u\n", threads[i].name, call, count);
            used += (size_t)length < limit - used ? (size_t)length : limit - used;
        }
    }
    return used;
}
