// later.c: asking without waiting, for kinds whose slices have no stack to wait on (units). What
// they ask for is found again by its reference, in constant time, when they are woken. Most wait
// for one thing only: that stands where an actor with a stack has what it waits for (`awaited`,
// `answer`), and the table of awaits.c has what is asked for besides.
#include <errno.h>

#include "runtime/actor/internal.h"

uint64_t weft_later_new(struct weft_actor *self)
{
    const uint64_t reference = ++self->system->reference;
    return weft_awaits_add(self, reference) ? reference : 0;
}

struct weft_message *weft_later_block(struct weft_actor_system *system, size_t bytes)
{
    return bytes <= UINT32_MAX / 2 ? weft_message_alloc(system, (uint32_t)bytes) : NULL;
}

static bool await(struct weft_actor *self, uint64_t reference, weft_pid whom)
{
    if (self->awaited == WEFT_REFERENCE_NONE && self->answer == NULL) {
        self->awaited = reference;
        return true;
    }
    if (!weft_awaits_add(self, reference)) return false;
    weft_awaits_aim(self, reference, whom);
    return true;
}

int weft_later_begin(struct weft_actor *self, weft_pid to, uint16_t type,
                     struct weft_message *block, uint64_t *reference)
{
    struct weft_actor_system *system = self->system;
    if (block == NULL) return -ENOMEM;
    *reference = ++system->reference;
    if (!await(self, *reference, to)) {
        weft_message_release_block(system, block);
        return -ENOMEM;
    }
    block->tag = WEFT_MESSAGE_CALL;
    block->type = type;
    block->to = to;
    block->from = self->pid;
    block->reference = *reference;
    system->sent++;
    weft_note_send(self, block);
    return 0;
}

int weft_later_ask(struct weft_actor *self, weft_pid to, uint16_t type, struct weft_message *block,
                   uint64_t *reference)
{
    const int result = weft_later_begin(self, to, type, block, reference);
    // What goes wrong on the way comes back as the answer.
    if (result == 0) weft_route(self->system, block, true);
    return result;
}

// Takes the answer to `reference` out of where it is. NULL: *known, whether it is awaited.
static struct weft_message *take_answer(struct weft_actor *self, uint64_t reference, bool *known)
{
    struct weft_message *answer = self->answer;
    *known = true;
    if (self->awaited == reference) return NULL;
    if (answer != NULL && answer->reference == reference) {
        self->answer = NULL;
        weft_note_receive(self, answer);
        return answer;
    }
    answer = weft_awaits_find(self, reference, known);
    if (answer != NULL) weft_mailbox_receive(self, answer); // Which forgets the reference.
    return answer;
}

int weft_later_look(struct weft_actor *self, uint64_t reference, struct weft_message **reply)
{
    bool known;
    struct weft_message *answer = take_answer(self, reference, &known);
    if (answer == NULL) return known ? 1 : -ENOENT;
    const int status = weft_reply_status(answer);
    if (status == 0)
        *reply = answer;
    else
        weft_message_release(self->system, answer);
    return status;
}

void weft_later_forget(struct weft_actor *self, uint64_t reference)
{
    bool known;
    struct weft_message *answer = take_answer(self, reference, &known);
    if (answer != NULL) {
        self->system->received--; // It is counted as dropped.
        weft_mailbox_drop(self->system, answer, WEFT_DROP_MAILBOX_LATE, 0);
    } else if (self->awaited == reference) {
        self->awaited = WEFT_REFERENCE_NONE;
    } else {
        weft_awaits_forget(self, reference);
    }
}

void weft_later_fulfil(struct weft_actor *self, struct weft_message *block, weft_pid to,
                       uint64_t reference)
{
    block->tag = WEFT_MESSAGE_REPLY;
    block->type = 0;
    block->to = to;
    block->from = self->pid;
    block->reference = reference;
    self->system->sent++;
    weft_note_send(self, block);
    weft_route(self->system, block, false);
}

bool weft_later_down(struct weft_actor *self, uint64_t reference, uint16_t *reason)
{
    bool known;
    struct weft_message *down = weft_monitor_find(self, reference, &known);
    if (down == NULL) return false;
    *reason = down->type;
    weft_mailbox_take(self, down);
    weft_message_release_block(self->system, down);
    return true;
}

struct weft_message *weft_later_receive(struct weft_actor *self, uint32_t tags,
                                        bool (*fits)(const struct weft_message *message,
                                                     const void *argument),
                                        const void *argument)
{
    // Most often it is the oldest; else what was looked at once is not looked at again.
    if (weft_list_empty(&self->mailbox)) return NULL;
    struct weft_message *oldest = weft_message_of(self->mailbox.next);
    if ((tags >> oldest->tag & 1) != 0 && fits(oldest, argument)) return weft_actor_receive(self);
    const struct weft_match match = {.tags = tags, .fits = fits, .argument = argument};
    struct weft_message *message = weft_receive_take(self, &match);
    if (message != NULL) weft_receive_disown(self, message);
    return message;
}
