// call.c: questions and answers.
//
// Every call gets exactly one answer: from whoever received it, or, if it is dropped, refused or
// its receiver ends, from the runtime, which turns the call's own block into the answer. So a
// caller that waits without a time-out waits for an actor that lives, and no monitor is needed.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/actor/fast.h"
#include "runtime/actor/internal.h"
#include "runtime/actor/trail.h"

#define CHAIN_MAX 64 // Who waits for whom is followed no further.

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

static uint32_t named_callers(const struct weft_trail *trail)
{
    return trail->depth < WEFT_TRAIL_MAX ? trail->depth : WEFT_TRAIL_MAX;
}

// From whom the answer will come that the actor, which is CALLING, waits for.
static weft_pid asked_by(const struct weft_actor *actor)
{
    return weft_awaits_whom(actor, actor->awaited, actor->last_to);
}

// The call was made while the one that `actor` waits for was served, however far away.
static bool is_on_trail(const struct weft_actor *actor, const struct weft_message *call)
{
    if ((call->home & HOME_BEHIND) == 0) return false;
    const struct weft_trail *trail = weft_trail_of(call);
    const struct weft_message *serves = served(actor);
    const uint32_t named = named_callers(trail);
    if (trail->root != (serves != NULL ? root_of(serves) : actor->awaited)) return false;
    // Of one root, but perhaps on another branch, or one that it has given up: it has to be one of
    // the callers, and wait for the next of them.
    for (uint32_t i = 0; i < named; i++) {
        if (trail->callers[i] != actor->pid) continue;
        if (i + 1 == WEFT_TRAIL_MAX && trail->depth > WEFT_TRAIL_MAX) return true;
        return asked_by(actor) == (i + 1 < named ? trail->callers[i + 1] : call->from);
    }
    return trail->depth > WEFT_TRAIL_MAX;
}

// Whose answer `actor` waits for; NULL if it does not, or if that one is on another core.
static struct weft_actor *awaited_by(const struct weft_actor *actor, weft_pid *pid)
{
    *pid = 0;
    if ((actor->task.flags & WEFT_ACTOR_CALLING) == 0 || actor->answer != NULL) return NULL;
    *pid = asked_by(actor);
    return weft_actor_find(actor->system, *pid);
}

static void aim(struct weft_actor *actor, uint64_t reference, weft_pid whom)
{
    if (actor->rare != NULL) weft_awaits_aim(actor, reference, whom);
    if (actor->awaited == reference) actor->last_to = whom;
}

void weft_call_passed_on(struct weft_actor_system *system, const struct weft_message *call,
                         weft_pid whom)
{
    struct weft_actor *caller = weft_actor_find(system, call->from);
    if (caller != NULL) {
        aim(caller, call->reference, whom);
        return;
    }
    struct weft_message *news = weft_message_alloc_control(system);
    if (news == NULL) return; // A call from here to the caller might be refused, then.
    news->tag = TAG_AIM;
    news->to = call->from;
    news->reference = call->reference;
    memcpy(news->payload, &whom, sizeof(whom));
    weft_signal(system, news);
}

void weft_aim_arrived(struct weft_actor *actor, const struct weft_message *news)
{
    weft_pid whom;
    memcpy(&whom, news->payload, sizeof(whom));
    aim(actor, news->reference, whom);
}

// How many steps it takes from `actor` to `caller`, from who waits to whom it waits for; 0: one
// does not lead to the other. On another core the first step is seen and no more: an answer that
// had been sent before the call would have come before it.
static unsigned steps_to(const struct weft_actor *actor, weft_pid caller)
{
    weft_pid pid;
    for (unsigned step = 1; step <= CHAIN_MAX && actor != NULL; step++) {
        actor = awaited_by(actor, &pid);
        if (pid == caller) return step;
    }
    return 0;
}

bool weft_call_is_cycle(const struct weft_actor *actor, const struct weft_message *call)
{
    if (actor->answer != NULL) return false; // It waits no more.
    return call->from == actor->pid || is_on_trail(actor, call) || steps_to(actor, call->from) > 0;
}

static void add_pid(char text[WEFT_LOG_TEXT_BYTES], size_t *used, const char *arrow, weft_pid pid)
{
    if (*used < WEFT_LOG_TEXT_BYTES)
        *used += (size_t)snprintf(text + *used, WEFT_LOG_TEXT_BYTES - *used, "%s%#llx", arrow,
                                  (unsigned long long)pid);
}

