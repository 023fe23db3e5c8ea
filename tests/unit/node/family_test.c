// Units that kept units spawn, in the journal: they come back with their parents, from wherever the
// node was cut off, with what they are to each other; and which of the records belong together.
#include "tests/support/cmocka.h"

#include <errno.h>

#include <weft/weft.h>

#include "runtime/base/crc32c.h"
#include "runtime/base/endian.h"
#include "runtime/node/control_saved.h"
#include "runtime/node/family.h"
#include "runtime/node/unit_dealings.h"
#include "runtime/node/unit_family.h"
#include "runtime/node/unit_ties_format.h"
#include "tests/unit/node/taking.h"

static struct weft_config config;
static struct weft_control control;
static const struct weft_control_machine machine;

#define KEEP_NS (20 * WEFT_NS_PER_MS)

static void begin(struct rig *rig)
{
    rig->node.options.unit_keep_ns = KEEP_NS;
    assert_int_equal(weft_control_init(&control, &rig->node, &config, "", &machine), 0);
    weft_control_start_units(&control);
}

static void turn_some(struct rig *rig)
{
    turn_all(rig);
    rig->now_ns += WEFT_NS_PER_MS / 10;
}

static void go_on(struct rig *rig, unsigned count)
{
    while (count-- > 0)
        turn_some(rig);
}

// Long enough for everything to be written down that has changed.
static void settle(struct rig *rig)
{
    go_on(rig, 2000);
}

static void wait_until_back(struct rig *rig)
{
    for (unsigned n = 0; control.is_restoring || control.starting_count > 0; n++) {
        if (n == TURNS_MAX) fail_msg("the units do not come back");
        turn_some(rig);
    }
}

// The power fails; everything that comes back runs.
static void cut_off(struct rig *rig)
{
    weft_control_destroy(&control);
    weft_node_destroy(&rig->node);
    weft_disk_sim_crash(&rig->disk_sim);
    start(rig);
    begin(rig);
    wait_until_back(rig);
}

static void end(void)
{
    weft_control_destroy(&control);
}

static struct weft_resident *found(struct rig *rig, const char *name)
{
    struct weft_resident *resident = weft_unit_registry_find(&rig->node.units, name);
    if (resident == NULL) fail_msg("there is no unit '%s'", name);
    return resident;
}

static uint32_t spawned(const struct rig *rig)
{
    return rig->node.workers[0].nestling_count + rig->node.workers[1].nestling_count;
}

// How many units the journal holds.
static uint64_t held(const struct rig *rig)
{
    return weft_counter_get(&weft_journal_keeper_view(rig->node.journal)->units);
}

static void expect_of(struct rig *rig, const char *name, const char *text, const char *output)
{
    expect(rig, found(rig, name), text, output);
}

// ---- What comes back.

#define WORKERS_SOURCE                                                                             \
    "CREATE kids 4 CELLS ALLOT : kid ( n -- addr ) CELLS kids + ; "                                \
    ": work ( n -- m ) RECEIVE 2DROP 2DROP 10 * ; "                                                \
    ": hire 4 0 DO I 1+ 1 ['] work SPAWN I kid ! LOOP ; "                                          \
    ": wake 4 0 DO S\" x\" I kid @ SEND-TO THROW LOOP ; "                                          \
    ": sum 4 0 DO I kid @ JOIN . . . LOOP ; "

static void children_come_back(void **state)
{
    struct rig *rig = *state;
    begin(rig);
    load(rig, "boss", 1, WORKERS_SOURCE "hire");
    cut_off(rig);
    assert_int_equal(spawned(rig), 4);
    expect_of(rig, "boss", "wake sum", "0 1 10 0 1 20 0 1 30 0 1 40 ");
    settle(rig);
    cut_off(rig); // They have ended, and stay so.
    assert_int_equal(spawned(rig), 0);
    assert_int_equal(rig->node.recovered.count, 0);
    expect_of(rig, "boss", "hire wake sum", "0 1 10 0 1 20 0 1 30 0 1 40 ");
    end();
}

// Spawned between two evaluations, by a program that goes on.
static void those_of_a_running_program_come_back(void **state)
{
    struct rig *rig = *state;
    begin(rig);
    load(rig, "boss", 1,
         WORKERS_SOURCE
         "VARIABLE n : main UNIT-SAVE DROP 50 MS hire BEGIN 1 n +! 10 MS AGAIN ; main");
    settle(rig);
    cut_off(rig);
    assert_int_equal(spawned(rig), 4);
    expect_of(rig, "boss", "n @ 0> . wake sum", "-1 0 1 10 0 1 20 0 1 30 0 1 40 ");
    end();
}

