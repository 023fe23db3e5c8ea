// Tells people of actors that crashed, or held their core.
#include "runtime/actor/fault.h"
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

uint32_t weft_control_tell_crashes(struct weft_control *control)
{
    struct weft_crash crash;
    uint32_t told = 0;
    for (uint16_t i = 0; i < control->node->options.worker_count; i++) {
        while (weft_crash_take(control->node->workers[i].actors.crashes, &crash)) {
            tell(control, &crash);
            told++;
        }
    }
    return told;
}
