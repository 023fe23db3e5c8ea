#include "runtime/mesh/mesh.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/mesh/envelope.h"
#include "runtime/mesh/mesh_internal.h"

#define GOSSIP_K_DEFAULT     8
#define HEARTBEAT_DEFAULT_NS (500 * WEFT_NS_PER_MS)
#define TIMEOUT_DEFAULT_NS   (3 * WEFT_NS_PER_S)
#define FORGET_DEFAULT_NS    (600 * WEFT_NS_PER_S)
#define PEERS_MAX_DEFAULT    512
#define HEARTBEAT_MIN_NS     (10 * WEFT_NS_PER_MS)
#define REFUSED_EVERY_NS     (10 * WEFT_NS_PER_S)

_Static_assert(WEFT_CLAIM_NAME_BYTES == WEFT_MESH_NAME_BYTES, "a name fits its claim");

static int options_complete(struct weft_mesh_options *options)
{
    if (options->gossip_k == 0) options->gossip_k = GOSSIP_K_DEFAULT;
    if (options->heartbeat_ns == 0) options->heartbeat_ns = HEARTBEAT_DEFAULT_NS;
    if (options->timeout_ns == 0) options->timeout_ns = TIMEOUT_DEFAULT_NS;
    if (options->forget_ns == 0) options->forget_ns = FORGET_DEFAULT_NS;
    if (options->peers_max == 0) options->peers_max = PEERS_MAX_DEFAULT;

    if (options->identity == NULL || options->entropy.fill == NULL) return -EINVAL;
    if (options->gossip_k > WEFT_MESH_GOSSIP_K_MAX) return -EINVAL;
    if (options->heartbeat_ns < HEARTBEAT_MIN_NS) return -EINVAL;
    if (options->timeout_ns / 4 < options->heartbeat_ns) return -EINVAL;
    if (options->peers_max > WEFT_MESH_PEERS_MAX) return -EINVAL;
    if (options->seed_count > WEFT_MESH_SEEDS_MAX) return -EINVAL;
    return 0;
}

static int keys_init(struct weft_mesh *mesh)
{
    weft_entropy_fill(&mesh->options.entropy, mesh->salt, sizeof(mesh->salt));
    return weft_seal_cipher_key(&mesh->cipher, &mesh->options.key, mesh->options.epoch, mesh->id,
                                mesh->salt);
}

static int claim_init(struct weft_mesh *mesh, uint64_t now_ns)
{
    uint64_t boot = mesh->options.wall_ns / WEFT_NS_PER_MS;
    if (boot == 0) boot = 1;
    memcpy(mesh->claim.name, mesh->options.name, sizeof(mesh->claim.name));
    mesh->claim.ip = mesh->options.own.ip;
    mesh->claim.port = mesh->options.own.port;
    mesh->claim.capabilities = mesh->options.capabilities;
    const int result = mesh_claim_renew(mesh, boot << WEFT_CLAIM_BOOT_SHIFT, now_ns);
    if (result != 0) return result;
    return weft_claim_sane(&mesh->claim) ? 0 : -EINVAL; // What we would refuse, we do not say.
}

int weft_mesh_create(struct weft_mesh **out, const struct weft_mesh_options *options,
                     uint64_t now_ns)
{
    uint64_t seed;
    struct weft_mesh *mesh = calloc(1, sizeof(*mesh));
    if (mesh == NULL) return -ENOMEM;

    mesh->options = *options;
    int result = options_complete(&mesh->options);
    if (result != 0) goto fail;
    mesh->drops = options->drops != NULL ? options->drops : &mesh->own_drops;
    mesh->id = options->identity->id;
    mesh->created_ns = now_ns;
    weft_entropy_fill(&mesh->options.entropy, &seed, sizeof(seed));
    weft_prng_seed(&mesh->prng, seed);
    if ((result = weft_pacer_init(&mesh->strangers, 5000, 1000)) != 0) goto fail;
    if ((result = weft_pacer_init(&mesh->replies, 200, 512)) != 0) goto fail;
    if ((result = weft_pacer_init(&mesh->introductions, 4, 8)) != 0) goto fail;
    if ((result = keys_init(mesh)) != 0) goto fail;
    if ((result = claim_init(mesh, now_ns)) != 0) goto fail;
    if ((result = weft_peer_table_init(&mesh->peers, mesh->options.peers_max)) != 0) goto fail;
    if ((result = weft_session_table_init(&mesh->sessions, mesh->options.peers_max)) != 0)
        goto fail;

    mesh->order = calloc(mesh->options.peers_max, sizeof(*mesh->order));
    mesh->slots = calloc(WEFT_MESH_SLOTS, sizeof(*mesh->slots));
    mesh->events = calloc(WEFT_MESH_EVENT_SLOTS, sizeof(*mesh->events));
    result = -ENOMEM;
    if (mesh->order == NULL || mesh->slots == NULL || mesh->events == NULL) goto fail;

    // Nodes started by one command do not all speak in the same instant.
    const uint64_t spread_ns = weft_prng_next(&mesh->prng) % (mesh->options.heartbeat_ns / 8 + 1);
    mesh->beat_due_ns = now_ns + spread_ns;
    mesh->scan_due_ns = WEFT_MESH_NEVER;
    mesh->seed_due_ns = mesh->discovery_due_ns = now_ns;
    *out = mesh;
    return 0;

fail:
    weft_mesh_free(mesh);
    return result;
}

