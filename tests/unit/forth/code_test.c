// CODE, ;CODE, ASSEMBLER and EDITOR: what they make, what they refuse and where, and that each
// operation can be written as it is.
#include "tests/unit/forth/forth_run.h"

#include <stdio.h>

#include "forth/compile.h"
#include "forth/dictionary.h"
#include "forth/doc.h"
#include "forth/fuse.h"
#include "forth/help.h"
#include "forth/mnemonic.h"
#include "forth/ops.h"
#include "forth/verify.h"

static struct weft_forth_system *forth;

static const struct forth_case cases[] = {
    {"code sq ( n -- n ) dup, *, exit, end-code 7 sq .", "49 "},
    {"code sq dup*, exit, end-code : q sq sq ; 3 q . 3 ' sq execute .", "81 9 "},
    {"3 code t ( -- n )\n  1 lit,\n\n  exit,\nend-code t + .", "4 "},
    // Branches.
    {"code mag dup, 0<, if, negate, then, exit, end-code -5 mag . 5 mag .", "5 5 "},
    {"code sign dup, if, 0<, if, -1 lit, else, 1 lit, then, exit, then, exit, end-code "
     "-7 sign . 7 sign . 0 sign .",
     "-1 1 0 "},
    {"code less 2dup<if, drop, exit, then, nip, exit, end-code 3 4 less . 4 3 less .", "3 3 "},
    {"code gcd begin, dup, while, tuck, mod, repeat, drop, exit, end-code 48 36 gcd .", "12 "},
    {"code gcd begin, dupif, 1 cs-roll tuck, mod, repeat, drop, exit, end-code 48 36 gcd .", "12 "},
    {"code down begin, dup, ., 1-, dup, 0=, until, drop, exit, end-code 3 down", "3 2 1 "},
    {"code f begin, 1-, dup, 0<, if, exit, then, again, end-code 3 f .", "-1 "},
    {"code t ahead, begin, 1-, dup, ., 1 cs-roll then, dup, 0=, until, drop, exit, end-code 3 t",
     "2 1 0 "},
    // The paths meet where CS-ROLL says.
    {"code t if, if, 1 lit, exit, 1 cs-roll then, 2 lit, exit, then, 3 lit, exit, end-code "
     "0 0 t . . 1 0 t . 0 1 t . 1 1 t .",
     "2 0 2 3 1 "},
    // Loops.
    {"code sum 0 lit, swap, 0 lit, ?do, i+, loop, exit, end-code 5 sum . 0 sum .", "10 0 "},
    {"code t 10 lit, 0 lit, do, i, ., 2 lit+loop, exit, end-code t", "0 2 4 6 8 "},
    {"code t 10 lit, 0 lit, do, i, ., 3 lit, +loop, exit, end-code t", "0 3 6 9 "},
    {"code t 9 lit, 0 lit, do, i, 3 lit=if, leave, then, i, ., loop, exit, end-code t", "0 1 2 "},
    {"code t 2 lit, 0 lit, do, 2 lit, 0 lit, do, j, ., i, ., loop, loop, exit, end-code t",
     "0 0 0 1 1 0 1 1 "},
    // Literals, memory, calls, locals, floats.
    {"code t 5 lit, 100000 lit, -5000000000 lit, 7 lit64, exit, end-code t . . . .",
     "7 -5000000000 100000 5 "},
    {"variable v code bump v lit32@, 1 lit+, v lit32!, exit, end-code bump bump v ?", "2 "},
    {"create a 1 , 2 , 3 , code t a lit, 3 lit, 0 lit, do, dup, icells+, @, ., loop, drop, exit, "
     "end-code t",
     "1 2 3 "},
    {": sq dup * ; code quad ' sq call, ' sq tail, end-code 2 quad .", "16 "},
    {"code fact dup, 2 lit<if, drop, 1 lit, exit, then, dup1-, recurse, *, exit, end-code 5 fact .",
     "120 "},
    {"variable v ' 1+ v ! code t v lit, @execute, exit, end-code 4 t .", "5 "},
    {"code t >r, >r, 0 local, 1 local, -, rdrop, rdrop, exit, end-code 7 3 t .", "-4 "},
    {"code t >r, 9 lit, 0 local!, r>, exit, end-code 1 t .", "9 "},
    {"code f 1.5e flit, f*, exit, end-code 2e f f.", "3. "},
    {"code t 5 lit, throw, exit, end-code ' t catch .", "5 "},
    {"code t begin, 1 lit, drop, yield, 1-, dup, 0=, until, exit, end-code 5 t .", "0 "},
    // Words that write operations, and operations in a colon definition.
    {"also assembler : sq, dup, *, ; previous code q sq, sq, exit, end-code 3 q .", "81 "},
    {"also assembler definitions : twice, dup, +, ; previous definitions "
     "code q twice, exit, end-code 4 q . [defined] twice, .",
     "8 0 "},
    {": t dup [ also assembler ] [ dup*, previous ] + ; 3 t .", "12 "},
    {"code t ] dup [ *, exit, end-code 5 t .", "25 "},
    {"code t ' dup compile, exit, end-code 5 t . .", "5 5 "},
    {"code t 22 token, exit, end-code 5 t . .", "5 5 "},
    // The search order, STATE, and where the word goes.
    {"order code t order exit, end-code order", "FORTH / FORTH ASSEMBLER FORTH / FORTH FORTH / "
                                                "FORTH "},
    {"also assembler order also editor order previous previous order",
     "ASSEMBLER FORTH / FORTH EDITOR ASSEMBLER FORTH / FORTH FORTH / FORTH "},
    {": t assembler get-order only . . ; t : u 0 set-order assembler get-order only . . ; u",
     "1 252 1 252 "},
    {"code t state @ . exit, end-code state @ . [defined] dup, .", "0 0 0 "},
    {"wordlist constant w get-current w set-current code t 5 lit, exit, end-code set-current "
     "[defined] t . s\" t\" w search-wordlist . execute .",
     "0 -1 5 "},
    {"code t 1 lit, exit, end-code immediate : u [ t ] literal ; u .", "1 "},
    {"code t dup, +, exit, end-code : u postpone t ; immediate : w 4 u ; w .", "8 "},
    {"marker m code t exit, end-code m [defined] t .", "0 "},
    {"code t 1 lit, exit, end-code code t t 2 lit, exit, end-code t . .", "2 1 "},
    {"code t 1 lit, exit, end-code synonym u t u . : v t ; v .", "1 1 "},
    // ;CODE.
    {": const create , ;code @, exit, end-code 7 const seven seven . : t seven ; t .", "7 7 "},
    {": c create , ;code [defined] c . @, exit, end-code 5 c x x .", "-1 5 "},
    {": c {: a :} create a , ;code @, 1 lit+, exit, end-code 5 c x x .", "6 "},
    {": c create , does> @ ; : d create 2 , ;code @, negate, exit, end-code 5 c x d y x . y . d z "
     "z .",
     "5 -2 -2 "},
    {": cell create , ;code exit, end-code 5 cell x x @ . ' x >body @ .", "5 5 "},
    {": c create , ;code @, exit, end-code immediate 5 c x x .", "5 "},
    {":noname create , ;code @, exit, end-code 5 swap execute x x .", "5 "},
    {": c create , ;code s\" @, exit, end-code\" evaluate 5 c x x .", "5 "},
    // A part that DOES> or ;CODE refuse, caught within: nothing of it can be closed.
    {": try s\" does>\" ['] evaluate catch . 2drop ; immediate also assembler "
     ": u s\" : t [ 60000 token, ] try ;\" ['] evaluate catch . 2drop ; u previous [defined] t .",
     "-22 -22 0 "},
    {": try s\" does>\" ['] evaluate catch . 2drop ; immediate "
     ": t if try then create 7 , does> @ ; 0 t x x .",
     "-22 7 "},
    {": try s\" ;code\" ['] evaluate catch . 2drop ; immediate : t if try then 5 ; 0 t .",
     "-22 5 "},
    // What END-CODE or ; refuses, caught within: the definition goes on.
    {"code t if, s\" end-code\" ' evaluate catch . 2drop then, 5 lit, exit, end-code 0 t .",
     "-22 5 "},
    {": try s\" ;\" ['] evaluate catch . 2drop ; immediate : t if try then 5 ; 0 t .", "-22 5 "},
    // Caught outside: it is gone, and ASSEMBLER with it.
    {": t s\" code u if, end-code\" ['] evaluate catch . 2drop order [defined] u . ; t",
     "-22 FORTH / FORTH 0 "},
    {": t s\" code u zork\" ['] evaluate catch . 2drop order ; t", "-13 FORTH / FORTH "},
    // SEE, SOURCE-OF, ENVIRONMENT?
    {"code t dup, 5 lit<if, over+, exit, then, 2 litpick@, swap1+swap, 1.5e flit, 100000 lit, ' "
     "dup "
     "call, exit, end-code see t",
     "CODE T DUP, 5 LIT<IF,>6 OVER+, EXIT, 2 LITPICK@, SWAP1+SWAP, 1.5E0 FLIT, 100000 LIT32, ' DUP "
     "CALL, EXIT, END-CODE "},
    {"code t 3 lit, 0 lit, do, i, drop, 1 lit+loop, begin, again, end-code see t",
     "CODE T 3 LIT, 0 LIT, DO, I, DROP, 1 LIT+LOOP,>5 AGAIN,>10 END-CODE "},
    {"code t exit, end-code immediate see t", "CODE T EXIT, END-CODE IMMEDIATE "},
    {": c create , ;code @, exit, end-code see c", ": C CREATE , ;CODE @, EXIT, END-CODE "},
    {": d create , does> @ does> 1+ ; see d", ": D CREATE , DOES> @ DOES> 1+ ; "},
    {"code t ( n -- n ) 1+, exit, end-code ' t source-of type",
     "CODE t ( n -- n ) 1+, exit, end-code"},
    {": c create , ;code\n@, exit, end-code ' c source-of type",
     ": c create , ;code\n@, exit, end-code"},
    {"create b 80 allot variable n code t 7 lit, exit, end-code ' t source-of dup n ! b swap move "
     "forget t b n @ evaluate t .",
     "7 "},
    {"s\" tools-ext\" environment? . . s\" wordlists\" environment? . .", "-1 -1 -1 16 "},
    // Nothing else may stand in a search order, or get definitions.
    {"254 1 ' set-order catch . 2drop 254 ' set-current catch . drop 253 ' set-current catch . "
     "drop "
     "yield 1 .",
     "-24 -24 -24 1 "},
    {"also assembler also editor yield order", "EDITOR ASSEMBLER FORTH / FORTH "},
    // EDITOR.
    {"also editor 5 clear\n0 p one\n2 p three\n1 p two\n1 t 2 t pad 5 type", "\ntwo\nthreethree"},
    {"also editor 5 clear\n0 p a\n1 p b\n2 p c\n0 d 0 t 1 t 2 t 15 i 15 t", "\nb\nc\n\n"},
    {"also editor 5 clear\n0 p a\n1 p b\n0 h 1 i 0 t 1 t 2 t 1 s 1 t 3 t", "\na\na\nb\n\nb"},
    {"also editor 5 clear\n0 p a\n1 p b\n1 h 0 r 0 t 1 e 1 t", "\nb\n"},
    {"also editor 5 clear\n0 p 2 3 * .\nflush 5 6 copy 6 load scr ?", "6 5 "},
    {"also editor 5 clear\n14 p x\n15 p y\n14 d 14 t 15 t 14 s 15 t", "\ny\n\ny"},
    {"also editor 5 clear\n16 ' t catch . drop -1 ' e catch . drop", "-24 -24 "},
    {"also editor 5 clear\n3 p text\nl",
     "\n 0 \n 1 \n 2 \n 3 text\n 4 \n 5 \n 6 \n 7 \n 8 \n 9 \n10 \n11 \n12 \n13 \n14 \n15 \n"},
};

