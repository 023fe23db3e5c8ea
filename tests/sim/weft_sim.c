// weft-sim: two nodes of two cores, one thread, one seed: units work, talk and are asked, the wire
// is bad, power fails. Laws are checked on the way; at the end everything has healed, and one
// number says in which state. `./do sim --seed N`.
//
// Laws:
//   1. What was acknowledged is there after a crash: a counter is never below its acknowledged sum,
//   and
//      never above what it was ever asked to add.
//   2. Each stack's ledger is even: everything that came in has one end (dataplane/stack.h).
//   3. Each mailbox's too: sent = received + dropped (checked by the actors' own tests; here by
//   sum).
//   4. When the wire is good again, both nodes see each other alive.
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/world.h"

#define STEP_OF_SCENARIO_NS (20 * WEFT_NS_PER_MS)

struct tally {       // Of one node's counter, over all its lives.
    uint64_t asked;  // Additions that were sent.
    uint64_t acked;  // Additions that were acknowledged as durable.
    uint64_t loaded; // 1: the load itself was acknowledged.
    bool is_asking;  // The value is being asked for after a restart.
    uint64_t floor;  // acked at that moment.
};

struct scenario {
    struct world world;
    struct tally tallies[WORLD_NODES];
    uint64_t messages_sent, crashes, checks, additions;
};

static const char counter_source[] = "VARIABLE total  : add ( n -- ) total +! ;";
static const char inbox_source[] =
    "VARIABLE got  : inbox BEGIN RECEIVE 2DROP 2DROP 1 got +! AGAIN ; inbox";
static const char sender_source[] = ": say ( id -- ior ) >R S\" hello\" R> SEND-HOST ;";
static const char spinner_source[] = "VARIABLE turns  : spin BEGIN 1 turns +! 1 MS AGAIN ; spin";

static void loaded(struct world_command *command)
{
    struct scenario *scenario = command->self;
    if (command->command.error.code != 0)
        world_fail(&scenario->world, "%s did not load: %s", command->command.resident->name,
                   command->command.error.text);
    if (strcmp(command->command.resident->name, "counter") == 0)
        scenario->tallies[command->owner->number].loaded = 1;
}

static void value_came(struct world_command *command)
{
    struct scenario *scenario = command->self;
    struct tally *tally = &scenario->tallies[command->owner->number];
    if (command->command.error.code != 0)
        world_fail(&scenario->world, "%s: the counter does not answer: %s", command->owner->name,
                   command->command.error.text);
    const uint64_t value = strtoull(command->command.output, NULL, 10);
    if (value < tally->floor || value > tally->asked)
        world_fail(&scenario->world,
                   "%s: after a restart the counter is %llu; %llu was acknowledged, %llu asked",
                   command->owner->name, (unsigned long long)value,
                   (unsigned long long)tally->floor, (unsigned long long)tally->asked);
    scenario->checks++;
}

static void restored(struct world_command *command)
{
    struct scenario *scenario = command->self;
    struct tally *tally = &scenario->tallies[command->owner->number];
    loaded(command);
    if (strcmp(command->command.resident->name, "counter") != 0) return;
    tally->floor = tally->acked;
    world_command(command->owner, WEFT_COMMAND_EVAL, "counter", "total @ .", value_came, scenario);
}

