// What docs/forth-standard.md claims where the standard leaves a choice, as far as a program can
// see it: each line of its tables that can be tried.
#include "tests/unit/forth/forth_run.h"

static struct weft_forth_system *forth;

static const struct {
    const char *text;
    int code; // THROW; 0: it is done.
    const char *output;
} cases[] = {
    // 4.1.1
    {"create x 1 c, 2 , x 1+ @ . 5 x 3 + ! x 3 + @ .", 0, "2 5 "},
    {"here 1 allot align here swap - 8 mod . 17 aligned .", 0, "0 24 "},
    {"321 emit", 0, "A"},
    {": \xc3\xa4 1 ; \xc3\xa4 . [defined] \xc3\x84 .", 0, "1 0 "},
    {": a 5 ; A .", 0, "5 "},
    {"1\t2\r\n. .", 0, "2 1 "},
    {"37 base ! 5", -262, ""},
    {"5 1 base ! .", -262, ""},
    {": t [ here 2 ] then ;", -22, ""},
    {"char x pad 255 + c! pad 255 + c@ emit", 0, "x"},
    {"-9223372036854775808 1- . 9223372036854775807 2 * .", 0, "9223372036854775807 -2 "},
    {"-7 2 / . -7 2 mod .", 0, "-4 1 "},
    {": s state @ . ; immediate : t s ; s", 0, "-1 0 "},
    {"-9223372036854775808 -1 /", -11, ""},
    {"1 1 1 um/mod", -11, ""},
    {": t create does> t ;", -13, ""},
    {"s\" /COUNTED-STRING\" environment? . . s\" /HOLD\" environment? . . s\" /PAD\" environment? "
     ". .",
     0, "-1 255 -1 256 -1 256 "},
    {"s\" ADDRESS-UNIT-BITS\" environment? . . s\" FLOORED\" environment? . .", 0, "-1 8 -1 -1 "},
    {"s\" MAX-N\" environment? . . s\" MAX-U\" environment? . u. s\" MAX-CHAR\" environment? . .",
     0, "-1 9223372036854775807 -1 18446744073709551615 -1 255 "},
    {"s\" STACK-CELLS\" environment? . . s\" RETURN-STACK-CELLS\" environment? . .", 0,
     "-1 4096 -1 4096 "},
    {"s\" zork\" environment? .", 0, "0 "},
    // 4.1.2
    {"zork", -13, ""},
    {"0 @", -9, ""},
    {"here 1000 + @", -9, ""},
    {"0 execute", -13, ""},
    {"-1 execute", -13, ""},
    {"' if execute", -14, ""},
    {": t ['] if execute ; t", -14, ""},
    {"1 0 /", -10, ""},
    {": t begin 1 again ; t", -3, ""},
    {": t recurse ; t", -5, ""},
    {": t 2 2 do recurse loop ; t", -5, ""},
    {"100000000 allot", -8, ""},
    {"if", -14, ""},
    {"65 source drop c!", -9, ""},
    {": t s\" abc\" ; 65 t drop c! t type", 0, "Abc"},
    {": t <# 300 0 do 65 hold loop ; t", -17, ""},
    {"drop", -4, ""},
    {": t r> ; t", -6, ""},
    {"'", -16, ""},
    {":", -16, ""},
    {"1000 >in ! 5 .", 0, ""},
    {"-5 >in ! 5 .", 0, ""},
    {": t create does> drop recurse ; t x x y [defined] y .", 0, "-1 "},
    {": t s\" save-input\" evaluate ; t restore-input .", 0, "-1 "},
    {"-1000 allot", -8, ""},
    {"1 2 5 pick", -4, ""},
    {"1 2 5 roll", -4, ""},
    {"1 -1 pick", -4, ""},
    {": t i ; t", -6, ""},
    {": t unloop ; t", -6, ""},
    {": t loop ;", -22, ""},
    {": t leave ; t", -22, ""},
    {"immediate", -12, ""},
    {":noname 5 ; immediate execute .", 0, "5 "},
    {"variable v 5 to v", -32, ""},
    {"' zork", -13, ""},
    {": t postpone zork ;", -13, ""},
    {": t 1 0 do i . loop ; t", 0, "0 "},
    {"-1 -5 5 within . -1 5 -5 within .", 0, "-1 0 "},
    {"5 value v : t postpone to ; immediate : u t v ; 7 u v .", 0, "7 "},
    {"char x word", 0, ""},
    {"1 64 lshift . 1 65 rshift . 1 -1 lshift .", 0, "0 0 0 "},
    {"' dup >body", -31, ""},
    {": d does> 1 ; : v ; d", -32, ""},
    {"65 hold 0 0 #> type", 0, "A"},
    {"defer d d", -261, ""},
    {"' dup defer@", -32, ""},
    {"' dup is dup", -32, ""},
    {"s\\\" \\x4\"", -24, ""},
    {"s\\\" \\y\"", -24, ""},
    {": t begin again", 0, ""},
    {"1 2 quit 5 .", 0, ""},
    {"-1 throw", -1, ""},
    {": t abort\" hello\" ; 5 t", -2, ""},
    // Word sets.
    {"1 1 d>s .", 0, "1 "},
    {"-1 9223372036854775807 2 1 m*/ d.", -11, ""},
    {": t >r {: a :} r> ;", -22, ""},
    {"1. 1 -1 m*/", -24, ""},
    {"-1 9223372036854775807 1 sm/rem", -11, ""},
    {"0 [if] zork", 0, ""},
    {": t postpone [if] ; immediate 0 t zork [then] 5 .", 0, "5 "},
    {": t [ drop ] ;", -4, ""},
    {"marker m : t m ; t", -15, ""},
    {"s\" B\" s\" a\" compare .", 0, "-1 "},
    {"key", -21, ""},
    {"s\" x\" r/o open-file", -21, ""},
    {"s\" FILE\" environment? . .", 0, "-1 0 "},
    {"r/o . w/o . r/w . r/w bin .", 0, "1 2 3 3 "},
    {"1E 0E F/ F. -1E FSQRT F. -1E FLN F. 2E FASIN F. -1E 0E F/ F.", 0, "inf nan nan nan -inf "},
    {"1E30 f>s", -43, ""},
    {"-1E fsqrt f>s", -46, ""},
    {"2.5E fround f. -0.5E fround f. 1.5E fround f.", 0, "2. -0. 2. "},
    {"precision . hex 1E decimal .", 0, "15 30 "},
    {"1E hex f.", -40, ""},
    {"pad 0 >float . f. pad 1 + df@ fdrop", 0, "-1 0. "},
    {"fdrop", -45, ""},
    {": t begin 1E again ; t", -44, ""},
    {": t {: a :} postpone a ;", -48, ""},
    {"{: a :}", -14, ""},
    {"s\" x\" (local)", -14, ""},
    {"-1 allocate . drop 0 free . 0 1 resize . drop", 0, "-59 -60 -61 "},
    {"1 allocate throw dup 31 + 7 swap c! 8 mod .", 0, "0 "},
    {"8 allocate throw dup free . free .", 0, "0 -60 "},
    {"forget dup", -15, ""},
    {"0 name>string", -24, ""},
    {": t 5 n>r ; t", -4, ""},
    {": t nr> ; t", -6, ""},
    {"synonym a dup synonym b a 3 b . .", 0, "3 3 "},
    {"code t\ndup,\n\n*, exit,\nend-code 5 t . order", 0, "25 FORTH / FORTH "},
    {": c create , ;code [defined] c . @, exit, end-code 5 c x x .", 0, "-1 5 "},
    {": c ;code exit, end-code c", -32, ""},
    {": c create , ;code c", -13, ""},
    {"code t dup, end-code", -22, ""},
    {": t [ code u", -29, ""},
    {"code t ] ;", -22, ""},
    {"also assembler end-code", -22, ""},
    {"also assembler dup,", -14, ""},
    {": t 3 [ also assembler dup, previous ] ; t . .", 0, "3 3 "},
    {"code t 70000 lit+,", -24, ""},
    {"code t 0 call,", -13, ""},
    {"also assembler definitions : x, 5 lit, ; previous definitions code t x, exit, end-code t .",
     0, "5 "},
    {"also editor definitions : q 0 t ; 5 clear 0 p text\nq", 0, "\ntext"},
    {"also editor 5 clear 16 t", -24, ""},
    {": t 249 0 do wordlist drop loop ; t 5 .", 0, "5 "},
    {"marker m also wordlist set-current m order", 0, "FORTH / FORTH "},
    {": t 20 0 do also loop ; t", -49, ""},
    {": t 0 set-order previous ; t", -50, ""},
    {"0 set-order only", -13, ""},
    {": t begin wordlist drop again ; t", -8, ""},
    {"77 set-current", -24, ""},
    {"wordlist constant w : t [ w set-current ] 5 ; t .", 0, "5 "},
    {"s\" x\" s\" \" replaces", -16, ""},
    {": t s\" x\" pad 300 replaces ; t", -19, ""},
    {": t s\" y\" s\" Ab\" replaces s\" %aB%%\" pad 20 substitute . type ; t", 0, "1 y%"},
    {": t s\" %zork%\" pad 3 substitute . . drop ; t", 0, "-78 0 "},
    {"$110000 xc-size", -77, ""},
    {"s\\\" \\xc0\\xaf\" drop xc@+", -77, ""},
    {"s\\\" \\xc3\\xa9x\" x-size . char \xe2\x82\xac .", 0, "2 8364 "},
    {"7 xc-width . $300 xc-width . $4e2d xc-width . $1f600 xc-width . 65 xc-width .", 0,
     "0 0 2 2 1 "},
};

static void what_is_claimed_holds(void **state)
{
    unsigned wrong = 0;
    (void)state;
    for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        for (enum forth_mode mode = 0; mode < FORTH_MODE_COUNT; mode++) {
            struct forth_run run = {0};
            forth_open(&run, forth, mode);
            const enum weft_unit_state end = forth_text(&run, "t", cases[n].text);
            const int code = end == WEFT_UNIT_FAULT ? run.error.code : 0;
            if (code != cases[n].code || strcmp(run.output, cases[n].output) != 0) {
                print_error("%s, mode %d: %d [%s]\n", cases[n].text, mode, code, run.output);
                wrong++;
            }
            forth_close(&run);
        }
    }
    assert_int_equal(wrong, 0);
}

static int make_system(void **state)
{
    const int code = forth_compile_system(state);
    forth = *state;
    return code;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_claimed_holds)};
    return cmocka_run_group_tests(tests, make_system, forth_free_system);
}
