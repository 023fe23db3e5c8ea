// actor.h: the actors of one core, and what the actor systems of one node share. The public face of
// all this is runtime/include/weft/; here is what the node itself uses and what the files of this
// directory know of each other's structures.
//
// A pid is 64 bits: 32 of index (8 of home core, 24 of slot) and 32 of generation. A slot whose
// generations are spent is retired, never wrapped: a pid names one actor for ever. An actor's block
// stays where it was born; what moves between cores is only who may touch it. `location` of the
// home core says who: that byte is all that another core reads of an actor.
//
// An actor, its mailbox and its timers are touched by the core it is on and by no other. What comes
// from another core came through the ring of that pair, as a chain of messages (outbox.c), so the
// order of a pair holds; migrate.c says how it holds while actors move.
//
// A mailbox is one queue in arrival order with two budgets: user messages are bounded; control
// messages travel in blocks that were taken when their cause was made (link, monitor, timer), so
// they neither fail nor overtake (DESIGN, rule 3).
//
// A message of tag PORT that is `from` a port has a third budget, beside mailbox_max: it is never
// refused, because its port counts what is not received yet and stops at its window. What tells it
// is a receipt: a control message of the port's own whose address travels as the `reference` of
// such a message, and is sent when that one is received, or dropped (mailbox.c).
#ifndef WEFT_ACTOR_SYSTEM_H
#define WEFT_ACTOR_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

#include <weft/actor.h>
#include <weft/message.h>
#include <weft/types.h>

#include "runtime/base/list.h"
#include "runtime/base/span.h"
#include "runtime/mem/arena.h"
#include "runtime/mem/slab.h"
#include "runtime/mem/stacks.h"
#include "runtime/sched/core.h"

static inline uint16_t weft_pid_home(weft_pid pid) // The core it was born on.
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

#define WEFT_MAILBOX_MAX        1024 // User messages, where a spawn does not say.
#define WEFT_MESSAGE_REDUCTIONS 10   // What handling or sending one message is charged.
#define WEFT_MESSAGE_CLASSES    4    // Blocks of 64, 128, 256 and 512 bytes come from slabs.
#define WEFT_SLOTS_MAX          (1u << 24)
#define WEFT_CHUNK_SLOTS        256 // Actors whose blocks come and go together.
#define WEFT_REFERENCE_NONE     UINT64_MAX
#define WEFT_TALK_MOVES         16 // Notes in a row of one conversation: go where the other is.

enum weft_actor_verdict { // What a slice wants next.
    WEFT_ACTOR_WAIT,  // Sleep until another message comes, or weft_actor_wake. Messages left stay.
    WEFT_ACTOR_AGAIN, // Another slice: there is more to do.
    WEFT_ACTOR_EXIT   // End; exit_reason in the actor says why (default NORMAL).
};

enum {                             // task.flags of an actor.
    WEFT_ACTOR_ENDING = 1 << 0,    // It ends at its next slice boundary.
    WEFT_ACTOR_ZOMBIE = 1 << 1,    // It has ended; its links are still being told.
    WEFT_ACTOR_TRAPS = 1 << 2,     // Exit signals are messages to it.
    WEFT_ACTOR_PINNED = 1 << 3,    // Not to be moved.
    WEFT_ACTOR_SELECTIVE = 1 << 4, // Waits for one reference: other messages do not wake it.
    WEFT_ACTOR_CALLING = 1 << 5,   // In weft_call.
    WEFT_ACTOR_MOVING = 1 << 6,    // Frozen, until it arrives elsewhere.
    WEFT_ACTOR_BUSY = 1 << 7,      // Its mailbox is at its limit (a sender to it may be muted).
    WEFT_ACTOR_MUTED = 1 << 8,     // Waits for room in somebody's mailbox.
    WEFT_ACTOR_PARKED = 1 << 9,    // It has a stack of its own, where it goes on unless it runs.
    WEFT_ACTOR_HOLDS = 1 << 10,    // Things hang on it that end before others are told (end.c).
    WEFT_ACTOR_EVICTED = 1 << 11,  // Its stack's bytes are elsewhere.
    WEFT_ACTOR_INDEXED = 1 << 12,  // What leaves its mailbox is told to receive.c, awaits.c,
                                   // heap.c, or to who follows it (trace.c).
    WEFT_ACTOR_PRIVATE = 1 << 13,  // An actor of the node itself: not listed as a user's.
    WEFT_ACTOR_OVERFLOW = 3 << 14, // enum weft_overflow.
};

