// containment.h: what stands around the actors of a process while their cores turn: the handlers
// that end a crashed actor and not the process (fault.h), the watchdog that sees a core stuck
// (sched/watchdog.h), and the way from the one to the other.
#ifndef WEFT_ACTOR_CONTAINMENT_H
#define WEFT_ACTOR_CONTAINMENT_H

#include "runtime/actor/fault.h"
#include "runtime/sched/watchdog.h"

struct weft_containment {
    bool plain_faults;    // The process's signals stay as they are; a stuck core is not told of.
    pthread_mutex_t lock; // Of `threads`: who is told to look up does not leave meanwhile.
    struct weft_fault_thread *threads[WEFT_CORE_MAX];
    struct weft_fault_handlers before;
    struct weft_watchdog watchdog;
    bool is_on;
};

// Before the first thread. Undone by nothing.
void weft_containment_init(struct weft_containment *containment, bool plain_faults);

// On each worker's own thread, before its first turn and after its last. 0 or -ENOMEM.
int weft_containment_enter(struct weft_containment *containment, struct weft_actor_system *system);
void weft_containment_leave(struct weft_containment *containment, uint16_t core);

// Takes the signals of the process and starts to watch the cores of `core_mask`. Control core; 0 or
// a negative errno. A build with a sanitizer wants to see crashes itself and keeps its own.
int weft_containment_start(struct weft_containment *containment, struct weft_core_group *group,
                           uint64_t core_mask);
// After the last of the cores' threads has ended: until then an actor that never comes back is
// ended once weft_actor_node.stopping says so. Nothing if it was not started.
void weft_containment_stop(struct weft_containment *containment);

#endif // WEFT_ACTOR_CONTAINMENT_H
