#include "runtime/tool/completion.h"

#include <string.h>

#include "config/schema.h"
#include "runtime/base/units.h"
#include "runtime/tool/target.h"
#include "runtime/tool/topic.h"

#define PATIENCE_MS 200

static const char bash[] =
    "_weft() {\n"
    "    local IFS=$'\\n' word=${COMP_WORDS[COMP_CWORD]}\n"
    "    COMPREPLY=($(weft __complete \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null))\n"
    "    if [ ${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- \"$word\")); fi\n"
    "}\n"
    "complete -o filenames -F _weft weft\n";
static const char zsh[] =
    "#compdef weft\n"
    "_weft() {\n"
    "    local -a found\n"
    "    found=(${(f)\"$(weft __complete ${words[2,$CURRENT]} 2>/dev/null)\"})\n"
    "    if (( ${#found} )); then compadd -Q -- $found; else _files; fi\n"
    "}\n"
    "compdef _weft weft\n";
static const char fish[] = "function __weft_complete\n"
                           "    set -l words (commandline -opc) (commandline -ct)\n"
                           "    weft __complete $words[2..-1] 2>/dev/null\n"
                           "end\n"
                           "complete -c weft -a '(__weft_complete)'\n";

const char *weft_completion_script(const char *shell)
{
    if (strcmp(shell, "bash") == 0) return bash;
    if (strcmp(shell, "zsh") == 0) return zsh;
    if (strcmp(shell, "fish") == 0) return fish;
    return NULL;
}

// Prints `candidate` if it begins as the word does.
static void offer(const struct weft_tool *tool, const char *prefix, const char *candidate)
{
    if (strncmp(candidate, prefix, strlen(prefix)) == 0) fprintf(tool->out, "%s\n", candidate);
}

static void offer_nouns(const struct weft_tool *tool, const char *prefix)
{
    const struct weft_tool_command *command, *before = NULL;

    for (size_t i = 0; (command = weft_tool_command_at(tool, i)) != NULL; i++) {
        bool again = command->noun[0] == '_';
        for (size_t j = 0; j < i && !again; j++) {
            before = weft_tool_command_at(tool, j);
            again = strcmp(before->noun, command->noun) == 0;
        }
        if (!again) offer(tool, prefix, command->noun);
    }
}

static void offer_verbs(const struct weft_tool *tool, const char *noun, const char *prefix)
{
    const struct weft_tool_command *command;

    for (size_t i = 0; (command = weft_tool_command_at(tool, i)) != NULL; i++) {
        if (command->verb != NULL && strcmp(command->noun, noun) == 0) {
            offer(tool, prefix, command->verb);
        }
    }
}

static void offer_options(const struct weft_tool *tool, const struct weft_tool_option *options,
                          size_t limit, const char *prefix)
{
    char word[64];

    for (size_t i = 0; i < limit && options[i].name != NULL; i++) {
        snprintf(word, sizeof(word), "--%s", options[i].name);
        offer(tool, prefix, word);
    }
}

static size_t find_nodes(char names[][64])
{
    char run[WEFT_PLACE_BYTES];

    if (weft_place_run(run, NULL) < 0 || weft_place_check(run, NULL) != 0) return 0;
    return weft_place_nodes(run, names, WEFT_PLACE_NODES_MAX);
}

static void offer_nodes(const struct weft_tool *tool, const char *prefix)
{
    char names[WEFT_PLACE_NODES_MAX][64];
    const size_t count = find_nodes(names);

    for (size_t i = 0; i < count; i++)
        offer(tool, prefix, names[i]);
}

// What a node has of one kind, by name: "units", "actors".
static void offer_things_of(const struct weft_tool *tool, const char *run, const char *node,
                            const char *things, const char *prefix)
{
    char path[64];

    struct weft_client_target target = {0};
    struct weft_error error;
    unsigned status;
    json_t *item;
    size_t i;

    if (weft_place_socket(run, node, target.path, NULL) < 0) return;
    snprintf(path, sizeof(path), "/api/v1/%s", things);
    json_t *document = weft_client_json(&target, "GET", path, NULL, PATIENCE_MS, &status, &error);
    json_array_foreach(json_object_get(document, "items"), i, item)
    {
        char word[136];
        const char *name = json_string_value(json_object_get(item, "name"));
        if (name == NULL || name[0] == '\0') continue;
        snprintf(word, sizeof(word), "%s/%s", node, name);
        offer(tool, prefix, word);
    }
    json_decref(document);
}

// NODE/UNIT: the nodes first, a node's units once it is written.
static void offer_things(const struct weft_tool *tool, const char *things, const char *prefix)
{
    char names[WEFT_PLACE_NODES_MAX][64], run[WEFT_PLACE_BYTES];
    const size_t count = find_nodes(names);
    const size_t node_length = strcspn(prefix, "/");

    if (count == 0 || weft_place_run(run, NULL) < 0) return;
    for (size_t i = 0; i < count; i++) {
        if (prefix[node_length] == '\0') {
            char word[72];
            snprintf(word, sizeof(word), "%s/", names[i]);
            offer(tool, prefix, word);
        } else if (strlen(names[i]) == node_length && memcmp(names[i], prefix, node_length) == 0) {
            offer_things_of(tool, run, names[i], things, prefix);
        }
    }
}

