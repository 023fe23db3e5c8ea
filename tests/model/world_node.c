#include "tests/model/world_node.h"

#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/base/units.h"
#include "tests/model/world.h"

// Every look at the clock is later than the one before: by so much that slices seem long, and cores
// give actors away.
static uint64_t now_ns(void *self)
{
    struct world *world = self;
    return atomic_fetch_add_explicit(&world->now_ns, 50 * WEFT_NS_PER_US, memory_order_relaxed);
}

void world_open(struct world *world, unsigned count, uint32_t stacks)
{
    world_begin();
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
