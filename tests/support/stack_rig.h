// stack_rig.h: nodes of one or two cores with a stack each, on one cable, turned by one thread.
#ifndef WEFT_TESTS_SUPPORT_STACK_RIG_H
#define WEFT_TESTS_SUPPORT_STACK_RIG_H

#include "dataplane/stack.h"
#include "tests/support/net_pipe.h"

#define STACK_RIG_BUFFERS 512

struct stack_rig_node {
    struct weft_core_group group;
    struct weft_core cores[2];
    struct weft_udp_owners owners;
    struct weft_stack stacks[2];
    uint32_t core_count;
};

struct stack_rig { // Node n is 10.0.0.(n + 1)/24, gateway 10.0.0.254, at end n of the cable.
    uint64_t now_ns;
    struct weft_clock clock;
    struct net_pipe *pipe;
    struct stack_rig_node nodes[2];
    uint32_t node_count;
};

// One node has the other end of the cable for the test. `options` and `port` (both may be NULL) are
// taken for every stack; what the rig knows better is overwritten. Memory of its own.
struct stack_rig *stack_rig_create(const uint32_t core_count[2], uint32_t node_count,
                                   const struct weft_stack_options *options,
                                   const struct weft_stack_port_options *port);

// Frees it, after checking that each buffer is back in its pool and every balance is even.
void stack_rig_free(struct stack_rig *rig);

// Turns every core once, `step_ns` later.
void stack_rig_turn(struct stack_rig *rig, uint64_t step_ns);
void stack_rig_turns(struct stack_rig *rig, uint32_t count, uint64_t step_ns);

// Sum of in minus out over the node's cores; 0 when nothing is between them.
int64_t stack_rig_gap(const struct stack_rig_node *node);
uint64_t stack_rig_drops(const struct stack_rig_node *node, enum weft_drop drop);

#endif // WEFT_TESTS_SUPPORT_STACK_RIG_H
