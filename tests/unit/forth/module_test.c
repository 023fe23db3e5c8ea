// Frozen words: who shares them, what a program may still do with them, and what an image may say
// of them. (That every other test passes with frozen words too, forth_run.h sees to.)
#include "tests/support/cmocka.h" // cmocka.h, after the standard headers it expects.

#include <errno.h>
#include <stdlib.h>

#include "forth/dictionary.h"
#include "forth/module.h"
#include "forth/ops.h"
#include "runtime/base/crc32c.h"
#include "tests/unit/forth/forth_run.h"

enum { HEADER_BYTES = 80, IMAGE_BYTES_MAX = 65536 };

static const char library[] = ": double ( n -- n ) dup + ; variable v 5 value w 7 constant c\n"
                              ": quad ( n -- n ) double double ; : counter create , does> dup @ "
                              "1+ dup rot ! ; 10 counter next : 2nd ( n -- ) v ! ;\n"
                              "defer later ' quad is later wordlist constant own\n";

static void open_library(struct forth_run *run, const struct weft_forth_system *system)
{
    forth_open(run, system, FORTH_PLAIN);
    assert_int_equal(forth_text(run, "library", library), WEFT_UNIT_DONE);
}

static void expect_nothing_shared(const struct weft_forth_system *system)
{
    struct weft_forth_sharing sharing;
    assert_int_equal(weft_forth_system_modules(system), 0);
    weft_forth_library_sharing(system->library, &sharing);
    assert_int_equal(sharing.modules, 0);
}

static void who_has_the_same_shares_it(void **state)
{
    const struct weft_forth_system *system = *state;
    static struct forth_run one, two, other;
    struct weft_unit_info before, after;
    open_library(&one, system);
    open_library(&two, system);
    forth_open(&other, system, FORTH_PLAIN);
    forth_text(&other, "library", ": double ( n -- n ) 2* ;");
    weft_unit_inspect(one.unit, &before);
    assert_int_equal(before.module_bytes, 0);
    assert_int_equal(weft_unit_freeze(one.unit), 0);
    assert_int_equal(weft_unit_freeze(two.unit), 0);
    assert_int_equal(weft_unit_freeze(other.unit), 0);
    assert_ptr_equal(one.unit->module, two.unit->module);
    assert_ptr_not_equal(one.unit->module, other.unit->module);
    assert_int_equal(one.unit->module->user_count, 2);

    weft_unit_inspect(one.unit, &after);
    assert_int_equal(after.words, before.words);
    assert_int_equal(after.code_bytes, before.code_bytes);
    assert_true(after.module_bytes > 0);
    assert_true(after.memory_bytes <= 512 + after.data_bytes);
    // What they are not asked to share: each has its own variables.
    forth_text(&one, "test", "1 v ! next . v @ .");
    forth_text(&two, "test", "next . 2 v ! next . v @ . 3 quad .");
    assert_string_equal(one.output, "11 1 ");
    assert_string_equal(two.output, "11 12 2 12 ");
    forth_close(&one);
    assert_int_equal(two.unit->module->user_count, 1);
    forth_close(&two);
    forth_close(&other);
    expect_nothing_shared(system); // The last one's end has taken it away.
}

// Each text must do the same whether the words of those before it are frozen or not.
static void a_program_does_not_see_it(void **state)
{
    static const char *const texts[] = {
        "3 quad . next . 4 2nd v @ . w . c . 2 later .",
        ": quad ( n -- n ) quad 1+ ; 3 quad . 3 later .",
        "9 to w w . ' double is later 4 later .",
        "marker back : more ( -- n ) 1 ; more . 1 allot",
        "see quad words",
        "own set-current : hidden 5 ; forth-wordlist set-current s\" hidden\" own search-wordlist "
        ". "
        "execute .",
        "back s\" more\" pad place pad find nip . 3 quad .", // Into what is frozen.
        ": loud ( -- ) .\" loud\" ;",
        "immediate : t loud ; : u postpone loud ; u", // The newest word is frozen.
        "create x 3 , : makes-five ( -- ) does> @ 2 + ;",
        "create y 3 , makes-five y .",
        "create z 3 ,",
        "makes-five z . forget z y .",
        "forget double s\" quad\" pad place pad find nip . unused 0> .",
        ": double 2* ; 21 double .",
        ": bad ( n -- ) nope ;",
        "21 double .",
        "' double source-of type",
        ": f 1.5e f+ ; 1e f f. 2e fconstant two two f f.",
    };
    static struct forth_run plain, frozen;
    open_library(&plain, *state);
    open_library(&frozen, *state);
    for (size_t n = 0; n < sizeof(texts) / sizeof(texts[0]); n++) {
        assert_int_equal(weft_unit_freeze(frozen.unit), 0);
        const enum weft_unit_state one = forth_text(&plain, "test", texts[n]);
        const enum weft_unit_state other = forth_text(&frozen, "test", texts[n]);
        if (one != other || strcmp(plain.output, frozen.output) != 0)
            fail_msg("text %zu: %d \"%s\", frozen %d \"%s\"", n, one, plain.output, other,
                     frozen.output);
    }
    assert_null(plain.unit->module);
    forth_close(&plain);
    forth_close(&frozen);
}

