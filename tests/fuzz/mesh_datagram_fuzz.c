// A mesh under hostile datagrams: before opening, and after it, as from a member gone bad.
//
// The first byte says how to use the rest: bit 0 set: the sealed body of type byte 1, sent under an
// accepted boot; bit 1: with the claims in it signed, so that what stands behind them is reached.
// Else the rest is the datagram itself.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/base/prng.h"
#include "runtime/base/units.h"
#include "runtime/mesh/mesh.h"
#include "runtime/mesh/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NODES 3 // 0 is the target, 1 the member, 2 a node that exists in claims only.

static struct weft_mesh_identity identities[NODES];
static struct weft_prng prng;

static void entropy_fill(void *self, void *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)weft_prng_next(self);
}

static struct weft_mesh_address address_of(uint32_t node)
{
    return (struct weft_mesh_address){.ip = 0x0a000001 + node, .port = 4300};
}

static struct weft_mesh *node_create(uint32_t node)
{
    struct weft_mesh *mesh;
    const struct weft_mesh_options options = {
        .name = "n",
        .identity = &identities[node],
        .own = address_of(node),
        .seeds = {address_of(0)},
        .seed_count = 1,
        .peers_max = 8,
        .wall_ns = 1700000000 * WEFT_NS_PER_S,
        .entropy = {.fill = entropy_fill, .self = &prng},
    };
    weft_assert(weft_mesh_create(&mesh, &options, 1) == 0);
    return mesh;
}

// Carries what the two say to each other, until they are silent; keeps the member's last header.
static void talk(struct weft_mesh *meshes[2], uint64_t now_ns, struct weft_seal_wire *header)
{
    for (bool more = true; more;) {
        more = false;
        for (uint32_t from = 0; from < 2; from++) {
            struct weft_mesh_action action;
            while (weft_mesh_next_action(meshes[from], &action)) {
                if (action.kind != WEFT_MESH_SEND) continue;
                const uint32_t to = action.address.ip - address_of(0).ip;
                enum weft_drop drop;
                if (from == 1) weft_seal_header_read(action.bytes, 0, 1200, header, &drop);
                if (to > 1 || to == from) continue;
                weft_mesh_receive(meshes[to], address_of(from), action.bytes, now_ns);
                more = true;
            }
        }
    }
}

static void sign_claims(uint8_t type, uint8_t *body, size_t length)
{
    size_t at = 0;
    if (type == WEFT_MESH_PROOF) at = offsetof(struct weft_proof_wire, claim);
    if (type == WEFT_MESH_HEARTBEAT) at = sizeof(struct weft_heartbeat_wire);
    for (uint32_t who = 1; who < NODES && at + WEFT_CLAIM_BYTES <= length; who++) {
        struct weft_claim_wire claim;
        memcpy(&claim, body + at, sizeof(claim));
        weft_claim_sign(&claim, &identities[who]);
        memcpy(body + at, &claim, sizeof(claim));
        at += WEFT_CLAIM_BYTES;
    }
}

static void send_inside(struct weft_mesh *target, struct weft_seal_wire header, uint8_t flags,
                        uint8_t type, const uint8_t *data, size_t size, uint64_t now_ns)
{
    static const struct weft_mesh_key key;
    struct weft_seal_cipher cipher = {0};
    uint8_t body[WEFT_WIRE_BODY_BYTES_MAX], datagram[WEFT_MESH_DATAGRAM_BYTES_MAX];

    if (size > sizeof(body)) size = sizeof(body);
    if (size > 0) memcpy(body, data, size);
    if ((flags & 2) != 0) sign_claims(type, body, size);
    header.type = type;
    header.to = identities[0].id;
    header.counter += 100;
    weft_assert(weft_seal_cipher_key(&cipher, &key, 0, header.sender, header.salt) == 0);
    const int length = weft_seal(&cipher, &header, weft_span_of(body, size), datagram);
    weft_seal_cipher_destroy(&cipher);
    weft_mesh_receive(target, address_of(1), weft_span_of(datagram, (size_t)length), now_ns);
}

static void check_ledger(const struct weft_mesh *mesh)
{
    struct weft_mesh_stats stats;
    weft_mesh_stats(mesh, &stats);
    uint64_t sum = stats.accepted;
    for (uint32_t drop = 0; drop < WEFT_DROP_COUNT; drop++)
        sum += stats.dropped[drop];
    weft_assert(sum == stats.received);
    weft_assert(stats.alive + stats.suspect + stats.dead <= 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    for (uint8_t i = 0; identities[NODES - 1].id == 0 && i < NODES; i++) {
        const uint8_t seed[WEFT_MESH_KEY_BYTES] = {i};
        weft_assert(weft_mesh_identity_init(&identities[i], seed) == 0);
    }
    weft_prng_seed(&prng, 1);
    struct weft_mesh *meshes[2] = {node_create(0), node_create(1)};
    struct weft_seal_wire header = {0};
    uint64_t now_ns = 500 * WEFT_NS_PER_MS;
    weft_mesh_tick(meshes[1], now_ns);
    talk(meshes, now_ns, &header);

    if ((data[0] & 1) != 0) {
        send_inside(meshes[0], header, data[0], data[1], data + 2, size - 2, now_ns);
    } else {
        weft_mesh_receive(meshes[0], address_of(1), weft_span_of(data + 1, size - 1), now_ns);
    }
    check_ledger(meshes[0]);
    for (uint32_t i = 0; i < 20; i++) { // And what comes of it.
        now_ns += 250 * WEFT_NS_PER_MS;
        weft_mesh_tick(meshes[0], now_ns);
        talk(meshes, now_ns, &header);
    }
    check_ledger(meshes[0]);
    weft_mesh_free(meshes[0]);
    weft_mesh_free(meshes[1]);
    return 0;
}
