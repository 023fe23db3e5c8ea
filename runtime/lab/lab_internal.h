// lab_internal.h: the whole of a running lab, for the files that make up its process.
#ifndef WEFT_LAB_LAB_INTERNAL_H
#define WEFT_LAB_LAB_INTERNAL_H

#include <jansson.h>

#include "runtime/admin/route.h"
#include "runtime/env/clock.h"
#include "runtime/lab/lab.h"
#include "runtime/lab/live.h"
#include "runtime/lab/lock.h"
#include "runtime/lab/node.h"
#include "runtime/lab/programs.h"

struct weft_lab_switch_process { // Only on vhost links.
    pid_t pid;                   // 0: none.
    uint64_t due_ns;             // When to start it again; UINT64_MAX: not.
    uint32_t failures;
};

struct weft_lab {
    struct weft_lab_options options;
    struct weft_lab_lock lock;
    struct weft_clock clock;
    enum weft_lab_link link;
    bool has_network; // Only on veth links.
    struct weft_lab_network network;
    char weftd[WEFT_LAB_PATH_BYTES], switch_path[WEFT_LAB_PATH_BYTES];
    struct weft_lab_switch_process switcher;
    struct weft_lab_node nodes[WEFT_LAB_NODES_MAX];
    uint32_t node_count;
    struct weft_admin_server *server; // RUN/lab.sock
    struct weft_lab_live live;
    int signal_fd;
    uint64_t start_wall_ns, ready_ns; // Time of day; how long it took until all were ready.
    pid_t smoke_pid;                  // The process that checks; 0: none.
    int smoke_status;                 // Its wait status, once it has ended.
    bool booted;
    bool left_files; // At the end: something would not go.
    bool ending;     // Asked to end.
    char reason[80]; // Why: for people.
};

// One round of the loop, at most until `until_ns`.
void weft_lab_turn(struct weft_lab *lab, uint64_t until_ns);

// Says a line, beside the line of health; printf rules.
__attribute__((format(printf, 2, 3))) void weft_lab_say(struct weft_lab *lab, const char *format,
                                                        ...);

int weft_lab_start_node(struct weft_lab *lab, uint32_t index); // As weft_lab_node_start.
int weft_lab_start_switch(struct weft_lab *lab);               // 0 or a negative errno.

// routes.c: what the lab answers on RUN/lab.sock.
extern const struct weft_admin_route weft_lab_routes[];
// Ends the commands that waited for the state that `node` has now.
void weft_lab_settle(struct weft_lab *lab, struct weft_lab_node *node);
// Ends all that still wait: the lab ends.
void weft_lab_settle_all(struct weft_lab *lab);
json_t *weft_lab_document(const struct weft_lab *lab);

#endif // WEFT_LAB_LAB_INTERNAL_H