static void they_print_what_they_must(void **state)
{
    (void)state;
    forth_print_what_they_must(forth, cases, sizeof(cases) / sizeof(cases[0]));
}

// What is refused, in every mode; behind it the search order is what it was, nothing is open and
// the next text runs.
static void what_is_refused_leaves_nothing(void **state)
{
    static const struct {
        const char *text;
        int code;
    } refused[] = {
        {"end-code", -13},
        {"dup,", -13},
        {"also assembler end-code previous", -22},
        {"also assembler dup, previous", -14},
        {"also assembler 5 token, previous", -14},
        {"also assembler if, previous", -14},
        {": t [ also assembler end-code", -22},
        {": t [ code u", -29},
        {"code t code u", -29},
        {"code t : u", -29},
        {"code t create u", -29},
        {"code t marker u", -29},
        {"code t ;", -14},
        {"code t ] ;", -22},
        {"code t ] does>", -22},
        {"code t ] ;code", -22},
        {"code", -16},
        {"code t end-code", -22},
        {"code t dup, end-code", -22},
        {"code t dup, if, end-code", -22},
        {"code t dup, if, exit, end-code", -22},
        {"code t begin, end-code", -22},
        {"code t 0 then,", -22},
        {"code t 5 cells 4 lshift then,", -22},
        {"code t again,", -22},
        {"code t loop,", -22},
        {"code t 1 2 lit+loop,", -22},
        {"code t do, until, exit, end-code 1 1 1 t", -25},
        {"code t begin, loop,", -22},
        {"code t if, until,", -22},
        {"code t 70000 token,", -24},
        {"code t -1 token,", -24},
        {"code t 65535 token, exit, end-code", -22},
        {"code t 2 token, 65535 token, exit, end-code", -22},
        {"code t 4 token, 2 token, exit, end-code", -22},
        {"code t 4 token, 65000 token, exit, end-code", -22},
        {"code t 5 token, 65534 token, end-code", -22},
        {"code t 9 token, end-code", -22},
        {"code t 0 token, end-code", -22},
        {": l s\" a\" (local) ; code t 60000 token, l", -22},
        {": l s\" a\" (local) ; code t 11 token, l", -22},
        {"code t 5000000000 lit32,", -24},
        {"code t 40000 lit+,", -24},
        {"code t -40000 lit<if,", -24},
        {"code t lit,", -4},
        {"code t if, lit+loop,", -24},
        {"code t flit,", -45},
        {"code t 99999 call,", -13},
        {"code t 0 tail,", -13},
        {"code t -1 call,", -13},
        {"code t s\" code u dup,\" evaluate", -29},
        {";code", -14},
        {": t ;code exit, end-code t", -32},
        {"create x : t ;code exit, end-code t", -32},
        {": t create , ;code @, end-code", -22},
        {": t create , ;code if, zork", -13},
        {": t create , ;code t", -13},
        {"code t >r, exit, end-code 1 t", -25},
        {"code t r>, exit, end-code t", -6},
        {"code t ' r@ call, exit, end-code t", -6},
        {"code t ' j tail, end-code t", -6},
        {": t ['] i execute ; t", -6},
        {"code t drop, exit, end-code t", -4},
        {"code t 0 lit, @, exit, end-code t", -9},
        {"code t recurse, exit, end-code t", -5},
        {"code t unloop, exit, end-code t", -6},
        {"code t loops", -13},
        {"code t see t", -13},
        {": full 15 0 do also loop ; full code u", -49},
    };
    (void)state;
    for (enum forth_mode mode = 0; mode < FORTH_MODE_COUNT; mode++) {
        for (size_t n = 0; n < sizeof(refused) / sizeof(refused[0]); n++) {
            static struct forth_run run;
            forth_open(&run, forth, mode);
            const enum weft_unit_state end = forth_text(&run, "t", refused[n].text);
            if (end != WEFT_UNIT_FAULT || run.error.code != refused[n].code)
                fail_msg("%s: %d, state %d", refused[n].text, run.error.code, end);
            const bool also = strstr(refused[n].text, "also") != NULL;
            const enum weft_unit_state after =
                forth_text(&run, "t", also ? "only : u 1 ; order u ." : ": u 1 ; order u .");
            if (after != WEFT_UNIT_DONE || strcmp(run.output, "FORTH / FORTH 1 ") != 0)
                fail_msg("%s: then [%s] %d", refused[n].text, run.output, run.error.code);
            forth_close(&run);
        }
    }
}

