// Commands about actors.
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/admin/actor.h"
#include "runtime/admin/text.h"
#include "runtime/tool/handlers.h"
#include "runtime/tool/output.h"
#include "runtime/tool/target.h"
#include "runtime/tool/text.h"

int weft_actor_find_target(const struct weft_tool_call *call, struct weft_client_target *target,
                           char actor[64])
{
    const char *word = call->args[0], *slash = strchr(word, '/');
    char node[64];
    if (slash == NULL || slash[1] == '\0')
        return weft_tool_usage(call, "say NODE/ACTOR: which actor of %s?", word);
    const int length = snprintf(node, sizeof(node), "%.*s", (int)(slash - word), word);
    if (length <= 0 || (size_t)length >= sizeof(node) || strlen(slash + 1) > 63)
        return weft_tool_usage(call, "%.80s: a name is at most 63 letters", word);
    snprintf(actor, 64, "%s", slash + 1);
    if (!weft_admin_name_valid(actor, strlen(actor)))
        return weft_tool_usage(call, "\"%s\" cannot be asked for by name: say its pid", actor);
    return weft_target_find(call->tool, node, target);
}

// Asks for a document. NULL after the failure has been said.
static json_t *exchange(const struct weft_tool *tool, const struct weft_client_target *target,
                        const char *method, const char *path, json_t *body, int *code)
{
    char timed[256];
    if (tool->timeout_ms > 0 && strcmp(method, "GET") != 0) { // The node gives up before we do.
        snprintf(timed, sizeof(timed), "%s?timeout_ms=%u", path, (unsigned)tool->timeout_ms);
        path = timed;
    }
    struct weft_tool patient = *tool;
    patient.timeout_ms = (tool->timeout_ms > 0 ? tool->timeout_ms : 10000) + 1000;
    json_t *document = weft_target_ask(&patient, target, method, path, body, code);
    json_decref(body);
    return document;
}

// ---- ls

int weft_run_actor_ls(struct weft_tool_call *call)
{
    static const struct weft_column columns[] = {{"NODE", "node", WEFT_COLUMN_TEXT},
                                                 {"PID", "pid", WEFT_COLUMN_TEXT},
                                                 {"NAME", "name", WEFT_COLUMN_TEXT},
                                                 {"LABEL", "label", WEFT_COLUMN_TEXT},
                                                 {"KIND", "kind", WEFT_COLUMN_TEXT},
                                                 {"CORE", "core", WEFT_COLUMN_COUNT},
                                                 {"STATE", "state", WEFT_COLUMN_STATE},
                                                 {"MAILBOX", "mailbox", WEFT_COLUMN_COUNT},
                                                 {"LINKS", "links", WEFT_COLUMN_COUNT},
                                                 {"MEMORY", "memory_bytes", WEFT_COLUMN_BYTES},
                                                 {"REDUCTIONS", "reductions", WEFT_COLUMN_COUNT},
                                                 {.title = NULL}};
    const char *sort = weft_tool_value(call, "sort"), *limit = weft_tool_value(call, "limit"),
               *like = weft_tool_value(call, "like");
    struct weft_targets targets;
    char path[256];
    if (like != NULL && !weft_admin_name_valid(like, strlen(like)))
        return weft_tool_usage(call, "--like takes letters, digits, '.', '_' and '-'");
    int code = weft_targets_find(call->tool, weft_tool_arg(call, 0), &targets);
    if (code != 0) return code;
    snprintf(path, sizeof(path), "/api/v1/actors?sort=%s&limit=%s%s%s%s",
             sort != NULL ? sort : "pid", limit != NULL ? limit : "100",
             like != NULL ? "&like=" : "", like != NULL ? like : "",
             weft_tool_value(call, "all") != NULL ? "&all=1" : "");
    json_t *document = weft_targets_gather(call->tool, &targets, path, &code);
    if (document == NULL) return code;
    weft_output_list(call->tool, document, columns);
    json_decref(document);
    return code;
}

// ---- show

static void print_edges(FILE *out, const json_t *document)
{
    size_t i;
    json_t *edge;
    json_array_foreach(json_object_get(document, "edges"), i, edge)
    {
        const json_t *pid = json_object_get(edge, "pid"), *text = json_object_get(edge, "text"),
                     *due = json_object_get(edge, "due_ns");
        char cell[64];
        fprintf(out, "%s%-10s", i == 0 ? "hangs on it   " : "              ",
                json_string_value(json_object_get(edge, "what")));
        if (text != NULL) fprintf(out, " %s", json_string_value(text));
        if (due != NULL) fprintf(out, " in %s", weft_output_cell(due, WEFT_COLUMN_DURATION, cell));
        if (pid != NULL) fprintf(out, " %s", json_string_value(pid));
        fputc('\n', out);
    }
    const json_int_t all = json_integer_value(json_object_get(document, "edge_count"));
    if (all > (json_int_t)i)
        fprintf(out, "              and %" JSON_INTEGER_FORMAT " more\n", all - (json_int_t)i);
}

