// seal.h: the sealed datagram: header in the clear, body and tag by AES-128-GCM (NIST SP 800-38D).
//
// The key of a sender's boot is HKDF-SHA256 (RFC 5869) of (cluster key, epoch, sender, boot salt);
// the nonce is derived IV | 64-bit counter. A node draws a new 128-bit salt at each start, so no
// (key, nonce) pair is ever used twice and no counter has to be kept on disk. The header is
// authenticated data; it names the node the datagram is for, so that one captured on its way to A
// cannot speak to B.
//
// Core: used by the core that owns the mesh.
#ifndef WEFT_MESH_SEAL_H
#define WEFT_MESH_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/base/drop.h"
#include "runtime/base/span.h"
#include "runtime/mesh/key.h"

#define WEFT_SEAL_MAGIC      UINT32_C(0x4d544657) // "WFTM" on the wire.
#define WEFT_SEAL_VERSION    1
#define WEFT_SEAL_SALT_BYTES 16
#define WEFT_SEAL_TAG_BYTES  16

// On the wire, little-endian. docs/wire/mesh.md.
struct weft_seal_wire {
    uint32_t magic;
    uint8_t version;
    uint8_t type;   // enum weft_mesh_type
    uint16_t flags; // 0; a reader ignores what it does not know.
    uint32_t epoch;
    uint32_t reserved; // 0.
    uint64_t sender;
    uint64_t to; // 0: whoever reads it (hello only).
    uint8_t salt[WEFT_SEAL_SALT_BYTES];
    uint64_t counter; // From 1, one up with every datagram of this boot.
};
_Static_assert(sizeof(struct weft_seal_wire) == 56, "the header is a promise");
_Static_assert(offsetof(struct weft_seal_wire, epoch) == 8, "the header is a promise");
_Static_assert(offsetof(struct weft_seal_wire, sender) == 16, "the header is a promise");
_Static_assert(offsetof(struct weft_seal_wire, to) == 24, "the header is a promise");
_Static_assert(offsetof(struct weft_seal_wire, salt) == 32, "the header is a promise");
_Static_assert(offsetof(struct weft_seal_wire, counter) == 48, "the header is a promise");

#define WEFT_SEAL_HEADER_BYTES   sizeof(struct weft_seal_wire)
#define WEFT_SEAL_OVERHEAD_BYTES (WEFT_SEAL_HEADER_BYTES + WEFT_SEAL_TAG_BYTES)

// A key schedule for one (sender, salt); zeroed memory holds none.
struct weft_seal_cipher {
    void *handle; // GnuTLS's.
    uint8_t iv[4];
};

// Keys `cipher`. 0, or -EIO if GnuTLS refuses.
int weft_seal_cipher_key(struct weft_seal_cipher *cipher, const struct weft_mesh_key *key,
                         uint32_t epoch, uint64_t sender, const uint8_t salt[WEFT_SEAL_SALT_BYTES]);
void weft_seal_cipher_destroy(struct weft_seal_cipher *cipher);

// Reads and checks what can be checked before the key: length, magic, version, epoch, sender.
// 0, or -1 with the reason in `drop`.
int weft_seal_header_read(struct weft_span datagram, uint32_t epoch, size_t length_max,
                          struct weft_seal_wire *header, enum weft_drop *drop);

// Writes header, sealed body and tag to `datagram`, which has room for `body` and
// WEFT_SEAL_OVERHEAD_BYTES. Returns the length, or -EIO.
int weft_seal(struct weft_seal_cipher *cipher, const struct weft_seal_wire *header,
              struct weft_span body, uint8_t *datagram);

// Opens a datagram whose header was read into `body`, which has room for the datagram less the
// overhead. Returns the length of the body, or -EBADMSG: another key, or tampered with.
int weft_seal_open(struct weft_seal_cipher *cipher, const struct weft_seal_wire *header,
                   struct weft_span datagram, uint8_t *body);

#endif // WEFT_MESH_SEAL_H
