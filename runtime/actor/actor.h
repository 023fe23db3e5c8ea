// actor.h: who runs on a core: callback actors and (as another kind) Forth units, under one pid
// type.
//
// A pid is 64 bits: 32 of index (8 of core, 24 of slot) and 32 of generation. A slot whose
// generation is spent is retired, never wrapped, so a pid names one actor for ever. An actor's
// state and mailbox are touched by its own core only; from another core a message is one slot of
// the SPSC ring of that pair, so the order of a pair holds.
//
// A mailbox is one queue in arrival order with two budgets: user messages are bounded by
// `mailbox_limit`; control messages (exit, down, timer, system) travel in nodes allocated when
// their cause was made (link, monitor, timer), so they neither fail nor overtake (DESIGN, rule 3).
#ifndef WEFT_ACTOR_ACTOR_H
#define WEFT_ACTOR_ACTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/list.h"
#include "runtime/base/span.h"
#include "runtime/mem/arena.h"
#include "runtime/mem/slab.h"
#include "runtime/sched/core.h"

typedef uint64_t weft_pid; // 0 names nobody.

static inline uint16_t weft_pid_core(weft_pid pid)
{
    return (uint16_t)((pid >> 24) & 0xff);
}

static inline uint32_t weft_pid_slot(weft_pid pid)
{
    return (uint32_t)(pid & 0xffffff);
}

static inline uint32_t weft_pid_generation(weft_pid pid)
{
    return (uint32_t)(pid >> 32);
}

enum weft_message_tag {
    WEFT_MESSAGE_USER, // Between actors; `type` is theirs.
    WEFT_MESSAGE_CALL, // Wants a reply with the same `reference`.
    WEFT_MESSAGE_REPLY,
    WEFT_MESSAGE_PORT,  // From outside: a datagram, an admin command. `type` says which.
    WEFT_MESSAGE_TIMER, // Control.
    WEFT_MESSAGE_DOWN,  // Control: a monitored actor ended; `from` is its pid, payload its reason.
    WEFT_MESSAGE_EXIT,  // Control: a linked actor ended.
    WEFT_MESSAGE_SYSTEM // Control.
};

// One message: header and flat payload in one block of the sending core's arena. It belongs to
// whoever holds it; the block goes home to core `home` when it is released on another. `home` and
// `length` stay as weft_message_alloc set them: the block's size follows from them.
struct weft_message {
    struct weft_list link;
    weft_pid to;
    weft_pid from;      // 0 if not from an actor.
    uint64_t reference; // Of a call, a timer, a monitor.
    uint8_t tag;        // enum weft_message_tag.
    uint8_t home;       // Core whose arena holds the block.
    uint16_t type;      // The parties' own.
    uint32_t length;    // Payload bytes.
    uint8_t payload[];
};
_Static_assert(sizeof(struct weft_message) == 48,
               "one message of up to 16 bytes is one cache line");

enum weft_exit { // Why an actor ended: `type` of EXIT and DOWN.
    WEFT_EXIT_NORMAL,
    WEFT_EXIT_KILLED,
    WEFT_EXIT_FAULT, // Its own doing: an uncaught throw, a broken rule.
    WEFT_EXIT_QUOTA,
    WEFT_EXIT_NOPROC // It did not exist when it was monitored.
};

#define WEFT_MAILBOX_LIMIT      1024 // User messages, where a spawn does not say.
#define WEFT_MESSAGE_REDUCTIONS 10   // What handling one message is charged.
#define WEFT_MESSAGE_CLASSES    4    // Blocks of 64, 128, 256 and 512 bytes come from slabs.

enum weft_actor_verdict { // What run() wants next.
    WEFT_ACTOR_WAIT,  // Sleep until another message comes, or weft_actor_wake. Messages left stay.
    WEFT_ACTOR_AGAIN, // Another slice: there is more to do.
    WEFT_ACTOR_EXIT   // End; exit_reason in the actor says why (default NORMAL).
};

struct weft_actor;

// A kind of actor. Callback actors give `handle`; units give `run` and take messages themselves.
struct weft_actor_kind {
    const char *name; // "callback", "unit".
    // One slice. `*reductions` goes down as work is done. NULL: the mailbox is handed to `handle`.
    enum weft_actor_verdict (*run)(struct weft_actor *actor, uint32_t *reductions);
    // One message; the actor does not own it: it is released afterwards. False ends the actor.
    bool (*handle)(struct weft_actor *actor, const struct weft_message *message);
    // The last thing that happens to an actor: frees its state. Its pid names nobody any more.
    // NULL: none.
    void (*destroy)(struct weft_actor *actor);
};

struct weft_actor_system;

struct weft_actor {
    struct weft_task task; // Its place in a run queue.
    struct weft_actor_system *system;
    const struct weft_actor_kind *kind;
    void *state; // The kind's.
    weft_pid pid;
    struct weft_list mailbox; // struct weft_message, oldest first.
    uint32_t mailbox_count;   // User messages in it.
    uint32_t mailbox_limit;
    struct weft_list monitors; // Who watches this actor: the DOWN of each, ready to go.
    struct weft_list watches;  // Whom this actor watches (monitor.c).
    uint8_t exit_reason;       // enum weft_exit.
    bool ending;               // Set by exit and kill; it ends at its next slice boundary.
    char name[32];             // For people; may be empty.
    uint64_t reduction_count;
    uint64_t message_count;    // Delivered to it.
    struct weft_list all_link; // In the system's list of its live actors.
};

