// One node of two workers, turned by hand: what units may do to themselves, and that their
// siblings, the other core and the node do not notice.
#include "tests/support/cmocka.h"

#include "tests/unit/node/rig.h"

// Every way in which a unit can go wrong is an error of that text alone.
static void a_unit_hurts_only_itself(void **state)
{
    static const struct {
        const char *text;
        uint16_t code;
        int32_t throw_code;
    } cases[] = {
        {": loop-for-ever BEGIN AGAIN ; loop-for-ever", 404, WEFT_THROW_REDUCTIONS},
        {": deep RECURSE 1 ; deep", 401, -5},
        {"1 0 /", 401, -10},
        {"0 -1000 !", 401, -9},
        {"123456789012 @", 401, -9},
        {"DROP", 401, -4},
        {"no-such-word", 401, -13},
        {"99999999 EXECUTE", 401, 0},
        {"-1 THROW", 401, -1},
        {": quit-it TRUE ABORT\" on purpose\" ; quit-it", 401, -2},
        {": filler BEGIN 100 ALLOT AGAIN ; filler", 401, -8}, // Last: its memory stays full.
    };
    static struct asked asked;
    struct rig *rig = *state;
    struct weft_resident *victim = load(rig, "victim", 1, "VARIABLE v  41 v !");
    struct weft_resident *sibling = load(rig, "sibling", 1, "VARIABLE n");
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        ask(rig, &asked, WEFT_COMMAND_EVAL, victim, cases[i].text);
        wait_for(rig, &asked);
        if (asked.command.error.code == 0) fail_msg("%s: no error", cases[i].text);
        if (cases[i].code != 0 && asked.command.error.code != cases[i].code)
            fail_msg("%s: W%04u %s", cases[i].text, asked.command.error.code,
                     asked.command.error.text);
        if (cases[i].throw_code != 0 && asked.command.throw_code != cases[i].throw_code)
            fail_msg("%s: THROW %d", cases[i].text, asked.command.throw_code);
        expect(rig, victim, "v @ .", "41 ");
        expect(rig, sibling, "1 n +! n @ 0 >  .", "-1 ");
    }
}

// A text that comes while the program works waits for it to come to rest, however long ago the last
// was.
static void a_working_program_is_waited_for(void **state)
{
    struct rig *rig = *state;
    struct weft_resident *worker =
        load(rig, "worker", 1, ": work BEGIN RECEIVE 2DROP 2DROP 100000 0 DO LOOP AGAIN ; work");
    struct weft_resident *sender = load(rig, "sender", 1, ": poke S\" x\" ROT SEND-TO DROP ;");
    char text[64];
    expect(rig, worker, "1 .", "1 ");
    rig->now_ns += 300 * WEFT_NS_PER_S;
    snprintf(text, sizeof(text), "$%llx poke", (unsigned long long)weft_counter_get(&worker->pid));
    expect(rig, sender, text, "");
    turn_all(rig);
    assert_int_equal(weft_counter_get(&worker->status), WEFT_RESIDENT_RUNNING);
    expect(rig, worker, "2 .", "2 ");
}

// An evaluation that comes right behind an unload does not bring the unit back.
static void nothing_follows_an_unload(void **state)
{
    static struct asked unload, late;
    struct rig *rig = *state;
    struct weft_resident *resident = load(rig, "leaver", 2, "VARIABLE v");
    ask(rig, &unload, WEFT_COMMAND_UNLOAD, resident, "");
    ask(rig, &late, WEFT_COMMAND_EVAL, resident, "1 v !");
    wait_for(rig, &unload);
    wait_for(rig, &late);
    assert_int_equal(unload.command.error.code, 0);
    assert_int_equal(late.command.error.code, 402);
    for (int i = 0; i < 50; i++) {
        turn_all(rig);
    }
    weft_node_destroy(&rig->node);
    weft_disk_sim_crash(&rig->disk_sim);
    start(rig);
    assert_int_equal(rig->node.recovered.count, 0);
}

