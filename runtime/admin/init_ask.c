#include "runtime/admin/init_ask.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/admin/server_internal.h"

#define LINE_BYTES 256 // With its end.

void weft_init_ask_end(struct weft_init_ask *ask, const struct weft_error *error)
{
    struct weft_admin_command *command = ask->command;

    if (command == NULL) return;
    close(ask->fd);
    ask->command = NULL;
    weft_admin_fail(command, error);
}

static void fail(struct weft_admin_command *command, int reason)
{
    struct weft_error error = {0};

    weft_error_set(&error, 906, "the machine's first process: %s", strerror(reason));
    weft_admin_fail(command, &error);
}

static void give_up(struct weft_init_ask *ask, int reason)
{
    struct weft_admin_command *command = ask->command;

    close(ask->fd);
    ask->command = NULL;
    fail(command, reason);
}

static int dial(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(address.sun_path)) return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path));
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0) return fd;
    const int reason = errno; // EAGAIN: more wait there than it takes.
    close(fd);
    return -reason;
}

void weft_init_ask_start(struct weft_init_ask *ask, const char *path, const char *line,
                         struct weft_admin_command *command, uint64_t give_up_ns)
{
    char text[LINE_BYTES];

    *ask = (struct weft_init_ask){.command = command, .fd = dial(path), .give_up_ns = give_up_ns};
    const int length = snprintf(text, sizeof(text), "%s\n", line);
    if (ask->fd < 0) {
        ask->command = NULL; // There is nothing to close.
        fail(command, -ask->fd);
    } else if (length >= (int)sizeof(text)) {
        give_up(ask, ENAMETOOLONG);
    } else if (send(ask->fd, text, (size_t)length, MSG_NOSIGNAL) != length) { // It is empty.
        give_up(ask, errno);
    }
}

// What it said becomes the answer.
static void finish(struct weft_init_ask *ask)
{
    struct weft_admin_command *command = ask->command;
    json_t *document = json_loadb(ask->answer, ask->length, 0, NULL);
    const char *refusal = json_string_value(json_object_get(document, "error"));
    struct weft_error error = {0};

    close(ask->fd);
    ask->command = NULL;
    if (json_is_true(json_object_get(document, "ok"))) {
        weft_admin_complete_json(command, 202,
                                 json_pack("{s:s, s:b}", "apiVersion", "v1", "ok", 1));
    } else {
        weft_error_set(&error, 905, "the machine's first process: %.200s",
                       refusal != NULL ? refusal : "it does not answer as it should");
        weft_admin_fail(command, &error);
    }
    json_decref(document);
}

bool weft_init_ask_poll(struct weft_init_ask *ask, uint64_t now_ns)
{
    if (ask->command == NULL) return false;
    while (ask->length < sizeof(ask->answer)) {
        const ssize_t count =
            recv(ask->fd, ask->answer + ask->length, sizeof(ask->answer) - ask->length, 0);
        if (count > 0) {
            ask->length += (size_t)count;
            continue;
        }
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN && now_ns < ask->give_up_ns) return false;
        if (count < 0) {
            give_up(ask, errno == EAGAIN ? ETIMEDOUT : errno);
            return true;
        }
        break; // Its end.
    }
    finish(ask);
    return true;
}
