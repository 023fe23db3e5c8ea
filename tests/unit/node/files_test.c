// Files of units in a node: they park the unit, and it alone; nothing is lost when it ends
// meanwhile.
#include "tests/support/cmocka.h"

#include "runtime/node/unit_files.h"
#include "tests/unit/node/io_rig.h"

static void need_files(void)
{
    if (has_openat2()) return;
    print_message("skipped: this kernel has no openat2 (Linux 5.6)\n");
    skip();
}

static void put_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", all.directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

// Turns until `count` operations have been started on a core.
static void until_started(struct rig *rig, unsigned core, uint32_t count)
{
    for (uint32_t turn = 0; all.held[core - 1].started_count < count; turn++) {
        if (turn == TURNS_MAX) fail_msg("nothing is started");
        turn_all(rig);
    }
}

#define SOURCE                                                                                     \
    "VARIABLE f : open S\" a.txt\" R/W OPEN-FILE THROW f ! ; "                                     \
    ": next PAD 3 f @ READ-FILE THROW PAD SWAP TYPE ; "

// ---- The tests.

static void files_are_made_read_and_removed(void **state)
{
    need_files();
    for (uint16_t core = 1; core <= WORKERS; core++) {
        char name[8];
        snprintf(name, sizeof(name), "u%u", core);
        struct weft_resident *unit = load(*state, name, core, SOURCE);
        expect(*state, unit,
               "S\" a.txt\" R/W CREATE-FILE THROW f ! S\" abcdefgh\" f @ WRITE-FILE . "
               "f @ FLUSH-FILE . 6. f @ RESIZE-FILE . f @ FILE-SIZE . D. f @ CLOSE-FILE .",
               "0 0 0 0 6 0 ");
        expect(*state, unit, "open next next next f @ CLOSE-FILE . f @ CLOSE-FILE .",
               "abcdef0 -37 ");
        expect(*state, unit,
               "S\" a.txt\" S\" b.txt\" RENAME-FILE . S\" a.txt\" FILE-STATUS . . "
               "S\" b.txt\" DELETE-FILE . S\" b.txt\" DELETE-FILE . S\" ../x\" R/O OPEN-FILE . .",
               "0 -38 0 0 -38 -265 0 ");
        put_file("inc.fth", ": twelve ( over\nlines ) 12 ;\nREFILL drop this\n. twelve .\n");
        expect(*state, unit, "S\" inc.fth\" INCLUDED", "-1 12 ");
        assert_int_equal(handles(), 0);
    }
}

static uint64_t turns_of(struct rig *rig, struct weft_resident *unit, const char *text)
{
    static struct asked asked;
    const uint64_t begun_ns = rig->now_ns;
    ask(rig, &asked, WEFT_COMMAND_EVAL, unit, text);
    wait_for(rig, &asked);
    assert_int_equal(asked.command.error.code, 0);
    return (rig->now_ns - begun_ns) / 1000;
}

// While the disk does not answer, siblings are as quick as ever, and who waits does not poll.
static void siblings_go_on(void **state)
{
    need_files();
    struct rig *rig = *state;
    static struct asked asked;
    put_file("a.txt", "abcdefghi");
    struct weft_resident *sibling = load(rig, "sibling", 1, ": work 1000 0 DO LOOP ;");
    sibling->recovery = WEFT_RECOVERY_NONE;
    const uint64_t before = turns_of(rig, sibling, "work");
    struct weft_resident *unit = load(rig, "unit", 1, SOURCE);
    expect(rig, unit, "open next", "abc");
    all.held[0].holds = true;
    const uint32_t started = all.held[0].started_count;
    ask(rig, &asked, WEFT_COMMAND_EVAL, unit, "next");
    until_started(rig, 1, started + 1);
    turn(rig, 10);
    assert_int_equal(weft_counter_get(&unit->status), WEFT_RESIDENT_WAITING);
    const uint64_t spent = weft_counter_get(&unit->reduction_count);
    assert_int_equal(turns_of(rig, sibling, "work"), before);
    turn(rig, 1000);
    assert_int_equal(weft_counter_get(&unit->reduction_count), spent);
    assert_false(asked.is_done);
    release(&all.held[0]);
    wait_for(rig, &asked);
    asked.command.output[asked.command.output_length] = '\0';
    assert_string_equal(asked.command.output, "def");
}

// Whoever ends or is told to stop in the middle leaves nothing behind.
static void what_is_under_way_ends_by_itself(void **state)
{
    need_files();
    struct rig *rig = *state;
    static struct asked reading, opening, kill;
    put_file("a.txt", "abcdefghi");
    struct weft_resident *reader = load(rig, "reader", 1, SOURCE "open");
    struct weft_resident *opener = load(rig, "opener", 1, SOURCE);
    all.held[0].holds = true;
    uint32_t started = all.held[0].started_count;
    rig->node.options.eval_timeout_ns = WEFT_NS_PER_MS;
    ask(rig, &reading, WEFT_COMMAND_EVAL, reader, "next");
    ask(rig, &opening, WEFT_COMMAND_EVAL, opener, "open");
    until_started(rig, 1, started + 2);
    // Both are late: their texts end, the operations do not.
    wait_for(rig, &reading);
    wait_for(rig, &opening);
    assert_int_equal(reading.command.throw_code, WEFT_THROW_REDUCTIONS);
    assert_int_equal(opening.command.throw_code, WEFT_THROW_REDUCTIONS);
    rig->node.options.eval_timeout_ns = 60 * WEFT_NS_PER_S;
    // Others begin, and the reader is killed with one of them under way.
    started = all.held[0].started_count;
    ask(rig, &reading, WEFT_COMMAND_EVAL, reader, "next");
    until_started(rig, 1, started + 1);
    struct weft_actor *actor =
        weft_actor_find(&rig->node.workers[0].actors, weft_counter_get(&reader->pid));
    weft_actor_kill(&rig->node.workers[0].actors, actor->pid, WEFT_EXIT_KILLED);
    wait_for(rig, &reading);
    assert_int_equal(reading.command.error.code, 402);
    release(&all.held[0]);
    for (uint32_t n = 0; handles() > 0; n++) {
        if (n == TURNS_MAX) fail_msg("%u are open", handles());
        turn_all(rig);
        sched_yield();
    }
    expect(rig, opener, "open next f @ CLOSE-FILE .", "abc0 ");
    ask(rig, &kill, WEFT_COMMAND_KILL, opener, "");
    wait_for(rig, &kill);
    assert_int_equal(handles(), 0);
}

