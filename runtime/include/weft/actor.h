// actor.h: what an actor is, how it starts and ends.
//
// Two kinds share one pid, mailbox, links and monitors:
//
//   callback   gives `handle`, which gets one message at a time. It has no stack while it waits.
//   stackful   gives `main`, which runs as a thread would and waits wherever it likes.
//
// Both may wait in the middle of what they do (weft_receive, weft_call, a send to a full mailbox):
// the actor then keeps the stack that it is on until it is done. Neither is interrupted: an actor
// gives its core back when it waits, when it has spent its slice of 2 000 reductions (a message
// costs 10; loops say weft_reduce), or when it returns. One that forgets is reported after 10 ms,
// and the others of its core are run elsewhere.
//
// Where:  every function is for the actor that runs, `self`, from inside its own slice. From other
//         threads there is weft/runtime.h.
// Memory: of the core's arena. Nothing here asks the kernel.
// Errors: 0 or a negative errno.
#ifndef WEFT_ACTOR_H
#define WEFT_ACTOR_H

#include <weft/switch.h>
#include <weft/types.h>

// What a mailbox does with a message beyond its limit. Control messages are never refused.
enum weft_overflow {
    WEFT_OVERFLOW_MUTE,        // Takes it; the sender waits until there is room. The default.
    WEFT_OVERFLOW_DROP_NEWEST, // Drops it, counted; the sender is told -ENOBUFS.
    WEFT_OVERFLOW_DROP_OLDEST, // Drops the oldest, counted.
    WEFT_OVERFLOW_EXIT         // The receiver ends with WEFT_EXIT_QUOTA; at its memory_max too.
};

// A kind of actor: one constant table for all of its actors. It outlives them.
struct weft_actor_kind {
    const char *name; // For people: "counter".
    // Bytes of state that each gets, as a copy of weft_spawn.state. 0: `state` is the pointer
    // given.
    size_t state_bytes;
    // One message. It is the runtime's again afterwards, unless it was given away (weft_reply,
    // weft_send_message) or kept (weft_keep).
    void (*handle)(struct weft_actor *self, void *state, struct weft_message *message);
    // A stackful actor's whole life: it ends when this returns.
    void (*main)(struct weft_actor *self, void *state);
    // The last thing that happens: the actor may send, but not wait. NULL: nothing.
    void (*terminate)(struct weft_actor *self, void *state, uint16_t reason);
    // The state as bytes that another node or version reads, for checkpoints and migration. `save`
    // writes at most `limit` bytes and returns how many it needs; `restore` fills a zeroed state.
    // NULL: it cannot leave its node.
    size_t (*save)(const void *state, void *bytes, size_t limit);
    int (*restore)(void *state, const void *bytes, size_t length);
    // The runtime's own kinds (units): one slice. NULL for everybody else.
    int (*slice)(struct weft_actor *self, uint32_t *reductions);
};

struct weft_spawn {
    const struct weft_actor_kind *kind;
    const void *state;    // See kind->state_bytes; NULL: zeros.
    const char *label;    // For people, in lists and logs; copied, 31 bytes. NULL: none.
    uint8_t priority;     // enum weft_priority; 0: NORMAL.
    uint8_t overflow;     // enum weft_overflow.
    bool pinned;          // Stays on its core.
    uint16_t core;        // Where to; 0: where it is spawned.
    uint32_t mailbox_max; // Messages; 0: 1 024.
    size_t memory_max;    // Bytes that it may hold, in units of 64; 0: no cap. See below.
};

// What counts against memory_max: the state, the blocks of weft_alloc, every message that it keeps
// or has made (weft_keep, weft_message_new), and every large message, of more than
// WEFT_MESSAGE_LARGE bytes, in its mailbox or in hand; each with its header of 48 bytes.
//
// What would go beyond it is refused. weft_alloc and weft_message_new: NULL. weft_keep: -ENOMEM. A
// large message that somebody sends: -ENOBUFS, or nothing on the way to another core; it is counted
// as `mailbox quota` in `weft drops`, and whoever has called gets -ENOBUFS at once. So nobody can
// end an actor by sending it too much, nor have its memory; with WEFT_OVERFLOW_EXIT, which would
// rather end than miss a message, it ends with WEFT_EXIT_QUOTA. The sender is never made to wait
// for memory: what fills it may be a state that no receive makes smaller.
//
// Replies, control messages and what ports bring count, but are always let in: it has asked for
// them. What does not count: small messages in the mailbox (mailbox_max bounds them), objects and
// blobs (shared), tables, links and timers, and its stack, whose size is fixed and not its doing.
#define WEFT_MESSAGE_LARGE 464

