#include "forth/module.h"

#include <errno.h>

#include "forth/dictionary.h"
#include "forth/ops.h"
#include "forth/word_table.h"
#include "runtime/base/assert.h"
#include "runtime/base/crc32c.h"

// Less than this part of what is frozen already is not worth a module of its own.
enum { WORTH_DIVISOR = 8 };

static uint32_t content_bytes(const struct weft_word_module_head *head)
{
    return (uint32_t)sizeof(*head) + head->word_count * (uint32_t)sizeof(struct weft_word) +
           weft_cells_up(head->code_length * 2) + weft_cells_up(head->name_bytes);
}

bool weft_word_module_content_valid(const void *content, size_t bytes)
{
    struct weft_word_module_head head;
    if (bytes < sizeof(head)) return false;
    memcpy(&head, content, sizeof(head));
    return head.word_count > 0 && head.word_count < UINT16_MAX &&
           head.code_length <= WEFT_CODE_OFFSET && head.name_bytes <= WEFT_CODE_OFFSET &&
           head.spare == 0 && content_bytes(&head) == bytes;
}

// ---- The shelf.

uint32_t weft_word_module_bytes(const struct weft_word_module *module)
{
    return module != NULL ? module->volume->bytes : 0;
}

struct weft_word_module *weft_word_module_get(struct weft_word_module *module)
{
    if (module != NULL) module->user_count++;
    return module;
}

static struct weft_word_module **bucket_of(const struct weft_forth_system *system, uint32_t crc)
{
    return &system->shelf->modules[crc % WEFT_SHELF_BUCKETS];
}

// The module alone: its volume is somebody else's concern.
static void discard(const struct weft_forth_system *system, struct weft_word_module *module)
{
    const struct weft_forth_memory *memory = &system->memory;
    memory->resize(memory->self, module, sizeof(*module), 0);
}

void weft_word_module_put(const struct weft_forth_system *system, struct weft_word_module *module)
{
    if (module == NULL || --module->user_count > 0) return;
    struct weft_word_module **at = bucket_of(system, module->crc);
    while (*at != module)
        at = &(*at)->next;
    *at = module->next;
    weft_counter_add(&system->shelf->module_count, (uint64_t)-1);
    weft_forth_release(system, module->volume);
    discard(system, module);
}

struct weft_word_module *weft_word_module_known(const struct weft_forth_system *system,
                                                const struct weft_word_module *module,
                                                uint64_t serial, uint32_t crc)
{
    struct weft_word_module *at = *bucket_of(system, crc);
    while (at != NULL && (at != module || at->serial != serial))
        at = at->next;
    return weft_word_module_get(at);
}

uint64_t weft_forth_system_modules(const struct weft_forth_system *system)
{
    return weft_counter_get(&system->shelf->module_count);
}

void weft_forth_system_sharing(const struct weft_forth_system *system,
                               struct weft_forth_sharing *sharing)
{
    *sharing = (struct weft_forth_sharing){0};
    for (unsigned n = 0; n < WEFT_SHELF_BUCKETS; n++) {
        for (struct weft_word_module *at = system->shelf->modules[n]; at != NULL; at = at->next) {
            sharing->modules++;
            sharing->units += at->user_count;
            sharing->bytes += weft_word_module_bytes(at);
        }
    }
}

// Where the parts of what a volume holds are.
static void open_volume(struct weft_word_module *module, struct weft_volume *volume)
{
    struct weft_word_module_head head;
    uint8_t *at = volume->content;
    memcpy(&head, at, sizeof(head));
    module->volume = volume;
    module->content = at;
    module->content_bytes = volume->content_bytes;
    module->word_count = head.word_count;
    module->code_length = head.code_length;
    module->name_bytes = head.name_bytes;
    at += sizeof(head);
    module->words = (const struct weft_word *)at;
    at += head.word_count * sizeof(struct weft_word);
    module->code = (const uint16_t *)at;
    at += weft_cells_up(head.code_length * 2);
    module->names = (const char *)at;
    module->starts = volume->content + volume->content_bytes;
}

// Puts it on the shelf: got.
static struct weft_word_module *put_up(const struct weft_forth_system *system,
                                       struct weft_word_module *module)
{
    struct weft_word_module **first = bucket_of(system, module->crc);
    module->serial = ++system->shelf->serial;
    module->next = *first;
    *first = module;
    weft_counter_add(&system->shelf->module_count, 1);
    return weft_word_module_get(module);
}

