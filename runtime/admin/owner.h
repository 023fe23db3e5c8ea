// owner.h: what opens the admin port beyond this machine: the node's own TLS key, and who its owner
// is.
//
// The node's key and its self-signed certificate are made at the first start and stay; who wants to
// be sure whom it speaks to compares the certificate's fingerprint, which the node shows on its
// console. One that is damaged is put aside and made anew: else a node without a shell would be
// shut to its owner for good. Its owner sees another fingerprint then, and is told why. Who may ask
// is whoever sends the token, `Authorization: Bearer TOKEN` (RFC 6750), or who shows in the
// handshake a certificate of the owner's key: only its public half is on the node, so that who
// reads the drive has learned nothing. Without either there is no such port.
//
// Core: control core, at start. Memory: embedded by value; the server that serves with it ends
// first.
#ifndef WEFT_ADMIN_OWNER_H
#define WEFT_ADMIN_OWNER_H

#include <stdbool.h>

#include "runtime/base/error.h"

#define WEFT_OWNER_TOKEN_MIN 16
#define WEFT_OWNER_TOKEN_MAX 256
#define WEFT_OWNER_KEY_BYTES 32 // Of a public key (RFC 8032).

struct weft_owner {
    char key_pem[2048], certificate_pem[2048];
    char fingerprint[65];                 // SHA-256 of the certificate, 64 hex digits.
    char token[WEFT_OWNER_TOKEN_MAX + 1]; // "": there is none.
    bool has_key;                         // Of the owner.
    unsigned char key[WEFT_OWNER_KEY_BYTES];
    struct weft_error left_out; // Of token and key, the one that is no good; code 0: neither.
    struct weft_error renewed;  // Why the node's key was made anew; code 0: it was not.
};

struct weft_owner_files {
    const char *token;    // NULL or "": none.
    const char *key;      // The owner's public key; NULL or "": none.
    const char *node_key; // Of the node itself, with its certificate.
};

// Reads the owner's token and public key, one of which there must be and be good, and the node's
// key, which is made (mode 0600) if it is not there. One that is no good beside one that is opens
// nothing, and does not shut the owner out: it stands in `left_out`. 0, or -1 with W0301 in
// `error`: neither; a token that is not 16 to 256 visible characters in one line; a key that is no
// Ed25519 public key in PEM; a file of the node's key that others may read. One that is no key with
// its certificate (or cannot be read off the disk) is renamed to NAME.damaged, another one is made,
// and that stands in `renewed`.
int weft_owner_open(struct weft_owner *owner, const struct weft_owner_files *files,
                    struct weft_error *error);

// Whether `authorization` (that header, or NULL) bears the token. Takes as long for any other.
bool weft_owner_admits(const struct weft_owner *owner, const char *authorization);
// Whether the other side of a TLS session (gnutls_session_t) has shown the owner's key. The
// handshake is over, so it has the private one.
bool weft_owner_knows(const struct weft_owner *owner, void *session);

#endif // WEFT_ADMIN_OWNER_H
