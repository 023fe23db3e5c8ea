// world_node.h: the node that stands in the memory of world.h, its cores turned by the explorer's
// threads.
#ifndef WEFT_TESTS_MODEL_WORLD_NODE_H
#define WEFT_TESTS_MODEL_WORLD_NODE_H

#include "runtime/actor/actor.h"

#define WORLD_CORES 3

struct world {
    uint64_t now_ns;
    struct weft_clock clock;
    struct weft_core_group group;
    struct weft_actor_node node;
    struct weft_core *core[WORLD_CORES];
    struct weft_actor_system system[WORLD_CORES];
    unsigned count;
};

// Begins the memory anew and makes a node in it. `stacks` of each core: 0: nobody may wait.
void world_open(struct world *world, unsigned count, uint32_t stacks);
// Turns every core until none finds work. Outside the explorer's threads.
void world_settle(struct world *world);

#endif // WEFT_TESTS_MODEL_WORLD_NODE_H
