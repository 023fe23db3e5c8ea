// target.h: which node a command means, and asking it.
#ifndef WEFT_TOOL_TARGET_H
#define WEFT_TOOL_TARGET_H

#include <jansson.h>

#include "runtime/admin/client.h"
#include "runtime/admin/place.h"
#include "runtime/tool/command.h"

struct weft_targets {
    struct weft_client_target items[WEFT_PLACE_NODES_MAX];
    size_t count;
    bool named; // By the user, so that failing to reach one is a failure.
};

// `name` (may be NULL), else --socket, else --node, else every node of this machine. 0, or the exit
// code after it has been said: 69 if there is none.
int weft_targets_find(const struct weft_tool *tool, const char *name, struct weft_targets *targets);
// The same for commands that mean one node: with several and none named, 64.
int weft_target_find(const struct weft_tool *tool, const char *name,
                     struct weft_client_target *target);

// The same of the first argument, NODE/ACTOR: an actor has a registered name, or its pid.
int weft_actor_find_target(const struct weft_tool_call *call, struct weft_client_target *target,
                           char actor[64]);

// Asks one node. The document, or NULL after the failure has been said; *exit_code is then set.
json_t *weft_target_ask(const struct weft_tool *tool, const struct weft_client_target *target,
                        const char *method, const char *path, const json_t *body, int *exit_code);

// Asks each for a list and joins their items, each with a "node" in front. Nodes that fail are said
// on stderr. NULL with *exit_code if none answered, or a named one did not.
json_t *weft_targets_gather(const struct weft_tool *tool, const struct weft_targets *targets,
                            const char *path, int *exit_code);

#endif // WEFT_TOOL_TARGET_H
