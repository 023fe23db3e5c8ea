// key.h: the keys that sign releases (Ed25519, RFC 8032) and digests (SHA-256), over GnuTLS.
//
// Keys are PEM files as `openssl genpkey -algorithm ed25519` and `openssl pkey -pubout` write them.
// A signature is the 64 bytes of the RFC and nothing around them.
//
// Core: any thread that may block on a file; never a core that turns.
#ifndef WEFT_UPDATE_KEY_H
#define WEFT_UPDATE_KEY_H

#include <stdint.h>

#include "runtime/base/error.h"
#include "runtime/base/span.h"

#define WEFT_UPDATE_SIGNATURE_BYTES 64
#define WEFT_UPDATE_DIGEST_BYTES    32

struct weft_update_key {
    void *public_key; // gnutls_pubkey_t, or NULL.
};

// Reads the public key at `path`. 0, or -1 with W0903 in `error`: missing, larger than 16 KiB, no
// PEM, not Ed25519.
int weft_update_key_read(const char *path, struct weft_update_key *key, struct weft_error *error);
// The same from PEM text.
int weft_update_key_parse(struct weft_span pem, const char *name, struct weft_update_key *key,
                          struct weft_error *error);
void weft_update_key_destroy(struct weft_update_key *key);

// 0 if `signature` is that of `key` over `message`, else -EBADMSG.
int weft_update_key_verify(const struct weft_update_key *key, struct weft_span message,
                           const uint8_t signature[WEFT_UPDATE_SIGNATURE_BYTES]);

// Signs `message` with the private key in PEM. 0, or -1 with W0903.
int weft_update_sign(struct weft_span private_pem, struct weft_span message,
                     uint8_t signature[WEFT_UPDATE_SIGNATURE_BYTES], struct weft_error *error);

// A digest in the making. `state` is GnuTLS's; NULL before init and after finish.
struct weft_update_digest {
    void *state;
};
// 0 or -ENOMEM.
int weft_update_digest_init(struct weft_update_digest *digest);
void weft_update_digest_add(struct weft_update_digest *digest, const void *bytes, size_t length);
// Gives the digest (`sum` may be NULL: drop it) and releases the state.
void weft_update_digest_finish(struct weft_update_digest *digest,
                               uint8_t sum[WEFT_UPDATE_DIGEST_BYTES]);

// Lower-case hex with a zero byte, and back: false if the 64 bytes at `text` are not that.
void weft_update_hex(const uint8_t sum[WEFT_UPDATE_DIGEST_BYTES],
                     char text[2 * WEFT_UPDATE_DIGEST_BYTES + 1]);
bool weft_update_unhex(const char *text, uint8_t sum[WEFT_UPDATE_DIGEST_BYTES]);

#endif // WEFT_UPDATE_KEY_H
