// idle.c: what a runtime costs that has nothing to do: its one actor sleeps.
#include "bench/actors/rows.h"

#define NS_PER_S UINT64_C(1000000000)

void weft_bench_group_idle(struct weft_actor *self)
{
    weft_sleep(self, NS_PER_S / 10); // The cores have fallen asleep.
    const uint64_t cpu_ns = weft_bench_actors_cpu_ns(), wall_ns = weft_bench_actors_now_ns();
    weft_sleep(self, weft_bench_actors_is_quick() ? NS_PER_S / 5 : 2 * NS_PER_S);
    const double used = (double)(weft_bench_actors_cpu_ns() - cpu_ns);
    const double lasted = (double)(weft_bench_actors_now_ns() - wall_ns);
    weft_bench_actors_value(self, "idle_cpu", 0, 100 * used / lasted, "%");
}
