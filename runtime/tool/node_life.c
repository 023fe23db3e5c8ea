// Commands about the life of a node that runs from an image: releases, slots, restarts, resets.
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image/update/bundle.h"
#include "runtime/tool/ask.h"
#include "runtime/tool/comeback.h"
#include "runtime/tool/handlers.h"
#include "runtime/tool/interrupt.h"
#include "runtime/tool/output.h"
#include "runtime/tool/target.h"

#define SLOW       "?timeout_ms=60000"
#define TIMEOUT_MS 70000 // Beyond what the node waits for its disk.

extern char **environ;

static json_t *tell_with(const struct weft_tool *tool, const struct weft_client_target *target,
                         const char *path, const json_t *body, int *exit_code)
{
    struct weft_tool patient = *tool;
    if (patient.timeout_ms == 0) patient.timeout_ms = TIMEOUT_MS;
    return weft_target_ask(&patient, target, "POST", path, body, exit_code);
}

static json_t *tell(const struct weft_tool *tool, const struct weft_client_target *target,
                    const char *path, int *exit_code)
{
    return tell_with(tool, target, path, NULL, exit_code);
}

// Restarts it into the slot that does not run, unless --no-restart, and waits for what becomes of
// it, unless --no-wait.
static int restart(const struct weft_tool_call *call, const struct weft_client_target *target,
                   const json_t *slots)
{
    struct weft_comeback_from from;
    struct weft_error error = {0};
    int exit_code = 0;

    if (weft_tool_value(call, "no-restart") != NULL) {
        fprintf(call->tool->err, "%s starts from it at its next restart: weft node reboot %s\n",
                target->name, target->name);
        return WEFT_EXIT_DONE;
    }
    if (weft_comeback_note(call->tool, target, slots, &from, &error) != 0)
        return weft_tool_fail(call->tool, &error);
    json_t *answer = tell(call->tool, target, "/api/v1/node/reboot", &exit_code);
    if (answer == NULL) return exit_code;
    json_decref(answer);
    if (weft_tool_value(call, "no-wait") == NULL)
        return weft_comeback_wait(call->tool, target, &from);
    fprintf(call->tool->err, "%s restarts; if it is not healthy within 120 s it goes back\n",
            target->name);
    return WEFT_EXIT_DONE;
}

// ---- weft node slots

static void show_slots(const struct weft_tool *tool, const json_t *document)
{
    static const struct weft_column columns[] = {
        {"SLOT", "slot", WEFT_COLUMN_TEXT},         {"VERSION", "version", WEFT_COLUMN_TEXT},
        {"STATE", "state", WEFT_COLUMN_STATE},      {"RUNNING", "running", WEFT_COLUMN_TEXT},
        {"TRIES", "tries_left", WEFT_COLUMN_COUNT}, {NULL}};
    const json_t *failed = json_object_get(document, "failed");
    const char *floor = json_string_value(json_object_get(document, "floor"));
    json_t *version;
    size_t i;

    weft_output_list(tool, document, columns);
    if (tool->format != WEFT_FORMAT_TABLE) return;
    if (floor != NULL && floor[0] != '\0')
        fprintf(tool->out, "nothing older than %s is taken\n", floor);
    json_array_foreach((json_t *)(uintptr_t)failed, i, version)
    {
        fprintf(tool->out, "%s failed here before\n", json_string_value(version));
    }
}

int weft_run_node_slots(struct weft_tool_call *call)
{
    struct weft_client_target target;
    int exit_code = weft_target_find(call->tool, weft_tool_arg(call, 0), &target);

    if (exit_code != 0) return exit_code;
    json_t *document =
        weft_target_ask(call->tool, &target, "GET", "/api/v1/node/slots", NULL, &exit_code);
    if (document != NULL) show_slots(call->tool, document);
    json_decref(document);
    return exit_code;
}

// ---- weft node upgrade

struct sending {
    const struct weft_tool *tool;
    const char *node;
    int fd;
    uint64_t done, bytes;
    bool shows; // A line that is written over, on a terminal.
};

