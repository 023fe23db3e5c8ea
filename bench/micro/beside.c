#include "bench/micro/beside.h"

#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_BYTES = 512 };

extern char **environ;

static void path_of(const char *directory, const char *peer, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/%s", directory, peer);
}

bool weft_bench_beside_has(const char *directory, const char *peer)
{
    char path[PATH_BYTES];
    path_of(directory, peer, path);
    return access(path, X_OK) == 0;
}

// Starts it with its standard output in a pipe, whose other end is the result. -1: failed.
static int start(char *const words[], pid_t *child)
{
    posix_spawn_file_actions_t actions;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    const int failed = posix_spawnp(child, words[0], &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (!failed) return ends[0];
    close(ends[0]);
    return -1;
}

double weft_bench_beside_ns(const char *directory, const char *peer, const char *row,
                            unsigned count, unsigned cores)
{
    char path[PATH_BYTES], number[16], places[16], text[64];
    // posix_spawn takes char *, and changes nothing.
    char *const words[] = {(char *)(uintptr_t) "timeout",
                           (char *)(uintptr_t) "30",
                           path,
                           (char *)(uintptr_t)row,
                           number,
                           places,
                           NULL};
    size_t length = 0;
    ssize_t got;
    pid_t child;
    int status;

    path_of(directory, peer, path);
    snprintf(number, sizeof(number), "%u", count);
    snprintf(places, sizeof(places), "%u", cores);
    const int out = start(words, &child);
    if (out < 0) return NAN;
    while (length < sizeof(text) - 1 &&
           (got = read(out, text + length, sizeof(text) - 1 - length)) > 0)
        length += (size_t)got;
    close(out);
    text[length] = '\0';
    if (waitpid(child, &status, 0) < 0 || status != 0) return NAN;
    const double ns = strtod(text, NULL);
    return ns > 0 ? ns : NAN;
}
