// mesh.h: who is in the swarm and alive: sealed gossip between nodes, and small messages by
// envelope.
//
// SWIM (Das, Gupta, Motivala 2002) with the local health multiplier of Lifeguard (Dadgar, Phillips,
// Currey 2017): heartbeats with load to k sampled peers, direct and indirect probes of those that
// fall silent, suspicion, refutation by incarnation. Every datagram is sealed (seal.h,
// docs/wire/mesh.md).
//
//            verified claim                silent, no probe answered          suspicion ran out
//   unknown ----------------> ALIVE ------------------------------> SUSPECT ------------------>
//   DEAD
//      ^                        ^  <------------------------------     |                          |
//      |                        |   heard from it, or it refuted  <----+                          |
//      |                        +------------- claim with a higher incarnation -------------------+
//      +------------------------------------------- forgotten after forget_ns --------------------+
//
// An engine: event and time in, actions out. No socket, no thread, no clock, no allocation of its
// own after create (GnuTLS may allocate while it checks the signature of a claim that is news).
//
// Time:   `now_ns` is the owning core's monotonic time; it never decreases from one call to the
// next. Core:   one instance per node, owned by one core; nothing here is shared, locked or atomic,
// but
//         the drop ledger, which any core may read.
// Memory: create/free from the C heap; about 900 bytes a peer and 160 KiB of action slots.
#ifndef WEFT_MESH_MESH_H
#define WEFT_MESH_MESH_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/drop.h"
#include "runtime/base/span.h"
#include "runtime/env/entropy.h"
#include "runtime/mesh/key.h"

#define WEFT_MESH_DATAGRAM_BYTES_MAX 1200 // UDP payload: fits every path of IPv6's minimum MTU.
#define WEFT_MESH_PAYLOAD_BYTES_MAX  1000 // Of one envelope; escapes count as they are written.
#define WEFT_MESH_NAME_BYTES         28   // With the zero at the end.
#define WEFT_MESH_SEEDS_MAX          16
#define WEFT_MESH_PEERS_MAX          4096
#define WEFT_MESH_GOSSIP_K_MAX       16

struct weft_mesh_address { // IPv4, both in host order.
    uint32_t ip;
    uint16_t port;
};

struct weft_mesh_options {
    char name[WEFT_MESH_NAME_BYTES];           // The node's label; the id is what counts.
    const struct weft_mesh_identity *identity; // Must outlive the mesh.
    struct weft_mesh_key key;                  // The cluster's secret.
    uint32_t epoch;                            // Of the key; others are refused.
    struct weft_mesh_address own;              // What peers send to.
    struct weft_mesh_address seeds[WEFT_MESH_SEEDS_MAX];
    uint32_t seed_count;
    bool discovery; // Sends a sealed hello to `broadcast`, often while alone.
    struct weft_mesh_address broadcast;
    uint32_t gossip_k;           // Peers per heartbeat; 0: 8.
    uint64_t heartbeat_ns;       // 0: 500 ms.
    uint64_t timeout_ns;         // Last heard to declared dead, at most; 0: 3 s; >= 4 heartbeats.
    uint64_t forget_ns;          // Dead peers are remembered (and tried) so long; 0: 10 min.
    uint32_t peers_max;          // Table entries, the dead included; 0: 512.
    uint32_t capabilities;       // Bits that peers see; meaning is the caller's.
    uint64_t wall_ns;            // Since 1970, at `now_ns` of create: the boot number.
    struct weft_entropy entropy; // Asked at create (salt, seed) and for challenges.
    struct weft_drops *drops;    // The owning core's ledger. NULL: one of its own.
};

struct weft_mesh_load {     // What the heartbeat says of this node.
    uint16_t busy_permille; // 0 .. 1000 of the worker cores' time.
    uint32_t units;         // Forth units it holds.
};

enum weft_mesh_state { WEFT_MESH_ALIVE, WEFT_MESH_SUSPECT, WEFT_MESH_DEAD };

enum weft_mesh_event_kind {
    WEFT_MESH_EVENT_JOINED,  // New to us, or `restarted`: it began again with a new boot number.
    WEFT_MESH_EVENT_SUSPECT, // Silent, and no probe was answered.
    WEFT_MESH_EVENT_DEAD,
    WEFT_MESH_EVENT_ALIVE,   // Was suspected or dead, and is the same process as before.
    WEFT_MESH_EVENT_REFUSED, // A datagram was refused for `reason`; at most one a source in 10 s.
};

struct weft_mesh_event {
    enum weft_mesh_event_kind kind;
    uint64_t node; // 0 for REFUSED: nobody can be sure who it was.
    char name[WEFT_MESH_NAME_BYTES];
    struct weft_mesh_address address;
    bool restarted;
    enum weft_drop reason; // Of REFUSED.
};

enum weft_mesh_action_kind { WEFT_MESH_SEND, WEFT_MESH_EVENT, WEFT_MESH_DELIVER };

