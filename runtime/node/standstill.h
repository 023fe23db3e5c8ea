// standstill.h: every worker of a node stands still between two slices, with nothing on its way
// from core to core, while something is done that wants to see all of them at one instant.
//
//   control core                        each worker
//   weft_standstill_begin ---stop--->   no slice any more, but it goes on turning: takes what
//                                       others have sent, sends what it has
//     round 1, 2, ...     <--quiet--    once its rings and chains are empty: how much has come
//     until a whole round               so far
//     has brought nothing
//   weft_standstill_do    ---step--->   on every worker
//                         <--done---
//   weft_standstill_end   ---go----->
//
// Why two rounds: what is on its way at a moment between them is in a ring by then, so whoever it
// is for takes it before it says that it is quiet a second time (Mattern 1987, "Algorithms for
// distributed termination detection", the four counters, of which ours are two).
//
// Timers and datagrams go on becoming messages of actors on the core where they come; they are part
// of the instant, or come after it.
//
// Core: the control core; one at a time. A worker that something holds is waited for as long as the
// caller cares to (weft_standstill_end ends it at any time).
#ifndef WEFT_NODE_STANDSTILL_H
#define WEFT_NODE_STANDSTILL_H

#include "runtime/node/node.h"

struct weft_standstill_visit { // To one worker and back.
    struct weft_standstill *still;
    struct weft_node_worker *worker;
    uint64_t seen, seen_before; // Messages that it had taken, when it was quiet.
    // Each on its way once at a time, in the order of giving; no ring can refuse them.
    struct weft_core_errand stop, quiet, go, gone;
};

struct weft_standstill {
    struct weft_node *node;
    uint32_t rounds;
    uint32_t away_count, standing_count;
    bool is_quiet, is_over;
    // On the worker: in one go. NULL: a round.
    void (*step)(struct weft_standstill *still, struct weft_node_worker *worker);
    // On the control core: it is quiet (after begin), or every worker has done its step (after do).
    void (*next)(struct weft_standstill *still);
    void (*gone)(struct weft_standstill *still); // Nobody has it any more: after end. May free it.
    struct weft_standstill_visit visits[WEFT_NODE_WORKERS_MAX];
};

// On each worker, before it turns. 0 or -ENOSPC.
int weft_standstill_init(struct weft_node_worker *worker);

// `still` has node, next and gone set. 0, or -EBUSY: somebody else's is under way.
int weft_standstill_begin(struct weft_standstill *still);
void weft_standstill_do(struct weft_standstill *still,
                        void (*step)(struct weft_standstill *still,
                                     struct weft_node_worker *worker));
void weft_standstill_end(struct weft_standstill *still);

#endif // WEFT_NODE_STANDSTILL_H
