// The optional word sets, from the standard's text: a source and what it must print, run as
// words_test.c runs the others.
#include "tests/unit/forth/forth_run.h"

#include <stdio.h>

// A word list with a word `x` of its own in front of the one in FORTH.
#define TWO_LISTS ": x 1 ; wordlist constant w get-current w set-current : x 2 ; set-current "

static const struct forth_case cases[] = {
    // Search-Order.
    {"get-order . forth-wordlist = .", "1 -1 "},
    {TWO_LISTS "x . also get-order nip w swap set-order x . previous x .", "1 2 1 "},
    {TWO_LISTS "s\" x\" w search-wordlist . execute . s\" dup\" w search-wordlist .", "-1 2 0 "},
    {"s\" (\" forth-wordlist search-wordlist . ' ( = .", "1 -1 "},
    {TWO_LISTS ": back forth-wordlist 1 set-order ; : t w 1 set-order s\" x\" evaluate back . ; t",
     "2 "},
    {TWO_LISTS ": t s\" dup\" evaluate ; : u w 1 set-order ['] t catch only . ; 1 u .", "-13 1 "},
    {": t 0 set-order s\" dup\" ['] evaluate catch -1 set-order ; t . 2drop get-order . drop",
     "-13 1 "},
    {": w1 wordlist dup set-current ; w1 : y 5 ; forth-wordlist set-current [defined] y .", "0 "},
    {"wordlist constant w also w get-order nip 2 set-order definitions get-current w = .", "-1 "},
    {TWO_LISTS "get-current w set-current "
               ": y 3 ; set-current also get-order nip w swap set-order words",
     "Y X "},
    {"also also get-order . 2drop drop only get-order . drop", "3 1 "},
    {"only forth definitions order", "FORTH / FORTH "},
    {": t 17 0 do forth-wordlist loop 17 set-order ; ' t catch . depth .", "-49 0 "},
    {": t 99 1 set-order ; ' t catch . : u previous s\" x\" evaluate ; "
     ": v ['] u catch only . ; v",
     "-24 -13 "},
    {": t 0 set-order previous ; : u ['] t catch only . ; u", "-50 "},
    {"99 ' set-current catch . drop s\" x\" 77 ' search-wordlist catch . 2drop drop", "-24 -24 "},
    {": t begin wordlist drop again ; ' t catch .", "-8 "},
    {"marker m wordlist set-current also : q 1 ; forth-wordlist 1 set-order m get-current "
     "forth-wordlist = . get-order . drop",
     "-1 1 "},
    {"create buffer 20 allot marker m here 20 - 3 255 fill m 1 .", "1 "},

    // Locals.
    {": t {: a b :} a . b . ; 1 2 t", "1 2 "},
    {": t {: a b | c -- d :} a b + to c c c + . ; 1 2 t", "6 "},
    {": t {: | a :} a . ; t", "0 "},
    {": t {: a\n b :} a b - . ; 5 3 t", "2 "},
    {": t {: -- dup :} ; 3 t .", "3 "},
    {": t {: n :} n 0 ?do n i - . loop ; 3 t", "3 2 1 "},
    {": t {: n :} n if n 1- recurse n . then ; 3 t", "1 2 3 "},
    {": t {: n :} n 1 > if n . exit then 9 . ; 2 t 1 t", "2 9 "},
    {": t {: n :} 10 0 do i n = if unloop n exit then loop 0 ; 4 t .", "4 "},
    {": t {: a :} create a , does> @ {: b :} b b + . ; 7 t u u u", "14 14 "},
    {": t {: a :} ['] abort catch . a . ; 5 t", "-1 5 "},
    {": t {: a :} a throw ; : u {: b :} 8 ['] t catch . . b . ; 4 u", "8 "
                                                                      "8 4 "},
    {": t >r r> {: a :} 3 >r a . r> a . . ; 5 t", "5 5 3 "},
    {"5 :noname {: a :} a 1+ ; execute .", "6 "},
    {": t dup if >r r> else drop 0 then {: a :} a . ; 5 t 0 t", "5 0 "},
    {": t 3 0 do i drop loop {: a :} a . ; 5 t", "5 "},
    {": t ?dup if 0 ?do loop then {: a :} a . ; 7 2 t", "7 "},
    {": t 1 >r begin dup while 1- repeat rdrop {: a :} a . ; 5 t", "0 "},
    {": t 5 0 do i 3 = if leave then loop {: a :} a . ; 9 t", "9 "},
    {": t 5 0 do i 3 = if unloop exit then loop {: a :} a . ; 9 t .", "9 "},
    {": t 2>r 2r> 9 >r >r r> rdrop {: a b :} a b - . ; 9 5 t", "4 "},
    {": t locals| a b | a . b . ; 1 2 t", "2 1 "},
    {": local bl word count (local) ; immediate : end 0 0 (local) ; immediate "
     ": t local a local b end a b . . ; 1 2 t",
     "1 2 "},
    {": t {: dup :} dup dup ; 7 t . . 8 dup . .", "7 7 8 8 "},
    {": t {: x :} [defined] x literal x ; 3 t . . [defined] x .", "3 -1 0 "},
    {": t {: a :} s\" a\" evaluate ; 3 ' t catch . drop", "-13 "},
    {": t s\" : v {: a :} nowhere\" evaluate ; ' t catch . [defined] a . : v {: b :} b ; 4 v .",
     "-13 0 4 "},
    {": t s\" : u {: a :} postpone a ;\" evaluate ; ' t catch .", "-48 "},
    {"s\" #locals\" environment? . 15 > .", "-1 -1 "},
    {": t yield {: a b | c :} yield a b yield to c a yield - c . . ; 3 9 t", "9 0 "},

    // Memory-Allocation.
    {"100 allocate . dup aligned over = . free .", "0 -1 0 "},
    {"here 100 allocate 2drop here = .", "-1 "},
    {"8 allocate drop 5 over ! dup @ . free . ", "5 0 "},
    {"10 allocate drop dup 10 char x fill 3000 resize . dup 10 type 2 resize . 2 type",
     "0 xxxxxxxxxx0 xx"},
    {"10 allocate drop 10 allocate drop swap dup 10 char y fill 9000 resize . 10 type free .",
     "0 yyyyyyyyyy0 "},
    {"0 allocate . free . 1 free . 0 free .", "0 0 -60 -60 "},
    {"-1 allocate nip . 2000000000 allocate nip . 10 allocate drop dup -1 resize . = .",
     "-59 -59 -61 -1 "},
    {"10 allocate drop 10 allocate drop over free . swap free . drop", "0 -60 "},
    {"100000000 allocate . .", "-59 0 "}, // More than the unit's quota.
    {"10 allocate drop 10 allocate drop over free drop 10 allocate drop rot = . drop", "-1 "},
    {"10 allocate drop dup free drop ' @ catch . drop", "-9 "}, // The heap has given it back.
    {": t 200 0 do 40 allocate throw 0 over ! swap over ! loop ; 0 t "
     ": u begin ?dup while dup @ swap free throw repeat ; u 1 .",
     "1 "},
    // Freed neighbours are one block, whatever the order; so is what a block leaves behind.
    {"create b 50 cells allot : t 50 0 do 100 allocate throw b i cells + ! loop "
     "49 0 do b i cells + @ free throw 2 +loop 49 1 do b i cells + @ free throw 2 +loop ; t "
     "4800 allocate throw b @ = . 60 allocate throw b 49 cells + @ u< .",
     "-1 -1 "},
    {"1000 allocate throw 10 allocate drop drop dup 40 resize throw over = . "
     "800 allocate throw swap - 1000 < . depth .",
     "-1 -1 0 "},
    {"40 allocate throw 900 allocate throw 40 allocate throw drop free throw dup 800 resize throw "
     "= .",
     "-1 "},
    // At random: contents stay, nothing overlaps, and in the end nothing is left.
    {"create b 16 cells allot b 16 cells erase create n 16 cells allot variable seed 7 seed ! "
     ": random seed @ 1103515245 * 12345 + dup seed ! 16 rshift 32767 and swap mod ; "
     ": body dup cells b + @ swap cells n + @ ; "
     ": whole dup body 0 ?do 2dup i + c@ <> abort\" lost\" loop drop ; "
     ": grow dup body drop 400 random 1+ dup >r resize throw over cells b + ! r> over cells n + ! "
     "; "
     ": give dup body drop free throw cells b + 0 swap ! ; "
     ": take 400 random 1+ dup allocate throw 2 pick cells b + ! over cells n + ! ; "
     ": mark dup body 2 pick fill drop ; "
     ": step 16 random dup cells b + @ 0= if take mark exit then whole "
     "2 random if dup body nip >r grow dup cells n + @ r> min over cells n + ! whole mark else "
     "give "
     "then ; "
     ": t 150 0 do step loop 16 0 do i cells b + @ if i whole give then loop ; t depth . "
     "10 allocate throw $80000198 - .",
     "0 0 "},
    {"16 allocate drop 408 - 400 255 fill 100 allocate . free .", "0 0 "}, // The lists destroyed.
    {"16 allocate drop 8 - 8 255 fill 100 allocate . 100 allocate . free . free .", "0 0 0 0 "},
    {": t {: a u | b :} u allocate throw to b a b u move b u evaluate b free throw ; "
     "s\" 1 2 + .\" t",
     "3 "},

    // Programming-Tools.
    {": t 2 n>r 7 nr> ; 1 2 t .s", "<4> 7 1 2 2 "},
    {": t n>r nr> ; 0 t .s", "<1> 0 "},
    {": t n>r ; 1 5 ' t catch . 2drop", "-4 "},
    {"synonym s dup 3 s . . synonym e s 4 e . .", "3 3 4 4 "},
    {"synonym i if synonym t then : x i 1 . t 2 . ; -1 x 0 x", "1 2 2 "},
    {"5 value v synonym w v 6 to w v . defer d synonym e d ' dup is e 1 d . .", "6 1 1 "},
    {"synonym n dup marker m : dup 9 ; 1 n . . m 1 n . .", "1 1 1 1 "},
    {"wordlist constant w get-current w set-current : a 1 ; : b 2 ; synonym c dup set-current "
     ": t name>string type space true ; ' t w traverse-wordlist : u drop 1+ dup 2 < ; "
     "0 ' u w traverse-wordlist .",
     "c b a 2 "},
    {": name {: a u n nt :} a u nt name>string compare if a u n true else a u nt false then ; "
     ": nt 0 ['] name forth-wordlist traverse-wordlist nip nip ; : q 7 ; : i 8 ; immediate "
     "s\" q\" nt name>interpret execute . s\" IF\" nt name>interpret . "
     "s\" q\" nt name>compile ' compile, = . drop s\" i\" nt name>compile swap drop ' execute = .",
     "7 0 -1 -1 "},
    {": a 1 ; create b 3 cells allot : c 2 ; here forget b here - . [defined] a . [defined] c .",
     "24 -1 0 "},
    {": t s\" forget dup\" evaluate ; ' t catch . s\" forget zork\" ' evaluate catch . 2drop",
     "-15 -13 "},
    {": ?repeat 0 cs-pick postpone until ; immediate "
     ": t begin 1- dup . dup 3 = 0= ?repeat dup 1 = until ; 5 t drop",
     "4 3 2 1 "},
    {": ?done postpone if 1 cs-roll ; immediate : t begin dup ?done dup . 1- repeat drop ; 2 t",
     "2 1 "},
    {": t postpone s\" ; immediate : u t abc\" type ; u", "abc"},
    {": t postpone s\" ; : u [ t abc\" ] type ; u", "abc"},
    {": t postpone .\" ; : u [ t abc\" ] ; u", "abc"},
    {"5 value v : t postpone to ; : u [ t v ] ; 9 u v .", "9 "},
    {"defer d : t postpone is ; : u [ t d ] ; ' negate u 4 d . : a postpone action-of ; "
     ": b [ a d ] ; 4 b execute .",
     "-4 -4 "},

    // Facility.
    {"begin-structure p field: p.x cfield: p.c field: p.y 3 +field p.r end-structure "
     "p . 0 p.x . 0 p.c . 0 p.y . 0 p.r . create q p allot 5 q p.y ! q 16 + @ .",
     "27 0 8 16 24 5 "},
    {"emit? . page 3 4 at-xy", "-1 \033[2J\033[H\033[5;4H"},
    {"hex f f at-xy decimal", "\033[16;16H"},

    // String.
    {"s\" wine\" s\" what\" replaces s\" more %what%!\" pad 20 substitute . type", "1 more wine!"},
    {"s\" a\" s\" x\" replaces s\" b\" s\" x\" replaces s\" %x%%%%y%%\" pad 20 substitute . type",
     "1 b%%y%%"},
    {"s\" %\" pad 20 substitute . type s\" 50% off\" pad 20 substitute . type", "0 %0 50% off"},
    {"s\" abc\" pad 2 substitute . 2drop", "-78 "},
    {"s\" a rather long text that needs room\" s\" x\" replaces s\" short\" s\" x\" replaces "
     "s\" much longer than what was there at first, twice over and more\" s\" x\" replaces "
     "s\" %x%\" pad 99 substitute . type",
     "1 much longer than what was there at first, twice over and more"},
    {"s\" 1234567\" s\" n\" replaces create b 40 allot s\" a%n%c\" b swap move "
     "b 5 b 3 + 30 substitute . type",
     "1 a1234567c"},
    {"s\" 5%\" pad unescape type", "5%%"},
    {": t s\" %n%\" pad 20 substitute ; s\" z\" s\" N\" replaces t . type", "1 z"},

    // Block.
    {": put block dup 1024 blank swap move update ; s\" 1 2 + . blk @ .\" 5 put 5 load blk @ .",
     "3 5 0 "},
    {": put block dup 1024 blank swap move update ; s\" a\" 1 put s\" b\" 2 put s\" c\" 3 put "
     "1 block c@ emit 2 block c@ emit 3 block c@ emit",
     "abc"},
    {"char x 7 block c! update flush char y 7 block c! empty-buffers 7 block c@ emit", "x"},
    {": put block dup 1024 blank swap move update ; s\" 5 load 6 .\" 4 put s\" blk ? source nip "
     ".\" "
     "5 put 4 load",
     "5 1024 6 "},
    {": put block dup 1024 blank swap move update ; s\" 1 . \\ 2 .\" 4 put s\" 3 .\" 4 block 64 + "
     "swap move update s\" 4 .\" 5 put 4 5 thru",
     "1 3 4 "},
    {": put block dup 1024 blank swap move update ; s\" 1 . refill 9 .\" 4 put s\" . 2 . blk ?\" 5 "
     "put 4 load",
     "1 -1 2 5 "},
    {": put block dup 1024 blank swap move update ; s\" zork\" 4 put : t 4 load ; ' t catch . blk "
     "?",
     "-13 0 "},
    {"0 ' load catch . drop 65536 ' block catch . drop 3 list scr ?",
     "-35 -35 \n 0 \n 1 \n 2 \n 3 \n 4 \n 5 \n 6 \n 7 \n 8 \n 9 \n10 \n11 \n12 \n13 \n14 "
     "\n15 \n3 "},
    {": t s\" source-id . blk ?\" evaluate ; s\" t blk ?\" 4 block swap move update 4 load blk ?",
     "-1 0 4 0 "},
    {"s\" source-id . blk ?\" 4 block swap move update 4 load", "0 4 "},

    // Extended characters.
    {"$20ac xc-size . $7f xc-size . $7ff xc-size . $10ffff xc-size .", "3 1 2 4 "},
    {"$20ac pad xc!+ pad - . pad xc@+ $20ac = . pad - . pad 3 type", "3 -1 3 \xe2\x82\xac"},
    {"$e9 xemit $1f600 xemit", "\xc3\xa9\xf0\x9f\x98\x80"},
    {"char \xe2\x82\xac . : t [char] \xc3\xa9 ; t . '\xe2\x82\xac' .", "8364 233 8364 "},
    {"$20ac parse abc\xe2\x82\xac type parse-name def type", "abcdef"},
    {"$20ac pad 2 xc!+? . nip . $20ac pad 5 xc!+? . nip .", "0 2 -1 2 "},
    {"s\" \xe2\x82\xac"
     "uro\" 2dup x-size . 2dup x-width . +x/string type",
     "3 4 uro"},
    {"s\" ab\xe2\x82\xac\" 2dup x\\string- type 2dup + xchar- xc@+ . drop drop xchar+ c@ .",
     "ab8364 98 "},
    {"s\" ab\xe2\x82\xac\" 2dup -trailing-garbage nip . 1- -trailing-garbage nip .", "5 2 "},
    {"0 0 <# $20ac xhold char x hold #> type here $e9 xc, here swap - .", "x\xe2\x82\xac"
                                                                          "2 "},
    {"$110000 ' xc-size catch . drop pad 255 over c! ' xc@+ catch . drop", "-77 -77 "},
    {"$4e00 xc-width . $301 xc-width . 'a' xc-width .", "2 0 1 "},
    {"s\" xchar-encoding\" environment? . type s\" max-xchar\" environment? . .",
     "-1 UTF-8-1 1114111 "},
    {"s\" wordlists\" environment? . 7 > . s\" tools-ext\" environment? . .", "-1 -1 -1 -1 "},
};

