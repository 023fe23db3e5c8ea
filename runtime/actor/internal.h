// internal.h: what the files of this directory know of each other's functions.
#ifndef WEFT_ACTOR_INTERNAL_H
#define WEFT_ACTOR_INTERNAL_H

#include "runtime/actor/actor.h"
#include "runtime/actor/trace.h"
#include "runtime/base/assert.h"
#include "runtime/base/probe.h"

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

// Tags that only travel inside the node, above the public ones. Signals go to a pid, as messages
// do; orders go from core to core.
enum {
    TAG_SIGNALS = 16,
    TAG_KILL,      // `type`: the reason.
    TAG_EXIT,      // An exit signal, `from` somebody; `type`: the reason.
    TAG_LINK,      // A link's edge on its way to the other side (link.c).
    TAG_UNLINK,    // Takes it away again.
    TAG_LINK_EXIT, // The end of a linked actor.
    TAG_MONITOR,   // A DOWN on its way to the actor that it will tell of (monitor.c).
    TAG_DEMONITOR, // Takes it back.
    TAG_TICK,      // A timer's message on its way back to it (timer.c).
    TAG_NAME,      // A name for it (registry.c).
    TAG_AIM,       // Its call has been sent on to another one (call.c).
    TAG_INFO,      // Somebody wants to know of it (info.c).
    TAG_OWN,       // Something that is to end with it (owned.c).
    TAG_ORDERS = 48,
    TAG_MUTE,   // `from` takes no more for now (mute.c).
    TAG_UNMUTE, // It does again.
    TAG_OFFER,  // Core `type` wants to give actors away (migrate.c).
    TAG_PULL,   // Core `type` wants actors, or takes those that were offered.
    TAG_MARK,   // All that was sent before has been received when this is answered.
    TAG_MARKED, // It has.
    TAG_ARRIVE, // Actors come over.
    TAG_JOIN,   // A member of a group (group.c).
    TAG_LEAVE,
    TAG_CREDIT, // A channel lends this core room (credit.c),
    TAG_RECALL, // and wants it back.
    // Blocks that come home, in the shape of a message.
    TAG_HOME_ACTOR = 96,
    TAG_HOME_RARE,
    TAG_HOME_STACK,
    // Edges, while they stand in an actor's table: to others, then what ends with it (end.c).
    TAG_EDGE_LINK = 112,
    TAG_EDGE_WATCH,   // It watches somebody; `reference` is the monitor's.
    TAG_EDGE_WATCHED, // It is watched: the DOWN, ready to go.
    TAG_EDGE_THINGS,
    TAG_EDGE_TIMER = TAG_EDGE_THINGS,
    TAG_EDGE_NAME,   // `reference`: the place in the registry.
    TAG_EDGE_MEMBER, // `reference`: the membership's.
    TAG_EDGE_OWNED,  // Something that is told when it ends (owned.c).
};

// struct weft_message.home: the core, and what the block carries: an object in place of the
// payload; something of ours behind it (a CALL's trail, the way back of a TIMER that ticks).
enum { HOME_CORE = 0x3f, HOME_OBJECT = 0x40, HOME_BEHIND = 0x80 };

#define REPLY_ERROR UINT16_MAX // `type` of a REPLY that carries an errno.

static inline bool is_control(const struct weft_message *message)
{
    return message->tag >= WEFT_MESSAGE_TIMER;
}

static inline bool is_bounded(const struct weft_message *message)
{
    return message->tag < WEFT_MESSAGE_REPLY;
}

// It counts against its receiver's memory_max (heap.c). Beyond the slabs' classes.
static inline bool is_large(const struct weft_message *message)
{
    return message->length > WEFT_MESSAGE_LARGE;
}

// It is from a port, which has counted it.
static inline bool is_windowed(const struct weft_message *message)
{
    return message->tag == WEFT_MESSAGE_PORT && message->from != 0;
}

static inline uint16_t core_of(const struct weft_message *block)
{
    return block->home & HOME_CORE;
}

