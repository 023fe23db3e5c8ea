// Saved states: of one unit, and of all units of a node at one instant. Bytes in a file; what they
// mean the node knows, and refuses what they are not.
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/admin/text.h"
#include "runtime/base/file.h"
#include "runtime/tool/handlers.h"
#include "runtime/tool/output.h"
#include "runtime/tool/target.h"
#include "runtime/tool/text.h"
#include "runtime/tool/unit.h"

#define UNIT_BYTES_MAX     ((size_t)2 << 20) // As the node's routes take them.
#define SNAPSHOT_BYTES_MAX ((size_t)64 << 20)

// The answer of the node is in *answer, to be destroyed; or it has been said what went wrong.
static int ask(const struct weft_tool *tool, const struct weft_client_target *target,
               const char *method, const char *path, const char *body, size_t body_length,
               struct weft_client_answer *answer)
{
    struct weft_error error = {0};
    char timed[512];
    const uint32_t patience_ms = tool->timeout_ms > 0 ? tool->timeout_ms : 60000;

    snprintf(timed, sizeof(timed), "%s%ctimeout_ms=%u", path, strchr(path, '?') != NULL ? '&' : '?',
             (unsigned)patience_ms);
    const struct weft_client_call call = {.method = method,
                                          .path = timed,
                                          .accept = "application/octet-stream, application/json",
                                          .body = body,
                                          .body_length = body_length,
                                          .timeout_ms = patience_ms + 1000};
    if (weft_client_ask(target, &call, answer, &error) < 0) return weft_tool_fail(tool, &error);
    if (answer->status < 400) return 0;
    json_t *problem = json_loadb(answer->body, answer->length, 0, NULL);
    weft_client_problem(answer->status, problem, &error);
    json_decref(problem);
    weft_client_answer_destroy(answer);
    return weft_tool_fail(tool, &error);
}

// "-" is standard output; a file is there whole or as it was.
static int write_file(const struct weft_tool *tool, const char *path,
                      const struct weft_client_answer *answer)
{
    struct weft_error error = {0};
    int result = 0;

    if (strcmp(path, "-") != 0)
        result = weft_file_save(path, answer->body, answer->length, 0666);
    else if (fwrite(answer->body, 1, answer->length, tool->out) != answer->length ||
             fflush(tool->out) != 0)
        result = -errno;
    if (result == 0) return 0;
    weft_error_set(&error, 504, "%s: %s", path, strerror(-result));
    return weft_tool_fail(tool, &error);
}

// What has been saved, or restored: a line for people, an object for programs.
static void say(const struct weft_tool *tool, const char *done, const char *node, const char *unit,
                const char *file, size_t bytes)
{
    if (tool->format == WEFT_FORMAT_TABLE) {
        fprintf(tool->err, "%s %s%s%s, %zu bytes\n", done, node, unit[0] != '\0' ? "/" : "", unit,
                bytes);
        return;
    }
    json_t *document = json_pack("{s:s, s:s, s:o, s:I}", "apiVersion", "v1", "node", node, "file",
                                 weft_json_text(file), "bytes", (json_int_t)bytes);
    if (unit[0] != '\0') json_object_set_new(document, "unit", json_string(unit));
    weft_output_json(tool, document);
    json_decref(document);
}

static int save(const struct weft_tool *tool, const struct weft_client_target *target,
                const char *path, const char *unit, const char *file)
{
    struct weft_client_answer answer;
    int code = ask(tool, target, "GET", path, NULL, 0, &answer);

    if (code != 0) return code;
    code = write_file(tool, file, &answer);
    // Standard output has the bytes, and nothing else.
    if (code == 0 && strcmp(file, "-") != 0)
        say(tool, "saved", target->name, unit, file, answer.length);
    weft_client_answer_destroy(&answer);
    return code;
}

static int restore(const struct weft_tool *tool, const struct weft_client_target *target,
                   const char *path, const char *unit, const char *file, size_t bytes_max)
{
    struct weft_client_answer answer;
    struct weft_error error = {0};
    size_t length;
    char *bytes = weft_bytes_read(file, bytes_max, &length, &error);

    if (bytes == NULL) return weft_tool_fail(tool, &error);
    const int code = ask(tool, target, "POST", path, bytes, length, &answer);
    free(bytes);
    if (code != 0) return code;
    say(tool, "restored", target->name, unit, file, length);
    weft_client_answer_destroy(&answer);
    return 0;
}

int weft_run_unit_save(struct weft_tool_call *call)
{
    struct weft_client_target target;
    char unit[64], path[128];
    const int code = weft_tool_unit_target(call, call->args[0], &target, unit);

    if (code != 0) return code;
    if (unit[0] == '\0')
        return weft_tool_usage(call, "say NODE/UNIT: which unit of %s?", call->args[0]);
    snprintf(path, sizeof(path), "/api/v1/units/%s/image", unit);
    return save(call->tool, &target, path, unit, call->args[1]);
}

int weft_run_unit_restore(struct weft_tool_call *call)
{
    const char *file = call->args[call->arg_count - 1];
    const char *name = weft_tool_value(call, "name");
    const char *recovery = weft_tool_value(call, "recovery");
    const bool is_in = strcmp(file, "-") == 0;
    struct weft_client_target target;
    char unit[64], from[64], path[256];
    const int code =
        weft_target_find(call->tool, call->arg_count > 1 ? call->args[0] : NULL, &target);

    if (code != 0) return code;
    if (name == NULL && is_in) return weft_tool_usage(call, "--name is missing");
    weft_text_name(file, from); // In letters that may stand in a path.
    snprintf(unit, sizeof(unit), "%s", name != NULL ? name : from);
    if (!weft_admin_name_valid(unit, strlen(unit)) || (name != NULL && strlen(name) > 63))
        return weft_tool_usage(call, "\"%.80s\" cannot be the name of a unit", unit);
    if (recovery != NULL && strcmp(recovery, "none") != 0 && strcmp(recovery, "journal") != 0)
        return weft_tool_usage(call, "--recovery %.20s: none or journal", recovery);
    snprintf(path, sizeof(path), "/api/v1/units/%s/image?file=%s%s%s", unit, is_in ? "stdin" : from,
             recovery != NULL ? "&recovery=" : "", recovery != NULL ? recovery : "");
    return restore(call->tool, &target, path, unit, file, UNIT_BYTES_MAX);
}

int weft_run_node_snapshot(struct weft_tool_call *call)
{
    const char *file = call->args[call->arg_count - 1];
    const bool saves = strcmp(call->args[0], "save") == 0;
    struct weft_client_target target;

    if (!saves && strcmp(call->args[0], "restore") != 0)
        return weft_tool_usage(call, "\"%.20s\": save or restore", call->args[0]);
    const int code =
        weft_target_find(call->tool, call->arg_count > 2 ? call->args[1] : NULL, &target);
    if (code != 0) return code;
    if (saves) return save(call->tool, &target, "/api/v1/snapshot", "", file);
    const bool replaces = weft_tool_value(call, "replace") != NULL;
    return restore(call->tool, &target,
                   replaces ? "/api/v1/snapshot?replace=true" : "/api/v1/snapshot", "", file,
                   SNAPSHOT_BYTES_MAX);
}
