// system.c: makes the shared module, once for all cores of a library: a stub for every primitive,
// the text interpreter's own code, and the prelude, compiled by a unit that is then taken apart.
#include <errno.h>
#include <stdio.h>

#include "forth/compile.h"
#include "forth/dictionary.h"
#include "forth/fuse.h"
#include "forth/infer.h"
#include "forth/mnemonic.h"
#include "forth/module.h"
#include "forth/ops.h"
#include "forth/unit_internal.h"
#include "forth/word_table.h"

static const char prelude[] =
#include "forth/prelude.inc"
    ;

enum {
    CORE_WORDS_MAX = 2 * WEFT_OP_COUNT + 8,
    CORE_TOKENS_MAX = 6 * WEFT_OP_COUNT + 64,
    CORE_NAMES_MAX = 32 * WEFT_OP_COUNT,
};

static void *take(const struct weft_forth_memory *memory, size_t bytes)
{
    void *block = memory->resize(memory->self, NULL, 0, bytes == 0 ? 8 : bytes);
    if (block != NULL) memset(block, 0, bytes == 0 ? 8 : bytes);
    return block;
}

static void give(const struct weft_forth_memory *memory, void *block, size_t bytes)
{
    if (block != NULL) memory->resize(memory->self, block, bytes == 0 ? 8 : bytes, 0);
}

// Allocates the parts of a module by the counts in it.
static int allocate(struct weft_forth_system *system)
{
    const struct weft_forth_memory *memory = &system->memory;
    system->code = take(memory, system->code_length * sizeof(uint16_t));
    system->words = take(memory, system->word_count * sizeof(struct weft_word));
    system->names = take(memory, system->name_bytes);
    system->data = take(memory, system->data_bytes);
    system->starts = take(memory, system->code_length / 8 + 1);
    return system->code && system->words && system->names && system->data && system->starts
               ? 0
               : -ENOMEM;
}

static void release(struct weft_forth_system *system)
{
    const struct weft_forth_memory *memory = &system->memory;
    give(memory, system->code, system->code_length * sizeof(uint16_t));
    give(memory, system->words, system->word_count * sizeof(struct weft_word));
    give(memory, system->names, system->name_bytes);
    give(memory, system->data, system->data_bytes);
    give(memory, system->starts, system->code_length / 8 + 1);
}

static struct weft_word *add(struct weft_forth_system *system, const char *name,
                             enum weft_word_kind kind, uint8_t flags, const uint16_t *code,
                             uint32_t length)
{
    const size_t name_length = strlen(name);
    struct weft_word *word = &system->words[system->word_count++];
    *word = (struct weft_word){
        .code = system->code_length,
        .code_length = length,
        .name = system->name_bytes,
        .name_length = (uint8_t)name_length,
        .kind = (uint8_t)kind,
        .flags = (uint8_t)(flags | WEFT_WORD_VALID | (name_length > 0 ? WEFT_WORD_VISIBLE : 0)),
        .hash = weft_name_hash(name, (uint32_t)name_length),
    };
    memcpy(system->names + system->name_bytes, name, name_length);
    memcpy(system->code + system->code_length, code, length * sizeof(*code));
    system->name_bytes += (uint32_t)name_length;
    system->code_length += length;
    return word;
}

// Names in parentheses are for the prelude alone, but for the one that the standard has.
static bool is_private(const char *name)
{
    return name[0] == '(' && name[1] != '\0' && strcmp(name, "(LOCAL)") != 0;
}

static void add_primitive(struct weft_forth_system *system, unsigned op)
{
    const struct weft_op_info *info = &weft_op_info[op];
    const uint16_t stub[] = {(uint16_t)op, WEFT_OP_exit};
    struct weft_word *word = add(system, info->name, WEFT_WORD_PRIMITIVE, info->flags, stub, 2);
    if (is_private(info->name)) word->list = WEFT_LIST_PRIVATE;
    if (info->out == WEFT_VAR || info->rin != info->rout) return;
    word->effect = weft_effect_byte((unsigned)info->in, (unsigned)info->out);
    if (info->rin > 0) return; // What it reads of its caller's return stack it looks for itself.
    word->need = (uint8_t)info->in;
    word->net = (int8_t)(info->out - info->in);
    word->grow = (uint8_t)(word->net > 0 ? word->net : 0);
    word->flags |= WEFT_WORD_STATIC | WEFT_WORD_COVERED;
}

// The words of ASSEMBLER: each hands the number of its operation on.
static void add_mnemonic(struct weft_forth_system *system, unsigned op)
{
    char name[WEFT_MNEMONIC_BYTES];
    const uint16_t code[] = {WEFT_OP_lit16, (uint16_t)op, WEFT_OP_assemble, WEFT_OP_exit};
    if (weft_mnemonic(op, name) > 0)
        add(system, name, WEFT_WORD_COLON, 0, code, 4)->list = WEFT_LIST_ASSEMBLER;
}

