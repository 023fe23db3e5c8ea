#include "runtime/actor/fault.h"

#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "runtime/actor/crash.h"
#include "runtime/actor/internal.h"
#include "runtime/actor/relief.h"

#define STACK_BYTES (128 * 1024) // Of a thread's signals; a power of two.
#define POKE        SIGURG       // Ignored where nobody handles it.

static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};

struct weft_fault_thread { // At the start of the signal stack.
    uint64_t magic;
    struct weft_actor_node *node;
    struct weft_actor_system *system; // NULL: this core runs no actors.
    struct weft_stack_range own;      // The thread's own stack.
    pthread_t thread;
    uint64_t stuck_since; // Slices of the core when it was first found stuck here.
    bool is_dying;        // A fault while a fault is dealt with ends the process.
    stack_t stack_before; // What the thread had for its signals,
    sigset_t mask_before; // and which it did not want.
};

#define MAGIC UINT64_C(0x7a1f00dacc01ade5)

// ---- Where the handler finds itself.

static struct weft_fault_thread *current(void)
{
    const uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    return (struct weft_fault_thread *)(here & ~(uintptr_t)(STACK_BYTES - 1));
}

// Only threads of ours have a signal stack that begins so; others' handlers run on what they have.
static struct weft_fault_thread *own_thread(const stack_t *used)
{
    if (used->ss_flags & SS_DISABLE ||
        used->ss_size != STACK_BYTES - sizeof(struct weft_fault_thread))
        return NULL;
    struct weft_fault_thread *thread = current();
    return thread->magic == MAGIC ? thread : NULL;
}

static struct weft_registers registers_of(const ucontext_t *context)
{
#if defined(__x86_64__)
    const greg_t *regs = context->uc_mcontext.gregs;
    return (struct weft_registers){(uintptr_t)regs[REG_RIP], (uintptr_t)regs[REG_RSP],
                                   (uintptr_t)regs[REG_RBP]};
#else
    return (struct weft_registers){context->uc_mcontext.pc, context->uc_mcontext.sp,
                                   context->uc_mcontext.regs[29]};
#endif
}

// Makes the thread go on in `entry(argument)` at the top of `stack` when the handler returns.
static void turn_round(ucontext_t *context, void (*entry)(void *), void *argument, void *stack)
{
    const uintptr_t top = (uintptr_t)weft_stacks_top(stack) & ~(uintptr_t)15;
#if defined(__x86_64__)
    greg_t *regs = context->uc_mcontext.gregs;
    *(uintptr_t *)(top - 8) = 0; // As after a call.
    regs[REG_RIP] = (greg_t)(uintptr_t)entry;
    regs[REG_RDI] = (greg_t)(uintptr_t)argument;
    regs[REG_RSP] = (greg_t)(top - 8);
    regs[REG_RBP] = 0;
    regs[REG_EFL] &= ~(greg_t)0x400; // The direction flag, as the ABI has it.
#else
    context->uc_mcontext.pc = (uintptr_t)entry;
    context->uc_mcontext.regs[0] = (uintptr_t)argument;
    context->uc_mcontext.regs[29] = context->uc_mcontext.regs[30] = 0;
    context->uc_mcontext.sp = top;
#endif
}

// ---- Whose code is it?

// Not those that keep locks and lists of their own: an allocator left in its middle would hang the
// others. The C library is in: what is called with a bad pointer is mostly a string function.
static bool is_forbidden(const char *name)
{
    static const char *const names[] = {"jemalloc", "ld-linux", "linux-vdso",
                                        "pthread",  "libasan",  "libtsan",
                                        "librte",   "gnutls",   "microhttpd"};
    for (size_t i = 0; i < WEFT_COUNT_OF(names); i++) {
        if (strstr(name, names[i]) != NULL) return true;
    }
    return false;
}

// True if the actor's own code, or what it has called outside the runtime, stands at `pc`.
static bool is_actors(const struct weft_actor_system *system, uintptr_t pc)
{
    if (system == NULL || system->running == NULL || !system->in_user) return false;
    struct weft_text text;
    return !weft_text_find(pc, &text) || !is_forbidden(text.file); // A jump to nowhere was its own.
}

// ---- What is told of it.

const void *weft_crash_stack_of(const struct weft_actor_system *system)
{
    const struct weft_actor *actor = system->running;
    return actor != NULL && actor->stack != NULL ? actor->stack : system->core->run.stack;
}

