// image.c: a unit as bytes, and back. What comes back may have been written by anybody: every
// offset, token, link and frame is checked, the verifier runs over every word again, and all frames
// that come with it go on in the checking mode, so that nothing an image says about the stacks is
// believed.
#include <errno.h>

#include "forth/dictionary.h"
#include "forth/module.h"
#include "forth/ops.h"
#include "forth/outer.h"
#include "forth/sandbox.h"
#include "forth/unit_internal.h"
#include "forth/verify.h"
#include "forth/word_table.h"
#include "runtime/base/crc32c.h"

enum { IMAGE_VERSION = 3 };

struct image_header {
    char magic[8];
    uint32_t version;
    uint32_t crc; // Of everything behind this field.
    uint64_t system_hash;
    uint32_t block_bytes;
    uint32_t child_bytes; // The block of the sandbox at work; 0: none.
    uint64_t child_budget;
    uint32_t module_bytes; // Of the module's content, which follows; 0: it has none, or it is only
    uint32_t spare;        // named.
    uint8_t module_name[WEFT_SHA256_BYTES]; // Zero: it has none.
};
_Static_assert(sizeof(struct image_header) == 80, "a format");
_Static_assert(offsetof(struct image_header, system_hash) == 16, "a format");

static const char magic[8] = {'w', 'e', 'f', 't', 'u', 'n', 'i', 't'};

static const struct weft_block *sandbox_of(const struct weft_unit *unit)
{
    return unit->sandbox != NULL ? unit->sandbox->unit->block : NULL;
}

size_t weft_unit_image_bytes(const struct weft_unit *unit)
{
    return weft_unit_image_bytes_bare(unit) + weft_word_module_charge(unit->module);
}

size_t weft_unit_image_bytes_bare(const struct weft_unit *unit)
{
    const struct weft_block *child = sandbox_of(unit);
    return sizeof(struct image_header) + unit->block->bytes + (child != NULL ? child->bytes : 0);
}

static int64_t save(const struct weft_unit *unit, bool bare, void *to, size_t size)
{
    const size_t bytes = bare ? weft_unit_image_bytes_bare(unit) : weft_unit_image_bytes(unit);
    const struct weft_block *child = sandbox_of(unit);
    struct weft_word_module *module = unit->module;
    if (size < bytes) return -ENOSPC;
    struct image_header header = {
        .version = IMAGE_VERSION,
        .system_hash = unit->system->hash,
        .block_bytes = unit->block->bytes,
        .child_bytes = child != NULL ? child->bytes : 0,
        .child_budget = child != NULL ? unit->sandbox->budget : 0,
        .module_bytes = bare ? 0 : weft_word_module_charge(module),
    };
    memcpy(header.magic, magic, sizeof(magic));
    if (module != NULL)
        memcpy(header.module_name, weft_volume_name(unit->system, module->volume),
               sizeof(header.module_name));
    uint8_t *at = (uint8_t *)to + sizeof(header);
    if (header.module_bytes > 0) memcpy(at, module->content, header.module_bytes);
    at += header.module_bytes;
    memcpy(at, unit->block, header.block_bytes);
    at += header.block_bytes;
    if (child != NULL) memcpy(at, child, header.child_bytes);
    memcpy(to, &header, sizeof(header));
    const size_t covered = offsetof(struct image_header, system_hash);
    header.crc = weft_crc32c(0, (uint8_t *)to + covered, bytes - covered);
    memcpy(to, &header, sizeof(header));
    return (int64_t)bytes;
}

int64_t weft_unit_save(const struct weft_unit *unit, void *to, size_t size)
{
    return save(unit, false, to, size);
}

int64_t weft_unit_save_bare(const struct weft_unit *unit, void *to, size_t size)
{
    return save(unit, true, to, size);
}

