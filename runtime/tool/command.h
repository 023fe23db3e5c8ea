// command.h: one table of what `weft` can do. Parsing, --help, `weft help`, weft(1), docs/cli.md
// and completion all come from it (DESIGN, rule 6), so they cannot say different things.
//
// A further table (runtime/lab: `const struct weft_tool_command weft_lab_commands[]`, ended by an
// entry without a noun) is handed to weft_tool_main by weft.c; nothing else needs to know of it.
#ifndef WEFT_TOOL_COMMAND_H
#define WEFT_TOOL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "runtime/base/error.h"

#define WEFT_TOOL_OPTIONS_MAX 8
#define WEFT_TOOL_ARGS_MAX    16

enum weft_exit_code { // What scripts may rely on; `weft help exit-codes`.
    WEFT_EXIT_DONE = 0,
    WEFT_EXIT_NO = 1,
    WEFT_EXIT_USAGE = 64,
    WEFT_EXIT_INPUT = 65,
    WEFT_EXIT_UNREACHABLE = 69,
    WEFT_EXIT_INTERNAL = 70,
    WEFT_EXIT_AGAIN = 75,
    WEFT_EXIT_PERMISSION = 77,
    WEFT_EXIT_CONFIG = 78,
    WEFT_EXIT_TIMEOUT = 124,
};

enum weft_tool_format { WEFT_FORMAT_TABLE, WEFT_FORMAT_JSON, WEFT_FORMAT_JSONL };

struct weft_tool_option {
    const char *name;  // "follow"; NULL ends the list.
    char letter;       // 'f', or 0.
    const char *value; // "FILE"; NULL: a flag.
    const char *help;
};

struct weft_tool_call;

struct weft_tool_command {
    const char *group; // "Look", "Act", "Try", "Files", "Image", "Meta": a heading of the help.
    const char *noun;
    const char *verb; // NULL: the noun alone is the command.
    const char *args; // "[NODE]", "NODE/UNIT TEXT": for people; "" for none.
    uint8_t arg_min, arg_max;
    bool rest; // What stands after `--` goes to the handler as it is.
    bool raw;  // Every word after the verb goes to the handler as it is (`rest`), unparsed.
    const char *complete; // What the arguments are, in order: "node unit file"; NULL for nothing.
    const char *summary;  // One line.
    const char *details;  // Paragraphs, or NULL.
    const char *examples; // Lines of "COMMAND  # what for", or NULL.
    const char *exits;    // What exit codes mean here beyond the common ones, or NULL.
    int (*run)(struct weft_tool_call *call); // Returns the exit code.
    struct weft_tool_option options[WEFT_TOOL_OPTIONS_MAX];
};

struct weft_tool {
    FILE *out, *err;
    enum weft_tool_format format;
    bool colour;                                   // On `out`.
    uint32_t timeout_ms;                           // 0: each command's own.
    const char *socket;                            // --socket PATH, or NULL.
    const char *node;                              // --node NAME, or NULL.
    const struct weft_tool_command *const *tables; // Ended by NULL.
};

struct weft_tool_call {
    struct weft_tool *tool;
    const struct weft_tool_command *command;
    const char *args[WEFT_TOOL_ARGS_MAX];
    size_t arg_count;
    char **rest; // Ended by NULL.
    int rest_count;
    const char *values[WEFT_TOOL_OPTIONS_MAX]; // By place in command->options; "" for a flag given.
};

// The value of an option of the command; NULL if it was not given.
const char *weft_tool_value(const struct weft_tool_call *call, const char *name);
// Argument number `index`, or NULL.
const char *weft_tool_arg(const struct weft_tool_call *call, size_t index);

// Says `error` on stderr as `error[Wnnnn] …`, `hint: …`, `docs: …`, and returns its exit code.
int weft_tool_fail(const struct weft_tool *tool, const struct weft_error *error);
int weft_tool_exit_code(uint16_t code);
// Says what is wrong with the words of the command line and how it goes. Returns 64.
__attribute__((format(printf, 2, 3))) int weft_tool_usage(const struct weft_tool_call *call,
                                                          const char *format, ...);

// Runs the command that `argv` names, out of `tables`. Returns the exit code.
int weft_tool_main(int argc, char **argv, const struct weft_tool_command *const *tables);

// The same with the streams and settings of `tool`, which options change.
int weft_tool_run(struct weft_tool *tool, int argc, char **argv);

// The commands of this directory, those about the image (image_commands.c), and those of the laptop
// swarm (runtime/lab).
extern const struct weft_tool_command weft_tool_commands[];
extern const struct weft_tool_command weft_image_commands[];
extern const struct weft_tool_command weft_lab_commands[];

// Walks all tables: `index` from 0 upward; NULL past the end.
const struct weft_tool_command *weft_tool_command_at(const struct weft_tool *tool, size_t index);
// The command of `noun` and `verb` (NULL for one without); NULL if there is none.
const struct weft_tool_command *weft_tool_command_find(const struct weft_tool *tool,
                                                       const char *noun, const char *verb);

// The options that every command takes.
extern const struct weft_tool_option weft_tool_options[];

#endif // WEFT_TOOL_COMMAND_H
