// world.h: two whole nodes of two worker cores each, in one thread, from one seed.
//
// Everything that comes from outside a node is made here: clocks with drift, entropy, a disk that
// loses what was in flight, a wire between the nodes. Which core turns next is drawn from the seed
// too, so cores interleave in ways that threads would not show twice. The same seed ends in the
// same state.
#ifndef WEFT_TESTS_SIM_WORLD_H
#define WEFT_TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/mesh/key.h"
#include "runtime/node/command.h"
#include "runtime/node/node.h"
#include "tests/support/disk_sim.h"
#include "tests/support/net_pipe.h"

#define WORLD_NODES   2
#define WORLD_WORKERS 2
#define WORLD_CORES   (WORLD_WORKERS + 1)

struct world;

struct world_node {
    struct world *world;
    uint32_t number;
    char name[8];
    struct weft_node node;
    bool is_up;
    uint64_t up_at_ns; // World time at which a crashed node comes back.
    int64_t drift_ppm; // Its clock runs so much faster than the world's.
    uint64_t offset_ns;
    struct weft_prng entropy;
    struct weft_mesh_identity identity;
    struct weft_mesh_options mesh;
    struct weft_disk_sim disk_sim;
    struct weft_disk disk;
    struct weft_net nets[WORLD_WORKERS];
    struct weft_list commands; // On their way, so that a crash can take them along.
    uint32_t restarts;
};

struct world_command {
    struct weft_command command;
    struct weft_list link;
    struct world_node *owner;
    char text[256];
    // Called when it is done; NULL after a crash took its node. `command` is freed afterwards.
    void (*done)(struct world_command *command);
    void *self;
};

struct world {
    uint64_t now_ns;
    uint64_t turns;
    struct weft_prng prng; // Of the schedule and the scenario.
    struct net_pipe *wire;
    struct world_node nodes[WORLD_NODES];
    void (*restarted)(void *self, struct world_node *node);
    void *self;
    bool is_traced;
};

// Builds both nodes and starts them. Caller's memory, zeroed.
void world_init(struct world *world, uint64_t seed);
void world_destroy(struct world *world);

// Turns one core of one node, drawn from the seed, and moves the time on.
void world_step(struct world *world);
void world_run_until(struct world *world, uint64_t now_ns);

// Turns everything until nothing is left to do at this moment, for checks of sums.
void world_settle(struct world *world);

// Power is cut: what was not durable is gone. It comes back `down_ns` later.
void world_crash(struct world *world, struct world_node *node, uint64_t down_ns);

// Gives the unit `name` of `node` a command; the text is copied. NULL if there is no such unit, or
// the node is down.
struct world_command *world_command(struct world_node *node, enum weft_command_verb verb,
                                    const char *name, const char *text,
                                    void (*done)(struct world_command *command), void *self);

// One number over everything that a node remembers.
uint64_t world_hash(struct world *world);

__attribute__((format(printf, 2, 3))) void world_trace(const struct world *world,
                                                       const char *format, ...);
// Says what broke, and how to see it again; exit 1.
__attribute__((format(printf, 2, 3), noreturn)) void world_fail(const struct world *world,
                                                                const char *format, ...);

#endif // WEFT_TESTS_SIM_WORLD_H
