// lives_model.c: the actors of tests/support/lives.h on two or three cores at once, in random
// orders step by step, with random stale values of memory, and every race is found.
//
//   lives-model [--seed N] [--count N]: each execution is one seed, which does the same again
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/actor/internal.h"
#include "tests/model/explore.h"
#include "tests/model/world_node.h"
#include "tests/support/lives.h"

#define TURNS    40 // Of each core, all at once.
#define QUIET_NS (200 * WEFT_NS_PER_MS)
#define STACKS   64

static struct world world;
static struct lives lives;
static struct {
    uint64_t events, lives, moves, mutes;
} met;

static __attribute__((noreturn)) void fail(struct lives *failed, const char *text)
{
    (void)failed;
    explore_fail("%s", text);
}

static void populate(void)
{
    const unsigned count = 2 + explore_choose(WORLD_CORES - 1);
    world_open(&world, count, STACKS);
    world.node.moves_always = explore_choose(2) == 0;
    const struct lives_options how = {.seed = 1 + explore_choose(1u << 30),
                                      .player_count = 3 + explore_choose(6),
                                      .tight = explore_choose(2) == 0,
                                      .is_threaded = true,
                                      .weak = true};
    lives_init(&lives, &how, fail);
    lives.node = &world.node;
    for (unsigned i = 0; i < count; i++)
        lives_populate(&lives, &world.system[i], how.player_count * (i + 1) / count);
}

static void turn(void)
{
    const unsigned core = explore_thread();
    struct weft_prng prng;
    weft_prng_seed(&prng, lives.options.seed + core);
    if (core >= world.count) return;
    for (unsigned i = 0; i < TURNS; i++) {
        if (weft_prng_below(&prng, 2) == 0) lives_poke(&lives, &world.system[core], &prng);
        // Asks some other core for actors, as if it had nothing to do itself.
        const unsigned other = weft_prng_below(&prng, world.count);
        if (other != core && weft_prng_below(&prng, 3) == 0)
            weft_move_pull(&world.system[core], (uint16_t)other);
        weft_core_turn(world.core[core]);
    }
}

static void check(void)
{
    world.node.moves_always = false;
    lives_end_soon(&lives);
    bool has_ended = true;
    for (unsigned i = 0; i < 4 && has_ended; i++) {
        lives_wake_all(&lives, &world.system[0]);
        has_ended = world_settle(&world, QUIET_NS);
    }
    lives_check_quiet(&lives);
    lives_kill(&lives);
    if (!has_ended || !world_settle(&world, QUIET_NS)) explore_fail("no end");
    lives_check_over(&lives);
    met.events += atomic_load(&lives.events);
    met.lives += atomic_load(&lives.life_count);
    for (unsigned i = 0; i < world.count; i++) {
        met.moves += weft_counter_get(&world.system[i].stats.departed_count);
        met.mutes += weft_counter_get(&world.system[i].stats.mute_count);
    }
    world_close(&world);
}

int main(int argc, char **argv)
{
    static const struct option names[] = {{"seed", required_argument, NULL, 's'},
                                          {"count", required_argument, NULL, 'c'},
                                          {NULL, 0, NULL, 0}};
    static const struct explore_case everything = {
        "lives on a weak memory", populate, WORLD_CORES, {turn, turn, turn}, check};
    struct explore_options options = {.seed = 1, .executions = 1};
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (option) {
        case 's': options.seed = strtoull(optarg, NULL, 0); break;
        case 'c': options.executions = strtoull(optarg, NULL, 0); break;
        default: return 64;
        }
    }
    const struct explore_result result = explore_run(&everything, &options);
    if (result.has_failed) {
        printf("seed %llu: %s\n", (unsigned long long)result.seed, result.failure);
        return 1;
    }
    printf(
        "%llu executions, %llu steps: %llu lives, %llu events, %llu moves, %llu mutes: no law was "
        "broken\n",
        (unsigned long long)result.executions, (unsigned long long)result.steps,
        (unsigned long long)met.lives, (unsigned long long)met.events,
        (unsigned long long)met.moves, (unsigned long long)met.mutes);
    return 0;
}
