// gossip.c: what nodes tell each other in heartbeats: their load, claims that are news, rumours.
#include <string.h>

#include "runtime/mesh/mesh_internal.h"

#define SEED_BEATS         5 // A seed that nobody answers for is tried each so many heartbeats.
#define DISCOVERY_ALONE_NS (2 * WEFT_NS_PER_S)
#define DISCOVERY_NS       (30 * WEFT_NS_PER_S)
#define CLAIM_RENEW_NS     (300 * WEFT_NS_PER_S)
#define FILL_CLAIMS        1 // Of old claims, in each heartbeat: what was lost is told again;
#define FILL_CLAIMS_NEW    4 // so many while the swarm is forming.
#define FORMING_NS         (30 * WEFT_NS_PER_S)
#define INTRODUCED_MAX     60 // Peers that a newcomer is told of at once.
#define LOAD_STEP_PERMILLE 63 // A change of 1/16 is news.

uint8_t gossip_spread(const struct weft_mesh *mesh)
{
    uint32_t log2 = 1;
    while (mesh->peers.count >> log2 != 0)
        log2 += 1;
    return (uint8_t)(3 * log2 + 2); // SWIM §4.1: a small multiple of log n reaches everybody.
}

// Claims are large and there may be many at once: half of what a rumour gets, and the fill.
static uint8_t claim_spread(const struct weft_mesh *mesh)
{
    return gossip_spread(mesh) / 2;
}

void gossip_hurry(struct weft_mesh *mesh, uint64_t now_ns)
{
    // At most four times the usual rate, however much happens (no storm of gossip about gossip).
    uint64_t soon_ns = mesh->beat_last_ns + mesh->options.heartbeat_ns / 4;
    if (soon_ns < now_ns) soon_ns = now_ns;
    mesh->beat_due_ns = mesh_min(mesh->beat_due_ns, soon_ns);
}

// ---- writing

struct heartbeat {
    struct weft_heartbeat_wire head;
    struct weft_claim_wire claims[WEFT_HEARTBEAT_CLAIMS_MAX];
    struct weft_rumour_wire rumours[WEFT_HEARTBEAT_RUMOURS_MAX];
};

static void put_claim(struct heartbeat *beat, const struct weft_claim_wire *claim)
{
    beat->claims[beat->head.claim_count++] = *claim;
}

static void put_rumour(struct weft_mesh *mesh, struct heartbeat *beat, const struct weft_peer *peer)
{
    struct weft_rumour_wire *rumour = &beat->rumours[beat->head.rumour_count++];
    *rumour = (struct weft_rumour_wire){
        .id = peer->id, .incarnation = peer->claim.incarnation, .state = (uint8_t)peer->state};
    // Passing it on makes nobody a witness: the name of one who is travels with it.
    if (peer->state == WEFT_MESH_SUSPECT && peer->witness_count > 0)
        rumour->witness = peer->witnesses[weft_prng_below(&mesh->prng, peer->witness_count)];
}

static void put_news(struct weft_mesh *mesh, struct heartbeat *beat, const struct weft_peer *to)
{
    const uint32_t count = mesh->peers.count;
    const uint32_t from = weft_prng_below(&mesh->prng, count);
    for (uint32_t i = 0; i < count; i++) {
        struct weft_peer *peer = &mesh->peers.peers[(from + i) % count];
        if (peer == to) continue;
        if (peer->rumour_left > 0 && beat->head.rumour_count < WEFT_HEARTBEAT_RUMOURS_MAX) {
            put_rumour(mesh, beat, peer);
            peer->rumour_left -= 1;
        }
        if (peer->claim_left > 0 && beat->head.claim_count < WEFT_HEARTBEAT_CLAIMS_MAX) {
            put_claim(beat, &peer->claim);
            peer->claim_left -= 1;
        }
    }
}