static void name_actor(const struct weft_actor *actor, struct weft_crash *crash)
{
    crash->pid = actor->pid;
    const char *name = weft_actor_label(actor);
    for (size_t i = 0; i + 1 < sizeof(crash->label) && name[i] != '\0'; i++)
        crash->label[i] = name[i];
}

static void add(struct weft_crash_ring *ring, const struct weft_crash *crash)
{
    const uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    // Pairs with the release store in weft_crash_take: the slot has been read.
    if (head - atomic_load_explicit(&ring->tail, memory_order_acquire) == WEFT_CRASH_SLOTS) {
        atomic_fetch_add_explicit(&ring->lost, 1, memory_order_relaxed);
        return;
    }
    ring->slots[head % WEFT_CRASH_SLOTS] = *crash;
    // Pairs with the acquire load in weft_crash_take: the slot is whole.
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
}

bool weft_crash_take(struct weft_crash_ring *ring, struct weft_crash *crash)
{
    const uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    // Pairs with the release store in add.
    if (atomic_load_explicit(&ring->head, memory_order_acquire) == tail) return false;
    *crash = ring->slots[tail % WEFT_CRASH_SLOTS];
    // Pairs with the acquire load in add.
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
    return true;
}

static struct weft_crash describe(const struct weft_fault_thread *thread, const siginfo_t *info,
                                  const ucontext_t *context)
{
    const struct weft_actor_system *system = thread->system;
    const struct weft_registers at = registers_of(context);
    struct weft_stack_range stack = thread->own;
    struct weft_crash crash = {.signal = info->si_signo, .address = (uintptr_t)info->si_addr};
    if (system != NULL) {
        const struct weft_stack_range slice = weft_stack_range_of(weft_crash_stack_of(system));
        if (at.sp + WEFT_STACK_BYTES >= slice.low && at.sp < slice.high) stack = slice;
        crash.core = system->index;
        crash.log_end = weft_log_end(&system->core->log);
        if (system->running != NULL) name_actor(system->running, &crash);
    }
    crash.frame_count = weft_crash_walk(&at, stack, crash.frames, WEFT_CRASH_FRAMES);
    return crash;
}

// ---- Crashes.

// On the actor's stack, from its top: the last thing that happens on it.
static void abandon(void *argument)
{
    struct weft_actor_system *system = argument;
    weft_actor_abandon(system->running);
}

static bool is_overflow(const struct weft_actor_system *system, const siginfo_t *info,
                        const ucontext_t *context)
{
    const uintptr_t stack = (uintptr_t)weft_crash_stack_of(system);
    const uintptr_t address = (uintptr_t)info->si_addr;
    if (info->si_signo == SIGILL) return weft_stacks_trapped(registers_of(context).pc);
    return stack != 0 && info->si_signo == SIGSEGV && address >= stack - WEFT_STACK_BYTES &&
           address < stack + WEFT_STACK_GUARD_BYTES;
}

// Ends the running actor: the thread leaves it when the handler returns.
static void contain(struct weft_fault_thread *thread, ucontext_t *context, uint16_t reason)
{
    struct weft_actor_system *system = thread->system;
    struct weft_actor *actor = system->running;
    void *stack = actor->stack != NULL ? actor->stack : system->core->run.stack;
    weft_actor_stop(actor, reason);
    system->in_user = false;
    weft_stacks_forget(stack);
    turn_round(context, abandon, system, stack);
}

// abort() can be left (as C says of handlers for SIGABRT), unless a library that keeps locks of its
// own has called it.
static bool may_leave_abort(const struct weft_crash *crash)
{
    struct weft_text text;
    return crash->frame_count > 1 && weft_text_find(crash->frames[1], &text) &&
           !is_forbidden(text.file);
}

static bool can_contain(const struct weft_fault_thread *thread, int signal,
                        const ucontext_t *context, const struct weft_crash *crash)
{
    return is_actors(thread->system, registers_of(context).pc) &&
           (signal != SIGABRT || may_leave_abort(crash));
}

// Leaves out the innermost frame: it is not the one to blame.
static void drop_first_frame(struct weft_crash *crash)
{
    if (crash->frame_count < 2) return;
    memmove(crash->frames, crash->frames + 1, --crash->frame_count * sizeof(crash->frames[0]));
}

