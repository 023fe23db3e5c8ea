#include "bench/context.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/units.h"

#define PROBE_NS        (50 * WEFT_NS_PER_MS)
#define GAP_NS          (10 * WEFT_NS_PER_US)
#define BALLS           20000
#define CONTENDED_SHARE 0.05

struct machine {
    char cpu[96], kernel[160], huge_pages[96];
    long cpu_count;
    double counter_ghz, syscall_ns, line_p50_ns, line_p99_ns, load;
};

static uint64_t clock_ns(clockid_t which)
{
    struct timespec at;
    clock_gettime(which, &at);
    return (uint64_t)at.tv_sec * WEFT_NS_PER_S + (uint64_t)at.tv_nsec;
}

uint64_t weft_bench_now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

static uint64_t clock_now(void *self)
{
    (void)self;
    return weft_bench_now_ns();
}

struct weft_clock weft_bench_clock(void)
{
    return (struct weft_clock){.now_ns = clock_now, .wall_ns = clock_now};
}

static void fill(void *self, void *bytes, size_t length)
{
    (void)self;
    memset(bytes, 7, length);
}

struct weft_entropy weft_bench_entropy(void)
{
    return (struct weft_entropy){.fill = fill};
}

uint64_t weft_bench_cpu_ns(void)
{
    return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t weft_bench_ticks(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t count;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(count));
    return count;
#else
    return weft_bench_now_ns();
#endif
}

double weft_bench_ticks_per_ns(void)
{
    static double rate;
    if (rate > 0) return rate;
    const uint64_t ns = weft_bench_now_ns(), ticks = weft_bench_ticks();
    while (weft_bench_now_ns() - ns < 20 * WEFT_NS_PER_MS)
        continue;
    rate = (double)(weft_bench_ticks() - ticks) / (double)(weft_bench_now_ns() - ns);
    return rate;
}

static int by_size(const void *a, const void *b)
{
    const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

uint64_t weft_bench_percentile(uint64_t *values, size_t count, unsigned permille)
{
    if (count == 0) return 0;
    qsort(values, count, sizeof(*values), by_size);
    return values[(count - 1) * permille / 1000];
}

// ---- the machine

// The value of the first line of `path` that begins with `key`, behind its colon.
static bool line_value(const char *path, const char *key, char *value, size_t size)
{
    char line[256];
    bool found = false;
    FILE *file = fopen(path, "re");
    while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, key, strlen(key)) != 0 || colon == NULL) continue;
        snprintf(value, size, "%s", colon + 1 + strspn(colon + 1, " \t"));
        value[strcspn(value, "\n")] = '\0';
        found = true;
    }
    if (file != NULL) fclose(file);
    return found;
}

static void read_cpu(struct machine *machine)
{
    struct utsname host;
    char part[32] = "unknown";
    uname(&host);
    machine->cpu_count = sysconf(_SC_NPROCESSORS_ONLN);
    if (!line_value("/proc/cpuinfo", "model name", machine->cpu, sizeof(machine->cpu))) {
        line_value("/proc/cpuinfo", "CPU part", part, sizeof(part));
        snprintf(machine->cpu, sizeof(machine->cpu), "%.32s, CPU part %s", host.machine, part);
    }
    snprintf(machine->kernel, sizeof(machine->kernel), "%.60s %.60s", host.sysname, host.release);
}

static void read_huge_pages(struct machine *machine)
{
    char count[32] = "0", mode[64] = "absent";
    line_value("/proc/meminfo", "HugePages_Free", count, sizeof(count));
    FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re");
    if (file != NULL) {
        if (fgets(mode, sizeof(mode), file) != NULL) mode[strcspn(mode, "\n")] = '\0';
        fclose(file);
    }
    snprintf(machine->huge_pages, sizeof(machine->huge_pages), "%.16s free, transparent %.48s",
             count, mode);
}

static double measure_syscall(void)
{
    double best = INFINITY;
    for (unsigned run = 0; run < 5; run++) {
        const uint64_t from = weft_bench_now_ns();
        for (unsigned i = 0; i < 2000; i++)
            syscall(SYS_getppid);
        best = fmin(best, (double)(weft_bench_now_ns() - from) / 2000);
    }
    return best;
}

