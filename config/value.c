#include "config/value.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

#define WHY 200

static bool read_ip(const char *text, uint32_t *ip)
{
    struct in_addr address;
    if (inet_pton(AF_INET, text, &address) != 1) return false;
    *ip = ntohl(address.s_addr);
    return true;
}

static bool read_u32(const char *text, uint32_t max, uint32_t *value)
{
    uint64_t sum = 0;
    size_t i = 0;
    for (; isdigit((unsigned char)text[i]) && i < 10; i++) {
        sum = sum * 10 + (uint64_t)(text[i] - '0');
    }
    if (i == 0 || text[i] != '\0' || sum > max) return false;
    *value = (uint32_t)sum;
    return true;
}

static bool read_split(const char *text, char mark, uint32_t max, uint32_t *ip, uint32_t *number)
{
    char host[16];
    const char *at = strchr(text, mark);
    if (!at || (size_t)(at - text) >= sizeof(host)) return false;
    memcpy(host, text, (size_t)(at - text));
    host[at - text] = '\0';
    return read_ip(host, ip) && read_u32(at + 1, max, number);
}

bool weft_value_endpoint(const char *text, struct weft_config_endpoint *endpoint)
{
    return read_split(text, ':', 65535, &endpoint->ip, &endpoint->port) && endpoint->port > 0;
}

bool weft_value_address(const char *text, struct weft_config_address *address)
{
    return read_split(text, '/', 32, &address->ip, &address->prefix) && address->prefix > 0;
}

struct unit {
    const char *name;
    double factor;
};
static const struct unit durations[] = {{"h", 3.6e12}, {"m", 6e10}, {"s", 1e9}, {"ms", 1e6},
                                        {"us", 1e3},   {"ns", 1},   {NULL, 0}};
static const struct unit sizes[] = {
    {"GiB", 1073741824.0}, {"MiB", 1048576.0}, {"KiB", 1024}, {"GB", 1e9},
    {"MB", 1e6},           {"kB", 1e3},        {"B", 1},      {NULL, 0}};

static bool read_united(const char *text, const struct unit *units, double *value)
{
    size_t digits = 0;
    while (isdigit((unsigned char)text[digits]) || text[digits] == '.') {
        digits++;
    }
    if (digits == 0 || digits > 15 || text[0] == '.') return false;
    char *end;
    const double number = strtod(text, &end);
    if (end != text + digits) return false;
    for (; units->name; units++) {
        if (strcmp(end, units->name) != 0) continue;
        *value = number * units->factor;
        return true;
    }
    return false;
}

static bool read_mac(const char *text, struct weft_config_mac *mac)
{
    if (strlen(text) != 17) return false;
    for (size_t i = 0; i < 17; i++) {
        if (i % 3 == 2 ? text[i] != ':' : !isxdigit((unsigned char)text[i])) return false;
    }
    for (size_t i = 0; i < 6; i++) {
        mac->bytes[i] = (uint8_t)strtoul(text + 3 * i, NULL, 16);
    }
    mac->is_set = true;
    return (mac->bytes[0] & 1) == 0; // A multicast address is nobody's own.
}

static bool device_is_known(const char *text)
{
    static const char *const kinds[] = {
        "af_packet:", "af_xdp:", "tap:", "vhost:", "virtio_user:", "ring:", "pcap:", "pci:"};
    struct weft_config_mac mac;
    if (strcmp(text, "null") == 0) return true;
    if (strncmp(text, "mac:", 4) == 0) return read_mac(text + 4, &mac);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const size_t length = strlen(kinds[i]);
        if (strncmp(text, kinds[i], length) == 0) return text[length] != '\0';
    }
    return false;
}

static int choice_of(const char *choices, const char *text)
{
    for (int i = 0;; i++) {
        const size_t length = strcspn(choices, "|");
        if (strlen(text) == length && memcmp(choices, text, length) == 0) return i;
        if (choices[length] == '\0') return -1;
        choices += length + 1;
    }
}

static int wrong_type(const struct weft_schema_key *key, char *why)
{
    snprintf(why, WHY, "expected %s%s%s", weft_schema_type_name(key->type), key->choices ? " " : "",
             key->choices ? key->choices : "");
    return 103;
}

static int malformed(const struct weft_schema_key *key, char *why)
{
    wrong_type(key, why);
    return 104;
}

static const struct unit *units_of(enum weft_schema_type type)
{
    return type == WEFT_SCHEMA_DURATION ? durations : type == WEFT_SCHEMA_SIZE ? sizes : NULL;
}

