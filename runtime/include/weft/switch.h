// switch.h: from one stack to another, in a handful of instructions, inside the function that
// waits.
//
// Not for actors to call: it is here because weft_receive and weft_yield end in it. A CPU predicts
// where a `ret` goes by where the calls came from. Behind a switch that is wrong by as many frames
// as are left by `ret` before the next call: so a function of ours that switched and then returned
// would be mispredicted every time, which costs more than the switch. One that tells its caller to
// switch returns before, and the jump is predicted place by place (docs/BENCH.md).
//
// The compiler saves what is live where it stands and nothing else ("context-aware", Photon:
// "Stackful coroutine made fast", 2024), because the asm says that it destroys every register.
//
// Not saved: the rounding and exception modes of the floating-point unit. An actor that changes
// them sets them back before it waits. Shadow stacks (CET, GCS) are not switched: Debian 12 enables
// none.
#ifndef WEFT_SWITCH_H
#define WEFT_SWITCH_H

// What a wait says next: to switch from one stack to another, and then to ask again; or, where `to`
// is NULL, that it is over, and what came (`from`).
struct weft_step {
    void *from, *to;
};

// Of what a program may be compiled to use: a function call would not save these either.
#if defined(__x86_64__)
#ifdef __AVX512F__
#define WEFT_SWITCH_WIDE                                                                           \
    , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25",    \
        "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6",  \
        "k7"
#else
#define WEFT_SWITCH_WIDE
#endif
#elif defined(__aarch64__)
#ifdef __ARM_FEATURE_SVE
#define WEFT_SWITCH_WIDE                                                                           \
    , "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10", "p11", "p12", "p13",      \
        "p14", "p15", "ffr"
#else
#define WEFT_SWITCH_WIDE
#endif
#endif

// A function that instruments every function's entry leaves these alone: they are part of another.
#define WEFT_SWITCH_INLINE static inline __attribute__((always_inline, no_instrument_function))

// Leaves the stack that `from` is to name, goes on on the one that `to` names; returns when
// somebody does the same the other way round. Both point to a stack pointer, below which nothing is
// kept.
WEFT_SWITCH_INLINE void weft_switch(void *from, void *to)
{
#if defined(__x86_64__)
    // The function that this stands in may use 128 bytes below its stack pointer: step over them.
    // rbx and rbp may be what it finds its frame by, which no clobber may name.
    __asm__ volatile("leaq -128(%%rsp), %%rsp\n\t"
                     "pushq %%rbx\n\t"
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
                     "popq %%rbx\n\t"
                     "leaq 128(%%rsp), %%rsp\n\t"
                     : "+D"(from), "+S"(to)
                     :
                     : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
                       "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
                       "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "st", "st(1)",
                       "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "cc",
                       "memory" WEFT_SWITCH_WIDE);
#elif defined(__aarch64__)
    register void *x0 __asm__("x0") = from;
    register void *x1 __asm__("x1") = to;
    // x29 and x19 are saved by hand, for a frame may be found by them. `hint #36` is "bti j": where
    // branch targets are enforced, this is one.
    __asm__ volatile("adr x16, 1f\n\t"
                     "stp x29, x16, [sp, #-32]!\n\t"
                     "str x19, [sp, #16]\n\t"
                     "mov x17, sp\n\t"
                     "str x17, [x0]\n\t"
                     "ldr x17, [x1]\n\t"
                     "mov sp, x17\n\t"
                     "ldp x29, x16, [sp], #16\n\t"
                     "mov x30, xzr\n\t"
                     "br x16\n"
                     "1:\n\t"
                     "hint #36\n\t"
                     "ldr x19, [sp], #16\n\t"
                     : "+r"(x0), "+r"(x1)
                     :
                     : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
                       "x14", "x15", "x16", "x17", "x18", "x20", "x21", "x22", "x23", "x24", "x25",
                       "x26", "x27", "x28", "x30", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7",
                       "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18",
                       "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29",
                       "v30", "v31", "cc", "memory" WEFT_SWITCH_WIDE);
#else
#error "a switch of stacks for this CPU is missing"
#endif
}

#endif // WEFT_SWITCH_H
