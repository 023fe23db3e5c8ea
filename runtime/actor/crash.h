// crash.h: what fault.c and report.c know of each other.
#ifndef WEFT_ACTOR_CRASH_H
#define WEFT_ACTOR_CRASH_H

#include "runtime/actor/fault.h"

// Return addresses from where a thread stands on `stack`, the innermost first. How many. Reads
// nothing but the stack. In a handler.
uint32_t weft_crash_walk(uintptr_t pc, uintptr_t sp, uintptr_t fp, const void *stack,
                         uintptr_t *frames, uint32_t limit);
// The stack that the core's slice is on.
const void *weft_crash_stack_of(const struct weft_actor_system *system);

// The same of an actor that is parked, which does not run meanwhile. 0: it is not, or its stack is
// evicted. In a handler or on its core.
uint32_t weft_crash_parked(const struct weft_actor *actor, uintptr_t *frames, uint32_t limit);

// Writes what a person needs to node->crash_path, and the head of it to standard error: what
// crashed, every actor of every core, what the cores did last. In a handler; the process is about
// to end.
void weft_crash_report(struct weft_actor_system *system, const struct weft_crash *crash);

#endif // WEFT_ACTOR_CRASH_H
