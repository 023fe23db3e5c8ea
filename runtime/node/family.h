// family.h: units that come back together, and what they are to each other: of a snapshot, and of
// the journal, whose records are of different moments.
//
// Whose end whom concerns, the parents' records say, and nobody else's word is taken for it. In the
// journal a spawned unit that its parent's record does not count yet has never been: its parent
// will spawn it again. One that it has heard the end of is over. One that it counts and does not
// name has been detached, and lives.
//
// Core: the control core, or whoever starts the node. Memory: malloc.
#ifndef WEFT_NODE_FAMILY_H
#define WEFT_NODE_FAMILY_H

#include "runtime/node/instant.h"
#include "runtime/storage/unit_journal.h"

// False if this record is of one that has spawned none that the journal has. Of what this build
// cannot read nobody knows: its children go with it all the same when it is unloaded.
bool weft_family_may_have_spawned(struct weft_span image);

// True if somebody or a channel in `table` is known by a number that a start with these generations
// could give to another: he would have to get a new one, and nobody would find him.
bool weft_family_has_numbers_of(const struct weft_unit_table *table, uint32_t first_generation);

// Which entries of `table` come back: into `stays`, one for each. Those that nobody waits for have
// no parent in `table` afterwards. 0 or -ENOMEM.
int weft_family_settle(struct weft_unit_table *table, bool *stays);

// The entries of a settled table, joined as below. 0, or -1 with `error` (W0203). Spans point into
// the table. weft_instant_destroy gives it back.
int weft_family_of_table(const struct weft_unit_table *table, struct weft_instant *instant,
                         struct weft_error *error);

// Fills in `kin` and `quota` of each entry. 0, or -1 with `error`: an image cannot be read.
int weft_family_join(struct weft_instant *instant, struct weft_error *error);

#endif // WEFT_NODE_FAMILY_H
