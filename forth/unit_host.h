// unit_host.h: what a unit may ask of the node around it. The one door between forth/ and the rest.
//
// A unit reaches its siblings, the mesh, UDP, time and files only through this table; a NULL
// function makes its words THROW -21 (unsupported operation), and so does a missing table. The node
// fills it, `weft forth` fills the clocks, tests fill what they test, a sandbox gets none.
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
    WEFT_UNIT_MESSAGE_SIBLING = 0, // SEND-TO on this node; `from` is its pid. Ordered, not lost.
    WEFT_UNIT_MESSAGE_HOST = 1,    // SEND-HOST on another node; `from` is its host id. May be lost.
    WEFT_UNIT_MESSAGE_UDP = 2,     // A datagram; `from` is IPv4 address << 16 | port.
    WEFT_UNIT_MESSAGE_TIMER = 3,   // AFTER or EVERY; `from` is the timer's number.
    WEFT_UNIT_MESSAGE_DOWN = 4,    // What it monitors has ended; `from` is its pid, the payload two
                                   // cells: the monitor's number and the reason.
    WEFT_UNIT_MESSAGE_EXIT = 5,    // The same of a link, after TRAP-EXIT; the payload: the reason.
};

struct weft_unit_message {
    const void *payload; // Copied into the unit's memory at once.
    size_t length;       // Bytes.
    uint64_t from;
    enum weft_unit_message_kind kind;
};

struct weft_unit_error;

enum { // How a file is opened.
    WEFT_UNIT_FILE_READ = 1,
    WEFT_UNIT_FILE_WRITE = 2,
    WEFT_UNIT_FILE_CREATE = 4, // Made, or emptied if it is there.
};
#define WEFT_UNIT_FILE_OUTSIDE  (-265) // An ior: the name leads out of the directory of files.
#define WEFT_UNIT_FILE_TOO_MANY (-266) // An ior: no further file can be opened.
// Instead of an ior or bytes: the unit is to park, and to ask the same again when it is run.
#define WEFT_UNIT_FILE_LATER INT32_MIN

// What a program may ask of the machine of its user: files, the command line, a further line. One
// table for all units of a host; each function is called with the host's `self`, and any may be
// NULL. `file` is the host's own number of an open file, from 0; the unit keeps positions, and
// opens files again by their names when it has been restored. In a node none of these calls may
// block: there they answer WEFT_UNIT_FILE_LATER (all but file_close and file_size).
struct weft_unit_machine {
    int32_t no_files; // What file words throw if there is no file_open. 0: -21.
    int32_t no_net;   // The same of TCP words, without tcp_open.
    // The number of the file, or an ior. Names are `length` bytes; the host decides where they
    // lead.
    int32_t (*file_open)(void *self, const char *name, size_t length, uint32_t mode);
    int32_t (*file_close)(void *self, int32_t file);
    // Bytes moved (0 at the end of the file), or an ior.
    int64_t (*file_read)(void *self, int32_t file, uint64_t position, void *to, size_t size);
    int64_t (*file_write)(void *self, int32_t file, uint64_t position, const void *from,
                          size_t size);
    int64_t (*file_size)(void *self, int32_t file); // Bytes, or an ior.
    int32_t (*file_resize)(void *self, int32_t file, uint64_t size);
    int32_t (*file_flush)(void *self, int32_t file);
    int32_t (*file_delete)(void *self, const char *name, size_t length);
    int32_t (*file_rename)(void *self, const char *from, size_t from_length, const char *to,
                           size_t to_length);
    int64_t (*file_status)(void *self, const char *name, size_t length); // st_mode, or an ior.

    // ARG: word `index` of the program's command line, 0 being its name; NULL behind the last.
    const char *(*argument)(void *self, uint64_t index);
    // REFILL at the end of a text that weft_unit_interpret was given: a further line of it, cut to
    // `size`. Its length; -1: none yet, the unit parks; -2: there is none.
    int64_t (*refill)(void *self, void *to, size_t size);
    // (BYE): what the program ends with.
    void (*exit_status)(void *self, int64_t status);
    // HELP: what is known of a word, in lines; NULL: nothing. Valid until the next call.
    const char *(*help)(void *self, const char *word, size_t length);

    // TCP-OPEN: a connection to "ADDRESS:PORT", for the text `level`: WEFT_UNIT_LATER or an ior.
    // TCP-READ: bytes that have come, at least one; 0: no more will. TCP-WRITE: bytes taken, to be
    // sent in the background. An ior of either; WEFT_UNIT_FILE_LATER. -305: it is closed, or none.
    int32_t (*tcp_open)(void *self, uint32_t level, const char *address, size_t length,
                        uint64_t *socket);
    int64_t (*tcp_read)(void *self, uint64_t socket, void *to, size_t size);
    int64_t (*tcp_write)(void *self, uint64_t socket, const void *from, size_t size);
    int32_t (*tcp_close)(void *self, uint64_t socket);
};

#define WEFT_UNIT_RESULTS_MAX 16 // Cells that a spawned unit leaves behind for JOIN.

struct weft_unit_end {                    // How a unit ended.
    uint64_t reason;                      // 0: it was done; else as an actor's (weft/types.h).
    uint32_t count;                       // Cells it left; 0 unless it was done.
    int64_t cells[WEFT_UNIT_RESULTS_MAX]; // Its data stack, deepest first: the topmost if more.
};