static void put_fill(struct weft_mesh *mesh, struct heartbeat *beat, const struct weft_peer *to)
{
    const bool forming = mesh->beat_last_ns < mesh->welcome_ns + FORMING_NS;
    for (uint32_t i = 0; i < (forming ? FILL_CLAIMS_NEW : FILL_CLAIMS); i++) {
        const uint32_t row = weft_prng_below(&mesh->prng, mesh->peers.count);
        const struct weft_peer *peer = &mesh->peers.peers[row];
        if (peer == to || peer->state != WEFT_MESH_ALIVE) continue;
        if (beat->head.claim_count < WEFT_HEARTBEAT_CLAIMS_MAX) put_claim(beat, &peer->claim);
    }
}

static struct heartbeat beat_begin(const struct weft_mesh *mesh)
{
    struct heartbeat beat = {
        .head = {.busy_permille = mesh->load.busy_permille, .units = mesh->load.units}};
    put_claim(&beat, &mesh->claim);
    return beat;
}

static void beat_send(struct weft_mesh *mesh, struct weft_peer *peer, const struct heartbeat *beat)
{
    const size_t claims_bytes = beat->head.claim_count * sizeof(beat->claims[0]);
    const size_t rumours_bytes = beat->head.rumour_count * sizeof(beat->rumours[0]);
    uint8_t body[sizeof(*beat)];

    memcpy(body, &beat->head, sizeof(beat->head));
    memcpy(body + sizeof(beat->head), beat->claims, claims_bytes);
    memcpy(body + sizeof(beat->head) + claims_bytes, beat->rumours, rumours_bytes);
    mesh_send_peer(mesh, peer, WEFT_MESH_HEARTBEAT, body,
                   sizeof(beat->head) + claims_bytes + rumours_bytes);
}

void gossip_send(struct weft_mesh *mesh, struct weft_peer *peer)
{
    struct heartbeat beat = beat_begin(mesh);
    // First of all it should hear that it is thought dead, and of which incarnation: it refutes.
    if (peer->state != WEFT_MESH_ALIVE) put_rumour(mesh, &beat, peer);
    if (peer->state != WEFT_MESH_ALIVE || peer->behind) put_claim(&beat, &peer->claim);
    put_news(mesh, &beat, peer);
    put_fill(mesh, &beat, peer);
    beat_send(mesh, peer, &beat);
}

void gossip_introduce(struct weft_mesh *mesh, struct weft_peer *peer, uint64_t now_ns)
{
    const uint32_t count = mesh->peers.count;
    if (count < 2 || !weft_pacer_admit(&mesh->introductions, now_ns)) return;
    const uint32_t from = weft_prng_below(&mesh->prng, count);
    const uint32_t told = count < INTRODUCED_MAX ? count : INTRODUCED_MAX;
    for (uint32_t i = 0; i < told;) {
        struct heartbeat beat = beat_begin(mesh);
        for (; i < told && beat.head.claim_count < WEFT_HEARTBEAT_CLAIMS_MAX; i++) {
            const struct weft_peer *other = &mesh->peers.peers[(from + i) % count];
            if (other != peer && other->state == WEFT_MESH_ALIVE) put_claim(&beat, &other->claim);
        }
        beat_send(mesh, peer, &beat);
    }
}

void gossip_hello(struct weft_mesh *mesh, struct weft_mesh_address address, uint64_t to)
{
    const struct weft_hello_wire wire = {.claim = mesh->claim};
    mesh_send(mesh, address, to, WEFT_MESH_HELLO, &wire, sizeof(wire));
}

// ---- the beat

static void refresh_claim(struct weft_mesh *mesh, uint64_t now_ns)
{
    const struct weft_claim_wire *claim = &mesh->claim;
    const int step = (int)mesh->load.busy_permille - (int)claim->busy_permille;
    const uint64_t signed_ns = claim->wall_ns - mesh->options.wall_ns + mesh->created_ns;
    if (step < LOAD_STEP_PERMILLE && step > -LOAD_STEP_PERMILLE &&
        mesh->load.units == claim->units && now_ns - signed_ns < CLAIM_RENEW_NS)
        return;
    mesh_claim_renew(mesh, claim->incarnation, now_ns);
}

