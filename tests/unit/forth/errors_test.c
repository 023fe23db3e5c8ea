// What a bad program does to itself, to nobody else, and what it is told.
#include "tests/unit/forth/forth_run.h"

static const struct {
    const char *source;
    int32_t code;
    const char *rendered; // How the message begins; NULL: any.
} cases[] = {
    {"1 2 +\n: sq dup * ;\n3 sq\n\n\n\n  4 zork 5\n", -13,
     "test:7:5: error: undefined word: zork (THROW -13)\n  4 zork 5\n    ^~~~\n"},
    {": f\n  1\n  zork\n;", -13,
     "test:3:3: error: undefined word: zork (THROW -13)\n  zork\n  ^~~~\n"},
    {": avg 0 / ;\n1 avg", -10, "test:2:3: error: division by zero (THROW -10)\n1 avg\n  ^~~\n"},
    {": half 0 / ;\n: avg half ; 1 avg", -10,
     "test:2:16: error: division by zero (THROW -10) in half\n"},
    {": e s\" 1 zork\" evaluate ;\n e", -13,
     "evaluate:1:3: error: undefined word: zork (THROW -13)\n1 zork\n  ^~~~\nfrom test:2:2\n"},
    {"\tzork", -13, "test:1:2: error: undefined word: zork (THROW -13)\n\tzork\n\t^~~~\n"},
    {"zo\x7frk \x1b[2J", -13,
     "test:1:1: error: undefined word: zo?rk (THROW -13)\nzo?rk ?[2J\n^~~~~\n"},
    {": t 1 abort\" no tea\" ; t", -2, "test:1:24: error: no tea (THROW -2)\n"},
    {": t abort ; t", -1, "test:1:13: error: aborted (THROW -1)\n"},
    {"1234 throw", 1234, "test:1:6: error: uncaught exception (THROW 1234)\n"},

    // The stacks.
    {"drop", -4, "test:1:1: error: stack underflow (THROW -4)\ndrop\n^~~~\n"},
    {": t + ; 1 t", -4, NULL},
    {": t drop drop drop ; 1 t", -4, NULL},
    {": t ?dup drop drop drop ; 1 t", -4, NULL},
    {": t begin 1 again ; t", -3, NULL},
    {": t 1 recurse ; t", -3, NULL}, // The data stack holds 64 in this test, calls 256.
    {": t recurse ; t", -5, NULL},
    {": t recurse drop ; t", -5, NULL},
    {": t begin 1 >r again ; t", -5, NULL},
    {": t r> ; t", -6, NULL},
    {": t 1 >r ; t", -25, NULL},
    {": t 3 0 do exit loop ; t", -25, NULL},
    {": t i ; t", -6, NULL},
    {"1 5 pick", -4, NULL},
    {"1 5 roll", -4, NULL},
    {"1 -1 pick", -4, NULL},
    {": t s\" t\" evaluate ; t", -5, NULL},
    {"defer d : t ['] d catch throw ; ' t is d t", -5, NULL},
    {": t ['] recurse execute ; t", -14, NULL},

    // Memory.
    {"0 0 !", -9, NULL},
    {"1 0 @", -9, NULL},
    {"-8 @", -9, NULL},
    {"1 here 1000000 + !", -9, NULL},
    {"1 $ffffffff00000000 !", -9, NULL},
    {": t 1 1 ! ; t", -9, NULL},
    {"$7fffffffffffffff 2@", -9, NULL},
    {"here 100000000 erase", -9, NULL},
    {"pad 5000 0 fill", -9, NULL},
    {"here pad -1 move", -9, NULL},
    {"0 5 type", -9, NULL},
    {"s\" abc\" drop -1 type", -9, NULL},
    {"source drop 1 swap c!", -9, NULL}, // Texts are read-only,
    {"1 $40000000 !", -9, NULL},         // and so is what all units share.
    {"1 $10000 8 - !", -9, NULL},
    {"here $10000 - negate 1+ allot", -8, NULL},
    {"1000000000000 allot", -8, NULL},
    {"-1 1 rshift allot", -8, NULL},
    {": t begin 1 , again ; t", -8, NULL},
    {": t begin 1000 allot again ; t", -8, NULL},
    {"0 evaluate", -4, NULL},
    {"0 10 evaluate", -9, NULL},

    // Numbers.
    {"1 0 /", -10, NULL},
    {"1 0 mod", -10, NULL},
    {"$8000000000000000 -1 /", -11, NULL},
    {"$8000000000000000 -1 mod", -11, NULL},
    {"$8000000000000000 -1 /mod", -11, NULL},
    {"1 0 0 um/mod", -10, NULL},
    {"0 1 1 um/mod", -11, NULL},
    {"0 $8000000000000000 -1 sm/rem", -11, NULL},
    {"0 $8000000000000000 -1 fm/mod", -11, NULL},
    {"1 2 0 */", -10, NULL},
    {"$8000000000000000 -1 1 */", -11, NULL},
    {"1. 1 0 m*/", -10, NULL},
    {"-1 9223372036854775807 3 1 m*/", -11, NULL},
    {"-1 9223372036854775807 9223372036854775807 1 m*/", -11, NULL},
    {"0 -9223372036854775808 -1 1 m*/", -11, NULL},
    {"2 -9223372036854775808 -3 2 m*/", -11, NULL},
    {": t >r {: a :} r> ;", -22, NULL},
    {": t 3 0 do i {: a :} loop ;", -22, NULL},
    {": t if >r else 5 >r then {: a :} r> ;", -22, NULL},
    {": t {: a :} 5 >r {: b :} r> ;", -22, NULL},
    {"0 base ! 5 .", -262, NULL},
    {"99 base ! 5", -262, NULL},
    {": t 0 <# 300 0 do 1 hold loop ; t", -17, NULL},

    // The compiler.
    {"if", -14, NULL},
    {": t if ; t", -22, NULL},
    {": t then ;", -22, NULL},
    {": t begin then ;", -22, NULL},
    {": t 0 do ;", 0, NULL}, // An open loop runs once.
    {": t loop ;", -22, NULL},
    {": t repeat ;", -22, NULL},
    {": t [ 12345 ] then ;", -22, NULL},
    {": t [ $574f00000000 ] then ;", -22, NULL}, // A forged origin.
    {": t [ $574f00000001 ] then 1 2 ;", -22, NULL},
    {": t [ $574c00000001 $574400000000 ] loop ; t", -6, NULL},
    {": t [ $574cffffffff $574400000000 ] loop ; : u 0 do leave [ 2drop ] ; u", -22, NULL},
    {": t [ : u ] ;", -29, NULL},
    {": t [ create x ] ;", -29, NULL},
    {": t [ marker x ] ;", -29, NULL},
    {";", -14, NULL},
    {"] dup", -14, NULL},
    {":", -16, NULL},
    {"create", -16, NULL},
    {"' zork", -13, NULL},
    {"'", -16, NULL},
    {"postpone", -14, NULL},
    {": t postpone zork ;", -13, NULL},
    {"0 execute", -13, NULL},
    {"-1 execute", -13, NULL},
    {"123456789 execute", -13, NULL},
    {"0 catch .", 0, NULL},                   // Caught: -13 on the stack.
    {":noname [ dup execute ] ;", -13, NULL}, // A word that is not finished.
    {": t [ 99999 ] [ compile, ] ;", -13, NULL},
    {"defer d d", -261, NULL},
    {"5 to dup", -32, NULL},
    {"' dup >body", -31, NULL},
    {"does>", -14, NULL},
    {": d does> ; d", -32, NULL},
    {": t 1 ; : d does> ; d", -32, NULL},
    {"marker m : t m ; t", -15, NULL}, // A word may not forget itself while it runs.
    {": t forget 5 . ; t t", -15, NULL},
    {": a ; : t forget 5 . ; t a", -15, NULL},
    {"marker m : t s\" m\" evaluate ; t", -15, NULL},
    {"refill drop s\" x\" 2drop char", -16, NULL},
    {"word", -4, NULL},
};

