// node.h: one node, put together: cores, arenas, actors, stacks, the mesh, the journal and the
// units.
//
// Everything it stands on comes in through weft_node_options: clock, entropy, disk, one net per
// port and worker. It starts no thread and opens no device, so the simulator plays the same node
// that weftd drives (machine.h). Core 0 is the control core; the first worker (core 1) owns the
// mesh and the journal, because one owner needs no lock.
//
//   admin request -> control.c -> unit_actor.c (on the unit's worker) -> journal_keeper.c (core 1)
//                 <- control.c <-          ...                        <- durable
//   datagram -> dataplane/stack -> mesh_keeper.c (core 1) -> unit_actor.c
//                               -> unit_host.c (a bound port) -> unit_actor.c
#ifndef WEFT_NODE_NODE_H
#define WEFT_NODE_NODE_H

#include "dataplane/capture.h"
#include "dataplane/fault.h"
#include "dataplane/punt.h"
#include "dataplane/stack.h"
#include "forth/unit.h"
#include "runtime/actor/actor.h"
#include "runtime/env/clock.h"
#include "runtime/env/disk.h"
#include "runtime/env/entropy.h"
#include "runtime/env/net.h"
#include "runtime/mem/arena.h"
#include "runtime/mesh/mesh.h"
#include "runtime/node/datagrams.h"
#include "runtime/node/event_ring.h"
#include "runtime/node/journal_keeper.h"
#include "runtime/node/mesh_keeper.h"
#include "runtime/node/unit_ids.h"
#include "runtime/node/unit_registry.h"
#include "runtime/port/port.h"
#include "runtime/sched/core.h"
#include "runtime/storage/unit_journal.h"

#define WEFT_NODE_PORTS_MAX   WEFT_STACK_PORTS_MAX
#define WEFT_NODE_WORKERS_MAX (WEFT_CORE_MAX - 1)

struct weft_node_port { // One port as the node sees it: the addresses it has there.
    struct weft_stack_port_options stack; // `net` is set for each worker from `nets`.
    const struct weft_net *nets;          // One of each worker.
    const char *kernel;  // The kernel's interface that shares it (punt.h), or NULL,
    int kernel_fd;       // and its descriptor.
    bool has_fault;      // A fault layer stands in between (dataplane/fault.h),
    uint64_t fault_seed; // with this seed, and these faults from the start.
    struct weft_fault_options fault;
};

struct weft_node_options {
    const char *name;
    struct weft_clock clock;
    struct weft_entropy entropy;
    uint16_t worker_count;
    uint64_t arena_bytes;     // Of each worker.
    uint32_t actor_count_max; // Of each worker.
    uint32_t stack_count_max; // Likewise: actors that may wait with a stack of their own.
    enum weft_stack_guard stack_guard;
    uint32_t name_count_max;  // Of the node: registered names,
    uint32_t table_count_max; // tables (weft/table.h); 0: WEFT_TABLE_COUNT_MAX.
    enum weft_log_level log_level;
    uint64_t idle_sleep_max_ns; // See struct weft_core.
    struct weft_node_port ports[WEFT_NODE_PORTS_MAX];
    uint32_t port_count;
    const struct weft_mesh_options *mesh; // NULL: the mesh is off.
    const struct weft_disk *disk;         // NULL: no journal.
    struct weft_journal_options journal;
    struct weft_unit_options unit;
    uint32_t unit_count_max;
    uint32_t unit_mailbox;
    uint32_t unit_spawn_max;                // Units that one has spawned and not joined; 0: 1 024.
    uint32_t unit_channel_max;              // Channels that one has open; 0: 256.
    const struct weft_io_address *unit_net; // What they may connect to. Outlives the node.
    uint32_t unit_net_count;
    int32_t unit_files_root;     // The directory of their files, a descriptor; 0: they have none.
    uint32_t unit_file_max;      // Files that one has open; 0: 16.
    uint32_t unit_reductions_hz; // Reductions of one and those that it spawns; 0: no limit.
    uint32_t eval_reductions;    // Of one load or evaluation.
    uint64_t eval_timeout_ns;
    uint64_t unit_keep_ns; // A unit that runs is written to the journal so often; 0: never.
    struct weft_capture *const *captures; // One of each worker, or NULL.
};

