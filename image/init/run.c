#include "image/init/run.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void become(const char *const *arguments, int output)
{
    static char *const environment[] = {"PATH=/usr/bin:/sbin:/usr/sbin", "LC_ALL=C", NULL};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(output, 1);
    dup2(output, 2);
    execve(arguments[0], (char *const *)(void *)arguments, environment);
    _exit(127);
}

// Keeps the end of what comes: the reason of a failure is in the last lines.
static void listen_to(int fd, char *said, size_t size)
{
    char bytes[512];
    size_t used = 0;
    ssize_t length;
    while ((length = read(fd, bytes, sizeof(bytes))) != 0) {
        if (length < 0 && errno == EINTR) continue;
        if (length < 0) break;
        size_t taken = (size_t)length < size - 1 ? (size_t)length : size - 1;
        if (used + taken > size - 1) {
            const size_t drop = used + taken - (size - 1);
            memmove(said, said + drop, used - drop);
            used -= drop;
        }
        memcpy(said + used, bytes + ((size_t)length - taken), taken);
        used += taken;
    }
    while (used > 0 && isspace((unsigned char)said[used - 1])) {
        used--;
    }
    said[used] = '\0';
}

int weft_run(const char *const *arguments, char *said, size_t size)
{
    int output[2], status = 0;
    said[0] = '\0';
    if (pipe2(output, O_CLOEXEC) != 0) return -errno;
    const pid_t pid = fork();
    if (pid == 0) become(arguments, output[1]);
    close(output[1]);
    if (pid > 0) listen_to(output[0], said, size);
    close(output[0]);
    if (pid < 0) return -errno;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -ENOEXEC;
}