static void end_actor(struct weft_fault_thread *thread, struct weft_crash *crash,
                      const siginfo_t *info, ucontext_t *context)
{
    crash->contained = true;
    if (is_overflow(thread->system, info, context)) crash->what = WEFT_CRASH_OVERFLOW;
    // Not where a check stands, but whose it was.
    if (crash->what == WEFT_CRASH_OVERFLOW && info->si_signo == SIGILL) drop_first_frame(crash);
    if (info->si_signo == SIGABRT) drop_first_frame(crash);
    weft_trace(thread->system, WEFT_TRACE_CRASH, crash->pid, (uint32_t)info->si_signo);
    weft_trace_actor(thread->system->running, WEFT_TRACE_CRASH, 0, (uint32_t)info->si_signo);
    WEFT_PROBE2(crash, crash->pid, info->si_signo);
    add(thread->system->crashes, crash);
    contain(thread, context, WEFT_EXIT_FAULT);
}

static void on_fault(int signal, siginfo_t *info, void *opaque)
{
    ucontext_t *context = opaque;
    struct weft_fault_thread *thread = own_thread(&context->uc_stack);
    const int saved = errno;
    if (thread != NULL && !thread->is_dying) {
        struct weft_crash crash = describe(thread, info, context);
        if (can_contain(thread, signal, context, &crash)) {
            end_actor(thread, &crash, info, context);
            errno = saved;
            return;
        }
        thread->is_dying = true;
        weft_crash_report(thread->node, thread->system, &crash);
    }
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigaction(signal, &plain, NULL);
    raise(signal); // Delivered when the handler returns.
}

// ---- Cores that do not get on.

static void note_stuck(struct weft_fault_thread *thread, siginfo_t *info, ucontext_t *context)
{
    struct weft_actor_system *system = thread->system;
    const struct weft_core *core = system->core;
    const uint64_t slices =
        weft_counter_get(&core->stats.slice_count) + core->run.slices + 1; // This very slice.
    if (slices == thread->stuck_since) return;                             // Told already.
    thread->stuck_since = slices;
    struct weft_crash crash = describe(thread, info, context);
    crash.what = WEFT_CRASH_STUCK;
    crash.address = 0;
    crash.stuck_ms = (uint64_t)(uint32_t)info->si_value.sival_int;
    weft_trace(system, WEFT_TRACE_STUCK, crash.pid, (uint32_t)crash.stuck_ms);
    weft_trace_actor(system->running, WEFT_TRACE_STUCK, 0, (uint32_t)crash.stuck_ms);
    WEFT_PROBE2(stuck, crash.pid, crash.stuck_ms);
    add(system->crashes, &crash);
}

// Why the running actor has to end now; WEFT_EXIT_NORMAL: it has not. Relaxed: asked again in a
// millisecond.
static enum weft_exit end_wanted(const struct weft_actor_system *system)
{
    const struct weft_actor *actor = system->running;
    // One that ends already is in its `terminate`: there is no later end.
    if (actor->task.flags & WEFT_ACTOR_ZOMBIE) return WEFT_EXIT_NORMAL;
    if (actor->task.flags & WEFT_ACTOR_ENDING)
        return actor->exit_reason != WEFT_EXIT_NORMAL ? actor->exit_reason : WEFT_EXIT_KILLED;
    if (actor->task.flags & WEFT_ACTOR_PRIVATE) return WEFT_EXIT_NORMAL;
    if (atomic_load_explicit(&system->kill_wanted, memory_order_relaxed) == actor->pid)
        return WEFT_EXIT_KILLED;
    return atomic_load_explicit(&system->node->stopping, memory_order_relaxed) ? WEFT_EXIT_SHUTDOWN
                                                                               : WEFT_EXIT_NORMAL;
}

void weft_actor_kill_stuck(struct weft_actor_node *node, weft_pid pid)
{
    const int core = weft_actor_core_of(node, pid);
    if (core < 0) return;
    atomic_store_explicit(&node->systems[core]->kill_wanted, pid, memory_order_relaxed);
}

