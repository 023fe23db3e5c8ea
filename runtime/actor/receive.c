// receive.c: taking messages: the oldest, or the first that fits.
//
// A receive by pattern remembers where it stopped (a cursor): everything before that place has been
// looked at and does not fit. The same pattern again goes on from there, so however many messages
// wait, each is looked at once for each pattern and not once for each receive.
#include <errno.h>
#include <string.h>

#include "runtime/actor/fast.h"
#include "runtime/actor/internal.h"

#define CURSORS 4 // Patterns that are remembered; the one not used longest makes room.

struct weft_cursor {
    struct weft_match match;
    struct weft_list *seen; // The last message looked at; the mailbox itself: none.
    uint64_t used;          // When it was used last, by count.
};

struct weft_cursors {
    uint64_t use_count;
    uint32_t count;
    struct weft_cursor cursors[CURSORS];
};

void weft_receive_drop_current(struct weft_actor *actor)
{
    struct weft_message *message = actor->current;
    if (message == NULL) return;
    actor->current = NULL;
    weft_message_done(actor->system, message);
}

void weft_receive_drop_answer(struct weft_actor *actor)
{
    struct weft_message *message = actor->answer;
    if (message == NULL) return;
    actor->answer = NULL;
    weft_message_release(actor->system, message);
}

// ---- The oldest.

always_inline struct weft_message *take_oldest(struct weft_actor *self)
{
    struct weft_actor_system *system = self->system;
    struct weft_message *message = weft_mailbox_pop(system, self);
    if (message == NULL) return NULL;
    self->current = message;
    system->core->run.left -= WEFT_MESSAGE_REDUCTIONS;
    return message;
}

// A slice that is spent is over, whatever waits in the mailbox.
always_inline void end_spent_slice(struct weft_actor *self)
{
    if (likely(self->system->core->run.left > 0)) return;
    if (!weft_actor_can_park(self)) return;
    weft_actor_ready(self);
    weft_actor_park(self);
}

static __attribute__((noinline)) struct weft_message *receive_until(struct weft_actor *self,
                                                                    uint64_t timeout_ns)
{
    const uint64_t deadline_ns = weft_deadline_ns(self, timeout_ns);
    enum weft_wait wait = WAIT_OVER;
    struct weft_message *message = NULL;
    while (message == NULL && wait == WAIT_OVER) {
        wait = weft_actor_wait(self, deadline_ns);
        message = take_oldest(self);
    }
    return message;
}

always_inline struct weft_step received(struct weft_actor *self, struct weft_message *message)
{
    leave(self);
    return (struct weft_step){message, NULL};
}

// Waits, however long. With sanitizers here and now.
static __attribute__((noinline)) struct weft_step wait_slowly(struct weft_actor *self)
{
    struct weft_message *message = take_oldest(self);
    while (message == NULL && weft_actor_can_park(self)) {
        if (SWITCHES_OUTSIDE) return weft_actor_leave_slowly(self);
        weft_actor_park(self);
        message = take_oldest(self);
    }
    return received(self, message);
}

static __attribute__((noinline)) struct weft_step receive_slowly(struct weft_actor *self,
                                                                 uint64_t timeout_ns)
{
    if (self->current != NULL) weft_receive_drop_current(self);
    end_spent_slice(self);
    if (timeout_ns == WEFT_FOREVER) return wait_slowly(self);
    struct weft_message *message = take_oldest(self);
    if (message == NULL && timeout_ns != 0) message = receive_until(self, timeout_ns);
    return received(self, message);
}

// True if there is a message and taking it is nothing but that.
always_inline bool is_plain(const struct weft_actor_system *system, const struct weft_actor *self)
{
    const struct weft_list *link = self->mailbox.next;
    return link != &self->mailbox && (self->task.flags & WEFT_ACTOR_ENDING) == 0 &&
           weft_mailbox_is_plain(system, self, (const struct weft_message *)(const void *)link);
}

always_inline bool can_leave(const struct weft_actor *self)
{
    return self->stack != NULL && (self->task.flags & WEFT_ACTOR_ENDING) == 0;
}