struct court { // A ball between two threads: the cost of a cache line's way there and back.
    _Alignas(WEFT_CORE_ALIGN) _Atomic uint32_t ball;
};

// Spins, as a worker would; yields now and then, for the other may wait for this CPU.
static void await(const struct court *court, uint32_t ball)
{
    // Acquire pairs with the other's release.
    for (unsigned spins = 1; atomic_load_explicit(&court->ball, memory_order_acquire) != ball;
         spins++)
        if (spins % 4096 == 0) sched_yield();
}

static void *return_balls(void *self)
{
    struct court *court = self;
    for (uint32_t i = 0; i < BALLS; i++) {
        await(court, 2 * i + 1);
        atomic_store_explicit(&court->ball, 2 * i + 2, memory_order_release);
    }
    return NULL;
}

static void measure_line(struct machine *machine)
{
    static uint64_t trip_ns[BALLS];
    struct court court = {.ball = 0};
    pthread_t thread;
    if (pthread_create(&thread, NULL, return_balls, &court) != 0) return;
    for (uint32_t i = 0; i < BALLS; i++) {
        const uint64_t from = weft_bench_now_ns();
        atomic_store_explicit(&court.ball, 2 * i + 1, memory_order_release);
        await(&court, 2 * i + 2);
        trip_ns[i] = weft_bench_now_ns() - from;
    }
    pthread_join(thread, NULL);
    machine->line_p50_ns = (double)weft_bench_percentile(trip_ns, BALLS, 500);
    machine->line_p99_ns = (double)weft_bench_percentile(trip_ns, BALLS, 990);
}

static void print_machine(const struct weft_bench *bench, const struct machine *machine)
{
    if (bench->json) {
        printf("{\"bench\":\"%s\",\"medium\":\"%s\",\"cpu\":\"%s\",\"cpus\":%ld,\"kernel\":\"%s\","
               "\"counter_ghz\":%.3f,\"syscall_ns\":%.0f,\"line_p50_ns\":%.0f,\"line_p99_ns\":%.0f,"
               "\"huge_pages\":\"%s\",\"load\":%.2f,\"quick\":%s}\n",
               bench->name, bench->medium, machine->cpu, machine->cpu_count, machine->kernel,
               machine->counter_ghz, machine->syscall_ns, machine->line_p50_ns,
               machine->line_p99_ns, machine->huge_pages, machine->load,
               bench->quick ? "true" : "false");
        return;
    }
    printf("== %s%s\n", bench->name, bench->quick ? " (quick: only to see that it runs)" : "");
    printf("machine  %s, %ld CPUs, %s, counter %.2f GHz\n", machine->cpu, machine->cpu_count,
           machine->kernel, machine->counter_ghz);
    printf(
        "         syscall %.0f ns; line to and fro between two threads p50 %.0f ns, p99 %.0f ns; "
        "load %.1f\n",
        machine->syscall_ns, machine->line_p50_ns, machine->line_p99_ns, machine->load);
    printf("         huge pages: %s\n", machine->huge_pages);
    printf("medium   %s (class LAB)\n", bench->medium);
}

// ---- lost time

static void read_stat(uint64_t *busy, uint64_t *steal, uint64_t *all)
{
    unsigned long long t[8] = {0}; // user nice system idle iowait irq softirq steal
    FILE *file = fopen("/proc/stat", "re");
    if (file == NULL) return;
    if (fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2], &t[3],
               &t[4], &t[5], &t[6], &t[7]) != 8)
        memset(t, 0, sizeof(t));
    fclose(file);
    *busy = t[0] + t[1] + t[2] + t[5] + t[6];
    *steal = t[7];
    *all = *busy + *steal + t[3] + t[4];
}

void weft_bench_probe(struct weft_bench *bench)
{
    const uint64_t from = weft_bench_now_ns();
    uint64_t before = from, now;
    for (; (now = weft_bench_now_ns()) - from < PROBE_NS; before = now) {
        const uint64_t gap = now - before;
        if (gap < GAP_NS) continue;
        bench->lost_ns += gap;
        if (gap > bench->gap_ns_max) bench->gap_ns_max = gap;
    }
    bench->probed_ns += now - from;
}

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

