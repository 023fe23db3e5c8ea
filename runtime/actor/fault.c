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

static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

struct weft_fault_thread { // At the start of the signal stack.
    uint64_t magic;
    struct weft_actor_system *system;
    pthread_t thread;
    uint64_t stuck_since; // Slices of the core when it was first found stuck here.
    bool is_dying;        // A fault while a fault is dealt with ends the process.
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

struct registers {
    uintptr_t pc, sp, fp;
};

static struct registers registers_of(const ucontext_t *context)
{
#if defined(__x86_64__)
    const greg_t *regs = context->uc_mcontext.gregs;
    return (struct registers){(uintptr_t)regs[REG_RIP], (uintptr_t)regs[REG_RSP],
                              (uintptr_t)regs[REG_RBP]};
#else
    return (struct registers){context->uc_mcontext.pc, context->uc_mcontext.sp,
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

struct search {
    uintptr_t pc;
    bool is_contained; // In a text whose faults can be contained.
};

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

static int see_object(struct dl_phdr_info *info, size_t size, void *data)
{
    struct search *search = data;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_X) == 0) continue;
        const uintptr_t start = info->dlpi_addr + segment->p_vaddr;
        if (search->pc < start || search->pc >= start + segment->p_memsz) continue;
        search->is_contained = !is_forbidden(info->dlpi_name);
        return 1;
    }
    return 0;
}

// True if the actor's own code, or what it has called outside the runtime, stands at `pc`.
static bool is_actors(const struct weft_actor_system *system, uintptr_t pc)
{
    if (system->running == NULL || !system->in_user) return false;
    struct search search = {.pc = pc, .is_contained = true}; // A jump to nowhere was its own.
    dl_iterate_phdr(see_object, &search);
    return search.is_contained;
}

// ---- What is told of it.

static bool is_on(const void *stack, uintptr_t address)
{
    return stack != NULL && address >= (uintptr_t)stack + WEFT_STACK_GUARD_BYTES &&
           address < (uintptr_t)stack + WEFT_STACK_BYTES - 16;
}

// Return addresses up the frame pointers, as long as they stay on the stack and go up.
uint32_t weft_crash_walk(uintptr_t pc, uintptr_t sp, uintptr_t fp, const void *stack,
                         uintptr_t *frames, uint32_t limit)
{
    uint32_t count = 0;
    if (pc != 0) frames[count++] = pc;
    // In a function that keeps no frame the return address is where the stack pointer points.
    if (is_on(stack, sp) && sp % 8 == 0 && fp > sp && pc == 0) frames[count++] = *(uintptr_t *)sp;
    while (count < limit && is_on(stack, fp) && fp % 8 == 0) {
        const uintptr_t *frame = (const uintptr_t *)fp;
        if (frame[1] == 0) break;
        frames[count++] = frame[1];
        if (frame[0] <= fp) break;
        fp = frame[0];
    }
    return count;
}

const void *weft_crash_stack_of(const struct weft_actor_system *system)
{
    const struct weft_actor *actor = system->running;
    return actor != NULL && actor->stack != NULL ? actor->stack : system->core->run.stack;
}

