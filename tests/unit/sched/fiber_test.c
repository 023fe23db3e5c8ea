// Fibers: registers survive a switch, slices park and go on, and a loop without a spare stack says
// so.
#include "tests/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/units.h"
#include "runtime/sched/core.h"

// ---- The switch alone.

struct pair {
    struct weft_fiber own, other; // The test's, and the fiber's.
    uint64_t seen, rounds;
};

// What a compiler keeps in registers across the switch: sums of each kind, whole and fractional.
// Told apart by `salt`, so that two stacks hold different ones at the same time.
__attribute__((noinline)) static double churn(struct pair *pair, struct weft_fiber *from,
                                              struct weft_fiber *to, uint64_t salt)
{
    uint64_t a = salt, b = salt * 3, c = salt * 5, d = salt * 7, e = salt * 11, f = salt * 13;
    double g = (double)salt, h = g * 0.5, i = g * 0.25, j = g * 0.125;
    for (unsigned n = 0; n < 100; n++) {
        a += b ^ n, b += c, c += d, d += e, e += f, f += a;
        g += h, h += i, i += j, j += 1;
        pair->rounds++;
        weft_fiber_switch(from, to);
    }
    return (double)(a ^ b ^ c ^ d ^ e ^ f) + g + h + i + j;
}

static double expected(uint64_t salt)
{
    struct pair pair = {0};
    uint64_t a = salt, b = salt * 3, c = salt * 5, d = salt * 7, e = salt * 11, f = salt * 13;
    double g = (double)salt, h = g * 0.5, i = g * 0.25, j = g * 0.125;
    (void)pair;
    for (unsigned n = 0; n < 100; n++) {
        a += b ^ n, b += c, c += d, d += e, e += f, f += a;
        g += h, h += i, i += j, j += 1;
    }
    return (double)(a ^ b ^ c ^ d ^ e ^ f) + g + h + i + j;
}

static double other_result;
static unsigned misplaced; // An assertion would jump out over another stack.

static void other_entry(struct weft_fiber *from, struct weft_fiber *self)
{
    struct pair *pair = WEFT_CONTAINER_OF(self, struct pair, other);
    weft_fiber_entered();
    misplaced = (unsigned)((uintptr_t)__builtin_frame_address(0) % 16);
    if (from != &pair->own) misplaced |= 16;
    other_result = churn(pair, &pair->other, &pair->own, 1000003);
    weft_fiber_end(&pair->other, &pair->own);
}

static void registers_survive(void **state)
{
    (void)state;
    struct weft_stacks *stacks = weft_stacks_create(64, WEFT_STACK_PAGES);
    void *stack = weft_stacks_take(stacks);
    struct pair pair = {.seen = 0};
    weft_fiber_prepare(&pair.other, weft_stacks_limit((uint8_t *)stack + 5000),
                       weft_stacks_top(stack), other_entry);
    const double own = churn(&pair, &pair.own, &pair.other, 17);
    weft_fiber_switch(&pair.own, &pair.other); // It ends, and is back here.
    weft_fiber_shadow_drop(&pair.other);
    assert_int_equal(misplaced, 0);
    assert_int_equal(pair.rounds, 200);
    assert_true(own == expected(17));
    assert_true(other_result == expected(1000003));
    weft_stacks_release(stacks, stack);
    weft_stacks_free(stacks);
}

// ---- Slices that park.

struct rig {
    uint64_t now_ns;
    struct weft_clock clock;
    struct weft_core_group group;
    struct weft_core *core;
    struct weft_stacks *stacks;
    char trace[4096];
};

static uint64_t rig_now(void *self)
{
    return ((struct rig *)self)->now_ns;
}

static void rig_open(struct rig *rig, uint32_t stack_count)
{
    memset(rig, 0, sizeof(*rig));
    rig->clock = (struct weft_clock){.now_ns = rig_now, .self = rig};
    rig->core = aligned_alloc(WEFT_CORE_ALIGN, sizeof(struct weft_core));
    weft_core_init(rig->core, &rig->group, 0, &rig->clock, WEFT_LOG_INFO);
    if (stack_count == 0) return;
    rig->stacks = weft_stacks_create(stack_count, WEFT_STACK_PAGES);
    rig->core->stacks = rig->stacks;
}

static void rig_close(struct rig *rig)
{
    if (rig->stacks != NULL) {
        weft_core_drop_stacks(rig->core);
        assert_int_equal(weft_stacks_view(rig->stacks).used, 0);
        weft_stacks_free(rig->stacks);
    }
    free(rig->core);
}

struct walker { // A task that waits `waits` times in the middle of what it does.
    struct weft_task task;
    struct rig *rig;
    struct weft_fiber fiber;
    void *stack;
    char letter;
    unsigned waits;
    bool is_over, was_refused, was_spoilt;
};

static void note(struct walker *walker, char letter)
{
    strncat(walker->rig->trace, &letter, 1);
}

static void walk(struct weft_core *core, struct walker *walker)
{
    volatile uint64_t kept[16];
    for (unsigned i = 0; i < 16; i++)
        kept[i] = (uint64_t)walker->letter * i;
    for (unsigned i = 0; i < walker->waits; i++) {
        note(walker, walker->letter);
        if (walker->stack == NULL && !core->run.may_park) {
            walker->was_refused = true;
            return;
        }
        weft_core_ready(core, &walker->task); // A yield.
        weft_core_park(core, &walker->fiber, &walker->stack);
    }
    for (unsigned i = 0; i < 16; i++)
        walker->was_spoilt |= kept[i] != (uint64_t)walker->letter * i;
    note(walker, (char)(walker->letter - 'a' + 'A'));
}

