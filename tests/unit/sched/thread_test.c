// Cores on real threads: no wake-up is lost, doorbells and stop end a sleep, and a start that fails
// says so.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/units.h"
#include "runtime/sched/core_thread.h"
#include "runtime/sched/sleeper_epoll.h"

// A sleep so long that a lost wake-up shows as a test that does not end in time.
#define LONG_SLEEP_NS (30 * WEFT_NS_PER_S)
#define TIMEOUT_S     25
// Rounds are chances, and as many are taken as a slow machine makes in this time.
#define ROUNDS_NS (20 * WEFT_NS_PER_S)

struct node {
    struct weft_clock clock;
    struct weft_core_group group;
    struct weft_core *core[2];
    struct weft_core_thread thread[2];
    struct weft_sleeper_epoll sleeper[2];
    sem_t done;
    unsigned limit;
    uint64_t until_ns; // When no further round begins.
    _Atomic unsigned count;
};

static void node_open(struct node *node)
{
    memset(node, 0, sizeof(*node));
    node->clock = weft_clock_linux();
    node->until_ns = weft_clock_now_ns(&node->clock) + ROUNDS_NS;
    assert_int_equal(sem_init(&node->done, 0, 0), 0);
    for (unsigned i = 0; i < 2; i++) {
        struct weft_core *core = aligned_alloc(WEFT_CORE_ALIGN, sizeof(struct weft_core));
        weft_core_init(core, &node->group, (uint16_t)i, &node->clock, WEFT_LOG_INFO);
        assert_int_equal(weft_sleeper_epoll_open(&node->sleeper[i]), 0);
        core->sleeper = weft_sleeper_epoll_interface(&node->sleeper[i]);
        // Sleeps at once and for long: the test is about being woken.
        core->idle_polls = 0;
        core->idle_yields = 0;
        core->idle_sleep_ns = LONG_SLEEP_NS;
        core->idle_sleep_max_ns = LONG_SLEEP_NS;
        node->core[i] = core;
        node->thread[i].core = core;
        node->thread[i].self = node;
    }
    assert_int_equal(weft_core_group_connect(&node->group), 0);
}

static void node_close(struct node *node)
{
    weft_core_group_destroy(&node->group);
    for (unsigned i = 0; i < 2; i++) {
        weft_sleeper_epoll_close(&node->sleeper[i]);
        free(node->core[i]);
    }
    sem_destroy(&node->done);
}

static void start_both(struct node *node)
{
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(weft_core_thread_start(&node->thread[i]), 0);
}

static void stop_both(struct node *node)
{
    for (unsigned i = 0; i < 2; i++)
        weft_core_thread_stop(&node->thread[i]);
}

static int wait_for(struct node *node)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += TIMEOUT_S;
    int status;
    while ((status = sem_timedwait(&node->done, &until)) != 0 && errno == EINTR)
        continue;
    return status;
}

// A slow machine takes its time; but somebody always gets on.
static void wait_done(struct node *node)
{
    for (unsigned before = node->count; wait_for(node) != 0; before = node->count) {
        if (node->count == before) fail_msg("asleep after %u rounds: a wake-up was lost", before);
    }
}

static bool is_last(const struct node *node, uint64_t round)
{
    return round == node->limit ||
           (round % 64 == 0 && weft_clock_now_ns(&node->clock) > node->until_ns);
}

// Each side answers the other and falls asleep at once: every round is a chance to miss the bell.
static void answer(struct weft_core *core, void *self, uint64_t round)
{
    struct node *node = self;
    atomic_store(&node->count, (unsigned)round);
    // Sleeps at once, or almost: the answer comes before, while and after the core falls asleep.
    core->idle_yields = (uint32_t)(round / 2 % 4);
    if (is_last(node, round))
        sem_post(&node->done);
    else
        assert_int_equal(weft_core_call(core, 1 - core->index, answer, node, round + 1), 0);
}