// Of what may take longer than a call: the unit is to park, and to ask the same again when the node
// runs it. What it asked for is remembered for `level`, the text that asks (0 is the lowest): each
// waits for one thing at most, until it has an answer or `abandon` is called for it.
#define WEFT_UNIT_LATER 1

enum weft_unit_keys { // What KEY, XKEY and EKEY wait for.
    WEFT_UNIT_KEYS_CHARACTER,
    WEFT_UNIT_KEYS_XCHARACTER,
    WEFT_UNIT_KEYS_EVENT,
};

enum weft_unit_teachers { // Whose definitions and goals a unit takes.
    WEFT_UNIT_TEACHERS_NOBODY,
    WEFT_UNIT_TEACHERS_SIBLINGS, // As it is born.
    WEFT_UNIT_TEACHERS_ALL,      // Those of other nodes, too.
};

struct weft_unit;

struct weft_unit_host {
    void *self;
    const struct weft_unit_machine *machine; // Not copied. NULL: none.

    // HOST-ID UNIT-IDX SIBLING-COUNT MESH-PROCESS-COUNT SELF: figures, as of this turn of the core.
    uint64_t (*host_id)(void *self);
    uint64_t (*unit_index)(void *self);
    uint64_t (*sibling_count)(void *self);
    uint64_t (*mesh_process_count)(void *self);
    uint64_t (*pid)(void *self);

    // MS and TIME: monotonic. UTIME: since 1970, in microseconds.
    uint64_t (*now_ns)(void *self);
    uint64_t (*unix_us)(void *self);

    // SEND-HOST: to the least busy unit of node `host_id`. SEND-TO: to the unit `pid` of this node.
    // 1, of `send`: as 0, but the receiver has had enough; the slice ends here.
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

    // SPAWN: a new unit with the words and data of `unit` runs `xt` on `cells`, on whatever core;
    // `is_linked` to its parent from its birth.
    // JOIN: how `pid` ended; DETACH: nobody will want to know. All three: WEFT_UNIT_LATER or an
    // ior. `is_late`: the time-out has passed, an answer is wanted now (-306).
    int32_t (*spawn)(void *self, uint32_t level, const struct weft_unit *unit, uint64_t xt,
                     const int64_t *cells, uint32_t count, bool is_linked, uint64_t *pid);
    int32_t (*join)(void *self, uint32_t level, uint64_t pid, bool is_late,
                    struct weft_unit_end *end);
    int32_t (*detach)(void *self, uint64_t pid);
    int32_t (*kill)(void *self, uint64_t pid);

    // Channels: bounded queues with a pid. -305: closed (and, to receive, empty), or gone; -306:
    // late.
    int32_t (*channel_new)(void *self, uint32_t capacity, uint64_t *channel);
    int32_t (*channel_send)(void *self, uint32_t level, uint64_t channel, const void *payload,
                            size_t length, bool is_late);
    int32_t (*channel_receive)(void *self, uint32_t level, uint64_t channel, bool is_late,
                               struct weft_unit_message *message);
    int32_t (*channel_close)(void *self, uint32_t level, uint64_t channel);
    // SEND and RECV of a cell, where nothing stands in the way of doing it at once. False: nothing
    // has been done, and the functions above are to be asked. Nor if they are NULL.
    bool (*channel_put)(void *self, uint32_t level, uint64_t channel, int64_t cell);
    bool (*channel_take)(void *self, uint32_t level, uint64_t channel, int64_t *cell);
    void (*abandon)(void *self, uint32_t level);

    // MONITOR, DEMONITOR, LINK, UNLINK, TRAP-EXIT: who learns of whose end (weft/link.h).
    int32_t (*monitor)(void *self, uint64_t pid, uint64_t *monitor);
    int32_t (*demonitor)(void *self, uint64_t monitor);
    int32_t (*link)(void *self, uint64_t pid);
    int32_t (*unlink)(void *self, uint64_t pid);
    void (*trap_exit)(void *self, bool traps);

    // AFTER, EVERY: a message of kind TIMER to the unit itself, after `delay_ns`, and again.
    // CANCEL.
    int32_t (*timer)(void *self, const void *payload, size_t length, uint64_t delay_ns,
                     bool repeats, uint64_t *timer);
    int32_t (*timer_cancel)(void *self, uint64_t timer);

    // SHARE-WORD, TEACH, SHARE: a definition for all siblings, or for all units of the other nodes.
    // GOAL: a text for the least busy sibling, *pid. LEARNS: from whom this unit takes either.
    int32_t (*share)(void *self, const char *text, size_t length, bool peers);
    int32_t (*goal)(void *self, const char *text, size_t length, uint64_t *pid);
    void (*learns)(void *self, enum weft_unit_teachers from);
    // UNIT-SAVE: the unit as it stands there is to survive the node. WEFT_UNIT_LATER, or an ior: 0,
    // it does; -301: nothing of it is kept.
    int32_t (*save)(void *self, uint32_t level);
    // PEERS: the host ids of other nodes that are not dead, up to `max`; their number.
    uint32_t (*peers)(void *self, uint64_t *ids, uint32_t max);

    // EKEY: an event of the user's keyboard (forth/keys.h); -1 and -2 as of `key`.
    // KEY?, XKEY?, EKEY?: is there one of that kind? What comes before it, and is none, is dropped.
    int32_t (*ekey)(void *self);
    bool (*key_waits)(void *self, enum weft_unit_keys kind);
};

#endif // WEFT_FORTH_UNIT_HOST_H
