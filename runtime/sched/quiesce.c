#include "runtime/sched/quiesce.h"

#include "runtime/sched/fence.h"

uint64_t weft_quiesce_begin(struct weft_core_group *group)
{
    // Release: pairs with the acquire load in weft_quiesce_note.
    const uint64_t epoch = atomic_fetch_add_explicit(&group->epoch, 1, memory_order_release) + 1;
    weft_full_fence(); // Before the loads of `asleep`: pairs with the fence of who wakes (idle.c).
    return epoch;
}

void weft_quiesce_note(struct weft_core *core)
{
    const uint64_t epoch = atomic_load_explicit(&core->group->epoch, memory_order_acquire);
    // Release: pairs with the acquire load in weft_quiesce_is_over.
    atomic_store_explicit(&core->quiet_epoch, epoch, memory_order_release);
}

bool weft_quiesce_is_over(const struct weft_core_group *group, uint64_t core_mask, uint64_t epoch)
{
    for (; core_mask != 0; core_mask &= core_mask - 1) {
        const struct weft_core *core = group->cores[__builtin_ctzll(core_mask)];
        // Acquire: pairs with the release stores of weft_quiesce_note and of fall_asleep (idle.c).
        if (atomic_load_explicit(&core->quiet_epoch, memory_order_acquire) < epoch &&
            atomic_load_explicit(&core->asleep, memory_order_acquire) == 0)
            return false;
    }
    return true;
}
