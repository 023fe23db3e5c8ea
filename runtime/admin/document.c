#include "runtime/admin/document.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "runtime/admin/text.h"
#include "runtime/base/drop.h"

#define INT(value) ((json_int_t)(value))

// A ratio as JSON can say it: a division by zero somewhere must not cost the document.
static json_t *ratio(double value)
{
    return json_real(value >= 0 && value <= 1e9 ? value : 0);
}

static struct weft_admin_node node_of(const struct weft_admin_source *source)
{
    struct weft_admin_node node = {0};

    if (source->node != NULL) source->node(source->self, &node);
    return node;
}

json_t *weft_document_list(const struct weft_admin_source *source, json_t *items)
{
    const struct weft_admin_node node = node_of(source);

    return json_pack("{s:s, s:o, s:o, s:n}", "apiVersion", "v1", "node", weft_json_text(node.name),
                     "items", items, "next");
}

json_t *weft_document_node(const struct weft_admin_source *source)
{
    const struct weft_admin_node node = node_of(source);

    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:I, s:I, s:I, s:b, s:b}",
                     "apiVersion", "v1", "id", weft_json_id(node.id), "name",
                     weft_json_text(node.name), "version", weft_json_text(node.version), "config",
                     weft_json_text(node.config_path), "mesh", weft_json_text(node.mesh), "io",
                     weft_json_text(node.io), "memory", weft_json_text(node.memory), "eal",
                     weft_json_text(node.eal), "cpu_count", (int)node.cpu_count, "process_id",
                     INT(node.pid), "uptime_ns", INT(node.uptime_ns), "start_wall_ns",
                     INT(node.start_wall_ns), "draining", (int)node.draining, "ready",
                     (int)weft_source_ready(source));
}

static json_t *core_document(const struct weft_admin_core *core)
{
    json_t *json = json_pack(
        "{s:i, s:s, s:i, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
        "s:I, s:I, s:I}",
        "core", (int)core->index, "kind", core->control ? "control" : "worker", "cpu",
        (int)core->cpu, "busy_ratio", ratio(core->busy_ratio), "busy_ns", INT(core->busy_ns),
        "idle_ns", INT(core->idle_ns), "turns", INT(core->turn_count), "turn_max_ns",
        INT(core->turn_ns_max), "turn_age_ns", INT(core->turn_age_ns), "sleeps",
        INT(core->sleep_count), "wakes", INT(core->wake_count), "slices", INT(core->slice_count),
        "reductions", INT(core->reduction_count), "messages_in", INT(core->message_in), "actors",
        INT(core->actor_count), "units", INT(core->unit_count), "arena_used_bytes",
        INT(core->arena_used_bytes), "arena_cap_bytes", INT(core->arena_cap_bytes));
    if (core->control) return json;
    json_t *actors =
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:I}", "spawns",
                  INT(core->spawn_count), "exits", INT(core->exit_count), "arrivals",
                  INT(core->arrived_count), "departures", INT(core->departed_count), "sent",
                  INT(core->sent_count), "received", INT(core->received_count), "mutes",
                  INT(core->mute_count), "call_cycles", INT(core->cycle_count), "evictions",
                  INT(core->evict_count), "stack_guard", weft_json_text(core->stack_guard),
                  "stacks", INT(core->stacks_used), "stacks_max", INT(core->stacks_max));
    json_object_update(json, actors);
    json_decref(actors);
    return json;
}

json_t *weft_document_cores(const struct weft_admin_source *source)
{
    json_t *items = json_array();

    for (uint32_t i = 0; source->core != NULL; i++) {
        struct weft_admin_core core = {0};
        if (!source->core(source->self, i, &core)) break;
        json_array_append_new(items, core_document(&core));
    }
    return weft_document_list(source, items);
}

static json_t *port_document(const struct weft_admin_port *port)
{
    static const char *const bypass[] = {"full", "partial", "none"};
    const struct weft_net_info *info = &port->info;
    const struct weft_net_stats *stats = &port->stats;
    char mac[18];

    snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", info->mac[0], info->mac[1],
             info->mac[2], info->mac[3], info->mac[4], info->mac[5]);
    json_t *json =
        json_pack("{s:o, s:o, s:o, s:s, s:s, s:s, s:i, s:o, s:o, s:i, s:i, s:i, s:i, s:b}", "port",
                  weft_json_text(info->name), "device", weft_json_text(info->device), "driver",
                  weft_json_text(info->driver), "link", port->link_up ? "up" : "down", "bypass",
                  (unsigned)info->bypass < 3 ? bypass[info->bypass] : "none", "mac", mac,
                  "mtu_bytes", (int)info->mtu, "address", weft_json_text(port->address), "gateway",
                  weft_json_text(port->gateway), "vlan", (int)port->vlan, "speed_mbps",
                  (int)port->speed_mbps, "queues", (int)info->queue_count, "neighbours",
                  (int)port->neighbour_count, "doorbell", (int)info->has_doorbell);
    json_t *counts = json_pack(
        "{s:b, s:b, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "tx_ip4_checksum",
        (int)info->tx_ip4_checksum, "tx_udp_checksum", (int)info->tx_udp_checksum, "rx_checksum",
        (int)info->rx_checksum, "rss", (int)info->has_rss, "rx_packets", INT(stats->rx_packets),
        "rx_bytes", INT(stats->rx_bytes), "tx_packets", INT(stats->tx_packets), "tx_bytes",
        INT(stats->tx_bytes), "rx_no_buffer", INT(stats->rx_no_buffer), "tx_full",
        INT(stats->tx_full), "rx_too_long", INT(stats->rx_too_long));
    json_object_update(json, counts);
    json_decref(counts);
    json_object_set_new(json, "kernel", weft_json_text(port->kernel));
    json_object_set_new(json, "to_kernel_packets", json_integer(INT(port->to_kernel)));
    json_object_set_new(json, "from_kernel_packets", json_integer(INT(port->from_kernel)));
    return json;
}

