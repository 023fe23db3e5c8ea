// weft __update: what a node starts to write a release into its other slot, so that none of its
// cores waits for a disk. The bundle comes on standard input; one JSON document goes out: what was
// done, or {"code", "detail", "hint"} with exit code 1.
//
// --disk, --esp, --root and --ledger name other places than this machine's own: for tests, and for
// a disk that is looked at from another system.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "image/update/disk.h"
#include "image/update/host.h"
#include "image/update/writer.h"
#include "runtime/tool/handlers.h"
#include "runtime/tool/output.h"

#define ESP         "/esp"
#define LEDGER      "/data/state/releases"
#define PUBLIC_KEY  "/etc/weft/update.pub"
#define CHUNK_BYTES 65536

struct session { // One run over one disk.
    struct weft_update_host host;
    struct weft_update_disk disk;
    struct weft_update_medium medium;
    struct weft_update_ledger ledger;
    char ledger_path[PATH_MAX];
    const char *mounted; // Where we mounted the ESP, or NULL.
    int lock_fd;
    bool is_open;
};

static const char *value_or(const struct weft_tool_call *call, const char *name, const char *usual)
{
    const char *value = weft_tool_value(call, name);

    return value != NULL ? value : usual;
}

// One run at a time: the lock lies beside the ledger and goes with the process. Who only looks
// writes nothing without it.
static int take_lock(struct session *session, struct weft_error *error)
{
    char path[PATH_MAX];

    if ((size_t)snprintf(path, sizeof(path), "%s.lock", session->ledger_path) >= sizeof(path))
        return weft_error_set(error, 906, "%s: the path is too long", session->ledger_path);
    session->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (session->lock_fd < 0) return weft_error_set(error, 906, "%s: %s", path, strerror(errno));
    if (flock(session->lock_fd, LOCK_EX | LOCK_NB) == 0) return 0;
    close(session->lock_fd);
    session->lock_fd = -1;
    return weft_error_set(error, 905, "another update of this node is under way");
}

// What the disk tells about past starts goes into the ledger: the floor must outlive this process,
// since the next release to be put in takes its place. Who only looks is shown it all the same,
// also where nothing can be kept: on a data partition that is full or cannot be written.
static int learn(struct session *session, bool only_looks, struct weft_error *error)
{
    struct weft_error why = {0};

    weft_update_ledger_read(session->ledger_path, &session->ledger);
    const struct weft_update_ledger known = session->ledger;
    weft_update_learn(&session->medium, &session->host.node, &session->ledger);
    if (session->lock_fd < 0 || memcmp(&known, &session->ledger, sizeof(known)) == 0) return 0;
    if (weft_update_ledger_write(session->ledger_path, &session->ledger, &why) == 0 || only_looks)
        return 0;
    *error = why;
    return -1;
}

static int session_open(struct session *session, const struct weft_tool_call *call, bool only_looks,
                        struct weft_error *error)
{
    const char *esp = weft_tool_value(call, "esp");
    struct weft_error unheard = {0};

    memset(session, 0, sizeof(*session));
    session->lock_fd = -1;
    if (weft_update_host_find(value_or(call, "root", ""), &session->host, error) != 0) return -1;
    snprintf(session->ledger_path, sizeof(session->ledger_path), "%s",
             value_or(call, "ledger", LEDGER));
    if (take_lock(session, only_looks ? &unheard : error) != 0 && !only_looks) return -1;
    const char *disk = value_or(call, "disk", session->host.disk);
    if (esp == NULL) {
        if (weft_update_esp_mount(disk, ESP, only_looks, error) != 0) return -1;
        esp = session->mounted = ESP;
    }
    if (weft_update_disk_open(&session->disk, disk, esp, only_looks, error) != 0) return -1;
    session->is_open = true;
    session->medium = weft_update_disk_medium(&session->disk);
    return learn(session, only_looks, error);
}

static void session_close(struct session *session)
{
    if (session->is_open) weft_update_disk_close(&session->disk);
    if (session->mounted != NULL) weft_update_esp_unmount(session->mounted);
    if (session->lock_fd >= 0) close(session->lock_fd);
}

// ---- What goes out.

