#include "config/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "config/report.h"
#include "config/value.h"

struct reading {
    struct weft_config *config;
    struct weft_config_report *report;
    const char *text;
    size_t length;
    const char *name; // Of the file, as messages call it.
    bool out_of_memory;
};

static struct weft_config_issue *complain(struct reading *r, uint16_t code,
                                          struct weft_toml_place at, uint32_t chars,
                                          const char *key, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

static struct weft_config_issue *complain(struct reading *r, uint16_t code,
                                          struct weft_toml_place at, uint32_t chars,
                                          const char *key, const char *format, ...)
{
    struct weft_config_issue *issue =
        weft_report_add(r->report, r->text, r->length, code, at, chars);
    if (!issue) return NULL;
    snprintf(issue->key, sizeof(issue->key), "%s", key);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(issue->text, sizeof(issue->text), format, arguments);
    va_end(arguments);
    return issue;
}

static size_t smallest(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t edit_distance(const char *a, const char *b) // Levenshtein 1965, one row at a time.
{
    size_t row[64];
    const size_t a_length = strlen(a), b_length = strlen(b);
    if (a_length >= 63 || b_length >= 63) return 64;
    for (size_t j = 0; j <= b_length; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            const size_t above = row[j];
            row[j] = smallest(smallest(above, row[j - 1]) + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[b_length];
}

static void unknown(struct reading *r, const struct weft_toml_node *node, const char *prefix,
                    const char *path)
{
    struct weft_config_issue *issue;
    if (strcmp(node->key, "address6") == 0) {
        complain(r, 101, node->key_at, node->key_chars, path, "IPv6 is not in this release");
        return;
    }
    issue = complain(r, 101, node->key_at, node->key_chars, path, "unknown key");
    if (!issue) return;
    const size_t length = strlen(prefix);
    size_t best = strlen(node->key) < 3 ? 2 : 3; // Only what is close.
    const struct weft_schema_key *key;
    for (size_t i = 0; (key = weft_schema_at(i)); i++) {
        if (strncmp(key->path, prefix, length) != 0) continue;
        char name[64];
        const char *from = key->path + length;
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(from, "."), from);
        const size_t distance = edit_distance(node->key, name);
        if (distance >= best) continue;
        best = distance;
        snprintf(issue->hint, sizeof(issue->hint), "did you mean `%s`?", name);
    }
}

static bool is_table_path(const char *path) // "mesh", "ports.*.fault"
{
    const struct weft_schema_key *key;
    const size_t length = strlen(path);
    for (size_t i = 0; (key = weft_schema_at(i)); i++) {
        if (strncmp(key->path, path, length) == 0 && key->path[length] == '.') return true;
    }
    return false;
}

// `prefix` is in the words of the table ("ports.*."), `shown` in those of the file ("ports.p0.").
static void read_table(struct reading *r, const struct weft_toml_node *table, const char *prefix,
                       const char *shown, void *base)
{
    for (const struct weft_toml_node *node = table->first; node; node = node->next) {
        char path[256], seen[256], why[200];
        if (node->broken) continue;
        snprintf(path, sizeof(path), "%s%.100s", prefix, node->key);
        snprintf(seen, sizeof(seen), "%s%.100s", shown, node->key);
        const struct weft_schema_key *key = weft_schema_find(path);
        if (key && strlen(node->key) == node->key_length && !strchr(node->key, '.')) {
            const int wrong = weft_value_read(key, node, base, r->config->pool, why);
            if (wrong > 0) complain(r, (uint16_t)wrong, node->at, node->chars, seen, "%s", why);
            if (wrong < 0) r->out_of_memory = true;
        } else if (is_table_path(path) && !strchr(path, '*') == !strchr(prefix, '*') &&
                   strlen(path) < 100) {
            if (node->type != WEFT_TOML_TABLE) {
                complain(r, 103, node->at, node->chars, seen, "expected a table");
                continue;
            }
            strcat(path, ".");
            strcat(seen, ".");
            read_table(r, node, path, seen, base);
        } else {
            unknown(r, node, prefix, seen);
        }
    }
}

static void set_defaults(struct reading *r, const char *prefix, void *base)
{
    const struct weft_schema_key *key;
    for (size_t i = 0; (key = weft_schema_at(i)); i++) {
        const bool belongs =
            *prefix ? strncmp(key->path, prefix, strlen(prefix)) == 0 : !strchr(key->path, '*');
        if (belongs && weft_value_default(key, base, r->config->pool) < 0) r->out_of_memory = true;
    }
}

static void require(struct reading *r, const struct weft_toml_node *table, const char *shown,
                    const char *name)
{
    char path[256];
    if (weft_toml_get(table, name)) return;
    snprintf(path, sizeof(path), "%s%s", shown, name);
    complain(r, 105, table->key_at, table->key_chars, path, "a required key is missing");
}

// Complains of one key of the last port read.
static void complain_port(struct reading *r, const struct weft_toml_node *node, const char *text,
                          const char *other)
{
    char path[256];
    snprintf(path, sizeof(path), "ports.%.60s.%.60s", node->parent->key, node->key);
    complain(r, 106, node->at, node->chars, path, text, other);
}

static void check_gateway(struct reading *r, const struct weft_toml_node *table)
{
    const struct weft_config_port *port = &r->config->ports[r->config->port_count - 1];
    const struct weft_toml_node *node = weft_toml_get(table, "gateway");
    const struct weft_config_address *a = &port->address;
    if (!node || !port->gateway) return;
    if (a->prefix == 0 || (port->gateway ^ a->ip) >> (32 - a->prefix) != 0)
        complain_port(r, node, "is not in the network of %s", "address");
}

// The last port read must not take what an earlier one has. `null` is nothing that could be taken.
static void check_twins(struct reading *r, const struct weft_toml_node *table)
{
    const struct weft_config_port *port = &r->config->ports[r->config->port_count - 1];
    const struct weft_toml_node *device = weft_toml_get(table, "device"),
                                *address = weft_toml_get(table, "address");
    for (const struct weft_config_port *other = r->config->ports; other < port; other++) {
        if (device && port->device && other->device && strcmp(port->device, "null") != 0 &&
            strcmp(port->device, other->device) == 0)
            complain_port(r, device, "port `%s` has this device", other->name);
        if (address && port->address.ip && port->address.ip == other->address.ip)
            complain_port(r, address, "port `%s` has this address", other->name);
    }
}

// The name of the kernel's side: one that the kernel takes, and nobody has to quote.
static void check_kernel(struct reading *r, const struct weft_toml_node *table)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const struct weft_config_port *port = &r->config->ports[r->config->port_count - 1];
    const struct weft_toml_node *node = weft_toml_get(table, "kernel");
    if (!node || !port->kernel || !*port->kernel) return;
    if (strspn(port->kernel, letters) != strlen(port->kernel) || strcmp(port->kernel, "lo") == 0)
        complain_port(r, node, "expected a name of letters, digits, _ and -, as `%s`", "weft0");
    for (const struct weft_config_port *other = r->config->ports; other < port; other++) {
        if (other->kernel && strcmp(port->kernel, other->kernel) == 0)
            complain_port(r, node, "port `%s` has this interface", other->name);
    }
}

static void read_ports(struct reading *r, const struct weft_toml_node *ports)
{
    if (ports->type != WEFT_TOML_TABLE || ports->count > WEFT_CONFIG_PORTS_MAX) {
        complain(r, 103, ports->at, ports->chars, "ports", "expected up to %d tables [ports.NAME]",
                 WEFT_CONFIG_PORTS_MAX);
        return;
    }
    r->config->ports = weft_config_pool_alloc(r->config->pool,
                                              (ports->count + 1) * sizeof(struct weft_config_port));
    for (const struct weft_toml_node *node = ports->first; node && r->config->ports;
         node = node->next) {
        char shown[128];
        snprintf(shown, sizeof(shown), "ports.%.60s.", node->key);
        if (node->type != WEFT_TOML_TABLE || node->key_length == 0 || node->key_length > 31 ||
            strspn(node->key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") !=
                node->key_length) {
            complain(r, 103, node->key_at, node->key_chars, "ports",
                     "expected [ports.NAME], NAME of up to 31 letters, digits, _ and -");
            continue;
        }
        struct weft_config_port *port = &r->config->ports[r->config->port_count++];
        port->name = weft_config_pool_copy(r->config->pool, node->key, node->key_length);
        set_defaults(r, "ports.*.", port);
        read_table(r, node, "ports.*.", shown, port);
        require(r, node, shown, "device");
        check_gateway(r, node);
        check_twins(r, node);
        check_kernel(r, node);
    }
}

// A path in a file is relative to the file, so that a config works from any working directory.
static const char *beside(struct reading *r, const char *path)
{
    const char *slash = strrchr(r->name, '/');
    if (!slash || !path || *path == '/' || *path == '\0') return path;
    const size_t directory = (size_t)(slash - r->name + 1), length = strlen(path);
    char *joined = weft_config_pool_alloc(r->config->pool, directory + length + 1);
    if (!joined) return r->out_of_memory = true, path;
    memcpy(joined, r->name, directory);
    memcpy(joined + directory, path, length + 1);
    return joined;
}

// [[unit]] and [[actor]]: each has a name of its own and a file.
struct element {
    const char *name, *file;
};
_Static_assert(offsetof(struct weft_config_unit, file) == offsetof(struct element, file) &&
                   offsetof(struct weft_config_actor, file) == offsetof(struct element, file),
               "they begin alike");

struct elements {
    const char *table; // "unit".
    size_t limit, bytes;
    void **items;
    size_t *count;
};

static void read_element(struct reading *r, const struct elements *list,
                         const struct weft_toml_node *node)
{
    char prefix[16], shown[16];
    char *items = *list->items;
    struct element *element = (struct element *)(void *)(items + *list->count * list->bytes);
    snprintf(prefix, sizeof(prefix), "%s.*.", list->table);
    snprintf(shown, sizeof(shown), "%s.", list->table);
    set_defaults(r, prefix, element);
    read_table(r, node, prefix, shown, element);
    require(r, node, shown, "name");
    require(r, node, shown, "file");
    for (size_t i = 0; element->name && i < *list->count; i++) {
        const struct element *other = (struct element *)(void *)(items + i * list->bytes);
        if (!other->name || strcmp(other->name, element->name) != 0) continue;
        snprintf(shown, sizeof(shown), "%s.name", list->table);
        complain(r, 106, node->at, node->chars, shown, "two %ss are named `%s`", list->table,
                 element->name);
    }
    element->file = beside(r, element->file);
    ++*list->count;
}

static void read_elements(struct reading *r, const struct elements *list,
                          const struct weft_toml_node *nodes)
{
    if (nodes->type != WEFT_TOML_ARRAY || nodes->count > list->limit) {
        complain(r, 103, nodes->at, nodes->chars, list->table, "expected up to %zu tables [[%s]]",
                 list->limit, list->table);
        return;
    }
    *list->items = weft_config_pool_alloc(r->config->pool, (nodes->count + 1) * list->bytes);
    for (const struct weft_toml_node *node = nodes->first; node && *list->items;
         node = node->next) {
        if (node->type == WEFT_TOML_TABLE)
            read_element(r, list, node);
        else
            complain(r, 103, node->at, node->chars, list->table, "expected a table");
    }
}

static void read_units(struct reading *r, const struct weft_toml_node *nodes)
{
    void *items = NULL;
    const struct elements list = {"unit", WEFT_CONFIG_UNITS_MAX, sizeof(struct weft_config_unit),
                                  &items, &r->config->unit_count};
    read_elements(r, &list, nodes);
    r->config->unit = items;
}

static void read_actors(struct reading *r, const struct weft_toml_node *nodes)
{
    void *items = NULL;
    const struct elements list = {"actor", WEFT_CONFIG_ACTORS_MAX, sizeof(struct weft_config_actor),
                                  &items, &r->config->actor_count};
    read_elements(r, &list, nodes);
    r->config->actor = items;
}

// Where a person looks for it: at the key, or at the table where the key is not written.
static const struct weft_toml_node *named(const struct weft_toml_node *root, const char *table,
                                          const char *key)
{
    const struct weft_toml_node *in = weft_toml_get(root, table);
    const struct weft_toml_node *node = in ? weft_toml_get(in, key) : NULL;
    return node ? node : in;
}

// Of the image's own network card.
static void check_admin(struct reading *r, const struct weft_toml_node *root)
{
    struct weft_config *c = r->config;
    struct weft_config_address *own = &c->admin.static_address;
    const struct weft_toml_node *at = named(root, "admin", "address");
    const bool is_word =
        strcmp(c->admin.address, "dhcp") == 0 || strcmp(c->admin.address, "off") == 0;
    if (!is_word && !weft_value_address(c->admin.address, own))
        complain(r, 104, at->at, at->chars, "admin.address",
                 "expected \"dhcp\", \"off\" or an address like \"192.0.2.7/24\"");
    // On one card or on two: each answers for its own address, and two answers are none.
    for (size_t i = 0; own->ip != 0 && i < c->port_count; i++) {
        if (c->ports[i].address.ip == own->ip)
            complain(r, 106, at->at, at->chars, "admin.address", "port `%s` has this address",
                     c->ports[i].name);
    }
    if (own->ip == 0 || c->admin.gateway == 0 || !(at = named(root, "admin", "gateway"))) return;
    if ((c->admin.gateway ^ own->ip) >> (32 - own->prefix) != 0 && own->prefix < 32)
        complain(r, 106, at->at, at->chars, "admin.gateway", "is not in the network of address");
}

static void check_whole(struct reading *r, const struct weft_toml_node *root)
{
    struct weft_config *c = r->config;
    const struct weft_toml_node *at;
    // Three heartbeats may be lost on the way without anybody being suspected (runtime/mesh).
    if (c->mesh.timeout_ns < 4 * c->mesh.heartbeat_ns && (at = named(root, "mesh", "timeout")))
        complain(r, 106, at->at, at->chars, "mesh.timeout",
                 "must be at least four times mesh.heartbeat");
    if (c->journal.segment_bytes % 4096 && (at = named(root, "journal", "segment_bytes")))
        complain(r, 104, at->at, at->chars, "journal.segment_bytes", "must be a multiple of 4096");
    if (c->cores.pin.mode == WEFT_CONFIG_PIN_LIST && c->cores.pin.count != c->cores.workers &&
        c->cores.pin.count != c->cores.workers + 1 && (at = named(root, "cores", "pin")))
        complain(r, 106, at->at, at->chars, "cores.pin", "lists %zu CPUs for %u workers",
                 c->cores.pin.count, c->cores.workers);
    if (*c->admin.listen) weft_value_endpoint(c->admin.listen, &c->admin.listen_endpoint);
    check_admin(r, root);
    c->mesh.key_file = beside(r, c->mesh.key_file);
    c->units.files = beside(r, c->units.files);
    c->admin.owner_token = beside(r, c->admin.owner_token);
    c->admin.owner_key = beside(r, c->admin.owner_key);
    if (*c->admin.socket) return;
    const size_t size = strlen(c->node.run_dir) + sizeof("/admin.sock");
    if (size > sizeof(((struct sockaddr_un *)0)->sun_path)) {
        at = named(root, "node", "run_dir");
        complain(r, 104, at ? at->at : (struct weft_toml_place){0, 0}, at ? at->chars : 1,
                 "node.run_dir", "too long for the socket in it: at most %zu characters",
                 sizeof(((struct sockaddr_un *)0)->sun_path) - sizeof("/admin.sock"));
    }
    char *path = weft_config_pool_alloc(c->pool, size);
    if (path)
        snprintf(path, size, "%s/admin.sock", c->node.run_dir);
    else
        r->out_of_memory = true;
    c->admin.socket = path;
}

int weft_config_parse(struct weft_config *config, const char *text, size_t length, const char *name,
                      struct weft_config_report *report)
{
    struct reading r = {config, report, text, length, name, false};
    struct weft_toml toml;
    *config = (struct weft_config){.pool = weft_config_pool_create()};
    *report = (struct weft_config_report){0};
    snprintf(report->file, sizeof(report->file), "%s", name);
    if (!config->pool) return -ENOMEM;
    set_defaults(&r, "", config);
    if (r.out_of_memory || weft_toml_parse(&toml, config->pool, text, length) == -ENOMEM)
        goto no_memory;
    for (size_t i = 0; i < toml.error_count; i++) {
        complain(&r, 102, toml.errors[i].at, 1, "", "%s", toml.errors[i].text);
    }
    for (struct weft_toml_node *node = toml.root->first; node; node = node->next) {
        struct weft_toml_node alone = *node, holder = {.first = &alone};
        alone.next = NULL;
        if (strcmp(node->key, "ports") == 0)
            read_ports(&r, node);
        else if (strcmp(node->key, "unit") == 0)
            read_units(&r, node);
        else if (strcmp(node->key, "actor") == 0)
            read_actors(&r, node);
        else
            read_table(&r, &holder, "", "", config);
    }
    if (!r.out_of_memory) check_whole(&r, toml.root);
    weft_report_sort(report);
    if (r.out_of_memory) goto no_memory;
    if (report->error_count == 0) return 0;
    weft_config_free(config);
    return -EINVAL;

no_memory:
    weft_config_free(config);
    return -ENOMEM;
}

int weft_config_load(struct weft_config *config, const char *path,
                     struct weft_config_report *report)
{
    FILE *file = fopen(path, "re");
    char *text = malloc(WEFT_TOML_BYTES_MAX + 1);
    int result = file && text ? 0 : file ? -ENOMEM : -errno;
    size_t length = 0;
    if (!result) length = fread(text, 1, WEFT_TOML_BYTES_MAX + 1, file);
    if (!result && ferror(file)) result = -EIO;
    if (file) fclose(file);
    if (!result) {
        result = weft_config_parse(config, text, length, path, report);
    } else {
        struct reading r = {config, report, "", 0, path, false};
        *config = (struct weft_config){0};
        *report = (struct weft_config_report){0};
        snprintf(report->file, sizeof(report->file), "%s", path);
        complain(&r, 107, (struct weft_toml_place){0, 0}, 1, "", "%s", strerror(-result));
    }
    free(text);
    return result;
}

int weft_config_defaults(struct weft_config *config)
{
    struct weft_config_report report;
    const int result = weft_config_parse(config, "", 0, "defaults", &report);
    weft_config_report_free(&report);
    return result;
}

void weft_config_free(struct weft_config *config)
{
    weft_config_pool_free(config->pool);
    *config = (struct weft_config){0};
}
