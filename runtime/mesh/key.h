// key.h: the two secrets of a node: the cluster key that all share, and the identity that is its
// own.
//
// A node's id is the first 8 bytes of the SHA-256 of its Ed25519 public key (RFC 8032), read
// big-endian, so that printing it as %016llx shows the digest's first 16 digits. The name is a
// label.
//
// Files are read and made at start, by the control core, before any engine runs: 64 hex digits and
// a newline, mode 0600 or 0400, owned by the node's own user.
#ifndef WEFT_MESH_KEY_H
#define WEFT_MESH_KEY_H

#include <stdint.h>

#include "runtime/base/error.h"
#include "runtime/base/span.h"
#include "runtime/env/entropy.h"

#define WEFT_MESH_KEY_BYTES        32
#define WEFT_MESH_PUBLIC_KEY_BYTES 32
#define WEFT_MESH_SIGNATURE_BYTES  64

struct weft_mesh_key {
    uint8_t bytes[WEFT_MESH_KEY_BYTES];
};

struct weft_mesh_identity {
    uint64_t id; // Never 0.
    uint8_t public_key[WEFT_MESH_PUBLIC_KEY_BYTES];
    void *signer; // GnuTLS's private key.
};

// Reads the cluster key. 0, or a negative errno with W0301 in `error`: missing, not 64 hex digits
// and a newline, open to others, not a plain file, another's.
int weft_mesh_key_read(const char *path, struct weft_mesh_key *key, struct weft_error *error);

// Makes a new cluster key file, mode 0600; never replaces one. 0, or a negative errno with W0301.
int weft_mesh_key_generate(const char *path, const struct weft_entropy *entropy,
                           struct weft_error *error);

// An identity from its 32-byte seed. 0, or -EIO if GnuTLS refuses.
int weft_mesh_identity_init(struct weft_mesh_identity *identity,
                            const uint8_t seed[WEFT_MESH_KEY_BYTES]);
void weft_mesh_identity_destroy(struct weft_mesh_identity *identity);

// Reads the identity file, or makes it on the first start. 0, or a negative errno with W0301.
int weft_mesh_identity_open(const char *path, const struct weft_entropy *entropy,
                            struct weft_mesh_identity *identity, struct weft_error *error);

// Signs `message`. 0, or -EIO.
int weft_mesh_sign(const struct weft_mesh_identity *identity, struct weft_span message,
                   uint8_t signature[WEFT_MESH_SIGNATURE_BYTES]);

// 0 if `signature` is that of `public_key` over `message`, else -EBADMSG. About 100 us.
int weft_mesh_verify(const uint8_t public_key[WEFT_MESH_PUBLIC_KEY_BYTES], struct weft_span message,
                     const uint8_t signature[WEFT_MESH_SIGNATURE_BYTES]);

// The node id that belongs to a public key.
uint64_t weft_mesh_id_of(const uint8_t public_key[WEFT_MESH_PUBLIC_KEY_BYTES]);

#endif // WEFT_MESH_KEY_H