// A program waits for its file, a text above it for another one: each gets its own.
static void two_texts_have_two_operations(void **state)
{
    need_files();
    struct rig *rig = *state;
    static struct asked loading, upper;
    put_file("a.txt", "abcdefghi");
    put_file("b.txt", "123456");
    struct weft_resident *unit = reserve(rig, "unit", 2);
    all.held[1].holds = true;
    rig->node.options.eval_timeout_ns = WEFT_NS_PER_MS; // Loaded, for all that anybody knows.
    ask(rig, &loading, WEFT_COMMAND_LOAD, unit,
        SOURCE "VARIABLE g : other S\" b.txt\" R/O OPEN-FILE THROW g ! PAD 4 + 3 g @ READ-FILE "
               "THROW PAD 4 + SWAP TYPE ; open PAD 3 f @ READ-FILE THROW CONSTANT got PAD C@ "
               "CONSTANT first");
    wait_for(rig, &loading);
    assert_int_equal(loading.command.error.code, 0);
    rig->node.options.eval_timeout_ns = 60 * WEFT_NS_PER_S;
    const uint32_t started = all.held[1].started_count;
    ask(rig, &upper, WEFT_COMMAND_EVAL, unit, "other");
    until_started(rig, 2, started + 1);
    release(&all.held[1]);
    wait_for(rig, &upper);
    upper.command.output[upper.command.output_length] = '\0';
    assert_string_equal(upper.command.output, "123");
    for (unsigned n = 0; n < 1000 || weft_counter_get(&unit->status) == WEFT_RESIDENT_WAITING; n++)
        turn_all(rig);
    expect(rig, unit, "got . first EMIT", "3 a");
}

// What was under way when the node ended is asked anew.
static void a_read_is_asked_anew_after_a_restart(void **state)
{
    need_files();
    struct rig *rig = *state;
    static struct asked asked;
    put_file("a.txt", "abcdefghi");
    struct weft_resident *unit = load(rig, "unit", 1, SOURCE "open : go next next ;");
    expect(rig, unit, "next", "abc");
    all.held[0].holds = true;
    const uint32_t started = all.held[0].started_count;
    rig->node.options.eval_timeout_ns = WEFT_NS_PER_MS;
    static struct asked late;
    ask(rig, &late, WEFT_COMMAND_EVAL, unit, "PAD 3 f @ READ-FILE");
    until_started(rig, 1, started + 1);
    wait_for(rig, &late); // Its end keeps the unit, at the position where it was.
    assert_int_equal(late.command.throw_code, WEFT_THROW_REDUCTIONS);
    turn(rig, 100);
    take_files(rig);
    weft_node_destroy(&rig->node);
    weft_disk_sim_crash(&rig->disk_sim);
    start(rig);
    give_files(rig);
    const struct weft_unit_entry *entry = weft_unit_table_find(&rig->node.recovered, "unit");
    assert_non_null(entry);
    struct weft_resident *back = reserve(rig, "unit", 2);
    ask(rig, &asked, WEFT_COMMAND_RESTORE, back, "");
    asked.command.image = entry->image.data;
    asked.command.image_length = entry->image.length;
    wait_for(rig, &asked);
    expect(rig, back, "go f @ FILE-POSITION . D.", "defghi0 9 ");
}

static void open_files_are_bounded(void **state)
{
    need_files();
    struct rig *rig = *state;
    put_file("a.txt", "abc");
    rig->node.options.unit_file_max = 2;
    struct weft_resident *unit = load(rig, "unit", 1, ": open S\" a.txt\" R/O OPEN-FILE ;");
    expect(rig, unit, "open . DROP open . CONSTANT f open . . f CLOSE-FILE . open . DROP",
           "0 0 -322 0 0 0 ");
    assert_int_equal(weft_counter_get(&unit->files), 2);
    assert_int_equal(handles(), 2);
}

static void without_a_directory_they_throw(void **state)
{
    struct rig *rig = *state;
    static struct asked asked;
    rig->node.options.unit_files_root = 0;
    allow(rig);
    struct weft_resident *unit = load(rig, "unit", 1, "");
    ask(rig, &asked, WEFT_COMMAND_EVAL, unit, "S\" a.txt\" R/O OPEN-FILE");
    wait_for(rig, &asked);
    assert_int_equal(asked.command.throw_code, -323);
    assert_non_null(strstr(asked.command.message, "units.files"));
    expect(rig, unit, "S\" FILE\" ENVIRONMENT? . .", "-1 0 ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_files, tear_down_files)
    const struct CMUnitTest tests[] = {
        TEST(files_are_made_read_and_removed),      TEST(siblings_go_on),
        TEST(what_is_under_way_ends_by_itself),     TEST(two_texts_have_two_operations),
        TEST(a_read_is_asked_anew_after_a_restart), TEST(open_files_are_bounded),
        TEST(without_a_directory_they_throw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
