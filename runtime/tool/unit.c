#include "runtime/tool/unit.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/admin/text.h"
#include "runtime/tool/handlers.h"
#include "runtime/tool/output.h"
#include "runtime/tool/target.h"
#include "runtime/tool/text.h"

int weft_tool_unit_target(const struct weft_tool_call *call, const char *word,
                          struct weft_client_target *target, char unit[64])
{
    const char *slash = strchr(word, '/');
    char node[64] = "";

    unit[0] = '\0';
    if (slash == NULL) slash = word + strlen(word);
    if ((size_t)(slash - word) >= sizeof(node) || strlen(slash) > 64) {
        return weft_tool_usage(call, "%.80s: a name is at most 63 letters", word);
    }
    memcpy(node, word, (size_t)(slash - word));
    if (*slash == '/') snprintf(unit, 64, "%s", slash + 1);
    if (unit[0] != '\0' && !weft_admin_name_valid(unit, strlen(unit))) {
        return weft_tool_usage(call, "\"%s\" cannot be the name of a unit", unit);
    }
    return weft_target_find(call->tool, node[0] != '\0' ? node : NULL, target);
}

int weft_tool_unit_named(const struct weft_tool_call *call, struct weft_client_target *target,
                         char unit[64])
{
    const int code = weft_tool_unit_target(call, call->args[0], target, unit);

    if (code != 0 || unit[0] != '\0') return code;
    return weft_tool_usage(call, "say NODE/UNIT: which unit of %s?", call->args[0]);
}

static void print_output(const struct weft_tool *tool, const json_t *document)
{
    const json_t *output = json_object_get(document, "output");
    const size_t length = json_string_length(output);

    if (length == 0) return;
    const char *text = json_string_value(output);
    fwrite(text, 1, length, tool->out);
    if (text[length - 1] != '\n') fputc('\n', tool->out);
    if (json_is_true(json_object_get(document, "output_cut"))) {
        fputs("warning: it printed more than is kept\n", tool->err);
    }
}

// The error of an evaluation: where it is first, so that editors can jump there.
static int say_error(const struct weft_tool *tool, unsigned status, const json_t *problem)
{
    struct weft_error error;
    const char *detail = json_string_value(json_object_get(problem, "detail"));

    weft_client_problem(status, problem, &error);
    if (error.code != 401 || detail == NULL) return weft_tool_fail(tool, &error);
    fflush(tool->out);
    fprintf(tool->err, "%s\n", detail); // Whole: file:line:column: text, and the line marked.
    return WEFT_EXIT_INPUT;
}

// Sends `body` and shows what came of it.
static int exchange(const struct weft_tool *tool, const struct weft_client_target *target,
                    const char *method, const char *path, json_t *body,
                    struct weft_tool_unit_state *state)
{
    struct weft_error error = {0};
    unsigned status;
    int code = WEFT_EXIT_DONE;
    char timed[256];

    if (tool->timeout_ms > 0) { // The node gives up when we do, and a little before.
        snprintf(timed, sizeof(timed), "%s?timeout_ms=%u", path, (unsigned)tool->timeout_ms);
        path = timed;
    }
    const uint32_t patience_ms = (tool->timeout_ms > 0 ? tool->timeout_ms : 10000) + 1000;
    json_t *document =
        weft_client_exchange(target, method, path, body, patience_ms, &status, &error);
    json_decref(body);
    if (document == NULL) return weft_tool_fail(tool, &error);
    if (state != NULL)
        *state = (struct weft_tool_unit_state){
            .compiling = json_is_true(json_object_get(document, "compiling")),
            .asks = json_is_true(json_object_get(document, "asks"))};
    if (tool->format == WEFT_FORMAT_TABLE || status >= 400) {
        print_output(tool, document);
    } else {
        weft_output_json(tool, document);
    }
    if (status >= 400) code = say_error(tool, status, document);
    json_decref(document);
    return code;
}

// `bytes` as a JSON string; NULL after saying that they cannot be one. Replacing what is not UTF-8
// would change the program in silence.
static json_t *source_text(const struct weft_tool *tool, const char *file, const char *bytes,
                           size_t length)
{
    json_t *text = json_stringn(bytes, length);
    struct weft_error error = {0};

    if (text != NULL) return text;
    weft_error_set(&error, 504, "%s: the text is not valid UTF-8", file);
    weft_tool_fail(tool, &error);
    return NULL;
}

