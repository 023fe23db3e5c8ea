#include "runtime/actor/containment.h"

#include <errno.h>

void weft_containment_init(struct weft_containment *containment, bool plain_faults)
{
    *containment = (struct weft_containment){.plain_faults = plain_faults};
    pthread_mutex_init(&containment->lock, NULL);
#ifdef WEFT_FIBER_SANITIZER
    containment->plain_faults = true;
#endif
}

int weft_containment_enter(struct weft_containment *containment, struct weft_actor_system *system)
{
    struct weft_fault_thread *thread = weft_fault_enter(system->node, system);
    pthread_mutex_lock(&containment->lock);
    containment->threads[system->index] = thread;
    pthread_mutex_unlock(&containment->lock);
    return thread != NULL ? 0 : -ENOMEM;
}

void weft_containment_leave(struct weft_containment *containment, uint16_t core)
{
    pthread_mutex_lock(&containment->lock);
    if (containment->threads[core] != NULL) weft_fault_leave(containment->threads[core]);
    containment->threads[core] = NULL;
    pthread_mutex_unlock(&containment->lock);
}

// On the watchdog's thread: a core does not get on.
static void poke(void *self, uint16_t core, uint64_t ns)
{
    struct weft_containment *containment = self;
    pthread_mutex_lock(&containment->lock);
    if (containment->threads[core] != NULL) weft_fault_poke(containment->threads[core], ns);
    pthread_mutex_unlock(&containment->lock);
}

int weft_containment_start(struct weft_containment *containment, struct weft_core_group *group,
                           uint64_t core_mask)
{
    if (!containment->plain_faults) {
        const int result = weft_fault_install(&containment->before);
        if (result != 0) return result;
    }
    containment->watchdog = (struct weft_watchdog){
        .group = group,
        .core_mask = core_mask,
        .stuck = containment->plain_faults ? NULL : poke,
        .self = containment,
    };
    const int result = weft_watchdog_start(&containment->watchdog);
    containment->is_on = result == 0;
    if (result != 0 && !containment->plain_faults) weft_fault_uninstall(&containment->before);
    return result;
}

void weft_containment_stop(struct weft_containment *containment)
{
    if (!containment->is_on) return;
    containment->is_on = false;
    weft_watchdog_stop(&containment->watchdog);
    if (!containment->plain_faults) weft_fault_uninstall(&containment->before);
}