void weft_mesh_free(struct weft_mesh *mesh)
{
    if (mesh == NULL) return;
    weft_seal_cipher_destroy(&mesh->cipher);
    weft_seal_cipher_destroy(&mesh->stranger);
    weft_session_table_destroy(&mesh->sessions);
    weft_peer_table_destroy(&mesh->peers);
    free(mesh->order);
    free(mesh->slots);
    free(mesh->events);
    gnutls_memset(&mesh->options.key, 0, sizeof(mesh->options.key));
    free(mesh);
}

int mesh_claim_renew(struct weft_mesh *mesh, uint64_t incarnation, uint64_t now_ns)
{
    mesh->claim.incarnation = incarnation;
    mesh->claim.sequence += 1;
    mesh->claim.wall_ns = mesh->options.wall_ns + (now_ns - mesh->created_ns);
    mesh->claim.units = mesh->load.units;
    mesh->claim.busy_permille = mesh->load.busy_permille;
    return weft_claim_sign(&mesh->claim, mesh->options.identity);
}

void weft_mesh_tick(struct weft_mesh *mesh, uint64_t now_ns)
{
    const uint64_t due_ns = weft_mesh_due_ns(mesh);
    if (now_ns < due_ns) return;

    const uint64_t late_ns = now_ns - due_ns;
    if (late_ns > mesh->options.heartbeat_ns / 2) detector_late(mesh, late_ns, now_ns);
    if (now_ns >= mesh->beat_due_ns) {
        if (late_ns <= mesh->options.heartbeat_ns / 2 && mesh->health > 0) mesh->health -= 1;
        gossip_beat(mesh, now_ns);
    }
    if (now_ns >= mesh->scan_due_ns) detector_scan(mesh, now_ns);
}

uint64_t weft_mesh_due_ns(const struct weft_mesh *mesh)
{
    return mesh_min(mesh->beat_due_ns, mesh->scan_due_ns);
}

struct mesh_slot *mesh_slot_take(struct weft_mesh *mesh)
{
    if (mesh->slot_head - mesh->slot_tail == WEFT_MESH_SLOTS) {
        mesh->stats.actions_lost += 1;
        return NULL;
    }
    return &mesh->slots[mesh->slot_head++ % WEFT_MESH_SLOTS];
}

int mesh_send(struct weft_mesh *mesh, struct weft_mesh_address address, uint64_t to,
              enum weft_mesh_type type, const void *body, size_t length)
{
    weft_assert(length <= WEFT_WIRE_BODY_BYTES_MAX);
    struct mesh_slot *slot = mesh_slot_take(mesh);
    if (slot == NULL) return -ENOBUFS;

    struct weft_seal_wire header = {.version = WEFT_SEAL_VERSION,
                                    .type = (uint8_t)type,
                                    .epoch = mesh->options.epoch,
                                    .sender = mesh->id,
                                    .to = to,
                                    .counter = ++mesh->counter};
    memcpy(header.salt, mesh->salt, sizeof(header.salt));
    const int sealed = weft_seal(&mesh->cipher, &header, weft_span_of(body, length), slot->bytes);
    if (sealed < 0) {
        mesh->slot_head -= 1;
        return sealed;
    }
    slot->kind = WEFT_MESH_SEND;
    slot->address = address;
    slot->length = (uint32_t)sealed;
    mesh->stats.sent += 1;
    mesh->stats.sent_bytes += (uint64_t)sealed;
    mesh->stats.sent_type[type] += 1;
    return 0;
}

int mesh_send_peer(struct weft_mesh *mesh, struct weft_peer *peer, enum weft_mesh_type type,
                   const void *body, size_t length)
{
    peer->tx_count += 1;
    return mesh_send(mesh, weft_peer_address(peer), peer->id, type, body, length);
}