int weft_tool_unit_eval(const struct weft_tool *tool, const struct weft_client_target *target,
                        const char *unit, const char *text, size_t length, bool interactive,
                        struct weft_tool_unit_state *state)
{
    json_t *source = source_text(tool, unit, text, length);
    char path[128];

    if (source == NULL) return WEFT_EXIT_INPUT;
    snprintf(path, sizeof(path), "/api/v1/units/%s/eval", unit);
    return exchange(tool, target, "POST", path,
                    json_pack("{s:o, s:b}", "text", source, "interactive", (int)interactive),
                    state);
}

int weft_tool_unit_input(const struct weft_tool *tool, const struct weft_client_target *target,
                         const char *unit, const char *text, size_t length, bool ends,
                         struct weft_tool_unit_state *state)
{
    json_t *typed = source_text(tool, unit, text, length);
    char path[128];

    if (typed == NULL) return WEFT_EXIT_INPUT;
    snprintf(path, sizeof(path), "/api/v1/units/%s/input", unit);
    return exchange(tool, target, "POST", path,
                    json_pack("{s:o, s:b}", "text", typed, "end", (int)ends), state);
}

int weft_tool_unit_load(const struct weft_tool *tool, const struct weft_client_target *target,
                        const char *unit, const char *file, const char *recovery, const char *quota,
                        const char *source, size_t length)
{
    json_t *text = source_text(tool, file, source, length);

    if (text == NULL) return WEFT_EXIT_INPUT;
    json_t *body =
        json_pack("{s:s, s:o, s:o}", "name", unit, "file", weft_json_text(file), "source", text);
    if (recovery[0] != '\0') json_object_set_new(body, "recovery", weft_json_text(recovery));
    if (quota[0] != '\0') json_object_set_new(body, "quota", weft_json_text(quota));
    return exchange(tool, target, "POST", "/api/v1/units", body, NULL);
}

int weft_tool_unit_unload(const struct weft_tool *tool, const struct weft_client_target *target,
                          const char *unit)
{
    char path[128];

    snprintf(path, sizeof(path), "/api/v1/units/%s", unit);
    return exchange(tool, target, "DELETE", path, NULL, NULL);
}

#define LOAD_COUNT_MAX 10000

// --count: 0 if absent. False: it has been said that it is no such number.
static bool load_count(const struct weft_tool_call *call, unsigned *count)
{
    const char *text = weft_tool_value(call, "count");
    char *end;
    *count = 0;
    if (text == NULL) return true;
    const unsigned long number = strtoul(text, &end, 10);
    if (*end == '\0' && number >= 1 && number <= LOAD_COUNT_MAX && text[0] != '-') {
        *count = (unsigned)number;
        return true;
    }
    weft_tool_usage(call, "--count %.40s: a number from 1 to %d", text, LOAD_COUNT_MAX);
    return false;
}

// One unit, or `count` of them, until one cannot be loaded.
static int load_all(const struct weft_tool_call *call, const struct weft_client_target *target,
                    const char *name, unsigned count, const char *file, const char *source,
                    size_t length)
{
    const char *recovery = weft_tool_value(call, "recovery"),
               *quota = weft_tool_value(call, "quota");
    for (unsigned n = 1; n <= (count > 0 ? count : 1); n++) {
        char numbered[80];
        snprintf(numbered, sizeof(numbered), "%.63s-%u", name, n);
        const char *own = count > 0 ? numbered : name;
        const int code =
            weft_tool_unit_load(call->tool, target, own, file, recovery != NULL ? recovery : "",
                                quota != NULL ? quota : "", source, length);
        if (code != 0) return code;
        if (call->tool->format == WEFT_FORMAT_TABLE)
            fprintf(call->tool->err, "loaded %s/%s\n", target->name, own);
    }
    return 0;
}

int weft_run_unit_load(struct weft_tool_call *call)
{
    const char *file = call->args[call->arg_count - 1];
    const char *name = weft_tool_value(call, "name");
    struct weft_client_target target;
    struct weft_error error = {0};
    char own_name[64];
    size_t length;
    unsigned count;
    int code = weft_target_find(call->tool, call->arg_count > 1 ? call->args[0] : NULL, &target);

    if (code != 0) return code;
    if (!load_count(call, &count)) return WEFT_EXIT_USAGE;
    if (name == NULL) {
        if (strcmp(file, "-") == 0) return weft_tool_usage(call, "--name is missing");
        weft_text_name(file, own_name);
        name = own_name;
    }
    char *source = weft_text_read(file, &length, &error);
    if (source == NULL) return weft_tool_fail(call->tool, &error);
    code = load_all(call, &target, name, count, strcmp(file, "-") == 0 ? "stdin" : file, source,
                    length);
    free(source);
    return code;
}

