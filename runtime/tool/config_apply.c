// weft plan, apply, confirm: a configuration over the admin port. It is tried for a while by a
// restart, and gone again unless somebody who still reaches the node confirms it.
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/diff.h"
#include "runtime/base/units.h"
#include "runtime/tool/handlers.h"
#include "runtime/tool/output.h"
#include "runtime/tool/target.h"
#include "runtime/tool/text.h"

#define DRIVE_PATH         "/conf/weft.toml" // Where it will stand: its paths are relative to that.
#define TRY_SECONDS        60
#define CONFIRM_TIMEOUT_MS 65000

struct change { // From what the node runs with to what is in the file.
    struct weft_config before, after;
    char *text; // Of the file.
    size_t length;
};

static int parse(const struct weft_tool *tool, struct weft_config *config, const char *text,
                 size_t length, const char *name)
{
    struct weft_config_report report = {0};
    const int result = weft_config_parse(config, text, length, name, &report);

    if (report.error_count > 0)
        weft_config_report_print(&report, tool->err, false);
    else if (result != 0)
        fprintf(tool->err, "error: %s: %s\n", name, strerror(-result));
    weft_config_report_free(&report);
    return result;
}

// What the node runs with, as a text. NULL after the failure has been said.
static char *ask_running(const struct weft_tool *tool, const struct weft_client_target *target,
                         size_t *length, int *exit_code)
{
    const struct weft_client_call call = {.method = "GET",
                                          .path = "/api/v1/config",
                                          .accept = "application/toml",
                                          .timeout_ms = tool->timeout_ms};
    struct weft_client_answer answer;
    struct weft_error error = {0};

    if (weft_client_ask(target, &call, &answer, &error) != 0) {
        *exit_code = weft_tool_fail(tool, &error);
        return NULL;
    }
    if (answer.status < 400) {
        *length = answer.length;
        return answer.body;
    }
    json_t *problem = json_loadb(answer.body, answer.length, 0, NULL);
    weft_client_problem(answer.status, problem, &error);
    json_decref(problem);
    weft_client_answer_destroy(&answer);
    *exit_code = weft_tool_fail(tool, &error);
    return NULL;
}

static int read_both(const struct weft_tool_call *call, const struct weft_client_target *target,
                     const char *path, struct change *change)
{
    const struct weft_tool *tool = call->tool;
    struct weft_error error = {0};
    size_t length = 0;
    int exit_code = 0;

    memset(change, 0, sizeof(*change));
    change->text = weft_text_read(path, &change->length, &error);
    if (change->text == NULL) return weft_tool_fail(tool, &error);
    if (parse(tool, &change->after, change->text, change->length, DRIVE_PATH) != 0)
        return WEFT_EXIT_CONFIG;
    char *running = ask_running(tool, target, &length, &exit_code);
    if (running == NULL) return exit_code;
    const int result = parse(tool, &change->before, running, length, DRIVE_PATH);
    free(running);
    return result == 0 ? 0 : WEFT_EXIT_INTERNAL;
}

static void change_free(struct change *change)
{
    weft_config_free(&change->before);
    weft_config_free(&change->after);
    free(change->text);
}

// What the image puts in by itself is no difference.
static int show(const struct weft_tool *tool, const struct change *change)
{
    struct weft_config after = change->after;

    after.node.data_dir = change->before.node.data_dir;
    after.node.run_dir = change->before.node.run_dir;
    after.admin.socket = change->before.admin.socket;
    const int count = weft_config_diff(&change->before, &after, tool->out);
    if (count == 0) fputs("no difference\n", tool->err);
    return count;
}

static int find(const struct weft_tool_call *call, struct weft_client_target *target,
                struct change *change)
{
    const char *name = call->arg_count == 2 ? call->args[0] : NULL;
    const int exit_code = weft_target_find(call->tool, name, target);

    if (exit_code != 0) return exit_code;
    return read_both(call, target, call->args[call->arg_count - 1], change);
}

int weft_run_plan(struct weft_tool_call *call)
{
    struct change change = {.text = NULL};
    struct weft_client_target target;
    const int exit_code = find(call, &target, &change);

    if (exit_code == 0) show(call->tool, &change);
    change_free(&change);
    return exit_code;
}

// "try=60s" in seconds; 0 if it is not that.
static unsigned read_mode(const char *mode)
{
    uint64_t duration_ns;

    if (mode == NULL) return TRY_SECONDS;
    if (strncmp(mode, "try=", 4) != 0 || !weft_duration_parse(mode + 4, &duration_ns)) return 0;
    const uint64_t seconds = duration_ns / WEFT_NS_PER_S;
    return seconds >= 10 && seconds <= 3600 ? (unsigned)seconds : 0;
}

static int send_try(const struct weft_tool *tool, const struct weft_client_target *target,
                    const struct change *change, unsigned seconds)
{
    char path[64];
    struct weft_client_answer answer;
    struct weft_error error = {0};

    snprintf(path, sizeof(path), "/api/v1/config/try?seconds=%u", seconds);
    const struct weft_client_call call = {.method = "POST",
                                          .path = path,
                                          .body = change->text,
                                          .body_length = change->length,
                                          .body_type = "application/toml",
                                          .timeout_ms = tool->timeout_ms};
    if (weft_client_ask(target, &call, &answer, &error) != 0) return weft_tool_fail(tool, &error);
    const bool failed = answer.status >= 400;
    json_t *document = json_loadb(answer.body, answer.length, 0, NULL);
    if (failed) weft_client_problem(answer.status, document, &error);
    json_decref(document);
    weft_client_answer_destroy(&answer);
    if (failed) return weft_tool_fail(tool, &error);
    fprintf(
        tool->err,
        "%s restarts with it, and goes back %u s later unless it is confirmed: weft confirm %s\n",
        target->name, seconds, target->name);
    return WEFT_EXIT_DONE;
}

int weft_run_apply(struct weft_tool_call *call)
{
    const unsigned seconds = read_mode(weft_tool_value(call, "mode"));
    struct change change = {.text = NULL};
    struct weft_client_target target;

    if (seconds == 0) return weft_tool_usage(call, "--mode is try=TIME, of 10 s to 1 h");
    int exit_code = find(call, &target, &change);
    if (exit_code == 0 && show(call->tool, &change) > 0)
        exit_code = send_try(call->tool, &target, &change, seconds);
    change_free(&change);
    return exit_code;
}

int weft_run_confirm(struct weft_tool_call *call)
{
    struct weft_client_target target;
    int exit_code = weft_target_find(call->tool, weft_tool_arg(call, 0), &target);

    if (exit_code != 0) return exit_code;
    // The node writes to its drive, which may be a slow stick.
    if (call->tool->timeout_ms == 0) call->tool->timeout_ms = CONFIRM_TIMEOUT_MS;
    json_t *document = weft_target_ask(call->tool, &target, "POST",
                                       "/api/v1/config/confirm?timeout_ms=60000", NULL, &exit_code);
    if (document != NULL) fprintf(call->tool->err, "%s keeps its configuration\n", target.name);
    json_decref(document);
    return exit_code;
}
