// session.h: the boots of other nodes that this one listens to, and those that must first prove
// that they live now.
//
//   unknown salt --(opens: challenge sent)--> pending --(proof with our nonce, same place)-->
//   accepted
//
// A node restarts with a new salt and starts its counter at one, so a recording of an older boot
// would pass any window: only who answers a fresh nonce is let in. One session a sender; the
// least recently used goes when the table is full, and its owner is challenged again.
//
// Core: the mesh's. Memory: allocated at init; a cipher handle on a slot's first use.
#ifndef WEFT_MESH_SESSION_H
#define WEFT_MESH_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/env/entropy.h"
#include "runtime/mesh/id_index.h"
#include "runtime/mesh/pacer.h"
#include "runtime/mesh/replay_window.h"
#include "runtime/mesh/seal.h"

#define WEFT_SESSION_NONCE_BYTES   16
#define WEFT_SESSION_PENDING_COUNT 64

struct weft_session {
    uint64_t sender; // 0: the slot is free.
    uint64_t used;   // The table's clock at its last datagram.
    uint8_t salt[WEFT_SEAL_SALT_BYTES];
    struct weft_seal_cipher cipher;
    struct weft_replay_window window;
};

struct weft_session_pending {
    uint64_t sender; // 0: the slot is free.
    uint8_t salt[WEFT_SEAL_SALT_BYTES];
    uint8_t nonce[WEFT_SESSION_NONCE_BYTES];
    uint32_t ip;
    uint16_t port;
    uint64_t sent_ns;
    uint64_t made_ns;
};

struct weft_session_table {
    struct weft_session *sessions;
    uint32_t count_max;
    struct weft_id_index index; // By sender.
    uint64_t clock;
    struct weft_session_pending pending[WEFT_SESSION_PENDING_COUNT];
    struct weft_pacer challenges; // All of them together.
};

// 0, or -ENOMEM. `count_max` sessions.
int weft_session_table_init(struct weft_session_table *table, uint32_t count_max);
void weft_session_table_destroy(struct weft_session_table *table);

// The accepted session of `sender`, whatever its salt; NULL if there is none.
struct weft_session *weft_session_find(struct weft_session_table *table, uint64_t sender);

// May a challenge be sent to this boot now? Then `nonce` is what to send: the same again while the
// last one may still be on its way. Bounded per boot and in all.
bool weft_session_challenge(struct weft_session_table *table, uint64_t sender,
                            const uint8_t salt[WEFT_SEAL_SALT_BYTES], uint32_t ip, uint16_t port,
                            uint64_t now_ns, const struct weft_entropy *entropy,
                            uint8_t nonce[WEFT_SESSION_NONCE_BYTES]);

// Does this proof answer a challenge of ours, from the same place, in time? Each does so once.
bool weft_session_proven(struct weft_session_table *table, uint64_t sender,
                         const uint8_t salt[WEFT_SEAL_SALT_BYTES], uint32_t ip, uint16_t port,
                         uint64_t now_ns, const uint8_t nonce[WEFT_SESSION_NONCE_BYTES]);

// Accepts a boot; the sender's former one ends. `counter` and all before it count as seen. NULL if
// GnuTLS refuses.
struct weft_session *weft_session_accept(struct weft_session_table *table, uint64_t sender,
                                         const uint8_t salt[WEFT_SEAL_SALT_BYTES],
                                         const struct weft_mesh_key *key, uint32_t epoch,
                                         uint64_t counter);

void weft_session_used(struct weft_session_table *table, struct weft_session *session);
void weft_session_forget(struct weft_session_table *table, uint64_t sender);

#endif // WEFT_MESH_SESSION_H
