#include "runtime/actor/relief.h"

#include "runtime/actor/internal.h"

#define MANY UINT32_MAX // More turns than any core that gets on is behind.

void weft_relieve(struct weft_actor_system *system)
{
    struct weft_core *core = system->core;
    struct weft_task *held = &system->running->task;
    const int32_t left = core->run.left;
    const bool was_queued = held->queued;
    const uint16_t was_moving = held->flags & WEFT_ACTOR_MOVING;
    system->is_stuck = true;
    weft_arena_forbid(system->arena, true); // The interrupted code may be in the middle of malloc.
    held->queued = true;                    // Messages for it wait, and nobody takes it away.
    held->flags |= WEFT_ACTOR_MOVING;
    weft_core_take_kinds(core, 1u << WEFT_CORE_MESSAGE_ACTOR | 1u << WEFT_CORE_MESSAGE_MEMORY);
    weft_outbox_flush(system);
    if (weft_core_has_task(core)) {
        weft_counter_set(&system->stats.backlog_turns, MANY);
        weft_balance_call(system);
    }
    weft_core_wake_given(core);
    if (was_moving == 0) held->flags &= (uint16_t)~WEFT_ACTOR_MOVING;
    held->queued = was_queued;
    weft_arena_forbid(system->arena, false);
    core->run.left = left;
    system->is_stuck = false;
}