// What the control core of weftd does at start (runtime/node/control.c), for the simulator's units.
static void node_restarted(void *self, struct world_node *node)
{
    struct scenario *scenario = self;
    const struct weft_unit_table *table = &node->node.recovered;
    const struct {
        const char *name, *source;
    } units[] = {{"counter", counter_source},
                 {"inbox", inbox_source},
                 {"sender", sender_source},
                 {"spinner", spinner_source}};
    for (uint32_t i = 0; i < table->count; i++) {
        const struct weft_unit_load *load = &table->entries[i].load;
        if (load->origin.root[0] != '\0') continue; // Here nobody spawns.
        char source[256];
        snprintf(source, sizeof(source), "%.*s", (int)load->source.length,
                 (const char *)load->source.data);
        struct world_command *command =
            world_command(node, WEFT_COMMAND_RESTORE, load->name, source, restored, scenario);
        command->command.image =
            table->entries[i].image.length > 0 ? table->entries[i].image.data : NULL;
        command->command.image_length = table->entries[i].image.length;
    }
    for (size_t i = 0; i < WEFT_COUNT_OF(units); i++) {
        if (weft_unit_table_find(table, units[i].name) != NULL) continue;
        if (strcmp(units[i].name, "counter") == 0 && scenario->tallies[node->number].loaded)
            world_fail(&scenario->world, "%s: the acknowledged load of its counter is gone",
                       node->name);
        world_command(node, WEFT_COMMAND_LOAD, units[i].name, units[i].source, loaded, scenario);
    }
}

// ---- What happens.

static void added(struct world_command *command)
{
    struct scenario *scenario = command->self;
    if (command->command.error.code != 0) return; // Not durable, or too busy: not acknowledged.
    scenario->tallies[command->owner->number].acked += strtoull(command->text, NULL, 10);
    scenario->additions++;
}

static void add_something(struct scenario *scenario, struct world_node *node)
{
    char text[32];
    const uint32_t amount = 1 + weft_prng_below(&scenario->world.prng, 9);
    snprintf(text, sizeof(text), "%u add", amount);
    if (world_command(node, WEFT_COMMAND_EVAL, "counter", text, added, scenario) != NULL)
        scenario->tallies[node->number].asked += amount;
}

static void say_something(struct scenario *scenario, struct world_node *node)
{
    char text[64];
    const uint64_t to = scenario->world.nodes[1 - node->number].identity.id;
    snprintf(text, sizeof(text), "$%llx say drop", (unsigned long long)to);
    if (world_command(node, WEFT_COMMAND_EVAL, "sender", text, NULL, scenario) != NULL)
        scenario->messages_sent++;
}

static void spoil_wire(struct scenario *scenario, struct world_node *node)
{
    struct weft_prng *prng = &scenario->world.prng;
    struct weft_fault_options faults = {.rx = true, .tx = true};
    if (!node->is_up) return;
    if (weft_prng_below(prng, 3) > 0) { // A third of the changes make it good again.
        faults.loss_ppm = weft_prng_below(prng, 200000);
        faults.duplicate_ppm = weft_prng_below(prng, 100000);
        faults.reorder_ppm = weft_prng_below(prng, 100000);
        faults.corrupt_ppm = weft_prng_below(prng, 50000);
        faults.delay_ns = weft_prng_below(prng, 2000000);
        faults.jitter_ns = weft_prng_below(prng, 2000000);
        faults.partition_all = weft_prng_below(prng, 8) == 0;
    }
    world_trace(&scenario->world, "%s: loss %u ppm%s", node->name, faults.loss_ppm,
                faults.partition_all ? ", partitioned" : "");
    weft_node_fault_set(&node->node, 0, &faults);
}

static void happen(struct scenario *scenario)
{
    struct weft_prng *prng = &scenario->world.prng;
    struct world_node *node = &scenario->world.nodes[weft_prng_below(prng, WORLD_NODES)];
    const uint32_t dice = weft_prng_below(prng, 1000);
    if (dice < 5) {
        // Power fails in the middle of work: that is when a promise made too early shows.
        add_something(scenario, node);
        world_run_until(&scenario->world,
                        scenario->world.now_ns + weft_prng_below(prng, 500 * WEFT_NS_PER_US));
        world_crash(&scenario->world, node, weft_prng_below(prng, 2000) * WEFT_NS_PER_MS);
        scenario->crashes++;
    } else if (dice < 30) {
        spoil_wire(scenario, node);
    } else if (dice < 500) {
        add_something(scenario, node);
    } else if (dice < 700) {
        say_something(scenario, node);
    }
}

// ---- At the end.

