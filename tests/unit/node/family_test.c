// Units that kept units spawn, in the journal: they come back with their parents and with what they
// are to each other; and who is unloaded takes them along.
#include "tests/support/cmocka.h"

#include <errno.h>

#include <weft/weft.h>

#include "runtime/node/unit_dealings.h"
#include "runtime/node/unit_family.h"
#include "tests/unit/node/family_rig.h"

// ---- What comes back.

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
