// swarm.c: what a swarm's nodes are to each other: how long a unit's message takes to a unit of
// another node and back, what gossip costs, how soon a node that ends or begins is known to all;
// each while no frame, 1 % and 5 % of them are lost.
//
// bench_swarm WEFT SCRATCH [--json] [--quick]: three nodes of a lab that it starts and ends.
// bench_swarm WEFT SCRATCH --hosts=A,B,C [--loss=PERCENT] [--faults] [--kill=COMMAND
// --start=COMMAND]: those nodes, of which none is ended unless it is said how, and whose frames are
// lost only if their own fault layer is to lose them (--faults; a real card has none). --loss says
// what the network between them has been made to lose.
//
// Units time the trips themselves (swarm-ping.fth, swarm-echo.fth) and are removed again. Bounded
// by 55 s.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/context.h"
#include "bench/macro/child.h"
#include "bench/macro/swarm_nodes.h"
#include "runtime/base/units.h"

enum {
    BOUND_S = 55,
    TRIPS = 1000,     // Of a pair; trips-max of swarm-ping.fth.
    TRIPS_MS = 4500,  // Of all pairs.
    PATIENCE_MS = 20, // Then the next goes.
    PIECE = 250,      // Figures of one report.
    KNOWN_MS = 15000,
    BOOT_MS = 300000, // The firmware of a server takes minutes.
    SOURCE_BYTES = 8192
};

struct run {
    struct weft_bench out;
    struct weft_swarm swarm;
    const char *hosts, *loss;
    bool faults;
    char level[24]; // "1 % lost": how rows begin.
};

static void row(struct run *run, const char *what, double value, const char *unit, const char *note)
{
    char name[96];
    snprintf(name, sizeof(name), "%s: %s", run->level, what);
    weft_bench_row(&run->out, name, value, unit, note);
}

// ---- units that send to each other

static const char *const unit_names[] = {"bench-echo", "bench-ping"};

static void unload(struct run *run, size_t node, const char *unit)
{
    char path[96];
    snprintf(path, sizeof(path), "/api/v1/units/%s", unit);
    json_decref(weft_swarm_ask(&run->swarm, node, "DELETE", path, NULL));
}

static bool load(struct run *run, size_t node, const char *unit, const char *file,
                 const char *last_line)
{
    char source[SOURCE_BYTES];
    FILE *text = fopen(file, "re");
    if (text == NULL) {
        snprintf(run->swarm.reason, sizeof(run->swarm.reason), "%s: %s", file, strerror(errno));
        return false;
    }
    const size_t length = fread(source, 1, sizeof(source) - 1, text);
    fclose(text);
    snprintf(source + length, sizeof(source) - length, "%s", last_line);
    json_t *body = json_pack("{s:s, s:s, s:s, s:s}", "name", unit, "file", file, "source", source,
                             "recovery", "none");
    json_t *answer = weft_swarm_ask(&run->swarm, node, "POST", "/api/v1/units", body);
    json_decref(body);
    json_decref(answer);
    return answer != NULL;
}

// What a text evaluated in bench-ping prints; the caller frees it. NULL: `reason`.
static char *evaluate(struct run *run, size_t node, const char *text)
{
    json_t *body = json_pack("{s:s}", "text", text);
    json_t *answer =
        weft_swarm_ask(&run->swarm, node, "POST", "/api/v1/units/bench-ping/eval", body);
    const char *output = json_string_value(json_object_get(answer, "output"));
    char *copy = output != NULL ? strdup(output) : NULL;
    json_decref(body);
    json_decref(answer);
    return copy;
}

struct trips {
    uint64_t ns[WEFT_SWARM_NODES_MAX * TRIPS];
    size_t count;
    unsigned asked;
    char pairs[160];
};

// Rows of figures into `trips`. False: no answer, or the unit has told fewer than it sent.
static bool read_trips(struct run *run, size_t node, struct trips *trips)
{
    char text[64];
    for (unsigned from = 0; from < TRIPS; from += PIECE) {
        snprintf(text, sizeof(text), "%u %u report", from, from + PIECE);
        char *said = evaluate(run, node, text), *at = said, *end;
        if (said == NULL) return false;
        for (;; at = end) {
            const uint64_t ns = strtoull(at, &end, 10);
            if (end == at) break;
            trips->asked++;
            if (ns > 0) trips->ns[trips->count++] = ns;
        }
        free(said);
    }
    return true;
}

