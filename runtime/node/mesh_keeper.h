// mesh_keeper.h: the mesh engine on the first worker: datagrams of its UDP port in and out, events
// to the people, messages to the least busy unit.
//
// An actor of kind "mesh" on core 1 takes what units of any core send to other nodes (SEND-HOST).
#ifndef WEFT_NODE_MESH_KEEPER_H
#define WEFT_NODE_MESH_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/actor/actor.h"
#include "runtime/mesh/mesh.h"
#include "runtime/node/snapshot.h"

struct weft_node;
struct weft_node_worker;
struct weft_mesh_keeper;

struct weft_mesh_view { // What other cores may see: a copy, at most a tenth of a second old.
    uint64_t at_ns;
    uint64_t peer_count;
    struct weft_mesh_stats stats;
    struct weft_mesh_peer_info peers[]; // peer_count of them.
};

#define WEFT_MESH_POST 0x4d01 // `type` of a message to the keeper; units cannot send it themselves.

struct weft_mesh_post { // Its payload: SEND-HOST.
    uint64_t to;        // Node id.
    uint8_t bytes[];    // The payload, to the end of the message.
};

// 0, or a negative errno with `error`.
int weft_mesh_keeper_create(struct weft_mesh_keeper **keeper, struct weft_node *node,
                            const struct weft_mesh_options *options, struct weft_error *error);
// Binds its UDP port, adds its actor and poller to the first worker. 0 or a negative errno.
int weft_mesh_keeper_start(struct weft_mesh_keeper *keeper, struct weft_node_worker *worker);
void weft_mesh_keeper_free(struct weft_mesh_keeper *keeper);

weft_pid weft_mesh_keeper_pid(const struct weft_mesh_keeper *keeper);
const struct weft_mesh *weft_mesh_keeper_mesh(const struct weft_mesh_keeper *keeper);

// Bytes of a view with every peer there may be, and a copy of it. Any core. False: try again.
size_t weft_mesh_keeper_view_bytes(const struct weft_mesh_keeper *keeper);
bool weft_mesh_keeper_view(const struct weft_mesh_keeper *keeper, struct weft_mesh_view *view);

// The id of the other node that bears this name and is not dead; the one seen first if several do.
// Any core: it reads a small table of names, published with the view.
bool weft_mesh_keeper_find(const struct weft_mesh_keeper *keeper, const char *name, size_t length,
                           uint64_t *id);
// The ids of up to `max` of the nodes that it could answer with. Their number.
uint32_t weft_mesh_keeper_peers(const struct weft_mesh_keeper *keeper, uint64_t *ids, uint32_t max);

#endif // WEFT_NODE_MESH_KEEPER_H