void weft_outbox_flush(struct weft_actor_system *system);
void weft_balance_note(struct weft_actor_system *system, struct weft_actor *actor);

// ---- slot.c

// Where `pid` is: its core plus 1; 0: nowhere. Of an actor that moves: where it goes.
static inline unsigned weft_slot_core(const struct weft_actor_system *system, weft_pid pid)
{
    const struct weft_actor_system *home = system->node->systems[weft_pid_home(pid)];
    const uint32_t slot = weft_pid_slot(pid);
    if (unlikely(slot >= home->slot_capacity)) return 0;
    // Acquire: pairs with the release in weft_slot_set_core, so that who finds an actor to be here,
    // by a pid however old, finds its block. Where it is itself is fenced by the rings: a pid comes
    // by one, after the location was stored, and a move by the marks of migrate.c.
    return atomic_load_explicit(&home->location[slot], memory_order_acquire);
}

// The block of `pid`, whoever it is now. Only if weft_slot_core says that it is here.
static inline struct weft_actor *weft_slot_actor(const struct weft_actor_system *system,
                                                 weft_pid pid)
{
    const struct weft_actor_system *home = system->node->systems[weft_pid_home(pid)];
    const uint32_t slot = weft_pid_slot(pid);
    return &home->chunks[slot / WEFT_CHUNK_SLOTS][slot % WEFT_CHUNK_SLOTS];
}

static inline void weft_slot_set_core(const struct weft_actor_system *system, weft_pid pid,
                                      unsigned core_plus_1)
{
    const struct weft_actor_system *home = system->node->systems[weft_pid_home(pid)];
    // Release: pairs with the acquire in weft_slot_core.
    atomic_store_explicit(&home->location[weft_pid_slot(pid)], (uint8_t)core_plus_1,
                          memory_order_release);
}

// False if there is no such actor; true if there is, or another core would have to be asked.
static inline bool weft_slot_may_be(const struct weft_actor_system *system, weft_pid pid)
{
    const unsigned where = weft_slot_core(system, pid);
    if (where == system->index + 1u && system->holding == 0)
        return weft_slot_actor(system, pid)->pid == pid;
    return where != 0;
}

int weft_slots_init(struct weft_actor_system *system, uint32_t capacity);
void weft_slots_destroy(struct weft_actor_system *system);
// A slot with a pid of its own, its block otherwise unset. 0, -ENOMEM, -ENOSPC.
int weft_slot_take(struct weft_actor_system *system, struct weft_actor **actor, weft_pid *pid);
// At home: gives it back, one generation on.
void weft_slot_release(struct weft_actor_system *system, struct weft_actor *actor);

// Whose hands an actor is in. Its new core writes it, once the old one has let go.
static inline struct weft_actor_system *weft_actor_system_of(const struct weft_actor *actor)
{
    return __atomic_load_n(&actor->system, __ATOMIC_RELAXED);
}

// ---- message.c

void weft_message_init(struct weft_actor_system *system);
void weft_message_destroy(struct weft_actor_system *system);
// As weft_message_alloc, without a count: for control messages. 16 payload bytes are there all the
// same, hidden from its reader by length 0 (the smallest class is 64 bytes). NULL at the cap.
struct weft_message *weft_message_alloc_control(struct weft_actor_system *system);
// The same with `hidden` bytes.
struct weft_message *weft_message_alloc_hidden(struct weft_actor_system *system, uint32_t hidden);
// Gives back a block and nothing else: no object is destroyed, no call answered.
void weft_message_release_block(struct weft_actor_system *system, struct weft_message *message);
// A block of another core that looks like a message: sends it home.
void weft_message_send_home(struct weft_actor_system *system, struct weft_message *block);
// Bytes that the block of `message` has behind its header.
size_t weft_message_room(const struct weft_message *message);
bool weft_message_same_class(const struct weft_message *message, size_t length);

// ---- mailbox.c

enum { PUT_MUTE = 1 }; // In the mailbox; but it has more than it wants.

