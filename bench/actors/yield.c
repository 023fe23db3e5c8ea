// yield.c: giving the core to another one.
#include "bench/actors/rows.h"

struct turns {
    weft_pid referee;
    uint64_t count;
};

static void take_turns(struct weft_actor *self, void *state)
{
    const struct turns *turns = state;
    for (uint64_t i = 0; i < turns->count; i++)
        weft_yield(self);
    weft_send(self, turns->referee, 1, NULL, 0);
}

static const struct weft_actor_kind kind = {
    .name = "yield", .state_bytes = sizeof(struct turns), .main = take_turns};

static void crowd(struct weft_actor *self, unsigned actors, uint64_t count)
{
    const struct turns turns = {.referee = weft_self(self), .count = count / actors};
    for (unsigned i = 0; i < actors; i++)
        weft_bench_spawn(self, &kind, &turns);
    weft_bench_expect(self, actors);
}

static void two(struct weft_actor *self, uint64_t count)
{
    crowd(self, 2, count);
}

static void thousand(struct weft_actor *self, uint64_t count)
{
    crowd(self, 1000, count);
}

void weft_bench_group_yield(struct weft_actor *self)
{
    weft_bench_actors_row(self, "yield_2procs", 5, two, 2000000);
    weft_bench_actors_row(self, "yield_1000procs", 9, thousand, 1000000);
}
