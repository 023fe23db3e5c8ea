// receive.c: the fate of one datagram. Cheap checks first, the key next, meaning last.
#include <string.h>

#include "runtime/base/endian.h"
#include "runtime/mesh/envelope.h"
#include "runtime/mesh/mesh_internal.h"

#define ANSWER_AGAIN_NS (150 * WEFT_NS_PER_MS) // Below the challenger's own pause.

struct incoming {
    struct weft_mesh_address source;
    struct weft_seal_wire header;
    struct weft_span datagram;
    struct weft_span body;
    uint64_t now_ns;
};

static int challenge(struct weft_mesh *mesh, const struct incoming *in)
{
    struct weft_challenge_wire wire;
    // Nothing shorter than the answer is answered: a stranger cannot make us send more than he did.
    if (in->body.length < sizeof(wire)) return WEFT_DROP_MESH_SALT;
    if (!weft_session_challenge(&mesh->sessions, in->header.sender, in->header.salt, in->source.ip,
                                in->source.port, in->now_ns, &mesh->options.entropy, wire.nonce))
        return WEFT_DROP_MESH_SALT;
    memcpy(wire.salt, in->header.salt, sizeof(wire.salt));
    mesh_send(mesh, in->source, in->header.sender, WEFT_MESH_CHALLENGE, &wire, sizeof(wire));
    return WEFT_DROP_MESH_SALT;
}

// A challenge that was recorded and is played again must not make us talk: one answer per nonce in
// the time in which an honest challenger would ask again.
static bool may_answer(struct weft_mesh *mesh, const struct weft_challenge_wire *wire,
                       uint64_t now_ns)
{
    const uint64_t nonce = weft_le64_get(wire->nonce);
    struct mesh_answered *answered = &mesh->answered[nonce & (WEFT_MESH_ANSWERED - 1)];
    if (answered->nonce == nonce && now_ns < answered->next_ns) return false;
    if (!weft_pacer_admit(&mesh->replies, now_ns)) return false;
    *answered = (struct mesh_answered){.nonce = nonce, .next_ns = now_ns + ANSWER_AGAIN_NS};
    return true;
}

// Answered whoever asks: he has the key, and a proof says nothing that a hello does not.
static int on_challenge(struct weft_mesh *mesh, const struct incoming *in)
{
    struct weft_challenge_wire wire;
    struct weft_proof_wire proof;

    if (in->body.length != sizeof(wire)) return WEFT_DROP_MESH_MALFORMED;
    memcpy(&wire, in->body.data, sizeof(wire));
    if (memcmp(wire.salt, mesh->salt, sizeof(wire.salt)) != 0) return WEFT_DROP_MESH_SALT;
    if (!may_answer(mesh, &wire, in->now_ns)) return WEFT_MESH_ACCEPTED;
    memcpy(proof.nonce, wire.nonce, sizeof(proof.nonce));
    proof.claim = mesh->claim;
    mesh_send(mesh, in->source, in->header.sender, WEFT_MESH_PROOF, &proof, sizeof(proof));
    return WEFT_MESH_ACCEPTED;
}

static int own_claim_check(struct weft_mesh *mesh, const struct incoming *in,
                           const struct weft_claim_wire *claim)
{
    if (weft_mesh_id_of(claim->public_key) != in->header.sender) return WEFT_DROP_MESH_SIGNATURE;
    return gossip_claim_check(mesh, claim, in->header.sender);
}

