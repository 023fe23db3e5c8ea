// bench_packets: what a packet costs here, and how long a datagram takes to come back.
//
//   bench_packets [--json] [cycles | rtt]
//
// Question: is the path past the kernel worth it, and what do our layers add to bare DPDK? Answered
// in one run of about 15 seconds, with the kernel's own figures beside it: spinning and blocking,
// because most of what bypass seems to win over a blocking socket is sleeping and waking. Spread:
// best and median of cycles, p50 and p99 of round trips. Shared memory and veth are not wires:
// "application round trip" of two processes of one machine.
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/macro/packets.h"
#include "dataplane/eal.h"

struct report {
    struct weft_eal_info eal;
    uint32_t cycle_count, rtt_count;
    struct bench_cycle_row cycles[BENCH_ROWS_MAX];
    struct bench_rtt_row rtt[BENCH_ROWS_MAX];
};

static bool run_cycles(struct report *report)
{
    struct weft_error error = {0};
    const struct weft_eal_options options = {.name = "bench-cycles", .memory_mb = 64};
    if (weft_eal_start(&options, &report->eal, &error) != 0) {
        fprintf(stderr, "bench: %s (%s)\n", error.text, error.hint);
        return false;
    }
    report->cycle_count = bench_cycles_run(report->cycles);
    weft_eal_stop();
    return report->cycle_count > 0;
}

static const struct bench_rtt_row *find_row(const struct report *report, const char *path,
                                            const char *medium)
{
    for (uint32_t i = 0; i < report->rtt_count; i++) {
        const struct bench_rtt_row *row = &report->rtt[i];
        if (row->count > 0 && strcmp(row->path, path) == 0 && strcmp(row->medium, medium) == 0)
            return row;
    }
    return NULL;
}

// How many times faster ours is than the kernel's row on the medium it is compared with; 0: not
// known.
static double ratio(const struct report *report, const char *ours, const char *medium,
                    const char *kernel, const char *kernel_medium)
{
    const struct bench_rtt_row *a = find_row(report, ours, medium);
    const struct bench_rtt_row *b = find_row(report, kernel, kernel_medium);
    return a != NULL && b != NULL ? b->p50_us / a->p50_us : NAN;
}

static const struct {
    const char *row, *ours, *medium, *kernel, *kernel_medium, *goal;
} ratios[] = {
    {"vhost against loopback, spinning", "weft, vhost", "shared memory", "kernel UDP, spinning",
     "loopback", "goal 15"},
    {"vhost against loopback, blocking", "weft, vhost", "shared memory", "kernel UDP, blocking",
     "loopback", NULL},
    {"af_packet against veth, spinning", "weft, af_packet", "veth", "kernel UDP, spinning", "veth",
     "goal 1.4"},
    {"af_packet against veth, blocking", "weft, af_packet", "veth", "kernel UDP, blocking", "veth",
     NULL},
};

static void show_cycles(struct weft_bench *bench, const struct report *report)
{
    weft_bench_say(bench, "one core, 64-byte frames, %s", report->eal.memory);
    for (uint32_t i = 0; i < report->cycle_count; i++) {
        const struct bench_cycle_row *row = &report->cycles[i];
        char name[80], note[48];
        snprintf(name, sizeof(name), "%s, %s, burst %u", row->device, row->path, row->burst);
        snprintf(note, sizeof(note), "best %.1f", row->best);
        weft_bench_row(bench, name, row->p50, "cycles/packet", note);
    }
}

static void show_rtt(struct weft_bench *bench, const struct report *report)
{
    weft_bench_say(bench, "UDP echo between two processes, 22 bytes: application round trip");
    for (uint32_t i = 0; i < report->rtt_count; i++) {
        const struct bench_rtt_row *row = &report->rtt[i];
        char name[80], note[200];
        snprintf(name, sizeof(name), "%s, %s, p50", row->medium, row->path);
        if (row->count == 0) {
            weft_bench_row(bench, name, NAN, "us", row->why);
            continue;
        }
        snprintf(note, sizeof(note), "min %.2f, %u rounds, %u lost", row->min_us, row->count,
                 row->lost);
        weft_bench_row(bench, name, row->p50_us, "us", note);
        snprintf(name, sizeof(name), "%s, %s, p99", row->medium, row->path);
        weft_bench_row(bench, name, row->p99_us, "us", NULL);
    }
    for (size_t i = 0; i < WEFT_COUNT_OF(ratios); i++)
        weft_bench_row(bench, ratios[i].row,
                       ratio(report, ratios[i].ours, ratios[i].medium, ratios[i].kernel,
                             ratios[i].kernel_medium),
                       "x", ratios[i].goal);
}

int main(int argc, char **argv)
{
    static struct report report;
    struct weft_bench bench;
    weft_bench_begin(&bench, "packets", "shared memory, loopback and veth: no wire", argc, argv);
    const char *only = bench.argument_count > 0 ? bench.arguments[0] : "";
    if (bench.argument_count > 1 ||
        (only[0] != '\0' && strcmp(only, "cycles") != 0 && strcmp(only, "rtt") != 0)) {
        fprintf(stderr, "usage: bench_packets [--json] [cycles | rtt]\n");
        return 64;
    }
    if (strcmp(only, "cycles") != 0) {
        report.rtt_count = bench_rtt_run(report.rtt);
        show_rtt(&bench, &report);
        weft_bench_probe(&bench);
    }
    bool good = true;
    if (strcmp(only, "rtt") != 0) {
        good = run_cycles(&report);
        show_cycles(&bench, &report);
    }
    weft_bench_end(&bench);
    return good ? 0 : 70;
}
