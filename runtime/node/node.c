#include "runtime/node/node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/base/crc32c.h"
#include "runtime/node/family.h"
#include "runtime/node/operator.h"
#include "runtime/node/standstill.h"
#include "runtime/node/unit_actor.h"
#include "runtime/table/table.h"

// The Forth asks for memory by resizing; the arena wants to know each block's size. They agree.
static void *arena_resize(void *self, void *block, size_t old_bytes, size_t new_bytes)
{
    struct weft_arena *arena = self;
    void *moved = NULL;
    if (new_bytes > 0) {
        moved = weft_arena_alloc(arena, new_bytes);
        if (moved == NULL) return NULL;
        if (block != NULL) memcpy(moved, block, old_bytes < new_bytes ? old_bytes : new_bytes);
    }
    if (block != NULL) weft_arena_release(arena, block, old_bytes);
    return moved;
}

struct weft_core *weft_node_core(struct weft_node *node, uint16_t index)
{
    weft_assert(index <= node->options.worker_count);
    return index == 0 ? &node->control : &node->workers[index - 1].core;
}

// Puts the fault layer between the port's net and the stack.
static int add_fault(struct weft_node_worker *worker, uint32_t index,
                     struct weft_stack_port_options *port)
{
    const struct weft_node_port *options = &worker->node->options.ports[index];
    struct weft_fault *fault = &worker->faults[index];
    weft_fault_init(fault, port->net, options->fault_seed + worker->core.index,
                    &worker->core.now_ns, &worker->core.drops);
    port->net = &fault->net;
    port->tx_offload = false; // The layer promises none: a device would mend what it broke.
    port->due_ns = weft_fault_due_ns;
    port->self = fault;
    return weft_fault_set(fault, &options->fault);
}

// Puts the kernel's side between the port's net and what follows. The first worker reads for all:
// it has a queue pair of every port.
static int add_punt(struct weft_node_worker *worker, uint32_t index,
                    struct weft_stack_port_options *port)
{
    struct weft_punt *punt = &worker->punts[index];
    struct weft_punt_options options = {
        .net = port->net,
        .fd = worker->node->options.ports[index].kernel_fd,
        .reads = worker->core.index == 1,
        .port = {.vlan = port->vlan,
                 .address = port->address,
                 .mask = UINT32_MAX << (32 - port->prefix_bits)},
        .now_ns = &worker->core.now_ns,
        .drops = &worker->core.drops,
    };
    memcpy(options.port.mac, port->net->info->mac, sizeof(options.port.mac));
    weft_punt_init(punt, &options);
    port->net = &punt->net;
    const struct weft_poller poller = weft_punt_poller(punt);
    return weft_core_add_poller(&worker->core, &poller);
}

static int add_ports(struct weft_node_worker *worker)
{
    const struct weft_node_options *options = &worker->node->options;
    for (uint32_t i = 0; i < options->port_count; i++) {
        struct weft_stack_port_options port = options->ports[i].stack;
        port.net = &options->ports[i].nets[worker->core.index - 1];
        if (port.prefix_bits < 1 || port.prefix_bits > 31) return -EINVAL;
        int result = 0;
        if (options->ports[i].kernel != NULL) result = add_punt(worker, i, &port);
        if (result == 0 && options->ports[i].has_fault) result = add_fault(worker, i, &port);
        if (result == 0) result = weft_stack_add_port(&worker->stack, &port);
        if (result != 0) return result;
    }
    return 0;
}

// Frozen words come home to their core's arena.
static uint32_t settle(void *self, uint64_t now_ns)
{
    const struct weft_node_worker *worker = self;
    (void)now_ns;
    weft_forth_system_settle(worker->forth);
    return 0;
}