static void they_go_on_from_their_own_last_records(void **state)
{
    struct rig *rig = *state;
    begin(rig);
    load(rig, "boss", 1,
         "VARIABLE kid : count ( -- ) 0 BEGIN 1+ 5 MS DUP 200 = UNTIL ; "
         "0 ' count SPAWN kid ! ");
    go_on(rig, 20000); // 2 s: 200 times 5 ms is one.
    cut_off(rig);
    assert_int_equal(spawned(rig), 0); // It had ended, and its parent had heard of it, unasked.
    expect_of(rig, "boss", "kid @ JOIN . . .", "0 1 200 ");
    expect_of(rig, "boss", "0 ' count SPAWN kid !", "");
    go_on(rig, 5000);
    cut_off(rig);
    assert_int_equal(spawned(rig), 1);
    const uint64_t back_ns = rig->now_ns;
    expect_of(rig, "boss", "kid @ JOIN . . .", "0 1 200 ");
    assert_true(rig->now_ns - back_ns < 800 * WEFT_NS_PER_MS); // Half of it had been done.
    end();
}

static void a_tree_comes_back(void **state)
{
    struct rig *rig = *state;
    begin(rig);
    load(rig, "boss", 1,
         "VARIABLE kid 4 CHANNEL CONSTANT ch DEFER more "
         ": leaf ( n -- m ) ch RECV + ; "
         ": inner ( n -- m ) DUP IF 1- 1 ['] more ELSE 1 ['] leaf THEN SPAWN JOIN 2DROP 1+ ; "
         "' inner IS more 5 1 ' inner SPAWN kid !");
    for (int round = 0; round < 3; round++) {
        go_on(rig, 300);
        cut_off(rig);
        assert_int_equal(spawned(rig), 7);
    }
    expect_of(rig, "boss", "100 ch SEND kid @ JOIN . . .", "0 1 106 ");
    settle(rig);
    cut_off(rig);
    assert_int_equal(spawned(rig), 0);
    end();
}

static void links_and_monitors_hold(void **state)
{
    struct rig *rig = *state;
    begin(rig);
    load(rig, "boss", 1,
         "VARIABLE kid VARIABLE m VARIABLE down VARIABLE exit "
         ": work RECEIVE 2DROP 2DROP 77 THROW ; TRUE TRAP-EXIT "
         "0 ' work SPAWN DUP kid ! DUP MONITOR m ! LINK DROP "
         ": note ( c-addr u from kind -- ) SWAP kid @ = AND CASE "
         "  4 OF DROP CELL+ @ down ! ENDOF 5 OF DROP @ exit ! ENDOF DROP 2DROP 0 ENDCASE ; "
         ": main BEGIN RECEIVE note AGAIN ; main");
    settle(rig);
    cut_off(rig);
    assert_int_equal(spawned(rig), 1);
    expect_of(rig, "boss", "S\" x\" kid @ SEND-TO .", "0 ");
    go_on(rig, 200);
    assert_int_equal(spawned(rig), 0);
    end();
}

// Nobody waits for a detached one, but it runs: so it comes back.
static void detached_ones_come_back(void **state)
{
    struct rig *rig = *state;
    begin(rig);
    load(rig, "boss", 1,
         "VARIABLE n : work ( ch -- ) BEGIN DUP RECV-FOR DROP AGAIN ; "
         ": tick ( pid -- ) BEGIN S\" x\" 2 PICK SEND-TO DROP 5 MS AGAIN ; "
         "SELF 1 ' tick SPAWN DETACH DROP SELF 1 ' tick SPAWN DETACH DROP "
         ": main BEGIN RECEIVE 2DROP 2DROP 1 n +! AGAIN ; main");
    settle(rig);
    for (int round = 0; round < 2; round++) {
        cut_off(rig);
        assert_int_equal(spawned(rig), 2);
        expect_of(rig, "boss", "0 n !", "");
        settle(rig);
        expect_of(rig, "boss", "n @ 0> .", "-1 ");
    }
    end();
}

// Who ends with children that the journal has not leaves them to his parent.
static void a_launcher_leaves_its_children(void **state)
{
    struct rig *rig = *state;
    begin(rig);
    load(rig, "boss", 1,
         "VARIABLE n : tick ( pid -- ) BEGIN S\" x\" 2 PICK SEND-TO DROP 5 MS AGAIN ; "
         ": launch ( pid -- ) 3 0 DO DUP 1 ['] tick SPAWN DROP LOOP DROP ; "
         "SELF 1 ' launch SPAWN JOIN 2DROP "
         ": main BEGIN RECEIVE 2DROP 2DROP 1 n +! AGAIN ; main");
    settle(rig);
    cut_off(rig);
    assert_int_equal(spawned(rig), 3);
    settle(rig);
    cut_off(rig);
    assert_int_equal(spawned(rig), 3);
    expect_of(rig, "boss", "0 n !", "");
    settle(rig);
    expect_of(rig, "boss", "n @ 0> .", "-1 ");
    end();
}

