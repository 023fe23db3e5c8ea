// Stacks that sleep leave their memory and find everything again; a core does not sleep over that.
#include "tests/support/cmocka.h"

#include <weft/weft.h>

#include "tests/unit/actor/cores.h"

enum { CROWD = 1100, FEW = 10, WORDS = 40, TURNS_MAX = 4 * CROWD };

struct sleeper {
    uint64_t number;
    unsigned *found; // Of the test: how many woke with all that they had.
};

// What lives on the stack of a sleeper: words, and in the middle of it a pointer to them.
static void sleep_with(struct weft_actor *self, uint64_t number, unsigned *found)
{
    volatile uint64_t words[WORDS];
    volatile uint64_t *const first = words;
    for (unsigned i = 0; i < WORDS; i++)
        words[i] = number * WORDS + i;
    struct weft_message *message = weft_receive(self, WEFT_FOREVER);
    assert_non_null(message);
    for (unsigned i = 0; i < WORDS; i++)
        assert_int_equal(first[i], number * WORDS + i);
    ++*found;
}

static void sleeper_main(struct weft_actor *self, void *state)
{
    const struct sleeper *sleeper = state;
    sleep_with(self, sleeper->number, sleeper->found);
}

static const struct weft_actor_kind sleeper_kind = {
    .name = "sleeper", .state_bytes = sizeof(struct sleeper), .main = sleeper_main};

// As cores_open, of one core with stacks for a crowd.
static void open_crowd(struct cores *cores)
{
    memset(cores, 0, sizeof(*cores));
    cores->count = 1;
    cores->now_ns = WEFT_NS_PER_S;
    cores->clock = (struct weft_clock){.now_ns = cores_now, .self = cores};
    cores->core[0] = aligned_alloc(WEFT_CORE_ALIGN, sizeof(struct weft_core));
    weft_core_init(cores->core[0], &cores->group, 0, &cores->clock, WEFT_LOG_INFO);
    assert_int_equal(weft_core_group_connect(&cores->group), 0);
    assert_int_equal(weft_actor_node_init(&cores->node, "test", 64), 0);
    cores->arena[0] = weft_arena_create(32 * WEFT_MIB);
    assert_non_null(cores->arena[0]);
    const struct weft_actor_options options = {.core = cores->core[0],
                                               .arena = cores->arena[0],
                                               .node = &cores->node,
                                               .actor_count_max = 2 * CROWD,
                                               .stack_count_max = 2 * CROWD};
    assert_int_equal(weft_actor_system_init(&cores->system[0], &options), 0);
}

static void spawn_sleepers(struct cores *cores, weft_pid *pids, unsigned count, unsigned *found)
{
    for (unsigned i = 0; i < count; i++) {
        const struct sleeper sleeper = {.number = i, .found = found};
        const struct weft_spawn spawn = {.kind = &sleeper_kind, .state = &sleeper};
        assert_int_equal(weft_actor_spawn(&cores->system[0], &spawn, 0, &pids[i]), 0);
    }
    cores_settle(cores);
}

static void wake_all(struct cores *cores, const weft_pid *pids, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct weft_message *message = weft_message_alloc(&cores->system[0], 0);
        assert_non_null(message);
        message->to = pids[i];
        assert_int_equal(weft_actor_send(&cores->system[0], message), 0);
    }
    cores_settle(cores);
}

static uint64_t evicted(const struct cores *cores)
{
    return weft_counter_get(&cores->system[0].stats.evict_count);
}

static void a_crowd_leaves_its_memory_and_finds_it_again(void **state)
{
    (void)state;
#ifdef WEFT_FIBER_SANITIZER
    skip(); // Stacks are watched there, and stay.
#endif
    static struct cores cores;
    static weft_pid pids[CROWD];
    unsigned found = 0, turns = 0;
    open_crowd(&cores);
    for (unsigned round = 1; round <= 2; round++) { // The second on stacks that were emptied once.
        spawn_sleepers(&cores, pids, CROWD, &found);
        assert_int_equal(evicted(&cores), (round - 1) * CROWD); // None of those just made.
        cores.now_ns += 3 * WEFT_NS_PER_S;
        for (turns = 0; turns < TURNS_MAX && evicted(&cores) < round * CROWD; turns++) {
            // A core that has nothing else to do comes back for it by itself.
            if (weft_core_due_ns(cores.core[0]) > cores.now_ns)
                cores.now_ns = weft_core_due_ns(cores.core[0]);
            weft_core_turn(cores.core[0]);
        }
        assert_int_equal(evicted(&cores), round * CROWD);
        wake_all(&cores, pids, CROWD);
        assert_int_equal(found, round * CROWD);
    }
    assert_int_equal(weft_actor_count(&cores.system[0].stats), 0);
    cores_close(&cores);
}

static void killed_while_their_memory_is_elsewhere(void **state)
{
    (void)state;
    static struct cores cores;
    static weft_pid pids[CROWD];
    unsigned found = 0;
    open_crowd(&cores);
    spawn_sleepers(&cores, pids, CROWD, &found);
    cores.now_ns += 3 * WEFT_NS_PER_S;
    for (unsigned turns = 0; turns < TURNS_MAX; turns++)
        weft_core_turn(cores.core[0]);
    for (unsigned i = 0; i < CROWD; i++)
        assert_int_equal(weft_actor_kill(&cores.system[0], pids[i], WEFT_EXIT_KILLED), 0);
    cores_settle(&cores);
    assert_int_equal(found, 0);
    assert_int_equal(weft_actor_count(&cores.system[0].stats), 0);
    cores_close(&cores); // No byte of a copy is left.
}

static void a_core_rests_with_few_and_after_a_crowd(void **state)
{
    (void)state;
    static struct cores cores;
    static weft_pid pids[CROWD];
    unsigned found = 0;
    open_crowd(&cores);
    spawn_sleepers(&cores, pids, FEW, &found);
    cores.now_ns += 3 * WEFT_NS_PER_S;
    cores_settle(&cores);
    assert_int_equal(weft_core_due_ns(cores.core[0]), UINT64_MAX);
    assert_int_equal(evicted(&cores), 0);
    wake_all(&cores, pids, FEW);
    spawn_sleepers(&cores, pids, CROWD, &found);
    wake_all(&cores, pids, CROWD);
    // Once more than the looks at what they have left.
    for (unsigned turns = 0; turns < TURNS_MAX; turns++) {
        cores.now_ns += WEFT_NS_PER_MS;
        weft_core_turn(cores.core[0]);
    }
    assert_int_equal(weft_core_due_ns(cores.core[0]), UINT64_MAX);
    cores_close(&cores);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crowd_leaves_its_memory_and_finds_it_again),
        cmocka_unit_test(killed_while_their_memory_is_elsewhere),
        cmocka_unit_test(a_core_rests_with_few_and_after_a_crowd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