// Puts a message into the mailbox of an actor of this core. `may_wait`: its sender can be made to
// wait, so that a mailbox at its limit takes it. 0, PUT_MUTE, or a negative errno: it is released.
int weft_mailbox_put(struct weft_actor_system *system, struct weft_actor *actor,
                     struct weft_message *message, bool may_wait);
// Takes `message`, which stands in the mailbox, out of it, from wherever it stands.
void weft_mailbox_take(struct weft_actor *actor, struct weft_message *message);
// Releases up to `limit` messages of an actor that ends. True: it is empty.
bool weft_mailbox_empty(struct weft_actor *actor, uint32_t limit);
// Counts and releases what cannot be delivered.
int weft_mailbox_drop(struct weft_actor_system *system, struct weft_message *message,
                      enum weft_drop why, int status);
// Takes it out for its owner, who has received it.
void weft_mailbox_receive(struct weft_actor *actor, struct weft_message *message);
// `message`, still in its place, is about to leave the mailbox of an INDEXED actor.
void weft_mailbox_removed(struct weft_actor *actor, struct weft_message *message);
void weft_mailbox_drained(struct weft_actor *actor); // It was BUSY and has room again.
// Its mailbox is at its limit, or somebody wants to know when it is shorter.
static inline void weft_mailbox_is_busy(struct weft_actor *actor)
{
    actor->task.flags |= WEFT_ACTOR_BUSY;
    actor->system->calm_pid = 0;
}
// BUSY, and nothing is to be done about it while it has more than `count` messages.
static inline void weft_mailbox_is_calm(const struct weft_actor *actor, uint64_t count)
{
    if (actor->rare != NULL || count >= UINT32_MAX) return; // Others look there each time.
    actor->system->calm_pid = actor->pid;
    actor->system->calm_count = (uint32_t)count + 1; // Asked before one is taken out.
}
uint32_t weft_mailbox_limit(const struct weft_actor *actor);
// What is in it of both kinds, users' and ports': at its limit, ports stop, each for itself.
static inline uint32_t weft_mailbox_load(const struct weft_actor *actor)
{
    return actor->mailbox_count + (actor->rare != NULL ? actor->rare->port_count : 0);
}
// A message of tag PORT leaves the mailbox, or is dropped: sends the receipt that it carries.
void weft_receipt_send(struct weft_actor_system *system, struct weft_message *message);

// ---- outbox.c

// Sends to whoever `message->to` is, on whatever core. As weft_mailbox_put.
int weft_route(struct weft_actor_system *system, struct weft_message *message, bool may_wait);
// Sends a signal (tags from TAG_SIGNALS on, DOWN, EXIT) the same way; it cannot fail.
void weft_signal(struct weft_actor_system *system, struct weft_message *message);
// Sends an order to core `to`, which is not this one.
void weft_order(struct weft_actor_system *system, uint16_t to, struct weft_message *order);
// A signal has arrived at its actor's core; `actor` NULL: it does not exist.
void weft_signal_arrived(struct weft_actor_system *system, struct weft_actor *actor,
                         struct weft_message *signal);
void weft_outbox_flush(struct weft_actor_system *system);
// The handlers of WEFT_CORE_MESSAGE_ACTOR and _MEMORY, and the flush of each turn.
void weft_outbox_on_actor(void *self, const struct weft_core_message *message);
void weft_outbox_on_memory(void *self, const struct weft_core_message *message);
void weft_outbox_turn_end(void *self, uint64_t now_ns);
// Delivers one message that came from another core, or was held.
void weft_outbox_deliver(struct weft_actor_system *system, struct weft_message *message);

// ---- actor.c