static int64_t read_piece(void *self, char *bytes, size_t limit)
{
    struct sending *sending = self;
    const ssize_t count = read(sending->fd, bytes, limit);

    if (count <= 0) return count < 0 ? -errno : -ENODATA;
    sending->done += (uint64_t)count;
    if (sending->shows)
        fprintf(sending->tool->err, "\r%s: %3u %% of %.1f MB", sending->node,
                (unsigned)(sending->done * 100 / sending->bytes), (double)sending->bytes / 1e6);
    return count;
}

static bool is_url(const char *text)
{
    return strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
}

// Fetches with curl, which knows proxies and certificates, into a file without a name.
static int fetch(const char *url, struct weft_error *error)
{
    const char *words[] = {"curl",         "--fail", "--location", "--silent",
                           "--show-error", "--",     url,          NULL};
    posix_spawn_file_actions_t files;
    FILE *file = tmpfile();
    int status = 0;
    pid_t pid;

    if (file == NULL) return weft_error_set(error, 906, "a temporary file: %s", strerror(errno));
    const int fd = dup(fileno(file));
    fclose(file);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, fd, STDOUT_FILENO);
    int result = fd < 0 ? errno
                        : posix_spawnp(&pid, words[0], &files, NULL,
                                       (char *const *)(uintptr_t)words, environ);
    posix_spawn_file_actions_destroy(&files);
    if (result == 0 && waitpid(pid, &status, 0) < 0) result = errno;
    if (result == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return fd;
    if (fd >= 0) close(fd);
    weft_error_set(error, 504, "%s: %s", url,
                   result != 0 ? strerror(result) : "curl did not fetch it");
    if (result == ENOENT) weft_error_hint(error, "install curl, or fetch the file and name it");
    return -1;
}

// The bundle's descriptor at its start, and how long it is.
static int open_bundle(const char *name, uint64_t *bytes, struct weft_error *error)
{
    const int fd = is_url(name) ? fetch(name, error) : open(name, O_RDONLY | O_CLOEXEC);
    struct stat status;
    char magic[8];

    if (fd < 0) {
        if (!is_url(name)) weft_error_set(error, 504, "%s: %s", name, strerror(errno));
        return -1;
    }
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
        pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
        memcmp(magic, WEFT_UPDATE_MAGIC, sizeof(magic)) == 0) {
        *bytes = (uint64_t)status.st_size;
        lseek(fd, 0, SEEK_SET);
        return fd;
    }
    close(fd);
    weft_error_set(error, 902, "%s is no update of Weft", name);
    weft_error_hint(error, "the file of a release whose name ends in .update");
    return -1;
}

static json_t *send_bundle(const struct weft_tool_call *call,
                           const struct weft_client_target *target, int fd, uint64_t bytes,
                           struct weft_error *error)
{
    struct sending sending = {.tool = call->tool,
                              .node = target->name,
                              .fd = fd,
                              .bytes = bytes,
                              .shows = isatty(fileno(call->tool->err)) != 0};
    const struct weft_client_upload upload = {.bytes = bytes, .read = read_piece, .self = &sending};
    const struct weft_client_call request = {.method = "POST",
                                             .path = weft_tool_value(call, "force") != NULL
                                                         ? "/api/v1/node/upgrade" SLOW "&force=true"
                                                         : "/api/v1/node/upgrade" SLOW,
                                             .upload = &upload,
                                             .timeout_ms = TIMEOUT_MS};
    struct weft_client_answer answer;

    const int result = weft_client_ask(target, &request, &answer, error);
    if (sending.shows && sending.done > 0) fputc('\n', call->tool->err);
    if (result != 0) return NULL;
    json_t *document = json_loadb(answer.body, answer.length, 0, NULL);
    const bool failed = answer.status >= 400;
    if (failed || document == NULL) weft_client_problem(answer.status, document, error);
    weft_client_answer_destroy(&answer);
    if (!failed) return document;
    json_decref(document);
    return NULL;
}

