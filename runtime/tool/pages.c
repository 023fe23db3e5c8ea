// weft(1), weft.toml(5) and docs/cli.md, from the tables of commands and keys. Committed, and a
// test compares them.
#include <string.h>
#include <wchar.h>

#include "config/schema.h"
#include "runtime/tool/help.h"
#include "runtime/tool/topic.h"

// What follows the first byte of a letter beyond ASCII, as groff writes it. Returns how many bytes
// it took.
static size_t roff_letter(const char *text, FILE *out)
{
    wchar_t letter = (unsigned char)text[0];
    const size_t more = letter >= 0xf0 ? 3 : letter >= 0xe0 ? 2 : 1;

    letter &= more == 3 ? 0x07 : more == 2 ? 0x0f : 0x1f;
    for (size_t i = 1; i <= more && text[i] != '\0'; i++) {
        letter = letter << 6 | ((unsigned char)text[i] & 0x3f);
    }
    fprintf(out, "\\[u%04X]", (unsigned)letter);
    return more;
}

// Text in man(7): a leading dot or quote would be a macro, a backslash an escape, a dash a hyphen.
static void roff(const char *text, FILE *out)
{
    bool start = true;

    for (; *text != '\0'; text++) {
        if (start && (*text == '.' || *text == '\'')) fputs("\\&", out);
        if (*text == '\\') {
            fputs("\\e", out);
        } else if (*text == '-') {
            fputs("\\-", out);
        } else if ((unsigned char)*text >= 0xc0) {
            text += roff_letter(text, out);
        } else {
            fputc(*text, out);
        }
        start = *text == '\n';
    }
}

static void man_block(const char *text, FILE *out)
{
    fputs(".PP\n.nf\n", out);
    roff(text, out);
    fputs(text[strlen(text) - 1] == '\n' ? ".fi\n" : "\n.fi\n", out);
}

static void man_options(const struct weft_tool_option *options, size_t limit, FILE *out)
{
    for (size_t i = 0; i < limit && options[i].name != NULL; i++) {
        fputs(".TP\n.B ", out);
        if (options[i].letter != 0) fprintf(out, "\\-%c, ", options[i].letter);
        fputs("\\-\\-", out);
        roff(options[i].name, out);
        if (options[i].value != NULL) fprintf(out, " \\fI%s\\fP", options[i].value);
        fputc('\n', out);
        roff(options[i].help, out);
        fputc('\n', out);
    }
}

static void man_command(const struct weft_tool_command *command, FILE *out)
{
    fprintf(out, ".SS weft %s", command->noun);
    if (command->verb != NULL) fprintf(out, " %s", command->verb);
    fputc(' ', out);
    roff(command->args, out);
    fputs("\n", out);
    roff(command->summary, out);
    fputs("\n", out);
    if (command->details != NULL) {
        fputs(".PP\n", out);
        roff(command->details, out);
        fputs("\n", out);
    }
    if (command->examples != NULL) man_block(command->examples, out);
    man_options(command->options, WEFT_TOOL_OPTIONS_MAX, out);
    if (command->exits != NULL) {
        fputs(".PP\nExit codes: ", out);
        roff(command->exits, out);
        fputs("\n", out);
    }
}

void weft_help_man(const struct weft_tool *tool, FILE *out)
{
    const struct weft_tool_command *command;

    fputs(".\\\" Generated from the table of commands by weft __docs man.\n"
          ".TH WEFT 1 \"\" \"weft " WEFT_VERSION "\" \"Weft\"\n"
          ".SH NAME\nweft \\- talk to the nodes of a Weft swarm\n"
          ".SH SYNOPSIS\n.B weft\n\\fINOUN\\fP \\fIVERB\\fP [\\fIWHAT\\fP] [\\fIoptions\\fP]\n"
          ".SH OPTIONS\n",
          out);
    man_options(weft_tool_options, 16, out);
    fputs(".SH COMMANDS\n", out);
    for (size_t i = 0; (command = weft_tool_command_at(tool, i)) != NULL; i++) {
        if (command->noun[0] != '_') man_command(command, out);
    }
    for (size_t i = 0; weft_topics[i].name != NULL; i++) {
        fputs(".SH ", out);
        roff(weft_topics[i].name, out);
        fputc('\n', out);
        man_block(weft_topics[i].text, out);
    }
    const struct weft_error_info *info;
    for (uint32_t e = 0; (info = weft_error_at(e)) != NULL; e++) {
        fprintf(out, ".TP\n.B W%04u\n", (unsigned)info->code);
        roff(info->title, out);
        fputs(".\n", out);
        roff(info->explanation, out);
        fputc('\n', out);
    }
}

