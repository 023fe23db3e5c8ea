// beside.h: the work of a row on another runtime, in a process of its own.
//
// DIRECTORY/PEER ROW COUNT CORES does it COUNT times and prints the nanoseconds that one took: of
// CPU on one core, by the clock on more (bench/forth/dealings.go, dealings.py; bench/run.sh puts
// them there).
#ifndef WEFT_BENCH_MICRO_BESIDE_H
#define WEFT_BENCH_MICRO_BESIDE_H

#include <stdbool.h>

// False: it is not installed.
bool weft_bench_beside_has(const char *directory, const char *peer);
// One run. NAN: it failed, or was not done after half a minute.
double weft_bench_beside_ns(const char *directory, const char *peer, const char *row,
                            unsigned count, unsigned cores);

#endif // WEFT_BENCH_MICRO_BESIDE_H
