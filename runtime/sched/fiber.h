// fiber.h: leaves one stack and goes on on another, in a handful of instructions.
//
// The switch stands inline where it happens ("context-aware", Photon: "Stackful coroutine made
// fast", 2024): the compiler saves what is live there and nothing else, because the asm says that
// it destroys every register. It leaves with a jump, never with `ret`, whose predictor would guess
// the other stack's caller: 2.4 against 8.0 ns (docs/BENCH.md).
//
// Not saved: the rounding and exception modes of the floating-point unit. A fiber that changes them
// sets them back before it parks. Shadow stacks (CET, GCS) are not switched: Debian 12 enables
// none.
//
// Core:   a fiber runs on one thread at a time; a parked one may go on on any.
// Memory: the caller's; the stack below stack.h.
#ifndef WEFT_SCHED_FIBER_H
#define WEFT_SCHED_FIBER_H

#include <stddef.h>
#include <stdint.h>

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

static inline __attribute__((always_inline)) void weft_fiber_jump(struct weft_fiber *from,
                                                                  struct weft_fiber *to)
{
#if defined(__x86_64__)
    // The function that this stands in may use 128 bytes below its stack pointer: step over them.
    __asm__ volatile("leaq -128(%%rsp), %%rsp\n\t"
                     "pushq %%rbp\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "movq %%rsp, (%%rdi)\n\t"
                     "movq (%%rsi), %%rsp\n\t"
                     "xorl %%ebp, %%ebp\n\t"
                     "popq %%rax\n\t"
                     "jmpq *%%rax\n"
                     "1:\n\t"
                     "popq %%rbp\n\t"
                     "leaq 128(%%rsp), %%rsp\n\t"
                     : "+D"(from), "+S"(to)
                     :
                     : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
                       "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                       "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc",
                       "memory");
#elif defined(__aarch64__)
    register struct weft_fiber *x0 __asm__("x0") = from;
    register struct weft_fiber *x1 __asm__("x1") = to;
    // x29 is saved by hand, since no clobber may name it. `hint #36` is "bti j": where branch
    // targets are enforced, this is one.
    __asm__ volatile("adr x16, 1f\n\t"
                     "stp x29, x16, [sp, #-16]!\n\t"
                     "mov x17, sp\n\t"
                     "str x17, [x0]\n\t"
                     "ldr x17, [x1]\n\t"
                     "mov sp, x17\n\t"
                     "ldp x29, x16, [sp], #16\n\t"
                     "mov x30, xzr\n\t"
                     "br x16\n"
                     "1:\n\t"
                     "hint #36\n\t"
                     : "+r"(x0), "+r"(x1)
                     :
                     : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
                       "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24",
                       "x25", "x26", "x27", "x28", "x30", "v0", "v1", "v2", "v3", "v4", "v5", "v6",
                       "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17",
                       "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28",
                       "v29", "v30", "v31", "cc", "memory");
#else
#error "a switch of stacks for this CPU is missing"
#endif
}

// Leaves `from`, goes on in `to`; returns when somebody switches to `from`.
static inline __attribute__((always_inline)) void weft_fiber_switch(struct weft_fiber *from,
                                                                    struct weft_fiber *to)
{
    weft_fiber_shadow_leave(from, to);
    weft_fiber_jump(from, to);
    weft_fiber_shadow_back(from);
}

// Leaves `from` for ever: nobody may switch to it before it has been prepared again.
static inline __attribute__((always_inline)) _Noreturn void weft_fiber_end(struct weft_fiber *from,
                                                                           struct weft_fiber *to)
{
    weft_fiber_shadow_end(from, to);
    weft_fiber_jump(from, to);
    __builtin_unreachable();
}

#endif // WEFT_SCHED_FIBER_H
