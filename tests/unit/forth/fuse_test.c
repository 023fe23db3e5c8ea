// Fused operations: each is its two parts and nothing else, as the verifier and SEE believe.
#include "tests/unit/forth/forth_run.h"

#include "forth/fuse.h"
#include "forth/ops.h"

static int larger(int a, int b)
{
    return a > b ? a : b;
}

// Property: operands and effects are those of the parts, one behind the other.
static void a_fused_operation_is_its_parts(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < weft_fusion_count; n++) {
        const struct weft_fusion *fusion = &weft_fusions[n];
        const struct weft_op_info *whole = &weft_op_info[fusion->op];
        const struct weft_op_info *a = &weft_op_info[fusion->first];
        const struct weft_op_info *b = &weft_op_info[fusion->second];
        assert_ptr_equal(weft_fusion_of(fusion->op), fusion);
        assert_int_equal(weft_fused(fusion->first, fusion->second), fusion->op);
        assert_true(whole->hot && whole->name[0] == '\0');
        assert_int_equal(whole->operands, a->operands + b->operands);
        if (a->out == WEFT_VAR) continue; // ?DUP: before a branch its effect is known.
        const int in = larger(a->in, a->in - a->out + b->in);
        const int rin = larger(a->rin, a->rin - a->rout + b->rin);
        assert_int_equal(whole->in, in);
        assert_int_equal(whole->rin, rin);
        assert_int_equal(whole->out - whole->in, a->out - a->in + b->out - b->in);
        assert_int_equal(whole->rout - whole->rin, a->rout - a->rin + b->rout - b->rin);
    }
}

static const char data[] = "variable v 7 v ! create b 1 c, 2 c, 3 c, 255 c, align "
                           "create t 5 , -6 , 70000 , 1 63 lshift , : .. . . ; ";

// What two operations do when nothing fuses them (a label stands between), and what one does.
static const struct {
    const char *first, *second, *operands, *printed;
} cases[] = {
    {"2dup", "< if 1 . else 2 . then ..", "-1 3", "1 3 -1 "},
    {"2dup", "< if 1 . else 2 . then ..", "3 3", "2 3 3 "},
    {"<", "if 1 . else 2 . then", "3 -1", "2 "},
    {">", "if 1 . else 2 . then", "3 -1", "1 "},
    {"=", "if 1 . else 2 . then", "3 3", "1 "},
    {"<>", "if 1 . else 2 . then", "3 3", "2 "},
    {"0=", "if 1 . else 2 . then", "3", "2 "},
    {"0=", "if 1 . else 2 . then", "0", "1 "},
    {"dup", "if 1 . then .", "-5", "1 -5 "},
    {"dup", "if 1 . then .", "0", "0 "},
    {"?dup", "if . else 9 . then", "4", "4 "},
    {"?dup", "if . else 9 . then", "0", "9 "},
    {"-3", "< .", "-4", "-1 "},
    {"-3", "> .", "-4", "0 "},
    {"-3", "= .", "-3", "-1 "},
    {"-3", "<> .", "65533", "-1 "},
    {"-3 <", "if 1 . else 2 . then", "-4", "1 "},
    {"-3 >", "if 1 . else 2 . then", "-4", "2 "},
    {"-3 =", "if 1 . else 2 . then", "-3", "1 "},
    {"-3 <>", "if 1 . else 2 . then", "-3", "2 "},
    {"dup", "-3 < if 1 . else 2 . then .", "-4", "1 -4 "},
    {"dup", "-3 > if 1 . else 2 . then .", "-4", "2 -4 "},
    {"dup", "-3 = if 1 . else 2 . then .", "-3", "1 -3 "},
    {"dup", "-3 <> if 1 . else 2 . then .", "-3", "2 -3 "},
    {"v", "@ .", "", "7 "},
    {"v", "! v @ . 7 v !", "8", "8 "},
    {"v", "+ v - .", "-1", "-1 "},
    {"v @", "+ .", "5", "12 "},
    {"v @", "! v @ .", "1", "invalid memory address"},
    {"b +", "c! b 1+ c@ . 2 b 1+ c!", "511 1", "255 "},
    {"100000 +", "c!", "1 1", "invalid memory address"},
    {"over", "+ ..", "1 2", "3 1 "},
    {"over", "or ..", "1 2", "3 1 "},
    {"over", "@ . ..", "t 2", "5 2 65576 "},
    {"over", "c@ . ..", "b 2", "1 2 65568 "},
    {"over", "@", "0 2", "invalid memory address"},
    {"over", "c@", "-1 2", "invalid memory address"},
    {"2 0 do 5 i", "+ . loop", "", "5 6 "},
    {"4 0 do b i +", "c@ . loop", "", "1 2 3 255 "},
    {"2 0 do -5 i +", "c@ . loop", "", "invalid memory address"},
    {"3 1 do i", "cells . loop", "", "8 16 "},
    {"2 0 do t i cells", "+ @ . loop", "", "5 -6 "},
    {"t 16 + t do i", "@ . 8 +loop", "", "5 -6 "},
    {"b 2 + b do i", "c@ . loop", "", "1 2 "},
    {"2 0 do i", "@ loop", "", "invalid memory address"},
    {"2 0 do i", "c@ loop", "", "invalid memory address"},
    {"t 16 + t do i", "2@ .. 16 +loop", "", "5 -6 "},
    {"2 0 do i", "2@ loop", "", "invalid memory address"},
    {"t 16 + t do 1 2 i", "2! 16 +loop t @ . t cell+ @ .", "", "2 1 "},
    {"2 0 do 1 1 i", "2! loop", "", "invalid memory address"},
    {"dup", "* .", "-12", "144 "},
    {"*", "+ .", "1 2 3", "7 "},
    {"1", "pick . ..", "4 5", "4 5 4 "},
    {"1 pick", "@ . ..", "t 5", "5 5 65576 "},
    {"2", "pick", "4 5", "stack underflow"},
    {"-1", "pick", "4 5", "stack underflow"},
    {"1 pick", "@", "4 5", "invalid memory address"},
    {"63", "rshift .", "-1", "1 "},
    {"64", "rshift .", "-1", "0 "},
    {"-1", "rshift .", "-1", "0 "},
    {"rot", "-5 + . ..", "1 2 3", "-4 3 2 "},
    {"dup", "1- ..", "1", "0 1 "},
    {"swap", "-5 + ..", "1 2", "-4 2 "},
    {"swap", "5 - ..", "1 2", "-4 2 "},
    {"swap", "1+ ..", "1 2", "2 2 "},
    {"swap 1+", "swap ..", "1 2", "2 2 "},
    {"10 0 do i .", "3 +loop", "", "0 3 6 9 "},
    {"0 10 do i .", "-5 +loop", "", "10 5 0 "},
    {"5", "cells .", "", "40 "},
    {"5000", "cells .", "", "40000 "},
    {"5", "- .", "3", "-2 "},
    {"-32768", "- .", "0", "32768 "},
};

