// lab.h: a swarm on this machine: the foreground process that owns its network, sockets, processes
// and files, and takes all of it away when it ends.
//
// One thread, one poll loop. Nodes are child processes, each in its own network namespace (veth) or
// on a socket of the switch (vhost); their TCP listening sockets are made here, outside, and handed
// in, so a browser on the host reaches a node and a dead node's URL is answered by the lab.
#ifndef WEFT_LAB_LAB_H
#define WEFT_LAB_LAB_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "runtime/admin/place.h"
#include "runtime/base/error.h"

#define WEFT_LAB_CALC_PORT 4200 // UDP: the calculator of n1.
#define WEFT_LAB_MESH_PORT 4201
#define WEFT_LAB_CLIENT    "10.77.0.1" // The bridge, or the switch's client.

enum weft_lab_link { WEFT_LAB_VETH, WEFT_LAB_VHOST };

struct weft_lab_options {
    uint32_t node_count;       // 1 .. WEFT_LAB_NODES_MAX.
    enum weft_lab_link link;   // Veth falls back to vhost where the kernel refuses,
    bool link_chosen;          // unless it was asked for.
    uint32_t worker_count;     // Of each node; 0: by the number of CPUs.
    uint32_t ready_timeout_ms; // For a node to become ready; 0: 10 s.
    bool smoke;                // Check it, then end.
    bool keep;                 // Leave the files (logs, journals) when it ends.
    bool live;                 // Show the line of health.
    FILE *out, *err;
};

// Runs a lab until a signal, `weft lab down`, or the end of the smoke checks. 0; 1 if a smoke check
// failed; -1 with `error`: nothing was left running.
int weft_lab_up(const struct weft_lab_options *options, struct weft_error *error);

#endif // WEFT_LAB_LAB_H
