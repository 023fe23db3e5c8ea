#include "runtime/mesh/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/base/units.h"

#define CHALLENGE_AGAIN_NS (200 * WEFT_NS_PER_MS) // One boot is not asked more often.
#define CHALLENGE_VALID_NS (5 * WEFT_NS_PER_S)    // After that, a new nonce.
#define CHALLENGE_RATE_HZ  500
#define CHALLENGE_BURST    500 // A swarm that meets at once; each answer is smaller than its cause.

int weft_session_table_init(struct weft_session_table *table, uint32_t count_max)
{
    *table = (struct weft_session_table){.count_max = count_max};
    if (weft_pacer_init(&table->challenges, CHALLENGE_RATE_HZ, CHALLENGE_BURST) != 0)
        return -EINVAL;
    table->sessions = calloc(count_max, sizeof(*table->sessions));
    if (table->sessions == NULL || weft_id_index_init(&table->index, count_max) != 0) {
        weft_session_table_destroy(table);
        return -ENOMEM;
    }
    return 0;
}

void weft_session_table_destroy(struct weft_session_table *table)
{
    for (uint32_t i = 0; table->sessions != NULL && i < table->count_max; i++) {
        weft_seal_cipher_destroy(&table->sessions[i].cipher);
    }
    free(table->sessions);
    weft_id_index_destroy(&table->index);
    *table = (struct weft_session_table){0};
}

struct weft_session *weft_session_find(struct weft_session_table *table, uint64_t sender)
{
    const uint32_t slot = weft_id_index_find(&table->index, sender);
    return slot == WEFT_ID_INDEX_NONE ? NULL : &table->sessions[slot];
}

static bool same_boot(const struct weft_session_pending *pending, uint64_t sender,
                      const uint8_t salt[WEFT_SEAL_SALT_BYTES])
{
    return pending->sender == sender && memcmp(pending->salt, salt, sizeof(pending->salt)) == 0;
}

// The boot's own entry, else a free one, else the oldest: a flood of recordings costs the honest
// newcomer at most a retry.
static struct weft_session_pending *pending_slot(struct weft_session_table *table, uint64_t sender,
                                                 const uint8_t salt[WEFT_SEAL_SALT_BYTES])
{
    struct weft_session_pending *oldest = &table->pending[0];
    for (uint32_t i = 0; i < WEFT_SESSION_PENDING_COUNT; i++) {
        struct weft_session_pending *pending = &table->pending[i];
        if (same_boot(pending, sender, salt)) return pending;
        if (oldest->sender != 0 && (pending->sender == 0 || pending->made_ns < oldest->made_ns)) {
            oldest = pending;
        }
    }
    return oldest;
}

bool weft_session_challenge(struct weft_session_table *table, uint64_t sender,
                            const uint8_t salt[WEFT_SEAL_SALT_BYTES], uint32_t ip, uint16_t port,
                            uint64_t now_ns, const struct weft_entropy *entropy,
                            uint8_t nonce[WEFT_SESSION_NONCE_BYTES])
{
    struct weft_session_pending *pending = pending_slot(table, sender, salt);
    const bool known = same_boot(pending, sender, salt);
    const bool elsewhere = known && (pending->ip != ip || pending->port != port);

    if (known && !elsewhere && now_ns - pending->sent_ns < CHALLENGE_AGAIN_NS) return false;
    if (!weft_pacer_admit(&table->challenges, now_ns)) return false;
    if (!known || elsewhere || now_ns - pending->made_ns >= CHALLENGE_VALID_NS) {
        *pending = (struct weft_session_pending){
            .sender = sender, .ip = ip, .port = port, .made_ns = now_ns};
        memcpy(pending->salt, salt, sizeof(pending->salt));
        weft_entropy_fill(entropy, pending->nonce, sizeof(pending->nonce));
    }
    pending->sent_ns = now_ns;
    memcpy(nonce, pending->nonce, sizeof(pending->nonce));
    return true;
}

bool weft_session_proven(struct weft_session_table *table, uint64_t sender,
                         const uint8_t salt[WEFT_SEAL_SALT_BYTES], uint32_t ip, uint16_t port,
                         uint64_t now_ns, const uint8_t nonce[WEFT_SESSION_NONCE_BYTES])
{
    struct weft_session_pending *pending = pending_slot(table, sender, salt);
    if (!same_boot(pending, sender, salt)) return false;
    if (pending->ip != ip || pending->port != port) return false;
    if (now_ns - pending->made_ns >= 2 * CHALLENGE_VALID_NS) return false;
    if (memcmp(pending->nonce, nonce, sizeof(pending->nonce)) != 0) return false;
    *pending = (struct weft_session_pending){0};
    return true;
}

static struct weft_session *session_slot(struct weft_session_table *table, uint64_t sender)
{
    struct weft_session *session = weft_session_find(table, sender);
    if (session != NULL) return session;
    session = &table->sessions[0];
    for (uint32_t i = 0; i < table->count_max && session->sender != 0; i++) {
        struct weft_session *other = &table->sessions[i];
        if (other->sender == 0 || other->used < session->used) session = other;
    }
    return session;
}

struct weft_session *weft_session_accept(struct weft_session_table *table, uint64_t sender,
                                         const uint8_t salt[WEFT_SEAL_SALT_BYTES],
                                         const struct weft_mesh_key *key, uint32_t epoch,
                                         uint64_t counter)
{
    struct weft_session *session = session_slot(table, sender);
    if (session->sender != 0) weft_id_index_remove(&table->index, session->sender);
    session->sender = 0;
    weft_replay_start(&session->window, counter);
    memcpy(session->salt, salt, sizeof(session->salt));
    if (weft_seal_cipher_key(&session->cipher, key, epoch, sender, salt) != 0) return NULL;
    session->sender = sender;
    weft_id_index_put(&table->index, sender, (uint32_t)(session - table->sessions));
    weft_session_used(table, session);
    return session;
}

void weft_session_used(struct weft_session_table *table, struct weft_session *session)
{
    session->used = ++table->clock;
}

void weft_session_forget(struct weft_session_table *table, uint64_t sender)
{
    struct weft_session *session = weft_session_find(table, sender);
    if (session == NULL) return;
    weft_id_index_remove(&table->index, sender);
    session->sender = 0;
}
