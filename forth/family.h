// family.h: units among units without a node: those of `weft forth` and of the programs that it
// makes.
//
// All live in one thread and take turns, a slice each, while the eldest, whose machine it is, runs
// a text or waits. There are children, joins, channels and messages, as in a node; links, monitors,
// timers and what is for other nodes need one. Only the eldest has a user: to its children it is as
// if the input had ended, as in a node.
//
// Core:   one thread, that which calls weft_play.
// Memory: libc's. Whatever is left when the machine ends, ends with it.
#ifndef WEFT_FORTH_FAMILY_H
#define WEFT_FORTH_FAMILY_H

#include <stdbool.h>
#include <stdint.h>

#include "forth/machine.h"
#include "forth/unit.h"

// The family of the machine's units, and what they may ask of it, in `host`. Children have the
// options of the eldest. 0 or -ENOMEM.
int weft_family_create(struct weft_machine *machine, const struct weft_forth_system *system,
                       const struct weft_unit_options *options, struct weft_unit_host *host);
// Ends all children. Before the eldest and the system are freed. Nothing if there is no family.
void weft_family_free(struct weft_machine *machine);

// Whether there is anybody but the eldest.
bool weft_family_has_children(const struct weft_machine *machine);
// A slice for each child. True if any can go on at once; *wake_ns becomes the earliest time, as the
// host's now_ns, at which one of those that wait is to be woken, if it is less; 0 is none.
bool weft_family_turn(struct weft_machine *machine, uint32_t reductions, uint64_t *wake_ns);
// Changes with whatever one unit may wait for from another.
uint64_t weft_family_events(const struct weft_machine *machine);

#endif // WEFT_FORTH_FAMILY_H