// An error is at the word that made it, and a word made of code shows in a trace where it stood.
static void errors_have_places(void **state)
{
    static const struct weft_unit_options options = {.memory_bytes_max = 1 << 20,
                                                     .stack_cells_max = 100,
                                                     .call_depth_max = 100,
                                                     .output_bytes_max = 4096,
                                                     .strict_effects = true,
                                                     .places = true};
    static struct forth_run run = {.options = &options};
    (void)state;
    forth_open(&run, forth, FORTH_PLAIN);
    assert_int_equal(forth_text(&run, "f", "code t\n  dup,\n  if,\nend-code"), WEFT_UNIT_FAULT);
    assert_int_equal(run.error.code, -22);
    assert_int_equal(run.error.line, 4);
    assert_int_equal(forth_text(&run, "f", "code t\n  70000\n  lit+, exit, end-code"),
                     WEFT_UNIT_FAULT);
    assert_int_equal(run.error.code, -24);
    assert_int_equal(run.error.line, 3);
    assert_int_equal(run.error.column, 3);
    forth_text(&run, "f", "code t\n  0 lit,\n  @, exit,\nend-code\n: u 1 . t ;");
    assert_int_equal(forth_text(&run, "g", "u"), WEFT_UNIT_FAULT);
    assert_string_equal(run.error.trace, "  in t (f:3:3)\n  in u (f:5:9)\n");
    // What its comment says is compared with what it does.
    assert_int_equal(forth_text(&run, "f", "code v ( n -- ) dup, exit, end-code"), WEFT_UNIT_FAULT);
    assert_int_equal(run.error.code, WEFT_THROW_EFFECT);
    assert_non_null(strstr(run.error.message, "v says ( n -- ) but does ( x -- x x )"));
    assert_int_equal(forth_text(&run, "f", "order [defined] v ."), WEFT_UNIT_DONE);
    assert_string_equal(run.output, "FORTH / FORTH 0 ");
    forth_close(&run);
}

