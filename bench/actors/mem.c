// mem.c: many actors that wait: what it takes to make and keep one, its memory, and to wake them
// all: each gets a message, answers, and ends. Stackful ones also when they have slept for so long
// that what their stacks held is elsewhere (runtime/actor/evict.c).
//
// Memory is what the process has grown by, resident; page tables stand in a row of their own.
#include <math.h>
#include <stdio.h>

#include "bench/actors/rows.h"

#define NS_PER_S UINT64_C(1000000000)

enum { GO = 1, ANSWER };

static bool answer_step(struct weft_actor *self, void *state, struct weft_message *message)
{
    (void)state;
    weft_send(self, message->from, ANSWER, NULL, 0);
    return false;
}

TWO_KINDS(sleeper, answer_step, 0);

static const struct part {
    uint64_t count;
    unsigned kind;
    bool evicted;
    const char *suffix;
    double memory_bytes, keep_ns, wake_ns; // Goals; 0: none.
} parts[] = {
    {100000, STACKFUL, false, "100k", 4500, 2000, 700},
    {100000, STACKFUL, true, "100k_evicted", 600, 0, 0},
    {100000, CALLBACK, false, "100k_callback", 256, 120, 700},
    {1000000, STACKFUL, false, "1M", 4500, 2000, 700},
    {1000000, STACKFUL, true, "1M_evicted", 600, 0, 0},
    {1000000, CALLBACK, false, "1M_callback", 256, 120, 700},
};

struct mark { // Where the process stands.
    uint64_t cpu_ns, wall_ns, resident, tables;
};

static struct mark mark_now(void)
{
    return (struct mark){.cpu_ns = weft_bench_actors_cpu_ns(),
                         .wall_ns = weft_bench_actors_now_ns(),
                         .resident = weft_bench_actors_memory_bytes("VmRSS"),
                         .tables = weft_bench_actors_memory_bytes("VmPTE")};
}

static void print_time(const struct part *part, const char *what, double goal,
                       const struct mark *from, const struct mark *to)
{
    char row[40];
    snprintf(row, sizeof(row), "%s_%s", what, part->suffix);
    weft_bench_actors_time(row, goal, (double)(to->cpu_ns - from->cpu_ns) / (double)part->count,
                           (double)(to->wall_ns - from->wall_ns) / (double)part->count);
}

static void print_bytes(struct weft_actor *self, const struct part *part, const char *what,
                        double goal, uint64_t from, uint64_t to)
{
    char row[40];
    snprintf(row, sizeof(row), "%s_%s", what, part->suffix);
    weft_bench_actors_value(self, row, goal, ((double)to - (double)from) / (double)part->count,
                            "bytes");
}

// Until the process has not got smaller for a second.
static void wait_until_evicted(struct weft_actor *self)
{
    uint64_t least = UINT64_MAX;
    unsigned same = 0;
    weft_sleep(self, 2 * NS_PER_S);
    while (same < 10) {
        weft_sleep(self, NS_PER_S / 10);
        const uint64_t now = weft_bench_actors_memory_bytes("VmRSS");
        same = now < least ? 0 : same + 1;
        if (now < least) least = now;
    }
}

void weft_bench_group_mem(struct weft_actor *self)
{
    const struct part *part = &parts[weft_bench_actors_part()];
    if (weft_bench_actors_is_quick() && part->count > 100000) return;
    weft_pid *pids = weft_alloc(self, part->count * sizeof(*pids));
    CHECK(pids != NULL);
    for (uint64_t i = 0; i < part->count; i++)
        pids[i] = 0; // So that its own memory does not count.
    const struct mark begun = mark_now();
    for (uint64_t i = 0; i < part->count; i++) {
        pids[i] = weft_bench_spawn(self, &sleeper_kinds[part->kind], NULL);
        weft_bench_pace(self, i);
    }
    weft_yield(self); // All of them have run, and wait.
    const struct mark kept = mark_now();
    if (part->evicted) wait_until_evicted(self);
    const struct mark asleep = mark_now();
    if (!part->evicted) print_time(part, "spawn_keep", part->keep_ns, &begun, &kept);
    print_bytes(self, part, "mem_per_proc", part->memory_bytes, begun.resident, asleep.resident);
    print_bytes(self, part, "mem_tables", 0, begun.tables, asleep.tables);
    const struct mark waking = mark_now();
    for (uint64_t i = 0; i < part->count; i++)
        weft_send(self, pids[i], GO, NULL, 0);
    weft_bench_expect(self, part->count);
    const struct mark woken = mark_now();
    print_time(part, "wake_all_exit", part->wake_ns, &waking, &woken);
    weft_free(self, pids);
}