struct weft_step weft_receive_begin(struct weft_actor *self, uint64_t timeout_ns)
{
    struct weft_actor_system *system = enter(self);
    struct weft_message *message = self->current;
    const bool waits = weft_list_empty(&self->mailbox);
    // All that needs a call, before anything has been done.
    if (unlikely(system->core->run.left <= 0 ||
                 (message != NULL && !weft_block_is_plain(system, message)) ||
                 weft_slab_is_last(&system->messages[0])))
        return receive_slowly(self, timeout_ns);
    if (unlikely(waits ? !SWITCHES_OUTSIDE || timeout_ns != WEFT_FOREVER || !can_leave(self)
                       : !is_plain(system, self)))
        return receive_slowly(self, timeout_ns);
    if (likely(message != NULL)) {
        self->current = NULL;
        weft_slab_release(&system->messages[0], message);
    }
    return waits ? weft_actor_leave(self) : received(self, take_oldest(self));
}

struct weft_step weft_receive_again(struct weft_actor *self)
{
    if (unlikely(!is_plain(self->system, self))) return wait_slowly(self);
    return received(self, take_oldest(self));
}

// ---- The first that fits.

static bool fits(const struct weft_match *match, const struct weft_message *message)
{
    if (match->tags != 0 && (match->tags >> message->tag & 1) == 0) return false;
    if (match->has_type && match->type != message->type) return false;
    if (match->reference != 0 && match->reference != message->reference) return false;
    return match->fits == NULL || match->fits(message, match->argument);
}

static bool is_same(const struct weft_match *a, const struct weft_match *b)
{
    return a->tags == b->tags && a->has_type == b->has_type && a->type == b->type &&
           a->reference == b->reference && a->fits == b->fits && a->argument == b->argument;
}

// The cursor of `match`, new or known; NULL if there is no memory: then every receive begins at the
// oldest message.
static struct weft_cursor *cursor_of(struct weft_actor *self, const struct weft_match *match)
{
    struct weft_actor_rare *rare = weft_actor_rare(self);
    if (rare == NULL) return NULL;
    if (rare->cursors == NULL) {
        struct weft_message *block =
            weft_message_alloc_hidden(self->system, sizeof(struct weft_cursors));
        if (block == NULL) return NULL;
        rare->cursors = (struct weft_cursors *)(void *)block->payload;
        memset(rare->cursors, 0, sizeof(*rare->cursors));
        self->task.flags |= WEFT_ACTOR_INDEXED;
    }
    struct weft_cursors *cursors = rare->cursors;
    struct weft_cursor *oldest = NULL;
    cursors->use_count++;
    for (uint32_t i = 0; i < cursors->count; i++) {
        struct weft_cursor *cursor = &cursors->cursors[i];
        if (is_same(&cursor->match, match)) {
            cursor->used = cursors->use_count;
            return cursor;
        }
        if (oldest == NULL || cursor->used < oldest->used) oldest = cursor;
    }
    if (cursors->count < CURSORS) oldest = &cursors->cursors[cursors->count++];
    *oldest =
        (struct weft_cursor){.match = *match, .seen = &self->mailbox, .used = cursors->use_count};
    return oldest;
}

static struct weft_message *block_of(struct weft_cursors *cursors)
{
    return WEFT_CONTAINER_OF((uint8_t(*)[])cursors, struct weft_message, payload);
}

void weft_cursors_free(struct weft_actor *actor)
{
    struct weft_actor_rare *rare = actor->rare;
    if (rare->cursors == NULL) return;
    weft_message_release_block(actor->system, block_of(rare->cursors));
    rare->cursors = NULL;
}

void weft_cursors_removed(struct weft_actor_rare *rare, const struct weft_message *message)
{
    if (rare->cursors == NULL) return;
    const struct weft_list *link = (const struct weft_list *)(const void *)message;
    for (uint32_t i = 0; i < rare->cursors->count; i++) {
        struct weft_cursor *cursor = &rare->cursors->cursors[i];
        if (cursor->seen == link) cursor->seen = link->prev;
    }
}

