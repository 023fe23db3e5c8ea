// What the verifier refuses, token by token; and that whatever it lets through stays in its unit
// and does to the stack what was told of it.
#include "tests/unit/forth/forth_run.h"

#include "forth/dictionary.h"
#include "forth/infer.h"
#include "forth/ops.h"
#include "forth/verify.h"
#include "runtime/base/prng.h"

#define OP(name) WEFT_OP_##name

enum { TOKENS_MAX = 24 };

static struct weft_forth_system *forth;

// Opens a unit whose word `t` consists of these tokens. What the verifier says of them.
static int32_t open_with(struct forth_run *run, const uint16_t *tokens, uint32_t count)
{
    forth_open(run, forth, FORTH_PLAIN);
    assert_int_equal(forth_text(run, "t",
                                "variable v : t over over over over over over over over over over "
                                "over over over over over over over over over over over over over "
                                "over ; : m [char] ! emit ;"),
                     WEFT_UNIT_DONE);
    struct weft_word *word = weft_own_word_open(run->unit, 1);
    assert_true(word->code_length > TOKENS_MAX && count <= TOKENS_MAX);
    memcpy((uint16_t *)weft_segment_base(run->unit->block, WEFT_SEGMENT_CODE) + word->code, tokens,
           count * sizeof(*tokens));
    word->code_length = count;
    const int32_t code = weft_verify(run->unit, 1, NULL);
    if (code == 0) weft_effect_close(run->unit, 1);
    return code;
}

static void hostile_tokens(void **state)
{
    (void)state;
    enum { REFUSED = -22, V = 0xfffe, T = 0xffff }; // V, T: the numbers of the unit's two words.
    static const struct {
        const char *name;
        int verdict, thrown; // thrown: by running it on eight cells; 0: it ends.
        uint16_t tokens[TOKENS_MAX];
        uint32_t count;
    } cases[] = {
        {"nothing", REFUSED, 0, {0}, 0},
        {"an end", 0, 0, {OP(exit)}, 1},
        {"no end", REFUSED, 0, {OP(dup)}, 1},
        {"no operation", REFUSED, 0, {WEFT_OP_COUNT, OP(exit)}, 2},
        {"the last token there could be", REFUSED, 0, {0xffff, OP(exit)}, 2},
        {"an operand short", REFUSED, 0, {OP(lit16)}, 1},
        {"three operands short", REFUSED, 0, {OP(lit64), 1}, 2},
        {"an operand in place of the end", REFUSED, 0, {OP(lit16), OP(exit)}, 2},
        {"stop", REFUSED, 0, {OP(stop)}, 1},
        {"the text interpreter", REFUSED, 0, {OP(interpret), OP(exit)}, 2},
        {"a catch without its end", REFUSED, 0, {OP(catch), OP(exit)}, 2},
        {"an end without a catch", REFUSED, 0, {OP(catch_end), OP(exit)}, 2},
        {"the end of a source", REFUSED, 0, {OP(source_end), OP(exit)}, 2},
        {"the beginning of a source", REFUSED, 0, {OP(source_begin), OP(exit)}, 2},
        {"a call of nobody", REFUSED, 0, {OP(call), 60000, OP(exit)}, 3},
        {"a tail of nobody", REFUSED, 0, {OP(tail), 60000}, 2},
        {"a part that is nobody", REFUSED, 0, {OP(set_does), 60000, OP(exit)}, 3},
        {"a part of what is no CREATE", 0, -32, {OP(set_does), V, OP(exit)}, 3},
        {"itself, for ever", 0, -5, {OP(call), T, OP(exit)}, 3},
        {"a branch nowhere", REFUSED, 0, {OP(branch), 0, OP(exit)}, 3},
        {"a branch out of the word", REFUSED, 0, {OP(branch), 2, OP(exit)}, 3},
        {"a branch far out", REFUSED, 0, {OP(branch), 0x7fff, OP(exit)}, 3},
        {"a branch forward that goes back", REFUSED, 0, {OP(dup), OP(branch), 0xfffe, OP(exit)}, 4},
        {"a branch back that goes forward", REFUSED, 0, {OP(branch_back), 1, OP(exit)}, 3},
        {"a branch before the word", REFUSED, 0, {OP(branch_back), 0xfffe}, 2},
        {"a branch into an operand", REFUSED, 0, {OP(lit16), 7, OP(branch_back), 0xfffe}, 4},
        {"a branch into its own operand", REFUSED, 0, {OP(zbranch_back), 0, OP(exit)}, 3},
        {"a loop into an operand", REFUSED, 0, {OP(lit16), 7, OP(loop), 0xfffe, OP(exit)}, 5},
        {"a fused branch into an operand",
         REFUSED,
         0,
         {OP(lit_less_zbranch), 5, 2, OP(lit16), 7, OP(exit)},
         6},
        {"a branch to the end", 0, 0, {OP(branch), 1, OP(exit)}, 3},
        {"more than there is",
         0,
         -4,
         {OP(two_drop), OP(two_drop), OP(two_drop), OP(two_drop), OP(drop), OP(exit)},
         6},
        {"a pick from below", 0, -4, {OP(lit_pick), 9, OP(exit)}, 3},
        {"a pick from far below", 0, -4, {OP(lit_pick), 0xffff, OP(exit)}, 3},
        {"a roll from below", 0, -4, {OP(lit16), 40, OP(roll), OP(exit)}, 4},
        {"a roll from nowhere", 0, -4, {OP(lit16), 0xffff, OP(roll), OP(exit)}, 4},
        {"what the caller left", 0, -6, {OP(r_from), OP(exit)}, 2},
        {"something left to the caller", 0, -25, {OP(to_r), OP(exit)}, 2},
        {"a loop that is not there", 0, -6, {OP(unloop), OP(exit)}, 2},
        {"an index that is not there", 0, -6, {OP(j), OP(exit)}, 2},
        {"a turn of no loop", 0, -6, {OP(dup), OP(loop), 0xfffe, OP(exit)}, 4},
        {"no execution token", 0, -13, {OP(lit16), 0xffff, OP(execute), OP(exit)}, 4},
        {"no deferred word", 0, -9, {OP(lit16), 5, OP(defer), OP(exit)}, 4},
        {"no address", 0, -9, {OP(lit32_fetch), 0, 0, OP(exit)}, 4},
        {"an address far out", 0, -9, {OP(lit32_store), 0xffff, 0x7fff, OP(exit)}, 4},
        {"an index as address", 0, -6, {OP(i_two_store), OP(exit)}, 2},
        {"a message of nothing", 0, -2, {OP(abort_text), OP(exit)}, 2},
        {"no marker", 0, -15, {OP(forget_to), OP(exit)}, 2},
        {"an end of no definition", 0, -14, {OP(semicolon), OP(exit)}, 2},
        {"a control structure of none", 0, -14, {OP(if), OP(exit)}, 2},
        {"a forged control structure", 0, -22, {OP(then), OP(exit)}, 2},
        {"a part of no definition", 0, -14, {OP(does), OP(exit)}, 2},
    };
    for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        struct forth_run run = {0};
        uint16_t tokens[TOKENS_MAX];
        for (uint32_t t = 0; t < TOKENS_MAX; t++) {
            const uint16_t token = cases[n].tokens[t];
            const bool own =
                token >= V && t > 0 && (tokens[t - 1] == OP(call) || tokens[t - 1] == OP(set_does));
            tokens[t] = own ? (uint16_t)(forth->word_count + (token - V)) : token;
        }
        const int32_t verdict = open_with(&run, tokens, cases[n].count);
        if (verdict != cases[n].verdict) fail_msg("%s: %d", cases[n].name, verdict);
        if (verdict == 0) {
            const enum weft_unit_state end = forth_text(&run, "t", "1 2 3 4 5 6 7 8 t");
            const int thrown = end == WEFT_UNIT_FAULT ? run.error.code : 0;
            if (thrown != cases[n].thrown) fail_msg("%s: THROW %d", cases[n].name, thrown);
        }
        forth_close(&run);
    }
}