static void no_wake_up_is_lost_between_cores(void **state)
{
    (void)state;
    static struct node node;
    node_open(&node);
    node.limit = 100000;
    start_both(&node);
    assert_int_equal(weft_core_post_call(node.core[0], answer, &node, 1), 0);
    wait_done(&node);
    stop_both(&node);
    assert_true(weft_counter_get(&node.core[0]->stats.sleep_count) > 0); // How often is luck.
    node_close(&node);
}

// A sleep without a system call, which would be a fence of its own and hide a missing one.
struct light_sleeper {
    _Atomic bool rung;
    _Atomic bool lost;
};

static void light_sleep(void *self, uint64_t timeout_ns)
{
    (void)timeout_ns;
    struct light_sleeper *sleeper = self;
    const struct weft_clock clock = weft_clock_linux();
    const uint64_t start_ns = weft_clock_now_ns(&clock);
    for (unsigned n = 1; !atomic_exchange(&sleeper->rung, false); n++) {
        if (n % 256 != 0) continue;
        sched_yield();
        if (weft_clock_now_ns(&clock) - start_ns < TIMEOUT_S * WEFT_NS_PER_S / 2) continue;
        atomic_store(&sleeper->lost, true);
        return;
    }
}

static void light_wake(void *self)
{
    atomic_store(&((struct light_sleeper *)self)->rung, true);
}

static void no_wake_up_is_lost_without_a_system_call(void **state)
{
    (void)state;
    static struct node node;
    static struct light_sleeper sleepers[2];
    node_open(&node);
    node.limit = 200000;
    for (unsigned i = 0; i < 2; i++) {
        node.core[i]->sleeper =
            (struct weft_sleeper){.sleep = light_sleep, .wake = light_wake, .self = &sleepers[i]};
    }
    start_both(&node);
    assert_int_equal(weft_core_post_call(node.core[0], answer, &node, 1), 0);
    wait_done(&node);
    stop_both(&node);
    assert_false(sleepers[0].lost || sleepers[1].lost);
    node_close(&node);
}

static void count_post(struct weft_core *core, void *self, uint64_t argument)
{
    (void)core, (void)argument;
    struct node *node = self;
    if (atomic_fetch_add(&node->count, 1) + 1 == node->limit) sem_post(&node->done);
}

static void no_wake_up_is_lost_from_a_foreign_thread(void **state)
{
    (void)state;
    static struct node node;
    node_open(&node);
    node.limit = 3000;
    start_both(&node);
    for (unsigned i = 0; i < node.limit; i++) {
        while (weft_core_post_call(node.core[i % 2], count_post, &node, 0) != 0)
            sched_yield();
        // Wait for every other one, so that the core sleeps again in between.
        while (i % 2 == 0 && atomic_load(&node.count) <= i)
            sched_yield();
    }
    wait_done(&node);
    stop_both(&node);
    node_close(&node);
}

struct errand_round {
    struct weft_core_errand errand;
    struct node *node;
};

// The same by errands: one, in one memory, from core to core.
static void carry_on(struct weft_core *core, void *self, uint64_t round)
{
    struct errand_round *carried = self;
    struct node *node = carried->node;
    atomic_store(&node->count, (unsigned)round);
    core->idle_yields = (uint32_t)(round / 2 % 4);
    if (is_last(node, round)) {
        sem_post(&node->done);
        return;
    }
    carried->errand.argument = round + 1;
    weft_core_errand_give(node->core[1 - core->index], &carried->errand);
}

static void no_wake_up_is_lost_by_errands(void **state)
{
    (void)state;
    static struct node node;
    static struct errand_round carried;
    node_open(&node);
    node.limit = 20000;
    carried.node = &node;
    carried.errand = (struct weft_core_errand){.run = carry_on, .self = &carried, .argument = 1};
    start_both(&node);
    weft_core_errand_give(node.core[0], &carried.errand);
    wait_done(&node);
    stop_both(&node);
    node_close(&node);
}

struct bell {
    struct node *node;
    int fd;
};

