// Commands that show what a node is: each names its document and its columns.
#include <stdlib.h>
#include <string.h>

#include "runtime/tool/handlers.h"
#include "runtime/tool/output.h"
#include "runtime/tool/target.h"
#include "runtime/tool/text.h"

// A list of one node (its document as it is), or of several (joined).
static int show_list(struct weft_tool_call *call, const char *path,
                     const struct weft_column *columns)
{
    struct weft_targets targets;
    int code = weft_targets_find(call->tool, weft_tool_arg(call, 0), &targets);

    if (code != 0) return code;
    json_t *document = weft_targets_gather(call->tool, &targets, path, &code);
    if (document == NULL) return code;
    weft_output_list(call->tool, document, columns);
    json_decref(document);
    return code;
}

static json_t *first_answer(struct weft_tool_call *call, const struct weft_targets *targets,
                            const char *path, int *code)
{
    for (size_t i = 0; i < targets->count; i++) {
        json_t *document = weft_target_ask(call->tool, &targets->items[i], "GET", path, NULL, code);
        if (document != NULL) return document;
    }
    return NULL;
}

int weft_run_swarm_status(struct weft_tool_call *call)
{
    static const struct weft_column columns[] = {{"NODE", "name", WEFT_COLUMN_TEXT},
                                                 {"STATE", "state", WEFT_COLUMN_STATE},
                                                 {"ADDRESS", "address", WEFT_COLUMN_TEXT},
                                                 {"AGE", "age_ns", WEFT_COLUMN_DURATION},
                                                 {"RTT", "rtt_ns", WEFT_COLUMN_DURATION},
                                                 {"LOAD", "load_ratio", WEFT_COLUMN_RATIO},
                                                 {"UNITS", "units", WEFT_COLUMN_COUNT},
                                                 {"ID", "id", WEFT_COLUMN_TEXT},
                                                 {.title = NULL}};
    struct weft_targets targets;
    int code = weft_targets_find(call->tool, weft_tool_arg(call, 0), &targets);

    if (code != 0) return code;
    json_t *document = first_answer(call, &targets, "/api/v1/swarm", &code);
    if (document == NULL) return code;
    weft_output_list(call->tool, document, columns);
    if (call->tool->format == WEFT_FORMAT_TABLE) {
        fprintf(call->tool->out,
                "%" JSON_INTEGER_FORMAT " node%s, %" JSON_INTEGER_FORMAT " alive, as %s sees it\n",
                json_integer_value(json_object_get(document, "nodes")),
                json_integer_value(json_object_get(document, "nodes")) == 1 ? "" : "s",
                json_integer_value(json_object_get(document, "alive")),
                json_string_value(json_object_get(document, "node")));
    }
    json_decref(document);
    return WEFT_EXIT_DONE;
}

// One row of `node ls`: also for a node that does not answer.
static json_t *node_row(const struct weft_tool *tool, const struct weft_client_target *target)
{
    struct weft_error error;
    unsigned status;
    json_t *node =
        weft_client_json(target, "GET", "/api/v1/node", NULL, tool->timeout_ms, &status, &error);

    if (node == NULL) {
        return json_pack("{s:s, s:s, s:s}", "name", target->name, "state", "unreachable", "socket",
                         target->path);
    }
    json_object_del(node, "apiVersion");
    json_object_set_new(
        node, "state",
        json_string(json_is_true(json_object_get(node, "ready")) ? "ready" : "not ready"));
    json_object_set_new(node, "socket", json_string(target->path));
    return node;
}

int weft_run_node_ls(struct weft_tool_call *call)
{
    static const struct weft_column columns[] = {{"NODE", "name", WEFT_COLUMN_TEXT},
                                                 {"STATE", "state", WEFT_COLUMN_STATE},
                                                 {"MESH", "mesh", WEFT_COLUMN_STATE},
                                                 {"UPTIME", "uptime_ns", WEFT_COLUMN_DURATION},
                                                 {"PROCESS", "process_id", WEFT_COLUMN_COUNT},
                                                 {"IO", "io", WEFT_COLUMN_TEXT},
                                                 {"VERSION", "version", WEFT_COLUMN_TEXT},
                                                 {"ID", "id", WEFT_COLUMN_TEXT},
                                                 {.title = NULL}};
    struct weft_targets targets;
    const int code = weft_targets_find(call->tool, NULL, &targets);

    if (code != 0) return code;
    json_t *items = json_array();
    for (size_t i = 0; i < targets.count; i++) {
        json_array_append_new(items, node_row(call->tool, &targets.items[i]));
    }
    json_t *document = json_pack("{s:s, s:o}", "apiVersion", "v1", "items", items);
    weft_output_list(call->tool, document, columns);
    json_decref(document);
    return WEFT_EXIT_DONE;
}

