#include "tests/sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/node/unit_actor.h"

#define WALL_START_NS (UINT64_C(1760000000) * WEFT_NS_PER_S)
#define JUMP_NS_MAX   (5 * WEFT_NS_PER_MS)
#define NETWORK       UINT32_C(0x0a4d0000) // 10.77.0.0/24.

void world_trace(const struct world *world, const char *format, ...)
{
    if (!world->is_traced) return;
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%12.6f ", (double)world->now_ns / 1e9);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

void world_fail(const struct world *world, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "sim: at %.6f s, after %llu turns: ", (double)world->now_ns / 1e9,
            (unsigned long long)world->turns);
    vfprintf(stderr, format, args);
    fputs("\nsim: the same --seed with --trace shows what led there\n", stderr);
    va_end(args);
    exit(1);
}

// ---- What a node sees of the world.

static uint64_t node_now_ns(void *self)
{
    const struct world_node *node = self;
    const uint64_t now_ns = node->world->now_ns;
    return node->offset_ns + now_ns + (uint64_t)((int64_t)(now_ns / 1000000) * node->drift_ppm);
}

static uint64_t node_wall_ns(void *self)
{
    return WALL_START_NS + node_now_ns(self);
}

static void node_entropy(void *self, void *bytes, size_t length)
{
    struct world_node *node = self;
    for (uint8_t *at = bytes; length > 0; at++, length--) {
        *at = (uint8_t)weft_prng_next(&node->entropy);
    }
}

static void start(struct world_node *node)
{
    struct world *world = node->world;
    struct weft_error error = {0};
    node->mesh.wall_ns = node_wall_ns(node);
    struct weft_node_options options = {
        .name = node->name,
        .clock = {.now_ns = node_now_ns, .wall_ns = node_wall_ns, .self = node},
        .entropy = {.fill = node_entropy, .self = node},
        .worker_count = WORLD_WORKERS,
        .arena_bytes = 16 * WEFT_MIB,
        .actor_count_max = 256,
        .log_level = WEFT_LOG_INFO,
        .port_count = 1,
        .mesh = &node->mesh,
        .disk = &node->disk,
        .journal = {.journal_id = 77 + node->number,
                    .segment_blocks = 64,
                    .record_bytes_max = 131072,
                    .segment_count_bound = 3},
        .unit = weft_unit_options_default,
        .unit_count_max = 16,
        .unit_mailbox = 64,
        .eval_reductions = 1000000,
        .eval_timeout_ns = 2 * WEFT_NS_PER_S,
    };
    options.unit.memory_bytes_max = 65536;
    options.ports[0] = (struct weft_node_port){
        .stack = {.address = NETWORK + 11 + node->number, .prefix_bits = 24},
        .nets = node->nets,
        .has_fault = true,
        .fault_seed = weft_prng_next(&world->prng)};
    if (weft_node_init(&node->node, &options, &error) != 0)
        world_fail(world, "%s does not start: %s", node->name, error.text);
    node->is_up = true;
    node->restarts++;
    weft_list_init(&node->commands);
    world_trace(world, "%s is up", node->name);
    if (world->restarted != NULL) world->restarted(world->self, node);
}

void world_init(struct world *world, uint64_t seed)
{
    const uint32_t queues[2] = {WORLD_WORKERS, WORLD_WORKERS};
    weft_prng_seed(&world->prng, seed);
    world->wire = net_pipe_create(queues, 1, 512);
    for (uint32_t i = 0; i < WORLD_NODES; i++) {
        struct world_node *node = &world->nodes[i];
        node->world = world;
        node->number = i;
        snprintf(node->name, sizeof(node->name), "n%u", i + 1);
        node->drift_ppm = (int64_t)weft_prng_below(&world->prng, 2000) - 1000;
        node->offset_ns = weft_prng_next(&world->prng) % (1000 * WEFT_NS_PER_S);
        weft_prng_seed(&node->entropy, weft_prng_next(&world->prng));
        weft_disk_sim_init(&node->disk_sim, weft_prng_next(&world->prng));
        node->disk = weft_disk_sim_disk(&node->disk_sim);
        for (uint32_t worker = 0; worker < WORLD_WORKERS; worker++) {
            node->nets[worker] = world->wire->ends[i].queues[worker].net;
        }
        uint8_t identity[WEFT_MESH_KEY_BYTES];
        node_entropy(node, identity, sizeof(identity));
        weft_assert(weft_mesh_identity_init(&node->identity, identity) == 0);
        node->mesh = (struct weft_mesh_options){
            .identity = &node->identity,
            .key = {.bytes = "one key for both nodes, 32 bytes"},
            .epoch = 1,
            .own = {.ip = NETWORK + 11 + i, .port = 4201},
            .seeds = {{.ip = NETWORK + 11 + (1 - i), .port = 4201}},
            .seed_count = 1,
            .entropy = {.fill = node_entropy, .self = node},
        };
        snprintf(node->mesh.name, sizeof(node->mesh.name), "%s", node->name);
    }
    for (uint32_t i = 0; i < WORLD_NODES; i++) {
        start(&world->nodes[i]);
    }
}

// ---- The end of a node.

// Packets between two cores belong to a pool that outlives the node: they go home first.
static void empty_ring(struct world_node *node, struct weft_spsc_ring *ring)
{
    struct weft_core_message message;
    while (ring != NULL && weft_spsc_ring_pop(ring, &message)) {
        if (message.kind != WEFT_CORE_MESSAGE_PACKET &&
            message.kind != WEFT_CORE_MESSAGE_PACKET_HOME)
            continue;
        struct weft_packet *packet = (struct weft_packet *)(uintptr_t)message.word[0];
        const struct weft_net *net = &node->nets[packet->home - 1];
        net->release(net->self, packet);
    }
}

