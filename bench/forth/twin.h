// twin.h: what the C twins of the Forth programs share. Each computes the same result by the same
// steps in 64-bit integers; `noinline` stands where a Forth word is called many times.
#ifndef WEFT_BENCH_FORTH_TWIN_H
#define WEFT_BENCH_FORTH_TWIN_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

static inline void weft_twin_print(int64_t value)
{
    printf("%" PRId64 " ", value);
}

#endif // WEFT_BENCH_FORTH_TWIN_H
