#include "forth/unit.h"

#include <errno.h>

#include "forth/compile.h"
#include "forth/defining.h"
#include "forth/dictionary.h"
#include "forth/files.h"
#include "forth/inner.h"
#include "forth/level.h"
#include "forth/module.h"
#include "forth/ops.h"
#include "forth/outer.h"
#include "forth/sandbox.h"
#include "forth/throw.h"
#include "forth/unit_internal.h"

enum { NAME_BYTES_MAX = 63 }; // Of a source.

const struct weft_unit_options weft_unit_options_default = {
    .memory_bytes_max = 1 << 20,
    .stack_cells_max = 4096,
    .call_depth_max = 4096,
    .output_bytes_max = 16384,
    .sandbox_reductions_max = 1000000,
};

// A stack that is empty needs one cell (weft_data_room); the rest of that, and BASE, STATE and >IN,
// fill the block up to a size in which allocators cut memory. Other segments come with a text.
static const uint32_t birth_bytes[WEFT_SEGMENT_COUNT] = {
    [WEFT_SEGMENT_DATA] = WEFT_VARIABLE_BYTES,
    [WEFT_SEGMENT_DATA_STACK] = 48,
};
_Static_assert(sizeof(struct weft_block) + WEFT_VARIABLE_BYTES + 48 == 352, "an idle unit's block");
_Static_assert(sizeof(struct weft_unit) <= 112, "and its handle: together less than 512 bytes");

static bool options_valid(const struct weft_unit_options *options)
{
    return options->memory_bytes_max >= 1024 && options->memory_bytes_max <= 1u << 30 &&
           options->stack_cells_max >= 16 && options->stack_cells_max <= 1u << 24 &&
           options->call_depth_max >= 16 && options->call_depth_max <= 1u << 24 &&
           options->output_bytes_max <= 1u << 30;
}

struct weft_unit *weft_unit_handle(const struct weft_forth_system *system,
                                   const struct weft_forth_memory *memory,
                                   const struct weft_unit_options *options,
                                   const struct weft_unit_host *host, int *code)
{
    if (options == NULL) options = &weft_unit_options_default;
    *code = -EINVAL;
    if (!options_valid(options)) return NULL;
    *code = -ENOMEM;
    struct weft_unit *unit = memory->resize(memory->self, NULL, 0, sizeof(*unit));
    if (unit == NULL) return NULL;
    *unit = (struct weft_unit){.system = system, .memory = *memory, .options = *options};
    weft_unit_set_host(unit, host);
    *code = 0;
    return unit;
}

int weft_unit_make(const struct weft_forth_system *system, const struct weft_forth_memory *memory,
                   const struct weft_unit_options *options, const struct weft_unit_host *host,
                   struct weft_word_module *module,
                   const uint32_t segment_bytes[WEFT_SEGMENT_COUNT], struct weft_unit **result)
{
    int code;
    struct weft_unit *unit = weft_unit_handle(system, memory, options, host, &code);
    if (unit == NULL) {
        weft_word_module_put(system, module);
        return code;
    }
    unit->module = module;
    uint64_t bytes = sizeof(struct weft_block);
    for (unsigned n = 0; n < WEFT_SEGMENT_COUNT; n++)
        bytes += segment_bytes[n];
    const bool fits = bytes + weft_word_module_charge(module) <= unit->options.memory_bytes_max;
    struct weft_block *block = fits ? memory->resize(memory->self, NULL, 0, bytes) : NULL;
    if (block == NULL) {
        weft_unit_free(unit);
        return fits ? -ENOMEM : -ENOSPC;
    }
    memset(block, 0, bytes);
    block->bytes = (uint32_t)bytes;
    uint32_t offset = sizeof(struct weft_block);
    for (unsigned n = 0; n < WEFT_SEGMENT_COUNT; n++) {
        block->segment[n].offset = offset;
        offset += segment_bytes[n];
    }
    unit->block = block;
    *result = unit;
    return 0;
}

