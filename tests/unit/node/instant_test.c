// A node at one instant: whenever it is taken, what was restored has every message once.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <weft/weft.h>

#include "runtime/base/crc32c.h"
#include "runtime/base/endian.h"
#include "runtime/base/prng.h"
#include "tests/unit/node/taking.h"

static struct weft_prng chance;

// One core after the other, whichever: so that whatever can be on its way is, at one time.
static void turn_some(struct rig *rig)
{
    weft_core_turn(weft_node_core(&rig->node, (uint16_t)weft_prng_below(&chance, WORKERS + 1)));
    rig->now_ns += 300;
}

static void turn_by_chance(struct rig *rig, unsigned count)
{
    while (count-- > 0)
        turn_some(rig);
}

static struct weft_resident *found(struct rig *rig, const char *name)
{
    struct weft_resident *resident = weft_unit_registry_find(&rig->node.units, name);
    assert_non_null(resident);
    return resident;
}

// A token goes round by channels, from child to child on both cores. Taken at any instant, restored
// as often: exactly one.
static void one_token_in_channels(struct rig *rig, unsigned capacity, unsigned seed)
{
    static struct taking taking;
    char source[1024];
    weft_prng_seed(&chance, seed);
    snprintf(source, sizeof(source),
             "5 CONSTANT size CREATE ring size CELLS ALLOT : ch ( n -- channel ) size MOD CELLS "
             "ring + @ ; "
             ": make size 0 DO %u CHANNEL I CELLS ring + ! LOOP ; make "
             ": pass ( n -- ) BEGIN DUP ch RECV 1+ OVER 1+ ch SEND AGAIN ; "
             ": staff size 0 DO I 1 ['] pass SPAWN DETACH DROP LOOP ; staff "
             ": begin 1000 0 ch SEND ; begin "
             ": look ( n -- x ior ) ch 20 RECV-FOR ; "
             ": others ( -- n ) 0 size 0 DO I look NIP 0= IF 1+ THEN LOOP ; ",
             capacity);
    load(rig, "ring", 1, source);
    for (unsigned round = 0; round < 8; round++) {
        turn_by_chance(rig, 1 + weft_prng_below(&chance, 40));
        take(rig, &taking, turn_some);
        restore(rig, &taking);
        turn_by_chance(rig, weft_prng_below(&chance, 20));
    }
    turn_by_chance(rig, 50);
    // One that goes on, and goes round.
    expect(rig, found(rig, "ring"), "0 look . 1000 > .", "0 -1 ");
    expect(rig, found(rig, "ring"), "others .", "0 ");
}

static void one_token(void **state)
{
    struct rig *rig = *state;
    for (unsigned seed = 1; seed <= 20; seed++) {
        one_token_in_channels(rig, seed % 3, seed);
        weft_node_destroy(&rig->node);
        weft_disk_sim_destroy(&rig->disk_sim);
        weft_disk_sim_init(&rig->disk_sim, seed);
        rig->disk = weft_disk_sim_disk(&rig->disk_sim);
        start(rig);
    }
}

// The same by mailboxes, among units that were loaded.
static void one_token_in_mailboxes(void **state)
{
    static struct taking taking;
    static const char source[] =
        "VARIABLE next VARIABLE stop VARIABLE has VARIABLE hops "
        ": pass S\" token\" next @ SEND-TO DROP ; "
        ": main BEGIN RECEIVE 2DROP 2DROP 1 hops +! stop @ IF 1 has +! ELSE pass THEN AGAIN ; main";
    struct rig *rig = *state;
    weft_prng_seed(&chance, 7);
    struct weft_resident *units[4];
    for (int i = 0; i < 4; i++) {
        char name[8];
        snprintf(name, sizeof(name), "u%d", i);
        units[i] = load(rig, name, (uint16_t)(1 + i % WORKERS), source);
    }
    for (int i = 0; i < 4; i++) {
        char text[64];
        snprintf(text, sizeof(text), "$%llx next !",
                 (unsigned long long)weft_counter_get(&units[(i + 1) % 4]->pid));
        expect(rig, units[i], text, "");
    }
    expect(rig, units[0], "pass", "");
    for (unsigned round = 0; round < 20; round++) {
        turn_by_chance(rig, 1 + round % 7);
        take(rig, &taking, turn_some);
        restore(rig, &taking);
    }
    turn_by_chance(rig, 100);
    int tokens = 0;
    for (int i = 0; i < 4; i++) {
        char name[8];
        snprintf(name, sizeof(name), "u%d", i);
        expect(rig, found(rig, name), "TRUE stop ! hops @ 10 > .", "-1 ");
    }
    turn_by_chance(rig, 100);
    for (int i = 0; i < 4; i++) {
        static struct asked asked;
        char name[8];
        snprintf(name, sizeof(name), "u%d", i);
        ask(rig, &asked, WEFT_COMMAND_EVAL, found(rig, name), "has @ .");
        wait_for(rig, &asked);
        tokens += asked.command.output[0] - '0';
    }
    assert_int_equal(tokens, 1);
}

