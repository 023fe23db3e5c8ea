// watchdog.h: a thread that sees when a core does not get on.
//
// Every millisecond it looks at the cores that are awake. One whose turn has lasted for a
// millisecond gets its preempt flag: the slice under way ends at its next chance, whatever it has
// counted, and with it the turn. One whose turn has lasted for ten holds it up in code that never
// comes back: `stuck` is told, every millisecond until it does.
//
// While no core has run a slice for a while it sleeps, and costs nothing; the next core that runs
// one wakes it (one look at a flag in each turn). The two do not fence that against each other, so
// it looks around four times a second all the same.
#ifndef WEFT_SCHED_WATCHDOG_H
#define WEFT_SCHED_WATCHDOG_H

#include <pthread.h>
#include <semaphore.h>

#include "runtime/sched/core.h"

#define WEFT_WATCHDOG_PREEMPT_NS WEFT_NS_PER_MS
#define WEFT_WATCHDOG_STUCK_NS   (10 * WEFT_NS_PER_MS)

struct weft_watchdog {
    struct weft_core_group *group;
    uint64_t core_mask; // Those that are watched.
    // On the watchdog's thread: core `index` has been in one turn for `ns`. May be NULL.
    void (*stuck)(void *self, uint16_t index, uint64_t ns);
    void *self;
    struct {
        uint64_t turn_count, slice_count, since_ns;
    } seen[WEFT_CORE_MAX];
    uint64_t slices_at_ns; // When a slice was seen last.
    struct weft_watchdog_bell bell;
    sem_t rung;
    _Atomic bool stop;
    pthread_t thread;
};

// Starts the thread over the cores of `core_mask`, which turn already or will; `group`, `stuck` and
// `self` are set, the rest is not. Control core. 0 or a negative errno.
int weft_watchdog_start(struct weft_watchdog *watchdog);
// Before any of the cores' memory goes.
void weft_watchdog_stop(struct weft_watchdog *watchdog);

#endif // WEFT_SCHED_WATCHDOG_H
