// spread.c: work that a second core can halve: pairs that talk to nobody else, and plain computing.
// The runtime is told nothing: all are made on the first core.
#include "bench/actors/rows.h"

enum { PING = 1, STOP, DONE, PAIRS = 8, WORKERS = 64, FIB = 20 };

struct player {
    weft_pid referee, partner;
    uint64_t count;
};

static void pong(struct weft_actor *self, void *state)
{
    (void)state;
    for (;;) {
        const struct weft_message *message = weft_receive(self, WEFT_FOREVER);
        if (message->type == STOP) return;
        weft_send(self, message->from, PING, NULL, 0);
    }
}

static void ping(struct weft_actor *self, void *state)
{
    const struct player *player = state;
    for (uint64_t i = 0; i < player->count; i++) {
        weft_send(self, player->partner, PING, NULL, 0);
        weft_receive(self, WEFT_FOREVER);
    }
    weft_send(self, player->partner, STOP, NULL, 0);
    weft_send(self, player->referee, DONE, NULL, 0);
}

static const struct weft_actor_kind pong_kind = {.name = "pong", .main = pong};
static const struct weft_actor_kind ping_kind = {
    .name = "ping", .state_bytes = sizeof(struct player), .main = ping};

static void pairs(struct weft_actor *self, uint64_t count)
{
    struct player player = {.referee = weft_self(self), .count = count / PAIRS};
    for (unsigned i = 0; i < PAIRS; i++) {
        player.partner = weft_bench_spawn(self, &pong_kind, NULL);
        weft_bench_spawn(self, &ping_kind, &player);
    }
    weft_bench_expect(self, PAIRS);
}

// ---- Computing: fib by recursion, again and again, with a word to the runtime in between.

// In a variable, so that the compiler cannot know it.
static uint64_t fib(volatile unsigned *calls, unsigned n)
{
    ++*calls;
    return n < 3 ? 1 : fib(calls, n - 1) + fib(calls, n - 2);
}

static void compute(struct weft_actor *self, void *state)
{
    const struct player *player = state;
    volatile unsigned calls = 0;
    for (uint64_t i = 0; i < player->count; i++) {
        CHECK(fib(&calls, FIB) == 6765);
        weft_reduce(self, 500); // 10 us and more.
    }
    weft_send(self, player->referee, DONE, NULL, 0);
}

static const struct weft_actor_kind compute_kind = {
    .name = "compute", .state_bytes = sizeof(struct player), .main = compute};

static void computing(struct weft_actor *self, uint64_t count)
{
    const struct player player = {.referee = weft_self(self), .count = count / WORKERS};
    for (unsigned i = 0; i < WORKERS; i++)
        weft_bench_spawn(self, &compute_kind, &player);
    weft_bench_expect(self, WORKERS);
}

void weft_bench_group_spread(struct weft_actor *self)
{
    weft_bench_actors_row(self, "pairs_8", 0, pairs, 4000000);
    weft_bench_actors_row(self, "compute_64", 0, computing, 12800);
}
