// Images: what is refused and why, and that no damage of one gets past the checks.
#include "tests/unit/forth/forth_run.h"

#include "forth/dictionary.h"
#include "forth/ops.h"
#include "runtime/base/crc32c.h"
#include "runtime/base/endian.h"
#include "runtime/base/prng.h"
#include "runtime/base/sha256.h"

enum { IMAGE_BYTES_MAX = 1 << 16 };

static const char program[] =
    "variable v : w create , does> @ + ; 5 w x defer d 3 constant c "
    ": fib dup 2 < if exit then dup 1- recurse swap 2 - recurse + ; "
    ": t ['] fib catch drop ; ' t is d : u 10 0 do i d . 6 x v +! loop ; u v @ . "
    "s\" 20 fib . u\" 100000 sandbox . type";
static const char printed[] = "0 1 1 2 3 5 8 13 21 34 110 0 6765 0 1 1 2 3 5 8 13 21 34 ";

static size_t save(const struct weft_unit *unit, uint8_t *image)
{
    const int64_t bytes = weft_unit_save(unit, image, IMAGE_BYTES_MAX);
    assert_true(bytes > 0);
    return (size_t)bytes;
}

static int load(void **state, const uint8_t *image, size_t bytes, struct weft_unit **unit)
{
    return weft_unit_load(*state, &weft_forth_memory_libc, NULL, NULL, image, bytes, unit);
}

static void seal(uint8_t *image, size_t bytes)
{
    const uint32_t module_bytes = weft_le32_get(image + 40);
    if (module_bytes > 0 && module_bytes <= bytes - 80)
        weft_sha256(image + 80, module_bytes, image + 48);
    weft_le32_put(image + 12, weft_crc32c(0, image + 16, bytes - 16));
}

static void an_image_goes_on_where_it_was(void **state)
{
    static uint8_t image[IMAGE_BYTES_MAX], again[IMAGE_BYTES_MAX];
    static struct forth_run run;
    forth_open(&run, *state, FORTH_PLAIN);
    assert_int_equal(weft_unit_interpret(run.unit, "t", program, sizeof(program) - 1), 0);
    for (int n = 0; n < 40; n++) {
        uint32_t reductions = 7;
        weft_unit_run(run.unit, &reductions);
    }
    const size_t bytes = save(run.unit, image);
    for (int copy = 0; copy < 3; copy++) {
        struct forth_run other = {.mode = FORTH_PLAIN};
        assert_int_equal(load(state, image, bytes, &other.unit), 0);
        assert_int_equal(save(other.unit, again), bytes);
        forth_go(&other, UINT64_MAX);
        forth_close(&other);
    }
    forth_go(&run, UINT64_MAX);
    assert_string_equal(run.output, printed);
    assert_int_equal(weft_unit_save(run.unit, image, 100), -ENOSPC);
    forth_close(&run);
}

static void what_is_not_an_image_of_ours_is_refused(void **state)
{
    static uint8_t image[IMAGE_BYTES_MAX];
    struct weft_unit *unit;
    static struct forth_run run;
    forth_open(&run, *state, FORTH_PLAIN);
    forth_text(&run, "t", program);
    const size_t bytes = save(run.unit, image);
    forth_close(&run);

    for (size_t n = 0; n < bytes; n += n < 64 ? 1 : 61)
        assert_int_not_equal(load(state, image, n, &unit), 0);
    assert_int_equal(load(state, image, 0, &unit), -EBADMSG);
    image[bytes / 2] ^= 1;
    assert_int_equal(load(state, image, bytes, &unit), -EBADMSG);
    image[bytes / 2] ^= 1;
    image[8]++;
    assert_int_equal(load(state, image, bytes, &unit), -EPROTONOSUPPORT);
    image[8]--;
    image[16]++;
    seal(image, bytes);
    assert_int_equal(load(state, image, bytes, &unit), -ESTALE);
    image[16]--;
    seal(image, bytes);
    const struct weft_unit_options tight = {.memory_bytes_max = 1024,
                                            .stack_cells_max = 64,
                                            .call_depth_max = 64,
                                            .output_bytes_max = 64};
    assert_int_equal(
        weft_unit_load(*state, &weft_forth_memory_libc, &tight, NULL, image, bytes, &unit),
        -ENOSPC);
    assert_int_equal(load(state, image, bytes, &unit), 0);
    weft_unit_free(unit);
}

