// port.h: what every port has, and what a core has for all of its ports.
//
//   ports.c      the core's: its IO, its ports, the end of a turn
//   port.c       an actor of the runtime's own: birth, calls, owner, end
//   deliver.c    messages to the owner: windows, modes, the owner's full mailbox
//   listener.c   connections that come
//   stream.c     connections and files: open, close; input.c, output.c: the two directions
//   file.c       reads and writes at an offset
//   udp.c        datagrams
//   *_calls.c    the callers' side of all that: weft/port.h
//
// Two lives: the actor's, which anybody may end at any moment, and that of the operations in the
// kernel, which still read and write the port's memory. So a struct weft_port outlives its actor
// until its operations have ended.
//
// Core: everything here is called on the port's core. Callers on other cores send calls, which the
// port's slice serves; those on the same core do directly what the slice would have done, if no
// call waits before them (port_here).
#ifndef WEFT_PORT_PORT_H
#define WEFT_PORT_PORT_H

#include <weft/port.h>

#include "runtime/actor/actor.h"
#include "runtime/base/counter.h"
#include "runtime/env/datagram.h"
#include "runtime/env/io.h"

#define WEFT_PORT_WINDOW_BYTES 65536
#define WEFT_PORT_WINDOW_COUNT 32 // Messages; of datagrams and connections:
#define WEFT_PORT_WINDOW_SMALL 256
#define WEFT_PORT_UNSENT_MAX   65536
#define WEFT_PORT_PACKET_MAX   65536
#define WEFT_PORT_PACKET_LIMIT (64 * WEFT_MIB) // What may be chosen.
#define WEFT_PORT_WINDOW_LIMIT (1024 * WEFT_MIB)
#define WEFT_PORT_LINGER_NS    (5 * WEFT_NS_PER_S)
#define WEFT_PORT_RETRY_NS     (50 * WEFT_NS_PER_MS) // After a listener was out of descriptors.

struct weft_port;

struct weft_ports_stats {                  // Of one core. Any core reads.
    weft_counter open_count, closed_count; // Ports ever; those that have ended.
    weft_counter accepted_count, connected_count;
    weft_counter failed_count;  // Ports that an error has ended.
    weft_counter refused_count; // Connections thrown away: no memory, no descriptors.
    weft_counter dropped_count; // Datagrams beyond a window.
    weft_counter received_bytes, sent_bytes;
    weft_counter paused_count; // Ports that stopped reading for their owner's sake.
};

struct weft_ports { // Of one core.
    struct weft_actor_system *system;
    struct weft_io io;               // `self` NULL: none yet, or none any more.
    struct weft_datagrams datagrams; // Likewise.
    struct weft_list all;            // Every struct weft_port, by `link`.
    struct weft_list unsent;         // Those that have something to send, by `turn`.
    struct weft_list choked;         // Those whose owner's mailbox is at its limit, by `choke`.
    bool is_over;                    // The core turns no more.
    struct weft_ports_stats stats;
};

// Makes the ports of the core of `system`: they exist from then on, and can be opened when they
// have IO. Before the first turn, and before the poller of the IO is added. 0, -ENOSPC.
int weft_ports_init(struct weft_ports *ports, struct weft_actor_system *system);
// Gives them IO, or datagrams. On their core, or before it turns. What it points to outlives them.
void weft_ports_use_io(struct weft_ports *ports, const struct weft_io *io);
void weft_ports_use_datagrams(struct weft_ports *ports, const struct weft_datagrams *datagrams);
// The IO, for whoever uses it beside them; NULL: they have none, or the core turns no more.
static inline const struct weft_io *weft_ports_io(const struct weft_ports *ports)
{
    return ports->io.self != NULL && !ports->is_over ? &ports->io : NULL;
}
// The core turns no more: what ends from now on is told to nobody. Before the IO is closed.
void weft_ports_stop(struct weft_ports *ports);
// Frees them all. The IO has been closed; of a node's cores all of them before the first
// weft_actor_system_destroy.
void weft_ports_destroy(struct weft_ports *ports);

