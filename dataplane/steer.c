#include "dataplane/steer.h"

#include <errno.h>

#include "runtime/base/assert.h"

void weft_udp_owners_init(struct weft_udp_owners *owners)
{
    for (uint32_t port = 0; port < WEFT_COUNT_OF(owners->owner); port++) {
        atomic_init(&owners->owner[port], 0);
    }
}

int weft_udp_owners_claim(struct weft_udp_owners *owners, uint16_t port, uint16_t core)
{
    if (port == 0) return -EINVAL;
    uint16_t nobody = 0;
    // Release pairs with the acquire load of weft_steer; acquire pairs with the release store of
    // weft_udp_owners_release, so that a port taken over is seen as its last owner left it.
    const bool claimed =
        atomic_compare_exchange_strong_explicit(&owners->owner[port], &nobody, (uint16_t)(core + 1),
                                                memory_order_acq_rel, memory_order_relaxed);
    return claimed ? 0 : -EADDRINUSE;
}

void weft_udp_owners_release(struct weft_udp_owners *owners, uint16_t port, uint16_t core)
{
    weft_assert(atomic_load_explicit(&owners->owner[port], memory_order_relaxed) == core + 1);
    // Release pairs with the acquire half of the exchange in weft_udp_owners_claim.
    atomic_store_explicit(&owners->owner[port], 0, memory_order_release);
}
