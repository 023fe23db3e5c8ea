#include "forth/dictionary.h"

#include "forth/places.h"

static uint8_t upper(char c)
{
    return (uint8_t)(c >= 'a' && c <= 'z' ? c - 32 : c);
}

uint32_t weft_name_hash(const char *name, uint32_t length)
{
    uint32_t hash = 2166136261u; // FNV-1a.
    for (uint32_t n = 0; n < length; n++)
        hash = (hash ^ upper(name[n])) * 16777619u;
    return hash ^ hash >> 15;
}

bool weft_name_equal(const char *a, const char *b, uint32_t length)
{
    for (uint32_t n = 0; n < length; n++) {
        if (upper(a[n]) != upper(b[n])) return false;
    }
    return true;
}

struct weft_word *weft_own_word(const struct weft_unit *unit, uint32_t own_index)
{
    return (struct weft_word *)weft_segment_base(unit->block, WEFT_SEGMENT_WORDS) + own_index;
}

static uint32_t find_shared(const struct weft_unit *unit, const char *name, uint32_t length,
                            uint32_t hash)
{
    const struct weft_forth_system *system = unit->system;
    if (system == NULL) return WEFT_WORD_NONE;
    for (uint32_t link = system->bucket[hash % 256]; link != 0;) {
        const struct weft_word *word = &system->words[link - 1];
        if (word->hash == hash && word->name_length == length &&
            weft_name_equal(system->names + word->name, name, length))
            return link - 1;
        link = word->link;
    }
    return WEFT_WORD_NONE;
}

uint32_t weft_find(struct weft_unit *unit, const char *name, uint32_t length)
{
    if (length == 0 || length > WEFT_NAME_BYTES_MAX) return WEFT_WORD_NONE;
    const uint32_t hash = weft_name_hash(name, length);
    const char *names = weft_segment_base(unit->block, WEFT_SEGMENT_NAMES);
    uint32_t steps = 0;
    for (uint32_t link = unit->block->bucket[hash % WEFT_BUCKETS]; link != 0; steps++) {
        const struct weft_word *word = weft_own_word(unit, link - 1);
        if (word->hash == hash && word->name_length == length &&
            weft_name_equal(names + word->name, name, length))
            return weft_shared_words(unit) + link - 1;
        link = word->link;
    }
    unit->budget -= (int32_t)(steps / 16);
    return find_shared(unit, name, length, hash);
}

int32_t weft_word_add(struct weft_unit *unit, enum weft_word_kind kind, const char *name,
                      uint32_t length)
{
    if (length > WEFT_NAME_BYTES_MAX) return -19;
    const uint32_t index = weft_own_words(unit->block);
    if (index + weft_shared_words(unit) >= UINT16_MAX) return -8;

    char copy[WEFT_NAME_BYTES_MAX]; // The name may lie in the block, which may move.
    memcpy(copy, name, length);
    if (weft_segment_reserve(unit, WEFT_SEGMENT_WORDS, sizeof(struct weft_word)) != 0 ||
        weft_segment_reserve(unit, WEFT_SEGMENT_NAMES, length) != 0)
        return -8;

    struct weft_block *block = unit->block;
    struct weft_segment *names = &block->segment[WEFT_SEGMENT_NAMES];
    memcpy((char *)weft_segment_base(block, WEFT_SEGMENT_NAMES) + names->used, copy, length);
    *weft_own_word(unit, index) = (struct weft_word){
        .code = weft_own_tokens(block),
        .name = names->used,
        .name_length = (uint8_t)length,
        .kind = (uint8_t)kind,
        .hash = weft_name_hash(copy, length),
    };
    names->used += length;
    block->segment[WEFT_SEGMENT_WORDS].used += (uint32_t)sizeof(struct weft_word);
    block->latest = index + 1;
    weft_no_fold(block);
    return (int32_t)index;
}

void weft_word_reveal(struct weft_unit *unit, uint32_t own_index)
{
    struct weft_word *word = weft_own_word(unit, own_index);
    if (word->name_length == 0 || word->flags & WEFT_WORD_VISIBLE) return;
    uint16_t *bucket = &unit->block->bucket[word->hash % WEFT_BUCKETS];
    word->link = *bucket;
    word->flags |= WEFT_WORD_VISIBLE;
    *bucket = (uint16_t)(own_index + 1);
}

void weft_words_drop(struct weft_unit *unit, uint32_t own_index)
{
    struct weft_block *block = unit->block;
    const struct weft_word *first = weft_own_word(unit, own_index);
    for (unsigned n = 0; n < WEFT_BUCKETS; n++) {
        while (block->bucket[n] > own_index)
            block->bucket[n] = weft_own_word(unit, block->bucket[n] - 1u)->link;
    }
    weft_places_drop(unit, first->code);
    block->segment[WEFT_SEGMENT_CODE].used = first->code * 2;
    block->segment[WEFT_SEGMENT_NAMES].used = first->name;
    block->segment[WEFT_SEGMENT_WORDS].used = own_index * (uint32_t)sizeof(*first);
    block->latest = own_index;
    weft_no_fold(block);
}

bool weft_unit_has_word(const struct weft_unit *unit, const char *name)
{
    // Looked up as the text interpreter does, whose reductions nobody spends here.
    struct weft_unit asked = *unit;
    return weft_find(&asked, name, (uint32_t)strnlen(name, WEFT_NAME_BYTES_MAX + 1)) !=
           WEFT_WORD_NONE;
}

bool weft_unit_word(const struct weft_unit *unit, size_t index, char *name, size_t size)
{
    const uint32_t count = weft_shared_words(unit) + weft_own_words(unit->block);
    for (uint32_t n = count; n-- > 0;) {
        const struct weft_word *word = weft_word_at(unit, n);
        if (!(word->flags & WEFT_WORD_VISIBLE) || index-- > 0) continue;
        const size_t length = word->name_length < size ? word->name_length : size - 1;
        memcpy(name, weft_word_name(unit, n), length);
        name[length] = '\0';
        return true;
    }
    return false;
}
