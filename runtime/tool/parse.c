// From words to a call: finds the command, reads options, says what is wrong.
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/assert.h"
#include "runtime/tool/command.h"
#include "runtime/tool/help.h"
#include "runtime/tool/nearest.h"
#include "runtime/tool/output.h"

const struct weft_tool_option weft_tool_options[] = {
    {"output", 'o', "FORMAT", "table (for people), json, or jsonl (one object a line)"},
    {"node", 'n', "NAME", "ask this node; without it the only one, or each"},
    {"socket", 0, "PATH", "ask whoever answers at this unix socket, or at https://HOST:PORT"},
    {"timeout", 0, "TIME", "give up after TIME (500ms, 5s, 1m): exit 124"},
    {"color", 0, "WHEN", "auto, always or never; NO_COLOR is honoured"},
    {"help", 'h', NULL, "what this command does"},
    {.name = NULL},
};

const struct weft_tool_command *weft_tool_command_at(const struct weft_tool *tool, size_t index)
{
    for (size_t t = 0; tool->tables[t] != NULL; t++) {
        for (const struct weft_tool_command *at = tool->tables[t]; at->noun != NULL; at++) {
            if (index-- == 0) return at;
        }
    }
    return NULL;
}

const struct weft_tool_command *weft_tool_command_find(const struct weft_tool *tool,
                                                       const char *noun, const char *verb)
{
    const struct weft_tool_command *command;

    for (size_t i = 0; (command = weft_tool_command_at(tool, i)) != NULL; i++) {
        if (strcmp(command->noun, noun) != 0) continue;
        if (verb == NULL ? command->verb == NULL
                         : command->verb != NULL && strcmp(command->verb, verb) == 0) {
            return command;
        }
    }
    return NULL;
}

const char *weft_tool_value(const struct weft_tool_call *call, const char *name)
{
    for (size_t i = 0; i < WEFT_TOOL_OPTIONS_MAX && call->command->options[i].name != NULL; i++) {
        if (strcmp(call->command->options[i].name, name) == 0) return call->values[i];
    }
    return NULL;
}

const char *weft_tool_arg(const struct weft_tool_call *call, size_t index)
{
    return index < call->arg_count ? call->args[index] : NULL;
}

int weft_tool_usage(const struct weft_tool_call *call, const char *format, ...)
{
    FILE *err = call->tool->err;
    va_list args;

    weft_assert(format != NULL);
    fputs("error: ", err);
    va_start(args, format);
    vfprintf(err, format, args);
    va_end(args);
    fputc('\n', err);
    if (call->command != NULL) {
        fputs("usage: ", err);
        weft_help_usage(call->command, err);
    } else {
        fputs("`weft help` lists the commands\n", err);
    }
    return WEFT_EXIT_USAGE;
}