static const struct weft_unit_options options = {
    .memory_bytes_max = 32768,
    .stack_cells_max = 64,
    .call_depth_max = 256,
    .output_bytes_max = 1024,
    .sandbox_reductions_max = 100000,
};

static void bad_programs_are_told_what_and_where(void **state)
{
    static struct forth_run run = {.options = &options};
    int failures = 0;
    for (enum forth_mode mode = 0; mode < FORTH_MODE_COUNT; mode++) {
        for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
            char text[512] = "";
            forth_open(&run, *state, mode);
            memset(&run.error, 0, sizeof(run.error));
            forth_text(&run, "test", cases[n].source);
            if (run.state == WEFT_UNIT_FAULT)
                weft_unit_error_render(&run.error, text, sizeof(text));
            const char *must = cases[n].rendered != NULL ? cases[n].rendered : "";
            if (run.error.code != cases[n].code || strncmp(text, must, strlen(must)) != 0) {
                failures++;
                print_message("mode %d: %s\nTHROW %d: %s, must be %d: %s\n", mode, cases[n].source,
                              run.error.code, text, cases[n].code, must);
            }
            // Whatever it did, the unit lives, with empty stacks; unless its memory is full.
            const char *after = "decimal depth . : again 1 2 + ; again .";
            const bool full =
                strstr(cases[n].source, ", again") || strstr(cases[n].source, "t again");
            if (cases[n].code != 0 && !full && strstr(cases[n].source, "base !") == NULL) {
                forth_text(&run, "after", after);
                if (strcmp(run.output, "0 3 ") != 0) {
                    failures++;
                    print_message("after %s: %s\n", cases[n].source, run.output);
                }
            }
            forth_close(&run);
        }
    }
    assert_int_equal(failures, 0);
}

