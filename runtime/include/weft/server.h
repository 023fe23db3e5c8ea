// server.h: an actor that answers calls (OTP's gen_server): callbacks in a table, start and stop.
//
//     enum { ADD = 1 };
//     static void add(struct weft_actor *self, void *state, struct weft_message *call)
//     {
//         uint64_t *sum = state;
//         ++*sum;
//         weft_reply(self, call, ADD, sum, sizeof(*sum));
//     }
//     static const struct weft_server adder = {WEFT_SERVER("adder", uint64_t), .call = add};
//
//     weft_server_start_link(self, &(struct weft_start){.server = &adder}, &pid);
//     weft_call(self, pid, ADD, NULL, 0, WEFT_FOREVER, &reply);
//
// Its clients use weft_call, weft_call_begin and weft_cast. A server is a callback actor: it has no
// stack while it waits for messages. Its callbacks may wait in the middle; one that receives
// messages itself (weft_receive) keeps what it was given first (weft_keep), but for `init`, which
// does not receive.
//
// Messages: every type from WEFT_TYPE_BEHAVIOUR on belongs to the behaviours; each header names its
// own. A server's: START (a CALL with the arguments, from who started it), STOP (a CAST with the
// reason as a uint16_t), TIMEOUT (a TIMER to itself). Whoever may send to a server may stop it.
// Errors: 0 or a negative errno.
#ifndef WEFT_SERVER_H
#define WEFT_SERVER_H

#include <weft/actor.h>
#include <weft/message.h>
#include <weft/types.h>

enum {
    WEFT_TYPE_BEHAVIOUR = 0xff00, // Types of messages from here on are the behaviours'.
    WEFT_SERVER_START = 0xff00,
    WEFT_SERVER_STOP,
    WEFT_SERVER_TIMEOUT
};

enum { WEFT_SERVER_IGNORE = 1 }; // What `init` says if there is nothing to serve.

// One constant table for all servers of a sort; begin it with WEFT_SERVER. Each member may be NULL.
struct weft_server {
    // Set by WEFT_SERVER; a server that can leave its node adds .kind.save and .kind.restore, which
    // see the state of `type`.
    struct weft_actor_kind kind;
    // Makes the state, which is zeroed, from the arguments; who starts it waits. 0: it serves from
    // now on. A negative errno is what the start returns, and WEFT_SERVER_IGNORE makes it return
    // that: the server ends, and its `terminate` is not called.
    int (*init)(struct weft_actor *self, void *state, const void *args, size_t length);
    // A message of tag CALL; weft_reply answers it, now or, if it is kept, later. A call that is
    // neither answered nor kept is answered with -ECANCELED.
    void (*call)(struct weft_actor *self, void *state, struct weft_message *call);
    void (*cast)(struct weft_actor *self, void *state, struct weft_message *cast);
    // Every other message: USER, TIMER, DOWN, EXIT, PORT, REPLY.
    void (*info)(struct weft_actor *self, void *state, struct weft_message *message);
    // Nothing has come for as long as weft_server_timeout said.
    void (*timeout)(struct weft_actor *self, void *state);
    // What weft_server_continue announced.
    void (*cont)(struct weft_actor *self, void *state, uint64_t what);
    // It is asked to end: by weft_server_stop or, if it traps exits, by its parent's end. It may
    // wait, to put things in order. NULL: nothing is done.
    void (*shutdown)(struct weft_actor *self, void *state, uint16_t reason);
    // The last thing that happens, however it ends: it may send, but not wait.
    void (*terminate)(struct weft_actor *self, void *state, uint16_t reason);
};

// The first members of a table: WEFT_SERVER("counter", struct counter). The second is the type of
// `state`, of which each server gets one.
#define WEFT_SERVER(label, type)                                                                   \
    .kind.name = (label), .kind.state_bytes = WEFT_SERVER_BYTES(sizeof(type)),                     \
    .kind.handle = weft_server_handle, .kind.terminate = weft_server_terminate
// Behind the state lie 32 bytes of the server's own.
#define WEFT_SERVER_BYTES(bytes) ((((size_t)(bytes) + 15) & ~(size_t)15) + 32)
void weft_server_handle(struct weft_actor *self, void *state, struct weft_message *message);
void weft_server_terminate(struct weft_actor *self, void *state, uint16_t reason);

// How one is started. What is 0 has the default that is said behind it.
struct weft_start {
    const struct weft_server *server;
    const void *args; // For `init`: so many bytes, copied.
    size_t length;
    const char *name;        // Registered before it runs. NULL: none.
    uint64_t timeout_ns;     // How long to wait for `init`; 0: for ever.
    struct weft_spawn spawn; // Label, priority, core, limits; its `kind` and `state` are not used.
};

// Starts a server and waits until its `init` has returned: 0 and *pid, or what that returned.
// -EEXIST: the name is taken, by *pid. -EPIPE: it ended in its `init`. -ETIMEDOUT: it was killed.
// -ENOMEM, -ENOSPC, -EINVAL as weft_spawn and weft_register. Where the result is not 0, nothing is
// left of it, and *pid is 0 but for -EEXIST. A start is a call: the reply to the one before is
// gone.
int weft_server_start(struct weft_actor *self, const struct weft_start *start, weft_pid *pid);
// The same, linked to the caller from the start, or monitored by it. One that refuses is no end of
// a linked actor: the caller only gets the result. One that crashes in its `init` is.
int weft_server_start_link(struct weft_actor *self, const struct weft_start *start, weft_pid *pid);
int weft_server_start_monitor(struct weft_actor *self, const struct weft_start *start,
                              weft_pid *pid, uint64_t *reference);

// Asks a server to end with `reason`, after what it has been sent before, and waits until it has
// ended. 0; -ESRCH: there is no such actor; -ETIMEDOUT: it has been asked, and lives yet; -ENOMEM.
int weft_server_stop(struct weft_actor *self, weft_pid server, uint16_t reason,
                     uint64_t timeout_ns);

// ---- For the callbacks of a server, and nobody else.

// `timeout` is called if no message comes for `ns`; any message ends it. 0, -ENOMEM.
int weft_server_timeout(struct weft_actor *self, uint64_t ns);
// `cont` is called with `what` when this callback has returned, before any other message. Only what
// was said last in a callback counts.
void weft_server_continue(struct weft_actor *self, uint64_t what);

#endif // WEFT_SERVER_H