// Primitives, and what is bytecode but cannot be written in Forth yet.
static void add_core(struct weft_forth_system *system)
{
    for (unsigned op = 0; op < WEFT_OP_COUNT; op++) {
        if (weft_op_info[op].name[0] != '\0') add_primitive(system, op);
        add_mnemonic(system, op);
    }
    const uint16_t interpret[] = {WEFT_OP_interpret, WEFT_OP_branch_back, (uint16_t)-2,
                                  WEFT_OP_exit};
    const uint16_t index = (uint16_t)system->word_count;
    add(system, "", WEFT_WORD_COLON, 0, interpret, 4);
    const uint16_t evaluate[] = {WEFT_OP_source_begin, WEFT_OP_call, index, WEFT_OP_source_end,
                                 WEFT_OP_exit};
    add(system, "EVALUATE", WEFT_WORD_COLON, 0, evaluate, 5);
    const uint16_t include[] = {WEFT_OP_file_begin, WEFT_OP_call, index, WEFT_OP_source_end,
                                WEFT_OP_exit};
    add(system, "INCLUDE-FILE", WEFT_WORD_COLON, 0, include, 5);
    const uint16_t load[] = {WEFT_OP_block_begin, WEFT_OP_call, index, WEFT_OP_source_end,
                             WEFT_OP_exit};
    add(system, "(LOAD)", WEFT_WORD_COLON, 0, load, 5)->list = WEFT_LIST_PRIVATE;
    const uint16_t catch_code[] = {WEFT_OP_catch, WEFT_OP_catch_end, WEFT_OP_exit};
    system->caught = add(system, "CATCH", WEFT_WORD_COLON, 0, catch_code, 3)->code + 2;
    const uint16_t boot[] = {WEFT_OP_call, index, WEFT_OP_stop};
    system->boot = add(system, "", WEFT_WORD_COLON, 0, boot, 3)->code;
    const uint16_t sprout[] = {WEFT_OP_execute, WEFT_OP_stop};
    system->sprout = add(system, "", WEFT_WORD_COLON, 0, sprout, 2)->code;
}

static void mark_starts(struct weft_forth_system *system)
{
    for (uint32_t n = 0; n < system->word_count; n++) {
        const struct weft_word *word = &system->words[n];
        uint32_t p = word->code;
        while (p < word->code + word->code_length) {
            system->starts[p / 8] |= (uint8_t)(1u << (p % 8));
            p += 1u + weft_op_info[system->code[p]].operands;
        }
    }
}

static uint64_t fold_hash(uint64_t hash, const void *bytes, size_t length)
{
    for (size_t n = 0; n < length; n++)
        hash = (hash ^ ((const uint8_t *)bytes)[n]) * UINT64_C(1099511628211);
    return hash;
}

// Of the code, and of what its tokens mean.
static void name_content(struct weft_forth_system *system)
{
    uint64_t hash = UINT64_C(14695981039346656037); // FNV-1a, 64 bits.
    for (unsigned op = 0; op < WEFT_OP_COUNT; op++) {
        const struct weft_op_info *info = &weft_op_info[op];
        const int8_t effect[] = {(int8_t)info->operands, info->in, info->out, info->rin,
                                 info->rout};
        hash = fold_hash(hash, effect, sizeof(effect));
    }
    for (uint32_t n = 0; n < weft_fusion_count; n++)
        hash = fold_hash(hash, &weft_fusions[n], sizeof(weft_fusions[n]));
    hash = fold_hash(hash, system->code, system->code_length * sizeof(uint16_t));
    hash = fold_hash(hash, system->words, system->word_count * sizeof(struct weft_word));
    hash = fold_hash(hash, system->names, system->name_bytes);
    system->hash = fold_hash(hash, system->data, system->data_bytes);
}

// The core and what `unit` has added to it, as one module.
static int merge(struct weft_forth_system *to, const struct weft_forth_system *core,
                 const struct weft_unit *unit)
{
    const struct weft_block *block = unit->block;
    const uint32_t own = weft_own_words(block), tokens = weft_own_tokens(block);
    const uint32_t names = block->segment[WEFT_SEGMENT_NAMES].used;
    to->code_length = core->code_length + tokens;
    to->word_count = core->word_count + own;
    to->name_bytes = core->name_bytes + names;
    to->data_bytes = block->segment[WEFT_SEGMENT_DATA].used;
    to->boot = core->boot;
    to->sprout = core->sprout;
    to->caught = core->caught;
    if (allocate(to) != 0) return -ENOMEM;

    memcpy(to->code, core->code, core->code_length * 2);
    memcpy(to->code + core->code_length, weft_segment_base(block, WEFT_SEGMENT_CODE), tokens * 2);
    memcpy(to->words, core->words, core->word_count * sizeof(struct weft_word));
    memcpy(to->names, core->names, core->name_bytes);
    memcpy(to->names + core->name_bytes, weft_segment_base(block, WEFT_SEGMENT_NAMES), names);
    memcpy(to->data, weft_segment_base(block, WEFT_SEGMENT_DATA), to->data_bytes);
    for (uint32_t n = 0; n < own; n++) {
        struct weft_word *word = &to->words[core->word_count + n];
        *word = *weft_own_word(unit, n); // While it is built nothing is frozen.
        word->code += core->code_length;
        word->name += core->name_bytes;
    }
    weft_word_table_build(to->words, to->word_count);
    mark_starts(to);
    name_content(to);
    return 0;
}

