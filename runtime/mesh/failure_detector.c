// failure_detector.c: who has fallen silent.
//
//   silent 1.5 beats -> PING -> (1/2 beat) -> PING REQUEST via 3 -> (1 beat) -> SUSPECT -> DEAD
//
// With up to k peers everyone beats to everyone, so silence itself is the sign. With more, each
// beat probes the one without news for longest (SWIM's round robin, with what gossip tells us for
// free). All waits are stretched by Lifeguard's local health multiplier.
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/mesh/mesh_internal.h"

#define INDIRECT_COUNT   3
#define MEASURE_EVERY_NS (5 * WEFT_NS_PER_S) // The round trip to one peer.

static uint64_t stretched(const struct weft_mesh *mesh, uint64_t wait_ns)
{
    return wait_ns * (1 + mesh->health);
}

static uint64_t silence_ns(const struct weft_mesh *mesh)
{
    return mesh->options.heartbeat_ns + mesh->options.heartbeat_ns / 2;
}

static void scan_by(struct weft_mesh *mesh, uint64_t due_ns)
{
    mesh->scan_due_ns = mesh_min(mesh->scan_due_ns, due_ns);
}

// ---- probes

static void probe_start(struct weft_mesh *mesh, struct weft_peer *peer, uint64_t now_ns)
{
    const struct weft_probe_wire wire = {.sequence = ++mesh->sequence};
    uint64_t wait_ns = mesh->options.heartbeat_ns / 2;
    if (wait_ns < 3 * peer->rtt_ns) wait_ns = 3 * peer->rtt_ns; // A far peer is not a silent one.

    peer->probe_stage = WEFT_PROBE_DIRECT;
    peer->probe_sequence = wire.sequence;
    peer->rtt_sequence = wire.sequence;
    peer->rtt_sent_ns = now_ns;
    peer->probe_due_ns = now_ns + stretched(mesh, wait_ns);
    scan_by(mesh, peer->probe_due_ns);
    mesh_send_peer(mesh, peer, WEFT_MESH_PING, &wire, sizeof(wire));
}

// Through others: perhaps only the way between us two is broken.
static void probe_indirect(struct weft_mesh *mesh, struct weft_peer *peer, uint64_t now_ns)
{
    const struct weft_probe_wire wire = {.sequence = peer->probe_sequence, .node = peer->id};
    const uint32_t count = mesh->peers.count;
    const uint32_t from = weft_prng_below(&mesh->prng, count);
    uint32_t asked = 0;

    for (uint32_t i = 0; i < count && asked < INDIRECT_COUNT; i++) {
        struct weft_peer *helper = &mesh->peers.peers[(from + i) % count];
        if (helper == peer || helper->state != WEFT_MESH_ALIVE) continue;
        if (helper->probe_stage != WEFT_PROBE_NONE) continue; // Silent itself.
        mesh_send_peer(mesh, helper, WEFT_MESH_PING_REQUEST, &wire, sizeof(wire));
        asked += 1;
    }
    const struct weft_probe_wire again = {.sequence = peer->probe_sequence};
    mesh_send_peer(mesh, peer, WEFT_MESH_PING, &again, sizeof(again)); // The first may be lost.
    peer->rtt_sequence = 0; // Karn: an ack could be of either ping.
    peer->probe_stage = WEFT_PROBE_INDIRECT;
    peer->probe_due_ns = now_ns + stretched(mesh, mesh->options.heartbeat_ns);
}

void detector_probe_oldest(struct weft_mesh *mesh, uint64_t now_ns)
{
    struct weft_peer *oldest = NULL;
    for (uint32_t i = 0; i < mesh->peers.count; i++) {
        struct weft_peer *peer = &mesh->peers.peers[i];
        if (peer->state != WEFT_MESH_ALIVE || peer->probe_stage != WEFT_PROBE_NONE) continue;
        if (oldest == NULL || peer->heard_ns < oldest->heard_ns) oldest = peer;
    }
    if (oldest == NULL || now_ns < oldest->heard_ns + mesh->options.heartbeat_ns) return;
    probe_start(mesh, oldest, now_ns);
}

