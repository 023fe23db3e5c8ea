// saved.c: checkpoints of a unit of 4 KiB in a node, with all that it has to do with others: what
// the journal, `weft unit save` and a snapshot do with each. CPU time, best of several runs.
#include "bench/micro/saved.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/node/node.h"
#include "runtime/node/unit_actor.h"

#define RUNS  20
#define BATCH 100

// Words, data, a program that waits; a channel with two messages, a timer, a mailbox.
static const char source[] =
    "0 VALUE total : add total + TO total ; : sq DUP * ; : cube DUP sq * ; "
    ": fib DUP 2 < IF DROP 1 ELSE DUP 1- RECURSE SWAP 2 - RECURSE + THEN ; "
    ": sums 0 SWAP 0 ?DO I sq I cube + + LOOP add ; CREATE table 1500 ALLOT "
    "2 CHANNEL CONSTANT ch 1 ch SEND 2 ch SEND S\" tick\" 600000 AFTER CONSTANT t "
    ": main BEGIN 100000 MS 10 sums AGAIN ; S\" mail\" SELF SEND-TO DROP "
    ": begin UNIT-SAVE DROP main ; begin";

struct asked {
    struct weft_command command;
    bool is_done;
};

static void is_done(struct weft_command *command)
{
    ((struct asked *)(void *)command)->is_done = true; // Its first member.
}

static void turn(struct weft_node *node)
{
    for (uint16_t core = 0; core <= 1; core++)
        weft_core_turn(weft_node_core(node, core));
}

static struct weft_unit_actor *load(struct weft_node *node, struct asked *asked)
{
    struct weft_error error;
    struct weft_resident *resident = weft_unit_registry_add(&node->units, "bench", &error);
    resident->core = 1;
    memset(asked, 0, sizeof(*asked));
    asked->command = (struct weft_command){.verb = WEFT_COMMAND_LOAD,
                                           .resident = resident,
                                           .text = source,
                                           .text_length = strlen(source),
                                           .done = is_done};
    weft_assert(weft_unit_actor_submit(node, &asked->command) == 0);
    while (!asked->is_done)
        turn(node);
    weft_assert(asked->command.error.code == 0);
    for (unsigned n = 0; n < 10; n++)
        turn(node);
    return weft_actor_find(&node->workers[0].actors, weft_counter_get(&resident->pid))->state;
}

static double save_ns(struct weft_unit_actor *unit, uint8_t *image, size_t *length)
{
    const uint64_t from = weft_bench_cpu_ns();
    for (unsigned n = 0; n < BATCH; n++) {
        *length = weft_unit_actor_image_bytes(unit);
        weft_assert(weft_unit_actor_image_write(unit, image, *length) == 0);
    }
    return (double)(weft_bench_cpu_ns() - from) / BATCH;
}

// Checked, made, given to an actor, and tied.
static double restore_ns(struct weft_node *node, const uint8_t *image, size_t length)
{
    struct weft_node_worker *worker = &node->workers[0];
    static const struct weft_unit_kin nobody;
    static const struct weft_unit_quota usual;
    const char *wrong;
    const uint64_t from = weft_bench_cpu_ns();
    for (unsigned n = 0; n < BATCH; n++)
        weft_assert(weft_unit_actor_revive(worker, "copy", weft_span_of(image, length), &nobody,
                                           &usual, &wrong) == 0);
    weft_unit_actor_tie_held(worker);
    const double ns = (double)(weft_bench_cpu_ns() - from) / BATCH;
    weft_unit_actor_end_held(worker);
    while (worker->nestling_count > 0)
        turn(node);
    return ns;
}

void weft_bench_saved(struct weft_bench *out)
{
    static struct weft_node node;
    struct weft_error error;
    struct asked *asked = malloc(sizeof(*asked));
    uint8_t *image = malloc(WEFT_UNIT_IMAGE_MAX);
    const struct weft_node_options options = {
        .name = "bench",
        .clock = weft_bench_clock(),
        .entropy = weft_bench_entropy(),
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
        .eval_timeout_ns = WEFT_NS_PER_MS,
    };
    weft_assert(asked != NULL && image != NULL && weft_node_init(&node, &options, &error) == 0);
    struct weft_unit_actor *unit = load(&node, asked);
    double save = INFINITY, restore = INFINITY;
    size_t length = 0;
    for (unsigned run = 0; run < (out->quick ? 2 : RUNS); run++) {
        save = fmin(save, save_ns(unit, image, &length));
        restore = fmin(restore, restore_ns(&node, image, length));
    }
    weft_bench_row(out, "checkpoint of a unit in a node", (double)length, "bytes",
                   "a channel, a timer and a mailbox with it");
    weft_bench_row(out, "checkpoint written", save / 1e3, "us", NULL);
    weft_bench_row(out, "checkpoint checked, made a unit and an actor, tied", restore / 1e3, "us",
                   NULL);
    weft_node_destroy(&node);
    free(image);
    free(asked);
}
