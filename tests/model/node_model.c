// node_model.c: actors that move, on the runtime as it is, with every stale value of memory.
#include <stdio.h>

#include "runtime/actor/internal.h"
#include "tests/model/model.h"
#include "tests/model/world_node.h"

static struct world world;
static weft_pid wanderer, rock;
static unsigned got;

static void count(struct weft_actor *self, void *state, struct weft_message *message)
{
    (void)self, (void)state, (void)message;
    got++;
}

static const struct weft_actor_kind kind = {.name = "counter", .handle = count};

static weft_pid spawn(unsigned core, bool pinned)
{
    weft_pid pid;
    const struct weft_spawn how = {.kind = &kind, .pinned = pinned};
    weft_assert(weft_actor_spawn(&world.system[core], &how, 0, &pid) == 0);
    return pid;
}

static void send(unsigned from, weft_pid to)
{
    struct weft_message *message = weft_message_alloc(&world.system[from], 0);
    message->to = to;
    weft_actor_send(&world.system[from], message);
}

// The wanderer, born on core 1, has been sent to core 0, which does not know it yet, and which core
// 1 has asked for whatever it has.
static void make_pulled_back(void)
{
    world_open(&world, 2, 0);
    got = 0;
    rock = spawn(0, true);
    wanderer = spawn(1, false);
    weft_counter_set(&world.core[0]->stats.slice_ns, WEFT_NS_PER_MS);
    send(0, rock);
    weft_move_start(weft_actor_find(&world.system[1], wanderer), 0);
    weft_outbox_flush(&world.system[1]);
    for (unsigned i = 0; i < 2; i++) {
        weft_core_take_kinds(world.core[0], ~0u);
        weft_outbox_flush(&world.system[0]);
        weft_core_take_kinds(world.core[1], ~0u);
        weft_outbox_flush(&world.system[1]);
    }
    weft_move_pull(&world.system[1], 0);
    weft_outbox_flush(&world.system[1]);
    weft_assert(weft_slot_actor(&world.system[1], wanderer)->system == &world.system[1]);
}

static void turn_0(void)
{
    weft_core_take_kinds(world.core[0], ~0u);
    weft_outbox_flush(&world.system[0]);
}

static void send_from_1(void)
{
    send(1, wanderer);
}

static void check_one(void)
{
    explore_saw(weft_slot_core(&world.system[0], wanderer));
    world_settle(&world, WEFT_NS_PER_MS);
    if (got != 2) explore_fail("%u of 2 came", got);
}

static const struct explore_case pulled_back = {
    "an actor is pulled back", make_pulled_back, 2, {turn_0, send_from_1}, check_one};

int main(void)
{
    const struct model_row rows[] = {
        {.what = &pulled_back},
    };
    return model_run(rows, WEFT_COUNT_OF(rows)) == 0 ? 0 : 1;
}