int weft_run_node_show(struct weft_tool_call *call)
{
    static const struct weft_column columns[] = {{"name", "name", WEFT_COLUMN_TEXT},
                                                 {"id", "id", WEFT_COLUMN_TEXT},
                                                 {"ready", "ready", WEFT_COLUMN_STATE},
                                                 {"mesh", "mesh", WEFT_COLUMN_STATE},
                                                 {"version", "version", WEFT_COLUMN_TEXT},
                                                 {"uptime", "uptime_ns", WEFT_COLUMN_DURATION},
                                                 {"started", "start_wall_ns", WEFT_COLUMN_TIME},
                                                 {"process", "process_id", WEFT_COLUMN_COUNT},
                                                 {"config", "config", WEFT_COLUMN_TEXT},
                                                 {"io", "io", WEFT_COLUMN_TEXT},
                                                 {"memory", "memory", WEFT_COLUMN_TEXT},
                                                 {"eal", "eal", WEFT_COLUMN_TEXT},
                                                 {"cpus", "cpu_count", WEFT_COLUMN_COUNT},
                                                 {"draining", "draining", WEFT_COLUMN_TEXT},
                                                 {.title = NULL}};
    struct weft_client_target target;
    int code = weft_target_find(call->tool, weft_tool_arg(call, 0), &target);

    if (code != 0) return code;
    json_t *document = weft_target_ask(call->tool, &target, "GET", "/api/v1/node", NULL, &code);
    if (document == NULL) return code;
    weft_output_record(call->tool, document, columns);
    json_decref(document);
    return code;
}

int weft_run_core_ls(struct weft_tool_call *call)
{
    static const struct weft_column columns[] = {{"NODE", "node", WEFT_COLUMN_TEXT},
                                                 {"CORE", "core", WEFT_COLUMN_COUNT},
                                                 {"KIND", "kind", WEFT_COLUMN_TEXT},
                                                 {"CPU", "cpu", WEFT_COLUMN_CPU},
                                                 {"BUSY", "busy_ratio", WEFT_COLUMN_RATIO},
                                                 {"TURNS", "turns", WEFT_COLUMN_COUNT},
                                                 {"LONGEST", "turn_max_ns", WEFT_COLUMN_DURATION},
                                                 {"SLEEPS", "sleeps", WEFT_COLUMN_COUNT},
                                                 {"WAKES", "wakes", WEFT_COLUMN_COUNT},
                                                 {"SLICES", "slices", WEFT_COLUMN_COUNT},
                                                 {"REDUCTIONS", "reductions", WEFT_COLUMN_COUNT},
                                                 {"ACTORS", "actors", WEFT_COLUMN_COUNT},
                                                 {"UNITS", "units", WEFT_COLUMN_COUNT},
                                                 {"ARENA", "arena_used_bytes", WEFT_COLUMN_BYTES},
                                                 {"OF", "arena_cap_bytes", WEFT_COLUMN_BYTES},
                                                 {.title = NULL}};

    return show_list(call, "/api/v1/cores", columns);
}