static bool segments_ok(const struct weft_block *block, uint32_t bytes)
{
    uint64_t at = sizeof(struct weft_block);
    if (block->bytes != bytes) return false;
    for (unsigned n = 0; n < WEFT_SEGMENT_COUNT; n++) {
        const uint32_t end = n + 1 < WEFT_SEGMENT_COUNT ? block->segment[n + 1].offset : bytes;
        if (block->segment[n].offset != at || end < at || (end - at) % 8 != 0 ||
            block->segment[n].used > end - at)
            return false;
        at = end;
    }
    const struct weft_segment *segment = block->segment;
    const uint32_t scratch = segment[WEFT_SEGMENT_SCRATCH].used;
    return segment[WEFT_SEGMENT_DATA].used >= WEFT_VARIABLE_BYTES &&
           segment[WEFT_SEGMENT_DATA_STACK].used == 0 &&
           segment[WEFT_SEGMENT_RETURN_STACK].used == 0 && segment[WEFT_SEGMENT_CALLS].used == 0 &&
           segment[WEFT_SEGMENT_FLOAT_STACK].used == 0 &&
           segment[WEFT_SEGMENT_CODE].used % 2 == 0 &&
           segment[WEFT_SEGMENT_WORDS].used % sizeof(struct weft_word) == 0 &&
           segment[WEFT_SEGMENT_SOURCES].used % sizeof(struct weft_source) == 0 &&
           segment[WEFT_SEGMENT_FILES].used % sizeof(struct weft_unit_file) == 0 &&
           segment[WEFT_SEGMENT_PLACES].used % sizeof(struct weft_place) == 0 &&
           segment[WEFT_SEGMENT_FILES].used <=
               WEFT_UNIT_FILES_MAX * sizeof(struct weft_unit_file) &&
           (scratch == 0 || scratch == WEFT_SCRATCH_BYTES);
}

static uint32_t entries(const struct weft_block *block, enum weft_segment_id stack)
{
    return weft_segment_capacity(block, stack) / WEFT_CELL_BYTES; // Floats are as wide.
}

static bool heights_ok(const struct weft_unit *unit)
{
    const struct weft_block *block = unit->block;
    return block->dsp < entries(block, WEFT_SEGMENT_DATA_STACK) &&
           block->rsp <= entries(block, WEFT_SEGMENT_RETURN_STACK) &&
           block->csp <= entries(block, WEFT_SEGMENT_CALLS) &&
           block->fsp <= entries(block, WEFT_SEGMENT_FLOAT_STACK) && block->dbase <= block->dsp &&
           block->rbase <= block->rsp && block->fbase <= block->fsp && block->precision >= 1 &&
           block->precision <= WEFT_PRECISION_MAX && block->level_csp <= block->csp &&
           block->handler <= block->csp && block->status <= WEFT_STATUS_BYE &&
           block->levels <= WEFT_LEVELS_MAX && block->hold <= WEFT_HOLD_BYTES;
}

// Everything about a word but its code.
static bool header_ok(const struct weft_unit *unit, uint32_t n, uint32_t code_end,
                      uint32_t name_end)
{
    const struct weft_block *block = unit->block;
    const struct weft_word *word = weft_own_word(unit, n);
    const uint32_t names = weft_own_names(block);
    return word->code >= code_end && word->code <= weft_own_tokens(block) &&
           word->code_length <= weft_own_tokens(block) - word->code && word->name >= name_end &&
           word->name <= names && word->name_length <= names - word->name &&
           word->kind > WEFT_WORD_PRIMITIVE && word->kind < WEFT_WORD_KIND_COUNT &&
           !(word->flags & WEFT_WORD_SMART);
}

// Names without code: a local only while its definition is open, a synonym only of what it may
// mean.
static bool alias_ok(const struct weft_unit *unit, uint32_t n)
{
    const struct weft_word *word = weft_own_word(unit, n), *meant;
    switch ((enum weft_word_kind)word->kind) {
    case WEFT_WORD_LOCAL:
        return unit->block->definition != 0 && n >= unit->block->definition &&
               !(word->flags & WEFT_WORD_VALID);
    case WEFT_WORD_SYNONYM:
        if (word->flags & WEFT_WORD_VALID || word->body >= weft_shared_words(unit) + n)
            return false;
        meant = weft_word_at(unit, word->body);
        return meant->flags & WEFT_WORD_VALID;
    default: return true;
    }
}

