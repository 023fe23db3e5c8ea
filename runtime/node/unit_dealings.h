// unit_dealings.h: what a unit has to do with others: the units it has spawned, its channels, what
// its texts wait for. The words for that, as forth/unit_host.h has them.
//
//   a text asks -> answered at once, or: its wait is kept, by its level, and the unit parks
//   what was asked for comes as a REPLY or DOWN -> the unit runs, asks again, and finds it
//
// What has not been answered is the node's alone: a unit that is restored asks anew. The rest goes
// with it, as ties (unit_ties.h).
#ifndef WEFT_NODE_UNIT_DEALINGS_H
#define WEFT_NODE_UNIT_DEALINGS_H

#include "runtime/node/unit_actor.h"

#define WEFT_UNIT_LEVELS      5    // Texts that may be under way in one unit.
#define WEFT_UNIT_SPAWN_MAX   1024 // Where the node's options do not say.
#define WEFT_UNIT_CHANNEL_MAX 256
#define WEFT_UNIT_FILES_USUAL 16

struct weft_unit_wait {
    enum {
        WEFT_UNIT_FOR_NOTHING,
        WEFT_UNIT_FOR_CHILD,    // SPAWN on another core.
        WEFT_UNIT_FOR_FAREWELL, // JOIN of a child,
        WEFT_UNIT_FOR_END,      // of somebody else: `reference` is a monitor's.
        WEFT_UNIT_FOR_ROOM,     // SEND.
        WEFT_UNIT_FOR_MESSAGE,  // RECV.
        WEFT_UNIT_FOR_CLOSE
    } what;
    bool is_cancelled; // It came late: the channel has been told.
    weft_pid whom;     // As the program says it.
    uint64_t reference;
    uint64_t farewell; // Of CHILD: under which its end will come.
};

struct weft_unit_child {
    weft_pid pid;      // Its id.
    uint64_t farewell; // The reference of its results.
};

struct weft_unit_channel { // Made here.
    weft_pid pid;
    uint64_t id; // By which programs know it: another one if it was restored (unit_ids.h).
};

struct weft_unit_dealings { // From the worker's arena, as are its arrays.
    struct weft_unit_wait waits[WEFT_UNIT_LEVELS];
    struct weft_unit_child *children;   // Not joined yet.
    struct weft_unit_channel *channels; // Made here; some may be closed.
    uint32_t child_count, child_room;
    uint32_t channel_count, channel_room;
    uint32_t signal_count, link_count; // unit_signals.h.
    uint64_t recounted_ns;
    uint16_t last_core;            // Where the last one was spawned.
    struct weft_message *received; // From a channel; released with the next.
    int64_t cells[2];              // The payload of a DOWN or EXIT.
};

// Fills in the words that are made here.
void weft_unit_dealings_host(struct weft_unit_host *host);
// The text at `level` waits for nothing any more.
void weft_unit_dealings_abandon(struct weft_unit_actor *unit, uint32_t level);
// The unit has ended: gives back the message that it holds, and the memory of all this.
void weft_unit_dealings_drop(struct weft_unit_actor *unit);
void weft_unit_dealings_end(struct weft_unit_actor *unit);

// The next message that RECEIVE may see: none that a text waits for otherwise. The caller's.
struct weft_message *weft_unit_dealings_receive(struct weft_unit_actor *unit);
// A text waits in JOIN for the DOWN with this reference.
bool weft_unit_dealings_is_joined(const struct weft_unit_actor *unit, uint64_t reference);

// ---- For one that is restored (unit_ties_apply.c).

// Made at the first use: most units have none. NULL: no memory.
struct weft_unit_dealings *weft_unit_dealings_of(struct weft_unit_actor *unit);
// A child that its program knows as `id`, whose farewell is awaited. 0 or -ENOMEM.
int weft_unit_child_add(struct weft_unit_actor *unit, uint64_t id, uint64_t farewell);
// A channel that programs know as `id`. 0 and *pid, or a negative errno.
int weft_unit_channel_open(struct weft_unit_actor *unit, uint64_t id, uint32_t capacity,
                           weft_pid *pid);
void weft_unit_channel_close(struct weft_unit_actor *unit, weft_pid pid);
// The node's own actors are none of a unit's business.
bool weft_unit_is_the_nodes(const struct weft_node *node, weft_pid pid);

#endif // WEFT_NODE_UNIT_DEALINGS_H
