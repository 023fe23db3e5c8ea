// rows.h: one row of `./do bench actors`: an operation done so many times by actors, in CPU and
// wall time. Rows have the names of the peers' (bench/peers), and do the same work.
//
// A row runs inside a stackful actor, the bench's own, as a user's program would: through the
// public headers and nothing else.
#ifndef WEFT_BENCH_ACTORS_ROWS_H
#define WEFT_BENCH_ACTORS_ROWS_H

#include <weft/weft.h>

struct weft_bench_actors; // One run of the program.

// Does `count` operations and waits until they are done.
typedef void weft_bench_work(struct weft_actor *self, uint64_t count);

// Times `work` five times after one that does not count, and prints the best, per operation.
// `goal_ns` 0: none.
void weft_bench_actors_row(struct weft_actor *self, const char *row, double goal_ns,
                           weft_bench_work *work, uint64_t count);
// A row that was measured otherwise.
void weft_bench_actors_value(struct weft_actor *self, const char *row, double goal, double value,
                             const char *unit);

uint64_t weft_bench_actors_now_ns(void);
uint64_t weft_bench_actors_rss_bytes(void);
bool weft_bench_actors_is_quick(void);
unsigned weft_bench_actors_cores(void);

// What every row may use.
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) weft_bench_actors_fail(__FILE__, __LINE__, #condition);                  \
    } while (0)
_Noreturn void weft_bench_actors_fail(const char *file, int line, const char *condition);

weft_pid weft_bench_spawn(struct weft_actor *self, const struct weft_actor_kind *kind,
                          const void *state);
void weft_bench_expect(struct weft_actor *self, uint64_t count); // Receives so many, whatever.

// The groups.
void weft_bench_group_call(struct weft_actor *self);
void weft_bench_group_spawn(struct weft_actor *self);
void weft_bench_group_super(struct weft_actor *self);
void weft_bench_group_ets(struct weft_actor *self);
void weft_bench_group_talk(struct weft_actor *self);
void weft_bench_group_yield(struct weft_actor *self);

#endif // WEFT_BENCH_ACTORS_ROWS_H
