#include "runtime/actor/actor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/actor/internal.h"
#include "runtime/base/assert.h"

#define ACTOR_BYTES    weft_round_up(sizeof(struct weft_actor), 64)
#define CHUNK_BYTES    (64 * 1024)
#define SLOT_MAX       (1u << 24)
#define CORE_SHIFT     24
#define CORE_REF_SHIFT 56

_Static_assert(sizeof(struct weft_actor) <= 256, "an idle actor costs four cache lines");
_Static_assert(WEFT_CORE_MAX <= 256, "a pid has 8 bits for the core");

static weft_pid make_pid(const struct weft_actor_system *system, uint32_t slot)
{
    return (weft_pid)system->generations[slot] << 32 | (weft_pid)system->core->index << CORE_SHIFT |
           slot;
}

static int alloc_tables(struct weft_actor_system *system, uint32_t capacity)
{
    struct weft_arena *arena = system->arena;
    system->slot_capacity = capacity;
    system->slots = weft_arena_alloc(arena, capacity * sizeof(*system->slots));
    system->generations = weft_arena_alloc(arena, capacity * sizeof(*system->generations));
    system->free_slots = weft_arena_alloc(arena, capacity * sizeof(*system->free_slots));
    return system->slots != NULL && system->generations != NULL && system->free_slots != NULL
               ? 0
               : -ENOMEM;
}

static void release_tables(struct weft_actor_system *system)
{
    const size_t capacity = system->slot_capacity;
    weft_arena_release(system->arena, system->slots, capacity * sizeof(*system->slots));
    weft_arena_release(system->arena, system->generations, capacity * sizeof(*system->generations));
    weft_arena_release(system->arena, system->free_slots, capacity * sizeof(*system->free_slots));
}

int weft_actor_system_init(struct weft_actor_system *system, struct weft_core *core,
                           struct weft_arena *arena, uint32_t capacity)
{
    weft_assert(capacity > 0 && capacity <= SLOT_MAX);
    memset(system, 0, sizeof(*system));
    system->core = core;
    system->arena = arena;
    system->reference = (uint64_t)core->index << CORE_REF_SHIFT;
    weft_list_init(&system->all);
    weft_slab_init(&system->actors, arena, (uint32_t)ACTOR_BYTES, CHUNK_BYTES);
    weft_message_init(system);

    int status = alloc_tables(system, capacity);
    if (status != 0) goto release;
    const struct weft_poller flusher = {
        .name = "actors", .flush = weft_message_flush, .self = system};
    status = weft_core_add_poller(core, &flusher);
    if (status != 0) goto release;
    weft_core_on(core, WEFT_CORE_MESSAGE_ACTOR, weft_message_on_actor, system);
    weft_core_on(core, WEFT_CORE_MESSAGE_MEMORY, weft_message_on_memory, system);
    return 0;

release:
    release_tables(system);
    return status;
}

void weft_actor_system_destroy(struct weft_actor_system *system)
{
    for (struct weft_list *link; (link = weft_list_pop(&system->all)) != NULL;) {
        struct weft_actor *actor = WEFT_CONTAINER_OF(link, struct weft_actor, all_link);
        // The messages themselves may lie in slabs that are gone: they are counted, not touched.
        weft_drop_add(&system->core->drops, WEFT_DROP_MAILBOX_NO_ACTOR, actor->mailbox_count);
        if (actor->task.queued) weft_list_remove(&actor->task.link);
        if (actor->kind->destroy != NULL) actor->kind->destroy(actor);
    }
    weft_counter_set(&system->stats.actor_count, 0);
    weft_message_destroy(system);
    weft_slab_destroy(&system->actors);
    release_tables(system);
}

// Gives the slot back, one generation on: no pid names the next actor there and this one. A slot
// whose generations are spent is never used again.
static void release_slot(struct weft_actor_system *system, uint32_t slot)
{
    system->slots[slot] = NULL;
    if (system->generations[slot] == UINT32_MAX) return;
    system->generations[slot]++;
    system->free_slots[system->free_slot_count++] = slot;
}

static bool take_slot(struct weft_actor_system *system, uint32_t *slot)
{
    if (system->free_slot_count > 0) {
        *slot = system->free_slots[--system->free_slot_count];
        return true;
    }
    if (system->slot_count == system->slot_capacity) return false;
    *slot = system->slot_count++;
    system->slots[*slot] = NULL;
    system->generations[*slot] = 1; // So that no pid is 0.
    return true;
}

static void empty_mailbox(struct weft_actor *actor)
{
    struct weft_actor_system *system = actor->system;
    weft_drop_add(&system->core->drops, WEFT_DROP_MAILBOX_NO_ACTOR, actor->mailbox_count);
    actor->mailbox_count = 0;
    for (struct weft_list *link; (link = weft_list_pop(&actor->mailbox)) != NULL;)
        weft_message_release(system, WEFT_CONTAINER_OF(link, struct weft_message, link));
}

