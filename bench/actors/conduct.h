// conduct.h: runs the programs of `./do bench actors`, group by group: ours, then each peer's, one
// after the other, so that what disturbs the machine disturbs all of them alike.
#ifndef WEFT_BENCH_ACTORS_CONDUCT_H
#define WEFT_BENCH_ACTORS_CONDUCT_H

#include <stdbool.h>

#include "bench/actors/groups.h"
#include "bench/actors/sheet.h"
#include "bench/context.h"

struct weft_bench_conductor {
    struct weft_bench *bench;
    struct weft_bench_sheet *sheet;
    const char *peers; // A directory of programs: PEER CORES GROUP [quick]. NULL: none.
    unsigned passes;   // Each program so often; the best counts.
};

// Runs a group with so many cores and prints its rows.
void weft_bench_conduct(struct weft_bench_conductor *conductor,
                        const struct weft_bench_group *group, unsigned cores);

#endif // WEFT_BENCH_ACTORS_CONDUCT_H
