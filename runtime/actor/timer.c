// timer.c: messages that come later. The message is made with the timer, so firing cannot fail.
//
// A timer that ticks has one message, which comes back to it when its receiver releases it; until
// then the next tick is left out.
#include <errno.h>
#include <string.h>

#include <weft/timer.h>

#include "runtime/actor/internal.h"
#include "runtime/actor/trail.h"

#define INTERVAL_NS_MIN (100 * WEFT_NS_PER_US)

struct alarm { // Behind the edge in its actor's table.
    struct weft_timer timer;
    struct weft_actor *actor;
    struct weft_message *message; // NULL: on its way.
    weft_pid to;
    uint64_t interval_ns; // 0: fires once.
};

static struct alarm *alarm_of(struct weft_message *edge)
{
    return (struct alarm *)(void *)edge->payload;
}

void weft_timer_look(struct weft_message *edge, weft_pid *to, uint64_t *due_ns)
{
    const struct alarm *alarm = alarm_of(edge);
    *to = alarm->to;
    *due_ns = alarm->timer.due_ns;
}

static void send(struct alarm *alarm)
{
    struct weft_message *message = alarm->message;
    if (message == NULL) return; // Not received yet.
    alarm->message = NULL;
    message->tag = WEFT_MESSAGE_TIMER;
    message->to = alarm->to;
    weft_signal(alarm->actor->system, message);
}

static void fire(void *self, struct weft_timer *timer, uint64_t now_ns)
{
    struct weft_message *edge = self;
    struct alarm *alarm = alarm_of(edge);
    struct weft_actor *actor = alarm->actor;
    send(alarm);
    if (alarm->interval_ns == 0) {
        weft_edge_take(actor, TAG_EDGE_TIMER, edge->reference);
        weft_message_release_block(actor->system, edge);
        return;
    }
    // The next one by the clock, not by when this one came; those that were slept through are over.
    uint64_t due_ns = timer->due_ns + alarm->interval_ns;
    if (due_ns <= now_ns) due_ns = now_ns - (now_ns - due_ns) % alarm->interval_ns;
    if (due_ns <= now_ns) due_ns += alarm->interval_ns;
    weft_wheel_arm(&actor->system->core->wheel, timer, due_ns);
}

static struct weft_message *make_message(struct weft_actor *self, uint16_t type, const void *bytes,
                                         size_t length, bool ticks)
{
    static const struct weft_trail nothing;
    struct weft_message *message =
        ticks ? weft_message_alloc_trail(self->system, (uint32_t)length, &nothing)
              : weft_message_alloc_hidden(self->system, (uint32_t)length);
    if (message == NULL) return NULL;
    message->from = self->pid;
    message->tag = WEFT_MESSAGE_TIMER;
    message->type = type;
    if (length > 0) memcpy(message->payload, bytes, length);
    return message;
}

const struct weft_message *weft_timer_message(struct weft_message *edge, uint64_t *interval_ns)
{
    const struct alarm *alarm = alarm_of(edge);
    *interval_ns = alarm->interval_ns;
    return alarm->message;
}

struct weft_message *weft_timer_take_tick(struct weft_message *edge)
{
    struct alarm *alarm = alarm_of(edge);
    if (alarm->interval_ns == 0) return NULL;
    struct weft_message *message = alarm->message;
    alarm->message = NULL;
    return message;
}

int weft_timer_start_as(struct weft_actor *self, weft_pid to, uint64_t delay_ns,
                        uint64_t interval_ns, uint16_t type, const void *bytes, size_t length,
                        uint64_t reference)
{
    struct weft_actor_system *system = self->system;
    if (interval_ns != 0 && interval_ns < INTERVAL_NS_MIN) interval_ns = INTERVAL_NS_MIN;
    if (length > UINT32_MAX / 2) return -EINVAL;
    struct weft_message *edge = weft_message_alloc_hidden(system, sizeof(struct alarm));
    if (edge == NULL) return -ENOMEM;
    struct weft_message *message = make_message(self, type, bytes, length, interval_ns != 0);
    if (message == NULL) {
        weft_message_release_block(system, edge);
        return -ENOMEM;
    }
    edge->tag = TAG_EDGE_TIMER;
    edge->reference = message->reference = reference;
    struct alarm *alarm = alarm_of(edge);
    *alarm =
        (struct alarm){.actor = self, .message = message, .to = to, .interval_ns = interval_ns};
    weft_timer_init(&alarm->timer, fire, edge);
    weft_edge_add(self, edge);
    weft_wheel_arm(&system->core->wheel, &alarm->timer, weft_deadline_ns(self, delay_ns));
    return 0;
}