int weft_unit_create(const struct weft_forth_system *system, const struct weft_forth_memory *memory,
                     const struct weft_unit_options *options, const struct weft_unit_host *host,
                     struct weft_unit **result)
{
    const int code = weft_unit_make(system, memory, options, host, NULL, birth_bytes, result);
    if (code != 0) return code;
    struct weft_block *block = (*result)->block;
    weft_order_reset(block);
    block->precision = 15; // As many as every decimal number keeps in a double.
    block->segment[WEFT_SEGMENT_DATA].used = WEFT_VARIABLE_BYTES;
    weft_variable_set(block, WEFT_VARIABLE_BASE, 10);
    return 0;
}

struct weft_unit *weft_unit_clone(const struct weft_unit *unit)
{
    int code;
    struct weft_unit *clone =
        weft_unit_handle(unit->system, &unit->memory, &unit->options, NULL, &code);
    if (clone == NULL) return NULL;
    clone->block = unit->memory.resize(unit->memory.self, NULL, 0, unit->block->bytes);
    if (clone->block == NULL) {
        weft_unit_free(clone);
        return NULL;
    }
    memcpy(clone->block, unit->block, unit->block->bytes);
    clone->module = weft_word_module_get(unit->module);
    return clone;
}

void weft_unit_free(struct weft_unit *unit)
{
    if (unit == NULL) return;
    weft_sandbox_drop(unit); // A child has no child.
    weft_unit_files_forget(unit);
    const struct weft_forth_memory memory = unit->memory;
    weft_word_module_put(unit->system, unit->module);
    if (unit->error != NULL) memory.resize(memory.self, unit->error, sizeof(*unit->error), 0);
    if (unit->block != NULL) memory.resize(memory.self, unit->block, unit->block->bytes, 0);
    memory.resize(memory.self, unit, sizeof(*unit), 0);
}

void weft_unit_set_host(struct weft_unit *unit, const struct weft_unit_host *host)
{
    weft_unit_files_forget(unit); // They are the old host's.
    static const struct weft_unit_host none;
    unit->host = host == NULL ? &none : host;
    unit->self = unit->host->self;
}

void weft_unit_set_self(struct weft_unit *unit, void *self)
{
    unit->self = self;
}

static int text_push(struct weft_unit *unit, const char *name, uint32_t line, const char *text,
                     uint32_t length)
{
    struct weft_segment *segment = &unit->block->segment[WEFT_SEGMENT_TEXT];
    const uint32_t used = segment->used;
    const uint32_t name_length = (uint32_t)strnlen(name, NAME_BYTES_MAX);
    if (weft_segment_reserve(unit, WEFT_SEGMENT_TEXT, (uint64_t)name_length + length) != 0)
        return -ENOSPC;

    segment = &unit->block->segment[WEFT_SEGMENT_TEXT];
    char *to = (char *)weft_segment_base(unit->block, WEFT_SEGMENT_TEXT) + used;
    memcpy(to, name, name_length);
    memcpy(to + name_length, text, length);
    segment->used += name_length + length;
    if (weft_source_push(unit, WEFT_ADDRESS_TEXT + used + name_length, length, 0) != 0) {
        unit->block->segment[WEFT_SEGMENT_TEXT].used = used;
        return -ENOSPC;
    }
    struct weft_source *source = weft_source_top(unit);
    source->name = used;
    source->name_length = name_length;
    source->text_used = used;
    source->line = line;
    return 0;
}

int weft_unit_interpret(struct weft_unit *unit, const char *name, const char *text, size_t length)
{
    return weft_unit_interpret_at(unit, name, 1, text, length);
}