json_t *weft_document_ports(const struct weft_admin_source *source)
{
    json_t *items = json_array();

    for (uint32_t i = 0; source->port != NULL; i++) {
        struct weft_admin_port port = {0};
        if (!source->port(source->self, i, &port)) break;
        json_array_append_new(items, port_document(&port));
    }
    return weft_document_list(source, items);
}

json_t *weft_document_drops(const struct weft_admin_source *source)
{
    json_t *items = json_array();

    for (uint32_t i = 0; source->drop != NULL; i++) {
        struct weft_admin_drop drop = {0};
        if (!source->drop(source->self, i, &drop)) break;
        if (drop.count == 0 || drop.drop >= WEFT_DROP_COUNT) continue;
        const struct weft_drop_info *info = weft_drop_info((enum weft_drop)drop.drop);
        json_array_append_new(items, json_pack("{s:s, s:s, s:i, s:I, s:s}", "stage", info->stage,
                                               "reason", info->reason, "core", (int)drop.core,
                                               "count", INT(drop.count), "text", info->text));
    }
    json_t *json = weft_document_list(source, items);
    if (source->balance != NULL) {
        struct weft_admin_balance balance = {0};
        source->balance(source->self, &balance);
        json_object_set_new(
            json, "balance",
            json_pack("{s:I, s:I, s:I, s:I, s:b}", "received", INT(balance.received), "delivered",
                      INT(balance.delivered), "dropped", INT(balance.dropped), "in_flight",
                      INT(balance.in_flight), "holds",
                      balance.received == balance.delivered + balance.dropped + balance.in_flight));
    }
    return json;
}

static json_t *peer_document(const struct weft_admin_peer *peer)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:I, s:b}", "id", weft_json_id(peer->id),
                     "name", weft_json_text(peer->name), "address", weft_json_text(peer->address),
                     "state", weft_json_text(peer->state), "age_ns", INT(peer->age_ns), "rtt_ns",
                     INT(peer->rtt_ns), "load_ratio", ratio(peer->load), "units",
                     INT(peer->unit_count), "seed", (int)peer->seed);
}

static json_t *peers(const struct weft_admin_source *source)
{
    json_t *items = json_array();

    for (uint32_t i = 0; source->peer != NULL; i++) {
        struct weft_admin_peer peer = {0};
        if (!source->peer(source->self, i, &peer)) break;
        json_array_append_new(items, peer_document(&peer));
    }
    return items;
}

json_t *weft_document_mesh(const struct weft_admin_source *source)
{
    json_t *json = weft_document_list(source, peers(source));

    json_object_set_new(json, "mesh", weft_json_text(node_of(source).mesh));
    return json;
}

// What we would tell others about ourselves, in the form of a peer.
static json_t *self_document(const struct weft_admin_source *source)
{
    struct weft_admin_peer self = {.state = "alive"};
    const struct weft_admin_node node = node_of(source);
    double busy = 0;
    uint32_t workers = 0;

    self.id = node.id;
    memcpy(self.name, node.name, sizeof(self.name));
    for (uint32_t i = 0; source->core != NULL; i++) {
        struct weft_admin_core core = {0};
        if (!source->core(source->self, i, &core)) break;
        self.unit_count += (uint32_t)core.unit_count;
        if (core.control) continue;
        busy += core.busy_ratio;
        workers++;
    }
    if (workers > 0) self.load = busy / workers;
    struct weft_admin_port port = {0};
    if (source->port != NULL && source->port(source->self, 0, &port)) {
        memcpy(self.address, port.address, sizeof(self.address));
    }
    json_t *json = peer_document(&self);
    json_object_set_new(json, "self", json_true());
    return json;
}

json_t *weft_document_swarm(const struct weft_admin_source *source)
{
    json_t *items = peers(source);
    size_t alive = 1, i;
    json_t *item;

    json_array_foreach(items, i, item)
    {
        const char *state = json_string_value(json_object_get(item, "state"));
        if (state != NULL && strcmp(state, "alive") == 0) alive++;
        json_object_set_new(item, "self", json_false());
    }
    json_array_insert_new(items, 0, self_document(source));
    const size_t count = json_array_size(items);
    json_t *json = weft_document_list(source, items);
    json_object_set_new(json, "mesh", weft_json_text(node_of(source).mesh));
    json_object_set_new(json, "nodes", json_integer(INT(count)));
    json_object_set_new(json, "alive", json_integer(INT(alive)));
    return json;
}

