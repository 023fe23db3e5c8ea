#include "runtime/admin/appliance.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/admin/server_internal.h"
#include "runtime/admin/text.h"

#define WORDS_MAX  24
#define PIPE_BYTES (1 << 20)
#define POLL_NS    (20 * WEFT_NS_PER_MS)
#define INIT_TIMEOUT_NS                                                                            \
    (60 * WEFT_NS_PER_S) // It may write to the drive, which may be a slow stick.

extern char **environ;

void weft_appliance_init(struct weft_appliance *appliance,
                         const struct weft_appliance_options *options)
{
    memset(appliance, 0, sizeof(*appliance));
    appliance->options = *options;
    appliance->in_fd = appliance->out_fd = -1;
}

static void close_fd(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

void weft_appliance_destroy(struct weft_appliance *appliance)
{
    struct weft_error error;

    weft_error_set(&error, 501, "the node stops");
    for (size_t i = 0; i < WEFT_APPLIANCE_ASKS_MAX; i++)
        weft_init_ask_end(&appliance->asks[i], &error);
    close_fd(&appliance->in_fd);
    close_fd(&appliance->out_fd);
    if (appliance->pid > 0) {
        kill(appliance->pid, SIGTERM);
        waitpid(appliance->pid, NULL, 0);
    }
    appliance->pid = 0;
    if (appliance->command != NULL) weft_admin_fail(appliance->command, &error);
    appliance->command = NULL;
}

int weft_appliance_check(const struct weft_appliance *appliance, struct weft_error *error)
{
    if (access(appliance->options.init_socket, F_OK) == 0) return 0;
    weft_error_set(error, 901, "this node does not run from an image");
    weft_error_hint(error, "releases, slots and resets are of machines that were flashed");
    return -1;
}

// ---- The process that writes.

static int spawn(struct weft_appliance *appliance, char *const *words, int in, int out)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    // The node blocks signals for its signalfd; a child that inherits that cannot be ended.
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    const int result = posix_spawn(&appliance->pid, words[0], &files, &attributes, words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    if (result != 0) appliance->pid = 0;
    return -result;
}

static void make_words(const struct weft_appliance *appliance, const char *word, bool force,
                       const char *words[WORDS_MAX])
{
    size_t count = 0;

    words[count++] = appliance->options.program;
    words[count++] = "__update";
    words[count++] = word;
    if (force) words[count++] = "--force";
    for (size_t i = 0; appliance->options.extra != NULL && appliance->options.extra[i] != NULL &&
                       count < WORDS_MAX - 1;
         i++)
        words[count++] = appliance->options.extra[i];
    words[count] = NULL;
}

int weft_appliance_start(struct weft_appliance *appliance, const char *word, bool force,
                         struct weft_error *error)
{
    const char *words[WORDS_MAX];
    int in[2] = {-1, -1}, out[2] = {-1, -1};

    if (weft_appliance_check(appliance, error) != 0) return -1;
    if (appliance->pid != 0)
        return weft_error_set(error, 905, "another update of this node is under way");
    make_words(appliance, word, force, words);
    int result = pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 ? 0 : -errno;
    if (result == 0) result = spawn(appliance, (char *const *)(uintptr_t)words, in[0], out[1]);
    close_fd(&in[0]);
    close_fd(&out[1]);
    if (result != 0) {
        close_fd(&in[1]);
        close_fd(&out[0]);
        return weft_error_set(error, 906, "%s: %s", words[0], strerror(-result));
    }
    fcntl(in[1], F_SETFL, O_NONBLOCK);
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(in[1], F_SETPIPE_SZ, PIPE_BYTES); // A wish; a smaller pipe is only slower.
    appliance->in_fd = in[1];
    appliance->out_fd = out[0];
    appliance->answer_length = 0;
    appliance->has_answered = false;
    appliance->is_coming = true;
    appliance->is_update = strcmp(word, "apply") == 0;
    return 0;
}

int64_t weft_appliance_feed(struct weft_appliance *appliance, const char *bytes, size_t length)
{
    if (appliance->in_fd < 0) return -1;
    const ssize_t count = write(appliance->in_fd, bytes, length); // SIGPIPE is ignored.
    if (count >= 0) return count;
    if (errno == EAGAIN || errno == EINTR) return 0;
    return -1; // It has read enough to refuse.
}

void weft_appliance_feed_end(struct weft_appliance *appliance, struct weft_admin_command *command)
{
    close_fd(&appliance->in_fd);
    appliance->is_coming = false;
    appliance->command = command;
    if (command != NULL) command->self = appliance;
}

static void tell_people(const struct weft_appliance *appliance, const json_t *document)
{
    const char *failure = json_string_value(json_object_get(document, "detail"));

    if (!appliance->is_update || appliance->options.events == NULL) return;
    weft_admin_events_add(appliance->options.events, weft_clock_wall_ns(&appliance->options.clock),
                          failure != NULL ? "update.refused" : "update.written", "image", "%.150s",
                          failure != NULL ? failure : "a release is in the other slot");
}

// {"code": "W0904", "detail", "hint"} as an error; others leave it as it is.
static void error_of(const json_t *document, struct weft_error *error)
{
    const char *code = json_string_value(json_object_get(document, "code"));
    const char *detail = json_string_value(json_object_get(document, "detail"));
    const char *hint = json_string_value(json_object_get(document, "hint"));
    unsigned number;

    if (code == NULL || detail == NULL || sscanf(code, "W%4u", &number) != 1) return;
    weft_error_set(error, (uint16_t)number, "%s", detail);
    if (hint != NULL) weft_error_hint(error, "%s", hint);
}

// What it said becomes the answer.
static void finish(struct weft_appliance *appliance)
{
    struct weft_admin_command *command = appliance->command;
    json_t *document = json_loadb(appliance->answer, appliance->answer_length, 0, NULL);
    struct weft_error error;

    appliance->command = NULL;
    close_fd(&appliance->in_fd);
    tell_people(appliance, document);
    if (command == NULL) {
        json_decref(document);
    } else if (document == NULL) {
        weft_error_set(&error, 906, "the update ended without a word");
        weft_admin_fail(command, &error);
    } else if (json_object_get(document, "code") == NULL) {
        weft_admin_complete_json(command, 200, document);
    } else {
        weft_error_set(&error, 906, "the update failed");
        error_of(document, &error);
        json_decref(document);
        weft_admin_fail(command, &error);
    }
}

static void read_answer(struct weft_appliance *appliance)
{
    for (;;) {
        const size_t room = sizeof(appliance->answer) - appliance->answer_length;
        const ssize_t count =
            read(appliance->out_fd, appliance->answer + appliance->answer_length, room);
        if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (count <= 0) break; // Its end, or more than a document has.
        appliance->answer_length += (size_t)count;
    }
    close_fd(&appliance->out_fd);
    appliance->has_answered = true;
}

// ---- The first process.

void weft_appliance_tell(struct weft_appliance *appliance, const char *line,
                         struct weft_admin_command *command)
{
    const uint64_t now_ns = weft_clock_now_ns(&appliance->options.clock);
    struct weft_error error;

    for (size_t i = 0; i < WEFT_APPLIANCE_ASKS_MAX; i++) {
        if (appliance->asks[i].command != NULL) continue;
        weft_init_ask_start(&appliance->asks[i], appliance->options.init_socket, line, command,
                            now_ns + INIT_TIMEOUT_NS);
        return;
    }
    weft_error_set(&error, 905, "the machine's first process is asked too much at once");
    weft_admin_fail(command, &error);
}

bool weft_appliance_is_asking(const struct weft_appliance *appliance)
{
    for (size_t i = 0; i < WEFT_APPLIANCE_ASKS_MAX; i++) {
        if (appliance->asks[i].command != NULL) return true;
    }
    return false;
}

// ---- As a poller of the control core.

static uint32_t poll_writer(struct weft_appliance *appliance)
{
    if (appliance->pid == 0) return 0;
    if (!appliance->has_answered) read_answer(appliance);
    if (!appliance->has_answered || appliance->is_coming) return 0;
    if (waitpid(appliance->pid, NULL, WNOHANG) == 0) return 0;
    appliance->pid = 0;
    finish(appliance);
    return 1;
}

static uint32_t poll(void *self, uint64_t now_ns)
{
    struct weft_appliance *appliance = self;
    uint32_t count = poll_writer(appliance);

    for (size_t i = 0; i < WEFT_APPLIANCE_ASKS_MAX; i++)
        count += weft_init_ask_poll(&appliance->asks[i], now_ns) ? 1 : 0;
    return count;
}

static uint64_t due_ns(void *self)
{
    const struct weft_appliance *appliance = self;

    if (appliance->pid == 0 && !weft_appliance_is_asking(appliance)) return UINT64_MAX;
    return weft_clock_now_ns(&appliance->options.clock) + POLL_NS;
}

struct weft_poller weft_appliance_poller(struct weft_appliance *appliance)
{
    return (struct weft_poller){
        .name = "appliance", .poll = poll, .due_ns = due_ns, .self = appliance};
}
