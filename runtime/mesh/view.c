// view.c: what an operator and a test may see of a mesh.
#include <string.h>

#include "runtime/mesh/mesh_internal.h"

uint32_t weft_mesh_peer_count(const struct weft_mesh *mesh)
{
    return mesh->peers.count;
}

static void describe(const struct weft_peer *peer, uint64_t now_ns,
                     struct weft_mesh_peer_info *info)
{
    *info = (struct weft_mesh_peer_info){
        .id = peer->id,
        .address = weft_peer_address(peer),
        .state = peer->state,
        .age_ns = now_ns > peer->heard_ns ? now_ns - peer->heard_ns : 0,
        .rtt_ns = peer->rtt_ns,
        .load = peer->load,
        .capabilities = peer->claim.capabilities,
        .incarnation = peer->claim.incarnation,
        .rx_count = peer->rx_count,
        .tx_count = peer->tx_count,
    };
    memcpy(info->name, peer->claim.name, sizeof(info->name));
}

bool weft_mesh_peer_at(const struct weft_mesh *mesh, uint32_t index, uint64_t now_ns,
                       struct weft_mesh_peer_info *info)
{
    if (index >= mesh->peers.count) return false;
    describe(&mesh->peers.peers[index], now_ns, info);
    return true;
}

bool weft_mesh_peer_find(const struct weft_mesh *mesh, uint64_t id, uint64_t now_ns,
                         struct weft_mesh_peer_info *info)
{
    const struct weft_peer *peer = weft_peer_find(&mesh->peers, id);
    if (peer == NULL) return false;
    describe(peer, now_ns, info);
    return true;
}

void weft_mesh_stats(const struct weft_mesh *mesh, struct weft_mesh_stats *stats)
{
    *stats = mesh->stats;
    stats->alive = mesh->peers.state_count[WEFT_MESH_ALIVE];
    stats->suspect = mesh->peers.state_count[WEFT_MESH_SUSPECT];
    stats->dead = mesh->peers.state_count[WEFT_MESH_DEAD];
    stats->health = mesh->health;
}

static uint64_t mix(uint64_t value) // splitmix64's finaliser (Steele, Lea, Flood 2014).
{
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

uint64_t weft_mesh_hash(const struct weft_mesh *mesh)
{
    uint64_t hash = mix(mesh->id) ^ mix(mesh->claim.incarnation + 1);
    for (uint32_t i = 0; i < mesh->peers.count; i++) { // A sum: the order of rows is no state.
        const struct weft_peer *peer = &mesh->peers.peers[i];
        hash += mix(mix(peer->id) + mix(peer->claim.incarnation) + (uint64_t)peer->state + 1);
    }
    return hash;
}

const char *weft_mesh_state_name(enum weft_mesh_state state)
{
    static const char *const names[] = {"alive", "suspect", "dead"};
    return (unsigned)state < WEFT_COUNT_OF(names) ? names[state] : "?";
}

const char *weft_mesh_event_name(enum weft_mesh_event_kind kind)
{
    static const char *const names[] = {"joined", "suspect", "dead", "alive", "refused"};
    return (unsigned)kind < WEFT_COUNT_OF(names) ? names[kind] : "?";
}

const char *weft_mesh_type_name(enum weft_mesh_type type)
{
    static const char *const names[] = {"?",    "hello", "challenge",    "proof", "heartbeat",
                                        "ping", "ack",   "ping-request", "sexp"};
    _Static_assert(WEFT_COUNT_OF(names) == WEFT_MESH_TYPE_COUNT, "one name a type");
    return (unsigned)type < WEFT_COUNT_OF(names) ? names[type] : "?";
}
