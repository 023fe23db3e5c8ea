// main.c: `./do bench actors`: reads the command line, and either runs one group in this process or
// conducts the processes that do.
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/actors/child.h"
#include "bench/actors/conduct.h"
#include "bench/actors/room.h"
#include "runtime/mem/stacks.h"

#define CORE_COUNTS_MAX 16

struct plan {
    const struct weft_bench_group *groups[64]; // NULL after the last.
    unsigned cores[CORE_COUNTS_MAX];           // 0 after the last.
    bool has_cores;                            // They were asked for.
    const char *peers, *rows;
    unsigned passes;
};

static void print_help(void)
{
    puts("usage: ./do bench actors [GROUP…] [--peers] [--json] [--quick]\n"
         "                         [--cores=N[,N…]] [--passes=N]\n");
    for (size_t i = 0; i < weft_bench_group_count; i++) {
        const struct weft_bench_group *group = &weft_bench_groups[i];
        printf("  %-10s %s%s\n", group->name, group->about,
               group->rows == NULL && group->alone == NULL ? " (peers only)" : "");
    }
    puts("\n"
         "  --peers      Erlang, Go, CAF and the C libraries beside ours\n"
         "  --json       one object a line\n"
         "  --quick      a twentieth of the work, to see that it runs\n"
         "  --cores=1,2  how many schedulers, in this order\n"
         "  --passes=N   everything N times, the best counts: for a machine that others use");
}

static _Noreturn void refuse(const char *word)
{
    fprintf(stderr, "bench: actors has no group or option '%s'\n", word);
    exit(64);
}

static void read_cores(struct plan *plan, const char *list)
{
    size_t count = 0;
    while (*list != '\0' && count < CORE_COUNTS_MAX - 1) {
        char *end;
        const unsigned long cores = strtoul(list, &end, 10);
        if (end == list || cores == 0 || cores > 60 || (*end != '\0' && *end != ',')) refuse(list);
        plan->cores[count++] = (unsigned)cores;
        list = *end == ',' ? end + 1 : end;
    }
    if (count == 0) refuse("--cores=");
    plan->cores[count] = 0;
    plan->has_cores = true;
}

static void read_word(struct plan *plan, const char *word, size_t *groups)
{
    const struct weft_bench_group *group = weft_bench_group_find(word);
    if (strncmp(word, "--cores=", 8) == 0) {
        read_cores(plan, word + 8);
    } else if (strncmp(word, "--passes=", 9) == 0) {
        plan->passes = (unsigned)atoi(word + 9);
        if (plan->passes < 1 || plan->passes > 100) refuse(word);
    } else if (strncmp(word, "--peers=", 8) == 0) {
        plan->peers = word + 8;
    } else if (strncmp(word, "--rows=", 7) == 0) {
        plan->rows = word + 7;
    } else if (strcmp(word, "--json") != 0 && strcmp(word, "--quick") != 0) {
        if (group == NULL || *groups == 63) refuse(word);
        plan->groups[(*groups)++] = group;
    }
}

static unsigned cpu_count(void)
{
    cpu_set_t cpus;
    return sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? (unsigned)CPU_COUNT(&cpus) : 1;
}

static void read_plan(struct plan *plan, int argc, char **argv)
{
    size_t groups = 0;
    *plan = (struct plan){.cores = {1, cpu_count() > 1 ? 2 : 0}, .passes = 1};
    for (int i = 1; i < argc; i++)
        read_word(plan, argv[i], &groups);
    for (size_t i = 0; groups == 0 && i < weft_bench_group_count; i++)
        plan->groups[i] = &weft_bench_groups[i];
}

// ---- One group, here.

static int run_rows(const struct plan *plan, bool quick)
{
    char name[32];
    struct weft_bench_child child = {.cores = plan->cores[0], .quick = quick};
    if (sscanf(plan->rows, "%31[^.].%u", name, &child.part) < 1) refuse(plan->rows);
    child.group = weft_bench_group_find(name);
    if (child.group == NULL || child.part >= (child.group->parts ? child.group->parts : 1))
        refuse(plan->rows);
    return weft_bench_child_run(&child);
}

// ---- All of them.

static void say_guards(struct weft_bench *bench)
{
    struct weft_stacks *stacks = weft_stacks_create(WEFT_STACK_GROUP, WEFT_STACK_PAGES);
    if (stacks == NULL) return;
    weft_bench_say(bench, "stacks: %s", weft_stack_guard_name(weft_stacks_view(stacks).guard));
    weft_stacks_free(stacks);
}

static bool has_room(struct weft_bench *bench, const struct weft_bench_group *group, bool peers)
{
    const double need_gb = bench->quick ? group->quick_gb : group->need_gb;
    const double room_gb = weft_bench_room_bytes() / 1e9;
    const bool has_rows = peers || group->rows != NULL || group->alone != NULL;
    if (!has_rows || room_gb >= need_gb) return has_rows;
    weft_bench_say(bench, "%s: skipped: needs %.1f GB of memory, %.1f are available", group->name,
                   need_gb, room_gb);
    return false;
}

static void conduct_all(struct weft_bench_conductor *conductor, const struct plan *plan)
{
    for (size_t c = 0; plan->cores[c] != 0; c++) {
        const unsigned cores = plan->cores[c];
        weft_bench_sheet_head(conductor->sheet, cores);
        for (size_t i = 0; plan->groups[i] != NULL; i++) {
            const struct weft_bench_group *group = plan->groups[i];
            if (group->cores_max != 0 && cores > group->cores_max) continue;
            if (!has_room(conductor->bench, group, conductor->peers != NULL)) continue;
            weft_bench_conduct(conductor, group, cores);
            weft_bench_probe(conductor->bench);
        }
        weft_bench_sheet_sum(conductor->sheet, cores);
    }
}

int main(int argc, char **argv)
{
    static struct weft_bench bench;
    static struct weft_bench_sheet sheet;
    struct plan plan;
    bool quick = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help();
            return 0;
        }
        quick |= strcmp(argv[i], "--quick") == 0;
    }
    read_plan(&plan, argc, argv);
    if (plan.rows != NULL) return run_rows(&plan, quick);
    weft_bench_begin(&bench, "actors", "memory of one process", argc, argv);
    sheet.json = bench.json;
    sheet.has_peers = plan.peers != NULL;
    say_guards(&bench);
    if (!plan.has_cores && plan.cores[1] == 0)
        weft_bench_say(&bench, "one CPU: no rows of two schedulers (--cores=1,2 runs them)");
    struct weft_bench_conductor conductor = {
        .bench = &bench, .sheet = &sheet, .peers = plan.peers, .passes = plan.passes};
    conduct_all(&conductor, &plan);
    weft_bench_end(&bench);
    return 0;
}
