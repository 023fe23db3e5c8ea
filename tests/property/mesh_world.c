#include "tests/property/mesh_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/base/units.h"

#define WALL_NS UINT64_C(1700000000000000000)

static void entropy_fill(void *self, void *bytes, size_t length)
{
    uint8_t *at = bytes;
    for (size_t i = 0; i < length; i++)
        at[i] = (uint8_t)weft_prng_next(self);
}

struct weft_mesh_address world_address(uint32_t node)
{
    return (struct weft_mesh_address){.ip = 0x0a000001 + node, .port = 4300};
}

void world_init(struct world *world, uint64_t seed, uint32_t node_count)
{
    *world = (struct world){.seed = seed,
                            .node_count = node_count,
                            .now_ns = WEFT_NS_PER_S,
                            .delay_min_ns = 50 * WEFT_NS_PER_US,
                            .delay_max_ns = 300 * WEFT_NS_PER_US};
    weft_prng_seed(&world->prng, seed);
    world->nodes = aligned_alloc(WEFT_CORE_ALIGN, node_count * sizeof(*world->nodes));
    world->packets = calloc(WORLD_PACKETS_MAX, sizeof(*world->packets));
    weft_assert(world->nodes != NULL && world->packets != NULL);
    memset(world->nodes, 0, node_count * sizeof(*world->nodes));
    for (uint32_t i = 0; i < node_count; i++) {
        uint8_t identity_seed[WEFT_MESH_KEY_BYTES];
        weft_prng_seed(&world->nodes[i].entropy, seed * 1000003 + i);
        entropy_fill(&world->nodes[i].entropy, identity_seed, sizeof(identity_seed));
        weft_assert(weft_mesh_identity_init(&world->nodes[i].identity, identity_seed) == 0);
    }
}

void world_destroy(struct world *world)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        weft_mesh_free(world->nodes[i].mesh);
        weft_mesh_identity_destroy(&world->nodes[i].identity);
    }
    for (uint32_t i = 0; i < world->packet_count; i++)
        free(world->packets[i].bytes);
    free(world->packets);
    free(world->nodes);
}

void world_start(struct world *world, uint32_t index)
{
    struct world_node *node = &world->nodes[index];
    struct weft_mesh_options options = {
        .identity = &node->identity,
        .epoch = 1,
        .own = world_address(index),
        .seeds = {world_address(0), world_address(1)},
        .seed_count = world->node_count > 1 ? 2 : 1,
        .wall_ns = WALL_NS + world->now_ns - node->clock_behind_ns,
        .heartbeat_ns = world->heartbeat_ns,
        .timeout_ns = world->timeout_ns,
        .forget_ns = world->forget_ns,
        .peers_max = world->peers_max,
        .entropy = {.fill = entropy_fill, .self = &node->entropy},
        .drops = &node->drops,
    };
    weft_assert(node->mesh == NULL);
    memset(options.key.bytes, node->other_key ? 0xa5 : WORLD_KEY_BYTE, sizeof(options.key.bytes));
    snprintf(options.name, sizeof(options.name), "n%u", index + 1);
    weft_assert(weft_mesh_create(&node->mesh, &options, world->now_ns) == 0);
    node->boots += 1;
}

void world_kill(struct world *world, uint32_t node)
{
    weft_mesh_free(world->nodes[node].mesh);
    world->nodes[node].mesh = NULL;
}

static bool before(const struct world_packet *a, const struct world_packet *b)
{
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void heap_push(struct world *world, struct world_packet packet)
{
    weft_assert(world->packet_count < WORLD_PACKETS_MAX);
    uint32_t at = world->packet_count++;
    while (at > 0 && before(&packet, &world->packets[(at - 1) / 2])) {
        world->packets[at] = world->packets[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    world->packets[at] = packet;
}

static struct world_packet heap_pop(struct world *world)
{
    const struct world_packet first = world->packets[0];
    const struct world_packet last = world->packets[--world->packet_count];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= world->packet_count) break;
        if (child + 1 < world->packet_count &&
            before(&world->packets[child + 1], &world->packets[child]))
            child += 1;
        if (!before(&world->packets[child], &last)) break;
        world->packets[at] = world->packets[child];
        at = child;
    }
    if (world->packet_count > 0) world->packets[at] = last;
    return first;
}

void world_send(struct world *world, uint32_t from, uint32_t to, struct weft_span bytes)
{
    if (weft_prng_below(&world->prng, 1000) < world->loss_permille) return;
    const uint64_t spread_ns = world->delay_max_ns - world->delay_min_ns + 1;
    struct world_packet packet = {
        .due_ns = world->now_ns + world->delay_min_ns + weft_prng_next(&world->prng) % spread_ns,
        .order = world->order++,
        .from = from,
        .to = to,
        .length = (uint32_t)bytes.length,
        .bytes = malloc(bytes.length),
    };
    weft_assert(packet.bytes != NULL);
    memcpy(packet.bytes, bytes.data, bytes.length);
    heap_push(world, packet);
}

uint32_t world_index(uint64_t node_id, const struct world *world)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        if (world->nodes[i].identity.id == node_id) return i;
    }
    return UINT32_MAX;
}

