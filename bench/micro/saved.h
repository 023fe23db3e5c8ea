// saved.h: what a checkpoint of a unit costs, and a unit made of one.
#ifndef WEFT_BENCH_MICRO_SAVED_H
#define WEFT_BENCH_MICRO_SAVED_H

#include "bench/context.h"

// Prints its rows.
void weft_bench_saved(struct weft_bench *out);

#endif // WEFT_BENCH_MICRO_SAVED_H
