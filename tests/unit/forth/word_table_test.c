// Words are found by name however many there are, and after any of them have been forgotten.
#include "tests/unit/forth/forth_run.h"

#include <stdio.h>

#include "forth/dictionary.h"
#include "forth/module.h"
#include "forth/word_table.h"
#include "runtime/base/prng.h"

enum { NAMES = 97, WORDS_MAX = 700 };

// Which words a unit should have: the name of each, by own index.
struct model {
    unsigned name[WORDS_MAX];
    bool visible[WORDS_MAX];
    uint32_t count;
};

static uint32_t name_of(unsigned number, char text[16])
{
    return (uint32_t)snprintf(text, 16, "Word-%u", number);
}

// The newest visible one of that name.
static uint32_t newest(const struct model *model, unsigned name)
{
    for (uint32_t n = model->count; n-- > 0;) {
        if (model->visible[n] && model->name[n] == name) return n;
    }
    return WEFT_WORD_NONE;
}

static void find_all(struct weft_unit *unit, const struct model *model, unsigned seed)
{
    for (unsigned name = 0; name < NAMES; name++) {
        char text[16];
        const uint32_t length = name_of(name, text), own = newest(model, name);
        const uint32_t must = own == WEFT_WORD_NONE ? own : own + weft_shared_words(unit);
        if (weft_find(unit, text, length) != must) fail_msg("seed %u: %s", seed, text);
    }
}

static void add_word(struct weft_unit *unit, struct model *model, struct weft_prng *prng)
{
    char text[16];
    const unsigned name = weft_prng_below(prng, NAMES);
    const int32_t index = weft_word_add(unit, WEFT_WORD_COLON, text, name_of(name, text));
    assert_int_equal(index, model->count);
    model->name[index] = name;
    model->visible[index] = weft_prng_below(prng, 8) != 0;
    if (model->visible[index]) weft_word_reveal(unit, (uint32_t)index);
    model->count++;
}

// A word that was hidden, among newer ones.
static void reveal_word(struct weft_unit *unit, struct model *model, struct weft_prng *prng)
{
    const uint32_t index = weft_prng_below(prng, model->count);
    assert_int_equal(weft_unit_thaw_word(unit, index), 0);
    weft_word_reveal(unit, index);
    model->visible[index] = true;
}

// Property: whatever is added, revealed, frozen and forgotten, each name finds its newest word; and
// a table made anew of the same words is the same table, so that an image need not be believed.
static void every_name_finds_its_newest_word(void **state)
{
    static struct model model;
    static struct weft_word before[WORDS_MAX];
    for (unsigned seed = 0; seed < 60; seed++) {
        struct weft_prng prng;
        struct weft_unit *unit;
        weft_prng_seed(&prng, seed);
        assert_int_equal(weft_unit_create(*state, &weft_forth_memory_libc, NULL, NULL, &unit), 0);
        model.count = 0;
        for (unsigned step = 0; step < 900; step++) {
            const uint32_t what = weft_prng_below(&prng, 60);
            if (what == 2) assert_int_equal(weft_unit_freeze(unit), 0);
            if (what > 2 && model.count < WORDS_MAX) add_word(unit, &model, &prng);
            if (what == 1 && model.count > 0) reveal_word(unit, &model, &prng);
            if (what == 0 && model.count > 0) {
                model.count -= 1 + weft_prng_below(&prng, model.count < 90 ? model.count : 90);
                assert_int_equal(weft_unit_thaw_word(unit, model.count), 0);
                weft_words_drop(unit, model.count);
            }
            if (step % 90 == 0) find_all(unit, &model, seed);
        }
        find_all(unit, &model, seed);
        assert_int_equal(weft_unit_thaw_word(unit, 0), 0);
        struct weft_word *words = weft_own_word_open(unit, 0);
        memcpy(before, words, model.count * sizeof(*words));
        weft_word_table_build(words, model.count);
        for (uint32_t n = 0; n < model.count; n++) {
            assert_int_equal(words[n].bucket, before[n].bucket);
            if (model.visible[n]) assert_int_equal(words[n].link, before[n].link);
        }
        weft_unit_free(unit);
    }
}

// 40 000 words: no chain may be long. Sixteen buckets would need 50 million steps here.
static void chains_stay_short(void **state)
{
    struct weft_unit *unit;
    const struct weft_unit_options options = {.memory_bytes_max = 1 << 25,
                                              .stack_cells_max = 64,
                                              .call_depth_max = 64,
                                              .output_bytes_max = 64};
    assert_int_equal(weft_unit_create(*state, &weft_forth_memory_libc, &options, NULL, &unit), 0);
    char text[16];
    enum { COUNT = 40000 };
    for (unsigned n = 0; n < COUNT; n++) {
        const int32_t index = weft_word_add(unit, WEFT_WORD_COLON, text, name_of(n, text));
        assert_int_equal(index, n);
        weft_word_reveal(unit, n);
    }
    const struct weft_word *words = weft_own_word(unit, 0);
    uint32_t steps = 0;
    for (unsigned n = 0; n < COUNT; n++) {
        uint32_t link = weft_word_chain(words, COUNT, words[n].hash);
        for (; link != n + 1; steps++) {
            assert_int_not_equal(link, 0);
            link = words[link - 1].link;
        }
    }
    assert_true(steps < 2 * COUNT);
    weft_words_drop(unit, 0);
    assert_int_equal(weft_own_words(unit->block), 0);
    assert_int_equal(weft_find(unit, "Word-7", 6), WEFT_WORD_NONE);
    weft_unit_free(unit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_finds_its_newest_word),
        cmocka_unit_test(chains_stay_short),
    };
    return cmocka_run_group_tests(tests, forth_compile_system, forth_free_system);
}
