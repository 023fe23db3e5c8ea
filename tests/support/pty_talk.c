// pty_talk PROGRAM [ARG...]: talks to a program on a terminal of its own, as standard input says:
//
//     < TEXT   wait until TEXT has appeared behind what was awaited last
//     > TEXT   type TEXT and Enter
//     = TEXT   type TEXT alone
//     !        wait for the program's end
//
// In TEXT \t is TAB, \e ESC, \xc3 that byte, \c followed by a letter that control character, \\ a
// backslash. Its exit status is that of the program; 99 if something did not come in a minute, with
// all that came instead.
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000, NOT_COME = 99 };

static char seen[1 << 20];
static size_t seen_length, awaited; // What came, and how much of it is behind us.

// Reads what has come, waiting if nothing has. False at the program's end, or when patience is.
static bool listen_to(int terminal)
{
    struct pollfd poller = {.fd = terminal, .events = POLLIN};
    if (seen_length + 1 >= sizeof(seen)) return false;
    if (poll(&poller, 1, PATIENCE_MS) <= 0) return false;
    const ssize_t bytes = read(terminal, seen + seen_length, sizeof(seen) - 1 - seen_length);
    if (bytes <= 0) return false; // EIO: nobody has the other side open.
    seen_length += (size_t)bytes;
    seen[seen_length] = '\0';
    return true;
}

static bool await(int terminal, const char *text)
{
    const size_t length = strlen(text);
    for (;;) {
        const char *found = memmem(seen + awaited, seen_length - awaited, text, length);
        if (found != NULL) {
            awaited = (size_t)(found - seen) + length;
            return true;
        }
        if (!listen_to(terminal)) return false;
    }
}

// Takes the escapes out of `text`, in place.
static void plain(char *text)
{
    char *to = text;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at != '\\' || at[1] == '\0') {
            *to++ = *at;
        } else if (*++at == 'c' && at[1] != '\0') {
            *to++ = (char)(*++at & 31);
        } else if (*at == 'x' && strlen(at) > 2) {
            *to++ = (char)strtoul((char[]){at[1], at[2], '\0'}, NULL, 16);
            at += 2;
        } else {
            *to++ = *at == 't' ? '\t' : *at == 'e' ? '\x1b' : *at;
        }
    }
    *to = '\0';
}

static bool type_text(int terminal, const char *text, bool enter)
{
    const size_t length = strlen(text);
    return write(terminal, text, length) == (ssize_t)length &&
           (!enter || write(terminal, "\r", 1) == 1);
}

static bool follow(int terminal, char *line)
{
    char *text = line[0] != '\0' && line[1] == ' ' ? line + 2 : line + 1;
    line[strcspn(line, "\n")] = '\0';
    plain(text);
    switch (line[0]) {
    case '<': return await(terminal, text);
    case '>': return type_text(terminal, text, true);
    case '=': return type_text(terminal, text, false);
    case '!':
        while (listen_to(terminal))
            continue;
        return true;
    default: return line[0] == '\0';
    }
}

int main(int argc, char **argv)
{
    char line[4096];
    int terminal, status;
    if (argc < 2) return NOT_COME;
    const pid_t pid = forkpty(&terminal, NULL, NULL, NULL);
    if (pid < 0) return NOT_COME;
    if (pid == 0) {
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    while (fgets(line, sizeof(line), stdin) != NULL) {
        if (follow(terminal, line)) continue;
        printf("not come: %s\nbut: %s\n", line, seen);
        kill(pid, SIGKILL);
        return NOT_COME;
    }
    if (waitpid(pid, &status, 0) != pid) return NOT_COME;
    return WIFEXITED(status) ? WEXITSTATUS(status) : NOT_COME;
}
