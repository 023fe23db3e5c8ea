// Stack effects: what comments say, what code does, and what is said about a difference.
#include "tests/unit/forth/forth_run.h"

#include "forth/effect.h"

static struct weft_forth_system *forth;

static void comments_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *ways; // "in-out" of each alternative, in either reading; "": open.
    } cases[] = {
        {"( a b -- c )", "2-1"},
        {"( -- )", "0-0"},
        {"( -- flag )", "0-1"},
        {"( a b --- c )", "2-1"},
        {"( not an effect )", NULL},
        {"( n -- n true | false )", "1-2 1-1"},
        {"( n -- n 1 | n -- 0 )", "1-2 1-1"},
        {"( -- x | )", "0-1 0-0"},
        {"( -- true|false )", "0-1"},
        {"( i*x -- j*x )", ""},
        {"( xn ... x1 n -- )", ""},
        {"( x1...xn n -- )", ""},
        {"( \"name\" -- xt )", "0-1"},
        {"( x \"<spaces>name\" -- )", "1-0"},
        {"( \" a name \" x -- )", "1-0"},
        {"( <name> x -- )", "1-0"},
        {"( d1 d2 -- d )", "4-2 2-1"},
        {"( d u -- ud u )", "3-3 2-2"},
        {"( n +n -- ior )", "2-1"},
        {"( r -- n )", "0-1 1-1"},
        {"( R: x -- )", NULL},
        {"( R: x -- ) ( n -- )", "1-0"},
        {"( n -- ) ( F: -- r )", "1-0"},
        {"( n -- R: -- x )", "1-0"},
        {"( S: n -- )", "1-0"},
        {"( C: orig -- )", NULL},
        {"( a | b -- )", NULL},
        {"( a b -- c", "2-1"},
        {"( orig -- )", ""},
        {"{: a b -- c :}", "2-1"},
        {"{: a b | t -- c d :}", "2-2"},
        {"{: a b :}", NULL},
        {"{: a b -- :}", "2-0"},
        {"dup", NULL},
        {"", NULL},
    };
    for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        struct weft_effect_claim claim;
        char ways[64] = "";
        const bool is = weft_effect_parse(cases[n].text, strlen(cases[n].text), &claim);
        for (unsigned w = 0; is && !claim.open && w < claim.count; w++) {
            snprintf(ways + strlen(ways), 12, "%s%d-%d", w > 0 ? " " : "", claim.way[w].in,
                     claim.way[w].out);
        }
        if (is != (cases[n].ways != NULL) || (is && strcmp(ways, cases[n].ways) != 0))
            fail_msg("%s: %d [%s]", cases[n].text, is, ways);
    }
}

// The effect of the newest word after `text`.
static struct weft_effect infer(const char *text)
{
    struct forth_run run = {0};
    struct weft_effect effect = {0};
    struct weft_effect_word word;
    forth_open(&run, forth, FORTH_PLAIN);
    if (forth_text(&run, "t", text) != WEFT_UNIT_DONE) fail_msg("%s: %s", text, run.error.message);
    uint32_t n = 0;
    while (weft_effect_word(run.unit, n, &word))
        n++;
    assert_true(n > 0);
    weft_effect_infer(run.unit, word.index, &effect);
    forth_close(&run);
    return effect;
}

