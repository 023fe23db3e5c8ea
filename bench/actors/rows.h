// rows.h: one row of `./do bench actors`: an operation done so many times by actors, in CPU and
// wall time. Rows have the names of the peers' (bench/peers), and do the same work.
//
// A row runs inside a stackful actor, the bench's own, as a user's program would: through the
// public headers and nothing else. Where both kinds of actor make sense, the stackful one has the
// peers' name and the other ends in _callback.
#ifndef WEFT_BENCH_ACTORS_ROWS_H
#define WEFT_BENCH_ACTORS_ROWS_H

#include <weft/weft.h>

// Does `count` operations and waits until they are done.
typedef void weft_bench_work(struct weft_actor *self, uint64_t count);

// Times `work` five times after one that does not count, and prints the best, per operation.
// `goal_ns` 0: none.
void weft_bench_actors_row(struct weft_actor *self, const char *row, double goal_ns,
                           weft_bench_work *work, uint64_t count);
// A row that was measured otherwise. `unit` says of what; `goal` 0: none.
void weft_bench_actors_value(struct weft_actor *self, const char *row, double goal, double value,
                             const char *unit);
// The same, in nanoseconds of CPU and wall time.
void weft_bench_actors_time(const char *row, double goal_ns, double cpu_ns, double wall_ns);
// A remark that belongs to the rows around it.
void weft_bench_actors_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

// False if WEFT_BENCH_ROW names another row: one row alone, for a profiler.
bool weft_bench_actors_wants(const char *row);

uint64_t weft_bench_actors_now_ns(void);
uint64_t weft_bench_actors_cpu_ns(void); // Of the process.
// Of /proc/self/status: "VmRSS", "VmPTE" (page tables).
uint64_t weft_bench_actors_memory_bytes(const char *key);
bool weft_bench_actors_is_quick(void);
unsigned weft_bench_actors_cores(void);
unsigned weft_bench_actors_part(void); // Of a group with several.

// What every row may use.
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) weft_bench_actors_fail(__FILE__, __LINE__, #condition);                  \
    } while (0)
_Noreturn void weft_bench_actors_fail(const char *file, int line, const char *condition);

weft_pid weft_bench_spawn(struct weft_actor *self, const struct weft_actor_kind *kind,
                          const void *state);
void weft_bench_expect(struct weft_actor *self, uint64_t count); // Receives so many, whatever.

// For loops that send nothing: the i-th turn charges, now and then, what a user's loop would.
static inline void weft_bench_pace(struct weft_actor *self, uint64_t i)
{
    if (i % 128 == 127) weft_reduce(self, 500);
}

// Defines PREFIX_kinds: an actor whose `step` handles one message at a time and says whether it
// goes on, as a stackful one (0) that receives in a loop, and as a callback (1).
#define TWO_KINDS(prefix, step, bytes)                                                             \
    static void prefix##_main(struct weft_actor *self, void *state)                                \
    {                                                                                              \
        while (step(self, state, weft_receive(self, WEFT_FOREVER)))                                \
            continue;                                                                              \
    }                                                                                              \
    static void prefix##_handle(struct weft_actor *self, void *state,                              \
                                struct weft_message *message)                                      \
    {                                                                                              \
        if (!step(self, state, message)) weft_stop(self, WEFT_EXIT_NORMAL);                        \
    }                                                                                              \
    static const struct weft_actor_kind prefix##_kinds[2] = {                                      \
        {.name = #prefix, .state_bytes = (bytes), .main = prefix##_main},                          \
        {.name = #prefix, .state_bytes = (bytes), .handle = prefix##_handle},                      \
    }
enum { STACKFUL, CALLBACK };

// Defines NAME and NAME_callback, which do the same work with either kind.
#define TWO_ROWS(name, work)                                                                       \
    static void name(struct weft_actor *self, uint64_t count)                                      \
    {                                                                                              \
        work(self, STACKFUL, count);                                                               \
    }                                                                                              \
    static void name##_callback(struct weft_actor *self, uint64_t count)                           \
    {                                                                                              \
        work(self, CALLBACK, count);                                                               \
    }                                                                                              \
    _Static_assert(true, "so that a semicolon follows")

// The groups (groups.c).
void weft_bench_group_spawn(struct weft_actor *self);
void weft_bench_group_mem(struct weft_actor *self);
void weft_bench_group_pingpong(struct weft_actor *self);
void weft_bench_group_oneway(struct weft_actor *self);
void weft_bench_group_ring(struct weft_actor *self);
void weft_bench_group_yield(struct weft_actor *self);
void weft_bench_group_timer(struct weft_actor *self);
void weft_bench_group_selrecv(struct weft_actor *self);
void weft_bench_group_registry(struct weft_actor *self);
void weft_bench_group_ets(struct weft_actor *self);
void weft_bench_group_call(struct weft_actor *self);
void weft_bench_group_super(struct weft_actor *self);
void weft_bench_group_storm(struct weft_actor *self);
void weft_bench_group_savina(struct weft_actor *self);
void weft_bench_group_spread(struct weft_actor *self);
void weft_bench_group_idle(struct weft_actor *self);
void weft_bench_group_floor(void);

#endif // WEFT_BENCH_ACTORS_ROWS_H
