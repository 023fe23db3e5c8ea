// control.h: the node seen from the control core: it answers the admin port, starts and restores
// units, and tells people what happened.
//
// Core:   the control core alone. What workers own is read from counters and copies, never waited
// for. Memory: malloc; the control core may.
#ifndef WEFT_NODE_CONTROL_H
#define WEFT_NODE_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "runtime/admin/events.h"
#include "runtime/admin/logs.h"
#include "runtime/admin/source.h"
#include "runtime/node/instant.h"
#include "runtime/node/node.h"

#define WEFT_CONTROL_CAPTURES_MAX 1 // See pcap.c.

// What only the process knows: devices and the like (machine.c). Each may be NULL.
struct weft_control_machine {
    bool (*link)(void *self, uint32_t port, bool *is_up, uint32_t *speed_mbps);
    int (*fault_set)(void *self, const struct weft_admin_fault *fault, struct weft_error *error);
    bool (*fault_get)(void *self, uint32_t index, struct weft_admin_fault *fault);
    struct weft_capture *const *captures; // One of each worker.
    struct weft_drops *const *port_drops; // Likewise: what a queue refused before the stack saw it.
    const char *io;                       // "uring" or "epoll".
    const char *eal;                      // How DPDK runs.
    void *self;
};

struct weft_core_watch { // One core, as sampled once a second.
    uint64_t busy_ns, idle_ns, turn_count;
    uint64_t turned_at_ns; // When turn_count was last seen to have changed.
    double busy_ratio;
    uint64_t recent_turns, recent_ns; // The same, looked at with every drain of the logs.
    struct {                          // Who was found to hold it last. It may have come back since.
        uint64_t pid;                 // 0: nobody.
        uint64_t since_ns;
        uintptr_t at; // Where it stood.
        char label[32];
    } holder;
};

struct weft_control {
    struct weft_node *node;
    const struct weft_config *config;
    const char *config_path;
    struct weft_control_machine machine;
    struct weft_admin_source source;
    struct weft_admin_events events;
    struct weft_admin_logs logs;
    uint64_t start_ns, start_wall_ns;
    uint64_t sample_due_ns, drain_due_ns;
    struct weft_core_watch watches[WEFT_CORE_MAX];
    struct weft_mesh_view *view;      // The last good copy. NULL: no mesh.
    struct weft_mesh_view *view_next; // Where the next one is made.
    uint32_t starting_count;          // Units of the journal and the config that are not up yet.
    struct weft_instant recovered;    // Of these, those of the journal, and whose they are.
    uint32_t held_count;              // Of these, those that wait for each other.
    uint32_t start_failed_count;
    uint32_t actors_starting, actors_failed; // Modules of the configuration, likewise.
    uint32_t command_count;                  // On their way, ours and the admin port's.
    struct weft_list lists;                  // Of actors, under way (control_list.c).
    struct weft_list traces;                 // Likewise (control_trace.c).
    bool is_restoring;                       // Units of the journal or a snapshot are held.
    struct weft_control_sweep *sweep;        // Over them (control_sweep.c).
    struct weft_control_revival *revival;    // One that waits for others to go. NULL: none.
    struct weft_control_snapshot *snapshot;  // The one under way (control_snapshot.c). NULL: none.
    bool draining;
    bool print_logs; // To stderr.
    int ready_fd;    // Told once when the node is ready; -1 afterwards.
    void *captures[WEFT_CONTROL_CAPTURES_MAX];
};

// Prepares `control` over `node`, which has been initialised and does not turn yet: sets its poller
// on the control core. `config` and `machine` outlive it. 0 or -ENOMEM.
int weft_control_init(struct weft_control *control, struct weft_node *node,
                      const struct weft_config *config, const char *config_path,
                      const struct weft_control_machine *machine);
void weft_control_destroy(struct weft_control *control);

// Restores the units of the journal and loads those of the configuration. Once the workers turn.
void weft_control_start_units(struct weft_control *control);

// Loads, evaluates, ends: what the admin port asks. See weft_admin_source.submit.
int weft_control_submit(void *self, struct weft_admin_command *command, struct weft_error *error);

// True if something holds this worker: it is awake, and has not turned for a tenth of a second.
bool weft_control_is_held(const struct weft_control *control, uint16_t core);

// True if every readiness check passes.
bool weft_control_is_ready(struct weft_control *control);

// One readiness check by number; false past the last (source.c).
bool weft_control_check(void *self, uint32_t index, struct weft_admin_check *check);
// Fills the table of functions (source.c), of captures (pcap.c) and of traces (control_trace.c).
void weft_control_source_init(struct weft_control *control);
void weft_control_pcap_init(struct weft_control *control);
void weft_control_trace_init(struct weft_control *control);

// Appends an event. printf rules.
__attribute__((format(printf, 4, 5))) void weft_control_event(struct weft_control *control,
                                                              const char *type, const char *subject,
                                                              const char *format, ...);

#endif // WEFT_NODE_CONTROL_H