// A spinning unit spends its slice and no more; its sibling's program is not a reduction longer.
static void a_spinning_unit_does_not_delay_its_sibling(void **state)
{
    static struct forth_run spinning, sibling;
    static const char *const loops[] = {
        "begin again",
        ": t begin again ; t",
        ": t 1 begin dup while repeat ; t",
        ": t -1 0 do loop ; t",
        ": t -1 1 do 0 +loop ; t",
        ": t begin here here 0 move again ; t",
        ": t begin s\" 1 drop\" evaluate again ; t",
        ": t begin ['] abort catch drop again ; t",
        ": a defer ; ",
        "20000 allot : t begin $10020 19000 0 fill again ; t",
        "20000 allot : t begin $10020 9000 $12a20 9000 compare drop again ; t",
        ": t begin s\" begin again\" evaluate again ; t",
        ": t begin s\" begin 1 drop again\" 100000 sandbox 2drop drop again ; t",
        ": t begin s\" : u begin again ; u\" 100000 sandbox 2drop drop again ; t",
    };
    for (size_t n = 0; n < sizeof(loops) / sizeof(loops[0]); n++) {
        forth_open(&spinning, *state, FORTH_PLAIN);
        forth_open(&sibling, *state, FORTH_PLAIN);
        assert_int_equal(weft_unit_interpret(spinning.unit, "a", loops[n], strlen(loops[n])), 0);
        const char *sum = ": t 0 1001 0 do i + loop ; t .";
        assert_int_equal(weft_unit_interpret(sibling.unit, "b", sum, strlen(sum)), 0);
        int turns = 0;
        do {
            uint32_t reductions = 2000;
            weft_unit_run(spinning.unit, &reductions);
            struct weft_unit_info info;
            weft_unit_inspect(spinning.unit, &info);
            // A slice overshoots by one bounded primitive at most.
            assert_true(info.reductions <= (uint64_t)(turns + 1) * (2000 + 400));
            forth_go(&sibling, sibling.slices + 1);
            turns++;
        } while (sibling.state == WEFT_UNIT_AGAIN);
        assert_string_equal(sibling.output, "500500 ");
        assert_int_equal(turns, 1);
        forth_close(&spinning);
        forth_close(&sibling);
    }
}