// The largest unit of which `value` is a whole number; 0 is in seconds or bytes.
static const struct unit *whole_unit(double value, const struct unit *units)
{
    if (value == 0 && units == durations) return units + 2;
    for (; units[1].name; units++) {
        if (value > 0 && fmod(value, units->factor) == 0) break;
    }
    return units;
}

static int bound_text(const struct weft_schema_key *key, double bound, char *to, size_t size)
{
    const struct unit *unit = units_of(key->type);
    if (!unit) return snprintf(to, size, "%.12g", bound);
    unit = whole_unit(bound, unit);
    return snprintf(to, size, "\"%.0f%s\"", bound / unit->factor, unit->name);
}

void weft_value_range(const struct weft_schema_key *key, char text[WEFT_VALUE_RANGE_BYTES])
{
    char low[32], high[32];
    const bool is_text = key->type == WEFT_SCHEMA_STRING || key->type == WEFT_SCHEMA_PATH;
    const bool is_list = key->type == WEFT_SCHEMA_IPS || key->type == WEFT_SCHEMA_ENDPOINTS ||
                         key->type == WEFT_SCHEMA_TEXTS;
    bound_text(key, key->min, low, sizeof(low));
    bound_text(key, key->max, high, sizeof(high));
    snprintf(text, WEFT_VALUE_RANGE_BYTES, "%s to %s%s", low, high,
             is_text   ? " characters"
             : is_list ? " elements"
                       : "");
}

static int check_range(const struct weft_schema_key *key, double value, char *why)
{
    char range[WEFT_VALUE_RANGE_BYTES];
    if (key->min == key->max || (value >= key->min && value <= key->max)) return 0;
    weft_value_range(key, range);
    snprintf(why, WHY, "must be %s", range);
    return 104;
}

static int read_list(const struct weft_schema_key *key, const struct weft_toml_node *node, void *to,
                     struct weft_config_pool *pool, char *why)
{
    const bool ends = key->type == WEFT_SCHEMA_ENDPOINTS, cpus = key->type == WEFT_SCHEMA_CPUS;
    const size_t limit = cpus ? 62 : (size_t)key->max;
    if (node->type != WEFT_TOML_ARRAY) return wrong_type(key, why);
    if (node->count > limit || (cpus && node->count == 0)) {
        snprintf(why, WHY, "must have %d to %zu elements", cpus, limit);
        return 104;
    }
    void *items =
        weft_config_pool_alloc(pool, (node->count + 1) * sizeof(struct weft_config_endpoint));
    if (!items) return -ENOMEM;
    size_t i = 0;
    for (const struct weft_toml_node *item = node->first; item; item = item->next, i++) {
        if (item->type != (cpus ? WEFT_TOML_INT : WEFT_TOML_STRING)) return wrong_type(key, why);
        if (cpus && (item->integer < 0 || item->integer > 4095)) return malformed(key, why);
        if (cpus)
            ((uint32_t *)items)[i] = (uint32_t)item->integer;
        else if (!(ends ? weft_value_endpoint(item->text, (struct weft_config_endpoint *)items + i)
                        : read_ip(item->text, (uint32_t *)items + i)))
            return malformed(key, why);
    }
    if (cpus)
        *(struct weft_config_cpus *)to = (struct weft_config_cpus){WEFT_CONFIG_PIN_LIST, items, i};
    else if (ends)
        *(struct weft_config_endpoints *)to = (struct weft_config_endpoints){items, i};
    else
        *(struct weft_config_u32s *)to = (struct weft_config_u32s){items, i};
    return 0;
}

static int read_texts(const struct weft_schema_key *key, const struct weft_toml_node *node,
                      struct weft_config_texts *to, struct weft_config_pool *pool, char *why)
{
    if (node->type != WEFT_TOML_ARRAY) return wrong_type(key, why);
    const int wrong = check_range(key, (double)node->count, why);
    if (wrong) return wrong;
    const char **items = weft_config_pool_alloc(pool, (node->count + 1) * sizeof(*items));
    size_t count = 0;
    if (!items) return -ENOMEM;
    for (const struct weft_toml_node *item = node->first; item; item = item->next) {
        if (item->type != WEFT_TOML_STRING) return wrong_type(key, why);
        if (strlen(item->text) != item->text_length)
            return snprintf(why, WHY, "must not hold a zero byte"), 104;
        items[count] = weft_config_pool_copy(pool, item->text, item->text_length);
        if (!items[count++]) return -ENOMEM;
    }
    *to = (struct weft_config_texts){items, count};
    return 0;
}

