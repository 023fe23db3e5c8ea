#include "runtime/mesh/pacer.h"

#include <errno.h>

#include "runtime/base/assert.h"
#include "runtime/base/units.h"

// The longest burst at the slowest rate is UINT32_MAX datagrams, one second apart.
_Static_assert(UINT32_MAX <= UINT64_MAX / WEFT_NS_PER_S, "slack_ns cannot overflow");

int weft_pacer_init(struct weft_pacer *pacer, uint32_t rate_hz, uint32_t burst)
{
    if (rate_hz == 0 || burst == 0) return -EINVAL;
    if (rate_hz > WEFT_NS_PER_S) return -ERANGE;

    const uint64_t interval_ns = (WEFT_NS_PER_S + rate_hz - 1) / rate_hz;
    *pacer = (struct weft_pacer){.interval_ns = interval_ns, .slack_ns = (burst - 1) * interval_ns};
    return 0;
}

uint64_t weft_pacer_ready_ns(const struct weft_pacer *pacer)
{
    weft_assert(pacer->interval_ns > 0); // Zero only if weft_pacer_init never ran.
    return pacer->due_ns > pacer->slack_ns ? pacer->due_ns - pacer->slack_ns : 0;
}

bool weft_pacer_admit(struct weft_pacer *pacer, uint64_t now_ns)
{
    if (now_ns < weft_pacer_ready_ns(pacer)) return false;

    // After a silence the schedule restarts at now: idle time buys one burst, never a backlog.
    const uint64_t turn_ns = pacer->due_ns > now_ns ? pacer->due_ns : now_ns;
    pacer->due_ns = turn_ns + pacer->interval_ns;
    return true;
}
