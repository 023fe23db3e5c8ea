// claim.h: what a node says of itself, signed, so that others can pass it on but not change it.
//
// A claim with a higher (incarnation, sequence) replaces an older one. The incarnation is the boot
// (milliseconds since 1970 at the start) << 20, plus one for each rumour of its death that the node
// had to refute: SWIM's incarnation, and a restart shows in it.
#ifndef WEFT_MESH_CLAIM_H
#define WEFT_MESH_CLAIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/mesh/key.h"

#define WEFT_CLAIM_NAME_BYTES 28
#define WEFT_CLAIM_BOOT_SHIFT 20

// On the wire, little-endian. docs/wire/mesh.md.
struct weft_claim_wire {
    uint8_t public_key[WEFT_MESH_PUBLIC_KEY_BYTES]; // The node id is its digest.
    uint64_t incarnation;
    uint64_t wall_ns; // When it was signed, for people only.
    uint32_t sequence;
    uint32_t capabilities;
    uint32_t units;
    uint32_t ip;
    uint16_t port;
    uint16_t busy_permille;
    char name[WEFT_CLAIM_NAME_BYTES];             // Printable ASCII, then zeros; at least one.
    uint8_t signature[WEFT_MESH_SIGNATURE_BYTES]; // Of "weft mesh claim 1" and all before it.
};
_Static_assert(sizeof(struct weft_claim_wire) == 160, "a claim is a promise");
_Static_assert(offsetof(struct weft_claim_wire, incarnation) == 32, "a claim is a promise");
_Static_assert(offsetof(struct weft_claim_wire, sequence) == 48, "a claim is a promise");
_Static_assert(offsetof(struct weft_claim_wire, ip) == 60, "a claim is a promise");
_Static_assert(offsetof(struct weft_claim_wire, name) == 68, "a claim is a promise");
_Static_assert(offsetof(struct weft_claim_wire, signature) == 96, "a claim is a promise");

#define WEFT_CLAIM_BYTES sizeof(struct weft_claim_wire)

// Fills in public key and signature. 0, or -EIO.
int weft_claim_sign(struct weft_claim_wire *claim, const struct weft_mesh_identity *identity);

// 0 if the signature is the claimed key's own, else -EBADMSG. About 100 us: ask for news only.
int weft_claim_verify(const struct weft_claim_wire *claim);

// Is every field one that a sound node would claim? Cheap; asked of every claim that comes in.
bool weft_claim_sane(const struct weft_claim_wire *claim);

static inline uint64_t weft_claim_boot(const struct weft_claim_wire *claim)
{
    return claim->incarnation >> WEFT_CLAIM_BOOT_SHIFT;
}

// Does `claim` replace `known`?
static inline bool weft_claim_newer(const struct weft_claim_wire *claim,
                                    const struct weft_claim_wire *known)
{
    if (claim->incarnation != known->incarnation) return claim->incarnation > known->incarnation;
    return claim->sequence > known->sequence;
}

#endif // WEFT_MESH_CLAIM_H
