// weft_replay.c: a node whose cores are turned by one thread, in an order that a seed says, with
// actors that do at random all that actors can do (tests/support/lives.h says what, and which laws
// must hold). One seed is one run: what it breaks it breaks again, and --trace shows how.
//
//   weft-replay --seed N [--count N] [--steps N] [--trace] [--twice]
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/actor/internal.h"
#include "runtime/base/units.h"
#include "tests/support/lives.h"

#define CORES_MAX 4
#define ARENA     (8 * WEFT_MIB)
#define STACKS    96
#define TURNS_MAX 200000
#define QUIET_NS  (200 * WEFT_NS_PER_MS) // Longer than any timer or wait of a life.

struct options {
    uint64_t seed, count, steps;
    bool traces, twice;
};

struct node {
    const struct options *options;
    struct weft_prng prng;
    uint64_t now_ns;
    struct weft_clock clock;
    struct weft_core_group group;
    struct weft_actor_node actors;
    unsigned count;
    struct weft_core *core[CORES_MAX];
    struct weft_arena *arena[CORES_MAX];
    struct weft_actor_system system[CORES_MAX];
    unsigned held[CORES_MAX]; // For so many steps a core does not turn.
};

static struct node node;
static struct lives lives;
static struct { // Of all seeds: what they have met.
    uint64_t events, lives, moves, mutes, cycles, drops;
} met;

static __attribute__((noreturn)) void fail(struct lives *failed, const char *text)
{
    fflush(stdout);
    fprintf(stderr, "replay: seed %" PRIu64 ", at %.6f s: %s\n", failed->options.seed,
            (double)node.now_ns / 1e9, text);
    fprintf(stderr, "replay: weft-replay --seed %" PRIu64 " --trace shows what led there\n",
            failed->options.seed);
    exit(1);
}

static uint64_t now_ns(void *self)
{
    (void)self;
    return node.now_ns;
}

// ---- The node: everything about it is drawn from the seed.

// Rings of a few slots: then they are full now and then.
static void shrink_rings(uint32_t slots)
{
    for (unsigned from = 0; from < node.count; from++) {
        for (unsigned to = 0; to < node.count; to++) {
            struct weft_spsc_ring *ring = node.group.rings[from][to];
            if (ring != NULL)
                weft_spsc_ring_init(ring, (struct weft_core_message *)(ring + 1), slots);
        }
    }
}

static void open_system(unsigned i)
{
    node.arena[i] = weft_arena_create(ARENA);
    weft_assert(node.arena[i] != NULL);
    const struct weft_actor_options options = {
        .core = node.core[i],
        .arena = node.arena[i],
        .node = &node.actors,
        .actor_count_max = 300,
        .stack_count_max = STACKS,
        .guard = WEFT_STACK_CHECKS,
        .traces = false,
    };
    weft_assert(weft_actor_system_init(&node.system[i], &options) == 0);
}

static void open_node(const struct options *options)
{
    memset(&node, 0, sizeof(node));
    node.options = options;
    weft_prng_seed(&node.prng, options->seed);
    node.now_ns = WEFT_NS_PER_S;
    node.clock = (struct weft_clock){.now_ns = now_ns};
    node.count = 1 + weft_prng_below(&node.prng, CORES_MAX);
    for (unsigned i = 0; i < node.count; i++) {
        node.core[i] = aligned_alloc(WEFT_CORE_ALIGN, sizeof(struct weft_core));
        weft_core_init(node.core[i], &node.group, (uint16_t)i, &node.clock, WEFT_LOG_ERROR);
    }
    weft_assert(weft_core_group_connect(&node.group) == 0);
    if (weft_prng_below(&node.prng, 2) == 0) shrink_rings(1u << weft_prng_below(&node.prng, 4));
    weft_assert(weft_actor_node_init(&node.actors, "replay", 16) == 0);
    node.actors.moves_always = weft_prng_below(&node.prng, 2) == 0;
    for (unsigned i = 0; i < node.count; i++)
        open_system(i);
}

static void close_node(void)
{
    for (unsigned i = 0; i < node.count; i++)
        weft_actor_system_destroy(&node.system[i]);
    for (unsigned i = 0; i < node.count; i++) {
        if (weft_arena_used_bytes(node.arena[i]) != 0)
            lives_fail(&lives, "core %u leaks memory", i);
        weft_arena_free(node.arena[i]);
    }
    weft_actor_node_destroy(&node.actors);
    weft_core_group_destroy(&node.group);
    for (unsigned i = 0; i < node.count; i++)
        free(node.core[i]);
}

// ---- The order.

static bool turn(unsigned core)
{
    lives.now_ns = node.now_ns;
    return weft_core_turn(node.core[core]);
}

