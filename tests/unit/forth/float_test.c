// Floats: the standard's words from float.fth, what is printed, the way there and back through
// text, and the limits of their stack.
#include "tests/unit/forth/forth_run.h"

#include <glob.h>

#include "forth/dictionary.h"
#include "forth/ops.h"
#include "runtime/base/crc32c.h"
#include "runtime/base/endian.h"
#include "runtime/base/prng.h"

static char text[65536];

// The file as a string in `text`; false if it cannot be read.
static bool read_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) return false;
    const size_t length = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[length] = '\0';
    return length > 0 && length < sizeof(text) - 1;
}

static void prints(struct forth_run *run, const char *name, const char *output)
{
    char rendered[512] = "";
    forth_text(run, name, text);
    if (run->state == WEFT_UNIT_FAULT)
        weft_unit_error_render(&run->error, rendered, sizeof(rendered));
    assert_string_equal(rendered, "");
    assert_string_equal(run->output, output);
}

static void the_words_do_what_the_standard_says(void **state)
{
    static struct forth_run run;
    for (enum forth_mode mode = 0; mode < FORTH_MODE_COUNT; mode++) {
        assert_true(read_text(WEFT_FLOAT_FTH));
        forth_open(&run, *state, mode);
        prints(&run, "float.fth", "0 failed");
        forth_close(&run);
    }
}

// What Debian's gforth-common tests Gforth's floats with. It prints what differs.
static void gforth_s_own_test_finds_nothing(void **state)
{
    static struct forth_run run;
    glob_t found;
    if (glob("/usr/share/gforth/*/test", 0, NULL, &found) != 0) {
        print_message("no gforth-common here\n");
        skip();
    }
    for (enum forth_mode mode = 0; mode < FORTH_MODE_COUNT; mode++) {
        char path[256];
        forth_open(&run, *state, mode);
        snprintf(path, sizeof(path), "%s/ttester.fs", found.gl_pathv[0]);
        assert_true(read_text(path));
        prints(&run, "ttester.fs", "");
        snprintf(text, sizeof(text), ": { T{ ; : } }T ;");
        prints(&run, "tester.fs", "");
        snprintf(path, sizeof(path), "%s/float.fs", found.gl_pathv[0]);
        assert_true(read_text(path));
        prints(&run, "float.fs", "");
        forth_close(&run);
    }
    globfree(&found);
}

static const char *const documented[] = {
#define WORD(set, name, effect, text) name,
#include "forth/words_float.def"
#undef WORD
};

// No line without its word, and no operation on floats without its line.
static void every_word_is_documented(void **state)
{
    static struct forth_run run;
    const size_t count = sizeof(documented) / sizeof(documented[0]);
    forth_open(&run, *state, FORTH_PLAIN);
    for (size_t n = 0; n < count; n++) {
        if (weft_find(run.unit, documented[n], (uint32_t)strlen(documented[n])) == WEFT_WORD_NONE)
            fail_msg("there is no word %s", documented[n]);
    }
    for (unsigned op = WEFT_OP_f_dup; op <= WEFT_OP_set_precision; op++) {
        size_t n = 0;
        const char *name = weft_op_info[op].name;
        if (weft_find(run.unit, name, (uint32_t)strlen(name)) == WEFT_WORD_NONE) continue; // Inner.
        while (n < count && strcmp(documented[n], name) != 0)
            n++;
        if (n == count) fail_msg("no line for %s", name);
    }
    forth_close(&run);
}

