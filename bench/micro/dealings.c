// dealings.c: channels and spawned units, in Forth, on a whole node without port or disk.
//
// Question: what do channels, spawned units and messages cost, and what in Go and Python? The same
// rows stand in bench/forth/dealings.go and dealings.py. First its control core and one worker,
// turned by hand in one thread: CPU time of all that a turn does. Then two workers with a thread
// each, pinned as in a node: wall time. Best of several, all of them one after the other within
// each round, so that a disturbance meets all.
#include "bench/micro/dealings.h"

#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/micro/beside.h"
#include "runtime/base/assert.h"
#include "runtime/node/node.h"
#include "runtime/node/unit_actor.h"
#include "runtime/sched/core_thread.h"

#define RUNS        5
#define ROW_NS      (2 * WEFT_NS_PER_S) // No more runs of a row after that.
#define ACROSS_RUNS 25 // On two cores runs are short, so that some fall between two disturbances:
#define ACROSS_LESS 50 // one part of the work in so many.

static const char source[] =
    "64 CHANNEL CONSTANT ch 0 CHANNEL CONSTANT bare "
    ": pairs ( n -- ) 0 ?DO I ch SEND ch RECV DROP LOOP ; "
    ": put ( channel n -- ) 0 ?DO I OVER SEND LOOP DROP ; "
    ": through ( n channel -- ) 2DUP SWAP 2 ['] put SPAWN DETACH DROP "
    "  SWAP 0 ?DO DUP RECV DROP LOOP DROP ; "
    ": stream ( n -- ) ch through ; : handover ( n -- ) bare through ; "
    ": nothing ; : children ( n -- ) 0 ?DO 0 ['] nothing SPAWN JOIN 2DROP LOOP ; "
    ": echo BEGIN RECEIVE DROP SEND-TO DROP AGAIN ; "
    ": rounds ( n -- ) 0 ['] echo SPAWN SWAP 0 ?DO S\" 12345678\" 2 PICK SEND-TO DROP "
    "  RECEIVE 2DROP 2DROP LOOP DUP KILL DROP JOIN 2DROP ; ";

// A unit's children land on its own core and the others in turn: one in vain, so that the next is
// not here.
static const char across[] = ": aside ( -- ) 0 ['] nothing SPAWN JOIN 2DROP ; "
                             ": stream aside stream ; : handover aside handover ; "
                             ": rounds aside rounds ; ";

// The words of the example, in the order of its `main`, which prints what this one looks at.
static const char example[] = "docs/examples/coordinator.fth";
static const char coordinator[] =
    ": coordinate ( -- sum+items ) 16 CHANNEL jobs ! 16 CHANNEL results ! hire "
    "  jobs @ 1 ['] feed SPAWN DETACH THROW collect >R dismiss R> + results @ CLOSE-CHANNEL ; "
    ": coordinator ( n -- ) items / 0 ?DO coordinate 338450 <> ABORT\" a wrong sum\" LOOP ; ";

enum { PEER_COUNT = 2 };

static const struct {
    const char *name;
    unsigned cores; // It can use.
    unsigned less;  // Does only one part of so many: it is slow.
} peers[PEER_COUNT] = {{"go", 2, 1}, {"python", 1, 10}};

// Its word in Forth is also its name in the peers' programs.
struct row {
    const char *word, *title;
    unsigned count;
    bool is_alone;            // Other cores have nothing to do with it.
    bool no_peer[PEER_COUNT]; // It has no such thing.
    const char *note;
};

static const struct row rows[] = {
    {.word = "pairs",
     .title = "cell sent and received, one unit, its channel",
     .count = 300000,
     .is_alone = true},
    {.word = "stream",
     .title = "cell sent and received, from unit to unit",
     .count = 300000,
     .note = "room for 64"},
    {.word = "handover",
     .title = "cell handed from unit to unit",
     .count = 100000,
     .no_peer = {false, true},
     .note = "no room"},
    {.word = "children",
     .title = "SPAWN and JOIN of a unit that does nothing",
     .count = 50000,
     .note = "eight words and a channel come along"},
    {.word = "rounds",
     .title = "message to another unit and back",
     .count = 100000,
     .note = "SEND-TO, RECEIVE; 8 bytes"},
    {.word = "coordinator",
     .title = "item of ten agents and a coordinator",
     .count = 100000,
     .note = "docs/examples/coordinator.fth; 100 items a time, hired anew for them"},
};