// At home: its slot and what was made with it are free again.
void weft_actor_bury(struct weft_actor_system *system, struct weft_actor *actor);
// Adds what the slice under way has used so far, before it is left.
static inline void weft_actor_account(struct weft_actor *actor)
{
    actor->reduction_count += weft_core_slice_used(actor->system->core);
}
// As weft_stop, of the running actor, within our own code.
void weft_actor_stop(struct weft_actor *actor, uint16_t reason);
// Leaves the slice of the running actor for good: it is to end.
_Noreturn void weft_actor_abandon(struct weft_actor *self);
// Puts an actor of this core into its run queue.
static inline void weft_actor_ready(struct weft_actor *actor)
{
    weft_core_ready(actor->system->core, &actor->task);
}
// Charges the slice under way.
static inline void weft_actor_charge(const struct weft_actor *actor, int32_t reductions)
{
    actor->system->core->run.left -= reductions;
}
// Its block for rare things; NULL: no memory.
struct weft_actor_rare *weft_actor_rare(struct weft_actor *actor);
static inline struct weft_actor_rare *weft_actor_rare_of(const struct weft_actor *actor)
{
    return actor->rare;
}

// ---- slice.c, end.c: what task.run of an actor may be.

bool weft_slice_callback(struct weft_core *core, struct weft_task *task);
bool weft_slice_main(struct weft_core *core, struct weft_task *task);
bool weft_slice_kind(struct weft_core *core, struct weft_task *task);
bool weft_slice_parked(struct weft_core *core, struct weft_task *task);
bool weft_slice_ending(struct weft_core *core, struct weft_task *task);
bool weft_slice_is_actor(const struct weft_task *task); // Not some other task of the core.

// What is noted at the end of a slice: chains for other cores go, and now and then, who talks to
// whom (balance.c).
static inline bool weft_slice_is_noted(const struct weft_actor_system *system,
                                       const struct weft_core *core)
{
    return system->out_mask != 0 || core->run.slices >= system->note_at;
}
static inline void weft_slice_note(struct weft_actor_system *system, const struct weft_core *core,
                                   struct weft_actor *actor)
{
    if (unlikely(system->out_mask != 0)) weft_outbox_flush(system);
    if (unlikely(core->run.slices >= system->note_at)) weft_balance_note(system, actor);
}

// ---- wait.c

enum weft_wait { WAIT_OVER, WAIT_TIMEOUT, WAIT_REFUSED };

// True if the running actor may leave its core in the middle of its slice. Does not return if it is
// to end: it waits for nothing any more.
bool weft_actor_may_park(struct weft_actor *actor);
static inline bool weft_actor_can_park(struct weft_actor *actor)
{
    if (likely(actor->stack != NULL && (actor->task.flags & WEFT_ACTOR_ENDING) == 0)) return true;
    return weft_actor_may_park(actor);
}
// Leaves it. Returns in a later slice, perhaps on another core.
void weft_actor_park(struct weft_actor *actor);
// Parks until the actor is ready again or `deadline_ns` has come; may return early.
enum weft_wait weft_actor_wait(struct weft_actor *actor, uint64_t deadline_ns);
static inline uint64_t weft_deadline_ns(const struct weft_actor *actor, uint64_t timeout_ns)
{
    const uint64_t now_ns = actor->system->core->now_ns;
    return timeout_ns > UINT64_MAX - now_ns ? UINT64_MAX : now_ns + timeout_ns;
}
void weft_actor_release_stack(struct weft_actor *actor);
void weft_actor_release_rare(struct weft_actor *actor);

// The edges of every public function: between them our code runs, outside an actor's (fault.c).
static inline struct weft_actor_system *enter(const struct weft_actor *self)
{
    struct weft_actor_system *system = self->system;
    weft_assert(system->running == self); // `self` is whoever runs, and nobody else.
    system->in_user = false;
    atomic_signal_fence(memory_order_seq_cst);
    return system;
}
static inline void leave(const struct weft_actor *self)
{
    atomic_signal_fence(memory_order_seq_cst);
    self->system->in_user = true;
}

bool weft_stack_promise(struct weft_actor_system *system);
void weft_stack_unpromise(struct weft_actor_system *system);
void weft_stack_came_home(struct weft_actor_system *system, struct weft_message *block);

// ---- evict.c

