// live.h: the line of health: what the nodes say about themselves, once a second.
//
// Each node is asked for /api/v1/swarm without waiting: one request at a time, read as its bytes
// come. A node that does not answer is shown so, and stops nothing.
#ifndef WEFT_LAB_LIVE_H
#define WEFT_LAB_LIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "runtime/admin/client.h"
#include "runtime/lab/network.h"
#include "runtime/lab/node.h"

#define WEFT_LAB_LIVE_BYTES (32 * 1024) // Of one answer; a longer one counts as none.

struct weft_lab_live_node {
    struct weft_client_target target;
    struct weft_client_stream *stream; // NULL: nothing asked.
    uint64_t asked_ns;
    char body[WEFT_LAB_LIVE_BYTES];
    size_t length;
    bool known; // The figures below are of the last second.
    unsigned alive, nodes, units;
    double busy_ratio;
};

struct weft_lab_live {
    FILE *out; // NULL: show nothing.
    bool tty;
    bool shown;      // A line without its newline stands on the terminal.
    uint64_t due_ns; // Next second.
    char last[512];  // Shown last, where only changes are.
    struct weft_lab_live_node nodes[WEFT_LAB_NODES_MAX];
};

void weft_lab_live_init(struct weft_lab_live *live, FILE *out);
void weft_lab_live_close(struct weft_lab_live *live);

// Asks, reads and shows what is due. `nodes` are the lab's.
void weft_lab_live_turn(struct weft_lab_live *live, const struct weft_lab_node *nodes,
                        uint32_t node_count, uint64_t now_ns);
// The descriptor to wait for, of node `index`; -1: none.
int weft_lab_live_fd(const struct weft_lab_live *live, uint32_t index);
// Takes the line off the terminal, so that another can be said.
void weft_lab_live_clear(struct weft_lab_live *live);

#endif // WEFT_LAB_LIVE_H