static bool is_literal(unsigned op)
{
    return op == WEFT_OP_lit16 || op == WEFT_OP_lit32 || op == WEFT_OP_lit64;
}

// Verifies the words behind the module, in their order: a word sees only what has passed already.
static bool words_ok(struct weft_unit *unit, uint8_t *starts)
{
    struct weft_block *block = unit->block;
    const uint32_t count = weft_own_words(block);
    const uint32_t open = block->definition != 0 ? block->first : count;
    if (count + weft_shared_words(unit) > UINT16_MAX || block->definition > count ||
        block->latest > count ||
        (block->definition != 0 &&
         (block->first >= block->definition || block->first < block->frozen_words)))
        return false;
    if (!weft_order_valid(&block->order)) return false;
    uint32_t code_end = block->frozen_tokens, name_end = block->frozen_names;
    for (uint32_t n = block->frozen_words; n < count; n++) {
        struct weft_word *word = weft_own_word_open(unit, n);
        // Of an open definition the parts that are closed already have an end. That of the last is
        // one that ; has refused, for what it does and not for what it is: forgotten.
        if (n >= open && n + 1 >= block->definition) word->code_length = 0;
        if (!header_ok(unit, n, code_end, name_end) || !alias_ok(unit, n)) return false;
        if (word->kind == WEFT_WORD_FILE && word->flags & (WEFT_WORD_VALID | WEFT_WORD_VISIBLE))
            return false;
        const bool is_code = word->kind == WEFT_WORD_COLON || word->kind == WEFT_WORD_CODE;
        if (n >= open && n < block->definition && !is_code) return false;
        code_end = word->code + word->code_length;
        name_end = word->name + word->name_length;
        word->flags &= (uint8_t) ~(WEFT_WORD_STATIC | WEFT_WORD_COVERED);
        if (n >= open) word->flags &= (uint8_t)~WEFT_WORD_VALID;
    }
    weft_word_table_build(weft_segment_base(block, WEFT_SEGMENT_WORDS),
                          count - block->frozen_words);
    for (uint32_t n = block->frozen_words; n < count; n++) {
        const struct weft_word *word = weft_own_word(unit, n);
        const bool is_part = n >= open && n + 1 < block->definition;
        if (!(word->flags & WEFT_WORD_VALID) && !is_part) continue;
        // Nobody executes what may be dropped yet: nothing comes back there.
        if (weft_verify(unit, n, is_part ? NULL : starts) != 0) return false;
        const uint16_t *code = weft_own_code(block) + word->code;
        if (word->kind == WEFT_WORD_CONSTANT && !is_literal(code[0])) return false;
        if (word->kind == WEFT_WORD_FLOAT_CONSTANT && code[0] != WEFT_OP_lit_float) return false;
    }
    return true;
}

static bool sources_ok(const struct weft_unit *unit)
{
    const uint32_t text = unit->block->segment[WEFT_SEGMENT_TEXT].used;
    uint32_t below = 0; // What a source may fall back to: the names below it stay.
    for (uint32_t n = 0; n < weft_source_count(unit->block); n++) {
        const struct weft_source *source = &weft_sources(unit->block)[n];
        if (source->address > WEFT_ADDRESS_HEAP_END ||
            source->length > WEFT_ADDRESS_HEAP_END - source->address ||
            source->line_start > source->length ||
            source->line_length > source->length - source->line_start || source->name > text ||
            source->name_length > text - source->name || source->text_used > text ||
            source->id < WEFT_SOURCE_BLOCK || source->text_used < below)
            return false;
        const uint32_t named = source->name + source->name_length;
        below = named > source->text_used ? named : source->text_used;
        // What has been read of a file lies among the texts.
        if (source->id > 0 &&
            (source->address < WEFT_ADDRESS_TEXT || source->address - WEFT_ADDRESS_TEXT > text ||
             source->length > text - (source->address - WEFT_ADDRESS_TEXT)))
            return false;
    }
    return true;
}