static void a_child_may_say_unit_save(void **state)
{
    struct rig *rig = *state;
    begin(rig);
    rig->node.options.unit_keep_ns = 0; // Nothing is written by itself.
    load(rig, "boss", 1,
         "VARIABLE kid 4 CHANNEL CONSTANT ch "
         ": work 10 MS 1 UNIT-SAVE ch SEND 1+ UNIT-SAVE ch SEND RECEIVE 2DROP 2DROP ; "
         ": main 20 MS 0 ['] work SPAWN kid ! RECEIVE ; : go UNIT-SAVE DROP main ; go");
    go_on(rig, 3000);
    expect_of(rig, "boss", "ch 0 RECV-FOR . . ch 0 RECV-FOR . .", "0 0 0 0 ");
    cut_off(rig);
    assert_int_equal(spawned(rig), 1);
    expect_of(rig, "boss", "S\" x\" kid @ SEND-TO . kid @ JOIN . . .", "0 0 1 2 ");
    end();
}

// Those of a unit that is not kept are not, either; their UNIT-SAVE says so.
static void who_is_not_kept_has_no_kept_children(void **state)
{
    struct rig *rig = *state;
    static struct asked asked;
    begin(rig);
    struct weft_resident *unit = reserve(rig, "none", 1);
    unit->recovery = WEFT_RECOVERY_NONE;
    ask(rig, &asked, WEFT_COMMAND_LOAD, unit,
        "VARIABLE v 1 CHANNEL CONSTANT ch : work UNIT-SAVE ch SEND RECEIVE ; 0 ' work SPAWN v !");
    wait_for(rig, &asked);
    expect(rig, unit, "ch RECV .", "-301 ");
    settle(rig);
    assert_int_equal(weft_journal_keeper_journal(rig->node.journal)->stats.records, 0);
    end();
}

// Most children are gone before anybody would write them down: they cost the journal nothing.
static void short_lives_are_not_written(void **state)
{
    struct rig *rig = *state;
    begin(rig);
    load(rig, "boss", 1, ": one 1 ; : many 500 0 DO 0 ['] one SPAWN JOIN 2DROP DROP LOOP ;");
    const uint64_t before = weft_journal_keeper_journal(rig->node.journal)->stats.records;
    expect_of(rig, "boss", "many", "");
    assert_in_range(weft_journal_keeper_journal(rig->node.journal)->stats.records - before, 1, 20);
    end();
}

static void quotas_count_as_before(void **state)
{
    struct rig *rig = *state;
    static struct asked asked;
    begin(rig);
    struct weft_resident *unit = reserve(rig, "boss", 1);
    unit->quota.value[WEFT_QUOTA_SPAWNED] = 3;
    unit->quota.value[WEFT_QUOTA_CHANNELS] = 2;
    ask(rig, &asked, WEFT_COMMAND_LOAD, unit,
        ": waits RECEIVE ; : own 2 0 DO 1 CHANNEL DROP LOOP RECEIVE ; "
        ": one 0 ['] waits ['] SPAWN CATCH . ; 0 ' own SPAWN CONSTANT kid 0 ' waits SPAWN DROP "
        "1 CHANNEL DROP");
    wait_for(rig, &asked);
    assert_int_equal(asked.command.error.code, 0);
    settle(rig);
    for (int round = 0; round < 2; round++) {
        cut_off(rig);
        assert_int_equal(spawned(rig), 2);
    }
    expect_of(rig, "boss", "one DROP", "0 ");
    expect_of(rig, "boss", "one", "-320 ");
    expect_of(rig, "boss", "1 ' CHANNEL CATCH . DROP 1 ' CHANNEL CATCH . DROP", "0 -321 ");
    settle(rig);
    assert_int_equal(weft_counter_get(&found(rig, "boss")->spawned), 3);
    end();
}

// ---- Who goes.

static void unload_boss(struct rig *rig)
{
    static struct asked asked;
    ask(rig, &asked, WEFT_COMMAND_UNLOAD, found(rig, "boss"), "");
    wait_for(rig, &asked);
    go_on(rig, 50);
}

static void who_is_unloaded_takes_its_family(void **state)
{
    struct rig *rig = *state;
    static struct asked asked;
    begin(rig);
    load(rig, "boss", 1, WORKERS_SOURCE "hire");
    settle(rig);
    ask(rig, &asked, WEFT_COMMAND_UNLOAD, found(rig, "boss"), "");
    wait_for(rig, &asked);
    assert_int_equal(asked.command.error.code, 0);
    go_on(rig, 2000);
    assert_int_equal(spawned(rig), 0);
    load(rig, "boss", 2, "VARIABLE v");
    settle(rig);
    cut_off(rig);
    assert_int_equal(spawned(rig), 0);
    expect_of(rig, "boss", "v @ .", "0 ");
    end();
}

