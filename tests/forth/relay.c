#include "tests/forth/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { IMAGE_BYTES_MAX = 64 << 20 };

struct request {
    uint64_t bytes; // Of the image behind it.
    uint64_t reductions;
};

struct reply {
    uint64_t bytes;
    uint32_t state; // enum weft_unit_state
    char error[sizeof(((struct relay_answer *)0)->error)];
    uint32_t spare;
};
_Static_assert(sizeof(struct request) == 16 && sizeof(struct reply) == 528,
               "the same on every CPU");

static bool put(int fd, const void *from, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        const ssize_t count = write(fd, (const char *)from + done, bytes - done);
        if (count <= 0 && errno != EINTR) return false;
        if (count > 0) done += (size_t)count;
    }
    return true;
}

static bool get(int fd, void *to, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        const ssize_t count = read(fd, (char *)to + done, bytes - done);
        if (count == 0 || (count < 0 && errno != EINTR)) return false;
        if (count > 0) done += (size_t)count;
    }
    return true;
}

static void *get_image(int fd, uint64_t bytes)
{
    void *image = bytes > IMAGE_BYTES_MAX ? NULL : malloc(bytes);
    if (image != NULL && get(fd, image, bytes)) return image;
    free(image);
    return NULL;
}

int relay_open(struct relay *relay, const char *command)
{
    posix_spawn_file_actions_t actions;
    char *const words[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
                           (char *)(uintptr_t)command, NULL};
    int there[2], back[2];
    if (pipe2(there, O_CLOEXEC) < 0) return -errno;
    if (pipe2(back, O_CLOEXEC) < 0) {
        const int error = -errno;
        close(there[0]);
        close(there[1]);
        return error;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, there[0], 0);
    posix_spawn_file_actions_adddup2(&actions, back[1], 1);
    const int error = posix_spawnp(&relay->child, "sh", &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(there[0]);
    close(back[1]);
    relay->to = there[1];
    relay->from = back[0];
    relay->turns = 0;
    if (error == 0) return 0;
    close(relay->to);
    close(relay->from);
    return -error;
}

int relay_close(struct relay *relay)
{
    int status;
    close(relay->to);
    close(relay->from);
    if (waitpid(relay->child, &status, 0) < 0) return -errno;
    return status == 0 ? 0 : -EPIPE;
}

int relay_turn(struct relay *relay, uint32_t reductions, const void *image, size_t bytes,
               struct relay_answer *answer)
{
    const struct request request = {.bytes = bytes, .reductions = reductions};
    struct reply reply;
    if (!put(relay->to, &request, sizeof(request)) || !put(relay->to, image, bytes) ||
        !get(relay->from, &reply, sizeof(reply)))
        return -EPIPE;
    answer->state = (enum weft_unit_state)reply.state;
    memcpy(answer->error, reply.error, sizeof(answer->error));
    answer->error[sizeof(answer->error) - 1] = '\0';
    answer->bytes = reply.bytes;
    answer->image = get_image(relay->from, reply.bytes);
    if (answer->image == NULL) return -EPIPE;
    relay->turns++;
    return 0;
}

// Runs the unit for one turn and sends it back.
static int run_turn(struct weft_unit *unit, uint32_t reductions)
{
    struct reply reply = {0};
    reply.state = (uint32_t)weft_unit_run(unit, &reductions);
    if (reply.state == WEFT_UNIT_FAULT)
        weft_unit_error_render(weft_unit_error(unit), reply.error, sizeof(reply.error));
    reply.bytes = weft_unit_image_bytes(unit);
    void *image = malloc(reply.bytes);
    if (image == NULL) return -ENOMEM;
    int code = 0;
    if (weft_unit_save(unit, image, reply.bytes) != (int64_t)reply.bytes ||
        !put(1, &reply, sizeof(reply)) || !put(1, image, reply.bytes))
        code = -EPIPE;
    free(image);
    return code;
}

int relay_serve(const struct weft_forth_system *system, const struct weft_unit_options *options,
                const struct weft_unit_host *host)
{
    struct request request;
    int code = 0;
    while (code == 0 && get(0, &request, sizeof(request))) {
        struct weft_unit *unit;
        void *image = get_image(0, request.bytes);
        if (image == NULL) return -EPIPE;
        code = weft_unit_load(system, &weft_forth_memory_libc, options, host, image, request.bytes,
                              &unit);
        free(image);
        if (code != 0) break;
        code = run_turn(unit, (uint32_t)request.reductions);
        weft_unit_free(unit);
    }
    return code;
}