static const struct {
    const char *source, *output;
} printed[] = {
    // F.: fixed-point, no zeros at the end; the standard's example is 1E3.
    {"1e3 f. 1e f. 0e f. -0e f. 1.5e f. -2.25e f.", "1000. 1. 0. -0. 1.5 -2.25 "},
    {"1e 3e f/ f. 2e 3e f/ f. 200e 3e f/ f.",
     "0.333333333333333 0.666666666666667 66.6666666666667 "},
    {"1e15 f. 123456789012345678e f. 1e-10 f.",
     "1000000000000000. 123456789012346000. 0.0000000001 "},
    {"5 set-precision 0.000236e f. 123456e f. 99999.9e f. 0.1e f.",
     "0.000236 123460. 100000. 0.1 "},
    {"1e22 f. 2e-5 f.", "10000000000000000000000. 0.00002 "},
    // FS. and FE.: all digits of PRECISION.
    {"5 set-precision 1e fs. 20e fs. 0.02e fs. -333e2 fs. 10e 3e f/ fs. 0e fs.",
     "1.0000E0 2.0000E1 2.0000E-2 -3.3300E4 3.3333E0 0.0000E0 "},
    {"5 set-precision 1e fe. 20e fe. 300e fe. 4000e fe. 1e 3e f/ fe. 2e4 3e f/ fe. 0e fe.",
     "1.0000E0 20.000E0 300.00E0 4.0000E3 333.33E-3 6.6667E3 0.0000E0 "},
    {"1 set-precision 300e fe. 999e fe. 2.5e fs. 3.5e fs. 0.05e fe.",
     "300.E0 1.E3 2.E0 4.E0 50.E-3 "},
    {"17 set-precision 0.1e fs. 5e-324 fs.", "1.0000000000000001E-1 4.9406564584124654E-324 "},
    {"1e 0e f/ f. -1e 0e f/ fs. 0e 0e f/ fe. 0e 0e f/ fnegate f.", "inf -inf nan nan "},
    // For whoever looks.
    {"f.s 1e -2.5e 1e-3 f.s 1e 0e f/ f.s", "<0> <3> 1E0 -2.5E0 1E-3 <4> 1E0 -2.5E0 1E-3 inf "},
    {"0.1e 1e23 5e-324 f.s", "<3> 1E-1 1E23 4.94065645841247E-324 "},
    {": t 1.5e 1e23 f+ f. ; see t", ": T 1.5E0 1E23 F+ F. ; "},
    {"1.5e fconstant c see c : t c ; see t", "1.5E0 FCONSTANT C : T 1.5E0 ; "},
    {"2.5e fvalue v see v -1e to v see v fvariable w see w see pi see fsin",
     "2.5E0 FVALUE V -1E0 FVALUE V CREATE W 3.141592653589793E0 FCONSTANT PI FSIN is a primitive "},
    // A sandbox has a stack of its own; a marker takes floats' words with it.
    {"1e s\" fdepth . 2e f. fdepth . f.s\" 1000 sandbox . type f.", "0 0 2. 0 <0> 1. "},
    {"1e s\" fdrop\" 1000 sandbox . 2drop fdepth .", "-45 1 "},
    {"marker m 1e fconstant c 1e fvalue v m [undefined] c . [undefined] v .", "-1 -1 "},
    {"hex 1e . decimal 1e f.", "1E 1. "},
};

static void floats_are_printed(void **state)
{
    static struct forth_run run;
    int failures = 0;
    for (enum forth_mode mode = 0; mode < FORTH_MODE_COUNT; mode++) {
        for (size_t n = 0; n < sizeof(printed) / sizeof(printed[0]); n++) {
            forth_open(&run, *state, mode);
            forth_text(&run, "test", printed[n].source);
            if (run.state == WEFT_UNIT_FAULT || strcmp(run.output, printed[n].output) != 0) {
                print_message("mode %d: %s\nprinted [%s]\n   must [%s]\n", mode, printed[n].source,
                              run.output, printed[n].output);
                failures++;
            }
            forth_close(&run);
        }
    }
    assert_int_equal(failures, 0);
}

// Property: 17 digits name a double. The same bits come back through FS. and the text interpreter,
// and what the C library reads of FS. is the same again; SEE's shorter form as well.
static void seventeen_digits_are_enough(void **state)
{
    static struct forth_run run;
    struct weft_prng prng;
    weft_prng_seed(&prng, 17);
    forth_open(&run, *state, FORTH_PLAIN);
    forth_text(&run, "test", "17 set-precision fvariable v : given v ! v f@ fs. v f@ f.s fdrop ;");
    for (int n = 0; n < 10000; n++) {
        char source[192], first[64], rest[64];
        double value, back;
        uint64_t bits = weft_prng_next(&prng);
        if (n % 4 == 0) bits &= ~(UINT64_C(0x7ff) << 52); // Denormal.
        memcpy(&value, &bits, sizeof(value));
        if (value - value != 0) continue; // Infinite, or none.
        snprintf(source, sizeof(source), "%lld given", (long long)bits);
        forth_text(&run, "test", source);
        assert_int_equal(sscanf(run.output, "%63s <1> %63s", first, rest), 2);
        back = strtod(first, NULL);
        assert_memory_equal(&back, &bits, sizeof(bits));
        snprintf(source, sizeof(source), "%s v f! v @ . %s v f! v @ .", first, rest);
        forth_text(&run, "test", source);
        snprintf(source, sizeof(source), "%lld %lld ", (long long)bits, (long long)bits);
        assert_string_equal(run.output, source);
    }
    forth_close(&run);
}