static bool files_ok(const struct weft_unit *unit)
{
    const struct weft_segment *segment = &unit->block->segment[WEFT_SEGMENT_FILES];
    const struct weft_unit_file *file = weft_segment_base(unit->block, WEFT_SEGMENT_FILES);
    for (uint32_t n = 0; n < segment->used / sizeof(*file); n++) {
        if (file[n].mode > (WEFT_UNIT_FILE_READ | WEFT_UNIT_FILE_WRITE) ||
            file[n].name_length > WEFT_UNIT_FILE_NAME_MAX)
            return false;
    }
    return true;
}

static bool places_ok(const struct weft_unit *unit)
{
    const struct weft_block *block = unit->block;
    const uint32_t names = weft_own_names(block);
    const struct weft_place *place = weft_segment_base(block, WEFT_SEGMENT_PLACES);
    for (uint32_t n = 0; n < block->segment[WEFT_SEGMENT_PLACES].used / sizeof(*place); n++) {
        // One that is half in the module is nobody's name, and not shown (places.c).
        if (place[n].name > names || place[n].name_length > names - place[n].name) return false;
    }
    return true;
}

static bool bit(const uint8_t *bits, uint32_t n)
{
    return (bits[n / 8] >> (n % 8) & 1) != 0;
}

// A place where an operation begins, from now on in the checking mode.
static bool place_ok(const struct weft_unit *unit, const uint8_t *starts, uint32_t *place)
{
    const uint32_t offset = *place & WEFT_CODE_OFFSET;
    if (*place & WEFT_CODE_SPECIAL) return false;
    *place |= WEFT_CODE_CHECKED;
    switch (*place & (WEFT_CODE_SYSTEM | WEFT_CODE_MODULE)) {
    case WEFT_CODE_SYSTEM:
        return offset < unit->system->code_length && bit(unit->system->starts, offset);
    case WEFT_CODE_MODULE:
        return offset < unit->block->frozen_tokens && bit(unit->module->starts, offset);
    case 0: return offset < weft_own_tokens(unit->block) && bit(starts, offset);
    default: return false;
    }
}

// One level frame, whose entries end at `top`. *below: where the next lower one ends.
static bool level_ok(const struct weft_unit *unit, const uint8_t *starts, uint32_t top, bool first,
                     uint32_t dbase, uint32_t rbase, uint32_t fbase, uint32_t *below)
{
    uint64_t *frame = weft_calls(unit->block) + top - WEFT_LEVEL_ENTRIES;
    for (unsigned n = 0; n < WEFT_LEVEL_ENTRIES; n++) {
        if (!(frame[n] & WEFT_CODE_SPECIAL)) return false;
    }
    const uint32_t status = (uint32_t)(frame[2] >> 32);
    const uint32_t handler = (uint32_t)frame[2] & ~WEFT_CODE_SPECIAL;
    const uint32_t sources = (uint32_t)frame[4] & ~WEFT_CODE_SPECIAL;
    const uint32_t dsp = (uint32_t)frame[3] & ~WEFT_CODE_SPECIAL;
    const uint32_t rsp = (uint32_t)(frame[3] >> 32);
    uint32_t ip = (uint32_t)(frame[0] >> 32);
    *below = (uint32_t)frame[0] & ~WEFT_CODE_SPECIAL;
    frame[5] = WEFT_CODE_SPECIAL; // A delay begins again.
    if (sources > weft_source_count(unit->block) || *below > top - WEFT_LEVEL_ENTRIES ||
        handler > top - WEFT_LEVEL_ENTRIES || rsp > unit->block->rsp)
        return false;
    if (first) {
        // The first level begins on an idle unit: only its data and floats may be there.
        return top == WEFT_LEVEL_ENTRIES && *below == 0 && status == WEFT_STATUS_IDLE &&
               handler == 0 && sources == 0 && rsp == 0 && frame[1] == WEFT_CODE_SPECIAL &&
               frame[6] == WEFT_CODE_SPECIAL;
    }
    const uint32_t lower_dbase = (uint32_t)frame[1] & ~WEFT_CODE_SPECIAL;
    const uint32_t lower_rbase = (uint32_t)(frame[1] >> 32);
    if (status != WEFT_STATUS_PARKED || dsp != dbase || rsp != rbase || lower_dbase > dbase ||
        lower_rbase > rbase || ((uint32_t)frame[6] & ~WEFT_CODE_SPECIAL) > fbase ||
        !place_ok(unit, starts, &ip))
        return false;
    frame[0] = (frame[0] & UINT32_MAX) | (uint64_t)ip << 32;
    return true;
}

