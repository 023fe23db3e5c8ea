// owner.h: what opens the admin port beyond this machine: the node's own TLS key, and the token of
// its owner.
//
// The key and its self-signed certificate are made at the first start and stay; who wants to be
// sure whom it speaks to compares the certificate's fingerprint, which the node shows on its
// console. Who may ask is whoever sends the token: `Authorization: Bearer TOKEN` (RFC 6750).
// Without a token there is no such port.
//
// Core: control core, at start. Memory: embedded by value; the server that serves with it ends
// first.
#ifndef WEFT_ADMIN_OWNER_H
#define WEFT_ADMIN_OWNER_H

#include <stdbool.h>

#include "runtime/base/error.h"

#define WEFT_OWNER_TOKEN_MIN 16
#define WEFT_OWNER_TOKEN_MAX 256

struct weft_owner {
    char key_pem[2048], certificate_pem[2048];
    char fingerprint[65]; // SHA-256 of the certificate, 64 hex digits.
    char token[WEFT_OWNER_TOKEN_MAX + 1];
};

// Reads the token from `token_path` and the key from `key_path`, which is made (mode 0600) if it is
// not there. 0, or -1 with W0301 in `error`: a token that is missing or not 16 to 256 visible
// characters in one line, a key file that others may read or that does not parse.
int weft_owner_open(struct weft_owner *owner, const char *token_path, const char *key_path,
                    struct weft_error *error);

// Whether `authorization` (that header, or NULL) bears the token. Takes as long for any other.
bool weft_owner_admits(const struct weft_owner *owner, const char *authorization);

#endif // WEFT_ADMIN_OWNER_H
