// Tells people of actors that crashed, or held their core.
#include <string.h>

#include "runtime/actor/fault.h"
#include "runtime/actor/symbol.h"
#include "runtime/node/control_actor.h"

static void tell(struct weft_control *control, const struct weft_crash *crash)
{
    struct weft_log *log = &control->node->control.log;
    const bool is_stuck = crash->what == WEFT_CRASH_STUCK;
    const enum weft_log_level level = is_stuck ? WEFT_LOG_WARN : WEFT_LOG_ERROR;
    char line[WEFT_LOG_TEXT_BYTES];
    weft_crash_describe(crash, line, sizeof(line));
    weft_log_actor(log, level, "actor", crash->pid, crash->label, "%s", line);
    weft_control_event(control, is_stuck ? "actor.stuck" : "actor.crashed", crash->label, "%.150s",
                       line);
    for (uint32_t frame = 1; weft_crash_next_caller(crash, &frame, line, sizeof(line));)
        weft_log_actor(log, level, "actor", crash->pid, crash->label, "  %s", line);
}

static void note_holder(struct weft_control *control, const struct weft_crash *crash)
{
    const uint64_t now_ns = control->node->control.now_ns;
    const uint64_t held_ns = crash->stuck_ms * WEFT_NS_PER_MS;
    struct weft_core_watch *watch = &control->watches[crash->core];
    watch->holder.pid = crash->pid;
    watch->holder.since_ns = now_ns > held_ns ? now_ns - held_ns : 0;
    watch->holder.at = crash->frame_count > 0 ? crash->frames[0] : 0;
    memcpy(watch->holder.label, crash->label, sizeof(watch->holder.label));
}

int weft_control_refuse_held(const struct weft_control *control, weft_pid pid,
                             struct weft_error *error)
{
    const int core = weft_actor_core_of(&control->node->actors, pid);
    if (core < 0 || !weft_control_is_held(control, (uint16_t)core)) return 0;
    const struct weft_core_watch *watch = &control->watches[core];
    if (watch->holder.pid != pid) return 0;
    char where[192];
    weft_symbol_describe(watch->holder.at, false, where, sizeof(where));
    weft_error_set(error, 505, "%s (%#llx) has been running on core %d for %llu ms, in %s",
                   watch->holder.label, (unsigned long long)pid, core,
                   (unsigned long long)((control->node->control.now_ns - watch->holder.since_ns) /
                                        WEFT_NS_PER_MS),
                   where);
    weft_error_hint(error,
                    "it shows the rest when it gives its core back; `weft actor kill` ends it");
    return -1;
}

uint32_t weft_control_tell_crashes(struct weft_control *control)
{
    struct weft_crash crash;
    uint32_t told = 0;
    for (uint16_t i = 0; i < control->node->options.worker_count; i++) {
        while (weft_crash_take(control->node->workers[i].actors.crashes, &crash)) {
            tell(control, &crash);
            if (crash.what == WEFT_CRASH_STUCK) note_holder(control, &crash);
            told++;
        }
    }
    return told;
}
