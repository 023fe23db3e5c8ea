// talk.c: messages to and fro, one way, to one, from one, and round.
#include <string.h>

#include "bench/actors/rows.h"

enum { PING = 1, STOP, DONE };

// ---- To and fro.

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

static void ping(struct weft_actor *self, const struct weft_actor_kind *kind, uint64_t count)
{
    const weft_pid partner = weft_bench_spawn(self, kind, NULL);
    while (count-- > 0) {
        weft_send(self, partner, PING, NULL, 0);
        weft_bench_expect(self, 1);
    }
    weft_send(self, partner, STOP, NULL, 0);
}

static void ping_pong(struct weft_actor *self, uint64_t count)
{
    ping(self, &pong_kind, count);
}

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

// ---- One way.

struct job {
    weft_pid to, referee;
    uint64_t count;
};

static void sink(struct weft_actor *self, void *state)
{
    const struct job *job = state;
    weft_bench_expect(self, job->count);
    weft_send(self, job->referee, DONE, NULL, 0);
}

static void source(struct weft_actor *self, void *state)
{
    const struct job *job = state;
    for (uint64_t i = 0; i < job->count; i++)
        weft_send(self, job->to, PING, NULL, 0);
}

static const struct weft_actor_kind sink_kind = {
    .name = "sink", .state_bytes = sizeof(struct job), .main = sink};
static const struct weft_actor_kind source_kind = {
    .name = "source", .state_bytes = sizeof(struct job), .main = source};

static void sink_handle(struct weft_actor *self, void *state, struct weft_message *message)
{
    struct job *job = state;
    (void)message;
    if (--job->count > 0) return;
    weft_send(self, job->referee, DONE, NULL, 0);
    weft_stop(self, WEFT_EXIT_NORMAL);
}

static const struct weft_actor_kind sink_callback_kind = {
    .name = "sink", .state_bytes = sizeof(struct job), .handle = sink_handle};

static void many_to_one(struct weft_actor *self, const struct weft_actor_kind *kind,
                        uint64_t senders, uint64_t each)
{
    const struct job all = {.referee = weft_self(self), .count = senders * each};
    const weft_pid to = weft_bench_spawn(self, kind, &all);
    const struct job one = {.to = to, .count = each};
    for (uint64_t i = 0; i < senders; i++)
        weft_bench_spawn(self, &source_kind, &one);
    weft_bench_expect(self, 1);
}

static void one_way(struct weft_actor *self, uint64_t count)
{
    many_to_one(self, &sink_kind, 1, count);
}

static void one_way_callback(struct weft_actor *self, uint64_t count)
{
    many_to_one(self, &sink_callback_kind, 1, count);
}

static void fan_in(struct weft_actor *self, uint64_t count)
{
    many_to_one(self, &sink_kind, 1000, count / 1000);
}

static void fan_out(struct weft_actor *self, uint64_t count)
{
    enum { SINKS = 1000 };
    weft_pid sinks[SINKS];
    const struct job job = {.referee = weft_self(self), .count = count / SINKS};
    for (unsigned i = 0; i < SINKS; i++)
        sinks[i] = weft_bench_spawn(self, &sink_kind, &job);
    for (uint64_t n = 0; n < job.count; n++) {
        for (unsigned i = 0; i < SINKS; i++)
            weft_send(self, sinks[i], PING, NULL, 0);
    }
    weft_bench_expect(self, SINKS);
}

// ---- Round.

static void ring_node(struct weft_actor *self, void *state)
{
    struct job *job = state;
    for (;;) {
        struct weft_message *message = weft_receive(self, WEFT_FOREVER);
        if (job->to == 0) { // The first learns last who comes next.
            memcpy(&job->to, message->payload, sizeof(job->to));
            continue;
        }
        if (message->type == STOP) break;
        uint64_t left;
        memcpy(&left, message->payload, sizeof(left));
        if (left == 0) {
            weft_send(self, job->referee, DONE, NULL, 0);
            break;
        }
        left--;
        weft_send(self, job->to, PING, &left, sizeof(left));
    }
    weft_send(self, job->to, STOP, NULL, 0);
}

static const struct weft_actor_kind ring_kind = {
    .name = "ring", .state_bytes = sizeof(struct job), .main = ring_node};

static void ring(struct weft_actor *self, uint64_t count)
{
    struct job job = {.referee = weft_self(self)};
    const weft_pid head = weft_bench_spawn(self, &ring_kind, &job);
    job.to = head;
    for (unsigned i = 1; i < 503; i++)
        job.to = weft_bench_spawn(self, &ring_kind, &job);
    weft_send(self, head, PING, &job.to, sizeof(job.to));
    weft_send(self, job.to, PING, &count, sizeof(count));
    weft_bench_expect(self, 1);
}

void weft_bench_group_talk(struct weft_actor *self)
{
    weft_bench_actors_row(self, "pingpong", 25, ping_pong, 500000);
    weft_bench_actors_row(self, "pingpong_callback", 25, ping_pong_callback, 500000);
    weft_bench_actors_row(self, "oneway_1to1", 7, one_way, 1000000);
    weft_bench_actors_row(self, "oneway_1to1_callback", 7, one_way_callback, 1000000);
    weft_bench_actors_row(self, "fanin_1000", 9, fan_in, 1000000);
    weft_bench_actors_row(self, "fanout_1000", 22, fan_out, 1000000);
    weft_bench_actors_row(self, "ring_503", 28, ring, 1000000);
}