// At every step of a program, in loops, CATCH and a text above a parked one: what it stands in is
// frozen, and comes back by IMMEDIATE.
static void words_under_way_may_be_frozen_and_thawed(void **state)
{
    static const char program[] =
        ": inner ( n -- n ) 0 swap 0 ?do i + loop ; : fails ( -- ) 3 inner drop -5 throw ; "
        ": t ( -- n ) ['] fails catch 4 0 do i inner yield + loop ; t . t .";
    for (unsigned step = 1; step < 60; step++) {
        static struct forth_run run;
        forth_open(&run, *state, FORTH_PLAIN);
        assert_int_equal(weft_unit_interpret(run.unit, "t", program, strlen(program)), 0);
        enum weft_unit_state now = WEFT_UNIT_AGAIN;
        for (unsigned n = 0; now == WEFT_UNIT_AGAIN; n++) {
            uint32_t reductions = step;
            assert_int_equal(weft_unit_freeze(run.unit), 0);
            now = weft_unit_run(run.unit, &reductions);
            if (n % 3 == 0) {
                const uint32_t count = weft_own_words(run.unit->block);
                if (count > 0) assert_int_equal(weft_unit_thaw_word(run.unit, 0), 0);
            }
            forth_take(&run);
        }
        assert_int_equal(now, WEFT_UNIT_DONE);
        assert_string_equal(run.output, "-1 -1 ");
        forth_close(&run);
    }
}

static void a_text_above_a_parked_one_thaws_what_that_stands_in(void **state)
{
    static struct forth_run run;
    static struct weft_unit_host host;
    run.host = &host;
    host.accept = NULL;
    forth_open(&run, *state, FORTH_PLAIN);
    assert_int_equal(forth_text(&run, "below", ": t 3 0 do i . 1 yield drop loop ;"),
                     WEFT_UNIT_DONE);
    assert_int_equal(weft_unit_interpret(run.unit, "below", "t", 1), 0);
    uint32_t reductions = 4;
    weft_unit_run(run.unit, &reductions);
    run.unit->block->status = WEFT_STATUS_PARKED; // As a word that waits would leave it.
    assert_int_equal(weft_unit_freeze(run.unit), 0);
    assert_non_null(run.unit->module);
    assert_int_equal(forth_text(&run, "above", "immediate : u t ;"), WEFT_UNIT_DONE);
    assert_null(run.unit->module);
    forth_go(&run, UINT64_MAX);
    run.host = NULL;
    assert_string_equal(run.output, "0 0 1 2 1 2 ");
    forth_close(&run);
}

// The quota is for both: nobody gets more memory by having it frozen.
static void the_quota_counts_what_is_frozen(void **state)
{
    static struct forth_run run;
    static const struct weft_unit_options options = {.memory_bytes_max = 16384,
                                                     .stack_cells_max = 64,
                                                     .call_depth_max = 64,
                                                     .output_bytes_max = 64};
    run.options = &options;
    forth_open(&run, *state, FORTH_PLAIN);
    unsigned count = 0;
    uint32_t most = 0;
    for (; count < 1000; count++) {
        char text[64];
        struct weft_unit_info info;
        snprintf(text, sizeof(text), ": word-%u ( -- n ) 1 2 3 4 5 6 7 8 2drop 2drop ;", count);
        if (forth_text(&run, "test", text) != WEFT_UNIT_DONE) break;
        assert_int_equal(weft_unit_freeze(run.unit), 0);
        weft_unit_inspect(run.unit, &info);
        if (most < info.memory_bytes + info.module_bytes)
            most = info.memory_bytes + info.module_bytes;
    }
    assert_in_range(count, 50, 999);
    assert_true(most < 16384 + 1024);
    run.options = NULL;
    forth_close(&run);
}

