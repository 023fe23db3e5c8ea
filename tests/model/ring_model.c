// ring_model.c: the rings between cores and the sleep of a core, in every order and with every
// stale value that C11 allows: runtime/sched/spsc_ring.c, mpsc_ring.c, group.c, idle.c, core.c as
// they are.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/sched/core.h"
#include "tests/model/model.h"

#define SLOTS 2

static struct weft_spsc_ring ring;
static struct weft_core_message slots[SLOTS];
static unsigned pushed, popped;

static struct weft_core_message numbered(uint64_t number)
{
    return (struct weft_core_message){.kind = WEFT_CORE_MESSAGE_ACTOR,
                                      .word = {number, [5] = ~number}};
}

// The next one in order, and whole.
static void check_number(const struct weft_core_message *message, uint64_t number)
{
    if (message->word[0] != number || message->word[5] != ~number)
        explore_fail("message %llu where %llu was due", (unsigned long long)message->word[0],
                     (unsigned long long)number);
}

// ---- One producer, one consumer.

static void make_spsc(void)
{
    weft_spsc_ring_init(&ring, slots, SLOTS);
    pushed = popped = 0;
}

static void push(unsigned tries)
{
    for (; tries > 0; tries--) {
        const struct weft_core_message message = numbered(pushed);
        if (weft_spsc_ring_push(&ring, &message)) pushed++;
    }
}

static void pop(unsigned tries)
{
    struct weft_core_message message;
    for (; tries > 0; tries--) {
        if (weft_spsc_ring_pop(&ring, &message)) check_number(&message, popped++);
    }
}

static void push_four(void)
{
    push(4);
}

static void pop_four(void)
{
    pop(4);
}

static void drain_spsc(void)
{
    struct weft_core_message message;
    explore_saw(popped);
    while (weft_spsc_ring_pop(&ring, &message))
        check_number(&message, popped++);
    if (popped != pushed) explore_fail("%u pushed, %u popped", pushed, popped);
    if (pushed < SLOTS) explore_fail("refused with room");
}

static const struct explore_case spsc = {
    "spsc ring of 2, four pushes, four pops", make_spsc, 2, {push_four, pop_four}, drain_spsc};

// ---- Several producers: the ring is all but full, so they meet at its end.

static struct weft_mpsc_ring posts;
static unsigned taken[2], given[2];

static void make_mpsc(void)
{
    weft_mpsc_ring_init(&posts);
    const struct weft_core_message message = numbered(99);
    for (unsigned i = 0; i < WEFT_MPSC_RING_SLOTS - 1; i++)
        weft_mpsc_ring_push(&posts, &message);
    taken[0] = taken[1] = given[0] = given[1] = 0;
}

// Each producer's own messages, in order.
static void post_two(void)
{
    const unsigned self = explore_thread();
    for (unsigned i = 0; i < 2; i++) {
        const struct weft_core_message message = numbered(100 * self + given[self]);
        if (weft_mpsc_ring_push(&posts, &message)) given[self]++;
    }
}

static void see_posted(const struct weft_core_message *message)
{
    if (message->word[0] == 99) return;
    const unsigned from = message->word[0] >= 100;
    check_number(message, 100 * from + taken[from]++);
}

static void take_two(void)
{
    struct weft_core_message message;
    for (unsigned i = 0; i < 2; i++) {
        if (weft_mpsc_ring_pop(&posts, &message)) see_posted(&message);
    }
}

static void drain_mpsc(void)
{
    struct weft_core_message message;
    explore_saw(given[0] + given[1]);
    while (weft_mpsc_ring_pop(&posts, &message))
        see_posted(&message);
    if (taken[0] != given[0] || taken[1] != given[1]) explore_fail("not all that were taken came");
    if (given[0] + given[1] == 0) explore_fail("refused with room");
}

static const struct explore_case mpsc = {
    "mpsc ring with one free cell, two producers, one consumer",
    make_mpsc,
    3,
    {post_two, post_two, take_two},
    drain_mpsc};

// ---- A core that falls asleep, and one that gives it work.

#define GIVEN 2

static struct weft_core cores[2];
static struct weft_core_group group;
static struct weft_spsc_ring between[2], overflows[2];
static struct weft_core_message between_slots[2][SLOTS], overflow_slots[2][8];
static unsigned received;

static uint64_t no_time(void *self)
{
    (void)self;
    return 1000;
}

static const struct weft_clock clock_of_none = {.now_ns = no_time};

static void receive(void *self, const struct weft_core_message *message)
{
    (void)self;
    check_number(message, received++);
}

// Without a time-out: who misses the bell sleeps for ever, and that is found.
static void sleep_for_ever(void *self, uint64_t timeout_ns)
{
    (void)self, (void)timeout_ns;
    explore_wait(0);
}

static void ring_the_bell(void *self)
{
    (void)self;
    explore_ring(0);
}