// An endless loop gets its slices, and its sibling on the same core an answer within a few turns.
static void a_spinning_unit_delays_nobody(void **state)
{
    static struct asked spin, quick;
    struct rig *rig = *state;
    struct weft_resident *spinner = load(rig, "spinner", 1, ": spin BEGIN AGAIN ;");
    struct weft_resident *sibling = load(rig, "sibling", 1, ": answer 42 . ;");
    sibling->recovery = WEFT_RECOVERY_NONE; // Nor does the disk stand in its way.
    ask(rig, &spin, WEFT_COMMAND_EVAL, spinner, "spin");
    for (int i = 0; i < 10; i++) {
        turn_all(rig);
    }
    ask(rig, &quick, WEFT_COMMAND_EVAL, sibling, "answer");
    uint32_t turns = 0;
    for (; !quick.is_done && turns < 10; turns++) {
        turn_all(rig);
    }
    if (!quick.is_done) fail_msg("no answer in %u turns beside a spinning unit", turns);
    assert_false(spin.is_done);
    wait_for(rig, &spin);
    assert_int_equal(spin.command.error.code, 404);
}

static void an_error_names_its_line(void **state)
{
    static struct asked asked;
    struct rig *rig = *state;
    struct weft_resident *resident = reserve(rig, "broken", 2);
    strcpy(resident->file, "broken.fth");
    ask(rig, &asked, WEFT_COMMAND_LOAD, resident, "1\n2\n3\n4\n5\n6\n: x 1 + frobnicate ;\n8\n");
    wait_for(rig, &asked);
    assert_int_equal(asked.command.error.code, 401);
    assert_int_equal(asked.command.throw_code, -13);
    assert_int_equal(asked.command.line, 7);
    assert_int_equal(asked.command.column, 9);
    assert_string_equal(asked.command.file, "broken.fth");
    assert_non_null(strstr(asked.command.message, "frobnicate"));
    for (int i = 0; i < 10; i++) {
        turn_all(rig);
    }
    assert_null(weft_unit_registry_find(&rig->node.units, "broken")); // And its name is free again.
}

// The stack comments of a text that is loaded, or evaluated, are compared with what it does.
static void a_wrong_stack_comment_is_told(void **state)
{
    static struct asked asked;
    struct rig *rig = *state;
    struct weft_resident *resident = reserve(rig, "wrong", 1);
    strcpy(resident->file, "wrong.fth");
    ask(rig, &asked, WEFT_COMMAND_LOAD, resident, ": right ( -- n ) 1 ;\n: t ( n -- ) ;\n5 .");
    wait_for(rig, &asked);
    assert_int_equal(asked.command.error.code, 0);
    asked.command.output[asked.command.output_length] = '\0';
    assert_string_equal(asked.command.output,
                        "wrong.fth:2:5: warning: t says ( n -- ) but does ( -- )\n: t ( n -- ) ;\n"
                        "    ^~~~~~~~\n5 ");
    ask(rig, &asked, WEFT_COMMAND_EVAL, resident, ": u ( -- ) 3 ;");
    wait_for(rig, &asked);
    asked.command.output[asked.command.output_length] = '\0';
    assert_non_null(strstr(asked.command.output, "warning: u says ( -- ) but does ( -- x )"));
}

