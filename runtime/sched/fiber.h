// fiber.h: leaves one stack and goes on on another: the switch is that of weft/switch.h, and leaves
// with a jump, never with `ret`, whose predictor would guess the other stack's caller: 2.4 against
// 8.0 ns (docs/BENCH.md).
//
// Core:   a fiber runs on one thread at a time; a parked one may go on on any.
// Memory: the caller's; the stack below stack.h.
#ifndef WEFT_SCHED_FIBER_H
#define WEFT_SCHED_FIBER_H

#include <stddef.h>
#include <stdint.h>

#include <weft/switch.h>

#include "runtime/sched/fiber_sanitizer.h"

// A fiber that does not run: its stack pointer. Where it goes on and its frame pointer lie there.
struct weft_fiber {
    void *sp;
#ifdef WEFT_FIBER_SANITIZER
    struct weft_fiber_shadow shadow;
#endif
};
_Static_assert(offsetof(struct weft_fiber, sp) == 0, "asm");

// Called on the new stack with who left for it (`from`) and itself; never returns.
typedef void weft_fiber_entry(struct weft_fiber *from, struct weft_fiber *self);

// Sets `fiber` to begin in `entry` when it is first switched to, on a stack that ends below `top`
// and begins at `bottom`.
static inline void weft_fiber_prepare(struct weft_fiber *fiber, void *bottom, void *top,
                                      weft_fiber_entry *entry)
{
    uintptr_t *sp = (uintptr_t *)((uintptr_t)top & ~(uintptr_t)15);
#if defined(__x86_64__)
    *--sp = 0; // As after a call: the return address is 0, where a walk up the stack ends.
    *--sp = (uintptr_t)entry;
#else
    *--sp = (uintptr_t)entry;
    *--sp = 0; // The frame pointer: likewise.
#endif
    fiber->sp = sp;
    weft_fiber_shadow_prepare(fiber, bottom, top);
}

// The first thing that an entry does.
static inline void weft_fiber_entered(void)
{
    weft_fiber_shadow_entered();
}

// Leaves `from`, goes on in `to`; returns when somebody switches to `from`.
static inline __attribute__((always_inline)) void weft_fiber_switch(struct weft_fiber *from,
                                                                    struct weft_fiber *to)
{
    weft_fiber_shadow_leave(from, to);
    weft_switch(from, to);
    weft_fiber_shadow_back(from);
}

// Leaves `from` for ever: nobody may switch to it before it has been prepared again.
static inline __attribute__((always_inline)) _Noreturn void weft_fiber_end(struct weft_fiber *from,
                                                                           struct weft_fiber *to)
{
    weft_fiber_shadow_end(from, to);
    weft_switch(from, to);
    __builtin_unreachable();
}

#endif // WEFT_SCHED_FIBER_H
