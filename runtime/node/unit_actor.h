// unit_actor.h: a Forth unit as an actor: its slices, its messages, and the texts it is asked to
// run.
//
//                   weft_unit_actor_submit (LOAD, RESTORE, EVAL, UNLOAD, KILL)
//                                   |
//     commands (oldest first) -> current --DONE, FAULT--> durable? --> done, on the control core
//                                   |                        |
//                              one slice at a time      journal_keeper.c
//
// A unit that has sent to a full mailbox stands still until there is room: its program, but not the
// unit, which is told of commands and times in slices that run no program (weft_actor_disturb).
//
// A text is evaluated on top of whatever is parked; a program that is running and never parks makes
// commands wait, until eval_timeout_ns answers W0405. A text that outlives its reductions or its
// time is ended with THROW -256 (W0404); the unit lives on.
#ifndef WEFT_NODE_UNIT_ACTOR_H
#define WEFT_NODE_UNIT_ACTOR_H

#include "runtime/node/command.h"
#include "runtime/node/node.h"

#define WEFT_UNIT_PORTS_MAX 4 // UDP ports that one unit may bind.

struct weft_unit_actor {
    struct weft_node_worker *worker;
    struct weft_resident *resident;
    struct weft_actor *actor;
    struct weft_unit *unit;
    struct weft_list commands; // Not begun.
    struct weft_command *current;
    uint32_t current_level; // Texts under way when it began.
    uint64_t current_reductions;
    uint64_t current_due_ns;   // When it has had its time.
    struct weft_list durable;  // Evaluated, on their way to the disk.
    struct weft_list finished; // Ready to go back to the control core.
    struct weft_timer timer;   // The earliest of MS, current_due_ns and patience_ns.
    weft_pid full_receiver;    // To whom it has sent too much;
    bool was_disturbed;        // it stood still for that, and this slice is an exception.
    uint64_t patience_ns;      // How long others wait for room in its full mailbox; 0: they do not.
    uint32_t counted_memory;   // What the actor was told that the unit has.
    struct weft_message *given; // What RECEIVE gave out last; released at the next.
    uint64_t message_count;     // Received.
    struct weft_udp_flow reply; // Where UDP-REPLY goes.
    bool can_reply;
    struct weft_unit_input *input;       // What was typed for it (unit_keys.h). NULL: nothing yet.
    struct weft_unit_files *files;       // unit_files.h. NULL: none yet.
    struct weft_unit_sockets *sockets;   // unit_sockets.h. NULL: none yet.
    struct weft_unit_limits *limits;     // Its own quotas (unit_limits.h). NULL: the node's.
    struct weft_unit_dealings *dealings; // With others (unit_dealings.h). NULL: none yet.
    // Of a spawned unit: who gets its results, under which reference, in which block.
    weft_pid heir;
    uint64_t heir_reference;
    struct weft_message *farewell; // NULL: it was loaded.
    uint32_t tried_levels;    // Texts under way when its program last came to wait; 0: it has not
                              // tried.
    struct weft_list lessons; // Messages whose payloads are texts of others (unit_lessons.h).
    uint32_t lesson_count;
    bool has_lesson;       // One of them is under way, above lesson_level texts,
    bool is_busy;          // None could begin in this slice.
    uint8_t learns;        // enum weft_unit_teachers.
    uint32_t lesson_level; // since it had spent lesson_reductions,
    uint64_t lesson_reductions;
    uint64_t lesson_due_ns; // and until then.
    uint32_t goal_cursor;   // Where GOAL looks first.
    bool leaving;           // The journal has been asked to forget it: no text is begun any more.
    bool ending;
    uint16_t ports[WEFT_UNIT_PORTS_MAX];
    uint32_t port_count;
};

// Hands `command` to the unit it names; for LOAD and RESTORE, makes the unit first. Control core,
// or any other: it crosses by ring. -ENOBUFS: the ring was full, the command is still the caller's.
int weft_unit_actor_submit(struct weft_node *node, struct weft_command *command);

// unit_keep.c: asks the journal to keep the unit's state (with its source, if it is new), or to
// forget it. weft_unit_actor_durable answers, in the order of asking. 0; -ENOMEM, -EMSGSIZE,
// -ENOBUFS: not asked.
bool weft_unit_actor_is_kept(const struct weft_unit_actor *unit);
int weft_unit_actor_keep(struct weft_unit_actor *unit, struct weft_span source, bool has_source);
int weft_unit_actor_forget(struct weft_unit_actor *unit);

// From the journal: the oldest record of this unit that waits for an answer is durable (`result` 0)
// or will never be. On the unit's core.
void weft_unit_actor_durable(struct weft_node_worker *worker, weft_pid pid, int result);

// The table through which the unit reaches the node (unit_host.c).
struct weft_unit_host weft_unit_actor_host(struct weft_unit_actor *unit);
// Binds a UDP port for the unit: at UDP-BIND, and again when it is restored. An ior for the unit.
int32_t weft_unit_actor_bind(struct weft_unit_actor *unit, uint16_t port);
void weft_unit_actor_unbind_all(struct weft_unit_actor *unit);

// The image as the journal holds it: what the node knows of the unit (its ports), then the unit's
// own.
size_t weft_unit_actor_image_bytes(const struct weft_unit_actor *unit);
int weft_unit_actor_image_write(const struct weft_unit_actor *unit, uint8_t *to, size_t bytes);
// Splits an image. 0 or -EBADMSG.
int weft_unit_actor_image_read(struct weft_span image, uint16_t ports[WEFT_UNIT_PORTS_MAX],
                               uint32_t *port_count, struct weft_span *unit_image);
// The quotas that were set for the unit of an image: to its resident, before it is restored. 0, or
// -EBADMSG, -EPROTONOSUPPORT: none were.
int weft_unit_actor_image_quota(struct weft_span image, struct weft_unit_quota *quota);

extern const struct weft_actor_kind weft_unit_actor_kind;

// ---- Spawned units (unit_nursery.c): they have no resident, no journal and no commands.

struct weft_unit_birth { // Before the seed (forth/unit.h), on its way to the core.
    weft_pid parent;
    uint64_t reference; // Of the farewell: a reply to the parent.
    bool is_linked;     // To the parent.
    uint32_t family;    // Whose reductions it spends (unit_limits.h).
    weft_pid founder;
    struct weft_unit_quota quota; // Whole.
    char label[32];
};

struct weft_unit_farewell {
    uint64_t reason; // enum weft_exit.
    uint64_t count;
    int64_t cells[WEFT_UNIT_RESULTS_MAX];
};

// A unit actor without unit and actor, zero but for its lists; NULL: no memory.
struct weft_unit_actor *weft_unit_actor_new(struct weft_node_worker *worker,
                                            struct weft_resident *resident);
// Makes a spawned unit on this core; it runs when the caller has given the core back. 0 and *pid,
// or a negative errno.
int weft_unit_actor_bear(struct weft_node_worker *worker, const struct weft_unit_birth *birth,
                         const void *seed, weft_pid *pid);
// The end of one: its heir is told. In its `terminate`.
void weft_unit_actor_bury(struct weft_unit_actor *unit, uint16_t reason);
// Starts the actor that makes such units when other cores ask for it: by a call of this type with a
// birth and a seed, answered with the pid.
#define WEFT_UNIT_BIRTH 1
int weft_unit_nursery_start(struct weft_node_worker *worker);

#endif // WEFT_NODE_UNIT_ACTOR_H
