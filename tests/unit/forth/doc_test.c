// Every word of the dictionary is documented, every documented word is there, and does what its
// line says.
#include "tests/unit/forth/forth_run.h"

#include "forth/dictionary.h"
#include "forth/doc.h"
#include "forth/help.h"
#include "forth/infer.h"
#include "forth/ops.h"
#include "forth/unit_internal.h"

static struct weft_forth_system *forth;

static bool upper_case(const char *name)
{
    for (; *name != '\0'; name++) {
        if (*name >= 'a' && *name <= 'z') return false;
    }
    return true;
}

// The word that a line speaks of.
static uint32_t word_of(struct weft_unit *unit, const struct weft_forth_doc *doc)
{
    const uint32_t length = (uint32_t)strlen(doc->name);
    const char *list = weft_forth_doc_list(doc);
    if (list == NULL) return weft_find(unit, doc->name, length);
    const bool edits = strcmp(list, "EDITOR") == 0;
    return weft_find_in(unit, edits ? WEFT_LIST_EDITOR : WEFT_LIST_ASSEMBLER, doc->name, length);
}

// What HELP knows of a word of EDITOR or ASSEMBLER.
static bool is_helped(const struct weft_word *word, const char *name)
{
    char text[512];
    const int length =
        snprintf(text, sizeof(text), "%s %.*s",
                 word->list == WEFT_LIST_EDITOR ? "EDITOR" : "ASSEMBLER", word->name_length, name);
    return weft_forth_help(text, (size_t)length, text, sizeof(text)) > 0;
}

static void every_word_has_a_line(void **state)
{
    (void)state;
    struct forth_run run = {0};
    unsigned missing = 0;
    forth_open(&run, forth, FORTH_PLAIN);
    for (uint32_t n = 0; n < forth->word_count; n++) {
        const struct weft_word *word = &forth->words[n];
        const char *name = forth->names + word->name;
        if (word->list == WEFT_LIST_EDITOR || word->list == WEFT_LIST_ASSEMBLER) {
            if (is_helped(word, name)) continue;
            print_error("%.*s has no line\n", word->name_length, name);
            missing++;
            continue;
        }
        if (weft_find(run.unit, name, word->name_length) == WEFT_WORD_NONE) continue;
        const bool inner = weft_forth_doc_inner(name, word->name_length);
        if ((weft_forth_doc_find(name, word->name_length) != NULL) != inner) continue;
        print_error("forth/words.def has no line for %.*s\n", word->name_length, name);
        missing++;
    }
    assert_int_equal(missing, 0);
    forth_close(&run);
}

static void every_line_has_a_word(void **state)
{
    (void)state;
    struct forth_run run = {0};
    const struct weft_forth_doc *doc, *other;
    forth_open(&run, forth, FORTH_PLAIN);
    for (size_t n = 0; (doc = weft_forth_doc_at(n)) != NULL; n++) {
        if (word_of(run.unit, doc) == WEFT_WORD_NONE)
            fail_msg("forth/words.def: there is no word %s", doc->name);
        char name[64] = "";
        if (weft_forth_doc_list(doc) != NULL)
            snprintf(name, sizeof(name), "%s ", weft_forth_doc_list(doc));
        strncat(name, doc->name, sizeof(name) - strlen(name) - 1);
        other = weft_forth_doc_find(name, strlen(name));
        if (other != doc) fail_msg("forth/words.def has two lines for %s", doc->name);
        const size_t text = strlen(doc->text);
        if (!upper_case(doc->name) || text < 2 ||
            (doc->text[text - 1] != '.' && doc->text[text - 1] != '?') ||
            strchr(doc->text, '\n') != NULL || doc->effect[0] != '(')
            fail_msg("forth/words.def, %s: a name in capitals, an effect, a sentence", doc->name);
    }
    forth_close(&run);
}