struct weft_actor_stats {
    weft_counter actor_count, spawn_count, exit_count;
    // User messages. Over all cores of a node, with nothing on its way or in a mailbox:
    // send_count = message_count + drops MAILBOX_FULL, MAILBOX_NO_ACTOR, MAILBOX_NO_MEMORY and
    // RING_FULL (RING_FULL as far as it counts actors' messages).
    weft_counter send_count;    // Offered here, those included for which there was no memory.
    weft_counter message_count; // Received by actors here.
};

struct weft_actor_system { // One per worker core.
    struct weft_core *core;
    struct weft_arena *arena;
    struct weft_slab actors;
    struct weft_actor **slots; // By slot number.
    uint32_t *generations;
    uint32_t slot_count, slot_capacity;
    uint32_t *free_slots;
    uint32_t free_slot_count;
    struct weft_list all; // Live actors by age.
    struct weft_actor_stats stats;
    struct weft_slab messages[WEFT_MESSAGE_CLASSES];
    struct weft_list large; // Message blocks beyond the slabs' classes, to return at the end.
    uint64_t reference;     // The last one given out; the core's index stands in the top byte.
    uint64_t control_mask;  // Cores with something in control[].
    uint64_t home_mask;     // Cores with something in home[].
    struct weft_list control[WEFT_CORE_MAX]; // Control messages that found the ring full, in order.
    struct weft_message
        *home[WEFT_CORE_MAX]; // Blocks released here: a chain per core that made them.
};

// Makes the actor system of `core` with room for `capacity` actors (at most 2^24); memory from
// `arena`. It takes the core's messages of kinds ACTOR and MEMORY and one of its poller places.
// Before the first turn of any core. 0, -ENOMEM or -ENOSPC.
int weft_actor_system_init(struct weft_actor_system *system, struct weft_core *core,
                           struct weft_arena *arena, uint32_t capacity);
// Destroys every actor's state and returns all memory; nobody is told. No core of the node turns
// any more; the systems of its cores may be destroyed in any order. Messages still in mailboxes are
// counted.
void weft_actor_system_destroy(struct weft_actor_system *system);

struct weft_spawn {
    const struct weft_actor_kind *kind;
    void *state;            // Owned by the actor from now on, freed by kind->destroy.
    const char *name;       // Copied; NULL for none.
    uint32_t mailbox_limit; // 0: 1 024.
    uint8_t priority;       // enum weft_priority.
    bool start_ready;       // Give it a slice at once, before any message.
};

// Makes an actor on this core. 0 and *pid; -ENOMEM at the cap, -ENOSPC at the capacity: then
// `state` still belongs to the caller. Own core only.
int weft_actor_spawn(struct weft_actor_system *system, const struct weft_spawn *spawn,
                     weft_pid *pid);

// The actor, if it lives on this core and its generation is right; else NULL. Own core only.
static inline struct weft_actor *weft_actor_find(struct weft_actor_system *system, weft_pid pid)
{
    const uint32_t slot = weft_pid_slot(pid);
    if (slot >= system->slot_count) return NULL;
    struct weft_actor *actor = system->slots[slot];
    return actor != NULL && actor->pid == pid ? actor : NULL;
}

// A message of `length` payload bytes from this core's arena, zero header. NULL at the cap:
// counted.
struct weft_message *weft_message_alloc(struct weft_actor_system *system, uint32_t length);
// Releases a message on this core; its block goes home if it belongs elsewhere.
void weft_message_release(struct weft_actor_system *system, struct weft_message *message);

// Sends: ownership of `message` (with to, from, tag, type set) passes in every case. 0 if it is in
// the mailbox or on its way; -ESRCH no such actor, -ENOBUFS mailbox or ring full: counted in the
// ledger. Control messages (TIMER, EXIT, SYSTEM; DOWN is monitor's own) never get -ENOBUFS.
int weft_actor_send(struct weft_actor_system *system, struct weft_message *message);

// Takes the oldest message out of the mailbox; NULL if none. For kinds with `run`, which then own
// it.
struct weft_message *weft_actor_receive(struct weft_actor *actor);

// Gives the actor a slice although no message came (a timer of its own fired). Own core only.
void weft_actor_wake(struct weft_actor *actor);

// Ends an actor at its next slice boundary. Any core's system; crosses by ring. 0, -ESRCH,
// -ENOBUFS.
int weft_actor_kill(struct weft_actor_system *system, weft_pid pid, enum weft_exit reason);

// `watcher` (an actor of this core) gets one DOWN with `reference` when `target` ends, at once with
// NOPROC if it does not exist. The node that carries it is allocated here: -ENOMEM means not
// watched.
int weft_actor_monitor(struct weft_actor *watcher, weft_pid target, uint64_t *reference);
// No DOWN with this reference is delivered from now on.
void weft_actor_demonitor(struct weft_actor *watcher, uint64_t reference);

#endif // WEFT_ACTOR_ACTOR_H
