// context.h: what every bench says about itself: the machine, the medium, the time that others
// took; then its rows, as a table or as lines of JSON.
//
//     weft_bench_begin(&bench, "actors", "one process", argc, argv);
//     weft_bench_row(&bench, "yield, two actors", 5.2, "ns", "goal 5");
//     weft_bench_end(&bench);
//
// Lost time: a thread that only reads the clock, for 50 ms each at the beginning, at the end and
// wherever a bench asks, counts the gaps longer than 10 us: time in which the machine did something
// else. Beside it stands what the whole machine was busy with, from /proc/stat. A figure beside a
// lost time of more than 5 % is contended: a lower bound of speed, no verdict.
//
// One thread. Not for what ships: it prints, spins and asserts.
#ifndef WEFT_BENCH_CONTEXT_H
#define WEFT_BENCH_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/env/clock.h"
#include "runtime/env/entropy.h"

struct weft_bench {
    const char *name, *medium;
    bool json;          // --json: one object per line.
    bool quick;         // --quick: a tenth of the work, to see that it runs.
    int argument_count; // What is left of the command line; arguments[0] is the first.
    char **arguments;
    uint64_t begun_ns;
    uint64_t probed_ns, lost_ns, gap_ns_max;     // Of the gap detector.
    uint64_t busy_ticks, steal_ticks, all_ticks; // Of /proc/stat, at the beginning.
};

// Reads --json and --quick, measures the machine and prints the block.
void weft_bench_begin(struct weft_bench *bench, const char *name, const char *medium, int argc,
                      char **argv);
// Spins for 50 ms more and counts what it loses.
void weft_bench_probe(struct weft_bench *bench);
// One figure. `note` (may be NULL) says goal or peer. NAN as the value: "not measured".
void weft_bench_row(struct weft_bench *bench, const char *row, double value, const char *unit,
                    const char *note);
// A line of text that belongs to the rows around it.
void weft_bench_say(struct weft_bench *bench, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// Prints the lost time and whether the figures are contended.
void weft_bench_end(struct weft_bench *bench);

uint64_t weft_bench_now_ns(void); // CLOCK_MONOTONIC.
// For a node: that clock, which is its wall clock, too; and chance that is the same in each run.
struct weft_clock weft_bench_clock(void);
struct weft_entropy weft_bench_entropy(void);
uint64_t weft_bench_cpu_ns(void); // Of this thread.
// The CPU's constant counter (TSC, cntvct): not its core clock, which may be faster or slower.
uint64_t weft_bench_ticks(void);
double weft_bench_ticks_per_ns(void); // Measured once, over 20 ms.

// Sorts `values` and answers the one at `permille`; 0 if there are none.
uint64_t weft_bench_percentile(uint64_t *values, size_t count, unsigned permille);

#endif // WEFT_BENCH_CONTEXT_H
