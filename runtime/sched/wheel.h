// wheel.h: timers in a hierarchical wheel (Varghese and Lauck 1987): arm and cancel are list
// operations.
//
// Four wheels of 256 slots of 65.5 us, 16.8 ms, 4.3 s, 18 min; an occupancy bitmap finds the next
// deadline. A timer fires at or after its time, never before, and late by at most one slot, 65.5
// us; one armed for the past fires in the next slot. What lies beyond 78 hours waits in the last
// wheel and is sorted again.
//
// Core:   used only by the core that owns it.
// Memory: the timer is part of its owner; nothing allocates. The wheel holds list heads that point
//         to themselves, so it must not be moved.
#ifndef WEFT_SCHED_WHEEL_H
#define WEFT_SCHED_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/list.h"

struct weft_timer {
    struct weft_list link; // In one slot of the wheel while armed.
    uint64_t due_ns;
    void (*fire)(void *self, struct weft_timer *timer,
                 uint64_t now_ns); // May arm it again, or others.
    void *self;
};

#define WEFT_WHEEL_TICK_NS UINT64_C(65536)
#define WEFT_WHEEL_LEVELS  4
#define WEFT_WHEEL_SLOTS   256

struct weft_wheel {
    uint64_t tick;     // Slots that have been expired.
    uint64_t start_ns; // Time of tick 0.
    uint32_t armed_count;
    struct weft_list due; // Expired and not yet fired: what a limit has left over.
    uint64_t occupied[WEFT_WHEEL_LEVELS][WEFT_WHEEL_SLOTS / 64];
    struct weft_list slots[WEFT_WHEEL_LEVELS][WEFT_WHEEL_SLOTS];
};

void weft_wheel_init(struct weft_wheel *wheel, uint64_t now_ns);

// `timer` is disarmed afterwards and may be armed.
void weft_timer_init(struct weft_timer *timer,
                     void (*fire)(void *self, struct weft_timer *timer, uint64_t now_ns),
                     void *self);

// Arms `timer` for `due_ns`, or moves it there if it is armed.
void weft_wheel_arm(struct weft_wheel *wheel, struct weft_timer *timer, uint64_t due_ns);
void weft_wheel_cancel(struct weft_wheel *wheel, struct weft_timer *timer);
bool weft_timer_armed(const struct weft_timer *timer);

// Fires what is due, at most `limit` timers; returns how many. The rest is fired by the next call.
uint32_t weft_wheel_expire(struct weft_wheel *wheel, uint64_t now_ns, uint32_t limit);

// A time no later than the next deadline, at which to look again; UINT64_MAX if nothing is armed.
uint64_t weft_wheel_next_ns(const struct weft_wheel *wheel);

#endif // WEFT_SCHED_WHEEL_H
