// clock.h: the time, as an interface: Linux implements it, and the simulator with drift and jumps.
#ifndef WEFT_ENV_CLOCK_H
#define WEFT_ENV_CLOCK_H

#include <stdint.h>

struct weft_clock {                  // Implemented by env_linux.c, and by tests/sim with skew.
    uint64_t (*now_ns)(void *self);  // Monotonic; never decreases. Any core.
    uint64_t (*wall_ns)(void *self); // Since 1970, for people only; may jump.
    void *self;
};

static inline uint64_t weft_clock_now_ns(const struct weft_clock *clock)
{
    return clock->now_ns(clock->self);
}

static inline uint64_t weft_clock_wall_ns(const struct weft_clock *clock)
{
    return clock->wall_ns(clock->self);
}

// CLOCK_MONOTONIC and CLOCK_REALTIME of this machine. Nothing to destroy.
struct weft_clock weft_clock_linux(void);

#endif // WEFT_ENV_CLOCK_H
