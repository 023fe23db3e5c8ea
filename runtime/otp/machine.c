// machine.c: events, changes of state, and events that wait for one.
//
// Between the user's data and the server's own bytes lies the machine's frame. Postponed events are
// kept (weft_keep) in an array, oldest first; on a change of state each is taken in hand again and
// handled as if it had just come. If that changes the state once more, it begins at the oldest
// again.
#include "runtime/otp/machine_frame.h"

#include <errno.h>
#include <string.h>

#include "runtime/otp/otp.h"

#define POSTPONED_MIN 4

struct weft_machine_frame *weft_machine_frame_of(const struct weft_actor *self)
{
    const size_t behind = weft_kind(self)->state_bytes - WEFT_SERVER_BYTES(0);
    return (struct weft_machine_frame *)(void *)((uint8_t *)weft_state(self) + behind -
                                                 WEFT_MACHINE_BYTES(0));
}
_Static_assert(sizeof(struct weft_machine_frame) <= WEFT_MACHINE_BYTES(0), "it has its place");

static const struct weft_machine *machine_of(const struct weft_actor *self)
{
    return (const struct weft_machine *)(const void *)weft_kind(self); // Its first member's first.
}

// ---- Changes of state.

uint32_t weft_machine_state(const struct weft_actor *self)
{
    return weft_machine_frame_of(self)->state;
}

int weft_machine_next(struct weft_actor *self, uint32_t state)
{
    struct weft_machine_frame *frame = weft_machine_frame_of(self);
    if (frame->phase == IN_ENTER) return -EBUSY;
    if (state >= machine_of(self)->state_count) return -EINVAL;
    frame->next = state;
    return 0;
}

int weft_machine_repeat(struct weft_actor *self)
{
    struct weft_machine_frame *frame = weft_machine_frame_of(self);
    if (frame->phase == IN_ENTER) return -EBUSY;
    frame->repeats = true;
    return 0;
}

static void enter(struct weft_actor *self, const struct weft_machine *machine,
                  struct weft_machine_frame *frame, void *data, uint32_t from)
{
    const struct weft_machine_state *state = &machine->states[frame->state];
    if (state->enter == NULL) return;
    frame->phase = IN_ENTER;
    state->enter(self, data, from);
    frame->phase = IN_EVENT;
}

// What the last callback has asked for. True: the state has changed, or was entered again.
static bool change(struct weft_actor *self, const struct weft_machine *machine,
                   struct weft_machine_frame *frame, void *data)
{
    if (weft_is_ending(self)) return false;
    const uint32_t from = frame->state;
    const bool changes = frame->next != from, enters = changes || frame->repeats;
    frame->state = frame->next;
    frame->repeats = false;
    if (changes) weft_machine_left_state(self, frame);
    if (enters) enter(self, machine, frame, data, from);
    weft_machine_set_state_timer(self, frame);
    return enters;
}

// ---- Events.

static void handle(struct weft_actor *self, const struct weft_machine *machine,
                   struct weft_machine_frame *frame, void *data, struct weft_message *event)
{
    const struct weft_machine_state *state = &machine->states[frame->state];
    frame->event = event;
    frame->next = frame->state;
    if (state->event != NULL)
        state->event(self, data, event);
    else if (machine->event != NULL)
        machine->event(self, data, event);
    frame->event = NULL;
}

static bool has_room(struct weft_actor *self, struct weft_machine_frame *frame)
{
    if (frame->postponed_count < frame->postponed_max) return true;
    const uint32_t max = frame->postponed_max > 0 ? 2 * frame->postponed_max : POSTPONED_MIN;
    struct weft_message **wider = weft_alloc(self, max * sizeof(struct weft_message *));
    if (wider == NULL) return false;
    if (frame->postponed_count > 0)
        memcpy(wider, frame->postponed, frame->postponed_count * sizeof(struct weft_message *));
    weft_free(self, frame->postponed);
    frame->postponed = wider;
    frame->postponed_max = max;
    return true;
}

int weft_machine_postpone(struct weft_actor *self)
{
    struct weft_machine_frame *frame = weft_machine_frame_of(self);
    if (frame->event == NULL || frame->phase != IN_EVENT) return -EINVAL;
    const bool is_new = frame->again == 0; // One that comes again has its place still.
    if (is_new && !has_room(self, frame)) return -ENOMEM;
    if (weft_keep(self, frame->event) != 0) return -ENOMEM;
    frame->postponed[is_new ? frame->postponed_count++ : frame->again - 1] = frame->event;
    frame->event = NULL;
    return 0;
}

static void drop_gaps(struct weft_machine_frame *frame)
{
    uint32_t left = 0;
    for (uint32_t i = 0; i < frame->postponed_count; i++) {
        if (frame->postponed[i] != NULL) frame->postponed[left++] = frame->postponed[i];
    }
    frame->postponed_count = left;
}

// The state has changed: each postponed event comes again.
static void retry(struct weft_actor *self, const struct weft_machine *machine,
                  struct weft_machine_frame *frame, void *data)
{
    for (uint32_t i = 0; i < frame->postponed_count && !weft_is_ending(self);) {
        struct weft_message *event = frame->postponed[i];
        frame->postponed[i] = NULL;
        frame->again = ++i;
        weft_unkeep(self, event);
        weft_machine_event_came(self, frame);
        handle(self, machine, frame, data, event);
        if (change(self, machine, frame, data)) {
            drop_gaps(frame);
            i = 0;
        }
        weft_reduce(self, STEP_REDUCTIONS);
    }
    frame->again = 0;
    drop_gaps(frame);
}

void weft_machine_on_event(struct weft_actor *self, void *data, struct weft_message *event)
{
    const struct weft_machine *machine = machine_of(self);
    struct weft_machine_frame *frame = weft_machine_frame_of(self);
    if (event->tag == WEFT_MESSAGE_TIMER && !weft_machine_is_due(frame, event)) return;
    weft_machine_event_came(self, frame);
    handle(self, machine, frame, data, event);
    if (change(self, machine, frame, data)) retry(self, machine, frame, data);
}

// ---- Start and end.

int weft_machine_on_init(struct weft_actor *self, void *data, const void *args, size_t length)
{
    const struct weft_machine *machine = machine_of(self);
    struct weft_machine_frame *frame = weft_machine_frame_of(self);
    const int result = machine->init != NULL ? machine->init(self, data, args, length) : 0;
    frame->state = frame->next;
    weft_server_continue(self, 0);
    return result;
}

void weft_machine_on_continue(struct weft_actor *self, void *data, uint64_t what)
{
    struct weft_machine_frame *frame = weft_machine_frame_of(self);
    (void)what;
    enter(self, machine_of(self), frame, data, WEFT_MACHINE_START);
    weft_machine_set_state_timer(self, frame);
}

void weft_machine_on_shutdown(struct weft_actor *self, void *data, uint16_t reason)
{
    const struct weft_machine *machine = machine_of(self);
    if (machine->shutdown != NULL) machine->shutdown(self, data, reason);
}

void weft_machine_on_terminate(struct weft_actor *self, void *data, uint16_t reason)
{
    const struct weft_machine *machine = machine_of(self);
    if (machine->terminate != NULL) machine->terminate(self, data, reason);
}
