// floor.c: what the rows stand on, below the public headers: a block of an arena, a message's
// block, a turn of a core that finds nothing. One thread plays the core.
#include <math.h>
#include <stdlib.h>

#include "bench/actors/rows.h"
#include "runtime/actor/actor.h"
#include "runtime/base/units.h"

#define RUNS 7

struct place {
    struct weft_clock clock;
    struct weft_core_group group;
    struct weft_core *core;
    struct weft_arena *arena;
    struct weft_actor_node node;
    struct weft_actor_system system;
};

static void open_place(struct place *place)
{
    place->clock = weft_clock_linux();
    place->core = aligned_alloc(WEFT_CORE_ALIGN, sizeof(*place->core));
    place->arena = weft_arena_create(64 * WEFT_MIB);
    CHECK(place->core != NULL && place->arena != NULL);
    weft_core_init(place->core, &place->group, 0, &place->clock, WEFT_LOG_WARN);
    CHECK(weft_core_group_connect(&place->group) == 0);
    CHECK(weft_actor_node_init(&place->node, "bench", 64) == 0);
    const struct weft_actor_options options = {.core = place->core,
                                               .arena = place->arena,
                                               .node = &place->node,
                                               .actor_count_max = 1024,
                                               .stack_count_max = 64,
                                               .traces = true};
    CHECK(weft_actor_system_init(&place->system, &options) == 0);
}

static void close_place(struct place *place)
{
    weft_actor_system_destroy(&place->system);
    weft_arena_free(place->arena);
    weft_actor_node_destroy(&place->node);
    weft_core_group_destroy(&place->group);
    free(place->core);
}

static void arena_block(struct place *place, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        void *block = weft_arena_alloc(place->arena, 64);
        __asm__ volatile("" : : "r"(block) : "memory");
        weft_arena_release(place->arena, block, 64);
    }
}

static void message_block(struct place *place, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        struct weft_message *message = weft_message_alloc(&place->system, 16);
        __asm__ volatile("" : : "r"(message) : "memory");
        weft_message_release(&place->system, message);
    }
}

static void empty_turn(struct place *place, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        weft_core_turn(place->core);
}

static void time_row(struct place *place, const char *row,
                     void (*work)(struct place *place, uint64_t count), uint64_t count)
{
    double cpu = INFINITY, wall = INFINITY;
    if (weft_bench_actors_is_quick()) count /= 20;
    for (unsigned run = 0; run < RUNS; run++) {
        const uint64_t cpu_ns = weft_bench_actors_cpu_ns(), wall_ns = weft_bench_actors_now_ns();
        work(place, count);
        wall = fmin(wall, (double)(weft_bench_actors_now_ns() - wall_ns) / (double)count);
        cpu = fmin(cpu, (double)(weft_bench_actors_cpu_ns() - cpu_ns) / (double)count);
    }
    weft_bench_actors_time(row, 0, cpu, wall);
}

void weft_bench_group_floor(void)
{
    struct place *place = aligned_alloc(WEFT_CORE_ALIGN, sizeof(*place));
    CHECK(place != NULL);
    *place = (struct place){.core = NULL};
    open_place(place);
    time_row(place, "arena_alloc_release", arena_block, 2000000);
    time_row(place, "message_alloc_release", message_block, 2000000);
    time_row(place, "empty_turn", empty_turn, 500000);
    close_place(place);
    free(place);
}
