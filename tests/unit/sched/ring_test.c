// What the rings hold, refuse and keep in order: one thread first, then two and five.
#include "tests/support/cmocka.h"

#include <pthread.h>
#include <sched.h>

#include "runtime/base/units.h"
#include "runtime/sched/mpsc_ring.h"
#include "runtime/sched/spsc_ring.h"

#define SLOTS 8

static struct weft_core_message numbered(uint64_t number)
{
    return (struct weft_core_message){.kind = WEFT_CORE_MESSAGE_CALL, .word = {number, ~number}};
}

static void fills_and_empties_in_order(void **state)
{
    (void)state;
    struct weft_core_message slots[SLOTS], message;
    struct weft_spsc_ring ring;
    weft_spsc_ring_init(&ring, slots, SLOTS);
    uint64_t pushed = 0, popped = 0;
    for (unsigned lap = 0; lap < 5; lap++) {
        assert_false(weft_spsc_ring_ready(&ring));
        assert_false(weft_spsc_ring_pop(&ring, &message));
        for (unsigned i = 0; i < SLOTS; i++) {
            message = numbered(pushed++);
            assert_true(weft_spsc_ring_push(&ring, &message));
        }
        message = numbered(999);
        assert_false(weft_spsc_ring_push(&ring, &message));
        while (weft_spsc_ring_pop(&ring, &message))
            assert_int_equal(message.word[0], popped++);
        assert_int_equal(pushed, popped);
    }
}

static void indices_wrap(void **state)
{
    (void)state;
    struct weft_core_message slots[SLOTS], message;
    struct weft_spsc_ring ring;
    weft_spsc_ring_init(&ring, slots, SLOTS);
    atomic_store(&ring.head, UINT32_MAX - 2);
    atomic_store(&ring.tail, UINT32_MAX - 2);
    ring.head_seen = ring.tail_seen = UINT32_MAX - 2;
    for (uint64_t i = 0; i < SLOTS; i++) {
        message = numbered(i);
        assert_true(weft_spsc_ring_push(&ring, &message));
    }
    assert_false(weft_spsc_ring_push(&ring, &message));
    for (uint64_t i = 0; i < SLOTS; i++) {
        assert_true(weft_spsc_ring_pop(&ring, &message));
        assert_int_equal(message.word[0], i);
    }
}

#define SPSC_COUNT 200000

static void *produce(void *argument)
{
    struct weft_spsc_ring *ring = argument;
    for (uint64_t i = 0; i < SPSC_COUNT; i++) {
        const struct weft_core_message message = numbered(i);
        while (!weft_spsc_ring_push(ring, &message))
            sched_yield();
    }
    return NULL;
}

static void two_threads_keep_the_order(void **state)
{
    (void)state;
    static struct weft_core_message slots[1024];
    static struct weft_spsc_ring ring;
    struct weft_core_message message;
    pthread_t producer;
    weft_spsc_ring_init(&ring, slots, 1024);
    assert_int_equal(pthread_create(&producer, NULL, produce, &ring), 0);
    for (uint64_t i = 0; i < SPSC_COUNT; i++) {
        while (!weft_spsc_ring_pop(&ring, &message))
            sched_yield();
        assert_int_equal(message.word[0], i);
        assert_int_equal(message.word[1], ~i);
    }
    pthread_join(producer, NULL);
}

static void posts_are_bounded(void **state)
{
    (void)state;
    static struct weft_mpsc_ring ring;
    struct weft_core_message message;
    weft_mpsc_ring_init(&ring);
    uint64_t pushed = 0, popped = 0;
    for (unsigned lap = 0; lap < 3; lap++) {
        for (unsigned i = 0; i < WEFT_MPSC_RING_SLOTS; i++) {
            message = numbered(pushed++);
            assert_true(weft_mpsc_ring_push(&ring, &message));
        }
        assert_false(weft_mpsc_ring_push(&ring, &message));
        assert_true(weft_mpsc_ring_ready(&ring));
        while (weft_mpsc_ring_pop(&ring, &message))
            assert_int_equal(message.word[0], popped++);
        assert_int_equal(pushed, popped);
    }
}

#define PRODUCERS  4
#define MPSC_COUNT 20000

struct producer {
    struct weft_mpsc_ring *ring;
    uint64_t number;
};

static void *post_many(void *argument)
{
    const struct producer *producer = argument;
    for (uint64_t i = 0; i < MPSC_COUNT; i++) {
        const struct weft_core_message message = {.kind = WEFT_CORE_MESSAGE_CALL,
                                                  .word = {producer->number, i}};
        while (!weft_mpsc_ring_push(producer->ring, &message))
            sched_yield();
    }
    return NULL;
}

static void every_poster_keeps_its_order(void **state)
{
    (void)state;
    static struct weft_mpsc_ring ring;
    struct producer producers[PRODUCERS];
    pthread_t threads[PRODUCERS];
    uint64_t next[PRODUCERS] = {0};
    weft_mpsc_ring_init(&ring);
    for (uint64_t i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){.ring = &ring, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, &producers[i]), 0);
    }
    struct weft_core_message message;
    for (unsigned n = 0; n < PRODUCERS * MPSC_COUNT;) {
        if (!weft_mpsc_ring_pop(&ring, &message)) {
            sched_yield();
            continue;
        }
        assert_in_range(message.word[0], 0, PRODUCERS - 1);
        assert_int_equal(message.word[1], next[message.word[0]]++);
        n++;
    }
    for (unsigned i = 0; i < PRODUCERS; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_and_empties_in_order),   cmocka_unit_test(indices_wrap),
        cmocka_unit_test(two_threads_keep_the_order),   cmocka_unit_test(posts_are_bounded),
        cmocka_unit_test(every_poster_keeps_its_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
