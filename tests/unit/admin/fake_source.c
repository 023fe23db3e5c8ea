#include "tests/unit/admin/fake_source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/drop.h"

static void fake_fill(void *self, struct weft_admin_node *node)
{
    const struct fake_node *fake = self;

    node->id = 0xa1;
    strcpy(node->name, "n1");
    strcpy(node->version, "0.1.0");
    strcpy(node->config_path, "/etc/weft/weft.toml");
    strcpy(node->mesh, "joined");
    strcpy(node->io, "uring");
    strcpy(node->memory, "transparent huge pages");
    strcpy(node->eal, "in-memory");
    node->cpu_count = 2;
    node->pid = 4242;
    node->start_wall_ns = UINT64_C(1700000000000000000);
    node->uptime_ns = UINT64_C(93784000000000);
    node->draining = fake->draining;
}

static bool fake_core(void *self, uint32_t index, struct weft_admin_core *core)
{
    const struct fake_node *fake = self;

    if (index > 1) return false;
    core->index = (uint16_t)index;
    core->control = index == 0;
    core->cpu = index == 0 ? -1 : 1;
    core->busy_ratio = index == 0 ? 0.0 : 0.125;
    core->busy_ns = 1500000000;
    core->idle_ns = 10500000000;
    core->turn_count = 1000;
    core->turn_age_ns = fake->stalled && index == 1 ? 9 * WEFT_NS_PER_S : 1000;
    core->sleep_count = 7;
    core->slice_count = 11;
    core->reduction_count = 22000;
    core->actor_count = index;
    core->unit_count = index;
    core->module_count = 2 * index;
    core->arena_used_bytes = index * WEFT_MIB;
    core->arena_cap_bytes = 64 * WEFT_MIB;
    return true;
}

static bool fake_port(void *self, uint32_t index, struct weft_admin_port *port)
{
    (void)self;
    if (index > 0) return false;
    port->info = (struct weft_net_info){.name = "p0",
                                        .device = "net_af_packet0,iface=n1",
                                        .driver = "net_af_packet",
                                        .mac = {2, 0, 0, 0, 0, 1},
                                        .mtu = 1500,
                                        .queue_count = 1,
                                        .has_doorbell = true,
                                        .bypass = WEFT_BYPASS_NONE};
    port->stats = (struct weft_net_stats){
        .rx_packets = 10, .rx_bytes = 1000, .tx_packets = 5, .tx_bytes = 500};
    port->link_up = true;
    port->speed_mbps = 10000;
    strcpy(port->address, "10.77.0.11/24");
    port->neighbour_count = 2;
    return true;
}

static bool fake_drop(void *self, uint32_t index, struct weft_admin_drop *drop)
{
    (void)self;
    if (index > 1) return false;
    drop->core = 1;
    drop->drop = index == 0 ? WEFT_DROP_ETH_TYPE : WEFT_DROP_UDP_NO_PORT;
    drop->count = 3 - index;
    return true;
}

static void fake_balance(void *self, struct weft_admin_balance *balance)
{
    (void)self;
    *balance = (struct weft_admin_balance){.received = 10, .delivered = 5, .dropped = 5};
}

static bool fake_peer(void *self, uint32_t index, struct weft_admin_peer *peer)
{
    static const char *const names[] = {"n2", "n3"};
    (void)self;
    if (index > 1) return false;
    peer->id = 0xb0 + index;
    strcpy(peer->name, names[index]);
    snprintf(peer->address, sizeof(peer->address), "10.77.0.%u:7400", 12 + index);
    strcpy(peer->state, index == 0 ? "alive" : "dead");
    peer->age_ns = (index + 1) * 400 * WEFT_NS_PER_MS;
    peer->rtt_ns = index == 0 ? 35000 : 0;
    peer->load = 0.5;
    peer->unit_count = 2;
    peer->seed = index == 0;
    return true;
}

static bool fake_mesh(void *self, struct weft_admin_mesh *mesh)
{
    (void)self;
    *mesh = (struct weft_admin_mesh){
        .sent = 40, .received = 30, .sent_bytes = 4000, .received_bytes = 3000};
    return true;
}

static void fake_modules(void *self, struct weft_admin_modules *modules)
{
    (void)self;
    *modules = (struct weft_admin_modules){.count = 2, .bytes = 5000};
}

static bool fake_unit(void *self, uint32_t index, struct weft_admin_unit *unit)
{
    (void)self;
    if (index > 0) return false;
    unit->pid = UINT64_C(0x0000000101000000);
    strcpy(unit->name, "counter");
    unit->core = 1;
    strcpy(unit->state, "waiting");
    strcpy(unit->recovery, "journal");
    strcpy(unit->file, "counter.fth");
    unit->memory_bytes = 65536;
    unit->reduction_count = 512;
    unit->message_count = 4;
    unit->receives_far = true;
    unit->loaded_wall_ns = UINT64_C(1700000001000000000);
    return true;
}

static bool fake_check(void *self, uint32_t index, struct weft_admin_check *check)
{
    const struct fake_node *fake = self;

    if (index > 1) return false;
    strcpy(check->name, index == 0 ? "ports" : "mesh");
    check->ok = index == 0 || fake->ready;
    if (!check->ok) strcpy(check->reason, "no peer has answered");
    return true;
}

static bool fake_fault(void *self, uint32_t index, struct weft_admin_fault *fault)
{
    const struct fake_node *fake = self;

    if (index > 0) return false;
    *fault = fake->fault;
    return true;
}

