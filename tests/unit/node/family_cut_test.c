// A node whose units have spawned others is cut off at every moment, or has no room on its disk, or
// is kept waiting: each family comes back whole.
#include "tests/support/cmocka.h"

#include <errno.h>

#include <weft/weft.h>

#include "runtime/node/unit_dealings.h"
#include "runtime/node/unit_family.h"
#include "tests/unit/node/family_rig.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAMILY_TEST(a_family_survives_at_every_moment),
        FAMILY_TEST(a_tree_survives_at_every_moment),
        FAMILY_TEST(all_kinds_of_ends_survive),
        FAMILY_TEST(a_held_core_keeps_nobody_for_long),
        FAMILY_TEST(numbers_of_an_earlier_start_are_left_alone),
        FAMILY_TEST(a_full_disk_is_no_end_of_a_family),
        FAMILY_TEST(a_family_of_a_snapshot_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
