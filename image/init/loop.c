#include "image/init/loop.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * WEFT_NS_PER_S + (uint64_t)now.tv_nsec;
}

void weft_loop_init(struct weft_loop *loop)
{
    for (size_t i = 0; i < WEFT_LOOP_WATCHES_MAX; i++) {
        loop->watches[i] = (struct weft_loop_watch){.fd = -1};
    }
    weft_list_init(&loop->timers);
    loop->now_ns = monotonic_ns();
}

int weft_loop_watch(struct weft_loop *loop, int fd, short events,
                    void (*call)(void *self, short events), void *self)
{
    struct weft_loop_watch *place = NULL;
    for (size_t i = 0; i < WEFT_LOOP_WATCHES_MAX; i++) {
        struct weft_loop_watch *watch = &loop->watches[i];
        if (watch->fd == fd || (watch->fd < 0 && place == NULL)) place = watch;
        if (watch->fd == fd) break;
    }
    if (place == NULL) return -ENOSPC;
    *place = (struct weft_loop_watch){.fd = fd, .events = events, .call = call, .self = self};
    return 0;
}

void weft_loop_unwatch(struct weft_loop *loop, int fd)
{
    for (size_t i = 0; i < WEFT_LOOP_WATCHES_MAX; i++) {
        if (loop->watches[i].fd == fd) loop->watches[i] = (struct weft_loop_watch){.fd = -1};
    }
}

void weft_loop_timer_init(struct weft_loop_timer *timer, void (*call)(void *self), void *self)
{
    *timer = (struct weft_loop_timer){.call = call, .self = self};
    weft_list_init(&timer->link);
}

void weft_loop_after(struct weft_loop *loop, struct weft_loop_timer *timer, uint64_t in_ns)
{
    loop->now_ns = monotonic_ns();
    weft_list_remove(&timer->link);
    timer->at_ns = loop->now_ns + in_ns;
    weft_list_append(&loop->timers, &timer->link);
}

void weft_loop_cancel(struct weft_loop_timer *timer)
{
    weft_list_remove(&timer->link);
}

bool weft_loop_is_set(const struct weft_loop_timer *timer)
{
    return !weft_list_empty(&timer->link);
}

static struct weft_loop_timer *earliest(struct weft_loop *loop)
{
    struct weft_loop_timer *first = NULL;
    WEFT_LIST_FOR_EACH (link, &loop->timers) {
        struct weft_loop_timer *timer = WEFT_CONTAINER_OF(link, struct weft_loop_timer, link);
        if (first == NULL || timer->at_ns < first->at_ns) first = timer;
    }
    return first;
}

// Rounded up: a timer that fired early would be set again at once.
static int wait_ms(struct weft_loop *loop)
{
    const struct weft_loop_timer *first = earliest(loop);
    if (first == NULL) return -1;
    if (first->at_ns <= loop->now_ns) return 0;
    const uint64_t ms = (first->at_ns - loop->now_ns + WEFT_NS_PER_MS - 1) / WEFT_NS_PER_MS;
    return ms < 3600000 ? (int)ms : 3600000;
}

static void call_watches(struct weft_loop *loop, const struct pollfd *polled)
{
    for (size_t i = 0; i < WEFT_LOOP_WATCHES_MAX; i++) {
        const struct weft_loop_watch watch = loop->watches[i];
        // A call before this one may have given the place to another.
        if (polled[i].revents == 0 || watch.fd < 0 || watch.fd != polled[i].fd) continue;
        watch.call(watch.self, polled[i].revents);
    }
}

static void call_timers(struct weft_loop *loop)
{
    struct weft_loop_timer *timer;
    while ((timer = earliest(loop)) != NULL && timer->at_ns <= loop->now_ns) {
        weft_list_remove(&timer->link);
        timer->call(timer->self);
    }
}

void weft_loop_turn(struct weft_loop *loop)
{
    struct pollfd polled[WEFT_LOOP_WATCHES_MAX];
    loop->now_ns = monotonic_ns();
    for (size_t i = 0; i < WEFT_LOOP_WATCHES_MAX; i++) {
        polled[i] = (struct pollfd){.fd = loop->watches[i].fd, .events = loop->watches[i].events};
    }
    const int count = poll(polled, WEFT_LOOP_WATCHES_MAX, wait_ms(loop));
    loop->now_ns = monotonic_ns();
    if (count > 0) call_watches(loop, polled);
    call_timers(loop);
}
