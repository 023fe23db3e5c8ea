#include "runtime/admin/metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/admin/events.h"
#include "runtime/base/drop.h"

struct page {
    FILE *out;
    const struct weft_admin_source *source;
    uint64_t request_count;
    bool openmetrics;
    const char *name;   // Of the metric being printed.
    const char *suffix; // "_total", "_info" or "".
};

static double seconds(uint64_t ns)
{
    return (double)ns / (double)WEFT_NS_PER_S;
}

// One sample. `labels` is "" or "{…}".
static void sample(struct page *page, const char *labels, double value)
{
    const int digits = value < 1e15 && value == (double)(int64_t)value ? 0 : 9;

    fprintf(page->out, "%s%s%s %.*f\n", page->name, page->suffix, labels, digits, value);
}

__attribute__((format(printf, 3, 4))) static void labelled(struct page *page, double value,
                                                           const char *format, ...)
{
    char labels[192];
    va_list args;

    va_start(args, format);
    vsnprintf(labels, sizeof(labels), format, args);
    va_end(args);
    sample(page, labels, value);
}

// A label value with the three characters that the format escapes.
static const char *escaped(const char *text, char out[128])
{
    size_t used = 0;

    for (; *text != '\0' && used < 125; text++) {
        if (*text == '\n') {
            out[used++] = '\\';
            out[used++] = 'n';
            continue;
        }
        if (*text == '\\' || *text == '"') out[used++] = '\\';
        out[used++] = (unsigned char)*text < 0x80 ? *text : '?';
    }
    out[used] = '\0';
    return out;
}

static void build_info(struct page *page)
{
    struct weft_admin_node node = {0};
    char version[128], name[128];

    if (page->source->node != NULL) page->source->node(page->source->self, &node);
    labelled(page, 1, "{version=\"%s\",node=\"%s\"}", escaped(node.version, version),
             escaped(node.name, name));
}

static void process_cpu(struct page *page)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    sample(page, "",
           (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
}

static void process_memory(struct page *page)
{
    FILE *statm = fopen("/proc/self/statm", "re");
    unsigned long total = 0, resident = 0;

    if (statm == NULL) return;
    if (fscanf(statm, "%lu %lu", &total, &resident) == 2) {
        sample(page, "", (double)resident * (double)sysconf(_SC_PAGESIZE));
    }
    fclose(statm);
}

static void process_fds(struct page *page)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = -3; // ".", ".." and the one that reads.

    if (directory == NULL) return;
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    sample(page, "", count);
}

static void process_start(struct page *page)
{
    struct weft_admin_node node = {0};

    if (page->source->node == NULL) return;
    page->source->node(page->source->self, &node);
    sample(page, "", seconds(node.start_wall_ns));
}

static void ready(struct page *page)
{
    bool ok = true;

    for (uint32_t i = 0; page->source->check != NULL; i++) {
        struct weft_admin_check check = {0};
        if (!page->source->check(page->source->self, i, &check)) break;
        ok = ok && check.ok;
    }
    sample(page, "", ok);
}

// One sample per core of a member of struct weft_admin_core.
#define PER_CORE(function, labels, value)                                                          \
    static void function(struct page *page)                                                        \
    {                                                                                              \
        for (uint32_t i = 0; page->source->core != NULL; i++) {                                    \
            struct weft_admin_core core = {0};                                                     \
            if (!page->source->core(page->source->self, i, &core)) break;                          \
            labelled(page, (double)(value), "{core=\"%u\"" labels "}", (unsigned)core.index);      \
        }                                                                                          \
    }
