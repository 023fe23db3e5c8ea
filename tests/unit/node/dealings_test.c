// What units have to do with each other: spawned, joined, killed; channels, monitors, timers; on
// one core and across two.
#include "tests/support/cmocka.h"

#include <weft/weft.h>

#include "tests/unit/node/rig.h"

static struct rig *rig_of(void **state)
{
    return *state;
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

// So many units of a core have a module, of so many modules.
static void expect_sharing(struct rig *rig, uint16_t core, uint32_t units, uint32_t modules)
{
    struct weft_forth_sharing sharing;
    weft_forth_system_sharing(rig->node.workers[core - 1].forth, &sharing);
    assert_int_equal(sharing.units, units);
    assert_int_equal(sharing.modules, modules);
    assert_int_equal(sharing.bytes > 0, modules > 0);
}

// The node has so many, wherever their units are.
static void expect_library(struct rig *rig, uint32_t modules)
{
    struct weft_forth_sharing sharing;
    weft_forth_library_sharing(rig->node.library, &sharing);
    assert_int_equal(sharing.modules, modules);
}

// Who was loaded from the same source, and who was spawned, has the same words: once a node.
static void units_share_their_words(void **state)
{
    struct rig *rig = *state;
    static const char source[] = ": waits RECEIVE ; : many 4 0 DO 0 ['] waits SPAWN LOOP ; "
                                 ": end 4 0 DO DUP KILL DROP JOIN 2DROP LOOP ;";
    static const char *const names[] = {"a", "b", "c"};
    static struct asked asked;
    struct weft_resident *units[3];
    for (unsigned n = 0; n < 3; n++)
        units[n] = load(rig, names[n], n < 2 ? 1 : 2, source);
    expect_sharing(rig, 1, 2, 1);
    expect_sharing(rig, 2, 1, 1);
    expect_library(rig, 1);
    expect(rig, units[0], "many", ""); // Two on each core.
    expect_sharing(rig, 1, 2 + 2, 1);
    expect_sharing(rig, 2, 1 + 2, 1);
    // One that has compiled more shares with its children what it has then.
    expect(rig, units[1], ": more 1 2 3 4 5 6 7 8 2DROP 2DROP 2DROP 2DROP ; many", "");
    expect_sharing(rig, 1, 2 + 2 + 2, 2);
    expect_sharing(rig, 2, 1 + 2 + 2, 2);
    expect_library(rig, 2);
    expect(rig, units[0], "end", "");
    expect(rig, units[1], "end", "");
    turn(rig, 100);
    expect_sharing(rig, 1, 2, 2);
    expect_sharing(rig, 2, 1, 1);
    for (unsigned n = 0; n < 3; n++) {
        ask(rig, &asked, WEFT_COMMAND_UNLOAD, units[n], "");
        wait_for(rig, &asked);
    }
    turn(rig, 100);
    expect_sharing(rig, 1, 0, 0);
    expect_sharing(rig, 2, 0, 0);
    expect_library(rig, 0);
}

// The core that made the words has them in its arena until the last unit of any core has let go.
static void words_go_home_to_their_core(void **state)
{
    struct rig *rig = *state;
    static struct asked asked;
    static char source[8192];
    for (unsigned n = 0; n < 100; n++) {
        char word[64];
        snprintf(word, sizeof(word), ": word-%u ( -- n ) 1 2 3 4 5 6 + + + + + ; ", n);
        strcat(source, word);
    }
    const struct weft_arena *arenas[2] = {rig->node.workers[0].arena, rig->node.workers[1].arena};
    struct weft_resident *maker = load(rig, "maker", 1, "");
    struct weft_resident *other = load(rig, "other", 2, "");
    ask(rig, &asked, WEFT_COMMAND_UNLOAD, maker, "");
    wait_for(rig, &asked);
    ask(rig, &asked, WEFT_COMMAND_UNLOAD, other, "");
    wait_for(rig, &asked);
    turn(rig, 100);
    const size_t before[2] = {weft_arena_used_bytes(arenas[0]), weft_arena_used_bytes(arenas[1])};

    maker = load(rig, "maker", 1, source);
    other = load(rig, "other", 2, source);
    struct weft_forth_sharing sharing;
    weft_forth_library_sharing(rig->node.library, &sharing);
    assert_int_equal(sharing.modules, 1);
    assert_true(sharing.bytes > 4096);
    assert_true(weft_arena_used_bytes(arenas[0]) > before[0] + sharing.bytes);
    assert_true(weft_arena_used_bytes(arenas[1]) < before[1] + sharing.bytes);
    ask(rig, &asked, WEFT_COMMAND_UNLOAD, maker, "");
    wait_for(rig, &asked);
    turn(rig, 100);
    assert_true(weft_arena_used_bytes(arenas[0]) >= before[0] + sharing.bytes);
    expect(rig, other, "word-99 .", "21 ");
    ask(rig, &asked, WEFT_COMMAND_UNLOAD, other, "");
    wait_for(rig, &asked);
    turn(rig, 100);
    for (unsigned n = 0; n < 2; n++)
        assert_int_equal(weft_arena_used_bytes(arenas[n]), before[n]);
}

// Who is killed while its children are born, here and elsewhere, leaves no words behind.
static void words_under_way_are_let_go(void **state)
{
    struct rig *rig = *state;
    static struct asked asked;
    struct weft_resident *unit =
        load(rig, "unit", 1,
             ": child ; : nests BEGIN 0 ['] child SPAWN DETACH DROP AGAIN ; "
             ": round ( n -- ) 0 ['] nests SPAWN SWAP 0 ?DO YIELD LOOP DUP KILL DROP JOIN 2DROP ; "
             ": rounds 60 0 DO I round LOOP ;");
    expect(rig, unit, "rounds DEPTH .", "0 ");
    turn(rig, 200);
    expect_library(rig, 1);
    expect_sharing(rig, 1, 1, 1);
    expect_sharing(rig, 2, 0, 0);
    ask(rig, &asked, WEFT_COMMAND_UNLOAD, unit, "");
    wait_for(rig, &asked);
    turn(rig, 100);
    expect_library(rig, 0);
}

static uint32_t spawned(const struct rig *rig)
{
    return rig->node.workers[0].nestling_count + rig->node.workers[1].nestling_count;
}

// A unit that is unloaded goes with those that it has spawned, and theirs, on both cores, whoever
// is detached or waits; one that is killed leaves them, and so do those that end by themselves.
static void who_is_unloaded_takes_its_family(void **state)
{
    static const char source[] = ": waits RECEIVE ; : busy BEGIN AGAIN ; "
                                 ": parent 0 ['] waits SPAWN DROP 0 ['] busy SPAWN DETACH DROP 0 "
                                 "['] waits SPAWN DROP RECEIVE ; "
                                 ": brief 0 ['] waits SPAWN DROP ; "
                                 ": many 0 ['] parent SPAWN DROP 0 ['] parent SPAWN DROP 0 ['] "
                                 "waits SPAWN DETACH DROP ; many";
    static struct asked asked;
    struct rig *rig = rig_of(state);
    const uint64_t before = actors(rig);
    for (uint16_t core = 1; core <= WORKERS; core++) {
        struct weft_resident *unit = load(rig, "u", core, source);
        struct weft_resident *other = load(rig, "v", core, source);
        other->recovery = WEFT_RECOVERY_NONE;
        turn(rig, 200);
        assert_int_equal(spawned(rig), core - 1 + 18);
        ask(rig, &asked, WEFT_COMMAND_UNLOAD, unit, "");
        wait_for(rig, &asked);
        turn(rig, 200);
        assert_int_equal(spawned(rig), core - 1 + 9);
        assert_false(weft_unit_actor_parting(&rig->node));
        expect(rig, other, "0 ' brief SPAWN DUP JOIN . . DROP", "0 0 ");
        turn(rig, 100);
        assert_int_equal(spawned(rig), core - 1 + 10);
        ask(rig, &asked, WEFT_COMMAND_UNLOAD, other, "");
        wait_for(rig, &asked);
        turn(rig, 200);
        assert_int_equal(spawned(rig),
                         core); // Whose parent had ended is nobody's: none of them is kept.
    }
    struct weft_resident *unit = load(rig, "u", 1, source);
    turn(rig, 200);
    ask(rig, &asked, WEFT_COMMAND_KILL, unit, "");
    wait_for(rig, &asked);
    turn(rig, 200);
    assert_int_equal(spawned(rig), WORKERS + 9);
    assert_int_equal(actors(rig), before + WORKERS + 9);
    assert_false(weft_unit_actor_parting(&rig->node));
}

// Unloaded while a child is being made on the other core: whenever that is, nobody is left.
static void nor_is_one_left_that_is_being_born(void **state)
{
    static struct asked asked;
    struct rig *rig = rig_of(state);
    for (unsigned turns = 0; turns < 40; turns++) {
        struct weft_resident *unit =
            load(rig, "u", 1,
                 ": waits RECEIVE ; : t BEGIN 0 ['] waits SPAWN DROP AGAIN ; : go 1 MS t ; ");
        static struct asked going;
        ask(rig, &going, WEFT_COMMAND_EVAL, unit, "go");
        turn(rig, turns);
        ask(rig, &asked, WEFT_COMMAND_UNLOAD, unit, "");
        wait_for(rig, &asked);
        wait_for(rig, &going);
        turn(rig, 200);
        assert_int_equal(spawned(rig), 0);
        assert_false(weft_unit_actor_parting(&rig->node));
    }
}

// ---- Channels.

static void a_channel_keeps_order_and_capacity(void **state)
{
    TALK(rig_of(state), "2 CHANNEL CONSTANT ch ",
         {"11 ch SEND 12 ch SEND 13 ch 0 SEND-FOR . 13 ch 5 SEND-FOR .", "-306 -306 "},
         {"ch RECV . ch RECV . ch 0 RECV-FOR . . ch 5 RECV-FOR . .", "11 12 -306 0 -306 0 "},
         {"S\" hello\" ch SEND-BYTES S\" \" ch 0 SEND-BYTES-FOR .", "0 "},
         {"ch RECV-BYTES TYPE ch 0 RECV-BYTES-FOR . NIP . ch 0 RECV-BYTES-FOR . . .",
          "hello0 0 -306 0 0 "},
         {"1 2 3 3 ch SEND-CELLS ch RECV-CELLS . . . .", "3 3 2 1 "},
         {"S\" abc\" ch SEND-BYTES ' RECV ch SWAP CATCH . DROP", "-307 "},
         {"S\" abc\" ch SEND-BYTES ' RECV-CELLS ch SWAP CATCH . DROP", "-307 "},
         {"7 ch SEND ch CLOSE-CHANNEL ch CLOSE-CHANNEL 8 ch 0 SEND-FOR .", "-305 "},
         {"8 ch ' SEND CATCH . 2DROP ch RECV . ch 0 RECV-FOR . .", "-305 7 -305 0 "},
         {"ch ' RECV CATCH . DROP ch CLOSE-CHANNEL", "-305 "},
         {"5 ' CHANNEL CATCH 0= . DROP -1 ' CHANNEL CATCH . DROP", "-1 -24 "});
}

static void a_channel_joins_two_units(void **state)
{
    // Of four children two are on the other core; the channel is on the parent's.
    TALK(rig_of(state),
         "VARIABLE jobs VARIABLE results "
         ": work ( jobs results -- n ) 0 >R BEGIN OVER -1 RECV-FOR 0= WHILE "
         "  DUP * OVER SEND R> 1+ >R REPEAT DROP 2DROP R> ; "
         ": staff ( n -- pids ) 0 ?DO jobs @ results @ 2 ['] work SPAWN LOOP ; "
         ": feed ( n -- ) 0 ?DO I jobs @ SEND LOOP jobs @ CLOSE-CHANNEL ; "
         ": feeder ( jobs n -- ) SWAP jobs ! feed ; "
         ": collect ( n -- sum ) 0 SWAP 0 ?DO results @ RECV + LOOP ; "
         ": all ( n -- ) 0 SWAP 0 ?DO SWAP JOIN 2DROP + LOOP ; "
         ": run ( capacity -- ) DUP CHANNEL jobs ! CHANNEL results ! 4 staff "
         "  jobs @ 100 2 ['] feeder SPAWN DETACH DROP 100 collect . 4 all . ; ",
         {"3 run", "328350 100 "}, {"1 run", "328350 100 "}, {"0 run", "328350 100 "});
}

static void a_timeout_takes_the_question_back(void **state)
{
    TALK(rig_of(state),
         ": try-recv ( ch -- x ior ) 1 RECV-FOR ; : try-send ( x ch -- ior ) 1 SEND-FOR ; "
         // A child of the other core asks for a message in vain; what is sent later stays.
         "1 CHANNEL CONSTANT ch : noop ; : skip 0 ['] noop SPAWN DETACH DROP ; ",
         {"skip ch 1 ' try-recv SPAWN JOIN . . . .", "0 2 -306 0 "},
         {"5 ch SEND 10 MS ch RECV .", "5 "},
         {"6 ch SEND 7 ch 2 ' try-send SPAWN JOIN . . .", "0 1 -306 "},
         {"7 ch 2 ' try-send SPAWN JOIN . . . ch RECV . ch 0 RECV-FOR . .", "0 1 -306 6 -306 0 "});
}

static void who_waits_learns_of_the_close(void **state)
{
    TALK(rig_of(state),
         "0 CHANNEL CONSTANT ch : noop ; "
         ": recv ( ch -- x ior ) -1 RECV-FOR ; : send ( ch -- ior ) 1 SWAP -1 SEND-FOR ; "
         ": two ( xt -- pid pid ) >R ch 1 R@ SPAWN ch 1 R> SPAWN ; "
         ": report ( pid -- ) JOIN 2DROP . ; ",
         {"' recv two 5 MS ch CLOSE-CHANNEL report DROP report DROP", "-305 -305 "},
         {"' recv two report DROP report DROP", "-305 -305 "},
         {"' send two report report", "-305 -305 "});
}

// The channel of a unit that has ended is closed, too.
static void a_channel_ends_with_its_maker(void **state)
{
    TALK(rig_of(state), ": make 1 CHANNEL ; : give ( ch -- ch ) RECEIVE 2DROP 2DROP ; ",
         {"0 ' make SPAWN JOIN 2DROP 2 MS DUP 0 RECV-FOR . . 1 SWAP 0 SEND-FOR .", "-305 0 -305 "});
}

static void quotas_hold(void **state)
{
    struct rig *rig = *state;
    rig->node.options.unit_spawn_max = 3;
    rig->node.options.unit_channel_max = 2;
    TALK(rig, ": waits RECEIVE ; : spawns 3 0 DO 0 ['] waits SPAWN LOOP ; ",
         {"spawns 0 ' waits ' SPAWN CATCH . 2DROP", "-320 "},
         {"DUP KILL DROP JOIN 2DROP 0 ' waits SPAWN KILL . KILL . KILL .", "0 0 0 "},
         {"1 CHANNEL 1 CHANNEL 1 ' CHANNEL CATCH . DROP CLOSE-CHANNEL 1 MS 1 CHANNEL 2DROP",
          "-321 "});
}

// Who spawns those that spawn finds an end to it, and leaves room for others.
static void a_bomb_fizzles_out(void **state)
{
    struct rig *rig = *state;
    rig->node.options.unit_spawn_max = 1; // 16 on a core.
    struct weft_resident *unit = load(
        rig, "unit", 1,
        "DEFER bomb :NONAME BEGIN 0 ['] bomb ['] SPAWN CATCH 0= WHILE DETACH DROP REPEAT 2DROP "
        "  RECEIVE ; IS bomb ");
    expect(rig, unit, "0 ' bomb SPAWN DETACH .", "0 ");
    turn(rig, 2000);
    assert_int_equal(rig->node.workers[0].nestling_count, 16);
    assert_int_equal(rig->node.workers[1].nestling_count, 16);
    expect(rig, unit, "0 ' bomb ' SPAWN CATCH . 2DROP 1 CHANNEL DROP", "-300 ");
}

// ---- Messages, monitors, links, timers.

static void messages_come_to_a_pid(void **state)
{
    TALK(rig_of(state),
         ": echo BEGIN RECEIVE DROP >R DUP WHILE R> SEND-TO DROP REPEAT 2DROP RDROP ; "
         ": say ( c-addr u pid -- ) SEND-TO DROP RECEIVE 2DROP TYPE ; VARIABLE pid ",
         {"0 ' echo SPAWN pid ! S\" one\" pid @ say S\" two\" pid @ say", "onetwo"},
         {"S\" \" pid @ SEND-TO . pid @ JOIN . .", "0 0 0 "},
         {"S\" late\" pid @ SEND-TO .", "-301 "},
         {"0 RECEIVE-FOR . . . . . 3 RECEIVE-FOR . . . . .", "-306 0 0 0 0 -306 0 0 0 0 "},
         {"S\" self\" SELF SEND-TO . 0 RECEIVE-FOR . . SELF = . TYPE", "0 0 0 -1 self"});
}

static void an_end_is_a_message(void **state)
{
    TALK(rig_of(state),
         ": waits RECEIVE ; VARIABLE pid : started 0 ['] waits SPAWN DUP pid ! DUP DETACH DROP ; "
         ": down ( -- monitor reason same? kind ) RECEIVE SWAP pid @ = SWAP ROT DROP 2>R "
         "  DUP @ SWAP CELL+ @ 2R> ; ",
         {"started MONITOR pid @ KILL DROP down . . . = .", "4 -1 1 -1 "},
         {"pid @ MONITOR down . . . = .", "4 -1 4 -1 "}, // Nobody.
         {"started MONITOR DUP DEMONITOR . DEMONITOR . pid @ KILL . 1 RECEIVE-FOR . 2DROP 2DROP",
          "0 -301 0 -306 "},
         {"TRUE TRAP-EXIT started LINK . pid @ KILL . RECEIVE . pid @ = . DROP @ .", "0 0 5 -1 1 "},
         {"started LINK . pid @ UNLINK . pid @ UNLINK . pid @ KILL . FALSE TRAP-EXIT",
          "0 0 -301 0 "},
         {"1 RECEIVE-FOR . 2DROP 2DROP", "-306 "});
}

// Without a trap who is linked ends, too.
static void linked_units_end_together(void **state)
{
    TALK(
        rig_of(state),
        ": waits RECEIVE ; : fails ( pid -- ) LINK DROP 2 MS 1 0 / ; "
        ": couple 0 ['] waits SPAWN DUP 1 ['] fails SPAWN ; ",
        {"couple JOIN . . JOIN . .", "2 0 2 0 "}, {"couple JOIN . . JOIN . .", "2 0 2 0 "},
        // From its birth, so that no end is too early to be told of.
        {": fail 1 0 / ; TRUE TRAP-EXIT 0 ' fail SPAWN-LINK RECEIVE . NIP SWAP @ . = .", "5 2 -1 "},
        {"0 ' fail SPAWN-LINK RECEIVE . NIP SWAP @ . = . FALSE TRAP-EXIT", "5 2 -1 "});
}

static void timers_are_messages(void **state)
{
    TALK(rig_of(state), "VARIABLE t : next RECEIVE 3 = . t @ = . TYPE ; ",
         {"S\" tick\" 3 AFTER t ! next t @ CANCEL .", "-1 -1 tick-301 "},
         {"S\" x\" 3 AFTER CANCEL . 6 RECEIVE-FOR . 2DROP 2DROP", "0 -306 "},
         {"S\" y\" 2 EVERY t ! next next next t @ CANCEL .", "-1 -1 y-1 -1 y-1 -1 y0 "},
         {"6 RECEIVE-FOR . 2DROP 2DROP", "-306 "},
         {": endless BEGIN HERE 0 100000 AFTER DROP AGAIN ; ' endless CATCH .", "-300 "});
}

// ---- Words and texts for each other.

static void siblings_get_words_with_their_source(void **state)
{
    struct rig *rig = *state;
    struct weft_resident *teacher =
        load(rig, "teacher", 1,
             ": sq ( n -- n ) DUP * ; : cube DUP sq * ; 7 CONSTANT seven 8 VALUE eight "
             ": now-seven seven POSTPONE LITERAL ; IMMEDIATE VARIABLE v "
             "CODE dbl ( n -- n ) DUP, +, EXIT, END-CODE : cell CREATE , ;CODE @, EXIT, END-CODE ");
    struct weft_resident *idle = load(rig, "idle", 2, "");
    struct weft_resident *parked =
        load(rig, "parked", 1, ": main BEGIN RECEIVE 2DROP 2DROP AGAIN ; main");
    struct weft_resident *deaf = load(rig, "deaf", 2, "0 LEARNS");
    expect(rig, teacher, "' sq SOURCE-OF TYPE", ": sq ( n -- n ) DUP * ;");
    expect(rig, teacher, "' seven SOURCE-OF TYPE ' eight SOURCE-OF TYPE ' v SOURCE-OF NIP .",
           "7 CONSTANT seven8 VALUE eight0 ");
    expect(rig, teacher, "SHARE-WORD sq", "");
    turn(rig, 20);
    expect(rig, idle, "9 sq .", "81 ");
    expect(rig, parked, "9 sq .", "81 ");
    expect(rig, deaf, "[UNDEFINED] sq .", "-1 ");
    expect(rig, teacher, "TEACH cube seven eight now-seven dbl cell", "");
    turn(rig, 20);
    expect(rig, parked, "2 cube . seven . eight . : seven 5 ; : x now-seven ; x .", "8 7 8 7 ");
    expect(rig, parked, "4 dbl . 6 cell six six .", "8 6 ");
    expect(rig, idle, "' sq SOURCE-OF TYPE", ": sq ( n -- n ) DUP * ;"); // It can go on.
    static struct asked asked;
    ask(rig, &asked, WEFT_COMMAND_EVAL, teacher, "SHARE-WORD v");
    wait_for(rig, &asked);
    assert_int_equal(asked.command.throw_code, -32);
    ask(rig, &asked, WEFT_COMMAND_EVAL, teacher, "SHARE sq"); // There is no mesh.
    wait_for(rig, &asked);
    assert_int_equal(asked.command.throw_code, -304);
    expect(rig, teacher, "PEERS .", "0 ");
}

// What others send is evaluated with a limit, and hurts nobody.
static void a_lesson_that_spins_is_ended(void **state)
{
    struct rig *rig = *state;
    struct weft_resident *teacher = load(rig, "teacher", 1, "");
    struct weft_resident *unit =
        load(rig, "unit", 2, "VARIABLE got : main RECEIVE 2DROP got ! DROP ; main");
    expect(rig, teacher, "S\" : spin BEGIN AGAIN ; spin\" GOAL DROP", "");
    expect(rig, teacher, "S\" 1 0 /\" GOAL DROP S\" 42 got !\" GOAL DROP", "");
    turn(rig, 50000);
    expect(rig, unit, "got @ .", "42 ");
    char text[64];
    snprintf(text, sizeof(text), "S\" ab\" $%llx SEND-TO .",
             (unsigned long long)weft_counter_get(&unit->pid));
    expect(rig, teacher, text, "0 "); // The program below stands where it stood.
    turn(rig, 20);
    expect(rig, unit, "got @ .", "2 ");
}

static void a_goal_goes_to_the_least_busy(void **state)
{
    struct rig *rig = *state;
    struct weft_resident *boss =
        load(rig, "boss", 1, ": three 3 0 DO GOAL\" 5 MS 1 done +!\" DROP LOOP ; ");
    struct weft_resident *workers[3];
    for (unsigned i = 0; i < 3; i++) {
        char name[8];
        snprintf(name, sizeof(name), "w%u", i);
        workers[i] = load(rig, name, (uint16_t)(1 + i % 2), "VARIABLE done");
    }
    expect(rig, boss, "GOAL\" 20 MS 1 done +!\" DROP", ""); // One has something to do:
    turn(rig, 20);
    for (unsigned round = 0; round < 4; round++) { // the others share the rest.
        expect(rig, boss, "GOAL\" 5 MS 1 done +!\" DROP", "");
        turn(rig, 20);
    }
    turn(rig, 100000);
    uint64_t all = 0;
    for (unsigned i = 0; i < 3; i++) {
        static struct asked asked;
        ask(rig, &asked, WEFT_COMMAND_EVAL, workers[i], "done @ .");
        wait_for(rig, &asked);
        const int count = asked.command.output[0] - '0';
        if (count < 1 || count > 2) fail_msg("worker %u has had %d goals", i, count);
        all += (uint64_t)count;
    }
    assert_int_equal(all, 5);
    expect(rig, boss, "three", "");
}

// ---- What waits stands still: an evaluation above it has waits of its own.

static void a_parked_wait_is_left_alone(void **state)
{
    struct rig *rig = *state;
    struct weft_resident *unit = load(
        rig, "unit", 1,
        "1 CHANNEL CONSTANT ch 1 CHANNEL CONSTANT other VARIABLE got : main ch RECV got ! ; main");
    struct weft_resident *sender = load(rig, "sender", 2, "");
    expect(rig, unit, "other 0 RECV-FOR . . 3 other SEND other RECV .", "-306 0 3 ");
    static struct asked asked; // An evaluation that waits for ever is ended, its question taken
                               // back; what comes next is for the program.
    ask(rig, &asked, WEFT_COMMAND_EVAL, unit, "ch RECV .");
    turn(rig, 10);
    rig->now_ns += 70 * WEFT_NS_PER_S;
    wait_for(rig, &asked);
    assert_int_equal(asked.command.throw_code, WEFT_THROW_REDUCTIONS);
    expect(rig, unit, "got @ .", "0 ");
    char text[64], channel[32];
    ask(rig, &asked, WEFT_COMMAND_EVAL, unit, "ch .");
    wait_for(rig, &asked);
    snprintf(channel, sizeof(channel), "%.*s", (int)asked.command.output_length,
             asked.command.output);
    snprintf(text, sizeof(text), "42 %s SEND", channel);
    expect(rig, sender, text, "");
    turn(rig, 20);
    expect(rig, unit, "got @ .", "42 ");
}

// A unit that was saved while it waited has its channel again when it is restored, and finds that
// its child is gone.
static void restored_it_finds_no_child(void **state)
{
    struct rig *rig = *state;
    load(rig, "unit", 1,
         ": waits RECEIVE ; VARIABLE got 1 CHANNEL CONSTANT ch 0 ' waits SPAWN CONSTANT pid "
         ": main ch -1 RECV-FOR NIP got ! pid JOIN 100 * + got +! 0 RECEIVE ; main");
    weft_node_destroy(&rig->node);
    start(rig);
    // Others have been made meanwhile, in the same order: an old pid is none of theirs.
    load(rig, "other", 1, ": waits RECEIVE ; 1 CHANNEL CONSTANT ch 5 ch SEND 0 ' waits SPAWN ");
    const struct weft_unit_entry *entry = &rig->node.recovered.entries[0];
    struct weft_resident *unit = reserve(rig, "unit", 2);
    static struct asked asked;
    memset(&asked, 0, sizeof(asked));
    asked.command = (struct weft_command){.verb = WEFT_COMMAND_RESTORE,
                                          .resident = unit,
                                          .image = entry->image.data,
                                          .image_length = entry->image.length,
                                          .done = is_done};
    assert_int_equal(weft_unit_actor_submit(&rig->node, &asked.command), 0);
    wait_for(rig, &asked);
    turn(rig, 100);
    expect(rig, unit, "7 ch SEND", "");
    turn(rig, 100);
    expect(rig, unit, "got @ .", "400 "); // 0, and then 4 hundred: nobody.
}

#define UNIT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(a_child_has_words_data_and_arguments),
        UNIT_TEST(how_it_ended_is_known),
        UNIT_TEST(children_land_on_other_cores),
        UNIT_TEST(children_have_children),
        UNIT_TEST(units_share_their_words),
        UNIT_TEST(words_go_home_to_their_core),
        UNIT_TEST(words_under_way_are_let_go),
        UNIT_TEST(who_is_unloaded_takes_its_family),
        UNIT_TEST(nor_is_one_left_that_is_being_born),
        UNIT_TEST(a_channel_keeps_order_and_capacity),
        UNIT_TEST(a_channel_joins_two_units),
        UNIT_TEST(a_timeout_takes_the_question_back),
        UNIT_TEST(who_waits_learns_of_the_close),
        UNIT_TEST(a_channel_ends_with_its_maker),
        UNIT_TEST(quotas_hold),
        UNIT_TEST(a_bomb_fizzles_out),
        UNIT_TEST(messages_come_to_a_pid),
        UNIT_TEST(an_end_is_a_message),
        UNIT_TEST(linked_units_end_together),
        UNIT_TEST(timers_are_messages),
        UNIT_TEST(siblings_get_words_with_their_source),
        UNIT_TEST(a_lesson_that_spins_is_ended),
        UNIT_TEST(a_goal_goes_to_the_least_busy),
        UNIT_TEST(a_parked_wait_is_left_alone),
        UNIT_TEST(restored_it_finds_no_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
