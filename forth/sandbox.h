// sandbox.h: SANDBOX: a text run in a copy of the unit that is thrown away. Internal to forth/.
//
// The copy is a unit of its own beside its parent: same words, variables and data, empty stacks, no
// host table, the parent's quota of memory again, and a quota of reductions. It runs in the
// parent's slices and is part of the parent's image; only its output and its error leave it.
#ifndef WEFT_FORTH_SANDBOX_H
#define WEFT_FORTH_SANDBOX_H

#include "forth/state.h"

// Runs the child for what is left of the parent's budget. True if it has ended.
bool weft_sandbox_run(struct weft_unit *unit);
void weft_sandbox_drop(struct weft_unit *unit);
// `child` is at work for `unit`, and its to free, with so many reductions, but no more than the
// unit's options allow; NULL without memory.
struct weft_sandbox *weft_sandbox_new(struct weft_unit *unit, struct weft_unit *child,
                                      uint64_t reductions);

#endif // WEFT_FORTH_SANDBOX_H