static void the_header_is_as_documented(void **state)
{
    static uint8_t image[IMAGE_BYTES_MAX];
    static struct forth_run run;
    forth_open(&run, *state, FORTH_PLAIN);
    const size_t bytes = save(run.unit, image);
    assert_memory_equal(image, "weftunit\3\0\0\0", 12);
    assert_int_equal(weft_le32_get(image + 12), weft_crc32c(0, image + 16, bytes - 16));
    assert_int_equal(weft_le64_get(image + 16), weft_forth_system_hash(*state));
    assert_int_equal(weft_le32_get(image + 24), bytes - 80);
    assert_int_equal(weft_le32_get(image + 28), 0);
    assert_int_equal(weft_le64_get(image + 32), 0);
    for (unsigned n = 40; n < 80; n++)
        assert_int_equal(image[n], 0);                                // No module.
    assert_int_equal(weft_le32_get(image + 80), 280);                 // The data space begins,
    assert_int_equal(weft_le32_get(image + 80 + 4), 24);              // with three variables,
    assert_int_equal(weft_le64_get(image + 80 + 280), 10);            // of which BASE is the first.
    assert_int_equal(weft_le32_get(image + 80 + 17 * 8), bytes - 80); // The block's own size.
    forth_close(&run);
}

// However many reductions an image says that its sandbox has left, it has no more than a program
// could have asked for.
static void a_sandbox_is_bounded_by_the_unit(void **state)
{
    static uint8_t image[IMAGE_BYTES_MAX];
    static const uint64_t said[] = {UINT64_MAX, UINT64_C(1) << 63, 1 << 30};
    static struct forth_run run;
    forth_open(&run, *state, FORTH_PLAIN);
    static const char text[] = "s\" : a begin again ; a\" 5000 sandbox . 2drop";
    assert_int_equal(weft_unit_interpret(run.unit, "t", text, sizeof(text) - 1), 0);
    uint32_t reductions = 1000;
    weft_unit_run(run.unit, &reductions);
    const size_t bytes = save(run.unit, image);
    assert_in_range(weft_le64_get(image + 32), 3000, 5000);
    forth_close(&run);
    for (unsigned n = 0; n < 3; n++) {
        struct forth_run other = {.mode = FORTH_PLAIN};
        weft_le64_put(image + 32, said[n]);
        seal(image, bytes);
        assert_int_equal(load(state, image, bytes, &other.unit), 0);
        forth_go(&other, 2 * weft_unit_options_default.sandbox_reductions_max);
        assert_string_equal(other.output, "-256 ");
        forth_close(&other);
    }
}

// A call to what was defined later is nothing that a compiler writes; and it could be forgotten.
static void no_word_calls_a_later_one(void **state)
{
    static uint8_t image[IMAGE_BYTES_MAX];
    static struct forth_run run;
    struct weft_unit *unit;
    forth_open(&run, *state, FORTH_PLAIN);
    forth_text(&run, "t", ": a 1 ; : b a a + ; : c 2 ;");
    uint16_t *code = weft_own_code(run.unit->block) + weft_own_word(run.unit, 1)->code;
    size_t bytes = save(run.unit, image);
    assert_int_equal(load(state, image, bytes, &unit), 0);
    weft_unit_free(unit);
    assert_int_equal(code[0], WEFT_OP_call);
    code[1] += 2; // From a to c.
    bytes = save(run.unit, image);
    assert_int_equal(load(state, image, bytes, &unit), -EBADMSG);
    forth_close(&run);
}

// A part of an open definition that is closed already is verified: it may not call a local, which
// goes when the definition is closed, and the open part has no end yet.
static void what_is_open_is_verified_as_far_as_it_is_closed(void **state)
{
    static uint8_t image[IMAGE_BYTES_MAX];
    static struct forth_run run;
    struct weft_unit *unit;
    forth_open(&run, *state, FORTH_PLAIN);
    forth_text(&run, "t", ": a 1 ; : mk a a create , does> {: b :} [");
    assert_int_equal(weft_own_word(run.unit, 3)->kind, WEFT_WORD_LOCAL);
    uint16_t *code = weft_own_code(run.unit->block) + weft_own_word(run.unit, 1)->code;
    assert_int_equal(code[0], WEFT_OP_call);
    size_t bytes = save(run.unit, image);
    assert_int_equal(load(state, image, bytes, &unit), 0);
    weft_unit_free(unit);
    code[1] += 3; // From a to b.
    bytes = save(run.unit, image);
    assert_int_equal(load(state, image, bytes, &unit), -EBADMSG);
    code[1] -= 3;
    for (uint32_t n = 1; n <= 2; n++) { // Its parts are words of their own kind.
        weft_own_word_open(run.unit, n)->kind = WEFT_WORD_MARKER;
        bytes = save(run.unit, image);
        assert_int_equal(load(state, image, bytes, &unit), -EBADMSG);
        weft_own_word_open(run.unit, n)->kind = WEFT_WORD_COLON;
    }
    weft_own_word_open(run.unit, 2)->code_length = 1;
    bytes = save(run.unit, image);
    assert_int_equal(load(state, image, bytes, &unit), 0);
    assert_int_equal(weft_own_word(unit, 2)->code_length, 0);
    weft_unit_free(unit);
    forth_close(&run);
}