void weft_help_man_config(FILE *out)
{
    const struct weft_schema_key *key;

    fputs(".\\\" Generated from the table of keys by weft __docs man5.\n"
          ".TH WEFT.TOML 5 \"\" \"weft " WEFT_VERSION "\" \"Weft\"\n"
          ".SH NAME\nweft.toml \\- the configuration of a Weft node\n"
          ".SH DESCRIPTION\nA TOML 1.0 file. An unknown key is an error. * stands for a name: "
          "ports.p0.device.\nweft config check FILE says everything that is wrong with one.\n"
          ".SH KEYS\n",
          out);
    for (size_t i = 0; (key = weft_schema_at(i)) != NULL; i++) {
        fputs(".TP\n.B ", out);
        roff(key->path, out);
        fputs("\n", out);
        roff(key->meaning, out);
        fputs("\n.br\n", out);
        roff(weft_schema_type_name(key->type), out);
        if (key->choices != NULL) {
            fputs(": ", out);
            roff(key->choices, out);
        }
        fputs(key->fallback == NULL ? "; required" : "; default ", out);
        if (key->fallback != NULL) roff(key->fallback[0] != '\0' ? key->fallback : "none", out);
        fputs("; change takes effect: ", out);
        roff(weft_schema_reload_name(key->reload), out);
        fputc('\n', out);
    }
    fputs(".SH SEE ALSO\nweft(1)\n", out);
}

static void markdown_options(const struct weft_tool_option *options, size_t limit, FILE *out)
{
    if (options[0].name == NULL) return;
    fputs("| option | does |\n|---|---|\n", out);
    for (size_t i = 0; i < limit && options[i].name != NULL; i++) {
        fputs("| `", out);
        if (options[i].letter != 0) fprintf(out, "-%c, ", options[i].letter);
        fprintf(out, "--%s%s%s` | %s |\n", options[i].name, options[i].value != NULL ? " " : "",
                options[i].value != NULL ? options[i].value : "", options[i].help);
    }
    fputc('\n', out);
}

static void markdown_command(const struct weft_tool_command *command, FILE *out)
{
    fputs("### `", out);
    fprintf(out, "weft %s", command->noun);
    if (command->verb != NULL) fprintf(out, " %s", command->verb);
    fprintf(out, "%s%s`\n\n%s\n\n", command->args[0] != '\0' ? " " : "", command->args,
            command->summary);
    if (command->details != NULL) fprintf(out, "%s\n\n", command->details);
    if (command->examples != NULL) fprintf(out, "```\n%s```\n\n", command->examples);
    markdown_options(command->options, WEFT_TOOL_OPTIONS_MAX, out);
    if (command->exits != NULL) fprintf(out, "Exit codes: %s\n\n", command->exits);
}

void weft_help_markdown(const struct weft_tool *tool, FILE *out)
{
    const struct weft_tool_command *command;

    fputs("# The weft tool\n\nGenerated from the table of commands by `weft __docs markdown`; "
          "`weft help` says the same.\n\n## Every command\n\n",
          out);
    markdown_options(weft_tool_options, 16, out);
    fputs("## Commands\n\n", out);
    for (size_t i = 0; (command = weft_tool_command_at(tool, i)) != NULL; i++) {
        if (command->noun[0] != '_') markdown_command(command, out);
    }
    for (size_t i = 0; weft_topics[i].name != NULL; i++) {
        fprintf(out, "## %s\n\n", weft_topics[i].summary);
        if (strcmp(weft_topics[i].name, "errors") != 0) {
            fprintf(out, "```\n%s\n```\n\n", weft_topics[i].text);
            continue;
        }
        fputs("| code | means | and |\n|---|---|---|\n", out);
        const struct weft_error_info *info;
        for (uint32_t e = 0; (info = weft_error_at(e)) != NULL; e++) {
            fprintf(out, "| W%04u | %s | %s |\n", (unsigned)info->code, info->title,
                    info->explanation);
        }
    }
}
