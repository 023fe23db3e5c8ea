// rows.c: measures, and tells of it in lines (figure.h), in the process that runs one group.
#include "bench/actors/rows.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/actors/child.h"
#include "bench/actors/figure.h"
#include "bench/context.h"

#define RUNS        5
#define QUICK_SHARE 20
#define ACTORS      65536

static struct weft_bench_child run; // What this process was started for: set once.

uint64_t weft_bench_actors_now_ns(void)
{
    return weft_bench_now_ns();
}

uint64_t weft_bench_actors_cpu_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

bool weft_bench_actors_is_quick(void)
{
    return run.quick;
}

unsigned weft_bench_actors_cores(void)
{
    return run.cores;
}

unsigned weft_bench_actors_part(void)
{
    return run.part;
}

uint64_t weft_bench_actors_memory_bytes(const char *key)
{
    char line[128];
    unsigned long kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "re");
    if (file == NULL) return 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0) sscanf(line, "%*[^:]: %lu", &kilobytes);
    }
    fclose(file);
    return (uint64_t)kilobytes * 1024;
}

void weft_bench_actors_fail(const char *file, int line, const char *condition)
{
    fprintf(stderr, "bench: %s:%d: %s\n", file, line, condition);
    exit(70);
}

bool weft_bench_actors_wants(const char *row)
{
    const char *only = getenv("WEFT_BENCH_ROW");
    return only == NULL || strcmp(only, row) == 0;
}

static void tell(const char *row, double goal, double cpu, double wall, const char *unit)
{
    struct weft_bench_figure figure = {.peer = WEFT_BENCH_OURS,
                                       .cores = run.cores,
                                       .cpu = cpu,
                                       .wall = wall,
                                       .goal = goal > 0 ? goal : NAN};
    snprintf(figure.row, sizeof(figure.row), "%s", row);
    snprintf(figure.unit, sizeof(figure.unit), "%s", unit);
    weft_bench_figure_write(stdout, &figure);
}

void weft_bench_actors_row(struct weft_actor *self, const char *row, double goal_ns,
                           weft_bench_work *work, uint64_t count)
{
    double cpu = INFINITY, wall = INFINITY;
    if (!weft_bench_actors_wants(row)) return;
    if (run.quick) count = count / QUICK_SHARE + 1;
    for (unsigned i = 0; i <= RUNS; i++) {
        const uint64_t cpu_ns = weft_bench_actors_cpu_ns(), wall_ns = weft_bench_now_ns();
        work(self, count);
        if (i == 0) continue; // Touches the memory.
        wall = fmin(wall, (double)(weft_bench_now_ns() - wall_ns) / (double)count);
        cpu = fmin(cpu, (double)(weft_bench_actors_cpu_ns() - cpu_ns) / (double)count);
    }
    tell(row, goal_ns, cpu, wall, "ns");
}

void weft_bench_actors_value(struct weft_actor *self, const char *row, double goal, double value,
                             const char *unit)
{
    (void)self;
    tell(row, goal, NAN, value, unit);
}

void weft_bench_actors_time(const char *row, double goal_ns, double cpu_ns, double wall_ns)
{
    tell(row, goal_ns, cpu_ns, wall_ns, "ns");
}

void weft_bench_actors_say(const char *format, ...)
{
    va_list rest;
    va_start(rest, format);
    fputs("say ", stdout);
    vprintf(format, rest);
    putchar('\n');
    va_end(rest);
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

// ---- The process.

static void bench_main(struct weft_actor *self, void *state)
{
    (void)state;
    run.group->rows(self);
}

static struct weft_runtime_options options_of(const struct weft_bench_child *child)
{
    const struct weft_bench_group *group = child->group;
    return (struct weft_runtime_options){
        .worker_count = (uint16_t)child->cores,
        .arena_bytes = (size_t)(group->arena_gib != 0 ? group->arena_gib : 1) << 30,
        .actor_count_max = group->actors != 0 ? group->actors : ACTORS,
        .stack_count_max = group->stacks != 0 ? group->stacks : ACTORS};
}

int weft_bench_child_run(const struct weft_bench_child *child)
{
    static const struct weft_actor_kind kind = {.name = "bench", .main = bench_main};
    const struct weft_runtime_options options = options_of(child);
    const struct weft_spawn first = {.kind = &kind, .mailbox_max = 1u << 30, .pinned = true};
    int error;
    run = *child;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (child->group->rows == NULL) {
        if (child->group->alone != NULL) child->group->alone();
        return 0;
    }
    struct weft_runtime *runtime = weft_runtime_create(&options, &error);
    if (runtime == NULL) {
        weft_bench_actors_say("%s: no runtime of this size here (ulimit -v, -d): %s",
                              child->group->name, strerror(-error));
        return 0;
    }
    CHECK(weft_runtime_run(runtime, &first, NULL) == 0);
    weft_runtime_free(runtime);
    return 0;
}
