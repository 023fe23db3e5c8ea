// What the admin port answers about releases, slots, restarts and resets.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/admin/appliance.h"
#include "runtime/admin/kept_log.h"
#include "runtime/admin/server_internal.h"
#include "runtime/base/file.h"

#define TEXT_BYTES_MAX (1024 * 1024) // As large as a configuration may be (config/toml.h).

static void start(struct weft_admin_request *request, const char *word)
{
    struct weft_appliance *appliance = request->self;
    struct weft_error error;

    if (weft_appliance_start(appliance, word, false, &error) != 0) {
        weft_admin_reply_error(request, &error);
        return;
    }
    // NULL has been answered; the work goes on.
    weft_appliance_feed_end(appliance, weft_admin_defer(request, WEFT_ADMIN_OTHER, "", 0));
}

static void slots(struct weft_admin_request *request)
{
    start(request, "slots");
}

static void rollback(struct weft_admin_request *request)
{
    start(request, "rollback");
}

// ---- An update, as it comes.

static int upgrade_open(struct weft_admin_request *request, void **self, struct weft_error *error)
{
    const char *force = weft_admin_query(request, "force");

    *self = request->self;
    return weft_appliance_start(request->self, "apply",
                                force != NULL && strcmp(force, "false") != 0, error);
}

static int64_t upgrade_take(void *self, const char *bytes, size_t length)
{
    return weft_appliance_feed(self, bytes, length);
}

static void upgrade_abandon(void *self)
{
    weft_appliance_feed_end(self, NULL); // It finds the bundle cut short.
}

static void upgrade(struct weft_admin_request *request)
{
    weft_appliance_feed_end(request->self, weft_admin_defer(request, WEFT_ADMIN_OTHER, "", 0));
}

// ---- The first process.

static void tell(struct weft_admin_request *request, const char *line)
{
    struct weft_error error;

    if (weft_appliance_check(request->self, &error) != 0) {
        weft_admin_reply_error(request, &error);
        return;
    }
    struct weft_admin_command *command = weft_admin_defer(request, WEFT_ADMIN_OTHER, "", 0);
    if (command != NULL) weft_appliance_tell(request->self, line, command);
}

static void reboot(struct weft_admin_request *request)
{
    tell(request, "reboot");
}

static void poweroff(struct weft_admin_request *request)
{
    tell(request, "poweroff");
}

static void reset(struct weft_admin_request *request)
{
    tell(request, "reset");
}

// A word of the line that the first process reads: it must not end that line, or be two.
static bool is_disk_word(const char *text)
{
    if (text == NULL || text[0] == '\0' || strlen(text) > 79) return false;
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text > '~' || *text == '#') return false;
    }
    return true;
}

static void install(struct weft_admin_request *request)
{
    char line[128];
    json_t *body = json_loadb(request->body, request->body_length, 0, NULL);
    const char *disk = json_string_value(json_object_get(body, "disk"));
    const bool erase = json_is_true(json_object_get(body, "erase"));
    struct weft_error error;

    if (weft_appliance_check(request->self, &error) != 0) {
        weft_admin_reply_error(request, &error);
    } else if (is_disk_word(disk)) {
        snprintf(line, sizeof(line), "install %s%s", disk, erase ? " erase" : "");
        tell(request, line);
    } else {
        weft_admin_reply_problem(request, 504,
                                 "the body has no \"disk\": a name as /dev/sda, a serial number "
                                 "without spaces, or auto");
    }
    json_decref(body);
}

// ---- Texts that the first process keeps.

static void reply_file(struct weft_admin_request *request, const char *path, const char *media_type)
{
    char *text = malloc(TEXT_BYTES_MAX);
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t count = -1;
    size_t length = 0;

    while (text != NULL && fd >= 0 && length < TEXT_BYTES_MAX &&
           (count = read(fd, text + length, TEXT_BYTES_MAX - length)) > 0)
        length += (size_t)count;
    if (fd >= 0) close(fd);
    if (count < 0) {
        weft_admin_reply_problem(request, 503, "%s cannot be read", path);
    } else {
        weft_admin_reply_text(request, 200, media_type, text, length);
    }
    free(text);
}

static void boot(struct weft_admin_request *request)
{
    const struct weft_appliance *appliance = request->self;
    struct weft_error error;

    if (weft_appliance_check(appliance, &error) != 0) {
        weft_admin_reply_error(request, &error);
        return;
    }
    reply_file(request, appliance->options.boot_file, "application/json");
}

static int is_panic(const struct dirent *entry)
{
    return strncmp(entry->d_name, "panic-", 6) == 0;
}

