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

// On its way `from` of the block is `lost`: a signal has no sender that anybody asks for.
void weft_actor_own_send(struct weft_actor_system *system, struct weft_message *edge, weft_pid pid,
                         weft_owned_end *end, weft_owned_lost *lost, void *object)
{
    edge->tag = TAG_OWN;
    edge->to = pid;
    edge->from = (uintptr_t)lost;
    *owned_of(edge) = (struct owned){.end = end, .object = object};
    weft_signal(system, edge);
}

void weft_own_arrived(struct weft_actor_system *system, struct weft_actor *actor,
                      struct weft_message *edge)
{
    if (actor != NULL && (actor->task.flags & WEFT_ACTOR_ZOMBIE) == 0) {
        edge->tag = TAG_EDGE_OWNED;
        weft_edge_add(actor, edge);
        return;
    }
    weft_owned_lost *lost = (weft_owned_lost *)(uintptr_t)edge->from;
    const struct owned owned = *owned_of(edge);
    const weft_pid pid = edge->to;
    weft_message_release_block(system, edge);
    lost(system, pid, owned.object);
}

void weft_owned_over(struct weft_actor *actor, struct weft_message *edge)
{
    const struct owned owned = *owned_of(edge);
    weft_message_release_block(actor->system, edge);
    owned.end(actor, owned.object);
}
