// world_node.h: the node that stands in the memory of world.h, its cores turned by the explorer's
// threads.
#ifndef WEFT_TESTS_MODEL_WORLD_NODE_H
#define WEFT_TESTS_MODEL_WORLD_NODE_H

#include "runtime/actor/actor.h"

#define WORLD_CORES 3

struct world {
    _Atomic uint64_t now_ns;
    struct weft_clock clock;
    struct weft_core_group group;
    struct weft_actor_node node;
    struct weft_core *core[WORLD_CORES];
    struct weft_arena *arena[WORLD_CORES];
    struct weft_actor_system system[WORLD_CORES];
    unsigned count;
};

// Begins the memory anew and makes a node in it. `stacks` of each core: 0: nobody may wait.
void world_open(struct world *world, unsigned count, uint32_t stacks);
// Turns every core until none has found work for so long. False: there was no end to it. This and
// the next, outside the explorer's threads.
bool world_settle(struct world *world, uint64_t quiet_ns);
// Takes it down. Not needed where the next world_open does: only what stands outside its memory is
// given back by it, the ranges of stacks that are checked.
void world_close(struct world *world);

#endif // WEFT_TESTS_MODEL_WORLD_NODE_H
