// row.h: how the C and C++ libraries here measure and tell: `PROGRAM 1 GROUP [quick]`, and nothing
// where there is more than one scheduler. See README.md.
//
//     int main(int argc, char **argv)
//     {
//         struct rows rows;
//         if (!rows_begin(&rows, "st", argc, argv)) return 0;
//         if (rows_are(&rows, "spawn"))
//             ROW(&rows, "spawn_exit_seq", 100000, …what does 100 000 of them…);
//     }
#ifndef WEFT_BENCH_PEERS_ROW_H
#define WEFT_BENCH_PEERS_ROW_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct rows {
    const char *peer, *group;
    int runs;
};

static inline bool rows_begin(struct rows *rows, const char *peer, int argc, char **argv)
{
    if (argc < 3 || atoi(argv[1]) != 1) return false;
    rows->peer = peer;
    rows->group = argv[2];
    rows->runs = argc > 3 ? 1 : 5;
    return true;
}

static inline bool rows_are(const struct rows *rows, const char *group)
{
    return strcmp(rows->group, group) == 0;
}

static inline double row_clock_ns(clockid_t clock)
{
    struct timespec at;
    clock_gettime(clock, &at);
    return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

// Runs `...`, which does `count` operations, so often, and tells the best.
#define ROW(rows, name, count, ...)                                                                \
    do {                                                                                           \
        double cpu_ = 1e99, wall_ = 1e99;                                                          \
        for (int run_ = 0; run_ < (rows)->runs; run_++) {                                          \
            const double cpu_begun_ = row_clock_ns(CLOCK_PROCESS_CPUTIME_ID);                      \
            const double begun_ = row_clock_ns(CLOCK_MONOTONIC);                                   \
            __VA_ARGS__;                                                                           \
            const double wall_now_ = (row_clock_ns(CLOCK_MONOTONIC) - begun_) / (count);           \
            const double cpu_now_ =                                                                \
                (row_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_begun_) / (count);                   \
            if (wall_now_ < wall_) wall_ = wall_now_;                                              \
            if (cpu_now_ < cpu_) cpu_ = cpu_now_;                                                  \
        }                                                                                          \
        printf("figure %s 1 %s %.2f %.2f ns -\n", (rows)->peer, name, cpu_, wall_);                \
        fflush(stdout);                                                                            \
    } while (0)

#endif // WEFT_BENCH_PEERS_ROW_H