PER_CORE(core_busy_ratio, "", core.busy_ratio)
PER_CORE(core_turns, "", core.turn_count)
PER_CORE(core_turn_max, "", seconds(core.turn_ns_max))
PER_CORE(core_sleeps, "", core.sleep_count)
PER_CORE(core_wakes, "", core.wake_count)
PER_CORE(core_slices, "", core.slice_count)
PER_CORE(core_reductions, "", core.reduction_count)
PER_CORE(core_messages, "", core.message_in)
PER_CORE(core_actors, "", core.actor_count)
PER_CORE(core_units, "", core.unit_count)
PER_CORE(core_modules, "", core.module_count)
PER_CORE(actor_spawns, "", core.spawn_count)
PER_CORE(actor_exits, "", core.exit_count)
PER_CORE(actor_arrivals, "", core.arrived_count)
PER_CORE(actor_messages, "", core.received_count)
PER_CORE(actor_mutes, "", core.mute_count)
PER_CORE(actor_stacks, "", core.stacks_used)
PER_CORE(core_busy, ",state=\"busy\"", seconds(core.busy_ns))
PER_CORE(core_idle, ",state=\"idle\"", seconds(core.idle_ns))
PER_CORE(arena_used, ",use=\"used\"", core.arena_used_bytes)
PER_CORE(arena_cap, ",use=\"cap\"", core.arena_cap_bytes)

static void core_seconds(struct page *page)
{
    core_busy(page);
    core_idle(page);
}

static void arena_bytes(struct page *page)
{
    arena_used(page);
    arena_cap(page);
}

#define PER_PORT(function, value)                                                                  \
    static void function(struct page *page)                                                        \
    {                                                                                              \
        char name[128];                                                                            \
        for (uint32_t i = 0; page->source->port != NULL; i++) {                                    \
            struct weft_admin_port port = {0};                                                     \
            if (!page->source->port(page->source->self, i, &port)) break;                          \
            labelled(page, (double)(value), "{port=\"%s\"}", escaped(port.info.name, name));       \
        }                                                                                          \
    }
PER_PORT(port_link, port.link_up)
PER_PORT(port_rx_packets, port.stats.rx_packets)
PER_PORT(port_rx_bytes, port.stats.rx_bytes)
PER_PORT(port_tx_packets, port.stats.tx_packets)
PER_PORT(port_tx_bytes, port.stats.tx_bytes)
PER_PORT(port_neighbours, port.neighbour_count)
PER_PORT(port_to_kernel, port.to_kernel)
PER_PORT(port_from_kernel, port.from_kernel)

static void drops(struct page *page)
{
    for (uint32_t i = 0; page->source->drop != NULL; i++) {
        struct weft_admin_drop drop = {0};
        if (!page->source->drop(page->source->self, i, &drop)) break;
        if (drop.drop >= WEFT_DROP_COUNT || drop.count == 0) continue;
        const struct weft_drop_info *info = weft_drop_info((enum weft_drop)drop.drop);
        labelled(page, (double)drop.count, "{stage=\"%s\",reason=\"%s\",core=\"%u\"}", info->stage,
                 info->reason, (unsigned)drop.core);
    }
}

#define OF_BALANCE(function, member)                                                               \
    static void function(struct page *page)                                                        \
    {                                                                                              \
        struct weft_admin_balance balance = {0};                                                   \
        if (page->source->balance == NULL) return;                                                 \
        page->source->balance(page->source->self, &balance);                                       \
        sample(page, "", (double)balance.member);                                                  \
    }
OF_BALANCE(received, received)
OF_BALANCE(delivered, delivered)
OF_BALANCE(in_flight, in_flight)

static void mesh_peers(struct page *page)
{
    static const char *const states[] = {"alive", "suspect", "dead", "joining", "refused"};
    uint64_t counts[WEFT_COUNT_OF(states)] = {0};

    for (uint32_t i = 0; page->source->peer != NULL; i++) {
        struct weft_admin_peer peer = {0};
        if (!page->source->peer(page->source->self, i, &peer)) break;
        for (size_t s = 0; s < WEFT_COUNT_OF(states); s++) {
            if (strcmp(peer.state, states[s]) == 0) counts[s]++;
        }
    }
    for (size_t s = 0; s < WEFT_COUNT_OF(states); s++) {
        labelled(page, (double)counts[s], "{state=\"%s\"}", states[s]);
    }
}

