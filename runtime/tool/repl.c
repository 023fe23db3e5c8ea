// `weft repl`: lines to a unit. Leaving it, however, leaves the node and the unit as they are.
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/tool/handlers.h"
#include "runtime/tool/lines.h"
#include "runtime/tool/unit.h"

// Set by ^C; the only state that a signal handler can reach.
static volatile int interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

struct session {
    const struct weft_tool *tool;
    struct weft_client_target target;
    char unit[64];
    struct weft_tool_unit_state state;
    bool terminal;
    bool is_ours; // It asks because of a line of ours.
};

static bool is_bye(const char *line)
{
    char word[8];

    return sscanf(line, " %7s", word) == 1 && strcasecmp(word, "bye") == 0;
}

static bool is_blank(const char *line)
{
    return line[strspn(line, " \t\r\n")] == '\0';
}

// One line, to the program that asks for it or else to be evaluated. The exit code of that.
static int session_line(struct session *session, const char *line)
{
    const size_t length = strcspn(line, "\r\n");
    const bool asked = session->state.asks;
    char *typed = malloc(length + 2);
    if (typed == NULL) return WEFT_EXIT_INTERNAL;
    snprintf(typed, length + 2, "%.*s\n", (int)length, line);
    session->state = (struct weft_tool_unit_state){0};
    const int code = asked ? weft_tool_unit_input(session->tool, &session->target, session->unit,
                                                  typed, length + 1, false, &session->state)
                           : weft_tool_unit_eval(session->tool, &session->target, session->unit,
                                                 typed, length, true, &session->state);
    free(typed);
    if (!asked) session->is_ours = session->state.asks;
    const bool is_done = code == 0 && !session->state.compiling && !session->state.asks;
    if (is_done && session->terminal) fputs("ok\n", session->tool->out);
    fflush(session->tool->out);
    return code;
}

// A line of ours that still asks is told that there is nothing more: THROW -39, or an empty line.
static void end_input(struct session *session)
{
    if (!session->state.asks || !session->is_ours) return;
    session->is_ours = false;
    weft_tool_unit_input(session->tool, &session->target, session->unit, "", 0, true,
                         &session->state);
}

static const char *prompt(const struct session *session)
{
    return session->state.asks ? "? " : session->state.compiling ? "| " : "> ";
}

// True while there is somebody to talk to: an error of the text is the user's, others end the
// session.
static bool goes_on(int code)
{
    return code == WEFT_EXIT_DONE || code == WEFT_EXIT_INPUT || code == WEFT_EXIT_AGAIN ||
           code == WEFT_EXIT_TIMEOUT;
}

static int talk_terminal(struct session *session)
{
    const struct weft_lines_options options = {.history = "repl_history",
                                               .interrupted = &interrupted};
    struct weft_lines *lines = weft_lines_open(&options);
    int code = WEFT_EXIT_DONE;
    bool stopped;

    if (lines == NULL) return WEFT_EXIT_INTERNAL;
    fprintf(stderr, "%s/%s: Forth, line by line; bye, ^D or ^C leave\n", session->target.name,
            session->unit);
    while (goes_on(code)) {
        const char *line = weft_lines_next(lines, prompt(session), &stopped);
        if (line == NULL && stopped && session->state.asks && session->is_ours) {
            interrupted = 0; // ^C ends what asks, not the session.
            end_input(session);
            continue;
        }
        const bool asked = session->state.asks;
        if (line == NULL || (!asked && is_bye(line))) break;
        if (!asked && is_blank(line)) continue;
        code = session_line(session, line);
    }
    end_input(session);
    weft_lines_close(lines);
    return goes_on(code) ? WEFT_EXIT_DONE : code;
}

static int talk_pipe(struct session *session)
{
    char *line = NULL;
    size_t capacity = 0;
    int code = WEFT_EXIT_DONE;

    while (code == WEFT_EXIT_DONE && !interrupted && getline(&line, &capacity, stdin) >= 0) {
        const bool asked = session->state.asks;
        if (!asked && is_bye(line)) break;
        if (asked || !is_blank(line)) code = session_line(session, line);
    }
    free(line);
    if (code == WEFT_EXIT_DONE) end_input(session);
    return code;
}

int weft_run_repl(struct weft_tool_call *call)
{
    struct session session = {.tool = call->tool, .terminal = isatty(STDIN_FILENO) != 0};
    struct weft_tool quiet = *call->tool;
    const struct sigaction action = {.sa_handler = on_interrupt};
    const char *word = weft_tool_arg(call, 0);
    int code = weft_tool_unit_target(call, word != NULL ? word : "", &session.target, session.unit);

    if (code != 0) return code;
    const bool temporary = session.unit[0] == '\0';
    sigaction(SIGINT, &action, NULL); // No SA_RESTART: a read ends, and then the session.
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (temporary) {
        snprintf(session.unit, sizeof(session.unit), "repl-%ld", (long)getpid());
        quiet.format = WEFT_FORMAT_TABLE;
        code =
            weft_tool_unit_load(&quiet, &session.target, session.unit, "repl", "none", "", "", 0);
        if (code != 0) return code;
    }
    if (!temporary) session.state.asks = weft_tool_unit_asks(&session.target, session.unit);
    code = session.terminal ? talk_terminal(&session) : talk_pipe(&session);
    if (temporary) {
        quiet.format = WEFT_FORMAT_TABLE;
        quiet.out = stderr;
        const int ended = weft_tool_unit_unload(&quiet, &session.target, session.unit);
        if (code == 0) code = ended;
    }
    return code;
}