static void name_actor(const struct weft_actor *actor, struct weft_crash *crash)
{
    crash->pid = actor->pid;
    const char *name = actor->label != NULL ? actor->label->text : actor->kind->name;
    for (size_t i = 0; i + 1 < sizeof(crash->label) && name != NULL && name[i] != '\0'; i++)
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

static struct weft_crash describe(const struct weft_actor_system *system, const siginfo_t *info,
                                  const ucontext_t *context)
{
    const struct registers at = registers_of(context);
    const void *stack = weft_crash_stack_of(system);
    struct weft_crash crash = {
        .signal = info->si_signo, .core = system->index, .address = (uintptr_t)info->si_addr};
    if (system->running != NULL) name_actor(system->running, &crash);
    crash.frame_count =
        weft_crash_walk(at.pc, at.sp, at.fp, stack, crash.frames, WEFT_CRASH_FRAMES);
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
    weft_stop(actor, reason);
    system->in_user = false;
    weft_stacks_forget(stack);
    turn_round(context, abandon, system, stack);
}

static void on_fault(int signal, siginfo_t *info, void *opaque)
{
    ucontext_t *context = opaque;
    struct weft_fault_thread *thread = own_thread(&context->uc_stack);
    const int saved = errno;
    if (thread != NULL && !thread->is_dying && signal != SIGABRT &&
        is_actors(thread->system, registers_of(context).pc)) {
        struct weft_crash crash = describe(thread->system, info, context);
        crash.contained = true;
        if (is_overflow(thread->system, info, context)) crash.what = WEFT_CRASH_OVERFLOW;
        weft_trace(thread->system, WEFT_TRACE_FAULT, crash.pid, (uint32_t)signal);
        add(thread->system->crashes, &crash);
        contain(thread, context, WEFT_EXIT_FAULT);
        errno = saved;
        return;
    }
    struct weft_crash crash = {.signal = signal, .address = (uintptr_t)info->si_addr};
    if (thread != NULL && !thread->is_dying) {
        thread->is_dying = true;
        crash = describe(thread->system, info, context);
        weft_crash_report(thread->system, &crash);
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
    struct weft_crash crash = describe(system, info, context);
    crash.what = WEFT_CRASH_STUCK;
    crash.address = 0;
    crash.stuck_ms = (uint64_t)(uint32_t)info->si_value.sival_int;
    weft_trace(system, WEFT_TRACE_STUCK, crash.pid, (uint32_t)crash.stuck_ms);
    add(system->crashes, &crash);
}

static void on_poke(int signal, siginfo_t *info, void *opaque)
{
    ucontext_t *context = opaque;
    struct weft_fault_thread *thread = own_thread(&context->uc_stack);
    const int saved = errno;
    (void)signal;
    if (thread != NULL && info->si_code == SI_QUEUE && thread->system->running != NULL &&
        thread->system->in_user) {
        struct weft_actor_system *system = thread->system;
        note_stuck(thread, info, context);
        weft_relieve(system);
        // Somebody wants it to end, and it does not come back to hear of it.
        // One that ends already is in its `terminate`: there is no later end.
        if ((system->running->task.flags & (WEFT_ACTOR_ENDING | WEFT_ACTOR_ZOMBIE)) ==
                WEFT_ACTOR_ENDING &&
            is_actors(system, registers_of(context).pc))
            contain(thread, context, system->running->exit_reason);
    }
    errno = saved;
}

void weft_fault_poke(struct weft_fault_thread *thread, uint64_t stuck_ns)
{
    const union sigval value = {.sival_int = (int)(stuck_ns / WEFT_NS_PER_MS)};
    pthread_sigqueue(thread->thread, POKE, value);
}

// ---- Threads and the process.

struct weft_fault_thread *weft_fault_enter(struct weft_actor_system *system)
{
    // Twice the size, so that an aligned one lies within.
    uint8_t *mapped =
        mmap(NULL, 2 * STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return NULL;
    uint8_t *base = (uint8_t *)weft_round_up((uintptr_t)mapped, STACK_BYTES);
    if (base > mapped) munmap(mapped, (size_t)(base - mapped));
    munmap(base + STACK_BYTES, (size_t)(mapped + STACK_BYTES - base));
    struct weft_fault_thread *thread = (struct weft_fault_thread *)(void *)base;
    *thread =
        (struct weft_fault_thread){.magic = MAGIC, .system = system, .thread = pthread_self()};
    const stack_t stack = {.ss_sp = thread + 1, .ss_size = STACK_BYTES - sizeof(*thread)};
    sigset_t poke;
    sigemptyset(&poke);
    sigaddset(&poke, POKE);
    if (sigaltstack(&stack, NULL) != 0 || pthread_sigmask(SIG_UNBLOCK, &poke, NULL) != 0) {
        munmap(base, STACK_BYTES);
        return NULL;
    }
    return thread;
}

void weft_fault_leave(struct weft_fault_thread *thread)
{
    const stack_t none = {.ss_flags = SS_DISABLE};
    sigaltstack(&none, NULL);
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
