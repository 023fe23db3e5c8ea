// machine.h: a server that is always in one of some states (OTP's gen_statem).
//
//     enum { LOCKED, OPEN };
//     static const struct weft_machine_state states[] = {
//         [LOCKED] = {"locked", .event = when_locked},
//         [OPEN] = {"open", .enter = opened, .event = when_open},
//     };
//     static const struct weft_machine door = {WEFT_MACHINE("door", struct door, states)};
//
//     weft_server_start_link(self, &(struct weft_start){.server = &door.server}, &pid);
//
// An event is a message of any tag; a time-out is one of tag TIMER and a type below. What a
// callback says (next state, time-outs) is done when it returns: the time-out of the state that is
// left is ended, the new one's `enter` called, then the events that were postponed come again,
// oldest first, before anything that has not come yet. An event is the runtime's again afterwards,
// as in a server: weft_reply answers a CALL, weft_keep keeps it.
//
// Messages: those of server.h; the time-outs of a machine, which are TIMERs to itself.
// Core:   the functions below are for the callbacks of a machine, and nobody else.
// Errors: 0 or a negative errno.
#ifndef WEFT_MACHINE_H
#define WEFT_MACHINE_H

#include <weft/server.h>

enum {
    WEFT_MACHINE_STATE_TIMEOUT = 0xff10, // So long in one state.
    WEFT_MACHINE_EVENT_TIMEOUT,          // So long without an event.
    WEFT_MACHINE_TIMEOUT                 // One with a name: weft_machine_timeout_name.
};

#define WEFT_MACHINE_START UINT32_MAX // `from` of the first state.

struct weft_machine_state {
    const char *name;
    // The state is entered, from another one or, by weft_machine_repeat, from itself. It may set
    // time-outs, but neither change the state nor postpone.
    void (*enter)(struct weft_actor *self, void *data, uint32_t from);
    void (*event)(struct weft_actor *self, void *data, struct weft_message *event);
};

// One constant table for all machines of a sort; begin it with WEFT_MACHINE.
struct weft_machine {
    struct weft_server server; // What weft_server_start and weft_child take.
    const struct weft_machine_state *states;
    uint32_t state_count;
    // As in a server. The first state is 0, or what this says by weft_machine_next; it is entered
    // when who starts the machine has been told.
    int (*init)(struct weft_actor *self, void *data, const void *args, size_t length);
    // Events in states that have no `event` of their own.
    void (*event)(struct weft_actor *self, void *data, struct weft_message *event);
    void (*shutdown)(struct weft_actor *self, void *data, uint16_t reason);
    void (*terminate)(struct weft_actor *self, void *data, uint16_t reason);
};

// WEFT_MACHINE("door", struct door, states): its name, the type of `data`, its table of states.
#define WEFT_MACHINE(label, type, table)                                                           \
    .server.kind.name = (label),                                                                   \
    .server.kind.state_bytes = WEFT_SERVER_BYTES(WEFT_MACHINE_BYTES(sizeof(type))),                \
    .server.kind.handle = weft_server_handle, .server.kind.terminate = weft_server_terminate,      \
    .server.init = weft_machine_on_init, .server.call = weft_machine_on_event,                     \
    .server.cast = weft_machine_on_event, .server.info = weft_machine_on_event,                    \
    .server.cont = weft_machine_on_continue, .server.shutdown = weft_machine_on_shutdown,          \
    .server.terminate = weft_machine_on_terminate, .states = (table),                              \
    .state_count = sizeof(table) / sizeof((table)[0])
#define WEFT_MACHINE_BYTES(bytes) ((((size_t)(bytes) + 15) & ~(size_t)15) + 128)
int weft_machine_on_init(struct weft_actor *self, void *data, const void *args, size_t length);
void weft_machine_on_event(struct weft_actor *self, void *data, struct weft_message *event);
void weft_machine_on_continue(struct weft_actor *self, void *data, uint64_t what);
void weft_machine_on_shutdown(struct weft_actor *self, void *data, uint16_t reason);
void weft_machine_on_terminate(struct weft_actor *self, void *data, uint16_t reason);

uint32_t weft_machine_state(const struct weft_actor *self); // The one it is in.

// Changes to `state`; the one it is in: nothing changes. 0; -EINVAL: there is none; -EBUSY: not in
// an `enter`.
int weft_machine_next(struct weft_actor *self, uint32_t state);
// Enters the state that it is in once more: `enter` is called, postponed events come again. 0,
// -EBUSY.
int weft_machine_repeat(struct weft_actor *self);

// The event in hand comes again when the state has changed. It is the machine's until then: it is
// not answered now. 0; -ENOMEM: it is not postponed; -EINVAL: there is no event, or it is postponed
// already.
int weft_machine_postpone(struct weft_actor *self);

// Time-outs: each kind once, a later call replaces the one before, WEFT_FOREVER ends it. One that
// has been ended or replaced does not come any more. 0, -ENOMEM: it is as it was.

// In `ns`, if the state is then what it is when the callback has returned.
int weft_machine_state_timeout(struct weft_actor *self, uint64_t ns);
// In `ns`, if no event comes before.
int weft_machine_event_timeout(struct weft_actor *self, uint64_t ns);
// In `ns`, whatever happens. Each name has its own.
int weft_machine_timeout(struct weft_actor *self, uint32_t name, uint64_t ns);
uint32_t weft_machine_timeout_name(const struct weft_message *event); // Of WEFT_MACHINE_TIMEOUT.

#endif // WEFT_MACHINE_H
