// A unit as data: saved on one node and restored on another, with all that it has to do with
// others; what is refused; and what the journal knows of units that run.
#include "tests/support/cmocka.h"

#include <weft/weft.h>

#include "runtime/base/crc32c.h"
#include "runtime/base/endian.h"
#include "tests/unit/node/rig.h"

static uint8_t images[4][WEFT_UNIT_IMAGE_MAX];

// How it ended stands in asked.
static struct weft_resident *adopt(struct rig *rig, struct asked *asked, const char *name,
                                   uint16_t core, const uint8_t *image, size_t length, bool is_held)
{
    struct weft_resident *resident = reserve(rig, name, core);
    memset(asked, 0, sizeof(*asked));
    asked->command = (struct weft_command){.verb = WEFT_COMMAND_ADOPT,
                                           .resident = resident,
                                           .image = image,
                                           .image_length = length,
                                           .is_held = is_held,
                                           .done = is_done};
    assert_int_equal(weft_unit_actor_submit(&rig->node, &asked->command), 0);
    wait_for(rig, asked);
    return resident;
}

static struct weft_resident *adopted(struct rig *rig, const char *name, uint16_t core,
                                     const uint8_t *image, size_t length)
{
    static struct asked asked;
    struct weft_resident *resident = adopt(rig, &asked, name, core, image, length, false);
    if (asked.command.error.code != 0) fail_msg("%s: %s", name, asked.command.error.text);
    return resident;
}

static void other_node(struct rig *rig)
{
    weft_node_destroy(&rig->node);
    weft_disk_sim_crash(&rig->disk_sim);
    start(rig);
}

// Saved on one node, restored on the other core of another: what it prints then.
static void move(struct rig *rig, const char *source, uint64_t sleep_ns, const char *text,
                 const char *output)
{
    struct weft_resident *unit = load(rig, "unit", 1, source);
    turn(rig, 50);
    const size_t length = save(rig, unit, images[0]);
    other_node(rig);
    rig->now_ns += 3600 * WEFT_NS_PER_S; // Its clock is another.
    unit = adopted(rig, "unit", 2, images[0], length);
    turn(rig, 50);
    rig->now_ns += sleep_ns;
    turn(rig, 50);
    expect(rig, unit, text, output);
}

#define MS WEFT_NS_PER_MS

static void a_delay_goes_on_where_it_was(void **state)
{
    struct rig *rig = *state;
    move(rig, "VARIABLE v : main 1 v ! UNIT-SAVE DROP 1000 MS 2 v ! RECEIVE ; main", 990 * MS,
         "v @ .", "1 ");
    other_node(rig);
    move(rig, "VARIABLE v : main 1 v ! UNIT-SAVE DROP 1000 MS 2 v ! RECEIVE ; main", 1001 * MS,
         "v @ .", "2 ");
}

static void timers_have_the_time_that_was_left(void **state)
{
    struct rig *rig = *state;
    static const char source[] = "VARIABLE v VARIABLE t S\" tick\" 1000 AFTER t ! "
                                 ": main RECEIVE 3 = SWAP t @ = AND v ! TYPE RECEIVE ; main";
    move(rig, source, 990 * MS, "v @ . t @ CANCEL .", "0 0 ");
    other_node(rig);
    move(rig, source, 1001 * MS, "v @ . t @ CANCEL .", "-1 -301 ");
}

// One that ticks has its number still, and its message comes once for each time.
static void what_ticks_goes_on(void **state)
{
    struct rig *rig = *state;
    move(rig,
         "VARIABLE n VARIABLE t S\" x\" 10 EVERY t ! "
         ": main BEGIN RECEIVE 3 = SWAP t @ = AND n +! 2DROP AGAIN ; main",
         11 * MS, "n @ . t @ CANCEL . t @ CANCEL .", "-1 0 -301 ");
}

static void a_mailbox_goes_along(void **state)
{
    struct rig *rig = *state;
    move(rig,
         "VARIABLE n : all BEGIN 0 RECEIVE-FOR 0= WHILE . SELF = . TYPE REPEAT 2DROP 2DROP ; "
         "S\" one\" SELF SEND-TO DROP S\" two\" SELF SEND-TO DROP",
         0, "all", "0 -1 one0 -1 two");
}

