// waiting.h: what the words that wait share: until when, and where a message goes. Internal to
// forth/.
#ifndef WEFT_FORTH_WAITING_H
#define WEFT_FORTH_WAITING_H

#include "forth/state.h"

// A word that waits is run again and again, with its arguments still on the stack. The first time
// sets block->wake_ns; who is done sets it back to 0. True: `ms` have passed since. Below 0: for
// ever. The host has a clock.
bool weft_is_late(struct weft_unit *unit, weft_cell ms);

static inline uint64_t weft_delay_ns(weft_cell ms) // At most a year.
{
    const weft_cell ms_max = INT64_C(1000) * 3600 * 24 * 365;
    return ms < 0 ? 0 : (uint64_t)(ms < ms_max ? ms : ms_max) * 1000000;
}

// Copies a message's payload to WEFT_ADDRESS_MESSAGE. 0 or a THROW code.
int32_t weft_message_keep(struct weft_unit *unit, const struct weft_unit_message *message);

#endif // WEFT_FORTH_WAITING_H
