#include "forth/play.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>

enum { SLICE = 100000, UNSUPPORTED = -21, USER_INTERRUPT = -28 };

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

static void flush_output(struct weft_unit *unit, FILE *out)
{
    char text[4096];
    size_t length;
    while ((length = weft_unit_output_take(unit, text, sizeof(text))) > 0)
        fwrite(text, 1, length, out);
}

// Parked in MS: sleep until then, or until ^C. In RECEIVE nothing can ever come here.
static void sleep_until(const struct weft_unit *unit, FILE *out)
{
    struct weft_unit_info info;
    weft_unit_inspect(unit, &info);
    const struct timespec wake = {.tv_sec = (time_t)(info.wake_ns / 1000000000u),
                                  .tv_nsec = (long)(info.wake_ns % 1000000000u)};
    fflush(out);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, NULL);
}

enum weft_unit_state weft_play(struct weft_unit *unit, struct weft_machine *machine)
{
    for (;;) {
        uint32_t reductions = SLICE;
        const enum weft_unit_state state = weft_unit_run(unit, &reductions);
        flush_output(unit, machine->out);
        if (state != WEFT_UNIT_AGAIN && state != WEFT_UNIT_WAIT) return state;
        if (state == WEFT_UNIT_WAIT && (machine->interrupted == NULL || !*machine->interrupted))
            sleep_until(unit, machine->out);
        if (machine->interrupted == NULL || !*machine->interrupted) continue;
        weft_unit_cancel(unit, USER_INTERRUPT);
        return WEFT_UNIT_FAULT;
    }
}

int weft_play_report(const struct weft_unit_error *error)
{
    char text[2048];
    weft_unit_error_render(error, text, sizeof(text));
    fflush(stdout);
    fputs(text, stderr);
    if (error->code == UNSUPPORTED)
        fputs("weft forth runs without a node; what reaches one works after `weft unit load`\n",
              stderr);
    return error->code < 0 && error->code >= -62 ? -error->code : WEFT_PLAY_OTHER_THROW;
}
