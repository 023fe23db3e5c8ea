// No wake-up is lost: two threads hand a token to and fro, each asleep in its ring until the other
// has rung. A lost wake-up would show as a sleep that runs into its timeout.
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/uring_sleeper.h"
#include "runtime/base/units.h"
#include "runtime/sched/fence.h"
#include "tests/support/cmocka.h"

enum { ROUNDS = 50000, TIMEOUT_S = 20 };

struct side { // One core, as weft_core_wake and its sleep do it.
    _Alignas(WEFT_CORE_ALIGN) _Atomic uint32_t token; // Given to this side so often.
    _Atomic uint32_t asleep;
    struct weft_uring uring;
    struct weft_uring_sleeper sleeper;
    struct weft_sleeper interface;
    struct side *other;
    uint32_t timeouts;
    bool first;
    int result;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * WEFT_NS_PER_S + (uint64_t)now.tv_nsec;
}

static void give(struct side *to)
{
    atomic_fetch_add_explicit(&to->token, 1, memory_order_relaxed);
    weft_full_fence(); // Pairs with the fence in await.
    if (atomic_exchange_explicit(&to->asleep, 0, memory_order_relaxed))
        to->interface.wake(to->interface.self);
}

static void await(struct side *side, uint32_t token)
{
    while (atomic_load_explicit(&side->token, memory_order_acquire) < token) {
        atomic_store_explicit(&side->asleep, 1, memory_order_relaxed);
        weft_full_fence(); // Pairs with the fence in give.
        if (atomic_load_explicit(&side->token, memory_order_relaxed) < token) {
            const uint64_t from = now_ns();
            side->interface.sleep(side->interface.self, TIMEOUT_S * WEFT_NS_PER_S);
            side->timeouts += now_ns() - from >= TIMEOUT_S * WEFT_NS_PER_S;
        }
        atomic_store_explicit(&side->asleep, 0, memory_order_relaxed);
    }
}

static pthread_barrier_t ready;

static void *run_side(void *self)
{
    struct side *side = self;
    side->result = weft_uring_init(&side->uring);
    if (side->result == 0) side->result = weft_uring_sleeper_open(&side->sleeper, &side->uring);
    side->interface = weft_uring_sleeper_interface(&side->sleeper);
    pthread_barrier_wait(&ready);
    if (side->result < 0 || side->other->result < 0) return NULL;
    for (uint32_t round = 1; round <= ROUNDS && side->timeouts == 0; round++) {
        if (side->first) give(side->other);
        await(side, round);
        if (!side->first) give(side->other);
    }
    pthread_barrier_wait(&ready); // The other may still ring.
    weft_uring_sleeper_close(&side->sleeper);
    weft_uring_destroy(&side->uring);
    return NULL;
}

static void no_wake_up_is_lost(void **state)
{
    static struct side sides[2];
    pthread_t threads[2];
    (void)state;
    pthread_barrier_init(&ready, NULL, 2);
    const uint64_t from = now_ns();
    for (int i = 0; i < 2; i++) {
        sides[i].other = &sides[1 - i];
        sides[i].first = i == 0;
        assert_int_equal(pthread_create(&threads[i], NULL, run_side, &sides[i]), 0);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sides[i].result, 0);
        assert_int_equal(sides[i].timeouts, 0);
        assert_int_equal(atomic_load(&sides[i].token), ROUNDS);
    }
    printf("%d rounds, %.1f us each way, %llu sleeps\n", ROUNDS,
           (double)(now_ns() - from) / ROUNDS / 2e3,
           (unsigned long long)sides[0].sleeper.sleep_count);
    pthread_barrier_destroy(&ready);
}

static void doorbell_is_level(void **state)
{
    struct weft_uring uring;
    struct weft_uring_sleeper sleeper;
    uint64_t value = 1;
    (void)state;
    assert_int_equal(weft_uring_init(&uring), 0);
    assert_int_equal(weft_uring_sleeper_open(&sleeper, &uring), 0);
    const struct weft_sleeper interface = weft_uring_sleeper_interface(&sleeper);
    const int bell = eventfd(0, EFD_NONBLOCK);
    assert_int_equal(interface.watch(interface.self, bell), 0);
    assert_int_equal(interface.watch(interface.self, bell), -EEXIST);
    const uint64_t from = now_ns();
    interface.sleep(interface.self, WEFT_NS_PER_MS); // Nothing rings.
    assert_true(now_ns() - from >= WEFT_NS_PER_MS);
    assert_int_equal(write(bell, &value, 8), 8);
    for (int i = 0; i < 100; i++)
        interface.sleep(interface.self, 3600 * WEFT_NS_PER_S);
    assert_int_equal(read(bell, &value, 8), 8); // Not read until now, so it went on ringing.
    interface.sleep(interface.self, 0);
    interface.wake(interface.self); // Before the sleep: it does not begin.
    interface.sleep(interface.self, 3600 * WEFT_NS_PER_S);
    weft_uring_sleeper_close(&sleeper);
    weft_uring_destroy(&uring);
    close(bell);
}

int main(void)
{
    char why[128];
    if (weft_uring_probe(why, sizeof(why)) != 0) {
        printf("skipped: io_uring: %s\n", why);
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_wake_up_is_lost),
        cmocka_unit_test(doorbell_is_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