static void channels_go_along(void **state)
{
    struct rig *rig = *state;
    move(rig,
         "3 CHANNEL CONSTANT a 2 CHANNEL CONSTANT b 1 CHANNEL CONSTANT c "
         "7 a SEND S\" text\" a SEND-BYTES 1 2 2 b SEND-CELLS b CLOSE-CHANNEL c CLOSE-CHANNEL",
         0,
         "a RECV . a RECV-BYTES TYPE a 0 RECV-FOR . . b RECV-CELLS . . . b 0 RECV-FOR . . "
         "c 0 RECV-FOR . . 5 a SEND 6 a SEND 7 a SEND 8 a 0 SEND-FOR . 1 b 0 SEND-FOR .",
         "7 text-306 0 2 2 1 -305 0 -305 0 -306 -305 ");
}

// Of whom it knew and who is no more it is told, as of an end: reason 4.
static void it_is_told_of_those_that_are_gone(void **state)
{
    struct rig *rig = *state;
    static const char source[] =
        ": waits RECEIVE ; VARIABLE pid VARIABLE m VARIABLE down VARIABLE exit "
        "0 ' waits SPAWN pid ! TRUE TRAP-EXIT pid @ MONITOR m ! pid @ LINK DROP "
        ": note ( c-addr u from kind -- ) SWAP pid @ = 1 AND SWAP 4 = IF "
        "  DROP 2DUP DROP @ m @ = IF OVER CELL+ @ down ! THEN ELSE IF OVER @ exit ! THEN THEN "
        "  2DROP ; "
        ": main BEGIN RECEIVE note AGAIN ; main";
    move(rig, source, 0, "down @ . exit @ . pid @ JOIN . .", "4 4 4 0 ");
}

// Without a trap a link to whom is gone is the end.
static void who_is_linked_to_nobody_ends(void **state)
{
    struct rig *rig = *state;
    struct weft_resident *unit =
        load(rig, "unit", 1,
             ": waits RECEIVE ; 0 ' waits SPAWN-LINK CONSTANT pid : main RECEIVE ; main");
    const size_t length = save(rig, unit, images[0]);
    other_node(rig);
    static struct asked asked;
    adopt(rig, &asked, "unit", 1, images[0], length, false);
    turn(rig, 100);
    assert_null(weft_unit_registry_find(&rig->node.units, "unit"));
}

// Two that know each other by their pids, restored together: both ends of everything are there.
static void two_find_each_other_again(void **state)
{
    struct rig *rig = *state;
    static const char source[] =
        "VARIABLE other VARIABLE got 2 CHANNEL CONSTANT ch VARIABLE its "
        ": main BEGIN RECEIVE OVER other @ = 1 AND got +! 2DROP 2DROP AGAIN ; "
        ": say S\" hello\" other @ SEND-TO . ;";
    struct weft_resident *a = load(rig, "a", 1, source), *b = load(rig, "b", 2, source);
    char text[96];
    snprintf(text, sizeof(text), "$%llx other !", (unsigned long long)weft_counter_get(&b->pid));
    expect(rig, a, text, "");
    snprintf(text, sizeof(text), "$%llx other ! other @ MONITOR DROP",
             (unsigned long long)weft_counter_get(&a->pid));
    expect(rig, b, text, "");
    const size_t of_a = save(rig, a, images[0]), of_b = save(rig, b, images[1]);
    other_node(rig);
    load(rig, "first", 1, ""); // Takes the place that `a` had.
    static struct asked asked;
    a = adopt(rig, &asked, "a", 1, images[0], of_a, true);
    b = adopt(rig, &asked, "b", 2, images[1], of_b, true);
    turn(rig, 20);
    for (int i = 0; i < WORKERS; i++)
        weft_unit_actor_tie_held(&rig->node.workers[i]);
    for (int i = 0; i < WORKERS; i++)
        weft_unit_actor_run_held(&rig->node.workers[i]);
    expect(rig, a, "say 0 RECEIVE-FOR . 2DROP 2DROP", "0 -306 ");
    expect(rig, b, "0 RECEIVE-FOR . . other @ = . TYPE", "0 0 -1 hello");
    expect(rig, b, "say", "0 ");
    turn(rig, 20);
    expect(rig, a, "0 RECEIVE-FOR . . other @ = . TYPE", "0 0 -1 hello");
    static struct asked kill;
    ask(rig, &kill, WEFT_COMMAND_KILL, a, "");
    wait_for(rig, &kill);
    turn(rig, 20);
    expect(rig, b, "0 RECEIVE-FOR . . other @ = . DROP CELL+ @ .",
           "0 4 -1 1 "); // It was watched still.
}

