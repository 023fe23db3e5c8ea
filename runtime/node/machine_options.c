// From the configuration's words to each module's options: the one place where they meet.
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "runtime/node/machine.h"

#define SLEEP_DOORBELL_NS (100 * WEFT_NS_PER_MS) // With doorbells nothing is missed meanwhile.
#define SEGMENTS_MIN      2
#define SEGMENTS_MAX      16

void weft_machine_secret_path(const char *data_dir, const char *name, char *path, size_t size)
{
    struct stat status;
    snprintf(path, size, "%s/identity", data_dir);
    const bool inside = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    snprintf(path, size, "%s/%s%s", data_dir, inside ? "identity/" : "", name);
}

int weft_machine_mesh_options(struct weft_machine *machine, const struct weft_clock *clock,
                              struct weft_error *error)
{
    const struct weft_config *config = machine->config;
    struct weft_mesh_options *mesh = &machine->mesh;
    const struct weft_entropy entropy = weft_entropy_linux();
    char path[512];
    if (config->mesh.key_file[0] == '\0') return 0;
    if (config->port_count == 0 || config->ports[0].address.ip == 0) {
        weft_error_set(error, 106, "the mesh has a key, but no port has an address");
        weft_error_hint(error, "give [ports.NAME] an address, or leave mesh.key_file out");
        return -EINVAL;
    }
    int result = weft_mesh_key_read(config->mesh.key_file, &mesh->key, error);
    if (result != 0) return result;
    weft_machine_secret_path(config->node.data_dir, "identity", path, sizeof(path));
    result = weft_mesh_identity_open(path, &entropy, &machine->identity, error);
    if (result != 0) return result;
    machine->has_identity = true;

    snprintf(mesh->name, sizeof(mesh->name), "%s", config->node.name);
    mesh->identity = &machine->identity;
    mesh->epoch = config->mesh.epoch;
    mesh->own.ip = config->ports[0].address.ip;
    mesh->own.port = (uint16_t)config->mesh.port;
    for (size_t i = 0; i < config->mesh.seeds.count && i < WEFT_MESH_SEEDS_MAX; i++) {
        const struct weft_config_endpoint *seed = &config->mesh.seeds.items[i];
        mesh->seeds[mesh->seed_count++] =
            (struct weft_mesh_address){.ip = seed->ip, .port = (uint16_t)seed->port};
    }
    const uint32_t host_bits = UINT32_MAX >> config->ports[0].address.prefix;
    mesh->discovery = config->mesh.discovery;
    mesh->broadcast.ip = mesh->own.ip | host_bits;
    mesh->broadcast.port = mesh->own.port;
    mesh->gossip_k = config->mesh.gossip_k < WEFT_MESH_GOSSIP_K_MAX ? config->mesh.gossip_k
                                                                    : WEFT_MESH_GOSSIP_K_MAX;
    mesh->heartbeat_ns = config->mesh.heartbeat_ns;
    mesh->timeout_ns = config->mesh.timeout_ns;
    mesh->peers_max = config->mesh.peers_max;
    mesh->wall_ns = weft_clock_wall_ns(clock);
    mesh->entropy = entropy;
    return 0;
}

uint32_t weft_machine_ppm(double chance)
{
    return (uint32_t)(chance * WEFT_FAULT_PPM + 0.5);
}

static void fault_options(const struct weft_config_fault *from, struct weft_fault_options *to)
{
    *to = (struct weft_fault_options){.rx = true,
                                      .tx = true,
                                      .loss_ppm = weft_machine_ppm(from->loss),
                                      .duplicate_ppm = weft_machine_ppm(from->duplicate),
                                      .corrupt_ppm = weft_machine_ppm(from->corrupt),
                                      .reorder_ppm = weft_machine_ppm(from->reorder),
                                      .delay_ns = from->delay_ns,
                                      .jitter_ns = from->jitter_ns};
    for (size_t i = 0; i < from->partition.count && i < WEFT_FAULT_PEERS_MAX; i++) {
        to->partition_peers[to->partition_count++] = from->partition.items[i];
    }
}