// The rows of those in the states of `mask`, in mesh->order. Returns how many.
static uint32_t rows_of(struct weft_mesh *mesh, unsigned mask)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < mesh->peers.count; i++) {
        if (mask >> mesh->peers.peers[i].state & 1) mesh->order[count++] = i;
    }
    return count;
}

static void beat_sample(struct weft_mesh *mesh)
{
    const uint32_t count = rows_of(mesh, 1u << WEFT_MESH_ALIVE | 1u << WEFT_MESH_SUSPECT);
    const uint32_t wanted = count < mesh->options.gossip_k ? count : mesh->options.gossip_k;
    for (uint32_t i = 0; i < wanted; i++) { // Fisher-Yates, as far as it is needed.
        const uint32_t other = i + weft_prng_below(&mesh->prng, count - i);
        const uint32_t row = mesh->order[other];
        mesh->order[other] = mesh->order[i];
        mesh->order[i] = row;
        gossip_send(mesh, &mesh->peers.peers[row]);
    }
}

// One of the dead, each time: how a healed partition is found.
static void knock(struct weft_mesh *mesh)
{
    const uint32_t count = rows_of(mesh, 1u << WEFT_MESH_DEAD);
    if (count == 0) return;
    const struct weft_peer *peer =
        &mesh->peers.peers[mesh->order[weft_prng_below(&mesh->prng, count)]];
    gossip_hello(mesh, weft_peer_address(peer), peer->id);
}

static bool someone_at(const struct weft_mesh *mesh, struct weft_mesh_address address)
{
    for (uint32_t i = 0; i < mesh->peers.count; i++) {
        const struct weft_peer *peer = &mesh->peers.peers[i];
        if (peer->state == WEFT_MESH_ALIVE && peer->claim.ip == address.ip &&
            peer->claim.port == address.port)
            return true;
    }
    return false;
}

static void greet_seeds(struct weft_mesh *mesh, uint64_t now_ns)
{
    const bool alone = mesh->peers.state_count[WEFT_MESH_ALIVE] == 0;
    if (!alone && now_ns < mesh->seed_due_ns) return;
    mesh->seed_due_ns = now_ns + SEED_BEATS * mesh->options.heartbeat_ns;
    for (uint32_t i = 0; i < mesh->options.seed_count; i++) {
        const struct weft_mesh_address seed = mesh->options.seeds[i];
        if (seed.ip == mesh->options.own.ip && seed.port == mesh->options.own.port) continue;
        if (!someone_at(mesh, seed)) gossip_hello(mesh, seed, 0);
    }
}

static void discover(struct weft_mesh *mesh, uint64_t now_ns)
{
    if (!mesh->options.discovery || now_ns < mesh->discovery_due_ns) return;
    const bool alone = mesh->peers.state_count[WEFT_MESH_ALIVE] == 0;
    mesh->discovery_due_ns = now_ns + (alone ? DISCOVERY_ALONE_NS : DISCOVERY_NS);
    gossip_hello(mesh, mesh->options.broadcast, 0);
}

void gossip_beat(struct weft_mesh *mesh, uint64_t now_ns)
{
    refresh_claim(mesh, now_ns);
    beat_sample(mesh);
    if (!mesh_is_small(mesh)) detector_probe_oldest(mesh, now_ns);
    detector_measure(mesh, now_ns);
    knock(mesh);
    greet_seeds(mesh, now_ns);
    discover(mesh, now_ns);

    // A tenth either way, so that nodes do not fall into step.
    const uint64_t tenth_ns = mesh->options.heartbeat_ns / 10;
    mesh->beat_last_ns = now_ns;
    mesh->beat_due_ns = now_ns + mesh->options.heartbeat_ns - tenth_ns +
                        weft_prng_next(&mesh->prng) % (2 * tenth_ns + 1);
}

// ---- reading

int gossip_claim_check(struct weft_mesh *mesh, const struct weft_claim_wire *claim, uint64_t id)
{
    if (!weft_claim_sane(claim)) return WEFT_DROP_MESH_MALFORMED;
    const struct weft_peer *peer = weft_peer_find(&mesh->peers, id);
    const struct weft_claim_wire *known = id == mesh->id ? &mesh->claim : NULL;
    if (peer != NULL) known = &peer->claim;
    if (known != NULL && !weft_claim_newer(claim, known)) return WEFT_MESH_ACCEPTED;
    return weft_claim_verify(claim) == 0 ? WEFT_MESH_ACCEPTED : WEFT_DROP_MESH_SIGNATURE;
}

