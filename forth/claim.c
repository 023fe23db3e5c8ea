// claim.c: the stack comment behind a definition's name: kept with the word, compared at its end.
//
// The comment lies in the names behind the word's own name, up to the next word's, so it goes where
// the word goes (images, MARKER) and costs nothing else. While the definition is open its place
// stands behind it: line and column, which a warning needs and nobody later.
#include <stdio.h>

#include "forth/dictionary.h"
#include "forth/infer.h"
#include "forth/inner.h"
#include "forth/outer.h"
#include "forth/throw.h"

enum { BLANKS_MAX = 256, PLACE_BYTES = 8 };

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

static int32_t keep(struct weft_unit *unit, const char *comment, uint32_t length,
                    uint32_t place_bytes, uint32_t line, uint32_t column)
{
    char record[WEFT_EFFECT_COMMENT_BYTES_MAX + PLACE_BYTES]; // The block may move.
    memcpy(record, comment, length);
    weft_le32_put(record + length, line);
    weft_le32_put(record + length + 4, column);
    length += place_bytes;
    if (weft_segment_reserve(unit, WEFT_SEGMENT_NAMES, length) != 0) return -8;
    struct weft_segment *names = &unit->block->segment[WEFT_SEGMENT_NAMES];
    memcpy((char *)weft_segment_base(unit->block, WEFT_SEGMENT_NAMES) + names->used, record,
           length);
    names->used += length;
    return 0;
}

int32_t weft_effect_claim(struct weft_unit *unit, uint32_t own_index)
{
    const struct weft_source *source = weft_source_top(unit);
    const bool colon = weft_own_word(unit, own_index)->kind == WEFT_WORD_COLON;
    if (source == NULL || (unit->building && !colon)) return 0;
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
    return keep(unit, text + from, to - from, colon ? PLACE_BYTES : 0, line, column);
}

// All that lies behind a word's name: its comment, and while it is open the comment's place.
static const char *record_of(const struct weft_unit *unit, uint32_t index, uint32_t *length)
{
    const uint32_t shared = weft_shared_words(unit);
    const struct weft_word *word = weft_word_at(unit, index);
    if (index < shared || word == NULL) return NULL; // What the system's do, its reference says.
    const uint32_t begin = word->name + word->name_length;
    uint32_t end = unit->block->segment[WEFT_SEGMENT_NAMES].used;
    if (index + 1 < shared + weft_own_words(unit->block)) end = word[1].name;
    if (end <= begin || end > unit->block->segment[WEFT_SEGMENT_NAMES].used) return NULL;
    *length = end - begin;
    return (const char *)weft_segment_base(unit->block, WEFT_SEGMENT_NAMES) + begin;
}

// A colon definition under way: its record ends in its place.
static bool is_open(const struct weft_unit *unit, uint32_t index)
{
    const struct weft_block *block = unit->block;
    return block->definition != 0 && index == block->first + weft_shared_words(unit) &&
           weft_word_at(unit, index)->kind == WEFT_WORD_COLON;
}

const char *weft_effect_comment(const struct weft_unit *unit, uint32_t index, uint32_t *length)
{
    const char *record = record_of(unit, index, length);
    if (record == NULL) return NULL;
    if (is_open(unit, index)) {
        if (*length <= PLACE_BYTES) return NULL;
        *length -= PLACE_BYTES;
    }
    return *length > WEFT_EFFECT_COMMENT_BYTES_MAX ? NULL : record;
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
    error->line = weft_le32_get(comment + length);
    error->column = weft_le32_get(comment + length + 4);
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

// The place of a comment, once its word is done: what lies behind moves up. Of the system's words
// the comment too: words.def has more to say.
static void forget_place(struct weft_unit *unit, uint32_t own_index)
{
    uint32_t length;
    struct weft_segment *names = &unit->block->segment[WEFT_SEGMENT_NAMES];
    char *record = (char *)(uintptr_t)record_of(unit, own_index + weft_shared_words(unit), &length);
    char *end = (char *)weft_segment_base(unit->block, WEFT_SEGMENT_NAMES) + names->used;
    if (record == NULL || length <= PLACE_BYTES) return;
    const uint32_t bytes = unit->building ? length : PLACE_BYTES;
    memmove(record + length - bytes, record + length, (size_t)(end - record - length));
    names->used -= bytes;
    for (uint32_t n = own_index + 1; n < weft_own_words(unit->block); n++)
        weft_own_word(unit, n)->name -= bytes;
}

int32_t weft_effect_check(struct weft_unit *unit, uint32_t own_index)
{
    const uint32_t index = own_index + weft_shared_words(unit);
    uint32_t length;
    const bool wanted = unit->options.strict_effects || unit->host.warning != NULL;
    if (record_of(unit, index, &length) == NULL || length <= PLACE_BYTES) return 0;
    if (wanted && !plainly_holds(unit, index)) {
        struct weft_unit_error warning = {.code = WEFT_THROW_EFFECT};
        if (weft_effect_difference(unit, &warning)) {
            if (unit->options.strict_effects) return WEFT_THROW_EFFECT;
            unit->host.warning(unit->host.self, &warning);
        }
    }
    forget_place(unit, own_index);
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
    to->colon = word->kind == WEFT_WORD_COLON;
    return true;
}