static void note_event(struct world *world, struct world_node *node,
                       const struct weft_mesh_event *event)
{
    if (event->kind == WEFT_MESH_EVENT_REFUSED) {
        node->refused_count += 1;
        return;
    }
    const uint32_t about = world_index(event->node, world);
    weft_assert(about < world->node_count);
    node->event_ns[about][event->kind] = world->now_ns;
    node->event_count[about][event->kind] += 1;
    if (event->restarted) node->restarted_count += 1;
}

void world_drain(struct world *world, uint32_t index)
{
    struct world_node *node = &world->nodes[index];
    struct weft_mesh_action action;
    while (weft_mesh_next_action(node->mesh, &action)) {
        if (action.kind == WEFT_MESH_EVENT) {
            note_event(world, node, &action.event);
        } else if (action.kind == WEFT_MESH_DELIVER) {
            node->delivered_count += 1;
            node->delivered_length = (uint32_t)action.bytes.length;
            memcpy(node->delivered, action.bytes.data, action.bytes.length);
        } else {
            const uint32_t to = action.address.ip - world_address(0).ip;
            weft_assert(action.bytes.length <= WEFT_MESH_DATAGRAM_BYTES_MAX);
            if (world->tap != NULL && !world->tap(world, index, to, action.bytes)) continue;
            if (to < world->node_count) world_send(world, index, to, action.bytes);
        }
    }
}

static void arrive(struct world *world)
{
    const struct world_packet packet = heap_pop(world);
    struct world_node *to = &world->nodes[packet.to];
    if (to->mesh != NULL && to->side == world->nodes[packet.from].side) {
        weft_mesh_receive(to->mesh, world_address(packet.from),
                          weft_span_of(packet.bytes, packet.length), world->now_ns);
        world_drain(world, packet.to);
    }
    free(packet.bytes);
}

// The next thing that happens: a packet arrives or a node's timer rings. False: nothing by then.
static bool step(struct world *world, uint64_t until_ns)
{
    uint64_t due_ns = world->packet_count > 0 ? world->packets[0].due_ns : UINT64_MAX;
    uint32_t node = UINT32_MAX;
    for (uint32_t i = 0; i < world->node_count; i++) {
        if (world->nodes[i].mesh == NULL) continue;
        const uint64_t node_ns = weft_mesh_due_ns(world->nodes[i].mesh);
        if (node_ns < due_ns) {
            due_ns = node_ns;
            node = i;
        }
    }
    if (due_ns > until_ns) {
        world->now_ns = until_ns;
        return false;
    }
    if (due_ns > world->now_ns) world->now_ns = due_ns;
    if (node == UINT32_MAX) {
        arrive(world);
        return true;
    }
    weft_mesh_load_set(world->nodes[node].mesh, world->nodes[node].load);
    weft_mesh_tick(world->nodes[node].mesh, world->now_ns);
    world_drain(world, node);
    return true;
}

void world_run(struct world *world, uint64_t until_ns)
{
    while (step(world, until_ns)) {
    }
}

bool world_run_until(struct world *world, uint64_t until_ns, bool (*done)(struct world *world))
{
    uint64_t check_ns = world->now_ns;
    while (!done(world)) {
        if (world->now_ns >= until_ns) return false;
        check_ns += 10 * WEFT_NS_PER_MS;
        world_run(world, check_ns < until_ns ? check_ns : until_ns);
    }
    return true;
}

static bool sees(struct world *world, uint32_t who, uint32_t whom, enum weft_mesh_state *state)
{
    struct weft_mesh_peer_info info;
    if (!weft_mesh_peer_find(world->nodes[who].mesh, world->nodes[whom].identity.id, world->now_ns,
                             &info))
        return false;
    *state = info.state;
    return true;
}

bool world_all_alive(struct world *world)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        for (uint32_t j = 0; j < world->node_count && world->nodes[i].mesh != NULL; j++) {
            enum weft_mesh_state state;
            if (i == j || world->nodes[j].mesh == NULL) continue;
            if (!sees(world, i, j, &state) || state != WEFT_MESH_ALIVE) return false;
        }
    }
    return true;
}

bool world_all_agree(struct world *world)
{
    if (!world_all_alive(world)) return false;
    for (uint32_t i = 0; i < world->node_count; i++) {
        for (uint32_t j = 0; j < world->node_count && world->nodes[i].mesh != NULL; j++) {
            enum weft_mesh_state state;
            if (i == j || world->nodes[j].mesh != NULL) continue;
            if (sees(world, i, j, &state) && state != WEFT_MESH_DEAD) return false;
        }
    }
    return true;
}

uint64_t world_hash(struct world *world)
{
    uint64_t hash = world->order;
    for (uint32_t i = 0; i < world->node_count; i++) {
        hash =
            hash * 31 + (world->nodes[i].mesh != NULL ? weft_mesh_hash(world->nodes[i].mesh) : 7);
    }
    return hash;
}