// What ops.h says of a primitive, what was inferred of the others.
static struct weft_effect effect_of(const struct forth_run *run, uint32_t index)
{
    struct weft_effect effect;
    const struct weft_word *word = &forth->words[index];
    const struct weft_op_info *info = &weft_op_info[forth->code[word->code]];
    if (word->kind != WEFT_WORD_PRIMITIVE) {
        weft_effect_infer(run->unit, index, &effect);
        return effect;
    }
    effect = (struct weft_effect){.kind = WEFT_EFFECT_UNKNOWN};
    if (info->out == WEFT_VAR) return effect;
    effect.kind = WEFT_EFFECT_KNOWN;
    effect.need = effect.need_sure = (uint8_t)info->in;
    effect.count = 1;
    effect.net[0] = (int8_t)(info->out - info->in);
    return effect;
}

static void effects_are_what_the_lines_say(void **state)
{
    (void)state;
    struct forth_run run = {0};
    const struct weft_forth_doc *doc;
    unsigned checked = 0, wrong = 0;
    forth_open(&run, forth, FORTH_PLAIN);
    for (size_t n = 0; (doc = weft_forth_doc_at(n)) != NULL; n++) {
        struct weft_effect_claim claim;
        char text[128];
        const uint32_t index = word_of(run.unit, doc);
        // An immediate word's line says what it does when what it compiled runs.
        if (index == WEFT_WORD_NONE || forth->words[index].flags & WEFT_WORD_IMMEDIATE) continue;
        // ( F: r -- ) alone: nothing happens to the data stack.
        if (!weft_effect_parse(doc->effect, strlen(doc->effect), &claim))
            claim = (struct weft_effect_claim){.count = 1};
        const struct weft_effect effect = effect_of(&run, index);
        const enum weft_effect_verdict verdict = weft_effect_compare(&claim, &effect);
        checked += verdict == WEFT_EFFECT_HOLDS;
        if (verdict != WEFT_EFFECT_DIFFERS) continue;
        weft_effect_text(&effect, text, sizeof(text));
        print_error("%s: words.def says %s, the code does %s\n", doc->name, doc->effect, text);
        wrong++;
    }
    assert_int_equal(wrong, 0);
    assert_true(checked > 180);
    forth_close(&run);
}

// The comments of the preludes themselves: they are read once more, on top of themselves, by a
// strict unit that may do what only they may, in their order, so that each uses the words of this
// reading.
static void the_preludes_comments_are_right(void **state)
{
    (void)state;
    static const char *const paths[] = {WEFT_PRELUDES};
    struct weft_unit_options options = weft_unit_options_default;
    options.strict_effects = true;
    struct forth_run run = {.options = &options};
    forth_open(&run, forth, FORTH_PLAIN);
    weft_forth_system_begin(run.unit);
    for (size_t n = 0; n < sizeof(paths) / sizeof(paths[0]); n++) {
        static char text[1 << 17];
        FILE *file = fopen(paths[n], "r");
        assert_non_null(file);
        text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
        fclose(file);
        if (forth_text(&run, paths[n], text) != WEFT_UNIT_DONE)
            fail_msg("%s:%u: %s", paths[n], run.error.line, run.error.message);
    }
    assert_true(weft_own_words(run.unit->block) > 140); // All three were read.
    forth_close(&run);
}

static void help_is_a_line_and_a_sentence(void **state)
{
    (void)state;
    char text[64];
    const struct weft_forth_doc *doc = weft_forth_doc_find("dUp", 3);
    assert_non_null(doc);
    assert_int_equal(weft_forth_doc_text(doc, text, sizeof(text)), 37);
    assert_string_equal(text, "DUP ( x -- x x ) CORE\nCopies a cell.\n");
    assert_int_equal(weft_forth_doc_text(doc, text, 4), 3);
    assert_string_equal(text, "DUP");
    assert_null(weft_forth_doc_find("zork", 4));
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
        cmocka_unit_test(every_word_has_a_line),
        cmocka_unit_test(every_line_has_a_word),
        cmocka_unit_test(effects_are_what_the_lines_say),
        cmocka_unit_test(the_preludes_comments_are_right),
        cmocka_unit_test(help_is_a_line_and_a_sentence),
    };
    return cmocka_run_group_tests(tests, make_system, forth_free_system);
}
