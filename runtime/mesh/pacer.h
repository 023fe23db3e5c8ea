// pacer.h: holds a sender to a steady rate, so that one kind of datagram cannot crowd out the rest.
//
// The Generic Cell Rate Algorithm in its virtual scheduling form (ITU-T I.371, Annex A). The whole
// state is one timestamp: there is no bucket to refill and no timer to run.
//
// Time:   an argument. The pacer reads no clock, so a simulated node paces exactly as a real one.
// Core:   used only by the core that owns it; nothing here is shared, locked or atomic.
// Memory: embedded by value in its owner; it allocates nothing, so there is no destroy.
#ifndef WEFT_MESH_PACER_H
#define WEFT_MESH_PACER_H

#include <stdbool.h>
#include <stdint.h>

struct weft_pacer {
    uint64_t due_ns;      // When the next datagram is exactly on schedule.
    uint64_t interval_ns; // Between datagrams at the sustained rate.
    uint64_t slack_ns;    // How far ahead of schedule a burst may run.
};

// Sets `pacer` to admit `rate_hz` datagrams per second, up to `burst` of them back to back.
// The interval rounds up, so a rate that does not divide a second is approached from below.
// Returns 0; -EINVAL if either is 0; -ERANGE if datagrams would be less than 1 ns apart.
int weft_pacer_init(struct weft_pacer *pacer, uint32_t rate_hz, uint32_t burst);

// Takes the next turn if it has come: true means send now, false means nothing changed.
// `now_ns` is the owning core's monotonic time; it never decreases from one call to the next.
bool weft_pacer_admit(struct weft_pacer *pacer, uint64_t now_ns);

// The earliest time at which weft_pacer_admit answers true: where to set the timer.
uint64_t weft_pacer_ready_ns(const struct weft_pacer *pacer);

#endif // WEFT_MESH_PACER_H
