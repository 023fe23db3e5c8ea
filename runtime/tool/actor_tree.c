// Who started whom: the actors of a node as a tree.
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/admin/actor.h"
#include "runtime/tool/handlers.h"
#include "runtime/tool/output.h"
#include "runtime/tool/target.h"

#define ALIKE_MAX 8 // Children of one kind without children: more are counted, not shown.
#define DEEP      64

struct branch {
    const json_t *actor;
    const char *pid, *parent;
    size_t first, next,
        count; // Its children: the first, the next sibling, how many. SIZE_MAX: none.
};

struct tree {
    const struct weft_tool *tool;
    struct branch *branches; // By pid.
    size_t count;
};

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static int by_pid(const void *a, const void *b)
{
    return strcmp(((const struct branch *)a)->pid, ((const struct branch *)b)->pid);
}

// Sorts the actors and hangs each under its parent; what has none here is a root. The roots' list.
static size_t build(struct tree *tree)
{
    size_t roots = SIZE_MAX;
    qsort(tree->branches, tree->count, sizeof(*tree->branches), by_pid);
    for (size_t i = tree->count; i-- > 0;) {
        struct branch *branch = &tree->branches[i];
        const struct branch key = {.pid = branch->parent};
        struct branch *parent =
            bsearch(&key, tree->branches, tree->count, sizeof(*tree->branches), by_pid);
        size_t *list = parent != NULL && parent != branch ? &parent->first : &roots;
        branch->next = *list;
        *list = i;
        if (list != &roots) parent->count++;
    }
    return roots;
}

static void print_branch(const struct tree *tree, const struct branch *branch)
{
    const char *name = text_of(branch->actor, "name"), *label = text_of(branch->actor, "label"),
               *kind = text_of(branch->actor, "kind");
    const char *shown = name[0] != '\0' ? name : label[0] != '\0' ? label : kind;
    const json_int_t waiting = json_integer_value(json_object_get(branch->actor, "mailbox"));
    fprintf(tree->tool->out, "%s", shown[0] != '\0' ? shown : "?");
    if (strcmp(shown, kind) != 0) fprintf(tree->tool->out, " (%s)", kind);
    fprintf(tree->tool->out, "  %s  core %" JSON_INTEGER_FORMAT ", %s", branch->pid,
            json_integer_value(json_object_get(branch->actor, "core")),
            text_of(branch->actor, "state"));
    if (waiting > 0) fprintf(tree->tool->out, ", %" JSON_INTEGER_FORMAT " messages", waiting);
    fputc('\n', tree->tool->out);
}

static bool are_alike(const struct branch *a, const struct branch *b)
{
    return a->count == 0 && b->count == 0 && text_of(a->actor, "name")[0] == '\0' &&
           text_of(b->actor, "name")[0] == '\0' &&
           strcmp(text_of(a->actor, "kind"), text_of(b->actor, "kind")) == 0;
}

static void print_list(const struct tree *tree, size_t first, char *indent, size_t depth)
{
    const struct branch *before = NULL;
    size_t alike = 0, hidden = 0;
    for (size_t i = first; i != SIZE_MAX; i = tree->branches[i].next) {
        const struct branch *branch = &tree->branches[i];
        const size_t next = branch->next;
        alike = before != NULL && are_alike(before, branch) ? alike + 1 : 0;
        before = branch;
        if (alike >= ALIKE_MAX) hidden++;
        const bool ends = next == SIZE_MAX || !are_alike(branch, &tree->branches[next]);
        if (alike < ALIKE_MAX) {
            const bool is_last = next == SIZE_MAX;
            fprintf(tree->tool->out, "%s%s", indent, is_last ? "└─ " : "├─ ");
            print_branch(tree, branch);
            if (branch->first != SIZE_MAX && depth < DEEP) {
                const size_t length = strlen(indent);
                strcpy(indent + length, is_last ? "   " : "│  ");
                print_list(tree, branch->first, indent, depth + 1);
                indent[length] = '\0';
            }
        } else if (ends) {
            fprintf(tree->tool->out, "%s%s… and %zu more like these\n", indent,
                    next == SIZE_MAX ? "└─ " : "├─ ", hidden);
            hidden = 0;
        }
    }
}

static int print_tree(const struct weft_tool *tool, const json_t *document)
{
    const json_t *items = json_object_get(document, "items");
    struct tree tree = {.tool = tool, .count = json_array_size(items)};
    tree.branches = calloc(tree.count + 1, sizeof(*tree.branches));
    char indent[DEEP * 6 + 8] = "";
    if (tree.branches == NULL) return WEFT_EXIT_INTERNAL;
    for (size_t i = 0; i < tree.count; i++) {
        const json_t *actor = json_array_get(items, i);
        tree.branches[i] = (struct branch){.actor = actor,
                                           .pid = text_of(actor, "pid"),
                                           .parent = text_of(actor, "parent"),
                                           .first = SIZE_MAX,
                                           .next = SIZE_MAX};
    }
    fprintf(tool->out, "%s\n", text_of(document, "node"));
    print_list(&tree, build(&tree), indent, 0);
    const json_int_t total = json_integer_value(json_object_get(document, "total"));
    if (total > (json_int_t)tree.count)
        fprintf(tool->out, "%zu of %" JSON_INTEGER_FORMAT " actors: the others are not shown\n",
                tree.count, total);
    free(tree.branches);
    return WEFT_EXIT_DONE;
}

int weft_run_actor_tree(struct weft_tool_call *call)
{
    struct weft_targets targets;
    char path[128];
    int code = weft_targets_find(call->tool, weft_tool_arg(call, 0), &targets), shown = 0;
    if (code != 0) return code;
    snprintf(path, sizeof(path), "/api/v1/actors?sort=pid&limit=%d%s", WEFT_ADMIN_ACTORS_MAX,
             weft_tool_value(call, "all") != NULL ? "&all=1" : "");
    for (size_t i = 0; i < targets.count; i++) {
        int asked;
        json_t *document =
            weft_target_ask(call->tool, &targets.items[i], "GET", path, NULL, &asked);
        if (document == NULL) {
            code = asked;
            continue;
        }
        shown++;
        if (call->tool->format == WEFT_FORMAT_TABLE)
            print_tree(call->tool, document);
        else
            weft_output_json(call->tool, document);
        json_decref(document);
    }
    return shown > 0 && !targets.named ? WEFT_EXIT_DONE : code;
}