// The first worker's arena has what all share.
static int start_forth(struct weft_node_worker *worker)
{
    struct weft_node *node = worker->node;
    int result = 0;
    if (node->library == NULL) result = weft_forth_library_create(&worker->memory, &node->library);
    if (result == 0)
        result = weft_forth_system_create_in(node->library, &worker->memory, &worker->forth);
    if (result != 0) return result;
    const struct weft_poller poller = {.name = "forth", .poll = settle, .self = worker};
    result = weft_core_add_poller(&worker->core, &poller);
    return result == 0 ? weft_unit_nursery_start(worker) : result;
}

static int start_worker(struct weft_node_worker *worker)
{
    struct weft_node *node = worker->node;
    const struct weft_node_options *options = &node->options;
    worker->arena = weft_arena_create(options->arena_bytes);
    if (worker->arena == NULL) return -errno;
    worker->memory = (struct weft_forth_memory){.resize = arena_resize, .self = worker->arena};
    const struct weft_actor_options actors = {.core = &worker->core,
                                              .arena = worker->arena,
                                              .node = &node->actors,
                                              .actor_count_max = options->actor_count_max,
                                              .stack_count_max = options->stack_count_max,
                                              .guard = options->stack_guard,
                                              .traces = true};
    int result = weft_actor_system_init(&worker->actors, &actors);
    if (result == 0) result = weft_ports_init(&worker->ports, &worker->actors);
    if (result != 0) return result;
    if (options->port_count > 0) {
        worker->faults = calloc(options->port_count, sizeof(*worker->faults));
        worker->punts = calloc(options->port_count, sizeof(*worker->punts));
        if (worker->faults == NULL || worker->punts == NULL) return -ENOMEM;
    }
    const uint16_t index = worker->core.index;
    const struct weft_stack_options stack = {
        .owners = node->owners,
        .core_mask = ((UINT64_C(1) << options->worker_count) - 1) << 1,
        .announces = index == 1,
        .capture = options->captures != NULL ? options->captures[index - 1] : NULL};
    weft_stack_init(&worker->stack, &stack, &worker->core);
    result = add_ports(worker);
    if (result != 0) return result;
    weft_node_datagrams_init(&worker->datagrams, &worker->stack);
    const struct weft_datagrams datagrams = weft_node_datagrams_interface(&worker->datagrams);
    weft_ports_use_datagrams(&worker->ports, &datagrams);
    const struct weft_poller poller =
        weft_stack_poller(&worker->stack); // Rings for the first port.
    result = weft_core_add_poller(&worker->core, &poller);
    for (uint32_t i = 1; result == 0 && i < options->port_count; i++) {
        const struct weft_poller doorbell = weft_stack_doorbell(&worker->stack, i);
        result = weft_core_add_poller(&worker->core, &doorbell);
    }
    if (result != 0) return result;
    weft_unit_actor_host(worker->node, &worker->unit_host);
    result = weft_standstill_init(worker);
    if (result != 0) return result;
    return start_forth(worker);
}

static int make_cores(struct weft_node *node)
{
    const struct weft_node_options *options = &node->options;
    weft_core_init(&node->control, &node->group, 0, &node->options.clock, options->log_level);
    for (uint16_t i = 0; i < options->worker_count; i++) {
        struct weft_node_worker *worker = &node->workers[i];
        worker->node = node;
        weft_list_init(&worker->held);
        weft_core_init(&worker->core, &node->group, (uint16_t)(i + 1), &node->options.clock,
                       options->log_level);
        if (options->idle_sleep_max_ns != 0)
            worker->core.idle_sleep_max_ns = options->idle_sleep_max_ns;
    }
    return weft_core_group_connect(&node->group);
}

static int start_keepers(struct weft_node *node, struct weft_error *error)
{
    struct weft_node_worker *first = &node->workers[0];
    int result = weft_operator_start(node);
    if (result != 0) return result;
    if (node->options.mesh != NULL) {
        node->id = node->options.mesh->identity->id;
        result = weft_mesh_keeper_create(&node->mesh, node, node->options.mesh, error);
        if (result != 0) return result;
        result = weft_mesh_keeper_start(node->mesh, first);
        if (result != 0) return result;
    }
    if (node->journal == NULL) return 0;
    return weft_journal_keeper_start(node->journal, first, &node->recovered);
}