void weft_actor_restore_stack(struct weft_actor *actor);
void weft_actor_drop_evicted(struct weft_actor *actor);
void weft_evict_turn(struct weft_actor_system *system, uint64_t now_ns);
uint64_t weft_evict_due_ns(void *self);

// ---- receive.c, awaits.c, call.c, later.c

// As weft_later_ask, but for the way, which is the caller's.
int weft_later_begin(struct weft_actor *self, weft_pid to, uint16_t type,
                     struct weft_message *block, uint64_t *reference);
void weft_receive_disown(struct weft_actor *actor, struct weft_message *message);
// The first message that fits, taken out of the mailbox and in hand (`current`). NULL: none.
struct weft_message *weft_receive_take(struct weft_actor *self, const struct weft_match *match);
// The reply to `reference`, if it is awaited and has come. *known: it is awaited.
struct weft_message *weft_awaits_find(const struct weft_actor *actor, uint64_t reference,
                                      bool *known);

void weft_receive_drop_current(struct weft_actor *actor);
void weft_receive_drop_answer(struct weft_actor *actor);
void weft_cursors_removed(struct weft_actor_rare *rare, const struct weft_message *message);
void weft_cursors_free(struct weft_actor *actor);
// A REPLY has come. True: it is taken.
bool weft_awaits_answered(struct weft_actor *actor, struct weft_message *reply);
bool weft_awaits_add(struct weft_actor *actor, uint64_t reference);
// Says, of one that was added, from whom the reply will come; and who said so, `other` if nobody.
void weft_awaits_aim(struct weft_actor *actor, uint64_t reference, weft_pid whom);
weft_pid weft_awaits_whom(const struct weft_actor *actor, uint64_t reference, weft_pid other);
void weft_awaits_forget(struct weft_actor *actor, uint64_t reference);
void weft_awaits_removed(struct weft_actor_rare *rare, const struct weft_message *reply);
void weft_awaits_free(struct weft_actor *actor);
// Waits for the reply to `reference`, which was not asked for by weft_call. As weft_call.
int weft_call_wait(struct weft_actor *self, uint64_t reference, uint64_t timeout_ns,
                   struct weft_message **reply);
// As weft_await; *came: the reply has come, whatever it says.
int weft_call_await(struct weft_actor *self, uint64_t reference, uint64_t timeout_ns,
                    struct weft_message **reply, bool *came);
// Asks `pid`, which serves calls when it can, by a call made of `block`. One that has waited for
// too long is taken back by a call of type `cancel` with its reference: then it has been served, or
// it never will be, and the caller knows which. As weft_call; the answer stands in self->answer.
int weft_call_ask(struct weft_actor *self, weft_pid pid, uint16_t type, uint16_t cancel,
                  struct weft_message *block, uint64_t timeout_ns);
// Turns a CALL that nobody will answer into a reply that says so, and sends it.
void weft_call_fail(struct weft_actor_system *system, struct weft_message *call, int error);
// True if `actor`, which is in a call of its own, waits for the caller of `call`, directly or not:
// it would not come to serve it.
bool weft_call_is_cycle(const struct weft_actor *actor, const struct weft_message *call);
void weft_call_name_cycle(struct weft_actor *actor, const struct weft_message *call);
// `call` is about to be sent on: its caller waits for `whom` from now on.
void weft_call_passed_on(struct weft_actor_system *system, const struct weft_message *call,
                         weft_pid whom);
void weft_aim_arrived(struct weft_actor *actor, const struct weft_message *news);

// ---- credit.c: room that channels of other cores have lent to this one.

// `type` of a cast to a channel that has lent: `reference` says how much comes back. After a recall
// that is all of it.
enum { WEFT_CHANNEL_REPAID = 0xff08, WEFT_CHANNEL_REPAID_ALL };
enum { WEFT_RECALL = 0, WEFT_RECALL_IS_LAST }; // `type` of a TAG_RECALL: nobody is to be answered.
// `reference` of a plain message, from an actor, which has used up one.
#define WEFT_CREDITED (UINT64_MAX - 1)

