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

// Arm's generic timer and x86's time stamp counter both count from reset. The first says how fast,
// the second does not.
static uint64_t read_counter(uint64_t ns)
{
#if defined(__aarch64__)
    uint64_t count;
    __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(count));
    (void)ns;
    return count;
#elif defined(__x86_64__)
    (void)ns;
    return __builtin_ia32_rdtsc();
#else
    return ns; // Then power-on is when the kernel began.
#endif
}

struct weft_clock_mark weft_clock_mark(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    const uint64_t ns = (uint64_t)now.tv_sec * WEFT_NS_PER_S + (uint64_t)now.tv_nsec;
    return (struct weft_clock_mark){.count = read_counter(ns), .ns = ns};
}

uint64_t weft_clock_since_power_on_ms(struct weft_clock_mark early, struct weft_clock_mark now)
{
    if (now.count <= early.count || now.ns <= early.ns) return 0;
    const double ns_per_count = (double)(now.ns - early.ns) / (double)(now.count - early.count);
    return (uint64_t)((double)now.count * ns_per_count / (double)WEFT_NS_PER_MS);
}
