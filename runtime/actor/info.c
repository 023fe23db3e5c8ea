// info.c: what an actor is told of itself and of others.
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime/actor/internal.h"

weft_pid weft_self(const struct weft_actor *self)
{
    return self->pid;
}

weft_pid weft_parent(const struct weft_actor *self)
{
    return self->parent;
}

void *weft_state(const struct weft_actor *self)
{
    return self->state;
}

const char *weft_label(const struct weft_actor *self)
{
    return self->label != NULL ? self->label->text : "";
}

uint16_t weft_core_index(const struct weft_actor *self)
{
    return self->system->index;
}

uint64_t weft_now_ns(const struct weft_actor *self)
{
    return self->system->core->now_ns;
}

const char *weft_exit_name(uint16_t reason)
{
    static const char *const names[] = {
        [WEFT_EXIT_NORMAL] = "normal",       [WEFT_EXIT_KILLED] = "killed",
        [WEFT_EXIT_FAULT] = "fault",         [WEFT_EXIT_QUOTA] = "quota",
        [WEFT_EXIT_NOPROC] = "noproc",       [WEFT_EXIT_SHUTDOWN] = "shutdown",
        [WEFT_EXIT_INTENSITY] = "intensity",
    };
    if (reason >= WEFT_EXIT_USER) return "user";
    return reason < WEFT_COUNT_OF(names) && names[reason] != NULL ? names[reason] : "unknown";
}

static void count_edge(struct weft_actor *actor, struct weft_message *edge, void *argument)
{
    struct weft_info *info = argument;
    (void)actor;
    if (edge->tag == TAG_EDGE_LINK) info->link_count++;
    if (edge->tag == TAG_EDGE_WATCHED) info->monitor_count++;
}

void weft_actor_describe(struct weft_actor *actor, struct weft_info *info)
{
    const struct weft_actor_rare *rare = weft_actor_rare_of(actor);
    *info = (struct weft_info){
        .pid = actor->pid,
        .parent = actor->parent,
        .core = actor->system->index,
        .priority = actor->task.priority,
        .overflow = (uint8_t)(actor->task.flags >> 14),
        .stackful = actor->kind->main != NULL,
        .trapping = (actor->task.flags & WEFT_ACTOR_TRAPS) != 0,
        .pinned = (actor->task.flags & WEFT_ACTOR_PINNED) != 0,
        .running = actor->system->running == actor || actor->task.queued,
        .mailbox_count = actor->mailbox_count,
        .mailbox_max =
            rare != NULL && rare->mailbox_max != 0 ? rare->mailbox_max : actor->mailbox_max,
        .reduction_count = actor->reduction_count,
        .memory_bytes = (uint64_t)actor->memory * 64 + sizeof(*actor),
    };
    if (actor->rare != NULL) info->memory_bytes += sizeof(*actor->rare);
    if (actor->label != NULL) memcpy(info->label, actor->label->text, sizeof(info->label));
    snprintf(info->kind, sizeof(info->kind), "%s",
             actor->kind->name != NULL ? actor->kind->name : "");
    weft_edge_each(actor, count_edge, info);
}

// ---- Of an actor on another core: an order there, a reply back.

void weft_info_ordered(struct weft_actor_system *system, struct weft_message *order)
{
    struct weft_actor *actor = weft_actor_find(system, order->to);
    const unsigned where = weft_slot_core(system, order->to);
    if (actor == NULL && where != 0 && where != system->index + 1u) {
        weft_order(system, (uint16_t)(where - 1), order); // It has moved on.
        return;
    }
    order->type = actor != NULL ? 0 : REPLY_ERROR;
    if (actor != NULL) {
        weft_actor_describe(actor, (struct weft_info *)(void *)order->payload);
    } else {
        const int32_t error = -ESRCH;
        memcpy(order->payload, &error, sizeof(error));
    }
    order->tag = WEFT_MESSAGE_REPLY;
    order->to = order->from;
    system->sent++;
    weft_route(system, order, false);
}

int weft_info(struct weft_actor *self, weft_pid pid, struct weft_info *info)
{
    struct weft_actor_system *system = enter(self);
    const unsigned where = weft_slot_core(system, pid);
    struct weft_actor *actor = weft_actor_find(system, pid);
    int result = -ESRCH;
    if (actor != NULL) {
        weft_actor_describe(actor, info);
        result = 0;
    } else if (where != 0 && where != system->index + 1u) {
        struct weft_message *order = weft_message_alloc_hidden(system, sizeof(*info));
        result = -ENOMEM;
        if (order != NULL) {
            order->tag = TAG_INFO;
            order->to = pid;
            order->from = self->pid;
            order->reference = ++system->reference;
            weft_order(system, (uint16_t)(where - 1), order);
            struct weft_message *reply;
            result = weft_call_wait(self, order->reference, WEFT_FOREVER, &reply);
            if (result == 0) {
                memcpy(info, reply->payload, sizeof(*info));
                weft_receive_drop_answer(self);
            }
        }
    }
    leave(self);
    return result;
}

void weft_say(struct weft_actor *self, enum weft_level level, const char *format, ...)
{
    char text[WEFT_LOG_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    const char *label = self->label != NULL ? self->label->text : self->kind->name;
    weft_log_pid(&self->system->core->log, (enum weft_log_level)level, "actor", self->pid, "%s: %s",
                 label, text);
}
