// What the admin port shows of the node: each function fills one item from counters and copies.
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/node/control.h"

static void format_address(char *to, size_t size, uint32_t ip, int32_t prefix, int32_t port)
{
    const int length =
        snprintf(to, size, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
    if (prefix >= 0) snprintf(to + length, size - (size_t)length, "/%d", prefix);
    if (port >= 0) snprintf(to + length, size - (size_t)length, ":%d", port);
}

// The newest copy of the mesh's view, into control->view. False: the mesh is off.
static bool refresh_view(struct weft_control *control)
{
    if (control->view == NULL) return false;
    (void)weft_mesh_keeper_view(control->node->mesh,
                                control->view); // Else the one before: as true.
    return true;
}

// How long a node waits for its seeds before it is ready alone: the first of a swarm has nobody to
// join.
#define JOIN_NS (10 * WEFT_NS_PER_S)

static const char *mesh_word(struct weft_control *control)
{
    const struct weft_config *config = control->config;
    if (!refresh_view(control)) return "off";
    if (control->view->stats.alive > 0) return "joined";
    if (config->mesh.seeds.count == 0 && !config->mesh.discovery) return "alone";
    return control->node->control.now_ns - control->start_ns < JOIN_NS ? "joining" : "alone";
}

static void fill_node(void *self, struct weft_admin_node *node)
{
    struct weft_control *control = self;
    const struct weft_node_options *options = &control->node->options;
    cpu_set_t cpus;
    node->id = control->node->id;
    snprintf(node->name, sizeof(node->name), "%s", options->name);
    snprintf(node->version, sizeof(node->version), "%s", WEFT_VERSION);
    snprintf(node->config_path, sizeof(node->config_path), "%s", control->config_path);
    snprintf(node->mesh, sizeof(node->mesh), "%s", mesh_word(control));
    snprintf(node->io, sizeof(node->io), "%s", control->machine.io);
    snprintf(node->eal, sizeof(node->eal), "%s", control->machine.eal);
    snprintf(node->memory, sizeof(node->memory), "%s",
             weft_arena_backing_name(weft_arena_backing(control->node->workers[0].arena)));
    node->start_wall_ns = control->start_wall_ns;
    node->uptime_ns = control->node->control.now_ns - control->start_ns;
    node->pid = getpid();
    node->cpu_count =
        sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? (uint32_t)CPU_COUNT(&cpus) : 0;
    node->draining = control->draining;
}

static uint64_t units_on(const struct weft_control *control, uint16_t core)
{
    const struct weft_unit_registry *units = &control->node->units;
    uint64_t count = 0;
    for (uint32_t i = 0; i < units->capacity; i++) {
        const struct weft_resident *resident = &units->residents[i];
        if (weft_counter_get(&resident->status) != WEFT_RESIDENT_FREE)
            count += resident->core == core;
    }
    return count;
}

static void fill_actors(const struct weft_actor_system *actors, struct weft_admin_core *to)
{
    const struct weft_actor_stats *stats = &actors->stats;
    const struct weft_stacks_view stacks = weft_stacks_view(actors->stacks);
    to->spawn_count = weft_counter_get(&stats->spawn_count);
    to->exit_count = weft_counter_get(&stats->exit_count);
    to->arrived_count = weft_counter_get(&stats->arrived_count);
    to->departed_count = weft_counter_get(&stats->departed_count);
    to->sent_count = weft_counter_get(&stats->send_count);
    to->received_count = weft_counter_get(&stats->message_count);
    to->mute_count = weft_counter_get(&stats->mute_count);
    to->cycle_count = weft_counter_get(&stats->cycle_count);
    to->evict_count = weft_counter_get(&stats->evict_count);
    snprintf(to->stack_guard, sizeof(to->stack_guard), "%s", weft_stack_guard_name(stacks.guard));
    to->stacks_used = stacks.used;
    to->stacks_max = stacks.count_max;
}

static bool fill_core(void *self, uint32_t index, struct weft_admin_core *to)
{
    struct weft_control *control = self;
    if (index > control->node->options.worker_count) return false;
    const struct weft_core *core = weft_node_core(control->node, (uint16_t)index);
    const struct weft_core_watch *watch = &control->watches[index];
    const uint64_t now_ns = control->node->control.now_ns;
    to->index = (uint16_t)index;
    to->control = index == 0;
    to->cpu = core->cpu;
    to->busy_ratio = watch->busy_ratio;
    to->busy_ns = weft_counter_get(&core->stats.busy_ns);
    to->idle_ns = weft_counter_get(&core->stats.idle_ns);
    to->turn_count = weft_counter_get(&core->stats.turn_count);
    to->turn_ns_max = weft_counter_get(&core->stats.turn_ns_max);
    to->turn_age_ns =
        to->turn_count != watch->turn_count || index == 0 ? 0 : now_ns - watch->turned_at_ns;
    to->sleep_count = weft_counter_get(&core->stats.sleep_count);
    to->wake_count = weft_counter_get(&core->stats.wake_count);
    to->slice_count = weft_counter_get(&core->stats.slice_count);
    to->reduction_count = weft_counter_get(&core->stats.reduction_count);
    to->message_in = weft_counter_get(&core->stats.message_in);
    if (index == 0) return true;
    const struct weft_node_worker *worker = &control->node->workers[index - 1];
    to->actor_count = weft_actor_count(&worker->actors.stats);
    to->unit_count = units_on(control, (uint16_t)index);
    to->module_count = weft_forth_system_modules(worker->forth);
    to->arena_used_bytes = weft_arena_used_bytes(worker->arena);
    to->arena_cap_bytes = weft_arena_cap_bytes(worker->arena);
    fill_actors(&worker->actors, to);
    return true;
}

static void add_stats(struct weft_net_stats *sum, const struct weft_net *net)
{
    struct weft_net_stats one = {0};
    net->stats(net->self, &one);
    sum->rx_packets += one.rx_packets;
    sum->rx_bytes += one.rx_bytes;
    sum->tx_packets += one.tx_packets;
    sum->tx_bytes += one.tx_bytes;
    sum->rx_no_buffer += one.rx_no_buffer;
    sum->tx_full += one.tx_full;
    sum->rx_too_long += one.rx_too_long;
}

static bool fill_port(void *self, uint32_t index, struct weft_admin_port *to)
{
    struct weft_control *control = self;
    const struct weft_node_options *options = &control->node->options;
    if (index >= options->port_count) return false;
    const struct weft_node_port *port = &options->ports[index];
    to->info = *port->nets[0].info;
    for (uint16_t i = 0; i < options->worker_count; i++) {
        add_stats(&to->stats, &port->nets[i]);
        const uint32_t known = control->node->workers[i].stack.arp.entry_count;
        if (known > to->neighbour_count) to->neighbour_count = known;
    }
    if (control->machine.link != NULL)
        control->machine.link(control->machine.self, index, &to->link_up, &to->speed_mbps);
    format_address(to->address, sizeof(to->address), port->stack.address, port->stack.prefix_bits,
                   -1);
    if (port->stack.gateway != 0)
        format_address(to->gateway, sizeof(to->gateway), port->stack.gateway, -1, -1);
    to->vlan = port->stack.vlan;
    if (port->kernel == NULL) return true;
    snprintf(to->kernel, sizeof(to->kernel), "%s", port->kernel);
    for (uint16_t i = 0; i < options->worker_count; i++) {
        const struct weft_punt_stats *stats = &control->node->workers[i].punts[index].stats;
        to->to_kernel += weft_counter_get(&stats->to_kernel);
        to->from_kernel += weft_counter_get(&stats->from_kernel);
    }
    return true;
}

static bool fill_drop(void *self, uint32_t index, struct weft_admin_drop *to)
{
    struct weft_control *control = self;
    for (uint16_t i = 0; i <= control->node->options.worker_count; i++) {
        const struct weft_core *core = weft_node_core(control->node, i);
        const struct weft_drops *port = i > 0 && control->machine.port_drops != NULL
                                            ? control->machine.port_drops[i - 1]
                                            : NULL;
        for (uint32_t drop = 0; drop < WEFT_DROP_COUNT; drop++) {
            uint64_t count = weft_drop_get(&core->drops, (enum weft_drop)drop);
            if (port != NULL) count += weft_drop_get(port, (enum weft_drop)drop);
            if (count == 0 || index-- > 0) continue;
            *to = (struct weft_admin_drop){.core = i, .drop = drop, .count = count};
            return true;
        }
    }
    return false;
}

// What the fault layer has taken in and not passed on: its own drops, and what is under way.
static void add_fault(struct weft_admin_balance *to, const struct weft_fault *fault)
{
    const struct weft_fault_stats *stats = &fault->stats;
    const uint64_t in = weft_counter_get(&stats->entered) + weft_counter_get(&stats->duplicated);
    const uint64_t passed = weft_counter_get(&stats->passed);
    const uint64_t dropped = weft_counter_get(&stats->lost) +
                             weft_counter_get(&stats->partitioned) +
                             weft_counter_get(&stats->queue_full);
    to->received += in - passed;
    to->dropped += dropped;
    to->in_flight += in - passed - dropped;
}

// What the kernel's side has taken beside the stack, and sent.
static void add_punt(struct weft_admin_balance *to, const struct weft_punt *punt)
{
    const struct weft_punt_stats *stats = &punt->stats;
    const uint64_t delivered =
        weft_counter_get(&stats->to_kernel) + weft_counter_get(&stats->from_kernel);
    const uint64_t dropped = weft_counter_get(&stats->lost) + weft_counter_get(&stats->unsent);
    to->received += delivered + dropped;
    to->delivered += delivered;
    to->dropped += dropped;
}

static void fill_balance(void *self, struct weft_admin_balance *to)
{
    struct weft_control *control = self;
    const struct weft_node_options *options = &control->node->options;
    struct weft_stack_balance sum = {0};
    struct weft_admin_balance faults = {0}, punts = {0};
    for (uint16_t i = 0; i < options->worker_count; i++) {
        const struct weft_node_worker *worker = &control->node->workers[i];
        weft_stack_balance_add(&worker->stack, &sum);
        for (uint32_t port = 0; port < options->port_count; port++) {
            if (options->ports[port].has_fault) add_fault(&faults, &worker->faults[port]);
            if (options->ports[port].kernel != NULL) add_punt(&punts, &worker->punts[port]);
        }
    }
    to->received = sum.received + sum.originated + faults.received + punts.received;
    to->delivered =
        sum.arp + sum.echo + sum.icmp_error + sum.udp + sum.transmitted + punts.delivered;
    to->dropped = sum.dropped + faults.dropped + punts.dropped;
    // Read core by core while they work: what is between two of them may be counted on one side
    // only.
    const uint64_t between = sum.handed_out > sum.handed_in ? sum.handed_out - sum.handed_in : 0;
    to->in_flight = sum.held + between + faults.in_flight;
}

static bool is_seed(const struct weft_control *control, struct weft_mesh_address address)
{
    const struct weft_config_endpoints *seeds = &control->config->mesh.seeds;
    for (size_t i = 0; i < seeds->count; i++) {
        if (seeds->items[i].ip == address.ip && seeds->items[i].port == address.port) return true;
    }
    return false;
}

static bool fill_peer(void *self, uint32_t index, struct weft_admin_peer *to)
{
    struct weft_control *control = self;
    if (index == 0 && !refresh_view(control)) return false;
    if (control->view == NULL || index >= control->view->peer_count) return false;
    const struct weft_mesh_peer_info *peer = &control->view->peers[index];
    const uint64_t now_ns = control->node->control.now_ns;
    to->id = peer->id;
    snprintf(to->name, sizeof(to->name), "%s", peer->name);
    format_address(to->address, sizeof(to->address), peer->address.ip, -1, peer->address.port);
    snprintf(to->state, sizeof(to->state), "%s", weft_mesh_state_name(peer->state));
    to->age_ns = peer->age_ns + (now_ns > control->view->at_ns ? now_ns - control->view->at_ns : 0);
    to->rtt_ns = peer->rtt_ns;
    to->load = peer->load.busy_permille / 1000.0;
    to->unit_count = peer->load.units;
    to->seed = is_seed(control, peer->address);
    return true;
}

static bool fill_mesh(void *self, struct weft_admin_mesh *to)
{
    struct weft_control *control = self;
    if (!refresh_view(control) || control->view == NULL) return false;
    const struct weft_mesh_stats *stats = &control->view->stats;
    *to = (struct weft_admin_mesh){.sent = stats->sent,
                                   .received = stats->received,
                                   .sent_bytes = stats->sent_bytes,
                                   .received_bytes = stats->received_bytes};
    return true;
}

static void fill_modules(void *self, struct weft_admin_modules *to)
{
    const struct weft_control *control = self;
    struct weft_forth_sharing sharing;
    weft_forth_library_sharing(control->node->library, &sharing);
    *to = (struct weft_admin_modules){.count = sharing.modules, .bytes = sharing.bytes};
}

static const char *status_word(const struct weft_resident *resident)
{
    const uint64_t status = weft_counter_get(&resident->status);
    const bool lives = status == WEFT_RESIDENT_RUNNING || status == WEFT_RESIDENT_WAITING;
    if (lives && weft_counter_get(&resident->rests) != 0) return "throttled";
    if (lives && weft_counter_get(&resident->asks) != 0) return "asking";
    switch (status) {
    case WEFT_RESIDENT_STARTING: return "starting";
    case WEFT_RESIDENT_READY: return "ready";
    case WEFT_RESIDENT_RUNNING: return "running";
    case WEFT_RESIDENT_WAITING: return "waiting";
    case WEFT_RESIDENT_FAILED: return "failed";
    default: return "ended";
    }
}

// What it may have, and of that, has.
static void fill_quotas(const struct weft_control *control, const struct weft_resident *resident,
                        struct weft_admin_unit *to)
{
    const struct weft_unit_quota whole =
        weft_unit_quota_whole(&control->node->options, &resident->quota);
    const uint64_t used[WEFT_QUOTA_COUNT] = {
        [WEFT_QUOTA_MEMORY] = to->memory_bytes,
        [WEFT_QUOTA_MAILBOX] = to->mailbox_count,
        [WEFT_QUOTA_CHANNELS] = weft_counter_get(&resident->channels),
        [WEFT_QUOTA_SPAWNED] = weft_counter_get(&resident->spawned),
        [WEFT_QUOTA_FILES] = weft_counter_get(&resident->files),
    };
    _Static_assert(WEFT_QUOTA_COUNT <= WEFT_ADMIN_QUOTAS_MAX, "all can be told");
    to->quota_count = WEFT_QUOTA_COUNT;
    for (int kind = 0; kind < WEFT_QUOTA_COUNT; kind++)
        to->quotas[kind] = (struct weft_admin_quota){.name = weft_unit_quota_info[kind].name,
                                                     .limit = whole.value[kind],
                                                     .used = used[kind],
                                                     .is_counted = kind != WEFT_QUOTA_STACK &&
                                                                   kind != WEFT_QUOTA_REDUCTIONS};
}

static bool fill_unit(void *self, uint32_t index, struct weft_admin_unit *to)
{
    struct weft_control *control = self;
    const struct weft_unit_registry *units = &control->node->units;
    const struct weft_resident *resident = NULL;
    for (uint32_t i = 0; i < units->capacity && resident == NULL; i++) {
        const bool used = weft_counter_get(&units->residents[i].status) != WEFT_RESIDENT_FREE;
        if (used && index-- == 0) resident = &units->residents[i];
    }
    if (resident == NULL) return false;
    to->pid = weft_counter_get(&resident->pid);
    snprintf(to->name, sizeof(to->name), "%s", resident->name);
    snprintf(to->file, sizeof(to->file), "%s", resident->file);
    snprintf(to->state, sizeof(to->state), "%s", status_word(resident));
    snprintf(to->recovery, sizeof(to->recovery), "%s",
             resident->recovery == WEFT_RECOVERY_JOURNAL ? "journal" : "none");
    to->core = resident->core;
    to->index = resident->index;
    to->memory_bytes = weft_counter_get(&resident->memory_bytes);
    to->reduction_count = weft_counter_get(&resident->reduction_count);
    to->message_count = weft_counter_get(&resident->message_count);
    to->mailbox_count = (uint32_t)weft_counter_get(&resident->mailbox_count);
    to->receives_far =
        weft_counter_get(&resident->receives) != 0 && weft_counter_get(&resident->bound_ports) == 0;
    to->loaded_wall_ns = resident->loaded_wall_ns;
    fill_quotas(control, resident, to);
    return true;
}

// ---- Readiness.

static void check_ports(struct weft_control *control, struct weft_admin_check *check)
{
    struct weft_admin_port port = {0};
    snprintf(check->name, sizeof(check->name), "ports");
    check->ok = true;
    for (uint32_t i = 0; fill_port(control, i, &port); i++) {
        if (!port.link_up && control->machine.link != NULL) {
            check->ok = false;
            snprintf(check->reason, sizeof(check->reason), "the link of %s is down",
                     port.info.name);
        }
        memset(&port, 0, sizeof(port));
    }
}

static void check_mesh(struct weft_control *control, struct weft_admin_check *check)
{
    const char *word = mesh_word(control);
    snprintf(check->name, sizeof(check->name), "mesh");
    check->ok = strcmp(word, "joining") != 0;
    if (!check->ok)
        snprintf(check->reason, sizeof(check->reason), "no seed has answered yet");
    else
        snprintf(check->reason, sizeof(check->reason), "%s", word);
}

static void check_journal(struct weft_control *control, struct weft_admin_check *check)
{
    snprintf(check->name, sizeof(check->name), "journal");
    check->ok = true;
    if (control->node->journal == NULL) {
        snprintf(check->reason, sizeof(check->reason), "off");
        return;
    }
    const struct weft_journal_view *view = weft_journal_keeper_view(control->node->journal);
    const int failed = (int)weft_counter_get(&view->failed);
    const int stalled = (int)weft_counter_get(&view->stalled);
    check->ok = failed == 0 && stalled == 0;
    if (failed != 0)
        snprintf(check->reason, sizeof(check->reason), "a write failed: %s", strerror(failed));
    else if (stalled != 0)
        snprintf(check->reason, sizeof(check->reason), "no room for new records: %s",
                 strerror(stalled));
}

static void check_units(struct weft_control *control, struct weft_admin_check *check)
{
    snprintf(check->name, sizeof(check->name), "units");
    check->ok = control->starting_count == 0;
    if (!check->ok)
        snprintf(check->reason, sizeof(check->reason), "%u are still starting",
                 control->starting_count);
    else if (control->start_failed_count > 0)
        snprintf(check->reason, sizeof(check->reason), "%u did not start: see `weft events`",
                 control->start_failed_count);
}

static void check_actors(struct weft_control *control, struct weft_admin_check *check)
{
    snprintf(check->name, sizeof(check->name), "actors");
    check->ok = control->actors_starting == 0;
    if (!check->ok)
        snprintf(check->reason, sizeof(check->reason), "%u are still starting",
                 control->actors_starting);
    else if (control->actors_failed > 0)
        snprintf(check->reason, sizeof(check->reason), "%u did not start: see `weft events`",
                 control->actors_failed);
}

bool weft_control_check(void *self, uint32_t index, struct weft_admin_check *check)
{
    static void (*const checks[])(struct weft_control *, struct weft_admin_check *) = {
        check_ports, check_mesh, check_journal, check_units, check_actors};
    if (index >= WEFT_COUNT_OF(checks)) return false;
    checks[index](self, check);
    return true;
}

static bool fill_fault(void *self, uint32_t index, struct weft_admin_fault *fault)
{
    struct weft_control *control = self;
    if (control->machine.fault_get == NULL) return false;
    return control->machine.fault_get(control->machine.self, index, fault);
}

void weft_control_source_init(struct weft_control *control)
{
    control->source = (struct weft_admin_source){.node = fill_node,
                                                 .core = fill_core,
                                                 .port = fill_port,
                                                 .drop = fill_drop,
                                                 .balance = fill_balance,
                                                 .peer = fill_peer,
                                                 .mesh = fill_mesh,
                                                 .modules = fill_modules,
                                                 .unit = fill_unit,
                                                 .check = weft_control_check,
                                                 .fault = fill_fault,
                                                 .submit = weft_control_submit,
                                                 .events = &control->events,
                                                 .logs = &control->logs,
                                                 .self = control};
}
