// supervisor.h: actors that start others and start them again (OTP's supervisor).
//
//     static const struct weft_child children[] = {
//         {.id = "store", .server = &store},
//         {.id = "web", .server = &web, .args = &port, .length = sizeof(port)},
//     };
//     const struct weft_supervisor_spec tree = {.strategy = WEFT_REST_FOR_ONE,
//                                               .children = children, .child_count = 2};
//     weft_supervisor_start_link(self, &tree, &pid);
//
// Children are started in order, each when the one before has begun, and ended in reverse. They are
// linked to their supervisor and, but for those of a start function of one's own, spawned by it:
// weft_parent of a child is its supervisor, and so a tree can be drawn from weft_info alone. A
// supervisor traps exits; it ends when its parent does, when it is asked (weft_server_stop), with
// WEFT_EXIT_INTENSITY when its children end too often, and takes them all with it.
//
// A child's end is in the log with its reason and restart count; a child that ends again and again
// gets some lines a second, and the next one says how many were left out.
//
// Messages: CALLs of the types below, for which there are functions. From any actor, any core.
// Errors: 0 or a negative errno; of the functions that call a supervisor, those of weft_call too
// (-EDEADLK: a child asks while it is being started; -ESRCH, -EPIPE: no such supervisor).
#ifndef WEFT_SUPERVISOR_H
#define WEFT_SUPERVISOR_H

#include <weft/actor.h>
#include <weft/server.h>
#include <weft/types.h>

enum {
    WEFT_SUPERVISOR_START_CHILD = 0xff20,
    WEFT_SUPERVISOR_STOP_CHILD,
    WEFT_SUPERVISOR_RESTART_CHILD,
    WEFT_SUPERVISOR_DELETE_CHILD,
    WEFT_SUPERVISOR_CHILDREN,
    WEFT_SUPERVISOR_COUNT,
    WEFT_SUPERVISOR_RETRY // A TIMER to itself: a child whose start has failed.
};

enum weft_strategy {  // A child has ended that has to be there:
    WEFT_ONE_FOR_ONE, // it is started again;
    WEFT_ONE_FOR_ALL, // all others are ended, and all are started again;
    WEFT_REST_FOR_ONE // those started after it are ended, and it and they are started again.
};

enum weft_restart {         // Which ends are no reason to start a child again:
    WEFT_RESTART_PERMANENT, // none;
    WEFT_RESTART_TRANSIENT, // NORMAL and SHUTDOWN;
    WEFT_RESTART_TEMPORARY  // all; it is forgotten then.
};

enum weft_auto_shutdown { // A significant child has ended and is not started again:
    WEFT_AUTO_NEVER,      // nothing more happens;
    WEFT_AUTO_ANY,        // the supervisor ends, reason SHUTDOWN;
    WEFT_AUTO_ALL         // so it does when no significant child is left.
};

#define WEFT_CHILD_ID_MAX  31          // Bytes of an id, at least one.
#define WEFT_SHUTDOWN_KILL UINT64_C(1) // weft_child.shutdown_ns: killed at once.
#define WEFT_RESTARTS_NONE UINT32_MAX  // restart_max: the first end of a child is one too many.

struct weft_supervisor_spec;
struct weft_dynamic_spec;

// A child: everything in it is copied but the tables that it points to. What is 0 has the default
// said behind it.
struct weft_child {
    const char *id; // Its name in its supervisor, and its label.
    // How it is started, one of:
    const struct weft_server *server; // A server, or what is built on one, which gets `args`;
    const struct weft_supervisor_spec *supervisor; // another supervisor;
    const struct weft_dynamic_spec *dynamic;
    // an actor, whose state is a copy of `args` (length 0: zeros; where state_bytes is 0, `args`
    // itself);
    const struct weft_actor_kind *kind;
    // a function, called in the supervisor, that starts one and says who it is. 0 and *pid; a
    // negative errno; WEFT_SERVER_IGNORE: there is nothing to start.
    int (*start)(struct weft_actor *self, const void *args, size_t length, weft_pid *pid);
    const void *args;
    size_t length;
    const char *name;          // Registered. NULL: none.
    struct weft_spawn spawn;   // Core, priority, limits; not its kind, state and label.
    uint64_t start_timeout_ns; // How long its `init` may take; 0: for ever.
    // How long it may take to end when it is told to (exit signal SHUTDOWN) before it is killed. 0:
    // 5 s, and for ever if it is a supervisor. WEFT_SHUTDOWN_KILL, WEFT_FOREVER.
    uint64_t shutdown_ns;
    uint8_t restart;    // enum weft_restart.
    bool significant;   // Not of PERMANENT children.
    bool is_supervisor; // Said of what `server`, `kind` or `start` starts: for lists, shutdown_ns.
};

