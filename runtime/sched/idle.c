// idle.c: what a core does with nothing to do: pause, yield, sleep; and how its sleep is ended.
#include <errno.h>
#include <sched.h>

#include "runtime/sched/core.h"
#include "runtime/sched/fence.h"

static inline void pause_cpu(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield" ::: "memory");
#endif
}

// True if another core, a foreign thread or a task has left work, or the core is to stop.
static bool work_waits(const struct weft_core *core)
{
    // Pairs with the release store in weft_core_thread_stop.
    if (atomic_load_explicit(&core->stop, memory_order_acquire)) return true;
    if (weft_core_has_task(core) || weft_mpsc_ring_ready(&core->posts)) return true;
    // Relaxed: a sleep is preceded by a fence, and who takes them acquires.
    if (atomic_load_explicit(&core->errands, memory_order_relaxed) != NULL) return true;
    for (uint16_t from = 0; from < core->group->core_count; from++) {
        struct weft_spsc_ring *ring = core->group->rings[from][core->index];
        if (ring != NULL && weft_spsc_ring_ready(ring)) return true;
    }
    return false;
}

uint64_t weft_core_due_ns(const struct weft_core *core)
{
    if (work_waits(core)) return core->now_ns;
    uint64_t due_ns = weft_wheel_next_ns(&core->wheel);
    for (uint32_t i = 0; i < core->poller_count; i++) {
        if (core->pollers[i].due_ns == NULL) continue;
        const uint64_t poller_ns = core->pollers[i].due_ns(core->pollers[i].self);
        if (poller_ns < due_ns) due_ns = poller_ns;
    }
    return due_ns;
}

int weft_core_watch_doorbells(struct weft_core *core)
{
    if (core->sleeper.watch == NULL) return 0;
    for (uint32_t i = 0; i < core->poller_count; i++) {
        const struct weft_poller *poller = &core->pollers[i];
        const int fd = poller->doorbell_fd != NULL ? poller->doorbell_fd(poller->self) : -1;
        if (fd < 0) continue;
        const int status = core->sleeper.watch(core->sleeper.self, fd);
        if (status < 0 && status != -EEXIST) return status;
    }
    return 0;
}

void weft_core_wake(struct weft_core *core)
{
    weft_full_fence(); // Between the work stored and `asleep`: pairs with the fence in fall_asleep.
    if (!atomic_load_explicit(&core->asleep, memory_order_relaxed)) return;
    // One bell is enough: who takes the flag rings it. The bell itself orders nothing; the work
    // does.
    if (atomic_exchange_explicit(&core->asleep, 0, memory_order_relaxed) != 0)
        core->sleeper.wake(core->sleeper.self);
}

static void wake_up(struct weft_core *core)
{
    atomic_store_explicit(&core->asleep, 0, memory_order_relaxed);
    // Between `asleep` and what is read from now on: pairs with the fence in weft_quiesce_begin.
    weft_full_fence();
}

// Sleeps at most `timeout_ns`, unless work has come meanwhile.
static void fall_asleep(struct weft_core *core, uint64_t now_ns, uint64_t timeout_ns)
{
    // Release: what was read before is over (quiesce.h).
    atomic_store_explicit(&core->asleep, 1, memory_order_release);
    weft_full_fence(); // Between `asleep` and the work looked for: pairs with the fences of the
                       // wakers.
    if (work_waits(core)) {
        wake_up(core);
        return;
    }
    core->sleeper.sleep(core->sleeper.self, timeout_ns);
    wake_up(core);
    for (uint32_t i = 0; i < core->poller_count; i++) {
        if (core->pollers[i].doorbell_clear != NULL)
            core->pollers[i].doorbell_clear(core->pollers[i].self);
    }
    weft_counter_add(&core->stats.sleep_count, 1);
    if (weft_clock_now_ns(core->clock) - now_ns < timeout_ns)
        weft_counter_add(&core->stats.wake_count, 1);
}

// Where a ring of ours is full, its reader will not wake us when it has made room: look again soon.
static uint64_t sleep_limit_ns(const struct weft_core *core)
{
    return core->overflow_mask != 0 ? WEFT_IDLE_SLEEP_NS_MIN : core->idle_sleep_ns;
}

void weft_core_idle(struct weft_core *core)
{
    core->idle_turns++;
    if (core->idle_turns <= core->idle_polls) {
        pause_cpu();
        return;
    }
    if (core->idle_turns - core->idle_polls <= core->idle_yields || core->sleeper.sleep == NULL) {
        sched_yield();
        return;
    }
    const uint64_t now_ns = weft_clock_now_ns(core->clock); // The turn's time may be long past.
    const uint64_t due_ns = weft_core_due_ns(core);
    if (due_ns <= now_ns) return;
    uint64_t timeout_ns = sleep_limit_ns(core);
    if (due_ns - now_ns < timeout_ns) timeout_ns = due_ns - now_ns;
    fall_asleep(core, now_ns, timeout_ns);
    core->idle_sleep_ns += core->idle_sleep_ns / 2;
    if (core->idle_sleep_ns > core->idle_sleep_max_ns)
        core->idle_sleep_ns = core->idle_sleep_max_ns;
}