// Nor is what CREATE has made code of another kind, whatever an image says: it stays as it was.
static void what_cannot_do_another_thing_does_what_it_did(void **state)
{
    static uint8_t image[IMAGE_BYTES_MAX];
    static struct forth_run run;
    static const uint16_t other[] = {WEFT_OP_lit16, 7, WEFT_OP_lit16, 5, WEFT_OP_exit};
    forth_open(&run, *state, FORTH_PLAIN);
    forth_text(&run, "t", ": g does> drop ; : t s\" g\" ['] evaluate catch . 2drop ; create w");
    const struct weft_word *word = weft_own_word(run.unit, weft_own_words(run.unit->block) - 1);
    assert_int_equal(word->code_length, 5);
    memcpy(weft_own_code(run.unit->block) + word->code, other, sizeof(other));
    const size_t bytes = save(run.unit, image);
    weft_unit_free(run.unit);
    assert_int_equal(load(state, image, bytes, &run.unit), 0);
    assert_int_equal(forth_text(&run, "t", "t w . . t w . ."), WEFT_UNIT_DONE);
    assert_string_equal(run.output, "-32 5 7 -32 5 7 ");
    forth_close(&run);
}

// What is not closed is not executed either: it may be dropped at any time, and with it where a
// program would come back to.
static void nothing_comes_back_to_what_is_open(void **state)
{
    static uint8_t image[IMAGE_BYTES_MAX];
    static struct forth_run run;
    struct weft_unit *unit;
    forth_open(&run, *state, FORTH_PLAIN);
    static const char text[] = ": a yield ; : b a 1 drop ; : mk 1 drop create does> [ b";
    assert_int_equal(weft_unit_interpret(run.unit, "t", text, sizeof(text) - 1), 0);
    uint64_t *place = NULL;
    for (unsigned n = 0; n < 1000 && place == NULL; n++) {
        uint32_t reductions = 1;
        assert_int_equal(weft_unit_run(run.unit, &reductions), WEFT_UNIT_AGAIN);
        uint64_t *calls = weft_calls(run.unit->block);
        const bool is_open = weft_own_words(run.unit->block) == 4;
        for (uint32_t at = 0; at < run.unit->block->csp && is_open; at++) {
            if (!(calls[at] & (WEFT_CODE_SPECIAL | WEFT_CODE_SYSTEM))) place = &calls[at];
        }
    }
    assert_non_null(place);
    const struct weft_word *open = weft_own_word(run.unit, 2);
    assert_true(run.unit->block->definition == 4 && !(open->flags & WEFT_WORD_VALID));
    size_t bytes = save(run.unit, image);
    assert_int_equal(load(state, image, bytes, &unit), 0);
    weft_unit_free(unit);
    *place = (*place & ~(uint64_t)WEFT_CODE_OFFSET) | open->code;
    bytes = save(run.unit, image);
    assert_int_equal(load(state, image, bytes, &unit), -EBADMSG);
    forth_close(&run);
}

// A name may come with code that nobody verifies, as it cannot be executed: nor is it looked at.
static void what_is_not_verified_is_not_shown(void **state)
{
    static uint8_t image[IMAGE_BYTES_MAX];
    static struct forth_run run;
    forth_open(&run, *state, FORTH_PLAIN);
    forth_text(&run, "t", ": a 1 2 ; 5 constant b");
    for (uint32_t n = 0; n < 2; n++) {
        struct weft_word *word = weft_own_word_open(run.unit, n);
        word->flags &= (uint8_t)~WEFT_WORD_VALID;
        memset(weft_own_code(run.unit->block) + word->code, 0xff, word->code_length * 2);
    }
    const size_t bytes = save(run.unit, image);
    weft_unit_free(run.unit);
    assert_int_equal(load(state, image, bytes, &run.unit), 0);
    assert_int_equal(forth_text(&run, "t", "see a"), WEFT_UNIT_FAULT);
    assert_int_equal(run.error.code, -13);
    assert_int_equal(forth_text(&run, "t", "see b"), WEFT_UNIT_FAULT);
    assert_int_equal(run.error.code, -13);
    forth_close(&run);
}

