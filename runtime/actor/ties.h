// ties.h: what an actor has to do with others, as data: its timers, monitors and links, what it
// waits for, its mailbox, and the contents of channels. Read from one actor, given to another that
// takes its place (a unit that is made from its image).
//
// References stay what they were, for the program knows them. They are unique all the same: each
// start of a node counts from another place (first_generation).
//
// Core: that of the actor, between its slices or in its own.
#ifndef WEFT_ACTOR_TIES_H
#define WEFT_ACTOR_TIES_H

#include "runtime/actor/actor.h"

enum weft_tie_kind { WEFT_TIE_TIMER, WEFT_TIE_MONITOR, WEFT_TIE_LINK };

struct weft_tie {
    enum weft_tie_kind kind;
    uint64_t reference;                 // Of a timer or monitor.
    weft_pid whom;                      // A timer's receiver, or the other one.
    uint64_t due_ns, interval_ns;       // Of a timer; interval 0: it fires once.
    const struct weft_message *message; // What a timer will send; of a monitor the DOWN that has
                                        // come and is not read. NULL: it is on its way, or not.
};

// Each of them, in no order.
void weft_ties_each(struct weft_actor *actor,
                    void (*see)(void *argument, const struct weft_tie *tie), void *argument);

// A timer with this reference that sends `bytes` to the actor itself. 0, -ENOMEM, -EEXIST.
int weft_tie_timer(struct weft_actor *actor, uint64_t reference, uint64_t delay_ns,
                   uint64_t interval_ns, const void *bytes, size_t length);
// A monitor with this reference. `has_come`: the DOWN is put by weft_tie_mail. Likewise.
int weft_tie_monitor(struct weft_actor *actor, weft_pid whom, uint64_t reference, bool has_come);
// A REPLY with this reference may come. Likewise.
int weft_tie_await(struct weft_actor *actor, uint64_t reference);
// True if a timer with this reference will send its message, or has another one to send.
bool weft_tie_has_timer(const struct weft_actor *actor, uint64_t reference);
// True if what was asked under this reference, by a call or a monitor, has been answered, and the
// answer is not read.
bool weft_tie_is_answered(const struct weft_actor *actor, uint64_t reference);

// Puts a message into the mailbox, behind what is there: of tag USER, PORT, REPLY, TIMER, DOWN or
// EXIT. A REPLY must be awaited, a DOWN watched, else it is dropped. 0 or -ENOMEM.
int weft_tie_mail(struct weft_actor *actor, const struct weft_message *header, const void *bytes);

// Every message in the mailbox, oldest first.
void weft_ties_mail(const struct weft_actor *actor,
                    void (*see)(void *argument, const struct weft_message *message),
                    void *argument);
// True if its payload is bytes, and nothing of the runtime's hangs on it.
bool weft_message_is_flat(const struct weft_message *message);

// ---- channel.c: a channel of this core. False: `pid` is none.

struct weft_channel_view {
    uint32_t capacity;
    bool closed;
};
// `see` is called for each message in it, oldest first, plain ones in its mailbox included. A call
// that has not been served has not been made: nothing is served here, and nobody answered.
bool weft_channel_look(struct weft_actor_system *system, weft_pid pid,
                       struct weft_channel_view *view,
                       void (*see)(void *argument, const struct weft_message *message),
                       void *argument);
// Puts a message into it, whatever its capacity. 0, -ENOENT, -ENOMEM.
int weft_channel_fill(struct weft_actor_system *system, weft_pid pid, uint16_t type,
                      const void *bytes, size_t length);

#endif // WEFT_ACTOR_TIES_H
