// config.h: one TOML file becomes one checked struct; everything wrong with it is said at once.
//
// The keys, their types, ranges and defaults are one table (schema.c); this struct is its image in
// C. Nothing here opens what a value names: whether a device exists is for the module that uses it.
//
// Memory: strings and lists live in the config's own pool until weft_config_free.
// Core:   any one thread; nothing here is shared, locked or cached.
#ifndef WEFT_CONFIG_CONFIG_H
#define WEFT_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define WEFT_CONFIG_PORTS_MAX  16
#define WEFT_CONFIG_UNITS_MAX  256
#define WEFT_CONFIG_ACTORS_MAX 64
#define WEFT_CONFIG_ARGS_MAX   16  // Of one actor.
#define WEFT_CONFIG_ERRORS_MAX 128 // More are counted, not kept.

enum weft_config_level { WEFT_CONFIG_ERROR, WEFT_CONFIG_WARN, WEFT_CONFIG_INFO, WEFT_CONFIG_DEBUG };
enum weft_config_pin { WEFT_CONFIG_PIN_AUTO, WEFT_CONFIG_PIN_OFF, WEFT_CONFIG_PIN_LIST };
enum weft_config_idle { WEFT_CONFIG_IDLE_LATENCY, WEFT_CONFIG_IDLE_BALANCED, WEFT_CONFIG_IDLE_ECO };
enum weft_config_huge { WEFT_CONFIG_HUGE_AUTO, WEFT_CONFIG_HUGE_OFF, WEFT_CONFIG_HUGE_REQUIRE };
enum weft_config_io { WEFT_CONFIG_IO_AUTO, WEFT_CONFIG_IO_URING, WEFT_CONFIG_IO_EPOLL };
enum weft_config_guard { WEFT_CONFIG_GUARD_AUTO, WEFT_CONFIG_GUARD_CHECKS };
enum weft_config_recovery { WEFT_CONFIG_RECOVERY_NONE, WEFT_CONFIG_RECOVERY_JOURNAL };

// IPv4 addresses and ports are in host order everywhere: 10.42.0.1 is 0x0a2a0001. 0 means not set.
struct weft_config_address {
    uint32_t ip;
    uint32_t prefix; // 0..32.
};
struct weft_config_endpoint {
    uint32_t ip;
    uint32_t port;
};
struct weft_config_mac {
    uint8_t bytes[6];
    bool is_set;
};

struct weft_config_u32s {
    uint32_t *items;
    size_t count;
};
struct weft_config_endpoints {
    struct weft_config_endpoint *items;
    size_t count;
};
struct weft_config_cpus {
    enum weft_config_pin mode;
    uint32_t *items; // Of mode LIST.
    size_t count;
};

struct weft_config_texts {
    const char **items;
    size_t count;
};

struct weft_config_fault {
    uint32_t seed;
    double loss, duplicate, reorder, corrupt; // Probabilities, 0..1.
    uint64_t delay_ns, jitter_ns;
    struct weft_config_u32s partition; // IPv4 addresses that this port neither hears nor reaches.
};

struct weft_config_port {
    const char *name;   // NAME of [ports.NAME].
    const char *device; // "af_packet:eth0", whole; its kind has been checked.
    struct weft_config_address address;
    uint32_t gateway;
    struct weft_config_mac mac;
    uint32_t mtu;
    uint32_t vlan; // 0: untagged.
    bool promiscuous;
    const char *kernel; // Name of the kernel's interface that shares the port; "": none does.
    struct weft_config_fault fault; // All zero: no fault layer.
};

struct weft_config_unit {
    const char *name;
    const char
        *file; // Absolute, or relative to the working directory: the config's own is applied.
    enum weft_config_recovery recovery;
};

struct weft_config_actor { // A module that is loaded at start.
    const char *name;
    const char *file; // As of a unit.
    struct weft_config_texts args;
};

