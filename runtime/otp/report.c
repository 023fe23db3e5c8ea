#include "runtime/otp/report.h"

#include <stdio.h>

#include <weft/actor.h>

#define PER_SECOND_MAX 10
#define SECOND_NS      UINT64_C(1000000000)

static bool admit(struct weft_report *report, uint64_t now_ns)
{
    if (now_ns - report->since_ns >= SECOND_NS) {
        report->since_ns = now_ns;
        report->said = 0;
    }
    if (report->said >= PER_SECOND_MAX) {
        report->unsaid++;
        return false;
    }
    report->said++;
    return true;
}

void weft_report_end(struct weft_actor *self, struct weft_report *report, const char *child,
                     weft_pid pid, uint16_t reason, uint64_t restart_count)
{
    if (report->quiet || !admit(report, weft_now_ns(self))) return;
    char number[16] = "", more[48] = "";
    if (reason >= WEFT_EXIT_USER) snprintf(number, sizeof(number), " %u", reason);
    if (report->unsaid > 0)
        snprintf(more, sizeof(more), "; %u ends before it not shown", report->unsaid);
    report->unsaid = 0;
    weft_say(self, weft_exit_is_failure(reason) ? WEFT_LEVEL_WARN : WEFT_LEVEL_INFO,
             "child %s (%#llx) ended: %s%s, after %llu restarts%s", child, (unsigned long long)pid,
             weft_exit_name(reason), number, (unsigned long long)restart_count, more);
}
