// unit_lessons.h: texts that units give each other to evaluate: definitions for all siblings or for
// the units of other nodes, goals for the least busy one.
//
// A lesson waits beside the mailbox, in order, until the program is parked or done, as a text that
// people send does; then it runs on empty stacks of its own, with the reductions and the time of an
// evaluation. What it prints goes to the log. Those that wait go with the unit's image, and the
// unit is written to the journal as soon as one has run (unit_keep.c).
#ifndef WEFT_NODE_UNIT_LESSONS_H
#define WEFT_NODE_UNIT_LESSONS_H

#include "runtime/node/unit_actor.h"

#define WEFT_UNIT_LESSONS_MAX      256 // That wait in one unit; what is beyond is dropped, and logged.
#define WEFT_UNIT_LESSON_BYTES_MAX 4096

// Fills in SHARE-TEXT, GOAL, PEERS and LEARNS.
void weft_unit_lessons_host(struct weft_unit_host *host);

// From another node, on core 1: true if `bytes` are a definition: `(word-share :source "…")`. It
// has gone to all units of this node that learn from there.
bool weft_unit_lessons_from_peer(struct weft_node_worker *worker, struct weft_span bytes);

// In a slice: begins the next one, if the unit is at rest; `state` is what it is in. After it has
// run: ends one that is over, or has had enough.
void weft_unit_lessons_begin(struct weft_unit_actor *unit);
void weft_unit_lessons_check(struct weft_unit_actor *unit, enum weft_unit_state state);
// The unit has ended.
void weft_unit_lessons_drop(struct weft_unit_actor *unit);

// Those that wait, oldest first; and one more of them. False: no memory.
void weft_unit_lessons_each(struct weft_unit_actor *unit,
                            void (*see)(void *argument, struct weft_span text, bool from_peer),
                            void *argument);
bool weft_unit_lessons_add(struct weft_unit_actor *unit, struct weft_span text, bool from_peer);

#endif // WEFT_NODE_UNIT_LESSONS_H