static void no_float_no_stack(void **state)
{
    static struct forth_run run;
    struct weft_unit_info before, after;
    forth_open(&run, *state, FORTH_PLAIN);
    forth_text(&run, "test", "1 2 + drop");
    weft_unit_inspect(run.unit, &before);
    forth_text(&run, "test", "1e f.");
    weft_unit_inspect(run.unit, &after);
    assert_int_equal(after.memory_bytes, before.memory_bytes); // It is idle: the stack has gone.
    forth_text(&run, "test", "1e 2e 3e");
    weft_unit_inspect(run.unit, &after);
    assert_int_equal(after.float_depth, 3);
    assert_int_equal(after.memory_bytes, before.memory_bytes + 24);
    // What a text has piled up goes when it is idle and nothing is left of it.
    forth_text(&run, "test", ": t 1000 0 do 1e loop 1003 0 do fdrop loop ; t marker m");
    weft_unit_inspect(run.unit, &after);
    assert_int_equal(after.float_depth, 0);
    assert_in_range(after.memory_bytes, before.memory_bytes, before.memory_bytes + 1024);
    forth_close(&run);
}

static void the_stack_has_its_quota(void **state)
{
    static struct forth_run run;
    static const char fill[] = "variable n : t begin 1 n +! %s again ; t";
    static const char *const pushing[] = {
        "1e", "fdup", "fover", "v f@", "1 s>f", "1. d>f", "v sf@", "s\" 1\" >float drop", "w"};
    const struct weft_unit_options narrow = {.memory_bytes_max = 1 << 20,
                                             .stack_cells_max = 100,
                                             .call_depth_max = 64,
                                             .output_bytes_max = 1024};
    const struct weft_unit_options small = {.memory_bytes_max = 8192,
                                            .stack_cells_max = 1 << 20,
                                            .call_depth_max = 64,
                                            .output_bytes_max = 1024};
    for (size_t n = 0; n < sizeof(pushing) / sizeof(pushing[0]); n++) {
        char source[128];
        int64_t pushed = 0;
        run.options = &narrow;
        forth_open(&run, *state, FORTH_PLAIN);
        forth_text(&run, "test", "fvariable v 1e fvalue w 1e 1e");
        snprintf(source, sizeof(source), fill, pushing[n]);
        forth_text(&run, "test", source);
        assert_int_equal(run.state, WEFT_UNIT_FAULT);
        assert_int_equal(run.error.code, -44);
        assert_true(weft_unit_value(run.unit, "n", &pushed));
        assert_int_equal(pushed, 99); // On top of two: the last is one too many.
        forth_close(&run);

        run.options = &small;
        forth_open(&run, *state, FORTH_PLAIN);
        forth_text(&run, "test", "fvariable v 1e fvalue w 1e 1e");
        forth_text(&run, "test", source);
        assert_int_equal(run.state, WEFT_UNIT_FAULT);
        assert_int_equal(run.error.code, WEFT_THROW_MEMORY);
        forth_close(&run);
    }
    run.options = NULL;
}

static void floats_stay_from_text_to_text(void **state)
{
    static struct forth_run run;
    for (enum forth_mode mode = 0; mode < FORTH_MODE_COUNT; mode++) {
        forth_open(&run, *state, mode);
        forth_text(&run, "test", "1e 2e fdepth . yield f.s");
        assert_string_equal(run.output, "2 <2> 1E0 2E0 ");
        forth_text(&run, "test", "f.s fdrop f.");
        assert_string_equal(run.output, "<2> 1E0 2E0 1. ");
        forth_text(&run, "test", "1e 2e 5 throw");
        assert_int_equal(run.error.code, 5);
        forth_text(&run, "test", "fdepth .");
        assert_string_equal(run.output, "0 ");
        forth_close(&run);
    }
}