int weft_run_node_upgrade(struct weft_tool_call *call)
{
    const char *name = call->arg_count == 2 ? call->args[0] : NULL;
    const char *bundle = call->args[call->arg_count - 1];
    struct weft_client_target target;
    struct weft_error error = {0};
    uint64_t bytes;
    const int exit_code = weft_target_find(call->tool, name, &target);

    if (exit_code != 0) return exit_code;
    const int fd = open_bundle(bundle, &bytes, &error);
    if (fd < 0) return weft_tool_fail(call->tool, &error);
    json_t *document = send_bundle(call, &target, fd, bytes, &error);
    close(fd);
    if (document == NULL) return weft_tool_fail(call->tool, &error);
    show_slots(call->tool, document);
    const int restarted = restart(call, &target, document);
    json_decref(document);
    return restarted;
}

// ---- weft node rollback, reboot, poweroff, reset

int weft_run_node_rollback(struct weft_tool_call *call)
{
    struct weft_client_target target;
    int exit_code = weft_target_find(call->tool, weft_tool_arg(call, 0), &target);

    if (exit_code != 0) return exit_code;
    json_t *document = tell(call->tool, &target, "/api/v1/node/rollback" SLOW, &exit_code);
    if (document == NULL) return exit_code;
    show_slots(call->tool, document);
    const int restarted = restart(call, &target, document);
    json_decref(document);
    return restarted;
}

static int tell_once(struct weft_tool_call *call, const char *path, const char *said)
{
    struct weft_client_target target;
    int exit_code = weft_target_find(call->tool, weft_tool_arg(call, 0), &target);

    if (exit_code != 0) return exit_code;
    json_t *document = tell(call->tool, &target, path, &exit_code);
    if (document != NULL) fprintf(call->tool->err, "%s %s\n", target.name, said);
    json_decref(document);
    return exit_code;
}

int weft_run_node_reboot(struct weft_tool_call *call)
{
    return tell_once(call, "/api/v1/node/reboot", "restarts");
}

int weft_run_node_poweroff(struct weft_tool_call *call)
{
    return tell_once(call, "/api/v1/node/poweroff", "turns itself off");
}

int weft_run_node_reset(struct weft_tool_call *call)
{
    struct weft_client_target target;
    int exit_code;

    if (weft_tool_value(call, "factory") == NULL)
        return weft_tool_usage(call, "say --factory: it empties the data partition");
    exit_code = weft_target_find(call->tool, weft_tool_arg(call, 0), &target);
    if (exit_code != 0) return exit_code;
    if (weft_tool_value(call, "yes") == NULL &&
        !weft_ask_name(call->tool, target.name,
                       "This empties the node's data: identity, keys, journal, logs. Its FAT drive "
                       "stays."))
        return WEFT_EXIT_NO;
    json_t *document = tell(call->tool, &target, "/api/v1/node/reset" SLOW, &exit_code);
    if (document != NULL)
        fprintf(call->tool->err, "%s restarts and empties its data\n", target.name);
    json_decref(document);
    return exit_code;
}

// ---- weft node install

int weft_run_node_install(struct weft_tool_call *call)
{
    const char *name = call->arg_count == 2 ? call->args[0] : NULL;
    const char *disk = call->args[call->arg_count - 1];
    const bool erase = weft_tool_value(call, "erase") != NULL;
    struct weft_client_target target;
    int exit_code = weft_target_find(call->tool, name, &target);

    if (exit_code != 0) return exit_code;
    if (weft_tool_value(call, "yes") == NULL &&
        !weft_ask_name(call->tool, target.name,
                       erase ? "This erases that disk, copies the image onto it, and turns the "
                               "machine off."
                             : "This copies the image onto that disk, and turns the machine off."))
        return WEFT_EXIT_NO;
    json_t *body = json_pack("{s:s, s:b}", "disk", disk, "erase", erase);
    json_t *document =
        tell_with(call->tool, &target, "/api/v1/node/install" SLOW, body, &exit_code);
    if (document != NULL)
        fprintf(call->tool->err,
                "%s restarts, copies its image, and turns itself off; take its medium out then\n",
                target.name);
    json_decref(document);
    json_decref(body);
    return exit_code;
}