void weft_forth_system_begin(struct weft_unit *unit)
{
    unit->building = true;
    unit->block->order.list[unit->block->order.count++] = WEFT_LIST_PRIVATE;
}

static int compile_prelude(struct weft_forth_system *system, const struct weft_forth_system *core)
{
    struct weft_unit_options options = weft_unit_options_default;
    options.memory_bytes_max = 16 << 20;
    struct weft_unit *unit;
    int code = weft_unit_create(core, &system->memory, &options, NULL, &unit);
    if (code != 0) return code;
    weft_forth_system_begin(unit);
    code = weft_unit_interpret(unit, "prelude.fs", prelude, sizeof(prelude) - 1);
    enum weft_unit_state state = WEFT_UNIT_AGAIN;
    while (code == 0 && state == WEFT_UNIT_AGAIN) {
        uint32_t reductions = 1000000;
        state = weft_unit_run(unit, &reductions);
    }
    if (code == 0 && state != WEFT_UNIT_DONE) {
        char text[512];
        weft_unit_error_render(weft_unit_error(unit), text, sizeof(text));
        fputs(text, stderr);
        code = -EIO;
    }
    if (code == 0) code = merge(system, core, unit);
    weft_unit_free(unit);
    return code;
}

static int compile(struct weft_forth_system *system)
{
    struct weft_forth_system core = {
        .memory = system->memory,
        .code_length = CORE_TOKENS_MAX,
        .word_count = CORE_WORDS_MAX,
        .name_bytes = CORE_NAMES_MAX,
    };
    const struct weft_forth_system sizes = core;
    int code = allocate(&core);
    if (code == 0) {
        core.code_length = core.word_count = core.name_bytes = 0;
        add_core(&core);
        weft_word_table_build(core.words, core.word_count);
        code = compile_prelude(system, &core);
    }
    core.code_length = sizes.code_length;
    core.word_count = sizes.word_count;
    core.name_bytes = sizes.name_bytes;
    release(&core);
    return code;
}

int weft_forth_library_create(const struct weft_forth_memory *memory,
                              struct weft_forth_library **result)
{
    struct weft_forth_library *library = take(memory, sizeof(*library));
    if (library == NULL) return -ENOMEM;
    library->memory = *memory;
    library->base.memory = *memory;
    library->base.library = library;
    weft_library_init(library);
    const int code = compile(&library->base);
    if (code == 0)
        *result = library;
    else
        weft_forth_library_free(library);
    return code;
}

void weft_forth_library_free(struct weft_forth_library *library)
{
    if (library == NULL) return;
    const struct weft_forth_memory memory = library->memory;
    release(&library->base);
    weft_library_destroy(library);
    give(&memory, library, sizeof(*library));
}

int weft_forth_system_create_in(struct weft_forth_library *library,
                                const struct weft_forth_memory *memory,
                                struct weft_forth_system **result)
{
    struct weft_forth_system *system = take(memory, sizeof(*system));
    struct weft_shelf *shelf = take(memory, sizeof(*shelf));
    if (system == NULL || shelf == NULL) {
        give(memory, system, sizeof(*system));
        give(memory, shelf, sizeof(*shelf));
        return -ENOMEM;
    }
    *system = library->base;
    system->memory = *memory;
    system->shelf = shelf;
    *result = system;
    return 0;
}

int weft_forth_system_create(const struct weft_forth_memory *memory,
                             struct weft_forth_system **result)
{
    struct weft_forth_library *library;
    int code = weft_forth_library_create(memory, &library);
    if (code != 0) return code;
    code = weft_forth_system_create_in(library, memory, result);
    if (code != 0)
        weft_forth_library_free(library);
    else
        (*result)->owns_library = true;
    return code;
}

void weft_forth_system_free(struct weft_forth_system *system)
{
    if (system == NULL) return;
    const struct weft_forth_memory memory = system->memory;
    struct weft_forth_library *library = system->owns_library ? system->library : NULL;
    weft_forth_system_settle(system);
    give(&memory, system->shelf, sizeof(*system->shelf));
    give(&memory, system, sizeof(*system));
    weft_forth_library_free(library);
}

uint64_t weft_forth_system_hash(const struct weft_forth_system *system)
{
    return system->hash;
}