struct weft_actor_system;

// What only some actors need: made when one keeps a message, arms a timer, and so on.
struct weft_actor_rare {
    struct weft_actor *actor;
    struct weft_list kept;      // Messages that it keeps.
    struct weft_list blocks;    // Of weft_alloc.
    struct weft_timer timer;    // Wakes it at deadline_ns, or before (wait.c).
    uint64_t deadline_ns;       // Of the wait under way.
    uint64_t patience_ns;       // How long others wait while it waits with a full mailbox (wait.c).
    struct weft_awaits *awaits; // Calls under way, beyond the one that it waits in.
    struct weft_cursors *cursors; // Where receives by pattern stopped.
    struct weft_list unmutes;     // UNMUTE messages for other cores, ready to go (mute.c).
    struct weft_message *alarm;   // The mailbox alarm's message, when it is not on its way.
    weft_pid alarm_to;
    uint32_t alarm_length; // 0: no alarm.
    uint32_t mailbox_max;  // The real one, while an alarm lowers the actor's; 0: the actor's.
    uint32_t memory_max;   // In units of 64 bytes; 0: none.
    uint32_t port_count;   // Messages in its mailbox that ports have counted.
    uint32_t followers;    // Who wants to know what it does (trace.c).
    uint8_t home;          // Core whose slab this block belongs to.
};

struct weft_actor {
    // What a sender touches.
    struct weft_task
        task; // Its place in a run queue; flags above; number: its partner (balance.c).
    weft_pid pid;
    struct weft_list mailbox; // struct weft_message, oldest first.
    uint32_t mailbox_count;   // User messages in it.
    uint32_t mailbox_max;
    // What a slice touches.
    struct weft_actor_system *system; // Of the core that it is on.
    const struct weft_actor_kind *kind;
    void *state;
    struct weft_message *current; // Received last, or being handled.
    void *stack;                  // Its own. NULL: none at the moment.
    struct weft_fiber fiber;     // Where it stands on it while it is parked (evict.c: or its copy).
    uint64_t awaited;            // The reference that it waits for, or WEFT_REFERENCE_NONE.
    struct weft_message *answer; // To the call that it waited in last.
    // The rest.
    union {
        struct weft_message *chain;
        struct weft_message **buckets;
    } edges; // Links, monitors, timers, names, memberships, by key (edge.c).
    uint32_t edge_count;
    uint8_t edge_bits;            // log2 of the buckets; 0: `edges` is one chain.
    uint8_t talk;                 // How often in a row last_to was the same at the end of a slice.
    uint16_t exit_reason;         // enum weft_exit.
    struct weft_actor_rare *rare; // NULL: none.
    struct weft_label *label;     // NULL: none.
    weft_pid parent;
    weft_pid last_to; // To whom it sent last: who talks to whom (balance.c).
    uint64_t reduction_count;
    uint32_t memory; // In units of 64 bytes: what heap.c counts.
    union {
        uint32_t parked_ticks; // When it parked, in units of 2^20 ns (evict.c).
        uint32_t edge_cursor;  // Of one that ends: the first bucket that may hold edges.
    };
};
#ifndef WEFT_FIBER_SANITIZER
_Static_assert(sizeof(struct weft_actor) == 192, "three cache lines");
#endif
_Static_assert(offsetof(struct weft_actor, system) == 64, "the first is the sender's");

struct weft_label {
    char text[32];
};

