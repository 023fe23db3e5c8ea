// mesh_world.h: a swarm of mesh engines in one thread: virtual time, and a wire that loses, delays,
// reorders and parts by a seed. No socket, no clock: the same seed gives the same world.
#ifndef WEFT_TESTS_PROPERTY_MESH_WORLD_H
#define WEFT_TESTS_PROPERTY_MESH_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/prng.h"
#include "runtime/mesh/mesh.h"

#define WORLD_NODES_MAX   200
#define WORLD_PACKETS_MAX 16384
#define WORLD_KEY_BYTE    0x5a // 32 of it are the cluster key.

struct world_packet {
    uint64_t due_ns, order; // Ties are broken by order of sending.
    uint32_t from, to;      // Node indexes.
    uint32_t length;
    uint8_t *bytes;
};

struct world_node {
    struct weft_mesh *mesh; // NULL while it is down.
    struct weft_mesh_identity identity;
    struct weft_drops drops;
    uint32_t side; // Nodes of different sides do not reach each other.
    uint32_t boots;
    uint64_t clock_behind_ns; // Its wall clock, at the next start.
    bool other_key;           // It has another cluster's key, from the next start.
    struct weft_mesh_load load;
    struct weft_prng entropy;
    // What it has said about each other node, and when last.
    uint64_t event_ns[WORLD_NODES_MAX][5];
    uint32_t event_count[WORLD_NODES_MAX][5];
    uint32_t restarted_count;
    uint32_t refused_count;
    uint32_t delivered_count;
    uint8_t delivered[1200];
    uint32_t delivered_length;
};

struct world {
    uint64_t seed, now_ns;
    uint32_t node_count;
    struct world_node *nodes;
    struct weft_prng prng;
    uint32_t loss_permille;
    uint64_t delay_min_ns, delay_max_ns; // Uniform: so packets overtake each other.
    struct world_packet *packets;        // A heap by (due_ns, order).
    uint32_t packet_count;
    uint64_t order;
    // Sees each datagram as it leaves; may be NULL. Returns false to lose it.
    bool (*tap)(struct world *world, uint32_t from, uint32_t to, struct weft_span bytes);
    void *tap_self;
    uint64_t heartbeat_ns, timeout_ns, forget_ns; // Options; 0: the default.
    uint32_t peers_max;
};

void world_init(struct world *world, uint64_t seed, uint32_t node_count);
void world_destroy(struct world *world);
void world_start(struct world *world, uint32_t node); // A new boot. Node 0 is everyone's seed.
void world_kill(struct world *world, uint32_t node);
void world_run(struct world *world, uint64_t until_ns);

// Runs until `done` says so, at most until `until_ns`. Returns whether it did.
bool world_run_until(struct world *world, uint64_t until_ns, bool (*done)(struct world *world));

bool world_all_alive(struct world *world); // Everyone who is up sees all others who are up alive.
bool world_all_agree(struct world *world); // And all who are down as dead, or not at all.
uint64_t world_hash(struct world *world);
uint32_t world_index(uint64_t node_id, const struct world *world);
struct weft_mesh_address world_address(uint32_t node);
void world_send(struct world *world, uint32_t from, uint32_t to, struct weft_span bytes);
void world_drain(struct world *world, uint32_t node);

#endif // WEFT_TESTS_PROPERTY_MESH_WORLD_H
