// wire.h: what stands inside a sealed datagram, by type. Little-endian. docs/wire/mesh.md.
//
// Every body is at least as long as a challenge's, so that answering a stranger never amplifies.
#ifndef WEFT_MESH_WIRE_H
#define WEFT_MESH_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/mesh/claim.h"
#include "runtime/mesh/seal.h"
#include "runtime/mesh/session.h"

#define WEFT_WIRE_BODY_BYTES_MAX   (1200 - WEFT_SEAL_OVERHEAD_BYTES)
#define WEFT_HEARTBEAT_CLAIMS_MAX  5 // The sender's own is the first.
#define WEFT_HEARTBEAT_RUMOURS_MAX 10

struct weft_hello_wire {
    struct weft_claim_wire claim;
};

struct weft_challenge_wire {
    uint8_t nonce[WEFT_SESSION_NONCE_BYTES];
    uint8_t salt[WEFT_SEAL_SALT_BYTES]; // The boot that is asked.
};

struct weft_proof_wire {
    uint8_t nonce[WEFT_SESSION_NONCE_BYTES];
    struct weft_claim_wire claim;
};

struct weft_heartbeat_wire { // Then the claims, then the rumours.
    uint16_t busy_permille;
    uint8_t claim_count;
    uint8_t rumour_count;
    uint32_t units;
};

struct weft_rumour_wire { // What the sender of the heartbeat thinks of a node.
    uint64_t id;
    uint64_t incarnation;
    uint64_t witness; // Of a suspicion: a node whose own probe went unanswered. Else 0.
    uint8_t state;    // enum weft_mesh_state
    uint8_t reserved[7];
};

struct weft_probe_wire { // Ping, ack and ping request.
    uint64_t sequence;   // The prober's; an ack gives it back.
    uint64_t node;       // Ping: 0. Ack: who is alive. Ping request: whom to ping.
    uint64_t reserved[2];
};

_Static_assert(sizeof(struct weft_hello_wire) == 160, "a body is a promise");
_Static_assert(sizeof(struct weft_challenge_wire) == 32, "a body is a promise");
_Static_assert(offsetof(struct weft_proof_wire, claim) == 16, "a body is a promise");
_Static_assert(sizeof(struct weft_proof_wire) == 176, "a body is a promise");
_Static_assert(sizeof(struct weft_heartbeat_wire) == 8, "a body is a promise");
_Static_assert(sizeof(struct weft_rumour_wire) == 32, "a body is a promise");
_Static_assert(sizeof(struct weft_probe_wire) == 32, "a body is a promise");
_Static_assert(sizeof(struct weft_heartbeat_wire) +
                       WEFT_HEARTBEAT_CLAIMS_MAX * sizeof(struct weft_claim_wire) +
                       WEFT_HEARTBEAT_RUMOURS_MAX * sizeof(struct weft_rumour_wire) <=
                   WEFT_WIRE_BODY_BYTES_MAX,
               "a full heartbeat fits");

#endif // WEFT_MESH_WIRE_H