// True: one message may be sent to `channel` as WEFT_CREDITED, and is to be.
bool weft_credit_take(struct weft_actor_system *system, weft_pid channel);
// It could not be made.
void weft_credit_untake(struct weft_actor_system *system, weft_pid channel);
void weft_credit_ordered(struct weft_actor_system *system, struct weft_message *order);

// ---- edge.c, link.c, monitor.c, timer.c

void weft_edge_add(struct weft_actor *actor, struct weft_message *edge);
struct weft_message *weft_edge_find(const struct weft_actor *actor, uint8_t tag, uint64_t key);
// Takes it out; it is the caller's then.
struct weft_message *weft_edge_take(struct weft_actor *actor, uint8_t tag, uint64_t key);
// Of an actor that ends, from `edge_cursor` on. NULL: none left.
struct weft_message *weft_edge_take_any(struct weft_actor *actor);
// The same of tags from TAG_EDGE_THINGS on, looking at not many more than *budget edges, which are
// subtracted from it. NULL: none left, or *budget is 0.
struct weft_message *weft_edge_take_thing(struct weft_actor *actor, uint32_t *budget);
void weft_edge_each(struct weft_actor *actor,
                    void (*see)(struct weft_actor *actor, struct weft_message *edge,
                                void *argument),
                    void *argument);
void weft_edges_free(struct weft_actor *actor);

void weft_link_arrived(struct weft_actor_system *system, struct weft_actor *actor,
                       struct weft_message *edge);
void weft_unlink_arrived(struct weft_actor_system *system, struct weft_actor *actor,
                         struct weft_message *edge);
void weft_link_exit_arrived(struct weft_actor_system *system, struct weft_actor *actor,
                            struct weft_message *edge);
void weft_exit_arrived(struct weft_actor_system *system, struct weft_actor *actor,
                       struct weft_message *signal);
void weft_link_end(struct weft_actor *actor, struct weft_message *edge);

void weft_monitor_arrived(struct weft_actor_system *system, struct weft_actor *actor,
                          struct weft_message *down);
void weft_demonitor_arrived(struct weft_actor_system *system, struct weft_actor *actor,
                            struct weft_message *watch);
void weft_down_arrived(struct weft_actor_system *system, struct weft_actor *actor,
                       struct weft_message *down);
void weft_down_received(struct weft_actor *actor, const struct weft_message *down);
// The DOWN of `reference`, if it has come. *known: there is such a monitor.
struct weft_message *weft_monitor_find(const struct weft_actor *actor, uint64_t reference,
                                       bool *known);
void weft_monitor_end(struct weft_actor *actor, struct weft_message *edge);

// A monitor with a reference that the caller knows to be free. `has_come`: its DOWN is there
// already, or about to be, and the target is not asked for another one (ties.h).
int weft_monitor_as(struct weft_actor *watcher, weft_pid target, uint64_t reference, bool has_come);

// To whom a timer goes, and when.
void weft_timer_look(struct weft_message *edge, weft_pid *to, uint64_t *due_ns);
// What it will send; NULL: that is on its way.
const struct weft_message *weft_timer_message(struct weft_message *edge, uint64_t *interval_ns);
// Of one that ticks: its message, as if it had just been sent. NULL: it is, or it fires once.
struct weft_message *weft_timer_take_tick(struct weft_message *edge);
// As weft_timer_start, with a reference that the caller knows to be free.
int weft_timer_start_as(struct weft_actor *self, weft_pid to, uint64_t delay_ns,
                        uint64_t interval_ns, uint16_t type, const void *bytes, size_t length,
                        uint64_t reference);
void weft_timer_end(struct weft_actor *actor, struct weft_message *edge);
void weft_timer_send_back(struct weft_actor_system *system, struct weft_message *tick);
void weft_timer_came_back(struct weft_actor_system *system, struct weft_actor *actor,
                          struct weft_message *tick);