static int read_number(const struct weft_schema_key *key, const struct weft_toml_node *node,
                       void *to, char *why)
{
    const bool is_int = node->type == WEFT_TOML_INT;
    if (!is_int && (key->type == WEFT_SCHEMA_INT || node->type != WEFT_TOML_FLOAT))
        return wrong_type(key, why);
    const double value = is_int ? (double)node->integer : node->real;
    if (isnan(value)) return malformed(key, why);
    const int wrong = check_range(key, value, why);
    if (wrong) return wrong;
    if (key->type == WEFT_SCHEMA_INT)
        *(uint32_t *)to = (uint32_t)node->integer;
    else
        *(double *)to = value;
    return 0;
}

static int read_united_value(const struct weft_schema_key *key, const struct weft_toml_node *node,
                             void *to, char *why)
{
    const bool is_size = key->type == WEFT_SCHEMA_SIZE;
    double value = (double)node->integer;
    if (node->type == WEFT_TOML_STRING) {
        if (!read_united(node->text, is_size ? sizes : durations, &value))
            return malformed(key, why);
    } else if (!is_size || node->type != WEFT_TOML_INT) {
        return wrong_type(key, why);
    }
    const int wrong = check_range(key, value, why);
    if (!wrong) *(uint64_t *)to = (uint64_t)(value + 0.5);
    return wrong;
}

static int read_text(const struct weft_schema_key *key, const char *text, size_t length, void *to,
                     struct weft_config_pool *pool, char *why)
{
    struct weft_config_endpoint endpoint;
    bool good = true;
    if (strlen(text) != length) return snprintf(why, WHY, "must not hold a zero byte"), 104;
    switch (key->type) {
    case WEFT_SCHEMA_ADDRESS: good = weft_value_address(text, to); break;
    case WEFT_SCHEMA_IP:
        *(uint32_t *)to = 0; // Empty: not set.
        good = !*text || read_ip(text, to);
        break;
    case WEFT_SCHEMA_MAC: good = read_mac(text, to); break;
    case WEFT_SCHEMA_ENUM:
        *(int *)to = choice_of(key->choices, text);
        if (*(int *)to < 0) return *(int *)to = 0, malformed(key, why);
        break;
    default:
        if (key->type == WEFT_SCHEMA_DEVICE) good = device_is_known(text);
        if (key->type == WEFT_SCHEMA_LISTEN) good = !*text || weft_value_endpoint(text, &endpoint);
        if (!good) return malformed(key, why);
        const int wrong = check_range(key, (double)length, why);
        if (wrong) return wrong;
        *(const char **)to = weft_config_pool_copy(pool, text, length);
        return *(const char **)to ? 0 : -ENOMEM;
    }
    return good ? 0 : malformed(key, why);
}

int weft_value_read(const struct weft_schema_key *key, const struct weft_toml_node *node,
                    void *base, struct weft_config_pool *pool, char why[200])
{
    void *to = (char *)base + key->offset;
    const bool is_string = node->type == WEFT_TOML_STRING;
    switch (key->type) {
    case WEFT_SCHEMA_BOOL:
        if (node->type != WEFT_TOML_BOOL) return wrong_type(key, why);
        *(bool *)to = node->integer != 0;
        return 0;
    case WEFT_SCHEMA_INT:
    case WEFT_SCHEMA_REAL: return read_number(key, node, to, why);
    case WEFT_SCHEMA_DURATION:
    case WEFT_SCHEMA_SIZE: return read_united_value(key, node, to, why);
    case WEFT_SCHEMA_CPUS:
        if (!is_string) return read_list(key, node, to, pool, why);
        const int mode = choice_of("auto|off", node->text);
        if (mode < 0) return malformed(key, why);
        *(struct weft_config_cpus *)to =
            (struct weft_config_cpus){.mode = (enum weft_config_pin)mode};
        return 0;
    case WEFT_SCHEMA_IPS:
    case WEFT_SCHEMA_ENDPOINTS: return read_list(key, node, to, pool, why);
    case WEFT_SCHEMA_TEXTS: return read_texts(key, node, to, pool, why);
    default: break;
    }
    if (!is_string) return wrong_type(key, why);
    const bool may_be_empty = key->fallback && strcmp(key->fallback, "\"\"") == 0;
    if (may_be_empty && node->text_length == 0) return *(const char **)to = "", 0;
    if (key->type == WEFT_SCHEMA_PATH && node->text_length == 0)
        return snprintf(why, WHY, "must not be empty"), 104;
    return read_text(key, node->text, node->text_length, to, pool, why);
}