static void sets_print_what_they_must(void **state)
{
    forth_print_what_they_must(*state, cases, sizeof(cases) / sizeof(cases[0]));
}

// The lines of the reference, and the dictionary.
static void what_is_documented_is_there(void **state)
{
    static const char *const names[] = {
#define WORD(set, name, effect, text) name,
#include "forth/words_sets.def"
#undef WORD
    };
    static struct forth_run run;
    forth_open(&run, *state, FORTH_PLAIN);
    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        char source[64];
        snprintf(source, sizeof(source), "[defined] %s .", names[n]);
        forth_text(&run, "test", source);
        if (strcmp(run.output, "-1 ") != 0) fail_msg("%s is not in the dictionary", names[n]);
    }
    // Nor is what only the prelude uses.
    forth_text(&run, "test", "[defined] record . [defined] (next-name) . [defined] (load) .");
    assert_string_equal(run.output, "0 0 0 ");
    forth_close(&run);
}

// TIME&DATE of some instants: the epoch, a leap day, the end of a year, a century that is no leap
// year.
static uint64_t instant_us;

static uint64_t unix_us(void *self)
{
    (void)self;
    return instant_us;
}

static void the_date_is_right(void **state)
{
    static const struct {
        uint64_t unix_s;
        const char *printed;
    } instants[] = {
        {0, "1970 1 1 0 0 0 "},
        {951782399, "2000 2 28 23 59 59 "},
        {951782400, "2000 2 29 0 0 0 "},
        {951868800, "2000 3 1 0 0 0 "},
        {1735689599, "2024 12 31 23 59 59 "},
        {4107542399, "2100 2 28 23 59 59 "},
        {4107542400, "2100 3 1 0 0 0 "},
    };
    static const struct weft_unit_host host = {.unix_us = unix_us};
    static struct forth_run run = {.host = &host};
    for (size_t n = 0; n < sizeof(instants) / sizeof(instants[0]); n++) {
        instant_us = instants[n].unix_s * 1000000;
        forth_open(&run, *state, FORTH_RESTORE);
        forth_text(&run, "test", "time&date . . . . . .");
        assert_string_equal(run.output, instants[n].printed);
        forth_close(&run);
    }
}

