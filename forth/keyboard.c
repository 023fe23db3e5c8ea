#include "forth/keyboard.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    ESCAPE_MS = 50, // What of a key's sequence has not come by then does not: it was the key ESC.
    FOR_EVER = -1,
};

enum fill { FILL_MORE, FILL_NOT, FILL_END, FILL_INTERRUPTED };

static bool interrupted(const struct weft_machine *machine)
{
    return machine->interrupted != NULL && *machine->interrupted;
}

// Waits for input, or for ^C, which is let in only here: it cannot come between the look at its
// flag and the wait.
static enum fill wait_for_input(const struct weft_machine *machine, int64_t wait_ns)
{
    struct pollfd poller = {.fd = STDIN_FILENO, .events = POLLIN};
    const struct timespec wait = {.tv_sec = wait_ns > 0 ? wait_ns / 1000000000 : 0,
                                  .tv_nsec = wait_ns > 0 ? wait_ns % 1000000000 : 0};
    sigset_t blocked, usual;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigprocmask(SIG_BLOCK, &blocked, &usual);
    const int ready =
        interrupted(machine) ? -1 : ppoll(&poller, 1, wait_ns < 0 ? NULL : &wait, &usual);
    sigprocmask(SIG_SETMASK, &usual, NULL);
    if (ready > 0) return FILL_MORE;
    return ready < 0 && interrupted(machine) ? FILL_INTERRUPTED : FILL_NOT;
}

// Reads more of standard input behind what is there.
static enum fill fill(struct weft_machine *machine, int wait_ms)
{
    size_t room;
    uint8_t *to = weft_keys_room(&machine->keys, &room);
    if (room == 0) return FILL_NOT;
    enum fill outcome;
    do
        outcome = wait_for_input(machine, wait_ms < 0 ? FOR_EVER : wait_ms * INT64_C(1000000));
    while (outcome == FILL_NOT && wait_ms < 0);
    if (outcome != FILL_MORE) return outcome;
    const ssize_t bytes = read(STDIN_FILENO, to, room);
    if (bytes <= 0) return interrupted(machine) ? FILL_INTERRUPTED : FILL_END;
    machine->keys.end += (uint32_t)bytes;
    return FILL_MORE;
}