// An image that says that it is known as `id`.
static void give_id(uint8_t *image, uint64_t id)
{
    weft_le64_put(image + 16, id);
    weft_le32_put(image + 28,
                  weft_crc32c(weft_crc32c(0, image, 28), image + 32, weft_le32_get(image + 24)));
}

// Another node may count from just above us: its units keep their numbers, unless we are about to
// give those to others.
static void a_number_far_ahead_is_kept(void **state)
{
    struct rig *rig = *state;
    static const uint32_t ahead[] = {1, 1 << 20};
    struct weft_resident *unit =
        load(rig, "unit", 1, "VARIABLE got : main BEGIN RECEIVE 2DROP 2DROP 1 got +! AGAIN ; main");
    struct weft_resident *sender = load(rig, "sender", 2, ": say S\" x\" ROT SEND-TO DROP ;");
    const size_t length = save(rig, unit, images[0]);
    for (unsigned n = 0; n < 2; n++) {
        const uint64_t generation = rig->node.actors.first_generation + 1 + ahead[n];
        const uint64_t id = generation << 32 | 1 << 24 | 40; // Nobody has this slot yet.
        char text[64];
        give_id(images[0], id);
        struct weft_resident *copy = adopted(rig, n == 0 ? "near" : "far", 1, images[0], length);
        snprintf(text, sizeof(text), "$%llx say", (unsigned long long)id);
        expect(rig, sender, text, "");
        turn(rig, 20);
        expect(rig, copy, "got @ .", n == 0 ? "0 " : "1 ");
    }
}

// Beside its original a copy is another one, but its channels are its own.
static void a_copy_is_somebody_else(void **state)
{
    struct rig *rig = *state;
    struct weft_resident *unit =
        load(rig, "unit", 1, "2 CHANNEL CONSTANT ch 5 ch SEND SELF CONSTANT me");
    const size_t length = save(rig, unit, images[0]);
    struct weft_resident *copy = adopted(rig, "copy", 2, images[0], length);
    expect(rig, unit, "SELF me = . 6 ch SEND", "-1 ");
    expect(rig, copy, "SELF me = . ch RECV . ch 0 RECV-FOR . .", "0 5 -306 0 ");
    expect(rig, unit, "ch RECV . ch RECV .", "5 6 ");
    expect(rig, copy, "S\" x\" me SEND-TO DROP 0 RECEIVE-FOR . 2DROP 2DROP", "0 ");
}

// ---- What is refused.

static void expect_refusal(struct rig *rig, const uint8_t *image, size_t length, const char *why)
{
    static struct asked asked;
    adopt(rig, &asked, "hostile", 1, image, length, false);
    if (asked.command.error.code != 406) fail_msg("%s: not refused", why);
    if (strstr(asked.command.error.text, why) == NULL)
        fail_msg("'%s' is not in: %s", why, asked.command.error.text);
    turn(rig, 20);
    assert_null(weft_unit_registry_find(&rig->node.units, "hostile"));
}

static void an_image_that_is_none_is_refused_with_why(void **state)
{
    struct rig *rig = *state;
    struct weft_resident *unit =
        load(rig, "unit", 1, "1 CHANNEL CONSTANT ch : main RECEIVE ; main");
    const size_t length = save(rig, unit, images[0]);
    expect_refusal(rig, (const uint8_t *)"nothing of the kind, but long", 29, "no unit's state");
    expect_refusal(rig, images[0], 20, "cut off");
    expect_refusal(rig, images[0], 40, "cut off");
    expect_refusal(rig, images[0], length - 1, "damaged");
    memcpy(images[1], images[0], length);
    images[1][4] = 9;
    expect_refusal(rig, images[1], length, "another version");
    images[1][4] = 2;
    images[1][17] ^= 1;
    expect_refusal(rig, images[1], length, "checksum");
    images[1][17] ^= 1;
    images[1][length - 100] ^= 1;
    expect_refusal(rig, images[1], length, "damaged");
}