// ---- What follows is between the files of this directory.

enum weft_port_call { // `type` of calls to a port.
    WEFT_PORT_CALL_CANCEL = 0xfe00,
    WEFT_PORT_CALL_OPENED,
    WEFT_PORT_CALL_READ,
    WEFT_PORT_CALL_WRITE,
    WEFT_PORT_CALL_WRITE_NOW, // Does not wait.
    WEFT_PORT_CALL_ACCEPT,
    WEFT_PORT_CALL_FILE_READ,
    WEFT_PORT_CALL_FILE_WRITE,
    WEFT_PORT_CALL_FILE_SYNC,
    // These are answered at once.
    WEFT_PORT_CALL_AT_ONCE,
    WEFT_PORT_CALL_MODE = WEFT_PORT_CALL_AT_ONCE,
    WEFT_PORT_CALL_GIVE,
    WEFT_PORT_CALL_CLOSE,
    WEFT_PORT_CALL_FINISH,
    WEFT_PORT_CALL_INFO,
    WEFT_PORT_CALL_SEND_TO,
    WEFT_PORT_CALL_LAST = WEFT_PORT_CALL_SEND_TO
};

struct weft_port_mode_args {
    uint32_t mode, count;
};

struct weft_port_ask { // Of READ and ACCEPT: bytes at most; not to wait.
    uint32_t limit;
    bool now;
};

struct weft_port_type {
    struct weft_actor_kind kind; // Whose name says what it is.
    size_t bytes;                // Of its structure, which begins with a struct weft_port.
    uint32_t window_count;
    bool is_stream;
    // A call that may have to wait, which is the port's from then on.
    void (*serve)(struct weft_port *port, struct weft_message *call);
    // FINISH, SEND_TO. NULL: none of them.
    int (*obey)(struct weft_port *port, uint16_t type, const void *bytes, size_t length);
    // Takes the call `reference` out of those that wait. NULL: it is none of them.
    struct weft_message *(*take_back)(struct weft_port *port, uint64_t reference);
    // Something has changed: a mode, a window, an owner's mailbox.
    void (*get_on)(struct weft_port *port);
    void (*flush)(struct weft_port *port); // It stood in ports->unsent. May be NULL.
    // Ends it in order: calls weft_port_end when nothing is left to do, or under way.
    void (*close)(struct weft_port *port);
    // Ends it at once: what is under way is cancelled, who waits is told -EPIPE.
    void (*abandon)(struct weft_port *port);
    bool (*is_idle)(const struct weft_port *port); // Nothing is under way.
    void (*release)(struct weft_port *port); // Its memory, but for the structure. May be NULL.
    void (*describe)(const struct weft_port *port, struct weft_port_info *info); // May be NULL.
};

struct weft_port {
    const struct weft_port_type *type;
    struct weft_ports *ports;
    struct weft_actor *actor; // NULL: it has ended.
    weft_pid pid, owner;
    uint64_t watch; // The monitor of the owner.
    struct weft_list link, turn, choke;
    struct weft_io_handle handle;
    uint8_t mode;
    bool is_closing; // Nothing more comes from it.
    bool resets;     // The peer is to learn that something was lost.
    bool is_choked;
    bool is_stopped_short; // It has something for its owner, and may not.
    uint32_t wanted;       // Messages left of ONCE.
    // What the owner has not received: bytes and messages of the window, and how much of that the
    // receipt on its way, if there is one, will settle.
    uint32_t window_bytes, window_count, out_bytes, out_count, receipt_bytes, receipt_count;
    struct weft_message *receipt;  // NULL: on its way.
    struct weft_message *notice;   // PASSIVE, to be sent at the end of ONCE.
    struct weft_message *farewell; // CLOSED, to be sent when it fails.
    uint64_t received_bytes, received_count, sent_bytes, sent_count;
    uint64_t dropped_count, paused_count, waited_count;
};

