// help.h: what the command table says, for people: on the terminal, as a man page, as Markdown.
#ifndef WEFT_TOOL_HELP_H
#define WEFT_TOOL_HELP_H

#include "runtime/tool/command.h"

// "weft unit eval NODE/UNIT TEXT [options]"
void weft_help_usage(const struct weft_tool_command *command, FILE *out);
void weft_help_overview(const struct weft_tool *tool, FILE *out); // `weft help`
void weft_help_noun(const struct weft_tool *tool, const char *noun, FILE *out);
void weft_help_command(const struct weft_tool_command *command, FILE *out);
// A topic: "exit-codes", "output", "nodes", "errors", "W0501". False if there is none.
bool weft_help_topic(const char *topic, FILE *out);

void weft_help_man(const struct weft_tool *tool, FILE *out); // weft(1), in man(7) macros.
void weft_help_man_config(FILE *out); // weft.toml(5), from the table of keys (config/schema.h).
void weft_help_markdown(const struct weft_tool *tool, FILE *out); // docs/cli.md

#endif // WEFT_TOOL_HELP_H
