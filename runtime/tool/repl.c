// `weft repl`: lines to a unit. Leaving it, however, leaves the node and the unit as they are.
#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "runtime/tool/handlers.h"
#include "runtime/tool/unit.h"

#define HISTORY_LINES 500

// Set by ^C; the only state that a signal handler can reach.
static volatile sig_atomic_t interrupted;

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
    EditLine *edit;
    History *history;
};

static char *prompt(EditLine *edit)
{
    static char text[] = "> ", open_text[] = "| "; // libedit wants char *.
    const struct session *session = NULL;

    el_get(edit, EL_CLIENTDATA, &session);
    return session->compiling ? open_text : text;
}

// Reads one letter of the terminal. libedit's own reader goes on after a signal; this one ends the
// line.
static int read_letter(EditLine *edit, wchar_t *letter)
{
    mbstate_t state = {0};
    (void)edit;

    for (;;) {
        char byte;
        const ssize_t count = read(STDIN_FILENO, &byte, 1);
        if (count < 0 && errno == EINTR && !interrupted) continue;
        if (count <= 0) return (int)count;
        const size_t used = mbrtowc(letter, &byte, 1, &state);
        if (used <= 1) return 1;
        if (used == (size_t)-1) memset(&state, 0, sizeof(state)); // Not UTF-8: left out.
    }
}

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
    HistEvent event;
    int code = WEFT_EXIT_DONE, count;

    setlocale(LC_CTYPE, "");
    session->edit = el_init("weft", stdin, stdout, stderr);
    session->history = history_init();
    if (session->edit == NULL || session->history == NULL) return WEFT_EXIT_INTERNAL;
    history(session->history, &event, H_SETSIZE, HISTORY_LINES);
    el_set(session->edit, EL_CLIENTDATA, session);
    el_set(session->edit, EL_PROMPT, prompt);
    el_set(session->edit, EL_EDITOR, "emacs");
    el_set(session->edit, EL_HIST, history, session->history);
    el_set(session->edit, EL_SIGNAL, 0);
    el_set(session->edit, EL_GETCFN, read_letter);
    fprintf(stderr, "%s/%s: Forth, line by line; bye, ^D or ^C leave\n", session->target.name,
            session->unit);
    while (goes_on(code) && !interrupted) {
        const char *line = el_gets(session->edit, &count);
        if (line == NULL || count <= 0 || interrupted || is_bye(line)) break;
        if (is_blank(line)) continue;
        history(session->history, &event, H_ENTER, line);
        code = session_line(session, line);
    }
    history_end(session->history);
    el_end(session->edit); // Gives the terminal back as it was.
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
        code = weft_tool_unit_load(&quiet, &session.target, session.unit, "repl", "none", "", 0);
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
