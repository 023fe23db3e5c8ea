#include "forth/places.h"

#include <stdio.h>

#include "forth/dictionary.h"
#include "forth/outer.h"

enum { FRAMES_SHOWN = 8 };

static struct weft_place *places(const struct weft_block *block, uint32_t *count)
{
    *count = block->segment[WEFT_SEGMENT_PLACES].used / (uint32_t)sizeof(struct weft_place);
    return weft_segment_base(block, WEFT_SEGMENT_PLACES);
}

// The name of a place's source; NULL: an image has lied about it.
static const char *name_of(const struct weft_unit *unit, const struct weft_place *place)
{
    const struct weft_block *block = unit->block;
    const uint32_t end =
        place->name < block->frozen_names ? block->frozen_names : weft_own_names(block);
    return place->name <= end && place->name_length <= end - place->name
               ? weft_own_name(unit, place->name)
               : NULL;
}

// The source's name among the unit's names, where the newest place may have it already. Its offset;
// UINT32_MAX without memory.
static uint32_t keep_name(struct weft_unit *unit, const struct weft_source *source)
{
    uint32_t count;
    const struct weft_place *place = places(unit->block, &count);
    const uint32_t from = source->name, length = source->name_length;
    const char *text = weft_segment_base(unit->block, WEFT_SEGMENT_TEXT);
    const char *newest = count > 0 ? name_of(unit, &place[count - 1]) : NULL;
    if (newest != NULL && place[count - 1].name_length == length &&
        memcmp(newest, text + from, length) == 0)
        return place[count - 1].name;
    if (unit->block->order.locals > 0) return UINT32_MAX; // What is kept now goes with their names.
    if (weft_segment_reserve(unit, WEFT_SEGMENT_NAMES, length) != 0) return UINT32_MAX;
    struct weft_segment *segment = &unit->block->segment[WEFT_SEGMENT_NAMES];
    const uint32_t at = weft_own_names(unit->block);
    memcpy((char *)weft_segment_base(unit->block, WEFT_SEGMENT_NAMES) + segment->used,
           (char *)weft_segment_base(unit->block, WEFT_SEGMENT_TEXT) + from, length);
    segment->used += length;
    return at;
}

void weft_place_note(struct weft_unit *unit)
{
    const struct weft_source *source = weft_source_top(unit);
    if (source == NULL || source->id < 0) return;
    struct weft_place place = {
        .code = weft_own_tokens(unit->block),
        .line = source->line,
        .name_length = (uint16_t)source->name_length,
        .column = source->word_start < UINT16_MAX ? (uint16_t)(source->word_start + 1) : 0,
    };
    place.name = keep_name(unit, source);
    if (place.name == UINT32_MAX ||
        weft_segment_reserve(unit, WEFT_SEGMENT_PLACES, sizeof(place)) != 0)
        return;
    uint32_t count;
    struct weft_place *at = places(unit->block, &count);
    at[count] = place;
    unit->block->segment[WEFT_SEGMENT_PLACES].used += (uint32_t)sizeof(place);
}

void weft_places_drop(struct weft_unit *unit, uint32_t code)
{
    uint32_t count;
    const struct weft_place *place = places(unit->block, &count);
    while (count > 0 && place[count - 1].code >= code)
        count--;
    unit->block->segment[WEFT_SEGMENT_PLACES].used = count * (uint32_t)sizeof(*place);
}

// The word in whose code `offset` lies: its own index, or WEFT_WORD_NONE.
static uint32_t word_around(const struct weft_unit *unit, uint32_t offset)
{
    for (uint32_t n = weft_own_words(unit->block); n-- > 0;) {
        const struct weft_word *word = weft_own_word(unit, n);
        if (offset >= word->code && offset - word->code < word->code_length) return n;
    }
    return WEFT_WORD_NONE;
}

// Names and files go to terminals: nothing but letters may come with them.
static void shown(char *to, size_t size, const char *from, size_t length)
{
    size_t n = 0;
    for (; n < length && n + 1 < size; n++)
        to[n] = (uint8_t)from[n] < ' ' || from[n] == 127 ? '?' : from[n];
    to[n] = '\0';
}

// One line for the code at `offset`, which was met `times`. The bytes written.
static size_t trace_line(const struct weft_unit *unit, uint32_t offset, uint32_t times, char *to,
                         size_t size)
{
    char name[64] = ":NONAME", file[64] = "", again[24] = "";
    const uint32_t n = word_around(unit, offset);
    if (n == WEFT_WORD_NONE) return 0;
    const struct weft_word *word = weft_own_word(unit, n);
    if (word->name_length > 0)
        shown(name, sizeof(name), weft_own_name(unit, word->name), word->name_length);

    uint32_t count, line = 0, column = 0;
    const struct weft_place *place = places(unit->block, &count);
    while (count > 0 && place[count - 1].code > offset)
        count--;
    if (count > 0 && place[count - 1].code >= word->code) {
        place += count - 1;
        const char *source = name_of(unit, place);
        if (source != NULL) shown(file, sizeof(file), source, place->name_length);
        line = place->line;
        column = place->column;
    }
    if (times > 1) snprintf(again, sizeof(again), ", %u times", times);
    const int length =
        line > 0 ? snprintf(to, size, "  in %s (%s:%u:%u)%s\n", name, file, line, column, again)
                 : snprintf(to, size, "  in %s%s\n", name, again);
    return length > 0 && (size_t)length < size ? (size_t)length : 0;
}

static bool own_place(uint32_t place)
{
    return !(place & (WEFT_CODE_SPECIAL | WEFT_CODE_SYSTEM));
}

void weft_places_trace(const struct weft_unit *unit, bool stopped, char *to, size_t size)
{
    const struct weft_block *block = unit->block;
    const uint64_t *calls = weft_calls(block);
    size_t used = 0;
    uint32_t lines = 0, times = 0, place = block->ip + stopped;
    to[0] = '\0';
    if (block->segment[WEFT_SEGMENT_PLACES].used == 0) return;
    for (uint32_t n = block->csp; lines < FRAMES_SHOWN; n--) {
        const uint32_t next = n > block->level_csp ? (uint32_t)calls[n - 1] : WEFT_CODE_SPECIAL;
        times++;
        if (n > block->level_csp && own_place(place) && own_place(next) &&
            (next & WEFT_CODE_OFFSET) == (place & WEFT_CODE_OFFSET))
            continue; // Recursion: counted.
        if (own_place(place)) {
            used += trace_line(unit, (place & WEFT_CODE_OFFSET) - 1, times, to + used, size - used);
            lines++;
        }
        if (n <= block->level_csp) return;
        times = 0;
        place = next;
    }
    snprintf(to + used, size - used, "  ...\n");
}
