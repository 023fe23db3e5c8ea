// owned.c: things that end with an actor, whatever they are: an edge that calls.
#include <errno.h>

#include "runtime/actor/internal.h"

struct owned { // Hidden behind the edge.
    weft_owned_end *end;
    void *object;
};
_Static_assert(sizeof(struct owned) <= 16, "in a block of 64");

static struct owned *owned_of(struct weft_message *edge)
{
    return (struct owned *)(void *)edge->payload;
}

int weft_actor_own(struct weft_actor *owner, weft_owned_end *end, void *object, uint64_t *reference)
{
    struct weft_actor_system *system = owner->system;
    struct weft_message *edge = weft_message_alloc_control(system);
    if (edge == NULL) return -ENOMEM;
    edge->tag = TAG_EDGE_OWNED;
    edge->reference = ++system->reference;
    *owned_of(edge) = (struct owned){.end = end, .object = object};
    weft_edge_add(owner, edge);
    *reference = edge->reference;
    return 0;
}

bool weft_actor_disown(struct weft_actor *owner, uint64_t reference)
{
    struct weft_message *edge = weft_edge_take(owner, TAG_EDGE_OWNED, reference);
    if (edge == NULL) return false;
    weft_message_release_block(owner->system, edge);
    return true;
}

void weft_owned_over(struct weft_actor *actor, struct weft_message *edge)
{
    const struct owned owned = *owned_of(edge);
    weft_message_release_block(actor->system, edge);
    owned.end(actor, owned.object);
}
