// figure.h: one figure of one row, as the programs of `./do bench actors` tell it to each other: a
// line of text, ours and the peers' (bench/peers/README.md) alike.
//
//     figure PEER CORES ROW CPU WALL UNIT GOAL
//     figure go 1 spawn_exit_seq 211.5 411.9 ns -
//
// "-" stands for what was not measured, or for no goal.
#ifndef WEFT_BENCH_ACTORS_FIGURE_H
#define WEFT_BENCH_ACTORS_FIGURE_H

#include <stdbool.h>
#include <stdio.h>

#define WEFT_BENCH_OURS "weft" // Our own name as a peer.

struct weft_bench_figure {
    char peer[16];
    unsigned cores;
    char row[40];
    double cpu, wall; // Per operation, in `unit`; NAN: not measured.
    char unit[8];     // ns, us, ms; or what is no time: bytes, %.
    double goal;      // At most; NAN: none.
};

void weft_bench_figure_write(FILE *file, const struct weft_bench_figure *figure);
// False if `line` is no figure.
bool weft_bench_figure_read(const char *line, struct weft_bench_figure *figure);

// Nanoseconds of one `unit`; 0 if it is no time.
double weft_bench_unit_ns(const char *unit);

#endif // WEFT_BENCH_ACTORS_FIGURE_H