struct weft_word_module *weft_word_module_of(const struct weft_forth_system *system,
                                             struct weft_volume *volume)
{
    const struct weft_forth_memory *memory = &system->memory;
    for (struct weft_word_module *at = *bucket_of(system, volume->crc); at != NULL; at = at->next) {
        if (at->volume == volume) return weft_word_module_get(at);
    }
    struct weft_word_module *module = memory->resize(memory->self, NULL, 0, sizeof(*module));
    if (module == NULL) return NULL;
    *module = (struct weft_word_module){.crc = volume->crc};
    open_volume(module, volume);
    weft_volume_hold(volume);
    return put_up(system, module);
}

static struct weft_word_module *find_here(const struct weft_forth_system *system,
                                          const void *content, uint32_t bytes, uint32_t crc)
{
    struct weft_word_module *at = *bucket_of(system, crc);
    while (at != NULL && (at->crc != crc || at->content_bytes != bytes ||
                          memcmp(at->content, content, bytes) != 0))
        at = at->next;
    return weft_word_module_get(at);
}

struct weft_word_module *weft_word_module_find(const struct weft_forth_system *system,
                                               const void *content, uint32_t bytes)
{
    const uint32_t crc = weft_crc32c(0, content, bytes);
    struct weft_word_module *module = find_here(system, content, bytes, crc);
    if (module != NULL) return module;
    struct weft_volume *volume = weft_library_find(system, content, bytes, crc, NULL);
    if (volume == NULL) return NULL;
    module = weft_word_module_of(system, volume);
    weft_forth_release(system, volume);
    return module;
}

int weft_word_module_named(const struct weft_forth_system *system,
                           const uint8_t name[WEFT_SHA256_BYTES], struct weft_word_module **module)
{
    struct weft_volume *volume = weft_library_named(system, name);
    if (volume == NULL) return -ENOENT;
    *module = weft_word_module_of(system, volume);
    weft_forth_release(system, volume);
    return *module != NULL ? 0 : -ENOMEM;
}

// Room for a module of these numbers, its content still to come. NULL: no memory.
static struct weft_word_module *prepare(const struct weft_forth_system *system,
                                        const struct weft_word_module_head *head)
{
    const struct weft_forth_memory *memory = &system->memory;
    struct weft_word_module *module = memory->resize(memory->self, NULL, 0, sizeof(*module));
    if (module == NULL) return NULL;
    struct weft_volume *volume =
        weft_volume_new(system, content_bytes(head), head->code_length / 8 + 1);
    if (volume == NULL) {
        discard(system, module);
        return NULL;
    }
    memcpy(volume->content, head, sizeof(*head));
    *module = (struct weft_word_module){0};
    open_volume(module, volume);
    return module;
}

static void mark_starts(struct weft_word_module *module)
{
    for (uint32_t n = 0; n < module->word_count; n++) {
        const struct weft_word *word = &module->words[n];
        if (!(word->flags & WEFT_WORD_VALID)) continue;
        for (uint32_t p = word->code; p < word->code + word->code_length;) {
            module->starts[p / 8] |= (uint8_t)(1u << (p % 8));
            p += 1u + weft_op_info[module->code[p]].operands;
        }
    }
}

// Its volume comes to the library, unless the content is there: then it takes that.
static void publish(const struct weft_forth_system *system, struct weft_word_module *module)
{
    struct weft_volume *own = module->volume;
    const uint32_t bytes = own->content_bytes;
    struct weft_volume *volume = weft_library_find(system, own->content, bytes, own->crc, NULL);
    if (volume == NULL) {
        mark_starts(module);
        volume = weft_library_find(system, own->content, bytes, own->crc, own);
    }
    if (volume == own) return;
    weft_volume_discard(system, own);
    open_volume(module, volume);
}

// Puts what was prepared on the shelf, unless its content is there: got in either case.
static struct weft_word_module *shelve(const struct weft_forth_system *system,
                                       struct weft_word_module *module)
{
    struct weft_volume *own = module->volume;
    module->crc = own->crc = weft_crc32c(0, own->content, own->content_bytes);
    struct weft_word_module *same =
        find_here(system, own->content, own->content_bytes, module->crc);
    if (same != NULL) {
        weft_volume_discard(system, own);
        discard(system, module);
        return same;
    }
    publish(system, module);
    return put_up(system, module);
}

// ---- Freezing and thawing.

