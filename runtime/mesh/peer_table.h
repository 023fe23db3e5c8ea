// peer_table.h: the nodes that this one knows, dense, bounded, found by id.
//
// Rows move when one is removed: a pointer is good until the next add or remove. When it is full a
// newcomer takes the place of whoever has been dead longest; the living are never pushed out.
#ifndef WEFT_MESH_PEER_TABLE_H
#define WEFT_MESH_PEER_TABLE_H

#include <stdint.h>

#include "runtime/mesh/claim.h"
#include "runtime/mesh/id_index.h"
#include "runtime/mesh/mesh.h"

#define WEFT_PEER_WITNESSES_MAX 4 // The first, and Lifeguard's K = 3 that confirm.

enum weft_probe_stage { WEFT_PROBE_NONE, WEFT_PROBE_DIRECT, WEFT_PROBE_INDIRECT };

struct weft_peer {
    uint64_t id;
    struct weft_claim_wire claim; // As signed: what heartbeats pass on.
    enum weft_mesh_state state;
    uint64_t state_ns;  // Since when.
    uint64_t heard_ns;  // Last sign of life, others' acks for it included.
    uint64_t direct_ns; // Last datagram of its own to us; 0: never.
    uint64_t rtt_ns;
    struct weft_mesh_load load;
    uint64_t rx_count, tx_count;

    enum weft_probe_stage probe_stage;
    uint64_t probe_sequence, probe_due_ns;
    uint64_t rtt_sequence, rtt_sent_ns; // The ping whose ack will be timed; sequence 0: none.

    uint64_t suspect_due_ns; // SUSPECT: when it counts as dead.
    // Who found it silent by a probe of his own, ourselves perhaps among them.
    uint64_t witnesses[WEFT_PEER_WITNESSES_MAX];
    uint8_t witness_count;
    bool witnessed; // We are one.

    uint8_t rumour_left; // Datagrams that still carry its state.
    bool behind;         // It began with an older incarnation than we know of: tell it.
    uint8_t claim_left;  // Datagrams that still carry its claim as news.
    uint64_t nudged_ns;  // When it was last told that it counts as dead.
};

struct weft_peer_table {
    struct weft_peer *peers; // [0, count)
    uint32_t count, count_max;
    uint32_t state_count[3]; // By enum weft_mesh_state.
    struct weft_id_index index;
};

int weft_peer_table_init(struct weft_peer_table *table, uint32_t count_max); // 0 or -ENOMEM
void weft_peer_table_destroy(struct weft_peer_table *table);

// The row of `id`, or NULL.
struct weft_peer *weft_peer_find(const struct weft_peer_table *table, uint64_t id);

// Is there room for one more, if the dead give way?
bool weft_peer_room(const struct weft_peer_table *table);

// A zeroed, ALIVE row for `id`, which is not in the table; NULL if it is full. `*evicted` is the id
// of the dead peer that gave way, or 0.
struct weft_peer *weft_peer_add(struct weft_peer_table *table, uint64_t id, uint64_t now_ns,
                                uint64_t *evicted);
void weft_peer_remove(struct weft_peer_table *table, struct weft_peer *peer);
void weft_peer_state_set(struct weft_peer_table *table, struct weft_peer *peer,
                         enum weft_mesh_state state, uint64_t now_ns);

// What to send it to.
static inline struct weft_mesh_address weft_peer_address(const struct weft_peer *peer)
{
    return (struct weft_mesh_address){.ip = peer->claim.ip, .port = peer->claim.port};
}

#endif // WEFT_MESH_PEER_TABLE_H