// XKEY puts together what KEY gives, byte by byte.
static int32_t next_byte(void *self)
{
    const char **keys = self;
    return **keys == '\0' ? -2 : (uint8_t) * (*keys)++;
}

static void a_key_may_have_many_bytes(void **state)
{
    const char *keys = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
    const struct weft_unit_host host = {.self = &keys, .key = next_byte};
    static struct forth_run run;
    run.host = &host;
    forth_open(&run, *state, FORTH_RESTORE);
    forth_text(&run, "test", "xkey . xkey . xkey . xkey .");
    assert_string_equal(run.output, "97 233 8364 128512 ");
    forth_close(&run);
}

// A small quota of memory ends it with the standard's codes, in every way of being interrupted.
static void a_quota_ends_heap_and_blocks(void **state)
{
    static const struct forth_case limits[] = {
        {": t 40 0 do i block drop update loop ; ' t catch .", "-34 "},
        {": t begin 1000 allocate throw drop again ; ' t catch .", "-59 "},
        {"100 allocate drop dup 60000 resize . free .", "-61 0 "},
        {": t 9000 0 do s\" wordlist drop\" evaluate loop ; ' t catch .", "-8 "},
    };
    const struct weft_unit_options options = {.memory_bytes_max = 21000,
                                              .stack_cells_max = 128,
                                              .call_depth_max = 128,
                                              .output_bytes_max = 256};
    static struct forth_run run;
    run.options = &options;
    for (enum forth_mode mode = 0; mode < FORTH_MODE_COUNT; mode++) {
        for (size_t n = 0; n < sizeof(limits) / sizeof(limits[0]); n++) {
            forth_open(&run, *state, mode);
            forth_text(&run, "test", limits[n].source);
            assert_string_equal(run.output, limits[n].output);
            forth_close(&run);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_print_what_they_must),
        cmocka_unit_test(a_quota_ends_heap_and_blocks),
        cmocka_unit_test(what_is_documented_is_there),
        cmocka_unit_test(the_date_is_right),
        cmocka_unit_test(a_key_may_have_many_bytes),
    };
    return cmocka_run_group_tests(tests, forth_compile_system, forth_free_system);
}