static void effects_are_inferred(void **state)
{
    (void)state;
    static const struct {
        const char *text, *effect;
    } cases[] = {
        {": t ;", "( -- )"},
        {": t dup * ;", "( x -- x )"},
        {": a swap ; : t a ;", "( x x -- x x )"}, // What it calls must be there as well.
        {": t if 1 else 2 then ;", "( x -- x )"},
        {": t if 1 then ;", "( x -- | x )"},
        {": t dup if true else drop false then ;", "( x -- x x | x )"},
        {": t ?dup if drop then ;", "( x -- )"},
        {": t ?dup ;", "( x -- x x | x )"},
        {": t 0 ?do i . loop ;", "( x -- )"},
        {": t 10 0 do i 3 = if unloop exit then loop ;", "( -- )"},
        {": t 10 0 do i 3 = if leave then loop ;", "( -- )"},
        {": t 10 0 do i loop ;", "cannot be told"},
        {": t begin dup while 1- repeat ;", "( x -- x )"},
        {": t begin again ;", "( -- never returns )"},
        {": t -9 throw ;", "( -- never returns )"},
        {": t throw ;", "( x -- )"},
        {": f -9 throw ; : t if 5 else f then ;", "( x -- x )"},
        {": t if abort then 1 ;", "( x -- x )"},
        {": t bye ;", "( -- never returns )"},
        {": t execute ;", "cannot be told"},
        {": t ['] dup execute ;", "( x -- x x )"},
        {": t ['] ! catch ;", "( x x -- x | x x x )"},
        {": t ['] @ catch ;", "( x -- x x )"},
        {": f -9 throw ; : t ['] f catch ;", "( -- x )"},
        {": t catch ;", "cannot be told"},
        {": t >r dup r> ;", "( x x -- x x x )"},
        {": t >r ;", "cannot be told"},
        {": t 2 pick ;", "( x x x -- x x x x )"},
        {": t 2 roll ;", "( x x x -- x x x )"},
        {": t pick ;", "( x -- x )"},
        {": t dup 2 < if exit then dup 1- recurse swap 2 - recurse + ;", "( x -- x )"},
        {": t dup if drop recurse 0 then ;", "cannot be told"}, // Takes more at each call.
        {": t ( n -- ) dup if 1- recurse exit then drop ;", "( x -- )"},
        {": t recurse ;", "( -- never returns )"},
        {": t ( -- n ) execute ; : u t ;", "( -- x )"}, // Who calls it believes its comment.
        {": t ( i*x -- j*x ) execute ; : u t ;", "cannot be told"},
        {"defer d ( n -- ) : t d ;", "( x -- )"},
        {"defer d : t d ;", "cannot be told"},
        {": con create , does> @ ; 5 con five : t five 1+ ;", "( -- x )"},
        {": con create , does> @ ;", "( x -- x )"}, // The newest is what stands behind DOES>.
        {"5 value v : t v to v ;", "( -- )"},
        {"1 2 2value v : t v to v ;", "( -- )"},
        {"variable v : t v @ ;", "( -- x )"},
        {": t case 1 of 10 endof 2 of 20 endof 0 swap endcase ;", "( x -- x )"},
        {": t s\" abc\" type ;", "( -- )"},
        {": t postpone if ; immediate", "cannot be told"},
        {": t 1 2 3 4 5 6 7 8 9 ;", "( -- 9*x )"},
    };
    for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        char text[128];
        struct weft_effect effect = infer(cases[n].text);
        weft_effect_text(&effect, text, sizeof(text));
        if (strcmp(text, cases[n].effect) != 0)
            fail_msg("%s: %s (%s)", cases[n].text, text, effect.reason);
        if (effect.kind == WEFT_EFFECT_UNKNOWN) assert_true(effect.reason[0] != '\0');
    }
    const struct weft_effect effect = infer(": t >r >r dup 10 0 do loop 2r@ rot drop r> r> ;");
    assert_int_equal(effect.return_cells, 4);
    assert_int_equal(effect.need, 3);
    assert_int_equal(effect.grow, 2);
}

struct heard {
    char text[1024];
    unsigned count;
};

static void hear(void *self, const struct weft_unit_error *warning)
{
    struct heard *heard = self;
    heard->count++;
    weft_unit_warning_render(warning, heard->text, sizeof(heard->text));
}

