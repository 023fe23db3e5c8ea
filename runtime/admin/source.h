// source.h: what the admin server asks of the process that it serves: a table of functions and a
// self.
//
// The node implements it over snapshots, tests over constants. The server turns what is filled in
// here into JSON, metrics and the status page, so a node knows no HTTP and no JSON beyond this
// page.
//
// Core:  every function is called on the control core, and none may block or wait for a worker:
// what
//        workers own is read from per-core copies, relaxed counters or seqlocks (DESIGN, rule 9).
// Lists: a function with `index` fills item number `index` and returns true; false means past the
// end.
//        A walk runs from 0 upward within one request and never keeps what was filled. The
//        structure is all zero before the call.
// NULL:  a function that is NULL means "has none": an empty list, or 503 for what cannot be
// answered. Text:  char arrays end with a zero byte. Bytes that are not UTF-8 are replaced when
// they are shown.
#ifndef WEFT_ADMIN_SOURCE_H
#define WEFT_ADMIN_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/admin/actor.h"
#include "runtime/admin/trace.h"
#include "runtime/base/error.h"
#include "runtime/base/list.h"
#include "runtime/env/net.h"

#define WEFT_ADMIN_NAME_BYTES    64 // A node's or unit's name with its zero byte.
#define WEFT_ADMIN_ADDRESS_BYTES 64 // "10.77.0.11/24", "10.77.0.12:7400", with its zero byte.
#define WEFT_ADMIN_TEXT_BYTES    (1u << 20) // The longest source or text of one command.

struct weft_admin_node {
    uint64_t id;
    char name[WEFT_ADMIN_NAME_BYTES];
    char version[32];
    char config_path[256];
    char mesh[16];   // "alone", "joining", "joined", "off".
    char io[8];      // "uring" or "epoll": where completions and sleeps go.
    char memory[64]; // "2 MB huge pages", "transparent huge pages": what backs the arenas.
    char eal[160];   // How DPDK runs: "in-memory, no-huge". May be empty.
    uint64_t start_wall_ns;
    uint64_t uptime_ns;
    int64_t pid;        // Process id.
    uint32_t cpu_count; // CPUs that this process may use.
    bool draining;      // Asked to stop: readyz answers no.
};

struct weft_admin_core {
    uint16_t index;
    bool control;              // Else a worker.
    int16_t cpu;               // Pinned to it; -1: floats.
    double busy_ratio;         // Of the last full second, 0..1.
    uint64_t busy_ns, idle_ns; // Since start.
    uint64_t turn_count, turn_ns_max;
    uint64_t turn_age_ns; // Since its last turn ended: the watchdog of /livez.
    uint64_t sleep_count, wake_count;
    uint64_t slice_count, reduction_count;
    uint64_t message_in; // From other cores.
    uint64_t actor_count, unit_count;
    uint64_t module_count; // Sets of frozen words that units of the core have.
    uint64_t arena_used_bytes, arena_cap_bytes;
    // Of a worker's actors, since start.
    uint64_t spawn_count, exit_count, arrived_count, departed_count;
    uint64_t sent_count, received_count; // User messages.
    uint64_t mute_count, cycle_count, evict_count;
    char stack_guard[64]; // What finds a stack that is too small; "" for the control core.
    int64_t stacks_used;
    uint64_t stacks_max;
};

struct weft_admin_port {
    struct weft_net_info info;   // Name, device, driver, MAC, MTU, offloads, bypass, doorbell.
    struct weft_net_stats stats; // Sum over its queues.
    bool link_up;
    uint32_t speed_mbps;                    // 0: not known.
    char address[WEFT_ADMIN_ADDRESS_BYTES]; // "10.77.0.11/24"; empty if it has none.
    char gateway[WEFT_ADMIN_ADDRESS_BYTES]; // Empty if none.
    uint16_t vlan;                          // 0: untagged.
    uint32_t neighbour_count;               // Resolved ARP entries.
    char kernel[16];      // The kernel's interface that shares it; empty: none does,
    uint64_t to_kernel;   // and frames that went there,
    uint64_t from_kernel; // and were sent for it.
};

struct weft_admin_drop { // One non-zero counter of the ledger.
    uint16_t core;
    uint32_t drop; // enum weft_drop: stage, reason and text come from its table.
    uint64_t count;
};

struct weft_admin_balance { // received = delivered + dropped + in_flight (DESIGN, rule 4).
    uint64_t received, delivered, dropped, in_flight;
};

struct weft_admin_peer {
    uint64_t id;
    char name[WEFT_ADMIN_NAME_BYTES]; // May be empty until it has said so.
    char address[WEFT_ADMIN_ADDRESS_BYTES];
    char state[16];      // "alive", "suspect", "dead", "joining", "refused".
    uint64_t age_ns;     // Since the last datagram that opened.
    uint64_t rtt_ns;     // 0: not measured yet.
    double load;         // Busy ratio that it reports, 0..1.
    uint32_t unit_count; // That it reports.
    bool seed;           // Named in our configuration.
};