static void check(struct forth_run *run, const char *text, const char *printed)
{
    if (forth_text(run, "t", text) == WEFT_UNIT_FAULT) {
        char rendered[512];
        weft_unit_error_render(&run->error, rendered, sizeof(rendered));
        if (strstr(rendered, printed) == NULL) fail_msg("%s: %s", text, rendered);
    } else if (strcmp(run->output, printed) != 0) {
        fail_msg("%s: \"%s\", not \"%s\"", text, run->output, printed);
    }
}

static void fused_or_not_the_same_happens(void **state)
{
    for (enum forth_mode mode = 0; mode < FORTH_MODE_COUNT; mode++) {
        for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
            static struct forth_run run;
            char text[512];
            const char *first = cases[n].first, *second = cases[n].second;
            forth_open(&run, *state, FORTH_PLAIN);
            forth_text(&run, "t", data);
            run.mode = mode;
            snprintf(text, sizeof(text), ": x %s %s ; %s x", first, second, cases[n].operands);
            check(&run, text, cases[n].printed);
            // In a word that checks each operation.
            snprintf(text, sizeof(text), ": x %s %s ['] noop execute ; %s x", first, second,
                     cases[n].operands);
            forth_text(&run, "t", ": noop ;");
            check(&run, text, cases[n].printed);
            if (strstr(first, " do ") == NULL) {
                snprintf(text, sizeof(text), ": x %s ahead then %s ; %s x", first, second,
                         cases[n].operands);
                check(&run, text, cases[n].printed);
            }
            forth_close(&run);
        }
    }
}

static void an_operation_refuses_where_its_parts_do(void **state)
{
    static const struct {
        const char *text, *printed;
    } refusals[] = {
        {": x over + ['] noop execute ; 1 ' x catch . drop", "-4 "},
        {": x * + ['] noop execute ; 1 2 ' x catch . 2drop", "-4 "},
        {": x v @ + ['] noop execute ; ' x catch .", "-4 "},
        {": x dup 5 < if then ['] noop execute ; ' x catch .", "-4 "},
        {": x over + ; 1 ' x catch . drop", "-4 "},
        {": x 2dup < if then ; 1 ' x catch . drop", "-4 "},
    };
    static struct forth_run run;
    forth_open(&run, *state, FORTH_RESTORE);
    forth_text(&run, "t", data);
    forth_text(&run, "t", ": noop ;");
    for (size_t n = 0; n < sizeof(refusals) / sizeof(refusals[0]); n++)
        check(&run, refusals[n].text, refusals[n].printed);
    forth_close(&run);
}

static void see_takes_them_apart(void **state)
{
    static struct forth_run run;
    forth_open(&run, *state, FORTH_PLAIN);
    check(&run, ": t dup 5 < if over + then 2 pick @ swap 1+ swap ; see t",
          ": T DUP 5 < (zbranch)>4 OVER + 2 PICK @ SWAP 1+ SWAP ; ");
    check(&run, ": t 10 0 do i cells 5 + c@ drop 2 +loop ; see t",
          ": T 10 0 (do) I CELLS 5 + C@ DROP 2 (plus_loop)>5 ; ");
    check(&run, "variable v : t v @ + 3 v ! 4 cells ; see t", ": T 65560 @ + 3 65560 ! 32 ; ");
    check(&run, ": t ?dup if 1- then chars ; see t", ": T ?DUP (zbranch)>3 1- CHARS ; ");
    forth_close(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fused_operation_is_its_parts),
        cmocka_unit_test(fused_or_not_the_same_happens),
        cmocka_unit_test(an_operation_refuses_where_its_parts_do),
        cmocka_unit_test(see_takes_them_apart),
    };
    return cmocka_run_group_tests(tests, forth_compile_system, forth_free_system);
}
