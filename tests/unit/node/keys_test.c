// What a user types for a unit in a node: KEY, EKEY and ACCEPT park it, and it alone.
#include "tests/support/cmocka.h"

#include "runtime/node/unit_keys.h"
#include "tests/unit/node/rig.h"

struct typed {
    const char *text; // NULL: evaluated.
    const char *output;
    bool asks;
    bool ends;
    int32_t throw_code;
};

static void type(struct rig *rig, struct weft_resident *unit, const struct typed *typed)
{
    static struct asked asked;
    memset(&asked, 0, sizeof(asked));
    asked.command = (struct weft_command){.verb = WEFT_COMMAND_INPUT,
                                          .resident = unit,
                                          .text = typed->text,
                                          .text_length = strlen(typed->text),
                                          .ends_input = typed->ends,
                                          .done = is_done};
    assert_int_equal(weft_unit_actor_submit(&rig->node, &asked.command), 0);
    wait_for(rig, &asked);
    asked.command.output[asked.command.output_length] = '\0';
    if (strcmp(asked.command.output, typed->output) != 0 || asked.command.asks != typed->asks ||
        asked.command.throw_code != typed->throw_code)
        fail_msg("%s: printed [%s], not [%s]; asks %d; THROW %d", typed->text, asked.command.output,
                 typed->output, asked.command.asks, asked.command.throw_code);
}

#define TYPE(rig, unit, text, output, asks)                                                        \
    type(rig, unit, &(struct typed){text, output, asks, false, 0})
#define END(rig, unit, text, output, code)                                                         \
    type(rig, unit, &(struct typed){text, output, false, true, code})

// An evaluation that comes to ask is answered at once, and says so.
static void must_ask(struct rig *rig, struct weft_resident *unit, const char *text,
                     const char *output)
{
    static struct asked asked;
    ask(rig, &asked, WEFT_COMMAND_EVAL, unit, text);
    const uint64_t begun_ns = rig->now_ns;
    wait_for(rig, &asked);
    assert_true(rig->now_ns - begun_ns < WEFT_NS_PER_MS);
    assert_int_equal(asked.command.error.code, 0);
    assert_true(asked.command.asks);
    asked.command.output[asked.command.output_length] = '\0';
    assert_string_equal(asked.command.output, output);
}

static void keys_and_lines(void **state)
{
    struct rig *rig = *state;
    for (uint16_t core = 1; core <= WORKERS; core++) {
        char name[8];
        snprintf(name, sizeof(name), "u%u", core);
        struct weft_resident *unit = load(rig, name, core, ": line PAD 80 ACCEPT PAD SWAP TYPE ;");
        must_ask(rig, unit, ".\" name? \" line .\" !\" line", "name? ");
        TYPE(rig, unit, "Ada", "", true); // Not a line yet.
        TYPE(rig, unit, " L.\n", "Ada L.!", true);
        TYPE(rig, unit, "\n", "", false);
        must_ask(rig, unit, "KEY EMIT KEY EMIT EKEY EKEY>FKEY . K-UP = .", "");
        TYPE(rig, unit, "ab\x1b[A", "ab-1 -1 ", false);
        // Typed ahead.
        TYPE(rig, unit, "xyz\n", "", false);
        expect(rig, unit, "KEY? . KEY EMIT EKEY EMIT XKEY EMIT line KEY? .", "-1 xyz0 ");
        expect(rig, unit, "DEPTH .", "0 ");
    }
}

static void the_end_of_the_input(void **state)
{
    struct rig *rig = *state;
    struct weft_resident *unit = load(rig, "unit", 1, ": line PAD 80 ACCEPT PAD SWAP TYPE ;");
    must_ask(rig, unit, "KEY", "");
    END(rig, unit, "", "", -39);
    must_ask(rig, unit, "line KEY? .", "");
    END(rig, unit, "rest", "rest0 ", 0);
    expect(rig, unit, "5 .", "5 "); // The unit lives on.
    must_ask(rig, unit, "KEY EMIT", "");
    TYPE(rig, unit, "k", "k", false);
}

