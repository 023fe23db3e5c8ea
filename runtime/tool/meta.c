// Commands about the tool itself.
#include <string.h>

#include "forth/doc.h"
#include "runtime/tool/completion.h"
#include "runtime/tool/handlers.h"
#include "runtime/tool/help.h"

int weft_run_version(struct weft_tool_call *call)
{
    if (call->tool->format == WEFT_FORMAT_TABLE) {
        fputs("weft " WEFT_VERSION "\n", call->tool->out);
    } else {
        fputs("{\"apiVersion\":\"v1\",\"version\":\"" WEFT_VERSION "\"}\n", call->tool->out);
    }
    return WEFT_EXIT_DONE;
}

int weft_run_help(struct weft_tool_call *call)
{
    const struct weft_tool *tool = call->tool;
    const char *first = weft_tool_arg(call, 0), *second = weft_tool_arg(call, 1);
    const struct weft_tool_command *command;

    if (first == NULL) {
        weft_help_overview(tool, tool->out);
        return WEFT_EXIT_DONE;
    }
    command = weft_tool_command_find(tool, first, second);
    if (command != NULL) {
        weft_help_command(command, tool->out);
        return WEFT_EXIT_DONE;
    }
    if (second == NULL && weft_help_topic(first, tool->out)) return WEFT_EXIT_DONE;
    for (size_t i = 0; second == NULL && (command = weft_tool_command_at(tool, i)) != NULL; i++) {
        if (strcmp(command->noun, first) != 0) continue;
        weft_help_noun(tool, first, tool->out);
        return WEFT_EXIT_DONE;
    }
    fprintf(tool->err, "error: there is no help on \"%s%s%s\"; weft help lists what there is\n",
            first, second != NULL ? " " : "", second != NULL ? second : "");
    return WEFT_EXIT_NO;
}

int weft_run_completion(struct weft_tool_call *call)
{
    const char *script = weft_completion_script(call->args[0]);

    if (script == NULL) {
        return weft_tool_usage(call, "%s: the shells are bash, zsh and fish", call->args[0]);
    }
    fputs(script, call->tool->out);
    return WEFT_EXIT_DONE;
}

int weft_run_complete(struct weft_tool_call *call)
{
    weft_completion_print(call->tool, call->rest_count, call->rest);
    return WEFT_EXIT_DONE; // Silent in every case: it runs under somebody's cursor.
}

int weft_run_docs(struct weft_tool_call *call)
{
    if (strcmp(call->args[0], "man") == 0) {
        weft_help_man(call->tool, call->tool->out);
    } else if (strcmp(call->args[0], "man5") == 0) {
        weft_help_man_config(call->tool->out);
    } else if (strcmp(call->args[0], "markdown") == 0) {
        weft_help_markdown(call->tool, call->tool->out);
    } else if (strcmp(call->args[0], "forth") == 0) {
        weft_forth_doc_markdown(call->tool->out);
    } else {
        return weft_tool_usage(call, "say man, man5, markdown or forth");
    }
    return WEFT_EXIT_DONE;
}