// The option named by `word` without its dashes, up to a '='; *own says whose list it is in.
static const struct weft_tool_option *option_find(const struct weft_tool_option *options,
                                                  size_t limit, const char *word, bool letter)
{
    const size_t length = strcspn(word, "=");

    for (size_t i = 0; i < limit && options[i].name != NULL; i++) {
        if (letter
                ? options[i].letter == word[0] && options[i].letter != 0
                : strlen(options[i].name) == length && memcmp(options[i].name, word, length) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

static bool global_set(struct weft_tool_call *call, const char *name, const char *value, bool *help)
{
    struct weft_tool *tool = call->tool;

    if (strcmp(name, "help") == 0) {
        *help = true;
    } else if (strcmp(name, "node") == 0) {
        tool->node = value;
    } else if (strcmp(name, "socket") == 0) {
        tool->socket = value;
    } else if (strcmp(name, "output") == 0) {
        if (strcmp(value, "table") == 0) {
            tool->format = WEFT_FORMAT_TABLE;
        } else if (strcmp(value, "json") == 0) {
            tool->format = WEFT_FORMAT_JSON;
        } else if (strcmp(value, "jsonl") == 0) {
            tool->format = WEFT_FORMAT_JSONL;
        } else {
            weft_tool_usage(call, "-o %s: the formats are table, json and jsonl", value);
            return false;
        }
    } else if (strcmp(name, "color") == 0) {
        if (strcmp(value, "always") == 0) {
            tool->colour = true;
        } else if (strcmp(value, "never") == 0) {
            tool->colour = false;
        } else if (strcmp(value, "auto") != 0) {
            weft_tool_usage(call, "--color %s: say auto, always or never", value);
            return false;
        }
    } else {
        uint64_t timeout_ns;
        if (!weft_duration_parse(value, &timeout_ns) || timeout_ns / WEFT_NS_PER_MS == 0 ||
            timeout_ns / WEFT_NS_PER_MS > UINT32_MAX / 2) {
            weft_tool_usage(call, "--timeout %s: say 500ms, 5s or 1m", value);
            return false;
        }
        tool->timeout_ms = (uint32_t)(timeout_ns / WEFT_NS_PER_MS);
    }
    return true;
}

// Takes the option at words[*at] and its value. False if it was refused (and said).
static bool option_take(struct weft_tool_call *call, int count, char **words, int *at, bool *help)
{
    const char *word = words[*at];
    const bool letter = word[1] != '-';
    const char *name = letter ? word + 1 : word + 2;
    const struct weft_tool_option *own =
        call->command == NULL
            ? NULL
            : option_find(call->command->options, WEFT_TOOL_OPTIONS_MAX, name, letter);
    const struct weft_tool_option *option =
        own != NULL ? own : option_find(weft_tool_options, 16, name, letter);

    if (option == NULL) {
        const char *near = weft_nearest_option(call->command, name);
        weft_tool_usage(call, "unknown option %.*s%s%s%s", (int)strcspn(word, "="), word,
                        near != NULL && !letter ? "; did you mean --" : "",
                        near != NULL && !letter ? near : "", near != NULL && !letter ? "?" : "");
        return false;
    }
    const char *value = letter ? (name[1] != '\0' ? name + 1 + (name[1] == '=') : NULL)
                               : (strchr(name, '=') != NULL ? strchr(name, '=') + 1 : NULL);
    if (option->value == NULL && value != NULL) {
        weft_tool_usage(call, "--%s takes no value", option->name);
        return false;
    }
    if (option->value != NULL && value == NULL) {
        if (*at + 1 >= count) {
            weft_tool_usage(call, "--%s needs %s", option->name, option->value);
            return false;
        }
        value = words[++*at];
    }
    if (own == NULL) return global_set(call, option->name, value, help);
    call->values[own - call->command->options] = value != NULL ? value : "";
    return true;
}

static int unknown_noun(const struct weft_tool_call *call, const char *noun)
{
    const char *near = weft_nearest_noun(call->tool, noun);

    if (near != NULL) {
        return weft_tool_usage(call, "there is no command \"%s\"; did you mean \"%s\"?", noun,
                               near);
    }
    return weft_tool_usage(call, "there is no command \"%s\"", noun);
}

static int unknown_verb(const struct weft_tool_call *call, const char *noun, const char *verb)
{
    const char *near = weft_nearest_verb(call->tool, noun, verb);
    FILE *err = call->tool->err;

    if (near != NULL) {
        fprintf(err, "error: there is no \"weft %s %s\"; did you mean \"weft %s %s\"?\n", noun,
                verb, noun, near);
    } else {
        fprintf(err, "error: there is no \"weft %s %s\"\n", noun, verb);
    }
    weft_help_noun(call->tool, noun, err);
    return WEFT_EXIT_USAGE;
}

static bool noun_known(const struct weft_tool *tool, const char *noun)
{
    const struct weft_tool_command *command;

    for (size_t i = 0; (command = weft_tool_command_at(tool, i)) != NULL; i++) {
        if (strcmp(command->noun, noun) == 0) return true;
    }
    return false;
}

// Reads the words after the command. Returns -1 to go on, else the exit code.
static int words_take(struct weft_tool_call *call, int count, char **words, bool *help)
{
    if (call->command->raw) {
        call->rest = words;
        call->rest_count = count;
        *help = count == 1 && (strcmp(words[0], "--help") == 0 || strcmp(words[0], "-h") == 0);
        return -1;
    }
    for (int i = 0; i < count; i++) {
        if (strcmp(words[i], "--") == 0 && call->command->rest) {
            call->rest = words + i + 1;
            call->rest_count = count - i - 1;
            return -1;
        }
        if (words[i][0] == '-' && words[i][1] != '\0' && strcmp(words[i], "--") != 0) {
            if (!option_take(call, count, words, &i, help)) return WEFT_EXIT_USAGE;
            continue;
        }
        if (strcmp(words[i], "--") == 0) continue;
        if (call->arg_count == WEFT_TOOL_ARGS_MAX || call->arg_count >= call->command->arg_max) {
            return weft_tool_usage(call, "one word too many: %s", words[i]);
        }
        call->args[call->arg_count++] = words[i];
    }
    if (!*help && call->arg_count < call->command->arg_min) {
        return weft_tool_usage(call, "%s is missing", call->command->args);
    }
    return -1;
}

int weft_tool_run(struct weft_tool *tool, int argc, char **argv)
{
    struct weft_tool_call for_command = {.tool = tool};
    struct weft_tool_call *call = &for_command;
    bool help = false;
    int at = 1;

    for (; at < argc && argv[at][0] == '-' && argv[at][1] != '\0'; at++) { // weft -o json node ls
        if (strcmp(argv[at], "--version") == 0) argv[at] = (char *)(uintptr_t) "version";
        if (argv[at][0] != '-') break;
        if (!option_take(call, argc, argv, &at, &help)) return WEFT_EXIT_USAGE;
    }
    if (at >= argc) {
        weft_help_overview(tool, help ? tool->out : tool->err);
        return help ? WEFT_EXIT_DONE : WEFT_EXIT_USAGE;
    }
    const char *noun = argv[at++];
    if (!noun_known(tool, noun)) return unknown_noun(call, noun);
    call->command = at < argc ? weft_tool_command_find(tool, noun, argv[at]) : NULL;
    if (call->command != NULL) {
        at++;
    } else {
        call->command = weft_tool_command_find(tool, noun, NULL);
    }
    if (call->command == NULL) {
        const bool asked =
            help || (at < argc && (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0));
        if (at < argc && !asked) return unknown_verb(call, noun, argv[at]);
        weft_help_noun(tool, noun, asked ? tool->out : tool->err);
        return asked ? WEFT_EXIT_DONE : WEFT_EXIT_USAGE;
    }
    const int code = words_take(call, argc - at, argv + at, &help);
    if (code >= 0) return code;
    if (help) {
        weft_help_command(call->command, tool->out);
        return WEFT_EXIT_DONE;
    }
    return call->command->run(call);
}

static bool wants_colour(void)
{
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM");

    if (none != NULL && none[0] != '\0') return false;
    if (term == NULL || strcmp(term, "dumb") == 0) return false;
    return isatty(STDOUT_FILENO) != 0;
}

int weft_tool_main(int argc, char **argv, const struct weft_tool_command *const *tables)
{
    struct weft_tool tool = {
        .out = stdout, .err = stderr, .colour = wants_colour(), .tables = tables};
    const int code = weft_tool_run(&tool, argc, argv);

    // A result that could not be written is no result; a reader that has left wants none.
    if (fflush(stdout) != 0 && errno != EPIPE) {
        fprintf(stderr, "error: standard output: %s\n", strerror(errno));
        return WEFT_EXIT_INTERNAL;
    }
    return code;
}