int weft_run_core_show(struct weft_tool_call *call)
{
    static const struct weft_column columns[] = {
        {"node", "node", WEFT_COLUMN_TEXT},
        {"core", "core", WEFT_COLUMN_COUNT},
        {"kind", "kind", WEFT_COLUMN_TEXT},
        {"cpu", "cpu", WEFT_COLUMN_CPU},
        {"busy", "busy_ratio", WEFT_COLUMN_RATIO},
        {"longest turn", "turn_max_ns", WEFT_COLUMN_DURATION},
        {"actors", "actors", WEFT_COLUMN_COUNT},
        {"spawned", "spawns", WEFT_COLUMN_COUNT},
        {"ended", "exits", WEFT_COLUMN_COUNT},
        {"arrived", "arrivals", WEFT_COLUMN_COUNT},
        {"departed", "departures", WEFT_COLUMN_COUNT},
        {"messages sent", "sent", WEFT_COLUMN_COUNT},
        {"received", "received", WEFT_COLUMN_COUNT},
        {"senders muted", "mutes", WEFT_COLUMN_COUNT},
        {"call cycles", "call_cycles", WEFT_COLUMN_COUNT},
        {"stacks", "stacks", WEFT_COLUMN_COUNT},
        {"at most", "stacks_max", WEFT_COLUMN_COUNT},
        {"guarded by", "stack_guard", WEFT_COLUMN_TEXT},
        {"evicted", "evictions", WEFT_COLUMN_COUNT},
        {"arena", "arena_used_bytes", WEFT_COLUMN_BYTES},
        {"of", "arena_cap_bytes", WEFT_COLUMN_BYTES},
        {.title = NULL}};
    struct weft_targets targets;
    int code = weft_targets_find(call->tool, weft_tool_arg(call, 0), &targets);
    size_t i;
    json_t *item;

    if (code != 0) return code;
    json_t *document = weft_targets_gather(call->tool, &targets, "/api/v1/cores", &code);
    if (document == NULL) return code;
    if (call->tool->format == WEFT_FORMAT_JSON) weft_output_json(call->tool, document);
    json_array_foreach(json_object_get(document, "items"), i, item)
    {
        if (call->tool->format == WEFT_FORMAT_JSON) break;
        if (i > 0 && call->tool->format == WEFT_FORMAT_TABLE) fputc('\n', call->tool->out);
        weft_output_record(call->tool, item, columns);
    }
    json_decref(document);
    return code;
}

int weft_run_port_show(struct weft_tool_call *call)
{
    static const struct weft_column columns[] = {{"NODE", "node", WEFT_COLUMN_TEXT},
                                                 {"PORT", "port", WEFT_COLUMN_TEXT},
                                                 {"LINK", "link", WEFT_COLUMN_STATE},
                                                 {"BYPASS", "bypass", WEFT_COLUMN_TEXT},
                                                 {"ADDRESS", "address", WEFT_COLUMN_TEXT},
                                                 {"MAC", "mac", WEFT_COLUMN_TEXT},
                                                 {"MTU", "mtu_bytes", WEFT_COLUMN_COUNT},
                                                 {"RX", "rx_packets", WEFT_COLUMN_COUNT},
                                                 {"RX BYTES", "rx_bytes", WEFT_COLUMN_BYTES},
                                                 {"TX", "tx_packets", WEFT_COLUMN_COUNT},
                                                 {"TX BYTES", "tx_bytes", WEFT_COLUMN_BYTES},
                                                 {"NEIGHBOURS", "neighbours", WEFT_COLUMN_COUNT},
                                                 {"DOORBELL", "doorbell", WEFT_COLUMN_TEXT},
                                                 {"KERNEL", "kernel", WEFT_COLUMN_TEXT},
                                                 {"DEVICE", "device", WEFT_COLUMN_TEXT},
                                                 {.title = NULL}};

    return show_list(call, "/api/v1/ports", columns);
}

int weft_run_mesh_ls(struct weft_tool_call *call)
{
    static const struct weft_column columns[] = {{"NODE", "node", WEFT_COLUMN_TEXT},
                                                 {"PEER", "name", WEFT_COLUMN_TEXT},
                                                 {"STATE", "state", WEFT_COLUMN_STATE},
                                                 {"ADDRESS", "address", WEFT_COLUMN_TEXT},
                                                 {"AGE", "age_ns", WEFT_COLUMN_DURATION},
                                                 {"RTT", "rtt_ns", WEFT_COLUMN_DURATION},
                                                 {"LOAD", "load_ratio", WEFT_COLUMN_RATIO},
                                                 {"UNITS", "units", WEFT_COLUMN_COUNT},
                                                 {"SEED", "seed", WEFT_COLUMN_TEXT},
                                                 {"ID", "id", WEFT_COLUMN_TEXT},
                                                 {.title = NULL}};

    return show_list(call, "/api/v1/mesh", columns);
}

