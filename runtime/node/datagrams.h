// datagrams.h: struct weft_datagrams on a worker's own stack: the node's UDP ports, for actors.
#ifndef WEFT_NODE_DATAGRAMS_H
#define WEFT_NODE_DATAGRAMS_H

#include "dataplane/stack.h"
#include "runtime/env/datagram.h"

struct weft_node_datagrams {
    struct weft_stack *stack;
    uint16_t next_port; // For those that take any.
};

// `stack` outlives it.
void weft_node_datagrams_init(struct weft_node_datagrams *datagrams, struct weft_stack *stack);
struct weft_datagrams weft_node_datagrams_interface(struct weft_node_datagrams *datagrams);

#endif // WEFT_NODE_DATAGRAMS_H
