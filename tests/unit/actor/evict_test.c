// Stacks that sleep give their memory back, and everything on them is there when they wake.
#include "tests/support/cmocka.h"

#include <sys/mman.h>

#include "tests/unit/actor/play.h"

#define SLEEPERS 1500
#define S        WEFT_NS_PER_S

struct sleeper {
    unsigned number, woken;
    bool moves, broken;
    uint64_t at_ns;
};

static struct sleeper sleepers[SLEEPERS];

// Sleeps below `depth` frames, each with something in it that has to be there afterwards.
static void sleep_deep(struct weft_actor *self, struct sleeper *sleeper, unsigned depth)
{
    void (*volatile deeper)(struct weft_actor *, struct sleeper *, unsigned) = sleep_deep;
    volatile uint64_t words[32];
    for (unsigned i = 0; i < 32; i++)
        words[i] = sleeper->number * UINT64_C(0x9e3779b97f4a7c15) + depth * 32 + i;
    if (depth > 0) {
        deeper(self, sleeper, depth - 1);
    } else if (sleeper->number % 2 == 0) {
        weft_receive(self, WEFT_FOREVER);
    } else {
        weft_sleep(self, 10 * S);
        sleeper->at_ns = weft_now_ns(self);
    }
    for (unsigned i = 0; i < 32; i++) {
        if (words[i] != sleeper->number * UINT64_C(0x9e3779b97f4a7c15) + depth * 32 + i)
            sleeper->broken = true;
    }
}

static void sleep_twice(struct weft_actor *self, void *context)
{
    struct sleeper *sleeper = context;
    sleep_deep(self, sleeper, sleeper->number % 20);
    sleeper->woken++;
    if (sleeper->number % 2 == 1) return;
    sleep_deep(self, sleeper, 3);
    sleeper->woken++;
}

// Whether its stack has memory; `otherwise` where the kernel does not say (an emulator's).
static bool is_resident(struct weft_actor *actor, bool otherwise)
{
    unsigned char pages[WEFT_STACK_BYTES / 4096];
    if (mincore(actor->stack, WEFT_STACK_BYTES, pages) != 0) return otherwise;
    for (size_t i = 0; i < sizeof(pages); i++) {
        if (pages[i] & 1) return true;
    }
    return false;
}

static weft_pid pids[SLEEPERS];

static void open_with_sleepers(struct cores *cores, unsigned count, bool checked)
{
    const struct cores_size size = {
        .actors = 4096, .stacks = 4096, .arena_bytes = 64 * WEFT_MIB, .checked_stacks = checked};
    memset(sleepers, 0, sizeof(sleepers));
    cores_open_sized(cores, 2, &size);
    for (unsigned i = 0; i < count; i++) {
        sleepers[i].number = i;
        pids[i] = play_body_on(cores, 0, sleep_twice, &sleepers[i]);
    }
    cores_settle(cores);
}

static void skip_where_it_is_not_done(void)
{
#ifdef WEFT_FIBER_SANITIZER
    print_message("skipped: what lies on a stack is watched by a sanitizer\n");
    skip();
#endif
}

// Time in which the core goes round its slots once.
static void sweep(struct cores *cores, uint64_t ns)
{
    play_for(cores, ns);
    play_for(cores, WEFT_NS_PER_MS);
}

static void check_evicted(struct cores *cores, unsigned from, unsigned count, bool expected)
{
    for (unsigned i = from; i < from + count; i++) {
        struct weft_actor *actor = play_find(cores, pids[i]);
        assert_int_equal((actor->task.flags & WEFT_ACTOR_EVICTED) != 0, expected);
        assert_int_equal(is_resident(actor, !expected), !expected);
    }
}