// One peer each beat, whether it is silent or not; no ack is no reproach.
void detector_measure(struct weft_mesh *mesh, uint64_t now_ns)
{
    struct weft_peer *oldest = NULL;
    for (uint32_t i = 0; i < mesh->peers.count; i++) {
        struct weft_peer *peer = &mesh->peers.peers[i];
        if (peer->state != WEFT_MESH_ALIVE || peer->probe_stage != WEFT_PROBE_NONE) continue;
        if (peer->direct_ns == 0) continue; // It may not listen to us yet.
        if (oldest == NULL || peer->rtt_sent_ns < oldest->rtt_sent_ns) oldest = peer;
    }
    if (oldest == NULL) return;
    if (oldest->rtt_ns != 0 && now_ns < oldest->rtt_sent_ns + MEASURE_EVERY_NS) return;
    const struct weft_probe_wire wire = {.sequence = ++mesh->sequence};
    oldest->rtt_sequence = wire.sequence;
    oldest->rtt_sent_ns = now_ns;
    mesh_send_peer(mesh, oldest, WEFT_MESH_PING, &wire, sizeof(wire));
}

int detector_ping(struct weft_mesh *mesh, struct weft_peer *peer, struct weft_span body)
{
    struct weft_probe_wire wire;
    if (body.length != sizeof(wire)) return WEFT_DROP_MESH_MALFORMED;
    memcpy(&wire, body.data, sizeof(wire));
    wire.node = mesh->id;
    mesh_send_peer(mesh, peer, WEFT_MESH_ACK, &wire, sizeof(wire));
    return WEFT_MESH_ACCEPTED;
}

int detector_ping_request(struct weft_mesh *mesh, struct weft_peer *peer, struct weft_span body)
{
    struct weft_probe_wire wire;
    if (body.length != sizeof(wire)) return WEFT_DROP_MESH_MALFORMED;
    memcpy(&wire, body.data, sizeof(wire));
    struct weft_peer *target = weft_peer_find(&mesh->peers, wire.node);
    if (target == NULL || target->state == WEFT_MESH_DEAD) return WEFT_MESH_ACCEPTED;

    struct mesh_relay *relay = &mesh->relays[mesh->relay_next++ % WEFT_MESH_RELAYS];
    *relay = (struct mesh_relay){.sequence = ++mesh->sequence,
                                 .requester = peer->id,
                                 .requester_sequence = wire.sequence,
                                 .target = target->id};
    const struct weft_probe_wire ping = {.sequence = relay->sequence};
    mesh_send_peer(mesh, target, WEFT_MESH_PING, &ping, sizeof(ping));
    return WEFT_MESH_ACCEPTED;
}

static void relay_back(struct weft_mesh *mesh, const struct weft_peer *from, uint64_t sequence)
{
    for (uint32_t i = 0; i < WEFT_MESH_RELAYS; i++) {
        struct mesh_relay *relay = &mesh->relays[i];
        if (relay->sequence != sequence || relay->target != from->id) continue;
        struct weft_peer *requester = weft_peer_find(&mesh->peers, relay->requester);
        const struct weft_probe_wire ack = {.sequence = relay->requester_sequence,
                                            .node = relay->target};
        *relay = (struct mesh_relay){0};
        if (requester != NULL) mesh_send_peer(mesh, requester, WEFT_MESH_ACK, &ack, sizeof(ack));
        return;
    }
}

static void rtt_take(struct weft_peer *peer, uint64_t sample_ns)
{
    peer->rtt_ns = peer->rtt_ns == 0 ? sample_ns : peer->rtt_ns - peer->rtt_ns / 8 + sample_ns / 8;
}

int detector_ack(struct weft_mesh *mesh, struct weft_peer *peer, struct weft_span body,
                 uint64_t now_ns)
{
    struct weft_probe_wire wire;
    if (body.length != sizeof(wire)) return WEFT_DROP_MESH_MALFORMED;
    memcpy(&wire, body.data, sizeof(wire));
    if (wire.node == peer->id) relay_back(mesh, peer, wire.sequence);

    struct weft_peer *about = weft_peer_find(&mesh->peers, wire.node);
    if (about == NULL || wire.sequence == 0) return WEFT_MESH_ACCEPTED;
    if (about == peer && about->rtt_sequence == wire.sequence) {
        rtt_take(about, now_ns - about->rtt_sent_ns);
        about->rtt_sequence = 0;
    }
    if (about->probe_sequence != wire.sequence) return WEFT_MESH_ACCEPTED;
    detector_heard(mesh, about, about == peer, now_ns);
    return WEFT_MESH_ACCEPTED;
}