int weft_timer_start(struct weft_actor *self, weft_pid to, uint64_t delay_ns, uint64_t interval_ns,
                     uint16_t type, const void *bytes, size_t length, uint64_t *reference)
{
    const uint64_t own = ++self->system->reference;
    const int result =
        weft_timer_start_as(self, to, delay_ns, interval_ns, type, bytes, length, own);
    if (result == 0 && reference != NULL) *reference = own;
    return result;
}

int weft_send_after(struct weft_actor *self, weft_pid to, uint64_t delay_ns, uint16_t type,
                    const void *bytes, size_t length, uint64_t *reference)
{
    enter(self);
    const int result = weft_timer_start(self, to, delay_ns, 0, type, bytes, length, reference);
    leave(self);
    return result;
}

int weft_send_interval(struct weft_actor *self, weft_pid to, uint64_t interval_ns, uint16_t type,
                       const void *bytes, size_t length, uint64_t *reference)
{
    enter(self);
    if (interval_ns < INTERVAL_NS_MIN) interval_ns = INTERVAL_NS_MIN;
    const int result =
        weft_timer_start(self, to, interval_ns, interval_ns, type, bytes, length, reference);
    leave(self);
    return result;
}

void weft_timer_end(struct weft_actor *actor, struct weft_message *edge)
{
    struct alarm *alarm = alarm_of(edge);
    weft_wheel_cancel(&actor->system->core->wheel, &alarm->timer);
    if (alarm->message != NULL) weft_message_release_block(actor->system, alarm->message);
    weft_message_release_block(actor->system, edge);
}

int weft_timer_stop(struct weft_actor *self, uint64_t reference)
{
    struct weft_message *edge = weft_edge_take(self, TAG_EDGE_TIMER, reference);
    if (edge != NULL) weft_timer_end(self, edge);
    return edge != NULL ? 0 : -ENOENT;
}

int weft_timer_cancel(struct weft_actor *self, uint64_t reference)
{
    enter(self);
    const int result = weft_timer_stop(self, reference);
    leave(self);
    return result;
}

int64_t weft_timer_left_ns(const struct weft_actor *self, uint64_t reference)
{
    const struct weft_actor_system *system = enter(self);
    struct weft_message *edge = weft_edge_find(self, TAG_EDGE_TIMER, reference);
    int64_t left_ns = -1;
    if (edge != NULL) {
        const uint64_t due_ns = alarm_of(edge)->timer.due_ns, now_ns = system->core->now_ns;
        left_ns = due_ns > now_ns ? (int64_t)(due_ns - now_ns) : 0;
    }
    leave(self);
    return left_ns;
}

// A tick was released, on whatever core: back to its timer.
void weft_timer_send_back(struct weft_actor_system *system, struct weft_message *tick)
{
    tick->tag = TAG_TICK;
    tick->to = tick->from;
    weft_signal(system, tick);
}

void weft_timer_came_back(struct weft_actor_system *system, struct weft_actor *actor,
                          struct weft_message *tick)
{
    struct weft_message *edge =
        actor != NULL ? weft_edge_find(actor, TAG_EDGE_TIMER, tick->reference) : NULL;
    if (edge != NULL)
        alarm_of(edge)->message = tick;
    else
        weft_message_release_block(system, tick);
}

void weft_timer_move_out(struct weft_actor *actor, struct weft_message *edge)
{
    weft_wheel_cancel(&actor->system->core->wheel, &alarm_of(edge)->timer);
}

void weft_timer_move_in(struct weft_actor *actor, struct weft_message *edge)
{
    struct alarm *alarm = alarm_of(edge);
    weft_wheel_arm(&actor->system->core->wheel, &alarm->timer, alarm->timer.due_ns);
}