// Whose parent has ended is of the family all the same: nothing of it is left to run in no journal.
static void who_is_unloaded_takes_those_without_parents(void **state)
{
    struct rig *rig = *state;
    static struct asked asked;
    begin(rig);
    for (int round = 0; round < 2; round++) {
        load(rig, "boss", 1,
             ": waits RECEIVE ; : brief 0 ['] waits SPAWN DROP 0 ['] waits SPAWN DROP ; "
             ": launch 0 ['] brief SPAWN JOIN 2DROP ; launch");
        settle(rig);
        if (round == 1) cut_off(rig);
        assert_int_equal(spawned(rig), 2);
        assert_int_equal(held(rig), 3);
        ask(rig, &asked, WEFT_COMMAND_UNLOAD, found(rig, "boss"), "");
        wait_for(rig, &asked);
        assert_int_equal(asked.command.error.code, 0);
        go_on(rig, 2000);
        assert_int_equal(spawned(rig), 0);
        assert_int_equal(held(rig), 0);
        assert_false(weft_unit_actor_parting(&rig->node));
    }
    end();
}

// Cut off at any moment of it: all of the family is there or nobody, and nobody after the answer.
static void an_unload_is_whole(void **state)
{
    struct rig *rig = *state;
    static struct asked asked;
    bool was_there = false;
    begin(rig);
    for (unsigned cut = 0; cut < 60; cut++) {
        load(rig, "boss", 1 + cut % 2,
             WORKERS_SOURCE "hire : brief 0 ['] RECEIVE SPAWN DROP ; "
                            ": launch 0 ['] brief SPAWN JOIN 2DROP ; launch");
        settle(rig);
        assert_int_equal(spawned(rig), 5);
        ask(rig, &asked, WEFT_COMMAND_UNLOAD, found(rig, "boss"), "");
        go_on(rig, cut / 2);
        for (unsigned n = 0; n < cut % 2; n++) // One core more than the other.
            weft_core_turn(weft_node_core(&rig->node, 1 + cut / 2 % 2));
        const bool was_told = asked.is_done;
        cut_off(rig);
        const bool is_there = weft_unit_registry_find(&rig->node.units, "boss") != NULL;
        assert_false(is_there && was_told);
        assert_int_equal(spawned(rig), is_there ? 5 : 0);
        was_there |= is_there;
        if (is_there) expect_of(rig, "boss", "wake sum", "0 1 10 0 1 20 0 1 30 0 1 40 ");
        if (is_there) unload_boss(rig);
        go_on(rig, 200);
        assert_int_equal(spawned(rig), 0);
        assert_int_equal(held(rig), 0);
    }
    assert_true(was_there);
    end();
}

// Ended by somebody else while the journal forgets it: nobody of a family runs that no journal has.
static void who_ends_while_it_is_unloaded_takes_its_family(void **state)
{
    struct rig *rig = *state;
    static struct asked asked;
    unsigned forgotten = 0;
    begin(rig);
    for (unsigned cut = 0; cut < 12; cut++) {
        load(rig, "boss", 1, WORKERS_SOURCE "hire");
        settle(rig);
        const weft_pid pid = weft_counter_get(&found(rig, "boss")->pid);
        ask(rig, &asked, WEFT_COMMAND_UNLOAD, found(rig, "boss"), "");
        for (unsigned n = 0; n < cut; n++)
            weft_core_turn(weft_node_core(&rig->node, n % 3));
        weft_actor_kill(&rig->node.workers[0].actors, pid, WEFT_EXIT_KILLED);
        wait_for(rig, &asked);
        go_on(rig, 2000);
        assert_int_equal(spawned(rig), held(rig) == 0 ? 0 : 4);
        forgotten += held(rig) == 0;
        load(rig, "boss", 1, ""); // Of one that was killed nothing is left, either.
        unload_boss(rig);
        cut_off(rig);
    }
    assert_in_range(forgotten, 1, 11);
    end();
}

static void a_new_one_of_that_name_has_none_of_the_old_family(void **state)
{
    struct rig *rig = *state;
    begin(rig);
    load(rig, "boss", 1, WORKERS_SOURCE "hire");
    settle(rig);
    static struct asked asked;
    ask(rig, &asked, WEFT_COMMAND_KILL, found(rig, "boss"), "");
    wait_for(rig, &asked);
    go_on(rig, 2000);
    load(rig, "boss", 1, WORKERS_SOURCE "hire");
    settle(rig);
    cut_off(rig);
    assert_int_equal(spawned(rig), 4); // And not eight.
    expect_of(rig, "boss", "wake sum", "0 1 10 0 1 20 0 1 30 0 1 40 ");
    end();
}

// Of one that was killed the journal has what it was: it comes back with its family.
static void who_is_killed_comes_back_with_its_family(void **state)
{
    struct rig *rig = *state;
    begin(rig);
    load(rig, "boss", 1, WORKERS_SOURCE "hire");
    settle(rig);
    static struct asked asked;
    ask(rig, &asked, WEFT_COMMAND_KILL, found(rig, "boss"), "");
    wait_for(rig, &asked);
    settle(rig);
    cut_off(rig);
    assert_int_equal(spawned(rig), 4);
    expect_of(rig, "boss", "wake sum", "0 1 10 0 1 20 0 1 30 0 1 40 ");
    end();
}

