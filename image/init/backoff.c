#include "image/init/backoff.h"

#include "runtime/base/units.h"

#define WAIT_MIN_NS (500 * WEFT_NS_PER_MS)
#define WAIT_MAX_NS (60 * WEFT_NS_PER_S)
#define PROVEN_NS   (60 * WEFT_NS_PER_S)

uint64_t weft_backoff_next(struct weft_backoff *backoff, uint64_t ran_ns)
{
    if (ran_ns >= PROVEN_NS || backoff->wait_ns == 0)
        backoff->wait_ns = WAIT_MIN_NS;
    else
        backoff->wait_ns = backoff->wait_ns < WAIT_MAX_NS / 2 ? 2 * backoff->wait_ns : WAIT_MAX_NS;
    return backoff->wait_ns;
}