static bool levels_ok(const struct weft_unit *unit, const uint8_t *starts)
{
    const struct weft_block *block = unit->block;
    uint32_t top = block->level_csp, dbase = block->dbase, rbase = block->rbase;
    uint32_t fbase = block->fbase;
    for (uint32_t level = block->levels; level > 0; level--) {
        uint32_t below;
        if (top < WEFT_LEVEL_ENTRIES || top > block->csp) return false;
        if (!level_ok(unit, starts, top, level == 1, dbase, rbase, fbase, &below)) return false;
        const uint64_t *frame = weft_calls(block) + top - WEFT_LEVEL_ENTRIES;
        if (level == 1) return dbase == 0 && rbase == 0 && fbase == 0;
        dbase = (uint32_t)frame[1] & ~WEFT_CODE_SPECIAL;
        rbase = (uint32_t)(frame[1] >> 32);
        fbase = (uint32_t)frame[6] & ~WEFT_CODE_SPECIAL;
        top = below;
    }
    return block->dbase == 0;
}

static bool control_ok(struct weft_unit *unit, const uint8_t *starts)
{
    struct weft_block *block = unit->block;
    block->wake_ns = 0;
    if (block->levels == 0) {
        // Idle or gone: nothing may be under way.
        return (block->status == WEFT_STATUS_IDLE || block->status == WEFT_STATUS_BYE) &&
               block->csp == 0 && block->level_csp == 0 && block->handler == 0 &&
               block->dbase == 0 && block->rbase == 0 && block->fbase == 0 &&
               weft_source_count(block) == 0;
    }
    if (block->status == WEFT_STATUS_IDLE) return false;
    uint64_t *calls = weft_calls(block);
    for (uint32_t n = 0; n < block->csp; n++) {
        uint32_t place = (uint32_t)calls[n];
        if (place & WEFT_CODE_SPECIAL) continue;
        if (!place_ok(unit, starts, &place)) return false;
        calls[n] = (calls[n] & ~(uint64_t)UINT32_MAX) | place;
    }
    return place_ok(unit, starts, &block->ip) && levels_ok(unit, starts);
}

// Whether the block counts on from where the module that the unit has ends; a block that has thawed
// it needs none.
static bool module_ok(struct weft_unit *unit)
{
    const struct weft_block *block = unit->block;
    if (block->frozen_words == 0) {
        weft_word_module_put(unit->system, unit->module);
        unit->module = NULL;
        return block->frozen_tokens == 0 && block->frozen_names == 0;
    }
    return unit->module != NULL && block->frozen_words == unit->module->word_count &&
           block->frozen_tokens == unit->module->code_length &&
           block->frozen_names == unit->module->name_bytes;
}

// Checks the words of a unit; *starts, to be given back by release_starts: where the operations of
// those behind its module begin. 0, -EBADMSG or -ENOMEM.
static int check_words(struct weft_unit *unit, uint8_t **starts)
{
    const size_t bytes = weft_own_tokens(unit->block) / 8 + 1;
    *starts = unit->memory.resize(unit->memory.self, NULL, 0, bytes);
    if (*starts == NULL) return -ENOMEM;
    memset(*starts, 0, bytes);
    return words_ok(unit, *starts) ? 0 : -EBADMSG;
}

static void release_starts(struct weft_unit *unit, uint8_t *starts)
{
    const size_t bytes = weft_own_tokens(unit->block) / 8 + 1;
    if (starts != NULL) unit->memory.resize(unit->memory.self, starts, bytes, 0);
}

