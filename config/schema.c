#include "config/schema.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "config/config.h"
#include "config/value.h"

#define AT(member)       offsetof(struct weft_config, member)
#define PORT_AT(member)  offsetof(struct weft_config_port, member)
#define UNIT_AT(member)  offsetof(struct weft_config_unit, member)
#define ACTOR_AT(member) offsetof(struct weft_config_actor, member)
#define MIB              1048576.0
#define SECOND           1e9

// clang-format off
static const struct weft_schema_key keys[] = {
#define K(path, type, reload, at, min, max, fallback, choices, meaning) \
    {path, WEFT_SCHEMA_##type, WEFT_RELOAD_##reload, at, min, max, fallback, choices, meaning},
    K("node.name", STRING, RESTART_NODE, AT(node.name), 1, 27, "\"weft\"", NULL, "What this node is called; a label, not its identity.")
    K("node.data_dir", PATH, RESTART_NODE, AT(node.data_dir), 0, 0, "\"/var/lib/weft\"", NULL, "Where the journal and the identity are kept.")
    K("node.run_dir", PATH, RESTART_NODE, AT(node.run_dir), 0, 0, "\"/run/weft\"", NULL, "Where sockets live while the node runs.")
    K("node.log_level", ENUM, RESTART_NODE, AT(node.log_level), 0, 0, "\"info\"", "error|warn|info|debug", "The least important lines that are logged.")
    K("cores.workers", INT, RESTART_NODE, AT(cores.workers), 1, 62, "1", NULL, "Worker cores, beside the control core.")
    K("cores.pin", CPUS, RESTART_NODE, AT(cores.pin), 0, 0, "\"auto\"", NULL, "Which CPUs: \"auto\", \"off\", or a list: one CPU per worker, and one more for the control core if you like.")
    K("cores.idle", ENUM, RESTART_NODE, AT(cores.idle), 0, 0, "\"balanced\"", "latency|balanced|eco", "What an idle worker does: spin, spin then sleep, or sleep.")
    K("memory.huge_pages", ENUM, RESTART_NODE, AT(memory.huge_pages), 0, 0, "\"auto\"", "auto|off|require", "Whether memory comes from huge pages.")
    K("memory.arena_per_core", SIZE, RESTART_NODE, AT(memory.arena_per_core), 4 * MIB, 1048576 * MIB, "\"64MiB\"", NULL, "Memory of each worker for actors and units. A multiple of 1GiB lies in pages of that size where the kernel has them.")
    K("memory.mbufs", INT, RESTART_NODE, AT(memory.mbufs), 127, 1048575, "2047", NULL, "Packet buffers per core.")
    K("mesh.port", INT, RESTART_NODE, AT(mesh.port), 1, 65535, "4201", NULL, "UDP port of the mesh.")
    K("mesh.key_file", PATH, RESTART_NODE, AT(mesh.key_file), 0, 0, "\"\"", NULL, "File with the cluster key, relative to this file; empty: the mesh is off.")
    K("mesh.epoch", INT, RESTART_NODE, AT(mesh.epoch), 0, 4294967295.0, "1", NULL, "Which generation of the cluster key this is.")
    K("mesh.seeds", ENDPOINTS, RESTART_NODE, AT(mesh.seeds), 0, 16, "[]", NULL, "Nodes to greet first, as \"10.42.0.2:4201\".")
    K("mesh.gossip_k", INT, RESTART_NODE, AT(mesh.gossip_k), 1, 16, "8", NULL, "Peers that each gossip round goes to.")
    K("mesh.heartbeat", DURATION, RESTART_NODE, AT(mesh.heartbeat_ns), 1e7, 60 * SECOND, "\"500ms\"", NULL, "Time from one heartbeat to the next.")
    K("mesh.timeout", DURATION, RESTART_NODE, AT(mesh.timeout_ns), 2e7, 600 * SECOND, "\"3s\"", NULL, "Silence after which a peer counts as gone.")
    K("mesh.peers_max", INT, RESTART_NODE, AT(mesh.peers_max), 1, 4096, "512", NULL, "Peers that the table has room for.")
    K("mesh.discovery", BOOL, RESTART_NODE, AT(mesh.discovery), 0, 0, "false", NULL, "Whether peers on the local network are found by broadcast.")
    K("admin.listen", LISTEN, RESTART_NODE, AT(admin.listen), 0, 0, "\"127.0.0.1:9338\"", NULL, "Address and port of the admin server; empty: off.")
    K("admin.socket", PATH, RESTART_NODE, AT(admin.socket), 0, 107, "\"\"", NULL, "Unix socket of the admin server; empty: run_dir/admin.sock.")
    K("admin.listen_fd", INT, RESTART_NODE, AT(admin.listen_fd), -1, 1048575, "-1", NULL, "A listening socket that was handed in; -1: none.")
    K("admin.owner_token", PATH, RESTART_NODE, AT(admin.owner_token), 0, 0, "\"\"", NULL, "File with the owner's token, relative to this file: the admin port is then TLS, and may listen on other addresses than loopback; empty: it is not.")
    K("admin.owner_key", PATH, RESTART_NODE, AT(admin.owner_key), 0, 0, "\"\"", NULL, "File with the owner's public key (Ed25519, PEM), relative to this file: as owner_token, for who has the private one; empty: none.")
    K("admin.interface", STRING, RESTART_NODE, AT(admin.interface), 0, 31, "\"\"", NULL, "Of the image: the network card of the admin port, by its PCI address, MAC address or name; empty: the first that no port has.")
    K("admin.address", STRING, RESTART_NODE, AT(admin.address), 0, 31, "\"dhcp\"", NULL, "Of the image: that card's address, \"dhcp\", \"off\" or as \"192.0.2.7/24\".")
    K("admin.gateway", IP, RESTART_NODE, AT(admin.gateway), 0, 0, "", NULL, "Of the image: where that card's packets for other networks go; by DHCP it is learned.")
    K("time.servers", ENDPOINTS, RESTART_NODE, AT(time.servers), 0, 16, "[]", NULL, "Of the image: time servers (SNTP), as \"192.0.2.1:123\"; those that DHCP names are asked as well.")
    K("time.serve", BOOL, RESTART_NODE, AT(time.serve), 0, 0, "false", NULL, "Of the image: whether others may ask this node for the time (SNTP, UDP port 123 of the admin network): nodes that name it in their time.servers.")
    K("journal.enabled", BOOL, RESTART_NODE, AT(journal.enabled), 0, 0, "true", NULL, "Whether units may keep their state on disk.")
    K("journal.segment_bytes", SIZE, RESTART_NODE, AT(journal.segment_bytes), 2 * MIB, 1024 * MIB, "\"4MiB\"", NULL, "Size of one journal file; a multiple of 4096.")
    K("journal.io", ENUM, RESTART_NODE, AT(journal.io), 0, 0, "\"auto\"", "auto|uring|epoll", "How the disk is written.")
    K("units.memory_max", SIZE, RESTART_NODE, AT(units.memory_max), 16384, 1024 * MIB, "\"256KiB\"", NULL, "Memory of one unit.")
    K("units.eval_reductions", INT, RESTART_NODE, AT(units.eval_reductions), 1000, 4294967295.0, "50_000_000", NULL, "Steps that one evaluation may take.")
    K("units.eval_timeout", DURATION, RESTART_NODE, AT(units.eval_timeout_ns), 1e6, 3600 * SECOND, "\"5s\"", NULL, "Time that one evaluation may take.")
    K("units.journal_interval", DURATION, RESTART_NODE, AT(units.journal_interval_ns), 0, 3600 * SECOND, "\"1s\"", NULL, "A unit that runs is written to the journal at most so often, if it has changed; 0s: only by evaluations and UNIT-SAVE.")
    K("units.mailbox", INT, RESTART_NODE, AT(units.mailbox), 1, 65536, "64", NULL, "Messages that one unit's mailbox holds.")
    K("units.spawned_max", INT, RESTART_NODE, AT(units.spawned_max), 1, 1048576, "1024", NULL, "Units that one has spawned and not joined yet.")
    K("units.channels_max", INT, RESTART_NODE, AT(units.channels_max), 1, 65536, "256", NULL, "Channels that one unit has open.")
    K("units.stack_max", INT, RESTART_NODE, AT(units.stack_max), 64, 1048576, "4096", NULL, "Cells of each of a unit's stacks.")
    K("units.reductions_max", INT, RESTART_NODE, AT(units.reductions_max), 0, 4294967295.0, "0", NULL, "Reductions a second of one unit and those that it spawns; more make it wait. 0: no limit.")
    K("units.files", PATH, RESTART_NODE, AT(units.files), 0, 0, "\"\"", NULL, "Directory below which units may have files, relative to this file; empty: they have none.")
    K("units.net", ENDPOINTS, RESTART_NODE, AT(units.net), 0, 16, "[]", NULL, "What units may connect to by TCP, as \"127.0.0.1:8080\"; empty: nothing.")
    K("units.files_max", INT, RESTART_NODE, AT(units.files_max), 1, 32, "16", NULL, "Files that one unit has open.")
    K("units.count_max", INT, RESTART_NODE, AT(units.count_max), 1, 1048576, "1024", NULL, "Units on this node.")
    K("actors.count_max", INT, RESTART_NODE, AT(actors.count_max), 256, 16777216, "1_048_576", NULL, "Actors on each worker; they take memory as they come.")
    K("actors.stacks_max", INT, RESTART_NODE, AT(actors.stacks_max), 64, 4194304, "1_048_576", NULL, "Actors of each worker that may wait with a stack of their own: 64 KiB of addresses each.")
    K("actors.names_max", INT, RESTART_NODE, AT(actors.names_max), 64, 16777216, "16_384", NULL, "Registered names on this node.")
    K("actors.tables_max", INT, RESTART_NODE, AT(actors.tables_max), 16, 262144, "8_192", NULL, "Tables that actors of this node may have (weft/table.h).")
    K("actors.blocking_threads", INT, RESTART_NODE, AT(actors.blocking_threads), 1, 64, "4", NULL, "Threads for work that may block (weft_blocking, files without io_uring).")
    K("actors.stack_guard", ENUM, RESTART_NODE, AT(actors.stack_guard), 0, 0, "\"auto\"", "auto|checks", "What finds a stack that is too small: guard pages where the kernel has them for a million (6.13), or checks in the code.")
    K("ports.*.device", DEVICE, RESTART_NODE, PORT_AT(device), 0, 0, NULL, NULL, "af_packet:IFACE, af_xdp:IFACE, tap:IFACE, vhost:SOCKET, virtio_user:SOCKET, ring:NAME, pcap:FILE, pci:ADDRESS, mac:ADDRESS (of the image: the PCI card with it) or null.")
    K("ports.*.address", ADDRESS, RESTART_NODE, PORT_AT(address), 0, 0, "", NULL, "IPv4 address with its prefix, as \"10.42.0.1/24\".")
    K("ports.*.gateway", IP, RESTART_NODE, PORT_AT(gateway), 0, 0, "", NULL, "Where packets for other networks go.")
    K("ports.*.mac", MAC, RESTART_NODE, PORT_AT(mac), 0, 0, "", NULL, "Ethernet address, if not the device's own.")
    K("ports.*.mtu", INT, RESTART_NODE, PORT_AT(mtu), 576, 1970, "1500", NULL, "Longest IP packet; a packet is one buffer of 2 KiB.")
    K("ports.*.vlan", INT, RESTART_NODE, PORT_AT(vlan), 0, 4094, "0", NULL, "VLAN that the port is on; 0: untagged.")
    K("ports.*.promiscuous", BOOL, RESTART_NODE, PORT_AT(promiscuous), 0, 0, "false", NULL, "Whether frames for other MAC addresses are taken.")
    K("ports.*.kernel", STRING, RESTART_NODE, PORT_AT(kernel), 0, 15, "\"\"", NULL, "Name of a network interface by which the kernel shares this port, as \"weft0\": what is not for the port's own address goes there; empty: it does not.")
    K("ports.*.fault.seed", INT, RESTART_NODE, PORT_AT(fault.seed), 0, 4294967295.0, "0", NULL, "Seed of the faults: the same seed, the same faults.")
    K("ports.*.fault.loss", REAL, RESTART_NODE, PORT_AT(fault.loss), 0, 1, "0.0", NULL, "Probability that a packet is lost.")
    K("ports.*.fault.duplicate", REAL, RESTART_NODE, PORT_AT(fault.duplicate), 0, 1, "0.0", NULL, "Probability that a packet comes twice.")
    K("ports.*.fault.reorder", REAL, RESTART_NODE, PORT_AT(fault.reorder), 0, 1, "0.0", NULL, "Probability that a packet is overtaken.")
    K("ports.*.fault.corrupt", REAL, RESTART_NODE, PORT_AT(fault.corrupt), 0, 1, "0.0", NULL, "Probability that a packet is damaged.")
    K("ports.*.fault.delay", DURATION, RESTART_NODE, PORT_AT(fault.delay_ns), 0, 60 * SECOND, "\"0s\"", NULL, "Time that each packet is held.")
    K("ports.*.fault.jitter", DURATION, RESTART_NODE, PORT_AT(fault.jitter_ns), 0, 60 * SECOND, "\"0s\"", NULL, "Chance time on top of the delay, at most.")
    K("ports.*.fault.partition", IPS, RESTART_NODE, PORT_AT(fault.partition), 0, 16, "[]", NULL, "Addresses that this port neither hears nor reaches.")
    K("unit.*.name", STRING, RESTART_NODE, UNIT_AT(name), 1, 31, NULL, NULL, "Name of a unit that is loaded at start.")
    K("unit.*.file", PATH, RESTART_NODE, UNIT_AT(file), 0, 0, NULL, NULL, "Its source; relative to this file.")
    K("unit.*.recovery", ENUM, RESTART_NODE, UNIT_AT(recovery), 0, 0, "\"journal\"", "none|journal", "Whether its state outlives the node; what the journal has is newer than the file.")
    K("actor.*.name", STRING, RESTART_NODE, ACTOR_AT(name), 1, 31, NULL, NULL, "Name of a module's first actor, which is started with the node.")
    K("actor.*.file", PATH, RESTART_NODE, ACTOR_AT(file), 0, 0, NULL, NULL, "The module, a shared object; relative to this file.")
    K("actor.*.args", TEXTS, RESTART_NODE, ACTOR_AT(args), 0, 16, "[]", NULL, "What it is started with.")
#undef K
};
// clang-format on

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

const struct weft_schema_key *weft_schema_at(size_t index)
{
    return index < KEY_COUNT ? &keys[index] : NULL;
}

static bool path_matches(const char *pattern, const char *path)
{
    while (*pattern) {
        if (*pattern == '*') {
            const size_t length = strcspn(path, ".");
            if (length == 0) return false;
            path += length;
            pattern++;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

const struct weft_schema_key *weft_schema_find(const char *path)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (path_matches(keys[i].path, path)) return &keys[i];
    }
    return NULL;
}

const char *weft_schema_type_name(enum weft_schema_type type)
{
    static const char *const names[] = {"true or false",
                                        "an integer",
                                        "a number",
                                        "a string",
                                        "a path",
                                        "a device like \"af_packet:eth0\"",
                                        "one of",
                                        "a duration like \"5s\"",
                                        "a size like \"64MiB\"",
                                        "an address like \"10.42.0.1/24\"",
                                        "an IPv4 address like \"10.42.0.1\"",
                                        "a MAC address like \"02:00:00:00:00:01\"",
                                        "\"ADDRESS:PORT\" or \"\"",
                                        "a list of IPv4 addresses",
                                        "a list of \"ADDRESS:PORT\"",
                                        "a list of strings",
                                        "\"auto\", \"off\" or a list of CPUs"};
    return names[type];
}

const char *weft_schema_reload_name(enum weft_schema_reload reload)
{
    return reload == WEFT_RELOAD_LIVE ? "live" : "restart-node";
}

// `before`, the range and `after`; nothing for a key without a range.
static void print_range(const struct weft_schema_key *key, const char *before, const char *after,
                        FILE *out)
{
    char range[WEFT_VALUE_RANGE_BYTES];
    if (key->min == key->max) return;
    weft_value_range(key, range);
    fprintf(out, "%s%s%s", before, range, after);
}

int weft_schema_explain(const char *path, FILE *out)
{
    const struct weft_schema_key *key = weft_schema_find(path);
    if (!key) return -ENOENT;
    fprintf(out, "%s\n  %s\n  type     %s", key->path, key->meaning,
            weft_schema_type_name(key->type));
    if (key->choices) fprintf(out, " %s", key->choices);
    print_range(key, "\n  range    ", "", out);
    fprintf(out, "\n  default  %s\n  reload   %s\n",
            !key->fallback   ? "none: required"
            : *key->fallback ? key->fallback
                             : "not set",
            weft_schema_reload_name(key->reload));
    return 0;
}

void weft_schema_defaults(FILE *out)
{
    char table[64] = "";
    fprintf(out, "# Every key of Weft with its default. A file needs only what differs.\n");
    for (const struct weft_schema_key *key = keys; key < keys + KEY_COUNT; key++) {
        const char *leaf = strrchr(key->path, '.') + 1;
        const size_t length = (size_t)(leaf - key->path - 1);
        const bool user_named = strchr(key->path, '*') != NULL;
        if (strlen(table) != length || memcmp(table, key->path, length) != 0) {
            snprintf(table, sizeof(table), "%.*s", (int)length, key->path);
            if (strcmp(table, "ports.*") == 0)
                fprintf(out, "\n# [ports.p0]\n");
            else if (strcmp(table, "ports.*.fault") == 0)
                fprintf(out, "\n# [ports.p0.fault]\n");
            else if (strcmp(table, "unit.*") == 0)
                fprintf(out, "\n# [[unit]]\n");
            else if (strcmp(table, "actor.*") == 0)
                fprintf(out, "\n# [[actor]]\n");
            else
                fprintf(out, "\n[%s]\n", table);
        }
        fprintf(out, "# %s\n", key->meaning);
        if (key->choices) fprintf(out, "# One of %s.\n", key->choices);
        print_range(key, "# ", ".\n", out);
        fprintf(out, "%s%s = %s\n", user_named ? "# " : "", leaf,
                key->fallback && *key->fallback ? key->fallback : "\"\"");
    }
}

static void json_string(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') fputc('\\', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void json_type(const struct weft_schema_key *key, FILE *out)
{
    switch (key->type) {
    case WEFT_SCHEMA_BOOL: fputs("\"type\":\"boolean\"", out); return;
    case WEFT_SCHEMA_INT:
    case WEFT_SCHEMA_REAL:
        fprintf(out, "\"type\":\"%s\",\"minimum\":%.12g,\"maximum\":%.12g",
                key->type == WEFT_SCHEMA_INT ? "integer" : "number", key->min, key->max);
        return;
    case WEFT_SCHEMA_IPS:
    case WEFT_SCHEMA_ENDPOINTS:
    case WEFT_SCHEMA_TEXTS:
        fputs("\"type\":\"array\",\"items\":{\"type\":\"string\"}", out);
        return;
    case WEFT_SCHEMA_CPUS: fputs("\"type\":[\"string\",\"array\"]", out); return;
    case WEFT_SCHEMA_SIZE: fputs("\"type\":[\"string\",\"integer\"]", out); return;
    default: break;
    }
    fputs("\"type\":\"string\"", out);
    if (!key->choices) return;
    fputs(",\"enum\":[\"", out);
    for (const char *c = key->choices; *c; c++) {
        if (*c == '|')
            fputs("\",\"", out);
        else
            fputc(*c, out);
    }
    fputs("\"]", out);
}

// The keys right in the table `prefix` ("ports.*."), and no closing brace: a subtable may follow.
static void json_properties(const char *prefix, FILE *out)
{
    const char *comma = "";
    fputs("{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{", out);
    for (const struct weft_schema_key *key = keys; key < keys + KEY_COUNT; key++) {
        const size_t length = strlen(prefix);
        if (strncmp(key->path, prefix, length) != 0 || strchr(key->path + length, '.')) continue;
        fprintf(out, "%s\"%s\":{\"description\":", comma, key->path + length);
        json_string(key->meaning, out);
        fputc(',', out);
        json_type(key, out);
        fputc('}', out);
        comma = ",";
    }
}

void weft_schema_json(FILE *out)
{
    static const char *const tables[] = {"node", "cores",   "memory", "mesh",  "admin",
                                         "time", "journal", "units",  "actors"};
    fputs("{\"$schema\":\"http://json-schema.org/draft-04/schema#\",\"title\":\"weft.toml\","
          "\"type\":\"object\",\"additionalProperties\":false,\"properties\":{",
          out);
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        char prefix[32];
        snprintf(prefix, sizeof(prefix), "%s.", tables[i]);
        fprintf(out, "\"%s\":", tables[i]);
        json_properties(prefix, out);
        fputs("}},", out);
    }
    fputs("\"ports\":{\"type\":\"object\",\"additionalProperties\":", out);
    json_properties("ports.*.", out);
    fputs(",\"fault\":", out);
    json_properties("ports.*.fault.", out);
    fputs("}}},\"required\":[\"device\"]}},\"unit\":{\"type\":\"array\",\"items\":", out);
    json_properties("unit.*.", out);
    fputs("},\"required\":[\"name\",\"file\"]}},\"actor\":{\"type\":\"array\",\"items\":", out);
    json_properties("actor.*.", out);
    fputs("},\"required\":[\"name\",\"file\"]}}}}\n", out);
}

void weft_schema_man(FILE *out)
{
    fputs("# weft.toml(5)\n\nThe configuration of a Weft node, in TOML 1.0. Every key has a "
          "default but those "
          "marked required.\n\n",
          out);
    for (size_t i = 0; i < KEY_COUNT; i++) {
        const struct weft_schema_key *key = &keys[i];
        fprintf(out, "`%s`\n: %s Takes %s%s%s. Default: `%s`.", key->path, key->meaning,
                weft_schema_type_name(key->type), key->choices ? " " : "",
                key->choices ? key->choices : "",
                !key->fallback   ? "none, required"
                : *key->fallback ? key->fallback
                                 : "not set");
        print_range(key, " Range: ", ".", out);
        fprintf(out, " Reload: %s.\n\n", weft_schema_reload_name(key->reload));
    }
}