// What any text needs, at one stroke.
static int32_t furnish(struct weft_unit *unit, const char *name, uint32_t length)
{
    const struct weft_block *block = unit->block;
    const uint32_t bytes[WEFT_SEGMENT_COUNT] = {
        [WEFT_SEGMENT_DATA_STACK] = (block->dsp + 16) * WEFT_CELL_BYTES,
        [WEFT_SEGMENT_RETURN_STACK] = 64,
        [WEFT_SEGMENT_CALLS] = 128,
        [WEFT_SEGMENT_SOURCES] = sizeof(struct weft_source),
        [WEFT_SEGMENT_TEXT] = (uint32_t)strnlen(name, NAME_BYTES_MAX) + length,
    };
    return weft_segments_grow(unit, bytes);
}

int weft_unit_interpret_at(struct weft_unit *unit, const char *name, uint32_t line,
                           const char *text, size_t length)
{
    const struct weft_block *block = unit->block;
    if (block->status == WEFT_STATUS_BYE) return -ESHUTDOWN;
    if (block->status == WEFT_STATUS_READY || block->levels >= WEFT_LEVELS_MAX) return -EBUSY;
    if (block->status == WEFT_STATUS_PARKED && block->definition != 0) return -EBUSY;
    if (length > WEFT_ADDRESS_SCRATCH - WEFT_ADDRESS_TEXT) return -ENOSPC;

    if (block->levels == 0 && furnish(unit, name, (uint32_t)length) != 0) return -ENOSPC;
    return weft_unit_begin(unit, name, line, text, (uint32_t)length);
}

int weft_unit_begin(struct weft_unit *unit, const char *name, uint32_t line, const char *text,
                    uint32_t length)
{
    if (weft_level_begin(unit) != 0) return -ENOSPC;
    const int code = text_push(unit, name, line, text, length);
    if (code != 0) weft_level_end(unit, false);
    return code;
}

// An idle unit does not keep the room that its last text took. What lies behind HERE stays, for a
// program may have put something there.
static void trim(struct weft_unit *unit)
{
    struct weft_block *block = unit->block;
    if (block->levels > 0) return;
    block->segment[WEFT_SEGMENT_SOURCES].used = block->segment[WEFT_SEGMENT_TEXT].used = 0;
    if (unit->is_fleeting) return;
    uint32_t bytes[WEFT_SEGMENT_COUNT];
    for (unsigned n = 0; n < WEFT_SEGMENT_COUNT; n++)
        bytes[n] = (block->segment[n].used + 7) & ~7u;
    bytes[WEFT_SEGMENT_DATA] = weft_segment_capacity(block, WEFT_SEGMENT_DATA);
    bytes[WEFT_SEGMENT_DATA_STACK] = (block->dsp + 1) * WEFT_CELL_BYTES;
    if (bytes[WEFT_SEGMENT_DATA_STACK] < birth_bytes[WEFT_SEGMENT_DATA_STACK])
        bytes[WEFT_SEGMENT_DATA_STACK] = birth_bytes[WEFT_SEGMENT_DATA_STACK];
    bytes[WEFT_SEGMENT_RETURN_STACK] = block->rsp * WEFT_CELL_BYTES;
    bytes[WEFT_SEGMENT_CALLS] = block->csp * WEFT_CELL_BYTES;
    bytes[WEFT_SEGMENT_FLOAT_STACK] = block->fsp * (uint32_t)sizeof(double);
    weft_segments_shrink(unit, bytes);
}

static enum weft_unit_state ended(struct weft_unit *unit, bool failed)
{
    if (unit->block->status == WEFT_STATUS_BYE) return WEFT_UNIT_BYE;
    trim(unit);
    return failed ? WEFT_UNIT_FAULT : WEFT_UNIT_DONE;
}

// The inner interpreter, and the sandbox between its turns: neither calls the other.
static enum weft_unit_state run(struct weft_unit *unit)
{
    for (;;) {
        if (unit->sandbox != NULL && !weft_sandbox_run(unit)) {
            if (unit->budget > 0) continue; // The child said YIELD.
            return WEFT_UNIT_AGAIN;
        }
        switch (weft_inner(unit)) {
        case WEFT_GIVE: return WEFT_UNIT_AGAIN;
        case WEFT_PARK: unit->block->status = WEFT_STATUS_PARKED; return WEFT_UNIT_WAIT;
        case WEFT_HALT: return ended(unit, false);
        case WEFT_FAULTED: weft_sandbox_drop(unit); return ended(unit, true);
        default: break; // WEFT_CHILD.
        }
    }
}