// A program that asks is not in the way of evaluations, nor they in its way.
static void a_program_that_asks(void **state)
{
    struct rig *rig = *state;
    struct weft_resident *unit =
        load(rig, "unit", 2, "VARIABLE sum : add BEGIN KEY [CHAR] 0 - sum +! sum ? AGAIN ; add");
    assert_int_equal(weft_counter_get(&unit->asks), 1);
    TYPE(rig, unit, "5", "5 ", true);
    expect(rig, unit, "sum ? 100 sum !", "5 ");
    TYPE(rig, unit, "23", "102 105 ", true);
    must_ask(rig, unit, ".\" first \" KEY EMIT", "first ");
    TYPE(rig, unit, "z", "z", true); // The upper text first, and then the lower.
    TYPE(rig, unit, "1", "106 ", true);
    // It sleeps between: who typed sees what comes within a second.
    expect(rig, unit, ": slow KEY EMIT 100 MS .\" late\" ;", "");
    must_ask(rig, unit, "slow", "");
    TYPE(rig, unit, "s", "slate", true);
}

static void input_is_bounded(void **state)
{
    struct rig *rig = *state;
    static struct asked asked;
    static char much[WEFT_KEYS_BYTES + 1];
    struct weft_resident *unit = load(rig, "unit", 1, "VARIABLE v");
    memset(much, 'x', sizeof(much) - 1);
    TYPE(rig, unit, much, "", false);
    ask(rig, &asked, WEFT_COMMAND_INPUT, unit, "y");
    wait_for(rig, &asked);
    assert_int_equal(asked.command.error.code, 405);
    expect(rig, unit, ": all 4096 0 DO KEY [CHAR] x <> THROW LOOP ; all KEY? .", "0 ");
}

// Nobody types for who was spawned.
static void a_spawned_unit_has_no_user(void **state)
{
    struct rig *rig = *state;
    struct weft_resident *unit =
        load(rig, "unit", 1,
             ": t ['] KEY CATCH ['] EKEY CATCH PAD 9 ACCEPT KEY? ; : u 0 ['] t SPAWN JOIN ;");
    expect(rig, unit, "u . . . . . .", "0 4 0 0 -39 -39 ");
}

// The typed line finds the program where the image has it.
static void a_program_that_asks_is_restored(void **state)
{
    struct rig *rig = *state;
    struct weft_resident *unit = load(rig, "unit", 1, ": line PAD 80 ACCEPT PAD SWAP TYPE ;");
    must_ask(rig, unit, "7 line .", "");
    weft_node_destroy(&rig->node);
    weft_disk_sim_crash(&rig->disk_sim);
    start(rig);
    const struct weft_unit_entry *entry = weft_unit_table_find(&rig->node.recovered, "unit");
    assert_non_null(entry);
    static struct asked asked;
    struct weft_resident *back = reserve(rig, "unit", 2);
    ask(rig, &asked, WEFT_COMMAND_RESTORE, back, "");
    asked.command.image = entry->image.data;
    asked.command.image_length = entry->image.length;
    wait_for(rig, &asked);
    for (unsigned turn = 0; turn < 20; turn++)
        turn_all(rig);
    assert_int_equal(weft_counter_get(&back->asks), 1);
    TYPE(rig, back, "again\n", "again7 ", false);
}

// A sibling's evaluations take as few turns while another asks as while it does nothing.
static uint64_t turns_of(struct rig *rig, struct weft_resident *unit, const char *text)
{
    static struct asked asked;
    const uint64_t begun_ns = rig->now_ns;
    ask(rig, &asked, WEFT_COMMAND_EVAL, unit, text);
    wait_for(rig, &asked);
    assert_int_equal(asked.command.error.code, 0);
    return (rig->now_ns - begun_ns) / 1000;
}

static void siblings_go_on(void **state)
{
    struct rig *rig = *state;
    struct weft_resident *sibling = load(rig, "sibling", 1, ": work 1000 0 DO LOOP ;");
    sibling->recovery = WEFT_RECOVERY_NONE;
    const uint64_t before = turns_of(rig, sibling, "work");
    struct weft_resident *asking[4];
    for (unsigned n = 0; n < 4; n++) {
        char name[8];
        snprintf(name, sizeof(name), "a%u", n);
        asking[n] = load(rig, name, 1, "KEY EMIT");
        assert_int_equal(weft_counter_get(&asking[n]->status), WEFT_RESIDENT_WAITING);
    }
    const uint64_t spent = weft_counter_get(&asking[0]->reduction_count);
    assert_int_equal(turns_of(rig, sibling, "work"), before);
    // They do not poll, either.
    for (unsigned turn = 0; turn < 1000; turn++)
        turn_all(rig);
    assert_int_equal(weft_counter_get(&asking[0]->reduction_count), spent);
    TYPE(rig, asking[3], "k", "k", false);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(keys_and_lines),
        TEST(the_end_of_the_input),
        TEST(a_program_that_asks),
        TEST(input_is_bounded),
        TEST(a_spawned_unit_has_no_user),
        TEST(a_program_that_asks_is_restored),
        TEST(siblings_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
