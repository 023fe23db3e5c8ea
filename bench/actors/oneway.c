// oneway.c: messages that are not answered: from one to one, from many to one, from one to many.
#include "bench/actors/rows.h"

enum { MESSAGE = 1, DONE, MANY = 1000 };

struct job {
    weft_pid to, referee;
    uint64_t count;
};

static bool sink(struct weft_actor *self, void *state, struct weft_message *message)
{
    struct job *job = state;
    (void)message;
    if (--job->count > 0) return true;
    weft_send(self, job->referee, DONE, NULL, 0);
    return false;
}

TWO_KINDS(sink, sink, sizeof(struct job));

static void source(struct weft_actor *self, void *state)
{
    const struct job *job = state;
    for (uint64_t i = 0; i < job->count; i++)
        weft_send(self, job->to, MESSAGE, NULL, 0);
}

static const struct weft_actor_kind source_kind = {
    .name = "source", .state_bytes = sizeof(struct job), .main = source};

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

static void do_one_way(struct weft_actor *self, unsigned kind, uint64_t count)
{
    many_to_one(self, &sink_kinds[kind], 1, count);
}

static void do_fan_in(struct weft_actor *self, unsigned kind, uint64_t count)
{
    many_to_one(self, &sink_kinds[kind], MANY, (count + MANY - 1) / MANY);
}

static void do_fan_out(struct weft_actor *self, unsigned kind, uint64_t count)
{
    weft_pid sinks[MANY];
    const struct job job = {.referee = weft_self(self), .count = (count + MANY - 1) / MANY};
    for (unsigned i = 0; i < MANY; i++)
        sinks[i] = weft_bench_spawn(self, &sink_kinds[kind], &job);
    for (uint64_t n = 0; n < job.count; n++) {
        for (unsigned i = 0; i < MANY; i++)
            weft_send(self, sinks[i], MESSAGE, NULL, 0);
    }
    weft_bench_expect(self, MANY);
}

TWO_ROWS(one_way, do_one_way);
TWO_ROWS(fan_in, do_fan_in);
TWO_ROWS(fan_out, do_fan_out);

void weft_bench_group_oneway(struct weft_actor *self)
{
    weft_bench_actors_row(self, "oneway_1to1", 7, one_way, 1000000);
    weft_bench_actors_row(self, "oneway_1to1_callback", 7, one_way_callback, 1000000);
    weft_bench_actors_row(self, "fanin_1000", 9, fan_in, 1000000);
    weft_bench_actors_row(self, "fanin_1000_callback", 9, fan_in_callback, 1000000);
    weft_bench_actors_row(self, "fanout_1000", 22, fan_out, 1000000);
    weft_bench_actors_row(self, "fanout_1000_callback", 22, fan_out_callback, 1000000);
}
