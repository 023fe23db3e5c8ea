// node.h: one node of the lab as a process: started, ready, ended, started again.
//
//            start                 "ready" on its pipe
//   DOWN ------------> STARTING ------------------------> READY
//    ^ ^                  | ends                            | ends by itself
//    | | kill, stop       v                                 v
//    | +--------------- RESTING <---------------------------+     STOPPING: asked to end
//    +------------------------------------------------------ ends
//
// RESTING waits a growing time (0.5 .. 30 s) and starts again. While nobody serves the node's TCP
// socket, the lab does: 503 and why.
//
// The lab's one thread; time is an argument (monotonic, ns).
#ifndef WEFT_LAB_NODE_H
#define WEFT_LAB_NODE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "runtime/admin/place.h"
#include "runtime/admin/server.h"
#include "runtime/base/error.h"
#include "runtime/base/list.h"
#include "runtime/lab/network.h"

enum weft_lab_state {
    WEFT_LAB_DOWN,
    WEFT_LAB_STARTING,
    WEFT_LAB_READY,
    WEFT_LAB_STOPPING,
    WEFT_LAB_RESTING,
};

struct weft_lab_node {
    char name[16], address[16];
    char directory[WEFT_PLACE_BYTES + 16]; // RUN/nK
    uint16_t port;                         // Its TCP port on the host.
    int listen_fd;                         // Ours for good; the node gets a copy.
    enum weft_lab_state state;
    pid_t pid;           // 0: no process.
    int ready_fd;        // -1: not starting.
    uint64_t started_ns; // When the process was.
    uint64_t due_ns;   // RESTING: when to start; STARTING, STOPPING: when to kill; else UINT64_MAX.
    bool late;         // Ended because it did not become ready in time.
    uint32_t failures; // In a row.
    uint32_t restarts;
    char why[160];                      // Why it is not up; for people.
    struct weft_admin_server *stand_in; // Answers 503; NULL while the node serves.
    char stand_in_text[256];
    struct weft_list waiting; // Commands that end when the state does (routes.c).
};

struct weft_lab_node_program {
    const char *path;                       // weftd.
    const struct weft_lab_network *network; // NULL: the host's own.
    int index;
    uint64_t ready_timeout_ns;
};

const char *weft_lab_state_name(enum weft_lab_state state);

// Opens the TCP socket on the first free port from `port` on. 0, or -1 with `error`.
int weft_lab_node_listen(struct weft_lab_node *node, uint16_t port, struct weft_error *error);

// Starts the process: DOWN or RESTING -> STARTING. 0, or a negative errno: then it rests.
int weft_lab_node_start(struct weft_lab_node *node, const struct weft_lab_node_program *program,
                        uint64_t now_ns);
// Its ready pipe has something to say: true if the node has become READY.
bool weft_lab_node_hear(struct weft_lab_node *node);
// Asks it to end (SIGTERM; SIGKILL 3 s later), or ends it (SIGKILL). It will be DOWN, and stay so.
void weft_lab_node_stop(struct weft_lab_node *node, bool kill_now, const char *why,
                        uint64_t now_ns);
// SIGKILL to a STARTING or STOPPING node whose time has come.
void weft_lab_node_overdue(struct weft_lab_node *node, uint64_t now_ns);
// Its process has ended with wait status `status`. The state is then DOWN or RESTING.
void weft_lab_node_ended(struct weft_lab_node *node, int status, uint64_t now_ns);
// Serves its socket with 503 if nobody else does.
void weft_lab_node_stand_in(struct weft_lab_node *node, struct weft_clock clock);

// The process is reaped already. Closes everything.
void weft_lab_node_close(struct weft_lab_node *node);

#endif // WEFT_LAB_NODE_H
