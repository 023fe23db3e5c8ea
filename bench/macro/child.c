#include "bench/macro/child.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/admin/client.h"

pid_t bench_child_start(char *const words[], const char *log)
{
    const pid_t child = fork();
    if (child != 0) return child;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL); // Whatever its parent holds back.
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    const int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (out < 0 || in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0) _exit(127);
    execvp(words[0], words);
    _exit(127);
}

int bench_child_stop(pid_t child)
{
    int status = -1;
    kill(child, SIGTERM);
    for (unsigned i = 0; i < 500; i++) {
        if (waitpid(child, &status, WNOHANG) == child) return status;
        bench_sleep_ms(10);
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return status;
}

json_t *bench_ask(const char *socket_path, const char *method, const char *path, const json_t *body)
{
    struct weft_client_target target = {.name = "bench"};
    struct weft_error error = {0};
    unsigned status = 0;
    snprintf(target.path, sizeof(target.path), "%s", socket_path);
    return weft_client_json(&target, method, path, body, 20000, &status, &error);
}

// The first number behind `key` in a file of /proc; 0 if it has none.
static uint64_t number_of(const char *path, const char *key)
{
    char line[256];
    uint64_t value = 0;
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, key, strlen(key)) != 0) continue;
        value = strtoull(line + strlen(key), NULL, 10);
        break;
    }
    if (file != NULL) fclose(file);
    return value;
}

bool bench_weigh(pid_t process, struct bench_weight *weight)
{
    char path[320];
    *weight = (struct bench_weight){0};
    snprintf(path, sizeof(path), "/proc/%d/task", (int)process);
    DIR *tasks = opendir(path);
    if (tasks == NULL) return false;
    for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
        if (task->d_name[0] == '.') continue;
        // Nanoseconds on a CPU: /proc/PID/stat counts ticks of 10 ms and would miss short wakes.
        snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", (int)process, task->d_name);
        weight->cpu_ns += number_of(path, "");
    }
    closedir(tasks);
    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)process);
    weight->resident_bytes = number_of(path, "Rss:") * 1024;
    weight->proportional_bytes = number_of(path, "Pss:") * 1024;
    return true;
}

void bench_sleep_ms(unsigned ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&pause, NULL);
}