// A main program that waits in RECEIVE is interrupted by an evaluation and goes on after it.
static void an_evaluation_interrupts_a_parked_program(void **state)
{
    struct rig *rig = *state;
    struct weft_resident *inbox =
        load(rig, "inbox", 1, "VARIABLE got  : inbox BEGIN RECEIVE 2DROP NIP got +! AGAIN ; inbox");
    struct weft_resident *sender = load(rig, "sender", 2, ": say >R S\" hello\" R> SEND-TO . ;");
    char text[64];
    snprintf(text, sizeof(text), "$%llx say", (unsigned long long)weft_counter_get(&inbox->pid));
    expect(rig, inbox, "got @ .", "0 ");
    for (int i = 1; i <= 3; i++) {
        char total[16];
        expect(rig, sender, text, "0 ");
        for (int turn = 0; turn < 10; turn++) {
            turn_all(rig);
        }
        snprintf(total, sizeof(total), "%d ", 5 * i);
        expect(rig, inbox, "got @ .", total);
        expect(rig, inbox, "3 4 + .", "7 ");
    }
    assert_int_equal(weft_counter_get(&inbox->status), WEFT_RESIDENT_WAITING);
}

// Nobody reads it, so whoever sends to it waits, loses patience, and in the end is refused.
static void a_mailbox_that_nobody_reads_delays_and_then_drops(void **state)
{
    struct rig *rig = *state;
    struct weft_resident *deaf = load(rig, "deaf", 2, "VARIABLE x");
    struct weft_resident *sender = load(
        rig, "sender", 2, ": flood ( pid n -- ) 0 DO >R S\" x\" R@ SEND-TO DROP R> LOOP DROP ;");
    char text[64];
    snprintf(text, sizeof(text), "$%llx 20 flood",
             (unsigned long long)weft_counter_get(&deaf->pid));
    const uint64_t start_ns = rig->now_ns;
    expect(rig, sender, text, "");
    assert_true(rig->now_ns - start_ns >= 100 * WEFT_NS_PER_MS);
    assert_int_equal(weft_drop_get(&rig->node.workers[1].core.drops, WEFT_DROP_MAILBOX_FULL), 0);
    snprintf(text, sizeof(text), "$%llx 20 flood",
             (unsigned long long)weft_counter_get(&deaf->pid));
    expect(rig, sender, text, "");
    assert_int_equal(weft_drop_get(&rig->node.workers[1].core.drops, WEFT_DROP_MAILBOX_FULL), 8);
    const struct weft_actor *actor =
        weft_actor_find(&rig->node.workers[1].actors, weft_counter_get(&deaf->pid));
    assert_int_equal(actor->mailbox_count, 32); // Four times its limit, however many wait.
}

static void unload_is_forgotten_kill_is_not(void **state)
{
    static struct asked asked;
    struct rig *rig = *state;
    struct weft_resident *kept = load(rig, "kept", 1, "VARIABLE total  7 total !");
    struct weft_resident *gone = load(rig, "gone", 2, "VARIABLE total");
    expect(rig, kept, "5 total +!", "");
    ask(rig, &asked, WEFT_COMMAND_KILL, kept, "");
    wait_for(rig, &asked);
    ask(rig, &asked, WEFT_COMMAND_UNLOAD, gone, "");
    wait_for(rig, &asked);
    assert_int_equal(asked.command.error.code, 0);
    for (int i = 0; i < 20; i++) {
        turn_all(rig);
    }
    assert_int_equal(weft_counter_get(&rig->node.units.live_count), 0);
    weft_node_destroy(&rig->node);
    weft_disk_sim_crash(&rig->disk_sim);
    start(rig);
    assert_int_equal(rig->node.recovered.count, 1);
    const struct weft_unit_entry *entry = weft_unit_table_find(&rig->node.recovered, "kept");
    assert_non_null(entry);
    struct weft_resident *back = reserve(rig, "kept", 2);
    ask(rig, &asked, WEFT_COMMAND_RESTORE, back, "VARIABLE total  7 total !");
    asked.command.image = entry->image.data;
    asked.command.image_length = entry->image.length;
    wait_for(rig, &asked);
    expect(rig, back, "total @ .", "12 ");
}

static void settle(struct rig *rig)
{
    for (int i = 0; i < 50; i++) {
        turn_all(rig);
    }
}

static void crash(struct rig *rig)
{
    weft_node_destroy(&rig->node);
    weft_disk_sim_crash(&rig->disk_sim);
    start(rig);
}

