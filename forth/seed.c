// seed.c: what a child takes along from its parent: its module, which all cores of a node can
// reach, what it has added to that, and its data, as they are; and what it is to run.
#include <errno.h>

#include "forth/dictionary.h"
#include "forth/inner.h"
#include "forth/level.h"
#include "forth/module.h"
#include "forth/ops.h"
#include "forth/unit_internal.h"

static const enum weft_segment_id inherited[] = {WEFT_SEGMENT_DATA, WEFT_SEGMENT_CODE,
                                                 WEFT_SEGMENT_WORDS, WEFT_SEGMENT_NAMES,
                                                 WEFT_SEGMENT_HEAP};
enum { INHERITED_COUNT = sizeof(inherited) / sizeof(inherited[0]) };

struct seed { // Behind it: the bytes of the segments, the cells.
    uint64_t xt;
    const struct weft_forth_library *library; // Only to be compared, as is what follows:
    const struct weft_shelf *shelf;
    const struct weft_word_module *module;
    uint64_t serial;
    struct weft_volume *volume; // For another shelf: somebody holds it.
    uint32_t crc;
    uint32_t bytes[INHERITED_COUNT]; // Of each, as much of it as is used.
    uint32_t count;                  // Of cells.
    uint32_t open; // 1 + own index of the first word of a definition under way; 0: there is none.
    uint32_t blocks;
    uint32_t frozen_tokens, frozen_names;
    uint16_t frozen_words, latest, precision;
    struct weft_order order;
};

size_t weft_unit_seed_bytes(const struct weft_unit *unit, uint32_t count)
{
    size_t bytes = sizeof(struct seed) + (size_t)count * WEFT_CELL_BYTES;
    for (unsigned n = 0; n < INHERITED_COUNT; n++)
        bytes += weft_cells_up(unit->block->segment[inherited[n]].used);
    return bytes;
}

struct weft_volume *weft_unit_hold(const struct weft_unit *unit)
{
    if (unit->module == NULL) return NULL;
    weft_volume_hold(unit->module->volume);
    return unit->module->volume;
}

static struct seed describe(const struct weft_unit *unit, uint64_t xt, uint32_t count)
{
    const struct weft_block *block = unit->block;
    struct seed seed = {.xt = xt,
                        .library = unit->system->library,
                        .shelf = unit->system->shelf,
                        .module = unit->module,
                        .count = count,
                        .open = block->definition != 0 ? block->first + 1u : 0,
                        .blocks = block->blocks,
                        .frozen_tokens = block->frozen_tokens,
                        .frozen_names = block->frozen_names,
                        .frozen_words = block->frozen_words,
                        .latest = block->latest,
                        .precision = block->precision,
                        .order = block->order};
    if (unit->module != NULL) {
        seed.serial = unit->module->serial;
        seed.crc = unit->module->crc;
        seed.volume = unit->module->volume;
    }
    for (unsigned n = 0; n < INHERITED_COUNT; n++)
        seed.bytes[n] = block->segment[inherited[n]].used;
    return seed;
}

void weft_unit_seed(const struct weft_unit *unit, uint64_t xt, const int64_t *cells, uint32_t count,
                    void *to)
{
    const struct seed seed = describe(unit, xt, count);
    uint8_t *at = (uint8_t *)to + sizeof(seed);
    memcpy(to, &seed, sizeof(seed));
    for (unsigned n = 0; n < INHERITED_COUNT; n++) {
        if (seed.bytes[n] > 0)
            memcpy(at, weft_segment_base(unit->block, inherited[n]), seed.bytes[n]);
        at += weft_cells_up(seed.bytes[n]);
    }
    if (count > 0) memcpy(at, cells, (size_t)count * WEFT_CELL_BYTES);
}

// What any unit has, and what one needs that runs a word at once.
static const uint32_t furnished_bytes[WEFT_SEGMENT_COUNT] = {
    [WEFT_SEGMENT_DATA] = WEFT_VARIABLE_BYTES,
    [WEFT_SEGMENT_DATA_STACK] = 17 * WEFT_CELL_BYTES,
    [WEFT_SEGMENT_RETURN_STACK] = 64,
    [WEFT_SEGMENT_CALLS] = 128,
    [WEFT_SEGMENT_SOURCES] = sizeof(struct weft_source),
    [WEFT_SEGMENT_TEXT] = 8,
};

