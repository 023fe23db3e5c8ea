#include "runtime/otp/intensity.h"

#include <string.h>

#include <weft/supervisor.h>

#define RESTART_MAX  3
#define PERIOD_NS    UINT64_C(5000000000)
#define CAPACITY_MIN 4
#define CAPACITY_MAX (1u << 26)

void weft_intensity_init(struct weft_intensity *intensity, uint32_t max, uint64_t period_ns)
{
    if (max == 0) max = RESTART_MAX;
    if (max == WEFT_RESTARTS_NONE) max = 0;
    *intensity =
        (struct weft_intensity){.max = max, .period_ns = period_ns != 0 ? period_ns : PERIOD_NS};
}

static uint32_t place(const struct weft_intensity *intensity, uint32_t index)
{
    const uint32_t at = intensity->first + index;
    return at < intensity->capacity ? at : at - intensity->capacity;
}

static bool grow(struct weft_actor *self, struct weft_intensity *intensity)
{
    uint32_t capacity = intensity->capacity > 0 ? 2 * intensity->capacity : CAPACITY_MIN;
    if (capacity > intensity->max) capacity = intensity->max;
    if (capacity > CAPACITY_MAX) return false;
    uint64_t *wider = weft_alloc(self, capacity * sizeof(wider[0]));
    if (wider == NULL) return false;
    for (uint32_t i = 0; i < intensity->count; i++)
        wider[i] = intensity->times_ns[place(intensity, i)];
    weft_free(self, intensity->times_ns);
    intensity->times_ns = wider;
    intensity->capacity = capacity;
    intensity->first = 0;
    return true;
}

bool weft_intensity_admit(struct weft_actor *self, struct weft_intensity *intensity)
{
    const uint64_t now_ns = weft_now_ns(self);
    while (intensity->count > 0 &&
           now_ns - intensity->times_ns[intensity->first] > intensity->period_ns) {
        intensity->first = place(intensity, 1);
        intensity->count--;
    }
    if (intensity->count >= intensity->max) return false;
    if (intensity->count == intensity->capacity && !grow(self, intensity)) return false;
    intensity->times_ns[place(intensity, intensity->count++)] = now_ns;
    return true;
}
