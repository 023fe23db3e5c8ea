// Laws of a swarm of meshes, for many seeds: it comes together, notices deaths in time, does not
// invent any, takes back what restarts or was cut off, and counts every datagram once.
#include "tests/support/cmocka.h"

#include <stdlib.h>

#include "runtime/base/units.h"
#include "tests/property/mesh_world.h"

#define S WEFT_NS_PER_S

static void check(bool holds, const struct world *world, const char *law)
{
    if (!holds) {
        fail_msg("seed %llu, %u nodes, at %.3f s: %s", (unsigned long long)world->seed,
                 world->node_count, (double)world->now_ns / (double)S, law);
    }
}

static void check_ledger(struct world *world)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        struct weft_mesh_stats stats;
        if (world->nodes[i].mesh == NULL) continue;
        weft_mesh_stats(world->nodes[i].mesh, &stats);
        uint64_t sum = stats.accepted, ledger = 0;
        for (uint32_t drop = 0; drop < WEFT_DROP_COUNT; drop++) {
            sum += stats.dropped[drop];
            ledger += weft_drop_get(&world->nodes[i].drops, (enum weft_drop)drop);
        }
        check(sum == stats.received, world, "received = accepted + sum of drops");
        check(ledger >= stats.received - stats.accepted, world, "the ledger has them all");
        check(stats.actions_lost == 0, world, "no action is lost");
    }
}

static void begin(struct world *world, uint64_t seed, uint32_t node_count)
{
    world_init(world, seed, node_count);
    for (uint32_t i = 0; i < node_count; i++)
        world_start(world, i);
}

static void end(struct world *world)
{
    check_ledger(world);
    world_destroy(world);
}

static void comes_together(void **state)
{
    (void)state;
    static const struct {
        uint32_t nodes, loss_permille, seeds;
        uint64_t within_ns;
    } cases[] = {{2, 0, 5, 2 * S},  {3, 0, 10, 2 * S},  {3, 100, 10, 8 * S},
                 {10, 0, 5, 3 * S}, {10, 50, 5, 8 * S}, {50, 10, 1, 10 * S}};
    for (size_t c = 0; c < WEFT_COUNT_OF(cases); c++) {
        for (uint64_t seed = 0; seed < cases[c].seeds; seed++) {
            struct world world;
            begin(&world, seed, cases[c].nodes);
            world.loss_permille = cases[c].loss_permille;
            check(world_run_until(&world, world.now_ns + cases[c].within_ns, world_all_alive),
                  &world, "everyone sees everyone");
            end(&world);
        }
    }
}

// When the first and the last of the survivors called `node` dead, after `from_ns`.
static void detection(const struct world *world, uint32_t node, uint64_t from_ns,
                      uint64_t *first_ns, uint64_t *last_ns)
{
    *first_ns = UINT64_MAX;
    *last_ns = 0;
    for (uint32_t i = 0; i < world->node_count; i++) {
        if (world->nodes[i].mesh == NULL) continue;
        const uint64_t at_ns = world->nodes[i].event_ns[node][WEFT_MESH_EVENT_DEAD];
        check(at_ns > from_ns, world, "everyone notices");
        if (at_ns - from_ns < *first_ns) *first_ns = at_ns - from_ns;
        if (at_ns - from_ns > *last_ns) *last_ns = at_ns - from_ns;
    }
}

static void notices_a_death(void **state)
{
    (void)state;
    static const struct {
        uint32_t nodes, loss_permille, seeds;
        uint64_t within_ns;
    } cases[] = {{2, 0, 10, 3500 * WEFT_NS_PER_MS},
                 {3, 0, 20, 3500 * WEFT_NS_PER_MS},
                 {3, 10, 20, 4500 * WEFT_NS_PER_MS},
                 {10, 10, 5, 5 * S},
                 {50, 10, 1, 7 * S}};
    for (size_t c = 0; c < WEFT_COUNT_OF(cases); c++) {
        uint64_t worst_ns = 0, best_ns = UINT64_MAX;
        for (uint64_t seed = 100; seed < 100 + cases[c].seeds; seed++) {
            struct world world;
            begin(&world, seed, cases[c].nodes);
            world.loss_permille = cases[c].loss_permille;
            check(world_run_until(&world, 15 * S, world_all_alive), &world, "comes together");
            world_run(&world, world.now_ns + 3 * S + seed * 77 * WEFT_NS_PER_MS);

            const uint64_t killed_ns = world.now_ns;
            uint64_t first_ns, last_ns;
            world_kill(&world, 1);
            check(world_run_until(&world, killed_ns + cases[c].within_ns, world_all_agree), &world,
                  "the death is known in time");
            detection(&world, 1, killed_ns, &first_ns, &last_ns);
            if (last_ns > worst_ns) worst_ns = last_ns;
            if (first_ns < best_ns) best_ns = first_ns;
            end(&world);
        }
        printf("%u nodes, %u permille loss: death known after %.2f s (first) to %.2f s (last)\n",
               cases[c].nodes, cases[c].loss_permille, (double)best_ns / (double)S,
               (double)worst_ns / (double)S);
    }
}

