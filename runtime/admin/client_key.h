// client_key.h: the key by which an owner is known to its nodes: Ed25519, its private half in a
// file of the owner's machine, its public half as owner.key on a node's drive.
//
// TLS asks for a certificate, so one is made of the key for each connection, signed by the key
// itself. Nobody looks at anything in it but the public key (owner.h): the handshake has proved
// that who shows it has the private one, and that proof is worth nothing to whoever else receives
// it.
//
// For the tool and tests: it blocks on a file, so never on a core that turns.
#ifndef WEFT_ADMIN_CLIENT_KEY_H
#define WEFT_ADMIN_CLIENT_KEY_H

#include "runtime/base/error.h"

#define WEFT_CLIENT_KEY_PEM_BYTES 1024

struct weft_client_key {
    void *key;         // gnutls_x509_privkey_t, or NULL.
    void *certificate; // gnutls_x509_crt_t.
};

// Reads the private key at `path`, PEM as of `openssl genpkey -algorithm ed25519`. 0, or -1 with
// W0504: missing, not such a key, or a file that others may read.
int weft_client_key_open(struct weft_client_key *key, const char *path, struct weft_error *error);
void weft_client_key_close(struct weft_client_key *key);

// Makes a key in a new file of mode 0600. 0, or -1 with W0504: also if there is a file already.
int weft_client_key_make(const char *path, struct weft_error *error);
// The public half, PEM with a zero byte: what owner.key is to hold. 0, or -1 with W0504.
int weft_client_key_public(const struct weft_client_key *key, char pem[WEFT_CLIENT_KEY_PEM_BYTES],
                           struct weft_error *error);

#endif // WEFT_ADMIN_CLIENT_KEY_H
