// When timers fire: case by case, then against a sorted model under random arms, cancels and jumps.
#include "tests/support/cmocka.h"

#include "runtime/base/prng.h"
#include "runtime/base/units.h"
#include "runtime/sched/wheel.h"

#define TICK WEFT_WHEEL_TICK_NS

static void count_fired(void *self, struct weft_timer *timer, uint64_t now_ns)
{
    (void)timer, (void)now_ns;
    ++*(unsigned *)self;
}

static void fires_at_or_after_its_time(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t start_ns, due_ns, at_ns;
        unsigned fired;
    } cases[] = {
        {"a nanosecond early", 0, 5 * TICK, 5 * TICK - 1, 0},
        {"on time", 0, 5 * TICK, 5 * TICK, 1},
        {"between two slots: the later", 0, 5 * TICK + 1, 5 * TICK + 1, 0},
        {"between two slots, one slot late", 0, 5 * TICK + 1, 6 * TICK, 1},
        {"the past fires in the next slot", 10 * TICK, 0, 11 * TICK, 1},
        {"the second wheel", 0, 300 * TICK, 300 * TICK, 1},
        {"the second wheel, early", 0, 300 * TICK, 299 * TICK, 0},
        {"the third wheel", 0, 70000 * TICK, 70000 * TICK, 1},
        {"the third wheel, early", 0, 70000 * TICK, 69999 * TICK, 0},
        {"the fourth wheel", 0, 20000000 * TICK, 20000000 * TICK, 1},
        {"the fourth wheel, early", 0, 20000000 * TICK, 19999999 * TICK, 0},
        {"beyond every wheel", 0, 9000000000 * TICK, 9000000000 * TICK, 1},
        {"beyond every wheel, early", 0, 9000000000 * TICK, 8999999999 * TICK, 0},
        {"never", 0, UINT64_MAX, 9000000000 * TICK, 0},
        {"a clock that stands before the start", 10 * TICK, 0, 3 * TICK, 0},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        static struct weft_wheel wheel;
        struct weft_timer timer;
        unsigned fired = 0;
        weft_wheel_init(&wheel, cases[i].start_ns);
        weft_timer_init(&timer, count_fired, &fired);
        weft_wheel_arm(&wheel, &timer, cases[i].due_ns);
        assert_true(weft_timer_armed(&timer));
        if (weft_wheel_expire(&wheel, cases[i].at_ns, 10) != cases[i].fired ||
            fired != cases[i].fired || weft_timer_armed(&timer) == (fired == 1))
            fail_msg("%s", cases[i].name);
    }
}

static void cancels_and_moves(void **state)
{
    (void)state;
    static struct weft_wheel wheel;
    struct weft_timer timer;
    unsigned fired = 0;
    weft_wheel_init(&wheel, 0);
    weft_timer_init(&timer, count_fired, &fired);
    assert_int_equal(weft_wheel_next_ns(&wheel), UINT64_MAX);
    weft_wheel_cancel(&wheel, &timer); // Not armed: harmless.
    weft_wheel_arm(&wheel, &timer, 5 * TICK);
    assert_int_equal(weft_wheel_next_ns(&wheel), 5 * TICK);
    weft_wheel_arm(&wheel, &timer, 9 * TICK); // Moves.
    assert_int_equal(wheel.armed_count, 1);
    assert_int_equal(weft_wheel_expire(&wheel, 8 * TICK, 10), 0);
    weft_wheel_cancel(&wheel, &timer);
    assert_int_equal(weft_wheel_next_ns(&wheel), UINT64_MAX);
    assert_int_equal(weft_wheel_expire(&wheel, 20 * TICK, 10), 0);
    assert_int_equal(fired, 0);
}

static void the_limit_leaves_the_rest_for_the_next_call(void **state)
{
    (void)state;
    static struct weft_wheel wheel;
    struct weft_timer timers[5];
    unsigned fired = 0;
    weft_wheel_init(&wheel, 0);
    for (unsigned i = 0; i < 5; i++) {
        weft_timer_init(&timers[i], count_fired, &fired);
        weft_wheel_arm(&wheel, &timers[i], 3 * TICK);
    }
    assert_int_equal(weft_wheel_expire(&wheel, 10 * TICK, 2), 2);
    assert_true(weft_wheel_next_ns(&wheel) <= 10 * TICK);
    weft_wheel_cancel(&wheel, &timers[2]); // Cancelled while it waits for its call.
    assert_int_equal(weft_wheel_expire(&wheel, 10 * TICK, 2), 2);
    assert_int_equal(weft_wheel_expire(&wheel, 10 * TICK, 2), 0);
    assert_int_equal(fired, 4);
    assert_int_equal(wheel.armed_count, 0);
}

