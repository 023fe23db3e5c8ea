#include "image/init/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#include "image/init/text_file.h"
#include "runtime/base/file.h"
#include "runtime/base/units.h"

#define STEP_NS ((int64_t)(500 * WEFT_NS_PER_MS))

int64_t weft_clock_floor_s(int64_t build_epoch_s, const char *path)
{
    char text[32];
    weft_text_file_line(path, text, sizeof(text));
    const int64_t noted_s = strtoll(text, NULL, 10);
    // A note from a time of nonsense must not hold the clock there: no build lives for 30 years.
    const bool is_sane = noted_s - build_epoch_s < INT64_C(30) * 366 * 86400;
    return is_sane && noted_s > build_epoch_s ? noted_s : build_epoch_s;
}

int weft_clock_note(const char *path, int64_t wall_s)
{
    char text[32];
    const int length = snprintf(text, sizeof(text), "%lld\n", (long long)wall_s);
    return weft_file_replace(path, text, (size_t)length, 0600);
}

int weft_clock_raise(int64_t floor_s)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) == 0 && now.tv_sec >= floor_s) return 0;
    const struct timespec to = {.tv_sec = (time_t)floor_s};
    return clock_settime(CLOCK_REALTIME, &to) == 0 ? 1 : -errno;
}

int weft_clock_move(int64_t offset_ns)
{
    const int64_t second = (int64_t)WEFT_NS_PER_S;
    struct timespec now;
    if (offset_ns < STEP_NS && offset_ns > -STEP_NS) {
        const struct timeval by = {.tv_sec = 0, .tv_usec = (suseconds_t)(offset_ns / 1000)};
        return adjtime(&by, NULL) == 0 ? 0 : -errno;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t seconds = now.tv_sec + offset_ns / second, rest = now.tv_nsec + offset_ns % second;
    if (rest < 0) seconds--, rest += second;
    if (rest >= second) seconds++, rest -= second;
    const struct timespec to = {.tv_sec = (time_t)seconds, .tv_nsec = (long)rest};
    return clock_settime(CLOCK_REALTIME, &to) == 0 ? 0 : -errno;
}

#if defined(__aarch64__)
// The generic timer counts from reset, and says itself how fast (Arm ARM, D12.1).
uint64_t weft_clock_since_power_on_ms(void)
{
    uint64_t count, count_per_s;
    __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(count));
    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(count_per_s));
    return count_per_s >= 1000 ? count / (count_per_s / 1000) : 0;
}
#else
uint64_t weft_clock_since_power_on_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / WEFT_NS_PER_MS;
}
#endif
