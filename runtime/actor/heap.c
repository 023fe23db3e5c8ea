// heap.c: memory that goes with an actor. Each block is one of its core's message blocks, so that
// it finds its way home from wherever the actor ends.
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

static bool has_room(const struct weft_actor *self, const struct weft_actor_rare *rare,
                     size_t bytes)
{
    return rare->memory_max == 0 || (uint64_t)self->memory + units_of(bytes) <= rare->memory_max;
}

void *weft_alloc(struct weft_actor *self, size_t bytes)
{
    struct weft_actor_system *system = enter(self);
    struct weft_message *block = NULL;
    struct weft_actor_rare *rare = bytes <= UINT32_MAX / 2 ? weft_actor_rare(self) : NULL;
    if (rare != NULL && has_room(self, rare, bytes))
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
