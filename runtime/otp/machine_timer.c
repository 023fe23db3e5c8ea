// machine_timer.c: the time-outs of a machine. A message of one that has fired already may stand in
// the mailbox when the time-out is ended; the reference tells.
#include "runtime/otp/machine_frame.h"

#include <errno.h>
#include <string.h>

#include <weft/timer.h>

#define NAMED_MIN 4

static void end(struct weft_actor *self, uint64_t *timer)
{
    if (*timer != 0) weft_timer_cancel(self, *timer);
    *timer = 0;
}

static int arm(struct weft_actor *self, uint64_t ns, uint16_t type, uint32_t name, uint64_t *timer)
{
    *timer = 0;
    if (ns == WEFT_FOREVER) return 0;
    return weft_send_after(self, weft_self(self), ns, type, &name, sizeof(name), timer);
}

// ---- Of the state: what a callback says counts when it has returned, for the state that is then.

int weft_machine_state_timeout(struct weft_actor *self, uint64_t ns)
{
    struct weft_machine_frame *frame = weft_machine_frame_of(self);
    uint64_t timer;
    const int result = arm(self, ns, WEFT_MACHINE_STATE_TIMEOUT, 0, &timer);
    if (result != 0) return result;
    end(self, &frame->set_state_timer);
    frame->set_state_timer = timer;
    frame->sets_state_timer = true;
    return 0;
}

void weft_machine_left_state(struct weft_actor *self, struct weft_machine_frame *frame)
{
    end(self, &frame->state_timer);
}

void weft_machine_set_state_timer(struct weft_actor *self, struct weft_machine_frame *frame)
{
    if (!frame->sets_state_timer) return;
    end(self, &frame->state_timer);
    frame->state_timer = frame->set_state_timer;
    frame->set_state_timer = 0;
    frame->sets_state_timer = false;
}

// ---- Of events.

int weft_machine_event_timeout(struct weft_actor *self, uint64_t ns)
{
    struct weft_machine_frame *frame = weft_machine_frame_of(self);
    uint64_t timer;
    const int result = arm(self, ns, WEFT_MACHINE_EVENT_TIMEOUT, 0, &timer);
    if (result != 0) return result;
    end(self, &frame->event_timer);
    frame->event_timer = timer;
    return 0;
}

void weft_machine_event_came(struct weft_actor *self, struct weft_machine_frame *frame)
{
    end(self, &frame->event_timer);
}

// ---- With names.

static struct weft_machine_named *find(const struct weft_machine_frame *frame, uint32_t name)
{
    for (uint32_t i = 0; i < frame->named_count; i++) {
        if (frame->named[i].name == name) return &frame->named[i];
    }
    return NULL;
}

static struct weft_machine_named *add(struct weft_actor *self, struct weft_machine_frame *frame,
                                      uint32_t name)
{
    if (frame->named_count == frame->named_max) {
        const uint32_t max = frame->named_max > 0 ? 2 * frame->named_max : NAMED_MIN;
        struct weft_machine_named *wider = weft_alloc(self, max * sizeof(wider[0]));
        if (wider == NULL) return NULL;
        if (frame->named_count > 0)
            memcpy(wider, frame->named, frame->named_count * sizeof(wider[0]));
        weft_free(self, frame->named);
        frame->named = wider;
        frame->named_max = max;
    }
    struct weft_machine_named *named = &frame->named[frame->named_count++];
    *named = (struct weft_machine_named){.name = name};
    return named;
}

int weft_machine_timeout(struct weft_actor *self, uint32_t name, uint64_t ns)
{
    struct weft_machine_frame *frame = weft_machine_frame_of(self);
    struct weft_machine_named *named = find(frame, name);
    uint64_t timer;
    if (named == NULL && ns == WEFT_FOREVER) return 0;
    if (named == NULL) named = add(self, frame, name);
    if (named == NULL) return -ENOMEM;
    const int result = arm(self, ns, WEFT_MACHINE_TIMEOUT, name, &timer);
    if (result != 0) return result;
    end(self, &named->timer);
    named->timer = timer;
    return 0;
}

uint32_t weft_machine_timeout_name(const struct weft_message *event)
{
    uint32_t name = 0;
    if (event->length == sizeof(name)) memcpy(&name, event->payload, sizeof(name));
    return name;
}

// ---- What fires.

static bool takes(uint64_t *timer, const struct weft_message *message)
{
    if (*timer == 0 || *timer != message->reference) return false;
    *timer = 0;
    return true;
}

bool weft_machine_is_due(struct weft_machine_frame *frame, const struct weft_message *timer)
{
    switch (timer->type) {
    case WEFT_MACHINE_STATE_TIMEOUT: return takes(&frame->state_timer, timer);
    case WEFT_MACHINE_EVENT_TIMEOUT: return takes(&frame->event_timer, timer);
    case WEFT_MACHINE_TIMEOUT: {
        struct weft_machine_named *named = find(frame, weft_machine_timeout_name(timer));
        return named != NULL && takes(&named->timer, timer);
    }
    default: return true; // The user's own.
    }
}