static unsigned trips_ms(const struct run *run)
{
    return TRIPS_MS / (unsigned)run->swarm.count;
}

static bool await_trips(struct run *run, size_t node)
{
    const uint64_t end_ns = weft_bench_now_ns() + (trips_ms(run) + 2500) * WEFT_NS_PER_MS;
    // While it runs, asking it takes time from it: seldom.
    while (weft_swarm_pause_ms(&run->swarm, 300) && weft_bench_now_ns() < end_ns) {
        char *said = evaluate(run, node, "done @ .");
        const bool done = said != NULL && atoi(said) == 1;
        const bool failed = said == NULL;
        free(said);
        if (done || failed) return done;
    }
    return false;
}

static bool ping(struct run *run, size_t from, size_t to, struct trips *trips)
{
    const struct weft_swarm_node *nodes = run->swarm.nodes;
    const size_t before = trips->count;
    char line[96], pair[64];
    snprintf(line, sizeof(line), "\n$%s %d %u %d run\n", nodes[to].id,
             run->out.quick ? TRIPS / 10 : TRIPS, trips_ms(run), PATIENCE_MS);
    const bool done = load(run, to, unit_names[0], "bench/macro/swarm-echo.fth", "") &&
                      load(run, from, unit_names[1], "bench/macro/swarm-ping.fth", line) &&
                      await_trips(run, from) && read_trips(run, from, trips);
    unload(run, from, unit_names[1]);
    unload(run, to, unit_names[0]);
    const uint64_t p50_ns = weft_bench_percentile(trips->ns + before, trips->count - before, 500);
    snprintf(pair, sizeof(pair), "%s%.20s-%.20s ", trips->pairs[0] != '\0' ? ", " : "",
             nodes[from].target.name, nodes[to].target.name);
    const size_t used = strlen(pair);
    if (trips->count > before) {
        snprintf(pair + used, sizeof(pair) - used, "%.0f", (double)p50_ns / 1e3);
    } else {
        snprintf(pair + used, sizeof(pair) - used, "nothing");
    }
    strncat(trips->pairs, pair, sizeof(trips->pairs) - strlen(trips->pairs) - 1);
    return done;
}

static void measure_trips(struct run *run)
{
    static const struct {
        const char *row;
        unsigned permille;
    } shares[] = {{"send and answer, p50", 500},
                  {"send and answer, p95", 950},
                  {"send and answer, p99", 990}};
    struct trips *trips = calloc(1, sizeof(*trips));
    bool done = trips != NULL;
    char note[260];
    if (trips == NULL) return;
    for (size_t i = 0; i < run->swarm.count && done; i++)
        done = ping(run, i, (i + 1) % run->swarm.count, trips);
    for (size_t i = 0; i < WEFT_COUNT_OF(shares); i++) {
        const uint64_t ns = weft_bench_percentile(trips->ns, trips->count, shares[i].permille);
        snprintf(note, sizeof(note), "%s", done ? trips->pairs : run->swarm.reason);
        row(run, shares[i].row, done && trips->count > 0 ? (double)ns / 1e3 : NAN, "us",
            i == 0 ? note : NULL);
    }
    snprintf(note, sizeof(note), "of %u", trips->asked);
    row(run, "messages without an answer",
        done && trips->asked > 0 ? 100.0 * (double)(trips->asked - trips->count) / trips->asked
                                 : NAN,
        "%", note);
    free(trips);
}

// What a message is meant for has to be the only one that may get it: nobody's unit is to receive
// ours.
static bool is_free(struct run *run)
{
    size_t j;
    json_t *unit;
    for (size_t i = 0; i < run->swarm.count; i++) {
        unload(run, i, unit_names[0]); // Of a bench that was killed.
        unload(run, i, unit_names[1]);
        json_t *json = weft_swarm_ask(&run->swarm, i, "GET", "/api/v1/units", NULL);
        json_array_foreach(json_object_get(json, "items"), j, unit)
        {
            if (!json_is_true(json_object_get(unit, "receives_far"))) continue;
            weft_bench_say(
                &run->out, "messages: not measured: %.60s/%.60s takes those of other nodes, too",
                run->swarm.nodes[i].target.name, json_string_value(json_object_get(unit, "name")));
            json_decref(json);
            return false;
        }
        json_decref(json);
    }
    return true;
}

