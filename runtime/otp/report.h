// report.h: what a supervisor says of its children's ends: some lines a second, and in the next
// one how many were left out, so that a crash loop does not push everything else out of the log.
#ifndef WEFT_OTP_REPORT_H
#define WEFT_OTP_REPORT_H

#include <weft/types.h>

struct weft_report {
    uint64_t since_ns; // When the second began that is counted.
    uint32_t said;     // In it.
    uint32_t unsaid;   // Since the last line.
    bool quiet;        // Nothing is said at all.
};

// `child` has ended. `restart_count`: how often it has been started again before.
void weft_report_end(struct weft_actor *self, struct weft_report *report, const char *child,
                     weft_pid pid, uint16_t reason, uint64_t restart_count);

#endif // WEFT_OTP_REPORT_H