int weft_run_unit_ls(struct weft_tool_call *call)
{
    static const struct weft_column columns[] = {{"NODE", "node", WEFT_COLUMN_TEXT},
                                                 {"UNIT", "name", WEFT_COLUMN_TEXT},
                                                 {"STATE", "state", WEFT_COLUMN_STATE},
                                                 {"CORE", "core", WEFT_COLUMN_COUNT},
                                                 {"INDEX", "index", WEFT_COLUMN_COUNT},
                                                 {"RECOVERY", "recovery", WEFT_COLUMN_TEXT},
                                                 {"MEMORY", "memory_bytes", WEFT_COLUMN_BYTES},
                                                 {"REDUCTIONS", "reductions", WEFT_COLUMN_COUNT},
                                                 {"MESSAGES", "messages", WEFT_COLUMN_COUNT},
                                                 {"MAILBOX", "mailbox", WEFT_COLUMN_COUNT},
                                                 {"LOADED", "loaded_wall_ns", WEFT_COLUMN_TIME},
                                                 {"FILE", "file", WEFT_COLUMN_TEXT},
                                                 {.title = NULL}};
    struct weft_targets targets;
    int code = weft_targets_find(call->tool, weft_tool_arg(call, 0), &targets);

    if (code != 0) return code;
    json_t *document = weft_targets_gather(call->tool, &targets, "/api/v1/units", &code);
    if (document == NULL) return code;
    weft_output_list(call->tool, document, columns);
    json_decref(document);
    return code;
}

int weft_run_unit_eval(struct weft_tool_call *call)
{
    struct weft_client_target target;
    struct weft_error error = {0};
    struct weft_tool_unit_state state = {0};
    char unit[64];
    size_t length = strlen(call->args[1]);
    char *text = NULL;
    int code = weft_tool_unit_named(call, &target, unit);

    if (code != 0) return code;
    if (strcmp(call->args[1], "-") == 0) {
        text = weft_text_read("-", &length, &error);
        if (text == NULL) return weft_tool_fail(call->tool, &error);
    }
    code = weft_tool_unit_eval(call->tool, &target, unit, text != NULL ? text : call->args[1],
                               length, false, &state);
    free(text);
    if (code == 0 && state.asks && call->tool->format == WEFT_FORMAT_TABLE)
        fprintf(call->tool->err, "it waits for input: weft unit input %s TEXT\n", call->args[0]);
    return code;
}

int weft_run_unit_input(struct weft_tool_call *call)
{
    struct weft_client_target target;
    char unit[64];
    const char *typed = call->arg_count > 1 ? call->args[1] : "";
    const bool ends = weft_tool_value(call, "end") != NULL;
    const bool is_line = call->arg_count > 1 && weft_tool_value(call, "keys") == NULL;
    const int code = weft_tool_unit_named(call, &target, unit);

    if (code != 0) return code;
    if (call->arg_count == 1 && !ends) return weft_tool_usage(call, "TEXT is missing");
    const size_t length = strlen(typed);
    char *text = malloc(length + 2);
    if (text == NULL) return WEFT_EXIT_INTERNAL;
    snprintf(text, length + 2, "%s%s", typed, is_line ? "\n" : "");
    const int done =
        weft_tool_unit_input(call->tool, &target, unit, text, strlen(text), ends, NULL);
    free(text);
    return done;
}

static int end_unit(struct weft_tool_call *call, const char *verb, const char *done)
{
    struct weft_client_target target;
    char unit[64], path[128];
    int code = weft_tool_unit_named(call, &target, unit);

    if (code != 0) return code;
    snprintf(path, sizeof(path), "/api/v1/units/%s/%s", unit, verb);
    code = verb[0] == '\0' ? weft_tool_unit_unload(call->tool, &target, unit)
                           : exchange(call->tool, &target, "POST", path, NULL, NULL);
    if (code == 0 && call->tool->format == WEFT_FORMAT_TABLE) {
        fprintf(call->tool->err, "%s %s/%s\n", done, target.name, unit);
    }
    return code;
}

int weft_run_unit_kill(struct weft_tool_call *call)
{
    return end_unit(call, "kill", "killed");
}

int weft_run_unit_unload(struct weft_tool_call *call)
{
    return end_unit(call, "", "unloaded");
}