// ---- gossip

static void measure_gossip(struct run *run)
{
    static const struct {
        const char *metric, *row, *unit;
    } figures[] = {
        {"weft_mesh_datagrams_total{direction=\"sent\"}", "gossip messages of each node",
         "messages/s"},
        {"weft_mesh_bytes_total{direction=\"sent\"}", "gossip bytes of each node", "bytes/s"}};
    struct weft_swarm *swarm = &run->swarm;
    double before[2][WEFT_SWARM_NODES_MAX];
    uint64_t at_ns[WEFT_SWARM_NODES_MAX];
    for (size_t i = 0; i < swarm->count; i++) {
        at_ns[i] = weft_bench_now_ns();
        for (size_t f = 0; f < 2; f++)
            before[f][i] = weft_swarm_metric(swarm, i, figures[f].metric);
    }
    const bool waited = weft_swarm_pause_ms(swarm, run->out.quick ? 1000 : 4000);
    for (size_t f = 0; f < 2; f++) {
        double sum = 0;
        char note[200] = "";
        for (size_t i = 0; i < swarm->count; i++) {
            const double more = weft_swarm_metric(swarm, i, figures[f].metric) - before[f][i];
            const double rate = more / ((double)(weft_bench_now_ns() - at_ns[i]) / 1e9);
            const size_t used = strlen(note);
            sum += rate;
            snprintf(note + used, sizeof(note) - used, "%s%.20s %.*f", i > 0 ? ", " : "",
                     swarm->nodes[i].target.name, f == 0 ? 1 : 0, rate);
        }
        if (isnan(sum)) snprintf(note, sizeof(note), "a node does not count it: it has no mesh");
        row(run, figures[f].row, waited ? sum / (double)swarm->count : NAN, figures[f].unit,
            waited ? note : swarm->reason);
    }
}

// ---- an end, a beginning

static void measure_knowledge(struct run *run, size_t node)
{
    struct weft_swarm *swarm = &run->swarm;
    char note[300];
    if (!weft_swarm_can_end(swarm)) {
        row(run, "an end known to all", NAN, "s", "no node is ended without --kill and --start");
        return;
    }
    uint64_t from_ns = weft_bench_now_ns();
    bool done = weft_swarm_end(swarm, node);
    const double gone_s = done ? weft_swarm_until(swarm, node, false, from_ns, KNOWN_MS) : NAN;
    snprintf(note, sizeof(note), "%.60s killed%s%.200s", swarm->nodes[node].target.name,
             done ? "" : ": ", done ? "" : swarm->reason);
    row(run, "an end known to all", gone_s, "s", note);
    from_ns = weft_bench_now_ns();
    done = weft_swarm_begin(swarm, node); // Whatever became of the rest: it is not left dead.
    const int patience_ms = run->hosts != NULL ? BOOT_MS : KNOWN_MS;
    const double met_s = done ? weft_swarm_until(swarm, node, true, from_ns, patience_ms) : NAN;
    snprintf(note, sizeof(note), "%.60s, its start included%s%.200s",
             swarm->nodes[node].target.name, done ? "" : ": ", done ? "" : swarm->reason);
    row(run, "a start known to all, and all to it", met_s, "s", note);
}

// ---- levels of loss

static bool lose(struct run *run, double ratio)
{
    bool done = true;
    for (size_t i = 0; i < run->swarm.count && done; i++)
        done = weft_swarm_lose(&run->swarm, i, ratio);
    return done;
}

static void measure_level(struct run *run, size_t victim, bool may_send)
{
    for (size_t i = 0; i < run->swarm.count; i++) {
        if (!isnan(weft_swarm_until(&run->swarm, i, true, 0, 5000))) continue;
        weft_bench_say(&run->out, "%s: they do not all know each other as alive", run->level);
        break;
    }
    if (may_send) measure_trips(run);
    measure_gossip(run);
    weft_bench_probe(&run->out);
    measure_knowledge(run, victim);
}