struct weft_config {
    struct {
        const char *name, *data_dir, *run_dir;
        enum weft_config_level log_level;
    } node;
    struct {
        uint32_t workers;
        struct weft_config_cpus pin;
        enum weft_config_idle idle;
    } cores;
    struct {
        enum weft_config_huge huge_pages;
        uint64_t arena_per_core; // Bytes.
        uint32_t mbufs;          // Per core.
    } memory;
    struct {
        uint32_t port;
        const char *key_file; // "": the mesh is off.
        uint32_t epoch;
        struct weft_config_endpoints seeds;
        uint32_t gossip_k;
        uint64_t heartbeat_ns, timeout_ns;
        uint32_t peers_max;
        bool discovery;
    } mesh;
    struct {
        const char *listen;                          // "A.B.C.D:PORT" as written; "": off.
        struct weft_config_endpoint listen_endpoint; // The same, parsed.
        const char *socket;      // Never empty after a load: run_dir/admin.sock.
        int32_t listen_fd;       // -1: none handed in.
        const char *owner_token; // With neither this nor a key ("") the port stays on
        const char *owner_key;   // loopback, without TLS.
        // Of the image, and read by its init (image/init): the kernel's own network card.
        const char *interface;                     // "": the first that no port has.
        const char *address;                       // "dhcp", "off" or as written.
        struct weft_config_address static_address; // The same, parsed; ip is 0 for the words.
        uint32_t gateway;
    } admin;
    struct {
        struct weft_config_endpoints servers;
        bool serve;
    } time;
    struct {
        bool enabled;
        uint64_t segment_bytes;
        enum weft_config_io io;
    } journal;
    struct {
        uint64_t memory_max; // Bytes.
        uint32_t eval_reductions;
        uint64_t eval_timeout_ns;
        uint64_t journal_interval_ns;
        uint32_t mailbox;
        uint32_t spawned_max;
        uint32_t channels_max;
        uint32_t stack_max;
        uint32_t reductions_max; // Per second; 0: no limit.
        const char *files;       // "": none.
        struct weft_config_endpoints net;
        uint32_t files_max;
        uint32_t count_max;
    } units;
    struct {
        uint32_t count_max, stacks_max; // Of each worker.
        uint32_t names_max;
        uint32_t tables_max;
        uint32_t blocking_threads;
        enum weft_config_guard stack_guard;
    } actors;
    struct weft_config_port *ports; // In the order of the file.
    size_t port_count;
    struct weft_config_unit *unit;
    size_t unit_count;
    struct weft_config_actor *actor;
    size_t actor_count;

    struct weft_config_pool *pool; // Owns all of the above. Private.
};

// One thing that is wrong, or (with code 0) a thing worth knowing.
struct weft_config_issue {
    uint16_t code;         // 101 for W0101 (runtime/base/error.h).
    uint32_t line, column; // 1-based, column in characters; 0 when it has no place in the file.
    uint32_t length;       // Characters to underline, at least 1.
    char key[128];         // "ports.p0.mtu"; "" for a syntax error.
    char text[256];
    char hint[160];   // "did you mean `mtu`?"; may be empty.
    char source[160]; // The source line, cut; may be empty.
};

struct weft_config_report {
    char file[256];
    size_t error_count; // All of them; the first WEFT_CONFIG_ERRORS_MAX are in `errors`.
    struct weft_config_issue *errors; // In the order of the file. The report's own memory.
};

// Fills `config` with the built-in defaults: no ports, mesh off. Returns 0 or -ENOMEM.
int weft_config_defaults(struct weft_config *config);

// Reads and checks the file at `path`. The report is filled either way and is freed by the caller.
// Returns 0; -EINVAL when the report has errors (`config` is then freed and zero); -ENOMEM; or the
// negative errno with which the file could not be read (W0107 is in the report too).
int weft_config_load(struct weft_config *config, const char *path,
                     struct weft_config_report *report);

// The same from memory. `name` is what messages call it; relative files are relative to its
// directory.
int weft_config_parse(struct weft_config *config, const char *text, size_t length, const char *name,
                      struct weft_config_report *report);

void weft_config_free(struct weft_config *config);
void weft_config_report_free(struct weft_config_report *report);

// `file:line:col: error[W0101] text`, the source line and a caret, for each error.
void weft_config_report_print(const struct weft_config_report *report, FILE *out, bool colour);
// The same as one JSON object: {"file":…,"errors":[{"code":"W0101","line":…},…]}.
void weft_config_report_json(const struct weft_config_report *report, FILE *out);

// Prints `config` as TOML that parses to the same config; every key, in the order of the table.
void weft_config_print(const struct weft_config *config, FILE *out);

#endif // WEFT_CONFIG_CONFIG_H
