// network.h: the lab's own network: one namespace with a bridge, and one namespace per node.
//
// A setup process makes them and ends; what keeps them alive is the descriptors held here, so they
// vanish with the lab process however it ends. Without root all of them belong to one user
// namespace in which the caller is uid 0. One namespace per node, because the af_packet PMD's
// fanout id is pid ^ ifindex and collides within one. TX checksum and segmentation offload are
// switched off on every interface: veth would else deliver frames with partial checksums, which
// Weft rightly refuses.
//
// Control core's process only. Linux namespaces(7), user_namespaces(7), veth(4).
#ifndef WEFT_LAB_NETWORK_H
#define WEFT_LAB_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/error.h"

#define WEFT_LAB_NODES_MAX 16

struct weft_lab_network {
    uint32_t node_count;
    int user_fd;                     // -1: made as real root, without a user namespace.
    int mount_fd;                    // Own /sys, so that tools see the namespace's interfaces.
    int bridge_fd;                   // Network namespace with the bridge "weft0".
    int node_fd[WEFT_LAB_NODES_MAX]; // Each holds "eth0", joined to the bridge.
};

// Makes the namespaces. The bridge is `bridge_address` ("10.77.0.1/24"), so kernel programs in its
// namespace reach the nodes. 0, or -1 with `error` W0603: nothing is left then.
int weft_lab_network_create(struct weft_lab_network *network, uint32_t node_count,
                            const char *bridge_address, struct weft_error *error);

// Closes the descriptors: the kernel removes the interfaces once the last process in them ends.
void weft_lab_network_destroy(struct weft_lab_network *network);

// Moves the calling process into a node's namespace (0 .. node_count - 1), or the bridge's (-1).
// For a child just forked, single-threaded. 0 or a negative errno.
int weft_lab_network_enter(const struct weft_lab_network *network, int node);

// The same through another process that holds the descriptors (`weft lab exec`): its pid, and the
// numbers that it published. 0 or a negative errno.
int weft_lab_network_enter_of(int64_t pid, int user_fd, int mount_fd, int net_fd);

// True if this process may make what weft_lab_network_create needs; tried in a child. False fills
// `error` with the kernel's answer.
bool weft_lab_network_possible(struct weft_error *error);

#endif // WEFT_LAB_NETWORK_H
