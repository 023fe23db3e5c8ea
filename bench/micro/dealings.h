// dealings.h: what it costs units to have to do with each other.
#ifndef WEFT_BENCH_MICRO_DEALINGS_H
#define WEFT_BENCH_MICRO_DEALINGS_H

#include "bench/context.h"

// Prints its rows.
void weft_bench_dealings(struct weft_bench *out);

#endif // WEFT_BENCH_MICRO_DEALINGS_H
