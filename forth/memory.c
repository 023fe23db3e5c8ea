// memory.c: the segments of a unit's block, and the addresses that reach into them.
#include "forth/state.h"

#include <stdlib.h>

#include "forth/module.h"

static void *libc_resize(void *self, void *block, size_t old_bytes, size_t new_bytes)
{
    (void)self;
    (void)old_bytes;
    if (new_bytes == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, new_bytes);
}

const struct weft_forth_memory weft_forth_memory_libc = {.resize = libc_resize};

static uint32_t round_up(uint64_t bytes)
{
    return (uint32_t)((bytes + 7) & ~UINT64_C(7));
}

// Moves everything behind segment `id` by `delta` bytes.
static void shift(struct weft_block *block, enum weft_segment_id id, int64_t delta)
{
    const uint32_t end = block->segment[id].offset + weft_segment_capacity(block, id);
    memmove((uint8_t *)block + end + delta, (uint8_t *)block + end, block->bytes - end);
    for (unsigned n = id + 1u; n < WEFT_SEGMENT_COUNT; n++)
        block->segment[n].offset = (uint32_t)(block->segment[n].offset + delta);
}

// How many bytes more the block may take.
static uint64_t room_left(const struct weft_unit *unit)
{
    const uint64_t taken = (uint64_t)unit->block->bytes + weft_word_module_charge(unit->module);
    return taken < unit->options.memory_bytes_max ? unit->options.memory_bytes_max - taken : 0;
}

// More of it, of which block->bytes knows nothing yet. 0 or WEFT_THROW_MEMORY.
static int32_t enlarge(struct weft_unit *unit, uint32_t total)
{
    struct weft_block *block =
        unit->memory.resize(unit->memory.self, unit->block, unit->block->bytes, total);
    if (block == NULL) return WEFT_THROW_MEMORY;
    unit->block = block;
    return 0;
}

int32_t weft_segment_grow(struct weft_unit *unit, enum weft_segment_id id, uint64_t bytes)
{
    struct weft_block *block = unit->block;
    const uint32_t old = weft_segment_capacity(block, id);
    if (bytes <= old) return 0;

    // Doubling, so that growing costs a constant per byte; near the quota, just what is asked for.
    const uint64_t room = room_left(unit);
    if (bytes > UINT32_MAX - 8) return WEFT_THROW_MEMORY;
    uint64_t capacity = round_up(bytes);
    if (capacity < 2 * (uint64_t)old) capacity = round_up(2 * (uint64_t)old);
    if (capacity - old > room) capacity = round_up(bytes);
    if (capacity - old > room) return WEFT_THROW_MEMORY;

    const uint32_t delta = (uint32_t)(capacity - old);
    const uint32_t total = block->bytes + delta;
    if (enlarge(unit, total) != 0) return WEFT_THROW_MEMORY;
    block = unit->block;
    const uint32_t end = block->segment[id].offset + old;
    shift(block, id, delta);
    memset((uint8_t *)block + end, 0, delta);
    block->bytes = total;
    return 0;
}

int32_t weft_segment_reserve(struct weft_unit *unit, enum weft_segment_id id, uint64_t bytes)
{
    return weft_segment_grow(unit, id, unit->block->segment[id].used + bytes);
}

int32_t weft_segments_grow(struct weft_unit *unit, const uint32_t bytes[WEFT_SEGMENT_COUNT])
{
    uint32_t more[WEFT_SEGMENT_COUNT];
    uint64_t delta = 0;
    for (unsigned n = 0; n < WEFT_SEGMENT_COUNT; n++) {
        const uint32_t old = weft_segment_capacity(unit->block, n);
        more[n] = bytes[n] > old ? round_up(bytes[n]) - old : 0;
        delta += more[n];
    }
    if (delta == 0) return 0;
    const uint32_t before = unit->block->bytes;
    if (delta > room_left(unit)) return WEFT_THROW_MEMORY;
    if (enlarge(unit, before + (uint32_t)delta) != 0) return WEFT_THROW_MEMORY;

    // From the last to the first, each into what its successor has left.
    struct weft_block *block = unit->block;
    for (unsigned n = WEFT_SEGMENT_COUNT; n-- > 0;) {
        uint8_t *from = (uint8_t *)block + block->segment[n].offset;
        const uint32_t end =
            n + 1 < WEFT_SEGMENT_COUNT ? block->segment[n + 1].offset : before + (uint32_t)delta;
        // What follows has moved by `delta`; so the bytes of this one were that much less.
        const uint32_t old = end - (uint32_t)delta - block->segment[n].offset;
        delta -= more[n];
        if (delta > 0) memmove(from + delta, from, old);
        memset(from + delta + old, 0, more[n]);
        block->segment[n].offset += (uint32_t)delta;
    }
    block->bytes = before;
    for (unsigned n = 0; n < WEFT_SEGMENT_COUNT; n++)
        block->bytes += more[n];
    return 0;
}

// The block has become `bytes` shorter: gives the rest back.
static void give_back(struct weft_unit *unit, uint32_t bytes)
{
    struct weft_block *block = unit->block;
    block->bytes -= bytes;
    struct weft_block *smaller =
        unit->memory.resize(unit->memory.self, block, block->bytes + bytes, block->bytes);
    if (smaller != NULL)
        unit->block = smaller;
    else
        block->bytes += bytes; // It would not shrink: the last segment keeps the rest.
}