static void check_ledger(struct scenario *scenario, struct world_node *node)
{
    struct weft_stack_balance sum = {0};
    for (uint32_t i = 0; i < WORLD_WORKERS; i++) {
        weft_stack_balance_add(&node->node.workers[i].stack, &sum);
    }
    const int64_t gap = weft_stack_balance_gap(&sum);
    if (gap != 0)
        world_fail(&scenario->world, "%s: %lld frames came in and have no end", node->name,
                   (long long)gap);
}

static void check_peers(struct scenario *scenario, struct world_node *node)
{
    struct weft_mesh_stats stats;
    weft_mesh_stats(weft_mesh_keeper_mesh(node->node.mesh), &stats);
    if (stats.alive != WORLD_NODES - 1)
        world_fail(&scenario->world, "%s sees %u other nodes alive on a good wire", node->name,
                   stats.alive);
}

static void heal(struct scenario *scenario)
{
    const struct weft_fault_options none = {0};
    struct world *world = &scenario->world;
    while (!world->nodes[0].is_up || !world->nodes[1].is_up) {
        world_step(world);
    }
    for (uint32_t i = 0; i < WORLD_NODES; i++) {
        weft_node_fault_set(&world->nodes[i].node, 0, &none);
    }
    world_run_until(world, world->now_ns + 10 * WEFT_NS_PER_S);
    for (uint32_t i = 0; i < WORLD_NODES; i++) {
        struct tally *tally = &scenario->tallies[i];
        tally->floor = tally->acked;
        world_command(&world->nodes[i], WEFT_COMMAND_EVAL, "counter", "total @ .", value_came,
                      scenario);
    }
    world_run_until(world, world->now_ns + WEFT_NS_PER_S);
    world_settle(world);
    for (uint32_t i = 0; i < WORLD_NODES; i++) {
        check_ledger(scenario, &world->nodes[i]);
        check_peers(scenario, &world->nodes[i]);
    }
}

static int usage(FILE *out, int status)
{
    fputs("usage: weft-sim [--seed N] [--seconds S] [--quiet] [--trace]\n"
          "Turns two nodes of two cores from one seed and prints the hash of their final state.\n"
          "The same seed gives the same hash. A broken law exits 1 and says which.\n",
          out);
    return status;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {
        {"seed", required_argument, NULL, 's'}, {"seconds", required_argument, NULL, 't'},
        {"quiet", no_argument, NULL, 'q'},      {"trace", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0}};
    static struct scenario scenario;
    uint64_t seed = 1, seconds = 30;
    bool is_quiet = false;
    int letter;
    while ((letter = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        switch (letter) {
        case 's': seed = strtoull(optarg, NULL, 0); break;
        case 't': seconds = strtoull(optarg, NULL, 0); break;
        case 'q': is_quiet = true; break;
        case 'v': scenario.world.is_traced = true; break;
        case 'h': return usage(stdout, 0);
        default: return usage(stderr, 64);
        }
    }
    if (optind != argc || seconds == 0 || seconds > 86400) return usage(stderr, 64);
    struct world *world = &scenario.world;
    world->restarted = node_restarted;
    world->self = &scenario;
    world_init(world, seed);
    for (uint64_t next_ns = 0; world->now_ns < seconds * WEFT_NS_PER_S;) {
        world_run_until(world, next_ns += STEP_OF_SCENARIO_NS);
        happen(&scenario);
    }
    heal(&scenario);
    if (is_quiet)
        printf("%016llx\n", (unsigned long long)world_hash(world));
    else
        printf("seed %llu: state %016llx after %llu turns, %.1f s simulated: %llu additions "
               "acknowledged, %llu messages, %llu power failures, %llu values checked\n",
               (unsigned long long)seed, (unsigned long long)world_hash(world),
               (unsigned long long)world->turns, (double)world->now_ns / 1e9,
               (unsigned long long)scenario.additions, (unsigned long long)scenario.messages_sent,
               (unsigned long long)scenario.crashes, (unsigned long long)scenario.checks);
    world_destroy(world);
    return 0;
}