// The old segments go, and with them what only they had.
static void compaction_carries_families_along(void **state)
{
    struct rig *rig = *state;
    begin(rig);
    load(rig, "boss", 1, WORKERS_SOURCE "CREATE ballast 20000 ALLOT hire");
    const struct weft_journal *journal = weft_journal_keeper_journal(rig->node.journal);
    for (int n = 0; n < 400; n++) {
        expect_of(rig, "boss", n % 7 == 3 ? "wake sum hire" : "ballast 9 ERASE",
                  n % 7 == 3 ? "0 1 10 0 1 20 0 1 30 0 1 40 " : "");
    }
    assert_true(journal->stats.snapshots > 0);
    for (int round = 0; round < 2; round++) {
        cut_off(rig);
        assert_int_equal(spawned(rig), 4);
        settle(rig);
    }
    expect_of(rig, "boss", "wake sum", "0 1 10 0 1 20 0 1 30 0 1 40 ");
    end();
}

// ---- From wherever it is cut off.

#define MAIN                                                                                       \
    ": collect 8 0 DO kids I CELLS + @ JOIN 0= IF 1 = IF total +! ELSE 1 lost +! THEN "            \
    "  ELSE DROP 1 lost +! THEN LOOP ; VARIABLE rounds "                                           \
    ": main UNIT-SAVE DROP BEGIN 0 total ! hire collect 1 rounds +! rounds @ 6 = UNTIL RECEIVE ; " \
    "main"

static const char coordinator[] =
    "VARIABLE total VARIABLE lost CREATE kids 8 CELLS ALLOT "
    ": agent ( n -- n*n ) DUP 4 MOD MS DUP * ; "
    ": hire 8 0 DO I 1+ 1 ['] agent SPAWN kids I CELLS + ! 1 MS LOOP ; " MAIN;

// Each of the eight has two of its own, which it asks one after the other.
static const char tree[] =
    "VARIABLE total VARIABLE lost CREATE kids 8 CELLS ALLOT "
    ": leaf ( n -- m ) DUP 3 MOD MS ; : took ( pid -- n ) JOIN DROP 1 <> IF 1000 THEN ; "
    ": agent ( n -- n*n ) DUP 1 ['] leaf SPAWN 1 MS OVER 1 ['] leaf SPAWN "
    "  ( n pid pid ) took SWAP took OVER 0 <> AND + 2/ * ; "
    ": hire 8 0 DO I 1+ 1 ['] agent SPAWN kids I CELLS + ! LOOP ; " MAIN;

static void wait_until_done(struct rig *rig, unsigned cut)
{
    static struct asked asked;
    for (unsigned n = 0;; n++) {
        go_on(rig, 50);
        ask(rig, &asked, WEFT_COMMAND_EVAL, found(rig, "boss"), "rounds @ .");
        wait_for(rig, &asked);
        if (memcmp(asked.command.output, "6 ", 2) == 0) return;
        if (n > 2000)
            fail_msg("cut at %u: it waits for ever: %.*s rounds", cut,
                     (int)asked.command.output_length, asked.command.output);
    }
}

// Every child answers with what it is to: none is lost, whatever the moment; none is left over.
static void survive(struct rig *rig, const char *source, unsigned cuts)
{
    begin(rig);
    for (unsigned cut = 1; cut < cuts; cut++) {
        const uint64_t keep_ns = (1 + cut % 4) * WEFT_NS_PER_MS;
        rig->node.options.unit_keep_ns = keep_ns;
        load(rig, "boss", 1 + cut % 2, source);
        for (int crash = 0; crash < 3; crash++) {
            go_on(rig, cut * (2 + cut % 3));
            cut_off(rig);
            rig->node.options.unit_keep_ns = keep_ns;
        }
        wait_until_done(rig, cut);
        expect_of(rig, "boss", "total @ . lost @ .", "204 0 ");
        go_on(rig, 1500);
        assert_int_equal(spawned(rig), 0);
        assert_int_equal(held(rig), 1); // Nothing is left of those that have ended.
        unload_boss(rig);
        assert_int_equal(held(rig), 0);
    }
    end();
}

static void a_family_survives_at_every_moment(void **state)
{
    survive(*state, coordinator, 120);
}

static void a_tree_survives_at_every_moment(void **state)
{
    survive(*state, tree, 80);
}