void weft_timer_move_out(struct weft_actor *actor, struct weft_message *edge);
void weft_timer_move_in(struct weft_actor *actor, struct weft_message *edge);

// ---- owned.c: what other directories hang on an actor, to be told when it ends (tables, ports).

// Called on the actor's core at its end, before anybody is told of it; may not fail.
typedef void weft_owned_end(struct weft_actor *owner, void *object);
// Hangs `object` on `owner`, an actor of this core. *reference names it for weft_actor_disown. 0,
// -ENOMEM.
int weft_actor_own(struct weft_actor *owner, weft_owned_end *end, void *object,
                   uint64_t *reference);
// Takes it off again; its end is not called. False: there was none.
bool weft_actor_disown(struct weft_actor *owner, uint64_t reference);
void weft_owned_over(struct weft_actor *actor, struct weft_message *edge);
// The same for `pid`, wherever that is: `edge`, a block of weft_message_alloc_control whose
// `reference` is the caller's next, carries it there, before what is sent to it afterwards. If
// `pid` has ended by then `lost` is called, on the core that finds out.
typedef void weft_owned_lost(struct weft_actor_system *system, weft_pid pid, void *object);
void weft_actor_own_send(struct weft_actor_system *system, struct weft_message *edge, weft_pid pid,
                         weft_owned_end *end, weft_owned_lost *lost, void *object);
void weft_own_arrived(struct weft_actor_system *system, struct weft_actor *actor,
                      struct weft_message *edge);

// ---- mute.c

// The running actor has sent to `receiver`: it waits if there is a dam. `is_full`: there has to be.
void weft_mute_wait(struct weft_actor *self, weft_pid receiver, bool is_full);
// True if the running actor would wait, in a send or when its slice is over.
bool weft_mute_can_wait(struct weft_actor *self);
// After the slice of a kind with `slice` that has sent too much. True: it stands still now.
bool weft_mute_slice(struct weft_actor *actor);
// A mailbox that was at its limit has room: lets a sender go on. True: others still wait.
bool weft_mute_relieve(struct weft_actor *receiver);
void weft_mute_unlink(struct weft_actor *actor);  // It waits no more, whatever for.
void weft_mute_over(struct weft_actor *receiver); // It ends or goes: nobody waits for it.
void weft_mute_ordered(struct weft_actor_system *system, struct weft_message *order);
void weft_unmute_ordered(struct weft_actor_system *system, struct weft_message *order);
// A message from another core has found the mailbox at its limit.
void weft_mute_remote(struct weft_actor *receiver, weft_pid sender);
// True if the mailbox of `receiver` is at its limit, as far as this core knows: system->relieved
// will be called when it is not, or may not be, any more.
bool weft_mute_watch(struct weft_actor_system *system, weft_pid receiver);
void weft_mute_outbox_shorter(struct weft_actor_system *system, uint16_t to);

// ---- migrate.c, balance.c

void weft_move_ordered(struct weft_actor_system *system, struct weft_message *order);
// True if the actor is frozen here, on its way elsewhere: what comes by ring still goes to it.
struct weft_actor *weft_move_find(struct weft_actor_system *system, weft_pid pid);
// Starts to move `actor`, which stands at a slice boundary. 0; -EBUSY, -ENOMEM.
int weft_move_start(struct weft_actor *actor, uint16_t to);
// Asks core `from` for actors. 0, -ENOMEM.
int weft_move_pull(struct weft_actor_system *system, uint16_t from);
void weft_move_free(struct weft_actor_system *system, struct weft_message *block);
// Moves it away for a test that wants everything moved all the time. True: it is on its way.
bool weft_move_stress(struct weft_actor *actor);
// Actors that core `to` may have now: frozen, in `chosen` by task.link. How many.
uint32_t weft_balance_choose(struct weft_actor_system *system, struct weft_list *chosen);
void weft_balance_arrived(struct weft_actor_system *system, uint32_t count, uint16_t from);
bool weft_move_is_possible(const struct weft_actor *actor);
void weft_move_freeze(struct weft_actor *actor, struct weft_list *frozen);
// Notes whom `actor` talks to, at the end of a slice.
void weft_balance_note(struct weft_actor_system *system, struct weft_actor *actor);
// At the end of a slice: who talks to somebody elsewhere goes there.
void weft_balance_slice(struct weft_actor *actor);
void weft_balance_turn(struct weft_actor_system *system, uint64_t now_ns);
void weft_balance_call(struct weft_actor_system *system); // For help.

