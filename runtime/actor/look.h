// look.h: actors as people see them: one line each, or one with all that hangs on it. Read on the
// actor's own core, between slices, so what is seen is whole.
#ifndef WEFT_ACTOR_LOOK_H
#define WEFT_ACTOR_LOOK_H

#include <weft/registry.h>

#include "runtime/actor/actor.h"

enum weft_actor_state {
    WEFT_ACTOR_STATE_READY,   // Stands in the run queue.
    WEFT_ACTOR_STATE_WAITING, // For a message, without a stack.
    WEFT_ACTOR_STATE_PARKED,  // In the middle of what it does.
    WEFT_ACTOR_STATE_MUTED,   // For room in somebody's mailbox.
    WEFT_ACTOR_STATE_MOVING,  // On its way to another core.
    WEFT_ACTOR_STATE_ENDING
};
const char *weft_actor_state_name(enum weft_actor_state state);

struct weft_actor_row {
    struct weft_info info;
    char name[WEFT_NAME_MAX + 1]; // Registered; the first, if it has several. "" if none.
    enum weft_actor_state state;
    bool is_private; // The node's own.
};

enum weft_actor_sort {
    WEFT_ACTOR_BY_MAILBOX,
    WEFT_ACTOR_BY_MEMORY,
    WEFT_ACTOR_BY_REDUCTIONS,
    WEFT_ACTOR_BY_PID
};
// Before: negative; after: positive. The largest first; by pid the smallest.
int weft_actor_row_compare(enum weft_actor_sort by, const struct weft_actor_row *a,
                           const struct weft_actor_row *b);

// A list under way on one core: the first `limit` of all actors there, in the order wanted. Actors
// that move, start or end meanwhile may be in it or not.
struct weft_actor_list {
    enum weft_actor_sort by;
    char like[64];     // Only those whose name, label or kind holds this. "": all.
    bool with_private; // The node's own as well.
    uint32_t limit;
    struct weft_actor_row *rows; // Room for `limit`; a heap until it is done, then in order.
    uint32_t count;
    uint64_t total; // That fit.
    uint64_t homes; // Cores whose slots have not been looked through. Set by the first step.
    uint32_t slot;  // Of the lowest of them: the next.
    bool begun;
};
// Looks through up to `slots` more. True: it is done. Own core.
bool weft_actor_list_step(struct weft_actor_system *system, struct weft_actor_list *list,
                          uint32_t slots);

// The lists of several cores, all of them done and in one order, as one. An actor that has moved
// while it was counted is in two of them: it comes once.
struct weft_actor_merge {
    const struct weft_actor_list *lists[WEFT_CORE_MAX]; // NULL: none.
    uint32_t at[WEFT_CORE_MAX];                         // The next row of each.
    weft_pid *seen;                                     // Zeros at first, seen_mask + 1 of them:
    uint32_t seen_mask;  // a power of two, at least twice as many as rows will be asked for.
    uint32_t twin_count; // Rows left out.
};
// NULL: there are no more. Any thread.
const struct weft_actor_row *weft_actor_merge_next(struct weft_actor_merge *merge);

// ---- One actor, as far as there is room.

#define WEFT_LOOK_EDGES    64
#define WEFT_LOOK_MESSAGES 16
#define WEFT_LOOK_FRAMES   16

enum weft_look_edge {
    WEFT_LOOK_LINK,    // pid
    WEFT_LOOK_WATCH,   // It watches pid.
    WEFT_LOOK_WATCHED, // pid watches it.
    WEFT_LOOK_TIMER,   // Fires in due_ns; pid gets the message.
    WEFT_LOOK_NAME,    // text
    WEFT_LOOK_GROUP,   // text
    WEFT_LOOK_OWNED    // A table, a port.
};

struct weft_actor_look {
    struct weft_actor_row row;
    uint32_t edge_count; // All of them.
    uint32_t edges_shown;
    struct {
        enum weft_look_edge what;
        weft_pid pid;
        uint64_t reference, due_ns;
        char text[WEFT_NAME_MAX + 1];
    } edges[WEFT_LOOK_EDGES];
    uint32_t messages_shown; // The oldest.
    struct {
        uint8_t tag;
        uint16_t type;
        uint32_t length;
        weft_pid from;
    } messages[WEFT_LOOK_MESSAGES];
    uint32_t frame_count; // Where it stands: the innermost first; or what handles its messages.
    uintptr_t frames[WEFT_LOOK_FRAMES];
};
// Fills `look` with what is known of `pid`. False: it is not on this core. Own core.
bool weft_actor_look(struct weft_actor_system *system, weft_pid pid, struct weft_actor_look *look);

#endif // WEFT_ACTOR_LOOK_H