static size_t save(const struct weft_unit *unit, uint8_t *image)
{
    const int64_t bytes = weft_unit_save(unit, image, IMAGE_BYTES_MAX);
    assert_true(bytes > 0);
    return (size_t)bytes;
}

static void seal(uint8_t *image, size_t bytes)
{
    const uint32_t module_bytes = weft_le32_get(image + 40);
    if (module_bytes > 0 && module_bytes < bytes - HEADER_BYTES)
        weft_sha256(image + HEADER_BYTES, module_bytes, image + 48);
    weft_le32_put(image + 12, weft_crc32c(0, image + 16, bytes - 16));
}

static int load(const struct weft_forth_system *system, const uint8_t *image, size_t bytes,
                struct weft_unit **unit)
{
    return weft_unit_load(system, &weft_forth_memory_libc, NULL, NULL, image, bytes, unit);
}

static void an_image_has_its_module_or_names_it(void **state)
{
    static uint8_t image[IMAGE_BYTES_MAX], bare[IMAGE_BYTES_MAX];
    static struct forth_run run;
    struct weft_forth_system *elsewhere;
    struct weft_unit *unit, *second;
    assert_int_equal(weft_forth_system_create(&weft_forth_memory_libc, &elsewhere), 0);
    open_library(&run, *state);
    assert_int_equal(weft_unit_freeze(run.unit), 0);
    forth_text(&run, "more", ": more ( n -- n ) quad next + ;");
    const size_t bytes = save(run.unit, image);
    const int64_t bare_bytes = weft_unit_save_bare(run.unit, bare, sizeof(bare));
    assert_int_equal(bare_bytes, weft_unit_image_bytes_bare(run.unit));
    assert_int_equal(bytes - (size_t)bare_bytes, run.unit->module->content_bytes);
    assert_memory_equal(image + 48, bare + 48, 32); // Both name it.

    // Where it is in use, both find it there. Elsewhere one brings it, and then the other does.
    assert_int_equal(load(*state, bare, (size_t)bare_bytes, &unit), 0);
    assert_ptr_equal(unit->module, run.unit->module);
    weft_unit_free(unit);
    assert_int_equal(load(elsewhere, bare, (size_t)bare_bytes, &unit), -ENOENT);
    assert_int_equal(load(elsewhere, image, bytes, &unit), 0);
    assert_int_equal(load(elsewhere, bare, (size_t)bare_bytes, &second), 0);
    assert_ptr_equal(unit->module, second->module);
    weft_unit_free(unit);
    forth_close(&run);
    run.unit = second;
    assert_int_equal(forth_text(&run, "test", "3 more ."), WEFT_UNIT_DONE);
    assert_string_equal(run.output, "23 ");
    weft_unit_free(second);
    expect_nothing_shared(elsewhere);
    assert_int_equal(load(elsewhere, bare, (size_t)bare_bytes, &unit), -ENOENT);
    weft_forth_system_free(elsewhere);
}

