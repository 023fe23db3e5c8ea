// quiesce.h: when has every core let go of what it may have read? (Quiescent-state reclamation, as
// of read-copy-update: McKenney and Slingwine 1998.)
//
// Readers of shared structures write nothing and wait for nobody; so whoever takes a block out of
// one must not reuse it while another core may still look at it. No core keeps what it has read
// beyond the end of its turn. So a block is free when every core has ended a turn that began before
// it was taken out, or sleeps.
//
//   whoever retires a block            a core, each turn              a core that sleeps
//   1. takes it out                    1. reads the structure         1. asleep = 1 (release)
//   2. epoch += 1 (release)            2. at the end of the turn,     2. full fence; sleeps
//   3. full fence                         if the epoch has changed:   3. asleep = 0
//   4. looks, as often as it likes:       loads the epoch (acquire)   4. full fence
//      quiet_epoch >= epoch, or           and stores it as its        5. reads the structure
//      asleep, of each core (acquire)     quiet_epoch (release)
//
// Why that is enough. A quiet_epoch that has reached the epoch was stored after all reads of the
// turns before (release, and the acquire of 4): they are over. And its core has loaded the epoch
// that 2 has stored: what it reads in later turns comes after 1. So nothing has to be fenced in a
// turn, and a turn in which nobody retires anything pays one load. A core seen asleep has read
// nothing since it stored that (release, and the acquire of 4). When it wakes, of the two full
// fences one is first: if ours, then it reads what 1 has left; if its own, then we see it awake.
//
// Core: begin and is_over by any core; the turn's part by the core itself.
#ifndef WEFT_SCHED_QUIESCE_H
#define WEFT_SCHED_QUIESCE_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/sched/core.h"

// After blocks were taken out: the epoch to wait for.
uint64_t weft_quiesce_begin(struct weft_core_group *group);

// True if no core of `core_mask` can still look at what was taken out before weft_quiesce_begin
// answered `epoch`. Never waits.
bool weft_quiesce_is_over(const struct weft_core_group *group, uint64_t core_mask, uint64_t epoch);

// The core has ended a turn, and holds nothing. A step of the turn.
void weft_quiesce_note(struct weft_core *core);
static inline void weft_quiesce_turn(struct weft_core *core)
{
    // Relaxed: a hint; weft_quiesce_note loads it again.
    if (__builtin_expect(atomic_load_explicit(&core->group->epoch, memory_order_relaxed) !=
                             atomic_load_explicit(&core->quiet_epoch, memory_order_relaxed),
                         0))
        weft_quiesce_note(core);
}

#endif // WEFT_SCHED_QUIESCE_H