static void differences_are_warnings(void **state)
{
    (void)state;
    static const struct {
        const char *text, *warning; // NULL: none.
    } cases[] = {
        {": sq ( n -- n ) dup * ;", NULL},
        {": sq dup ;", NULL},
        {": bad ( n -- ) dup ;", "t:1:7: warning: bad says ( n -- ) but does ( x -- x x )\n"
                                 ": bad ( n -- ) dup ;\n      ^~~~~~~~\n"},
        {"\n: a\n  ( n\n    -- )\n  ;", "t:3:3: warning: a says ( n -- ) but does ( -- )\n"
                                        "  ( n\n  ^~~\n"},
        {": t ( a b -- a b ) ;", NULL}, // More cells than it touches.
        {": t ( -- x ) dup ;", "t:1:5: warning: t says ( -- x ) but does ( x -- x x )\n"
                               ": t ( -- x ) dup ;\n    ^~~~~~~~\n"},
        {": t ( no effect ) dup ;", NULL},
        {": t dup ( -- ) ;", NULL}, // Not behind the name.
        {": t ( R: -- x ) dup ;", NULL},
        {": t ( R: -- ) ( n -- ) dup ;", "t:1:5: warning: t says ( n -- ) but does ( x -- x x )\n"
                                         ": t ( R: -- ) ( n -- ) dup ;\n    ^~~~~~~~~~~~~~~~~~\n"},
        {": t ( d d -- d ) d+ ;", NULL},
        {": t ( a b c d -- ) 2drop 2drop ;", NULL},
        {": t ( n -- n true | false ) dup if true else drop false then ;", NULL},
        {": t ( n -- n true | false ) drop ;",
         "t:1:5: warning: t says ( n -- n true | false ) but does ( x -- )\n"
         ": t ( n -- n true | false ) drop ;\n    ^~~~~~~~~~~~~~~~~~~~~~~\n"},
        {": t ( -- ) execute ;", NULL},
        {": t ( -- ) 5 0 do i loop ;", NULL},
        {": t ( i*x -- j*x ) dup ;", NULL},
        {": t ( n -- ) dup if 1- recurse exit then drop ;", NULL},
        {": t ( n -- n ) dup if 1- recurse exit then drop ;", NULL}, // As ?DUP might.
        {":noname ( -- ) 1 ; drop", "t:1:9: warning: :NONAME says ( -- ) but does ( -- x )\n"
                                    ":noname ( -- ) 1 ; drop\n        ^~~~~~\n"},
        {": t ( n \"name\" -- ) create , does> @ ;", NULL},
        {": t ( \"name\" -- ) create , does> @ ; : u ( -- ) 1 drop ;",
         "t:1:5: warning: t says ( \"name\" -- ) but does ( x -- )\n"
         ": t ( \"name\" -- ) create , does> @ ; : u ( -- ) 1 drop ;\n    ^~~~~~~~~~~~~\n"},
        {"s\" : t ( n -- ) ;\" evaluate", "evaluate:1:5: warning: t says ( n -- ) but does ( -- )\n"
                                          ": t ( n -- ) ;\n    ^~~~~~~~\nfrom t:1:20\n"},
        {"defer d ( n -- ) : t ( -- ) d ;",
         "t:1:22: warning: t says ( -- ) but does ( x -- )\n"
         "defer d ( n -- ) : t ( -- ) d ;\n                     ^~~~~~\n"},
    };
    for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        for (enum forth_mode mode = 0; mode < FORTH_MODE_COUNT; mode++) {
            struct heard heard = {0};
            const struct weft_unit_host host = {.self = &heard, .warning = hear};
            struct forth_run run = {.host = &host};
            forth_open(&run, forth, mode);
            assert_int_equal(forth_text(&run, "t", cases[n].text), WEFT_UNIT_DONE);
            forth_close(&run);
            const char *expected = cases[n].warning == NULL ? "" : cases[n].warning;
            if (strcmp(heard.text, expected) != 0)
                fail_msg("%s, mode %d: [%s]", cases[n].text, mode, heard.text);
            assert_int_equal(heard.count, cases[n].warning != NULL);
        }
    }
}