struct weft_actor_stats {
    weft_counter spawn_count, exit_count;
    // User messages. Over all cores of a node, with nothing on its way or in a mailbox:
    // send_count = message_count + the drops of stage "mailbox".
    weft_counter send_count;    // Offered here, those included for which there was no memory.
    weft_counter message_count; // Received by actors here.
    weft_counter arrived_count, departed_count; // Actors that came from another core, or went.
    weft_counter mute_count;                    // Times that a sender had to wait for room.
    weft_counter cycle_count;   // Calls refused because they would have waited for themselves.
    weft_counter evict_count;   // Stacks whose memory was given back while they slept.
    weft_counter backlog_turns; // Turns in a row that ended with work left over.
};

// Actors on a core. Any core; exact when none turns.
static inline uint64_t weft_actor_count(const struct weft_actor_stats *stats)
{
    return weft_counter_get(&stats->spawn_count) + weft_counter_get(&stats->arrived_count) -
           weft_counter_get(&stats->departed_count) - weft_counter_get(&stats->exit_count);
}

struct weft_slot_chunk {     // What its home knows of WEFT_CHUNK_SLOTS actors in one block.
    struct weft_actor *free; // Free ones, linked by task.link.next.
    uint32_t used;
    uint32_t generation; // Above every generation spent here before the block was given back.
    uint32_t next, prev; // In the ring of chunks with free slots; UINT32_MAX: in none.
};

struct weft_outbox { // Messages to one other core, in order.
    struct weft_message *first, *last;
    uint32_t count;
    uint32_t muted; // Senders wait until there are fewer.
};

// What the actor systems of one node share.
struct weft_actor_node {
    // By core, as many as a pid can name; those that run no actors have the one without slots.
    struct weft_actor_system *systems[256];
    struct weft_actor_system *nobody;
    uint64_t core_mask; // Cores that run actors.
    const char *name;   // The node's.
    struct weft_registry *registry;
    struct weft_tables *tables; // runtime/table. NULL: none.
    struct weft_offload *pool;  // Threads for weft_blocking; NULL: there are none.
    const char *crash_path;     // Made when the process ends by a fault; NULL: no report is kept.
    _Atomic bool stopping;      // An actor that holds its core is ended (fault.c).
    _Atomic uint16_t searcher;  // A core that looks for work, plus 1 (balance.c). One at a time.
    uint32_t first_generation;  // Pids begin above it, and references at a place of its own. A node
                                // that keeps either over a restart (in images of units) draws one
                                // below 2^30 each time, so that an old one names nobody.
    bool moves_always;          // For tests: every actor moves after every slice.
    bool is_ending;             // Its first system is being destroyed, or has been.
};

struct weft_credit { // Room in a channel of another core (credit.c).
    weft_pid channel;
    uint64_t count;
};
#define WEFT_CREDITS 32

struct weft_actor_system { // One per worker core.
    // Set at start; any core of the node reads these.
    struct weft_core *core;
    struct weft_actor_node *node;
    struct weft_arena *arena;
    struct weft_stacks *stacks; // NULL: nobody may wait with a stack.
    struct weft_actor **chunks; // By slot / WEFT_CHUNK_SLOTS; NULL: no block. Written by its core.
    _Atomic uint8_t *location;  // Of each slot: the core it is on, plus 1; 0: nobody.
    uint32_t slot_capacity;
    uint16_t index; // The core's.