static uint32_t random_tokens(struct weft_prng *prng, uint16_t tokens[TOKENS_MAX])
{
    const uint32_t wish = 1 + weft_prng_below(prng, TOKENS_MAX - 8);
    uint32_t count = 0;
    while (count < wish) {
        const uint16_t op = (uint16_t)weft_prng_below(prng, WEFT_OP_COUNT);
        tokens[count++] = op;
        for (unsigned n = 0; n < weft_op_info[op].operands; n++) {
            const uint32_t small = weft_prng_below(prng, 16) - 8u;
            tokens[count++] = (uint16_t)(op == OP(call) || op == OP(tail)
                                             ? weft_prng_below(prng, forth->word_count)
                                             : small);
        }
    }
    tokens[count++] = OP(exit);
    return count;
}

// Law: a word that ends has moved the stack as the verifier and the inference said it would.
static void what_ends_has_done_what_was_told(void **state)
{
    (void)state;
    unsigned ended = 0, told = 0;
    for (unsigned seed = 0; seed < 60000; seed++) {
        struct weft_prng prng;
        struct forth_run run = {0};
        uint16_t tokens[TOKENS_MAX];
        weft_prng_seed(&prng, seed);
        const uint32_t count = random_tokens(&prng, tokens);
        if (count > TOKENS_MAX || open_with(&run, tokens, count) != 0) {
            if (run.unit != NULL) forth_close(&run);
            continue;
        }
        const struct weft_word word = *weft_own_word(run.unit, 1);
        struct weft_effect effect;
        weft_effect_infer(run.unit, forth->word_count + 1, &effect);

        struct weft_unit_info info;
        static const char text[] = "1 2 3 4 5 6 7 8 9 10 11 12 t m";
        assert_int_equal(weft_unit_interpret(run.unit, "t", text, sizeof(text) - 1), 0);
        const enum weft_unit_state end = forth_go(&run, 4);
        weft_unit_inspect(run.unit, &info);
        const int net = (int)info.depth - 12;
        const bool came_back = run.output_length > 0 && run.output[run.output_length - 1] == '!';
        if (end == WEFT_UNIT_DONE && came_back) {
            ended++;
            bool found = effect.kind == WEFT_EFFECT_UNKNOWN;
            for (unsigned n = 0; n < effect.count; n++)
                found = found || effect.net[n] == net;
            if (word.flags & WEFT_WORD_STATIC && word.net != net)
                fail_msg("seed %u: the verifier said %d, it did %d", seed, word.net, net);
            if (!found) {
                for (uint32_t n = 0; n < count; n++)
                    print_error("%u ", tokens[n]);
                fail_msg("seed %u: it did %d, which was not told", seed, net);
            }
            told += effect.kind == WEFT_EFFECT_KNOWN;
        }
        forth_close(&run);
    }
    assert_true(ended > 500 && told > 300);
}