struct asked {
    struct weft_command command;
    bool is_done;
};

struct rig {
    struct weft_bench *out;
    const char *peers; // NULL: none.
    unsigned cores;    // 1: turned by hand; 2: each on its thread.
    struct weft_node node;
    struct weft_core_thread threads[2];
    struct weft_resident *unit;
    struct asked asked;
};

static void is_done(struct weft_command *command)
{
    ((struct asked *)(void *)command)->is_done = true; // Its first member.
}

static void turn(struct rig *rig)
{
    // The control core leaves both CPUs to the workers; what it adds is nothing beside a run.
    const struct timespec pause = {.tv_nsec = 20000};
    const bool found = weft_core_turn(&rig->node.control);
    if (rig->cores == 1)
        weft_core_turn(&rig->node.workers[0].core);
    else if (!found)
        nanosleep(&pause, NULL);
}

// Nanoseconds until the text has been run: of CPU on one core, by the clock on two.
static double run_ns(struct rig *rig, enum weft_command_verb verb, const char *text)
{
    rig->asked = (struct asked){.command = {.verb = verb,
                                            .resident = rig->unit,
                                            .text = text,
                                            .text_length = strlen(text),
                                            .done = is_done}};
    uint64_t (*const read_ns)(void) = rig->cores == 1 ? weft_bench_cpu_ns : weft_bench_now_ns;
    const uint64_t from = read_ns();
    weft_assert(weft_unit_actor_submit(&rig->node, &rig->asked.command) == 0);
    while (!rig->asked.is_done)
        turn(rig);
    weft_assert(rig->asked.command.error.code == 0);
    return (double)(read_ns() - from);
}

// The nth CPU that we may use. -1: there are not so many.
static int nth_cpu(unsigned n)
{
    cpu_set_t cpus;
    if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0) return -1;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET((unsigned)cpu, &cpus) && n-- == 0) return cpu;
    return -1;
}

static void open_rig(struct rig *rig)
{
    struct weft_error error;
    const struct weft_node_options options = {
        .name = "bench",
        .clock = weft_bench_clock(),
        .entropy = weft_bench_entropy(),
        .worker_count = (uint16_t)rig->cores,
        .arena_bytes = 256 * WEFT_MIB,
        .actor_count_max = 4096,
        .stack_count_max = 16,
        .name_count_max = 64,
        .log_level = WEFT_LOG_ERROR,
        .unit = weft_unit_options_default,
        .unit_count_max = 8,
        .unit_mailbox = 1024,
        .eval_reductions = UINT32_MAX,
        .eval_timeout_ns = 60 * WEFT_NS_PER_S,
    };
    weft_assert(weft_node_init(&rig->node, &options, &error) == 0);
    for (unsigned n = 0; rig->cores > 1 && n < rig->cores; n++) {
        rig->threads[n].core = &rig->node.workers[n].core;
        rig->threads[n].core->cpu = (int16_t)nth_cpu(n);
        weft_assert(weft_core_thread_start(&rig->threads[n]) == 0);
    }
    rig->unit = weft_unit_registry_add(&rig->node.units, "bench", &error);
    rig->unit->core = 1;
    run_ns(rig, WEFT_COMMAND_LOAD, source);
    if (rig->cores > 1) run_ns(rig, WEFT_COMMAND_EVAL, across);
}

static void close_rig(struct rig *rig)
{
    for (unsigned n = 0; rig->cores > 1 && n < rig->cores; n++)
        weft_core_thread_halt(&rig->threads[n]);
    for (unsigned n = 0; rig->cores > 1 && n < rig->cores; n++)
        weft_core_thread_stop(&rig->threads[n]);
    weft_node_destroy(&rig->node);
}