struct weft_admin_mesh { // Datagrams of the gossip and of SEND-HOST, since the node began.
    uint64_t sent, received, sent_bytes, received_bytes; // UDP payloads; the dropped included.
};

struct weft_admin_modules { // Frozen words that units have, each set of them once a node.
    uint64_t count, bytes;
};

#define WEFT_ADMIN_QUOTAS_MAX 8

struct weft_admin_quota { // Of a unit.
    const char *name;     // "spawned". Static.
    uint64_t limit;       // 0: none.
    uint64_t used;
    bool is_counted; // `used` means something.
};

struct weft_admin_unit {
    uint64_t pid; // Its actor.
    char name[WEFT_ADMIN_NAME_BYTES];
    uint16_t core;
    uint32_t index;    // UNIT-IDX.
    char state[16];    // "ready", "running", "waiting", "asking", "throttled", "failed".
    char recovery[16]; // "none", "journal", "swarm".
    char file[128];    // Where its source came from, for people. May be empty.
    uint64_t memory_bytes;
    uint64_t reduction_count;
    uint64_t message_count; // Delivered to it.
    uint32_t mailbox_count;
    bool receives_far; // Messages of other nodes may go to it: it asks for some, has no UDP port.
    uint64_t loaded_wall_ns;
    struct weft_admin_quota quotas[WEFT_ADMIN_QUOTAS_MAX];
    uint32_t quota_count;
};

struct weft_admin_check { // One line of /readyz?verbose.
    char name[32];        // "ports", "mesh", "journal".
    bool ok;
    char reason[160]; // Why not; may be empty if ok.
};

// The lab's fault layer on one port. Ratios 0..1. All zero and no partition: no fault.
struct weft_admin_fault {
    char port[16]; // Empty: every port.
    double loss_ratio, duplicate_ratio, reorder_ratio, corrupt_ratio;
    uint64_t delay_ns, jitter_ns;
    uint64_t seed;  // 0: keep the seed.
    bool partition; // Nothing passes.
};

enum weft_admin_verb {
    WEFT_ADMIN_UNIT_LOAD,        // unit, file, text, recovery, quota.
    WEFT_ADMIN_UNIT_EVAL,        // unit, text, interactive.
    WEFT_ADMIN_UNIT_INPUT,       // unit, text, ends_input.
    WEFT_ADMIN_UNIT_KILL,        // unit: ends now, its policy says whether it comes back.
    WEFT_ADMIN_UNIT_UNLOAD,      // unit: gone for good, also from the journal.
    WEFT_ADMIN_UNIT_SAVE,        // unit; answered with bytes.
    WEFT_ADMIN_UNIT_RESTORE,     // unit, file, recovery; text: what UNIT_SAVE has answered.
    WEFT_ADMIN_SNAPSHOT_SAVE,    // All units; answered with bytes.
    WEFT_ADMIN_SNAPSHOT_RESTORE, // text: these; replaces.
    WEFT_ADMIN_FAULT_SET,        // fault.
    WEFT_ADMIN_ACTOR_LIST,       // actors.
    WEFT_ADMIN_ACTOR_SHOW,       // unit: the actor's name or pid.
    WEFT_ADMIN_ACTOR_KILL,       // unit, reason.
    WEFT_ADMIN_ACTOR_SEND,       // unit, message, text.
    WEFT_ADMIN_ACTOR_LOAD, // unit: its name; path; text: its arguments, each with a zero byte.
    WEFT_ADMIN_OTHER,      // A route that another table brought (see route.h); `self` is its own.
};

struct weft_admin_server;

// A request that takes time. The source owns it from a successful submit until it ends it, exactly
// once and on the control core, with one of the three functions below: also when the deadline is
// past (the client has its 504 by then) or the server is closed; ending it frees it. Its texts are
// valid until then.
struct weft_admin_command {
    enum weft_admin_verb verb;
    char unit[WEFT_ADMIN_NAME_BYTES];
    char file[128];    // Shown in the unit's errors: "counter.fth". Never opened.
    char recovery[16]; // "none", "journal", "swarm"; empty: the default of the configuration.
    char quota[160];   // Of LOAD: "spawned=4,memory=64KiB"; empty: the node's.
    bool ends_input;   // Of INPUT: no more comes behind it.
    bool replaces;     // SNAPSHOT_RESTORE: units of the same names are unloaded first.
    bool interactive;  // A line of a REPL: a definition may stay open across lines.
    const char *text;  // Source or text to evaluate; `text_length` bytes, zero after them.
    size_t text_length;
    struct weft_admin_fault fault;
    struct weft_admin_actor_query actors;
    struct weft_admin_message message;
    char path[WEFT_ADMIN_PATH_BYTES];   // Of a module, absolute.
    uint64_t deadline_ns;               // Monotonic. After it the client is told 504 W0505.
    struct weft_list link;              // For the source: a queue of commands under way.
    void *self;                         // For the source.
    struct weft_admin_pending *pending; // The server's; NULL once nobody waits for the answer.
};

