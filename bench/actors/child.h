// child.h: the process that runs one group of our rows and prints their figures as lines.
#ifndef WEFT_BENCH_ACTORS_CHILD_H
#define WEFT_BENCH_ACTORS_CHILD_H

#include <stdbool.h>

#include "bench/actors/groups.h"

struct weft_bench_child {
    const struct weft_bench_group *group;
    unsigned part, cores;
    bool quick;
};

// Its exit status.
int weft_bench_child_run(const struct weft_bench_child *child);

#endif // WEFT_BENCH_ACTORS_CHILD_H
