// node_model.c: an actor that moves while others send to it, on the runtime as it is: in every
// order of the steps of two or three cores, with every stale value of memory.
//
// What migrate.pml checks for every order of whole turns, on a strong memory, is checked here for
// the smallest cases with what C11 allows inside of them. `location`, the byte that says where an
// actor is, is read by cores that nobody has told yet.
#include <stdio.h>
#include <string.h>

#include "runtime/actor/internal.h"
#include "tests/model/model.h"
#include "tests/model/world_node.h"

static struct world world;
static weft_pid wanderer, rock;
static uint64_t next; // The number that the wanderer is to get next.
static unsigned sent;

static void receive(struct weft_actor *self, void *state, struct weft_message *message)
{
    (void)self, (void)state;
    uint64_t number;
    memcpy(&number, message->payload, sizeof(number));
    if (number == UINT64_MAX) return; // For the rock.
    if (number != next)
        explore_fail("number %u came when %u was due", (unsigned)number, (unsigned)next);
    next++;
}

static const struct weft_actor_kind kind = {.name = "counter", .handle = receive};

static weft_pid spawn(unsigned core, bool pinned)
{
    weft_pid pid;
    const struct weft_spawn how = {.kind = &kind, .pinned = pinned};
    weft_assert(weft_actor_spawn(&world.system[core], &how, 0, &pid) == 0);
    return pid;
}

static void send(unsigned from, weft_pid to, uint64_t number)
{
    struct weft_message *message = weft_message_alloc(&world.system[from], sizeof(number));
    message->to = to;
    memcpy(message->payload, &number, sizeof(number));
    weft_actor_send(&world.system[from], message);
}

// What a core does with what others have sent, and no more: a turn without its slices.
static void exchange(unsigned core)
{
    weft_core_take_kinds(world.core[core], ~0u);
    weft_outbox_flush(&world.system[core]);
}

static void begin(unsigned cores)
{
    world_open(&world, cores, 0);
    next = sent = 0;
    rock = spawn(0, true);
}

static void check_all(void)
{
    explore_saw(weft_slot_core(&world.system[0], wanderer));
    if (!world_settle(&world, WEFT_NS_PER_MS)) explore_fail("no end");
    if (next != sent) explore_fail("%u of %u came", (unsigned)next, sent);
}

static void send_two(unsigned from)
{
    for (unsigned i = 0; i < 2; i++) {
        send(from, wanderer, sent++);
        weft_outbox_flush(&world.system[from]);
    }
}

// ---- Pulled back: born on core 1, on its way to core 0, which does not know it yet, and which
// core 1 has asked for whatever it has. Core 1 has not heard of it since; somebody there sends to
// it.

static void make_pulled_back(void)
{
    begin(2);
    wanderer = spawn(1, false);
    weft_counter_set(&world.core[0]->stats.slice_ns, WEFT_NS_PER_MS);
    send(0, rock, UINT64_MAX);
    weft_move_start(weft_actor_find(&world.system[1], wanderer), 0);
    weft_outbox_flush(&world.system[1]);
    for (unsigned i = 0; i < 2; i++) {
        exchange(0);
        exchange(1);
    }
    weft_move_pull(&world.system[1], 0);
    weft_outbox_flush(&world.system[1]);
    weft_assert(weft_slot_actor(&world.system[1], wanderer)->system == &world.system[1]);
}

static void exchange_0(void)
{
    exchange(0);
}

static void send_from_1(void)
{
    send_two(1);
    exchange(1);
}

static const struct explore_case pulled_back = {
    "an actor comes to core 0 and is asked back by core 1, which sends to it",
    make_pulled_back,
    2,
    {exchange_0, send_from_1},
    check_all};

// ---- Offered: from core 0 to core 1, and core 2 sends to it meanwhile.

static void make_offered(void)
{
    begin(3);
    wanderer = spawn(0, false);
    weft_move_start(weft_actor_find(&world.system[0], wanderer), 1);
    weft_outbox_flush(&world.system[0]);
    exchange(1); // The offer is taken.
}

static void exchange_0_twice(void)
{
    exchange(0);
    exchange(0);
}

static void exchange_1_twice(void)
{
    exchange(1);
    exchange(1);
}

static void send_one_from_2(void)
{
    send(2, wanderer, sent++);
    weft_outbox_flush(&world.system[2]);
    exchange(2);
}

static void send_two_from_2(void)
{
    send_two(2);
    exchange(2);
}

static const struct explore_case offered = {
    "an actor goes from core 0 to 1 while core 2 sends to it",
    make_offered,
    3,
    {exchange_0_twice, exchange_1_twice, send_one_from_2},
    check_all};
static const struct explore_case offered_two = {
    "the same with two messages",
    make_offered,
    3,
    {exchange_0_twice, exchange_1_twice, send_two_from_2},
    check_all};

int main(int argc, char **argv)
{
    make_pulled_back(); // Its addresses are the same each time.
    const void *place = &world.system[1].location[weft_pid_slot(wanderer)];
    make_offered();
    const void *ring = &world.group.rings[2][0]->head;
    const struct model_row rows[] = {
        {.what = &pulled_back, .must_see = 1 << 2},
        {.what = &pulled_back, .mutant = "the release of its place", EXPLORE_RELEASE, place},
        {.what = &pulled_back, .mutant = "the acquire of its place", EXPLORE_ACQUIRE, place},
        {.what = &offered, .must_see = 1 << 2},
        {.what = &offered_two, .must_see = 1 << 2, .is_long = true},
        {.what = &offered, .mutant = "the release of a ring's head", EXPLORE_RELEASE, ring},
    };
    return model_main(argc, argv, rows, WEFT_COUNT_OF(rows));
}