// Takes a block of `bytes` from `from` into `unit`. 0, -EBADMSG, -ENOSPC or -ENOMEM.
static int load_block(struct weft_unit *unit, const uint8_t *from, uint32_t bytes)
{
    const struct weft_forth_memory *memory = &unit->memory;
    if ((uint64_t)bytes + weft_word_module_charge(unit->module) > unit->options.memory_bytes_max)
        return -ENOSPC;
    if (bytes < sizeof(struct weft_block)) return -EBADMSG;
    unit->block = memory->resize(memory->self, NULL, 0, bytes);
    if (unit->block == NULL) return -ENOMEM;
    memcpy(unit->block, from, bytes);
    const bool sane = segments_ok(unit->block, bytes);
    unit->block->bytes = bytes; // By which it is freed.
    if (!sane || !heights_ok(unit) || !module_ok(unit)) return -EBADMSG;
    if (unit->block->dsp > unit->options.stack_cells_max + 8) return -ENOSPC;
    if (unit->block->fsp > unit->options.stack_cells_max) return -ENOSPC;

    uint8_t *starts;
    int code = check_words(unit, &starts);
    if (code == 0 &&
        !(sources_ok(unit) && files_ok(unit) && places_ok(unit) && control_ok(unit, starts)))
        code = -EBADMSG;
    release_starts(unit, starts);
    return code;
}

// ---- Modules.

// A unit whose own words are those of a module's content.
static int unfold(const struct weft_forth_system *system, const struct weft_forth_memory *memory,
                  const struct weft_unit_options *options, const uint8_t *content,
                  struct weft_unit **result)
{
    struct weft_word_module_head head;
    memcpy(&head, content, sizeof(head));
    const uint32_t used[WEFT_SEGMENT_COUNT] = {
        [WEFT_SEGMENT_CODE] = head.code_length * 2,
        [WEFT_SEGMENT_WORDS] = head.word_count * (uint32_t)sizeof(struct weft_word),
        [WEFT_SEGMENT_NAMES] = head.name_bytes,
    };
    uint32_t bytes[WEFT_SEGMENT_COUNT];
    for (unsigned n = 0; n < WEFT_SEGMENT_COUNT; n++)
        bytes[n] = (used[n] + 7) & ~7u;
    const int code = weft_unit_make(system, memory, options, NULL, NULL, bytes, result);
    if (code != 0) return code;
    static const enum weft_segment_id order[] = {WEFT_SEGMENT_WORDS, WEFT_SEGMENT_CODE,
                                                 WEFT_SEGMENT_NAMES};
    content += sizeof(head);
    for (unsigned n = 0; n < sizeof(order) / sizeof(order[0]); n++) {
        struct weft_block *block = (*result)->block;
        memcpy(weft_segment_base(block, order[n]), content, used[order[n]]);
        block->segment[order[n]].used = used[order[n]];
        content += bytes[order[n]];
    }
    return 0;
}

// A module from anybody's bytes: its words are verified, once, when it comes to the library.
static int load_module(const struct weft_forth_system *system,
                       const struct weft_forth_memory *memory,
                       const struct weft_unit_options *options, const uint8_t *content,
                       struct weft_word_module **module)
{
    struct weft_unit *unit;
    uint8_t *starts;
    int code = unfold(system, memory, options, content, &unit);
    if (code != 0) return code;
    code = check_words(unit, &starts);
    release_starts(unit, starts);
    if (code == 0) code = weft_unit_freeze(unit);
    if (code == 0 && unit->module == NULL) code = -ENOSPC; // It has no room for the head of one.
    if (code == 0) *module = weft_word_module_get(unit->module);
    weft_unit_free(unit);
    return code;
}

