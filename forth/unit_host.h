// unit_host.h: what a unit may ask of the node around it. The one door between forth/ and the rest.
//
// A unit reaches its siblings, the mesh, UDP and time only through this table; a NULL function
// makes its words THROW -21 (unsupported operation), and so does a missing table. The node fills
// it, `weft forth` fills the clocks, tests fill what they test, a sandbox gets none.
//
// Core:    called only from weft_unit_run, on the unit's core. No call may block or run a unit.
// Results: an `ior` is 0, or a negative THROW code that the Forth program sees as it is.
// Spans:   what goes out is valid during the call only; what comes in, until the next call.
#ifndef WEFT_FORTH_UNIT_HOST_H
#define WEFT_FORTH_UNIT_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// How a message came: the top cell that RECEIVE leaves.
enum weft_unit_message_kind {
    WEFT_UNIT_MESSAGE_SIBLING = 0, // SEND on this node; `from` is its pid. Ordered, not lost.
    WEFT_UNIT_MESSAGE_HOST = 1,    // SEND-TO on another node; `from` is its host id. May be lost.
    WEFT_UNIT_MESSAGE_UDP = 2,     // A datagram; `from` is IPv4 address << 16 | port.
};

struct weft_unit_message {
    const void *payload; // Copied into the unit's memory at once.
    size_t length;       // Bytes.
    uint64_t from;
    enum weft_unit_message_kind kind;
};

struct weft_unit_error;

struct weft_unit_host {
    void *self;

    // HOST-ID UNIT-IDX SIBLING-COUNT MESH-PROCESS-COUNT SELF: figures, as of this turn of the core.
    uint64_t (*host_id)(void *self);
    uint64_t (*unit_index)(void *self);
    uint64_t (*sibling_count)(void *self);
    uint64_t (*mesh_process_count)(void *self);
    uint64_t (*pid)(void *self);

    // MS and TIME: monotonic. UTIME: since 1970, in microseconds.
    uint64_t (*now_ns)(void *self);
    uint64_t (*unix_us)(void *self);

    // SEND-TO: to the least busy unit of node `host_id`. SEND: to the unit `pid` of this node.
    // 1, of SEND: as 0, but the receiver has had enough; the slice ends here.
    int32_t (*send_to)(void *self, const void *payload, size_t length, uint64_t host_id);
    int32_t (*send)(void *self, const void *payload, size_t length, uint64_t pid);

    // RECEIVE: takes the oldest message. False when there is none: the unit parks, and the node
    // runs it again when a message has come.
    bool (*receive)(void *self, struct weft_unit_message *message);

    // UDP-BIND: datagrams to this port become messages of this unit.
    // UDP-REPLY: to the sender of the datagram that `receive` gave out last.
    int32_t (*udp_bind)(void *self, uint16_t port);
    int32_t (*udp_reply)(void *self, const void *payload, size_t length);

    // ACCEPT: a line of the user's input, cut to `size`, without its end. Its length; -1: none yet,
    // the unit parks. KEY: a character; -1: none yet; -2: there will be none (THROW -39).
    int64_t (*accept)(void *self, void *to, size_t size);
    int32_t (*key)(void *self);

    // NODE: the host id of the node called `name` (`length` bytes, not ended by NUL), for SEND-TO.
    // False if nobody has that name, as far as this node knows.
    bool (*node_id)(void *self, const char *name, size_t length, uint64_t *id);

    // A definition whose stack comment says what its code does not do (forth/effect.h), with its
    // place; code is WEFT_THROW_EFFECT. NULL: nobody wants to know.
    void (*warning)(void *self, const struct weft_unit_error *warning);
};

#endif // WEFT_FORTH_UNIT_HOST_H