struct weft_node;

struct weft_node_worker { // What belongs to one worker core. Touched by that core only.
    struct weft_core core;
    struct weft_node *node;
    struct weft_arena *arena;
    struct weft_actor_system actors;
    struct weft_fault *faults; // One of each port, if the port has one.
    struct weft_punt *punts;   // Likewise.
    struct weft_stack stack;
    struct weft_ports ports; // UDP on the stack; sockets and files if the machine has IO.
    struct weft_node_datagrams datagrams;
    struct weft_forth_memory memory; // The arena, as the Forth wants it.
    struct weft_forth_system *forth;
    struct weft_unit_host unit_host;     // What all units of this core have; each its own `self`.
    weft_pid nursery;                    // Makes units for those of other cores (unit_nursery.c).
    struct weft_resident nestling;       // What all spawned units of this core have for a resident.
    uint32_t nestling_count;             // Of those alive.
    struct weft_standstill_visit *visit; // Waits until this core is quiet. NULL: none.
    struct weft_list held;               // Units that have been restored and do not run yet.
};

struct weft_node_block { // From malloc, freed with the node.
    struct weft_node_block *next;
};

struct weft_node {
    struct weft_node_options options;
    uint64_t id; // The mesh identity's; 0 without a mesh.
    struct weft_core_group group;
    struct weft_actor_node actors; // What the actor systems of the workers share.
    struct weft_core control;
    struct weft_node_worker *workers; // workers[i] is core i + 1.
    struct weft_udp_owners *owners;
    struct weft_forth_library *library; // What the workers' units share. In the first one's arena.
    struct weft_unit_registry units;
    struct weft_unit_ids ids;       // Of what was restored. Any core.
    _Atomic uint32_t parting_count; // Units that end with their children, and what they have asked
                                    // other cores to do for that (unit_nursery.c). Any core.
    struct weft_standstill *standstill; // The one under way. NULL: none. Control core.
    struct weft_unit_table
        recovered;                 // What the journal knew at start; emptied as units are restored.
    struct weft_mesh_keeper *mesh; // NULL: off.
    struct weft_journal_keeper *journal; // NULL: off.
    weft_pid operator_pid;               // Who speaks for people (operator.h).
    uint32_t module_count;               // Loaded since the start (module.h). Control core.
    struct weft_node_block *blocks; // Of loaded modules: actors' kinds stand in them to the end.
    struct weft_event_ring events;  // From core 1 to the control core.
    weft_counter mesh_alive;        // Other nodes alive, for MESH-PROCESS-COUNT on any core.
    // On the control core, when a unit has ended: the admin side may want to say so. May be NULL.
    void (*unit_ended)(void *self, const struct weft_resident *resident);
    void *self;
};

// Builds the node: reads the journal, makes cores, arenas, stacks. No core turns yet. 0, or a
// negative errno with `error`: nothing is left then. `options` is copied; what it points to
// outlives the node.
int weft_node_init(struct weft_node *node, const struct weft_node_options *options,
                   struct weft_error *error);

// Takes it down in reverse. No core turns any more.
void weft_node_destroy(struct weft_node *node);

// Core `index`: 0 is the control core.
struct weft_core *weft_node_core(struct weft_node *node, uint16_t index);

// Sets the faults of port `port` on every worker, from their next turn on. Control core. 0, or a
// negative errno: -EOPNOTSUPP without a fault layer.
int weft_node_fault_set(struct weft_node *node, uint32_t port,
                        const struct weft_fault_options *options);

// A number that two runs from one seed share: mesh, journal, units, ledgers. While nothing turns.
uint64_t weft_node_hash(struct weft_node *node);

#endif // WEFT_NODE_NODE_H