static void answer_eval(struct fake_node *fake, struct weft_admin_command *command)
{
    struct weft_admin_outcome outcome = {.pid = 1, .core = 1, .reduction_count = 9};

    if (strcmp(command->text, "bad") == 0) {
        outcome.throw_code = -13;
        outcome.error = "eval:1:1: undefined word: bad";
        strcpy(outcome.file, "eval");
        outcome.line = 1;
        outcome.column = 1;
    } else {
        outcome.output = fake->eval_output;
        outcome.output_length = strlen(fake->eval_output);
    }
    weft_admin_complete_unit(command, &outcome);
}

static int fake_submit(void *self, struct weft_admin_command *command, struct weft_error *error)
{
    struct fake_node *fake = self;
    const bool known = strcmp(command->unit, "counter") == 0;

    if (fake->hold) {
        fake->held = command;
        return 0;
    }
    if (command->verb == WEFT_ADMIN_FAULT_SET) {
        fake->fault = command->fault;
        weft_admin_complete(command);
        return 0;
    }
    if (command->verb == WEFT_ADMIN_UNIT_LOAD) {
        if (known) return weft_error_set(error, 403, "a unit \"%s\" is here", command->unit);
        answer_eval(fake, command);
        return 0;
    }
    if (!known) return weft_error_set(error, 402, "n1 has no unit \"%s\"", command->unit);
    if (command->verb == WEFT_ADMIN_UNIT_EVAL) {
        answer_eval(fake, command);
    } else {
        weft_admin_complete(command);
    }
    return 0;
}

static int fake_capture_open(void *self, const struct weft_admin_capture *options, void **capture,
                             struct weft_error *error)
{
    struct fake_node *fake = self;

    if (options->port[0] != '\0' && strcmp(options->port, "p0") != 0) {
        return weft_error_set(error, 503, "no port \"%s\"", options->port);
    }
    fake->captures_open++;
    fake->capture_reads = 0;
    *capture = fake;
    return 0;
}

static int64_t fake_capture_read(void *self, void *capture, uint8_t *bytes, size_t limit)
{
    struct fake_node *fake = capture;
    (void)self, (void)limit;

    fake->capture_reads++;
    if (fake->capture_reads == 2) return 0; // Nothing yet: the connection is put to sleep.
    if (fake->capture_reads > 3) return -ENODATA;
    memcpy(bytes, "PCAP", 4);
    return 4;
}

static void fake_capture_close(void *self, void *capture)
{
    struct fake_node *fake = capture;
    (void)self;

    fake->captures_open--;
}

// ---- Traces.

static const struct weft_admin_trace_event trace_events[] = {
    {.wall_ns = 1700000000000000000, .core = 1, .event = "begin", .pid = 5, .value_name = ""},
    {0}, // Nothing yet: the connection is put to sleep.
    {.wall_ns = 1700000000000001000,
     .core = 1,
     .event = "receive",
     .pid = 5,
     .peer = 6,
     .tag = "call",
     .type = 3,
     .value_name = "length",
     .value = 40},
    {.wall_ns = 1700000000000002000,
     .core = 1,
     .event = "missed",
     .pid = 5,
     .value_name = "count",
     .value = 12},
    {.wall_ns = 1700000000000003000,
     .core = 2,
     .event = "spawn",
     .pid = 7,
     .peer = 5,
     .value_name = ""},
    {.wall_ns = 1700000000000004000,
     .core = 2,
     .event = "exit",
     .pid = 5,
     .value_name = "reason",
     .value = 1,
     .text = "killed"},
};

static int fake_trace_open(void *self, const char *actor, void **trace, struct weft_error *error)
{
    struct fake_node *fake = self;

    if (strcmp(actor, "counter") != 0)
        return weft_error_set(error, 801, "there is no actor '%s'", actor);
    fake->traces_open++;
    fake->trace_reads = 0;
    *trace = fake;
    return 0;
}

static int fake_trace_read(void *self, void *trace, struct weft_admin_trace_event *event)
{
    struct fake_node *fake = trace;
    (void)self;

    if (fake->trace_reads == sizeof(trace_events) / sizeof(trace_events[0])) return -ENODATA;
    *event = trace_events[fake->trace_reads++];
    return event->event != NULL;
}

static void fake_trace_close(void *self, void *trace)
{
    struct fake_node *fake = trace;
    (void)self;

    fake->traces_open--;
}

static int64_t fake_flight(void *self, const char *actor, struct weft_admin_trace_event *events,
                           uint32_t limit, struct weft_error *error)
{
    (void)self;
    if (actor != NULL && strcmp(actor, "counter") != 0)
        return weft_error_set(error, 801, "there is no actor '%s'", actor);
    const uint32_t count = limit < 2 ? limit : 2;
    for (uint32_t i = 0; i < count; i++)
        events[i] = trace_events[6 - count + i];
    return count;
}

void fake_node_init(struct fake_node *fake)
{
    memset(fake, 0, sizeof(*fake));
    fake->ready = true;
    strcpy(fake->eval_output, "8 ");
    weft_admin_events_init(&fake->events, UINT64_C(1700000000000000000));
    weft_admin_logs_init(&fake->logs, UINT64_C(1700000000000000000));
    fake->source = (struct weft_admin_source){
        .node = fake_fill,
        .core = fake_core,
        .port = fake_port,
        .drop = fake_drop,
        .balance = fake_balance,
        .peer = fake_peer,
        .mesh = fake_mesh,
        .modules = fake_modules,
        .unit = fake_unit,
        .check = fake_check,
        .fault = fake_fault,
        .submit = fake_submit,
        .capture_open = fake_capture_open,
        .capture_read = fake_capture_read,
        .capture_close = fake_capture_close,
        .trace_open = fake_trace_open,
        .trace_read = fake_trace_read,
        .trace_close = fake_trace_close,
        .flight = fake_flight,
        .events = &fake->events,
        .logs = &fake->logs,
        .self = fake,
    };
}
