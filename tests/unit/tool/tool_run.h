// tool_run.h: runs `weft` commands in this process against a fake node that a thread turns.
#ifndef WEFT_TESTS_UNIT_TOOL_TOOL_RUN_H
#define WEFT_TESTS_UNIT_TOOL_TOOL_RUN_H

#include "runtime/tool/command.h"
#include "tests/unit/admin/fake_source.h"

struct tool_world; // A run directory with one node "n1" that answers.

struct tool_world *tool_world_create(void);
void tool_world_free(struct tool_world *world);
struct fake_node *tool_world_node(struct tool_world *world);
const char *tool_world_run(const struct tool_world *world);

struct tool_result {
    int code;
    char out[65536], err[8192];
};
// Runs "weft" with these words (split at spaces; '…' keeps them together).
void tool_run(struct tool_result *result, const char *words);

#endif // WEFT_TESTS_UNIT_TOOL_TOOL_RUN_H