// By chance, but not where the numbers are that those of the journal are known by. A quarter of all
// generations: no slot is spent much sooner for it.
static void choose_generations(struct weft_node *node)
{
    uint32_t first;
    weft_entropy_fill(&node->options.entropy, &first, sizeof(first));
    first >>= 2;
    for (uint32_t n = 0; n < (1u << 30) / WEFT_UNIT_ID_GENERATIONS; n++) {
        if (!weft_family_has_numbers_of(&node->recovered, first)) break;
        first = (first + WEFT_UNIT_ID_GENERATIONS) % (1u << 30);
    }
    node->actors.first_generation = first;
}

int weft_node_init(struct weft_node *node, const struct weft_node_options *options,
                   struct weft_error *error)
{
    weft_assert(options->worker_count > 0 && options->worker_count <= WEFT_NODE_WORKERS_MAX);
    memset(node, 0, sizeof(*node));
    *error = (struct weft_error){0};
    node->options = *options;
    node->owners = aligned_alloc(WEFT_CORE_ALIGN, sizeof(*node->owners));
    const size_t bytes =
        weft_round_up(options->worker_count * sizeof(*node->workers), WEFT_CORE_ALIGN);
    node->workers = aligned_alloc(WEFT_CORE_ALIGN, bytes);
    int result = -ENOMEM;
    if (node->owners == NULL || node->workers == NULL) goto fail;
    memset(node->workers, 0, bytes);
    weft_udp_owners_init(node->owners);
    result = weft_actor_node_init(&node->actors, node->options.name, options->name_count_max);
    if (result == 0 && options->disk != NULL)
        result = weft_journal_keeper_create(&node->journal, node, &node->recovered, error);
    choose_generations(node);
    if (result == 0) result = weft_unit_registry_init(&node->units, options->unit_count_max);
    if (result == 0) result = weft_unit_ids_init(&node->ids, options->actor_count_max);
    if (result == 0) result = make_cores(node);
    for (uint16_t i = 0; result == 0 && i < options->worker_count; i++) {
        result = start_worker(&node->workers[i]);
    }
    if (result == 0)
        result = weft_tables_init(&node->actors, options->table_count_max, &options->entropy);
    if (result == 0) result = start_keepers(node, error);
    if (result == 0) return 0;

fail:
    if (error->code == 0)
        weft_error_set(error, 203, "node '%s' could not be put together: %s", options->name,
                       strerror(-result));
    weft_node_destroy(node);
    return result;
}

static void stop_worker(struct weft_node_worker *worker)
{
    if (worker->arena == NULL) return;
    if (worker->forth != NULL) weft_forth_system_free(worker->forth);
    if (worker->stack.core != NULL) weft_stack_drain(&worker->stack);
    for (uint32_t i = 0; worker->faults != NULL && i < worker->node->options.port_count; i++) {
        if (worker->faults[i].inner != NULL) weft_fault_drain(&worker->faults[i]);
    }
    free(worker->faults);
    free(worker->punts);
}

struct fault_order { // From the control core to a worker and back.
    struct weft_node *node;
    uint32_t port;
    struct weft_fault_options options;
};

static void fault_order_back(struct weft_core *core, void *self, uint64_t argument)
{
    (void)core;
    (void)argument;
    free(self);
}

static void fault_order_obey(struct weft_core *core, void *self, uint64_t argument)
{
    struct fault_order *order = self;
    (void)argument;
    (void)weft_fault_set(&order->node->workers[core->index - 1].faults[order->port],
                         &order->options); // Checked by the control core already.
    weft_core_call(core, 0, fault_order_back, order, 0);
}