// Every bit of the head and the ties, turned: refused or restored, and the node lives.
static void no_bit_hurts_the_node(void **state)
{
    struct rig *rig = *state;
    struct weft_resident *unit =
        load(rig, "unit", 1,
             "1 CHANNEL CONSTANT ch 5 ch SEND S\" x\" 1000 AFTER DROP SELF MONITOR DROP "
             ": waits RECEIVE ; 0 ' waits SPAWN DROP S\" mail\" SELF SEND-TO DROP "
             ": main UNIT-SAVE DROP 100000 MS ; main");
    const size_t length = save(rig, unit, images[0]);
    const uint32_t ties = weft_le32_get(images[0] + 24);
    assert_in_range(ties, 6 * 24, 4096);
    for (uint32_t bit = 0; bit < 8 * ties; bit++) {
        memcpy(images[1], images[0], length);
        images[1][32 + bit / 8] ^= (uint8_t)(1u << bit % 8);
        // With a checksum that is right: it is the contents that are looked at.
        weft_le32_put(images[1] + 28,
                      weft_crc32c(weft_crc32c(0, images[1], 28), images[1] + 32, ties));
        static struct asked asked;
        struct weft_resident *copy = adopt(rig, &asked, "copy", 2, images[1], length, false);
        turn(rig, 4);
        if (asked.command.error.code == 0) {
            static struct asked end;
            ask(rig, &end, WEFT_COMMAND_UNLOAD, copy, "");
            wait_for(rig, &end);
        }
        turn(rig, 20);
    }
    expect(rig, unit, "1 .", "1 ");
}

// ---- UNIT-SAVE, and what a unit does by itself.

static struct weft_resident *restart(struct rig *rig, const char *name)
{
    static struct asked asked;
    weft_node_destroy(&rig->node);
    weft_disk_sim_crash(&rig->disk_sim);
    start(rig);
    const struct weft_unit_entry *entry = weft_unit_table_find(&rig->node.recovered, name);
    assert_non_null(entry);
    memset(&asked, 0, sizeof(asked));
    struct weft_resident *resident = reserve(rig, name, 2);
    asked.command = (struct weft_command){.verb = WEFT_COMMAND_RESTORE,
                                          .resident = resident,
                                          .image = entry->image.data,
                                          .image_length = entry->image.length,
                                          .done = is_done};
    assert_int_equal(weft_unit_actor_submit(&rig->node, &asked.command), 0);
    wait_for(rig, &asked);
    if (asked.command.error.code != 0) fail_msg("%s", asked.command.error.text);
    return resident;
}

static void unit_save_is_where_it_comes_back(void **state)
{
    struct rig *rig = *state;
    struct weft_resident *unit = load(
        rig, "unit", 1,
        "VARIABLE n VARIABLE ior "
        ": main BEGIN RECEIVE 2DROP 2DROP 1 n +! n @ 3 = IF UNIT-SAVE ior ! THEN AGAIN ; main");
    struct weft_resident *sender = load(rig, "sender", 2, ": say S\" x\" ROT SEND-TO DROP ;");
    char text[64];
    snprintf(text, sizeof(text), "$%llx say", (unsigned long long)weft_counter_get(&unit->pid));
    for (int i = 0; i < 5; i++) {
        expect(rig, sender, text, "");
        turn(rig, 50);
    }
    unit = restart(rig, "unit");
    turn(rig, 50);
    expect(rig, unit, "n @ . ior @ .", "3 0 ");
}

static void unit_save_ends_a_load(void **state)
{
    struct rig *rig = *state;
    load(rig, "unit", 1, "VARIABLE n : main BEGIN 1 n +! UNIT-SAVE DROP 1000 MS AGAIN ; main");
    turn(rig, 100);
    struct weft_resident *unit = restart(rig, "unit");
    turn(rig, 50);
    expect(rig, unit, "n @ .", "1 ");
    struct weft_resident *other = reserve(rig, "other", 1);
    other->recovery = WEFT_RECOVERY_NONE;
    static struct asked asked;
    ask(rig, &asked, WEFT_COMMAND_LOAD, other, "");
    wait_for(rig, &asked);
    expect(rig, other, "UNIT-SAVE .", "-301 ");
}

static void a_unit_that_runs_is_written_down(void **state)
{
    struct rig *rig = *state;
    rig->node.options.unit_keep_ns = 100 * MS;
    load(rig, "unit", 1, "VARIABLE n : main UNIT-SAVE DROP BEGIN 10 MS 1 n +! AGAIN ; main");
    for (int i = 0; i < 100; i++) {
        rig->now_ns += 10 * MS;
        turn(rig, 3);
    }
    const struct weft_journal *journal = weft_journal_keeper_journal(rig->node.journal);
    assert_in_range(journal->stats.records, 8, 16);
    struct weft_resident *unit = restart(rig, "unit");
    expect(rig, unit, "n @ 40 > .", "-1 ");
}