static void strict_units_refuse(void **state)
{
    (void)state;
    struct weft_unit_options options = weft_unit_options_default;
    options.strict_effects = true;
    for (enum forth_mode mode = 0; mode < FORTH_MODE_COUNT; mode++) {
        struct forth_run run = {.options = &options};
        forth_open(&run, forth, mode);
        assert_int_equal(forth_text(&run, "t", ": a ( n -- n ) 1+ ;\n: b ( n -- )\n 1+ ;"),
                         WEFT_UNIT_FAULT);
        assert_int_equal(run.error.code, WEFT_THROW_EFFECT);
        assert_int_equal(run.error.line, 2);
        assert_int_equal(run.error.column, 5);
        assert_string_equal(run.error.message, "b says ( n -- ) but does ( x -- x )");
        // What was right is there, what was wrong is not; and the next text is as before.
        assert_int_equal(forth_text(&run, "t", "4 a . [undefined] b . : b ( n -- ) . ; 7 b"),
                         WEFT_UNIT_DONE);
        assert_string_equal(run.output, "5 -1 7 ");
        // Caught, it is a number like any other.
        assert_int_equal(
            forth_text(&run, "t",
                       ": t s\" : c ( -- ) 1 ;\" evaluate ; ' t catch . [undefined] c ."),
            WEFT_UNIT_DONE);
        assert_string_equal(run.output, "-263 -1 ");
        // Caught within, the definition goes on.
        assert_int_equal(forth_text(&run, "t",
                                    ": try s\" ;\" ['] evaluate catch . 2drop ; immediate "
                                    ": d ( -- ) 1 try drop ; d"),
                         WEFT_UNIT_FAULT);
        assert_string_equal(run.output, "-263 ");
        // A definition over several texts: the comment's place is gone, its end is told.
        assert_int_equal(forth_text(&run, "one", ": c ( -- )"), WEFT_UNIT_DONE);
        assert_int_equal(forth_text(&run, "two", "1 ;"), WEFT_UNIT_FAULT);
        assert_string_equal(run.error.source, "two");
        assert_int_equal(run.error.column, 3);
        forth_close(&run);
    }
}

static void comments_stay_with_their_words(void **state)
{
    (void)state;
    struct forth_run run = {0};
    struct weft_effect_word word;
    forth_open(&run, forth, FORTH_RESTORE);
    assert_int_equal(forth_text(&run, "t",
                                ": a ( n -- n )\n1+ ; : con ( n \"name\" -- ) create , "
                                "does> ( -- n ) @ ; 5 con five : b dup ; defer d ( -- )"),
                     WEFT_UNIT_DONE);
    static const struct {
        const char *name, *comment;
        bool colon;
    } words[] = {
        {"a", "( n -- n )", true},
        {"con", "( n \"name\" -- )", true},
        {"", "", true},
        {"five", "", false},
        {"b", "", true},
        {"d", "( -- )", false},
    };
    for (uint32_t n = 0; n < sizeof(words) / sizeof(words[0]); n++) {
        assert_true(weft_effect_word(run.unit, n, &word));
        assert_string_equal(word.name, words[n].name);
        assert_string_equal(word.comment, words[n].comment);
        assert_int_equal(word.colon, words[n].colon);
    }
    assert_false(weft_effect_word(run.unit, 6, &word));
    // A marker takes them away, too.
    assert_int_equal(forth_text(&run, "t", "marker m : x ( -- ) ; m : y ( n -- ) drop ; 1 y 2 a ."),
                     WEFT_UNIT_DONE);
    assert_string_equal(run.output, "3 ");
    assert_true(weft_effect_word(run.unit, 6, &word));
    assert_string_equal(word.comment, "( n -- )");
    forth_close(&run);
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
        cmocka_unit_test(comments_are_read),
        cmocka_unit_test(effects_are_inferred),
        cmocka_unit_test(differences_are_warnings),
        cmocka_unit_test(strict_units_refuse),
        cmocka_unit_test(comments_stay_with_their_words),
    };
    return cmocka_run_group_tests(tests, make_system, forth_free_system);
}