static void print_messages(FILE *out, const json_t *document)
{
    size_t i;
    json_t *message;
    json_array_foreach(json_object_get(document, "messages"), i, message)
    {
        fprintf(out,
                "%s%s type %" JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT " bytes, from %s\n",
                i == 0 ? "mailbox       " : "              ",
                json_string_value(json_object_get(message, "tag")),
                json_integer_value(json_object_get(message, "type")),
                json_integer_value(json_object_get(message, "length")),
                json_string_value(json_object_get(message, "from")));
    }
}

int weft_run_actor_show(struct weft_tool_call *call)
{
    static const struct weft_column columns[] = {{"pid", "pid", WEFT_COLUMN_TEXT},
                                                 {"name", "name", WEFT_COLUMN_TEXT},
                                                 {"label", "label", WEFT_COLUMN_TEXT},
                                                 {"kind", "kind", WEFT_COLUMN_TEXT},
                                                 {"parent", "parent", WEFT_COLUMN_TEXT},
                                                 {"core", "core", WEFT_COLUMN_COUNT},
                                                 {"state", "state", WEFT_COLUMN_STATE},
                                                 {"priority", "priority", WEFT_COLUMN_TEXT},
                                                 {"stackful", "stackful", WEFT_COLUMN_TEXT},
                                                 {"traps exits", "trapping", WEFT_COLUMN_TEXT},
                                                 {"pinned", "pinned", WEFT_COLUMN_TEXT},
                                                 {"messages", "mailbox", WEFT_COLUMN_COUNT},
                                                 {"at most", "mailbox_max", WEFT_COLUMN_COUNT},
                                                 {"then", "overflow", WEFT_COLUMN_TEXT},
                                                 {"reductions", "reductions", WEFT_COLUMN_COUNT},
                                                 {"memory", "memory_bytes", WEFT_COLUMN_BYTES},
                                                 {"memory max", "memory_max", WEFT_COLUMN_BYTES},
                                                 {"of a stack", "stack_bytes", WEFT_COLUMN_BYTES},
                                                 {.title = NULL}};
    struct weft_client_target target;
    char actor[64], path[128];
    int code = weft_actor_find_target(call, &target, actor);
    if (code != 0) return code;
    snprintf(path, sizeof(path), "/api/v1/actors/%s", actor);
    json_t *document = exchange(call->tool, &target, "GET", path, NULL, &code), *frame;
    if (document == NULL) return code;
    weft_output_record(call->tool, document, columns);
    if (call->tool->format == WEFT_FORMAT_TABLE) {
        size_t i;
        print_edges(call->tool->out, document);
        print_messages(call->tool->out, document);
        json_array_foreach(json_object_get(document, "stack"), i, frame)
            fprintf(call->tool->out, "%s%s\n", i == 0 ? "stands in     " : "    called by ",
                    json_string_value(frame));
    }
    json_decref(document);
    return code;
}

// ---- kill, send, load

int weft_run_actor_kill(struct weft_tool_call *call)
{
    struct weft_client_target target;
    char actor[64], path[128];
    int code = weft_actor_find_target(call, &target, actor);
    if (code != 0) return code;
    snprintf(path, sizeof(path), "/api/v1/actors/%s/kill", actor);
    json_t *document = exchange(call->tool, &target, "POST", path, NULL, &code);
    if (document == NULL) return code;
    if (call->tool->format == WEFT_FORMAT_TABLE)
        fprintf(call->tool->err, "killed %s/%s\n", target.name, actor);
    else
        weft_output_json(call->tool, document);
    json_decref(document);
    return code;
}

// A payload from the words: text, or hex with --hex. NULL after saying what is wrong.
static json_t *payload_of(const struct weft_tool_call *call, const char **key)
{
    const char *word = call->arg_count > 1 ? call->args[1] : "";
    struct weft_error error = {0};
    size_t length = strlen(word);
    char *read = NULL;
    *key = weft_tool_value(call, "hex") != NULL ? "hex" : "text";
    if (strcmp(word, "-") == 0) {
        read = weft_text_read("-", &length, &error);
        if (read == NULL) {
            weft_tool_fail(call->tool, &error);
            return NULL;
        }
        word = read;
    }
    json_t *payload = json_stringn(word, length);
    free(read);
    if (payload != NULL) return payload;
    weft_error_set(&error, 504, "the message is not valid UTF-8");
    weft_error_hint(&error, "--hex takes any bytes, as pairs of hex digits");
    weft_tool_fail(call->tool, &error);
    return NULL;
}

