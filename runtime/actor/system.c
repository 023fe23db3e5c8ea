// system.c: what one core's actors stand on, put together and taken down.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/actor/fault.h"
#include "runtime/actor/internal.h"

#define CHUNK_BYTES    (16 * 1024)
#define CORE_REF_SHIFT 56
#define BOOT_REF_SHIFT 25 // References of one start of the node before those of another.

_Static_assert(WEFT_CORE_MAX <= 64, "HOME_CORE and core_mask have a bit or 6 bits for each");

int weft_actor_node_init(struct weft_actor_node *node, const char *name, uint32_t name_count_max)
{
    memset(node, 0, sizeof(*node));
    node->name = name;
    node->nobody = calloc(1, sizeof(*node->nobody));
    if (node->nobody == NULL) return -ENOMEM;
    for (size_t i = 0; i < WEFT_COUNT_OF(node->systems); i++)
        node->systems[i] = node->nobody;
    const int result = weft_registry_init(node, name_count_max);
    if (result != 0) weft_actor_node_destroy(node);
    return result;
}

void weft_actor_node_destroy(struct weft_actor_node *node)
{
    weft_registry_destroy(node);
    free(node->nobody);
    node->nobody = NULL;
}

// What a full ring has refused is tried again in the next turn.
static uint64_t due_ns(void *self)
{
    const struct weft_actor_system *system = self;
    return (system->out_mask | system->home_mask) != 0 ? system->core->now_ns
                                                       : weft_evict_due_ns(self);
}

static int add_poller(struct weft_actor_system *system)
{
    const struct weft_poller poller = {
        .name = "actors", .flush = weft_outbox_turn_end, .due_ns = due_ns, .self = system};
    return weft_core_add_poller(system->core, &poller);
}

int weft_actor_system_init(struct weft_actor_system *system,
                           const struct weft_actor_options *options)
{
    memset(system, 0, sizeof(*system));
    system->core = options->core;
    system->arena = options->arena;
    system->node = options->node;
    system->index = options->core->index;
    system->reference = (uint64_t)system->index << CORE_REF_SHIFT |
                        (uint64_t)options->node->first_generation << BOOT_REF_SHIFT;
    weft_list_init(&system->dams);
    weft_list_init(&system->held);
    weft_list_init(&system->moves);
    weft_list_init(&system->undestroyed);
    weft_message_init(system);
    weft_slab_init(&system->rare_slab, system->arena, sizeof(struct weft_actor_rare), CHUNK_BYTES);
    weft_slab_init(&system->label_slab, system->arena, sizeof(struct weft_label), CHUNK_BYTES);
    int result = weft_slots_init(system, options->actor_count_max);
    if (result != 0) goto fail;
    result = weft_groups_init(system);
    if (result != 0) goto fail;
    if (options->stack_count_max > 0) {
        system->stacks = weft_stacks_create(options->stack_count_max, options->guard);
        result = -errno;
        if (system->stacks == NULL) goto fail;
        system->core->stacks = system->stacks;
    }
    system->crashes = aligned_alloc(WEFT_CORE_ALIGN, sizeof(*system->crashes));
    result = -ENOMEM;
    if (system->crashes == NULL) goto fail;
    memset(system->crashes, 0, sizeof(*system->crashes));
    if (options->traces) {
        system->tracer = weft_tracer_create();
        result = -ENOMEM;
        if (system->tracer == NULL) goto fail;
    }
    result = add_poller(system);
    if (result != 0) goto fail;
    weft_core_on(system->core, WEFT_CORE_MESSAGE_ACTOR, weft_outbox_on_actor, system);
    weft_core_on(system->core, WEFT_CORE_MESSAGE_MEMORY, weft_outbox_on_memory, system);
    system->node->systems[system->index] = system;
    system->node->core_mask |= UINT64_C(1) << system->index;
    return 0;

fail:
    weft_actor_system_destroy(system);
    return result;
}

void weft_actor_each(struct weft_actor_system *system,
                     void (*see)(struct weft_actor *actor, void *argument), void *argument)
{
    for (uint64_t mask = system->node->core_mask; mask != 0; mask &= mask - 1) {
        const struct weft_actor_system *home = system->node->systems[__builtin_ctzll(mask)];
        for (uint32_t slot = 0; slot < home->slot_capacity; slot++) {
            if (slot % WEFT_CHUNK_SLOTS == 0 && home->chunks[slot / WEFT_CHUNK_SLOTS] == NULL) {
                slot += WEFT_CHUNK_SLOTS - 1;
                continue;
            }
            if (atomic_load_explicit(&home->location[slot], memory_order_relaxed) !=
                system->index + 1u)
                continue;
            struct weft_actor *actor =
                &home->chunks[slot / WEFT_CHUNK_SLOTS][slot % WEFT_CHUNK_SLOTS];
            if (weft_actor_system_of(actor) == system) see(actor, argument);
        }
    }
}

