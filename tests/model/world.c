// world.c: see world.h; and the node of world_node.h.
#include <stdint.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/base/units.h"
#include "tests/model/world_node.h"

#define WORLD_BYTES (64 * WEFT_MIB)
#define SIZES       256 // Blocks given back are used again where another of that size is wanted.
#define SIZE_STEP   64

struct header {
    size_t bytes;
    struct header *next;
};

static _Alignas(4096) char block[WORLD_BYTES];
static size_t used;
static struct header *given_back[SIZES];

static void *take(size_t alignment, size_t bytes)
{
    const size_t size = weft_round_up(bytes + 1, SIZE_STEP);
    if (alignment <= SIZE_STEP && size / SIZE_STEP < SIZES && given_back[size / SIZE_STEP] != NULL) {
        struct header *header = given_back[size / SIZE_STEP];
        given_back[size / SIZE_STEP] = header->next;
        return (char *)header + SIZE_STEP;
    }
    const size_t start = weft_round_up(used + SIZE_STEP, alignment < SIZE_STEP ? SIZE_STEP : alignment);
    weft_assert(start + size <= WORLD_BYTES);
    used = start + size;
    struct header *header = (struct header *)(void *)(block + start - SIZE_STEP);
    header->bytes = size;
    return block + start;
}

void *world_malloc(size_t bytes)
{
    return take(SIZE_STEP, bytes);
}

void *world_calloc(size_t count, size_t bytes)
{
    return memset(take(SIZE_STEP, count * bytes), 0, count * bytes);
}

void *world_aligned_alloc(size_t alignment, size_t bytes)
{
    return take(alignment, bytes);
}

void world_free(void *given)
{
    if (given == NULL) return;
    struct header *header = (struct header *)(void *)((char *)given - SIZE_STEP);
    if (header->bytes / SIZE_STEP >= SIZES) return;
    header->next = given_back[header->bytes / SIZE_STEP];
    given_back[header->bytes / SIZE_STEP] = header;
}

void *world_mmap(size_t bytes)
{
    return take(4096, bytes);
}

// ---- The node.

// Every look at the clock is a little later than the one before.
static uint64_t now_ns(void *self)
{
    struct world *world = self;
    return atomic_fetch_add_explicit(&world->now_ns, 3 * WEFT_NS_PER_US, memory_order_relaxed);
}

void world_open(struct world *world, unsigned count, uint32_t stacks)
{
    used = 0;
    memset(given_back, 0, sizeof(given_back));
    memset(world, 0, sizeof(*world));
    world->count = count;
    world->now_ns = WEFT_NS_PER_S;
    world->clock = (struct weft_clock){.now_ns = now_ns, .self = world};
    for (unsigned i = 0; i < count; i++) {
        world->core[i] = world_aligned_alloc(WEFT_CORE_ALIGN, sizeof(struct weft_core));
        weft_core_init(world->core[i], &world->group, (uint16_t)i, &world->clock, WEFT_LOG_ERROR);
    }
    weft_assert(weft_core_group_connect(&world->group) == 0);
    weft_assert(weft_actor_node_init(&world->node, "model", 16) == 0);
    for (unsigned i = 0; i < count; i++) {
        world->arena[i] = weft_arena_create(8 * WEFT_MIB);
        const struct weft_actor_options options = {.core = world->core[i],
                                                   .arena = world->arena[i],
                                                   .node = &world->node,
                                                   .actor_count_max = 128,
                                                   .stack_count_max = stacks,
                                                   .guard = WEFT_STACK_CHECKS};
        weft_assert(weft_actor_system_init(&world->system[i], &options) == 0);
    }
}

bool world_settle(struct world *world, uint64_t quiet_ns)
{
    uint64_t quiet_since_ns = atomic_load(&world->now_ns);
    for (unsigned turns = 0; turns < 100000; turns++) {
        bool found = false;
        for (unsigned i = 0; i < world->count; i++)
            found |= weft_core_turn(world->core[i]);
        const uint64_t now = atomic_load(&world->now_ns);
        if (found) quiet_since_ns = now;
        if (!found && now - quiet_since_ns >= quiet_ns) return true;
        if (!found) atomic_fetch_add(&world->now_ns, quiet_ns / 16);
    }
    return false;
}

void world_close(struct world *world)
{
    for (unsigned i = 0; i < world->count; i++)
        weft_actor_system_destroy(&world->system[i]);
    for (unsigned i = 0; i < world->count; i++)
        weft_assert(weft_arena_used_bytes(world->arena[i]) == 0);
}
