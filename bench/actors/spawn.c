// spawn.c: making actors and seeing them end.
#include "bench/actors/rows.h"

static void nothing(struct weft_actor *self, void *state)
{
    (void)self, (void)state;
}

static void tell_parent(struct weft_actor *self, void *state)
{
    (void)state;
    weft_send(self, weft_parent(self), 1, NULL, 0);
}

static void answer_once(struct weft_actor *self, void *state, struct weft_message *message)
{
    (void)state;
    weft_send(self, message->from, 1, NULL, 0);
    weft_stop(self, WEFT_EXIT_NORMAL);
}

static void tell_parent_last(struct weft_actor *self, void *state)
{
    weft_send(self, *(weft_pid *)state, 1, NULL, 0);
}

static const struct weft_actor_kind nothing_kind = {.name = "nothing", .main = nothing};
static const struct weft_actor_kind tell_kind = {.name = "tell", .main = tell_parent};
static const struct weft_actor_kind answer_kind = {.name = "answer", .handle = answer_once};
static const struct weft_actor_kind last_kind = {
    .name = "last", .state_bytes = sizeof(weft_pid), .main = tell_parent_last};

static void one_by_one(struct weft_actor *self, uint64_t count)
{
    while (count-- > 0) {
        weft_bench_spawn(self, &tell_kind, NULL);
        weft_bench_expect(self, 1);
    }
}

// A callback actor does nothing by itself: it is sent a message as well.
static void one_by_one_callback(struct weft_actor *self, uint64_t count)
{
    while (count-- > 0) {
        weft_send(self, weft_bench_spawn(self, &answer_kind, NULL), 1, NULL, 0);
        weft_bench_expect(self, 1);
    }
}

// Made without waiting for any; the last one to be made ends last, or nearly.
static void flood(struct weft_actor *self, uint64_t count)
{
    const weft_pid own = weft_self(self);
    for (uint64_t i = 1; i < count; i++) {
        weft_bench_spawn(self, &nothing_kind, NULL);
        weft_bench_pace(self, i);
    }
    weft_bench_spawn(self, &last_kind, &own);
    weft_bench_expect(self, 1);
}

static void monitored(struct weft_actor *self, uint64_t count)
{
    while (count-- > 0) {
        weft_pid pid;
        uint64_t reference;
        const struct weft_spawn spawn = {.kind = &nothing_kind};
        CHECK(weft_spawn_monitor(self, &spawn, &pid, &reference) == 0);
        CHECK(weft_receive(self, WEFT_FOREVER)->tag == WEFT_MESSAGE_DOWN);
    }
}

void weft_bench_group_spawn(struct weft_actor *self)
{
    weft_bench_actors_row(self, "spawn_exit_seq", 40, one_by_one, 500000);
    weft_bench_actors_row(self, "spawn_exit_seq_callback", 0, one_by_one_callback, 500000);
    weft_bench_actors_row(self, "spawn_exit_1M", 150, flood, 1000000);
    weft_bench_actors_row(self, "spawn_monitor_seq", 90, monitored, 500000);
}