void weft_call_name_cycle(struct weft_actor *actor, const struct weft_message *call)
{
    char text[WEFT_LOG_TEXT_BYTES];
    size_t used = 0;
    const struct weft_trail *trail = call->home & HOME_BEHIND ? weft_trail_of(call) : NULL;
    for (uint32_t i = 0; trail != NULL && i < named_callers(trail); i++)
        add_pid(text, &used, i > 0 ? " -> " : "", trail->callers[i]);
    add_pid(text, &used,
            trail == NULL                   ? ""
            : trail->depth > WEFT_TRAIL_MAX ? " -> ... -> "
                                            : " -> ",
            call->from);
    add_pid(text, &used, " -> ", actor->pid);
    const struct weft_actor *next = actor;
    weft_pid pid;
    for (unsigned steps = steps_to(actor, call->from); steps > 0; steps--) {
        next = awaited_by(next, &pid);
        add_pid(text, &used, " -> ", pid);
    }
    weft_counter_add(&actor->system->stats.cycle_count, 1);
    weft_log_actor(&actor->system->core->log, WEFT_LOG_WARN, "actor", actor->pid,
                   weft_actor_label(actor), "call cycle, refused: %s", text);
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
        while (self->answer == NULL && wait == WAIT_OVER) {
            if (unlikely(deadline_ns != WEFT_FOREVER || (self->task.flags & WEFT_ACTOR_BUSY) != 0))
                wait = weft_actor_wait(self, deadline_ns);
            else if (likely(weft_actor_can_park(self)))
                weft_actor_park_inline(self);
            else
                wait = WAIT_REFUSED;
        }
        self->task.flags &= (uint16_t) ~(WEFT_ACTOR_SELECTIVE | WEFT_ACTOR_CALLING);
    }
    self->awaited = WEFT_REFERENCE_NONE;
    struct weft_message *answer = self->answer;
    *came = answer != NULL;
    if (answer == NULL) return wait == WAIT_TIMEOUT ? -ETIMEDOUT : -ENOMEM;
    weft_note_receive(self, answer);
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
    self->last_to = 0; // It waits for nobody who could wait for it.
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
        weft_note_send(self, call);
        if (likely(length <= WEFT_MESSAGE_LARGE)) // What goes wrong comes back as the answer.
            weft_route_call(system, call);
        else
            weft_route(system, call, true);
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
        weft_awaits_aim(self, reference, to);
        system->sent++;
        self->last_to = to;
        weft_note_send(self, call);
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
        self->system->received++;
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

static void make_call_of(struct weft_message *block, struct weft_actor *self, weft_pid to,
                         uint16_t type)
{
    block->tag = WEFT_MESSAGE_CALL;
    block->type = type;
    block->to = to;
    block->from = self->pid;
    block->reference = ++self->system->reference;
}

// A block for a call that may have to be made, which goes with the actor as if it were kept.
static struct weft_message *hold_cancel(struct weft_actor *self)
{
    struct weft_actor_rare *rare = weft_actor_rare(self);
    struct weft_message *cancel =
        rare != NULL ? weft_message_alloc_hidden(self->system, sizeof(uint64_t)) : NULL;
    if (cancel == NULL) return NULL;
    weft_list_append(&rare->kept, weft_message_link(cancel));
    weft_memory_add(self, cancel);
    return cancel;
}

static void drop_cancel(struct weft_actor *self, struct weft_message *cancel)
{
    weft_receive_disown(self, cancel);
    weft_message_release_block(self->system, cancel);
}

// Calls by `cancel` that what was asked under `reference` be taken back, and waits for the answer.
static void take_back(struct weft_actor *self, weft_pid pid, uint16_t type, uint64_t reference,
                      struct weft_message *cancel)
{
    struct weft_actor_system *system = self->system;
    bool came;
    weft_receive_disown(self, cancel);
    make_call_of(cancel, self, pid, type);
    memcpy(cancel->payload, &reference, sizeof(reference));
    self->awaited = cancel->reference;
    self->last_to = pid;
    system->sent++;
    weft_note_send(self, cancel);
    weft_route(system, cancel, true);
    wait_for_answer(self, WEFT_FOREVER, NULL, &came);
}

int weft_call_ask(struct weft_actor *self, weft_pid pid, uint16_t type, uint16_t cancel_type,
                  struct weft_message *block, uint64_t timeout_ns)
{
    struct weft_actor_system *system = self->system;
    struct weft_message *answer;
    bool came;
    if (block == NULL) return -ENOMEM;
    make_call_of(block, self, pid, type);
    const uint64_t reference = block->reference;
    // Taken now: what could not be taken back would be served later, and lost.
    struct weft_message *cancel = hold_cancel(self);
    if (cancel == NULL || !weft_awaits_add(self, reference)) {
        if (cancel != NULL) drop_cancel(self, cancel);
        weft_message_release_block(system, block);
        return -ENOMEM;
    }
    system->sent++;
    weft_note_send(self, block);
    weft_route(system, block, true);
    const int result = weft_call_await(self, reference, timeout_ns, &answer, &came);
    if (came) {
        drop_cancel(self, cancel);
        return result;
    }
    take_back(self, pid, cancel_type, reference, cancel);
    const int second = weft_call_await(self, reference, WEFT_FOREVER, &answer, &came);
    if (came) return second;
    weft_awaits_forget(self, reference); // No stack to wait on: whatever comes of it is dropped.
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
    weft_route_reply(system, reply);
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

// What is copied may stand in the call itself.
static inline void copy_out(uint8_t *payload, const void *bytes, size_t length)
{
    if (length == 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof(word));
        memcpy(payload, &word, sizeof(word));
    } else if (length > 0) {
        memmove(payload, bytes, length);
    }
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
    copy_out(reply->payload, bytes, length);
    if (reply != call) {
        call->tag = WEFT_MESSAGE_USER; // It has its answer.
        weft_message_release(system, call);
    }
    reply->tag = WEFT_MESSAGE_REPLY;
    self->last_to = reply->to;
    weft_note_send(self, reply);
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
