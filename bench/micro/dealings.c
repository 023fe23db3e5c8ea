// dealings.c: channels and spawned units, in Forth, on a whole node turned by hand in one thread:
// its control core and one worker, no port, no disk. CPU time of all that a turn does.
#include "bench/micro/dealings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/node/node.h"
#include "runtime/node/unit_actor.h"

#define RUNS 5

static const char source[] =
    "64 CHANNEL CONSTANT ch "
    ": pairs ( n -- ) 0 ?DO I ch SEND ch RECV DROP LOOP ; "
    ": put ( channel n -- ) 0 ?DO I OVER SEND LOOP DROP ; "
    ": stream ( n -- ) ch OVER 2 ['] put SPAWN DETACH DROP 0 ?DO ch RECV DROP LOOP ; "
    ": nothing ; : children ( n -- ) 0 ?DO 0 ['] nothing SPAWN JOIN 2DROP LOOP ; "
    ": echo BEGIN RECEIVE DROP SEND-TO DROP AGAIN ; "
    ": rounds ( n -- ) 0 ['] echo SPAWN SWAP 0 ?DO S\" 12345678\" 2 PICK SEND-TO DROP "
    "  RECEIVE 2DROP 2DROP LOOP DUP KILL DROP JOIN 2DROP ; ";

struct asked {
    struct weft_command command;
    bool is_done;
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
static double run_ns(struct weft_node *node, struct asked *asked, struct weft_resident *unit,
                     enum weft_command_verb verb, const char *text)
{
    memset(asked, 0, sizeof(*asked));
    asked->command = (struct weft_command){
        .verb = verb, .resident = unit, .text = text, .text_length = strlen(text), .done = is_done};
    const uint64_t from = weft_bench_cpu_ns();
    weft_assert(weft_unit_actor_submit(node, &asked->command) == 0);
    while (!asked->is_done) {
        for (uint16_t core = 0; core <= 1; core++)
            weft_core_turn(weft_node_core(node, core));
    }
    weft_assert(asked->command.error.code == 0);
    return (double)(weft_bench_cpu_ns() - from);
}

void weft_bench_dealings(struct weft_bench *out)
{
    static const struct {
        const char *row, *text, *quick_text;
        double count, quick_count;
        const char *note;
    } rows[] = {
        {"cell sent and received, one unit, its channel", "300000 pairs", "30000 pairs", 300000,
         30000, NULL},
        {"cell sent and received, from unit to unit", "300000 stream", "30000 stream", 300000,
         30000, "room for 64; one core"},
        {"SPAWN and JOIN of a unit that does nothing", "50000 children", "5000 children", 50000,
         5000, "one core; eight words and a channel come along"},
        {"message to another unit and back", "100000 rounds", "10000 rounds", 100000, 10000,
         "SEND-TO, RECEIVE; 8 bytes"},
    };
    static struct weft_node node;
    struct weft_error error;
    struct asked *asked = malloc(sizeof(*asked));
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
    weft_assert(asked != NULL && weft_node_init(&node, &options, &error) == 0);
    struct weft_resident *unit = weft_unit_registry_add(&node.units, "bench", &error);
    unit->core = 1;
    run_ns(&node, asked, unit, WEFT_COMMAND_LOAD, source);
    for (size_t i = 0; i < WEFT_COUNT_OF(rows); i++) {
        double best = INFINITY;
        const double count = out->quick ? rows[i].quick_count : rows[i].count;
        const char *text = out->quick ? rows[i].quick_text : rows[i].text;
        for (unsigned run = 0; run < RUNS; run++)
            best = fmin(best, run_ns(&node, asked, unit, WEFT_COMMAND_EVAL, text));
        weft_bench_row(out, rows[i].row, best / count, "ns", rows[i].note);
    }
    weft_node_destroy(&node);
    free(asked);
}
