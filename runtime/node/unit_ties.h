// unit_ties.h: what a unit has to do with others, as bytes beside its own image: timers with the
// time that they have left, monitors, links, what its texts wait for, children, channels and what
// is in them, its mailbox, texts of others that it has to evaluate. docs/wire/unit-image.md.
//
//   written   between two slices, on the unit's core
//   checked   whole, before anything is made of it: anybody may have written it
//   applied   when everybody who comes back has an actor: those it names are looked for by their
//             ids, and of whom is no more it is told, as of an end (reason 4)
#ifndef WEFT_NODE_UNIT_TIES_H
#define WEFT_NODE_UNIT_TIES_H

#include "runtime/base/span.h"
#include "runtime/node/unit_actor.h"
#include "runtime/node/unit_quota.h"

// How many bytes they take, and the bytes. The second writes no more than `size`: its length, or
// -ENOSPC.
size_t weft_unit_ties_bytes(struct weft_unit_actor *unit);
int64_t weft_unit_ties_write(struct weft_unit_actor *unit, uint8_t *to, size_t size);

// The quotas that were set for it. 0; -EBADMSG: they are none that can be set.
int weft_unit_ties_quota(struct weft_span ties, struct weft_unit_quota *quota);
// The id of whose reductions it spends; 0: its own.
uint64_t weft_unit_ties_founder(struct weft_span ties);

struct weft_unit_issue { // unit_family.h
    uint64_t serial; // Of the last record of those that name spawned ones. 0: it has spawned none.
    uint64_t root;   // Of a spawned one that is in the journal: id of who was loaded.
};
struct weft_unit_issue weft_unit_ties_issue(struct weft_span ties);
// The children of whose end it has heard.
void weft_unit_ties_dead(struct weft_span ties, void (*see)(void *argument, uint64_t child),
                         void *argument);

struct weft_unit_bounds {
    struct weft_unit_quota whole; // What the unit will have.
    uint64_t others;              // Actors that the node has room for.
};
// 0 if `ties` are whole, and within these bounds. -EBADMSG, with *wrong for people; -ENOMEM: the
// arena has no memory for the list of what it waits for.
int weft_unit_ties_check(struct weft_span ties, const struct weft_unit_bounds *bounds,
                         struct weft_arena *arena, const char **wrong);

// Makes the channels that `ties` name, so that others find them. On the unit's core, once it has an
// actor. 0 or -ENOMEM, -ENOSPC.
int weft_unit_ties_open(struct weft_unit_actor *unit, struct weft_span ties);
// The rest. What there is no memory for is left out, and logged.
void weft_unit_ties_apply(struct weft_unit_actor *unit, struct weft_span ties);

// The children that `ties` name, for whoever restores both: `see` gets each one's id and the
// reference under which its parent waits for its end.
void weft_unit_ties_children(struct weft_span ties,
                             void (*see)(void *argument, uint64_t child, uint64_t reference),
                             void *argument);

#endif // WEFT_NODE_UNIT_TIES_H