// A stranger's answer to our challenge: from here on we listen to this boot of his.
static int on_proof(struct weft_mesh *mesh, const struct incoming *in)
{
    struct weft_proof_wire wire;

    if (in->body.length != sizeof(wire)) return WEFT_DROP_MESH_MALFORMED;
    memcpy(&wire, in->body.data, sizeof(wire));
    const int fate = own_claim_check(mesh, in, &wire.claim);
    if (fate != WEFT_MESH_ACCEPTED) return fate;
    if (weft_peer_find(&mesh->peers, in->header.sender) == NULL && !weft_peer_room(&mesh->peers))
        return WEFT_DROP_MESH_TABLE_FULL;
    if (!weft_session_proven(&mesh->sessions, in->header.sender, in->header.salt, in->source.ip,
                             in->source.port, in->now_ns, wire.nonce))
        return WEFT_DROP_MESH_SALT;

    struct weft_peer *peer = gossip_claim_take(mesh, &wire.claim, in->header.sender, in->now_ns);
    if (peer == NULL) return WEFT_DROP_MESH_TABLE_FULL;
    if (weft_session_accept(&mesh->sessions, in->header.sender, in->header.salt, &mesh->options.key,
                            mesh->options.epoch, in->header.counter) == NULL)
        return WEFT_DROP_MESH_KEY;
    peer->rx_count += 1;
    peer->behind = wire.claim.incarnation < peer->claim.incarnation;
    detector_heard(mesh, peer, true, in->now_ns);
    gossip_send(mesh, peer); // At once: so it asks us for our proof, and learns whom we know.
    gossip_introduce(mesh, peer, in->now_ns);
    return WEFT_MESH_ACCEPTED;
}

static int on_hello(struct weft_mesh *mesh, const struct incoming *in, struct weft_peer *peer)
{
    struct weft_hello_wire wire;

    if (in->body.length != sizeof(wire)) return WEFT_DROP_MESH_MALFORMED;
    memcpy(&wire, in->body.data, sizeof(wire));
    const int fate = own_claim_check(mesh, in, &wire.claim);
    if (fate != WEFT_MESH_ACCEPTED) return fate;
    gossip_claim_take(mesh, &wire.claim, in->header.sender, in->now_ns);
    // Said to everyone, so a recording of it may be new to us: no sign of life.
    if (in->header.to == mesh->id) detector_heard(mesh, peer, true, in->now_ns);
    if (weft_pacer_admit(&mesh->replies, in->now_ns)) gossip_send(mesh, peer);
    return WEFT_MESH_ACCEPTED;
}

static int on_sexp(struct weft_mesh *mesh, const struct incoming *in)
{
    uint8_t payload[WEFT_MESH_DATAGRAM_BYTES_MAX];
    struct weft_envelope envelope;

    if (weft_envelope_read(in->body, payload, sizeof(payload), &envelope) != 0)
        return WEFT_DROP_MESH_MALFORMED;
    if (envelope.to != mesh->id || envelope.from != in->header.sender)
        return WEFT_DROP_MESH_MALFORMED;
    mesh_deliver(mesh, envelope.from, envelope.payload);
    return WEFT_MESH_ACCEPTED;
}

// From a boot that we listen to.
static int act(struct weft_mesh *mesh, const struct incoming *in)
{
    struct weft_peer *peer = weft_peer_find(&mesh->peers, in->header.sender);
    if (peer == NULL) return WEFT_DROP_MESH_TABLE_FULL;
    peer->rx_count += 1;
    if (in->header.type == WEFT_MESH_HELLO) return on_hello(mesh, in, peer);

    int fate = WEFT_DROP_MESH_MALFORMED;
    switch (in->header.type) {
    case WEFT_MESH_CHALLENGE: fate = on_challenge(mesh, in); break;
    case WEFT_MESH_PROOF: // Asked twice, answered twice.
        if (in->body.length == sizeof(struct weft_proof_wire)) fate = WEFT_MESH_ACCEPTED;
        break;
    case WEFT_MESH_HEARTBEAT:
        fate = gossip_heartbeat(mesh, in->header.sender, in->body, in->now_ns);
        break;
    case WEFT_MESH_PING: fate = detector_ping(mesh, peer, in->body); break;
    case WEFT_MESH_ACK: fate = detector_ack(mesh, peer, in->body, in->now_ns); break;
    case WEFT_MESH_PING_REQUEST: fate = detector_ping_request(mesh, peer, in->body); break;
    case WEFT_MESH_SEXP: fate = on_sexp(mesh, in); break;
    default: break;
    }
    // Last, as a heartbeat may carry the claim that takes it back from the dead. Rows may have
    // moved.
    peer = weft_peer_find(&mesh->peers, in->header.sender);
    if (fate == WEFT_MESH_ACCEPTED && peer != NULL) detector_heard(mesh, peer, true, in->now_ns);
    return fate;
}