// ---- weft node panic, crash, boot

static int print_text(struct weft_tool_call *call, const char *path)
{
    struct weft_client_target target;
    struct weft_client_answer answer;
    struct weft_error error = {0};
    const struct weft_client_call request = {
        .method = "GET", .path = path, .timeout_ms = call->tool->timeout_ms};
    const int exit_code = weft_target_find(call->tool, weft_tool_arg(call, 0), &target);

    if (exit_code != 0) return exit_code;
    if (weft_client_ask(&target, &request, &answer, &error) != 0)
        return weft_tool_fail(call->tool, &error);
    const bool failed = answer.status >= 400;
    if (failed) {
        json_t *problem = json_loadb(answer.body, answer.length, 0, NULL);
        weft_client_problem(answer.status, problem, &error);
        json_decref(problem);
    } else {
        fwrite(answer.body, 1, answer.length, call->tool->out);
    }
    weft_client_answer_destroy(&answer);
    return failed ? weft_tool_fail(call->tool, &error) : WEFT_EXIT_DONE;
}

int weft_run_node_panic(struct weft_tool_call *call)
{
    return print_text(call, "/api/v1/node/panic");
}

int weft_run_node_crash(struct weft_tool_call *call)
{
    return print_text(call, "/api/v1/node/crash");
}

int weft_run_node_boot(struct weft_tool_call *call)
{
    return print_text(call, "/api/v1/node/boot");
}

// ---- weft node logs

static int print_piece(void *self, const char *bytes, size_t length)
{
    FILE *out = self;

    return fwrite(bytes, 1, length, out) == length && fflush(out) == 0 ? 0 : -1;
}

// "", "&boot=-1". False after saying what is wrong.
static bool boot_query(const struct weft_tool_call *call, char *text, size_t size)
{
    const char *boot = weft_tool_value(call, "boot");
    unsigned ago;
    char end;

    text[0] = '\0';
    if (boot == NULL) return true;
    if (strcmp(boot, "current") == 0) boot = "0";
    if (strcmp(boot, "previous") == 0) boot = "-1";
    if (sscanf(boot + (boot[0] == '-'), "%5u%c", &ago, &end) == 1 &&
        (boot[0] == '-' || strcmp(boot, "0") == 0)) {
        snprintf(text, size, "&boot=-%u", ago);
        return true;
    }
    weft_tool_usage(call, "--boot is current, previous, or -N: so many boots ago");
    return false;
}

int weft_run_node_logs(struct weft_tool_call *call)
{
    const char *tail = weft_tool_value(call, "tail");
    const bool follows = weft_tool_value(call, "follow") != NULL;
    struct weft_client_target target;
    struct weft_error error = {0};
    char path[96], boot[24], end;
    unsigned lines = 0;

    if (tail != NULL && (sscanf(tail, "%9u%c", &lines, &end) != 1 || lines == 0))
        return weft_tool_usage(call, "--tail %s: a number of lines, 1 or more", tail);
    if (!boot_query(call, boot, sizeof(boot))) return WEFT_EXIT_USAGE;
    if (follows && boot[0] != '\0' && strcmp(boot, "&boot=-0") != 0)
        return weft_tool_usage(call, "a boot that is over cannot be followed");
    const int exit_code = weft_target_find(call->tool, weft_tool_arg(call, 0), &target);
    if (exit_code != 0) return exit_code;
    snprintf(path, sizeof(path), "/api/v1/node/log?follow=%s%s%s%.0u", follows ? "true" : "false",
             boot, lines > 0 ? "&tail=" : "", lines);
    const struct weft_client_call request = {
        .method = "GET", .path = path, .accept = "*/*", .timeout_ms = call->tool->timeout_ms};
    if (weft_client_stream(&target, &request, print_piece, call->tool->out, weft_interrupt_catch(),
                           &error) < 0)
        return weft_tool_fail(call->tool, &error);
    return WEFT_EXIT_DONE;
}