static void mesh_rtt(struct page *page)
{
    uint64_t least = UINT64_MAX, most = 0, sum = 0, count = 0;

    for (uint32_t i = 0; page->source->peer != NULL; i++) {
        struct weft_admin_peer peer = {0};
        if (!page->source->peer(page->source->self, i, &peer)) break;
        if (peer.rtt_ns == 0) continue;
        if (peer.rtt_ns < least) least = peer.rtt_ns;
        if (peer.rtt_ns > most) most = peer.rtt_ns;
        sum += peer.rtt_ns;
        count++;
    }
    if (count == 0) return;
    labelled(page, seconds(least), "{stat=\"min\"}");
    labelled(page, seconds(sum) / (double)count, "{stat=\"mean\"}");
    labelled(page, seconds(most), "{stat=\"max\"}");
}

#define OF_MODULES(function, member)                                                               \
    static void function(struct page *page)                                                        \
    {                                                                                              \
        struct weft_admin_modules modules = {0};                                                   \
        if (page->source->modules == NULL) return;                                                 \
        page->source->modules(page->source->self, &modules);                                       \
        sample(page, "", (double)modules.member);                                                  \
    }
OF_MODULES(unit_modules, count)
OF_MODULES(unit_module_bytes, bytes)

#define OF_MESH(function, out, in)                                                                 \
    static void function(struct page *page)                                                        \
    {                                                                                              \
        struct weft_admin_mesh mesh = {0};                                                         \
        if (page->source->mesh == NULL || !page->source->mesh(page->source->self, &mesh)) return;  \
        labelled(page, (double)mesh.out, "{direction=\"sent\"}");                                  \
        labelled(page, (double)mesh.in, "{direction=\"received\"}");                               \
    }
OF_MESH(mesh_datagrams, sent, received)
OF_MESH(mesh_bytes, sent_bytes, received_bytes)

static void events(struct page *page)
{
    const struct weft_admin_events *ring = page->source->events;

    if (ring != NULL) sample(page, "", (double)((ring->next_id - 1) % 1000000));
}

static void requests(struct page *page)
{
    sample(page, "", (double)page->request_count);
}