static void on_poke(int signal, siginfo_t *info, void *opaque)
{
    ucontext_t *context = opaque;
    struct weft_fault_thread *thread = own_thread(&context->uc_stack);
    const int saved = errno;
    (void)signal;
    if (thread != NULL && info->si_code == SI_QUEUE && thread->system != NULL &&
        thread->system->running != NULL && thread->system->in_user) {
        struct weft_actor_system *system = thread->system;
        note_stuck(thread, info, context);
        system->in_user = false; // What crashes in there is ours.
        weft_relieve(system);
        system->in_user = true;
        // Somebody wants it to end, and it does not come back to hear of it.
        const enum weft_exit reason = end_wanted(system);
        if (reason != WEFT_EXIT_NORMAL && is_actors(system, registers_of(context).pc))
            contain(thread, context, (uint16_t)reason);
    }
    errno = saved;
}

void weft_fault_poke(struct weft_fault_thread *thread, uint64_t stuck_ns)
{
    const union sigval value = {.sival_int = (int)(stuck_ns / WEFT_NS_PER_MS)};
    pthread_sigqueue(thread->thread, POKE, value);
}

// ---- Threads and the process.

static struct weft_stack_range own_stack(void)
{
    struct weft_stack_range range = {0, 0};
    pthread_attr_t attributes;
    void *low;
    size_t bytes;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return range;
    if (pthread_attr_getstack(&attributes, &low, &bytes) == 0)
        range = (struct weft_stack_range){(uintptr_t)low, (uintptr_t)low + bytes};
    pthread_attr_destroy(&attributes);
    return range;
}

// Adds those that are handled here, as far as they are in `among`; NULL: all.
static void add_signals(sigset_t *set, const sigset_t *among)
{
    if (among == NULL || sigismember(among, POKE) == 1) sigaddset(set, POKE);
    for (size_t i = 0; i < WEFT_COUNT_OF(faults); i++) {
        if (among == NULL || sigismember(among, faults[i]) == 1) sigaddset(set, faults[i]);
    }
}

static sigset_t own_signals(void)
{
    sigset_t ours;
    sigemptyset(&ours);
    add_signals(&ours, NULL);
    return ours;
}

struct weft_fault_thread *weft_fault_enter(struct weft_actor_node *node,
                                           struct weft_actor_system *system)
{
    // Twice the size, so that an aligned one lies within.
    uint8_t *mapped =
        mmap(NULL, 2 * STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return NULL;
    uint8_t *base = (uint8_t *)weft_round_up((uintptr_t)mapped, STACK_BYTES);
    if (base > mapped) munmap(mapped, (size_t)(base - mapped));
    munmap(base + STACK_BYTES, (size_t)(mapped + STACK_BYTES - base));
    struct weft_fault_thread *thread = (struct weft_fault_thread *)(void *)base;
    *thread = (struct weft_fault_thread){.magic = MAGIC,
                                         .node = node,
                                         .system = system,
                                         .own = own_stack(),
                                         .thread = pthread_self()};
    const stack_t stack = {.ss_sp = thread + 1, .ss_size = STACK_BYTES - sizeof(*thread)};
    const sigset_t ours = own_signals(); // A fault whose signal is blocked ends the process.
    if (sigaltstack(&stack, &thread->stack_before) != 0 ||
        pthread_sigmask(SIG_UNBLOCK, &ours, &thread->mask_before) != 0) {
        munmap(base, STACK_BYTES);
        return NULL;
    }
    return thread;
}

// The thread may be the program's own. Of its mask only what was changed here: the rest is its.
void weft_fault_leave(struct weft_fault_thread *thread)
{
    sigset_t blocked;
    sigemptyset(&blocked);
    add_signals(&blocked, &thread->mask_before);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    sigaltstack(&thread->stack_before, NULL);
    munmap(thread, STACK_BYTES);
}

int weft_fault_install(struct weft_fault_handlers *before)
{
    struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    struct sigaction poke = {.sa_sigaction = on_poke,
                             .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    sigfillset(&fault.sa_mask);
    sigfillset(&poke.sa_mask);
    for (size_t i = 0; i < WEFT_COUNT_OF(faults); i++) {
        sigdelset(&poke.sa_mask, faults[i]); // What crashes in there is to be seen.
        if (sigaction(faults[i], &fault, &before->fault[i]) != 0) return -errno;
    }
    return sigaction(POKE, &poke, &before->poke) == 0 ? 0 : -errno;
}

void weft_fault_uninstall(const struct weft_fault_handlers *before)
{
    for (size_t i = 0; i < WEFT_COUNT_OF(faults); i++)
        sigaction(faults[i], &before->fault[i], NULL);
    sigaction(POKE, &before->poke, NULL);
}
