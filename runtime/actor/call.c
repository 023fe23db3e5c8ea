// call.c: questions and answers.
//
// Every call gets exactly one answer: from whoever received it, or, if it is dropped, refused or
// its receiver ends, from the runtime, which turns the call's own block into the answer. So a
// caller that waits without a time-out waits for an actor that lives, and no monitor is needed.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/actor/internal.h"
#include "runtime/actor/trail.h"

// ---- Calls that wait for themselves.

static const struct weft_message *served(const struct weft_actor *actor)
{
    const struct weft_message *call = actor->current;
    return call != NULL && call->tag == WEFT_MESSAGE_CALL ? call : NULL;
}

static uint64_t root_of(const struct weft_message *call)
{
    return call->home & HOME_BEHIND ? weft_trail_of(call)->root : call->reference;
}

// A call is a cycle if whom it is for waits, in a call of its own, for the same root.
bool weft_call_is_cycle(const struct weft_actor *actor, const struct weft_message *call)
{
    const struct weft_message *serves = served(actor);
    const uint64_t waits_for = serves != NULL ? root_of(serves) : actor->awaited;
    return root_of(call) == waits_for;
}

void weft_call_name_cycle(struct weft_actor *actor, const struct weft_message *call)
{
    char text[WEFT_LOG_TEXT_BYTES];
    size_t used = 0;
    const struct weft_trail *trail = call->home & HOME_BEHIND ? weft_trail_of(call) : NULL;
    const uint32_t named = trail == NULL                   ? 0
                           : trail->depth < WEFT_TRAIL_MAX ? trail->depth
                                                           : WEFT_TRAIL_MAX;
    for (uint32_t i = 0; i < named && used < sizeof(text); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%#llx -> ",
                                 (unsigned long long)trail->callers[i]);
    if (used < sizeof(text))
        snprintf(text + used, sizeof(text) - used, "%s%#llx -> %#llx",
                 trail != NULL && trail->depth > named ? "... -> " : "",
                 (unsigned long long)call->from, (unsigned long long)actor->pid);
    weft_counter_add(&actor->system->stats.cycle_count, 1);
    weft_log_pid(&actor->system->core->log, WEFT_LOG_WARN, "actor", actor->pid,
                 "call cycle, refused: %s", text);
}

// What a call says about where it comes from, if it is made while one is served.
static struct weft_trail trail_behind(const struct weft_message *serves)
{
    struct weft_trail trail = {.root = root_of(serves)};
    if (serves->home & HOME_BEHIND) trail = *weft_trail_of(serves);
    if (trail.depth < WEFT_TRAIL_MAX) trail.callers[trail.depth] = serves->from;
    trail.depth++;
    return trail;
}

// ---- Asking.

static struct weft_message *make_call(struct weft_actor_system *system, struct weft_actor *self,
                                      weft_pid to, uint16_t type, const void *bytes, size_t length)
{
    if (length > UINT32_MAX / 2) return NULL;
    const struct weft_message *serves = served(self);
    struct weft_message *call;
    if (likely(serves == NULL)) {
        call = weft_message_alloc(system, (uint32_t)length);
    } else {
        const struct weft_trail trail = trail_behind(serves);
        call = weft_message_alloc_trail(system, (uint32_t)length, &trail);
    }
    if (call == NULL) return NULL;
    call->to = to;
    call->from = self->pid;
    call->tag = WEFT_MESSAGE_CALL;
    call->type = type;
    call->reference = ++system->reference;
    if (length > 0) memcpy(call->payload, bytes, length);
    return call;
}

static int error_of(const struct weft_message *reply)
{
    int32_t error = 0;
    if (reply->type == REPLY_ERROR) memcpy(&error, reply->payload, sizeof(error));
    return error;
}

// Waits for the answer to `self->awaited`, which stands in self->answer at last. *came: it has.
static int wait_for_answer(struct weft_actor *self, uint64_t timeout_ns,
                           struct weft_message **reply, bool *came)
{
    enum weft_wait wait = WAIT_OVER;
    if (self->answer == NULL) {
        const uint64_t deadline_ns = weft_deadline_ns(self, timeout_ns);
        self->task.flags |= WEFT_ACTOR_SELECTIVE | WEFT_ACTOR_CALLING;
        while (self->answer == NULL && wait == WAIT_OVER)
            wait = weft_actor_wait(self, deadline_ns);
        self->task.flags &= (uint16_t) ~(WEFT_ACTOR_SELECTIVE | WEFT_ACTOR_CALLING);
    }
    self->awaited = WEFT_REFERENCE_NONE;
    struct weft_message *answer = self->answer;
    *came = answer != NULL;
    if (answer == NULL) return wait == WAIT_TIMEOUT ? -ETIMEDOUT : -ENOMEM;
    self->system->received++;
    const int error = error_of(answer);
    if (reply != NULL && error == 0)
        *reply = answer;
    else
        weft_receive_drop_answer(self);
    return error;
}

int weft_call_wait(struct weft_actor *self, uint64_t reference, uint64_t timeout_ns,
                   struct weft_message **reply)
{
    bool came;
    if (self->answer != NULL) weft_receive_drop_answer(self);
    self->awaited = reference;
    return wait_for_answer(self, timeout_ns, reply, &came);
}