static void print_reply(const struct weft_tool *tool, const json_t *document)
{
    const json_t *text = json_object_get(document, "text"), *hex = json_object_get(document, "hex");
    if (text == NULL) text = hex;
    if (json_string_length(text) == 0) {
        fprintf(tool->err, "it replied with nothing\n");
        return;
    }
    fwrite(json_string_value(text), 1, json_string_length(text), tool->out);
    fputc('\n', tool->out);
}

int weft_run_actor_send(struct weft_tool_call *call)
{
    const char *type = weft_tool_value(call, "type"), *key;
    const bool wants_reply = weft_tool_value(call, "call") != NULL;
    struct weft_client_target target;
    char actor[64], path[128], *end = NULL;
    const unsigned long number = type != NULL ? strtoul(type, &end, 10) : 0;
    if (type != NULL && (*type < '0' || *type > '9' || *end != '\0' || number > UINT16_MAX))
        return weft_tool_usage(call, "--type takes a number of 0 to 65535");
    int code = weft_actor_find_target(call, &target, actor);
    if (code != 0) return code;
    json_t *payload = payload_of(call, &key);
    if (payload == NULL) return WEFT_EXIT_INPUT;
    json_t *body =
        json_pack("{s:I, s:o, s:b, s:b}", "type", (json_int_t)number, key, payload, "call",
                  (int)wants_reply, "cast", (int)(weft_tool_value(call, "cast") != NULL));
    snprintf(path, sizeof(path), "/api/v1/actors/%s/send", actor);
    json_t *document = exchange(call->tool, &target, "POST", path, body, &code);
    if (document == NULL) return code;
    if (call->tool->format != WEFT_FORMAT_TABLE)
        weft_output_json(call->tool, document);
    else if (wants_reply)
        print_reply(call->tool, document);
    json_decref(document);
    return code;
}

int weft_run_actor_load(struct weft_tool_call *call)
{
    const char *file = call->args[call->arg_count - 1], *name = weft_tool_value(call, "name");
    struct weft_client_target target;
    struct weft_error error = {0};
    char own_name[64], absolute[PATH_MAX];
    int code = weft_target_find(call->tool, call->arg_count > 1 ? call->args[0] : NULL, &target);
    if (code != 0) return code;
    if (realpath(file, absolute) == NULL) {
        weft_error_set(&error, 504, "%s: %m", file);
        return weft_tool_fail(call->tool, &error);
    }
    if (name == NULL) {
        weft_text_name(file, own_name);
        name = own_name;
    }
    json_t *args = json_array();
    for (int i = 0; i < call->rest_count; i++)
        json_array_append_new(args, weft_json_text(call->rest[i]));
    json_t *body =
        json_pack("{s:s, s:o, s:o}", "name", name, "file", weft_json_text(absolute), "args", args);
    json_t *document = exchange(call->tool, &target, "POST", "/api/v1/actors", body, &code);
    if (document == NULL) return code;
    if (call->tool->format == WEFT_FORMAT_TABLE)
        fprintf(call->tool->err, "started %s/%s as %s\n", target.name, name,
                json_string_value(json_object_get(document, "pid")));
    else
        weft_output_json(call->tool, document);
    json_decref(document);
    return code;
}

// ---- run

// The program that runs a module alone stands beside this one: in the build tree, or installed.
int weft_run_actor_run(struct weft_tool_call *call)
{
    static const char *const places[] = {"../lib/weft-run", "weft-run", "../libexec/weft/weft-run"};
    char self[PATH_MAX], path[PATH_MAX + 32];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    char **words = calloc((size_t)call->rest_count + 2, sizeof(*words));
    if (words == NULL || length <= 0) return WEFT_EXIT_INTERNAL;
    self[length] = '\0';
    char *slash = strrchr(self, '/');
    if (slash != NULL) *slash = '\0';
    words[0] = (char *)(uintptr_t) "weft actor run";
    memcpy(words + 1, call->rest, (size_t)call->rest_count * sizeof(*words));
    for (size_t i = 0; i < WEFT_COUNT_OF(places); i++) {
        snprintf(path, sizeof(path), "%s/%s", self, places[i]);
        execv(path, words);
    }
    fprintf(call->tool->err, "error: weft-run is not beside this tool: ./do build makes it\n");
    free(words);
    return WEFT_EXIT_INTERNAL;
}