struct ticker {
    struct weft_wheel *wheel;
    unsigned fired;
};

static void arm_again(void *self, struct weft_timer *timer, uint64_t now_ns)
{
    struct ticker *ticker = self;
    ticker->fired++;
    weft_wheel_arm(ticker->wheel, timer, now_ns); // For now: the next slot, not this call for ever.
}

static void arming_itself_for_now_does_not_loop(void **state)
{
    (void)state;
    static struct weft_wheel wheel;
    struct weft_timer timer;
    struct ticker ticker = {.wheel = &wheel};
    weft_wheel_init(&wheel, 0);
    weft_timer_init(&timer, arm_again, &ticker);
    weft_wheel_arm(&wheel, &timer, TICK);
    for (unsigned i = 1; i <= 10; i++)
        weft_wheel_expire(&wheel, i * TICK, 100);
    assert_in_range(ticker.fired, 9, 10);
}

// Property: each timer fires once, in the first call at or after its slot, and next_ns is never
// late.
#define TIMERS 300

struct model_timer {
    struct weft_timer timer;
    bool armed;
    uint64_t armed_ns; // When it was armed last.
    unsigned seed;
};

static void check_fired(void *self, struct weft_timer *timer, uint64_t now_ns)
{
    struct model_timer *model = self;
    if (!model->armed) fail_msg("seed %u: fired unarmed", model->seed);
    if (now_ns < timer->due_ns) fail_msg("seed %u: fired early", model->seed);
    model->armed = false;
}

static uint64_t random_span_ns(struct weft_prng *prng)
{
    const unsigned bits = weft_prng_below(prng, 56); // Up to 2.3 years.
    return weft_prng_next(prng) & ((UINT64_C(1) << bits) - 1);
}

// The latest time by which a call must have fired it.
static uint64_t latest_ns(const struct model_timer *model, uint64_t start_ns)
{
    const uint64_t due_ns =
        model->timer.due_ns > model->armed_ns ? model->timer.due_ns : model->armed_ns;
    return start_ns + (due_ns - start_ns + 2 * TICK - 1) / TICK * TICK;
}

static void step(struct weft_wheel *wheel, struct model_timer *models, struct weft_prng *prng,
                 uint64_t start_ns, uint64_t *now_ns)
{
    for (unsigned n = weft_prng_below(prng, 8); n > 0; n--) {
        struct model_timer *model = &models[weft_prng_below(prng, TIMERS)];
        model->armed = weft_prng_below(prng, 4) != 0;
        model->armed_ns = *now_ns;
        if (model->armed)
            weft_wheel_arm(wheel, &model->timer, *now_ns + random_span_ns(prng));
        else
            weft_wheel_cancel(wheel, &model->timer);
    }
    const uint64_t next_ns = weft_wheel_next_ns(wheel);
    for (unsigned i = 0; i < TIMERS; i++) {
        if (!models[i].armed) continue;
        if (next_ns > latest_ns(&models[i], start_ns))
            fail_msg("seed %u: next_ns late", models->seed);
    }
    *now_ns += weft_prng_below(prng, 3) == 0 ? random_span_ns(prng) : weft_prng_below(prng, 200000);
    weft_wheel_expire(wheel, *now_ns, UINT32_MAX);
    uint32_t armed = 0;
    for (unsigned i = 0; i < TIMERS; i++) {
        armed += models[i].armed;
        if (models[i].armed != weft_timer_armed(&models[i].timer))
            fail_msg("seed %u", models->seed);
        if (models[i].armed && *now_ns >= latest_ns(&models[i], start_ns))
            fail_msg("seed %u: timer %u missed", models->seed, i);
    }
    if (armed != wheel->armed_count) fail_msg("seed %u: count", models->seed);
}

static void agrees_with_a_sorted_model(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 60; seed++) {
        static struct weft_wheel wheel;
        static struct model_timer models[TIMERS];
        struct weft_prng prng;
        weft_prng_seed(&prng, seed);
        const uint64_t start_ns = weft_prng_next(&prng) >> 20;
        uint64_t now_ns = start_ns;
        weft_wheel_init(&wheel, start_ns);
        for (unsigned i = 0; i < TIMERS; i++) {
            models[i] = (struct model_timer){.seed = seed};
            weft_timer_init(&models[i].timer, check_fired, &models[i]);
        }
        for (unsigned i = 0; i < 300; i++)
            step(&wheel, models, &prng, start_ns, &now_ns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fires_at_or_after_its_time),
        cmocka_unit_test(cancels_and_moves),
        cmocka_unit_test(the_limit_leaves_the_rest_for_the_next_call),
        cmocka_unit_test(arming_itself_for_now_does_not_loop),
        cmocka_unit_test(agrees_with_a_sorted_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
