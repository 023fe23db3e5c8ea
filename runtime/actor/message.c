// message.c: blocks of messages, and the ways that they go.
#include <errno.h>

#include "runtime/actor/internal.h"
#include "runtime/base/assert.h"

#define CLASS_BYTES_MIN 64
#define CLASS_BYTES_MAX (CLASS_BYTES_MIN << (WEFT_MESSAGE_CLASSES - 1))
#define CHUNK_BYTES     (32 * 1024)

struct large { // A block beyond the classes: the list that it stands in, then the message.
    struct weft_list link;
    struct weft_message message;
};

void weft_message_init(struct weft_actor_system *system)
{
    weft_list_init(&system->large);
    for (unsigned i = 0; i < WEFT_MESSAGE_CLASSES; i++)
        weft_slab_init(&system->messages[i], system->arena, CLASS_BYTES_MIN << i, CHUNK_BYTES);
    for (unsigned i = 0; i < WEFT_CORE_MAX; i++)
        weft_list_init(&system->control[i]);
}

static size_t large_bytes(uint32_t length)
{
    return sizeof(struct large) + (size_t)length;
}

void weft_message_destroy(struct weft_actor_system *system)
{
    for (struct weft_list *link; (link = weft_list_pop(&system->large)) != NULL;) {
        struct large *large = WEFT_CONTAINER_OF(link, struct large, link);
        weft_arena_release(system->arena, large, large_bytes(large->message.length));
    }
    for (unsigned i = 0; i < WEFT_MESSAGE_CLASSES; i++)
        weft_slab_destroy(&system->messages[i]);
}

// The slab whose objects hold `length` payload bytes; NULL if none does.
static struct weft_slab *class_of(struct weft_actor_system *system, uint32_t length)
{
    const size_t bytes = sizeof(struct weft_message) + (size_t)length;
    if (bytes <= CLASS_BYTES_MIN) return &system->messages[0];
    if (bytes > CLASS_BYTES_MAX) return NULL;
    const int class = 64 - __builtin_clzll((bytes - 1) / CLASS_BYTES_MIN);
    return &system->messages[class];
}

static struct weft_message *alloc_block(struct weft_actor_system *system, uint32_t length)
{
    struct weft_slab *slab = class_of(system, length);
    struct weft_message *message = NULL;
    if (slab != NULL) {
        message = weft_slab_alloc(slab);
    } else {
        struct large *large = weft_arena_alloc(system->arena, large_bytes(length));
        if (large != NULL) {
            weft_list_append(&system->large, &large->link);
            message = &large->message;
        }
    }
    if (message == NULL) return NULL;
    weft_list_init(&message->link);
    message->to = message->from = 0;
    message->reference = 0;
    message->tag = WEFT_MESSAGE_USER;
    message->home = (uint8_t)system->core->index;
    message->type = 0;
    message->length = length;
    return message;
}

struct weft_message *weft_message_alloc_control(struct weft_actor_system *system)
{
    return alloc_block(system, 0);
}

struct weft_message *weft_message_alloc(struct weft_actor_system *system, uint32_t length)
{
    struct weft_message *message = alloc_block(system, length);
    if (message == NULL) {
        weft_counter_add(&system->stats.send_count, 1);
        weft_drop_add(&system->core->drops, WEFT_DROP_MAILBOX_NO_MEMORY, 1);
    }
    return message;
}

static void release_block(struct weft_actor_system *system, struct weft_message *message)
{
    struct weft_slab *slab = class_of(system, message->length);
    if (slab != NULL) {
        weft_slab_release(slab, message);
        return;
    }
    struct large *large = WEFT_CONTAINER_OF(message, struct large, message);
    weft_list_remove(&large->link);
    weft_arena_release(system->arena, large, large_bytes(message->length));
}

void weft_message_release(struct weft_actor_system *system, struct weft_message *message)
{
    if (message->home == system->core->index) {
        release_block(system, message);
        return;
    }
    // A chain per home goes back once a turn: one ring slot, however many blocks.
    struct weft_message *first = system->home[message->home];
    message->link.next = first != NULL ? &first->link : NULL;
    system->home[message->home] = message;
    system->home_mask |= UINT64_C(1) << message->home;
}

void weft_message_on_memory(void *self, const struct weft_core_message *sent)
{
    struct weft_actor_system *system = self;
    struct weft_message *message = (struct weft_message *)(uintptr_t)sent->word[0];
    while (message != NULL) {
        struct weft_list *next = message->link.next;
        weft_assert(message->home == system->core->index);
        release_block(system, message);
        message = next != NULL ? WEFT_CONTAINER_OF(next, struct weft_message, link) : NULL;
    }
}

bool weft_message_reaches(const struct weft_actor_system *system, uint16_t index)
{
    const struct weft_core_group *group = system->core->group;
    // Handlers are set before the first turn and never again, so any core may look.
    return index < group->core_count && group->cores[index] != NULL &&
           group->cores[index]->handlers[WEFT_CORE_MESSAGE_ACTOR].handle != NULL;
}

static struct weft_core_message core_message(const struct weft_message *message)
{
    return (struct weft_core_message){
        .kind = WEFT_CORE_MESSAGE_ACTOR,
        .length = message->length,
        .word = {message->to, (uintptr_t)message},
    };
}

