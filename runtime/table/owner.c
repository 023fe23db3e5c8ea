// owner.c: whose a table is. Something hangs on the owner (actor/owned.c) that names the table, and
// is told of its end: then the table goes to the heir, or away.
//
// Two blocks go to a new owner, one behind the other: what is to hang on it, and the message that
// says so. For an heir they are taken when it is named, and wait as the table's will: an owner's
// end cannot fail for want of memory. What hangs on somebody only knows the table's number: if the
// table is dropped by another, or given away, it does nothing.
#include "runtime/table/op.h"

static void *id_pointer(weft_table table)
{
    return (void *)(uintptr_t)table;
}

struct weft_message *weft_table_will_make(struct weft_actor_system *system)
{
    struct weft_message *edge = weft_message_alloc_control(system);
    struct weft_message *message =
        weft_message_alloc_hidden(system, sizeof(struct weft_table_given));
    if (edge != NULL && message != NULL) {
        edge->link[0] = weft_message_link(message);
        return edge;
    }
    if (edge != NULL) weft_message_release_block(system, edge);
    if (message != NULL) weft_message_release_block(system, message);
    return NULL;
}

static struct weft_message *message_of(struct weft_message *will)
{
    return (struct weft_message *)(void *)will->link[0];
}

void weft_table_will_release(struct weft_actor_system *system, struct weft_message *will)
{
    if (will == NULL) return;
    weft_message_release_block(system, message_of(will));
    weft_message_release_block(system, will);
}

static void owner_lost(struct weft_actor_system *system, weft_pid pid, void *id);

static void hand_over(struct weft_actor_system *system, struct weft_table_body *body, weft_pid to,
                      struct weft_message *will)
{
    struct weft_message *message = message_of(will);
    const struct weft_table_given given = {
        .table = body->id,
        .from = atomic_load_explicit(&body->owner, memory_order_relaxed),
    };
    message->to = to;
    message->from = given.from;
    message->tag = WEFT_MESSAGE_SYSTEM;
    message->type = WEFT_TABLE_GIVEN;
    memcpy(message->payload, &given, sizeof(given));
    // Release: pairs with the acquire load in weft_table_is_owner. Before anything is sent: if the
    // new owner has ended it is found out here and now, and the table goes on.
    body->reference = will->reference = ++system->reference;
    atomic_store_explicit(&body->owner, to, memory_order_release);
    weft_actor_own_send(system, will, to, weft_table_owner_ended, owner_lost,
                        id_pointer(given.table));
    weft_signal(system, message);
}

// The owner has ended.
static void pass_on(struct weft_actor_system *system, struct weft_table_body *body, weft_pid owner)
{
    const weft_pid heir = atomic_load_explicit(&body->heir, memory_order_relaxed);
    struct weft_message *will = heir != owner ? atomic_exchange(&body->will, NULL) : NULL;
    if (will != NULL) {
        atomic_store_explicit(&body->heir, 0, memory_order_relaxed);
        hand_over(system, body, heir, will);
        return;
    }
    weft_table_end(system, body);
}

static void owner_lost(struct weft_actor_system *system, weft_pid pid, void *id)
{
    struct weft_table_body *body = weft_table_body(system->node->tables, (weft_table)(uintptr_t)id);
    if (body == NULL || atomic_load_explicit(&body->owner, memory_order_acquire) != pid) return;
    pass_on(system, body, pid);
}

void weft_table_owner_ended(struct weft_actor *owner, void *id)
{
    owner_lost(owner->system, owner->pid, id);
}

// ---- The calls.

int weft_table_give(struct weft_actor *self, weft_table table, weft_pid to)
{
    struct weft_actor_system *system = enter(self);
    struct weft_table_body *body;
    struct weft_message *will = NULL;
    int result = weft_table_open(self, table, NEED_READ, &body);
    if (result == 0 && !weft_table_is_owner(body, self)) result = -EACCES;
    if (result == 0 && !weft_slot_may_be(system, to)) result = -ESRCH;
    if (result == 0 && to != self->pid) {
        will = weft_table_will_make(system);
        if (will == NULL) result = -ENOMEM;
    }
    if (will != NULL) {
        weft_actor_disown(self, body->reference);
        hand_over(system, body, to, will);
    }
    leave(self);
    return result;
}

int weft_table_set_heir(struct weft_actor *self, weft_table table, weft_pid heir)
{
    struct weft_actor_system *system = enter(self);
    struct weft_table_body *body;
    struct weft_message *will = NULL;
    int result = weft_table_open(self, table, NEED_READ, &body);
    if (result == 0 && !weft_table_is_owner(body, self)) result = -EACCES;
    if (result == 0 && heir != 0) {
        will = weft_table_will_make(system);
        if (will == NULL) result = -ENOMEM;
    }
    if (result == 0) {
        atomic_store_explicit(&body->heir, heir, memory_order_relaxed);
        // If another core ends the table now, one of us sees the will: both sides store, then look
        // (sequentially consistent).
        weft_table_will_release(system, atomic_exchange(&body->will, will));
        if (weft_table_body(system->node->tables, table) != body)
            weft_table_will_release(system, atomic_exchange(&body->will, NULL));
    }
    leave(self);
    return result;
}
