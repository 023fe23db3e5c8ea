#include "forth/dictionary.h"

#include "forth/places.h"
#include "forth/word_table.h"
#include "runtime/base/assert.h"

static uint8_t upper(char c)
{
    return (uint8_t)(c >= 'a' && c <= 'z' ? c - 32 : c);
}

uint16_t weft_name_hash(const char *name, uint32_t length)
{
    uint32_t hash = 2166136261u; // FNV-1a.
    for (uint32_t n = 0; n < length; n++)
        hash = (hash ^ upper(name[n])) * 16777619u;
    return (uint16_t)(hash ^ hash >> 16);
}

bool weft_name_equal(const char *a, const char *b, uint32_t length)
{
    for (uint32_t n = 0; n < length; n++) {
        if (upper(a[n]) != upper(b[n])) return false;
    }
    return true;
}

// The words behind the module, and how many they are: they have a table of their own.
static struct weft_word *open_words(const struct weft_block *block)
{
    return weft_segment_base(block, WEFT_SEGMENT_WORDS);
}

static uint32_t open_count(const struct weft_block *block)
{
    return weft_own_words(block) - block->frozen_words;
}

struct weft_word *weft_own_word_open(const struct weft_unit *unit, uint32_t own_index)
{
    const struct weft_block *block = unit->block;
    weft_assert(own_index >= block->frozen_words);
    return open_words(block) + own_index - block->frozen_words;
}

static uint32_t find_shared(const struct weft_unit *unit, uint8_t list, const char *name,
                            uint32_t length, uint16_t hash)
{
    const struct weft_forth_system *system = unit->system;
    if (system == NULL) return WEFT_WORD_NONE;
    for (uint32_t link = weft_word_chain(system->words, system->word_count, hash); link != 0;) {
        const struct weft_word *word = &system->words[link - 1];
        if (word->hash == hash && word->list == list && word->name_length == length &&
            weft_name_equal(system->names + word->name, name, length))
            return link - 1;
        link = word->link;
    }
    return WEFT_WORD_NONE;
}

// Among `count` own words that have a table: the place there, or WEFT_WORD_NONE.
static uint32_t find_among(struct weft_unit *unit, const struct weft_word *words, uint32_t count,
                           uint8_t list, const char *name, uint32_t length, uint16_t hash)
{
    uint32_t steps = 0, found = WEFT_WORD_NONE;
    for (uint32_t link = weft_word_chain(words, count, hash); link != 0; steps++) {
        const struct weft_word *word = &words[link - 1];
        if (word->hash == hash && word->list == list && word->name_length == length &&
            weft_name_equal(weft_own_name(unit, word->name), name, length)) {
            found = link - 1;
            break;
        }
        link = word->link;
    }
    unit->budget -= (int32_t)(steps / 16);
    return found;
}

static uint32_t find_own(struct weft_unit *unit, uint8_t list, const char *name, uint32_t length,
                         uint16_t hash)
{
    const struct weft_block *block = unit->block;
    const uint32_t frozen = block->frozen_words, shared = weft_shared_words(unit);
    uint32_t found =
        find_among(unit, open_words(block), open_count(block), list, name, length, hash);
    if (found != WEFT_WORD_NONE) return shared + frozen + found;
    if (frozen == 0) return WEFT_WORD_NONE;
    found = find_among(unit, unit->module->words, frozen, list, name, length, hash);
    return found != WEFT_WORD_NONE ? shared + found : WEFT_WORD_NONE;
}

static uint32_t find_hashed(struct weft_unit *unit, uint8_t list, const char *name, uint32_t length,
                            uint16_t hash)
{
    const uint32_t own = find_own(unit, list, name, length, hash);
    const bool shares =
        list == WEFT_LIST_FORTH || (list >= WEFT_LIST_EDITOR && list <= WEFT_LIST_PRIVATE);
    if (own != WEFT_WORD_NONE || !shares) return own;
    return find_shared(unit, list, name, length, hash);
}

uint32_t weft_find_in(struct weft_unit *unit, uint8_t list, const char *name, uint32_t length)
{
    if (length == 0 || length > WEFT_NAME_BYTES_MAX) return WEFT_WORD_NONE;
    return find_hashed(unit, list, name, length, weft_name_hash(name, length));
}

uint32_t weft_find_shared(const struct weft_unit *unit, const char *name)
{
    const uint32_t length = (uint32_t)strlen(name);
    const uint16_t hash = weft_name_hash(name, length);
    const uint32_t index = find_shared(unit, WEFT_LIST_FORTH, name, length, hash);
    if (index != WEFT_WORD_NONE) return index;
    return find_shared(unit, WEFT_LIST_PRIVATE, name, length, hash);
}

uint32_t weft_find_unresolved(struct weft_unit *unit, const char *name, uint32_t length)
{
    if (length == 0 || length > WEFT_NAME_BYTES_MAX) return WEFT_WORD_NONE;
    const struct weft_order *order = &unit->block->order;
    const uint16_t hash = weft_name_hash(name, length);
    uint32_t found = WEFT_WORD_NONE;
    if (order->locals > 0) found = find_own(unit, WEFT_LIST_LOCALS, name, length, hash);
    for (unsigned n = 0; n < order->count && found == WEFT_WORD_NONE; n++) {
        if (n > 0 && order->list[n] == order->list[n - 1]) continue;
        found = find_hashed(unit, order->list[n], name, length, hash);
    }
    return found;
}