// What an image's word would make of others need not be there any more: then nothing is made.
static void a_part_that_is_forgotten_does_nothing(void **state)
{
    static uint8_t image[IMAGE_BYTES_MAX];
    static const char *const texts[] = {
        "forget a : t s\" f w\" ['] evaluate catch . 2drop ; t ' w >body ' w execute - .",
        ("forget a create x create y create z : t s\" f w\" ['] evaluate catch . 2drop ; t "
         "' w >body ' w execute - ."),
        "forget a create x : t s\" f w\" ['] evaluate catch . 2drop ; t ' w >body ' w execute - .",
    };
    for (size_t n = 0; n < sizeof(texts) / sizeof(texts[0]); n++) {
        static struct forth_run run;
        forth_open(&run, *state, FORTH_PLAIN);
        forth_text(&run, "t", ": f create does> drop ; : a ; : b ; : c ; : d ; : e ;");
        const struct weft_word *f = weft_own_word(run.unit, 0);
        uint16_t *code = weft_own_code(run.unit->block) + f->code;
        assert_int_equal(code[f->code_length - 3], WEFT_OP_set_does);
        code[f->code_length - 2] += 5; // From its own part to e.
        const size_t bytes = save(run.unit, image);
        weft_unit_free(run.unit);
        assert_int_equal(load(state, image, bytes, &run.unit), 0);
        forth_text(&run, "t", texts[n]);
        assert_string_equal(run.output, "-32 0 ");
        forth_close(&run);
    }
}

// Property: an image with any bytes changed, under a right checksum, is refused or runs inside its
// unit. The sanitizers see what would be outside; the seed is printed by the loop's message.
static void damage_to(void **state, const char *text, unsigned step)
{
    static uint8_t image[IMAGE_BYTES_MAX], damaged[IMAGE_BYTES_MAX];
    static struct forth_run run;
    struct weft_prng prng;
    forth_open(&run, *state, FORTH_PLAIN);
    assert_int_equal(weft_unit_interpret(run.unit, "t", text, strlen(text)), 0);
    int loaded = 0;
    for (unsigned seed = 0; seed < 3000; seed++) {
        uint32_t reductions = step;
        weft_unit_run(run.unit, &reductions);
        if (seed % 5 == 0) assert_int_equal(weft_unit_freeze(run.unit), 0);
        const size_t bytes = save(run.unit, image);
        memcpy(damaged, image, bytes);
        weft_prng_seed(&prng, seed);
        for (uint32_t n = weft_prng_below(&prng, 4); n < 4; n++)
            damaged[24 + weft_prng_below(&prng, (uint32_t)bytes - 24)] =
                (uint8_t)weft_prng_next(&prng);
        seal(damaged, bytes);
        struct weft_unit *unit;
        if (load(state, damaged, bytes, &unit) != 0) continue;
        loaded++;
        for (int n = 0; n < 5; n++) {
            reductions = 200;
            weft_unit_run(unit, &reductions);
        }
        weft_unit_free(unit);
    }
    assert_true(loaded > 100); // Most bytes are data, which may be anything.
    forth_close(&run);
}

static void damage_stays_inside(void **state)
{
    damage_to(state, program, 3);
}

// Word lists, locals, synonyms, the heap: each a thing of its own in the block.
static void damage_to_the_word_sets_stays_inside(void **state)
{
    damage_to(state,
              "wordlist constant w also w get-order nip swap 1 set-order drop only w set-current "
              ": x 5 ; synonym y x forth-wordlist set-current marker m "
              ": t {: a b | c :} 9 0 do a b + i + to c 40 allocate throw to a c a ! a @ drop "
              "a 90 resize throw free throw loop a b c ; "
              "s\" z\" s\" n\" replaces 1 2 t 2drop drop "
              ": u {: a :} [ 1 2 t 2drop drop ] a ; 3 u drop m 1 2 "
              ": v {: p q | r :} p [ s\" 1 yield 2 yield 3\" evaluate 2drop drop ] q ; v",
              2);
}

// Two modules of the same words have the same name: a unit may move from core to core.
static void the_system_module_is_named_by_its_content(void **state)
{
    struct weft_forth_system *other;
    assert_int_equal(weft_forth_system_create(&weft_forth_memory_libc, &other), 0);
    assert_int_equal(weft_forth_system_hash(other), weft_forth_system_hash(*state));
    weft_forth_system_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_goes_on_where_it_was),
        cmocka_unit_test(what_is_not_an_image_of_ours_is_refused),
        cmocka_unit_test(the_header_is_as_documented),
        cmocka_unit_test(a_sandbox_is_bounded_by_the_unit),
        cmocka_unit_test(no_word_calls_a_later_one),
        cmocka_unit_test(what_cannot_do_another_thing_does_what_it_did),
        cmocka_unit_test(nothing_comes_back_to_what_is_open),
        cmocka_unit_test(what_is_not_verified_is_not_shown),
        cmocka_unit_test(a_part_that_is_forgotten_does_nothing),
        cmocka_unit_test(what_is_open_is_verified_as_far_as_it_is_closed),
        cmocka_unit_test(damage_stays_inside),
        cmocka_unit_test(damage_to_the_word_sets_stays_inside),
        cmocka_unit_test(the_system_module_is_named_by_its_content),
    };
    return cmocka_run_group_tests(tests, forth_compile_system, forth_free_system);
}
