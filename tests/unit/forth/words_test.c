// Every word, from the standard's text: a source and what it must print. The whole table runs three
// times: in slices of 2000 reductions, in slices of one, and in slices of one with the unit saved,
// freed and loaded again between any two. Nothing may differ.
#include "tests/unit/forth/forth_run.h"

static const struct {
    const char *source, *output;
} cases[] = {
    // The stack.
    {"1 2 3 .s", "<3> 1 2 3 "},
    {"1 dup . .", "1 1 "},
    {"0 ?dup . 5 ?dup . .", "0 5 5 "},
    {": t ?dup if . else 9 . then ; 4 t 0 t", "4 9 "},
    {"1 2 drop .", "1 "},
    {"1 2 swap . .", "1 2 "},
    {"1 2 over . . .", "1 2 1 "},
    {"1 2 3 rot . . .", "1 3 2 "},
    {"1 2 3 -rot . . .", "2 1 3 "},
    {"1 2 nip .s", "<1> 2 "},
    {"1 2 tuck .s", "<3> 2 1 2 "},
    {"1 2 3 4 2 pick .", "2 "},
    {"1 2 3 4 2 roll .s", "<4> 1 3 4 2 "},
    {"1 2 2dup .s", "<4> 1 2 1 2 "},
    {"1 2 3 4 2swap .s", "<4> 3 4 1 2 "},
    {"1 2 3 4 2over .s", "<6> 1 2 3 4 1 2 "},
    {"1 2 3 4 2drop .s", "<2> 1 2 "},
    {"1 2 3 4 2nip .s", "<2> 3 4 "},
    {"1 2 3 4 5 6 2rot .s", "<6> 3 4 5 6 1 2 "},
    {"depth . 1 depth . drop", "0 1 "},
    {": t >r >r r@ . r> . r> . ; 1 2 t", "1 1 2 "},
    {": t 2>r 2r@ . . 2r> . . ; 1 2 t", "2 1 2 1 "},
    {": t >r 7 rdrop ; 1 t .", "7 "},

    // Arithmetic.
    {"3 4 + . 3 4 - . 3 4 * .", "7 -1 12 "},
    {"7 2 / . -7 2 / . 7 -2 / .", "3 -4 -4 "},
    {"7 2 mod . -7 2 mod . 7 -2 mod .", "1 1 -1 "},
    {"-7 2 /mod . .", "-4 1 "},
    {"10 3 4 */ . 10 3 4 */mod . .", "7 7 2 "},
    {"9223372036854775807 2 9223372036854775807 */ .", "2 "},
    {"5 negate . -5 abs . 3 4 min . 3 4 max .", "-5 5 3 4 "},
    {"5 1+ . 5 1- . 5 2* . -5 2/ .", "6 4 10 -3 "},
    {"12 10 and . 12 10 or . 12 10 xor . 0 invert .", "8 14 6 -1 "},
    {"1 4 lshift . -1 60 rshift . 1 64 lshift . 1 -1 rshift .", "16 15 0 0 "},
    {"-9223372036854775808 -1 * . 9223372036854775807 1+ .",
     "-9223372036854775808 -9223372036854775808 "},
    {"-1 1 um* . u.", "0 18446744073709551615 "},
    {"-1 -1 um* u. u.", "18446744073709551614 1 "},
    {"-3 7 m* d.", "-21 "},
    {"10 0 3 um/mod . .", "3 1 "},
    {"-10 s>d 3 fm/mod . .", "-4 2 "},
    {"-10 s>d 3 sm/rem . .", "-3 -1 "},
    {": t 5 + 3 - ; 10 t .", "12 "},

    // Comparison.
    {"1 2 < . 2 1 < . 1 2 > . 1 1 = . 1 2 <> .", "-1 0 0 -1 -1 "},
    {"-1 1 u< . -1 1 u> . 0 0= . 1 0<> . -1 0< . 1 0> .", "0 -1 -1 -1 -1 -1 "},
    {"3 1 5 within . 5 1 5 within . -1 -5 0 within .", "-1 0 -1 "},
    {"true . false . bl .", "-1 0 32 "},

    // Double cells.
    {"1. 2. d+ d. 1. 2. d- d.", "3 -1 "},
    {"1. dnegate d. -5. dabs d. 3. 5 m+ d.", "-1 5 8 "},
    {"1. 2. d< . 2. 1. d< . 1. 1. d= . -1. 1. du< .", "-1 0 -1 0 "},
    {"3. d2* d. -6. d2/ d. 0. d0= . -1. d0< .", "6 -3 -1 -1 "},
    {"1. 2. dmax d. 1. 2. dmin d. 7. d>s .", "2 1 7 "},
    {"10. 7 3 m*/ d. -10. 7 3 m*/ d.", "23 -24 "},
    {"2variable v 1. v 2! v 2@ d. 5. 2constant c c d.", "1 5 "},
    {": t [ 6. ] 2literal d. ; t", "6 "},
    {"1 2 2value v v . . 3 4 to v v . . : t 5 6 to v ; t v . .", "2 1 4 3 6 5 "},
    {"123 456 d. 5 0 9 d.r -5. d.", "8411715297611555537019         5-5 "},

    // Memory.
    {"variable v 5 v ! v @ . 3 v +! v @ .", "5 8 "},
    {"create a 1 , 2 , a @ . a cell+ @ .", "1 2 "},
    {"create a 1 c, 2 c, a c@ . a char+ c@ .", "1 2 "},
    {"2 cells . 2 chars . here aligned here - .", "16 2 0 "},
    {"here 3 allot here swap - . align here 7 and .", "3 0 "},
    {"create a 1 , 2 , a 2@ . . 3 4 a 2! a 2@ . .", "1 2 4 3 "},
    {"create a 4 c, char a c, a count . c@ emit", "4 a"},
    {"8 buffer: b b 8 char x fill b 8 type", "xxxxxxxx"},
    {"8 buffer: b b 8 erase b @ . b 4 blank b c@ .", "0 32 "},
    {"create a 1 c, 2 c, 3 c, a a 1+ 2 move a c@ . a 1+ c@ . a 2 + c@ .", "1 1 2 "},
    {"create a 1 c, 2 c, 3 c, a a 1+ 2 cmove a 2 + c@ .", "1 "},
    {"create a 1 c, 2 c, 3 c, a 1+ a 2 cmove> a c@ . a 1+ c@ .", "3 3 "},
    {"10000 buffer: a 10000 buffer: b a 10000 7 fill a b 10000 move b 9999 + c@ . "
     "a 10000 b 10000 compare . 8 b 9999 + c! a 10000 b 10000 compare .",
     "7 0 -1 "},
    {"unused 0> . pad 84 + c@ drop", "-1 "},

    // Control.
    {": t if 1 else 2 then . ; 0 t 5 t", "2 1 "},
    {": t begin dup . 1- dup 0= until drop ; 3 t", "3 2 1 "},
    {": t begin dup while dup . 1- repeat drop ; 3 t", "3 2 1 "},
    {": t 0 begin 1+ dup 5 = if exit then again ; t .", "5 "},
    {": t 4 0 do i . loop ; t", "0 1 2 3 "},
    {": t 0 0 ?do i . loop 9 . ; t", "9 "},
    {": t 10 0 do i . 3 +loop ; t", "0 3 6 9 "},
    {": t 0 10 do i . -5 +loop ; t", "10 5 0 "},
    {": t 3 0 do 2 0 do j . i . loop loop ; t", "0 0 0 1 1 0 1 1 2 0 2 1 "},
    {": t 10 0 do i 3 = if leave then i . loop ; t", "0 1 2 "},
    {": t 10 0 do i 3 = if unloop exit then i . loop ; t", "0 1 2 "},
    {": t 5 0 do i 2 = if leave then 3 0 ?do i 1 = if leave then j . loop loop ; t", "0 1 "},
    {": t 1 ahead 2 . then . ; t", "1 "},
    {": t case 1 of 10 endof 2 of 20 endof dup . 30 swap endcase . ; 1 t 2 t 3 t", "10 20 3 30 "},
    {": fib dup 2 < if exit then dup 1- recurse swap 2 - recurse + ; 15 fib .", "610 "},
    {": a 5 ; ' a execute .", "5 "},
    {": t ['] dup execute ; 4 t . .", "4 4 "},
    {"1 [if] 2 . [else] 3 . [then] 0 [if] 4 . [else] 5 . [then]", "2 5 "},
    {"0 [if] 1 [if] 2 . [else] 3 . [then] [else]\n 5 .\n[then]", "5 "},
    {"[defined] dup . [undefined] zork .", "-1 -1 "},

    // Definitions.
    {"5 constant c c . : t c ; t .", "5 5 "},
    {"-70000 constant c : t c ; t . 12345678901234 constant d : t d ; t .",
     "-70000 12345678901234 "},
    {"5 value v v . 6 to v v . : t 7 to v ; t v .", "5 6 7 "},
    {"defer d : a 1 . ; : b 2 . ; ' a is d d : t ['] b is d ; t d action-of d execute", "1 2 2 "},
    {"defer d ' dup ' d defer! ' d defer@ ' dup = .", "-1 "},
    {":noname 3 4 + ; execute .", "7 "},
    {": con create , does> @ ; 5 con five five . : t five five + ; t .", "5 10 "},
    {": w create does> 1+ does> 2 + ; w w1 w1 ' w1 >body - . w1 ' w1 >body - .", "1 2 "},
    {"create x 1 , ' x >body @ .", "1 "},
    {": t 5 ; immediate : u t ; . u", "5 "},
    {": t 5 . ; immediate : u t ; ", "5 "},
    {": t postpone if ; immediate : u t 1 else 2 then . ; 0 u", "2 "},
    {": t postpone dup ; immediate : u t ; 3 u . .", "3 3 "},
    {": t [ 2 3 + ] literal ; t .", "5 "},
    {": t [compile] ['] ; immediate : u t dup execute ; 1 u . .", "1 1 "},
    {": t [char] a emit ; t char b emit", "ab"},
    {"marker m : t 1 ; m [undefined] t . [undefined] m .", "-1 -1 "},
    {"variable v marker m here 100 allot drop m here v cell+ - .", "0 "},
    {": dup 7 ; dup . : t dup ; t .", "7 7 "},
    {": t 1 ; : t t 1+ ; t .", "2 "},
    {": T 1 ; t . T .", "1 1 "},
    {"state @ . : t state @ . ; immediate : u t ;", "0 -1 "},
    {": t [ ' dup compile, ] ; 4 t . .", "4 4 "},

    // Text.
    {"s\" hello\" type", "hello"},
    {": t s\" hello\" type ; t", "hello"},
    {": t .\" hi there\" ; t .\" now\"", "hi therenow"},
    {".( at once)", "at once"},
    {": t c\" abc\" count type ; t", "abc"},
    {"s\\\" a\\tb\\x41\\q\\\\\" type", "a\tbA\"\\"},
    {": t s\\\" l\\nm\\z\" dup . type ; t", "4 l\nm"},
    {"s\" abc\" s\" abd\" compare . s\" abc\" s\" ab\" compare . s\" a\" s\" a\" compare .",
     "-1 1 0 "},
    {"s\" abcde\" s\" cd\" search . type s\" abc\" s\" x\" search . type", "-1 cde0 abc"},
    {"s\" abcde\" 2 /string type s\" ab  \" -trailing type", "cdeab"},
    {": t [ s\" lit\" ] sliteral type ; t", "lit"},
    {"parse-name foo type char ) parse a b) type", "fooa b"},
    {"bl word foo count type char , word ,,bar, count type", "foobar"},
    {"65 emit space 3 spaces 66 emit cr", "A    B\n"},
    {"( a\n comment over lines ) 1 . \\ the rest\n2 .", "1 2 "},
    {"s\" 1 2 +\" evaluate .", "3 "},
    {": t s\" 5 .\" evaluate 6 . ; t 7 .", "5 6 7 "},
    {"s\" : u 9 ; u .\" evaluate u .", "9 9 "},
    {": e s\" 1 .\" evaluate ; : f s\" e e\" evaluate ; s\" f 2 . f\" evaluate", "1 1 2 1 1 "},
    {"source nip . >in @ .", "20 19 "},
    {": t source type ; t", ": t source type ; t"},
    {"source-id . s\" source-id .\" evaluate", "0 -1 "},
    {"refill\n . 5 .", "-1 5 "},
    {"s\" dup\" drop 1- drop bl word dup find nip . bl word zork find nip .", "-1 0 "},
    {"0. s\" 12ab\" >number type d.", "ab12 "},
    {"s\" abc  \" trim type s\\\"  ab\\n\" trim type", "abc ab"},
    {"create b 3 allot b 3 accept drop", ""},

    // Numbers.
    {"hex ff . decimal 255 hex . decimal", "FF FF "},
    {"$ff . #10 . %101 . 'a' . $-10 .", "255 10 5 97 -16 "},
    {"base @ . 2 base ! 101 decimal .", "10 5 "},
    {"5 3 .r -5 4 .r 5 1 u.r -1 u.", "  5  -55"
                                     "18446744073709551615 "},
    {"1234. <# # # char . hold #s #> type", "12.34"},
    {"-5 dup abs s>d <# #s rot sign #> type", "-5"},
    {"0. <# s\" abc\" holds #> type", "abc"},
    {"s\" /hold\" environment? . 0> . s\" zork\" environment? .", "-1 -1 0 "},
    {"s\" max-n\" environment? . .", "-1 9223372036854775807 "},

    // Exceptions.
    {": t 5 throw ; ' t catch .", "5 "},
    {": t 1 2 3 -9 throw ; 7 ' t catch . .", "-9 7 "},
    {": t 0 throw 8 ; ' t catch . .", "0 8 "},
    {": t abort ; ' t catch .", "-1 "},
    {": t abort\" why\" ; 1 ' t catch . 0 t drop", "-2 "},
    {": a 1 throw ; : b ['] a catch 10 + throw ; ' b catch .", "11 "},
    {": t s\" zork\" evaluate ; ' t catch . 5 .", "-13 5 "},
    {": t 1 0 / ; ' t catch .", "-10 "},
    {": t s\" : u if ;\" evaluate ; ' t catch . 5 . : v 6 . ; v", "-22 5 6 "},
    {": t 3 0 do i 1 = if 9 throw then loop ; : u 5 >r ['] t catch r> . . ; u", "5 9 "},
    {"' dup catch .", "-4 "},
    // What is never reached does not count.
    {": t 0 if drop 1 then 5 . ; : u t 6 . ; t u : v 1 if drop 1 then ; ' v catch .", "5 5 6 -4 "},
    {": t 2 0 do ['] abort catch . loop ; t", "-1 -1 "},

    // Tools, host words without a host.
    {"variable v 5 v ! v ?", "5 "},
    {"5 constant c see c : t c if 2 + else c then ; see t",
     "5 CONSTANT C : T 5 (zbranch)>8 2 + (branch)>10 5 ; "},
    {": t 3 0 do i drop loop ; immediate see t see dup",
     ": T 3 0 (do) I DROP (loop)>5 ; IMMEDIATE DUP is a primitive "},
    {"variable v see v 7 value w see w defer d see d : t recurse v ; see t see see",
     "CREATE V 7 VALUE W DEFER D : T T 65560 ; SEE is a primitive "},
    {"create a 65 c, 66 c, a 2 dump", "\n00010018  41 42"},
    {"' host-id catch . ' receive catch . 1 ' ms catch . drop", "-21 -21 -21 "},
    {": t yield 1 . ; t yield 2 .", "1 2 "},
    {"1 2 bounds . . 7 aligned .", "1 3 8 "},
    {"5 quit 6 .", ""},

    // The sandbox.
    {"s\" 21 2 * .\" 1000 sandbox . type", "0 42 "},
    {"variable v 5 v ! s\" 9 v ! v @ .\" 1000 sandbox . type v @ .", "0 9 5 "},
    {"s\" : new 1 ; new .\" 1000 sandbox . type [undefined] new .", "0 1 -1 "},
    {": sq dup * ; s\" 7 sq .\" 1000 sandbox . type", "0 49 "},
    {"1 2 s\" depth .\" 1000 sandbox . type .s", "0 0 <2> 1 2 "},
    {"s\" : t begin again ; t\" 1000 sandbox . type",
     "-256 error: quota of reductions spent (THROW -256)"},
    {"s\" 0 0 !\" 1000 sandbox . type", "-9 error: invalid memory address (THROW -9)"},
    {"s\" zork\" 1000 sandbox . type", "-13 error: undefined word: zork (THROW -13)"},
    {"s\" 100000000 allot\" 1000 sandbox . type", "-8 error: dictionary overflow (THROW -8)"},
    {"s\" 1 s\\x22 2\\x22 9 sandbox\" 1000 sandbox nip nip .", "-13 "},
    {": t s\" 1 .\" 9 sandbox ; s\" t\" 1000 sandbox nip nip .", "-21 "},
    {"s\" bye\" 1000 sandbox . type 1 .", "0 1 "},
    {"s\" 1 .\" 0 sandbox . 2drop", "-256 "},
    {": t s\" 1 . yield 2 .\" 1000 sandbox . type ; t t", "0 1 2 0 1 2 "},
};

static void words_print_what_they_must(void **state)
{
    static struct forth_run run;
    int failures = 0;
    for (enum forth_mode mode = 0; mode < FORTH_MODE_COUNT; mode++) {
        for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
            char rendered[512] = "";
            forth_open(&run, *state, mode);
            forth_text(&run, "test", cases[n].source);
            if (run.state == WEFT_UNIT_FAULT)
                weft_unit_error_render(&run.error, rendered, sizeof(rendered));
            const bool expects_more = strstr(cases[n].source, "accept") != NULL;
            if (strcmp(run.output, cases[n].output) != 0 ||
                (run.state == WEFT_UNIT_FAULT && !expects_more)) {
                failures++;
                print_message("mode %d: %s\nprinted [%s]\n   must [%s]\n%s\n", mode,
                              cases[n].source, run.output, cases[n].output, rendered);
            }
            forth_close(&run);
        }
    }
    assert_int_equal(failures, 0);
}

static int compile_system(void **state)
{
    return weft_forth_system_create(&weft_forth_memory_libc, (struct weft_forth_system **)state);
}

static int free_system(void **state)
{
    weft_forth_system_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_print_what_they_must),
    };
    return cmocka_run_group_tests(tests, compile_system, free_system);
}
