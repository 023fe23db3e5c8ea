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

const struct weft_actor_kind *weft_kind(const struct weft_actor *self)
{
    return self->kind;
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
        .mailbox_count = weft_mailbox_load(actor),
        .mailbox_max =
            rare != NULL && rare->mailbox_max != 0 ? rare->mailbox_max : actor->mailbox_max,
        .reduction_count = actor->reduction_count,
        .memory_bytes = weft_memory_bytes(actor) + sizeof(*actor),
        .memory_max = rare != NULL ? (uint64_t)rare->memory_max * 64 : 0,
        .stack_bytes = weft_stack_bytes_of(actor),
    };
    if (rare != NULL) info->memory_bytes += sizeof(*rare);
    info->memory_bytes += info->stack_bytes;
    if (actor->label != NULL) memcpy(info->label, actor->label->text, sizeof(info->label));
    snprintf(info->kind, sizeof(info->kind), "%s",
             actor->kind->name != NULL ? actor->kind->name : "");
    weft_edge_each(actor, count_edge, info);
}

// ---- Of an actor on another core: a signal there, a reply back.

void weft_info_arrived(struct weft_actor_system *system, struct weft_actor *actor,
                       struct weft_message *question)
{
    question->type = actor != NULL ? 0 : REPLY_ERROR;
    if (actor != NULL) {
        weft_actor_describe(actor, (struct weft_info *)(void *)question->payload);
    } else {
        const int32_t error = -ESRCH;
        memcpy(question->payload, &error, sizeof(error));
    }
    question->tag = WEFT_MESSAGE_REPLY;
    question->to = question->from;
    system->sent++;
    weft_route(system, question, false);
}

// True if another core has to be asked, or the actor is on its way here.
static bool is_away(const struct weft_actor_system *system, weft_pid pid)
{
    const unsigned where = weft_slot_core(system, pid);
    if (where != system->index + 1u) return where != 0;
    return weft_actor_system_of(weft_slot_actor(system, pid)) != system;
}

static int ask(struct weft_actor *self, weft_pid pid, struct weft_info *info)
{
    struct weft_actor_system *system = self->system;
    struct weft_message *question = weft_message_alloc_hidden(system, sizeof(*info)), *reply;
    if (question == NULL) return -ENOMEM;
    question->tag = TAG_INFO;
    question->to = pid;
    question->from = self->pid;
    const uint64_t reference = question->reference = ++system->reference;
    weft_signal(system, question);
    const int result = weft_call_wait(self, reference, WEFT_FOREVER, &reply);
    if (result != 0) return result;
    memcpy(info, reply->payload, sizeof(*info));
    weft_receive_drop_answer(self);
    return 0;
}

int weft_info(struct weft_actor *self, weft_pid pid, struct weft_info *info)
{
    struct weft_actor_system *system = enter(self);
    struct weft_actor *actor = weft_actor_find(system, pid);
    int result = 0;
    if (actor != NULL)
        weft_actor_describe(actor, info);
    else
        result = is_away(system, pid) ? ask(self, pid, info) : -ESRCH;
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
    weft_log_actor(&self->system->core->log, (enum weft_log_level)level, "actor", self->pid,
                   weft_actor_label(self), "%s", text);
}