static void offer_kind(const struct weft_tool *tool, const char *kind, size_t length,
                       const char *prefix)
{
    if (length == 4 && memcmp(kind, "node", 4) == 0) {
        offer_nodes(tool, prefix);
    } else if (length == 4 && memcmp(kind, "unit", 4) == 0) {
        offer_things(tool, "units", prefix);
    } else if (length == 5 && memcmp(kind, "actor", 5) == 0) {
        offer_things(tool, "actors", prefix);
    } else if (length == 6 && memcmp(kind, "saving", 6) == 0) {
        offer(tool, prefix, "save");
        offer(tool, prefix, "restore");
    } else if (length == 5 && memcmp(kind, "shell", 5) == 0) {
        offer(tool, prefix, "bash");
        offer(tool, prefix, "zsh");
        offer(tool, prefix, "fish");
    } else if (length == 3 && memcmp(kind, "key", 3) == 0) {
        const struct weft_schema_key *key;
        for (size_t i = 0; (key = weft_schema_at(i)) != NULL; i++)
            offer(tool, prefix, key->path);
    } else if (length == 5 && memcmp(kind, "topic", 5) == 0) {
        offer_nouns(tool, prefix);
        for (size_t i = 0; weft_topics[i].name != NULL; i++) {
            offer(tool, prefix, weft_topics[i].name);
        }
    } // "file": the shell knows files; it is asked when nothing is offered.
}

// The kind of argument number `index` of a command; its last for those beyond.
static void offer_argument(const struct weft_tool *tool, const struct weft_tool_command *command,
                           size_t index, const char *prefix)
{
    const char *kind = command->complete;

    if (kind == NULL) return;
    for (; index > 0 && strchr(kind, ' ') != NULL; index--)
        kind = strchr(kind, ' ') + 1;
    offer_kind(tool, kind, strcspn(kind, " "), prefix);
}

static void offer_value(const struct weft_tool *tool, const char *value, const char *prefix)
{
    static const char *const formats[] = {"table", "json", "jsonl"};
    static const char *const colours[] = {"auto", "always", "never"};
    static const char *const policies[] = {"none", "journal", "swarm"};
    const char *const *words = strcmp(value, "FORMAT") == 0   ? formats
                               : strcmp(value, "WHEN") == 0   ? colours
                               : strcmp(value, "POLICY") == 0 ? policies
                                                              : NULL;

    for (size_t i = 0; words != NULL && i < 3; i++)
        offer(tool, prefix, words[i]);
}

// The option that `word` is, if it is one.
static const struct weft_tool_option *option_of(const struct weft_tool_command *command,
                                                const char *word)
{
    const struct weft_tool_option *lists[] = {command->options, weft_tool_options};

    if (word[0] != '-') return NULL;
    for (size_t l = 0; l < WEFT_COUNT_OF(lists); l++) {
        for (size_t i = 0; i < WEFT_TOOL_OPTIONS_MAX && lists[l][i].name != NULL; i++) {
            const struct weft_tool_option *option = &lists[l][i];
            if (word[1] == '-' ? strcmp(option->name, word + 2) == 0
                               : option->letter != 0 && option->letter == word[1]) {
                return option;
            }
        }
    }
    return NULL;
}

void weft_completion_print(const struct weft_tool *tool, int count, char **words)
{
    const char *prefix = count > 0 ? words[count - 1] : "";
    const struct weft_tool_command *command;
    size_t arguments = 0;
    int at;

    if (count <= 1) {
        offer_nouns(tool, prefix);
        return;
    }
    command = count > 2 ? weft_tool_command_find(tool, words[0], words[1]) : NULL;
    at = command != NULL ? 2 : 1;
    if (command == NULL) command = weft_tool_command_find(tool, words[0], NULL);
    if (count == 2) offer_verbs(tool, words[0], prefix);
    if (command == NULL) return;
    for (; at < count - 1; at++) {
        const struct weft_tool_option *option = option_of(command, words[at]);
        if (option != NULL && option->value != NULL) {
            if (at == count - 2) {
                if (strcmp(option->value, "NAME") == 0 && strcmp(option->name, "node") == 0) {
                    offer_nodes(tool, prefix);
                }
                offer_value(tool, option->value, prefix);
                return;
            }
            at++;
        } else if (words[at][0] != '-') {
            arguments++;
        }
    }
    if (prefix[0] == '-') {
        offer_options(tool, command->options, WEFT_TOOL_OPTIONS_MAX, prefix);
        if (!command->raw) offer_options(tool, weft_tool_options, 16, prefix);
        return;
    }
    offer_argument(tool, command, arguments, prefix);
}