// The content changed, under a right name and checksum; the block's or the places' idea of it.
static void an_image_does_not_lie_about_its_module(void **state)
{
    enum { SPLITS = 80 + 208, WORDS = 80 + 226, IP = 80 + 140 };
    static const struct {
        const char *what;
        size_t at; // In the block's part, behind the module; 0: `from_start`.
        size_t from_start;
        uint32_t value;
        unsigned bytes;
    } cases[] = {
        {"another name", 0, 48, 0, 4},
        {"more words than there are", 0, HEADER_BYTES, 500, 4},
        {"no words", 0, HEADER_BYTES, 0, 4},
        {"more code", 0, HEADER_BYTES + 4, 4000, 4},
        {"more names", 0, HEADER_BYTES + 8, 0xfffffff0, 4},
        {"something spare", 0, HEADER_BYTES + 12, 1, 4},
        {"a word's code behind the end", 0, HEADER_BYTES + 16, 9999, 4},
        {"a word's name behind the end", 0, HEADER_BYTES + 24, 9999, 4},
        {"a word of no kind", 0, HEADER_BYTES + 16 + 19, 77, 1},
        {"fewer frozen tokens", SPLITS, 0, 3, 4},
        {"fewer frozen names", SPLITS + 4, 0, 3, 4},
        {"no frozen words", WORDS, 0, 0, 2},
        {"more frozen words", WORDS, 0, 5000, 2},
        {"a place in nothing", IP, 0, WEFT_CODE_SYSTEM | WEFT_CODE_MODULE, 4},
        {"a place behind the module", IP, 0, WEFT_CODE_MODULE | 99999, 4},
        {"a place before the block's code", IP, 0, 1, 4},
    };
    static const char loop[] = ": t begin 3 quad drop again ; t";
    static uint8_t image[IMAGE_BYTES_MAX], damaged[IMAGE_BYTES_MAX];
    static struct forth_run run;
    struct weft_unit *unit;
    open_library(&run, *state);
    assert_int_equal(weft_unit_freeze(run.unit), 0);
    assert_int_equal(weft_unit_interpret(run.unit, "t", loop, strlen(loop)), 0);
    forth_go(&run, 3);
    const size_t bytes = save(run.unit, image);
    forth_close(&run); // Nobody has it any more: it must be verified.
    const size_t module_bytes = weft_le32_get(image + 40);
    assert_int_equal(load(*state, image, bytes, &unit), 0);
    weft_unit_free(unit);
    for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        uint8_t *at =
            damaged + (cases[n].at != 0 ? cases[n].at + module_bytes : cases[n].from_start);
        memcpy(damaged, image, bytes);
        for (unsigned byte = 0; byte < cases[n].bytes; byte++)
            at[byte] = (uint8_t)(cases[n].value >> 8 * byte);
        if (cases[n].from_start == 48)
            weft_le32_put(damaged + 12, weft_crc32c(0, damaged + 16, bytes - 16));
        else
            seal(damaged, bytes);
        if (load(*state, damaged, bytes, &unit) != -EBADMSG) fail_msg("%s", cases[n].what);
    }
    expect_nothing_shared(*state);
}

static void hostile_code_of_a_module_is_refused(void **state)
{
    static uint8_t image[IMAGE_BYTES_MAX];
    static struct forth_run run;
    struct weft_unit *unit;
    forth_open(&run, *state, FORTH_PLAIN);
    forth_text(&run, "t", ": a 1 ; : b a a + ;");
    assert_int_equal(weft_unit_freeze(run.unit), 0);
    const uint32_t calls = weft_own_word(run.unit, 1)->code;
    const uint16_t *code = run.unit->module->code + calls;
    const size_t offset = (size_t)((const uint8_t *)code - run.unit->module->content);
    assert_int_equal(code[0], WEFT_OP_call);
    const size_t bytes = save(run.unit, image);
    forth_close(&run);
    static const uint16_t hostile[][2] = {
        {WEFT_OP_call, 0xffff}, {WEFT_OP_stop, WEFT_OP_exit}, {0xfffe, 0}, {WEFT_OP_branch, 900}};
    for (size_t n = 0; n < sizeof(hostile) / sizeof(hostile[0]); n++) {
        memcpy(image + HEADER_BYTES + offset, hostile[n], sizeof(hostile[n]));
        seal(image, bytes);
        assert_int_equal(load(*state, image, bytes, &unit), -EBADMSG);
    }
}

static void a_sandbox_has_its_parents_module(void **state)
{
    static struct forth_run run;
    for (enum forth_mode mode = 0; mode < FORTH_MODE_COUNT; mode++) {
        open_library(&run, *state);
        run.mode = mode;
        assert_int_equal(weft_unit_freeze(run.unit), 0);
        // The second thaws it, in its own block: here `2nd` stays what it is.
        assert_int_equal(forth_text(&run, "t",
                                    "s\" 3 quad . : x next ; x .\" 9000 sandbox . type "
                                    "s\" marker m forget 2nd 3 quad .\" 9000 sandbox . type "
                                    "8 2nd v @ . next ."),
                         WEFT_UNIT_DONE);
        assert_string_equal(run.output, "0 12 11 0 12 8 11 ");
        forth_close(&run);
    }
}