    // Its core's alone.
    _Alignas(WEFT_CORE_ALIGN) struct weft_actor *running; // In its slice now; NULL: none.
    bool in_user;            // The code of an actor is running, not ours (fault.c).
    uint8_t note_dice;       // balance.c,
    bool attends;            // Dams stand here, or an actor is followed: senders look (send.c).
    uint32_t note_at;        // and the slice of this turn after which it looks next.
    uint32_t followed_count; // Actors on this core that somebody follows (trace.h).
    uint64_t sent, received; // User messages; in `stats` at the end of each turn.
    uint64_t reference;      // The last one given out; the core's index in the top byte.
    uint64_t out_mask;       // Outboxes with something in them.
    uint64_t home_mask;      // Cores with something in home[].
    struct weft_slab messages[WEFT_MESSAGE_CLASSES];
    struct weft_slot_chunk *slots;
    uint32_t chunk_count;
    uint32_t open_chunk;    // The first with free slots; UINT32_MAX: none.
    uint32_t holding;       // Arrivals under way.
    int64_t stack_promises; // Stacks of this core that somebody has, or may want (wait.c).
    uint64_t noted_sent, noted_reductions; // When weft_balance_note was called last,
    uint32_t noted_slices;                 // likewise.
    weft_pid mute_wanted;                  // Whom the slice under way has sent too much; 0: nobody.
    weft_pid calm_pid;   // The last one that was BUSY and had no room yet for who waits; 0: nobody.
    uint32_t calm_count; // It need not look again before it has this many messages (mute.c).
    uint64_t search_after_ns, refused_ns, help_after_ns; // balance.c
    uint32_t evict_hand;                                 // evict.c: the slot to look at next,
    bool evict_found, evict_busy; // whether this round has found one, whether there is a crowd,
    uint64_t evict_due_ns;        // and when to look again.
    struct weft_groups *groups;
    struct weft_tracer *tracer; // trace.h. NULL: off.
    struct weft_ports *ports;   // runtime/port's. NULL: there are none.
    // Whom weft_mute_watch was asked about has room again. It may only make tasks ready. NULL:
    // nobody wants to know.
    void (*relieved)(struct weft_actor_system *system, weft_pid receiver);
    bool is_stuck; // A handler is doing this core's work (relief.c).
    struct weft_list
        undestroyed; // Messages with objects that were dropped in it, until the turn ends.
    _Atomic weft_pid kill_wanted; // Ended if it holds the core (fault.c). Any thread writes it.
    struct weft_crash_ring *crashes;
    struct weft_list large; // Message blocks beyond the slabs' classes, to return at the end.
    struct weft_list dams;  // Receivers that senders of this core wait for (mute.c).
    struct weft_list held;  // Messages for actors that are about to arrive (migrate.c).
    struct weft_list moves; // Departures under way.
    struct weft_slab rare_slab, label_slab;
    struct weft_credit credits[WEFT_CREDITS];
    struct weft_outbox out[WEFT_CORE_MAX];
    struct weft_message *home[WEFT_CORE_MAX]; // Blocks released here: a chain per home.

    // Its core writes, any core reads.
    _Alignas(WEFT_CORE_ALIGN) struct weft_actor_stats stats;
};

struct weft_actor_options {
    struct weft_core *core;
    struct weft_arena *arena;
    struct weft_actor_node *node;
    uint32_t actor_count_max; // At most 2^24.
    uint32_t stack_count_max; // 0: nobody may wait with a stack of its own.
    enum weft_stack_guard guard;
    bool traces; // Keep a flight recorder (trace.h).
};

// Makes what the actor systems share. Before the first of them; `name` outlives it. 0 or -ENOMEM.
int weft_actor_node_init(struct weft_actor_node *node, const char *name, uint32_t name_count_max);
void weft_actor_node_destroy(struct weft_actor_node *node);

// Makes the actor system of a core. It takes the core's messages of kinds ACTOR and MEMORY, one of
// its poller places, and gives it stacks. Before the first turn of any core. 0, -ENOMEM, -ENOSPC.
int weft_actor_system_init(struct weft_actor_system *system,
                           const struct weft_actor_options *options);
// Ends every actor without telling anybody and returns all memory. No core of the node turns any
// more. Messages still in mailboxes are counted. The systems of a node are destroyed together: all
// of them before the first arena is freed.
void weft_actor_system_destroy(struct weft_actor_system *system);

// ---- What the node's own actors and kinds with `slice` use. Own core only.

// As weft_spawn, by the node. `parent` 0: nobody.
int weft_actor_spawn(struct weft_actor_system *system, const struct weft_spawn *spawn,
                     weft_pid parent, weft_pid *pid);

// The actor, if it is on this core and its generation is right; else NULL.
struct weft_actor *weft_actor_find(struct weft_actor_system *system, weft_pid pid);

