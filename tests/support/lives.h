// lives.h: actors that do at random whatever an actor can do, and the laws that must hold of it.
//
// A life is one actor from birth to end. Its program is drawn from its own numbers, so what it does
// depends on nothing but the seed and on what it is sent and when. What a law needs to know, each
// life notes of itself; when all is quiet, and at last when all have ended, the notes and the
// runtime's own structures are held against each other (lives_check_quiet, lives_check_over).
//
// The laws, and where they are checked:
//
//   order    what one life sends another is received in order, and once (lives_receive.c)
//   signals  a DOWN comes once for each monitor, with the reason, behind what was sent before it
//   answers  every call that is waited for returns, with the answer to that call and no other;
//            on one core every circle of calls is seen, however it closes
//   timers   fire, once, at or after their time, and not when they were cancelled
//   ledger   sent = received + dropped; what is missing in a row has been counted as dropped
//   links    are known on both sides, and to nobody who has ended
//   groups   have the same members on every core, names only the living
//   leaks    when all have ended every block, stack, slot, name, timer and object is back
//
// Threads: several cores may run lives at once; a life's notes are its core's, the rest is atomic.
#ifndef WEFT_TESTS_SUPPORT_LIVES_H
#define WEFT_TESTS_SUPPORT_LIVES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <weft/weft.h>

#include "runtime/actor/actor.h"
#include "runtime/base/prng.h"

#define LIVES_MAX      384
#define LIVES_PLAYERS  24 // At most so many at once that know of each other.
#define LIVES_TYPES    4
#define LIVES_MONITORS 32
#define LIVES_CALLS    8
#define LIVES_TIMERS   8
#define LIVES_KEPT     4
#define LIVES_BLOCKS   4
#define LIVES_CHANNELS 4
#define LIVES_FIRED    64
#define LIVES_NAMES    6
#define LIVES_GROUPS   3

struct lives;

struct life_note { // What a message of a life carries: 16 bytes, so that the shortest do too.
    uint16_t from, to;
    uint32_t number;      // Of all from one to the other,
    uint32_t type_number; // and of those of its type.
    uint16_t hops;        // How often it was sent on.
    uint16_t check;
};
_Static_assert(sizeof(struct life_note) == 16, "fits the smallest block");

struct life_monitor {
    uint64_t reference; // 0: free.
    uint16_t target;
    bool is_over; // Demonitored, or its DOWN has come: another one must not.
};

struct life_call {
    uint64_t reference; // 0: free.
    uint32_t number;    // What its answer brings back.
};

struct life_timer {     // Own ones, to the life itself.
    uint64_t reference; // 0: free.
    bool is_interval, is_cancelled;
};

struct life_tick { // What a timer's message carries.
    uint64_t due_ns;
    uint32_t owner, is_interval;
};

struct life {
    struct lives *lives;
    uint16_t number;
    uint16_t player;
    _Atomic weft_pid pid; // 0: not yet.
    _Atomic bool is_over;
    bool is_stackful;
    bool is_plain; // Takes its messages in order only: then more can be said about the order.
    bool has_trapped;
    bool is_quiet; // It knows that the end has come.
    uint16_t exit_reason;
    struct weft_prng prng;
    // To and from every other life.
    uint32_t sent[LIVES_MAX], sent_of[LIVES_MAX][LIVES_TYPES];
    uint32_t seen[LIVES_MAX], seen_of[LIVES_MAX][LIVES_TYPES];
    bool ended[LIVES_MAX]; // Whose DOWN has come.
    uint64_t gaps;         // Messages missing in rows.
    struct life_monitor monitors[LIVES_MONITORS];
    uint32_t call_count;
    struct life_call calls[LIVES_CALLS]; // Those begun.
    struct life_timer timers[LIVES_TIMERS];
    uint64_t fired[LIVES_FIRED]; // Timers that have come here, in a ring.
    unsigned fired_count;
    struct weft_message *kept[LIVES_KEPT];
    void *blocks[LIVES_BLOCKS];
    unsigned groups; // That it is a member of, by bit.
};