static uint64_t xt_of(struct forth_run *run, const char *text)
{
    int64_t xt;
    forth_text(run, "xt", text);
    assert_int_equal(weft_unit_cells(run->unit, &xt, 1), 1);
    return (uint64_t)xt;
}

static void a_child_shares_its_parents_module(void **state)
{
    static struct forth_run run;
    struct weft_forth_system *elsewhere;
    struct weft_unit *child;
    const int64_t five = 5;
    assert_int_equal(weft_forth_system_create(&weft_forth_memory_libc, &elsewhere), 0);
    open_library(&run, *state);
    assert_int_equal(weft_unit_freeze(run.unit), 0);
    const uint64_t xt = xt_of(&run, ": job ( n -- n ) quad v @ + ; 3 v ! ' job");
    void *seed = malloc(weft_unit_seed_bytes(run.unit, 1));
    assert_non_null(seed);
    weft_unit_seed(run.unit, xt, &five, 1, seed);

    // Whoever holds its words for it, no other library has the place where they are.
    const struct weft_forth_memory *memory = &weft_forth_memory_libc;
    struct weft_unit *pair[2];
    for (unsigned n = 0; n < 2; n++)
        assert_int_equal(weft_unit_sprout(*state, memory, NULL, NULL, seed, &pair[n]), 0);
    assert_ptr_equal(pair[0]->module, run.unit->module);
    assert_ptr_equal(pair[1]->module, run.unit->module);
    assert_int_equal(weft_unit_sprout(elsewhere, memory, NULL, NULL, seed, &child), -ESTALE);
    forth_close(&run);
    for (unsigned n = 0; n < 2; n++) {
        int64_t result;
        uint32_t reductions = 1000;
        assert_int_equal(weft_unit_run(pair[n], &reductions), WEFT_UNIT_DONE);
        assert_int_equal(weft_unit_cells(pair[n], &result, 1), 1);
        assert_int_equal(result, 4 * 5 + 3);
        weft_unit_free(pair[n]);
    }
    assert_int_equal(weft_unit_sprout(*state, memory, NULL, NULL, seed, &child), -ESTALE);
    weft_forth_system_free(elsewhere);
    free(seed);
}

// What is hardly more than before is left where it is; no memory leaves all as it was.
static void not_everything_is_worth_a_module(void **state)
{
    static struct forth_run run;
    forth_open(&run, *state, FORTH_PLAIN);
    assert_int_equal(weft_unit_freeze(run.unit), 0);
    assert_null(run.unit->module); // Nothing to freeze.
    for (unsigned n = 0; n < 40; n++) {
        char text[32];
        snprintf(text, sizeof(text), ": w%u %u ;", n, n);
        forth_text(&run, "t", text);
    }
    assert_int_equal(weft_unit_freeze(run.unit), 0);
    const struct weft_word_module *module = run.unit->module;
    assert_int_equal(module->word_count, 40);
    forth_text(&run, "t", ": one-more 1 ;");
    assert_int_equal(weft_unit_freeze(run.unit), 0);
    assert_ptr_equal(run.unit->module, module);
    for (unsigned n = 0; n < 10; n++)
        forth_text(&run, "t", ": again 1 ;");
    assert_int_equal(weft_unit_freeze(run.unit), 0);
    assert_int_equal(run.unit->module->word_count, 51);
    assert_int_equal(forth_text(&run, "t", "w7 one-more again + + ."), WEFT_UNIT_DONE);
    assert_string_equal(run.output, "9 ");
    forth_close(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_the_same_shares_it),
        cmocka_unit_test(a_program_does_not_see_it),
        cmocka_unit_test(words_under_way_may_be_frozen_and_thawed),
        cmocka_unit_test(a_text_above_a_parked_one_thaws_what_that_stands_in),
        cmocka_unit_test(the_quota_counts_what_is_frozen),
        cmocka_unit_test(an_image_has_its_module_or_names_it),
        cmocka_unit_test(an_image_does_not_lie_about_its_module),
        cmocka_unit_test(hostile_code_of_a_module_is_refused),
        cmocka_unit_test(a_sandbox_has_its_parents_module),
        cmocka_unit_test(a_child_shares_its_parents_module),
        cmocka_unit_test(not_everything_is_worth_a_module),
    };
    return cmocka_run_group_tests(tests, forth_compile_system, forth_free_system);
}