static void walker_back(void *self)
{
    struct walker *walker = self;
    if (!walker->is_over) return; // It is queued again, by its own doing.
    assert_false(walker->was_spoilt);
    if (walker->stack != NULL) {
        weft_fiber_shadow_drop(&walker->fiber);
        weft_stacks_release(walker->rig->stacks, walker->stack);
        walker->stack = NULL;
    }
}

static bool walker_run(struct weft_core *core, struct weft_task *task)
{
    struct walker *walker = WEFT_CONTAINER_OF(task, struct walker, task);
    core->run.left -= 100;
    if (walker->stack != NULL) {
        weft_core_resume(core, &walker->fiber, walker_back, walker);
        return false;
    }
    walk(core, walker);
    walker->is_over = true;
    if (walker->stack != NULL) weft_core_leave(core, &walker->fiber);
    walker_back(walker);
    return false;
}

static void start(struct rig *rig, struct walker *walker, char letter, unsigned waits)
{
    *walker = (struct walker){.rig = rig, .letter = letter, .waits = waits};
    weft_task_init(&walker->task, walker_run, WEFT_PRIORITY_NORMAL);
    weft_core_ready(rig->core, &walker->task);
}

static void slices_park_and_go_on(void **state)
{
    (void)state;
    static struct rig rig;
    struct walker walkers[3];
    rig_open(&rig, 64);
    start(&rig, &walkers[0], 'a', 2);
    start(&rig, &walkers[1], 'b', 0); // Never waits: it leaves the loop its stack.
    start(&rig, &walkers[2], 'c', 3);
    assert_true(weft_core_turn(rig.core));
    assert_string_equal(rig.trace, "aBcacAcC");
    // Two have kept a stack each, the loop took a third and has one to spare.
    assert_int_equal(weft_stacks_view(rig.stacks).made, 4);
    assert_int_equal(weft_counter_get(&rig.core->stats.slice_count), 8);
    assert_int_equal(weft_counter_get(&rig.core->stats.reduction_count), 800);
    assert_false(weft_core_turn(rig.core));
    rig_close(&rig);
}

static void a_turn_ends_when_its_reductions_are_spent(void **state)
{
    (void)state;
    static struct rig rig;
    struct walker walkers[2];
    rig_open(&rig, 64);
    start(&rig, &walkers[0], 'a', 200);
    start(&rig, &walkers[1], 'b', 200);
    while (weft_core_turn(rig.core))
        assert_in_range(weft_counter_get(&rig.core->stats.reduction_count) % WEFT_TURN_REDUCTIONS,
                        0, WEFT_TURN_REDUCTIONS - 1);
    assert_int_equal(weft_counter_get(&rig.core->stats.slice_count), 402);
    // 134 slices of 100, and 20 for each, are a turn; then one that finds nothing.
    assert_int_equal(weft_counter_get(&rig.core->stats.turn_count), 4);
    assert_int_equal(strlen(rig.trace), 402);
    rig_close(&rig);
}

static void without_a_spare_stack_nobody_may_park(void **state)
{
    (void)state;
    static struct rig rig;
    static struct walker walkers[70];
    rig_open(&rig, 0);
    start(&rig, &walkers[0], 'a', 2);
    weft_core_turn(rig.core);
    assert_true(walkers[0].was_refused);
    rig_close(&rig);

    rig_open(&rig, 64);
    for (unsigned i = 0; i < 70; i++)
        start(&rig, &walkers[i], 'b', 3);
    while (weft_core_turn(rig.core))
        continue;
    unsigned refused = 0;
    for (unsigned i = 0; i < 70; i++)
        refused += walkers[i].was_refused;
    assert_int_equal(refused, 7); // 63 were kept and the loop has the last; those 63 went on.
    assert_int_equal(strlen(rig.trace), 63 * 4 + 7);
    rig_close(&rig);
}

static bool quitter_run(struct weft_core *core, struct weft_task *task)
{
    struct walker *walker = WEFT_CONTAINER_OF(task, struct walker, task);
    note(walker, walker->letter);
    core->run.left -= 100;
    weft_core_abandon(core);
}

static void a_slice_can_be_given_up(void **state)
{
    (void)state;
    static struct rig rig;
    struct walker quitters[3], walker;
    rig_open(&rig, 64);
    for (unsigned i = 0; i < 3; i++) {
        start(&rig, &quitters[i], (char)('x' + i), 0);
        quitters[i].task.run = quitter_run;
    }
    start(&rig, &walker, 'a', 1);
    assert_true(weft_core_turn(rig.core));
    assert_string_equal(rig.trace, "xyzaA");
    assert_int_equal(weft_counter_get(&rig.core->stats.slice_count), 5);
    assert_int_equal(weft_counter_get(&rig.core->stats.reduction_count), 500);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_survive),
        cmocka_unit_test(slices_park_and_go_on),
        cmocka_unit_test(a_turn_ends_when_its_reductions_are_spent),
        cmocka_unit_test(without_a_spare_stack_nobody_may_park),
        cmocka_unit_test(a_slice_can_be_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
