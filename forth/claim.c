// claim.c: the stack comment behind a definition's name: kept with the word, compared at its end.
//
// The comment lies in the names behind the word's own name, so it goes where the word goes (images,
// MARKER). Before it stand its length, its column and its line, which a warning needs.
#include <stdio.h>

#include "forth/dictionary.h"
#include "forth/infer.h"
#include "forth/inner.h"
#include "forth/outer.h"
#include "forth/throw.h"

enum { BLANKS_MAX = 256, HEAD_BYTES = 8 };

static bool blank(char c)
{
    return (unsigned char)c <= ' ';
}

static uint32_t skip_blanks(const char *text, uint32_t at, uint32_t length)
{
    const uint32_t limit = length - at > BLANKS_MAX ? at + BLANKS_MAX : length;
    while (at < limit && blank(text[at]))
        at++;
    return at;
}

// The end of the comment or the locals at `at`; 0 if there are none.
static uint32_t group_end(const char *text, uint32_t at, uint32_t length)
{
    const uint32_t left = length - at;
    if (left > 2 && text[at] == '(' && blank(text[at + 1])) {
        const char *close = memchr(text + at, ')', left);
        return close == NULL ? 0 : (uint32_t)(close - text) + 1;
    }
    if (left > 3 && memcmp(text + at, "{:", 2) == 0 && blank(text[at + 2])) {
        const char *close = memmem(text + at, left, ":}", 2);
        return close == NULL ? 0 : (uint32_t)(close - text) + 2;
    }
    return 0;
}

// The comments from the first character of the first to the end of the last: *from and *to.
static bool find_comment(const char *text, uint32_t length, uint32_t *from, uint32_t *to)
{
    struct weft_effect_claim claim;
    uint32_t at = *from = skip_blanks(text, 0, length), end;
    if (length - at > WEFT_EFFECT_COMMENT_BYTES_MAX) length = at + WEFT_EFFECT_COMMENT_BYTES_MAX;
    *to = at;
    while ((end = group_end(text, at, length)) != 0) {
        if (!weft_effect_parse(text + *from, end - *from, &claim) && *to != *from) break;
        *to = end;
        at = skip_blanks(text, end, length);
    }
    return *to > *from && weft_effect_parse(text + *from, *to - *from, &claim);
}

static int32_t keep(struct weft_unit *unit, uint32_t own_index, const char *comment,
                    uint32_t length, uint32_t line, uint32_t column)
{
    char record[HEAD_BYTES + WEFT_EFFECT_COMMENT_BYTES_MAX]; // The block may move.
    weft_le16_put(record, (uint16_t)length);
    weft_le16_put(record + 2, column < UINT16_MAX ? (uint16_t)column : 0);
    weft_le32_put(record + 4, line);
    memcpy(record + HEAD_BYTES, comment, length);
    length += HEAD_BYTES;
    if (weft_segment_reserve(unit, WEFT_SEGMENT_NAMES, length) != 0) return -8;
    struct weft_segment *names = &unit->block->segment[WEFT_SEGMENT_NAMES];
    struct weft_word *word = weft_own_word_open(unit, own_index);
    if (word->name + word->name_length != weft_own_names(unit->block))
        return 0; // Something is behind it already.
    memcpy((char *)weft_segment_base(unit->block, WEFT_SEGMENT_NAMES) + names->used, record,
           length);
    names->used += length;
    word->flags |= WEFT_WORD_CLAIMS;
    return 0;
}

int32_t weft_effect_claim(struct weft_unit *unit, uint32_t own_index)
{
    const struct weft_source *source = weft_source_top(unit);
    // The system's words take no room for it; a test that reads the preludes once more is strict.
    if ((unit->building && !unit->options.strict_effects) || source == NULL) return 0;
    const weft_cell in = weft_variable(unit->block, WEFT_VARIABLE_IN);
    if (in < 0 || in > source->line_length) return 0;
    const uint32_t begin = source->line_start + (uint32_t)in;
    uint32_t length = source->length - begin, from, to;
    if (length > BLANKS_MAX + WEFT_EFFECT_COMMENT_BYTES_MAX)
        length = BLANKS_MAX + WEFT_EFFECT_COMMENT_BYTES_MAX;
    const char *text = weft_address_read(unit, (uint64_t)source->address + begin, length);
    if (text == NULL || length == 0 || !find_comment(text, length, &from, &to)) return 0;

    uint32_t line = source->line, column = (uint32_t)in + 1;
    for (uint32_t n = 0; n < from; n++) {
        column = text[n] == '\n' ? 1 : column + 1;
        line += text[n] == '\n';
    }
    return keep(unit, own_index, text + from, to - from, line, column);
}

// What lies behind a word's name, as far as it can be believed: an image may say anything.
static const char *record_of(const struct weft_unit *unit, uint32_t index, uint32_t *length)
{
    const uint32_t shared = weft_shared_words(unit);
    const struct weft_word *word = weft_word_at(unit, index);
    if (index < shared || word == NULL) return NULL; // What the system's do, its reference says.
    if (!(word->flags & WEFT_WORD_CLAIMS)) return NULL;
    const uint32_t begin = word->name + word->name_length;
    const bool frozen = index - shared < unit->block->frozen_words;
    const uint32_t end = frozen ? unit->block->frozen_names : weft_own_names(unit->block);
    if (begin > end || end - begin < HEAD_BYTES) return NULL;
    if (!frozen && begin < unit->block->frozen_names) return NULL;
    const char *record = weft_own_name(unit, begin);
    *length = weft_le16_get(record);
    if (*length > WEFT_EFFECT_COMMENT_BYTES_MAX || *length > end - begin - HEAD_BYTES) return NULL;
    return record;
}

