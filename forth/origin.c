#include "forth/origin.h"

#include "forth/dictionary.h"
#include "forth/outer.h"

// Until `;` comes, body is 1 + where the name begins in the text.
void weft_origin_begin(struct weft_unit *unit, uint32_t own_index)
{
    if (unit->building || weft_source_count(unit->block) == 0) return;
    const struct weft_source *source = weft_source_top(unit);
    weft_own_word_open(unit, own_index)->body = 1 + source->line_start + source->word_start;
}

// The text from the name to the word read last, if it is still the same text.
static const char *text_since(const struct weft_unit *unit, const struct weft_word *word,
                              uint32_t begin, uint32_t *length)
{
    if (weft_source_count(unit->block) == 0) return NULL;
    const struct weft_source *source = weft_source_top(unit);
    const uint64_t end = (uint64_t)source->line_start + source->word_start + source->word_length;
    if (end > source->length || begin + (uint64_t)word->name_length >= end) return NULL;
    *length = (uint32_t)(end - begin);
    const char *text = weft_address_read(unit, source->address + (uint64_t)begin, *length);
    const char *name = weft_own_name(unit, word->name);
    return text != NULL && weft_name_equal(name, text, word->name_length) ? text : NULL;
}

void weft_origin_end(struct weft_unit *unit, uint32_t own_index)
{
    struct weft_word *word = weft_own_word_open(unit, own_index);
    const uint32_t begin = word->body - 1;
    uint32_t length;
    if ((word->kind != WEFT_WORD_COLON && word->kind != WEFT_WORD_CODE) || word->body == 0) return;
    word->body = 0;
    const uint32_t names = weft_own_names(unit->block);
    if (text_since(unit, word, begin, &length) == NULL || length > WEFT_ORIGIN_BYTES_MAX ||
        (uint64_t)names + length > unit->options.memory_bytes_max / 8 ||
        weft_segment_reserve(unit, WEFT_SEGMENT_NAMES, (uint64_t)length + 4) != 0)
        return;

    word = weft_own_word_open(unit, own_index); // All of it may have moved.
    const char *text = text_since(unit, word, begin, &length);
    struct weft_segment *segment = &unit->block->segment[WEFT_SEGMENT_NAMES];
    uint8_t *to = (uint8_t *)weft_segment_base(unit->block, WEFT_SEGMENT_NAMES) + segment->used;
    weft_le32_put(to, length);
    memcpy(to + 4, text, length);
    word->body = 1 + names;
    segment->used += 4 + length;
}

const char *weft_origin_of(const struct weft_unit *unit, uint32_t own_index, uint32_t *length)
{
    const struct weft_word *word = weft_own_word(unit, own_index);
    // It lies where the word does: in the module, or behind it.
    const bool frozen = own_index < unit->block->frozen_words;
    const uint32_t used = frozen ? unit->block->frozen_names : weft_own_names(unit->block);
    // An image may say anything.
    if ((word->kind != WEFT_WORD_COLON && word->kind != WEFT_WORD_CODE) || word->body == 0 ||
        word->body > used || used - (word->body - 1) < 4)
        return NULL;
    if (!frozen && word->body <= unit->block->frozen_names) return NULL;
    const uint8_t *at = (const uint8_t *)weft_own_name(unit, word->body - 1);
    *length = weft_le32_get(at);
    return *length <= used - (word->body - 1) - 4 ? (const char *)at + 4 : NULL;
}
