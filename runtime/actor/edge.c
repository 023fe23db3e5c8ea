// edge.c: the links, monitors and timers of one actor: a table by key, made of the blocks that will
// one day be the messages about them. So an end allocates nothing.
//
// Up to eight stand in one chain; beyond that in buckets, chained through the blocks, so that even
// without memory for more buckets an edge can always be added.
//
// Neighbours have neighbouring buckets: references count up, and so do the slots of a crowd's pids.
// So an end tells them in the order in which they were made, and what lies side by side is read,
// and given back, side by side. In random order a hundred thousand took five times as long, and
// left the free blocks in such disorder that whatever came next was as slow.
#include <errno.h>
#include <string.h>

#include "runtime/actor/internal.h"

#define CHAIN_MAX 8
#define BITS_MIN  4

static uint64_t key_of(const struct weft_message *edge)
{
    return edge->tag == TAG_EDGE_LINK ? edge->to : edge->reference;
}

static struct weft_message *next_of(const struct weft_message *edge)
{
    return (struct weft_message *)(void *)edge->link[0];
}

static struct weft_message **chain_of(const struct weft_actor *actor, uint64_t key)
{
    struct weft_actor *owner = (struct weft_actor *)(uintptr_t)actor;
    if (likely(owner->edge_bits == 0)) return &owner->edges.chain;
    // Generations are added, not mixed in: of a crowd made together they are equal. Keys that are
    // a power of two apart differ in what is shifted down.
    uint32_t mixed = (uint32_t)key + (uint32_t)(key >> 32);
    mixed += mixed >> owner->edge_bits;
    return &owner->edges.buckets[mixed & ((1u << owner->edge_bits) - 1)];
}

static void push(struct weft_message **chain, struct weft_message *edge)
{
    edge->link[0] = weft_message_link(*chain);
    *chain = edge;
}

static struct weft_message *block_of(struct weft_message **buckets)
{
    return (struct weft_message *)(void *)((uint8_t *)buckets -
                                           offsetof(struct weft_message, payload));
}

// Twice as many buckets, if there is memory.
static void grow(struct weft_actor *actor)
{
    const uint8_t bits = actor->edge_bits == 0 ? BITS_MIN : actor->edge_bits + 1;
    const size_t bytes = sizeof(struct weft_message *) << bits;
    if (bytes > UINT32_MAX / 2) return;
    struct weft_message *block = weft_message_alloc_hidden(actor->system, (uint32_t)bytes);
    if (block == NULL) return;
    struct weft_message **old = actor->edge_bits == 0 ? NULL : actor->edges.buckets;
    struct weft_message *chain = actor->edge_bits == 0 ? actor->edges.chain : NULL;
    const size_t old_count = old != NULL ? (size_t)1 << actor->edge_bits : 0;
    memset(block->payload, 0, bytes);
    actor->edges.buckets = (struct weft_message **)(void *)block->payload;
    actor->edge_bits = bits;
    for (size_t i = 0;; i++) {
        while (chain != NULL) {
            struct weft_message *edge = chain;
            chain = next_of(edge);
            push(chain_of(actor, key_of(edge)), edge);
        }
        if (i == old_count) break;
        chain = old[i];
    }
    if (old != NULL) weft_message_release_block(actor->system, block_of(old));
}

void weft_edge_add(struct weft_actor *actor, struct weft_message *edge)
{
    if (actor->edge_count >= CHAIN_MAX &&
        (actor->edge_bits == 0 || actor->edge_count >= 1u << actor->edge_bits))
        grow(actor);
    push(chain_of(actor, key_of(edge)), edge);
    actor->edge_count++;
    if (edge->tag >= TAG_EDGE_THINGS) actor->task.flags |= WEFT_ACTOR_HOLDS;
}

struct weft_message *weft_edge_find(const struct weft_actor *actor, uint8_t tag, uint64_t key)
{
    for (struct weft_message *edge = *chain_of(actor, key); edge != NULL; edge = next_of(edge)) {
        if (edge->tag == tag && key_of(edge) == key) return edge;
    }
    return NULL;
}

struct weft_message *weft_edge_take(struct weft_actor *actor, uint8_t tag, uint64_t key)
{
    struct weft_message *before = NULL, **chain = chain_of(actor, key);
    for (struct weft_message *edge = *chain; edge != NULL; before = edge, edge = next_of(edge)) {
        if (edge->tag != tag || key_of(edge) != key) continue;
        if (before != NULL)
            before->link[0] = edge->link[0];
        else
            *chain = next_of(edge);
        actor->edge_count--;
        return edge;
    }
    return NULL;
}

struct weft_message *weft_edge_take_any(struct weft_actor *actor)
{
    if (actor->edge_count == 0) return NULL;
    struct weft_message **chain = &actor->edges.chain;
    if (actor->edge_bits != 0) {
        // The buckets are emptied from the first on; `edge_cursor` says where that is. Round again
        // if what has ended meanwhile has left another one behind.
        while (actor->edges.buckets[actor->edge_cursor] == NULL)
            actor->edge_cursor = (actor->edge_cursor + 1) & ((1u << actor->edge_bits) - 1);
        chain = &actor->edges.buckets[actor->edge_cursor];
    }
    struct weft_message *edge = *chain;
    *chain = next_of(edge);
    actor->edge_count--;
    return edge;
}

static struct weft_message *take_thing_of(struct weft_actor *actor, struct weft_message **chain,
                                          uint32_t *budget)
{
    for (struct weft_message *before = NULL, *edge = *chain; edge != NULL;
         before = edge, edge = next_of(edge)) {
        if (*budget > 0) --*budget;
        if (edge->tag < TAG_EDGE_THINGS) continue;
        if (before != NULL)
            before->link[0] = edge->link[0];
        else
            *chain = next_of(edge);
        actor->edge_count--;
        return edge;
    }
    return NULL;
}

struct weft_message *weft_edge_take_thing(struct weft_actor *actor, uint32_t *budget)
{
    uint32_t unlimited = UINT32_MAX; // Of one chain there is no place to go on from.
    if (actor->edge_bits == 0) return take_thing_of(actor, &actor->edges.chain, &unlimited);
    for (; *budget > 0 && actor->edge_cursor < 1u << actor->edge_bits; actor->edge_cursor++) {
        struct weft_message *edge =
            take_thing_of(actor, &actor->edges.buckets[actor->edge_cursor], budget);
        if (edge != NULL) return edge;
    }
    return NULL;
}

void weft_edge_each(struct weft_actor *actor,
                    void (*see)(struct weft_actor *actor, struct weft_message *edge,
                                void *argument),
                    void *argument)
{
    const size_t count = actor->edge_bits == 0 ? 1 : (size_t)1 << actor->edge_bits;
    for (size_t i = 0; i < count; i++) {
        struct weft_message *edge =
            actor->edge_bits == 0 ? actor->edges.chain : actor->edges.buckets[i];
        for (struct weft_message *next; edge != NULL; edge = next) {
            next = next_of(edge);
            see(actor, edge, argument);
        }
    }
}

void weft_edges_free(struct weft_actor *actor)
{
    weft_assert(actor->edge_count == 0);
    if (actor->edge_bits != 0)
        weft_message_release_block(actor->system, block_of(actor->edges.buckets));
    actor->edge_bits = 0;
    actor->edges.chain = NULL;
}
