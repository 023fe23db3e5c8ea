#include "forth/play.h"

#include "forth/family.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "forth/keyboard.h"

// Among children a slice is short, as in a node.
enum { SLICE = 100000, FAMILY_SLICE = 2000, UNSUPPORTED = -21, USER_INTERRUPT = -28 };

const struct weft_unit_options weft_play_options = {
    .memory_bytes_max = 1 << 28,
    .stack_cells_max = 4096,
    .call_depth_max = 4096,
    .output_bytes_max = 1 << 20,
    .sandbox_reductions_max = 1000000,
    .places = true,
};

static volatile int interrupted; // The only state that a signal handler can reach.

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

volatile int *weft_play_catch_interrupt(void)
{
    const struct sigaction action = {.sa_handler = on_interrupt}; // No SA_RESTART: reads end.
    sigaction(SIGINT, &action, NULL);
    return &interrupted;
}

void weft_play_clear_interrupt(void)
{
    interrupted = 0;
}

// To a terminal at once, for somebody waits there.
void weft_play_output(struct weft_unit *unit, FILE *out)
{
    char text[4096];
    size_t length;
    if (weft_unit_output_bytes(unit) == 0) return;
    while ((length = weft_unit_output_take(unit, text, sizeof(text))) > 0)
        fwrite(text, 1, length, out);
    if (isatty(fileno(out))) fflush(out);
}

// Sleeps until then, or until ^C, which is let in only while we sleep: it cannot come between the
// look at its flag and the sleep.
static void sleep_until(uint64_t wake_ns)
{
    struct timespec now, rest = {0};
    sigset_t blocked, usual;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const uint64_t now_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    if (wake_ns > now_ns) {
        rest.tv_sec = (time_t)((wake_ns - now_ns) / 1000000000u);
        rest.tv_nsec = (long)((wake_ns - now_ns) % 1000000000u);
    }
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigprocmask(SIG_BLOCK, &blocked, &usual);
    if (!interrupted) ppoll(NULL, 0, &rest, &usual);
    sigprocmask(SIG_SETMASK, &usual, NULL);
}

// Why nobody runs for now, if so.
struct pause {
    bool goes_on;     // Somebody does.
    bool asks;        // The unit asks for input;
    uint64_t wake_ns; // whoever waits for a time is to be woken then. 0: nobody does.
};

// A turn of the unit and its children.
static enum weft_unit_state turn(struct weft_unit *unit, struct weft_machine *machine,
                                 struct pause *pause)
{
    const uint32_t slice = weft_family_has_children(machine) ? FAMILY_SLICE : SLICE;
    const uint64_t events = weft_family_events(machine);
    uint32_t reductions = slice;
    struct weft_unit_info info;
    const enum weft_unit_state state = weft_unit_run(unit, &reductions);
    weft_play_output(unit, machine->out);
    if (state != WEFT_UNIT_AGAIN && state != WEFT_UNIT_WAIT) return state;
    weft_unit_inspect(unit, &info);
    *pause = (struct pause){.asks = info.waits == WEFT_UNIT_WAITS_INPUT,
                            .wake_ns = state == WEFT_UNIT_WAIT ? info.wake_ns : 0};
    const bool runs = weft_family_turn(machine, slice, &pause->wake_ns);
    pause->goes_on = runs || state == WEFT_UNIT_AGAIN || weft_family_events(machine) != events;
    return state;
}

// While others go on, one that asks only has a look whether something has been typed.
static void rest(struct weft_machine *machine, const struct pause *pause)
{
    if (!pause->goes_on) fflush(machine->out);
    if (pause->asks)
        weft_keyboard_wait(machine, pause->goes_on ? 1 : pause->wake_ns);
    else if (!pause->goes_on)
        sleep_until(pause->wake_ns);
}

static enum weft_unit_state play(struct weft_unit *unit, struct weft_machine *machine)
{
    for (;;) {
        struct pause pause;
        const enum weft_unit_state state = turn(unit, machine, &pause);
        if (state != WEFT_UNIT_AGAIN && state != WEFT_UNIT_WAIT) return state;
        const bool is_stuck =
            !pause.goes_on && !pause.asks && pause.wake_ns == 0 && machine->family != NULL;
        if (!is_stuck) rest(machine, &pause);
        const bool is_interrupted = machine->interrupted != NULL && *machine->interrupted;
        if (!is_interrupted && !is_stuck) continue;
        if (!is_interrupted) fputs("every unit waits, and nobody is left to end that\n", stderr);
        weft_unit_cancel(unit, is_interrupted ? USER_INTERRUPT : WEFT_THROW_NOBODY);
        return WEFT_UNIT_FAULT;
    }
}

enum weft_unit_state weft_play(struct weft_unit *unit, struct weft_machine *machine)
{
    const enum weft_unit_state state = play(unit, machine);
    weft_keyboard_rest(machine);
    return state;
}

int weft_play_report(const struct weft_unit_error *error, const struct weft_machine *machine)
{
    char text[2048];
    weft_unit_error_render(error, text, sizeof(text));
    fflush(stdout);
    fputs(text, stderr);
    if (error->code == UNSUPPORTED && machine->root < 0) {
        fputs("there is neither a node here, nor files (--no-files)\n", stderr);
    } else if (error->code == UNSUPPORTED) {
        fputs("weft forth runs without a node; what reaches one works after `weft unit load`\n",
              stderr);
    }
    return error->code < 0 && error->code >= -62 ? -error->code : WEFT_PLAY_OTHER_THROW;
}