enum weft_unit_state weft_unit_run(struct weft_unit *unit, uint32_t *reductions)
{
    enum weft_unit_state state = weft_unit_state(unit);
    if (state == WEFT_UNIT_DONE || state == WEFT_UNIT_BYE || *reductions == 0) return state;

    const int32_t budget = *reductions < INT32_MAX ? (int32_t)*reductions : INT32_MAX;
    unit->budget = budget;
    unit->block->status = WEFT_STATUS_READY;
    state = run(unit);
    unit->block->reductions += (uint64_t)((int64_t)budget - unit->budget);
    *reductions = unit->budget > 0 ? (uint32_t)unit->budget : 0;
    return state;
}

void weft_unit_cancel(struct weft_unit *unit, int32_t code)
{
    if (unit->block->levels == 0) return;
    weft_sandbox_drop(unit);
    weft_error_note(unit, code, true);
    weft_level_end(unit, true);
}

void weft_unit_reset(struct weft_unit *unit)
{
    weft_sandbox_drop(unit);
    while (unit->block->levels > 0)
        weft_level_end(unit, true);
}

enum weft_unit_state weft_unit_state(const struct weft_unit *unit)
{
    switch (unit->block->status) {
    case WEFT_STATUS_READY: return WEFT_UNIT_AGAIN;
    case WEFT_STATUS_PARKED: return WEFT_UNIT_WAIT;
    case WEFT_STATUS_BYE: return WEFT_UNIT_BYE;
    default: return WEFT_UNIT_DONE;
    }
}

static enum weft_unit_waits waits(const struct weft_unit *unit)
{
    const struct weft_block *block = unit->block;
    if (block->status != WEFT_STATUS_PARKED) return WEFT_UNIT_WAITS_NOT;
    switch (*weft_code_at(unit, block->ip)) {
    case WEFT_OP_ms: return WEFT_UNIT_WAITS_TIME;
    case WEFT_OP_receive:
    case WEFT_OP_receive_for: return WEFT_UNIT_WAITS_MESSAGE;
    case WEFT_OP_chan_recv:
    case WEFT_OP_chan_recv_for:
    case WEFT_OP_recv_bytes:
    case WEFT_OP_recv_bytes_for:
    case WEFT_OP_tcp_read:
    case WEFT_OP_recv_cells: return WEFT_UNIT_WAITS_CHANNEL;
    case WEFT_OP_accept:
    case WEFT_OP_key:
    case WEFT_OP_ekey: return WEFT_UNIT_WAITS_INPUT;
    default: return WEFT_UNIT_WAITS_ANSWER;
    }
}

uint32_t weft_unit_cells(const struct weft_unit *unit, int64_t *cells, uint32_t max)
{
    const struct weft_block *block = unit->block;
    const uint32_t depth = block->dsp - block->dbase;
    const uint32_t count = depth < max ? depth : max;
    const weft_cell *from = weft_data_stack(block) + block->dsp - count + 1;
    for (uint32_t n = 0; n < count; n++)
        cells[n] = from[n];
    return count;
}

static uint32_t memory_bytes(const struct weft_unit *unit)
{
    uint32_t bytes = unit->block->bytes + (uint32_t)sizeof(*unit);
    if (unit->error != NULL) bytes += (uint32_t)sizeof(*unit->error);
    if (unit->files != NULL) bytes += WEFT_UNIT_FILES_BYTES;
    return unit->sandbox != NULL ? bytes + unit->sandbox->unit->block->bytes : bytes;
}