// Appends a random definition of `w<number>`, of stack words and of calls of the words before it.
static void random_word(struct weft_prng *prng, unsigned number, char *text, size_t size)
{
    static const char *const plain[] = {"dup", "drop", "swap", "over", "rot", "+",  "2dup",
                                        "nip", "7",    "tuck", ">r",   "r>",  "1-", "2drop"};
    static const char *const branches[] = {"dup 3 > if 1- recurse then", "dup 0< if drop w then",
                                           "swap >r dup 0 > if 1- recurse then r>",
                                           "dup 5 > if drop exit then", "3 0 do i w loop"};
    size_t length = strlen(text);
    length += (size_t)snprintf(text + length, size - length, ": w%u ", number);
    for (uint32_t n = 1 + weft_prng_below(prng, 7); n > 0; n--) {
        const uint32_t kind = weft_prng_below(prng, 8);
        if (kind == 0) {
            length += (size_t)snprintf(text + length, size - length, "%s ",
                                       branches[weft_prng_below(prng, 5)]);
        } else if (kind < 4 && number > 0) {
            length += (size_t)snprintf(text + length, size - length, "w%u ",
                                       weft_prng_below(prng, number));
        } else {
            length += (size_t)snprintf(text + length, size - length, "%s ",
                                       plain[weft_prng_below(prng, 14)]);
        }
    }
    snprintf(text + length, size - length, "; ");
}

// Law: where one look at the entry stands for many, nothing is seen later, or otherwise, than where
// every operation looks, which it does behind a restore. Deep stacks, empty ones, small quotas.
static void what_is_looked_at_once_throws_where_each_operation_would(void **state)
{
    enum { WORDS = 12 };
    static const struct weft_unit_options options = {.memory_bytes_max = 1 << 20,
                                                     .stack_cells_max = 40,
                                                     .call_depth_max = 40,
                                                     .output_bytes_max = 4096};
    static struct forth_run once = {.options = &options}, each = {.options = &options};
    unsigned threw = 0, ended = 0;
    (void)state;
    for (unsigned seed = 0; seed < 400; seed++) {
        struct weft_prng prng;
        char text[4096] = ": w 1 ; : fill 0 ?do i loop ; : say dup if . depth . else .s then "
                          "depth 0 ?do drop loop ; ";
        weft_prng_seed(&prng, seed);
        for (unsigned number = 0; number < WORDS; number++)
            random_word(&prng, number, text, sizeof(text));
        forth_open(&once, forth, FORTH_PLAIN);
        forth_open(&each, forth, FORTH_RESTORE);
        const bool compiled = forth_text(&once, "t", text) == WEFT_UNIT_DONE;
        assert_int_equal(forth_text(&each, "t", text) == WEFT_UNIT_DONE, compiled);
        for (unsigned number = 0; compiled && number < WORDS; number++) {
            char use[128];
            snprintf(use, sizeof(use), "%u fill ' w%u catch say", weft_prng_below(&prng, 41),
                     number);
            forth_text(&once, "t", use);
            forth_text(&each, "t", use);
            if (strcmp(once.output, each.output) != 0 || once.state != each.state ||
                (once.state == WEFT_UNIT_FAULT && once.error.code != each.error.code))
                fail_msg("seed %u: %s\n%s\nonce [%s]\neach [%s]", seed, text, use, once.output,
                         each.output);
            threw += once.output[0] == '-';
            ended += once.output[0] == '<';
        }
        forth_close(&once);
        forth_close(&each);
    }
    print_message("%u threw, %u ended\n", threw, ended);
    assert_true(threw > 1000 && ended > 1000);
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
        cmocka_unit_test(hostile_tokens),
        cmocka_unit_test(what_ends_has_done_what_was_told),
        cmocka_unit_test(what_is_looked_at_once_throws_where_each_operation_would),
    };
    return cmocka_run_group_tests(tests, make_system, forth_free_system);
}
