#include "runtime/tool/target.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/tool/context.h"

static void target_set(struct weft_client_target *target, const char *name, const char *path)
{
    memset(target, 0, sizeof(*target));
    snprintf(target->name, sizeof(target->name), "%.63s", name);
    snprintf(target->path, sizeof(target->path), "%.107s", path);
}

// The node that answers at RUN/admin.sock itself: a machine with one node, as installed. Its name
// is asked of it. False if there is none.
static bool find_lone(const struct weft_tool *tool, const char *run,
                      struct weft_client_target *target)
{
    struct weft_error error;
    char path[108];
    unsigned status;

    const int length = snprintf(path, sizeof(path), "%s/admin.sock", run);
    if (length <= 0 || (size_t)length >= sizeof(path) || access(path, F_OK) < 0) return false;
    target_set(target, "the node", path);
    json_t *node =
        weft_client_json(target, "GET", "/api/v1/node", NULL, tool->timeout_ms, &status, &error);
    const char *name = json_string_value(json_object_get(node, "name"));
    if (name != NULL) target_set(target, name, path);
    json_decref(node);
    return true;
}

static int find_named(const struct weft_tool *tool, const char *run, const char *name,
                      struct weft_targets *targets)
{
    struct weft_contexts contexts; // Large for a stack; one command looks one node up.
    struct weft_error error = {0};
    char path[108];

    if (weft_place_socket(run, name, path, &error) < 0) return weft_tool_fail(tool, &error);
    target_set(&targets->items[0], name, path);
    targets->count = 1;
    targets->named = true;
    if (access(path, F_OK) == 0) return 0;
    struct weft_client_target lone;
    if (find_lone(tool, run, &lone) && strcmp(lone.name, name) == 0) {
        targets->items[0] = lone;
        return 0;
    }
    if (weft_contexts_read(&contexts, &error) != 0) return weft_tool_fail(tool, &error);
    const struct weft_client_target *added = weft_contexts_find(&contexts, name);
    if (added != NULL) targets->items[0] = *added;
    return 0; // Else asking it says that it is not there.
}

int weft_targets_find(const struct weft_tool *tool, const char *name, struct weft_targets *targets)
{
    struct weft_contexts contexts;
    char names[WEFT_PLACE_NODES_MAX][64];
    struct weft_error error = {0};
    char run[WEFT_PLACE_BYTES];

    memset(targets, 0, sizeof(*targets));
    if (tool->socket != NULL && strncmp(tool->socket, "https://", 8) == 0) {
        const char *key = getenv("WEFT_KEY"), *fingerprint = getenv("WEFT_FINGERPRINT");
        const int result =
            key != NULL ? weft_client_target_keyed(&targets->items[0], tool->socket, key,
                                                   fingerprint, &error)
                        : weft_client_target_owner(&targets->items[0], tool->socket,
                                                   getenv("WEFT_TOKEN"), fingerprint, &error);
        if (result != 0) return weft_tool_fail(tool, &error);
        if (name != NULL)
            snprintf(targets->items[0].name, sizeof(targets->items[0].name), "%.63s", name);
        targets->count = 1;
        targets->named = true;
        return 0;
    }
    if (tool->socket != NULL) {
        if (strlen(tool->socket) >= sizeof(targets->items[0].path)) {
            weft_error_set(&error, 501, "--socket: the path is too long for a socket");
            return weft_tool_fail(tool, &error);
        }
        target_set(&targets->items[0], name != NULL ? name : "", tool->socket);
        targets->count = 1;
        targets->named = true;
        return 0;
    }
    if (weft_place_run(run, &error) < 0 || weft_place_check(run, &error) < 0) {
        return weft_tool_fail(tool, &error);
    }
    if (name == NULL) name = tool->node;
    if (name != NULL) return find_named(tool, run, name, targets);
    const size_t count = weft_place_nodes(run, names, WEFT_PLACE_NODES_MAX);
    for (size_t i = 0; i < count; i++) {
        char path[108];
        weft_place_socket(run, names[i], path, NULL);
        target_set(&targets->items[targets->count++], names[i], path);
    }
    if (targets->count < WEFT_PLACE_NODES_MAX &&
        find_lone(tool, run, &targets->items[targets->count])) {
        targets->count++;
    }
    if (targets->count > 0) return 0;
    if (weft_contexts_read(&contexts, &error) != 0) return weft_tool_fail(tool, &error);
    for (size_t i = 0; i < contexts.count && i < WEFT_PLACE_NODES_MAX; i++)
        targets->items[targets->count++] = contexts.items[i];
    if (targets->count > 0) return 0;
    weft_error_set(&error, 501, "no node runs here: nothing is in %s", run);
    weft_error_hint(&error, "`weft lab up` starts three; WEFT_RUN_DIR says where else to look");
    return weft_tool_fail(tool, &error);
}

