// mesh_internal.h: the engine's own state, shared by mesh.c (life, actions), receive.c (what comes
// in), gossip.c (heartbeats, claims, rumours) and failure_detector.c (probes and suspicion).
#ifndef WEFT_MESH_MESH_INTERNAL_H
#define WEFT_MESH_MESH_INTERNAL_H

#include "runtime/base/prng.h"
#include "runtime/base/units.h"
#include "runtime/mesh/mesh.h"
#include "runtime/mesh/pacer.h"
#include "runtime/mesh/peer_table.h"
#include "runtime/mesh/session.h"
#include "runtime/mesh/wire.h"

#define WEFT_MESH_SLOTS       96  // Datagrams and deliveries of one call.
#define WEFT_MESH_EVENT_SLOTS 512 // A partition takes many peers at once.
#define WEFT_MESH_RELAYS      64
#define WEFT_MESH_REFUSED     16
#define WEFT_MESH_ANSWERED    64 // A power of two.
#define WEFT_MESH_HEALTH_MAX  8  // Lifeguard's S.
#define WEFT_MESH_NEVER       UINT64_MAX

#define WEFT_MESH_ACCEPTED (-1) // Where a drop reason is asked for.

struct mesh_slot {
    enum weft_mesh_action_kind kind; // SEND or DELIVER.
    struct weft_mesh_address address;
    uint64_t from;
    uint32_t length;
    uint8_t bytes[WEFT_MESH_DATAGRAM_BYTES_MAX];
};

struct mesh_relay {    // A ping sent for somebody else.
    uint64_t sequence; // Ours, on the ping.
    uint64_t requester, requester_sequence, target;
};

struct mesh_answered { // When the same challenge may be answered again.
    uint64_t nonce;    // Its first half.
    uint64_t next_ns;
};

struct mesh_refused { // When a source may raise the next refused event.
    uint32_t ip;
    uint64_t next_ns;
};

struct weft_mesh {
    struct weft_mesh_options options;
    struct weft_drops own_drops;
    struct weft_drops *drops;
    struct weft_prng prng;
    uint64_t id;
    uint64_t created_ns;

    uint8_t salt[WEFT_SEAL_SALT_BYTES];
    struct weft_seal_cipher cipher;
    uint64_t counter;
    struct weft_claim_wire claim; // Our own, always signed.
    struct weft_mesh_load load;

    struct weft_peer_table peers;
    struct weft_session_table sessions;
    struct weft_seal_cipher stranger; // Rekeyed for every datagram of an unknown boot.
    struct weft_pacer strangers;      // How many of those are looked at.
    struct weft_pacer introductions;  // A swarm that meets at once need not tell all to all.
    struct weft_pacer replies;        // Proofs and answers to hellos.
    struct mesh_relay relays[WEFT_MESH_RELAYS];
    uint32_t relay_next;
    struct mesh_refused refused[WEFT_MESH_REFUSED];
    struct mesh_answered answered[WEFT_MESH_ANSWERED];
    uint64_t sequence; // Of probes.

    uint64_t beat_due_ns, beat_last_ns, scan_due_ns, seed_due_ns, discovery_due_ns;
    uint64_t welcome_ns; // When the last newcomer was met.
    uint32_t health;     // Lifeguard's local health multiplier, 0 .. 8.
    uint32_t *order;     // Scratch for samples: rows of the peer table.

    struct mesh_slot *slots;
    uint32_t slot_head, slot_tail; // Free-running; written, taken.
    struct weft_mesh_event *events;
    uint32_t event_head, event_tail;
    struct weft_mesh_stats stats;
    uint8_t plain[WEFT_MESH_DATAGRAM_BYTES_MAX]; // The body being read.
};

// mesh.c
void mesh_event(struct weft_mesh *mesh, enum weft_mesh_event_kind kind,
                const struct weft_peer *peer, bool restarted);
void mesh_refuse(struct weft_mesh *mesh, struct weft_mesh_address source, enum weft_drop reason,
                 uint64_t now_ns);
struct mesh_slot *mesh_slot_take(struct weft_mesh *mesh); // NULL if the caller did not drain.
// Seals and queues one datagram. 0, -ENOBUFS or -EIO. `to` 0: whoever is there.
int mesh_send(struct weft_mesh *mesh, struct weft_mesh_address address, uint64_t to,
              enum weft_mesh_type type, const void *body, size_t length);
int mesh_send_peer(struct weft_mesh *mesh, struct weft_peer *peer, enum weft_mesh_type type,
                   const void *body, size_t length);
bool mesh_deliver(struct weft_mesh *mesh, uint64_t from, struct weft_span payload);
int mesh_claim_renew(struct weft_mesh *mesh, uint64_t incarnation, uint64_t now_ns);

// gossip.c
void gossip_beat(struct weft_mesh *mesh, uint64_t now_ns);
void gossip_send(struct weft_mesh *mesh, struct weft_peer *peer);
// Tells a newcomer, who has proven that he is there, of the others.
void gossip_introduce(struct weft_mesh *mesh, struct weft_peer *peer, uint64_t now_ns);
void gossip_hello(struct weft_mesh *mesh, struct weft_mesh_address address, uint64_t to);
// The datagram's fate: WEFT_MESH_ACCEPTED or a drop reason.
int gossip_heartbeat(struct weft_mesh *mesh, uint64_t sender, struct weft_span body,
                     uint64_t now_ns);
// What to do with a claim: WEFT_MESH_ACCEPTED if it may be taken, else why not. Verifies news.
int gossip_claim_check(struct weft_mesh *mesh, const struct weft_claim_wire *claim, uint64_t id);
// Takes a checked claim. NULL if there is no room, or it is our own.
struct weft_peer *gossip_claim_take(struct weft_mesh *mesh, const struct weft_claim_wire *claim,
                                    uint64_t id, uint64_t now_ns);
void gossip_hurry(struct weft_mesh *mesh, uint64_t now_ns); // There is news: beat soon.
uint8_t gossip_spread(const struct weft_mesh *mesh);        // Datagrams that carry a piece of news.

// failure_detector.c
void detector_scan(struct weft_mesh *mesh, uint64_t now_ns);
void detector_probe_oldest(struct weft_mesh *mesh, uint64_t now_ns);
void detector_measure(struct weft_mesh *mesh, uint64_t now_ns);
void detector_heard(struct weft_mesh *mesh, struct weft_peer *peer, bool direct, uint64_t now_ns);
// `witness`: whose probe went unanswered.
void detector_suspect(struct weft_mesh *mesh, struct weft_peer *peer, uint64_t witness,
                      uint64_t now_ns);
void detector_dead(struct weft_mesh *mesh, struct weft_peer *peer, uint64_t now_ns);
void detector_late(struct weft_mesh *mesh, uint64_t late_ns, uint64_t now_ns);
int detector_ping(struct weft_mesh *mesh, struct weft_peer *peer, struct weft_span body);
int detector_ack(struct weft_mesh *mesh, struct weft_peer *peer, struct weft_span body,
                 uint64_t now_ns);
int detector_ping_request(struct weft_mesh *mesh, struct weft_peer *peer, struct weft_span body);

// Are there so few that everyone hears everyone in each heartbeat?
static inline bool mesh_is_small(const struct weft_mesh *mesh)
{
    return mesh->peers.state_count[WEFT_MESH_ALIVE] + mesh->peers.state_count[WEFT_MESH_SUSPECT] <=
           mesh->options.gossip_k;
}

static inline uint64_t mesh_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

#endif // WEFT_MESH_MESH_INTERNAL_H
