// seed.c: what a child takes along from its parent: words, names, code and data as they are, and
// what it is to run. The two may be on different cores, whose system modules have the same content.
#include <errno.h>

#include "forth/dictionary.h"
#include "forth/inner.h"
#include "forth/level.h"
#include "forth/ops.h"
#include "forth/unit_internal.h"

static const enum weft_segment_id inherited[] = {WEFT_SEGMENT_DATA, WEFT_SEGMENT_CODE,
                                                 WEFT_SEGMENT_WORDS, WEFT_SEGMENT_NAMES,
                                                 WEFT_SEGMENT_HEAP};
enum { INHERITED_COUNT = sizeof(inherited) / sizeof(inherited[0]) };

struct seed { // Behind it: the bytes of the segments, then the cells, then the xt.
    uint64_t system_hash;
    uint64_t xt;
    uint32_t bytes[INHERITED_COUNT]; // Of each, as much of it as is used.
    uint32_t count;                  // Of cells.
    uint32_t latest;
    uint32_t precision, blocks;
    uint32_t open; // 1 + own index of the first word of a definition under way; 0: there is none.
    struct weft_order order;
};

static uint32_t padded(uint32_t bytes)
{
    return (bytes + 7) & ~7u;
}

size_t weft_unit_seed_bytes(const struct weft_unit *unit, uint32_t count)
{
    size_t bytes = sizeof(struct seed) + (size_t)count * WEFT_CELL_BYTES;
    for (unsigned n = 0; n < INHERITED_COUNT; n++)
        bytes += padded(unit->block->segment[inherited[n]].used);
    return bytes;
}

void weft_unit_seed(const struct weft_unit *unit, uint64_t xt, const int64_t *cells, uint32_t count,
                    void *to)
{
    const struct weft_block *block = unit->block;
    struct seed seed = {.system_hash = unit->system->hash,
                        .xt = xt,
                        .count = count,
                        .latest = block->latest,
                        .precision = block->precision,
                        .blocks = block->blocks,
                        .open = block->definition != 0 ? block->first + 1 : 0,
                        .order = block->order};
    uint8_t *at = (uint8_t *)to + sizeof(seed);
    for (unsigned n = 0; n < INHERITED_COUNT; n++) {
        seed.bytes[n] = block->segment[inherited[n]].used;
        if (seed.bytes[n] > 0) memcpy(at, weft_segment_base(block, inherited[n]), seed.bytes[n]);
        at += padded(seed.bytes[n]);
    }
    if (count > 0) memcpy(at, cells, (size_t)count * WEFT_CELL_BYTES);
    memcpy(to, &seed, sizeof(seed));
}

// Its stacks: the word on top of the cells, and nothing else.
static int begin(struct weft_unit *unit, const struct seed *seed, const uint8_t *cells)
{
    if (weft_data_room(unit, seed->count + 1) != 0) return -ENOSPC;
    struct weft_block *block = unit->block;
    weft_cell *stack = weft_data_stack(block);
    for (uint32_t n = 0; n < seed->count; n++)
        stack[1 + n] = weft_cell_get(cells + (size_t)n * WEFT_CELL_BYTES);
    block->dsp = seed->count;
    weft_push(block, (weft_cell)seed->xt);
    weft_variable_set(block, WEFT_VARIABLE_STATE, WEFT_FALSE);
    // An empty text: whatever reads its source finds the end of it.
    const int code = weft_unit_interpret(unit, "spawn", "", 0);
    if (code == 0) unit->block->ip = unit->system->sprout | WEFT_CODE_SYSTEM | WEFT_CODE_CHECKED;
    return code;
}

int weft_unit_sprout(const struct weft_forth_system *system, const struct weft_forth_memory *memory,
                     const struct weft_unit_options *options, const struct weft_unit_host *host,
                     const void *from, struct weft_unit **result)
{
    struct seed seed;
    memcpy(&seed, from, sizeof(seed));
    if (seed.system_hash != system->hash) return -ESTALE;
    uint32_t bytes[WEFT_SEGMENT_COUNT];
    memcpy(bytes, weft_unit_birth_bytes, sizeof(bytes));
    for (unsigned n = 0; n < INHERITED_COUNT; n++) {
        if (bytes[inherited[n]] < seed.bytes[n]) bytes[inherited[n]] = padded(seed.bytes[n]);
    }
    int code = weft_unit_make(system, memory, options, host, bytes, result);
    if (code != 0) return code;

    struct weft_unit *unit = *result;
    unit->is_fleeting = true;
    struct weft_block *block = unit->block;
    const uint8_t *at = (const uint8_t *)from + sizeof(seed);
    for (unsigned n = 0; n < INHERITED_COUNT; n++) {
        if (seed.bytes[n] > 0) memcpy(weft_segment_base(block, inherited[n]), at, seed.bytes[n]);
        block->segment[inherited[n]].used = seed.bytes[n];
        at += padded(seed.bytes[n]);
    }
    block->latest = seed.latest;
    block->precision = seed.precision;
    block->blocks = seed.blocks;
    block->order = seed.order;
    if (seed.open != 0) weft_words_drop(unit, seed.open - 1); // Nobody goes on with it here.
    code = begin(unit, &seed, at);
    if (code != 0) weft_unit_free(unit);
    return code;
}