static void end(struct weft_actor *actor)
{
    struct weft_actor_system *system = actor->system;
    release_slot(system, weft_pid_slot(actor->pid)); // First: from here nothing reaches it.
    weft_list_remove(&actor->all_link);
    weft_monitor_end(actor);
    empty_mailbox(actor);
    if (actor->kind->destroy != NULL) actor->kind->destroy(actor);
    if (actor->task.queued) weft_list_remove(&actor->task.link); // It has woken itself.
    weft_slab_release(&system->actors, actor);
    weft_counter_add(&system->stats.exit_count, 1);
    weft_counter_set(&system->stats.actor_count, weft_counter_get(&system->stats.actor_count) - 1);
}

// The slice of a callback actor: message by message, until there is none or the slice is spent.
static enum weft_actor_verdict handle_mailbox(struct weft_actor *actor, uint32_t *reductions)
{
    while (*reductions >= WEFT_MESSAGE_REDUCTIONS) {
        struct weft_message *message = weft_actor_receive(actor);
        if (message == NULL) return WEFT_ACTOR_WAIT;
        *reductions -= WEFT_MESSAGE_REDUCTIONS;
        const bool goes_on = actor->kind->handle(actor, message);
        weft_message_release(actor->system, message);
        if (!goes_on || actor->ending) return WEFT_ACTOR_EXIT;
    }
    return weft_list_empty(&actor->mailbox) ? WEFT_ACTOR_WAIT : WEFT_ACTOR_AGAIN;
}

static bool run_slice(struct weft_core *core, struct weft_task *task)
{
    struct weft_actor *actor = WEFT_CONTAINER_OF(task, struct weft_actor, task);
    enum weft_actor_verdict verdict = WEFT_ACTOR_EXIT;
    if (!actor->ending) {
        const uint32_t before = (uint32_t)core->run.left;
        uint32_t left = before;
        verdict = actor->kind->run != NULL ? actor->kind->run(actor, &left)
                                           : handle_mailbox(actor, &left);
        weft_assert(left <= before);
        core->run.left = (int32_t)left;
        actor->reduction_count += before - left;
    }
    if (verdict != WEFT_ACTOR_EXIT && !actor->ending) return verdict == WEFT_ACTOR_AGAIN;
    end(actor);
    return false;
}

int weft_actor_spawn(struct weft_actor_system *system, const struct weft_spawn *spawn,
                     weft_pid *pid)
{
    uint32_t slot;
    struct weft_actor *actor = weft_slab_alloc(&system->actors);
    if (actor == NULL) return -ENOMEM;
    if (!take_slot(system, &slot)) {
        weft_slab_release(&system->actors, actor);
        return -ENOSPC;
    }
    *actor = (struct weft_actor){
        .system = system,
        .kind = spawn->kind,
        .state = spawn->state,
        .pid = make_pid(system, slot),
        .mailbox_limit = spawn->mailbox_limit != 0 ? spawn->mailbox_limit : WEFT_MAILBOX_LIMIT,
        .exit_reason = WEFT_EXIT_NORMAL,
    };
    weft_task_init(&actor->task, run_slice, (enum weft_priority)spawn->priority);
    weft_list_init(&actor->mailbox);
    weft_list_init(&actor->monitors);
    weft_list_init(&actor->watches);
    if (spawn->name != NULL) snprintf(actor->name, sizeof(actor->name), "%s", spawn->name);
    system->slots[slot] = actor;
    weft_list_append(&system->all, &actor->all_link);
    weft_counter_add(&system->stats.spawn_count, 1);
    weft_counter_add(&system->stats.actor_count, 1);
    if (spawn->start_ready) weft_core_ready(system->core, &actor->task);
    *pid = actor->pid;
    return 0;
}

void weft_actor_wake(struct weft_actor *actor)
{
    weft_core_ready(actor->system->core, &actor->task);
}

void weft_actor_end_soon(struct weft_actor *actor, enum weft_exit reason)
{
    if (actor->ending) return;
    actor->ending = true;
    actor->exit_reason = (uint8_t)reason;
    weft_core_ready(actor->system->core, &actor->task);
}

int weft_actor_kill(struct weft_actor_system *system, weft_pid pid, enum weft_exit reason)
{
    const uint16_t to = weft_pid_core(pid);
    if (to == system->core->index) {
        struct weft_actor *actor = weft_actor_find(system, pid);
        if (actor == NULL) return -ESRCH;
        weft_actor_end_soon(actor, reason);
        return 0;
    }
    if (!weft_message_reaches(system, to)) return -ESRCH;
    const struct weft_core_message sent = {.kind = WEFT_CORE_MESSAGE_ACTOR,
                                           .word = {pid, 0, (uint64_t)reason}};
    if (system->control_mask >> to & 1) return -ENOBUFS; // It would overtake what waits.
    return weft_core_send_try(system->core, to, &sent) ? 0 : -ENOBUFS;
}