static void port_options(const struct weft_config_port *from, const struct weft_net *nets,
                         struct weft_node_port *to)
{
    to->nets = nets;
    to->kernel = from->kernel[0] != '\0' ? from->kernel : NULL;
    to->stack = (struct weft_stack_port_options){.address = from->address.ip,
                                                 .prefix_bits = (uint8_t)from->address.prefix,
                                                 .gateway = from->gateway,
                                                 .mtu = (uint16_t)from->mtu,
                                                 .vlan = (uint16_t)from->vlan,
                                                 .tx_offload = true};
    // A real card keeps its offloads; in front of everything else faults can be set while it runs.
    to->has_fault = strncmp(from->device, "pci:", 4) != 0;
    to->fault_seed = from->fault.seed;
    fault_options(&from->fault, &to->fault);
}

// Every start takes a segment, whatever is in it: on a small disk they have to be put together
// before a quarter of it is theirs.
static uint32_t journal_segments(const struct weft_config *config)
{
    struct statvfs status;
    if (config->journal.segment_bytes == 0 || statvfs(config->node.data_dir, &status) != 0)
        return SEGMENTS_MAX;
    const uint64_t quarter = (uint64_t)status.f_blocks * status.f_frsize / 4;
    const uint64_t count = quarter / config->journal.segment_bytes;
    return count < SEGMENTS_MIN   ? SEGMENTS_MIN
           : count > SEGMENTS_MAX ? SEGMENTS_MAX
                                  : (uint32_t)count;
}

void weft_machine_node_options(struct weft_machine *machine, struct weft_node_options *to)
{
    const struct weft_config *config = machine->config;
    bool all_have_doorbells = true;
    *to = (struct weft_node_options){
        .name = config->node.name,
        .clock = weft_clock_linux(),
        .entropy = weft_entropy_linux(),
        .worker_count = (uint16_t)config->cores.workers,
        .arena_bytes = config->memory.arena_per_core,
        .actor_count_max = config->actors.count_max,
        .stack_count_max = config->actors.stacks_max,
        .stack_guard = config->actors.stack_guard == WEFT_CONFIG_GUARD_CHECKS ? WEFT_STACK_CHECKS
                                                                              : WEFT_STACK_PAGES,
        .name_count_max = config->actors.names_max,
        .table_count_max = config->actors.tables_max,
        .log_level = (enum weft_log_level)config->node.log_level,
        .mesh = machine->has_identity ? &machine->mesh : NULL,
        .disk = config->journal.enabled ? &machine->disk : NULL,
        .journal = {.segment_blocks =
                        (uint32_t)(config->journal.segment_bytes / WEFT_DISK_BLOCK_BYTES),
                    .segment_count_bound = journal_segments(config)},
        .unit = weft_unit_options_default,
        .unit_count_max = config->units.count_max,
        .unit_mailbox = config->units.mailbox,
        .unit_spawn_max = config->units.spawned_max,
        .unit_channel_max = config->units.channels_max,
        .unit_files_root = machine->files_root,
        .unit_net = machine->unit_net,
        .unit_file_max = config->units.files_max,
        .unit_reductions_hz = config->units.reductions_max,
        .eval_reductions = config->units.eval_reductions,
        .eval_timeout_ns = config->units.eval_timeout_ns,
        .unit_keep_ns = config->units.journal_interval_ns,
        .captures = machine->captures,
    };
    to->unit.memory_bytes_max = (uint32_t)config->units.memory_max;
    to->unit.stack_cells_max = config->units.stack_max;
    for (size_t i = 0; i < config->units.net.count && i < WEFT_COUNT_OF(machine->unit_net); i++) {
        const struct weft_config_endpoint *from = &config->units.net.items[i];
        machine->unit_net[to->unit_net_count++] =
            (struct weft_io_address){.host = from->ip, .port = (uint16_t)from->port};
    }
    weft_entropy_fill(&to->entropy, &to->journal.journal_id, sizeof(to->journal.journal_id));
    for (size_t i = 0; i < config->port_count; i++) {
        port_options(&config->ports[i], machine->nets[i], &to->ports[to->port_count]);
        to->ports[to->port_count++].kernel_fd =
            weft_shared_ports_fd(&machine->shared, machine->ports[i]);
        all_have_doorbells &= weft_netport_info(machine->ports[i])->has_doorbell;
    }
    switch (config->cores.idle) {
    case WEFT_CONFIG_IDLE_LATENCY: to->idle_sleep_max_ns = WEFT_IDLE_SLEEP_NS_MIN; break;
    case WEFT_CONFIG_IDLE_BALANCED:
    case WEFT_CONFIG_IDLE_ECO:
        to->idle_sleep_max_ns = all_have_doorbells ? SLEEP_DOORBELL_NS : WEFT_IDLE_SLEEP_NS_MAX;
        break;
    }
}
