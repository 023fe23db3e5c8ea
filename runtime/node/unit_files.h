// unit_files.h: files of units: below one directory of the node (units.files), each operation on
// the core's ring or, for what that cannot do, on a thread of the pool. The unit parks meanwhile.
//
//   a text asks -> a job for its level, LATER: it parks
//   the job is done -> the unit is run, asks the same again, and has the answer
//
// A job is whole in itself (what is written is copied into it, what is read is copied out of it),
// so the unit may be moved, saved or ended while the kernel works for it. One whose unit has gone
// ends by itself. An image holds names and positions (forth/files.h); what was under way is asked
// anew, so it may be done twice: a write at the same place, a deletion that then finds nothing
// (-38).
//
// Core: the unit's.
#ifndef WEFT_NODE_UNIT_FILES_H
#define WEFT_NODE_UNIT_FILES_H

#include "runtime/node/unit_actor.h"

// The table for units of this node, with files and TCP (unit_sockets.h) or without
// (forth/unit_host.h).
const struct weft_unit_machine *weft_unit_files_machine(const struct weft_node *node);
// The text at `level` waits for nothing any more.
void weft_unit_files_abandon(struct weft_unit_actor *unit, uint32_t level);
uint32_t weft_unit_files_count(const struct weft_unit_actor *unit); // Open, or about to be.
// The unit has ended, and closed what it had open.
void weft_unit_files_end(struct weft_unit_actor *unit);

#endif // WEFT_NODE_UNIT_FILES_H