static int is_crash(const struct dirent *entry) // runtime/node/crash_files.h
{
    const char *end = strrchr(entry->d_name, '.');

    return strncmp(entry->d_name, "crash-", 6) == 0 && end != NULL && strcmp(end, ".txt") == 0;
}

// The names bear the time: the last one is the newest.
static void reply_newest(struct weft_admin_request *request, const char *directory,
                         int (*is_one)(const struct dirent *entry), const char *none)
{
    struct dirent **entries = NULL;
    char path[512] = "";

    const int count = directory != NULL ? scandir(directory, &entries, is_one, alphasort) : 0;
    if (count > 0) snprintf(path, sizeof(path), "%s/%s", directory, entries[count - 1]->d_name);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    if (path[0] == '\0') {
        weft_admin_reply_problem(request, 503, "%s", none);
    } else {
        reply_file(request, path, "text/plain; charset=utf-8");
    }
}

static void panic(struct weft_admin_request *request)
{
    const struct weft_appliance *appliance = request->self;
    struct weft_error error;

    if (weft_appliance_check(appliance, &error) != 0)
        weft_admin_reply_error(request, &error);
    else
        reply_newest(request, appliance->options.log_dir, is_panic, "no panic has been kept");
}

// Of every node, with an image or without.
static void crash(struct weft_admin_request *request)
{
    const struct weft_appliance *appliance = request->self;

    reply_newest(request, appliance->options.data_dir, is_crash, "no crash has been kept");
}

// ---- The log.

// "-1" and "1" both mean the boot before.
static bool read_boot(struct weft_admin_request *request, uint64_t *ago)
{
    const char *text = weft_admin_query(request, "boot");
    char *end;

    *ago = WEFT_KEPT_LOG_ALL;
    if (text == NULL) return true;
    errno = 0;
    *ago = strtoull(text + (text[0] == '-'), &end, 10);
    if (errno == 0 && end > text && end[-1] >= '0' && *end == '\0' && *ago < UINT32_MAX)
        return true;
    weft_admin_reply_problem(request, 504, "boot is 0, -1, -2 …, not \"%.40s\"", text);
    return false;
}

static void node_log(struct weft_admin_request *request)
{
    const struct weft_appliance *appliance = request->self;
    const char *follow = weft_admin_query(request, "follow");
    const bool follows = follow != NULL && strcmp(follow, "0") != 0 && strcmp(follow, "false") != 0;
    struct weft_kept_log *log;
    struct weft_error error;
    uint64_t ago, lines;
    char path[512];

    if (weft_appliance_check(appliance, &error) != 0) {
        weft_admin_reply_error(request, &error);
        return;
    }
    if (!read_boot(request, &ago) ||
        !weft_admin_query_u64(request, "tail", WEFT_KEPT_LOG_ALL, &lines))
        return;
    if (lines == 0) { // The headers of the answer go out with its first bytes.
        weft_admin_reply_problem(request, 504, "tail is 1 line or more");
        return;
    }
    snprintf(path, sizeof(path), "%s/weftd.log", appliance->options.log_dir);
    const int result = weft_kept_log_open(&log, path, ago, lines, follows);
    if (result == -ENOENT) {
        weft_admin_reply_problem(request, 503,
                                 ago == WEFT_KEPT_LOG_ALL
                                     ? "no log has been kept"
                                     : "the log does not go back so many boots");
    } else if (result != 0) {
        weft_admin_reply_problem(request, 906, "%s: %s", path, strerror(-result));
    } else {
        weft_admin_reply_stream(
            request, "text/plain; charset=utf-8",
            &(struct weft_admin_stream){weft_kept_log_read, weft_kept_log_close, log});
    }
}

// ---- Configurations.

// Of an image, the file that its first process chose: as a person wrote it, before what only this
// machine knows was put in.
static void find_config(const struct weft_appliance *appliance, char *path, size_t size)
{
    json_t *boot = json_load_file(appliance->options.boot_file, 0, NULL);
    const char *chosen =
        json_string_value(json_object_get(json_object_get(boot, "config"), "path"));

    snprintf(path, size, "%s",
             chosen != NULL && chosen[0] != '\0' ? chosen : appliance->options.config_file);
    json_decref(boot);
}

static void config(struct weft_admin_request *request)
{
    char path[512];

    find_config(request->self, path, sizeof(path));
    reply_file(request, path, "application/toml");
}

