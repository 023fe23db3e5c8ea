// unit_actor.h: a Forth unit as an actor: its slices, its messages, and the texts it is asked to
// run.
//
//                   weft_unit_actor_submit (LOAD, RESTORE, ADOPT, EVAL, SAVE, UNLOAD, KILL)
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
    uint32_t current_level;  // Texts under way when it began.
    uint32_t counted_memory; // What the actor was told that the unit has.
    uint64_t current_reductions;
    uint64_t current_due_ns;   // When it has had its time.
    struct weft_list durable;  // Evaluated, on their way to the disk.
    struct weft_list finished; // Ready to go back to the control core.
    struct weft_timer timer;   // The earliest of MS, current_due_ns and patience_ns.
    weft_pid full_receiver;    // To whom it has sent too much.
    uint64_t patience_ns;      // How long others wait for room in its full mailbox; 0: they do not.
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
    struct weft_message *farewell;   // NULL: it was loaded.
    struct weft_unit_family *family; // What the journal is to know of its own (unit_family.h).
    uint64_t root; // Of a spawned one that is kept: id of who was loaded, at the top of its family.
    uint32_t tried_levels;    // Texts under way when its program last came to wait; 0: it has not
                              // tried.
    uint32_t goal_cursor;     // Where GOAL looks first.
    struct weft_list lessons; // Messages whose payloads are texts of others (unit_lessons.h).
    uint32_t lesson_count;
    bool has_lesson;       // One of them is under way, above lesson_level texts,
    bool is_busy;          // None could begin in this slice.
    uint8_t learns;        // enum weft_unit_teachers.
    uint32_t lesson_level; // since it had spent lesson_reductions,
    uint64_t lesson_reductions;
    uint64_t lesson_due_ns; // and until then.
    // By which number programs know it: its pid, or the one that it had before it was restored. Of
    // a copy beside its original, that one's is `old_id`.
    uint64_t id, old_id;
    bool has_old_channels; // Some of its channels have been restored.
    bool has_family;       // So have its children.
    // Made, and to wait for others before it runs (unit_birth.c), with what it is to be given then.
    bool is_held, is_adopted;
    bool was_disturbed; // It stood still for full_receiver, and this slice is an exception.
    struct weft_list held_link;
    uint8_t *ties;
    uint32_t ties_bytes;
    // The journal (unit_keep.c).
    uint64_t asked, answered; // Records.
    uint64_t keep_ask;        // The one of its own that is under way; 0: none.
    bool is_journaled;        // It stands in the journal.
    bool is_new_record;       // The one under way is its first.
    bool is_dirty;            // It has done something since.
    bool wakes_to_keep;       // What `timer` is for, and nothing else.
    uint8_t save, save_level; // enum weft_unit_save, of the text that said UNIT-SAVE.
    int32_t save_ior;
    uint32_t kept_mail;   // Messages in its mailbox at the last one.
    uint64_t keep_due_ns; // When it may be written again.
    bool leaving;         // The journal has been asked to forget it: no text is begun any more.
    bool ending;
    bool takes_children; // When it ends, those that it has spawned do.
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
// Of a spawned one that the journal has not: its first record, not sent yet, for the record
// `serial` of the parent of this name. NULL with a negative errno in *result.
struct weft_message *weft_unit_actor_first_record(struct weft_unit_actor *unit, const char *parent,
                                                  uint64_t serial, int *result);
// It has ended: the journal keeps it only for its parent from now on. The second: it was gone when
// the journal's answer to a record came, and what the first says may have come before that record.
void weft_unit_actor_keep_no_more(struct weft_unit_actor *unit);
void weft_unit_actor_was_kept(struct weft_node_worker *worker, weft_pid pid);
// By which name the journal knows it.
void weft_unit_actor_journal_name(const struct weft_unit_actor *unit,
                                  char name[WEFT_UNIT_NAME_MAX + 1]);
// One that was adopted is written down as new.
void weft_unit_actor_keep_adopted(struct weft_unit_actor *unit);
// Between slices: writes the unit down if it has changed and its time has come, or if it has said
// UNIT-SAVE. When that will be, if nothing else happens; UINT64_MAX: never.
void weft_unit_actor_keep_turn(struct weft_unit_actor *unit);
uint64_t weft_unit_actor_keep_due_ns(const struct weft_unit_actor *unit);
// It stands in UNIT-SAVE.
bool weft_unit_actor_is_saving(const struct weft_unit_actor *unit);
// There will be no record for its UNIT-SAVE.
void weft_unit_actor_save_refused(struct weft_unit_actor *unit);
// It has changed, and is to be written down without delay.
void weft_unit_actor_keep_soon(struct weft_unit_actor *unit);
// The same, in so long.
void weft_unit_actor_keep_later(struct weft_unit_actor *unit, uint64_t delay_ns);
// The answer to one of its own. False: it was a command's.
bool weft_unit_actor_kept(struct weft_unit_actor *unit, int result);
void weft_unit_keep_host(struct weft_unit_host *host); // UNIT-SAVE.

// From the journal: the oldest record of this unit that waits for an answer is durable (`result` 0)
// or will never be. On the unit's core.
void weft_unit_actor_durable(struct weft_node_worker *worker, weft_pid pid, int result);