uint32_t weft_word_meant(const struct weft_unit *unit, uint32_t index)
{
    const struct weft_word *word = index == WEFT_WORD_NONE ? NULL : weft_word_at(unit, index);
    return word != NULL && word->kind == WEFT_WORD_SYNONYM ? word->body : index;
}

uint32_t weft_find(struct weft_unit *unit, const char *name, uint32_t length)
{
    return weft_word_meant(unit, weft_find_unresolved(unit, name, length));
}

bool weft_order_valid(const struct weft_order *order)
{
    for (unsigned n = 0; n < order->count && n < WEFT_ORDER_MAX; n++) {
        if (order->list[n] >= WEFT_LIST_PRIVATE) return false;
    }
    return order->count <= WEFT_ORDER_MAX && order->current < WEFT_LIST_PRIVATE &&
           order->lists < WEFT_LISTS_MAX && order->locals <= WEFT_LOCALS_MAX;
}

void weft_order_reset(struct weft_block *block)
{
    memset(block->order.list, 0, sizeof(block->order.list));
    block->order.list[0] = WEFT_LIST_FORTH;
    block->order.count = 1;
}

int32_t weft_assembler_enter(struct weft_block *block)
{
    struct weft_order *order = &block->order;
    if (order->count == WEFT_ORDER_MAX) return -49;
    memmove(order->list + 1, order->list, order->count);
    order->list[0] = WEFT_LIST_ASSEMBLER;
    order->count++;
    return 0;
}

void weft_assembler_leave(struct weft_block *block)
{
    struct weft_order *order = &block->order;
    if (order->count == 0 || order->list[0] != WEFT_LIST_ASSEMBLER) return;
    order->count--;
    memmove(order->list, order->list + 1, order->count);
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
    block->segment[WEFT_SEGMENT_WORDS].used += (uint32_t)sizeof(struct weft_word);
    *weft_own_word_open(unit, index) = (struct weft_word){
        .code = weft_own_tokens(block),
        .name = weft_own_names(block),
        .name_length = (uint8_t)length,
        .kind = (uint8_t)kind,
        .list = block->order.current,
        .hash = weft_name_hash(copy, length),
    };
    const uint32_t before = index - block->frozen_words;
    unit->budget -= (int32_t)(weft_word_table_grow(open_words(block), before) / 16);
    names->used += length;
    block->latest = (uint16_t)(index + 1);
    weft_no_fold(block);
    return (int32_t)index;
}

void weft_word_reveal(struct weft_unit *unit, uint32_t own_index)
{
    struct weft_word *word = weft_own_word_open(unit, own_index);
    if (word->name_length == 0 || word->flags & WEFT_WORD_VISIBLE) return;
    word->flags |= WEFT_WORD_VISIBLE;
    weft_word_table_link(open_words(unit->block), open_count(unit->block),
                         own_index - unit->block->frozen_words);
}

// Words from `own_index` on and their names, but not their code.
static void drop_headers(struct weft_unit *unit, uint32_t own_index)
{
    struct weft_block *block = unit->block;
    struct weft_word *words = open_words(block);
    uint32_t steps = 0;
    for (uint32_t count = open_count(block); count > own_index - block->frozen_words; count--)
        steps += weft_word_table_shrink(words, count);
    unit->budget -= (int32_t)(steps / 16);
    block->segment[WEFT_SEGMENT_NAMES].used =
        weft_own_word(unit, own_index)->name - block->frozen_names;
    block->segment[WEFT_SEGMENT_WORDS].used =
        (own_index - block->frozen_words) * (uint32_t)sizeof(struct weft_word);
}

void weft_locals_drop(struct weft_unit *unit)
{
    uint32_t count = weft_own_words(unit->block);
    const uint32_t all = count;
    while (count > 0 && weft_own_word(unit, count - 1)->kind == WEFT_WORD_LOCAL)
        count--;
    if (count < all) drop_headers(unit, count);
    unit->block->order.locals = 0;
}

void weft_words_drop(struct weft_unit *unit, uint32_t own_index)
{
    struct weft_block *block = unit->block;
    weft_assert(own_index >= block->frozen_words);
    const uint32_t code = weft_own_word(unit, own_index)->code;
    drop_headers(unit, own_index);
    weft_places_drop(unit, code);
    block->segment[WEFT_SEGMENT_CODE].used = (code - block->frozen_tokens) * 2;
    block->latest = (uint16_t)own_index;
    block->order.locals = 0;
    weft_no_fold(block);
}

bool weft_unit_has_word(const struct weft_unit *unit, const char *name)
{
    // Looked up as the text interpreter does, whose reductions nobody spends here.
    struct weft_unit asked = *unit;
    return weft_find(&asked, name, (uint32_t)strnlen(name, WEFT_NAME_BYTES_MAX + 1)) !=
           WEFT_WORD_NONE;
}

// Whether the search order names its word list, so that its name finds it, or a newer word.
static bool is_searched(const struct weft_block *block, const struct weft_word *word)
{
    const struct weft_order *order = &block->order;
    return word->flags & WEFT_WORD_VISIBLE && memchr(order->list, word->list, order->count) != NULL;
}

bool weft_unit_word(const struct weft_unit *unit, size_t index, char *name, size_t size)
{
    const uint32_t count = weft_shared_words(unit) + weft_own_words(unit->block);
    for (uint32_t n = count; n-- > 0;) {
        const struct weft_word *word = weft_word_at(unit, n);
        if (!is_searched(unit->block, word) || index-- > 0) continue;
        const size_t length = word->name_length < size ? word->name_length : size - 1;
        memcpy(name, weft_word_name(unit, n), length);
        name[length] = '\0';
        return true;
    }
    return false;
}