static void balance_print(const struct weft_tool *tool, const json_t *document)
{
    const json_t *balance = json_object_get(document, "balance");

    if (balance == NULL) return;
    fprintf(tool->out,
            "%s: received %" JSON_INTEGER_FORMAT " = delivered %" JSON_INTEGER_FORMAT
            " + dropped %" JSON_INTEGER_FORMAT " + in flight %" JSON_INTEGER_FORMAT " %s\n",
            json_string_value(json_object_get(document, "node")),
            json_integer_value(json_object_get(balance, "received")),
            json_integer_value(json_object_get(balance, "delivered")),
            json_integer_value(json_object_get(balance, "dropped")),
            json_integer_value(json_object_get(balance, "in_flight")),
            json_is_true(json_object_get(balance, "holds")) ? "(holds)" : "(DOES NOT HOLD)");
}

int weft_run_drops(struct weft_tool_call *call)
{
    static const struct weft_column columns[] = {{"NODE", "node", WEFT_COLUMN_TEXT},
                                                 {"STAGE", "stage", WEFT_COLUMN_TEXT},
                                                 {"REASON", "reason", WEFT_COLUMN_TEXT},
                                                 {"CORE", "core", WEFT_COLUMN_COUNT},
                                                 {"COUNT", "count", WEFT_COLUMN_COUNT},
                                                 {"MEANING", "text", WEFT_COLUMN_TEXT},
                                                 {.title = NULL}};
    struct weft_targets targets;
    int code = weft_targets_find(call->tool, weft_tool_arg(call, 0), &targets);
    json_t *items = json_array(), *balances = json_object(), *item;
    size_t answered = 0, i;
    struct weft_tool *tool = call->tool;
    char *balance_text = NULL;
    size_t balance_length;
    FILE *balance_out = open_memstream(&balance_text, &balance_length);
    struct weft_tool quiet = *tool;

    quiet.out = balance_out;
    for (size_t t = 0; code == 0 && t < targets.count; t++) {
        int asked;
        json_t *document =
            weft_target_ask(tool, &targets.items[t], "GET", "/api/v1/drops", NULL, &asked);
        if (document == NULL) {
            if (targets.count == 1) code = asked;
            continue;
        }
        const char *node = json_string_value(json_object_get(document, "node"));
        json_array_foreach(json_object_get(document, "items"), i, item)
        {
            json_t *row = json_pack("{s:s}", "node", node != NULL ? node : "");
            json_object_update(row, item);
            json_array_append_new(items, row);
        }
        balance_print(&quiet, document);
        json_object_set(balances, node != NULL ? node : "", json_object_get(document, "balance"));
        json_decref(document);
        answered++;
    }
    fclose(balance_out);
    if (code == 0 && answered == 0) code = WEFT_EXIT_UNREACHABLE;
    json_t *joined =
        json_pack("{s:s, s:o, s:o}", "apiVersion", "v1", "items", items, "balance", balances);
    if (code == 0) {
        weft_output_list(tool, joined, columns);
        if (tool->format == WEFT_FORMAT_TABLE) fputs(balance_text, tool->out);
    }
    free(balance_text);
    json_decref(joined);
    return code;
}

int weft_run_api(struct weft_tool_call *call)
{
    struct weft_client_target target;
    struct weft_client_answer answer;
    struct weft_error error = {0};
    char *body = NULL;
    size_t length = 0;
    int code = weft_target_find(call->tool, NULL, &target);

    if (code != 0) return code;
    const char *given = weft_tool_arg(call, 2);
    if (given != NULL && strcmp(given, "-") == 0) {
        body = weft_text_read("-", &length, &error);
        if (body == NULL) return weft_tool_fail(call->tool, &error);
    }
    const struct weft_client_call request = {.method = call->args[0],
                                             .path = call->args[1],
                                             .accept = "*/*",
                                             .body = body != NULL ? body : given,
                                             .body_length = body != NULL    ? length
                                                            : given != NULL ? strlen(given)
                                                                            : 0,
                                             .timeout_ms = call->tool->timeout_ms};
    const int result = weft_client_ask(&target, &request, &answer, &error);
    free(body);
    if (result < 0) return weft_tool_fail(call->tool, &error);
    fwrite(answer.body, 1, answer.length, call->tool->out);
    if (answer.length > 0 && answer.body[answer.length - 1] != '\n') fputc('\n', call->tool->out);
    code = answer.status >= 400 ? WEFT_EXIT_NO : WEFT_EXIT_DONE;
    weft_client_answer_destroy(&answer);
    return code;
}