// Fills the table through which units reach the node (unit_host.c). `self` is a unit actor.
void weft_unit_actor_host(const struct weft_node *node, struct weft_unit_host *host);
// Binds a UDP port for the unit: at UDP-BIND, and again when it is restored. An ior for the unit.
int32_t weft_unit_actor_bind(struct weft_unit_actor *unit, uint16_t port);
void weft_unit_actor_unbind_all(struct weft_unit_actor *unit);

// A datagram as a message: the flow back, then the payload.
struct weft_unit_datagram {
    struct weft_udp_flow reply;
};
// Eight bytes of it, in an image; it comes back by whatever port has a route.
void weft_unit_flow_put(uint8_t *to, const struct weft_udp_flow *flow);
void weft_unit_flow_get(const uint8_t *from, struct weft_udp_flow *flow);

// ---- unit_image.c: the image as the journal and files hold it: what the node knows of the unit
// (its ports, its id, its ties), then the unit's own. docs/wire/unit-image.md.

struct weft_unit_parts {
    uint16_t ports[WEFT_UNIT_PORTS_MAX];
    uint32_t port_count;
    uint64_t id; // 0: of a version that had none.
    struct weft_span ties, unit;
    struct weft_unit_quota quota; // What was set for it; of the ties.
};

size_t weft_unit_actor_image_bytes(struct weft_unit_actor *unit);
// 0 or -ENOSPC. `bytes` is what the function above has just said.
int weft_unit_actor_image_write(struct weft_unit_actor *unit, uint8_t *to, size_t bytes);
// Splits an image, and checks its head. Its ties are weft_unit_ties_check's, the unit's own part is
// weft_unit_load's. 0; -EBADMSG, -EPROTONOSUPPORT with *wrong for people.
int weft_unit_actor_image_read(struct weft_span image, struct weft_unit_parts *parts,
                               const char **wrong);
// The quotas that were set for the unit of an image: to its resident, before it is restored. Of an
// image that will be refused: none.
struct weft_unit_quota weft_unit_actor_image_quota(struct weft_span image);
// The id in an image that this node has written; 0: there is none.
uint64_t weft_unit_actor_image_id(struct weft_span image);

// ---- Ids (unit_ids.h).

// Whom a program of this unit means by `id`.
weft_pid weft_unit_actor_resolve(const struct weft_unit_actor *unit, uint64_t id);
// `pid` is known as `id` from now on, unless somebody lives who is: then only to this unit.
void weft_unit_actor_name(struct weft_unit_actor *unit, uint64_t id, weft_pid pid);

// The units of this core that are held: each is given what it had to do with others, once all cores
// have made theirs; they run, once all have been given that; or they end.
void weft_unit_actor_tie_held(struct weft_node_worker *worker);
void weft_unit_actor_run_held(struct weft_node_worker *worker);
void weft_unit_actor_end_held(struct weft_node_worker *worker);

extern const struct weft_actor_kind weft_unit_actor_kind;

// ---- Spawned units (unit_nursery.c): they have no resident and no commands.

// When this unit ends, so do those that it has spawned, on all cores, and theirs. Those whose
// parent had ended before do if they are of its kept family, which the journal has forgotten with
// it; else they are nobody's. It is about to end. weft_unit_actor_parting says whether all of that
// is over, of the whole node.
void weft_unit_actor_take_children(struct weft_unit_actor *unit);
void weft_unit_actor_part(struct weft_unit_actor *unit);    // It has ended. In its `terminate`.
bool weft_unit_actor_parting(const struct weft_node *node); // Any core.

struct weft_unit_birth { // Behind it lies the seed (forth/unit.h), on its way to the core.
    weft_pid parent;
    uint64_t reference;        // Of the farewell: a reply to the parent.
    bool is_linked;            // To the parent.
    struct weft_volume *words; // For another core: what the seed relies on is held so long.
    uint32_t family;           // Whose reductions it spends (unit_limits.h).
    weft_pid founder;
    uint64_t root;                // As struct weft_unit_actor has it; 0: it is not kept.
    bool has_quota;               // Else it has what the node gives to all, as its parent.
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
                         weft_pid *pid);

struct weft_unit_kin { // Of a spawned unit that comes back: ids, looked up when the held are tied.
    uint64_t heir, reference; // Who waits for its end, and under which reference; 0: nobody.
    uint64_t founder;         // Whose reductions it spends; 0: its own.
    uint64_t root;            // As struct weft_unit_actor has it; 0: it is not kept.
    bool is_journaled;        // It comes from the journal.
};
// One from its image, held, with these quotas. 0 or a negative errno, with *wrong for people if it
// is the image's fault.
int weft_unit_actor_revive(struct weft_node_worker *worker, const char *label,
                           struct weft_span image, const struct weft_unit_kin *kin,
                           const struct weft_unit_quota *quota, const char **wrong);
// The end of one: its heir is told. In its `terminate`.
void weft_unit_actor_bury(struct weft_unit_actor *unit, uint16_t reason);
// Starts the actor that makes such units when other cores ask for it: by a call of this type with a
// birth and a seed, answered with the pid.
#define WEFT_UNIT_BIRTH 1
#define WEFT_UNIT_PART                                                                             \
    2 // Behind a birth that its sender has asked for: it is over with its family.
int weft_unit_nursery_start(struct weft_node_worker *worker);

#endif // WEFT_NODE_UNIT_ACTOR_H