// Goes on where EXECUTE of the word, on top of the cells, would: if it cannot be, EXECUTE says so.
static void enter(struct weft_unit *unit, weft_cell xt)
{
    const uint32_t sprout = unit->system->sprout | WEFT_CODE_SYSTEM | WEFT_CODE_CHECKED;
    if (weft_enter(unit, (uint64_t)xt - 1, sprout + 1) == 0) return;
    weft_push(unit->block, xt);
    unit->block->ip = sprout;
}

// Its stacks: the word and the cells, and nothing else.
static int begin(struct weft_unit *unit, const struct seed *seed, const uint8_t *cells)
{
    if (weft_data_room(unit, seed->count + 1) != 0) return -ENOSPC;
    struct weft_block *block = unit->block;
    weft_cell *stack = weft_data_stack(block);
    for (uint32_t n = 0; n < seed->count; n++)
        stack[1 + n] = weft_cell_get(cells + (size_t)n * WEFT_CELL_BYTES);
    block->dsp = seed->count;
    weft_variable_set(block, WEFT_VARIABLE_STATE, WEFT_FALSE);
    // An empty text: whatever reads its source finds the end of it.
    const int code = weft_unit_begin(unit, "spawn", 1, "", 0);
    if (code == 0) enter(unit, (weft_cell)seed->xt);
    return code;
}

// The parent's module: if it is of another shelf, somebody holds it. 0; -ESTALE: it is not on this
// shelf any more; -ENOMEM.
static int take_module(const struct weft_forth_system *system, const struct seed *seed,
                       struct weft_word_module **module)
{
    *module = NULL;
    if (seed->frozen_words == 0) return 0;
    if (seed->shelf == system->shelf) {
        *module = weft_word_module_known(system, seed->module, seed->serial, seed->crc);
        return *module != NULL ? 0 : -ESTALE;
    }
    *module = weft_word_module_of(system, seed->volume);
    return *module != NULL ? 0 : -ENOMEM;
}

// Into the unit's block, which has room for all of it. Behind it lie the cells.
static const uint8_t *plant(struct weft_unit *unit, const struct seed *seed, const uint8_t *at)
{
    struct weft_block *block = unit->block;
    for (unsigned n = 0; n < INHERITED_COUNT; n++) {
        if (seed->bytes[n] > 0) memcpy(weft_segment_base(block, inherited[n]), at, seed->bytes[n]);
        block->segment[inherited[n]].used = seed->bytes[n];
        at += weft_cells_up(seed->bytes[n]);
    }
    block->frozen_words = seed->frozen_words;
    block->frozen_tokens = seed->frozen_tokens;
    block->frozen_names = seed->frozen_names;
    block->latest = seed->latest;
    block->precision = seed->precision;
    block->blocks = seed->blocks;
    block->order = seed->order;
    if (seed->open == 0) return at;
    weft_locals_drop(unit); // They lie behind the part that is open.
    if (weft_own_word(unit, weft_own_words(block) - 1)->kind == WEFT_WORD_CODE)
        weft_assembler_leave(block);
    weft_words_drop(unit, seed->open - 1); // Nobody goes on with it here.
    return at;
}

int weft_unit_sprout(const struct weft_forth_system *system, const struct weft_forth_memory *memory,
                     const struct weft_unit_options *options, const struct weft_unit_host *host,
                     const void *from, struct weft_unit **result)
{
    struct seed seed;
    struct weft_word_module *module;
    memcpy(&seed, from, sizeof(seed));
    const uint8_t *at = (const uint8_t *)from + sizeof(seed);
    if (seed.library != system->library) return -ESTALE;
    int code = take_module(system, &seed, &module);
    if (code != 0) return code;

    uint32_t bytes[WEFT_SEGMENT_COUNT];
    memcpy(bytes, furnished_bytes, sizeof(bytes));
    for (unsigned n = 0; n < INHERITED_COUNT; n++) {
        if (bytes[inherited[n]] < seed.bytes[n]) bytes[inherited[n]] = weft_cells_up(seed.bytes[n]);
    }
    code = weft_unit_make(system, memory, options, host, module, bytes, result);
    if (code != 0) return code;
    (*result)->is_fleeting = true;
    code = begin(*result, &seed, plant(*result, &seed, at));
    if (code != 0) weft_unit_free(*result);
    return code;
}
