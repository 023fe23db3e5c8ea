// `weft unit show`: one unit, and what it has of its quotas.
#include <string.h>

#include "runtime/tool/handlers.h"
#include "runtime/tool/output.h"
#include "runtime/tool/target.h"
#include "runtime/tool/unit.h"

#define PATIENCE_MS 10000

// The unit of that name, borrowed from the list; NULL.
static json_t *find(json_t *document, const char *name)
{
    size_t i;
    json_t *item;

    json_array_foreach(json_object_get(document, "items"), i, item)
    {
        const char *its = json_string_value(json_object_get(item, "name"));
        if (its != NULL && strcmp(its, name) == 0) return item;
    }
    return NULL;
}

bool weft_tool_unit_asks(const struct weft_client_target *target, const char *unit)
{
    struct weft_error error;
    unsigned status;
    json_t *document =
        weft_client_json(target, "GET", "/api/v1/units", NULL, PATIENCE_MS, &status, &error);

    if (document == NULL) return false;
    const char *state = json_string_value(json_object_get(find(document, unit), "state"));
    const bool asks = state != NULL && strcmp(state, "asking") == 0;
    json_decref(document);
    return asks;
}

static void print_quotas(const struct weft_tool *tool, const json_t *unit)
{
    const char *name;
    json_t *quota;

    json_object_foreach(json_object_get(unit, "quotas"), name, quota)
    {
        const json_t *limit = json_object_get(quota, "limit"),
                     *used = json_object_get(quota, "used");
        fprintf(tool->out, "quota of %-12s", name);
        if (used != NULL) fprintf(tool->out, "%lld of ", (long long)json_integer_value(used));
        if (json_is_integer(limit))
            fprintf(tool->out, "%lld", (long long)json_integer_value(limit));
        else
            fputs("as many as come", tool->out);
        fputs(strcmp(name, "reductions") == 0 ? " a second\n" : "\n", tool->out);
    }
}

int weft_run_unit_show(struct weft_tool_call *call)
{
    static const struct weft_column columns[] = {{"name", "name", WEFT_COLUMN_TEXT},
                                                 {"pid", "pid", WEFT_COLUMN_TEXT},
                                                 {"state", "state", WEFT_COLUMN_STATE},
                                                 {"core", "core", WEFT_COLUMN_COUNT},
                                                 {"index", "index", WEFT_COLUMN_COUNT},
                                                 {"recovery", "recovery", WEFT_COLUMN_TEXT},
                                                 {"memory", "memory_bytes", WEFT_COLUMN_BYTES},
                                                 {"reductions", "reductions", WEFT_COLUMN_COUNT},
                                                 {"messages", "messages", WEFT_COLUMN_COUNT},
                                                 {"mailbox", "mailbox", WEFT_COLUMN_COUNT},
                                                 {"loaded", "loaded_wall_ns", WEFT_COLUMN_TIME},
                                                 {"file", "file", WEFT_COLUMN_TEXT},
                                                 {.title = NULL}};
    struct weft_client_target target;
    struct weft_error error = {0};
    char name[64];
    unsigned status;
    int code = weft_tool_unit_named(call, &target, name);

    if (code != 0) return code;
    const uint32_t patience_ms = call->tool->timeout_ms > 0 ? call->tool->timeout_ms : PATIENCE_MS;
    json_t *document =
        weft_client_json(&target, "GET", "/api/v1/units", NULL, patience_ms, &status, &error);
    if (document == NULL) return weft_tool_fail(call->tool, &error);
    const json_t *unit = find(document, name);
    if (unit == NULL) {
        weft_error_set(&error, 402, "there is no unit '%s' on node '%s'", name, target.name);
        weft_error_hint(&error, "`weft unit ls` shows those that there are");
        code = weft_tool_fail(call->tool, &error);
    } else {
        weft_output_record(call->tool, unit, columns);
        if (call->tool->format == WEFT_FORMAT_TABLE) print_quotas(call->tool, unit);
    }
    json_decref(document);
    return code;
}
