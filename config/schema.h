// schema.h: every key of the configuration in one table; all that is said about keys comes from it.
#ifndef WEFT_CONFIG_SCHEMA_H
#define WEFT_CONFIG_SCHEMA_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum weft_schema_type {
    WEFT_SCHEMA_BOOL,      // bool
    WEFT_SCHEMA_INT,       // 32 bits
    WEFT_SCHEMA_REAL,      // double
    WEFT_SCHEMA_STRING,    // const char *
    WEFT_SCHEMA_PATH,      // const char *
    WEFT_SCHEMA_DEVICE,    // const char *
    WEFT_SCHEMA_ENUM,      // int: the place in `choices`
    WEFT_SCHEMA_DURATION,  // uint64_t nanoseconds
    WEFT_SCHEMA_SIZE,      // uint64_t bytes
    WEFT_SCHEMA_ADDRESS,   // struct weft_config_address
    WEFT_SCHEMA_IP,        // uint32_t
    WEFT_SCHEMA_MAC,       // struct weft_config_mac
    WEFT_SCHEMA_LISTEN,    // const char *: endpoint or ""
    WEFT_SCHEMA_IPS,       // struct weft_config_u32s
    WEFT_SCHEMA_ENDPOINTS, // struct weft_config_endpoints
    WEFT_SCHEMA_TEXTS,     // struct weft_config_texts
    WEFT_SCHEMA_CPUS,      // struct weft_config_cpus
};

enum weft_schema_reload { WEFT_RELOAD_LIVE, WEFT_RELOAD_RESTART_NODE };

struct weft_schema_key {
    const char *path; // "mesh.port", "ports.*.mtu", "unit.*.file": * is a name or an element.
    enum weft_schema_type type;
    enum weft_schema_reload reload;
    size_t offset;        // In struct weft_config, or in the port, unit or actor that * stands for.
    double min, max;      // Of an int, real, duration (ns) or size (bytes); no range if both are 0.
    const char *fallback; // The default as TOML; NULL: the key is required. "" : not set.
    const char *choices;  // "auto|off"; of an enum.
    const char *meaning;  // One line.
};

// The table in its order; NULL past its end.
const struct weft_schema_key *weft_schema_at(size_t index);
// By a path where any name may stand for *: "ports.p0.mtu". NULL if there is no such key.
const struct weft_schema_key *weft_schema_find(const char *path);
const char *weft_schema_type_name(enum weft_schema_type type);
const char *weft_schema_reload_name(enum weft_schema_reload reload);

// What `weft config explain KEY` says. Returns 0, or -ENOENT for a key that there is not.
int weft_schema_explain(const char *path, FILE *out);
void weft_schema_defaults(FILE *out); // The whole file, commented; it parses to the defaults.
void weft_schema_json(FILE *out);     // JSON schema, draft 4: what TOML editors understand.
void weft_schema_man(FILE *out);      // weft.toml(5), in Markdown.

#endif // WEFT_CONFIG_SCHEMA_H