static int open_stranger(struct weft_mesh *mesh, struct incoming *in)
{
    if (!weft_pacer_admit(&mesh->strangers, in->now_ns)) return WEFT_DROP_MESH_SALT;
    if (weft_seal_cipher_key(&mesh->stranger, &mesh->options.key, mesh->options.epoch,
                             in->header.sender, in->header.salt) != 0)
        return WEFT_DROP_MESH_KEY;
    const int length = weft_seal_open(&mesh->stranger, &in->header, in->datagram, mesh->plain);
    if (length < 0) return WEFT_DROP_MESH_KEY;
    in->body = weft_span_of(mesh->plain, (size_t)length);
    switch (in->header.type) {
    case WEFT_MESH_CHALLENGE: return on_challenge(mesh, in);
    case WEFT_MESH_PROOF: return on_proof(mesh, in);
    default: return challenge(mesh, in);
    }
}

static int open_known(struct weft_mesh *mesh, struct weft_session *session, struct incoming *in)
{
    if (!weft_replay_fresh(&session->window, in->header.counter)) return WEFT_DROP_MESH_REPLAY;
    const int length = weft_seal_open(&session->cipher, &in->header, in->datagram, mesh->plain);
    if (length < 0) return WEFT_DROP_MESH_KEY;
    weft_replay_take(&session->window, in->header.counter);
    weft_session_used(&mesh->sessions, session);
    in->body = weft_span_of(mesh->plain, (size_t)length);
    return act(mesh, in);
}

static int judge(struct weft_mesh *mesh, struct incoming *in)
{
    enum weft_drop drop;
    if (weft_seal_header_read(in->datagram, mesh->options.epoch, WEFT_MESH_DATAGRAM_BYTES_MAX,
                              &in->header, &drop) != 0)
        return drop;
    if (in->header.sender == mesh->id) return WEFT_DROP_MESH_OWN;
    if (in->header.to != mesh->id && !(in->header.to == 0 && in->header.type == WEFT_MESH_HELLO))
        return WEFT_DROP_MESH_NOT_OURS;

    struct weft_session *session = weft_session_find(&mesh->sessions, in->header.sender);
    if (session != NULL && memcmp(session->salt, in->header.salt, sizeof(session->salt)) == 0)
        return open_known(mesh, session, in);
    return open_stranger(mesh, in);
}

// Reasons that an operator should hear of: somebody is set up wrongly, or worse.
static bool is_remarkable(const struct weft_mesh *mesh, const struct incoming *in, int fate)
{
    switch (fate) {
    case WEFT_DROP_MESH_VERSION:
    case WEFT_DROP_MESH_EPOCH:
    case WEFT_DROP_MESH_KEY:
    case WEFT_DROP_MESH_SIGNATURE:
    case WEFT_DROP_MESH_TABLE_FULL: return true;
    case WEFT_DROP_MESH_OWN: // Another process uses our identity; our own broadcast does not count.
        return memcmp(in->header.salt, mesh->salt, sizeof(mesh->salt)) != 0;
    default: return false;
    }
}

void weft_mesh_receive(struct weft_mesh *mesh, struct weft_mesh_address source,
                       struct weft_span datagram, uint64_t now_ns)
{
    struct incoming in = {.source = source, .datagram = datagram, .now_ns = now_ns};
    mesh->stats.received += 1;
    mesh->stats.received_bytes += datagram.length;

    const int fate = judge(mesh, &in);
    if (fate == WEFT_MESH_ACCEPTED) {
        mesh->stats.accepted += 1;
        mesh->stats.accepted_type[in.header.type] += 1;
        return;
    }
    mesh->stats.dropped[fate] += 1;
    weft_drop_add(mesh->drops, (enum weft_drop)fate, 1);
    if (is_remarkable(mesh, &in, fate)) mesh_refuse(mesh, source, (enum weft_drop)fate, now_ns);
}