struct weft_unit_glance weft_unit_glance(const struct weft_unit *unit)
{
    const struct weft_block *block = unit->block;
    return (struct weft_unit_glance){.state = weft_unit_state(unit),
                                     .waits = waits(unit),
                                     .memory_bytes = memory_bytes(unit),
                                     .levels = block->levels,
                                     .reductions = block->reductions,
                                     .wake_ns =
                                         block->status == WEFT_STATUS_PARKED ? block->wake_ns : 0};
}

void weft_unit_inspect(const struct weft_unit *unit, struct weft_unit_info *info)
{
    const struct weft_block *block = unit->block;
    const struct weft_unit_glance glance = weft_unit_glance(unit);
    *info = (struct weft_unit_info){
        .state = glance.state,
        .memory_bytes = glance.memory_bytes,
        .depth = block->dsp - block->dbase,
        .float_depth = block->fsp - block->fbase,
        .words = weft_own_words(block),
        .data_bytes = block->segment[WEFT_SEGMENT_DATA].used,
        .code_bytes = weft_own_tokens(block) * 2,
        .module_bytes = weft_word_module_bytes(unit->module),
        .levels = glance.levels,
        .reductions = glance.reductions,
        .output_dropped = block->output_dropped,
        .wake_ns = glance.wake_ns,
        .waits = glance.waits,
        .compiling =
            weft_variable(block, WEFT_VARIABLE_STATE) != 0 || weft_definition_is_code(unit),
    };
}

uint32_t weft_unit_levels(const struct weft_unit *unit)
{
    return unit->block->levels;
}

struct weft_unit_mark weft_unit_mark(const struct weft_unit *unit)
{
    const struct weft_block *block = unit->block;
    return (struct weft_unit_mark){.reductions = block->reductions,
                                   .wake_ns = block->wake_ns,
                                   .depth = block->dsp,
                                   .place = block->ip};
}

const struct weft_unit_error *weft_unit_error(const struct weft_unit *unit)
{
    static const struct weft_unit_error none;
    return unit->error != NULL ? unit->error : &none;
}

size_t weft_unit_output_bytes(const struct weft_unit *unit)
{
    return unit->block->segment[WEFT_SEGMENT_OUTPUT].used;
}

size_t weft_unit_output_take(struct weft_unit *unit, void *to, size_t size)
{
    struct weft_segment *output = &unit->block->segment[WEFT_SEGMENT_OUTPUT];
    char *from = weft_segment_base(unit->block, WEFT_SEGMENT_OUTPUT);
    const size_t taken = size < output->used ? size : output->used;
    memcpy(to, from, taken);
    memmove(from, from + taken, output->used - taken);
    output->used -= (uint32_t)taken;
    if (output->used == 0 &&
        (unit->block->levels == 0 || weft_segment_capacity(unit->block, WEFT_SEGMENT_OUTPUT) > 256))
        weft_segment_shrink(unit, WEFT_SEGMENT_OUTPUT, 0);
    return taken;
}

bool weft_unit_value(const struct weft_unit *unit, const char *name, int64_t *value)
{
    const uint32_t length = (uint32_t)strnlen(name, WEFT_NAME_BYTES_MAX + 1);
    for (uint32_t n = weft_own_words(unit->block); n-- > 0;) {
        const struct weft_word *word = weft_own_word(unit, n);
        if (!(word->flags & WEFT_WORD_VISIBLE) || word->name_length != length) continue;
        if (!weft_name_equal(weft_word_name(unit, weft_shared_words(unit) + n), name, length))
            continue;
        if (word->kind == WEFT_WORD_CONSTANT) {
            *value = weft_word_literal(unit, weft_shared_words(unit) + n);
            return true;
        }
        if (word->kind != WEFT_WORD_CREATE && word->kind != WEFT_WORD_VALUE) return false;
        const void *cell = weft_address_read(unit, word->body, WEFT_CELL_BYTES);
        if (cell == NULL) return false;
        *value = weft_cell_get(cell);
        return true;
    }
    return false;
}