// The module that an image has or names: NULL if it has none. Got.
static int find_module(const struct weft_forth_system *system,
                       const struct weft_forth_memory *memory,
                       const struct weft_unit_options *options, const struct image_header *header,
                       const uint8_t *content, struct weft_word_module **module)
{
    static const uint8_t nobody[WEFT_SHA256_BYTES];
    uint8_t name[WEFT_SHA256_BYTES];
    *module = NULL;
    if (header->module_bytes == 0) {
        if (memcmp(header->module_name, nobody, sizeof(nobody)) == 0) return 0;
        return weft_word_module_named(system, header->module_name, module);
    }
    const uint32_t bytes = header->module_bytes;
    if (!weft_word_module_content_valid(content, bytes)) return -EBADMSG;
    *module = weft_word_module_find(system, content, bytes);
    if (*module != NULL)
        memcpy(name, weft_volume_name(system, (*module)->volume), sizeof(name));
    else
        weft_sha256(content, bytes, name);
    const bool is_named = memcmp(name, header->module_name, sizeof(name)) == 0;
    if (is_named && *module != NULL) return 0;
    weft_word_module_put(system, *module);
    *module = NULL;
    if (!is_named) return -EBADMSG;
    const int code = load_module(system, memory, options, content, module);
    if (code != 0) return code;
    // Unless the verifier sees more in it than the image's writer did.
    if ((*module)->content_bytes == bytes && memcmp((*module)->content, content, bytes) == 0)
        weft_volume_set_name(system, (*module)->volume, name);
    return 0;
}

static int check_header(const struct weft_forth_system *system, const uint8_t *image, size_t bytes,
                        struct image_header *header)
{
    if (bytes < sizeof(*header)) return -EBADMSG;
    memcpy(header, image, sizeof(*header));
    if (memcmp(header->magic, magic, sizeof(magic)) != 0) return -EBADMSG;
    if (header->version != IMAGE_VERSION) return -EPROTONOSUPPORT;
    const size_t covered = offsetof(struct image_header, system_hash);
    if (weft_crc32c(0, image + covered, bytes - covered) != header->crc) return -EBADMSG;
    if (header->system_hash != system->hash) return -ESTALE;
    const uint64_t content =
        (uint64_t)header->module_bytes + header->block_bytes + header->child_bytes;
    if (content != bytes - sizeof(*header) || header->spare != 0) return -EBADMSG;
    return 0;
}

static bool at_sandbox(const struct weft_unit *unit)
{
    const struct weft_block *block = unit->block;
    return block->status == WEFT_STATUS_READY && *weft_code_at(unit, block->ip) == WEFT_OP_sandbox;
}

// A sandbox is at work only while its parent waits at SANDBOX.
static int load_sandbox(struct weft_unit *unit, const uint8_t *from, uint32_t bytes,
                        uint64_t budget)
{
    int code;
    struct weft_unit *child =
        weft_unit_handle(unit->system, &unit->memory, &unit->options, NULL, &code);
    if (child == NULL) return code;
    if (weft_sandbox_new(unit, child, budget) == NULL) {
        weft_unit_free(child);
        return -ENOMEM;
    }
    child->module = weft_word_module_get(unit->module);
    code = load_block(child, from, bytes);
    if (code != 0) return code;
    return child->block->status == WEFT_STATUS_READY && at_sandbox(unit) ? 0 : -EBADMSG;
}

int weft_unit_load(const struct weft_forth_system *system, const struct weft_forth_memory *memory,
                   const struct weft_unit_options *options, const struct weft_unit_host *host,
                   const void *image, size_t bytes, struct weft_unit **result)
{
    struct image_header header;
    int code = check_header(system, image, bytes, &header);
    if (code != 0) return code;
    struct weft_unit *unit = weft_unit_handle(system, memory, options, host, &code);
    if (unit == NULL) return code;

    const uint8_t *from = (const uint8_t *)image + sizeof(header);
    code = find_module(system, memory, &unit->options, &header, from, &unit->module);
    if (code != 0) {
        weft_unit_free(unit);
        return code;
    }
    from += header.module_bytes;
    code = load_block(unit, from, header.block_bytes);
    if (code == 0 && header.child_bytes != 0) {
        code =
            load_sandbox(unit, from + header.block_bytes, header.child_bytes, header.child_budget);
    }
    if (code != 0) {
        weft_unit_free(unit);
        return code;
    }
    *result = unit;
    return 0;
}
