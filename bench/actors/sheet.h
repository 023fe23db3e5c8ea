// sheet.h: the figures of one run of `./do bench actors`, ours and the peers', and how they are
// shown: a table for people, or one JSON object for each figure.
#ifndef WEFT_BENCH_ACTORS_SHEET_H
#define WEFT_BENCH_ACTORS_SHEET_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/actors/figure.h"

#define WEFT_BENCH_FIGURES_MAX 4096

struct weft_bench_sheet {
    bool json, has_peers;
    size_t count;
    struct weft_bench_figure figures[WEFT_BENCH_FIGURES_MAX];
};

// Keeps `figure`; of one that is there already, whichever is better. False: the table is full.
bool weft_bench_sheet_add(struct weft_bench_sheet *sheet, const struct weft_bench_figure *figure);

// Says what the columns mean, before the first row with so many cores.
void weft_bench_sheet_head(const struct weft_bench_sheet *sheet, unsigned cores);
// Prints the figures from `from` on, which are all of one number of cores.
void weft_bench_sheet_print(const struct weft_bench_sheet *sheet, size_t from);
// Prints which of our rows missed their goals, which were behind a peer, and which were slower on
// `cores` than on one.
void weft_bench_sheet_sum(const struct weft_bench_sheet *sheet, unsigned cores);

#endif // WEFT_BENCH_ACTORS_SHEET_H
