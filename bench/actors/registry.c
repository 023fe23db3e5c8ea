// registry.c: names.
#include "bench/actors/rows.h"

static void sleeper(struct weft_actor *self, void *state, struct weft_message *message)
{
    (void)state, (void)message;
    weft_stop(self, WEFT_EXIT_NORMAL);
}

static const struct weft_actor_kind sleeper_kind = {.name = "named", .handle = sleeper};

static void look_up(struct weft_actor *self, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        CHECK(weft_whereis(self, "bench_reg") != 0);
        weft_bench_pace(self, i);
    }
}

// Another actor gets a name and loses it.
static void register_and_back(struct weft_actor *self, uint64_t count)
{
    const weft_pid pid = weft_bench_spawn(self, &sleeper_kind, NULL);
    for (uint64_t i = 0; i < count; i++) {
        CHECK(weft_register(self, "bench_x", pid) == 0);
        CHECK(weft_unregister(self, "bench_x") == 0);
        weft_bench_pace(self, i);
    }
    weft_send(self, pid, 1, NULL, 0);
}

void weft_bench_group_registry(struct weft_actor *self)
{
    const weft_pid pid = weft_bench_spawn(self, &sleeper_kind, NULL);
    CHECK(weft_register(self, "bench_reg", pid) == 0);
    weft_bench_actors_row(self, "registry_whereis", 7, look_up, 1000000);
    weft_bench_actors_row(self, "registry_register_unreg", 40, register_and_back, 100000);
    weft_send(self, pid, 1, NULL, 0);
}