static void measure_losing(struct run *run, bool may_send)
{
    static const unsigned percents[] = {0, 1, 5};
    for (size_t level = 0; level < WEFT_COUNT_OF(percents); level++) {
        snprintf(run->level, sizeof(run->level), "%u %% lost", percents[level]);
        if (!weft_swarm_pause_ms(&run->swarm, 1)) {
            row(run, "all", NAN, "", run->swarm.reason);
        } else if (!lose(run, percents[level] / 100.0)) {
            row(run, "all", NAN, "", run->swarm.reason);
        } else {
            const size_t count = run->swarm.count;
            measure_level(run, run->hosts == NULL ? (level + 1) % count : count - 1, may_send);
        }
    }
    lose(run, 0);
}

static void measure_as_it_is(struct run *run, bool may_send)
{
    snprintf(run->level, sizeof(run->level), "%s%s", run->loss != NULL ? run->loss : "as it is",
             run->loss != NULL ? " % lost" : "");
    measure_level(run, run->swarm.count - 1, may_send);
    if (run->loss != NULL) return;
    weft_bench_say(&run->out,
                   "1 %% lost, 5 %% lost: not measured: --faults has the nodes lose frames");
    weft_bench_say(&run->out,
                   "themselves; or let the network lose them and say --loss=1, --loss=5");
}

// ---- from the beginning to the end

static bool parse(struct run *run)
{
    char *end = NULL;
    for (int i = 2; i < run->out.argument_count; i++) {
        const char *word = run->out.arguments[i];
        if (strncmp(word, "--hosts=", 8) == 0) {
            run->hosts = word + 8;
        } else if (strncmp(word, "--loss=", 7) == 0) {
            const double percent = strtod(word + 7, &end);
            if (end == word + 7 || *end != '\0' || strlen(word) > 14 || !(percent >= 0) ||
                percent > 100)
                return false;
            run->loss = word + 7;
        } else if (strcmp(word, "--faults") == 0) {
            run->faults = true;
        } else if (strncmp(word, "--kill=", 7) == 0) {
            run->swarm.kill_command = word + 7;
        } else if (strncmp(word, "--start=", 8) == 0) {
            run->swarm.start_command = word + 8;
        } else {
            return false;
        }
    }
    const bool commands = run->swarm.kill_command != NULL;
    return run->out.argument_count >= 2 && commands == (run->swarm.start_command != NULL) &&
           !(run->faults && run->loss != NULL) &&
           (run->hosts != NULL || (!run->faults && run->loss == NULL && !commands));
}

static bool find_swarm(struct run *run)
{
    char directory[80];
    run->swarm.ends_ns = weft_bench_now_ns() + BOUND_S * WEFT_NS_PER_S;
    if (run->hosts != NULL) return weft_swarm_named(&run->swarm, run->hosts);
    snprintf(directory, sizeof(directory), "%.60s/swarm", run->out.arguments[1]);
    return weft_swarm_lab(&run->swarm, run->out.arguments[0], directory);
}

static void measure(struct run *run)
{
    if (run->hosts == NULL)
        weft_bench_say(&run->out, "a lab of %zu nodes, %s links; each frame may be lost where it",
                       run->swarm.count, run->swarm.link);
    if (run->hosts == NULL)
        weft_bench_say(&run->out,
                       "leaves a node and where it enters one: four times in a round trip");
    const bool may_send = is_free(run);
    if (run->hosts == NULL || run->faults) {
        measure_losing(run, may_send);
    } else {
        measure_as_it_is(run, may_send);
    }
}

static int usage(void)
{
    fprintf(stderr, "usage: bench_swarm WEFT SCRATCH [--json] [--quick] [--hosts=A,B[,C...]\n"
                    "       [--loss=PERCENT | --faults] [--kill=COMMAND --start=COMMAND]]\n");
    return 64;
}

int main(int argc, char **argv)
{
    static struct run run;
    // Told before the machine is measured, which takes a moment.
    bool named = false;
    for (int i = 1; i < argc; i++)
        named = named || strncmp(argv[i], "--hosts", 7) == 0;
    weft_bench_begin(&run.out, "swarm",
                     named ? "the network between the nodes named; LAB where they are virtual"
                           : "three nodes of a lab on this machine",
                     argc, argv);
    if (!parse(&run)) return usage();
    const bool found = find_swarm(&run);
    if (found) {
        measure(&run);
    } else {
        weft_bench_say(&run.out, "not measured: %s", run.swarm.reason);
    }
    weft_swarm_close(&run.swarm);
    weft_bench_end(&run.out);
    if (run.swarm.is_interrupted) return 130;
    return found || run.hosts == NULL ? 0 : 69;
}
