// pingpong.c: a message there and back.
#include <string.h>

#include "bench/actors/rows.h"

enum { PING = 1, STOP, DONE };

static void pong(struct weft_actor *self, void *state)
{
    (void)state;
    for (;;) {
        struct weft_message *message = weft_receive(self, WEFT_FOREVER);
        if (message->type == STOP) return;
        weft_send(self, message->from, PING, NULL, 0);
    }
}

static const struct weft_actor_kind pong_kind = {.name = "pong", .main = pong};

static void ping(struct weft_actor *self, weft_pid partner, uint64_t count)
{
    while (count-- > 0) {
        weft_send(self, partner, PING, NULL, 0);
        weft_bench_expect(self, 1);
    }
    weft_send(self, partner, STOP, NULL, 0);
}

static void ping_pong(struct weft_actor *self, uint64_t count)
{
    ping(self, weft_bench_spawn(self, &pong_kind, NULL), count);
}

// The bench's own actor is pinned to the first core, its partner to the second.
static void ping_pong_apart(struct weft_actor *self, uint64_t count)
{
    const struct weft_spawn spawn = {.kind = &pong_kind, .core = 1, .pinned = true};
    weft_pid partner;
    CHECK(weft_spawn(self, &spawn, &partner) == 0);
    ping(self, partner, count);
}

// ---- Two callback actors.

struct ball {
    weft_pid partner, referee;
    uint64_t left;
};

static void bounce(struct weft_actor *self, void *state, struct weft_message *message)
{
    struct ball *ball = state;
    if (message->type == STOP) {
        weft_stop(self, WEFT_EXIT_NORMAL);
        return;
    }
    if (ball->partner == 0) memcpy(&ball->partner, message->payload, sizeof(ball->partner));
    if (ball->left-- == 0) {
        weft_send(self, ball->referee, DONE, NULL, 0);
        weft_send(self, ball->partner, STOP, NULL, 0);
        weft_stop(self, WEFT_EXIT_NORMAL);
        return;
    }
    const weft_pid own = weft_self(self);
    weft_send(self, ball->partner, PING, &own, sizeof(own));
}

static const struct weft_actor_kind bounce_kind = {
    .name = "bounce", .state_bytes = sizeof(struct ball), .handle = bounce};

static void ping_pong_callback(struct weft_actor *self, uint64_t count)
{
    const struct ball ball = {.referee = weft_self(self), .left = count};
    const weft_pid a = weft_bench_spawn(self, &bounce_kind, &ball);
    const weft_pid b = weft_bench_spawn(self, &bounce_kind, &ball);
    weft_send(self, a, PING, &b, sizeof(b));
    weft_bench_expect(self, 1);
}

void weft_bench_group_pingpong(struct weft_actor *self)
{
    // Two cores: the runtime pulls the pair together.
    const bool apart = weft_bench_actors_cores() > 1;
    weft_bench_actors_row(self, "pingpong", apart ? 50 : 25, ping_pong, 500000);
    weft_bench_actors_row(self, "pingpong_callback", apart ? 50 : 25, ping_pong_callback, 500000);
    if (apart) weft_bench_actors_row(self, "pingpong_2core", 1500, ping_pong_apart, 100000);
}