void weft_message_send_control(struct weft_actor_system *system, uint16_t to,
                               struct weft_message *message)
{
    const struct weft_core_message sent = core_message(message);
    if ((system->control_mask >> to & 1) == 0 && weft_core_send_try(system->core, to, &sent))
        return;
    weft_list_append(&system->control[to], &message->link);
    system->control_mask |= UINT64_C(1) << to;
}

// Sends what waits for core `to`, oldest first; true if nothing waits any more.
static bool flush_control(struct weft_actor_system *system, uint16_t to)
{
    struct weft_list *waiting = &system->control[to];
    while (!weft_list_empty(waiting)) {
        struct weft_message *message = WEFT_CONTAINER_OF(waiting->next, struct weft_message, link);
        weft_list_remove(&message->link); // First: once sent, the block is the other core's.
        const struct weft_core_message sent = core_message(message);
        if (weft_core_send_try(system->core, to, &sent)) continue;
        weft_list_prepend(waiting, &message->link);
        return false;
    }
    system->control_mask &= ~(UINT64_C(1) << to);
    return true;
}

void weft_message_flush(void *self, uint64_t now_ns)
{
    (void)now_ns;
    struct weft_actor_system *system = self;
    for (uint64_t mask = system->control_mask; mask != 0; mask &= mask - 1)
        flush_control(system, (uint16_t)__builtin_ctzll(mask));
    // A block may not be home before a DOWN that points to it (monitor.c): control goes first.
    for (uint64_t mask = system->home_mask & ~system->control_mask; mask != 0; mask &= mask - 1) {
        const uint16_t to = (uint16_t)__builtin_ctzll(mask);
        const struct weft_core_message sent = {.kind = WEFT_CORE_MESSAGE_MEMORY,
                                               .word = {(uintptr_t)system->home[to]}};
        if (!weft_core_send_try(system->core, to, &sent)) continue;
        system->home[to] = NULL;
        system->home_mask &= ~(UINT64_C(1) << to);
    }
}

static int drop(struct weft_actor_system *system, struct weft_message *message, enum weft_drop why,
                int status)
{
    if (!is_control(message)) weft_drop_add(&system->core->drops, why, 1);
    weft_message_release(system, message);
    return status;
}

// Into the mailbox of an actor of this core.
static int deliver(struct weft_actor_system *system, struct weft_message *message)
{
    struct weft_actor *actor = weft_actor_find(system, message->to);
    if (actor == NULL) return drop(system, message, WEFT_DROP_MAILBOX_NO_ACTOR, -ESRCH);
    if (!is_control(message)) {
        if (actor->mailbox_count >= actor->mailbox_limit)
            return drop(system, message, WEFT_DROP_MAILBOX_FULL, -ENOBUFS);
        actor->mailbox_count++;
    }
    weft_list_append(&actor->mailbox, &message->link);
    weft_core_ready(system->core, &actor->task);
    return 0;
}

static int send_away(struct weft_actor_system *system, uint16_t to, struct weft_message *message)
{
    if (!weft_message_reaches(system, to))
        return drop(system, message, WEFT_DROP_MAILBOX_NO_ACTOR, -ESRCH);
    if (is_control(message)) {
        weft_message_send_control(system, to, message);
        return 0;
    }
    // It would overtake a control message that waits: the ring is full all the same.
    if (system->control_mask >> to & 1) return drop(system, message, WEFT_DROP_RING_FULL, -ENOBUFS);
    const struct weft_core_message sent = core_message(message);
    if (weft_core_send_try(system->core, to, &sent)) return 0;
    return drop(system, message, WEFT_DROP_RING_FULL, -ENOBUFS);
}

int weft_actor_send(struct weft_actor_system *system, struct weft_message *message)
{
    weft_assert(message->tag <= WEFT_MESSAGE_SYSTEM && message->tag != WEFT_MESSAGE_DOWN);
    if (!is_control(message)) weft_counter_add(&system->stats.send_count, 1);
    const uint16_t to = weft_pid_core(message->to);
    return to == system->core->index ? deliver(system, message) : send_away(system, to, message);
}

void weft_message_on_actor(void *self, const struct weft_core_message *sent)
{
    struct weft_actor_system *system = self;
    struct weft_message *message = (struct weft_message *)(uintptr_t)sent->word[1];
    if (message == NULL) {
        struct weft_actor *actor = weft_actor_find(system, sent->word[0]);
        if (actor != NULL) weft_actor_end_soon(actor, (enum weft_exit)sent->word[2]);
        return;
    }
    switch (message->tag) {
    case TAG_MONITOR: weft_monitor_place(system, message); break;
    case TAG_DEMONITOR: weft_monitor_remove(system, message); break;
    case WEFT_MESSAGE_DOWN: weft_monitor_deliver(system, message); break;
    default: deliver(system, message); break;
    }
}

struct weft_message *weft_actor_receive(struct weft_actor *actor)
{
    struct weft_list *link = weft_list_pop(&actor->mailbox);
    if (link == NULL) return NULL;
    struct weft_message *message = WEFT_CONTAINER_OF(link, struct weft_message, link);
    actor->message_count++;
    if (!is_control(message)) {
        weft_assert(actor->mailbox_count > 0);
        actor->mailbox_count--;
        weft_counter_add(&actor->system->stats.message_count, 1);
    } else if (message->tag == WEFT_MESSAGE_DOWN) {
        weft_monitor_received(actor->system, message);
    }
    return message;
}
