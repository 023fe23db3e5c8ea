// rate.h: how often the stack may answer strangers, so that nobody can use it as an amplifier.
//
// The Generic Cell Rate Algorithm in its virtual scheduling form (ITU-T I.371, Annex A): one
// timestamp, no bucket to refill, no timer. Used by one core; embedded by value; time is an
// argument.
#ifndef WEFT_DATAPLANE_RATE_H
#define WEFT_DATAPLANE_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/assert.h"
#include "runtime/base/units.h"

struct weft_rate {
    uint64_t due_ns;      // When the next one is exactly on schedule.
    uint64_t interval_ns; // Between two at the sustained rate.
    uint64_t slack_ns;    // How far ahead of schedule a burst may run.
};

// Admits `rate_hz` a second, up to `burst` back to back. Both at least 1; rate_hz at most 1e9.
static inline void weft_rate_init(struct weft_rate *rate, uint32_t rate_hz, uint32_t burst)
{
    weft_assert(rate_hz > 0 && burst > 0);
    weft_assert(rate_hz <= WEFT_NS_PER_S);
    const uint64_t interval_ns = (WEFT_NS_PER_S + rate_hz - 1) / rate_hz;
    *rate = (struct weft_rate){.interval_ns = interval_ns, .slack_ns = (burst - 1) * interval_ns};
}

// True: do it now. False: too soon, and nothing has changed.
static inline bool weft_rate_admit(struct weft_rate *rate, uint64_t now_ns)
{
    const uint64_t ready_ns = rate->due_ns > rate->slack_ns ? rate->due_ns - rate->slack_ns : 0;
    if (now_ns < ready_ns) return false;
    rate->due_ns = (rate->due_ns > now_ns ? rate->due_ns : now_ns) + rate->interval_ns;
    return true;
}

#endif // WEFT_DATAPLANE_RATE_H