// The core that an actor of this pid's slot is on, or goes to; -1: none. Any core of the node.
int weft_actor_core_of(const struct weft_actor_node *node, weft_pid pid);

// The generation of who is in this slot of this core's, or was there last; below the first one that
// is given: nobody has been. Later ones are given to others yet.
uint32_t weft_actor_last_generation(const struct weft_actor_system *system, uint32_t slot);

// A message of `length` payload bytes from this core's arena, zero header. NULL at the cap:
// counted.
struct weft_message *weft_message_alloc(struct weft_actor_system *system, uint32_t length);
// Releases a message on this core; its block goes home if it belongs elsewhere.
void weft_message_release(struct weft_actor_system *system, struct weft_message *message);

// Sends: ownership of `message` (with to, from, tag, type set) passes in every case. 0 if it is in
// the mailbox or on its way; -ESRCH no such actor, -ENOBUFS mailbox full: counted in the ledger.
// Never waits: what does not fit a mailbox is dropped whatever its policy.
int weft_actor_send(struct weft_actor_system *system, struct weft_message *message);

// For the running actor of a kind with `slice`, as weft_send_message: a receiver at its limit takes
// the message all the same. 1: it did; the slice should end soon, and the actor then stands still
// until there is room. 0; -ESRCH, -ENOBUFS.
int weft_actor_send_from(struct weft_actor *self, struct weft_message *message);
// Gives such an actor a slice although it stands still, for what does not concern the receiver.
// True: it did stand still. At the end of that slice weft_actor_stand_still puts it back.
bool weft_actor_disturb(struct weft_actor *actor);
// For the running actor: at the end of this slice it stands still for `receiver` again. False:
// there is room now.
bool weft_actor_stand_still(struct weft_actor *self, weft_pid receiver);
// Who waits for room in its mailbox may go on, though it has not got any: it does not empty it.
void weft_actor_relieve(struct weft_actor *actor);
static inline bool weft_actor_is_full(const struct weft_actor *actor)
{
    return (actor->task.flags & WEFT_ACTOR_BUSY) != 0;
}

// Takes the oldest message out of the mailbox; NULL if none. The caller owns it.
struct weft_message *weft_actor_receive(struct weft_actor *actor);

// Gives the actor a slice although no message came (a timer of its own fired).
void weft_actor_wake(struct weft_actor *actor);

// Ends an actor at its next slice boundary, wherever it is. 0, -ESRCH, -ENOMEM.
int weft_actor_kill(struct weft_actor_system *system, weft_pid pid, uint16_t reason);

// The same of an actor of this core: it needs no memory.
void weft_actor_end_soon(struct weft_actor *actor, uint16_t reason);

// Ends `pid` in the middle of its code if it holds the core that it is on; else does nothing, for
// weft_actor_kill is on its way. Any thread.
void weft_actor_kill_stuck(struct weft_actor_node *node, weft_pid pid);

// `watcher` (an actor of this core) gets one DOWN with *reference when `target` ends, at once with
// NOPROC if it does not exist. The block that carries it is taken here: -ENOMEM: not watched.
int weft_actor_monitor(struct weft_actor *watcher, weft_pid target, uint64_t *reference);
// No DOWN with this reference is received from now on. 0; -ENOENT: as weft_demonitor.
int weft_actor_demonitor(struct weft_actor *watcher, uint64_t reference);

// ---- What a kind with `slice` begins in one slice and looks at in a later one (later.c): it has
// no stack to wait on. Whatever comes wakes it. For the running actor of such a kind.

// A reference under which one REPLY may come to `self`, by weft_later_fulfil. 0: no memory.
uint64_t weft_later_new(struct weft_actor *self);
// Sends `block` (any message of this core, filled) as a call of `type`. *reference: its answer's.
// 0, or -ENOMEM; `block` may be NULL, which is that. The block is gone in every case.
int weft_later_ask(struct weft_actor *self, weft_pid to, uint16_t type, struct weft_message *block,
                   uint64_t *reference);
