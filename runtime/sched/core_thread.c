#include "runtime/sched/core_thread.h"

#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

struct start {
    struct weft_core_thread *thread;
    sem_t entered;
};

static int pin(const struct weft_core *core)
{
    if (core->cpu < 0) return 0;
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET((unsigned)core->cpu, &cpus);
    return -pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
}

static int enter(struct weft_core_thread *thread)
{
    struct weft_core *core = thread->core;
    char name[16];
    snprintf(name, sizeof(name), "weft/%u", core->index);
    pthread_setname_np(pthread_self(), name);
    // Sleeps of 20 us need it: the default slack is 50. Refused only by kernels that round anyway.
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    int status = pin(core);
    if (status == 0 && thread->enter != NULL) status = thread->enter(core, thread->self);
    if (status != 0) return status;
    status = weft_core_watch_doorbells(core);
    if (status != 0 && thread->leave != NULL) thread->leave(core, thread->self);
    return status;
}

static void *turn_for_ever(void *argument)
{
    struct start *start = argument;
    struct weft_core_thread *thread = start->thread;
    struct weft_core *core = thread->core;
    const int status = enter(thread);
    thread->result = status;
    sem_post(&start->entered); // `start` is gone from here on.
    if (status != 0) return NULL;
    // Relaxed: what the stopper did before needs no order here; it joins for the rest.
    while (!atomic_load_explicit(&core->stop, memory_order_relaxed)) {
        if (!weft_core_turn(core)) weft_core_idle(core);
    }
    // Others may be ringing our bell still: it must not be closed under their hands. The store
    // pairs with the acquire load in weft_core_thread_halt, the load with the store in
    // weft_core_thread_stop.
    atomic_store_explicit(&thread->has_halted, true, memory_order_release);
    while (!atomic_load_explicit(&thread->may_leave, memory_order_acquire)) {
        sched_yield();
    }
    if (thread->leave != NULL) thread->leave(core, thread->self);
    return NULL;
}

// The thread is born with every signal blocked: they are for the thread that waits for them.
static int create_blocked(struct weft_core_thread *thread, struct start *start)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int status = pthread_create(&thread->thread, NULL, turn_for_ever, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -status;
}

int weft_core_thread_start(struct weft_core_thread *thread)
{
    struct start start = {.thread = thread};
    atomic_store_explicit(&thread->core->stop, false,
                          memory_order_relaxed); // Before the thread is.
    atomic_store_explicit(&thread->has_halted, false, memory_order_relaxed);
    atomic_store_explicit(&thread->may_leave, false, memory_order_relaxed);
    if (sem_init(&start.entered, 0, 0) != 0) return -errno;
    const int status = create_blocked(thread, &start);
    if (status == 0) {
        while (sem_wait(&start.entered) != 0) // Interrupted by a signal.
            continue;
    }
    sem_destroy(&start.entered);
    if (status != 0) return status;
    if (thread->result != 0) pthread_join(thread->thread, NULL);
    return thread->result;
}

void weft_core_thread_halt(struct weft_core_thread *thread)
{
    // Pairs with the acquire load in the core's look for work before it sleeps.
    atomic_store_explicit(&thread->core->stop, true, memory_order_release);
    weft_core_wake(thread->core);
    // Pairs with the release store in turn_for_ever.
    while (!atomic_load_explicit(&thread->has_halted, memory_order_acquire)) {
        sched_yield();
    }
}

void weft_core_thread_stop(struct weft_core_thread *thread)
{
    weft_core_thread_halt(thread);
    // Pairs with the acquire load in turn_for_ever.
    atomic_store_explicit(&thread->may_leave, true, memory_order_release);
    pthread_join(thread->thread, NULL);
}