// A definition may span texts; meanwhile the unit says that it is at one.
static void code_may_span_texts(void **state)
{
    static struct forth_run run;
    struct weft_unit_info info;
    (void)state;
    forth_open(&run, forth, FORTH_RESTORE);
    forth_text(&run, "t", "code t dup,");
    weft_unit_inspect(run.unit, &info);
    assert_true(info.compiling);
    forth_text(&run, "t", "*, exit, end-code 5 t .");
    assert_string_equal(run.output, "25 ");
    weft_unit_inspect(run.unit, &info);
    assert_false(info.compiling);
    forth_close(&run);
}

// The text that assembles `op`, its literal being 7.
static void write_one(unsigned op, const char *name, char *to, size_t size)
{
    const int way = weft_branch_direction(op);
    const unsigned last = weft_last_part(op);
    const bool turns = last == WEFT_OP_loop || last == WEFT_OP_plus_loop;
    const bool begins = last == WEFT_OP_do || last == WEFT_OP_qdo;
    const char *operand = op == WEFT_OP_call || op == WEFT_OP_tail ? "' u "
                          : op == WEFT_OP_lit_float                ? "7e "
                          : weft_op_value_tokens(op) > 0           ? "7 "
                                                                   : "";
    snprintf(to, size, "code t %s%s%s %s exit, end-code",
             turns     ? "do, "
             : way < 0 ? "begin, "
                       : "",
             operand, name,
             begins    ? "loop,"
             : way > 0 ? "then,"
                       : "");
}