// {"spawned": {"limit": 1024, "used": 3}, …}; a limit of null: there is none.
static json_t *quotas_document(const struct weft_admin_unit *unit)
{
    json_t *json = json_object();
    for (uint32_t i = 0; i < unit->quota_count; i++) {
        const struct weft_admin_quota *quota = &unit->quotas[i];
        json_t *one = json_object();
        json_object_set_new(one, "limit",
                            quota->limit != 0 ? json_integer(INT(quota->limit)) : json_null());
        if (quota->is_counted) json_object_set_new(one, "used", json_integer(INT(quota->used)));
        json_object_set_new(json, quota->name, one);
    }
    return json;
}

static json_t *unit_document(const struct weft_admin_unit *unit)
{
    return json_pack("{s:o, s:o, s:i, s:I, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:b, s:I, s:o}",
                     "name", weft_json_text(unit->name), "pid", weft_json_id(unit->pid), "core",
                     (int)unit->core, "index", INT(unit->index), "state",
                     weft_json_text(unit->state), "recovery", weft_json_text(unit->recovery),
                     "file", weft_json_text(unit->file), "memory_bytes", INT(unit->memory_bytes),
                     "reductions", INT(unit->reduction_count), "messages", INT(unit->message_count),
                     "mailbox", INT(unit->mailbox_count), "receives_far", (int)unit->receives_far,
                     "loaded_wall_ns", INT(unit->loaded_wall_ns), "quotas", quotas_document(unit));
}

json_t *weft_document_units(const struct weft_admin_source *source)
{
    json_t *items = json_array();

    for (uint32_t i = 0; source->unit != NULL; i++) {
        struct weft_admin_unit unit = {0};
        if (!source->unit(source->self, i, &unit)) break;
        json_array_append_new(items, unit_document(&unit));
    }
    return weft_document_list(source, items);
}

json_t *weft_document_faults(const struct weft_admin_source *source)
{
    json_t *items = json_array();

    for (uint32_t i = 0; source->fault != NULL; i++) {
        struct weft_admin_fault fault = {0};
        if (!source->fault(source->self, i, &fault)) break;
        json_array_append_new(
            items,
            json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:b, s:I}", "port",
                      weft_json_text(fault.port), "loss_ratio", ratio(fault.loss_ratio),
                      "duplicate_ratio", ratio(fault.duplicate_ratio), "reorder_ratio",
                      ratio(fault.reorder_ratio), "corrupt_ratio", ratio(fault.corrupt_ratio),
                      "delay_ns", INT(fault.delay_ns), "jitter_ns", INT(fault.jitter_ns),
                      "partition", (int)fault.partition, "seed", INT(fault.seed)));
    }
    return weft_document_list(source, items);
}

bool weft_source_ready(const struct weft_admin_source *source)
{
    if (node_of(source).draining) return false;
    for (uint32_t i = 0; source->check != NULL; i++) {
        struct weft_admin_check check = {0};
        if (!source->check(source->self, i, &check)) break;
        if (!check.ok) return false;
    }
    return true;
}

json_t *weft_document_ready(const struct weft_admin_source *source)
{
    json_t *items = json_array();

    json_array_append_new(items, json_pack("{s:s, s:b, s:s}", "name", "running", "ok",
                                           !node_of(source).draining, "reason",
                                           node_of(source).draining ? "the node stops" : ""));
    for (uint32_t i = 0; source->check != NULL; i++) {
        struct weft_admin_check check = {0};
        if (!source->check(source->self, i, &check)) break;
        json_array_append_new(items,
                              json_pack("{s:o, s:b, s:o}", "name", weft_json_text(check.name), "ok",
                                        (int)check.ok, "reason", weft_json_text(check.reason)));
    }
    json_t *json = weft_document_list(source, items);
    json_object_set_new(json, "ready", json_boolean(weft_source_ready(source)));
    return json;
}

json_t *weft_document_event(const struct weft_admin_event *event)
{
    return json_pack("{s:I, s:I, s:o, s:o, s:o}", "id", INT(event->id), "wall_ns",
                     INT(event->wall_ns), "type", weft_json_text(event->type), "subject",
                     weft_json_text(event->subject), "text", weft_json_text(event->text));
}

json_t *weft_document_log(const struct weft_admin_log *log)
{
    const struct weft_log_record *record = &log->record;
    char module[sizeof(record->module) + 1] = "";

    memcpy(module, record->module, sizeof(record->module));
    return json_pack("{s:I, s:I, s:s, s:i, s:o, s:o, s:o, s:o}", "id", INT(log->id), "wall_ns",
                     INT(log->wall_ns), "level",
                     weft_log_level_name((enum weft_log_level)record->level), "core",
                     (int)record->core, "pid", weft_json_id(record->pid), "name",
                     weft_json_bytes(record->text, record->name_length), "module",
                     weft_json_text(module), "text", weft_json_text(record->text));
}