static uint32_t false_alarms(const struct world *world)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < world->node_count; i++) {
        for (uint32_t j = 0; j < world->node_count; j++) {
            count += world->nodes[i].event_count[j][WEFT_MESH_EVENT_DEAD];
        }
    }
    return count;
}

static void invents_no_death(void **state)
{
    (void)state;
    static const struct {
        uint32_t nodes, seeds;
        uint64_t minutes;
    } cases[] = {{3, 3, 30}, {10, 1, 5}, {40, 1, 1}};
    for (size_t c = 0; c < WEFT_COUNT_OF(cases); c++) {
        for (uint64_t seed = 200; seed < 200 + cases[c].seeds; seed++) {
            struct world world;
            begin(&world, seed, cases[c].nodes);
            world.loss_permille = 10;
            world.delay_max_ns = 20 * WEFT_NS_PER_MS;
            world_run(&world, cases[c].minutes * 60 * S);
            check(false_alarms(&world) == 0, &world, "nobody is called dead who is not");
            check(world_all_alive(&world), &world, "everyone is seen alive");
            end(&world);
        }
    }
}

static void takes_back_what_restarts(void **state)
{
    (void)state;
    for (uint64_t seed = 300; seed < 310; seed++) {
        struct world world;
        begin(&world, seed, 3);
        check(world_run_until(&world, 10 * S, world_all_alive), &world, "comes together");

        // Too quick for anyone to notice the death: the new boot is what is noticed.
        world_kill(&world, 2);
        world_run(&world, world.now_ns + 200 * WEFT_NS_PER_MS);
        world_start(&world, 2);
        check(world_run_until(&world, world.now_ns + 2 * S, world_all_alive), &world, "is back");
        world_run(&world, world.now_ns + S);
        check(world.nodes[0].restarted_count == 1 && world.nodes[1].restarted_count == 1, &world,
              "a quick restart is seen as one");
        check(false_alarms(&world) == 0, &world, "and not as a death");

        // Slow enough.
        world_kill(&world, 1);
        check(world_run_until(&world, world.now_ns + 5 * S, world_all_agree), &world, "is dead");
        world_start(&world, 1);
        check(world_run_until(&world, world.now_ns + 2 * S, world_all_alive), &world,
              "is back from the dead");
        check(world.nodes[0].restarted_count == 2, &world, "as a restart");
        end(&world);
    }
}

static void heals_a_partition(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {3, 10, 30};
    for (size_t c = 0; c < WEFT_COUNT_OF(sizes); c++) {
        struct world world;
        begin(&world, 400 + c, sizes[c]);
        world.loss_permille = 10;
        check(world_run_until(&world, 15 * S, world_all_alive), &world, "comes together");
        for (uint32_t i = sizes[c] / 2; i < sizes[c]; i++)
            world.nodes[i].side = 1;
        world_run(&world, world.now_ns + 20 * S);
        for (uint32_t i = 0; i < sizes[c]; i++) {
            struct weft_mesh_stats stats;
            weft_mesh_stats(world.nodes[i].mesh, &stats);
            const uint32_t same = world.nodes[i].side == 1 ? sizes[c] - sizes[c] / 2 : sizes[c] / 2;
            check(stats.alive == same - 1 && stats.dead == sizes[c] - same, &world,
                  "each side sees itself alive and the other dead");
        }
        for (uint32_t i = 0; i < sizes[c]; i++)
            world.nodes[i].side = 0;
        check(world_run_until(&world, world.now_ns + 15 * S, world_all_alive), &world, "heals");
        for (uint32_t i = 0; i < sizes[c]; i++) {
            check(world.nodes[i].restarted_count == 0, &world, "healing is no restart");
        }
        end(&world);
    }
}