// Law: each operation that a program may contain has one word, which makes that operation and
// nothing else; SEE shows it, and what SEE shows is the same code again.
static void each_operation_can_be_written(void **state)
{
    static struct forth_run run;
    unsigned count = 0;
    (void)state;
    forth_open(&run, forth, FORTH_PLAIN);
    forth_text(&run, "t", ": u ;");
    for (unsigned op = 0; op < WEFT_OP_COUNT; op++) {
        char name[WEFT_MNEMONIC_BYTES], text[256], shown[256], line[1024];
        if (weft_mnemonic(op, name) == 0) continue;
        assert_int_equal(weft_mnemonic_find(name, strlen(name)), op);
        write_one(op, name, text, sizeof(text));
        if (forth_text(&run, "t", text) != WEFT_UNIT_DONE) fail_msg("%s: %d", text, run.error.code);
        const struct weft_word *word = weft_own_word(run.unit, weft_own_words(run.unit->block) - 1);
        const uint16_t *code = weft_own_code(run.unit->block) + word->code;
        const bool turns =
            weft_last_part(op) == WEFT_OP_loop || weft_last_part(op) == WEFT_OP_plus_loop;
        if (code[turns] != op) fail_msg("%s: %u, not %u", text, code[turns], op);
        const uint32_t tokens = 2u + turns + weft_op_info[op].operands +
                                2 * (weft_last_part(op) == WEFT_OP_do || op == WEFT_OP_qdo);
        if (word->code_length != tokens) fail_msg("%s: %u tokens", text, word->code_length);

        forth_text(&run, "t", "see t");
        snprintf(shown, sizeof(shown), "%s", run.output);
        if (strstr(shown, name) == NULL) fail_msg("%s: %s", text, shown);
        if (weft_branch_direction(op) == 0 && op != WEFT_OP_do) {
            if (forth_text(&run, "t", shown) != WEFT_UNIT_DONE)
                fail_msg("%s: %s: %d", text, shown, run.error.code);
            const struct weft_word *again =
                weft_own_word(run.unit, weft_own_words(run.unit->block) - 1);
            const uint16_t *codes = weft_own_code(run.unit->block);
            if (again->code_length != tokens ||
                memcmp(codes + again->code, codes + again->code - tokens, tokens * 2) != 0)
                fail_msg("%s is not %s", shown, text);
        }
        snprintf(line, sizeof(line), "ASSEMBLER %s", name);
        if (weft_forth_help(line, strlen(line), line, sizeof(line)) == 0)
            fail_msg("%s: no help", name);
        forth_text(&run, "t", "forget t");
        if (strstr(shown, "t ") != NULL) forth_text(&run, "t", "[defined] t [if] forget t [then]");
        count++;
    }
    print_message("%u operations\n", count);
    assert_true(count > 250);
    forth_close(&run);
}

