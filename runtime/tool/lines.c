#include "runtime/tool/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <histedit.h>
#include <limits.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#define HISTORY_LINES     1000
#define WORD_BYTES_MAX    256
#define COMPLETIONS_SHOWN 200

struct weft_lines {
    struct weft_lines_options options;
    EditLine *edit;
    History *history;
    char prompt[16];
    char path[PATH_MAX]; // Of the history; "" for none.
    sigset_t signals;    // As they are blocked outside of weft_lines_next.
    int fd; // The terminal, opened once more so as not to wait in a read: the shell's is as it was.
};

static struct weft_lines *lines_of(EditLine *edit)
{
    struct weft_lines *lines = NULL;
    el_get(edit, EL_CLIENTDATA, &lines);
    return lines;
}

static char *prompt_text(EditLine *edit)
{
    return lines_of(edit)->prompt;
}

// Waits for a byte, or for ^C, which comes only here (weft_lines_next blocks it elsewhere) and so
// cannot slip in between the look at the flag and the wait. False: interrupted, or no terminal.
static bool wait_for_byte(const struct weft_lines *lines)
{
    struct pollfd poller = {.fd = lines->fd, .events = POLLIN};
    while (!*lines->options.interrupted) {
        const int ready = ppoll(&poller, 1, NULL, &lines->signals);
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return false;
    }
    return false;
}

// Reads one letter of the terminal. libedit's own reader goes on after a signal; this one ends the
// line. ^C throws away what has been typed and not read, perhaps after we have been told of it.
static int read_letter(EditLine *edit, wchar_t *letter)
{
    mbstate_t state = {0};
    for (;;) {
        char byte;
        if (!wait_for_byte(lines_of(edit))) return -1;
        const ssize_t count = read(lines_of(edit)->fd, &byte, 1);
        if (count < 0 && errno == EAGAIN) continue;
        if (count <= 0) return (int)count;
        const size_t used = mbrtowc(letter, &byte, 1, &state);
        if (used <= 1) return 1;
        if (used == (size_t)-1) memset(&state, 0, sizeof(state)); // Not UTF-8: left out.
    }
}

// What the matches of a beginning have in common, and how many there are.
struct matches {
    const char *start;
    size_t length;
    size_t count;
    char common[WORD_BYTES_MAX];
    size_t common_length;
};

static void match(struct matches *matches, const char *word)
{
    if (strncasecmp(word, matches->start, matches->length) != 0) return;
    if (matches->count++ == 0) {
        snprintf(matches->common, sizeof(matches->common), "%s", word);
        matches->common_length = strlen(matches->common);
        return;
    }
    size_t same = 0;
    while (same < matches->common_length &&
           strncasecmp(word + same, matches->common + same, 1) == 0)
        same++;
    matches->common_length = same;
}

static void show_matches(const struct weft_lines *lines, const struct matches *matches)
{
    const char *word;
    size_t shown = 0;
    putchar('\n');
    for (size_t n = 0; (word = lines->options.word(lines->options.self, n)) != NULL; n++) {
        if (strncasecmp(word, matches->start, matches->length) != 0) continue;
        if (++shown > COMPLETIONS_SHOWN) break;
        printf("%s ", word);
    }
    puts(shown > COMPLETIONS_SHOWN ? "..." : "");
    fflush(stdout);
}

// TAB: completes the word before the cursor as far as it is clear, in the letters of its
// beginning's case; shows the choices if it is not.
static unsigned char complete(EditLine *edit, int key)
{
    struct weft_lines *lines = lines_of(edit);
    const LineInfo *line = el_line(edit);
    const char *start = line->cursor, *word;
    (void)key;
    while (start > line->buffer && start[-1] != ' ' && start[-1] != '\t')
        start--;
    char typed[WORD_BYTES_MAX];
    const size_t length = (size_t)(line->cursor - start);
    if (length == 0 || length >= sizeof(typed)) return CC_ERROR;
    memcpy(typed, start, length);
    typed[length] = '\0';
    struct matches matches = {.start = typed, .length = length};
    for (size_t n = 0; (word = lines->options.word(lines->options.self, n)) != NULL; n++)
        match(&matches, word);
    if (matches.count == 0) return CC_ERROR;
    if (matches.common_length > length || matches.count == 1) {
        const bool small = typed[length - 1] >= 'a' && typed[length - 1] <= 'z';
        char *at = matches.common + length;
        at[matches.common_length - length] = '\0';
        for (char *c = at; small && *c != '\0'; c++)
            *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
        if (matches.common_length > length && el_insertstr(edit, at) != 0) return CC_ERROR;
        if (matches.count == 1 && el_insertstr(edit, " ") != 0) return CC_ERROR;
        return CC_REFRESH;
    }
    show_matches(lines, &matches);
    return CC_REDISPLAY;
}

