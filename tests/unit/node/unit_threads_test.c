// Units on a node whose cores are threads: the examples, words and goals for each other, children
// that are killed while they are born. What is sought is what one thread cannot show.
#include "tests/support/cmocka.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "tests/unit/node/taking.h"

#define ROUNDS 20

static uint64_t real_now(void *self)
{
    struct timespec now;
    (void)self;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * WEFT_NS_PER_S + (uint64_t)now.tv_nsec;
}

static _Atomic bool stopping;

static void *turn_core(void *self)
{
    // Acquire: pairs with the release in `stop`.
    while (!atomic_load_explicit(&stopping, memory_order_acquire))
        weft_core_turn(self);
    return NULL;
}

static pthread_t threads[WORKERS];

static void go(struct rig *rig)
{
    const struct weft_clock clock = {.now_ns = real_now, .wall_ns = real_now};
    rig->node.options.clock = clock;
    atomic_store(&stopping, false);
    for (uint16_t i = 0; i < WORKERS; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, turn_core, weft_node_core(&rig->node, i + 1)), 0);
}

static void stop(void)
{
    atomic_store_explicit(&stopping, true, memory_order_release);
    for (uint16_t i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
}

// As the rig's, but only the control core is turned here.
static void tell(struct rig *rig, struct asked *asked, enum weft_command_verb verb,
                 struct weft_resident *resident, const char *text)
{
    ask(rig, asked, verb, resident, text);
    while (!asked->is_done)
        weft_core_turn(weft_node_core(&rig->node, 0));
    if (asked->command.error.code != 0) fail_msg("%s: %s", text, asked->command.error.text);
}

static struct weft_resident *bring(struct rig *rig, const char *name, uint16_t core,
                                   const char *source)
{
    static struct asked asked;
    struct weft_resident *resident = reserve(rig, name, core);
    tell(rig, &asked, WEFT_COMMAND_LOAD, resident, source);
    return resident;
}

static void prints(struct rig *rig, struct weft_resident *unit, const char *text,
                   const char *output)
{
    static struct asked asked;
    tell(rig, &asked, WEFT_COMMAND_EVAL, unit, text);
    if (asked.command.output_length != strlen(output) ||
        memcmp(asked.command.output, output, strlen(output)) != 0)
        fail_msg("%s: printed '%.*s', not '%s'", text, (int)asked.command.output_length,
                 asked.command.output, output);
}

static void children_of_both_cores_work_together(void **state)
{
    struct rig *rig = *state;
    go(rig);
    struct weft_resident *unit =
        bring(rig, "unit", 1,
              "VARIABLE jobs VARIABLE results "
              ": work ( jobs results -- n ) 0 >R BEGIN OVER -1 RECV-FOR 0= WHILE "
              "  DUP * OVER SEND R> 1+ >R REPEAT DROP 2DROP R> ; "
              ": staff 4 0 DO jobs @ results @ 2 ['] work SPAWN LOOP ; "
              ": feeder ( jobs -- ) 100 0 DO I OVER SEND LOOP CLOSE-CHANNEL ; "
              ": collect 0 100 0 DO results @ RECV + LOOP ; "
              ": all 0 4 0 DO SWAP JOIN 2DROP + LOOP ; "
              ": run 3 CHANNEL jobs ! 0 CHANNEL results ! staff "
              "  jobs @ 1 ['] feeder SPAWN DETACH DROP collect . all . results @ CLOSE-CHANNEL ; "
              ": echo BEGIN RECEIVE DROP SEND-TO DROP AGAIN ; "
              ": talk ( pid n -- ) 0 DO S\" hello\" 2 PICK SEND-TO DROP RECEIVE 2DROP 2DROP LOOP "
              "  DUP KILL DROP JOIN . . ; "
              ": brief 30 0 DO 0 ['] echo SPAWN DUP KILL DROP JOIN DROP DROP LOOP ; ");
    for (unsigned round = 0; round < ROUNDS; round++) {
        prints(rig, unit, "run", "328350 100 ");
        prints(rig, unit, "0 ' echo SPAWN 100 talk", "1 0 ");
        prints(rig, unit, "brief DEPTH .", "0 ");
    }
    stop();
}

static void words_and_goals_cross_cores(void **state)
{
    struct rig *rig = *state;
    go(rig);
    struct weft_resident *unit =
        bring(rig, "unit", 1, ": give 40 0 DO GOAL\" 1 done +!\" DROP LOOP ;");
    struct weft_resident *others[3];
    for (unsigned i = 0; i < 3; i++) {
        char name[8];
        snprintf(name, sizeof(name), "o%u", i);
        others[i] = bring(rig, name, (uint16_t)(1 + i % 2), "VARIABLE done");
    }
    prints(rig, unit, "give", "");
    for (int sum = 0; sum != 40;) {
        sum = 0;
        for (unsigned i = 0; i < 3; i++) {
            static struct asked asked;
            tell(rig, &asked, WEFT_COMMAND_EVAL, others[i], "done @ .");
            sum += atoi(asked.command.output);
        }
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        char text[64], output[16];
        snprintf(text, sizeof(text), ": w%u %u ; SHARE-WORD w%u", round, round, round);
        prints(rig, unit, text, "");
        snprintf(text, sizeof(text), "[DEFINED] w%u . w%u .", round, round);
        snprintf(output, sizeof(output), "-1 %u ", round);
        static struct asked asked;
        for (;;) { // Until it has come.
            ask(rig, &asked, WEFT_COMMAND_EVAL, others[round % 3], text);
            while (!asked.is_done)
                weft_core_turn(weft_node_core(&rig->node, 0));
            if (asked.command.error.code == 0) break;
        }
        assert_memory_equal(asked.command.output, output, strlen(output));
    }
    stop();
}

// ---- All of them at one instant, while they work.

static void turn_control(struct rig *rig)
{
    weft_core_turn(weft_node_core(&rig->node, 0));
}

#define TAKEN 8

// A token goes round between two cores. Whenever they were made to stand still, there was one.
static void one_token_at_any_instant(void **state)
{
    static struct taking takings[TAKEN];
    struct rig *rig = *state;
    go(rig);
    struct weft_resident *unit =
        bring(rig, "ring", 1,
              "5 CONSTANT size CREATE ring size CELLS ALLOT "
              ": ch ( n -- channel ) size MOD CELLS ring + @ ; "
              ": make size 0 DO I 2 MOD CHANNEL I CELLS ring + ! LOOP ; make "
              ": pass ( n -- ) BEGIN DUP ch RECV 1+ OVER 1+ ch SEND AGAIN ; "
              ": staff size 0 DO I 1 ['] pass SPAWN DETACH DROP LOOP ; staff "
              ": look ( n -- x ior ) ch 5 RECV-FOR ; "
              ": others ( -- n ) 0 size 0 DO I look NIP 0= IF 1+ THEN LOOP ; ");
    prints(rig, unit, "1000 0 ch SEND", "");
    for (unsigned i = 0; i < TAKEN; i++)
        take_in(rig, &takings[i], turn_control, 0);
    prints(rig, unit, "1 .", "1 "); // And they work on.
    stop();
    for (unsigned i = 0; i < TAKEN; i++) {
        restore(rig, &takings[i]); // On a node that is turned by hand.
        struct weft_resident *back = weft_unit_registry_find(&rig->node.units, "ring");
        assert_non_null(back);
        expect(rig, back, "0 look . 1000 > .", "0 -1 ");
        expect(rig, back, "others .", "0 ");
    }
}

// Written down as often as can be, while they come and go on both cores.
static void families_are_written_down_while_they_work(void **state)
{
    struct rig *rig = *state;
    rig->node.options.unit_keep_ns = WEFT_NS_PER_MS / 2;
    go(rig);
    struct weft_resident *unit =
        bring(rig, "unit", 1,
              ": leaf ( n -- m ) DUP 3 MOD MS ; "
              ": inner ( n -- m ) DUP 1 ['] leaf SPAWN OVER 1 ['] leaf SPAWN "
              "  JOIN 2DROP SWAP JOIN 2DROP + + ; "
              ": hire 6 0 DO I 1 ['] inner SPAWN LOOP 0 1 ['] inner SPAWN DETACH DROP ; "
              ": collect 0 6 0 DO SWAP JOIN 2DROP + LOOP ; "
              ": saves UNIT-SAVE ; : rounds 10 0 DO hire collect . LOOP ; ");
    for (unsigned round = 0; round < ROUNDS / 4; round++) {
        prints(rig, unit, "rounds", "45 45 45 45 45 45 45 45 45 45 ");
        prints(rig, unit, "0 ' saves SPAWN JOIN . . .", "0 1 0 ");
    }
    stop();
    assert_true(weft_journal_keeper_journal(rig->node.journal)->stats.records > ROUNDS / 4);
    assert_int_equal(weft_counter_get(&weft_journal_keeper_view(rig->node.journal)->failed), 0);
}

#define UNIT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(children_of_both_cores_work_together), UNIT_TEST(words_and_goals_cross_cores),
        UNIT_TEST(families_are_written_down_while_they_work), UNIT_TEST(one_token_at_any_instant)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