// How a load or an evaluation ended, without JSON.
struct weft_admin_outcome {
    uint64_t pid; // The unit's actor; 0 if it was not made.
    uint16_t core;
    int32_t throw_code; // 0: done. Else the uncaught THROW (Forth 2012, table 9.1).
    const char *output; // What it printed; any bytes.
    size_t output_length;
    bool output_cut; // It printed more than was kept.
    bool compiling;  // A definition is open (interactive only).
    bool asks;       // It waits for the user's input.
    uint64_t reduction_count;
    // Of an error: the line for people ("counter.fth:7:3: undefined word: addd"), and where.
    const char *error; // NULL if throw_code is 0.
    char file[128];
    uint32_t line, column; // From 1; 0: not known.
};

// Ends `command` as a load or evaluation: 200 (201 for a load), or 422 W0401/W0404 with file, line,
// column. Control core.
void weft_admin_complete_unit(struct weft_admin_command *command,
                              const struct weft_admin_outcome *outcome);
// Ends `command` with no more to say than that it is done: 200. Control core.
void weft_admin_complete(struct weft_admin_command *command);
// Ends `command` with bytes, from malloc, which are taken over: 200. Control core.
void weft_admin_complete_bytes(struct weft_admin_command *command, char *bytes, size_t length);
// Ends `command` with an error; the HTTP status follows from its code (0402: 404, 0403: 409, 0404:
// 422, 0405: 409, 0406: 422, 0502: 403, 0503: 404, 0504: 400, 0505: 504, 0801: 404, 0802: 422, 0803
// to 0805: 409, 0901, 0904 and 0905: 409, 0902 and 0903: 422, 02xx and 07xx: 503, else 500).
// Control core.
void weft_admin_fail(struct weft_admin_command *command, const struct weft_error *error);

// What a capture should hold.
struct weft_admin_capture {
    char port[16];       // Empty: every port.
    uint32_t snap_bytes; // Of each packet at most; 0: all of it.
    uint64_t packet_max; // Ends by itself after so many; 0: never.
};

struct weft_admin_events;
struct weft_admin_logs;

struct weft_admin_source {
    void (*node)(void *self, struct weft_admin_node *node);
    bool (*core)(void *self, uint32_t index, struct weft_admin_core *core);
    bool (*port)(void *self, uint32_t index, struct weft_admin_port *port);
    bool (*drop)(void *self, uint32_t index, struct weft_admin_drop *drop);
    void (*balance)(void *self, struct weft_admin_balance *balance);
    bool (*peer)(void *self, uint32_t index, struct weft_admin_peer *peer);
    bool (*mesh)(void *self, struct weft_admin_mesh *mesh); // False: it has none.
    void (*modules)(void *self, struct weft_admin_modules *modules);
    bool (*unit)(void *self, uint32_t index, struct weft_admin_unit *unit);
    bool (*check)(void *self, uint32_t index, struct weft_admin_check *check);
    bool (*fault)(void *self, uint32_t index, struct weft_admin_fault *fault);
    // Starts `command`, whose verb is not OTHER. 0: it ends it later, or has done so within the
    // call. Else -1 with `error` filled, and the command stays the server's.
    int (*submit)(void *self, struct weft_admin_command *command, struct weft_error *error);
    // A capture in pcapng. open: 0 and *capture, or -1 with `error`. read: bytes now available, 0
    // for none yet, -ENODATA when it has ended. close also ends one that runs. At most 4 at a time.
    int (*capture_open)(void *self, const struct weft_admin_capture *options, void **capture,
                        struct weft_error *error);
    int64_t (*capture_read)(void *self, void *capture, uint8_t *bytes, size_t limit);
    void (*capture_close)(void *self, void *capture);
    // A trace of one actor, by name or pid. open: 0 and *trace, or -1 with `error`. read: 1 and the
    // next event; 0: none yet; -ENODATA: it has ended. close also ends one that runs.
    int (*trace_open)(void *self, const char *actor, void **trace, struct weft_error *error);
    int (*trace_read)(void *self, void *trace, struct weft_admin_trace_event *event);
    void (*trace_close)(void *self, void *trace);
    // The newest `limit` events of all cores, of one actor if `actor` is not NULL, in order of
    // time. How many, or -1 with `error`.
    int64_t (*flight)(void *self, const char *actor, struct weft_admin_trace_event *events,
                      uint32_t limit, struct weft_error *error);
    struct weft_admin_events *events; // events.h; the node appends. NULL: none.
    struct weft_admin_logs *logs;     // logs.h; the node appends what it drains. NULL: none.
    void *self;
};

#endif // WEFT_ADMIN_SOURCE_H