static void make_cores(void)
{
    memset(&group, 0, sizeof(group));
    for (uint16_t i = 0; i < 2; i++) {
        weft_core_init(&cores[i], &group, i, &clock_of_none, WEFT_LOG_ERROR);
        weft_core_on(&cores[i], WEFT_CORE_MESSAGE_ACTOR, receive, NULL);
        cores[i].idle_polls = cores[i].idle_yields = 0;
        cores[i].sleeper = (struct weft_sleeper){.sleep = sleep_for_ever, .wake = ring_the_bell};
        weft_spsc_ring_init(&between[i], between_slots[i], SLOTS);
        weft_spsc_ring_init(&overflows[i], overflow_slots[i], 8);
    }
    group.rings[0][1] = &between[0];
    group.rings[1][0] = &between[1];
    cores[0].overflow[1] = &overflows[0];
    cores[1].overflow[0] = &overflows[1];
    received = 0;
}

static void give(void)
{
    for (unsigned i = 0; i < GIVEN; i++) {
        const struct weft_core_message message = numbered(i);
        if (weft_core_send(&cores[0], 1, &message) != 0) explore_fail("refused");
    }
}

// In a turn: the wake-up comes at its end, for all that was given.
static void give_in_a_turn(void)
{
    cores[0].turning = true;
    give();
    cores[0].turning = false;
    weft_core_wake_given(&cores[0]);
}

static void give_one(void)
{
    const struct weft_core_message message = numbered(0);
    if (weft_core_send(&cores[0], 1, &message) != 0) explore_fail("refused");
}

static void turn_until_one(void)
{
    while (received < 1) {
        if (!weft_core_turn(&cores[1])) weft_core_idle(&cores[1]);
    }
}

static void turn_until_received(void)
{
    while (received < GIVEN) {
        if (!weft_core_turn(&cores[1])) weft_core_idle(&cores[1]);
    }
}

static void check_received(void)
{
    if (received != GIVEN) explore_fail("received %u", received);
}

static const struct explore_case wake_one = {"a core gives a message to one that falls asleep",
                                             make_cores,
                                             2,
                                             {give_one, turn_until_one},
                                             NULL};
static const struct explore_case wake = {"a core gives two messages to one that falls asleep",
                                         make_cores,
                                         2,
                                         {give, turn_until_received},
                                         check_received};
static const struct explore_case wake_at_end = {
    "a core gives two messages in one turn to one that falls asleep",
    make_cores,
    2,
    {give_in_a_turn, turn_until_received},
    check_received};

static void post_one(void)
{
    const struct weft_core_message message = numbered(explore_thread());
    if (weft_core_post(&cores[1], &message) != 0) explore_fail("refused");
}

static void receive_any(void *self, const struct weft_core_message *message)
{
    (void)self, (void)message;
    received++;
}

static void make_posted(void)
{
    make_cores();
    weft_core_on(&cores[1], WEFT_CORE_MESSAGE_ACTOR, receive_any, NULL);
}

static const struct explore_case post = {"two threads post to a core that falls asleep",
                                         make_posted,
                                         3,
                                         {post_one, post_one, turn_until_received},
                                         check_received};

// As weft_core_thread_halt and the loop of core_thread.c.
static void halt(void)
{
    atomic_store_explicit(&cores[1].stop, true, memory_order_release);
    weft_core_wake(&cores[1]);
}

static void turn_until_stopped(void)
{
    while (!atomic_load_explicit(&cores[1].stop, memory_order_relaxed)) {
        if (!weft_core_turn(&cores[1])) weft_core_idle(&cores[1]);
    }
}

static const struct explore_case stop = {
    "a core that falls asleep is stopped", make_cores, 2, {halt, turn_until_stopped}, NULL};

int main(int argc, char **argv)
{
    const struct model_row rows[] = {
        {.what = &spsc, .must_see = 0x1f},
        {.what = &spsc, .mutant = "the release of head", EXPLORE_RELEASE, &ring.head},
        {.what = &spsc, .mutant = "the acquire of head", EXPLORE_ACQUIRE, &ring.head},
        {.what = &spsc, .mutant = "the release of tail", EXPLORE_RELEASE, &ring.tail},
        {.what = &spsc, .mutant = "the acquire of tail", EXPLORE_ACQUIRE, &ring.tail},
        {.what = &mpsc, .must_see = 0x1e & ~0x10},
        {.what = &mpsc, .mutant = "the release of a cell", EXPLORE_RELEASE, NULL},
        {.what = &mpsc, .mutant = "the acquire of a cell", EXPLORE_ACQUIRE, NULL},
        {.what = &wake_one},
        {.what = &wake_one, .mutant = "the fences", EXPLORE_FENCE, NULL},
        {.what = &wake, .is_long = true},
        {.what = &wake_one, .mutant = "the release of head", EXPLORE_RELEASE, &between[0].head},
        {.what = &wake_at_end},
        {.what = &wake_at_end, .mutant = "the fences", EXPLORE_FENCE, NULL},
        {.what = &post},
        {.what = &post, .mutant = "the fences", EXPLORE_FENCE, NULL},
        {.what = &stop},
        {.what = &stop, .mutant = "the fences", EXPLORE_FENCE, NULL},
    };
    return model_main(argc, argv, rows, WEFT_COUNT_OF(rows));
}
