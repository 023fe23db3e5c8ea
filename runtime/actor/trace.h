// trace.h: what happens to actors, written down by the core that it happens on.
//
// Each core has two rings. Its flight recorder has what explains a crash: births, ends, moves, who
// had to wait, who held the core. The other one has everything about the actors that somebody
// follows, their messages too. Whoever is not followed pays nothing for it: what a followed one
// receives is seen because it is INDEXED, which takes it off the short way out of its mailbox
// (fast.h); what it sends, because a core with a dam or a followed actor makes all its senders take
// a closer look (weft_attend).
//
// Nobody waits for a reader: the oldest record makes room, and a reader learns how many it missed.
// The time in a record is that of the turn.
//
// Core:   the ring's own core writes, also in a handler that has stopped the code of an actor
// (fault.c); any core and the report of a crash read.
// Memory: part of the system, as the node's options say (weft_actor_options.traces); without it
// nothing is written, and nobody can be followed.
#ifndef WEFT_ACTOR_TRACE_H
#define WEFT_ACTOR_TRACE_H

#include <stdatomic.h>
#include <stdint.h>

#include "runtime/actor/actor.h"
#include "runtime/sched/fence.h"

#define WEFT_TRACE_RECORDS 32768 // A power of two. 1.8 MiB, of which only what is used is there.

// X(NAME, "name", "what `value` is")
#define WEFT_TRACE_TABLE(X)                                                                        \
    X(NONE, "none", "")                                                                            \
    X(SPAWN, "spawn", "")           /* Of `peer`, its parent. */                                   \
    X(EXIT, "exit", "reason")       /* enum weft_exit, or its own. */                              \
    X(SEND, "send", "length")       /* To `peer`. */                                               \
    X(RECEIVE, "receive", "length") /* From `peer`. */                                             \
    X(MUTE, "mute", "")             /* Waits for room in the mailbox of `peer`. */                 \
    X(UNMUTE, "unmute", "")                                                                        \
    X(MOVE, "move", "from_core") /* Has arrived. */                                                \
    X(STUCK, "stuck", "ms")      /* Has held its core for so long. */                              \
    X(CRASH, "crash", "signal")

enum weft_trace_event {
#define WEFT_TRACE_ENUM(name, text, value) WEFT_TRACE_##name,
    WEFT_TRACE_TABLE(WEFT_TRACE_ENUM)
#undef WEFT_TRACE_ENUM
        WEFT_TRACE_COUNT
};
const char *weft_trace_name(uint8_t event);       // "send"; "?" of none.
const char *weft_trace_value_name(uint8_t event); // "length"; "": there is no value.

struct weft_trace_record { // As it is read.
    weft_pid pid, peer;    // peer 0: nobody.
    uint64_t time_ns;      // Of the core's clock.
    uint32_t value;
    uint16_t type; // Of a message, as is
    uint8_t tag;   // this.
    uint8_t event; // enum weft_trace_event
};

// How it is written: pid; time in units of 16 ns above the event's byte; and in the flight recorder
// the peer or the value, for no event there has both. Followed: the peer, and a fourth word of tag,
// type and value. A ring is a seqlock whose word is `next`: the record of number n is whole as long
// as n + WEFT_TRACE_RECORDS > next; after that its place may be under way to the next one.
struct weft_trace_ring {
    _Atomic uint64_t next; // Counts up; a record is at number % WEFT_TRACE_RECORDS.
    unsigned width;        // Words of a record. Set at the start.
    _Atomic uint64_t *words;
};

struct weft_tracer {
    struct weft_trace_ring flight, followed;
    _Atomic uint64_t flight_words[3 * WEFT_TRACE_RECORDS];
    _Atomic uint64_t followed_words[4 * WEFT_TRACE_RECORDS];
};
struct weft_tracer *weft_tracer_create(void); // NULL: no memory. Freed by free().

// ---- Writing. Own core.

// Into the flight recorder: `what` is the event's value, or its peer if it has none.
static inline void weft_trace(struct weft_actor_system *system, enum weft_trace_event event,
                              weft_pid pid, uint64_t what)
{
    struct weft_tracer *tracer = system->tracer;
    if (__builtin_expect(tracer == NULL, 0)) return;
    const uint64_t next = atomic_load_explicit(&tracer->flight.next, memory_order_relaxed);
    _Atomic uint64_t *words = &tracer->flight_words[next % WEFT_TRACE_RECORDS * 3];
    // Release: pairs with the acquire fence in weft_trace_read. Who reads a word of this record in
    // the place of an old one sees, when it looks again, that `next` had come this far.
    weft_release_fence();
    atomic_store_explicit(&words[0], pid, memory_order_relaxed);
    atomic_store_explicit(&words[1], system->core->now_ns >> 4 << 8 | (uint64_t)event,
                          memory_order_relaxed);
    atomic_store_explicit(&words[2], what, memory_order_relaxed);
    // Release: pairs with the acquire in weft_trace_end. Who sees it counted reads all of it.
    atomic_store_explicit(&tracer->flight.next, next + 1, memory_order_release);
}
// For those who follow `actor`, if somebody does.
void weft_trace_actor(const struct weft_actor *actor, enum weft_trace_event event, weft_pid peer,
                      uint32_t value);
void weft_trace_message(const struct weft_actor *actor, enum weft_trace_event event,
                        const struct weft_message *message);
void weft_trace_spawned(const struct weft_actor *parent, weft_pid child);

// ---- Following.

// One more follows `actor`, until weft_trace_unfollow or its end, wherever it goes. 0; -ENOMEM;
// -ENOTSUP: this core keeps no trace.
int weft_trace_follow(struct weft_actor *actor);
void weft_trace_unfollow(struct weft_actor *actor); // One less. Does nothing if nobody does.
// It leaves this core, has come to it, ends: what these cores attend to changes.
void weft_trace_departs(const struct weft_actor *actor);
void weft_trace_arrived(const struct weft_actor *actor);
void weft_trace_ends(struct weft_actor *actor);

// ---- Reading. Any core, or a handler.

// The place behind the newest record.
uint64_t weft_trace_end(const struct weft_trace_ring *ring);
// The place of the record that stands `count` before the end, or of the oldest.
uint64_t weft_trace_tail(const struct weft_trace_ring *ring, uint64_t count);
// Takes the record at *place, which moves on behind it. What was overwritten before it could be
// read is added to *missed. False: there is none yet.
bool weft_trace_read(const struct weft_trace_ring *ring, uint64_t *place,
                     struct weft_trace_record *record, uint64_t *missed);

#endif // WEFT_ACTOR_TRACE_H
