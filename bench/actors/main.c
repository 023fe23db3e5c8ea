// main.c: the rows of the actor runtime, group by group, in one process.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/actors/rows.h"
#include "bench/context.h"

#define RUNS 5

static struct {
    struct weft_bench out;
    unsigned cores;
    char **wanted;
    int wanted_count;
} run;

uint64_t weft_bench_actors_now_ns(void)
{
    return weft_bench_now_ns();
}

bool weft_bench_actors_is_quick(void)
{
    return run.out.quick;
}

unsigned weft_bench_actors_cores(void)
{
    return run.cores;
}

uint64_t weft_bench_actors_rss_bytes(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL) return 0;
    if (fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
    fclose(file);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void weft_bench_actors_fail(const char *file, int line, const char *condition)
{
    fprintf(stderr, "bench: %s:%d: %s\n", file, line, condition);
    exit(70);
}

static uint64_t process_cpu_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

static void print(const char *row, double goal, double cpu, double wall, const char *unit)
{
    if (run.out.json) {
        printf("{\"row\":\"%s\",\"cores\":%u,\"peer\":\"weft\",", row, run.cores);
        if (isnan(cpu))
            printf("\"cpu_ns\":null,");
        else
            printf("\"cpu_ns\":%.1f,", cpu);
        printf("\"%s\":%.1f,", strcmp(unit, "ns") == 0 ? "wall_ns" : "value", wall);
        if (strcmp(unit, "ns") != 0) printf("\"unit\":\"%s\",", unit);
        if (goal > 0)
            printf("\"goal_ns\":%.1f}\n", goal);
        else
            printf("\"goal_ns\":null}\n");
    } else {
        char cpu_text[32] = "-", goal_text[32] = "-";
        if (!isnan(cpu)) snprintf(cpu_text, sizeof(cpu_text), "%.1f", cpu);
        if (goal > 0) snprintf(goal_text, sizeof(goal_text), "%.0f", goal);
        printf("  %-28s %u %12s %12.1f %-6s %8s\n", row, run.cores, cpu_text, wall, unit,
               goal_text);
    }
    fflush(stdout);
}

void weft_bench_actors_row(struct weft_actor *self, const char *row, double goal_ns,
                           weft_bench_work *work, uint64_t count)
{
    double cpu = INFINITY, wall = INFINITY;
    const char *only = getenv("WEFT_BENCH_ROW"); // One row alone, for a profiler.
    if (only != NULL && strcmp(only, row) != 0) return;
    if (run.out.quick) count = count / 20 + 1;
    for (unsigned i = 0; i <= RUNS; i++) {
        const uint64_t cpu_ns = process_cpu_ns(), wall_ns = weft_bench_now_ns();
        work(self, count);
        if (i == 0) continue;
        cpu = fmin(cpu, (double)(process_cpu_ns() - cpu_ns) / (double)count);
        wall = fmin(wall, (double)(weft_bench_now_ns() - wall_ns) / (double)count);
    }
    print(row, goal_ns, cpu, wall, "ns");
}

void weft_bench_actors_value(struct weft_actor *self, const char *row, double goal, double value,
                             const char *unit)
{
    (void)self;
    print(row, goal, NAN, value, unit);
}

weft_pid weft_bench_spawn(struct weft_actor *self, const struct weft_actor_kind *kind,
                          const void *state)
{
    weft_pid pid = 0;
    const struct weft_spawn spawn = {.kind = kind, .state = state};
    CHECK(weft_spawn(self, &spawn, &pid) == 0);
    return pid;
}

void weft_bench_expect(struct weft_actor *self, uint64_t count)
{
    while (count-- > 0)
        CHECK(weft_receive(self, WEFT_FOREVER) != NULL);
}

static const struct {
    const char *name;
    void (*rows)(struct weft_actor *self);
} groups[] = {
    {"spawn", weft_bench_group_spawn}, {"talk", weft_bench_group_talk},
    {"yield", weft_bench_group_yield}, {"call", weft_bench_group_call},
    {"super", weft_bench_group_super}, {"ets", weft_bench_group_ets},
};

static bool is_wanted(const char *group)
{
    for (int i = 0; i < run.wanted_count; i++) {
        if (strcmp(run.wanted[i], group) == 0) return true;
    }
    return run.wanted_count == 0;
}

static void bench_main(struct weft_actor *self, void *state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        if (is_wanted(groups[i].name)) groups[i].rows(self);
    }
}

static void run_on(unsigned cores)
{
    static const struct weft_actor_kind kind = {.name = "bench", .main = bench_main};
    const struct weft_runtime_options options = {.worker_count = (uint16_t)cores,
                                                 .arena_bytes = (size_t)4 << 30,
                                                 .actor_count_max = 4u << 20,
                                                 .stack_count_max = 2u << 20};
    const struct weft_spawn first = {.kind = &kind, .mailbox_max = 1u << 30, .pinned = true};
    int error;
    run.cores = cores;
    struct weft_runtime *runtime = weft_runtime_create(&options, &error);
    if (runtime == NULL) {
        fprintf(stderr, "bench: no runtime: %s\n", strerror(-error));
        exit(70);
    }
    CHECK(weft_runtime_run(runtime, &first, NULL) == 0);
    weft_runtime_free(runtime);
}

int main(int argc, char **argv)
{
    unsigned only = 0;
    weft_bench_begin(&run.out, "actors", "memory of one process", argc, argv);
    run.wanted = calloc((size_t)argc, sizeof(char *));
    for (int i = 0; i < run.out.argument_count; i++) {
        char *argument = run.out.arguments[i];
        if (strncmp(argument, "--cores=", 8) == 0) only = (unsigned)atoi(argument + 8);
        if (argument[0] != '-') run.wanted[run.wanted_count++] = argument;
    }
    if (!run.out.json)
        printf("  %-28s %s %12s %12s %-6s %8s\n", "row", "c", "cpu", "wall", "", "goal");
    if (only == 0 || only == 1) run_on(1);
    if (only == 0 || only == 2) run_on(2);
    weft_bench_end(&run.out);
    free(run.wanted);
    return 0;
}