// --socket says where, not who.
static void ask_name(const struct weft_tool *tool, struct weft_client_target *target)
{
    struct weft_error error;
    unsigned status;
    json_t *node =
        weft_client_json(target, "GET", "/api/v1/node", NULL, tool->timeout_ms, &status, &error);
    const char *name = json_string_value(json_object_get(node, "name"));

    if (name != NULL) snprintf(target->name, sizeof(target->name), "%.63s", name);
    json_decref(node);
}

int weft_target_find(const struct weft_tool *tool, const char *name,
                     struct weft_client_target *target)
{
    struct weft_targets targets;
    const int code = weft_targets_find(tool, name, &targets);

    if (code != 0) return code;
    if (targets.count > 1) {
        fprintf(tool->err, "error: which node? say");
        for (size_t i = 0; i < targets.count; i++) {
            fprintf(tool->err, "%s %s", i > 0 ? "," : "", targets.items[i].name);
        }
        fputs("\n", tool->err);
        return WEFT_EXIT_USAGE;
    }
    *target = targets.items[0];
    if (target->name[0] == '\0') ask_name(tool, target);
    return 0;
}

json_t *weft_target_ask(const struct weft_tool *tool, const struct weft_client_target *target,
                        const char *method, const char *path, const json_t *body, int *exit_code)
{
    struct weft_error error = {0};
    unsigned status;
    json_t *document =
        weft_client_json(target, method, path, body, tool->timeout_ms, &status, &error);

    *exit_code = document != NULL ? 0 : weft_tool_fail(tool, &error);
    return document;
}

// `item` with "node" as its first key.
static json_t *with_node(const char *node, json_t *item)
{
    json_t *copy = json_pack("{s:s}", "node", node);

    json_object_update(copy, item);
    return copy;
}

// Cores whose part of a list is missing.
static void say_missing(const struct weft_tool *tool, const char *node, const json_t *cores)
{
    size_t i;
    json_t *core;

    json_array_foreach((json_t *)(uintptr_t)cores, i, core)
    {
        fprintf(tool->err,
                "%s: core %" JSON_INTEGER_FORMAT
                " has not answered: something holds it, see `weft events`\n",
                node != NULL ? node : "", json_integer_value(core));
    }
}

json_t *weft_targets_gather(const struct weft_tool *tool, const struct weft_targets *targets,
                            const char *path, int *exit_code)
{
    json_t *items = json_array();
    size_t answered = 0, i;
    json_t *item;

    *exit_code = 0;
    for (size_t t = 0; t < targets->count; t++) {
        json_t *document = weft_target_ask(tool, &targets->items[t], "GET", path, NULL, exit_code);
        if (document == NULL) continue;
        const char *node = json_string_value(json_object_get(document, "node"));
        json_array_foreach(json_object_get(document, "items"), i, item)
        {
            json_array_append_new(items, with_node(node != NULL ? node : "", item));
        }
        say_missing(tool, node, json_object_get(document, "missing_cores"));
        json_decref(document);
        answered++;
    }
    if (answered == 0) {
        json_decref(items);
        return NULL;
    }
    *exit_code = 0;
    return json_pack("{s:s, s:o}", "apiVersion", "v1", "items", items);
}