// Some end by themselves, some are killed, some fail; some are detached, or lose their parent; some
// say UNIT-SAVE. Each end is heard of once, and nothing is left over.
static const char motley[] =
    "VARIABLE total VARIABLE lost CREATE kids 8 CELLS ALLOT "
    ": fails 3 MS 7 THROW ; : sleeps 20000 MS ; : launched 2 MS ; "
    ": launches 3 0 DO 0 ['] launched SPAWN DROP LOOP ; "
    ": saves 5 MS UNIT-SAVE DROP ; "
    ": agent ( n -- n*n ) DUP 4 MOD CASE "
    "  0 OF 0 ['] fails SPAWN JOIN 2DROP ENDOF "
    "  1 OF 0 ['] sleeps SPAWN 4 MS DUP KILL DROP JOIN 2DROP ENDOF "
    "  2 OF 0 ['] launches SPAWN DETACH DROP 0 ['] launched SPAWN JOIN 2DROP ENDOF "
    "  3 OF 0 ['] saves SPAWN JOIN 2DROP ENDOF ENDCASE DUP * ; "
    ": hire 8 0 DO I 1+ 1 ['] agent SPAWN kids I CELLS + ! LOOP ; " MAIN;

static void all_kinds_of_ends_survive(void **state)
{
    survive(*state, motley, 60);
}

// A child on a core that does not turn: the record of its parent waits for it, and then does not,
// and has it the next time.
static void a_held_core_keeps_nobody_for_long(void **state)
{
    struct rig *rig = *state;
    static struct asked asked;
    begin(rig);
    rig->node.options.unit_keep_ns = 0; // But for evaluations nothing is written down.
    load(rig, "boss", 1, WORKERS_SOURCE ": main UNIT-SAVE DROP 10 MS hire RECEIVE ; main");
    go_on(rig, 1000);
    assert_int_equal(spawned(rig), 4);
    assert_int_equal(held(rig), 1);
    ask(rig, &asked, WEFT_COMMAND_EVAL, found(rig, "boss"), "1 .");
    const uint64_t asked_ns = rig->now_ns;
    while (!asked.is_done) {
        weft_core_turn(weft_node_core(&rig->node, 0));
        weft_core_turn(weft_node_core(&rig->node, 1));
        rig->now_ns += WEFT_NS_PER_MS / 10;
    }
    assert_int_equal(asked.command.error.code, 0);
    assert_in_range(rig->now_ns - asked_ns, WEFT_NS_PER_S, 2 * WEFT_NS_PER_S);
    assert_int_equal(held(rig), 3);
    ask(rig, &asked, WEFT_COMMAND_EVAL, found(rig, "boss"), "1 .");
    const uint64_t again_ns = rig->now_ns;
    while (!asked.is_done) {
        weft_core_turn(weft_node_core(&rig->node, 0));
        weft_core_turn(weft_node_core(&rig->node, 1));
        rig->now_ns += WEFT_NS_PER_MS / 10;
    }
    assert_true(rig->now_ns - again_ns < 100 * WEFT_NS_PER_MS); // It is known to be late.
    go_on(rig, 200);
    assert_int_equal(held(rig), 5);
    cut_off(rig);
    assert_int_equal(spawned(rig), 4);
    expect_of(rig, "boss", "wake sum", "0 1 10 0 1 20 0 1 30 0 1 40 ");
    end();
}

// Chance has it that the new start would give the numbers that those of the journal have.
static void numbers_of_an_earlier_start_are_left_alone(void **state)
{
    struct rig *rig = *state;
    for (uint8_t earlier = 1; earlier <= 4; earlier++) {
        weft_node_destroy(&rig->node);
        rig->boot_count = 20;
        start(rig);
        begin(rig);
        load(rig, "boss", 1, WORKERS_SOURCE "hire");
        rig->boot_count = (uint8_t)(20 - earlier);
        cut_off(rig);
        assert_int_equal(spawned(rig), 4);
        expect_of(rig, "boss", "wake sum", "0 1 10 0 1 20 0 1 30 0 1 40 ");
        unload_boss(rig);
        end();
    }
}

static int no_room(void *self, uint32_t file, uint64_t block_count)
{
    (void)self, (void)file, (void)block_count;
    return -ENOSPC;
}

static uint16_t eval_code(struct rig *rig, const char *text)
{
    static struct asked asked;
    ask(rig, &asked, WEFT_COMMAND_EVAL, found(rig, "boss"), text);
    for (unsigned n = 0; !asked.is_done; n++) {
        if (n == TURNS_MAX) fail_msg("no answer");
        turn_some(rig);
    }
    return asked.command.error.code;
}

// Children whose first records the journal has refused are asked again once there is room.
static void a_full_disk_is_no_end_of_a_family(void **state)
{
    struct rig *rig = *state;
    begin(rig);
    load(rig, "boss", 1, WORKERS_SOURCE "CREATE ballast 20000 ALLOT");
    int (*create)(void *, uint32_t, uint64_t) = rig->disk.create;
    rig->disk.create = no_room;
    for (unsigned n = 0; eval_code(rig, "ballast 9 ERASE") == 0; n++)
        assert_true(n < 1000);
    assert_int_equal(eval_code(rig, "hire"), 701);
    assert_int_equal(spawned(rig), 4);
    go_on(rig, 30000);
    rig->disk.create = create;
    go_on(rig, 100000);
    assert_int_equal(eval_code(rig, "1 ."), 0);
    settle(rig);
    cut_off(rig);
    assert_int_equal(spawned(rig), 4);
    expect_of(rig, "boss", "wake sum", "0 1 10 0 1 20 0 1 30 0 1 40 ");
    end();
}

