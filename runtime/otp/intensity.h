// intensity.h: how often children may be started again before their supervisor gives up: so many
// times within a period, to the nanosecond.
//
// A ring of the times of the last restarts, as many as are allowed: each restart looks at the
// oldest, however high the rate. It grows with the restarts that do fall into one period.
#ifndef WEFT_OTP_INTENSITY_H
#define WEFT_OTP_INTENSITY_H

#include <weft/types.h>

struct weft_intensity {
    uint64_t *times_ns; // The actor's.
    uint32_t capacity, first, count;
    uint32_t max;
    uint64_t period_ns;
};

// `max` and `period_ns` as in weft_supervisor_spec.
void weft_intensity_init(struct weft_intensity *intensity, uint32_t max, uint64_t period_ns);
// One more restart, now. False: it is one too many (or there is no memory to count it).
bool weft_intensity_admit(struct weft_actor *self, struct weft_intensity *intensity);

#endif // WEFT_OTP_INTENSITY_H