// ---- verdicts

void detector_heard(struct weft_mesh *mesh, struct weft_peer *peer, bool direct, uint64_t now_ns)
{
    peer->heard_ns = now_ns;
    if (direct) peer->direct_ns = now_ns;
    if (peer->state == WEFT_MESH_DEAD) {
        // Others have been told; only it can take that back, so it should know (refute).
        if (!direct || now_ns - peer->nudged_ns < mesh->options.heartbeat_ns / 4) return;
        peer->nudged_ns = now_ns;
        gossip_send(mesh, peer);
        return;
    }
    peer->probe_stage = WEFT_PROBE_NONE;
    peer->witnessed = false;
    if (peer->state != WEFT_MESH_SUSPECT) return;
    weft_peer_state_set(&mesh->peers, peer, WEFT_MESH_ALIVE, now_ns);
    peer->rumour_left = 0;
    scan_by(mesh, now_ns + silence_ns(mesh));
    mesh_event(mesh, WEFT_MESH_EVENT_ALIVE, peer, false);
}

// Lifeguard §IV-B: from max down to min as independent confirmations come in, by the logarithm.
static uint64_t suspicion_ns(const struct weft_mesh *mesh, const struct weft_peer *peer)
{
    static const uint16_t confirmed_permille[WEFT_PEER_WITNESSES_MAX][WEFT_PEER_WITNESSES_MAX] = {
        {1000}, {0, 1000}, {0, 631, 1000}, {0, 500, 792, 1000}};
    const uint64_t beat_ns = mesh->options.heartbeat_ns;
    const uint32_t others = mesh->peers.state_count[WEFT_MESH_ALIVE];
    const uint32_t wanted = others < WEFT_PEER_WITNESSES_MAX ? others : WEFT_PEER_WITNESSES_MAX - 1;
    uint32_t have = peer->witness_count > 0 ? peer->witness_count - 1u : 0;
    if (have > wanted) have = wanted;

    uint64_t min_ns = beat_ns; // A refutation has to reach everybody: longer in a larger swarm.
    for (uint32_t n = others >> 4; n > 0; n >>= 2)
        min_ns += beat_ns / 2;
    uint64_t max_ns = mesh->options.timeout_ns - 3 * beat_ns;
    if (others > mesh->options.gossip_k && max_ns < min_ns + 2 * beat_ns)
        max_ns = min_ns + 2 * beat_ns; // Others need the time of a probe to confirm.
    if (max_ns < min_ns) max_ns = min_ns;
    return stretched(mesh, max_ns - (max_ns - min_ns) * confirmed_permille[wanted][have] / 1000);
}

// False if that is known already, or enough are.
static bool witness_add(struct weft_peer *peer, uint64_t witness)
{
    for (uint32_t i = 0; i < peer->witness_count; i++) {
        if (peer->witnesses[i] == witness) return false;
    }
    if (witness == 0 || peer->witness_count == WEFT_PEER_WITNESSES_MAX) return false;
    peer->witnesses[peer->witness_count++] = witness;
    return true;
}

void detector_suspect(struct weft_mesh *mesh, struct weft_peer *peer, uint64_t witness,
                      uint64_t now_ns)
{
    weft_assert(peer->state != WEFT_MESH_DEAD);
    const bool fresh = peer->state == WEFT_MESH_ALIVE;
    if (fresh) {
        weft_peer_state_set(&mesh->peers, peer, WEFT_MESH_SUSPECT, now_ns);
        peer->witness_count = 0;
        peer->witnessed = false;
        mesh_event(mesh, WEFT_MESH_EVENT_SUSPECT, peer, false);
    }
    if (witness == mesh->id) peer->witnessed = true;
    if (!witness_add(peer, witness) && !fresh) return;
    peer->suspect_due_ns = peer->state_ns + suspicion_ns(mesh, peer);
    peer->rumour_left = gossip_spread(mesh); // Each confirmation is passed on as well.
    scan_by(mesh, peer->suspect_due_ns);
    gossip_hurry(mesh, now_ns);
    if (!fresh) return;
    gossip_send(mesh, peer); // It should be the first to know.
    // Some of those who are told look for themselves; all of them would be a storm.
    if (witness != mesh->id && peer->probe_stage == WEFT_PROBE_NONE &&
        weft_prng_below(&mesh->prng, mesh->peers.count) < mesh->options.gossip_k)
        probe_start(mesh, peer, now_ns);
}

