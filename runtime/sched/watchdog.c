#include "runtime/sched/watchdog.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "runtime/base/assert.h"

#define LOOK_NS     WEFT_NS_PER_MS
#define QUIET_NS    (50 * WEFT_NS_PER_MS)  // So long without a slice, and it sleeps,
#define BACKSTOP_NS (250 * WEFT_NS_PER_MS) // at most so long.

static uint64_t now_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * WEFT_NS_PER_S + (uint64_t)at.tv_nsec;
}

static void look_at(struct weft_watchdog *watchdog, uint16_t index, uint64_t at_ns)
{
    struct weft_core *core = watchdog->group->cores[index];
    const uint64_t turns = weft_counter_get(&core->stats.turn_count);
    const uint64_t slices = weft_counter_get(&core->stats.slice_count);
    if (slices != watchdog->seen[index].slice_count) watchdog->slices_at_ns = at_ns;
    watchdog->seen[index].slice_count = slices;
    if (turns != watchdog->seen[index].turn_count || weft_core_is_asleep(core)) {
        watchdog->seen[index].turn_count = turns;
        watchdog->seen[index].since_ns = at_ns;
        return;
    }
    const uint64_t lasted_ns = at_ns - watchdog->seen[index].since_ns;
    if (lasted_ns < WEFT_WATCHDOG_PREEMPT_NS) return;
    watchdog->slices_at_ns = at_ns;
    // Relaxed: a hint. A turn that begins meanwhile is cut short for nothing.
    atomic_store_explicit(&core->preempt, true, memory_order_relaxed);
    if (lasted_ns >= WEFT_WATCHDOG_STUCK_NS && watchdog->stuck != NULL)
        watchdog->stuck(watchdog->self, index, lasted_ns);
}

// Waits for `ns`, or until a core rings.
static void wait_for(struct weft_watchdog *watchdog, uint64_t ns)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    const uint64_t until_ns = (uint64_t)until.tv_nsec + ns;
    until.tv_sec += (time_t)(until_ns / WEFT_NS_PER_S);
    until.tv_nsec = (long)(until_ns % WEFT_NS_PER_S);
    // Not by the wall clock: when that is set back nobody would watch until it has caught up.
    while (sem_clockwait(&watchdog->rung, CLOCK_MONOTONIC, &until) != 0 && errno == EINTR)
        continue;
}

static void *watch(void *argument)
{
    struct weft_watchdog *watchdog = argument;
    pthread_setname_np(pthread_self(), "weft/watch");
    // Relaxed: whoever stops it joins it.
    while (!atomic_load_explicit(&watchdog->stop, memory_order_relaxed)) {
        const uint64_t at_ns = now_ns();
        for (uint64_t mask = watchdog->core_mask; mask != 0; mask &= mask - 1)
            look_at(watchdog, (uint16_t)__builtin_ctzll(mask), at_ns);
        const bool is_quiet = at_ns - watchdog->slices_at_ns > QUIET_NS;
        // Relaxed on both sides; see watchdog.h.
        atomic_store_explicit(&watchdog->bell.asleep, is_quiet, memory_order_relaxed);
        wait_for(watchdog, is_quiet ? BACKSTOP_NS : LOOK_NS);
        atomic_store_explicit(&watchdog->bell.asleep, false, memory_order_relaxed);
    }
    return NULL;
}

static void ring(void *self)
{
    struct weft_watchdog *watchdog = self;
    sem_post(&watchdog->rung);
}

int weft_watchdog_start(struct weft_watchdog *watchdog)
{
    sigset_t all, before;
    if (sem_init(&watchdog->rung, 0, 0) != 0) return -errno;
    watchdog->bell = (struct weft_watchdog_bell){.ring = ring, .self = watchdog};
    watchdog->slices_at_ns = now_ns();
    for (uint64_t mask = watchdog->core_mask; mask != 0; mask &= mask - 1) {
        watchdog->seen[__builtin_ctzll(mask)].since_ns = watchdog->slices_at_ns;
        watchdog->group->cores[__builtin_ctzll(mask)]->watchdog = &watchdog->bell;
    }
    atomic_store_explicit(&watchdog->stop, false, memory_order_relaxed); // Before the thread is.
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int result = -pthread_create(&watchdog->thread, NULL, watch, watchdog);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result != 0) sem_destroy(&watchdog->rung);
    return result;
}

void weft_watchdog_stop(struct weft_watchdog *watchdog)
{
    atomic_store_explicit(&watchdog->stop, true, memory_order_relaxed); // Joined below.
    sem_post(&watchdog->rung);
    pthread_join(watchdog->thread, NULL);
    for (uint64_t mask = watchdog->core_mask; mask != 0; mask &= mask - 1)
        watchdog->group->cores[__builtin_ctzll(mask)]->watchdog = NULL;
    sem_destroy(&watchdog->rung);
}