static int print(const struct weft_tool *tool, json_t *document, int exit_code)
{
    json_dumpf(document, tool->out, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
    fputc('\n', tool->out);
    fflush(tool->out);
    json_decref(document);
    return exit_code;
}

static int print_error(const struct weft_tool *tool, const struct weft_error *error)
{
    char code[8];

    snprintf(code, sizeof(code), "W%04u", (unsigned)error->code);
    return print(
        tool,
        json_pack("{s:s, s:s, s:s}", "code", code, "detail", error->text, "hint", error->hint),
        WEFT_EXIT_NO);
}

static json_t *slot_document(const struct weft_update_slot *slot, char running)
{
    const char slot_name[2] = {slot->slot, '\0'};
    json_t *item = json_pack("{s:s, s:b, s:s, s:s}", "slot", slot_name, "running",
                             (int)(slot->slot == running), "version", slot->version, "state",
                             weft_update_slot_state_name(weft_update_slot_state(slot)));

    if (slot->tries_left >= 0)
        json_object_set_new(item, "tries_left", json_integer(slot->tries_left));
    return item;
}

static json_t *slots_document(const struct session *session)
{
    struct weft_update_slot slots[2];
    const char running[2] = {session->host.node.running, '\0'};
    json_t *failed = json_array();

    weft_update_slots_read(&session->medium, slots);
    for (size_t i = 0; i < session->ledger.failed_count; i++)
        json_array_append_new(failed, json_string(session->ledger.failed[i]));
    json_t *items = json_array();
    for (int i = 0; i < 2; i++)
        json_array_append_new(items, slot_document(&slots[i], session->host.node.running));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "apiVersion", "v1", "running", running,
                     "version", session->host.node.version, "arch", session->host.node.arch,
                     "floor", session->ledger.floor, "failed", failed, "items", items);
}

// ---- What is done.

static int keep(void *self, const struct weft_update_ledger *ledger, struct weft_error *error)
{
    return weft_update_ledger_write(((struct session *)self)->ledger_path, ledger, error);
}

// All of standard input, into the writer.
static int feed(struct weft_update_reader *reader, struct weft_error *error)
{
    uint8_t *chunk = malloc(CHUNK_BYTES);
    ssize_t count = chunk != NULL ? 1 : -1;
    int result = 0;

    while (result == 0 && count > 0) {
        count = read(STDIN_FILENO, chunk, CHUNK_BYTES);
        if (count < 0 && errno == EINTR)
            count = 1;
        else if (count > 0)
            result = weft_update_reader_feed(reader, chunk, (size_t)count, error);
    }
    if (count < 0) result = weft_error_set(error, 906, "the update: %s", strerror(errno));
    free(chunk);
    return result == 0 ? weft_update_reader_end(reader, error) : result;
}

static int apply(struct session *session, const struct weft_tool_call *call,
                 struct weft_error *error)
{
    struct weft_update_writer writer = {.node = session->host.node,
                                        .medium = session->medium,
                                        .ledger = &session->ledger,
                                        .keep = keep,
                                        .keep_self = session,
                                        .force = weft_tool_value(call, "force") != NULL};
    const struct weft_update_taker taker = weft_update_writer_taker(&writer);
    struct weft_update_reader reader;
    struct weft_update_key key;

    if (weft_update_key_read(value_or(call, "key", PUBLIC_KEY), &key, error) != 0) return -1;
    weft_update_reader_init(&reader, &key, &taker);
    int result = feed(&reader, error);
    if (result == 0) result = weft_update_writer_finish(&writer, error);
    weft_update_reader_destroy(&reader);
    weft_update_writer_destroy(&writer);
    weft_update_key_destroy(&key);
    return result;
}

int weft_run_update(struct weft_tool_call *call)
{
    struct session session;
    struct weft_error error = {0};
    const char *verb = call->args[0];
    const bool only_looks = strcmp(verb, "slots") == 0;
    int result = session_open(&session, call, only_looks, &error);

    if (result == 0 && strcmp(verb, "apply") == 0)
        result = apply(&session, call, &error);
    else if (result == 0 && strcmp(verb, "rollback") == 0)
        result = weft_update_roll_back(&session.medium, &session.host.node, &error);
    else if (result == 0 && !only_looks)
        result = weft_error_set(&error, 504, "say apply, rollback or slots");
    json_t *document = result == 0 ? slots_document(&session) : NULL;
    session_close(&session);
    return document != NULL ? print(call->tool, document, WEFT_EXIT_DONE)
                            : print_error(call->tool, &error);
}