// Who does nothing costs nothing, whatever it has done before.
static void who_rests_is_written_once(void **state)
{
    struct rig *rig = *state;
    rig->node.options.unit_keep_ns = 100 * MS;
    struct weft_resident *unit =
        load(rig, "unit", 1, "VARIABLE n : main BEGIN RECEIVE n ! AGAIN ; main");
    struct weft_resident *sender = load(rig, "sender", 2, ": say S\" x\" ROT SEND-TO DROP ;");
    const struct weft_journal *journal = weft_journal_keeper_journal(rig->node.journal);
    char text[64];
    snprintf(text, sizeof(text), "$%llx say", (unsigned long long)weft_counter_get(&unit->pid));
    expect(rig, sender, text, "");
    for (int i = 0; i < 20; i++) {
        rig->now_ns += 50 * MS;
        turn(rig, 5);
    }
    const uint64_t records = journal->stats.records;
    for (int i = 0; i < 40; i++) {
        rig->now_ns += 50 * MS;
        turn(rig, 5);
    }
    assert_int_equal(journal->stats.records, records);
    unit = restart(rig, "unit");
    expect(rig, unit, "DEPTH .", "0 ");
}

// A word that was shared is there after a crash, without an evaluation in between.
static void what_was_taught_is_written_down(void **state)
{
    struct rig *rig = *state;
    rig->node.options.unit_keep_ns = 1000 * MS;
    struct weft_resident *teacher = load(rig, "teacher", 1, ": sq DUP * ;");
    struct weft_resident *pupil = load(rig, "pupil", 2, "");
    expect(rig, teacher, "SHARE-WORD sq", "");
    turn(rig, 100);
    pupil = restart(rig, "pupil");
    expect(rig, pupil, "9 sq .", "81 ");
}

// Units that come to a node from images have their words once, whatever core they come to, and
// share them with who is there.
static void who_is_restored_shares_its_words(void **state)
{
    struct rig *rig = *state;
    static uint8_t image[WEFT_UNIT_IMAGE_MAX];
    static const char source[] = "VARIABLE total : add ( n -- ) total +! ; : twice ( n -- n ) 2* ;";
    struct weft_forth_sharing sharing;
    const size_t length = save(rig, load(rig, "counter", 1, source), image);
    other_node(rig);
    for (unsigned n = 0; n < 4; n++) {
        char name[8];
        snprintf(name, sizeof(name), "c%u", n);
        struct weft_resident *back = adopted(rig, name, (uint16_t)(1 + n % WORKERS), image, length);
        expect(rig, back, "4 twice add total @ .", "8 ");
        weft_forth_library_sharing(rig->node.library, &sharing);
        assert_int_equal(sharing.modules, 1);
    }
    load(rig, "new", 2, source);
    weft_forth_library_sharing(rig->node.library, &sharing);
    assert_int_equal(sharing.modules, 1);
    for (unsigned n = 0; n < WORKERS; n++) {
        weft_forth_system_sharing(rig->node.workers[n].forth, &sharing);
        assert_int_equal(sharing.modules, 1);
        assert_int_equal(sharing.units, 2 + n);
    }
}

#define RESTORE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RESTORE_TEST(who_is_restored_shares_its_words),
        RESTORE_TEST(a_delay_goes_on_where_it_was),
        RESTORE_TEST(timers_have_the_time_that_was_left),
        RESTORE_TEST(what_ticks_goes_on),
        RESTORE_TEST(a_mailbox_goes_along),
        RESTORE_TEST(channels_go_along),
        RESTORE_TEST(it_is_told_of_those_that_are_gone),
        RESTORE_TEST(who_is_linked_to_nobody_ends),
        RESTORE_TEST(two_find_each_other_again),
        RESTORE_TEST(a_number_far_ahead_is_kept),
        RESTORE_TEST(a_copy_is_somebody_else),
        RESTORE_TEST(an_image_that_is_none_is_refused_with_why),
        RESTORE_TEST(no_bit_hurts_the_node),
        RESTORE_TEST(unit_save_is_where_it_comes_back),
        RESTORE_TEST(unit_save_ends_a_load),
        RESTORE_TEST(a_unit_that_runs_is_written_down),
        RESTORE_TEST(who_rests_is_written_once),
        RESTORE_TEST(what_was_taught_is_written_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