int weft_node_fault_set(struct weft_node *node, uint32_t port,
                        const struct weft_fault_options *options)
{
    if (port >= node->options.port_count || !node->options.ports[port].has_fault)
        return -EOPNOTSUPP;
    for (uint16_t i = 0; i < node->options.worker_count; i++) {
        struct fault_order *order = malloc(sizeof(*order));
        if (order == NULL) return -ENOMEM;
        *order = (struct fault_order){.node = node, .port = port, .options = *options};
        const int result =
            weft_core_call(&node->control, (uint16_t)(i + 1), fault_order_obey, order, 0);
        if (result == 0) continue;
        free(order);
        return result;
    }
    return 0;
}

void weft_node_destroy(struct weft_node *node)
{
    const uint16_t count = node->workers != NULL ? node->options.worker_count : 0;
    for (uint16_t i = 0; i < count; i++)
        weft_ports_destroy(&node->workers[i].ports);
    // Then actors: their messages and units live in what follows.
    for (uint16_t i = 0; i < count; i++) {
        if (node->workers[i].actors.core != NULL)
            weft_actor_system_destroy(&node->workers[i].actors);
    }
    weft_journal_keeper_free(node->journal);
    weft_mesh_keeper_free(node->mesh);
    for (uint16_t i = 0; i < count; i++) {
        stop_worker(&node->workers[i]);
    }
    weft_forth_library_free(node->library);
    for (uint16_t i = 0; i < count; i++) {
        if (node->workers[i].arena != NULL) weft_arena_free(node->workers[i].arena);
    }
    weft_tables_destroy(&node->actors);
    weft_actor_node_destroy(&node->actors);
    for (struct weft_node_block *block; (block = node->blocks) != NULL; free(block))
        node->blocks = block->next;
    weft_core_group_destroy(&node->group);
    weft_unit_registry_destroy(&node->units);
    weft_unit_ids_destroy(&node->ids);
    weft_unit_table_destroy(&node->recovered);
    free(node->workers);
    free(node->owners);
    memset(node, 0, sizeof(*node));
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash ^= value;
    hash *= UINT64_C(0x100000001b3); // FNV-1a, a word at a time: order matters, secrecy does not.
    return hash ^ hash >> 29;
}

static void hash_actor(struct weft_actor *actor, void *argument)
{
    uint64_t *hash = argument;
    *hash = mix(mix(*hash, actor->pid), actor->reduction_count);
    *hash = mix(*hash, actor->mailbox_count);
    if (actor->kind != &weft_unit_actor_kind) return;
    struct weft_unit_actor *unit = actor->state;
    const size_t bytes = weft_unit_actor_image_bytes(unit);
    uint8_t *image = malloc(bytes);
    weft_assert(image != NULL && weft_unit_actor_image_write(unit, image, bytes) == 0);
    *hash = mix(*hash, weft_crc32c(0, image, bytes));
    free(image);
}

static uint64_t hash_worker(struct weft_node_worker *worker, uint64_t hash)
{
    for (uint32_t i = 0; i < WEFT_DROP_COUNT; i++) {
        hash = mix(hash, weft_drop_get(&worker->core.drops, (enum weft_drop)i));
    }
    hash = mix(hash, weft_counter_get(&worker->core.stats.message_in));
    hash = mix(hash, weft_counter_get(&worker->core.stats.reduction_count));
    hash = mix(hash, weft_counter_get(&worker->stack.stats.received));
    hash = mix(hash, weft_counter_get(&worker->stack.stats.transmitted));
    weft_actor_each(&worker->actors, hash_actor, &hash);
    return hash;
}

uint64_t weft_node_hash(struct weft_node *node)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    if (node->mesh != NULL) hash = mix(hash, weft_mesh_hash(weft_mesh_keeper_mesh(node->mesh)));
    if (node->journal != NULL)
        hash = mix(hash, weft_journal_hash(weft_journal_keeper_journal(node->journal)));
    for (uint16_t i = 0; i < node->options.worker_count; i++) {
        hash = hash_worker(&node->workers[i], hash);
    }
    return hash;
}