// ---- registry.c, group.c

// A name as words, zero-padded, and its hash. False: no name can be so.
bool weft_name_key(const char *name, uint64_t words[8], uint64_t *hash);
int weft_registry_init(struct weft_actor_node *node, uint32_t name_count_max);
void weft_registry_destroy(struct weft_actor_node *node);
// The name at `place`, which its holder's edge names; "" if it has gone. `name` has 64 bytes.
void weft_registry_name(const struct weft_actor_node *node, uint64_t place, char *name);
void weft_name_arrived(struct weft_actor_system *system, struct weft_actor *actor,
                       struct weft_message *edge);
void weft_name_end(struct weft_actor *actor, struct weft_message *edge);

int weft_groups_init(struct weft_actor_system *system);
void weft_groups_destroy(struct weft_actor_system *system);
// The name of the group of a membership, in `name` of 64 bytes.
void weft_group_name(const struct weft_actor_system *system, uint64_t reference, char *name);
void weft_group_ordered(struct weft_actor_system *system, struct weft_message *order);
void weft_member_end(struct weft_actor *actor, struct weft_message *edge);

// ---- send.c, trace.c

// Dams, or followed actors, have come or gone.
static inline void weft_attend(struct weft_actor_system *system)
{
    system->attends = system->followed_count > 0 || !weft_list_empty(&system->dams);
}

// `self` is about to send `message` by another way than weft_send.
static inline __attribute__((always_inline)) void weft_note_send(const struct weft_actor *self,
                                                                 const struct weft_message *message)
{
    WEFT_PROBE4(send, self->pid, message->to, message->type, message->length);
    if (unlikely(self->system->attends)) weft_trace_message(self, WEFT_TRACE_SEND, message);
}
static inline __attribute__((always_inline)) void
weft_note_receive(const struct weft_actor *self, const struct weft_message *message)
{
    WEFT_PROBE4(receive, self->pid, message->from, message->type, message->length);
    if (unlikely((self->task.flags & WEFT_ACTOR_INDEXED) != 0))
        weft_trace_message(self, WEFT_TRACE_RECEIVE, message);
}

void weft_object_destroy(struct weft_actor_system *system, const struct weft_type *what,
                         void *object);
void weft_blob_drop(struct weft_actor_system *system, struct weft_blob *blob);

// ---- heap.c, info.c

void weft_blocks_free(struct weft_actor *actor);
// Memory that an actor holds by a message: in its mailbox if it is large, in any case if it is
// kept. What is in hand (`current`, `answer`) is counted where it is asked for.
void weft_memory_add(struct weft_actor *actor, const struct weft_message *message);
void weft_memory_remove(struct weft_actor *actor, const struct weft_message *message);
// True if `message` may be added, as far as its memory_max goes.
bool weft_memory_has_room(const struct weft_actor *actor, const struct weft_message *message);
uint64_t weft_memory_bytes(const struct weft_actor *actor);
// Bytes of the stack that it is on (evict.c).
size_t weft_stack_bytes_of(const struct weft_actor *actor);
// What people know it by: its label, else its kind's name.
static inline const char *weft_actor_label(const struct weft_actor *actor)
{
    if (actor->label != NULL) return actor->label->text;
    return actor->kind->name != NULL ? actor->kind->name : "";
}
void weft_actor_describe(struct weft_actor *actor, struct weft_info *info);
void weft_info_arrived(struct weft_actor_system *system, struct weft_actor *actor,
                       struct weft_message *question);

#endif // WEFT_ACTOR_INTERNAL_H