struct weft_mesh_action {
    enum weft_mesh_action_kind kind;
    struct weft_mesh_address address; // SEND: where to.
    struct weft_span bytes;           // SEND: the UDP payload. DELIVER: the envelope's payload.
    uint64_t from;                    // DELIVER: the node that sent it.
    struct weft_mesh_event event;     // EVENT.
};

struct weft_mesh_peer_info {
    uint64_t id;
    char name[WEFT_MESH_NAME_BYTES];
    struct weft_mesh_address address;
    enum weft_mesh_state state;
    uint64_t age_ns; // Since it was last heard, by whatever way.
    uint64_t rtt_ns; // Smoothed (RFC 6298, 1/8); 0 until a probe was answered.
    struct weft_mesh_load load;
    uint32_t capabilities;
    uint64_t incarnation;
    uint64_t rx_count, tx_count; // Datagrams.
};

enum weft_mesh_type { // Of a datagram; the number on the wire.
    WEFT_MESH_HELLO = 1,
    WEFT_MESH_CHALLENGE,
    WEFT_MESH_PROOF,
    WEFT_MESH_HEARTBEAT,
    WEFT_MESH_PING,
    WEFT_MESH_ACK,
    WEFT_MESH_PING_REQUEST,
    WEFT_MESH_SEXP,
    WEFT_MESH_TYPE_COUNT
};

struct weft_mesh_stats { // received = accepted + sum of dropped, always.
    uint64_t received, accepted;
    uint64_t dropped[WEFT_DROP_COUNT];
    uint64_t received_bytes, sent, sent_bytes;
    uint64_t accepted_type[WEFT_MESH_TYPE_COUNT], sent_type[WEFT_MESH_TYPE_COUNT];
    uint64_t actions_lost; // The caller did not drain: sends are lost like any datagram.
    uint32_t alive, suspect, dead;
    uint32_t health; // Lifeguard's multiplier: 0 is well, 8 is very late.
};

struct weft_mesh; // One node's view of the swarm.

// Makes a mesh that has not spoken yet; the first tick does. 0; -EINVAL for options out of range;
// -ENOMEM; -EIO if GnuTLS refuses. `now_ns` is where its time begins.
int weft_mesh_create(struct weft_mesh **mesh, const struct weft_mesh_options *options,
                     uint64_t now_ns);
void weft_mesh_free(struct weft_mesh *mesh); // Wipes the keys. NULL is allowed.

// One UDP payload that came from `source`. Bad ones are counted by reason, never more than that.
void weft_mesh_receive(struct weft_mesh *mesh, struct weft_mesh_address source,
                       struct weft_span datagram, uint64_t now_ns);

// Does what is due. Early calls do nothing; late ones make the mesh distrust its own judgement.
void weft_mesh_tick(struct weft_mesh *mesh, uint64_t now_ns);

// When tick has work next: where to set the timer. Ask again after each receive and tick.
uint64_t weft_mesh_due_ns(const struct weft_mesh *mesh);

// Takes the oldest action. What its spans point to stays until the next call of receive, tick or
// send_envelope. False if there is none. Drain after each of those calls.
bool weft_mesh_next_action(struct weft_mesh *mesh, struct weft_mesh_action *action);

// Sends `payload` to node `to` in one sealed datagram `(host-msg :to :from :payload)`. At most
// once: it may be lost, also where the peer has not yet accepted this boot's salt, and may overtake
// others. To the own id: delivered here, through the same action. 0; -EHOSTUNREACH if the node is
// unknown or dead (counted as mesh/no_peer); -EMSGSIZE; -ENOBUFS if the actions were not drained.
int weft_mesh_send_envelope(struct weft_mesh *mesh, uint64_t to, struct weft_span payload,
                            uint64_t now_ns);

// True if a payload fits into one datagram once it is escaped. Pure; any core.
bool weft_mesh_envelope_fits(struct weft_span payload);

// The load that the next heartbeat carries.
void weft_mesh_load_set(struct weft_mesh *mesh, struct weft_mesh_load load);

uint64_t weft_mesh_id(const struct weft_mesh *mesh);
uint32_t weft_mesh_peer_count(const struct weft_mesh *mesh); // The dead included, oneself not.

// The peer in row `index`; rows may move after receive and tick. False past the end.
bool weft_mesh_peer_at(const struct weft_mesh *mesh, uint32_t index, uint64_t now_ns,
                       struct weft_mesh_peer_info *info);
bool weft_mesh_peer_find(const struct weft_mesh *mesh, uint64_t id, uint64_t now_ns,
                         struct weft_mesh_peer_info *info);

void weft_mesh_stats(const struct weft_mesh *mesh, struct weft_mesh_stats *stats);

// A digest of the membership as this node sees it: ids, states, incarnations, and its own. No
// secret, no address, no order of rows goes in: the simulator compares it between two runs.
uint64_t weft_mesh_hash(const struct weft_mesh *mesh);

const char *weft_mesh_state_name(enum weft_mesh_state state);     // "alive" ...
const char *weft_mesh_event_name(enum weft_mesh_event_kind kind); // "joined" ...
const char *weft_mesh_type_name(enum weft_mesh_type type);        // "hello" ...

#endif // WEFT_MESH_MESH_H