// Every actor whose block is of this core, wherever it is.
static void each_born_here(struct weft_actor_system *system,
                           void (*see)(struct weft_actor_system *system, struct weft_actor *actor))
{
    for (uint32_t i = 0; i < system->chunk_count; i++) {
        for (uint32_t n = 0; system->chunks[i] != NULL && n < WEFT_CHUNK_SLOTS; n++) {
            const uint32_t slot = i * WEFT_CHUNK_SLOTS + n;
            if (slot >= system->slot_capacity) break;
            struct weft_actor *actor = &system->chunks[i][n];
            if (actor->pid != 0) see(system, actor);
        }
    }
}

// ---- Objects in messages that nobody will receive. Blobs lie in the arenas and go with them.

static void destroy_object(struct weft_message *message)
{
    const struct weft_type *type;
    if (message == NULL || weft_message_object(message, &type) == NULL) return;
    void *object = weft_message_take_object(message);
    if (type != &weft_blob_type && type->destroy != NULL) type->destroy(object);
}

static void destroy_list(const struct weft_list *list)
{
    WEFT_LIST_FOR_EACH (link, list)
        destroy_object(weft_message_of(link));
}

static void destroy_chain(struct weft_message *message)
{
    for (; message != NULL; message = (struct weft_message *)(void *)message->link[0])
        destroy_object(message);
}

static void destroy_held(struct weft_actor_system *system, struct weft_actor *actor)
{
    (void)system;
    if (weft_actor_system_of(actor) == NULL) return; // A corpse on its way home.
    destroy_object(actor->current);
    destroy_object(actor->answer);
    destroy_list(&actor->mailbox);
    if (actor->rare != NULL) destroy_list(&actor->rare->kept);
}

static void destroy_objects(struct weft_actor_system *system)
{
    struct weft_core_group *group = system->core->group;
    struct weft_core_message chain;
    each_born_here(system, destroy_held);
    destroy_list(&system->held);
    destroy_list(&system->undestroyed);
    for (uint16_t to = 0; to < group->core_count; to++) {
        struct weft_spsc_ring *ring = group->rings[system->index][to];
        if (system->out[to].last != NULL) system->out[to].last->link[0] = NULL;
        destroy_chain(system->out[to].first);
        while (ring != NULL && weft_spsc_ring_pop(ring, &chain)) {
            if (chain.kind == WEFT_CORE_MESSAGE_ACTOR)
                destroy_chain((struct weft_message *)(uintptr_t)chain.word[0]);
        }
    }
}

// While all memory of the node is there still: a message may be any core's.
static void end_node(struct weft_actor_node *node)
{
    if (node->is_ending) return;
    node->is_ending = true;
    for (uint64_t mask = node->core_mask; mask != 0; mask &= mask - 1)
        destroy_objects(node->systems[__builtin_ctzll(mask)]);
}

// An actor that nobody is told of: what its kind holds goes, and what lies outside the slabs.
static void destroy_actor(struct weft_actor_system *system, struct weft_actor *actor)
{
    weft_drop_add(&system->core->drops, WEFT_DROP_MAILBOX_NO_ACTOR, actor->mailbox_count);
    if (actor->stack != NULL) {
        weft_fiber_shadow_drop(&actor->fiber);
        weft_stacks_forget(actor->stack); // Others may be made where it lies.
        weft_actor_drop_evicted(actor);
    }
    if (actor->kind->terminate != NULL && actor->kind->slice != NULL) // The node's own.
        actor->kind->terminate(actor, actor->state, WEFT_EXIT_SHUTDOWN);
    if (actor->kind->state_bytes > 0)
        weft_arena_release(system->arena, actor->state, actor->kind->state_bytes);
}

void weft_actor_system_destroy(struct weft_actor_system *system)
{
    end_node(system->node);
    if (system->chunks != NULL) each_born_here(system, destroy_actor);
    if (system->stacks != NULL) {
        weft_core_drop_stacks(system->core);
        system->core->stacks = NULL;
        weft_stacks_free(system->stacks);
    }
    free(system->tracer);
    free(system->crashes);
    if (system->groups != NULL) weft_groups_destroy(system);
    weft_message_destroy(system);
    weft_slab_destroy(&system->rare_slab);
    weft_slab_destroy(&system->label_slab);
    if (system->slot_capacity != 0) weft_slots_destroy(system);
    system->node->systems[system->index] = system->node->nobody;
    system->node->core_mask &= ~(UINT64_C(1) << system->index);
}