static uint32_t retagged(uint32_t place, uint32_t limit, uint32_t bit)
{
    if (place & (WEFT_CODE_SPECIAL | WEFT_CODE_SYSTEM) || (place & WEFT_CODE_OFFSET) >= limit)
        return place;
    return (place & ~WEFT_CODE_MODULE) | bit;
}

// The places below `limit` that the unit is to go on at: `bit` says where they lie now.
static void retag(struct weft_unit *unit, uint32_t limit, uint32_t bit)
{
    struct weft_block *block = unit->block;
    uint64_t *calls = weft_calls(block);
    if (block->levels > 0) block->ip = retagged(block->ip, limit, bit);
    for (uint32_t n = 0; n < block->csp; n++)
        calls[n] = (calls[n] & ~(uint64_t)UINT32_MAX) | retagged((uint32_t)calls[n], limit, bit);
    for (uint32_t level = block->level_csp; level > WEFT_LEVEL_ENTRIES;) {
        uint64_t *frame = &calls[level - WEFT_LEVEL_ENTRIES];
        const uint32_t place = retagged((uint32_t)(*frame >> 32), limit, bit);
        *frame = (*frame & UINT32_MAX) | (uint64_t)place << 32;
        level = (uint32_t)*frame & ~WEFT_CODE_SPECIAL;
    }
}

static const enum weft_segment_id frozen_segments[] = {WEFT_SEGMENT_CODE, WEFT_SEGMENT_WORDS,
                                                       WEFT_SEGMENT_NAMES};
enum { FROZEN_SEGMENTS = sizeof(frozen_segments) / sizeof(frozen_segments[0]) };

// Where the words end that are to be frozen: those of a definition under way stay.
static struct weft_word_module_head frozen_end(const struct weft_unit *unit)
{
    const struct weft_block *block = unit->block;
    const uint32_t count = weft_own_words(block);
    if (block->definition == 0)
        return (struct weft_word_module_head){count, weft_own_tokens(block), weft_own_names(block),
                                              0};
    const struct weft_word *first = weft_own_word(unit, block->first);
    return (struct weft_word_module_head){block->first, first->code, first->name, 0};
}

// Their content, of the module so far and what the block adds.
static void gather(const struct weft_unit *unit, struct weft_word_module *to)
{
    const struct weft_block *block = unit->block;
    const struct weft_word_module *old = unit->module;
    if (old != NULL) {
        memcpy((void *)(uintptr_t)to->words, old->words,
               old->word_count * sizeof(struct weft_word));
        memcpy((void *)(uintptr_t)to->code, old->code, old->code_length * 2);
        memcpy((void *)(uintptr_t)to->names, old->names, old->name_bytes);
    }
    memcpy((void *)(uintptr_t)(to->words + block->frozen_words),
           weft_segment_base(block, WEFT_SEGMENT_WORDS),
           (to->word_count - block->frozen_words) * sizeof(struct weft_word));
    weft_word_table_build((struct weft_word *)(uintptr_t)to->words, to->word_count);
    memcpy((void *)(uintptr_t)(to->code + block->frozen_tokens),
           weft_segment_base(block, WEFT_SEGMENT_CODE),
           (to->code_length - block->frozen_tokens) * 2);
    memcpy((void *)(uintptr_t)(to->names + block->frozen_names),
           weft_segment_base(block, WEFT_SEGMENT_NAMES), to->name_bytes - block->frozen_names);
}

// Takes the first `bytes` out of a segment.
static void behead(struct weft_block *block, enum weft_segment_id id, uint32_t bytes)
{
    uint8_t *base = weft_segment_base(block, id);
    block->segment[id].used -= bytes;
    memmove(base, base + bytes, block->segment[id].used);
}

// The table of the words behind the module.
static void build_table(struct weft_block *block)
{
    weft_word_table_build(weft_segment_base(block, WEFT_SEGMENT_WORDS),
                          weft_own_words(block) - block->frozen_words);
}

// The words that `module` has are in it from now on.
static void adopt(struct weft_unit *unit, struct weft_word_module *module)
{
    struct weft_block *block = unit->block;
    behead(block, WEFT_SEGMENT_WORDS,
           (module->word_count - block->frozen_words) * (uint32_t)sizeof(struct weft_word));
    behead(block, WEFT_SEGMENT_CODE, (module->code_length - block->frozen_tokens) * 2);
    behead(block, WEFT_SEGMENT_NAMES, module->name_bytes - block->frozen_names);
    block->frozen_words = (uint16_t)module->word_count;
    block->frozen_tokens = module->code_length;
    block->frozen_names = module->name_bytes;
    build_table(block);
    weft_word_module_put(unit->system, unit->module);
    unit->module = module;
    retag(unit, module->code_length, WEFT_CODE_MODULE);
}