static void step(void)
{
    const unsigned core = weft_prng_below(&node.prng, node.count);
    node.now_ns += weft_prng_below(&node.prng, 20000);
    if (node.held[core] > 0) {
        node.held[core]--;
        return;
    }
    if (weft_prng_below(&node.prng, 200) == 0) node.held[core] = weft_prng_below(&node.prng, 60);
    if (weft_prng_below(&node.prng, 4) == 0) lives_poke(&lives, &node.system[core], &node.prng);
    // Sometimes a core is said to have long slices: then others ask it for some.
    if (weft_prng_below(&node.prng, 16) == 0)
        weft_counter_set(&node.core[core]->stats.slice_ns, weft_prng_below(&node.prng, 10000));
    turn(core);
}

// Turns all for a while.
static void run_for(uint64_t ns)
{
    for (const uint64_t until_ns = node.now_ns + ns; node.now_ns < until_ns; node.now_ns += 50000) {
        for (unsigned i = 0; i < node.count; i++)
            turn(i);
    }
}

// Turns all until nothing has been found for longer than anybody waits.
static void settle(void)
{
    uint64_t quiet_ns = 0;
    for (unsigned turns = 0; quiet_ns < QUIET_NS; turns++) {
        bool found = false;
        for (unsigned i = 0; i < node.count; i++)
            found |= turn(i);
        node.now_ns += found ? 1000 : WEFT_NS_PER_MS / 4;
        quiet_ns = found ? 0 : quiet_ns + WEFT_NS_PER_MS / 4;
        if (turns < TURNS_MAX) continue;
        if (lives_is_ending(&lives)) lives_check_quiet(&lives); // It may know why.
        lives_fail(&lives, "no end: somebody always has something to do");
    }
}

static void play(void)
{
    for (uint64_t i = 0; i < node.options->steps; i++) {
        if (i % 32 == 0)
            lives_populate(&lives, &node.system[weft_prng_below(&node.prng, node.count)],
                           1 + weft_prng_below(&node.prng, lives.options.player_count));
        step();
    }
    node.actors.moves_always = false;
    lives_end_soon(&lives);
    for (unsigned i = 0; i < 4; i++) { // Some refuse what comes when they are full.
        lives_wake_all(&lives, &node.system[0]);
        run_for(QUIET_NS);
    }
    settle();
    lives_check_quiet(&lives);
    lives_kill(&lives);
    settle();
    lives_check_over(&lives);
}

static void add_up(void)
{
    met.events += atomic_load(&lives.events);
    met.lives += atomic_load(&lives.life_count);
    for (unsigned i = 0; i < node.count; i++) {
        const struct weft_actor_stats *stats = &node.system[i].stats;
        met.moves += weft_counter_get(&stats->departed_count);
        met.mutes += weft_counter_get(&stats->mute_count);
        met.cycles += weft_counter_get(&stats->cycle_count);
        for (unsigned why = 0; why < WEFT_DROP_COUNT; why++)
            met.drops += weft_drop_get(&node.core[i]->drops, (enum weft_drop)why);
    }
}

static uint64_t run_seed(const struct options *options)
{
    open_node(options);
    const struct lives_options how = {
        .seed = options->seed,
        .player_count = 2 + weft_prng_below(&node.prng, LIVES_PLAYERS - 1),
        .tight = weft_prng_below(&node.prng, 2) == 0,
        .traces = options->traces,
    };
    lives_init(&lives, &how, fail);
    lives.node = &node.actors;
    play();
    add_up();
    close_node();
    return lives.hash;
}

int main(int argc, char **argv)
{
    static const struct option names[] = {
        {"seed", required_argument, NULL, 's'},  {"count", required_argument, NULL, 'c'},
        {"steps", required_argument, NULL, 'n'}, {"trace", no_argument, NULL, 't'},
        {"twice", no_argument, NULL, '2'},       {NULL, 0, NULL, 0}};
    struct options options = {.seed = 1, .count = 1, .steps = 2000};
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (option) {
        case 's': options.seed = strtoull(optarg, NULL, 0); break;
        case 'c': options.count = strtoull(optarg, NULL, 0); break;
        case 'n': options.steps = strtoull(optarg, NULL, 0); break;
        case 't': options.traces = true; break;
        case '2': options.twice = true; break;
        default: return 64;
        }
    }
    for (uint64_t i = 0; i < options.count; i++, options.seed++) {
        const uint64_t hash = run_seed(&options);
        if (options.twice && run_seed(&options) != hash) lives_fail(&lives, "two runs, two traces");
        if (options.count == 1)
            printf("seed %" PRIu64 ": trace %016" PRIx64 "\n", options.seed, hash);
    }
    printf("%" PRIu64 " lives, %" PRIu64 " events, %" PRIu64 " moves, %" PRIu64 " mutes, %" PRIu64
           " call cycles, %" PRIu64 " drops: no law was broken\n",
           met.lives, met.events, met.moves, met.mutes, met.cycles, met.drops);
    return 0;
}
