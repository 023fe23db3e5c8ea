// swarm_nodes.h: the nodes that `bench_swarm` measures: three of a lab of its own, or those that
// somebody named; asking them, making them lose frames, ending and starting one.
//
// SIGINT, SIGTERM and SIGHUP wait from weft_swarm_lab or weft_swarm_named on until
// weft_swarm_pause_ms sees them: whoever has something to clear away gets to do it.
#ifndef WEFT_BENCH_MACRO_SWARM_NODES_H
#define WEFT_BENCH_MACRO_SWARM_NODES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "runtime/admin/client.h"

enum { WEFT_SWARM_NODES_MAX = 8 };

struct weft_swarm_node {
    struct weft_client_target target;
    char id[20]; // 16 hex digits, as the node says them.
};

struct weft_swarm {
    struct weft_swarm_node nodes[WEFT_SWARM_NODES_MAX];
    size_t count;
    pid_t lab; // 0: they are somebody's.
    char lab_socket[108], link[16];
    const char *kill_command,
        *start_command; // Of the last node, where there is no lab. NULL: none.
    uint64_t ends_ns;   // Whatever waits stops then.
    bool is_interrupted;
    char reason[256]; // Of the last failure.
};

// Starts a lab with its files in `run` and waits until its nodes are ready. False: `reason`, the
// rest is in RUN.log.
bool weft_swarm_lab(struct weft_swarm *swarm, const char *weft, const char *run);
// "A,B,C": each https://HOST:PORT (WEFT_TOKEN, WEFT_FINGERPRINT), the path of an admin socket, the
// name of a node of this machine, or of one added by `weft context add`. False: `reason`.
bool weft_swarm_named(struct weft_swarm *swarm, const char *names);
// Ends the lab, if there is one.
void weft_swarm_close(struct weft_swarm *swarm);

// A request to a node, 5 s at most. The caller owns the answer; NULL: `reason`.
json_t *weft_swarm_ask(struct weft_swarm *swarm, size_t node, const char *method, const char *path,
                       const json_t *body);
// A counter of its /metrics, name and labels as they stand there. NAN: it has none.
double weft_swarm_metric(struct weft_swarm *swarm, size_t node, const char *name);
// Every frame that enters or leaves a node is lost with this chance. False: `reason`.
bool weft_swarm_lose(struct weft_swarm *swarm, size_t node, double ratio);

bool weft_swarm_can_end(const struct weft_swarm *swarm); // A node, and start it.
// Return when it has been done, or could not be (false).
bool weft_swarm_end(struct weft_swarm *swarm, size_t node);
bool weft_swarm_begin(struct weft_swarm *swarm, size_t node);

// Whether all the others take `node` for gone; for alive, and it them.
bool weft_swarm_is_gone(struct weft_swarm *swarm, size_t node);
bool weft_swarm_is_met(struct weft_swarm *swarm, size_t node);
// Seconds from `from_ns` until that is so, asked every 10 ms. NAN: not within `limit_ms`.
double weft_swarm_until(struct weft_swarm *swarm, size_t node, bool met, uint64_t from_ns,
                        unsigned limit_ms);

// False: interrupted, or the time is up.
bool weft_swarm_pause_ms(struct weft_swarm *swarm, unsigned ms);

#endif // WEFT_BENCH_MACRO_SWARM_NODES_H
