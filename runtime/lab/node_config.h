// node_config.h: the files of a lab: its cluster key, and one TOML file and directory per node.
#ifndef WEFT_LAB_NODE_CONFIG_H
#define WEFT_LAB_NODE_CONFIG_H

#include "runtime/lab/lab.h"

struct weft_lab_node_config {
    const char *run; // RUN of the lab.
    uint32_t index;  // 0 for n1.
    uint32_t node_count, worker_count;
    enum weft_lab_link link;
};

// "n1", "10.77.0.11" of node 0.
void weft_lab_node_name(uint32_t index, char name[16]);
void weft_lab_node_address(uint32_t index, char address[16]);

// Makes RUN/cluster.key and RUN/udp-calc.fth. 0, or -1 with `error`.
int weft_lab_common_files(const char *run, struct weft_error *error);

// Makes RUN/nK with its weft.toml. The first node loads the calculator. 0, or -1 with `error`.
int weft_lab_node_files(const struct weft_lab_node_config *config, struct weft_error *error);

#endif // WEFT_LAB_NODE_CONFIG_H
