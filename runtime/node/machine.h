// machine.h: this machine's devices for one node: DPDK ports, io_uring or epoll, disk, pinned
// threads.
//
// What the simulator replaces. Opened and closed by weftd's main thread, which is the control core.
#ifndef WEFT_NODE_MACHINE_H
#define WEFT_NODE_MACHINE_H

#include "config/config.h"
#include "dataplane/disk_thread.h"
#include "dataplane/eal.h"
#include "dataplane/port.h"
#include "dataplane/uring.h"
#include "dataplane/uring_disk.h"
#include "dataplane/uring_sleeper.h"
#include "runtime/actor/containment.h"
#include "runtime/mesh/key.h"
#include "runtime/node/control.h"
#include "runtime/node/node.h"
#include "runtime/node/shared_ports.h"
#include "runtime/node/worker_io.h"
#include "runtime/sched/core_thread.h"
#include "runtime/sched/offload.h"
#include "runtime/sched/sleeper_epoll.h"

struct weft_machine;

struct weft_machine_worker { // One worker's devices; opened and closed on its own thread.
    struct weft_machine *machine;
    uint16_t number; // 0: core 1.
    struct rte_mempool *pool;
    struct weft_uring uring;
    struct weft_uring_sleeper uring_sleeper;
    struct weft_sleeper_epoll epoll_sleeper;
    struct weft_worker_io io;
    struct weft_capture capture;
    struct weft_drops port_drops; // What its queues refuse before the stack sees it.
    void *capture_memory;
    struct weft_core_thread thread;
    bool is_running;
};

struct weft_machine {
    const struct weft_config *config;
    struct weft_eal_info eal;
    bool eal_started;
    bool use_uring;
    char io_reason[160]; // Why not io_uring; empty if it is used.
    struct weft_mesh_identity identity;
    bool has_identity;
    struct weft_mesh_options mesh;
    struct weft_uring_disk *uring_disk;
    struct weft_disk_thread *disk_thread;
    struct weft_disk disk;
    struct weft_netport *ports[WEFT_NODE_PORTS_MAX];
    struct weft_net *nets[WEFT_NODE_PORTS_MAX]; // One of each worker.
    struct weft_shared_ports shared;            // The kernel's sides of those that have one.
    struct weft_machine_worker *workers;
    struct weft_capture **captures;
    struct weft_drops **port_drops;                      // One of each worker.
    struct weft_admin_fault faults[WEFT_NODE_PORTS_MAX]; // As they were set last.
    int cpu_claims[WEFT_CORE_MAX];                       // Sockets that hold a CPU for us; -1.
    struct weft_node node;
    bool has_node;
    struct weft_containment containment;
    struct weft_fault_thread *control_fault; // The control core's thread.
    struct weft_io_address unit_net[16];     // Of units.net.
    int32_t files_root;                      // Of units.files; 0: none.
    struct weft_offload *pool;               // Threads that may block for an actor.
    char crash_path[512];                    // Of the report, if this process ends by a fault.
    char crashed_path[512];                  // Of one before it; "": none.
    struct weft_sleeper_epoll control_sleeper;
    bool has_control_sleeper;
};

// Opens everything the configuration names, and builds the node over it; nothing turns yet. 0, or a
// negative errno with `error`: then nothing is left.
int weft_machine_open(struct weft_machine *machine, const struct weft_config *config,
                      struct weft_error *error);
// Starts the workers' threads. 0, or a negative errno with `error`.
int weft_machine_start(struct weft_machine *machine, struct weft_error *error);
// Stops the threads that run, then undoes weft_machine_open.
void weft_machine_stop(struct weft_machine *machine);
void weft_machine_close(struct weft_machine *machine);

// What the control core may ask of it.
struct weft_control_machine weft_machine_control(struct weft_machine *machine);

// Says in the log what the machine is: memory, io, ports, CPUs.
void weft_machine_log(struct weft_machine *machine);

// machine_options.c: what the modules are told. The mesh's reads the key and the identity from
// their files: 0, or a negative errno with `error`.
int weft_machine_mesh_options(struct weft_machine *machine, const struct weft_clock *clock,
                              struct weft_error *error);
// Where the secret `name` lies: in data_dir/identity/ where that is a directory (the image has one:
// it goes, and with it all that makes a node itself, when a copied disk is found), else in
// data_dir.
void weft_machine_secret_path(const char *data_dir, const char *name, char *path, size_t size);
void weft_machine_node_options(struct weft_machine *machine, struct weft_node_options *to);
uint32_t weft_machine_ppm(double chance); // A probability in millionths.

// The CPUs of the cores, from the configuration (pinning.c): -1 floats. 0 or a negative errno.
int weft_machine_pin(struct weft_machine *machine, struct weft_error *error);
void weft_machine_unpin(struct weft_machine *machine);

#endif // WEFT_NODE_MACHINE_H
