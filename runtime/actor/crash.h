// crash.h: what fault.c and report.c know of each other.
#ifndef WEFT_ACTOR_CRASH_H
#define WEFT_ACTOR_CRASH_H

#include "runtime/actor/fault.h"

struct weft_registers {
    uintptr_t pc, sp, fp;
};
struct weft_stack_range {
    uintptr_t low, high; // Both 0: not known.
};
struct weft_stack_range weft_stack_range_of(const void *stack); // One of mem/stacks.h; may be NULL.
// Return addresses from where a thread stands, the innermost first. How many. Reads nothing but
// that stack and code (backtrace.c). In a handler.
uint32_t weft_crash_walk(const struct weft_registers *at, struct weft_stack_range stack,
                         uintptr_t *frames, uint32_t limit);

struct weft_text { // Code that is mapped.
    uintptr_t start, end;
    const char *file; // Without its directory; "" for the program itself.
};
bool weft_text_find(uintptr_t pc, struct weft_text *text); // False: there is none. In a handler.

// The stack that the core's slice is on.
const void *weft_crash_stack_of(const struct weft_actor_system *system);

// The same of an actor that is parked, which does not run meanwhile. 0: it is not, or its stack is
// evicted. In a handler or on its core.
uint32_t weft_crash_parked(const struct weft_actor *actor, uintptr_t *frames, uint32_t limit);

// Writes what a person needs to node->crash_path, and the head of it to standard error: what
// crashed, every actor of every core, what the cores did last. `system` is the core's that crashed,
// NULL if it has no actors. In a handler; the process is about to end.
void weft_crash_report(struct weft_actor_node *node, const struct weft_actor_system *system,
                       const struct weft_crash *crash);

#endif // WEFT_ACTOR_CRASH_H