void weft_bench_end(struct weft_bench *bench)
{
    uint64_t busy = 0, steal = 0, all = 0;
    weft_bench_probe(bench);
    read_stat(&busy, &steal, &all);
    all -= bench->all_ticks;
    const double lost = share(bench->lost_ns, bench->probed_ns);
    const double others = share(busy - bench->busy_ticks, all);
    const double stolen = share(steal - bench->steal_ticks, all);
    const double seconds = (double)(weft_bench_now_ns() - bench->begun_ns) / 1e9;
    if (bench->json) {
        printf("{\"bench\":\"%s\",\"lost_ratio\":%.4f,\"gap_us_max\":%.0f,\"busy_ratio\":%.4f,"
               "\"steal_ratio\":%.4f,\"seconds\":%.1f,\"contended\":%s}\n",
               bench->name, lost, (double)bench->gap_ns_max / 1e3, others, stolen, seconds,
               lost > CONTENDED_SHARE ? "true" : "false");
        return;
    }
    printf("lost     %.1f %% of a spinning thread's time in gaps over 10 us (longest %.1f ms); "
           "machine %.0f %% busy, %.1f %% stolen; %.0f s\n",
           100 * lost, (double)bench->gap_ns_max / 1e6, 100 * others, 100 * stolen, seconds);
    if (lost > CONTENDED_SHARE)
        printf("         contended: the figures are lower bounds of speed, no verdict\n");
    putchar('\n');
}

// ---- beginning, rows

void weft_bench_begin(struct weft_bench *bench, const char *name, const char *medium, int argc,
                      char **argv)
{
    struct machine machine = {.cpu = "unknown"};
    FILE *load = fopen("/proc/loadavg", "re");
    *bench = (struct weft_bench){.name = name, .medium = medium, .arguments = argv};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            bench->json = true;
        } else if (strcmp(argv[i], "--quick") == 0) {
            bench->quick = true;
        } else {
            argv[bench->argument_count++] = argv[i];
        }
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    bench->begun_ns = weft_bench_now_ns();
    read_stat(&bench->busy_ticks, &bench->steal_ticks, &bench->all_ticks);
    if (load != NULL) {
        if (fscanf(load, "%lf", &machine.load) != 1) machine.load = 0;
        fclose(load);
    }
    read_cpu(&machine);
    read_huge_pages(&machine);
    machine.counter_ghz = weft_bench_ticks_per_ns();
    machine.syscall_ns = measure_syscall();
    measure_line(&machine);
    weft_bench_probe(bench);
    print_machine(bench, &machine);
}

void weft_bench_row(struct weft_bench *bench, const char *row, double value, const char *unit,
                    const char *note)
{
    char figure[32];
    const double size = fabs(value);
    const int digits = size >= 1000 || value == floor(value) ? 0
                       : size >= 100                         ? 1
                       : size >= 1                           ? 2
                                                             : 3;
    snprintf(figure, sizeof(figure), "%.*f", digits, value);
    if (bench->json) {
        printf("{\"bench\":\"%s\",\"row\":\"%s\",\"value\":%s,\"unit\":\"%s\"%s%s%s}\n",
               bench->name, row, isnan(value) ? "null" : figure, unit, note ? ",\"note\":\"" : "",
               note ? note : "", note ? "\"" : "");
    } else {
        printf("  %-46s %12s %-10s %s\n", row, isnan(value) ? "not measured" : figure, unit,
               note ? note : "");
    }
}

void weft_bench_say(struct weft_bench *bench, const char *format, ...)
{
    char text[512];
    va_list rest;
    va_start(rest, format);
    vsnprintf(text, sizeof(text), format, rest);
    va_end(rest);
    if (bench->json) {
        printf("{\"bench\":\"%s\",\"say\":\"%s\"}\n", bench->name, text);
    } else {
        printf("  %s\n", text);
    }
}
