#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "runtime/base/assert.h"
#include "runtime/base/units.h"
#include "runtime/env/clock.h"
#include "runtime/env/entropy.h"

static uint64_t read_clock(clockid_t which)
{
    struct timespec at;
    clock_gettime(which, &at);
    return (uint64_t)at.tv_sec * WEFT_NS_PER_S + (uint64_t)at.tv_nsec;
}

static uint64_t monotonic_ns(void *self)
{
    (void)self;
    return read_clock(CLOCK_MONOTONIC);
}

static uint64_t realtime_ns(void *self)
{
    (void)self;
    return read_clock(CLOCK_REALTIME);
}

struct weft_clock weft_clock_linux(void)
{
    return (struct weft_clock){.now_ns = monotonic_ns, .wall_ns = realtime_ns};
}

static void fill_random(void *self, void *bytes, size_t length)
{
    (void)self;
    for (unsigned char *at = bytes; length > 0;) {
        const ssize_t got = getrandom(at, length, 0);
        weft_assert(got > 0 || errno == EINTR);
        if (got < 0) continue;
        at += got;
        length -= (size_t)got;
    }
}

struct weft_entropy weft_entropy_linux(void)
{
    return (struct weft_entropy){.fill = fill_random};
}
