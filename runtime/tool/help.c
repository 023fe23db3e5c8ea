#include "runtime/tool/help.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/tool/topic.h"

static const char *const groups[] = {"Try", "Look", "Act", "Files", "Image", "Meta", NULL};

static bool hidden(const struct weft_tool_command *command)
{
    return command->noun[0] == '_';
}

// "unit eval", "drops".
static void print_name(const struct weft_tool_command *command, FILE *out)
{
    fprintf(out, "%s%s%s", command->noun, command->verb != NULL ? " " : "",
            command->verb != NULL ? command->verb : "");
}

void weft_help_usage(const struct weft_tool_command *command, FILE *out)
{
    fputs("weft ", out);
    print_name(command, out);
    if (command->args[0] != '\0') fprintf(out, " %s", command->args);
    if (command->options[0].name != NULL) fputs(" [options]", out);
    fputc('\n', out);
}

static void print_line(const struct weft_tool_command *command, FILE *out)
{
    char name[96];

    snprintf(name, sizeof(name), "%s%s%s%s%s", command->noun, command->verb != NULL ? " " : "",
             command->verb != NULL ? command->verb : "", command->args[0] != '\0' ? " " : "",
             command->args);
    fprintf(out, "  %-34s %s\n", name, command->summary);
}

void weft_help_overview(const struct weft_tool *tool, FILE *out)
{
    const struct weft_tool_command *command;

    fputs("weft talks to the nodes of this machine. weft NOUN VERB [WHAT] [options]\n\n", out);
    fputs("  weft lab up                    start a swarm of three\n"
          "  weft swarm status              who is there\n"
          "  weft repl n1                   talk Forth to a node\n",
          out);
    for (size_t g = 0; groups[g] != NULL; g++) {
        bool titled = false;
        for (size_t i = 0; (command = weft_tool_command_at(tool, i)) != NULL; i++) {
            if (hidden(command) || strcmp(command->group, groups[g]) != 0) continue;
            if (!titled) fprintf(out, "\n%s\n", groups[g]);
            titled = true;
            print_line(command, out);
        }
    }
    fputs("\nweft help COMMAND for one of them; topics:", out);
    for (size_t i = 0; weft_topics[i].name != NULL; i++)
        fprintf(out, " %s", weft_topics[i].name);
    fputs(" Wnnnn\n", out);
}

void weft_help_noun(const struct weft_tool *tool, const char *noun, FILE *out)
{
    const struct weft_tool_command *command;

    for (size_t i = 0; (command = weft_tool_command_at(tool, i)) != NULL; i++) {
        if (!hidden(command) && strcmp(command->noun, noun) == 0) print_line(command, out);
    }
}

static void print_option(const struct weft_tool_option *option, FILE *out)
{
    char name[48];

    snprintf(name, sizeof(name), "%s%c%s--%s%s%s", option->letter != 0 ? "-" : " ",
             option->letter != 0 ? option->letter : ' ', option->letter != 0 ? ", " : "  ",
             option->name, option->value != NULL ? " " : "",
             option->value != NULL ? option->value : "");
    fprintf(out, "  %-24s %s\n", name, option->help);
}

void weft_help_command(const struct weft_tool_command *command, FILE *out)
{
    fputs("usage: ", out);
    weft_help_usage(command, out);
    fprintf(out, "\n%s\n", command->summary);
    if (command->examples != NULL) fprintf(out, "\n%s", command->examples);
    if (command->details != NULL) fprintf(out, "\n%s\n", command->details);
    fputs("\nOptions\n", out);
    for (size_t i = 0; i < WEFT_TOOL_OPTIONS_MAX && command->options[i].name != NULL; i++) {
        print_option(&command->options[i], out);
    }
    if (!command->raw) {
        for (size_t i = 0; weft_tool_options[i].name != NULL; i++) {
            print_option(&weft_tool_options[i], out);
        }
    }
    if (command->exits != NULL) fprintf(out, "\nExit codes: %s\n", command->exits);
    fputs("\nSee also: weft help exit-codes\n", out);
}

static bool print_error_topic(const char *code, FILE *out)
{
    char *end;
    const unsigned long number = strtoul(code + 1, &end, 10);
    const struct weft_error_info *info =
        *end == '\0' && number <= UINT16_MAX ? weft_error_find((uint16_t)number) : NULL;

    if (info == NULL) return false;
    fprintf(out, "W%04u: %s\n\n%s\n", (unsigned)info->code, info->title, info->explanation);
    return true;
}

bool weft_help_topic(const char *topic, FILE *out)
{
    if ((topic[0] == 'W' || topic[0] == 'w') && strlen(topic) == 5) {
        return print_error_topic(topic, out);
    }
    for (size_t i = 0; weft_topics[i].name != NULL; i++) {
        if (strcmp(weft_topics[i].name, topic) != 0) continue;
        fprintf(out, "%s\n", weft_topics[i].text);
        if (strcmp(topic, "errors") != 0) return true;
        const struct weft_error_info *info;
        for (uint32_t e = 0; (info = weft_error_at(e)) != NULL; e++) {
            fprintf(out, "  W%04u  %s\n", (unsigned)info->code, info->title);
        }
        return true;
    }
    return false;
}
