// node.c: what an operator's loads and evaluations cost a running weftd, with its journal and
// without.
//
// bench_node WEFTD SCRATCH [--json] [--quick]: WEFTD is started in SCRATCH without ports, asked
// over its unix socket, one connection for each request as `weft` does it, and stopped. Wall time
// seen by the one who asks. The disk is that of SCRATCH.
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/context.h"
#include "bench/macro/child.h"
#include "runtime/base/units.h"

enum { LOADS = 900, EVALS = 1500, LIMIT_S = 6 };

static const char counter_text[] = "0 value total\n"
                                   ": add ( n -- ) total + to total ;\n"
                                   ": clear ( -- ) 0 to total ;\n";

struct node {
    const char *weftd;
    char directory[128], socket[160];
    pid_t process;
};

static bool write_config(const struct node *node, const char *path)
{
    FILE *file = fopen(path, "we");
    if (file == NULL) return false;
    fprintf(file,
            "[node]\nname = \"bench\"\ndata_dir = \"%s/data\"\nrun_dir = \"%s/run\"\n"
            "[cores]\nworkers = 1\npin = \"off\"\n[memory]\narena_per_core = \"64MiB\"\n"
            "[admin]\nlisten = \"\"\n[units]\ncount_max = 2048\n",
            node->directory, node->directory);
    return fclose(file) == 0;
}

static bool start_node(struct node *node, double *ready_s)
{
    char config[192], log[192];
    char *const words[] = {(char *)(uintptr_t)node->weftd, (char *)(uintptr_t) "--config", config,
                           NULL};
    snprintf(config, sizeof(config), "%s/weft.toml", node->directory);
    snprintf(log, sizeof(log), "%s/log", node->directory);
    snprintf(node->socket, sizeof(node->socket), "%s/run/admin.sock", node->directory);
    if (mkdir(node->directory, 0700) < 0 || !write_config(node, config)) return false;
    const uint64_t from = weft_bench_now_ns();
    node->process = bench_child_start(words, log);
    for (unsigned i = 0; i < 1000 && node->process > 0; i++) {
        json_t *ready = bench_ask(node->socket, "GET", "/readyz", NULL);
        *ready_s = (double)(weft_bench_now_ns() - from) / 1e9;
        json_decref(ready);
        if (ready != NULL) return true;
        bench_sleep_ms(5);
    }
    return false;
}

static double load(const struct node *node, const char *recovery, unsigned count)
{
    const uint64_t from = weft_bench_now_ns();
    unsigned done = 0;
    for (; done < count && weft_bench_now_ns() - from < LIMIT_S * WEFT_NS_PER_S; done++) {
        char name[32];
        snprintf(name, sizeof(name), "%s-%u", recovery, done);
        json_t *body = json_pack("{s:s, s:s, s:s, s:s}", "name", name, "file", "counter.fth",
                                 "source", counter_text, "recovery", recovery);
        json_t *answer = bench_ask(node->socket, "POST", "/api/v1/units", body);
        json_decref(body);
        if (answer == NULL) return NAN;
        json_decref(answer);
    }
    return (double)done / ((double)(weft_bench_now_ns() - from) / 1e9);
}

static void evaluate(struct weft_bench *out, const struct node *node, const char *recovery,
                     unsigned count)
{
    static uint64_t trip_ns[EVALS];
    const uint64_t end_ns = weft_bench_now_ns() + LIMIT_S * WEFT_NS_PER_S;
    json_t *body = json_pack("{s:s}", "text", "1 add total .");
    char path[96], row[96], note[96];
    unsigned done = 0;
    snprintf(path, sizeof(path), "/api/v1/units/%s-0/eval", recovery);
    while (done < count && weft_bench_now_ns() < end_ns) {
        const uint64_t from = weft_bench_now_ns();
        json_t *answer = bench_ask(node->socket, "POST", path, body);
        if (answer == NULL) break;
        json_decref(answer);
        trip_ns[done++] = weft_bench_now_ns() - from;
    }
    json_decref(body);
    const double p50_us = (double)weft_bench_percentile(trip_ns, done, 500) / 1e3;
    snprintf(row, sizeof(row), "evaluation round trip, recovery %s", recovery);
    snprintf(note, sizeof(note), "p99 %.0f us; %u rounds, a new connection each",
             (double)weft_bench_percentile(trip_ns, done, 990) / 1e3, done);
    weft_bench_row(out, row, done > 0 ? p50_us : NAN, "us p50", note);
}

static void floor_row(struct weft_bench *out, const struct node *node, unsigned count)
{
    static uint64_t trip_ns[EVALS];
    unsigned done = 0;
    for (; done < count; done++) {
        const uint64_t from = weft_bench_now_ns();
        json_t *answer = bench_ask(node->socket, "GET", "/readyz", NULL);
        if (answer == NULL) break;
        json_decref(answer);
        trip_ns[done] = weft_bench_now_ns() - from;
    }
    char note[96];
    snprintf(note, sizeof(note), "p99 %.0f us; the floor of the rows below",
             (double)weft_bench_percentile(trip_ns, done, 990) / 1e3);
    weft_bench_row(out, "GET /readyz",
                   done > 0 ? (double)weft_bench_percentile(trip_ns, done, 500) / 1e3 : NAN,
                   "us p50", note);
}

static void measure(struct weft_bench *out, const struct node *node)
{
    static const char *const recoveries[] = {"none", "journal"};
    const unsigned less = out->quick ? 10 : 1;
    struct bench_weight before, after;
    char row[96], note[96];
    floor_row(out, node, 500 / less);
    for (size_t i = 0; i < WEFT_COUNT_OF(recoveries); i++) {
        bench_weigh(node->process, &before);
        const double rate = load(node, recoveries[i], LOADS / less);
        bench_weigh(node->process, &after);
        snprintf(row, sizeof(row), "units loaded one after the other, recovery %s", recoveries[i]);
        snprintf(note, sizeof(note), "resident memory grew by %.0f KiB",
                 ((double)after.resident_bytes - (double)before.resident_bytes) / 1024);
        weft_bench_row(out, row, rate, "units/s", note);
        evaluate(out, node, recoveries[i], EVALS / less);
        weft_bench_probe(out);
    }
}

int main(int argc, char **argv)
{
    struct weft_bench out;
    struct node node = {.process = 0};
    double ready_s = NAN;
    weft_bench_begin(&out, "node", "unix socket; the disk below the scratch directory", argc, argv);
    if (out.argument_count != 2) {
        fprintf(stderr, "usage: bench_node WEFTD SCRATCH [--json] [--quick]\n");
        return 64;
    }
    node.weftd = out.arguments[0];
    snprintf(node.directory, sizeof(node.directory), "%.64s/node", out.arguments[1]);
    const bool ready = start_node(&node, &ready_s);
    weft_bench_row(&out, "weftd started to ready, no ports", ready ? ready_s : NAN, "s", NULL);
    if (ready) measure(&out, &node);
    if (node.process > 0) bench_child_stop(node.process);
    weft_bench_end(&out);
    return ready ? 0 : 1;
}