static inline struct weft_actor_system *weft_port_system(const struct weft_port *port)
{
    return port->ports->system;
}

// ---- port.c

// What a type's kind of actor is: WEFT_PORT_ACTOR("tcp").
int weft_port_slice(struct weft_actor *actor, uint32_t *reductions);
void weft_port_terminate(struct weft_actor *actor, void *state, uint16_t reason);
#define WEFT_PORT_ACTOR(text)                                                                      \
    {                                                                                              \
        .name = text, .slice = weft_port_slice, .terminate = weft_port_terminate                   \
    }

// True if `pid` is a port of this core that can be used directly: none of its calls waits.
struct weft_port *weft_port_here(struct weft_actor_system *system, weft_pid pid);
// A port of `type` for `owner`, zeroed but for what every port has. 0; -ENOMEM, -ENOSPC.
int weft_port_make(struct weft_ports *ports, const struct weft_port_type *type, weft_pid owner,
                   const struct weft_port_options *options, struct weft_port **port);
// Its actor ends soon.
void weft_port_end(struct weft_port *port);
// It has failed: says so to the owner, unless that has closed it, and ends.
void weft_port_fail(struct weft_port *port, int error);
// One of its operations has ended: it may go, if its actor has gone before.
void weft_port_settle(struct weft_port *port);
// Begins an orderly end: nothing more comes.
void weft_port_shut(struct weft_port *port);
int weft_port_set_mode(struct weft_port *port, const struct weft_port_mode_args *args);
int weft_port_set_owner(struct weft_port *port, weft_pid to);
void weft_port_describe(const struct weft_port *port, struct weft_port_info *info);
// One of the calls that are answered at once, by `from`.
int weft_port_obey(struct weft_port *port, weft_pid from, uint16_t type, const void *bytes,
                   size_t length);
// The call `reference` in `calls`, taken out; NULL: there is none.
struct weft_message *weft_port_take_call(struct weft_list *calls, uint64_t reference);
void weft_port_fail_calls(struct weft_port *port, struct weft_list *calls, int error);
// Turns `answer`, a message of this core, into the answer to `call`.
void weft_port_answer(struct weft_port *port, struct weft_message *call,
                      struct weft_message *answer);

// ---- deliver.c

// True if one more message may go to the owner now. If not, get_on is called when it may.
bool weft_port_may_deliver(struct weft_port *port);
// A message for the owner, to be filled and delivered. NULL: no memory.
struct weft_message *weft_port_message(struct weft_port *port, uint16_t type, uint32_t length);
// Sends it; it counts for what it holds, and once for ONCE.
void weft_port_deliver(struct weft_port *port, struct weft_message *message);
// Sends CLOSED. Once.
void weft_port_say_closed(struct weft_port *port, int error);
struct weft_message *weft_port_make_receipt(struct weft_port *port);
bool weft_port_is_receipt(const struct weft_port *port, const struct weft_message *message);
void weft_port_receipt_came(struct weft_port *port, struct weft_message *receipt);
void weft_port_unchoke(struct weft_port *port);
void weft_ports_relieved(struct weft_actor_system *system, weft_pid receiver);

// ---- calls.c, the callers' side. Between enter and leave.

static inline struct weft_port_options weft_port_options_of(const struct weft_port_options *options)
{
    static const struct weft_port_options usual;
    return options != NULL ? *options : usual;
}
// A call of `type` with `length` bytes of two pieces (the second may be empty), and its answer, in
// self->answer. As weft_call.
int weft_port_ask(struct weft_actor *self, weft_pid pid, uint16_t type, const void *args,
                  size_t args_length, const void *bytes, size_t length, uint64_t timeout_ns);
// One that is answered at once.
int weft_port_order(struct weft_actor *self, weft_pid pid, uint16_t type, const void *bytes,
                    size_t length);

// ---- ports.c

// Its `flush` is called at the end of the turn.
void weft_port_flush_later(struct weft_port *port);

#endif // WEFT_PORT_PORT_H