int weft_call(struct weft_actor *self, weft_pid to, uint16_t type, const void *bytes, size_t length,
              uint64_t timeout_ns, struct weft_message **reply)
{
    struct weft_actor_system *system = enter(self);
    int result = -ENOMEM;
    bool came;
    if (reply != NULL) *reply = NULL;
    if (self->answer != NULL) weft_receive_drop_answer(self);
    struct weft_message *call = make_call(system, self, to, type, bytes, length);
    if (call != NULL) {
        system->sent++;
        self->last_to = to;
        self->awaited = call->reference;
        self->task.flags |= WEFT_ACTOR_CALLING; // So that a call to itself is a cycle.
        weft_route(system, call, true);         // What goes wrong comes back as the answer.
        weft_actor_charge(self, WEFT_MESSAGE_REDUCTIONS);
        result = wait_for_answer(self, timeout_ns, reply, &came);
        self->task.flags &= (uint16_t)~WEFT_ACTOR_CALLING;
    }
    leave(self);
    return result;
}

uint64_t weft_call_begin(struct weft_actor *self, weft_pid to, uint16_t type, const void *bytes,
                         size_t length, int *error)
{
    struct weft_actor_system *system = enter(self);
    uint64_t reference = 0;
    struct weft_message *call = make_call(system, self, to, type, bytes, length);
    if (call != NULL && weft_awaits_add(self, call->reference)) {
        reference = call->reference;
        system->sent++;
        self->last_to = to;
        const int result = weft_route(system, call, true);
        weft_actor_charge(self, WEFT_MESSAGE_REDUCTIONS);
        if (result == PUT_MUTE) weft_mute_wait(self, to, true);
    } else if (call != NULL) {
        call->tag = WEFT_MESSAGE_USER; // Nobody waits for an answer to it.
        weft_message_release(system, call);
    }
    if (error != NULL) *error = reference != 0 ? 0 : -ENOMEM;
    leave(self);
    return reference;
}

int weft_call_await(struct weft_actor *self, uint64_t reference, uint64_t timeout_ns,
                    struct weft_message **reply, bool *came)
{
    bool known;
    int result = -ENOENT;
    *came = false;
    if (reply != NULL) *reply = NULL;
    if (self->answer != NULL) weft_receive_drop_answer(self);
    struct weft_message *answer = weft_awaits_find(self, reference, &known);
    if (answer != NULL) {
        weft_mailbox_take(self, answer); // Which forgets the reference.
        self->answer = answer;
        result = wait_for_answer(self, timeout_ns, reply, came);
    } else if (known) {
        self->awaited = reference;
        result = wait_for_answer(self, timeout_ns, reply, came);
        if (*came) weft_awaits_forget(self, reference); // Else it is awaited still.
    }
    return result;
}

int weft_await(struct weft_actor *self, uint64_t reference, uint64_t timeout_ns,
               struct weft_message **reply)
{
    bool came;
    enter(self);
    const int result = weft_call_await(self, reference, timeout_ns, reply, &came);
    leave(self);
    return result;
}

void weft_call_cancel(struct weft_actor *self, uint64_t reference)
{
    struct weft_actor_system *system = enter(self);
    bool known;
    struct weft_message *reply = weft_awaits_find(self, reference, &known);
    if (reply != NULL) {
        weft_mailbox_take(self, reply);
        weft_mailbox_drop(system, reply, WEFT_DROP_MAILBOX_LATE, 0);
    } else {
        weft_awaits_forget(self, reference);
    }
    leave(self);
}

// ---- Answering.

static void answer(struct weft_actor_system *system, struct weft_message *reply)
{
    system->sent++;
    weft_route(system, reply, false);
}

void weft_call_fail(struct weft_actor_system *system, struct weft_message *call, int error)
{
    const int32_t code = error;
    const weft_pid asked = call->to;
    call->tag = WEFT_MESSAGE_REPLY; // In its own block: this cannot fail.
    call->type = REPLY_ERROR;
    call->to = call->from;
    call->from = asked;
    memcpy(call->payload, &code, sizeof(code)); // The smallest block has room for it.
    answer(system, call);
}

static int reply_to(struct weft_actor *self, struct weft_message *call, uint16_t type,
                    const void *bytes, size_t length)
{
    struct weft_actor_system *system = self->system;
    weft_receive_disown(self, call);
    struct weft_message *reply = call;
    if (likely(weft_message_same_class(call, length))) {
        reply->length = (uint32_t)length;
    } else {
        reply = length <= UINT32_MAX / 2 ? weft_message_alloc(system, (uint32_t)length) : NULL;
        if (reply == NULL) {
            weft_call_fail(system, call, -ENOMEM);
            return -ENOMEM;
        }
        reply->reference = call->reference;
    }
    reply->to = call->from;
    reply->from = self->pid;
    reply->type = type;
    if (length > 0) memmove(reply->payload, bytes, length); // Perhaps out of the call itself.
    if (reply != call) {
        call->tag = WEFT_MESSAGE_USER; // It has its answer.
        weft_message_release(system, call);
    }
    reply->tag = WEFT_MESSAGE_REPLY;
    self->last_to = reply->to;
    answer(system, reply);
    weft_actor_charge(self, WEFT_MESSAGE_REDUCTIONS);
    return 0;
}

int weft_reply(struct weft_actor *self, struct weft_message *call, uint16_t type, const void *bytes,
               size_t length)
{
    if (call->tag != WEFT_MESSAGE_CALL || type == REPLY_ERROR) return -EINVAL;
    enter(self);
    const int result = reply_to(self, call, type, bytes, length);
    leave(self);
    return result;
}

int weft_reply_error(struct weft_actor *self, struct weft_message *call, int error)
{
    if (call->tag != WEFT_MESSAGE_CALL || error >= 0) return -EINVAL;
    struct weft_actor_system *system = enter(self);
    weft_receive_disown(self, call);
    weft_call_fail(system, call, error);
    leave(self);
    return 0;
}

int weft_reply_status(const struct weft_message *reply)
{
    return reply->tag == WEFT_MESSAGE_REPLY ? error_of(reply) : -EINVAL;
}
