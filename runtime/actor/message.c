// message.c: blocks of messages: where they come from and where they go.
#include <errno.h>
#include <string.h>

#include "runtime/actor/internal.h"
#include "runtime/actor/trail.h"

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
}

static size_t large_bytes(size_t length)
{
    return sizeof(struct large) + length;
}

// What lies behind the header: the payload, and what may stand behind that (trail.h).
static size_t content_bytes(const struct weft_message *message)
{
    return message->home & HOME_BEHIND
               ? weft_trail_offset(message->length) + sizeof(struct weft_trail)
               : message->length;
}

void weft_message_destroy(struct weft_actor_system *system)
{
    for (struct weft_list *link; (link = weft_list_pop(&system->large)) != NULL;) {
        struct large *large = WEFT_CONTAINER_OF(link, struct large, link);
        weft_arena_release(system->arena, large, large_bytes(content_bytes(&large->message)));
    }
    for (unsigned i = 0; i < WEFT_MESSAGE_CLASSES; i++)
        weft_slab_destroy(&system->messages[i]);
}

// The class whose blocks hold `length` bytes of content; WEFT_MESSAGE_CLASSES if none does.
static inline unsigned class_of(size_t length)
{
    const size_t bytes = sizeof(struct weft_message) + length;
    if (likely(bytes <= CLASS_BYTES_MIN)) return 0;
    if (bytes > CLASS_BYTES_MAX) return WEFT_MESSAGE_CLASSES;
    return (unsigned)(64 - __builtin_clzll((bytes - 1) / CLASS_BYTES_MIN));
}

static struct weft_message *alloc_large(struct weft_actor_system *system, size_t length)
{
    struct large *large = weft_arena_alloc(system->arena, large_bytes(length));
    if (large == NULL) return NULL;
    weft_list_append(&system->large, &large->link);
    return &large->message;
}

static inline struct weft_message *alloc_block(struct weft_actor_system *system, size_t content)
{
    const unsigned class = class_of(content);
    struct weft_message *message = likely(class < WEFT_MESSAGE_CLASSES)
                                       ? weft_slab_alloc(&system->messages[class])
                                       : alloc_large(system, content);
    if (unlikely(message == NULL)) return NULL;
    message->from = 0;
    message->reference = 0;
    message->tag = WEFT_MESSAGE_USER;
    message->home = (uint8_t)system->index;
    message->type = 0;
    message->length = (uint32_t)content;
    return message;
}

struct weft_message *weft_message_alloc_hidden(struct weft_actor_system *system, uint32_t hidden)
{
    return alloc_block(system, hidden);
}

struct weft_message *weft_message_alloc_control(struct weft_actor_system *system)
{
    return alloc_block(system, 0);
}

struct weft_message *weft_message_alloc(struct weft_actor_system *system, uint32_t length)
{
    struct weft_message *message = alloc_block(system, length);
    if (unlikely(message == NULL)) {
        system->sent++;
        weft_drop_add(&system->core->drops, WEFT_DROP_MAILBOX_NO_MEMORY, 1);
    }
    return message;
}

struct weft_message *weft_message_alloc_trail(struct weft_actor_system *system, uint32_t length,
                                              const struct weft_trail *trail)
{
    const size_t offset = weft_trail_offset(length);
    struct weft_message *message = alloc_block(system, offset + sizeof(*trail));
    if (message == NULL) return NULL;
    message->length = length;
    message->home |= HOME_BEHIND;
    memcpy(message->payload + offset, trail, sizeof(*trail));
    return message;
}

size_t weft_message_room(const struct weft_message *message)
{
    const size_t content = content_bytes(message);
    const unsigned class = class_of(content);
    return class < WEFT_MESSAGE_CLASSES ? ((size_t)CLASS_BYTES_MIN << class) - sizeof(*message)
                                        : content;
}

bool weft_message_same_class(const struct weft_message *message, size_t length)
{
    return (message->home & HOME_BEHIND) == 0 && class_of(length) < WEFT_MESSAGE_CLASSES &&
           class_of(message->length) == class_of(length);
}

// At home.
static inline void free_block(struct weft_actor_system *system, struct weft_message *message)
{
    const unsigned class = class_of(content_bytes(message));
    if (likely(class < WEFT_MESSAGE_CLASSES)) {
        weft_slab_release(&system->messages[class], message);
        return;
    }
    struct large *large = WEFT_CONTAINER_OF(message, struct large, message);
    weft_list_remove(&large->link);
    weft_arena_release(system->arena, large, large_bytes(content_bytes(message)));
}

void weft_message_send_home(struct weft_actor_system *system, struct weft_message *block)
{
    // A chain per home goes back once a turn: one ring slot, however many blocks.
    const uint16_t home = core_of(block);
    block->link[0] = (struct weft_list *)(void *)system->home[home];
    system->home[home] = block;
    system->home_mask |= UINT64_C(1) << home;
}

void weft_message_release_block(struct weft_actor_system *system, struct weft_message *message)
{
    if (likely(core_of(message) == system->index)) {
        free_block(system, message);
        return;
    }
    if (message->tag < TAG_HOME_ACTOR) message->tag = WEFT_MESSAGE_USER;
    weft_message_send_home(system, message);
}

// A payload that is an object goes with its message.
static void destroy_object(struct weft_actor_system *system, struct weft_message *message)
{
    const struct weft_type *type;
    void *object = weft_message_object(message, &type);
    message->home &= (uint8_t)~HOME_OBJECT;
    weft_object_destroy(system, type, object);
}

void weft_message_release(struct weft_actor_system *system, struct weft_message *message)
{
    if (unlikely(message->home & HOME_OBJECT)) {
        if (system->is_stuck) { // What destroys it is an actor's own code: not in a handler.
            weft_list_append(&system->undestroyed, weft_message_link(message));
            return;
        }
        destroy_object(system, message);
    }
    if (unlikely(message->tag == WEFT_MESSAGE_CALL)) {
        weft_call_fail(system, message, -ECANCELED); // Nobody else will answer it.
        return;
    }
    if (unlikely(message->tag == WEFT_MESSAGE_TIMER && (message->home & HOME_BEHIND) != 0)) {
        weft_timer_send_back(system, message); // The timer's, which ticks again.
        return;
    }
    if (unlikely(message->tag == WEFT_MESSAGE_PORT && message->reference != 0))
        weft_receipt_send(system, message); // Nobody will receive it.
    weft_message_release_block(system, message);
}

// One block has come home: a message, or what only looks like one.
static void welcome(struct weft_actor_system *system, struct weft_message *block)
{
    switch (block->tag) {
    case TAG_HOME_ACTOR: weft_actor_bury(system, (struct weft_actor *)(void *)block); break;
    case TAG_HOME_RARE: weft_slab_release(&system->rare_slab, block); break;
    case TAG_HOME_STACK: weft_stack_came_home(system, block); break;
    default: free_block(system, block); break;
    }
}

void weft_outbox_on_memory(void *self, const struct weft_core_message *sent)
{
    struct weft_actor_system *system = self;
    struct weft_message *block = (struct weft_message *)(uintptr_t)sent->word[0];
    while (block != NULL) {
        struct weft_message *next = (struct weft_message *)(void *)block->link[0];
        weft_assert(core_of(block) == system->index);
        welcome(system, block);
        block = next;
    }
}