static void sleepers_give_their_stacks_memory_back(void **state)
{
    (void)state;
    skip_where_it_is_not_done();
    for (unsigned checked = 0; checked < 2; checked++) {
        static struct cores cores;
        open_with_sleepers(&cores, SLEEPERS, checked);
        const uint64_t start_ns = cores.now_ns;
        play_for(&cores, 2 * S);
        check_evicted(&cores, 0, SLEEPERS, false); // Too early.
        sweep(&cores, S);
        check_evicted(&cores, 0, SLEEPERS, true);
        assert_int_equal(weft_counter_get(&cores.system[0].stats.evict_count), SLEEPERS);
        for (unsigned i = 0; i < SLEEPERS; i += 2)
            play_send(&cores, pids[i], 1);
        cores_settle(&cores);
        for (unsigned i = 0; i < SLEEPERS; i++) {
            assert_int_equal(sleepers[i].woken, 1 - i % 2);
            assert_false(sleepers[i].broken);
        }
        check_evicted(&cores, 0, 1, false);
        play_for(&cores, 8 * S); // The others wake by the clock; the first sleep again.
        for (unsigned i = 1; i < SLEEPERS; i += 2) {
            assert_int_equal(sleepers[i].woken, 1);
            assert_false(sleepers[i].broken);
            assert_in_range(sleepers[i].at_ns - start_ns, 10 * S - 1000000, 10 * S + 1000000);
        }
        for (unsigned i = 0; i < SLEEPERS; i += 2)
            play_send(&cores, pids[i], 1);
        cores_settle(&cores);
        for (unsigned i = 0; i < SLEEPERS; i += 2) {
            assert_int_equal(sleepers[i].woken, 2);
            assert_false(sleepers[i].broken);
        }
        play_close(&cores); // The copies too are gone.
    }
}

static void a_few_are_left_alone(void **state)
{
    (void)state;
    skip_where_it_is_not_done();
    static struct cores cores;
    open_with_sleepers(&cores, 500, false);
    play_for(&cores, 5 * S);
    check_evicted(&cores, 0, 500, false);
    for (unsigned i = 0; i < 500; i++)
        play_kill(&cores, pids[i]);
    play_close(&cores);
}

static void who_is_evicted_can_be_killed_and_moved(void **state)
{
    (void)state;
    skip_where_it_is_not_done();
    static struct cores cores;
    open_with_sleepers(&cores, SLEEPERS, false);
    sweep(&cores, 3 * S);
    check_evicted(&cores, 0, SLEEPERS, true);
    for (unsigned i = 0; i < SLEEPERS; i += 4) { // Of four: one is killed, one moved, one both.
        play_kill(&cores, pids[i]);
        assert_int_equal(weft_move_start(play_find(&cores, pids[i + 2]), 1), 0);
        if (i % 8 == 0) play_kill(&cores, pids[i + 2]);
    }
    cores_settle(&cores);
    for (unsigned i = 0; i < SLEEPERS; i += 4) {
        assert_null(play_find(&cores, pids[i]));
        if (i % 8 == 0) {
            assert_null(play_find(&cores, pids[i + 2]));
            continue;
        }
        assert_int_equal(play_find(&cores, pids[i + 2])->system->index, 1);
        play_send(&cores, pids[i + 2], 1);
    }
    cores_settle(&cores);
    for (unsigned i = 4; i < SLEEPERS; i += 8) {
        assert_int_equal(sleepers[i + 2].woken, 1);
        assert_false(sleepers[i + 2].broken);
        play_send(&cores, pids[i + 2], 1);
    }
    play_for(&cores, 10 * S);
    for (unsigned i = 0; i < SLEEPERS; i++)
        assert_false(sleepers[i].broken);
    play_close(&cores);
}

static void a_node_can_end_while_stacks_are_evicted(void **state)
{
    (void)state;
    skip_where_it_is_not_done();
    static struct cores cores;
    open_with_sleepers(&cores, SLEEPERS, false);
    sweep(&cores, 3 * S);
    check_evicted(&cores, 0, SLEEPERS, true);
    cores_close(&cores); // Where both arenas have to be empty.
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sleepers_give_their_stacks_memory_back),
        cmocka_unit_test(a_few_are_left_alone),
        cmocka_unit_test(who_is_evicted_can_be_killed_and_moved),
        cmocka_unit_test(a_node_can_end_while_stacks_are_evicted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