// The path of the history, whose directories are made. "" if there is no place for it.
static void history_path(char *path, size_t size, const char *name)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int length = -1;
    if (state != NULL && state[0] == '/') {
        length = snprintf(path, size, "%s/weft/%s", state, name);
    } else if (home != NULL && home[0] == '/') {
        length = snprintf(path, size, "%s/.local/state/weft/%s", home, name);
    }
    if (length < 0 || (size_t)length >= size) {
        path[0] = '\0';
        return;
    }
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700); // There already, or the history will not be written.
        *slash = '/';
    }
}

static int open_terminal(void)
{
    const char *name = ttyname(STDIN_FILENO);
    const int fd = name != NULL ? open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
    return fd >= 0 ? fd : STDIN_FILENO;
}

struct weft_lines *weft_lines_open(const struct weft_lines_options *options)
{
    HistEvent event;
    struct weft_lines *lines = calloc(1, sizeof(*lines));
    if (lines == NULL) return NULL;
    setlocale(LC_CTYPE, "");
    lines->options = *options;
    lines->fd = open_terminal();
    lines->edit = el_init("weft", stdin, stdout, stderr);
    lines->history = history_init();
    if (lines->edit == NULL || lines->history == NULL) {
        weft_lines_close(lines);
        return NULL;
    }
    history(lines->history, &event, H_SETSIZE, HISTORY_LINES);
    history(lines->history, &event, H_SETUNIQUE, 1);
    if (options->history != NULL) history_path(lines->path, sizeof(lines->path), options->history);
    if (lines->path[0] != '\0') history(lines->history, &event, H_LOAD, lines->path);
    el_set(lines->edit, EL_CLIENTDATA, lines);
    el_set(lines->edit, EL_PROMPT, prompt_text);
    el_set(lines->edit, EL_EDITOR, "emacs");
    el_set(lines->edit, EL_HIST, history, lines->history);
    el_set(lines->edit, EL_SIGNAL, 0);
    el_set(lines->edit, EL_GETCFN, read_letter);
    el_set(lines->edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
    if (options->word != NULL) {
        el_set(lines->edit, EL_ADDFN, "weft-complete", "completes a word", complete);
        el_set(lines->edit, EL_BIND, "^I", "weft-complete", NULL);
    }
    return lines;
}

// At each line, so that a session that is killed is remembered too.
static void save_history(struct weft_lines *lines)
{
    HistEvent event;
    if (lines->path[0] == '\0') return;
    const mode_t mask = umask(077);
    history(lines->history, &event, H_SAVE, lines->path);
    umask(mask);
}

const char *weft_lines_next(struct weft_lines *lines, const char *prompt, bool *interrupted)
{
    HistEvent event;
    int count;
    snprintf(lines->prompt, sizeof(lines->prompt), "%s", prompt);
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigprocmask(SIG_BLOCK, &blocked, &lines->signals);
    const char *line = el_gets(lines->edit, &count);
    sigprocmask(SIG_SETMASK, &lines->signals, NULL);
    *interrupted = *lines->options.interrupted;
    if (*interrupted) putchar('\n');
    if (line == NULL || count <= 0 || *interrupted) return NULL;
    if (line[strspn(line, " \t\r\n")] == '\0') return line;
    history(lines->history, &event, H_ENTER, line);
    save_history(lines);
    return line;
}

void weft_lines_close(struct weft_lines *lines)
{
    if (lines->history != NULL) history_end(lines->history);
    if (lines->edit != NULL) el_end(lines->edit);
    if (lines->fd != STDIN_FILENO) close(lines->fd);
    free(lines);
}