static void give_keys(struct weft_machine *machine)
{
    fflush(machine->out);
    if (machine->is_raw || tcgetattr(STDIN_FILENO, &machine->usual) != 0) return;
    struct termios raw = machine->usual;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    machine->is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

void weft_keyboard_rest(struct weft_machine *machine)
{
    if (machine->is_raw) tcsetattr(STDIN_FILENO, TCSANOW, &machine->usual);
    machine->is_raw = false;
}

static bool is_empty(const struct weft_machine *machine)
{
    return machine->keys.start == machine->keys.end;
}

// KEY?, XKEY?, EKEY?: without waiting, but for the rest of a key's sequence.
static bool key_waits(void *self, enum weft_unit_keys kind)
{
    struct weft_machine *machine = self;
    give_keys(machine);
    for (int wait_ms = 0;;) {
        if (weft_keys_wait(&machine->keys, kind, false)) return true;
        const enum fill outcome = fill(machine, wait_ms);
        const bool is_cut = outcome != FILL_MORE && !is_empty(machine);
        if (is_cut && wait_ms != 0) return weft_keys_wait(&machine->keys, kind, true);
        if (outcome != FILL_MORE && !is_cut) return false;
        wait_ms = is_empty(machine) ? 0 : ESCAPE_MS;
    }
}

// KEY, EKEY: what `take` finds; -1: the unit is to park until weft_keyboard_wait; -2: no more.
static int32_t next(struct weft_machine *machine,
                    int32_t (*take)(struct weft_keys *keys, bool are_all))
{
    give_keys(machine);
    for (;;) {
        int32_t taken = take(&machine->keys, false);
        if (taken >= 0) return taken;
        const enum fill outcome = fill(machine, is_empty(machine) ? 0 : ESCAPE_MS);
        if (outcome == FILL_MORE) continue;
        if (outcome == FILL_INTERRUPTED) return -1;
        taken = take(&machine->keys, true);
        return taken >= 0 ? taken : outcome == FILL_END ? -2 : -1;
    }
}

static int32_t key(void *self)
{
    return next(self, weft_keys_character);
}

static int32_t ekey(void *self)
{
    return next(self, weft_keys_event);
}

struct piece { // Of a line.
    const uint8_t *bytes;
    size_t length;
    bool is_last;
};

// The next piece of a line: up to its end if that is there, all there is otherwise. 0 bytes: none,
// see *outcome.
static struct piece next_piece(struct weft_machine *machine, enum fill *outcome)
{
    struct weft_keys *keys = &machine->keys;
    *outcome = FILL_MORE;
    while (is_empty(machine)) {
        *outcome = fill(machine, FOR_EVER);
        if (*outcome != FILL_MORE) return (struct piece){0};
    }
    const uint8_t *from = keys->bytes + keys->start;
    const uint8_t *end = memchr(from, '\n', keys->end - keys->start);
    const size_t length = end != NULL ? (size_t)(end - from) + 1 : keys->end - keys->start;
    keys->start += (uint32_t)length;
    return (struct piece){from, length, end != NULL};
}

int64_t weft_keyboard_line(struct weft_machine *machine, void *to, size_t size)
{
    size_t length = 0;
    enum fill outcome;
    fflush(machine->out);
    weft_keyboard_rest(machine);
    for (;;) {
        const struct piece piece = next_piece(machine, &outcome);
        if (outcome == FILL_INTERRUPTED) return -1;
        if (piece.length == 0) return length > 0 ? (int64_t)length : -2;
        const size_t bytes = piece.length - (piece.is_last ? 1 : 0);
        const size_t given = bytes < size - length ? bytes : size - length;
        memcpy((char *)to + length, piece.bytes, given);
        length += given;
        if (piece.is_last) return (int64_t)length;
    }
}

int64_t weft_keyboard_whole_line(struct weft_machine *machine, char **line, size_t *size)
{
    size_t length = 0;
    enum fill outcome;
    fflush(machine->out);
    weft_keyboard_rest(machine);
    for (;;) {
        const struct piece piece = next_piece(machine, &outcome);
        if (outcome == FILL_INTERRUPTED) return -1;
        if (piece.length == 0) return length > 0 ? (int64_t)length : -2;
        if (length + piece.length >= *size) {
            const size_t larger = 2 * (length + piece.length) + 128;
            char *grown = realloc(*line, larger);
            if (grown == NULL) return -2;
            *line = grown;
            *size = larger;
        }
        memcpy(*line + length, piece.bytes, piece.length);
        length += piece.length;
        (*line)[length] = '\0';
        if (piece.is_last) return (int64_t)length;
    }
}

static int64_t left_ns(uint64_t wake_ns)
{
    struct timespec now;
    if (wake_ns == 0) return FOR_EVER;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const uint64_t now_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    return wake_ns > now_ns ? (int64_t)(wake_ns - now_ns) : 0;
}

void weft_keyboard_wait(struct weft_machine *machine, uint64_t wake_ns)
{
    fflush(machine->out);
    while (is_empty(machine)) {
        const enum fill outcome = wait_for_input(machine, left_ns(wake_ns));
        if (outcome != FILL_NOT) break;
        if (left_ns(wake_ns) == 0) return;
    }
    machine->has_waited = true;
}

// ACCEPT: at the end of the input, a line of nothing. It waits the first time by parking, so that
// what the program has printed is seen before.
static int64_t accept_line(void *self, void *to, size_t size)
{
    struct weft_machine *machine = self;
    weft_keyboard_rest(machine);
    const bool may_wait = machine->has_waited || !is_empty(machine);
    machine->has_waited = false;
    if (!may_wait) return -1;
    const int64_t length = weft_keyboard_line(machine, to, size);
    return length == -2 ? 0 : length;
}

void weft_keyboard_host(struct weft_unit_host *host)
{
    host->accept = accept_line;
    host->key = key;
    host->ekey = ekey;
    host->key_waits = key_waits;
}
