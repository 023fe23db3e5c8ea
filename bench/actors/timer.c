// timer.c: messages that come later: what they cost, how late they are, how many a second.
#include <math.h>
#include <stdlib.h>

#include "bench/actors/rows.h"
#include "bench/context.h"
#include "runtime/base/prng.h"

#define NS_PER_MS UINT64_C(1000000)

enum { TICK = 1, RUNS = 5, ROUNDS = 3, PER_ROUND = 2000 };

static uint64_t *array(uint64_t count)
{
    uint64_t *values = malloc(count * sizeof(*values));
    CHECK(values != NULL);
    return values;
}

struct cost {
    double cpu, wall;
};

static struct cost best_of(struct cost best, uint64_t cpu_ns, uint64_t wall_ns, uint64_t count)
{
    const uint64_t cpu = weft_bench_actors_cpu_ns() - cpu_ns;
    const uint64_t wall = weft_bench_actors_now_ns() - wall_ns;
    return (struct cost){.cpu = fmin(best.cpu, (double)cpu / (double)count),
                         .wall = fmin(best.wall, (double)wall / (double)count)};
}

static void arm_all(struct weft_actor *self, uint64_t *references, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t delay_ms = 60000 + i % 100000;
        CHECK(weft_send_after(self, weft_self(self), delay_ms * NS_PER_MS, TICK, NULL, 0,
                              &references[i]) == 0);
        weft_bench_pace(self, i);
    }
}

static void cancel_all(struct weft_actor *self, const uint64_t *references, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        CHECK(weft_timer_cancel(self, references[i]) == 0);
        weft_bench_pace(self, i);
    }
}

// Half a million stand at a time, a minute and more ahead.
static void arm_and_cancel(struct weft_actor *self)
{
    const uint64_t count = weft_bench_actors_is_quick() ? 50000 : 500000;
    uint64_t *references = array(count);
    struct cost arm = {INFINITY, INFINITY}, cancel = arm;
    for (unsigned run = 0; run < RUNS; run++) {
        uint64_t cpu_ns = weft_bench_actors_cpu_ns(), wall_ns = weft_bench_actors_now_ns();
        arm_all(self, references, count);
        arm = best_of(arm, cpu_ns, wall_ns, count);
        cpu_ns = weft_bench_actors_cpu_ns();
        wall_ns = weft_bench_actors_now_ns();
        cancel_all(self, references, count);
        cancel = best_of(cancel, cpu_ns, wall_ns, count);
    }
    weft_bench_actors_time("timer_arm", 40, arm.cpu, arm.wall);
    weft_bench_actors_time("timer_cancel", 20, cancel.cpu, cancel.wall);
    free(references);
}

static void fire_at_once(struct weft_actor *self, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        CHECK(weft_send_after(self, weft_self(self), 0, TICK, NULL, 0, NULL) == 0);
        weft_bench_pace(self, i);
    }
    weft_bench_expect(self, count);
}

// Due 11 to 510 ms after they are armed, 2 000 at a time. Late by the clock, not by the turn's
// time.
static void lateness(struct weft_actor *self)
{
    const unsigned rounds = weft_bench_actors_is_quick() ? 1 : ROUNDS;
    uint64_t *late_ns = array((uint64_t)rounds * PER_ROUND), count = 0;
    struct weft_prng prng;
    weft_prng_seed(&prng, 1);
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < PER_ROUND; i++) {
            const uint64_t delay_ns = (11 + weft_prng_below(&prng, 500)) * NS_PER_MS;
            const uint64_t due_ns = weft_now_ns(self) + delay_ns;
            CHECK(weft_send_after(self, weft_self(self), delay_ns, TICK, &due_ns, sizeof(due_ns),
                                  NULL) == 0);
        }
        for (unsigned i = 0; i < PER_ROUND; i++) {
            const struct weft_message *tick = weft_receive(self, WEFT_FOREVER);
            const uint64_t now_ns = weft_bench_actors_now_ns();
            const uint64_t due_ns = *(const uint64_t *)(const void *)tick->payload;
            CHECK(now_ns >= due_ns);
            late_ns[count++] = now_ns - due_ns;
        }
    }
    const double p50_us = (double)weft_bench_percentile(late_ns, count, 500) / 1e3;
    const double p99_us = (double)weft_bench_percentile(late_ns, count, 990) / 1e3;
    weft_bench_actors_value(self, "timer_late_p50", 80, p50_us, "us");
    weft_bench_actors_value(self, "timer_late_p99", 900, p99_us, "us");
    free(late_ns);
}

// Each due 1 001 to 2 000 ms after it was armed; the time from the first to be armed until all have
// come.
static void a_million(struct weft_actor *self)
{
    const uint64_t count = 1000000, begun_ns = weft_bench_actors_now_ns();
    struct weft_prng prng;
    weft_prng_seed(&prng, 2);
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t delay_ns = (1001 + weft_prng_below(&prng, 1000)) * NS_PER_MS;
        CHECK(weft_send_after(self, weft_self(self), delay_ns, TICK, NULL, 0, NULL) == 0);
        weft_bench_pace(self, i);
    }
    const double armed_ns = (double)(weft_bench_actors_now_ns() - begun_ns);
    weft_bench_expect(self, count);
    const double done_ms = (double)(weft_bench_actors_now_ns() - begun_ns) / 1e6;
    weft_bench_actors_value(self, "timer_1M_fire_in_1s_done_at", 2020, done_ms, "ms");
    weft_bench_actors_time("timer_1M_arm", 0, NAN, armed_ns / (double)count);
}

void weft_bench_group_timer(struct weft_actor *self)
{
    if (weft_bench_actors_wants("timer_arm")) arm_and_cancel(self);
    weft_bench_actors_row(self, "timer_arm_fire_zero", 0, fire_at_once, 500000);
    if (weft_bench_actors_wants("timer_late")) lateness(self);
    if (weft_bench_actors_wants("timer_1M") && !weft_bench_actors_is_quick()) a_million(self);
}