// On the disk before the restart that takes it.
static int write_try(const struct weft_appliance *appliance, uint64_t seconds,
                     const struct weft_admin_request *request)
{
    char *text;
    const int length = asprintf(&text, "# weft try %u\n%s", (unsigned)seconds, request->body);

    if (length < 0) return -ENOMEM;
    const int result = weft_file_replace(appliance->options.try_file, text, (size_t)length, 0600);
    free(text);
    return result;
}

static void config_try(struct weft_admin_request *request)
{
    const struct weft_appliance *appliance = request->self;
    struct weft_error error;
    uint64_t seconds;

    if (!weft_admin_query_u64(request, "seconds", 60, &seconds)) return;
    if (weft_appliance_check(appliance, &error) != 0) {
        weft_admin_reply_error(request, &error);
    } else if (seconds < 10 || seconds > 3600) {
        weft_admin_reply_problem(request, 504, "a configuration is tried for 10 to 3600 seconds");
    } else if (request->body_length == 0 ||
               memchr(request->body, '\0', request->body_length) != NULL) {
        weft_admin_reply_problem(request, 504, "the body is no configuration");
    } else {
        const int result = write_try(appliance, seconds, request);
        if (result == 0)
            tell(request, "reboot");
        else
            weft_admin_reply_problem(request, 906, "%s: %s", appliance->options.try_file,
                                     strerror(-result));
    }
}

static void config_confirm(struct weft_admin_request *request)
{
    tell(request, "confirm");
}

#define TIMEOUT                                                                                    \
    {                                                                                              \
        "timeout_ms", "integer", "how long to wait for the answer"                                 \
    }

static const struct weft_admin_intake upgrade_intake = {
    .open = upgrade_open, .take = upgrade_take, .abandon = upgrade_abandon};

const struct weft_admin_route weft_appliance_routes[] = {
    {"GET", "/api/v1/node/slots", "node_slots", "What the image's two slots hold.", slots,
     .privileged = true, .query = {TIMEOUT}},
    {"POST", "/api/v1/node/upgrade", "node_upgrade",
     "Writes a release, an update bundle, into the other slot.", upgrade, .intake = &upgrade_intake,
     .query = {{"force", "boolean", "also what is older than the floor, or failed before"},
               TIMEOUT}},
    {"POST", "/api/v1/node/rollback", "node_rollback", "Makes the other slot the next to start.",
     rollback, .query = {TIMEOUT}},
    {"POST", "/api/v1/node/reboot", "node_reboot", "Restarts the machine, in order.", reboot,
     .query = {TIMEOUT}},
    {"POST", "/api/v1/node/poweroff", "node_poweroff", "Turns the machine off, in order.", poweroff,
     .query = {TIMEOUT}},
    {"POST", "/api/v1/node/reset", "node_reset",
     "Empties the data partition at the next start, and restarts.", reset, .query = {TIMEOUT}},
    {"POST", "/api/v1/node/install", "node_install",
     "Copies the image onto another disk of the machine at the next start, and restarts.", install,
     .body = "{\"type\":\"object\",\"required\":[\"disk\"],\"properties\":{\"disk\":{\"type\":"
             "\"string\"},\"erase\":{\"type\":\"boolean\"}}}",
     .query = {TIMEOUT}},
    {"GET", "/api/v1/node/boot", "node_boot", "How the machine was started.", boot},
    {"GET", "/api/v1/node/panic", "node_panic", "What the kernel said when it died last.", panic,
     .privileged = true, .response = "text/plain"},
    {"GET", "/api/v1/node/crash", "node_crash", "What the node left when it crashed last.", crash,
     .privileged = true, .response = "text/plain"},
    {"GET", "/api/v1/node/log", "node_log",
     "What the machine's first process and the node have said, over boots.", node_log,
     .privileged = true, .response = "text/plain",
     .query = {{"boot", "integer", "0 this boot, -1 the one before; all if absent"},
               {"tail", "integer", "the last so many lines; all if absent"},
               {"follow", "boolean", "what comes after it as well"}}},
    {"GET", "/api/v1/config", "config",
     "The configuration that the node runs with, as it was written: TOML.", config,
     .privileged = true, .response = "application/toml"},
    {"POST", "/api/v1/config/try", "config_try",
     "Restarts with the configuration in the body, TOML, and goes back unless it is confirmed.",
     config_try,
     .query = {{"seconds", "integer", "how long it may wait for that; 60 if absent"}, TIMEOUT}},
    {"POST", "/api/v1/config/confirm", "config_confirm", "The configuration on trial stays.",
     config_confirm, .query = {TIMEOUT}},
    {.method = NULL},
};
