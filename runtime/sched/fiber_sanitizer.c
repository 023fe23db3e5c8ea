#include "runtime/sched/fiber.h"

#ifdef WEFT_FIBER_SANITIZER

#include <pthread.h>

#ifdef WEFT_FIBER_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef WEFT_FIBER_TSAN
#include <sanitizer/tsan_interface.h>
#endif

// What runs between the announcement and the jump must not be instrumented.
#define PLAIN __attribute__((no_sanitize("address", "thread")))

PLAIN void weft_fiber_shadow_prepare(struct weft_fiber *fiber, const void *bottom, const void *top)
{
#ifdef WEFT_FIBER_TSAN
    weft_fiber_shadow_drop(fiber);
    fiber->shadow.tsan = __tsan_create_fiber(0);
#endif
    fiber->shadow.bottom = bottom;
    fiber->shadow.bytes = (size_t)((const char *)top - (const char *)bottom);
    fiber->shadow.fake = NULL;
    fiber->shadow.is_prepared = 1;
}

PLAIN void weft_fiber_shadow_entered(void)
{
#ifdef WEFT_FIBER_ASAN
    __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
#endif
}

#ifdef WEFT_FIBER_ASAN
// A thread's own stack: asked of the C library where the bounds known are another thread's.
PLAIN static void learn_bounds(struct weft_fiber *own)
{
    const char *here = __builtin_frame_address(0);
    const char *bottom = own->shadow.bottom;
    pthread_attr_t attributes;
    void *start;
    if (bottom != NULL && here >= bottom && here < bottom + own->shadow.bytes) return;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
    if (pthread_attr_getstack(&attributes, &start, &own->shadow.bytes) == 0)
        own->shadow.bottom = start;
    pthread_attr_destroy(&attributes);
}
#endif

PLAIN static void announce(struct weft_fiber *from, struct weft_fiber *to, void **fake)
{
    (void)from, (void)to, (void)fake;
#ifdef WEFT_FIBER_ASAN
    if (!from->shadow.is_prepared) learn_bounds(from);
    __sanitizer_start_switch_fiber(fake, to->shadow.bottom, to->shadow.bytes);
#endif
#ifdef WEFT_FIBER_TSAN
    if (!from->shadow.is_prepared) from->shadow.tsan = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(to->shadow.tsan, 0);
#endif
}

PLAIN void weft_fiber_shadow_leave(struct weft_fiber *from, struct weft_fiber *to)
{
    announce(from, to, &from->shadow.fake);
}

PLAIN void weft_fiber_shadow_end(struct weft_fiber *from, struct weft_fiber *to)
{
    announce(from, to, NULL);
}

PLAIN void weft_fiber_shadow_back(struct weft_fiber *from)
{
    (void)from;
#ifdef WEFT_FIBER_ASAN
    __sanitizer_finish_switch_fiber(from->shadow.fake, NULL, NULL);
#endif
}

PLAIN void weft_fiber_shadow_drop(struct weft_fiber *fiber)
{
#ifdef WEFT_FIBER_TSAN
    if (fiber->shadow.is_prepared) __tsan_destroy_fiber(fiber->shadow.tsan);
    fiber->shadow.tsan = NULL;
#endif
    fiber->shadow.is_prepared = 0;
}

PLAIN void weft_fiber_shadow_move(struct weft_fiber *to, struct weft_fiber *from)
{
    to->shadow = from->shadow;
    from->shadow = (struct weft_fiber_shadow){0};
}

PLAIN void weft_fiber_shadow_copy(struct weft_fiber *to, const struct weft_fiber *from)
{
    to->shadow = from->shadow;
}

#else
typedef int weft_fiber_without_sanitizer;
#endif