// 0 and *reply: it has come and is the caller's (weft_message_release); a negative errno stands in
// its place, as weft_call says; 1: not yet.
int weft_later_look(struct weft_actor *self, uint64_t reference, struct weft_message **reply);
// It is not wanted any more: dropped, if it comes or has come.
void weft_later_forget(struct weft_actor *self, uint64_t reference);
// Sends `block` as the reply to `reference` of `to`. From any actor, also in its `terminate`.
void weft_later_fulfil(struct weft_actor *self, struct weft_message *block, weft_pid to,
                       uint64_t reference);
// A block that holds up to `bytes`, filled or not, for the two above. NULL: no memory.
struct weft_message *weft_later_block(struct weft_actor_system *system, size_t bytes);
// The DOWN of a monitor of its own, taken out of the mailbox. True: it has come, with *reason.
bool weft_later_down(struct weft_actor *self, uint64_t reference, uint16_t *reason);
// The oldest message of these tags (1 << tag) for which `fits`, out of the mailbox. NULL: none.
struct weft_message *weft_later_receive(struct weft_actor *self, uint32_t tags,
                                        bool (*fits)(const struct weft_message *message,
                                                     const void *argument),
                                        const void *argument);

// Channels (channel.c), as weft/channel.h has them. 1: *reference is of an answer that will come;
// `is_now`: it says -EAGAIN rather than keep the caller waiting for room, or a message. Of a send
// and a close it has no payload.
int weft_later_channel_new(struct weft_actor *self, uint32_t capacity, weft_pid *channel);
int weft_later_channel_send(struct weft_actor *self, weft_pid channel, const void *bytes,
                            size_t length, bool is_now, uint64_t *reference);
int weft_later_channel_receive(struct weft_actor *self, weft_pid channel, bool is_now,
                               struct weft_message **message, uint64_t *reference);
int weft_later_channel_close(struct weft_actor *self, weft_pid channel, uint64_t *reference);
// A message of eight bytes, if it goes without waiting and without memory from elsewhere: to a
// channel of this core, or on room that another one's has lent it (credit.c); it is taken from one
// of this core alone. False: nothing has been done. For what would otherwise be most of the time.
bool weft_channel_put_cell(struct weft_actor *self, weft_pid channel, int64_t cell);
bool weft_channel_take_cell(struct weft_actor *self, weft_pid channel, int64_t *cell);
// Asks `channel` to answer `reference` now: with -ETIMEDOUT, if it cannot otherwise.
void weft_later_channel_cancel(struct weft_actor *self, weft_pid channel, uint64_t reference);

// As weft_link, weft_unlink, weft_send_after and weft_send_interval (0: once) to itself.
int weft_link_to(struct weft_actor *self, weft_pid pid);
int weft_unlink_from(struct weft_actor *self, weft_pid pid);
int weft_timer_start(struct weft_actor *self, weft_pid to, uint64_t delay_ns, uint64_t interval_ns,
                     uint16_t type, const void *bytes, size_t length, uint64_t *reference);
int weft_timer_stop(struct weft_actor *self, uint64_t reference);

// Every actor that is on this core, by home and slot. `see` must not end one. Own core, or when
// none turns.
void weft_actor_each(struct weft_actor_system *system,
                     void (*see)(struct weft_actor *actor, void *argument), void *argument);

// What the node holds for an actor, of a kind of its own: `bytes`, counted as the actor's memory.
// `*counted`, 0 at first, is what was said last. Own core.
void weft_actor_count_memory(struct weft_actor *actor, uint32_t *counted, size_t bytes);

// Names, for the node: as weft_register and weft_whereis. Any core of the node.
int weft_actor_register(struct weft_actor_system *system, const char *name, weft_pid pid);
weft_pid weft_actor_whereis(const struct weft_actor_node *node, const char *name);

static inline struct weft_list *weft_message_link(struct weft_message *message)
{
    return (struct weft_list *)(void *)message; // Its first member; of NULL, NULL.
}

static inline struct weft_message *weft_message_of(struct weft_list *link)
{
    return (struct weft_message *)(void *)link;
}

#endif // WEFT_ACTOR_SYSTEM_H
