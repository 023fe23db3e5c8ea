// When every core has let go of what was taken out: turn by turn, asleep, and on threads.
#include "tests/support/cmocka.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/base/units.h"
#include "runtime/sched/core_thread.h"
#include "runtime/sched/quiesce.h"
#include "runtime/sched/sleeper_epoll.h"

#define CORES 3

struct node {
    struct weft_clock clock;
    struct weft_core_group group;
    struct weft_core *core[CORES];
};

static void node_open(struct node *node)
{
    memset(node, 0, sizeof(*node));
    node->clock = weft_clock_linux();
    for (unsigned i = 0; i < CORES; i++) {
        node->core[i] = aligned_alloc(WEFT_CORE_ALIGN, sizeof(struct weft_core));
        weft_core_init(node->core[i], &node->group, (uint16_t)i, &node->clock, WEFT_LOG_INFO);
    }
    assert_int_equal(weft_core_group_connect(&node->group), 0);
}

static void node_close(struct node *node)
{
    weft_core_group_destroy(&node->group);
    for (unsigned i = 0; i < CORES; i++)
        free(node->core[i]);
}

static void over_when_all_have_ended_a_turn_or_sleep(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t mask;
        const char *before, *after; // Cores that turn before and after something is retired.
        const char *asleep;
        bool over;
    } cases[] = {
        {"nobody has turned", 7, "", "", "", false},
        {"turns before do not count", 7, "012012", "", "", false},
        {"one is missing", 7, "", "02", "", false},
        {"all have turned", 7, "", "102", "", true},
        {"twice is once", 7, "", "0011", "", false},
        {"one sleeps", 7, "", "02", "1", true},
        {"all sleep", 7, "", "", "012", true},
        {"one that sleeps and turns", 7, "", "02", "2", false},
        {"who is not asked does not matter", 5, "", "20", "", true},
        {"one core", 1, "", "0", "", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static struct node node;
        node_open(&node);
        for (const char *at = cases[i].before; *at != '\0'; at++)
            weft_core_turn(node.core[*at - '0']);
        const uint64_t epoch = weft_quiesce_begin(&node.group);
        for (const char *at = cases[i].after; *at != '\0'; at++)
            weft_core_turn(node.core[*at - '0']);
        for (const char *at = cases[i].asleep; *at != '\0'; at++)
            atomic_store(&node.core[*at - '0']->asleep, 1);
        if (weft_quiesce_is_over(&node.group, cases[i].mask, epoch) != cases[i].over)
            fail_msg("%s", cases[i].name);
        for (unsigned core = 0; core < CORES; core++)
            weft_core_turn(node.core[core]);
        assert_true(weft_quiesce_is_over(&node.group, cases[i].mask, epoch)); // And it stays so.
        assert_false(weft_quiesce_is_over(&node.group, 7, weft_quiesce_begin(&node.group)) &&
                     cases[i].asleep[0] == '\0');
        node_close(&node);
    }
}

// ---- On threads: a core reads a word by way of a shared pointer, each turn; another one takes the
// word out, waits, and only then spoils it. Nobody must read a spoilt word.

#define WORDS 64
#define SWAPS 3000

static struct {
    _Atomic(_Atomic uint64_t *) shared;
    _Atomic uint64_t words[WORDS];
    _Atomic uint64_t reads;
} table;

enum { FINE = 7, SPOILT = 9 };

static uint32_t read_word(void *self, uint64_t now_ns)
{
    (void)self, (void)now_ns;
    _Atomic uint64_t *word = atomic_load_explicit(&table.shared, memory_order_acquire);
    for (unsigned i = 0; i < 20; i++)
        weft_assert(atomic_load_explicit(word, memory_order_relaxed) == FINE);
    atomic_fetch_add_explicit(&table.reads, 1, memory_order_relaxed);
    return 0; // Nothing found: now and then the core sleeps.
}

static void nobody_reads_what_is_gone(void **state)
{
    (void)state;
    static struct node node;
    struct weft_core_thread threads[CORES] = {0};
    struct weft_sleeper_epoll sleepers[CORES];
    const struct weft_poller poller = {.name = "reader", .poll = read_word};
    node_open(&node);
    for (unsigned i = 0; i < WORDS; i++)
        atomic_init(&table.words[i], SPOILT);
    atomic_store(&table.words[0], FINE);
    atomic_store(&table.shared, &table.words[0]);
    for (unsigned i = 0; i < 2; i++) { // The third core is us, and sleeps all the time.
        assert_int_equal(weft_core_add_poller(node.core[i], &poller), 0);
        assert_int_equal(weft_sleeper_epoll_open(&sleepers[i]), 0);
        node.core[i]->sleeper = weft_sleeper_epoll_interface(&sleepers[i]);
        node.core[i]->idle_polls = 3;
        node.core[i]->idle_yields = 1;
        threads[i].core = node.core[i];
        assert_int_equal(weft_core_thread_start(&threads[i]), 0);
    }
    for (unsigned i = 1; i <= SWAPS; i++) {
        _Atomic uint64_t *next = &table.words[i % WORDS], *old = atomic_load(&table.shared);
        atomic_store_explicit(next, FINE, memory_order_relaxed);
        atomic_store_explicit(&table.shared, next, memory_order_release);
        const uint64_t epoch = weft_quiesce_begin(&node.group);
        while (!weft_quiesce_is_over(&node.group, 3, epoch))
            sched_yield();
        atomic_store_explicit(old, SPOILT, memory_order_relaxed);
        if (i % 16 == 0) weft_core_wake(node.core[i / 16 % 2]);
    }
    for (unsigned i = 0; i < 2; i++) {
        weft_core_thread_stop(&threads[i]);
        weft_sleeper_epoll_close(&sleepers[i]);
    }
    assert_true(atomic_load(&table.reads) > 0);
    node_close(&node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(over_when_all_have_ended_a_turn_or_sleep),
        cmocka_unit_test(nobody_reads_what_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