void detector_dead(struct weft_mesh *mesh, struct weft_peer *peer, uint64_t now_ns)
{
    weft_peer_state_set(&mesh->peers, peer, WEFT_MESH_DEAD, now_ns);
    peer->probe_stage = WEFT_PROBE_NONE;
    peer->claim_left = 0;
    peer->rumour_left = gossip_spread(mesh);
    scan_by(mesh, now_ns + mesh->options.forget_ns);
    gossip_hurry(mesh, now_ns);
    mesh_event(mesh, WEFT_MESH_EVENT_DEAD, peer, false);
}

// ---- time

// We were not there (a stopped process, a frozen machine): the silence was ours.
void detector_late(struct weft_mesh *mesh, uint64_t late_ns, uint64_t now_ns)
{
    if (mesh->health < WEFT_MESH_HEALTH_MAX) mesh->health += 1;
    for (uint32_t i = 0; i < mesh->peers.count; i++) {
        struct weft_peer *peer = &mesh->peers.peers[i];
        peer->heard_ns = mesh_min(peer->heard_ns + late_ns, now_ns);
        peer->probe_due_ns += late_ns;
        peer->suspect_due_ns += late_ns;
    }
}

static bool is_silent(const struct weft_mesh *mesh, const struct weft_peer *peer, uint64_t now_ns)
{
    return mesh_is_small(mesh) && now_ns >= peer->heard_ns + silence_ns(mesh);
}

static void probe_go_on(struct weft_mesh *mesh, struct weft_peer *peer, uint64_t now_ns)
{
    switch (peer->probe_stage) {
    case WEFT_PROBE_NONE:
        if (!peer->witnessed && is_silent(mesh, peer, now_ns)) probe_start(mesh, peer, now_ns);
        break;
    case WEFT_PROBE_DIRECT:
        if (now_ns >= peer->probe_due_ns) probe_indirect(mesh, peer, now_ns);
        break;
    case WEFT_PROBE_INDIRECT:
        if (now_ns < peer->probe_due_ns) break;
        peer->probe_stage = WEFT_PROBE_NONE;
        detector_suspect(mesh, peer, mesh->id, now_ns);
        break;
    }
}

// One peer's turn. Returns when it needs the next.
static uint64_t scan_peer(struct weft_mesh *mesh, struct weft_peer *peer, uint64_t now_ns)
{
    if (peer->state == WEFT_MESH_SUSPECT && now_ns >= peer->suspect_due_ns)
        detector_dead(mesh, peer, now_ns);
    if (peer->state == WEFT_MESH_DEAD) return peer->state_ns + mesh->options.forget_ns;

    probe_go_on(mesh, peer, now_ns);
    uint64_t due_ns = WEFT_MESH_NEVER;
    if (peer->state == WEFT_MESH_SUSPECT) due_ns = peer->suspect_due_ns;
    if (peer->probe_stage != WEFT_PROBE_NONE) return mesh_min(due_ns, peer->probe_due_ns);
    if (mesh_is_small(mesh) && !peer->witnessed)
        due_ns = mesh_min(due_ns, peer->heard_ns + silence_ns(mesh));
    return due_ns;
}

static void forget(struct weft_mesh *mesh, uint64_t now_ns)
{
    for (uint32_t i = mesh->peers.count; i-- > 0;) { // Downwards: the last row fills the gap.
        struct weft_peer *peer = &mesh->peers.peers[i];
        if (peer->state != WEFT_MESH_DEAD) continue;
        if (now_ns < peer->state_ns + mesh->options.forget_ns) continue;
        weft_session_forget(&mesh->sessions, peer->id);
        weft_peer_remove(&mesh->peers, peer);
    }
}

void detector_scan(struct weft_mesh *mesh, uint64_t now_ns)
{
    forget(mesh, now_ns);
    mesh->scan_due_ns = WEFT_MESH_NEVER;
    for (uint32_t i = 0; i < mesh->peers.count; i++) {
        scan_by(mesh, scan_peer(mesh, &mesh->peers.peers[i], now_ns));
    }
}