// Makes an actor; it runs when the caller has given the core back. 0 and *pid; -ENOMEM: the arena
// is at its cap, or its state beyond memory_max; -ENOSPC: so many actors, or stacks, are there
// already; -EINVAL.
int weft_spawn(struct weft_actor *self, const struct weft_spawn *spawn, weft_pid *pid);
// The same, linked to the caller from the start, or monitored by it.
int weft_spawn_link(struct weft_actor *self, const struct weft_spawn *spawn, weft_pid *pid);
int weft_spawn_monitor(struct weft_actor *self, const struct weft_spawn *spawn, weft_pid *pid,
                       uint64_t *reference);

// Ends the caller here and now: what stands on its stack is abandoned, as by longjmp.
_Noreturn void weft_exit(struct weft_actor *self, uint16_t reason);
// Ends the caller when `handle` or `main` returns, or when it next waits.
void weft_stop(struct weft_actor *self, uint16_t reason);
// True if it does: what it would do next can be left out.
bool weft_is_ending(const struct weft_actor *self);
// Sends an exit signal, as a linked actor's end would: ends `pid` unless it traps exits (then it
// gets an EXIT message) or the reason is NORMAL. 0 if it is on its way; -ESRCH, -ENOMEM.
int weft_exit_send(struct weft_actor *self, weft_pid pid, uint16_t reason);
// Ends `pid`, whatever it traps. 0 if it is on its way; -ESRCH, -ENOMEM.
int weft_kill(struct weft_actor *self, weft_pid pid);

weft_pid weft_self(const struct weft_actor *self);
weft_pid weft_parent(const struct weft_actor *self);
void *weft_state(const struct weft_actor *self);
// The table that it was made with: so one `handle` can serve many tables that say more than a kind.
const struct weft_actor_kind *weft_kind(const struct weft_actor *self);
const char *weft_label(const struct weft_actor *self); // "" if none.
uint16_t weft_core_index(const struct weft_actor *self);
uint64_t weft_now_ns(const struct weft_actor *self); // Monotonic; as of this turn of the core.

// The two halves of weft_yield.
struct weft_step weft_yield_begin(struct weft_actor *self);
void weft_yield_end(struct weft_actor *self);
// Lets the others run; returns in a later slice.
WEFT_SWITCH_INLINE void weft_yield(struct weft_actor *self)
{
    const struct weft_step step = weft_yield_begin(self);
    if (__builtin_expect(step.to == NULL, 0)) return;
    weft_switch(step.from, step.to);
    weft_yield_end(self);
}
// Charges `count` reductions, and yields if the slice is spent: for loops that do not send.
void weft_reduce(struct weft_actor *self, uint32_t count);
// True if the slice is spent: for handlers that would rather come back than yield.
bool weft_is_spent(const struct weft_actor *self);
// Waits for `ns`.
void weft_sleep(struct weft_actor *self, uint64_t ns);

// Moves the caller to another core, where it goes on; -EINVAL: no such core. weft_pin keeps it
// where it is (the balancer then leaves it alone).
int weft_move(struct weft_actor *self, uint16_t core);
void weft_pin(struct weft_actor *self, bool pinned);

// Memory that goes with the actor: freed when it ends, counted against memory_max. 16-byte aligned,
// not zeroed. NULL at the cap of the actor or the core.
void *weft_alloc(struct weft_actor *self, size_t bytes);
void weft_free(struct weft_actor *self, void *block); // NULL is allowed.

// Runs `work(argument)` on a thread of the node's pool, where it may block, and waits for it. What
// it returns; -EAGAIN if too many wait already, -ENOTSUP where there is no pool.
int weft_blocking(struct weft_actor *self, int (*work)(void *argument), void *argument);

// What is known of an actor. Of one on another core: asks, and waits for the answer.
struct weft_info {
    weft_pid pid, parent;
    char label[32];
    char kind[32];
    uint16_t core;
    uint8_t priority;
    uint8_t overflow;
    bool stackful, trapping, pinned, running;
    uint32_t mailbox_count, mailbox_max, link_count, monitor_count;
    uint64_t reduction_count;
    uint64_t memory_bytes; // What counts against memory_max, its own block, and stack_bytes.
    uint64_t memory_max;   // 0: no cap.
    uint64_t stack_bytes;  // Of the stack that it is on: pages in use, or what was saved of them.
};
int weft_info(struct weft_actor *self, weft_pid pid, struct weft_info *info); // 0, -ESRCH, -ENOMEM.

enum weft_level { WEFT_LEVEL_ERROR, WEFT_LEVEL_WARN, WEFT_LEVEL_INFO, WEFT_LEVEL_DEBUG };
// A line in the node's log, with the caller's pid and label. Never waits; lost lines are counted.
__attribute__((format(printf, 3, 4))) void weft_say(struct weft_actor *self, enum weft_level level,
                                                    const char *format, ...);

#endif // WEFT_ACTOR_H