// An image that cannot be used stays in the journal, and its unit away, until somebody says unload.
static void a_state_that_cannot_be_restored_is_not_lost(void **state)
{
    static struct asked asked;
    struct rig *rig = *state;
    uint8_t damaged[256];
    memset(damaged, 0x5a, sizeof(damaged));
    load(rig, "patient", 1, "VARIABLE v  42 v !");
    crash(rig);
    struct weft_resident *resident = reserve(rig, "patient", 1);
    ask(rig, &asked, WEFT_COMMAND_RESTORE, resident, "VARIABLE v  42 v !");
    asked.command.image = damaged;
    asked.command.image_length = sizeof(damaged);
    wait_for(rig, &asked);
    assert_int_equal(asked.command.error.code, 404);
    settle(rig);
    crash(rig);
    const struct weft_unit_entry *entry = weft_unit_table_find(&rig->node.recovered, "patient");
    assert_non_null(entry);
    resident = reserve(rig, "patient", 1);
    ask(rig, &asked, WEFT_COMMAND_RESTORE, resident, "VARIABLE v  42 v !");
    asked.command.image = entry->image.data;
    asked.command.image_length = entry->image.length;
    wait_for(rig, &asked);
    expect(rig, resident, "v @ .", "42 ");
}

// The control core keeps the name of such a unit; unloading it makes the journal forget it.
static void a_failed_unit_can_be_unloaded(void **state)
{
    static struct asked asked;
    struct rig *rig = *state;
    load(rig, "patient", 1, "VARIABLE v");
    crash(rig);
    struct weft_resident *resident = reserve(rig, "patient", 1);
    weft_counter_set(&resident->status, WEFT_RESIDENT_FAILED);
    ask(rig, &asked, WEFT_COMMAND_UNLOAD, resident, "");
    wait_for(rig, &asked);
    assert_int_equal(asked.command.error.code, 0);
    settle(rig);
    assert_null(weft_unit_registry_find(&rig->node.units, "patient"));
    crash(rig);
    assert_int_equal(rig->node.recovered.count, 0);
}

// A unit that was killed is in the journal still. Loading its name anew replaces it, old image and
// all.
static void a_new_load_replaces_a_killed_unit(void **state)
{
    static struct asked asked;
    struct rig *rig = *state;
    struct weft_resident *first = load(rig, "twice", 1, "VARIABLE v  1 v !");
    expect(rig, first, "2 v !", "");
    ask(rig, &asked, WEFT_COMMAND_KILL, first, "");
    wait_for(rig, &asked);
    settle(rig);
    load(rig, "other", 1, "VARIABLE w"); // Takes the index of the one that was killed.
    struct weft_resident *second = load(rig, "twice", 2, "VARIABLE v  7 v !");
    expect(rig, second, "v @ .", "7 ");
    crash(rig);
    assert_int_equal(rig->node.recovered.count, 2);
    const struct weft_unit_entry *entry = weft_unit_table_find(&rig->node.recovered, "twice");
    assert_int_equal(entry->load.source.length, strlen("VARIABLE v  7 v !"));
    struct weft_resident *back = reserve(rig, "twice", 1);
    ask(rig, &asked, WEFT_COMMAND_RESTORE, back, "VARIABLE v  7 v !");
    asked.command.image = entry->image.data;
    asked.command.image_length = entry->image.length;
    wait_for(rig, &asked);
    expect(rig, back, "v @ .", "7 ");
}

