// What units have to do with each other: spawned, joined, killed; channels, monitors, timers; on
// one core and across two.
#include "tests/support/cmocka.h"

#include <weft/weft.h>

#include "tests/unit/node/rig.h"

static struct rig *rig_of(void **state)
{
    return *state;
}

static void turn(struct rig *rig, unsigned count)
{
    while (count-- > 0)
        turn_all(rig);
}

static uint64_t actors(struct rig *rig)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < WORKERS; i++)
        sum += weft_actor_count(&rig->node.workers[i].actors.stats);
    return sum;
}

struct dialogue {
    const char *text, *output;
};

// One unit, what it is asked, and what it prints. Nothing is left of what was spawned.
static void talk(struct rig *rig, const char *source, const struct dialogue *lines, size_t count)
{
    for (uint16_t core = 1; core <= WORKERS; core++) {
        char name[8];
        snprintf(name, sizeof(name), "u%u", core);
        const uint64_t before = actors(rig);
        struct weft_resident *unit = load(rig, name, core, source);
        for (size_t i = 0; i < count; i++)
            expect(rig, unit, lines[i].text, lines[i].output);
        turn(rig, 100);
        expect(rig, unit, "DEPTH .", "0 ");
        static struct asked asked;
        ask(rig, &asked, WEFT_COMMAND_UNLOAD, unit, "");
        wait_for(rig, &asked);
        turn(rig, 100);
        if (actors(rig) != before)
            fail_msg("core %u: %d actors are left", core, (int)(actors(rig) - before));
    }
}

#define TALK(rig, source, ...)                                                                     \
    do {                                                                                           \
        static const struct dialogue lines[] = {__VA_ARGS__};                                      \
        talk(rig, source, lines, sizeof(lines) / sizeof(lines[0]));                                \
    } while (0)

// ---- SPAWN, JOIN, KILL.

static void a_child_has_words_data_and_arguments(void **state)
{
    TALK(rig_of(state),
         "VARIABLE base-sum 1000 base-sum ! : sum ( a b -- n ) + base-sum @ + ; "
         ": both ['] sum >R 1 2 2 R@ SPAWN 3 4 2 R> SPAWN JOIN . . . JOIN . . . ;",
         {"1 2 2 ' sum SPAWN JOIN . . .", "0 1 1003 "}, {"both", "0 1 1007 0 1 1003 "},
         // Its data is a copy.
         {": change 7 base-sum ! ; 0 ' change SPAWN JOIN . . base-sum @ .", "0 0 1000 "},
         {": three 3 2 1 ; 0 ' three SPAWN JOIN .S 2DROP 2DROP DROP", "<5> 3 2 1 3 0 "},
         {": pops 0 DO . LOOP ; : many 20 0 DO I LOOP ; 0 ' many SPAWN JOIN . DUP . pops",
          "0 16 19 18 17 16 15 14 13 12 11 10 9 8 7 6 5 4 "},
         {": last 5 BYE ; 0 ' last SPAWN JOIN . . .", "0 1 5 "},
         {": parsing BL WORD COUNT NIP S\" 1 2 +\" EVALUATE ; 0 ' parsing SPAWN JOIN . . . .",
          "0 2 3 0 "});
}

static void how_it_ended_is_known(void **state)
{
    TALK(rig_of(state), ": fails 1 0 / ; : waits RECEIVE ; : spins BEGIN AGAIN ;",
         {"0 ' fails SPAWN JOIN . .", "2 0 "}, {"0 ' waits SPAWN DUP KILL . JOIN . .", "0 1 0 "},
         {"0 ' spins SPAWN DUP KILL . JOIN . .", "0 1 0 "},
         {"0 ' waits SPAWN DUP 5 JOIN-FOR . . . DUP KILL DROP DUP JOIN . . JOIN . .",
          "-306 0 0 1 0 4 0 "},
         {"' JOIN 12345 SWAP CATCH . . .", "0 4 0 "}, // There is nobody of that number.
         {"12345 KILL .", "-301 "}, {"SELF ' JOIN CATCH . DROP", "-24 "},
         {"0 ' waits SPAWN DUP DETACH . DUP DETACH . KILL .", "0 -301 0 "},
         {"0 12345678 ' SPAWN CATCH . 2DROP", "-13 "}, {"99 ' fails ' SPAWN CATCH . 2DROP", "-24 "},
         {"5 ' fails ' SPAWN CATCH . 2DROP", "-4 "});
}

static void children_land_on_other_cores(void **state)
{
    struct rig *rig = *state;
    struct weft_resident *unit =
        load(rig, "unit", 1,
             ": home SELF 24 RSHIFT 255 AND ; : homes 4 0 DO 0 ['] home SPAWN JOIN 2DROP . LOOP ;");
    expect(rig, unit, "homes", "1 2 1 2 ");
}

static void children_have_children(void **state)
{
    TALK(rig_of(state),
         "DEFER tree : both ( depth -- pid pid ) DUP 1 ['] tree SPAWN SWAP 1 ['] tree SPAWN ; "
         ": sum ( pid pid -- n ) JOIN 2DROP SWAP JOIN 2DROP + ; "
         ":NONAME ( depth -- n ) DUP 0= IF DROP 1 EXIT THEN 1- both sum ; IS tree",
         {"4 tree .", "16 "});
}

#define UNIT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(a_child_has_words_data_and_arguments),
        UNIT_TEST(how_it_ended_is_known),
        UNIT_TEST(children_land_on_other_cores),
        UNIT_TEST(children_have_children),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
