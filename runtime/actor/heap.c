// heap.c: memory that an actor holds, and its cap.
//
// Each block of weft_alloc is one of its core's message blocks, so that it finds its way home from
// wherever the actor ends. Messages are counted where that costs those without a cap nothing: a
// small one, which most are, never while it is in a mailbox.
#include <errno.h>

#include <weft/actor.h>

#include "runtime/actor/internal.h"

static struct weft_message *block_of(void *memory)
{
    return (struct weft_message *)(void *)((uint8_t *)memory -
                                           offsetof(struct weft_message, payload));
}

static uint32_t units_of(size_t bytes)
{
    return (uint32_t)((bytes + sizeof(struct weft_message) + 63) / 64);
}

// Of a message in hand. A small one costs nothing, as in the mailbox.
static uint32_t in_hand(const struct weft_message *message)
{
    return message != NULL && is_large(message) ? units_of(message->length) : 0;
}

static uint64_t held_units(const struct weft_actor *actor)
{
    return (uint64_t)actor->memory + in_hand(actor->current) + in_hand(actor->answer);
}

static bool has_room(const struct weft_actor *actor, uint32_t units)
{
    const struct weft_actor_rare *rare = weft_actor_rare_of(actor);
    return rare == NULL || rare->memory_max == 0 ||
           held_units(actor) + units <= (uint64_t)rare->memory_max;
}

bool weft_memory_has_room(const struct weft_actor *actor, const struct weft_message *message)
{
    const bool is_held = message == actor->current || message == actor->answer;
    return has_room(actor, units_of(message->length) - (is_held ? in_hand(message) : 0));
}

void weft_memory_add(struct weft_actor *actor, const struct weft_message *message)
{
    actor->memory += units_of(message->length);
}

void weft_memory_remove(struct weft_actor *actor, const struct weft_message *message)
{
    weft_assert(actor->memory >= units_of(message->length));
    actor->memory -= units_of(message->length);
}

uint64_t weft_memory_bytes(const struct weft_actor *actor)
{
    return held_units(actor) * 64;
}

void weft_actor_count_memory(struct weft_actor *actor, uint32_t *counted, size_t bytes)
{
    const uint32_t units = (uint32_t)((bytes + 63) / 64);
    actor->memory += units - *counted;
    *counted = units;
}

void *weft_alloc(struct weft_actor *self, size_t bytes)
{
    struct weft_actor_system *system = enter(self);
    struct weft_message *block = NULL;
    struct weft_actor_rare *rare = bytes <= UINT32_MAX / 2 ? weft_actor_rare(self) : NULL;
    if (rare != NULL && has_room(self, units_of(bytes)))
        block = weft_message_alloc_hidden(system, (uint32_t)bytes);
    if (block != NULL) {
        self->memory += units_of(bytes);
        weft_list_append(&rare->blocks, weft_message_link(block));
    }
    leave(self);
    return block != NULL ? block->payload : NULL;
}

void weft_free(struct weft_actor *self, void *memory)
{
    if (memory == NULL) return;
    struct weft_actor_system *system = enter(self);
    struct weft_message *block = block_of(memory);
    self->memory -= units_of(block->length);
    weft_list_remove(weft_message_link(block));
    weft_message_release_block(system, block);
    leave(self);
}

void weft_blocks_free(struct weft_actor *actor)
{
    struct weft_actor_rare *rare = actor->rare;
    for (struct weft_list *link; (link = weft_list_pop(&rare->blocks)) != NULL;)
        weft_message_release_block(actor->system, weft_message_of(link));
}
