// dealings.h: what it costs units to have to do with each other.
#ifndef WEFT_BENCH_MICRO_DEALINGS_H
#define WEFT_BENCH_MICRO_DEALINGS_H

#include "bench/context.h"

// Prints its rows. `peers`: a directory of programs that do the same (beside.h), run between our
// runs; NULL: none.
void weft_bench_dealings(struct weft_bench *out, const char *peers);

#endif // WEFT_BENCH_MICRO_DEALINGS_H