static bool nothing_yet(void *self, struct weft_unit_message *message)
{
    *message = (struct weft_unit_message){.payload = "", .length = 0};
    return *(bool *)self;
}

// A parked program's floats are out of reach, and there again afterwards.
static void a_text_above_a_parked_one_has_floats_of_its_own(void **state)
{
    static struct forth_run run;
    for (enum forth_mode mode = 0; mode < FORTH_MODE_COUNT; mode++) {
        bool arrived = false;
        const struct weft_unit_host host = {.self = &arrived, .receive = nothing_yet};
        run.host = &host;
        forth_open(&run, *state, mode);
        forth_text(&run, "below", "1e 2e receive 2drop 2drop f.s");
        assert_int_equal(run.state, WEFT_UNIT_WAIT);
        forth_text(&run, "above", "fdepth . 3e 4e fdepth . ' frot catch .");
        assert_string_equal(run.output, "0 2 -45 ");
        forth_text(&run, "again", "fdepth . 5e fdrop fdrop");
        assert_int_equal(run.error.code, -45);
        assert_string_equal(run.output, "0 ");
        arrived = true;
        assert_int_equal(weft_unit_state(run.unit), WEFT_UNIT_WAIT);
        forth_go(&run, UINT64_MAX);
        assert_string_equal(run.output, "0 <2> 1E0 2E0 ");
        forth_close(&run);
    }
    run.host = NULL;
}

// Where the heights and the precision lie in an image's block, behind its 80 bytes of header.
enum { FSP = 80 + 156, FBASE = 80 + 168, PRECISION = 80 + 224 };

static void an_image_does_not_lie_about_floats(void **state)
{
    static const struct {
        size_t at;
        uint32_t value;
        int code;
    } cases[] = {
        {FSP, 2, 0},
        {FSP, 3, 0},
        {FSP, 9, -EBADMSG},
        {FSP, UINT32_MAX, -EBADMSG},
        {FBASE, 1, -EBADMSG},
        {FBASE, 9, -EBADMSG},
        {PRECISION, 800, 0},
        {PRECISION, 0, -EBADMSG},
        {PRECISION, 801, -EBADMSG},
    };
    static struct forth_run run;
    static uint8_t image[65536];
    forth_open(&run, *state, FORTH_PLAIN);
    forth_text(&run, "test", "1e 2e 3e 7 set-precision");
    const int64_t bytes = weft_unit_save(run.unit, image, sizeof(image));
    assert_true(bytes > 0);
    forth_close(&run);
    assert_int_equal(weft_le32_get(image + FSP), 3);
    assert_int_equal(weft_le32_get(image + FBASE), 0);
    assert_int_equal(weft_le32_get(image + PRECISION), 7);
    for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        struct weft_unit *unit;
        const uint32_t before = weft_le32_get(image + cases[n].at);
        weft_le32_put(image + cases[n].at, cases[n].value);
        weft_le32_put(image + 12, weft_crc32c(0, image + 16, (size_t)bytes - 16));
        const int code = weft_unit_load(*state, &weft_forth_memory_libc, NULL, NULL, image,
                                        (size_t)bytes, &unit);
        assert_int_equal(code, cases[n].code);
        if (code == 0) weft_unit_free(unit);
        weft_le32_put(image + cases[n].at, before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_words_do_what_the_standard_says),
        cmocka_unit_test(every_word_is_documented),
        cmocka_unit_test(gforth_s_own_test_finds_nothing),
        cmocka_unit_test(floats_are_printed),
        cmocka_unit_test(seventeen_digits_are_enough),
        cmocka_unit_test(no_float_no_stack),
        cmocka_unit_test(the_stack_has_its_quota),
        cmocka_unit_test(floats_stay_from_text_to_text),
        cmocka_unit_test(a_text_above_a_parked_one_has_floats_of_its_own),
        cmocka_unit_test(an_image_does_not_lie_about_floats),
    };
    return cmocka_run_group_tests(tests, forth_compile_system, forth_free_system);
}