bool mesh_deliver(struct weft_mesh *mesh, uint64_t from, struct weft_span payload)
{
    struct mesh_slot *slot = mesh_slot_take(mesh);
    if (slot == NULL) return false;
    slot->kind = WEFT_MESH_DELIVER;
    slot->from = from;
    slot->length = (uint32_t)payload.length;
    if (payload.length > 0) memcpy(slot->bytes, payload.data, payload.length);
    return true;
}

static struct weft_mesh_event *event_take(struct weft_mesh *mesh)
{
    if (mesh->event_head - mesh->event_tail == WEFT_MESH_EVENT_SLOTS) {
        mesh->stats.actions_lost += 1;
        return NULL;
    }
    return &mesh->events[mesh->event_head++ % WEFT_MESH_EVENT_SLOTS];
}

void mesh_event(struct weft_mesh *mesh, enum weft_mesh_event_kind kind,
                const struct weft_peer *peer, bool restarted)
{
    struct weft_mesh_event *event = event_take(mesh);
    if (event == NULL) return;
    *event = (struct weft_mesh_event){
        .kind = kind, .node = peer->id, .address = weft_peer_address(peer), .restarted = restarted};
    memcpy(event->name, peer->claim.name, sizeof(event->name));
}

void mesh_refuse(struct weft_mesh *mesh, struct weft_mesh_address source, enum weft_drop reason,
                 uint64_t now_ns)
{
    struct mesh_refused *entry = &mesh->refused[0];
    for (uint32_t i = 0; i < WEFT_MESH_REFUSED; i++) {
        struct mesh_refused *other = &mesh->refused[i];
        if (other->ip == source.ip && other->next_ns > 0) {
            entry = other;
            break;
        }
        if (other->next_ns < entry->next_ns) entry = other;
    }
    if (now_ns < entry->next_ns) return; // This source's time has not come, or all are taken.
    *entry = (struct mesh_refused){.ip = source.ip, .next_ns = now_ns + REFUSED_EVERY_NS};
    struct weft_mesh_event *event = event_take(mesh);
    if (event == NULL) return;
    *event = (struct weft_mesh_event){
        .kind = WEFT_MESH_EVENT_REFUSED, .address = source, .reason = reason};
}

bool weft_mesh_next_action(struct weft_mesh *mesh, struct weft_mesh_action *action)
{
    if (mesh->event_tail != mesh->event_head) {
        *action = (struct weft_mesh_action){
            .kind = WEFT_MESH_EVENT,
            .event = mesh->events[mesh->event_tail++ % WEFT_MESH_EVENT_SLOTS]};
        return true;
    }
    if (mesh->slot_tail == mesh->slot_head) return false;
    const struct mesh_slot *slot = &mesh->slots[mesh->slot_tail++ % WEFT_MESH_SLOTS];
    *action = (struct weft_mesh_action){.kind = slot->kind,
                                        .address = slot->address,
                                        .from = slot->from,
                                        .bytes = weft_span_of(slot->bytes, slot->length)};
    return true;
}

bool weft_mesh_envelope_fits(struct weft_span payload)
{
    char text[WEFT_WIRE_BODY_BYTES_MAX];
    const struct weft_envelope envelope = {.payload = payload}; // Ids have a fixed length.
    return payload.length <= WEFT_MESH_PAYLOAD_BYTES_MAX &&
           weft_envelope_write(&envelope, text, sizeof(text)) >= 0;
}

int weft_mesh_send_envelope(struct weft_mesh *mesh, uint64_t to, struct weft_span payload,
                            uint64_t now_ns)
{
    char text[WEFT_WIRE_BODY_BYTES_MAX];
    (void)now_ns; // Nothing is timed yet; what is sent later than that may be.

    if (payload.length > WEFT_MESH_PAYLOAD_BYTES_MAX) return -EMSGSIZE;
    const struct weft_envelope envelope = {.to = to, .from = mesh->id, .payload = payload};
    const int length = weft_envelope_write(&envelope, text, sizeof(text));
    if (length < 0) return length;
    if (to == mesh->id) return mesh_deliver(mesh, to, payload) ? 0 : -ENOBUFS;

    struct weft_peer *peer = weft_peer_find(&mesh->peers, to);
    if (peer == NULL || peer->state == WEFT_MESH_DEAD) {
        weft_drop_add(mesh->drops, WEFT_DROP_MESH_NO_PEER, 1);
        return -EHOSTUNREACH;
    }
    return mesh_send_peer(mesh, peer, WEFT_MESH_SEXP, text, (size_t)length);
}

void weft_mesh_load_set(struct weft_mesh *mesh, struct weft_mesh_load load)
{
    if (load.busy_permille > 1000) load.busy_permille = 1000;
    mesh->load = load;
}

uint64_t weft_mesh_id(const struct weft_mesh *mesh)
{
    return mesh->id;
}