struct lives_options {
    uint64_t seed;
    unsigned player_count; // 2 .. LIVES_PLAYERS.
    bool tight;            // Mailboxes of 1 to 4.
    bool is_threaded;      // Several cores run at once: no order to note.
    bool traces;           // Prints what happens.
    bool weak;             // Only what is short: for the explorer.
};

// A law is broken: says so and does not return.
typedef void (*lives_broken)(struct lives *lives, const char *text) __attribute__((noreturn));

struct lives {
    struct lives_options options;
    struct weft_actor_node *node;
    _Atomic unsigned life_count;
    _Atomic uint32_t players[LIVES_PLAYERS]; // The life's number plus 1; 0: nobody.
    _Atomic weft_pid channels[LIVES_CHANNELS];
    _Atomic bool is_ending; // Nobody does anything any more, but everybody still listens.
    _Atomic uint64_t objects_made, objects_gone;
    _Atomic uint64_t events;
    uint64_t hash;   // Of all that has happened, in order. Not if threaded.
    uint64_t now_ns; // For the trace.
    struct life life[LIVES_MAX];
    lives_broken fail;
};

// Prepares; nobody lives yet. `node` may be set later, before the first birth.
void lives_init(struct lives *lives, const struct lives_options *options, lives_broken fail);
// Gives every player on whom nobody plays a life, on that core; while nothing runs there.
void lives_populate(struct lives *lives, struct weft_actor_system *system, unsigned player_count);
// Something from outside, so that they do not fall silent: a message to a random life, from
// `system`, whose core does not run now.
void lives_poke(struct lives *lives, struct weft_actor_system *system, struct weft_prng *prng);
// From now on they only listen.
void lives_end_soon(struct lives *lives);
// Sends a message from `system` to each that has not heard of it; again until none is left.
void lives_wake_all(struct lives *lives, struct weft_actor_system *system);

// With nothing on its way any more, all cores still, after lives_end_soon.
void lives_check_quiet(struct lives *lives);
// Kills all that are left; `lives_check_over` when that is done.
void lives_kill(struct lives *lives);
void lives_check_over(struct lives *lives);

// ---- For the files of lives_*.c.

extern const struct weft_actor_kind lives_callback, lives_stackful;
extern const struct weft_type lives_object;
extern const char *const lives_names[LIVES_NAMES], *const lives_groups[LIVES_GROUPS];

_Noreturn __attribute__((format(printf, 2, 3))) void lives_fail(struct lives *lives,
                                                                const char *format, ...);
// Notes an event: in the hash, and in the trace.
void lives_event(struct weft_actor *self, struct life *life, const char *what, uint64_t a,
                 uint64_t b);
static inline struct life *life_of(const void *state)
{
    return *(struct life *const *)state;
}
static inline weft_pid life_pid(const struct life *life)
{
    return atomic_load_explicit(&life->pid, memory_order_acquire);
}
static inline bool life_is_over(const struct life *life)
{
    return atomic_load_explicit(&life->is_over, memory_order_acquire);
}
static inline uint32_t life_below(struct life *life, uint32_t limit)
{
    return weft_prng_below(&life->prng, limit);
}
// Checks a message that the life has received.
void lives_receive(struct weft_actor *self, struct life *life, struct weft_message *message);
// Does something.
void lives_act(struct weft_actor *self, struct life *life);
// Gives up whatever it holds, so that nothing is left to come.
void lives_fall_quiet(struct weft_actor *self, struct life *life);
static inline bool lives_is_ending(const struct lives *lives)
{
    return atomic_load_explicit(&lives->is_ending, memory_order_relaxed);
}
// A life for `player`; NULL if somebody plays it, or there have been too many.
struct life *lives_conceive(struct lives *lives, unsigned player);
struct weft_spawn lives_describe(struct life *life, struct life **state);
void lives_miscarry(struct life *life); // It was not to be.

#endif // WEFT_TESTS_SUPPORT_LIVES_H
