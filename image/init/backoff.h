// backoff.h: how long to wait before something that has ended is started again.
//
// Twice as long each time, up to a minute; what has run for a minute has proven itself and starts
// over from the shortest. No chance in it: one process on one machine has nobody to collide with.
#ifndef WEFT_IMAGE_BACKOFF_H
#define WEFT_IMAGE_BACKOFF_H

#include <stdint.h>

struct weft_backoff {
    uint64_t wait_ns; // Of the last answer; 0 before the first.
};

// The wait after it has run for `ran_ns`.
uint64_t weft_backoff_next(struct weft_backoff *backoff, uint64_t ran_ns);

#endif // WEFT_IMAGE_BACKOFF_H