// A colon or code definition under way.
static bool is_open(const struct weft_unit *unit, uint32_t index)
{
    const struct weft_block *block = unit->block;
    if (block->definition == 0 || index != block->first + weft_shared_words(unit)) return false;
    const uint8_t kind = weft_word_at(unit, index)->kind;
    return kind == WEFT_WORD_COLON || kind == WEFT_WORD_CODE;
}

const char *weft_effect_comment(const struct weft_unit *unit, uint32_t index, uint32_t *length)
{
    const char *record = record_of(unit, index, length);
    return record == NULL ? NULL : record + HEAD_BYTES;
}

// The comment as far as it speaks of the data stack and fits into a line.
static void say_difference(const struct weft_unit *unit, uint32_t index, const char *comment,
                           uint32_t length, const struct weft_effect *effect, char *to, size_t size)
{
    char claim[48], does[48];
    uint32_t n = 0;
    for (uint32_t at = 0; at < length && n < sizeof(claim) - 4; at++) {
        if (n > 0 && blank(comment[at]) && claim[n - 1] == ' ') continue;
        claim[n++] = blank(comment[at]) || comment[at] == 127 ? ' ' : comment[at];
        if (comment[at] == ')' || (at > 0 && memcmp(comment + at - 1, ":}", 2) == 0)) break;
    }
    memcpy(claim + n, "...", 4);
    if (claim[n - 1] == ')' || claim[n - 1] == '}') claim[n] = '\0';
    weft_effect_text(effect, does, sizeof(does));
    const struct weft_word *word = weft_word_at(unit, index);
    snprintf(to, size, "%.*s says %s but does %s",
             word->name_length == 0   ? 7
             : word->name_length < 32 ? word->name_length
                                      : 32,
             word->name_length == 0 ? ":NONAME" : weft_word_name(unit, index), claim, does);
}

bool weft_effect_difference(const struct weft_unit *unit, struct weft_unit_error *error)
{
    struct weft_effect_claim claim;
    struct weft_effect effect;
    const struct weft_block *block = unit->block;
    uint32_t length;
    const uint32_t index = block->first + weft_shared_words(unit);
    if (block->definition == 0 || block->first >= weft_own_words(block) || !is_open(unit, index))
        return false;
    const char *comment = weft_effect_comment(unit, index, &length);
    if (comment == NULL || !weft_effect_parse(comment, length, &claim)) return false;
    weft_effect_infer(unit, index, &effect);
    if (weft_effect_compare(&claim, &effect) != WEFT_EFFECT_DIFFERS) return false;
    error->line = weft_le32_get(comment - 4);
    error->column = weft_le16_get(comment - 6);
    error->width = length;
    say_difference(unit, index, comment + claim.from, length - claim.from, &effect, error->message,
                   sizeof(error->message));
    weft_error_place(unit, error, comment);
    return true;
}

// A word whose header says already that it does what the comment claims needs no second look.
static bool plainly_holds(const struct weft_unit *unit, uint32_t index)
{
    struct weft_effect_claim claim;
    struct weft_effect_way way;
    uint32_t length;
    const char *comment = weft_effect_comment(unit, index, &length);
    if (comment == NULL || !weft_effect_parse(comment, length, &claim) || claim.open) return true;
    if (!weft_effect_of_byte(weft_word_at(unit, index)->effect, &way)) return false;
    return claim.way[0].in >= way.in && claim.way[0].out - claim.way[0].in == way.out - way.in;
}

int32_t weft_effect_check(struct weft_unit *unit, uint32_t own_index)
{
    const uint32_t index = own_index + weft_shared_words(unit);
    const bool wanted = unit->options.strict_effects || unit->host->warning != NULL;
    struct weft_unit_error warning = {.code = WEFT_THROW_EFFECT};
    if (!wanted || plainly_holds(unit, index) || !weft_effect_difference(unit, &warning)) return 0;
    if (unit->options.strict_effects) return WEFT_THROW_EFFECT;
    unit->host->warning(unit->self, &warning);
    return 0;
}

bool weft_effect_word(const struct weft_unit *unit, uint32_t n, struct weft_effect_word *to)
{
    if (n >= weft_own_words(unit->block)) return false;
    uint32_t length;
    *to = (struct weft_effect_word){.index = n + weft_shared_words(unit)};
    const struct weft_word *word = weft_word_at(unit, to->index);
    const uint32_t bytes = word->name_length < 63 ? word->name_length : 63;
    memcpy(to->name, weft_word_name(unit, to->index), bytes);
    const char *comment = weft_effect_comment(unit, to->index, &length);
    if (comment != NULL) memcpy(to->comment, comment, length);
    to->colon = word->kind == WEFT_WORD_COLON || word->kind == WEFT_WORD_CODE;
    return true;
}