// Looks from behind `*seen` on. What it finds is taken out; *seen is the last that did not fit.
static struct weft_message *scan(struct weft_actor *self, const struct weft_match *match,
                                 struct weft_list **seen)
{
    uint32_t looked = 0;
    for (struct weft_list *link = (*seen)->next; link != &self->mailbox; link = link->next) {
        struct weft_message *message = weft_message_of(link);
        looked++;
        if (!fits(match, message)) {
            *seen = link;
            continue;
        }
        weft_actor_charge(self, (int32_t)(looked / 8) + WEFT_MESSAGE_REDUCTIONS);
        weft_mailbox_receive(self, message);
        self->current = message;
        return message;
    }
    weft_actor_charge(self, (int32_t)(looked / 8));
    return NULL;
}

// The message of a reference that something is known of, in constant time: a reply that is awaited,
// the DOWN of a monitor. *known: it is one of these, so there is nothing to look through.
static struct weft_message *take_by_reference(struct weft_actor *self,
                                              const struct weft_match *match, bool *known)
{
    struct weft_message *message = weft_awaits_find(self, match->reference, known);
    if (!*known) message = weft_monitor_find(self, match->reference, known);
    if (message == NULL || !fits(match, message)) return NULL;
    weft_actor_charge(self, WEFT_MESSAGE_REDUCTIONS);
    weft_mailbox_receive(self, message);
    self->current = message;
    return message;
}

struct weft_message *weft_receive_take(struct weft_actor *self, const struct weft_match *match)
{
    bool known = false;
    if (match->reference != 0) {
        struct weft_message *message = take_by_reference(self, match, &known);
        if (known) return message;
    }
    // Looked up each time: while it waited another receive may have taken its place.
    struct weft_cursor *cursor = cursor_of(self, match);
    struct weft_list *from_start = &self->mailbox;
    return scan(self, match, cursor != NULL ? &cursor->seen : &from_start);
}

struct weft_message *weft_receive_match(struct weft_actor *self, const struct weft_match *match,
                                        uint64_t timeout_ns)
{
    enter(self);
    if (self->current != NULL) weft_receive_drop_current(self);
    end_spent_slice(self);
    const uint64_t deadline_ns = weft_deadline_ns(self, timeout_ns);
    enum weft_wait wait = timeout_ns == 0 ? WAIT_TIMEOUT : WAIT_OVER;
    struct weft_message *message;
    for (;;) {
        message = weft_receive_take(self, match);
        if (message != NULL || wait != WAIT_OVER) break;
        wait = weft_actor_wait(self, deadline_ns);
    }
    leave(self);
    return message;
}

// ---- Keeping and releasing.

void weft_release(struct weft_actor *self, struct weft_message *message)
{
    if (message == NULL) return;
    struct weft_actor_system *system = enter(self);
    if (message == self->current) {
        weft_receive_drop_current(self);
    } else if (message == self->answer) {
        weft_receive_drop_answer(self);
    } else { // Kept, or made and never sent.
        weft_receive_disown(self, message);
        weft_message_release(system, message);
    }
    leave(self);
}

int weft_keep(struct weft_actor *self, struct weft_message *message)
{
    enter(self);
    struct weft_actor_rare *rare = weft_actor_rare(self);
    const bool has_room = rare != NULL && weft_memory_has_room(self, message);
    if (has_room) {
        weft_receive_disown(self, message);
        weft_list_append(&rare->kept, weft_message_link(message));
        weft_memory_add(self, message);
    }
    leave(self);
    return has_room ? 0 : -ENOMEM;
}

void weft_unkeep(struct weft_actor *self, struct weft_message *message)
{
    enter(self);
    if (message != self->current) {
        if (self->current != NULL) weft_receive_drop_current(self);
        weft_receive_disown(self, message);
        self->current = message;
    }
    leave(self);
}

// Takes `message` out of the caller's hands, whichever it was in.
void weft_receive_disown(struct weft_actor *actor, struct weft_message *message)
{
    if (message == actor->current)
        actor->current = NULL;
    else if (message == actor->answer)
        actor->answer = NULL;
    else if (weft_message_link(message)->next != NULL) { // Kept.
        weft_memory_remove(actor, message);
        weft_list_remove(weft_message_link(message));
    }
    message->link[0] = message->link[1] = NULL;
}

uint32_t weft_mailbox_count(const struct weft_actor *self)
{
    return weft_mailbox_load(self);
}