static const struct row {
    struct weft_metric metric;
    void (*print)(struct page *page);
} table[] = {
    {{"weft_build", "info", "Version and name of this node."}, build_info},
    {{"process_cpu_seconds", "counter", "User and system time of the process."}, process_cpu},
    {{"process_resident_memory_bytes", "gauge", "Resident memory."}, process_memory},
    {{"process_open_fds", "gauge", "Open descriptors."}, process_fds},
    {{"process_start_time_seconds", "gauge", "Start of the node since 1970."}, process_start},
    {{"weft_ready", "gauge", "1 if every readiness check passes."}, ready},
    {{"weft_core_seconds", "counter", "Time of a core by what it did: busy found work in a turn."},
     core_seconds},
    {{"weft_core_busy_ratio", "gauge", "Busy share of the last second."}, core_busy_ratio},
    {{"weft_core_turns", "counter", "Turns of the core's loop."}, core_turns},
    {{"weft_core_turn_max_seconds", "gauge", "Longest turn since start."}, core_turn_max},
    {{"weft_core_sleeps", "counter", "Times an idle core went to sleep."}, core_sleeps},
    {{"weft_core_wakes", "counter", "Sleeps ended by a doorbell or another core."}, core_wakes},
    {{"weft_core_slices", "counter", "Slices given to actors and units."}, core_slices},
    {{"weft_core_reductions", "counter", "Reductions spent."}, core_reductions},
    {{"weft_core_messages", "counter", "Messages from other cores."}, core_messages},
    {{"weft_actors", "gauge", "Live actors."}, core_actors},
    {{"weft_actor_spawns", "counter", "Actors that were made."}, actor_spawns},
    {{"weft_actor_exits", "counter", "Actors that ended."}, actor_exits},
    {{"weft_actor_arrivals", "counter", "Actors that came from another core."}, actor_arrivals},
    {{"weft_actor_messages", "counter", "User messages that actors received."}, actor_messages},
    {{"weft_actor_mutes", "counter", "Times that a sender waited for room in a mailbox."},
     actor_mutes},
    {{"weft_actor_stacks", "gauge", "Stacks in use: taken here less released here."}, actor_stacks},
    {{"weft_units", "gauge", "Loaded units."}, core_units},
    {{"weft_unit_modules", "gauge", "Sets of frozen words that units have, each once a node."},
     unit_modules},
    {{"weft_unit_module_bytes", "gauge", "Memory of these."}, unit_module_bytes},
    {{"weft_core_unit_modules", "gauge", "How many of these the units of a core have."},
     core_modules},
    {{"weft_arena_bytes", "gauge", "Memory of a core's arena: used, and its cap."}, arena_bytes},
    {{"weft_port_link_up", "gauge", "1 if the link is up."}, port_link},
    {{"weft_port_rx_packets", "counter", "Frames received."}, port_rx_packets},
    {{"weft_port_rx_bytes", "counter", "Bytes received."}, port_rx_bytes},
    {{"weft_port_tx_packets", "counter", "Frames sent."}, port_tx_packets},
    {{"weft_port_tx_bytes", "counter", "Bytes sent."}, port_tx_bytes},
    {{"weft_port_neighbours", "gauge", "Resolved neighbours."}, port_neighbours},
    {{"weft_port_to_kernel_packets", "counter", "Frames given to the kernel's side of the port."},
     port_to_kernel},
    {{"weft_port_from_kernel_packets", "counter", "Frames sent for the kernel's side."},
     port_from_kernel},
    {{"weft_drops", "counter", "What did not arrive, by stage and reason (weft drops)."}, drops},
    {{"weft_packets_received", "counter", "Packets received: delivered + drops + in flight."},
     received},
    {{"weft_packets_delivered", "counter", "Packets that reached their end."}, delivered},
    {{"weft_packets_in_flight", "gauge", "Packets on their way within the node."}, in_flight},
    {{"weft_mesh_peers", "gauge", "Known peers by state."}, mesh_peers},
    {{"weft_mesh_rtt_seconds", "gauge", "Round trip to alive peers."}, mesh_rtt},
    {{"weft_mesh_datagrams", "counter", "Datagrams of the mesh: gossip, units' messages."},
     mesh_datagrams},
    {{"weft_mesh_bytes", "counter", "Their UDP payloads."}, mesh_bytes},
    {{"weft_events", "counter", "Events since start."}, events},
    {{"weft_admin_requests", "counter", "Requests to the admin port."}, requests},
};

const struct weft_metric *weft_metric_at(uint32_t index)
{
    return index < WEFT_COUNT_OF(table) ? &table[index].metric : NULL;
}

// The name that TYPE and HELP bear: OpenMetrics names the family, 0.0.4 the sample.
static void print_head(struct page *page, const struct weft_metric *metric)
{
    const char *suffix = page->openmetrics ? "" : page->suffix;
    const char *type = metric->type;

    if (!page->openmetrics && strcmp(type, "info") == 0) type = "gauge";
    fprintf(page->out, "# TYPE %s%s %s\n# HELP %s%s %s\n", metric->name, suffix, type, metric->name,
            suffix, metric->help);
}

char *weft_metrics_print(const struct weft_admin_source *source, uint64_t request_count,
                         bool openmetrics, size_t *length)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, length);
    struct page page = {
        .out = out, .source = source, .request_count = request_count, .openmetrics = openmetrics};

    if (out == NULL) return NULL;
    for (size_t i = 0; i < WEFT_COUNT_OF(table); i++) {
        const struct weft_metric *metric = &table[i].metric;
        page.name = metric->name;
        page.suffix = strcmp(metric->type, "counter") == 0 ? "_total"
                      : strcmp(metric->type, "info") == 0  ? "_info"
                                                           : "";
        print_head(&page, metric);
        table[i].print(&page);
    }
    if (openmetrics) fputs("# EOF\n", out);
    if (fclose(out) == 0) return text;
    free(text);
    return NULL;
}