// Our own words from an earlier boot whose clock was ahead: begin a boot after that one.
static void outlive(struct weft_mesh *mesh, const struct weft_claim_wire *claim, uint64_t now_ns)
{
    if (claim->incarnation <= mesh->claim.incarnation) return;
    mesh_claim_renew(mesh, (weft_claim_boot(claim) + 1) << WEFT_CLAIM_BOOT_SHIFT, now_ns);
    gossip_hurry(mesh, now_ns);
}

static void take_fields(struct weft_peer *peer, const struct weft_claim_wire *claim)
{
    peer->claim = *claim;
    peer->load =
        (struct weft_mesh_load){.busy_permille = claim->busy_permille, .units = claim->units};
}

static struct weft_peer *welcome(struct weft_mesh *mesh, const struct weft_claim_wire *claim,
                                 uint64_t id, uint64_t now_ns)
{
    uint64_t evicted;
    struct weft_peer *peer = weft_peer_add(&mesh->peers, id, now_ns, &evicted);
    if (evicted != 0) weft_session_forget(&mesh->sessions, evicted);
    if (peer == NULL) return NULL;
    take_fields(peer, claim);
    peer->heard_ns = now_ns;
    mesh->welcome_ns = now_ns;
    peer->claim_left = claim_spread(mesh);
    mesh->scan_due_ns = mesh_min(mesh->scan_due_ns, now_ns + mesh->options.heartbeat_ns);
    gossip_hurry(mesh, now_ns);
    mesh_event(mesh, WEFT_MESH_EVENT_JOINED, peer, false);
    return peer;
}

struct weft_peer *gossip_claim_take(struct weft_mesh *mesh, const struct weft_claim_wire *claim,
                                    uint64_t id, uint64_t now_ns)
{
    if (id == mesh->id) {
        outlive(mesh, claim, now_ns);
        return NULL;
    }
    struct weft_peer *peer = weft_peer_find(&mesh->peers, id);
    if (peer == NULL) return welcome(mesh, claim, id, now_ns);
    if (!weft_claim_newer(claim, &peer->claim)) return peer;

    const bool revived = claim->incarnation > peer->claim.incarnation;
    const bool restarted = weft_claim_boot(claim) != weft_claim_boot(&peer->claim);
    const enum weft_mesh_state before = peer->state;
    take_fields(peer, claim);
    if (!revived) return peer; // Only its load, name or address is news.

    weft_peer_state_set(&mesh->peers, peer, WEFT_MESH_ALIVE, now_ns);
    peer->heard_ns = now_ns;
    peer->probe_stage = WEFT_PROBE_NONE;
    peer->witnessed = false;
    peer->rumour_left = 0;
    peer->claim_left = claim_spread(mesh);
    mesh->scan_due_ns = mesh_min(mesh->scan_due_ns, now_ns + mesh->options.heartbeat_ns);
    gossip_hurry(mesh, now_ns);
    if (restarted) {
        mesh_event(mesh, WEFT_MESH_EVENT_JOINED, peer, true);
    } else if (before != WEFT_MESH_ALIVE) {
        mesh_event(mesh, WEFT_MESH_EVENT_ALIVE, peer, false);
    }
    return peer;
}

// SWIM: only the one rumoured about may raise its incarnation, and that ends the rumour.
static void refute(struct weft_mesh *mesh, const struct weft_rumour_wire *rumour, uint64_t reporter,
                   uint64_t now_ns)
{
    if (rumour->state == WEFT_MESH_ALIVE || rumour->incarnation != mesh->claim.incarnation) return;
    mesh_claim_renew(mesh, mesh->claim.incarnation + 1, now_ns);
    if (mesh->health < WEFT_MESH_HEALTH_MAX) mesh->health += 1; // Lifeguard: perhaps it is us.
    gossip_hurry(mesh, now_ns);
    struct weft_peer *peer = weft_peer_find(&mesh->peers, reporter);
    if (peer != NULL) gossip_send(mesh, peer);
}

