#include "runtime/lab/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static void default_signals(void)
{
    sigset_t none;

    for (int number = 1; number < 32; number++) {
        if (number != SIGKILL && number != SIGSTOP) signal(number, SIG_DFL);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

__attribute__((noreturn)) static void fail(const char *what, int reason)
{
    dprintf(2, "lab: %s: %s\n", what, strerror(reason));
    _exit(127);
}

__attribute__((noreturn)) static void child(const struct weft_lab_spawn *spawn, pid_t parent)
{
    const int log = open(spawn->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

    setpgid(0, 0);
    default_signals();
    if (nothing >= 0) dup2(nothing, 0);
    if (log >= 0) {
        dup2(log, 1);
        dup2(log, 2);
    }
    for (const int *fd = spawn->keep_fds; fd != NULL && *fd >= 0; fd++) {
        if (fcntl(*fd, F_SETFD, 0) < 0) fail("a descriptor to hand over", errno);
    }
    if (spawn->network != NULL) {
        const int result = weft_lab_network_enter(spawn->network, spawn->node);
        if (result < 0) fail("the node's namespace", -result);
    }
    // After the namespaces: gaining rights in a user namespace forgets this signal.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) fail("prctl", errno);
    if (getppid() != parent) _exit(127);
    execv(spawn->argv[0], spawn->argv);
    fail(spawn->argv[0], errno);
}

pid_t weft_lab_spawn(const struct weft_lab_spawn *spawn)
{
    const pid_t parent = getpid();
    const pid_t pid = fork();

    if (pid == 0) child(spawn, parent);
    return pid > 0 ? pid : -errno;
}
