// table.h: what a node does to have tables (runtime/include/weft/table.h says what they are).
//
// Which tables there are is known to all cores of a node and hangs on its struct weft_actor_node.
// Numbers and names are found without a lock; of two cores that want one place, or one name, at the
// same time, a compare-and-swap says whose it is.
#ifndef WEFT_TABLE_TABLE_H
#define WEFT_TABLE_TABLE_H

#include <weft/table.h>

#include "runtime/actor/actor.h"
#include "runtime/env/entropy.h"

#define WEFT_TABLE_COUNT_MAX 8192 // Where a node does not say.

// Lets the actors of `node` have up to `table_count_max` tables (0: WEFT_TABLE_COUNT_MAX). After
// the last weft_actor_system_init, before the first turn: each core gets a poller. Without it every
// call answers -ENOTSUP. The seed that keys are hashed with comes from `entropy`. 0, -ENOMEM,
// -ENOSPC (no place for a poller).
int weft_tables_init(struct weft_actor_node *node, uint32_t table_count_max,
                     const struct weft_entropy *entropy);
// After the systems were destroyed, and with them the memory of every table. Also if init failed.
void weft_tables_destroy(struct weft_actor_node *node);

// Every table, for the node: `see` is told of each. Any core of the node that turns.
void weft_tables_each(const struct weft_actor_node *node,
                      void (*see)(const struct weft_table_info *info, void *argument),
                      void *argument);

#endif // WEFT_TABLE_TABLE_H