// A file's family is the journal's from then on.
static void a_family_of_a_snapshot_is_kept(void **state)
{
    static struct taking taking;
    struct rig *rig = *state;
    begin(rig);
    load(rig, "boss", 1, WORKERS_SOURCE "hire");
    settle(rig);
    take(rig, &taking, turn_some);
    end();
    weft_node_destroy(&rig->node);
    weft_disk_sim_destroy(&rig->disk_sim);
    weft_disk_sim_init(&rig->disk_sim, 6);
    rig->disk = weft_disk_sim_disk(&rig->disk_sim);
    start(rig);
    begin(rig);
    struct weft_admin_command *admin = calloc(1, sizeof(*admin)); // It frees itself.
    char *bytes = malloc(taking.length);
    memcpy(bytes, taking.bytes, taking.length);
    *admin = (struct weft_admin_command){
        .verb = WEFT_ADMIN_SNAPSHOT_RESTORE, .text = bytes, .text_length = taking.length};
    struct weft_error error = {0};
    assert_int_equal(weft_control_submit(&control, admin, &error), 0);
    wait_until_back(rig);
    settle(rig);
    for (int round = 0; round < 2; round++) {
        cut_off(rig);
        assert_int_equal(spawned(rig), 4);
    }
    expect_of(rig, "boss", "wake sum", "0 1 10 0 1 20 0 1 30 0 1 40 ");
    end();
}

// ---- Which records belong together.

struct record {
    uint8_t bytes[1024];
    size_t length;
};

static void put_tie(struct record *record, uint8_t kind, uint8_t a, uint64_t x, uint64_t y)
{
    uint8_t *to = record->bytes + record->length;
    memset(to, 0, WEFT_TIE_HEAD);
    to[0] = kind;
    to[1] = a;
    weft_le64_put(to + 8, x);
    weft_le64_put(to + 16, y);
    record->length += WEFT_TIE_HEAD;
}

#define HEAD 32 // docs/wire/unit-image.md

static void begin_record(struct record *record, uint64_t id, uint64_t serial)
{
    memset(record, 0, sizeof(*record));
    memcpy(record->bytes, "WFUA", 4);
    weft_le16_put(record->bytes + 4, 2);
    weft_le64_put(record->bytes + 16, id);
    record->length = HEAD;
    if (serial != 0) put_tie(record, WEFT_TIE_ISSUE, 0, serial, 0);
}

static void end_record(struct record *record)
{
    weft_le32_put(record->bytes + 24, (uint32_t)(record->length - HEAD));
    const uint32_t crc = weft_crc32c(0, record->bytes, 28);
    weft_le32_put(record->bytes + 28,
                  weft_crc32c(crc, record->bytes + HEAD, record->length - HEAD));
}

static void add(struct weft_unit_table *table, const char *name, const char *parent,
                const char *root, uint64_t serial, const struct record *record)
{
    struct weft_unit_entry *entry = &table->entries[table->count++];
    *entry = (struct weft_unit_entry){0};
    snprintf(entry->load.name, sizeof(entry->load.name), "%s", name);
    snprintf(entry->load.origin.parent, sizeof(entry->load.origin.parent), "%s", parent);
    snprintf(entry->load.origin.root, sizeof(entry->load.origin.root), "%s", root);
    entry->load.origin.serial = serial;
    uint8_t *copy = malloc(record->length);
    memcpy(copy, record->bytes, record->length);
    entry->image = weft_span_of(copy, record->length);
}

// A table as replay would have made it: by way of one that replay has made.
static void make_table(struct weft_unit_table *table)
{
    static const uint8_t load[] = {1, 1, 0, 0, 0, 0, 0, 0, 'x'}, gone[] = {1, 'x'};
    weft_unit_table_replay(table, WEFT_UNIT_LOAD, 1, weft_span_of(load, sizeof(load)));
    weft_unit_table_replay(table, WEFT_UNIT_GONE, 2, weft_span_of(gone, sizeof(gone)));
    weft_unit_table_settle(table);
}

static void index_table(struct weft_unit_table *table)
{
    bool all[16];
    memset(all, true, sizeof(all));
    weft_unit_table_filter(table, all);
}