struct weft_supervisor_spec {
    const struct weft_child *children;
    size_t child_count;
    uint8_t strategy;        // enum weft_strategy.
    uint8_t auto_shutdown;   // enum weft_auto_shutdown.
    uint32_t restart_max;    // So many restarts within period_ns are allowed; 0: 3.
    uint64_t period_ns;      // 0: 5 s.
    bool quiet;              // The ends of children are not logged.
    const char *name;        // Registered, if it is not a child of another. NULL: none.
    struct weft_spawn spawn; // As weft_start.
};

// Starts a supervisor and its children. 0 and *pid; what a child's start has returned: then those
// before it have been ended again; -EINVAL: a child is not well said, or an id is there twice.
int weft_supervisor_start(struct weft_actor *self, const struct weft_supervisor_spec *spec,
                          weft_pid *pid);
int weft_supervisor_start_link(struct weft_actor *self, const struct weft_supervisor_spec *spec,
                               weft_pid *pid);

// Adds a child behind the others, and starts it. 0 and *pid (0: it was ignored); what its start has
// returned: it is not added; -EEXIST: that id runs, as *pid; -EALREADY: it is there and does not
// run; -EINVAL.
int weft_supervisor_start_child(struct weft_actor *self, weft_pid supervisor,
                                const struct weft_child *child, weft_pid *pid);
// Ends a child, in order; it stays in the list, unless it is TEMPORARY. 0; -ENOENT.
int weft_supervisor_stop_child(struct weft_actor *self, weft_pid supervisor, const char *id);
// Starts a child that does not run. 0 and *pid; -ENOENT; -EEXIST: it runs; -EALREADY: it is being
// started again; what its start returned.
int weft_supervisor_restart_child(struct weft_actor *self, weft_pid supervisor, const char *id,
                                  weft_pid *pid);
// Takes a child that does not run off the list. 0; -ENOENT; -EBUSY: it runs.
int weft_supervisor_delete_child(struct weft_actor *self, weft_pid supervisor, const char *id);

struct weft_child_info {
    char id[WEFT_CHILD_ID_MAX + 1]; // Of dynamic children: that of their spec.
    weft_pid pid;                   // 0: it does not run.
    uint64_t restart_count;         // Of dynamic children: 0.
    uint8_t restart;                // enum weft_restart.
    bool is_supervisor;
    bool significant;
    bool is_restarting; // Its start has failed and is tried again.
};
// Up to `limit` children, in order of start, into `children`; *count: how many there are. Also of a
// dynamic supervisor, in no order. 0 or a negative errno.
int weft_supervisor_children(struct weft_actor *self, weft_pid supervisor,
                             struct weft_child_info *children, size_t limit, size_t *count);

struct weft_child_counts {
    uint64_t specs;       // Children on the list. Of a dynamic supervisor: as `active`.
    uint64_t active;      // Those that run.
    uint64_t supervisors; // Those on the list that are supervisors, running or not;
    uint64_t workers;     // those that are not.
    uint64_t restarts;    // Since it began.
};
int weft_supervisor_count(struct weft_actor *self, weft_pid supervisor,
                          struct weft_child_counts *counts);

// ---- Many children of one sort (OTP's simple_one_for_one, Elixir's DynamicSupervisor): found by
// pid in constant time, ended all at once. Each is restarted alone.

struct weft_dynamic_spec {
    struct weft_child child; // What each of them is; `id` is their label.
    uint32_t child_max;      // 0: no limit.
    uint32_t restart_max;    // As in weft_supervisor_spec, for all of them together.
    uint64_t period_ns;
    bool quiet;
    const char *name;
    struct weft_spawn spawn;
};

int weft_dynamic_start(struct weft_actor *self, const struct weft_dynamic_spec *spec,
                       weft_pid *pid);
int weft_dynamic_start_link(struct weft_actor *self, const struct weft_dynamic_spec *spec,
                            weft_pid *pid);
// Starts one with arguments of its own (copied; restarts use them again), or those of the spec if
// `length` is 0. 0 and *pid; what its start has returned; -ENOSPC: there are child_max.
int weft_dynamic_start_child(struct weft_actor *self, weft_pid supervisor, const void *args,
                             size_t length, weft_pid *pid);
int weft_dynamic_stop_child(struct weft_actor *self, weft_pid supervisor, weft_pid pid); // -ENOENT.

#endif // WEFT_SUPERVISOR_H