static void output_is_bounded_and_counted(void **state)
{
    static struct forth_run run = {.options = &options};
    forth_open(&run, *state, FORTH_PLAIN);
    const char *text = ": t 5000 0 do 65 emit loop ; t";
    uint32_t reductions = 100000;
    assert_int_equal(weft_unit_interpret(run.unit, "t", text, strlen(text)), 0);
    assert_int_equal(weft_unit_run(run.unit, &reductions), WEFT_UNIT_DONE);
    assert_int_equal(weft_unit_output_bytes(run.unit), 1024);
    struct weft_unit_info info;
    weft_unit_inspect(run.unit, &info);
    assert_int_equal(info.output_dropped, 5000 - 1024);
    forth_close(&run);
}

// Memory that the host refuses is a THROW as a quota is, at whatever moment it is refused.
static size_t allowance;

static void *scarce(void *self, void *block, size_t old_bytes, size_t new_bytes)
{
    if (new_bytes > old_bytes && allowance-- == 0) {
        allowance = 0;
        return NULL;
    }
    return weft_forth_memory_libc.resize(self, block, old_bytes, new_bytes);
}

static void refused_memory_is_a_throw(void **state)
{
    static const char text[] =
        ": t 200 0 do i loop 200 0 do drop loop ; t create a 5000 allot "
        ": u s\" 1 2 + .\" evaluate ; u s\" 3 .\" 1000 sandbox drop type 300 spaces "
        ": w dup if 1- recurse then ; 100 w . pad drop";
    const struct weft_forth_memory memory = {.resize = scarce};
    bool done = false;
    for (size_t n = 0; !done && n < 1000; n++) {
        struct weft_unit *unit;
        allowance = n;
        if (weft_unit_create(*state, &memory, NULL, NULL, &unit) != 0) continue;
        if (weft_unit_interpret(unit, "t", text, strlen(text)) == 0) {
            uint32_t reductions = 100000;
            const enum weft_unit_state end = weft_unit_run(unit, &reductions);
            assert_true(end == WEFT_UNIT_DONE || end == WEFT_UNIT_FAULT);
            done = end == WEFT_UNIT_DONE && allowance > 0;
        }
        weft_unit_free(unit);
    }
    assert_true(done);
}

static void small_quotas_refuse_texts(void **state)
{
    struct weft_unit_options small = options;
    struct weft_unit *unit;
    static char text[40000];
    memset(text, ' ', sizeof(text));
    assert_int_equal(weft_unit_create(*state, &weft_forth_memory_libc, &small, NULL, &unit), 0);
    assert_int_equal(weft_unit_interpret(unit, "t", text, sizeof(text)), -ENOSPC);
    assert_int_equal(weft_unit_state(unit), WEFT_UNIT_DONE);
    assert_int_equal(weft_unit_interpret(unit, "t", text, 20000), 0);
    assert_int_equal(weft_unit_interpret(unit, "t", text, 1), -EBUSY);
    weft_unit_free(unit);
    small.memory_bytes_max = 100;
    assert_int_equal(weft_unit_create(*state, &weft_forth_memory_libc, &small, NULL, &unit),
                     -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_programs_are_told_what_and_where),
        cmocka_unit_test(a_spinning_unit_does_not_delay_its_sibling),
        cmocka_unit_test(output_is_bounded_and_counted),
        cmocka_unit_test(refused_memory_is_a_throw),
        cmocka_unit_test(small_quotas_refuse_texts),
    };
    return cmocka_run_group_tests(tests, forth_compile_system, forth_free_system);
}
