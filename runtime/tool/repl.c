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
    bool compiling;
    bool terminal;
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

// One line. The exit code of its evaluation.
static int session_line(struct session *session, const char *line)
{
    const int code = weft_tool_unit_eval(session->tool, &session->target, session->unit, line,
                                         strcspn(line, "\r\n"), true, &session->compiling);

    if (code == 0 && session->terminal && !session->compiling) fputs("ok\n", session->tool->out);
    fflush(session->tool->out);
    return code;
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
        const char *line = weft_lines_next(lines, session->compiling ? "| " : "> ", &stopped);
        if (line == NULL || is_bye(line)) break;
        if (is_blank(line)) continue;
        code = session_line(session, line);
    }
    weft_lines_close(lines);
    return goes_on(code) ? WEFT_EXIT_DONE : code;
}

static int talk_pipe(struct session *session)
{
    char *line = NULL;
    size_t capacity = 0;
    int code = WEFT_EXIT_DONE;

    while (code == WEFT_EXIT_DONE && !interrupted && getline(&line, &capacity, stdin) >= 0) {
        if (is_bye(line)) break;
        if (!is_blank(line)) code = session_line(session, line);
    }
    free(line);
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
    code = session.terminal ? talk_terminal(&session) : talk_pipe(&session);
    if (temporary) {
        quiet.format = WEFT_FORMAT_TABLE;
        quiet.out = stderr;
        const int ended = weft_tool_unit_unload(&quiet, &session.target, session.unit);
        if (code == 0) code = ended;
    }
    return code;
}