// False: we were not started from the root of the tree.
static bool load_example(struct rig *rig)
{
    char text[8192];
    FILE *file = fopen(example, "re");
    if (file == NULL) return false;
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    run_ns(rig, WEFT_COMMAND_EVAL, text);
    run_ns(rig, WEFT_COMMAND_EVAL, coordinator);
    return true;
}

static double our_ns(struct rig *rig, const struct row *row, unsigned count)
{
    char text[64];
    snprintf(text, sizeof(text), "%u %s", count, row->word);
    return run_ns(rig, WEFT_COMMAND_EVAL, text) / count;
}

// Python's tasks all run on one core.
static bool has_peer(const struct rig *rig, const struct row *row, unsigned n)
{
    return rig->peers != NULL && !row->no_peer[n] && rig->cores <= peers[n].cores;
}

static void print(struct rig *rig, const struct row *row, double ours_ns,
                  const double peer_ns[PEER_COUNT])
{
    const char *where = rig->cores > 1 ? ", two cores" : "";
    char title[80], note[64];
    snprintf(title, sizeof(title), "%s%s", row->title, where);
    weft_bench_row(rig->out, title, ours_ns, "ns", row->note);
    for (unsigned n = 0; n < PEER_COUNT; n++) {
        if (!has_peer(rig, row, n)) continue;
        snprintf(title, sizeof(title), "  %s%s, %s", row->word, where, peers[n].name);
        if (!weft_bench_beside_has(rig->peers, peers[n].name))
            snprintf(note, sizeof(note), "not installed");
        else if (isnan(peer_ns[n]))
            snprintf(note, sizeof(note), "failed");
        else
            snprintf(note, sizeof(note), "weft takes %.2f of it", ours_ns / peer_ns[n]);
        weft_bench_row(rig->out, title, peer_ns[n], "ns", note);
    }
}

static void measure(struct rig *rig, const struct row *row)
{
    const unsigned less = (rig->out->quick ? 10 : 1) * (rig->cores > 1 ? ACROSS_LESS : 1);
    const unsigned count = row->count / less;
    const unsigned runs = rig->cores > 1 ? ACROSS_RUNS : RUNS;
    const uint64_t begun_ns = weft_bench_now_ns();
    double ours_ns = INFINITY, peer_ns[PEER_COUNT] = {NAN, NAN};
    for (unsigned run = 0; run < runs && weft_bench_now_ns() - begun_ns < ROW_NS; run++) {
        ours_ns = fmin(ours_ns, our_ns(rig, row, count));
        for (unsigned n = 0; n < PEER_COUNT; n++) {
            if (!has_peer(rig, row, n) || !weft_bench_beside_has(rig->peers, peers[n].name))
                continue;
            peer_ns[n] = fmin(peer_ns[n], weft_bench_beside_ns(rig->peers, peers[n].name, row->word,
                                                               count / peers[n].less, rig->cores));
        }
    }
    print(rig, row, ours_ns, peer_ns);
}

static void measure_on(struct weft_bench *out, const char *peers_directory, unsigned cores)
{
    static struct rig rig;
    rig.out = out;
    rig.peers = peers_directory;
    rig.cores = cores;
    open_rig(&rig);
    const bool has_example = load_example(&rig);
    for (size_t i = 0; i < WEFT_COUNT_OF(rows); i++) {
        if (cores > 1 && rows[i].is_alone) continue;
        if (strcmp(rows[i].word, "coordinator") != 0 || has_example)
            measure(&rig, &rows[i]);
        else
            weft_bench_row(out, rows[i].title, NAN, "ns", "not started from the tree's root");
        if (peers_directory != NULL) weft_bench_probe(out);
    }
    close_rig(&rig);
}

void weft_bench_dealings(struct weft_bench *out, const char *peers_directory)
{
    weft_bench_say(out, "units with each other, one core, CPU time, best of %d%s", RUNS,
                   peers_directory == NULL ? "; --peers runs Go and Python beside" : "");
    measure_on(out, peers_directory, 1);
    if (nth_cpu(1) < 0) {
        weft_bench_say(out, "two cores: not measured, there is but one CPU");
        return;
    }
    weft_bench_say(out, "units with each other, two cores, wall time, best of %d", ACROSS_RUNS);
    measure_on(out, peers_directory, 2);
}