static void take_rumour(struct weft_mesh *mesh, const struct weft_rumour_wire *rumour,
                        uint64_t reporter, uint64_t now_ns)
{
    if (rumour->id == mesh->id) {
        refute(mesh, rumour, reporter, now_ns);
        return;
    }
    struct weft_peer *peer = weft_peer_find(&mesh->peers, rumour->id);
    if (peer == NULL) return;
    if (rumour->incarnation != peer->claim.incarnation) {
        // The reporter is behind: let it have the claim that we have.
        if (rumour->incarnation < peer->claim.incarnation && peer->claim_left == 0)
            peer->claim_left = 1;
        return;
    }
    // What we hear ourselves weighs more than what others do not hear.
    const bool fresh =
        peer->direct_ns != 0 && now_ns - peer->direct_ns < 2 * mesh->options.heartbeat_ns;
    if (peer->state == WEFT_MESH_DEAD || rumour->state == WEFT_MESH_ALIVE || fresh) return;
    if (rumour->state == WEFT_MESH_SUSPECT) {
        detector_suspect(mesh, peer, rumour->witness, now_ns);
    } else {
        detector_dead(mesh, peer, now_ns);
    }
}

int gossip_heartbeat(struct weft_mesh *mesh, uint64_t sender, struct weft_span body,
                     uint64_t now_ns)
{
    struct heartbeat beat;
    uint64_t ids[WEFT_HEARTBEAT_CLAIMS_MAX];

    if (body.length < sizeof(beat.head)) return WEFT_DROP_MESH_MALFORMED;
    memcpy(&beat.head, body.data, sizeof(beat.head));
    const size_t claims_bytes = beat.head.claim_count * sizeof(beat.claims[0]);
    const size_t rumours_bytes = beat.head.rumour_count * sizeof(beat.rumours[0]);
    if (beat.head.claim_count == 0 || beat.head.claim_count > WEFT_HEARTBEAT_CLAIMS_MAX ||
        beat.head.rumour_count > WEFT_HEARTBEAT_RUMOURS_MAX || beat.head.busy_permille > 1000 ||
        body.length != sizeof(beat.head) + claims_bytes + rumours_bytes)
        return WEFT_DROP_MESH_MALFORMED;
    memcpy(beat.claims, body.data + sizeof(beat.head), claims_bytes);
    memcpy(beat.rumours, body.data + sizeof(beat.head) + claims_bytes, rumours_bytes);

    // All is checked before anything is believed: a datagram has one fate.
    for (uint32_t i = 0; i < beat.head.rumour_count; i++) {
        if (beat.rumours[i].state > WEFT_MESH_DEAD) return WEFT_DROP_MESH_MALFORMED;
    }
    for (uint32_t i = 0; i < beat.head.claim_count; i++) {
        ids[i] = weft_mesh_id_of(beat.claims[i].public_key);
        if (i == 0 && ids[i] != sender) return WEFT_DROP_MESH_SIGNATURE;
        const int fate = gossip_claim_check(mesh, &beat.claims[i], ids[i]);
        if (fate != WEFT_MESH_ACCEPTED) return fate;
    }
    for (uint32_t i = 0; i < beat.head.claim_count; i++) {
        gossip_claim_take(mesh, &beat.claims[i], ids[i], now_ns);
    }
    struct weft_peer *peer = weft_peer_find(&mesh->peers, sender);
    if (peer != NULL) {
        peer->behind = beat.claims[0].incarnation < peer->claim.incarnation;
        peer->load = (struct weft_mesh_load){.busy_permille = beat.head.busy_permille,
                                             .units = beat.head.units};
    }
    for (uint32_t i = 0; i < beat.head.rumour_count; i++) {
        take_rumour(mesh, &beat.rumours[i], sender, now_ns);
    }
    return WEFT_MESH_ACCEPTED;
}
