// clock.h: the wall clock never stands before a time that has certainly passed: when the image was
// built, and when this node was last seen to know the time.
#ifndef WEFT_IMAGE_CLOCK_H
#define WEFT_IMAGE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

// The later of the build's time and the one noted at `path`.
int64_t weft_clock_floor_s(int64_t build_epoch_s, const char *path);

// Notes `wall_s` at `path`. Returns 0 or a negative errno.
int weft_clock_note(const char *path, int64_t wall_s);

// Sets the kernel's clock to `floor_s` if it stands before it (a dead battery). Returns 1 if it was
// set, 0 if not, or a negative errno.
int weft_clock_raise(int64_t floor_s);

// Moves the clock by `offset_ns`: at once when that is more than half a second, else slowly (the
// kernel's adjtime, 0.5 ms each second). Returns 0 or a negative errno.
int weft_clock_move(int64_t offset_ns);

// The processor's counter, which begins with power-on, beside the kernel's clock.
struct weft_clock_mark {
    uint64_t count, ns; // Of an unknown number of counts to the second; of CLOCK_MONOTONIC_RAW.
};

struct weft_clock_mark weft_clock_mark(void);

// Milliseconds from power-on to `now`, the firmware's included: the time between the two marks
// tells how fast the counter goes. `early` is from when the first process began; 0 if nothing has
// passed.
uint64_t weft_clock_since_power_on_ms(struct weft_clock_mark early, struct weft_clock_mark now);

#endif // WEFT_IMAGE_CLOCK_H
