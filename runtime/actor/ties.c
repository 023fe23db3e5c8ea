#include "runtime/actor/ties.h"

#include <errno.h>
#include <string.h>

#include "runtime/actor/internal.h"

// ---- Reading.

struct looking {
    void (*see)(void *argument, const struct weft_tie *tie);
    void *argument;
};

static void look(struct weft_actor *actor, struct weft_message *edge, void *argument)
{
    const struct looking *looking = argument;
    struct weft_tie tie = {.reference = edge->reference, .whom = edge->to};
    bool known;
    switch (edge->tag) {
    case TAG_EDGE_TIMER:
        tie.kind = WEFT_TIE_TIMER;
        weft_timer_look(edge, &tie.whom, &tie.due_ns);
        tie.message = weft_timer_message(edge, &tie.interval_ns);
        break;
    case TAG_EDGE_WATCH:
        tie.kind = WEFT_TIE_MONITOR;
        tie.message = weft_monitor_find(actor, edge->reference, &known);
        break;
    case TAG_EDGE_LINK: tie.kind = WEFT_TIE_LINK; break;
    default: return;
    }
    looking->see(looking->argument, &tie);
}

void weft_ties_each(struct weft_actor *actor,
                    void (*see)(void *argument, const struct weft_tie *tie), void *argument)
{
    struct looking looking = {.see = see, .argument = argument};
    if (actor->edge_count > 0) weft_edge_each(actor, look, &looking);
}

void weft_ties_mail(const struct weft_actor *actor,
                    void (*see)(void *argument, const struct weft_message *message), void *argument)
{
    if (actor->answer != NULL) see(argument, actor->answer);
    for (const struct weft_list *link = actor->mailbox.next; link != &actor->mailbox;
         link = link->next)
        see(argument, (const struct weft_message *)(const void *)link);
}

bool weft_message_is_flat(const struct weft_message *message)
{
    return (message->home & HOME_OBJECT) == 0 && !is_windowed(message);
}

// ---- Making.

int weft_tie_timer(struct weft_actor *actor, uint64_t reference, uint64_t delay_ns,
                   uint64_t interval_ns, const void *bytes, size_t length)
{
    if (weft_edge_find(actor, TAG_EDGE_TIMER, reference) != NULL) return -EEXIST;
    return weft_timer_start_as(actor, actor->pid, delay_ns, interval_ns, 0, bytes, length,
                               reference);
}

int weft_tie_monitor(struct weft_actor *actor, weft_pid whom, uint64_t reference, bool has_come)
{
    if (weft_edge_find(actor, TAG_EDGE_WATCH, reference) != NULL) return -EEXIST;
    return weft_monitor_as(actor, whom, reference, has_come);
}

int weft_tie_await(struct weft_actor *actor, uint64_t reference)
{
    bool known;
    weft_awaits_find(actor, reference, &known);
    if (known) return -EEXIST;
    return weft_awaits_add(actor, reference) ? 0 : -ENOMEM;
}

bool weft_tie_has_timer(const struct weft_actor *actor, uint64_t reference)
{
    return weft_edge_find(actor, TAG_EDGE_TIMER, reference) != NULL;
}

bool weft_tie_is_answered(const struct weft_actor *actor, uint64_t reference)
{
    bool known;
    if (actor->answer != NULL && actor->answer->reference == reference) return true;
    return weft_awaits_find(actor, reference, &known) != NULL ||
           weft_monitor_find(actor, reference, &known) != NULL;
}

// A timer that ticks has one message, which it gets back.
static struct weft_message *tick_of(struct weft_actor *actor, uint64_t reference)
{
    struct weft_message *edge = weft_edge_find(actor, TAG_EDGE_TIMER, reference);
    return edge != NULL ? weft_timer_take_tick(edge) : NULL;
}

int weft_tie_mail(struct weft_actor *actor, const struct weft_message *header, const void *bytes)
{
    struct weft_actor_system *system = actor->system;
    struct weft_message *message =
        header->tag == WEFT_MESSAGE_TIMER ? tick_of(actor, header->reference) : NULL;
    if (message == NULL) {
        message = weft_message_alloc_hidden(system, header->length);
        if (message == NULL) return -ENOMEM;
        if (header->length > 0) memcpy(message->payload, bytes, header->length);
    }
    message->to = actor->pid;
    message->from = header->from;
    message->reference = header->reference;
    message->tag = header->tag;
    message->type = header->type;
    if (message->tag == WEFT_MESSAGE_DOWN) {
        weft_down_arrived(system, actor, message);
        return 0;
    }
    if (!is_control(message)) system->sent++;
    weft_mailbox_put(system, actor, message, true);
    return 0;
}