static void trim(struct weft_unit *unit)
{
    uint32_t bytes[WEFT_SEGMENT_COUNT];
    for (unsigned n = 0; n < WEFT_SEGMENT_COUNT; n++)
        bytes[n] = weft_segment_capacity(unit->block, n);
    for (unsigned n = 0; n < FROZEN_SEGMENTS; n++)
        bytes[frozen_segments[n]] = weft_cells_up(unit->block->segment[frozen_segments[n]].used);
    weft_segments_shrink(unit, bytes);
}

// A module takes some bytes more than its words did in the block: none who is at the end of its
// quota.
static bool fits(const struct weft_unit *unit, const struct weft_word_module_head *end)
{
    const struct weft_block *block = unit->block;
    uint64_t bytes = (uint64_t)block->bytes + content_bytes(end);
    for (unsigned n = 0; n < FROZEN_SEGMENTS; n++)
        bytes -= weft_segment_capacity(block, frozen_segments[n]);
    bytes += weft_cells_up((weft_own_tokens(block) - end->code_length) * 2) +
             weft_cells_up(weft_own_names(block) - end->name_bytes) +
             (weft_own_words(block) - end->word_count) * sizeof(struct weft_word);
    return bytes <= unit->options.memory_bytes_max;
}

int weft_unit_freeze(struct weft_unit *unit)
{
    const struct weft_word_module_head end = frozen_end(unit);
    const uint32_t added = content_bytes(&end) - weft_word_module_charge(unit->module);
    // A sandbox at work has the module of its parent, or none: one is enough for an image.
    if (unit->building || unit->sandbox != NULL || end.word_count == unit->block->frozen_words ||
        added < weft_word_module_charge(unit->module) / WORTH_DIVISOR || !fits(unit, &end))
        return 0;
    struct weft_word_module *module = prepare(unit->system, &end);
    if (module == NULL) return -ENOMEM;
    gather(unit, module);
    adopt(unit, shelve(unit->system, module));
    trim(unit);
    weft_no_fold(unit->block);
    return 0;
}

// Puts `bytes` before what a segment has; there is room.
static void prefix(struct weft_block *block, enum weft_segment_id id, const void *from,
                   uint32_t bytes)
{
    uint8_t *base = weft_segment_base(block, id);
    memmove(base + bytes, base, block->segment[id].used);
    memcpy(base, from, bytes);
    block->segment[id].used += bytes;
}

static int32_t thaw(struct weft_unit *unit)
{
    struct weft_word_module *module = unit->module;
    const struct weft_segment *segment = unit->block->segment;
    const uint32_t words = module->word_count * (uint32_t)sizeof(struct weft_word);
    const uint32_t bytes[WEFT_SEGMENT_COUNT] = {
        [WEFT_SEGMENT_WORDS] = segment[WEFT_SEGMENT_WORDS].used + words,
        [WEFT_SEGMENT_CODE] = segment[WEFT_SEGMENT_CODE].used + module->code_length * 2,
        [WEFT_SEGMENT_NAMES] = segment[WEFT_SEGMENT_NAMES].used + module->name_bytes,
    };
    unit->module = NULL; // Its part of the quota is what the block takes instead.
    if (weft_segments_grow(unit, bytes) != 0) {
        unit->module = module;
        return -8;
    }
    struct weft_block *block = unit->block;
    prefix(block, WEFT_SEGMENT_WORDS, module->words, words);
    prefix(block, WEFT_SEGMENT_CODE, module->code, module->code_length * 2);
    prefix(block, WEFT_SEGMENT_NAMES, module->names, module->name_bytes);
    block->frozen_words = 0;
    block->frozen_tokens = block->frozen_names = 0;
    build_table(block);
    retag(unit, module->code_length, 0);
    unit->budget -= (int32_t)(module->content_bytes / 64);
    weft_word_module_put(unit->system, module);
    return 0;
}

int32_t weft_unit_thaw_word(struct weft_unit *unit, uint32_t own_index)
{
    return own_index < unit->block->frozen_words ? thaw(unit) : 0;
}