// A frozen process must not wake up and declare the world dead.
static void distrusts_itself_after_a_freeze(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 500, 3);
    check(world_run_until(&world, 10 * S, world_all_alive), &world, "comes together");
    world_run(&world, world.now_ns + 3 * S);

    struct weft_mesh *frozen = world.nodes[0].mesh;
    world.nodes[0].mesh = NULL; // Neither timers nor packets reach it.
    world_run(&world, world.now_ns + 20 * S);
    world.nodes[0].mesh = frozen;
    check(world_run_until(&world, world.now_ns + 5 * S, world_all_alive), &world, "is taken back");
    world_run(&world, world.now_ns + 5 * S);
    check(world.nodes[0].event_count[1][WEFT_MESH_EVENT_DEAD] == 0, &world,
          "it called nobody dead");
    check(world.nodes[1].restarted_count == 0, &world, "it is the same process");
    check(world_all_alive(&world), &world, "and stays");
    end(&world);
}

// Anything may happen for half a minute; then the world is kind, and all must agree again.
static void recovers_from_anything(void **state)
{
    (void)state;
    for (uint64_t seed = 700; seed < 730; seed++) {
        struct world world;
        struct weft_prng chance;
        weft_prng_seed(&chance, seed);
        begin(&world, seed, 2 + weft_prng_below(&chance, 10));
        for (uint32_t i = 0; i < 60; i++) {
            const uint32_t index = weft_prng_below(&chance, world.node_count);
            struct world_node *node = &world.nodes[index];
            switch (weft_prng_below(&chance, 6)) {
            case 0: node->side = weft_prng_below(&chance, 2); break;
            case 1: world.loss_permille = weft_prng_below(&chance, 400); break;
            case 2:
                world.delay_max_ns = (1 + weft_prng_below(&chance, 300)) * WEFT_NS_PER_MS;
                break;
            case 3: node->clock_behind_ns = weft_prng_below(&chance, 100) * S; break;
            default:
                if (node->mesh != NULL) {
                    world_kill(&world, index);
                } else {
                    world_start(&world, index);
                }
            }
            world_run(&world, world.now_ns + weft_prng_below(&chance, 1000) * WEFT_NS_PER_MS);
        }
        for (uint32_t i = 0; i < world.node_count; i++) {
            world.nodes[i].side = 0;
            if (i < 2 && world.nodes[i].mesh == NULL) world_start(&world, i); // The seeds.
        }
        world.loss_permille = 0;
        world.delay_max_ns = WEFT_NS_PER_MS;
        check(world_run_until(&world, world.now_ns + 20 * S, world_all_agree), &world, "agrees");
        world_run(&world, world.now_ns + 5 * S);
        check(world_all_agree(&world), &world, "and stays so");
        end(&world);
    }
}

static uint64_t eventful(uint64_t seed)
{
    struct world world;
    begin(&world, seed, 5);
    world.loss_permille = 50;
    world.delay_max_ns = 30 * WEFT_NS_PER_MS;
    world_run(&world, 8 * S);
    world_kill(&world, 3);
    world_run(&world, 14 * S);
    world_start(&world, 3);
    world.nodes[4].side = 1;
    world_run(&world, 20 * S);
    world.nodes[4].side = 0;
    world_run(&world, 30 * S);
    const uint64_t hash = world_hash(&world);
    end(&world);
    return hash;
}

static void the_same_seed_gives_the_same_world(void **state)
{
    (void)state;
    for (uint64_t seed = 600; seed < 604; seed++) {
        if (eventful(seed) != eventful(seed)) fail_msg("seed %llu", (unsigned long long)seed);
    }
    assert_true(eventful(600) != eventful(601));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_together),
        cmocka_unit_test(notices_a_death),
        cmocka_unit_test(invents_no_death),
        cmocka_unit_test(takes_back_what_restarts),
        cmocka_unit_test(heals_a_partition),
        cmocka_unit_test(distrusts_itself_after_a_freeze),
        cmocka_unit_test(recovers_from_anything),
        cmocka_unit_test(the_same_seed_gives_the_same_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