void weft_segment_shrink(struct weft_unit *unit, enum weft_segment_id id, uint32_t bytes)
{
    const uint32_t capacity = weft_segment_capacity(unit->block, id);
    if (round_up(bytes) >= capacity) return;
    const uint32_t delta = capacity - round_up(bytes);
    shift(unit->block, id, -(int64_t)delta);
    give_back(unit, delta);
}

void weft_segments_shrink(struct weft_unit *unit, const uint32_t bytes[WEFT_SEGMENT_COUNT])
{
    struct weft_block *block = unit->block;
    uint32_t delta = 0;
    for (unsigned n = 0; n < WEFT_SEGMENT_COUNT; n++) {
        const uint32_t old = weft_segment_capacity(block, n);
        const uint32_t kept = bytes[n] < old ? bytes[n] : old;
        uint8_t *from = (uint8_t *)block + block->segment[n].offset;
        if (delta > 0) memmove(from - delta, from, kept);
        block->segment[n].offset -= delta;
        delta += old - kept;
    }
    if (delta > 0) give_back(unit, delta);
}

static bool inside(uint64_t address, uint64_t length, uint64_t start, uint64_t size)
{
    return address >= start && address - start <= size && length <= size - (address - start);
}

static void *in_segment(const struct weft_unit *unit, enum weft_segment_id id, uint64_t start,
                        uint64_t size, uint64_t address, uint64_t length)
{
    if (!inside(address, length, start, size)) return NULL;
    return (uint8_t *)weft_segment_base(unit->block, id) + (address - start);
}

void *weft_address_write(const struct weft_unit *unit, uint64_t address, uint64_t length)
{
    const struct weft_segment *segment = unit->block->segment;
    if (address < WEFT_ADDRESS_SYSTEM) {
        return in_segment(unit, WEFT_SEGMENT_DATA, WEFT_ADDRESS_DATA,
                          weft_segment_capacity(unit->block, WEFT_SEGMENT_DATA), address, length);
    }
    if (unit->building && address < WEFT_ADDRESS_TEXT) {
        return in_segment(unit, WEFT_SEGMENT_DATA, WEFT_ADDRESS_SYSTEM,
                          weft_segment_capacity(unit->block, WEFT_SEGMENT_DATA), address, length);
    }
    if (address < WEFT_ADDRESS_SCRATCH) return NULL;
    if (address < WEFT_ADDRESS_MESSAGE) {
        return in_segment(unit, WEFT_SEGMENT_SCRATCH, WEFT_ADDRESS_SCRATCH,
                          segment[WEFT_SEGMENT_SCRATCH].used, address, length);
    }
    if (address < WEFT_ADDRESS_RESULT) {
        return in_segment(unit, WEFT_SEGMENT_MESSAGE, WEFT_ADDRESS_MESSAGE,
                          segment[WEFT_SEGMENT_MESSAGE].used, address, length);
    }
    if (address >= WEFT_ADDRESS_HEAP) {
        return in_segment(unit, WEFT_SEGMENT_HEAP, WEFT_ADDRESS_HEAP,
                          segment[WEFT_SEGMENT_HEAP].used, address, length);
    }
    return in_segment(unit, WEFT_SEGMENT_RESULT, WEFT_ADDRESS_RESULT,
                      segment[WEFT_SEGMENT_RESULT].used, address, length);
}

void *weft_address_read(const struct weft_unit *unit, uint64_t address, uint64_t length)
{
    if (address >= WEFT_ADDRESS_SYSTEM && address < WEFT_ADDRESS_TEXT && !unit->building) {
        if (!inside(address, length, WEFT_ADDRESS_SYSTEM, unit->system->data_bytes)) return NULL;
        return unit->system->data + (address - WEFT_ADDRESS_SYSTEM);
    }
    if (address >= WEFT_ADDRESS_TEXT && address < WEFT_ADDRESS_SCRATCH) {
        return in_segment(unit, WEFT_SEGMENT_TEXT, WEFT_ADDRESS_TEXT,
                          unit->block->segment[WEFT_SEGMENT_TEXT].used, address, length);
    }
    return weft_address_write(unit, address, length);
}

int32_t weft_scratch(struct weft_unit *unit)
{
    const int32_t code = weft_segment_grow(unit, WEFT_SEGMENT_SCRATCH, WEFT_SCRATCH_BYTES);
    if (code == 0) unit->block->segment[WEFT_SEGMENT_SCRATCH].used = WEFT_SCRATCH_BYTES;
    return code;
}

void weft_output(struct weft_unit *unit, const void *bytes, size_t length)
{
    const uint32_t used = unit->block->segment[WEFT_SEGMENT_OUTPUT].used;
    const size_t room =
        used < unit->options.output_bytes_max ? unit->options.output_bytes_max - used : 0;
    size_t fit = length < room ? length : room;
    if (fit > 0 && weft_segment_reserve(unit, WEFT_SEGMENT_OUTPUT, fit) != 0) fit = 0;
    if (fit > 0) {
        memcpy((uint8_t *)weft_segment_base(unit->block, WEFT_SEGMENT_OUTPUT) + used, bytes, fit);
        unit->block->segment[WEFT_SEGMENT_OUTPUT].used += (uint32_t)fit;
    }
    unit->block->output_dropped += length - fit;
}
