// dealings.c: channels and spawned units, in Forth, on a whole node turned by hand in one thread:
// its control core and one worker, no port, no disk. CPU time of all that a turn does.
//
// Question: what do channels, spawned units and messages cost, and what in Go and Python? The same
// rows stand in bench/forth/dealings.go and dealings.py. Best of five, all of them one after the
// other within each round, so that a disturbance meets all.
#include "bench/micro/dealings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/micro/beside.h"
#include "runtime/base/assert.h"
#include "runtime/node/node.h"
#include "runtime/node/unit_actor.h"

#define RUNS 5

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

// The words of the example, in the order of its `main`, which prints what this one looks at.
static const char example[] = "docs/examples/coordinator.fth";
static const char coordinator[] =
    ": coordinate ( -- sum+items ) 16 CHANNEL jobs ! 16 CHANNEL results ! hire "
    "  jobs @ 1 ['] feed SPAWN DETACH THROW collect >R dismiss R> + results @ CLOSE-CHANNEL ; "
    ": coordinator ( n -- ) items / 0 ?DO coordinate 338450 <> ABORT\" a wrong sum\" LOOP ; ";

enum { PEER_COUNT = 2 };

static const struct {
    const char *name;
    unsigned less; // Does only one part of so many: it is slow.
} peers[PEER_COUNT] = {{"go", 1}, {"python", 10}};

// Its word in Forth is also its name in the peers' programs.
struct row {
    const char *word, *title;
    unsigned count;
    bool no_peer[PEER_COUNT]; // It has no such thing.
    const char *note;
};

static const struct row rows[] = {
    {"pairs", "cell sent and received, one unit, its channel", 300000, {0}, NULL},
    {"stream", "cell sent and received, from unit to unit", 300000, {0}, "room for 64; one core"},
    {"handover", "cell handed from unit to unit", 100000, {false, true}, "no room; one core"},
    {"children",
     "SPAWN and JOIN of a unit that does nothing",
     50000,
     {0},
     "one core; eight words and a channel come along"},
    {"rounds", "message to another unit and back", 100000, {0}, "SEND-TO, RECEIVE; 8 bytes"},
    {"coordinator",
     "item of ten agents and a coordinator",
     100000,
     {0},
     "docs/examples/coordinator.fth; 100 items a time, hired anew for them"},
};

struct asked {
    struct weft_command command;
    bool is_done;
};

struct rig {
    struct weft_bench *out;
    const char *peers; // NULL: none.
    struct weft_node node;
    struct weft_resident *unit;
    struct asked asked;
};

static uint64_t now_ns(void *self)
{
    (void)self;
    return weft_bench_now_ns();
}

static void fill(void *self, void *bytes, size_t length)
{
    (void)self;
    memset(bytes, 7, length);
}

static void is_done(struct weft_command *command)
{
    ((struct asked *)(void *)command)->is_done = true; // Its first member.
}

// Nanoseconds of CPU until the text has been run.
static double run_ns(struct rig *rig, enum weft_command_verb verb, const char *text)
{
    rig->asked = (struct asked){.command = {.verb = verb,
                                            .resident = rig->unit,
                                            .text = text,
                                            .text_length = strlen(text),
                                            .done = is_done}};
    const uint64_t from = weft_bench_cpu_ns();
    weft_assert(weft_unit_actor_submit(&rig->node, &rig->asked.command) == 0);
    while (!rig->asked.is_done) {
        for (uint16_t core = 0; core <= 1; core++)
            weft_core_turn(weft_node_core(&rig->node, core));
    }
    weft_assert(rig->asked.command.error.code == 0);
    return (double)(weft_bench_cpu_ns() - from);
}

static void open_rig(struct rig *rig)
{
    struct weft_error error;
    const struct weft_node_options options = {
        .name = "bench",
        .clock = {.now_ns = now_ns, .wall_ns = now_ns},
        .entropy = {.fill = fill},
        .worker_count = 1,
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
    rig->unit = weft_unit_registry_add(&rig->node.units, "bench", &error);
    rig->unit->core = 1;
    run_ns(rig, WEFT_COMMAND_LOAD, source);
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

static void print(struct rig *rig, const struct row *row, double ours_ns,
                  const double peer_ns[PEER_COUNT])
{
    weft_bench_row(rig->out, row->title, ours_ns, "ns", row->note);
    for (unsigned n = 0; rig->peers != NULL && n < PEER_COUNT; n++) {
        char title[80], note[64];
        if (row->no_peer[n]) continue;
        snprintf(title, sizeof(title), "  %s, %s", row->word, peers[n].name);
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
    const unsigned count = row->count / (rig->out->quick ? 10 : 1);
    double ours_ns = INFINITY, peer_ns[PEER_COUNT] = {NAN, NAN};
    for (unsigned run = 0; run < RUNS; run++) {
        ours_ns = fmin(ours_ns, our_ns(rig, row, count));
        for (unsigned n = 0; rig->peers != NULL && n < PEER_COUNT; n++) {
            if (row->no_peer[n] || !weft_bench_beside_has(rig->peers, peers[n].name)) continue;
            peer_ns[n] = fmin(peer_ns[n], weft_bench_beside_ns(rig->peers, peers[n].name, row->word,
                                                               count / peers[n].less));
        }
    }
    print(rig, row, ours_ns, peer_ns);
}

void weft_bench_dealings(struct weft_bench *out, const char *peers_directory)
{
    static struct rig rig;
    rig.out = out;
    rig.peers = peers_directory;
    open_rig(&rig);
    const bool has_example = load_example(&rig);
    for (size_t i = 0; i < WEFT_COUNT_OF(rows); i++) {
        if (strcmp(rows[i].word, "coordinator") != 0 || has_example)
            measure(&rig, &rows[i]);
        else
            weft_bench_row(out, rows[i].title, NAN, "ns", "not started from the tree's root");
        if (peers_directory != NULL) weft_bench_probe(out);
    }
    if (peers_directory == NULL)
        weft_bench_say(out, "Go and Python: not measured; --peers runs them beside");
    weft_node_destroy(&rig.node);
}