// Compaction keeps what was killed too, and what other cores hold.
static void compaction_loses_nobody(void **state)
{
    static struct asked asked;
    struct rig *rig = *state;
    struct weft_resident *killed = load(rig, "killed", 1, "VARIABLE v  5 v !");
    struct weft_resident *busy = load(rig, "busy", 2, "VARIABLE n  CREATE ballast 30000 ALLOT");
    ask(rig, &asked, WEFT_COMMAND_KILL, killed, "");
    wait_for(rig, &asked);
    load(rig, "late", 1, "VARIABLE x  3 x !");
    const struct weft_journal *journal = weft_journal_keeper_journal(rig->node.journal);
    int evaluations = 0;
    while (journal->stats.snapshots == 0 && evaluations < 5000) {
        expect(rig, busy, "1 n +!", "");
        evaluations++;
    }
    assert_true(journal->stats.snapshots > 0);
    settle(rig);
    crash(rig);
    assert_int_equal(rig->node.recovered.count, 3);
    assert_non_null(weft_unit_table_find(&rig->node.recovered, "killed"));
    const struct weft_unit_entry *entry = weft_unit_table_find(&rig->node.recovered, "busy");
    struct weft_resident *back = reserve(rig, "busy", 1);
    ask(rig, &asked, WEFT_COMMAND_RESTORE, back, "");
    asked.command.image = entry->image.data;
    asked.command.image_length = entry->image.length;
    wait_for(rig, &asked);
    char total[16];
    snprintf(total, sizeof(total), "%d ", evaluations);
    expect(rig, back, "n @ .", total);
}

// The node's own actors have pids like everybody, and take nothing from units.
static void a_unit_cannot_speak_to_the_node_itself(void **state)
{
    struct rig *rig = *state;
    struct weft_resident *rude =
        load(rig, "rude", 2, ": poke ( pid -- ) S\" x\" ROT SEND-TO DROP ;");
    const uint64_t generation = rig->node.actors.first_generation + 1;
    for (uint64_t slot = 0; slot < 3; slot++) {
        char text[64];
        snprintf(text, sizeof(text), "$%llx poke",
                 (unsigned long long)(generation << 32 | 1 << 24 | slot));
        expect(rig, rude, text, "");
    }
    settle(rig);
    assert_true(weft_drop_get(&rig->node.workers[0].core.drops, WEFT_DROP_MAILBOX_REFUSED) >= 1);
    expect(rig, rude, "1 .", "1 "); // And the journal still answers.
}

// Two units of one node cannot have the same UDP port; the second is told, the first keeps it.
static void a_udp_port_has_one_owner(void **state)
{
    struct rig *rig = *state;
    struct weft_resident *first = load(rig, "first", 1, "4200 UDP-BIND .");
    struct weft_resident *second = load(rig, "second", 2, "");
    expect(rig, second, "4200 UDP-BIND 0= .", "0 ");
    expect(rig, second, "0 UDP-BIND 0= .", "0 ");
    expect(rig, second, "4201 UDP-BIND .", "0 ");
    static struct asked asked;
    ask(rig, &asked, WEFT_COMMAND_UNLOAD, first, "");
    wait_for(rig, &asked);
    for (int i = 0; i < 20; i++) {
        turn_all(rig);
    }
    expect(rig, second, "4200 UDP-BIND .", "0 "); // Free again with its owner's end.
}

int main(void)
{
#define NODE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        NODE_TEST(a_unit_hurts_only_itself),
        NODE_TEST(a_spinning_unit_delays_nobody),
        NODE_TEST(a_working_program_is_waited_for),
        NODE_TEST(nothing_follows_an_unload),
        NODE_TEST(an_error_names_its_line),
        NODE_TEST(a_wrong_stack_comment_is_told),
        NODE_TEST(an_evaluation_interrupts_a_parked_program),
        NODE_TEST(a_mailbox_that_nobody_reads_delays_and_then_drops),
        NODE_TEST(unload_is_forgotten_kill_is_not),
        NODE_TEST(a_state_that_cannot_be_restored_is_not_lost),
        NODE_TEST(a_failed_unit_can_be_unloaded),
        NODE_TEST(a_new_load_replaces_a_killed_unit),
        NODE_TEST(compaction_loses_nobody),
        NODE_TEST(a_unit_cannot_speak_to_the_node_itself),
        NODE_TEST(a_udp_port_has_one_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