static void take_down(struct world_node *node)
{
    struct weft_list *link;
    for (uint16_t from = 0; from < WORLD_CORES; from++) {
        for (uint16_t to = 0; to < WORLD_CORES; to++) {
            empty_ring(node, node->node.group.rings[from][to]);
            empty_ring(node, weft_node_core(&node->node, from)->overflow[to]);
        }
    }
    weft_node_destroy(&node->node);
    node->is_up = false;
    while ((link = weft_list_pop(&node->commands)) != NULL) {
        free(WEFT_CONTAINER_OF(link, struct world_command, link));
    }
}

void world_crash(struct world *world, struct world_node *node, uint64_t down_ns)
{
    if (!node->is_up) return;
    world_trace(world, "%s loses power", node->name);
    take_down(node);
    weft_disk_sim_crash(&node->disk_sim);
    node->up_at_ns = world->now_ns + down_ns;
}

void world_destroy(struct world *world)
{
    for (uint32_t i = 0; i < WORLD_NODES; i++) {
        struct world_node *node = &world->nodes[i];
        if (node->is_up) take_down(node);
        weft_disk_sim_destroy(&node->disk_sim);
        weft_mesh_identity_destroy(&node->identity);
    }
    net_pipe_free(world->wire);
}

// ---- Commands.

static void command_done(struct weft_command *command)
{
    struct world_command *own = WEFT_CONTAINER_OF(command, struct world_command, command);
    weft_list_remove(&own->link);
    if (own->done != NULL) own->done(own);
    free(own);
}

struct world_command *world_command(struct world_node *node, enum weft_command_verb verb,
                                    const char *name, const char *text,
                                    void (*done)(struct world_command *command), void *self)
{
    struct weft_error error;
    struct weft_resident *resident;
    if (!node->is_up) return NULL;
    if (verb == WEFT_COMMAND_LOAD || verb == WEFT_COMMAND_RESTORE) {
        resident = weft_unit_registry_add(&node->node.units, name, &error);
        if (resident == NULL) return NULL;
        resident->recovery = WEFT_RECOVERY_JOURNAL;
        resident->core = weft_unit_registry_pick_core(&node->node.units, WORLD_WORKERS);
    } else {
        resident = weft_unit_registry_find(&node->node.units, name);
        if (resident == NULL) return NULL;
    }
    struct world_command *own = calloc(1, sizeof(*own));
    weft_assert(own != NULL);
    snprintf(own->text, sizeof(own->text), "%s", text);
    own->owner = node;
    own->done = done;
    own->self = self;
    own->command.verb = verb;
    own->command.resident = resident;
    own->command.text = own->text;
    own->command.text_length = strlen(own->text);
    own->command.done = command_done;
    weft_list_append(&node->commands, &own->link);
    weft_assert(weft_unit_actor_submit(&node->node, &own->command) == 0);
    return own;
}

// ---- Time.

static void wake_up_nodes(struct world *world)
{
    for (uint32_t i = 0; i < WORLD_NODES; i++) {
        struct world_node *node = &world->nodes[i];
        if (!node->is_up && world->now_ns >= node->up_at_ns) start(node);
    }
}

// The earliest moment, in world time, at which some core has something to do.
static uint64_t next_due_ns(struct world *world)
{
    uint64_t least_ns = JUMP_NS_MAX;
    for (uint32_t i = 0; i < WORLD_NODES; i++) {
        struct world_node *node = &world->nodes[i];
        if (!node->is_up) continue;
        const uint64_t now_ns = node_now_ns(node);
        for (uint16_t core = 0; core < WORLD_CORES; core++) {
            const uint64_t due_ns = weft_core_due_ns(weft_node_core(&node->node, core));
            const uint64_t in_ns = due_ns > now_ns ? due_ns - now_ns : 0;
            if (in_ns < least_ns) least_ns = in_ns;
        }
    }
    return least_ns;
}

static bool turn_one(struct world *world)
{
    struct world_node *node = &world->nodes[weft_prng_below(&world->prng, WORLD_NODES)];
    const uint16_t core = (uint16_t)weft_prng_below(&world->prng, WORLD_CORES);
    world->turns++;
    return node->is_up && weft_core_turn(weft_node_core(&node->node, core));
}

void world_step(struct world *world)
{
    bool worked = false;
    wake_up_nodes(world);
    for (int i = 0; i < 2 * WORLD_NODES * WORLD_CORES; i++) {
        worked |= turn_one(world);
        world->now_ns += 1 + weft_prng_below(&world->prng, 5000);
    }
    if (!worked) world->now_ns += next_due_ns(world);
}

void world_run_until(struct world *world, uint64_t now_ns)
{
    while (world->now_ns < now_ns) {
        world_step(world);
    }
}

void world_settle(struct world *world)
{
    for (int quiet = 0; quiet < 8;) {
        bool worked = false;
        for (uint32_t i = 0; i < WORLD_NODES; i++) {
            for (uint16_t core = 0; world->nodes[i].is_up && core < WORLD_CORES; core++) {
                worked |= weft_core_turn(weft_node_core(&world->nodes[i].node, core));
            }
        }
        quiet = worked ? 0 : quiet + 1;
    }
}

uint64_t world_hash(struct world *world)
{
    uint64_t hash = world->now_ns;
    for (uint32_t i = 0; i < WORLD_NODES; i++) {
        struct world_node *node = &world->nodes[i];
        const uint64_t parts[2] = {node->is_up ? weft_node_hash(&node->node) : 0,
                                   weft_disk_sim_hash(&node->disk_sim)};
        for (int part = 0; part < 2; part++) {
            hash = (hash ^ parts[part]) * UINT64_C(0x100000001b3);
            hash ^= hash >> 31;
        }
    }
    return hash;
}