static void records_that_belong_together(void **state)
{
    static const struct {
        const char *name, *parent, *root;
        uint64_t id, serial;
        bool stays;
        const char *parent_then;
    } children[] = {
        {"~1", "r", "r", 1, 2, true, "r"},    // Named by its parent.
        {"~2", "r", "r", 2, 3, false, NULL},  // Of a record that never came: it never was.
        {"~3", "r", "r", 3, 1, true, ""},     // Counted, and not named: detached.
        {"~4", "r", "r", 4, 1, false, NULL},  // Its parent has its last words.
        {"~5", "r", "r", 5, 1, false, NULL},  // Its parent has read them.
        {"~6", "~9", "r", 6, 1, false, NULL}, // Its parent never was.
        {"~7", "~2", "r", 7, 0, false, NULL}, // Nor was this one.
        {"~8", "~1", "r", 8, 0, true, ""},
        {"~a", "", "r", 10, 9, true, ""},
        {"~b", "", "s", 11, 0, false, NULL},   // Its family is gone.
        {"~c", "~d", "r", 12, 0, false, NULL}, // Each other's parents.
        {"~d", "~c", "r", 13, 0, false, NULL},
        {"~e", "~e", "~1", 14, 0, false, NULL}, // Who was spawned is no root.
    };
    struct weft_unit_table table = {0};
    struct record record;
    bool stays[16];
    (void)state;
    make_table(&table);
    begin_record(&record, 100, 2);
    put_tie(&record, WEFT_TIE_CHILD, 0, 1, 71);
    put_tie(&record, WEFT_TIE_CHILD, 0, 4, 74);
    put_tie(&record, WEFT_TIE_MAIL, WEFT_MESSAGE_REPLY, 4, 74);
    put_tie(&record, WEFT_TIE_DEAD, 0, 5, 0);
    end_record(&record);
    add(&table, "r", "", "", 0, &record);
    for (size_t n = 0; n < WEFT_COUNT_OF(children); n++) {
        begin_record(&record, children[n].id, 0);
        end_record(&record);
        add(&table, children[n].name, children[n].parent, children[n].root, children[n].serial,
            &record);
    }
    index_table(&table);
    assert_int_equal(weft_family_settle(&table, stays), 0);
    assert_true(stays[0]);
    for (size_t n = 0; n < WEFT_COUNT_OF(children); n++) {
        if (stays[n + 1] != children[n].stays) fail_msg("%s is judged wrongly", children[n].name);
        if (stays[n + 1])
            assert_string_equal(table.entries[n + 1].load.origin.parent, children[n].parent_then);
    }
    weft_unit_table_destroy(&table);
}

// Without its root's, or its own, nothing of a family can be used; what cannot be read waits.
static void records_that_cannot_be_read_wait(void **state)
{
    struct weft_unit_table table = {0};
    struct record record, other = {.bytes = "not of this build", .length = 17};
    bool stays[16];
    (void)state;
    make_table(&table);
    add(&table, "r", "", "", 0, &other);
    begin_record(&record, 1, 0);
    end_record(&record);
    add(&table, "~1", "r", "r", 5, &record);
    add(&table, "~2", "~1", "r", 0, &other);
    index_table(&table);
    assert_int_equal(weft_family_settle(&table, stays), 0);
    assert_true(stays[0] && stays[1] && stays[2]);
    assert_string_equal(table.entries[1].load.origin.parent, "r");
    assert_true(weft_family_may_have_spawned(table.entries[0].image));
    assert_false(weft_family_may_have_spawned(table.entries[1].image));
    weft_unit_table_destroy(&table);
}

#define FAMILY_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAMILY_TEST(children_come_back),
        FAMILY_TEST(those_of_a_running_program_come_back),
        FAMILY_TEST(they_go_on_from_their_own_last_records),
        FAMILY_TEST(a_tree_comes_back),
        FAMILY_TEST(links_and_monitors_hold),
        FAMILY_TEST(detached_ones_come_back),
        FAMILY_TEST(a_launcher_leaves_its_children),
        FAMILY_TEST(a_child_may_say_unit_save),
        FAMILY_TEST(who_is_not_kept_has_no_kept_children),
        FAMILY_TEST(short_lives_are_not_written),
        FAMILY_TEST(quotas_count_as_before),
        FAMILY_TEST(who_is_unloaded_takes_its_family),
        FAMILY_TEST(who_is_unloaded_takes_those_without_parents),
        FAMILY_TEST(an_unload_is_whole),
        FAMILY_TEST(who_ends_while_it_is_unloaded_takes_its_family),
        FAMILY_TEST(a_new_one_of_that_name_has_none_of_the_old_family),
        FAMILY_TEST(who_is_killed_comes_back_with_its_family),
        FAMILY_TEST(compaction_carries_families_along),
        FAMILY_TEST(a_family_survives_at_every_moment),
        FAMILY_TEST(a_tree_survives_at_every_moment),
        FAMILY_TEST(all_kinds_of_ends_survive),
        FAMILY_TEST(a_held_core_keeps_nobody_for_long),
        FAMILY_TEST(numbers_of_an_earlier_start_are_left_alone),
        FAMILY_TEST(a_full_disk_is_no_end_of_a_family),
        FAMILY_TEST(a_family_of_a_snapshot_is_kept),
        cmocka_unit_test(records_that_belong_together),
        cmocka_unit_test(records_that_cannot_be_read_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