// Only what only works among other tokens, or while others are compiled, has no word.
static void what_has_no_word_needs_none(void **state)
{
    (void)state;
    for (unsigned op = 0; op < WEFT_OP_COUNT; op++) {
        char name[WEFT_MNEMONIC_BYTES];
        const struct weft_op_info *info = &weft_op_info[op];
        if (weft_mnemonic(op, name) > 0 || info->flags & WEFT_WORD_IMMEDIATE) continue;
        const bool private = info->name[0] == '(';
        const bool internal = op == WEFT_OP_stop || op == WEFT_OP_catch ||
                              op == WEFT_OP_catch_end || op == WEFT_OP_interpret ||
                              op == WEFT_OP_source_begin || op == WEFT_OP_source_end ||
                              op == WEFT_OP_file_begin || op == WEFT_OP_block_begin ||
                              op == WEFT_OP_forget_to || op == WEFT_OP_set_does;
        if (!private && !internal) fail_msg("operation %u (%s) has no word", op, info->name);
    }
}

// Whatever the verifier has passed, it passes again when an image brings it.
static void what_is_made_comes_back(void **state)
{
    static uint8_t image[1 << 16];
    static struct forth_run run;
    // 2: a call of what is not there yet, the part behind DOES>; 3: TAIL.
    static const char *const texts[] = {
        ": a ; : b [ also assembler 2 token, ' a 1+ token, previous ] create does> drop ;",
        ": a ; : b [ also assembler 2 token, ' a 1+ token, previous ] create ;code drop, exit, "
        "end-code",
        ": a ; : b 0 if exit then [ also assembler 3 token, ' a 1+ token, previous ] create "
        "does> drop ;",
        "code t ' drop call, recurse, ' dup tail, end-code",
        ": b create ;code 0 local, 9 local!, exit, end-code",
    };
    (void)state;
    for (size_t n = 0; n < sizeof(texts) / sizeof(texts[0]); n++) {
        struct weft_unit *unit;
        forth_open(&run, forth, FORTH_PLAIN);
        const bool is_made = forth_text(&run, "t", texts[n]) == WEFT_UNIT_DONE;
        if (is_made != (n > 2)) fail_msg("%s: %d", texts[n], run.error.code);
        if (!is_made) assert_int_equal(run.error.code, -22);
        const int64_t bytes = weft_unit_save(run.unit, image, sizeof(image));
        assert_true(bytes > 0);
        if (weft_unit_load(forth, &weft_forth_memory_libc, NULL, NULL, image, (size_t)bytes,
                           &unit) != 0)
            fail_msg("%s: it does not come back", texts[n]);
        weft_unit_free(unit);
        forth_close(&run);
    }
}

static int make_system(void **state)
{
    const int code = forth_compile_system(state);
    forth = *state;
    return code;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_print_what_they_must),
        cmocka_unit_test(what_is_refused_leaves_nothing),
        cmocka_unit_test(errors_have_places),
        cmocka_unit_test(code_may_span_texts),
        cmocka_unit_test(each_operation_can_be_written),
        cmocka_unit_test(what_has_no_word_needs_none),
        cmocka_unit_test(what_is_made_comes_back),
    };
    return cmocka_run_group_tests(tests, make_system, forth_free_system);
}