int weft_value_default(const struct weft_schema_key *key, void *base, struct weft_config_pool *pool)
{
    char text[128], why[WHY];
    struct weft_toml toml;
    if (!key->fallback || !*key->fallback) return 0;
    const int length = snprintf(text, sizeof(text), "v = %s", key->fallback);
    if (weft_toml_parse(&toml, pool, text, (size_t)length) < 0) return -ENOMEM;
    return weft_value_read(key, toml.root->first, base, pool, why) ? -ENOMEM : 0;
}

static void print_string(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            fprintf(out, "\\u%04X", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static void print_ip(uint32_t ip, FILE *out)
{
    fprintf(out, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
}

static void print_united(uint64_t value, const struct unit *units, FILE *out)
{
    const struct unit *unit = whole_unit((double)value, units);
    fprintf(out, "\"%.0f%s\"", (double)value / unit->factor, unit->name);
}

bool weft_value_print(const struct weft_schema_key *key, const void *base, FILE *out)
{
    const void *at = (const char *)base + key->offset;
    switch (key->type) {
    case WEFT_SCHEMA_BOOL: fputs(*(const bool *)at ? "true" : "false", out); break;
    case WEFT_SCHEMA_INT:
        if (key->min < 0)
            fprintf(out, "%d", *(const int32_t *)at);
        else
            fprintf(out, "%u", *(const uint32_t *)at);
        break;
    case WEFT_SCHEMA_REAL: {
        char text[40];
        snprintf(text, sizeof(text), "%.17g", *(const double *)at);
        for (int digits = 1; digits < 17; digits++) {
            snprintf(text, sizeof(text), "%.*g", digits, *(const double *)at);
            if (strtod(text, NULL) == *(const double *)at) break;
        }
        fprintf(out, "%s%s", text, strpbrk(text, ".e") ? "" : ".0");
        break;
    }
    case WEFT_SCHEMA_ENUM: {
        const char *choice = key->choices;
        for (int i = 0; i < *(const int *)at; i++) {
            choice += strcspn(choice, "|") + 1;
        }
        fprintf(out, "\"%.*s\"", (int)strcspn(choice, "|"), choice);
        break;
    }
    case WEFT_SCHEMA_DURATION: print_united(*(const uint64_t *)at, durations, out); break;
    case WEFT_SCHEMA_SIZE: print_united(*(const uint64_t *)at, sizes, out); break;
    case WEFT_SCHEMA_ADDRESS: {
        const struct weft_config_address *address = at;
        if (address->prefix == 0) return false;
        fputc('"', out);
        print_ip(address->ip, out);
        fprintf(out, "/%u\"", address->prefix);
        break;
    }
    case WEFT_SCHEMA_IP:
        if (*(const uint32_t *)at == 0) return false;
        fputc('"', out);
        print_ip(*(const uint32_t *)at, out);
        fputc('"', out);
        break;
    case WEFT_SCHEMA_MAC: {
        const struct weft_config_mac *mac = at;
        if (!mac->is_set) return false;
        const uint8_t *b = mac->bytes;
        fprintf(out, "\"%02x:%02x:%02x:%02x:%02x:%02x\"", b[0], b[1], b[2], b[3], b[4], b[5]);
        break;
    }
    case WEFT_SCHEMA_IPS:
    case WEFT_SCHEMA_ENDPOINTS: {
        const struct weft_config_endpoints *list = at; // Both lists have the same shape.
        fputc('[', out);
        for (size_t i = 0; i < list->count; i++) {
            const bool ends = key->type == WEFT_SCHEMA_ENDPOINTS;
            fputs(i ? ", \"" : "\"", out);
            print_ip(ends ? list->items[i].ip : ((const struct weft_config_u32s *)at)->items[i],
                     out);
            if (ends) fprintf(out, ":%u", list->items[i].port);
            fputc('"', out);
        }
        fputc(']', out);
        break;
    }
    case WEFT_SCHEMA_TEXTS: {
        const struct weft_config_texts *texts = at;
        fputc('[', out);
        for (size_t i = 0; i < texts->count; i++) {
            if (i) fputs(", ", out);
            print_string(texts->items[i], out);
        }
        fputc(']', out);
        break;
    }
    case WEFT_SCHEMA_CPUS: {
        const struct weft_config_cpus *cpus = at;
        if (cpus->mode != WEFT_CONFIG_PIN_LIST) {
            fputs(cpus->mode == WEFT_CONFIG_PIN_AUTO ? "\"auto\"" : "\"off\"", out);
            break;
        }
        for (size_t i = 0; i < cpus->count; i++) {
            fprintf(out, "%s%u", i ? ", " : "[", cpus->items[i]);
        }
        fputc(']', out);
        break;
    }
    default:
        if (!*(const char *const *)at) return false;
        print_string(*(const char *const *)at, out);
    }
    return true;
}