// Parents join their children as if nothing had happened, whenever those end.
static void a_family_is_restored_together(void **state)
{
    static struct taking taking;
    struct rig *rig = *state;
    weft_prng_seed(&chance, 8);
    load(rig, "parent", 1,
         "VARIABLE sum : work ( n -- n*n ) DUP 0 DO YIELD LOOP DUP * ; "
         ": staff ( -- pids ) 6 1 DO I 20 * 1 ['] work SPAWN LOOP ; "
         ": all 5 0 DO JOIN 0= IF DROP sum +! ELSE DROP THEN LOOP ; "
         ": main staff UNIT-SAVE DROP all RECEIVE ; main");
    for (unsigned round = 0; round < 12; round++) {
        turn_by_chance(rig, 23);
        take(rig, &taking, turn_some);
        restore(rig, &taking);
    }
    turn_by_chance(rig, 2000);
    expect(rig, found(rig, "parent"), "sum @ .", "22000 "); // 400 * (1 + 4 + 9 + 16 + 25)
}

// Every bit of a head, turned, and cuts: refused, with why.
static void what_is_none_is_refused(void **state)
{
    static struct taking taking;
    struct rig *rig = *state;
    load(rig, "unit", 1, "VARIABLE v");
    take(rig, &taking, turn_some);
    struct weft_instant instant;
    const struct weft_span whole = weft_span_of(taking.bytes, taking.length);
    for (uint32_t bit = 0; bit < 8 * WEFT_INSTANT_HEAD_BYTES; bit++) {
        struct weft_error error = {0};
        taking.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(weft_instant_read(whole, &instant, &error), -1);
        assert_int_equal(error.code, 406);
        taking.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t length = 0; length < taking.length; length += 7) {
        struct weft_error error = {0};
        assert_int_equal(weft_instant_read(weft_span_of(taking.bytes, length), &instant, &error),
                         -1);
        assert_int_equal(error.code, 406);
    }
    // Units with a checksum that is right: refused, or something that can be looked at.
    for (uint32_t bit = 0; bit < 8 * 112; bit++) {
        struct weft_error error = {0};
        uint8_t *at = taking.bytes + WEFT_INSTANT_HEAD_BYTES + bit / 8;
        *at ^= (uint8_t)(1u << bit % 8);
        weft_le32_put(taking.bytes + 12, weft_crc32c(0, taking.bytes + 16, taking.length - 16));
        if (weft_instant_read(whole, &instant, &error) == 0)
            weft_instant_destroy(&instant);
        else
            assert_int_equal(error.code, 406);
        *at ^= (uint8_t)(1u << bit % 8);
    }
}

#define INSTANT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

// Mail may come in behind the measuring: then it does not fit, and nothing is written beyond.
static void what_has_grown_does_not_fit(void **state)
{
    struct rig *rig = *state;
    load(rig, "one", 1, "VARIABLE x");
    struct weft_node_worker *worker = &rig->node.workers[0];
    const size_t bytes = weft_instant_bytes(worker);
    uint8_t *to = malloc(bytes);
    uint32_t count;
    assert_true(bytes > 0 && to != NULL);
    assert_int_equal(weft_instant_write(worker, to, bytes - 1, &count), -ENOSPC);
    assert_int_equal(weft_instant_write(worker, to, bytes, &count), bytes);
    assert_int_equal(count, 1);
    free(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        INSTANT_TEST(one_token),
        INSTANT_TEST(one_token_in_mailboxes),
        INSTANT_TEST(a_family_is_restored_together),
        INSTANT_TEST(what_is_none_is_refused),
        INSTANT_TEST(what_has_grown_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
