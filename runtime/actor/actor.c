// actor.c: the birth of an actor.
#include <errno.h>
#include <string.h>

#include "runtime/actor/fast.h"
#include "runtime/actor/internal.h"

static bool (*slice_of(const struct weft_actor_kind *kind))(struct weft_core *, struct weft_task *)
{
    if (kind->handle != NULL) return weft_slice_callback;
    return kind->main != NULL ? weft_slice_main : weft_slice_kind;
}

static const struct weft_actor fresh; // What every field that spawn does not set begins as.

int weft_actor_spawn(struct weft_actor_system *system, const struct weft_spawn *spawn,
                     weft_pid parent, weft_pid *made)
{
    const struct weft_actor_kind *kind = spawn->kind;
    struct weft_actor *actor;
    void *state = (void *)(uintptr_t)spawn->state;
    struct weft_label *label = NULL;
    weft_pid pid;
    const uint32_t memory = (uint32_t)((kind->state_bytes + 63) / 64);
    if (spawn->priority >= WEFT_PRIORITY_COUNT || spawn->overflow > WEFT_OVERFLOW_EXIT ||
        spawn->memory_max > UINT64_C(64) * UINT32_MAX)
        return -EINVAL;
    if (spawn->memory_max != 0 && kind->state_bytes > spawn->memory_max) return -ENOMEM;
    if (kind->main != NULL && !weft_stack_promise(system)) return -ENOSPC;
    int result = weft_slot_take(system, &actor, &pid);
    if (unlikely(result != 0)) goto break_promise;
    result = -ENOMEM;
    if (kind->state_bytes > 0) {
        state = weft_arena_alloc(system->arena, kind->state_bytes);
        if (unlikely(state == NULL)) goto release_slot;
        if (spawn->state != NULL)
            memcpy(state, spawn->state, kind->state_bytes);
        else
            memset(state, 0, kind->state_bytes);
    }
    if (spawn->label != NULL) {
        label = weft_slab_alloc(&system->label_slab);
        if (unlikely(label == NULL)) goto release_state;
        const size_t length = strnlen(spawn->label, sizeof(label->text) - 1);
        memcpy(label->text, spawn->label, length);
        label->text[length] = '\0';
    }
    *actor = fresh;
    weft_task_init(&actor->task, slice_of(kind), (enum weft_priority)spawn->priority);
    actor->task.flags = (uint16_t)((spawn->pinned ? WEFT_ACTOR_PINNED : 0) | spawn->overflow << 14);
    actor->pid = pid;
    weft_list_init(&actor->mailbox);
    actor->mailbox_max = spawn->mailbox_max != 0 ? spawn->mailbox_max : WEFT_MAILBOX_MAX;
    actor->system = system;
    actor->kind = kind;
    actor->state = state;
    actor->awaited = WEFT_REFERENCE_NONE;
    actor->label = label;
    actor->parent = parent;
    actor->memory = memory;
    if (unlikely(spawn->memory_max != 0)) {
        if (weft_actor_rare(actor) == NULL) goto release_label;
        const uint64_t units = spawn->memory_max / 64;
        actor->rare->memory_max = units > 0 ? (uint32_t)units : 1; // 0 would be none.
    }
    weft_slot_set_core(system, pid, system->index + 1u);
    weft_counter_add(&system->stats.spawn_count, 1);
    weft_trace(system, WEFT_TRACE_SPAWN, pid, parent);
    WEFT_PROBE2(spawn, pid, parent);
    if (kind->main != NULL) weft_core_ready(system->core, &actor->task);
    *made = pid;
    return 0;

release_label:
    if (label != NULL) weft_slab_release(&system->label_slab, label);
release_state:
    if (kind->state_bytes > 0) weft_arena_release(system->arena, state, kind->state_bytes);
release_slot:
    actor->pid = pid;
    weft_slot_release(system, actor);
break_promise:
    if (kind->main != NULL) weft_stack_unpromise(system);
    return result;
}