static uint32_t bell_poll(void *self, uint64_t now_ns)
{
    (void)now_ns;
    const struct bell *bell = self;
    uint64_t rings;
    if (read(bell->fd, &rings, sizeof(rings)) != sizeof(rings)) return 0;
    sem_post(&bell->node->done);
    return 1;
}

static int bell_fd(void *self)
{
    return ((struct bell *)self)->fd;
}

static void a_doorbell_ends_a_sleep(void **state)
{
    (void)state;
    static struct node node;
    node_open(&node);
    struct bell bell = {.node = &node, .fd = eventfd(0, EFD_NONBLOCK)};
    const struct weft_poller poller = {.poll = bell_poll, .doorbell_fd = bell_fd, .self = &bell};
    assert_int_equal(weft_core_add_poller(node.core[0], &poller), 0);
    assert_int_equal(weft_core_thread_start(&node.thread[0]), 0);
    for (unsigned i = 0; i < 100; i++) {
        const uint64_t one = 1;
        assert_int_equal(write(bell.fd, &one, sizeof(one)), sizeof(one));
        wait_done(&node);
    }
    weft_core_thread_stop(&node.thread[0]);
    close(bell.fd);
    node_close(&node);
}

static void timer_fired(void *self, struct weft_timer *timer, uint64_t now_ns)
{
    (void)timer, (void)now_ns;
    sem_post(&((struct node *)self)->done);
}

static void a_timer_ends_a_sleep(void **state)
{
    (void)state;
    static struct node node;
    struct weft_timer timer;
    node_open(&node);
    weft_timer_init(&timer, timer_fired, &node);
    weft_wheel_arm(&node.core[0]->wheel, &timer, node.core[0]->now_ns + 5 * WEFT_NS_PER_MS);
    assert_int_equal(weft_core_thread_start(&node.thread[0]), 0);
    wait_done(&node);
    weft_core_thread_stop(&node.thread[0]);
    node_close(&node);
}

static int refuse(struct weft_core *core, void *self)
{
    (void)core, (void)self;
    return -EPERM;
}

static int note_enter(struct weft_core *core, void *self)
{
    (void)core;
    struct node *node = self;
    cpu_set_t cpus;
    assert_int_equal(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
    node->count += 1 + (CPU_COUNT(&cpus) == 1 ? 10 : 0);
    return 0;
}

static void note_leave(struct weft_core *core, void *self)
{
    (void)core;
    ((struct node *)self)->count += 100;
}

static int first_cpu(void)
{
    cpu_set_t cpus;
    assert_int_equal(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &cpus)) return cpu;
    }
    return -1;
}

static void a_thread_enters_pinned_and_leaves(void **state)
{
    (void)state;
    static struct node node;
    node_open(&node);
    node.thread[0].enter = note_enter;
    node.thread[0].leave = note_leave;
    node.core[0]->cpu = (int16_t)first_cpu();
    assert_int_equal(weft_core_thread_start(&node.thread[0]), 0);
    assert_int_equal(node.count, 11);
    weft_core_thread_stop(&node.thread[0]); // Ends a sleep of half a minute.
    assert_int_equal(node.count, 111);

    node.thread[1].enter = refuse;
    assert_int_equal(weft_core_thread_start(&node.thread[1]), -EPERM);
    node.thread[1].enter = NULL;
    node.core[1]->cpu = CPU_SETSIZE - 1; // No such CPU.
    assert_int_equal(weft_core_thread_start(&node.thread[1]), -EINVAL);
    node_close(&node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_wake_up_is_lost_between_cores),
        cmocka_unit_test(no_wake_up_is_lost_without_a_system_call),
        cmocka_unit_test(no_wake_up_is_lost_from_a_foreign_thread),
        cmocka_unit_test(no_wake_up_is_lost_by_errands),
        cmocka_unit_test(a_doorbell_ends_a_sleep),
        cmocka_unit_test(a_timer_ends_a_sleep),
        cmocka_unit_test(a_thread_enters_pinned_and_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
