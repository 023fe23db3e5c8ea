// family_rig.h: a node whose units are kept, with its control core, turned by hand and cut off at
// will.
#ifndef WEFT_TESTS_FAMILY_RIG_H
#define WEFT_TESTS_FAMILY_RIG_H

#include <errno.h>

#include "runtime/node/control_saved.h"
#include "tests/unit/node/taking.h"

static struct weft_config config;
static struct weft_control control;
static const struct weft_control_machine machine;

#define KEEP_NS (20 * WEFT_NS_PER_MS)

static inline void begin(struct rig *rig)
{
    rig->node.options.unit_keep_ns = KEEP_NS;
    assert_int_equal(weft_control_init(&control, &rig->node, &config, "", &machine), 0);
    weft_control_start_units(&control);
}

static inline void turn_some(struct rig *rig)
{
    turn_all(rig);
    rig->now_ns += WEFT_NS_PER_MS / 10;
}

static inline void go_on(struct rig *rig, unsigned count)
{
    while (count-- > 0)
        turn_some(rig);
}

// Long enough for everything to be written down that has changed.
static inline void settle(struct rig *rig)
{
    go_on(rig, 2000);
}

static inline void wait_until_back(struct rig *rig)
{
    for (unsigned n = 0; control.is_restoring || control.starting_count > 0; n++) {
        if (n == TURNS_MAX) fail_msg("the units do not come back");
        turn_some(rig);
    }
}

// The power fails; everything that comes back runs.
static inline void cut_off(struct rig *rig)
{
    weft_control_destroy(&control);
    weft_node_destroy(&rig->node);
    weft_disk_sim_crash(&rig->disk_sim);
    start(rig);
    begin(rig);
    wait_until_back(rig);
}

static inline void end(void)
{
    weft_control_destroy(&control);
}

static inline struct weft_resident *found(struct rig *rig, const char *name)
{
    struct weft_resident *resident = weft_unit_registry_find(&rig->node.units, name);
    if (resident == NULL) fail_msg("there is no unit '%s'", name);
    return resident;
}

static inline uint32_t spawned(const struct rig *rig)
{
    return rig->node.workers[0].nestling_count + rig->node.workers[1].nestling_count;
}

// How many units the journal holds.
static inline uint64_t held(const struct rig *rig)
{
    return weft_counter_get(&weft_journal_keeper_view(rig->node.journal)->units);
}

static inline void expect_of(struct rig *rig, const char *name, const char *text,
                             const char *output)
{
    expect(rig, found(rig, name), text, output);
}

// A unit that spawns four.
#define WORKERS_SOURCE                                                                             \
    "CREATE kids 4 CELLS ALLOT : kid ( n -- addr ) CELLS kids + ; "                                \
    ": work ( n -- m ) RECEIVE 2DROP 2DROP 10 * ; "                                                \
    ": hire 4 0 DO I 1+ 1 ['] work SPAWN I kid ! LOOP ; "                                          \
    ": wake 4 0 DO S\" x\" I kid @ SEND-TO THROW LOOP ; "                                          \
    ": sum 4 0 DO I kid @ JOIN . . . LOOP ; "

static inline void unload_boss(struct rig *rig)
{
    static struct asked asked;
    ask(rig, &asked, WEFT_COMMAND_UNLOAD, found(rig, "boss"), "");
    wait_for(rig, &asked);
    go_on(rig, 50);
}

#define FAMILY_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif // WEFT_TESTS_FAMILY_RIG_H
