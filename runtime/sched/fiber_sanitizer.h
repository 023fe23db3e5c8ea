// fiber_sanitizer.h: tells AddressSanitizer and ThreadSanitizer that the stack changes; nothing at
// all in other builds.
//
// ASan keeps a fake stack for each real one and must know the real one's bounds; TSan keeps a clock
// for each flow of control and must know which one goes on.
#ifndef WEFT_SCHED_FIBER_SANITIZER_H
#define WEFT_SCHED_FIBER_SANITIZER_H

#include <stddef.h>
#include <stdint.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEFT_FIBER_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define WEFT_FIBER_TSAN 1
#endif
#endif
#if !defined(WEFT_FIBER_ASAN) && defined(__SANITIZE_ADDRESS__)
#define WEFT_FIBER_ASAN 1
#endif
#if !defined(WEFT_FIBER_TSAN) && defined(__SANITIZE_THREAD__)
#define WEFT_FIBER_TSAN 1
#endif

#if defined(WEFT_FIBER_ASAN) || defined(WEFT_FIBER_TSAN)
#define WEFT_FIBER_SANITIZER 1

struct weft_fiber_shadow {
    const void *bottom; // ASan: the stack. Of a thread's own, learnt when it is left.
    size_t bytes;
    void *fake;
    void *tsan;      // TSan's fiber.
    int is_prepared; // Not a thread's own: made by us, to be destroyed by us.
};

struct weft_fiber;

void weft_fiber_shadow_prepare(struct weft_fiber *fiber, const void *bottom, const void *top);
void weft_fiber_shadow_entered(void);
void weft_fiber_shadow_leave(struct weft_fiber *from, struct weft_fiber *to);
void weft_fiber_shadow_back(struct weft_fiber *from);
void weft_fiber_shadow_end(struct weft_fiber *from, struct weft_fiber *to);
// The fiber does not run and will not: what the sanitizer keeps of it goes.
void weft_fiber_shadow_drop(struct weft_fiber *fiber);
// `to` is from now on what `from` was; `from` has to be prepared again.
void weft_fiber_shadow_move(struct weft_fiber *to, struct weft_fiber *from);
// `to` is another name of `from` for the next switch.
void weft_fiber_shadow_copy(struct weft_fiber *to, const struct weft_fiber *from);

#else
#define weft_fiber_shadow_prepare(fiber, bottom, top) ((void)(bottom), (void)(top))
#define weft_fiber_shadow_entered()                   ((void)0)
#define weft_fiber_shadow_leave(from, to)             ((void)0)
#define weft_fiber_shadow_back(from)                  ((void)0)
#define weft_fiber_shadow_end(from, to)               ((void)0)
#define weft_fiber_shadow_drop(fiber)                 ((void)0)
#define weft_fiber_shadow_move(to, from)              ((void)(to), (void)(from))
#define weft_fiber_shadow_copy(to, from)              ((void)0)
#endif

#endif // WEFT_SCHED_FIBER_SANITIZER_H
