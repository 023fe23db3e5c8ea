// machine_frame.h: what a machine knows of itself, besides its user's data.
#ifndef WEFT_OTP_MACHINE_FRAME_H
#define WEFT_OTP_MACHINE_FRAME_H

#include <weft/machine.h>

struct weft_machine_named { // A time-out with a name.
    uint32_t name;
    uint64_t timer; // 0: none.
};

enum { IN_EVENT, IN_ENTER }; // Which callback runs, or ran last.

struct weft_machine_frame {
    uint32_t state, next;
    struct weft_message *event;      // In hand; NULL: none, or it has been postponed.
    struct weft_message **postponed; // NULL where one has been taken in hand again.
    uint32_t postponed_count, postponed_max;
    uint32_t again; // The place of the event in hand in `postponed`, plus 1; 0: it has just come.
    uint8_t phase;
    bool repeats;
    bool sets_state_timer; // The callback under way has set it: to set_state_timer.
    uint64_t state_timer, set_state_timer, event_timer; // 0: none.
    struct weft_machine_named *named;
    uint32_t named_count, named_max;
};

struct weft_machine_frame *weft_machine_frame_of(const struct weft_actor *self);

// ---- machine_timer.c

// An event has come: the event time-out is over.
void weft_machine_event_came(struct weft_actor *self, struct weft_machine_frame *frame);
// The state has been left: its time-out is over.
void weft_machine_left_state(struct weft_actor *self, struct weft_machine_frame *frame);
// What callbacks have said of the state's time-out counts from now on.
void weft_machine_set_state_timer(struct weft_actor *self, struct weft_machine_frame *frame);
// False: a time-out of the machine's that has been ended or replaced. True of any other TIMER.
bool weft_machine_is_due(struct weft_machine_frame *frame, const struct weft_message *timer);

#endif // WEFT_OTP_MACHINE_FRAME_H
